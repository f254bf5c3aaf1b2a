/* Costs: the output error in the network's type, the value in double.
 *
 * The error is computed from the activations, since no pair divides by a(1 - a);
 * the value from the weighted inputs z, so that a saturated neuron gives neither
 * NaN nor a clipped value. Certain pairs of output layer and cost are meant;
 * fastnet/costs.py, which has their table, lets no other pass. */

/* dC/dz: for most pairs a - y (eqs. 66, 68, 84; Poisson with a = e^z); sigmoid neurons under the
 * quadratic cost keep sigma'(z) = a(1 - a) (eq. 65); the absolute cost has the sign of a - y, Huber's
 * a - y within [-1, 1]. What is not a number stays so. */
FN_INLINE vec FN(error_lanes)(const fn_activation output, const fn_cost cost, vec a, vec y)
{
    const vec r = a - y, one = FN(splat)(1);
    if (output == FN_SIGMOID && cost == FN_QUADRATIC)
        return r * (a * (1 - a));
    if (cost == FN_ABSOLUTE)
        return FN(select)(r > 0, one, FN(select)(r < 0, -one, r));
    if (cost == FN_HUBER)
        return FN(select)(r > 1, one, FN(select)(r < -1, -one, r));
    return r;
}

/* Inlined with constant output and cost. */
FN_INLINE void FN(error_as)(const fn_activation output, const fn_cost cost, size_t m, size_t n,
                            double factor, const double *weights, const real *a, const real *y,
                            real *delta)
{
    const size_t stride = fn_stride(n, sizeof(real));
    for (size_t s = 0; s < m; s++, a += stride, y += stride, delta += stride) {
        const vec times = FN(splat)((real)(weights ? factor * weights[s] : factor));
        if (weights && !(weights[s] > 0)) {
            memset(delta, 0, stride * sizeof(real));
            continue;
        }
        for (size_t o = 0; o < stride; o += FN_LANES) {
            const vec error = FN(error_lanes)(output, cost, FN(load)(a + o), FN(load)(y + o));
            FN(store)(delta + o, FN(first_lanes)(n > o ? n - o : 0, error * times));
        }
    }
}

/* Pads of delta are set to zero, so that the pads of the parameters stay zero; and rows
 * of weight 0, whatever their error is. */
static void FN(output_error)(fn_activation output, fn_cost cost, size_t m, size_t n, double factor,
                             const double *weights, const real *a, const real *y, real *delta)
{
    if (output == FN_SIGMOID && cost == FN_QUADRATIC)
        FN(error_as)(FN_SIGMOID, FN_QUADRATIC, m, n, factor, weights, a, y, delta);
    else if (cost == FN_ABSOLUTE)
        FN(error_as)(FN_LINEAR, FN_ABSOLUTE, m, n, factor, weights, a, y, delta);
    else if (cost == FN_HUBER)
        FN(error_as)(FN_LINEAR, FN_HUBER, m, n, factor, weights, a, y, delta);
    else
        FN(error_as)(FN_LINEAR, FN_QUADRATIC, m, n, factor, weights, a, y, delta);
}

/* Outputs are taken in runs of this many, as doubles. In what follows, each of the n outputs of
 * a run counts weights[j] times. */
#define FN_RUN 64

/* a*b + sum: FN_FMA for sums in order. Of these gcc -O3 makes the products in vectors first, and
 * then fuses none; so the fused instruction is named, where there is one. */
FN_INLINE double FN(add_product)(double a, double b, double sum)
{
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fma(a, b, sum);
#else
    return FN_FMA(a, b, sum);
#endif
}

/* C = sum max(z, 0) - y z + ln(1 + e^-|z|), which is eq. 63 with a = sigma(z). */
static double FN(cross_entropy)(size_t n, const double *z, const double *y, const double *weights)
{
    double t[FN_RUN], u[FN_RUN], ln_u[FN_RUN], sum = 0;
    if (n == 0)
        return 0;
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
        sum = FN(add_product)(weights[j], linear + log1p, sum);
    }
    return sum;
}

/* C = 1/2 sum (a - y)^2 (eq. 54) */
static double FN(quadratic)(fn_activation output, size_t n, const double *z, const double *y,
                            const double *weights)
{
    double a[FN_RUN], sum = 0;
    if (output == FN_SIGMOID)
        FN_F64(sigmoid)(n, z, a);
    else
        memcpy(a, z, n * sizeof *a);
    for (size_t j = 0; j < n; j++)
        sum = FN(add_product)(weights[j] * (a[j] - y[j]), a[j] - y[j], sum);
    return sum / 2;
}

/* C = sum |a - y| */
static double FN(absolute)(size_t n, const double *a, const double *y, const double *weights)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum = FN(add_product)(weights[j], __builtin_fabs(a[j] - y[j]), sum);
    return sum;
}

/* C = sum of r^2/2 for |r| <= 1, else |r| - 1/2, with r = a - y. */
static double FN(huber)(size_t n, const double *a, const double *y, const double *weights)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        const double r = __builtin_fabs(a[j] - y[j]);
        sum = FN(add_product)(weights[j], r > 1 ? r - 0.5 : r / 2 * r, sum);
    }
    return sum;
}

/* C = sum a - y z with a = e^z; infinite where a is, however large y z. */
static double FN(poisson)(size_t n, const double *z, const double *y, const double *weights)
{
    double a[FN_RUN], sum = 0;
    FN_F64(exp)(n, z, a);
    for (size_t j = 0; j < n; j++)
        sum = FN(add_product)(weights[j], a[j] > __DBL_MAX__ ? a[j] : FN_FMA(-y[j], z[j], a[j]), sum);
    return sum;
}

/* One run of outputs, where the cost is a sum over them. */
static double FN(cost_of_run)(fn_activation output, fn_cost cost, size_t n, const double *z,
                              const double *y, const double *weights)
{
    switch (cost) {
    case FN_CROSS_ENTROPY:
        return FN(cross_entropy)(n, z, y, weights);
    case FN_ABSOLUTE:
        return FN(absolute)(n, z, y, weights);
    case FN_HUBER:
        return FN(huber)(n, z, y, weights);
    case FN_POISSON:
        return FN(poisson)(n, z, y, weights);
    case FN_QUADRATIC: case FN_LOG_LIKELIHOOD: case FN_OTHER_COST:
        break;
    }
    return FN(quadratic)(output, n, z, y, weights);
}

/* n outputs of a square in doubles: to[j][s] = from[s][j], bounded, for m examples; 0 for more. */
static void FN(outputs_across)(size_t m, size_t n, const real *from, size_t stride,
                               double to[FN_LANES][FN_LANES])
{
    vec lanes[FN_LANES];
    FN(transpose_square)(m, from, stride, lanes);
    for (size_t j = 0; j < FN_LANES && j < n; j++) {
        real line[FN_LANES];
        FN(store)(line, FN(bounded_lanes)(lanes[j]));
        for (size_t s = 0; s < FN_LANES; s++)
            to[j][s] = line[s];
    }
}

/* total + C, C = -sum y ln a = sum y (ln sum_k e^(z_k - max) - (z - max)) (eq. 80), of as many
 * examples as a vector has lanes, at most. Outputs that fill one square are turned once. What
 * follows from a comparison is selected by its bits: a jump of each label would not be foreseen. */
static double FN(log_likelihood)(size_t m, size_t n, const double *weights, const real *z,
                                 const real *y, double total)
{
    const size_t stride = fn_stride(n, sizeof(real)), doubles = FN_VECTOR_BYTES / sizeof(double);
    double largest[FN_LANES], sums[FN_LANES] = {0}, costs[FN_LANES] = {0};
    double zs[FN_LANES][FN_LANES], others[FN_LANES][FN_LANES];
    for (size_t s = 0; s < FN_LANES; s++)
        largest[s] = -FN_LARGEST;
    for (size_t j = 0; j < n; j += FN_LANES) {
        FN(outputs_across)(m, n - j, z + j, stride, zs);
        for (size_t q = 0; q < FN_LANES && q < n - j; q++)
            for (size_t s = 0; s < FN_LANES; s += doubles) {
                const FN_F64(vec) z_s = FN_F64(load)(zs[q] + s), most = FN_F64(load)(largest + s);
                FN_F64(store)(largest + s, FN_F64(select)(z_s > most, z_s, most));
            }
    }
    for (size_t j = 0; j < n; j += FN_LANES) {
        const size_t run = n - j < FN_LANES ? n - j : FN_LANES;
        if (n > FN_LANES)
            FN(outputs_across)(m, run, z + j, stride, zs);
        for (size_t q = 0; q < run; q++)
            for (size_t s = 0; s < FN_LANES; s++)
                others[q][s] = zs[q][s] - largest[s];
        FN_F64(exp)(run * FN_LANES, others[0], others[0]);
        for (size_t q = 0; q < run; q++)
            for (size_t s = 0; s < FN_LANES; s++)
                sums[s] += others[q][s];
    }
    FN_F64(log)(FN_LANES, sums, sums);
    for (size_t j = 0; j < n; j += FN_LANES) {
        if (n > FN_LANES)
            FN(outputs_across)(m, n - j, z + j, stride, zs);
        FN(outputs_across)(m, n - j, y + j, stride, others);
        for (size_t q = 0; q < FN_LANES && q < n - j; q++)
            for (size_t s = 0; s < FN_LANES; s += doubles) {
                const FN_F64(vec) y_s = FN_F64(load)(others[q] + s), so_far = FN_F64(load)(costs + s);
                const FN_F64(vec) below = FN_F64(load)(zs[q] + s) - FN_F64(load)(largest + s);
                const FN_F64(vec) more = FN_FMA(y_s, FN_F64(load)(sums + s) - below, so_far);
                /* where a is 0, ln a is infinite */
                FN_F64(store)(costs + s, FN_F64(select)(y_s != 0, more, so_far));
            }
    }
    for (size_t s = 0; s < m; s++) {
        const double weight = weights ? weights[s] : 1;
        total = weight == 0 ? total : FN(add_product)(weight, costs[s], total);
    }
    return total;
}

/* Examples of weight 0 add nothing, be their cost infinite. As many examples as a run or a
 * vector holds are taken together: one by one, those of a single neuron take five times as
 * long. */
static double FN(cost_sum)(fn_activation output, fn_cost cost, size_t m, size_t n,
                           const double *weights, const real *z, const real *y)
{
    const size_t stride = fn_stride(n, sizeof(real));
    double total = 0, zd[FN_RUN], yd[FN_RUN], wd[FN_RUN];
    if (cost == FN_LOG_LIKELIHOOD) {
        for (size_t s = 0; s < m; s += FN_LANES)
            total = FN(log_likelihood)(m - s < FN_LANES ? m - s : FN_LANES, n,
                                       weights ? weights + s : NULL, z + s * stride, y + s * stride,
                                       total);
        return total;
    }
    size_t run = 0;
    for (size_t s = 0; s < m; s++, z += stride, y += stride) {
        const double weight = weights ? weights[s] : 1;
        for (size_t j = 0; j < n && weight != 0; j++) {
            zd[run] = FN(bounded)(z[j]);
            yd[run] = y[j];
            wd[run++] = weight;
            if (run == FN_RUN) {
                total += FN(cost_of_run)(output, cost, run, zd, yd, wd);
                run = 0;
            }
        }
    }
    return total + FN(cost_of_run)(output, cost, run, zd, yd, wd);
}
