"""The state of a network in pickles and copies: its format, and the checks of a state that is read.

This module returns dictionaries and models and does not use ``Network``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnet.architecture import make_model
from fastnet.core import checks
from fastnet.core.random_stream import RandomStream
from fastnet.data.schema import Schema
from fastnet.model import Model
from fastnet.nn.costs import CostSpec

# The key of the fields in the state (no attribute can have this name), the version of the format,
# and the names of the fields.
_KEY = "fastnet.Network"
_VERSION = 2
_WITH_SCHEMA = 3  # one more field, "schema"; releases that know only version 2 refuse it
_FIELDS = {
    "sizes", "cost", "output", "dtype", "hidden", "n_threads", "input_scale", "values", "stream",
    "warned",
}  # fmt: skip


def state(
    model: Model, stream: RandomStream, warned: set[str], others: Mapping[str, Any]
) -> dict[str, Any]:
    """The state of a network, and ``others``, attributes that a program set on it."""
    schema = {} if model.schema.is_empty else {"schema": model.schema._asdict()}
    return {
        **others,
        _KEY: {
            "version": _WITH_SCHEMA if schema else _VERSION,
            "sizes": model.sizes,
            "cost": model.cost_spec.cost,
            "output": model.cost_spec.output,
            "dtype": model.dtype.name,
            "hidden": tuple(each.name_or_self for each in model.hidden),
            "n_threads": model.n_threads,
            "input_scale": model.input_scale,
            "values": model.values,
            "stream": copy.deepcopy(stream),  # copies draw independently
            "warned": set(warned),
            **schema,
        },
    }


def fields_of(state: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a pickled network, and the attributes that a program set on it."""
    if not isinstance(state, dict):
        raise ValueError(f"expected the pickle of a network, got {checks.short_repr(state)}")
    others = dict(state)
    fields = others.pop(_KEY, None)
    if fields is None:
        fields = _fields_of_0_1(others)
    elif not isinstance(fields, dict) or fields.get("version") not in (_VERSION, _WITH_SCHEMA):
        version = fields.get("version") if isinstance(fields, dict) else fields
        raise ValueError(
            f"expected the pickle of a network in the format {_VERSION}, that of this "
            f"release of fastnet, got {checks.short_repr(version)}"
        )
    missing = _FIELDS - fields.keys()
    if missing:
        raise ValueError(f"expected {min(missing)!r} in the pickle of a network, got none")
    return fields, others


def _fields_of_0_1(others: dict[str, Any]) -> dict[str, Any]:
    """The fields of a network pickled by fastnet 0.1, removed from ``others``."""
    stream, model = others.pop("_stream", None), others.pop("_model", None)
    if not isinstance(model, tuple) or len(model) != 6:
        raise ValueError("expected the pickle of a network, got one without its parameters")
    sizes, spec, values, input_scale, n_threads, hidden = model
    if not isinstance(spec, CostSpec) or not isinstance(values, np.ndarray):
        raise ValueError(
            f"expected the pickle of a network, got {checks.short_repr(spec)} as its cost and "
            f"{checks.short_repr(values)} as its parameters"
        )
    return {
        "sizes": sizes, "cost": spec.cost, "output": spec.output, "dtype": values.dtype.name,
        "hidden": hidden, "n_threads": n_threads, "input_scale": input_scale, "values": values,
        "stream": stream, "warned": set(),
    }  # fmt: skip


def _schema(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments ``inputs``, ``classes`` and ``features`` of a pickled network."""
    schema = fields.get("schema")
    if schema is None:
        return None
    if not isinstance(schema, dict) or schema.keys() != set(Schema._fields):
        raise ValueError(
            f"schema: expected {', '.join(Schema._fields)} in the pickle of a network, "
            f"got {checks.short_repr(schema)}"
        )
    return schema


def restored(fields: Mapping[str, Any]) -> tuple[Model, RandomStream, set[str]]:
    """The model, the random stream and the kinds of warnings already issued, all checked."""
    model = make_model(
        fields["sizes"], fields["cost"], output=fields["output"], dtype=fields["dtype"],
        hidden=fields["hidden"], n_threads=fields["n_threads"], schema=_schema(fields),
    )  # fmt: skip
    values, scale = fields["values"], fields["input_scale"]
    if (
        not isinstance(values, np.ndarray)
        or values.dtype != model.dtype
        or values.shape != (model.n_parameters,)
    ):
        raise ValueError(
            f"values: expected {model.n_parameters} parameters of {model.dtype} in the pickle of "
            f"a network {[*model.sizes]}, got {checks.short_repr(values)}"
        )
    for name, kind in (("stream", RandomStream), ("warned", set)):
        if not isinstance(fields[name], kind):
            raise ValueError(
                f"{name}: expected a {kind.__name__} in the pickle of a network, "
                f"got {checks.short_repr(fields[name])}"
            )
    parameters = model.parameters
    for name in ("weights", "biases"):  # pads stay zero
        pairs = zip(parameters.arrays(name), parameters.arrays(name, values), strict=True)
        for view, array in pairs:
            view[...] = array
    if scale is not None:
        parameters.input_scale = checks.nonnegative("input_scale", scale)
    return model, fields["stream"], set(fields["warned"])
