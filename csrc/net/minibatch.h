/* The mini-batch loop: gather, forward, output error, back-propagate, update.
 *
 * No gradient is stored: the output error is multiplied by -eta/m once (by -eta times the
 * example's share in the sum, where examples have weights), so that every error below
 * carries that factor and each layer's update adds a^T delta straight onto the weights. All
 * errors are back-propagated before any weight changes, so all gradients are those of the weights
 * before the mini-batch. An optimizer gets the gradient a few rows at a time. The whole gradient
 * is collected in an array first only for mini-batches of more than FN_PIECE examples, or if an
 * optimizer follows lists or more than one round of blocks (input/block.h).
 *
 * Several threads (fn_team) share a mini-batch: each computes its examples (in a large layer,
 * its neurons, see local_share) up to the errors; when all are done, each updates its part of
 * the weights. Each element is computed by one thread, in the same order as with a single
 * thread, so the bits do not depend on the number of threads.
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_NET_MINIBATCH_H
#define FASTNET_NET_MINIBATCH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "core/plan.h"
#include "core/poll.h"
#include "core/threads.h"
#include "fastnet.h"
#include "gemm/tile_sizes.h"
#include "input/block.h"
#include "input/examples.h"
#include "input/list.h"
#include "net/forward.h"
#include "net/layer.h"
#include "net/workspace.h"
#include "ops/activation.h"
#include "ops/cost.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/subnormals.h"
#include "simd/vec.h"

/* This thread's share of the errors of hidden layer l, from those of the layer above. */
FN_INLINE void FN(backprop_layer)(const FN(thread_context) *work, size_t l, size_t m, const real *weights)
{
    const FN(workspace) *w = &work->w;
    const size_t n_in = work->network->sizes[l], n_out = work->network->sizes[l + 1];
    const size_t a_stride = w->a_strides[l], below = w->places[l - 1].stride;
    const size_t stride = w->places[l].stride;
    const fn_layer_plan *layer = work->step->layers + l;
    const FN(share) local = FN(local_share)(work, m, n_in, layer->error_by_neurons);
    const real *a = w->a[l] + local.s0 * a_stride + local.from;
    if (local.by_neurons)
        fn_wait_for_team(work->team);
    FN(backpropagate_of)(work->network->hidden[l - 1], local.s1 - local.s0, local.n, n_out,
                         weights + local.from * stride, w->delta[l + 1] + local.s0 * stride,
                         layer->keeps_slopes ? NULL : a, a_stride,
                         w->delta[l] + local.s0 * below + local.from, below, layer, w->scratch);
    if (local.by_neurons)
        fn_wait_for_team(work->team);
}

/* The errors of this thread's share of m examples, times factor, from the output layer down; those
 * of the first layer are divided by scale (ops/optimizer.h). */
static int FN(backward)(FN(thread_context) *work, const real *parameters, size_t m, double factor,
                        double scale)
{
    const fn_network *network = work->network;
    const fn_delta custom = work->training->delta;
    const FN(workspace) *w = &work->w;
    const size_t L = network->layers, *sizes = network->sizes;
    const size_t stride = w->places[L - 1].stride;
    size_t s0;
    const size_t s1 = FN(local_examples)(work, m, &s0);
    const double *weights = w->weights ? w->weights + s0 : NULL;
    real *delta = w->delta[L] + s0 * stride;
    if (custom.call) {
        memset(delta, 0, m * stride * sizeof(real));
        const uint64_t flushing = fn_keep_subnormals();
        const int failed = custom.call(custom.context, m, sizes[L], stride, w->z, w->a[L], w->y, delta);
        fn_restore_subnormals(flushing);
        if (failed)
            return failed;
        for (size_t s = 0; s < m; s++) {
            const double weight = weights ? weights[s] : 1;
            for (size_t i = s * stride; i < (s + 1) * stride; i++)
                delta[i] = weight > 0 ? delta[i] * (real)(factor * weight) : 0;
        }
    } else {
        FN(output_error)(network, s1 - s0, factor, weights, w->a[L] + s0 * stride,
                         w->y + s0 * stride, delta);
    }
    for (size_t l = L - 1; l > 0; l--)
        FN(backprop_layer)(work, l, m, parameters + w->places[l].weights);
    if (scale != 1)
        FN(apply_scale)(s1 - s0, sizes[1], w->places[0].stride, (real)(1 / scale),
                        w->delta[1] + s0 * w->places[0].stride);
    return 0;
}

/* The first layer of weights, sparse: for this thread's outputs. */
static void FN(change_by_lists)(FN(thread_context) *work, size_t m, FN(step_coefficients) step,
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

/* All parameters, pads among them. */
static size_t FN(n_parameters)(const FN(thread_context) *work)
{
    const fn_place *last = work->w.places + work->network->layers - 1;
    return last->biases + last->stride;
}

/* Update the first layer's weights by blocks; an optimizer gets a few gradient rows at a time. */
static void FN(change_by_blocks)(FN(thread_context) *work, size_t first, size_t m,
                                 FN(step_coefficients) step, real *target)
{
    FN(workspace) *w = &work->w;
    const fn_ordered_examples ordered = FN(ordered_examples)(work);
    const size_t n_in = work->network->sizes[0], stride = w->places[0].stride;
    const int plain = step.optimizer == FN_PLAIN;
    size_t n;
    const size_t from = FN(local_neurons)(work, work->network->sizes[1], &n);
    const size_t at = w->places[0].weights + from;
    const size_t rows = plain ? n_in : work->plan->streamed_rows;
    const size_t width = fn_lines(n, sizeof(real));
    const int alone = work->team->threads == 1; /* then the rows are one run */
    if (plain)
        FN(decay)(n_in, n, stride, step.decay_fraction, step.l1_step, target + at);
    for (size_t s = 0, round; s < m && n > 0; s += round) {
        const real *delta = w->delta[1] + s * stride + from;
        round = fn_next(m - s, FN_BLOCK);
        FN(make_blocks)(&ordered, first + s, round, &w->blocks);
#ifdef FN_EXPAND
        if (work->examples->masks)
            FN(transpose_masks)(&w->blocks);
#endif
        for (size_t i = 0, end; i < n_in; i = end) {
            end = n_in - i < rows ? n_in : i + rows;
            real *changed = plain ? target + at + i * stride : w->nabla;
            FN(update_of_blocks)(&w->blocks, i, end, n, stride, delta, changed);
            if (plain)
                continue;
            const size_t all = (end - i) * stride, run = alone ? all : stride;
            for (size_t j = 0; j < all; j += run)
                FN(optimizer_step)(work->training, step, at + i * stride + j, alone ? all : width,
                                   1, FN(n_parameters)(work), target, changed + j);
        }
    }
}

/* Rows of weights between two prefetches of the next examples. */
#define FN_FEW_ROWS (16 * FN_TILE_ROWS)

/* A layer of weights, dense: for this thread's inputs; if in parts, the next mini-batch's inputs are
 * prefetched in between. */
static void FN(change_dense)(FN(thread_context) *work, size_t l, size_t next, size_t m,
                             FN(step_coefficients) step, real *target)
{
    const FN(workspace) *w = &work->w;
    const size_t *sizes = work->network->sizes, stride = w->places[l].stride;
    const size_t from = fn_part(sizes[l], FN_TILE_ROWS, work->thread, work->team->threads);
    const size_t to = fn_part(sizes[l], FN_TILE_ROWS, work->thread + 1, work->team->threads);
    uint32_t *kept = l ? NULL : w->kept; /* not NULL: this thread is alone */
    const fn_layer_plan *layer = work->step->layers + l;
    const size_t most = layer->update_in_parts ? FN_FEW_ROWS : to - from;
    const int plain = step.optimizer == FN_PLAIN;
    size_t s, share = FN(local_examples)(work, m, &s);
    share -= s;
    const size_t soon = s += next;
    for (size_t i = from, end, c = from, n; i < to; i = end, c += n) {
        /* n columns from c on, of the inputs i to end; some of them may not be kept */
        const size_t left = kept ? w->n_kept - c : to - c;
        n = left < most ? left : most;
        end = n == left ? to : kept ? kept[c + n] : i + n;
        const size_t at = w->places[l].weights + i * stride;
        real *changed = plain ? target + at : w->nabla;
        for (size_t k = c; kept && k < c + n; k++)
            kept[k] -= (uint32_t)i;
        if (plain)
            FN(decay)(end - i, sizes[l + 1], stride, step.decay_fraction, step.l1_step, changed);
        if (n > 0)
            FN(update_of)(m, n, kept ? kept + c : NULL, sizes[l + 1], w->a[l] + c,
                          w->a_strides[l], w->delta[l + 1], changed, layer,
                          w->scratch);
        if (!plain)
            FN(optimizer_step)(work->training, step, at, (end - i) * stride, 1,
                               FN(n_parameters)(work), target, changed);
        if (l > 0 || !work->order || !work->plan->prefetches_examples)
            continue;
        size_t until = end < to ? soon + share * (end - from) / (to - from) : soon + share;
        until = until < work->n_order ? until : work->n_order;
        for (; s < until; s++)
            FN(prefetch_example)(work->examples, sizes[0], (size_t)work->order[s]);
    }
}

/* A layer's biases; their errors are multiplied by times. */
static void FN(change_biases)(FN(thread_context) *work, size_t l, size_t m,
                              FN(step_coefficients) step, real times, real *target)
{
    const FN(workspace) *w = &work->w;
    const fn_place *at = w->places + l;
    const size_t *sizes = work->network->sizes;
    const int plain = step.optimizer == FN_PLAIN;
    real *changed = plain ? target + at->biases : w->nabla;
    FN(update_biases)(m, sizes[l + 1], at->stride, w->delta[l + 1], times, changed);
    if (!plain)
        FN(optimizer_step)(work->training, step, at->biases, at->stride, 0, FN(n_parameters)(work),
                           target, changed);
}

/* Apply the deferred scale to this thread's share of the first layer's weights. */
static void FN(apply_first_scale)(FN(thread_context) *work, real *weights)
{
    const size_t stride = work->w.places[0].stride, *sizes = work->network->sizes;
    const real scale = (real)work->scale;
    size_t n;
    work->scale = 1;
    if (work->plan->entry != FN_ENTER_DENSE) {
        const size_t from = FN(local_neurons)(work, sizes[1], &n);
        FN(apply_scale)(sizes[0], n, stride, scale, weights + from);
        return;
    }
    const size_t from = fn_part(sizes[0], FN_TILE_ROWS, work->thread, work->team->threads);
    const size_t to = fn_part(sizes[0], FN_TILE_ROWS, work->thread + 1, work->team->threads);
    FN(apply_scale)(to - from, sizes[1], stride, scale, weights + from * stride);
}

/* target += factor * (the weighted sum of the gradients of the m examples at `parameters`),
 * after the decay of `step`; target may be parameters. All of the team take part. */
static int FN(step)(FN(thread_context) *work, const real *parameters, real *target, size_t first, size_t m,
                    double factor, const FN(step_coefficients) *given)
{
    const fn_network *network = work->network;
    FN(workspace) *w = &work->w;
    FN(step_coefficients) step = *given;
    size_t s0;
    const size_t s1 = FN(local_examples)(work, m, &s0);
    work->step = fn_step_of(work->plan, m);
    const double scale = step.lazy_decay ? work->scale * (1 - step.decay) : work->scale;
    FN(gather_targets)(network, work->examples, work->order, first + s0, s1 - s0,
                       w->y + s0 * w->places[network->layers - 1].stride);
    if (w->weights)
        FN(gather_weights)(work->examples, work->order, first + s0, s1 - s0, w->weights + s0);
    FN(gather)(work, first, s0, s1);
    FN(forward)(work, parameters, first, m);
    const int failed = FN(backward)(work, parameters, m, factor, scale);
    if (failed)
        return failed;
    work->scale = scale;
    fn_wait_for_team(work->team);
    if (work->cost && work->thread == 0)
        *work->cost += FN(cost_sum)(network, m, w->weights, w->z, w->y);
    for (size_t l = network->layers; l-- > 0;) /* before the weights: no later load depends on them */
        if (work->thread == l % work->team->threads)
            FN(change_biases)(work, l, m, step, l == 0 ? (real)scale : 1, target);
    for (size_t l = network->layers; l-- > 0;) {
        const fn_place *at = w->places + l;
        if (l == 0 && step.lazy_decay)
            step.decay_fraction = 0;
        if (l > 0 || work->plan->entry == FN_ENTER_DENSE)
            FN(change_dense)(work, l, first + m, m, step, target);
        else if (work->plan->entry == FN_ENTER_BLOCKS)
            FN(change_by_blocks)(work, first, m, step, target);
        else
            FN(change_by_lists)(work, m, step, target + at->weights);
    }
    if (scale < FN_LEAST_SCALE)
        FN(apply_first_scale)(work, target + w->places[0].weights);
    fn_wait_for_team(work->team);
    return 0;
}

/* nabla += factor * gradient of the examples first .. first+n, piece by piece. */
static int FN(accumulate)(FN(thread_context) *work, const real *parameters, real *nabla, size_t first,
                          size_t n, double factor)
{
    for (size_t k = 0, piece; k < n; k += piece) {
        piece = n - k < work->plan->piece ? n - k : work->plan->piece;
        const int failed = FN(step)(work, parameters, nabla, first + k, piece, factor,
                                    &(FN(step_coefficients)){0});
        if (failed)
            return failed;
    }
    return 0;
}

/* This thread's share of the parameters takes a step by nabla, which is zero afterwards. */
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

/* The arguments of train, for all of the team. */
typedef struct {
    FN(thread_context) work;              /* the common part */
    real *parameters;
    size_t passes;
    void *memory;
    size_t until;               /* mini-batches until the next poll; 0: stop */
    int goes_on;                /* the parameters were finite after a pass */
    int failed;
} FN(train_args);

/* Whether the call goes on after the callbacks. If they need consistent weights, the deferred scale
 * of the first layer's is applied for them and taken back afterwards: the results must not depend on
 * how often it is polled. */
static int FN(run_callbacks)(const FN(thread_context) *work, real *parameters, size_t done)
{
    const fn_place *first = work->w.places;
    const size_t *sizes = work->network->sizes;
    real *weights = parameters + first->weights;
    const size_t size = sizes[0] * first->stride * sizeof(real);
    const fn_poll poll = work->training->poll;
    if (work->scale == 1 || !fn_needs_consistent_weights(poll))
        return fn_run_callbacks(poll, done);
    memcpy(work->w.weights_backup, weights, size);
    FN(apply_scale)(sizes[0], sizes[1], first->stride, (real)work->scale, weights);
    const int goes_on = fn_run_callbacks(poll, done);
    memcpy(weights, work->w.weights_backup, size);
    return goes_on;
}

/* One thread polls for all of the team, which waits meanwhile; returns the mini-batches until the
 * next poll, or 0: stop. */
static size_t FN(poll_now)(const FN(thread_context) *work, FN(train_args) *args, size_t done)
{
    const fn_poll poll = work->training->poll;
    if (work->thread == 0) {
        args->until = poll.poll_due(poll.context);
        if (args->until == 0 && FN(run_callbacks)(work, args->parameters, done))
            args->until = poll.poll_due(poll.context);
    }
    fn_wait_for_team(work->team);
    return args->until;
}

/* The mini-batches at positions first .. end of the order; one of them ends at `end`. */
FN_INLINE int FN(mini_batches)(FN(thread_context) *work, const FN(train_args) *args, size_t first,
                               size_t end)
{
    const fn_training *t = work->training;
    const fn_plan *plan = work->plan;
    const size_t m = plan->m;
    const int plain = t->optimizer == FN_PLAIN;
    FN(step_coefficients) step;
    int failed = 0;
    for (size_t k = first; k < end && !failed; k += m) {
        const size_t size = end - k < m ? end - k : m;
        work->cost = t->costs ? t->costs + k / m : NULL;
        const double sum = FN(sum_of_weights)(work->examples, work->order, k, size);
        const double factor = sum > 0 ? (plain ? -t->eta : 1) / sum : 0;
        if (k == first || !plain || t->divide_l2)
            step = FN(step_coefficients_of)(t, sum, t->steps + k / m + 1);
        step.lazy_decay = plan->lazy_decay && step.decay > 0 && step.decay < FN_MOST_DECAY;
        if (plan->gradient != FN_COLLECTED_GRADIENT) {
            failed = FN(step)(work, args->parameters, args->parameters, k, size, factor, &step);
            continue;
        }
        failed = FN(accumulate)(work, args->parameters, work->w.nabla, k, size, factor);
        if (!failed)
            FN(step_by_gradient)(work, step, args->parameters);
    }
    return failed;
}

/* The pass e of the call as a training of its own. */
static fn_training FN(training_of_pass)(const fn_training *training, size_t e, size_t mini_batches)
{
    fn_training pass = *training;
    pass.steps += e * mini_batches;
    pass.costs = training->costs ? training->costs + e * mini_batches : NULL;
    pass.key = training->keys ? training->keys[e] : training->key;
    return pass;
}

/* Record that the pass e of the call is complete. Whether another may begin. */
static int FN(record_pass)(const FN(thread_context) *work, FN(train_args) *args, size_t e)
{
    const fn_training *t = work->training;
    const size_t n = FN(n_parameters)(work);
    if (t->n_complete && work->thread == 0) {
        args->goes_on = isfinite(FN(max_abs)(n, args->parameters));
        if (args->goes_on && t->n_snapshots > 0)
            memcpy((real *)t->snapshots + e % t->n_snapshots * n, args->parameters, n * sizeof(real));
        *t->n_complete += args->goes_on;
    }
    fn_wait_for_team(work->team);
    return args->goes_on;
}

/* What each thread of the team runs. */
FN_INLINE void FN(train_together)(fn_team *team, size_t thread, FN(train_args) *args)
{
    FN(thread_context) work = args->work;
    const fn_training *t = work.training;
    const size_t n = work.n_order, m = work.plan->m, mini_batches = (n + m - 1) / m;
    work.team = team, work.thread = thread;
    if (thread == 0)
        work.w = FN(open_workspace)(work.plan, work.examples, t, team->threads, 0, args->memory);
    fn_wait_for_team(team);
    if (thread > 0)
        work.w = FN(open_workspace)(work.plan, work.examples, t, team->threads, thread, args->memory);
    work.scale = 1;
    size_t until = t->poll.poll_due ? 1 : SIZE_MAX; /* mini-batches until the next poll */
    int failed = 0, goes_on = 1;
    for (size_t e = 0; e < args->passes && goes_on; e++, work.order += n) {
        const fn_training pass = FN(training_of_pass)(t, e, mini_batches);
        work.training = &pass;
        for (size_t k = 0; k < n && goes_on;) {
            if (until == 0 && !(until = FN(poll_now)(&work, args, e * n + k))) {
                goes_on = 0;
                break;
            }
            const size_t left = (n - k + m - 1) / m, now = left < until ? left : until;
            const size_t end = now == left ? n : k + now * m;
            failed = FN(mini_batches)(&work, args, k, end);
            goes_on = !failed;
            until -= now;
            k = end;
        }
        if (work.scale != 1)
            FN(apply_first_scale)(&work, args->parameters + work.w.places[0].weights);
        fn_wait_for_team(team);
        if (goes_on)
            goes_on = FN(record_pass)(&work, args, e);
    }
#ifdef FN_DEBUG
    fn_wait_for_team(team);
#endif
    if (thread > 0)
        return;
    args->failed = failed;
    FN(check_workspace)(work.plan, work.examples, t, team->threads, args->memory);
}

static void FN(train_member)(fn_team *team, size_t thread, void *context)
{
    FN(train_together)(team, thread, context);
}

static int FN(train)(const fn_plan *plan, real *parameters, const fn_examples *examples,
                     const int64_t *order, size_t passes, const fn_training *training, void *memory)
{
    FN(train_args) args = {
        .work = {.plan = plan, .network = plan->network, .examples = examples, .order = order,
                 .n_order = plan->n, .training = training},
        .parameters = parameters, .passes = passes, .memory = memory, .goes_on = 1,
    };
    FN_ASSERT(plan->call == FN_CALL_TRAIN && FN(parameters_hold)(plan->network, parameters));
    FN_ASSERT(!training->delta.call || plan->threads == 1);
    FN_ASSERT(fn_training_holds(training, plan->network->sizes[0]));
    FN_ASSERT(fn_examples_hold(examples, plan->network->sizes[0]));
    FN_ASSERT(fn_order_holds(order, passes * plan->n, examples->n));
    if (plan->threads > 1)
        fn_run_team(plan->threads, FN(train_member), &args);
    else
        FN(train_together)(&(fn_team){.threads = 1}, 0, &args);
    FN_ASSERT(FN(parameters_hold)(plan->network, parameters));
    return args.failed;
}

static int FN(gradient)(const fn_plan *plan, const real *parameters, const fn_examples *examples,
                        real *nabla, fn_delta delta, fn_poll poll, void *memory)
{
    fn_team alone = {.threads = 1};
    const fn_training training = {.delta = delta};
    FN(thread_context) work = {
        .plan = plan, .network = plan->network, .examples = examples, .n_order = plan->n,
        .training = &training, .team = &alone, .scale = 1,
        .w = FN(open_workspace)(plan, examples, NULL, 1, 0, memory),
    };
    size_t until = poll.poll_due ? 1 : SIZE_MAX;
    int failed = 0;
    FN_ASSERT(plan->call == FN_CALL_GRADIENT && plan->n == examples->n);
    FN_ASSERT(FN(parameters_hold)(plan->network, parameters));
    FN_ASSERT(fn_examples_hold(examples, plan->network->sizes[0]));
    memset(nabla, 0, FN(n_parameters)(&work) * sizeof(real));
    for (size_t k = 0, piece; k < plan->n && !failed; k += piece, until--) {
        if (until == 0 && !(until = fn_poll_now(poll, k)))
            break;
        piece = plan->n - k < plan->piece ? plan->n - k : plan->piece;
        failed = FN(accumulate)(&work, parameters, nabla, k, piece, 1);
    }
    FN(check_workspace)(plan, examples, NULL, 1, memory);
    return failed;
}

#endif
