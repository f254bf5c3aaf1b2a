"""Optimizers: updates of the parameters from the mini-batches' mean gradients.

``Network.SGD`` takes one of these as ``optimizer``; None is the book's plain gradient descent.
An optimizer holds coefficients only: velocities and moments start at zero in each call of ``SGD``.

Each is one class here and one section of ``csrc/api/optimizers.def``, which computes it. Nothing
else lists them: the public names, the reference, the estimators and the command line use
``CLASSES``. To add one: docs/adding-things.md.
"""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.nn import registry

__all__ = ["Adam", "AdamW", "Momentum", "RMSprop"]  # what the package exports


class Optimizer:
    """The properties of one optimizer, apart from its coefficients.

    Attributes
    ----------
    coefficients : tuple of str
        The coefficients that the kernels get, in the order of ``csrc/api/optimizers.def``.
    name : str
        In the kernels, and on the command line.
    n_moments : int
        The number of its arrays of the parameters' size.
    decoupled_decay : bool
        ``lmbda`` is not part of the gradient: each step multiplies weights by 1 - eta lmbda / n.
    divisors : tuple of str
        Coefficients that keep a denominator from 0, so that they must not be subnormal numbers,
        which are 0 in the kernels.
    formula : str
        The step in the book's notation.
    usual_eta, usual_lmbda : float
        The values in docs/techniques.md; the rate is also the default of the command line.
    label : str
        Its row in docs/techniques.md, or "" if it was not measured for that.
    sklearn_name : str
        The ``solver`` of the estimators.
    sklearn_parameters : dict
        The estimators' names of coefficients.
    """

    coefficients: ClassVar[tuple[str, ...]]
    n_moments: ClassVar[int]
    decoupled_decay: ClassVar[bool] = False
    divisors: ClassVar[tuple[str, ...]] = ()
    usual_eta: ClassVar[float]
    usual_lmbda: ClassVar[float] = 0.0
    sklearn_name: ClassVar[str]
    sklearn_parameters: ClassVar[dict[str, str]] = {}

    @property
    def name(self) -> str:
        raise NotImplementedError

    @property
    def formula(self) -> str:
        raise NotImplementedError

    @property
    def label(self) -> str:
        return ""

    @property
    def call(self) -> str:
        """Its constructor call in Python, without coefficients that have their defaults."""
        given = []
        for each in fields(self):  # type: ignore[arg-type]  # those of the dataclass
            value = getattr(self, each.name)
            if each.default is MISSING:
                given.append(f"{value}")
            elif value != each.default:
                given.append(f"{each.name}={value}")
        return f"{type(self).__name__}({', '.join(given)})"

    @classmethod
    def usual(cls) -> list[Optimizer]:
        """One of each name, with the usual coefficients.

        Examples
        --------
        >>> Momentum.usual()
        [Momentum(mu=0.9, nesterov=False), Momentum(mu=0.9, nesterov=True)]
        """
        return [cls()]

    @property
    def kernel(self) -> tuple[Any, ...]:
        """Its name and coefficients in C."""
        return (self.name, *(float(getattr(self, name)) for name in self.coefficients))

    @property
    def is_plain(self) -> bool:
        """Whether its steps are those of plain gradient descent."""
        return False

    def step(self, g: NDArray, moments: NDArray, eta: float, step: int) -> NDArray:
        """The amount that one mini-batch subtracts from the parameters, for ``fastnet.reference``.

        Parameters
        ----------
        g : (parameters,)
            The mean gradient.
        moments : (n_moments, parameters)
            The current moments, updated in place.
        eta : float
            The learning rate.
        step : int
            The number of the mini-batch, from 1.

        Examples
        --------
        >>> v = np.array([[1.0]])
        >>> Momentum(0.5).step(np.array([2.0]), v, eta=0.1, step=2), v
        (array([0.25]), array([[2.5]]))
        """
        raise NotImplementedError

    def last_rate(self, eta: float, steps: int) -> float:
        """The learning rate of step number ``steps`` for ``eta``, bias corrections included.

        Examples
        --------
        >>> round(Adam().last_rate(0.001, 1), 6)
        0.000316
        """
        return eta

    def change_rate(self, moments: NDArray, eta: float, new_eta: float) -> None:
        """Adapt ``moments`` to a change from ``eta`` to ``new_eta`` within a training.

        Examples
        --------
        >>> v = np.array([[1.0]])
        >>> Momentum(0.5).change_rate(v, eta=0.1, new_eta=0.2)
        >>> v
        array([[0.5]])
        """

    def check_dtype(self, words: str, dtype: np.dtype) -> None:
        """Raise a ValueError for a divisor that is 0 in ``dtype``; it begins with ``words``, in
        which {} stands for the coefficient."""
        tiny = float(np.finfo(dtype).tiny)
        for name in self.divisors:
            value = getattr(self, name)
            if value < tiny:
                begin = words.format(self.sklearn_parameters.get(name, name))
                raise ValueError(f"{begin} at least {tiny:.3g} in {dtype}, got {value:g}")


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Momentum: v = mu v + g, W = W - eta v, with g the mini-batch's mean gradient.

    As PyTorch defines it. The book's form, v = mu v - eta g, W = W + v (eqs. 107, 108), gives
    the same steps while eta is constant. ``lmbda`` and ``l1`` are part of g.

    Parameters
    ----------
    mu : float
        The book's momentum co-efficient, from 0 to below 1.
    nesterov : bool, default False
        Nesterov's variant, W = W - eta (g + mu v) (Sutskever et al. 2013).

    Raises
    ------
    ValueError, TypeError
        If ``mu`` is out of range.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
    >>> data = ([[1.0]], [[1.0]])
    >>> history = net.SGD(data, 2, 1, 0.1, optimizer=fastnet.Momentum(0.5), verbose=False)
    >>> round(net.weights[0].item(), 12)  # 2 - 0.1 * 1 - 0.1 * (0.5 * 1 + 0.8)
    1.77
    """

    mu: float
    nesterov: bool = False

    def __post_init__(self) -> None:
        checks.share("mu", self.mu)
        object.__setattr__(self, "nesterov", checks.boolean("nesterov", self.nesterov))

    coefficients = ("mu",)
    n_moments = 1
    usual_eta = 0.05
    sklearn_name = "sgd"
    sklearn_parameters: ClassVar = {"mu": "momentum", "nesterov": "nesterovs_momentum"}

    @property
    def name(self) -> str:
        return "nesterov" if self.nesterov else "momentum"

    @property
    def formula(self) -> str:
        return "v ← μv + g, W ← W − " + ("η (g + μv)" if self.nesterov else "ηv")

    @property
    def label(self) -> str:
        return "Nesterov momentum" if self.nesterov else "momentum"

    @classmethod
    def usual(cls) -> list[Optimizer]:
        return [cls(0.9), cls(0.9, nesterov=True)]

    @property
    def is_plain(self) -> bool:
        return self.mu == 0

    def step(self, g: NDArray, moments: NDArray, eta: float, step: int) -> NDArray:
        (v,) = moments
        v[...] = self.mu * v + g
        change: NDArray = eta * (g + self.mu * v if self.nesterov else v)
        return change

    def change_rate(self, moments: NDArray, eta: float, new_eta: float) -> None:
        moments *= eta / new_eta  # v here is scikit-learn's velocity divided by eta


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1), with bias correction.

    ``lmbda`` and ``l1`` are part of the gradient.

    Parameters
    ----------
    beta1, beta2 : float, default 0.9 and 0.999
        Decay rates of the first and second moment; from 0 to below 1.
    epsilon : float, default 1e-8
        Added to the second moment's root; positive.

    Raises
    ------
    ValueError, TypeError
        For a coefficient out of range.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
    >>> data = ([[1.0]], [[1.0]])
    >>> history = net.SGD(data, 1, 1, 0.1, optimizer=fastnet.Adam(), verbose=False)
    >>> round(net.weights[0].item(), 6)  # the first step is eta, whatever the gradient
    1.9
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        checks.share("beta1", self.beta1)
        checks.share("beta2", self.beta2)
        checks.positive("epsilon", self.epsilon)

    coefficients = ("beta1", "beta2", "epsilon")
    n_moments = 2
    divisors = ("epsilon",)
    usual_eta = 0.001
    sklearn_name = "adam"
    sklearn_parameters: ClassVar = {"beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"}

    @property
    def name(self) -> str:
        return "adam"

    @property
    def label(self) -> str:
        return "Adam"

    @property
    def formula(self) -> str:
        return "u ← β₁u + (1 − β₁) g, v ← β₂v + (1 − β₂) g², W ← W − η û / (√v̂ + ε)"

    def step(self, g: NDArray, moments: NDArray, eta: float, step: int) -> NDArray:
        u, v = moments
        u[...] = self.beta1 * u + (1 - self.beta1) * g
        v[...] = self.beta2 * v + (1 - self.beta2) * g * g
        mean, square = u / (1 - self.beta1**step), v / (1 - self.beta2**step)
        change: NDArray = eta * mean / (np.sqrt(square) + self.epsilon)
        return change

    def last_rate(self, eta: float, steps: int) -> float:
        return eta * math.sqrt(1 - self.beta2**steps) / (1 - self.beta1**steps)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

    Each mini-batch multiplies the weights by 1 - eta lmbda / n, outside of the moments; ``l1``
    is part of the gradient.

    Parameters
    ----------
    beta1, beta2, epsilon : as for ``Adam``

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
    >>> data = ([[1.0]], [[1.0]])
    >>> history = net.SGD(data, 1, 1, 0.1, 0.5, optimizer=fastnet.AdamW(), verbose=False)
    >>> round(net.weights[0].item(), 6)  # 2 (1 - 0.1 * 0.5) - 0.1
    1.8
    """

    decoupled_decay = True
    usual_lmbda = 500.0
    sklearn_name = "adamw"

    @property
    def name(self) -> str:
        return "adamw"

    @property
    def label(self) -> str:
        return "AdamW"

    @property
    def formula(self) -> str:
        return "W ← (1 − ηλ/n) W, then as Adam"


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012), without momentum, as PyTorch defines it.

    Each parameter moves by eta g over the root of the running mean of g^2. ``lmbda`` and ``l1``
    are part of g.

    Parameters
    ----------
    alpha : float, default 0.99
        Decay rate of the mean of g^2; from 0 to below 1.
    epsilon : float, default 1e-8
        Added to its root; positive.

    Raises
    ------
    ValueError, TypeError
        For a coefficient out of range.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
    >>> data = ([[1.0]], [[1.0]])
    >>> history = net.SGD(data, 1, 1, 0.1, optimizer=fastnet.RMSprop(0.75), verbose=False)
    >>> round(net.weights[0].item(), 6)  # 2 - 0.1 * 1 / sqrt(0.25 * 1)
    1.8
    """

    alpha: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        checks.share("alpha", self.alpha)
        checks.positive("epsilon", self.epsilon)

    coefficients = ("alpha", "epsilon")
    n_moments = 1
    divisors = ("epsilon",)
    usual_eta = 0.001
    sklearn_name = "rmsprop"
    sklearn_parameters: ClassVar = {"epsilon": "epsilon"}

    @property
    def name(self) -> str:
        return "rmsprop"

    @property
    def label(self) -> str:
        return "RMSprop"

    @property
    def formula(self) -> str:
        return "v ← αv + (1 − α) g², W ← W − η g / (√v + ε)"

    def step(self, g: NDArray, moments: NDArray, eta: float, step: int) -> NDArray:
        (v,) = moments
        v[...] = self.alpha * v + (1 - self.alpha) * g * g
        change: NDArray = eta * g / (np.sqrt(v) + self.epsilon)
        return change


CLASSES = registry.classes(globals(), Optimizer)
# {name: one with the usual coefficients}
USUAL = {one.name: one for each in CLASSES for one in each.usual()}


def of_kernel(name: str, *coefficients: float) -> Optimizer:
    """The optimizer whose ``kernel`` this is."""
    usual: Any = USUAL[name]
    result: Optimizer = replace(usual, **dict(zip(usual.coefficients, coefficients, strict=True)))
    return result


def from_text(text: str) -> Optimizer:
    """The optimizer that a text of the command line names: "adam", or "adam:0.9,0.99,1e-8" with
    all its coefficients.

    >>> from_text("momentum:0.95")
    Momentum(mu=0.95, nesterov=False)
    """
    name, numbers = registry.parsed(text, {name: one.coefficients for name, one in USUAL.items()})
    return of_kernel(name, *numbers) if numbers else USUAL[name]


def _call(optimizer: Any) -> str:
    """Its constructor call, with the required arguments only."""
    required = [each.name for each in fields(optimizer) if each.default is MISSING]
    return f"fastnet.{optimizer.__name__}({', '.join(required)})"


def checked(optimizer: Any) -> Optimizer | None:
    """``SGD``'s argument ``optimizer``, if it is one."""
    if optimizer is None or isinstance(optimizer, Optimizer):
        return optimizer
    *calls, last = map(_call, CLASSES)
    raise TypeError(
        f"optimizer: expected None, {', '.join(calls)} or {last}, "
        f"got {checks.short_repr(optimizer)}"
    )
