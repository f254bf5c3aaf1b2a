/* Computes large products, by tiles (gemm/tile.h) that read copies of both operands.
 *
 * Operands that together exceed the L2 cache are multiplied in blocks: FN_LARGE_DEPTH terms and
 * FN_LARGE_COLUMNS columns of B are copied, and stay in L2 for all rows of C, while a tile's rows
 * of A stay in L1 for all these columns. A tile prefetches B FN_TERMS_AHEAD terms ahead.
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_GEMM_LARGE_H
#define FASTNET_GEMM_LARGE_H

#include <stddef.h>

#include "core/check.h"
#include "gemm/tile.h"
#include "gemm/tile_sizes.h"
#include "gemm/transpose.h"
#include "simd/compiler.h"
#include "simd/vec.h"

#define FN_LARGE_DEPTH 256
#define FN_LARGE_COLUMNS ((512 << 10) / FN_LARGE_DEPTH / sizeof(real))

_Static_assert(FN_LARGE_COLUMNS % (2 * FN_LANES) == 0, "panels of two vectors");
_Static_assert(FN_HEIGHT % FN_TILE_ROWS == 0, "blocks of whole tiles");

/* Elements of the copy of A for packed tiles, and of the copies of A and B for large tiles. */
#define FN_PACKED_SIZE FN_PACKED_ROWS(FN_HEIGHT, FN_DEPTH)
#define FN_LARGE_SIZE \
    (FN_PACKED_ROWS(FN_TILE_ROWS, FN_LARGE_DEPTH) + FN_LARGE_DEPTH * FN_LARGE_COLUMNS)

/* A tile that reads copies A[k][mr] and B[k][nv vectors]. */
#define FN_COPIED_TILE(mr, nv)                                                              \
    static void FN(copied_tile_##mr##x##nv)(const FN(product) *p)                           \
    {                                                                                       \
        const fn_tile_form all = {.transposed = 1, .copied = 1};                            \
        const fn_tile_form lists_c = {.transposed = 1, .copied = 1, .lists_c = 1};          \
        if (p->c_rows)                                                                      \
            FN(tile)(mr, nv, lists_c, p, 0, 1);                                             \
        else                                                                                \
            FN(tile)(mr, nv, all, p, 0, 1);                                                 \
    }
#define FN_COPIED_TILE_ENTRY(mr, nv) FN(copied_tile_##mr##x##nv),

FN_EACH_TILE_OF(FN_TILE_ROWS, FN_COPIED_TILE, 1)
FN_EACH_TILE_2(FN_COPIED_TILE, 2)

static void (*const FN(copied_tiles)[2][FN_TILE_ROWS])(const FN(product) *) = {
    {FN_EACH_TILE_OF(FN_TILE_ROWS, FN_COPIED_TILE_ENTRY, 1)},
    {FN_EACH_TILE_2(FN_COPIED_TILE_ENTRY, 2)},
};

/* Copy B to panels of two vectors, each [k][2 vectors]; a last single vector to a panel [k].
 * transposed: B[k][v] is b[v*b_stride + k]; else B is read row by row, and the hardware prefetches
 * it. */
static void FN(pack_panels)(size_t columns, const FN(product) *p, const int transposed,
                            real *restrict packed)
{
    const size_t vectors = (columns + FN_LANES - 1) / FN_LANES, depth = p->k, wide = 2 * FN_LANES;
    for (size_t v = 0; transposed && v < vectors; v++) {
        real *to = packed + v / 2 * depth * wide + v % 2 * FN_LANES;
        const size_t step = v % 2 == 0 && v + 1 == vectors ? FN_LANES : wide;
        const real *from = p->b + v * FN_LANES * p->b_stride;
        for (size_t k = 0; k < depth; k += FN_LANES) {
            vec lanes[FN_LANES];
            FN(transpose_square)(columns - v * FN_LANES, from + k, p->b_stride, lanes);
FN_UNROLL(16)
            for (size_t q = 0; q < FN_LANES; q++)
                if (q < depth - k)
                    FN(store)(to + (k + q) * step, lanes[q]);
        }
    }
    for (size_t k = 0; !transposed && k < depth; k++) {
        const real *line = p->b + (p->b_rows ? p->b_rows[k] : k) * p->b_stride;
        real *to = packed;
        for (size_t v = 0; v + 2 <= vectors; v += 2, to += depth * wide, line += wide) {
            FN(store)(to + k * wide, FN(load)(line));
            FN(store)(to + k * wide + FN_LANES, FN(load)(line + FN_LANES));
        }
        if (vectors % 2)
            FN(store)(to + k * FN_LANES, FN(load)(line));
    }
}

/* C += A B for at most FN_LARGE_DEPTH terms and FN_LARGE_COLUMNS columns. transposed: see
 * pack_panels. */
static void FN(multiply_panels)(size_t rows, size_t columns, const FN(product) *part,
                                const int transposed, real *packed)
{
    const FN(division) d = FN(divide_rows)(rows, FN_TILE_ROWS);
    const size_t wide = 2 * FN_LANES;
    FN_ASSERT(columns <= FN_LARGE_COLUMNS && part->k <= FN_LARGE_DEPTH && packed);
    real *panels = packed + FN_PACKED_ROWS(FN_TILE_ROWS, FN_LARGE_DEPTH);
    FN(product) tile = *part;
    FN(pack_panels)(columns, part, transposed, panels);
    tile.a = packed;
    for (size_t t = 0, r = 0, height; r < rows; r += height, t++) {
        height = t < d.tall ? d.height : d.height - 1;
        FN(pack_tile)(height, part, part->a + r * part->a_row, packed);
        tile.c_rows = part->c_rows ? part->c_rows + r : NULL;
        for (size_t j = 0; j < columns; j += wide) {
            const size_t vectors = columns - j > FN_LANES ? 2 : 1;
            tile.b = panels + j * part->k;
            tile.c = part->c + (part->c_rows ? 0 : r * part->c_stride) + j;
            FN(copied_tiles)[vectors - 1][height - 1](&tile);
        }
    }
}

/* C += A B by tiles of copies of both. transposed: see pack_panels; packed: memory of FN_LARGE_SIZE
 * elements. */
static void FN(multiply_large)(size_t rows, size_t columns, const FN(product) *whole,
                               const int transposed, real *packed)
{
    for (size_t j = 0, n; j < columns; j += n) {
        n = columns - j < FN_LARGE_COLUMNS ? columns - j : FN_LARGE_COLUMNS;
        for (size_t k = 0; k < whole->k; k += FN_LARGE_DEPTH) {
            const FN(product) part = FN(part_of)(whole, 0, k, j, FN_LARGE_DEPTH, transposed);
            FN(multiply_panels)(rows, n, &part, transposed, packed);
        }
    }
}

#endif
