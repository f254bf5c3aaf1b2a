/* The mini-batch loop: gather, forward, output error, back-propagate, update.
 *
 * No gradient is stored: the output error is multiplied by -eta/m once, so
 * that every error below carries that factor and each layer's update adds
 * a^T delta straight onto the weights. A layer's error is taken back through
 * its weights before they change, so all gradients are those of the weights
 * before the mini-batch. Only a mini-batch of more than FN_PIECE examples
 * collects its gradient in an array first, piece by piece.
 */

typedef struct {
    fn_place *places;           /* [L] */
    const void **rows;          /* [m] the examples' inputs */
    real *table;                /* [256] value of each byte */
    size_t n_columns;           /* dense: columns that are gathered */
    uint32_t *columns;          /* [n_in] the inputs that are not all zero */
    const uint32_t *used;       /* columns, or NULL where x holds all inputs */
    real *x;                    /* [m][stride of n_in], the first n_columns of each row filled */
    size_t groups, room;        /* compressed: the lists, whose columns and x these are */
    FN(list) *lists;            /* [groups] */
    uint64_t *all;              /* [words of n_in] */
    real *y, *z;                /* [m][stride of the output layer] */
    real **a;                   /* [L+1], a[l] is [m][stride of layer l]; a[0] is unused */
    real *delta[2];             /* [m][largest stride], one for every other layer */
    real *scratch;              /* for backpropagate */
    real *nabla;                /* gradient, for large mini-batches */
} FN(workspace);

/* The next `bytes` of the workspace, in whole cache lines. */
FN_INLINE void *FN(take)(size_t *used, char *memory, size_t bytes)
{
    size_t at = *used;
    *used += (bytes + 63) / 64 * 64;
    return memory ? memory + at : NULL;
}

/* How many of m examples are worked on at once. A user's own cost is promised
 * the whole mini-batch. */
static size_t FN(piece)(const fn_network *network, size_t m)
{
    return m < FN_PIECE || network->cost == FN_OTHER_COST ? m : FN_PIECE;
}

/* Divide memory among the arrays for mini-batches of m; with memory NULL only
 * count. Returns the bytes needed. */
static size_t FN(divide)(const fn_network *network, const fn_examples *examples, size_t m,
                         char *memory, FN(workspace) *w)
{
    const size_t L = network->layers, *sizes = network->sizes, piece = FN(piece)(network, m);
    const size_t stride = fn_stride(sizes[L], sizeof(real));
    size_t used = 0, widest = 0, scratch = 0, parameters = 0;
    for (size_t l = 0; l < L; l++) {
        const size_t out = fn_stride(sizes[l + 1], sizeof(real));
        const size_t needed = l ? FN(scratch_size)(piece, sizes[l], sizes[l + 1]) : 0;
        widest = out > widest ? out : widest;
        scratch = needed > scratch ? needed : scratch;
        parameters += (sizes[l] + 1) * out;
    }
    w->places = FN(take)(&used, memory, L * sizeof *w->places);
    w->rows = FN(take)(&used, memory, piece * sizeof *w->rows);
    w->a = FN(take)(&used, memory, (L + 1) * sizeof *w->a);
    w->table = FN(take)(&used, memory, 256 * sizeof(real));
    const size_t groups = examples->offsets ? FN(groups)(examples, piece) : 0;
    w->room = examples->offsets ? FN(list_room)(examples, sizes[0]) : fn_stride(sizes[0], sizeof(real));
    w->lists = FN(take)(&used, memory, groups * sizeof *w->lists);
    w->all = FN(take)(&used, memory, groups ? fn_words(sizes[0]) * sizeof *w->all : 0);
    w->columns = FN(take)(&used, memory, (groups ? groups : 1) * w->room * sizeof *w->columns);
    w->x = FN(take)(&used, memory, piece * w->room * sizeof(real));
    w->y = FN(take)(&used, memory, piece * stride * sizeof(real));
    w->z = FN(take)(&used, memory, piece * stride * sizeof(real));
    for (size_t l = 1; l <= L; l++) {
        real *a = FN(take)(&used, memory, piece * fn_stride(sizes[l], sizeof(real)) * sizeof(real));
        if (memory)
            w->a[l] = a;
    }
    for (size_t i = 0; i < 2; i++)
        w->delta[i] = FN(take)(&used, memory, piece * widest * sizeof(real));
    w->scratch = FN(take)(&used, memory, scratch * sizeof(real));
    w->nabla = FN(take)(&used, memory, m > piece ? parameters * sizeof(real) : 0);
    return used;
}

static size_t FN(workspace_size)(const fn_network *network, const fn_examples *examples, size_t m)
{
    FN(workspace) w;
    return FN(divide)(network, examples, m, NULL, &w);
}

static FN(workspace) FN(open_workspace)(const fn_network *network, size_t m,
                                        const fn_examples *examples, void *memory)
{
    FN(workspace) w = {0};
    FN(divide)(network, examples, m, memory, &w);
    fn_layout(network, sizeof(real), w.places);
    for (size_t value = 0; value < 256; value++)
        w.table[value] = (real)((double)value * examples->scale);
    return w;
}

/* The inputs of examples order[first .. first+m), or first .. first+m where
 * order is NULL, as w->x and w->columns, or as w->lists. */
static void FN(gather_inputs)(const fn_network *network, const fn_examples *examples,
                              const int64_t *order, size_t first, size_t m, FN(workspace) *w)
{
#define FN_GATHER(type) \
    FN(gather_inputs_as)(type, m, network->sizes[0], w->rows, examples->scale, w->table, \
                         w->columns, w->x)
    if (examples->offsets) {
        w->groups = FN(groups)(examples, m);
        FN(make_lists)(examples, network->sizes[0], order, first, m, w->room, w->lists, w->columns,
                       w->x, w->all);
        return;
    }
    for (size_t s = 0; s < m; s++)
        w->rows[s] = (const char *)examples->inputs
                     + (order ? (size_t)order[first + s] : first + s) * examples->inputs_stride;
    switch (examples->inputs_type) {
    case FN_U8: w->n_columns = FN_GATHER(FN_U8); break;
    case FN_F32: w->n_columns = FN_GATHER(FN_F32); break;
    default: w->n_columns = FN_GATHER(FN_F64); break;
    }
#undef FN_GATHER
    w->used = w->n_columns < network->sizes[0] ? w->columns : NULL;
}

FN_INLINE void FN(prefetch)(const void *start, size_t bytes)
{
    for (size_t line = 0; line < bytes; line += 64)
        __builtin_prefetch((const char *)start + line, 0, 2);
}

/* Ask for the inputs of the next mini-batch, which lie anywhere in memory,
 * while this one is worked on: an epoch of [784, 30, 10], m = 10, takes 39 ms
 * with it and 49 ms without (AVX-512, Intel Xeon of 2023). */
static void FN(prefetch_inputs)(const fn_network *network, const fn_examples *examples,
                                const int64_t *order, size_t m)
{
    const size_t bytes = fn_bytes[examples->inputs_type], words = fn_words(network->sizes[0]);
    for (size_t s = 0; s < m; s++) {
        const size_t at = (size_t)order[s];
        if (!examples->offsets) {
            FN(prefetch)((const char *)examples->inputs + at * examples->inputs_stride,
                         network->sizes[0] * bytes);
            continue;
        }
        const size_t from = (size_t)examples->offsets[at];
        const size_t n = (size_t)examples->offsets[at + 1] - from;
        FN(prefetch)((const char *)examples->inputs + from * bytes, n * bytes);
        if (examples->masks)
            FN(prefetch)(examples->masks + at * words, words * sizeof(uint64_t));
        else
            FN(prefetch)((const char *)examples->columns + from * fn_bytes[examples->columns_type],
                         n * fn_bytes[examples->columns_type]);
    }
}

/* From w->x to the activations w->a[1..L] and the output layer's w->z. */
static void FN(forward)(const fn_network *network, const real *parameters, size_t m,
                        FN(workspace) *w)
{
    const size_t L = network->layers, *sizes = network->sizes;
    for (size_t l = 0; l < L; l++) {
        const fn_place *at = w->places + l;
        const size_t size = m * at->stride;
        real *a = w->a[l + 1], *z = l + 1 < L ? a : w->z;
        if (l == 0 && w->groups)
            FN(weighted_input_of_lists)(w->groups, w->lists, sizes[1], m,
                                        parameters + at->weights, parameters + at->biases, z);
        else if (l == 0)
            FN(weighted_input_of)(m, sizes[0], w->n_columns, w->used, sizes[1], w->x,
                                  parameters + at->weights, parameters + at->biases, z);
        else
            FN(weighted_input)(m, sizes[l], sizes[l + 1], w->a[l], parameters + at->weights,
                               parameters + at->biases, z);
        if (l + 1 < L || network->output == FN_SIGMOID)
            FN(sigmoid)(size, z, a);
        else if (network->output == FN_SOFTMAX)
            FN(softmax)(m, sizes[L], z, a);
        else
            memcpy(a, z, size * sizeof(real));
    }
}

/* The error at the output, times factor, into delta. */
static int FN(start_backward)(const fn_network *network, size_t m, real factor, fn_delta own,
                              FN(workspace) *w, real *delta)
{
    const size_t n_out = network->sizes[network->layers];
    const size_t stride = fn_stride(n_out, sizeof(real));
    if (!own.call) {
        FN(output_error)(network->output, network->cost, m, n_out, factor,
                         w->a[network->layers], w->y, delta);
        return 0;
    }
    memset(delta, 0, m * stride * sizeof(real));
    const uint64_t flushing = fn_keep_subnormals();
    const int failed = own.call(own.context, m, n_out, stride, w->z, w->a[network->layers], w->y, delta);
    fn_restore_subnormals(flushing);
    for (size_t i = 0; i < m * stride; i++)
        delta[i] *= factor;
    return failed;
}

/* target = decay * target + factor * (the sum of the gradients of the m
 * examples at `parameters`); target may be parameters. */
static int FN(step)(const fn_network *network, const real *parameters, real *target,
                    const fn_examples *examples, const int64_t *order, size_t first, size_t m,
                    real factor, double decay, fn_delta own, FN(workspace) *w)
{
    const size_t L = network->layers, *sizes = network->sizes;
    FN(gather_inputs)(network, examples, order, first, m, w);
    FN(gather_targets)(network, examples, order, first, m, w->y);
    FN(forward)(network, parameters, m, w);
    const int failed = FN(start_backward)(network, m, factor, own, w, w->delta[L % 2]);
    if (failed)
        return failed;
    for (size_t l = L; l-- > 0;) {
        const fn_place *at = w->places + l;
        const real *delta = w->delta[(l + 1) % 2];
        if (l > 0) {
            FN(backpropagate)(m, sizes[l], sizes[l + 1], parameters + at->weights, delta, w->a[l],
                              w->delta[l % 2], w->scratch);
            FN(update)(m, sizes[l], sizes[l + 1], w->a[l], delta, decay, target + at->weights,
                       target + at->biases);
        } else if (w->groups) {
            FN(update_of_lists)(w->groups, w->lists, sizes[0], sizes[1], m, delta, decay,
                                target + at->weights, target + at->biases);
        } else {
            FN(update_of)(m, sizes[0], w->n_columns, w->used, sizes[1], w->x, delta, decay,
                          target + at->weights, target + at->biases);
        }
    }
    return 0;
}

/* nabla += factor * gradient of the examples first .. first+n, piece by piece. */
static int FN(accumulate)(const fn_network *network, const real *parameters, real *nabla,
                          const fn_examples *examples, const int64_t *order, size_t first,
                          size_t n, real factor, fn_delta own, FN(workspace) *w)
{
    for (size_t k = 0, piece; k < n; k += piece) {
        piece = FN(piece)(network, n - k);
        const int failed = FN(step)(network, parameters, nabla, examples, order, first + k, piece,
                                    factor, 1, own, w);
        if (failed)
            return failed;
    }
    return 0;
}

/* W = decay W + nabla, and b = b + nabla: biases do not decay. */
static void FN(add_gradient)(const fn_network *network, real *parameters, const real *nabla,
                             double decay, const FN(workspace) *w)
{
    const real lost = (real)(1 - decay); /* see update_of */
    for (size_t l = 0; l < network->layers; l++) {
        const fn_place *at = w->places + l;
        for (size_t i = at->weights; i < at->biases; i++)
            parameters[i] = FN_FMA(-lost, parameters[i], parameters[i]) + nabla[i];
        for (size_t o = at->biases; o < at->biases + at->stride; o++)
            parameters[o] += nabla[o];
    }
}

static int FN(train)(const fn_network *network, real *parameters, const fn_examples *examples,
                     const int64_t *order, size_t n_order, size_t m, double eta, double decay,
                     fn_delta own, void *memory)
{
    FN(workspace) w = FN(open_workspace)(network, m, examples, memory);
    int failed = 0;
    for (size_t k = 0; k < n_order && !failed; k += m) {
        const size_t size = n_order - k < m ? n_order - k : m;
        const real factor = (real)(-eta / (double)size);
        if (FN(piece)(network, size) == size) {
            const size_t after = n_order - k - size;
            FN(prefetch_inputs)(network, examples, order + k + size, after < size ? after : size);
            failed = FN(step)(network, parameters, parameters, examples, order, k, size, factor,
                              decay, own, &w);
        } else {
            const fn_place *last = w.places + network->layers - 1;
            memset(w.nabla, 0, (last->biases + last->stride) * sizeof(real));
            failed = FN(accumulate)(network, parameters, w.nabla, examples, order, k, size, factor,
                                    own, &w);
            if (!failed)
                FN(add_gradient)(network, parameters, w.nabla, decay, &w);
        }
    }
    return failed;
}

static int FN(gradient)(const fn_network *network, const real *parameters,
                        const fn_examples *examples, real *nabla, fn_delta own, void *memory)
{
    FN(workspace) w = FN(open_workspace)(network, examples->n, examples, memory);
    const fn_place *last = w.places + network->layers - 1;
    memset(nabla, 0, (last->biases + last->stride) * sizeof(real));
    const int failed = FN(accumulate)(network, parameters, nabla, examples, NULL, 0, examples->n, 1,
                                      own, &w);
    return failed;
}
