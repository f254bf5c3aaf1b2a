"""Checks of the inputs and targets of examples, and their conversion to a type and layout that the
kernels read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, memmap
from fastnet.data import sparse_rows
from fastnet.data.sparse_rows import Compressed

# Labels are indices of outputs.
_LARGEST_LABEL = 2**31 - 1


def _extremes(array: NDArray) -> tuple[float, float]:
    """The smallest and largest element; NaN if an element is NaN."""
    if array.nbytes <= sparse_rows.PIECE_BYTES:
        return float(array.min()), float(array.max())
    low, high = math.inf, -math.inf
    for rows in sparse_rows.pieces(array):
        piece = array[rows]
        # np.minimum propagates NaN, the built-in min does not
        low = float(np.minimum(low, piece.min()))
        high = float(np.maximum(high, piece.max()))
    return low, high


def contiguous_rows(array: NDArray) -> NDArray:
    """``array`` itself if its rows are contiguous, aligned and in ascending order, else a copy that
    has such rows."""
    contiguous = array.shape[1] == 1 or array.strides[1] == array.itemsize
    if contiguous and array.strides[0] >= 0 and array.flags.aligned:
        return array
    return array.copy(order="C")


def max_abs_and_count(X: NDArray | Compressed) -> tuple[float, int | None]:
    """The largest absolute value, which is not finite if an element is not finite; and the number
    of non-zero elements for dense float32 and float64, None for other inputs."""
    if X.dtype.char == "B":  # uint8
        return 255.0, None
    if isinstance(X, Compressed):
        return sparse_rows.max_abs_and_count(X.stored)[0], None
    return sparse_rows.max_abs_and_count(X)


def scaled_largest(largest: float, scale: float) -> float:
    """``largest * scale``, the value of ``Dataset.largest``, after a check that it is finite."""
    if not math.isfinite(largest):
        raise ValueError("X: expected finite numbers, got NaN or infinity")
    if not math.isfinite(largest * scale):
        raise ValueError(f"scale: expected finite products with X, got {largest * scale}")
    return largest * scale


def checked_targets(y: NDArray) -> NDArray:
    """``y`` in a type and layout that the kernels read; its values are not checked yet."""
    memmap.check("y", y)
    if y.ndim == 1:
        if y.dtype.kind not in "biu":
            number = "np.unique(y, return_inverse=True)[1] numbers the classes"
            whole = "y.astype(int) makes labels of whole numbers"
            raise TypeError(
                f"y: expected integer labels, or targets of shape (n, n_out), got {y.dtype} "
                f"of shape {y.shape} (y[:, None] makes targets for one output; "
                f"{whole if y.dtype.kind == 'f' else number})"
            )
        if y.dtype.kind == "u" and len(y) and y.max() > _LARGEST_LABEL:  # may not fit int64
            checked_range(y)
        return np.require(y, np.int64, ["C_CONTIGUOUS", "ALIGNED"])
    if y.ndim != 2 or 0 in y.shape:
        raise ValueError(f"y: expected labels (n,) or targets (n, n_out), got shape {y.shape}")
    if y.dtype.kind not in "biuf":
        raise TypeError(f"y: expected numbers, got {y.dtype}")
    return contiguous_rows(y if y.dtype in (np.float32, np.float64) else y.astype(np.float64))


def checked_range(y: NDArray) -> tuple[float, float]:
    """The smallest and the largest label or target, after a check that they are valid."""
    low, high = _extremes(y.reshape(len(y), -1))
    if y.ndim == 1 and (low < 0 or high > _LARGEST_LABEL):
        raise ValueError(
            f"y: expected labels from 0 to {_LARGEST_LABEL}, got {low:.0f} to {high:.0f} "
            f"(targets have the shape (n, n_out))"
        )
    if not math.isfinite(low) or not math.isfinite(high):
        raise ValueError("y: expected finite targets, got NaN or infinity")
    return low, high


def check_lengths(X: NDArray | Compressed, y: NDArray) -> None:
    if len(X) != len(y):
        raise ValueError(f"y: expected as many examples as X, {len(X)}, got {len(y)}")


def unpickled_inputs(X: Any) -> NDArray | Compressed:
    """X of a pickled state, after a check that it has the form that ``checked_inputs`` returns."""
    if isinstance(X, Compressed):
        sparse_rows.from_sparse("X", X)
        return X
    plain = isinstance(X, np.ndarray) and checks.is_plain(X)
    if not plain or X.dtype.str[1:] not in ("u1", "f4", "f8"):
        got = X.dtype if isinstance(X, np.ndarray) else type(X).__name__
        raise TypeError(f"X: expected an array of uint8, float32 or float64, got {got}")
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X: expected shape (n, n_in), got {X.shape}")
    return checks.read_only(contiguous_rows(np.asarray(X, X.dtype.newbyteorder("="))))


def unpickled_targets(y: Any) -> NDArray:
    """y of a pickled state, after a check that it has the form that the constructor makes."""
    if not isinstance(y, np.ndarray) or y.ndim == 0 or len(y) == 0 or not checks.is_plain(y):
        raise TypeError(f"y: expected an array of labels or targets, got {type(y).__name__}")
    return checks.read_only(checked_targets(np.asarray(y)))


def checked_inputs(name: str, X: Any) -> tuple[Any, float, int | None]:
    """Three results: ``X``, dense or sparse, in a type and layout that the kernels read; its
    largest absolute value; and its number of non-zero elements, or None if that is unknown."""
    X = numbers_of(name, X)
    largest, nonzero = max_abs_and_count(X)
    if not math.isfinite(largest):
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return X, largest, nonzero


def numbers_of(name: str, X: Any) -> Any:
    """``X``, an array or sparse, in a type and layout that the kernels read; its numbers may be
    NaN or infinite."""
    if sparse_rows.is_sparse(X):
        return sparse_rows.from_sparse(name, X)
    if X.ndim != 2:
        raise ValueError(f"{name}: expected shape (n, n_in), got {X.shape}")
    if 0 in X.shape:
        raise ValueError(
            f"{name}: expected at least one example and one feature, got shape {X.shape}"
        )
    memmap.check(name, X)
    return contiguous_rows(checks.numbers(name, X))
