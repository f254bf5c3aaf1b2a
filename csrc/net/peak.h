/* Measures peak arithmetic throughput: a loop of multiply-adds only. bench/ divides the number of
 * operations of a job by this throughput. Networks do not use it. */
#ifndef FASTNET_NET_PEAK_H
#define FASTNET_NET_PEAK_H

#include <stddef.h>

#include "fastnet.h"
#include "gemm/tile_sizes.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Repeat sums[i] = sums[i] / 2 + 1/2 n times. There are as many independent vectors as the register
 * tile has accumulators, all in registers: more than are needed to hide the latency of a
 * multiply-add. Reads and writes FN_SUMS_BYTES at most. Returns the number of floating-point
 * operations, two for each multiply-add. */
static double FN(fma_rounds)(size_t n, real *sums)
{
    enum { VECTORS = 2 * FN_TILE_ROWS };
    _Static_assert(VECTORS * FN_VECTOR_BYTES <= FN_SUMS_BYTES, "the caller's array is too short");
    const vec half = FN(splat)((real)0.5);
    vec sum[VECTORS];
FN_UNROLL(28)
    for (size_t v = 0; v < VECTORS; v++)
        sum[v] = FN(load)(sums + v * FN_LANES);
    for (size_t round = 0; round < n; round++)
FN_UNROLL(28)
        for (size_t v = 0; v < VECTORS; v++)
            sum[v] = FN_FMA(sum[v], half, half);
FN_UNROLL(28)
    for (size_t v = 0; v < VECTORS; v++)
        FN(store)(sums + v * FN_LANES, sum[v]);
    return 2.0 * VECTORS * FN_LANES * (double)n;
}

#endif
