#ifndef FASTNET_SIMD_SUBNORMALS_H
#define FASTNET_SIMD_SUBNORMALS_H

#include <stdint.h>

#include "simd/compiler.h"

/* fn_flush_subnormals treats subnormal numbers as zero from now on, fn_keep_subnormals computes
 * with them; both return the state before, for fn_restore_subnormals.
 *
 * Subnormal numbers are slow on many processors (docs/tuning.md), and frequent in the errors of
 * saturated neurons. Kernels flush them to zero; the caller's code is called with them enabled. */
#if defined(__SSE2__)
#include <immintrin.h>

FN_INLINE uint64_t fn_flush_subnormals(void)
{
    uint64_t before = _mm_getcsr();
    _mm_setcsr((unsigned)before | 0x8040); /* flush to zero, denormals are zero */
    return before;
}
FN_INLINE uint64_t fn_keep_subnormals(void)
{
    uint64_t before = _mm_getcsr();
    _mm_setcsr((unsigned)before & ~0x8040u);
    return before;
}
FN_INLINE void fn_restore_subnormals(uint64_t before) { _mm_setcsr((unsigned)before); }
#elif defined(__aarch64__)
FN_INLINE uint64_t fn_flush_subnormals(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1u << 24))); /* FZ */
    return before;
}
FN_INLINE uint64_t fn_keep_subnormals(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before & ~(uint64_t)(1u << 24)));
    return before;
}
FN_INLINE void fn_restore_subnormals(uint64_t before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}
#else
FN_INLINE uint64_t fn_flush_subnormals(void) { return 0; }
FN_INLINE uint64_t fn_keep_subnormals(void) { return 0; }
FN_INLINE void fn_restore_subnormals(uint64_t before) { (void)before; }
#endif

#endif
