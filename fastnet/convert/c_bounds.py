"""How far two ways of computing a network in the same precision can be apart.

Without fused multiply-adds a sum rounds each product, too. The bound follows each rounding error
through the layers, for given inputs: of a sum of n products and a bias at most (n + 2) u of the sum
of their magnitudes, with the unit roundoff u (Higham, Accuracy and Stability of Numerical
Algorithms, section 3.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastnet.convert.c_source import Source
from fastnet.nn.activations import Activation

# The largest error of an activation, in units of the last place, that csrc/math and
# csrc/api/activations.def state is 10.3, of GELU without fused multiply-adds.
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


def _activated(kind: Activation, z: NDArray, error: NDArray, u: float) -> tuple[NDArray, NDArray]:
    """a = f(z), and how far it can be from f at a place up to ``error`` away, computed with
    rounding."""
    a = kind.value(z)
    if kind.of_layer:  # softmax: each exponential by a factor e^error, and so their sum
        n = z.shape[1]
        most = error.max(axis=1, keepdims=True)
        return a, a * np.expm1(2 * most) + (n + 2 * _ULPS) * u * a + np.finfo(np.float32).tiny
    ends = [np.abs(kind.value(z + sign * error) - a) for sign in (-1, 1)]
    # Between the ends, f is not beyond them by more than its curvature allows.
    return a, np.maximum(*ends) + error**2 + 2 * _ULPS * u * np.abs(a) + np.finfo(np.float32).tiny
