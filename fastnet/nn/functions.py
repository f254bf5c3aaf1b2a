"""The book's functions of arrays: sigmoid, softmax, vectorized_result."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.core import _kernels, checks


def _real(z: ArrayLike) -> NDArray[np.floating]:
    """z as an array: float32 stays float32, other real numbers become float64."""
    array = checks.array("z", z)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"z: expected real numbers, got {array.dtype}")
    return array if array.dtype == np.float32 else array.astype(np.float64)


def sigmoid(z: ArrayLike) -> NDArray[np.floating]:
    """The sigmoid function, 1 / (1 + e^-z).

    Parameters
    ----------
    z : array_like of any shape, or a number
        float32 stays float32; everything else is computed in float64.

    Returns
    -------
    ndarray of the shape of ``z``, or a scalar for a number. The values
    are bit-identical to the activations of a network's neurons.

    Raises
    ------
    TypeError
        If ``z`` contains anything but real numbers.

    Examples
    --------
    >>> sigmoid([-2, 0, 2]).round(3).tolist()
    [0.119, 0.5, 0.881]
    """
    array = _real(z)
    out = np.empty(array.size, array.dtype)
    _kernels.sigmoid(np.require(array, None, ["C", "ALIGNED"]).reshape(-1), out)
    return out.reshape(array.shape)[()]


def sigmoid_prime(z: ArrayLike) -> NDArray[np.floating]:
    """The sigmoid's derivative, sigma(z) (1 - sigma(z)).

    Parameters
    ----------
    z : array_like of any shape, or a number
        As for ``sigmoid``, as are the result and the errors.

    Examples
    --------
    >>> sigmoid_prime([-2, 0, 2]).round(3).tolist()
    [0.105, 0.25, 0.105]
    """
    a = sigmoid(z)
    return a * (1 - a)


def softmax(z: ArrayLike, c: float = 1.0) -> NDArray[np.floating]:
    """The softmax of the book's eq. 83, e^(c z_j) / sum_k e^(c z_k).

    Parameters
    ----------
    z : array_like, (n,) or (n, m)
        Weighted inputs of one layer; with 2 dimensions, each column is one example.
    c : float
        1 is the ordinary softmax (eq. 78), 0 makes all outputs equal; the larger c, the closer
        to the maximum function. Finite and not negative.

    Returns
    -------
    ndarray of the shape of ``z``; each column sums to one. Stable for any finite z.

    Raises
    ------
    TypeError, ValueError
        If ``z`` is empty or contains anything but real numbers, or if ``c`` is negative or not
        finite.

    Examples
    --------
    >>> softmax([1, 2, 4]).round(3).tolist()
    [0.042, 0.114, 0.844]
    >>> softmax([1, 2, 4], c=10).round(3).tolist()
    [0.0, 0.0, 1.0]
    """
    c = checks.nonnegative("c", c)
    array = _real(z)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"z: expected one or more weighted inputs, got shape {array.shape}")
    below = array.astype(np.float64)
    with np.errstate(over="ignore"):  # a difference that overflows gives an output of 0
        below = np.maximum(below - below.max(axis=0), -np.finfo(np.float64).max)
        e = np.exp(c * below)
    result: NDArray[np.floating] = (e / e.sum(axis=0)).astype(array.dtype)
    return result


def vectorized_result(j: int, n: int = 10) -> NDArray[np.float64]:
    """The one-hot target for class ``j`` of ``n``: 1 in row j, 0 elsewhere.

    Parameters
    ----------
    j : int
        From 0 to ``n - 1``.
    n : int, default 10
        The number of classes.

    Returns
    -------
    (n, 1) ndarray of float64.

    Raises
    ------
    TypeError, ValueError
        If ``j`` or ``n`` is not an integer in range.

    Examples
    --------
    >>> vectorized_result(2, 4).ravel().tolist()
    [0.0, 0.0, 1.0, 0.0]
    """
    n = checks.integer("n", n, 1)
    j = checks.integer("j", j, 0)
    if j >= n:
        raise ValueError(f"j: expected a class from 0 to {n - 1}, got {j}")
    e = np.zeros((n, 1))
    e[j] = 1.0
    return e
