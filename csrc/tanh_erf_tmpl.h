/* tanh z and z Phi(z), Phi being the normal distribution: what hidden neurons other than
 * sigmoid ones compute with, made of e^x (exp_log_tmpl.h). Coefficients from
 * tools/minimax.py.
 */
#if FN_BITS == 32
#define FN_TAIL_END 13.25f /* e^(-x^2 / 2) is 0 there */
#define FN_UPPER_BITS (~0xFFF)
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
    vec p = FN(splat)(0.398948006936f), q = x + 9.9501884093f;
    p = FN_FMA(p, x, FN(splat)(3.96925635074f));
    q = FN_FMA(q, x, FN(splat)(46.1107461449f));
    p = FN_FMA(p, x, FN(splat)(18.0031672625f));
    q = FN_FMA(q, x, FN(splat)(118.630478885f));
    p = FN_FMA(p, x, FN(splat)(43.2717462261f));
    q = FN_FMA(q, x, FN(splat)(165.811223664f));
    p = FN_FMA(p, x, FN(splat)(49.6736620901f));
    q = FN_FMA(q, x, FN(splat)(99.3473236841f));
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
    vec p = FN(splat)(0.39894228040007565499), q = x + 26.932914304467750309;
    p = FN_FMA(p, x, FN(splat)(10.744678250756714549));
    q = FN_FMA(q, x, FN(splat)(356.075664897104061));
    p = FN_FMA(p, x, FN(splat)(141.65469544375421239));
    q = FN_FMA(q, x, FN(splat)(2991.5605686487692069));
    p = FN_FMA(p, x, FN(splat)(1182.7153183680122723));
    q = FN_FMA(q, x, FN(splat)(17498.646458056935571));
    p = FN_FMA(p, x, FN(splat)(6840.0930583413488202));
    q = FN_FMA(q, x, FN(splat)(73898.937913977431046));
    p = FN_FMA(p, x, FN(splat)(28320.186284312249962));
    q = FN_FMA(q, x, FN(splat)(226886.6702490024461));
    p = FN_FMA(p, x, FN(splat)(83953.882905223845897));
    q = FN_FMA(q, x, FN(splat)(497818.85433989616138));
    p = FN_FMA(p, x, FN(splat)(172539.26392307472133));
    q = FN_FMA(q, x, FN(splat)(744341.23012996528153));
    p = FN_FMA(p, x, FN(splat)(225282.33025356351848));
    q = FN_FMA(q, x, FN(splat)(682794.40074071001131));
    p = FN_FMA(p, x, FN(splat)(145528.40826992961038));
    q = FN_FMA(q, x, FN(splat)(291056.81653985923486));
    return p / q;
}
#endif

FN_INLINE vec FN(tanh_lanes)(vec z)
{
    const ivec sign = (ivec)FN(splat)(-(real)0) & (ivec)z;
    vec x = (vec)((ivec)z ^ sign), t = x * x;
    vec small = FN_FMA(x, t * FN(tanh_tail_lanes)(t), x);
    vec large = 1 - 2 / (FN(exp_lanes)(2 * x) + 1);
    return (vec)((ivec)FN(select)(x < (real)0.5625, small, large) | sign);
}

/* e^(-x^2 / 2) from 0 to FN_TAIL_END. */
FN_INLINE vec FN(bell_lanes)(vec x)
{
    /* x = upper + lower, and the square of upper is exact. */
    vec upper = (vec)((ivec)x & FN_UPPER_BITS), lower = x - upper;
    /* Without its last bit: it is then no product that a compiler may fuse. */
    vec s = (vec)((ivec)((real)-0.5 * x * x) & ~(integer)1);
    vec rest = FN_FMA((real)-0.5 * upper, upper, -s);
    rest = FN_FMA(lower, (real)-0.5 * (x + upper), rest);
    vec y = FN(exp_lanes)(s);
    return FN_FMA(y, rest, y);
}

FN_INLINE vec FN(gelu_lanes)(vec z, vec *slope)
{
    const ivec positive = (ivec)z >= 0, sign = (ivec)FN(splat)(-(real)0);
    vec x = (vec)((ivec)z & ~sign);
    x = FN(select)(x > FN_TAIL_END, FN(splat)(FN_TAIL_END), x);
    vec bell = FN(bell_lanes)(x), tail = FN(normal_tail_lanes)(x);
    /* The slope at -x, Phi(-x) - x phi(x), is below * bell; that at x is 1 less this. */
    vec below = FN_FMA(-x, FN(splat)((real)0.39894228040143267794), tail);
    below = (vec)((ivec)below ^ (positive & sign));
    *slope = FN_FMA(below, bell, (vec)(positive & (ivec)FN(splat)(1)));
    return FN_FMA(-(x * tail), bell, (vec)(positive & (ivec)z));
}
#undef FN_TAIL_END
#undef FN_UPPER_BITS
