"""Scripts written for the book, with no more than their two imports changed."""

import re
import subprocess
import sys

import numpy as np
import pytest

import fastnet
import fastnet as network2
from fastnet import mnist_loader

# The book's scripts name no seed. One epoch leaves 9117 of 10,000 right in the mean of 60 such
# networks, with a standard deviation of 56 (8963 the worst); an untrained one has some 1000.
A_TRAINED_NETWORK = 8500


@pytest.fixture(scope="module")
def book_data():
    return mnist_loader.load_data_wrapper()


def test_the_texts_experiment_runs_as_it_is_written(book_data, capsys):
    training_data, validation_data, test_data = book_data
    net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost)
    net.large_weight_initializer()
    net.SGD(training_data, 1, 10, 0.5, evaluation_data=test_data, monitor_evaluation_accuracy=True)
    out = capsys.readouterr().out
    assert f"Accuracy on evaluation data: {net.accuracy(test_data)} / 10000" in out
    assert net.accuracy(test_data) > A_TRAINED_NETWORK
    assert net.accuracy(validation_data) > A_TRAINED_NETWORK


def test_all_that_can_be_monitored_is_returned_in_the_books_order(book_data):
    training_data, validation_data, _ = book_data
    net = network2.Network([784, 30, 10], cost=network2.QuadraticCost)
    evaluation_cost, evaluation_accuracy, training_cost, training_accuracy = net.SGD(
        training_data[:1000], 2, 10, 3.0, lmbda=0.1, evaluation_data=validation_data[:100],
        monitor_evaluation_cost=True, monitor_evaluation_accuracy=True,
        monitor_training_cost=True, monitor_training_accuracy=True,
    )  # fmt: skip
    assert evaluation_accuracy[-1] == net.accuracy(validation_data[:100])
    assert training_accuracy[-1] == net.accuracy(training_data[:1000], convert=True)
    assert evaluation_cost[-1] == net.total_cost(validation_data[:100], 0.1, convert=True)
    assert training_cost[-1] == net.total_cost(training_data[:1000], 0.1)
    assert training_cost[1] < training_cost[0]


def test_sgd_takes_all_its_arguments_by_position_as_in_the_book(book_data):
    training_data, _, test_data = book_data
    net = network2.Network([784, 10], cost=network2.CrossEntropyCost)
    few = training_data[:200]
    history = net.SGD(few, 1, 10, 0.5, 5.0, test_data[:50], True, False, False, True)
    assert [len(figures) for figures in history] == [1, 0, 0, 1]


def test_the_books_digits_and_the_bundled_ones_train_the_same_network(book_data, mnist):
    nets = [network2.Network([784, 30, 10], seed=1) for _ in range(2)]
    for net, data in zip(nets, (book_data, mnist), strict=True):
        net.SGD(data[0], 1, 10, 0.5, 5.0, data[1], True, True, verbose=False)
    assert nets[0] == nets[1]
    assert nets[0].accuracy(book_data[2]) == nets[1].accuracy(mnist[2])


def test_a_network_is_saved_and_loaded_as_in_the_book(book_data, tmp_path):
    net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost)
    net.SGD(book_data[0][:500], 1, 10, 0.5)
    net.save(str(tmp_path / "net"))
    again = network2.load(str(tmp_path / "net"))
    assert again.accuracy(book_data[2]) == net.accuracy(book_data[2])


def test_the_parts_of_a_network_are_used_as_in_the_book(book_data):
    net = network2.Network([784, 30, 10])
    assert (net.num_layers, net.sizes) == (3, [784, 30, 10])
    net.default_weight_initializer()
    x, y = book_data[0][0]
    output = net.feedforward(x)
    assert output.shape == (10, 1)
    activation, zs = x, []
    for b, w in zip(net.biases, net.weights, strict=True):
        zs.append(np.dot(w, activation) + b)
        activation = network2.sigmoid(zs[-1])
    np.testing.assert_allclose(output, activation, rtol=1e-5)
    delta = net.cost.delta(zs[-1], activation, y)
    delta_nabla_b, delta_nabla_w = net.backprop(x, y)
    np.testing.assert_allclose(delta_nabla_b[-1], delta, rtol=1e-5, atol=1e-6)
    outer = np.dot(delta, network2.sigmoid(zs[0]).transpose())
    np.testing.assert_allclose(delta_nabla_w[-1], outer, rtol=1e-4, atol=1e-6)
    below = np.dot(net.weights[-1].transpose(), delta) * network2.sigmoid_prime(zs[0])
    np.testing.assert_allclose(delta_nabla_b[0], below, rtol=1e-4, atol=1e-6)
    assert (net.cost).fn(output, y) == pytest.approx(net.total_cost([(x, y)], 0.0), rel=1e-5)


def test_the_books_own_update_rule_trains_as_sgd_does(book_data):
    mini_batch, eta, lmbda, n = book_data[0][:10], 0.5, 5.0, 1000
    by_hand, net = (network2.Network([784, 30, 10], dtype="float64", seed=1) for _ in range(2))
    nabla_b = [np.zeros(b.shape) for b in by_hand.biases]
    nabla_w = [np.zeros(w.shape) for w in by_hand.weights]
    for x, y in mini_batch:
        delta_nabla_b, delta_nabla_w = by_hand.backprop(x, y)
        nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b, strict=True)]
        nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w, strict=True)]
    by_hand.weights = [
        (1 - eta * (lmbda / n)) * w - (eta / len(mini_batch)) * nw
        for w, nw in zip(by_hand.weights, nabla_w, strict=True)
    ]
    by_hand.biases = [
        b - (eta / len(mini_batch)) * nb for b, nb in zip(by_hand.biases, nabla_b, strict=True)
    ]
    net.update_mini_batch(mini_batch, eta, lmbda, n)
    for array, expected in zip(net.weights, by_hand.weights, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-14)


def test_the_books_helper_functions_are_there():
    e = network2.vectorized_result(7)
    assert e.shape == (10, 1)
    assert (e.argmax(), e.sum()) == (7, 1)
    assert network2.sigmoid(0.0) == 0.5
    assert network2.sigmoid_prime(np.zeros((3, 1))).tolist() == [[0.25]] * 3


def test_a_script_of_the_book_runs_as_a_process_of_its_own(tmp_path):
    script = """\
import mnist_loader
training_data, validation_data, test_data = mnist_loader.load_data_wrapper()
import network2
net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost)
net.large_weight_initializer()
net.SGD(training_data, 2, 10, 0.5, evaluation_data=test_data, monitor_evaluation_accuracy=True)
"""
    script = script.replace("import mnist_loader", "from fastnet import mnist_loader")
    script = script.replace("import network2", "import fastnet as network2")
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    of_an_epoch = r"^Epoch [12] / 2  Accuracy on evaluation data: (\d+) / 10000$"
    found = re.findall(of_an_epoch, ended.stdout, re.MULTILINE)
    assert len(found) == 2
    assert min(map(int, found)) > A_TRAINED_NETWORK


def test_the_loader_is_there_once_fastnet_is_imported(tmp_path):
    script = "import fastnet; fastnet.mnist_loader.load_data"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_session_of_the_front_page_runs(capsys):
    training, validation, test = fastnet.load_mnist()
    net = fastnet.Network([784, 30, 10], cost=fastnet.CrossEntropyCost, seed=1)
    net.large_weight_initializer()
    history = net.SGD(training, 2, 10, 0.5, evaluation_data=test, monitor_evaluation_accuracy=True)
    assert len(validation) == len(test) == 10_000
    assert len(history.evaluation_accuracy) == 2
    assert net.accuracy(test) == history.evaluation_accuracy[-1] > 9000
    assert 0 < net.total_cost(test, 0.0) < 1
    assert net.feedforward(test[:5]).shape == (5, 10)
    assert capsys.readouterr().out.count("\n") == 2
