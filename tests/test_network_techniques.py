"""The techniques as arguments of ``Network`` and ``SGD``."""

import copy
import pickle

import numpy as np
import pytest

import fastnet
from fastnet import Network
from fastnet.nn import activations
from fastnet.nn.optimizers import USUAL, Adam, AdamW, Momentum

IMAGES = np.random.default_rng(1).integers(0, 2, (40, 16)).astype(np.uint8) * 9
LABELS = np.arange(40) % 3
DATA = fastnet.Dataset(IMAGES, LABELS, 1 / 9)
KINDS = activations.HIDDEN


def trained(epochs=2, *, seed=3, hidden="sigmoid", **options):
    net = Network([16, 8, 7, 3], seed=seed, hidden=hidden)
    net.SGD(DATA, epochs, 10, 0.1, verbose=False, **options)
    return net


# ---- hidden neurons


def test_one_name_stands_for_all_hidden_layers():
    assert Network([4, 3, 2, 1], hidden="relu").hidden == ["relu", "relu"]
    assert Network([4, 3, 2, 1], hidden=("relu", "tanh")).hidden == ["relu", "tanh"]
    assert Network([4, 3, 2, 1]).hidden == ["sigmoid", "sigmoid"]
    assert Network([4, 1], hidden="gelu").hidden == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_outputs_are_those_of_the_formula(kind, dtype, isa):
    net = Network([6, 5, 2], "quadratic", output="linear", hidden=kind, dtype=dtype, seed=1)
    x = np.random.default_rng(2).normal(size=(7, 6))
    z = x @ net.weights[0].T.astype(float) + net.biases[0].T
    a = activations.ACTIVATIONS[kind].value(z)
    expected = a @ net.weights[1].T.astype(float) + net.biases[1].T
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(net.feedforward(x), expected, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(net.predictor()(x[0]), net.feedforward(x)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_files_and_copies_keep_the_kind_of_neurons(kind, tmp_path):
    net = trained(hidden=("tanh", kind))
    net.save(tmp_path / "net.json")
    for other in (
        fastnet.load(tmp_path / "net.json"), pickle.loads(pickle.dumps(net)), copy.deepcopy(net),
    ):  # fmt: skip
        assert other == net
        assert other.hidden == ["tanh", kind]
        np.testing.assert_array_equal(other.feedforward(DATA), net.feedforward(DATA))


def test_networks_of_other_neurons_are_not_equal():
    a, b = Network([2, 1, 1], hidden="relu"), Network([2, 1, 1], hidden="tanh")
    b.weights, b.biases = a.weights, a.biases
    assert a != b


def test_the_representation_names_neurons_that_are_not_the_usual_ones():
    assert "relu neurons" in repr(Network([2, 1, 1], hidden="relu"))
    assert "relu, tanh neurons" in repr(Network([2, 1, 1, 1], hidden=["relu", "tanh"]))
    assert "neurons" not in repr(Network([2, 1, 1]))
    assert "neurons" not in repr(Network([2, 1], hidden="relu"))


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        ("Relu", f"hidden: expected one of {', '.join(KINDS)}; got 'Relu'"),
        (["relu", "softmax"], "hidden: expected one of .* got 'softmax'"),
        (b"relu", "hidden: expected one of .* got b'relu'"),
        (["relu"], "hidden: expected one name for each of 2 hidden layers, got 1"),
        (5, "hidden: expected a name or a list of names, got 5"),
        ([["relu"], "relu"], "hidden: expected one of .* got "),
        (None, "hidden: expected a name or a list of names, got None"),
    ],
)
def test_neurons_that_are_unknown_or_too_few_are_refused(hidden, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        Network([4, 3, 2, 1], hidden=hidden)


# ---- techniques


@pytest.mark.parametrize(
    "options",
    [
        {"l1": 0.5},
        {"dropout": 0.5},
        {"dropout": [0.5, 0.0]},
        {"shift": 1},
        *({"optimizer": one, "lmbda": 1.0} for one in USUAL.values()),
    ],
    ids=str,
)
def test_each_technique_is_reproducible_and_makes_a_difference(options, isa):
    assert trained(**options) == trained(**options)
    assert trained(**options) != trained()
    assert trained(**options) != trained(**options, seed=4)


def test_the_defaults_leave_the_bits_as_they_are(isa):
    assert trained(l1=0, dropout=0.0, optimizer=None, shift=0) == trained()
    assert trained(dropout=[0, 0.0]) == trained()


def test_one_number_is_the_dropout_of_every_hidden_layer(isa):
    assert trained(dropout=0.25) == trained(dropout=[0.25, 0.25])
    assert trained(dropout=0.25) != trained(dropout=[0.25, 0.5])


def test_velocities_are_kept_from_epoch_to_epoch_and_end_with_the_call(isa):
    optimizer = Momentum(0.9)
    net = trained(2, optimizer=optimizer)
    twice = trained(1, optimizer=optimizer)
    twice.SGD(DATA, 1, 10, 0.1, optimizer=optimizer, verbose=False)
    assert net != twice
    still = trained(2, optimizer=Momentum(0.0))
    for mine, plain in zip(still.weights, trained(2).weights, strict=True):
        np.testing.assert_allclose(mine, plain, rtol=0, atol=1e-5)


def test_dropout_and_shifts_are_of_the_training_alone(isa):
    net = trained(dropout=0.5, shift=1)
    np.testing.assert_array_equal(net.feedforward(DATA), net.feedforward(DATA))
    other = Network([16, 8, 7, 3], seed=3)
    other.weights, other.biases = net.weights, net.biases
    assert net.total_cost(DATA, 0.0) == other.total_cost(DATA, 0.0)


def test_the_costs_that_are_monitored_contain_the_l1_term(isa):
    net = Network([16, 8, 7, 3], seed=3)
    history = net.SGD(DATA, 1, 10, 0.1, 0.5, l1=2.0, monitor_training_cost=True, verbose=False)
    size = sum(np.abs(w).sum(dtype=float) for w in net.weights)
    expected = net.total_cost(DATA, 0.5) + 2.0 / 40 * size
    assert history.training_cost == [pytest.approx(expected, rel=1e-12)]


def test_l1_makes_small_weights_of_those_that_do_not_matter():
    """Half of the inputs are constant zeros: their weights end within a step of zero."""
    X = np.hstack([IMAGES, np.zeros_like(IMAGES)])
    net = Network([32, 3], "quadratic", seed=1)
    net.SGD(fastnet.Dataset(X, LABELS), 200, 10, 0.1, l1=2.0, verbose=False)
    step = 0.1 * 2.0 / 40
    assert np.abs(net.weights[0][:, 16:]).max() <= step
    assert np.abs(net.weights[0][:, :16]).max() > 10 * step


def test_compressed_and_dense_images_are_shifted_alike(isa):
    ends = []
    for sparse in (True, False):
        net = Network([16, 8, 3], seed=3)
        data = fastnet.Dataset(IMAGES, LABELS, 1 / 9, sparse=sparse)
        net.SGD(data, 2, 10, 0.1, 0.5, shift=2, verbose=False)
        ends.append(net)
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"l1": -1}, "l1: expected a finite number of 0 or more, got -1"),
        ({"l1": "1"}, "l1: expected a number, got '1'"),
        ({"l1": np.nan}, "l1: expected a finite number"),
        ({"dropout": 1.0}, "dropout: expected a number from 0 to below 1, got 1.0"),
        ({"dropout": -0.1}, "dropout: expected a number from 0 to below 1, got -0.1"),
        ({"dropout": [0.1]}, "dropout: expected one number, or one for each of 2 hidden layers"),
        ({"dropout": [0.1, 2]}, r"dropout\[1\]: expected a number from 0 to below 1, got 2"),
        ({"dropout": [0.1, [0.2]]}, r"dropout\[1\]: expected a number, got \[0.2\]"),
        ({"dropout": np.zeros((2, 40))}, r"dropout\[0\]: expected a number, got a ndarray"),
        ({"dropout": "half"}, "dropout: expected a number, got 'half'"),
        ({"dropout": None}, "dropout: expected a number, got None"),
        ({"optimizer": "adam"}, "optimizer: expected None, fastnet.Momentum.* got 'adam'"),
        ({"optimizer": Adam}, "optimizer: expected None"),
        ({"optimizer": np.ones(100)}, "optimizer: expected None.* got a ndarray"),
        ({"optimizer": fastnet.RMSprop(epsilon=1e-40)}, "optimizer: expected an epsilon of at"),
        ({"optimizer": Adam(epsilon=1e-40)}, "optimizer: expected an epsilon of at least 1.18e-38"),
        ({"shift": 1.5}, "shift: expected an integer, got 1.5"),
        ({"shift": -1}, "shift: expected 0 or more, got -1"),
        ({"shift": 4}, "shift: expected 0, or less than the side of square images; got 4 for 16"),
    ],
)
def test_a_technique_out_of_range_is_refused_before_anything_changes(options, words):
    net, twin = trained(), trained()
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        net.SGD(DATA, 1, 10, 0.1, verbose=False, **options)
    assert net == twin
    for each in (net, twin):
        each.SGD(DATA, 1, 10, 0.1, verbose=False)
    assert net == twin


def test_dropout_of_no_hidden_layer_is_refused():
    net = Network([16, 3])
    net.SGD(DATA, 1, 10, 0.1, dropout=[], verbose=False)
    net.SGD(DATA, 1, 10, 0.1, dropout=0.0, verbose=False)
    with pytest.raises(ValueError, match=r"^dropout: expected 0 for a network without hidden"):
        net.SGD(DATA, 1, 10, 0.1, dropout=0.5, verbose=False)


def test_inputs_that_are_no_square_images_cannot_be_shifted():
    net = Network([15, 3])
    with pytest.raises(ValueError, match=r"^shift: expected 0, or .* square images; got 1 for 15"):
        net.SGD((IMAGES[:, 1:], LABELS), 1, 10, 0.1, shift=1, verbose=False)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Momentum(1.0), "mu: expected a number from 0 to below 1, got 1.0"),
        (lambda: Momentum(-0.5), "mu: expected a number from 0 to below 1, got -0.5"),
        (lambda: Momentum("0.9"), "mu: expected a number"),
        (lambda: Momentum(0.9, "yes"), "nesterov: expected True or False, got 'yes'"),
        (lambda: Adam(1.0), "beta1: expected a number from 0 to below 1"),
        (lambda: Adam(0.9, 1.5), "beta2: expected a number from 0 to below 1"),
        (lambda: Adam(epsilon=0), "epsilon: expected a positive number, got 0"),
        (lambda: fastnet.RMSprop(1.0), "alpha: expected a number from 0 to below 1"),
        (lambda: fastnet.RMSprop(epsilon=0), "epsilon: expected a positive number, got 0"),
        (lambda: AdamW(epsilon=-1e-8), "epsilon: expected a positive number, got -1e-08"),
    ],
)
def test_an_optimizer_s_coefficient_out_of_range_is_refused(make, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        make()
