"""Padded rows, and the layout of the flat array of parameters."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike, NDArray


def stride(n: int, dtype: DTypeLike) -> int:
    """The distance of rows in elements: whole cache lines, but not a multiple of 256 elements."""
    line = 64 // np.dtype(dtype).itemsize
    rounded = -(-n // line) * line
    return rounded if rounded % 256 else rounded + line


def padded(m: int, n: int, dtype: DTypeLike) -> NDArray:
    """A zeroed (m, n) array whose rows are ``stride`` elements apart."""
    return np.zeros((m, stride(n, dtype)), dtype)[:, :n]


def layout(sizes: Sequence[int], dtype: DTypeLike) -> tuple[int, list[tuple[int, int, int]]]:
    """(length, [(weights, biases, stride), ...]): the offsets of each layer's parameters."""
    at, places = 0, []
    for n_in, n_out in pairwise(sizes):
        step = stride(n_out, dtype)
        places.append((at, at + n_in * step, step))
        at += (n_in + 1) * step
    return at, places


def layers(sizes: Sequence[int], parameters: NDArray) -> list[tuple[NDArray, NDArray]]:
    """[(weights (n_in, n_out), biases (n_out,)), ...]: views into ``parameters``."""
    _, places = layout(sizes, parameters.dtype)
    return [
        (parameters[w:b].reshape(n_in, step)[:, :n_out], parameters[b : b + n_out])
        for (w, b, step), (n_in, n_out) in zip(places, pairwise(sizes), strict=True)
    ]
