#ifndef FASTNET_GEMM_TILE_SIZES_H
#define FASTNET_GEMM_TILE_SIZES_H

/* Rows of the register tile, by the number of vector registers: rows times two
 * accumulators, two vectors of B and one broadcast must fit. A tile that is one vector
 * wide may have more. FN_ROWS_OF_3 and FN_ROWS_OF_4: the rows of tiles that are three and
 * four vectors wide; 1: such tiles do not pay.
 *
 * FN_DEPTH is the number of terms per pass. */
#if FN_VECTOR_BYTES == 64
#define FN_TILE_ROWS 14     /* 32 registers */
#define FN_MOST_ROWS 14
#define FN_ROWS_OF_3 8
#define FN_ROWS_OF_4 6
#define FN_DEPTH 128
#elif defined(__aarch64__)
#define FN_TILE_ROWS 12     /* 32 registers */
#define FN_MOST_ROWS 12
#define FN_ROWS_OF_3 1      /* not measured */
#define FN_ROWS_OF_4 1
#define FN_DEPTH 256
#else
#define FN_TILE_ROWS 6      /* 16 registers */
#define FN_MOST_ROWS 12
#if FN_VECTOR_BYTES == 32
#define FN_ROWS_OF_3 4
#else
#define FN_ROWS_OF_3 1      /* 4, where products take a register: 1.1 of an epoch */
#endif
#define FN_ROWS_OF_4 1
#define FN_DEPTH 256
#endif

#endif
