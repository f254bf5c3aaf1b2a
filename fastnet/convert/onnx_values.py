"""The values that stand for the tensors of a graph of ONNX while it is read as a network.

Values are immutable; each operator makes a new one. ``Inputs`` are the network's inputs, ``Layers``
are functions of the weighted inputs of a layer, ``Constant`` are numbers or texts, and ``Unfit``
stands for anything that cannot be part of a network, with the reason. The other values occur where
exporters compute labels and shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet.convert import onnx_expressions as expressions
from fastnet.convert.onnx_expressions import Expression
from fastnet.nn.activations import Activation


@dataclass(frozen=True, eq=False)
class Constant:
    """Numbers or texts of the model."""

    array: NDArray

    def number(self) -> float:
        """The number of a constant that has only one.

        Raises
        ------
        ValueError
            If it has several.
        """
        if self.array.size != 1 or self.array.dtype.kind not in "biuf":
            raise ValueError(f"expected one number, found shape {self.array.shape}")
        return float(self.array.reshape(-1)[0])


@dataclass(frozen=True, eq=False)
class Inputs:
    """(x * scale - mean) / deviation of the inputs x.

    Attributes
    ----------
    mean, deviation : (n_in,) or (1,) float64 array, or None
    scale : float or None
        The factor of bytes.
    is_flat : bool
        Whether the inputs have two axes, (N, n_in).
    is_bytes : bool
    width : int or None
        The number of inputs that the graph declares.
    """

    mean: NDArray | None = None
    deviation: NDArray | None = None
    scale: float | None = None
    is_flat: bool = True
    is_bytes: bool = False
    width: int | None = None

    @property
    def n_in(self) -> int | None:
        """The number of inputs, if the means or deviations determine it."""
        known = [len(each) for each in (self.mean, self.deviation) if each is not None]
        return max(known) if max(known, default=1) > 1 else None

    def minus(self, c: NDArray) -> Inputs:
        if self.deviation is not None:
            c = c * self.deviation
        return replace(self, mean=c if self.mean is None else self.mean + c)

    def divided(self, c: NDArray) -> Inputs:
        return replace(self, deviation=c if self.deviation is None else self.deviation * c)

    def times(self, c: NDArray) -> Inputs:
        is_first = self.mean is None and self.deviation is None and self.scale is None
        if self.is_bytes and is_first and c.size == 1:
            return replace(self, scale=float(c.reshape(-1)[0]))
        with np.errstate(divide="ignore"):
            return self.divided(1 / c)


@dataclass(frozen=True, eq=False)
class Weighted:
    """z = w a + b of a layer.

    Attributes
    ----------
    before : Weighted or Inputs
    neurons : Activation or None
        The activation that computes a from z of ``before``; None if ``before`` is Inputs.
    w, b : (n_out, n_in) array, (n_out,) array or None
    """

    before: Weighted | Inputs
    neurons: Activation | None
    w: NDArray
    b: NDArray | None = None


@dataclass(frozen=True, eq=False)
class Layers:
    """A function of the weighted inputs of a layer, element by element, or row by row."""

    z: Weighted
    formula: Expression = expressions.Z

    @property
    def is_weighted_input(self) -> bool:
        return self.formula is expressions.Z

    @property
    def n_out(self) -> int:
        return len(self.z.w)


@dataclass(frozen=True, eq=False)
class ClassIndex:
    """The index of the largest output of a row."""

    of: Layers


@dataclass(frozen=True, eq=False)
class Shape:
    """The shape of inputs or outputs."""


@dataclass(frozen=True, eq=False)
class RowCount:
    """The number of examples."""


@dataclass(frozen=True, eq=False)
class Unfit:
    """A value that cannot be part of a network.

    Attributes
    ----------
    reason : str
        The node, and what was expected there.
    """

    reason: str


Value: TypeAlias = Constant | Inputs | Layers | ClassIndex | Shape | RowCount | Unfit


def vector(constant: Constant, n: int | None = None) -> NDArray:
    """A constant to add to each row or to multiply it by: (1,) or (n,) numbers.

    Raises
    ------
    ValueError
        If it has another shape, or is not of numbers.
    """
    array = constant.array
    if array.dtype.kind not in "biuf":
        raise ValueError("expected numbers, found others")
    width = array.shape[-1] if array.ndim else 1
    if array.size != width or width == 0 or (n is not None and width not in (1, n)):
        expected = "(n,)" if n is None else f"({n},)"
        raise ValueError(f"expected one number or {expected} numbers, found shape {array.shape}")
    return array.reshape(-1)


def same_layer(*values: Any) -> Weighted:
    """The layer of which all values are functions of the weighted inputs.

    Raises
    ------
    ValueError
        If there is none, or several.
    """
    layers = [each.z for each in values if isinstance(each, Layers)]
    others = [each for each in values if not isinstance(each, Layers | Constant)]
    if not layers or others or any(each is not layers[0] for each in layers):
        raise ValueError(
            "expected functions of the weighted inputs of one layer, found others, such as a "
            "connection between layers that are not neighbours"
        )
    return layers[0]
