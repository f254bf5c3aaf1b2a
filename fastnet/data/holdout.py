"""The random choice of the examples that are held out for validation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.core.random_stream import RandomStream


def held_out(y: NDArray, fraction: float, stream: RandomStream) -> NDArray:
    """Choose examples at random; for labels, the same fraction of each class.

    Parameters
    ----------
    y : (n,) labels or (n, n_out) targets
    fraction : float
        The fraction of the examples to hold out, greater than 0 and less than 1.
    stream : RandomStream
        Takes n numbers of it.

    Returns
    -------
    (n,) ndarray of bool
        True for examples that are held out. At least one example of each class is not.

    Raises
    ------
    ValueError, TypeError
        If there are too few examples or each class has one only, and for another fraction.

    Examples
    --------
    >>> chosen = held_out(np.array([0, 0, 0, 0, 1]), 0.25, RandomStream(0))
    >>> int(chosen.sum()), bool(chosen[4])
    (1, False)
    """
    fraction = checks.share("validation_fraction", fraction)
    if not fraction:
        raise ValueError("validation_fraction: expected a number over 0, got 0")
    n = len(y)
    order = stream.permutation(n)
    groups = y if y.ndim == 1 else np.zeros(n, np.int64)
    chosen = np.zeros(n, bool)
    due = 0.0  # the rounding error of one class is added to the next
    for group in np.unique(groups):
        members = order[groups[order] == group]
        due += fraction * len(members)
        k = max(0, min(math.floor(due + 0.5), len(members) - 1))
        due -= k
        chosen[members[:k]] = True
    if not chosen.any():
        if y.ndim == 1 and n > 1 and len(np.unique(y)) == n:
            raise ValueError(
                f"validation_fraction: expected a class with two or more examples, so that one can "
                f"be held out; got {n} classes with one example each"
            )
        raise ValueError(
            f"validation_fraction: expected enough examples to hold out {fraction:g} of them, "
            f"got {n}"
        )
    return chosen
