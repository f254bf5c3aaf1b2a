/* e^x and ln x, from which most activations and costs are computed (tanh and GELU: tanh_gelu.h).
 * Coefficients are from tools/minimax.py; tests/test_kernels_elementwise.py checks the measured
 * errors.
 *
 * exp: t = x log2(e) + magic rounds to the integer n; r = x - n ln 2 in two
 *   pieces (Cody and Waite), so |r| <= ln(2)/2; e^r = 1 + r + r^2 q(r) by
 *   Horner's rule; 2^n by the exponent bits.
 *   exp_sum_lanes: e^(x + rest), where rest is a few ULP of x and is added to r.
 *   NaN stays NaN; +inf and all above the domain give +inf, -inf and all below
 *   give 0; exp_inside replaces x by the nearer end of the domain instead. Largest
 *   errors found, with FMA and without:
 *     float32: q of degree 4; domain [-87.33, 88.37]; 1.10 ULP at 5.198865, and
 *       1.05 at -48.866352
 *     float64: q of degree 9; domain [-708.39, 709.43]; 1.09 ULP at
 *       315.74494774613146, and 1.06 at 518.1434226473357
 *
 * log (float64 only; costs are summed in double): x = 2^k m with m in
 *   [sqrt(1/2), sqrt(2)); s = (m-1)/(m+1); ln m = 2s + s^3 q(s^2), q of degree
 *   6, arranged as f - s (f - s^2 q) with f = m - 1, so that the rounding error
 *   of s is small compared with f. The small piece of k ln 2 is not added to
 *   s (f - s^2 q), since compilers differ in which of the two products they fuse.
 *   ln 0 is -inf; ln of a negative number is NaN; ln of +inf is +inf; subnormal x
 *   counts as 0. Largest errors found: 1.22 ULP at 0.7015662386784748 with FMA,
 *   1.34 at 0.7002890347046961 without.
 */
#ifndef FASTNET_MATH_EXP_LOG_H
#define FASTNET_MATH_EXP_LOG_H

#include <stdint.h>

#include "simd/compiler.h"
#include "simd/vec.h"

#if FN_BITS == 32
#define FN_EXP_LOW -87.33f
#define FN_EXP_HIGH 88.37f
FN_INLINE vec FN(exp_inside)(vec x, const vec *rest)
{
    const real magic = 12582912.0f; /* 1.5 * 2^23 */
    const vec inside = FN(at_most)(FN_EXP_HIGH, FN(at_least)(FN_EXP_LOW, x));
    vec t = FN_FMA(inside, FN(splat)(1.44269504f), FN(splat)(magic));
    ivec n = (ivec)t - (ivec)FN(splat)(magic);
    t -= magic;
    vec r = FN_FMA(t, FN(splat)(-0.693359375f), inside);
    r = FN_FMA(t, FN(splat)(2.12194440e-4f), r);
    if (rest)
        r += *rest;
    vec q = FN(splat)(0.00139261835877f);
    q = FN_FMA(q, r, FN(splat)(0.00836317905272f));
    q = FN_FMA(q, r, FN(splat)(0.0416665546172f));
    q = FN_FMA(q, r, FN(splat)(0.166665769897f));
    q = FN_FMA(q, r, FN(splat)(0.5f));
    return (FN_FMA(q, r * r, r) + 1.0f) * (vec)((n + 127) << 23);
}
#else
#define FN_EXP_LOW -708.39
#define FN_EXP_HIGH 709.43
FN_INLINE vec FN(exp_inside)(vec x, const vec *rest)
{
    const real magic = 6755399441055744.0; /* 1.5 * 2^52 */
    const vec inside = FN(at_most)(FN_EXP_HIGH, FN(at_least)(FN_EXP_LOW, x));
    vec t = FN_FMA(inside, FN(splat)(1.4426950408889634), FN(splat)(magic));
    ivec n = (ivec)t - (ivec)FN(splat)(magic);
    t -= magic;
    vec r = FN_FMA(t, FN(splat)(-6.93147180369123816490e-01), inside);
    r = FN_FMA(t, FN(splat)(-1.90821492927058770002e-10), r);
    if (rest)
        r += *rest;
    vec q = FN(splat)(2.5100385495510319078e-8);
    q = FN_FMA(q, r, FN(splat)(2.7620088445409748161e-7));
    q = FN_FMA(q, r, FN(splat)(2.7557268459997064772e-6));
    q = FN_FMA(q, r, FN(splat)(0.000024801521295954375131));
    q = FN_FMA(q, r, FN(splat)(0.00019841269863053616878));
    q = FN_FMA(q, r, FN(splat)(0.0013888888917213716901));
    q = FN_FMA(q, r, FN(splat)(0.0083333333333300618325));
    q = FN_FMA(q, r, FN(splat)(0.041666666666624127873));
    q = FN_FMA(q, r, FN(splat)(0.16666666666666667453));
    q = FN_FMA(q, r, FN(splat)(0.50000000000000010221));
    return (FN_FMA(q, r * r, r) + 1.0) * (vec)((n + 1023) << 52);
}
#endif

FN_INLINE vec FN(exp_sum_lanes)(vec x, const vec *rest)
{
    const vec y = FN(select)(x < FN_EXP_LOW, FN(splat)(0), FN(exp_inside)(x, rest));
    return FN(select)(x > FN_EXP_HIGH, FN(splat)((real)__builtin_inf()), y);
}

FN_INLINE vec FN(exp_lanes)(vec x) { return FN(exp_sum_lanes)(x, NULL); }

#if FN_BITS == 64
FN_INLINE vec FN(log_lanes)(vec x)
{
    const real smallest = 2.2250738585072014e-308; /* normal */
    /* Subtracting the bits of sqrt(1/2) makes the exponent field count k. */
    const int64_t half_root = 0x3FE6A09E667F3BCD;
    ivec bits = (ivec)x - half_root;
    ivec k = bits >> 52;
    vec f = (vec)((bits & 0x000FFFFFFFFFFFFF) + half_root) - 1.0;
    vec s = f / (f + 2.0), t = s * s;
    vec q = FN(splat)(0.14616585424888621989);
    q = FN_FMA(q, t, FN(splat)(0.15331710618210771568));
    q = FN_FMA(q, t, FN(splat)(0.18182889455674946039));
    q = FN_FMA(q, t, FN(splat)(0.22222211130259877029));
    q = FN_FMA(q, t, FN(splat)(0.28571428626003268742));
    q = FN_FMA(q, t, FN(splat)(0.39999999999899443233));
    q = FN_FMA(q, t, FN(splat)(0.66666666666666696883));
    vec n = __builtin_convertvector(k, vec);
    vec inner = FN_FMA(-t, q, f);
    vec y = FN_FMA(-s, inner, f);
    y = FN_FMA(n, FN(splat)(1.90821492927058770002e-10), y); /* k ln 2 in two pieces */
    y = FN_FMA(n, FN(splat)(6.93147180369123816490e-01), y);
    y = FN(select)(x < smallest, FN(splat)(-__builtin_inf()), y);
    y = FN(select)(x < 0.0, FN(splat)(__builtin_nan("")), y);
    /* +inf and NaN are returned as they are */
    return FN(select)(x <= 1.7976931348623157e308, y, x);
}
#endif

#endif
