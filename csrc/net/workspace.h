/* The arrays of one call, in the caller's memory; several threads share most of them. Their sizes
 * follow from the plan. */
#ifndef FASTNET_NET_WORKSPACE_H
#define FASTNET_NET_WORKSPACE_H

#include <stdint.h>

#include "core/arena.h"
#include "core/check.h"
#include "core/contracts.h"
#include "core/plan.h"
#include "fastnet.h"
#include "input/block.h"
#include "input/build_lists.h"
#include "input/list.h"
#include "net/layer.h"
#include "simd/vec.h"

typedef struct {
    /* one for each thread */
    uint32_t *kept_buffer;      /* dense rows: [n_in + FN_LANES], the memory of `kept` */
    size_t n_kept;              /* dense rows: the number of inputs in a row of x */
    uint32_t *kept;             /* [n_kept] their indices (input/gather.h); NULL: all are in x */
    uint64_t *union_mask;       /* [(1 + FN_GROUP) * fn_words(n_in)], see list_of_group */
    real *scratch;              /* for the products of each layer, see layer_scratch */
    FN(blocks) blocks;          /* in place of lists; blocks.x is NULL if there are none */
    /* shared by the threads, each of which has its examples or neurons in them */
    fn_place *places;           /* [L] */
    size_t x_stride;            /* elements from one row of x to the next */
    real *x;                    /* [m][x_stride] values of inputs: of dense rows or of lists */
    FN(list) *lists;            /* [m], or NULL if there are none */
    uint32_t *list_rows;        /* [m][x_stride] */
    double *weights;            /* [m] of examples, or NULL if each counts once */
    real *y, *z;                /* [m][stride of the output layer] */
    size_t *a_strides;          /* [L+1] elements from one row of a[l] to the next */
    real **a, **delta;          /* [L+1], each [m][stride of layer l]; a[0] is x, delta[0] NULL. For
                                 * the Jacobian delta[0..L-1] are [m * n_out][stride of layer l] */
    real *last_weights;         /* for the Jacobian: those of the last layer, transposed */
    real *first_weights;        /* those of the first layer, if the plan transposes them */
    real *mean_weights;         /* the last layer's their weighted mean, for one example */
    real *nabla;                /* the gradient, zero between its uses. Collected: shared, of all
                                 * parameters; streamed: each thread's, of some rows of a layer */
    real *weights_backup;       /* the first layer's stored weights, while callbacks run */
} FN(workspace);

/* The sizes of arrays that depend on the layers, in elements. */
typedef struct {
    size_t scratch;             /* the largest of any layer in any step */
    size_t parameters;          /* of all layers, including pads */
    size_t streamed;            /* the most of a gradient that an optimizer receives at a time */
} FN(needs);

static FN(needs) FN(needs_of)(const fn_plan *plan)
{
    const size_t *sizes = plan->network->sizes;
    const int blocks = plan->first_layer == FN_FIRST_BLOCKS;
    FN(needs) needs = {0};
    for (size_t l = 0; l < plan->network->layers; l++) {
        const size_t row = fn_stride(sizes[l + 1], sizeof(real));
        const int few = l == 0 && blocks && sizes[0] > plan->streamed_rows;
        const size_t streamed = (few ? plan->streamed_rows : sizes[l]) * row;
        for (const fn_step *step = plan->steps; step < plan->steps + FN_STEPS; step++) {
            if (step->m == 0)
                continue;
            const size_t scratch = FN(layer_scratch)(step->layers + l, sizes[l], sizes[l + 1]);
            needs.scratch = scratch > needs.scratch ? scratch : needs.scratch;
        }
        needs.streamed = streamed > needs.streamed ? streamed : needs.streamed;
        needs.parameters += (sizes[l] + 1) * row;
    }
    return needs;
}

/* Allocate blocks of up to `capacity` examples. */
static FN(blocks) FN(alloc_blocks)(const fn_plan *plan, const fn_examples *examples,
                                   size_t capacity, fn_arena *arena)
{
    FN(blocks) b = {.words = fn_words(plan->network->sizes[0]), .capacity = capacity,
                    .x_stride = fn_stride(examples->longest + FN_LANES, sizeof(real))};
    b.masks = fn_arena_alloc(arena, b.words * capacity * sizeof *b.masks);
    b.transposed = fn_arena_alloc(arena, b.words * 64 * sizeof *b.transposed);
    b.x = fn_arena_alloc(arena, capacity * b.x_stride * sizeof(real));
    b.next = fn_arena_alloc(arena, capacity * sizeof *b.next);
    b.rows = fn_arena_alloc(arena, b.x_stride * sizeof *b.rows);
    return b;
}

/* Allocate the arrays of the Jacobian. */
static void FN(layout_jacobian)(const fn_plan *plan, int fill, fn_arena *arena, FN(workspace) *w)
{
    const size_t L = plan->network->layers, *sizes = plan->network->sizes;
    const size_t last = fn_stride(sizes[L - 1], sizeof(real)) * sizeof(real);
    for (size_t l = 0; l < L; l++) {
        const size_t row = fn_stride(sizes[l], sizeof(real)) * sizeof(real);
        real *delta = fn_arena_alloc(arena, plan->piece * sizes[L] * row);
        if (fill)
            w->delta[l] = delta;
    }
    w->last_weights = fn_arena_alloc(arena, sizes[L] * last);
    w->mean_weights = fn_arena_alloc(arena, last);
    if (plan->transposes_first)
        w->first_weights = fn_arena_alloc(
            arena, sizes[1] * fn_stride(sizes[0], sizeof(real)) * sizeof(real));
}

/* Allocate the arrays that the threads share. fill: set the pointers and strides in them. */
static void FN(layout_shared)(const fn_plan *plan, const fn_examples *examples,
                              const fn_training *training, FN(needs) needs, int fill,
                              fn_arena *arena, FN(workspace) *w)
{
    const size_t L = plan->network->layers, *sizes = plan->network->sizes, piece = plan->piece;
    const size_t outputs = piece * fn_stride(sizes[L], sizeof(real)) * sizeof(real);
    const int lists = plan->first_layer == FN_FIRST_LISTS;
    w->x_stride = lists ? FN(list_capacity)(examples, sizes[0]) : FN(a_stride)(sizes[0]);
    w->places = fn_arena_alloc(arena, L * sizeof *w->places);
    w->a_strides = fn_arena_alloc(arena, (L + 1) * sizeof *w->a_strides);
    w->a = fn_arena_alloc(arena, (L + 1) * sizeof *w->a);
    w->delta = fn_arena_alloc(arena, (L + 1) * sizeof *w->delta);
    if (plan->first_layer != FN_FIRST_BLOCKS)
        w->x = fn_arena_alloc(arena, piece * w->x_stride * sizeof(real));
    if (lists) {
        w->list_rows = fn_arena_alloc(arena, piece * w->x_stride * sizeof *w->list_rows);
        w->lists = fn_arena_alloc(arena, piece * sizeof *w->lists);
    }
    if (examples->weights)
        w->weights = fn_arena_alloc(arena, piece * sizeof *w->weights);
    w->y = fn_arena_alloc(arena, outputs);
    w->z = fn_arena_alloc(arena, outputs);
    if (fill)
        w->a[0] = w->x, w->a_strides[0] = w->x_stride;
    for (size_t l = 1; l <= L; l++) {
        const size_t row = piece * sizeof(real), stride = fn_stride(sizes[l], sizeof(real));
        const size_t a_stride = l < L ? FN(a_stride)(sizes[l]) : stride;
        real *a = fn_arena_alloc(arena, row * a_stride);
        real *delta = fn_arena_alloc(arena, fn_takes_turns(plan->call) ? 0 : row * stride);
        if (fill)
            w->a[l] = a, w->delta[l] = delta, w->a_strides[l] = a_stride;
    }
    if (plan->call == FN_CALL_JACOBIAN)
        FN(layout_jacobian)(plan, fill, arena, w);
    if (plan->gradient == FN_COLLECTED_GRADIENT)
        w->nabla = fn_arena_alloc(arena, needs.parameters * sizeof(real));
    if (plan->lazy_decay && training->poll.poll_due)
        w->weights_backup = fn_arena_alloc(
            arena, sizes[0] * fn_stride(sizes[1], sizeof(real)) * sizeof(real));
}

/* Allocate the arrays of one thread. */
static void FN(layout_own)(const fn_plan *plan, const fn_examples *examples, FN(needs) needs,
                           fn_arena *arena, FN(workspace) *w)
{
    const size_t n_in = plan->network->sizes[0], words = fn_words(n_in);
    if (plan->first_layer == FN_FIRST_DENSE)
        w->kept_buffer = fn_arena_alloc(arena, (n_in + FN_LANES) * sizeof *w->kept_buffer);
    if (plan->first_layer == FN_FIRST_LISTS)
        w->union_mask = fn_arena_alloc(arena, (1 + FN_GROUP) * words * sizeof *w->union_mask);
    w->scratch = fn_arena_alloc(arena, needs.scratch * sizeof(real));
    if (plan->first_layer == FN_FIRST_BLOCKS)
        w->blocks = FN(alloc_blocks)(
            plan, examples, plan->piece < FN_BLOCK ? plan->piece : FN_BLOCK, arena);
    if (plan->gradient == FN_STREAMED_GRADIENT)
        w->nabla = fn_arena_alloc(arena, needs.streamed * sizeof(real));
}

/* Lay out the arrays of a call in the arena, as the thread `thread` sees them. */
static void FN(layout_workspace)(const fn_plan *plan, const fn_examples *examples,
                                 const fn_training *training, size_t threads, size_t thread,
                                 fn_arena *arena, FN(workspace) *w)
{
    const FN(needs) needs = FN(needs_of)(plan);
    FN(layout_shared)(plan, examples, training, needs, arena->memory && thread == 0, arena, w);
    for (size_t t = 0; t < threads; t++) {
        FN(workspace) other = {0};
        FN(layout_own)(plan, examples, needs, arena, t == thread ? w : &other);
    }
}

static size_t FN(workspace_size)(const fn_plan *plan, const fn_examples *examples,
                                 const fn_training *training)
{
    fn_arena arena = {0};
    FN(workspace) w = {0};
    FN_ASSERT(plan->target == FN_TARGET && fn_bytes[plan->type] == sizeof(real));
    FN(layout_workspace)(plan, examples, training, plan->threads, 0, &arena, &w);
    return arena.used;
}

#ifdef FN_DEBUG
/* Returns whether the pads of the parameters are zero; also 1 if a parameter is not finite, since a
 * training that has diverged may have multiplied pads by infinity. */
static int FN(parameters_hold)(const fn_network *network, const real *parameters)
{
    int finite = 1, zero = 1;
    for (size_t l = 0; l < network->layers; l++) {
        const size_t n = network->sizes[l + 1], stride = fn_stride(n, sizeof(real));
        for (size_t i = 0; i <= network->sizes[l]; i++, parameters += stride) {
            zero &= fn_is_zero(parameters + n, (stride - n) * sizeof(real));
            for (size_t j = 0; j < n; j++)
                finite &= parameters[j] - parameters[j] == 0;
        }
    }
    return zero || !finite;
}
#endif

/* Open the workspace of one of the threads; that of thread 0 must be opened first. */
static FN(workspace) FN(open_workspace)(const fn_plan *plan, const fn_examples *examples,
                                        const fn_training *training, size_t threads, size_t thread,
                                        void *memory)
{
    FN(workspace) w = {0};
    fn_arena arena = {.memory = memory, .guards = thread == 0 ? FN_FILL_GUARDS : FN_LEAVE_GUARDS};
    FN_ASSERT(plan->target == FN_TARGET && fn_bytes[plan->type] == sizeof(real));
    FN_ASSERT(threads <= plan->threads && thread < threads);
    FN_ASSERT(plan->piece <= FN_PIECE || plan->network->cost == FN_OTHER_COST);
    FN(layout_workspace)(plan, examples, training, threads, thread, &arena, &w);
    FN_ASSERT(plan->gradient != FN_COLLECTED_GRADIENT
              || fn_is_zero(w.nabla, FN(needs_of)(plan).parameters * sizeof(real)));
    if (thread == 0)
        fn_layout(plan->network, sizeof(real), w.places);
    return w;
}

/* In debug builds: abort if something was written after the end of an array of this workspace. */
static void FN(check_workspace)(const fn_plan *plan, const fn_examples *examples,
                                const fn_training *training, size_t threads, void *memory)
{
#ifdef FN_DEBUG
    FN(workspace) w = {0};
    fn_arena arena = {.memory = memory, .guards = FN_CHECK_GUARDS};
    FN(layout_workspace)(plan, examples, training, threads, threads, &arena, &w);
#else
    (void)plan, (void)examples, (void)training, (void)threads, (void)memory;
#endif
}

#endif
