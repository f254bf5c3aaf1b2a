"""The lists of parameters: what they are, and what acts or is refused."""

import copy
import json
import pickle

import numpy as np
import pytest
from square_networks import DATA, X, Y, assert_same, contents, square, train

from fastnet import Network
from fastnet.sklearn import MLPClassifier, MLPRegressor

# ---- one list until it is replaced


def test_both_lists_follow_assignments_layer_by_layer():
    net, other = square(), Network([3, 3, 3], dtype="float64", seed=2)
    ws, bs = net.weights, net.biases
    for l in range(2):
        ws[l] = other.weights[l]
        bs[l] = other.biases[l]
    assert net.weights is ws
    assert net.biases is bs
    assert_same([*ws, *bs], contents(other))
    np.testing.assert_array_equal(net.feedforward(X), other.feedforward(X))
    ws[1][2, 2], bs[0][1, 0] = 8, 9
    assert (net.weights[1][2, 2], net.biases[0][1, 0]) == (8, 9)
    assert net.feedforward(X)[0, 2] != other.feedforward(X)[0, 2]


@pytest.mark.parametrize(
    "replace",
    [
        train,
        Network.default_weight_initializer,
        Network.large_weight_initializer,
        lambda net: setattr(net, "weights", [w + 1 for w in net.weights]),
        lambda net: net.update_mini_batch(DATA, 0.5, 0.0, 40),
    ],
)
def test_a_list_that_was_replaced_keeps_its_values_and_refuses_assignment(replace):
    net = square()
    weights, expected = net.weights, contents(net)[:2]
    replace(net)
    after = contents(net)
    assert net.weights is not weights
    for which, new in ((0, np.ones((3, 3))), (slice(1, None), [np.ones((3, 3))])):
        with pytest.raises(ValueError, match=r"^weights: expected the list that the network has"):
            weights[which] = new
    assert_same(weights, expected)
    assert_same([*net.weights, *net.biases], after)


def test_assigning_all_weights_leaves_the_list_of_biases():
    net = square()
    biases, expected = net.biases, contents(net)[2:]
    net.weights = [np.ones((3, 3))] * 2
    assert net.biases is biases
    biases[0][0, 0] = 7
    assert net.biases[0][0, 0] == 7
    assert_same(biases[1:], expected[1:])


def test_a_slice_of_the_list_is_a_list_of_its_own():
    net, expected = square(), contents(square())
    part = net.weights[:]
    part[0] = np.ones((3, 3))
    part.append(1)
    assert type(part) is list
    assert_same(net.weights, expected[:2])


def test_assigning_to_a_slice_of_the_network_acts():
    net = square()
    net.weights[1:] = [np.full((3, 3), 2.0)]
    net.biases[:] = [np.ones((3, 1)), np.zeros((3, 1))]
    assert (net.weights[1].min(), net.biases[0].min(), net.biases[1].max()) == (2, 1, 0)


PLAIN = {
    "slices": lambda arrays: arrays[:],
    "sums": lambda arrays: arrays + [],  # noqa: RUF005
    "sums from the right": lambda arrays: [] + arrays,  # noqa: RUF005
    "products": lambda arrays: arrays * 1,
    "products from the right": lambda arrays: 1 * arrays,
    "copy()": lambda arrays: arrays.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickles": lambda arrays: pickle.loads(pickle.dumps(arrays)),
    "old pickles": lambda arrays: pickle.loads(pickle.dumps(arrays, 0)),
}


@pytest.mark.covering(1)
@pytest.mark.parametrize("make", PLAIN.values(), ids=PLAIN.keys())
@pytest.mark.parametrize("name", ["weights", "biases", "sizes", "hidden"])
def test_what_is_made_of_a_list_is_a_plain_list(make, name):
    net = square()
    made = make(getattr(net, name))
    assert type(made) is list
    assert made == getattr(net, name)
    made.append(1)
    made[0] = None
    assert net == square()


def test_weights_and_biases_can_be_added_to_one_list():
    net = square()
    assert_same(net.weights + net.biases, contents(net))


def test_copies_of_the_lists_can_be_written_to_and_are_independent_where_they_are_deep():
    net, expected = square(), contents(square())
    deep, pickled = copy.deepcopy(net.weights), pickle.loads(pickle.dumps(net.weights))
    shallow = net.weights.copy()
    assert shallow[0] is net.weights[0]
    train(net)
    for arrays in (deep, pickled):
        assert_same(arrays, expected[:2])
        arrays[0][0, 0] = 5


def test_lists_are_equal_where_their_values_are():
    net, other = square(), square()
    for equal in (other.weights, list(other.weights), net.weights, copy.deepcopy(net.weights)):
        assert (net.weights == equal, equal == net.weights) == (True, True)
        assert (net.weights != equal, equal != net.weights) == (False, False)
    other.weights[1][2, 2] += 1
    for different in (other.weights, list(other.weights), net.weights[:1], net.biases, [], 5, None):
        assert (net.weights == different, different == net.weights) == (False, False)
        assert (net.weights != different, different != net.weights) == (True, True)


def test_a_list_contains_what_equals_an_element():
    net = square()
    assert net.weights[1].copy() in net.weights
    assert np.zeros((3, 3)) not in net.weights
    assert "w" not in net.biases


def test_the_lists_of_an_estimator_name_it_where_they_refuse():
    classifier = MLPClassifier(max_iter=1, batch_size=10)
    with pytest.warns(Warning, match="Stochastic"):
        classifier.fit(X, Y)
    with pytest.raises(TypeError, match=r"^coefs_: expected .*list\(estimator\.coefs_\)"):
        classifier.coefs_.append(1)


CHANGES = {
    "append": lambda it: it.append(1),
    "extend": lambda it: it.extend([1]),
    "insert": lambda it: it.insert(0, 1),
    "remove": lambda it: it.remove(it[0]),
    "pop": lambda it: it.pop(),
    "clear": lambda it: it.clear(),
    "sort": lambda it: it.sort(key=str),
    "reverse": lambda it: it.reverse(),
    "del": lambda it: it.__delitem__(0),
    "del of a slice": lambda it: it.__delitem__(slice(0, 1)),
    "+=": lambda it: it.__iadd__([1]),
    "*=": lambda it: it.__imul__(2),
}


@pytest.mark.covering(1)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("name", ["weights", "biases", "sizes", "hidden"])
def test_length_and_order_of_a_list_cannot_be_changed(change, name):
    net = square()
    with pytest.raises(TypeError, match=rf"^{name}: expected .*list\(net\.{name}\)"):
        change(getattr(net, name))
    assert net == square()
    assert len(getattr(net, name)) == len(getattr(square(), name))


@pytest.mark.parametrize("which", [0, -1, slice(0, 1)])
@pytest.mark.parametrize("name", ["sizes", "hidden"])
def test_sizes_and_kinds_of_neurons_refuse_assignment(name, which):
    net = square()
    with pytest.raises(TypeError, match=rf"^{name}: expected .*list\(net\.{name}\)"):
        getattr(net, name)[which] = [1]
    assert (net.sizes, net.hidden) == ([3, 3, 3], ["sigmoid"])


def test_sizes_are_read_as_a_list_is():
    sizes = square().sizes
    assert isinstance(sizes, list)
    assert (repr(sizes), json.dumps(sizes), sum(sizes)) == ("[3, 3, 3]", "[3, 3, 3]", 9)
    assert sizes == [3, 3, 3]


# ---- estimators


@pytest.fixture
def clf():
    return MLPRegressor(hidden_layer_sizes=(4,), max_iter=300, random_state=1).fit(X, Y)


def test_assigning_a_layer_of_an_estimator_acts(clf):
    coefs, intercepts = clf.coefs_, clf.intercepts_
    clf.coefs_[1] = np.zeros((4, 1))
    clf.intercepts_[1] = [0.25]
    np.testing.assert_array_equal(clf.predict(X), np.full(40, 0.25))
    assert clf.coefs_ is coefs
    assert clf.intercepts_ is intercepts
    clf.intercepts_[1][0] += 0.5
    np.testing.assert_array_equal(clf.predict(X), np.full(40, 0.75))
    assert_same(clf.network_.weights, [w.T for w in coefs])
    clf.intercepts_ = [np.zeros(4), np.ones(1)]
    np.testing.assert_array_equal(clf.predict(X), np.ones(40))


@pytest.mark.parametrize(
    ("assign", "expected"),
    [
        (
            lambda c: c.coefs_.__setitem__(0, np.ones((2, 4))),
            r"coefs_\[0\]: expected shape \(3, 4\)",
        ),
        (
            lambda c: c.coefs_.__setitem__(0, np.ones((4, 3))),
            r"coefs_\[0\]: expected shape \(3, 4\)",
        ),
        (
            lambda c: c.intercepts_.__setitem__(1, [1, 2]),
            r"intercepts_\[1\]: .* shape \(1,\)",
        ),
        (lambda c: setattr(c, "coefs_", [np.ones((3, 4))]), "coefs_: expected 2 arrays, got 1"),
        (
            lambda c: setattr(c, "intercepts_", [[1], [1]]),
            r"intercepts_\[0\]: .* shape \(4,\)",
        ),
    ],
)
def test_smaller_shapes_are_refused_with_those_expected(clf, assign, expected):
    before = clf.predict(X)
    with pytest.raises(ValueError, match=f"^{expected}"):
        assign(clf)
    np.testing.assert_array_equal(clf.predict(X), before)


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_assigning_before_fit_says_what_is_expected(name):
    with pytest.raises(AttributeError, match=f"{name}: expected an assignment after fit"):
        setattr(MLPClassifier(), name, [np.ones((3, 1))])
