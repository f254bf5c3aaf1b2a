"""Networks in files: the book's JSON format with additional keys.

The book's keys are sizes, weights, biases and cost. cost is the name of the class or, if its
parameters are not the defaults, an object such as {"class": "HuberCost", "threshold": 2.0}, which
releases without cost parameters refuse. The additional keys, which the book's program ignores, are
own_cost, whether the cost is a user's class; output; hidden, the activation of each hidden layer;
dtype; input_scale, the scale of the inputs trained on; and, for networks
that have them, inputs, what is done to the inputs before the first layer, as an object with the
name of its kind; classes, the names of the classes; and features, those of the inputs.

This module reads and writes models and does not use ``Network``.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from fastnet.architecture import make_model
from fastnet.core import checks, files
from fastnet.data import input_transform
from fastnet.model import Model
from fastnet.nn import activations, costs

# Suffixes of other formats than JSON: arrays and models (in other libraries the suffix selects the
# format), tables and compressed files.
_OTHER_FORMATS = frozenset([
    ".npz", ".npy", ".mat", ".h5", ".hdf5", ".nc", ".safetensors", ".onnx", ".pt", ".pth", ".pkl",
    ".pickle", ".joblib", ".dill", ".keras", ".pb", ".tflite", ".ckpt", ".gguf", ".msgpack",
    ".pmml", ".mlmodel", ".csv", ".tsv", ".xls", ".xlsx", ".parquet", ".feather", ".arrow",
    ".yaml", ".yml", ".toml", ".xml", ".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".zip",
    ".7z", ".rar", ".tar", ".tgz",
])  # fmt: skip

_PIECE = 4096  # numbers per piece of text


def check_suffix(name: str, path: Any) -> None:
    """Raise a ValueError if the name has the suffix of another format than JSON.

    Parameters
    ----------
    name : str
        The argument's or option's name, for the message.
    path : str or path
    """
    suffix = os.path.splitext(checks.path(name, path))[1].lower()
    if suffix in _OTHER_FORMATS:
        raise ValueError(
            f"{name}: expected a name for JSON, the only format that is written, such as "
            f"net.json; got one that ends in {suffix}"
        )


def save(path: Any, model: Model) -> None:
    """Write a model as JSON, atomically."""
    check_suffix("filename", path)
    files.write(path, (text.encode() for text in _json(_fields_of(model))))


def _fields_of(model: Model) -> dict[str, Any]:
    """The keys of a file and their values, some of which are lists of arrays."""
    schema = model.schema
    known = {
        "inputs": None if schema.inputs is None else input_transform.to_json(schema.inputs),
        "classes": None if schema.classes is None else [*schema.classes],
        "features": None if schema.features is None else [*schema.features],
    }
    return {
        "sizes": [*model.sizes],
        "weights": model.parameters.arrays("weights"),
        "biases": model.parameters.arrays("biases"),
        "cost": costs.to_json(model.cost_spec.cost),
        "own_cost": model.cost_spec.kernel is None,
        "output": model.cost_spec.output,
        "hidden": [*map(activations.to_json, model.hidden)],
        "dtype": model.dtype.name,
        "input_scale": model.input_scale,
        **{key: value for key, value in known.items() if value is not None},
    }


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


def _json_of_array(array: np.ndarray) -> Iterator[str]:
    size = array.size // len(array)  # of one item
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


def load(path: Any, cost: Any = None) -> Model:
    """The model in a file that ``save`` or the book's network2.py wrote. ``cost`` replaces the cost
    that the file names, if it is not None.

    Raises
    ------
    ValueError, OSError
        As ``read``, and for a cost that is not one of the package's own.
    """
    fields = read(path)
    if cost is not None:
        costs.choose(cost, None)  # checked here, so that the error does not name the file
    else:
        try:
            cost = costs.from_json(fields["cost"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: cost: {error}") from None
        if cost is None or fields["own_cost"]:
            raise ValueError(
                f"{path}: cost: expected one of {', '.join(costs.BY_CLASS_NAME)}, found "
                f"{checks.short_repr(fields['cost'])}; for a class of your own: "
                f"fastnet.load(filename, cost=...)"
            )
    try:
        with checks.error_prefix("hidden", unless="hidden: "):
            hidden = activations.hidden_from_json(fields["hidden"])
        model = make_model(
            fields["sizes"], cost, output=fields["output"], dtype=fields["dtype"], hidden=hidden,
            schema={key: fields[key] for key in ("inputs", "classes", "features")},
        )  # fmt: skip
        for name in ("weights", "biases"):
            model.parameters.bind(name, fields[name])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    model.parameters.input_scale = fields["input_scale"]
    return model


def read(path: Any) -> dict[str, Any]:
    """Read and check a file that ``save`` or the book's network2.py wrote.

    Returns
    -------
    dict with sizes (tuple of int), weights and biases (lists of float64 arrays,
    (n_out, n_in) and (n_out, 1)), cost (str or dict), own_cost (bool), output (str or None), hidden
    (list of str or dict, or "sigmoid" where the file has none), dtype ("float64" where it has
    none), input_scale, inputs (an InputTransform), classes and features (lists), each None where
    it has none.

    Raises
    ------
    ValueError
        If the file is not JSON, lacks a key, has wrong shapes or numbers that are not finite,
        or if it is a pipe or a device; the message names the file and the key.
    OSError
        If it cannot be read.
    """
    path = checks.path("filename", path)
    with files.open_regular(path) as file:
        content = file.read()
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8
        raise ValueError(f"{path}: expected a network in JSON, found damage: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(fields).__name__}")
    try:
        return _checked(fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as ``read`` returns them; a ValueError names the first invalid key."""
    missing = [key for key in ("sizes", "weights", "biases", "cost") if key not in fields]
    if missing:
        raise ValueError(f"expected the key {missing[0]!r}, found {checks.some(sorted(fields))}")
    sizes = fields["sizes"]
    _check_values(fields)
    _check_names(fields)
    layers = list(pairwise(sizes))
    return {
        "sizes": tuple(sizes),
        "weights": _arrays("weights", fields["weights"], [(b, a) for a, b in layers]),
        "biases": _arrays("biases", fields["biases"], [(b, 1) for _, b in layers]),
        "cost": fields["cost"],
        "own_cost": bool(fields.get("own_cost")),
        "output": fields.get("output"),
        "hidden": fields.get("hidden", "sigmoid"),
        "dtype": fields.get("dtype") or "float64",
        "input_scale": fields.get("input_scale"),
        "inputs": _inputs(fields.get("inputs")),
        "classes": fields.get("classes"),
        "features": fields.get("features"),
    }


def _inputs(value: Any) -> input_transform.InputTransform | None:
    try:
        return None if value is None else input_transform.from_json(value)
    except ValueError as error:
        raise ValueError(f"inputs: {error}") from None


def _check_values(fields: dict[str, Any]) -> None:
    """Check sizes, input_scale, hidden and own_cost."""
    sizes = fields["sizes"]
    if (
        not isinstance(sizes, list)
        or len(sizes) < 2
        or not all(type(n) is int and n > 0 for n in sizes)
    ):
        raise ValueError(
            f"sizes: expected two or more positive integers, found {checks.short_repr(sizes)}"
        )
    scale = fields.get("input_scale")
    largest = sys.float_info.max
    if scale is not None and not (type(scale) in (int, float) and 0 <= scale <= largest):
        raise ValueError(
            f"input_scale: expected a finite number of 0 or more, found {checks.short_repr(scale)}"
        )
    hidden = fields.get("hidden", "sigmoid")
    if not isinstance(hidden, str | list):
        raise ValueError(
            f"hidden: expected a name or a list of names, found {checks.short_repr(hidden)}"
        )
    own_cost = fields.get("own_cost")
    if not isinstance(own_cost, bool | None):
        raise ValueError(f"own_cost: expected true or false, found {checks.short_repr(own_cost)}")


def _check_names(fields: dict[str, Any]) -> None:
    """Check cost, output and dtype; a cost may also be a dict, of a class and its parameters."""
    for key, known in (("cost", None), ("output", None), ("dtype", ("float32", "float64"))):
        value = fields.get(key)
        if key == "cost" and isinstance(value, dict):
            continue
        if value is not None and (not isinstance(value, str) or (known and value not in known)):
            raise ValueError(
                f"{key}: expected {known or 'a name'}, found {checks.short_repr(value)}"
            )


def _arrays(key: str, value: Any, shapes: list[tuple[int, int]]) -> list[np.ndarray]:
    if not isinstance(value, list) or len(value) != len(shapes):
        found = f"{len(value)}" if isinstance(value, list) else type(value).__name__
        raise ValueError(f"{key}: expected a list of {len(shapes)} layers, found {found}")
    return [
        _array(f"{key}[{l}]", rows, shape)
        for l, (rows, shape) in enumerate(zip(value, shapes, strict=True))
    ]


def _array(key: str, rows: Any, shape: tuple[int, int]) -> np.ndarray:
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
