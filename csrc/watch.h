/* Asking the watch of a call, see fastnet.h. */
#ifndef FASTNET_WATCH_H
#define FASTNET_WATCH_H

#include "fastnet.h"
#include "simd.h"

/* Its answer; it computes with subnormal numbers, as all code outside of the kernels. */
static inline size_t fn_ask(fn_watch watch, size_t done)
{
    const uint64_t flushing = fn_keep_subnormals();
    const size_t until = watch.call(watch.context, done);
    fn_restore_subnormals(flushing);
    return until;
}

#endif
