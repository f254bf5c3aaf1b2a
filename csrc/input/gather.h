/* Copies dense rows of the user's examples to x, the first layer's operand.
 *
 * An input that is zero in all examples of a step adds nothing to z and nothing to the update
 * (0 * w for finite w), so only the other inputs are kept: a row of x then has n_kept elements, and
 * x[s][c] is the value of input kept[c]. The bits are those of the whole product, up to the sign of
 * a zero.
 *
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_INPUT_GATHER_H
#define FASTNET_INPUT_GATHER_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "fastnet.h"
#include "input/examples.h"
#include "simd/compiler.h"
#include "simd/vec.h"

/* Returns ones in each lane whose input j + lane is non-zero in any of the m rows of x. */
FN_INLINE ivec FN(any_nonzero)(size_t m, const real *x, size_t stride, size_t j)
{
    ivec any = {0};
    for (size_t s = 0; s < m; s++)
        any |= FN(load)(x + s * stride + j) != 0;
    return any;
}

/* Drop the inputs of x [m][stride] that are zero in all rows, if they and the pads of the last
 * vector are more than most_zeros. Returns the number of inputs kept, n_kept; if it is not n_in,
 * kept[c] is the index of the input that is now x[s][c]. The capacity of `kept` is n_in + FN_LANES.
 * The pads of x up to a whole vector must be zero, and may be overwritten. */
static size_t FN(drop_zero_inputs)(size_t m, size_t n_in, size_t stride, size_t most_zeros,
                                   uint32_t *restrict kept, real *x)
{
    ivec all = {0};
    size_t zeros = 0, n_kept = 0;
    for (size_t s = 0; s < m; s++)
        FN_ASSERT(fn_is_zero(x + s * stride + n_in, (size_t)(-n_in % FN_LANES) * sizeof(real)));
    for (size_t j = 0; j < n_in; j += FN_LANES) /* counts pads, too */
        all += ~FN(any_nonzero)(m, x, stride, j);
    for (size_t i = 0; i < FN_LANES; i++)
        zeros += (size_t)-all[i];
    if (zeros <= most_zeros)
        return n_in;
    for (size_t j = 0; j < n_in; j += FN_LANES) {
        const ivec any = FN(any_nonzero)(m, x, stride, j);
        if (!FN(any_lane)(any))
            continue;
#ifdef FN_EXPAND
        const unsigned bits = FN(bits_of)(any);
        FN(store_rows)(bits, (uint32_t)j, 1, kept + n_kept);
        for (real *row = x; row < x + m * stride; row += stride) /* overwrites what was read */
            FN(store)(row + n_kept, (vec)FN(pack)(bits, (ivec)FN(load)(row + j)));
        n_kept += (size_t)__builtin_popcount(bits);
#else
        for (size_t i = 0; i < FN_LANES && j + i < n_in; i++) { /* a branch would mispredict */
            kept[n_kept] = (uint32_t)(j + i);
            n_kept += (size_t)-any[i];
        }
#endif
    }
#ifndef FN_EXPAND
    for (size_t s = 0; s < m; s++)
        for (size_t c = 0; c < n_kept; c++)
            x[s * stride + c] = x[s * stride + kept[c]];
#endif
    return n_kept;
}

/* Copy one row of inputs to x, shifted as an image; pixels without a source become zero. */
static void FN(shift_image)(fn_shift by, size_t side, const fn_examples *examples, const char *row,
                            real *x)
{
    const ptrdiff_t n = (ptrdiff_t)side, down = by.down, right = by.right;
    const ptrdiff_t from = right > 0 ? right : 0, to = right > 0 ? n : n + right;
    memset(x, 0, side * side * sizeof(real));
    for (ptrdiff_t r = down > 0 ? down : 0; r < (down > 0 ? n : n + down); r++)
        FN(scale)(examples, (size_t)(to - from),
                  row + (size_t)((r - down) * n + from - right) * fn_bytes[examples->inputs_type],
                  x + r * n + from);
}

/* The rest of a long row is prefetched this many rows ahead. */
#define FN_ROWS_AHEAD 2

/* Copy the m dense rows from position `first` of the order on to x [m][stride], scaled and, if
 * training shifts images, shifted. The rows are scattered in memory; the beginning of each was
 * prefetched one mini-batch earlier (prefetch_example). */
static void FN(gather_inputs)(const fn_ordered_examples *from, size_t first, size_t m, real *x,
                              size_t stride)
{
    const fn_examples *examples = from->examples;
    const fn_training *training = from->training;
    const int64_t *order = from->order;
    const size_t n_in = from->network->sizes[0], bytes = n_in * fn_bytes[examples->inputs_type];
    const char *inputs = examples->inputs;
    FN(scaler) *scale = FN(scaler_of)(examples);
    size_t asked = order && bytes > FN_PREFETCHED_OF_ROW ? 0 : m;
    for (size_t s = 0; s < m; s++, x += stride) {
        for (; asked < m && asked <= s + FN_ROWS_AHEAD; asked++) {
            const char *soon = inputs + (size_t)order[first + asked] * examples->inputs_stride;
            FN(prefetch)(soon + FN_PREFETCHED_OF_ROW, bytes - FN_PREFETCHED_OF_ROW);
        }
        const char *row = inputs + FN(example)(order, first + s) * examples->inputs_stride;
        if (training && training->shift)
            FN(shift_image)(fn_shift_of(from->network, training, first + s), training->side,
                            examples, row, x);
        else
            scale(n_in, row, examples, x);
    }
}

#endif
