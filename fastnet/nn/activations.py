"""Activations: the functions of hidden neurons and of output layers.

Each is one class here, with all its properties in Python, and one section of
``csrc/api/activations.def``, which computes it. Nothing else lists them: the reference, the checks
of arguments, ``explain``, the estimators, the command line and the page of the demo use
``ACTIVATIONS``. To add one: docs/adding-things.md.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Role = Literal["hidden", "output"]
Class = TypeVar("Class", bound="type[Activation]")


class Activation:
    """The properties of one activation.

    Attributes
    ----------
    name : str
        Its name in ``Network``, files and the kernels.
    roles : tuple of "hidden" and "output"
        The layers that it may be in.
    symbol : str
        The function in the book's notation, whose derivative has a prime; "" for a = z.
    formula, derivative_formula : str
        a, and f'(z), in terms of z and a; the latter "" if no error needs it.
    equation : str
        The number of the formula in the book, or "".
    sklearn_name : str
        Its name in the estimators of ``fastnet.sklearn``, which also accept ``name``.
    initializer : str
        The initializer that suits weights of hidden neurons of this kind.
    keeps_slope : bool
        Whether f'(z) is stored, since it cannot be computed from a.
    of_layer : bool
        Whether an output depends on all z of its layer; the outputs then sum to 1, and ``value``
        takes rows.
    classifies : bool
        Whether the outputs are probabilities, of which the largest gives the class.
    javascript : str
        The function of one number in JavaScript, for the page of the demo.
    eta : float or None
        The learning rate for hidden neurons of this kind in docs/techniques.md; None: it has no
        row there.
    """

    name: ClassVar[str]
    roles: ClassVar[tuple[Role, ...]]
    symbol: ClassVar[str]
    formula: ClassVar[str]
    derivative_formula: ClassVar[str] = ""
    equation: ClassVar[str] = ""
    sklearn_name: ClassVar[str]
    initializer: ClassVar[str] = "default"
    keeps_slope: ClassVar[bool] = False
    of_layer: ClassVar[bool] = False
    classifies: ClassVar[bool] = False
    javascript: ClassVar[str]
    eta: ClassVar[float | None] = None

    @staticmethod
    def value(z: NDArray) -> NDArray:
        """a = f(z), in the type of z."""
        raise NotImplementedError

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        """f'(z), in the type of a; z may be None unless ``keeps_slope``."""
        raise NotImplementedError


ACTIVATIONS: dict[str, type[Activation]] = {}


def registered(activation: Class) -> Class:
    """Make a class one of ``ACTIVATIONS``."""
    ACTIVATIONS[activation.name] = activation
    return activation


@registered
class Sigmoid(Activation):
    name = "sigmoid"
    roles = ("hidden", "output")
    symbol, formula, derivative_formula = "σ", "1 / (1 + e^-z)", "a ⊙ (1 - a)"
    equation = "25"
    sklearn_name = "logistic"
    classifies = True
    javascript = "(z) => 1 / (1 + Math.exp(-z))"

    @staticmethod
    def value(z: NDArray) -> NDArray:
        with np.errstate(over="ignore"):
            a: NDArray = 1 / (1 + np.exp(-z))
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        slope: NDArray = a * (1 - a)
        return slope


@registered
class Softmax(Activation):
    name = "softmax"
    roles = ("output",)
    symbol, formula = "softmax", "e^z_j / Σ_k e^z_k"
    equation = "78"
    sklearn_name = "softmax"
    of_layer = True
    classifies = True
    javascript = ""  # not a function of one number: network.js has it

    @staticmethod
    def value(z: NDArray) -> NDArray:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        a: NDArray = e / e.sum(axis=1, keepdims=True)
        return a


@registered
class Linear(Activation):
    name = "linear"
    roles = ("output",)
    symbol, formula = "", "z"
    sklearn_name = "identity"
    javascript = "(z) => z"

    @staticmethod
    def value(z: NDArray) -> NDArray:
        return z.copy()


@registered
class Exponential(Activation):
    name = "exponential"
    roles = ("output",)
    symbol, formula, derivative_formula = "exp", "e^z", "a"
    sklearn_name = "exp"
    javascript = "Math.exp"

    @staticmethod
    def value(z: NDArray) -> NDArray:
        with np.errstate(over="ignore"):
            a: NDArray = np.exp(z)
        return a


@registered
class Tanh(Activation):
    """The book's tanh(z) = 2 sigma(2z) - 1."""

    name = "tanh"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "tanh", "tanh z", "1 - a ⊙ a"
    sklearn_name = "tanh"
    initializer = "glorot"
    javascript = "Math.tanh"
    eta = 0.1

    @staticmethod
    def value(z: NDArray) -> NDArray:
        a: NDArray = np.tanh(z)
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        slope: NDArray = 1 - a * a
        return slope


@registered
class ReLU(Activation):
    """The slope at 0 is that for z < 0."""

    name = "relu"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "relu", "max(0, z)", "1 where z > 0, else 0"
    sklearn_name = "relu"
    initializer = "he"
    javascript = "(z) => Math.max(z, 0)"
    eta = 0.1

    @staticmethod
    def value(z: NDArray) -> NDArray:
        a: NDArray = np.maximum(z, 0)
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        return (a > 0).astype(a.dtype)


@registered
class LeakyReLU(Activation):
    """The slope at 0 is that for z < 0."""

    name = "leaky-relu"
    roles = ("hidden",)
    symbol = "leaky_relu"
    formula, derivative_formula = "z for z > 0, else 0.01 z", "1 where z > 0, else 0.01"
    sklearn_name = "leaky-relu"
    initializer = "he"
    javascript = "(z) => (z > 0 ? z : 0.01 * z)"
    eta = 0.1

    @staticmethod
    def value(z: NDArray) -> NDArray:
        a: NDArray = np.maximum(z, z.dtype.type(0.01) * z)
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        return np.where(a > 0, 1, 0.01).astype(a.dtype)


def _normal(z: NDArray) -> tuple[NDArray, NDArray]:
    """Phi(z) and phi(z), in float64; constant for z below -40 and above 40."""
    x = np.clip(z.astype(np.float64), -40, 40)
    distribution = np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2, ["d"])(x)
    return distribution, np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


@registered
class GELU(Activation):
    """Hendrycks and Gimpel (2016); Phi is the standard normal CDF."""

    name = "gelu"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "gelu", "z Φ(z)", "Φ(z) + z φ(z)"
    sklearn_name = "gelu"
    initializer = "he"
    keeps_slope = True
    javascript = "(z) => (z * (1 + erf(z / Math.SQRT2))) / 2"
    eta = 0.1

    @staticmethod
    def value(z: NDArray) -> NDArray:
        a: NDArray = (np.maximum(z, -40) * _normal(z)[0]).astype(z.dtype)
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        assert z is not None
        distribution, density = _normal(z)
        slope: NDArray = distribution + np.clip(z.astype(np.float64), -40, 40) * density
        return slope.astype(a.dtype)


@registered
class Swish(Activation):
    """Ramachandran, Zoph and Le (2017); also called SiLU."""

    name = "swish"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "swish", "z σ(z)", "σ(z) + a ⊙ (1 - σ(z))"
    sklearn_name = "swish"
    initializer = "he"
    keeps_slope = True
    javascript = "(z) => z / (1 + Math.exp(-z))"

    @staticmethod
    def value(z: NDArray) -> NDArray:
        a: NDArray = np.maximum(z, -1000) * Sigmoid.value(z)  # 0 at -inf
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        assert z is not None
        sigma = Sigmoid.value(z)
        slope: NDArray = sigma + np.clip(z, -1000, 1000) * sigma * Sigmoid.value(-z)
        return slope


HIDDEN = tuple(name for name, each in ACTIVATIONS.items() if "hidden" in each.roles)
OUTPUTS = tuple(name for name, each in ACTIVATIONS.items() if "output" in each.roles)
