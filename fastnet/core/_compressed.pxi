"""Part of _kernels.pyx: the arrays of compressed rows, checked before C reads them."""

cdef int64_t LARGEST_WIDTH = 2 ** 31 - 1


cdef inline uint32_t column_at(const void *columns, fn_type type, int64_t k) noexcept nogil:
    if type == FN_U16:
        return (<const uint16_t *>columns)[k]
    return (<const uint32_t *>columns)[k]


@cython.final
@cython.no_gc  # as for Array
cdef class CompressedArrays:
    """The checked arrays of compressed rows, constant except for the numbers in ``values``.

    values : 1-D, of uint8, float32 or float64
    offsets : (n + 1,) int64
    columns : 1-D, of uint16 or uint32; or None
    masks : (n, ceil(n_in / 64)) uint64, or None; exactly one of columns and masks is given
    n_in : int

    The constructor checks the lengths and the offsets. The caller must make sure that columns and
    masks are valid, or check ``first_invalid_row``, and must not write to offsets, columns and
    masks afterwards. ``first`` is the row of the arrays at which these rows start (0, but for a
    ``part``).
    """
    cdef readonly Array values
    cdef readonly Array offsets
    cdef readonly Array columns
    cdef readonly Array masks
    cdef readonly size_t first
    cdef readonly size_t n
    cdef readonly size_t n_in
    cdef readonly size_t longest

    def __cinit__(self, values, offsets, columns, masks, n_in):
        if values is None:  # made by ``part``, which sets the attributes
            return
        if not 1 <= n_in <= LARGEST_WIDTH:
            raise ValueError(f"n_in: expected from 1 to {LARGEST_WIDTH}, got {n_in}")
        if (columns is None) == (masks is None):
            raise ValueError("columns, masks: expected one of the two, got both or none")
        self.n_in = n_in
        self.values = vector("values", values, INPUTS)
        self.offsets = vector("offsets", offsets, ("int64",))
        if self.offsets.length(0) == 0:
            raise ValueError("offsets: expected one entry more than there are rows, got no entry")
        self.n = self.offsets.length(0) - 1
        self.check_offsets()
        cdef int64_t end = self.starts()[self.n]
        cdef size_t capacity = self.values.length(0)
        if columns is not None:
            self.columns = vector("columns", columns, ("uint16", "uint32"))
            capacity = min(capacity, self.columns.length(0))
        else:
            self.masks = Array("masks", masks, 2, ("uint64",))
            self.masks.expect("masks", (self.n, fn_words(self.n_in)))
            self.masks.expect_contiguous("masks")
            capacity -= min(capacity, FN_BYTES_AFTER_VALUES // self.values.view.itemsize)
        if <size_t>end > capacity:
            raise ValueError(f"offsets: expected entries from 0 to {capacity}, got {end}")

    cdef const int64_t *starts(self) noexcept nogil:
        return <const int64_t *>self.offsets.data() + self.first

    cdef const uint64_t *words(self) noexcept nogil:
        return <const uint64_t *>self.masks.data() + self.first * fn_words(self.n_in)

    cdef check_offsets(self):
        """Check that the offsets do not descend, and find the longest row."""
        cdef const int64_t *starts = self.starts()
        cdef int64_t longest = 0
        cdef size_t s
        if starts[0] < 0:
            raise ValueError(f"offsets: expected 0 or more, got {starts[0]}")
        for s in range(self.n):
            if starts[s + 1] < starts[s]:
                raise ValueError(f"offsets: expected entries that do not descend, got "
                                 f"{starts[s + 1]} after {starts[s]}")
            longest = max(longest, starts[s + 1] - starts[s])
        self.longest = longest

    def first_invalid_row(self):
        """The index of the first invalid row, or None. A row is invalid if its columns do not
        ascend strictly from 0 to below n_in, if its masks have a bit at n_in or above, or if they
        have more or fewer bits than the row has values."""
        cdef size_t row
        if self.values is None:
            return None
        with nogil:
            row = self.count_valid_columns() if self.masks is None else self.count_valid_masks()
        return None if row == self.n else row

    cdef size_t count_valid_columns(self) noexcept nogil:
        """The number of rows before the first one with invalid columns."""
        cdef const int64_t *starts = self.starts()
        cdef const void *columns = self.columns.data()
        cdef fn_type type = self.columns.type()
        cdef size_t s
        cdef int64_t k, column, last, valid = 1
        for s in range(self.n):
            last = -1
            for k in range(starts[s], starts[s + 1]):
                column = column_at(columns, type, k)
                valid &= column > last
                last = column
            if not valid or last >= <int64_t>self.n_in:
                return s
        return self.n

    cdef size_t count_valid_masks(self) noexcept nogil:
        """The number of rows before the first one with invalid masks."""
        cdef const int64_t *starts = self.starts()
        cdef const uint64_t *words = self.words()
        cdef size_t s, word, n_words = fn_words(self.n_in)
        cdef int64_t count
        cdef uint64_t out_of_range = 0
        if self.n_in % 64:
            out_of_range = ~<uint64_t>0 << self.n_in % 64
        for s in range(self.n):
            count = 0
            for word in range(n_words):
                count += __builtin_popcountll(words[word])
            if words[n_words - 1] & out_of_range or count != starts[s + 1] - starts[s]:
                return s
            words += n_words
        return self.n

    def part(self, size_t first, size_t end):
        """The rows from ``first`` to ``end``, in the same arrays."""
        if not first <= end <= self.n:
            raise ValueError(f"rows: expected from 0 to {self.n}, got {first} to {end}")
        cdef CompressedArrays made = CompressedArrays(None, None, None, None, None)
        made.values, made.offsets = self.values, self.offsets
        made.columns, made.masks = self.columns, self.masks
        made.n_in, made.first, made.n = self.n_in, self.first + first, end - first
        made.check_offsets()
        return made
