/* Computes the first layer from blocks of compressed rows, for many examples at once.
 *
 * With lists, a row of weights is loaded again for each example or small group of examples, mostly
 * from the L2 cache. Here, blocks of up to FN_BLOCK examples are made first: a block covers 64
 * inputs, and has one mask for each example. In the forward step, the weights of a block stay in
 * the L1 cache for all examples, and each example's sums stay in registers. For the update, the
 * masks are transposed: each input gets one bit for each example, which is set if the input is
 * non-zero in it. So a row of weights is loaded once, changed by all its examples in registers, and
 * stored once; an optimizer uses the gradient of a few rows while it is in the L1 cache. Both steps
 * loop over the inputs, so an example's values are read sequentially.
 *
 * Inputs and examples are processed in ascending order, with one fused multiply-add each, so the
 * bits are those of lists, up to the sign of a zero. Larger mini-batches are split into rounds, and
 * the blocks of each round are made again for the update.
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
#include "input/examples.h"
#include "simd/compiler.h"
#include "simd/vec.h"

_Static_assert(FN_BLOCK == 64, "a word of bits for each input, a bit for each example");

/* Reals of a cache line. */
#define FN_LINE_REALS (64 / sizeof(real))

typedef struct {
    const int64_t *order;       /* the blocks hold the m examples from position `first` of it on */
    size_t first, m;
    size_t words;               /* the number of blocks: words of 64 bits in a mask */
    size_t capacity;            /* the most examples, FN_BLOCK or fewer */
    uint64_t *masks;            /* [words][capacity] the non-zero inputs of each example */
    uint64_t *transposed;       /* [words][64] the examples in which each input is non-zero */
    real *x;                    /* [capacity][x_stride] the values of each example's non-zero
                                 * inputs; not used if they can be read from fn_examples */
    size_t x_stride;
    const real **next;          /* [capacity] each example's next value */
    uint32_t *rows;             /* [x_stride] one example's list, if examples have columns */
} FN(blocks);

/* ---- layout ---------------------------------------------------------------------------------- */

#ifdef FN_EXPAND
/* Bit s of transposed[j] is bit j of masks[s]. */
static void FN(transpose_masks)(FN(blocks) *blocks)
{
    for (size_t word = 0; word < blocks->words; word++) {
        const uint64_t *masks = blocks->masks + word * blocks->capacity;
        uint64_t *transposed = blocks->transposed + word * 64;
        for (size_t s = 0; s < blocks->m; s += 8) {
            const size_t eight = blocks->m - s < 8 ? blocks->m - s : 8;
            FN(bytes) some = {0};
            for (size_t q = 0; q < eight; q++)
                some |= FN(bytes_of)(masks[s + q]) & (uint8_t)(1 << q);
            if (s == 0)
                for (size_t j = 0; j < 64; j++)
                    transposed[j] = some[j];
            else
                for (size_t j = 0; j < 64; j++)
                    transposed[j] |= (uint64_t)some[j] << s;
        }
    }
}
#endif

/* Set the bits of example s in the masks of the blocks; rows [n] are its inputs. */
static FN_NOINLINE void FN(add_list)(size_t n, const uint32_t *restrict rows, size_t s,
                                     size_t capacity, uint64_t *restrict masks,
                                     uint64_t *restrict transposed)
{
    for (size_t k = 0; k < n; k++) {
        masks[rows[k] / 64 * capacity + s] |= (uint64_t)1 << rows[k] % 64;
        transposed[rows[k]] |= (uint64_t)1 << s;
    }
}

/* Make the blocks of the m <= capacity examples from position `first` of the order on, unless the
 * blocks hold them already. If examples have masks, `transposed` is left to transpose_masks. */
static void FN(make_blocks)(const fn_ordered_examples *from, size_t first, size_t m,
                            FN(blocks) *blocks)
{
    const fn_examples *examples = from->examples;
    const size_t capacity = blocks->capacity;
    const fn_type type = FN_BITS == 32 ? FN_F32 : FN_F64;
    FN_ASSERT(m <= capacity && examples->longest <= blocks->x_stride);
    const int as_stored = examples->masks && examples->inputs_type == type && examples->scale == 1;
    for (size_t s = 0; s < m; s++)
        blocks->next[s] = as_stored ? (const real *)examples->inputs
                                          + examples->offsets[FN(example)(from->order, first + s)]
                                    : blocks->x + s * blocks->x_stride;
    if (blocks->order == from->order && blocks->first == first && blocks->m == m)
        return;
    blocks->order = from->order, blocks->first = first, blocks->m = m;
    if (!examples->masks) {
        memset(blocks->masks, 0, blocks->words * capacity * sizeof *blocks->masks);
        memset(blocks->transposed, 0, blocks->words * 64 * sizeof *blocks->transposed);
    }
    for (size_t s = 0; s < m; s++) {
        real *x = blocks->x + s * blocks->x_stride;
        if (!examples->masks) {
            const size_t n = FN(list_at)(from, first + s, 1, blocks->rows, x);
            FN(add_list)(n, blocks->rows, s, capacity, blocks->masks, blocks->transposed);
            continue;
        }
        const size_t at = FN(example)(from->order, first + s);
        const size_t start = (size_t)examples->offsets[at];
        for (size_t word = 0; word < blocks->words; word++)
            blocks->masks[word * capacity + s] = examples->masks[at * blocks->words + word];
        if (!as_stored)
            FN(scale)(examples, (size_t)examples->offsets[at + 1] - start,
                      (const char *)examples->inputs + start * fn_bytes[examples->inputs_type], x);
    }
}

/* ---- products -------------------------------------------------------------------------------- */

/* The most vectors of a row of weights that are kept in registers; FN_EACH_BLOCK expands T for each
 * number of vectors. */
#define FN_BLOCK_VECTORS 13
#define FN_EACH_BLOCK(T) \
    T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(9) T(10) T(11) T(12) T(13)

FN_INLINE void FN(load_row)(const size_t nv, const real *p, vec *row)
{
FN_UNROLL(16)
    for (size_t v = 0; v < nv; v++)
        row[v] = FN(load)(p + v * FN_LANES);
}

FN_INLINE void FN(store_row)(const size_t nv, real *p, const vec *row)
{
FN_UNROLL(16)
    for (size_t v = 0; v < nv; v++)
        FN(store)(p + v * FN_LANES, row[v]);
}

/* row += x times the row at p */
FN_INLINE void FN(add_to_row)(const size_t nv, real x, const real *p, vec *row)
{
    const vec value = FN(splat)(x);
    FN_OPAQUE(p);
FN_UNROLL(16)
    for (size_t v = 0; v < nv; v++)
        row[v] = FN_FMA(value, FN(load)(p + v * FN_LANES), row[v]);
}

/* z [m][z_stride] += x w for the inputs of one block and nv vectors. weights: the row of the
 * block's first input. Inlined with constant nv. */
FN_INLINE void FN(block_forward)(const size_t nv, const FN(blocks) *blocks, size_t word,
                                 const real *weights, size_t stride, real *z, size_t z_stride)
{
    for (size_t s = 0; s < blocks->m; s++, z += z_stride) {
        uint64_t left = blocks->masks[word * blocks->capacity + s];
        const real *x = blocks->next[s];
        vec sum[FN_BLOCK_VECTORS];
        if (!left)
            continue;
        FN(load_row)(nv, z, sum);
        for (; left; left &= left - 1)
            FN(add_to_row)(nv, *x++, weights + (unsigned)__builtin_ctzll(left) * stride, sum);
        FN(store_row)(nv, z, sum);
    }
}

/* w[i] += sum_s x[s][i] delta[s] for the inputs first to end - 1 and nv vectors. weights: the row
 * of input `first`. Inlined with constant nv. */
FN_INLINE void FN(block_update)(const size_t nv, const FN(blocks) *blocks, size_t first, size_t end,
                                size_t stride, const real *delta, real *weights)
{
    const uint64_t *examples = blocks->transposed;
    const real **next = blocks->next;
    for (size_t i = first; i < end; i++, weights += stride) {
        uint64_t left = examples[i];
        vec w[FN_BLOCK_VECTORS];
        if (!left)
            continue;
        FN(load_row)(nv, weights, w);
        for (; left; left &= left - 1) {
            const size_t s = (unsigned)__builtin_ctzll(left);
            FN(add_to_row)(nv, *next[s]++, delta + s * stride, w);
        }
        FN(store_row)(nv, weights, w);
    }
}

/* block_forward and block_update, compiled for each number of vectors. */
static FN_NOINLINE void FN(block_forward_of)(size_t nv, const FN(blocks) *blocks, size_t word,
                                             const real *weights, size_t stride, real *z,
                                             size_t z_stride)
{
#define FN_CASE(nv) \
    case nv: FN(block_forward)(nv, blocks, word, weights, stride, z, z_stride); break;
    switch (nv) { FN_EACH_BLOCK(FN_CASE) }
#undef FN_CASE
}

static FN_NOINLINE void FN(block_update_of)(size_t nv, const FN(blocks) *blocks, size_t first,
                                            size_t end, size_t stride, const real *delta,
                                            real *weights)
{
#define FN_CASE(nv) \
    case nv: FN(block_update)(nv, blocks, first, end, stride, delta, weights); break;
    switch (nv) { FN_EACH_BLOCK(FN_CASE) }
#undef FN_CASE
}

/* z [m][z_stride] += x w for the examples of the blocks, which were made from `from`. The next m
 * examples of the order are prefetched in between. */
static void FN(forward_of_blocks)(const fn_ordered_examples *from, const FN(blocks) *blocks,
                                  const real *weights, real *z, size_t z_stride)
{
    const size_t *sizes = from->network->sizes, words = blocks->words, m = blocks->m;
    const size_t n_out = sizes[1], stride = fn_stride(n_out, sizeof(real));
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES, next = blocks->first + m;
    const size_t left = next < from->n_order ? from->n_order - next : 0;
    const size_t soon = !from->order ? 0 : left < m ? left : m;
    for (size_t i = 0; i < soon; i++)
        __builtin_prefetch(from->examples->offsets + from->order[next + i]);
    for (size_t word = 0, i = 0; word < words; word++, weights += 64 * stride) {
        for (size_t v = 0, nv; v < vectors; v += nv) {
            nv = fn_next_part(vectors - v, FN_BLOCK_VECTORS);
            FN(block_forward_of)(nv, blocks, word, weights + v * FN_LANES, stride,
                                 z + v * FN_LANES, z_stride);
        }
        for (size_t s = 0; s < m; s++)
            blocks->next[s] += __builtin_popcountll(blocks->masks[word * blocks->capacity + s]);
        for (; i < soon * (word + 1) / words; i++)
            FN(prefetch_example)(from->examples, sizes[0], (size_t)from->order[next + i]);
    }
}

/* w += x^T delta for the inputs first to end - 1 and n_out outputs. The calls of a round must go
 * through the inputs in ascending order. */
static void FN(update_of_blocks)(const FN(blocks) *blocks, size_t first, size_t end, size_t n_out,
                                 size_t stride, const real *delta, real *weights)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    const real *same[FN_BLOCK];
    FN(blocks) again;
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next_part(vectors - v, FN_BLOCK_VECTORS);
        const int last = v + nv == vectors;
        if (!last) {
            again = *blocks;
            again.next = memcpy(same, blocks->next, blocks->m * sizeof *same);
        }
        FN(block_update_of)(nv, last ? blocks : &again, first, end, stride, delta + v * FN_LANES,
                            weights + v * FN_LANES);
    }
}

#endif
