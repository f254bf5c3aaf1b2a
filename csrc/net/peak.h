/* Peak arithmetic throughput: a loop of multiply-adds and nothing else. bench/ divides the
 * number of operations of a job by its speed. Networks do not use it. */
#ifndef FASTNET_NET_PEAK_H
#define FASTNET_NET_PEAK_H

#include <stddef.h>

#include "fastnet.h"
#include "gemm/tile_sizes.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* sums[i] = sums[i] / 2 + 1/2, n times over, for as many independent vectors as the
 * register tile has sums, all of them in registers: more than the latency of a
 * multiply-add needs. Reads and writes FN_SUMS_BYTES at most; returns the
 * floating-point operations done, two for each multiply-add. */
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
