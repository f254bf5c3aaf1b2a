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
#include "net/context.h"
#include "net/layer.h"
#include "net/workspace.h"
#include "ops/activation.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* This thread's share of a layer's weighted inputs, z = times b + a W. */
typedef struct {
    FN(share) local;
    const real *weights, *biases;   /* from the share's first neuron on */
    real times;
    real *z;                        /* [s1 - s0][stride] */
    size_t stride;
} FN(weighted_inputs);

/* z += x w of the first layer, for the compressed rows from position `first` of the order on; z
 * holds the biases before. Lists are made and used chunk by chunk. */
static void FN(forward_by_lists)(FN(thread_context) *work, size_t first, FN(weighted_inputs) at)
{
    const fn_ordered_examples from = FN(ordered_examples)(work);
    FN(workspace) *w = &work->w;
    const size_t s1 = at.local.s1;
    real *z = at.z;
    for (size_t s = at.local.s0, m; s < s1; s += m, z += m * at.stride) {
        m = s1 - s < FN_CHUNK ? s1 - s : FN_CHUNK;
        const FN(list_memory) memory = {
            .lists = w->lists + s, .rows = w->list_rows + s * w->x_stride,
            .x = w->x + s * w->x_stride, .row_stride = w->x_stride, .union_mask = w->union_mask,
        };
        FN(make_lists)(&from, first + s, m, work->plan->examples_per_list, &memory);
        FN(forward_of_lists)(m, memory.lists, work->network->sizes[1], at.weights, z, at.stride);
    }
}

/* As forward_by_lists, but by blocks of up to FN_BLOCK examples. */
static void FN(forward_by_blocks)(FN(thread_context) *work, size_t first, FN(weighted_inputs) at)
{
    const fn_ordered_examples from = FN(ordered_examples)(work);
    FN(blocks) *blocks = &work->w.blocks;
    const size_t s1 = at.local.s1;
    real *z = at.z;
    for (size_t s = at.local.s0, m; s < s1; s += m, z += m * at.stride) {
        m = fn_next_part(s1 - s, FN_BLOCK);
        FN(make_blocks)(&from, first + s, m, blocks);
        FN(forward_of_blocks)(&from, blocks, at.weights, z, at.stride);
    }
}

/* Copy the dense examples at positions first + s0 to first + s1 - 1 of the order to x, the operand
 * of the first layer; drop inputs that are zero in all of them, if the plan says so. */
static void FN(gather)(FN(thread_context) *work, size_t first, size_t s0, size_t s1)
{
    const size_t n_in = work->network->sizes[0], m = s1 - s0;
    FN(workspace) *w = &work->w;
    if (work->plan->first_layer != FN_FIRST_DENSE)
        return;
    real *x = w->x + s0 * w->x_stride;
    const fn_ordered_examples from = FN(ordered_examples)(work);
    FN(gather_inputs)(&from, first + s0, m, x, w->x_stride);
    w->n_kept = n_in;
    if (work->plan->drops_zero_inputs)
        w->n_kept = FN(drop_zero_inputs)(m, n_in, w->x_stride, work->plan->most_zeros,
                                         w->kept_buffer, x);
    w->kept = w->n_kept < n_in ? w->kept_buffer : NULL;
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
static void FN(activate_hidden)(FN(thread_context) *work, size_t l, size_t first,
                                const FN(share) *local)
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
    if (!keeps || !t || !t->dropout || t->dropout[l - 1] == 0)
        return;
    uint64_t before = 1 + local->from;
    for (size_t k = 1; k < l; k++)
        before += network->sizes[k];
    for (size_t s = local->s0; s < local->s1; s++, a += a_stride, slopes += stride) {
        const uint64_t counter = fn_counter(network, first + s) + before;
        FN(drop)(local->n, t->dropout[l - 1], t->key, counter, a, slopes);
    }
}

/* Compute the weighted inputs of layer l from dense activations; in the first layer, from the
 * inputs that `gather` kept. */
FN_INLINE void FN(forward_dense)(const FN(thread_context) *work, size_t l, FN(weighted_inputs) at)
{
    const FN(workspace) *w = &work->w;
    const size_t a_stride = w->a_strides[l], n_in = work->network->sizes[l];
    const FN(share) local = at.local;
    const FN(product) z = {
        .k = l ? n_in : w->n_kept, .a = w->a[l] + local.s0 * a_stride, .a_row = a_stride,
        .a_k = 1, .b = at.weights, .b_stride = w->places[l].stride, .b_rows = l ? NULL : w->kept,
        .c = at.z, .c_stride = at.stride,
    };
    FN(forward_product)(local.s1 - local.s0, local.n, z, at.biases, at.times,
                        work->step->layers + l, w->scratch);
}

/* Compute the weighted inputs of the first layer for the examples from position `first` of the
 * order on. Its weights are stored divided by work->scale. */
FN_INLINE void FN(forward_first)(FN(thread_context) *work, size_t first, FN(weighted_inputs) at)
{
    const size_t rows = at.local.s1 - at.local.s0, n = at.local.n;
    at.times = (real)(1 / work->scale);
    switch (work->step->layers->forward) {
    case FN_FORWARD_LISTS:
        FN(start_from_biases)(rows, n, at.biases, at.times, at.z, at.stride);
        FN(forward_by_lists)(work, first, at);
        break;
    case FN_FORWARD_BLOCKS:
        FN(start_from_biases)(rows, n, at.biases, at.times, at.z, at.stride);
        FN(forward_by_blocks)(work, first, at);
        break;
    case FN_FORWARD_NARROW: case FN_FORWARD_TILES: case FN_FORWARD_LARGE:
        FN(forward_dense)(work, 0, at);
    }
    if (work->scale != 1)
        FN(apply_scale)(rows, n, at.stride, (real)work->scale, at.z);
}

/* Compute this thread's share of the activations w->a[1..L], and of the output layer's weighted
 * inputs w->z, for the m examples from position `first` of the order on. If they are dense, they
 * must have been gathered. */
static void FN(forward)(FN(thread_context) *work, const real *parameters, size_t first, size_t m)
{
    const FN(workspace) *w = &work->w;
    const size_t L = work->network->layers, *sizes = work->network->sizes;
    for (size_t l = 0; l < L; l++) {
        const fn_place *place = w->places + l;
        const int last = l + 1 == L;
        const FN(share) local = FN(local_share)(work, m, sizes[l + 1],
                                                work->step->layers[l].forward_by_neurons);
        const size_t stride = w->a_strides[l + 1];
        real *a = w->a[l + 1] + local.s0 * stride + local.from;
        const FN(weighted_inputs) at = {
            .local = local, .weights = parameters + place->weights + local.from,
            .biases = parameters + place->biases + local.from, .times = 1,
            .z = last ? w->z + local.s0 * stride : a, .stride = stride,
        };
        if (local.by_neurons)
            fn_wait_for_team(work->team);
        if (l == 0)
            FN(forward_first)(work, first, at);
        else
            FN(forward_dense)(work, l, at);
        if (!last)
            FN(activate_hidden)(work, l + 1, first, &local);
        else
            FN(activate_output)(work->network->output, local.s1 - local.s0, sizes[L], at.z, a);
        if (local.by_neurons)
            fn_wait_for_team(work->team);
    }
}

#endif
