"""The operators of ONNX as functions of the values of ``onnx_values``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnet.convert import onnx_expressions as expressions
from fastnet.convert import onnx_file
from fastnet.convert.onnx_expressions import op
from fastnet.convert.onnx_values import (
    ClassIndex,
    Constant,
    Inputs,
    Layers,
    RowCount,
    Shape,
    Unfit,
    Value,
    Weighted,
    same_layer,
    vector,
)
from fastnet.core import checks
from fastnet.nn.activations import ACTIVATIONS, HIDDEN

if TYPE_CHECKING:
    import onnx

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


class Reader:
    """Computes the value of each node of a graph.

    Parameters
    ----------
    size : int
        The size of the model in bytes. The memory for reading it is at most a multiple of this.

    Attributes
    ----------
    classes : list or None
        The names that the graph assigns to the classes, that is, to the index of the largest
        output.
    rows : int or None
        The number of examples, if the graph fixes it.
    """

    def __init__(self, size: int):
        self._free = 16 * size + 4096
        self.classes: list[Any] | None = None
        self.rows: int | None = None

    def place(self, node: onnx.NodeProto) -> str:
        """The node, for messages."""
        name = node.name or (node.output[0] if node.output else "")
        kind = node.op_type  # bytes if it is not valid text
        is_name = isinstance(kind, str) and kind.isidentifier()
        return f"node {checks.short_repr(name)} ({kind if is_name else checks.short_repr(kind)})"

    def value_of(self, node: onnx.NodeProto, inputs: list[Value | None]) -> Value:
        """The value of the node's first output."""
        for name, value in zip(node.input, inputs, strict=True):
            if value is None:
                return Unfit(f"{self.place(node)}: expected the input {name!r} before it")
            if isinstance(value, Unfit) and name:
                return value
        method = _METHODS.get(node.op_type) if node.domain in _DOMAINS else None
        given = [each for each in inputs if each is not None and not isinstance(each, Unfit)]
        try:
            if method is None:
                raise ValueError("expected an operator of fully connected layers")
            return method(self, node.op_type, given, onnx_file.attributes_of(node))
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            message = str(error)
            if "expected" not in message:  # raised by Python or NumPy
                message = "expected other inputs or attributes"
            return Unfit(f"{self.place(node)}: {message}")

    def _charge(self, array: NDArray) -> NDArray:
        """``array``, after counting its memory. A ValueError if a small file needs too much in
        total."""
        self._free -= array.nbytes
        if self._free < 0:
            raise ValueError(
                "expected weights of its own for each layer, found more numbers than the file has"
            )
        return array

    # ---- layers

    def matmul(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        a, w = inputs[:2]
        return self._layer(a, w, transposed=False)

    def gemm(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        if attributes.get("transA", 0):
            raise ValueError("expected transA = 0, since examples are rows")
        alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
        made = self._layer(inputs[0], inputs[1], bool(attributes.get("transB", 0)), alpha)
        if len(inputs) == 2:
            return made
        if not isinstance(inputs[2], Constant):
            raise ValueError("expected constant biases, found others")
        b = vector(inputs[2], made.n_out)
        return self._with_biases(made, b if beta == 1 else b * b.dtype.type(beta))

    def _layer(self, a: Value, w: Value, transposed: bool, alpha: float = 1.0) -> Layers:
        if not isinstance(w, Constant) or not isinstance(a, Inputs | Layers):
            raise ValueError("expected activations times constant weights, found others")
        weights = w.array if transposed else w.array.T
        if weights.ndim != 2 or weights.dtype not in (np.float32, np.float64) or not weights.size:
            raise ValueError(
                f"expected weights of two axes, float32 or float64, "
                f"found {w.array.dtype} of shape {w.array.shape}"
            )
        self._charge(weights)
        if alpha != 1:
            weights = self._charge(weights * weights.dtype.type(alpha))
        if isinstance(a, Inputs):
            if not a.is_flat:
                raise ValueError("expected rows of inputs, found more axes, without a Flatten")
            if a.width is not None and a.width != weights.shape[1]:
                raise ValueError(f"expected weights of {a.width} inputs, found {weights.shape[1]}")
            return Layers(Weighted(a, None, weights))
        if weights.shape[1] != a.n_out:
            raise ValueError(f"expected weights of {a.n_out} inputs, found {weights.shape[1]}")
        neurons = expressions.hidden(a.formula)
        if neurons is None:
            raise ValueError(
                f"expected the activations of neurons before it, "
                f"{', '.join(HIDDEN)}; found another function"
            )
        return Layers(Weighted(a.z, neurons, weights))

    def _with_biases(self, layer: Layers, b: NDArray) -> Layers:
        z = layer.z
        before = np.zeros(1, z.w.dtype) if z.b is None else z.b
        made = b if z.b is None else before + b
        return Layers(Weighted(z.before, z.neurons, z.w, self._charge(made)))

    # ---- arithmetic

    def add(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        one, other = inputs[:2]
        if isinstance(one, Constant) and name == "Add":
            one, other = other, one
        sign = -1 if name == "Sub" else 1
        if isinstance(one, Inputs) and isinstance(other, Constant):
            return one.minus(self._charge(-sign * vector(other, one.n_in).astype(np.float64)))
        if isinstance(other, Constant) and isinstance(one, Layers) and one.is_weighted_input:
            return self._with_biases(one, sign * vector(other, one.n_out))
        return self.function(name, inputs[:2], attributes)

    def multiply(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        one, other = inputs[:2]
        if isinstance(one, Constant) and name == "Mul":
            one, other = other, one
        if isinstance(one, Inputs) and isinstance(other, Constant):
            c = self._charge(vector(other, one.n_in).astype(np.float64))
            return one.times(c) if name == "Mul" else one.divided(c)
        return self.function(name, inputs[:2], attributes)

    def scaler(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        """(x - offset) * scale of ai.onnx.ml."""
        x = inputs[0]
        if not isinstance(x, Inputs):
            raise ValueError("expected the inputs of the network before it")
        offset, scale = (
            self._charge(np.array(attributes.get(name, [usual]), np.float64))
            for name, usual in (("offset", 0.0), ("scale", 1.0))
        )
        x = x.minus(vector(Constant(offset), x.n_in))
        return x.times(vector(Constant(scale), x.n_in))

    # ---- activations

    def function(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        z = same_layer(*inputs)
        operands = [
            expressions.number(each.number()) if isinstance(each, Constant) else each.formula
            for each in inputs
            if isinstance(each, Constant | Layers)
        ]
        if name == "Softmax" and attributes.get("axis", -1) not in (-1, 1):
            raise ValueError(f"expected axis 1, found {attributes['axis']}")
        if name == "Elu":
            attributes = {"alpha": 1.0, **attributes}
        return Layers(z, op(name, *operands, **attributes))

    def short(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        """An operator that computes a whole activation."""
        usual = ACTIVATIONS[expressions.SHORT[name]]
        z = same_layer(*inputs)
        if name == "LeakyRelu":
            alpha = expressions.shortest(attributes.get("alpha", 0.01))
            usual = type(usual)(*[alpha][: len(usual.parameters)])
        elif attributes.get("approximate", b"none") != b"none" or attributes.get("alpha", 1.0) != 1:
            raise ValueError(f"expected the usual {name}, found one with other attributes")
        (x,) = inputs
        formula = expressions.formula_of(usual)
        if not isinstance(x, Layers) or not x.is_weighted_input or formula is None:
            raise ValueError("expected the weighted inputs of a layer before it")
        return Layers(z, formula)

    # ---- operators without effect, and shapes

    def unchanged(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        return inputs[0]

    def cast(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        from onnx import TensorProto

        (x,) = inputs
        kinds = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64}
        if isinstance(x, ClassIndex):
            return x
        if attributes.get("to") not in kinds:
            raise ValueError("expected a cast to float32 or float64")
        if isinstance(x, Constant):
            if x.array.dtype.kind not in "biuf":
                raise ValueError("expected numbers, found others")
            with np.errstate(over="ignore"):
                return Constant(self._charge(x.array.astype(kinds[attributes["to"]])))
        return x

    def shaped(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        """Flatten and Reshape of rows to the same rows."""
        x = inputs[0]
        if name == "Flatten":
            if attributes.get("axis", 1) != 1:
                raise ValueError(f"expected axis 1, found {attributes['axis']}")
            return replace(x, is_flat=True) if isinstance(x, Inputs) else x
        shape = inputs[1]
        if isinstance(x, ClassIndex):
            return x
        if not isinstance(shape, Constant) or shape.array.dtype != np.int64:
            raise ValueError("expected a constant shape, found another")
        wanted = [int(each) for each in shape.array.reshape(-1)[:3]]
        if isinstance(x, Constant):
            if sorted(wanted) != sorted(x.array.shape):
                raise ValueError(f"expected shape {x.array.shape}, found {wanted}")
            return Constant(x.array.reshape(wanted))
        is_flat = not isinstance(x, Inputs) or x.is_flat
        width = x.n_out if isinstance(x, Layers) else x.width if isinstance(x, Inputs) else None
        is_same = len(wanted) == 2 and wanted[0] in (-1, 0, self.rows) and wanted != [-1, -1]
        if not is_same or (width and wanted[1] not in (-1, 0 if is_flat else -1, width)):
            raise ValueError(f"expected a shape that changes nothing, found {wanted}")
        return replace(x, is_flat=True) if isinstance(x, Inputs) else x

    def shape(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        if not isinstance(inputs[0], Inputs | Layers):
            raise ValueError("expected the shape of inputs or outputs of the network")
        return Shape()

    def unsqueezed(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        if not isinstance(inputs[0], RowCount):
            raise ValueError("expected the number of examples")
        return inputs[0]

    def transpose(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        (x,) = inputs
        if not isinstance(x, Constant) or x.array.ndim != 2:
            raise ValueError("expected constant weights, found others")
        if [*attributes.get("perm", [1, 0])] != [1, 0]:
            raise ValueError("expected two axes to be exchanged")
        return Constant(x.array.T)

    def constant(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        ((key, value),) = attributes.items()
        if key == "value":
            return Constant(self._charge(onnx_file.array_of("value", value)))
        kinds = {"value_float": np.float32, "value_floats": np.float32,
                 "value_int": np.int64, "value_ints": np.int64}  # fmt: skip
        if key not in kinds:
            raise ValueError(f"expected numbers, found {key}")
        return Constant(np.array(value, kinds[key]))

    # ---- classes

    def argmax(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        (x,) = inputs
        if not isinstance(x, Layers) or attributes.get("axis", 0) not in (1, -1):
            raise ValueError("expected the outputs of a network, along axis 1")
        return ClassIndex(x)

    def chosen(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        """Gather: the name of the class with the largest output; or the number of examples."""
        names, index = inputs[:2]
        if isinstance(names, Shape) and isinstance(index, Constant) and index.number() == 0:
            return RowCount()
        if not isinstance(names, Constant) or not isinstance(index, ClassIndex):
            raise ValueError("expected constant names of classes")
        found = names.array.reshape(-1).tolist()
        self.classes = [each.decode() if isinstance(each, bytes) else each for each in found]
        return index

    def zipmap(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        """ZipMap: probabilities as dicts with the names of the classes."""
        texts = attributes.get("classlabels_strings")
        found = texts or attributes.get("classlabels_int64s")
        if found:
            self.classes = [e.decode() if isinstance(e, bytes) else e for e in found]
        return inputs[0]

    def concat(self, name: str, inputs: Sequence[Value], attributes: dict[str, Any]) -> Value:
        """Concat of the probabilities 1 - p and p of two classes; or of the parts of a shape."""
        if isinstance(inputs[0], RowCount):
            rest = [int(each.number()) for each in inputs[1:] if isinstance(each, Constant)]
            if len(rest) != 1 or len(inputs) != 2:
                raise ValueError("expected a constant shape of each example")
            return Constant(np.array([0, *rest], np.int64))  # 0: the number of examples
        if len(inputs) == 1 and attributes.get("axis") in (1, -1):
            return inputs[0]
        if len(inputs) != 2 or attributes.get("axis") not in (1, -1):
            raise ValueError("expected the probabilities of two classes, 1 - p and p")
        other, p = inputs
        z = same_layer(other, p)
        if not isinstance(other, Layers) or not isinstance(p, Layers) or len(z.w) != 1:
            raise ValueError("expected the probabilities of two classes, 1 - p and p")
        mirrored = expressions.at_minus_z(p.formula)
        complements = [op("Sub", 1.0, p.formula), *([] if mirrored is None else [mirrored])]
        if not any(expressions.equal(other.formula, each) for each in complements):
            raise ValueError("expected the probabilities of two classes, 1 - p and p")
        return p


_METHODS = {
    "MatMul": Reader.matmul, "Gemm": Reader.gemm, "Add": Reader.add, "Sub": Reader.add,
    "Mul": Reader.multiply, "Div": Reader.multiply, "Scaler": Reader.scaler,
    "Identity": Reader.unchanged, "Dropout": Reader.unchanged, "Cast": Reader.cast,
    "Flatten": Reader.shaped, "Reshape": Reader.shaped, "Transpose": Reader.transpose,
    "Shape": Reader.shape, "Unsqueeze": Reader.unsqueezed, "Constant": Reader.constant,
    "ArgMax": Reader.argmax, "Gather": Reader.chosen, "ArrayFeatureExtractor": Reader.chosen,
    "ZipMap": Reader.zipmap, "Concat": Reader.concat,
    **{name: Reader.short for name in expressions.SHORT},
    **{name: Reader.function for name in expressions.OPERATORS
       if name not in ("Add", "Sub", "Mul", "Div")},
}  # fmt: skip
