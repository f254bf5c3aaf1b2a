"""The two sparse ways into the first layer, by blocks and by lists."""

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import Adam, Momentum
from fastnet.core import _kernels
from fastnet.data import sparse_rows
from fastnet.nn.optimizers import USUAL
from fastnet.training.options import SGDOptions

pytestmark = pytest.mark.covering(3)

N = 150

OPTIMIZERS = {"plain": None, **USUAL}


@pytest.fixture(scope="module")
def dense():
    """Most inputs are zero; one is zero everywhere, one nowhere, one example has none. They are
    two blocks, and one input of a third."""
    random = np.random.default_rng(5)
    X = random.uniform(-1, 1, (N, 129)) * (random.random((N, 129)) < 0.3)
    X[:, 3], X[:, -1], X[7] = 0, 0.25, 0
    return X


@pytest.fixture(params=["columns", "masks"])
def inputs(dense, request, isa):
    if (
        request.param == "masks"
        and _kernels.choose_input_format([70, 5], "float32", 0.3) != "masks"
    ):
        pytest.skip(f"{isa} has no masks")
    return sparse_rows.compress(dense, request.param)


def trained(inputs, n_out, m, dtype, optimizer, by_blocks, threads=1, **options):
    """The parameters after two passes in one random order, and the costs on the way."""
    net = fastnet.Network([inputs.shape[1], n_out, 5], "cross-entropy", dtype=dtype, seed=3)
    model = net._model
    n = len(inputs)
    step = SGDOptions(l1=0.002, optimizer=optimizer).checked(model).step_options(model, float(n))
    order = np.random.default_rng(1).permutation(n)
    labels = (np.arange(n) % 5).astype(np.int64)
    costs = np.zeros(-(-n // m))
    for _ in range(2):
        kernel_calls.train(
            (model.sizes, "sigmoid", "cross-entropy", model.values),
            (inputs, 1.0, labels),
            order,
            m,
            0.05,
            l2=0.01,
            threads=threads,
            hidden=[each.kernel for each in model.hidden],
            costs=costs,
            by_blocks=by_blocks,
            l1=step.l1,
            optimizer=step.optimizer,
            moments=step.moments,
            **options,
        )
    return model.values, costs


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("m", [1, 10, 33, 64, 65, 130], ids="m={}".format)
@pytest.mark.parametrize("n_out", [1, 30, 112, 230], ids="n_out={}".format)
def test_both_come_to_the_same_bits(inputs, n_out, m, optimizer, dtype, isa):
    by_blocks, by_lists = (
        trained(inputs, n_out, m, dtype, optimizer, way) for way in (True, False)
    )
    for mine, theirs in zip(by_blocks, by_lists, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_mini_batch_of_several_pieces_too(inputs, dtype):
    chosen = np.random.default_rng(2).integers(N, size=2300)
    by_blocks, by_lists = (
        trained(inputs[chosen], 112, 1100, dtype, Momentum(0.9), way)[0] for way in (True, False)
    )
    np.testing.assert_array_equal(by_blocks, by_lists)


@pytest.mark.parametrize("optimizer", [None, Adam()], ids=["plain", "adam"])
@pytest.mark.parametrize("m", [40, 130], ids="m={}".format)
@pytest.mark.parametrize("n_out", [5, 112, 512], ids="n_out={}".format)
def test_several_threads_come_to_the_bits_of_one(inputs, n_out, m, optimizer, dtype, isa):
    weights = np.linspace(0, 2, N)
    expected = trained(inputs, n_out, m, dtype, optimizer, False, weights=weights)
    for threads in (1, 2, 3):
        result = trained(inputs, n_out, m, dtype, optimizer, True, threads, weights=weights)
        for mine, theirs in zip(result, expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("n", [5, N], ids="n={}".format)
@pytest.mark.parametrize("n_out", [112, 230], ids="n_out={}".format)
def test_evaluating_by_blocks_comes_to_the_bits_of_dense_rows(dense, inputs, n_out, n, dtype):
    sizes = [dense.shape[1], n_out, 5]
    plan = _kernels.plan(sizes, dtype, N, form="columns", density=inputs.density)
    assert plan["first_layer"] == "blocks"
    net = fastnet.Network(sizes, dtype=dtype, seed=3)
    results = np.zeros((2, n, 5), dtype)
    for X, out in zip((dense, inputs), results, strict=True):
        kernel_calls.feedforward(
            (sizes, "sigmoid", None, net._model.values), (X[:n], 1.0), out, hidden=["sigmoid"]
        )
    np.testing.assert_array_equal(*results)
