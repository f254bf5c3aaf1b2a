/* Polling during a call, see fn_poll in fastnet.h. The caller's code runs with subnormal numbers
 * enabled, like all code outside the kernels. */
#ifndef FASTNET_CORE_POLL_H
#define FASTNET_CORE_POLL_H

#include "fastnet.h"
#include "simd/subnormals.h"

/* Returns whether the callbacks read the parameters. */
static inline int fn_needs_consistent_weights(fn_poll poll)
{
    const uint64_t flushing = fn_keep_subnormals();
    const int needed = poll.needs_consistent_weights(poll.context);
    fn_restore_subnormals(flushing);
    return needed;
}

/* Run the callbacks; returns whether the call continues. */
static inline int fn_run_callbacks(fn_poll poll, size_t done)
{
    const uint64_t flushing = fn_keep_subnormals();
    const int ends = poll.run_callbacks(poll.context, done);
    fn_restore_subnormals(flushing);
    return !ends;
}

/* Poll; returns the number of mini-batches or pieces until the next poll; 0: the call must end. */
static inline size_t fn_poll_now(fn_poll poll, size_t done)
{
    const size_t due = poll.poll_due(poll.context);
    return due ? due : fn_run_callbacks(poll, done) ? poll.poll_due(poll.context) : 0;
}

#endif
