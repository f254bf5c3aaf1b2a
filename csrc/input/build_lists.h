/* Makes lists (list.h) from compressed rows.
 *
 * Later examples, and before them their offsets, are prefetched while lists are made, since few
 * other loads go to memory then. Measurements: docs/tuning.md. */
#ifndef FASTNET_INPUT_BUILD_LISTS_H
#define FASTNET_INPUT_BUILD_LISTS_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "fastnet.h"
#include "input/examples.h"
#include "input/list.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Examples are prefetched this many positions ahead. */
#define FN_AHEAD 16

/* ---- the list of one example ----------------------------------------------------------------- */

/* rows[k] = columns[k] * stride; not inlined: gcc 12 would ignore restrict. */
#define FN_ROWS_OF(name, column)                                                                \
    static FN_NOINLINE void FN(rows_of_##name)(size_t n, const column *restrict columns,        \
                                               uint32_t stride, uint32_t *restrict rows)        \
    {                                                                                           \
        for (size_t k = 0; k < n; k++)                                                          \
            rows[k] = columns[k] * stride;                                                      \
    }
FN_ROWS_OF(u16, uint16_t)
FN_ROWS_OF(u32, uint32_t)
#undef FN_ROWS_OF

#ifdef FN_EXPAND
/* Write the start of the weights of each input in the mask to `rows`; returns the number of
 * inputs. */
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

/* Make the list of one compressed row from its columns or mask; returns its length. */
static size_t FN(list_of_row)(const fn_examples *examples, size_t n_in, size_t at, uint32_t stride,
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

/* Shift a list of n inputs as an image; inputs that leave the image are dropped. Returns the number
 * of inputs kept. The inputs ascend, so the image's row of each is found by counting up. */
static size_t FN(shift_list)(fn_shift by, size_t side, uint32_t stride, size_t n, uint32_t *rows,
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
        /* Unsigned, so a column left of the image becomes a large number. */
        const uint32_t column = at - (end - width) + (uint32_t)by.right * stride;
        rows[kept] = at + offset;
        x[kept] = x[k];
        kept += row >= 0 && row < (ptrdiff_t)side && column < width;
    }
    return kept;
}

/* Make the list of the example at `position`, shifted if training shifts images; returns its
 * length. stride: elements from one row of weights to the next. */
static size_t FN(list_at)(const fn_ordered_examples *from, size_t position, uint32_t stride,
                          uint32_t *rows, real *x)
{
    const fn_training *training = from->training;
    const size_t n = FN(list_of_row)(from->examples, from->network->sizes[0],
                                     FN(example)(from->order, position), stride, rows, x);
    if (!training || !training->shift)
        return n;
    return FN(shift_list)(fn_shift_of(from->network, training, position), training->side, stride, n,
                          rows, x);
}

/* ---- the list of a group --------------------------------------------------------------------- */

#ifdef FN_EXPAND
/* The compressed rows of a group, stored with masks. */
typedef struct {
    const fn_examples *examples;
    size_t at[FN_GROUP];
    size_t words;               /* of a mask */
    uint64_t *union_mask;       /* [words] the inputs that are non-zero in any of them */
    uint64_t *bits;             /* [g][words] bit k: the k-th input of union_mask is in the row */
} FN(group);

/* Fill the bits of a group. Inlined with constant g, so that the dependency chains of the examples
 * overlap. */
FN_INLINE void FN(extract_bits)(const size_t g, const FN(group) *group)
{
    const size_t words = group->words;
    const uint64_t *union_mask = group->union_mask, *own[FN_GROUP];
    uint64_t *restrict bits = group->bits, part[FN_GROUP] = {0};
    size_t filled = 0;
    for (size_t s = 0; s < g; s++)
        own[s] = group->examples->masks + group->at[s] * words;
    for (size_t word = 0; word < words; word++) {
        const size_t end = filled + (size_t)__builtin_popcountll(union_mask[word]);
        const uint64_t full = end / 64;
FN_UNROLL(5)
        for (size_t s = 0; s < g; s++) {
            const uint64_t ours = fn_extract(own[s][word], union_mask[word]);
            const uint64_t low = part[s] | ours << filled, high = ours >> 1 >> (63 - filled);
            bits[s * words] = low;
            part[s] = low ^ ((low ^ high) & -full); /* a branch would mispredict */
        }
        bits += full;
        filled = end % 64;
    }
    for (size_t s = 0; s < g && filled; s++)
        bits[s * words] = part[s];
}

/* Expand each row's values to their positions on the list; the other values become 0. Inlined with
 * constant g, type and exact. */
FN_INLINE void FN(expand_values)(const size_t g, const fn_type type, const int exact,
                                 const FN(group) *group, const FN(list) *list)
{
    const fn_examples examples = *group->examples;
    const uint64_t *bits = group->bits;
    const size_t words = group->words, n = list->n, row_stride = list->row_stride;
    real *restrict x = list->x;
    const char *values[FN_GROUP];
    for (size_t s = 0; s < g; s++)
        values[s] = (const char *)examples.inputs
                    + (size_t)examples.offsets[group->at[s]] * fn_bytes[type];
    for (size_t k = 0; k < n; k += FN_LANES)
FN_UNROLL(5)
        for (size_t s = 0; s < g; s++) {
            const unsigned own = (unsigned)(bits[s * words + k / 64] >> k % 64) & FN_LANE_BITS;
            const vec packed = FN(scaled_lanes)(type, exact, values[s], &examples);
            FN(store)(x + s * row_stride + k, FN(expand)(own, packed));
            values[s] += (size_t)__builtin_popcount(own) * fn_bytes[type];
        }
}

/* Fill the values of a group's list, whose inputs are already there. Inlined with constant g. */
FN_INLINE void FN(fill_values)(const size_t g, const FN(group) *group, const FN(list) *list)
{
    const fn_type type = group->examples->inputs_type;
    const int exact = FN(is_exact)(group->examples);
    FN_ASSERT(type == FN_U8 || type == FN_F32 || type == FN_F64);
    FN(extract_bits)(g, group);
    if (type == FN_U8 && exact)
        FN(expand_values)(g, FN_U8, 1, group, list);
    else if (type == FN_U8)
        FN(expand_values)(g, FN_U8, 0, group, list);
    else if (type == FN_F32 && exact)
        FN(expand_values)(g, FN_F32, 1, group, list);
    else if (type == FN_F32)
        FN(expand_values)(g, FN_F32, 0, group, list);
    else
        FN(expand_values)(g, FN_F64, 0, group, list);
}

/* Make the list of the list->g > 1 examples from position `first` on. union_mask: scratch of
 * (1 + FN_GROUP) * words. */
static void FN(list_of_group)(const fn_ordered_examples *from, size_t first, uint32_t stride,
                              uint64_t *union_mask, FN(list) *list)
{
    const size_t words = fn_words(from->network->sizes[0]);
    FN(group) group = {.examples = from->examples, .words = words, .union_mask = union_mask,
                       .bits = union_mask + words};
    memset(union_mask, 0, words * sizeof *union_mask);
    for (size_t s = 0; s < list->g; s++) {
        group.at[s] = FN(example)(from->order, first + s);
        for (size_t word = 0; word < words; word++)
            union_mask[word] |= from->examples->masks[group.at[s] * words + word];
    }
    list->n = FN(rows_of_mask)(words, union_mask, stride, list->rows);
#define FN_CASE(g) case g: FN(fill_values)(g, &group, list); break;
    switch (list->g) { FN_EACH_SHARED_GROUP(FN_CASE) }
#undef FN_CASE
    FN_ASSERT(list->n + FN_LANES <= list->row_stride);
}
#endif

/* ---- lists ----------------------------------------------------------------------------------- */

/* Returns the most elements of a list: its inputs, and a vector that is stored after them. */
static size_t FN(list_capacity)(const fn_examples *examples, size_t n_in)
{
    const size_t most = examples->masks ? examples->longest * FN_GROUP : examples->longest;
    return fn_stride((most < n_in ? most : n_in) + FN_LANES, sizeof(real));
}

/* Prefetch the example FN_AHEAD positions after `position`, and the offsets of the one 2 * FN_AHEAD
 * after it. */
FN_INLINE void FN(prefetch_ahead)(const fn_ordered_examples *from, size_t position)
{
    const size_t soon = position + FN_AHEAD, later = soon + FN_AHEAD;
    const int64_t *order = from->order;
    if (order && soon < from->n_order)
        FN(prefetch_example)(from->examples, from->network->sizes[0], (size_t)order[soon]);
    if (order && later < from->n_order)
        __builtin_prefetch(from->examples->offsets + order[later]);
}

/* The memory for the lists of m examples. */
typedef struct {
    FN(list) *lists;            /* [m] */
    uint32_t *rows;             /* [m][row_stride] */
    real *x;                    /* [m][row_stride] */
    size_t row_stride;          /* at least list_capacity */
    uint64_t *union_mask;       /* [(1 + FN_GROUP) * words], see list_of_group */
} FN(list_memory);

/* Make the lists of the m examples from position `first` on, in groups of at most `most`, and
 * prefetch later examples. */
static void FN(make_lists)(const fn_ordered_examples *from, size_t first, size_t m, size_t most,
                           const FN(list_memory) *to)
{
    const size_t groups = (m + most - 1) / most;
    const uint32_t stride = (uint32_t)fn_stride(from->network->sizes[1], sizeof(real));
    FN_ASSERT(most >= 1 && most <= FN_GROUP && (most == 1 || from->examples->masks));
    for (size_t q = 0, s = 0; q < groups; q++) {
        FN(list) *list = to->lists + q;
        *list = (FN(list)){.g = fn_part(m, 1, q + 1, groups) - s,
                           .rows = to->rows + q * to->row_stride,
                           .x = to->x + s * to->row_stride, .row_stride = to->row_stride};
        for (size_t i = s; i < s + list->g; i++)
            FN(prefetch_ahead)(from, first + i);
#ifdef FN_EXPAND
        if (list->g > 1)
            FN(list_of_group)(from, first + s, stride, to->union_mask, list);
        else
#endif
            list->n = FN(list_at)(from, first + s, stride, list->rows, list->x);
        FN_ASSERT(list->n <= list->row_stride);
        s += list->g;
    }
}

#endif
