"""From the weighted inputs z of the output layer to outputs, probabilities and labels.

All of it is computed in float64, whatever type the network computes z in: a softmax of
float32 sums to 1 only to seven digits, and its small probabilities are 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fastnet.nn.activations import ACTIVATIONS


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


def _below_the_largest(z: NDArray) -> NDArray:
    """z minus the largest of its row, transposed, (n_out, n). NumPy does not vectorize along rows
    of few outputs, so that sums over them would take six times as long."""
    columns = np.array(z.T, np.float64, order="C")
    with np.errstate(over="ignore"):  # the difference of two weighted inputs may be infinite
        columns -= columns.max(axis=0)
    return columns


def softmax(z: NDArray) -> NDArray:
    """The softmax of each row; scipy.special's takes 40 us for a single one."""
    e = _below_the_largest(z)
    np.exp(e, out=e)
    e /= e.sum(axis=0)
    return np.ascontiguousarray(e.T)


def log_softmax(z: NDArray) -> NDArray:
    """The logarithm of the softmax of each row, finite for finite z."""
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
        else:
            z = ACTIVATIONS[output].value(z)
    return z


def log_sigmoid(z: NDArray) -> NDArray:
    """ln sigma(z), finite for each finite z."""
    return np.asarray(-np.logaddexp(0, -z))


def above_half(output: str, z: NDArray) -> NDArray:
    """Whether each output is greater than 1/2."""
    where = {"sigmoid": 0.0, "exponential": np.log(0.5), "linear": 0.5}
    above: NDArray = z > where[output] if output in where else activations(output, z) > 0.5
    return above


def log_activations(output: str, z: NDArray) -> NDArray:
    """The logarithms of the outputs; finite except for linear outputs."""
    if output == "sigmoid":
        return log_sigmoid(z)
    if output == "softmax":
        return log_softmax(z)
    if output == "exponential":
        return z
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: NDArray = np.log(activations(output, z))
    return logs


def _softmax_inputs(output: str, z: NDArray) -> NDArray | None:
    """For several outputs, the values whose softmax is the probabilities; None if the
    probabilities are the outputs divided by their sum, as for linear outputs.

    The probabilities of one-vs-rest sigmoid neurons are proportional to the outputs, and so are
    those of exponential neurons.
    """
    if output == "sigmoid":
        return log_sigmoid(z)
    return z if output in ("softmax", "exponential") else None


def probabilities(output: str, z: NDArray) -> NDArray:
    """(n, n_out) -> (n, n_classes): two classes for one output, otherwise one per output."""
    if z.shape[1] == 1:
        a = activations(output, z)
        return np.hstack([special.expit(-z) if output == "sigmoid" else 1 - a, a])
    logits = _softmax_inputs(output, z)
    if logits is not None:
        return softmax(logits)
    a = activations(output, z)
    sums = a.sum(axis=1, keepdims=True)
    shares: NDArray = np.where(sums > 0, a, 1) / np.where(sums > 0, sums, a.shape[1])
    return shares


def log_probabilities(output: str, z: NDArray) -> NDArray:
    """The logarithms of ``probabilities``; finite except for linear outputs and a single
    exponential one, which are not restricted to probabilities."""
    if z.shape[1] == 1 and output == "sigmoid":
        return np.hstack([log_sigmoid(-z), log_sigmoid(z)])
    logits = _softmax_inputs(output, z) if z.shape[1] > 1 else None
    if logits is not None:
        return log_softmax(logits)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: NDArray = np.log(probabilities(output, z))
    return logs


def cast(a: NDArray, dtype: type) -> NDArray:
    """``a`` as float32 or float64; values too large for float32 become infinite."""
    if dtype is np.float64:
        return a
    with np.errstate(over="ignore"):
        return a.astype(dtype)


def cast_logs(logs: NDArray, dtype: type) -> NDArray:
    """``logs`` as float32 or float64; values too low for float32 become its lowest number."""
    nearest = cast(logs, dtype)
    nearest[np.isinf(nearest) & np.isfinite(logs)] = np.finfo(dtype).min
    return nearest
