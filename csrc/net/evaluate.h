/* The calls feedforward and evaluate, which need only the forward step: the outputs of all
 * examples, or the number of correct ones and the sum of the costs; and jacobian: the outputs and
 * their derivatives. Examples are computed in pieces, plan->m at most, which stay in the caches.
 * Threads take the pieces in turn; the results are added up in the order of the pieces. */
#ifndef FASTNET_NET_EVALUATE_H
#define FASTNET_NET_EVALUATE_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "core/arena.h"
#include "core/check.h"
#include "core/contracts.h"
#include "core/plan.h"
#include "core/poll.h"
#include "core/threads.h"
#include "fastnet.h"
#include "input/examples.h"
#include "net/forward.h"
#include "net/jacobian.h"
#include "net/workspace.h"
#include "ops/cost.h"
#include "simd/vec.h"

/* The arguments of feedforward and evaluate, shared by the team. */
typedef struct {
    const fn_plan *plan;
    const real *parameters;
    const fn_examples *examples;
    real *a;                    /* feedforward, jacobian: [n][n_out] */
    real *jacobian;             /* jacobian: [n][n_out][n_in] */
    const double *slopes;       /* jacobian: [n_in], or NULL for slopes of 1 */
    double *cost;               /* evaluate: [pieces] */
    size_t *correct;            /* evaluate: [pieces] */
    fn_poll poll;               /* called by the first thread */
    atomic_int *stopped;
    char *memory;
    size_t size;                /* bytes of memory for each thread */
} FN(evaluation);

static size_t FN(pieces)(const fn_plan *plan)
{
    return (plan->n + plan->m - 1) / plan->m;
}

/* Returns the bytes of memory for one thread, which computes its pieces alone. */
static size_t FN(evaluation_share)(const fn_plan *plan, const fn_examples *examples)
{
    fn_arena arena = {0};
    FN(workspace) w = {0};
    FN_ASSERT(plan->target == FN_TARGET && fn_takes_turns(plan->call));
    FN(layout_workspace)(plan, examples, NULL, 1, 0, &arena, &w);
    return arena.used;
}

static size_t FN(evaluation_size)(const fn_plan *plan, const fn_examples *examples)
{
    return plan->threads * FN(evaluation_share)(plan, examples)
           + FN(pieces)(plan) * (sizeof(double) + sizeof(size_t));
}

/* Returns the class that n_out outputs predict: the first of the largest outputs; for one output, 1
 * if it is at least 1/2, else 0. */
static size_t FN(class_of)(size_t n_out, const real *a)
{
    size_t best = 0;
    if (n_out == 1)
        return a[0] >= (real)0.5;
    for (size_t o = 1; o < n_out; o++)
        best = a[o] > a[best] ? o : best;
    return best;
}

/* The function that each thread of the team runs. */
static void FN(evaluate_member)(fn_team *team, size_t thread, void *context)
{
    const FN(evaluation) *e = context;
    const fn_network *network = e->plan->network;
    const size_t L = network->layers, n_out = network->sizes[L], n = e->plan->n;
    const size_t most = e->plan->m;
    fn_team alone = {.threads = 1};
    void *memory = e->memory + thread * e->size;
    FN(thread_context) work = {
        .plan = e->plan, .network = network, .examples = e->examples, .team = &alone, .scale = 1,
        .w = FN(open_workspace)(e->plan, e->examples, NULL, 1, 0, memory),
    };
    const FN(workspace) *w = &work.w;
    const size_t stride = w->places[L - 1].stride;
    size_t until = thread == 0 && e->poll.poll_due ? 1 : 0; /* 0: do not poll */
    if (e->jacobian)
        FN(prepare_jacobian)(&work, e->parameters);
    for (size_t piece = thread; piece < FN(pieces)(e->plan); piece += team->threads) {
        if (piece > 0 && until && --until == 0) {
            until = fn_poll_now(e->poll, piece * most);
            if (until == 0)
                atomic_store_explicit(e->stopped, 1, memory_order_relaxed);
        }
        if (atomic_load_explicit(e->stopped, memory_order_relaxed))
            return;
        const size_t first = piece * most, left = n - first, m = left < most ? left : most;
        work.step = fn_step_of(e->plan, m);
        FN(gather)(&work, first, 0, m);
        FN(forward)(&work, e->parameters, first, m);
        if (e->jacobian)
            FN(jacobian_of_step)(&work, e->parameters, m, e->slopes,
                                 e->jacobian + first * n_out * network->sizes[0]);
        if (e->a) {
            for (size_t s = 0; s < m; s++)
                memcpy(e->a + (first + s) * n_out, w->a[L] + s * stride, n_out * sizeof(real));
            continue;
        }
        FN(gather_targets)(network, e->examples, NULL, first, m, w->y);
        e->correct[piece] = 0;
        for (size_t s = 0; s < m; s++)
            e->correct[piece] += FN(class_of)(n_out, w->a[L] + s * stride)
                                 == FN(class_of)(n_out, w->y + s * stride);
        e->cost[piece] = FN(cost_sum)(
            network, m, e->examples->weights ? e->examples->weights + first : NULL, w->z, w->y);
    }
    FN(check_workspace)(e->plan, e->examples, NULL, 1, memory);
}

static void FN(evaluate_pieces)(size_t threads, FN(evaluation) *e)
{
    if (threads > 1)
        fn_run_team(threads, FN(evaluate_member), e);
    else
        FN(evaluate_member)(&(fn_team){.threads = 1}, 0, e);
}

/* Compute the outputs and, unless to->jacobian is NULL, their derivatives. */
static void FN(jacobian)(const fn_plan *plan, const real *parameters, const fn_examples *examples,
                         const fn_derivatives *to, fn_poll poll, void *memory)
{
    atomic_int stopped = 0;
    FN(evaluation) e = {
        .plan = plan, .parameters = parameters, .examples = examples, .a = to->a,
        .jacobian = to->jacobian, .slopes = to->slopes, .poll = poll, .stopped = &stopped,
        .memory = memory,
    };
    FN_ASSERT((plan->call == FN_CALL_JACOBIAN) == (to->jacobian != NULL));
    FN_ASSERT(plan->n == examples->n && fn_examples_hold(examples, plan->network->sizes[0]));
    FN_ASSERT(FN(parameters_hold)(plan->network, parameters));
    if (plan->threads > 1)
        e.size = FN(evaluation_share)(plan, examples);
    FN(evaluate_pieces)(plan->threads, &e);
}

static void FN(feedforward)(const fn_plan *plan, const real *parameters,
                            const fn_examples *examples, real *a, fn_poll poll, void *memory)
{
    FN(jacobian)(plan, parameters, examples, &(fn_derivatives){.a = a}, poll, memory);
}

static double FN(evaluate)(const fn_plan *plan, const real *parameters, const fn_examples *examples,
                           size_t *correct, fn_poll poll, void *memory)
{
    const size_t pieces = FN(pieces)(plan);
    atomic_int stopped = 0;
    FN(evaluation) e = {
        .plan = plan, .parameters = parameters, .examples = examples, .poll = poll,
        .stopped = &stopped, .memory = memory, .size = FN(evaluation_share)(plan, examples),
    };
    double cost = 0;
    FN_ASSERT(plan->n == examples->n && fn_examples_hold(examples, plan->network->sizes[0]));
    FN_ASSERT(FN(parameters_hold)(plan->network, parameters));
    FN_ASSERT(fn_targets_hold(examples, plan->network->sizes[plan->network->layers]));
    e.cost = (double *)(e.memory + plan->threads * e.size);
    e.correct = (size_t *)(e.cost + pieces);
    FN(evaluate_pieces)(plan->threads, &e);
    *correct = 0;
    for (size_t piece = 0; piece < pieces; piece++) {
        *correct += e.correct[piece];
        cost += e.cost[piece];
    }
    return cost;
}

#endif
