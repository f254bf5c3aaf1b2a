/* Layers whose neurons fill half a vector: outputs of a regression, of few classes.
 *
 * The vectors of a tile run along the neurons of a layer, and a single neuron fills one lane. Here
 * they run along the examples (forward) or inputs (update), and squares of activations or weights
 * are transposed in registers. The order of each sum is the same, so the bits are, too.
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_GEMM_NARROW_H
#define FASTNET_GEMM_NARROW_H

#include <stddef.h>

#include "core/check.h"
#include "fastnet.h"
#include "gemm/tile.h"
#include "gemm/transpose.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Neurons at most. */
#define FN_NARROW (FN_LANES / 2)

/* Vectors of inputs whose sums for so many neurons stay in registers. */
#define FN_NARROW_VECTORS(neurons) (FN_VECTOR_BYTES < 64 || (neurons) > 4 ? 2 : 4)
#define FN_MOST_NARROW_VECTORS 4

/* z[s] = times b + sum_i a[s][i] w[i] of one vector of examples at most; n_out is constant. */
FN_INLINE void FN(weighted_input_along)(const size_t n_out, size_t m, size_t n_in, const real *a,
                                        size_t a_stride, const real *weights, size_t stride,
                                        const real *biases, real times, real *restrict z,
                                        size_t z_stride)
{
    vec sums[FN_LANES], lanes[FN_LANES];
FN_UNROLL(8)
    for (size_t o = 0; o < n_out; o++)
        sums[o] = FN(splat)(biases[o] * times);
    for (size_t i = 0; i < n_in; i += FN_LANES) {
        FN(transpose_square)(m, a + i, a_stride, lanes);
FN_UNROLL(16)
        for (size_t q = 0; q < FN_LANES; q++)
            if (q < n_in - i)
FN_UNROLL(8)
                for (size_t o = 0; o < n_out; o++)
                    sums[o] = FN_FMA(lanes[q], FN(splat)(weights[(i + q) * stride + o]), sums[o]);
    }
FN_UNROLL(16)
    for (size_t o = n_out; o < FN_LANES; o++)
        sums[o] = (vec){0};
    FN(transpose_lanes)(sums);
FN_UNROLL(16)
    for (size_t s = 0; s < FN_LANES; s++)
        if (s < m)
            FN(store)(z + s * z_stride, sums[s]);
}

/* w[i] += sum_s a[s][i] delta[s] for n_in inputs in nv vectors, which are read whole; n_out and nv
 * are constant. */
FN_INLINE void FN(update_along)(const size_t n_out, const size_t nv, size_t m, size_t n_in,
                                const real *a, size_t a_stride, const real *delta, size_t stride,
                                real *restrict weights)
{
    vec sums[FN_NARROW][FN_MOST_NARROW_VECTORS], lanes[FN_LANES];
FN_UNROLL(4)
    for (size_t v = 0; v < nv; v++) {
        FN(transpose_square)(n_in - v * FN_LANES, weights + v * FN_LANES * stride, stride, lanes);
FN_UNROLL(8)
        for (size_t o = 0; o < n_out; o++)
            sums[o][v] = lanes[o];
    }
    for (size_t s = 0; s < m; s++, a += a_stride, delta += stride)
FN_UNROLL(8)
        for (size_t o = 0; o < n_out; o++)
FN_UNROLL(4)
            for (size_t v = 0; v < nv; v++)
                sums[o][v] = FN_FMA(FN(load)(a + v * FN_LANES), FN(splat)(delta[o]), sums[o][v]);
FN_UNROLL(4)
    for (size_t v = 0; v < nv; v++) {
FN_UNROLL(16)
        for (size_t o = 0; o < FN_LANES; o++)
            lanes[o] = o < n_out ? sums[o][v] : (vec){0};
        FN(transpose_lanes)(lanes);
FN_UNROLL(16)
        for (size_t q = 0; q < FN_LANES; q++)
            if (q < n_in - v * FN_LANES)
                FN(store)(weights + (v * FN_LANES + q) * stride, lanes[q]);
    }
}

#define FN_EACH_NARROW(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8)

/* c[s] = times * b + sum_i a[s][i] w[i] for the m examples of the product, in whole vectors and a
 * last one if it is at least half full; returns the number of examples computed. */
static size_t FN(forward_narrow)(size_t m, size_t n_out, const FN(product) *z, const real *biases,
                                 real times)
{
    size_t s = 0;
    FN_ASSERT(n_out >= 1 && n_out <= FN_NARROW);
    for (size_t rows; m - s >= FN_LANES / 2; s += rows) {
        rows = m - s < FN_LANES ? m - s : FN_LANES;
        switch (n_out) {
#define FN_CASE(n)                                                                                \
        case n:                                                                                   \
            if (n <= FN_NARROW)                                                                   \
                FN(weighted_input_along)(n, rows, z->k, z->a + s * z->a_row, z->a_row, z->b,      \
                                         z->b_stride, biases, times, z->c + s * z->c_stride,      \
                                         z->c_stride);                                            \
            break;
        FN_EACH_NARROW(FN_CASE)
#undef FN_CASE
        }
    }
    return s;
}

/* w[i] += sum_s a[s][i] delta[s] for n_in inputs. */
static void FN(update_narrow)(size_t n_in, size_t n_out, const FN(product) *w)
{
    const size_t m = w->k, a_stride = w->a_k, stride = w->b_stride; const real *a = w->a, *delta = w->b; real *weights = w->c;
    const size_t vectors = (n_in + FN_LANES - 1) / FN_LANES;
    FN_ASSERT(n_out >= 1 && n_out <= FN_NARROW);
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, FN_NARROW_VECTORS(n_out));
        const size_t i = v * FN_LANES;
        switch (FN_MOST_NARROW_VECTORS * n_out + nv) {
#define FN_CASE_OF(n, vectors)                                                                    \
        case FN_MOST_NARROW_VECTORS * n + vectors:                                                \
            if (n <= FN_NARROW && vectors <= FN_NARROW_VECTORS(n))                           \
                FN(update_along)(n, vectors, m, n_in - i, a + i, a_stride, delta, stride,         \
                                 weights + i * stride);                                           \
            break;
#define FN_CASE(n) FN_CASE_OF(n, 1) FN_CASE_OF(n, 2) FN_CASE_OF(n, 3) FN_CASE_OF(n, 4)
        FN_EACH_NARROW(FN_CASE)
#undef FN_CASE
#undef FN_CASE_OF
        }
    }
}

#endif
