"""Part of _kernels.pyx: training."""


cdef struct pass_sizes:
    # passes over n examples each, in mini-batches of m; the last mini-batch may be smaller
    const int64_t *order  # [passes][n]
    size_t passes
    size_t n
    size_t m


@final
cdef class Training:
    """The options of a training, and its state between passes.

    If the network has a ``custom_delta``, one thread computes everything; otherwise threads share
    the examples of a mini-batch.

    Attributes
    ----------
    steps : int
        The mini-batches of all complete passes so far.
    moments : (n_moments * parameters,) array, or None for an optimizer without moments
        The state of the optimizer, zero at the start.
    n_complete : int
        The number of passes that the last ``run`` completed.
    costs : (mini-batches of all passes,) float64 array, or None
        Filled by ``run``, if it is an array: the sum of the costs of each mini-batch.
    divide_l2, by_blocks
        See fastnet/reference/training.py.
    """
    cdef NetworkCore network
    cdef fn_training training
    cdef readonly size_t mini_batch_size
    cdef readonly size_t shift
    cdef size_t n_moments
    cdef Array moments_array
    cdef Array dropout
    cdef readonly object moments
    cdef readonly int64_t n_complete
    cdef public uint64_t steps
    cdef public bint divide_l2
    cdef public object by_blocks
    cdef public object costs

    def __cinit__(self, NetworkCore network not None, mini_batch_size, optimizer=("plain",), *,
                  double l2=0.0, double l1=0.0, dropout=None, size_t shift=0):
        if network.storage is None:
            Array("parameters", network.parameters, 1, REAL, writable=True)
        if mini_batch_size < 1:
            raise ValueError(f"mini_batch_size: expected 1 or more, got {mini_batch_size}")
        self.network, self.mini_batch_size = network, min(mini_batch_size, LARGEST_WIDTH)
        self.n_moments = set_optimizer(&self.training, optimizer) * network.n_parameters
        self.training.l2, self.training.l1 = l2, l1
        if dropout is not None:
            self.dropout = vector("dropout", dropout, ("float64",))
            self.dropout.expect("dropout", (network.shape.network.layers - 1,))
            self.training.dropout = <const double *>self.dropout.data()
        if shift:
            self.set_shift(shift, network.shape.n_in())

    cdef set_shift(self, size_t shift, size_t n_in):
        cdef size_t side = 0
        while side * side < n_in:
            side += 1
        if side * side != n_in or shift >= side:
            raise ValueError(f"shift: expected square images, larger than the shift of {shift}; "
                             f"got {n_in} inputs")
        self.shift, self.training.shift, self.training.side = shift, shift, side

    def resume(self, moments, steps):
        if self.n_moments:
            self.moments_array = vector("moments", moments, (self.network.dtype,), True)
            self.moments_array.expect("moments", (self.n_moments,))
            self.moments = moments
        self.steps = steps

    def reset(self):
        if self.moments is not None:
            self.moments[...] = 0
            self.steps = 0

    def run(self, Examples examples not None, order, double eta, *, key=None, threads=1, poll=None,
            snapshots=None):
        self.n_complete = 0
        cdef NetworkCore core = self.network
        cdef const fn_examples *e = examples.checked_for(core.shape, core.type, True)
        cdef fn_training t = self.training
        cdef pass_sizes passes
        cdef Array in_order = self.set_passes(&passes, order)
        cdef Array keys = self.set_keys(&t, key, passes.passes)
        cdef Array held = self.set_snapshots(&t, snapshots, passes.passes)
        cdef Array costs = self.set_costs(&t, passes)
        if t.shift and e.masks != NULL:
            raise ValueError("X: expected dense examples or columns to be shifted, got masks")
        cdef size_t n_threads = 1 if core.custom_delta is not None else checked_threads(threads)
        check_order(&passes, e.n)
        self.set_state(&t, eta)
        cdef CustomDelta custom = CustomDelta(core.custom_delta, core.type)
        cdef Poll polling = Poll(poll)
        t.delta, t.poll = custom.for_c(), polling.for_c()
        cdef Plan plan = planned(FN_CALL_TRAIN, core.type, core.shape, e, passes.n, passes.m, &t,
                                 n_threads)
        cdef Workspace w = Workspace(fn_workspace_size(core.type, &plan.plan, e, &t))
        cdef object memory = core.memory()
        cdef void *p = core.start(memory)
        cdef int failed
        with nogil:
            failed = fn_train(core.type, &plan.plan, p, e, passes.order, passes.passes, &t,
                              w.start())
        self.steps += self.n_complete * mini_batches(&passes)
        custom.check(failed)
        polling.check()
        return self.n_complete

    cdef set_state(self, fn_training *t, double eta):
        """Set the options and state of this call in C."""
        if self.n_moments and self.moments is None:
            self.resume(aligned(self.n_moments, self.network.dtype), self.steps)
        if self.costs is not None:
            self.costs[...] = 0
        if self.moments is not None:
            t.moments = self.moments_array.data()
        t.eta, t.steps, t.n_complete = eta, self.steps, &self.n_complete
        t.divide_l2 = self.divide_l2
        t.by_blocks = 0 if self.by_blocks is None else 1 if self.by_blocks else -1

    cdef Array set_passes(self, pass_sizes *passes, order):
        cdef int ndim = 2 if order.ndim == 2 else 1
        cdef Array in_order = Array("order", order, ndim, ("int64",))
        if ndim == 2:
            in_order.expect_contiguous("order")
        passes.order = <const int64_t *>in_order.data()
        passes.passes = in_order.length(0) if ndim == 2 else 1
        passes.n = in_order.length(ndim - 1)
        passes.m = max(1, min(self.mini_batch_size, passes.n))
        return in_order

    cdef Array set_keys(self, fn_training *t, key, size_t passes):
        cdef Array keys
        if key is None:
            return None
        if isinstance(key, int):
            t.key = key
            return None
        keys = vector("key", key, ("uint64",)).expect("key", (passes,))
        t.keys = <const uint64_t *>keys.data()
        return keys

    cdef Array set_snapshots(self, fn_training *t, snapshots, size_t passes):
        cdef Array held
        if snapshots is None:
            return None
        held = Array("snapshots", snapshots, 2, (self.network.dtype,), writable=True)
        t.n_snapshots = held.length(0)
        held.expect("snapshots", (t.n_snapshots, self.network.n_parameters))
        held.expect_contiguous("snapshots")
        if passes > 1 and t.n_snapshots == 0:
            raise ValueError("snapshots: expected a row or more for several passes, got none")
        t.snapshots = held.data()
        return held

    cdef Array set_costs(self, fn_training *t, pass_sizes passes):
        cdef Array costs
        if self.costs is None:
            return None
        if self.network.custom_delta is not None:
            raise ValueError("costs: expected None for a custom cost")
        costs = vector("costs", self.costs, ("float64",), True)
        costs.expect("costs", (passes.passes * mini_batches(&passes),))
        t.costs = <double *>costs.data()
        return costs


cdef size_t mini_batches(const pass_sizes *passes) noexcept nogil:
    """The number of mini-batches of a pass."""
    return (passes.n + passes.m - 1) // passes.m


cdef int check_order(const pass_sizes *passes, size_t n) except -1:
    cdef size_t i
    cdef bint inside = True
    for i in range(passes.passes * passes.n):
        inside &= 0 <= passes.order[i] and <size_t>passes.order[i] < n
    if inside:
        return 0
    i = 0
    while 0 <= passes.order[i] and <size_t>passes.order[i] < n:
        i += 1
    raise ValueError(f"order: expected indices from 0 to {int(n) - 1}, got {passes.order[i]}")
