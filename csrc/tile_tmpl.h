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

/* A product of so many terms and columns has A copied, tile by tile: else the terms of a
 * tile lie in as many pages (a_row == 1), or its rows, where they are whole cache lines
 * apart, in one bank of the first cache, which then gives one of them at a time. */
#define FN_PACKED 128

/* B's panel is copied where so many rows of A go by: its lines lie in as many pages. */
#define FN_PANEL_ROWS 40

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

/* Some tiles of mr rows times nv vectors, one below the other; inlined with constant mr,
 * nv and one of a_row and a_k. From one tile to the next A moves on by `a_tile`. */
FN_INLINE void FN(tile)(const size_t mr, const size_t nv, const FN(product) *p, const size_t a_row,
                        const size_t a_k, size_t a_tile, const uint32_t *b_rows, size_t tiles)
{
    const real *tile_a = p->a;
    real *c = p->c;
    const uint32_t *c_rows = p->c_rows;
    const size_t depth = p->k, b_stride = p->b_stride, c_stride = p->c_stride;
    for (size_t t = 0; t < tiles; t++) {
        vec sum[FN_MOST_ROWS][2];
        real *row[FN_MOST_ROWS];
#pragma GCC unroll 16
        for (size_t r = 0; r < mr; r++) {
            row[r] = c + (c_rows ? c_rows[r] : r) * c_stride;
#pragma GCC unroll 2
            for (size_t v = 0; v < nv; v++)
                sum[r][v] = FN(load)(row[r] + v * FN_LANES);
            __builtin_prefetch(row[r] + nv * FN_LANES, 1, 2); /* for the next panel */
        }
        const real *a = tile_a, *b = p->b;
        for (size_t k = 0; k < depth; k++) {
            const real *line = b_rows ? p->b + b_rows[k] * b_stride : b;
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
            b += b_stride;
        }
#pragma GCC unroll 16
        for (size_t r = 0; r < mr; r++)
#pragma GCC unroll 2
            for (size_t v = 0; v < nv; v++)
                FN(store)(row[r] + v * FN_LANES, sum[r][v]);
        tile_a += a_tile;
        c_rows = c_rows ? c_rows + mr : NULL;
        c += p->c_rows ? 0 : mr * c_stride;
    }
}

typedef void FN(tile_function)(const FN(product) *p, size_t a_tile, size_t tiles);

#define FN_TILE(mr, nv)                                                                     \
    static void FN(tile_##mr##x##nv)(const FN(product) *p, size_t a_tile, size_t tiles)     \
    {                                                                                       \
        if (p->a_row == 1)                                                                  \
            FN(tile)(mr, nv, p, 1, p->a_k, a_tile, NULL, tiles);                            \
        else if (p->b_rows)                                                                 \
            FN(tile)(mr, nv, p, p->a_row, 1, a_tile, p->b_rows, tiles);                     \
        else                                                                                \
            FN(tile)(mr, nv, p, p->a_row, 1, a_tile, NULL, tiles);                          \
    }
#define FN_TILE_ENTRY(mr, nv) FN(tile_##mr##x##nv),
#define FN_EACH_TILE_6(T, nv) T(1, nv) T(2, nv) T(3, nv) T(4, nv) T(5, nv) T(6, nv)
#define FN_EACH_TILE_12(T, nv) \
    FN_EACH_TILE_6(T, nv) T(7, nv) T(8, nv) T(9, nv) T(10, nv) T(11, nv) T(12, nv)
#define FN_EACH_TILE_14(T, nv) FN_EACH_TILE_12(T, nv) T(13, nv) T(14, nv)
#define FN_EACH_TILE_OF_(rows, T, nv) FN_EACH_TILE_##rows(T, nv)
#define FN_EACH_TILE_OF(rows, T, nv) FN_EACH_TILE_OF_(rows, T, nv)
#define FN_EACH_TILE_1(T, nv) FN_EACH_TILE_OF(FN_MOST_ROWS, T, nv)
#define FN_EACH_TILE_2(T, nv) FN_EACH_TILE_OF(FN_TILE_ROWS, T, nv)

FN_EACH_TILE_1(FN_TILE, 1)
FN_EACH_TILE_2(FN_TILE, 2)

static FN(tile_function) *const FN(tiles)[2][FN_MOST_ROWS] = {
    {FN_EACH_TILE_1(FN_TILE_ENTRY, 1)},
    {FN_EACH_TILE_2(FN_TILE_ENTRY, 2)},
};

/* Rows as tiles: the first `tall` of `height` rows, the other `flat` of one less. */
typedef struct { size_t height, tall, flat; } FN(division);

FN_INLINE FN(division) FN(divide_rows)(size_t rows, size_t most)
{
    if (rows == 0)
        return (FN(division)){0};
    const size_t tiles = (rows + most - 1) / most, height = (rows + tiles - 1) / tiles;
    const size_t flat = tiles * height - rows;
    return (FN(division)){height, tiles - flat, flat};
}

/* A as [tile][k][rows of the tile], a_row is 1 then: `tiles` of them; returns the end. */
static real *FN(pack)(size_t tiles, size_t height, const FN(product) *p, const real *a,
                      real *restrict packed)
{
    for (size_t t = 0; t < tiles; t++, a += height * p->a_row)
        for (size_t i = 0; i < p->k; i++, packed += height)
            for (size_t r = 0; r < height; r++)
                packed[r] = a[i * p->a_k + r * p->a_row];
    return packed;
}

/* Two vectors of each row of B, one below the other. */
static void FN(pack_panel)(const FN(product) *p, real *restrict panel)
{
    for (size_t k = 0; k < p->k; k++, panel += 2 * FN_LANES) {
        const real *line = p->b + (p->b_rows ? p->b_rows[k] : k) * p->b_stride;
        FN(store)(panel, FN(load)(line));
        FN(store)(panel + FN_LANES, FN(load)(line + FN_LANES));
    }
}

/* `tiles` tiles of one height from row `first` on. */
FN_INLINE void FN(tiles_of)(size_t first, size_t tiles, size_t height, size_t vectors, int packed,
                            FN(product) part)
{
    if (tiles == 0)
        return;
    const size_t row = packed ? part.k : part.a_row;
    part.a += first * row;
    part.a_k = packed ? height : part.a_k;
    part.a_row = packed ? 1 : part.a_row;
    part.c += part.c_rows ? 0 : first * part.c_stride;
    part.c_rows = part.c_rows ? part.c_rows + first : NULL;
    FN(tiles)[vectors - 1][height - 1](&part, height * row, tiles);
}

/* All of `rows` rows and `columns` columns (rounded up to vectors) of C. packed: NULL, or
 * room for A's terms, rows * FN_DEPTH elements at most. */
static void FN(multiply)(size_t rows, size_t columns, FN(product) whole, real *packed)
{
    real panel[FN_DEPTH * 2 * FN_LANES] __attribute__((aligned(64)));
    const FN(division) wide = FN(divide_rows)(rows, FN_TILE_ROWS);
    const FN(division) thin = FN(divide_rows)(rows, FN_MOST_ROWS);
    const int packing = packed && columns >= FN_PACKED && whole.k >= FN_PACKED;
    for (size_t k = 0; k < whole.k; k += FN_DEPTH) {
        FN(product) part = whole;
        part.k = whole.k - k < FN_DEPTH ? whole.k - k : FN_DEPTH;
        part.b_rows = whole.b_rows ? whole.b_rows + k : NULL;
        part.a = whole.a + k * whole.a_k;
        if (packing) {
            real *flat = FN(pack)(wide.tall, wide.height, &part, part.a, packed);
            FN(pack)(wide.flat, wide.height - 1, &part,
                     part.a + wide.tall * wide.height * whole.a_row, flat);
            part.a = packed;
        }
        for (size_t j = 0; j < columns; j += 2 * FN_LANES) {
            const size_t vectors = columns - j > FN_LANES ? 2 : 1;
            const FN(division) d = vectors == 2 || packing ? wide : thin;
            FN(product) panelled = part;
            panelled.b = whole.b + (whole.b_rows ? 0 : k * whole.b_stride) + j;
            panelled.c = whole.c + j;
            if (vectors == 2 && rows >= FN_PANEL_ROWS && part.k >= FN_PACKED) {
                FN(pack_panel)(&panelled, panel);
                panelled.b = panel, panelled.b_stride = 2 * FN_LANES, panelled.b_rows = NULL;
            }
            FN(tiles_of)(0, d.tall, d.height, vectors, packing, panelled);
            FN(tiles_of)(d.tall * d.height, d.flat, d.height - 1, vectors, packing, panelled);
        }
    }
}
