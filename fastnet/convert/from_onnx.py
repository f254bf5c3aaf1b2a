"""A model of ONNX as a network: its graph is interpreted node by node.

The result of each node is a value of ``onnx_values``. If a node cannot be part of a network, its
result is an ``Unfit`` with the reason. This is an error only if the output that is read depends on
it: a classifier may compute labels in any way. Memory is bounded by the size of the model.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnet.convert import layers, onnx_expressions, onnx_file
from fastnet.convert.layers import Layer
from fastnet.convert.onnx_nodes import Reader
from fastnet.convert.onnx_values import Constant, Inputs, Layers, Unfit, Value, Weighted
from fastnet.core import checks
from fastnet.data.input_transform import Standardize
from fastnet.data.labels import checked_classes
from fastnet.model import Model
from fastnet.nn import costs
from fastnet.nn.activations import Activation

if TYPE_CHECKING:
    import onnx

_LEAST_OPSET = 7  # the first in which operators broadcast as in NumPy
_KEYS = ("classes", "features", "inputs_have_features", "input_scale", "cost")


def from_onnx(source: Any, cost: Any) -> Model:
    """The model for ``Network.from_onnx``."""
    if cost is not None:
        costs.choose(cost, None)  # checked here, so that the error does not name the file
    name, proto = onnx_file.read(source)
    try:
        return _model_of(proto, cost)
    except (TypeError, ValueError) as error:
        raise checks.prefixed(name, ValueError(str(error))) from None


def _model_of(proto: onnx.ModelProto, cost: Any) -> Model:
    opsets = {each.domain: each.version for each in proto.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0))
    if opset < _LEAST_OPSET:
        raise ValueError(f"expected opset {_LEAST_OPSET} or newer, found {opset}")
    reader = Reader(onnx_file.size_of(proto))
    found = _outputs(proto.graph, reader)
    classes = [*reader.classes] if reader.classes is not None else None
    return _made(found, _stored(proto), classes, cost)


def _outputs(graph: onnx.GraphProto, reader: Reader) -> Layers:
    """The outputs of the network, from the values of all nodes of the graph."""
    values: dict[str, Value] = {"": Unfit("expected an input, found none")}
    for tensor in graph.initializer:
        values[tensor.name] = Constant(onnx_file.array_of(f"initializer {tensor.name!r}", tensor))
    inputs = [each for each in graph.input if each.name not in values]
    if len(inputs) != 1:
        found = checks.some([each.name for each in inputs])
        raise ValueError(f"expected a graph of one input, found {len(inputs)}: {found}")
    values[inputs[0].name] = _inputs_of(inputs[0])
    rows = inputs[0].type.tensor_type.shape.dim
    reader.rows = rows[0].dim_value or None if rows else None
    for node in graph.node:
        made = reader.value_of(node, [values.get(each) for each in node.input])
        for k, output in enumerate(node.output):
            if output and output in values:
                raise ValueError(f"expected one definition of {output!r}, found several")
            second = Unfit(f"{reader.place(node)}: expected its first output")
            values[output] = second if k or not output else made
    names = [each.name for each in graph.output]
    return _chosen(
        {
            name: values.get(name, Unfit(f"output {name!r}: expected a node that gives it"))
            for name in names
        }
    )


def _chosen(results: dict[str, Value]) -> Layers:
    """The one output of the graph that is computed by a chain of layers."""
    fitting = {name: value for name, value in results.items() if isinstance(value, Layers)}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        raise ValueError(
            f"expected one output that is a network's, found {checks.some([*fitting])}"
        )
    for name, value in results.items():
        if isinstance(value, Unfit):
            raise ValueError(value.reason)
        raise ValueError(f"expected a fully connected layer before the output {name!r}, found none")
    raise ValueError("expected an output, found none")


def _inputs_of(declared: onnx.ValueInfoProto) -> Inputs:
    from onnx import TensorProto

    kind = declared.type.tensor_type
    is_bytes = kind.elem_type == TensorProto.UINT8
    if not is_bytes and kind.elem_type not in (TensorProto.FLOAT, TensorProto.DOUBLE):
        raise ValueError(
            f"input {declared.name!r}: expected float32, float64 or uint8, found another type"
        )
    rank = len(kind.shape.dim) if kind.HasField("shape") else 2
    if rank < 2:
        raise ValueError(f"input {declared.name!r}: expected rows (N, n_in), found {rank} axes")
    sizes = [each.dim_value for each in kind.shape.dim[1:]]
    width = math.prod(sizes) if all(each > 0 for each in sizes) and sizes else None
    return Inputs(is_flat=rank == 2, is_bytes=is_bytes, width=width)


# ---- the network


def _made(found: Layers, stored: dict[str, Any], classes: Any, cost: Any) -> Model:
    """The model with the outputs ``found``."""
    chain, hidden = _chain(found.z)
    inputs = chain[0].before
    assert isinstance(inputs, Inputs)
    output = onnx_expressions.output(found.formula)
    if output is None:
        kind = onnx_expressions.hidden(found.formula)
        raise ValueError(
            f"output: expected one of {', '.join(costs.OUTPUTS)}; found "
            f"{'another function' if kind is None else kind}"
        )
    dtypes = {each.w.dtype.name for each in chain}
    if len(dtypes) > 1:
        raise ValueError(f"expected weights of one type, found {', '.join(sorted(dtypes))}")
    features = stored.get("features")
    schema = {
        "inputs": _standardize(
            inputs, chain[0].w.shape[1], features if stored.get("inputs_have_features") else None
        ),
        "classes": stored.get("classes", _fitting(classes, len(found.z.w), output)),
        "features": features,
    }
    parameters = [Layer(f"weights[{l}]", each.w.T, _bias(each)) for l, each in enumerate(chain)]
    if cost is None and "cost" in stored:
        cost = costs.from_json(stored["cost"])
    made = layers.model_of(parameters, hidden, output.name, cost, schema)
    scale = stored.get("input_scale") if inputs.scale is None else inputs.scale
    if scale is not None:
        made.parameters.input_scale = checks.nonnegative("input_scale", scale)
    return made


def _chain(last: Weighted) -> tuple[list[Weighted], list[Activation]]:
    """All layers, the first one first, and the neurons of the hidden ones."""
    chain, hidden = [last], []
    while isinstance(chain[-1].before, Weighted):
        assert chain[-1].neurons is not None
        hidden.append(chain[-1].neurons)
        chain.append(chain[-1].before)
    return chain[::-1], hidden[::-1]


def _bias(layer: Weighted) -> NDArray | None:
    return None if layer.b is None else np.broadcast_to(layer.b, len(layer.w))


def _standardize(inputs: Inputs, n_in: int, features: Any) -> Standardize | None:
    if inputs.mean is None and inputs.deviation is None:
        return None
    deviation = np.ones(1) if inputs.deviation is None else inputs.deviation
    for name, numbers in (("mean", inputs.mean), ("deviation", deviation)):
        if numbers is not None and len(numbers) not in (1, n_in):
            raise ValueError(f"{name}: expected numbers for {n_in} inputs, found {len(numbers)}")
    if np.any(deviation == 0) or np.any(deviation < 0):
        raise ValueError("inputs: expected to be divided by positive numbers, found others")
    mean = None if inputs.mean is None else np.broadcast_to(inputs.mean, n_in)
    return Standardize(mean, np.broadcast_to(deviation, n_in), features=features)


def _fitting(classes: Any, n_out: int, output: Activation) -> Any:
    """The names of classes in the graph, if their number matches the outputs, otherwise None."""
    expected = 2 if n_out == 1 and not output.of_layer else n_out
    return classes if classes is not None and len(classes) == expected else None


def _stored(proto: onnx.ModelProto) -> dict[str, Any]:
    """The metadata that ``to_onnx`` stored; empty for a model of another program."""
    if proto.producer_name != "fastnet":
        return {}
    found: dict[str, Any] = {}
    for prop in proto.metadata_props:
        if prop.key in _KEYS:
            try:
                found[prop.key] = json.loads(prop.value)
            except (ValueError, RecursionError):
                raise ValueError(
                    f"{prop.key}: expected JSON, found {checks.short_repr(prop.value)}"
                ) from None
    if "classes" in found:
        checked_classes("classes", found["classes"])
    return found
