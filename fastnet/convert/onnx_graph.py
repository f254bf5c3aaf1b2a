"""Writes graphs of ONNX, node by node, with the layers of a network.

``Operators`` is the base class of the argument ``op`` of ``Activation.onnx``. Its subclass
``Graph`` makes a model. The converter for skl2onnx has another subclass, which adds the same nodes
to a graph of that library. onnx is an extra and is imported when a graph is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import load
from fastnet.model import Model
from fastnet.nn.activations import ACTIVATIONS, Activation

if TYPE_CHECKING:
    import onnx

# The first versions with all operators as they are used here: every ONNX Runtime since 1.7, of
# 2021, runs such a model, and later ones run it, too. Newer versions have no operator that a
# network needs.
OPSET, ML_OPSET, IR_VERSION = 13, 2, 7

_MOST_BYTES = (1 << 31) - (1 << 20)  # the limit of Protocol Buffers, minus space for the nodes


class Operators:
    """Adds nodes and constants to a graph; the base class for each kind of graph.

    Parameters
    ----------
    dtype : dtype
        The floating-point type of the graph, float32 or float64.
    """

    def __init__(self, dtype: np.dtype):
        self.dtype = np.dtype(dtype)

    # Methods that a subclass defines.

    def add_node(
        self, name: str, inputs: list[str], attributes: dict[str, Any], domain: str
    ) -> str:
        """Add a node; returns the name of its output."""
        raise NotImplementedError

    def constant(self, values: NDArray, name: str = "constant") -> str:
        """Add an array, of numbers or of str; returns its name."""
        raise NotImplementedError

    # Methods that use these.

    def __call__(self, name: str, *inputs: Any, domain: str = "", **attributes: Any) -> str:
        """The output of a new node, as ``Activation.onnx`` describes it."""
        if name == "Erf" and self.dtype == np.float64:  # ONNX Runtime has it in float32 only
            narrow = self.cast(self._input(inputs[0]), np.dtype(np.float32))
            return self.cast(self.add_node(name, [narrow], attributes, domain), self.dtype)
        return self.add_node(name, [self._input(each) for each in inputs], attributes, domain)

    def _input(self, given: Any) -> str:
        return given if isinstance(given, str) else self.constant(np.array(given, self.dtype))

    def cast(self, value: str, dtype: np.dtype) -> str:
        """The value in another type."""
        from onnx import helper

        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add_node("Cast", [value], {"to": kind}, "")

    def layers(self, model: Model, a: str) -> str:
        """The weighted inputs z of the output layer, from inputs ``a``, (n, n_in)."""
        weights, biases = (model.parameters.arrays(name) for name in ("weights", "biases"))
        for l, (w, b) in enumerate(zip(weights, biases, strict=True)):
            if l:
                a = self.activation(model.hidden[l - 1], a)
            names = (
                self.constant(np.ascontiguousarray(w), f"weights[{l}]"),
                self.constant(np.ascontiguousarray(b[:, 0]), f"biases[{l}]"),
            )
            a = self("Gemm", a, *names, transB=1)
        return a

    def activation(self, kind: Activation, z: str) -> str:
        """a = f(z)."""
        a: str = kind.onnx(self, z)
        return a


def check_kinds(name: str, model: Model) -> None:
    """Raise a ValueError that begins with ``name`` if an activation has no formula for ONNX."""
    for kind in (*model.hidden, ACTIVATIONS[model.cost_spec.output]):
        if kind.onnx(lambda *_, **__: "a", "z") is None:
            raise ValueError(
                f"{name}: expected activations that ONNX can say, got {kind}, whose class "
                f"{type(kind).__name__} has no method onnx"
            )


class Graph(Operators):
    """A graph that becomes a model."""

    def __init__(self, dtype: np.dtype):
        super().__init__(dtype)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._names: set[str] = set()
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def add_node(
        self, name: str, inputs: list[str], attributes: dict[str, Any], domain: str
    ) -> str:
        from onnx import helper

        output = self._new_name(name)
        self._nodes.append(
            helper.make_node(name, inputs, [output], name=output, domain=domain, **attributes)
        )
        return output

    def constant(self, values: NDArray, name: str = "constant") -> str:
        from onnx import numpy_helper

        if values.dtype.kind == "U":
            values = values.astype(object)
        made = self._new_name(name)
        self._constants.append(numpy_helper.from_array(values, made))
        return made

    def _new_name(self, wanted: str) -> str:
        name, k = wanted, 1
        while name in self._names:
            k += 1
            name = f"{wanted}_{k}"
        self._names.add(name)
        return name

    def input(self, name: str, dtype: Any, n: int, doc: str) -> str:
        """Declare an input (N, n), for any number N of examples."""
        self._names.add(name)
        self._inputs.append(_declared(name, dtype, ["N", n], doc))
        return name

    def output(self, name: str, value: str, dtype: Any, shape: list[Any], doc: str) -> None:
        """Declare ``value`` as the output ``name``."""
        from onnx import helper

        name = self._new_name(name)
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"to {name}"))
        self._outputs.append(_declared(name, dtype, shape, doc))

    def model(self, doc: str, metadata: dict[str, str]) -> onnx.ModelProto:
        """The model.

        Raises
        ------
        ValueError
            If it exceeds the 2 GB that a file of ONNX may have.
        """
        from onnx import helper

        size = sum(tensor.ByteSize() for tensor in self._constants)
        if size > _MOST_BYTES:
            raise ValueError(
                f"to_onnx: expected parameters of at most 2 GB, the most that a file of ONNX may "
                f"have, got {size / 2**30:.2f} GB"
            )
        graph = helper.make_graph(
            self._nodes, "fastnet", self._inputs, self._outputs, self._constants, doc_string=doc
        )
        domains = [helper.make_opsetid("", OPSET)]
        if any(node.domain == "ai.onnx.ml" for node in self._nodes):
            domains.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))
        made = helper.make_model(
            graph, opset_imports=domains, ir_version=IR_VERSION, producer_name="fastnet",
            producer_version=load.version(), doc_string=doc,
        )  # fmt: skip
        helper.set_model_props(made, metadata)
        return made


def _declared(name: str, dtype: Any, shape: list[Any], doc: str) -> onnx.ValueInfoProto:
    from onnx import TensorProto, helper

    is_text = np.dtype(dtype).kind in "OU"
    kind = TensorProto.STRING if is_text else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, shape, doc_string=doc)
