"""Weights of 8 bits: the rounding, its bound, and the report of what it costs."""

import numpy as np
import pytest

import fastnet
from fastnet.convert import c_int8
from fastnet.nn import activations


def layer_of(n_in, n_out, dtype=np.float32, seed=0):
    """(rows (1 + n_in, n_out) of biases and weights, the rounded layer)"""
    rows = np.random.default_rng(seed).normal(size=(1 + n_in, n_out)).astype(dtype)
    return rows, c_int8.rounded(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_weight_is_wrong_by_half_a_scale_at_most(dtype):
    rows, layer = layer_of(50, 30, dtype)
    assert (layer.weights.dtype, layer.scales.dtype) == (np.int8, np.dtype(dtype))
    error = np.abs(layer.weights * layer.scales.astype(np.float64) - rows[1:])
    assert (error <= layer.scales * (0.5 + 1e-4)).all()
    assert (error.max(axis=0) > 0.3 * layer.scales).all()
    np.testing.assert_array_equal(layer.biases, rows[0])


def test_the_largest_weight_of_a_neuron_is_127_scales():
    _, layer = layer_of(50, 30)
    assert (np.abs(layer.weights.astype(int)).max(axis=0) == 127).all()


def test_a_neuron_without_weights_has_the_scale_0_and_its_bias():
    rows = np.array([[0.5, 1.0], [0.0, 2.0], [0.0, 1.0]], np.float32)
    layer = c_int8.rounded(rows)
    assert layer.scales[0] == 0
    z = layer.weighted_inputs(np.array([[1.0, 2.0]], np.float32))
    assert z[0, 0] == 0.5
    assert z[0, 1] == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize("n_in", [1, 516, 517, 784, 16_909_320])
def test_no_sum_exceeds_32_bits(n_in):
    weights = np.broadcast_to(np.int8(127), (n_in, 1))
    steps = c_int8.Int8Layer(weights, np.ones(1), np.zeros(1)).steps
    assert 1 <= steps <= 2**15 - 1
    assert 127 * steps * n_in < 2**31
    assert steps == 2**15 - 1 or 127 * (steps + 1) * n_in >= 2**31


def test_more_inputs_than_the_sums_hold_are_refused():
    rows = np.broadcast_to(np.float32(1), (16_909_322, 1))
    with pytest.raises(ValueError, match=r"^int8: expected at most 16,909,320 inputs of a layer"):
        c_int8.rounded(rows)


@pytest.mark.parametrize("n_in", [2, 20, 784])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_inputs_are_wrong_by_the_analytic_bound_at_most(n_in, dtype):
    """Half a scale for each weight, times its input, and a step for each input, times its weight;
    and the roundings of four operations in the network's type."""
    rows, layer = layer_of(n_in, 30, dtype)
    x = np.random.default_rng(1).normal(size=(40, n_in)).astype(dtype)
    exact = x.astype(np.float64) @ rows[1:].astype(np.float64) + rows[0]
    step = np.abs(x).max(axis=1, keepdims=True).astype(np.float64) / layer.steps
    weights = np.abs(layer.weights * layer.scales.astype(np.float64))
    bound = np.abs(x).sum(axis=1, keepdims=True) * layer.scales / 2 + step * weights.sum(axis=0)
    eps = np.finfo(dtype).eps
    bound += 4 * eps * (np.abs(x).astype(np.float64) @ weights + np.abs(rows[0]))
    error = np.abs(layer.weighted_inputs(x) - exact)
    assert (error <= bound * (1 + 1e-3)).all()
    assert error.max() > 0.02 * bound.max()  # the bound says something


def test_inputs_of_0_give_the_biases():
    rows, layer = layer_of(20, 5)
    np.testing.assert_array_equal(layer.weighted_inputs(np.zeros((1, 20), np.float32)), rows[:1])


# |f'(z)| is at most this.
STEEPEST = {
    **{"sigmoid": 0.25, "tanh": 1.0, "linear": 1.0, "relu": 1.0, "leaky-relu": 1.0},
    **{"gelu": 1.13, "swish": 1.1},
}


@pytest.mark.parametrize("kind", activations.HIDDEN)
def test_the_outputs_of_a_network_are_wrong_by_the_bound_of_all_layers_at_most(kind):
    """Each layer adds the bound of its own roundings to what the errors of its inputs can make."""
    sizes = [8, 20, 10, 3]
    net = fastnet.Network(sizes, "quadratic", output="linear", hidden=kind, seed=1)
    layers = [
        c_int8.rounded(np.vstack([b.T, w.T])) for w, b in zip(net.weights, net.biases, strict=True)
    ]
    kinds = [activations.ACTIVATIONS[name] for name in (*net.hidden, "linear")]
    x = np.random.default_rng(2).normal(size=(50, 8)).astype(np.float32)
    outputs, expected = c_int8.outputs(layers, kinds, x), net.feedforward(x)
    error = np.zeros((50, 8))
    for layer, each in zip(layers, kinds, strict=True):
        weights = np.abs(layer.weights * layer.scales.astype(np.float64))
        inputs = np.abs(x) + error
        step = inputs.max(axis=1, keepdims=True) / layer.steps
        error = (error + step) @ weights + inputs.sum(axis=1, keepdims=True) * layer.scales / 2
        error = (error + 1e-5) * STEEPEST[each.name]
        x = each.value(layer.weighted_inputs(x))
    assert (np.abs(outputs - expected) <= error).all()
    assert np.abs(outputs - expected).max() > 1e-3 * error.max()


# ---- the report


def test_the_report_counts_the_examples_that_are_right_before_and_after(tmp_path):
    training, _, test = fastnet.load_mnist()
    net = fastnet.Network([784, 12, 10], seed=1)
    net.SGD(training[:5000], 2, 10, 0.5, verbose=False)
    test = test[:2000]
    report = net.to_c(tmp_path / "net.c", int8=True, data=test)
    assert (report.examples, report.rmse, report.r2) == (2000, None, None)
    before, after = report.accuracy
    assert before == net.accuracy(test) / 2000
    layers = [
        c_int8.rounded(np.vstack([b.T, w.T])) for w, b in zip(net.weights, net.biases, strict=True)
    ]
    X = (test.X * np.float64(test.scale)).astype(np.float32)
    outputs = c_int8.outputs(layers, [activations.ACTIVATIONS["sigmoid"]] * 2, X)
    assert after == np.mean(outputs.argmax(axis=1) == test.y)
    assert abs(after - before) < 0.01
    difference = np.abs(outputs - net.feedforward(test)).max()
    assert report.largest_difference == pytest.approx(difference)
    text = (tmp_path / "net.c").read_text(encoding="ascii")
    assert str(report) in " ".join(text.replace("\n * ", " ").split())


def test_the_report_has_the_errors_of_numbers_before_and_after(tmp_path):
    random = np.random.default_rng(3)
    X, y = random.normal(size=(300, 5)), random.normal(size=(300, 2))
    net = fastnet.Network([5, 8, 2], "quadratic", output="linear", dtype="float64", seed=1)
    report = net.to_c(tmp_path / "net.c", int8=True, data=(X, y))
    errors = net.feedforward(X) - y
    assert report.accuracy is None
    assert report.rmse[0] == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert report.r2[0] == pytest.approx(np.mean(1 - np.mean(errors**2, axis=0) / y.var(axis=0)))
    assert report.rmse[1] != report.rmse[0]
    assert report.rmse[1] == pytest.approx(report.rmse[0], rel=0.05)


def test_the_report_is_the_same_for_sparse_data_and_a_network_that_standardizes(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    X = np.random.default_rng(4).integers(0, 2, (200, 6)) * 1.5
    y = (X.sum(axis=1) > 4).astype(int)
    inputs = fastnet.Standardize.fit(X, with_mean=False)
    net = fastnet.Network([6, 5, 2], seed=1, inputs=inputs)
    net.SGD((X, y), 5, 10, 0.5, verbose=False)
    dense = net.to_c(tmp_path / "net.c", int8=True, data=(X, y))
    assert dense == net.to_c(tmp_path / "net.c", int8=True, data=(sparse.csr_matrix(X), y))
    assert dense.accuracy[0] == net.accuracy((X, y)) / 200 > 0.8


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"int8": "yes"}, TypeError, "^int8: expected"),
        ({"int8": True, "jacobian": True}, ValueError, "^int8: expected False with jacobian"),
        ({"data": ([[0.0] * 3], [0])}, ValueError, "^data: expected None without int8=True"),
        ({"int8": True, "data": ([[0.0] * 2], [0])}, ValueError, "^data: expected 3 features"),
    ],
)
def test_wrong_arguments_are_refused_before_a_file_is_written(arguments, error, message, tmp_path):
    net = fastnet.Network([3, 4, 2], seed=1)
    with pytest.raises(error, match=message):
        net.to_c(tmp_path / "net.c", **arguments)
    assert not (tmp_path / "net.c").exists()


def test_without_data_nothing_is_returned(tmp_path):
    assert fastnet.Network([3, 4, 2], seed=1).to_c(tmp_path / "net.c", int8=True) is None
