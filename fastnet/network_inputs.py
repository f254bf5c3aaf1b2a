"""The forms of input that a network accepts, each checked against the network."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.core import checks, memmap, reporting
from fastnet.data.coerce import as_dataset, bytes_warning
from fastnet.data.dataset import Data, Dataset
from fastnet.data.dataset_checks import checked_inputs
from fastnet.data.sparse_rows import is_sparse
from fastnet.model import Model


class NetworkInputs:
    """Converts inputs and data of any accepted form to arrays and data sets for a model.

    Parameters
    ----------
    model : Model
    warned : iterable of str
        The kinds of warnings that were already issued for this network.
    """

    def __init__(self, model: Model, warned: Iterable[str] = ()):
        self._model = model
        self.warned = set(warned)

    # ---- examples with targets

    def dataset(self, name: str, data: Data) -> Dataset:
        """``data`` as a Dataset, checked against the network; errors start with ``name``."""
        scale = self._model.parameters.input_scale
        dataset = self._scaled_dataset(name, data, scale)
        self._model.check(name, dataset)
        return dataset

    def evaluation_set(self, evaluation_data: Data, training: Dataset) -> Dataset:
        """Evaluation data as a Dataset, checked; bytes are scaled as the network will scale them
        once it is trained on ``training``."""
        scale = self._model.scale_learned_from(training)
        dataset = self._scaled_dataset("evaluation_data", evaluation_data, scale)
        self._model.check("evaluation_data", dataset)
        return dataset

    def _scaled_dataset(self, name: str, data: Data, scale: float | None) -> Dataset:
        """``data`` as a Dataset; bytes that are not in one are multiplied by ``scale``."""
        if isinstance(data, Dataset):
            self._check_scale(data, scale)
        return as_dataset(name, data, 1.0 if scale is None else scale)

    def example(self, x: ArrayLike, y: ArrayLike) -> Dataset:
        """A Dataset of one example, checked against the network."""
        n_in = self._model.sizes[0]
        array, target = checks.array("x", x), checks.array("y", y)
        if array.shape not in ((n_in,), (n_in, 1)):
            raise ValueError(f"x: expected shape ({n_in},) or ({n_in}, 1), got {array.shape}")
        if target.ndim > 2 or (target.ndim == 2 and target.shape[1] != 1):
            raise ValueError(f"y: expected a label or a column of targets, got {target.shape}")
        is_label = target.ndim == 0 and target.dtype.kind != "f"
        labels = target.reshape(1) if is_label else target.reshape(1, -1)
        scale = self._scale_of(array)
        rows, largest, _ = checked_inputs("x", array.reshape(1, n_in))
        self._model.check_inputs("x", n_in, largest * scale)
        data = Dataset(rows, labels, scale)
        self._model.check("y", data)
        return data

    # ---- inputs alone

    def feedforward(self, name: str, a: Any) -> NDArray:
        """The network's output for inputs of any form; errors start with ``name``."""
        model = self._model
        n_in = model.sizes[0]
        if isinstance(a, Dataset):
            self._check_scale(a, model.input_scale)
            model.check_inputs(name, a.X.shape[1], a.largest)
            return model.feedforward(a.operand(model.sizes, model.dtype), a.scale)
        if is_sparse(a):
            if a.shape == (0, n_in):
                return np.empty((0, model.sizes[-1]), model.dtype)
            X, largest, _ = checked_inputs(name, a)
            scale = self._scale_of(a)  # booleans are bytes in X
            model.check_inputs(name, X.shape[1], largest * scale)
            return model.feedforward(X, scale)
        return self._feedforward_array(name, checks.array(name, a))

    def _feedforward_array(self, name: str, array: NDArray) -> NDArray:
        model = self._model
        n_in = model.sizes[0]
        if array.base is not None:
            memmap.check(name, array)
        column = array.shape == (n_in, 1) and n_in > 1
        if array.shape == (n_in,) or column:
            rows = array.reshape(1, n_in)
        elif array.ndim == 2 and array.shape[1] == n_in:
            rows = array
        else:
            raise self._shape_error(name, array.shape)
        if len(rows) == 0:
            return np.empty((0, model.sizes[-1]), model.dtype)
        scale = self._scale_of(rows)
        if not self._needs_no_checks(rows):
            rows, largest, _ = checked_inputs(name, rows)
            model.check_inputs(name, n_in, largest * scale)
        out = model.feedforward(rows, scale)
        if array.ndim == 1:
            return out.reshape(-1)
        return out.reshape(-1, 1) if column else out

    def _needs_no_checks(self, rows: NDArray) -> bool:
        """Whether ``rows`` is contiguous, of the network's type, and finite with a finite sum of
        squares: a quick test for single examples, whose full checks would take longer than the
        network."""
        if rows.dtype != self._model.dtype or not rows.flags.carray:
            return False
        flat = rows.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            return math.isfinite(flat.dot(flat))  # not if an element is NaN or infinite

    def as_rows(self, name: str, X: Any) -> Any:
        """``X`` with one example per row; a single example, (n_in,) or (n_in, 1), is one row."""
        n_in = self._model.sizes[0]
        if not isinstance(X, Dataset) and not is_sparse(X):
            X = checks.array(name, X)
            if X.shape in ((n_in,), (n_in, 1)):
                X = X.reshape(-1, n_in)
        return X

    def without_targets(self, name: str, X: Any) -> Dataset | None:
        """The rows that ``as_rows`` returned as a Dataset with meaningless labels; None without
        rows."""
        if isinstance(X, Dataset):
            self._check_scale(data := X, self._model.input_scale)
        elif X.shape == (0, self._model.sizes[0]):
            return None
        elif X.ndim != 2:
            raise self._shape_error(name, X.shape)
        else:
            data = Dataset(X, np.zeros(X.shape[0], int), self._scale_of(X))
        self._model.check_inputs(name, data.X.shape[1], data.largest)
        return data

    def _scale_of(self, X: Any) -> float:
        """The factor for inputs ``X`` that are not in a Dataset."""
        scale = self._model.input_scale if X.dtype == np.uint8 else None
        return 1.0 if scale is None else scale

    def _shape_error(self, name: str, shape: tuple[int, ...]) -> ValueError:
        n_in = self._model.sizes[0]
        return ValueError(
            f"{name}: expected shape ({n_in},), ({n_in}, 1) or (n, {n_in}), got {shape}"
        )

    # ---- warnings

    def warn_of_bytes(self, name: str, data: Dataset) -> None:
        """Warn before a training on unscaled bytes; ``data`` was not passed as a Dataset."""
        if self._model.input_scale is None:
            self._warn("bytes", bytes_warning(name, data))

    def _check_scale(self, data: Dataset, scale: float | None) -> None:
        """Warn if the scale of bytes differs from the scale that the network was trained with."""
        if scale is not None and data.scale != scale and data.is_bytes:
            self._warn(
                "scale",
                f"the scale of the data set's bytes, {data.scale:g}, is not the one that the "
                f"network was trained with, {scale:g}",
            )

    def _warn(self, kind: str, message: str) -> None:
        """Issue each kind of warning once, at the user's line that called the package."""
        if message and kind not in self.warned:
            reporting.warn(message)  # raises if the program turns warnings into errors
            self.warned.add(kind)
