"""The C interface, as csrc/fastnet.h declares it."""

from libc.stdint cimport int64_t, uint64_t


cdef extern from "fastnet.h" nogil:
    ctypedef enum fn_activation:
        pass

    ctypedef struct fn_activation_traits:
        const char *name
        bint hidden
        bint output
        bint keeps_slope

    const fn_activation_traits *fn_activation_row(size_t i)

    ctypedef enum fn_cost:
        pass

    ctypedef struct fn_cost_traits:
        const char *name
        size_t n_parameters

    const fn_cost_traits *fn_cost_row(size_t i)

    ctypedef enum fn_optimizer:
        pass

    ctypedef struct fn_optimizer_traits:
        const char *name
        size_t n_moments
        size_t n_coefficients

    const fn_optimizer_traits *fn_optimizer_row(size_t i)

    ctypedef enum fn_type:
        FN_U8
        FN_U16
        FN_U32
        FN_F32
        FN_F64
        FN_I64

    ctypedef struct fn_network:
        size_t layers
        const size_t *sizes
        const fn_activation *hidden
        fn_activation output
        fn_cost cost
        double *cost_parameters

    ctypedef struct fn_examples:
        size_t n
        const void *inputs
        size_t inputs_stride
        fn_type inputs_type
        double scale
        const int64_t *offsets
        size_t longest
        const void *columns
        fn_type columns_type
        const uint64_t *masks
        const void *targets
        size_t targets_stride
        fn_type targets_type
        const double *weights

    ctypedef int (*fn_delta_callback)(void *context, size_t m, size_t n_out, size_t stride,
                                      const void *z, const void *a, const void *y,
                                      void *delta) noexcept nogil

    ctypedef struct fn_delta:
        fn_delta_callback call
        void *context

    ctypedef size_t (*fn_watch_until)(void *context) noexcept nogil
    ctypedef int (*fn_watch_looks)(void *context) noexcept nogil
    ctypedef int (*fn_watch_call)(void *context, size_t done) noexcept nogil

    ctypedef struct fn_watch:
        fn_watch_until until
        fn_watch_looks looks
        fn_watch_call call
        void *context

    ctypedef struct fn_training:
        double eta
        double l2
        double l1
        bint divide_l2
        fn_optimizer optimizer
        double *coefficients
        uint64_t steps
        void *moments
        const double *dropout
        size_t shift
        size_t side
        uint64_t key
        const uint64_t *keys
        fn_delta delta
        fn_watch watch
        double *costs
        int64_t *ended
        void *last
        size_t n_last
        int by_blocks
        size_t sharing

    uint64_t fn_random_at(uint64_t key, uint64_t counter)

    ctypedef struct fn_place:
        size_t weights
        size_t biases
        size_t stride

    enum:
        FN_SUMS_BYTES
        FN_PIECE
        FN_EVALUATED
        FN_MOST_THREADS
        FN_STEPS

    ctypedef enum fn_form:
        FN_DENSE
        FN_COLUMNS
        FN_MASKS

    ctypedef enum fn_target:
        FN_BASELINE

    ctypedef struct fn_processor:
        bint halves_avx512

    ctypedef enum fn_call:
        FN_CALL_TRAIN
        FN_CALL_GRADIENT
        FN_CALL_FORWARD

    ctypedef enum fn_entry:
        FN_ENTER_DENSE

    ctypedef enum fn_forward_way:
        FN_FORWARD_LISTS

    ctypedef enum fn_error_way:
        FN_ERROR_NONE

    ctypedef enum fn_update_way:
        FN_UPDATE_NONE

    ctypedef enum fn_gradient_way:
        FN_FUSED_UPDATE

    ctypedef struct fn_layer_plan:
        fn_forward_way forward
        fn_error_way error
        fn_error_way error_of_rest
        fn_update_way update
        size_t error_examples
        size_t prefetch_terms
        size_t error_prefetch_terms
        bint forward_by_neurons
        bint error_by_neurons
        bint keeps_slopes
        bint update_in_parts

    ctypedef struct fn_step:
        size_t m
        const fn_layer_plan *layers

    ctypedef struct fn_plan:
        const fn_network *network
        fn_type type
        fn_target target
        fn_call call
        fn_form form
        fn_entry entry
        fn_gradient_way gradient
        size_t n
        size_t m
        size_t piece
        size_t threads
        size_t examples_per_list
        size_t list_update_vectors
        size_t streamed_rows
        bint lazy_decay
        bint drops_columns
        bint prefetches_examples
        fn_step *steps

    ctypedef struct fn_plan_input:
        const fn_network *network
        fn_type type
        fn_target target
        fn_processor processor
        fn_call call
        size_t n
        size_t m
        fn_form form
        size_t inputs_bytes
        double density
        const fn_training *training
        size_t threads

    void fn_make_plan(const fn_plan_input *input, fn_plan *plan, fn_layer_plan *layers)
    void fn_describe_examples(const fn_examples *examples, size_t n_in, fn_plan_input *input)
    fn_form fn_choose_form(fn_type type, fn_target target, fn_processor processor,
                           const fn_network *network, double density)
    size_t fn_choose_threads(const fn_network *network, size_t m, double density, size_t most)
    fn_target fn_selected_target()
    fn_processor fn_this_processor()
    const char *fn_target_name(fn_target target)
    const char *fn_call_name(fn_call call)
    const char *fn_form_name(fn_form form)
    const char *fn_entry_name(fn_entry entry)
    const char *fn_forward_name(fn_forward_way way)
    const char *fn_error_name(fn_error_way way)
    const char *fn_update_name(fn_update_way way)
    const char *fn_gradient_name(fn_gradient_way way)

    size_t fn_words(size_t n_in)
    size_t fn_stride(size_t n, size_t bytes)
    size_t fn_layout(const fn_network *network, size_t bytes, fn_place *places)

    # The kernels, as kernels.def lists them, behind the type of their arrays.
    double fn_magnitude(fn_type type, size_t n, const void *x)
    double fn_survey(fn_type type, size_t n, const void *x, size_t *others)
    void fn_set_scale(fn_examples *examples, double scale)
    size_t fn_compress(fn_type type, const fn_examples *dense, size_t n_in, size_t room,
                       int64_t *offsets, void *values, void *columns, fn_type columns_type,
                       uint64_t *masks)
    double fn_sum_of_squares(fn_type type, size_t n, const void *x)
    double fn_sum_of_magnitudes(fn_type type, size_t n, const void *x)
    void fn_exp(fn_type type, size_t n, const void *x, void *y)
    void fn_log(fn_type type, size_t n, const void *x, void *y)
    void fn_sigmoid(fn_type type, size_t n, const void *x, void *y)
    void fn_activate(fn_type type, fn_activation neurons, size_t n, const void *z, void *a,
                     void *slope)
    void fn_softmax(fn_type type, size_t m, size_t n, const void *z, void *a)
    void fn_weighted_input(fn_type type, size_t m, size_t n_in, size_t n_out, const void *a,
                           const void *weights, const void *biases, void *z, void *scratch)
    void fn_output_error(fn_type type, const fn_network *network, size_t m, double factor,
                         const double *weights, const void *a, const void *y, void *delta)
    double fn_cost_sum(fn_type type, const fn_network *network, size_t m, const double *weights,
                       const void *z, const void *y)
    void fn_backpropagate(fn_type type, fn_activation neurons, size_t m, size_t n_in, size_t n_out,
                          const void *weights, const void *delta, const void *a,
                          void *delta_below, void *scratch)
    size_t fn_scratch_size(fn_type type, size_t m, size_t n_in, size_t n_out)
    void fn_update(fn_type type, size_t m, size_t n_in, size_t n_out, const void *a,
                   const void *delta, double l2, double l1, void *weights, void *biases, void *scratch)
    size_t fn_workspace_size(fn_type type, const fn_plan *plan, const fn_examples *examples,
                             const fn_training *training)
    size_t fn_evaluation_size(fn_type type, const fn_plan *plan, const fn_examples *examples)
    int fn_train(fn_type type, const fn_plan *plan, void *parameters, const fn_examples *examples,
                 const int64_t *order, size_t passes, const fn_training *training, void *workspace)
    int fn_gradient(fn_type type, const fn_plan *plan, const void *parameters,
                    const fn_examples *examples, void *nabla, fn_delta delta, fn_watch watch,
                    void *workspace)
    void fn_feedforward(fn_type type, const fn_plan *plan, const void *parameters,
                        const fn_examples *examples, void *a, fn_watch watch, void *workspace)
    double fn_evaluate(fn_type type, const fn_plan *plan, const void *parameters,
                       const fn_examples *examples, size_t *correct, fn_watch watch,
                       void *workspace)
    double fn_fma_rounds(fn_type type, size_t n, void *sums)

    int fn_select(const char *isa)
    const char *fn_selected()
    const char *fn_isa_name(size_t i)

    void fn_shuffle(size_t first, size_t end, const uint64_t *raw, int64_t *order)
    void fn_uniform(size_t n, const uint64_t *raw, double *u)
    void fn_standard_normal(size_t n, const uint64_t *raw, double *x)
