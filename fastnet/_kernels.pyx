# cython: language_level=3, binding=True, embedsignature=False, boundscheck=False
"""The way from Python into the C kernels, and the only file that sees pointers.

Every kernel's function checks its arrays (dtype, shape, layout, writability),
releases the interpreter's lock and makes one call. The same functions, with the same
signatures, stand in plain NumPy in fastnet/reference.py, where each says what
it computes.

Parameters of a network are one flat array (see ``layout``). Arrays said to be
padded have rows of whole cache lines; ``padded`` makes them.
"""

import os
from operator import index

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

cdef dict TYPE_NAMES = {"B": "uint8", "H": "uint16", "I": "uint32", "f": "float32", "d": "float64",
                        "l": "int64", "q": "int64", "L": "uint64", "Q": "uint64"}

cdef dict TYPES = {"uint8": FN_U8, "uint16": FN_U16, "uint32": FN_U32, "float32": FN_F32,
                   "float64": FN_F64, "int64": FN_I64, "uint64": FN_I64}  # FN_I64: 64 bits


cdef class Array:
    """A checked array, held as long as this object lives."""
    cdef Py_buffer view
    cdef bint held
    cdef str dtype
    cdef fn_type code

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
        self.code = TYPES[self.dtype]
        if self.view.shape[ndim - 1] > 1 and self.view.strides[ndim - 1] != self.view.itemsize:
            raise ValueError(f"{name}: expected contiguous rows")
        if ndim == 2 and self.view.shape[0] > 1 and self.view.strides[0] < 0:
            raise ValueError(f"{name}: expected rows in ascending order")

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)

    cdef void *data(self) noexcept nogil:
        return self.view.buf

    cdef size_t length(self, int axis) noexcept nogil:
        return self.view.shape[axis]

    cdef fn_type type(self) noexcept nogil:
        return self.code

    cdef Array expect(self, str name, tuple shape):
        cdef tuple came = tuple([self.view.shape[i] for i in range(self.view.ndim)])
        if came != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {came}")
        return self

    cdef Array expect_padded(self, str name, array):
        cdef size_t stride = fn_stride(self.length(1), self.view.itemsize) * self.view.itemsize
        if not self.length(0) or not self.length(1):
            raise ValueError(f"{name}: expected at least one row and one column")
        if array.strides[0] != stride:  # of a single row too: what is behind it may be written
            raise ValueError(f"{name}: expected rows {stride} bytes apart, got {array.strides[0]}")
        if <uintptr_t>self.view.buf % 64:  # a part of the rows has its pads in the next row
            raise ValueError(f"{name}: expected rows that start at cache lines")
        return self


cdef tuple REAL = ("float32", "float64")
cdef tuple INPUTS = ("uint8", "float32", "float64")


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


cdef real(dtype):
    """float32 or float64, checked."""
    if np.dtype(dtype).name not in REAL:
        raise TypeError(f"dtype: expected one of {', '.join(REAL)}; got {dtype!r}")
    return np.dtype(dtype)


def padded(m, n, dtype):
    """A zeroed (m, n) array whose rows start at cache lines, pads behind each."""
    dtype = real(dtype)
    stride = fn_stride(n, dtype.itemsize)
    return aligned(m * stride, dtype).reshape(m, stride)[:, :n]


def aligned(length, dtype):
    """A zeroed 1-D array that starts at a cache line."""
    dtype = real(dtype)
    raw = np.zeros(length * dtype.itemsize + 63, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + length * dtype.itemsize].view(dtype)


cdef class Workspace:
    """Zeroed memory of the kernels' own, aligned to a cache line. NumPy's, since that asks
    for large pages where there is much of it."""
    cdef unsigned char[::1] memory

    def __cinit__(self, size_t size):
        try:
            self.memory = np.zeros(size + 64, np.uint8)
        except MemoryError:
            raise MemoryError(f"fastnet: no {size} bytes for the workspace") from None

    cdef void *start(self) noexcept nogil:
        return <void *>((<uintptr_t>&self.memory[0] + 63) // 64 * 64)


# ---- networks and examples -------------------------------------------------

cdef dict OUTPUTS = {"sigmoid": FN_SIGMOID, "softmax": FN_SOFTMAX, "linear": FN_LINEAR,
                     "exponential": FN_EXPONENTIAL}
cdef dict HIDDEN = {"sigmoid": FN_SIGMOID, "tanh": FN_TANH, "relu": FN_RELU,
                    "leaky-relu": FN_LEAKY_RELU, "gelu": FN_GELU}
cdef dict COSTS = {"quadratic": FN_QUADRATIC, "cross-entropy": FN_CROSS_ENTROPY,
                   "log-likelihood": FN_LOG_LIKELIHOOD, "absolute": FN_ABSOLUTE,
                   "huber": FN_HUBER, "poisson": FN_POISSON, None: FN_OTHER_COST}

cdef dict OPTIMIZERS = {"plain": FN_PLAIN, "momentum": FN_MOMENTUM, "nesterov": FN_NESTEROV,
                        "adam": FN_ADAM, "adamw": FN_ADAMW}

cdef size_t LARGEST = 2 ** 31 - 1


cdef code(str name, value, dict known):
    """The C constant of a name."""
    if value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(map(str, known))}; got {value!r}")
    return known[value]


cdef class Shape:
    """A network's shape in C."""
    cdef fn_network network
    cdef size_t *sizes
    cdef fn_activation *hidden

    def __cinit__(self, sizes, output, cost, hidden=None):
        cdef size_t i
        sizes = [index(size) for size in sizes]
        if len(sizes) < 2 or min(sizes) < 1 or max(sizes) > LARGEST:
            raise ValueError(f"sizes: expected two or more integers from 1 to {LARGEST}, got {sizes}")
        if sum((a + 1) * (b + 512) for a, b in zip(sizes, sizes[1:])) * 8 >= 2 ** 62:
            raise MemoryError(f"sizes: {sizes} have more parameters than memory can hold")
        self.sizes = <size_t *>calloc(len(sizes), sizeof(size_t))
        if self.sizes == NULL:
            raise MemoryError()
        self.hidden = <fn_activation *>calloc(len(sizes), sizeof(fn_activation))
        if self.hidden == NULL:
            raise MemoryError()
        for i in range(len(sizes)):
            self.sizes[i] = sizes[i]
        hidden = ("sigmoid",) * (len(sizes) - 2) if hidden is None else hidden
        if len(hidden) != len(sizes) - 2:
            raise ValueError(f"hidden: expected {len(sizes) - 2} kinds of neurons, got {hidden!r}")
        for i in range(len(hidden)):
            self.hidden[i] = code("hidden", hidden[i], HIDDEN)
        self.network.layers = len(sizes) - 1
        self.network.sizes = self.sizes
        self.network.hidden = self.hidden
        self.network.output = code("output", output, OUTPUTS)
        self.network.cost = code("cost", cost, COSTS)

    def __dealloc__(self):
        free(self.sizes)
        free(self.hidden)

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
    """A data set in C; without y where only the inputs matter."""
    cdef fn_examples examples
    cdef Array X
    cdef Array offsets
    cdef Array where
    cdef Array y
    cdef Array weights

    def __cinit__(self, Shape shape, Array parameters, X, double scale, *y):
        cdef size_t n_in = shape.n_in() if shape is not None else X.shape[1]
        if hasattr(X, "offsets"):
            self.take_compressed(X, n_in)
            self.check_way(shape, parameters)
        else:
            self.X = Array("X", X, 2, INPUTS)
            self.examples.n = self.X.length(0)
            self.X.expect("X", (self.examples.n, n_in))
            self.examples.inputs_stride = self.X.view.strides[0]
        self.examples.inputs = self.X.data()
        self.examples.inputs_type = self.X.type()
        self.examples.scale = scale
        if not y:
            return
        self.y = self.targets(y[0], y[1])
        self.examples.targets = self.y.data()
        self.examples.targets_stride = self.y.view.strides[0]
        self.examples.targets_type = self.y.type()

    cdef Examples weigh(self, weights):
        """Say how often each counts; None: once."""
        if weights is not None:
            self.weights = vector("weights", weights, ("float64",))
            self.weights.expect("weights", (self.examples.n,))
            self.examples.weights = <const double *>self.weights.data()
        return self

    cdef check_way(self, Shape shape, Array parameters):
        """The lists say in 32 bits where an input's weights start."""
        cdef fn_type type = parameters.type()
        cdef size_t stride = fn_stride(shape.sizes[1], 4 if type == FN_F32 else 8)
        if shape.sizes[0] > <size_t>0xFFFFFFFF // stride:
            raise ValueError(f"X: expected at most 2^32 weights in the first layer for compressed "
                             f"examples, got {shape.sizes[0]} x {stride}")
        if self.examples.masks != NULL and fn_way(type, &shape.network, 0.2) != FN_MASKS:
            raise ValueError(f"X: expected columns for the instruction set {isa()}, got masks")

    cdef Array targets(self, y, size_t n_out):
        if getattr(y, "ndim", 0) == 1:
            return vector("y", y, ("int64",)).expect("y", (self.examples.n,))
        return Array("y", y, 2, REAL).expect("y", (self.examples.n, n_out))

    cdef take_compressed(self, X, size_t n_in):
        """A compressed.Compressed, which has checked what its arrays hold."""
        n, width = X.shape
        if width != n_in:
            raise ValueError(f"X: expected shape {(n, n_in)}, got {(n, width)}")
        self.X = vector("values", X.values, INPUTS)
        self.offsets = vector("offsets", X.offsets, ("int64",)).expect("offsets", (n + 1,))
        self.examples.n = n
        self.examples.offsets = <const int64_t *>self.offsets.data()
        cdef int64_t end = self.examples.offsets[n]
        if self.examples.offsets[0] < 0 or end > <int64_t>self.X.length(0):
            raise ValueError(f"offsets: expected them from 0 to {self.X.length(0)}, got "
                             f"{self.examples.offsets[0]} to {end}")
        self.examples.longest = X.longest
        if X.masks is None:
            self.where = vector("columns", X.columns, ("uint16", "uint32"))
            if end > <int64_t>self.where.length(0):
                raise ValueError(f"columns: expected {end} or more, got {self.where.length(0)}")
            self.examples.columns = self.where.data()
            self.examples.columns_type = self.where.type()
        else:
            self.where = Array("masks", X.masks, 2, ("uint64",))
            self.where.expect("masks", (n, fn_words(n_in)))
            self.examples.masks = <const uint64_t *>self.where.data()


def count(X):
    """offsets (n + 1,): before row s, how many inputs of the dense X are not zero."""
    cdef size_t n_in = X.shape[1]
    cdef Examples e = Examples(None, None, X, 1.0)
    result = np.empty(len(X) + 1, np.int64)
    cdef Array o = vector("offsets", result, ("int64",), True)
    with nogil:
        fn_count(&e.examples, n_in, <int64_t *>o.data())
    return result


def compress(X, values, columns, masks):
    """Fill values, and columns or masks or neither where None, from the dense X."""
    cdef size_t n_in = X.shape[1]
    cdef Examples e = Examples(None, None, X, 1.0)
    cdef Array v = vector("values", values, (e.X.dtype,), True)
    cdef Array c, m
    cdef void *to_columns = NULL
    cdef void *to_masks = NULL
    cdef fn_type columns_type = FN_U16
    if columns is not None:
        c = vector("columns", columns, ("uint16", "uint32"), True)
        to_columns, columns_type = c.data(), c.type()
    if masks is not None:
        m = Array("masks", masks, 2, ("uint64",), writable=True)
        m.expect("masks", (len(X), fn_words(n_in)))
        to_masks = m.data()
    with nogil:
        fn_compress(&e.examples, n_in, v.data(), to_columns, columns_type, <uint64_t *>to_masks)


WAYS = {FN_DENSE: "dense", FN_COLUMNS: "columns", FN_MASKS: "masks"}


def way(sizes, dtype, density):
    """"dense", "columns" or "masks": the quickest way into the first layer."""
    cdef Shape shape = Shape(sizes, "sigmoid", None)
    cdef double share = density
    return WAYS[fn_way(TYPES[real(dtype).name], &shape.network, share)]


def layout(sizes, dtype):
    """(length, [(weights, biases, stride), ...]): where each layer's parameters lie.

    In elements of the flat array: layer l's weights start at ``weights``, one
    row of ``stride`` for each input; its biases at ``biases``.
    """
    cdef size_t l
    cdef Shape shape = Shape(sizes, "sigmoid", None)
    itemsize = real(dtype).itemsize
    cdef Workspace places = Workspace(shape.network.layers * sizeof(fn_place))
    cdef fn_place *at = <fn_place *>places.start()
    length = fn_layout(&shape.network, itemsize, at)
    return length, [(at[l].weights, at[l].biases, at[l].stride) for l in range(shape.network.layers)]


# ---- a user's own cost -----------------------------------------------------

cdef class Delta:
    """The user's delta(z, a, y), called in the place of the output error."""
    cdef object function
    cdef object error
    cdef fn_type type

    def __cinit__(self, function, fn_type type):
        self.function = function
        self.type = type

    cdef fn_delta callback(self):
        cdef fn_delta result
        result.call = NULL
        if self.function is not None:
            result.call = call_delta
        result.context = <void *>self
        return result

    cdef object matrix(self, const void *data, size_t m, size_t stride):
        if self.type == FN_F32:
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
        with np.errstate(over="ignore"):  # the training looks for what is not finite
            own.matrix(delta, m, stride)[:, :n_out] = result.T
        return 0
    except BaseException as error:
        own.error = error
        return 1


# ---- the whole way ---------------------------------------------------------

cdef class Training:
    """How mini-batches move the parameters, in C."""
    cdef fn_training training
    cdef Array moments
    cdef Array shares

    def __cinit__(self, Shape shape, Array parameters, double eta, double l2, double l1,
                  optimizer, moments, uint64_t steps, dropout, size_t shift, uint64_t key):
        cdef size_t n
        name, *coefficients = optimizer
        self.training.eta, self.training.l2, self.training.l1 = eta, l2, l1
        self.training.optimizer = code("optimizer", name, OPTIMIZERS)
        if self.training.optimizer in (FN_MOMENTUM, FN_NESTEROV):
            self.training.mu, = coefficients
            n = 1
        elif self.training.optimizer in (FN_ADAM, FN_ADAMW):
            self.training.beta1, self.training.beta2, self.training.epsilon = coefficients
            n = 2
        else:
            n = 0
        if n:
            self.moments = vector("moments", moments, (parameters.dtype,), True)
            self.moments.expect("moments", (n * parameters.length(0),))
            self.training.moments = self.moments.data()
        self.training.steps = steps
        self.training.key = key
        if dropout is not None:
            self.shares = vector("dropout", dropout, ("float64",))
            self.shares.expect("dropout", (shape.network.layers - 1,))
            self.training.dropout = <const double *>self.shares.data()
        self.training.shift = shift
        while self.training.side * self.training.side < shape.n_in():
            self.training.side += 1
        if shift and (self.training.side * self.training.side != shape.n_in()
                      or shift >= self.training.side):
            raise ValueError(f"shift: expected square images, larger than the shift of {shift}; "
                             f"got {shape.n_in()} inputs")


def train(sizes, output, cost, parameters, X, scale, y, order, mini_batch_size, eta, l2=0.0,
          delta=None, threads=1, *, hidden=None, l1=0.0, optimizer=("plain",), moments=None,
          steps=0, dropout=None, shift=0, key=0, weights=None):
    cdef Shape shape = Shape(sizes, output, cost, hidden)
    cdef Array p = shape.parameters("parameters", parameters, True)
    cdef Examples e = Examples(shape, p, X, scale, y, shape.n_out()).weigh(weights)
    cdef Array o = vector("order", order, ("int64",))
    cdef const int64_t *indices = <const int64_t *>o.data()
    cdef size_t i, n = e.examples.n, n_order = o.length(0)
    if mini_batch_size < 1:
        raise ValueError(f"mini_batch_size: expected 1 or more, got {mini_batch_size}")
    cdef size_t m = max(1, min(mini_batch_size, n_order))
    cdef bint inside = True
    cdef fn_type type = p.type()
    cdef Delta own = Delta(delta, type)
    cdef Training t = Training(shape, p, eta, l2, l1, optimizer, moments, steps, dropout, shift, key)
    t.training.delta = own.callback()
    if shift and e.examples.masks != NULL:
        raise ValueError("X: expected dense examples or columns to be shifted, got masks")
    cdef size_t n_threads = team(threads)
    cdef Workspace w = Workspace(fn_workspace_size(type, &shape.network, &e.examples, m, &t.training,
                                                   n_threads))
    cdef int failed
    for i in range(n_order):
        inside &= 0 <= indices[i] and <size_t>indices[i] < n
    if not inside:
        raise ValueError(f"order: expected indices from 0 to {n - 1}")
    with nogil:
        failed = fn_train(type, &shape.network, p.data(), &e.examples, indices, n_order, m,
                          &t.training, n_threads, w.start())
    own.check(failed)


def gradient(sizes, output, cost, parameters, X, scale, y, nabla, delta=None, *, hidden=None,
             weights=None):
    cdef Shape shape = Shape(sizes, output, cost, hidden)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Array g = shape.parameters("nabla", nabla, True)
    cdef Examples e = Examples(shape, p, X, scale, y, shape.n_out()).weigh(weights)
    cdef fn_type type = p.type()
    cdef Delta own = Delta(delta, type)
    cdef fn_delta callback = own.callback()
    cdef Workspace w = Workspace(fn_workspace_size(type, &shape.network, &e.examples, e.examples.n,
                                                   NULL, 1))
    cdef int failed
    if g.dtype != p.dtype:
        raise TypeError(f"nabla: expected {p.dtype}, got {g.dtype}")
    with nogil:
        failed = fn_gradient(type, &shape.network, p.data(), &e.examples, g.data(), callback,
                             w.start())
    own.check(failed)


def feedforward(sizes, output, parameters, X, scale, out, threads=1, *, hidden=None):
    cdef Shape shape = Shape(sizes, output, None, hidden)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Examples e = Examples(shape, p, X, scale)
    cdef Array a = Array("out", out, 2, (p.dtype,), writable=True)
    a.expect("out", (e.examples.n, shape.n_out()))
    if a.length(0) > 1 and <size_t>a.view.strides[0] != shape.n_out() * a.view.itemsize:
        raise ValueError("out: expected a contiguous array")
    cdef fn_type type = p.type()
    cdef size_t n_threads = team(threads)
    cdef Workspace w = Workspace(fn_evaluation_size(type, &shape.network, &e.examples, n_threads))
    with nogil:
        fn_feedforward(type, &shape.network, p.data(), &e.examples, a.data(), n_threads, w.start())


def evaluate(sizes, output, cost, parameters, X, scale, y, threads=1, *, hidden=None,
             weights=None):
    cdef Shape shape = Shape(sizes, output, cost, hidden)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Examples e = Examples(shape, p, X, scale, y, shape.n_out()).weigh(weights)
    cdef fn_type type = p.type()
    cdef size_t correct = 0, n_threads = team(threads)
    cdef Workspace w = Workspace(fn_evaluation_size(type, &shape.network, &e.examples, n_threads))
    cdef double total
    with nogil:
        total = fn_evaluate(type, &shape.network, p.data(), &e.examples, &correct, n_threads,
                            w.start())
    return correct, total


cdef size_t team(threads) except 0:
    """A number of threads, checked."""
    if index(threads) < 1:
        raise ValueError(f"threads: expected 1 or more, got {threads}")
    return threads


cdef class Predictor:
    """``feedforward`` of one example, in memory that is kept from call to call.

    Called with x (n_in,), it returns its own array (n_out,), the same one each time.
    ``once`` returns a new array, or None where x is not a plain array of the network's
    type. The interpreter's lock is held meanwhile.
    """
    cdef Shape shape
    cdef Array parameters
    cdef Array a
    cdef Workspace workspace
    cdef fn_examples example
    cdef object out
    cdef bytes format

    def __init__(self, sizes, output, parameters, *, hidden=None):
        self.shape = Shape(sizes, output, None, hidden)
        self.parameters = self.shape.parameters("parameters", parameters, False)
        self.example.n = 1
        self.example.inputs_type = self.parameters.type()
        self.example.scale = 1
        self.out = np.empty(self.shape.n_out(), self.parameters.dtype)
        self.a = vector("out", self.out, REAL, True)
        self.workspace = Workspace(fn_evaluation_size(self.parameters.type(), &self.shape.network,
                                                      &self.example, 1))
        self.format = b"f" if self.parameters.type() == FN_F32 else b"d"

    cdef int run(self, x) except -1:
        """1 when ``out`` is filled, 0 when x is not plain: of another type, shape or layout,
        or not finite."""
        cdef Py_buffer view
        cdef int done = 0
        if type(x) is not np.ndarray:
            return 0
        if x.dtype.kind != "f":
            return 0
        PyObject_GetBuffer(x, &view, PyBUF_STRIDES | PyBUF_FORMAT)
        if (view.ndim == 1 and view.format != NULL and view.format[0] == self.format[0]
                and view.format[1] == 0 and <size_t>view.shape[0] == self.shape.n_in()
                and (view.strides[0] == view.itemsize or view.shape[0] == 1)
                and <uintptr_t>view.buf % view.itemsize == 0
                and fn_finite(self.example.inputs_type, view.shape[0], view.buf)):
            self.example.inputs = view.buf
            fn_feedforward(self.example.inputs_type, &self.shape.network, self.parameters.data(),
                           &self.example, self.a.data(), 1, self.workspace.start())
            done = 1
        PyBuffer_Release(&view)
        return done

    def once(self, x):
        return self.out.copy() if self.run(x) else None

    def __call__(self, x):
        if not self.run(x) and not self.run(self.plain(x)):
            raise ValueError("x: expected finite numbers, got NaN or infinity")
        return self.out

    cdef object plain(self, x):
        """x, a list or an array of another type or layout, as ``run`` takes it."""
        if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
            raise ValueError("x: expected an array, got one with masked elements")
        try:
            x = np.asarray(x)
        except ValueError:
            raise ValueError("x: expected an array, got rows of different lengths") from None
        if x.dtype.kind not in "biuf":
            raise TypeError(f"x: expected numbers, got {x.dtype}")
        if x.shape != (self.shape.n_in(),):
            raise ValueError(f"x: expected shape ({self.shape.n_in()},), got {x.shape}")
        with np.errstate(over="ignore"):  # infinity is found out
            return np.array(x, self.parameters.dtype)


# ---- single kernels, for tests, benchmarks and fastnet.sigmoid --------------

def finite(x):
    cdef Array a = vector("x", x, REAL)
    return bool(fn_finite(a.type(), a.length(0), a.data()))


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


def activate(neurons, z, out, slope=None):
    cdef fn_activation neurons_ = code("neurons", neurons, HIDDEN)
    cdef Array x = vector("z", z, REAL)
    cdef Array a = vector("out", out, (x.dtype,), True).expect("out", (x.length(0),))
    cdef Array s = None
    cdef void *slopes = NULL
    if slope is not None:
        s = vector("slope", slope, (x.dtype,), True).expect("slope", (x.length(0),))
        slopes = s.data()
    with nogil:
        fn_activate(x.type(), neurons_, x.length(0), x.data(), a.data(), slopes)


def softmax(z, out):
    cdef size_t m, n
    m, n = rows_and_columns("z", z)
    cdef Array a = matrix("z", z, (m, n), REAL)
    cdef Array b = matrix("out", out, (m, n), (a.dtype,), True)
    with nogil:
        fn_softmax(a.type(), m, n, a.data(), b.data())


def weighted_input(a, weights, biases, z):
    cdef size_t m, n_in, n_out = len(biases)
    m, n_in = rows_and_columns("a", a)
    cdef Array x = matrix("a", a, (m, n_in), REAL)
    cdef Array w = matrix("weights", weights, (n_in, n_out), (x.dtype,))
    cdef Array b = vector("biases", biases, (x.dtype,))
    cdef Array c = matrix("z", z, (m, n_out), (x.dtype,), True)
    with nogil:
        fn_weighted_input(x.type(), m, n_in, n_out, x.data(), w.data(), b.data(), c.data())


cdef Array row_weights(weights, size_t m):
    return vector("weights", weights, ("float64",)).expect("weights", (m,))


def output_error(output, cost, a, y, factor, delta, weights=None):
    cdef size_t m, n
    m, n = rows_and_columns("a", a)
    cdef Array x = matrix("a", a, (m, n), REAL)
    cdef Array t = matrix("y", y, (m, n), (x.dtype,))
    cdef Array d = matrix("delta", delta, (m, n), (x.dtype,), True)
    cdef fn_activation output_ = code("output", output, OUTPUTS)
    cdef fn_cost cost_ = code("cost", cost, COSTS)
    cdef double times = factor
    cdef Array w = None if weights is None else row_weights(weights, m)
    cdef const double *each = NULL if w is None else <const double *>w.data()
    with nogil:
        fn_output_error(x.type(), output_, cost_, m, n, times, each, x.data(), t.data(), d.data())


def cost_sum(output, cost, z, y, weights=None):
    cdef size_t m, n
    m, n = rows_and_columns("z", z)
    cdef Array x = matrix("z", z, (m, n), REAL)
    cdef Array t = matrix("y", y, (m, n), (x.dtype,))
    cdef fn_activation output_ = code("output", output, OUTPUTS)
    cdef fn_cost cost_ = code("cost", cost, COSTS)
    cdef Array w = None if weights is None else row_weights(weights, m)
    cdef const double *each = NULL if w is None else <const double *>w.data()
    cdef double total
    with nogil:
        total = fn_cost_sum(x.type(), output_, cost_, m, n, each, x.data(), t.data())
    return total


def backpropagate(neurons, weights, delta, a, delta_below):
    cdef size_t n_in, n_out, m = len(delta)
    n_in, n_out = rows_and_columns("weights", weights)
    cdef Array w = matrix("weights", weights, (n_in, n_out), REAL)
    cdef Array d = matrix("delta", delta, (m, n_out), (w.dtype,))
    cdef Array x
    cdef Array b = matrix("delta_below", delta_below, (m, n_in), (w.dtype,), True)
    cdef fn_activation kind = code("neurons", neurons, HIDDEN)
    cdef void *activations = NULL
    if a is not None:
        if kind == FN_GELU:
            raise ValueError("a: expected None for gelu, whose slopes do not follow from it")
        x = matrix("a", a, (m, n_in), (w.dtype,))
        activations = x.data()
    cdef Workspace s = Workspace(fn_scratch_size(w.type(), m, n_in, n_out) * w.view.itemsize)
    with nogil:
        fn_backpropagate(w.type(), kind, m, n_in, n_out, w.data(), d.data(), activations, b.data(),
                         s.start())


def update(weights, biases, a, delta, l2=0.0, l1=0.0):
    cdef size_t n_in, n_out, m = len(delta)
    n_in, n_out = rows_and_columns("weights", weights)
    cdef Array w = matrix("weights", weights, (n_in, n_out), REAL, True)
    cdef Array b = vector("biases", biases, (w.dtype,), True).expect("biases", (n_out,))
    cdef Array x = matrix("a", a, (m, n_in), (w.dtype,))
    cdef Array d = matrix("delta", delta, (m, n_out), (w.dtype,))
    cdef double lost = l2, pull = l1
    with nogil:
        fn_update(w.type(), m, n_in, n_out, x.data(), d.data(), lost, pull, w.data(), b.data())


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
    cdef fn_type type = TYPES[real(dtype).name]
    cdef size_t rounds = n
    cdef Workspace sums = Workspace(FN_SUMS_BYTES)
    cdef double operations
    with nogil:
        operations = fn_fma_rounds(type, rounds, sums.start())
    return operations


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
