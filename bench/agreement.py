"""Checks that what is timed computes the same thing as the NumPy reference."""

import numpy as np
from peers import numpy_reference

from fastnet import _kernels


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


def assert_kernels_train_like_reference(problem, examples=2000):
    """The same examples in the same order lead the kernels and the reference to one network."""
    reference = numpy_reference.Peer(problem)
    order = problem.generator().permutation(len(problem.training))[:examples]
    reference.train(order)
    dataset = problem.training.dataset
    flat = numpy_reference.flat_parameters(problem.sizes, problem.weights, problem.biases)
    _kernels.train(
        problem.sizes, "sigmoid", "cross-entropy", flat, dataset.X, dataset.scale, dataset.y,
        order, problem.mini_batch_size, problem.eta, 1.0,
    )  # fmt: skip
    trained = numpy_reference.views(problem.sizes, flat)
    assert_same_parameters(trained, reference.parameters(), 1e-3)


def assert_loop_trains_like_reference(problem, loop_peer):
    """The book's loop, begun anew, arrives where the reference does in the same order."""
    loop = loop_peer(problem)
    loop.epoch()
    reference = numpy_reference.Peer(problem)
    reference.train(loop.order)
    assert_same_parameters(loop.parameters(), reference.parameters(), 1e-3)
