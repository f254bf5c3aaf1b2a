"""The cost classes and the functions, used on their own."""

import numpy as np
import pytest

import fastnet
from fastnet import (
    AbsoluteCost,
    CrossEntropyCost,
    DivergenceError,
    HuberCost,
    LogCoshCost,
    LogLikelihoodCost,
    Network,
    PoissonCost,
    QuadraticCost,
    QuantileCost,
)
from fastnet.nn.costs import COSTS

A = np.array([[0.2, 0.5], [0.7, 0.1], [0.1, 0.4]])  # two columns of three outputs
ONE_HOT = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
LABELS = np.array([1, 0])


@pytest.mark.parametrize("cost", COSTS)
def test_the_cost_of_columns_is_the_sum_of_the_costs_of_each(cost):
    each = [cost.fn(A[:, [s]], ONE_HOT[:, [s]]) for s in range(2)]
    assert each[0] != each[1]
    assert cost.fn(A, ONE_HOT) == pytest.approx(sum(each), rel=1e-14)


def test_the_costs_are_those_of_the_formulas():
    assert QuadraticCost.fn([0.5, 0.25], [1.0, 0.0]) == (0.25 + 0.0625) / 2
    assert CrossEntropyCost.fn([0.8], [1.0]) == pytest.approx(-np.log(0.8), rel=1e-15)
    expected = -(0.3 * np.log(0.8) + 0.7 * np.log(0.2))
    assert CrossEntropyCost.fn([0.8], [0.3]) == pytest.approx(expected, rel=1e-15)
    assert LogLikelihoodCost.fn([0.2, 0.8], 1) == pytest.approx(-np.log(0.8), rel=1e-15)
    assert AbsoluteCost.fn([0.5, 0.25, -2], [1.0, 0.0, 1.0]) == 0.5 + 0.25 + 3
    assert HuberCost.fn([0.5, 1.0, -2], [1.0, 0.0, 1.0]) == 0.125 + 0.5 + 2.5
    assert QuantileCost(0.25).fn([0.5, 3.0], [1.0, 1.0]) == 0.25 * 0.5 + 0.75 * 2
    assert LogCoshCost.fn([3.0], [1.0]) == pytest.approx(np.log(np.cosh(2)), rel=1e-15)
    assert PoissonCost.fn([2.0], [3]) == pytest.approx(2 - 3 * np.log(2), rel=1e-15)


def test_the_errors_with_kinks_are_those_of_the_formulas():
    a, y = np.array([2.0, -1, 3, 0.5, 1]), np.array([2.0, 2, -1, 0.25, 0])
    assert AbsoluteCost.delta(None, a, y).tolist() == [0, -1, 1, 1, 1]
    assert HuberCost.delta(None, a, y).tolist() == [0, -1, 1, 0.25, 1]
    assert QuantileCost(0.25).delta(None, a, y).tolist() == [0, -0.25, 0.75, 0.75, 0.75]
    assert PoissonCost.delta(None, a, abs(y)).tolist() == (a - abs(y)).tolist()


def test_outputs_at_the_ends_of_the_range_have_the_costs_that_are_their_limits():
    largest = np.finfo(np.float64).max
    assert PoissonCost.fn([0.0, 1.0], [0, 0]) == 1
    assert PoissonCost.fn([0.0], [1]) == np.inf
    assert PoissonCost.fn([np.inf, np.inf], [0, 3]) == np.inf
    assert HuberCost.fn([largest], [0.0]) == AbsoluteCost.fn([largest], [0.0]) == largest
    assert LogCoshCost.fn([largest], [0.0]) == largest
    assert LogCoshCost.fn([1e-150], [0.0]) == pytest.approx(5e-301, rel=1e-14)
    assert LogCoshCost.delta(None, [1000.0, -largest], [0.0, 0.0]).tolist() == [1, -1]


def test_certainty_costs_nothing_where_right_and_infinity_where_wrong():
    assert CrossEntropyCost.fn([1.0, 0.0], [1.0, 0.0]) == 0
    assert CrossEntropyCost.fn([1.0, 0.0], [0.0, 0.0]) == np.inf
    assert LogLikelihoodCost.fn([1.0, 0.0], 0) == 0
    assert LogLikelihoodCost.fn([1.0, 0.0], 1) == np.inf


def test_labels_stand_for_unit_columns_in_the_log_likelihood():
    assert LogLikelihoodCost.fn(A, LABELS) == LogLikelihoodCost.fn(A, ONE_HOT)
    np.testing.assert_array_equal(LogLikelihoodCost.delta(None, A, LABELS), A - ONE_HOT)
    np.testing.assert_array_equal(LogLikelihoodCost.delta(None, A[:, 0], 1), (A - ONE_HOT)[:, 0])
    np.testing.assert_array_equal(LogLikelihoodCost.delta(None, A[:, :1], 1), (A - ONE_HOT)[:, :1])


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_that_no_output_stands_for_is_refused(label):
    with pytest.raises(ValueError, match=r"^y: expected labels from 0 to 2"):
        LogLikelihoodCost.fn(A[:, 0], label)


@pytest.mark.parametrize("cost", COSTS)
def test_nothing_is_broadcast(cost):
    column, row = A[:, :1], A[:, 0]
    for a, y in ((column, row), (row, column), (A, column), (row, 0.5)):
        with pytest.raises(ValueError, match=r"^y: expected the shape of a"):
            cost.fn(a, y)
        with pytest.raises(ValueError, match=r"^y: expected the shape of a"):
            cost.delta(a, a, y)


@pytest.mark.parametrize("function", [fastnet.sigmoid, fastnet.sigmoid_prime, fastnet.softmax])
@pytest.mark.parametrize("z", ["a", [1j], [[1.0], [1.0, 2.0]], None])
def test_what_is_no_array_of_real_numbers_is_refused_by_name(function, z):
    with pytest.raises((TypeError, ValueError), match=r"^z: expected"):
        function(z)


@pytest.mark.parametrize("z", [[], 1.0])
def test_softmax_needs_a_layer_of_outputs(z):
    with pytest.raises(ValueError, match=r"^z: expected one or more"):
        fastnet.softmax(z)


def test_a_mini_batch_that_diverges_leaves_the_network_as_it_was():
    net = Network([1, 1], "quadratic", output="linear", seed=1)
    before = net.weights[0].copy()
    with pytest.raises(DivergenceError, match="in the mini-batch") as caught:
        net.update_mini_batch([([1e19], [-1e30])], 1e30, 0.0, 1)
    assert caught.value.epoch is None
    np.testing.assert_array_equal(net.weights[0], before)


def test_the_single_neuron_of_the_text_takes_its_target_as_a_number():
    net = Network([1, 1], seed=1)
    same = Network([1, 1], seed=1)
    net.SGD([([1.0], 0.0)], 3, 1, 0.15, verbose=False)
    same.SGD([([1.0], 0)], 3, 1, 0.15, verbose=False)
    assert net == same
    assert net != Network([1, 1], seed=1)
    nabla_b, _ = net.backprop([1.0], 0.25)
    assert nabla_b[0] == pytest.approx(net.feedforward([1.0])[0] - 0.25, rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("cost", "output"), [("cross-entropy", "sigmoid"), ("log-likelihood", "softmax")]
)
def test_a_weighted_input_beyond_the_range_gives_no_nan(cost, output, dtype):
    net = Network([1, 2], cost, output=output, dtype=dtype)
    huge = np.sqrt(np.finfo(dtype).max)
    net.weights[0], net.biases[0] = [[2 * huge], [-2 * huge]], [[0.0], [0.0]]
    x = np.array([[huge]], dtype)  # z is +infinity and -infinity
    np.testing.assert_array_equal(net.feedforward(x), [[1.0, 0.0]])
    assert net.total_cost((x, [0]), 0.0) == 0
    assert net.total_cost((x, [1]), 0.0) >= float(np.finfo(dtype).max)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_rate_beyond_the_range_costs_infinity_and_one_of_zero_nothing(dtype):
    net = Network([1, 2], "poisson", dtype=dtype)
    huge = np.sqrt(np.finfo(dtype).max)
    net.weights[0], net.biases[0] = [[2 * huge], [-2 * huge]], [[0.0], [0.0]]
    x = np.array([[huge]], dtype)  # z is +infinity and -infinity
    np.testing.assert_array_equal(net.feedforward(x), [[np.inf, 0.0]])
    for target in (0.0, 3.0, huge):
        assert net.total_cost((x, [[target, 0.0]]), 0.0) == np.inf
    net.weights[0] = [[-2 * huge], [-2 * huge]]
    assert net.total_cost((x, [[0.0, 0.0]]), 0.0) == 0
    net.weights[0] = [[2 * huge], [0.0]]
    with pytest.raises(DivergenceError):
        net.update_mini_batch((x, [[1.0, 1.0]]), 0.5, 0.0, 1)


def test_the_further_costs_learn_what_they_are_for():
    """Outliers move the absolute and Huber's cost little; counts have their rates found."""
    random = np.random.default_rng(1)
    X = random.uniform(-1, 1, (400, 1))
    outliers = np.where(random.random((400, 1)) < 0.1, 50.0, 2 * X + 1)
    slopes = {}
    for cost in ("absolute", "huber", "quadratic"):
        net = Network([1, 1], cost, output="linear", dtype="float64", seed=1)
        net.SGD((X, outliers), 60, 20, 0.05, verbose=False)
        slopes[cost] = net.weights[0].item(), net.biases[0].item()
    assert slopes["absolute"] == pytest.approx((2, 1), abs=0.1)
    assert slopes["huber"] == pytest.approx((2, 1), abs=0.3)
    assert abs(slopes["quadratic"][1] - 1) > 3
    counts = random.poisson(np.exp(0.5 + X))
    net = Network([1, 1], "poisson", dtype="float64", seed=1)
    net.SGD((X, counts * 1.0), 60, 20, 0.05, verbose=False)
    assert (net.weights[0].item(), net.biases[0].item()) == pytest.approx((1, 0.5), abs=0.15)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_quantile_cost_learns_the_quantile_of_the_targets(q):
    random = np.random.default_rng(1)
    X = random.uniform(-1, 1, (2000, 1))
    y = 2 * X + 1 + random.exponential(1, (2000, 1))
    net = Network([1, 1], QuantileCost(q), dtype="float64", seed=1)
    net.SGD((X, y), 60, 20, 0.05, verbose=False)
    assert np.mean(y < net.feedforward(X)) == pytest.approx(q, abs=0.04)
    assert net.weights[0].item() == pytest.approx(2, abs=0.3)
    assert net.biases[0].item() == pytest.approx(1 - np.log(1 - q), abs=0.3)


def test_softmax_takes_any_finite_input_and_temperature():
    assert fastnet.softmax([1e308, -1e308], 0.0).tolist() == [0.5, 0.5]
    assert fastnet.softmax(np.float32([1, 2]), 1e39).tolist() == [0.0, 1.0]


def test_the_sigmoid_has_the_bits_of_a_neuron():
    z = np.linspace(-100, 100, 1001, dtype=np.float32)
    net = Network([1, 1])
    net.weights[0], net.biases[0] = [[1.0]], [[0.0]]
    assert len(np.unique(z)) == 1001
    np.testing.assert_array_equal(fastnet.sigmoid(z)[:, None], net.feedforward(z[:, None]))
