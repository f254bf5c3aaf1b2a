"""Networks as JSON: the format of the book's network2.py with the keys of ``network_fields``.

The book's keys are sizes, weights, biases and cost; the book's reader ignores the others. Weights
and biases are lists with one array, a list of rows, for each layer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, files
from fastnet.io import json_text, network_fields
from fastnet.model import Model

_PIECE = 4096  # numbers per piece of text


def write(path: Any, model: Model) -> None:
    """Write a model as JSON, atomically."""
    files.write(path, (text.encode() for text in _json(_fields_of(model))))


def _fields_of(model: Model) -> dict[str, Any]:
    """The keys of a file and their values, some of which are lists of arrays."""
    made = {}
    for key, value in network_fields.of(model).items():
        made[key] = value
        if key == "sizes":  # the book's order
            made["weights"] = model.parameters.arrays("weights")
            made["biases"] = model.parameters.arrays("biases")
    return made


def _json(fields: dict[str, Any]) -> Iterator[str]:
    """The text of ``json.dumps``, piece by piece, with arrays as lists."""
    for i, (key, value) in enumerate(fields.items()):
        yield f"{', ' if i else '{'}{json.dumps(key)}: "
        if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
            for l, array in enumerate(value):
                yield ", " if l else "["
                yield from _json_of_array(array)
            yield "]"
        else:
            yield json.dumps(value, allow_nan=False)
    yield "}"


def _json_of_array(array: NDArray) -> Iterator[str]:
    size = array.size // len(array)  # numbers per item
    step = max(1, _PIECE // size)
    yield "["
    for i in range(0, len(array), step):
        if i:
            yield ", "
        if size > _PIECE:
            yield from _json_of_array(array[i])
        else:
            yield json.dumps(array[i : i + step].tolist(), allow_nan=False)[1:-1]
    yield "]"


def read(file: BinaryIO, cost: Any) -> Model:
    """The model in an open file. ``cost`` replaces that of the file, if it is not None.

    Raises
    ------
    ValueError, TypeError
        If the file is not JSON, lacks a key, has wrong shapes or numbers that are not finite; the
        message names the key.
    """
    found = json_text.parse(file.read(), "a network in JSON, .npz or .safetensors")
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object, found {type(found).__name__}")
    fields = network_fields.checked(found)
    n = len(fields["sizes"]) - 1
    lists = {name: _layers(found, name, n) for name in ("weights", "biases")}
    arrays: dict[str, list[NDArray]] = {name: [] for name in lists}
    for l, shapes in enumerate(network_fields.layer_shapes(fields["sizes"])):
        for name, shape in shapes.items():
            arrays[name].append(_array(f"{name}[{l}]", lists[name][l], shape))
    model = network_fields.model_of(fields, cost)
    for name, values in arrays.items():
        model.parameters.bind(name, values)
    return model


def _layers(found: dict[str, Any], name: str, n: int) -> list[Any]:
    """The list of n layers under this key, which is removed."""
    if name not in found:
        raise ValueError(f"expected the key {name!r}, found {checks.some(sorted(found))}")
    value = found.pop(name)
    if not isinstance(value, list) or len(value) != n:
        has = f"{len(value)}" if isinstance(value, list) else type(value).__name__
        raise ValueError(f"{name}: expected a list of {n} layers, found {has}")
    return value


def _array(key: str, rows: Any, shape: tuple[int, int]) -> NDArray:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError(f"{key}: expected a list of {shape[0]} lists, found other values")
    lengths = {len(row) for row in rows}
    if len(rows) != shape[0] or lengths != {shape[1]}:
        raise ValueError(
            f"{key}: expected shape {shape}, found {len(rows)} rows of "
            f"{checks.some(sorted(lengths))}"
        )
    odd = [x for row in rows for x in row if type(x) not in (int, float)]
    if odd:
        raise ValueError(f"{key}: expected numbers only, found {checks.short_repr(odd[0])}")
    try:
        array = np.array(rows, np.float64)
    except OverflowError:
        array = np.array([[math.inf]])
    if not np.isfinite(array).all():
        raise ValueError(f"{key}: expected finite numbers only, found one that is not")
    return array
