"""The text's equations and exercises, on the package's own functions.

Equation numbers are those of M. Nielsen, Neural Networks and Deep Learning,
chapter 3 (where 56 is dC/db, 82 is dC/dw, and the sums of 78 and 79 run over
the outputs k).
"""

import math

import numpy as np
import pytest

import fastnet
from fastnet import CrossEntropyCost, LogLikelihoodCost, Network, QuadraticCost

STEP = 1e-5


def slope(function, at):
    """Its derivative by central differences, element by element of the array ``at``."""
    result = np.zeros(np.shape(at))
    for i in np.ndindex(result.shape):
        ends = []
        for step in (STEP, -STEP):
            moved = np.array(at, np.float64)
            moved[i] += step
            ends.append(function(moved))
        result[i] = (ends[0] - ends[1]) / (2 * STEP)
    return result


def assert_slopes(formula, differences, size=1.0):
    """Central differences of functions of this size are right to about 1e-10 of it."""
    assert np.shape(formula) == np.shape(differences)
    assert np.abs(differences).max() > 1e-3 * size
    np.testing.assert_allclose(formula, differences, rtol=1e-8, atol=1e-9 * size)


def binary_entropy(y):
    return -(y * np.log(y) + (1 - y) * np.log(1 - y))


# ---- the sigmoid and the costs of one neuron -------------------------------


def test_the_slope_of_the_sigmoid_is_sigma_times_one_minus_sigma():
    z = np.linspace(-8, 8, 33)
    a = fastnet.sigmoid(z)
    differences = (fastnet.sigmoid(z + STEP) - fastnet.sigmoid(z - STEP)) / (2 * STEP)
    assert_slopes(a * (1 - a), differences)
    np.testing.assert_array_equal(fastnet.sigmoid_prime(z), a * (1 - a))


def neuron(weights, bias, cost):
    net = Network([len(weights), 1], cost, dtype="float64")
    net.weights, net.biases = [[weights]], [[[bias]]]
    return net


@pytest.mark.parametrize("start", [(0.6, 0.9), (2.0, 2.0)])
def test_equations_55_and_56_the_quadratic_cost_s_slopes_hold_the_sigmoid_s(start):
    data = np.array([[1.0]]), np.array([[0.0]])

    def cost(wb):
        return neuron(wb[:1], wb[1], QuadraticCost).total_cost(data, 0.0)

    w, b = start
    a = fastnet.sigmoid(w + b)
    assert cost(start) == pytest.approx(a**2 / 2, rel=1e-15, abs=0)  # 54
    formula = a * fastnet.sigmoid_prime(w + b)
    assert_slopes([formula, formula], slope(cost, start), size=0.1)
    nabla_b, nabla_w = neuron([w], b, QuadraticCost).backprop([1.0], [0.0])
    assert [nabla_w[0].item(), nabla_b[0].item()] == pytest.approx([formula] * 2, rel=1e-14, abs=0)


@pytest.fixture
def several_inputs():
    """(weights, bias, X, y) of a neuron with three inputs and eight examples."""
    random = np.random.default_rng(1)
    return random.standard_normal(3), 0.3, random.standard_normal((8, 3)), random.random((8, 1))


def test_equations_57_to_62_the_cross_entropy_s_slopes_hold_the_error_alone(several_inputs):
    weights, bias, X, y = several_inputs

    def cost(parameters):
        return neuron(parameters[:3], parameters[3], CrossEntropyCost).total_cost((X, y), 0.0)

    z = X @ weights + bias
    a, prime, t = fastnet.sigmoid(z), fastnet.sigmoid_prime(z), y[:, 0]
    definition = -np.mean(t * np.log(a) + (1 - t) * np.log(1 - a))  # 57
    assert cost([*weights, bias]) == pytest.approx(definition, rel=1e-14, abs=0)
    assert definition > 0

    differences = slope(cost, [*weights, bias])
    unreduced = -((t / a - (1 - t) / (1 - a)) * prime) @ X / 8  # 58, 59
    common = (prime / (a * (1 - a)) * (a - t)) @ X / 8  # 60
    reduced = (a - t) @ X / 8  # 61
    for formula in (unreduced, common, reduced):
        assert_slopes(formula, differences[:3])
    assert_slopes(np.mean(a - t), differences[3])  # 62
    net = neuron(weights, bias, CrossEntropyCost)
    net.update_mini_batch((X, y), 1.0, 0.0, 8)
    np.testing.assert_allclose(weights - net.weights[0][0], reduced, rtol=1e-13)


@pytest.mark.parametrize("y", [0.1, 0.3, 0.5, 0.9])
def test_the_cross_entropy_is_smallest_at_a_equal_to_y_where_it_is_the_binary_entropy(y):
    a = np.linspace(0.01, 0.99, 99)
    costs = [CrossEntropyCost.fn(np.array([[value]]), np.array([[y]])) for value in a]
    assert a[np.argmin(costs)] == pytest.approx(y, rel=1e-12, abs=0)
    assert min(costs) == pytest.approx(binary_entropy(y), rel=1e-14, abs=0)  # 64
    # and through the network's own value: z = ln(y / (1 - y))
    net = neuron([0.0], math.log(y / (1 - y)), CrossEntropyCost)
    value = net.total_cost(([[1.0]], [[y]]), 0.0)
    assert value == pytest.approx(binary_entropy(y), rel=1e-14, abs=0)
    for moved in (-0.01, 0.01):
        net.biases[0] = [[math.log(y / (1 - y)) + moved]]
        assert net.total_cost(([[1.0]], [[y]]), 0.0) > value


def test_the_roles_of_a_and_y_are_not_to_be_swapped():
    """With y 0 or 1 the swapped form takes the logarithm of 0; the right one is finite."""
    a, ends = np.array([[0.3], [0.3]]), np.array([[0.0], [1.0]])
    assert CrossEntropyCost.fn(a, ends) == pytest.approx(
        -math.log(0.7) - math.log(0.3), rel=1e-15, abs=0
    )
    assert CrossEntropyCost.fn(ends, a) == math.inf
    assert CrossEntropyCost.fn(ends, ends) == 0.0


def test_equations_71_to_77_the_cost_with_slope_a_minus_y_is_the_cross_entropy():
    """dC/da = (a - y) / (a (1 - a)) (75), integrated from a to b, up to a constant (76)."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for y in (0.0, 0.3, 1.0):
        for low, high in ((0.1, 0.9), (0.2, 0.6), (0.5, 0.8)):
            a = low + (high - low) * (nodes + 1) / 2
            integral = (weights * (a - y) / (a * (1 - a))).sum() * (high - low) / 2
            ends = [CrossEntropyCost.fn([[end]], [[y]]) for end in (low, high)]
            assert ends[1] - ends[0] == pytest.approx(integral, rel=1e-13, abs=0)
    # 72 from 73 and 74: dC/da times sigma'(z) is a - y, which is delta
    z, y = np.array([[-1.0], [0.5]]), np.array([[0.2], [0.7]])
    a = fastnet.sigmoid(z)
    through_a = slope(lambda a: CrossEntropyCost.fn(a, y), a) * fastnet.sigmoid_prime(z)
    assert_slopes(CrossEntropyCost.delta(z, a, y), through_a)


# ---- many neurons, many layers ---------------------------------------------

OUTPUT_LAYERS = {
    "65": (QuadraticCost, "sigmoid"),
    "66, 67": (CrossEntropyCost, "sigmoid"),
    "68-70": (QuadraticCost, "linear"),
    "81, 82, 84": (LogLikelihoodCost, "softmax"),
}
QUADRATIC = (QuadraticCost, "sigmoid")  # the one pair that keeps sigma'


@pytest.mark.parametrize(("cost", "output"), OUTPUT_LAYERS.values(), ids=OUTPUT_LAYERS)
def test_the_slopes_of_the_output_layer_are_those_of_the_text(cost, output):
    random = np.random.default_rng(2)
    net = Network([4, 5, 3], cost, output=output, dtype="float64", seed=3)
    X, y = random.standard_normal((6, 4)), random.random((6, 3))
    y /= y.sum(axis=1, keepdims=True)
    below = fastnet.sigmoid(X @ net.weights[0].T + net.biases[0].T)  # a^(L-1), (6, 5)
    z = below @ net.weights[1].T + net.biases[1].T
    a = net.feedforward(X)
    delta = (a - y) * (fastnet.sigmoid_prime(z) if (cost, output) == QUADRATIC else 1)

    def cost_of_weights(weights):
        net.weights[1] = weights
        return net.total_cost((X, y), 0.0)

    def cost_of_biases(biases):
        net.biases[1] = biases
        return net.total_cost((X, y), 0.0)

    weights, biases = net.weights[1].copy(), net.biases[1].copy()
    assert_slopes(delta.T @ below / 6, slope(cost_of_weights, weights))
    net.weights[1] = weights
    assert_slopes(delta.mean(axis=0)[:, None], slope(cost_of_biases, biases))


ACTIVATIONS = {
    "sigmoid": fastnet.sigmoid,
    "linear": lambda z: z,
    "softmax": fastnet.softmax,
}


@pytest.mark.parametrize(("cost", "output"), OUTPUT_LAYERS.values(), ids=OUTPUT_LAYERS)
def test_the_output_error_is_the_slope_of_the_cost_in_z(cost, output):
    random = np.random.default_rng(4)
    z, y, activation = random.standard_normal((4, 3)), random.random((4, 3)), ACTIVATIONS[output]
    y /= y.sum(axis=0)
    differences = slope(lambda z: cost.fn(activation(z), y), z)
    if (cost, output) == (QuadraticCost, "linear"):
        # the class's own delta is that of sigmoid neurons; linear ones have a - y (68)
        assert_slopes(z - y, differences)
    else:
        assert_slopes(cost.delta(z, activation(z), y), differences)


# ---- softmax ---------------------------------------------------------------


def test_sigmoid_outputs_need_not_sum_to_one_and_softmax_outputs_do():
    X = np.random.default_rng(5).standard_normal((20, 4))
    sigmoid = Network([4, 3], dtype="float64", seed=6)
    softmax = Network([4, 3], LogLikelihoodCost, dtype="float64", seed=6)
    assert np.abs(sigmoid.feedforward(X).sum(axis=1) - 1).max() > 0.1
    np.testing.assert_allclose(softmax.feedforward(X).sum(axis=1), 1, rtol=6e-16)  # 79
    assert np.ptp(softmax.feedforward(X), axis=0).max() > 0.1


def test_softmax_rises_with_its_own_input_and_falls_with_every_other():
    """The signs of da_j/dz_k; and each output depends on all inputs."""
    z = np.array([0.5, -1.0, 2.0, 0.0])
    jacobian = np.array([slope(lambda z, j=j: fastnet.softmax(z)[j], z) for j in range(4)])
    signs = np.where(np.eye(4) == 1, 1, -1)
    np.testing.assert_array_equal(np.sign(jacobian), signs)
    a = fastnet.softmax(z)
    assert_slopes(np.diag(a) - np.outer(a, a), jacobian)
    # what one gains, the others lose
    np.testing.assert_allclose(jacobian.sum(axis=0), 0, atol=1e-10)


def test_the_weighted_inputs_are_the_logarithms_of_the_outputs_up_to_a_constant():
    z = np.random.default_rng(7).normal(0, 3, (10, 5))
    constants = z - np.log(fastnet.softmax(z))
    np.testing.assert_allclose(constants, np.broadcast_to(constants[:1], z.shape), atol=1e-13)
    assert np.ptp(constants[0]) > 0.1


@pytest.mark.parametrize("c", [0.0, 0.5, 1.0, 7.0])
def test_softmax_with_a_factor_is_a_probability_distribution(c):
    z = np.array([[1.0, 1.2], [3.0, -5.0], [2.5, 0.0]])
    a = fastnet.softmax(z, c)
    e = np.exp(c * z)
    np.testing.assert_allclose(a, e / e.sum(axis=0), rtol=1e-14)  # 83
    np.testing.assert_allclose(a.sum(axis=0), 1, rtol=1e-15)
    assert a.min() > 0


def test_softmax_tends_to_the_maximum_as_its_factor_grows():
    z = np.array([1.0, 3.0, 2.9, 3.0, -1e3])
    distances = [np.abs(fastnet.softmax(z, c) - [0, 0.5, 0, 0.5, 0]).max() for c in (1, 10, 100)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-4
    for c in (1e5, 1e300):
        assert fastnet.softmax(z, c).tolist() == [0, 0.5, 0, 0.5, 0]


def test_softmax_is_stable_for_any_finite_input():
    assert fastnet.softmax([1e308, -1e308, 0.0]).tolist() == [1, 0, 0]
    assert fastnet.softmax(np.float32([3e38, -3e38])).tolist() == [1, 0]
    assert fastnet.softmax([0.0, -1e3], 1e308).tolist() == [1, 0]


# ---- the single neuron that learns to answer 1 with 0 ----------------------

STARTS = [(0.6, 0.9), (2.0, 2.0)]


def learn(start, cost, eta, dtype, epochs=300):
    """(outputs, costs, |dC/dw|) before each epoch, and after the last."""
    net, data = Network([1, 1], cost, dtype=dtype), (np.ones((1, 1)), np.zeros((1, 1)))
    net.weights, net.biases = [[[start[0]]]], [[[start[1]]]]
    outputs, costs, slopes = [], [], []
    for epoch in range(epochs + 1):
        outputs.append(net.feedforward([1.0]).item())
        costs.append(net.total_cost(data, 0.0))
        slopes.append(abs(net.backprop([1.0], [0.0])[1][0].item()))
        if epoch < epochs:
            net.SGD(data, 1, 1, eta, verbose=False)
    return np.array(outputs), np.array(costs), np.array(slopes)


def test_from_a_good_start_the_quadratic_cost_leads_from_0_82_to_0_09(dtype, isa):
    outputs, costs, _ = learn(STARTS[0], QuadraticCost, 0.15, dtype)
    assert round(outputs[0], 2) == 0.82
    assert round(outputs[-1], 2) == 0.09
    assert (np.diff(costs) < 0).all()


def test_from_a_bad_start_the_quadratic_cost_hardly_moves_for_150_epochs(dtype, isa):
    outputs, costs, slopes = learn(STARTS[1], QuadraticCost, 0.15, dtype)
    assert round(outputs[0], 2) == 0.98
    assert outputs[0] - outputs[150] < 0.05
    assert outputs[150] - outputs[-1] > 0.7
    assert slopes[:100].max() < slopes.max() / 4
    assert np.argmax(-np.diff(costs)) > 150


@pytest.mark.parametrize("start", STARTS)
def test_with_the_cross_entropy_learning_is_fastest_at_the_first_epoch(start, dtype, isa):
    outputs, costs, slopes = learn(start, CrossEntropyCost, 0.005, dtype)
    assert outputs[-1] < outputs[0] - 0.1
    assert (np.diff(slopes) < 0).all()
    falls = -np.diff(costs)
    assert (falls > 0).all()
    assert falls.argmax() == 0
