/* Random numbers from the raw 64-bit stream of a bit generator; their bits are the same on every
 * machine. So this file is compiled for the baseline with -ffp-contract=off, and uses only
 * operations that IEEE 754 rounds correctly: + - * / and the square root, and a logarithm computed
 * with these. */
#include <math.h>

#include "fastnet.h"

#define FN_ISA exact
#define FN_VECTOR_BYTES 16
#define FN_BITS 64
#include "math/exp_log.h"
#include "simd/vec.h"

/* Returns the upper half of the 128-bit product; not all compilers have a type of 128 bits. */
static uint64_t high_product(uint64_t a, uint64_t b)
{
    const uint64_t a_low = (uint32_t)a, a_high = a >> 32, b_low = (uint32_t)b, b_high = b >> 32;
    const uint64_t middle = a_high * b_low + (a_low * b_low >> 32); /* below 2^64 */
    const uint64_t rest = a_low * b_high + (uint32_t)middle;
    return a_high * b_high + (middle >> 32) + (rest >> 32);
}

/* Fisher and Yates, from the last position down: position i gets one of the first i + 1 elements,
 * chosen by the upper half of the 128-bit product raw[i] * (i + 1). The choice is uneven by less
 * than (i + 1) / 2^64. raw[0] is not used. */
void fn_shuffle(size_t first, size_t end, const uint64_t *raw, int64_t *order)
{
    for (size_t i = end; i-- > first;) {
        const size_t j = (size_t)high_product(raw[i], (uint64_t)i + 1);
        const int64_t taken = order[j];
        order[j] = order[i];
        order[i] = taken;
    }
}

/* Returns the middle of one of 2^52 equal parts of (0, 1), chosen by raw; so never 0 or 1. */
static double uniform(uint64_t raw)
{
    return ((double)(raw >> 12) + 0.5) * 0x1p-52;
}

void fn_uniform(size_t n, const uint64_t *raw, double *u)
{
    for (size_t i = 0; i < n; i++)
        u[i] = uniform(raw[i]);
}

/* The numerators and denominators, highest power first, of the three rational functions with which
 * `normal` inverts the normal distribution: M. J. Wichura, Algorithm AS 241: The Percentage Points
 * of the Normal Distribution, Applied Statistics 37 (1988), 477-484 (PPND16; relative error about
 * 1e-16). */
static const double central_numerator[8] = {
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
    4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
    1.3314166789178437745e2, 3.3871328727963666080e0,
};
static const double central_denominator[8] = {
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
    2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
    4.2313330701600911252e1, 1.0,
};
static const double middle_numerator[8] = {
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
    1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
    4.63033784615654529590e0, 1.42343711074968357734e0,
};
static const double middle_denominator[8] = {
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
    1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
    2.05319162663775882187e0, 1.0,
};
static const double far_numerator[8] = {
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
    2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
    5.46378491116411436990e0, 6.65790464350110377720e0,
};
static const double far_denominator[8] = {
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
    7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
    5.99832206555887937690e-1, 1.0,
};

static double rational(const double *numerator, const double *denominator, double r)
{
    double p = numerator[0], q = denominator[0];
    for (size_t i = 1; i < 8; i++) {
        p = p * r + numerator[i];
        q = q * r + denominator[i];
    }
    return p / q;
}

static double normal(double u)
{
    const double q = u - 0.5;
    if (fabs(q) <= 0.425)
        return q * rational(central_numerator, central_denominator, 0.180625 - q * q);
    const double tail = q < 0 ? u : 1 - u;
    const double r = sqrt(-FN(log_lanes)(FN(splat)(tail))[0]);
    const double x = r <= 5 ? rational(middle_numerator, middle_denominator, r - 1.6)
                            : rational(far_numerator, far_denominator, r - 5);
    return q < 0 ? -x : x;
}

void fn_standard_normal(size_t n, const uint64_t *raw, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = normal(uniform(raw[i]));
}
