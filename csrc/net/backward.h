/* The backward step: the errors of all layers, from the output layer down. */
#ifndef FASTNET_NET_BACKWARD_H
#define FASTNET_NET_BACKWARD_H

#include <string.h>

#include "core/plan.h"
#include "core/threads.h"
#include "fastnet.h"
#include "net/context.h"
#include "net/layer.h"
#include "net/workspace.h"
#include "ops/cost.h"
#include "ops/optimizer.h"
#include "simd/compiler.h"
#include "simd/subnormals.h"
#include "simd/vec.h"

/* Compute this thread's share of the errors of hidden layer l from those of the layer above. */
FN_INLINE void FN(backpropagate_layer)(const FN(thread_context) *work, size_t l, size_t m,
                                       const real *weights)
{
    const FN(workspace) *w = &work->w;
    const fn_layer_plan *layer = work->step->layers + l;
    const FN(share) local = FN(local_share)(work, m, work->network->sizes[l],
                                            layer->error_by_neurons);
    const size_t a_stride = w->a_strides[l], below_stride = w->places[l - 1].stride;
    const size_t stride = w->places[l].stride;
    const FN(backpropagation) errors = {
        .m = local.s1 - local.s0, .n_in = local.n, .n_out = work->network->sizes[l + 1],
        .neurons = work->network->hidden[l - 1], .weights = weights + local.from * stride,
        .delta = w->delta[l + 1] + local.s0 * stride,
        .a = layer->keeps_slopes ? NULL : w->a[l] + local.s0 * a_stride + local.from,
        .a_stride = a_stride, .below = w->delta[l] + local.s0 * below_stride + local.from,
        .below_stride = below_stride,
    };
    if (local.by_neurons)
        fn_wait_for_team(work->team);
    FN(backpropagate_product)(&errors, layer, w->scratch);
    if (local.by_neurons)
        fn_wait_for_team(work->team);
}

/* Compute the output error of a custom cost for all m examples, times factor and each example's
 * weight. Returns what the callback returned. */
static int FN(custom_output_error)(const FN(thread_context) *work, size_t m, double factor)
{
    const fn_delta custom = work->training->delta;
    const FN(workspace) *w = &work->w;
    const size_t L = work->network->layers, stride = w->places[L - 1].stride;
    real *delta = w->delta[L];
    memset(delta, 0, m * stride * sizeof(real));
    const uint64_t flushing = fn_keep_subnormals();
    const int failed = custom.call(custom.context, m, work->network->sizes[L], stride, w->z,
                                   w->a[L], w->y, delta);
    fn_restore_subnormals(flushing);
    if (failed)
        return failed;
    for (size_t s = 0; s < m; s++) {
        const double weight = w->weights ? w->weights[s] : 1;
        for (size_t i = s * stride; i < (s + 1) * stride; i++)
            delta[i] = weight > 0 ? delta[i] * (real)(factor * weight) : 0;
    }
    return 0;
}

/* Compute the errors of this thread's share of m examples, times factor, from the output layer
 * down; those of the first layer are divided by scale (ops/optimizer.h). Returns what the delta
 * callback returned. */
static int FN(backward)(FN(thread_context) *work, const real *parameters, size_t m, double factor,
                        double scale)
{
    const fn_network *network = work->network;
    const FN(workspace) *w = &work->w;
    const size_t L = network->layers, *sizes = network->sizes;
    const size_t stride = w->places[L - 1].stride;
    size_t s0;
    const size_t s1 = FN(local_examples)(work, m, &s0);
    if (work->training->delta.call) { /* then the team is one thread */
        const int failed = FN(custom_output_error)(work, m, factor);
        if (failed)
            return failed;
    } else {
        FN(output_error)(network, s1 - s0, factor, w->weights ? w->weights + s0 : NULL,
                         w->a[L] + s0 * stride, w->y + s0 * stride, w->delta[L] + s0 * stride);
    }
    for (size_t l = L - 1; l > 0; l--)
        FN(backpropagate_layer)(work, l, m, parameters + w->places[l].weights);
    if (scale != 1)
        FN(apply_scale)(s1 - s0, sizes[1], w->places[0].stride, (real)(1 / scale),
                        w->delta[1] + s0 * w->places[0].stride);
    return 0;
}

#endif
