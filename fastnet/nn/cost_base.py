"""The base class of all costs; the costs themselves are in fastnet/nn/costs.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from types import MethodType
from typing import Any, ClassVar, Concatenate, Generic, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.nn.registry import Row

P = ParamSpec("P")
R = TypeVar("R")


class Cost(Protocol):
    """The static methods that a cost class must have."""

    @staticmethod
    def fn(a: NDArray, y: NDArray) -> float: ...

    @staticmethod
    def delta(z: NDArray, a: NDArray, y: NDArray) -> NDArray: ...


class Formula(NamedTuple):
    """A formula in the book's notation, for one example, and its number there, or ""."""

    text: str
    number: str = ""


class BuiltInCost(Row):
    """Base class of the package's costs: their properties, which all other modules read.

    The class of a cost with parameters stands for the defaults.

    Attributes
    ----------
    name : str
        Its name, as in csrc/api/costs.def.
    formula : Formula
        The cost; {threshold} is the parameter of that name.
    errors : dict of Formula
        The output error by output layer, the usual layer first; {L} is the number of the layer.
    lowest, highest : float
        The range of the targets.
    rows_sum_to_one : bool
        Whether the targets of an example must sum to 1.
    sklearn_name : str or None
        scikit-learn's name for it.
    sklearn_parameters : dict
        {parameter: parameter of the estimators}, for those that they have.
    etas : dict of float
        The learning rates in docs/techniques.md by output layer; a layer without one has no row
        there.
    per_output : bool
        Whether the only parameter may be a sequence of numbers, one for each output; then networks
        accept one target per example for all outputs.
    """

    formula: ClassVar[Formula]
    errors: ClassVar[Mapping[str, Formula]]
    lowest: ClassVar[float] = -inf
    highest: ClassVar[float] = inf
    rows_sum_to_one: ClassVar[bool] = False
    sklearn_name: ClassVar[str | None] = None
    sklearn_parameters: ClassVar[Mapping[str, str]] = {}
    etas: ClassVar[Mapping[str, float]] = {}
    per_output: ClassVar[bool] = False

    @property
    def quantiles(self) -> tuple[float, ...] | None:
        """The quantile that each output predicts; None: outputs are no quantiles, or all the
        same."""
        return None

    @property
    def n_out(self) -> int | None:
        """The number of outputs that the parameters are for; None: any number."""
        return None if self.quantiles is None else len(self.quantiles)

    def quantiles_of(self, n_out: int) -> tuple[float, ...] | None:
        """The quantile that each of ``n_out`` outputs predicts; None: outputs are no quantiles."""
        return self.quantiles

    @property
    def target_range(self) -> str:
        """The range of the targets in words."""
        if self.highest == inf:
            return f"of {self.lowest:g} or more"
        if self.lowest == -inf:
            return f"of {self.highest:g} or less"
        return f"from {self.lowest:g} to {self.highest:g}"

    def shown(self, formula: Formula, **values: Any) -> Formula:
        """The formula with the names in braces replaced; see ``filled``."""
        return formula._replace(text=self.filled(formula.text, **values))

    # For fastnet.reference: arrays of any one shape, z and a those of the output layer.

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        """The cost of each output, in float64; from z where a is saturated or infinite."""
        raise NotImplementedError

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        """dC/dz of each output, in the arrays' type."""
        error: NDArray = a - y
        return error

    # For fastnet.own_data.

    def for_scaled_targets(self, deviation: NDArray) -> BuiltInCost | None:
        """The cost that has its minimum at the same outputs if targets and outputs are divided by
        ``deviation``, (n_out,); None if there is none."""
        return None

    # For fastnet.sklearn.

    @staticmethod
    def sklearn_loss(cost: float, y: NDArray, n_out: int, weights: NDArray | None) -> float:
        """The loss as scikit-learn states it, for a mean ``cost`` of examples with targets ``y``,
        ``n_out`` outputs and ``weights`` or None."""
        return cost


class class_or_object_method(Generic[P, R]):
    """A method of an object with its parameters, and of the class with the default ones."""

    def __init__(self, function: Callable[Concatenate[Any, P], R]):
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, cost: Any, owner: type) -> Callable[P, R]:
        return MethodType(self._function, owner() if cost is None else cost)


def columns(a: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
    """Both as float64, after a check that they have the same shape."""
    outputs, targets = np.asarray(a, np.float64), np.asarray(y, np.float64)
    if outputs.shape != targets.shape:
        raise ValueError(f"y: expected the shape of a, {outputs.shape}, got {targets.shape}")
    return outputs, targets


def difference(a: ArrayLike, y: ArrayLike) -> NDArray:
    """a - y in float64, after the same check."""
    outputs, targets = columns(a, y)
    r: NDArray = outputs - targets
    return r
