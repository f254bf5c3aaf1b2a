"""Overfitting on few images, with and without regularization (chapter 3 of the book).

    python examples/overfitting.py                          # lmbda 0 and 0.1, 400 epochs, 15 s
    python examples/overfitting.py --lmbda 0 5 --size 50000 --epochs 30

The costs and accuracies of all epochs are saved in overfitting.json and plotted in overfitting.png.

The script is written for the book's network2.py, with which it also runs if the imports are changed
to ``import network2, mnist_loader``.
"""

import argparse
import json
import random

import numpy as np

import fastnet as network2
from fastnet import mnist_loader


def train(training_data, test_data, num_epochs, lmbda):
    """The costs and counts of each epoch, on the test data and on the training data."""
    random.seed(12345678)  # network2.py shuffles with it
    np.random.seed(12345678)  # noqa: NPY002  # as the book does
    net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost())
    net.large_weight_initializer()
    test_cost, test_accuracy, training_cost, training_accuracy = net.SGD(
        training_data, num_epochs, 10, 0.5, evaluation_data=test_data, lmbda=lmbda,
        monitor_evaluation_cost=True, monitor_evaluation_accuracy=True,
        monitor_training_cost=True, monitor_training_accuracy=True,
    )  # fmt: skip
    return {
        "lmbda": lmbda,
        "test_cost": test_cost,
        "test_accuracy": [100 * count / len(test_data) for count in test_accuracy],
        "training_cost": training_cost,
        "training_accuracy": [100 * count / len(training_data) for count in training_accuracy],
    }


def draw(results, file):
    """Costs above, accuracies below; one line for each lmbda and data set."""
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        print(f'{file} is not drawn, since matplotlib is missing: pip install "matplotlib>=3.8"')
        return
    fig, axes = plt.subplots(2, 1, sharex=True, layout="constrained")
    for ax, figure in zip(axes, ("cost", "accuracy"), strict=True):
        for result in results:
            for data, style in (("training", "--"), ("test", "-")):
                values = result[f"{data}_{figure}"]
                label = f"{data} data, λ = {result['lmbda']:g}"
                ax.plot(range(1, len(values) + 1), values, style, label=label)
        ax.grid(True)
    axes[0].set_ylabel("Cost")
    axes[1].set_ylabel("Accuracy (%)")
    axes[1].set_xlabel("Epoch")
    axes[1].legend()
    fig.savefig(file)
    plt.close(fig)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Train [784, 30, 10] on few images, many epochs.")
    add = parser.add_argument
    add("--epochs", type=int, default=400, help="(default: 400)")
    add("--size", type=int, default=1000, help="number of training images (default: 1000)")
    add("--lmbda", type=float, nargs="+", default=[0.0, 0.1], help="(default: 0 0.1)")
    add("--file", default="overfitting.json", help="for the figures (default: overfitting.json)")
    add("--picture", default="overfitting.png", help="(default: overfitting.png)")
    args = parser.parse_args(arguments)

    training_data, _, test_data = mnist_loader.load_data_wrapper()
    results = []
    for lmbda in args.lmbda:
        print(f"lmbda {lmbda:g}, {args.size} training images")
        results.append(train(training_data[: args.size], test_data, args.epochs, lmbda))
    with open(args.file, "w", encoding="utf-8") as f:
        json.dump(results, f)
    draw(results, args.picture)
    for result in results:
        best = max(result["test_accuracy"])
        print(
            f"lmbda {result['lmbda']:g}: best test accuracy {best:.2f} % in epoch "
            f"{result['test_accuracy'].index(best) + 1}, lowest test cost in epoch "
            f"{result['test_cost'].index(min(result['test_cost'])) + 1}"
        )


if __name__ == "__main__":
    main()
