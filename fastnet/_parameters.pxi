"""Part of _kernels.pyx: the memory of a network's parameters, which training replaces.

What changes a network's parameters is one call of this file's functions: neither the handler of a
signal nor another thread comes in between, and what interrupts a program does so before or after.
"""

@final
cdef class Storage:
    """The parameters of a network as they are at one time: a flat array that starts at a cache
    line, laid out as ``layout`` says. Other code sees it through the buffer protocol."""
    cdef Workspace memory
    cdef readonly Py_ssize_t n
    cdef Py_ssize_t itemsize
    cdef Py_ssize_t exports  # arrays that show it
    cdef str dtype
    cdef bytes format

    def __cinit__(self, Py_ssize_t n, str dtype, source=None):
        """n numbers of type dtype: those of ``source``, (n,) of the same type, or zeros."""
        if n < 0 or dtype not in REAL:
            raise ValueError(f"n, dtype: expected 0 or more of {REAL}, got {n} of {dtype}")
        self.n, self.dtype = n, dtype
        self.itemsize = ITEM_SIZES[dtype]
        self.format = b"f" if dtype == "float32" else b"d"
        self.memory = Workspace(n * self.itemsize, source is None)
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
        self.exports += 1

    def __releasebuffer__(self, Py_buffer *view):
        self.exports -= 1


# A storage of so many bytes at most is kept for the next call that trains: its memory is in the
# caches, where new memory of a size near that of the second-level cache finds no good place
# (Adam on [784, 100, 10]: 1.06 of the time).
cdef Py_ssize_t LARGEST_SPARE = 1 << 20


cdef class ParameterStorage:
    """The parameters of one network in a storage that is replaced, never written over, where
    training or an assignment gives them new values: what was taken from the one before keeps
    its values.

    Attributes
    ----------
    storage : Storage
        What the kernels read and train.
    input_scale : float or None
        The scale of the inputs last trained on; predictors ask for it.
    is_training : bool
        Whether a call of the kernels is training these parameters.
    lists : dict
        The lists of arrays that have been handed out, by name; their ``_owner`` becomes None when
        they are replaced.
    """
    cdef readonly Storage storage
    cdef readonly dict lists
    cdef public object input_scale
    cdef object trainer  # of the call that trains, or None
    cdef Storage spare  # that nothing shows any more, or None
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
        """Raise a RuntimeError while a call of the kernels trains these parameters."""
        if self.trainer is not None:
            raise RuntimeError("the network is being trained: expected a change of it before or "
                               "after the training, or in one of its callbacks")

    def new_storage(self):
        """A storage of zeros, for ``replace``."""
        return Storage(self.storage.n, self.storage.dtype)

    def hand_out(self, Storage storage, str name, made):
        """Keep the list ``made``, whose arrays are views of ``storage``, unless there is one of
        that name by now; returns the one that is kept, or None where the storage was replaced
        meanwhile. Arrays that are handed out during a training are read-only until it ends."""
        if storage is not self.storage:
            return None
        if name not in self.lists and self.trainer is not None:
            set_writeable(made, False)
        return self.lists.setdefault(name, made)

    def replace(self, Storage new not None, dict shown, kept=()):
        """Take the storage ``new``; ``kept``, pairs (start, end), are the parts of the present one
        that are copied to it. What was handed out becomes read-only. The lists named in
        ``shown`` get those arrays as elements, the others are replaced."""
        cdef Py_ssize_t start, end, size = new.itemsize
        cdef Storage before = self.storage
        self.check_not_training()
        if new.n != before.n or new.dtype != before.dtype:
            raise ValueError(f"new: expected {before.n} of {before.dtype}, got {new.n} of {new.dtype}")
        for start, end in kept:
            if not 0 <= start <= end <= new.n:
                raise ValueError(f"kept: expected parts of 0 to {new.n}, got {start} to {end}")
            memcpy(new.memory.first + start * size, before.memory.first + start * size,
                   (end - start) * size)
        self.take(new, shown)

    def restore(self, values, trainer=None):
        """Take these values, (parameters,), in new storage, and new lists; ``trainer``: of the
        call that trains, whose storage is written over if nobody has seen it."""
        if trainer is None or trainer is not self.trainer:
            self.check_not_training()
        elif not self.lists:
            self.storage.fill(values)
            return
        self.take(Storage(self.storage.n, self.storage.dtype, values), None)

    def begin_training(self, trainer not None):
        """Take new storage with the same values, and let nobody else change the parameters until
        ``end_training`` is called with the same object; returns the storage before."""
        cdef Storage before
        if self.trainer is not None:
            self.check_not_training()
        self.trainer = trainer
        try:
            before = self.storage
            self.take(self.copied(before), None)
        except BaseException:
            self.trainer = None
            raise
        return before

    cdef Storage copied(self, Storage source):
        cdef Storage new = self.spare
        self.spare = None
        if new is None or new.exports:
            return Storage(source.n, source.dtype, source)
        new.fill(source)
        return new

    def end_training(self, trainer not None, Storage before=None):
        """Without effect where ``trainer`` is not the one that trains. ``before``, what
        ``begin_training`` returned, may be written over by the next call unless an array shows
        it."""
        if self.trainer is trainer:
            self.trainer = None
            if (before is not None and before.exports == 0
                    and before.n * before.itemsize <= LARGEST_SPARE):
                self.spare = before
            for arrays in self.lists.values():
                set_writeable(arrays, True)

    cdef take(self, Storage new, dict shown):
        cdef dict handed_out = self.lists
        self.storage, self._values = new, None
        if not handed_out:
            return
        self.lists = {}
        for name, arrays in handed_out.items():
            set_writeable(arrays, False)
            if shown is not None and name in shown:
                PyList_SetSlice(arrays, 0, len(arrays), shown[name])
                self.lists[name] = arrays
            else:
                arrays._owner = None


cdef set_writeable(arrays, bint writeable):
    for array in arrays:
        array.flags.writeable = writeable
