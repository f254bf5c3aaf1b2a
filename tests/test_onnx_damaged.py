"""Models of ONNX that are damaged, hostile or no models: one clear error, within the memory that
their size allows."""

import os
import random
import tracemalloc

import numpy as np
import pytest
from onnx_models import helper, model_of, numpy_helper, onnx

import fastnet
from fastnet import Network

W = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
B = np.zeros(3, np.float32)
SQUARE = np.eye(64, dtype=np.float32)


def refused(source, *words):
    """One line that begins with the source and says what was expected."""
    with pytest.raises(ValueError, match="expected") as caught:
        Network.from_onnx(source)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("source: " if not isinstance(source, os.PathLike) else str(source))
    for word in words:
        assert word in message
    return message


def small():
    return model_of(["z = Gemm(x, w, b)", "a = Sigmoid(z)"], {"w": W, "b": B}, 4, 3)


def tensor_of(model, name):
    return next(each for each in model.graph.initializer if each.name == name)


# ---- no models


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 100, b'{"sizes": [2, 1]}', b"PK\x03\x04", b"\x89PNG\r\n", b"abc" * 99],
)
def test_content_that_is_no_model_is_refused(content, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    refused(content, "expected a model of ONNX")
    refused(path, "net.onnx: expected a model of ONNX")


def test_a_model_that_is_cut_off_anywhere_is_refused():
    """Only the metadata are after the graph and the opset: a part of them is lost unnoticed."""
    net = Network([4, 3, 2], seed=1, classes=["a", "b"])
    whole = net.to_onnx().SerializeToString()
    opset = helper.make_opsetid("", 13).SerializeToString()
    end = whole.rindex(opset) + len(opset)
    assert end > 0.8 * len(whole)
    for length in range(end):
        refused(whole[:length])
    assert np.array_equal(Network.from_onnx(whole[:end]).weights[0], net.weights[0])


def test_a_pipe_a_folder_and_a_missing_file_are_refused(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(pipe, "expected a regular file, found a pipe")
    with pytest.raises(IsADirectoryError):
        Network.from_onnx(tmp_path)
    with pytest.raises(FileNotFoundError):
        Network.from_onnx(tmp_path / "none.onnx")


# ---- damaged and hostile tensors


def test_numbers_in_another_file_are_refused_and_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(W.tobytes())
    model = small()
    tensor = tensor_of(model, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    refused(tmp_path / "net.onnx", "initializer 'w'", "external data")
    tensor.data_location = onnx.TensorProto.DEFAULT
    tensor.raw_data = W.tobytes()
    refused(model, "initializer 'w'", "external data")
    nodes = [("w = Constant()", {"value": tensor}), "z = MatMul(x, w)", "a = Sigmoid(z)"]
    refused(model_of(nodes, {}, 4, 3), "(Constant)", "external data")


@pytest.mark.parametrize(
    "dims",
    [[4, 4], [3], [2**62, 2**62], [-4, -3], [4, 3, 0], [2**40, 0], [0, 2**62], [12]],
    ids=str,
)
def test_a_false_shape_is_refused_without_memory(dims):
    model = small()
    tensor = tensor_of(model, "w")
    del tensor.dims[:]
    tensor.dims.extend(dims)
    content = model.SerializeToString()
    tracemalloc.start()
    refused(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("kind", [0, 2, 4, 5, 8, 9, 10, 14, 16, 17, 23, 99])
def test_weights_of_another_type_are_refused(kind):
    model = small()
    tensor_of(model, "w").data_type = kind
    refused(model)


def test_weights_that_are_not_finite_are_refused():
    for wrong in (np.nan, np.inf):
        model = small()
        spoilt = W.copy()
        spoilt[1, 2] = wrong
        tensor_of(model, "w").raw_data = spoilt.tobytes()
        refused(model, "weights[0]")


def test_layers_that_share_weights_cannot_ask_for_more_memory_than_the_file_has():
    """20 bytes of each node would ask for 16 KB of parameters."""
    n = 3000
    nodes = ["z0 = MatMul(x, w)", *(f"z{k + 1} = MatMul(z{k}, w)" for k in range(n))]
    model = model_of([*nodes, f"a = Sigmoid(z{n})"], {"w": SQUARE}, 64, 64)
    content = model.SerializeToString()
    assert n * SQUARE.nbytes > 100 * len(content)
    tracemalloc.start()
    refused(content, "weights of its own for each layer")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * len(content)
    few = model_of([*nodes[:2], "a = Sigmoid(z1)"], {"w": SQUARE}, 64, 64)
    assert Network.from_onnx(few).sizes == [64, 64, 64]


def test_copies_of_constants_cannot_ask_for_more_memory_than_the_file_has():
    casts = [(f"c{k} = Cast(w)", {"to": 11}) for k in range(300)]
    big = np.eye(256, dtype=np.float32)
    model = model_of([*casts, "z = MatMul(x, c299)", "a = Sigmoid(z)"], {"w": big}, 256, 256)
    refused(model, "(Cast)", "more numbers than the file has")


def test_a_formula_that_doubles_with_each_node_is_refused():
    nodes = ["z = MatMul(x, w)", "y0 = Exp(z)", *(f"y{k + 1} = Mul(y{k}, y{k})" for k in range(90))]
    refused(model_of([*nodes, "a = Exp(y90)"], {"w": W}, 4, 3), "(Mul)", "larger")


def test_many_layers_are_read_in_time_that_grows_with_them():
    n = 4000
    nodes = ["h0 = MatMul(x, w)"]
    nodes += [f"h{k + 1} = MatMul(h{k}, v{k})" for k in range(n)]
    constants = {f"v{k}": np.ones((1, 1), np.float32) for k in range(n)}
    model = model_of([*nodes, f"a = Identity(h{n})"], {"w": W[:, :1], **constants}, 4, 1)
    assert len(Network.from_onnx(model).sizes) == n + 2


# ---- damaged graphs


def test_damaged_graphs_are_refused():
    for change, words in (
        (lambda m: m.graph.node.extend([m.graph.node[0]]), ["one definition of 'z'"]),
        (lambda m: m.graph.node[0].input.pop(), []),
        (lambda m: m.graph.node[0].input.insert(0, "a"), ["'a' before it"]),
        (lambda m: m.graph.node.insert(0, m.graph.node.pop()), ["'z' before it"]),
        (lambda m: m.graph.ClearField("input"), ["one input, found 0"]),
        (lambda m: m.graph.ClearField("output"), ["a model of ONNX, found none"]),
        (lambda m: m.graph.ClearField("node"), ["a model of ONNX, found none"]),
        (lambda m: setattr(m.graph.node[1], "op_type", "Sig\nmoid"), ["'Sig\\nmoid'"]),
        (lambda m: setattr(m.graph.node[1], "domain", "evil"), ["(Sigmoid)"]),
        (lambda m: setattr(m.graph.output[0], "name", "other"), ["output 'other'"]),
        (lambda m: setattr(m.opset_import[0], "version", 3), ["opset 7 or newer, found 3"]),
        (lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 8), ["input 'x'"]),
        (lambda m: m.graph.node[0].attribute.extend([helper.make_attribute("alpha", "x")]),
         ["(Gemm)"]),
        (lambda m: m.graph.node[1].attribute.extend(
            [helper.make_attribute("t", numpy_helper.from_array(W))]), ["(Sigmoid)"]),
    ):  # fmt: skip
        model = small()
        change(model)
        if len(model.graph.node) == 2 and len(model.graph.node[0].input) == 2:
            assert Network.from_onnx(model).sizes == [4, 3]  # without biases
        else:
            refused(model, *words)


@pytest.mark.parametrize(
    "attributes",
    [{"value": 3}, {"value_float": "x"}, {"value_string": "x"}, {}, {"value": [1]}],
    ids=str,
)
def test_a_constant_that_is_no_tensor_is_refused(attributes):
    nodes = [("w = Constant()", attributes), "z = MatMul(x, w)", "a = Sigmoid(z)"]
    refused(model_of(nodes, {}, 4, 3), "(Constant)")


def test_names_that_are_no_text_are_refused():
    content = small().SerializeToString().replace(b"Sigmoid", b"Sigm\xff\xfed")
    assert b"\xff\xfe" in content
    refused(content, "Sigm")


@pytest.mark.parametrize(
    ("key", "value"),
    [("classes", "{"), ("classes", "[1, 1, 2]"), ("classes", '"abc"'), ("features", "[1, 2, 3, 4]"),
     ("cost", '{"class": "HuberCost", "threshold": -1}'), ("input_scale", '"x"'),
     ("input_scale", "-1"), ("classes", "[" * 100_000)],
)  # fmt: skip
def test_damaged_metadata_are_refused(key, value):
    net = Network([4, 3], "huber", seed=1, classes=["a", "b", "c"], features=list("abcd"))
    model = net.to_onnx()
    kept = [each for each in model.metadata_props if each.key != key]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=key, value=value)
    refused(model)


def test_a_name_of_a_cost_is_looked_up_and_never_imported():
    model = Network([4, 3], seed=1).to_onnx()
    (stored,) = (each for each in model.metadata_props if each.key == "cost")
    stored.value = '"os.system"'
    assert Network.from_onnx(model).cost is fastnet.CrossEntropyCost


# ---- random damage


def mutated(content, rnd):
    made = bytearray(content)
    for _ in range(rnd.choice((1, 1, 2, 4))):
        place, kind = rnd.randrange(len(made)), rnd.randrange(4)
        if kind == 0:
            made[place] ^= 1 << rnd.randrange(8)
        elif kind == 1:
            del made[place : place + rnd.randrange(1, 40)]
        elif kind == 2:
            made[place:place] = rnd.randbytes(rnd.randrange(1, 9))
        else:
            other = rnd.randrange(len(made))
            made[place:place] = made[other : other + rnd.randrange(1, 200)]
        if not made:
            break
    return bytes(made)


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_gives_a_network_or_one_clear_error(seed):
    """A longer run, of other seeds: FASTNET_TEST_EXAMPLES=100000."""
    rnd = random.Random(seed)
    inputs = fastnet.Standardize.fit(np.random.default_rng(1).standard_normal((9, 4)))
    nets = [
        Network([4, 5, 3], "log-likelihood", hidden=hidden, inputs=inputs, classes=[*"abc"], seed=1)
        for hidden in ("gelu", "leaky-relu")
    ]
    whole = [net.to_onnx(input_dtype="uint8").SerializeToString() for net in nets]
    read = 0
    for _ in range(int(os.environ.get("FASTNET_TEST_EXAMPLES", "300"))):
        content = mutated(rnd.choice(whole), rnd)
        try:
            Network.from_onnx(content)
            read += 1
        except ValueError as error:
            message = str(error)
            assert message.startswith("source: ")
            assert "\n" not in message
    assert read > 10
