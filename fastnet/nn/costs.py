"""Cost functions, and which output layer each goes with.

A cost is a class, or an object with parameters, with the book's methods; each
column is an example:

    fn(a, y)        the cost, summed over the columns
    delta(z, a, y)  the output error dC/dz, (n_out, m)

The costs of the package are ``COSTS``; to add one, add its class here, its name to
``__all__``, which has what the package exports, and its section to csrc/api/costs.def
(docs/adding-things.md). A custom class needs none of that: it is called from the training loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.core import checks
from fastnet.nn import activations, registry
from fastnet.nn.cost_base import (
    BuiltInCost,
    Cost,
    Formula,
    class_or_object_method,
    columns,
    difference,
)
from fastnet.nn.functions import sigmoid_prime
from fastnet.nn.registry import Kernel

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
    etas: ClassVar = {"sigmoid": 3.0, "linear": 0.05}

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """1/2 ||a - y||^2, summed over all columns."""
        return float(np.sum(np.square(difference(a, y))) / 2)

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """(a - y) sigma'(z), the output error of sigmoid neurons (eq. 65)."""
        error: NDArray = difference(a, y) * sigmoid_prime(z)
        return error

    def for_scaled_targets(self, deviation: NDArray) -> BuiltInCost | None:
        return self

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
        a, y = columns(a, y)
        return float(np.sum(-_log_times(y, a) - _log_times(1 - y, 1 - a)))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y (eq. 66); z is not needed."""
        return difference(a, y)

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
    etas: ClassVar = {"softmax": 0.5}

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        a, y = columns(a, _one_hot(a, y))
        return float(np.sum(-_log_times(y, a)))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y (eq. 84); z is not needed."""
        return difference(a, _one_hot(a, y))

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
    etas: ClassVar = {"linear": 0.1}

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        return float(np.sum(np.abs(difference(a, y))))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """The sign of a - y, 0 where they are equal; z is not needed."""
        error: NDArray = np.sign(difference(a, y))
        return error

    def for_scaled_targets(self, deviation: NDArray) -> BuiltInCost | None:
        return self

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
    etas: ClassVar = {"linear": 0.2}

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", checks.positive("threshold", self.threshold))

    @class_or_object_method
    def fn(self, a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        r = difference(a, y)
        return float(np.sum(self.values(r, r, np.zeros_like(r))))

    @class_or_object_method
    def delta(self, z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y, limited to plus or minus the threshold; z is not needed."""
        return self.error("linear", *columns(a, y))

    def for_scaled_targets(self, deviation: NDArray) -> BuiltInCost | None:
        return HuberCost(self.threshold / float(deviation[0])) if len(deviation) == 1 else None

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
        a, y = columns(a, y)
        with np.errstate(invalid="ignore"):
            return float(np.sum(np.where(a == np.inf, a, a - _log_times(y, a))))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y; z is not needed."""
        return difference(a, y)

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
    etas: ClassVar = {"linear": 0.2}

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        return float(np.sum(_log_cosh(difference(a, y))))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """tanh(a - y); z is not needed."""
        error: NDArray = np.tanh(difference(a, y))
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

    With several quantiles each output has its own, q_j, and networks accept data with one target
    per example, which is then the target of every output.

    Parameters
    ----------
    quantile : float or sequence of float, default 0.5
        q, with 0 < q < 1, for all outputs; or one for each output. A sequence of one is a number.

    Raises
    ------
    TypeError, ValueError
        If ``quantile`` is not such a number or a sequence of them.

    Examples
    --------
    >>> QuantileCost(0.9).fn([0.0, 2.0], [1, 1])
    1.0
    >>> QuantileCost(0.9).delta(None, [0.0, 2.0], [1, 1]).round(3).tolist()
    [-0.9, 0.1]
    >>> QuantileCost([0.25, 0.9]).delta(None, [0.0, 2.0], [1, 1]).round(3).tolist()
    [-0.25, 0.1]
    """

    quantile: float | Sequence[float] = 0.5

    name = "quantile"
    formula = Formula("Σ_j max({quantile} (y_j - a_j), (1 - {quantile}) (a_j - y_j))")
    errors: ClassVar = {"linear": Formula("1 - {quantile} where a^{L} > y, -{quantile} below")}
    sklearn_name = "quantile"
    sklearn_parameters: ClassVar = {"quantile": "quantile"}
    per_output = True

    def __post_init__(self) -> None:
        given: Any = self.quantile
        listed = given.tolist() if hasattr(given, "tolist") else given  # of an array
        if isinstance(listed, str | bytes) or not isinstance(listed, Sequence):
            object.__setattr__(self, "quantile", _quantile("quantile", given))
            return
        each = tuple(_quantile(f"quantile[{i}]", one) for i, one in enumerate(listed))
        if not each:
            raise ValueError(
                f"quantile: expected a number, or one for each output, "
                f"got {checks.short_repr(given)}"
            )
        object.__setattr__(self, "quantile", each[0] if len(each) == 1 else each)

    @property
    def quantiles(self) -> tuple[float, ...] | None:
        return self.quantile if isinstance(self.quantile, tuple) else None

    def quantiles_of(self, n_out: int) -> tuple[float, ...]:
        given: Any = self.quantile
        return given if isinstance(given, tuple) else (given,) * n_out

    @property
    def _q(self) -> Any:
        """For arrays whose last axis is that of the outputs."""
        return np.array(self.quantile) if self.n_out else self.quantile

    def _rows(self, a: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
        """Columns as rows, of as many outputs as there are quantiles."""
        outputs, targets = columns(a, y)
        if self.n_out and (not outputs.ndim or len(outputs) != self.n_out):
            raise ValueError(
                f"a: expected {self.n_out} outputs, one for each quantile, "
                f"got shape {outputs.shape}"
            )
        return outputs.T, targets.T

    @class_or_object_method
    def fn(self, a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        outputs, targets = self._rows(a, y)
        return float(np.sum(self.values(outputs, outputs, targets)))

    @class_or_object_method
    def delta(self, z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """1 - q where a > y, -q where a < y, 0 where they are equal; z is not needed."""
        return self.error("linear", *self._rows(a, y)).T

    def for_scaled_targets(self, deviation: NDArray) -> BuiltInCost | None:
        return self

    def filled(self, text: str, **values: Any) -> str:
        if not self.n_out:
            return super().filled(text, **values)
        named = super().filled(text, quantile="q_j", **values)
        return f"{named}, q = ({', '.join(map(registry.shortest, self._q.tolist()))})"

    def values(self, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        r, q = a - y, self._q
        values: NDArray = np.maximum((1 - q) * r, -q * r)
        return values

    def error(self, output: str, a: NDArray, y: NDArray) -> NDArray:
        r, q = a - y, self._q
        error: NDArray = np.where(r > 0, 1 - q, np.where(r < 0, -q, r)).astype(r.dtype)
        return error


def _quantile(name: str, given: Any) -> float:
    """A number over 0 and below 1."""
    quantile: float = checks.positive(name, given)
    if quantile >= 1:
        raise ValueError(
            f"{name}: expected a number over 0 and below 1, got {checks.short_repr(given)}"
        )
    return quantile


COSTS = registry.classes(globals(), BuiltInCost)
OUTPUTS = activations.OUTPUTS
ALLOWED = ", ".join(f"{output} + {cost.name}" for cost in COSTS for output in cost.errors)
NAMES = tuple(cost.name for cost in COSTS)
BY_NAME = {cost.name: cost for cost in COSTS}
BY_CLASS_NAME = {cost.__name__: cost for cost in COSTS}
# {class: an object with the default parameters}
_DEFAULTS = {cost: cost() for cost in COSTS}


class CostSpec(NamedTuple):
    """A cost and an output layer that go together; ``kernel`` is the cost's name in C, with its
    parameters if it has some, or None for a custom class."""

    cost: type[Cost] | Cost
    kernel: Kernel | None
    output: str

    @property
    def built_in(self) -> BuiltInCost | None:
        """The cost as an object, if it is one of the package's."""
        return None if self.kernel is None else of_kernel(self.kernel)

    @property
    def label(self) -> str:
        """The cost as messages name it: "huber:2.0", or the name of a custom class."""
        named = self.built_in or getattr(self.cost, "__name__", None)
        return repr(self.cost) if named is None else str(named)

    @property
    def identity(self) -> tuple[Any, str]:
        """Equal for equal networks: a class is the same cost as an object of it with the default
        parameters."""
        return self.kernel or self.cost, self.output


Choice = CostSpec  # its name in pickles of version 0.1


def of_kernel(kernel: Kernel) -> BuiltInCost:
    """The cost of a name in C, or of a tuple of name and parameters."""
    if isinstance(kernel, str):
        return _DEFAULTS[BY_NAME[kernel]]
    name, *parameters = kernel
    return BY_NAME[name](*parameters)


def choose(cost: Any, output: str | None, n_out: int | None = None) -> CostSpec:
    """Resolve ``Network``'s arguments ``cost`` (a class, an object or a name) and ``output``, for
    ``n_out`` outputs, or for any number if that is None."""
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
        if n_out is not None and found.n_out not in (None, n_out):
            raise ValueError(
                f"cost: expected one {found.name} for all outputs, or {n_out}, one for each, "
                f"got {found.n_out}: {checks.short_repr(found)}"
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
        return _DEFAULTS[BY_NAME[cost]] if cost in BY_NAME else None
    if isinstance(cost, type):
        return _DEFAULTS.get(cost)
    return cost if type(cost) in COSTS else None


def from_text(text: str) -> BuiltInCost:
    """The cost whose ``str`` this is: "quadratic", "huber:2.0" or "quantile:0.1,0.9".

    >>> from_text("huber:2.0")
    HuberCost(threshold=2.0)
    >>> from_text("quantile:0.1,0.9")
    QuantileCost(quantile=(0.1, 0.9))
    """
    known = {name: [*cost().named_parameters] for name, cost in BY_NAME.items()}
    per_output = {name for name, cost in BY_NAME.items() if cost.per_output}
    name, numbers = registry.parsed(text, known, per_output)
    given: list[Any] = [numbers] if numbers and name in per_output else numbers
    return BY_NAME[name](*given)


def to_json(cost: type[Cost] | Cost) -> str | dict[str, Any]:
    """A cost in the form that files contain: the name of its class, and its parameters if they are
    not the defaults."""
    found = _built_in(cost)
    if found is None or found.has_defaults:
        return str(getattr(cost, "__name__", type(cost).__name__))
    return {"class": type(found).__name__, **found.named_parameters}


def from_json(value: Any) -> Any:
    """The package's cost that ``to_json`` described, or None."""
    if isinstance(value, str):
        return BY_CLASS_NAME.get(value)
    return registry.from_fields(value, "class", BY_CLASS_NAME) if isinstance(value, dict) else None
