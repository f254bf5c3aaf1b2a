/* Part of driver.c: checks of one row of costs.def, activations.def or optimizers.def, in both types
 * and for each instruction set, with a line of results for each.
 *
 *     driver cost NAME [PARAMETER...]          the cost has linear outputs
 *     avx2 12.345 3.1e-11 2.6e-7
 *
 * the value, and the largest difference between the output error and central differences of the
 * value, in double and in float;
 *
 *     driver activation NAME [PARAMETER...]    of hidden neurons
 *     avx2 -0.632 2.2e-11 5.9e-8
 *
 * f(-1), and the largest difference between the slope and central differences of f;
 *
 *     driver optimizer NAME [COEFFICIENT...]
 *     avx2 1.234 0.432 1.234 0.432
 *
 * weight and bias of one linear neuron after three steps with the input 1, the target 0, the
 * quadratic cost and eta = 0.1 from the weight 2 and the bias 0, in double and in float. */

/* Element i of an array of the type. */
static double get(fn_type type, const void *array, size_t i)
{
    return type == FN_F32 ? ((const float *)array)[i] : ((const double *)array)[i];
}

static void set(fn_type type, void *array, size_t i, double value)
{
    if (type == FN_F32)
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

static double difference(double a, double b) { return a > b ? a - b : b - a; }

/* The enumerator of the row arguments[0], whose parameters are behind it. */
static size_t find_row(const fn_row *(*row)(size_t), char **arguments, size_t n_parameters,
                       double *parameters)
{
    size_t i = 0;
    while (row(i) && strcmp(row(i)->name, arguments[0]))
        i++;
    if (!row(i) || row(i)->n_parameters != n_parameters)
        fail("no row of this name has so many parameters");
    for (size_t p = 0; p < n_parameters; p++)
        parameters[p] = strtod(arguments[1 + p], NULL);
    return i;
}

/* ---- costs */

/* The largest difference between the error, in the type, and the slope of the value in double. */
static double difference_of_errors(fn_type type, const fn_network *network, double *value)
{
    enum { M = 7, N = 5 };
    const double h = 1e-5;
    const size_t row = fn_stride(N, fn_bytes[type]), wide = fn_stride(N, sizeof(double));
    double *z = allocate(M * wide * sizeof *z), *y = allocate(M * wide * sizeof *y), worst = 0;
    void *a = allocate(M * row * fn_bytes[type]), *t = allocate(M * row * fn_bytes[type]);
    void *delta = allocate(M * row * fn_bytes[type]);
    state = 1;
    for (size_t s = 0; s < M; s++)
        for (size_t j = 0; j < N; j++) {
            const uint64_t raw[] = {next_random(), next_random()};
            double drawn[2];
            fn_standard_normal(2, raw, drawn);
            z[s * wide + j] = (float)drawn[0], y[s * wide + j] = (float)drawn[1];
            set(type, a, s * row + j, (float)drawn[0]);
            set(type, t, s * row + j, (float)drawn[1]);
        }
    *value = fn_cost_sum(FN_F64, network, M, NULL, z, y);
    fn_output_error(type, network, M, 1, NULL, a, t, delta);
    for (size_t s = 0; s < M; s++)
        for (size_t j = 0; j < N; j++) {
            double *at = z + s * wide + j;
            const double before = *at;
            *at = before + h;
            const double above = fn_cost_sum(FN_F64, network, M, NULL, z, y);
            *at = before - h;
            const double slope = (above - fn_cost_sum(FN_F64, network, M, NULL, z, y)) / (2 * h);
            *at = before;
            const double off = difference(get(type, delta, s * row + j), slope);
            worst = off > worst ? off : worst;
        }
    free(z), free(y), free(a), free(t), free(delta);
    return worst;
}

static void print_differences(double value, double f64, double f32)
{
    printf("%s %.17g %.2g %.2g\n", fn_selected(), value, f64, f32);
    if (!(f64 < 1e-8 && f32 < 1e-5))
        fail("the derivative is not the slope of the value");
}

static void check_cost(char **arguments, size_t n_parameters)
{
    static const size_t sizes[] = {1, 5};
    fn_network network = {.layers = 1, .sizes = sizes, .output = FN_LINEAR};
    double value;
    network.cost = (fn_cost)find_row(fn_cost_row, arguments, n_parameters, network.cost_parameters);
    const double f64 = difference_of_errors(FN_F64, &network, &value);
    print_differences(value, f64, difference_of_errors(FN_F32, &network, &value));
}

/* ---- activations */

/* The largest difference between the slopes, in the type, and those of the values in double; no z
 * is near 0, where values may have a kink. */
static double difference_of_slopes(fn_type type, fn_activation neurons)
{
    enum { N = 3001 };
    const double h = 1e-5;
    double *z = allocate(3 * N * sizeof *z), *a = allocate(3 * N * sizeof *a), worst = 0;
    void *x = allocate(N * fn_bytes[type]), *slope = allocate(N * fn_bytes[type]);
    for (size_t i = 0; i < N; i++) {
        z[i] = (float)((double)i / 100 - 15.005);
        z[N + i] = z[i] - h, z[2 * N + i] = z[i] + h;
        set(type, x, i, z[i]);
    }
    fn_activate(FN_F64, neurons, 3 * N, z, a, NULL);
    fn_activate(type, neurons, N, x, x, slope);
    for (size_t i = 0; i < N; i++) {
        const double off = difference(get(type, slope, i), (a[2 * N + i] - a[N + i]) / (2 * h));
        worst = off > worst ? off : worst;
    }
    free(z), free(a), free(x), free(slope);
    return worst;
}

static void check_activation(char **arguments, size_t n_parameters)
{
    fn_activation neurons = {0};
    double a = -1;
    neurons.kind = (fn_activation_kind)find_row(fn_activation_row, arguments, n_parameters,
                                                neurons.parameters);
    if (!fn_activations[neurons.kind].hidden)
        fail("only an output layer has this activation");
    fn_activate(FN_F64, neurons, 1, &a, &a, NULL);
    print_differences(a, difference_of_slopes(FN_F64, neurons), difference_of_slopes(FN_F32, neurons));
}

/* ---- optimizers */

static void print_steps(fn_type type, fn_training training)
{
    enum { STEPS = 3 };
    static const size_t sizes[] = {1, 1};
    static const float input = 1, target = 0;
    static const int64_t order[STEPS] = {0};
    const fn_network network = {.layers = 1, .sizes = sizes, .output = FN_LINEAR,
                                .cost = FN_QUADRATIC};
    fn_examples examples = {
        .n = 1, .inputs = &input, .inputs_stride = sizeof input, .inputs_type = FN_F32,
        .targets = &target, .targets_stride = sizeof target, .targets_type = FN_F32,
    };
    fn_set_scale(&examples, 1);
    fn_place place;
    const size_t length = fn_layout(&network, fn_bytes[type], &place) * fn_bytes[type];
    void *parameters = allocate(length);
    training.moments = allocate(FN_MOST_MOMENTS * length);
    set(type, parameters, place.weights, 2);
    planned p;
    make_plan(&p, FN_CALL_TRAIN, type, &network, &examples, STEPS, 1, &training, 1);
    void *workspace = allocate(fn_workspace_size(type, &p.plan, &examples, &training));
    fn_train(type, &p.plan, parameters, &examples, order, 1, &training, workspace);
    printf(" %.17g %.17g", get(type, parameters, place.weights), get(type, parameters, place.biases));
    free(workspace), free(training.moments), free(parameters);
}

static void check_optimizer(char **arguments, size_t n_coefficients)
{
    fn_training training = {.eta = 0.1};
    training.optimizer = (fn_optimizer)find_row(fn_optimizer_row, arguments, n_coefficients,
                                                training.coefficients);
    printf("%s", fn_selected());
    print_steps(FN_F64, training);
    print_steps(FN_F32, training);
    printf("\n");
}

/* Whether `list` is one of the three, whose row is then checked. */
static int check_row(const char *list, char **arguments, size_t n_parameters)
{
    void (*const check)(char **, size_t) = strcmp(list, "cost") == 0 ? check_cost
                                         : strcmp(list, "activation") == 0 ? check_activation
                                         : strcmp(list, "optimizer") == 0 ? check_optimizer : NULL;
    for (size_t t = 0; check && fn_isa_name(t); t++) {
        fn_select(fn_isa_name(t));
        check(arguments, n_parameters);
    }
    return check != NULL;
}
