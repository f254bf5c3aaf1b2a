/* Trains without Python.
 *
 *     driver [ISA]
 *
 * trains one small network in every way, of one instruction set or of all, and prints a
 * line of hashes for each: of the trained parameters and their cost, over several sizes of
 * mini-batches and types of inputs, and of what hidden neurons of every kind make of a row
 * of numbers.
 *
 *     avx2 columns 2 f32 0123456789abcdef f64 0123456789abcdef
 *
 * is what compressed rows with columns, on two threads, come to. All ways and threads of
 * all targets with fused multiply-add must print the same hashes. The best instruction set
 * has lines of the way `large`, too, of a layer that it copies,
 *
 *     avx512 large 2 f64 0123456789abcdef
 *
 * which are the same for all numbers of threads. Sanitizers run this.
 *
 *     driver ISA WAY TYPE M MINI_BATCHES SIZE SIZE...
 *
 * trains a network of these sizes on so many mini-batches of M, with one thread, and prints
 * nothing: for profilers and instruction counts.
 *
 *     driver avx2 masks f32 10 100 784 30 10
 *
 * WAY: dense, columns or masks, whose inputs are zeros as often as MNIST's; full, dense rows
 * without zeros; or relu, the same with rectified linear neurons.
 *
 *     driver cost NAME [PARAMETER...]
 *     driver activation NAME [PARAMETER...]
 *     driver optimizer NAME [COEFFICIENT...]
 *
 * check one row of csrc/api/, see check_rows.h. */
#define _POSIX_C_SOURCE 200112L /* posix_memalign */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan.h"
#include "fastnet.h"

enum { MOST_LAYERS = 8 };

static const char *const forms[] = {
    [FN_DENSE] = "dense", [FN_COLUMNS] = "columns", [FN_MASKS] = "masks",
};

/* splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t state;

static uint64_t next_random(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static void fail(const char *what)
{
    fprintf(stderr, "driver: %s\n", what);
    exit(2);
}

/* Zeroed, aligned, and not a byte longer than asked for, so that sanitizers see its end. */
static void *allocate(size_t bytes)
{
    void *memory;
    if (posix_memalign(&memory, 64, bytes))
        fail("no memory");
    memset(memory, 0, bytes);
    return memory;
}

/* Example s has a label and bytes. Input j is other than zero with probability u^4, u
 * growing along a row of 28: a fifth of the inputs, and 157, 226, 269 and 390 of 784 in
 * any of 1, 2, 3 and 10 examples, where MNIST has 150, 229, 275 and 383. Every 50th
 * example has nothing but zeros. `full`: no zeros at all. */
static fn_examples make_examples(size_t n, size_t n_in, size_t classes, int full)
{
    uint8_t *inputs = allocate(n * n_in);
    int64_t *labels = allocate(n * sizeof *labels);
    for (size_t s = 0; s < n; s++) {
        labels[s] = (int64_t)(next_random() % classes);
        for (size_t j = 0; j < n_in; j++) {
            const double u = (double)(2 * (j % 28) + 1) / 56;
            const int some = s % 50 && (double)(next_random() >> 11) * 0x1p-53 < u * u * u * u;
            inputs[s * n_in + j] = full || some ? (uint8_t)(1 + next_random() % 255) : 0;
        }
    }
    fn_examples examples = {
        .n = n, .inputs = inputs, .inputs_stride = n_in, .inputs_type = FN_U8,
        .targets = labels, .targets_stride = sizeof *labels, .targets_type = FN_I64,
    };
    fn_set_scale(&examples, 1 / 255.0);
    return examples;
}

/* The same examples with inputs of another type. */
static fn_examples converted(const fn_examples *bytes, size_t n_in, fn_type type)
{
    const size_t length = bytes->n * n_in;
    const uint8_t *from = bytes->inputs;
    fn_examples result = *bytes;
    void *inputs = allocate(length * fn_bytes[type]);
    for (size_t i = 0; i < length; i++)
        if (type == FN_U8)
            ((uint8_t *)inputs)[i] = from[i];
        else if (type == FN_F32)
            ((float *)inputs)[i] = from[i];
        else
            ((double *)inputs)[i] = from[i];
    result.inputs = inputs, result.inputs_type = type, result.inputs_stride = n_in * fn_bytes[type];
    return result;
}

/* The same examples in another form. */
static fn_examples compressed(const fn_examples *dense, size_t n_in, fn_form form)
{
    fn_examples result = *dense;
    if (form == FN_DENSE)
        return result;
    int64_t *offsets = allocate((dense->n + 1) * sizeof *offsets);
    const size_t bytes = fn_bytes[dense->inputs_type];
    size_t capacity = 0; /* exactly, so that a sanitizer sees what is read or written behind */
    for (size_t k = 0; k < dense->n * n_in; k++)
        capacity += memcmp((const char *)dense->inputs + k * bytes, (char[8]){0}, bytes) != 0;
    void *values = allocate(capacity * bytes + (form == FN_MASKS ? 128 : 0));
    uint16_t *columns = form == FN_COLUMNS ? allocate(capacity * sizeof *columns) : NULL;
    uint64_t *masks = form == FN_MASKS ? allocate(dense->n * fn_words(n_in) * sizeof *masks) : NULL;
    const fn_type type = dense->inputs_type == FN_F64 ? FN_F64 : FN_F32;
    const fn_compressed to = {.offsets = offsets, .values = values, .columns = columns,
                              .columns_type = FN_U16, .masks = masks, .capacity = capacity};
    fn_compress(type, dense, n_in, &to);
    for (size_t s = 0; s < dense->n; s++) {
        const size_t length = (size_t)(offsets[s + 1] - offsets[s]);
        result.longest = length > result.longest ? length : result.longest;
    }
    result.inputs = values, result.offsets = offsets, result.masks = masks;
    result.columns = columns, result.columns_type = FN_U16;
    return result;
}

static void release(const fn_examples *examples)
{
    free((void *)examples->inputs);
    free((void *)examples->offsets);
    free((void *)examples->columns);
    free((void *)examples->masks);
}

/* Callbacks that run often, and let all go on: they must change no bit. */
static size_t poll_soon(void *context)
{
    size_t *polls = context;
    *polls += 1;
    return *polls % 3;
}

static int need_weights_sometimes(void *context) { return *(size_t *)context % 2; }

static int go_on(void *context, size_t done)
{
    (void)context, (void)done;
    return 0;
}

/* A fresh random order of n examples. */
static int64_t *make_order(size_t n)
{
    uint64_t *raw = allocate(n * sizeof *raw);
    int64_t *order = allocate(n * sizeof *order);
    for (size_t s = 0; s < n; s++)
        raw[s] = next_random(), order[s] = (int64_t)s;
    fn_shuffle(0, n, raw, order);
    free(raw);
    return order;
}

/* The same standard normal numbers every time; pads are zero. */
static void *make_parameters(fn_type type, const fn_network *network)
{
    fn_place places[MOST_LAYERS];
    const size_t *sizes = network->sizes;
    state = 1;
    void *parameters = allocate(fn_layout(network, fn_bytes[type], places) * fn_bytes[type]);
    for (size_t l = 0; l < network->layers; l++)
        for (size_t i = 0; i <= sizes[l]; i++) /* weights, then biases */
            for (size_t o = 0; o < sizes[l + 1]; o++) {
                const size_t at = places[l].weights + i * places[l].stride + o;
                const uint64_t raw = next_random();
                double x;
                fn_standard_normal(1, &raw, &x);
                if (type == FN_F32)
                    ((float *)parameters)[at] = (float)x;
                else
                    ((double *)parameters)[at] = x;
            }
    return parameters;
}


/* FNV-1a, on from h; the sign of a zero does not count. */
static const uint64_t first_hash = 0xCBF29CE484222325;

static uint64_t hash(uint64_t h, const void *memory, size_t bytes, size_t element)
{
    const uint8_t *byte = memory;
    for (size_t i = 0; i < bytes; i += element) {
        uint8_t copy[8], zero[8] = {0};
        memcpy(copy, byte + i, element);
        copy[element - 1] &= 0x7F;
        const int is_zero = memcmp(copy, zero, element) == 0;
        for (size_t b = 0; b < element; b++)
            h = (h ^ (is_zero ? 0 : byte[i + b])) * 0x100000001B3;
    }
    return h;
}

/* Over the activations and slopes of hidden neurons, on from h. */
static uint64_t hash_of_neurons(uint64_t h, fn_type type)
{
    enum { N = 3001 };
    void *z = allocate(N * fn_bytes[type]), *a = allocate(N * fn_bytes[type]);
    void *slope = allocate(N * fn_bytes[type]);
    for (size_t i = 0; i < N; i++)
        if (type == FN_F32)
            ((float *)z)[i] = (float)((double)i / 100 - 15);
        else
            ((double *)z)[i] = (double)i / 100 - 15;
    for (size_t i = 0; fn_activation_row(i); i++) {
        if (!fn_activations[i].hidden)
            continue;
        const fn_activation neurons = {(fn_activation_kind)i, {0.01}};
        fn_activate(type, neurons, N, z, a, slope);
        h = hash(h, a, N * fn_bytes[type], fn_bytes[type]);
        h = hash(h, slope, N * fn_bytes[type], fn_bytes[type]);
    }
    free(z);
    free(a);
    free(slope);
    return h;
}

/* What one line's hash is over. The scales: one that is rounded as a float, one that is not.
 * 130 examples and 140 outputs are enough for the tile to copy its rows. Techniques and
 * hidden neurons go by in turn, since each job costs time under sanitizers and emulators. */
#define KIND(name) {.kind = name}
#define LEAKY(slope) {FN_LEAKY_RELU, {slope}}
static const double half[] = {0.5, 0.25};
static const uint64_t keys[] = {2, 3};
typedef struct {
    size_t m;
    fn_type inputs;
    double scale;
    fn_activation hidden[2];
    int weighted;
    size_t passes;
    fn_training training;
} job;
static const job jobs[] = {
    {1, FN_U8, 1 / 255.0, {KIND(FN_SIGMOID), KIND(FN_SIGMOID)}, 0, 1,
     {.eta = 0.5, .l2 = 0.002, .optimizer = FN_PLAIN}},
    {10, FN_U8, 1 / 255.0, {KIND(FN_SIGMOID), KIND(FN_SIGMOID)}, 1, 3,
     {.eta = 0.5, .l2 = 0.002, .optimizer = FN_PLAIN, .by_blocks = -1, .sharing = 5}},
    {70, FN_F32, 1 / 255.0, {KIND(FN_SIGMOID), KIND(FN_SIGMOID)}, 1, 1,
     {.eta = 0.5, .l2 = 0.2, .optimizer = FN_PLAIN, .divide_l2 = 1, .by_blocks = 1}},
    {130, FN_U8, 1 / 255.0, {KIND(FN_TANH), KIND(FN_GELU)}, 0, 1,
     {.eta = 0.005, .l2 = 0.002, .optimizer = FN_MOMENTUM, .coefficients = {0.9}, .dropout = half, .key = 1}},
    {10, FN_F32, 1 / 255.0, {KIND(FN_RELU), LEAKY(0.01)}, 0, 1,
     {.eta = 0.0005, .l1 = 0.002, .optimizer = FN_NESTEROV, .coefficients = {0.9}, .by_blocks = 1}},
    {10, FN_F64, 1 / 255.0, {KIND(FN_SIGMOID), KIND(FN_TANH)}, 0, 2,
     {.eta = 0.001, .optimizer = FN_ADAM, .coefficients = {0.9, 0.999, 1e-8},
      .by_blocks = -1, .sharing = 3}},
    {10, FN_U8, 1 / 256.0, {LEAKY(0.01), KIND(FN_RELU)}, 0, 2,
     {.eta = 0.005, .l2 = 0.002, .optimizer = FN_PLAIN, .shift = 2, .side = 13, .keys = keys, .by_blocks = 1}},
    {10, FN_F32, 1 / 256.0, {KIND(FN_GELU), KIND(FN_SIGMOID)}, 0, 1,
     {.eta = 0.001, .l2 = 0.002, .l1 = 0.001, .optimizer = FN_ADAMW, .coefficients = {0.9, 0.99, 1e-8},
      .steps = 7, .by_blocks = 1}},
    {10, FN_U8, 1 / 256.0, {KIND(FN_SWISH), LEAKY(0.25)}, 0, 1,
     {.eta = 0.0005, .l2 = 0.002, .l1 = 0.001, .optimizer = FN_RMSPROP, .coefficients = {0.99, 1e-8},
      .by_blocks = -1, .sharing = 3}},
};
enum { JOBS = sizeof jobs / sizeof *jobs };

/* Two mini-batches of a layer with more than 4 MB in its operands (large_bytes in csrc/core/thresholds.def). A
 * thread's share of its neurons is a multiple of 256, for which fn_stride is wider. */
static const size_t large_sizes[] = {16, 1024, 512, 10};
static const job large = {
    128, FN_F32, 1 / 255.0, {KIND(FN_SIGMOID), KIND(FN_GELU)}, 0, 2,
    {.eta = 0.5, .l2 = 0.002, .optimizer = FN_PLAIN, .dropout = half, .key = 1},
};

typedef struct {
    fn_plan plan;
    fn_layer_plan layers[FN_STEPS * MOST_LAYERS];
} planned;

/* m and training are of a training. */
static void make_plan(planned *result, fn_call call, fn_type type, const fn_network *network,
                      const fn_examples *examples, size_t n, size_t m, const fn_training *training,
                      size_t threads)
{
    fn_plan_input input = {
        .network = network, .type = type, .target = fn_selected_target(),
        .processor = fn_this_processor(), .call = call, .n = n, .m = m, .training = training,
        .threads = threads,
    };
    fn_describe_examples(examples, network->sizes[0], &input);
    fn_make_plan(&input, &result->plan, result->layers);
}

/* Whether the instruction set in use ever asks for masks: only one that can read them does. */
static int takes_masks(fn_type type, const fn_network *network)
{
    return fn_choose_form(type, fn_selected_target(), fn_this_processor(), network, 0.2) == FN_MASKS;
}

/* On from h, over the gradient of all examples and their cost. */
static uint64_t hash_of_gradient(uint64_t h, fn_type type, const fn_network *network,
                                 const fn_examples *examples, const void *parameters, fn_poll poll,
                                 size_t threads)
{
    fn_place places[MOST_LAYERS];
    const size_t length = fn_layout(network, fn_bytes[type], places) * fn_bytes[type];
    const fn_training callbacks = {.poll = poll};
    planned p;
    make_plan(&p, FN_CALL_GRADIENT, type, network, examples, examples->n, 0, NULL, threads);
    void *workspace = allocate(fn_workspace_size(type, &p.plan, examples, NULL));
    void *nabla = allocate(length);
    double cost = -1;
    fn_gradient(type, &p.plan, parameters, examples, nabla, &cost, &callbacks, workspace);
    h = hash(h, nabla, length, fn_bytes[type]);
    h = hash(h, &cost, sizeof cost, sizeof cost);
    free(nabla);
    free(workspace);
    return h;
}

/* On from h, over the Jacobians of the first examples, each of which must be the same alone. */
static uint64_t hash_of_jacobian(uint64_t h, fn_type type, const fn_network *network,
                                 const fn_examples *examples, const void *parameters, fn_poll poll,
                                 size_t threads)
{
    const size_t n_in = network->sizes[0], n_out = network->sizes[network->layers];
    const size_t item = fn_bytes[type], size = n_out * n_in * item;
    fn_examples some = *examples;
    some.n = examples->n < 8 ? examples->n : 8; /* two steps of 10 outputs */
    double *slopes = allocate(n_in * sizeof *slopes);
    for (size_t i = 0; i < n_in; i++)
        slopes[i] = (double)(i % 5) / 3;
    char *a = allocate(some.n * n_out * item), *jacobian = allocate(some.n * size);
    char *alone = allocate(size);
    planned p;
    make_plan(&p, FN_CALL_JACOBIAN, type, network, &some, some.n, 0, NULL, threads);
    void *workspace = allocate(fn_evaluation_size(type, &p.plan, &some));
    fn_derivatives to = {.a = a, .jacobian = jacobian, .slopes = slopes};
    fn_jacobian(type, &p.plan, parameters, &some, &to, poll, workspace);
    free(workspace);
    h = hash(h, a, some.n * n_out * item, item);
    h = hash(h, jacobian, some.n * size, item);
    const uint64_t first = hash(first_hash, jacobian, size, item);
    some.n = 1;
    make_plan(&p, FN_CALL_JACOBIAN, type, network, &some, 1, 0, NULL, 1);
    workspace = allocate(fn_evaluation_size(type, &p.plan, &some));
    to.jacobian = alone;
    fn_jacobian(type, &p.plan, parameters, &some, &to, poll, workspace);
    if (hash(first_hash, alone, size, item) != first)
        fail("the Jacobian of an example alone differs");
    free(workspace);
    free(alone);
    free(jacobian);
    free(a);
    free(slopes);
    return h;
}

/* On from h, over the parameters and the cost that a job ends with. */
static uint64_t hash_of_job(uint64_t h, const job *at, fn_type type, fn_form form, size_t threads,
                            fn_network network, const fn_examples *bytes, const int64_t *order)
{
    const size_t n = bytes->n, n_in = network.sizes[0], m = at->m;
    double *weights = allocate(n * sizeof *weights);
    for (size_t s = 0; s < n; s++)
        weights[s] = (double)(s % 7) / 3;
    network.hidden = at->hidden;
    fn_examples dense = converted(bytes, n_in, at->inputs);
    fn_set_scale(&dense, at->scale);
    dense.weights = at->weighted ? weights : NULL;
    fn_training training = at->training;
    /* Masks do not serve for images that are moved. */
    const fn_form here = form == FN_MASKS && training.shift ? FN_COLUMNS : form;
    const fn_examples examples = here == FN_DENSE ? dense : compressed(&dense, n_in, here);
    fn_place places[MOST_LAYERS];
    const size_t length = fn_layout(&network, fn_bytes[type], places) * fn_bytes[type];
    void *parameters = make_parameters(type, &network);
    training.moments = allocate(FN_MOST_MOMENTS * length);
    size_t polls = 0;
    const fn_poll poll = {poll_soon, need_weights_sometimes, go_on, &polls};
    training.poll = poll;
    int64_t n_complete = 0;
    const size_t passes = at->passes, each = n / passes;
    planned p;
    make_plan(&p, FN_CALL_TRAIN, type, &network, &examples, each, m, &training, threads);
    void *workspace = allocate(fn_workspace_size(type, &p.plan, &examples, &training));
    training.n_complete = &n_complete;
    training.snapshots = allocate(2 * length), training.n_snapshots = 2;
    fn_train(type, &p.plan, parameters, &examples, order, passes, &training, workspace);
    if (n_complete != (int64_t)passes
        || memcmp((char *)training.snapshots + (passes - 1) % 2 * length, parameters, length))
        fail("a pass was not complete");
    free(training.snapshots);
    free(workspace);
    free(training.moments);
    make_plan(&p, FN_CALL_FORWARD, type, &network, &examples, n, 0, NULL, threads);
    workspace = allocate(fn_evaluation_size(type, &p.plan, &examples));
    size_t correct;
    const double cost = fn_evaluate(type, &p.plan, parameters, &examples, &correct, poll, workspace);
    h = hash(h, parameters, length, fn_bytes[type]);
    h = hash(h, &cost, sizeof cost, sizeof cost);
    free(workspace);
    h = hash_of_gradient(h, type, &network, &examples, parameters, poll, threads);
    h = hash_of_jacobian(h, type, &network, &examples, parameters, poll, threads);
    network.output = FN_SOFTMAX;
    h = hash_of_jacobian(h, type, &network, &examples, parameters, poll, threads);
    free(parameters);
    if (form != FN_DENSE)
        release(&examples);
    release(&dense);
    free(weights);
    return h;
}

/* An epoch of each job from the same start, in one way, or passes over equal parts of it,
 * behind the neurons. */
static uint64_t hash_of_jobs(fn_type type, fn_form form, size_t threads, fn_network network,
                             const fn_examples *bytes, const int64_t *order)
{
    uint64_t h = hash_of_neurons(first_hash, type);
    for (size_t i = 0; i < JOBS; i++)
        h = hash_of_job(h, &jobs[i], type, form, threads, network, bytes, order);
    return h;
}

/* For the instruction set that is selected. */
static void print_hashes_of_large(const char *isa)
{
    enum { EXAMPLES = 256 };
    const fn_network network = {.layers = 3, .sizes = large_sizes, .hidden = large.hidden,
                                .output = FN_SIGMOID, .cost = FN_CROSS_ENTROPY};
    const fn_examples bytes = make_examples(EXAMPLES, large_sizes[0], large_sizes[3], 0);
    int64_t *order = make_order(EXAMPLES);
    for (size_t threads = 1; threads <= 3; threads++) {
        const uint64_t f64 = hash_of_job(first_hash, &large, FN_F64, FN_DENSE, threads, network, &bytes,
                                         order);
        printf("%s large %zu f64 %016llx\n", isa, threads, (unsigned long long)f64);
    }
    free(order);
    release(&bytes);
    free((void *)bytes.targets);
}

/* only: NULL, or the one instruction set. */
static void print_hashes(const char *only)
{
    enum { EXAMPLES = 150 };
    static const size_t sizes[] = {169, 140, 17, 10};
    const fn_network network = {.layers = 3, .sizes = sizes, .hidden = jobs[0].hidden,
                                .output = FN_SIGMOID, .cost = FN_CROSS_ENTROPY};
    const fn_examples bytes = make_examples(EXAMPLES, sizes[0], sizes[3], 0);
    int64_t *order = make_order(EXAMPLES);
    const char *isa, *last_isa = NULL;
    for (size_t i = 0; (isa = fn_isa_name(i)); i++) {
        if (only && strcmp(isa, only))
            continue;
        fn_select(last_isa = isa);
        const fn_form last = takes_masks(FN_F32, &network) ? FN_MASKS : FN_COLUMNS;
        for (fn_form form = FN_DENSE; form <= last; form++)
            for (size_t threads = 1; threads <= 3; threads++) {
                const uint64_t f32 = hash_of_jobs(FN_F32, form, threads, network, &bytes, order);
                const uint64_t f64 = hash_of_jobs(FN_F64, form, threads, network, &bytes, order);
                printf("%s %s %zu f32 %016llx f64 %016llx\n", isa, forms[form], threads,
                       (unsigned long long)f32, (unsigned long long)f64);
            }
    }
    print_hashes_of_large(last_isa);
    free(order);
    release(&bytes);
    free((void *)bytes.targets);
}

/* The arguments as the file's head says. */
static void run(char **arguments, size_t n_sizes)
{
    enum { EXAMPLES = 1000 };
    const char *isa = arguments[0], *way = arguments[1];
    const fn_type type = strcmp(arguments[2], "f64") == 0 ? FN_F64 : FN_F32;
    const size_t m = strtoul(arguments[3], NULL, 10);
    size_t left = strtoul(arguments[4], NULL, 10), sizes[MOST_LAYERS + 1];
    for (size_t l = 0; l < n_sizes; l++)
        sizes[l] = strtoul(arguments[5 + l], NULL, 10);
    const int relu = strcmp(way, "relu") == 0, full = relu || strcmp(way, "full") == 0;
    fn_activation hidden[MOST_LAYERS];
    for (size_t l = 0; l < MOST_LAYERS; l++)
        hidden[l].kind = relu ? FN_RELU : FN_SIGMOID;
    const fn_network network = {.layers = n_sizes - 1, .sizes = sizes, .hidden = hidden,
                                .output = FN_SIGMOID, .cost = FN_CROSS_ENTROPY};
    fn_form form = FN_DENSE;
    while (!full && form <= FN_MASKS && strcmp(way, forms[form]))
        form++;
    if (form > FN_MASKS || m < 1 || m > EXAMPLES)
        fail("WAY is dense, columns, masks, full or relu, M from 1 to 1000");
    if (fn_select(isa))
        fail("this processor has no such ISA");
    if (form == FN_MASKS && !takes_masks(type, &network))
        fail("this ISA has no masks");
    const fn_examples dense = make_examples(EXAMPLES, sizes[0], sizes[n_sizes - 1], full);
    const fn_examples examples = compressed(&dense, sizes[0], form);
    const int64_t *order = make_order(EXAMPLES);
    void *parameters = make_parameters(type, &network);
    const fn_training training = {.eta = 0.5, .optimizer = FN_PLAIN};
    const size_t most = EXAMPLES / m;
    planned p;
    make_plan(&p, FN_CALL_TRAIN, type, &network, &examples, most * m, m, &training, 1);
    void *workspace = allocate(fn_workspace_size(type, &p.plan, &examples, &training));
    for (size_t now; left > 0; left -= now) {
        now = left < most ? left : most;
        make_plan(&p, FN_CALL_TRAIN, type, &network, &examples, now * m, m, &training, 1);
        fn_train(type, &p.plan, parameters, &examples, order, 1, &training, workspace);
    }
}

#include "break_contract.h"
#include "check_rows.h"

int main(int n, char **arguments)
{
    if (n == 3 && strcmp(arguments[1], "broken") == 0)
        return break_contract(arguments[2]);
    if (n >= 3 && check_row(arguments[1], arguments + 2, (size_t)n - 3))
        return 0;
    if (n <= 2)
        print_hashes(arguments[1]);
    else if (n >= 8 && n <= 7 + MOST_LAYERS)
        run(arguments + 1, (size_t)n - 6);
    else
        fail("[ISA], or ISA WAY TYPE M MINI_BATCHES SIZE SIZE..., or cost, activation or optimizer "
             "NAME [PARAMETER...]");
    return 0;
}
