#ifndef FASTNET_GEMM_TILE_SIZES_H
#define FASTNET_GEMM_TILE_SIZES_H

/* The most rows of a register tile, for each number of its vectors. All accumulators, a row of B
 * and one broadcast value must fit in the vector registers.
 *   FN_MOST_ROWS   one vector
 *   FN_TILE_ROWS   two vectors
 *   FN_ROWS_OF_3   three vectors, FN_ROWS_OF_4 four; 1: they are used for a single row only
 *
 * FN_DEPTH is the number of terms per pass. Measurements: docs/tuning.md. */
#if FN_VECTOR_BYTES == 64
#define FN_TILE_ROWS 14     /* 32 registers */
#define FN_MOST_ROWS 14
#define FN_ROWS_OF_3 8
#define FN_ROWS_OF_4 6
#define FN_DEPTH 128
#elif defined(__aarch64__)
#define FN_TILE_ROWS 12     /* 32 registers */
#define FN_MOST_ROWS 12
#define FN_ROWS_OF_3 1
#define FN_ROWS_OF_4 1
#define FN_DEPTH 256
#else
#define FN_TILE_ROWS 6      /* 16 registers */
#define FN_MOST_ROWS 12
#if FN_VECTOR_BYTES == 32
#define FN_ROWS_OF_3 4
#else
#define FN_ROWS_OF_3 1
#endif
#define FN_ROWS_OF_4 1
#define FN_DEPTH 256
#endif

#endif
