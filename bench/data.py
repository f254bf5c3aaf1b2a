"""Problems to train on: the bundled digits, and random examples of any size and density."""

from functools import cache
from itertools import pairwise

import numpy as np
from peers.base import Examples, Problem

import fastnet

# A job's technique as arguments of `Network.SGD`.
TECHNIQUES = {
    "": {},
    "L2": {"lmbda": 5.0},
    "dropout": {"dropout": 0.2},
    "momentum": {"optimizer": fastnet.Momentum(0.9)},
    "Adam": {"optimizer": fastnet.Adam()},
}


@cache
def digits(n=None, dtype="float32"):
    """The bundled digits, the first n of the training set: `(training, test)`, read once."""
    training, _, test = fastnet.load_mnist()
    return Examples(training[:n], 10, dtype), Examples(test, 10, dtype)


def initial_parameters(sizes, dtype, large_weights, seed=1):
    """`(weights, biases)` from N(0, 1), unless `large_weights` divided by sqrt(n_in)."""
    generator = np.random.default_rng(seed)
    weights, biases = [], []
    for n_in, n_out in pairwise(sizes):
        scale = 1 if large_weights else np.sqrt(n_in)
        weights.append((generator.standard_normal((n_out, n_in)) / scale).astype(dtype))
        biases.append(generator.standard_normal((n_out, 1)).astype(dtype))
    return weights, biases


def random_inputs(n, n_in, density, dtype, seed=5):
    """(n, n_in) numbers from 0 to 1, of which the share `density` is other than zero."""
    generator = np.random.default_rng(seed)
    inputs = generator.random((n, n_in), np.float32)
    if density < 1:
        inputs[generator.random((n, n_in), np.float32) >= density] = 0
    return inputs.astype(dtype, copy=False)


def random_labels(inputs, n_out, seed=6):
    """Labels computed from the inputs by a random layer of weights, so that they can be learned."""
    weights = np.random.default_rng(seed).standard_normal((inputs.shape[1], n_out))
    z = (inputs - inputs.mean(axis=0)) @ weights.astype(inputs.dtype)
    return z.argmax(axis=1)


def random_examples(n, n_in, n_out, density=1.0, dtype="float32"):
    """Random `Examples` as `random_inputs` and `random_labels` make them."""
    inputs = random_inputs(n, n_in, density, dtype)
    dataset = fastnet.Dataset(inputs, random_labels(inputs, n_out))
    return Examples(dataset, n_out, dtype)


def problem(job):
    """The `Problem` of a job of jobs.py."""
    sizes = list(job.sizes)
    if job.data == "digits":
        training, test = digits(job.examples, job.dtype)
    else:
        training = random_examples(job.examples, sizes[0], sizes[-1], dtype=job.dtype)
        test = training.first(1000)
    weights, biases = initial_parameters(sizes, job.dtype, job.large_weights)
    return Problem(
        sizes, weights, biases, training, test, job.m, job.eta, technique=TECHNIQUES[job.technique]
    )
