/* The arrays of one call, in the caller's memory; several threads share most of them. */

typedef struct {
    /* each thread's own */
    uint32_t *columns;          /* [n_in + FN_LANES] dense: the inputs that are not all zero */
    size_t n_columns;           /* how many they are */
    uint32_t *used;             /* columns, or NULL where x holds all inputs */
    uint64_t *all;              /* [(1 + FN_GROUP) words], for words of n_in: see list_shared */
    real *scratch;              /* for backpropagate, and packed activations */
    FN(blocks) blocks;          /* sparse, in place of lists; x is NULL where there are none */
    /* everybody's: every example has its place in them */
    fn_place *places;           /* [L] */
    size_t room;                /* elements from one row of x to the next */
    real *x;                    /* [m][room]: dense: the first n_columns of each row filled */
    FN(list) *lists;            /* [m], or NULL where there are none */
    uint32_t *list_rows;        /* [m][room] */
    double *weights;            /* [m], or NULL where each example counts once */
    real *y, *z;                /* [m][stride of the output layer] */
    real **a, **delta;          /* [L+1], each [m][a_stride or stride of layer l]; none of 0 */
    int by_rows;                /* an optimizer is given the gradient a few rows at a time */
    real *nabla;                /* gradient, zero between its uses: of all parameters; by_rows:
                                 * each thread's own, of some rows of a layer */
    real *unsettled;            /* the first layer's weights, while callbacks read them */
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

/* What the layers need, in elements. */
typedef struct {
    size_t scratch;             /* for the products of any layer */
    size_t parameters;          /* of all layers */
    size_t followed;            /* of the gradient, at most, that an optimizer is given at a time */
} FN(needs);

static FN(needs) FN(needs_of)(const fn_network *network, size_t piece, int blocks)
{
    const size_t *sizes = network->sizes;
    FN(needs) needs = {0};
    for (size_t l = 0; l < network->layers; l++) {
        const size_t back = l ? FN(scratch_size)(piece, sizes[l], sizes[l + 1]) : 0;
        const size_t ahead = FN(packed_size)(piece, sizes[l + 1], sizes[l]);
        const size_t update = FN(packed_size)(sizes[l], sizes[l + 1], piece);
        const size_t row = fn_stride(sizes[l + 1], sizeof(real));
        const int few = l == 0 && blocks && sizes[0] > FN_FOLLOWED_ROWS;
        const size_t followed = (few ? FN_FOLLOWED_ROWS : sizes[l]) * row;
        needs.scratch = back > needs.scratch ? back : needs.scratch;
        needs.scratch = ahead > needs.scratch ? ahead : needs.scratch;
        needs.scratch = update > needs.scratch ? update : needs.scratch;
        needs.followed = followed > needs.followed ? followed : needs.followed;
        needs.parameters += (sizes[l] + 1) * row;
    }
    return needs;
}

/* Blocks of up to `room` examples. */
static FN(blocks) FN(take_blocks)(const fn_network *network, const fn_examples *examples, size_t room,
                                  size_t *used, char *memory)
{
    FN(blocks) b = {.words = fn_words(network->sizes[0]), .room = room,
                    .x_room = fn_stride(examples->longest + FN_LANES, sizeof(real))};
    b.masks = FN(take)(used, memory, b.words * b.room * sizeof *b.masks);
    b.bits = FN(take)(used, memory, b.words * 64 * sizeof *b.bits);
    b.x = FN(take)(used, memory, b.room * b.x_room * sizeof(real));
    b.next = FN(take)(used, memory, b.room * sizeof *b.next);
    b.rows = FN(take)(used, memory, b.x_room * sizeof *b.rows);
    return b;
}

/* Divide memory among the arrays for mini-batches of m and the thread `thread`; with memory
 * NULL only count. Returns the bytes that all threads need. */
static size_t FN(divide)(const fn_network *network, const fn_examples *examples, size_t m,
                         const fn_training *training, size_t threads, size_t thread, char *memory,
                         FN(workspace) *w)
{
    const size_t L = network->layers, *sizes = network->sizes, piece = FN(piece)(network, m);
    const size_t stride = fn_stride(sizes[L], sizeof(real));
    const int sparse = examples->offsets != NULL;
    const int blocks = FN(takes_blocks)(network, examples, m, training);
    const int optimizes = training && training->optimizer != FN_PLAIN;
    const FN(needs) needs = FN(needs_of)(network, piece, blocks);
    size_t used = 0;
    w->by_rows = optimizes && m == piece && (!sparse || (blocks && m <= FN_BLOCK));
    w->room = sparse ? FN(list_room)(examples, sizes[0]) : FN(a_stride)(sizes[0]);
    w->places = FN(take)(&used, memory, L * sizeof *w->places);
    w->a = FN(take)(&used, memory, (L + 1) * sizeof *w->a);
    w->delta = FN(take)(&used, memory, (L + 1) * sizeof *w->delta);
    if (!blocks)
        w->x = FN(take)(&used, memory, piece * w->room * sizeof(real));
    if (sparse && !blocks) {
        w->list_rows = FN(take)(&used, memory, piece * w->room * sizeof *w->list_rows);
        w->lists = FN(take)(&used, memory, piece * sizeof *w->lists);
    }
    w->weights = FN(take)(&used, memory, examples->weights ? piece * sizeof *w->weights : 0);
    w->weights = examples->weights ? w->weights : NULL;
    w->y = FN(take)(&used, memory, piece * stride * sizeof(real));
    w->z = FN(take)(&used, memory, piece * stride * sizeof(real));
    for (size_t l = 1; l <= L; l++) {
        const size_t row = piece * sizeof(real);
        real *a = FN(take)(&used, memory, row * FN(a_stride)(sizes[l]));
        real *delta = FN(take)(&used, memory, row * fn_stride(sizes[l], sizeof(real)));
        if (memory && thread == 0)
            w->a[l] = a, w->delta[l] = delta;
    }
    const size_t all = !w->by_rows && (optimizes || m > piece) ? needs.parameters : 0;
    w->nabla = FN(take)(&used, memory, all * sizeof(real));
    const int unsettled = training && training->poll.poll_due && training->l2 > 0 && !optimizes;
    const size_t first = sizes[0] * fn_stride(sizes[1], sizeof(real));
    w->unsettled = FN(take)(&used, memory, unsettled ? first * sizeof(real) : 0);
    for (size_t t = 0; t < threads; t++) {
        FN(workspace) own = {0};
        own.columns = FN(take)(&used, memory,
                               sparse ? 0 : (sizes[0] + FN_LANES) * sizeof *own.columns);
        const size_t masks = sparse && !blocks ? 1 + FN_GROUP : 0;
        own.all = FN(take)(&used, memory, masks * fn_words(sizes[0]) * sizeof *own.all);
        own.scratch = FN(take)(&used, memory, needs.scratch * sizeof(real));
        if (blocks)
            own.blocks = FN(take_blocks)(network, examples, piece < FN_BLOCK ? piece : FN_BLOCK,
                                         &used, memory);
        own.nabla = FN(take)(&used, memory, (w->by_rows ? needs.followed : 0) * sizeof(real));
        if (t == thread) {
            w->columns = own.columns, w->all = own.all, w->scratch = own.scratch;
            w->blocks = own.blocks;
            w->nabla = w->by_rows ? own.nabla : w->nabla;
        }
    }
    return used;
}

static size_t FN(workspace_size)(const fn_network *network, const fn_examples *examples, size_t m,
                                 const fn_training *training, size_t threads)
{
    FN(workspace) w;
    return FN(divide)(network, examples, m, training, threads, 0, NULL, &w);
}

static FN(workspace) FN(open_workspace)(const fn_network *network, const fn_examples *examples,
                                        size_t m, const fn_training *training, size_t threads,
                                        size_t thread, void *memory)
{
    FN(workspace) w = {0};
    FN(divide)(network, examples, m, training, threads, thread, memory, &w);
    if (thread == 0)
        fn_layout(network, sizeof(real), w.places);
    return w;
}
