"""The forward pass and back-propagation of one example as text in the book's notation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import _kernels, checks
from fastnet.data.dataset import Dataset
from fastnet.data.labels import Label
from fastnet.model import Model
from fastnet.nn.activations import ACTIVATIONS, Activation
from fastnet.nn.activations import find as find_activation
from fastnet.nn.cost_base import Formula

# Arrays of more numbers than this are printed in part.
_MOST = 40


class Layer(NamedTuple):
    """The computation of one layer of n neurons for an example; arrays are read-only.

    Attributes
    ----------
    l : int
        The layer's number in the book, where the input layer is 1: this layer's weights are
        ``net.weights[l - 2]``.
    neurons : str or object
        Their kind, as in ``net.hidden`` and ``net.output``: "sigmoid", "relu", "softmax", ...
    w, b : (n, n_in) and (n, 1)
        The weights and biases that were used.
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
    neurons: str | Activation
    w: NDArray
    b: NDArray
    z: NDArray
    a: NDArray
    delta: NDArray
    nabla_b: NDArray
    nabla_w: NDArray


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """The result of ``Network.explain``; printed, it shows the forward pass and backpropagation in
    formulas and numbers.

    Attributes
    ----------
    x, y : (n_in, 1) and (n_out, 1)
        The example, scaled and standardized, in the network's dtype; x is a^1.
    layers : tuple of Layer
        The layers after the input layer, l = 2 to L.
    cost : float
        The cost of the example.
    cost_name : str
        The cost's name; for a custom cost, the name of its class.
    cost_formula, error_formula : Formula
        The cost and the output error: a text, in which {L} is the number of the output layer, and
        the number of the equation in the book, or "".
    raw : (n_in, 1) float64 or None
        The example, scaled, before it was standardized; None if the network does not do that.
    features : tuple of str or None
        The names of the inputs.
    classes : tuple of str, int, float or bool, or None
        The names of the classes.
    """

    x: NDArray
    y: NDArray
    layers: tuple[Layer, ...]
    cost: float
    cost_name: str
    cost_formula: Formula
    error_formula: Formula
    raw: NDArray | None = None
    features: tuple[str, ...] | None = None
    classes: tuple[Label, ...] | None = None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        sizes = [len(self.x), *(len(layer.a) for layer in self.layers)]
        yield f"One example through {sizes}; columns are printed as rows, ⊙ is the product"
        yield "of elements, (25) an equation of the book, (BP1) to (BP4) those of back-propagation."
        yield "\nForward"
        yield f"  layer 1: {_counted(len(self.x), 'input')}"
        yield from _names("features", self.features)
        if self.raw is None:
            yield from _shown("a^1 = x", self.x)
        else:
            yield from _shown("x", self.raw)
            yield from _shown("a^1 = (x - mean) / deviation", self.x)
        for layer in self.layers:
            l = layer.l
            yield f"  layer {l}: {_counted(len(layer.a), f'{layer.neurons} neuron')}"
            yield from _shown(f"w^{l}", layer.w)
            yield from _shown(f"b^{l}", layer.b)
            yield from _shown(f"z^{l} = w^{l} a^{l - 1} + b^{l}", layer.z, "25")
            kind = _activation(layer)
            value = f"{kind.symbol}(z^{l})" if kind.symbol else f"z^{l}"
            yield from _shown(f"a^{l} = {value}", layer.a, kind.equation)
        yield from _names("classes", self.classes)
        yield "\nCost"
        yield from _shown("y", self.y)
        formula, number = self.cost_formula
        yield f"    C = {formula}{_numbered(number)}\n      = {self.cost:.6g}"
        yield "\nBackward"
        for layer in reversed(self.layers):
            yield from self._backward(layer)

    def _backward(self, layer: Layer) -> Iterator[str]:
        l = layer.l
        yield f"  layer {l}"
        if layer is self.layers[-1]:
            formula, number = self.error_formula
            formula = formula.replace("{L}", str(l))
            slope = "σ′" if "σ′" in formula else ""
        else:
            symbol = _activation(layer).symbol
            slope = f"{symbol}′" if symbol else ""  # of a = z it is 1
            formula, number = f"(w^{l + 1})^T δ^{l + 1}", "BP2"
            formula = f"({formula}) ⊙ {slope}(z^{l})" if slope else formula
        if slope:
            kind = _activation(layer)
            rule = kind.filled(kind.derivative_formula)
            rule = rule.replace("a", f"a^{l}").replace("z", f"z^{l}")
            yield from _shown(f"{slope}(z^{l}) = {rule}", _hidden(kind, layer.z)[1])
        yield from _shown(f"δ^{l} = {formula}", layer.delta, number)
        yield from _shown(f"∂C/∂b^{l} = δ^{l}", layer.nabla_b, "BP3")
        entry = f"∂C/∂w^{l}, in row j and column k a^{l - 1}_k δ^{l}_j"
        yield from _shown(entry, layer.nabla_w, "BP4")


def _activation(layer: Layer) -> Activation:
    found = find_activation(layer.neurons)
    assert found is not None
    return found


def _names(kind: str, names: Sequence[Label] | None) -> Iterator[str]:
    """The names of the numbers below or above, in their order; of many the first few."""
    if names is not None:
        more = ", ..." if len(names) > _MOST else ""
        yield f"    {kind}: {', '.join(map(str, names[:_MOST]))}{more}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _numbered(number: str) -> str:
    return f"   ({number})" if number else ""


def _shown(formula: str, values: NDArray, number: str = "") -> Iterator[str]:
    """The formula, and the numbers below it; columns are printed as rows, large arrays in part."""
    array = values.ravel() if values.shape[1] == 1 else values
    numbers = np.array2string(
        array, precision=4, threshold=_MOST, edgeitems=3, max_line_width=88, prefix=" " * 6
    )
    yield f"    {formula}{_numbered(number)}"
    yield f"      {numbers}"
    if array.size > _MOST:
        yield f"      ({np.count_nonzero(array)} of {array.size} are not zero)"


def explain(model: Model, data: Dataset) -> Explanation:
    """The explanation of the single example of ``data``. NumPy computes the products, the kernels
    the activations and the output error."""
    x, y = data[0][0].astype(model.dtype), model.target_columns(data.y)
    weights, biases = map(model.parameters.arrays, ("weights", "biases"))
    kinds = (*model.hidden, ACTIVATIONS[model.cost_spec.output])
    zs: list[NDArray] = []
    activations, slopes = [x], []
    for w, b, kind in zip(weights, biases, kinds, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):  # checked below, in the output error
            zs.append(w @ activations[-1] + b)
        if len(zs) < len(kinds):
            a, slope = _hidden(kind, zs[-1])
            slopes.append(slope)
        else:
            a = _output(kind.name, zs[-1])
        activations.append(a)
    layers: list[Layer] = []
    delta = _output_error(model, zs[-1], activations[-1], y)
    if not np.isfinite(delta).all():
        raise ValueError(
            f"x, y: expected a finite error at the output, got NaN or infinity, for example "
            f"because an output exceeds the range of {model.dtype}"
        )
    for i in range(len(kinds) - 1, -1, -1):
        if layers:
            delta = (weights[i + 1].T @ delta) * slopes[i]
        arrays = (
            weights[i].copy(), biases[i].copy(), zs[i], activations[i + 1], delta, delta,
            delta @ activations[i].T,
        )  # fmt: skip
        layers.insert(0, Layer(i + 2, kinds[i].name_or_self, *map(checks.read_only, arrays)))
    cost = model.cost_spec.cost
    built_in = model.cost_spec.built_in
    name = built_in.name if built_in else str(getattr(cost, "__name__", type(cost).__name__))
    formulas = (
        (
            built_in.shown(built_in.formula),
            built_in.shown(built_in.errors[model.cost_spec.output], L="{L}"),
        )
        if built_in
        else (Formula(f"{name}.fn(a, y)"), Formula(f"{name}.delta(z^{{L}}, a^{{L}}, y)"))
    )
    value = model.total_cost(data, 0.0, single_use=True)
    raw = None if data.source is data else checks.read_only(data.source[0][0])
    return Explanation(
        checks.read_only(x), checks.read_only(y), tuple(layers), value, name, *formulas,
        raw, model.schema.features, model.schema.classes,
    )  # fmt: skip


def _hidden(kind: Activation, z: NDArray) -> tuple[NDArray, NDArray]:
    """a = f(z) and f'(z) of hidden neurons."""
    a, slope = np.empty_like(z), np.empty_like(z)
    _kernels.activate(kind.kernel, z.ravel(), a.reshape(-1), slope.reshape(-1))
    return a, slope


def _output(neurons: str, z: NDArray) -> NDArray:
    """a = f(z) of the output layer, computed by a network with the input 1 and the weights z."""
    sizes = (1, len(z))
    parameters = _kernels.aligned(_kernels.layout(sizes, z.dtype.name)[0], z.dtype.name)
    parameters[: len(z)] = z[:, 0]
    a = np.empty((1, len(z)), z.dtype)
    one = _kernels.Examples(np.ones((1, 1), z.dtype), 1.0)
    _kernels.NetworkCore(sizes, neurons, None, parameters).feedforward(one, a)
    return a.T.copy()


def _output_error(model: Model, z: NDArray, a: NDArray, y: NDArray) -> NDArray:
    """delta^L by the rule of the cost."""
    spec = model.cost_spec
    if spec.kernel:
        delta = _row(np.zeros_like(a))
        _kernels.output_error(spec.output, spec.kernel, _row(a), _row(y), 1.0, delta)
        return delta.T.copy()
    custom = np.asarray(spec.cost.delta(z.copy(), a.copy(), y.copy()))
    if custom.shape != z.shape:
        raise ValueError(f"delta: expected the shape of z, {z.shape}, got {custom.shape}")
    if custom.dtype.kind not in "biuf":
        raise TypeError(f"delta: expected real numbers, got {custom.dtype}")
    return custom.astype(z.dtype)


def _row(column: NDArray) -> NDArray:
    """A column as a padded row, the form in which the kernels read an example."""
    row = _kernels.padded(1, len(column), column.dtype)
    row[0] = column[:, 0]
    return row
