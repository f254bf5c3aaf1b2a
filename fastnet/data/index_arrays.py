"""Checks of the index arrays that users pass: integers, row offsets, columns in a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, memmap


def vector(name: str, value: Any) -> NDArray:
    """``value`` as an array of one dimension."""
    memmap.check(name, value)
    array = checks.array(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one dimension, got shape {array.shape}")
    return array


def integers(name: str, value: Any) -> NDArray:
    """``value`` as an array of integers, of one dimension."""
    array = vector(name, value)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    return array if array.size else array.astype(np.int64)  # [] is of float64


def check_range(name: str, indices: NDArray, end: int, what: str = "columns") -> None:
    """Raise a ValueError unless the indices are from 0 to below ``end``."""
    if not len(indices):
        return
    low, high = indices.min(), indices.max()
    if low < 0 or high >= end:
        raise ValueError(f"{name}: expected {what} from 0 to {end - 1}, got {low} to {high}")


def check_offsets(name: str, offsets: NDArray) -> None:
    """Raise a ValueError unless the offsets start at 0 and never descend."""
    if len(offsets) < 2:
        raise ValueError(
            f"{name}: expected two or more entries, one more than examples; got {len(offsets)}"
        )
    if offsets[0] != 0:
        raise ValueError(f"{name}: expected 0 as the first entry, got {offsets[0]}")
    descents = np.flatnonzero(offsets[1:] < offsets[:-1])
    if len(descents):
        a, b = offsets[descents[0] : descents[0] + 2]
        raise ValueError(f"{name}: expected entries that do not descend, got {b} after {a}")


def check_ascending(name: str, indices: NDArray, offsets: NDArray) -> None:
    """Raise a ValueError unless the indices ascend strictly in each row."""
    k = np.flatnonzero(indices[1:] <= indices[:-1]) + 1
    rows = np.searchsorted(offsets, k, "right") - 1
    within = np.flatnonzero(offsets[rows] != k)  # the first index of a row may be any
    if not len(within):
        return
    row, k_first = rows[within[0]], k[within[0]]
    before, after = indices[k_first - 1 : k_first + 1]
    got = f"{after} twice" if before == after else f"{after} after {before}"
    raise ValueError(f"{name}: expected ascending columns in each row, got {got} in row {row}")
