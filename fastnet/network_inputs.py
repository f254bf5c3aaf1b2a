"""The forms of input that a network accepts, each checked against the network."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.core import checks, memmap, reporting
from fastnet.data import moments
from fastnet.data.coerce import as_dataset, bytes_warning
from fastnet.data.dataset import Data, Dataset
from fastnet.data.dataset_checks import checked_inputs, max_abs_and_count
from fastnet.data.frames import Columns
from fastnet.data.schema import Schema
from fastnet.data.sparse_rows import Compressed, is_sparse
from fastnet.model import Model


def _sparse_error(name: str) -> ValueError:
    return ValueError(
        f"{name}: expected dense inputs, since the network subtracts means from them, got sparse "
        f"ones (Standardize.fit(X, with_mean=False) is for sparse data)"
    )


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
        """``data`` as a Dataset, checked against the network, with standardized inputs if the
        network has ``inputs``; errors start with ``name``."""
        model = self._model
        schema = model.schema
        read = self._read(name, data, model.parameters.input_scale, schema)
        return self._fitting(name, read, schema)

    def training_set(self, data: Data) -> Dataset:
        """Training data as ``dataset`` gives it. Their names of classes become those of a network
        that has none."""
        model = self._model
        read = self._read("training_data", data, model.parameters.input_scale, model.schema)
        schema = model.schema
        if read.classes is not None and schema.classes is None and not model.labels_are_numbers:
            if len(read.classes) != model.classes:
                raise ValueError(
                    f"training_data: expected labels of {model.classes} classes, as many as the "
                    f"network tells apart, got {len(read.classes)}: {checks.some(read.classes)} "
                    f"(Network(..., classes=) names those that do not occur)"
                )
            schema = model.schema_learned_from(read)
        return self._fitting("training_data", read, schema)

    def evaluation_set(self, evaluation_data: Data, training: Dataset) -> Dataset:
        """Evaluation data as a Dataset, checked; bytes are scaled, and labels numbered, as the
        network will do it once it is trained on ``training``."""
        scale = self._model.scale_learned_from(training)
        schema = self._model.schema_learned_from(training)
        read = self._read("evaluation_data", evaluation_data, scale, schema)
        return self._fitting("evaluation_data", read, schema)

    def _read(self, name: str, data: Data, scale: float | None, schema: Schema) -> Dataset:
        """``data`` as a Dataset; bytes that are not in one are multiplied by ``scale``."""
        if scale is None:
            scale = 1.0
        elif isinstance(data, Dataset):
            self._check_scale(data.source, scale)
        return as_dataset(name, data, scale, schema)

    def _fitting(self, name: str, data: Dataset, schema: Schema) -> Dataset:
        """The data set with the labels and the inputs of the network, checked."""
        if data.classes is not None:
            if schema.classes is None:
                raise TypeError(
                    f"{name}: expected integer labels, or a network that knows the names of its "
                    f"classes (Network(..., classes=)), got the names {checks.some(data.classes)}"
                )
            with checks.error_prefix(name):
                data = data.with_classes(schema.classes)
        has_columns = schema.inputs is not None or data.features is not None
        data = self._standardized(name, data, schema) if has_columns else data.source
        data = self._model.with_targets_of_outputs(data)
        self._model.check(name, data)
        return data

    def _standardized(self, name: str, data: Dataset, schema: Schema) -> Dataset:
        """The data set with standardized inputs if the network standardizes them."""
        if data.features is not None and schema.features not in (None, data.features):
            raise ValueError(
                f"{name}: expected a Dataset of the features {checks.some(schema.features)}, in "
                f"this order, got {checks.some(data.features)}"
            )
        if schema.inputs is None or schema.standardize is None:
            return data.source
        standardize = schema.standardize
        self._model.check_inputs(name, data.X.shape[1], 0.0)
        if standardize.with_mean and isinstance(data.X, Compressed):
            raise _sparse_error(name)
        return data.standardized(standardize, self._model.dtype)

    def example(self, x: ArrayLike | Columns, y: ArrayLike) -> Dataset:
        """A Dataset of one example, checked against the network."""
        n_in, schema = self._model.sizes[0], self._model.schema
        array = checks.array("x", schema.numbers("x", x))
        target = checks.array("y", schema.code("y", y))
        if array.shape not in ((n_in,), (n_in, 1)):
            raise ValueError(f"x: expected shape ({n_in},) or ({n_in}, 1), got {array.shape}")
        if target.ndim > 2 or (target.ndim == 2 and target.shape[1] != 1):
            raise ValueError(f"y: expected a label or a column of targets, got {target.shape}")
        is_label = target.ndim == 0 and target.dtype.kind != "f"
        labels = target.reshape(1) if is_label else target.reshape(1, -1)
        scale = self._scale_of(array)
        rows, largest, _ = checked_inputs("x", array.reshape(1, n_in))
        if schema.standardize is None:
            self._model.check_inputs("x", n_in, largest * scale)
        data = self._standardized("x", Dataset(rows, labels, scale), schema)
        data = self._model.with_targets_of_outputs(data)
        self._model.check_inputs("x", n_in, data.largest)
        self._model.check("y", data)
        return data

    # ---- inputs alone

    def feedforward(self, name: str, a: Any) -> NDArray:
        """The network's output for inputs of any form; errors start with ``name``."""
        if type(a) is np.ndarray and a.ndim:  # the most frequent form
            return self._feedforward_array(name, a)
        model = self._model
        n_in = model.sizes[0]
        if isinstance(a, Dataset):
            self._check_scale(a.source, model.input_scale)
            a = self._standardized(name, a, self._model.schema)
            model.check_inputs(name, a.X.shape[1], a.largest)
            return model.feedforward(a.operand(model.sizes, model.dtype), a.scale)
        if is_sparse(a):
            if a.shape == (0, n_in):
                return np.empty((0, model.sizes[-1]), model.dtype)
            X, largest, _ = checked_inputs(name, a)
            scale = self._scale_of(a)  # of booleans: bytes
            return model.feedforward(*self._operand(name, X, largest, scale))
        return self._feedforward_array(name, checks.array(name, model.schema.numbers(name, a)))

    def jacobian(self, name: str, a: Any) -> NDArray:
        """The derivatives of the outputs with respect to the numbers passed, for inputs of any
        form, (n, n_out, n_in), or (n_out, n_in) for one example; errors start with ``name``."""
        model = self._model
        if isinstance(a, Dataset):
            self._check_scale(a.source, model.input_scale)
            slopes = self._slopes(a.source.scale)
            a = self._standardized(name, a, model.schema)
            model.check_inputs(name, a.X.shape[1], a.largest)
            return model.jacobian(a.operand(model.sizes, model.dtype), a.scale, slopes)
        if is_sparse(a):
            rows, is_one = a, False
        else:
            array = checks.array(name, model.schema.numbers(name, a))
            rows, is_one = self._rows(name, array)
        if rows.shape == (0, model.sizes[0]):
            return np.empty((0, model.sizes[-1], model.sizes[0]), model.dtype)
        scale = self._scale_of(rows)
        if is_one and self._needs_no_checks(rows):
            operand = rows, scale
        else:
            X, largest, _ = checked_inputs(name, rows)
            operand = self._operand(name, X, largest, scale)
        jacobian = model.jacobian(*operand, self._slopes(scale))
        return jacobian[0] if is_one else jacobian

    def _slopes(self, scale: float) -> NDArray | None:
        """The derivatives of the network's inputs by numbers that are multiplied by ``scale`` and
        standardized; None if all are 1."""
        standardize = self._model.schema.standardize
        if standardize is not None:
            return scale / standardize.deviation
        return None if scale == 1 else np.full(self._model.sizes[0], scale)

    def _operand(self, name: str, X: Any, largest: float, scale: float) -> tuple[Any, float]:
        """The checked rows (n, n_in) and the scale that the kernels are given for checked rows X,
        dense or compressed, that are multiplied by ``scale``."""
        model, standardize = self._model, self._model.schema.standardize
        if standardize is None:
            model.check_inputs(name, X.shape[1], largest * scale)
            return X, scale
        model.check_inputs(name, X.shape[1], 0.0)
        if isinstance(X, Compressed):
            if standardize.with_mean:
                raise _sparse_error(name)
            X = moments.standardized_stored(standardize, X, scale, model.dtype)
        else:
            X = moments.standardized(standardize, X, scale, model.dtype)
        model.check_inputs(name, X.shape[1], max_abs_and_count(X)[0])
        return X, 1.0

    def _rows(self, name: str, array: NDArray) -> tuple[NDArray, bool]:
        """The array as rows (n, n_in), and whether it is one example, (n_in,) or (n_in, 1)."""
        n_in = self._model.sizes[0]
        if array.base is not None:
            memmap.check(name, array)
        if array.shape == (n_in,) or (array.shape == (n_in, 1) and n_in > 1):
            return array.reshape(1, n_in), True
        if array.ndim == 2 and array.shape[1] == n_in:
            return array, False
        raise self._shape_error(name, array.shape)

    def _feedforward_array(self, name: str, array: NDArray) -> NDArray:
        model = self._model
        rows, is_one = self._rows(name, array)
        if len(rows) == 0:
            return np.empty((0, model.sizes[-1]), model.dtype)
        scale = self._scale_of(rows)
        if self._needs_no_checks(rows):
            out = model.feedforward(rows, scale)
        else:
            rows, largest, _ = checked_inputs(name, rows)
            out = model.feedforward(*self._operand(name, rows, largest, scale))
        if array.ndim == 1:
            return out.reshape(-1)
        return out.reshape(-1, 1) if is_one else out

    def _needs_no_checks(self, rows: NDArray) -> bool:
        """Whether ``rows`` is contiguous, of the network's type, and finite with a finite sum of
        squares: a quick test for single examples, whose full checks would take longer than the
        network."""
        model = self._model
        if rows.dtype != model.dtype or not rows.flags.carray or model.schema.inputs is not None:
            return False
        flat = rows.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            return math.isfinite(flat.dot(flat))  # not if an element is NaN or infinite

    def as_rows(self, name: str, X: Any) -> Any:
        """``X`` with one example per row; a single example, (n_in,) or (n_in, 1), is one row."""
        n_in = self._model.sizes[0]
        if not isinstance(X, Dataset) and not is_sparse(X):
            X = checks.array(name, self._model.schema.numbers(name, X))
            if X.shape in ((n_in,), (n_in, 1)):
                X = X.reshape(-1, n_in)
        return X

    def without_targets(self, name: str, X: Any) -> Dataset | None:
        """The rows that ``as_rows`` returned as a Dataset with meaningless labels; None without
        rows."""
        if isinstance(X, Dataset):
            self._check_scale(X.source, self._model.input_scale)
            data = X
        elif X.shape == (0, self._model.sizes[0]):
            return None
        elif X.ndim != 2:
            raise self._shape_error(name, X.shape)
        else:
            data = Dataset(X, np.zeros(X.shape[0], int), self._scale_of(X))
        data = self._standardized(name, data, self._model.schema)
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
        if self._model.input_scale is None and self._model.schema.standardize is None:
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
