/* Reads the user's examples (fn_examples): their order, their inputs as reals, weights and targets.
 *
 * Terms in csrc/input:
 *   dense rows       all inputs of each example
 *   kept inputs      of the dense rows of a step: those that are non-zero in any of them (gather.h)
 *   compressed rows  the non-zero inputs of each example (compress.h), with their columns, one
 *                    index for each, or with masks, one bit for each input
 *   list             the inputs of one to five compressed rows, and each row's values of them
 *                    (build_lists.h); list.h computes the first layer from lists
 *   blocks           up to 64 compressed rows, split into blocks of 64 inputs; block.h computes the
 *                    first layer from blocks */
#ifndef FASTNET_INPUT_EXAMPLES_H
#define FASTNET_INPUT_EXAMPLES_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "fastnet.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* The examples of a call in its order. A position is an index of the order. */
typedef struct {
    const fn_examples *examples;
    const fn_network *network;
    const int64_t *order;           /* [n_order], or NULL: 0, 1, 2 ... */
    size_t n_order;
    const fn_training *training;    /* NULL, or says how images are shifted */
} fn_ordered_examples;

/* ---- order ----------------------------------------------------------------------------------- */

/* Returns the index of the example at position i of an order. */
FN_INLINE size_t FN(example)(const int64_t *order, size_t i)
{
    return order ? (size_t)order[i] : i;
}

/* Prefetch the cache lines of `bytes` bytes. */
FN_INLINE void FN(prefetch)(const void *start, size_t bytes)
{
    const uintptr_t end = (uintptr_t)start + bytes;
    for (uintptr_t line = (uintptr_t)start & ~(uintptr_t)63; line < end; line += 64)
        __builtin_prefetch((const void *)line, 0, 2);
}

/* Bytes of a dense row that prefetch_example prefetches; gather_inputs prefetches the rest. */
#define FN_PREFETCHED_OF_ROW 1024

/* Prefetch one example; of a long dense row, only the beginning. */
FN_INLINE void FN(prefetch_example)(const fn_examples *examples, size_t n_in, size_t at)
{
    const size_t bytes = fn_bytes[examples->inputs_type];
    if (examples->targets)
        __builtin_prefetch((const char *)examples->targets + at * examples->targets_stride, 0, 2);
    if (!examples->offsets) {
        FN(prefetch)((const char *)examples->inputs + at * examples->inputs_stride,
                     n_in * bytes < FN_PREFETCHED_OF_ROW ? n_in * bytes : FN_PREFETCHED_OF_ROW);
        return;
    }
    const size_t from = (size_t)examples->offsets[at];
    const size_t n = (size_t)examples->offsets[at + 1] - from;
    FN(prefetch)((const char *)examples->inputs + from * bytes, n * bytes);
    if (examples->masks)
        FN(prefetch)(examples->masks + at * fn_words(n_in), fn_words(n_in) * sizeof(uint64_t));
    else
        FN(prefetch)((const char *)examples->columns + from * fn_bytes[examples->columns_type],
                     n * fn_bytes[examples->columns_type]);
}

/* ---- inputs ---------------------------------------------------------------------------------- */

/* Returns whether `scaled` may multiply reals instead of doubles: the scale is a real, or, for
 * bytes, fn_set_scale has found two floats that replace it. */
FN_INLINE int FN(is_exact)(const fn_examples *examples)
{
    const int by_two = examples->inputs_type == FN_U8 && FN_BITS == 32;
    return by_two ? examples->upper != 0 : (real)examples->scale == examples->scale;
}

/* Returns the k-th stored value as a real: value * scale, rounded once. exact: as is_exact says. */
FN_INLINE real FN(scaled)(const fn_type type, const int exact, const void *values, size_t k,
                          const fn_examples *examples)
{
    const double scale = examples->scale;
    if (type == FN_U8) {
        const uint8_t byte = ((const uint8_t *)values)[k];
        const real value = byte;
        if (FN_BITS == 64)
            return value * (real)scale;
        return exact ? FN_FMA(value, (real)examples->upper, value * (real)examples->lower)
                     : (real)(byte * scale);
    }
    if (type == FN_F32) {
        const float value = ((const float *)values)[k];
        return exact ? (real)value * (real)scale : (real)(value * scale);
    }
    return (real)(((const double *)values)[k] * scale);
}

#ifdef FN_EXPAND
/* As `scaled`, for FN_LANES values from p on; may read beyond the last one. */
FN_INLINE vec FN(scaled_lanes)(const fn_type type, const int exact, const char *p,
                               const fn_examples *examples)
{
    const double scale = examples->scale;
    if (type == FN_U8 && exact) {
        const vec values = __builtin_convertvector(FN(widen_bytes)(p), vec);
        if (FN_BITS == 64)
            return values * (real)scale;
        return FN_FMA(values, (real)examples->upper, values * (real)examples->lower);
    }
    if (type == FN_F32 && exact)
        return __builtin_convertvector(*(const FN(f32s) *)p, vec) * (real)scale;
    const FN(f64s) wide =
        type == FN_U8 ? __builtin_convertvector(FN(widen_bytes)(p), FN(f64s))
        : type == FN_F32 ? __builtin_convertvector(*(const FN(f32s) *)p, FN(f64s))
                         : *(const FN(f64s) *)p;
    return __builtin_convertvector(wide * scale, vec);
}
#endif

/* scale_<type> scales n values to x. Not inlined, since gcc 12 would then ignore restrict, and
 * convert values one by one. */
#define FN_SCALE(name, type, exact)                                                               \
    static FN_NOINLINE void FN(scale_##name)(size_t n, const void *restrict values,               \
                                             const fn_examples *restrict examples,                \
                                             real *restrict x)                                    \
    {                                                                                             \
        const fn_examples own = *examples;                                                        \
        for (size_t k = 0; k < n; k++)                                                            \
            x[k] = FN(scaled)(type, exact, values, k, &own);                                      \
    }
FN_SCALE(u8, FN_U8, 0)
FN_SCALE(u8_exact, FN_U8, 1)
FN_SCALE(f32, FN_F32, 0)
FN_SCALE(f32_exact, FN_F32, 1)
FN_SCALE(f64, FN_F64, 0)
#undef FN_SCALE

typedef void FN(scaler)(size_t n, const void *values, const fn_examples *, real *x);

/* Returns the function that scales the inputs of these examples, for callers with several rows. */
static FN(scaler) *FN(scaler_of)(const fn_examples *examples)
{
    const int exact = FN(is_exact)(examples);
    const fn_type type = examples->inputs_type;
    FN_ASSERT(type == FN_U8 || type == FN_F32 || type == FN_F64);
    if (type == FN_U8)
        return exact ? FN(scale_u8_exact) : FN(scale_u8);
    if (type == FN_F32)
        return exact ? FN(scale_f32_exact) : FN(scale_f32);
    return FN(scale_f64);
}

/* x[k] = values[k] * scale, n of them. */
static void FN(scale)(const fn_examples *examples, size_t n, const void *values, real *x)
{
    FN(scaler_of)(examples)(n, values, examples, x);
}

/* ---- weights and targets --------------------------------------------------------------------- */

/* weights [m] = those of the examples from position `first` on; examples->weights is not NULL. */
static void FN(gather_weights)(const fn_examples *examples, const int64_t *order, size_t first,
                               size_t m, double *weights)
{
    for (size_t s = 0; s < m; s++)
        weights[s] = examples->weights[FN(example)(order, first + s)];
}

/* Returns the sum of these weights; m if the examples have none. */
static double FN(sum_of_weights)(const fn_examples *examples, const int64_t *order, size_t first,
                                 size_t m)
{
    double sum = examples->weights ? 0 : (double)m;
    for (size_t s = 0; s < m && examples->weights; s++)
        sum += examples->weights[FN(example)(order, first + s)];
    return sum;
}

/* y [m][stride] = the targets of the examples from position `first` of the order on. A label
 * becomes a one-hot row, or, with a single output neuron that is not softmax, the number itself. */
static void FN(gather_targets)(const fn_network *network, const fn_examples *examples,
                               const int64_t *order, size_t first, size_t m, real *y)
{
    const size_t n_out = network->sizes[network->layers];
    const size_t stride = fn_stride(n_out, sizeof(real));
    const char *targets = examples->targets;
    const int labels = examples->targets_type == FN_I64;
    const int one = n_out == 1 && !fn_activations[network->output].of_layer;
    if (labels)
        memset(y, 0, m * stride * sizeof(real));
    for (size_t s = 0; s < m && labels; s++, y += stride) {
        const size_t at = FN(example)(order, first + s);
        const int64_t label = *(const int64_t *)(targets + at * examples->targets_stride);
        if (one)
            y[0] = (real)label;
        else if ((uint64_t)label < n_out) /* negative labels become large */
            y[label] = 1;
    }
    for (size_t s = 0; s < m && !labels; s++, y += stride) {
        const size_t at = FN(example)(order, first + s);
        const char *row = targets + at * examples->targets_stride;
        if (examples->targets_type == FN_F32) {
            for (size_t o = 0; o < n_out; o++)
                y[o] = (real)((const float *)row)[o];
        } else {
            for (size_t o = 0; o < n_out; o++)
                y[o] = (real)((const double *)row)[o];
        }
    }
}

#endif
