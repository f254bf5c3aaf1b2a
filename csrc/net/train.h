/* The call train: threads, passes over the examples, the caller's callbacks. */
#ifndef FASTNET_NET_TRAIN_H
#define FASTNET_NET_TRAIN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "core/plan.h"
#include "core/threads.h"
#include "fastnet.h"
#include "net/context.h"
#include "net/member.h"
#include "net/minibatch.h"
#include "net/update.h"
#include "ops/activation.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* The arguments of train, shared by the team. */
typedef struct {
    FN(thread_context) work;    /* what is the same for all threads */
    real *parameters;
    size_t passes;
    void *memory;
    size_t until;               /* mini-batches until the next poll; 0: stop */
    int goes_on;                /* the parameters were finite after the last pass */
    int failed;                 /* what the delta callback returned */
} FN(train_args);

/* Returns the settings of pass e of the call: those of the training with this pass's number of
 * steps, costs and key. */
static fn_training FN(training_of_pass)(const fn_training *training, size_t e, size_t mini_batches)
{
    fn_training pass = *training;
    pass.steps += e * mini_batches;
    pass.costs = training->costs ? training->costs + e * mini_batches : NULL;
    pass.key = training->keys ? training->keys[e] : training->key;
    return pass;
}

/* Record that pass e of the call is complete; returns whether another pass may begin. */
static int FN(record_pass)(const FN(thread_context) *work, FN(train_args) *args, size_t e)
{
    const fn_training *t = work->training;
    const size_t n = FN(n_parameters)(work);
    if (t->n_complete && work->thread == 0) {
        args->goes_on = isfinite(FN(max_abs)(n, args->parameters));
        if (args->goes_on && t->n_snapshots > 0)
            memcpy((real *)t->snapshots + e % t->n_snapshots * n, args->parameters,
                   n * sizeof(real));
        *t->n_complete += args->goes_on;
    }
    fn_wait_for_team(work->team);
    return args->goes_on;
}

/* Compute all passes on this thread; returns what the delta callback returned. */
FN_INLINE int FN(run_passes)(FN(thread_context) *work, FN(train_args) *args)
{
    const fn_training *t = work->training;
    const size_t n = work->n_order, m = work->plan->m, mini_batches = (n + m - 1) / m;
    size_t until = t->poll.poll_due ? 1 : SIZE_MAX; /* mini-batches until the next poll */
    int failed = 0, goes_on = 1;
    for (size_t e = 0; e < args->passes && goes_on; e++, work->order += n) {
        const fn_training pass = FN(training_of_pass)(t, e, mini_batches);
        work->training = &pass;
        for (size_t k = 0; k < n && goes_on;) {
            if (until == 0)
                until = FN(poll_together)(work, args->parameters, e * n + k, &args->until);
            if (until == 0) {
                goes_on = 0;
                break;
            }
            const size_t left = (n - k + m - 1) / m, now = left < until ? left : until;
            const size_t end = now == left ? n : k + now * m;
            failed = FN(mini_batches)(work, args->parameters, k, end);
            goes_on = !failed;
            until -= now;
            k = end;
        }
        if (work->scale != 1)
            FN(apply_first_scale)(work, args->parameters + work->w.places[0].weights);
        fn_wait_for_team(work->team);
        if (goes_on)
            goes_on = FN(record_pass)(work, args, e);
    }
    work->training = t;
    return failed;
}

/* The function that each thread of the team runs. */
FN_INLINE void FN(train_together)(fn_team *team, size_t thread, FN(train_args) *args)
{
    FN(thread_context) work = args->work;
    work.scale = 1;
    FN(open_member)(&work, team, thread, args->memory);
    const int failed = FN(run_passes)(&work, args);
    if (thread == 0)
        args->failed = failed;
    FN(close_member)(&work, args->memory);
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
    FN_ASSERT(fn_targets_hold(examples, plan->network->sizes[plan->network->layers]));
    FN_ASSERT(fn_order_holds(order, passes * plan->n, examples->n));
    if (plan->threads > 1)
        fn_run_team(plan->threads, FN(train_member), &args);
    else
        FN(train_together)(&(fn_team){.threads = 1}, 0, &args);
    FN_ASSERT(FN(parameters_hold)(plan->network, parameters));
    return args.failed;
}

#endif
