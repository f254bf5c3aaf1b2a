/* Times an exported network: a shared library for bench/exported_c.py, which writes case.h
 * (tests/c/run_network.c has its contents). */
#include <stdint.h>
#include <time.h>

#include "case.h"

DECLARATION

/* Processor's seconds of n calls with the rows of x (rows, N_IN) in turn. */
double seconds(long n, long rows, const real *x, real *a);
double seconds(long n, long rows, const real *x, real *a)
{
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    long row = 0;
    for (long k = 0; k < n; k++) {
        const real *input = x + row * N_IN;
        CALL(input, a);
        row = row + 1 == rows ? 0 : row + 1;
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
}
