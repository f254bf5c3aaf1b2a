"""One example's way forward and back through a network, in the text's notation, to be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet import _kernels, checks
from fastnet.data import Dataset
from fastnet.model import Model

# The function of each kind of neurons as it is printed, its derivative, and what that is.
_FUNCTIONS = {
    "sigmoid": ("σ", "σ′", "a ⊙ (1 - a)"),
    "tanh": ("tanh", "tanh′", "1 - a ⊙ a"),
    "relu": ("relu", "relu′", "1 where z > 0, else 0"),
    "leaky-relu": ("leaky_relu", "leaky_relu′", "1 where z > 0, else 0.01"),
    "gelu": ("gelu", "gelu′", "Φ(z) + z φ(z)"),
    "softmax": ("softmax", "", ""),
    "exponential": ("exp", "exp′", "a"),
}

# The cost of one example, and its output error: formula, number in the text ("" where it has none).
_COSTS = {
    "quadratic": ("1/2 Σ_j (a_j - y_j)²", "54"),
    "cross-entropy": ("-Σ_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)]", "63"),
    "log-likelihood": ("-Σ_j y_j ln a_j", "80"),
    "absolute": ("Σ_j |a_j - y_j|", ""),
    "huber": ("Σ_j (a_j - y_j)²/2, beyond 1: |a_j - y_j| - 1/2", ""),
    "poisson": ("Σ_j (a_j - y_j ln a_j)", ""),
}
_ERRORS = {
    ("sigmoid", "quadratic"): ("(a^{L} - y) ⊙ σ′(z^{L})", "BP1, 65"),
    ("linear", "quadratic"): ("a^{L} - y", "68"),
    ("sigmoid", "cross-entropy"): ("a^{L} - y", "66"),
    ("softmax", "log-likelihood"): ("a^{L} - y", "84"),
    ("linear", "absolute"): ("sgn(a^{L} - y)", ""),
    ("linear", "huber"): ("a^{L} - y, from -1 to 1", ""),
    ("exponential", "poisson"): ("a^{L} - y", ""),
}


# Arrays of more numbers are printed in part.
_MOST = 40


class Layer(NamedTuple):
    """What one layer of neurons does with an example; arrays are read-only, n neurons each.

    Attributes
    ----------
    l : int
        The layer's number in the text, where the input layer is 1: this layer's weights are
        ``net.weights[l - 2]``.
    neurons : str
        Their kind: "sigmoid", "relu", "softmax", "linear", ...
    w, b : (n, n_in) and (n, 1)
        Weights and biases as they were.
    z : (n, 1)
        The weighted input, w^l a^{l-1} + b^l.
    a : (n, 1)
        The activation.
    delta : (n, 1)
        The error, dC/dz^l.
    nabla_b, nabla_w : (n, 1) and (n, n_in)
        The gradient, dC/db^l and dC/dw^l.
    """

    l: int
    neurons: str
    w: NDArray
    b: NDArray
    z: NDArray
    a: NDArray
    delta: NDArray
    nabla_b: NDArray
    nabla_w: NDArray


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """What ``Network.explain`` returns; printed it is the way forward and back, in formulas
    and numbers.

    Attributes
    ----------
    x, y : (n_in, 1) and (n_out, 1)
        The example as the network sees it, in its dtype; x is a^1.
    layers : tuple of Layer
        Those behind the input layer, l = 2 to L.
    cost : float
        The cost of the example.
    cost_name : str
        Its name; of a class of the user's own that of the class.
    """

    x: NDArray
    y: NDArray
    layers: tuple[Layer, ...]
    cost: float
    cost_name: str

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        sizes = [len(self.x), *(len(layer.a) for layer in self.layers)]
        yield f"One example through {sizes}; columns are printed as rows, ⊙ is the product"
        yield "of elements, (25) an equation of the text, (BP1) to (BP4) those of back-propagation."
        yield "\nForward"
        yield f"  layer 1: {_counted(len(self.x), 'input')}"
        yield from _shown("a^1 = x", self.x)
        for layer in self.layers:
            l = layer.l
            yield f"  layer {l}: {_counted(len(layer.a), f'{layer.neurons} neuron')}"
            yield from _shown(f"w^{l}", layer.w)
            yield from _shown(f"b^{l}", layer.b)
            yield from _shown(f"z^{l} = w^{l} a^{l - 1} + b^{l}", layer.z, "25")
            if layer.neurons == "linear":
                yield from _shown(f"a^{l} = z^{l}", layer.a)
            else:
                number = {"sigmoid": "25", "softmax": "78"}.get(layer.neurons, "")
                function = _FUNCTIONS[layer.neurons][0]
                yield from _shown(f"a^{l} = {function}(z^{l})", layer.a, number)
        yield "\nCost"
        yield from _shown("y", self.y)
        formula, number = _COSTS.get(self.cost_name, (f"{self.cost_name}.fn(a, y)", ""))
        yield f"    C = {formula}{_numbered(number)}\n      = {self.cost:.6g}"
        yield "\nBackward"
        for layer in reversed(self.layers):
            yield from self._backward(layer)

    def _backward(self, layer: Layer) -> Iterator[str]:
        l = layer.l
        yield f"  layer {l}"
        if layer is self.layers[-1]:
            own = (f"{self.cost_name}.delta(z^{{L}}, a^{{L}}, y)", "")
            formula, number = _ERRORS.get((layer.neurons, self.cost_name), own)
            formula = formula.replace("{L}", str(l))
            slope = _FUNCTIONS["sigmoid"][1] if "σ′" in formula else ""
        else:
            slope = _FUNCTIONS[layer.neurons][1]
            formula, number = f"((w^{l + 1})^T δ^{l + 1}) ⊙ {slope}(z^{l})", "BP2"
        if slope:
            rule = _FUNCTIONS[layer.neurons][2].replace("a", f"a^{l}").replace("z", f"z^{l}")
            yield from _shown(f"{slope}(z^{l}) = {rule}", _hidden(layer.neurons, layer.z)[1])
        yield from _shown(f"δ^{l} = {formula}", layer.delta, number)
        yield from _shown(f"∂C/∂b^{l} = δ^{l}", layer.nabla_b, "BP3")
        entry = f"∂C/∂w^{l}, in row j and column k a^{l - 1}_k δ^{l}_j"
        yield from _shown(entry, layer.nabla_w, "BP4")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _numbered(number: str) -> str:
    return f"   ({number})" if number else ""


def _shown(formula: str, values: NDArray, number: str = "") -> Iterator[str]:
    """The formula, and the numbers below it: a column as a row, large arrays shortened."""
    array = values.ravel() if values.shape[1] == 1 else values
    numbers = np.array2string(
        array, precision=4, threshold=_MOST, edgeitems=3, max_line_width=88, prefix=" " * 6
    )
    yield f"    {formula}{_numbered(number)}"
    yield f"      {numbers}"
    if array.size > _MOST:
        yield f"      ({np.count_nonzero(array)} of {array.size} are not zero)"


def explain(model: Model, data: Dataset) -> Explanation:
    """The one example of ``data``, step by step: NumPy's products, the kernels' functions."""
    x, y = data[0][0].astype(model.dtype), model.target_columns(data.y)
    weights, biases = map(model.parameters.arrays, ("weights", "biases"))
    kinds = (*model.hidden, model.choice.output)
    zs: list[NDArray] = []
    activations, slopes = [x], []
    for w, b, neurons in zip(weights, biases, kinds, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):  # shows in the output error
            zs.append(w @ activations[-1] + b)
        if len(zs) < len(kinds):
            a, slope = _hidden(neurons, zs[-1])
            slopes.append(slope)
        else:
            a = _output(neurons, zs[-1])
        activations.append(a)
    layers: list[Layer] = []
    delta = _output_error(model, zs[-1], activations[-1], y)
    if not np.isfinite(delta).all():
        raise ValueError(
            f"x, y: expected a finite error at the output, got NaN or infinity, as from an output "
            f"beyond the range of {model.dtype}"
        )
    for i in range(len(kinds) - 1, -1, -1):
        if layers:
            delta = (weights[i + 1].T @ delta) * slopes[i]
        arrays = (
            weights[i].copy(), biases[i].copy(), zs[i], activations[i + 1], delta, delta,
            delta @ activations[i].T,
        )  # fmt: skip
        layers.insert(0, Layer(i + 2, kinds[i], *map(checks.read_only, arrays)))
    cost = model.choice.cost
    name = model.choice.kernel or str(getattr(cost, "__name__", type(cost).__name__))
    value = model.total_cost(data, 0.0, single_use=True)
    return Explanation(checks.read_only(x), checks.read_only(y), tuple(layers), value, name)


def _hidden(neurons: str, z: NDArray) -> tuple[NDArray, NDArray]:
    """a = f(z) and f'(z) of hidden neurons."""
    a, slope = np.empty_like(z), np.empty_like(z)
    _kernels.activate(neurons, z.ravel(), a.reshape(-1), slope.reshape(-1))
    return a, slope


def _output(neurons: str, z: NDArray) -> NDArray:
    """a = f(z) of the output layer, whose softmax is over all its neurons."""
    if neurons == "softmax":
        a = _row(np.zeros_like(z))
        _kernels.softmax(_row(z), a)
        return a.T.copy()
    a = z.copy()
    if neurons != "linear":
        function = _kernels.sigmoid if neurons == "sigmoid" else _kernels.exp
        function(z.ravel(), a.reshape(-1))
    return a


def _output_error(model: Model, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
    """delta^L by the rule of the cost."""
    choice = model.choice
    if choice.kernel:
        delta = _row(np.zeros_like(a))
        _kernels.output_error(choice.output, choice.kernel, _row(a), _row(y), 1.0, delta)
        return delta.T.copy()
    own = np.asarray(choice.cost.delta(z.copy(), a.copy(), y.copy()))
    if own.shape != z.shape:
        raise ValueError(f"delta: expected the shape of z, {z.shape}, got {own.shape}")
    if own.dtype.kind not in "biuf":
        raise TypeError(f"delta: expected real numbers, got {own.dtype}")
    return own.astype(z.dtype)


def _row(column: NDArray) -> NDArray:
    """A column as the kernels take one example: a row with pads behind it."""
    row = _kernels.padded(1, len(column), column.dtype)
    row[0] = column[:, 0]
    return row
