/* Forward only: outputs, and counts and costs of a whole data set, in pieces
 * of FN_EVALUATED examples that stay in the caches. */

static size_t FN(evaluated)(const fn_examples *examples)
{
    return examples->n < FN_EVALUATED ? examples->n : FN_EVALUATED;
}

static size_t FN(next_piece)(const fn_network *network, const real *parameters,
                             const fn_examples *examples, size_t first, FN(workspace) *w)
{
    const size_t left = examples->n - first, m = left < FN_EVALUATED ? left : FN_EVALUATED;
    FN(gather_inputs)(network, examples, NULL, first, m, w);
    FN(forward)(network, parameters, m, w);
    return m;
}

static void FN(feedforward)(const fn_network *network, const real *parameters,
                            const fn_examples *examples, real *a, void *memory)
{
    const size_t L = network->layers, n_out = network->sizes[L];
    FN(workspace) w = FN(open_workspace)(network, FN(evaluated)(examples), examples, memory);
    for (size_t first = 0, m; first < examples->n; first += m) {
        m = FN(next_piece)(network, parameters, examples, first, &w);
        for (size_t s = 0; s < m; s++)
            memcpy(a + (first + s) * n_out, w.a[L] + s * w.places[L - 1].stride,
                   n_out * sizeof(real));
    }
}

/* The class that n_out outputs stand for: the first of the largest, or, for
 * one output, which side of 1/2. */
static size_t FN(class_of)(size_t n_out, const real *a)
{
    size_t best = 0;
    if (n_out == 1)
        return a[0] >= (real)0.5;
    for (size_t o = 1; o < n_out; o++)
        best = a[o] > a[best] ? o : best;
    return best;
}

static double FN(evaluate)(const fn_network *network, const real *parameters,
                           const fn_examples *examples, size_t *correct, void *memory)
{
    const size_t L = network->layers, n_out = network->sizes[L];
    FN(workspace) w = FN(open_workspace)(network, FN(evaluated)(examples), examples, memory);
    const size_t stride = w.places[L - 1].stride;
    double cost = 0;
    *correct = 0;
    for (size_t first = 0, m; first < examples->n; first += m) {
        m = FN(next_piece)(network, parameters, examples, first, &w);
        FN(gather_targets)(network, examples, NULL, first, m, w.y);
        for (size_t s = 0; s < m; s++)
            *correct += FN(class_of)(n_out, w.a[L] + s * stride)
                        == FN(class_of)(n_out, w.y + s * stride);
        if (network->cost != FN_OTHER_COST)
            cost += FN(cost_sum)(network->output, network->cost, m, n_out, w.z, w.y);
    }
    return cost;
}
