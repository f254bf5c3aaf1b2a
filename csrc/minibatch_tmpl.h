/* The mini-batch loop: gather, forward, output error, back-propagate, update.
 *
 * No gradient is stored: the output error is multiplied by -eta/m once (by -eta times the
 * example's share in the sum, where examples have weights), so that every error below
 * carries that factor and each layer's update adds a^T delta straight onto the weights. All errors are taken back before any weight
 * changes, so all gradients are those of the weights before the mini-batch. Only a
 * mini-batch of more than FN_PIECE examples collects its gradient in an array first,
 * piece by piece.
 *
 * Several threads (fn_team) share a mini-batch: each takes its examples as far as
 * the errors; when all have come so far, each changes its part of the weights. An
 * element is computed by one thread, in the order that one thread alone would keep,
 * so the bits do not depend on how many there are.
 *
 * Lost in prototypes ([784, 30 or 100, 10], m = 10): the update fused with the next forward
 * step, mini-batches sorted by their examples' zeros, the inputs in blocks for the first
 * cache, a weight row shared by two cores. Here (AVX2, Zen 3, 30 outputs): the next
 * examples asked for all at once, 47 ms an epoch, and in between, 41 ms.
 */

/* What a call is about, and who of the team this thread is. */
typedef struct {
    const fn_network *network;
    const fn_examples *examples;
    const int64_t *order;       /* or NULL: 0, 1, 2 ... */
    size_t n_order;
    fn_delta own;               /* with a call: the team is one thread */
    fn_team *team;
    size_t thread;
    FN(workspace) w;
} FN(work);

/* Where the part `which` of n things begins, of which `unit` stay together. */
FN_INLINE size_t FN(part)(size_t n, size_t unit, size_t which, size_t parts)
{
    const size_t start = (n + unit - 1) / unit * which / parts * unit;
    return start < n ? start : n;
}

/* The first layer's weighted inputs z of examples first + s0 .. first + s1 of the order,
 * sparse: lists are made and used chunk by chunk. */
static void FN(enter_by_lists)(FN(work) *work, const real *weights, size_t first, size_t s0,
                               size_t s1, real *z, size_t z_stride)
{
    const fn_network *network = work->network;
    FN(workspace) *w = &work->w;
    for (size_t s = s0, m; s < s1; s += m) {
        const size_t next = first + s + FN_AHEAD, left = next < work->n_order ? work->n_order - next : 0;
        const int64_t *soon = work->order && left ? work->order + next : NULL;
        m = s1 - s < FN_CHUNK ? s1 - s : FN_CHUNK;
        const size_t n_soon = !soon ? 0 : left < m ? left : m;
        FN(make_lists)(work->examples, network, work->order, first + s, m, w->room, w->lists + s,
                       w->list_rows + s * w->room, w->x + s * w->room, w->all);
        for (size_t i = 0; i < n_soon; i++)
            __builtin_prefetch(work->examples->offsets + soon[i]);
        FN(weighted_input_of_lists)(FN(groups)(work->examples, m), w->lists + s, network->sizes[1],
                                    weights, z + (s - s0) * z_stride, z_stride, work->examples,
                                    network->sizes[0], soon, n_soon);
    }
}

/* The same, dense. A thread alone leaves out the columns that are zero in all its examples. */
static void FN(enter_dense)(FN(work) *work, const real *weights, size_t first, size_t s0, size_t s1,
                            real *z, size_t z_stride)
{
    const size_t n_in = work->network->sizes[0], m = s1 - s0;
    FN(workspace) *w = &work->w;
    real *x = w->x + s0 * w->room;
    FN(gather_inputs)(work->examples, n_in, work->order, first + s0, m, x, w->room);
    w->n_columns = n_in;
    if (work->team->threads == 1)
        w->n_columns = FN(keep_columns)(m, n_in, w->room, w->columns, x);
    w->used = w->n_columns < n_in ? w->columns : NULL;
    FN(weighted_input_of)(m, w->n_columns, w->used, work->network->sizes[1], x, w->room, weights, z,
                          z_stride);
}

/* Examples first + s0 .. first + s1 of the order: from the inputs to the
 * activations w->a[1..L] and the output layer's w->z. */
static void FN(forward)(FN(work) *work, const real *parameters, size_t first, size_t s0, size_t s1)
{
    const FN(workspace) *w = &work->w;
    const size_t L = work->network->layers, *sizes = work->network->sizes;
    for (size_t l = 0; l < L; l++) {
        const fn_place *at = w->places + l;
        const real *weights = parameters + at->weights;
        const size_t stride = l + 1 < L ? FN(a_stride)(sizes[l + 1]) : at->stride;
        real *a = w->a[l + 1] + s0 * stride, *z = l + 1 < L ? a : w->z + s0 * stride;
        FN(start_from_biases)(s1 - s0, sizes[l + 1], parameters + at->biases, z, stride);
        if (l > 0)
            FN(weighted_input_of)(s1 - s0, sizes[l], NULL, sizes[l + 1],
                                  w->a[l] + s0 * FN(a_stride)(sizes[l]), FN(a_stride)(sizes[l]),
                                  weights, z, stride);
        else if (w->lists)
            FN(enter_by_lists)(work, weights, first, s0, s1, z, stride);
        else
            FN(enter_dense)(work, weights, first, s0, s1, z, stride);
        if (l + 1 < L || work->network->output == FN_SIGMOID)
            FN(sigmoid)((s1 - s0) * stride, z, a);
        else if (work->network->output == FN_SOFTMAX)
            FN(softmax)(s1 - s0, sizes[L], z, a);
        else if (work->network->output == FN_EXPONENTIAL)
            FN(exp)((s1 - s0) * stride, z, a);
        else
            memcpy(a, z, (s1 - s0) * stride * sizeof(real));
    }
}

/* The errors of examples s0 .. s1, times factor, from the output layer down. */
static int FN(backward)(const fn_network *network, const real *parameters, size_t s0, size_t s1,
                        double factor, fn_delta own, FN(workspace) *w)
{
    const size_t L = network->layers, *sizes = network->sizes, m = s1 - s0;
    const size_t stride = w->places[L - 1].stride;
    const double *weights = w->weights ? w->weights + s0 : NULL;
    real *delta = w->delta[L] + s0 * stride;
    if (own.call) {
        memset(delta, 0, m * stride * sizeof(real));
        const uint64_t flushing = fn_keep_subnormals();
        const int failed = own.call(own.context, m, sizes[L], stride, w->z, w->a[L], w->y, delta);
        fn_restore_subnormals(flushing);
        if (failed)
            return failed;
        for (size_t s = 0; s < m; s++) {
            const double weight = weights ? weights[s] : 1;
            for (size_t i = s * stride; i < (s + 1) * stride; i++)
                delta[i] = weight > 0 ? delta[i] * (real)(factor * weight) : 0;
        }
    } else {
        FN(output_error)(network->output, network->cost, m, sizes[L], factor, weights,
                         w->a[L] + s0 * stride, w->y + s0 * stride, delta);
    }
    for (size_t l = L - 1; l > 0; l--) {
        const size_t a_stride = FN(a_stride)(sizes[l]);
        FN(backpropagate_of)(m, sizes[l], sizes[l + 1], parameters + w->places[l].weights,
                             w->delta[l + 1] + s0 * w->places[l].stride, w->a[l] + s0 * a_stride,
                             a_stride, w->delta[l] + s0 * w->places[l - 1].stride, w->scratch);
    }
    return 0;
}

/* The first layer of weights, sparse: for this thread's outputs. */
static void FN(change_by_lists)(FN(work) *work, size_t m, double decay, real *weights)
{
    const FN(workspace) *w = &work->w;
    const size_t parts = work->team->threads, n_out = work->network->sizes[1];
    const size_t stride = w->places[0].stride, line = 64 / sizeof(real);
    const size_t from = FN(part)(n_out, line, work->thread, parts);
    const size_t to = FN(part)(n_out, line, work->thread + 1, parts);
    FN(decay)(work->network->sizes[0], to - from, stride, decay, weights + from);
    for (size_t t = 0; t < parts; t++) {
        const size_t s1 = FN(part)(m, 1, t + 1, parts);
        for (size_t s = FN(part)(m, 1, t, parts), chunk; s < s1; s += chunk) {
            chunk = s1 - s < FN_CHUNK ? s1 - s : FN_CHUNK;
            FN(update_of_lists)(FN(groups)(work->examples, chunk), w->lists + s, to - from, stride,
                                w->delta[1] + s * stride + from, weights + from);
        }
    }
}

/* Rows of weights between two requests for the next examples (see tile_tmpl.h for what
 * other numbers cost). */
#define FN_FEW_ROWS (16 * FN_TILE_ROWS)

/* A layer of weights, dense: for this thread's inputs, a few rows at a time; the next
 * mini-batch's inputs are asked for in between. */
static void FN(change_dense)(FN(work) *work, size_t l, size_t next, size_t m, double decay,
                             real *weights)
{
    const FN(workspace) *w = &work->w;
    const size_t *sizes = work->network->sizes, stride = w->places[l].stride;
    const size_t from = FN(part)(sizes[l], FN_TILE_ROWS, work->thread, work->team->threads);
    const size_t to = FN(part)(sizes[l], FN_TILE_ROWS, work->thread + 1, work->team->threads);
    const uint32_t *columns = l ? NULL : w->used; /* not NULL: this thread is alone */
    const size_t c0 = columns ? 0 : from, c1 = columns ? w->n_columns : to;
    const size_t rows = m < FN_PACKED ? FN_FEW_ROWS : to - from;
    const size_t share = FN(part)(m, 1, work->thread + 1, work->team->threads)
                         - FN(part)(m, 1, work->thread, work->team->threads);
    size_t s = next + FN(part)(m, 1, work->thread, work->team->threads);
    const size_t soon = s;
    FN(decay)(to - from, sizes[l + 1], stride, decay, weights + from * stride);
    for (size_t c = c0, n; c < c1; c += n) {
        n = c1 - c < rows ? c1 - c : rows;
        FN(update_of)(m, n, columns ? columns + c : NULL, sizes[l + 1], (l ? w->a[l] : w->x) + c,
                      l ? FN(a_stride)(sizes[l]) : w->room, w->delta[l + 1],
                      columns ? weights : weights + c * stride, w->scratch);
        for (; !l && work->order && s < soon + share * (c + n - c0) / (c1 - c0) && s < work->n_order; s++)
            FN(prefetch_example)(work->examples, sizes[0], (size_t)work->order[s]);
    }
}

/* target = decay * target + factor * (the weighted sum of the gradients of the m
 * examples at `parameters`); target may be parameters. All of the team take part. */
static int FN(step)(FN(work) *work, const real *parameters, real *target, size_t first, size_t m,
                    double factor, double decay)
{
    const fn_network *network = work->network;
    FN(workspace) *w = &work->w;
    const size_t s0 = FN(part)(m, 1, work->thread, work->team->threads);
    const size_t s1 = FN(part)(m, 1, work->thread + 1, work->team->threads);
    FN(gather_targets)(network, work->examples, work->order, first + s0, s1 - s0,
                       w->y + s0 * w->places[network->layers - 1].stride);
    if (w->weights)
        FN(gather_weights)(work->examples, work->order, first + s0, s1 - s0, w->weights + s0);
    FN(forward)(work, parameters, first, s0, s1);
    const int failed = FN(backward)(network, parameters, s0, s1, factor, work->own, w);
    if (failed)
        return failed;
    fn_wait_for_team(work->team);
    for (size_t l = network->layers; l-- > 0;) {
        const fn_place *at = w->places + l;
        if (l == 0 && w->lists)
            FN(change_by_lists)(work, m, decay, target + at->weights);
        else
            FN(change_dense)(work, l, first + m, m, decay, target + at->weights);
        if (work->thread == 0)
            FN(update_biases)(m, network->sizes[l + 1], at->stride, w->delta[l + 1],
                              target + at->biases);
    }
    fn_wait_for_team(work->team);
    return 0;
}

/* nabla += factor * gradient of the examples first .. first+n, piece by piece. */
static int FN(accumulate)(FN(work) *work, const real *parameters, real *nabla, size_t first,
                          size_t n, double factor)
{
    for (size_t k = 0, piece; k < n; k += piece) {
        piece = FN(piece)(work->network, n - k);
        const int failed = FN(step)(work, parameters, nabla, first + k, piece, factor, 1);
        if (failed)
            return failed;
    }
    return 0;
}

/* W = decay W + nabla, and b = b + nabla: biases do not decay. nabla is zero afterwards. */
static void FN(add_gradient)(const fn_network *network, real *parameters, real *nabla,
                             double decay, const FN(workspace) *w)
{
    const real lost = (real)(1 - decay); /* see decay */
    for (size_t l = 0; l < network->layers; l++) {
        const fn_place *at = w->places + l;
        for (size_t i = at->weights; i < at->biases; i++)
            parameters[i] = FN_FMA(-lost, parameters[i], parameters[i]) + nabla[i];
        for (size_t o = at->biases; o < at->biases + at->stride; o++)
            parameters[o] += nabla[o];
        memset(nabla + at->weights, 0, (at->biases + at->stride - at->weights) * sizeof(real));
    }
}

/* The arguments of train, for all of the team. */
typedef struct {
    FN(work) work;              /* the common part */
    real *parameters;
    size_t m;
    double eta, decay;
    void *memory;
    int failed;
} FN(training);

static void FN(train_member)(fn_team *team, size_t thread, void *context)
{
    FN(training) *training = context;
    FN(work) work = training->work;
    const size_t n = work.n_order, m = training->m;
    work.team = team, work.thread = thread;
    if (thread == 0)
        work.w = FN(open_workspace)(work.network, work.examples, m, team->threads, 0, training->memory);
    fn_wait_for_team(team);
    if (thread > 0)
        work.w = FN(open_workspace)(work.network, work.examples, m, team->threads, thread, training->memory);
    int failed = 0;
    for (size_t k = 0; k < n && !failed; k += m) {
        const size_t size = n - k < m ? n - k : m;
        const double sum = FN(sum_of_weights)(work.examples, work.order, k, size);
        const double factor = sum > 0 ? -training->eta / sum : 0;
        if (FN(piece)(work.network, size) == size) {
            failed = FN(step)(&work, training->parameters, training->parameters, k, size, factor,
                              training->decay);
            continue;
        }
        failed = FN(accumulate)(&work, training->parameters, work.w.nabla, k, size, factor);
        if (thread == 0 && !failed)
            FN(add_gradient)(work.network, training->parameters, work.w.nabla, training->decay, &work.w);
        fn_wait_for_team(team);
    }
    if (thread == 0)
        training->failed = failed;
}

static int FN(train)(const fn_network *network, real *parameters, const fn_examples *examples,
                     const int64_t *order, size_t n_order, size_t m, double eta, double decay,
                     fn_delta own, size_t threads, void *memory)
{
    FN(training) training = {
        .work = {.network = network, .examples = examples, .order = order, .n_order = n_order, .own = own},
        .parameters = parameters, .m = m, .eta = eta, .decay = decay, .memory = memory,
    };
    fn_run_team(threads, FN(train_member), &training);
    return training.failed;
}

static int FN(gradient)(const fn_network *network, const real *parameters,
                        const fn_examples *examples, real *nabla, fn_delta own, void *memory)
{
    fn_team alone = {.threads = 1};
    FN(work) work = {
        .network = network, .examples = examples, .n_order = examples->n, .own = own, .team = &alone,
        .w = FN(open_workspace)(network, examples, examples->n, 1, 0, memory),
    };
    const fn_place *last = work.w.places + network->layers - 1;
    memset(nabla, 0, (last->biases + last->stride) * sizeof(real));
    return FN(accumulate)(&work, parameters, nabla, 0, examples->n, 1);
}
