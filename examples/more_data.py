"""Accuracy against the number of training images: an experiment of the book's chapter 3.

    python examples/more_data.py            # 100 to 50,000 images, half a minute
    python examples/more_data.py --sizes 100 1000 --examples 20000

Each network sees the same number of examples in total, so smaller sets are trained for more epochs.
The regularization parameter is proportional to the size of the set. The accuracies are saved in
more_data.json and plotted in more_data.png. The book's support vector machine is left out.

The script is written for the book's network2.py, with which it also runs if the imports are changed
to ``import network2, mnist_loader``.
"""

import argparse
import json
import random

import numpy as np

import fastnet as network2
from fastnet import mnist_loader

SIZES = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]


def accuracies(sizes, examples, training_data, validation_data):
    """The validation accuracy in per cent after a training on each number of images."""
    random.seed(12345678)  # network2.py shuffles with it
    np.random.seed(12345678)  # noqa: NPY002  # as the book does
    net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost())
    found = []
    for size in sizes:
        net.large_weight_initializer()
        net.SGD(training_data[:size], examples // size, 10, 0.5, lmbda=size * 0.0001)
        found.append(100 * net.accuracy(validation_data) / len(validation_data))
        print(f"{size} training images: {found[-1]:.2f} % of the validation images are correct")
    return found


def draw(sizes, found, file):
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        print(f'{file} is not drawn, since matplotlib is missing: pip install "matplotlib>=3.8"')
        return
    fig, ax = plt.subplots(layout="constrained")
    ax.plot(sizes, found, "o-")
    ax.set_xscale("log")
    ax.set_xlabel("Training images")
    ax.set_ylabel("Accuracy on the validation data (%)")
    ax.grid(True)
    fig.savefig(file)
    plt.close(fig)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Train [784, 30, 10] on more and more images.")
    add = parser.add_argument
    add("--sizes", type=int, nargs="+", default=SIZES, help="(default: 100 to 50,000)")
    add("--examples", type=int, default=1_500_000,
        help="seen in each training: images times epochs (default: 1,500,000)")  # fmt: skip
    add("--file", default="more_data.json", help="for the accuracies (default: more_data.json)")
    add("--picture", default="more_data.png", help="(default: more_data.png)")
    args = parser.parse_args(arguments)

    training_data, validation_data, _ = mnist_loader.load_data_wrapper()
    found = accuracies(args.sizes, args.examples, training_data, validation_data)
    with open(args.file, "w", encoding="utf-8") as f:
        json.dump(found, f)
    draw(args.sizes, found, args.picture)


if __name__ == "__main__":
    main()
