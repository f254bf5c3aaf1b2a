/* The state of one thread during a call, and its share of each layer. */
#ifndef FASTNET_NET_CONTEXT_H
#define FASTNET_NET_CONTEXT_H

#include <stdint.h>

#include "core/plan.h"
#include "core/threads.h"
#include "fastnet.h"
#include "gemm/tile_sizes.h"
#include "input/examples.h"
#include "net/workspace.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Per-thread context of a call. */
typedef struct {
    const fn_plan *plan;
    const fn_step *step;        /* the plan of the current step */
    const fn_network *network;
    const fn_examples *examples;
    const int64_t *order;       /* [n_order], or NULL: 0, 1, 2 ... */
    size_t n_order;
    const fn_training *training; /* NULL: forward only. With delta.call there is one thread */
    fn_team *team;
    size_t thread;
    FN(workspace) w;
    double scale;               /* s of the first layer's lazy decay (ops/optimizer.h), or 1 */
    double *cost;               /* NULL, or the sum to which the current step adds its cost */
} FN(thread_context);

static fn_ordered_examples FN(ordered_examples)(const FN(thread_context) *work)
{
    return (fn_ordered_examples){.examples = work->examples, .network = work->network,
                                 .order = work->order, .n_order = work->n_order,
                                 .training = work->training};
}

/* Returns the number of elements of the parameters, including pads. */
static size_t FN(n_parameters)(const FN(thread_context) *work)
{
    const fn_place *last = work->w.places + work->network->layers - 1;
    return last->biases + last->stride;
}

/* This thread's share of a layer's neurons, in whole cache lines: returns the first, and sets *n to
 * their number. */
static size_t FN(local_neurons)(const FN(thread_context) *work, size_t neurons, size_t *n)
{
    const size_t from = fn_part(neurons, FN_LINE_REALS, work->thread, work->team->threads);
    *n = fn_part(neurons, FN_LINE_REALS, work->thread + 1, work->team->threads) - from;
    return from;
}

/* This thread's share of a layer's inputs, in whole tiles: returns the first, and sets *to to the
 * end. An end, here and elsewhere, is the index after the last one. */
FN_INLINE size_t FN(local_inputs)(const FN(thread_context) *work, size_t inputs, size_t *to)
{
    *to = fn_part(inputs, FN_TILE_ROWS, work->thread + 1, work->team->threads);
    return fn_part(inputs, FN_TILE_ROWS, work->thread, work->team->threads);
}

/* This thread's share of m examples: sets *s0 to the first, and returns the end. */
FN_INLINE size_t FN(local_examples)(const FN(thread_context) *work, size_t m, size_t *s0)
{
    *s0 = fn_part(m, 1, work->thread, work->team->threads);
    return fn_part(m, 1, work->thread + 1, work->team->threads);
}

/* The part of a layer that a thread computes: n neurons, `from` the first of them, of the examples
 * s0 to s1 - 1. */
typedef struct {
    size_t s0, s1, from, n;
    int by_neurons;             /* 1: all examples, some neurons; 0: some examples, all neurons */
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

#endif
