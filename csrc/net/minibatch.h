/* The mini-batch loop: gather, forward, output error, back-propagate, update.
 *
 * The plain optimizer stores no gradient: the output error is multiplied once by -eta/m (by -eta
 * times the example's share of the total weight, if examples have weights), so every error below
 * has this factor, and each layer's update adds a^T delta to the weights. All errors are
 * back-propagated before any weight changes, so all gradients are those of the weights before the
 * mini-batch. The other optimizers receive the gradient of some rows of a layer at a time. The
 * whole gradient is collected first in two cases only: the mini-batch is computed in several
 * pieces; or the optimizer is not the plain one, and the first layer is computed by lists or by
 * more than one round of blocks (input/block.h).
 *
 * The threads of a team (fn_team) share a mini-batch. Each computes the activations and errors of
 * its examples (in a large layer, of its neurons, see local_share). When all have finished, each
 * updates its share of the weights. Each element is computed by one thread, in the same order as
 * with a single thread, so the bits do not depend on the number of threads.
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_NET_MINIBATCH_H
#define FASTNET_NET_MINIBATCH_H

#include <stdint.h>

#include "core/plan.h"
#include "core/threads.h"
#include "fastnet.h"
#include "input/examples.h"
#include "net/backward.h"
#include "net/context.h"
#include "net/forward.h"
#include "net/update.h"
#include "net/workspace.h"
#include "ops/cost.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* target += factor * (the weighted sum of the gradients of the m examples at `parameters`),
 * after the decay of `step`; target may be parameters. Every thread of the team must call it.
 * Returns what the delta callback returned. */
static int FN(step)(FN(thread_context) *work, const real *parameters, real *target, size_t first,
                    size_t m, double factor, const FN(step_coefficients) *step)
{
    const fn_network *network = work->network;
    FN(workspace) *w = &work->w;
    size_t s0;
    const size_t s1 = FN(local_examples)(work, m, &s0);
    work->step = fn_step_of(work->plan, m);
    const double scale = step->lazy_decay ? work->scale * (1 - step->decay) : work->scale;
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
    FN(update_layers)(work, first, m, *step, scale, target);
    if (scale < FN_LEAST_SCALE)
        FN(apply_first_scale)(work, target + w->places[0].weights);
    fn_wait_for_team(work->team);
    return 0;
}

/* nabla += factor * (the gradient of the examples at positions first to first + n - 1), piece by
 * piece. Returns what the delta callback returned. */
static int FN(accumulate)(FN(thread_context) *work, const real *parameters, real *nabla,
                          size_t first, size_t n, double factor)
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

/* Train on the mini-batches at positions first to end - 1 of the order; one must end at `end`.
 * Returns what the delta callback returned. */
FN_INLINE int FN(mini_batches)(FN(thread_context) *work, real *parameters, size_t first, size_t end)
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
            failed = FN(step)(work, parameters, parameters, k, size, factor, &step);
            continue;
        }
        failed = FN(accumulate)(work, parameters, work->w.nabla, k, size, factor);
        if (!failed)
            FN(step_by_gradient)(work, step, parameters);
    }
    return failed;
}

#endif
