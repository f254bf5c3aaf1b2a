/* What is written for each instruction set, together with the vectors of simd/vec.h.
 * Vectors are GNU vector extensions (gcc, clang); their width, FN_VECTOR_BYTES,
 * is set by the file of the target. */
#ifndef FASTNET_SIMD_H
#define FASTNET_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define FN_INLINE static inline __attribute__((always_inline, unused))
#define FN_PRAGMA(...) _Pragma(#__VA_ARGS__)
#if defined(__clang__)
#define FN_UNROLL(n) FN_PRAGMA(unroll n)
#else
#define FN_UNROLL(n) FN_PRAGMA(GCC unroll n)
#endif
#define FN_NOINLINE __attribute__((noinline))
#define FN_ALONE FN_NOINLINE
/* Keep this pointer in a register: else gcc 12 computes it again for each load from it. */
#define FN_OPAQUE(pointer) __asm__("" : "+r"(pointer))
#define FN_JOIN4_(a, b, c, d) a##b##c##d
#define FN_JOIN4(a, b, c, d) FN_JOIN4_(a, b, c, d)

/* Rows of the register tile, by the number of vector registers: rows times two
 * accumulators, two vectors of B and one broadcast must fit. A tile that is one vector
 * wide may have more. FN_ROWS_OF_3 and FN_ROWS_OF_4: the rows of tiles that are three and
 * four vectors wide; 1: such tiles do not pay.
 *
 * FN_DEPTH is the number of terms per pass. */
#if FN_VECTOR_BYTES == 64
#define FN_TILE_ROWS 14     /* 32 registers */
#define FN_MOST_ROWS 14
#define FN_ROWS_OF_3 8
#define FN_ROWS_OF_4 6
#define FN_DEPTH 128
#elif defined(__aarch64__)
#define FN_TILE_ROWS 12     /* 32 registers */
#define FN_MOST_ROWS 12
#define FN_ROWS_OF_3 1      /* not measured */
#define FN_ROWS_OF_4 1
#define FN_DEPTH 256
#else
#define FN_TILE_ROWS 6      /* 16 registers */
#define FN_MOST_ROWS 12
#if FN_VECTOR_BYTES == 32
#define FN_ROWS_OF_3 4
#else
#define FN_ROWS_OF_3 1      /* 4, where products take a register: 1.1 of an epoch */
#endif
#define FN_ROWS_OF_4 1
#define FN_DEPTH 256
#endif

/* Subnormal numbers cost a hundred cycles each on many processors, and the
 * errors of saturated neurons are full of them: an epoch of MNIST took 184 ms
 * with them and 67 ms without (dense rows, [784, 30, 10], AVX-512, Intel Xeon of
 * 2023). Inside the kernels they count as zero; a user's own cost is
 * called with them. */
#if defined(__x86_64__)
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
