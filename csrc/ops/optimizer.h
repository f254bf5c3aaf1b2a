/* Weight decay, L1 regularization, and the steps of the optimizers, from an explicit gradient.
 *
 * The decay of the first layer is lazy: a mini-batch does not update the weights of inputs that are
 * zero in all its examples, which are most of them. The array holds V, and the weights are W = s V,
 * where s is the product of the factors 1 - eta l2 of all mini-batches so far:
 *     z = s (b / s + sum_i x_i V_i),    V = V - (eta/m) sum x delta / s',   s' = s (1 - eta l2).
 * V is multiplied by s, and s is set to 1, at the end of each pass and when s is small. s is a
 * double, the same for every plan, thread and instruction set. Measurements: docs/tuning.md. */
#ifndef FASTNET_OPS_OPTIMIZER_H
#define FASTNET_OPS_OPTIMIZER_H

#include <stdint.h>
#include <string.h>

#include "fastnet.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Returns w - decay_fraction w - l1_step sgn w. The decay is subtracted, since in float32 a factor
 * 1 - decay_fraction would be rounded to a multiple of 6e-8: a small lmbda would have no effect. */
FN_INLINE vec FN(shrunk)(vec w, real decay_fraction, real l1_step)
{
    const vec kept = FN_FMA(FN(splat)(-decay_fraction), w, w);
    if (l1_step == 0)
        return kept;
    const vec above = FN(select)(w > 0, FN(splat)(l1_step), (vec){0});
    return kept - FN(select)(w < 0, FN(splat)(-l1_step), above);
}

/* Apply `shrunk` to n_out elements of each row of weights. */
static void FN(decay)(size_t rows, size_t n_out, size_t stride, real decay_fraction, real l1_step,
                      real *weights)
{
    if (decay_fraction == 0 && l1_step == 0)
        return;
    for (size_t i = 0; i < rows; i++) {
        real *row = weights + i * stride;
        for (size_t o = 0; o < n_out; o += FN_LANES)
            FN(store)(row + o, FN(shrunk)(FN(load)(row + o), decay_fraction, l1_step));
    }
}

/* The scale s of the lazy decay is applied to the weights when it falls below FN_LEAST_SCALE. A
 * mini-batch whose eta l2 is FN_MOST_DECAY or more updates all weights. */
#define FN_LEAST_SCALE 0x1p-10
#define FN_MOST_DECAY 0.5

/* W = s V, in place. */
static void FN(apply_scale)(size_t rows, size_t n_out, size_t stride, real s, real *weights)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t o = 0; o < n_out; o += FN_LANES) {
            real *w = weights + i * stride + o;
            FN(store)(w, FN(load)(w) * s);
        }
}

/* Returns beta^n, by squaring: products only, so that every instruction set gives the same bits. */
static double FN(power)(double beta, uint64_t n)
{
    double result = 1;
    for (; n > 0; n /= 2, beta *= beta)
        result *= n % 2 ? beta : 1;
    return result;
}

/* The coefficients of one mini-batch's step, the same for all parameters. */
typedef struct {
    int lazy_decay;             /* s is multiplied by 1 - decay, instead of the first layer's w */
    double decay;               /* eta l2 */
    real decay_fraction;        /* eta l2 if the decay is decoupled, else 0 */
    real l1_step;               /* eta l1 with FN_PLAIN, else 0 */
    real l2, l1;                /* the factors of w and sgn w in the gradient, or 0 */
    real eta;
    real c[FN_MOST_COEFFICIENTS];   /* of the optimizer */
} FN(step_coefficients);

/* Returns amount * sgn w. */
FN_INLINE real FN(times_sign)(real amount, real w) { return w > 0 ? amount : w < 0 ? -amount : 0; }

/* Returns the gradient of a parameter w: g and the terms of l2 and l1. */
FN_INLINE real FN(regularized)(const FN(step_coefficients) *k, real w, real g)
{
    return FN_FMA(k->l2, w, g) + FN(times_sign)(k->l1, w);
}

#define FN_OPTIMIZER_BODIES
#define OPTIMIZER(NAME, op, name, n_moments, n_coefficients, decay)
#include "api/optimizers.def"
#undef OPTIMIZER
#undef FN_OPTIMIZER_BODIES

/* Returns the coefficients of mini-batch number `step`, whose examples have this total weight. */
static FN(step_coefficients) FN(step_coefficients_of)(const fn_training *t, double weight,
                                                      uint64_t step)
{
    const int decoupled = fn_optimizers[t->optimizer].decoupled_decay;
    const double l2 = !t->divide_l2 ? t->l2 : weight > 0 ? t->l2 / weight : 0;
    FN(step_coefficients) k = {
        .decay = t->eta * l2, .eta = (real)t->eta,
        .decay_fraction = decoupled ? (real)(t->eta * l2) : 0,
        .l2 = decoupled ? 0 : (real)l2, .l1 = (real)t->l1,
    };
    switch (t->optimizer) {
#define OPTIMIZER(NAME, op, name, n_moments, n_coefficients, decay) \
    case FN_##NAME: FN(op##_coefficients)(t, step, &k); break;
#include "api/optimizers.def"
#undef OPTIMIZER
    }
    return k;
}

_Static_assert(FN_MOST_MOMENTS == 3, "op_step has an argument for each moment");

/* op_step: update n parameters w by their gradient g, and set g to zero. first, second and third
 * are the moments; those that the optimizer does not have are NULL. Each loop is a separate
 * function, since gcc 12 ignores restrict otherwise. */
#define OPTIMIZER(NAME, op, name, n_moments, n_coefficients, decay)                              \
    static FN_NOINLINE void FN(op##_step)(size_t n, FN(step_coefficients) k, real *restrict w,   \
                                          real *restrict g, real *restrict first,                \
                                          real *restrict second, real *restrict third)           \
    {                                                                                            \
        for (size_t i = 0; i < n; i++) {                                                         \
            real moments[FN_MOST_MOMENTS] = {                                                    \
                n_moments > 0 ? first[i] : 0, n_moments > 1 ? second[i] : 0,                     \
                n_moments > 2 ? third[i] : 0,                                                    \
            };                                                                                   \
            w[i] = FN(op##_update)(&k, w[i], g[i], moments);                                     \
            if (n_moments > 0)                                                                   \
                first[i] = moments[0];                                                           \
            if (n_moments > 1)                                                                   \
                second[i] = moments[1];                                                          \
            if (n_moments > 2)                                                                   \
                third[i] = moments[2];                                                           \
            g[i] = 0;                                                                            \
        }                                                                                        \
    }
#include "api/optimizers.def"
#undef OPTIMIZER

/* Update the n parameters from parameters[at] on by their gradient g [n], and set g to zero.
 * weights: all of them are weights; else all are biases. */
static void FN(optimizer_step)(const fn_training *t, FN(step_coefficients) k, size_t at, size_t n,
                               int weights, size_t n_parameters, real *parameters, real *g)
{
    const size_t n_moments = fn_optimizers[t->optimizer].n_moments;
    real *w = parameters + at, *moments[FN_MOST_MOMENTS] = {0};
    for (size_t i = 0; i < n_moments; i++)
        moments[i] = (real *)t->moments + i * n_parameters + at;
    if (!weights)
        k.decay_fraction = k.l1_step = k.l2 = k.l1 = 0;
    switch (t->optimizer) {
#define OPTIMIZER(NAME, op, name, n_moments, n_coefficients, decay) \
    case FN_##NAME: FN(op##_step)(n, k, w, g, moments[0], moments[1], moments[2]); break;
#include "api/optimizers.def"
#undef OPTIMIZER
    }
}

/* Returns the regularization term of a cost without its factor: the sum of W^2 (L2) or of |W| (L1).
 * There are always eight partial sums, so that the result has the same bits for every vector
 * size. */
FN_INLINE double FN(penalty)(const int squares, size_t n, const real *x)
{
    double sums[8] = {0}, total = 0;
    for (size_t i = 0; i < n; i += 8) {
        real rest[8] = {0};
        const real *eight = n - i < 8 ? memcpy(rest, x + i, (n - i) * sizeof(real)) : x + i;
FN_UNROLL(8)
        for (size_t k = 0; k < 8; k++) {
            const double value = eight[k];
            sums[k] = squares ? FN_FMA(value, value, sums[k]) : sums[k] + __builtin_fabs(value);
        }
    }
    for (size_t k = 0; k < 8; k++)
        total += sums[k];
    return total;
}

static double FN(sum_of_squares)(size_t n, const real *x) { return FN(penalty)(1, n, x); }

static double FN(sum_of_magnitudes)(size_t n, const real *x) { return FN(penalty)(0, n, x); }

#endif
