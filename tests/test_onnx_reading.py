"""``Network.from_onnx``: graphs of fully connected layers become networks with equal outputs, and
others are refused by node."""

import io
import json

import numpy as np
import pytest
from conftest import KINDS
from onnx_models import model_of, onnx, outputs

import fastnet
from fastnet import Network
from fastnet.nn import activations, costs

RNG = np.random.default_rng(1)
W = RNG.standard_normal((4, 3)).astype(np.float32)  # (n_in, n_out)
B = RNG.standard_normal(3).astype(np.float32)
V = RNG.standard_normal((3, 2)).astype(np.float32)
X = RNG.standard_normal((9, 4)).astype(np.float32)
AFFINE = "z = Gemm(x, w, b)"


def equal_to_onnx(model, x=X):
    """The network, after its outputs have been compared with ONNX Runtime's."""
    net = Network.from_onnx(model)
    assert np.ptp(outputs(model, x)) > 1e-3
    assert np.abs(net.feedforward(x) - outputs(model, x)).max() < 2e-6
    return net


def refused(model, *words):
    with pytest.raises(ValueError, match=r"^source: ") as caught:
        Network.from_onnx(model)
    message = str(caught.value)
    assert "expected" in message
    for word in words:
        assert word in message
    return message


# ---- the round trip


@pytest.mark.parametrize("standardized", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", activations.OUTPUTS)
@pytest.mark.parametrize("hidden", [*KINDS, fastnet.LeakyReLU(0.2), fastnet.LeakyReLU(1)], ids=str)
def test_a_network_that_was_written_is_read_as_an_equal_one(hidden, output, dtype, standardized):
    inputs = fastnet.Standardize.fit(X) if standardized else None
    for cost in (cost for cost in costs.COSTS if output in cost.errors):
        net = Network(
            [4, 3, 5, 2], cost, output=output, hidden=[hidden, "tanh"], dtype=dtype, inputs=inputs,
            classes=["ham", "spam"], features=["a", "b", "c", "d"], seed=1,
        )  # fmt: skip
        read = Network.from_onnx(net.to_onnx())
        assert read == net
        assert (read.features, read.cost, read.input_scale) == (net.features, net.cost, None)
        assert np.array_equal(read.feedforward(X), net.feedforward(X))


@pytest.mark.parametrize("inputs", [None, fastnet.Standardize([1.0] * 4, [2.0] * 4)])
@pytest.mark.parametrize("written", ["uint8", "float32"])
def test_the_scale_of_bytes_is_read_from_the_graph_or_the_metadata(inputs, written):
    net = Network([4, 3, 2], inputs=inputs, seed=1)
    net.SGD(fastnet.Dataset(np.eye(4, dtype=np.uint8), [0, 1, 0, 1], 0.1), 1, 2, 1, verbose=False)
    read = Network.from_onnx(net.to_onnx(input_dtype=written))
    assert read == net
    assert read.input_scale == pytest.approx(0.1, rel=1e-7)
    bytes_ = np.arange(8, dtype=np.uint8).reshape(2, 4)
    assert np.allclose(read.feedforward(bytes_), net.feedforward(bytes_), rtol=1e-6)


def test_a_file_and_its_bytes_are_read_like_the_model(tmp_path):
    net, path = Network([4, 3, 2], seed=1), tmp_path / "net.onnx"
    model = net.to_onnx(path)
    for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), model):
        assert Network.from_onnx(source) == net


def test_a_subclass_reads_its_own_networks_and_the_seed_gives_the_later_numbers():
    class Mine(Network):
        pass

    model = Network([4, 3, 2], seed=1).to_onnx()
    one, other = (Mine.from_onnx(model, seed=5) for _ in range(2))
    assert type(one) is Mine
    for net in (one, other):
        net.default_weight_initializer()
    assert one == other
    assert one != Network.from_onnx(model)


# ---- costs


@pytest.mark.parametrize(
    ("operator", "name"),
    [("Sigmoid", "cross-entropy"), ("Softmax", "log-likelihood"), ("Identity", "quadratic"),
     ("Exp", "poisson")],
)  # fmt: skip
def test_the_cost_is_the_usual_one_of_the_output_layer_or_the_argument(operator, name):
    model = model_of([AFFINE, f"a = {operator}(z)"], {"w": W, "b": B}, 4, 3)
    net = Network.from_onnx(model)
    assert net.cost.name == name
    for cost in (cost for cost in costs.COSTS if net.output in cost.errors):
        assert Network.from_onnx(model, cost.name).cost is cost


def test_a_cost_that_is_none_or_does_not_suit_the_outputs_is_refused():
    model = model_of([AFFINE, "a = Softmax(z)"], {"w": W, "b": B}, 4, 3)
    with pytest.raises(ValueError, match=r"^cost: expected one of"):
        Network.from_onnx(model, "none")
    with pytest.raises(ValueError, match="softmax does not go with the quadratic cost"):
        Network.from_onnx(model, "quadratic")


# ---- layers in other forms


@pytest.mark.parametrize(
    "nodes",
    [
        [AFFINE, "a = Sigmoid(z)"],
        [("z = Gemm(x, t, b)", {"transB": 1}), "a = Sigmoid(z)"],
        [("z = Gemm(x, w, b)", {"alpha": 0.5, "beta": -2.0}), "a = Sigmoid(z)"],
        ["z = Gemm(x, w)", "a = Sigmoid(z)"],
        ["u = MatMul(x, w)", "z = Add(u, b)", "a = Sigmoid(z)"],
        ["u = MatMul(x, w)", "z = Add(b, u)", "a = Sigmoid(z)"],
        ["u = MatMul(x, w)", "z = Sub(u, b)", "a = Sigmoid(z)"],
        ["u = MatMul(x, w)", "z = Add(u, row)", "a = Sigmoid(z)"],
        ["u = MatMul(x, w)", "z = Add(u, one)", "a = Sigmoid(z)"],
        ["z = MatMul(x, w)", "a = Sigmoid(z)"],
        [AFFINE, "y = Add(z, b)", "a = Sigmoid(y)"],
        [("u = Transpose(t)", {"perm": [1, 0]}), "z = Gemm(x, u, b)", "a = Sigmoid(z)"],
        [AFFINE, "y = Identity(z)", ("v = Cast(y)", {"to": 1}), "a = Sigmoid(v)"],
        ["y = Dropout(x)", "z = Gemm(y, w, b)", "a = Sigmoid(z)"],
        [("y = Flatten(x)", {"axis": 1}), "z = Gemm(y, w, b)", "a = Sigmoid(z)"],
        ["y = Reshape(x, same)", "z = Gemm(y, w, b)", "a = Sigmoid(z)"],
        [AFFINE, "y = Reshape(z, keep)", "a = Sigmoid(y)"],
    ],
    ids=str,
)  # fmt: skip
def test_a_layer_is_read_in_any_form(nodes):
    constants = {
        "w": W, "t": np.ascontiguousarray(W.T), "b": B, "row": B[None], "one": B[:1],
        "same": np.array([-1, 4]), "keep": np.array([0, -1]),
    }  # fmt: skip
    used = " ".join(node if isinstance(node, str) else node[0] for node in nodes)
    names = {
        each.strip(" ()") for part in used.split("=") for each in part.split("(")[-1].split(",")
    }
    names = {each.split(")")[0] for each in names}
    model = model_of(nodes, {k: v for k, v in constants.items() if k in names}, 4, 3)
    net = equal_to_onnx(model)
    assert (net.sizes, net.output) == ([4, 3], "sigmoid")


FORMS = {
    "gelu of PyTorch": ("gelu", ["u = Div(z, r2)", "v = Erf(u)", "q = Add(v, one)",
                                 "p = Mul(z, q)", "h = Mul(p, half)"]),
    "gelu in another order": ("gelu", ["u = Mul(rh, z)", "v = Erf(u)", "q = Add(one, v)",
                                       "p = Mul(half, q)", "h = Mul(p, z)"]),
    "gelu as one operator": ("gelu", ["h = Gelu(z)"]),
    "swish": ("swish", ["u = Sigmoid(z)", "h = Mul(u, z)"]),
    "leaky relu": (fastnet.LeakyReLU(0.2), [("h = LeakyRelu(z)", {"alpha": 0.2})]),
    "leaky relu by default": ("leaky-relu", ["h = LeakyRelu(z)"]),
    "leaky relu as a maximum": (fastnet.LeakyReLU(0.5), ["u = Mul(z, half)", "h = Max(u, z)"]),
    "negated twice": ("tanh", ["u = Neg(z)", "v = Neg(u)", "h = Tanh(v)"]),
    "none": ("linear", ["h = Identity(z)"]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_an_activation_is_read_in_any_form(form):
    hidden, nodes = FORMS[form]
    numbers = {"r2": np.sqrt(2), "rh": np.sqrt(0.5), "one": 1.0, "half": 0.5}
    used = str(nodes)
    constants = {k: np.array(v, np.float32) for k, v in numbers.items() if k in used}
    constants |= {"w": W, "b": B, "v2": V}
    model = model_of([AFFINE, *nodes, "a = MatMul(h, v2)"], constants, 4, 2, opset=20)
    assert equal_to_onnx(model).hidden == [hidden]


@pytest.mark.parametrize(
    ("nodes", "mean", "deviation"),
    [
        (["y = Sub(x, m)", "v = Div(y, s)"], [1, 2, 3, 4], [2, 4, 8, 16]),
        (["y = Div(x, s)", "v = Sub(y, m)"], [2, 8, 24, 64], [2, 4, 8, 16]),
        (["y = Add(x, m)", "v = Mul(y, s)"], [-1, -2, -3, -4], [0.5, 0.25, 0.125, 0.0625]),
        (["y = Sub(x, h)", "v = Mul(y, h)"], [0.5] * 4, [2] * 4),
        ([("v = Scaler(x)", {"offset": [1.0, 2.0, 3.0, 4.0], "scale": [0.5] * 4})], [1, 2, 3, 4],
         [2] * 4),
        (["v = Mul(s, x)"], None, [0.5, 0.25, 0.125, 0.0625]),
    ],
    ids=str,
)  # fmt: skip
def test_arithmetic_of_the_inputs_is_read_as_their_standardization(nodes, mean, deviation):
    constants = {"m": [1.0, 2, 3, 4], "s": [2.0, 4, 8, 16], "h": 0.5}
    constants = {k: np.array(v, np.float32) for k, v in constants.items() if f"{k})" in str(nodes)
                 or f"({k}," in str(nodes)}  # fmt: skip
    model = model_of([*nodes, "a = Gemm(v, w, b)"], {**constants, "w": W, "b": B}, 4, 3)
    net = Network.from_onnx(model)
    assert net.inputs.deviation.tolist() == deviation
    assert net.inputs.mean.tolist() == (mean or [0] * 4)
    assert np.abs(net.feedforward(X) - outputs(model, X)).max() < 2e-5


def test_images_are_read_as_rows():
    images = X.reshape(9, 1, 2, 2)
    nodes = [("y = Flatten(x)", {"axis": 1}), "z = Gemm(y, w, b)", "a = Sigmoid(z)"]
    model = model_of(nodes, {"w": W, "b": B}, 4, 3, x_shape=["N", 1, 2, 2])
    net = Network.from_onnx(model)
    assert np.abs(net.feedforward(X) - outputs(model, images)).max() < 2e-6
    refused(model_of(nodes[1:], {"w": W, "b": B}, 4, 3, x_shape=["N", 1, 1, 4]), "'y'", "(Gemm)")


@pytest.mark.parametrize("shape", [["N", 2, 2], [5, 2, 2], [5, 4], ["N", "n_in"]], ids=str)
@pytest.mark.parametrize("wanted", [[-1, 4], [0, -1], [5, -1], [5, 4]], ids=str)
def test_reshape_of_examples_to_rows_is_read_for_a_free_and_a_fixed_number(wanted, shape):
    nodes = ["y = Reshape(x, s)", AFFINE.replace("x", "y"), "a = Sigmoid(z)"]
    model = model_of(nodes, {"w": W, "b": B, "s": np.array(wanted)}, 4, 3, x_shape=shape)
    if wanted[0] == 5 and shape[0] == "N":
        refused(model, "(Reshape)", "changes nothing")
    else:
        assert np.array_equal(Network.from_onnx(model).weights[0], W.T)


def test_reshape_that_makes_several_rows_of_an_example_is_refused():
    nodes = ["y = Reshape(x, s)", AFFINE.replace("x", "y"), "a = Sigmoid(z)"]
    for shape, wanted in ((["N", 2, 4], [-1, 4]), (["N", 2, 4], [0, 4]), (["N", 4, 2], [0, 0])):
        model = model_of(nodes, {"w": W, "b": B, "s": np.array(wanted)}, 4, 3, x_shape=shape)
        refused(model, "(Reshape)", "changes nothing")


def test_the_shape_of_a_view_in_pytorch_is_read():
    nodes = ["s = Shape(x)", "n = Gather(s, zero)", "u = Unsqueeze(n, axis)",
             ("d = Concat(u, rest)", {"axis": 0}), "y = Reshape(x, d)", AFFINE.replace("x", "y"),
             "a = Sigmoid(z)"]  # fmt: skip
    constants = {"zero": np.array(0), "axis": np.array([0]), "rest": np.array([-1])}
    equal_to_onnx(model_of(nodes, {"w": W, "b": B, **constants}, 4, 3))


def test_weights_for_another_number_of_inputs_than_declared_are_refused():
    refused(
        model_of([AFFINE, "a = Tanh(z)"], {"w": W, "b": B}, 5, 3), "(Gemm)", "5 inputs, found 4"
    )


def test_constants_may_be_nodes():
    made = onnx.numpy_helper.from_array(W)
    nodes = [("w = Constant()", {"value": made}), "z = MatMul(x, w)", "a = Tanh(z)",
             "y = MatMul(a, v)"]  # fmt: skip
    model = model_of(nodes, {"v": V}, 4, 2)
    model.graph.output[0].name = "y"
    assert equal_to_onnx(model).hidden == ["tanh"]


# ---- other programs


@pytest.mark.parametrize("dynamo", [False, True])
def test_models_of_pytorch_are_read_with_equal_outputs(dynamo):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if dynamo:
        pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    nn = torch.nn
    for layer, name in (
        (nn.ReLU(), "relu"), (nn.Tanh(), "tanh"), (nn.Sigmoid(), "sigmoid"), (nn.GELU(), "gelu"),
        (nn.SiLU(), "swish"), (nn.LeakyReLU(0.2), fastnet.LeakyReLU(0.2)),
        (nn.Identity(), "linear"),
    ):  # fmt: skip
        module = nn.Sequential(
            nn.Flatten(), nn.Linear(4, 5), layer, nn.Dropout(0.5), nn.Linear(5, 3, bias=False),
            layer, nn.Linear(3, 2), nn.Softmax(1),
        ).eval()  # fmt: skip
        net = Network.from_onnx(exported(torch, module, dynamo))
        assert net.sizes == [4, 5, 3, 2]
        assert (net.hidden, net.output) == ([name, name], "softmax")
        expected = module(torch.tensor(X)).detach().numpy()
        assert np.abs(net.feedforward(X) - expected).max() < 2e-6


def exported(torch, module, dynamo=False):
    import warnings

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.zeros(2, 4),), file, dynamo=dynamo)
    return file.getvalue()


def test_a_tanh_approximation_of_gelu_of_pytorch_is_refused():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    module = nn.Sequential(nn.Linear(4, 3), nn.GELU("tanh"), nn.Linear(3, 2))
    refused(exported(torch, module), "elu", "expected")


# ---- refusals


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([AFFINE, "a = Conv(z, w)"], ["'the Conv' (Conv)", "fully connected"]),
        ([AFFINE, ("a = Elu(z)", {"alpha": 1.0})], ["output: expected one of", "another function"]),
        ([AFFINE, "a = Relu(z)"], ["output: expected one of sigmoid", "found relu"]),
        ([AFFINE, "h = Softmax(z)", "a = MatMul(h, v)"], ["(MatMul)", "another function"]),
        ([("z = Gemm(x, w, b)", {"transA": 1}), "a = Tanh(z)"], ["(Gemm)", "transA"]),
        ([AFFINE, ("a = Softmax(z)", {"axis": 0})], ["(Softmax)", "axis 1, found 0"]),
        ([AFFINE, "t = Tanh(z)", "a = Add(t, z)"], ["output", "another function"]),
        ([AFFINE, "y = MatMul(z, v)", "a = Add(y, z)"], ["(Add)", "not neighbours"]),
        (["a = MatMul(w, x)"], ["(MatMul)", "constant weights"]),
        (["a = MatMul(x, x)"], ["(MatMul)", "constant weights"]),
        ([AFFINE, "a = MatMul(z, w)"], ["(MatMul)", "weights of 3 inputs, found 4"]),
        ([AFFINE, "a = Add(z, four)"], ["(Add)", "(3,) numbers, found shape (4,)"]),
        ([AFFINE, "a = Mul(z, b)"], ["(Mul)", "one number, found shape (3,)"]),
        (["y = Div(x, zero)", "a = Gemm(y, w, b)"], ["inputs", "positive"]),
        (["y = Sub(x, five)", "a = Gemm(y, w, b)"], ["mean: expected numbers for 4 inputs"]),
        ([AFFINE, "a = Reshape(z, flat)"], ["(Reshape)", "changes nothing, found [-1, 1]"]),
        (["a = Tanh(x)"], ["(Tanh)", "weighted inputs of one layer"]),
        (["a = Identity(x)"], ["expected a fully connected layer before the output 'a'"]),
        (["z = MatMul(y, w)", "a = Tanh(z)"], ["(MatMul)", "the input 'y' before it"]),
        (["z = MatMul(x, half)", "a = Tanh(z)"], ["FLOAT16"]),
        (["z = MatMul(x, whole)", "a = Tanh(z)"], ["(MatMul)", "float32 or float64, found int64"]),
        ([("a = Cast(x)", {"to": 6})], ["(Cast)", "float32 or float64"]),
    ],
    ids=str,
)  # fmt: skip
def test_a_graph_that_does_not_fit_is_refused_by_node_and_operator(nodes, words):
    constants = {
        "w": W, "b": B, "v": V, "four": np.ones(4, np.float32), "five": np.ones(5, np.float32),
        "zero": np.zeros(4, np.float32), "flat": np.array([-1, 1]), "half": W.astype(np.float16),
        "whole": np.ones((4, 3), np.int64),
    }  # fmt: skip
    used = str(nodes)
    refused(model_of(nodes, {k: v for k, v in constants.items() if k in used}, 4, 3), *words)


def test_models_of_several_inputs_or_fitting_outputs_are_refused():
    model = model_of([AFFINE, "a = Tanh(z)"], {"w": W, "b": B}, 4, 3)
    model.graph.input.append(onnx.helper.make_tensor_value_info("q", 1, [1, 2]))
    refused(model, "one input, found 2: ['x', 'q']")
    model = model_of([AFFINE, "a = Sigmoid(z)"], {"w": W, "b": B}, 4, 3)
    model.graph.output.append(onnx.helper.make_tensor_value_info("z", 1, ["N", 3]))
    refused(model, "one output that is a network's, found ['a', 'z']")


def test_a_table_is_not_read_back():
    rows = {"x": [1.0, 2.0, 3.0], "u": ["a", "b", "a"], "y": ["p", "q", "p"]}
    table = fastnet.Table.fit(rows, "y")
    net = Network(table.sizes(2), "log-likelihood", inputs=table, seed=1)
    refused(net.to_onnx(), "expected a graph of one input, found 2: ['x', 'u']")


def test_metadata_of_other_producers_do_not_count():
    net = Network([4, 3], seed=1, classes=["a", "b", "c"])
    model = net.to_onnx()
    model.producer_name = "another"
    assert Network.from_onnx(model).classes is None
    model.producer_name = "fastnet"
    for prop in model.metadata_props:
        if prop.key == "classes":
            prop.value = json.dumps(["a", "b"])
    refused(model, "classes: expected 3")


@pytest.mark.parametrize("given", [3, None, [], Network], ids=str)
def test_another_source_is_a_type_error(given):
    with pytest.raises(TypeError, match=r"^source: expected a path, bytes or an onnx.ModelProto"):
        Network.from_onnx(given)
