/* The gradient and the cost of all examples together, for methods that need both at each point,
 * such as L-BFGS.
 *
 * Examples are computed in pieces of FN_PIECE, in their order. As in the mini-batch loop, the
 * threads of a team share each piece, and each element of the gradient is computed by one of them,
 * so the bits do not depend on the number of threads. */
#ifndef FASTNET_NET_GRADIENT_H
#define FASTNET_NET_GRADIENT_H

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
#include "simd/vec.h"

/* The arguments of gradient, shared by the team. */
typedef struct {
    FN(thread_context) work;    /* what is the same for all threads */
    const real *parameters;
    real *nabla;
    void *memory;
    size_t until;               /* pieces until the next poll; 0: stop */
    int failed;
} FN(gradient_args);

/* The function that each thread of the team runs. */
static void FN(gradient_member)(fn_team *team, size_t thread, void *context)
{
    FN(gradient_args) *args = context;
    FN(thread_context) work = args->work;
    const fn_plan *plan = work.plan;
    FN(open_member)(&work, team, thread, args->memory);
    if (thread == 0) /* the others wait for this thread before they write to nabla */
        memset(args->nabla, 0, FN(n_parameters)(&work) * sizeof(real));
    size_t until = work.training->poll.poll_due ? 1 : SIZE_MAX;
    int failed = 0;
    for (size_t k = 0, piece; k < plan->n && !failed; k += piece, until--) {
        if (until == 0)
            until = FN(poll_together)(&work, NULL, k, &args->until);
        if (until == 0)
            break;
        piece = plan->n - k < plan->piece ? plan->n - k : plan->piece;
        failed = FN(accumulate)(&work, args->parameters, args->nabla, k, piece, 1);
    }
    if (thread == 0)
        args->failed = failed;
    FN(close_member)(&work, args->memory);
}

static int FN(gradient)(const fn_plan *plan, const real *parameters, const fn_examples *examples,
                        real *nabla, double *cost, const fn_training *callbacks, void *memory)
{
    const fn_training training = {.delta = callbacks->delta, .poll = callbacks->poll};
    FN(gradient_args) args = {
        .work = {.plan = plan, .network = plan->network, .examples = examples, .n_order = plan->n,
                 .training = &training, .scale = 1, .cost = cost},
        .parameters = parameters, .nabla = nabla, .memory = memory,
    };
    FN_ASSERT(plan->call == FN_CALL_GRADIENT && plan->n == examples->n);
    FN_ASSERT(!training.delta.call || (plan->threads == 1 && !cost));
    FN_ASSERT(FN(parameters_hold)(plan->network, parameters));
    FN_ASSERT(fn_examples_hold(examples, plan->network->sizes[0]));
    FN_ASSERT(fn_targets_hold(examples, plan->network->sizes[plan->network->layers]));
    if (cost)
        *cost = 0;
    if (plan->threads > 1)
        fn_run_team(plan->threads, FN(gradient_member), &args);
    else
        FN(gradient_member)(&(fn_team){.threads = 1}, 0, &args);
    return args.failed;
}

#endif
