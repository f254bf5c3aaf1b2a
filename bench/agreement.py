"""Checks that the timed code gives the same results as the NumPy reference."""

import numpy as np
from peers import numpy_reference

TOLERANCE = {"float32": 1e-3, "float64": 1e-9}  # of parameters, after twenty mini-batches


def assert_close(actual, expected, tolerance):
    """Every element within `tolerance` times the largest absolute value expected."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)


def assert_same_parameters(actual, expected, tolerance):
    """Two pairs `(weights, biases)` agree, array by array."""
    for actual_arrays, expected_arrays in zip(actual, expected, strict=True):
        for a, b in zip(actual_arrays, expected_arrays, strict=True):
            assert_close(a, b, tolerance)


def assert_trains_like_reference(problem, implementation, mini_batches=20):
    """With the same examples in the same order, a peer and the reference train the same network.

    A part of the training set is enough; a peer whose order is unknown cannot be compared in this
    way; its accuracy is checked instead.
    """
    m = problem.mini_batch_size
    short = problem.first(min(len(problem.training), mini_batches * m))
    peer = implementation(short)
    order = peer.next_order()
    if order is None:
        return
    key = peer.next_key()
    reference = numpy_reference.Peer(short)
    peer.epoch()
    before = reference.parameters()[0][-1].copy()
    reference.train(order, key)
    trained = reference.parameters()
    assert (trained[0][-1] != before).any()
    assert_same_parameters(peer.parameters(), trained, TOLERANCE[problem.dtype.name])
