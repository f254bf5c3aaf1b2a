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
from sys import modules

import numpy as np

cimport cython
from cpython.buffer cimport (PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_FillInfo,
                             PyBuffer_Release, PyObject_GetBuffer)
from cpython.list cimport PyList_SetSlice
from cython cimport final
from libc.math cimport isfinite
from libc.stdint cimport uint16_t, uint32_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #if defined(__clang__)
    #define FN_COMPILER "clang " __clang_version__
    #else
    #define FN_COMPILER "gcc " __VERSION__
    #endif
    """
    const char *FN_COMPILER
    int __builtin_popcountll(unsigned long long) nogil


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


include "_arrays.pxi"
include "_watch.pxi"
include "_compressed.pxi"
include "_arguments.pxi"
include "_plan.pxi"
include "_parameters.pxi"


# ---- data, and the ways into the first layer -------------------------------

def compress(X, offsets, values, columns, masks):
    """Fill offsets from the second on, values, of X's type or float32 for float64, and columns or
    masks or neither where None, from the dense X. Row s goes to ``values[offsets[s]:]``; what is
    behind the last value and column may be overwritten. Returns whether there was room for all."""
    cdef size_t done, n_in = X.shape[1]
    cdef Examples e = Examples(None, None, X, 1.0)
    cdef tuple kinds = ("float64", "float32") if e.X.dtype == "float64" else (e.X.dtype,)
    cdef Array o = vector("offsets", offsets, ("int64",), True)
    cdef Array v = vector("values", values, kinds, True)
    cdef Array c, m
    cdef size_t room = v.length(0)
    cdef void *to_columns = NULL
    cdef void *to_masks = NULL
    cdef fn_type columns_type = FN_U16
    o.expect("offsets", (e.examples.n + 1,))
    if columns is not None:
        c = vector("columns", columns, ("uint16", "uint32"), True)
        to_columns, columns_type = c.data(), c.type()
        room = min(room, c.length(0))
    if masks is not None:
        m = Array("masks", masks, 2, ("uint64",), writable=True)
        m.expect("masks", (e.examples.n, fn_words(n_in)))
        to_masks = m.data()
    cdef fn_type type = FN_F64 if v.type() == FN_F64 else FN_F32
    cdef int64_t *starts = <int64_t *>o.data()
    if not 0 <= starts[0] <= <int64_t>room:
        raise ValueError(f"offsets: expected the first from 0 to {room}, got {starts[0]}")
    with nogil:
        done = fn_compress(type, &e.examples, n_in, room, starts, v.data(), to_columns,
                           columns_type, <uint64_t *>to_masks)
    return done == e.examples.n


EVALUATED = FN_EVALUATED  # examples, at most, that feedforward and evaluate work on at once


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


# ---- the whole way ---------------------------------------------------------

def train(sizes, output, cost, parameters, X, scale, y, order, mini_batch_size, eta, l2=0.0,
          delta=None, threads=1, *, hidden=None, l1=0.0, optimizer=("plain",), moments=None,
          steps=0, dropout=None, shift=0, key=0, weights=None, watch=None, costs=None,
          by_blocks=None, divide_l2=False, ended=None, last=None):
    cdef Shape shape = Shape(sizes, output, cost, hidden)
    cdef Array p = shape.parameters("parameters", parameters, True)
    cdef Examples e = Examples(shape, p, X, scale, y, shape.n_out()).weigh(weights)
    cdef Array o = Array("order", order, order.ndim if order.ndim == 2 else 1, ("int64",))
    cdef const int64_t *indices = <const int64_t *>o.data()
    cdef size_t i, n = e.examples.n, passes = o.length(0) if order.ndim == 2 else 1
    cdef size_t n_order = o.length(order.ndim - 1)
    if order.ndim == 2:
        o.expect_contiguous("order")
    if mini_batch_size < 1:
        raise ValueError(f"mini_batch_size: expected 1 or more, got {mini_batch_size}")
    cdef size_t m = max(1, min(mini_batch_size, n_order))
    cdef bint inside = True
    cdef fn_type type = p.type()
    cdef Delta own = Delta(delta, type)
    cdef Training t = Training(shape, p, eta, l2, l1, optimizer, moments, steps, dropout, shift)
    cdef Watch watching = Watch(watch)
    t.training.divide_l2 = divide_l2
    t.training.by_blocks = 0 if by_blocks is None else 1 if by_blocks else -1
    t.training.delta = own.callback()
    t.training.watch = watching.callback()
    if costs is not None and delta is not None:
        raise ValueError("costs: expected None for a cost of the user's own")
    t.take_passes(p, passes, (n_order + m - 1) // m, key, costs, ended, last)
    if shift and e.examples.masks != NULL:
        raise ValueError("X: expected dense examples or columns to be shifted, got masks")
    cdef size_t n_threads = 1 if delta is not None else checked_threads(threads)
    cdef Plan plan = planned(FN_CALL_TRAIN, type, shape, &e.examples, n_order, m, &t.training,
                             n_threads)
    cdef Workspace w = Workspace(fn_workspace_size(type, &plan.plan, &e.examples, &t.training))
    cdef int failed
    for i in range(passes * n_order):
        inside &= 0 <= indices[i] and <size_t>indices[i] < n
    if not inside:
        raise ValueError(f"order: expected indices from 0 to {int(n) - 1}")
    with nogil:
        failed = fn_train(type, &plan.plan, p.data(), &e.examples, indices, passes, &t.training,
                          w.start())
    own.check(failed)
    watching.check()


def gradient(sizes, output, cost, parameters, X, scale, y, nabla, delta=None, *, hidden=None,
             weights=None, watch=None):
    cdef Shape shape = Shape(sizes, output, cost, hidden)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Array g = shape.parameters("nabla", nabla, True)
    cdef Examples e = Examples(shape, p, X, scale, y, shape.n_out()).weigh(weights)
    cdef fn_type type = p.type()
    cdef Delta own = Delta(delta, type)
    cdef fn_delta callback = own.callback()
    cdef Watch watching = Watch(watch)
    cdef Plan plan = planned(FN_CALL_GRADIENT, type, shape, &e.examples, e.examples.n, 0, NULL, 1)
    cdef Workspace w = Workspace(fn_workspace_size(type, &plan.plan, &e.examples, NULL))
    cdef int failed
    if g.dtype != p.dtype:
        raise TypeError(f"nabla: expected {p.dtype}, got {g.dtype}")
    cdef fn_watch watched = watching.callback()
    with nogil:
        failed = fn_gradient(type, &plan.plan, p.data(), &e.examples, g.data(), callback, watched,
                             w.start())
    own.check(failed)
    watching.check()


def feedforward(sizes, output, parameters, X, scale, out, threads=1, *, hidden=None, watch=None):
    cdef Shape shape = Shape(sizes, output, None, hidden)
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Examples e = Examples(shape, p, X, scale)
    cdef Array a = Array("out", out, 2, (p.dtype,), writable=True)
    a.expect("out", (e.examples.n, shape.n_out()))
    a.expect_contiguous("out")
    cdef fn_type type = p.type()
    cdef size_t n_threads = checked_threads(threads)
    cdef Plan plan = planned(FN_CALL_FORWARD, type, shape, &e.examples, e.examples.n, 0, NULL,
                             n_threads)
    cdef Workspace w = Workspace(fn_evaluation_size(type, &plan.plan, &e.examples))
    cdef Watch watching = Watch(watch) if e.examples.n > FN_EVALUATED else None  # else one piece
    cdef fn_watch watched = UNWATCHED if watching is None else watching.callback()
    with nogil:
        fn_feedforward(type, &plan.plan, p.data(), &e.examples, a.data(), watched, w.start())
    if watching is not None:
        watching.check()


def evaluate(sizes, output, cost, parameters, X, scale, y, threads=1, *, hidden=None,
             weights=None, watch=None):
    cdef Shape shape = Shape(sizes, output, cost, hidden)
    cdef size_t i, networks = len(parameters) if np.ndim(parameters) == 2 else 1
    cdef Array all_of_them = None
    if np.ndim(parameters) == 2:
        all_of_them = Array("parameters", parameters, 2, REAL).expect_contiguous("parameters")
        if networks == 0:
            raise ValueError("parameters: expected one row or more, got none")
        parameters = parameters[0]
    cdef Array p = shape.parameters("parameters", parameters, False)
    cdef Examples e = Examples(shape, p, X, scale, y, shape.n_out()).weigh(weights)
    cdef fn_type type = p.type()
    cdef size_t row = p.length(0) * p.view.itemsize, n_threads = checked_threads(threads)
    cdef Plan plan = planned(FN_CALL_FORWARD, type, shape, &e.examples, e.examples.n, 0, NULL,
                             n_threads)
    cdef Workspace w = Workspace(fn_evaluation_size(type, &plan.plan, &e.examples))
    counts, costs = np.zeros(networks, np.uintp), np.zeros(networks)
    cdef size_t[::1] correct = counts
    cdef double[::1] total = costs
    cdef Watch watching = Watch(watch)
    cdef fn_watch watched = watching.callback()
    with nogil:
        for i in range(networks):
            watching.moments.before, watching.moments.until = i * e.examples.n, 1
            if i > 0 and not goes_on(watched, 0):
                break
            total[i] = fn_evaluate(type, &plan.plan, <char *>p.data() + i * row, &e.examples,
                                   &correct[i], watched, w.start())
            if watching.moments.ended:
                break
    watching.check()
    return (counts.tolist(), costs.tolist()) if all_of_them else (int(correct[0]), total[0])


cdef size_t checked_threads(threads) except 0:
    """As many as are started at most, for which there has to be memory."""
    if index(threads) < 1:
        raise ValueError(f"threads: expected 1 or more, got {threads}")
    return min(threads, FN_MOST_THREADS)


cdef object NDARRAY = np.ndarray


cdef bint may_be_mapped(x):
    """Whether ``x`` may be a memory map: no array owns its memory."""
    base = x.base
    return base is not None and (type(base) is not NDARRAY or base.base is not None)


@final
cdef class Predictor:
    """``feedforward`` of one example, in memory that is kept from call to call.

    Called with x (n_in,), it returns its own array (n_out,), the same one each time. ``try_one``
    returns a new array, or None where x is not a plain array of the network's type. Both compute
    with the parameters that the network has at the call. ``check_file`` is called with "x" and an
    x that may be part of a memory map. The interpreter's lock is held meanwhile.
    """
    cdef Shape shape
    cdef ParameterStorage parameters
    cdef object check_file
    cdef Storage outputs  # memory that ``out`` shows and that NumPy cannot resize
    cdef Plan plan
    cdef Workspace workspace
    cdef fn_examples example
    cdef bint is_copied  # a thread copies ``out``, which may let others run meanwhile
    cdef object out
    cdef object n_out
    cdef object dtype
    cdef bytes format

    def __cinit__(self, sizes, output, ParameterStorage parameters not None, *, hidden=None,
                  check_file=None):
        self.check_file = check_file
        self.shape = Shape(sizes, output, None, hidden)
        self.shape.parameters("parameters", parameters.storage, False)
        self.parameters = parameters
        self.format = parameters.storage.format
        self.dtype = np.dtype(parameters.storage.dtype)
        self.example.n = 1
        self.example.inputs_type = TYPES[self.dtype.name]
        fn_set_scale(&self.example, 1)
        self.n_out = self.shape.n_out()
        self.outputs = Storage(self.n_out, self.dtype.name)
        self.out = np.asarray(self.outputs)
        self.prepare()

    cdef prepare(self):
        """For the instruction set in use."""
        self.plan = planned(FN_CALL_FORWARD, self.example.inputs_type, self.shape, &self.example,
                            1, 0, NULL, 1)
        self.workspace = Workspace(fn_evaluation_size(self.example.inputs_type, &self.plan.plan,
                                                      &self.example))

    cdef int run(self, x, void *out) except -1:
        """1 when ``out`` (n_out,) is filled, 0 when x is not plain: of another type, shape or
        layout, or not finite."""
        cdef Py_buffer view
        cdef Storage storage = self.parameters.storage  # kept alive during the call
        cdef int done = 0
        if type(x) is not NDARRAY:
            return 0
        if x.dtype.kind != "f":
            return 0
        PyObject_GetBuffer(x, &view, PyBUF_STRIDES | PyBUF_FORMAT)
        if (view.ndim == 1 and view.format != NULL and view.format[0] == self.format[0]
                and view.format[1] == 0 and <size_t>view.shape[0] == self.shape.n_in()
                and (view.strides[0] == view.itemsize or view.shape[0] == 1)
                and <uintptr_t>view.buf % view.itemsize == 0
                and isfinite(fn_magnitude(self.example.inputs_type, view.shape[0], view.buf))):
            if self.plan.plan.target != fn_selected_target():
                self.prepare()
            self.example.inputs = view.buf
            fn_feedforward(self.example.inputs_type, &self.plan.plan, storage.memory.first,
                           &self.example, out, UNWATCHED, self.workspace.start())
            done = 1
        PyBuffer_Release(&view)
        return done

    def try_one(self, x):
        if type(x) is not NDARRAY or self.is_copied or may_be_mapped(x):
            return None
        if not self.run(x, self.outputs.memory.first):
            return None
        self.is_copied = True  # stays so after a MemoryError; callers can do without this method
        copied = self.out.copy()
        self.is_copied = False
        return copied

    def __call__(self, x):
        cdef void *out = self.outputs.memory.first
        if self.check_file is not None and type(x) is NDARRAY and may_be_mapped(x):
            self.check_file("x", x)
        if not self.run(x, out) and not self.run(self.plain(x), out):
            raise ValueError("x: expected finite numbers, got NaN or infinity")
        return self.out

    cdef object plain(self, x):
        """x, a list or an array of another type or layout, as ``run`` takes it."""
        if "numpy.ma" in modules and isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
            raise ValueError("x: expected an array, got one with masked elements")
        try:
            x = np.asarray(x)
        except ValueError:
            raise ValueError("x: expected an array, got rows of different lengths") from None
        if self.check_file is not None:
            self.check_file("x", x)
        if x.dtype.kind not in "biuf":
            raise TypeError(f"x: expected numbers, got {x.dtype}")
        if x.shape != (self.shape.n_in(),):
            raise ValueError(f"x: expected shape ({self.shape.n_in()},), got {x.shape}")
        scale = self.parameters.input_scale
        if x.dtype == np.uint8 and scale is not None:
            x = x * np.float64(scale)
        with np.errstate(over="ignore"):
            taken = np.array(x, self.dtype)
        if np.isfinite(x).all() and not np.isfinite(taken).all():
            raise ValueError(f"x: expected inputs within the range of {self.dtype}, "
                             f"got {np.abs(x).max():g}")
        return taken


include "_single_kernels.pxi"
