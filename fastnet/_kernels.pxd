"""The C interface, as csrc/fastnet.h declares it."""

from libc.stdint cimport int64_t, uint64_t


cdef extern from "fastnet.h" nogil:
    ctypedef enum fn_output:
        FN_SIGMOID
        FN_SOFTMAX
        FN_LINEAR

    ctypedef enum fn_cost:
        FN_QUADRATIC
        FN_CROSS_ENTROPY
        FN_LOG_LIKELIHOOD
        FN_OTHER_COST

    ctypedef enum fn_type:
        FN_U8
        FN_F32
        FN_F64
        FN_I64

    ctypedef struct fn_network:
        size_t layers
        const size_t *sizes
        fn_output output
        fn_cost cost

    ctypedef struct fn_examples:
        size_t n
        const void *inputs
        size_t inputs_stride
        fn_type inputs_type
        double scale
        const void *targets
        size_t targets_stride
        fn_type targets_type

    ctypedef int (*fn_delta_callback)(void *context, size_t m, size_t n_out, size_t stride,
                                      const void *z, const void *a, const void *y,
                                      void *delta) noexcept nogil

    ctypedef struct fn_delta:
        fn_delta_callback call
        void *context

    ctypedef struct fn_place:
        size_t weights
        size_t biases
        size_t stride

    enum:
        FN_EVALUATED

    size_t fn_stride(size_t n, size_t bytes)
    size_t fn_layout(const fn_network *network, size_t bytes, fn_place *places)

    ctypedef struct fn_kernels_f32:
        void (*exp)(size_t n, const float *x, float *y) noexcept nogil
        void (*sigmoid)(size_t n, const float *x, float *y) noexcept nogil
        void (*softmax)(size_t m, size_t n, size_t stride, const float *z, float *a) noexcept nogil
        void (*weighted_input)(size_t m, size_t n_in, size_t n_out, size_t a_stride,
                               const float *a, const float *weights, const float *biases, float *z) noexcept nogil
        void (*output_error)(fn_output output, fn_cost cost, size_t m, size_t n, float factor,
                             const float *z, const float *a, const float *y, float *delta) noexcept nogil
        double (*cost_sum)(fn_output output, fn_cost cost, size_t m, size_t n,
                           const float *z, const float *y) noexcept nogil
        void (*backpropagate)(size_t m, size_t n_in, size_t n_out, const float *weights,
                              const float *delta, const float *a, float *delta_below,
                              float *scratch) noexcept nogil
        size_t (*scratch_size)(size_t m, size_t n_in, size_t n_out) noexcept nogil
        void (*update)(size_t m, size_t n_in, size_t n_out, size_t a_stride, const float *a,
                       const float *delta, float decay, float *weights, float *biases) noexcept nogil
        size_t (*workspace_size)(const fn_network *network, size_t m) noexcept nogil
        int (*train)(const fn_network *network, float *parameters, const fn_examples *examples,
                     const int64_t *order, size_t n_order, size_t m, double eta, double decay,
                     fn_delta delta, void *workspace) noexcept nogil
        int (*gradient)(const fn_network *network, const float *parameters,
                        const fn_examples *examples, float *nabla, fn_delta delta, void *workspace) noexcept nogil
        void (*feedforward)(const fn_network *network, const float *parameters,
                            const fn_examples *examples, float *a, void *workspace) noexcept nogil
        double (*evaluate)(const fn_network *network, const float *parameters,
                           const fn_examples *examples, size_t *correct, void *workspace) noexcept nogil

    ctypedef struct fn_kernels_f64:
        void (*exp)(size_t n, const double *x, double *y) noexcept nogil
        void (*log)(size_t n, const double *x, double *y) noexcept nogil
        void (*sigmoid)(size_t n, const double *x, double *y) noexcept nogil
        void (*softmax)(size_t m, size_t n, size_t stride, const double *z, double *a) noexcept nogil
        void (*weighted_input)(size_t m, size_t n_in, size_t n_out, size_t a_stride,
                               const double *a, const double *weights, const double *biases,
                               double *z) noexcept nogil
        void (*output_error)(fn_output output, fn_cost cost, size_t m, size_t n, double factor,
                             const double *z, const double *a, const double *y, double *delta) noexcept nogil
        double (*cost_sum)(fn_output output, fn_cost cost, size_t m, size_t n,
                           const double *z, const double *y) noexcept nogil
        void (*backpropagate)(size_t m, size_t n_in, size_t n_out, const double *weights,
                              const double *delta, const double *a, double *delta_below,
                              double *scratch) noexcept nogil
        size_t (*scratch_size)(size_t m, size_t n_in, size_t n_out) noexcept nogil
        void (*update)(size_t m, size_t n_in, size_t n_out, size_t a_stride, const double *a,
                       const double *delta, double decay, double *weights, double *biases) noexcept nogil
        size_t (*workspace_size)(const fn_network *network, size_t m) noexcept nogil
        int (*train)(const fn_network *network, double *parameters, const fn_examples *examples,
                     const int64_t *order, size_t n_order, size_t m, double eta, double decay,
                     fn_delta delta, void *workspace) noexcept nogil
        int (*gradient)(const fn_network *network, const double *parameters,
                        const fn_examples *examples, double *nabla, fn_delta delta,
                        void *workspace) noexcept nogil
        void (*feedforward)(const fn_network *network, const double *parameters,
                            const fn_examples *examples, double *a, void *workspace) noexcept nogil
        double (*evaluate)(const fn_network *network, const double *parameters,
                           const fn_examples *examples, size_t *correct, void *workspace) noexcept nogil

    const fn_kernels_f32 *fn_f32_kernels
    const fn_kernels_f64 *fn_f64_kernels
    int fn_select(const char *isa)
    const char *fn_selected()
    const char *fn_isa_name(size_t i)

    void fn_permutation(size_t n, const uint64_t *raw, int64_t *order)
    void fn_uniform(size_t n, const uint64_t *raw, double *u)
    void fn_standard_normal(size_t n, const uint64_t *raw, double *x)
