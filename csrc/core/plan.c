/* The plan of a call, from the table of thresholds (thresholds.def). */
#include "core/plan.h"

#include "core/check.h"

typedef struct {
#define THRESHOLD(type, name, ...) type name;
#define ALIKE THRESHOLD
#include "core/thresholds.def"
#undef THRESHOLD
} thresholds;

#undef ALIKE
#define ALIKE(type, name, value) THRESHOLD(type, name, value, value, value, value, value, value)

enum { COLUMNS = 6 };

static const struct {
#define THRESHOLD(type, name, ...) type name[COLUMNS];
#include "core/thresholds.def"
#undef THRESHOLD
} table = {
#define THRESHOLD(type, name, baseline, avx2, avx2_halves, avx512, halves, neon) \
    .name = {baseline, avx2, avx2_halves, avx512, halves, neon},
#include "core/thresholds.def"
#undef THRESHOLD
};

_Static_assert(FN_EVALUATED <= FN_PIECE, "an evaluation works on one piece at a time");

/* The column of the table for an instruction set and a processor. */
static size_t column_of(fn_target target, fn_processor processor)
{
    switch (target) {
    case FN_BASELINE: break;
    case FN_AVX2: return 1 + (processor.halves_avx512 != 0);
    case FN_AVX512: return 3 + (processor.halves_avx512 != 0);
    case FN_NEON: return 5;
    }
    return 0;
}

static thresholds thresholds_of(fn_target target, fn_processor processor)
{
    const size_t column = column_of(target, processor);
    return (thresholds){
#define THRESHOLD(type, name, ...) .name = table.name[column],
#include "core/thresholds.def"
#undef THRESHOLD
    };
}

static size_t lanes_of(fn_type type, fn_target target)
{
    const size_t bytes = target == FN_AVX512 ? 64 : target == FN_AVX2 ? 32 : 16;
    return bytes / fn_bytes[type];
}

/* ---- one layer ------------------------------------------------------------------------------ */

static int is_large(const thresholds *t, size_t bytes, size_t rows, size_t columns, size_t terms)
{
    const size_t side = t->large_side;
    return rows >= side && columns >= side && terms >= side
           && (rows * columns + columns * terms + terms * rows) * bytes > t->large_bytes;
}

static int is_packed(const thresholds *t, size_t columns, size_t terms)
{
    return columns >= t->packed_columns && terms >= t->packed_terms;
}

/* Returns whether a layer is updated with vectors along its inputs. */
static int is_narrow_update(const thresholds *t, size_t lanes, size_t m, size_t n_out)
{
    return n_out <= lanes / 2 && lanes >= t->narrow_update_lanes && m >= lanes / 2;
}

/* Returns how the errors of m examples are computed if the products are not large. */
static fn_error_kernel error_kernel(const thresholds *t, size_t lanes, size_t m, size_t n_out)
{
    const size_t filled = (m + lanes - 1) / lanes * lanes;
    if (n_out <= t->transposed_vectors * lanes || 8 * m <= t->transposed_eighths * filled)
        return FN_ERROR_TRANSPOSED;
    return is_packed(t, m, n_out) ? FN_ERROR_PACKED : FN_ERROR_TILES;
}

/* Returns the number of terms above which a product prefetches B, for B with this many columns. */
static size_t prefetch_terms(const thresholds *t, size_t bytes, size_t columns)
{
    return t->prefetched_bytes / (fn_stride(columns, bytes) * bytes);
}

/* A layer in the context of its call; threads share the step's m examples. */
typedef struct {
    const thresholds *t;
    fn_type type;
    size_t lanes, m, threads;
} context;

static void plan_forward(const context *c, size_t n_in, size_t n_out, int last,
                         fn_layer_plan *layer)
{
    const int large = is_large(c->t, fn_bytes[c->type], c->m, n_out, n_in);
    const int narrow = c->lanes >= c->t->narrow_forward_lanes && n_out <= c->lanes / 2;
    layer->forward = large ? FN_FORWARD_LARGE : narrow ? FN_FORWARD_NARROW : FN_FORWARD_TILES;
    layer->forward_of_kept = layer->forward;
    layer->forward_by_neurons = large && !last && c->threads > 1;
    layer->prefetch_terms = prefetch_terms(c->t, fn_bytes[c->type], n_out);
}

static void plan_update(const context *c, size_t n_in, size_t n_out, fn_layer_plan *layer)
{
    const thresholds *t = c->t;
    layer->update = is_narrow_update(t, c->lanes, c->m, n_out) ? FN_UPDATE_NARROW
                    : is_large(t, fn_bytes[c->type], c->m, n_in, n_out) ? FN_UPDATE_LARGE
                    : is_packed(t, n_out, c->m) ? FN_UPDATE_PACKED : FN_UPDATE_TILES;
    layer->update_of_kept = layer->update;
    const size_t most = n_out < t->packed_columns ? t->packed_columns : t->packed_terms;
    layer->update_in_parts = c->m < most;
}

static void plan_error(const context *c, size_t n_in, size_t n_out, fn_layer_plan *layer)
{
    const thresholds *t = c->t;
    const size_t bytes = fn_bytes[c->type], most = t->large_error_examples;
    const int large = is_large(t, bytes, n_in, c->m < most ? c->m : most, n_out);
    const size_t share = large || c->threads == 1 ? c->m : (c->m + c->threads - 1) / c->threads;
    const size_t at_once = large ? most : t->error_examples;
    layer->error_by_neurons = large && c->threads > 1;
    layer->error_examples = share < at_once ? share : at_once;
    if (large) {
        layer->error = layer->error_of_rest = FN_ERROR_LARGE;
        return;
    }
    const size_t rest = share <= at_once ? 0 : share % at_once;
    layer->error = error_kernel(t, c->lanes, layer->error_examples, n_out);
    layer->error_of_rest = rest ? error_kernel(t, c->lanes, rest, n_out) : layer->error;
    layer->error_prefetch_terms = prefetch_terms(t, bytes, layer->error_examples);
}

fn_layer_plan fn_plan_layer(fn_type type, fn_target target, fn_processor processor,
                            fn_dimensions size)
{
    const thresholds t = thresholds_of(target, processor);
    const context c = {&t, type, lanes_of(type, target), size.m, 1};
    fn_layer_plan layer = {0};
    plan_forward(&c, size.n_in, size.n_out, 0, &layer);
    plan_error(&c, size.n_in, size.n_out, &layer);
    plan_update(&c, size.n_in, size.n_out, &layer);
    return layer;
}

/* ---- all of a call -------------------------------------------------------------------------- */

/* The narrow kernels read and change consecutive rows of weights only. */
static void plan_kept(fn_layer_plan *first)
{
    if (first->forward == FN_FORWARD_NARROW)
        first->forward_of_kept = FN_FORWARD_TILES;
    if (first->update == FN_UPDATE_NARROW)
        first->update_of_kept = FN_UPDATE_TILES;
}

/* Returns whether the slopes of hidden layer l cannot be computed from its activations. */
static int keeps_slopes(const fn_plan_input *in, size_t l)
{
    const fn_activation neurons = in->network->hidden[l - 1];
    const double *dropout = in->training ? in->training->dropout : NULL;
    return fn_activations[neurons.kind].keeps_slope || (dropout && dropout[l - 1] > 0);
}

/* Returns the most examples whose Jacobians are computed at once. */
static size_t jacobian_examples(const thresholds *t, const fn_network *network)
{
    const size_t n_out = network->sizes[network->layers];
    const size_t some = n_out < t->jacobian_rows ? t->jacobian_rows / n_out : 1;
    return some < FN_EVALUATED ? some : FN_EVALUATED;
}

/* Returns whether the first layer's weights are transposed once for all steps of m examples, which
 * multiply them by tiles. Large tiles transpose as they copy. */
static int transposes_first(const thresholds *t, const fn_plan_input *in, size_t m)
{
    const size_t *sizes = in->network->sizes, L = in->network->layers;
    return in->call == FN_CALL_JACOBIAN && L > 1 && in->n > m
           && sizes[0] >= lanes_of(in->type, in->target)
           && !is_large(t, fn_bytes[in->type], m * sizes[L], sizes[0], sizes[1]);
}

/* Plan how the Jacobian of layer l's inputs follows from that of its outputs: like errors, of as
 * many examples as it has rows. The last layer's is its weights, multiplied by slopes. */
static void plan_jacobian(context c, const fn_plan *plan, size_t l, fn_layer_plan *layer)
{
    const size_t *sizes = plan->network->sizes, L = plan->network->layers;
    layer->keeps_slopes = l > 0;
    c.m *= sizes[L];
    if (l == 0 && plan->transposes_first)
        layer->error_prefetch_terms = prefetch_terms(c.t, fn_bytes[c.type], sizes[0]);
    else if (l + 1 < L)
        plan_error(&c, sizes[l], sizes[l + 1], layer);
}

static void plan_step(const fn_plan_input *in, const fn_plan *plan, context c, fn_step *step,
                      fn_layer_plan *layers)
{
    const size_t L = in->network->layers, *sizes = in->network->sizes;
    step->m = c.m;
    step->layers = layers;
    for (size_t l = 0; l < L; l++) {
        fn_layer_plan *layer = layers + l;
        *layer = (fn_layer_plan){0};
        plan_forward(&c, sizes[l], sizes[l + 1], l + 1 == L, layer);
        if (plan->call == FN_CALL_JACOBIAN)
            plan_jacobian(c, plan, l, layer);
        else if (plan->call != FN_CALL_FORWARD) {
            plan_update(&c, sizes[l], sizes[l + 1], layer);
            if (l > 0) {
                plan_error(&c, sizes[l], sizes[l + 1], layer);
                layer->keeps_slopes = keeps_slopes(in, l);
            }
        }
    }
    if (plan->drops_zero_inputs)
        plan_kept(layers);
    if (plan->first_layer == FN_FIRST_DENSE)
        return;
    const int lists = plan->first_layer == FN_FIRST_LISTS;
    layers->forward = lists ? FN_FORWARD_LISTS : FN_FORWARD_BLOCKS;
    layers->forward_of_kept = layers->forward;
    layers->forward_by_neurons = 0;
    layers->update_in_parts = 0;
    if (!fn_takes_turns(plan->call))
        layers->update = layers->update_of_kept = lists ? FN_UPDATE_LISTS : FN_UPDATE_BLOCKS;
}

/* Returns whether the first layer is computed from blocks, which load and store a row of weights
 * once for all examples that use it. This is faster if many examples use it and if it is long. */
static int uses_blocks(const thresholds *t, const fn_plan_input *in, size_t m)
{
    const size_t bytes = fn_bytes[in->type];
    const size_t lines = fn_lines(in->network->sizes[1], bytes) * bytes / 64;
    if (in->density < t->block_density || m < t->block_examples || lines <= t->short_row_lines)
        return 0;
    const size_t counted = lines < t->long_row_lines ? lines : t->long_row_lines;
    /* the mean number of examples that use a row in a round */
    double uses = in->density * (double)fn_next_part(m, FN_BLOCK);
    if (m > FN_BLOCK)
        uses /= 2; /* blocks of several rounds are made again for the update */
    return uses * (double)(counted - t->short_row_lines) >= t->block_uses;
}

static void plan_first_layer(const thresholds *t, const fn_plan_input *in, fn_plan *plan)
{
    const fn_training *training = in->training;
    plan->first_layer = FN_FIRST_DENSE;
    plan->examples_per_list = 1;
    plan->list_update_vectors = t->list_update_vectors;
    plan->streamed_rows = t->streamed_rows;
    if (in->form == FN_DENSE) {
        const size_t n_in = in->network->sizes[0], lanes = lanes_of(in->type, in->target);
        const int can_drop = fn_takes_turns(in->call) || in->threads == 1;
        plan->drops_zero_inputs = can_drop && n_in > lanes;
        plan->most_zeros = t->zero_eighths * n_in / 8 + lanes;
        plan->prefetches_examples = in->inputs_bytes > t->prefetched_examples_bytes;
        return;
    }
    const int blocks = training && training->by_blocks ? training->by_blocks > 0
                                                       : uses_blocks(t, in, plan->m);
    plan->first_layer = blocks ? FN_FIRST_BLOCKS : FN_FIRST_LISTS;
    if (in->form != FN_MASKS)
        return;
    plan->examples_per_list = t->examples_per_list;
    if (training && training->sharing > 0 && training->sharing <= FN_MOST_SHARING)
        plan->examples_per_list = training->sharing;
}

/* Plan how the gradient is used. An optimizer needs the complete gradient of a parameter; it can be
 * passed row by row if each row is computed only once in a step. */
static void plan_gradient(const fn_plan_input *in, fn_plan *plan)
{
    const fn_training *training = in->training;
    const int whole = plan->piece == plan->m;
    plan->gradient = FN_FUSED_UPDATE;
    if (!training)
        return;
    const int plain = training->optimizer == FN_PLAIN;
    const int one_round = plan->first_layer == FN_FIRST_DENSE
                          || (plan->first_layer == FN_FIRST_BLOCKS && plan->m <= FN_BLOCK);
    if (!plain && whole && one_round)
        plan->gradient = FN_STREAMED_GRADIENT;
    else if (!plain || !whole)
        plan->gradient = FN_COLLECTED_GRADIENT;
    plan->lazy_decay = plan->gradient == FN_FUSED_UPDATE && training->l1 == 0 && training->l2 > 0;
}

void fn_make_plan(const fn_plan_input *in, fn_plan *plan, fn_layer_plan *layers)
{
    const thresholds t = thresholds_of(in->target, in->processor);
    const size_t L = in->network->layers, n = in->n;
    size_t m = in->call == FN_CALL_TRAIN ? in->m : n, piece;
    FN_ASSERT(L >= 1 && in->threads >= 1);
    FN_ASSERT(in->call != FN_CALL_TRAIN || (in->m >= 1 && in->training));
    for (size_t l = 0; l <= L; l++)
        FN_ASSERT(in->network->sizes[l] >= 1);
    const size_t most = in->call == FN_CALL_JACOBIAN ? jacobian_examples(&t, in->network)
                                                     : FN_EVALUATED;
    if (fn_takes_turns(in->call))
        m = m < most ? m : most;
    m += m == 0; /* without examples there are no steps, but m must not be 0 */
    piece = m < FN_PIECE || in->network->cost == FN_OTHER_COST ? m : FN_PIECE;
    *plan = (fn_plan){
        .network = in->network, .type = in->type, .target = in->target,
        .processor = in->processor, .call = in->call, .form = in->form, .n = n, .m = m,
        .piece = piece, .threads = in->threads,
    };
    plan_first_layer(&t, in, plan);
    plan_gradient(in, plan);
    plan->transposes_first = transposes_first(&t, in, m);
    const size_t last = n < m ? n : n % m;
    const size_t sizes[FN_STEPS] = {
        [FN_WHOLE_STEP] = piece,
        [FN_LAST_PIECE] = piece < m ? m % piece : 0,
        [FN_LAST_STEP] = last > piece ? last % piece : last < piece ? last : 0,
    };
    context c = {.t = &t, .type = in->type, .lanes = lanes_of(in->type, in->target)};
    /* in an evaluation each thread has its own pieces */
    c.threads = fn_takes_turns(in->call) ? 1 : in->threads;
    for (size_t i = 0; i < FN_STEPS; i++) {
        c.m = sizes[i];
        if (c.m > 0)
            plan_step(in, plan, c, plan->steps + i, layers + i * L);
    }
}

void fn_describe_examples(const fn_examples *examples, size_t n_in, fn_plan_input *input)
{
    if (!examples->offsets) {
        input->form = FN_DENSE;
        input->inputs_bytes = examples->n * n_in * fn_bytes[examples->inputs_type];
        return;
    }
    const int64_t stored = examples->offsets[examples->n] - examples->offsets[0];
    input->form = examples->masks ? FN_MASKS : FN_COLUMNS;
    input->density = (double)stored / (double)examples->n / (double)n_in;
}

fn_form fn_choose_form(fn_type type, fn_target target, fn_processor processor,
                       const fn_network *network, double density)
{
    const thresholds t = thresholds_of(target, processor);
    const size_t bytes = fn_bytes[type], n_out = network->sizes[1];
    const int wide = fn_lines(n_out, bytes) * bytes >= t.wide_row_bytes;
    if (density > (wide ? t.wide_compressed_density : t.compressed_density))
        return FN_DENSE;
    if (network->sizes[0] > UINT32_MAX / fn_stride(n_out, bytes))
        return FN_DENSE; /* lists have 32-bit offsets of the weights */
    return t.examples_per_list > 1 && density > t.shared_density ? FN_MASKS : FN_COLUMNS;
}

size_t fn_choose_threads(const fn_network *network, size_t m, double density, size_t most)
{
    const thresholds t = thresholds_of(FN_BASELINE, (fn_processor){0});
    double largest = 0, later = 0;
    const size_t *sizes = network->sizes;
    for (size_t l = 0; l < network->layers; l++) {
        const double weights = (double)sizes[l] * (double)sizes[l + 1];
        largest = weights > largest ? weights : largest;
        later += l ? weights : 0;
    }
    if (largest < (double)t.thread_weights)
        return 1;
    const double first = (double)sizes[0] * (double)sizes[1];
    const double operations = (double)m * (2 * first * density + 3 * later);
    const double busy = operations / (double)t.thread_operations; /* threads with enough to do */
    most = most < m ? most : m;
    return busy < 2 || most < 2 ? 1 : busy < (double)most ? (size_t)busy : most;
}

/* ---- names ---------------------------------------------------------------------------------- */

#define WORDS(name, words) [name] = words,
#define NAME(of, type, each)                                               \
    const char *fn_##of##_name(type value)                                 \
    {                                                                      \
        static const char *const names[] = {each(WORDS) NULL};             \
        return (size_t)value < sizeof names / sizeof *names ? names[value] : NULL; \
    }
NAME(target, fn_target, FN_EACH_TARGET)
NAME(call, fn_call, FN_EACH_CALL)
NAME(form, fn_form, FN_EACH_FORM)
NAME(first_layer, fn_first_layer, FN_EACH_FIRST_LAYER)
NAME(forward, fn_forward_kernel, FN_EACH_FORWARD)
NAME(error, fn_error_kernel, FN_EACH_ERROR)
NAME(update, fn_update_kernel, FN_EACH_UPDATE)
NAME(gradient, fn_gradient_use, FN_EACH_GRADIENT)
