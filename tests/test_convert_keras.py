"""Networks of Keras's weights: equal outputs without Keras; optional packages that are missing."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from conftest import OTHER_ACTIVATIONS

import fastnet
from fastnet import Network
from fastnet.nn.activations import ACTIVATIONS, HIDDEN, OUTPUTS, find
from fastnet.nn.costs import COSTS

RANDOM = np.random.default_rng(6)
X = 2 * RANDOM.standard_normal((40, 5))
SIZES = (5, 7, 6, 3)
CLOSE = {"float32": 2e-6, "float64": 1e-13}


def weights(sizes=SIZES, dtype="float32", bias=True):
    """As ``model.get_weights()`` of Keras returns them, for a chain of Dense layers."""
    made = []
    for n_in, n_out in pairwise(sizes):
        made.append(RANDOM.standard_normal((n_in, n_out)).astype(dtype) / 2)
        if bias:
            made.append(RANDOM.standard_normal(n_out).astype(dtype) / 2)
    return made


def dense(parameters, kinds, X):
    """The outputs of Dense layers by Keras's definition, f(x @ kernel + bias), in float64."""
    a = X
    for kind, kernel, bias in zip(kinds, parameters[::2], parameters[1::2], strict=True):
        a = kind.value(a @ kernel.astype(float) + bias.astype(float))
    return a


def assert_outputs(net, expected):
    a = net.feedforward(X)
    assert np.ptp(a, axis=0).min() > 1e-3
    close = CLOSE[net.dtype.name]
    np.testing.assert_allclose(a, expected, rtol=close, atol=close)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", [*HIDDEN, *OTHER_ACTIVATIONS], ids=str)
def test_dense_layers_become_a_network_with_their_outputs(hidden, output, dtype):
    given = weights(dtype=dtype)
    net = Network.from_keras_weights(given, hidden=hidden, output=output)
    kind = find(hidden)
    assert (net.sizes, net.dtype, net.output) == ([*SIZES], dtype, output)
    assert net.hidden == [kind.name_or_self] * 2
    assert output in net.cost.errors
    assert_outputs(net, dense(given, [kind, kind, ACTIVATIONS[output]], X))
    for l in range(3):
        np.testing.assert_array_equal(net.weights[l], given[2 * l].T)
        np.testing.assert_array_equal(net.biases[l][:, 0], given[2 * l + 1])


def test_layers_without_biases_have_zeros():
    given = weights(bias=False)
    net = Network.from_keras_weights(given, hidden=["relu", "tanh"], output="linear")
    full = [a for kernel in given for a in (kernel, np.zeros(kernel.shape[1]))]
    kinds = [ACTIVATIONS[name] for name in ("relu", "tanh", "linear")]
    assert_outputs(net, dense(full, kinds, X))
    mixed = Network.from_keras_weights(
        [full[0], given[1], full[4], full[5] + 1], hidden=["relu", "tanh"], output="linear"
    )
    full[5] = full[5] + 1
    assert_outputs(mixed, dense(full, kinds, X))


def test_cost_and_names_are_those_of_the_arguments():
    given = weights((5, 3))
    net = Network.from_keras_weights(
        given, fastnet.QuadraticCost, hidden=(), output="sigmoid", classes=["a", "b", "c"],
        features=[*"vwxyz"], seed=4,
    )  # fmt: skip
    assert (net.sizes, net.cost) == ([5, 3], fastnet.QuadraticCost)
    assert (net.classes, net.features) == (("a", "b", "c"), tuple("vwxyz"))
    assert net.predict_labels(X).tolist() == [
        "abc"[i] for i in dense(given, [ACTIVATIONS["sigmoid"]], X).argmax(axis=1)
    ]
    for cost in COSTS:
        if "sigmoid" not in cost.errors:
            with pytest.raises(ValueError, match=r"^output: sigmoid does not go with"):
                Network.from_keras_weights(given, cost, hidden=(), output="sigmoid")


def test_weights_from_a_file_of_numpy_are_read(tmp_path):
    given = weights()
    np.savez(tmp_path / "weights.npz", *given)
    with np.load(tmp_path / "weights.npz") as file:
        read = [file[name] for name in file.files]
    net = Network.from_keras_weights(read, hidden="tanh", output="softmax")
    assert net == Network.from_keras_weights(given, hidden="tanh", output="softmax")


def test_the_network_has_copies_and_trains():
    given = weights()
    before = [array.copy() for array in given]
    nets = [Network.from_keras_weights(given, hidden="tanh", output="softmax", seed=1)
            for _ in range(2)]  # fmt: skip
    for net in nets:
        net.SGD((X, np.arange(40) % 3), 2, 10, 0.5, verbose=False)
    assert nets[0] == nets[1]
    for array, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_float32_and_float64_together_make_a_float64_network():
    given = weights((5, 3))
    given[1] = given[1].astype("f8")
    assert Network.from_keras_weights(given, hidden=(), output="linear").dtype == "float64"


W = np.ones((5, 3))
REFUSED = {
    "normalization": ([W, np.ones(3), np.ones(3), np.ones(3)], ValueError,
                      "weights[2]: expected the weights of Dense layers", "shape (3,)"),
    "convolution": ([np.ones((3, 3, 1, 8)), np.ones(8)], ValueError,
                    "weights[0]: expected the weights of Dense layers", "shape (3, 3, 1, 8)"),
    "a bias first": ([np.ones(3), W], ValueError, "weights[0]: expected the weights", "(3,)"),
    "a scalar": ([W, np.float32(3)], ValueError, "weights[1]: expected", "()"),
    "shapes": ([W, np.ones(3), np.ones((4, 2))], ValueError,
               "weights[2]: expected 3 inputs, the outputs of weights[0]", "got 4"),
    "bias": ([W, np.ones(4)], ValueError, "weights[0]: expected biases of shape (3,)", "got (4,)"),
    "NaN": ([W * np.nan], ValueError, "weights[0]: expected finite parameters", "infinity"),
    "float16": ([W.astype("f2")], TypeError,
                "weights[0]: expected parameters in float32 or float64", "float16"),
    "objects": ([W.astype(object)], TypeError, "weights[0]: expected parameters in", "object"),
    "no rows": ([np.ones((0, 3))], ValueError, "weights[0]: expected weights (n_in, n_out)",
                "(0, 3)"),
    "ragged": ([[[1.0], [2.0, 3.0]]], ValueError, "weights[0]: expected an array", "lengths"),
    "nothing": ([], ValueError, "weights: expected the weights of one layer or more", "none"),
    "an array": (W, TypeError, "weights: expected a list of arrays", ""),
    "a path": ("weights.h5", TypeError, "weights: expected a list of arrays", "'weights.h5'"),
    "a number": (3, TypeError, "weights: expected a list of arrays", "got 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_weights_of_other_layers_are_refused_by_index(name):
    given, kind, begin, end = REFUSED[name]
    with pytest.raises(kind) as caught:
        Network.from_keras_weights(given, hidden="relu", output="linear")
    message = str(caught.value)
    assert message.startswith(begin)
    assert message.endswith(end) or end in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("options", "begin"),
    [({"hidden": "silu", "output": "linear"}, "hidden: expected one of sigmoid"),
     ({"hidden": ["relu"], "output": "linear"}, "hidden: expected one name for each of 2"),
     ({"hidden": "softmax", "output": "linear"}, "hidden: expected one of"),
     ({"hidden": "relu", "output": "relu"}, "output: expected one of sigmoid"),
     ({"hidden": "relu", "output": None}, "output: expected one of sigmoid"),
     ({"hidden": "relu", "output": "linear", "classes": "ab"}, "classes: expected a list"),
     ({"hidden": "relu", "output": "linear", "features": ["a"]}, "features: expected 5, got 1")],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused_by_name(options, begin):
    with pytest.raises((ValueError, TypeError)) as caught:
        Network.from_keras_weights(weights(), **options)
    assert str(caught.value).startswith(begin)


# ---- optional packages


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [("torch", lambda: Network([2, 1]).to_torch(), 'to_torch: expected PyTorch to be installed: '
      'pip install "torch>=2.2"'),
     ("torch", lambda: Network.from_torch(3), 'from_torch: expected PyTorch to be installed: '
      'pip install "torch>=2.2"'),
     ("sklearn", lambda: Network.from_sklearn(3), 'from_sklearn: expected scikit-learn to be '
      'installed: pip install "scikit-learn>=1.6"')],
)  # fmt: skip
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch, module, call, message
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as caught:
        call()
    assert str(caught.value) == message
