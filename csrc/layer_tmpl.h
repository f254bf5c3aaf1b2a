/* A layer's three steps: weighted input, back-propagated error, update. The
 * forms with `columns` serve the first layer: of a's n_in columns the first
 * n_columns are filled, and column c stands for input columns[c]; NULL stands
 * for all n_in inputs. */

/* z[s] = b, pads zero. */
static void FN(start_from_biases)(size_t m, size_t n_out, const real *biases, real *z)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    memcpy(z, biases, n_out * sizeof(real));
    memset(z + n_out, 0, (stride - n_out) * sizeof(real));
    for (size_t s = 1; s < m; s++)
        memcpy(z + s * stride, z, stride * sizeof(real));
}

/* w = decay w, as w - (1 - decay) w: as a factor near one the decay would be rounded
 * to steps of 6e-8 in float32, which a small lmbda does not survive. */
static void FN(decay)(size_t n_in, size_t n_out, double decay, real *weights)
{
    const real lost = (real)(1 - decay);
    const size_t size = n_in * fn_stride(n_out, sizeof(real));
    if (lost != 0)
        for (size_t i = 0; i < size; i++)
            weights[i] = FN_FMA(-lost, weights[i], weights[i]);
}

/* b = b + sum_s delta[s] */
static void FN(update_biases)(size_t m, size_t n_out, const real *delta, real *restrict biases)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    for (size_t s = 0; s < m; s++)
        for (size_t o = 0; o < n_out; o++)
            biases[o] += delta[s * stride + o];
}

/* z[s] = b + sum_i a[s][i] w[i] (z^l = w^l a^(l-1) + b^l) */
static void FN(weighted_input_of)(size_t m, size_t n_in, size_t n_columns, const uint32_t *columns,
                                  size_t n_out, const real *a, const real *weights,
                                  const real *biases, real *restrict z)
{
    const size_t stride = fn_stride(n_out, sizeof(real)), a_row = fn_stride(n_in, sizeof(real));
    FN(start_from_biases)(m, n_out, biases, z);
    FN(multiply)(m, n_out, (FN(product)){.k = n_columns, .a = a, .a_row = a_row, .a_k = 1,
                                         .b = weights, .b_stride = stride, .b_rows = columns,
                                         .c = z, .c_stride = stride});
}

static void FN(weighted_input)(size_t m, size_t n_in, size_t n_out, const real *a,
                               const real *weights, const real *biases, real *z)
{
    FN(weighted_input_of)(m, n_in, n_in, NULL, n_out, a, weights, biases, z);
}

/* w[i] = decay w[i] + sum_s a[s][i] delta[s]; b = b + sum_s delta[s]. */
static void FN(update_of)(size_t m, size_t n_in, size_t n_columns, const uint32_t *columns,
                          size_t n_out, const real *a, const real *delta, double decay,
                          real *restrict weights, real *restrict biases)
{
    const size_t stride = fn_stride(n_out, sizeof(real)), a_row = fn_stride(n_in, sizeof(real));
    FN(decay)(n_in, n_out, decay, weights);
    FN(multiply)(n_columns, n_out, (FN(product)){.k = m, .a = a, .a_row = 1, .a_k = a_row,
                                                 .b = delta, .b_stride = stride, .c = weights,
                                                 .c_stride = stride, .c_rows = columns});
    FN(update_biases)(m, n_out, delta, biases);
}

static void FN(update)(size_t m, size_t n_in, size_t n_out, const real *a, const real *delta,
                       double decay, real *weights, real *biases)
{
    FN(update_of)(m, n_in, n_in, NULL, n_out, a, delta, decay, weights, biases);
}

/* to[j][i] = from[i][j], by squares that stay in the first cache. */
static void FN(transpose)(size_t rows, size_t columns, const real *from, size_t from_stride,
                          real *to, size_t to_stride)
{
    for (size_t i0 = 0; i0 < rows; i0 += 16)
        for (size_t j0 = 0; j0 < columns; j0 += 16)
            for (size_t j = j0; j < columns && j < j0 + 16; j++)
                for (size_t i = i0; i < rows && i < i0 + 16; i++)
                    to[j * to_stride + i] = from[i * from_stride + j];
}

/* In elements: delta and delta_below, each with the examples along its rows. */
static size_t FN(scratch_size)(size_t m, size_t n_in, size_t n_out)
{
    return (n_in + n_out) * fn_stride(m, sizeof(real));
}

/* delta_below[s][i] = (sum_o w[i][o] delta[s][o]) a[s][i] (1 - a[s][i]).
 * The sum runs along a row of w, so the vectors run over the examples: delta
 * is transposed, multiplied and the result transposed back. What the pads of
 * `turned` hold goes into the pads of `error` only. */
static void FN(backpropagate)(size_t m, size_t n_in, size_t n_out, const real *weights,
                              const real *delta, const real *a, real *restrict delta_below,
                              real *restrict scratch)
{
    const size_t stride = fn_stride(n_out, sizeof(real)), below = fn_stride(n_in, sizeof(real));
    const size_t across = fn_stride(m, sizeof(real));
    real *turned = scratch, *error = scratch + n_out * across;
    FN(transpose)(m, n_out, delta, stride, turned, across);
    memset(error, 0, n_in * across * sizeof(real));
    FN(multiply)(n_in, m, (FN(product)){.k = n_out, .a = weights, .a_row = stride, .a_k = 1,
                                        .b = turned, .b_stride = across, .c = error,
                                        .c_stride = across});
    FN(transpose)(n_in, m, error, across, delta_below, below);
    for (size_t s = 0; s < m; s++) {
        for (size_t i = 0; i < n_in; i++)
            delta_below[s * below + i] *= a[s * below + i] * (1 - a[s * below + i]);
        memset(delta_below + s * below + n_in, 0, (below - n_in) * sizeof(real));
    }
}
