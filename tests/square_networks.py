"""Small networks whose parameters are compared, and data that they train on."""

import numpy as np

import fastnet
from fastnet import Network

X = np.random.default_rng(1).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)
DATA = fastnet.Dataset(X, Y)


def square(**more):
    """A network whose layers all have one shape, so that they can be exchanged."""
    return Network([3, 3, 3], dtype="float64", seed=1, **more)


def train(net, epochs=1, **more):
    return net.SGD(DATA, epochs, 10, 0.5, verbose=False, **more)


def contents(net):
    return [np.array(a) for a in (*net.weights, *net.biases)]


def assert_same(arrays, expected):
    for array, one in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, one)
