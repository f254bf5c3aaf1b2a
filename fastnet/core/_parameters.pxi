"""Part of _kernels.pyx: the memory of a network's parameters, which training replaces.

Each change of a network's parameters is one call of a function in this file, and atomic: no signal
handler and no other Python thread runs during it.
"""

# Large arrays of NumPy, such as the moments of an optimizer, start at the start of a page.
# Parameters start half a page later, since a load waits for a store to the same offset of another
# page (4K aliasing; docs/tuning.md).
cdef size_t HALF_PAGE = 2048
cdef Py_ssize_t LARGE = 1 << 16


@final
cdef class Storage:
    """The memory of a network's parameters: a flat array aligned to a cache line, laid out by
    ``layout``. Other code accesses it through the buffer protocol."""
    cdef Workspace memory
    cdef readonly Py_ssize_t n
    cdef Py_ssize_t itemsize
    cdef str dtype
    cdef bytes format

    def __cinit__(self, Py_ssize_t n, str dtype, source=None):
        """n elements of type dtype: copied from ``source``, (n,) of the same type, or zero."""
        if n < 0 or dtype not in REAL:
            raise ValueError(f"n, dtype: expected 0 or more elements of {' or '.join(REAL)}, "
                             f"got {n} of {dtype}")
        self.n, self.dtype = n, dtype
        self.itemsize = ITEM_SIZES[dtype]
        self.format = b"f" if dtype == "float32" else b"d"
        self.memory = Workspace(n * self.itemsize, source is None,
                                HALF_PAGE if n * self.itemsize > LARGE else 0)
        if source is not None:
            self.fill(source)

    cdef fill(self, source):
        cdef Array held
        if (type(source) is Storage and (<Storage>source).n == self.n
                and (<Storage>source).dtype == self.dtype):
            memcpy(self.memory.first, (<Storage>source).memory.first, self.n * self.itemsize)
        else:
            held = vector("source", source, (self.dtype,)).expect("source", (self.n,))
            memcpy(self.memory.first, held.data(), self.n * self.itemsize)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.memory.start(), self.n * self.itemsize, False, flags)
        view.itemsize = self.itemsize
        view.shape = &self.n
        view.strides = &self.itemsize
        view.ndim = 1
        view.format = self.format


cdef class ParameterStorage:
    """The parameters of one network. Training and assignments replace the storage instead of
    overwriting it, so that arrays of the old storage keep their values.

    Attributes
    ----------
    storage : Storage
        The memory that the kernels read and train.
    input_scale : float or None
        The scale of the inputs last trained on; predictors read it.
    is_training : bool
        Whether a kernel call is training these parameters.
    lists : dict
        The current lists of arrays that have been returned to programs, by name. The ``owner`` of
        a list becomes None when it is replaced.
    """
    cdef readonly Storage storage
    cdef readonly dict lists
    cdef public object input_scale
    cdef object trainer  # identifies the call that is training; None if there is none
    cdef object _values

    def __cinit__(self, sizes, dtype, *args):
        cdef Shape shape = Shape(sizes, "sigmoid", None)
        cdef str name = real_name(dtype)
        self.lists = {}
        self.storage = Storage(shape.n_parameters(ITEM_SIZES[name]), name)

    @property
    def values(self):
        """The storage as an array, (parameters,)."""
        cdef Storage storage = self.storage
        values = self._values
        if values is None:
            values = np.asarray(storage)
            if storage is self.storage:  # not replaced meanwhile
                self._values = values
        return values

    @property
    def is_training(self):
        return self.trainer is not None

    def check_not_training(self):
        """Raise a RuntimeError while a kernel call trains these parameters."""
        if self.trainer is not None:
            raise RuntimeError("the network is being trained: expected a change before or after "
                               "the training, or in one of its callbacks")

    def new_storage(self):
        """A storage of zeros, for ``replace``."""
        return Storage(self.storage.n, self.storage.dtype)

    def register_list(self, Storage storage, str name, made):
        """Register the list ``made``, whose arrays are views of ``storage``, unless another thread
        has registered one of that name; returns the registered list, or None if the storage was
        replaced meanwhile. During a training the arrays are read-only until it ends."""
        if storage is not self.storage:
            return None
        if name not in self.lists and self.trainer is not None:
            set_writeable(made, False)
        return self.lists.setdefault(name, made)

    def replace(self, Storage new not None, dict updated, kept=()):
        """Replace the storage by ``new``, after copying the ranges ``kept``, pairs (start, end),
        from the old one. Arrays of the old storage become read-only. The lists named in
        ``updated`` get those arrays as elements, the others become obsolete."""
        cdef Py_ssize_t start, end, size = new.itemsize
        cdef Storage before = self.storage
        self.check_not_training()
        if new.n != before.n or new.dtype != before.dtype:
            raise ValueError(f"new: expected {before.n} of {before.dtype}, got {new.n} of "
                             f"{new.dtype}")
        for start, end in kept:
            if not 0 <= start <= end <= new.n:
                raise ValueError(f"kept: expected ranges within 0 to {new.n}, got {start} to {end}")
            memcpy(new.memory.first + start * size, before.memory.first + start * size,
                   (end - start) * size)
        self.set_storage(new, updated)

    def restore(self, values, trainer=None):
        """Set the parameters to ``values``, (parameters,), in new storage; all lists become
        obsolete. The call that is training passes its ``trainer``; if no list refers to its
        storage, the storage is overwritten instead."""
        if trainer is None or trainer is not self.trainer:
            self.check_not_training()
        elif not self.lists:
            self.storage.fill(values)
            return
        self.set_storage(Storage(self.storage.n, self.storage.dtype, values), None)

    def begin_training(self, trainer not None):
        """Copy the values to new storage, and refuse all other changes until ``end_training`` is
        called with the same ``trainer``. Returns the old storage."""
        cdef Storage before
        if self.trainer is not None:
            self.check_not_training()
        self.trainer = trainer
        try:
            before = self.storage
            self.set_storage(Storage(before.n, before.dtype, before), None)
        except BaseException:
            self.trainer = None
            raise
        return before

    def end_training(self, trainer not None):
        """Allow changes again; has no effect if another ``trainer`` is training."""
        if self.trainer is trainer:
            self.trainer = None
            for arrays in self.lists.values():
                set_writeable(arrays, True)

    cdef set_storage(self, Storage new, dict updated):
        cdef dict current = self.lists
        self.storage, self._values = new, None
        if not current:
            return
        self.lists = {}
        for name, arrays in current.items():
            set_writeable(arrays, False)
            if updated is not None and name in updated:
                PyList_SetSlice(arrays, 0, len(arrays), updated[name])
                self.lists[name] = arrays
            else:
                arrays.owner = None


cdef set_writeable(arrays, bint writeable):
    for array in arrays:
        array.flags.writeable = writeable
