/* The sparse way into the first layer for many examples at once.
 *
 * Lists load weight rows anew for each example, or few of them, mostly from the second cache.
 * Here up to FN_BLOCK examples are spread first: a block is 64 inputs of all of them, next to
 * each other, as a mask for each. Forward, the weights of a block stay in the first cache while
 * its examples go by, each example's sums in registers. For the update the examples' masks are
 * crossed: of each input, a bit for every example in which it is other than zero. So a row is
 * loaded once, changed by all its examples while it is in registers, and stored once; an optimizer
 * follows the gradient of a few rows while it is in the first cache. Both go from input to input,
 * and so an example's values are taken one after the other, as they are stored. Inputs and examples
 * are taken in ascending order, one fused multiply-add each: the bits are those of lists, up to the
 * sign of a zero. Mini-batches of more examples take rounds, and are spread anew for the update.
 *
 * An epoch of MNIST, [784, 100, 10], over that by lists (AVX-512, Cascade Lake): 0.78 with
 * m = 64 and 32, 1.01 with 10; 0.78 with momentum and m = 64. With AVX2, over lists forward and
 * an update by crossed lists: 0.96, 0.92 and 0.96; 0.94. Tried (AVX-512, m = 64; an epoch's
 * forward steps take 32 ms and its updates 28, by lists 47 and 58):
 *   forward: rows of two inputs in registers, sums in the first cache       37 ms
 *   blocks of 32 inputs                                                     40 ms
 *   4 vectors a pass                                                        57 ms
 *   pointers not kept (FN_KEEP)                                             6 ms longer
 *   rows asked for before they are needed                                   no difference
 * Tried with m = 10 and 100 (AVX-512, Zen 4; 70 and 59 ms):
 *   values at their inputs' places of a block, zeros among them, and two rows changed
 *   together, by every example that has one of them                         75, 68 ms
 *   values found by counting the bits of the mask below                     82, 77 ms
 *   the update's rows by the number of examples, to foresee their loops     no gain
 */

/* Vectors of a weight row that are kept in registers. A block's share of 13 of AVX-512 is more
 * than the first cache; two passes are 3 % faster with m = 64, and 4 to 18 % slower with 10. */
#define FN_BLOCK_VECTORS 13

/* Examples of a block, at most: the bits of a word. */
#define FN_BLOCK 64

/* Rows of the gradient that an optimizer is given at a time. */
#define FN_FOLLOWED_ROWS 16

/* Reals of a cache line. */
#define FN_LINE_REALS (64 / sizeof(real))

typedef struct {
    size_t first, m;            /* what is spread: m examples of the order from first on */
    size_t words;               /* blocks */
    size_t room;                /* examples that there is room for, at most FN_BLOCK */
    uint64_t *masks;            /* [words][room] the inputs that each example has */
    uint64_t *bits;             /* [words][64] crossed: the examples that have each input */
    real *x;                    /* [room][x_room] each example's values, one after the other */
    size_t x_room;
    const real **next;          /* [room] each example's next value, as inputs ascend */
    uint32_t *rows;             /* room for one list, of examples that are stored with columns */
} FN(blocks);

#ifdef FN_EXPAND
/* bits from masks */
static void FN(cross)(FN(blocks) *blocks)
{
    for (size_t word = 0; word < blocks->words; word++) {
        const uint64_t *masks = blocks->masks + word * blocks->room;
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

/* Masks and bits of example s from its list, whose rows are numbers of inputs. */
static FN_ALONE void FN(spread_list)(size_t n, const uint32_t *restrict rows, size_t s, size_t room,
                                     uint64_t *restrict masks, uint64_t *restrict bits)
{
    for (size_t k = 0; k < n; k++) {
        masks[rows[k] / 64 * room + s] |= (uint64_t)1 << rows[k] % 64;
        bits[rows[k]] |= (uint64_t)1 << s;
    }
}

/* Spread m examples from `first` of the order on, unless they are. */
static void FN(spread_examples)(const fn_examples *examples, const fn_network *network,
                                const int64_t *order, size_t first, size_t m,
                                const fn_training *training, FN(blocks) *blocks)
{
    const size_t room = blocks->room;
    for (size_t s = 0; s < m; s++)
        blocks->next[s] = blocks->x + s * blocks->x_room;
    if (blocks->first == first && blocks->m == m)
        return;
    blocks->first = first, blocks->m = m;
    if (!examples->masks) {
        memset(blocks->masks, 0, blocks->words * room * sizeof *blocks->masks);
        memset(blocks->bits, 0, blocks->words * 64 * sizeof *blocks->bits);
    }
    for (size_t s = 0; s < m; s++) {
        real *x = blocks->x + s * blocks->x_room;
        if (!examples->masks) {
            const size_t n = FN(list_at)(examples, network, order, first + s, training, 1,
                                         blocks->rows, x);
            FN(spread_list)(n, blocks->rows, s, room, blocks->masks, blocks->bits);
            continue;
        }
        const size_t at = FN(example)(order, first + s), from = (size_t)examples->offsets[at];
        for (size_t word = 0; word < blocks->words; word++)
            blocks->masks[word * room + s] = examples->masks[at * blocks->words + word];
        FN(scale)(examples, (size_t)examples->offsets[at + 1] - from,
                  (const char *)examples->inputs + from * fn_bytes[examples->inputs_type], x);
    }
}

/* z [m][z_stride] += x w for the inputs of one block, the first of which has its weights at
 * `weights`, and for nv vectors; inlined with constant nv. */
FN_INLINE void FN(block_forward)(const size_t nv, const FN(blocks) *blocks, size_t word,
                                 const real *weights, size_t stride, real *z, size_t z_stride)
{
    for (size_t s = 0; s < blocks->m; s++, z += z_stride) {
        uint64_t left = blocks->masks[word * blocks->room + s];
        const real *x = blocks->next[s];
        if (!left)
            continue;
        vec sum[FN_BLOCK_VECTORS];
FN_UNROLL(16)
        for (size_t v = 0; v < nv; v++)
            sum[v] = FN(load)(z + v * FN_LANES);
        for (; left; left &= left - 1) {
            const vec value = FN(splat)(*x++);
            const real *row = weights + (unsigned)__builtin_ctzll(left) * stride;
            FN_KEEP(row);
FN_UNROLL(16)
            for (size_t v = 0; v < nv; v++)
                sum[v] = FN_FMA(value, FN(load)(row + v * FN_LANES), sum[v]);
        }
FN_UNROLL(16)
        for (size_t v = 0; v < nv; v++)
            FN(store)(z + v * FN_LANES, sum[v]);
    }
}

/* w[i] += sum_s x[s][i] delta[s] for the inputs from first to end, the first of which has its
 * weights at `weights`, and for nv vectors; next: as in blocks. Inlined with constant nv. */
FN_INLINE void FN(block_update)(const size_t nv, const FN(blocks) *blocks, const real **next,
                                size_t first, size_t end, size_t stride, const real *delta,
                                real *weights)
{
    const uint64_t *bits = blocks->bits;
    for (size_t i = first; i < end; i++, weights += stride) {
        uint64_t left = bits[i];
        if (!left)
            continue;
        vec w[FN_BLOCK_VECTORS];
FN_UNROLL(16)
        for (size_t v = 0; v < nv; v++)
            w[v] = FN(load)(weights + v * FN_LANES);
        for (; left; left &= left - 1) {
            const size_t s = (unsigned)__builtin_ctzll(left);
            const vec value = FN(splat)(*next[s]++);
            const real *error = delta + s * stride;
            FN_KEEP(error);
FN_UNROLL(16)
            for (size_t v = 0; v < nv; v++)
                w[v] = FN_FMA(value, FN(load)(error + v * FN_LANES), w[v]);
        }
FN_UNROLL(16)
        for (size_t v = 0; v < nv; v++)
            FN(store)(weights + v * FN_LANES, w[v]);
    }
}

typedef void FN(block_forward_function)(const FN(blocks) *, size_t word, const real *weights,
                                        size_t stride, real *z, size_t z_stride);
typedef void FN(block_update_function)(const FN(blocks) *, const real **next, size_t first,
                                       size_t end, size_t stride, const real *delta, real *weights);

#define FN_BLOCK_OF(nv)                                                                          \
    static void FN(block_forward_##nv)(const FN(blocks) *blocks, size_t word,                    \
                                       const real *weights, size_t stride, real *z,              \
                                       size_t z_stride)                                          \
    {                                                                                            \
        FN(block_forward)(nv, blocks, word, weights, stride, z, z_stride);                       \
    }                                                                                            \
    static void FN(block_update_##nv)(const FN(blocks) *blocks, const real **next, size_t first, \
                                      size_t end, size_t stride, const real *delta,              \
                                      real *weights)                                             \
    {                                                                                            \
        FN(block_update)(nv, blocks, next, first, end, stride, delta, weights);                  \
    }
#define FN_BLOCK_FORWARD_ENTRY(nv) FN(block_forward_##nv),
#define FN_BLOCK_UPDATE_ENTRY(nv) FN(block_update_##nv),
#define FN_EACH_BLOCK(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(9) T(10) T(11) T(12) T(13)
FN_EACH_BLOCK(FN_BLOCK_OF)

static FN(block_forward_function) *const FN(block_forwards)[FN_BLOCK_VECTORS] = {
    FN_EACH_BLOCK(FN_BLOCK_FORWARD_ENTRY)
};
static FN(block_update_function) *const FN(block_updates)[FN_BLOCK_VECTORS] = {
    FN_EACH_BLOCK(FN_BLOCK_UPDATE_ENTRY)
};

/* z [m][z_stride] += x w for the inputs of one block, n_out outputs; blocks one after the other */
static void FN(forward_of_block)(const FN(blocks) *blocks, size_t word, size_t n_out,
                                 const real *weights, size_t stride, real *z, size_t z_stride)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, FN_BLOCK_VECTORS);
        const size_t o = v * FN_LANES;
        FN(block_forwards)[nv - 1](blocks, word, weights + word * 64 * stride + o, stride, z + o,
                                   z_stride);
    }
    for (size_t s = 0; s < blocks->m; s++)
        blocks->next[s] += __builtin_popcountll(blocks->masks[word * blocks->room + s]);
}

/* w += x^T delta for the inputs from first to end, n_out outputs; inputs one after the other */
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
        FN(block_updates)[nv - 1](blocks, last ? blocks->next : same, first, end, stride,
                                  delta + v * FN_LANES, weights + v * FN_LANES);
    }
}

/* Blocks are taken where so many inputs are other than zero, else an example has too few of a
 * block; where a mini-batch has so many examples; and where the times that they use a row on
 * average, times the row's cache lines less 3, are so many. More than 8 lines count as 8, and
 * examples that are spread twice by half. An epoch by blocks over one by lists, with m = 4, 10
 * and 32, measured by bench/choose_ways.py on MNIST:
 *   AVX-512, Cascade Lake: 1.92, 1.64, 1.35 with 30 outputs, 1.52, 1.30, 1.02 with 64, 1.22, 1.01,
 *   0.80 with 100, 1.16, 0.93, 0.74 with 256; random zeros, a tenth of the inputs others: 1.52,
 *   1.00, 0.82 with 100, 1.27, 0.92, 0.81 with 256; a twentieth: 1.30 with 256, m = 32
 *   AVX2, the same: 1.23, 1.06, 0.92 with 64, 1.06, 0.95, 0.85 with 100, 1.09, 0.93, 0.80 with 256;
 *   a tenth: 1.39, 1.11, 0.86 with 100, 1.41, 1.14, 0.85 with 256 */
#define FN_LEAST_BLOCK_DENSITY 0.1
#define FN_FEWEST_BLOCK 4
#define FN_LEAST_BLOCK_USE 6.0

/* Whether m examples, of a mini-batch or an evaluation, enter the first layer by blocks. */
static int FN(by_blocks)(const fn_network *network, double density, size_t m)
{
    const size_t lines = fn_lines(network->sizes[1], sizeof(real)) / FN_LINE_REALS;
    if (density < FN_LEAST_BLOCK_DENSITY || m < FN_FEWEST_BLOCK)
        return 0;
    const double uses = density * (double)fn_next(m, FN_BLOCK) / (m > FN_BLOCK ? 2 : 1);
    return uses * ((double)(lines < 8 ? lines : 8) - 3) >= FN_LEAST_BLOCK_USE;
}

/* The same for these examples. */
static int FN(takes_blocks)(const fn_network *network, const fn_examples *examples, size_t m,
                            const fn_training *training)
{
    if (!examples->offsets)
        return 0;
    if (training && training->by_blocks)
        return training->by_blocks > 0;
    const int64_t stored = examples->offsets[examples->n] - examples->offsets[0];
    return FN(by_blocks)(network, (double)stored / (double)examples->n / (double)network->sizes[0], m);
}
