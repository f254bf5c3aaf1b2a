/* The C interface of fastnet, which fastnet/core/_kernels.pyx calls.
 *
 * The functions do not use Python. They allocate no memory, except what the system allocates for
 * threads: the caller passes the parameters, the examples and a workspace.
 *
 * Legend of dimensions, used in every file:
 *   m          examples in a mini-batch
 *   n_in       inputs of a layer, n_out its outputs
 *   L          layers of weights; sizes[0..L] are the numbers of neurons
 *   stride     elements from one row of a matrix to the next
 * A "padded" matrix has rows that are whole cache lines: stride is a multiple
 * of 64 bytes, and the kernels may read and write all of a row up to
 * fn_stride(n), including pads. Pads of the parameters are zero as long as all parameters are
 * finite.
 *
 * Parameters of a network are one flat array. Layer l holds its weights
 * input-major, one row per input with the weights from that input to all
 * outputs, followed by one row of biases; see fn_layout.
 */
#ifndef FASTNET_H
#define FASTNET_H

#include <stddef.h>
#include <stdint.h>

#include "core/check.h"

/* The name and the size of a row of activations.def, costs.def or optimizers.def. */
typedef struct {
    const char *name;
    size_t n_parameters;    /* numbers that it takes: parameters or coefficients */
} fn_row;

/* FN_SIGMOID ... as activations.def lists them. */
#define ACTIVATION(NAME, op, name, role, slope, n_parameters) FN_##NAME,
typedef enum {
#include "api/activations.def"
} fn_activation_kind;
#undef ACTIVATION

#define FN_MOST_ACTIVATION_PARAMETERS 1

/* The activation of a hidden layer. */
typedef struct {
    fn_activation_kind kind;
    double parameters[FN_MOST_ACTIVATION_PARAMETERS]; /* in the order of its row */
} fn_activation;

typedef struct {
    fn_row row;
    int hidden, output;     /* whether it may be in hidden layers, in the output layer */
    int keeps_slope;        /* f'(z) cannot be computed from f(z): the forward step stores it */
    int of_layer;           /* an output depends on all z of its layer; the outputs sum to 1 */
} fn_activation_traits;

/* FN_QUADRATIC ... as costs.def lists them. */
#define COST(NAME, op, name, n_parameters, sum) FN_##NAME,
typedef enum {
#include "api/costs.def"
    FN_OTHER_COST   /* a user's cost; the last enumerator */
} fn_cost;
#undef COST

#define FN_MOST_COST_PARAMETERS 2

/* FN_PLAIN ... as optimizers.def lists them. */
#define OPTIMIZER(NAME, op, name, n_moments, n_coefficients, decay) FN_##NAME,
typedef enum {
#include "api/optimizers.def"
} fn_optimizer;
#undef OPTIMIZER

#define FN_MOST_MOMENTS 3
#define FN_MOST_COEFFICIENTS 4

typedef struct {
    fn_row row;
    size_t n_moments;       /* the number of arrays of the parameters' size that it keeps */
    int decoupled_decay;    /* l2 w is not part of the gradient */
} fn_optimizer_traits;

/* By enumerator. */
extern const fn_activation_traits fn_activations[];
extern const fn_optimizer_traits fn_optimizers[];

/* Each returns the i-th row, or NULL after the last. */
const fn_row *fn_activation_row(size_t i);
const fn_row *fn_cost_row(size_t i);
const fn_row *fn_optimizer_row(size_t i);

/* Whether a cost takes fn_network.own_parameters. */
int fn_takes_own_parameters(fn_cost cost);

typedef enum { FN_U8, FN_U16, FN_U32, FN_F32, FN_F64, FN_I64 } fn_type;

typedef struct {
    size_t layers;          /* L, at least 1 */
    const size_t *sizes;    /* [L+1], each at least 1 */
    const fn_activation *hidden;    /* [L-1] */
    fn_activation_kind output;
    fn_cost cost;
    double cost_parameters[FN_MOST_COST_PARAMETERS];
    /* [fn_stride(n_out, sizeof(float))], the parameter of each output and pads of any finite value,
     * or NULL; for a row with PER_OUTPUT only */
    const double *own_parameters;
} fn_network;

/* The forms of examples: dense rows; compressed rows with columns or with masks. */
#define FN_ENUMERATOR(name, words) name,
#define FN_EACH_FORM(T) T(FN_DENSE, "dense") T(FN_COLUMNS, "columns") T(FN_MASKS, "masks")
typedef enum { FN_EACH_FORM(FN_ENUMERATOR) } fn_form;

/* n examples in the user's memory, which is not written.
 *
 * Dense: a row has all n_in inputs. Compressed (offsets is not NULL): a row has only the non-zero
 * inputs, and either columns or masks give their positions. Training gives the same bits with all
 * forms. */
typedef struct {
    size_t n;
    const void *inputs;     /* dense: [n][n_in]; compressed: [offsets[n]], row after row */
    size_t inputs_stride;   /* bytes, of dense rows */
    fn_type inputs_type;    /* FN_U8, FN_F32 or FN_F64 */
    double scale;           /* an input is value * scale, rounded once */
    float upper, lower;     /* 0, or the scale of bytes as a sum: see fn_set_scale */
    const int64_t *offsets; /* NULL, or [n+1]: row s is inputs[offsets[s] .. offsets[s+1]) */
    size_t longest;         /* the largest number of inputs in a compressed row */
    const void *columns;    /* NULL, or [offsets[n]]: the input of each value, ascending in a row */
    fn_type columns_type;   /* FN_U16 or FN_U32 */
    const uint64_t *masks;  /* NULL, or [n][fn_words(n_in)]: bit j % 64 of word j / 64 for input
                             * j; see also FN_BYTES_AFTER */
    const void *targets;    /* FN_I64: labels [n]; else [n][n_out]; may be NULL */
    size_t targets_stride;  /* bytes */
    fn_type targets_type;   /* FN_I64, FN_F32 or FN_F64 */
    const double *weights;  /* NULL, or [n]: how many times each example counts, 0 or more */
} fn_examples;

/* The arrays to which `compress` (kernels.def) writes. */
typedef struct {
    int64_t *offsets;       /* [n+1], the first of which is given */
    void *values;           /* [capacity] */
    void *columns;          /* NULL, or [capacity] */
    fn_type columns_type;   /* FN_U16 or FN_U32 */
    uint64_t *masks;        /* NULL, or [n][fn_words(n_in)] */
    size_t capacity;        /* no offset may be larger */
} fn_compressed;

/* The arrays of `jacobian` (kernels.def), in the network's type. */
typedef struct {
    void *a;                /* [n][n_out] */
    void *jacobian;         /* [n][n_out][n_in]: da_j/dx_i, times slopes[i] */
    const double *slopes;   /* NULL, or [n_in]: the derivatives of the network's inputs by the
                             * caller's; NULL: 1 */
} fn_derivatives;

/* Replaces output_error if the cost is a user's: reads the padded matrices z, a and y [m][stride],
 * and writes dC/dz to delta. A result other than 0 ends the training at once, with that result. */
typedef int (*fn_delta_callback)(void *context, size_t m, size_t n_out, size_t stride,
                                 const void *z, const void *a, const void *y, void *delta);

typedef struct {
    fn_delta_callback call;     /* NULL: the cost's own output error */
    void *context;
} fn_delta;

/* Functions that run the caller's callbacks during a long call; the caller decides when, by the
 * time. The first poll is after one mini-batch or one piece of examples. */
typedef struct {
    /* Returns the number of mini-batches, or pieces of the first thread, until the next poll;
     * 0: call run_callbacks now. NULL: never poll. */
    size_t (*poll_due)(void *context);
    /* Returns whether the callbacks read the parameters; these must then include the updates of all
     * examples done. Callbacks never write the parameters. */
    int (*needs_consistent_weights)(void *context);
    /* `done` examples are done; a result other than 0 ends the call. */
    int (*run_callbacks)(void *context, size_t done);
    void *context;
} fn_poll;

/* The settings of a training. Each mini-batch changes the parameters by the gradient g, the mean of
 * dC/dw or dC/db over its examples; optimizers.def has the equations. l1 and l2 do not apply to
 * biases. */
typedef struct {
    double eta;
    double l2, l1;          /* lambda / n and lambda_1 / n */
    int divide_l2;          /* l2 is lambda; each mini-batch divides it by its total weight */
    fn_optimizer optimizer;
    double coefficients[FN_MOST_COEFFICIENTS];  /* of the optimizer, in the order of its row */
    uint64_t steps;         /* mini-batches before this call */
    void *moments;          /* [n_moments of the optimizer][parameters] */
    const double *dropout;  /* NULL, or [L-1]: the probability to drop a hidden neuron */
    size_t shift, side;     /* inputs are images of side x side, moved by up to shift pixels */
    uint64_t key;           /* of the random numbers for dropout and shift, see fn_random_at */
    const uint64_t *keys;   /* NULL, or one for each pass, used instead of key */
    fn_delta delta;
    fn_poll poll;
    double *costs;          /* NULL, or [mini-batches]: each one's sum of costs before its step */
    int64_t *n_complete;    /* NULL, or a counter of the passes after which all parameters were
                             * finite; the call ends after a pass for which they are not */
    void *snapshots;        /* [n_snapshots][parameters], used if n_complete is not NULL: the
                             * parameters after the last passes that n_complete counts; those
                             * after pass e of the call are in row e % n_snapshots */
    size_t n_snapshots;     /* 0: none */
    int by_blocks;          /* the first layer of compressed examples is computed: 1: by blocks;
                             * -1: by lists; 0: as planned. The bits are the same */
    size_t sharing;         /* for tests: the number of examples that share a list, if they are
                             * stored with masks; 0 or too large: as planned. The bits are the
                             * same */
} fn_training;

/* Returns the random number of this key and counter, by SplitMix64 (Steele, Lea and Flood 2014),
 * whose state is a counter. So it depends on no other number, thread or instruction set. */
static inline uint64_t fn_random_at(uint64_t key, uint64_t counter)
{
    uint64_t x = key + (counter + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* Returns the first counter of the random numbers for a position in the order of examples. It is
 * for the shift of the example; the following ones are for the hidden neurons. */
static inline uint64_t fn_counter(const fn_network *network, size_t position)
{
    uint64_t each = 1;
    for (size_t l = 1; l < network->layers; l++)
        each += network->sizes[l];
    return position * each;
}

/* The shift of an image, in pixels. */
typedef struct {
    ptrdiff_t down, right;
} fn_shift;

/* Returns the shift of the image at a position; both numbers are uniform from -shift to shift. */
static inline fn_shift fn_shift_of(const fn_network *network, const fn_training *training,
                                   size_t position)
{
    const uint64_t raw = fn_random_at(training->key, fn_counter(network, position));
    const uint64_t moves = 2 * training->shift + 1;
    return (fn_shift){
        .down = (ptrdiff_t)((raw >> 32) * moves >> 32) - (ptrdiff_t)training->shift,
        .right = (ptrdiff_t)((raw & 0xFFFFFFFF) * moves >> 32) - (ptrdiff_t)training->shift,
    };
}

/* The positions of one layer's parameters, in elements from the start. */
typedef struct {
    size_t weights;     /* [n_in][stride] */
    size_t biases;      /* [stride] */
    size_t stride;
} fn_place;

/* Returns n, rounded up to whole cache lines of elements of `bytes` each. */
static inline size_t fn_lines(size_t n, size_t bytes)
{
    const size_t line = 64 / bytes;
    return (n + line - 1) / line * line;
}

/* Returns the row stride, in elements of `bytes` each, of a padded matrix with n columns: whole
 * cache lines, but never a multiple of 256 elements, with which all rows would map to the same few
 * cache sets. */
static inline size_t fn_stride(size_t n, size_t bytes)
{
    const size_t stride = fn_lines(n, bytes);
    return stride % 256 ? stride : stride + 64 / bytes;
}

/* Returns the start of part `which` of n elements that are split, at multiples of `unit`, into
 * `parts` parts as equal as possible; n for which = parts. A single part needs no division, which
 * is slow. */
static inline size_t fn_part(size_t n, size_t unit, size_t which, size_t parts)
{
    if (parts == 1)
        return which ? n : 0;
    const size_t start = (n + unit - 1) / unit * which / parts * unit;
    return start < n ? start : n;
}

/* Returns the size of the next part if `left` > 0 elements are split into as few parts of at most
 * `most` as possible, all as equal as possible. */
static inline size_t fn_next_part(size_t left, size_t most)
{
    FN_ASSERT(left > 0 && most > 0);
    const size_t times = (left + most - 1) / most;
    return times == 1 ? left : left / times;
}

/* Fill places[L]; returns the number of elements of the parameter array. */
size_t fn_layout(const fn_network *network, size_t bytes, fn_place *places);

/* Set the scale of examples whose inputs_type is set. If they are bytes, set upper and lower, too,
 * provided that value * upper + value * lower is value * scale, rounded once to a float, for each
 * of the 256 values. The first product is exact, so either of them may be fused with the sum. */
void fn_set_scale(fn_examples *examples, double scale);

/* Bytes of an element. */
static const size_t fn_bytes[] = {
    [FN_U8] = 1, [FN_U16] = 2, [FN_U32] = 4, [FN_F32] = 4, [FN_F64] = 8, [FN_I64] = 8,
};

/* Words of 64 bits in a row of masks. */
static inline size_t fn_words(size_t n_in) { return (n_in + 63) / 64; }

enum {
    /* The largest number of examples that are computed at once; a larger mini-batch is split into
     * pieces of this size, unless the cost is a user's, which receives whole mini-batches. */
    FN_PIECE = 1024,
    /* The largest number of examples that feedforward and evaluate compute at once. */
    FN_EVALUATED = 64,
    /* With masks, this many bytes after the last input must be readable. */
    FN_BYTES_AFTER_VALUES = 128,
    /* The largest number of threads that a call starts. */
    FN_MOST_THREADS = 256,
    /* The largest number of bytes that fma_rounds reads and writes. */
    FN_SUMS_BYTES = 2048
};

typedef struct fn_plan fn_plan; /* core/plan.h */

/* The dimensions of one layer's products: m examples. */
typedef struct {
    size_t m, n_in, n_out;
} fn_dimensions;

/* The decay of weights in one update: w = w - l2 w - l1 sgn w. */
typedef struct {
    double l2, l1;
} fn_decay;

/* fn_<op>(type, ...) calls the kernel <op> of kernels.def in the selected table; type, FN_F32 or
 * FN_F64, is that of the arrays. Kernels treat subnormal numbers as zero (see simd/subnormals.h),
 * except where they read their bits. */
#define REAL void
#define FN_UNPACKED(...) __VA_ARGS__
#define KERNEL(op, result, arguments, names) result fn_##op(fn_type type, FN_UNPACKED arguments);
#define KERNEL_F64 KERNEL
#include "api/kernels.def"
#undef REAL
#undef KERNEL
#undef KERNEL_F64

/* fn_select changes the selected table; it returns 0, or -1 (and changes nothing) if the name is
 * unknown or the processor lacks the instructions. fn_isa_name(i) is the name of the i-th
 * instruction set that this machine has, from the slowest to the fastest, or NULL. */
int fn_select(const char *isa);
const char *fn_selected(void);
const char *fn_isa_name(size_t i);

/* Random numbers from a raw 64-bit stream; the same bits on every machine. fn_shuffle shuffles
 * positions end - 1 down to first; calls that cover n - 1 down to 0 permute the whole order. */
void fn_shuffle(size_t first, size_t end, const uint64_t *raw, int64_t *order);
void fn_uniform(size_t n, const uint64_t *raw, double *u);
void fn_standard_normal(size_t n, const uint64_t *raw, double *x);

#endif
