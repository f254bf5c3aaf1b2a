"""The steps of one layer: weighted input, output error, backpropagation, update."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.nn import activations
from fastnet.nn.costs import of_kernel
from fastnet.nn.registry import Kernel


def weighted_input(a: NDArray, weights: NDArray, biases: NDArray, z: NDArray) -> None:
    """z = a W + b."""
    z[...] = a @ weights + biases


def weighted(error: NDArray, factor: float, weights: NDArray | None) -> NDArray:
    """The rows of an output error times factor and their weights; a row of weight 0 becomes 0 even
    if its error is not finite."""
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
    """delta = factor * weights * dC/dz of the output layer (eqs. 65, 66, 68, 84)."""
    error = np.zeros_like(a) if cost is None else of_kernel(cost).error(output, a, y)
    delta[...] = weighted(error, factor, weights)


def costs(output: str, cost: Any, z: NDArray, y: NDArray) -> NDArray:
    """The cost of each output neuron in each example, computed from z to avoid overflow; 0 if
    ``cost`` is None."""
    if cost is None:
        return np.zeros_like(z)
    a = activations.ACTIVATIONS[output].value(z)
    with np.errstate(over="ignore"):
        return of_kernel(cost).values(z, a, y)


def cost_sum(
    output: str, cost: Any, z: NDArray, y: NDArray, weights: NDArray | None = None
) -> float:
    """The sum of the examples' costs, each times its weight."""
    each = costs(output, cost, z.astype(np.float64), y.astype(np.float64))
    return float(np.sum(each if weights is None else weighted(each, 1.0, weights)))


def backpropagate(
    neurons: Kernel, weights: NDArray, delta: NDArray, a: NDArray | None, delta_below: NDArray
) -> None:
    """delta_below = (delta W^T) * f'(z), f'(z) from a, or read from delta_below if a is None."""
    slope = delta_below if a is None else activations.of_kernel(neurons).derivative(None, a)
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
