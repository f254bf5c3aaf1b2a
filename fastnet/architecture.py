"""Checks of the arguments of ``Network``, and the model made from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastnet.core import checks
from fastnet.data.schema import Schema
from fastnet.model import Model
from fastnet.nn import activations, costs

DTYPES = ("float32", "float64")


def make_model(
    sizes: Iterable[int],
    cost: Any = costs.CrossEntropyCost,
    *,
    output: str | None = None,
    dtype: Any = "float32",
    hidden: Any = "sigmoid",
    n_threads: int | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Model:
    """A model whose parameters are all zero.

    Parameters
    ----------
    sizes, cost, output, dtype, hidden, n_threads : as for ``Network``
    schema : dict or None
        The arguments ``inputs``, ``classes`` and ``features`` of ``Network``.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.
    """
    checked = _checked_sizes(sizes)
    spec = costs.choose(cost, output, checked[-1])
    name = _checked_dtype(dtype)
    if n_threads is not None:
        n_threads = checks.integer("n_threads", n_threads, 1)
    kinds = activations.choose_hidden(hidden, len(checked) - 2)
    model = Model(checked, spec, name, n_threads, kinds)
    if schema is not None:
        model.schema = Schema.checked(**schema, n_in=checked[0], n_classes=model.classes)
    return model


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
    if isinstance(dtype, str) and dtype in DTYPES:
        return str(dtype)
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = repr(dtype)
    if name not in DTYPES or dtype is None:
        raise ValueError(
            f"dtype: expected one of {', '.join(DTYPES)}; got {checks.short_repr(dtype)}"
        )
    return name
