"""Inputs of which only what is not zero is stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet import _kernels

# Behind the values: the kernels load whole vectors.
_SLACK = 128


class Compressed:
    """Rows of which only what is not zero is stored, row after row, ascending.

    Attributes
    ----------
    values : (nnz,) uint8, float32 or float64
    offsets : (n + 1,) int64
        Row s is ``values[offsets[s]:offsets[s + 1]]``.
    columns : (nnz,) uint16 or uint32, or None
        Where each value stands in its row: compressed sparse rows (CSR).
    masks : (n, ceil(n_in / 64)) uint64, or None
        The same as bits: bit j % 64 of word j / 64 is set where input j is stored.
    shape : (n, n_in)
    """

    def __init__(
        self,
        values: NDArray,
        offsets: NDArray,
        columns: NDArray | None,
        masks: NDArray | None,
        n_in: int,
    ):
        self.values, self.offsets, self.columns, self.masks = values, offsets, columns, masks
        self.shape = len(offsets) - 1, n_in
        self.longest = int(np.diff(offsets).max(initial=0))

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        arrays = self.values, self.offsets, self.columns, self.masks
        return sum(array.nbytes for array in arrays if array is not None)

    @property
    def density(self) -> float:
        """The share of the inputs that are stored."""
        n, n_in = self.shape
        return int(self.offsets[-1] - self.offsets[0]) / (n * n_in)

    def __len__(self) -> int:
        return self.shape[0]


def columns_dtype(n_in: int) -> type:
    return np.uint16 if n_in <= 1 << 16 else np.uint32


def compress(X: NDArray, form: str) -> Compressed:
    """The dense X (n, n_in) with "columns" or with "masks"."""
    n, n_in = X.shape
    offsets = _kernels.count(X)
    values = np.empty(offsets[-1] + _SLACK, X.dtype)
    columns = np.empty(offsets[-1], columns_dtype(n_in)) if form == "columns" else None
    masks = np.empty((n, -(-n_in // 64)), np.uint64) if form == "masks" else None
    _kernels.compress(X, values, columns, masks)
    return Compressed(values[: offsets[-1]], offsets, columns, masks, n_in)
