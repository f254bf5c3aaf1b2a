/* The update: each layer's gradient is added to its weights and biases, or given to the
 * optimizer. */
#ifndef FASTNET_NET_UPDATE_H
#define FASTNET_NET_UPDATE_H

#include <stdint.h>

#include "core/plan.h"
#include "core/threads.h"
#include "fastnet.h"
#include "gemm/tile_sizes.h"
#include "input/block.h"
#include "input/examples.h"
#include "input/list.h"
#include "net/context.h"
#include "net/layer.h"
#include "net/workspace.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Update the first layer's weights to this thread's neurons, by the lists of the forward step. */
static void FN(update_by_lists)(FN(thread_context) *work, size_t m, FN(step_coefficients) step,
                                real *weights)
{
    const FN(workspace) *w = &work->w;
    const size_t parts = work->team->threads, stride = w->places[0].stride;
    size_t n;
    const size_t from = FN(local_neurons)(work, work->network->sizes[1], &n);
    FN(decay)(work->network->sizes[0], n, stride, step.decay_fraction, step.l1_step,
              weights + from);
    for (size_t t = 0; t < parts; t++) {
        const size_t s1 = fn_part(m, 1, t + 1, parts);
        for (size_t s = fn_part(m, 1, t, parts), chunk; s < s1; s += chunk) {
            chunk = s1 - s < FN_CHUNK ? s1 - s : FN_CHUNK;
            FN(update_of_lists)(chunk, w->lists + s, n, stride, work->plan->list_update_vectors,
                                w->delta[1] + s * stride + from, weights + from);
        }
    }
}

/* Update the first layer's weights to this thread's neurons, by blocks. An optimizer receives a few
 * rows of the gradient at a time. */
static void FN(update_by_blocks)(FN(thread_context) *work, size_t first, size_t m,
                                 FN(step_coefficients) step, real *target)
{
    FN(workspace) *w = &work->w;
    const size_t n_in = work->network->sizes[0], stride = w->places[0].stride;
    const int direct = work->plan->gradient != FN_STREAMED_GRADIENT;
    size_t n;
    const size_t from = FN(local_neurons)(work, work->network->sizes[1], &n);
    const size_t at = w->places[0].weights + from;
    const size_t rows = direct ? n_in : work->plan->streamed_rows;
    const size_t width = fn_lines(n, sizeof(real));
    const int alone = work->team->threads == 1; /* then the rows are contiguous */
    const fn_ordered_examples ordered = FN(ordered_examples)(work);
    if (direct)
        FN(decay)(n_in, n, stride, step.decay_fraction, step.l1_step, target + at);
    for (size_t s = 0, round; s < m && n > 0; s += round) {
        const real *delta = w->delta[1] + s * stride + from;
        round = fn_next_part(m - s, FN_BLOCK);
        FN(make_blocks)(&ordered, first + s, round, &w->blocks);
#ifdef FN_EXPAND
        if (work->examples->masks)
            FN(transpose_masks)(&w->blocks);
#endif
        for (size_t i = 0, end; i < n_in; i = end) {
            end = n_in - i < rows ? n_in : i + rows;
            real *changed = direct ? target + at + i * stride : w->nabla;
            FN(update_of_blocks)(&w->blocks, i, end, n, stride, delta, changed);
            if (direct)
                continue;
            const size_t all = (end - i) * stride, run = alone ? all : stride;
            for (size_t j = 0; j < all; j += run)
                FN(optimizer_step)(work->training, step, at + i * stride + j, alone ? all : width,
                                   1, FN(n_parameters)(work), target, changed + j);
        }
    }
}

/* The number of rows of weights that are updated between two prefetches of the next examples. */
#define FN_FEW_ROWS (16 * FN_TILE_ROWS)

/* Prefetch the examples at positions s to until - 1 of the order; returns the position after the
 * last one prefetched. */
FN_INLINE size_t FN(prefetch_until)(const FN(thread_context) *work, size_t s, size_t until)
{
    until = until < work->n_order ? until : work->n_order;
    for (; s < until; s++)
        FN(prefetch_example)(work->examples, work->network->sizes[0], (size_t)work->order[s]);
    return s;
}

/* Update layer l's weights from this thread's inputs, by products of dense activations. If the plan
 * says update_in_parts, a few rows are updated at a time, and the examples of the next step, from
 * position `next` on, are prefetched in between. */
static void FN(update_dense)(FN(thread_context) *work, size_t l, size_t next, size_t m,
                             FN(step_coefficients) step, real *target)
{
    const FN(workspace) *w = &work->w;
    const size_t *sizes = work->network->sizes, stride = w->places[l].stride;
    size_t to;
    const size_t from = FN(local_inputs)(work, sizes[l], &to);
    uint32_t *kept = l ? NULL : w->kept; /* if not NULL, the team is one thread */
    const fn_layer_plan *layer = work->step->layers + l;
    const size_t most = layer->update_in_parts ? FN_FEW_ROWS : to - from;
    const int direct = work->plan->gradient != FN_STREAMED_GRADIENT;
    size_t s, share = FN(local_examples)(work, m, &s);
    share -= s;
    const size_t soon = s += next;
    for (size_t i = from, end, c = from, n; i < to; i = end, c += n) {
        /* the kept inputs among i to end - 1: n of them, from column c of x on */
        const size_t left = kept ? w->n_kept - c : to - c;
        n = left < most ? left : most;
        end = n == left ? to : kept ? kept[c + n] : i + n;
        const size_t at = w->places[l].weights + i * stride;
        real *changed = direct ? target + at : w->nabla;
        for (size_t k = c; kept && k < c + n; k++)
            kept[k] -= (uint32_t)i;
        if (direct)
            FN(decay)(end - i, sizes[l + 1], stride, step.decay_fraction, step.l1_step, changed);
        const FN(product) gradient = {
            .k = m, .a = w->a[l] + c, .a_row = 1, .a_k = w->a_strides[l], .b = w->delta[l + 1],
            .b_stride = stride, .c = changed, .c_stride = stride,
            .c_rows = kept ? kept + c : NULL,
        };
        if (n > 0)
            FN(update_product)(n, sizes[l + 1], &gradient, layer, w->scratch);
        if (!direct)
            FN(optimizer_step)(work->training, step, at, (end - i) * stride, 1,
                               FN(n_parameters)(work), target, changed);
        if (l > 0 || !work->order || !work->plan->prefetches_examples)
            continue;
        const size_t part = end < to ? share * (end - from) / (to - from) : share;
        s = FN(prefetch_until)(work, s, soon + part);
    }
}

/* Update layer l's biases by their errors, multiplied by `times`. */
static void FN(update_layer_biases)(FN(thread_context) *work, size_t l, size_t m,
                                    FN(step_coefficients) step, real times, real *target)
{
    const FN(workspace) *w = &work->w;
    const fn_place *at = w->places + l;
    const size_t *sizes = work->network->sizes;
    const int direct = work->plan->gradient != FN_STREAMED_GRADIENT;
    real *changed = direct ? target + at->biases : w->nabla;
    FN(update_biases)(m, sizes[l + 1], at->stride, w->delta[l + 1], times, changed);
    if (!direct)
        FN(optimizer_step)(work->training, step, at->biases, at->stride, 0, FN(n_parameters)(work),
                           target, changed);
}

/* Update all layers' weights and biases by the gradients of the m examples from position `first` of
 * the order on, after the decay of `step`. The errors of the first layer are stored divided by
 * scale (ops/optimizer.h). */
static void FN(update_layers)(FN(thread_context) *work, size_t first, size_t m,
                              FN(step_coefficients) step, double scale, real *target)
{
    const size_t L = work->network->layers;
    for (size_t l = L; l-- > 0;) /* biases first: no later load depends on them */
        if (work->thread == l % work->team->threads)
            FN(update_layer_biases)(work, l, m, step, l == 0 ? (real)scale : 1, target);
    for (size_t l = L; l-- > 0;) {
        if (l == 0 && step.lazy_decay)
            step.decay_fraction = 0;
        if (l > 0 || work->plan->first_layer == FN_FIRST_DENSE)
            FN(update_dense)(work, l, first + m, m, step, target);
        else if (work->plan->first_layer == FN_FIRST_BLOCKS)
            FN(update_by_blocks)(work, first, m, step, target);
        else
            FN(update_by_lists)(work, m, step, target + work->w.places->weights);
    }
}

/* Apply the deferred scale to this thread's share of the first layer's weights. */
static void FN(apply_first_scale)(FN(thread_context) *work, real *weights)
{
    const size_t stride = work->w.places[0].stride, *sizes = work->network->sizes;
    const real scale = (real)work->scale;
    size_t n, to;
    work->scale = 1;
    if (work->plan->first_layer != FN_FIRST_DENSE) {
        const size_t from = FN(local_neurons)(work, sizes[1], &n);
        FN(apply_scale)(sizes[0], n, stride, scale, weights + from);
        return;
    }
    const size_t from = FN(local_inputs)(work, sizes[0], &to);
    FN(apply_scale)(to - from, sizes[1], stride, scale, weights + from * stride);
}

/* Update this thread's share of the parameters by the gradient nabla, and set it to zero. */
static void FN(step_by_gradient)(const FN(thread_context) *work, FN(step_coefficients) step,
                                 real *parameters)
{
    const fn_network *network = work->network;
    const FN(workspace) *w = &work->w;
    const size_t n_parameters = FN(n_parameters)(work);
    for (size_t l = 0; l < network->layers; l++) {
        const fn_place *at = w->places + l;
        const size_t from = fn_part(network->sizes[l], 1, work->thread, work->team->threads);
        const size_t to = fn_part(network->sizes[l], 1, work->thread + 1, work->team->threads);
        const size_t start = at->weights + from * at->stride;
        FN(optimizer_step)(work->training, step, start, (to - from) * at->stride, 1, n_parameters,
                           parameters, w->nabla + start);
        if (work->thread == 0)
            FN(optimizer_step)(work->training, step, at->biases, at->stride, 0, n_parameters,
                               parameters, w->nabla + at->biases);
    }
    fn_wait_for_team(work->team);
}

#endif
