/* A layer's three steps: weighted input, back-propagated error, update.
 *
 * All weights are input-major. If those of a small output layer were [n_out][n_in], backpropagate
 * and the narrow update would not transpose, but the forward step would. */
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

/* z[s] = times b, including pads. */
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
 * product, as the layer's plan says; with b_rows, inputs were left out. scratch: FN_LARGE_SIZE
 * elements for FN_FORWARD_LARGE. */
FN_INLINE void FN(forward_product)(size_t m, size_t n_out, FN(product) z, const real *biases,
                                   real times, const fn_layer_plan *layer, real *scratch)
{
    const fn_forward_kernel kernel = z.b_rows ? layer->forward_of_kept : layer->forward;
    FN_ASSERT(kernel != FN_FORWARD_NARROW || (FN_HAS_NARROW_FORWARD && !z.b_rows));
    FN_ASSERT(FN_HAS_LARGE || kernel != FN_FORWARD_LARGE);
    if (FN_HAS_NARROW_FORWARD && kernel == FN_FORWARD_NARROW) {
        const size_t s = FN(forward_narrow)(m, n_out, &z, biases, times);
        z.a += s * z.a_row, z.c += s * z.c_stride, m -= s;
    }
    FN(start_from_biases)(m, n_out, biases, times, z.c, z.c_stride);
    if (m == 0)
        return;
    if (FN_HAS_LARGE && kernel == FN_FORWARD_LARGE)
        FN(multiply_large)(m, n_out, &z, 0, scratch);
    else
        FN(multiply)(m, n_out, &z, NULL, layer->prefetch_terms);
}

/* w[i] += sum_s a[s][i] delta[s] for n_in inputs, the rows of the product, and n_out columns, as
 * the layer's plan says; with c_rows, inputs were left out. scratch: update_scratch elements. One
 * vector after the last row of a must be readable. */
FN_INLINE void FN(update_product)(size_t n_in, size_t n_out, const FN(product) *w,
                                  const fn_layer_plan *layer, real *scratch)
{
    FN_ASSERT(w->k > 0 && n_in > 0 && w->a_row == 1 && w->a_k >= n_in);
    const fn_update_kernel kernel = w->c_rows ? layer->update_of_kept : layer->update;
    switch (kernel) {
    case FN_UPDATE_NARROW:
        FN_ASSERT(FN_HAS_NARROW_UPDATE && !w->c_rows);
        if (!FN_HAS_NARROW_UPDATE)
            break;
        FN(update_narrow)(n_in, n_out, w);
        return;
    case FN_UPDATE_LARGE:
        FN_ASSERT(FN_HAS_LARGE);
        if (!FN_HAS_LARGE)
            break;
        FN(multiply_large)(n_in, n_out, w, 0, scratch);
        return;
    case FN_UPDATE_TILES: case FN_UPDATE_PACKED:
        break;
    case FN_UPDATE_NONE: case FN_UPDATE_LISTS: case FN_UPDATE_BLOCKS:
        FN_ASSERT(!"the plan of a dense layer");
    }
    FN(multiply)(n_in, n_out, w, kernel == FN_UPDATE_PACKED ? scratch : NULL,
                 layer->prefetch_terms);
}

/* The arguments of back-propagation, which computes a layer's errors from those of the layer above:
 *     below[s][i] = (sum_o w[i][o] delta[s][o]) f'(z[s][i])
 * for m examples, n_in neurons and n_out above. */
typedef struct {
    size_t m, n_in, n_out;
    fn_activation neurons;
    const real *weights, *delta;    /* [n_in][fn_stride(n_out)], [m][fn_stride(n_out)] */
    const real *a;                  /* [m][a_stride], or NULL: f'(z) is in `below` */
    size_t a_stride;
    real *below;                    /* [m][below_stride]; a row may have more than n_in neurons */
    size_t below_stride;
} FN(backpropagation);

/* Returns f'(z) of a vector of neurons, from a, or, where a is NULL, from delta, which holds it. */
FN_INLINE vec FN(slope_at)(const fn_activation neurons, const real *a, const real *delta)
{
    return a ? FN(slope_from_activation)(neurons, FN(load)(a)) : FN(load)(delta);
}

/* below[s][i] = error[s][i] f'(z[s][i]), or error[i][s] f'(z[s][i]) if `transposed`. has_a: f'(z)
 * is computed from p->a; else `below` holds it before. Inlined with constant neurons, transposed
 * and has_a. */
FN_INLINE void FN(activation_backward_as)(const fn_activation neurons, const int transposed,
                                          const int has_a, const FN(backpropagation) *p,
                                          const real *error, size_t stride)
{
    const size_t m = p->m, n_in = p->n_in, a_stride = p->a_stride, below_stride = p->below_stride;
    const real *a = p->a;
    real *below = p->below;
    if (!transposed) {
        for (size_t s = 0; s < m; s++)
            for (size_t i = 0; i < n_in; i += FN_LANES) {
                real *delta = below + s * below_stride + i;
                const vec slope = FN(slope_at)(neurons, has_a ? a + s * a_stride + i : NULL, delta);
                const vec product = FN(load)(error + s * stride + i) * slope;
                FN(store)(delta, FN(first_lanes)(n_in - i, product));
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
                    const real *own = has_a ? a + (s + q) * a_stride + i : NULL;
                    real *delta = below + (s + q) * below_stride + i;
                    const vec slope = FN(slope_at)(neurons, own, delta);
                    FN(store)(delta, FN(first_lanes)(n_in - i, lanes[q] * slope));
                    /* for the next i, which comes after all other rows */
                    FN_PREFETCH(delta, FN_LANES, 1, 2);
                    if (has_a)
                        FN_PREFETCH(own, FN_LANES, 0, 2);
                }
        }
}

/* Call activation_backward_as for the kind of p->neurons, and set the pads of `below` to zero. */
static void FN(activation_backward)(const int transposed, const FN(backpropagation) *p,
                                    const real *error, size_t stride)
{
#define FN_BACKWARD(has_a)                                                                        \
    if (transposed)                                                                               \
        FN(activation_backward_as)(neurons, 1, has_a, p, error, stride);                          \
    else                                                                                          \
        FN(activation_backward_as)(neurons, 0, has_a, p, error, stride)
#define FN_BACK_FROM_ACTIVATION() FN_BACKWARD(1)
#define FN_BACK_KEPT() FN_NOT_REACHED()
#define FN_BACK_OF_LAYER() FN_NOT_REACHED()
#define FN_BACK_HIDDEN(slope) FN_BACK_##slope()
#define FN_BACK_HIDDEN_AND_OUTPUT FN_BACK_HIDDEN
#define FN_BACK_OUTPUT(slope) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) \
        case FN_##NAME: neurons.kind = FN_##NAME; FN_BACK_##role(slope); break;
    fn_activation neurons = p->neurons;
    if (!p->a) {
        FN_BACKWARD(0); /* any kind: the slopes are in `below` */
    } else {
        switch (neurons.kind) {
#include "api/activations.def"
        }
    }
#undef ACTIVATION
#undef FN_BACK_FROM_ACTIVATION
#undef FN_BACK_KEPT
#undef FN_BACK_OF_LAYER
#undef FN_BACK_HIDDEN
#undef FN_BACK_HIDDEN_AND_OUTPUT
#undef FN_BACK_OUTPUT
#undef FN_BACKWARD
    const size_t m = p->m, from = (p->n_in + FN_LANES - 1) / FN_LANES * FN_LANES;
    const size_t to = fn_lines(p->n_in, sizeof(real)), below_stride = p->below_stride;
    real *below = p->below;
    for (size_t s = 0; s < m && from < to; s++)
        for (size_t i = from; i < to; i += FN_LANES)
            FN(store)(below + s * below_stride + i, (vec){0});
}

/* Returns the number of scratch elements, for copies and transposes, with which error_examples
 * examples are back-propagated at once. */
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

/* Returns the number of scratch elements for the forward step and the update. */
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

/* error[s][i] = sum_o w[i][o] delta[s][o]; `row` is the stride of error. w is transposed in
 * registers, a square at a time. */
static void FN(multiply_transposed)(const FN(backpropagation) *p, real *restrict error, size_t row)
{
    const size_t m = p->m, n_in = p->n_in, n_out = p->n_out;
    const size_t stride = fn_stride(n_out, sizeof(real));
    const real *weights = p->weights, *delta = p->delta;
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

/* The same by large tiles; w is transposed as it is copied. */
static void FN(multiply_error)(const FN(backpropagation) *p, real *error, size_t row, real *packed)
{
    const size_t stride = fn_stride(p->n_out, sizeof(real));
    const FN(product) whole = {.k = p->n_out, .a = p->delta, .a_row = stride, .a_k = 1,
                               .b = p->weights, .b_stride = stride, .c = error, .c_stride = row};
    memset(error, 0, p->m * row * sizeof(real));
    FN(multiply_large)(p->m, p->n_in, &whole, 1, packed);
}

/* Back-propagate the errors of p->m <= error_examples examples; scratch: error_scratch elements.
 *
 * The sum runs along a row of w. So either w is transposed, or the vectors run along the examples:
 * then delta is transposed to `columns`, multiplied by w, and the result transposed back. The pads
 * of `columns` affect only the pads of `error`. */
static void FN(backpropagate_some)(const FN(backpropagation) *p, const fn_error_kernel kernel,
                                   const fn_layer_plan *layer, real *restrict scratch)
{
    const size_t m = p->m, n_in = p->n_in, n_out = p->n_out;
    const size_t stride = fn_stride(n_out, sizeof(real)), across = fn_stride(m, sizeof(real));
    const size_t row = fn_stride(n_in, sizeof(real));
    real *columns = scratch, *error = columns + n_out * across, *packed = error + n_in * across;
    FN_ASSERT(m > 0 && m <= layer->error_examples && p->below_stride >= n_in);
    FN_ASSERT(FN_HAS_LARGE || kernel != FN_ERROR_LARGE);
    if ((FN_HAS_LARGE && kernel == FN_ERROR_LARGE) || kernel == FN_ERROR_TRANSPOSED) {
        error = scratch; /* [m][row]; this fits, since n_out > row - n_in in large layers */
        if (FN_HAS_LARGE && kernel == FN_ERROR_LARGE)
            FN(multiply_error)(p, error, row, packed);
        else
            FN(multiply_transposed)(p, error, row);
        FN(activation_backward)(0, p, error, row);
        return;
    }
    FN(transpose)(m, n_out, p->delta, stride, columns, across);
    memset(error, 0, n_in * across * sizeof(real));
    FN(multiply)(n_in, m, &(FN(product)){.k = n_out, .a = p->weights, .a_row = stride, .a_k = 1,
                                         .b = columns, .b_stride = across, .c = error,
                                         .c_stride = across},
                 kernel == FN_ERROR_PACKED ? packed : NULL, layer->error_prefetch_terms);
    FN(activation_backward)(1, p, error, across);
}

/* Back-propagate the errors of any number of examples, as the layer's plan says. */
static void FN(backpropagate_product)(const FN(backpropagation) *whole, const fn_layer_plan *layer,
                                      real *scratch)
{
    const size_t stride = fn_stride(whole->n_out, sizeof(real)), most = layer->error_examples;
    for (size_t s = 0, some; s < whole->m; s += some) {
        some = whole->m - s < most ? whole->m - s : most;
        const FN(backpropagation) part = {
            .m = some, .n_in = whole->n_in, .n_out = whole->n_out, .neurons = whole->neurons,
            .weights = whole->weights, .delta = whole->delta + s * stride,
            .a = whole->a ? whole->a + s * whole->a_stride : NULL, .a_stride = whole->a_stride,
            .below = whole->below + s * whole->below_stride, .below_stride = whole->below_stride,
        };
        FN(backpropagate_some)(&part, some == most ? layer->error : layer->error_of_rest, layer,
                               scratch);
    }
}

/* The three steps as separate kernels, for tests and benchmarks; each plans a single layer. */

FN_INLINE fn_layer_plan FN(plan_of)(fn_dimensions size)
{
    return fn_plan_layer(FN_BITS == 32 ? FN_F32 : FN_F64, FN_TARGET, fn_this_processor(), size);
}

/* Returns the number of scratch elements that suffices for each of the three. */
static size_t FN(scratch_size)(fn_dimensions size)
{
    const fn_layer_plan layer = FN(plan_of)(size);
    return FN(layer_scratch)(&layer, size.n_in, size.n_out);
}

static void FN(weighted_input)(fn_dimensions size, const real *a, const real *weights,
                               const real *biases, real *z, real *scratch)
{
    const size_t stride = fn_stride(size.n_out, sizeof(real));
    const size_t a_stride = fn_stride(size.n_in, sizeof(real));
    const FN(product) whole = {.k = size.n_in, .a = a, .a_row = a_stride, .a_k = 1, .b = weights,
                               .b_stride = stride, .c = z, .c_stride = stride};
    const fn_layer_plan layer = FN(plan_of)(size);
    const size_t z_bytes = size.m * stride * sizeof(real);
    FN_ASSERT(((uintptr_t)a | (uintptr_t)weights | (uintptr_t)biases | (uintptr_t)z) % 64 == 0);
    FN_ASSERT(fn_are_apart(z, z_bytes, a, size.m * a_stride * sizeof(real)));
    FN_ASSERT(fn_are_apart(z, z_bytes, weights, size.n_in * stride * sizeof(real)));
    (void)z_bytes;
    FN(forward_product)(size.m, size.n_out, whole, biases, 1, &layer, scratch);
}

static void FN(backpropagate)(fn_activation neurons, fn_dimensions size, const real *weights,
                              const real *delta, const real *a, real *delta_below, real *scratch)
{
    const size_t row = fn_stride(size.n_in, sizeof(real)), bytes = size.m * row * sizeof(real);
    const fn_layer_plan layer = FN(plan_of)(size);
    const FN(backpropagation) errors = {
        .m = size.m, .n_in = size.n_in, .n_out = size.n_out, .neurons = neurons,
        .weights = weights, .delta = delta, .a = a, .a_stride = row, .below = delta_below,
        .below_stride = row,
    };
    FN_ASSERT(((uintptr_t)weights | (uintptr_t)delta) % 64 == 0);
    FN_ASSERT(((uintptr_t)a | (uintptr_t)delta_below) % 64 == 0);
    FN_ASSERT(!a || fn_are_apart(a, bytes, delta_below, bytes));
    FN_ASSERT(!a || !fn_activations[neurons.kind].keeps_slope);
    (void)bytes;
    FN(backpropagate_product)(&errors, &layer, scratch);
}

static void FN(update)(fn_dimensions size, const real *a, const real *delta, fn_decay decay,
                       real *weights, real *biases, real *scratch)
{
    const size_t stride = fn_stride(size.n_out, sizeof(real));
    const FN(product) gradient = {
        .k = size.m, .a = a, .a_row = 1, .a_k = fn_stride(size.n_in, sizeof(real)), .b = delta,
        .b_stride = stride, .c = weights, .c_stride = stride,
    };
    const fn_layer_plan layer = FN(plan_of)(size);
    FN_ASSERT(((uintptr_t)a | (uintptr_t)delta | (uintptr_t)weights | (uintptr_t)biases) % 64 == 0);
    FN_ASSERT(fn_are_apart(weights, size.n_in * stride * sizeof(real), delta,
                           size.m * stride * sizeof(real)));
    FN(decay)(size.n_in, size.n_out, stride, (real)decay.l2, (real)decay.l1, weights);
    FN(update_product)(size.n_in, size.n_out, &gradient, &layer, scratch);
    FN(update_biases)(size.m, size.n_out, stride, delta, 1, biases);
}

#endif
