/* The AVX-512 instructions that csrc/simd/vec.h uses, as plain C, so that what is written with
 * them runs on a processor with AVX2 and BMI2 only. Included before csrc/targets/avx512_*.c
 * (-include), whose vectors the compiler makes of AVX2's, two each; with -Wno-psabi, since
 * such vectors are arguments of inlined functions only. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define EMULATED static inline __attribute__((always_inline, unused))

typedef uint8_t emulated_16_bytes __attribute__((vector_size(16)));
typedef uint8_t emulated_8_bytes __attribute__((vector_size(8)));
typedef int64_t emulated_8_longs __attribute__((vector_size(64)));
typedef int32_t emulated_16_ints __attribute__((vector_size(64)));
typedef uint32_t emulated_16_uints __attribute__((vector_size(64)));

/* lane i is the next lane of x where bit i is set, else 0 */
#define EXPAND(name, vector, lane)                                      \
    EMULATED vector name(unsigned bits, vector x)                       \
    {                                                                   \
        lane from[sizeof x / sizeof(lane)], to[sizeof x / sizeof(lane)]; \
        memcpy(from, &x, sizeof x);                                     \
        for (size_t i = 0, k = 0; i < sizeof x / sizeof(lane); i++)     \
            to[i] = bits >> i & 1 ? from[k++] : 0;                      \
        memcpy(&x, to, sizeof x);                                       \
        return x;                                                       \
    }
EXPAND(emulated_expand_ps, __m512, float)
EXPAND(emulated_expand_pd, __m512d, double)
#define _mm512_maskz_expand_ps emulated_expand_ps
#define _mm512_maskz_expand_pd emulated_expand_pd

/* the lanes of x whose bits are set, one after the other, then 0 */
#define COMPRESS(name, vector, lane)                                    \
    EMULATED vector name(unsigned bits, vector x)                       \
    {                                                                   \
        lane from[sizeof x / sizeof(lane)], to[sizeof x / sizeof(lane)] = {0}; \
        memcpy(from, &x, sizeof x);                                     \
        for (size_t i = 0, k = 0; i < sizeof x / sizeof(lane); i++)     \
            if (bits >> i & 1)                                          \
                to[k++] = from[i];                                      \
        memcpy(&x, to, sizeof x);                                       \
        return x;                                                       \
    }
COMPRESS(emulated_compress_ints, __m512i, int32_t)
COMPRESS(emulated_compress_longs, __m512i, int64_t)
COMPRESS(emulated_compress_256, __m256i, int32_t)
#define _mm512_maskz_compress_epi32 emulated_compress_ints
#define _mm512_maskz_compress_epi64 emulated_compress_longs
#define _mm256_maskz_compress_epi32 emulated_compress_256

/* a bit for each lane that is negative */
#define SIGNS(name, lane)                                               \
    EMULATED unsigned name(__m512i x)                                   \
    {                                                                   \
        lane from[sizeof x / sizeof(lane)];                             \
        unsigned bits = 0;                                              \
        memcpy(from, &x, sizeof x);                                     \
        for (size_t i = 0; i < sizeof x / sizeof(lane); i++)            \
            bits |= (unsigned)(from[i] < 0) << i;                       \
        return bits;                                                    \
    }
SIGNS(emulated_signs_of_ints, int32_t)
SIGNS(emulated_signs_of_longs, int64_t)
#define _mm512_movepi32_mask emulated_signs_of_ints
#define _mm512_movepi64_mask emulated_signs_of_longs

/* a byte of ones for each bit that is set */
EMULATED __m512i emulated_bytes_of_mask(uint64_t bits)
{
    uint8_t to[64];
    __m512i x;
    for (size_t i = 0; i < sizeof to; i++)
        to[i] = (uint8_t)-(bits >> i & 1);
    memcpy(&x, to, sizeof x);
    return x;
}
#define _mm512_movm_epi8 emulated_bytes_of_mask

EMULATED __m512i emulated_widen_to_ints(__m128i x)
{
    return (__m512i)__builtin_convertvector((emulated_16_bytes)x, emulated_16_ints);
}
EMULATED __m512i emulated_widen_to_longs(__m128i x)
{
    emulated_8_bytes lower;
    memcpy(&lower, &x, sizeof lower);
    return (__m512i)__builtin_convertvector(lower, emulated_8_longs);
}
#define _mm512_cvtepu8_epi32 emulated_widen_to_ints
#define _mm512_cvtepu8_epi64 emulated_widen_to_longs

/* the lower half, 0, or the upper one, 1 */
#define ONE_HALF(name, vector, half)                                    \
    EMULATED half name(vector x, int at)                                \
    {                                                                   \
        half y;                                                         \
        memcpy(&y, (char *)&x + at * sizeof y, sizeof y);               \
        return y;                                                       \
    }
ONE_HALF(emulated_half_ints, __m512i, __m256i)
ONE_HALF(emulated_half_floats, __m512, __m256)
ONE_HALF(emulated_half_doubles, __m512d, __m256d)
#define _mm512_extractf32x8_ps emulated_half_floats
#define _mm512_extractf64x4_pd emulated_half_doubles
#define _mm512_castsi512_si256(x) emulated_half_ints((x), 0)
#define _mm512_castps512_ps256(x) emulated_half_floats((x), 0)
#define _mm512_castpd512_pd256(x) emulated_half_doubles((x), 0)

/* x with one half replaced */
#define INSERT_HALF(name, vector, half)                                 \
    EMULATED vector name(vector x, half y, int at)                      \
    {                                                                   \
        memcpy((char *)&x + at * sizeof y, &y, sizeof y);               \
        return x;                                                       \
    }
INSERT_HALF(emulated_insert_floats, __m512, __m256)
INSERT_HALF(emulated_insert_doubles, __m512d, __m256d)
#define _mm512_insertf32x8 emulated_insert_floats
#define _mm512_insertf64x4 emulated_insert_doubles
#define _mm512_castps256_ps512(x) emulated_insert_floats((__m512){0}, (x), 0)
#define _mm512_castpd256_pd512(x) emulated_insert_doubles((__m512d){0}, (x), 0)

/* the second where one is not a number */
#define OF_TWO(name, vector, lane, compared)                            \
    EMULATED vector name(vector x, vector y)                            \
    {                                                                   \
        lane from[sizeof x / sizeof(lane)], to[sizeof x / sizeof(lane)]; \
        memcpy(from, &x, sizeof x);                                     \
        memcpy(to, &y, sizeof y);                                       \
        for (size_t i = 0; i < sizeof x / sizeof(lane); i++)            \
            to[i] = from[i] compared to[i] ? from[i] : to[i];           \
        memcpy(&x, to, sizeof x);                                       \
        return x;                                                       \
    }
OF_TWO(emulated_max_floats, __m512, float, >)
OF_TWO(emulated_max_doubles, __m512d, double, >)
OF_TWO(emulated_min_floats, __m512, float, <)
OF_TWO(emulated_min_doubles, __m512d, double, <)
#define _mm512_max_ps emulated_max_floats
#define _mm512_max_pd emulated_max_doubles
#define _mm512_min_ps emulated_min_floats
#define _mm512_min_pd emulated_min_doubles

EMULATED void emulated_store(void *to, __m512i x) { memcpy(to, &x, sizeof x); }
#define _mm512_storeu_si512 emulated_store
#define _mm512_set_epi32(p, o, n, m, l, k, j, i, h, g, f, e, d, c, b, a) \
    ((__m512i)(emulated_16_ints){a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p})
#define _mm512_set1_epi32(x) ((__m512i)((emulated_16_ints){0} + (x)))
#define _mm512_add_epi32(x, y) ((__m512i)((emulated_16_uints)(x) + (emulated_16_uints)(y)))
#define _mm512_mullo_epi32(x, y) ((__m512i)((emulated_16_uints)(x) * (emulated_16_uints)(y)))
