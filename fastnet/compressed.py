"""Inputs of which only what is not zero is stored: made from dense rows, or given as CSR."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastnet import _kernels, checks

# Behind the values: the kernels load whole vectors.
_SLACK = 128

_LARGEST = 2**31 - 1  # features


def _kept(array: NDArray) -> NDArray:
    return checks.read_only(checks.aligned(array))


class Compressed:
    """Rows of which only what is not zero is stored, row after row, ascending.

    Made by ``Dataset`` and ``Dataset.from_csr``, which check what the kernels rely on; it has
    no constructor of its own. ``rows[10:20]`` shares all values; ``rows[[3, 1]]`` copies;
    ``rows[3]`` is one row, dense. The arrays are read-only.

    Attributes
    ----------
    values : 1-D, of uint8, float32 or float64
    offsets : (n + 1,) int64
        Row s is ``values[offsets[s]:offsets[s + 1]]``.
    columns : 1-D, of uint16, or uint32 where n_in > 65,536; or None
        Where each value stands in its row: compressed sparse rows (CSR).
    masks : (n, ceil(n_in / 64)) uint64, or None
        The same as bits: bit j % 64 of word j / 64 is set where input j is stored.
    shape : (n, n_in)
    longest : int
        The number of values in the longest row.
    """

    values: NDArray
    offsets: NDArray
    columns: NDArray | None
    masks: NDArray | None
    shape: tuple[int, int]
    longest: int

    def __init__(self, *args: Any, **kwargs: Any):
        raise TypeError("Compressed: expected Dataset.from_csr, got a call of the class")

    @classmethod
    def _of(
        cls,
        values: NDArray,
        offsets: NDArray,
        columns: NDArray | None,
        masks: NDArray | None,
        n_in: int,
    ) -> Compressed:
        """Of arrays that are what the attributes say."""
        made = cls.__new__(cls)
        made.values, made.offsets = _kept(values), _kept(offsets)
        made.columns = None if columns is None else _kept(columns)
        made.masks = None if masks is None else _kept(masks)
        made.shape = len(offsets) - 1, n_in
        made.longest = int(np.diff(offsets).max(initial=0))
        return made

    @property
    def dtype(self) -> np.dtype:
        """The type of the values."""
        return self.values.dtype

    @property
    def stored(self) -> NDArray:
        """The values of these rows alone; ``values`` may be those of more."""
        return self.values[self.offsets[0] : self.offsets[-1]]

    @property
    def nbytes(self) -> int:
        """The memory that these rows take."""
        size = self.offsets.nbytes + self.stored.nbytes
        if self.columns is not None:
            size += self.stored.size * self.columns.itemsize
        return size if self.masks is None else size + self.masks.nbytes

    @property
    def density(self) -> float:
        """The share of the inputs that are stored."""
        n, n_in = self.shape
        return self.stored.size / max(1, n * n_in)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: Any) -> Any:
        n, n_in = self.shape
        if isinstance(which, slice) and which.indices(n)[2] == 1:
            first, end, _ = which.indices(n)
            masks = None if self.masks is None else self.masks[first : max(first, end)]
            offsets = self.offsets[first : max(first, end) + 1]
            return self._of(self.values, offsets, self.columns, masks, n_in)
        if isinstance(which, (int, np.integer)):  # not of n numbers, for one
            return self._dense(checks.index("rows", which, n))
        chosen = np.arange(n)[which]
        if chosen.ndim == 0:
            return self._dense(int(chosen))
        counts = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], counts)
        values = np.empty(len(at) + _SLACK, self.dtype)
        values[: len(at)] = self.values[at]
        columns = None if self.columns is None else self.columns[at]
        return self._of(
            values, offsets, columns, None if self.masks is None else self.masks[chosen], n_in
        )

    def _dense(self, s: int) -> NDArray:
        """Row s with its zeros."""
        stored = slice(self.offsets[s], self.offsets[s + 1])
        row = np.zeros(self.shape[1], self.dtype)
        if self.columns is not None:
            row[self.columns[stored]] = self.values[stored]
        if self.masks is not None:
            bits = np.unpackbits(self.masks[s].astype("<u8").view(np.uint8), bitorder="little")
            row[bits[: len(row)].astype(bool)] = self.values[stored]
        return row

    def __reduce__(self) -> tuple[Any, tuple]:
        """A pickle or a copy holds these rows alone, with what may be read behind them."""
        first, end = self.offsets[0], self.offsets[-1]
        return Compressed._of, (
            self.values[first : end + _SLACK],
            self.offsets - first,
            None if self.columns is None else self.columns[first:end],
            self.masks,
            self.shape[1],
        )


def columns_dtype(n_in: int) -> type:
    return np.uint16 if n_in <= 1 << 16 else np.uint32


def pieces(array: NDArray) -> Iterator[slice]:
    """Rows that are looked at in some 20 ms: Ctrl-C is answered in between, and a memory map
    larger than memory is read once."""
    step = max(1, 16_000_000 // max(1, math.prod(array.shape[1:]) * array.itemsize))
    for first in range(0, len(array), step):
        yield slice(first, min(first + step, len(array)))


def survey(X: NDArray) -> tuple[float, int]:
    """Of float32 or float64: the largest absolute value, or what is not finite; and how many are
    not zero, of no meaning then."""
    largest, others = 0.0, 0
    for rows in pieces(X):
        found, some = _kernels.survey(np.ascontiguousarray(X[rows]).reshape(-1))
        if not math.isfinite(found):
            return found, 0
        largest, others = max(largest, found), others + some
    return largest, others


def count(X: NDArray) -> int:
    """How many are not zero."""
    if X.dtype != np.uint8:
        return survey(X)[1]
    return sum(int(np.count_nonzero(X[rows])) for rows in pieces(X))


def compress(
    X: NDArray, form: str, stored: int | None = None, dtype: DTypeLike | None = None
) -> Compressed:
    """The dense X (n, n_in) with "columns" or with "masks".

    stored: how many inputs are not zero, or None; where there are more, they are counted anew.
    dtype: that of the values, X's own if None; or float32 for float64.
    """
    kind = np.dtype(dtype or X.dtype)
    made = None if stored is None else _filled(X, form, stored, kind)
    if made is None:
        made = _filled(X, form, count(X), kind)
    if made is None:
        raise RuntimeError("X: expected an array that stays as it is, got more that is not zero")
    return made


def _filled(X: NDArray, form: str, stored: int, dtype: np.dtype) -> Compressed | None:
    """X compressed, or None where more than `stored` inputs are not zero."""
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
    return Compressed._of(values, offsets, columns, masks, n_in)


# ---- given as CSR


class Sparse(Protocol):
    """A matrix or array of scipy.sparse, in any format; scipy need not be there."""

    def tocsr(self) -> Any: ...


def is_sparse(X: Any) -> TypeGuard[Any]:
    """Whether X is Compressed or ``Sparse``."""
    return isinstance(X, Compressed) or hasattr(X, "tocsr")


def from_sparse(name: str, X: Any) -> Compressed:
    """What ``is_sparse``, checked, but for whether the values are finite."""
    if len(X.shape) != 2:
        raise ValueError(f"{name}: expected shape (n, n_in), got {X.shape}")
    if 0 in X.shape:
        raise ValueError(
            f"{name}: expected at least one example and one feature, got shape {X.shape}"
        )
    if isinstance(X, Compressed):
        if X.columns is None:
            raise ValueError(f"{name}: expected compressed rows with columns, got masks")
        return X
    X = X.tocsr()
    if not X.has_canonical_format:
        X = X.copy()  # the user's own stays as it is
        X.sum_duplicates()
    end = X.indptr[-1]  # there may be room behind
    return from_arrays(X.data[:end], X.indices[:end], X.indptr, X.shape[1], f"{name}.")


def from_arrays(data: Any, indices: Any, indptr: Any, n_in: int, prefix: str = "") -> Compressed:
    """CSR arrays, checked, but for whether the values are finite."""
    n_in = checks.integer("n_in", n_in, 1)
    if n_in > _LARGEST:
        raise ValueError(f"n_in: expected at most {_LARGEST}, got {n_in}")
    values = checks.numbers(f"{prefix}data", _vector(f"{prefix}data", data))
    columns = _integers(f"{prefix}indices", indices)
    offsets = _integers(f"{prefix}indptr", indptr)
    if len(columns) != len(values):
        raise ValueError(
            f"{prefix}indices: expected as many as data, {len(values)}, got {len(columns)}"
        )
    _check_offsets(f"{prefix}indptr", offsets, len(values))
    _check_columns(f"{prefix}indices", columns, offsets, n_in)
    # Copies of what the kernels find their way by: the caller's may change.
    offsets, columns = np.array(offsets, np.int64), np.array(columns, columns_dtype(n_in))
    return Compressed._of(np.require(values, None, ["C", "ALIGNED"]), offsets, columns, None, n_in)


def _vector(name: str, value: Any) -> NDArray:
    array = checks.array(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one dimension, got shape {array.shape}")
    return array


def _integers(name: str, value: Any) -> NDArray:
    array = _vector(name, value)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    return array if array.size else array.astype(np.int64)  # [] is of float64


def _check_offsets(name: str, offsets: NDArray, stored: int) -> None:
    if len(offsets) < 2:
        raise ValueError(
            f"{name}: expected two or more entries, one more than examples, got {len(offsets)}"
        )
    if offsets[0] != 0:
        raise ValueError(f"{name}: expected 0 as the first entry, got {offsets[0]}")
    descents = np.flatnonzero(offsets[1:] < offsets[:-1])
    if len(descents):
        a, b = offsets[descents[0] : descents[0] + 2]
        raise ValueError(f"{name}: expected entries that do not descend, got {b} after {a}")
    if offsets[-1] != stored:
        raise ValueError(
            f"{name}: expected the number of data, {stored}, as the last entry, got {offsets[-1]}"
        )


def _check_columns(name: str, columns: NDArray, offsets: NDArray, n_in: int) -> None:
    if not len(columns):
        return
    low, high = columns.min(), columns.max()
    if low < 0 or high >= n_in:
        raise ValueError(f"{name}: expected columns from 0 to {n_in - 1}, got {low} to {high}")
    k = np.flatnonzero(columns[1:] <= columns[:-1]) + 1
    rows = np.searchsorted(offsets, k, "right") - 1
    within = np.flatnonzero(offsets[rows] != k)  # the first of a row may be anything
    if len(within):
        a, b = columns[k[within[0]] - 1 : k[within[0]] + 1]
        came = f"{b} twice" if a == b else f"{b} after {a}"
        raise ValueError(
            f"{name}: expected ascending in each row, got {came} in row {rows[within[0]]}"
        )
