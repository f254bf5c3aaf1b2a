"""Activations: the functions of hidden neurons and of output layers.

Each is one class here, with all its properties in Python, and one section of
``csrc/api/activations.def``, which computes it. Nothing else lists them: the reference, the checks
of arguments, ``explain``, the estimators, the command line and the page of the demo use
``ACTIVATIONS``. To add one: docs/adding-things.md. ``__all__`` has those that the package exports,
since users need them for their parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.nn import registry
from fastnet.nn.registry import Kernel, Row

__all__ = ["LeakyReLU"]

Role = Literal["hidden", "output"]


class Activation(Row):
    """The properties of one activation; those with parameters are for hidden neurons.

    Attributes
    ----------
    name : str
        Its name in ``Network``, files and the kernels.
    roles : tuple of "hidden" and "output"
        The layers that it may be in.
    symbol : str
        The function in the book's notation, whose derivative has a prime; "" for a = z.
    formula, derivative_formula : str
        a, and f'(z), in terms of z and a; the latter "" if no error needs it. {slope} is the
        parameter of that name, here and in ``javascript``.
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
    half : float or None
        The z of an output of 1/2; None: it is found from ``value``.
    symmetric : bool
        Whether f(-z) = 1 - f(z).
    sklearn_bound : float
        c in scikit-learn's bound of the initial parameters of a network with such hidden neurons,
        sqrt(c / (n_in + n_out)).
    javascript : str
        The function in JavaScript, for the page of the demo: of one number, or, with ``of_layer``,
        the name of a function of an array in network.js.
    torch_module : pair of str and dict, or None
        Its module in ``torch.nn``, or in ``fastnet/convert/torch_modules.py``, and the arguments of
        the module: "{slope}" is the parameter of that name, a tuple has values that mean the same.
        None: it is not converted to PyTorch.
    c_value, c_slope : str
        The statements of a function in C that returns f(z), and of one that returns f'(z) from z
        and a, for ``Network.to_c``, in the notation of ``fastnet/convert/c_functions.py``; ""
        if it cannot be exported. With ``of_layer`` they replace z [n] by the outputs, and set
        d [n] to the derivatives of output o by all z, from the outputs a [n].
    eta : float or None
        The learning rate for hidden neurons of this kind in docs/techniques.md; None: it has no
        row there.
    """

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
    half: ClassVar[float | None] = None
    symmetric: ClassVar[bool] = False
    sklearn_bound: ClassVar[float] = 6.0
    javascript: ClassVar[str]
    torch_module: ClassVar[tuple[str, Mapping[str, Any]] | None] = None
    c_value: ClassVar[str] = ""
    c_slope: ClassVar[str] = ""
    eta: ClassVar[float | None] = None

    @property
    def name_or_self(self) -> str | Activation:
        """Its name, which stands for the defaults; with other parameters itself."""
        return self.name if self.has_defaults else self

    def value(self, z: NDArray) -> NDArray:
        """a = f(z), in the type of z.

        Examples
        --------
        >>> LeakyReLU(0.5).value(np.array([-1.0, 2.0]))
        array([-0.5,  2. ])
        """
        raise NotImplementedError

    def derivative(self, z: NDArray | None, a: NDArray) -> NDArray:
        """f'(z), in the type of a; z may be None unless ``keeps_slope``.

        Examples
        --------
        >>> LeakyReLU(0.5).derivative(None, np.array([-0.5, 2.0]))
        array([0.5, 1. ])
        """
        raise NotImplementedError

    def onnx(self, op: Any, z: Any) -> Any:
        """f(z) in operators of ONNX, for ``to_onnx`` and ``from_onnx``; None: ONNX cannot say it.

        Parameters
        ----------
        op : callable
            ``op("Mul", z, 0.5)`` is the output of a new node, an operator of version 13 of the
            default domain. Inputs are such outputs, ``z`` and numbers; keywords are attributes.
        z : output of a node, (n, n_out)

        Examples
        --------
        >>> def op(name, *inputs):
        ...     return f"{name}({', '.join(map(str, inputs))})"
        >>> LeakyReLU(0.5).onnx(op, "z")
        'Max(z, Mul(z, 0.5))'
        """
        return None

    # For the estimators: z is (n, n_out) float64, of output layers.

    def log_value(self, z: NDArray) -> NDArray:
        """ln f(z); finite where an output is so small that it is 0, if the class defines it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logs: NDArray = np.log(self.value(z))
        return logs

    def logits(self, z: NDArray) -> NDArray | None:
        """For several outputs, the numbers whose softmax is the outputs divided by their sum, the
        probabilities of classes; None: they are computed by that division."""
        return None


class Sigmoid(Activation):
    name = "sigmoid"
    roles = ("hidden", "output")
    symbol, formula, derivative_formula = "σ", "1 / (1 + e^-z)", "a ⊙ (1 - a)"
    equation = "25"
    sklearn_name = "logistic"
    classifies = True
    half, symmetric = 0.0, True
    sklearn_bound = 2.0
    javascript = "(z) => 1 / (1 + Math.exp(-z))"
    torch_module: ClassVar = ("Sigmoid", {})
    c_value = "return @flushed(1 / (1 + @exp_inside(-z, 0)));"
    c_slope = "return a * (1 - a);"

    @staticmethod
    def value(z: NDArray) -> NDArray:
        with np.errstate(over="ignore"):
            a: NDArray = 1 / (1 + np.exp(-z))
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        slope: NDArray = a * (1 - a)
        return slope

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        return op("Sigmoid", z)

    @staticmethod
    def log_value(z: NDArray) -> NDArray:
        return np.asarray(-np.logaddexp(0, -z))

    @classmethod
    def logits(cls, z: NDArray) -> NDArray | None:
        return cls.log_value(z)


def below_the_largest(z: NDArray) -> NDArray:
    """z minus the largest of its row, transposed, (n_out, n), in float64. NumPy does not vectorize
    along rows of few outputs, so that sums over columns are faster."""
    columns = np.array(z.T, np.float64, order="C")
    with np.errstate(over="ignore"):  # the difference of two weighted inputs may be infinite
        columns -= columns.max(axis=0)
    return columns


class Softmax(Activation):
    name = "softmax"
    roles = ("output",)
    symbol, formula = "softmax", "e^z_j / Σ_k e^z_k"
    equation = "78"
    sklearn_name = "softmax"
    of_layer = True
    classifies = True
    javascript = "softmax"
    torch_module: ClassVar = ("Softmax", {"dim": (-1, 1)})
    c_value = """
    @real largest = @bounded(z[0]), sum = 0;
    for (size_t i = 1; i < n; i++)
        largest = @bounded(z[i]) > largest ? @bounded(z[i]) : largest;
    for (size_t i = 0; i < n; i++) {
        z[i] = @exp_sum(@bounded(z[i]) - largest, 0);
        sum += z[i];
    }
    for (size_t i = 0; i < n; i++)
        z[i] = @flushed(z[i] / sum);
    """
    c_slope = """
    for (size_t i = 0; i < n; i++)
        d[i] = a[o] * ((i == o) - a[i]);
    """

    @staticmethod
    def value(z: NDArray) -> NDArray:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        a: NDArray = e / e.sum(axis=1, keepdims=True)
        return a

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        return op("Softmax", z, axis=1)

    @staticmethod
    def log_value(z: NDArray) -> NDArray:
        logs = below_the_largest(z)
        with np.errstate(over="ignore"):
            logs -= np.log(np.exp(logs).sum(axis=0))
        np.maximum(logs, -np.finfo(np.float64).max, out=logs)
        return np.ascontiguousarray(logs.T)

    @staticmethod
    def logits(z: NDArray) -> NDArray | None:
        return z


class Linear(Activation):
    name = "linear"
    roles = ("hidden", "output")
    symbol, formula, derivative_formula = "", "z", "1"
    sklearn_name = "identity"
    initializer = "glorot"
    half = 0.5
    javascript = "(z) => z"
    torch_module: ClassVar = ("Identity", {})
    c_value = "return z;"
    c_slope = "return 1;"

    @staticmethod
    def value(z: NDArray) -> NDArray:
        return z.copy()

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        return np.ones_like(a)

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        return z


class Exponential(Activation):
    name = "exponential"
    roles = ("output",)
    symbol, formula, derivative_formula = "exp", "e^z", "a"
    sklearn_name = "exp"
    half = np.log(0.5)
    javascript = "Math.exp"
    torch_module: ClassVar = ("Exp", {})
    c_value = "return @exp_sum(z, 0);"
    c_slope = "return a;"

    @staticmethod
    def value(z: NDArray) -> NDArray:
        with np.errstate(over="ignore"):
            a: NDArray = np.exp(z)
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        return a.copy()

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        return op("Exp", z)

    @staticmethod
    def log_value(z: NDArray) -> NDArray:
        return z

    @staticmethod
    def logits(z: NDArray) -> NDArray | None:
        return z


class Tanh(Activation):
    """The book's tanh(z) = 2 sigma(2z) - 1."""

    name = "tanh"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "tanh", "tanh z", "1 - a ⊙ a"
    sklearn_name = "tanh"
    initializer = "glorot"
    javascript = "Math.tanh"
    torch_module: ClassVar = ("Tanh", {})
    c_value = "return @tanh(z);"
    c_slope = "return @FMA(-a, a, 1);"
    eta = 0.1

    @staticmethod
    def value(z: NDArray) -> NDArray:
        a: NDArray = np.tanh(z)
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        slope: NDArray = 1 - a * a
        return slope

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        return op("Tanh", z)


class ReLU(Activation):
    """The slope at 0 is that for z < 0."""

    name = "relu"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "relu", "max(0, z)", "1 where z > 0, else 0"
    sklearn_name = "relu"
    initializer = "he"
    javascript = "(z) => Math.max(z, 0)"
    torch_module: ClassVar = ("ReLU", {})
    c_value = "return z <= 0 ? 0 : z;"
    c_slope = "return a > 0 ? 1 : 0;"
    eta = 0.1

    @staticmethod
    def value(z: NDArray) -> NDArray:
        a: NDArray = np.maximum(z, 0)
        return a

    @staticmethod
    def derivative(z: NDArray | None, a: NDArray) -> NDArray:
        return (a > 0).astype(a.dtype)

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        return op("Relu", z)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """a = z for z > 0, else ``slope`` z; the slope at 0 is that for z < 0.

    A. Maas, A. Hannun and A. Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models
    (2013). ``Network(hidden=fastnet.LeakyReLU(0.2))`` has such hidden neurons; the name
    "leaky-relu" stands for the default slope.

    Parameters
    ----------
    slope : float, default 0.01
        f'(z) for z < 0; over 0 and at most 1.

    Raises
    ------
    TypeError, ValueError
        If ``slope`` is not such a number.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([3, 4, 4, 1], hidden=["relu", fastnet.LeakyReLU(0.2)])
    >>> net.hidden
    ['relu', LeakyReLU(slope=0.2)]
    >>> fastnet.Network([3, 4, 1], hidden=fastnet.LeakyReLU(0.01)).hidden
    ['leaky-relu']
    """

    slope: float = 0.01

    name = "leaky-relu"
    roles = ("hidden",)
    symbol = "leaky_relu"
    formula, derivative_formula = "z for z > 0, else {slope} z", "1 where z > 0, else {slope}"
    sklearn_name = "leaky-relu"
    initializer = "he"
    javascript = "(z) => (z > 0 ? z : {slope} * z)"
    torch_module: ClassVar = ("LeakyReLU", {"negative_slope": "{slope}"})
    c_value = "return z > 0 ? z : R({slope}) * z;"
    c_slope = "return a > 0 ? 1 : R({slope});"
    eta = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", checks.fraction("slope", self.slope))

    def value(self, z: NDArray) -> NDArray:
        a: NDArray = np.maximum(z, z.dtype.type(self.slope) * z)
        return a

    def derivative(self, z: NDArray | None, a: NDArray) -> NDArray:
        return np.where(a > 0, 1, self.slope).astype(a.dtype)

    def onnx(self, op: Any, z: Any) -> Any:
        return op("Max", z, op("Mul", z, self.slope))  # ONNX Runtime has LeakyRelu in float32 only


def _normal(z: NDArray) -> tuple[NDArray, NDArray]:
    """Phi(z) and phi(z), in float64; constant for z below -40 and above 40."""
    x = np.clip(z.astype(np.float64), -40, 40)
    distribution = np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2, ["d"])(x)
    return distribution, np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


class GELU(Activation):
    """Hendrycks and Gimpel (2016); Phi is the standard normal CDF."""

    name = "gelu"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "gelu", "z Φ(z)", "Φ(z) + z φ(z)"
    sklearn_name = "gelu"
    initializer = "he"
    keeps_slope = True
    javascript = "(z) => (z * (1 + erf(z / Math.SQRT2))) / 2"
    torch_module: ClassVar = ("GELU", {"approximate": ("none",)})
    c_value = "return @gelu(z);"
    c_slope = "return @gelu_slope(z);"
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

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        erf = op("Erf", op("Mul", z, math.sqrt(0.5)))
        return op("Mul", z, op("Mul", op("Add", erf, 1.0), 0.5))


class Swish(Activation):
    """Ramachandran, Zoph and Le (2017); also called SiLU."""

    name = "swish"
    roles = ("hidden",)
    symbol, formula, derivative_formula = "swish", "z σ(z)", "σ(z) + a ⊙ (1 - σ(z))"
    sklearn_name = "swish"
    initializer = "he"
    keeps_slope = True
    javascript = "(z) => z / (1 + Math.exp(-z))"
    torch_module: ClassVar = ("SiLU", {})
    c_value = """
    const @real above = z < -1000 ? -1000 : z;
    return @flushed(above * @flushed(1 / (1 + @exp_inside(-z, 0))));
    """
    c_slope = """
    const @real e = @exp_inside(-z, 0), sigma = 1 / (1 + e), rest = e * sigma;
    const @real inside = z < -1000 ? -1000 : z > 1000 ? 1000 : z, product = inside * sigma;
    return @FMA(product, rest, sigma);
    """
    eta = 0.1

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

    @staticmethod
    def onnx(op: Any, z: Any) -> Any:
        return op("Mul", z, op("Sigmoid", z))


CLASSES = registry.classes(globals(), Activation)
# {name: one with the default parameters}
ACTIVATIONS: dict[str, Activation] = {each.name: each() for each in CLASSES}
HIDDEN = tuple(name for name, each in ACTIVATIONS.items() if "hidden" in each.roles)
OUTPUTS = tuple(name for name, each in ACTIVATIONS.items() if "output" in each.roles)


def find(activation: Any) -> Activation | None:
    """The activation that this name, class or object is, or None."""
    if isinstance(activation, str):
        return ACTIVATIONS.get(activation)
    if isinstance(activation, type):
        return activation() if activation in CLASSES else None
    return activation if type(activation) in CLASSES else None


def choose_hidden(hidden: Any, layers: int) -> tuple[Activation, ...]:
    """Resolve ``Network``'s argument ``hidden`` for this number of hidden layers."""
    if isinstance(hidden, _ONE):
        return (_hidden(hidden),) * layers
    try:
        given = tuple(hidden)
    except TypeError:
        raise TypeError(
            f"hidden: expected a name or a list of names, got {checks.short_repr(hidden)}"
        ) from None
    kinds = tuple(map(_hidden, given))
    if len(kinds) != layers:
        raise ValueError(
            f"hidden: expected one name for each of {layers} hidden layers, got {len(kinds)}"
        )
    return kinds


_ONE = (str, bytes, type, Activation)  # of an argument that stands for all layers


def _hidden(value: Any) -> Activation:
    found = find(value)
    if found is None or "hidden" not in found.roles:
        known = ", ".join(HIDDEN)
        raise ValueError(f"hidden: expected one of {known}; got {checks.short_repr(value)}")
    return found


def of_kernel(kernel: Kernel) -> Activation:
    """The activation of a name in C, or of a tuple of name and parameters."""
    name, *parameters = kernel if isinstance(kernel, tuple) else (kernel,)
    return type(ACTIVATIONS[name])(*parameters)


def from_text(text: str) -> Activation:
    """The activation of hidden neurons whose ``str`` this is: "relu" or "leaky-relu:0.2".

    >>> from_text("leaky-relu:0.2")
    LeakyReLU(slope=0.2)
    """
    known = {name: [*ACTIVATIONS[name].named_parameters] for name in HIDDEN}
    name, numbers = registry.parsed(text, known)
    return of_kernel((name, *numbers))


def to_json(activation: Activation) -> str | dict[str, Any]:
    """The JSON value of an activation: its name, or a dict of name and parameters if they are not
    the defaults."""
    if activation.has_defaults:
        return activation.name
    return {"name": activation.name, **activation.named_parameters}


def hidden_from_json(value: str | list[Any]) -> str | list[Any]:
    """The hidden layers of a file, as ``Network`` takes them: a name, or a list of what ``to_json``
    returned; other elements unchanged."""
    if isinstance(value, str):
        return value
    rows = {each.name: each for each in CLASSES}
    return [
        (registry.from_fields(each, "name", rows) or each) if isinstance(each, dict) else each
        for each in value
    ]
