/* Part of driver.c, in debug builds: a call that breaks a contract, after which the debug build
 * aborts.
 *
 *     driver broken NAME */

#ifdef FN_DEBUG
static _Alignas(64) float small_arrays[4][64];

static int is(const char *name, const char *other) { return strcmp(name, other) == 0; }

static void break_kernel(const char *name)
{
    static const size_t sizes[] = {2, 3};
    static const double weights[] = {-1};
    const fn_network network = {.layers = 1, .sizes = sizes, .cost = FN_QUADRATIC};
    const fn_activation neurons = {.kind = FN_TANH};
    float *z = small_arrays[0], *a = small_arrays[1], *y = small_arrays[2], *delta = small_arrays[3];
    if (is(name, "softmax alignment"))
        fn_softmax(FN_F32, 1, 3, z + 1, a);
    if (is(name, "softmax overlap"))
        fn_softmax(FN_F32, 2, 3, z, z + 16);
    if (is(name, "activate overlap"))
        fn_activate(FN_F32, neurons, 8, z, z + 1, NULL);
    if (is(name, "activate slope"))
        fn_activate(FN_F32, neurons, 8, z, a, a + 1);
    if (is(name, "output_error alignment"))
        fn_output_error(FN_F32, &network, 1, 1, NULL, a, y + 1, delta);
    if (is(name, "output_error overlap"))
        fn_output_error(FN_F32, &network, 1, 1, NULL, a, y, y);
    if (is(name, "output_error weights"))
        fn_output_error(FN_F32, &network, 1, 1, weights, a, y, delta);
    if (is(name, "cost_sum alignment"))
        fn_cost_sum(FN_F32, &network, 1, NULL, z + 1, y);
    if (is(name, "cost_sum weights"))
        fn_cost_sum(FN_F32, &network, 1, weights, z, y);
    if (is(name, "next"))
        fn_next_part(0, 8);
}

static void break_compress(const char *name)
{
    static int64_t offsets[2];
    fn_examples examples = {.n = 1, .inputs = small_arrays[1], .inputs_stride = 8,
                            .inputs_type = FN_F32};
    fn_compressed to = {.offsets = offsets, .values = small_arrays[0], .capacity = 64};
    if (is(name, "compress form"))
        examples.offsets = offsets;
    else if (is(name, "compress inputs"))
        examples.inputs_type = FN_U16;
    else if (is(name, "compress columns"))
        to.columns = small_arrays[2], to.columns_type = FN_U8;
    else
        return;
    fn_compress(FN_F32, &examples, 2, &to);
}

static void break_call(const char *name)
{
    static size_t sizes[] = {2, 3};
    static int64_t label[1];
    fn_place places[1];
    fn_network network = {.layers = 1, .sizes = sizes, .cost = FN_QUADRATIC};
    const fn_training training = {.eta = 1, .optimizer = FN_PLAIN};
    fn_examples examples = {.n = 1, .inputs = small_arrays[1], .inputs_stride = 8,
                            .inputs_type = FN_F32, .scale = 1, .targets = label,
                            .targets_stride = 8, .targets_type = FN_I64};
    fn_plan_input input = {.network = &network, .type = FN_F32, .target = fn_selected_target(),
                           .call = FN_CALL_TRAIN, .n = 1, .m = 1, .training = &training,
                           .threads = 1};
    planned p;
    size_t correct;
    void *parameters = allocate(fn_layout(&network, 4, places) * 4), *memory = allocate(1 << 16);
    network.layers = !is(name, "plan layers");
    sizes[1] = is(name, "plan sizes") ? 0 : 3;
    input.threads = !is(name, "plan threads");
    input.m = !is(name, "plan m");
    if (strstr(name, "gradient"))
        input.call = FN_CALL_GRADIENT, input.training = NULL;
    if (strstr(name, "evaluate"))
        input.call = FN_CALL_FORWARD, input.training = NULL;
    if (strstr(name, "targets type"))
        examples.targets_type = FN_U8;
    else if (strstr(name, "targets"))
        examples.targets = NULL;
    fn_make_plan(&input, &p.plan, p.layers);
    if (is(name, "train targets") || is(name, "train targets type"))
        fn_train(FN_F32, &p.plan, parameters, &examples, label, 1, &training, memory);
    if (is(name, "gradient targets"))
        fn_gradient(FN_F32, &p.plan, parameters, &examples, small_arrays[0], NULL, &training, memory);
    if (is(name, "evaluate targets"))
        fn_evaluate(FN_F32, &p.plan, parameters, &examples, &correct, (fn_poll){0}, memory);
}

static int break_contract(const char *name)
{
    break_kernel(name);
    break_compress(name);
    break_call(name);
    return 1;
}
#else
static int break_contract(const char *name) { return *name != 0; }
#endif
