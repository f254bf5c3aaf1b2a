/* tanh z, and GELU, z Phi(z), where Phi is the normal distribution and phi its density; both are
 * computed from e^x (math/exp_log.h). Coefficients are from tools/minimax.py;
 * tests/test_kernels_activations.py checks the measured errors, over all float32 from 3e-5 on and
 * about 10^8 float64.
 *
 * tanh: z + z^3 q(z^2) for |z| < 9/16, else 1 - 2 / (e^(2|z|) + 1) with the sign of z; each
 *   lane computes both. NaN stays NaN, +-inf give +-1, -0 stays -0. Largest errors found,
 *   with FMA and without:
 *     float32: q of degree 4; 1.45 ULP at 0.5632083 with both
 *     float64: q of degree 9; 1.70 ULP at 0.534693008075324, and 1.77 at
 *       0.5359304189233735
 *
 * GELU: Phi(-x) = e^(-x^2/2) R(x) for x = |z|, R = p/q, with positive coefficients only,
 *   so that nothing cancels; z Phi(z) = max(z, 0) - x R(x) e^(-x^2/2) on both sides of 0.
 *   p and q are computed two powers at a time: half as many consecutive roundings as in
 *   Horner's rule. The rounding of x^2/2 alone would give an error of |z|^2 ULP, so
 *   exp_sum_lanes adds what was rounded off.
 *   NaN stays NaN; +inf gives +inf, -inf and all results that are subnormal give 0 (float32
 *   below -13.14, float64 below -37.61). Largest errors found, with FMA and without:
 *     float32: degrees 4 and 5; 5.52 ULP at -5.962073803, and 6.51 at -9.245900154
 *     float64: degrees 9 and 10; 7.96 ULP at -20.58522525755018, and 10.31 at
 *       -11.51847075824599
 *   In the slope, Phi(z) + z phi(z), the terms cancel near -0.75; its error is below 3.0 eps
 *   of Phi(z) + |z| phi(z).
 */
#ifndef FASTNET_MATH_TANH_GELU_H
#define FASTNET_MATH_TANH_GELU_H

#include <stdint.h>

#include "math/exp_log.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* c1 x + c0 */
#define FN_LINE(c1, c0) FN_FMA(FN(splat)(c1), x, FN(splat)(c0))
/* tanh_tail_lanes: (tanh z - z) / z^3 from t = z^2. normal_tail_lanes: R(x). */
#if FN_BITS == 32
#define FN_TAIL_END 13.25f      /* e^(-x^2 / 2) is 0 there */
#define FN_UPPER_BITS (~0xFFF)  /* of 24, the upper half */
FN_INLINE vec FN(tanh_tail_lanes)(vec t)
{
    vec q = FN(splat)(-0.006525572169f);
    q = FN_FMA(q, t, FN(splat)(0.0212633534472f));
    q = FN_FMA(q, t, FN(splat)(-0.0539017531646f));
    q = FN_FMA(q, t, FN(splat)(0.133330738135f));
    return FN_FMA(q, t, FN(splat)(-0.333333316953f));
}

FN_INLINE vec FN(normal_tail_lanes)(vec x)
{
    vec s = x * x;
    vec p = FN_FMA(FN(splat)(0.00371451280952f), s, FN_LINE(0.036956829719f, 0.167623334986f));
    vec q = FN_LINE(0.0093107691853f, 0.0926439076293f);
    p = FN_FMA(p, s, FN_LINE(0.402893241357f, 0.462500002309f));
    q = FN_FMA(q, s, FN_LINE(0.429326514317f, 1.10454100724f));
    q = FN_FMA(q, s, FN_LINE(1.54383003187f, 0.925f));
    return p / q;
}
#else
#define FN_TAIL_END 37.7
#define FN_UPPER_BITS (~(int64_t)0x7FFFFFF)
FN_INLINE vec FN(tanh_tail_lanes)(vec t)
{
    vec q = FN(splat)(0.000052534524422812429868);
    q = FN_FMA(q, t, FN(splat)(-0.00021273500276070225855));
    q = FN_FMA(q, t, FN(splat)(0.00058078354026850900413));
    q = FN_FMA(q, t, FN(splat)(-0.0014538272524617992254));
    q = FN_FMA(q, t, FN(splat)(0.0035918547749548635336));
    q = FN_FMA(q, t, FN(splat)(-0.0088632127085313763536));
    q = FN_FMA(q, t, FN(splat)(0.021869487436008962533));
    q = FN_FMA(q, t, FN(splat)(-0.053968253941225282517));
    q = FN_FMA(q, t, FN(splat)(0.13333333333307501872));
    return FN_FMA(q, t, FN(splat)(-0.33333333333333292493));
}

FN_INLINE vec FN(normal_tail_lanes)(vec x)
{
    vec s = x * x;
    vec p = FN_LINE(1.2952813112571186663e-6, 0.000034885700557281323514);
    vec q = FN_FMA(FN(splat)(3.246788758409255412e-6), s,
                   FN_LINE(0.000087445483394945721817, 0.0011561024659310185849));
    p = FN_FMA(p, s, FN_LINE(0.00045992287274266794885, 0.0038400268000756857972));
    q = FN_FMA(q, s, FN_LINE(0.0097129652243892234645, 0.0568144086073971927));
    p = FN_FMA(p, s, FN_LINE(0.022208337248295874579, 0.091949662463960994442));
    q = FN_FMA(q, s, FN_LINE(0.23993424087748543447, 0.73665309039736880041));
    p = FN_FMA(p, s, FN_LINE(0.27258052324148774327, 0.56019854248964660956));
    q = FN_FMA(q, s, FN_LINE(1.616312659994949428, 2.4167187384064878318));
    p = FN_FMA(p, s, FN_LINE(0.73144413733551133411, 0.4724999999999999771));
    q = FN_FMA(q, s, FN_LINE(2.2168891846297214414, 0.945));
    return p / q;
}
#endif

FN_INLINE vec FN(tanh_lanes)(vec z)
{
    const ivec sign = (ivec)FN(splat)(-(real)0) & (ivec)z;
    vec x = (vec)((ivec)z ^ sign), t = x * x;
    vec small = FN_FMA(x, t * FN(tanh_tail_lanes)(t), x);
    vec large = 1 - 2 / (FN(exp_inside)(2 * x, NULL) + 1);
    return (vec)((ivec)FN(select)(x < (real)0.5625, small, large) | sign);
}

/* Returns e^(-x^2 / 2) for x from 0 to FN_TAIL_END. */
FN_INLINE vec FN(bell_lanes)(vec x)
{
    /* x = upper + lower, and the square of upper is exact. */
    vec upper = (vec)((ivec)x & FN_UPPER_BITS), lower = x - upper;
    /* The last bit is cleared, so that no compiler can fuse the product. */
    vec s = (vec)((ivec)((real)-0.5 * x * x) & ~(integer)1);
    vec rest = FN_FMA((real)-0.5 * upper, upper, -s);
    rest = FN_FMA(lower, (real)-0.5 * (x + upper), rest);
    return FN(exp_sum_lanes)(s, &rest);
}

/* Returns GELU at z; sets *slope to its derivative there. */
FN_INLINE vec FN(gelu_lanes)(vec z, vec *slope)
{
    const ivec positive = (ivec)z >= 0, sign = (ivec)FN(splat)(-(real)0);
    vec x = (vec)((ivec)z & ~sign);
    x = FN(at_most)(FN_TAIL_END, x);
    vec bell = FN(bell_lanes)(x), tail = FN(normal_tail_lanes)(x);
    /* The slope at -x, Phi(-x) - x phi(x), is below * bell; the slope at x is 1 minus that. */
    vec below = FN_FMA(-x, FN(splat)((real)0.39894228040143267794), tail);
    below = (vec)((ivec)below ^ (positive & sign));
    *slope = FN_FMA(below, bell, (vec)(positive & (ivec)FN(splat)(1)));
    return FN_FMA(-(x * tail), bell, (vec)(positive & (ivec)z));
}
#undef FN_LINE

#endif
