"""Part of _kernels.pyx: single kernels, for tests, benchmarks and fastnet.sigmoid; and random
numbers."""


ctypedef double (*number_of)(fn_type, size_t, const void *) noexcept nogil


cdef double number(number_of kernel, x):
    """The result of a kernel for a plain array."""
    cdef Array a = vector("x", x, REAL)
    cdef double result
    with nogil:
        result = kernel(a.type(), a.length(0), a.data())
    return result


def max_abs(x):
    return number(fn_max_abs, x)


def max_abs_and_count(x):
    """(largest absolute value, number of non-zero elements)"""
    cdef Array a = vector("x", x, REAL)
    cdef double largest
    cdef size_t nonzero
    with nogil:
        largest = fn_max_abs_and_count(a.type(), a.length(0), a.data(), &nonzero)
    return largest, nonzero


def sum_of_squares(x):
    return number(fn_sum_of_squares, x)


def sum_of_magnitudes(x):
    return number(fn_sum_of_magnitudes, x)


def exp(x, out):
    cdef Array a = vector("x", x, REAL)
    cdef Array b = vector("out", out, (a.dtype,), True).expect("out", (a.length(0),))
    with nogil:
        fn_exp(a.type(), a.length(0), a.data(), b.data())


def log(x, out):
    cdef Array a = vector("x", x, ("float64",))
    cdef Array b = vector("out", out, (a.dtype,), True).expect("out", (a.length(0),))
    with nogil:
        fn_log(a.type(), a.length(0), a.data(), b.data())


def sigmoid(z, out):
    cdef Array a = vector("z", z, REAL)
    cdef Array b = vector("out", out, (a.dtype,), True).expect("out", (a.length(0),))
    with nogil:
        fn_sigmoid(a.type(), a.length(0), a.data(), b.data())


cdef fn_activation activation_of(neurons) except *:
    """An activation of hidden neurons, given as for ``Shape``."""
    cdef fn_activation result
    result.kind = <fn_activation_kind>set_row("neurons", neurons, HIDDEN, result.parameters)
    return result


def activate(neurons, z, out, slope=None):
    cdef fn_activation kind = activation_of(neurons)
    cdef Array x = vector("z", z, REAL)
    cdef Array a = vector("out", out, (x.dtype,), True).expect("out", (x.length(0),))
    cdef Array s = None
    cdef void *slopes = NULL
    if slope is not None:
        s = vector("slope", slope, (x.dtype,), True).expect("slope", (x.length(0),))
        slopes = s.data()
    with nogil:
        fn_activate(x.type(), kind, x.length(0), x.data(), a.data(), slopes)


def softmax(z, out):
    cdef size_t m, n
    m, n = rows_and_columns("z", z)
    cdef Array a = matrix("z", z, (m, n), REAL)
    cdef Array b = matrix("out", out, (m, n), (a.dtype,), True)
    with nogil:
        fn_softmax(a.type(), m, n, a.data(), b.data())


cdef fn_dimensions dimensions(size_t m, weights) except *:
    """Of a layer's products: m examples, and as many inputs and outputs as the weights have."""
    cdef fn_dimensions size
    size.m = m
    size.n_in, size.n_out = rows_and_columns("weights", weights)
    return size


cdef Workspace scratch_for(Array a, fn_dimensions size):
    return Workspace(fn_scratch_size(a.type(), size) * a.view.itemsize)


def weighted_input(a, weights, biases, z):
    cdef fn_dimensions size = dimensions(len(a), weights)
    cdef Array x = matrix("a", a, (size.m, size.n_in), REAL)
    cdef Array w = matrix("weights", weights, (size.n_in, size.n_out), (x.dtype,))
    cdef Array b = matrix("biases", biases, (1, size.n_out), (x.dtype,))
    cdef Array c = matrix("z", z, (size.m, size.n_out), (x.dtype,), True)
    cdef Workspace s = scratch_for(x, size)
    with nogil:
        fn_weighted_input(x.type(), size, x.data(), w.data(), b.data(), c.data(), s.start())


cdef Array row_weights(weights, size_t m):
    return vector("weights", weights, ("float64",)).expect("weights", (m,))


def output_error(output, cost, a, y, factor, delta, weights=None):
    cdef size_t m, n
    m, n = rows_and_columns("a", a)
    cdef Array x = matrix("a", a, (m, n), REAL)
    cdef Array t = matrix("y", y, (m, n), (x.dtype,))
    cdef Array d = matrix("delta", delta, (m, n), (x.dtype,), True)
    cdef Shape shape = Shape((1, n), output, cost)
    cdef double factor_ = factor
    cdef Array w = None if weights is None else row_weights(weights, m)
    cdef const double *each = NULL if w is None else <const double *>w.data()
    with nogil:
        fn_output_error(x.type(), &shape.network, m, factor_, each, x.data(), t.data(), d.data())


def cost_sum(output, cost, z, y, weights=None):
    cdef size_t m, n
    m, n = rows_and_columns("z", z)
    cdef Array x = matrix("z", z, (m, n), REAL)
    cdef Array t = matrix("y", y, (m, n), (x.dtype,))
    cdef Shape shape = Shape((1, n), output, cost)
    cdef Array w = None if weights is None else row_weights(weights, m)
    cdef const double *each = NULL if w is None else <const double *>w.data()
    cdef double total
    with nogil:
        total = fn_cost_sum(x.type(), &shape.network, m, each, x.data(), t.data())
    return total


def backpropagate(neurons, weights, delta, a, delta_below):
    cdef fn_dimensions size = dimensions(len(delta), weights)
    cdef Array w = matrix("weights", weights, (size.n_in, size.n_out), REAL)
    cdef Array d = matrix("delta", delta, (size.m, size.n_out), (w.dtype,))
    cdef Array x
    cdef Array b = matrix("delta_below", delta_below, (size.m, size.n_in), (w.dtype,), True)
    cdef fn_activation kind = activation_of(neurons)
    cdef void *activations = NULL
    if a is not None:
        if fn_activations[<int>kind.kind].keeps_slope:
            raise ValueError(
                f"a: expected None for {neurons}, whose slopes cannot be computed from a, "
                f"got an array")
        x = matrix("a", a, (size.m, size.n_in), (w.dtype,))
        activations = x.data()
    cdef Workspace s = scratch_for(w, size)
    with nogil:
        fn_backpropagate(w.type(), kind, size, w.data(), d.data(), activations, b.data(), s.start())


def update(weights, biases, a, delta, l2=0.0, l1=0.0):
    cdef fn_dimensions size = dimensions(len(delta), weights)
    cdef Array w = matrix("weights", weights, (size.n_in, size.n_out), REAL, True)
    cdef Array b = matrix("biases", biases, (1, size.n_out), (w.dtype,), True)
    cdef Array x = matrix("a", a, (size.m, size.n_in), (w.dtype,))
    cdef Array d = matrix("delta", delta, (size.m, size.n_out), (w.dtype,))
    cdef fn_decay decay
    decay.l2, decay.l1 = l2, l1
    cdef Workspace s = scratch_for(w, size)
    with nogil:
        fn_update(w.type(), size, x.data(), d.data(), decay, w.data(), b.data(), s.start())


def random_at(key, counters):
    """One raw 64-bit number for each of the uint64 counters."""
    cdef Array c = vector("counters", counters, ("uint64",))
    result = np.empty(len(counters), np.uint64)
    cdef Array r = vector("result", result, ("uint64",), True)
    cdef uint64_t seed = key
    cdef size_t i
    for i in range(c.length(0)):
        (<uint64_t *>r.data())[i] = fn_random_at(seed, (<uint64_t *>c.data())[i])
    return result


def fma_rounds(dtype, n):
    cdef fn_type type = TYPES[real_name(dtype)]
    cdef size_t rounds = n
    cdef Workspace sums = Workspace(FN_SUMS_BYTES)
    cdef double operations
    with nogil:
        operations = fn_fma_rounds(type, rounds, sums.start())
    return operations


# ---- random numbers --------------------------------------------------------

ctypedef void (*distribution)(size_t n, const uint64_t *raw, double *numbers) noexcept nogil

# Numbers drawn or elements shuffled in one piece, 10 to 20 ms; signals are handled between pieces.
cdef size_t PIECE = 1_000_000

# Shorter shuffles keep the GIL, since releasing it would take longer.
cdef size_t SHORT_SHUFFLE = 4096

cdef shuffle(size_t first, size_t end, const uint64_t *raw, int64_t *order):
    if end - first < SHORT_SHUFFLE:
        fn_shuffle(first, end, raw, order)
        return
    with nogil:
        fn_shuffle(first, end, raw, order)
    PyErr_CheckSignals()


def permutation(raw):
    cdef Array r = Array("raw", raw if raw.ndim == 2 else raw[np.newaxis], 2, ("uint64",))
    cdef size_t row, i, first, end, rows = r.length(0), n = r.length(1)
    result = np.empty(raw.shape, np.int64)
    cdef Array o = Array("result", result, raw.ndim, ("int64",), writable=True)
    cdef int64_t *order = <int64_t *>o.data()
    for row in range(rows):
        for i in range(n):
            order[i] = i
        end = n
        while end > 0:
            first = end - PIECE if end > PIECE else 0
            shuffle(first, end, <const uint64_t *>(<const char *>r.data() + row * r.view.strides[0]),
                    order)
            end = first
        order += n
    return result


def uniform(raw):
    return drawn(fn_uniform, raw)


def standard_normal(raw):
    return drawn(fn_standard_normal, raw)


cdef drawn(distribution function, raw):
    """The numbers that ``function`` makes of the raw ones, one each."""
    cdef Array r = vector("raw", raw, ("uint64",))
    cdef size_t first, n = r.length(0)
    result = np.empty(n, np.float64)
    cdef Array x = vector("result", result, ("float64",), True)
    cdef const uint64_t *bits = <const uint64_t *>r.data()
    cdef double *numbers = <double *>x.data()
    for first in range(0, n, PIECE):
        with nogil:
            function(min(n - first, PIECE), bits + first, numbers + first)
        PyErr_CheckSignals()
    return result
