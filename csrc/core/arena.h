/* Consecutive arrays in the caller's memory, each aligned to a cache line.
 *
 * In debug builds a guard of one cache line follows each array; fn_arena_alloc fills or checks it,
 * as `guards` says, so writes past the end of an array are detected at the end of the call. */
#ifndef FASTNET_CORE_ARENA_H
#define FASTNET_CORE_ARENA_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"

typedef enum { FN_LEAVE_GUARDS, FN_FILL_GUARDS, FN_CHECK_GUARDS } fn_guards;

typedef struct {
    char *memory;       /* aligned to 64, or NULL to compute the size only */
    size_t used;        /* bytes so far */
    fn_guards guards;
} fn_arena;

#ifdef FN_DEBUG
enum { FN_GUARD_BYTES = 64, FN_GUARD = 0xA5 };

static inline void fn_guard(fn_arena *arena)
{
    char *guard = arena->memory + arena->used;
    arena->used += FN_GUARD_BYTES;
    if (!arena->memory || arena->guards == FN_LEAVE_GUARDS)
        return;
    if (arena->guards == FN_FILL_GUARDS)
        memset(guard, FN_GUARD, FN_GUARD_BYTES);
    for (size_t i = 0; i < FN_GUARD_BYTES; i++)
        FN_ASSERT((unsigned char)guard[i] == FN_GUARD);
}
#else
static inline void fn_guard(fn_arena *arena) { (void)arena; }
#endif

/* Returns the next array, of `bytes` bytes, rounded up to whole cache lines; NULL if memory is. */
static inline void *fn_arena_alloc(fn_arena *arena, size_t bytes)
{
    const size_t at = arena->used;
    FN_ASSERT((uintptr_t)arena->memory % 64 == 0);
    arena->used += (bytes + 63) / 64 * 64;
    fn_guard(arena);
    return arena->memory ? arena->memory + at : NULL;
}

#endif
