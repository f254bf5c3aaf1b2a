"""Cost functions, and which output layer each goes with.

A cost is a class, or an object with parameters, with the book's methods; each
column is an example:

    fn(a, y)        the cost, summed over the columns
    delta(z, a, y)  the output error dC/dz, (n_out, m)

The costs of the package are ``COSTS``; to add one, add its class here, its name to
``__all__``, and its section to csrc/api/costs.def (docs/adding-things.md). A custom class needs
none of that: it is called from the training loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import inf
from types import MethodType
from typing import Any, ClassVar, Concatenate, Generic, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.core import checks
from fastnet.nn import activations
from fastnet.nn.functions import sigmoid_prime

__all__ = [
    "AbsoluteCost",
    "CrossEntropyCost",
    "HuberCost",
    "LogCoshCost",
    "LogLikelihoodCost",
    "PoissonCost",
    "QuadraticCost",
    "QuantileCost",
]

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


@dataclass(frozen=True)
class BuiltInCost:
    """Base class of the package's costs: their properties, which all other modules read.

    A cost with parameters is a dataclass of them; the class itself stands for the defaults.

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
    """

    name: ClassVar[str]
    formula: ClassVar[Formula]
    errors: ClassVar[Mapping[str, Formula]]
    lowest: ClassVar[float] = -inf
    highest: ClassVar[float] = inf
    rows_sum_to_one: ClassVar[bool] = False
    sklearn_name: ClassVar[str | None] = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.parameters  # so that parameters in a pickle are checked

    def __str__(self) -> str:
        """Its name, and parameters other than the defaults, in the command line's form."""
        numbers = map(str, self.parameters if self != type(self)() else ())
        return ":".join([self.name, ",".join(numbers)]).removesuffix(":")

    @property
    def parameters(self) -> tuple[float, ...]:
        return tuple(self.named_parameters.values())

    @property
    def named_parameters(self) -> dict[str, float]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def target_range(self) -> str:
        """The range of the targets in words."""
        if self.highest == inf:
            return f"of {self.lowest:g} or more"
        if self.lowest == -inf:
            return f"of {self.highest:g} or less"
        return f"from {self.lowest:g} to {self.highest:g}"

    @property
    def kernel(self) -> str | tuple[Any, ...]:
        """Its name in C, or a tuple of the name and the parameters."""
        return (self.name, *self.parameters) if self.parameters else self.name

    def shown(self, formula: Formula, **values: Any) -> Formula:
        """The formula with the parameters' values and ``values`` inserted."""
        named = {name: f"{value:g}" for name, value in self.named_parameters.items()}
        return formula._replace(text=formula.text.format(**named, **values))

    # For fastnet.reference: arrays of any one shape, z and a those of the output layer.

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        """The cost of each output, in float64; from z where a is saturated or infinite."""
        raise NotImplementedError

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        """dC/dz of each output, in the arrays' type."""
        error: NDArray = a - y
        return error

    # For fastnet.sklearn.

    @staticmethod
    def sklearn_loss(cost: float, y: NDArray, n_out: int, weights: NDArray | None) -> float:
        """The loss as scikit-learn states it, for a mean ``cost`` of examples with targets ``y``,
        ``n_out`` outputs and ``weights`` or None."""
        return cost


class _method(Generic[P, R]):
    """A method of an object with its parameters, and of the class with the default ones."""

    def __init__(self, function: Callable[Concatenate[Any, P], R]):
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, cost: Any, owner: type) -> Callable[P, R]:
        return MethodType(self._function, owner() if cost is None else cost)


def _columns(a: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
    """Both as float64, after a check that they have the same shape."""
    outputs, targets = np.asarray(a, np.float64), np.asarray(y, np.float64)
    if outputs.shape != targets.shape:
        raise ValueError(f"y: expected the shape of a, {outputs.shape}, got {targets.shape}")
    return outputs, targets


def _difference(a: ArrayLike, y: ArrayLike) -> NDArray:
    outputs, targets = _columns(a, y)
    difference: NDArray = outputs - targets
    return difference


def _log_times(y: NDArray, a: NDArray) -> NDArray:
    """y ln a, with 0 ln 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(y == 0, 0.0, y * np.log(a))


def _one_hot(a: ArrayLike, y: ArrayLike) -> ArrayLike:
    """Integer labels, a number or (m,), as ones in columns like those of a."""
    labels, outputs = np.asarray(y), np.asarray(a)
    if outputs.ndim == 0:
        return y
    one_each = labels.shape == outputs.shape[1:] or (labels.ndim == 0 and outputs.shape[1:] == (1,))
    if labels.dtype.kind not in "iu" or not one_each:
        return y
    if labels.size and not 0 <= labels.min() <= labels.max() < len(outputs):
        raise ValueError(
            f"y: expected labels from 0 to {len(outputs) - 1}, got {checks.short_repr(y)}"
        )
    classes = np.arange(len(outputs)).reshape(-1, *[1] * (outputs.ndim - 1))
    return np.asarray(classes == labels, np.float64)


class QuadraticCost(BuiltInCost):
    """C = 1/2 ||a - y||^2 (eq. 54), for sigmoid or linear outputs.

    Both methods take columns: a, y and z are (n_out,) or (n_out, m) numbers, m
    examples side by side, all of one shape; another shape is a ValueError.

    Examples
    --------
    >>> QuadraticCost.fn([0.8, 0.4], [1, 0])
    0.1
    """

    name = "quadratic"
    formula = Formula("1/2 Σ_j (a_j - y_j)²", "54")
    errors: ClassVar = {
        "sigmoid": Formula("(a^{L} - y) ⊙ σ′(z^{L})", "BP1, 65"),
        "linear": Formula("a^{L} - y", "68"),
    }
    sklearn_name = "squared_error"

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """1/2 ||a - y||^2, summed over all columns."""
        return float(np.sum(np.square(_difference(a, y))) / 2)

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """(a - y) sigma'(z), the output error of sigmoid neurons (eq. 65)."""
        error: NDArray = _difference(a, y) * sigmoid_prime(z)
        return error

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        values: NDArray = np.square(a - y) / 2
        return values

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        error: NDArray = (a - y) * (a * (1 - a)) if output == "sigmoid" else a - y
        return error

    @staticmethod
    def sklearn_loss(cost: float, y: NDArray, n_out: int, weights: NDArray | None) -> float:
        """``cost`` as the mean over the ``n_out`` outputs; neither ``y`` nor ``weights``
        matter."""
        return cost / n_out


class CrossEntropyCost(BuiltInCost):
    """C = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)] (eqs. 57, 63), for sigmoid outputs.

    Targets may lie anywhere in [0, 1]. Both methods take columns, as for
    ``QuadraticCost``.

    Examples
    --------
    >>> round(CrossEntropyCost.fn([0.8, 0.4], [1, 0]), 6)
    0.733969
    """

    name = "cross-entropy"
    formula = Formula("-Σ_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)]", "63")
    errors: ClassVar = {"sigmoid": Formula("a^{L} - y", "66")}
    lowest, highest = 0.0, 1.0
    sklearn_name = "log_loss"

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Sum over all columns; 0 ln 0 is 0, a wrong output of 0 or 1 costs infinity."""
        a, y = _columns(a, y)
        return float(np.sum(-_log_times(y, a) - _log_times(1 - y, 1 - a)))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y (eq. 66); z is not needed."""
        return _difference(a, y)

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        values: NDArray = np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))
        return values


class LogLikelihoodCost(BuiltInCost):
    """C = -ln a_y (eq. 80), for softmax outputs.

    With targets that sum to one it is -sum_j y_j ln a_j. Both methods take columns,
    as for ``QuadraticCost``; y may hold one integer label per column instead.

    Examples
    --------
    >>> round(LogLikelihoodCost.fn([0.7, 0.2, 0.1], 0), 6)
    0.356675
    """

    name = "log-likelihood"
    formula = Formula("-Σ_j y_j ln a_j", "80")
    errors: ClassVar = {"softmax": Formula("a^{L} - y", "84")}
    lowest, highest = 0.0, 1.0
    rows_sum_to_one = True
    sklearn_name = "log_loss"

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        a, y = _columns(a, _one_hot(a, y))
        return float(np.sum(-_log_times(y, a)))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y (eq. 84); z is not needed."""
        return _difference(a, _one_hot(a, y))

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        shifted = z - z.max(axis=1, keepdims=True)  # rows are examples
        values: NDArray = y * (np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted)
        return values


class AbsoluteCost(BuiltInCost):
    """C = sum_j |a_j - y_j|, the absolute error, for linear outputs.

    The gradient of an outlier is no larger than that of other examples. Both methods take columns,
    as for ``QuadraticCost``.

    Examples
    --------
    >>> AbsoluteCost.fn([0.5, 4.0], [1, 1])
    3.5
    """

    name = "absolute"
    formula = Formula("Σ_j |a_j - y_j|")
    errors: ClassVar = {"linear": Formula("sgn(a^{L} - y)")}
    sklearn_name = "absolute_error"

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        return float(np.sum(np.abs(_difference(a, y))))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """The sign of a - y, 0 where they are equal; z is not needed."""
        error: NDArray = np.sign(_difference(a, y))
        return error

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        values: NDArray = np.abs(a - y)
        return values

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        error: NDArray = np.sign(a - y)
        return error


@dataclass(frozen=True)
class HuberCost(BuiltInCost):
    """C = sum_j of r^2/2 where |r| <= t, else t (|r| - t/2), r = a_j - y_j, for linear outputs.

    Quadratic near the target, absolute far from it: P. Huber, Robust Estimation of a
    Location Parameter, Annals of Mathematical Statistics 35 (1964). Both methods take columns,
    as for ``QuadraticCost``; on the class they use threshold 1.

    Parameters
    ----------
    threshold : float, default 1.0
        t, in units of the targets; positive. In float32 networks also within the range of float32.

    Raises
    ------
    TypeError, ValueError
        If ``threshold`` is not a positive number.

    Examples
    --------
    >>> HuberCost.fn([0.5, 4.0], [1, 1])
    2.625
    >>> HuberCost(2.0).fn([0.5, 4.0], [1, 1])
    4.125
    >>> import fastnet
    >>> fastnet.Network([3, 1], HuberCost(threshold=2.0)).cost
    HuberCost(threshold=2.0)
    """

    threshold: float = 1.0

    name = "huber"
    formula = Formula(
        "Σ_j (a_j - y_j)²/2, beyond {threshold}: {threshold} (|a_j - y_j| - {threshold}/2)"
    )
    errors: ClassVar = {"linear": Formula("a^{L} - y, from -{threshold} to {threshold}")}
    sklearn_name = "huber"

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", checks.positive("threshold", self.threshold))

    @_method
    def fn(self, a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        difference = _difference(a, y)
        return float(np.sum(self.values(difference, difference, np.zeros_like(difference))))

    @_method
    def delta(self, z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y, limited to plus or minus the threshold; z is not needed."""
        return self.error("linear", *_columns(a, y))

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        r, t = np.abs(a - y), self.threshold
        values: NDArray = np.where(r > t, t * (r - t / 2), np.minimum(r, t) ** 2 / 2)
        return values

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        error: NDArray = np.clip(a - y, -self.threshold, self.threshold)
        return error


class PoissonCost(BuiltInCost):
    """C = sum_j (a_j - y_j ln a_j), for exponential outputs, a = e^z.

    The negative logarithm of the likelihood of counts y that are Poisson-distributed
    with the means a, without ln y!, which is constant; so it may be negative.
    Targets are 0 or more, whole numbers or not. Both methods take columns, as for
    ``QuadraticCost``.

    Examples
    --------
    >>> PoissonCost.fn([1.0, 2.0], [3, 0])
    3.0
    """

    name = "poisson"
    formula = Formula("Σ_j (a_j - y_j ln a_j)")
    errors: ClassVar = {"exponential": Formula("a^{L} - y")}
    lowest = 0.0
    sklearn_name = "poisson"

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns; 0 ln 0 is 0, and an infinite output costs infinity."""
        a, y = _columns(a, y)
        with np.errstate(invalid="ignore"):
            return float(np.sum(np.where(a == np.inf, a, a - _log_times(y, a))))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y; z is not needed."""
        return _difference(a, y)

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        with np.errstate(invalid="ignore"):
            return np.where(a == np.inf, a, a - y * z)

    @staticmethod
    def sklearn_loss(cost: float, y: NDArray, n_out: int, weights: NDArray | None) -> float:
        """Half the deviance: ``cost`` plus the mean by ``weights`` of the terms in ``y`` alone, for
        any ``n_out``."""
        counts = y.astype(np.float64)
        logs = np.log(counts, out=np.zeros_like(counts), where=counts > 0)
        return cost + float(np.average((counts * logs - counts).sum(axis=1), weights=weights))


class LogCoshCost(BuiltInCost):
    """C = sum_j ln cosh(a_j - y_j), for linear outputs.

    Nearly r^2/2 near the target and |r| - ln 2 far from it, r = a_j - y_j, as Huber's cost, but
    smooth. Networks compute it to 8 ULP of float64 for any r, and its error to 2 ULP of their
    type. Both methods take columns, as for ``QuadraticCost``.

    Examples
    --------
    >>> round(LogCoshCost.fn([0.5, 1001.0], [1, 1]), 6)
    999.426967
    """

    name = "log-cosh"
    formula = Formula("Σ_j ln cosh(a_j - y_j)")
    errors: ClassVar = {"linear": Formula("tanh(a^{L} - y)")}

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        return float(np.sum(_log_cosh(_difference(a, y))))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """tanh(a - y); z is not needed."""
        error: NDArray = np.tanh(_difference(a, y))
        return error

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        return _log_cosh(a - y)

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        error: NDArray = np.tanh(a - y)
        return error


def _log_cosh(r: NDArray) -> NDArray:
    """ln cosh r: ln(1 + 2 sinh^2(r/2)) near 0, so that nothing cancels or overflows."""
    r = np.abs(r)
    near = np.log1p(2 * np.sinh(np.minimum(r, 1) / 2) ** 2)
    far = r - np.log(2) + np.log1p(np.exp(-r) ** 2)
    values: NDArray = np.where(r < 1, near, far)
    return values


@dataclass(frozen=True)
class QuantileCost(BuiltInCost):
    """C = sum_j of q |r| where r < 0, else (1 - q) |r|, r = a_j - y_j, for linear outputs.

    Outputs learn the q-quantile of the targets: a share q of them lies below it. R. Koenker
    and G. Bassett, Regression Quantiles, Econometrica 46 (1978). Both methods take columns, as for
    ``QuadraticCost``; on the class they use quantile 0.5: half the absolute cost.

    Parameters
    ----------
    quantile : float, default 0.5
        q, with 0 < q < 1.

    Raises
    ------
    TypeError, ValueError
        If ``quantile`` is not such a number.

    Examples
    --------
    >>> QuantileCost(0.9).fn([0.0, 2.0], [1, 1])
    1.0
    >>> QuantileCost(0.9).delta(None, [0.0, 2.0], [1, 1]).round(3).tolist()
    [-0.9, 0.1]
    """

    quantile: float = 0.5

    name = "quantile"
    formula = Formula("Σ_j max({quantile} (y_j - a_j), (1 - {quantile}) (a_j - y_j))")
    errors: ClassVar = {"linear": Formula("1 - {quantile} where a^{L} > y, -{quantile} below")}
    sklearn_name = "quantile"

    def __post_init__(self) -> None:
        quantile = checks.positive("quantile", self.quantile)
        if quantile >= 1:
            raise ValueError(
                f"quantile: expected a number over 0 and below 1, "
                f"got {checks.short_repr(self.quantile)}"
            )
        object.__setattr__(self, "quantile", quantile)

    @_method
    def fn(self, a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        outputs, targets = _columns(a, y)
        return float(np.sum(self.values(outputs, outputs, targets)))

    @_method
    def delta(self, z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """1 - q where a > y, -q where a < y, 0 where they are equal; z is not needed."""
        return self.error("linear", *_columns(a, y))

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        r: NDArray = a - y
        return np.maximum((1 - self.quantile) * r, -self.quantile * r)

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        r: NDArray = a - y
        return np.where(r > 0, 1 - self.quantile, np.where(r < 0, -self.quantile, r)).astype(
            r.dtype
        )


# In the order of their definition.
COSTS: tuple[type[BuiltInCost], ...] = tuple(
    value for name, value in list(globals().items()) if name in __all__
)
OUTPUTS = activations.OUTPUTS
ALLOWED = ", ".join(f"{output} + {cost.name}" for cost in COSTS for output in cost.errors)
NAMES = tuple(cost.name for cost in COSTS)
BY_NAME = {cost.name: cost for cost in COSTS}
BY_CLASS_NAME = {cost.__name__: cost for cost in COSTS}


class CostSpec(NamedTuple):
    """A cost and an output layer that go together; ``kernel`` is the cost's name in C, with its
    parameters if it has some, or None for a custom class."""

    cost: type[Cost] | Cost
    kernel: str | tuple[Any, ...] | None
    output: str

    @property
    def built_in(self) -> BuiltInCost | None:
        """The cost as an object, if it is one of the package's."""
        return None if self.kernel is None else of_kernel(self.kernel)

    @property
    def identity(self) -> tuple[Any, str]:
        """Equal for equal networks: a class is the same cost as an object of it with the default
        parameters."""
        return self.kernel or self.cost, self.output


Choice = CostSpec  # its name in pickles of version 0.1


def of_kernel(kernel: str | tuple[Any, ...]) -> BuiltInCost:
    """The cost with this name (and parameters) in C."""
    name, *parameters = kernel if isinstance(kernel, tuple) else (kernel,)
    return BY_NAME[name](*parameters)


def choose(cost: Any, output: str | None) -> CostSpec:
    """Resolve ``Network``'s arguments ``cost`` (a class, an object or a name) and ``output``."""
    if output is not None and not (isinstance(output, str) and output in OUTPUTS):
        raise ValueError(
            f"output: expected one of {', '.join(OUTPUTS)}; got {checks.short_repr(output)}"
        )
    found = _built_in(cost)
    if found is not None:
        if output is not None and output not in found.errors:
            raise ValueError(
                f"output: {output} does not go with the {found.name} cost; "
                f"the pairs allowed are {ALLOWED}"
            )
        given: Any = found if found is cost and found.parameters else type(found)
        return CostSpec(given, found.kernel, output or next(iter(found.errors)))
    if callable(getattr(cost, "fn", None)) and callable(getattr(cost, "delta", None)):
        return CostSpec(cost, None, output or "sigmoid")
    raise ValueError(
        f"cost: expected one of {', '.join(NAMES)}, or a class with static methods "
        f"fn(a, y) and delta(z, a, y); got {checks.short_repr(cost)}"
    )


def _built_in(cost: Any) -> BuiltInCost | None:
    """The package's cost for a class, an object or a name; None if there is none."""
    if isinstance(cost, str):
        return BY_NAME[cost]() if cost in BY_NAME else None
    if isinstance(cost, type):
        return cost() if cost in COSTS else None
    return cost if type(cost) in COSTS else None


def from_text(text: str) -> BuiltInCost:
    """The cost whose ``str`` this is: "quadratic" or "huber:2.0".

    >>> from_text("huber:2.0")
    HuberCost(threshold=2.0)
    """
    name, colon, numbers = text.partition(":")
    if name not in BY_NAME:
        raise ValueError(f"expected one of {', '.join(NAMES)}; got {checks.short_repr(text)}")
    cost = BY_NAME[name]
    names = [*cost().named_parameters]
    given = numbers.split(",") if colon else []
    try:
        parameters = [float(number) for number in given]
    except ValueError:
        raise ValueError(
            f"expected numbers after the colon, got {checks.short_repr(text)}"
        ) from None
    if colon and len(parameters) != len(names):
        wanted = f"{name}:{','.join(name.upper() for name in names)}" if names else name
        raise ValueError(f"expected {wanted}, got {checks.short_repr(text)}")
    return cost(*parameters)


def to_json(cost: type[Cost] | Cost) -> str | dict[str, Any]:
    """A cost in the form that files contain: the name of its class, and its parameters if they are
    not the defaults."""
    found = _built_in(cost)
    if found is None or found == type(found)():
        return str(getattr(cost, "__name__", type(cost).__name__))
    return {"class": type(found).__name__, **found.named_parameters}


def from_json(value: Any) -> Any:
    """The package's cost that ``to_json`` described, or None."""
    if isinstance(value, str):
        return BY_CLASS_NAME.get(value)
    if not isinstance(value, dict) or not isinstance(value.get("class"), str):
        return None
    cost = BY_CLASS_NAME.get(value["class"])
    if cost is None or {"class", *cost().named_parameters} != value.keys():
        return None
    return cost(**{name: number for name, number in value.items() if name != "class"})
