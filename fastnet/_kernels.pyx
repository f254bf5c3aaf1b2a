# cython: language_level=3, binding=True, embedsignature=False
"""The way from Python into the C kernels, and the only file that sees pointers.

Every function checks its arrays (dtype, shape, layout, writability), releases
the interpreter's lock and makes one call. The same functions, with the same
signatures, stand in plain NumPy in fastnet/reference.py, where each says what
it computes.

Parameters of a network are one flat array (see ``layout``). Arrays said to be
padded have rows of whole cache lines; ``padded`` makes them.
"""

import os

import numpy as np

from cpython.buffer cimport (PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release,
                             PyObject_GetBuffer)
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free

cdef extern from *:
    """
    #if defined(__clang__)
    #define FN_COMPILER "clang " __clang_version__
    #else
    #define FN_COMPILER "gcc " __VERSION__
    #endif
    """
    const char *FN_COMPILER


# ---- the instruction set ---------------------------------------------------

def available():
    """Names of the instruction sets that this machine has, best last."""
    names = []
    while fn_isa_name(len(names)) != NULL:
        names.append(fn_isa_name(len(names)).decode())
    return names


def isa():
    """Name of the instruction set in use."""
    return fn_selected().decode()


def select(name):
    """Use the kernels of the instruction set ``name`` from now on."""
    if fn_select(name.encode()):
        raise ValueError(f"expected one of {', '.join(available())}; got {name!r}")


def compiler():
    """Name and version of the C compiler that built the kernels."""
    return FN_COMPILER.decode().strip()


def _select_at_import():
    wanted = os.environ.get("FASTNET_ISA")
    try:
        select(wanted or available()[-1])
    except ValueError as error:
        raise ImportError(f"FASTNET_ISA: {error}") from None


_select_at_import()


# ---- arrays ----------------------------------------------------------------

cdef dict TYPE_NAMES = {"B": "uint8", "f": "float32", "d": "float64", "l": "int64", "q": "int64",
                        "L": "uint64", "Q": "uint64"}

cdef class Array:
    """A checked array, held as long as this object lives."""
    cdef Py_buffer view
    cdef bint held
    cdef str dtype

    def __cinit__(self, str name, array, int ndim, tuple dtypes, *, bint writable=False):
        if writable and not getattr(getattr(array, "flags", None), "writeable", True):
            raise ValueError(f"{name}: expected a writable array, got a read-only one")
        try:
            PyObject_GetBuffer(array, &self.view,
                               PyBUF_STRIDES | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0))
        except TypeError:
            raise TypeError(f"{name}: expected an array, got {type(array).__name__}") from None
        self.held = True
        code = self.view.format.decode() if self.view.format != NULL else "B"
        self.dtype = TYPE_NAMES.get(code, code)
        if (self.dtype not in dtypes or self.view.ndim != ndim
                or (ndim and self.view.itemsize != np.dtype(self.dtype).itemsize)):
            raise TypeError(f"{name}: expected a {ndim}-dimensional array of {' or '.join(dtypes)}, "
                            f"got {self.view.ndim} dimensions of {self.dtype}")
        if self.view.shape[ndim - 1] > 1 and self.view.strides[ndim - 1] != self.view.itemsize:
            raise ValueError(f"{name}: expected contiguous rows")
        if ndim == 2 and self.view.shape[0] > 1 and self.view.strides[0] < 0:
            raise ValueError(f"{name}: expected rows in ascending order")

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)

    cdef void *data(self):
        return self.view.buf

    cdef size_t length(self, int axis):
        return self.view.shape[axis]

    cdef fn_type type(self):
        return {"uint8": FN_U8, "float32": FN_F32, "float64": FN_F64, "int64": FN_I64}[self.dtype]

    cdef Array expect(self, str name, tuple shape):
        cdef tuple came = tuple([self.view.shape[i] for i in range(self.view.ndim)])
        if came != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {came}")
        return self

    cdef Array expect_padded(self, str name, array):
        cdef size_t stride = fn_stride(self.length(1), self.view.itemsize) * self.view.itemsize
        if array.strides[0] != stride:  # of a single row too: what is behind it may be written
            raise ValueError(f"{name}: expected rows {stride} bytes apart, got {array.strides[0]}")
        return self


cdef tuple REAL = ("float32", "float64")


cdef Array vector(str name, array, tuple dtypes, bint writable=False):
    return Array(name, array, 1, dtypes, writable=writable)


cdef Array matrix(str name, array, tuple shape, tuple dtypes, bint writable=False):
    cdef Array held = Array(name, array, 2, dtypes, writable=writable)
    return held.expect(name, shape).expect_padded(name, array)


cdef tuple rows_and_columns(str name, array):
    shape = np.shape(array)
    if len(shape) != 2:
        raise ValueError(f"{name}: expected 2 dimensions, got shape {shape}")
    return shape


def padded(m, n, dtype):
    """A zeroed (m, n) array whose rows start at cache lines, pads behind each."""
    dtype = np.dtype(dtype)
    stride = fn_stride(n, dtype.itemsize)
    return aligned(m * stride, dtype).reshape(m, stride)[:, :n]


def aligned(length, dtype):
    """A zeroed 1-D array that starts at a cache line."""
    dtype = np.dtype(dtype)
    raw = np.zeros(length * dtype.itemsize + 63, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + length * dtype.itemsize].view(dtype)


cdef class Workspace:
    """Zeroed memory of the kernels' own, aligned to a cache line."""
    cdef void *memory

    def __cinit__(self, size_t size):
        self.memory = calloc(size + 63, 1)
        if self.memory == NULL:
            raise MemoryError(f"fastnet: no {size} bytes for the workspace")

    def __dealloc__(self):
        free(self.memory)

    cdef void *start(self):
        return <void *>((<uintptr_t>self.memory + 63) // 64 * 64)


# ---- networks and examples -------------------------------------------------

cdef dict OUTPUTS = {"sigmoid": FN_SIGMOID, "softmax": FN_SOFTMAX, "linear": FN_LINEAR}
cdef dict COSTS = {"quadratic": FN_QUADRATIC, "cross-entropy": FN_CROSS_ENTROPY,
                   "log-likelihood": FN_LOG_LIKELIHOOD, None: FN_OTHER_COST}

cdef size_t LARGEST = 2 ** 31 - 1


cdef class Shape:
    """A network's shape in C."""
    cdef fn_network network
    cdef size_t *sizes

    def __cinit__(self, sizes, output, cost):
        cdef size_t i
        if len(sizes) < 2 or min(sizes) < 1 or max(sizes) > LARGEST:
            raise ValueError(f"sizes: expected two or more integers from 1 to {LARGEST}, got {sizes}")
        self.sizes = <size_t *>calloc(len(sizes), sizeof(size_t))
        if self.sizes == NULL:
            raise MemoryError()
        for i in range(len(sizes)):
            self.sizes[i] = sizes[i]
        self.network.layers = len(sizes) - 1
        self.network.sizes = self.sizes
        self.network.output = OUTPUTS[output]
        self.network.cost = COSTS[cost]

    def __dealloc__(self):
        free(self.sizes)

    cdef size_t n_in(self):
        return self.sizes[0]

    cdef size_t n_out(self):
        return self.sizes[self.network.layers]

    cdef Array parameters(self, str name, array, bint writable):
        """The flat parameter array of this network, checked."""
        cdef Array held = vector(name, array, REAL, writable)
        cdef size_t i, length = 0
        for i in range(self.network.layers):
            length += (self.sizes[i] + 1) * fn_stride(self.sizes[i + 1], held.view.itemsize)
        return held.expect(name, (length,))


cdef class Examples:
    """A data set in C; y is None where only the inputs matter."""
    cdef fn_examples examples
    cdef Array X
    cdef Array y

    def __cinit__(self, Shape shape, X, double scale, y):
        self.X = Array("X", X, 2, ("uint8", "float32", "float64"))
        n = self.X.length(0)
        self.X.expect("X", (n, shape.n_in()))
        self.examples.n = n
        self.examples.inputs = self.X.data()
        self.examples.inputs_stride = self.X.view.strides[0]
        self.examples.inputs_type = self.X.type()
        self.examples.scale = scale
        if y is None:
            return
        if getattr(y, "ndim", 0) == 1:
            self.y = vector("y", y, ("int64",)).expect("y", (n,))
        else:
            self.y = Array("y", y, 2, REAL).expect("y", (n, shape.n_out()))
        self.examples.targets = self.y.data()
        self.examples.targets_stride = self.y.view.strides[0]
        self.examples.targets_type = self.y.type()


def layout(sizes, dtype):
    """(length, [(weights, biases, stride), ...]): where each layer's parameters lie.

    In elements of the flat array: layer l's weights start at ``weights``, one
    row of ``stride`` for each input; its biases at ``biases``.
    """
    cdef size_t l
    cdef Shape shape = Shape(sizes, "sigmoid", None)
    itemsize = np.dtype(dtype).itemsize
    if sum((a + 1) * (b + 512) for a, b in zip(sizes, sizes[1:])) * itemsize >= 2 ** 62:
        raise MemoryError(f"sizes: {sizes} have more parameters than memory can hold")
    cdef Workspace places = Workspace(shape.network.layers * sizeof(fn_place))
    cdef fn_place *at = <fn_place *>places.start()
    length = fn_layout(&shape.network, itemsize, at)
    return length, [(at[l].weights, at[l].biases, at[l].stride) for l in range(shape.network.layers)]


# ---- a user's own cost -----------------------------------------------------

cdef class Delta:
    """The user's delta(z, a, y), called in the place of the output error."""
    cdef object function
    cdef object error
    cdef bint single

    def __cinit__(self, function, bint single):
        self.function = function
        self.single = single

    cdef fn_delta callback(self):
        cdef fn_delta result
        result.call = NULL
        if self.function is not None:
            result.call = call_delta
        result.context = <void *>self
        return result

    cdef object matrix(self, const void *data, size_t m, size_t stride):
        if self.single:
            return np.asarray(<float[:m, :stride]><float *>data)
        return np.asarray(<double[:m, :stride]><double *>data)

    cdef check(self, int failed):
        if failed:
            raise self.error


cdef int call_delta(void *context, size_t m, size_t n_out, size_t stride, const void *z,
                    const void *a, const void *y, void *delta) noexcept with gil:
    cdef Delta own = <Delta>context
    try:
        result = own.function(own.matrix(z, m, stride)[:, :n_out].T.copy(),
                              own.matrix(a, m, stride)[:, :n_out].T.copy(),
                              own.matrix(y, m, stride)[:, :n_out].T.copy())
        result = np.asarray(result)
        if result.shape != (n_out, m):
            raise ValueError(f"delta: expected the shape of z, {(n_out, m)}, got {result.shape}")
        if result.dtype.kind not in "biuf":
            raise TypeError(f"delta: expected real numbers, got {result.dtype}")
        own.matrix(delta, m, stride)[:, :n_out] = result.T
        return 0
    except BaseException as error:
        own.error = error
        return 1


# ---- the whole way ---------------------------------------------------------

def train(sizes, output, cost, parameters, X, scale, y, order, mini_batch_size, eta, decay,
          delta=None):
    cdef Shape shape = Shape(sizes, output, cost)
    cdef Array p = shape.parameters("parameters", parameters, True)
    cdef Examples e = Examples(shape, X, scale, y)
    cdef Array o = vector("order", order, ("int64",))
    cdef const int64_t *indices = <const int64_t *>o.data()
    cdef size_t i, n = e.examples.n, n_order = o.length(0)
    cdef size_t m = max(1, min(mini_batch_size, n_order))
    cdef double eta_ = eta, decay_ = decay
    cdef bint single = p.dtype == "float32", inside = True
    cdef Delta own = Delta(delta, single)
    cdef fn_delta callback = own.callback()
    cdef Workspace w = Workspace(fn_f32_kernels.workspace_size(&shape.network, m) if single
                                 else fn_f64_kernels.workspace_size(&shape.network, m))
    cdef void *start = w.start()
    cdef void *values = p.data()
    cdef int failed = 0
    for i in range(n_order):
        inside &= 0 <= indices[i] and <size_t>indices[i] < n
    if not inside:
        raise ValueError(f"order: expected indices from 0 to {n - 1}")
    with nogil:
        if single:
            failed = fn_f32_kernels.train(&shape.network, <float *>values, &e.examples, indices,
                                          n_order, m, eta_, decay_, callback, start)
        else:
            failed = fn_f64_kernels.train(&shape.network, <double *>values, &e.examples, indices,
                                          n_order, m, eta_, decay_, callback, start)
    own.check(failed)


def gradient(sizes, output, cost, parameters, X, scale, y, nabla, delta=None):
    cdef Shape shape = Shape(sizes, output, cost)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Array g = shape.parameters("nabla", nabla, True)
    cdef Examples e = Examples(shape, X, scale, y)
    cdef bint single = p.dtype == "float32"
    cdef Delta own = Delta(delta, single)
    cdef fn_delta callback = own.callback()
    cdef size_t n = e.examples.n
    cdef Workspace w = Workspace(fn_f32_kernels.workspace_size(&shape.network, n) if single
                                 else fn_f64_kernels.workspace_size(&shape.network, n))
    cdef void *start = w.start()
    cdef void *values = p.data()
    cdef void *result = g.data()
    cdef int failed = 0
    if g.dtype != p.dtype:
        raise TypeError(f"nabla: expected {p.dtype}, got {g.dtype}")
    with nogil:
        if single:
            failed = fn_f32_kernels.gradient(&shape.network, <float *>values, &e.examples,
                                             <float *>result, callback, start)
        else:
            failed = fn_f64_kernels.gradient(&shape.network, <double *>values, &e.examples,
                                             <double *>result, callback, start)
    own.check(failed)


def feedforward(sizes, output, parameters, X, scale, out):
    cdef Shape shape = Shape(sizes, output, None)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Examples e = Examples(shape, X, scale, None)
    cdef bint single = p.dtype == "float32"
    cdef Array a = Array("out", out, 2, (p.dtype,), writable=True)
    a.expect("out", (e.examples.n, shape.n_out()))
    if a.length(0) > 1 and <size_t>a.view.strides[0] != shape.n_out() * a.view.itemsize:
        raise ValueError("out: expected a contiguous array")
    cdef Workspace w = Workspace(evaluation_size(shape, e.examples.n, single))
    cdef void *start = w.start()
    cdef void *values = p.data()
    cdef void *result = a.data()
    with nogil:
        if single:
            fn_f32_kernels.feedforward(&shape.network, <float *>values, &e.examples,
                                       <float *>result, start)
        else:
            fn_f64_kernels.feedforward(&shape.network, <double *>values, &e.examples,
                                       <double *>result, start)


def evaluate(sizes, output, cost, parameters, X, scale, y):
    cdef Shape shape = Shape(sizes, output, cost)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Examples e = Examples(shape, X, scale, y)
    cdef bint single = p.dtype == "float32"
    cdef Workspace w = Workspace(evaluation_size(shape, e.examples.n, single))
    cdef void *start = w.start()
    cdef void *values = p.data()
    cdef size_t correct = 0
    cdef double total = 0
    with nogil:
        if single:
            total = fn_f32_kernels.evaluate(&shape.network, <float *>values, &e.examples, &correct,
                                            start)
        else:
            total = fn_f64_kernels.evaluate(&shape.network, <double *>values, &e.examples, &correct,
                                            start)
    return correct, total


cdef size_t evaluation_size(Shape shape, size_t n, bint single):
    cdef size_t m = min(n, <size_t>FN_EVALUATED)
    if single:
        return fn_f32_kernels.workspace_size(&shape.network, m)
    return fn_f64_kernels.workspace_size(&shape.network, m)


# ---- single kernels, for tests, benchmarks and fastnet.sigmoid --------------

def exp(x, out):
    cdef Array a = vector("x", x, REAL)
    cdef Array b = vector("out", out, (a.dtype,), True).expect("out", (a.length(0),))
    if a.dtype == "float32":
        fn_f32_kernels.exp(a.length(0), <float *>a.data(), <float *>b.data())
    else:
        fn_f64_kernels.exp(a.length(0), <double *>a.data(), <double *>b.data())


def log(x, out):
    cdef Array a = vector("x", x, ("float64",))
    cdef Array b = vector("out", out, (a.dtype,), True).expect("out", (a.length(0),))
    fn_f64_kernels.log(a.length(0), <double *>a.data(), <double *>b.data())


def sigmoid(z, out):
    cdef Array a = vector("z", z, REAL)
    cdef Array b = vector("out", out, (a.dtype,), True).expect("out", (a.length(0),))
    if a.dtype == "float32":
        fn_f32_kernels.sigmoid(a.length(0), <float *>a.data(), <float *>b.data())
    else:
        fn_f64_kernels.sigmoid(a.length(0), <double *>a.data(), <double *>b.data())


def softmax(z, out):
    m, n = rows_and_columns("z", z)
    cdef Array a = matrix("z", z, (m, n), REAL)
    cdef Array b = matrix("out", out, (m, n), (a.dtype,), True)
    cdef size_t stride = fn_stride(n, a.view.itemsize)
    if a.dtype == "float32":
        fn_f32_kernels.softmax(m, n, stride, <float *>a.data(), <float *>b.data())
    else:
        fn_f64_kernels.softmax(m, n, stride, <double *>a.data(), <double *>b.data())


def weighted_input(a, weights, biases, z):
    (m, n_in), n_out = rows_and_columns("a", a), len(biases)
    cdef Array x = matrix("a", a, (m, n_in), REAL)
    cdef Array w = matrix("weights", weights, (n_in, n_out), (x.dtype,))
    cdef Array b = vector("biases", biases, (x.dtype,))
    cdef Array c = matrix("z", z, (m, n_out), (x.dtype,), True)
    cdef size_t stride = fn_stride(n_in, x.view.itemsize)
    if x.dtype == "float32":
        fn_f32_kernels.weighted_input(m, n_in, n_out, stride, <float *>x.data(), <float *>w.data(),
                                      <float *>b.data(), <float *>c.data())
    else:
        fn_f64_kernels.weighted_input(m, n_in, n_out, stride, <double *>x.data(),
                                      <double *>w.data(), <double *>b.data(), <double *>c.data())


def output_error(output, cost, z, a, y, factor, delta):
    m, n = rows_and_columns("z", z)
    cdef Array z_ = matrix("z", z, (m, n), REAL)
    cdef Array a_ = matrix("a", a, (m, n), (z_.dtype,))
    cdef Array y_ = matrix("y", y, (m, n), (z_.dtype,))
    cdef Array d_ = matrix("delta", delta, (m, n), (z_.dtype,), True)
    if z_.dtype == "float32":
        fn_f32_kernels.output_error(OUTPUTS[output], COSTS[cost], m, n, factor, <float *>z_.data(),
                                    <float *>a_.data(), <float *>y_.data(), <float *>d_.data())
    else:
        fn_f64_kernels.output_error(OUTPUTS[output], COSTS[cost], m, n, factor, <double *>z_.data(),
                                    <double *>a_.data(), <double *>y_.data(), <double *>d_.data())


def cost_sum(output, cost, z, y):
    m, n = rows_and_columns("z", z)
    cdef Array z_ = matrix("z", z, (m, n), REAL)
    cdef Array y_ = matrix("y", y, (m, n), (z_.dtype,))
    if z_.dtype == "float32":
        return fn_f32_kernels.cost_sum(OUTPUTS[output], COSTS[cost], m, n, <float *>z_.data(),
                                       <float *>y_.data())
    return fn_f64_kernels.cost_sum(OUTPUTS[output], COSTS[cost], m, n, <double *>z_.data(),
                                   <double *>y_.data())


def backpropagate(weights, delta, a, delta_below):
    (n_in, n_out), m = rows_and_columns("weights", weights), len(delta)
    cdef Array w = matrix("weights", weights, (n_in, n_out), REAL)
    cdef Array d = matrix("delta", delta, (m, n_out), (w.dtype,))
    cdef Array a_ = matrix("a", a, (m, n_in), (w.dtype,))
    cdef Array b = matrix("delta_below", delta_below, (m, n_in), (w.dtype,), True)
    cdef Workspace s = Workspace(fn_f64_kernels.scratch_size(m, n_in, n_out) * sizeof(double) * 2)
    if w.dtype == "float32":
        fn_f32_kernels.backpropagate(m, n_in, n_out, <float *>w.data(), <float *>d.data(),
                                     <float *>a_.data(), <float *>b.data(), <float *>s.start())
    else:
        fn_f64_kernels.backpropagate(m, n_in, n_out, <double *>w.data(), <double *>d.data(),
                                     <double *>a_.data(), <double *>b.data(), <double *>s.start())


def update(weights, biases, a, delta, decay):
    (n_in, n_out), m = rows_and_columns("weights", weights), len(delta)
    cdef Array w = matrix("weights", weights, (n_in, n_out), REAL, True)
    cdef Array b = vector("biases", biases, (w.dtype,), True).expect("biases", (n_out,))
    cdef Array a_ = matrix("a", a, (m, n_in), (w.dtype,))
    cdef Array d = matrix("delta", delta, (m, n_out), (w.dtype,))
    cdef size_t stride = fn_stride(n_in, w.view.itemsize)
    if w.dtype == "float32":
        fn_f32_kernels.update(m, n_in, n_out, stride, <float *>a_.data(), <float *>d.data(), decay,
                              <float *>w.data(), <float *>b.data())
    else:
        fn_f64_kernels.update(m, n_in, n_out, stride, <double *>a_.data(), <double *>d.data(),
                              decay, <double *>w.data(), <double *>b.data())


# ---- random numbers --------------------------------------------------------

def permutation(raw):
    cdef Array r = vector("raw", raw, ("uint64",))
    result = np.empty(len(raw), np.int64)
    cdef Array o = vector("result", result, ("int64",), True)
    fn_permutation(r.length(0), <uint64_t *>r.data(), <int64_t *>o.data())
    return result


def uniform(raw):
    cdef Array r = vector("raw", raw, ("uint64",))
    result = np.empty(len(raw), np.float64)
    cdef Array u = vector("result", result, ("float64",), True)
    fn_uniform(r.length(0), <uint64_t *>r.data(), <double *>u.data())
    return result


def standard_normal(raw):
    cdef Array r = vector("raw", raw, ("uint64",))
    result = np.empty(len(raw), np.float64)
    cdef Array x = vector("result", result, ("float64",), True)
    fn_standard_normal(r.length(0), <uint64_t *>r.data(), <double *>x.data())
    return result
