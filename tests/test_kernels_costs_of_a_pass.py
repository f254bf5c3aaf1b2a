"""The costs that a training pass finds on its way: of each mini-batch, before its step."""

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import reference
from fastnet.core import _kernels
from fastnet.core.steps import StepOptions

rng = np.random.default_rng(0)
X = rng.normal(size=(23, 5)) * (rng.random((23, 5)) < 0.5)
LABELS, TARGETS = rng.integers(0, 2, 23), rng.random((23, 2))
WEIGHTS = rng.random(23) * (rng.random(23) < 0.8)
ORDER = rng.permutation(23)
NETWORKS = {  # sizes, cost, output, y
    "cross-entropy": ([5, 7, 1], "sigmoid", LABELS),
    "log-likelihood": ([5, 7, 3], "softmax", LABELS),
    "log-likelihood of one layer": ([5, 3], "softmax", LABELS),
    "quadratic": ([5, 4, 2], "linear", TARGETS),
    "poisson": ([5, 70, 2], "exponential", TARGETS),
}
MOVES = {
    "plain": {},
    "decay": {"l2": 0.2},
    "momentum": {"optimizer": ("momentum", 0.5), "l2": 0.1},
    "dropout": {"dropout": True, "key": 5},
}


def passed(module, name, dtype, move, m=6, sparse=False, threads=1, **options):
    """(costs, parameters) after a pass."""
    sizes, output, y = NETWORKS[name]
    cost = name.partition(" ")[0]
    net = fastnet.Network(sizes, cost, output=output, dtype=dtype, seed=1)
    options = {**MOVES[move], **options}
    if "optimizer" in options:
        options["moments"] = np.zeros(len(net._model.values), dtype)
    if options.pop("dropout", False):
        options["dropout"] = np.full(len(sizes) - 2, 0.4)
    data = fastnet.Dataset(X, y, sparse=sparse)
    inputs = X if module is reference else data.operand(tuple(sizes), dtype)
    costs = np.full(-(-len(ORDER) // m), np.nan)
    kernel_calls.train(
        (tuple(sizes), output, cost, net._model.values),
        (inputs, 1.0, data.y),
        ORDER,
        m,
        0.1,
        l2=options.pop("l2", 0.0),
        threads=threads,
        kernels=module,
        costs=costs,
        **options,
    )
    return costs, net._model.values.copy()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_those_of_the_reference(name, move, weights, dtype, isa):
    """Activations of up to 70 summands carry 70 roundings into the cost, and five steps them on."""
    expected, _ = passed(reference, name, dtype, move, weights=weights)
    assert np.unique(expected).size == 4
    for sparse in (False, True):
        costs, _ = passed(_kernels, name, dtype, move, sparse=sparse, weights=weights)
        np.testing.assert_allclose(costs, expected, rtol=500 * np.finfo(dtype).eps)


@pytest.mark.parametrize("move", MOVES)
def test_they_do_not_depend_on_threads_and_do_not_change_training(move, dtype, isa):
    alone, values = passed(_kernels, "poisson", dtype, move)
    shared, shared_values = passed(_kernels, "poisson", dtype, move, threads=2)
    np.testing.assert_array_equal(shared, alone)
    np.testing.assert_array_equal(shared_values, values)


def test_they_go_on_where_the_pass_is_polled(dtype):
    _kernels.poll_every(0, 0)
    try:
        polled, _ = passed(_kernels, "quadratic", dtype, "plain", poll=lambda done: None)
    finally:
        _kernels.poll_every()
    np.testing.assert_array_equal(polled, passed(_kernels, "quadratic", dtype, "plain")[0])


def test_of_a_mini_batch_in_pieces_they_are_one_sum(dtype):
    """More than 1024 examples are gathered from pieces."""
    n = 1500
    inputs = np.random.default_rng(1).normal(size=(n, 3))
    net = fastnet.Network([3, 2], "log-likelihood", dtype=dtype, seed=1)
    data, costs = fastnet.Dataset(inputs, np.arange(n) % 2), np.empty(1)
    before = net.total_cost(data, 0.0)
    kernel_calls.train_network(net, data, StepOptions(n), np.arange(n), 0.1, costs)
    np.testing.assert_allclose(costs / n, before, rtol=10 * np.finfo(dtype).eps)


def test_what_does_not_fit_is_refused():
    net = fastnet.Network([5, 2], seed=1)
    data = fastnet.Dataset(X, LABELS)
    with pytest.raises(ValueError, match=r"^costs: expected shape \(4,\), got \(3,\)"):
        kernel_calls.train_network(net, data, StepOptions(6), ORDER, 0.1, np.empty(3))
    costs = np.empty(4, np.float32)
    with pytest.raises(TypeError, match=r"^costs: expected"):
        kernel_calls.train_network(net, data, StepOptions(6), ORDER, 0.1, costs)

    class Own(fastnet.QuadraticCost):
        pass

    own = fastnet.Network([5, 2], Own, seed=1)
    with pytest.raises(ValueError, match=r"^costs: expected None for a custom cost"):
        kernel_calls.train_network(own, data, StepOptions(6), ORDER, 0.1, np.empty(4))
