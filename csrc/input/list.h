/* Computes the first layer from lists of compressed rows; build_lists.h makes the lists. If rows of
 * weights are wide and there are many examples, block.h is faster.
 *
 * A mini-batch is split into groups of examples, and each group has a list: the inputs that are
 * non-zero in any of its examples, ascending, and each example's values of these inputs, including
 * zeros. The forward step loads each row of weights of the list once for the group; the update
 * loads and stores it once. Each sum runs over the inputs in ascending order, with one fused
 * multiply-add each, and only products with zero are omitted. So the bits are those of dense rows,
 * up to the sign of a zero.
 *
 * Groups of several examples need masks, and instructions that expand packed values to the set bits
 * of a mask (FN_EXPAND); otherwise a group is one example.
 *
 * One pass computes a few vectors of each row of weights, for all examples of a chunk: the examples
 * have many inputs in common, and such narrow parts of the rows stay in the L1 cache. The update
 * changes up to four rows at once, with all loads before the stores.
 *
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_INPUT_LIST_H
#define FASTNET_INPUT_LIST_H

#include <stdint.h>

#include "core/check.h"
#include "core/plan.h"
#include "fastnet.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* The most examples in a group. */
#ifdef FN_EXPAND
#define FN_GROUP FN_MOST_SHARING
#define FN_EACH_SHARED_GROUP(T) T(2) T(3) T(4) T(5)
#define FN_EACH_GROUP(T) T(1) FN_EACH_SHARED_GROUP(T)
#else
#define FN_GROUP 1
#define FN_EACH_GROUP(T) T(1)
#endif

_Static_assert(FN_GROUP <= FN_MOST_SHARING, "a plan says how many examples share a list");

/* The most vectors of a weight row in a pass; FN_FORWARDS and FN_UPDATES expand T for each number
 * of vectors. */
#define FN_FORWARD_VECTORS 5
#define FN_FORWARDS(T, g) T(g, 1) T(g, 2) T(g, 3) T(g, 4) T(g, 5)
#if FN_VECTOR_BYTES >= 32
#define FN_UPDATE_VECTORS 4
#define FN_UPDATES(T, g) T(g, 1) T(g, 2) T(g, 3) T(g, 4)
#else
#define FN_UPDATE_VECTORS 2
#define FN_UPDATES(T, g) T(g, 1) T(g, 2)
#endif
/* The number of rows of which nv vectors are changed together. */
#define FN_UPDATE_ROWS(nv) ((nv) > 2 ? 2 : 4)

/* Examples per chunk, approximately. */
#define FN_CHUNK 16

/* The list of a group of g examples, with n inputs. */
typedef struct {
    size_t n, g;
    uint32_t *rows;             /* [n] the start of each input's weights: input * stride */
    real *x;                    /* [g][row_stride] each example's values */
    size_t row_stride;
} FN(list);

/* z [g][stride] += the sum over the list of x w, for nv vectors. Inlined with constant g and nv. */
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

/* w += the sum over the group of x delta, for `rows` inputs of the list, from the k-th on, and nv
 * vectors. Inlined with constant g, nv and rows. */
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

/* w += the sum over the group of x delta, for nv vectors. Inlined with constant g and nv. */
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

/* list_forward and list_update, compiled for each pair of g and nv. */
static FN_NOINLINE void FN(list_forward_of)(size_t nv, const FN(list) *list, const real *weights,
                                            size_t stride, real *z)
{
#define FN_CASE(g, nv) case 8 * g + nv: FN(list_forward)(g, nv, list, weights, stride, z); break;
#define FN_CASES(g) FN_FORWARDS(FN_CASE, g)
    switch (8 * list->g + nv) { FN_EACH_GROUP(FN_CASES) }
#undef FN_CASES
#undef FN_CASE
}

static FN_NOINLINE void FN(list_update_of)(size_t nv, const FN(list) *list, real *weights,
                                           size_t stride, const real *delta)
{
#define FN_CASE(g, nv) case 8 * g + nv: FN(list_update)(g, nv, list, weights, stride, delta); break;
#define FN_CASES(g) FN_UPDATES(FN_CASE, g)
    switch (8 * list->g + nv) { FN_EACH_GROUP(FN_CASES) }
#undef FN_CASES
#undef FN_CASE
}

/* z[s] += sum_i x[s][i] w[i] over the lists of m examples, at most FN_CHUNK. */
static void FN(forward_of_lists)(size_t m, const FN(list) *lists, size_t n_out, const real *weights,
                                 real *z, size_t z_stride)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next_part(vectors - v, FN_FORWARD_VECTORS);
        const size_t o = v * FN_LANES;
        const FN(list) *list = lists;
        for (size_t s = 0; s < m; s += list->g, list++)
            FN(list_forward_of)(nv, list, weights + o, z_stride, z + s * z_stride + o);
    }
}

/* w[i] += sum_s x[s][i] delta[s] over the lists of m examples, at most FN_CHUNK, for n_out outputs
 * of each row, with at most `most` vectors in a pass. */
static void FN(update_of_lists)(size_t m, const FN(list) *lists, size_t n_out, size_t stride,
                                size_t most, const real *delta, real *weights)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    FN_ASSERT(m <= FN_CHUNK && most >= 1 && most <= FN_UPDATE_VECTORS);
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next_part(vectors - v, most);
        const size_t o = v * FN_LANES;
        const FN(list) *list = lists;
        for (size_t s = 0; s < m; s += list->g, list++)
            FN(list_update_of)(nv, list, weights + o, stride, delta + s * stride + o);
    }
}

#endif
