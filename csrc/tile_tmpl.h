/* The register tile, and the three products of a layer that it computes.
 *
 * All of them are  C[r][v] += sum_k A[r][k] * B[k][v]  with v along a row of C
 * and B, in vectors: each element of C is accumulated over k in ascending
 * order, one fused multiply-add per k, starting from what C holds. So its bits
 * do not depend on vector width, tile or block size.
 *
 *   forward          z[s][o]  += a[s][i] w[i][o]        rows of A: examples
 *   back-propagation e[i][s]  += w[i][o] delta[o][s]    rows of A: inputs
 *   update           w[i][o]  += a[s][i] delta[s][o]    rows of A: inputs, strided
 *
 * Two lists serve the first layer, whose zero columns are left out (see
 * gather_tmpl.h): b_rows, the row of B for each k; c_rows, the row of C for
 * each r; NULL stands for all rows in order.
 *
 * Rows are split evenly (10 as 5 + 5 where a tile has 6), so that no narrow
 * tile, bound by the latency of its few sums, is left over. */

/* Terms of the sum per pass: a pass's two vectors of B, 32 KiB at most, stay in the
 * caches next to the core while all rows of C go by. */
#define FN_DEPTH 256

typedef struct {
    size_t k;                       /* terms */
    const real *a;
    size_t a_row, a_k;              /* A[r][k] = a[r*a_row + k*a_k]; one of the two is 1 */
    const real *b;
    size_t b_stride;
    const uint32_t *b_rows;
    real *c;
    size_t c_stride;
    const uint32_t *c_rows;
} FN(product);

/* mr rows times nv vectors; inlined with constant mr and nv. */
FN_INLINE void FN(tile)(const size_t mr, const size_t nv, const FN(product) *p, const size_t a_row,
                        const size_t a_k, const uint32_t *b_rows)
{
    vec sum[FN_TILE_ROWS][2];
    real *row[FN_TILE_ROWS];
#pragma GCC unroll 16
    for (size_t r = 0; r < mr; r++) {
        row[r] = p->c + (p->c_rows ? p->c_rows[r] : r) * p->c_stride;
#pragma GCC unroll 2
        for (size_t v = 0; v < nv; v++)
            sum[r][v] = FN(load)(row[r] + v * FN_LANES);
    }
    const real *a = p->a, *b = p->b;
    for (size_t k = 0; k < p->k; k++) {
        const real *line = b_rows ? p->b + b_rows[k] * p->b_stride : b;
        vec right[2];
#pragma GCC unroll 2
        for (size_t v = 0; v < nv; v++)
            right[v] = FN(load)(line + v * FN_LANES);
#pragma GCC unroll 16
        for (size_t r = 0; r < mr; r++) {
            vec left = FN(splat)(a[r * a_row]);
#pragma GCC unroll 2
            for (size_t v = 0; v < nv; v++)
                sum[r][v] = FN_FMA(left, right[v], sum[r][v]);
        }
        a += a_k;
        b += p->b_stride;
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < mr; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < nv; v++)
            FN(store)(row[r] + v * FN_LANES, sum[r][v]);
}

typedef void FN(tile_function)(const FN(product) *p);

#define FN_TILE(mr, nv)                                                                     \
    static void FN(tile_##mr##x##nv)(const FN(product) *p)                                  \
    {                                                                                       \
        if (p->a_row == 1)                                                                  \
            FN(tile)(mr, nv, p, 1, p->a_k, NULL);                                           \
        else if (p->b_rows)                                                                 \
            FN(tile)(mr, nv, p, p->a_row, 1, p->b_rows);                                    \
        else                                                                                \
            FN(tile)(mr, nv, p, p->a_row, 1, NULL);                                         \
    }
#define FN_TILE_ENTRY(mr, nv) FN(tile_##mr##x##nv),
#define FN_EACH_TILE_6(T, nv) T(1, nv) T(2, nv) T(3, nv) T(4, nv) T(5, nv) T(6, nv)
#define FN_EACH_TILE_12(T, nv) \
    FN_EACH_TILE_6(T, nv) T(7, nv) T(8, nv) T(9, nv) T(10, nv) T(11, nv) T(12, nv)
#define FN_EACH_TILE_14(T, nv) FN_EACH_TILE_12(T, nv) T(13, nv) T(14, nv)
#define FN_EACH_TILE_OF_(rows) FN_EACH_TILE_##rows
#define FN_EACH_TILE_OF(rows) FN_EACH_TILE_OF_(rows)
#define FN_EACH_TILE FN_EACH_TILE_OF(FN_TILE_ROWS)

FN_EACH_TILE(FN_TILE, 1)
FN_EACH_TILE(FN_TILE, 2)

static FN(tile_function) *const FN(tiles)[2][FN_TILE_ROWS] = {
    {FN_EACH_TILE(FN_TILE_ENTRY, 1)},
    {FN_EACH_TILE(FN_TILE_ENTRY, 2)},
};

/* All of `rows` rows and `columns` columns (rounded up to vectors) of C. */
static void FN(multiply)(size_t rows, size_t columns, FN(product) whole)
{
    const size_t tiles = (rows + FN_TILE_ROWS - 1) / FN_TILE_ROWS;
    for (size_t k = 0; k < whole.k; k += FN_DEPTH)
        for (size_t j = 0; j < columns; j += 2 * FN_LANES) {
            FN(product) part = whole;
            part.k = whole.k - k < FN_DEPTH ? whole.k - k : FN_DEPTH;
            part.b_rows = whole.b_rows ? whole.b_rows + k : NULL;
            part.b = whole.b + (whole.b_rows ? 0 : k * whole.b_stride) + j;
            FN(tile_function) *const *tile = FN(tiles)[columns - j > FN_LANES];
            for (size_t t = 0; t < tiles; t++) {
                size_t r = rows * t / tiles, end = rows * (t + 1) / tiles;
                part.a = whole.a + r * whole.a_row + k * whole.a_k;
                part.c = whole.c + (whole.c_rows ? 0 : r * whole.c_stride) + j;
                part.c_rows = whole.c_rows ? whole.c_rows + r : NULL;
                tile[end - r - 1](&part);
            }
        }
}
