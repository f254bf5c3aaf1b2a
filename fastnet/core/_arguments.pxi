"""Part of _kernels.pyx: arguments of the C kernels (names, shapes, examples, optimizers, a custom
cost's delta)."""

# ---- networks and examples -------------------------------------------------

# {name: (enumerator, number of parameters)} of the rows of csrc/api/*.def; of costs also None, a
# custom one.
ctypedef const fn_row *(*row_at)(size_t) noexcept nogil


cdef dict rows(row_at row):
    cdef size_t i = 0
    found = {}
    while row(i) != NULL:
        found[row(i).name.decode()] = (i, row(i).n_parameters)
        i += 1
    return found


cdef dict HIDDEN = {name: row for name, row in rows(fn_activation_row).items()
                    if fn_activations[<int>row[0]].hidden}
cdef dict OUTPUTS = {name: row for name, row in rows(fn_activation_row).items()
                     if fn_activations[<int>row[0]].output}
cdef dict OPTIMIZERS = rows(fn_optimizer_row)
cdef dict COSTS = {**rows(fn_cost_row), None: (FN_OTHER_COST, 0)}

cdef size_t LARGEST_LAYER = 2 ** 31 - 1


cdef code(str name, value, dict known):
    """The C enumerator of ``value``, one of the keys of ``known``; ``name`` is the argument's."""
    if value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(map(str, known))}; got {value!r}")
    return known[value]


cdef int set_row(str name, value, dict known, double *parameters, str kind="parameters") except -1:
    """The enumerator of a row, given as its name, or as a tuple of the name and its parameters,
    which are written to ``parameters``."""
    row, *numbers = value if isinstance(value, tuple) else (value,)
    enumerator, n = code(name, row, known)
    if len(numbers) != n:
        raise ValueError(f"{name}: expected {n} {kind} for {row}, got {len(numbers)}")
    for i, number in enumerate(numbers):
        parameters[i] = number
    return enumerator


@final
cdef class Shape:
    """A network's shape, activations and cost in C; activations of hidden layers and the cost are
    names, or tuples of name and parameters. A tuple as the parameter of a cost has one number for
    each output."""
    cdef fn_network network
    cdef double *own_parameters
    cdef size_t *sizes
    cdef fn_activation *hidden

    def __cinit__(self, sizes, output, cost, hidden=None):
        cdef size_t i, n = len(sizes)
        cdef double parameters = 0
        cdef bint valid = n >= 2
        self.sizes = <size_t *>calloc(n, sizeof(size_t))
        self.hidden = <fn_activation *>calloc(n, sizeof(fn_activation))
        if self.sizes == NULL or self.hidden == NULL:
            raise MemoryError()
        for i in range(n):
            size = index(sizes[i])
            valid &= 1 <= size <= LARGEST_LAYER
            self.sizes[i] = size if valid else 1
            if i > 0:
                parameters += (self.sizes[i - 1] + 1.0) * (self.sizes[i] + 512.0)
        if not valid:
            raise ValueError(f"sizes: expected two or more integers from 1 to {LARGEST_LAYER}, "
                             f"got {list(sizes)}")
        if parameters * 8 >= 2.0 ** 62:
            raise MemoryError(f"sizes: {list(sizes)} have more parameters than memory can hold")
        hidden = ("sigmoid",) * (n - 2) if hidden is None else hidden
        if len(hidden) != n - 2:
            raise ValueError(f"hidden: expected {n - 2} activations, got {hidden!r}")
        for i in range(n - 2):
            self.hidden[i].kind = <fn_activation_kind>set_row("hidden", hidden[i], HIDDEN,
                                                             self.hidden[i].parameters)
        self.network.layers = n - 1
        self.network.sizes = self.sizes
        self.network.hidden = self.hidden
        self.network.output = <fn_activation_kind><int>code("output", output, OUTPUTS)[0]
        self.set_cost(cost)

    cdef int set_cost(self, cost) except -1:
        cdef size_t i, n = self.n_out()
        row, *numbers = cost if isinstance(cost, tuple) else (cost,)
        own = numbers[0] if len(numbers) == 1 and isinstance(numbers[0], tuple) else None
        self.network.cost = <fn_cost>set_row("cost", cost if own is None else (row, 0.0), COSTS,
                                             self.network.cost_parameters)
        if own is None:
            return 0
        if not fn_takes_own_parameters(self.network.cost):
            raise ValueError(f"cost: expected a number as the parameter of {row}, got {own!r}")
        if len(own) != n:
            raise ValueError(f"cost: expected {n} parameters for {row}, one for each output, got "
                             f"{len(own)}")
        self.own_parameters = <double *>calloc(fn_stride(n, sizeof(float)), sizeof(double))
        if self.own_parameters == NULL:
            raise MemoryError()
        for i in range(n):
            self.own_parameters[i] = own[i]
        self.network.own_parameters = self.own_parameters
        return 0

    def __dealloc__(self):
        free(self.own_parameters)
        free(self.sizes)
        free(self.hidden)

    cdef size_t n_in(self):
        return self.sizes[0]

    cdef size_t n_out(self):
        return self.sizes[self.network.layers]

    cdef size_t n_parameters(self, size_t itemsize):
        """The length of the flat parameter array, pads included."""
        cdef size_t i, length = 0
        for i in range(self.network.layers):
            length += (self.sizes[i] + 1) * fn_stride(self.sizes[i + 1], itemsize)
        return length


@final
cdef class Examples:
    """Examples as the kernels read them, in the caller's memory.

    X : (n, n_in) of uint8, float32 or float64; or compressed rows (data/sparse_rows.py)
    scale : float; an input is value * scale, rounded once
    y : (n, n_out) of float32 or float64, (n,) int64 labels, or None where only inputs matter
    weights : (n,) float64, the weight of each example, or None for weights of 1
    """
    cdef fn_examples examples
    cdef size_t n_in
    cdef Array X
    cdef CompressedArrays compressed
    cdef Array y
    cdef Array weights

    def __cinit__(self, X, double scale, y=None, weights=None):
        rows = getattr(X, "arrays", None)  # of compressed rows
        if rows is not None:
            self.set_compressed(rows)
        else:
            self.X = Array("X", X, 2, INPUTS)
            self.examples.n, self.n_in = self.X.length(0), self.X.length(1)
            self.examples.inputs_stride = self.X.view.strides[0]
        self.examples.inputs = self.X.data()
        self.examples.inputs_type = self.X.type()
        fn_set_scale(&self.examples, scale)
        if y is not None:
            self.set_targets(y)
        if weights is not None:
            self.weights = vector("weights", weights, ("float64",))
            self.weights.expect("weights", (self.examples.n,))
            self.examples.weights = <const double *>self.weights.data()

    cdef set_compressed(self, CompressedArrays rows):
        if rows.values is None:
            raise ValueError("X: expected compressed rows, got none")
        self.compressed = rows
        self.X = rows.values
        self.examples.n, self.n_in = rows.n, rows.n_in
        self.examples.longest = rows.longest
        self.examples.offsets = rows.starts()
        if rows.masks is None:
            self.examples.columns = rows.columns.data()
            self.examples.columns_type = rows.columns.type()
        else:
            self.examples.masks = rows.words()

    cdef set_targets(self, y):
        if getattr(y, "ndim", 0) == 1:
            self.y = vector("y", y, ("int64",)).expect("y", (self.examples.n,))
        else:
            self.y = Array("y", y, 2, REAL)
            if self.y.length(0) != self.examples.n:
                self.y.expect("y", (self.examples.n, self.y.length(1)))
        self.examples.targets = self.y.data()
        self.examples.targets_stride = self.y.view.strides[0]
        self.examples.targets_type = self.y.type()

    cdef const fn_examples *checked_for(self, Shape shape, fn_type type,
                                        bint with_targets) except NULL:
        """The examples for C, after a check that their shapes are those of the network."""
        cdef tuple expected = (self.examples.n, shape.n_in())
        if self.n_in != shape.n_in() and self.compressed is None:
            self.X.expect("X", expected)
        if self.n_in != shape.n_in():
            raise ValueError(f"X: expected shape {expected}, got {(self.examples.n, self.n_in)}")
        if self.compressed is not None:
            self.check_form(shape, type)
        if with_targets and self.y is None:
            raise ValueError("y: expected targets, got None")
        if with_targets and self.y.view.ndim == 2 and self.y.length(1) != shape.n_out():
            self.y.expect("y", (self.examples.n, shape.n_out()))
        return &self.examples

    cdef int check_form(self, Shape shape, fn_type type) except -1:
        """Check that the first layer can read the compressed examples: its weights must have 32-bit
        indices, and only some instruction sets read masks."""
        cdef fn_form form = fn_choose_form(type, fn_selected_target(), fn_this_processor(),
                                           &shape.network, 0.2)
        if form == FN_DENSE:  # chosen at density 0.2 only if compressed examples cannot be read
            raise ValueError(f"X: expected at most 2^32 weights in the first layer for compressed "
                             f"examples, got {shape.sizes[0]} x {shape.sizes[1]}, padded")
        if self.examples.masks != NULL and form != FN_MASKS:
            raise ValueError(f"X: expected columns for the instruction set {isa()}, got masks")
        return 0


# ---- optimizers ------------------------------------------------------------

cdef size_t set_optimizer(fn_training *training, optimizer) except? 99:
    """Set the optimizer, (name, *coefficients), of a training in C; returns its number of moments
    per parameter."""
    training.optimizer = <fn_optimizer>set_row("optimizer", optimizer, OPTIMIZERS,
                                               training.coefficients, "coefficients")
    return fn_optimizers[<int>training.optimizer].n_moments


# ---- a custom cost ---------------------------------------------------------

@final
cdef class CustomDelta:
    """A custom cost's delta(z, a, y), called in place of the kernels' output error."""
    cdef object function
    cdef object error
    cdef fn_type type

    def __cinit__(self, function, fn_type type):
        self.function = function
        self.type = type

    cdef fn_delta for_c(self):
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

    cdef int check(self, int failed) except -1:
        """Raise the function's exception, if it failed."""
        if failed:
            raise self.error
        return 0


cdef int call_delta(void *context, size_t m, size_t n_out, size_t stride, const void *z,
                    const void *a, const void *y, void *delta) noexcept with gil:
    cdef CustomDelta custom = <CustomDelta>context
    try:
        result = custom.function(custom.matrix(z, m, stride)[:, :n_out].T.copy(),
                                 custom.matrix(a, m, stride)[:, :n_out].T.copy(),
                                 custom.matrix(y, m, stride)[:, :n_out].T.copy())
        result = np.asarray(result)
        if result.shape != (n_out, m):
            raise ValueError(f"delta: expected the shape of z, {(n_out, m)}, got {result.shape}")
        if result.dtype.kind not in "biuf":
            raise TypeError(f"delta: expected real numbers, got {result.dtype}")
        with np.errstate(over="ignore"):  # SGD checks after each epoch that parameters are finite
            custom.matrix(delta, m, stride)[:, :n_out] = result.T
        return 0
    except BaseException as error:
        custom.error = error
        return 1
