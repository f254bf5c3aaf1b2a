/* From the user's examples to the first layer's operand, dense.
 *
 * A column that is zero in all m examples adds nothing to z and nothing to the
 * update (0 * w for finite w), so only the others are kept: x has n_columns
 * columns then, and columns[c] says which input the c-th is. Of MNIST's 784 columns
 * 383 remain on average at m = 10. The bits are those of the dense product, up
 * to the sign of a zero. */
#ifndef FASTNET_INPUT_GATHER_H
#define FASTNET_INPUT_GATHER_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "fastnet.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* The k-th value as it is stored, to a real: value * scale, rounded once. `exact` says that it may
 * be computed with reals (is_exact). */
FN_INLINE real FN(scaled)(const fn_type type, const int exact, const void *values, size_t k,
                          const fn_examples *examples)
{
    if (type == FN_U8) {
        const real value = ((const uint8_t *)values)[k];
        return FN_BITS == 64 ? value * (real)examples->scale
             : exact ? FN_FMA(value, (real)examples->upper, value * (real)examples->lower)
                     : (real)(((const uint8_t *)values)[k] * examples->scale);
    }
    if (type == FN_F32)
        return exact ? (real)((const float *)values)[k] * (real)examples->scale
                     : (real)(((const float *)values)[k] * examples->scale);
    return (real)(((const double *)values)[k] * examples->scale);
}

/* Whether products of reals are the scaled values: the scale is a real, or the sum of two by
 * which bytes may be multiplied. */
FN_INLINE int FN(is_exact)(const fn_examples *examples)
{
    return examples->inputs_type == FN_U8 && FN_BITS == 32 ? examples->upper != 0
                                                           : (real)examples->scale == examples->scale;
}

/* Not inlined: gcc 12 would ignore restrict, and convert values one by one. */
#define FN_SCALE(name, type, exact)                                                            \
    static FN_NOINLINE void FN(scale_##name)(size_t n, const void *restrict values,               \
                                          const fn_examples *restrict examples, real *restrict x) \
    {                                                                                          \
        const fn_examples own = *examples;                                                     \
        for (size_t k = 0; k < n; k++)                                                         \
            x[k] = FN(scaled)(type, exact, values, k, &own);                                   \
    }
FN_SCALE(u8, FN_U8, 0)
FN_SCALE(u8_exact, FN_U8, 1)
FN_SCALE(f32, FN_F32, 0)
FN_SCALE(f32_exact, FN_F32, 1)
FN_SCALE(f64, FN_F64, 0)
#undef FN_SCALE

typedef void FN(scaler)(size_t n, const void *values, const fn_examples *, real *x);

/* What scales the inputs of these examples, looked up once for all rows. */
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

/* Lanes of ones where input j + lane is other than zero in any of the m rows of x. */
FN_INLINE ivec FN(seen)(size_t m, const real *x, size_t stride, size_t j)
{
    ivec any = {0};
    for (size_t s = 0; s < m; s++)
        any |= FN(load)(x + s * stride + j) != 0;
    return any;
}

/* Keep only the columns of x [m][stride] that are not all zero, if they are few enough; returns
 * their number and, if it is not n_in, writes their indices to columns, which has room for FN_LANES
 * more. The pads of x up to a vector are zero, and may be written. */
static size_t FN(keep_columns)(size_t m, size_t n_in, size_t stride, uint32_t *restrict columns,
                               real *x)
{
    ivec all = {0};
    size_t zeros = 0, n_columns = 0;
    if (n_in <= FN_LANES) /* never few enough */
        return n_in;
    for (size_t s = 0; s < m; s++)
        FN_ASSERT(fn_is_zero(x + s * stride + n_in, (size_t)(-n_in % FN_LANES) * sizeof(real)));
    for (size_t j = 0; j < n_in; j += FN_LANES) /* pads are zero: the count is too large */
        all += ~FN(seen)(m, x, stride, j);
    for (size_t i = 0; i < FN_LANES; i++)
        zeros += (size_t)-all[i];
    if (8 * zeros <= n_in + 8 * FN_LANES)
        return n_in;
    for (size_t j = 0; j < n_in; j += FN_LANES) {
        const ivec any = FN(seen)(m, x, stride, j);
        if (!FN(some)(any))
            continue;
#ifdef FN_EXPAND
        const unsigned bits = FN(bits_of)(any);
        FN(store_rows)(bits, (uint32_t)j, 1, columns + n_columns);
        for (real *row = x; row < x + m * stride; row += stride) /* to the left: what was read */
            FN(store)(row + n_columns, (vec)FN(pack)(bits, (ivec)FN(load)(row + j)));
        n_columns += (size_t)__builtin_popcount(bits);
#else
        for (size_t i = 0; i < FN_LANES && j + i < n_in; i++) { /* no branch: unpredictable */
            columns[n_columns] = (uint32_t)(j + i);
            n_columns += (size_t)-any[i];
        }
#endif
    }
#ifndef FN_EXPAND
    for (size_t s = 0; s < m; s++)
        for (size_t c = 0; c < n_columns; c++)
            x[s * stride + c] = x[s * stride + columns[c]];
#endif
    return n_columns;
}

/* The i-th example of an order; NULL stands for 0, 1, 2 ... */
FN_INLINE size_t FN(example)(const int64_t *order, size_t i) { return order ? (size_t)order[i] : i; }

/* One row of inputs -> x, moved as an image moves; what comes in at the edges is zero. */
static void FN(move_image)(fn_shift by, size_t side, const fn_examples *examples, const char *row,
                           real *x)
{
    const ptrdiff_t n = (ptrdiff_t)side, down = by.down, right = by.right;
    const ptrdiff_t from = right > 0 ? right : 0, to = right > 0 ? n : n + right;
    memset(x, 0, side * side * sizeof(real));
    for (ptrdiff_t r = down > 0 ? down : 0; r < (down > 0 ? n : n + down); r++)
        FN(scale)(examples, (size_t)(to - from),
                  row + (size_t)((r - down) * n + from - right) * fn_bytes[examples->inputs_type],
                  x + r * n + from);
}

FN_INLINE void FN(prefetch)(const void *start, size_t bytes)
{
    const char *line = (const char *)((uintptr_t)start & ~(uintptr_t)63);
    for (; line < (const char *)start + bytes; line += 64)
        __builtin_prefetch(line, 0, 2);
}

/* Examples lie anywhere in memory, and are prefetched a mini-batch before they are needed; of a long
 * dense row the first bytes, and the rest when the row FN_ROWS_AHEAD before it is copied. */
#define FN_PREFETCHED_OF_ROW 1024
#define FN_ROWS_AHEAD 2

/* Examples order[first .. first+m) -> x [m][stride] */
static void FN(gather_inputs)(const fn_examples *examples, const fn_network *network,
                              const int64_t *order, size_t first, size_t m, real *x, size_t stride,
                              const fn_training *training)
{
    const size_t n_in = network->sizes[0], bytes = n_in * fn_bytes[examples->inputs_type];
    const char *inputs = examples->inputs;
    FN(scaler) *scale = FN(scaler_of)(examples);
    size_t asked = order && bytes > FN_PREFETCHED_OF_ROW ? 0 : m;
    for (size_t s = 0; s < m; s++, x += stride) {
        for (; asked < m && asked <= s + FN_ROWS_AHEAD; asked++) {
            const char *soon = inputs + (size_t)order[first + asked] * examples->inputs_stride;
            FN(prefetch)(soon + FN_PREFETCHED_OF_ROW, bytes - FN_PREFETCHED_OF_ROW);
        }
        const char *row = inputs + FN(example)(order, first + s) * examples->inputs_stride;
        if (training && training->shift)
            FN(move_image)(fn_shift_of(network, training, first + s), training->side, examples, row,
                           x);
        else
            scale(n_in, row, examples, x);
    }
}

/* The weights of examples order[first .. first+m), which must have some -> weights [m] */
static void FN(gather_weights)(const fn_examples *examples, const int64_t *order, size_t first,
                               size_t m, double *weights)
{
    for (size_t s = 0; s < m; s++)
        weights[s] = examples->weights[FN(example)(order, first + s)];
}

/* The sum of these weights; each is 1 if the examples have none. */
static double FN(sum_of_weights)(const fn_examples *examples, const int64_t *order, size_t first,
                                 size_t m)
{
    double sum = examples->weights ? 0 : (double)m;
    for (size_t s = 0; s < m && examples->weights; s++)
        sum += examples->weights[FN(example)(order, first + s)];
    return sum;
}

/* y [m][stride]: labels become a one at their place, or, where one neuron
 * stands for two classes, the label itself. */
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
        else if ((uint64_t)label < n_out) /* negative ones are large */
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

/* Prefetch one example, of a long dense row its beginning. */
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

#endif
