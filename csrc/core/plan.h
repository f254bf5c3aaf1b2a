/* The plan of a call: how each of its parts is computed.
 *
 * fn_make_plan decides all of it once, at the start of a call, from the table in thresholds.def.
 * The size of the workspace follows from the plan, and the kernels decide nothing themselves.
 * Choices that depend on the processor or on a threshold affect speed only; of the results, at most
 * the sign of a zero changes.
 *
 * A call computes examples in steps. A step is a mini-batch, a piece of one (FN_PIECE), or a piece
 * of an evaluation (FN_EVALUATED) or of the Jacobian. The last step may be smaller, and has a plan
 * of its own. */
#ifndef FASTNET_CORE_PLAN_H
#define FASTNET_CORE_PLAN_H

#include "core/check.h"
#include "fastnet.h"

/* The instruction sets that the kernels are compiled for, as FASTNET_ISA names them. */
#define FN_EACH_TARGET(T) \
    T(FN_BASELINE, "baseline") T(FN_AVX2, "avx2") T(FN_AVX512, "avx512") T(FN_NEON, "neon")
typedef enum { FN_EACH_TARGET(FN_ENUMERATOR) } fn_target;

/* The properties of a processor, besides its instruction set, on which plans depend. */
typedef struct {
    int halves_avx512;  /* AVX-512 vectors are computed in halves, one after the other (Zen 4) */
} fn_processor;

#define FN_EACH_CALL(T) \
    T(FN_CALL_TRAIN, "train") T(FN_CALL_GRADIENT, "gradient") T(FN_CALL_FORWARD, "evaluate") \
    T(FN_CALL_JACOBIAN, "jacobian")
typedef enum { FN_EACH_CALL(FN_ENUMERATOR) } fn_call;

/* How the first layer is computed: from dense rows; from compressed rows by lists of the non-zero
 * inputs (input/list.h); or from compressed rows by blocks of 64 inputs of up to 64 examples
 * (input/block.h). */
#define FN_EACH_FIRST_LAYER(T) \
    T(FN_FIRST_DENSE, "dense rows") T(FN_FIRST_LISTS, "lists") T(FN_FIRST_BLOCKS, "blocks")
typedef enum { FN_EACH_FIRST_LAYER(FN_ENUMERATOR) } fn_first_layer;

/* How a layer's weighted inputs are computed: by lists or blocks, in the first layer only; with
 * vectors along the examples (gemm/narrow.h); by tiles (gemm/tile.h); by tiles of copies of both
 * operands (gemm/large.h). */
#define FN_EACH_FORWARD(T)                                                              \
    T(FN_FORWARD_LISTS, "lists") T(FN_FORWARD_BLOCKS, "blocks") T(FN_FORWARD_NARROW, "narrow") \
    T(FN_FORWARD_TILES, "tiles") T(FN_FORWARD_LARGE, "large tiles")
typedef enum { FN_EACH_FORWARD(FN_ENUMERATOR) } fn_forward_kernel;

/* How a layer's errors are computed from those of the layer above: with squares of weights
 * transposed in registers; with transposed errors, by tiles or by tiles of a copy of the weights;
 * by tiles of copies of both operands. FN_ERROR_NONE: they are not needed. */
#define FN_EACH_ERROR(T)                                                                \
    T(FN_ERROR_NONE, "none") T(FN_ERROR_TRANSPOSED, "transposed weights")               \
    T(FN_ERROR_TILES, "tiles") T(FN_ERROR_PACKED, "packed tiles") T(FN_ERROR_LARGE, "large tiles")
typedef enum { FN_EACH_ERROR(FN_ENUMERATOR) } fn_error_kernel;

/* How a layer is updated: by lists or blocks, in the first layer only; with vectors along the
 * inputs (gemm/narrow.h); by tiles; by tiles of a copy of the activations; by tiles of copies of
 * both operands. */
#define FN_EACH_UPDATE(T)                                                               \
    T(FN_UPDATE_NONE, "none") T(FN_UPDATE_LISTS, "lists") T(FN_UPDATE_BLOCKS, "blocks") \
    T(FN_UPDATE_NARROW, "narrow") T(FN_UPDATE_TILES, "tiles")                           \
    T(FN_UPDATE_PACKED, "packed tiles") T(FN_UPDATE_LARGE, "large tiles")
typedef enum { FN_EACH_UPDATE(FN_ENUMERATOR) } fn_update_kernel;

/* How the gradient is used: it is added directly to the parameters; passed to the optimizer a few
 * rows at a time; or first collected in an array of all parameters. */
#define FN_EACH_GRADIENT(T)                                                             \
    T(FN_FUSED_UPDATE, "fused update") T(FN_STREAMED_GRADIENT, "streamed gradient")     \
    T(FN_COLLECTED_GRADIENT, "collected gradient")
typedef enum { FN_EACH_GRADIENT(FN_ENUMERATOR) } fn_gradient_use;

/* One layer of weights in one step. */
typedef struct {
    fn_forward_kernel forward;
    fn_error_kernel error;      /* FN_ERROR_NONE in the first layer; for the Jacobian in the last,
                                 * and in the first if transposes_first */
    fn_error_kernel error_of_rest;  /* of the remaining examples; if there are none, as error */
    fn_update_kernel update;
    fn_forward_kernel forward_of_kept;  /* if inputs are left out (drops_zero_inputs); */
    fn_update_kernel update_of_kept;    /* in other layers the same as forward and update */
    size_t error_examples;      /* the number of examples whose errors are computed at once */
    size_t prefetch_terms;      /* of forward, update: products of more terms prefetch B */
    size_t error_prefetch_terms;
    int forward_by_neurons;     /* threads share the neurons of a layer instead of the examples */
    int error_by_neurons;
    int keeps_slopes;           /* the forward step stores f'(z) of the neurons below */
    int update_in_parts;        /* a few rows at a time; examples are prefetched in between */
} fn_layer_plan;

/* The kinds of steps in a call: a step of `piece` examples; the smaller last piece of a mini-batch;
 * the smaller last step of the call. m is 0 if the call has no such step. */
enum { FN_WHOLE_STEP, FN_LAST_PIECE, FN_LAST_STEP, FN_STEPS };

typedef struct {
    size_t m;                       /* examples */
    const fn_layer_plan *layers;    /* [L] */
} fn_step;

typedef struct fn_plan {
    const fn_network *network;
    fn_type type;               /* FN_F32 or FN_F64 */
    fn_target target;
    fn_processor processor;
    fn_call call;
    fn_form form;
    fn_first_layer first_layer;
    fn_gradient_use gradient;
    size_t n, m, piece;         /* examples in a pass, in a mini-batch, in a step; m, piece > 0 */
    size_t threads;
    size_t examples_per_list;
    size_t list_update_vectors; /* vectors of a weight row in a pass of an update by lists */
    size_t streamed_rows;       /* rows of the gradient that an optimizer receives at a time */
    int lazy_decay;             /* L2 decay of the first layer is deferred (ops/optimizer.h) */
    int drops_zero_inputs;      /* dense rows: inputs that are zero in a whole step are dropped */
    size_t most_zeros;          /* if there are more of them than this */
    int transposes_first;       /* the Jacobian: the first layer's weights are transposed once */
    int prefetches_examples;    /* dense rows: the next ones, if they do not fit in the L2 cache */
    fn_step steps[FN_STEPS];
} fn_plan;

/* The most examples of a block: the bits of a word. */
#define FN_BLOCK 64

/* The most examples that share a list. */
#define FN_MOST_SHARING 5

/* The instruction set in use, and this processor. */
fn_target fn_selected_target(void);
fn_processor fn_this_processor(void);

/* All that a plan depends on, besides the table of thresholds. */
typedef struct {
    const fn_network *network;
    fn_type type;               /* of the parameters */
    fn_target target;
    fn_processor processor;
    fn_call call;
    size_t n, m;                /* m is read for FN_CALL_TRAIN only */
    fn_form form;
    size_t inputs_bytes;        /* of all dense examples together */
    double density;             /* of compressed examples: the share of the inputs that is stored */
    const fn_training *training;    /* NULL except for FN_CALL_TRAIN; optimizer, l1, l2, dropout,
                                     * by_blocks and sharing are read */
    size_t threads;
} fn_plan_input;

/* Fill the plan and layers[FN_STEPS * L], which the plan refers to. Reads nothing but `input` and
 * the table of thresholds. */
void fn_make_plan(const fn_plan_input *input, fn_plan *plan, fn_layer_plan *layers);

/* Returns the plan of a single layer, n_in > 0, in a step of m examples on one thread. */
fn_layer_plan fn_plan_layer(fn_type type, fn_target target, fn_processor processor,
                            fn_dimensions size);

/* Returns the form of examples with which training is fastest. density: of non-zero inputs. */
fn_form fn_choose_form(fn_type type, fn_target target, fn_processor processor,
                       const fn_network *network, double density);

/* Returns the fastest number of threads, at most `most`, for m examples in a step. */
size_t fn_choose_threads(const fn_network *network, size_t m, double density, size_t most);

/* Set the input's form, inputs_bytes and density from the examples. */
void fn_describe_examples(const fn_examples *examples, size_t n_in, fn_plan_input *input);

/* Returns whether the threads of a call have examples of their own, a step at a time. */
static inline int fn_takes_turns(fn_call call)
{
    return call == FN_CALL_FORWARD || call == FN_CALL_JACOBIAN;
}

/* Returns the plan of a step of m examples; the call must have such a step. */
static inline const fn_step *fn_step_of(const fn_plan *plan, size_t m)
{
    const fn_step *step = plan->steps;
    while (step->m != m) {
        step++;
        FN_ASSERT(step < plan->steps + FN_STEPS);
    }
    return step;
}

/* Each returns the name of an enumerator, as listed above; NULL after the last. */
const char *fn_target_name(fn_target target);
const char *fn_call_name(fn_call call);
const char *fn_form_name(fn_form form);
const char *fn_first_layer_name(fn_first_layer first_layer);
const char *fn_forward_name(fn_forward_kernel kernel);
const char *fn_error_name(fn_error_kernel kernel);
const char *fn_update_name(fn_update_kernel kernel);
const char *fn_gradient_name(fn_gradient_use use);

#endif
