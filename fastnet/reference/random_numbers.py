"""Random numbers as functions of a key and counters."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


def random_at(key: int, counters: NDArray) -> NDArray:
    """One raw 64-bit number for each uint64 counter: SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        x = np.uint64(key) + (counters + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


def permutation(raw: NDArray) -> NDArray:
    """A permutation by the algorithm of Fisher and Yates, from the last element down; raw[i]
    chooses one of i + 1. Each row of a 2-D ``raw`` gives its own permutation."""
    if raw.ndim == 2:
        return np.array([permutation(row) for row in raw], np.int64).reshape(raw.shape)
    order = list(range(len(raw)))
    for i in range(len(raw) - 1, 0, -1):
        j = int(raw[i]) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def uniform(raw: NDArray) -> NDArray:
    """Each raw number selects one of 2^52 equal parts of (0, 1); the result is its middle."""
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def standard_normal(raw: NDArray) -> NDArray:
    """One N(0, 1) number for each raw one, by the inverse of the distribution."""
    return np.array([NormalDist().inv_cdf(u) for u in uniform(raw)])
