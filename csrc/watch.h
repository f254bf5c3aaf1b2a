/* Asking the watch of a call, see fastnet.h. */
#ifndef FASTNET_WATCH_H
#define FASTNET_WATCH_H

#include "fastnet.h"
#include "simd.h"

/* Whether it lets the kernel go on; it computes with subnormal numbers, as all code outside of the
 * kernels. */
static inline int fn_tell(fn_watch watch, size_t done)
{
    const uint64_t flushing = fn_keep_subnormals();
    const int ends = watch.call(watch.context, done);
    fn_restore_subnormals(flushing);
    return !ends;
}

/* When to ask again, in mini-batches or pieces; 0: the call is to end. */
static inline size_t fn_ask(fn_watch watch, size_t done)
{
    const size_t until = watch.until(watch.context);
    return until ? until : fn_tell(watch, done) ? watch.until(watch.context) : 0;
}

#endif
