/* Extensions of C11 by gcc and clang. */
#ifndef FASTNET_SIMD_COMPILER_H
#define FASTNET_SIMD_COMPILER_H

#include <stdint.h>

#define FN_INLINE static inline __attribute__((always_inline, unused))
#define FN_PRAGMA(...) _Pragma(#__VA_ARGS__)
#if defined(__clang__)
#define FN_UNROLL(n) FN_PRAGMA(unroll n)
#else
#define FN_UNROLL(n) FN_PRAGMA(GCC unroll n)
#endif
#define FN_NOINLINE __attribute__((noinline))
/* Keep this pointer in a register; gcc 12 would compute it again for each load from it. */
#define FN_OPAQUE(pointer) __asm__("" : "+r"(pointer))
/* Prefetch the cache line of pointer[elements]; write and locality: as for __builtin_prefetch. The
 * address is computed as an integer, since a pointer beyond its array is undefined. */
#define FN_PREFETCH(pointer, elements, write, locality)                                          \
    __builtin_prefetch(                                                                          \
        (const void *)((uintptr_t)(pointer) + (elements) * sizeof *(pointer)), write, locality)
#define FN_JOIN4_(a, b, c, d) a##b##c##d
#define FN_JOIN4(a, b, c, d) FN_JOIN4_(a, b, c, d)

#endif
