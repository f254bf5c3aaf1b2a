/* Activations: sigmoid and softmax; whether numbers are finite. */

/* sigma(z) = 1 / (1 + e^-z), with a real division. Below -88.37 (float32) or
 * -709.43 (float64) the result is 0, above the other end exactly 1. Largest errors
 * found: float32 2.49 ULP at -16.635704, float64 2.50 at -36.737086600263126. */
FN_INLINE vec FN(sigmoid_lanes)(vec z)
{
    return 1 / (1 + FN(exp_lanes)(-z));
}

static int FN(finite)(size_t n, const real *x)
{
    const integer exponent = (integer)(FN_BITS == 32 ? 0x7F800000 : 0x7FF0000000000000);
    integer found = 0; /* ones where an exponent is all ones */
    for (size_t i = 0; i < n; i++) {
        integer bits;
        memcpy(&bits, x + i, sizeof bits);
        found |= (bits & exponent) == exponent;
    }
    return !found;
}

static void FN(exp)(size_t n, const real *x, real *y)
{
    FN_MAP(FN(exp_lanes), n, x, y);
}

static void FN(sigmoid)(size_t n, const real *x, real *y)
{
    FN_MAP(FN(sigmoid_lanes), n, x, y);
}

#if FN_BITS == 64
static void FN(log)(size_t n, const real *x, real *y)
{
    FN_MAP(FN(log_lanes), n, x, y);
}
#endif

/* Row by row: subtract the maximum, so that no z overflows; the sum runs over
 * the outputs in ascending order whatever the vector width. */
static void FN(softmax)(size_t m, size_t n, const real *z, real *a)
{
    const size_t stride = fn_stride(n, sizeof(real));
    for (size_t s = 0; s < m; s++, z += stride, a += stride) {
        real largest = FN(bounded)(z[0]), sum = 0;
        for (size_t j = 1; j < n; j++)
            largest = FN(bounded)(z[j]) > largest ? FN(bounded)(z[j]) : largest;
        for (size_t j = 0; j < n; j++)
            a[j] = FN(bounded)(z[j]) - largest;
        FN(exp)(n, a, a);
        for (size_t j = 0; j < n; j++)
            sum += a[j];
        for (size_t j = 0; j < n; j++)
            a[j] /= sum;
    }
}
