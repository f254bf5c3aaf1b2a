"""Measure the expected values of tests/test_mnist_accuracy.py, and print them as JSON.

    python tools/measure_accuracy.py > tests/mnist_accuracy.json

The book's four experiments on MNIST over 40 seeds: the best of 30 epochs' counts of correct test
images, with large initial weights and mini-batches of 10; "book" is the book's figure. Takes some
minutes.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import fastnet

SEEDS = range(40)
EXPERIMENTS = (
    {"hidden": 30, "cost": "cross-entropy", "eta": 0.5, "book": 9549},
    {"hidden": 100, "cost": "cross-entropy", "eta": 0.5, "book": 9682},
    {"hidden": 30, "cost": "quadratic", "eta": 3.0, "book": 9542},
    {"hidden": 100, "cost": "quadratic", "eta": 3.0, "book": 9659},
)


def best_epoch(training, test, hidden, cost, eta, seed):
    """The largest number of correct test images after any of 30 epochs."""
    net = fastnet.Network([784, hidden, 10], cost, seed=seed)
    net.large_weight_initializer()
    history = net.SGD(
        training,
        30,
        10,
        eta,
        evaluation_data=test,
        monitor_evaluation_accuracy=True,
        verbose=False,
    )
    return max(history.evaluation_accuracy)


if __name__ == "__main__":
    training, _, test = fastnet.load_mnist()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for experiment in EXPERIMENTS:
            job = [experiment[key] for key in ("hidden", "cost", "eta")]
            counts = pool.map(lambda seed, job=job: best_epoch(training, test, *job, seed), SEEDS)
            experiment["best"] = list(counts)
            if not min(experiment["best"]) <= experiment["book"] <= max(experiment["best"]):
                sys.exit(f"the book's figure is outside the measured spread: {experiment}")
    lines = ",\n".join(json.dumps(experiment) for experiment in EXPERIMENTS)
    print(f"[\n{lines}\n]")
