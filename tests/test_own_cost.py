"""A cost class of the user's own."""

import itertools
import pickle

import numpy as np
import pytest

import fastnet
from fastnet import Network


class Restated:
    """The cross-entropy, as the book writes it for one column."""

    @staticmethod
    def fn(a, y):
        return np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a)))

    @staticmethod
    def delta(z, a, y):
        return a - y


class RestatedQuadratic:
    @staticmethod
    def fn(a, y):
        return 0.5 * np.linalg.norm(a - y) ** 2

    @staticmethod
    def delta(z, a, y):
        return (a - y) * fastnet.sigmoid_prime(z)


class RestatedLinear(RestatedQuadratic):
    @staticmethod
    def delta(z, a, y):
        return a - y


class RestatedLogLikelihood(Restated):
    @staticmethod
    def fn(a, y):
        return -np.sum(np.log(a[y == 1]))


class RestatedHuber:
    @staticmethod
    def fn(a, y):
        r = np.abs(a - y)
        return np.sum(r[r <= 1] ** 2) / 2 + np.sum(r[r > 1] - 0.5)

    @staticmethod
    def delta(z, a, y):
        return np.clip(a - y, -1, 1)


class RestatedPoisson(Restated):
    @staticmethod
    def fn(a, y):
        return np.sum(a) - np.sum(y * np.log(a))


def recorder(delta=Restated.delta, fn=Restated.fn):
    """A cost class that keeps what it is called with."""

    class Recorder:
        deltas, fns = [], []

        @staticmethod
        def fn(a, y):
            Recorder.fns.append((a, y))
            return fn(a, y)

        @staticmethod
        def delta(z, a, y):
            Recorder.deltas.append((z, a, y))
            return delta(z, a, y)

    return Recorder


def digits(n=25):
    random = np.random.default_rng(5)
    return random.random((n, 4)), random.integers(3, size=n)


RESTATED = [
    (Restated, None, "cross-entropy"),
    (RestatedQuadratic, "sigmoid", "quadratic"),
    (RestatedLinear, "linear", "quadratic"),
    (RestatedLogLikelihood, "softmax", "log-likelihood"),
    (RestatedHuber, "linear", "huber"),
    (RestatedPoisson, "exponential", "poisson"),
]


@pytest.mark.parametrize(("own", "output", "name"), RESTATED)
@pytest.mark.parametrize(("dtype", "close"), [("float32", 1e-5), ("float64", 1e-12)])
def test_a_built_in_cost_restated_trains_the_same_network(own, output, name, dtype, close):
    restated = Network([4, 5, 3], own, output=output, dtype=dtype, seed=1)
    built_in = Network([4, 5, 3], name, output=output, dtype=dtype, seed=1)
    data = digits()
    histories = [
        net.SGD(data, 4, 10, 0.5, 0.1, data, True, True, True, True, verbose=False)
        for net in (restated, built_in)
    ]
    for array, expected in zip(restated.weights, built_in.weights, strict=True):
        np.testing.assert_allclose(array, expected, rtol=close, atol=close)
    np.testing.assert_allclose(histories[0].training_cost, histories[1].training_cost, rtol=close)
    assert histories[0].evaluation_accuracy == histories[1].evaluation_accuracy
    assert histories[0].training_cost[0] > histories[0].training_cost[-1]


@pytest.mark.parametrize(("own", "output", "name"), RESTATED)
def test_backprop_and_update_mini_batch_use_the_users_delta(own, output, name):
    nets = [
        Network([4, 5, 3], cost, output=output, dtype="float64", seed=1) for cost in (own, name)
    ]
    X, y = digits()
    (nabla_b, nabla_w), expected = (net.backprop(X[0], 2) for net in nets)
    for mine, theirs in zip(nabla_b + nabla_w, expected[0] + expected[1], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    for net in nets:
        net.update_mini_batch((X, y), 0.5, 0.1, 100)
    np.testing.assert_allclose(*(net.weights[0] for net in nets), rtol=1e-12)


def test_a_cost_of_the_users_own_trains_from_an_arbitrary_formula():
    class Fourth:
        @staticmethod
        def fn(a, y):
            return np.sum((a - y) ** 4) / 4

        @staticmethod
        def delta(z, a, y):
            return (a - y) ** 3 * a * (1 - a)

    net = Network([4, 6, 3], Fourth, dtype="float64", seed=1)
    x, y, h = digits()[0][0], np.eye(3)[:, [1]], 1e-5
    nabla_w = net.backprop(x, y)[1]
    for l, place in ((0, (2, 3)), (1, (1, 4))):
        costs = []
        for step in (h, -2 * h):
            net.weights[l][place] += step
            costs.append(net.total_cost(([x], y.T), 0.0))
        net.weights[l][place] += h
        assert nabla_w[l][place] == pytest.approx((costs[0] - costs[1]) / (2 * h), rel=1e-7)


# ---- what the two functions are called with


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_delta_is_called_once_per_mini_batch_with_columns(dtype):
    cost = recorder()
    net = Network([4, 3], cost, dtype=dtype, seed=1)
    net.SGD(digits(n=25), 2, 10, 0.5, verbose=False)
    assert [z.shape for z, _, _ in cost.deltas] == [(3, 10), (3, 10), (3, 5)] * 2
    for arrays in cost.deltas:
        assert {array.shape for array in arrays} == {arrays[0].shape}
        assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize("m", [1024, 1025, 3000])
def test_delta_is_called_once_for_a_large_mini_batch_too(m):
    cost = recorder()
    net = Network([4, 3], cost, seed=1)
    net.SGD(digits(n=m), 1, m, 0.5, verbose=False)
    net.update_mini_batch(digits(n=m), 0.5, 0.0, m)
    assert [z.shape for z, _, _ in cost.deltas] == [(3, m)] * 2


@pytest.mark.parametrize("as_rows", [False, True])
def test_delta_gets_weighted_inputs_activations_and_targets_of_the_mini_batch(as_rows):
    cost = recorder()
    net = Network([4, 3], cost, dtype="float64", seed=1)
    w, b = net.weights[0].copy(), net.biases[0].copy()
    X, labels = digits(n=7)
    net.update_mini_batch((X, np.eye(3)[labels] if as_rows else labels), 0.5, 0.0, 7)
    [(z, a, y)] = cost.deltas
    np.testing.assert_allclose(z, w @ X.T + b, rtol=1e-13)
    np.testing.assert_allclose(a, 1 / (1 + np.exp(-z)), rtol=1e-14)
    np.testing.assert_array_equal(y, np.eye(3)[labels].T)


def test_in_each_epoch_delta_sees_every_example_once_in_a_fresh_order():
    cost = recorder(delta=lambda z, a, y: 0 * z)
    net = Network([1, 1], cost, output="linear", seed=1)
    targets = np.arange(100.0)
    net.SGD((np.ones((100, 1)), targets[:, None]), 3, 7, 0.5, verbose=False)
    seen = np.concatenate([y[0] for _, _, y in cost.deltas]).reshape(3, 100)
    for order in seen:
        np.testing.assert_array_equal(np.sort(order), targets)
    assert len({tuple(order) for order in [targets, *seen]}) == 4


def test_the_arrays_that_delta_gets_are_its_own_to_keep_and_to_change():
    def destructive(z, a, y):
        result = a - y
        for array in (z, a, y):
            array[...] = 7
        return result

    cost = recorder(delta=destructive)
    own, built_in = (Network([4, 5, 3], c, dtype="float64", seed=1) for c in (cost, Restated))
    X, labels = digits()
    y = np.eye(3)[labels]
    for net in (own, built_in):
        net.SGD((X, y), 2, 10, 0.5, verbose=False)
    assert own.weights[0].tolist() == built_in.weights[0].tolist()
    np.testing.assert_array_equal(y, np.eye(3)[labels])
    assert all((array == 7).all() for arrays in cost.deltas for array in arrays)


def test_fn_gets_columns_and_its_sum_over_them_is_averaged():
    cost = recorder()
    net = Network([4, 3], cost, dtype="float64", seed=1)
    X, labels = digits(n=2500)
    total = net.total_cost((X, labels), 0.3)
    assert cost.deltas == []
    a, y = (np.concatenate(columns, axis=1) for columns in zip(*cost.fns, strict=True))
    np.testing.assert_allclose(a, net.feedforward(X).T, rtol=1e-14)
    np.testing.assert_array_equal(y, np.eye(3)[labels].T)
    expected = Restated.fn(a, y) / 2500 + 0.3 / 2500 / 2 * np.sum(net.weights[0] ** 2)
    assert total == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_arrays_that_fn_gets_are_of_the_networks_type_and_its_own(dtype):
    def destructive(a, y):
        a[...], y[...] = 7, 7
        return 0.0

    cost = recorder(fn=destructive)
    net = Network([4, 3], cost, dtype=dtype, seed=1)
    X, labels = digits()
    y = np.eye(3)[labels]
    assert net.total_cost((X, y), 0.0) == net.total_cost((X, labels), 0.0) == 0
    assert {array.dtype for arrays in cost.fns for array in arrays} == {np.dtype(dtype)}
    np.testing.assert_array_equal(y, np.eye(3)[labels])


def test_fn_is_called_only_where_a_cost_is_asked_for():
    cost = recorder()
    net = Network([4, 3], cost, seed=1)
    net.SGD(digits(), 2, 10, 0.5, evaluation_data=digits(), monitor_evaluation_accuracy=True,
            verbose=False)  # fmt: skip
    net.accuracy(digits())
    assert cost.fns == []


def test_a_value_that_is_no_number_is_refused_in_a_few_words():
    for value, came in ((np.zeros((200, 10)), r"shape \(200, 10\)"), ("1", "'1'"), (None, "None")):
        cost = recorder(fn=lambda a, y, value=value: value)
        net = Network([2, 2], cost, seed=1)
        message = rf"^fn: expected a number, the sum over the columns, got {came}$"
        with pytest.raises(TypeError, match=message):
            net.total_cost(([[0.0, 1.0]] * 4, [0, 1, 1, 0]), 0.0)


def test_one_neurons_label_reaches_the_cost_as_its_target():
    cost = recorder()
    net = Network([1, 1], cost, seed=1)
    net.SGD(([[0.5], [0.5]], [0, 1]), 1, 2, 0.5, monitor_training_cost=True, verbose=False)
    assert sorted(cost.deltas[0][2][0]) == [0, 1]
    np.testing.assert_array_equal(cost.fns[0][1], [[0, 1]])


# ---- errors


class Stop(BaseException):
    """Not even an Exception."""


def failing(call, error):
    """A cost whose delta raises at its n-th call."""
    calls = itertools.count(1)

    def delta(z, a, y):
        if next(calls) == call:
            raise error
        return a - y

    return recorder(delta)


@pytest.mark.parametrize("error", [ZeroDivisionError("mine"), KeyboardInterrupt(), Stop("mine")])
@pytest.mark.parametrize("act", [
    lambda net: net.SGD(digits(), 2, 10, 0.5),
    lambda net: net.update_mini_batch(digits(), 0.5, 0.1, 25),
    lambda net: net.update_mini_batch(digits(n=3000), 0.5, 0.1, 25),
    lambda net: net.backprop(digits()[0][0], 1),
], ids=["SGD", "update_mini_batch", "large mini-batch", "backprop"])  # fmt: skip
def test_an_error_in_delta_comes_out_as_it_is_and_leaves_the_network_as_it_was(act, error):
    net = Network([4, 5, 3], failing(1, error), seed=1)
    with pytest.raises(type(error)) as caught:
        act(net)
    assert caught.value is error
    assert "delta" in [entry.name for entry in caught.traceback]
    assert net.weights[0].tolist() == Network([4, 5, 3], Restated, seed=1).weights[0].tolist()


def test_after_an_error_within_an_epoch_the_parameters_are_those_of_the_last_whole_epoch():
    net = Network([4, 5, 3], failing(5, ZeroDivisionError("mine")), seed=1)
    whole = Network([4, 5, 3], Restated, seed=1)
    whole.SGD(digits(), 1, 10, 0.5, verbose=False)
    with pytest.raises(ZeroDivisionError, match="mine"):
        net.SGD(digits(), 3, 10, 0.5, verbose=False)  # 3 mini-batches an epoch
    assert net.weights[0].tolist() == whole.weights[0].tolist()


def test_an_error_in_fn_comes_out_as_it_is():
    def fn(a, y):
        raise ZeroDivisionError("mine")

    net = Network([4, 3], recorder(fn=fn), seed=1)
    with pytest.raises(ZeroDivisionError, match="mine"):
        net.total_cost(digits(), 0.0)
    with pytest.raises(ZeroDivisionError, match="mine"):
        net.SGD(digits(), 1, 10, 0.5, monitor_training_cost=True, verbose=False)
    net.SGD(digits(), 1, 10, 0.5, verbose=False)  # goes on without it


@pytest.mark.parametrize(
    ("result", "came"),
    [
        (lambda a: a.T, "(10, 3)"),
        (lambda a: a[:, :1], "(3, 1)"),
        (lambda a: a[0], "(10,)"),
        (lambda a: a.sum(), "()"),
        (lambda a: a[None], "(1, 3, 10)"),
        (lambda a: None, ""),
    ],
)
def test_a_delta_of_wrong_shape_raises_an_error_and_leaves_the_network_as_it_was(result, came):
    net = Network([4, 3], recorder(delta=lambda z, a, y: result(a - y)), seed=1)
    with pytest.raises((ValueError, TypeError), match=r"^delta: expected") as caught:
        net.SGD(digits(), 1, 10, 0.5)
    assert "(3, 10)" in str(caught.value)
    assert came in str(caught.value)
    assert net.weights[0].tolist() == Network([4, 3], seed=1).weights[0].tolist()


@pytest.mark.parametrize("result", ["large", 1j, [["a"] * 10] * 3, np.full((3, 10), 1j)])
def test_a_delta_that_is_no_array_of_real_numbers_raises_an_error_that_names_it(result):
    net = Network([4, 3], recorder(delta=lambda z, a, y: result), seed=1)
    with pytest.raises((ValueError, TypeError), match=r"^delta: expected"):
        net.SGD(digits(), 1, 10, 0.5)
    assert net.weights[0].tolist() == Network([4, 3], seed=1).weights[0].tolist()


@pytest.mark.parametrize("result", [None, "much", np.ones((3, 25)), np.ones(25), 1j])
def test_an_fn_that_returns_no_number_raises_an_error_that_names_it(result):
    net = Network([4, 3], recorder(fn=lambda a, y: result), seed=1)
    with pytest.raises((ValueError, TypeError), match=r"^fn: expected"):
        net.total_cost(digits(), 0.0)


def test_a_delta_that_is_not_finite_is_a_divergence():
    net = Network([4, 3], recorder(delta=lambda z, a, y: a / 0 * np.nan), seed=1)
    before = net.weights[0].tolist()
    with np.errstate(all="ignore"), pytest.raises(fastnet.DivergenceError, match="epoch 1"):
        net.SGD(digits(), 1, 10, 0.5)
    assert net.weights[0].tolist() == before


class OnlyFn:
    fn = staticmethod(Restated.fn)


class OnlyDelta:
    delta = staticmethod(Restated.delta)


@pytest.mark.parametrize("cost", [OnlyFn, OnlyDelta, object, None, 3, len])
def test_a_class_without_the_two_functions_is_no_cost(cost):
    with pytest.raises(ValueError, match=r"^cost: expected.*fn\(a, y\).*delta\(z, a, y\).*got"):
        Network([4, 3], cost)


# ---- files


@pytest.mark.parametrize("output", ["sigmoid", "linear", "softmax", "exponential"])
def test_a_network_with_the_users_cost_is_loaded_by_giving_the_class(tmp_path, output):
    net = Network([4, 5, 3], Restated, output=output, seed=1)
    net.save(tmp_path / "net.json")
    loaded = fastnet.load(tmp_path / "net.json", cost=Restated)
    assert loaded == net
    assert (loaded.cost, loaded.output) == (Restated, output)
    loaded.SGD(digits(), 1, 10, 0.5, verbose=False)
    with pytest.raises(ValueError, match=r"cost: .*Restated.*cost="):
        fastnet.load(tmp_path / "net.json")


def test_the_users_class_is_not_taken_for_a_built_in_of_the_same_name(tmp_path):
    own = type("CrossEntropyCost", (RestatedLinear,), {})
    Network([4, 3], own, seed=1).save(tmp_path / "net.json")
    with pytest.raises(ValueError, match="cost="):
        fastnet.load(tmp_path / "net.json")
    assert fastnet.load(tmp_path / "net.json", cost=own).cost is own


def test_a_network_with_the_users_cost_is_pickled_and_trains_on(tmp_path):
    net = Network([4, 3], Restated, seed=1)
    twin = pickle.loads(pickle.dumps(net))
    for each in (net, twin):
        each.SGD(digits(), 2, 10, 0.5, verbose=False)
    assert net == twin
