/* The sparse way into the first layer for many examples at once.
 *
 * Lists reload weight rows for every one or few examples, mostly from the L2 cache. Here up to
 * FN_BLOCK examples are laid out in blocks first: a block holds 64 inputs of all of them, as one
 * mask per example. Forward, the weights of a block stay in the L1 cache for all examples, and
 * each example's sums in registers. For the update the masks are transposed: each input has a bit
 * for every example in which it is nonzero. So a row is loaded once, changed by all its examples in
 * registers, and stored once; an optimizer uses the gradient of a few rows while it is in the L1
 * cache. Both loop over inputs, so an example's values are read sequentially. Inputs and examples
 * are taken in ascending order, one fused multiply-add each: the bits are those of lists, up to the
 * sign of a zero. Larger mini-batches are split into rounds, and laid out again for the update.
 *
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_INPUT_BLOCK_H
#define FASTNET_INPUT_BLOCK_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/plan.h"
#include "fastnet.h"
#include "input/build_lists.h"
#include "input/gather.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Vectors of a weight row that are kept in registers. */
#define FN_BLOCK_VECTORS 13

_Static_assert(FN_BLOCK == 64, "a word of bits for each input, a bit for each example");

/* Reals of a cache line. */
#define FN_LINE_REALS (64 / sizeof(real))

typedef struct {
    const int64_t *order;       /* what is spread: m examples of the order from first on */
    size_t first, m;
    size_t words;               /* blocks */
    size_t capacity;            /* examples, at most FN_BLOCK */
    uint64_t *masks;            /* [words][capacity] the inputs that each example has */
    uint64_t *bits;             /* [words][64] transposed: the examples that have each input */
    real *x;                    /* [capacity][x_stride] each example's values, one after the other, unless
                                 * they are stored as they are needed */
    size_t x_stride;
    const real **next;          /* [capacity] each example's next value, as inputs ascend */
    uint32_t *rows;             /* [x_stride] one list, of examples that are stored with columns */
} FN(blocks);

#ifdef FN_EXPAND
/* bits from masks: bit s of bits[j] is bit j of masks[s] */
static void FN(transpose_masks)(FN(blocks) *blocks)
{
    for (size_t word = 0; word < blocks->words; word++) {
        const uint64_t *masks = blocks->masks + word * blocks->capacity;
        uint64_t *bits = blocks->bits + word * 64;
        for (size_t s = 0; s < blocks->m; s += 8) {
            const size_t eight = blocks->m - s < 8 ? blocks->m - s : 8;
            FN(bytes) some = {0};
            for (size_t q = 0; q < eight; q++)
                some |= FN(bytes_of)(masks[s + q]) & (uint8_t)(1 << q);
            if (s == 0)
                for (size_t j = 0; j < 64; j++)
                    bits[j] = some[j];
            else
                for (size_t j = 0; j < 64; j++)
                    bits[j] |= (uint64_t)some[j] << s;
        }
    }
}
#endif

/* Masks and bits of example s from its list, whose rows are the numbers of its inputs. */
static FN_NOINLINE void FN(spread_list)(size_t n, const uint32_t *restrict rows, size_t s, size_t capacity,
                                     uint64_t *restrict masks, uint64_t *restrict bits)
{
    for (size_t k = 0; k < n; k++) {
        masks[rows[k] / 64 * capacity + s] |= (uint64_t)1 << rows[k] % 64;
        bits[rows[k]] |= (uint64_t)1 << s;
    }
}

/* Lay out m <= capacity examples from `first` of the order on as blocks, unless they are there
 * already. */
static void FN(fill_blocks)(const fn_examples *examples, const fn_network *network,
                                const int64_t *order, size_t first, size_t m,
                                const fn_training *training, FN(blocks) *blocks)
{
    const size_t capacity = blocks->capacity;
    const fn_type type = FN_BITS == 32 ? FN_F32 : FN_F64;
    FN_ASSERT(m <= capacity && examples->longest <= blocks->x_stride);
    const int as_stored = examples->masks && examples->inputs_type == type && examples->scale == 1;
    for (size_t s = 0; s < m; s++)
        blocks->next[s] = as_stored ? (const real *)examples->inputs
                                          + examples->offsets[FN(example)(order, first + s)]
                                    : blocks->x + s * blocks->x_stride;
    if (blocks->order == order && blocks->first == first && blocks->m == m)
        return;
    blocks->order = order, blocks->first = first, blocks->m = m;
    if (!examples->masks) {
        memset(blocks->masks, 0, blocks->words * capacity * sizeof *blocks->masks);
        memset(blocks->bits, 0, blocks->words * 64 * sizeof *blocks->bits);
    }
    for (size_t s = 0; s < m; s++) {
        real *x = blocks->x + s * blocks->x_stride;
        if (!examples->masks) {
            const size_t n = FN(list_at)(examples, network, order, first + s, training, 1,
                                         blocks->rows, x);
            FN(spread_list)(n, blocks->rows, s, capacity, blocks->masks, blocks->bits);
            continue;
        }
        const size_t at = FN(example)(order, first + s), from = (size_t)examples->offsets[at];
        for (size_t word = 0; word < blocks->words; word++)
            blocks->masks[word * capacity + s] = examples->masks[at * blocks->words + word];
        if (!as_stored)
            FN(scale)(examples, (size_t)examples->offsets[at + 1] - from,
                      (const char *)examples->inputs + from * fn_bytes[examples->inputs_type], x);
    }
}

/* The n vectors of a row, from p on; `halved`: only the lower half of the last one. Inlined with
 * constant n and halved. */
typedef struct {
    vec whole[FN_BLOCK_VECTORS];
    FN(half) half;
} FN(row);

FN_INLINE void FN(load_row)(const size_t n, const int halved, const real *p, FN(row) *row)
{
FN_UNROLL(16)
    for (size_t v = 0; v < n - halved; v++)
        row->whole[v] = FN(load)(p + v * FN_LANES);
    if (halved)
        row->half = FN(load_half)(p + (n - 1) * FN_LANES);
}

FN_INLINE void FN(store_row)(const size_t n, const int halved, real *p, const FN(row) *row)
{
FN_UNROLL(16)
    for (size_t v = 0; v < n - halved; v++)
        FN(store)(p + v * FN_LANES, row->whole[v]);
    if (halved)
        FN(store_half)(p + (n - 1) * FN_LANES, row->half);
}

/* row += x times the row at p */
FN_INLINE void FN(add_to_row)(const size_t n, const int halved, real x, const real *p, FN(row) *row)
{
    const vec value = FN(splat)(x);
    FN_OPAQUE(p);
FN_UNROLL(16)
    for (size_t v = 0; v < n - halved; v++)
        row->whole[v] = FN_FMA(value, FN(load)(p + v * FN_LANES), row->whole[v]);
    if (halved)
        row->half = FN_FMA(FN(lower)(value), FN(load_half)(p + (n - 1) * FN_LANES), row->half);
}

/* z [m][z_stride] += x w for the inputs of one block, the first of which has its weights at
 * `weights`, and for nv vectors, see FN(row); inlined with constant nv and halved. */
FN_INLINE void FN(block_forward)(const size_t nv, const int halved, const FN(blocks) *blocks,
                                 size_t word, const real *weights, size_t stride, real *z,
                                 size_t z_stride)
{
    for (size_t s = 0; s < blocks->m; s++, z += z_stride) {
        uint64_t left = blocks->masks[word * blocks->capacity + s];
        const real *x = blocks->next[s];
        FN(row) sum;
        if (!left)
            continue;
        FN(load_row)(nv, halved, z, &sum);
        for (; left; left &= left - 1)
            FN(add_to_row)(nv, halved, *x++, weights + (unsigned)__builtin_ctzll(left) * stride, &sum);
        FN(store_row)(nv, halved, z, &sum);
    }
}

/* w[i] += sum_s x[s][i] delta[s] for the inputs from first to end, the first of which has its
 * weights at `weights`, and for nv vectors, see FN(row); next: as in blocks. Inlined with constant
 * nv and halved. */
FN_INLINE void FN(block_update)(const size_t nv, const int halved, const FN(blocks) *blocks,
                                const real **next, size_t first, size_t end, size_t stride,
                                const real *delta, real *weights)
{
    const uint64_t *bits = blocks->bits;
    for (size_t i = first; i < end; i++, weights += stride) {
        uint64_t left = bits[i];
        FN(row) w;
        if (!left)
            continue;
        FN(load_row)(nv, halved, weights, &w);
        for (; left; left &= left - 1) {
            const size_t s = (unsigned)__builtin_ctzll(left);
            FN(add_to_row)(nv, halved, *next[s]++, delta + s * stride, &w);
        }
        FN(store_row)(nv, halved, weights, &w);
    }
}

typedef void FN(block_forward_function)(const FN(blocks) *, size_t word, const real *weights,
                                        size_t stride, real *z, size_t z_stride);
typedef void FN(block_update_function)(const FN(blocks) *, const real **next, size_t first,
                                       size_t end, size_t stride, const real *delta, real *weights);

#define FN_BLOCK_OF(nv, halved)                                                                  \
    static void FN(block_forward_##nv##_##halved)(const FN(blocks) *blocks, size_t word,         \
                                                  const real *weights, size_t stride, real *z,   \
                                                  size_t z_stride)                               \
    {                                                                                            \
        FN(block_forward)(nv, halved, blocks, word, weights, stride, z, z_stride);               \
    }                                                                                            \
    static void FN(block_update_##nv##_##halved)(const FN(blocks) *blocks, const real **next,    \
                                                 size_t first, size_t end, size_t stride,        \
                                                 const real *delta, real *weights)               \
    {                                                                                            \
        FN(block_update)(nv, halved, blocks, next, first, end, stride, delta, weights);          \
    }
#define FN_BLOCK_FORWARD_ENTRY(nv, halved) FN(block_forward_##nv##_##halved),
#define FN_BLOCK_UPDATE_ENTRY(nv, halved) FN(block_update_##nv##_##halved),
#define FN_EACH_BLOCK(T, halved)                                                                 \
    T(1, halved) T(2, halved) T(3, halved) T(4, halved) T(5, halved) T(6, halved) T(7, halved)   \
    T(8, halved) T(9, halved) T(10, halved) T(11, halved) T(12, halved) T(13, halved)
FN_EACH_BLOCK(FN_BLOCK_OF, 0)
#if FN_HALVES
FN_EACH_BLOCK(FN_BLOCK_OF, 1)
#endif

static FN(block_forward_function) *const FN(block_forwards)[][FN_BLOCK_VECTORS] = {
    {FN_EACH_BLOCK(FN_BLOCK_FORWARD_ENTRY, 0)},
#if FN_HALVES
    {FN_EACH_BLOCK(FN_BLOCK_FORWARD_ENTRY, 1)},
#endif
};
static FN(block_update_function) *const FN(block_updates)[][FN_BLOCK_VECTORS] = {
    {FN_EACH_BLOCK(FN_BLOCK_UPDATE_ENTRY, 0)},
#if FN_HALVES
    {FN_EACH_BLOCK(FN_BLOCK_UPDATE_ENTRY, 1)},
#endif
};

/* z [m][z_stride] += x w for the inputs of one block, n_out outputs; call for blocks in order */
static void FN(forward_of_block)(const FN(blocks) *blocks, size_t word, size_t n_out,
                                 const real *weights, size_t stride, real *z, size_t z_stride)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, FN_BLOCK_VECTORS);
        const int halved = v + nv == vectors && FN(is_halved)(n_out);
        const size_t o = v * FN_LANES;
        FN(block_forwards)[halved][nv - 1](blocks, word, weights + word * 64 * stride + o, stride,
                                           z + o, z_stride);
    }
    for (size_t s = 0; s < blocks->m; s++)
        blocks->next[s] += __builtin_popcountll(blocks->masks[word * blocks->capacity + s]);
}

/* w += x^T delta for the inputs from first to end, n_out outputs; call for inputs in order */
static void FN(update_of_blocks)(const FN(blocks) *blocks, size_t first, size_t end, size_t n_out,
                                 size_t stride, const real *delta, real *weights)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    const real *same[FN_BLOCK];
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, FN_BLOCK_VECTORS);
        const int last = v + nv == vectors;
        if (!last)
            memcpy(same, blocks->next, blocks->m * sizeof *same);
        FN(block_updates)[last && FN(is_halved)(n_out)][nv - 1](
            blocks, last ? blocks->next : same, first, end, stride, delta + v * FN_LANES,
            weights + v * FN_LANES);
    }
}

#endif
