"""Compressed rows, which store the non-zero inputs only: made from dense rows or from CSR."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastnet.core import _kernels, checks, memmap, single_flight
from fastnet.data import index_arrays, scipy_matrices

# Padding after the values, in elements of one byte or more: the kernels load whole vectors.
_SLACK = _kernels.BYTES_AFTER_VALUES

_LARGEST = 2**31 - 1  # features


class Compressed:
    """Compressed rows: only non-zero values are stored, row after row, in ascending columns.

    Made by ``Dataset`` and ``Dataset.from_csr``, which check what the kernels rely on; it has
    no constructor of its own. ``rows[10:20]`` shares all values; ``rows[[3, 1]]`` copies;
    ``rows[3]`` is one row, dense. Attributes cannot be assigned, and the arrays are read-only;
    only ``values`` may share memory with an array of the user.

    Attributes
    ----------
    values : 1-D, of uint8, float32 or float64
    offsets : (n + 1,) int64
        Row s is ``values[offsets[s]:offsets[s + 1]]``.
    columns : 1-D, of uint16, or uint32 where n_in > 65,536; or None
        The column of each value, as in compressed sparse rows (CSR).
    masks : (n, ceil(n_in / 64)) uint64, or None
        The columns as bit masks: bit j % 64 of word j // 64 is set if input j is stored.
    shape : (n, n_in)
    longest : int
        The number of values in the longest row.
    """

    __slots__ = ("__weakref__", "_arrays", "_owner", "_values")

    _arrays: _kernels.CompressedArrays
    _values: NDArray
    _owner: weakref.ref[NDArray]  # of the values' memory

    def __init__(self, *args: Any, **kwargs: Any):
        raise TypeError("Compressed: expected a call of Dataset.from_csr, got one of the class")

    @classmethod
    def _of(cls, values: Any, offsets: Any, columns: Any, masks: Any, n_in: Any) -> Compressed:
        """From the arrays of a pickle or a copy, which are checked."""
        n_in = checks.integer("n_in", n_in, 1)
        given = {"values": values, "offsets": offsets, "columns": columns, "masks": masks}
        for name, array in given.items():
            optional = name in ("columns", "masks") and array is None
            plain = isinstance(array, np.ndarray) and checks.is_plain(array)
            if not optional and not plain:
                raise TypeError(f"{name}: expected an array, got {checks.short_repr(array)}")
        columns = None if columns is None else columns.copy()
        masks = None if masks is None else masks.copy()
        made = _build(values, offsets.copy(), columns, masks, n_in)
        row = made._arrays.first_invalid_row()
        if row is not None:
            raise ValueError(
                f"columns, masks: expected ascending columns from 0 to {n_in - 1}, as many as "
                f"values, got others in row {row}"
            )
        return made

    @property
    def arrays(self) -> _kernels.CompressedArrays:
        """The checked arrays that the kernels read."""
        return self._arrays

    # Each of these properties returns a new array object: changing its flags has no effect here.

    @property
    def values(self) -> NDArray:
        return np.asarray(self._arrays.values)

    @property
    def offsets(self) -> NDArray:
        arrays = self._arrays
        return np.asarray(arrays.offsets)[arrays.first : arrays.first + arrays.n + 1]

    @property
    def columns(self) -> NDArray | None:
        columns = self._arrays.columns
        return None if columns is None else np.asarray(columns)

    @property
    def masks(self) -> NDArray | None:
        arrays = self._arrays
        if arrays.masks is None:
            return None
        return np.asarray(arrays.masks)[arrays.first : arrays.first + arrays.n]

    @property
    def shape(self) -> tuple[int, int]:
        return self._arrays.n, self._arrays.n_in

    @property
    def longest(self) -> int:
        return self._arrays.longest

    @property
    def dtype(self) -> np.dtype:
        """The type of the values."""
        return self._values.dtype

    @property
    def stored(self) -> NDArray:
        """The values of these rows alone; ``values`` may include those of others."""
        offsets = self.offsets
        return self.values[offsets[0] : offsets[-1]]

    @property
    def nbytes(self) -> int:
        """The memory that these rows take."""
        stored, columns, masks = self.stored, self.columns, self.masks
        size = self.offsets.nbytes + stored.nbytes
        if columns is not None:
            size += stored.size * columns.itemsize
        return size if masks is None else size + masks.nbytes

    @property
    def density(self) -> float:
        """The share of the inputs that are stored."""
        n, n_in = self.shape
        return self.stored.size / max(1, n * n_in)

    def __len__(self) -> int:
        return self._arrays.n

    def mapping(self, name: str) -> memmap.Mapping | None:
        """The mapping of the values if they are a memory map."""
        return memmap.mapping(name, self._values)

    def __getitem__(self, which: Any) -> Any:
        n, n_in = self.shape
        if isinstance(which, slice) and which.indices(n)[2] == 1:
            first, end, _ = which.indices(n)
            return _wrap(self._values, self._arrays.part(first, max(first, end)), self._owner)
        if isinstance(which, (int, np.integer)):  # without an array of n indices
            return self._dense(checks.index("rows", which, n))
        chosen = np.arange(n)[which]
        if chosen.ndim == 0:
            return self._dense(int(chosen))
        if chosen.ndim != 1:
            raise IndexError(f"rows: expected indices (k,), got shape {chosen.shape}")
        starts, columns, masks = self.offsets, self.columns, self.masks
        counts = np.diff(starts)[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        at = np.arange(offsets[-1]) + np.repeat(starts[chosen] - offsets[:-1], counts)
        values = np.empty(len(at) + _SLACK, self.dtype)
        values[: len(at)] = self._values[at]
        columns = None if columns is None else columns[at]
        masks = None if masks is None else masks[chosen]
        return _build(values, offsets, columns, masks, n_in)

    def _dense(self, s: int) -> NDArray:
        """Row s with its zeros."""
        offsets, columns, masks = self.offsets, self.columns, self.masks
        stored = slice(offsets[s], offsets[s + 1])
        row = np.zeros(self.shape[1], self.dtype)
        if columns is not None:
            row[columns[stored]] = self._values[stored]
        if masks is not None:
            bits = np.unpackbits(masks[s].astype("<u8").view(np.uint8), bitorder="little")
            row[bits[: len(row)].astype(bool)] = self._values[stored]
        return row

    def __reduce__(self) -> tuple[Any, tuple]:
        """A pickle or a copy has these rows alone, and the padding that the kernels may read."""
        offsets, columns = self.offsets, self.columns
        first, end = offsets[0], offsets[-1]
        return Compressed._of, (
            self.values[first : end + _SLACK],
            offsets - first,
            None if columns is None else columns[first:end],
            self.masks,
            self.shape[1],
        )


def _wrap(
    values: NDArray, arrays: _kernels.CompressedArrays, owner: weakref.ref[NDArray]
) -> Compressed:
    made = Compressed.__new__(Compressed)
    made._values, made._arrays, made._owner = values, arrays, owner
    return made


def _build(
    values: NDArray,
    offsets: NDArray,
    columns: NDArray | None,
    masks: NDArray | None,
    n_in: int,
) -> Compressed:
    """From arrays to which the caller keeps no reference, except to ``values``. If columns or masks
    were not made by this module, the caller must check ``first_invalid_row`` of the arrays."""
    values = checks.read_only(checks.aligned(np.asarray(values)))
    arrays = _kernels.CompressedArrays(values, offsets, columns, masks, n_in)
    return _wrap(values, arrays, checks.unresized(values))


def with_values(X: Compressed, stored: NDArray) -> Compressed:
    """Compressed rows with columns like X, with other values in place of ``X.stored``."""
    offsets, columns = X.offsets, X.columns
    assert columns is not None
    values = np.empty(len(stored) + _SLACK, stored.dtype)
    values[: len(stored)] = stored
    first, end = offsets[0], offsets[-1]
    return _build(values, offsets - first, columns[first:end].copy(), None, X.shape[1])


def columns_dtype(n_in: int) -> type:
    return np.uint16 if n_in <= 1 << 16 else np.uint32


PIECE_BYTES = 16_000_000


def pieces(array: NDArray) -> Iterator[slice]:
    """Slices of rows that take about 20 ms each: Ctrl-C is handled between them, and a memory map
    larger than memory is read once."""
    step = max(1, PIECE_BYTES // max(1, math.prod(array.shape[1:]) * array.itemsize))
    for first in range(0, len(array), step):
        yield slice(first, min(first + step, len(array)))
        single_flight.report_piece(array)


def max_abs_and_count(X: NDArray) -> tuple[float, int]:
    """The largest absolute value of float32 or float64 numbers, and the number of non-zero ones.
    The first is not finite if a number is not, and then the second is meaningless."""
    if X.nbytes <= PIECE_BYTES:
        return _kernels.max_abs_and_count(np.ascontiguousarray(X).reshape(-1))
    largest, nonzero = 0.0, 0
    for rows in pieces(X):
        found, n = _kernels.max_abs_and_count(np.ascontiguousarray(X[rows]).reshape(-1))
        if not math.isfinite(found):
            return found, 0
        largest, nonzero = max(largest, found), nonzero + n
    return largest, nonzero


def count(X: NDArray) -> int:
    """The number of non-zero elements."""
    if X.dtype != np.uint8:
        return max_abs_and_count(X)[1]
    return sum(int(np.count_nonzero(X[rows])) for rows in pieces(X))


def compress(
    X: NDArray, form: str, stored: int | None = None, dtype: DTypeLike | None = None
) -> Compressed:
    """The dense X, (n, n_in), compressed.

    form : "columns" or "masks"
    stored : the number of non-zero inputs; None, or a number that is too small: they are counted
    dtype : of the values; None: X's own; float32 is possible for float64
    """
    values_dtype = np.dtype(dtype or X.dtype)
    made = None if stored is None else _filled(X, form, stored, values_dtype)
    if made is None:
        made = _filled(X, form, count(X), values_dtype)
    if made is None:
        raise RuntimeError(
            "X: expected an array that does not change, got more non-zero inputs than before"
        )
    return made


def _filled(X: NDArray, form: str, stored: int, dtype: np.dtype) -> Compressed | None:
    """X compressed, or None if more than ``stored`` inputs are not zero."""
    n, n_in = X.shape
    offsets = np.zeros(n + 1, np.int64)
    values = np.empty(stored + _SLACK, dtype)
    columns: NDArray | None = None
    masks: NDArray | None = None
    if form == "columns":
        columns = np.empty(stored, columns_dtype(n_in))
    if form == "masks":
        masks = np.empty((n, -(-n_in // 64)), np.uint64)
    for rows in pieces(X):
        fitted = _kernels.compress(
            X[rows],
            offsets[rows.start : rows.stop + 1],
            values[:stored],
            columns,
            None if masks is None else masks[rows],
        )
        if not fitted:
            return None
    return _build(values, offsets, columns, masks, n_in)


# ---- from CSR


class Sparse(Protocol):
    """A matrix or array of scipy.sparse, in any format; scipy need not be installed."""

    def tocsr(self) -> Any: ...


def is_sparse(X: Any) -> TypeGuard[Any]:
    """Whether X is Compressed or ``Sparse``."""
    return isinstance(X, Compressed) or hasattr(X, "tocsr")


def from_sparse(name: str, X: Any) -> Compressed:
    """X, for which ``is_sparse`` is true, as compressed rows. All is checked except whether the
    values are finite."""
    if len(X.shape) != 2:
        raise ValueError(f"{name}: expected shape (n, n_in), got {X.shape}")
    if 0 in X.shape:
        raise ValueError(
            f"{name}: expected at least one example and one feature, got shape {X.shape}"
        )
    if isinstance(X, Compressed):
        if X.columns is None:
            raise ValueError(f"{name}: expected compressed rows with columns, got masks")
        memmap.check(name, X._values)
        return X
    n_in = X.shape[1]
    arrays = scipy_matrices.checked_arrays(f"{name}.", X)
    made, row = _of_csr(f"{name}.", *arrays, n_in)
    if row is not None:
        made, row = _of_csr(f"{name}.", *scipy_matrices.in_order(*arrays, n_in), n_in)
    if row is not None:
        raise ValueError(
            f"{name}.indices: expected ascending columns in each row, got others in row {row}"
        )
    return made


def from_arrays(data: Any, indices: Any, indptr: Any, n_in: int) -> Compressed:
    """Compressed rows from CSR arrays, which are checked, except that the values may not be
    finite."""
    n_in = checks.integer("n_in", n_in, 1)
    values = index_arrays.vector("data", data)
    columns = index_arrays.integers("indices", indices)
    offsets = np.array(index_arrays.integers("indptr", indptr))
    if len(columns) != len(values):
        raise ValueError(f"indices: expected as many as data, {len(values)}, got {len(columns)}")
    index_arrays.check_offsets("indptr", offsets)
    if offsets[-1] != len(values):
        raise ValueError(
            f"indptr: expected the number of data, {len(values)}, as the last entry, "
            f"got {offsets[-1]}"
        )
    index_arrays.check_range("indices", columns, n_in)
    made, row = _of_csr("", values, columns, offsets, n_in)
    if row is not None:
        index_arrays.check_ascending("indices", columns, offsets)
        raise ValueError(
            f"indices: expected ascending columns in each row, got others in row {row}"
        )
    return made


def _of_csr(
    prefix: str, data: NDArray, indices: NDArray, indptr: NDArray, n_in: int
) -> tuple[Compressed, int | None]:
    """Compressed rows, and their first row whose columns are invalid, or None.

    indices and indptr are copied before they are checked, since another thread may change the
    user's arrays."""
    values = checks.numbers(f"{prefix}data", data)
    if n_in > _LARGEST:
        raise ValueError(f"n_in: expected at most {_LARGEST}, got {n_in}")
    made = _build(
        np.require(values, None, ["C", "ALIGNED"]),
        indptr.astype(np.int64),
        indices.astype(columns_dtype(n_in)),
        None,
        n_in,
    )
    return made, made._arrays.first_invalid_row()
