/* A thread of a team in the calls train and gradient: its workspace, and polling. */
#ifndef FASTNET_NET_MEMBER_H
#define FASTNET_NET_MEMBER_H

#include <string.h>

#include "core/plan.h"
#include "core/poll.h"
#include "core/threads.h"
#include "fastnet.h"
#include "net/context.h"
#include "net/workspace.h"
#include "ops/optimizer.h"
#include "simd/vec.h"

/* Make *work, which holds what is the same for all threads, that of this thread. Every thread of
 * the team must call it, since thread 0 opens the workspace first. */
static void FN(open_member)(FN(thread_context) *work, fn_team *team, size_t thread, void *memory)
{
    work->team = team, work->thread = thread;
    if (thread > 0)
        fn_wait_for_team(team);
    work->w = FN(open_workspace)(work->plan, work->examples, work->training, team->threads, thread,
                                 memory);
    if (thread == 0)
        fn_wait_for_team(team);
}

/* In debug builds: check the workspace, when all threads have finished with it. */
static void FN(close_member)(const FN(thread_context) *work, void *memory)
{
#ifdef FN_DEBUG
    fn_wait_for_team(work->team);
#endif
    if (work->thread == 0)
        FN(check_workspace)(work->plan, work->examples, work->training, work->team->threads,
                            memory);
}

/* Run the callbacks; returns whether the call continues. If the callbacks need consistent weights,
 * the deferred scale is applied to the first layer's weights before, and the stored weights are
 * restored afterwards: the results must not depend on how often callbacks run. */
static int FN(run_callbacks)(const FN(thread_context) *work, real *parameters, size_t done)
{
    const fn_place *first = work->w.places;
    const size_t *sizes = work->network->sizes;
    const size_t size = sizes[0] * first->stride * sizeof(real);
    const fn_poll poll = work->training->poll;
    if (work->scale == 1 || !fn_needs_consistent_weights(poll))
        return fn_run_callbacks(poll, done);
    real *weights = parameters + first->weights;
    memcpy(work->w.weights_backup, weights, size);
    FN(apply_scale)(sizes[0], sizes[1], first->stride, (real)work->scale, weights);
    const int goes_on = fn_run_callbacks(poll, done);
    memcpy(weights, work->w.weights_backup, size);
    return goes_on;
}

/* The first thread polls, and the others wait for it. parameters: NULL unless the scale may differ
 * from 1; until: shared by the team. Returns the number of mini-batches, or pieces, until the next
 * poll; 0: the call must end. */
static size_t FN(poll_together)(const FN(thread_context) *work, real *parameters, size_t done,
                                size_t *until)
{
    const fn_poll poll = work->training->poll;
    if (work->thread == 0) {
        *until = poll.poll_due(poll.context);
        if (*until == 0 && FN(run_callbacks)(work, parameters, done))
            *until = poll.poll_due(poll.context);
    }
    fn_wait_for_team(work->team);
    return *until;
}

#endif
