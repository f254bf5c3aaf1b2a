/* Threads exist for one call only, since a forked process does not have the threads of its parent;
 * starting them takes little time compared with an epoch. */
#include <pthread.h>
#include <sched.h>

#include "core/check.h"
#include "fastnet.h"
#include "simd/subnormals.h"
#include "core/threads.h"

/* A waiting thread spins for about ten microseconds, the usual difference between the times that
 * equal shares take. Then it yields, since there may be fewer cores than threads. */
enum { SPINS = 4096 };

typedef struct {
    fn_team *team;
    void (*body)(fn_team *, size_t, void *);
    void *context;
    size_t thread;
    atomic_size_t *started; /* 0 until the start, then the number of threads */
} member;

static void *run_member(void *argument)
{
    const member *own = argument;
    for (size_t spins = 0; atomic_load_explicit(own->started, memory_order_acquire) == 0; spins++)
        if (spins > SPINS)
            sched_yield();
    const uint64_t before = fn_flush_subnormals();
    own->body(own->team, own->thread, own->context);
    fn_restore_subnormals(before);
    return NULL;
}

void fn_run_team(size_t threads, void (*body)(fn_team *, size_t, void *), void *context)
{
    fn_team team = {.threads = 1};
    atomic_size_t started = 0;
    FN_ASSERT(threads >= 1);
    member members[FN_MOST_THREADS];
    pthread_t ids[FN_MOST_THREADS];
    for (size_t t = 1; t < threads && t < FN_MOST_THREADS; t++) {
        members[t] = (member){&team, body, context, t, &started};
        if (pthread_create(&ids[t], NULL, run_member, &members[t]))
            break;
        team.threads = t + 1;
    }
    atomic_store_explicit(&started, team.threads, memory_order_release);
    body(&team, 0, context);
    for (size_t t = 1; t < team.threads; t++)
        pthread_join(ids[t], NULL);
}

void fn_wait_for_team(fn_team *team)
{
    if (team->threads == 1)
        return;
    const size_t round = atomic_load_explicit(&team->round, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == team->threads) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&team->round, round + 1, memory_order_release);
        return;
    }
    size_t spins = 0;
    while (atomic_load_explicit(&team->round, memory_order_acquire) == round)
        if (spins++ > SPINS)
            sched_yield();
}
