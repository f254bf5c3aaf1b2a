/* The derivatives of the outputs by the inputs: back-propagation of each output instead of the
 * errors.
 *
 * The rows s * n_out + j of delta[l] are the derivatives of output j of example s by the weighted
 * inputs z of hidden layer l; those of delta[0] by the inputs. From one layer to the one below they
 * are computed as errors are (net/layer.h), with the slopes of an example repeated for each of its
 * outputs. If there are several steps, those of delta[0] are products with the first layer's
 * weights, which are transposed once (docs/tuning.md has the times). The last layer needs no
 * product: its rows are the rows of its transposed weights, times the slopes of the outputs. Where
 * the outputs depend on each other (softmax), da_j/dz_k is a_j ((j == k) - a_k), so the row is
 * a_j (w_j - sum_k a_k w_k).
 *
 * Each element is one sum over the neurons of a layer, in ascending order, so the bits depend
 * neither on the instruction set nor on the number of examples that are computed together. */
#ifndef FASTNET_NET_JACOBIAN_H
#define FASTNET_NET_JACOBIAN_H

#include <string.h>

#include "core/plan.h"
#include "fastnet.h"
#include "gemm/tile.h"
#include "gemm/transpose.h"
#include "net/context.h"
#include "net/layer.h"
#include "net/workspace.h"
#include "ops/activation.h"
#include "simd/vec.h"

/* to[j] = the weights of neuron j of layer l + 1, [n_out][stride of layer l]. */
static void FN(transpose_weights)(const FN(thread_context) *work, const real *parameters, size_t l,
                                  real *to)
{
    const size_t n = work->network->sizes[l];
    const fn_place *place = work->w.places + l;
    FN(transpose)(n, work->network->sizes[l + 1], parameters + place->weights, place->stride, to,
                  fn_stride(n, sizeof(real)));
}

/* Transpose the weights that all steps use. */
static void FN(prepare_jacobian)(const FN(thread_context) *work, const real *parameters)
{
    FN(transpose_weights)(work, parameters, work->network->layers - 1, work->w.last_weights);
    if (work->plan->transposes_first)
        FN(transpose_weights)(work, parameters, 0, work->w.first_weights);
}

/* mean[i] = sum_k a[k] rows[k][i] for n elements of n_out rows. */
static void FN(mean_of_rows)(size_t n_out, size_t n, const real *a, const real *rows, size_t stride,
                             real *restrict mean)
{
    for (size_t i = 0; i < n; i += FN_LANES) {
        vec sum = {0};
        for (size_t k = 0; k < n_out; k++)
            sum = FN_FMA(FN(splat)(a[k]), FN(load)(rows + k * stride + i), sum);
        FN(store)(mean + i, sum);
    }
}

/* The rows of the layer below the outputs, delta[L - 1], for m examples. If that is a hidden layer,
 * its slopes are in the first m rows of the same array; so the rows are written from the last one
 * up. */
static void FN(start_jacobian)(const FN(thread_context) *work, size_t m)
{
    const fn_network *network = work->network;
    const FN(workspace) *w = &work->w;
    const size_t L = network->layers, n_out = network->sizes[L], n = network->sizes[L - 1];
    const size_t stride = fn_stride(n, sizeof(real)), z_stride = w->places[L - 1].stride;
    const int of_layer = fn_activations[network->output].of_layer, hidden = L > 1;
    real *rows = w->delta[L - 1], *f = w->y; /* targets are not used */
    FN(output_slopes)(network->output, m * z_stride, w->z, w->a[L], f);
    for (size_t s = m; s-- > 0;) {
        const real *slopes = rows + s * stride;
        if (of_layer)
            FN(mean_of_rows)(n_out, n, w->a[L] + s * z_stride, w->last_weights, stride,
                             w->mean_weights);
        for (size_t j = n_out; j-- > 0;) {
            const vec times = FN(splat)(f[s * z_stride + j]);
            const real *weights = w->last_weights + j * stride;
            real *row = rows + (s * n_out + j) * stride;
            for (size_t i = 0; i < n; i += FN_LANES) {
                vec x = FN(load)(weights + i);
                if (of_layer)
                    x -= FN(load)(w->mean_weights + i);
                x *= times;
                if (hidden)
                    x *= FN(load)(slopes + i);
                FN(store)(row + i, x);
            }
        }
    }
}

/* Repeat each of m rows n_out times, in place. */
static void FN(repeat_rows)(size_t m, size_t n_out, size_t n, size_t stride, real *rows)
{
    for (size_t s = m; s-- > 0;)
        for (size_t j = n_out; j-- > 0;)
            if (s * n_out + j != s)
                memcpy(rows + (s * n_out + j) * stride, rows + s * stride, n * sizeof(real));
}

/* Compute the rows of layer l, `below`, from those of delta[l + 1], for m examples. */
static void FN(jacobian_of_layer)(const FN(thread_context) *work, size_t l, size_t m,
                                  const real *weights, real *below, size_t stride)
{
    const size_t *sizes = work->network->sizes, n_out = sizes[work->network->layers];
    const FN(workspace) *w = &work->w;
    const FN(backpropagation) rows = {
        .m = m * n_out, .n_in = sizes[l], .n_out = sizes[l + 1], .neurons = {.kind = FN_LINEAR},
        .weights = weights, .delta = w->delta[l + 1],
        .a = l ? NULL : below, /* the slopes of inputs are 1, whatever a is */
        .a_stride = stride, .below = below, .below_stride = stride,
    };
    if (l)
        FN(repeat_rows)(m, n_out, sizes[l], stride, below);
    FN(backpropagate_product)(&rows, work->step->layers + l, w->scratch);
}

/* to[r][i] = from[r][i] slopes[i] for rows that are not padded; slopes NULL: 1. to may be from. */
static void FN(store_jacobian)(size_t rows, size_t n, const real *from, size_t stride,
                               const double *slopes, real *to)
{
    for (size_t r = 0; r < rows; r++, from += stride, to += n) {
        for (size_t i = 0; slopes && i < n; i++)
            to[i] = (real)(from[i] * slopes[i]);
        if (!slopes && to != from)
            memcpy(to, from, n * sizeof(real));
    }
}

/* Compute the derivatives by the inputs from the rows of delta[1] with the transposed weights. */
static void FN(jacobian_of_inputs)(const FN(thread_context) *work, size_t rows, real *to,
                                   size_t stride)
{
    const size_t n_in = work->network->sizes[0], n = work->network->sizes[1];
    const FN(workspace) *w = &work->w;
    memset(to, 0, rows * stride * sizeof(real));
    FN(multiply)(rows, n_in, &(FN(product)){.k = n, .a = w->delta[1],
                                            .a_row = fn_stride(n, sizeof(real)), .a_k = 1,
                                            .b = w->first_weights,
                                            .b_stride = fn_stride(n_in, sizeof(real)), .c = to,
                                            .c_stride = stride},
                 NULL, work->step->layers->error_prefetch_terms);
}

/* Store the derivatives of m examples, after their forward step with slopes, to [m][n_out][n_in];
 * see kernels.def. */
static void FN(jacobian_of_step)(const FN(thread_context) *work, const real *parameters, size_t m,
                                 const double *slopes, real *to)
{
    const size_t L = work->network->layers, *sizes = work->network->sizes, n_in = sizes[0];
    const FN(workspace) *w = &work->w;
    const int direct = L > 1 && n_in % FN_LINE_REALS == 0; /* rows without pads */
    real *inputs = direct ? to : w->delta[0];
    const size_t inputs_stride = direct ? n_in : fn_stride(n_in, sizeof(real));
    FN(start_jacobian)(work, m);
    for (size_t l = L - 1; l-- > 1;)
        FN(jacobian_of_layer)(work, l, m, parameters + w->places[l].weights, w->delta[l],
                              fn_stride(sizes[l], sizeof(real)));
    if (work->plan->transposes_first)
        FN(jacobian_of_inputs)(work, m * sizes[L], inputs, inputs_stride);
    else if (L > 1)
        FN(jacobian_of_layer)(work, 0, m, parameters + w->places->weights, inputs, inputs_stride);
    FN(store_jacobian)(m * sizes[L], n_in, inputs, inputs_stride, slopes, to);
}

#endif
