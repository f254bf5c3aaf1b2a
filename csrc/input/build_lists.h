/* Makes lists from compressed examples, and computes the first layer from lists.
 *
 * Later examples, and before them their offsets, are prefetched while lists are made, since memory
 * is idle then. Measurements: docs/tuning.md. */
#ifndef FASTNET_INPUT_BUILD_LISTS_H
#define FASTNET_INPUT_BUILD_LISTS_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "fastnet.h"
#include "input/gather.h"
#include "input/list.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* rows[k] = columns[k] * stride */
static FN_NOINLINE void FN(rows_of_u16)(size_t n, const uint16_t *restrict columns, uint32_t stride,
                                     uint32_t *restrict rows)
{
    for (size_t k = 0; k < n; k++)
        rows[k] = columns[k] * stride;
}

static FN_NOINLINE void FN(rows_of_u32)(size_t n, const uint32_t *restrict columns, uint32_t stride,
                                     uint32_t *restrict rows)
{
    for (size_t k = 0; k < n; k++)
        rows[k] = columns[k] * stride;
}

#ifdef FN_EXPAND
/* Writes to rows where the weights of each input in the mask start; returns their number. */
static size_t FN(rows_of_mask)(size_t words, const uint64_t *mask, uint32_t stride, uint32_t *rows)
{
    size_t n = 0;
    for (size_t word = 0; word < words; word++) {
        const uint64_t here = mask[word];
        if (here == 0)
            continue;
FN_UNROLL(8)
        for (size_t j = 0; j < 64; j += FN_LANES) {
            const unsigned bits = (unsigned)(here >> j) & FN_LANE_BITS;
            FN(store_rows)(bits, (uint32_t)(64 * word + j) * stride, stride, rows + n);
            n += (size_t)__builtin_popcount(bits);
        }
    }
    return n;
}
#endif

/* One example's list, from its columns or mask; returns its length. */
static size_t FN(list_one)(const fn_examples *examples, size_t n_in, size_t at, uint32_t stride,
                           uint32_t *rows, real *x)
{
    const size_t first = (size_t)examples->offsets[at];
    const size_t n = (size_t)examples->offsets[at + 1] - first;
    (void)n_in;
#ifdef FN_EXPAND
    if (examples->masks)
        FN(rows_of_mask)(fn_words(n_in), examples->masks + at * fn_words(n_in), stride, rows);
    else
#endif
    if (examples->columns_type == FN_U16)
        FN(rows_of_u16)(n, (const uint16_t *)examples->columns + first, stride, rows);
    else
        FN(rows_of_u32)(n, (const uint32_t *)examples->columns + first, stride, rows);
    FN(scale)(examples, n,
              (const char *)examples->inputs + first * fn_bytes[examples->inputs_type], x);
    return n;
}

/* Shift a list of n inputs as its image shifts; inputs shifted out are dropped. Inputs ascend, so
 * the image's row is found by counting up. Returns the number of inputs kept. */
static size_t FN(move_list)(fn_shift by, size_t side, uint32_t stride, size_t n, uint32_t *rows,
                            real *x)
{
    const uint32_t width = (uint32_t)side * stride;
    const uint32_t offset = ((uint32_t)by.down * (uint32_t)side + (uint32_t)by.right) * stride;
    uint32_t end = width, kept = 0;
    ptrdiff_t row = by.down;
    for (size_t k = 0; k < n; k++) {
        const uint32_t at = rows[k];
        for (; at >= end; end += width)
            row++;
        /* Unsigned: what is beyond the left edge is large. */
        const uint32_t column = at - (end - width) + (uint32_t)by.right * stride;
        rows[kept] = at + offset;
        x[kept] = x[k];
        kept += row >= 0 && row < (ptrdiff_t)side && column < width;
    }
    return kept;
}

/* The list of the example at `position` of the order, moved where training moves images. */
static size_t FN(list_at)(const fn_examples *examples, const fn_network *network,
                          const int64_t *order, size_t position, const fn_training *training,
                          uint32_t stride, uint32_t *rows, real *x)
{
    const size_t n = FN(list_one)(examples, network->sizes[0], FN(example)(order, position), stride,
                                  rows, x);
    if (!training || !training->shift)
        return n;
    return FN(move_list)(fn_shift_of(network, training, position), training->side, stride, n, rows, x);
}

#ifdef FN_EXPAND
/* As scaled (gather.h), for FN_LANES values from p on; may read beyond the last one. */
FN_INLINE vec FN(scaled_lanes)(const fn_type type, const int exact, const char *p,
                               const fn_examples *examples)
{
    const double scale = examples->scale;
    if (type == FN_U8 && exact) {
        const vec values = __builtin_convertvector(FN(widen_bytes)(p), vec);
        return FN_BITS == 64 ? values * (real)scale
                             : FN_FMA(values, (real)examples->upper, values * (real)examples->lower);
    }
    if (type == FN_F32 && exact)
        return __builtin_convertvector(*(const FN(f32s) *)p, vec) * (real)scale;
    FN(f64s) wide;
    if (type == FN_U8)
        wide = __builtin_convertvector(FN(widen_bytes)(p), FN(f64s));
    else if (type == FN_F32)
        wide = __builtin_convertvector(*(const FN(f32s) *)p, FN(f64s));
    else
        wide = *(const FN(f64s) *)p;
    return __builtin_convertvector(wide * scale, vec);
}

/* For each of the g examples at `at`, one bit per input of union_mask, packed: whether the example
 * has it; bits [g][words]. Inlined with constant g, so that the dependency chains of the examples
 * overlap. */
FN_INLINE void FN(extract_bits)(const size_t g, const fn_examples *examples, const size_t *at,
                           size_t words, const uint64_t *union_mask, uint64_t *restrict bits)
{
    const uint64_t *own[FN_GROUP];
    uint64_t part[FN_GROUP] = {0};
    size_t filled = 0;
    for (size_t s = 0; s < g; s++)
        own[s] = examples->masks + at[s] * words;
    for (size_t word = 0; word < words; word++) {
        const size_t end = filled + (size_t)__builtin_popcountll(union_mask[word]);
        const uint64_t full = end / 64;
FN_UNROLL(5)
        for (size_t s = 0; s < g; s++) {
            const uint64_t ours = _pext_u64(own[s][word], union_mask[word]);
            const uint64_t low = part[s] | ours << filled, high = ours >> 1 >> (63 - filled);
            bits[s * words] = low;
            part[s] = low ^ ((low ^ high) & -full); /* no branch: unpredictable */
        }
        bits += full;
        filled = end % 64;
    }
    for (size_t s = 0; s < g && filled; s++)
        bits[s * words] = part[s];
}

/* The values of the g examples at `at` on the list that they share; bits: see extract_bits. */
FN_INLINE void FN(expand_values)(const size_t g, const fn_type type, const int exact,
                          const fn_examples *examples, const size_t *at, size_t words,
                          const uint64_t *bits, size_t n, real *restrict x, size_t row_stride)
{
    const char *values[FN_GROUP];
    for (size_t s = 0; s < g; s++)
        values[s] = (const char *)examples->inputs + (size_t)examples->offsets[at[s]] * fn_bytes[type];
    for (size_t k = 0; k < n; k += FN_LANES)
FN_UNROLL(5)
        for (size_t s = 0; s < g; s++) {
            const unsigned mine = (unsigned)(bits[s * words + k / 64] >> k % 64) & FN_LANE_BITS;
            const vec packed = FN(scaled_lanes)(type, exact, values[s], examples);
            FN(store)(x + s * row_stride + k, FN(expand)(mine, packed));
            values[s] += (size_t)__builtin_popcount(mine) * fn_bytes[type];
        }
}

/* The body once for each type of values, and for a scale that is exact or not. */
#define FN_EACH_TYPE(examples, CALL)                                         \
    do {                                                                     \
        const int exact_ = FN(is_exact)(examples);                           \
        const fn_type type_ = (examples)->inputs_type;                       \
        FN_ASSERT(type_ == FN_U8 || type_ == FN_F32 || type_ == FN_F64);     \
        if (type_ == FN_U8) {                                                \
            if (exact_) { CALL(FN_U8, 1); } else { CALL(FN_U8, 0); }         \
        } else if (type_ == FN_F32) {                                        \
            if (exact_) { CALL(FN_F32, 1); } else { CALL(FN_F32, 0); }       \
        } else {                                                             \
            CALL(FN_F64, 0);                                                 \
        }                                                                    \
    } while (0)

/* The values of the g examples at `at` on their shared list, the n inputs in union_mask [words],
 * behind which there is room for FN_GROUP * words, the examples' bits. Inlined with constant g. */
FN_INLINE void FN(fill_shared)(const size_t g, const fn_examples *examples, const size_t *at,
                               size_t words, uint64_t *union_mask, size_t n, real *x,
                               size_t row_stride)
{
    FN(extract_bits)(g, examples, at, words, union_mask, union_mask + words);
#define FN_CALL(type, exact) \
    FN(expand_values)(g, type, exact, examples, at, words, union_mask + words, n, x, row_stride)
    FN_EACH_TYPE(examples, FN_CALL);
#undef FN_CALL
}

/* The list that the g > 1 examples at `at` share; returns its length. union_mask: the inputs that any
 * of them has, [(1 + FN_GROUP) * words] with the memory behind it. */
static size_t FN(list_shared)(size_t g, const fn_examples *examples, const size_t *at, size_t words,
                              uint32_t stride, uint64_t *union_mask, uint32_t *rows, real *x,
                              size_t row_stride)
{
    memset(union_mask, 0, words * sizeof *union_mask);
    for (size_t s = 0; s < g; s++)
        for (size_t word = 0; word < words; word++)
            union_mask[word] |= examples->masks[at[s] * words + word];
    const size_t n = FN(rows_of_mask)(words, union_mask, stride, rows);
#define FN_CASE(g) case g: FN(fill_shared)(g, examples, at, words, union_mask, n, x, row_stride); break;
    switch (g) { FN_EACH_SHARED_GROUP(FN_CASE) }
#undef FN_CASE
    return n;
}
#endif

/* Elements that a list may take: its inputs, and a vector that is stored behind them. */
static size_t FN(list_capacity)(const fn_examples *examples, size_t n_in)
{
    const size_t most = examples->masks ? examples->longest * FN_GROUP : examples->longest;
    return fn_stride((most < n_in ? most : n_in) + FN_LANES, sizeof(real));
}

/* Prefetch the example FN_AHEAD positions after `position`, and the offsets of the one 2 * FN_AHEAD
 * after it. */
FN_INLINE void FN(prefetch_ahead)(const fn_examples *examples, const fn_network *network,
                             const int64_t *order, size_t n_order, size_t position)
{
    const size_t soon = position + FN_AHEAD, later = soon + FN_AHEAD;
    if (order && soon < n_order)
        FN(prefetch_example)(examples, network->sizes[0], (size_t)order[soon]);
    if (order && later < n_order)
        __builtin_prefetch(examples->offsets + order[later]);
}

/* The lists of examples order[first .. first+m), or first .. first+m where order is NULL;
 * `sharing` examples at most share one. Later examples of the order's n_order are prefetched
 * meanwhile, since the memory has nothing else to do here.
 * lists [m], rows and x [m][row_stride], row_stride at least list_capacity; union_mask: as
 * list_shared says. */
static void FN(make_lists)(const fn_examples *examples, const fn_network *network,
                           const int64_t *order, size_t n_order, size_t first, size_t m,
                           size_t sharing, size_t row_stride, FN(list) *lists, uint32_t *rows,
                           real *x, uint64_t *union_mask, const fn_training *training)
{
    const size_t words = fn_words(network->sizes[0]), groups = (m + sharing - 1) / sharing;
    const uint32_t stride = (uint32_t)fn_stride(network->sizes[1], sizeof(real));
    (void)union_mask, (void)words;
    FN_ASSERT(sharing >= 1 && sharing <= FN_GROUP && (sharing == 1 || examples->masks));
    for (size_t q = 0, s = 0, g; q < groups; q++, s += g, rows += row_stride, x += g * row_stride) {
        g = fn_part(m, 1, q + 1, groups) - s;
        lists[q] = (FN(list)){.g = g, .rows = rows, .x = x, .row_stride = row_stride};
        for (size_t i = s; i < s + g; i++)
            FN(prefetch_ahead)(examples, network, order, n_order, first + i);
#ifdef FN_EXPAND
        if (g > 1) {
            size_t at[FN_GROUP];
            for (size_t i = 0; i < g; i++)
                at[i] = FN(example)(order, first + s + i);
            lists[q].n = FN(list_shared)(g, examples, at, words, stride, union_mask, rows, x,
                                         row_stride);
            FN_ASSERT(lists[q].n + FN_LANES <= row_stride);
            continue;
        }
#endif
        lists[q].n = FN(list_at)(examples, network, order, first + s, training, stride, rows, x);
        FN_ASSERT(lists[q].n <= row_stride);
    }
}

/* z[s] += sum_i x[s][i] w[i] over the lists of m examples, at most FN_CHUNK. */
static void FN(weighted_input_of_lists)(size_t m, const FN(list) *lists, size_t n_out,
                                        const real *weights, real *z, size_t z_stride)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, FN_FORWARD_VECTORS);
        const size_t o = v * FN_LANES;
        const FN(list) *list = lists;
        for (size_t s = 0; s < m; s += list->g, list++)
            FN(list_forwards)[list->g - 1][nv - 1](list, weights + o, z_stride,
                                                   z + s * z_stride + o);
    }
}

/* w[i] += sum_s x[s][i] delta[s] over the lists of m examples, at most FN_CHUNK, for n_out outputs
 * of each row, `most` vectors in a pass. */
static void FN(update_of_lists)(size_t m, const FN(list) *lists, size_t n_out, size_t stride,
                                size_t most, const real *delta, real *weights)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    FN_ASSERT(m <= FN_CHUNK && most >= 1 && most <= FN_UPDATE_VECTORS);
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, most);
        const size_t o = v * FN_LANES;
        const FN(list) *list = lists;
        for (size_t s = 0; s < m; s += list->g, list++)
            FN(list_updates)[list->g - 1][nv - 1](list, weights + o, stride,
                                                  delta + s * stride + o);
    }
}

#endif
