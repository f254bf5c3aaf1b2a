/* A layer's three steps: weighted input, back-propagated error, update. The
 * forms with `columns` serve the first layer: of a's n_in columns the first
 * n_columns are filled, and column c stands for input columns[c]; NULL stands
 * for all n_in inputs.
 *
 * All weights are input-major. A small output layer as [n_out][n_in] would save the
 * transpositions of backpropagate and of narrow updates and need some in the forward step. */

/* Row stride of activations that tiles read as A: 16 bytes more than whole cache lines, so
 * that one term of all rows of a tile lies in different banks of the first cache. A 5 x 2
 * tile makes 93 GFLOP/s so, and 62 with whole lines (AVX2, Zen 3). */
FN_INLINE size_t FN(a_stride)(size_t n) { return fn_stride(n, sizeof(real)) + 16 / sizeof(real); }

/* z[s] = times b, pads among them. */
static void FN(start_from_biases)(size_t m, size_t n_out, const real *biases, real times,
                                  real *restrict z, size_t z_stride)
{
    for (size_t o = 0; o < fn_lines(n_out, sizeof(real)); o += FN_LANES) {
        const vec start = FN(load)(biases + o) * times;
        for (size_t s = 0; s < m; s++)
            FN(store)(z + s * z_stride + o, start);
    }
}

/* b = b + times sum_s delta[s] */
static void FN(update_biases)(size_t m, size_t n_out, size_t stride, const real *delta, real times,
                              real *restrict biases)
{
    for (size_t o = 0; o < n_out; o += FN_LANES) {
        vec sum = FN(load)(biases + o);
        for (size_t s = 0; s < m; s++)
            sum = FN_FMA(FN(splat)(times), FN(load)(delta + s * stride + o), sum);
        FN(store)(biases + o, sum);
    }
}

/* c[s] = times b + sum_i a[s][i] w[i] (z^l = w^l a^(l-1) + b^l) for m rows and n_out columns of the
 * product; packed: where the layer is large, room for packed_size elements */
FN_INLINE void FN(weighted_input_of)(size_t m, size_t n_out, FN(product) z, const real *biases,
                                     real times, const int large, real *packed)
{
    if (FN(is_narrow_ahead)(n_out) && !z.b_rows) {
        const size_t s = FN(weighted_input_narrow)(m, n_out, &z, biases, times);
        z.a += s * z.a_row, z.c += s * z.c_stride, m -= s;
    }
    FN(start_from_biases)(m, n_out, biases, times, z.c, z.c_stride);
    if (m == 0)
        return;
    if (large)
        FN(multiply_large)(m, n_out, &z, 0, packed);
    else
        FN(multiply)(m, n_out, &z, NULL);
}

/* w[i] += sum_s a[s][i] delta[s]; packed: room for packed_size elements; a is readable a vector
 * behind its last row */
static void FN(update_of)(size_t m, size_t n_columns, const uint32_t *columns, size_t n_out,
                          const real *a, size_t a_stride, const real *delta,
                          real *restrict weights, const int large, real *packed)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    const FN(product) whole = {.k = m, .a = a, .a_row = 1, .a_k = a_stride, .b = delta,
                               .b_stride = stride, .c = weights, .c_stride = stride,
                               .c_rows = columns};
    if (FN(is_narrow_update)(m, n_out) && !columns)
        FN(update_narrow)(m, n_columns, n_out, a, a_stride, delta, stride, weights);
    else if (large)
        FN(multiply_large)(n_columns, n_out, &whole, 0, packed);
    else
        FN(multiply)(n_columns, n_out, &whole, packed);
}

/* What update_of does of a whole layer. */
static int FN(tiling)(size_t m, size_t n_in, size_t n_out)
{
    if (FN(is_narrow_update)(m, n_out))
        return FN_NARROW_UPDATE;
    if (FN(is_large)(m, n_in, n_out))
        return FN_LARGE_TILES;
    return FN(is_packed)(n_out, m) ? FN_PACKED_TILES : FN_TILES;
}

FN_INLINE vec FN(slope_at)(const fn_activation neurons, const real *a, const real *delta)
{
    return a ? FN(slope_from_activation)(neurons, FN(load)(a)) : FN(load)(delta);
}

/* delta_below[s][i] = error[s][i] f'(z[s][i]), the slope from the activation or, where a is
 * NULL, from delta_below itself; turned: error[i][s]. Inlined with constant neurons and turned. */
FN_INLINE void FN(activation_backward_as)(const fn_activation neurons, const int turned, size_t m,
                                   size_t n_in, const real *error, size_t stride, const real *a,
                                   size_t a_stride, real *delta_below, size_t below)
{
    if (!turned) {
        for (size_t s = 0; s < m; s++)
            for (size_t i = 0; i < n_in; i += FN_LANES) {
                real *delta = delta_below + s * below + i;
                const vec slope = FN(slope_at)(neurons, a ? a + s * a_stride + i : NULL, delta);
                FN(store)(delta, FN(first_lanes)(n_in - i, FN(load)(error + s * stride + i) * slope));
            }
        return;
    }
    for (size_t i = 0; i < n_in; i += FN_LANES)
        for (size_t s = 0; s < m; s += FN_LANES) {
            vec lanes[FN_LANES];
            FN(transpose_square)(n_in - i, error + i * stride + s, stride, lanes);
FN_UNROLL(16)
            for (size_t q = 0; q < FN_LANES; q++)
                if (q < m - s) {
                    const real *own = a ? a + (s + q) * a_stride + i : NULL;
                    real *delta = delta_below + (s + q) * below + i;
                    const vec slope = FN(slope_at)(neurons, own, delta);
                    FN(store)(delta, FN(first_lanes)(n_in - i, lanes[q] * slope));
                    /* rows are far apart where they are long */
                    __builtin_prefetch(delta + FN_LANES, 1, 2);
                    if (a)
                        __builtin_prefetch(own + FN_LANES, 0, 2);
                }
        }
}

static void FN(activation_backward)(fn_activation neurons, const int turned, size_t m, size_t n_in,
                        const real *error, size_t stride, const real *a, size_t a_stride,
                        real *delta_below, size_t below)
{
#define FN_BACKWARD(neurons, a)                                                                   \
    if (turned)                                                                                  \
        FN(activation_backward_as)(neurons, 1, m, n_in, error, stride, a, a_stride, delta_below, below); \
    else                                                                                         \
        FN(activation_backward_as)(neurons, 0, m, n_in, error, stride, a, a_stride, delta_below, below)
#define FN_BACK_FROM_ACTIVATION(kind) FN_BACKWARD(kind, a)
#define FN_BACK_KEPT(kind) FN_NOT_REACHED()
#define FN_BACK_NO_SLOPE(kind) FN_NOT_REACHED()
#define FN_BACK_OF_LAYER(kind) FN_NOT_REACHED()
#define ACTIVATION(NAME, op, name, role, slope) \
        case FN_##NAME: FN_BACK_##slope(FN_##NAME); break;
    if (!a) {
        FN_BACKWARD(FN_SIGMOID, NULL); /* of any kind: its slopes are there */
    } else {
        switch (neurons) {
#include "activations.def"
        }
    }
#undef ACTIVATION
#undef FN_BACK_FROM_ACTIVATION
#undef FN_BACK_KEPT
#undef FN_BACK_NO_SLOPE
#undef FN_BACK_OF_LAYER
#undef FN_BACKWARD
    const size_t from = (n_in + FN_LANES - 1) / FN_LANES * FN_LANES, to = fn_lines(n_in, sizeof(real));
    for (size_t s = 0; s < m && from < to; s++)
        for (size_t i = from; i < to; i += FN_LANES)
            FN(store)(delta_below + s * below + i, (vec){0});
}

/* Errors of m examples are taken back with the vectors over the inputs where the examples would
 * fill so few lanes of their vectors, or the outputs fill no more than one vector. An epoch over one
 * the other way, [784, 100, 100, 100, 10],
 *   AVX-512, Zen 4, m = 10, 12, 16, 20, 24, 32: 0.95, 0.99, 1.03, 0.94, 0.98, 1.03; [784, 30, 10]
 *     and [784, 100, 10], m = 10: 0.96, 0.97; float64, [784, 100, 100, 10], m = 10 and 16: 0.98, 1.03
 *   AVX-512, Cascade Lake, m = 1, 4 and 8: 0.66, 0.85, 0.99, of [784, 30, 10] 0.84, 0.93, 0.98, in
 *     float64 with 8 1.03, m = 10 0.98 to 1.10
 *   AVX2, there, m = 1, 2 and 4: 0.92, 1.00, 1.05, of [784, 30, 10] 0.91, 0.94, 0.98; Zen 4, m = 4
 *     and 10: 1.01, 1.01
 *   few outputs, Zen 4, [64, 100, n], m = 64: AVX-512, 2 to 16 outputs 0.97 to 0.98, 32 and 64 1.00
 *     and 1.01, AVX2, 2 to 8 0.99 to 1.01, 16 to 64 1.01 to 1.07; float64 0.98 with both */
FN_INLINE int FN(turns_weights)(size_t m, size_t n_out)
{
    const size_t lanes = (m + FN_LANES - 1) / FN_LANES * FN_LANES;
    const size_t eighths = FN_VECTOR_BYTES < 64 ? 2 : fn_cpu_halves_avx512() ? 5 : 4;
    return n_out <= FN_LANES || 8 * m <= eighths * lanes;
}

/* Whether errors of m examples are taken back as large products, and for how many at once. */
FN_INLINE int FN(is_large_back)(size_t m, size_t n_in, size_t n_out)
{
    return FN(is_large)(n_in, m < FN_LARGE_BACK ? m : FN_LARGE_BACK, n_out);
}

FN_INLINE size_t FN(back)(size_t m, int large)
{
    const size_t most = large ? FN_LARGE_BACK : FN_BACK;
    return m < most ? m : most;
}

/* In elements: what backpropagate_some keeps of delta and delta_below, and copies. */
static size_t FN(scratch_size)(size_t m, size_t n_in, size_t n_out)
{
    const size_t most = FN(back)(m, FN(is_large_back)(m, n_in, n_out));
    const size_t across = fn_stride(most, sizeof(real));
    const size_t few = most * fn_stride(n_in, sizeof(real));
    const size_t many = (n_in + n_out) * across + FN(packed_size)(n_in, most, n_out);
    return few > many ? few : many;
}

/* error[s][i] = sum_o w[i][o] delta[s][o], a square of w at a time, turned in registers. */
static void FN(multiply_turned)(size_t m, size_t n_in, size_t n_out, const real *weights,
                                const real *delta, size_t stride, real *restrict error, size_t row)
{
    for (size_t i = 0; i < n_in; i += FN_LANES)
        for (size_t o = 0; o < n_out; o += FN_LANES) {
            vec lanes[FN_LANES];
            FN(transpose_square)(n_in - i, weights + i * stride + o, stride, lanes);
            for (size_t s = 0; s < m; s++) {
                const real *left = delta + s * stride + o;
                vec sum = o ? FN(load)(error + s * row + i) : (vec){0};
FN_UNROLL(16)
                for (size_t q = 0; q < FN_LANES; q++)
                    if (q < n_out - o)
                        sum = FN_FMA(FN(splat)(left[q]), lanes[q], sum);
                FN(store)(error + s * row + i, sum);
            }
        }
}

/* delta_below[s][i] = (sum_o w[i][o] delta[s][o]) f'(z[s][i]), see activation_backward.
 * The sum runs along a row of w. So the vectors run over the examples: delta is transposed,
 * multiplied and the result transposed back. What the pads of `columns` hold goes into the pads
 * of `error` only. Or w is transposed: see turns_weights, and where it is copied anyhow.
 * below: the stride of delta_below, of which n_in columns may be a part of the layer. */
static void FN(backpropagate_some)(fn_activation neurons, size_t m, size_t n_in, size_t n_out,
                                   const real *weights, const real *delta, const real *a,
                                   size_t a_stride, real *restrict delta_below, size_t below,
                                   const int large, real *restrict scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real)), across = fn_stride(m, sizeof(real));
    real *columns = scratch, *error = columns + n_out * across, *packed = error + n_in * across;
    if (large || FN(turns_weights)(m, n_out)) {
        const size_t row = fn_stride(n_in, sizeof(real));
        error = scratch; /* [m][row]; in large layers n_out is more than row - n_in */
        if (large) {
            memset(error, 0, m * row * sizeof(real));
            FN(multiply_large)(m, n_in, &(FN(product)){.k = n_out, .a = delta, .a_row = stride,
                                                       .a_k = 1, .b = weights, .b_stride = stride,
                                                       .c = error, .c_stride = row}, 1, packed);
        } else {
            FN(multiply_turned)(m, n_in, n_out, weights, delta, stride, error, row);
        }
        FN(activation_backward)(neurons, 0, m, n_in, error, row, a, a_stride, delta_below, below);
        return;
    }
    FN(transpose)(m, n_out, delta, stride, columns, across);
    memset(error, 0, n_in * across * sizeof(real));
    FN(multiply)(n_in, m, &(FN(product)){.k = n_out, .a = weights, .a_row = stride, .a_k = 1,
                                         .b = columns, .b_stride = across, .c = error,
                                         .c_stride = across}, packed);
    FN(activation_backward)(neurons, 1, m, n_in, error, across, a, a_stride, delta_below, below);
}

static void FN(backpropagate_of)(fn_activation neurons, size_t m, size_t n_in, size_t n_out,
                                 const real *weights, const real *delta, const real *a,
                                 size_t a_stride, real *delta_below, size_t below,
                                 const int large, real *scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real)), most = FN(back)(m, large);
    for (size_t s = 0; s < m; s += most)
        FN(backpropagate_some)(neurons, m - s < most ? m - s : most, n_in, n_out, weights,
                               delta + s * stride, a ? a + s * a_stride : NULL, a_stride,
                               delta_below + s * below, below, large, scratch);
}

/* The steps as kernels of their own, for tests and measurements. */

static void FN(weighted_input)(size_t m, size_t n_in, size_t n_out, const real *a,
                               const real *weights, const real *biases, real *z)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    const FN(product) whole = {.k = n_in, .a = a, .a_row = fn_stride(n_in, sizeof(real)), .a_k = 1,
                               .b = weights, .b_stride = stride, .c = z, .c_stride = stride};
    FN(weighted_input_of)(m, n_out, whole, biases, 1, 0, NULL);
}

static void FN(backpropagate)(fn_activation neurons, size_t m, size_t n_in, size_t n_out,
                              const real *weights, const real *delta, const real *a,
                              real *delta_below, real *scratch)
{
    const size_t below = fn_stride(n_in, sizeof(real));
    FN(backpropagate_of)(neurons, m, n_in, n_out, weights, delta, a, below, delta_below, below,
                         FN(is_large_back)(m, n_in, n_out), scratch);
}

static void FN(update)(size_t m, size_t n_in, size_t n_out, const real *a, const real *delta,
                       double l2, double l1, real *weights, real *biases)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    FN(decay)(n_in, n_out, stride, (real)l2, (real)l1, weights);
    FN(update_of)(m, n_in, NULL, n_out, a, fn_stride(n_in, sizeof(real)), delta, weights, 0,
                  NULL);
    FN(update_biases)(m, n_out, stride, delta, 1, biases);
}
