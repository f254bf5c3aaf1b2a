"""Examples, and a network's passes over them: prediction, evaluation, gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastnet.nn.activations import ACTIVATIONS
from fastnet.nn.registry import Kernel
from fastnet.reference.arrays import layers
from fastnet.reference.elementwise import activate
from fastnet.reference.layer import (
    backpropagate,
    cost_sum,
    output_error,
    update,
    weighted,
    weighted_input,
)

EVALUATED = 1024  # examples computed at once; fewer would be slow in NumPy

# Called with the number of examples done.
Poll: TypeAlias = Callable[[int], object]

# A function that returns the factors of the activations of hidden layer l, for dropout.
Drop: TypeAlias = Callable[[int], NDArray | None]


def inputs(X: Any, scale: float, dtype: DTypeLike) -> NDArray:
    """The network's inputs: rows of X times scale, rounded once."""
    if hasattr(X, "offsets"):  # compressed
        X = np.array([X[s] for s in range(len(X))])
    if X.dtype == dtype and scale == 1:
        return X
    if X.dtype == np.uint8:
        return (np.arange(256) * np.float64(scale)).astype(dtype)[X]
    return (X.astype(np.float64) * scale).astype(dtype)


def targets(y: NDArray, n_out: int, output: str, dtype: DTypeLike) -> NDArray:
    """(n, n_out) targets: labels become one-hot vectors, or, where one neuron
    stands for two classes, the label itself."""
    if y.ndim == 2:
        return y.astype(dtype)
    if n_out == 1 and not ACTIVATIONS[output].of_layer:
        return y[:, None].astype(dtype)
    return (y[:, None] == np.arange(n_out)).astype(dtype)


def classes(a: NDArray) -> NDArray:
    """The predicted class of each row."""
    return a.argmax(axis=1) if a.shape[1] > 1 else (a[:, 0] >= 0.5).astype(int)


class Examples:
    """Examples as the kernels read them, in the caller's memory.

    X : (n, n_in) of uint8, float32 or float64; or compressed rows
    scale : float; an input is value * scale, rounded once
    y : (n, n_out) of float32 or float64, (n,) int64 labels, or None where only inputs matter
    weights : (n,) float64, the weight of each example; None: 1
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
    """Slices of n examples, of ``size`` each; ``poll`` is called between two slices."""
    for first in range(0, n, size):
        if poll is not None and first > 0:
            poll(first)
        yield slice(first, first + size)


class NetworkCore:
    """Shape, cost and parameters of a network.

    sizes, hidden, output, cost
        Numbers of neurons, and names, or tuples of name and parameters; hidden None: sigmoid.
        cost None: a custom one.
    parameters : (parameters,)
        A flat array laid out by ``layout``, which training changes. The kernels also take a
        network's ParameterStorage, whose current values each call reads.
    custom_delta
        A custom cost's delta(z, a, y) -> dC/dz, all (n_out, m); it replaces
        ``output_error`` and is called with whole mini-batches.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        output: str,
        cost: Any,
        parameters: Any,
        hidden: Sequence[Kernel] | None = None,
        custom_delta: Callable[[NDArray, NDArray, NDArray], NDArray] | None = None,
    ):
        self.sizes, self.output, self.cost, self.parameters = sizes, output, cost, parameters
        self.hidden = hidden or ("sigmoid",) * (len(sizes) - 2)
        self.custom_delta = custom_delta
        self.dtype = parameters.dtype

    def predictor(
        self,
        check_file: Callable[[str, Any], None] | None = None,
        standardize: tuple[NDArray, NDArray] | None = None,
        convert: Callable[[Any], Any] | None = None,
        jacobian: bool = False,
    ) -> Predictor:
        """A function for one example at a time."""
        return Predictor(self, check_file, standardize, convert, jacobian)

    def feedforward(
        self, examples: Examples, out: NDArray, threads: int = 1, *, poll: Poll | None = None
    ) -> None:
        """out (n, n_out) = the output activations; ``poll`` is called as by ``evaluate``."""
        for rows in pieces(len(out), EVALUATED, poll):
            out[rows] = forward(self, examples.mini_batch(rows, self)[0])[0][-1]

    def jacobian(
        self,
        examples: Examples,
        out: NDArray,
        jacobian: NDArray,
        slopes: NDArray | None = None,
        threads: int = 1,
        *,
        poll: Poll | None = None,
    ) -> None:
        """out (n, n_out) = the outputs, jacobian (n * n_out, n_in) = their derivatives with respect
        to the inputs, one example after the other, times slopes (n_in,) float64; ``poll`` is called
        as by ``evaluate``."""
        by_example = jacobian.reshape(len(out), self.sizes[-1], self.sizes[0])
        for rows in pieces(len(out), EVALUATED, poll):
            x = examples.mini_batch(rows, self)[0]
            out[rows], by_example[rows] = derivatives(self, x)
            if slopes is not None:
                by_example[rows] *= slopes

    def gradient(
        self, examples: Examples, nabla: Any, threads: int = 1, *, poll: Poll | None = None
    ) -> float:
        """nabla = the weighted sum over the examples of dC/d(parameters), laid out like them.
        Returns the weighted sum of the costs; 0 for a custom cost.

        ``poll`` is called as by ``Training.run``, between two pieces. With a custom cost all
        examples are one piece.
        """
        nabla[...] = 0
        n, total = len(examples.X), 0.0
        piece = EVALUATED if self.custom_delta is None else max(1, n)
        for rows in pieces(n, piece, poll):
            x, t, weights = mini_batch = examples.mini_batch(rows, self)
            step(self, nabla, mini_batch, 1.0)
            if self.custom_delta is None:
                z = forward(self, x)[1]
                total += cost_sum(self.output, self.cost, z, t, weights)
        return total

    def evaluate(
        self,
        examples: Examples,
        threads: int = 1,
        *,
        networks: NDArray | None = None,
        with_cost: bool = True,
        poll: Poll | None = None,
    ) -> tuple[Any, Any]:
        """(number of correct examples, weighted sum of the costs); for several networks of
        this shape, whose parameters are the rows of ``networks``, two lists. The costs are 0 if
        ``with_cost`` is False.

        ``poll`` is called as by ``Training.run``, between two pieces; the kernels' pieces have 64
        examples.
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
    """``poll``, called with ``before`` added to the number of examples."""
    return None if poll is None else lambda done: poll(before + done)


class Predictor:
    """``feedforward`` of one example.

    Called with x (n_in,), it returns an array (n_out,), the same one each time.
    ``try_predict`` also takes a column x (n_in, 1), n_in > 1, and returns a new array, (n_out,) or
    (n_out, 1), or None if x is not a plain array of the network's dtype.
    Both compute with the parameters that the network has at the call. ``check_file`` is called with
    "x" and an x that may be part of a memory map. ``standardize``, means and deviations (n_in,) of
    float64, makes the inputs (x - mean) / deviation, rounded once from float64. ``convert`` makes
    an array of an x that is none. With ``jacobian`` the result of a call is the pair (outputs,
    their derivatives with respect to x (n_out, n_in)), the same one each time.
    """

    def __init__(
        self,
        network: NetworkCore,
        check_file: Callable[[str, Any], None] | None = None,
        standardize: tuple[NDArray, NDArray] | None = None,
        convert: Callable[[Any], Any] | None = None,
        jacobian: bool = False,
    ):
        self._network, self._check_file = network, check_file
        self._standardize, self._convert = standardize, convert
        self._out = np.empty(network.sizes[-1], network.dtype)
        self._jacobian = np.empty((network.sizes[-1], network.sizes[0]), network.dtype)
        self._result = (self._out, self._jacobian) if jacobian else self._out

    def try_predict(self, x: Any) -> NDArray | None:
        """The outputs for x (n_in,) or (n_in, 1) in a new array, or None."""
        n_in = self._network.sizes[0]
        if type(x) is not np.ndarray or x.dtype != self._network.dtype:
            return None
        if x.shape == (n_in, 1) and n_in > 1:
            self(x[:, 0])
            return self._out[:, None].copy()
        if x.shape != (n_in,):
            return None
        self(x)
        return self._out.copy()

    def __call__(self, x: Any) -> Any:
        if self._check_file is not None:
            self._check_file("x", x)
        if self._convert is not None and not isinstance(x, np.ndarray):
            x = self._convert(x)
        if self._standardize is not None:
            mean, deviation = self._standardize
            x = (np.asarray(x, np.float64) - mean) / deviation
        row = np.asarray(x, self._network.dtype)[None]
        if self._result is self._out:
            self._out[...] = forward(self._network, row)[0][-1][0]
            return self._result
        outputs, rows = derivatives(self._network, row)
        self._out[...], self._jacobian[...] = outputs[0], rows[0]
        if self._standardize is not None:
            self._jacobian /= self._standardize[1]
        return self._result


def forward(
    network: NetworkCore, x: NDArray, drop: Drop | None = None
) -> tuple[list[NDArray], NDArray, list[NDArray]]:
    """(activations of layers 0..L, z of the output layer, f'(z) of the hidden layers).

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


def derivatives(network: NetworkCore, x: NDArray) -> tuple[NDArray, NDArray]:
    """(outputs (m, n_out), their derivatives with respect to the inputs (m, n_out, n_in))."""
    activations, z, slopes = forward(network, x)
    a, output = activations[-1], ACTIVATIONS[network.output]
    if output.of_layer:  # da_j/dz_k = a_j ((j == k) - a_k)
        rows = a[:, :, None] * (np.eye(a.shape[1], dtype=a.dtype) - a[:, None, :])
    else:
        rows = output.derivative(z, a)[:, :, None] * np.eye(a.shape[1], dtype=a.dtype)
    for l, (weights, _) in reversed([*enumerate(layers(network.sizes, network.parameters))]):
        rows = rows @ weights.T
        if l > 0:
            rows *= slopes[l - 1][:, None, :]
    return a, rows


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
