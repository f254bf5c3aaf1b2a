"""Part of _kernels.pyx: what the kernels are told, in C: a network, examples, a training, and
a user's own cost."""

# ---- networks and examples -------------------------------------------------

# {name: enumerator}, as csrc/activations.def and csrc/optimizers.def list them.
cdef dict HIDDEN = {}
cdef dict OUTPUTS = {}
cdef dict OPTIMIZERS = {}

# {name: (enumerator, number of parameters)}, as csrc/costs.def lists them; None for the user's own,
# whose enumerator is the last.
cdef dict COSTS = {}


cdef read_rows():
    cdef size_t i = 0
    cdef const fn_activation_traits *activation = fn_activation_row(0)
    cdef const fn_optimizer_traits *optimizer = fn_optimizer_row(0)
    cdef const fn_cost_traits *cost = fn_cost_row(0)
    while activation != NULL:
        if activation.hidden:
            HIDDEN[activation.name.decode()] = i
        if activation.output:
            OUTPUTS[activation.name.decode()] = i
        i += 1
        activation = fn_activation_row(i)
    i = 0
    while optimizer != NULL:
        OPTIMIZERS[optimizer.name.decode()] = i
        i += 1
        optimizer = fn_optimizer_row(i)
    i = 0
    while cost != NULL:
        COSTS[cost.name.decode()] = (i, cost.n_parameters)
        i += 1
        cost = fn_cost_row(i)
    COSTS[None] = (i, 0)


read_rows()

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
        cdef size_t i, n = len(sizes)
        cdef double parameters = 0
        cdef bint fit = n >= 2
        self.sizes = <size_t *>calloc(n, sizeof(size_t))
        self.hidden = <fn_activation *>calloc(n, sizeof(fn_activation))
        if self.sizes == NULL or self.hidden == NULL:
            raise MemoryError()
        for i in range(n):
            size = index(sizes[i])
            fit &= 1 <= size <= LARGEST
            self.sizes[i] = size if fit else 1
            if i > 0:
                parameters += (self.sizes[i - 1] + 1.0) * (self.sizes[i] + 512.0)
        if not fit:
            raise ValueError(f"sizes: expected two or more integers from 1 to {LARGEST}, "
                             f"got {list(sizes)}")
        if parameters * 8 >= 2.0 ** 62:
            raise MemoryError(f"sizes: {list(sizes)} have more parameters than memory can hold")
        hidden = ("sigmoid",) * (n - 2) if hidden is None else hidden
        if len(hidden) != n - 2:
            raise ValueError(f"hidden: expected {n - 2} kinds of neurons, got {hidden!r}")
        for i in range(n - 2):
            self.hidden[i] = code("hidden", hidden[i], HIDDEN)
        self.network.layers = n - 1
        self.network.sizes = self.sizes
        self.network.hidden = self.hidden
        self.network.output = code("output", output, OUTPUTS)
        self.take_cost(cost)

    def __dealloc__(self):
        free(self.sizes)
        free(self.hidden)

    cdef take_cost(self, cost):
        """A name, or a tuple of the name and the parameters; None for the user's own."""
        name, *parameters = cost if isinstance(cost, tuple) else (cost,)
        row, n_parameters = code("cost", name, COSTS)
        if len(parameters) != n_parameters:
            raise ValueError(f"cost: expected {n_parameters} parameters for {name}, "
                             f"got {len(parameters)}")
        self.network.cost = <fn_cost><int>row
        for i, parameter in enumerate(parameters):
            self.network.cost_parameters[i] = parameter

    cdef size_t n_in(self):
        return self.sizes[0]

    cdef size_t n_out(self):
        return self.sizes[self.network.layers]

    cdef Array parameters(self, str name, array, bint writable):
        """The flat parameter array of this network, checked."""
        cdef Array held = vector(name, array, REAL, writable)
        return held.expect(name, (self.n_parameters(held.view.itemsize),))

    cdef size_t n_parameters(self, size_t itemsize):
        """The length of the flat parameter array, pads included."""
        cdef size_t i, length = 0
        for i in range(self.network.layers):
            length += (self.sizes[i] + 1) * fn_stride(self.sizes[i + 1], itemsize)
        return length


cdef class Examples:
    """A data set in C; without y where only the inputs matter."""
    cdef fn_examples examples
    cdef Array X
    cdef CompressedArrays compressed
    cdef Array y
    cdef Array weights

    def __cinit__(self, Shape shape, Array parameters, X, double scale, *y):
        cdef size_t n_in = shape.n_in() if shape is not None else X.shape[1]
        rows = getattr(X, "_arrays", None)  # of a compressed.Compressed
        if rows is not None:
            self.take_compressed(rows, n_in)
            self.check_way(shape, parameters)
        else:
            self.X = Array("X", X, 2, INPUTS)
            self.examples.n = self.X.length(0)
            self.X.expect("X", (self.examples.n, n_in))
            self.examples.inputs_stride = self.X.view.strides[0]
        self.examples.inputs = self.X.data()
        self.examples.inputs_type = self.X.type()
        fn_set_scale(&self.examples, scale)
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
        """Whether compressed examples have a way into the first layer: as columns, unless it has
        more weights than 32 bits can number, and, where lists are shared, as masks."""
        cdef fn_form form = fn_choose_form(parameters.type(), fn_selected_target(),
                                           fn_this_processor(), &shape.network, 0.2)
        if form == FN_DENSE:  # at a density where both of the others are possible
            raise ValueError(f"X: expected at most 2^32 weights in the first layer for compressed "
                             f"examples, got {shape.sizes[0]} x {shape.sizes[1]}, padded")
        if self.examples.masks != NULL and form != FN_MASKS:
            raise ValueError(f"X: expected columns for the instruction set {isa()}, got masks")

    cdef Array targets(self, y, size_t n_out):
        if getattr(y, "ndim", 0) == 1:
            return vector("y", y, ("int64",)).expect("y", (self.examples.n,))
        return Array("y", y, 2, REAL).expect("y", (self.examples.n, n_out))

    cdef take_compressed(self, CompressedArrays rows, size_t n_in):
        if rows.values is None:
            raise ValueError("X: expected compressed rows, got none")
        if rows.n_in != n_in:
            raise ValueError(f"X: expected shape {(rows.n, n_in)}, got {(rows.n, rows.n_in)}")
        self.compressed = rows
        self.X = rows.values
        self.examples.n = rows.n
        self.examples.longest = rows.longest
        self.examples.offsets = rows.starts()
        if rows.masks is None:
            self.examples.columns = rows.columns.data()
            self.examples.columns_type = rows.columns.type()
        else:
            self.examples.masks = rows.words()


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


cdef class Training:
    """How mini-batches move the parameters, in C."""
    cdef fn_training training
    cdef Array moments
    cdef Array shares
    cdef Array keys
    cdef Array costs
    cdef Array ended
    cdef Array last

    def __cinit__(self, Shape shape, Array parameters, double eta, double l2, double l1,
                  optimizer, moments, uint64_t steps, dropout, size_t shift):
        cdef const fn_optimizer_traits *traits
        name, *coefficients = optimizer
        self.training.eta, self.training.l2, self.training.l1 = eta, l2, l1
        self.training.optimizer = code("optimizer", name, OPTIMIZERS)
        traits = fn_optimizer_row(self.training.optimizer)
        if len(coefficients) != traits.n_coefficients:
            raise ValueError(f"optimizer: expected {traits.n_coefficients} coefficients for {name}, "
                             f"got {len(coefficients)}")
        for i, coefficient in enumerate(coefficients):
            self.training.coefficients[i] = coefficient
        if traits.n_moments:
            self.moments = vector("moments", moments, (parameters.dtype,), True)
            self.moments.expect("moments", (traits.n_moments * parameters.length(0),))
            self.training.moments = self.moments.data()
        self.training.steps = steps
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

    cdef take_passes(self, Array parameters, size_t passes, size_t mini_batches, key, costs, ended,
                     last):
        """What each pass has of its own, and what is known of it afterwards."""
        if isinstance(key, int):
            self.training.key = key
        else:
            self.keys = vector("key", key, ("uint64",)).expect("key", (passes,))
            self.training.keys = <const uint64_t *>self.keys.data()
        if costs is not None:
            self.costs = vector("costs", costs, ("float64",), True)
            self.costs.expect("costs", (passes * mini_batches,))
            costs[...] = 0
            self.training.costs = <double *>self.costs.data()
        if (ended is None) != (last is None):
            raise ValueError("ended, last: expected both or none of them")
        if ended is not None:
            self.ended = vector("ended", ended, ("int64",), True).expect("ended", (1,))
            self.last = Array("last", last, 2, (parameters.dtype,), writable=True)
            self.training.n_last = self.last.length(0)
            self.last.expect("last", (self.training.n_last, parameters.length(0)))
            self.last.expect_contiguous("last")
            if passes > 1 and self.training.n_last == 0:
                raise ValueError("last: expected a row or more for several passes, got none")
            self.training.ended = <int64_t *>self.ended.data()
            self.training.last = self.last.data()
