"""From the weighted inputs z of the output layer to outputs, probabilities and labels.

All of it is computed in float64, whatever type the network computes z in: a softmax of
float32 sums to 1 only to seven digits, and its small probabilities are 0. Overflow and underflow
are expected and do not depend on ``np.seterr``, which other packages change.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fastnet.nn.activations import ACTIVATIONS, Softmax, below_the_largest

P = ParamSpec("P")


def _quiet(function: Callable[P, NDArray]) -> Callable[P, NDArray]:
    """``function`` with NumPy's errors ignored. (One errstate as a decorator is not thread-safe
    before NumPy 2.)"""

    @functools.wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> NDArray:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return quiet


@_quiet
def clip_infinite(z: NDArray) -> NDArray:
    """z in float64, infinities clipped to the largest number of the original type of z.

    Raises
    ------
    ValueError
        For NaN, which gives no probability and no label.
    """
    if np.isfinite(z).all():
        return z.astype(np.float64)
    wrong = np.flatnonzero(np.isnan(z).any(axis=1))
    if len(wrong):
        raise ValueError(
            f"X: expected inputs for which the weighted inputs are numbers in {z.dtype}, got NaN "
            f"for example {wrong[0]}; smaller inputs may help"
        )
    largest = np.finfo(z.dtype).max
    clipped: NDArray = np.clip(z, -largest, largest).astype(np.float64)
    return clipped


@_quiet
def softmax(z: NDArray) -> NDArray:
    """The softmax of each row, which scipy.special's computes more slowly for few rows."""
    e = below_the_largest(z)
    np.exp(e, out=e)
    e /= e.sum(axis=0)
    return np.ascontiguousarray(e.T)


# Functions that are faster than the ``value`` of the class.
_FASTER = {"sigmoid": special.expit, "softmax": softmax}


@_quiet
def activations(output: str, z: NDArray) -> NDArray:
    """The outputs a = f(z) in float64."""
    value = _FASTER.get(output, ACTIVATIONS[output].value)
    a: NDArray = value(z.astype(np.float64))
    return a


def above_half(output: str, z: NDArray) -> NDArray:
    """Whether each output is greater than 1/2."""
    half = ACTIVATIONS[output].half
    above: NDArray = activations(output, z) > 0.5 if half is None else z > half
    return above


@_quiet
def log_activations(output: str, z: NDArray) -> NDArray:
    """The logarithms of the outputs; finite except for linear outputs."""
    return ACTIVATIONS[output].log_value(z)


@_quiet
def probabilities(output: str, z: NDArray) -> NDArray:
    """(n, n_out) -> (n, n_classes): two classes for one output, otherwise one per output."""
    kind = ACTIVATIONS[output]
    if z.shape[1] == 1:
        a = activations(output, z)
        return np.hstack([activations(output, -z) if kind.symmetric else 1 - a, a])
    logits = kind.logits(z)
    if logits is not None:
        return softmax(logits)
    a = activations(output, z)
    sums = a.sum(axis=1, keepdims=True)
    shares: NDArray = np.where(sums > 0, a, 1) / np.where(sums > 0, sums, a.shape[1])
    return shares


@_quiet
def log_probabilities(output: str, z: NDArray) -> NDArray:
    """The logarithms of ``probabilities``; finite except for linear outputs and a single
    exponential one, which are not restricted to probabilities."""
    kind = ACTIVATIONS[output]
    if z.shape[1] == 1 and kind.symmetric:
        return np.hstack([kind.log_value(-z), kind.log_value(z)])
    logits = kind.logits(z) if z.shape[1] > 1 else None
    if logits is not None:
        return Softmax.log_value(logits)
    logs: NDArray = np.log(probabilities(output, z))
    return logs


@_quiet
def cast(a: NDArray, dtype: type) -> NDArray:
    """``a`` as float32 or float64; values too large for float32 become infinite."""
    if dtype is np.float64:
        return a
    return a.astype(dtype)


def cast_logs(logs: NDArray, dtype: type) -> NDArray:
    """``logs`` as float32 or float64; values too low for float32 become its lowest number."""
    nearest = cast(logs, dtype)
    nearest[np.isinf(nearest) & np.isfinite(logs)] = np.finfo(dtype).min
    return nearest
