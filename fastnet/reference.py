"""The kernels in plain NumPy: the readable specification, the oracle of the
tests and the yardstick of the benchmarks.

Every function and class of ``__all__`` has the name, the parameters and the effect of its twin in
``fastnet.core._kernels``, and declares the types of both. Costs, activations and optimizers are
computed by the formulas of fastnet/nn/, which no kernel uses. Equation numbers are those of M.
Nielsen, Neural Networks and Deep Learning, chapter 3.

Shapes: m examples of a mini-batch, n_in inputs and n_out outputs of a layer;
one example is one row. A network's parameters are one flat array: for each
layer its weights input-major, (n_in, stride) with the outputs in the first
n_out columns, then its biases, (stride,).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastnet.nn import optimizers
from fastnet.nn.activations import ACTIVATIONS, HIDDEN, Exponential, Sigmoid, Softmax
from fastnet.nn.costs import of_kernel

# What _kernels has, too.
__all__ = [
    "EVALUATED",
    "Examples",
    "NetworkCore",
    "Predictor",
    "Training",
    "activate",
    "backpropagate",
    "compress",
    "cost_sum",
    "exp",
    "fma_rounds",
    "layout",
    "log",
    "magnitude",
    "output_error",
    "padded",
    "permutation",
    "random_at",
    "sigmoid",
    "softmax",
    "standard_normal",
    "sum_of_magnitudes",
    "sum_of_squares",
    "survey",
    "uniform",
    "update",
    "weighted_input",
]

EVALUATED = 1024  # examples of a piece; smaller ones are slow in NumPy

# Called with the number of examples done.
Poll: TypeAlias = Callable[[int], object]

# The factors of a hidden layer's activations, for dropout.
Drop: TypeAlias = Callable[[int], NDArray | None]


def stride(n: int, dtype: DTypeLike) -> int:
    """Elements from row to row: whole cache lines, never a multiple of 256."""
    line = 64 // np.dtype(dtype).itemsize
    rounded = -(-n // line) * line
    return rounded if rounded % 256 else rounded + line


def padded(m: int, n: int, dtype: DTypeLike) -> NDArray:
    """A zeroed (m, n) array whose rows are ``stride`` elements apart."""
    return np.zeros((m, stride(n, dtype)), dtype)[:, :n]


def layout(sizes: Sequence[int], dtype: DTypeLike) -> tuple[int, list[tuple[int, int, int]]]:
    """(length, [(weights, biases, stride), ...]): where each layer's parameters lie."""
    at, places = 0, []
    for n_in, n_out in pairwise(sizes):
        step = stride(n_out, dtype)
        places.append((at, at + n_in * step, step))
        at += (n_in + 1) * step
    return at, places


def layers(sizes: Sequence[int], parameters: NDArray) -> list[tuple[NDArray, NDArray]]:
    """[(weights (n_in, n_out), biases (n_out,)), ...]: views into ``parameters``."""
    _, places = layout(sizes, parameters.dtype)
    return [
        (parameters[w:b].reshape(n_in, step)[:, :n_out], parameters[b : b + n_out])
        for (w, b, step), (n_in, n_out) in zip(places, pairwise(sizes), strict=True)
    ]


# ---- compressed rows, see fastnet/data/sparse_rows.py -----------------------------


def compress(
    X: NDArray, offsets: NDArray, values: NDArray, columns: NDArray | None, masks: NDArray | None
) -> bool:
    """Fill offsets from the second on, values, and columns or masks or neither where None, from
    the dense X. Row s goes to ``values[offsets[s]:]``. Returns whether there was room for all."""
    room = min(len(array) for array in (values, columns) if array is not None)
    offsets[1:] = offsets[0] + np.cumsum(np.count_nonzero(X, axis=1))
    if offsets[-1] > room:
        return False
    rows, at = X.nonzero()
    to = slice(offsets[0], offsets[-1])
    values[to] = X[rows, at]
    if columns is not None:
        columns[to] = at
    if masks is not None:
        masks[...] = 0
        np.bitwise_or.at(masks, (rows, at // 64), np.uint64(1) << (at % 64).astype(np.uint64))
    return True


# ---- elementwise -----------------------------------------------------------


def magnitude(x: Any) -> float:
    """The largest absolute value; infinity or NaN if there is one."""
    return float(np.abs(x).max(initial=0))


def survey(x: NDArray) -> tuple[float, int]:
    """(largest absolute value as ``magnitude`` says, how many are not zero)"""
    return magnitude(x), int(np.count_nonzero(x))


def sum_of_squares(x: Any) -> float:
    """The sum of x^2, in float64; infinite where that is beyond it."""
    with np.errstate(over="ignore"):
        return float(np.square(x, dtype=np.float64).sum())


def sum_of_magnitudes(x: Any) -> float:
    """The sum of |x|, in float64; infinite where that is beyond it."""
    with np.errstate(over="ignore"):
        return float(np.abs(x).sum(dtype=np.float64))


def exp(x: NDArray, out: NDArray) -> None:
    """out = e^x."""
    out[...] = Exponential.value(x)


def log(x: NDArray, out: NDArray) -> None:
    """out = ln x."""
    np.log(x, out=out)


def sigmoid(z: NDArray, out: NDArray) -> None:
    """out = 1 / (1 + e^-z)."""
    out[...] = Sigmoid.value(z)


def activate(neurons: str, z: NDArray, out: NDArray, slope: NDArray | None = None) -> None:
    """out = f(z) and, where given, slope = f'(z), of hidden neurons of any kind."""
    if neurons not in HIDDEN:
        raise ValueError(f"neurons: expected one of {', '.join(HIDDEN)}; got {neurons!r}")
    kind, z = ACTIVATIONS[neurons], z.copy()  # out may be z
    out[...] = kind.value(z)
    if slope is not None:
        slope[...] = kind.derivative(z, out)


def softmax(z: NDArray, out: NDArray) -> None:
    """Each row: out_j = e^z_j / sum_k e^z_k (eq. 78)."""
    out[...] = Softmax.value(z)


# ---- one layer -------------------------------------------------------------


def weighted_input(a: NDArray, weights: NDArray, biases: NDArray, z: NDArray) -> None:
    """z = a W + b."""
    z[...] = a @ weights + biases


def weighted(error: NDArray, factor: float, weights: NDArray | None) -> NDArray:
    """The rows of an output error times factor, and each times its weight, if they have
    weights; of weight 0 nothing is left, whatever the error is."""
    if weights is None:
        return error * error.dtype.type(factor)
    times = (factor * weights).astype(error.dtype)[:, None]
    return np.where(weights[:, None] > 0, error, 0) * times


def output_error(
    output: str,
    cost: Any,
    a: NDArray,
    y: NDArray,
    factor: float,
    delta: NDArray,
    weights: NDArray | None = None,
) -> None:
    """delta = factor * dC/dz of the output layer (eqs. 65, 66, 68, 84), rows weighted."""
    error = np.zeros_like(a) if cost is None else of_kernel(cost).error(output, a, y)
    delta[...] = weighted(error, factor, weights)


def costs(output: str, cost: Any, z: NDArray, y: NDArray) -> NDArray:
    """The cost of each output neuron in each example, from z so that nothing overflows: that
    of fastnet.costs, 0 for None."""
    if cost is None:
        return np.zeros_like(z)
    a = ACTIVATIONS[output].value(z)
    with np.errstate(over="ignore"):
        return of_kernel(cost).values(z, a, y)


def cost_sum(
    output: str, cost: Any, z: NDArray, y: NDArray, weights: NDArray | None = None
) -> float:
    """The sum of the examples' costs, each times its weight."""
    each = costs(output, cost, z.astype(np.float64), y.astype(np.float64))
    return float(np.sum(each if weights is None else weighted(each, 1.0, weights)))


def backpropagate(
    neurons: str, weights: NDArray, delta: NDArray, a: NDArray | None, delta_below: NDArray
) -> None:
    """delta_below = (delta W^T) * f'(z), the slope from a, or from delta_below where a is None."""
    slope = delta_below if a is None else ACTIVATIONS[neurons].derivative(None, a)
    delta_below[...] = (delta @ weights.T) * slope


def update(
    weights: NDArray, biases: NDArray, a: NDArray, delta: NDArray, l2: float = 0.0, l1: float = 0.0
) -> None:
    """W = W - l2 W - l1 sgn W + a^T delta, b = b + sum_s delta_s."""
    real = weights.dtype.type
    if l2 or l1:
        weights -= real(l2) * weights + real(l1) * np.sign(weights)
    weights += a.T @ delta
    biases += delta.sum(axis=0)


# ---- examples and networks -------------------------------------------------


def inputs(X: Any, scale: float, dtype: DTypeLike) -> NDArray:
    """Rows of X as the network sees them: value * scale, rounded once."""
    if hasattr(X, "offsets"):  # compressed
        X = np.array([X[s] for s in range(len(X))])
    if X.dtype == dtype and scale == 1:
        return X
    if X.dtype == np.uint8:
        return (np.arange(256) * np.float64(scale)).astype(dtype)[X]
    return (X.astype(np.float64) * scale).astype(dtype)


def targets(y: NDArray, n_out: int, output: str, dtype: DTypeLike) -> NDArray:
    """(n, n_out) targets: labels become a one at their place, or, where one
    neuron stands for two classes, the label itself."""
    if y.ndim == 2:
        return y.astype(dtype)
    if n_out == 1 and not ACTIVATIONS[output].of_layer:
        return y[:, None].astype(dtype)
    return (y[:, None] == np.arange(n_out)).astype(dtype)


def classes(a: NDArray) -> NDArray:
    """Row by row the class that the outputs stand for."""
    return a.argmax(axis=1) if a.shape[1] > 1 else (a[:, 0] >= 0.5).astype(int)


class Examples:
    """Examples as the kernels read them, in the caller's memory.

    X : (n, n_in) of uint8, float32 or float64; or compressed rows
    scale : float; an input is value * scale, rounded once
    y : (n, n_out) of float32 or float64, (n,) int64 labels, or None where only inputs matter
    weights : (n,) float64, how often each example counts; None: once
    """

    def __init__(
        self, X: Any, scale: float, y: NDArray | None = None, weights: NDArray | None = None
    ):
        self.X, self.scale, self.y, self.weights = X, scale, y, weights

    def mini_batch(self, rows: Any, network: NetworkCore) -> tuple[Any, Any, NDArray | None]:
        """(inputs, targets, weights) of these rows, in the network's type."""
        x = inputs(self.X[rows], self.scale, network.dtype)
        t = None
        if self.y is not None:
            t = targets(self.y[rows], network.sizes[-1], network.output, network.dtype)
        return x, t, None if self.weights is None else self.weights[rows]


def pieces(n: int, size: int, poll: Poll | None) -> Iterator[slice]:
    """Slices of n examples, of ``size`` each; ``poll`` is called in between two."""
    for first in range(0, n, size):
        if poll is not None and first > 0:
            poll(first)
        yield slice(first, first + size)


class NetworkCore:
    """Shape, cost and parameters of a network.

    sizes, hidden, output, cost
        Numbers of neurons, and names; hidden None: sigmoid. cost None: a custom one.
    parameters : (parameters,)
        A flat array in the layout of ``layout``, which training changes. The kernels also take a
        network's ParameterStorage, of which each call reads the values of that moment.
    custom_delta
        A custom cost's delta(z, a, y) -> dC/dz, all (n_out, m); the kernels call it instead of
        ``output_error`` with a whole mini-batch.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        output: str,
        cost: Any,
        parameters: Any,
        hidden: Sequence[str] | None = None,
        custom_delta: Callable[[NDArray, NDArray, NDArray], NDArray] | None = None,
    ):
        self.sizes, self.output, self.cost, self.parameters = sizes, output, cost, parameters
        self.hidden = hidden or ("sigmoid",) * (len(sizes) - 2)
        self.custom_delta = custom_delta
        self.dtype = parameters.dtype

    def predictor(self, check_file: Callable[[str, Any], None] | None = None) -> Predictor:
        """For one example at a time."""
        return Predictor(self, check_file)

    def feedforward(
        self, examples: Examples, out: NDArray, threads: int = 1, *, poll: Poll | None = None
    ) -> None:
        """out (n, n_out) = the output activations; ``poll`` is called as by ``evaluate``."""
        for rows in pieces(len(out), EVALUATED, poll):
            out[rows] = forward(self, examples.mini_batch(rows, self)[0])[0][-1]

    def gradient(self, examples: Examples, nabla: Any, *, poll: Poll | None = None) -> None:
        """nabla = the weighted sum over the examples of dC/d(parameters), laid out like them.

        ``poll`` is called as by ``Training.run``, in between two pieces; a custom cost has one.
        """
        nabla[...] = 0
        n = len(examples.X)
        piece = EVALUATED if self.custom_delta is None else max(1, n)
        for rows in pieces(n, piece, poll):
            step(self, nabla, examples.mini_batch(rows, self), 1.0)

    def evaluate(
        self,
        examples: Examples,
        threads: int = 1,
        *,
        networks: NDArray | None = None,
        with_cost: bool = True,
        poll: Poll | None = None,
    ) -> tuple[Any, Any]:
        """(number of correct examples, weighted sum of the costs); of several networks like this
        one, whose parameters are ``networks`` (k, parameters), two lists. Without cost 0.

        ``poll`` is called as by ``Training.run``, in between two pieces; those of the kernels have
        64 examples.
        """
        if networks is not None:
            figures = []
            for k, parameters in enumerate(networks):
                before = k * len(examples.X)
                if poll is not None and k > 0:
                    poll(before)
                one = NetworkCore(self.sizes, self.output, self.cost, parameters, self.hidden)
                figures.append(
                    one.evaluate(examples, with_cost=with_cost, poll=after(before, poll))
                )
            return [correct for correct, _ in figures], [total for _, total in figures]
        correct, total = 0, 0.0
        for rows in pieces(len(examples.X), EVALUATED, poll):
            x, t, weights = examples.mini_batch(rows, self)
            activations, z, _ = forward(self, x)
            correct += int(np.sum(classes(activations[-1]) == classes(t)))
            if with_cost:
                total += cost_sum(self.output, self.cost, z, t, weights)
        return correct, total


def after(before: int, poll: Poll | None) -> Poll | None:
    """``poll`` with so many examples more."""
    return None if poll is None else lambda done: poll(before + done)


class Predictor:
    """``feedforward`` of one example.

    Called with x (n_in,), it returns its own array (n_out,), the same one each time.
    ``try_predict`` returns a new array, or None where x is not a plain array of the network's type.
    Both compute with the parameters that the network has at the call. ``check_file`` is called with
    "x" and an x that may be part of a memory map.
    """

    def __init__(self, network: NetworkCore, check_file: Callable[[str, Any], None] | None = None):
        self._network, self._check_file = network, check_file
        self._out = np.empty(network.sizes[-1], network.dtype)

    def try_predict(self, x: Any) -> NDArray | None:
        """The outputs for x (n_in,) in a new array, or None."""
        is_plain = type(x) is np.ndarray and x.dtype == self._network.dtype
        return self(x).copy() if is_plain and x.shape == (self._network.sizes[0],) else None

    def __call__(self, x: ArrayLike) -> NDArray:
        if self._check_file is not None:
            self._check_file("x", x)
        row = np.asarray(x, self._network.dtype)[None]
        self._out[...] = forward(self._network, row)[0][-1][0]
        return self._out


# ---- one mini-batch --------------------------------------------------------


def forward(
    network: NetworkCore, x: NDArray, drop: Drop | None = None
) -> tuple[list[NDArray], NDArray, list[NDArray]]:
    """(activations of layers 0..L, z of the output layer, slopes of the hidden layers).

    ``drop(l)``: factors (m, n) by which hidden layer l's activations are multiplied, or None.
    """
    activations, slopes = [x], []
    for l, (weights, biases) in enumerate(layers(network.sizes, network.parameters)):
        z = np.empty((len(x), len(biases)), network.dtype)
        weighted_input(activations[-1], weights, biases, z)
        a = z.copy()
        if l + 2 < len(network.sizes):
            slope = np.empty_like(z)
            activate(network.hidden[l], z, a, slope)
            factors = drop(l) if drop else None
            if factors is not None:
                a *= factors
                slope *= factors
            slopes.append(slope)
        else:
            a = ACTIVATIONS[network.output].value(z)
        activations.append(a)
    return activations, z, slopes


def step(
    network: NetworkCore,
    target: NDArray,
    mini_batch: tuple[NDArray, NDArray, NDArray | None],
    factor: float,
    decay: tuple[float, float] = (0.0, 0.0),
    drop: Drop | None = None,
) -> None:
    """target = target - l2 target - l1 sgn target + factor * (weighted sum of the gradients of the
    mini-batch (x, y, weights) at the network's parameters), for the decay (l2, l1); biases do not
    decay."""
    x, y, weights = mini_batch
    activations, z, slopes = forward(network, x, drop)
    error = np.empty_like(z)
    if network.custom_delta is None:
        output_error(network.output, network.cost, activations[-1], y, factor, error, weights)
    else:
        error[...] = network.custom_delta(z.T, activations[-1].T, y.T).T
        error = weighted(error, factor, weights)
    here, there = layers(network.sizes, network.parameters), layers(network.sizes, target)
    for l in range(len(here) - 1, -1, -1):
        below = slopes[l - 1] if l > 0 else error
        if l > 0:
            backpropagate(network.hidden[l - 1], here[l][0], error, None, below)
        update(there[l][0], there[l][1], activations[l], error, *decay)
        error = below


def optimizer_step(
    training: Training, gradient: NDArray, eta: float, l2: float, number: int
) -> None:
    """One step of an optimizer along ``gradient``, the ``number``-th, counted from 1; see
    fastnet/nn/optimizers.py. Biases have neither l2 nor l1."""
    parameters, l1 = training.network.parameters, training.l1
    optimizer = optimizers.of_kernel(*training.optimizer)
    is_weight = np.zeros(len(parameters), bool)
    for w, b, _ in layout(training.network.sizes, parameters.dtype)[1]:
        is_weight[w:b] = True
    g = gradient + l1 * np.sign(parameters) * is_weight
    if optimizer.decoupled_decay:
        parameters -= eta * l2 * parameters * is_weight
    else:
        g += l2 * parameters * is_weight
    moments: Any = training.moments
    parameters -= optimizer.step(g, moments.reshape(optimizer.n_moments, -1), eta, number)


# Random numbers of a pass: each example of the order has a run of them, by its position, one
# for its shift and behind it one for each hidden neuron.


def counters(sizes: Sequence[int], first: int, m: int) -> NDArray:
    """(m,): where the runs of the examples at first .. first + m of the order begin."""
    return np.arange(first, first + m, dtype=np.uint64) * np.uint64(1 + sum(sizes[1:-1]))


def kept(training: Training, key: int, first: int, m: int, l: int) -> NDArray | None:
    """(m, n): 0 where a neuron of hidden layer l is dropped, else 1 / (1 - p)."""
    dropout, sizes = training.dropout, training.network.sizes
    if dropout is None or dropout[l] == 0:
        return None
    neuron = np.arange(sizes[l + 1], dtype=np.uint64) + np.uint64(1 + sum(sizes[1 : l + 1]))
    raw = random_at(key, counters(sizes, first, m)[:, None] + neuron)
    p = float(dropout[l])
    return np.where(raw < np.uint64(p * 2.0**64), 0, 1 / (1 - p)).astype(training.network.dtype)


def shifted(x: NDArray, sizes: Sequence[int], shift: int, key: int, first: int) -> NDArray:
    """Rows of x, images, each moved by up to ``shift`` pixels down and to the right."""
    if shift == 0:
        return x
    side = int(sizes[0] ** 0.5)
    out = np.zeros_like(x).reshape(-1, side, side)
    for image, moved, raw in zip(
        x.reshape(-1, side, side), out, random_at(key, counters(sizes, first, len(x))), strict=True
    ):
        down, right = ((int(part) * (2 * shift + 1) >> 32) - shift
                       for part in (raw >> np.uint64(32), raw & np.uint64(0xFFFFFFFF)))  # fmt: skip
        padded_image = np.pad(image, shift)
        moved[...] = padded_image[shift - down :, shift - right :][:side, :side]
    return out.reshape(len(x), -1)


# ---- training --------------------------------------------------------------


class DeferredDecay:
    """The first layer's weights W = s V, whose decay by L2 alone is deferred: s is the product of
    the mini-batches' factors, 1 - eta l2. So a row that k mini-batches left alone has their k
    factors when it is needed next. Mini-batches of several pieces cannot defer it."""

    def __init__(self, weights: NDArray, m: int):
        self.weights, self.can_defer = weights, m <= 1024
        self.s, self.v = 1.0, weights.copy()

    def step(self, change: NDArray, decay: float) -> None:
        """W = (1 - decay) W + change."""
        self.s *= 1 - decay
        self.v += change / self.s
        self.weights[...] = self.s * self.v
        if self.s < 2**-10:
            self.s, self.v = 1.0, self.weights.copy()

    def take_over(self) -> None:
        """The weights were changed otherwise."""
        self.v = self.weights / self.weights.dtype.type(self.s)


class Training:
    """What stays the same in all passes of a training, and what it carries from one to the next.

    With the plain optimizer each mini-batch moves W to W - eta (l2 W + l1 sgn W) - (eta/m) sum
    dC/dW and b by -(eta/m) sum dC/db, m being the mini-batch's own size; where examples
    have weights, m is the sum of them, and the sums over the examples are weighted. Other
    optimizers, ("momentum", mu), ("adam", beta1, beta2, epsilon) and so on: ``optimizer_step``, by
    the mean gradient. dropout: (hidden layers,) probabilities; shift: images are moved by up to so
    many pixels.

    Attributes
    ----------
    steps : int
        The mini-batches of all complete passes so far.
    moments : (n_moments parameters,) array, or None
        Zero at the start.
    n_complete : int
        How many passes of the last ``run`` were complete and left all parameters finite.
    costs : (mini-batches of all passes,) float64 array, or None
        ``run`` fills it with the weighted sum of each mini-batch's costs before its step.
    divide_l2 : bool
        In place of l2 each mini-batch has l2/m, and 0 where its m is 0.
    by_blocks : bool or None
        In which of two ways compressed rows enter the kernels' first layer; None: in the quicker
        one. The bits are the same.
    """

    def __init__(
        self,
        network: NetworkCore,
        mini_batch_size: int,
        optimizer: Sequence[Any] = ("plain",),
        *,
        l2: float = 0.0,
        l1: float = 0.0,
        dropout: NDArray | None = None,
        shift: int = 0,
    ):
        self.network, self.mini_batch_size, self.optimizer = network, mini_batch_size, optimizer
        self.l2, self.l1, self.dropout, self.shift = l2, l1, dropout, shift
        self.divide_l2 = False
        self.by_blocks: bool | None = None
        self.costs: NDArray | None = None
        self.n_complete = 0
        name, *coefficients = optimizer
        self._n_moments = (
            0 if name == "plain" else optimizers.of_kernel(name, *coefficients).n_moments
        )
        self.resume(np.zeros(self._n_moments * len(network.parameters), network.dtype), 0)

    def resume(self, moments: Any, steps: int) -> None:
        """Continue a training that had these moments, which are changed in place, after so many
        steps; an optimizer without moments ignores them."""
        self.moments = moments if self._n_moments else None
        self.steps = steps

    def reset(self) -> None:
        """Let an optimizer with moments begin anew: the moments and ``steps`` become 0."""
        if self.moments is not None:
            self.moments[...] = 0
            self.steps = 0

    def run(
        self,
        examples: Examples,
        order: NDArray,
        eta: float,
        *,
        key: int | NDArray | None = None,
        threads: int = 1,
        poll: Poll | None = None,
        snapshots: NDArray | None = None,
    ) -> int:
        """Passes over the examples in ``order``, (n,) or (passes, n), until one leaves a parameter
        that is not finite. Returns how many were complete before.

        ``key``, one for all or (passes,) uint64, seeds dropout and shift; None: there is neither.
        ``snapshots`` (k, parameters) are what the last k complete passes left, the e-th of the call
        in row e % k.

        ``poll`` is called with the number of examples done, in between mini-batches: here after
        each, by the kernels ten times a second. The handler of a signal finds the parameters as
        these have left them. What the two raise ends the call, and leaves the parameters of the
        mini-batches done.
        """
        orders = np.atleast_2d(order)
        keys = [key or 0] * len(orders) if key is None or isinstance(key, int) else key
        n = orders.shape[1]
        mini_batches = -(-n // self.mini_batch_size)
        costs, self.n_complete = self.costs, 0
        for e, (row, row_key) in enumerate(zip(orders, keys, strict=True)):
            if poll is not None and e > 0:
                poll(e * n)
            of_pass = None if costs is None else costs[e * mini_batches :][:mini_batches]
            self._run_pass(examples, row, eta, int(row_key), after(e * n, poll), of_pass)
            if not np.isfinite(self.network.parameters).all():
                break
            self.n_complete += 1
            self.steps += mini_batches
            if snapshots is not None and len(snapshots):
                snapshots[e % len(snapshots)] = self.network.parameters
        return self.n_complete

    def _run_pass(
        self,
        examples: Examples,
        order: NDArray,
        eta: float,
        key: int,
        poll: Poll | None,
        costs: NDArray | None,
    ) -> None:
        network = self.network
        m = min(self.mini_batch_size, len(order))
        first_layer = DeferredDecay(layers(network.sizes, network.parameters)[0][0], m)
        for k, rows in enumerate(pieces(len(order), self.mini_batch_size, poll)):
            x, t, weights = examples.mini_batch(order[rows], network)
            x = shifted(x, network.sizes, self.shift, key, rows.start)
            drop = partial(kept, self, key, rows.start, len(x))
            if costs is not None:
                z = forward(network, x, drop)[1]
                costs[k] = cost_sum(network.output, network.cost, z, t, weights)
            self._step((x, t, weights), eta, self.steps + k + 1, drop, first_layer)

    def _step(
        self,
        mini_batch: tuple[NDArray, NDArray, NDArray | None],
        eta: float,
        number: int,
        drop: Drop,
        first_layer: DeferredDecay,
    ) -> None:
        network, parameters = self.network, self.network.parameters
        x, _, weights = mini_batch
        m = len(x) if weights is None else weights.sum()
        mean = 1 / m if m > 0 else 0.0
        l2 = self.l2 if not self.divide_l2 else self.l2 / m if m > 0 else 0.0
        nabla = np.zeros_like(parameters)
        if self.optimizer[0] != "plain":
            step(network, nabla, mini_batch, mean, drop=drop)
            optimizer_step(self, nabla, eta, l2, number)
        elif first_layer.can_defer and self.l1 == 0 and 0 < eta * l2 < 0.5:
            step(network, nabla, mini_batch, -eta * mean, drop=drop)
            changes = layers(network.sizes, nabla)
            for (w, b), (dw, db) in zip(layers(network.sizes, parameters), changes, strict=True):
                w += dw - parameters.dtype.type(eta * l2) * w
                b += db
            first_layer.step(changes[0][0], eta * l2)
        else:
            step(network, parameters, mini_batch, -eta * mean, (eta * l2, eta * self.l1), drop)
            first_layer.take_over()


# ---- the yardstick ---------------------------------------------------------


def fma_rounds(dtype: DTypeLike, n: int) -> float:
    """n rounds of sums = sums / 2 + 1/2; returns the floating-point operations done."""
    sums = np.zeros(128, dtype)
    for _ in range(n):
        sums *= 0.5
        sums += 0.5
    return 2.0 * sums.size * n


# ---- random numbers --------------------------------------------------------


def random_at(key: int, counters: NDArray) -> NDArray:
    """One raw 64-bit number for each uint64 counter: SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        x = np.uint64(key) + (counters + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


def permutation(raw: NDArray) -> NDArray:
    """Fisher and Yates from the last place down; raw[i] chooses among i + 1. Rows of raw
    by themselves."""
    if raw.ndim == 2:
        return np.array([permutation(row) for row in raw], np.int64).reshape(raw.shape)
    order = list(range(len(raw)))
    for i in range(len(raw) - 1, 0, -1):
        j = int(raw[i]) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def uniform(raw: NDArray) -> NDArray:
    """The middle of one of 2^52 equal parts of (0, 1)."""
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def standard_normal(raw: NDArray) -> NDArray:
    """One N(0, 1) number for each raw one, by the inverse of the distribution."""
    return np.array([NormalDist().inv_cdf(u) for u in uniform(raw)])
