"""Back-propagation compared with finite differences of the cost, parameter by parameter."""

from __future__ import annotations

import numpy as np

from fastnet.core.random_stream import RandomStream
from fastnet.data.dataset import Dataset
from fastnet.model import Model

# The step of a central difference, relative to the scale of the parameter: with it the truncation
# error, step^2 / 6, and the rounding error, 2^-53 / step, are about equal.
_STEP = float(np.cbrt(np.finfo(np.float64).eps))

# The error of a slope is divided by the slope, but at least by this fraction of the largest slope,
# since the smallest slopes consist mostly of rounding errors.
_FLOOR = 1e-3


def largest_error(model: Model, data: Dataset, n_parameters: int | None, seed: int) -> float:
    """The result of ``Network.gradient_check``; ``model`` is not changed."""
    double = Model(model.sizes, model.cost_spec, "float64", model.n_threads, model.hidden)
    parameters = _arrays(double)
    for copied, array in zip(parameters, _arrays(model), strict=True):
        copied[...] = array
    gradients = [g.ravel() / len(data) for g in _arrays(double.gradient(data))]
    # The effect of a weight is proportional to the inputs that it is multiplied by.
    input_sizes = [max(1.0, data.largest)] + [1.0] * (len(parameters) - 1)
    stream = RandomStream(seed)
    computed, measured = [], []
    for which, n in enumerate(_shares([p.size for p in parameters], n_parameters)):
        for i in np.sort(stream.permutation(parameters[which].size)[:n]):
            place = np.unravel_index(i, parameters[which].shape)
            computed.append(gradients[which][i])
            measured.append(_slope(double, data, parameters[which], place, 1 / input_sizes[which]))
    a, s = np.array(computed), np.array(measured)
    largest = max(np.abs(s).max(), *(np.abs(g).max() for g in gradients))
    if largest == 0:  # the cost is flat, and so is the computed gradient
        return 0.0
    scale = np.maximum(np.maximum(np.abs(a), np.abs(s)), _FLOOR * largest)
    return float((np.abs(a - s) / scale).max())


def _arrays(model: Model) -> list[np.ndarray]:
    """The weights of all layers, then the biases of all."""
    return [*model.parameters.arrays("weights"), *model.parameters.arrays("biases")]


def _shares(sizes: list[int], n: int | None) -> list[int]:
    """The number of parameters of each array to check: about the same number of each, n in all."""
    if n is None:
        return sizes
    shares = [0] * len(sizes)
    ascending = sorted(range(len(sizes)), key=sizes.__getitem__)
    for done, which in enumerate(ascending):
        shares[which] = min(sizes[which], n // (len(sizes) - done))
        n -= shares[which]
    return shares


def _slope(
    model: Model, data: Dataset, values: np.ndarray, place: tuple[np.intp, ...], length: float
) -> float:
    """The central difference of the mean cost by one element of ``values``, a parameter."""
    before = values[place]
    step = _STEP * max(length, abs(before))
    values[place] = before + step
    above, cost_above = values[place], model.total_cost(data, 0.0)
    values[place] = before - step
    below, cost_below = values[place], model.total_cost(data, 0.0)
    values[place] = before
    return float((cost_above - cost_below) / (above - below))  # the step after rounding to float64
