"""What a checkpoint says of the training that wrote it, so that another training is refused: its
settings in words, and fingerprints of its data."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.data import sparse_rows
from fastnet.data.dataset import Dataset
from fastnet.data.sparse_rows import Compressed
from fastnet.model import Model
from fastnet.training.options import SGDOptions
from fastnet.training.overridden import METHODS, overrides
from fastnet.training.schedules import CosineDecay

_DIGITS = 32  # of a fingerprint, 128 bits


def of_network(model: Model) -> dict[str, Any]:
    """The settings of a network, without what a training changes."""
    spec, inputs = model.cost_spec, model.schema.inputs
    state = None if inputs is None else f"{inputs.summary}, {_hashed([repr(inputs.state())])}"
    return {
        "sizes": [*model.sizes],
        "hidden": [str(each) for each in model.hidden],
        "output": spec.output,
        "cost": name_of(spec.cost) if spec.built_in is None else str(spec.built_in),
        "dtype": model.dtype.name,
        "inputs": state,
    }


def of_sgd(
    net: Any, model: Model, sets: Mapping[str, Dataset], options: SGDOptions,
    figures: Iterable[str], weights: NDArray | None,
) -> dict[str, Any]:  # fmt: skip
    """The settings and data of a call of ``SGD``, without ``epochs``.

    Parameters
    ----------
    net : Network
        For the methods that it overrides.
    figures : iterable of str
        The fields of ``History`` that are measured.
    weights : (n,) or None
        The weights of the examples.
    """
    replaced = [name for name in METHODS if overrides(net, name)]
    return {
        **of_network(model),
        "overridden methods": [f"{name}: {name_of(getattr(net, name))}" for name in replaced],
        "mini_batch_size": options.mini_batch_size,
        "eta": options.eta,
        "lmbda": options.lmbda,
        "l1": options.l1,
        "dropout": [*_sequence(options.dropout)],
        "optimizer": of_optimizer(options.optimizer),
        "schedule": _schedule(options),
        "early_stopping": _repr(options.early_stopping),
        "callbacks": [name_of(each) for each in options.callbacks or ()],
        "shift": options.shift,
        "monitored figures": [*figures],
        "training_data": of_data(sets["training"]),
        "evaluation_data": of_data(sets["evaluation"]) if "evaluation" in sets else None,
        "weights of the examples": None if weights is None else of_array(weights),
    }


def of_optimizer(optimizer: Any) -> str | None:
    """An optimizer in words, whether its numbers are those of Python or of NumPy.

    Examples
    --------
    >>> from fastnet import Momentum
    >>> of_optimizer(Momentum(np.float64(0.5)))
    'Momentum(mu=0.5, nesterov=False)'
    """
    if optimizer is None:
        return None
    values = {field.name: getattr(optimizer, field.name) for field in dataclasses.fields(optimizer)}
    plain = {name: np.asarray(value).item() for name, value in values.items()}
    return repr(dataclasses.replace(optimizer, **plain))


def _schedule(options: SGDOptions) -> str | None:
    schedule = options.schedule
    if isinstance(schedule, CosineDecay) and schedule.epochs is None:
        return f"{schedule!r} over {options.epochs} epochs"
    return name_of(schedule) if is_function(schedule) else _repr(schedule)


def _sequence(value: Any) -> Any:
    return value if isinstance(value, tuple) else (value,)


def _repr(value: Any) -> str | None:
    return None if value is None else repr(value)


def is_function(value: Any) -> bool:
    """Whether ``value`` is a function, or an object that is called, of the user's program."""
    return callable(value) and not type(value).__module__.startswith("fastnet.")


def name_of(value: Any) -> str:
    """The name of a function or class, or of the class of an object that is called.

    Examples
    --------
    >>> name_of(len), name_of(functools.partial(len))
    ('builtins.len', 'partial of builtins.len')
    """
    if isinstance(value, functools.partial):
        return f"partial of {name_of(value.func)}"
    if getattr(value, "__qualname__", None) is None:
        value = type(value)
    module = getattr(value, "__module__", None)
    return f"{module}.{value.__qualname__}" if module else str(value.__qualname__)


def of_data(data: Dataset) -> str:
    """A data set in words, with a fingerprint of its numbers and names. Standardized data are
    described as they were given."""
    data = data.source
    data.check_files()
    n, n_in = data.X.shape
    targets = "labels" if data.y.ndim == 1 else f"targets of {data.y.shape[1]}"
    names = [repr(data.classes), repr(data.features), repr(data.is_bytes)]
    return (
        f"{n} examples of {n_in} {data.X.dtype} inputs, {targets}, scale {data.scale!r}, "
        f"{_hashed([*_parts(data.X), *_parts(data.y), *names])}"
    )


def of_array(array: NDArray) -> str:
    """An array in words, with a fingerprint of its numbers."""
    return f"{array.dtype} of shape {array.shape}, {_hashed(_parts(array))}"


def _parts(array: NDArray | Compressed) -> Iterator[Any]:
    """The bytes of an array or of compressed rows, piece by piece."""
    if not isinstance(array, Compressed):
        for rows in sparse_rows.pieces(array):
            yield np.ascontiguousarray(array[rows]).reshape(-1).view(np.uint8).data
        return
    offsets = array.offsets
    yield (offsets - offsets[0]).data
    yield from _parts(array.stored)
    if array.columns is not None:
        yield from _parts(array.columns[offsets[0] : offsets[-1]])
    if array.masks is not None:
        yield from _parts(array.masks)


def _hashed(parts: Iterable[Any]) -> str:
    from hashlib import sha256  # takes time and memory that most trainings do not need

    made = sha256()
    for part in parts:
        made.update(part.encode() if isinstance(part, str) else part)
    return f"SHA-256 {made.hexdigest()[:_DIGITS]}"
