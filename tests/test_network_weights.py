"""net.weights and net.biases: arrays of the network's own, and assigning to them."""

import numpy as np
import pytest

import fastnet
from fastnet import Network


def square():
    """A network whose layers all have one shape, so that they can be exchanged."""
    return Network([3, 3, 3], dtype="float64", seed=1)


def contents(net):
    return [np.array(a) for a in (*net.weights, *net.biases)]


def assert_same(net, arrays):
    for array, expected in zip(contents(net), arrays, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("sizes", [[784, 30, 10], [1, 1], [3, 16, 17, 1]])
def test_weights_and_biases_have_the_shapes_of_the_book(sizes):
    net = Network(sizes)
    assert [w.shape for w in net.weights] == list(zip(sizes[1:], sizes[:-1], strict=True))
    assert [b.shape for b in net.biases] == [(n, 1) for n in sizes[1:]]
    assert len(net.weights) == len(net.biases) == len(sizes) - 1


def test_setting_one_weight_or_bias_acts_on_what_the_network_computes():
    net = Network([2, 3], "quadratic", output="linear", dtype="float64", seed=1)
    before = net.feedforward([1.0, 10.0])
    net.weights[0][2, 1] += 0.5
    net.biases[0][1, 0] -= 0.25
    np.testing.assert_allclose(net.feedforward([1.0, 10.0]) - before, [0, -0.25, 5], atol=1e-12)


def test_an_array_that_was_taken_earlier_does_not_see_training():
    net = Network([2, 3], seed=1)
    taken = net.weights[0]
    before = taken.copy()
    net.SGD(([[1.0, 2.0]], [1]), 1, 1, 0.5, verbose=False)
    np.testing.assert_array_equal(taken, before)
    assert np.abs(net.weights[0] - before).max() > 0.01
    assert not np.shares_memory(taken, net.weights[0])


def test_the_lists_can_be_read_as_lists_are():
    net = square()
    assert [w.shape for w in net.weights] == [(3, 3)] * 2
    np.testing.assert_array_equal(net.weights[-1], net.weights[1])
    assert len(net.weights[:1]) == 1
    assert [b.shape for b in reversed(net.biases)] == [(3, 1)] * 2
    for w, b in zip(net.weights, net.biases, strict=True):
        assert (w @ np.ones((3, 1)) + b).shape == (3, 1)
    np.testing.assert_array_equal(net.weights[np.array(1)], net.weights[1])
    with pytest.raises(IndexError):
        net.weights[2]


@pytest.mark.parametrize("name", ["weights", "biases"])
@pytest.mark.parametrize("form", [list, tuple, iter, lambda arrays: [a.tolist() for a in arrays]])
def test_assigning_all_layers_copies_them_in(name, form):
    net, random = square(), np.random.default_rng(1)
    new = [random.random(array.shape) for array in getattr(net, name)]
    setattr(net, name, form(new))
    for array, expected in zip(getattr(net, name), new, strict=True):
        np.testing.assert_array_equal(array, expected)
        assert not np.shares_memory(array, expected)


@pytest.mark.parametrize("l", [0, 1, -1])
def test_assigning_one_layer_copies_it_in_and_leaves_the_others(l):
    net, new = square(), np.arange(9.0).reshape(3, 3)
    expected = contents(net)
    expected[l % 2] = new.copy()
    net.weights[l] = new
    new[...] = -1
    assert_same(net, expected)


def test_assigning_a_slice_copies_those_layers_in():
    net = Network([3, 3, 3, 3], dtype="float64", seed=1)
    expected, new = contents(net), np.random.default_rng(1).random((2, 3, 3))
    expected[1:3] = new
    net.weights[1:] = new
    assert_same(net, expected)
    expected[0], expected[2] = new[1], new[0]
    net.weights[::2] = [new[1], new[0]]
    assert_same(net, expected)


def test_a_slice_of_the_list_is_a_plain_list_whose_elements_can_be_replaced_without_effect():
    net, expected = square(), contents(square())
    part = net.weights[:]
    part[0] = np.arange(9.0).reshape(3, 3)
    assert type(part) is list
    assert_same(net, expected)


def test_numbers_of_other_types_are_converted():
    net = Network([2, 1], dtype="float32")
    for new in ([[1, 2]], np.array([[0.1, 0.2]]), np.array([[1, 2]], np.uint8)):
        net.weights[0] = new
        np.testing.assert_array_equal(net.weights[0], np.asarray(new).astype(np.float32))


# ---- the new values may be the old ones


def test_assigning_a_networks_own_weights_changes_nothing():
    net = square()
    expected = contents(net)
    net.weights = net.weights
    net.biases = net.biases
    net.weights[0] = net.weights[0]
    net.weights[:] = net.weights
    assert_same(net, expected)


def test_assigning_views_of_the_old_weights_gives_their_old_values():
    net = square()
    w0, w1, b0, b1 = contents(net)
    net.weights = net.weights[::-1]
    net.biases = list(net.biases)[::-1]
    assert_same(net, [w1, w0, b1, b0])
    net.weights[0] = net.weights[0].T
    net.weights[1] = net.weights[1][::-1]
    assert_same(net, [w1.T, w0[::-1], b1, b0])


def test_the_weights_of_another_network_are_copied_in():
    net, other = square(), Network([3, 3, 3], seed=2)
    net.weights, net.biases = other.weights, other.biases
    assert_same(net, contents(other))
    other.weights[0][...] = 7
    assert net.weights[0].max() < 7


def test_arithmetic_in_place_acts():
    net = square()
    w0, w1, b0, b1 = contents(net)
    net.weights[0] *= 2
    net.biases[1] -= 0.5
    net.weights[1] += net.weights[0]
    assert_same(net, [w0 * 2, w1 + w0 * 2, b0, b1 - 0.5])


def test_the_books_update_in_one_line_acts():
    net = square()
    expected = [w - 0.5 * np.ones((3, 3)) for w in net.weights]
    net.weights = [w - 0.5 * n for w, n in zip(net.weights, [np.ones((3, 3))] * 2, strict=True)]
    for w, e in zip(net.weights, expected, strict=True):
        np.testing.assert_array_equal(w, e)


# ---- nothing is ever silently ignored


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.append(np.ones((3, 3))),
        lambda arrays: arrays.extend([np.ones((3, 3))]),
        lambda arrays: arrays.insert(0, np.ones((3, 3))),
        lambda arrays: arrays.pop(),
        lambda arrays: arrays.clear(),
        lambda arrays: arrays.reverse(),
        lambda arrays: arrays.sort(),
        lambda arrays: arrays.__delitem__(0),
        lambda arrays: arrays.__iadd__([np.ones((3, 3))]),
        lambda arrays: arrays.__imul__(2),
    ],
)
def test_the_number_and_order_of_layers_cannot_be_changed(change):
    net = square()
    expected = contents(net)
    with pytest.raises((AttributeError, TypeError)):
        change(net.weights)
    assert_same(net, expected)


@pytest.mark.parametrize(
    ("new", "expected", "came"),
    [
        ([np.ones((3, 3))], "2", "1"),
        ([np.ones((3, 3))] * 3, "2", "3"),
        ([], "2", "0"),
        ([np.ones((3, 3)), np.ones((3, 2))], "(3, 3)", "(3, 2)"),
        ([np.ones((3, 3)), np.ones(3)], "(3, 3)", "(3,)"),
        ([np.ones((3, 3)), 1.0], "(3, 3)", "()"),
        ([np.ones((3, 3)), np.ones((1, 3))], "(3, 3)", "(1, 3)"),
        ([np.ones((3, 3)), np.ones((3, 3)) * 1j], "real", "complex"),
        ([np.ones((3, 3)), [["1", "2", "3"]] * 3], "numbers", "<U1"),
        ([np.ones((3, 3)), None], "numbers", "got None"),
        ([np.ones((3, 3)), np.ones((3, 3), bool)], "numbers", "bool"),
        ([np.ones((3, 3)), [[1, 2, 3], [1, 2], [1]]], "(3, 3)", ""),
        ([np.ones((3, 3)), np.full((3, 3), np.nan)], "finite", "weights[1]"),
        ([np.ones((3, 3)), np.full((3, 3), np.inf)], "finite", "weights[1]"),
        (None, "arrays", "None"),
        (1.5, "arrays", "1.5"),
    ],
)
def test_wrong_weights_raise_an_error_and_none_of_the_layers_changes(new, expected, came):
    net = square()
    before = contents(net)
    with pytest.raises((ValueError, TypeError), match=r"^weights") as caught:
        net.weights = new
    assert expected in str(caught.value)
    assert came in str(caught.value)
    with pytest.raises((ValueError, TypeError), match=r"^weights"):
        net.weights[:] = new
    assert_same(net, before)


@pytest.mark.parametrize("new", [np.ones(2), np.ones((1, 2)), [[1.0], [2.0], [3.0]], 5, "bias"])
def test_a_wrong_bias_raises_an_error_that_says_which_layer(new):
    net = Network([3, 2], seed=1)
    before = contents(net)
    with pytest.raises((ValueError, TypeError), match=r"^biases\[0\]: expected"):
        net.biases[0] = new
    assert_same(net, before)


def test_a_layer_that_is_not_there_cannot_be_assigned():
    net = square()
    before = contents(net)
    with pytest.raises(IndexError):
        net.weights[2] = np.ones((3, 3))
    with pytest.raises(TypeError):
        net.weights["0"] = np.ones((3, 3))
    assert_same(net, before)


def test_weights_beyond_the_range_of_the_type_raise_an_error():
    net = Network([1, 1], dtype="float32")
    with pytest.raises(ValueError, match=r"weights\[0\].*finite in float32"):
        net.weights[0] = [[1e39]]


def test_training_with_weights_that_are_not_finite_raises_an_error_and_changes_nothing():
    net = Network([2, 2], seed=1)
    net.weights[0][1, 1] = np.nan
    before = contents(net)
    data = fastnet.Dataset([[1.0, 2.0]], [1])
    with pytest.raises(ValueError, match=r"weights.*finite.*NaN"):
        net.SGD(data, 1, 1, 0.5)
    with pytest.raises(ValueError, match=r"weights.*finite.*NaN"):
        net.update_mini_batch(data, 0.5, 0.0, 1)
    assert_same(net, before)
