/* The sparse way into the first layer, whose examples are compressed (see
 * fn_examples); sparse_tmpl.h makes the lists. Where rows are wide and examples many,
 * block_tmpl.h is quicker.
 *
 * The examples of a mini-batch are taken in groups. A group shares one list: the
 * inputs that are other than zero in any of its examples, ascending, and for
 * each example its values on that list, zeros among them. Forward, a group
 * loads each weight row of the list once; the update loads and stores it once.
 * Each sum runs over the inputs in ascending order, one fused multiply-add per
 * input, and what is left out are products with zero; so the bits are those
 * of the dense tile, up to the sign of a zero.
 *
 * Groups of several need masks, and instructions that spread packed values over
 * the set bits of a mask (FN_EXPAND); elsewhere a group is one example.
 *
 * A pass takes few vectors of each row, and all examples of a chunk go by before the next
 * pass: the rows of a mini-batch overlap, and so little of them stays in the first
 * cache. The update changes four rows at once, loads before stores.
 *
 * Tried, with MNIST, [784, 100, 10], m = 10 (AVX2, Zen 3; an epoch is 119 ms):
 *   whole rows per pass, example after example                  137 ms
 *   passes of 4, 4, 4 and 1 vectors forward, of 3, 3, 3 and 4   120 ms, 127 ms
 *   6 or 7 vectors forward                                      119 ms, 122 ms
 *   1 cache line per pass, 4 examples abreast for more sums     no gain over 2 lines and one
 *   rows an odd number of cache lines apart                     no difference
 *   the inputs in two halves, chunks of 32: the sums take 18 % less, finding the halves as much
 * and with 30 outputs (39 ms):
 *   asking for the next mini-batch's examples all at once       47 ms
 *   updates of 4 vectors, 1 or 2 rows at once                   3 to 8 % slower
 *
 * AVX-512, Cascade Lake, with 30 outputs: groups of 5 take 0.95 of the time of groups of 3 with
 * m = 10, 0.91 with 4 and 0.89 in float64, of 6 no less: a group's sums are too few to hide the
 * 4 cycles of a multiply-add. Where zeros are random and inputs other than zero few, 0.05 to 0.12
 * of all, groups of 5 share less: 1.03 to 1.06 with 100 outputs and m = 10, 0.98 to 1.02 with 30.
 * On Zen 4, whose multiply-adds of zeros cost twice as much, groups of 5 take 1.06 of the time of
 * groups of 3 with 30 outputs and m = 10, 1.17 in float64, 1.02 with 100 outputs and m = 4; groups
 * of 2 and of 4 about 1.01. Lost there: the last vector by half, in 25 lines 0.94 with 20 outputs and
 * 0.98 with 100, m = 2 and 4; clang multiplied and added what gcc fuses.
 * Updates of 4 vectors take 0.93 of an epoch's time with those of 2 (64 outputs; AVX2 0.94, 0.93 with
 * 30 outputs and 0.88 with 20, where Zen 3 takes 1.03 to 1.08). Tried: 8 vectors of a single example
 * in one pass forward, 0.99 with m = 1 and 100 outputs; and with 30 outputs and m = 10, bytes as they
 * are stored instead of values, packed by VBMI2's instructions, and looked up in a table where they
 * are multiplied (making the lists 0.75 of its time, the update 1.1; all 0.98 to 1.00, AVX2 1.00),
 * or scaled once they were packed (1.02); every second list changed from its end (0.98, 1.00);
 * updates of 1 vector, whose lines stay in the first cache (1.05); a group's list made between pieces
 * of the forward step of the group before (1.05); one example at a time, from columns as they are
 * stored, the update of a mini-batch and the forward step of the next together in strips of the
 * inputs: 22,200 cycles a mini-batch for 15,800.
 */
/* Examples that share a list, at most. */
#ifdef FN_EXPAND
#define FN_GROUP FN_MOST_SHARING
#define FN_EACH_SHARED_GROUP(T) T(2) T(3) T(4) T(5)
#define FN_EACH_GROUP(T) T(1) FN_EACH_SHARED_GROUP(T)
#else
#define FN_GROUP 1
#define FN_EACH_GROUP(T) T(1)
#endif

/* Vectors of a weight row per pass, at most. */
#define FN_FORWARD_VECTORS 5
#define FN_FORWARDS(T, g) T(g, 1) T(g, 2) T(g, 3) T(g, 4) T(g, 5)
#if FN_VECTOR_BYTES >= 32
#define FN_UPDATE_VECTORS 4
#define FN_UPDATES(T, g) T(g, 1) T(g, 2) T(g, 3) T(g, 4)
#else
#define FN_UPDATE_VECTORS 2
#define FN_UPDATES(T, g) T(g, 1) T(g, 2)
#endif
/* Rows that are changed together, nv vectors of each. */
#define FN_UPDATE_ROWS(nv) ((nv) > 2 ? 2 : 4)

/* Examples, about, whose passes are made together. */
#define FN_CHUNK 16

/* Examples are asked for so many examples before they are needed. */
#define FN_AHEAD 16

/* A list of n inputs, and the values of g examples on it. */
typedef struct {
    size_t n, g;
    const uint32_t *rows;       /* [n] where each input's weights start: input * stride */
    const real *x;              /* [g][row_stride] */
    size_t row_stride;
} FN(list);

/* z [g][stride] += the sum over the list of x w, for nv vectors; inlined with
 * constant g and nv. */
FN_INLINE void FN(list_forward)(const size_t g, const size_t nv, const FN(list) *list,
                                const real *weights, size_t stride, real *z)
{
    vec sum[FN_GROUP][FN_FORWARD_VECTORS];
FN_UNROLL(5)
    for (size_t s = 0; s < g; s++)
FN_UNROLL(5)
        for (size_t v = 0; v < nv; v++)
            sum[s][v] = FN(load)(z + s * stride + v * FN_LANES);
    const uint32_t *rows = list->rows;
    const real *x = list->x;
    const size_t n = list->n, row_stride = list->row_stride;
    for (size_t k = 0; k < n; k++) {
        const real *row = weights + rows[k];
FN_UNROLL(5)
        for (size_t s = 0; s < g; s++) {
            const vec value = FN(splat)(x[s * row_stride + k]);
FN_UNROLL(5)
            for (size_t v = 0; v < nv; v++)
                sum[s][v] = FN_FMA(value, FN(load)(row + v * FN_LANES), sum[s][v]);
        }
    }
FN_UNROLL(5)
    for (size_t s = 0; s < g; s++)
FN_UNROLL(5)
        for (size_t v = 0; v < nv; v++)
            FN(store)(z + s * stride + v * FN_LANES, sum[s][v]);
}

/* w += the sum over the group of x delta, for `rows` inputs of the list from the
 * k-th and nv vectors; inlined with constant g, nv and rows. */
FN_INLINE void FN(list_update_rows)(const size_t g, const size_t nv, const size_t rows,
                                    const FN(list) *list, size_t k, real *weights,
                                    vec error[FN_GROUP][FN_UPDATE_VECTORS])
{
    vec w[FN_UPDATE_ROWS(1)][FN_UPDATE_VECTORS];
    real *row[FN_UPDATE_ROWS(1)];
FN_UNROLL(4)
    for (size_t r = 0; r < rows; r++) {
        row[r] = weights + list->rows[k + r];
FN_UNROLL(4)
        for (size_t v = 0; v < nv; v++)
            w[r][v] = FN(load)(row[r] + v * FN_LANES);
FN_UNROLL(5)
        for (size_t s = 0; s < g; s++) {
            const vec value = FN(splat)(list->x[s * list->row_stride + k + r]);
FN_UNROLL(4)
            for (size_t v = 0; v < nv; v++)
                w[r][v] = FN_FMA(value, error[s][v], w[r][v]);
        }
    }
FN_UNROLL(4)
    for (size_t r = 0; r < rows; r++)
FN_UNROLL(4)
        for (size_t v = 0; v < nv; v++)
            FN(store)(row[r] + v * FN_LANES, w[r][v]);
}

FN_INLINE void FN(list_update)(const size_t g, const size_t nv, const FN(list) *restrict list,
                               real *restrict weights, size_t stride, const real *delta)
{
    vec error[FN_GROUP][FN_UPDATE_VECTORS];
    const FN(list) own = *list;
FN_UNROLL(5)
    for (size_t s = 0; s < g; s++)
FN_UNROLL(4)
        for (size_t v = 0; v < nv; v++)
            error[s][v] = FN(load)(delta + s * stride + v * FN_LANES);
    const size_t rows = FN_UPDATE_ROWS(nv);
    size_t k = 0;
    for (; k + rows <= own.n; k += rows)
        FN(list_update_rows)(g, nv, rows, &own, k, weights, error);
    for (; k < own.n; k++)
        FN(list_update_rows)(g, nv, 1, &own, k, weights, error);
}

typedef void FN(list_forward_function)(const FN(list) *, const real *weights, size_t stride, real *z);
typedef void FN(list_update_function)(const FN(list) *, real *weights, size_t stride,
                                      const real *delta);

#define FN_LIST_FORWARD(g, nv)                                                               \
    static void FN(list_forward_##g##x##nv)(const FN(list) *list, const real *weights,       \
                                            size_t stride, real *z)                          \
    {                                                                                        \
        FN(list_forward)(g, nv, list, weights, stride, z);                                   \
    }
#define FN_LIST_UPDATE(g, nv)                                                                \
    static void FN(list_update_##g##x##nv)(const FN(list) *list, real *weights,              \
                                           size_t stride, const real *delta)                 \
    {                                                                                        \
        FN(list_update)(g, nv, list, weights, stride, delta);                                \
    }
#define FN_LIST_FUNCTIONS(g) FN_FORWARDS(FN_LIST_FORWARD, g) FN_UPDATES(FN_LIST_UPDATE, g)
FN_EACH_GROUP(FN_LIST_FUNCTIONS)

#define FN_LIST_FORWARD_ENTRY(g, nv) FN(list_forward_##g##x##nv),
#define FN_LIST_UPDATE_ENTRY(g, nv) FN(list_update_##g##x##nv),
#define FN_LIST_FORWARD_ROW(g) {FN_FORWARDS(FN_LIST_FORWARD_ENTRY, g)},
#define FN_LIST_UPDATE_ROW(g) {FN_UPDATES(FN_LIST_UPDATE_ENTRY, g)},
static FN(list_forward_function) *const FN(list_forwards)[FN_GROUP][FN_FORWARD_VECTORS] = {
    FN_EACH_GROUP(FN_LIST_FORWARD_ROW)
};
static FN(list_update_function) *const FN(list_updates)[FN_GROUP][FN_UPDATE_VECTORS] = {
    FN_EACH_GROUP(FN_LIST_UPDATE_ROW)
};
