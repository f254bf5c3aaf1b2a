"""Network: training, monitoring, and the figures that say how well it goes."""

import inspect
import pydoc
import re

import numpy as np
import pytest

import fastnet
from fastnet import Network
from fastnet.nn import costs

PAIRS = [(output, cost.name) for cost in costs.COSTS for output in cost.errors]


def digits(n=25, n_in=4, n_out=3):
    random = np.random.default_rng(5)
    return random.random((n, n_in)), random.integers(n_out, size=n)


def plain_cost(net, X, y):
    """Mean cost by the formula of the class, which test_costs.py checks; y (n, n_out)."""
    return net.cost.fn(net.feedforward(X).T, y.T) / len(X)


# ---- accuracy


def readout(n):
    """A network that answers with its input."""
    net = Network([n, n], "quadratic", output="linear")
    net.weights[0], net.biases[0] = np.eye(n), np.zeros((n, 1))
    return net


@pytest.mark.parametrize("convert", [False, True])
def test_accuracy_counts_the_examples_whose_largest_output_is_at_the_target(convert):
    X = np.array([[0.9, 0.1, 0.0], [0.1, 0.2, 0.3], [0.5, 0.7, 0.6], [-3, -2, -1]])
    labels, targets = np.array([0, 1, 1, 0]), np.array([[3, 1, 2], [0, 0, 1], [0, 1, 0], [9, 8, 7]])
    net = readout(3)
    assert net.accuracy((X, labels), convert) == 2
    net = Network([3, 3], "quadratic")  # sigmoid outputs, which take any targets
    net.weights[0], net.biases[0] = np.eye(3), np.zeros((3, 1))
    assert net.accuracy((X, targets * 1.0), convert=convert) == 3
    assert type(net.accuracy((X, labels))) is int


def test_of_equal_outputs_the_first_counts():
    assert readout(3).accuracy((np.ones((3, 3)), [0, 1, 2])) == 1


@pytest.mark.parametrize("y", [[0, 1, 1, 0], [[0.0], [1.0], [1.0], [0.0]], [[0], [1], [1], [0]]])
def test_one_output_neuron_stands_for_1_from_a_half_on(y):
    net = readout(1)
    X = np.array([[0.4], [0.5], [0.6], [0.7]])
    assert net.accuracy((X, y)) == 3
    assert net.accuracy((X[:1], y[:1])) == 1
    assert net.accuracy((X[:1], y[1:2])) == 0


# ---- cost


@pytest.mark.parametrize(("output", "cost"), PAIRS)
@pytest.mark.parametrize("lmbda", [0.0, 0.7])
def test_total_cost_is_the_mean_cost_and_the_weights_squares(output, cost, lmbda):
    net = Network([4, 5, 3], cost, output=output, dtype="float64", seed=1)
    X, labels = digits(n=70)
    y = np.eye(3)[labels]
    squares = sum(np.sum(w**2) for w in net.weights)
    expected = plain_cost(net, X, y) + lmbda / 70 / 2 * squares
    for targets in (labels, y, y.astype(np.float32)):
        cost = net.total_cost((X, targets), lmbda)
        assert type(cost) is float
        assert cost == pytest.approx(expected, rel=1e-13)
    assert net.total_cost((X, y), lmbda, convert=True) == cost
    assert net.total_cost((X, y), lmbda=lmbda) == cost


def test_targets_between_0_and_1_have_a_cross_entropy():
    net = Network([4, 3], dtype="float64", seed=1)
    X, y = digits()[0], np.random.default_rng(2).random((25, 3))
    assert net.total_cost((X, y), 0.0) == pytest.approx(plain_cost(net, X, y), rel=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_cost_of_a_neuron_that_is_certain_and_wrong_is_finite(dtype):
    net = Network([1, 1], dtype=dtype)
    net.weights[0], net.biases[0] = [[1000.0]], [[0.0]]
    assert net.feedforward([1.0]) == 1.0
    assert net.total_cost(([[1.0]], [0]), 0.0) == 1000.0
    assert net.total_cost(([[1.0]], [1]), 0.0) == 0.0


# ---- gradient and one step


def test_backprop_gives_the_equations_of_one_layer_in_the_books_shapes():
    net = Network([4, 3], dtype="float64", seed=1)
    x, label = digits()[0][0], 2
    a = net.feedforward(x)[:, None]
    delta = a - np.eye(3)[:, [label]]
    for y in (label, np.eye(3)[label], np.eye(3)[:, [label]], np.int64(label)):
        for column in (x, x[:, None], x.tolist()):
            nabla_b, nabla_w = net.backprop(column, y)
            assert isinstance(nabla_b, list)
            np.testing.assert_allclose(nabla_b[0], delta, rtol=1e-13)
            np.testing.assert_allclose(nabla_w[0], delta @ x[None], rtol=1e-13)


def test_backprop_gives_a_gradient_of_each_layer_and_changes_nothing():
    net, twin = (Network([4, 6, 5, 3], "quadratic", seed=1) for _ in range(2))
    nabla_b, nabla_w = net.backprop(digits()[0][0], 1)
    assert [n.shape for n in nabla_b] == [b.shape for b in net.biases]
    assert [n.shape for n in nabla_w] == [w.shape for w in net.weights]
    assert all(np.abs(n).max() > 0 for n in nabla_b + nabla_w)
    assert net == twin
    nabla_w[0][...] = 7
    assert net == twin


@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_a_mini_batch_moves_the_parameters_by_the_mean_gradient_and_the_decay(output, cost):
    net = Network([4, 5, 3], cost, output=output, dtype="float64", seed=1)
    X, y = digits(n=6)
    eta, lmbda, n = 0.3, 0.2, 50
    gradients = [net.backprop(*pair) for pair in zip(X, y, strict=True)]
    decay = 1 - eta * lmbda / n
    weights = [
        decay * w - eta / 6 * sum(g[1][l] for g in gradients) for l, w in enumerate(net.weights)
    ]
    biases = [b - eta / 6 * sum(g[0][l] for g in gradients) for l, b in enumerate(net.biases)]
    assert net.update_mini_batch(list(zip(X, y, strict=True)), eta, lmbda, n) is None
    for array, expected in zip([*net.weights, *net.biases], weights + biases, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_update_mini_batch_is_the_step_that_sgd_makes(dtype):
    by_sgd, by_hand = (Network([4, 5, 3], dtype=dtype, seed=1) for _ in range(2))
    X, y = digits(n=1)
    by_sgd.SGD((X, y), 3, 10, 0.5, 0.1, verbose=False)
    for _ in range(3):
        by_hand.update_mini_batch((X, y), 0.5, 0.1, 1)
    assert by_sgd == by_hand != Network([4, 5, 3], dtype=dtype, seed=1)


def test_sgd_divides_the_decay_by_the_examples_and_a_smaller_last_batch_by_its_own_size():
    x, y = digits(n=1)
    X, Y = np.repeat(x, 25, axis=0), np.repeat(y, 25)  # equal examples, so any order is the same
    by_sgd, by_hand = (Network([4, 5, 3], dtype="float64", seed=1) for _ in range(2))
    by_sgd.SGD((X, Y), 2, 10, 0.5, 3.0, verbose=False)
    for size in (10, 10, 5) * 2:
        by_hand.update_mini_batch((X[:size], Y[:size]), 0.5, 3.0, 25)
    for array, expected in zip(by_sgd.weights, by_hand.weights, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-13)


def test_a_mini_batch_larger_than_the_data_is_all_of_it():
    nets = [Network([4, 5, 3], dtype="float64", seed=1) for _ in range(3)]
    for net, size in zip(nets, (25, 26, 10**30), strict=True):
        net.SGD(digits(), 2, size, 0.5, verbose=False)
    assert nets[0] == nets[1] == nets[2]


def test_the_order_of_the_examples_is_fresh_in_each_epoch_and_each_run():
    X, y = digits()
    two_epochs, two_runs, in_order = (Network([4, 3], seed=1) for _ in range(3))
    two_epochs.SGD((X, y), 2, 1, 0.5, verbose=False)
    for _ in range(2):
        two_runs.SGD((X, y), 1, 1, 0.5, verbose=False)
    assert two_epochs == two_runs  # the stream goes on from run to run
    for _ in range(2):
        for pair in zip(X, y, strict=True):
            in_order.update_mini_batch([pair], 0.5, 0.0, 25)
    assert two_epochs != in_order  # not the order of the data


# ---- history and monitoring


def test_the_history_is_a_named_tuple_of_one_figure_per_epoch():
    training, test = digits(), digits(n=9)
    net = Network([4, 5, 3], dtype="float64", seed=1)
    history = net.SGD(training, 3, 10, 0.5, 0.1, test, True, True, True, True, verbose=False)
    evaluation_cost, evaluation_accuracy, training_cost, training_accuracy = history
    assert isinstance(history, fastnet.History)
    assert history.evaluation_cost is evaluation_cost
    assert history.evaluation_accuracy is evaluation_accuracy
    assert history.training_cost is training_cost
    assert history.training_accuracy is training_accuracy
    assert [len(figures) for figures in history] == [3] * 4
    assert len(set(training_cost)) == 3
    assert evaluation_cost[-1] == net.total_cost(test, 0.1)
    assert evaluation_accuracy[-1] == net.accuracy(test)
    assert training_cost[-1] == net.total_cost(training, 0.1)
    assert training_accuracy[-1] == net.accuracy(training)


@pytest.mark.parametrize("flag", fastnet.History._fields)
def test_what_is_not_monitored_has_an_empty_list(flag):
    net = Network([4, 3], seed=1)
    flags = {f"monitor_{flag}": True}
    history = net.SGD(digits(), 2, 10, 0.5, evaluation_data=digits(), verbose=False, **flags)
    assert {name: len(list_) for name, list_ in history._asdict().items() if list_} == {flag: 2}


def test_monitoring_does_not_change_training():
    watched, alone = Network([4, 3], seed=1), Network([4, 3], seed=1)
    watched.SGD(digits(), 3, 10, 0.5, 0.1, digits(n=9), True, True, True, True, verbose=False)
    alone.SGD(digits(), 3, 10, 0.5, 0.1, verbose=False)
    assert watched == alone


def test_no_epochs_change_nothing():
    net, twin = Network([4, 3], seed=1), Network([4, 3], seed=1)
    history = net.SGD(digits(), 0, 10, 0.5, monitor_training_cost=True)
    assert history == ([], [], [], [])
    assert net == twin
    for each in (net, twin):
        each.SGD(digits(), 1, 10, 0.5, verbose=False)
    assert net == twin


def test_a_line_is_printed_per_epoch_with_what_is_monitored(capsys):
    net = Network([4, 3], seed=1)
    history = net.SGD(digits(), 10, 10, 0.5, 0.1, digits(n=9), True, True, True, True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    for epoch, line in enumerate(lines):
        assert re.match(rf"Epoch +{epoch + 1} / 10 ", line)
        assert f"Accuracy on evaluation data: {history.evaluation_accuracy[epoch]} / 9" in line
        assert f"Accuracy on training data: {history.training_accuracy[epoch]} / 25" in line
        for name in ("evaluation", "training"):
            printed = float(re.search(rf"Cost on {name} data: (\S+)", line)[1])
            assert printed == pytest.approx(getattr(history, f"{name}_cost")[epoch], rel=1e-5)


def test_without_monitoring_the_epochs_are_counted(capsys):
    Network([4, 3]).SGD(digits(), 2, 10, 0.5)
    assert capsys.readouterr().out.split("\n") == ["Epoch 1 / 2", "Epoch 2 / 2", ""]


def test_nothing_is_printed_when_verbose_is_false(capsys):
    Network([4, 3]).SGD(digits(), 2, 10, 0.5, monitor_training_cost=True, verbose=False)
    assert capsys.readouterr() == ("", "")


# ---- help


def test_help_on_sgd_explains_every_parameter_its_default_and_what_is_returned():
    text = pydoc.plain(pydoc.render_doc(fastnet.Network.SGD))
    for name, parameter in inspect.signature(fastnet.Network.SGD).parameters.items():
        if name == "self":
            continue
        entry = re.search(rf"^ *{name} : (.+)\n +\S+", text, re.MULTILINE)
        assert entry, f"{name} is not explained"
        if parameter.default not in (inspect.Parameter.empty, None):
            assert f"default {parameter.default}" in entry[1]
    for word in ("Returns", "History", "Raises", "DivergenceError", *fastnet.History._fields):
        assert word in text


@pytest.mark.parametrize(
    "function",
    [
        fastnet.Network, Network.feedforward, Network.accuracy, Network.total_cost,
        Network.backprop, Network.update_mini_batch, Network.save, fastnet.load, fastnet.Dataset,
        fastnet.read_idx, fastnet.sigmoid, fastnet.softmax, fastnet.vectorized_result,
    ],
)  # fmt: skip
def test_every_public_function_explains_its_parameters_by_name(function):
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    assert names
    for name in names:
        assert re.search(rf"\b{name}\b", function.__doc__), f"{name} is not explained"
