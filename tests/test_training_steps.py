"""What one mini-batch and one epoch do to the parameters."""

import functools

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import reference
from fastnet.core import _kernels


def one_epoch(network, parameters, data, order, m, eta, l2=0.0, *, module=_kernels):
    """The parameters after one pass of the network (sizes, output layer, cost), as a new array."""
    after = parameters.copy()
    kernel_calls.train((*network, after), data, order, m, eta, l2=l2, kernels=module)
    return after


def assert_near(result, expected, tolerance):
    """Within ``tolerance`` of each layer's own size, weights and biases each on their own."""
    for mine, theirs in zip(result, expected, strict=True):
        for part, other in zip(mine, theirs, strict=True):
            assert np.linalg.norm(part - other) <= tolerance * np.linalg.norm(other)


# ---- by hand ---------------------------------------------------------------


def test_a_step_of_one_layer_by_hand(dtype, isa):
    net = fastnet.Network([2, 1], dtype=dtype)
    net.weights, net.biases = [[[0, 0]]], [[[0]]]
    # All weights 0, so a = sigma(0) = 1/2 for both examples, and delta = a - y is
    #   x = (1, 2),  y = 1:  -1/2, gradient of w (-1/2, -1), of b -1/2
    #   x = (3, -1), y = 0:   1/2, gradient of w (3/2, -1/2), of b 1/2
    # The sums are (1, -3/2) and 0; eta/m = (1/2)/2.
    net.update_mini_batch((np.array([[1.0, 2.0], [3.0, -1.0]]), [1, 0]), 0.5, 0.0, 2)
    assert net.weights[0].tolist() == [[-0.25, 0.375]]
    assert net.biases[0].tolist() == [[0.0]]


def test_a_step_of_two_layers_by_hand(dtype, isa):
    net = fastnet.Network([1, 2, 1], fastnet.QuadraticCost, dtype=dtype)
    net.weights, net.biases = [[[0], [0]], [[2, -2]]], [[[0], [0]], [[0]]]
    # x = 4, y = 0. Hidden: z = 0, a = (1/2, 1/2). Output: z = 2/2 - 2/2 = 0, a = 1/2.
    # Output error (a - y) a (1 - a) = 1/2 1/4 = 1/8; gradient of its weights 1/16 each.
    # Hidden error (2, -2) 1/8 times a (1 - a) = 1/4: (1/16, -1/16); of its weights, times
    # x, (1/4, -1/4). The step is eta = 1 of each, with the weights from before: 2, -2.
    net.update_mini_batch((np.array([[4.0]]), np.array([[0.0]])), 1.0, 0.0, 1)
    assert net.weights[0].tolist() == [[-0.25], [0.25]]
    assert net.biases[0].tolist() == [[-0.0625], [0.0625]]
    assert net.weights[1].tolist() == [[1.9375, -2.0625]]
    assert net.biases[1].tolist() == [[-0.125]]


def test_weights_decay_by_eta_lmbda_over_n_and_biases_do_not(dtype, isa):
    net = fastnet.Network([3, 4, 2], dtype=dtype, seed=1)
    before = [w.copy() for w in net.weights], [b.copy() for b in net.biases]
    # Inputs of zero leave the first layer's weights to the decay alone:
    # 1 - eta lmbda / n = 1 - (1/2) 16 / 64 = 7/8, whatever the size of the mini-batch.
    data = np.zeros((5, 3)), [0, 1, 1, 1, 0]
    net.update_mini_batch(data, 0.5, 16.0, 64)
    np.testing.assert_array_equal(net.weights[0], before[0][0] * np.array(0.875, dtype))

    plain = fastnet.Network([3, 4, 2], dtype=dtype)
    plain.weights, plain.biases = before
    plain.update_mini_batch(data, 0.5, 0.0, 64)
    for decayed, other, start in zip(net.biases, plain.biases, before[1], strict=True):
        np.testing.assert_array_equal(decayed, other)
        assert (decayed != start).all()
    # The gradient is that of the weights before the decay: what the decay adds is
    # W/8, up to the rounding of W, 7 W / 8 and of what is added for each example.
    missing = plain.weights[1] - net.weights[1] - before[0][1] / 8
    assert np.abs(missing).max() <= 8 * np.finfo(dtype).eps * np.abs(before[0][1]).max()


def test_training_decays_by_the_size_of_the_training_set(dtype, isa):
    net = fastnet.Network([3, 2], dtype=dtype, seed=1)
    start = net.weights[0].copy()
    # Six mini-batches of two: (1 - (1/4) 6 / 12)^6 = (7/8)^6, multiplied once.
    net.SGD((np.zeros((12, 3)), [0, 1] * 6), 1, 2, 0.25, 6.0, verbose=False)
    np.testing.assert_array_equal(net.weights[0], start * np.array(0.875**6, dtype))


# ---- sizes of mini-batches -------------------------------------------------


@pytest.fixture
def problem(dtype, pair, random_parameters, random_examples):
    """make(sizes, n) -> (parameters, data)."""

    def make(sizes, n):
        return random_parameters(sizes, dtype, 1), random_examples(n, sizes, pair[1], 2)

    return make


def test_an_epoch_is_its_mini_batches_in_order(pair, isa, problem):
    """The last one is smaller, and divided by its own size."""
    sizes, order = (6, 5, 3), np.array([4, 0, 6, 2, 5, 1, 3])
    parameters, data = problem(sizes, 7)
    parts = order[:3], order[3:6], order[6:]
    decayed = epoch = one_epoch((sizes, *pair), parameters, data, order, 3, 0.7, 0.1)
    steps = parameters
    for part in parts:
        steps = one_epoch((sizes, *pair), steps, data, part, len(part), 0.7, 0.1)
    tolerance = 20 * np.finfo(epoch.dtype).eps * np.abs(epoch).max()
    assert np.abs(epoch - steps).max() <= tolerance  # decay is put off within an epoch

    epoch = one_epoch((sizes, *pair), parameters, data, order, 3, 0.7)
    steps = parameters
    for part in parts:
        steps = one_epoch((sizes, *pair), steps, data, part, len(part), 0.7)
    np.testing.assert_array_equal(epoch, steps)
    assert np.abs(epoch - decayed).max() > 1e-3

    # and alone the last of them moves by eta times its gradient
    parameters, nabla = steps, np.empty_like(steps)
    X, scale, y = data
    kernel_calls.gradient((sizes, *pair, parameters), (X[3:4], scale, y[3:4]), nabla)
    moved = one_epoch((sizes, *pair), parameters, data, order[6:], 3, 0.7) - parameters
    assert np.abs(nabla).max() > 1e-3
    tolerance = 2 * np.finfo(parameters.dtype).eps * (np.abs(parameters) + np.abs(nabla))
    assert (np.abs(moved + 0.7 * nabla) <= tolerance).all()


def test_a_mini_batch_larger_than_the_data_is_the_whole_of_it(pair, isa, problem):
    sizes, order = (6, 5, 3), np.arange(7)
    parameters, data = problem(sizes, 7)
    whole = one_epoch((sizes, *pair), parameters, data, order, 7, 0.5, 0.1)
    assert (whole != parameters).any()
    for m in (8, 1000, 10**6):
        np.testing.assert_array_equal(
            one_epoch((sizes, *pair), parameters, data, order, m, 0.5, 0.1), whole
        )


@pytest.mark.parametrize(("n", "m"), [(1024, 1024), (1025, 1025), (2500, 2500), (2600, 1500)])
def test_mini_batches_of_more_than_1024_examples_are_gathered_from_pieces(
    n, m, pair, isa, random_parameters, random_examples
):
    sizes = (17, 9, 4)
    parameters = random_parameters(sizes, "float64", 3)
    data = random_examples(n, sizes, pair[1], 4)
    order = np.random.default_rng(5).permutation(n)
    after = one_epoch((sizes, *pair), parameters, data, order, m, 2.0, 0.1)
    expected = one_epoch((sizes, *pair), parameters, data, order, m, 2.0, 0.1, module=reference)
    # Sums over 2500 examples, then one step or two.
    assert_near(reference.layers(sizes, after), reference.layers(sizes, expected), 1e-12)


def test_a_mini_batch_may_be_very_large(dtype, isa):
    n = 70_000
    X = np.random.default_rng(1).integers(256, size=(n, 1)).astype(np.uint8)
    parameters = _kernels.aligned(_kernels.layout([1, 1], dtype)[0], dtype)
    data, order = (X, 1 / 256, np.ones((n, 1))), np.arange(n)
    end = one_epoch(([1, 1], "linear", "quadratic"), parameters, data, order, n, 0.5)
    weights, biases = reference.layers([1, 1], end)[0]
    # With parameters of zero the error of each example is -1. A sum of n equal numbers,
    # one after the other, may err by half a unit n times in the same direction.
    tolerance = n / 2 * float(np.finfo(dtype).eps)
    assert weights == pytest.approx(0.5 * (X / 256).mean(), rel=tolerance)
    assert biases == pytest.approx(0.5, rel=tolerance)


def test_an_order_may_leave_out_and_repeat_examples(pair, isa, problem):
    sizes = (6, 5, 3)
    parameters, (X, scale, y) = problem(sizes, 20)
    order = np.array([3, 3, 19, 0, 3])
    picked = one_epoch(
        (sizes, *pair), parameters, (X[order], scale, y[order]), np.arange(5), 2, 0.5
    )
    given = one_epoch((sizes, *pair), parameters, (X, scale, y), order, 2, 0.5)
    np.testing.assert_array_equal(given, picked)
    assert (given != parameters).any()
    nothing = one_epoch((sizes, *pair), parameters, (X, scale, y), order[:0], 2, 0.5, 0.5)
    np.testing.assert_array_equal(nothing, parameters)


# ---- trajectories ----------------------------------------------------------

HIDDEN = [(1,), (7,), (30,), (31,), (33,), (), (5, 4)]


@functools.cache
def reference_trajectory(pair, hidden, m, make_parameters, make_examples):
    """(sizes, start, data, orders, end) of three epochs of the reference."""
    sizes = (23, *hidden, 4)
    n = 1100 if m > 100 else 130
    start = make_parameters(sizes, "float64", 6)
    data = make_examples(n, sizes, pair[1], 7)
    random = np.random.default_rng(8)
    orders = [random.permutation(n) for _ in range(3)]
    end = start
    for order in orders:
        end = one_epoch((sizes, *pair), end, data, order, m, 0.3, 0.02, module=reference)
    return sizes, start, data, orders, end


@pytest.mark.parametrize("m", [1, 3, 10, 64, 1000])
@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda sizes: "-".join(map(str, sizes)) or "none")
def test_three_epochs_end_where_the_reference_ends(
    pair, hidden, m, isa, places, random_parameters, random_examples
):
    sizes, start, data, orders, expected = reference_trajectory(
        pair, hidden, m, random_parameters, random_examples
    )
    end = start
    for order in orders:
        end = one_epoch((sizes, *pair), end, data, order, m, 0.3, 0.02)
    moved = np.abs(end - start)[places(sizes, "float64")]
    assert moved.min() > 0 or "absolute" in pair or "quantile" in pair[1]  # signs may cancel
    assert np.linalg.norm(moved) > 0.01
    assert_near(reference.layers(sizes, end), reference.layers(sizes, expected), 1e-10)
    assert not end[~places(sizes, "float64")].any()


# ---- what the inputs' type and zeros may not change ------------------------


def bits(parameters):
    """As integers, +0 and -0 alike."""
    return (parameters + 0.0).view(f"u{parameters.itemsize}")


@pytest.mark.parametrize("m", [1, 10, 64])
def test_leaving_out_zero_columns_does_not_change_a_bit(
    m, pair, dtype, isa, random_parameters, random_examples
):
    """Scaled by 2^-1000, inputs of 2^-200 become zero, but only after scaling: nothing is
    left out then, and the sums run over all columns."""
    sizes = (600, 9, 4)
    X, _, y = random_examples(130, sizes, pair[1], 9)
    X[:, 1::3] = 0
    blank = [not X[k : k + m].any(axis=0).all() for k in range(0, 130, m)]
    assert all(blank), "each mini-batch has columns to be left out"
    sparse = X * 2.0**990
    dense = np.where(X == 0, 2.0**-200, sparse)
    parameters, order = random_parameters(sizes, dtype, 10), np.arange(130)
    left_out = one_epoch((sizes, *pair), parameters, (sparse, 2.0**-1000, y), order, m, 0.5, 0.02)
    all_in = one_epoch((sizes, *pair), parameters, (dense, 2.0**-1000, y), order, m, 0.5, 0.02)
    assert np.abs(left_out - parameters).max() > 1e-3
    np.testing.assert_array_equal(bits(left_out), bits(all_in))


def test_the_type_of_the_inputs_does_not_change_a_bit(
    pair, dtype, isa, random_parameters, random_examples
):
    sizes = (100, 9, 4)
    X, _, y = random_examples(130, sizes, pair[1], 11)
    parameters, order = random_parameters(sizes, dtype, 12), np.arange(130)
    ends = [
        one_epoch((sizes, *pair), parameters, (X.astype(inputs), 1 / 255, y), order, 10, 0.5)
        for inputs in ("uint8", "float32", "float64")
    ]
    assert (ends[0] != parameters).any()
    np.testing.assert_array_equal(bits(ends[0]), bits(ends[1]))
    np.testing.assert_array_equal(bits(ends[0]), bits(ends[2]))


def test_labels_and_their_target_rows_train_alike(
    pair, dtype, isa, random_parameters, random_examples
):
    sizes = (30, 9, 4)
    X, scale, y = random_examples(50, sizes, pair[1], 13)
    parameters, order = random_parameters(sizes, dtype, 14), np.arange(50)
    rows = np.eye(4)[y]
    with_gaps = np.hstack([rows, 9 + rows])[:, :4]
    single = np.hstack([rows, 9 + rows]).astype(np.float32)[:, :4]
    ends = [
        one_epoch((sizes, *pair), parameters, (X, scale, targets), order, 10, 0.5)
        for targets in (y, rows, rows.astype(np.float32), with_gaps, single)
    ]
    assert (ends[0] != parameters).any()
    for end in ends[1:]:
        np.testing.assert_array_equal(ends[0], end)
