"""Weights of the training examples: the arguments ``sample_weight`` and ``class_weight``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, memmap


def example_weights(
    y: NDArray, classes: int, sample_weight: Any, class_weight: Any
) -> NDArray | None:
    """The weight of each example, the product of its sample weight and its class weight.

    Parameters
    ----------
    y : (n,) labels or (n, n_out) targets
    classes : int
        The number of classes.
    sample_weight, class_weight : as for ``Network.SGD``

    Returns
    -------
    (n,) float64 ndarray, or None if neither is given: all weights are 1.

    Raises
    ------
    TypeError, ValueError
        For invalid weights, and for weights without a positive, finite sum.

    Examples
    --------
    >>> example_weights(np.array([0, 1, 1, 1]), 2, None, {1: 0.5})
    array([1. , 0.5, 0.5, 0.5])
    >>> example_weights(np.array([0, 1, 1, 1]), 2, [1, 0, 1, 1], "balanced").round(3)
    array([2.   , 0.   , 0.667, 0.667])
    """
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(len(y)) if sample_weight is None else _of_samples(sample_weight, len(y))
    with np.errstate(over="ignore"):  # infinity is refused by check_sum
        if class_weight is not None:
            weights = weights * _of_classes(class_weight, y, classes)[y]
        given = {"sample_weight": sample_weight, "class_weight": class_weight}
        check_sum([name for name, value in given.items() if value is not None], weights)
    return weights


def check_sum(names: Iterable[str], weights: NDArray) -> None:
    """Raise a ValueError, which names the arguments ``names``, if the kernels cannot divide by the
    sum of the weights."""
    total = float(weights.sum())
    if not np.finfo(np.float64).tiny <= total < math.inf:  # subnormal numbers are 0 in the kernels
        raise ValueError(
            f"{', '.join(names)}: expected weights with a positive, finite sum, got {total:g}"
        )


def _of_samples(sample_weight: Any, n: int) -> NDArray:
    array = checks.array("sample_weight", sample_weight)
    memmap.check("sample_weight", array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"sample_weight: expected numbers, got {array.dtype}")
    if array.shape != (n,):
        raise ValueError(
            f"sample_weight: expected one per training example, ({n},), got {array.shape}"
        )
    weights = np.ascontiguousarray(array, np.float64)
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise ValueError(
            f"sample_weight: expected finite numbers of 0 or more, got {weights[wrong][0]:g}"
        )
    return weights


def _of_classes(class_weight: Any, y: NDArray, classes: int) -> NDArray:
    """The weight of each class, (classes,)."""
    balanced = isinstance(class_weight, str) and class_weight == "balanced"
    if not balanced and not isinstance(class_weight, Mapping):
        raise ValueError(
            f"class_weight: expected a dict {{class: weight}}, 'balanced' or None; "
            f"got {checks.short_repr(class_weight)}"
        )
    if y.ndim != 1:
        raise ValueError(
            f"class_weight: expected training_data with labels (n,), got targets of shape {y.shape}"
        )
    if balanced:
        counts = np.bincount(y, minlength=classes)
        return len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    weights = np.ones(classes)
    for label, weight in class_weight.items():
        if checks.integer("class_weight", label, 0) >= classes:
            raise ValueError(
                f"class_weight: expected classes from 0 to {classes - 1}, "
                f"got {checks.short_repr(label)}"
            )
        weights[label] = checks.nonnegative(f"class_weight[{checks.short_repr(label)}]", weight)
    return weights
