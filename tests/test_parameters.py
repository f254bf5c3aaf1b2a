"""Parameters as in the book: what was taken before they move keeps its values."""

from contextlib import suppress

import numpy as np
import pytest
from square_networks import DATA, X, Y, assert_same, contents, square, train

import fastnet
from fastnet import Network, QuadraticCost
from fastnet.sklearn import MLPClassifier, MLPRegressor

# ---- what a program kept


def test_the_best_weights_that_a_list_keeps_can_be_given_back():
    net = square()
    expected, best = contents(net), (list(net.weights), list(net.biases))
    train(net, 3)
    assert np.abs(net.weights[0] - expected[0]).max() > 0.01
    net.weights, net.biases = best
    assert_same((*net.weights, *net.biases), expected)


def test_the_list_itself_keeps_the_best_weights_too():
    net = square()
    expected, best = contents(net)[:2], net.weights
    train(net)
    assert best is not net.weights
    net.weights = best
    assert_same(net.weights, expected)


def test_the_difference_before_and_after_a_training_is_what_it_moved():
    net = square()
    w0, before = net.weights[0], contents(net)[0]
    train(net)
    moved = net.weights[0] - w0
    np.testing.assert_array_equal(moved, np.array(net.weights[0]) - before)
    assert np.abs(moved).max() > 0.01


def test_two_networks_exchange_a_layer_in_one_line():
    a, b = square(), Network([3, 3, 3], dtype="float64", seed=2)
    of_a, of_b = contents(a)[0], contents(b)[0]
    a.weights[0], b.weights[0] = b.weights[0], a.weights[0]
    assert_same([a.weights[0], b.weights[0]], [of_b, of_a])


def test_two_networks_exchange_all_weights_in_one_line():
    a, b = square(), Network([3, 3, 3], dtype="float64", seed=2)
    of_a, of_b = contents(a)[:2], contents(b)[:2]
    a.weights, b.weights = b.weights, a.weights
    assert_same([*a.weights, *b.weights], [*of_b, *of_a])


def test_two_layers_of_a_network_are_exchanged_in_one_line():
    net = square()
    w0, w1 = contents(net)[:2]
    net.weights[0], net.weights[1] = net.weights[1], net.weights[0]
    assert_same(net.weights, [w1, w0])
    net.weights[::-1] = net.weights
    assert_same(net.weights, [w0, w1])


def test_what_was_derived_from_an_array_keeps_its_old_values():
    net = square()
    row, turned = net.weights[0][1], net.weights[0].T
    expected = row.copy(), turned.copy()
    train(net)
    assert_same([row, turned], expected)


def test_what_callbacks_take_keeps_the_values_of_their_epoch():
    net, taken, copied = square(), [], []

    def keep(net, epoch, history):
        taken.append((net.weights, *net.biases))
        copied.append(contents(net))

    train(net, 4, callbacks=[keep])
    for (weights, *biases), expected in zip(taken, copied, strict=True):
        assert_same((*weights, *biases), expected)
    assert not np.array_equal(copied[0][0], copied[3][0])


@pytest.mark.parametrize("patience", [1, 2])
def test_restoring_the_best_epoch_does_not_write_over_what_callbacks_took(patience):
    net, taken, copied = square(), [], []

    def keep(net, epoch, history):
        taken.append([*net.weights, *net.biases])
        copied.append(contents(net))
        if epoch > 1:  # the cost grows from now on
            net.weights = [-9.0 * w for w in net.weights]
            taken.append([*net.weights, *net.biases])
            copied.append(contents(net))

    stop = fastnet.EarlyStopping("training_cost", patience=patience)
    train(net, 9, callbacks=[keep], early_stopping=stop)
    for arrays, expected in zip(taken, copied, strict=True):
        assert_same(arrays, expected)
    assert len(taken) > patience
    assert any(np.array_equal(net.weights[0], one[0]) for one in copied[:-1])
    with pytest.raises(ValueError, match="read-only"):
        taken[-1][0][0, 0] = 0


def diverging():
    return Network([1, 1], "quadratic", output="linear", seed=0)


def test_a_training_that_diverges_does_not_write_over_what_was_taken():
    net, taken, copied = diverging(), [], []

    def keep(net, epoch, history):
        taken.append(net.weights[0])
        copied.append(net.weights[0].copy())

    first = net.weights[0]
    before = first.copy()
    with pytest.raises(fastnet.DivergenceError):
        net.SGD([([1e9], [1.0])], 30, 1, 1e9, verbose=False, callbacks=[keep])
    assert_same([first, *taken], [before, *copied])
    np.testing.assert_array_equal(net.weights[0], copied[-1])
    net.weights[0][0, 0] = 3
    assert_same([first, *taken], [before, *copied])
    assert net.weights[0].item() == 3


class Raising(QuadraticCost):
    """A cost of one's own that raises in its third mini-batch."""

    calls = 0

    @classmethod
    def delta(cls, z, a, y):
        cls.calls += 1
        if cls.calls == 3:
            raise OSError("in delta")
        return a - y


def test_an_error_of_a_cost_of_ones_own_does_not_write_over_what_was_taken(monkeypatch):
    monkeypatch.setattr(Raising, "calls", 0)
    net = square(cost=Raising)
    taken, expected = [*net.weights, *net.biases], contents(net)
    with pytest.raises(OSError, match="in delta"):
        train(net)
    assert_same(taken, expected)
    assert_same([*net.weights, *net.biases], expected)
    net.weights[0][...] = 0
    assert_same(taken, expected)
    assert net.weights[0].max() == 0
    with pytest.raises(ValueError, match="read-only"):
        taken[0][0, 0] = 1


# ---- what moves, and what does not

MOVES = {
    "SGD": train,
    "update_mini_batch": lambda net: net.update_mini_batch(DATA[:5], 0.5, 0.0, 40),
    "default_weight_initializer": Network.default_weight_initializer,
    "large_weight_initializer": Network.large_weight_initializer,
    "an assignment": lambda net: setattr(net, "weights", [w + 1 for w in net.weights]),
    "an assignment of biases": lambda net: setattr(net, "biases", [b + 1 for b in net.biases]),
    "an element": lambda net: net.weights.__setitem__(0, np.ones((3, 3))),
    "a slice": lambda net: net.biases.__setitem__(slice(1, None), [np.ones((3, 1))]),
}
moves = pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())


@moves
def test_each_move_keeps_what_was_taken_and_a_late_write_raises(move):
    net = square()
    taken, expected = [*net.weights, *net.biases], contents(net)
    move(net)
    assert_same(taken, expected)
    after = contents(net)
    for array in taken:
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 7
        with pytest.raises(ValueError, match="read-only"):
            array += 1
        writable = array.copy()
        writable[0, 0] = 7
    assert_same([*net.weights, *net.biases], after)
    assert not all(map(np.array_equal, after, expected))


@moves
def test_after_each_move_what_is_written_acts(move):
    net = square()
    move(net)
    net.weights[0][1, 2], net.biases[1][0, 0] = 5, 6
    copy = square()
    copy.weights, copy.biases = contents(net)[:2], contents(net)[2:]
    np.testing.assert_array_equal(net.feedforward(X), copy.feedforward(X))
    assert (net.weights[0][1, 2], net.biases[1][0, 0]) == (5, 6)


@moves
def test_predictors_made_before_a_move_see_the_new_parameters(move):
    net, x = square(), np.ones(3)
    predict = net.predictor()
    before, one = predict(x).copy(), net.feedforward(x)
    move(net)
    np.testing.assert_array_equal(predict(x), net.feedforward(x[None])[0])
    np.testing.assert_array_equal(net.feedforward(x), net.feedforward(x[None])[0])
    assert np.abs(predict(x) - before).max() > 1e-4
    np.testing.assert_array_equal(one, before)


@moves
def test_new_storage_starts_at_a_cache_line(move):
    net = Network([3, 3, 3], dtype="float32", seed=1)
    move(net)
    assert all(w.ctypes.data % 64 == 0 for w in (*net.weights, *net.biases))


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("call", ["fit", "warm_start", "partial_fit"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_training_of_an_estimator_keeps_what_was_taken(estimator, call):
    clf = estimator(hidden_layer_sizes=(4,), max_iter=2, random_state=1).fit(X, Y)
    clf.set_params(warm_start=call == "warm_start", random_state=2)
    coefs, intercepts = clf.coefs_, clf.intercepts_
    taken = [*coefs, *intercepts]
    expected = [array.copy() for array in taken]
    (clf.partial_fit if call == "partial_fit" else clf.fit)(X, Y)
    assert_same([*coefs, *intercepts], expected)
    assert np.abs(clf.coefs_[0] - coefs[0]).max() > 1e-6
    for array in taken:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for arrays in (coefs, intercepts):
        with pytest.raises(ValueError, match="replaced"):
            arrays[0] = arrays[0].copy()


def test_a_network_of_an_earlier_fit_keeps_its_own_lists():
    clf = MLPRegressor(hidden_layer_sizes=(4,), max_iter=300, random_state=1).fit(X, Y)
    net = clf.network_
    weights, coefs = net.weights, clf.coefs_
    clf.fit(X, Y)
    weights[0][...] = 3
    assert net.weights[0].min() == 3
    with pytest.raises(ValueError, match="read-only"):
        coefs[0][...] = 0


def test_a_fit_that_is_refused_leaves_the_lists_as_they_are():
    clf = MLPRegressor(hidden_layer_sizes=(4,), max_iter=300, random_state=1).fit(X, Y)
    coefs = clf.coefs_
    with pytest.raises(ValueError, match="non-zero"):
        clf.fit(X, Y, sample_weight=np.zeros(40))
    assert clf.coefs_ is coefs
    coefs[0][...] = 2
    coefs[1] = np.ones((4, 1))
    assert clf.coefs_[0].min() == 2
    assert clf.coefs_[1].min() == 1


@pytest.mark.parametrize(
    "refused",
    [
        lambda net: net.SGD(DATA, 1, 10, -1.0),
        lambda net: net.SGD(([[1.0]], [0]), 1, 10, 1.0),
        lambda net: net.update_mini_batch(DATA, 0.5, 0.0, 0),
        lambda net: setattr(net, "weights", [np.ones((3, 3)), np.ones((2, 3))]),
        lambda net: setattr(net, "weights", [np.ones((3, 3)), np.full((3, 3), np.nan)]),
        lambda net: net.weights.__setitem__(slice(None), [np.ones((3, 3)), None]),
        lambda net: net.biases.__setitem__(0, np.ones(3)),
        lambda net: net.SGD(DATA, 0, 10, 1.0, verbose=False),  # no epoch
    ],
)
def test_what_is_refused_is_no_move(refused):
    net = square()
    lists, taken, expected = [net.weights, net.biases], [*net.weights, *net.biases], contents(net)
    with suppress(ValueError, TypeError):
        refused(net)
    assert net.weights is lists[0]
    assert net.biases is lists[1]
    assert all(a is b for a, b in zip([*net.weights, *net.biases], taken, strict=True))
    assert_same(taken, expected)
    taken[0][0, 0] = 4
    assert contents(net)[0][0, 0] == 4


def test_between_moves_the_same_arrays_are_handed_out():
    net = square()
    assert net.weights is net.weights
    assert net.weights[0] is net.weights[0]
    net.feedforward(X)
    net.accuracy(DATA)
    w = net.weights[0]
    w[0, 0] = 3
    assert net.weights[0] is w


@pytest.mark.parametrize(
    "assign",
    [
        lambda net: net.weights.__setitem__(0, net.weights[0]),
        lambda net: net.weights.__setitem__(slice(None), net.weights),
        lambda net: setattr(net, "weights", net.weights),
    ],
)
def test_assigning_an_array_to_its_own_place_is_no_move(assign):
    net = square()
    weights, taken = net.weights, [*net.weights, *net.biases]
    assign(net)
    assert net.weights is weights
    assert all(a is b for a, b in zip([*net.weights, *net.biases], taken, strict=True))


def test_arithmetic_in_place_is_no_move():
    net = square()
    w, expected = net.weights[0], net.weights[0] * 2
    net.weights[0] *= 2
    assert net.weights[0] is w
    np.testing.assert_array_equal(w, expected)
    assert w.flags.writeable


def test_epochs_that_can_run_together_are_one_call_and_one_move(calls):
    net = square()
    taken, expected = net.weights[0], contents(net)[0]
    train(net, 6)
    assert calls == [(6, 40)]
    np.testing.assert_array_equal(taken, expected)
