/* Transposes matrices in registers, a square of vectors at a time. */
#ifndef FASTNET_GEMM_TRANSPOSE_H
#define FASTNET_GEMM_TRANSPOSE_H

#include <stddef.h>

#include "simd/compiler.h"
#include "simd/vec.h"

/* lanes[j][i] becomes lanes[i][j]. */
FN_INLINE void FN(transpose_lanes)(vec lanes[FN_LANES])
{
FN_UNROLL(4)
    for (size_t round = 1; round < FN_LANES; round *= 2) { /* rotates each index by one bit */
        vec next[FN_LANES];
FN_UNROLL(8)
        for (size_t i = 0; i < FN_LANES / 2; i++) {
            next[2 * i] = FN(interleave_lower)(lanes[i], lanes[i + FN_LANES / 2]);
            next[2 * i + 1] = FN(interleave_upper)(lanes[i], lanes[i + FN_LANES / 2]);
        }
FN_UNROLL(16)
        for (size_t i = 0; i < FN_LANES; i++)
            lanes[i] = next[i];
    }
}

#if FN_VECTOR_BYTES == 64
#define FN_QUARTER (FN_LANES / 4)
/* In each quarter columns[j][i] = rows[i][j]. */
FN_INLINE void FN(transpose_quarters)(const vec rows[FN_QUARTER], vec columns[FN_QUARTER])
{
#if FN_BITS == 32
    const vec lower[2] = {FN(zip_lower)(rows[0], rows[1]), FN(zip_lower)(rows[2], rows[3])};
    const vec upper[2] = {FN(zip_upper)(rows[0], rows[1]), FN(zip_upper)(rows[2], rows[3])};
    columns[2] = FN(join_lower)(upper[0], upper[1]);
    columns[3] = FN(join_upper)(upper[0], upper[1]);
#else
    const vec *lower = rows;
#endif
    columns[0] = FN(join_lower)(lower[0], lower[1]);
    columns[1] = FN(join_upper)(lower[0], lower[1]);
}
#endif

/* The number of columns that are transposed together: with AVX-512 half a vector of them, since
 * loading halves saves a round of shuffles, and the last rounds stay within quarters. */
#define FN_TRANSPOSED (FN_VECTOR_BYTES == 64 ? FN_LANES / 2 : FN_LANES)

/* lanes[j][i] = from[i][j] for FN_TRANSPOSED columns j and i < rows; 0 for i >= rows. */
FN_INLINE void FN(transpose_columns)(size_t rows, const real *from, size_t stride, vec *lanes)
{
#if FN_VECTOR_BYTES == 64
    vec even[FN_QUARTER], odd[FN_QUARTER];
FN_UNROLL(4)
    for (size_t i = 0; i < FN_QUARTER; i++) {
        FN(half) part[4];
FN_UNROLL(4)
        for (size_t q = 0; q < 4; q++) {
            const size_t row = i + q * FN_QUARTER;
            part[q] = row < rows ? FN(load_half)(from + row * stride) : (FN(half)){0};
        }
        const vec a = FN(whole)(part[0], part[1]), b = FN(whole)(part[2], part[3]);
        even[i] = FN(even_quarters)(a, b);
        odd[i] = FN(odd_quarters)(a, b);
    }
    FN(transpose_quarters)(even, lanes);
    FN(transpose_quarters)(odd, lanes + FN_QUARTER);
#else
FN_UNROLL(16)
    for (size_t i = 0; i < FN_LANES; i++)
        lanes[i] = i < rows ? FN(load)(from + i * stride) : (vec){0};
    FN(transpose_lanes)(lanes);
#endif
}

/* The same for FN_LANES columns, a square. */
FN_INLINE void FN(transpose_square)(size_t rows, const real *from, size_t stride,
                                    vec lanes[FN_LANES])
{
FN_UNROLL(2)
    for (size_t j = 0; j < FN_LANES; j += FN_TRANSPOSED, from += FN_TRANSPOSED) {
        FN(transpose_columns)(rows, from, stride, lanes);
        lanes += FN_TRANSPOSED;
    }
}

/* to[j][i] = from[i][j]; pads of from and to are read and written. */
static FN_NOINLINE void FN(transpose)(size_t rows, size_t columns, const real *from,
                                      size_t from_stride, real *restrict to, size_t to_stride)
{
    for (size_t i = 0; i < rows; i += FN_LANES)
        for (size_t j = 0; j < columns; j += FN_TRANSPOSED) {
            vec lanes[FN_TRANSPOSED];
            FN(transpose_columns)(rows - i, from + i * from_stride + j, from_stride, lanes);
FN_UNROLL(16)
            for (size_t q = 0; q < FN_TRANSPOSED; q++)
                if (q < columns - j)
                    FN(store)(to + (j + q) * to_stride + i, lanes[q]);
        }
}

#endif
