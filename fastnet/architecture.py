"""Checks of the arguments of ``Network``, and the model made from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastnet.core import checks
from fastnet.model import Model
from fastnet.nn import activations, costs

DTYPES = ("float32", "float64")


def make_model(
    sizes: Iterable[int],
    cost: Any = costs.CrossEntropyCost,
    *,
    output: str | None = None,
    dtype: Any = "float32",
    hidden: str | Iterable[str] = "sigmoid",
    n_threads: int | None = None,
) -> Model:
    """A model whose parameters are all zero.

    Parameters
    ----------
    sizes, cost, output, dtype, hidden, n_threads : as for ``Network``

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.
    """
    checked = _checked_sizes(sizes)
    choice = costs.choose(cost, output)
    name = _checked_dtype(dtype)
    if n_threads is not None:
        n_threads = checks.integer("n_threads", n_threads, 1)
    return Model(checked, choice, name, n_threads, _neurons(hidden, len(checked) - 2))


def _checked_sizes(sizes: Any) -> tuple[int, ...]:
    try:
        checked = tuple(checks.integer("sizes", size, 1) for size in sizes)
    except (TypeError, ValueError):
        checked = ()
    if len(checked) < 2:
        raise ValueError(
            f"sizes: expected two or more positive integers, got {checks.short_repr(sizes)}"
        )
    return checked


def _checked_dtype(dtype: Any) -> str:
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = repr(dtype)
    if name not in DTYPES or dtype is None:
        raise ValueError(
            f"dtype: expected one of {', '.join(DTYPES)}; got {checks.short_repr(dtype)}"
        )
    return name


def _neurons(hidden: Any, layers: int) -> tuple[str, ...]:
    """The activation of each hidden layer, checked."""
    try:
        names = (hidden,) if isinstance(hidden, str | bytes) else tuple(hidden)
    except TypeError:
        raise TypeError(
            f"hidden: expected a name or a list of names, got {checks.short_repr(hidden)}"
        ) from None
    for name in names:
        if not isinstance(name, str) or name not in activations.HIDDEN:
            known = ", ".join(activations.HIDDEN)
            raise ValueError(f"hidden: expected one of {known}; got {checks.short_repr(name)}")
    if isinstance(hidden, str):
        return names * layers
    if len(names) != layers:
        raise ValueError(
            f"hidden: expected one name for each of {layers} hidden layers, got {len(names)}"
        )
    return names
