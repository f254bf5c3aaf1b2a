"""What the tests of ONNX share: graphs of their own, and ONNX Runtime."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.float64): TensorProto.DOUBLE,
         np.dtype(np.uint8): TensorProto.UINT8}  # fmt: skip


def run(model, inputs):
    """The outputs of ONNX Runtime, by name; ``inputs`` for the one input, or by name."""
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = inputs if isinstance(inputs, dict) else {session.get_inputs()[0].name: inputs}
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feed), strict=True))


def outputs(model, x):
    """The only output."""
    (a,) = run(model, x).values()
    return a


def model_of(nodes, constants, n_in, n_out, dtype=np.float32, opset=17, x_shape=None):
    """A model of nodes written as "z = Gemm(x, w)" or (text, attributes), from x to a; {name:
    array} are its constants."""
    made = []
    for node in nodes:
        text, attributes = (node, {}) if isinstance(node, str) else node
        output, call = text.split(" = ")
        name, inputs = call.rstrip(")").split("(")
        domain = "ai.onnx.ml" if name in ("Scaler", "ZipMap", "ArrayFeatureExtractor") else ""
        n_same = sum(node.op_type == name for node in made)
        names = [each.strip() for each in inputs.split(",") if each.strip()]
        made.append(
            helper.make_node(
                name, names, output.split(", "), domain=domain, **attributes,
                name=f"the {name}{f' {n_same + 1}' if n_same else ''}",
            )
        )  # fmt: skip
    kind = TYPES[np.dtype(dtype)]
    real = TensorProto.DOUBLE if "float64" in {v.dtype.name for v in constants.values()} else 1
    graph = helper.make_graph(
        made, "of a test",
        [helper.make_tensor_value_info("x", kind, x_shape or ["N", n_in])],
        [helper.make_tensor_value_info("a", real, ["N", n_out])],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items()],
    )  # fmt: skip
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=domains, ir_version=8)
