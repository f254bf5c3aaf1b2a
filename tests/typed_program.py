"""A program of a user's, for mypy: what the package says of its types (``make lint``)."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import fastnet


class Halved:
    """A cost of the user's own, whose object is taken as its class is."""

    @staticmethod
    def fn(a: NDArray, y: NDArray) -> float:
        return float(np.square(a - y).sum()) / 2

    @staticmethod
    def delta(z: NDArray, a: NDArray, y: NDArray) -> NDArray:
        error: NDArray = (a - y) * fastnet.sigmoid_prime(z)
        return error


training, validation, test = fastnet.load_mnist()
assert_type(training[:10], fastnet.Dataset)
assert_type(training[[3, 1]], fastnet.Dataset)
assert_type(training[0], tuple[NDArray, int | NDArray])
for x, _ in validation:
    assert_type(x, NDArray)

net = fastnet.Network([784, 30, 10], cost=Halved, seed=1)
fastnet.Network([784, 30, 10], cost=Halved())
assert_type(net.weights[0], NDArray[Any])
assert_type(len(net.weights[1:]), int)
history = net.SGD(training, 1, 10, 0.5, evaluation_data=test, monitor_evaluation_accuracy=True)
assert_type(history.evaluation_accuracy, list[int])
assert_type(net.feedforward(test[:5]), NDArray)
inputs = fastnet.Standardize.fit({"age": [30, 40], "height": [1.7, 1.6]})
named = fastnet.Network([2, 2], inputs=inputs, classes=["no", "yes"], features=["age", "height"])
named.SGD(({"age": [30, 40], "height": [1.7, 1.6]}, ["no", "yes"]), 1, 1, 0.5)
assert_type(named.predict_labels({"age": 30, "height": 1.7}), NDArray)
assert_type(named.predictor()({"age": 30, "height": 1.7}), NDArray)
table, rows, held_out = fastnet.Table.split("people.csv", "vote", validation_fraction=0.1)
assert_type(table, fastnet.Table)
assert_type(table.dataset([{"age": 30, "vote": "no"}]), fastnet.Dataset)
of_table = fastnet.Network(table.sizes(10), inputs=table)
of_table.SGD(rows, 1, 10, 0.5, evaluation_data="people.csv")
of_table.SGD({"age": [30], "vote": ["no"]}, 1, 10, 0.5)
assert_type(of_table.accuracy([{"age": 30, "vote": "no"}]), int)
assert_type(of_table.predict_labels("people.csv"), NDArray)
fit = fastnet.fit_table("people.csv", "vote", verbose=2, drop=["name"])
assert_type(fit.net, fastnet.Network)
assert_type(fit.history, fastnet.History)
fastnet.plots.training(history)
fastnet.fit_many([dict(sizes=[784, 10], epochs=1, mini_batch_size=10, eta=0.5)], training)
