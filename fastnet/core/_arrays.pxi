"""Part of _kernels.pyx: checked arrays, and memory for the kernels."""

cdef dict TYPE_NAMES = {"B": "uint8", "H": "uint16", "I": "uint32", "f": "float32", "d": "float64",
                        "l": "int64", "q": "int64", "L": "uint64", "Q": "uint64"}

cdef dict TYPES = {"uint8": FN_U8, "uint16": FN_U16, "uint32": FN_U32, "float32": FN_F32,
                   "float64": FN_F64, "int64": FN_I64, "uint64": FN_I64}  # FN_I64 stands for both

cdef dict ITEM_SIZES = {name: np.dtype(name).itemsize for name in TYPES}


@cython.final
@cython.no_gc  # so that gc.get_referents does not return the original array
cdef class Array:
    """A checked array, which this object keeps alive. The object exports the memory read-only, so
    that an array made from it cannot be used to change the original one."""
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
                or (ndim and self.view.itemsize != ITEM_SIZES[self.dtype])):
            raise TypeError(f"{name}: expected a {ndim}-dimensional array of {' or '.join(dtypes)}, "
                            f"got {self.view.ndim} dimensions of {self.dtype}")
        self.code = TYPES[self.dtype]
        if self.view.shape[ndim - 1] > 1 and self.view.strides[ndim - 1] != self.view.itemsize:
            raise ValueError(f"{name}: expected contiguous rows, got elements "
                             f"{self.view.strides[ndim - 1]} bytes apart")
        if ndim == 2 and self.view.shape[0] > 1 and self.view.strides[0] < 0:
            raise ValueError(f"{name}: expected rows in ascending order, got a step of "
                             f"{self.view.strides[0]} bytes")
        if <uintptr_t>self.view.buf % self.view.itemsize:
            raise ValueError(f"{name}: expected elements aligned to their size, "
                             f"got unaligned ones")

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        if flags & PyBUF_WRITABLE or flags & PyBUF_STRIDES != PyBUF_STRIDES:
            raise BufferError(f"flags: expected a read-only buffer with strides, got {flags:#x}")
        buffer.buf = self.view.buf
        buffer.obj = self
        buffer.len = self.view.len
        buffer.itemsize = self.view.itemsize
        buffer.readonly = 1
        buffer.ndim = self.view.ndim
        buffer.format = self.view.format if flags & PyBUF_FORMAT else NULL
        buffer.shape = self.view.shape
        buffer.strides = self.view.strides
        buffer.suboffsets = NULL
        buffer.internal = NULL

    cdef void *data(self) noexcept nogil:
        return self.view.buf

    cdef size_t length(self, int axis) noexcept nogil:
        return self.view.shape[axis]

    cdef fn_type type(self) noexcept nogil:
        return self.code

    cdef Array expect(self, str name, tuple shape):
        cdef tuple got = tuple([self.view.shape[i] for i in range(self.view.ndim)])
        if got != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {got}")
        return self

    cdef Array expect_contiguous(self, str name):
        """Check that a 2-D array has no gaps between its rows."""
        cdef size_t row = self.length(1) * self.view.itemsize
        if self.length(0) > 1 and <size_t>self.view.strides[0] != row:
            raise ValueError(f"{name}: expected a contiguous array, got rows "
                             f"{self.view.strides[0]} bytes apart, not {row}")
        return self

    cdef Array expect_padded(self, str name, array):
        cdef size_t stride = fn_stride(self.length(1), self.view.itemsize) * self.view.itemsize
        if not self.length(0) or not self.length(1):
            raise ValueError(f"{name}: expected at least one row and one column, "
                             f"got {self.length(0)} x {self.length(1)}")
        if array.strides[0] != stride:  # also for a single row, since its pad may be written
            raise ValueError(f"{name}: expected rows {stride} bytes apart, got {array.strides[0]}")
        if <uintptr_t>self.view.buf % 64:  # a slice of columns would have its pads in the next row
            raise ValueError(f"{name}: expected rows that start at cache lines, "
                             f"got a start {<uintptr_t>self.view.buf % 64} bytes after one")
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


cdef dict REAL_TYPES = {key: np.dtype(name) for name in REAL for key in (name, np.dtype(name))}


cdef real(dtype):
    """float32 or float64, checked."""
    if type(dtype) is str or isinstance(dtype, np.dtype):
        found = REAL_TYPES.get(dtype)
        if found is not None:
            return found
    if np.dtype(dtype).name not in REAL:
        raise TypeError(f"dtype: expected one of {', '.join(REAL)}; got {dtype!r}")
    return np.dtype(dtype)


cdef str real_name(dtype):
    """The name of ``real(dtype)``, without ``numpy.dtype.name``, which takes a microsecond."""
    return TYPE_NAMES[real(dtype).char]


def padded(m, n, dtype):
    """A zeroed (m, n) array whose rows start at cache lines, with a pad after each."""
    dtype = real(dtype)
    stride = fn_stride(n, dtype.itemsize)
    return aligned(m * stride, dtype).reshape(m, stride)[:, :n]


def aligned(length, dtype):
    """A zeroed 1-D array that starts at a cache line."""
    dtype = real(dtype)
    raw = np.zeros(length * dtype.itemsize + 64, np.uint8)
    cdef unsigned char[::1] memory = raw
    start = -<uintptr_t>&memory[0] % 64
    return raw[start:start + length * dtype.itemsize].view(dtype)


cdef object new_array = np.empty, new_zeros = np.zeros, BYTE = np.dtype(np.uint8)


@final
cdef class Workspace:
    """Memory for the kernels, aligned to a cache line and zeroed by default. NumPy allocates it,
    since it requests huge pages for large arrays."""
    cdef object memory
    cdef char *first

    def __cinit__(self, size_t size, bint zeroed=True, size_t offset=0):
        """size : bytes; offset : unused bytes before them, a multiple of 64."""
        cdef Py_buffer view
        try:
            self.memory = (new_zeros if zeroed else new_array)(offset + size + 64, BYTE)
        except MemoryError:
            raise MemoryError(f"workspace: expected {size} bytes of memory, got none") from None
        PyObject_GetBuffer(self.memory, &view, PyBUF_STRIDES)
        self.first = <char *>((<uintptr_t>view.buf + 63) // 64 * 64) + offset
        PyBuffer_Release(&view)  # the memory stays as long as the array does

    cdef void *start(self) noexcept nogil:
        return self.first
