"""``Network.to_onnx``: what ONNX Runtime computes from the model is what the network computes."""

import json
import os
import stat
import sys

import numpy as np
import pytest
from conftest import KINDS, OTHER_ACTIVATIONS
from onnx_models import onnx, outputs, run

import fastnet
from fastnet import Network
from fastnet.data.input_transform import InputTransform
from fastnet.nn import activations, costs

DTYPES = ("float32", "float64")
# Inputs of at most 1/2: the rounding errors of float32 grow with them.
MEANS = fastnet.Standardize(np.linspace(0.1, 0.16, 784), np.linspace(1.8, 2.2, 784))


@pytest.fixture(scope="module")
def digits():
    """MNIST's test set as bytes, (10000, 784), and the scale of the bytes."""
    test = fastnet.load_mnist()[2]
    assert len(test) == 10_000
    return test.X, test.scale


def network(output, hidden, dtype, inputs=None, sizes=(784, 30, 20, 10)):
    cost = next(cost for cost in costs.COSTS if output in cost.errors)
    return Network(sizes, cost, output=output, hidden=hidden, dtype=dtype, inputs=inputs, seed=1)


def assert_close(found, expected):
    """2e-6 of an output, relative to outputs over 1."""
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert expected.std() > 1e-3
    assert (np.abs(found - expected) <= 2e-6 * np.maximum(1, np.abs(expected))).all()


@pytest.mark.parametrize("inputs", [None, MEANS], ids=["plain", "standardized"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", activations.OUTPUTS)
@pytest.mark.parametrize("hidden", [*KINDS, fastnet.LeakyReLU(0.2)], ids=str)
def test_the_outputs_for_mnist_are_those_of_feedforward(hidden, output, dtype, inputs, digits):
    X, scale = digits
    net = network(output, hidden, dtype, inputs)
    x = (X * scale).astype(dtype)
    assert_close(outputs(net.to_onnx(), x), net.feedforward(x))


def test_the_kinds_of_that_test_are_those_of_the_registry():
    tested = {type(kind) for kind in KINDS}
    assert tested == {type(activations.ACTIVATIONS[name]) for name in activations.HIDDEN}
    assert all(type(kind) in tested for kind in OTHER_ACTIVATIONS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [[5, 2], [1, 1], [3, 4, 1], [2, 7, 7, 7, 3]], ids=str)
def test_networks_of_any_depth_and_width_are_the_same_in_onnx(sizes, dtype):
    net = Network(sizes, "quadratic", output="linear", hidden="tanh", dtype=dtype, seed=2)
    x = np.random.default_rng(1).standard_normal((9, sizes[0])).astype(dtype)
    assert_close(outputs(net.to_onnx(), x), net.feedforward(x))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_the_number_of_examples_is_free(n):
    net = Network([3, 4, 2], seed=1)
    model = net.to_onnx()
    rows, columns = model.graph.input[0].type.tensor_type.shape.dim
    assert (rows.dim_param, columns.dim_value) == ("N", 3)
    x = np.random.default_rng(0).random((n, 3), np.float32)
    found = outputs(model, x)
    assert found.shape == (n, 2)
    assert np.allclose(found, net.feedforward(x), atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_weighted_inputs_give_the_same_probabilities(dtype):
    for output in ("sigmoid", "softmax"):
        net = network(output, "linear", dtype, sizes=[1, 3])
        net.weights[0], net.biases[0] = [[1], [-1], [0]], [[0], [0], [0]]
        x = np.array([[0.0], [-30.0], [88.0], [-104.0], [750.0], [3e38]], dtype)
        assert np.abs(outputs(net.to_onnx(), x) - net.feedforward(x)).max() < 2e-6


# ---- inputs


@pytest.mark.parametrize("dtype", DTYPES)
def test_standardized_inputs_are_rounded_once_from_float64(dtype, digits):
    """A linear network of weights 1 shows them: every bit is that of Standardize.transform."""
    X, scale = digits
    standardize = fastnet.Standardize.fit(X * scale)
    net = network("linear", "linear", dtype, standardize, [784, 784])
    net.weights[0], net.biases[0] = np.eye(784), np.zeros((784, 1))
    for kind in ("float32", "float64"):
        x = (X[:200] * scale / 3).astype(kind)
        expected = standardize.transform(x, dtype=dtype)
        assert np.array_equal(outputs(net.to_onnx(input_dtype=kind), x), expected)


@pytest.mark.parametrize("inputs", [None, MEANS, fastnet.Standardize(None, np.full(784, 0.5))])
@pytest.mark.parametrize("dtype", DTYPES)
def test_bytes_are_multiplied_by_the_scale_that_was_trained_on(dtype, inputs, digits):
    X, scale = digits
    net = network("softmax", "tanh", dtype, inputs)
    net.SGD(fastnet.Dataset(X[:100], np.arange(100) % 10, scale), 1, 10, 0.01, verbose=False)
    assert net.input_scale == scale
    model = net.to_onnx(input_dtype="uint8")
    assert_close(outputs(model, X[:500]), net.feedforward(X[:500]))
    assert_close(outputs(net.to_onnx(), (X[:500] * scale).astype(dtype)), net.feedforward(X[:500]))


def rounding_errors(net, x):
    """(n, n_out): what all products of absolute values sum up to, layer by layer. It bounds the
    errors of the outputs, in units of the type's epsilon, if no sum has an error of more of its own
    terms; the slopes of activations are at most 1.13, that of GELU."""
    a = net.inputs.transform(x, dtype=net.dtype).astype(np.float64)
    errors = np.zeros_like(a)
    weights = [np.array(w, np.float64) for w in net.weights]
    for l, (w, b) in enumerate(zip(weights, net.biases, strict=True)):
        errors = np.abs(a) @ np.abs(w.T) + np.abs(b.T) + 1.13 * errors @ np.abs(w.T)
        if l < len(net.hidden):
            layer = Network([w.shape[1], len(w), len(w)], "quadratic", output="linear",
                            hidden=[net.hidden[l]], dtype="float64")  # fmt: skip
            layer.weights, layer.biases = [w, np.eye(len(w))], [np.array(b), np.zeros((len(w), 1))]
            a = layer.feedforward(a)
    return errors


@pytest.mark.thorough
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["linear", "softmax", "sigmoid"])
@pytest.mark.parametrize("hidden", [*KINDS, fastnet.LeakyReLU(0.2)], ids=str)
def test_errors_with_large_standardized_inputs_are_those_of_rounding(hidden, output, dtype, digits):
    """Rare pixels of MNIST become 1,640 deviations, and linear outputs 199."""
    X, scale = digits
    net = network(output, hidden, dtype, fastnet.Standardize.fit(fastnet.load_mnist()[0]))
    x = (X[::10] * scale).astype(dtype)
    found, expected = outputs(net.to_onnx(), x), net.feedforward(x)
    assert np.ptp(expected, axis=0).min() > 1e-3
    has_erf = "Erf" in [node.op_type for node in net.to_onnx().graph.node]  # float32 only
    epsilon = np.finfo("float32" if has_erf else dtype).eps
    assert (np.abs(found - expected) <= epsilon * rounding_errors(net, x)).all()


def test_bytes_without_a_scale_are_numbers():
    net = Network([3, 4, 2], seed=1)
    X = np.arange(12, dtype=np.uint8).reshape(4, 3)
    assert_close(outputs(net.to_onnx(input_dtype=np.uint8), X), net.feedforward(X))


ROWS = {
    "age": [31.0, 47.0, None, 28.0, 64.5, 33.0],
    "sex": ["f", "m", "f", "m", None, "f"],
    "income": [1e3, 2e4, 3e3, 4.5e4, 5e3, 7e3],
    "a": ["x", "y", "x", "y", "x", "y"],
    "vote": ["yes", "no", "yes", "yes", "no", "no"],
}


def columns_for_onnx(rows, dtype=np.float64):
    """The rows as inputs of the graph: empty strings and NaN for missing values."""
    made = {}
    for name, column in rows.items():
        is_text = any(isinstance(one, str) for one in column)
        values = ["" if one is None else one for one in column] if is_text else column
        made[name] = np.array(values, object if is_text else dtype).reshape(-1, 1)
    return made


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", DTYPES)
def test_a_table_has_an_input_for_each_column_with_categories_and_missing_values(dtype, number):
    table = fastnet.Table.fit(ROWS, target="vote")
    net = Network(table.sizes(5), "log-likelihood", inputs=table, dtype=dtype, seed=1)
    rows = {name: column for name, column in ROWS.items() if name != "vote"}
    assert "age is missing" in net.features
    assert "sex is missing" in net.features
    model = net.to_onnx(input_dtype=None if number == "float64" else number)
    assert [each.name for each in model.graph.input] == ["age", "sex", "income", "a"]
    (found,) = run(model, columns_for_onnx(rows, number)).values()
    assert_close(found, net.feedforward(rows))
    assert json.loads({p.key: p.value for p in model.metadata_props}["classes"]) == ["no", "yes"]


def test_an_unknown_category_is_zeros_or_refused_as_the_table_says():
    for unknown in ("ignore", "error"):
        table = fastnet.Table.fit(ROWS, target="vote", unknown=unknown)
        net = Network(table.sizes(5), "log-likelihood", inputs=table, seed=1)
        rows = {"age": [30.0], "sex": ["d"], "income": [10.0], "a": ["x"]}
        model = net.to_onnx()
        if unknown == "ignore":
            (found,) = run(model, columns_for_onnx(rows)).values()
            assert np.abs(found - net.feedforward(rows)).max() < 2e-6
        else:
            with pytest.raises(Exception, match="Unknown Category"):
                run(model, columns_for_onnx(rows))


def test_a_table_without_replaced_numbers_gives_nan_for_a_missing_one():
    known = {name: column[:2] + column[3:4] for name, column in ROWS.items()}
    table = fastnet.Table.fit(known, target="vote", missing="error", standardize=False)
    net = Network(table.sizes(5), "log-likelihood", inputs=table, seed=1)
    rows = {"age": [30.0, None], "sex": ["f", "m"], "income": [1.0, 2.0], "a": ["x", "y"]}
    (found,) = run(net.to_onnx(), columns_for_onnx(rows)).values()
    first = {name: column[:1] for name, column in rows.items()}
    assert np.abs(found[0] - net.feedforward(first)[0]).max() < 2e-6
    assert np.isnan(found[1]).all()


# ---- the model


def test_the_model_names_its_producer_and_has_names_scale_and_cost_as_metadata():
    net = Network(
        [2, 3, 3], fastnet.HuberCost(2.0), hidden=fastnet.LeakyReLU(0.5), seed=1,
        classes=["ham", 2, True], features=["é", "b"],
    )  # fmt: skip
    data = fastnet.Dataset(np.eye(2, dtype=np.uint8), np.eye(3)[:2], 0.25)
    net.SGD(data, 1, 1, 0.1, verbose=False)
    model = net.to_onnx()
    assert (model.producer_name, model.producer_version) == ("fastnet", fastnet.__version__)
    assert {each.domain: each.version for each in model.opset_import} == {"": 13}
    assert model.ir_version == 7
    assert "leaky-relu:0.5 neurons, linear outputs" in model.doc_string
    stored = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert stored == {
        "classes": ["ham", 2, True],
        "features": ["é", "b"],
        "input_scale": 0.25,
        "cost": {"class": "HuberCost", "threshold": 2.0},
    }


def test_the_model_has_the_weights_in_the_order_of_the_network():
    net = Network([2, 3, 1], seed=1)
    found = {
        each.name: onnx.numpy_helper.to_array(each) for each in net.to_onnx().graph.initializer
    }
    assert np.array_equal(found["weights[0]"], net.weights[0])
    assert np.array_equal(found["biases[1]"], net.biases[1].ravel())


def test_a_later_change_of_the_network_does_not_change_the_model():
    net = Network([2, 1], seed=1)
    model = net.to_onnx()
    before = model.SerializeToString()
    net.weights[0][...] = 7
    assert model.SerializeToString() == before != net.to_onnx().SerializeToString()


# ---- files


def test_the_file_is_the_model_and_replaces_an_old_one(tmp_path):
    net, path = Network([2, 3, 1], seed=1), tmp_path / "net.onnx"
    path.write_bytes(b"old")
    path.chmod(0o640)
    model = net.to_onnx(path)
    assert onnx.load(path) == model == net.to_onnx()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["net.onnx"]


def test_a_path_that_cannot_be_written_is_refused_before_anything_is_computed(tmp_path):
    net = Network([2, 3, 1], seed=1)
    net.weights[0][0, 0] = np.nan
    with pytest.raises(FileNotFoundError, match="none"):
        net.to_onnx(tmp_path / "none" / "net.onnx")
    with pytest.raises(IsADirectoryError):
        net.to_onnx(tmp_path)
    with pytest.raises(TypeError, match=r"^path: expected a str or a path, got 3$"):
        net.to_onnx(3)
    with pytest.raises(ValueError, match="weights"):
        net.to_onnx(tmp_path / "net.onnx")
    assert os.listdir(tmp_path) == []


# ---- refusals


def test_an_activation_without_a_formula_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(activations.Tanh, "onnx", activations.Activation.onnx)
    net = Network([2, 3, 3, 1], hidden=["relu", "tanh"], seed=1)
    with pytest.raises(ValueError, match=r"to_onnx: expected activations .* got tanh, .* Tanh "):
        net.to_onnx()
    assert Network([2, 3, 1], hidden="relu", seed=1).to_onnx().graph.node


def test_inputs_of_another_class_are_refused_by_name(monkeypatch):
    class Halves(InputTransform):
        n_in = n_out = 2
        features = standardize = None

        def encode(self, raw):
            return raw

        def state(self):
            return {}

        from_state = None

    monkeypatch.setattr(Halves, "name", "halves", raising=False)
    net = Network([2, 1], inputs=Halves(), seed=1)
    with pytest.raises(ValueError, match="to_onnx: expected inputs that ONNX can say"):
        net.to_onnx()


@pytest.mark.parametrize("given", ["int8", "float16", "bytes?", 7, [1]], ids=str)
def test_other_types_of_inputs_are_refused(given):
    with pytest.raises(ValueError, match="input_dtype: expected one of float32, float64, uint8"):
        Network([2, 1], seed=1).to_onnx(input_dtype=given)


def test_bytes_are_refused_for_a_table():
    net = Network([6, 2], inputs=fastnet.Table.fit(ROWS, "vote", drop=["a"]), seed=1)
    with pytest.raises(ValueError, match="input_dtype: expected float32 or float64 for a Table"):
        net.to_onnx(input_dtype="uint8")


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    for call in (Network([2, 1], seed=1).to_onnx, lambda: Network.from_onnx(b"")):
        with pytest.raises(ImportError, match='onnx to be installed: pip install "onnx>='):
            call()
