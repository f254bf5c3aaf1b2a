/* Rows as columns, a square of vectors at a time. */

/* lanes[j][i] becomes lanes[i][j]. */
FN_INLINE void FN(turn)(vec lanes[FN_LANES])
{
FN_UNROLL(4)
    for (size_t round = 1; round < FN_LANES; round *= 2) { /* each turns the indices by one bit */
        vec turned[FN_LANES];
FN_UNROLL(8)
        for (size_t i = 0; i < FN_LANES / 2; i++) {
            turned[2 * i] = FN(interleave_lower)(lanes[i], lanes[i + FN_LANES / 2]);
            turned[2 * i + 1] = FN(interleave_upper)(lanes[i], lanes[i + FN_LANES / 2]);
        }
FN_UNROLL(16)
        for (size_t i = 0; i < FN_LANES; i++)
            lanes[i] = turned[i];
    }
}

/* lanes[j][i] = from[i][j] for i < rows, zero for the others: a square of FN_LANES. */
FN_INLINE void FN(transpose_square)(size_t rows, const real *from, size_t stride,
                                    vec lanes[FN_LANES])
{
FN_UNROLL(16)
    for (size_t i = 0; i < FN_LANES; i++)
        lanes[i] = i < rows ? FN(load)(from + i * stride) : (vec){0};
    FN(turn)(lanes);
}

/* to[j][i] = from[i][j]; pads of from and to are read and written. */
static void FN(transpose)(size_t rows, size_t columns, const real *from, size_t from_stride,
                          real *restrict to, size_t to_stride)
{
    for (size_t i = 0; i < rows; i += FN_LANES)
        for (size_t j = 0; j < columns; j += FN_LANES) {
            vec lanes[FN_LANES];
            FN(transpose_square)(rows - i, from + i * from_stride + j, from_stride, lanes);
FN_UNROLL(16)
            for (size_t q = 0; q < FN_LANES; q++)
                if (q < columns - j)
                    FN(store)(to + (j + q) * to_stride + i, lanes[q]);
        }
}
