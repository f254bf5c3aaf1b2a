/* The sparse way into the first layer, whose examples are compressed (see
 * fn_examples); input/build_lists.h makes the lists. Where rows are wide and examples many,
 * input/block.h is quicker.
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
 * A pass covers few vectors of each row, for all examples of a chunk: their rows overlap, and
 * parts this narrow stay in the L1 cache. The update changes up to four rows at once, loads
 * before stores.
 *
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_INPUT_LIST_H
#define FASTNET_INPUT_LIST_H

#include <stdint.h>

#include "core/plan.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Examples that share a list, at most. */
#ifdef FN_EXPAND
#define FN_GROUP FN_MOST_SHARING
#define FN_EACH_SHARED_GROUP(T) T(2) T(3) T(4) T(5)
#define FN_EACH_GROUP(T) T(1) FN_EACH_SHARED_GROUP(T)
#else
#define FN_GROUP 1
#define FN_EACH_GROUP(T) T(1)
#endif

_Static_assert(FN_GROUP <= FN_MOST_SHARING, "a plan says how many examples share a list");

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

/* Examples per chunk, approximately. */
#define FN_CHUNK 16

/* Examples are prefetched this many examples ahead. */
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

#endif
