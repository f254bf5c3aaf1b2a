"""``Network.gradient_check``: small for a right gradient, large for a wrong one."""

import math

import numpy as np
import pytest
import scipy.sparse

import fastnet
from fastnet import Network
from fastnet.inspect import gradient_check
from fastnet.nn import activations
from fastnet.nn.costs import of_kernel

# The difference's errors, of curvature and of rounding, are near 4e-11 of the cost each; the
# smallest denominator is a thousandth of the largest slope.
RIGHT = 1e-5

RANDOM = np.random.default_rng(3)
X, LABELS = RANDOM.standard_normal((12, 4)), np.arange(12) % 3


class Own:
    """The cross-entropy."""

    @staticmethod
    def fn(a, y):
        return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))

    @staticmethod
    def delta(z, a, y):
        return a - y


class Wrong(Own):
    """Its output error is that of the quadratic cost."""

    @staticmethod
    def delta(z, a, y):
        return (a - y) * fastnet.sigmoid_prime(z)


@pytest.mark.parametrize("hidden", activations.HIDDEN)
def test_the_gradient_of_every_pair_and_kind_of_neurons_passes(
    pair, hidden, dtype, random_examples
):
    sizes = (4, 6, 5, 3)
    cost = of_kernel(pair[1])
    net = Network(sizes, cost, output=pair[0], hidden=hidden, dtype=dtype, seed=5)
    data = fastnet.Dataset(X, random_examples(12, sizes, pair[1], 6, targets="float64")[2])
    assert 0 < net.gradient_check(data, None) < RIGHT
    assert 0 < net.gradient_check((X, LABELS), None) < RIGHT


def test_the_same_examples_in_any_form_give_the_same_error():
    net = Network([4, 5, 3], seed=1)
    error = net.gradient_check((X, LABELS))
    pairs = [(x[:, None], int(y)) for x, y in zip(X, LABELS, strict=True)]
    forms = (fastnet.Dataset(X, LABELS, sparse=True), pairs, iter(pairs))
    for data in (*forms, (scipy.sparse.csr_matrix(X), LABELS)):
        assert net.gradient_check(data) == error


def test_a_right_cost_of_the_user_s_own_passes_and_a_wrong_one_does_not():
    assert Network([4, 5, 3], Own, seed=1).gradient_check((X, LABELS)) < RIGHT
    assert Network([4, 5, 3], Wrong, seed=1).gradient_check((X, LABELS)) > 0.5


def test_an_error_in_one_output_s_slope_alone_is_found():
    class Twisted(Own):
        @staticmethod
        def delta(z, a, y):
            return (a - y) * np.array([[1.0], [1.01], [1.0]])

    assert 0.003 < Network([4, 5, 3], Twisted, seed=1).gradient_check((X, LABELS)) < 0.3


@pytest.mark.parametrize("scale", [1e-3, 1.0, 255.0])
def test_inputs_of_any_size_pass(scale):
    for hidden in ("sigmoid", "relu"):
        net = Network([4, 5, 3], hidden=hidden, seed=2)
        assert net.gradient_check(fastnet.Dataset(X, LABELS, scale)) < RIGHT


def test_a_large_network_is_looked_at_in_all_its_layers(monkeypatch):
    """200 of 80,000 parameters, the few of the last layer's biases among them."""
    net = Network([784, 100, 3], Own, seed=1)
    X, y = RANDOM.random((5, 784)), [0, 1, 2, 0, 1]
    calls = []
    slope = fastnet.inspect.gradient_check._slope

    def counted(model, data, values, place, length):
        calls.append((values.shape, tuple(map(int, place))))
        return slope(model, data, values, place, length)

    monkeypatch.setattr(gradient_check, "_slope", counted)
    assert net.gradient_check((X, y)) < RIGHT
    assert len(calls) == len(set(calls)) == 200
    shapes = [shape for shape, _ in calls]
    assert [shapes.count(s) for s in ((3, 1), (100, 1), (3, 100), (100, 784))] == [3, 65, 66, 66]
    first = calls.copy()
    calls.clear()
    net.gradient_check((X, y))
    assert calls == first
    calls.clear()
    net.gradient_check((X, y), seed=1)
    assert calls != first
    calls.clear()
    net.gradient_check((X, y), 1)
    assert len(calls) == 1


def test_all_parameters_of_a_small_network_are_looked_at_by_default_too():
    net = Network([4, 5, 3], seed=1)
    assert net.gradient_check((X, LABELS)) == net.gradient_check((X, LABELS), None)


def test_a_flat_cost_has_no_error():
    """Linear outputs that are right already: both slopes are 0 but for the step's own."""
    net = Network([1, 1], "absolute", dtype="float64", seed=1)
    net.weights[0], net.biases[0] = [[0.0]], [[0.0]]
    assert net.gradient_check(([[0.0]], [[0.0]])) == 0


def test_a_cost_that_is_not_finite_gives_nan():
    class Endless(Own):
        @staticmethod
        def fn(a, y):
            return math.inf

    with np.errstate(invalid="ignore"):
        assert math.isnan(Network([4, 3], Endless, seed=1).gradient_check((X, LABELS)))


def test_the_network_is_left_as_it_is_and_its_random_numbers_too(dtype):
    net, twin = (Network([4, 5, 3], dtype=dtype, seed=1) for _ in range(2))
    net.gradient_check((X, LABELS))
    assert net == twin
    assert net.input_scale is None
    for each in (net, twin):
        each.SGD((X, LABELS), 2, 5, 0.5, verbose=False)
    assert net == twin


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"data": (X[:, :3], LABELS)}, "data: expected 4 features"),
        ({"data": (X, LABELS + 1)}, "data: expected labels from 0 to 2"),
        ({"data": None}, "data: expected a Dataset"),
        ({"n_parameters": 0}, "n_parameters: expected 1 or more, got 0"),
        ({"n_parameters": 2.5}, "n_parameters: expected an integer, got 2.5"),
        ({"seed": -1}, "seed: expected 0 or more, got -1"),
        ({"seed": "1"}, "seed: expected an integer, got '1'"),
    ],
)
def test_bad_input_is_refused(arguments, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        Network([4, 5, 3], seed=1).gradient_check(**{"data": (X, LABELS), **arguments})


def test_parameters_that_are_not_finite_are_refused():
    net = Network([4, 5, 3], seed=1)
    net.weights[0][1, 2] = np.nan
    with pytest.raises(ValueError, match=r"^weights, biases: expected finite numbers"):
        net.gradient_check((X, LABELS))
