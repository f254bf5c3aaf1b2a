"""SciPy's sparse matrices as compressed sparse rows (CSR). SciPy's conversions do not check the
index arrays, and invalid ones make them access memory out of bounds, so each format is checked
first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, memmap
from fastnet.data import index_arrays

Arrays = tuple[NDArray, NDArray, NDArray]  # data, indices, indptr


def checked_arrays(prefix: str, X: Any) -> Arrays:
    """The CSR arrays of X, a scipy.sparse matrix of any format. All columns are in range, but need
    not be sorted. The arrays are X's own, without a copy, if possible.

    Raises
    ------
    TypeError, ValueError
        For invalid arrays; the message begins with ``prefix`` and the array's name.
    """
    kind = getattr(X, "format", None)
    if kind == "lil":
        return _of_lil(prefix, X)
    if kind != "csr":
        check = _CHECKS.get(kind) if isinstance(kind, str) else None
        X = (X if check is None else check(prefix, X)).tocsr()
    return _compressed(prefix, X, *X.shape)


def in_order(data: NDArray, indices: NDArray, indptr: NDArray, n_in: int) -> Arrays:
    """The same matrix with sorted columns and without duplicates, whose values are added."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped, unused-ignore]

    # Copies, so that the user's matrix is unchanged and no other thread can change these.
    starts, columns = indptr.astype(np.int64), indices.astype(np.int64)
    index_arrays.check_offsets("indptr", starts)
    index_arrays.check_range("indices", columns, n_in)
    S = csr_matrix((data.copy(), columns, starts), shape=(len(starts) - 1, n_in))
    S.sum_duplicates()
    return S.data, S.indices, S.indptr


def _compressed(
    prefix: str, X: Any, n: int, width: int, what: str = "columns", ndim: int = 1
) -> Arrays:
    """The checked arrays of n rows (or columns, or rows of blocks), cut off after the last row."""
    indptr = np.array(index_arrays.integers(f"{prefix}indptr", X.indptr))
    indices = index_arrays.integers(f"{prefix}indices", X.indices)
    memmap.check(f"{prefix}data", X.data)
    data = checks.array(f"{prefix}data", X.data)
    if data.ndim != ndim:
        raise ValueError(f"{prefix}data: expected {ndim} dimension(s), got shape {data.shape}")
    if len(indptr) != n + 1:
        raise ValueError(f"{prefix}indptr: expected {n + 1} entries, got {len(indptr)}")
    index_arrays.check_offsets(f"{prefix}indptr", indptr)
    end = int(indptr[-1])
    for array, found in ((f"{prefix}indices", indices), (f"{prefix}data", data)):
        if len(found) < end:
            raise ValueError(
                f"{array}: expected {end} elements or more, the last entry of indptr, "
                f"got {len(found)}"
            )
    index_arrays.check_range(f"{prefix}indices", indices[:end], width, what)
    return data[:end], indices[:end], indptr


def _csc(prefix: str, X: Any) -> Any:
    n, n_in = X.shape
    _compressed(prefix, X, n_in, n, "rows")
    return X


def _bsr(prefix: str, X: Any) -> Any:
    n, n_in = X.shape
    data = checks.array(f"{prefix}data", X.data)
    if data.ndim != 3 or 0 in data.shape[1:] or n % data.shape[1] or n_in % data.shape[2]:
        raise ValueError(
            f"{prefix}data: expected blocks (n_blocks, rows, columns) that divide {X.shape}, "
            f"got shape {data.shape}"
        )
    height, width = data.shape[1:]
    _compressed(prefix, X, n // height, n_in // width, "columns of blocks", ndim=3)
    return X


def _coo(prefix: str, X: Any) -> Any:
    n, n_in = X.shape
    data = index_arrays.vector(f"{prefix}data", X.data)
    if len(getattr(X, "coords", (0, 0))) != 2:
        raise ValueError(f"{prefix}coords: expected two arrays, got {len(X.coords)}")
    for axis, end in (("row", n), ("col", n_in)):
        indices = index_arrays.integers(f"{prefix}{axis}", getattr(X, axis))
        if len(indices) != len(data):
            raise ValueError(
                f"{prefix}{axis}: expected as many as data, {len(data)}, got {len(indices)}"
            )
        index_arrays.check_range(f"{prefix}{axis}", indices, end, "indices")
    return X


def _dia(prefix: str, X: Any) -> Any:
    n, n_in = X.shape
    data = checks.array(f"{prefix}data", X.data)
    offsets = np.array(index_arrays.integers(f"{prefix}offsets", X.offsets))
    if data.ndim != 2 or len(data) != len(offsets):
        raise ValueError(
            f"{prefix}offsets: expected one for each row of data, got {len(offsets)} for data of "
            f"shape {data.shape}"
        )
    if len(np.unique(offsets)) != len(offsets):
        raise ValueError(f"{prefix}offsets: expected different numbers, got duplicates")
    inside = (offsets > -n) & (offsets < n_in)
    if inside.all():
        return X
    return type(X)((data[inside], offsets[inside]), shape=(n, n_in))  # other diagonals lie outside


def _of_lil(prefix: str, X: Any) -> Arrays:
    n, n_in = X.shape
    lists = {}
    for name in ("rows", "data"):
        found = checks.array(f"{prefix}{name}", getattr(X, name))
        if found.shape != (n,) or not all(type(row) is list for row in found):
            raise ValueError(f"{prefix}{name}: expected {n} lists, got {checks.short_repr(found)}")
        lists[name] = found
    lengths = [len(row) for row in lists["rows"]]
    for s, (length, values) in enumerate(zip(lengths, lists["data"], strict=True)):
        if length != len(values):
            raise ValueError(
                f"{prefix}rows: expected as many columns as data, {len(values)} in row {s}, "
                f"got {length}"
            )
    flat = list(chain.from_iterable(lists["rows"]))
    indices = index_arrays.integers(f"{prefix}rows", flat)
    index_arrays.check_range(f"{prefix}rows", indices, n_in)
    data = np.fromiter(chain.from_iterable(lists["data"]), X.dtype, sum(lengths))
    return data, indices, np.cumsum([0, *lengths])


def _dok(prefix: str, X: Any) -> Any:
    n, n_in = X.shape
    for key in list(X.keys()):
        try:
            row, column = (checks.integer("key", i, 0) for i in key)
        except (TypeError, ValueError):
            row, column = n, n_in
        if row >= n or column >= n_in:
            raise ValueError(
                f"{prefix}keys: expected (row, column) within {X.shape}, "
                f"got {checks.short_repr(key)}"
            )
    return X


# Each raises an error, or returns X or an equal matrix that SciPy can convert safely.
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "csc": _csc,
    "bsr": _bsr,
    "coo": _coo,
    "dia": _dia,
    "dok": _dok,
}
