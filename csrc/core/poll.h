/* Polling during a call, see fn_poll in fastnet.h. Code of the caller runs with subnormal numbers,
 * as all code outside of the kernels. */
#ifndef FASTNET_CORE_POLL_H
#define FASTNET_CORE_POLL_H

#include "fastnet.h"
#include "simd/subnormals.h"

/* Whether the callbacks read the parameters. */
static inline int fn_needs_consistent_weights(fn_poll poll)
{
    const uint64_t flushing = fn_keep_subnormals();
    const int needed = poll.needs_consistent_weights(poll.context);
    fn_restore_subnormals(flushing);
    return needed;
}

/* Whether the call goes on. */
static inline int fn_run_callbacks(fn_poll poll, size_t done)
{
    const uint64_t flushing = fn_keep_subnormals();
    const int ends = poll.run_callbacks(poll.context, done);
    fn_restore_subnormals(flushing);
    return !ends;
}

/* In how many mini-batches or pieces to poll again; 0: the call is to end. */
static inline size_t fn_poll_now(fn_poll poll, size_t done)
{
    const size_t due = poll.poll_due(poll.context);
    return due ? due : fn_run_callbacks(poll, done) ? poll.poll_due(poll.context) : 0;
}

#endif
