"""Measure the expected values of tests/test_mnist_techniques.py, and print them as JSON.

    python tools/measure_regularization.py > tests/mnist_techniques.json

The book's experiments on regularization over some seeds, mini-batches of 10. "all": 50,000
training images, 100 hidden neurons, the default initial weights, L2; the best epoch's count
of correct validation images. "few": the first 1,000 training images, 30 hidden neurons, large
initial weights, eta = 0.5, with and without L2; figures of the curves on the test
images. "book" is the book's figure. Takes some minutes.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import fastnet

ALL = (
    {"eta": 0.5, "lmbda": 5.0, "epochs": 30, "seeds": 12, "book": 9792},
    {"eta": 0.1, "lmbda": 5.0, "epochs": 60, "seeds": 10, "book": 9804},
)
FEW = (
    {"lmbda": 0.0, "seeds": 12, "book": 8227},
    {"lmbda": 0.1, "seeds": 12, "book": 8710},
)


def best_epoch(training, validation, experiment, seed):
    """The largest number of correct validation images after any epoch."""
    net = fastnet.Network([784, 100, 10], seed=seed)
    history = net.SGD(
        training, experiment["epochs"], 10, experiment["eta"], experiment["lmbda"], validation,
        monitor_evaluation_accuracy=True, verbose=False,
    )  # fmt: skip
    return max(history.evaluation_accuracy)


def curves(training, test, lmbda, seed):
    """The history of 400 epochs on 1,000 images; the evaluation cost without L2 only."""
    net = fastnet.Network([784, 30, 10], seed=seed, initializer="large")
    return net.SGD(
        training[:1000], 400, 10, 0.5, lmbda, test, monitor_evaluation_cost=lmbda == 0,
        monitor_evaluation_accuracy=True, monitor_training_accuracy=True, verbose=False,
    )  # fmt: skip


def judged(history):
    """The numbers of a history that the test compares.

    best, late_gain: the largest count on the test images, and by how much that is more than
    the largest of the first 200 epochs; learned: the first epoch in which all 1,000 training
    images are correct; lowest, rise: the epoch of the lowest cost on the test images, and the
    ratio of the last cost to it.
    """
    accuracy, cost = history.evaluation_accuracy, history.evaluation_cost
    found = {
        "best": max(accuracy),
        "late_gain": max(accuracy) - max(accuracy[:200]),
        "learned": history.training_accuracy.index(1000) + 1,
    }
    if cost:
        found |= {"lowest": cost.index(min(cost)) + 1, "rise": round(cost[-1] / min(cost), 3)}
    return found


def check(book, counts, slack):
    """Exit if the book's figure is far from the measured ones."""
    near = min(counts) - slack <= book <= max(counts) + slack
    if len(set(counts)) < 2 or not (near if slack else abs(np.median(counts) - book) <= 20):
        sys.exit(f"the book's figure, {book}, is far from the measured ones: {counts}")


def main():
    training, validation, test = fastnet.load_mnist()

    def best(experiment):
        return lambda seed: best_epoch(training, validation, experiment, seed)

    def judge(experiment):
        return lambda seed: judged(curves(training, test, experiment["lmbda"], seed))

    groups = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, experiments, job in (("all", ALL, best), ("few", FEW, judge)):
            lines = []
            for experiment in experiments:
                found = list(pool.map(job(experiment), range(experiment.pop("seeds"))))
                by_figure = (
                    {"best": found}
                    if job is best
                    else {key: [one[key] for one in found] for key in found[0]}
                )
                check(experiment["book"], by_figure["best"], 0 if job is best else 30)
                lines.append(json.dumps(experiment | by_figure))
            groups.append(f'"{name}": [\n' + ",\n".join(lines) + "\n]")
    print("{\n" + ",\n".join(groups) + "\n}")


if __name__ == "__main__":
    main()
