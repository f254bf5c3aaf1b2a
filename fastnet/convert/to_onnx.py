"""A network as a model of ONNX."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnet.convert.onnx_graph import Graph, check_kinds
from fastnet.core import checks, extras, files
from fastnet.data.input_transform import Standardize
from fastnet.data.table import Table
from fastnet.data.table_columns import CategoryColumn, NumberColumn
from fastnet.model import Model
from fastnet.nn import costs
from fastnet.nn.activations import ACTIVATIONS

if TYPE_CHECKING:
    import onnx

_WIDE = np.dtype(np.float64)
INPUT_DTYPES = ("float32", "float64", "uint8")


def to_onnx(model: Model, path: Any, input_dtype: Any, doc: str) -> onnx.ModelProto:
    """The model of ONNX for ``Network.to_onnx``; ``doc`` describes the network."""
    extras.needed("to_onnx", "onnx")
    if path is not None:
        files.check_writable(checks.path("path", path))
    dtype = _checked_input_dtype(model, input_dtype)
    _check_inputs(model)
    check_kinds("to_onnx", model)
    model.parameters.check_finite()
    graph = Graph(model.dtype)
    z = graph.layers(model, _inputs(graph, model, dtype))
    a = graph.activation(ACTIVATIONS[model.cost_spec.output], z)
    n_out = model.sizes[-1]
    graph.output("a", a, model.dtype, ["N", n_out], f"{model.cost_spec.output} outputs")
    return finished(graph, path, doc, metadata(model))


def finished(graph: Graph, path: Any, doc: str, properties: dict[str, str]) -> onnx.ModelProto:
    """The model of the graph; writes it to ``path`` unless that is None."""
    made = graph.model(doc, properties)
    if path is not None:
        files.write(path, [made.SerializeToString()])
    return made


def metadata(model: Model) -> dict[str, str]:
    """The metadata of a model, as JSON: names, the scale of bytes and the cost, for which ONNX has
    no fields. ``inputs_have_features`` is true if ``inputs`` also has the names of the features."""
    schema = model.schema
    known = {
        "classes": None if schema.classes is None else [*schema.classes],
        "features": None if schema.features is None else [*schema.features],
        "input_scale": model.input_scale,
        "inputs_have_features": True if schema.inputs and schema.inputs.features else None,
        "cost": costs.to_json(model.cost_spec.cost),
    }
    return {key: json.dumps(value) for key, value in known.items() if value is not None}


def _checked_input_dtype(model: Model, given: Any) -> np.dtype:
    is_table = isinstance(model.schema.inputs, Table)
    if given is None:
        given = np.float64 if is_table else model.dtype
    try:
        name = np.dtype(given).name
    except TypeError:
        name = ""
    if name not in INPUT_DTYPES:
        raise ValueError(
            f"input_dtype: expected one of {', '.join(INPUT_DTYPES)}; "
            f"got {checks.short_repr(given)}"
        )
    if is_table and name == "uint8":
        raise ValueError("input_dtype: expected float32 or float64 for a Table, got uint8")
    dtype: np.dtype = np.dtype(name)
    return dtype


def _check_inputs(model: Model) -> None:
    inputs = model.schema.inputs
    if type(inputs) not in (type(None), Standardize, Table):
        raise ValueError(
            f"to_onnx: expected inputs that ONNX can say, a Standardize, a Table or None; "
            f"got {checks.short_repr(inputs)}"
        )
    if isinstance(inputs, Table) and "" in inputs.columns:
        raise ValueError("to_onnx: expected a name for each column of the Table, got ''")


# ---- inputs


def _inputs(graph: Graph, model: Model, dtype: np.dtype) -> str:
    """The inputs of the first layer, (N, n_in) in the network's type."""
    inputs, n_in = model.schema.inputs, model.sizes[0]
    if isinstance(inputs, Table):
        return _table(graph, inputs, model.dtype, dtype)
    is_scaled = dtype == np.uint8 and model.input_scale is not None
    x = graph.input("x", dtype, n_in, f"inputs{', multiplied by input_scale' * is_scaled}")
    exact = model.dtype if inputs is None else _WIDE
    x = x if dtype == exact else graph.cast(x, exact)
    if is_scaled:
        x = graph("Mul", x, graph.constant(np.array(model.input_scale, exact), "input_scale"))
    if inputs is None:
        return x
    x = _standardized(graph, x, inputs.standardize)
    return x if model.dtype == _WIDE else graph.cast(x, model.dtype)


def _standardized(graph: Graph, x: str, by: Standardize | None) -> str:
    """(x - mean) / deviation in float64."""
    if by is None:
        return x
    if by.with_mean:
        x = graph("Sub", x, graph.constant(by.mean, "mean"))
    return graph("Div", x, graph.constant(by.deviation, "deviation"))


def _table(graph: Graph, table: Table, dtype: np.dtype, number_dtype: np.dtype) -> str:
    """The encoded and standardized columns of a table, from an input for each raw column."""
    columns = table.encoded_columns
    inputs = []
    for column in columns:
        if isinstance(column, CategoryColumn):
            missing = ', "" if missing' * (None in column.categories)
            inputs.append(graph.input(column.name, str, 1, f"a category{missing}"))
        else:
            missing = ", NaN if missing" * (table.missing == "mean")
            inputs.append(graph.input(column.name, number_dtype, 1, f"a number{missing}"))
    encoded = [
        _categories(graph, x, column, table.unknown)
        if isinstance(column, CategoryColumn)
        else _numbers(graph, x, column, number_dtype, table.missing)
        for x, column in zip(inputs, columns, strict=True)
    ]
    return graph.cast(
        _standardized(graph, graph("Concat", *encoded, axis=1), table.standardize), dtype
    )


def _categories(graph: Graph, x: str, column: CategoryColumn, unknown: str) -> str:
    """A column of categories, encoded, (N, width) in float64."""
    names = [one or "" for one in column.categories]
    made = graph(
        "OneHotEncoder", x, domain="ai.onnx.ml", cats_strings=names, zeros=int(unknown == "ignore")
    )
    shape = graph.constant(np.array([-1, len(names)], np.int64), "shape")
    return graph.cast(graph("Reshape", made, shape), _WIDE)


def _numbers(graph: Graph, x: str, column: NumberColumn, dtype: np.dtype, missing: str) -> str:
    """A column of numbers, encoded, (N, width) in float64."""
    x = x if dtype == _WIDE else graph.cast(x, _WIDE)
    if missing != "mean":
        return x
    absent = graph("IsNaN", x)
    made = graph("Where", absent, graph.constant(np.array(column.mean), "mean"), x)
    if not column.indicator:
        return made
    return graph("Concat", made, graph.cast(absent, _WIDE), axis=1)
