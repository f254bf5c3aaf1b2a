/* The activations of activations.def, applied to rows of hidden neurons and to output layers. Also
 * the largest magnitude of an array. */
#ifndef FASTNET_OPS_ACTIVATION_H
#define FASTNET_OPS_ACTIVATION_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "fastnet.h"
#include "gemm/transpose.h"
#include "math/exp_log.h"
#include "math/tanh_gelu.h"
#include "ops/doubles.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* For a case that the caller's checks exclude. */
#define FN_NOT_REACHED() __builtin_trap()

#define FN_ACTIVATION_BODIES
#define ACTIVATION(NAME, op, name, role, slope, n_parameters)
#include "api/activations.def"
#undef ACTIVATION
#undef FN_ACTIVATION_BODIES

/* The arguments of a row's function, by its number of parameters. */
_Static_assert(FN_MOST_ACTIVATION_PARAMETERS == 1, "there is an FN_WITH_n for each number");
#define FN_WITH_0(...) (__VA_ARGS__)
#define FN_WITH_1(...) (__VA_ARGS__, neurons.parameters)

/* Returns f'(z), computed from a = f(z), for kinds where that is possible. Inlined with a constant
 * kind. */
FN_INLINE vec FN(slope_from_activation)(const fn_activation neurons, vec a)
{
    vec result = {0};
#define FN_SLOPE_FROM_ACTIVATION(op, with) result = FN(op##_slope) with(a)
#define FN_SLOPE_KEPT(op, with) FN_NOT_REACHED()
#define FN_SLOPE_OF_LAYER(op, with) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) \
    case FN_##NAME: FN_SLOPE_##slope(op, FN_WITH_##n_parameters); break;
    switch (neurons.kind) {
#include "api/activations.def"
    }
#undef ACTIVATION
#undef FN_SLOPE_FROM_ACTIVATION
#undef FN_SLOPE_KEPT
#undef FN_SLOPE_OF_LAYER
    return result;
}

/* Returns f(z), NaN for NaN, and sets *slope_ to f'(z) if the kind has a slope; compilers remove a
 * slope that is not read. Inlined with a constant kind. */
FN_INLINE vec FN(activate_lanes)(const fn_activation neurons, vec z, vec *slope_)
{
    vec a = z;
#define FN_VALUE_FROM_ACTIVATION(op, with) \
        a = FN(op##_value) with(z); *slope_ = FN(op##_slope) with(a)
#define FN_VALUE_KEPT(op, with) a = FN(op##_value) with(z, slope_)
#define FN_VALUE_OF_LAYER(op, with) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) \
    case FN_##NAME: FN_VALUE_##slope(op, FN_WITH_##n_parameters); break;
    switch (neurons.kind) {
#include "api/activations.def"
    }
#undef ACTIVATION
#undef FN_VALUE_FROM_ACTIVATION
#undef FN_VALUE_KEPT
#undef FN_VALUE_OF_LAYER
    return a;
}

/* a = f(z), and slopes = f'(z) if that is not NULL, for m rows of n hidden neurons and the pads up
 * to whole vectors. a holds z before. Inlined with a constant kind. */
FN_INLINE void FN(activate_as)(const fn_activation neurons, size_t m, size_t n, real *a,
                               size_t stride, real *slopes, size_t slopes_stride)
{
    for (size_t s = 0; s < m; s++)
        for (size_t i = 0; i < n; i += FN_LANES) {
            vec slope;
            FN(store)(a + s * stride + i,
                      FN(activate_lanes)(neurons, FN(load)(a + s * stride + i), &slope));
            if (slopes)
                FN(store)(slopes + s * slopes_stride + i, slope);
        }
}

static void FN(activate_rows)(fn_activation neurons, size_t m, size_t n, real *a, size_t stride,
                              real *slopes, size_t slopes_stride)
{
#define FN_ROWS_HIDDEN(neurons)                                                     \
        if (slopes)                                                                 \
            FN(activate_as)(neurons, m, n, a, stride, slopes, slopes_stride);       \
        else                                                                        \
            FN(activate_as)(neurons, m, n, a, stride, NULL, 0)
#define FN_ROWS_HIDDEN_AND_OUTPUT FN_ROWS_HIDDEN
#define FN_ROWS_OUTPUT(neurons) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) \
    case FN_##NAME: neurons.kind = FN_##NAME; FN_ROWS_##role(neurons); break;
    switch (neurons.kind) {
#include "api/activations.def"
    }
#undef ACTIVATION
#undef FN_ROWS_HIDDEN
#undef FN_ROWS_HIDDEN_AND_OUTPUT
#undef FN_ROWS_OUTPUT
}

/* The activations of n numbers without pads; a kernel for tests and benchmarks. */
static void FN(activate)(fn_activation neurons, size_t n, const real *z, real *a, real *slope)
{
    const size_t whole = n / FN_LANES * FN_LANES, rest = (n - whole) * sizeof(real);
    real last[FN_LANES] = {0}, last_slope[FN_LANES];
    FN_ASSERT(a == z || fn_are_apart(a, n * sizeof(real), z, n * sizeof(real)));
    FN_ASSERT(!slope || fn_are_apart(slope, n * sizeof(real), z, n * sizeof(real)));
    FN_ASSERT(!slope || fn_are_apart(slope, n * sizeof(real), a, n * sizeof(real)));
    if (a != z)
        memcpy(a, z, whole * sizeof(real));
    memcpy(last, z + whole, rest);
    FN(activate_rows)(neurons, 1, whole, a, 0, slope, 0);
    FN(activate_rows)(neurons, 1, FN_LANES, last, 0, last_slope, 0);
    memcpy(a + whole, last, rest);
    if (slope)
        memcpy(slope + whole, last_slope, rest);
}

/* Returns the largest |x|; infinity or NaN if there is one. Without the sign, the bits are ordered
 * like the numbers, followed by infinity and NaN. counted: add the number of non-zero elements to
 * *others. Inlined with constant counted. */
FN_INLINE double FN(largest_of)(const int counted, size_t n, const real *x, size_t *others)
{
    const size_t run = 1 << 20; /* so that `count` does not overflow */
    integer largest = 0;
    for (size_t first = 0; first < n; first += run) {
        const size_t end = n - first < run ? n : first + run;
        integer count = 0;
        for (size_t i = first; i < end; i++) {
            integer bits;
            memcpy(&bits, x + i, sizeof bits);
            bits &= (integer)(FN_BITS == 32 ? INT32_MAX : INT64_MAX);
            largest = bits > largest ? bits : largest;
            count += counted && bits != 0;
        }
        *others += (size_t)count;
    }
    real result;
    memcpy(&result, &largest, sizeof result);
    return result;
}

static double FN(max_abs)(size_t n, const real *x)
{
    size_t others = 0;
    return FN(largest_of)(0, n, x, &others);
}

static double FN(max_abs_and_count)(size_t n, const real *x, size_t *others)
{
    *others = 0;
    return FN(largest_of)(1, n, x, others);
}

/* Not static: the costs in float32 call the double versions. */
void FN(exp)(size_t n, const real *x, real *y)
{
    FN_MAP(FN(exp_lanes), n, x, y);
}

void FN(sigmoid)(size_t n, const real *x, real *y)
{
    FN_MAP(FN(sigmoid_value), n, x, y);
}

#if FN_BITS == 64
void FN(log)(size_t n, const real *x, real *y)
{
    FN_MAP(FN(log_lanes), n, x, y);
}

void FN(tanh)(size_t n, const real *x, real *y)
{
    FN_MAP(FN(tanh_lanes), n, x, y);
}
#endif

/* Softmax of one example. The maximum is subtracted, so that no exponential overflows; the sum runs
 * over the outputs in ascending order for every vector width. */
static void FN(softmax_of_one)(size_t n, const real *z, real *a)
{
    real largest = FN(bounded)(z[0]), sum = 0;
    for (size_t j = 1; j < n; j++)
        largest = FN(bounded)(z[j]) > largest ? FN(bounded)(z[j]) : largest;
    for (size_t j = 0; j < n; j++)
        a[j] = FN(bounded)(z[j]) - largest;
    FN(exp)(n, a, a);
    for (size_t j = 0; j < n; j++)
        sum += a[j];
    for (size_t j = 0; j < n; j++)
        a[j] /= sum;
}

/* Softmax of up to FN_LANES examples, one per lane; writes the pads of a. */
static void FN(softmax_of_lanes)(size_t m, size_t n, size_t stride, const real *z, real *a)
{
    vec lanes[FN_LANES], largest = FN(splat)(-FN_LARGEST), sum = {0};
    for (size_t j = 0; j < n; j += FN_LANES) {
        FN(transpose_square)(m, z + j, stride, lanes);
        for (size_t q = 0; q < FN_LANES && q < n - j; q++) /* NaN is skipped here, but kept below */
            largest = FN(select)(lanes[q] > largest, lanes[q], largest);
    }
    largest = FN(bounded_lanes)(largest);
    for (size_t j = 0; j < n; j += FN_LANES) {
        _Alignas(64) real e[FN_LANES * FN_LANES] = {0};
        FN(transpose_square)(m, z + j, stride, lanes);
        for (size_t q = 0; q < FN_LANES && q < n - j; q++) {
            const vec lane = FN(exp_lanes)(FN(bounded_lanes)(lanes[q]) - largest);
            FN(store)(e + q * FN_LANES, lane);
            sum += lane;
        }
        FN(transpose_square)(FN_LANES, e, FN_LANES, lanes);
        for (size_t s = 0; s < m; s++)
            FN(store)(a + s * stride + j, lanes[s]);
    }
    for (size_t s = 0; s < m; s++)
        for (size_t j = 0; j < n; j += FN_LANES)
            FN(store)(a + s * stride + j, FN(load)(a + s * stride + j) / FN(splat)(sum[s]));
}

/* Softmax of m examples: one per lane if they fill at least a quarter of a vector's lanes, which is
 * faster then; else one by one. */
static void FN(softmax)(size_t m, size_t n, const real *z, real *a)
{
    const size_t stride = fn_stride(n, sizeof(real));
    FN_ASSERT(fn_is_aligned(z) && fn_is_aligned(a));
    FN_ASSERT(a == z || fn_are_apart(a, m * stride * sizeof(real), z, m * stride * sizeof(real)));
    for (size_t s = 0, rows; s < m; s += rows, z += rows * stride, a += rows * stride) {
        rows = m - s < FN_LANES ? m - s : FN_LANES;
        if (rows > 1 && 4 * rows >= FN_LANES)
            FN(softmax_of_lanes)(rows, n, stride, z, a);
        else
            for (size_t r = 0; r < rows; r++)
                FN(softmax_of_one)(n, z + r * stride, a + r * stride);
    }
}

/* a = f(z) for m rows of n outputs, including pads. Outputs that fill at most half a vector are
 * computed for two rows at once. Inlined with a constant kind. */
FN_INLINE void FN(activate_output_as)(const fn_activation_kind kind, size_t m, size_t n,
                                      const real *z, real *a)
{
    const fn_activation output = {.kind = kind};
    const size_t stride = fn_stride(n, sizeof(real));
    vec slope;
#if FN_HALVES
    for (; m >= 2 && n <= FN_LANES / 2; m -= 2, z += 2 * stride, a += 2 * stride) {
        const vec both = FN(activate_lanes)(
            output, FN(whole)(FN(load_half)(z), FN(load_half)(z + stride)), &slope);
        FN(store_half)(a, FN(lower)(both));
        FN(store_half)(a + stride, FN(upper)(both));
    }
#endif
    for (size_t i = 0; i < m * stride; i += FN_LANES)
        FN(store)(a + i, FN(activate_lanes)(output, FN(load)(z + i), &slope));
}

/* The output layer's activations a [m][n] of its weighted inputs z. */
static void FN(activate_output)(fn_activation_kind output, size_t m, size_t n, const real *z,
                                real *a)
{
#define FN_OUTPUT_FROM_ACTIVATION(kind, op) FN(activate_output_as)(kind, m, n, z, a)
#define FN_OUTPUT_KEPT FN_OUTPUT_FROM_ACTIVATION
#define FN_OUTPUT_OF_LAYER(kind, op) FN(op)(m, n, z, a)
#define FN_ROWS_OUTPUT(kind, op, slope) FN_OUTPUT_##slope(kind, op)
#define FN_ROWS_HIDDEN_AND_OUTPUT FN_ROWS_OUTPUT
#define FN_ROWS_HIDDEN(kind, op, slope) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) \
    case FN_##NAME: FN_ROWS_##role(FN_##NAME, op, slope); break;
    switch (output) {
#include "api/activations.def"
    }
#undef ACTIVATION
#undef FN_OUTPUT_FROM_ACTIVATION
#undef FN_OUTPUT_KEPT
#undef FN_OUTPUT_OF_LAYER
#undef FN_ROWS_OUTPUT
#undef FN_ROWS_HIDDEN_AND_OUTPUT
#undef FN_ROWS_HIDDEN
}

/* slopes = f'(z) of `size` outputs, pads included, from z and a = f(z); a itself of a layer whose
 * outputs depend on each other. */
static void FN(output_slopes)(fn_activation_kind output, size_t size, const real *z, const real *a,
                              real *restrict slopes)
{
#define FN_SLOPES_FROM_ACTIVATION(neurons) slope = FN(slope_from_activation)(neurons, slope)
#define FN_SLOPES_KEPT(neurons) FN(activate_lanes)(neurons, FN(load)(z + i), &slope)
#define FN_SLOPES_OF_LAYER(neurons) (void)neurons
#define FN_ROWS_OUTPUT(slope) FN_SLOPES_##slope(neurons)
#define FN_ROWS_HIDDEN_AND_OUTPUT FN_ROWS_OUTPUT
#define FN_ROWS_HIDDEN(slope) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) \
    case FN_##NAME: neurons.kind = FN_##NAME; FN_ROWS_##role(slope); break;
    fn_activation neurons = {.kind = output};
    (void)z; /* no output layer may be KEPT */
    for (size_t i = 0; i < size; i += FN_LANES) {
        vec slope = FN(load)(a + i);
        switch (output) {
#include "api/activations.def"
        }
        FN(store)(slopes + i, slope);
    }
#undef ACTIVATION
#undef FN_SLOPES_FROM_ACTIVATION
#undef FN_SLOPES_KEPT
#undef FN_SLOPES_OF_LAYER
#undef FN_ROWS_OUTPUT
#undef FN_ROWS_HIDDEN_AND_OUTPUT
#undef FN_ROWS_HIDDEN
}

#endif
