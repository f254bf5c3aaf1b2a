/* Computes layers whose neurons fill at most half a vector, such as the outputs of a regression or
 * of few classes.
 *
 * The vectors of a tile run along the neurons of a layer, so a single neuron would fill one lane.
 * Here they run along the examples (forward) or the inputs (update), and squares of activations or
 * weights are transposed. The order of each sum is the same, so the bits are the same.
 *
 * Sums are kept in registers, so the loops over terms are compiled for each number of neurons and
 * vectors; the transpositions are compiled for each number of neurons. Measurements:
 * docs/tuning.md. */
#ifndef FASTNET_GEMM_NARROW_H
#define FASTNET_GEMM_NARROW_H

#include <stddef.h>

#include "core/check.h"
#include "fastnet.h"
#include "gemm/tile.h"
#include "gemm/transpose.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* The most neurons of such a layer. */
#define FN_NARROW (FN_LANES / 2)

/* The number of vectors of inputs whose sums for this number of neurons stay in registers. */
#define FN_NARROW_VECTORS(neurons) (FN_VECTOR_BYTES < 64 || (neurons) > 4 ? 2 : 4)
#define FN_MOST_NARROW_VECTORS 4

/* to[s][o] = sums[o][s] for n_out neurons o and m <= FN_LANES rows s; the other elements of a row's
 * first vector become 0. Inlined with constant n_out. */
FN_INLINE void FN(store_transposed)(const size_t n_out, const vec *sums, size_t m, real *to,
                                    size_t stride)
{
    vec lanes[FN_LANES];
    FN_OPAQUE(to);
FN_UNROLL(16)
    for (size_t o = 0; o < FN_LANES; o++)
        lanes[o] = o < n_out ? sums[o] : (vec){0};
    FN(transpose_lanes)(lanes);
FN_UNROLL(16)
    for (size_t s = 0; s < FN_LANES; s++)
        if (s < m)
            FN(store)(to + s * stride, lanes[s]);
}

/* c[s] = times b + sum_i a[s][i] w[i] for m <= FN_LANES examples. Inlined with constant n_out. */
FN_INLINE void FN(forward_along)(const size_t n_out, size_t m, const FN(product) *z,
                                 const real *biases, real times)
{
    _Alignas(64) real a[FN_DEPTH * FN_LANES];
    vec sums[FN_NARROW];
    const size_t n_in = z->k, stride = z->b_stride;
    const real *w = z->b;
FN_UNROLL(8)
    for (size_t o = 0; o < n_out; o++)
        sums[o] = FN(splat)(biases[o] * times);
    for (size_t i = 0; i < n_in; i += FN_DEPTH) {
        const size_t terms = n_in - i < FN_DEPTH ? n_in - i : FN_DEPTH;
        FN(transpose)(m, terms, z->a + i, z->a_row, a, FN_LANES);
        for (size_t k = 0; k < terms; k++, w += stride)
FN_UNROLL(8)
            for (size_t o = 0; o < n_out; o++)
                sums[o] = FN_FMA(FN(load)(a + k * FN_LANES), FN(splat)(w[o]), sums[o]);
    }
    FN(store_transposed)(n_out, sums, m, z->c, z->c_stride);
}

/* sums[o][v] += sum_s delta[s][o] a[s][v] for nv vectors of inputs, the first one at `a`. Inlined
 * with constant n_out and nv. */
FN_INLINE void FN(add_products)(const size_t n_out, const size_t nv, const FN(product) *w,
                                const real *a, vec sums[FN_NARROW][FN_MOST_NARROW_VECTORS])
{
    vec sum[FN_NARROW][FN_MOST_NARROW_VECTORS];
    const size_t a_stride = w->a_k, stride = w->b_stride;
    const real *delta = w->b;
FN_UNROLL(8)
    for (size_t o = 0; o < n_out; o++)
FN_UNROLL(4)
        for (size_t v = 0; v < nv; v++)
            sum[o][v] = sums[o][v];
    for (size_t s = w->k; s > 0; s--, a += a_stride, delta += stride)
FN_UNROLL(8)
        for (size_t o = 0; o < n_out; o++)
FN_UNROLL(4)
            for (size_t v = 0; v < nv; v++)
                sum[o][v] = FN_FMA(FN(load)(a + v * FN_LANES), FN(splat)(delta[o]), sum[o][v]);
FN_UNROLL(8)
    for (size_t o = 0; o < n_out; o++)
FN_UNROLL(4)
        for (size_t v = 0; v < nv; v++)
            sums[o][v] = sum[o][v];
}

/* w[i] += sum_s a[s][i] delta[s] for nv vectors of inputs from `first` on, as far as they are below
 * n_in; whole vectors of `a` are read. Inlined with constant n_out. */
FN_INLINE void FN(update_along)(const size_t n_out, size_t nv, size_t first, size_t n_in,
                                const FN(product) *w)
{
    _Alignas(64) vec sums[FN_NARROW][FN_MOST_NARROW_VECTORS];
    vec lanes[FN_LANES];
    const size_t stride = w->c_stride;
    const real *a = w->a + first;
    for (size_t v = 0, i = first; v < nv; v++, i += FN_LANES) {
        const real *rows = w->c + i * stride;
        FN_OPAQUE(rows);
        FN(transpose_columns)(n_in - i, rows, stride, lanes);
FN_UNROLL(8)
        for (size_t o = 0; o < n_out; o++)
            sums[o][v] = lanes[o];
    }
    switch (nv) {
#define FN_CASE(nv)                                                                               \
    case nv:                                                                                      \
        if (nv <= FN_NARROW_VECTORS(n_out))                                                       \
            FN(add_products)(n_out, nv, w, a, sums);                                              \
        break;
    FN_CASE(1) FN_CASE(2) FN_CASE(3) FN_CASE(4)
#undef FN_CASE
    }
    for (size_t v = 0, i = first; v < nv; v++, i += FN_LANES) {
FN_UNROLL(8)
        for (size_t o = 0; o < n_out; o++)
            lanes[o] = sums[o][v];
        FN(store_transposed)(n_out, lanes, n_in - i, w->c + i * stride, stride);
    }
}

#define FN_EACH_NARROW(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8)

/* c[s] = times b + sum_i a[s][i] w[i] for whole vectors of the m examples, and for the last vector
 * if the examples fill at least half of it. Returns the number of examples computed. */
static size_t FN(forward_narrow)(size_t m, size_t n_out, const FN(product) *whole,
                                 const real *biases, real times)
{
    FN(product) z = *whole;
    size_t s = 0;
    FN_ASSERT(n_out >= 1 && n_out <= FN_NARROW);
    for (size_t rows; m - s >= FN_LANES / 2; s += rows) {
        rows = m - s < FN_LANES ? m - s : FN_LANES;
        switch (n_out) {
#define FN_CASE(n)                                                                                \
        case n:                                                                                   \
            if (n <= FN_NARROW)                                                                   \
                FN(forward_along)(n, rows, &z, biases, times);                                    \
            break;
        FN_EACH_NARROW(FN_CASE)
#undef FN_CASE
        }
        z.a += rows * z.a_row, z.c += rows * z.c_stride;
    }
    return s;
}

/* w[i] += sum_s a[s][i] delta[s] for n_in inputs, the rows of the product. */
static void FN(update_narrow)(size_t n_in, size_t n_out, const FN(product) *w)
{
    const size_t vectors = (n_in + FN_LANES - 1) / FN_LANES;
    FN_ASSERT(n_out >= 1 && n_out <= FN_NARROW);
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next_part(vectors - v, FN_NARROW_VECTORS(n_out));
        switch (n_out) {
#define FN_CASE(n)                                                                                \
        case n:                                                                                   \
            if (n <= FN_NARROW)                                                                   \
                FN(update_along)(n, nv, v * FN_LANES, n_in, w);                                   \
            break;
        FN_EACH_NARROW(FN_CASE)
#undef FN_CASE
        }
    }
}

#endif
