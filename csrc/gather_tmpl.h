/* From the user's examples to the first layer's operand.
 *
 * A column that is zero in all m examples adds nothing to z and nothing to the
 * update (0 * w for finite w), so only the others are gathered: x has n_columns
 * columns, and columns[c] says which input the c-th is. Of MNIST's 784 columns
 * 383 remain on average at m = 10. The bits are those of the dense product.
 */

/* The value of input j of a row; inlined with constant type. */
FN_INLINE real FN(input)(const fn_type type, const void *row, size_t j, double scale,
                         const real *table)
{
    switch (type) {
    case FN_U8: return table[((const uint8_t *)row)[j]];
    case FN_F32: return (real)(((const float *)row)[j] * scale);
    default: return (real)(((const double *)row)[j] * scale);
    }
}

FN_INLINE uint8_t FN(is_nonzero)(const fn_type type, const void *row, size_t j)
{
    switch (type) {
    case FN_U8: return ((const uint8_t *)row)[j];
    case FN_F32: return ((const float *)row)[j] != 0;
    default: return ((const double *)row)[j] != 0;
    }
}

/* rows[m] -> columns, x [m][x_stride]; returns n_columns. */
FN_INLINE size_t FN(gather_inputs_as)(const fn_type type, size_t m, size_t n_in,
                                      const void *const *rows, double scale, const real *table,
                                      uint32_t *columns, real *x, size_t x_stride)
{
    size_t n_columns = 0;
    for (size_t j0 = 0; j0 < n_in; j0 += 64) {
        const size_t width = n_in - j0 < 64 ? n_in - j0 : 64;
        uint8_t seen[64] = {0};
        if (width == 64) /* a constant length, so that it becomes vectors */
            for (size_t s = 0; s < m; s++)
                for (size_t j = 0; j < 64; j++)
                    seen[j] |= FN(is_nonzero)(type, rows[s], j0 + j);
        else
            for (size_t s = 0; s < m; s++)
                for (size_t j = 0; j < width; j++)
                    seen[j] |= FN(is_nonzero)(type, rows[s], j0 + j);
        for (size_t j = 0; j < width; j++) {
            columns[n_columns] = (uint32_t)(j0 + j);
            n_columns += seen[j] != 0;
        }
    }
    for (size_t s = 0; s < m; s++)
        for (size_t c = 0; c < n_columns; c++)
            x[s * x_stride + c] = FN(input)(type, rows[s], columns[c], scale, table);
    return n_columns;
}

/* y [m][stride]: labels become a one at their place, or, where one neuron
 * stands for two classes, the label itself. */
static void FN(gather_targets)(const fn_network *network, const fn_examples *examples,
                               const int64_t *order, size_t first, size_t m, real *y)
{
    const size_t n_out = network->sizes[network->layers];
    const size_t stride = fn_stride(n_out, sizeof(real));
    for (size_t s = 0; s < m; s++, y += stride) {
        const size_t at = order ? (size_t)order[first + s] : first + s;
        const char *row = (const char *)examples->targets + at * examples->targets_stride;
        if (examples->targets_type == FN_I64) {
            const int64_t label = *(const int64_t *)row;
            memset(y, 0, stride * sizeof(real));
            if (n_out == 1 && network->output != FN_SOFTMAX)
                y[0] = (real)label;
            else if (label >= 0 && (size_t)label < n_out)
                y[label] = 1;
        } else if (examples->targets_type == FN_F32) {
            for (size_t o = 0; o < n_out; o++)
                y[o] = (real)((const float *)row)[o];
        } else {
            for (size_t o = 0; o < n_out; o++)
                y[o] = (real)((const double *)row)[o];
        }
    }
}
