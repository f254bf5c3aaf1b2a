/* The sparse way's update, input by input.
 *
 * Lists load and store a weight row for each example that uses it. Here the lists of a
 * mini-batch are crossed first: of each input, a bit for every example in which it is other
 * than zero, and their values. So a row is loaded once, changed by all its examples while
 * it is in registers, and stored once; an optimizer follows the gradient of a few rows while
 * it is in the first cache. The examples are taken in ascending order, one fused
 * multiply-add each: the bits are those of lists.
 *
 * An epoch of MNIST, [784, 100, 10], over that by lists (AVX2, Zen 3): 0.95 with m = 10, 0.81
 * with 32 and with 64; with momentum 0.84, with Adam 0.89 (m = 32). Tried, per input and example
 * (m = 32; lists, 7.9 ns):
 *   entries sorted by input, counted first                      2.2 + 4.3 ns, bits 1.4 + 3.6 ns
 *   a mini-batch's values of an input 128 bytes apart           crossing takes twice as long
 *   rows asked for before they are needed, or by their number of examples    no difference
 *   crossed lists for the forward step, one or two inputs at a time          4 % slower
 *   optimizers given 4 or 8 rows at a time                                   2 % slower
 *   rows in turn upwards and downwards, for what is left in the caches       no difference
 */

/* Vectors of a weight row that are kept in registers. */
#define FN_CROSSED_VECTORS 13

/* Examples that are crossed together, at most: the bits of a mask. */
#define FN_CROSSED 64

/* Rows of the gradient that an optimizer is given at a time. */
#define FN_CROSSED_ROWS 16

/* Reals of a cache line. */
#define FN_LINE_REALS (64 / sizeof(real))

typedef struct {
    uint64_t *masks;            /* [n_in] bit s: example s has this input; NULL: not crossed */
    real *x;                    /* [examples / line][n_in][line] the values, where the bit is set */
    size_t n_in;
} FN(crossed);

/* Cross the lists of m examples, one each. */
static FN_ALONE void FN(cross_one)(size_t n, const uint32_t *restrict rows, const real *restrict from,
                                   uint64_t inverse, uint64_t bit, uint64_t *restrict masks,
                                   real *restrict x)
{
    for (size_t k = 0; k < n; k++) {
        const size_t i = (size_t)(rows[k] * inverse >> 32);
        masks[i] |= bit;
        x[i * FN_LINE_REALS] = from[k];
    }
}

static void FN(cross)(size_t m, const FN(list) *lists, uint32_t stride, FN(crossed) *crossed)
{
    /* rows[k] * inverse >> 32 is rows[k] / stride, since that has no remainder. */
    const uint64_t inverse = ((uint64_t)1 << 32) / stride + 1;
    const size_t plane = crossed->n_in * FN_LINE_REALS;
    memset(crossed->masks, 0, crossed->n_in * sizeof *crossed->masks);
    for (size_t s = 0; s < m; s++)
        FN(cross_one)(lists[s].n, lists[s].rows, lists[s].x, inverse, (uint64_t)1 << s,
                      crossed->masks, crossed->x + s / FN_LINE_REALS * plane + s % FN_LINE_REALS);
}

/* w[i] += sum_s x[s][i] delta[s] for the inputs from first to end, the first of which has
 * its weights at `weights`, and for nv vectors; inlined with constant nv. */
FN_INLINE void FN(crossed_rows)(const size_t nv, const FN(crossed) *crossed, size_t first,
                                size_t end, size_t stride, const real *delta, real *weights)
{
    const size_t plane = crossed->n_in * FN_LINE_REALS;
    for (size_t i = first; i < end; i++, weights += stride) {
        uint64_t left = crossed->masks[i];
        if (!left)
            continue;
        const real *x = crossed->x + i * FN_LINE_REALS;
        vec w[FN_CROSSED_VECTORS];
FN_UNROLL(16)
        for (size_t v = 0; v < nv; v++)
            w[v] = FN(load)(weights + v * FN_LANES);
        for (; left; left &= left - 1) {
            const size_t s = (size_t)__builtin_ctzll(left);
            const vec value = FN(splat)(x[s / FN_LINE_REALS * plane + s % FN_LINE_REALS]);
            const real *error = delta + s * stride;
FN_UNROLL(16)
            for (size_t v = 0; v < nv; v++)
                w[v] = FN_FMA(value, FN(load)(error + v * FN_LANES), w[v]);
        }
FN_UNROLL(16)
        for (size_t v = 0; v < nv; v++)
            FN(store)(weights + v * FN_LANES, w[v]);
    }
}

typedef void FN(crossed_function)(const FN(crossed) *, size_t first, size_t end, size_t stride,
                                  const real *delta, real *weights);

#define FN_CROSSED_OF(nv)                                                                  \
    static void FN(crossed_##nv)(const FN(crossed) *crossed, size_t first, size_t end,     \
                                 size_t stride, const real *delta, real *weights)          \
    {                                                                                      \
        FN(crossed_rows)(nv, crossed, first, end, stride, delta, weights);                 \
    }
#define FN_CROSSED_ENTRY(nv) FN(crossed_##nv),
#define FN_EACH_CROSSED(T) \
    T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(9) T(10) T(11) T(12) T(13)
FN_EACH_CROSSED(FN_CROSSED_OF)

static FN(crossed_function) *const FN(crossed_by_vectors)[FN_CROSSED_VECTORS] = {
    FN_EACH_CROSSED(FN_CROSSED_ENTRY)
};

/* The same for n_out outputs. */
static void FN(update_crossed)(const FN(crossed) *crossed, size_t first, size_t end, size_t n_out,
                               size_t stride, const real *delta, real *weights)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    const size_t passes = (vectors + FN_CROSSED_VECTORS - 1) / FN_CROSSED_VECTORS;
    for (size_t pass = 0; pass < passes; pass++) { /* as even as can be */
        const size_t v = vectors * pass / passes, nv = vectors * (pass + 1) / passes - v;
        FN(crossed_by_vectors)[nv - 1](crossed, first, end, stride, delta + v * FN_LANES,
                                       weights + v * FN_LANES);
    }
}

/* Lists are crossed where a weight row has so many vectors, and where so many of a mini-batch's
 * examples use it on average; more, where it is narrow. Measured by bench/choose_ways.py (AVX2,
 * Zen 3): the two ways are equal at 1.5 for MNIST and 100 outputs and at 2 to 2.5 for random
 * zeros, at 3 to 6 for 64 outputs, and nowhere at 48 and less; in float64 at half of these. */
#define FN_LEAST_CROSSED_VECTORS 8
#define FN_LEAST_CROSSED_SHARE(vectors) ((vectors) < 12 ? 4.0 : 1.8)

static int FN(by_input)(const fn_network *network, double density, size_t m)
{
    const size_t vectors = (network->sizes[1] + FN_LANES - 1) / FN_LANES;
    return FN(way)(network, density) == FN_COLUMNS && vectors >= FN_LEAST_CROSSED_VECTORS
           && (double)m * density >= FN_LEAST_CROSSED_SHARE(vectors);
}

/* Whether a training changes the first layer input by input. */
static int FN(crosses)(const fn_network *network, const fn_examples *examples, size_t m,
                       const fn_training *training)
{
    if (!training || !examples->offsets || examples->masks)
        return 0;
    if (training->by_input)
        return training->by_input > 0;
    const int64_t stored = examples->offsets[examples->n] - examples->offsets[0];
    return FN(by_input)(network, (double)stored / (double)examples->n / (double)network->sizes[0], m);
}
