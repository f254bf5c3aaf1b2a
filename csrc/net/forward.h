/* The forward step: from the user's examples to the activations of all layers. */
#ifndef FASTNET_NET_FORWARD_H
#define FASTNET_NET_FORWARD_H

#include <stdint.h>

#include "core/plan.h"
#include "core/threads.h"
#include "fastnet.h"
#include "gemm/tile.h"
#include "input/block.h"
#include "input/build_lists.h"
#include "input/examples.h"
#include "input/gather.h"
#include "input/list.h"
#include "net/layer.h"
#include "net/workspace.h"
#include "ops/activation.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Per-thread context of a call. */
typedef struct {
    const fn_plan *plan;
    const fn_step *step;        /* the plan of the step at hand */
    const fn_network *network;
    const fn_examples *examples;
    const int64_t *order;       /* or NULL: 0, 1, 2 ... */
    size_t n_order;
    const fn_training *training; /* NULL: forward only; with a delta call the team is one thread */
    fn_team *team;
    size_t thread;
    FN(workspace) w;
    double scale;               /* s of the first layer, see ops/optimizer.h; else 1 */
    double *cost;               /* where the cost of the mini-batch at hand is added up, or NULL */
} FN(thread_context);

/* This thread's share of a layer's neurons, whole cache lines: n of them from the one
 * returned on. */
static size_t FN(local_neurons)(const FN(thread_context) *work, size_t neurons, size_t *n)
{
    const size_t from = fn_part(neurons, FN_LINE_REALS, work->thread, work->team->threads);
    *n = fn_part(neurons, FN_LINE_REALS, work->thread + 1, work->team->threads) - from;
    return from;
}

/* This thread's share of m examples: from s0 to the one returned. */
FN_INLINE size_t FN(local_examples)(const FN(thread_context) *work, size_t m, size_t *s0)
{
    *s0 = fn_part(m, 1, work->thread, work->team->threads);
    return fn_part(m, 1, work->thread + 1, work->team->threads);
}

/* What a thread computes of a layer: neurons from .. from + n of the examples s0 .. s1. */
typedef struct {
    size_t s0, s1, from, n;
    int by_neurons;             /* all examples and some neurons; else the other way round */
} FN(share);

/* This thread's share of m examples in a layer of this many neurons. Large products are split by
 * neurons, so that each weight is copied (gemm/large.h) by one thread and not by all: there are
 * more weights than activations. */
FN_INLINE FN(share) FN(local_share)(const FN(thread_context) *work, size_t m, size_t neurons,
                                    int by_neurons)
{
    FN(share) local = {.s1 = m, .n = neurons, .by_neurons = by_neurons};
    if (by_neurons)
        local.from = FN(local_neurons)(work, neurons, &local.n);
    else
        local.s1 = FN(local_examples)(work, m, &local.s0);
    return local;
}

static fn_ordered_examples FN(ordered_examples)(const FN(thread_context) *work)
{
    return (fn_ordered_examples){.examples = work->examples, .network = work->network,
                                 .order = work->order, .n_order = work->n_order,
                                 .training = work->training};
}

/* The first layer's weighted inputs z of the compressed rows at positions first + s0 .. first + s1:
 * lists are made and used chunk by chunk. */
static void FN(enter_by_lists)(FN(thread_context) *work, const real *weights, size_t first, size_t s0,
                               size_t s1, real *z, size_t z_stride)
{
    const fn_ordered_examples from = FN(ordered_examples)(work);
    FN(workspace) *w = &work->w;
    for (size_t s = s0, m; s < s1; s += m) {
        m = s1 - s < FN_CHUNK ? s1 - s : FN_CHUNK;
        const FN(list_memory) memory = {
            .lists = w->lists + s, .rows = w->list_rows + s * w->x_stride,
            .x = w->x + s * w->x_stride, .row_stride = w->x_stride, .union_mask = w->union_mask,
        };
        FN(make_lists)(&from, first + s, m, work->plan->examples_per_list, &memory);
        FN(forward_of_lists)(m, memory.lists, work->network->sizes[1], weights,
                             z + (s - s0) * z_stride, z_stride);
    }
}

/* As enter_by_lists, but by blocks of up to FN_BLOCK examples. */
static void FN(enter_by_blocks)(FN(thread_context) *work, const real *weights, size_t first, size_t s0,
                                size_t s1, real *z, size_t z_stride)
{
    const fn_ordered_examples from = FN(ordered_examples)(work);
    FN(blocks) *blocks = &work->w.blocks;
    for (size_t s = s0, m; s < s1; s += m) {
        m = fn_next(s1 - s, FN_BLOCK);
        FN(make_blocks)(&from, first + s, m, blocks);
        FN(forward_of_blocks)(&from, blocks, weights, z + (s - s0) * z_stride, z_stride);
    }
}

/* Dense examples first + s0 .. first + s1 of the order into the first layer's operand. */
static void FN(gather)(FN(thread_context) *work, size_t first, size_t s0, size_t s1)
{
    const size_t n_in = work->network->sizes[0], m = s1 - s0;
    FN(workspace) *w = &work->w;
    if (work->plan->entry != FN_ENTER_DENSE)
        return;
    real *x = w->x + s0 * w->x_stride;
    const fn_ordered_examples from = FN(ordered_examples)(work);
    FN(gather_inputs)(&from, first + s0, m, x, w->x_stride);
    w->n_kept = n_in;
    if (work->plan->drops_columns)
        w->n_kept = FN(drop_zero_inputs)(m, n_in, w->x_stride, w->kept_room, x);
    w->kept = w->n_kept < n_in ? w->kept_room : NULL;
}

/* Drop neurons, each with the probability p, and scale the others by 1 / (1 - p): their
 * activations, and their slopes for back-propagation. */
static void FN(drop)(size_t n, double p, uint64_t key, uint64_t counter, real *restrict a,
                     real *restrict slopes)
{
    const uint64_t below = (uint64_t)(p * 0x1p64);
    const real scale = (real)(1 / (1 - p));
    for (size_t j = 0; j < n; j++) {
        const real factor = fn_random_at(key, counter + j) < below ? 0 : scale;
        a[j] *= factor;
        slopes[j] *= factor;
    }
}

/* Replace this thread's weighted inputs of hidden layer l by its activations; if the plan keeps
 * slopes, store them in the array of the layer's errors. */
static void FN(activate_hidden)(FN(thread_context) *work, size_t l, size_t first, const FN(share) *local)
{
    const fn_network *network = work->network;
    const FN(workspace) *w = &work->w;
    const fn_training *t = work->training;
    const size_t a_stride = w->a_strides[l], stride = w->places[l - 1].stride;
    const fn_activation neurons = network->hidden[l - 1];
    const int keeps = work->step->layers[l].keeps_slopes;
    real *a = w->a[l] + local->s0 * a_stride + local->from;
    real *slopes = keeps ? w->delta[l] + local->s0 * stride + local->from : NULL;
    FN(activate_rows)(neurons, local->s1 - local->s0, local->n, a, a_stride, slopes, stride);
    if (!keeps || !t->dropout || t->dropout[l - 1] == 0)
        return;
    uint64_t before = 1 + local->from;
    for (size_t k = 1; k < l; k++)
        before += network->sizes[k];
    for (size_t s = local->s0; s < local->s1; s++, a += a_stride, slopes += stride)
        FN(drop)(local->n, t->dropout[l - 1], t->key, fn_counter(network, first + s) + before, a, slopes);
}

/* Weighted inputs z [rows][stride] of this thread's share of a layer, from n_in activations. b_rows: as
 * in FN(product). */
FN_INLINE void FN(enter_dense)(const FN(thread_context) *work, size_t l, size_t n_in,
                               const uint32_t *b_rows, FN(share) local, const real *weights,
                               const real *biases, real times, real *z, size_t stride)
{
    const FN(workspace) *w = &work->w;
    const size_t a_stride = w->a_strides[l];
    const FN(product) whole = {
        .k = n_in, .a = w->a[l] + local.s0 * a_stride, .a_row = a_stride, .a_k = 1,
        .b = weights, .b_stride = w->places[l].stride, .b_rows = b_rows, .c = z, .c_stride = stride,
    };
    FN(weighted_input_of)(local.s1 - local.s0, local.n, whole, biases, times, work->step->layers + l,
                          w->scratch);
}

/* The weighted inputs of the first layer, of the examples from position first of the order on; its
 * weights are stored divided by work->scale. */
FN_INLINE void FN(enter_first)(FN(thread_context) *work, size_t first, FN(share) local,
                               const real *weights, const real *biases, real *z, size_t stride)
{
    const FN(workspace) *w = &work->w;
    const size_t rows = local.s1 - local.s0;
    const real times = (real)(1 / work->scale);
    switch (work->step->layers->forward) {
    case FN_FORWARD_LISTS:
        FN(start_from_biases)(rows, local.n, biases, times, z, stride);
        FN(enter_by_lists)(work, weights, first, local.s0, local.s1, z, stride);
        break;
    case FN_FORWARD_BLOCKS:
        FN(start_from_biases)(rows, local.n, biases, times, z, stride);
        FN(enter_by_blocks)(work, weights, first, local.s0, local.s1, z, stride);
        break;
    case FN_FORWARD_NARROW: case FN_FORWARD_TILES: case FN_FORWARD_LARGE:
        FN(enter_dense)(work, 0, w->n_kept, w->kept, local, weights, biases, times, z, stride);
    }
    if (work->scale != 1)
        FN(apply_scale)(rows, local.n, stride, (real)work->scale, z);
}

/* This thread's share of examples first .. first + m of the order, gathered before: to the
 * activations w->a[1..L] and the output layer's w->z. */
static void FN(forward)(FN(thread_context) *work, const real *parameters, size_t first, size_t m)
{
    const FN(workspace) *w = &work->w;
    const size_t L = work->network->layers, *sizes = work->network->sizes;
    for (size_t l = 0; l < L; l++) {
        const fn_place *at = w->places + l;
        const int last = l + 1 == L;
        const FN(share) local = FN(local_share)(work, m, sizes[l + 1],
                                                work->step->layers[l].forward_by_neurons);
        const real *weights = parameters + at->weights + local.from;
        const size_t rows = local.s1 - local.s0;
        const size_t stride = w->a_strides[l + 1];
        real *a = w->a[l + 1] + local.s0 * stride + local.from;
        real *z = last ? w->z + local.s0 * stride : a;
        const real *biases = parameters + at->biases + local.from;
        if (local.by_neurons)
            fn_wait_for_team(work->team);
        if (l == 0)
            FN(enter_first)(work, first, local, weights, biases, z, stride);
        else
            FN(enter_dense)(work, l, sizes[l], NULL, local, weights, biases, 1, z, stride);
        if (!last)
            FN(activate_hidden)(work, l + 1, first, &local);
        else
            FN(activate_output)(work->network->output, rows, sizes[L], z, a);
        if (local.by_neurons)
            fn_wait_for_team(work->team);
    }
}

#endif
