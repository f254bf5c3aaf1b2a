"""Reads and decodes models of ONNX that are not trusted: memory is bounded by the file's size."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, extras, files

if TYPE_CHECKING:
    import onnx


def read(source: Any) -> tuple[str, onnx.ModelProto]:
    """(name for messages, model) of the argument ``source`` of ``Network.from_onnx``.

    Raises
    ------
    TypeError, ValueError
        For another source, and for content that is not a model.
    OSError, ImportError
        If the file cannot be read, or onnx is missing.
    """
    onnx = extras.needed("from_onnx", "onnx")

    if isinstance(source, onnx.ModelProto):
        name, model = "source", source
    elif isinstance(source, bytes | bytearray | memoryview):
        name = "source"
        model = _parsed(name, bytes(source))
    elif isinstance(source, str | os.PathLike):
        name = checks.path("source", source)
        with files.open_regular(name) as file:
            model = _parsed(name, file.read())
    else:
        raise TypeError(
            f"source: expected a path, bytes or an onnx.ModelProto, got {checks.short_repr(source)}"
        )
    if not model.graph.node or not model.graph.output:
        raise ValueError(f"{name}: expected a model of ONNX, found none")
    return name, model


def _parsed(name: str, content: bytes) -> onnx.ModelProto:
    import onnx

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # DecodeError of google.protobuf, which is no ValueError
        raise ValueError(f"{name}: expected a model of ONNX, found damage: {error}") from None
    return model


def array_of(name: str, tensor: Any) -> NDArray:
    """The numbers or texts of a tensor. Its shape is compared with the number of its bytes, so that
    a false shape does not allocate memory.

    Raises
    ------
    ValueError
        If they are in another file, are damaged, or have a type that networks do not use.
    """
    from onnx import TensorProto, helper, numpy_helper

    if not isinstance(tensor, TensorProto):
        raise ValueError(f"{name}: expected a tensor, found {checks.short_repr(tensor)}")
    if tensor.data_location == TensorProto.EXTERNAL or len(tensor.external_data):
        raise ValueError(
            f"{name}: expected numbers within the model, found external data, in another file"
        )
    kinds = (
        TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64,
        TensorProto.STRING, TensorProto.BOOL, TensorProto.UINT8,
    )  # fmt: skip
    if tensor.data_type not in kinds:
        known = TensorProto.DataType.items()
        found = next((key for key, value in known if value == tensor.data_type), "another")
        raise ValueError(f"{name}: expected float32, float64 or integers, found the type {found}")
    dims = [*tensor.dims]
    size = math.prod(dims) if all(d >= 0 for d in dims) else -1
    field = helper.tensor_dtype_to_field(tensor.data_type)
    if tensor.HasField("raw_data") and tensor.data_type != TensorProto.STRING:
        item = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        stored, rest = divmod(len(tensor.raw_data), item)
    else:
        stored, rest = len(getattr(tensor, field)), 0
    if stored != size or rest:
        raise ValueError(f"{name}: expected numbers of shape {tuple(dims)}, found {stored} of them")
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except Exception as error:
        raise ValueError(f"{name}: expected a tensor, found damage: {error}") from None


def size_of(model: onnx.ModelProto) -> int:
    """The size of the model in bytes."""
    try:
        return int(model.ByteSize())
    except Exception:  # over 2 GB
        return 1 << 31


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node: numbers, texts, lists of them, or tensors."""
    from onnx import AttributeProto

    fields = {
        AttributeProto.FLOAT: "f", AttributeProto.INT: "i", AttributeProto.STRING: "s",
        AttributeProto.TENSOR: "t", AttributeProto.FLOATS: "floats", AttributeProto.INTS: "ints",
        AttributeProto.STRINGS: "strings",
    }  # fmt: skip
    lists = (AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS)
    found = {}
    for each in node.attribute:
        if each.type not in fields or each.ref_attr_name:
            raise ValueError(f"expected numbers or texts as the attribute {each.name!r}")
        value = getattr(each, fields[each.type])
        found[each.name] = [*value] if each.type in lists else value
    return found
