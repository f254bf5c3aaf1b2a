"""Part of _kernels.pyx: a network, its predictions, gradient and evaluation."""


cdef size_t checked_threads(threads) except 0:
    """The number of threads, limited to the maximum for which the kernels have memory."""
    if index(threads) < 1:
        raise ValueError(f"threads: expected 1 or more, got {threads}")
    return min(threads, FN_MOST_THREADS)


@final
cdef class NetworkCore:
    """Shape, cost and parameters of a network, checked once.

    ``parameters`` is a flat array laid out by ``layout``, or a ParameterStorage, whose current
    values each call reads.
    """
    cdef Shape shape
    cdef fn_type type
    cdef str dtype
    cdef size_t n_parameters
    cdef object parameters
    cdef Array array                # of ``parameters``, if they are an array
    cdef ParameterStorage storage   # otherwise
    cdef object custom_delta

    def __cinit__(self, sizes, output, cost, parameters not None, hidden=None, custom_delta=None):
        self.shape = Shape(sizes, output, cost, hidden)
        self.parameters, self.custom_delta = parameters, custom_delta
        if isinstance(parameters, ParameterStorage):
            self.storage = parameters
        self.array = Array("parameters", parameters if self.storage is None else
                           self.storage.storage, 1, REAL)
        self.type, self.dtype = self.array.type(), self.array.dtype
        self.n_parameters = self.shape.n_parameters(self.array.view.itemsize)
        self.array.expect("parameters", (self.n_parameters,))
        if self.storage is not None:
            self.array = None

    cdef object memory(self):
        """The current memory of the parameters, which lives as long as the returned object."""
        return self.array if self.storage is None else self.storage.storage

    cdef void *start(self, memory) noexcept:
        """The start of ``memory``."""
        if self.storage is None:
            return (<Array>memory).view.buf
        return (<Storage>memory).memory.first

    def predictor(self, check_file=None, standardize=None, convert=None, jacobian=False):
        return Predictor(self, check_file, standardize, convert, jacobian)

    def feedforward(self, Examples examples not None, out, threads=1, *, poll=None):
        cdef const fn_examples *e = examples.checked_for(self.shape, self.type, False)
        cdef object memory = self.memory()
        cdef const void *p = self.start(memory)
        cdef Array a = Array("out", out, 2, (self.dtype,), writable=True)
        a.expect("out", (e.n, self.shape.n_out()))
        a.expect_contiguous("out")
        cdef Plan plan = planned(FN_CALL_FORWARD, self.type, self.shape, e, e.n, 0, NULL,
                                 checked_threads(threads))
        cdef Workspace w = Workspace(fn_evaluation_size(self.type, &plan.plan, e))
        cdef Poll polling = Poll(poll) if e.n > FN_EVALUATED else None  # a single piece is short
        cdef fn_poll polled = NO_POLL if polling is None else polling.for_c()
        with nogil:
            fn_feedforward(self.type, &plan.plan, p, e, a.data(), polled, w.start())
        if polling is not None:
            polling.check()

    def jacobian(self, Examples examples not None, out, jacobian, slopes=None, threads=1, *,
                 poll=None):
        cdef const fn_examples *e = examples.checked_for(self.shape, self.type, False)
        cdef object memory = self.memory()
        cdef const void *p = self.start(memory)
        cdef size_t n_in = self.shape.n_in(), n_out = self.shape.n_out()
        cdef Array a = Array("out", out, 2, (self.dtype,), writable=True)
        cdef Array rows = Array("jacobian", jacobian, 2, (self.dtype,), writable=True)
        cdef Array factors = None
        a.expect("out", (e.n, n_out)).expect_contiguous("out")
        rows.expect("jacobian", (e.n * n_out, n_in)).expect_contiguous("jacobian")
        cdef fn_derivatives to
        to.a, to.jacobian, to.slopes = a.data(), rows.data(), NULL
        if slopes is not None:
            factors = vector("slopes", slopes, ("float64",)).expect("slopes", (n_in,))
            to.slopes = <const double *>factors.data()
        cdef Plan plan = planned(FN_CALL_JACOBIAN, self.type, self.shape, e, e.n, 0, NULL,
                                 checked_threads(threads))
        cdef Workspace w = Workspace(fn_evaluation_size(self.type, &plan.plan, e))
        cdef Poll polling = Poll(poll) if e.n > plan.plan.m else None
        cdef fn_poll polled = NO_POLL if polling is None else polling.for_c()
        with nogil:
            fn_jacobian(self.type, &plan.plan, p, e, &to, polled, w.start())
        if polling is not None:
            polling.check()

    def gradient(self, Examples examples not None, nabla, threads=1, *, poll=None):
        cdef const fn_examples *e = examples.checked_for(self.shape, self.type, True)
        cdef object memory = self.memory()
        cdef const void *p = self.start(memory)
        cdef Array g = vector("nabla", nabla, REAL, True).expect("nabla", (self.n_parameters,))
        if g.dtype != self.dtype:
            raise TypeError(f"nabla: expected {self.dtype}, got {g.dtype}")
        cdef bint is_custom = self.custom_delta is not None  # called by one thread only
        cdef size_t n_threads = 1 if is_custom else checked_threads(threads)
        cdef Plan plan = planned(FN_CALL_GRADIENT, self.type, self.shape, e, e.n, 0, NULL, n_threads)
        cdef Workspace w = Workspace(fn_workspace_size(self.type, &plan.plan, e, NULL))
        cdef CustomDelta custom = CustomDelta(self.custom_delta, self.type)
        cdef Poll polling = Poll(poll)
        cdef fn_training callbacks
        memset(&callbacks, 0, sizeof(callbacks))
        callbacks.delta, callbacks.poll = custom.for_c(), polling.for_c()
        cdef double cost = 0
        cdef double *to_cost = NULL if is_custom else &cost
        cdef int failed
        with nogil:
            failed = fn_gradient(self.type, &plan.plan, p, e, g.data(), to_cost, &callbacks,
                                 w.start())
        custom.check(failed)
        polling.check()
        return cost

    def evaluate(self, Examples examples not None, threads=1, *, networks=None, with_cost=True,
                 poll=None):
        cdef fn_network network = self.shape.network
        cdef const fn_examples *e = examples.checked_for(self.shape, self.type, True)
        cdef object memory = self.memory()
        cdef const char *p = <const char *>self.start(memory)
        cdef size_t i, n = 1, row = self.n_parameters * ITEM_SIZES[self.dtype]
        cdef Array rows = None
        if networks is not None:
            rows = Array("networks", networks, 2, (self.dtype,))
            n, p = rows.length(0), <const char *>rows.data()
            if n == 0:
                raise ValueError("networks: expected one row or more, got none")
            rows.expect("networks", (n, self.n_parameters)).expect_contiguous("networks")
        if not with_cost:
            network.cost = FN_OTHER_COST
        cdef Plan plan = planned(FN_CALL_FORWARD, self.type, self.shape, e, e.n, 0, NULL,
                                 checked_threads(threads))
        plan.plan.network = &network
        cdef Workspace w = Workspace(fn_evaluation_size(self.type, &plan.plan, e))
        counts, costs = np.zeros(n, np.uintp), np.zeros(n)
        cdef size_t[::1] correct = counts
        cdef double[::1] total = costs
        cdef Poll polling = Poll(poll)
        cdef fn_poll polled = polling.for_c()
        with nogil:
            for i in range(n):
                polling.state.before, polling.state.until = i * e.n, 1
                if i > 0 and not may_continue(polled, 0):
                    break
                total[i] = fn_evaluate(self.type, &plan.plan, p + i * row, e, &correct[i], polled,
                                       w.start())
                if polling.state.ends:
                    break
        polling.check()
        return (int(correct[0]), total[0]) if rows is None else (counts.tolist(), costs.tolist())


cdef object NDARRAY = np.ndarray


cdef bint may_be_mapped(x):
    """Whether ``x`` may be a memory map: neither x nor the array that it is a view of owns the
    memory."""
    base = x.base
    return base is not None and (type(base) is not NDARRAY or base.base is not None)


@final
cdef class Predictor:
    """``feedforward`` of one example, in memory that is reused by all calls.

    Called with x (n_in,), it returns an array (n_out,), the same one each time.
    ``try_predict`` also takes a column x (n_in, 1), n_in > 1, and returns a new array, (n_out,) or
    (n_out, 1), or None if x is not a plain array of the network's dtype.
    Both compute with the parameters that the network has at the call. ``check_file`` is called with
    "x" and an x that may be part of a memory map. ``standardize``, means and deviations (n_in,) of
    float64, makes the inputs (x - mean) / deviation, rounded once from float64; x may then be
    float32 or float64. ``convert`` makes an array of an x that is none. With ``jacobian`` the
    result of a call is the pair (outputs, their derivatives by x (n_out, n_in)), the same one each
    time. The GIL is held during a call.
    """
    cdef NetworkCore network
    cdef Shape shape
    cdef ParameterStorage parameters  # None if they are an array
    cdef object check_file
    cdef Storage outputs  # the memory of ``out``, which NumPy cannot resize
    cdef Plan plan
    cdef Workspace workspace
    cdef fn_examples example
    cdef bint is_copied  # a thread is copying ``out``; other threads may run meanwhile
    cdef object out
    cdef object column  # ``out`` as (n_out, 1)
    cdef object dtype
    cdef bytes format
    cdef object convert
    cdef Array mean, deviation  # None if the inputs are not standardized
    cdef Storage standardized   # the example, standardized
    cdef Storage derivatives    # None without ``jacobian``
    cdef Storage slopes         # the derivatives of the network's inputs by x, for the scale
    cdef double scale           # of the last x
    cdef object result          # of a call

    def __cinit__(self, NetworkCore network not None, check_file=None, standardize=None,
                  convert=None, jacobian=False):
        self.network, self.shape, self.check_file = network, network.shape, check_file
        self.convert = convert
        if standardize is not None:
            n_in = self.shape.n_in()
            self.mean = vector("mean", standardize[0], ("float64",)).expect("mean", (n_in,))
            self.deviation = vector("deviation", standardize[1], ("float64",))
            self.deviation.expect("deviation", (n_in,))
            self.standardized = Storage(n_in, network.dtype)
        self.parameters = network.storage
        self.dtype = np.dtype(network.dtype)
        self.format = self.dtype.char.encode()
        self.example.n = 1
        self.example.inputs_type = network.type
        fn_set_scale(&self.example, 1)
        self.outputs = Storage(self.shape.n_out(), network.dtype)
        self.out = self.result = np.asarray(self.outputs)
        self.column = self.out.reshape(-1, 1)
        if jacobian:
            n_in, n_out = self.shape.n_in(), self.shape.n_out()
            self.derivatives = Storage(n_out * n_in, network.dtype)
            self.slopes = Storage(n_in, "float64")
            self.result = self.out, np.asarray(self.derivatives).reshape(n_out, n_in)
            self.set_scale(1)
        self.prepare()

    def __reduce__(self):
        raise TypeError("predictor: expected a network to copy or pickle, got its predictor, which "
                        "shares the network's parameters; call net.predictor() on the copy")

    cdef prepare(self):
        """Make the plan for the instruction set in use."""
        cdef fn_call call = FN_CALL_FORWARD if self.derivatives is None else FN_CALL_JACOBIAN
        self.plan = planned(call, self.network.type, self.shape, &self.example, 1, 0, NULL, 1)
        self.workspace = Workspace(fn_evaluation_size(self.network.type, &self.plan.plan,
                                                      &self.example))

    @cython.cdivision(True)  # no deviation is 0
    cdef set_scale(self, double scale):
        """Set the slopes for an x that is multiplied by ``scale``."""
        cdef double *slopes = <double *>self.slopes.memory.first
        cdef const double *deviation = NULL
        cdef size_t i
        if self.deviation is not None:
            deviation = <const double *>self.deviation.data()
        for i in range(self.shape.n_in()):
            slopes[i] = scale if deviation == NULL else scale / deviation[i]
        self.scale = scale

    cdef void compute(self, const void *p, void *out) noexcept:
        """Fill ``out``, and the derivatives, with the parameters ``p``."""
        cdef fn_derivatives to
        if self.derivatives is None:
            fn_feedforward(self.example.inputs_type, &self.plan.plan, p, &self.example, out, NO_POLL,
                           self.workspace.start())
            return
        to.a, to.jacobian, to.slopes = out, self.derivatives.memory.first, NULL
        if self.deviation is not None or self.scale != 1:
            to.slopes = <const double *>self.slopes.memory.first
        fn_jacobian(self.example.inputs_type, &self.plan.plan, p, &self.example, &to, NO_POLL,
                    self.workspace.start())

    cdef int run(self, x, void *out, bint takes_column=False) except -1:
        """Fill ``out`` (n_out,) and return 1; or return 0 if x is not a finite, contiguous ndarray
        of the network's dtype and of shape (n_in,), or (n_in, 1) if ``takes_column``."""
        cdef Py_buffer view
        cdef Storage storage = None  # kept alive during the call
        cdef const void *p
        cdef const void *row
        cdef int done = 0
        if type(x) is not NDARRAY:
            return 0
        if x.dtype.kind != "f":
            return 0
        PyObject_GetBuffer(x, &view, PyBUF_STRIDES | PyBUF_FORMAT)
        row = view.buf
        if ((view.ndim == 1 or (takes_column and self.is_column(&view)))
                and view.format != NULL and self.reads(view.format)
                and <size_t>view.shape[0] == self.shape.n_in()
                and (view.strides[0] == view.itemsize or view.shape[0] == 1)
                and <uintptr_t>view.buf % view.itemsize == 0):
            if self.mean is not None:
                row = self.standardize(view.buf, view.format[0] == b"d")
            done = isfinite(fn_max_abs(self.example.inputs_type, view.shape[0], row))
        if done:
            if self.plan.plan.target != fn_selected_target():
                self.prepare()
            self.example.inputs = row
            if self.parameters is None:
                p = self.network.array.data()
            else:
                storage = self.parameters.storage
                p = storage.memory.first
            self.compute(p, out)
        PyBuffer_Release(&view)
        return done

    cdef bint is_column(self, const Py_buffer *x) noexcept:
        """Whether x is one example as a column; (1, 1) is a row."""
        return x.ndim == 2 and x.shape[1] == 1 and x.shape[0] > 1

    cdef bint reads(self, const char *format) noexcept:
        """Whether numbers of this type are read in place."""
        if format[0] != 0 and format[1] != 0:
            return False
        return format[0] == self.format[0] or (
            self.mean is not None and (format[0] == b"f" or format[0] == b"d"))

    @cython.cdivision(True)  # no deviation is 0
    cdef const void *standardize(self, const void *x, bint is_double) noexcept:
        """The standardized example, whose memory the next call overwrites."""
        cdef const double *mean = <const double *>self.mean.data()
        cdef const double *deviation = <const double *>self.deviation.data()
        cdef void *made = self.standardized.memory.first
        cdef bint single = self.example.inputs_type == FN_F32
        cdef double value
        cdef size_t j
        for j in range(self.shape.n_in()):
            value = (<const double *>x)[j] if is_double else (<const float *>x)[j]
            value = (value - mean[j]) / deviation[j]
            if single:
                (<float *>made)[j] = <float>value
            else:
                (<double *>made)[j] = value
        return made

    def try_predict(self, x):
        if type(x) is not NDARRAY or self.is_copied or may_be_mapped(x):
            return None
        if not self.run(x, self.outputs.memory.first, takes_column=True):
            return None
        self.is_copied = True  # it stays True after a MemoryError; then all calls return None
        copied = (self.out if x.ndim == 1 else self.column).copy()
        self.is_copied = False
        return copied

    def __call__(self, x):
        cdef void *out = self.outputs.memory.first
        if self.check_file is not None and type(x) is NDARRAY and may_be_mapped(x):
            self.check_file("x", x)
        if self.derivatives is not None and self.scale != 1:
            self.set_scale(1)  # ``converted`` sets it for bytes
        if not self.run(x, out) and not self.run(self.converted(x), out):
            raise ValueError("x: expected finite numbers, got NaN or infinity")
        return self.result

    cdef object converted(self, x):
        """x, a list or an array of any type and layout, as an array that ``run`` accepts."""
        if self.convert is not None and type(x) is not NDARRAY:
            x = self.convert(x)
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
        scale = getattr(self.network.parameters, "input_scale", None)
        if x.dtype == np.uint8 and scale is not None:
            x = x * np.float64(scale)
            if self.derivatives is not None:
                self.set_scale(scale)
        if self.mean is not None:
            return self.plain_doubles(x)
        with np.errstate(over="ignore"):
            result = np.array(x, self.dtype)
        if np.isfinite(x).all() and not np.isfinite(result).all():
            raise ValueError(f"x: expected inputs within the range of {self.dtype}, "
                             f"got {np.abs(x).max():g}")
        return result

    cdef object plain_doubles(self, x):
        """x in the type in which it is standardized."""
        with np.errstate(over="ignore"):
            converted = np.array(x, np.float64)
            made = (converted - np.asarray(self.mean)) / np.asarray(self.deviation)
            finite = np.isfinite(made.astype(self.dtype)).all()
        if np.isfinite(x).all() and not finite:
            raise ValueError(f"x: expected standardized inputs within the range of {self.dtype}, "
                             f"got {np.abs(made).max():g}")
        return converted
