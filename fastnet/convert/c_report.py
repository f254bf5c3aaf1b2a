"""The accuracy that rounding the weights to 8 bits costs, measured on given data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastnet.convert import c_int8
from fastnet.convert.c_int8 import Int8Layer
from fastnet.data.dataset import Dataset
from fastnet.data.sparse_rows import Compressed
from fastnet.model import Model, classes_of
from fastnet.nn.activations import ACTIVATIONS

_PIECE = 1024  # examples at a time


@dataclass(frozen=True)
class Int8Report:
    """A comparison of a network on given data before and after rounding its weights to 8 bits.

    Attributes
    ----------
    examples : int
    accuracy : pair of float, or None
        The fraction of examples classified correctly, before and after; None if the targets are
        numbers.
    rmse : pair of float, or None
        The root mean squared error of the outputs, before and after, if the targets are numbers.
    r2 : pair of float, or None
        The coefficient of determination, averaged over the outputs, before and after; None
        unless the targets are numbers and no target is constant.
    largest_difference : float
        The largest difference of an output before and after.

    Examples
    --------
    >>> print(Int8Report(200, (0.955, 0.95), None, None, 0.0123))
    accuracy 0.9550 before, 0.9500 after, on 200 examples; outputs differ by 0.0123 at most
    """

    examples: int
    accuracy: tuple[float, float] | None
    rmse: tuple[float, float] | None
    r2: tuple[float, float] | None
    largest_difference: float

    def __str__(self) -> str:
        figures = []
        if self.accuracy is not None:
            figures.append("accuracy {:.4f} before, {:.4f} after".format(*self.accuracy))
        if self.rmse is not None:
            figures.append("root mean squared error {:.4g} before, {:.4g} after".format(*self.rmse))
        if self.r2 is not None:
            figures.append("R2 {:.4f} before, {:.4f} after".format(*self.r2))
        return (
            f"{', '.join(figures)}, on {self.examples} examples; outputs differ by "
            f"{self.largest_difference:.3g} at most"
        )


def report(model: Model, layers: list[Int8Layer], data: Dataset) -> Int8Report:
    """The report on ``data``, which have been checked against the model."""
    output = ACTIVATIONS[model.cost_spec.output]
    activations = [*model.hidden, output]
    before = model.feedforward(data.operand(model.sizes, model.dtype, True), data.scale)
    pieces = [
        c_int8.outputs(layers, activations, _inputs(data[s : s + _PIECE], model.dtype))
        for s in range(0, len(data), _PIECE)
    ]
    both = before, np.concatenate(pieces)
    difference = float(np.abs(both[1] - both[0]).max())
    if output.classifies or data.names_classes:
        first, second = (_accuracy(a, data.y) for a in both)
        return Int8Report(len(data), (first, second), None, None, difference)
    errors = [np.mean((a.astype(np.float64) - data.y) ** 2, axis=0) for a in both]
    rmse = float(np.sqrt(errors[0].mean())), float(np.sqrt(errors[1].mean()))
    variance = data.y.var(axis=0, dtype=np.float64)
    r2 = None
    if (variance > 0).all():
        r2 = float(np.mean(1 - errors[0] / variance)), float(np.mean(1 - errors[1] / variance))
    return Int8Report(len(data), None, rmse, r2, difference)


def _accuracy(a: NDArray, y: NDArray) -> float:
    return float(np.mean(classes_of(a) == (y if y.ndim == 1 else classes_of(y))))


def _inputs(data: Dataset, dtype: np.dtype) -> NDArray:
    """Dense inputs, scaled."""
    if isinstance(data.X, Compressed):
        return np.array([x.ravel() for x, _ in data], dtype)
    X: NDArray = np.multiply(data.X, np.float64(data.scale)).astype(dtype)
    return X
