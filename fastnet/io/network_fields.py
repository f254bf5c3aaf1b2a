"""The description of a network in files of all formats: everything except its parameters.

The keys are kind, "network"; format_version and fastnet_version; sizes; cost, the name of the class
or, if its parameters are not the defaults, an object such as {"class": "HuberCost", "threshold":
2.0}; own_cost, whether the cost is a user's class; output; hidden, the activation of each hidden
layer; dtype; input_scale, the scale of the inputs trained on; and, for networks that have them,
inputs, the transform before the first layer, as an object with the name of its class;
classes, the names of the classes; and features, those of the inputs.

Names are looked up among those of the package and the program: a file cannot cause an import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from fastnet.architecture import make_model
from fastnet.core import checks
from fastnet.core.load import version
from fastnet.data import input_transform
from fastnet.model import Model
from fastnet.nn import activations, costs

KIND = "network"
FORMAT_VERSION = 1  # of the keys and the names of the arrays; files without it are older


def of(model: Model) -> dict[str, Any]:
    """The fields of a model, in types that JSON represents."""
    schema = model.schema
    known = {
        "inputs": None if schema.inputs is None else input_transform.to_json(schema.inputs),
        "classes": None if schema.classes is None else [*schema.classes],
        "features": None if schema.features is None else [*schema.features],
    }
    return {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "fastnet_version": version(),
        "sizes": [*model.sizes],
        "cost": costs.to_json(model.cost_spec.cost),
        "own_cost": model.cost_spec.kernel is None,
        "output": model.cost_spec.output,
        "hidden": [*map(activations.to_json, model.hidden)],
        "dtype": model.dtype.name,
        "input_scale": model.input_scale,
        **{key: value for key, value in known.items() if value is not None},
    }


def layer_shapes(sizes: tuple[int, ...]) -> Iterator[dict[str, tuple[int, int]]]:
    """The shapes of the weights and the biases of each layer.

    A generator, since a small file may state so many layers that a list would exhaust memory."""
    for n_in, n_out in pairwise(sizes):
        yield {"weights": (n_out, n_in), "biases": (n_out, 1)}


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a file, checked. Fields that an older file lacks are None, but hidden is
    "sigmoid" and dtype is "float64", as in the book.

    Raises
    ------
    ValueError
        The message begins with the first key that is missing or invalid.
    """
    _check_kind(fields)
    missing = [key for key in ("sizes", "cost") if key not in fields]
    if missing:
        raise ValueError(f"expected the key {missing[0]!r}, found {checks.some(sorted(fields))}")
    _check_values(fields)
    _check_names(fields)
    return {
        "sizes": tuple(fields["sizes"]),
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


def _check_kind(fields: Mapping[str, Any]) -> None:
    """Check kind and format_version, so that a file of a later release is not misread."""
    kind = fields.get("kind", KIND)
    if kind != KIND:
        hint = ", which a training with resume=True reads" if kind == "checkpoint" else ""
        raise ValueError(f"kind: expected {KIND!r}, found {checks.short_repr(kind)}{hint}")
    number = fields.get("format_version", 0)
    if type(number) is not int or number < 0:
        raise ValueError(
            f"format_version: expected an integer of 0 or more, found {checks.short_repr(number)}"
        )
    if number > FORMAT_VERSION:
        writer = checks.short_repr(fields.get("fastnet_version"))
        raise ValueError(
            f"format_version: expected at most {FORMAT_VERSION}, which fastnet {version()} reads, "
            f"found {checks.short_repr(number)}, written by fastnet {writer}"
        )


def _inputs(value: Any) -> input_transform.InputTransform | None:
    try:
        return None if value is None else input_transform.from_json(value)
    except ValueError as error:
        raise ValueError(f"inputs: {error}") from None


def _check_values(fields: Mapping[str, Any]) -> None:
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


def _check_names(fields: Mapping[str, Any]) -> None:
    """Check cost, output and dtype; a cost may also be a dict, of a class and its parameters."""
    for key, known in (("cost", None), ("output", None), ("dtype", ("float32", "float64"))):
        value = fields.get(key)
        if key == "cost" and isinstance(value, dict):
            continue
        if value is not None and (not isinstance(value, str) or (known and value not in known)):
            raise ValueError(
                f"{key}: expected {known or 'a name'}, found {checks.short_repr(value)}"
            )


def model_of(fields: Mapping[str, Any], cost: Any = None) -> Model:
    """A model with the fields that ``checked`` returned, whose parameters are zero. ``cost``
    replaces that of the fields, if it is not None.

    Raises
    ------
    ValueError, TypeError
        For unknown names, and for fields that contradict each other.
    """
    if cost is None:
        with checks.error_prefix("cost"):
            cost = costs.from_json(fields["cost"])
        if cost is None or fields["own_cost"]:
            raise ValueError(
                f"cost: expected one of {', '.join(costs.BY_CLASS_NAME)}, found "
                f"{checks.short_repr(fields['cost'])}; for a class of your own: "
                f"fastnet.load(filename, cost=...)"
            )
    with checks.error_prefix("hidden", unless="hidden: "):
        hidden = activations.hidden_from_json(fields["hidden"])
    model = make_model(
        fields["sizes"], cost, output=fields["output"], dtype=fields["dtype"], hidden=hidden,
        schema={key: fields[key] for key in ("inputs", "classes", "features")},
    )  # fmt: skip
    model.parameters.input_scale = fields["input_scale"]
    return model
