/* Computes costs: the output error in the network's type, and the value in double.
 *
 * costs.def defines each cost. This file has the code that costs share: the loops over examples and
 * outputs, weights, sums, and the calls of the costs' functions, generated from the rows of
 * costs.def. Only certain pairs of output layer and cost are allowed; fastnet/nn/costs.py has their
 * table and rejects all others. */
#ifndef FASTNET_OPS_COST_H
#define FASTNET_OPS_COST_H

#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "fastnet.h"
#include "gemm/transpose.h"
#include "math/tanh_gelu.h"
#include "ops/doubles.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* The most outputs in a run: outputs, converted to double, for which a cost is computed at once. */
#define FN_RUN 64

/* The argument of op_value: a run of n outputs, of one example or several. The term of output j
 * counts weights[j] times. */
typedef struct {
    fn_activation_kind output;
    const double *parameters;       /* of the cost */
    size_t n;                       /* 0 to FN_RUN */
    const double *z, *y, *weights;  /* [n] */
    const double *own;              /* [n], the parameter of each output, or NULL */
} fn_run;

/* The argument of op_error: a vector of outputs of one example. */
typedef struct {
    vec a, y;
    fn_activation_kind output;
    const double *parameters; /* of the cost */
    const double *own;        /* the parameter of each of these outputs, or NULL */
} FN(output_lanes);

/* Returns a*b + sum, for sums in a fixed order. With FN_FMA, gcc -O3 would vectorize the products
 * of such sums and then fuse none of them, so the builtin is called where the target has FMA. */
FN_INLINE double FN(add_product)(double a, double b, double sum)
{
#if defined(__FP_FAST_FMA) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(a, b, sum);
#else
    return FN_FMA(a, b, sum);
#endif
}

#define COST(NAME, op, name, n_parameters, sum)
#define FN_COST_BODIES
#include "api/costs.def"
#undef FN_COST_BODIES
#undef COST

/* Call op_error of a cost. Inlined with a constant cost, as softmax_value is. */
FN_INLINE vec FN(error_lanes)(const fn_cost cost, const FN(output_lanes) *at)
{
    switch (cost) {
#define COST(NAME, op, name, n_parameters, sum) \
    case FN_##NAME:                             \
        return FN(op##_error)(at);
#include "api/costs.def"
#undef COST
    case FN_OTHER_COST:
        break;
    }
    return at->a - at->a;
}

#define FN_OF_OUTPUTS(call)
#define FN_OF_PER_OUTPUT(call)
#define FN_OF_SOFTMAX(call) return call;
FN_INLINE FN_F64(vec) FN(softmax_value)(const fn_cost cost, FN_F64(vec) minus_log_a,
                                        FN_F64(vec) y, FN_F64(vec) so_far)
{
    switch (cost) {
#define COST(NAME, op, name, n_parameters, sum)                      \
    case FN_##NAME:                                                  \
        FN_OF_##sum(FN(op##_value)(minus_log_a, y, so_far)) \
        break;
#include "api/costs.def"
#undef COST
    case FN_OTHER_COST:
        break;
    }
    return so_far;
}

/* delta [m][stride] = the output error times factor and each example's weight. Pads become zero, so
 * that the pads of the parameters stay zero; so do rows of weight 0, even if their error is not
 * finite. Inlined with a constant cost. */
FN_INLINE void FN(error_rows)(const fn_cost cost, const fn_network *network, size_t m,
                              double factor, const double *weights, const real *a, const real *y,
                              real *delta)
{
    const size_t n = network->sizes[network->layers], stride = fn_stride(n, sizeof(real));
    double parameters[FN_MOST_COST_PARAMETERS];
    memcpy(parameters, network->cost_parameters, sizeof parameters);
    FN(output_lanes) at = {.output = network->output, .parameters = parameters};
    for (size_t s = 0; s < m; s++, a += stride, y += stride, delta += stride) {
        const vec times = FN(splat)((real)(weights ? factor * weights[s] : factor));
        if (weights && !(weights[s] > 0)) {
            memset(delta, 0, stride * sizeof(real));
            continue;
        }
        for (size_t o = 0; o < stride; o += FN_LANES) {
            at.a = FN(load)(a + o);
            at.y = FN(load)(y + o);
            at.own = network->own_parameters ? network->own_parameters + o : NULL;
            const vec error = FN(error_lanes)(cost, &at);
            FN(store)(delta + o, FN(first_lanes)(n > o ? n - o : 0, error * times));
        }
    }
}

/* op_error_rows of each cost; gcc merges equal ones. */
#define COST(NAME, op, name, n_parameters, sum)                                                  \
    static FN_NOINLINE void FN(op##_error_rows)(const fn_network *network, size_t m,             \
                                                double factor, const double *weights,            \
                                                const real *a, const real *y, real *delta)       \
    {                                                                                            \
        FN(error_rows)(FN_##NAME, network, m, factor, weights, a, y, delta);                     \
    }
#include "api/costs.def"
#undef COST

static void FN(output_error)(const fn_network *network, size_t m, double factor,
                             const double *weights, const real *a, const real *y, real *delta)
{
    const size_t n = network->sizes[network->layers];
    const size_t bytes = m * fn_stride(n, sizeof(real)) * sizeof(real);
    FN_ASSERT(fn_is_aligned(a) && fn_is_aligned(y) && fn_is_aligned(delta));
    FN_ASSERT(fn_are_apart(delta, bytes, a, bytes) && fn_are_apart(delta, bytes, y, bytes));
    FN_ASSERT(fn_weights_hold(weights, m));
    (void)bytes;
    switch (network->cost) {
#define COST(NAME, op, name, n_parameters, sum)                        \
    case FN_##NAME:                                                    \
        FN(op##_error_rows)(network, m, factor, weights, a, y, delta); \
        return;
#include "api/costs.def"
#undef COST
    case FN_OTHER_COST: { /* whose error the callback computes */
        const size_t stride = fn_stride(network->sizes[network->layers], sizeof(real));
        memset(delta, 0, m * stride * sizeof(real));
    }
    }
}

/* to[j * FN_LANES + s] = from[s * stride + j], bounded and in double, for at most FN_LANES of n
 * outputs j, and for m <= FN_LANES examples s; 0 for s >= m. */
static void FN(outputs_across)(size_t m, size_t n, const real *from, size_t stride, double *to)
{
    vec lanes[FN_LANES];
    FN(transpose_square)(m, from, stride, lanes);
    for (size_t j = 0; j < FN_LANES && j < n; j++) {
        real line[FN_LANES];
        FN(store)(line, FN(bounded_lanes)(lanes[j]));
        for (size_t s = 0; s < FN_LANES; s++)
            to[j * FN_LANES + s] = line[s];
    }
}

/* Returns total + the costs of m <= FN_LANES examples. A cost is the sum of the terms of the
 * outputs, computed from -ln a = ln sum_k e^(z_k - max) - (z - max). If all outputs fit in one
 * square, they are transposed only once. */
FN_INLINE double FN(softmax_lanes)(const fn_cost cost, size_t m, size_t n, const double *weights,
                                   const real *z, const real *y, double total)
{
    const size_t stride = fn_stride(n, sizeof(real)), doubles = FN_VECTOR_BYTES / sizeof(double);
    double largest[FN_LANES], sums[FN_LANES] = {0}, costs[FN_LANES] = {0};
    double zs[FN_LANES * FN_LANES], others[FN_LANES * FN_LANES]; /* rows of FN_LANES examples */
    for (size_t s = 0; s < FN_LANES; s++)
        largest[s] = -FN_LARGEST;
    for (size_t j = 0; j < n; j += FN_LANES) {
        FN(outputs_across)(m, n - j, z + j, stride, zs);
        for (size_t q = 0; q < FN_LANES && q < n - j; q++)
            for (size_t s = 0; s < FN_LANES; s += doubles) {
                const FN_F64(vec) z_s = FN_F64(load)(zs + q * FN_LANES + s);
                const FN_F64(vec) most = FN_F64(load)(largest + s);
                FN_F64(store)(largest + s, FN_F64(select)(z_s > most, z_s, most));
            }
    }
    for (size_t j = 0; j < n; j += FN_LANES) {
        const size_t run = n - j < FN_LANES ? n - j : FN_LANES;
        if (n > FN_LANES)
            FN(outputs_across)(m, run, z + j, stride, zs);
        for (size_t q = 0; q < run; q++)
            for (size_t s = 0; s < FN_LANES; s++)
                others[q * FN_LANES + s] = zs[q * FN_LANES + s] - largest[s];
        FN_F64(exp)(run * FN_LANES, others, others);
        for (size_t q = 0; q < run; q++)
            for (size_t s = 0; s < FN_LANES; s++)
                sums[s] += others[q * FN_LANES + s];
    }
    FN_F64(log)(FN_LANES, sums, sums);
    for (size_t j = 0; j < n; j += FN_LANES) {
        if (n > FN_LANES)
            FN(outputs_across)(m, n - j, z + j, stride, zs);
        FN(outputs_across)(m, n - j, y + j, stride, others);
        for (size_t q = 0; q < FN_LANES && q < n - j; q++)
            for (size_t s = 0; s < FN_LANES; s += doubles) {
                const size_t at = q * FN_LANES + s;
                const FN_F64(vec) below = FN_F64(load)(zs + at) - FN_F64(load)(largest + s);
                const FN_F64(vec) minus_log_a = FN_F64(load)(sums + s) - below;
                FN_F64(store)(costs + s, FN(softmax_value)(cost, minus_log_a,
                                                           FN_F64(load)(others + at),
                                                           FN_F64(load)(costs + s)));
            }
    }
    for (size_t s = 0; s < m; s++) {
        const double weight = weights ? weights[s] : 1;
        total = weight == 0 ? total : FN(add_product)(weight, costs[s], total);
    }
    return total;
}

FN_INLINE double FN(sum_of_softmax)(const fn_cost cost, const fn_network *network, size_t m,
                                    const double *weights, const real *z, const real *y)
{
    const size_t n = network->sizes[network->layers], stride = fn_stride(n, sizeof(real));
    double total = 0;
    for (size_t s = 0; s < m; s += FN_LANES)
        total = FN(softmax_lanes)(cost, m - s < FN_LANES ? m - s : FN_LANES, n,
                                  weights ? weights + s : NULL, z + s * stride, y + s * stride,
                                  total);
    return total;
}

/* Returns the weighted sum of the costs of m examples. Examples of weight 0 add nothing, even if
 * their cost is infinite. Outputs of several examples share a run: with a single output neuron, one
 * run per example would be far slower. own [n]: the parameter of each output, or NULL. */
FN_INLINE double FN(sum_of_runs)(double (*value)(const fn_run *), const fn_network *network,
                                 size_t m, const double *weights, const real *z, const real *y,
                                 const double *own)
{
    const size_t n = network->sizes[network->layers], stride = fn_stride(n, sizeof(real));
    double total = 0, zd[FN_RUN], yd[FN_RUN], wd[FN_RUN], od[FN_RUN];
    fn_run run = {.output = network->output, .parameters = network->cost_parameters, .z = zd,
                  .y = yd, .weights = wd, .own = own ? od : NULL};
    size_t filled = 0;
    for (size_t s = 0; s < m; s++, z += stride, y += stride) {
        const double weight = weights ? weights[s] : 1;
        for (size_t j = 0; j < n && weight != 0; j++) {
            zd[filled] = FN(bounded)(z[j]);
            yd[filled] = y[j];
            if (own)
                od[filled] = own[j];
            wd[filled++] = weight;
            if (filled == FN_RUN) {
                run.n = filled;
                total += value(&run);
                filled = 0;
            }
        }
    }
    run.n = filled;
    return total + value(&run);
}

static FN_NOINLINE double FN(sum_of_outputs)(double (*value)(const fn_run *),
                                             const fn_network *network, size_t m,
                                             const double *weights, const real *z, const real *y)
{
    return FN(sum_of_runs)(value, network, m, weights, z, y, NULL);
}

/* A function of its own, so that other costs do not copy parameters. */
static FN_NOINLINE double FN(sum_of_own)(double (*value)(const fn_run *),
                                         const fn_network *network, size_t m,
                                         const double *weights, const real *z, const real *y)
{
    if (!network->own_parameters)
        return FN(sum_of_outputs)(value, network, m, weights, z, y);
    return FN(sum_of_runs)(value, network, m, weights, z, y, network->own_parameters);
}

static double FN(cost_sum)(const fn_network *network, size_t m, const double *weights,
                           const real *z, const real *y)
{
    FN_ASSERT(fn_is_aligned(z) && fn_is_aligned(y) && fn_weights_hold(weights, m));
#define FN_SUM_OUTPUTS(NAME, op) FN(sum_of_outputs)(FN(op##_value), network, m, weights, z, y)
#define FN_SUM_PER_OUTPUT(NAME, op) FN(sum_of_own)(FN(op##_value), network, m, weights, z, y)
#define FN_SUM_SOFTMAX(NAME, op) FN(sum_of_softmax)(FN_##NAME, network, m, weights, z, y)
    switch (network->cost) {
#define COST(NAME, op, name, n_parameters, sum) \
    case FN_##NAME:                             \
        return FN_SUM_##sum(NAME, op);
#include "api/costs.def"
#undef COST
    case FN_OTHER_COST: /* whose value is computed in Python */
        return 0;
    }
    return 0;
}

#endif
