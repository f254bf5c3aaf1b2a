"""The means and deviations of features, and the standardization of inputs by them.

All arithmetic is that of NumPy in float64, one rounding for each operation, so that no compiler
can contract a product and a difference: the kernels' predictor gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastnet.core import single_flight
from fastnet.data import sparse_rows
from fastnet.data.sparse_rows import Compressed

# Numbers that are standardized at once.
_PIECE = 1 << 16


class Moments(Protocol):
    """Means and deviations: a ``Standardize``."""

    @property
    def mean(self) -> NDArray: ...

    @property
    def deviation(self) -> NDArray: ...


def standardized(by: Moments, X: NDArray, scale: float, dtype: DTypeLike) -> NDArray:
    """(X * scale - mean) / deviation of rows (n, n_in), rounded to ``dtype`` once; infinite beyond
    its range."""
    made = np.empty(X.shape, dtype)
    with np.errstate(over="ignore"):
        for part in _pieces(X):
            x = np.multiply(X[part], scale, dtype=np.float64)
            x -= by.mean
            x /= by.deviation
            made[part] = x
    return made


def _pieces(X: NDArray) -> Iterator[slice]:
    """Slices of rows (n, n_in) that stay in the cache as float64."""
    step = max(1, _PIECE // X.shape[1])
    for first in range(0, len(X), step):
        yield slice(first, min(first + step, len(X)))
        single_flight.report_piece(X)


def standardized_stored(by: Moments, X: Compressed, scale: float, dtype: DTypeLike) -> Compressed:
    """``standardized`` for compressed rows with columns, and means of 0: zeros stay zeros."""
    if X.columns is None or np.any(by.mean):
        raise ValueError("X: expected compressed rows with columns, and no means")
    offsets = X.offsets
    with np.errstate(over="ignore"):
        x = np.multiply(X.stored, scale, dtype=np.float64)
        x /= by.deviation[X.columns[offsets[0] : offsets[-1]]]
        return sparse_rows.with_values(X, x.astype(dtype))


def measured(
    X: NDArray | Compressed, scale: float, features: tuple[str, ...] | None
) -> tuple[NDArray, NDArray]:
    """The mean and the standard deviation of each column of ``X * scale``. The rows are added in
    their order, and a second pass corrects the mean. A constant column has exactly its value
    and 0."""
    n = len(X)
    sums: Any = _stored_sums if isinstance(X, Compressed) else _dense_sums
    with np.errstate(over="ignore", invalid="ignore"):
        total, low, high, _ = sums(X, scale, np.zeros(X.shape[1]), features)
        mean = total / n
        rest, _, _, squares = sums(X, scale, mean, features)
        variance = (squares - rest * rest / n) / n
        mean = np.where(low == high, low, mean + rest / n)
        deviation = np.where(low == high, 0.0, np.sqrt(np.maximum(variance, 0.0)))
    bad = ~(np.isfinite(mean) & np.isfinite(deviation))
    if bad.any():
        raise ValueError(
            f"X: expected features whose squares are within the range of float64, got others in "
            f"{_column(int(bad.argmax()), features)}"
        )
    return mean, deviation


def _dense_sums(X: NDArray, scale: float, mean: NDArray, features: Any) -> tuple[NDArray, ...]:
    """For each column the sum, the smallest, the largest and the sum of the squares of
    x = X * scale - mean."""
    n_in = X.shape[1]
    total, squares = np.zeros(n_in), np.zeros(n_in)
    low, high = np.full(n_in, math.inf), np.full(n_in, -math.inf)
    for part in _pieces(X):
        x = np.multiply(X[part], scale, dtype=np.float64)
        if not np.isfinite(x).all():
            row, j = (int(k) for k in np.argwhere(~np.isfinite(x))[0])
            raise _not_finite(x[row, j], part.start + row, j, features)
        x -= mean
        total += x.sum(axis=0)
        np.minimum(low, x.min(axis=0), out=low)
        np.maximum(high, x.max(axis=0), out=high)
        x *= x
        squares += x.sum(axis=0)
    return total, low, high, squares


def _stored_sums(X: Compressed, scale: float, mean: NDArray, features: Any) -> tuple[NDArray, ...]:
    """``_dense_sums`` of compressed rows with columns, in time for the stored values."""
    n, n_in = X.shape
    offsets = X.offsets
    columns = np.asarray(X.columns)[offsets[0] : offsets[-1]].astype(np.intp)
    x = np.multiply(X.stored, scale, dtype=np.float64)
    if not np.isfinite(x).all():
        k = int((~np.isfinite(x)).argmax())
        row = int(np.searchsorted(offsets - offsets[0], k, "right")) - 1
        raise _not_finite(x[k], row, int(columns[k]), features)
    x -= mean[columns]
    zeros = n - np.bincount(columns, minlength=n_in)
    total = np.bincount(columns, x, n_in) - zeros * mean
    squares = np.bincount(columns, x * x, n_in) + zeros * mean * mean
    low, high = (np.where(zeros > 0, -mean, end) for end in (math.inf, -math.inf))
    np.minimum.at(low, columns, x)
    np.maximum.at(high, columns, x)
    return total, low, high, squares


def _column(j: int, features: tuple[str, ...] | None) -> str:
    return f"column {j}" if features is None else f"column {j} ({features[j]!r})"


def _not_finite(value: float, row: int, j: int, features: tuple[str, ...] | None) -> ValueError:
    return ValueError(
        f"X: expected finite numbers, got {value:g} in row {row}, {_column(j, features)}"
    )
