/* A layer's three steps: weighted input, back-propagated error, update. The
 * forms with `columns` serve the first layer: of a's n_in columns the first
 * n_columns are filled, and column c stands for input columns[c]; NULL stands
 * for all n_in inputs.
 *
 * All weights are input-major. A small output layer as [n_out][n_in] would save the
 * transpositions of backpropagate and of narrow updates and need some in the forward step. */
#ifndef FASTNET_NET_LAYER_H
#define FASTNET_NET_LAYER_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "core/plan.h"
#include "fastnet.h"
#include "gemm/large.h"
#include "gemm/narrow.h"
#include "gemm/tile.h"
#include "gemm/transpose.h"
#include "ops/activation.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Row stride of activations that tiles read as A: 16 bytes more than whole cache lines, so that
 * the elements of one column in a tile's rows lie in different banks of the L1 cache. */
FN_INLINE size_t FN(a_stride)(size_t n) { return fn_stride(n, sizeof(real)) + 16 / sizeof(real); }

/* z[s] = times b, pads among them. */
static void FN(start_from_biases)(size_t m, size_t n_out, const real *biases, real times,
                                  real *restrict z, size_t z_stride)
{
    for (size_t o = 0; o < fn_lines(n_out, sizeof(real)); o += FN_LANES) {
        const vec start = FN(load)(biases + o) * times;
        for (size_t s = 0; s < m; s++)
            FN(store)(z + s * z_stride + o, start);
    }
}

/* b = b + times sum_s delta[s] */
static void FN(update_biases)(size_t m, size_t n_out, size_t stride, const real *delta, real times,
                              real *restrict biases)
{
    for (size_t o = 0; o < n_out; o += FN_LANES) {
        vec sum = FN(load)(biases + o);
        for (size_t s = 0; s < m; s++)
            sum = FN_FMA(FN(splat)(times), FN(load)(delta + s * stride + o), sum);
        FN(store)(biases + o, sum);
    }
}

/* Kernels that no plan selects for this vector size (thresholds.def) are not compiled. */
#define FN_HAS_LARGE (FN_VECTOR_BYTES == 64)
#define FN_HAS_NARROW_FORWARD (FN_LANES >= 16)
#define FN_HAS_NARROW_UPDATE (FN_LANES >= 8)

/* c[s] = times b + sum_i a[s][i] w[i] (z^l = w^l a^(l-1) + b^l) for m rows and n_out columns of the
 * product, as the layer's plan says. scratch: FN_LARGE_SIZE elements for FN_FORWARD_LARGE. The
 * narrow kernel needs consecutive rows of weights, so with b_rows narrow layers use tiles. */
FN_INLINE void FN(weighted_input_of)(size_t m, size_t n_out, FN(product) z, const real *biases,
                                     real times, const fn_layer_plan *layer, real *scratch)
{
    FN_ASSERT(FN_HAS_NARROW_FORWARD || layer->forward != FN_FORWARD_NARROW);
    FN_ASSERT(FN_HAS_LARGE || layer->forward != FN_FORWARD_LARGE);
    if (FN_HAS_NARROW_FORWARD && layer->forward == FN_FORWARD_NARROW && !z.b_rows) {
        const size_t s = FN(weighted_input_narrow)(m, n_out, &z, biases, times);
        z.a += s * z.a_row, z.c += s * z.c_stride, m -= s;
    }
    FN(start_from_biases)(m, n_out, biases, times, z.c, z.c_stride);
    if (m == 0)
        return;
    if (FN_HAS_LARGE && layer->forward == FN_FORWARD_LARGE)
        FN(multiply_large)(m, n_out, &z, 0, scratch);
    else
        FN(multiply)(m, n_out, &z, NULL, layer->prefetch_terms);
}

/* w[i] += sum_s a[s][i] delta[s], as the layer's plan says; scratch: as update_scratch says; a is
 * readable a vector behind its last row. */
FN_INLINE void FN(update_of)(size_t m, size_t n_columns, const uint32_t *columns, size_t n_out,
                             const real *a, size_t a_stride, const real *delta,
                             real *restrict weights, const fn_layer_plan *layer, real *scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    const FN(product) whole = {.k = m, .a = a, .a_row = 1, .a_k = a_stride, .b = delta,
                               .b_stride = stride, .c = weights, .c_stride = stride,
                               .c_rows = columns};
    FN_ASSERT(m > 0 && n_columns > 0 && a_stride >= n_columns);
    switch (layer->update) {
    case FN_UPDATE_NARROW:
        FN_ASSERT(FN_HAS_NARROW_UPDATE);
        if (columns || !FN_HAS_NARROW_UPDATE)
            break;
        FN(update_narrow)(m, n_columns, n_out, a, a_stride, delta, stride, weights);
        return;
    case FN_UPDATE_LARGE:
        FN_ASSERT(FN_HAS_LARGE);
        if (!FN_HAS_LARGE)
            break;
        FN(multiply_large)(n_columns, n_out, &whole, 0, scratch);
        return;
    case FN_UPDATE_TILES: case FN_UPDATE_PACKED:
        break;
    case FN_UPDATE_NONE: case FN_UPDATE_LISTS: case FN_UPDATE_BLOCKS:
        FN_ASSERT(!"the plan of a dense layer");
    }
    FN(multiply)(n_columns, n_out, &whole, layer->update == FN_UPDATE_PACKED ? scratch : NULL,
                 layer->prefetch_terms);
}

FN_INLINE vec FN(slope_at)(const fn_activation neurons, const real *a, const real *delta)
{
    return a ? FN(slope_from_activation)(neurons, FN(load)(a)) : FN(load)(delta);
}

/* delta_below[s][i] = error[s][i] f'(z[s][i]), the slope from the activation or, where a is
 * NULL, from delta_below itself; transposed: error[i][s]. Inlined with constant neurons and
 * transposed. */
FN_INLINE void FN(activation_backward_as)(const fn_activation neurons, const int transposed, size_t m,
                                   size_t n_in, const real *error, size_t stride, const real *a,
                                   size_t a_stride, real *delta_below, size_t below)
{
    if (!transposed) {
        for (size_t s = 0; s < m; s++)
            for (size_t i = 0; i < n_in; i += FN_LANES) {
                real *delta = delta_below + s * below + i;
                const vec slope = FN(slope_at)(neurons, a ? a + s * a_stride + i : NULL, delta);
                FN(store)(delta, FN(first_lanes)(n_in - i, FN(load)(error + s * stride + i) * slope));
            }
        return;
    }
    for (size_t i = 0; i < n_in; i += FN_LANES)
        for (size_t s = 0; s < m; s += FN_LANES) {
            vec lanes[FN_LANES];
            FN(transpose_square)(n_in - i, error + i * stride + s, stride, lanes);
FN_UNROLL(16)
            for (size_t q = 0; q < FN_LANES; q++)
                if (q < m - s) {
                    const real *own = a ? a + (s + q) * a_stride + i : NULL;
                    real *delta = delta_below + (s + q) * below + i;
                    const vec slope = FN(slope_at)(neurons, own, delta);
                    FN(store)(delta, FN(first_lanes)(n_in - i, lanes[q] * slope));
                    /* rows are far apart where they are long */
                    __builtin_prefetch(delta + FN_LANES, 1, 2);
                    if (a)
                        __builtin_prefetch(own + FN_LANES, 0, 2);
                }
        }
}

static void FN(activation_backward)(fn_activation neurons, const int transposed, size_t m, size_t n_in,
                        const real *error, size_t stride, const real *a, size_t a_stride,
                        real *delta_below, size_t below)
{
#define FN_BACKWARD(neurons, a)                                                                   \
    if (transposed)                                                                               \
        FN(activation_backward_as)(neurons, 1, m, n_in, error, stride, a, a_stride, delta_below, below); \
    else                                                                                         \
        FN(activation_backward_as)(neurons, 0, m, n_in, error, stride, a, a_stride, delta_below, below)
#define FN_BACK_FROM_ACTIVATION(neurons) FN_BACKWARD(neurons, a)
#define FN_BACK_KEPT(neurons) FN_NOT_REACHED()
#define FN_BACK_NO_SLOPE(neurons) FN_NOT_REACHED()
#define FN_BACK_OF_LAYER(neurons) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) \
        case FN_##NAME: neurons.kind = FN_##NAME; FN_BACK_##slope(neurons); break;
    if (!a) {
        FN_BACKWARD(neurons, NULL); /* any kind: the slopes are in delta_below */
    } else {
        switch (neurons.kind) {
#include "api/activations.def"
        }
    }
#undef ACTIVATION
#undef FN_BACK_FROM_ACTIVATION
#undef FN_BACK_KEPT
#undef FN_BACK_NO_SLOPE
#undef FN_BACK_OF_LAYER
#undef FN_BACKWARD
    const size_t from = (n_in + FN_LANES - 1) / FN_LANES * FN_LANES, to = fn_lines(n_in, sizeof(real));
    for (size_t s = 0; s < m && from < to; s++)
        for (size_t i = from; i < to; i += FN_LANES)
            FN(store)(delta_below + s * below + i, (vec){0});
}

/* Scratch elements for back-propagating the errors of error_examples at once: copies and
 * transposes. */
static size_t FN(error_scratch)(const fn_layer_plan *layer, size_t n_in, size_t n_out)
{
    const size_t across = fn_stride(layer->error_examples, sizeof(real));
    const size_t transposed = (n_in + n_out) * across;
    const size_t untransposed = layer->error_examples * fn_stride(n_in, sizeof(real));
    size_t size = transposed > untransposed ? transposed : untransposed;
    if (layer->error == FN_ERROR_NONE)
        return 0;
    if (layer->error == FN_ERROR_LARGE)
        size = transposed + FN_LARGE_SIZE;
    else if (layer->error == FN_ERROR_PACKED || layer->error_of_rest == FN_ERROR_PACKED)
        size = transposed + FN_PACKED_SIZE;
    return size > untransposed ? size : untransposed;
}

/* Scratch elements for the forward step and the update. */
static size_t FN(update_scratch)(const fn_layer_plan *layer)
{
    if (layer->update == FN_UPDATE_LARGE || layer->forward == FN_FORWARD_LARGE)
        return FN_LARGE_SIZE;
    return layer->update == FN_UPDATE_PACKED ? FN_PACKED_SIZE : 0;
}

static size_t FN(layer_scratch)(const fn_layer_plan *layer, size_t n_in, size_t n_out)
{
    const size_t error = FN(error_scratch)(layer, n_in, n_out), update = FN(update_scratch)(layer);
    return error > update ? error : update;
}

/* error[s][i] = sum_o w[i][o] delta[s][o]; w is transposed in registers, a square at a time. */
static void FN(multiply_transposed)(size_t m, size_t n_in, size_t n_out, const real *weights,
                                const real *delta, size_t stride, real *restrict error, size_t row)
{
    for (size_t i = 0; i < n_in; i += FN_LANES)
        for (size_t o = 0; o < n_out; o += FN_LANES) {
            vec lanes[FN_LANES];
            FN(transpose_square)(n_in - i, weights + i * stride + o, stride, lanes);
            for (size_t s = 0; s < m; s++) {
                const real *left = delta + s * stride + o;
                vec sum = o ? FN(load)(error + s * row + i) : (vec){0};
FN_UNROLL(16)
                for (size_t q = 0; q < FN_LANES; q++)
                    if (q < n_out - o)
                        sum = FN_FMA(FN(splat)(left[q]), lanes[q], sum);
                FN(store)(error + s * row + i, sum);
            }
        }
}

/* error[s][i] = sum_o w[i][o] delta[s][o], zero before, by large tiles; w is transposed as it is
 * copied. */
static void FN(multiply_error)(size_t m, size_t n_in, size_t n_out, const real *weights,
                               const real *delta, size_t stride, real *error, size_t row, real *packed)
{
    const FN(product) whole = {.k = n_out, .a = delta, .a_row = stride, .a_k = 1, .b = weights,
                               .b_stride = stride, .c = error, .c_stride = row};
    memset(error, 0, m * row * sizeof(real));
    FN(multiply_large)(m, n_in, &whole, 1, packed);
}

/* delta_below[s][i] = (sum_o w[i][o] delta[s][o]) f'(z[s][i]), see activation_backward, for at most
 * error_examples.
 * The sum runs along a row of w. So either w is transposed, or the vectors run over the examples:
 * delta is transposed, multiplied and the result transposed back. The pads of `columns` affect
 * only the pads of `error`.
 * below: the stride of delta_below, of which n_in columns may be a part of the layer.
 * scratch: error_scratch elements. */
static void FN(backpropagate_some)(fn_activation neurons, size_t m, size_t n_in, size_t n_out,
                                   const real *weights, const real *delta, const real *a,
                                   size_t a_stride, real *restrict delta_below, size_t below,
                                   const fn_error_way way, const fn_layer_plan *layer,
                                   real *restrict scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real)), across = fn_stride(m, sizeof(real));
    const size_t row = fn_stride(n_in, sizeof(real));
    real *columns = scratch, *error = columns + n_out * across, *packed = error + n_in * across;
    FN_ASSERT(m > 0 && m <= layer->error_examples && below >= n_in);
    FN_ASSERT(FN_HAS_LARGE || way != FN_ERROR_LARGE);
    if ((FN_HAS_LARGE && way == FN_ERROR_LARGE) || way == FN_ERROR_TRANSPOSED) {
        error = scratch; /* [m][row]; in large layers n_out is more than row - n_in */
        if (FN_HAS_LARGE && way == FN_ERROR_LARGE)
            FN(multiply_error)(m, n_in, n_out, weights, delta, stride, error, row, packed);
        else
            FN(multiply_transposed)(m, n_in, n_out, weights, delta, stride, error, row);
        FN(activation_backward)(neurons, 0, m, n_in, error, row, a, a_stride, delta_below, below);
        return;
    }
    FN(transpose)(m, n_out, delta, stride, columns, across);
    memset(error, 0, n_in * across * sizeof(real));
    FN(multiply)(n_in, m, &(FN(product)){.k = n_out, .a = weights, .a_row = stride, .a_k = 1,
                                         .b = columns, .b_stride = across, .c = error,
                                         .c_stride = across},
                 way == FN_ERROR_PACKED ? packed : NULL, layer->error_prefetch_terms);
    FN(activation_backward)(neurons, 1, m, n_in, error, across, a, a_stride, delta_below, below);
}

/* backpropagate_some for any number of examples, as the layer's plan says. */
static void FN(backpropagate_of)(fn_activation neurons, size_t m, size_t n_in, size_t n_out,
                                 const real *weights, const real *delta, const real *a,
                                 size_t a_stride, real *delta_below, size_t below,
                                 const fn_layer_plan *layer, real *scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real)), most = layer->error_examples;
    for (size_t s = 0, some; s < m; s += some) {
        some = m - s < most ? m - s : most;
        FN(backpropagate_some)(neurons, some, n_in, n_out, weights, delta + s * stride,
                               a ? a + s * a_stride : NULL, a_stride, delta_below + s * below, below,
                               some == most ? layer->error : layer->error_of_rest, layer, scratch);
    }
}

/* The three steps as separate kernels, for tests and benchmarks, planned for a single layer. */

FN_INLINE fn_layer_plan FN(plan_of)(size_t m, size_t n_in, size_t n_out)
{
    return fn_plan_layer(FN_BITS == 32 ? FN_F32 : FN_F64, FN_TARGET, fn_this_processor(), m, n_in,
                         n_out);
}

/* Elements of scratch memory for all three. */
static size_t FN(scratch_size)(size_t m, size_t n_in, size_t n_out)
{
    const fn_layer_plan layer = FN(plan_of)(m, n_in, n_out);
    return FN(layer_scratch)(&layer, n_in, n_out);
}

static void FN(weighted_input)(size_t m, size_t n_in, size_t n_out, const real *a,
                               const real *weights, const real *biases, real *z, real *scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    const FN(product) whole = {.k = n_in, .a = a, .a_row = fn_stride(n_in, sizeof(real)), .a_k = 1,
                               .b = weights, .b_stride = stride, .c = z, .c_stride = stride};
    const fn_layer_plan layer = FN(plan_of)(m, n_in, n_out);
    FN_ASSERT(((uintptr_t)a | (uintptr_t)weights | (uintptr_t)biases | (uintptr_t)z) % 64 == 0);
    FN_ASSERT(fn_are_apart(z, m * stride * sizeof(real), a, m * whole.a_row * sizeof(real)));
    FN_ASSERT(fn_are_apart(z, m * stride * sizeof(real), weights, n_in * stride * sizeof(real)));
    FN(weighted_input_of)(m, n_out, whole, biases, 1, &layer, scratch);
}

static void FN(backpropagate)(fn_activation neurons, size_t m, size_t n_in, size_t n_out,
                              const real *weights, const real *delta, const real *a,
                              real *delta_below, real *scratch)
{
    const size_t below = fn_stride(n_in, sizeof(real));
    const fn_layer_plan layer = FN(plan_of)(m, n_in, n_out);
    FN_ASSERT(((uintptr_t)weights | (uintptr_t)delta | (uintptr_t)a | (uintptr_t)delta_below) % 64 == 0);
    FN_ASSERT(!a || fn_are_apart(a, m * below * sizeof(real), delta_below, m * below * sizeof(real)));
    FN_ASSERT(!a || !fn_activations[neurons.kind].keeps_slope);
    FN(backpropagate_of)(neurons, m, n_in, n_out, weights, delta, a, below, delta_below, below,
                         &layer, scratch);
}

static void FN(update)(size_t m, size_t n_in, size_t n_out, const real *a, const real *delta,
                       double l2, double l1, real *weights, real *biases, real *scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    const fn_layer_plan layer = FN(plan_of)(m, n_in, n_out);
    FN_ASSERT(((uintptr_t)a | (uintptr_t)delta | (uintptr_t)weights | (uintptr_t)biases) % 64 == 0);
    FN_ASSERT(fn_are_apart(weights, n_in * stride * sizeof(real), delta, m * stride * sizeof(real)));
    FN(decay)(n_in, n_out, stride, (real)l2, (real)l1, weights);
    FN(update_of)(m, n_in, NULL, n_out, a, fn_stride(n_in, sizeof(real)), delta, weights, &layer,
                  scratch);
    FN(update_biases)(m, n_out, stride, delta, 1, biases);
}

#endif
