/* What moves the parameters beside the rank-m update: weight decay, the pull of L1, and the
 * optimizers, which need the gradient in an array.
 *
 * Decay of the first layer need not pass over all its weights at each mini-batch, most of
 * which belong to inputs that are zero: it is put off. What is stored is V, and W = s V,
 * where s is the product of the factors 1 - eta l2 of the mini-batches so far. So a row that
 * k mini-batches left alone is multiplied by their k factors when the next one needs it, in
 *     z = s (b / s + sum_i x_i V_i),    V = V - (eta/m) sum x delta / s',   s' = s (1 - eta l2),
 * and all of them are at the end of the call, or when s is small. s is kept in double, and is
 * the same number in every way, thread and instruction set.
 *
 * Tried ([784, 100, 10], m = 10, MNIST, AVX2, Zen 3; an epoch without decay is 1, and with
 * decay put off 1.03 to 1.04):
 *   all rows at each mini-batch                                               1.4 to 1.5
 *   rows marked where they are used, caught up factor by factor before that   1.6 */

/* w = w - lost w, as this and not as a factor near one: that would be rounded to steps of
 * 6e-8 in float32, which a small lmbda does not survive. pull is drawn off towards zero. */
FN_INLINE vec FN(shrunk)(vec w, real lost, real pull)
{
    const vec kept = FN_FMA(FN(splat)(-lost), w, w);
    if (pull == 0)
        return kept;
    const vec above = FN(select)(w > 0, FN(splat)(pull), (vec){0});
    return kept - FN(select)(w < 0, FN(splat)(-pull), above);
}

/* Rows of weights, n_out elements of each. */
static void FN(decay)(size_t rows, size_t n_out, size_t stride, real lost, real pull, real *weights)
{
    if (lost == 0 && pull == 0)
        return;
    for (size_t i = 0; i < rows; i++) {
        real *row = weights + i * stride;
        for (size_t o = 0; o < n_out; o += FN_LANES)
            FN(store)(row + o, FN(shrunk)(FN(load)(row + o), lost, pull));
    }
}

/* s is not put off further below this; and a decay of this share at once is not put off. */
#define FN_LEAST_SCALE 0x1p-10
#define FN_MOST_DECAY 0.5

/* W = s V. */
static void FN(settle)(size_t rows, size_t n_out, size_t stride, real s, real *weights)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t o = 0; o < n_out; o += FN_LANES) {
            real *w = weights + i * stride + o;
            FN(store)(w, FN(load)(w) * s);
        }
}

/* beta^n by squaring: products only, so that every instruction set gives the same bits. */
static double FN(power)(double beta, uint64_t n)
{
    double result = 1;
    for (; n > 0; n /= 2, beta *= beta)
        result *= n % 2 ? beta : 1;
    return result;
}

/* The numbers of one mini-batch's move. */
typedef struct {
    fn_optimizer optimizer;
    int put_off;                /* the first layer's decay is, and so s becomes smaller by */
    double decay;               /* eta l2 */
    real lost, pull;            /* of a weight: the share, and the amount, that go at once */
    real l2, l1;                /* what of them is part of the gradient */
    real eta, mu;               /* Adam: eta corrected for the bias of the first moment */
    real new1, new2;            /* 1 - beta1, 1 - beta2 */
    real root, epsilon;         /* root corrects the second moment's root */
} FN(move);

/* That of a mini-batch of so much weight. */
static FN(move) FN(move_of)(const fn_training *t, double weight, uint64_t step)
{
    const int plain = t->optimizer == FN_PLAIN, decoupled = plain || t->optimizer == FN_ADAMW;
    const double l2 = !t->divide_l2 ? t->l2 : weight > 0 ? t->l2 / weight : 0;
    FN(move) move = {
        .optimizer = t->optimizer, .decay = t->eta * l2, .eta = (real)t->eta, .mu = (real)t->mu,
        .lost = decoupled ? (real)(t->eta * l2) : 0, .pull = plain ? (real)(t->eta * t->l1) : 0,
        .l2 = decoupled ? 0 : (real)l2, .l1 = plain ? 0 : (real)t->l1,
    };
    if (t->optimizer == FN_ADAM || t->optimizer == FN_ADAMW) {
        move.eta = (real)(t->eta / (1 - FN(power)(t->beta1, step)));
        move.root = (real)(1 / __builtin_sqrt(1 - FN(power)(t->beta2, step)));
        move.new1 = (real)(1 - t->beta1);
        move.new2 = (real)(1 - t->beta2);
        move.epsilon = (real)t->epsilon;
    }
    return move;
}

FN_INLINE real FN(towards)(real amount, real w) { return w > 0 ? amount : w < 0 ? -amount : 0; }

/* w follows its gradient g, n elements each; g is zero afterwards. Each loop is a function of
 * its own, since gcc 12 forgets elsewhere what restrict says. */
static FN_ALONE void FN(follow_plain)(size_t n, FN(move) move, real *restrict w, real *restrict g)
{
    for (size_t i = 0; i < n; i++) {
        w[i] = FN_FMA(-move.lost, w[i], w[i]) - FN(towards)(move.pull, w[i]) + g[i];
        g[i] = 0;
    }
}

static FN_ALONE void FN(follow_momentum)(size_t n, FN(move) move, real *restrict w, real *restrict g,
                                         real *restrict velocity)
{
    for (size_t i = 0; i < n; i++) {
        const real gradient = FN_FMA(move.l2, w[i], g[i]) + FN(towards)(move.l1, w[i]);
        const real v = FN_FMA(move.mu, velocity[i], gradient);
        velocity[i] = v;
        w[i] = FN_FMA(-move.eta, move.optimizer == FN_NESTEROV ? FN_FMA(move.mu, v, gradient) : v, w[i]);
        g[i] = 0;
    }
}

static FN_ALONE void FN(follow_adam)(size_t n, FN(move) move, real *restrict w, real *restrict g,
                                     real *restrict first, real *restrict second)
{
    for (size_t i = 0; i < n; i++) {
        const real gradient = FN_FMA(move.l2, w[i], g[i]) + FN(towards)(move.l1, w[i]);
        const real kept = FN_FMA(-move.lost, w[i], w[i]);
        const real mean = FN_FMA(move.new1, gradient - first[i], first[i]);
        const real square = FN_FMA(move.new2, FN_FMA(gradient, gradient, -second[i]), second[i]);
        first[i] = mean;
        second[i] = square;
        w[i] = FN_FMA(-move.eta, mean / FN_FMA(FN_SQRT(square), move.root, move.epsilon), kept);
        g[i] = 0;
    }
}

/* n parameters from the one at `at` on, all of them weights or all biases, follow g [n]. */
static void FN(follow)(const fn_training *t, FN(move) move, size_t at, size_t n, int weights,
                       size_t n_parameters, real *parameters, real *g)
{
    real *w = parameters + at, *moments = t->moments;
    if (!weights)
        move.lost = move.pull = move.l2 = move.l1 = 0;
    if (t->optimizer == FN_PLAIN)
        FN(follow_plain)(n, move, w, g);
    else if (t->optimizer == FN_MOMENTUM || t->optimizer == FN_NESTEROV)
        FN(follow_momentum)(n, move, w, g, moments + at);
    else
        FN(follow_adam)(n, move, w, g, moments + at, moments + n_parameters + at);
}

/* What regularization adds to a cost, but for a factor: L2 the sum of W^2, L1 that of |W|. In
 * eight sums, whatever the vectors are, so that the bits are the same. */
FN_INLINE double FN(penalty)(const int squares, size_t n, const real *x)
{
    double sums[8] = {0}, total = 0;
    for (size_t i = 0; i < n; i += 8) {
        real rest[8] = {0};
        const real *eight = n - i < 8 ? memcpy(rest, x + i, (n - i) * sizeof(real)) : x + i;
FN_UNROLL(8)
        for (size_t k = 0; k < 8; k++) {
            const double value = eight[k];
            sums[k] = squares ? FN_FMA(value, value, sums[k]) : sums[k] + __builtin_fabs(value);
        }
    }
    for (size_t k = 0; k < 8; k++)
        total += sums[k];
    return total;
}

static double FN(sum_of_squares)(size_t n, const real *x) { return FN(penalty)(1, n, x); }

static double FN(sum_of_magnitudes)(size_t n, const real *x) { return FN(penalty)(0, n, x); }
