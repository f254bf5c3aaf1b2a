/* The threads of one call of a kernel. */
#ifndef FASTNET_CORE_THREADS_H
#define FASTNET_CORE_THREADS_H

#include <stdatomic.h>
#include <stddef.h>

/* A group of threads; every member runs the same code on its share. */
typedef struct {
    size_t threads;
    atomic_size_t arrived;
    atomic_size_t round;
} fn_team;

/* Run body(team, thread, context) on `threads` threads, including this one; at most
 * FN_MOST_THREADS, and fewer if the system does not start more. All threads end with the call. */
void fn_run_team(size_t threads, void (*body)(fn_team *team, size_t thread, void *context),
                 void *context);

/* Wait for all members of the team. */
void fn_wait_for_team(fn_team *team);

#endif
