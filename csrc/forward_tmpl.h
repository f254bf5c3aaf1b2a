/* The forward step: from the user's examples to the activations of all layers. */

/* What a call is about, and who of the team this thread is. */
typedef struct {
    const fn_network *network;
    const fn_examples *examples;
    const int64_t *order;       /* or NULL: 0, 1, 2 ... */
    size_t n_order;
    const fn_training *training; /* NULL: forward only; with a delta call the team is one thread */
    fn_team *team;
    size_t thread;
    FN(workspace) w;
    double scale;               /* s of the first layer, see optimizer_tmpl.h; else 1 */
    double *cost;               /* where the cost of the mini-batch at hand is added up, or NULL */
} FN(work);

/* This thread's share of a layer's neurons, whole cache lines: n of them from the one
 * returned on. */
static size_t FN(own_neurons)(const FN(work) *work, size_t neurons, size_t *n)
{
    const size_t from = fn_part(neurons, FN_LINE_REALS, work->thread, work->team->threads);
    *n = fn_part(neurons, FN_LINE_REALS, work->thread + 1, work->team->threads) - from;
    return from;
}

/* This thread's share of m examples: from s0 to the one returned. */
FN_INLINE size_t FN(own_examples)(const FN(work) *work, size_t m, size_t *s0)
{
    *s0 = fn_part(m, 1, work->thread, work->team->threads);
    return fn_part(m, 1, work->thread + 1, work->team->threads);
}

/* What a thread computes of a layer: neurons from .. from + n of the examples s0 .. s1. */
typedef struct {
    size_t s0, s1, from, n;
    int by_neurons;             /* all examples and some neurons; else the other way round */
} FN(share);

/* This thread's share of m examples in a layer of so many neurons. In large products it is all
 * examples: the weights, which are more than the activations, are copied then (large_tmpl.h) by
 * one thread and not by all. */
FN_INLINE FN(share) FN(own_share)(const FN(work) *work, size_t m, size_t neurons, int large)
{
    FN(share) own = {.s1 = m, .n = neurons, .by_neurons = large && work->team->threads > 1};
    if (own.by_neurons)
        own.from = FN(own_neurons)(work, neurons, &own.n);
    else
        own.s1 = FN(own_examples)(work, m, &own.s0);
    return own;
}

/* The first layer's weighted inputs z of examples first + s0 .. first + s1 of the order,
 * sparse: lists are made and used chunk by chunk. */
static void FN(enter_by_lists)(FN(work) *work, const real *weights, size_t first, size_t s0,
                               size_t s1, real *z, size_t z_stride)
{
    const fn_network *network = work->network;
    FN(workspace) *w = &work->w;
    for (size_t s = s0, m; s < s1; s += m) {
        m = s1 - s < FN_CHUNK ? s1 - s : FN_CHUNK;
        FN(make_lists)(work->examples, network, work->order, work->n_order, first + s, m, w->room,
                       w->lists + s, w->list_rows + s * w->room, w->x + s * w->room, w->all,
                       work->training);
        FN(weighted_input_of_lists)(m, w->lists + s, network->sizes[1],
                                    weights, z + (s - s0) * z_stride, z_stride);
    }
}

/* The same by blocks, of as many examples as they hold; the next ones are asked for meanwhile. */
static void FN(enter_by_blocks)(FN(work) *work, const real *weights, size_t first, size_t s0,
                                size_t s1, real *z, size_t z_stride)
{
    const fn_network *network = work->network;
    FN(workspace) *w = &work->w;
    const size_t words = w->blocks.words;
    for (size_t s = s0, m; s < s1; s += m) {
        m = fn_next(s1 - s, FN_BLOCK);
        FN(spread_examples)(work->examples, network, work->order, first + s, m, work->training,
                            &w->blocks);
        const size_t next = first + s + m, left = next < work->n_order ? work->n_order - next : 0;
        const size_t n_soon = !work->order ? 0 : left < m ? left : m;
        for (size_t i = 0; i < n_soon; i++)
            __builtin_prefetch(work->examples->offsets + work->order[next + i]);
        for (size_t word = 0, i = 0; word < words; word++) {
            FN(forward_of_block)(&w->blocks, word, network->sizes[1], weights, w->places[0].stride,
                                 z + (s - s0) * z_stride, z_stride);
            for (; i < n_soon * (word + 1) / words; i++)
                FN(prefetch_example)(work->examples, network->sizes[0],
                                     (size_t)work->order[next + i]);
        }
    }
}

/* Dense examples first + s0 .. first + s1 of the order into the first layer's operand. A
 * thread alone leaves out the columns that are zero in all its examples. */
static void FN(gather)(FN(work) *work, size_t first, size_t s0, size_t s1)
{
    const size_t n_in = work->network->sizes[0], m = s1 - s0;
    FN(workspace) *w = &work->w;
    if (work->examples->offsets)
        return;
    real *x = w->x + s0 * w->room;
    FN(gather_inputs)(work->examples, work->network, work->order, first + s0, m, x, w->room,
                      work->training);
    w->n_columns = n_in;
    if (work->team->threads == 1)
        w->n_columns = FN(keep_columns)(m, n_in, w->room, w->columns, x);
    w->used = w->n_columns < n_in ? w->columns : NULL;
}

/* Drop neurons, each with the probability p, and scale the others by 1 / (1 - p): their
 * activations, and their slopes for the way back. */
static void FN(drop)(size_t n, double p, uint64_t key, uint64_t counter, real *restrict a,
                     real *restrict slopes)
{
    const uint64_t below = (uint64_t)(p * 0x1p64);
    const real scale = (real)(1 / (1 - p));
    for (size_t j = 0; j < n; j++) {
        const real factor = fn_random_at(key, counter + j) < below ? 0 : scale;
        a[j] *= factor;
        slopes[j] *= factor;
    }
}

/* Whether the slopes of a hidden layer are kept on the way forward, in the place of its
 * errors, since they do not follow from its activations. */
FN_INLINE int FN(keeps_slopes)(const FN(work) *work, size_t l)
{
    const fn_training *t = work->training;
    return t && (fn_activations[work->network->hidden[l - 1]].keeps_slope
                 || (t->dropout && t->dropout[l - 1] > 0));
}

/* This thread's activations of hidden layer l, whose weighted inputs stand in their place. */
static void FN(activate_hidden)(FN(work) *work, size_t l, size_t first, const FN(share) *own)
{
    const fn_network *network = work->network;
    const FN(workspace) *w = &work->w;
    const fn_training *t = work->training;
    const size_t n = network->sizes[l], a_stride = FN(a_stride)(n), stride = w->places[l - 1].stride;
    const fn_activation neurons = network->hidden[l - 1];
    const int keeps = FN(keeps_slopes)(work, l);
    real *a = w->a[l] + own->s0 * a_stride + own->from;
    real *slopes = keeps ? w->delta[l] + own->s0 * stride + own->from : NULL;
    FN(activate_rows)(neurons, own->s1 - own->s0, own->n, a, a_stride, slopes, stride);
    if (!keeps || !t->dropout || t->dropout[l - 1] == 0)
        return;
    uint64_t before = 1 + own->from;
    for (size_t k = 1; k < l; k++)
        before += network->sizes[k];
    for (size_t s = own->s0; s < own->s1; s++, a += a_stride, slopes += stride)
        FN(drop)(own->n, t->dropout[l - 1], t->key, fn_counter(network, first + s) + before, a, slopes);
}

/* This thread's share of examples first .. first + m of the order, gathered before: to the
 * activations w->a[1..L] and the output layer's w->z. */
static void FN(forward)(FN(work) *work, const real *parameters, size_t first, size_t m)
{
    const FN(workspace) *w = &work->w;
    const size_t L = work->network->layers, *sizes = work->network->sizes;
    for (size_t l = 0; l < L; l++) {
        const fn_place *at = w->places + l;
        const int dense = l > 0 || !(w->lists || w->blocks.x), last = l + 1 == L;
        const size_t n_in = l ? sizes[l] : w->n_columns;
        const int large = dense && FN(is_large)(m, n_in, sizes[l + 1]);
        const FN(share) own = FN(own_share)(work, m, sizes[l + 1], large && !last);
        const real *weights = parameters + at->weights + own.from;
        const size_t rows = own.s1 - own.s0;
        const size_t stride = last ? at->stride : FN(a_stride)(sizes[l + 1]);
        real *a = w->a[l + 1] + own.s0 * stride + own.from, *z = last ? w->z + own.s0 * stride : a;
        const double scale = l == 0 ? work->scale : 1;
        const real *biases = parameters + at->biases + own.from, times = (real)(1 / scale);
        if (!dense)
            FN(start_from_biases)(rows, own.n, biases, times, z, stride);
        if (own.by_neurons)
            fn_wait_for_team(work->team);
        if (dense) {
            const size_t from = l ? FN(a_stride)(n_in) : w->room;
            const FN(product) whole = {
                .k = n_in, .a = (l ? w->a[l] : w->x) + own.s0 * from, .a_row = from, .a_k = 1,
                .b = weights, .b_stride = at->stride, .b_rows = l ? NULL : w->used,
                .c = z, .c_stride = stride,
            };
            FN(weighted_input_of)(rows, own.n, whole, biases, times, large, w->scratch);
        } else if (w->lists) {
            FN(enter_by_lists)(work, weights, first, own.s0, own.s1, z, stride);
        } else {
            FN(enter_by_blocks)(work, weights, first, own.s0, own.s1, z, stride);
        }
        if (scale != 1)
            FN(apply_scale)(rows, own.n, stride, (real)scale, z);
        if (!last)
            FN(activate_hidden)(work, l + 1, first, &own);
        else
            FN(activate_output)(work->network->output, rows, sizes[L], z, a);
        if (own.by_neurons)
            fn_wait_for_team(work->team);
    }
}
