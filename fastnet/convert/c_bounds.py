"""Bounds of the difference between two computations of a network in the same precision.

Without fused multiply-adds each product of a sum is rounded, too. The bounds hold for given inputs
and propagate each rounding error through the layers. The error of a sum of n products and a bias is
at most (n + 2) u times the sum of their magnitudes, where u is the unit roundoff (Higham, Accuracy
and Stability of Numerical Algorithms, section 3.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastnet.convert.c_source import Source
from fastnet.nn.activations import Activation

# More than the largest error of an activation in ULP. According to csrc/math and
# csrc/api/activations.def this is 10.3, that of GELU without fused multiply-adds.
_ULPS = 12


def differences(source: Source, X: NDArray) -> NDArray:
    """A bound (n, n_out) of the difference between the outputs for transformed inputs ``X``
    (n, n_in), computed with and without fused multiply-adds."""
    u = np.finfo(source.model.dtype).eps / 2
    a = X.astype(np.float64)
    error = 2 * u * np.abs(a)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, kind in zip(source.layers, source.activations, strict=True):
            b, w = rows[0].astype(np.float64), rows[1:].astype(np.float64)
            z = a @ w + b
            sizes = np.abs(a) @ np.abs(w) + np.abs(b)
            error = error @ np.abs(w) + (len(w) + 2) * u * (sizes + error @ np.abs(w))
            a, error = _activated(kind, z, error, u)
    bound: NDArray = 2 * error
    return bound


def int8_differences(source: Source, X: NDArray) -> NDArray:
    """A bound (n, n_out) of the difference between the outputs of two programs that compute the
    network with weights of 8 bits for transformed inputs ``X`` (n, n_in). Sums of integers are
    exact. But if a rounding error moves an input across a multiple of the step, the rounded input
    changes by a whole step."""
    u = np.finfo(source.model.dtype).eps / 2
    a = X.astype(np.float64)
    error = 2 * u * np.abs(a)
    with np.errstate(over="ignore", invalid="ignore"):
        for layer, kind in zip(source.rounded, source.activations, strict=True):
            w = layer.weights * layer.scales.astype(np.float64)
            z = a @ w + layer.biases
            step = (np.abs(a) + error).max(axis=1, keepdims=True) / layer.steps
            sizes = np.abs(a) @ np.abs(w) + np.abs(layer.biases)
            error = (error + 2 * step) @ np.abs(w) + 6 * u * sizes
            a, error = _activated(kind, z, error, u)
    bound: NDArray = 2 * error
    return bound


def _activated(kind: Activation, z: NDArray, error: NDArray, u: float) -> tuple[NDArray, NDArray]:
    """a = f(z), and a bound of its difference from f(z + e), computed with rounding errors, for |e|
    up to ``error``."""
    a = kind.value(z)
    if kind.of_layer:  # softmax: each exponential, and so their sum, by e^error at most
        n = z.shape[1]
        most = error.max(axis=1, keepdims=True)
        return a, a * np.expm1(2 * most) + (n + 2 * _ULPS) * u * a + np.finfo(np.float32).tiny
    ends = [np.abs(kind.value(z + sign * error) - a) for sign in (-1, 1)]
    # A term of second order, since f need not be monotonic between the ends.
    return a, np.maximum(*ends) + error**2 + 2 * _ULPS * u * np.abs(a) + np.finfo(np.float32).tiny
