"""From the weighted inputs z of the output layer to outputs, probabilities and labels.

All of it is computed in float64, whatever type the network computes z in: a softmax of
float32 sums to 1 only to seven digits, and its small probabilities are 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special


def finite(z: NDArray) -> NDArray:
    """z in float64; what is infinite is the largest number of the type that z came in.

    Raises
    ------
    ValueError
        For NaN, which stands for no probability and no label.
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


def _below_the_largest(z: NDArray) -> NDArray:
    """z minus the largest of its row, (n_out, n): sums over rows of few outputs, along which
    NumPy does not vectorize, would take six times as long."""
    columns = np.array(z.T, np.float64, order="C")
    with np.errstate(over="ignore"):  # the difference of two weighted inputs may be infinite
        columns -= columns.max(axis=0)
    return columns


def softmax(z: NDArray) -> NDArray:
    """Of each row; scipy.special's takes 40 us for a single one."""
    e = _below_the_largest(z)
    np.exp(e, out=e)
    e /= e.sum(axis=0)
    return np.ascontiguousarray(e.T)


def log_softmax(z: NDArray) -> NDArray:
    """Its logarithms, finite for finite z."""
    logs = _below_the_largest(z)
    with np.errstate(over="ignore"):
        logs -= np.log(np.exp(logs).sum(axis=0))
    np.maximum(logs, -np.finfo(np.float64).max, out=logs)
    return np.ascontiguousarray(logs.T)


def activations(output: str, z: NDArray) -> NDArray:
    """The outputs a = f(z) in float64."""
    z = z.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if output == "sigmoid":
            z = special.expit(z)
        elif output == "softmax":
            z = softmax(z)
        elif output == "exponential":
            z = np.exp(z)
    return z


def log_sigmoid(z: NDArray) -> NDArray:
    """ln sigma(z), finite for each finite z."""
    return np.asarray(-np.logaddexp(0, -z))


def above_half(output: str, z: NDArray) -> NDArray:
    """Where an output is more than 1/2."""
    if output == "softmax":
        z = activations(output, z)
    where = {"sigmoid": 0.0, "exponential": np.log(0.5)}
    above: NDArray = z > where.get(output, 0.5)
    return above


def log_activations(output: str, z: NDArray) -> NDArray:
    """The logarithms of the outputs; finite for sigmoid and exponential ones and a softmax."""
    if output == "sigmoid":
        return log_sigmoid(z)
    if output == "softmax":
        return log_softmax(z)
    if output == "exponential":
        return z
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: NDArray = np.log(z)
    return logs


def _to_be_shared(output: str, z: NDArray) -> NDArray | None:
    """What the probabilities are a softmax of, for several outputs; None: they are no softmax.

    Sigmoid neurons that learn one class against all others have probabilities that are
    proportional to their outputs, and so have exponential ones.
    """
    if output == "sigmoid":
        return log_sigmoid(z)
    return None if output == "linear" else z


def probabilities(output: str, z: NDArray) -> NDArray:
    """(n, n_out) -> (n, n_classes): of two classes for one output, else of as many as outputs."""
    if z.shape[1] == 1:
        a = activations(output, z)
        return np.hstack([special.expit(-z) if output == "sigmoid" else 1 - a, a])
    shared = _to_be_shared(output, z)
    if shared is not None:
        return softmax(shared)
    sums = z.sum(axis=1, keepdims=True)
    shares: NDArray = np.where(sums > 0, z, 1) / np.where(sums > 0, sums, z.shape[1])
    return shares


def log_probabilities(output: str, z: NDArray) -> NDArray:
    """The logarithms of ``probabilities``, finite but for linear outputs and a single
    exponential one, which need not be probabilities."""
    if z.shape[1] == 1 and output == "sigmoid":
        return np.hstack([log_sigmoid(-z), log_sigmoid(z)])
    shared = _to_be_shared(output, z) if z.shape[1] > 1 else None
    if shared is not None:
        return log_softmax(shared)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: NDArray = np.log(probabilities(output, z))
    return logs


def rounded(a: NDArray, dtype: type) -> NDArray:
    """``a`` in float32 or float64."""
    if dtype is np.float64:
        return a
    with np.errstate(over="ignore"):
        return a.astype(dtype)


def rounded_logs(logs: NDArray, dtype: type) -> NDArray:
    """The same, but what is too far below zero for float32 stays finite."""
    nearest = rounded(logs, dtype)
    nearest[np.isinf(nearest) & np.isfinite(logs)] = np.finfo(dtype).min
    return nearest
