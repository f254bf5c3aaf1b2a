/* The register tile, and the three products of a layer that it computes.
 *
 * All of them are  C[r][v] += sum_k A[r][k] * B[k][v], with vectors along v, the rows of C and B.
 * Each element of C is accumulated over k in ascending order, with one fused multiply-add per k,
 * starting from its value before. So its bits do not depend on the vector width, the tile or the
 * block size.
 *
 *   forward          z[s][o]  += a[s][i] w[i][o]        rows of A: examples
 *   back-propagation e[i][s]  += w[i][o] delta[o][s]    rows of A: inputs
 *   update           w[i][o]  += a[s][i] delta[s][o]    rows of A: inputs, strided
 *   if w is copied, also e[s][i] += delta[s][o] w[i][o]; the copy is transposed (gemm/large.h)
 *
 * In the first layer, inputs that are zero in a whole step are omitted (input/gather.h). Then two
 * arrays of indices select rows: b_rows, the row of B for each k; c_rows, the row of C for each r.
 * NULL selects all rows in order.
 *
 * Rows are split evenly (10 into 5 + 5 if a tile has at most 6), since a tile of few rows is bound
 * by the latency of its few accumulators.
 *
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_GEMM_TILE_H
#define FASTNET_GEMM_TILE_H

#include <stdint.h>

#include "core/check.h"
#include "fastnet.h"
#include "gemm/tile_sizes.h"
#include "gemm/transpose.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* The most rows of C in a pass of FN_DEPTH terms (tile_sizes.h): their part of A, 288 KiB at most,
 * stays in the L2 cache. A panel of B, 32 KiB at most, mostly stays in the L1 cache for all of
 * these rows. */
#define FN_HEIGHT (288 / FN_TILE_ROWS * FN_TILE_ROWS)

/* Tiles that read copies prefetch B this many terms ahead. */
#define FN_TERMS_AHEAD 8

/* The most vectors of a tile of one row, which is bound by latency, and of several rows. */
#define FN_ROW_VECTORS 4
#define FN_WIDEST (FN_ROWS_OF_4 > 1 ? 4 : FN_ROWS_OF_3 > 1 ? 3 : 2)

FN_INLINE size_t FN(widest)(size_t rows) { return rows == 1 ? FN_ROW_VECTORS : FN_WIDEST; }

/* Vectors of a cache line. */
#define FN_LINE_VECTORS (64 / FN_VECTOR_BYTES)

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

/* Prefetch nv vectors of a row at an address into the L1 cache, for writing. */
FN_INLINE void FN(prefetch_row)(uintptr_t row, const size_t nv)
{
    for (size_t v = 0; v < nv; v += FN_LINE_VECTORS)
        __builtin_prefetch((const void *)(row + v * FN_VECTOR_BYTES), 1, 3);
}

/* The layout of a tile's operands, where FN(product) allows several. */
typedef struct {
    int transposed;                 /* A[r][k] = a[r + k*a_k]; else a[r*a_row + k] */
    int copied;                     /* copies A[k][mr], so transposed is 1, and B[k][nv vectors] */
    int lists_b, lists_c;           /* b_rows is, c_rows is not NULL */
} fn_tile_form;

/* Compute `tiles` tiles of mr rows by nv vectors, one below the other; `a` advances by a_tile
 * elements per tile. Inlined with constant mr, nv and form. */
FN_INLINE void FN(tile)(const size_t mr, const size_t nv, const fn_tile_form form,
                        const FN(product) *p, size_t a_tile, size_t tiles)
{
    const real *tile_a = p->a;
    real *c = p->c;
    const size_t depth = p->k, c_stride = p->c_stride, row_bytes = c_stride * sizeof(real);
    const size_t a_row = form.transposed ? 1 : p->a_row;
    const size_t a_k = form.copied ? mr : form.transposed ? p->a_k : 1;
    const size_t b_stride = form.copied ? nv * FN_LANES : p->b_stride;
    const uint32_t *b_rows = form.lists_b ? p->b_rows : NULL;
    const uint32_t *c_rows = form.lists_c ? p->c_rows : NULL;
    /* Whether to prefetch the next tile of C. */
    const int below = FN_VECTOR_BYTES == 64 && form.transposed && !form.copied && !form.lists_c;
    for (size_t t = 0; t < tiles; t++) {
        vec sum[FN_MOST_ROWS][FN_ROW_VECTORS];
        real *row[FN_MOST_ROWS];
FN_UNROLL(16)
        for (size_t r = 0; r < mr; r++) {
            row[r] = form.lists_c ? c + c_rows[r] * c_stride : r ? row[r - 1] + c_stride : c;
FN_UNROLL(4)
            for (size_t v = 0; v < nv; v++)
                sum[r][v] = FN(load)(row[r] + v * FN_LANES);
            if (!below)
                FN_PREFETCH(row[r], nv * FN_LANES, 1, 2); /* for the next panel */
            if (form.copied && nv > FN_LINE_VECTORS)
                FN_PREFETCH(row[r], (2 * nv - 1) * FN_LANES, 1, 2);
        }
        const real *a = tile_a, *b = p->b;
        uintptr_t next = (uintptr_t)row[mr - 1] + row_bytes;
        for (size_t r = depth; below && r < mr; r++)
            FN(prefetch_row)(next + r * row_bytes, nv);
        for (size_t k = 0; k < depth; k++, next += row_bytes) {
            if (below && k < mr)
                FN(prefetch_row)(next, nv);
            const real *line = form.lists_b ? p->b + b_rows[k] * b_stride : b;
            vec right[FN_ROW_VECTORS];
FN_UNROLL(4)
            for (size_t v = 0; v < nv; v++)
                right[v] = FN(load)(line + v * FN_LANES);
            for (size_t v = 0; form.copied && v < nv; v += FN_LINE_VECTORS)
                FN_PREFETCH(line, FN_TERMS_AHEAD * b_stride + v * FN_LANES, 0, 3);
FN_UNROLL(16)
            for (size_t r = 0; r < mr; r++) {
                vec left = FN(splat)(a[r * a_row]);
FN_UNROLL(4)
                for (size_t v = 0; v < nv; v++)
                    sum[r][v] = FN_FMA(left, right[v], sum[r][v]);
            }
            a += a_k;
            b += b_stride;
        }
FN_UNROLL(16)
        for (size_t r = 0; r < mr; r++) {
FN_UNROLL(4)
            for (size_t v = 0; v < nv; v++)
                FN(store)(row[r] + v * FN_LANES, sum[r][v]);
        }
        tile_a += a_tile;
        if (form.lists_c)
            c_rows += mr;
        else
            c = row[mr - 1] + c_stride;
    }
}

typedef void FN(tile_function)(const FN(product) *p, size_t a_tile, size_t tiles);

#define FN_TILE(mr, nv)                                                                     \
    static void FN(tile_##mr##x##nv)(const FN(product) *p, size_t a_tile, size_t tiles)     \
    {                                                                                       \
        const fn_tile_form transposed = {.transposed = 1}, by_rows = {0};                   \
        const fn_tile_form lists_c = {.transposed = 1, .lists_c = 1}, lists_b = {.lists_b = 1}; \
        if (p->a_row == 1 && p->c_rows)                                                     \
            FN(tile)(mr, nv, lists_c, p, a_tile, tiles);                                    \
        else if (p->a_row == 1)                                                             \
            FN(tile)(mr, nv, transposed, p, a_tile, tiles);                                 \
        else if (p->b_rows)                                                                 \
            FN(tile)(mr, nv, lists_b, p, a_tile, tiles);                                    \
        else                                                                                \
            FN(tile)(mr, nv, by_rows, p, a_tile, tiles);                                    \
    }
#define FN_TILE_ENTRY(mr, nv) FN(tile_##mr##x##nv),
#define FN_EACH_TILE_OF_1(T, nv) T(1, nv)
#define FN_EACH_TILE_OF_4(T, nv) T(1, nv) T(2, nv) T(3, nv) T(4, nv)
#define FN_EACH_TILE_OF_6(T, nv) FN_EACH_TILE_OF_4(T, nv) T(5, nv) T(6, nv)
#define FN_EACH_TILE_OF_8(T, nv) FN_EACH_TILE_OF_6(T, nv) T(7, nv) T(8, nv)
#define FN_EACH_TILE_OF_12(T, nv) \
    FN_EACH_TILE_OF_8(T, nv) T(9, nv) T(10, nv) T(11, nv) T(12, nv)
#define FN_EACH_TILE_OF_14(T, nv) FN_EACH_TILE_OF_12(T, nv) T(13, nv) T(14, nv)
#define FN_EACH_TILE_OF_(rows, T, nv) FN_EACH_TILE_OF_##rows(T, nv)
#define FN_EACH_TILE_OF(rows, T, nv) FN_EACH_TILE_OF_(rows, T, nv)
#define FN_EACH_TILE_1(T, nv) FN_EACH_TILE_OF(FN_MOST_ROWS, T, nv)
#define FN_EACH_TILE_2(T, nv) FN_EACH_TILE_OF(FN_TILE_ROWS, T, nv)
#define FN_EACH_TILE_3(T, nv) FN_EACH_TILE_OF(FN_ROWS_OF_3, T, nv)
#define FN_EACH_TILE_4(T, nv) FN_EACH_TILE_OF(FN_ROWS_OF_4, T, nv)

FN_EACH_TILE_1(FN_TILE, 1)
FN_EACH_TILE_2(FN_TILE, 2)
FN_EACH_TILE_3(FN_TILE, 3)
FN_EACH_TILE_4(FN_TILE, 4)

static FN(tile_function) *const FN(tiles)[FN_ROW_VECTORS][FN_MOST_ROWS] = {
    {FN_EACH_TILE_1(FN_TILE_ENTRY, 1)},
    {FN_EACH_TILE_2(FN_TILE_ENTRY, 2)},
    {FN_EACH_TILE_3(FN_TILE_ENTRY, 3)},
    {FN_EACH_TILE_4(FN_TILE_ENTRY, 4)},
};
/* The most rows of a tile of 1, 2, 3 and 4 vectors. */
static const size_t FN(tile_rows)[FN_ROW_VECTORS] = {
    FN_MOST_ROWS, FN_TILE_ROWS, FN_ROWS_OF_3, FN_ROWS_OF_4,
};

/* A split of rows into tiles: first `tall` tiles of `height` rows, then `flat` of height - 1. */
typedef struct { size_t height, tall, flat; } FN(division);

FN_INLINE FN(division) FN(divide_rows)(size_t rows, size_t most)
{
    if (rows <= most)
        return (FN(division)){rows, 1, 0};
    const uint32_t tiles = (uint32_t)(rows + most - 1) / (uint32_t)most; /* 64 bits are slow */
    const uint32_t height = (uint32_t)(rows + tiles - 1) / tiles;
    const size_t flat = (size_t)tiles * height - rows;
    return (FN(division)){height, tiles - flat, flat};
}

#define FN_GROUPS_OF_ROWS ((FN_TILE_ROWS + FN_LANES - 1) / FN_LANES)

/* Copy one tile's rows of A to packed [k][height], so that a_row is 1. If a_k is 1, squares are
 * transposed. Excess lanes are overwritten by the next store, or are stored after the end. */
static void FN(pack_tile)(size_t height, const FN(product) *p, const real *a, real *restrict packed)
{
    for (size_t k = 0; k < p->k; k += FN_LANES) {
        vec lanes[FN_GROUPS_OF_ROWS][FN_LANES];
        const size_t terms = p->k - k < FN_LANES ? p->k - k : FN_LANES;
        for (size_t g = 0; g * FN_LANES < height; g++)
            if (p->a_k == 1)
                FN(transpose_square)(height - g * FN_LANES, a + g * FN_LANES * p->a_row + k,
                                     p->a_row, lanes[g]);
            else
                for (size_t q = 0; q < terms; q++) {
                    lanes[g][q] = FN(load)(a + (k + q) * p->a_k + g * FN_LANES);
                    FN_PREFETCH(a + (k + q) * p->a_k, height + (g + 1) * FN_LANES - 1, 0, 2);
                }
        for (size_t q = 0; q < terms; q++, packed += height)
            for (size_t g = 0; g * FN_LANES < height; g++)
                FN(store)(packed + g * FN_LANES, lanes[g][q]);
    }
}

/* Elements of packed rows of `depth` terms, and of the excess lanes after the last tile. */
#define FN_PACKED_ROWS(rows, depth) ((rows) * (depth) + FN_TILE_ROWS + FN_LANES)

/* Prefetch a tile's share of the next panel: rows `from` to to - 1 of B, and the last cache lines
 * of the tile's rows of C. The tile itself prefetches the first cache lines. */
FN_INLINE void FN(prefetch_panel)(const FN(product) *p, size_t rows, size_t from, size_t to,
                                 size_t vectors)
{
    for (size_t k = from; k < to && k < p->k; k++)
        for (size_t v = vectors; v < 2 * vectors; v += FN_LINE_VECTORS) {
            const size_t row = p->b_rows ? p->b_rows[k] : k;
            FN_PREFETCH(p->b, row * p->b_stride + v * FN_LANES, 0, 2);
        }
    for (size_t r = 0; FN_LINE_VECTORS < vectors && r < rows; r++)
        FN_PREFETCH(p->c, (p->c_rows ? p->c_rows[r] : r) * p->c_stride
                              + (2 * vectors - 1) * FN_LANES, 1, 2);
}

/* Compute `tiles` tiles of one height from row `first` on. If `share` is not 0, each prefetches
 * `share` rows of B's next panel. */
FN_INLINE void FN(tiles_of)(size_t first, size_t tiles, size_t height, size_t vectors,
                            int packed, size_t share, const FN(product) *panel)
{
    if (tiles == 0)
        return;
    const size_t row = packed ? panel->k : panel->a_row;
    FN(product) part = {
        .k = panel->k, .a = panel->a + first * row, .a_row = packed ? 1 : panel->a_row,
        .a_k = packed ? height : panel->a_k, .b = panel->b, .b_stride = panel->b_stride,
        .b_rows = panel->b_rows, .c = panel->c + (panel->c_rows ? 0 : first * panel->c_stride),
        .c_stride = panel->c_stride, .c_rows = panel->c_rows ? panel->c_rows + first : NULL,
    };
    FN(tile_function) *tile = FN(tiles)[vectors - 1][height - 1];
    if (share == 0) {
        tile(&part, height * row, tiles);
        return;
    }
    for (size_t t = 0, k = first / height * share; t < tiles; t++, k += share) {
        FN(prefetch_panel)(&part, height, k, k + share, vectors);
        tile(&part, height * row, 1);
        part.a += height * row;
        part.c += part.c_rows ? 0 : height * part.c_stride;
        part.c_rows = part.c_rows ? part.c_rows + height : NULL;
    }
}

/* Returns the part of a product from a row, a term and a column on, with at most `depth` terms.
 * transposed: B[k][v] is b[v*b_stride + k]. The struct is built field by field, since the wide
 * loads of a copy would stall on the narrow stores that have just written the fields. */
FN_INLINE FN(product) FN(part_of)(const FN(product) *p, size_t row, size_t k, size_t column,
                                  size_t depth, const int transposed)
{
    const size_t along = transposed ? column : k, across = transposed ? k : column;
    return (FN(product)){
        .k = p->k - k < depth ? p->k - k : depth, .a = p->a + row * p->a_row + k * p->a_k,
        .a_row = p->a_row, .a_k = p->a_k,
        .b = p->b + (p->b_rows ? 0 : along * p->b_stride) + across,
        .b_stride = p->b_stride, .b_rows = p->b_rows ? p->b_rows + k : NULL,
        .c = p->c + (p->c_rows ? 0 : row * p->c_stride) + column, .c_stride = p->c_stride,
        .c_rows = p->c_rows ? p->c_rows + row : NULL,
    };
}

/* Compute at most FN_HEIGHT rows, with at most FN_DEPTH terms, from row `first` and term `k` on. */
static void FN(multiply_block)(size_t first, size_t rows, size_t k, size_t columns,
                               const FN(product) *whole, real *packed, size_t prefetch_terms)
{
    const size_t most = packed ? 2 : FN(widest)(rows);
    const int prefetches = whole->k > prefetch_terms;
    FN(product) part = FN(part_of)(whole, first, k, 0, FN_DEPTH, 0);
    FN(division) d;
    FN_ASSERT(rows <= FN_HEIGHT && part.k <= FN_DEPTH);
    if (packed) {
        d = FN(divide_rows)(rows, FN_TILE_ROWS);
        for (size_t t = 0, r = 0; t < d.tall + d.flat; t++) {
            const size_t height = t < d.tall ? d.height : d.height - 1;
            FN(pack_tile)(height, &part, part.a + r * part.a_row, packed + r * part.k);
            r += height;
        }
        part.a = packed;
    }
    for (size_t j = 0, vectors; j < columns; j += vectors * FN_LANES) {
        const size_t left = (columns - j + FN_LANES - 1) / FN_LANES;
        /* not fn_next_part, which divides: this takes a large part of a small product's time */
        vectors = left <= most ? left : left < 2 * most ? (left + 1) / 2 : most;
        if (!packed)
            d = FN(divide_rows)(rows, FN(tile_rows)[vectors - 1]);
        const size_t share = prefetches ? (part.k + d.tall + d.flat - 1) / (d.tall + d.flat) : 0;
        FN(tiles_of)(0, d.tall, d.height, vectors, packed != NULL, share, &part);
        FN(tiles_of)(d.tall * d.height, d.flat, d.height - 1, vectors, packed != NULL, share,
                     &part);
        part.b += vectors * FN_LANES;
        part.c += vectors * FN_LANES;
    }
}

/* Returns whether a product is one block of one panel. Then it is computed without part_of, which
 * takes as long as the arithmetic of a small product. */
FN_INLINE int FN(is_one_panel)(size_t rows, size_t vectors, size_t terms)
{
    return vectors <= FN(widest)(rows) && terms <= FN_DEPTH && rows <= FN_HEIGHT;
}

/* C[rows][columns] += A B, columns rounded up to whole vectors. rows, columns, k > 0; C must not
 * overlap with A or B. packed: NULL, or FN_PACKED_SIZE elements, to which A is copied; then one
 * vector after the last row of A must be readable. */
static void FN(multiply)(size_t rows, size_t columns, const FN(product) *whole, real *packed,
                         size_t prefetch_terms)
{
    FN_ASSERT(rows > 0 && columns > 0 && (whole->a_row == 1 || whole->a_k == 1));
    FN_ASSERT(whole->b_stride >= columns && whole->c_stride >= columns);
    const size_t vectors = (columns + FN_LANES - 1) / FN_LANES;
    if (FN(is_one_panel)(rows, vectors, whole->k)) {
        const FN(division) d = FN(divide_rows)(rows, FN(tile_rows)[vectors - 1]);
        FN(tiles)[vectors - 1][d.height - 1](whole, d.height * whole->a_row, d.tall);
        FN(tiles_of)(d.tall * d.height, d.flat, d.height - 1, vectors, 0, 0, whole);
        return;
    }
    const size_t blocks = (rows + FN_HEIGHT - 1) / FN_HEIGHT;
    for (size_t k = 0; k < whole->k; k += FN_DEPTH)
        for (size_t block = 0; block < blocks; block++) {
            const size_t first = fn_part(rows, 1, block, blocks);
            const size_t end = fn_part(rows, 1, block + 1, blocks);
            FN(multiply_block)(first, end - first, k, columns, whole, packed, prefetch_terms);
        }
}

#endif
