/* The sparse way into the first layer, whose examples are compressed (see
 * fn_examples); sparse_tmpl.h makes the lists.
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
 */
#ifdef FN_EXPAND
#define FN_GROUP 5
#else
#define FN_GROUP 1
#endif

/* Vectors of a weight row per pass over the list, at most: what the registers hold. */
#define FN_MOST_VECTORS 8
#define FN_VECTORS(g) ((g) < 3 ? FN_MOST_VECTORS : 4)

/* A list of n inputs, and the values of g examples on it. */
typedef struct {
    size_t n, g;
    const uint32_t *columns;    /* [n] */
    const real *x;              /* [g][room] */
    size_t room;
} FN(list);

/* g examples times nv vectors of outputs; inlined with constant g and nv.
 * z [g][stride] += the sum over the list of x w. */
FN_INLINE void FN(list_forward)(const size_t g, const size_t nv, const FN(list) *list,
                                const real *weights, size_t stride, real *z)
{
    vec sum[FN_GROUP][FN_MOST_VECTORS];
#pragma GCC unroll 8
    for (size_t s = 0; s < g; s++)
#pragma GCC unroll 8
        for (size_t v = 0; v < nv; v++)
            sum[s][v] = FN(load)(z + s * stride + v * FN_LANES);
    const uint32_t *columns = list->columns;
    const real *x = list->x;
    const size_t n = list->n, room = list->room;
    for (size_t k = 0; k < n; k++) {
        const real *row = weights + columns[k] * stride;
#pragma GCC unroll 8
        for (size_t s = 0; s < g; s++) {
            const vec value = FN(splat)(x[s * room + k]);
#pragma GCC unroll 8
            for (size_t v = 0; v < nv; v++)
                sum[s][v] = FN_FMA(value, FN(load)(row + v * FN_LANES), sum[s][v]);
        }
    }
#pragma GCC unroll 8
    for (size_t s = 0; s < g; s++)
#pragma GCC unroll 8
        for (size_t v = 0; v < nv; v++)
            FN(store)(z + s * stride + v * FN_LANES, sum[s][v]);
}

/* For every input on the list: w += the sum over the group of x delta. */
FN_INLINE void FN(list_update)(const size_t g, const size_t nv, const FN(list) *list,
                               real *weights, size_t stride, const real *delta)
{
    vec error[FN_GROUP][FN_MOST_VECTORS];
#pragma GCC unroll 8
    for (size_t s = 0; s < g; s++)
#pragma GCC unroll 8
        for (size_t v = 0; v < nv; v++)
            error[s][v] = FN(load)(delta + s * stride + v * FN_LANES);
    const uint32_t *columns = list->columns;
    const real *x = list->x;
    const size_t n = list->n, room = list->room;
    for (size_t k = 0; k < n; k++) {
        real *row = weights + columns[k] * stride;
        vec w[FN_MOST_VECTORS];
#pragma GCC unroll 8
        for (size_t v = 0; v < nv; v++)
            w[v] = FN(load)(row + v * FN_LANES);
#pragma GCC unroll 8
        for (size_t s = 0; s < g; s++) {
            const vec value = FN(splat)(x[s * room + k]);
#pragma GCC unroll 8
            for (size_t v = 0; v < nv; v++)
                w[v] = FN_FMA(value, error[s][v], w[v]);
        }
#pragma GCC unroll 8
        for (size_t v = 0; v < nv; v++)
            FN(store)(row + v * FN_LANES, w[v]);
    }
}

typedef struct {
    void (*forward)(const FN(list) *list, const real *weights, size_t stride, real *z);
    void (*update)(const FN(list) *list, real *weights, size_t stride, const real *delta);
} FN(list_kernels);

#define FN_LIST(g, nv)                                                                       \
    static void FN(list_forward_##g##x##nv)(const FN(list) *list, const real *weights,       \
                                            size_t stride, real *z)                          \
    {                                                                                        \
        FN(list_forward)(g, nv, list, weights, stride, z);                                   \
    }                                                                                        \
    static void FN(list_update_##g##x##nv)(const FN(list) *list, real *weights,              \
                                           size_t stride, const real *delta)                 \
    {                                                                                        \
        FN(list_update)(g, nv, list, weights, stride, delta);                                \
    }
#define FN_LIST_ENTRY(g, nv) {FN(list_forward_##g##x##nv), FN(list_update_##g##x##nv)},
#define FN_EACH_LIST(T, g) T(g, 1) T(g, 2) T(g, 3) T(g, 4)
#define FN_EACH_WIDE_LIST(T, g) FN_EACH_LIST(T, g) T(g, 5) T(g, 6) T(g, 7) T(g, 8)
FN_EACH_WIDE_LIST(FN_LIST, 1)
#ifdef FN_EXPAND
FN_EACH_WIDE_LIST(FN_LIST, 2)
FN_EACH_LIST(FN_LIST, 3)
FN_EACH_LIST(FN_LIST, 4)
FN_EACH_LIST(FN_LIST, 5)
#endif

static const FN(list_kernels) FN(lists)[FN_GROUP][FN_MOST_VECTORS] = {
    {FN_EACH_WIDE_LIST(FN_LIST_ENTRY, 1)},
#ifdef FN_EXPAND
    {FN_EACH_WIDE_LIST(FN_LIST_ENTRY, 2)},
    {FN_EACH_LIST(FN_LIST_ENTRY, 3)},
    {FN_EACH_LIST(FN_LIST_ENTRY, 4)},
    {FN_EACH_LIST(FN_LIST_ENTRY, 5)},
#endif
};

/* For the vectors of n_out outputs, in passes as even as can be: vectors v .. v + nv. */
#define FN_EACH_PASS(g, n_out, v, nv)                                                     \
    for (size_t all_ = ((n_out) + FN_LANES - 1) / FN_LANES, v = 0, nv,                    \
                passes_ = (all_ + FN_VECTORS(g) - 1) / FN_VECTORS(g), pass_ = 0;          \
         nv = all_ * (pass_ + 1) / passes_ - v, pass_ < passes_; v += nv, pass_++)
