"""Part of _kernels.pyx: the memory of a network's parameters, which training replaces."""

@final
cdef class Storage:
    """The parameters of a network as they are at one time: a flat array that starts at a cache
    line, laid out as ``layout`` says. Other code sees it through the buffer protocol."""
    cdef Workspace memory
    cdef readonly Py_ssize_t n
    cdef Py_ssize_t itemsize
    cdef str dtype
    cdef bytes format

    def __cinit__(self, Py_ssize_t n, str dtype, Storage source=None):
        """n numbers of type dtype: those of ``source``, or zeros."""
        self.n, self.dtype = n, dtype
        self.itemsize = ITEM_SIZES[dtype]
        self.format = b"f" if dtype == "float32" else b"d"
        self.memory = Workspace(n * self.itemsize, source is None)
        if source is not None:
            memcpy(self.memory.start(), source.memory.start(), n * self.itemsize)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.memory.start(), self.n * self.itemsize, False, flags)
        view.itemsize = self.itemsize
        view.shape = &self.n
        view.strides = &self.itemsize
        view.ndim = 1
        view.format = self.format


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
        The lists that have been handed out; ``replace_lists`` of a subclass sees to them.
    """
    cdef readonly Storage storage
    cdef readonly dict lists
    cdef readonly bint is_training
    cdef public object input_scale
    cdef object _values

    def __cinit__(self, sizes, dtype, *args):
        cdef Shape shape = Shape(sizes, "sigmoid", None)
        cdef str name = real(dtype).name
        self.lists = {}
        self.storage = Storage(shape.n_parameters(ITEM_SIZES[name]), name)

    @property
    def values(self):
        """The storage as an array, (parameters,)."""
        values, storage = self._values, self.storage
        if values is None:
            values = np.asarray(storage)
            if storage is self.storage:  # no other thread has moved it
                self._values = values
        return values

    def check_not_training(self):
        """Raise a RuntimeError while a call of the kernels trains these parameters."""
        if self.is_training:
            raise RuntimeError("the network is being trained: expected a change of it before or "
                               "after the training, or in one of its callbacks")

    cpdef Storage move(self):
        """Take a new storage with the same values; returns the one before."""
        cdef Storage before = self.storage
        self.storage = Storage(before.n, before.dtype, before)
        self._values = None
        return before

    def begin_training(self):
        """Move, and let nobody else change the parameters until ``end_training``; returns the
        storage before, from which they can be restored."""
        if self.is_training:
            self.check_not_training()
        before = self.move()
        if self.lists:
            self.replace_lists()
        self.is_training = True
        return before

    def end_training(self):
        self.is_training = False
