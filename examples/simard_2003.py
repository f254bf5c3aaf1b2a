"""Training on MNIST without distortions, and with new distortions in every epoch.

    python examples/simard_2003.py elastic --epochs 100
    python examples/simard_2003.py all --epochs 20

After P. Y. Simard, D. Steinkraus and J. C. Platt, "Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis" (ICDAR 2003), whose network of 800 hidden
neurons has a test error of 1.6 %, with affine distortions 1.1 %, with elastic ones 0.7 %.
docs/simard_2003.md has the results of this script.
"""

import argparse
import time

import numpy as np

import fastnet
from fastnet import augment
from fastnet.core import files
from fastnet.io import persistence


def plain(images, seed):
    return images


def affine(images, seed):
    return augment.affine(images, degrees=15, scaling=0.15, shear=0.2, seed=seed)


def elastic(images, seed):
    return augment.elastic(images, alpha=34, sigma=4, seed=seed)


DISTORTIONS = {"plain": plain, "affine": affine, "elastic": elastic}
SHIFT = {"plain": 0, "affine": 1, "elastic": 0}  # pixels by which SGD shifts images at random
EPOCHS = {"plain": 30, "affine": 50, "elastic": 100}
ETA = 0.1  # at the start; it falls to almost 0 along a half cosine


def train(kind, training, test, epochs, seed=1, n_threads=1):
    """Train a network, printing its test error after each epoch, and return it."""
    net = fastnet.Network(
        [784, 800, 10], "log-likelihood", hidden="relu", seed=seed, n_threads=n_threads
    )
    start = time.perf_counter()
    for epoch in range(1, epochs + 1):
        images = DISTORTIONS[kind](training, seed=[seed, epoch])
        eta = fastnet.CosineDecay().rate(ETA, epoch, epochs)
        net.SGD(images, 1, 10, eta, shift=SHIFT[kind], verbose=False)
        error = 100 * (1 - net.accuracy(test) / len(test))
        minutes = (time.perf_counter() - start) / 60
        print(f"{kind}, epoch {epoch} / {epochs}: test error {error:.2f} %, {minutes:.1f} min")
    return net


def load():
    """(training, test): 60,000 images, including fastnet's validation images, and 10,000."""
    training, validation, test = fastnet.load_mnist()
    X = np.concatenate([training.X, validation.X])
    y = np.concatenate([training.y, validation.y])
    return fastnet.Dataset(X, y, training.scale), test


def main():
    parser = argparse.ArgumentParser(description="Train [784, 800, 10] on distorted MNIST digits.")
    add = parser.add_argument
    add("kind", choices=[*DISTORTIONS, "all"], nargs="?", default="all", help="(default: all)")
    add("--epochs", type=int, help="(default: plain 30, affine 50, elastic 100)")
    add("--seed", type=int, default=1, help="(default: 1)")
    add("--threads", type=int, default=1, help="(default: 1)")
    add("--save", metavar="FILE", help="write the network to FILE; with all, the last one")
    args = parser.parse_args()

    if args.save:  # refused now, not after hours
        persistence.check_suffix("--save", args.save)
        files.check_writable(args.save)
    training, test = load()
    for kind in DISTORTIONS if args.kind == "all" else [args.kind]:
        epochs = EPOCHS[kind] if args.epochs is None else args.epochs
        net = train(kind, training, test, epochs, args.seed, args.threads)
        wrong = len(test) - net.accuracy(test)
        print(f"{kind}: {wrong} of {len(test)} test images are misclassified after {epochs} epochs")
    if args.save:
        net.save(args.save)


if __name__ == "__main__":
    main()
