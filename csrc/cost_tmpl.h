/* Costs: the output error in the network's type, the value in double.
 *
 * The error is computed from the activations, since no pair divides by a(1 - a);
 * the value from the weighted inputs z, so that a saturated neuron gives neither
 * NaN nor a clipped value. Certain pairs of output layer and cost are meant;
 * fastnet/costs.py, which has their table, lets no other pass. */

/* n elements of delta = times * dC/dz. For most pairs dC/dz is a - y (eqs. 66, 68, 84;
 * Poisson with a = e^z); sigmoid neurons under the quadratic cost keep sigma'(z) = a(1 - a)
 * (eq. 65); the absolute cost has the sign of a - y, Huber's a - y within [-1, 1].
 * What is not a number stays so. */
static void FN(error)(fn_activation output, fn_cost cost, size_t n, real times, const real *a,
                      const real *y, real *restrict delta)
{
    if (output == FN_SIGMOID && cost == FN_QUADRATIC)
        for (size_t i = 0; i < n; i++)
            delta[i] = (a[i] - y[i]) * (a[i] * (1 - a[i])) * times;
    else if (cost == FN_ABSOLUTE)
        for (size_t i = 0; i < n; i++) {
            const real r = a[i] - y[i];
            delta[i] = (r > 0 ? 1 : r < 0 ? -1 : r) * times;
        }
    else if (cost == FN_HUBER)
        for (size_t i = 0; i < n; i++) {
            const real r = a[i] - y[i];
            delta[i] = (r > 1 ? 1 : r < -1 ? -1 : r) * times;
        }
    else
        for (size_t i = 0; i < n; i++)
            delta[i] = (a[i] - y[i]) * times;
}

/* Pads of delta are set to zero, so that the pads of the parameters stay zero; and rows
 * of weight 0, whatever their error is. */
static void FN(output_error)(fn_activation output, fn_cost cost, size_t m, size_t n, double factor,
                             const double *weights, const real *a, const real *y, real *delta)
{
    const size_t stride = fn_stride(n, sizeof(real));
    if (!weights)
        FN(error)(output, cost, m * stride, (real)factor, a, y, delta);
    for (size_t s = 0; s < m; s++) {
        const size_t row = s * stride, used = !weights || weights[s] > 0 ? n : 0;
        if (weights)
            FN(error)(output, cost, used, (real)(factor * weights[s]), a + row, y + row, delta + row);
        memset(delta + row + used, 0, (stride - used) * sizeof(real));
    }
}

/* One layer's outputs are taken in runs of this many, as doubles. */
#define FN_RUN 64

/* C = sum max(z, 0) - y z + ln(1 + e^-|z|), which is eq. 63 with a = sigma(z). */
static double FN(cross_entropy)(size_t n, const double *z, const double *y)
{
    double t[FN_RUN], u[FN_RUN], ln_u[FN_RUN], sum = 0;
    for (size_t j = 0; j < n; j++)
        t[j] = -__builtin_fabs(z[j]);
    FN_F64(exp)(n, t, t);
    for (size_t j = 0; j < n; j++)
        u[j] = 1 + t[j];
    FN_F64(log)(n, u, ln_u);
    for (size_t j = 0; j < n; j++) {
        double log1p = ln_u[j] + (t[j] - (u[j] - 1)) / u[j]; /* restores what 1 + t rounded off */
        double linear = z[j] > 0 ? z[j] : 0;
        linear = FN_FMA(-y[j], z[j], linear);
        sum += linear + log1p;
    }
    return sum;
}

/* C = 1/2 sum (a - y)^2 (eq. 54) */
static double FN(quadratic)(fn_activation output, size_t n, const double *z, const double *y)
{
    double a[FN_RUN], sum = 0;
    if (output == FN_SIGMOID)
        FN_F64(sigmoid)(n, z, a);
    else
        memcpy(a, z, n * sizeof *a);
    for (size_t j = 0; j < n; j++)
        sum = FN_FMA(a[j] - y[j], a[j] - y[j], sum);
    return sum / 2;
}

/* C = sum |a - y| */
static double FN(absolute)(size_t n, const double *a, const double *y)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += __builtin_fabs(a[j] - y[j]);
    return sum;
}

/* C = sum of r^2/2 for |r| <= 1, else |r| - 1/2, with r = a - y. */
static double FN(huber)(size_t n, const double *a, const double *y)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        const double r = __builtin_fabs(a[j] - y[j]);
        sum = r > 1 ? sum + (r - 0.5) : FN_FMA(r / 2, r, sum);
    }
    return sum;
}

/* C = sum a - y z with a = e^z; infinite where a is, however large y z. */
static double FN(poisson)(size_t n, const double *z, const double *y)
{
    double a[FN_RUN], sum = 0;
    FN_F64(exp)(n, z, a);
    for (size_t j = 0; j < n; j++)
        sum += a[j] > __DBL_MAX__ ? a[j] : FN_FMA(-y[j], z[j], a[j]);
    return sum;
}

/* The part of the cost of one run of outputs, where the cost is a sum over them. */
static double FN(cost_of_run)(fn_activation output, fn_cost cost, size_t n, const double *z,
                              const double *y)
{
    switch (cost) {
    case FN_CROSS_ENTROPY:
        return FN(cross_entropy)(n, z, y);
    case FN_ABSOLUTE:
        return FN(absolute)(n, z, y);
    case FN_HUBER:
        return FN(huber)(n, z, y);
    case FN_POISSON:
        return FN(poisson)(n, z, y);
    default:
        return FN(quadratic)(output, n, z, y);
    }
}

/* C = -sum y ln a = sum y (ln sum_k e^(z_k - max) - (z - max)) (eq. 80) */
static double FN(log_likelihood)(size_t n, const real *z, const real *y)
{
    double largest = FN(bounded)(z[0]), sum = 0, cost = 0, e[FN_RUN];
    for (size_t j = 1; j < n; j++)
        largest = FN(bounded)(z[j]) > largest ? FN(bounded)(z[j]) : largest;
    for (size_t j0 = 0; j0 < n; j0 += FN_RUN) {
        size_t run = n - j0 < FN_RUN ? n - j0 : FN_RUN;
        for (size_t j = 0; j < run; j++)
            e[j] = FN(bounded)(z[j0 + j]) - largest;
        FN_F64(exp)(run, e, e);
        for (size_t j = 0; j < run; j++)
            sum += e[j];
    }
    FN_F64(log)(1, &sum, &sum);
    for (size_t j = 0; j < n; j++)
        if (y[j] != 0)
            cost = FN_FMA((double)y[j], sum - (FN(bounded)(z[j]) - largest), cost);
    return cost;
}

/* Examples of weight 0 add nothing, be their cost infinite. */
static double FN(cost_sum)(fn_activation output, fn_cost cost, size_t m, size_t n,
                           const double *weights, const real *z, const real *y)
{
    const size_t stride = fn_stride(n, sizeof(real));
    double total = 0, zd[FN_RUN], yd[FN_RUN];
    for (size_t s = 0; s < m; s++, z += stride, y += stride) {
        const double weight = weights ? weights[s] : 1;
        if (weight == 0)
            continue;
        if (cost == FN_LOG_LIKELIHOOD) {
            total = FN_FMA(weight, FN(log_likelihood)(n, z, y), total);
            continue;
        }
        for (size_t j0 = 0; j0 < n; j0 += FN_RUN) {
            size_t run = n - j0 < FN_RUN ? n - j0 : FN_RUN;
            for (size_t j = 0; j < run; j++) {
                zd[j] = FN(bounded)(z[j0 + j]);
                yd[j] = y[j0 + j];
            }
            total = FN_FMA(weight, FN(cost_of_run)(output, cost, run, zd, yd), total);
        }
    }
    return total;
}
