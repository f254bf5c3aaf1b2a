/* From the user's examples to the first layer's operand.
 *
 * A column that is zero in all m examples adds nothing to z and nothing to the
 * update (0 * w for finite w), so only the others are gathered: x has n_columns
 * columns, and columns[c] says which input the c-th is. Of MNIST's 784 columns
 * 383 remain on average at m = 10. The bits are those of the dense product, up
 * to the sign of a zero.
 */
#define FN_RUN_OF_COLUMNS 16

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

/* seen[j] = whether input j0 + j is other than zero in any row, for a whole run
 * of columns: the bits of all rows are or-ed, a real's without its sign. In
 * vectors by hand, since gcc 12 turns the loops inside out. */
#define FN_SEEN(name, bits_type, shift)                                                        \
    FN_INLINE void FN(seen_##name)(size_t m, const void *const *rows, size_t j0, uint8_t *seen) \
    {                                                                                          \
        typedef bits_type run __attribute__((vector_size(FN_RUN_OF_COLUMNS * sizeof(bits_type)), \
                                             aligned(sizeof(bits_type)), may_alias));          \
        run all = {0};                                                                         \
        for (size_t s = 0; s < m; s++)                                                         \
            all |= *(const run *)((const bits_type *)rows[s] + j0) << shift;                   \
        for (size_t j = 0; j < FN_RUN_OF_COLUMNS; j++)                                         \
            seen[j] = all[j] != 0;                                                             \
    }
FN_SEEN(u8, uint8_t, 0)
FN_SEEN(f32, uint32_t, 1)
FN_SEEN(f64, uint64_t, 1)

/* The same for the last columns, fewer than a run. */
FN_INLINE void FN(seen_rest)(const fn_type type, size_t m, const void *const *rows, size_t j0,
                             size_t width, uint8_t *seen)
{
    memset(seen, 0, width);
    for (size_t s = 0; s < m; s++)
        for (size_t j = 0; j < width; j++)
            switch (type) {
            case FN_U8: seen[j] |= ((const uint8_t *)rows[s])[j0 + j] != 0; break;
            case FN_F32: seen[j] |= ((const float *)rows[s])[j0 + j] != 0; break;
            default: seen[j] |= ((const double *)rows[s])[j0 + j] != 0; break;
            }
}

/* rows[m] -> columns, x [m][n_in]; returns n_columns; where that is n_in, x holds
 * all inputs in order and columns is not to be used. */
FN_INLINE size_t FN(gather_inputs_as)(const fn_type type, size_t m, size_t n_in,
                                      const void *const *rows, double scale, const real *table,
                                      uint32_t *restrict columns, real *restrict x)
{
    const size_t stride = fn_stride(n_in, sizeof(real));
    size_t n_columns = 0;
    for (size_t j0 = 0; j0 < n_in; j0 += FN_RUN_OF_COLUMNS) {
        const size_t left = n_in - j0, width = left < FN_RUN_OF_COLUMNS ? left : FN_RUN_OF_COLUMNS;
        uint8_t seen[FN_RUN_OF_COLUMNS];
        if (width < FN_RUN_OF_COLUMNS)
            FN(seen_rest)(type, m, rows, j0, width, seen);
        else if (type == FN_U8)
            FN(seen_u8)(m, rows, j0, seen);
        else if (type == FN_F32)
            FN(seen_f32)(m, rows, j0, seen);
        else
            FN(seen_f64)(m, rows, j0, seen);
        for (size_t j = 0; j < width; j++) { /* no branch: which are zero is unpredictable */
            columns[n_columns] = (uint32_t)(j0 + j);
            n_columns += seen[j];
        }
    }
    if (8 * n_columns >= 7 * n_in) { /* hardly any zero: all columns, in vectors */
        for (size_t s = 0; s < m; s++)
            for (size_t j = 0; j < n_in; j++)
                x[s * stride + j] = FN(input)(type, rows[s], j, scale, table);
        return n_in;
    }
    for (size_t s = 0; s < m; s++)
        for (size_t c = 0; c < n_columns; c++)
            x[s * stride + c] = FN(input)(type, rows[s], columns[c], scale, table);
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
