/* Vectors, for one translation unit, which sets three macros first (targets/):
 *   FN_BITS           real, the type of the elements, has 32 or 64 bits
 *   FN_VECTOR_BYTES   size of vec and ivec, vectors of reals and of integers of the same size, by
 *                     GNU vector extensions (gcc, clang)
 *   FN_ISA            the instruction set; FN(op) is the name of a kernel of this type and
 *                     instruction set, fn_<op>_<f32|f64>_<isa> */
#ifndef FASTNET_SIMD_VEC_H
#define FASTNET_SIMD_VEC_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "simd/compiler.h"

#if FN_BITS == 32
#define real float
#define integer int32_t
#define FN_LARGEST 3.40282347e38f
#define FN_SQRT __builtin_sqrtf
#define FN(op) FN_JOIN4(fn_##op, _f32_, FN_ISA, )
#elif FN_BITS == 64
#define real double
#define integer int64_t
#define FN_LARGEST 1.7976931348623157e308
#define FN_SQRT __builtin_sqrt
#define FN(op) FN_JOIN4(fn_##op, _f64_, FN_ISA, )
#else
#error "set FN_BITS to 32 or 64"
#endif

/* Vectors may lie at any element's address and alias any array of reals. */
#define vec FN(vec)
#define ivec FN(ivec)
#define FN_LANES (FN_VECTOR_BYTES / sizeof(real))
#define FN_VECTOR __attribute__((vector_size(FN_VECTOR_BYTES), aligned(sizeof(real)), may_alias))
typedef real vec FN_VECTOR;
typedef integer ivec FN_VECTOR;

/* a*b + c: one rounding where the target has FMA (-ffp-contract=fast). Every product that is added
 * to something is written with this, so that it is clear which of two products is contracted. */
#define FN_FMA(a, b, c) ((a) * (b) + (c))

FN_INLINE vec FN(load)(const real *p) { return *(const vec *)p; }
FN_INLINE void FN(store)(real *p, vec x) { *(vec *)p = x; }
FN_INLINE vec FN(splat)(real x) { return x - (vec){0}; } /* minus: -0 stays -0 */
/* A weighted input clamped to the type's finite range, so that differences of two are not NaN. */
FN_INLINE real FN(bounded)(real z)
{
    return z > FN_LARGEST ? FN_LARGEST : z < -FN_LARGEST ? -FN_LARGEST : z;
}
/* mask ? a : b, lane by lane. (In long functions gcc 12 compiles a loop over lanes to jumps.) */
FN_INLINE vec FN(select)(ivec mask, vec a, vec b)
{
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}
/* at_least returns the larger of low and x, at_most the smaller of high and x; both return NaN if x
 * is. On x86, one instruction does this, since it returns its second operand if x is NaN. (For
 * select, gcc 12 needs three with AVX-512.) */
#if defined(__SSE2__)
#if FN_VECTOR_BYTES == 64
#define FN_X86(op) _mm512_##op
#define FN_X86_VEC(suffix) __m512##suffix
#elif FN_VECTOR_BYTES == 32
#define FN_X86(op) _mm256_##op
#define FN_X86_VEC(suffix) __m256##suffix
#else
#define FN_X86(op) _mm_##op
#define FN_X86_VEC(suffix) __m128##suffix
#endif
#if FN_BITS == 32
#define FN_OF_TWO(op, a, b) (vec)FN_X86(op##_ps)((FN_X86_VEC())(a), (FN_X86_VEC())(b))
#else
#define FN_OF_TWO(op, a, b) (vec)FN_X86(op##_pd)((FN_X86_VEC(d))(a), (FN_X86_VEC(d))(b))
#endif
FN_INLINE vec FN(at_least)(real low, vec x) { return FN_OF_TWO(max, FN(splat)(low), x); }
FN_INLINE vec FN(at_most)(real high, vec x) { return FN_OF_TWO(min, FN(splat)(high), x); }
#else
FN_INLINE vec FN(at_least)(real low, vec x) { return FN(select)(x < low, FN(splat)(low), x); }
FN_INLINE vec FN(at_most)(real high, vec x) { return FN(select)(x > high, FN(splat)(high), x); }
#endif

FN_INLINE vec FN(bounded_lanes)(vec z)
{
    return FN(at_least)(-FN_LARGEST, FN(at_most)(FN_LARGEST, z));
}

/* The first n lanes of x, then zeros. */
FN_INLINE vec FN(first_lanes)(size_t n, vec x)
{
    ivec lane;
    for (size_t i = 0; i < FN_LANES; i++)
        lane[i] = (integer)i;
    return FN(select)(lane < (integer)(n < FN_LANES ? n : FN_LANES), x, (vec){0});
}

/* Returns whether any lane is non-zero. */
FN_INLINE int FN(any_lane)(ivec x)
{
    uint64_t words[sizeof x / 8], any = 0;
    memcpy(words, &x, sizeof x);
    for (size_t i = 0; i < sizeof x / 8; i++)
        any |= words[i];
    return any != 0;
}

/* Vectors of FN_LANES floats and of FN_LANES doubles. */
typedef float FN(f32s) __attribute__((vector_size(4 * FN_LANES), aligned(4), may_alias));
typedef double FN(f64s) __attribute__((vector_size(8 * FN_LANES), aligned(8), may_alias));

/* Defines op(a, b), which returns the lanes of these indices: those of a are 0 to FN_LANES - 1,
 * those of b start at FN_LANES. */
#if defined(__clang__)
#define FN_SHUFFLE(op, ...)                                                 \
    FN_INLINE vec FN(op)(vec a, vec b) { return __builtin_shufflevector(a, b, __VA_ARGS__); }
#else
#define FN_SHUFFLE(op, ...)                                                 \
    FN_INLINE vec FN(op)(vec a, vec b) { return __builtin_shuffle(a, b, (ivec){__VA_ARGS__}); }
#endif
/* a[0] b[0] a[1] b[1] ... from the lower halves of a and b, or from the upper ones. */
#if FN_VECTOR_BYTES * 8 / FN_BITS == 2
FN_SHUFFLE(interleave_lower, 0, 2)
FN_SHUFFLE(interleave_upper, 1, 3)
#elif FN_VECTOR_BYTES * 8 / FN_BITS == 4
FN_SHUFFLE(interleave_lower, 0, 4, 1, 5)
FN_SHUFFLE(interleave_upper, 2, 6, 3, 7)
#elif FN_VECTOR_BYTES * 8 / FN_BITS == 8
FN_SHUFFLE(interleave_lower, 0, 8, 1, 9, 2, 10, 3, 11)
FN_SHUFFLE(interleave_upper, 4, 12, 5, 13, 6, 14, 7, 15)
#else
FN_SHUFFLE(interleave_lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
FN_SHUFFLE(interleave_upper, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#endif

#if FN_VECTOR_BYTES == 64
/* Shuffles by quarters of a vector, which are fast. even_quarters returns quarters 0 and 2 of a,
 * then those of b; odd_quarters quarters 1 and 3. The others return in each quarter, from the lower
 * halves of the same quarter of a and b, or from the upper halves:
 *   zip    a[0] b[0] a[1] b[1]
 *   join   a[0] a[1] b[0] b[1]; in float64 a[0] b[0] */
#if FN_BITS == 32
FN_SHUFFLE(even_quarters, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
FN_SHUFFLE(odd_quarters, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
FN_SHUFFLE(zip_lower, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
FN_SHUFFLE(zip_upper, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
FN_SHUFFLE(join_lower, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
FN_SHUFFLE(join_upper, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#else
FN_SHUFFLE(even_quarters, 0, 1, 4, 5, 8, 9, 12, 13)
FN_SHUFFLE(odd_quarters, 2, 3, 6, 7, 10, 11, 14, 15)
FN_SHUFFLE(join_lower, 0, 8, 2, 10, 4, 12, 6, 14)
FN_SHUFFLE(join_upper, 1, 9, 3, 11, 5, 13, 7, 15)
#endif

/* Halves of a vector. */
#define FN_HALVES 1
typedef real FN(half) __attribute__((vector_size(32), aligned(sizeof(real)), may_alias));
FN_INLINE FN(half) FN(load_half)(const real *p) { return *(const FN(half) *)p; }
FN_INLINE void FN(store_half)(real *p, FN(half) x) { *(FN(half) *)p = x; }

/* Masks of lanes: bit i is for lane i.
 *   expand        lane i is the next lane of x, from lane 0 on, if bit i is set, else 0
 *   pack          the lanes of x whose bits are set, one after the other, then 0
 *   bits_of       bit i is set if lane i is ones
 *   widen_bytes   FN_LANES bytes as integers */
#define FN_EXPAND
#define FN_LANE_BITS ((1u << FN_LANES) - 1)
#if FN_BITS == 32
FN_INLINE FN(half) FN(lower)(vec x) { return (FN(half))_mm512_castps512_ps256((__m512)x); }
FN_INLINE FN(half) FN(upper)(vec x) { return (FN(half))_mm512_extractf32x8_ps((__m512)x, 1); }
FN_INLINE vec FN(whole)(FN(half) lower, FN(half) upper)
{
    return (vec)_mm512_insertf32x8(_mm512_castps256_ps512((__m256)lower), (__m256)upper, 1);
}
FN_INLINE vec FN(expand)(unsigned bits, vec x)
{
    return (vec)_mm512_maskz_expand_ps((__mmask16)bits, (__m512)x);
}
FN_INLINE ivec FN(pack)(unsigned bits, ivec x)
{
    return (ivec)_mm512_maskz_compress_epi32((__mmask16)bits, (__m512i)x);
}
FN_INLINE unsigned FN(bits_of)(ivec x) { return _mm512_movepi32_mask((__m512i)x); }
FN_INLINE ivec FN(widen_bytes)(const void *p)
{
    return (ivec)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}
#else
FN_INLINE FN(half) FN(lower)(vec x) { return (FN(half))_mm512_castpd512_pd256((__m512d)x); }
FN_INLINE FN(half) FN(upper)(vec x) { return (FN(half))_mm512_extractf64x4_pd((__m512d)x, 1); }
FN_INLINE vec FN(whole)(FN(half) lower, FN(half) upper)
{
    return (vec)_mm512_insertf64x4(_mm512_castpd256_pd512((__m256d)lower), (__m256d)upper, 1);
}
FN_INLINE vec FN(expand)(unsigned bits, vec x)
{
    return (vec)_mm512_maskz_expand_pd((__mmask8)bits, (__m512d)x);
}
FN_INLINE ivec FN(pack)(unsigned bits, ivec x)
{
    return (ivec)_mm512_maskz_compress_epi64((__mmask8)bits, (__m512i)x);
}
FN_INLINE unsigned FN(bits_of)(ivec x) { return _mm512_movepi64_mask((__m512i)x); }
FN_INLINE ivec FN(widen_bytes)(const void *p)
{
    return (ivec)_mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)p));
}
#endif
/* Returns the bits of x that are set in the mask, one after the other from bit 0 on. */
FN_INLINE uint64_t fn_extract(uint64_t x, uint64_t mask) { return _pext_u64(x, mask); }
/* Byte i is ones if bit i is set, else 0. */
typedef uint8_t FN(bytes) __attribute__((vector_size(64)));
FN_INLINE FN(bytes) FN(bytes_of)(uint64_t bits) { return (FN(bytes))_mm512_movm_epi8(bits); }
/* to[0], to[1] ... = first + i * step for every bit i that is set, ascending; a whole vector is
 * written. */
FN_INLINE void FN(store_rows)(unsigned bits, uint32_t first, uint32_t step, uint32_t *to)
{
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i steps = _mm512_mullo_epi32(lanes, _mm512_set1_epi32((int)step));
    const __m512i rows = _mm512_add_epi32(steps, _mm512_set1_epi32((int)first));
#if FN_BITS == 32
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi32((__mmask16)bits, rows));
#else
    _mm256_storeu_si256((__m256i *)to, _mm256_maskz_compress_epi32(
                                           (__mmask8)bits, _mm512_castsi512_si256(rows)));
#endif
}
#endif

/* y[i] = body(x[i]) for any n: whole vectors, then one from a buffer. */
#define FN_MAP(body, n, x, y)                                           \
    do {                                                                \
        size_t i_ = 0;                                                  \
        for (; i_ + FN_LANES <= (n); i_ += FN_LANES)                    \
            FN(store)((y) + i_, body(FN(load)((x) + i_)));              \
        if (i_ < (n)) {                                                 \
            real rest_[FN_LANES] = {0};                                 \
            memcpy(rest_, (x) + i_, ((n) - i_) * sizeof(real));         \
            FN(store)(rest_, body(FN(load)(rest_)));                    \
            memcpy((y) + i_, rest_, ((n) - i_) * sizeof(real));         \
        }                                                               \
    } while (0)

#endif
