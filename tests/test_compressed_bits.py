"""Compressed inputs train the same networks as dense ones, to the last bit."""

import itertools

import kernel_calls
import numpy as np
import pytest
from compressed_examples import LABELS, TARGETS, N, X, all_ways, bits, csr, mostly_zero

from fastnet import AdamW, Dataset, Momentum, Network
from fastnet.core import _kernels
from fastnet.data.sparse_rows import compress
from fastnet.nn.costs import of_kernel
from fastnet.training.options import SGDOptions

pytestmark = pytest.mark.covering(3)

SHAPES = [(1, 3), (20, 3), (20, 9, 3), (70, 30, 10), (65, 130, 3)]


@pytest.fixture(params=["columns", "quickest"])
def forms(request):
    """forms(X, sizes, dtype): X compressed, with columns or as is quickest here."""

    def make(X, sizes, dtype):
        form = request.param
        if form == "quickest":
            form = _kernels.choose_input_format(sizes, dtype, 0.2)
        if form == "dense":
            pytest.skip(f"dense rows are quickest here for {sizes}")
        return compress(X, form)

    return make


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("inputs", ["uint8", "float32", "float64"])
def test_compressed_rows_train_to_the_bits_of_dense_ones(
    isa, dtype, forms, random_parameters, sizes, inputs
):
    X = mostly_zero(n_in=sizes[0], dtype=inputs, density=0.5 if sizes[0] == 1 else 0.2)
    compressed = forms(X, sizes, dtype)
    start = random_parameters(sizes, dtype, 3)
    order = np.random.default_rng(1).permutation(N)
    for m, scale in itertools.product((1, 7, 60), (1 / 256, 1 / 3)):  # exact in float32, and not
        trained = []
        for rows in (X, compressed):
            parameters = start.copy()
            kernel_calls.train(
                (sizes, "sigmoid", "cross-entropy", parameters),
                (rows, scale, LABELS),
                order,
                m,
                0.5,
                l2=0.02,
            )
            trained.append(parameters)
        assert (trained[0] != start).any()
        assert bits(trained[0]) == bits(trained[1])


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("inputs", ["uint8", "float32", "float64"])
def test_compressed_rows_have_the_outputs_costs_and_gradients_of_dense_ones(
    isa, dtype, forms, random_parameters, sizes, inputs
):
    X = mostly_zero(n_in=sizes[0], dtype=inputs)
    parameters = random_parameters(sizes, dtype, 3)
    results = []
    for rows in (X, forms(X, sizes, dtype)):
        out, nabla = np.empty((N, sizes[-1]), dtype), np.empty_like(parameters)
        kernel_calls.feedforward((sizes, "sigmoid", None, parameters), (rows, 0.1), out)
        kernel_calls.gradient(
            (sizes, "sigmoid", "quadratic", parameters), (rows, 0.1, LABELS), nabla
        )
        counted = kernel_calls.evaluate(
            (sizes, "sigmoid", "quadratic", parameters), (rows, 0.1, LABELS)
        )
        results.append((bits(out, nabla), counted))
    assert len(np.unique(out)) > 9
    assert results[0] == results[1]


@pytest.mark.parametrize("m", [1, 1500])
def test_more_than_65536_features_train_to_the_bits_of_dense_ones(isa, dtype, m):
    n_in = (1 << 16) + 70
    X = np.zeros((12, n_in), np.float32)
    X[np.arange(11), np.arange(11) * 6560] = 1.5
    X[:8, -1] = -2
    nets = [Network([n_in, 2], dtype=dtype, seed=1) for _ in range(2)]
    for net, data in zip(nets, (Dataset(X, LABELS[:12] % 2, sparse=False),
                                csr(X, LABELS[:12] % 2)), strict=True):  # fmt: skip
        net.SGD(data, 2, m, 0.5, verbose=False)
    assert nets[0] == nets[1]


@pytest.mark.covering(2)
@pytest.mark.parametrize("y", [LABELS, TARGETS], ids=["labels", "targets"])
@pytest.mark.parametrize("inputs", ["uint8", "float32", "float64"])
def test_a_network_learns_the_same_from_every_form(isa, pair, dtype, y, inputs):
    output, cost = pair[0], of_kernel(pair[1])
    X, outcomes = mostly_zero(dtype=inputs), []
    for data in all_ways(X, y, 1 / 50):
        net = Network([20, 8, 3], cost, output=output, dtype=dtype, seed=1)
        history = net.SGD(data, 3, 7, 0.01, 0.1, data, True, True, True, True, verbose=False)
        net.update_mini_batch(data, 0.01, 0.1, N)
        net.update_mini_batch(data[3:9], 0.01, 0.1, N)
        figures = (net.accuracy(data), net.total_cost(data, 0.3), *history)
        outcomes.append((bits(*net.weights, *net.biases, net.feedforward(data)), figures))
    assert all(outcome == outcomes[0] for outcome in outcomes[1:])


@pytest.mark.parametrize("density", [0.0, 1.0])
def test_inputs_of_nothing_but_zeros_and_without_any_zero_train_too(isa, density):
    X = mostly_zero(density=density)[1:-1]
    assert np.mean(X != 0) == density
    nets = []
    for data in all_ways(X, LABELS[1:-1], 1 / 256):
        nets.append(Network([20, 8, 3], seed=1))
        nets[-1].SGD(data, 2, 7, 0.5, verbose=False)
    assert nets[0] == nets[1] == nets[2] == nets[3]


def test_one_example_trains_too(isa):
    for row in (X[3:4], X[:1]):
        nets = []
        for data in all_ways(row, [1]):
            nets.append(Network([20, 3], seed=1))
            nets[-1].SGD(data, 2, 10, 0.5, verbose=False)
        assert nets[0] == nets[1] == nets[2] == nets[3]


def test_a_cost_of_the_users_own_sees_the_same_numbers(isa):
    class Own:
        @staticmethod
        def fn(a, y):
            return np.sum((a - y) ** 4)

        @staticmethod
        def delta(z, a, y):
            return (a - y) ** 3

    X = mostly_zero(n=2500)  # fn is handed pieces
    outcomes = []
    for data in all_ways(X, np.arange(2500) % 3, 1 / 256):
        net = Network([20, 4, 3], Own, dtype="float64", seed=1)
        history = net.SGD(data, 2, 100, 0.5, monitor_training_cost=True, verbose=False)
        outcomes.append((bits(*net.weights), history, net.total_cost(data, 0.1)))
    assert outcomes[0] == outcomes[1] == outcomes[2] == outcomes[3]


def test_explicit_zeros_change_nothing(isa):
    # the same row with and without them
    with_zeros = Dataset.from_csr([0, 3, 0, 5, 0], [0, 1, 3, 6, 19], [0, 5], 20, [1])
    without = Dataset.from_csr([3, 5], [1, 6], [0, 2], 20, [1])
    nets = [Network([20, 4, 3], seed=1) for _ in range(2)]
    for net, data in zip(nets, (with_zeros, without), strict=True):
        net.SGD(data, 3, 1, 0.5, verbose=False)
    assert nets[0] == nets[1]
    np.testing.assert_array_equal(with_zeros[0][0], without[0][0])


def test_mnist_trains_to_the_same_bits_in_every_form(isa, dtype, mnist):
    X, y, scale = mnist[0].X[:1500], mnist[0].y[:1500], mnist[0].scale
    nets = []
    for data in all_ways(X, y, scale):
        nets.append(Network([784, 30, 10], dtype=dtype, seed=1))
        nets[-1].SGD(data, 1, 10, 0.5, 5.0, verbose=False)
    assert nets[0] == nets[1] == nets[2] == nets[3]


# The last one is not the sum of two floats by which bytes may be multiplied.
SCALES = [1 / 255, 1 / 256, 1 / 3, np.pi, 1.0, 255.0, 7e-30, 3e37, 0.0, 0.6237938163812798]


@pytest.mark.covering(2)
@pytest.mark.parametrize("scale", SCALES)
def test_every_byte_is_scaled_with_one_rounding(isa, dtype, scale):
    sizes, values = (256, 256), np.arange(256, dtype=np.uint8)
    length, [(weights, biases, stride)] = _kernels.layout(sizes, dtype)
    parameters = np.zeros(length, dtype)
    parameters[weights:biases].reshape(256, stride)[:, :256] = np.eye(256)
    with np.errstate(over="ignore"):
        expected = (values * np.float64(scale)).astype(dtype)
    for rows in (np.diag(values), compress(np.diag(values), "columns"),
                 *([compress(np.diag(values), "masks")] if isa == "avx512" else [])):  # fmt: skip
        out = np.empty((256, 256), dtype)
        kernel_calls.feedforward((sizes, "linear", None, parameters), (rows, scale), out)
        np.testing.assert_array_equal(np.diag(out), expected)


@pytest.mark.parametrize("scale", [1.0, 1 / 3])
def test_float64_is_stored_as_the_network_reads_it(isa, dtype, scale):
    X = np.float64(1) / 3 * mostly_zero(n_in=70, dtype="float64")
    X[3, 5], X[4, 6] = 1e-50, 1e-310  # zero in float32, and next to nothing in float64
    data = Dataset(X, LABELS, scale, sparse=True)
    kept = data.operand([70, 30, 3], dtype)
    assert kept.dtype == (dtype if scale == 1 else "float64")
    other = {"float32": "float64", "float64": "float32"}[dtype]
    data.operand([70, 30, 3], other)  # which is kept beside it
    assert data.operand([70, 30, 3], dtype) is kept
    results = []
    for one in (data, Dataset(X, LABELS, scale, sparse=False)):
        net = Network([70, 30, 3], dtype=dtype, seed=1)
        net.SGD(one, 2, 7, 0.5, verbose=False)
        results.append([*net.weights, *net.biases])
    assert bits(*results[0]) == bits(*results[1])


@pytest.mark.parametrize(
    "optimizer", [None, Momentum(0.9), AdamW()], ids=["plain", "momentum", "adamw"]
)
def test_whole_regions_of_zeros_are_left_out_and_move_as_they_should(isa, dtype, optimizer):
    X = mostly_zero(n_in=500)
    X[:, :150] = X[:, 170:400] = 0
    X[20:30] = 0  # a mini-batch of nothing but zeros
    results = []
    for sparse in (False, True):
        net = Network([500, 40, 3], dtype=dtype, seed=1)
        options = SGDOptions(mini_batch_size=10, lmbda=0.01 * N, optimizer=optimizer)
        step = options.step_options(net._model, float(N))
        data = Dataset(X, LABELS, 1 / 256, sparse=sparse)
        for _ in range(2):
            kernel_calls.train_network(net, data, step, np.arange(N), 0.1)
        results.append([*net.weights, *net.biases])
    assert bits(*results[0]) == bits(*results[1])
