"""Changes of a network from elsewhere while it trains or is used, its cost, and its memory."""

import copy
import gc
import pickle
import signal
import threading
import tracemalloc
import weakref
from contextlib import suppress

import numpy as np
import pytest
from square_networks import DATA, X, Y, assert_same, contents, square, train

import fastnet
from fastnet import CrossEntropyCost, Network, QuadraticCost
from fastnet.sklearn import MLPRegressor

# ---- the cost


def test_another_cost_that_goes_with_the_output_layer_acts():
    net, quadratic = square(), square(cost=QuadraticCost)
    net.cost = QuadraticCost
    assert net.cost is QuadraticCost
    assert net == quadratic
    train(net)
    train(quadratic)
    assert net == quadratic
    assert net.total_cost(DATA, 0.0) == quadratic.total_cost(DATA, 0.0)
    net.cost = "cross-entropy"
    assert net.cost is CrossEntropyCost


@pytest.mark.parametrize("cost", ["log-likelihood", fastnet.HuberCost, "hinge", None, object])
def test_a_cost_that_does_not_go_with_the_output_layer_is_refused(cost):
    net = square()
    with pytest.raises(ValueError, match="cost"):
        net.cost = cost
    assert net == square()


# ---- changes from elsewhere while a call of the kernels trains

CHANGED = {
    "weights": lambda net: setattr(net, "weights", [np.ones((3, 3))] * 2),
    "biases": lambda net: setattr(net, "biases", net.biases),
    "an element": lambda net: net.weights.__setitem__(0, np.ones((3, 3))),
    "an element to its own place": lambda net: net.weights.__setitem__(0, net.weights[0]),
    "a slice": lambda net: net.biases.__setitem__(slice(0, 1), [np.ones((3, 1))]),
    "default_weight_initializer": Network.default_weight_initializer,
    "large_weight_initializer": Network.large_weight_initializer,
    "SGD": train,
    "SGD of no epoch": lambda net: train(net, 0),
    "update_mini_batch": lambda net: net.update_mini_batch(DATA, 0.5, 0.0, 40),
    "cost": lambda net: setattr(net, "cost", "quadratic"),
}
changes = pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())


def attempt(change, net, raised):
    try:
        change(net)
    except RuntimeError as error:
        raised.append(str(error))


class Looking(QuadraticCost):
    """A cost of one's own that calls ``look``, in the middle of a training."""

    look = staticmethod(lambda: None)

    @classmethod
    def delta(cls, z, a, y):
        cls.look()
        return a - y


@changes
@pytest.mark.parametrize("where", ["cost", "thread"])
def test_a_cost_and_other_threads_cannot_change_a_network_that_trains(change, where, monkeypatch):
    net, undisturbed, raised = square(cost=Looking), square(cost=Looking), []
    train(undisturbed, 2)

    def look():
        if where == "cost":
            return attempt(change, net, raised)
        thread = threading.Thread(target=attempt, args=(change, net, raised))
        thread.start()
        return thread.join(30)

    monkeypatch.setattr(Looking, "look", staticmethod(look))
    train(net, 2)
    assert len(raised) == 8
    assert all(text.startswith("the network is being trained") for text in raised)
    assert net == undisturbed
    train(net)  # and is as usual afterwards
    change(net)


class Ended(BaseException):
    """What a handler raises to end a training."""


@changes
def test_the_handler_of_a_signal_cannot_change_a_network_that_trains(change, always):
    net, raised = square(), []

    def interrupted_training():
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        train(net, 1_000_000)

    def handler(*_):
        attempt(change, net, raised)
        raise Ended

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for _ in range(20):  # until one comes while the kernels train
            with pytest.raises(Ended):
                interrupted_training()
            if raised:
                break
    finally:
        signal.signal(signal.SIGALRM, before)
    assert raised[0].startswith("the network is being trained")
    train(net)
    change(net)


def test_an_error_that_a_change_raises_in_a_cost_ends_the_training(monkeypatch):
    net = square(cost=Looking)
    monkeypatch.setattr(Looking, "look", staticmethod(net.large_weight_initializer))
    with pytest.raises(RuntimeError, match="being trained"):
        train(net)
    assert net == square(cost=Looking)
    monkeypatch.undo()
    train(net)


def test_arrays_taken_during_a_training_refuse_writing_until_it_ends(monkeypatch):
    net, taken, raised = square(cost=Looking), [], []

    def look():
        taken.append(net.weights[0])
        try:
            net.weights[0] += 1
        except ValueError as error:
            raised.append(str(error))

    monkeypatch.setattr(Looking, "look", staticmethod(look))
    train(net)
    assert len(raised) == 4
    assert all("read-only" in text for text in raised)
    assert taken[0] is net.weights[0]
    net.weights[0][0, 0] = 5
    assert net.weights[0][0, 0] == 5


def test_a_training_that_an_interrupt_ends_before_its_first_step_leaves_the_network_usable():
    def interrupt(*_):
        raise KeyboardInterrupt

    before, net = signal.signal(signal.SIGALRM, interrupt), Network([400, 300, 1], seed=1)
    data = fastnet.Dataset(np.ones((2, 400)), [0, 1])
    try:
        for k in range(300):
            with suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 1e-6 * (k % 60 + 1))
                net.update_mini_batch(data, 0.1, 0.0, 2)
                net.weights[0] = net.weights[0] + 1
                net.biases = list(net.biases)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    net.update_mini_batch(data, 0.1, 0.0, 2)
    net.weights[0][...] = 0
    net.biases[1][...] = 0
    assert_same(net._model.parameters.arrays("weights")[:1], [np.zeros((300, 400))])
    assert_same(net._model.parameters.arrays("biases")[1:], [np.zeros((1, 1))])


# ---- other threads during moves


def test_evaluations_in_other_threads_are_sound_while_parameters_move():
    net = Network([3, 50, 3], dtype="float64", seed=1)
    kept = [contents(net), [a * 0.5 for a in contents(net)]]
    predict, x, right, wrong, stop = net.predictor(), X[0].copy(), [], [], threading.Event()
    for arrays in kept:
        net.weights, net.biases = arrays[:2], arrays[2:]
        right.append(net.feedforward(X))
    net.weights, net.biases = kept[0][:2], kept[0][2:]
    mixed = Network([3, 50, 3], dtype="float64", seed=1)  # between the two assignments
    mixed.weights = kept[1][:2]
    right += [mixed.feedforward(X)]
    mixed.weights, mixed.biases = kept[0][:2], kept[1][2:]
    right += [mixed.feedforward(X)]

    def look():
        while not stop.is_set():
            many, one, copied = net.feedforward(X), net.feedforward(x), predict(x).copy()
            for came, index in ((many, slice(None)), (one, 0), (copied, 0)):
                if not any(np.allclose(came, out[index], rtol=1e-12) for out in right):
                    wrong.append(came)

    thread = threading.Thread(target=look)
    thread.start()
    for k in range(300):
        net.weights = kept[k % 2][:2]
        net.biases = kept[k % 2][2:]
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert wrong == []


def test_two_threads_that_assign_layers_of_one_network_lose_none():
    net = Network([60, 60, 60], dtype="float64", seed=1)

    def assign(l):
        for k in range(200):
            net.weights[l] = np.full((60, 60), float(k))
            if net.weights[l].min() != k:
                lost.append(k)

    lost, threads = [], [threading.Thread(target=assign, args=(l,)) for l in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert lost == []
    assert [w.min() for w in net.weights] == [199, 199]


# ---- predictors


def test_the_class_behind_a_predictor_cannot_be_subclassed_or_made_without_its_arguments():
    kind = type(Network([3, 2], seed=1).predictor())
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Mine", (kind,), {"__init__": lambda self: None})
    for make in (kind, lambda: kind.__new__(kind), lambda: kind([3, 2], "sigmoid", None)):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        object.__new__(kind)


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_predictor_is_not_copied_or_pickled(make):
    with pytest.raises(TypeError):
        make(Network([3, 2], seed=1).predictor())


def test_the_array_of_a_predictor_cannot_be_resized():
    predict = Network([3, 3], seed=1).predictor()
    out = predict(np.ones(3, np.float32))
    with pytest.raises(ValueError, match="resize"):
        out.resize((1000,), refcheck=False)
    assert predict(np.ones(3, np.float32)) is out


def test_a_network_cannot_be_made_anew_while_it_trains():
    class Cost(QuadraticCost):
        @staticmethod
        def delta(z, a, y):
            for again in (lambda: net.__init__([3, 3, 3]), lambda: net.__setstate__(state)):
                with pytest.raises(RuntimeError, match="being trained"):
                    again()
            return a - y

    net = square(cost=Cost)
    state, twin = net.__getstate__(), net.copy()
    train(net)
    assert net.weights != twin.weights
    assert net.cost is Cost


# ---- memory


@pytest.fixture
def million():
    """A network of a million parameters of 8 bytes, and what tracemalloc counts for it."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    net = Network([1000, 999, 1], QuadraticCost, output="linear", dtype="float64", seed=1)
    yield net, 8 * 1001 * 1000
    tracemalloc.stop()
    gc.enable()


def test_a_training_takes_two_copies_of_the_parameters_and_leaves_one(million):
    net, size = million
    data = fastnet.Dataset(np.ones((2, 1000)), [0, 1])
    assert tracemalloc.get_traced_memory()[0] < 1.1 * size
    for _ in range(4):
        tracemalloc.reset_peak()
        weights = net.weights
        weights[0][0, 0] = 1
        del weights
        net.update_mini_batch(data, 0.5, 0.0, 2)
        net.SGD(data, 3, 1, 0.5, verbose=False, callbacks=[lambda net, epoch, history: None])
        assert tracemalloc.get_traced_memory()[0] < 1.1 * size
        assert tracemalloc.get_traced_memory()[1] < 2.3 * size


def test_a_training_that_diverges_takes_two_copies_and_leaves_one(million):
    net, size = million
    data = fastnet.Dataset(np.ones((2, 1000)), [[0.0], [1e10]])
    tracemalloc.reset_peak()
    for _ in range(3):
        with pytest.raises(fastnet.DivergenceError):
            net.update_mini_batch(data, 1e308, 0.0, 1)
    assert tracemalloc.get_traced_memory()[0] < 1.1 * size
    assert tracemalloc.get_traced_memory()[1] < 2.3 * size


def test_assignments_and_initializers_leave_one_copy(million):
    net, size = million
    for _ in range(3):
        w = np.ones((999, 1000))
        net.weights[0] = w
        net.weights = [w, np.ones((1, 999))]
        del w
        net.large_weight_initializer()
        assert tracemalloc.get_traced_memory()[0] < 1.1 * size


def test_no_cycle_of_references_keeps_storage_or_a_network():
    gc.collect()
    gc.disable()
    try:
        net = square()
        old = weakref.ref(net.weights[0].base)
        train(net)
        assert old() is None
        predict, lists = net.predictor(), (net.weights, net.biases)
        own = weakref.ref(net._model.parameters)
        del net, predict
        assert own() is None
        with pytest.raises(ValueError, match="network is gone"):
            lists[0][0] = np.ones((3, 3))
    finally:
        gc.enable()


def test_an_estimator_whose_training_diverges_keeps_no_old_storage():
    clf = MLPRegressor(hidden_layer_sizes=(4,), max_iter=300, random_state=1)
    clf.fit(X, Y).set_params(warm_start=True, solver="sgd", learning_rate_init=1e300)
    gc.collect()
    gc.disable()
    try:
        old = weakref.ref(clf.coefs_[0].base)
        with pytest.raises(fastnet.DivergenceError):
            clf.fit(X, 1e10 * Y)
        assert old() is None
    finally:
        gc.enable()
