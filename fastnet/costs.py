"""Cost functions, and which output layer each goes with.

A cost is a class with two static methods, as in the book; arrays are columns,
(n_out, m), one example each:

    fn(a, y)        the cost, summed over the columns
    delta(z, a, y)  the output error dC/dz, (n_out, m)

To add one of the package's own: the class and its row in ``PAIRS`` here; its name
in ``fn_cost`` (csrc/fastnet.h, _kernels.pxd) and ``COSTS`` (_arguments.pxi); its output
error and value in csrc/cost_tmpl.h and in reference.py; its formulas in explanation.py.
A user's own class needs none of that: it is called from the loop.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet import activations, checks
from fastnet.functions import sigmoid_prime


class Cost(Protocol):
    """What a cost class has to have."""

    @staticmethod
    def fn(a: NDArray, y: NDArray) -> float: ...

    @staticmethod
    def delta(z: NDArray, a: NDArray, y: NDArray) -> NDArray: ...


def _columns(a: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
    """Both as float64, after a check that nothing would be broadcast."""
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
            f"y: expected labels from 0 to {len(outputs) - 1}, got {checks.briefly(y)}"
        )
    classes = np.arange(len(outputs)).reshape(-1, *[1] * (outputs.ndim - 1))
    return np.asarray(classes == labels, np.float64)


class QuadraticCost:
    """C = 1/2 ||a - y||^2 (eq. 54), for sigmoid or linear outputs.

    Both methods take columns: a, y and z are (n_out,) or (n_out, m) numbers, m
    examples side by side, all of one shape; another shape is a ValueError.

    Examples
    --------
    >>> QuadraticCost.fn([0.8, 0.4], [1, 0])
    0.1
    """

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """1/2 ||a - y||^2, summed over all columns."""
        return float(np.sum(np.square(_difference(a, y))) / 2)

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """(a - y) sigma'(z), the output error of sigmoid neurons (eq. 65)."""
        error: NDArray = _difference(a, y) * sigmoid_prime(z)
        return error


class CrossEntropyCost:
    """C = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)] (eqs. 57, 63), for sigmoid outputs.

    Targets may lie anywhere in [0, 1]. Both methods take columns, as for
    ``QuadraticCost``.

    Examples
    --------
    >>> round(CrossEntropyCost.fn([0.8, 0.4], [1, 0]), 6)
    0.733969
    """

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns; 0 ln 0 is 0, and a wrong certainty costs infinity."""
        a, y = _columns(a, y)
        return float(np.sum(-_log_times(y, a) - _log_times(1 - y, 1 - a)))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y (eq. 66); z is not needed."""
        return _difference(a, y)


class LogLikelihoodCost:
    """C = -ln a_y (eq. 80), for softmax outputs.

    With targets that sum to one it is -sum_j y_j ln a_j. Both methods take columns,
    as for ``QuadraticCost``; y may hold one integer label per column instead.

    Examples
    --------
    >>> round(LogLikelihoodCost.fn([0.7, 0.2, 0.1], 0), 6)
    0.356675
    """

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        a, y = _columns(a, _one_hot(a, y))
        return float(np.sum(-_log_times(y, a)))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y (eq. 84); z is not needed."""
        return _difference(a, _one_hot(a, y))


class AbsoluteCost:
    """C = sum_j |a_j - y_j|, the absolute error, for linear outputs.

    An outlier pulls no more than any other example does. Both methods take columns, as
    for ``QuadraticCost``.

    Examples
    --------
    >>> AbsoluteCost.fn([0.5, 4.0], [1, 1])
    3.5
    """

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        return float(np.sum(np.abs(_difference(a, y))))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """The sign of a - y, 0 where they are equal; z is not needed."""
        error: NDArray = np.sign(_difference(a, y))
        return error


class HuberCost:
    """C = sum_j of r^2/2 where |r| <= 1, else |r| - 1/2, with r = a_j - y_j, for linear outputs.

    Quadratic near the target, absolute far from it: P. Huber, Robust Estimation of a
    Location Parameter, Annals of Mathematical Statistics 35 (1964), with the threshold
    1; targets of another scale want scaling. Both methods take columns, as for
    ``QuadraticCost``.

    Examples
    --------
    >>> HuberCost.fn([0.5, 4.0], [1, 1])
    2.625
    """

    @staticmethod
    def fn(a: ArrayLike, y: ArrayLike) -> float:
        """Summed over all columns."""
        r = np.abs(_difference(a, y))
        return float(np.sum(np.where(r > 1, r - 0.5, np.minimum(r, 1) ** 2 / 2)))

    @staticmethod
    def delta(z: ArrayLike, a: ArrayLike, y: ArrayLike) -> NDArray:
        """a - y, and 1 or -1 where that is beyond; z is not needed."""
        error: NDArray = np.clip(_difference(a, y), -1, 1)
        return error


class PoissonCost:
    """C = sum_j (a_j - y_j ln a_j), for exponential outputs, a = e^z.

    The negative logarithm of the likelihood of counts y that are Poisson-distributed
    with the means a, without the ln y! that no weight changes; so it may be negative.
    Targets are 0 or more, whole numbers or not. Both methods take columns, as for
    ``QuadraticCost``.

    Examples
    --------
    >>> PoissonCost.fn([1.0, 2.0], [3, 0])
    3.0
    """

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


class Pair(NamedTuple):
    name: str
    cost: type[Cost]
    outputs: tuple[str, ...]  # the first is the usual one


PAIRS = (
    Pair("quadratic", QuadraticCost, ("sigmoid", "linear")),
    Pair("cross-entropy", CrossEntropyCost, ("sigmoid",)),
    Pair("log-likelihood", LogLikelihoodCost, ("softmax",)),
    Pair("absolute", AbsoluteCost, ("linear",)),
    Pair("huber", HuberCost, ("linear",)),
    Pair("poisson", PoissonCost, ("exponential",)),
)
OUTPUTS = activations.OUTPUTS
ALLOWED = ", ".join(f"{output} + {pair.name}" for pair in PAIRS for output in pair.outputs)
NAMES = tuple(pair.name for pair in PAIRS)
BY_CLASS_NAME = {pair.cost.__name__: pair.cost for pair in PAIRS}


class Choice(NamedTuple):
    """A cost and an output layer that go together; ``kernel`` is the cost's name
    in C, or None for a user's own class."""

    cost: type[Cost] | Cost
    kernel: str | None
    output: str


def choose(cost: Any, output: str | None) -> Choice:
    """Settle ``Network``'s arguments ``cost`` (a class or a name) and ``output``."""
    if output is not None and not (isinstance(output, str) and output in OUTPUTS):
        raise ValueError(
            f"output: expected one of {', '.join(OUTPUTS)}; got {checks.briefly(output)}"
        )
    given = cost if isinstance(cost, (str, type)) else type(cost)  # an object stands for its class
    for pair in PAIRS:
        if given in (pair.cost, pair.name):
            if output is not None and output not in pair.outputs:
                raise ValueError(
                    f"output: {output} does not go with the {pair.name} cost; "
                    f"the pairs allowed are {ALLOWED}"
                )
            return Choice(pair.cost, pair.name, output or pair.outputs[0])
    if callable(getattr(cost, "fn", None)) and callable(getattr(cost, "delta", None)):
        return Choice(cost, None, output or "sigmoid")
    raise ValueError(
        f"cost: expected one of {', '.join(NAMES)}, or a class with static methods "
        f"fn(a, y) and delta(z, a, y); got {checks.briefly(cost)}"
    )
