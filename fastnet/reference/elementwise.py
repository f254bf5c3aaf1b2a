"""Functions of each element, sums over all, and the compression of rows."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastnet.nn.activations import HIDDEN, Exponential, Sigmoid, Softmax, of_kernel
from fastnet.nn.registry import Kernel


def max_abs(x: Any) -> float:
    """The largest absolute value; infinity or NaN if x has one."""
    return float(np.abs(x).max(initial=0))


def max_abs_and_count(x: NDArray) -> tuple[float, int]:
    """(``max_abs``, number of non-zero values)"""
    return max_abs(x), int(np.count_nonzero(x))


def sum_of_squares(x: Any) -> float:
    """The sum of x^2, in float64; infinite if it overflows."""
    with np.errstate(over="ignore"):
        return float(np.square(x, dtype=np.float64).sum())


def sum_of_magnitudes(x: Any) -> float:
    """The sum of |x|, in float64; infinite if it overflows."""
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


def activate(neurons: Kernel, z: NDArray, out: NDArray, slope: NDArray | None = None) -> None:
    """out = f(z) and, where given, slope = f'(z), for any kind of hidden neurons: a name, or a
    tuple of name and parameters."""
    name = neurons[0] if isinstance(neurons, tuple) else neurons
    if name not in HIDDEN:
        raise ValueError(f"neurons: expected one of {', '.join(HIDDEN)}; got {name!r}")
    kind, z = of_kernel(neurons), z.copy()  # out may be z
    out[...] = kind.value(z)
    if slope is not None:
        slope[...] = kind.derivative(z, out)


def softmax(z: NDArray, out: NDArray) -> None:
    """Each row: out_j = e^z_j / sum_k e^z_k (eq. 78)."""
    out[...] = Softmax.value(z)


def compress(
    X: NDArray, offsets: NDArray, values: NDArray, columns: NDArray | None, masks: NDArray | None
) -> bool:
    """Fill values, offsets[1:], and columns or masks where given, from the dense X.

    Row s is written to ``values[offsets[s]:]``. Returns False if the capacity is too small."""
    capacity = min(len(array) for array in (values, columns) if array is not None)
    offsets[1:] = offsets[0] + np.cumsum(np.count_nonzero(X, axis=1))
    if offsets[-1] > capacity:
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


def fma_rounds(dtype: DTypeLike, n: int) -> float:
    """n rounds of sums = sums / 2 + 1/2; returns the floating-point operations done."""
    sums = np.zeros(128, dtype)
    for _ in range(n):
        sums *= 0.5
        sums += 0.5
    return 2.0 * sums.size * n
