"""Trainings of small networks on sparse random data, and what is traced of them."""

import numpy as np

import fastnet


def summaries(capfd):
    """The first line of each plan that was traced."""
    return [line for line in capfd.readouterr().err.splitlines() if line.startswith("fastnet: ")]


def examples(n, sizes, inputs, seed=0):
    random = np.random.default_rng(seed)
    X = random.integers(1, 256, (n, sizes[0]))
    X[random.random(X.shape) < 0.8] = 0
    X = X.astype(inputs)
    return X, random.integers(0, sizes[-1], n)


def trained(sizes, data, *, n_threads, m=20, dtype="float32", **options):
    net = fastnet.Network(sizes, dtype=dtype, seed=1, n_threads=n_threads, **options)
    net.SGD(data, 2, m, 0.5, lmbda=0.1, verbose=False)
    return net
