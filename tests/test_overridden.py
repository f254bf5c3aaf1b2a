"""Methods that a subclass, or one network, overrides are called, as network2.py calls them."""

import contextlib
import copy
import io
import json
import pickle
import re
import types
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import fastnet
from fastnet import Dataset, Network, _kernels
from fastnet.random_stream import RandomStream

SIZES, M, ETA, LMBDA, EPOCHS, SEED = [4, 5, 3], 7, 0.7, 0.4, 3, 5
EVERY_FIGURE = {
    "monitor_evaluation_cost": True,
    "monitor_evaluation_accuracy": True,
    "monitor_training_cost": True,
    "monitor_training_accuracy": True,
}


# ---- network2's algorithm, in plain NumPy ----------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class CrossEntropy:
    @staticmethod
    def fn(a, y):
        return -(y * np.log(a) + (1 - y) * np.log1p(-a)).sum()

    @staticmethod
    def delta(z, a, y):
        return a - y


class Quadratic:
    @staticmethod
    def fn(a, y):
        return ((a - y) ** 2).sum() / 2

    @staticmethod
    def delta(z, a, y):
        return (a - y) * a * (1 - a)


class Algorithm:
    """What network2's Network computes, method by method, in float64."""

    def __init__(self, sizes, cost):
        self.sizes, self.cost = sizes, cost
        self.default_weight_initializer()

    def default_weight_initializer(self):
        self.biases = [np.ones((n, 1)) for n in self.sizes[1:]]
        self.weights = [np.ones(shape[::-1]) for shape in pairwise(self.sizes)]

    def layers(self, x):
        """[(z, a)] behind the input."""
        computed, a = [], x
        for w, b in zip(self.weights, self.biases, strict=True):
            z = w @ a + b
            a = sigmoid(z)
            computed.append((z, a))
        return computed

    def feedforward(self, a):
        return self.layers(a)[-1][1]

    def backprop(self, x, y):
        computed = self.layers(x)
        inputs = [x, *(a for _, a in computed)]
        error = self.cost.delta(*computed[-1], y)
        errors = [error]
        for w, (_, a) in zip(self.weights[:0:-1], computed[-2::-1], strict=True):
            errors.insert(0, w.T @ errors[0] * a * (1 - a))
        return errors, [e @ a.T for e, a in zip(errors, inputs[:-1], strict=True)]

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        gradients = [self.backprop(x, y) for x, y in mini_batch]
        rate = eta / len(mini_batch)
        nabla_b, nabla_w = (
            [sum(g) for g in zip(*each, strict=True)] for each in zip(*gradients, strict=True)
        )
        decay = 1 - eta * lmbda / n
        self.weights = [decay * w - rate * g for w, g in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - rate * g for b, g in zip(self.biases, nabla_b, strict=True)]

    def accuracy(self, data, convert=False):
        return sum(
            int(self.feedforward(x).argmax() == (y.argmax() if convert else y)) for x, y in data
        )

    def total_cost(self, data, lmbda, convert=False):
        costs = [
            self.cost.fn(self.feedforward(x), np.eye(self.sizes[-1])[:, [y]] if convert else y)
            for x, y in data
        ]
        squares = sum((w**2).sum() for w in self.weights)
        return (sum(costs) + lmbda / 2 * squares) / len(data)

    def SGD(self, data, orders, m, eta, lmbda, evaluation):
        figures = [], [], [], []
        for order in orders:
            for first in range(0, len(order), m):
                mini_batch = [data[i] for i in order[first : first + m]]
                self.update_mini_batch(mini_batch, eta, lmbda, len(data))
            figures[0].append(self.total_cost(evaluation, lmbda, convert=True))
            figures[1].append(self.accuracy(evaluation))
            figures[2].append(self.total_cost(data, lmbda))
            figures[3].append(self.accuracy(data, convert=True))
        return figures


# ---- one override of each method, for a subclass of either -----------------


class OwnInitializer:
    def default_weight_initializer(self):
        rng = np.random.default_rng(2)
        sizes = self.sizes
        self.weights = [rng.uniform(-1, 1, (n_out, n_in)) for n_in, n_out in pairwise(sizes)]
        self.biases = [rng.uniform(-1, 1, (n, 1)) for n in sizes[1:]]


class ClippedGradient:
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        return [g.clip(-0.02, 0.02) for g in nabla_b], [g.clip(-0.02, 0.02) for g in nabla_w]


class MomentumOfItsOwn:
    """Keeps velocities, and binds new lists."""

    velocities = None

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        total = [np.zeros(p.shape) for p in [*self.biases, *self.weights]]
        for x, y in mini_batch:
            nabla_b, nabla_w = self.backprop(x, y)
            total = [t + g for t, g in zip(total, [*nabla_b, *nabla_w], strict=True)]
        old = self.velocities or [0.0] * len(total)
        self.velocities = [0.5 * v + g / len(mini_batch) for v, g in zip(old, total, strict=True)]
        layers = len(self.biases)
        steps = [eta * v for v in self.velocities]
        self.biases = [b - s for b, s in zip(self.biases, steps[:layers], strict=True)]
        self.weights = [
            (1 - eta * lmbda / n) * w - s for w, s in zip(self.weights, steps[layers:], strict=True)
        ]


class WritesInPlace:
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        for x, y in mini_batch:
            nabla_b, nabla_w = self.backprop(x, y)
            for l in range(len(self.weights)):
                self.weights[l] -= eta / 10 * nabla_w[l]
                self.biases[l][...] -= eta / 10 * nabla_b[l]


class StepAndMore:
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        super().update_mini_batch(mini_batch, eta, lmbda, n)
        self.biases[-1] = self.biases[-1] - self.biases[-1].mean()


class RolledOutputs:
    def feedforward(self, a):
        return np.roll(super().feedforward(a), 1, axis=0)


class BestTwo:
    def accuracy(self, data, convert=False):
        digits = [y.argmax() if convert else y for _, y in data]
        outputs = [self.feedforward(x).ravel() for x, _ in data]
        return sum(int(y in a.argsort()[-2:]) for a, y in zip(outputs, digits, strict=True))


class AbsoluteError:
    def total_cost(self, data, lmbda, convert=False):
        columns = [np.eye(3)[:, [y]] if convert else y for _, y in data]
        errors = [
            np.abs(self.feedforward(x) - y).sum() for (x, _), y in zip(data, columns, strict=True)
        ]
        return np.mean(errors) + lmbda


class MoreOfTheCost:
    def total_cost(self, data, lmbda, convert=False):
        return 1 + 2 * super().total_cost(data, lmbda, convert)


OVERRIDES = [
    (OwnInitializer,),
    (ClippedGradient,),
    (MomentumOfItsOwn,),
    (WritesInPlace,),
    (StepAndMore,),
    (RolledOutputs,),
    (BestTwo,),
    (AbsoluteError,),
    (MoreOfTheCost,),
    (ClippedGradient, MomentumOfItsOwn),
    (StepAndMore, ClippedGradient),
    (BestTwo, AbsoluteError, RolledOutputs),
    (OwnInitializer, ClippedGradient, StepAndMore, RolledOutputs, BestTwo, MoreOfTheCost),
]


def subclass(*overrides):
    return type("Subclass", (*overrides, Network), {})


def examples(n, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (n, 4)), rng.integers(0, 3, n)


def as_pairs(X, y):
    """The book's training data."""
    return [(x[:, None], np.eye(3)[:, [label]]) for x, label in zip(X, y, strict=True)]


def with_labels(X, y):
    """The book's test data."""
    return [(x[:, None], int(label)) for x, label in zip(X, y, strict=True)]


TRAINING, EVALUATION = examples(31, 0), examples(13, 1)


def network(*overrides, dtype="float64", **options):
    return subclass(*overrides)(SIZES, dtype=dtype, seed=SEED, **options)


def trained(net, training=None, epochs=EPOCHS, **options):
    """The history of a silent training, all figures followed."""
    options = {"evaluation_data": with_labels(*EVALUATION), **EVERY_FIGURE, **options}
    training = as_pairs(*TRAINING) if training is None else training
    return net.SGD(training, epochs, M, ETA, LMBDA, verbose=False, **options)


def parameters(net):
    return [np.array(p) for p in [*net.weights, *net.biases]]


# ---- to 1e-12 --------------------------------------------------------------


@pytest.mark.parametrize("overrides", OVERRIDES, ids=lambda o: "+".join(c.__name__ for c in o))
@pytest.mark.parametrize("cost", [Quadratic, CrossEntropy])
def test_a_subclass_trains_as_the_same_subclass_of_network2_does(overrides, cost):
    name = {Quadratic: "quadratic", CrossEntropy: "cross-entropy"}[cost]
    net = network(*overrides, cost=name)
    book = type("Book", (*overrides, Algorithm), {})(SIZES, cost)
    if OwnInitializer in overrides:
        for mine, theirs in zip(parameters(net), parameters(book), strict=True):
            assert (mine == theirs).all()
    book.weights, book.biases = [*map(np.array, net.weights)], [*map(np.array, net.biases)]
    net.reseed(SEED)
    stream = RandomStream(SEED)
    orders = [stream.permutation(31) for _ in range(EPOCHS)]
    history = trained(net)
    wanted = book.SGD(
        as_pairs(*TRAINING), orders, M, ETA, LMBDA, evaluation=with_labels(*EVALUATION)
    )
    for mine, theirs in zip(parameters(net), parameters(book), strict=True):
        assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13)
    for figures, expected in zip(history, wanted, strict=True):
        assert_allclose(figures, expected, rtol=1e-12)
    plain = Network(SIZES, name, dtype="float64", seed=SEED)
    if OwnInitializer not in overrides:
        plain.reseed(SEED)
    different = (
        trained(plain) != history or parameters(plain)[0].tolist() != net.weights[0].tolist()
    )
    assert different


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_override_that_calls_the_packages_method_trains_to_the_same_bits(dtype):
    class Counting:
        calls = 0

        def update_mini_batch(self, mini_batch, eta, lmbda, n):
            self.calls += 1
            super().update_mini_batch(mini_batch, eta, lmbda, n)

    net, plain = network(Counting, dtype=dtype), Network(SIZES, dtype=dtype, seed=SEED)
    for each in (net, plain):
        each.SGD(as_pairs(*TRAINING), EPOCHS, M, ETA, verbose=False)
    assert net == plain
    assert net.calls == EPOCHS * 5


def test_gradients_and_outputs_of_the_package_serve_overrides_with_every_output_layer(pair):
    class Through:
        calls = 0

        def backprop(self, x, y):
            self.calls += 1
            return super().backprop(x, y)

        def feedforward(self, a):
            self.calls += 1
            return super().feedforward(a)

    output, cost = pair
    options = {"output": output, "dtype": "float64", "seed": SEED, "hidden": "tanh"}
    y = np.eye(3)[TRAINING[1]]
    nets = [kind([4, 5, 3], cost, **options) for kind in (subclass(Through), Network)]
    histories = [
        net.SGD((TRAINING[0], y), 2, M, 0.05, LMBDA, verbose=False, monitor_training_cost=True)
        for net in nets
    ]
    assert_allclose(histories[0].training_cost, histories[1].training_cost, rtol=1e-12)
    for mine, theirs in zip(*map(parameters, nets), strict=True):
        assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)
    assert nets[0].calls == 2 * 2 * 31


@pytest.mark.parametrize("label", [0, 1])
def test_the_label_of_a_single_output_is_a_column_of_one_number(label):
    net = subclass(Recording)([4, 1], seed=SEED)
    net.SGD((TRAINING[0], TRAINING[1] % 2), 1, M, ETA, verbose=False)
    targets = [args[1] for args, _ in net.of("backprop")]
    assert all(y.shape == (1, 1) for y in targets)
    assert sum(y.item() == label for y in targets) == (TRAINING[1] % 2 == label).sum()


# ---- who is called, with what ----------------------------------------------


class Recording:
    """Remembers the arguments of each call."""

    def __init__(self, *args, **kwargs):
        self.calls = []
        super().__init__(*args, **kwargs)

    def update_mini_batch(self, *args, **kwargs):
        self.calls.append(("update_mini_batch", args, kwargs))
        super().update_mini_batch(*args, **kwargs)

    def backprop(self, *args, **kwargs):
        self.calls.append(("backprop", args, kwargs))
        return super().backprop(*args, **kwargs)

    def accuracy(self, *args, **kwargs):
        self.calls.append(("accuracy", args, kwargs))
        return super().accuracy(*args, **kwargs)

    def total_cost(self, *args, **kwargs):
        self.calls.append(("total_cost", args, kwargs))
        return super().total_cost(*args, **kwargs)

    def feedforward(self, *args, **kwargs):
        self.calls.append(("feedforward", args, kwargs))
        return super().feedforward(*args, **kwargs)

    def of(self, name):
        return [(args, kwargs) for called, args, kwargs in self.calls if called == name]


BYTES = np.arange(124, dtype=np.uint8).reshape(31, 4)
FORMS = {
    "pairs": as_pairs(*TRAINING),
    "labels": with_labels(*TRAINING),
    "arrays": TRAINING,
    "bytes": Dataset(BYTES, TRAINING[1], scale=1 / 256),
    "sparse": Dataset(sparse.csr_array(TRAINING[0]), TRAINING[1]),
    "one-hot rows": (TRAINING[0], np.eye(3)[TRAINING[1]]),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
def test_mini_batches_are_lists_of_columns_in_the_order_of_the_training(form, dtype):
    net = network(Recording, dtype=dtype)
    net.reseed(SEED)
    net.SGD(FORMS[form], 2, M, ETA, LMBDA, verbose=False)
    stream = RandomStream(SEED)
    X = BYTES / 256 if form == "bytes" else TRAINING[0]
    X, targets = X.astype(dtype), np.eye(3, dtype=dtype)[TRAINING[1]]
    calls = iter(net.of("update_mini_batch"))
    for order in (stream.permutation(31), stream.permutation(31)):
        for first in range(0, 31, M):
            (mini_batch, *others), keywords = next(calls)
            assert (others, keywords) == ([ETA, LMBDA, 31], {})
            assert type(mini_batch) is list
            for (x, y), s in zip(mini_batch, order[first : first + M], strict=True):
                assert (x.shape, x.dtype, y.shape, y.dtype) == ((4, 1), dtype, (3, 1), dtype)
                assert (x.ravel() == X[s]).all()
                assert (y.ravel() == targets[s]).all()
    assert next(calls, None) is None
    for (x, y), keywords in net.of("backprop"):
        assert (x.shape, y.shape, x.dtype, y.dtype, keywords) == ((4, 1), (3, 1), dtype, dtype, {})
    assert len(net.of("backprop")) == 62


class OwnSequence:
    """Data of a class of its own, which can be read again and again."""

    def __iter__(self):
        return iter(with_labels(*EVALUATION))


@pytest.mark.parametrize(
    "evaluation",
    [with_labels(*EVALUATION), EVALUATION, Dataset(*EVALUATION), OwnSequence()],
    ids=["list", "arrays", "Dataset", "own"],
)
def test_figures_are_asked_for_as_in_network2_with_the_callers_own_evaluation_data(evaluation):
    net = network(Recording)
    trained(net, epochs=1, evaluation_data=evaluation)
    on_evaluation, on_training = net.of("accuracy")
    assert on_evaluation[0][0] is evaluation
    assert (len(on_evaluation[0]), on_evaluation[1]) == (1, {})
    assert on_training[1] == {"convert": True}
    cost_on_evaluation, cost_on_training = net.of("total_cost")
    assert cost_on_evaluation[0][0] is evaluation
    assert (cost_on_evaluation[0][1:], cost_on_evaluation[1]) == ((LMBDA,), {"convert": True})
    assert (cost_on_training[0][1:], cost_on_training[1]) == ((LMBDA,), {})
    for data in (on_training[0][0], cost_on_training[0][0]):
        assert type(data) is list
        assert all(x.shape == (4, 1) and y.shape == (3, 1) for x, y in data)
        assert [y.argmax() for _, y in data] == TRAINING[1].tolist()
    columns = [args[0] for args, _ in net.of("feedforward")]
    assert len(columns) == 2 * (31 + 13)
    assert all(a.shape == (4, 1) and a.dtype == np.float64 for a in columns)


def test_an_iterator_of_evaluation_data_is_handed_over_as_a_list():
    net = network(Recording)
    trained(net, epochs=2, evaluation_data=iter(with_labels(*EVALUATION)))
    first, _, second, _ = [args[0] for args, _ in net.of("accuracy")]
    assert type(first) is list
    assert len(first) == len(second) == 13


def test_what_an_override_does_to_its_lists_and_columns_stays_with_it():
    class Destructive(Recording):
        def accuracy(self, data, convert=False):
            right = super().accuracy(data, convert)
            if convert:
                data.reverse()
            return right

    training = as_pairs(*TRAINING)
    net, plain = network(Destructive), network(Recording)
    assert trained(net, training) == trained(plain, training)
    assert net == plain
    before = copy.deepcopy(training)

    class Scribbling:
        def update_mini_batch(self, mini_batch, eta, lmbda, n):
            for x, y in mini_batch:
                x[...], y[...] = 0.5, 0.5
            mini_batch.clear()

    trained(network(Scribbling), training)
    assert all((a == b).all() for p, q in zip(training, before, strict=True)
               for a, b in zip(p, q, strict=True))  # fmt: skip


def test_a_network_of_the_package_itself_calls_no_python_method(monkeypatch):
    net = Network(SIZES, seed=SEED)
    monkeypatch.setattr("fastnet.overridden.pairs_of", None)
    assert len(trained(net).training_cost) == EPOCHS


# ---- what counts as overridden ---------------------------------------------


def test_a_function_that_one_network_was_given_counts():
    net, other = Network(SIZES, seed=SEED), Network(SIZES, seed=SEED)
    net.accuracy = lambda data, convert=False: 7
    assert trained(net).evaluation_accuracy == [7] * EPOCHS
    assert trained(other).evaluation_accuracy != [7] * EPOCHS


def test_a_method_that_was_replaced_in_the_packages_class_counts(monkeypatch):
    monkeypatch.setattr(Network, "total_cost", lambda self, data, lmbda, convert=False: 1.5)
    assert trained(Network(SIZES, seed=SEED)).training_cost == [1.5] * EPOCHS
    monkeypatch.undo()
    assert trained(Network(SIZES, seed=SEED)).training_cost != [1.5] * EPOCHS


def test_a_subclass_that_takes_the_packages_method_back_overrides_nothing():
    class Back(subclass(ClippedGradient)):
        backprop = Network.backprop

    net, plain = Back(SIZES, seed=SEED), Network(SIZES, seed=SEED)
    assert trained(net, dropout=0.2) == trained(plain, dropout=0.2)
    assert net == plain


@pytest.mark.parametrize("initializer", [None, "large"])
def test_an_overridden_initializer_is_called_where_no_other_is_asked_for(initializer):
    net = network(OwnInitializer, initializer=initializer)
    is_own = bool((net.biases[0] == OwnInitializerValues.biases[0]).all())
    assert is_own == (initializer is None)
    if initializer:
        assert net == Network(SIZES, dtype="float64", seed=SEED, initializer="large")


OwnInitializerValues = type("Book", (OwnInitializer, Algorithm), {})(SIZES, Quadratic)


def test_an_overridden_initializer_may_draw_by_the_packages_and_by_the_large_one():
    class Smaller:
        def default_weight_initializer(self):
            super().default_weight_initializer()
            self.weights = [w / 2 for w in self.weights]

    class Large:
        def default_weight_initializer(self):
            self.large_weight_initializer()

    plain = Network(SIZES, dtype="float64", seed=SEED)
    for mine, theirs in zip(network(Smaller).weights, plain.weights, strict=True):
        assert (mine == theirs / 2).all()
    assert network(Large) == Network(SIZES, dtype="float64", seed=SEED, initializer="large")


def test_loading_copying_and_unpickling_call_no_initializer(tmp_path, monkeypatch):
    net = Network(SIZES, seed=SEED)
    net.save(tmp_path / "net")
    monkeypatch.setattr(Network, "default_weight_initializer", None)
    for other in (fastnet.load(tmp_path / "net"), net.copy(), pickle.loads(pickle.dumps(net))):
        assert other == net


# ---- calls by the program itself -------------------------------------------


def test_an_overridden_backprop_serves_a_single_mini_batch():
    net = network(ClippedGradient)
    book = type("Book", (ClippedGradient, Algorithm), {})(SIZES, CrossEntropy)
    book.weights, book.biases = [*map(np.array, net.weights)], [*map(np.array, net.biases)]
    kept = net.weights[0]
    before = kept.copy()
    net.update_mini_batch(with_labels(*TRAINING), ETA, LMBDA, 50)
    book.update_mini_batch(as_pairs(*TRAINING), ETA, LMBDA, 50)
    for mine, theirs in zip(parameters(net), parameters(book), strict=True):
        assert_allclose(mine, theirs, rtol=1e-12)
    assert (kept == before).all()


def test_an_overridden_feedforward_serves_accuracy_cost_and_labels():
    net = network(RolledOutputs)
    book = type("Book", (RolledOutputs, Algorithm), {})(SIZES, CrossEntropy)
    book.weights, book.biases = net.weights, net.biases
    data = with_labels(*EVALUATION)
    assert net.accuracy(data) == book.accuracy(data)
    assert_allclose(net.total_cost(data, 0.3), book.total_cost(data, 0.3, True), rtol=1e-12)
    labels = [book.feedforward(x).argmax() for x, _ in data]
    assert net.predict_labels(EVALUATION[0]).tolist() == labels
    assert net.predict_labels(Dataset(*EVALUATION)).tolist() == labels
    assert net.predict_labels(data[0][0]).tolist() == labels[:1]
    assert net.predict_labels(np.empty((0, 4))).tolist() == []
    assert net.predict_labels(sparse.csr_array(EVALUATION[0])).tolist() == labels
    with pytest.raises(ValueError, match=r"^X: expected 4 features per example, got 5"):
        net.predict_labels(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"^X: expected shape \(4,\), \(4, 1\) or \(n, 4\), got"):
        net.predict_labels(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"^X: expected finite"):
        net.predict_labels(np.full((2, 4), np.nan))


def test_a_cost_class_of_ones_own_serves_an_overridden_feedforward():
    net = network(RolledOutputs, cost=Quadratic)
    book = type("Book", (RolledOutputs, Algorithm), {})(SIZES, Quadratic)
    book.weights, book.biases = net.weights, net.biases
    data = with_labels(*EVALUATION)
    assert_allclose(net.total_cost(data, 0.3), book.total_cost(data, 0.3, True), rtol=1e-12)


# ---- early stopping, schedules, the search ---------------------------------


class FiguresOfItsOwn:
    """Costs and counts that are given beforehand, one after the other."""

    def total_cost(self, data, lmbda, convert=False):
        return next(self.figures)

    def accuracy(self, data, convert=False):
        return next(self.figures)


@pytest.mark.parametrize("monitor", ["evaluation_accuracy", "training_accuracy"])
def test_early_stopping_follows_an_overridden_accuracy(monitor):
    net = network(FiguresOfItsOwn)
    net.figures = iter([3, 9, 5, 4, 8, 7])
    after = []
    history = net.SGD(
        as_pairs(*TRAINING), 10, M, ETA, evaluation_data=with_labels(*EVALUATION), verbose=False,
        early_stopping=fastnet.EarlyStopping(monitor=monitor, patience=2),
        callbacks=[lambda net, epoch, history: after.append(parameters(net))],
    )  # fmt: skip
    assert getattr(history, monitor) == [3, 9, 5, 4]
    assert all((a == b).all() for a, b in zip(parameters(net), after[1], strict=True))


def test_a_schedule_follows_an_overridden_cost_and_its_rate_reaches_the_step():
    class Net(FiguresOfItsOwn, Recording, Network):
        pass

    net = Net(SIZES, seed=SEED)
    net.figures = iter([5.0, 6.0, 7.0, 8.0])
    net.SGD(
        as_pairs(*TRAINING), 4, 31, 0.8, verbose=False,
        schedule=fastnet.HalveOnPlateau(monitor="training_cost", patience=1),
    )  # fmt: skip
    assert [args[1] for args, _ in net.of("update_mini_batch")] == [0.8, 0.8, 0.4, 0.2]


def test_a_function_as_schedule_gives_the_rates_of_an_overridden_step():
    net = network(Recording)
    net.SGD(as_pairs(*TRAINING), 2, 31, 9.0, schedule=lambda epoch: epoch / 4, verbose=False)
    assert [args[1] for args, _ in net.of("update_mini_batch")] == [0.25, 0.5]


def test_the_search_for_eta_trains_and_measures_by_the_overridden_methods():
    class Halved:  # a step of half the size, and twice the cost
        def update_mini_batch(self, mini_batch, eta, lmbda, n):
            super().update_mini_batch(mini_batch, eta / 8, lmbda, n)

        def total_cost(self, data, lmbda, convert=False):
            return 2 * super().total_cost(data, lmbda, convert)

        def accuracy(self, data, convert=False):
            return -len(data)

    net, plain = network(Halved), Network(SIZES, dtype="float64", seed=SEED)
    before = parameters(net)
    options = {"evaluation_data": with_labels(*EVALUATION), "verbose": False, "epochs": 2}
    found = fastnet.find_learning_rate(net, as_pairs(*TRAINING), **options)
    usual = fastnet.find_learning_rate(plain, as_pairs(*TRAINING), **options)
    assert found.trials[0].costs[0] == 2 * usual.trials[0].costs[0]
    assert found.trials[0].costs != [2 * cost for cost in usual.trials[0].costs]
    assert {trial.evaluation_accuracy for trial in found.trials} == {-13}
    assert all((a == b).all() for a, b in zip(parameters(net), before, strict=True))


def test_the_search_counts_a_step_of_ones_own_that_diverges_as_too_large():
    class Limited:
        def update_mini_batch(self, mini_batch, eta, lmbda, n):
            if eta > 0.3:
                self.weights = [np.inf * w for w in self.weights]
            super().update_mini_batch(mini_batch, eta, lmbda, n)

    found = fastnet.find_learning_rate(network(Limited), as_pairs(*TRAINING), verbose=False)
    assert found.threshold == 0.2
    assert {trial.eta: trial.costs[1:] for trial in found.trials}[1.0] == [np.inf]


# ---- what does not go with an override -------------------------------------


REFUSED = {
    "l1": 0.1,
    "dropout": 0.2,
    "optimizer": fastnet.Adam(),
    "shift": 1,
    "sample_weight": np.ones(31),
    "class_weight": "balanced",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(
    ("override", "method"),
    [(ClippedGradient, "backprop"), (WritesInPlace, "update_mini_batch")],
)
def test_techniques_and_weights_beside_an_overridden_step_are_refused(name, override, method):
    net = network(override)
    net.reseed(SEED)
    before, called = parameters(net), []
    words = rf"{name}.*: expected none beside an overridden {method}, which is not told of it, got"
    with pytest.raises(TypeError, match=words):
        trained(
            net,
            with_labels(*TRAINING),
            schedule=lambda epoch: called.append(epoch),
            **{name: REFUSED[name]},
        )
    assert all((a == b).all() for a, b in zip(parameters(net), before, strict=True))
    assert called == []
    assert net.input_scale is None
    net.default_weight_initializer()
    assert net == network(override)  # no random number was drawn


@pytest.mark.parametrize("override", [AbsoluteError, RolledOutputs])
def test_weights_beside_a_training_cost_of_ones_own_are_refused_where_it_is_followed(override):
    net = network(override)
    with pytest.raises(TypeError, match=r"^sample_weight, class_weight: expected none beside"):
        trained(net, sample_weight=np.ones(31))
    history = trained(net, monitor_training_cost=False, sample_weight=np.ones(31), dropout=0.1)
    assert len(history.evaluation_cost) == EPOCHS


@pytest.mark.parametrize("name", ["l1", "dropout", "shift"])
def test_zeros_beside_an_overridden_step_are_no_technique(name):
    net, plain = network(StepAndMore), network(StepAndMore)
    assert trained(net, **{name: 0}) == trained(plain)


def test_an_overridden_accuracy_may_count_what_has_no_classes():
    class Near:
        def accuracy(self, data, convert=False):
            return sum(int(abs(self.feedforward(x) - y).max() < 1) for x, y in data)

    net = network(Near, cost="quadratic", output="linear")
    data = [(x[:, None], x[:3, None] * 0.3) for x in TRAINING[0]]
    history = trained(net, data, evaluation_data=data[:9])
    assert history.training_accuracy[-1] == net.accuracy(data) > 20
    with pytest.raises(ValueError, match="to count an accuracy of linear outputs"):
        trained(network(RolledOutputs, cost="quadratic", output="linear"), data)


# ---- errors, interrupts, divergence ----------------------------------------


class FailsLater:
    """Raises what it is told to in a mini-batch, after half of a step."""

    error, at, calls = None, 8, 0

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        self.calls += 1
        self.left = parameters(self)
        self.weights = [w - 0.1 for w in self.weights]
        if self.calls == self.at:
            raise self.error
        self.biases = [b - 0.1 for b in self.biases]


def failing(error, **options):
    """(the network, the error that came, the parameters of each complete epoch)."""
    net, epochs = network(FailsLater), []
    net.error = error
    with pytest.raises(type(error)) as caught:
        trained(net, callbacks=[lambda net, *_: epochs.append(parameters(net))], **options)
    return net, caught.value, epochs


def test_after_an_error_in_a_step_the_parameters_are_those_of_the_last_complete_epoch():
    net, error, epochs = failing(KeyError("mine"))
    assert error.args == ("mine",)
    assert len(epochs) == 1
    assert all((a == b).all() for a, b in zip(parameters(net), epochs[0], strict=True))
    assert net._stream.state == state_after(1)
    data = Dataset(BYTES, TRAINING[1], scale=1 / 256)
    net, _, epochs = failing(KeyError("mine"), training=data)
    assert net.input_scale == 1 / 256


def state_after(epochs):
    net = Network(SIZES, dtype="float64", seed=SEED)
    net._stream.raw(31 * epochs)
    return net._stream.state


def test_an_error_in_the_first_epoch_leaves_all_as_it_was():
    net = network(FailsLater)
    net.error, net.at, before = KeyError("mine"), 2, parameters(net)
    net._model.parameters.input_scale = 0.5
    with pytest.raises(KeyError):
        trained(net)
    assert all((a == b).all() for a, b in zip(parameters(net), before, strict=True))
    assert net.input_scale == 0.5
    assert net._stream.state == state_after(0)


def test_an_interrupt_leaves_the_mini_batches_that_were_complete():
    net, error, epochs = failing(KeyboardInterrupt())
    assert all((a == b).all() for a, b in zip(parameters(net), net.left, strict=True))
    assert not all((a == b).all() for a, b in zip(parameters(net), epochs[0], strict=True))
    assert len(error.history.training_cost) == 1
    assert net._stream.state == state_after(1)


def test_an_error_in_a_figure_comes_after_the_epoch_and_leaves_no_entry():
    net = network(FiguresOfItsOwn)
    net.figures = iter([1.0, 2, 3.0, 4, 5.0])
    histories = []
    with pytest.raises(StopIteration):
        trained(net, callbacks=[lambda net, epoch, history: histories.append(history)])
    assert [*map(list, histories[0])] == [[1.0], [2], [3.0], [4]]
    plain = Network(SIZES, dtype="float64", seed=SEED)
    trained(plain, epochs=2)
    assert net == plain


class Exploding:
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls >= 8:
            self.explode()


class Assigns(Exploding):
    def explode(self):
        self.weights = [w + np.inf for w in self.weights]


class Writes(Exploding):
    def explode(self):
        self.weights[0][...] = np.nan


class StepsOn(Exploding):
    def explode(self):
        self.weights[0][...] = np.inf
        Network.update_mini_batch(self, as_pairs(*TRAINING), 0.1, 0.0, 31)


class Steps(Exploding):
    def explode(self):
        Network.update_mini_batch(self, as_pairs(*TRAINING), 1e308, 1e308, 1)


class Gradients(Exploding):
    def explode(self):
        self.weights[-1] = np.full((3, 5), 1e308)
        self.biases[-1] = np.full((3, 1), 1e308)
        self.backprop(*as_pairs(*TRAINING)[0])


@pytest.mark.parametrize("override", [Assigns, Writes, StepsOn, Steps, Gradients])
def test_a_step_that_diverges_raises_with_the_epoch_and_puts_back_the_epoch_before(override):
    net, epochs = network(override, cost="quadratic", output="linear"), []
    data = [(np.ones((4, 1)), np.zeros((3, 1)))] * 31
    with pytest.raises(fastnet.DivergenceError, match=r"^training diverged in epoch 2: ") as caught:
        net.SGD(
            data, 5, M, 0.1, monitor_training_cost=True, verbose=False,
            callbacks=[lambda net, *_: epochs.append(parameters(net))],
        )  # fmt: skip
    assert caught.value.epoch == 2
    assert len(caught.value.history.training_cost) == len(epochs) == 1
    assert all((a == b).all() for a, b in zip(parameters(net), epochs[0], strict=True))


def test_an_overridden_backprop_that_diverges_in_a_single_step_leaves_the_network_as_it_was():
    class Steep:
        def backprop(self, x, y):
            return [[1e308 * np.ones(p.shape) for p in ps] for ps in (self.biases, self.weights)]

    net = network(Steep)
    before = parameters(net)
    with pytest.raises(fastnet.DivergenceError, match=r"^training diverged in the mini-batch: "):
        net.update_mini_batch(as_pairs(*TRAINING)[:1], 10.0, 0.0, 31)
    assert all((a == b).all() for a, b in zip(parameters(net), before, strict=True))


@pytest.mark.parametrize(
    "returned",
    [None, 5, [1, 2], ([np.zeros((5, 1))], [np.zeros((5, 4))]), ([], [], [])],
    ids=["None", "number", "numbers", "one layer", "three lists"],
)
def test_what_a_backprop_returns_is_checked(returned):
    net = Network(SIZES, seed=SEED)
    net.backprop = lambda x, y: returned
    before = parameters(net)
    with pytest.raises(ValueError, match=r"^backprop: expected it to return \(nabla_b, nabla_w\)"):
        trained(net)
    assert all((a == b).all() for a, b in zip(parameters(net), before, strict=True))


@pytest.mark.parametrize("name", ["accuracy", "total_cost"])
def test_a_figure_that_is_no_number_is_refused_by_the_methods_name(name):
    net = Network(SIZES, seed=SEED)
    setattr(net, name, lambda *args, **kwargs: "many")
    with pytest.raises(TypeError, match=rf"^{name}: expected it to return a number, got 'many'"):
        trained(net)


@pytest.mark.parametrize("returned", [np.zeros(2), np.zeros((3, 1), complex), "a"])
def test_a_feedforward_that_returns_other_than_the_outputs_is_refused(returned):
    net = Network(SIZES, seed=SEED)
    net.feedforward = lambda a: returned
    with pytest.raises(ValueError, match=r"^feedforward: expected it to return 3 numbers, got"):
        net.accuracy(with_labels(*EVALUATION))


# ---- what a program kept, copies and pickles -------------------------------


def test_a_step_in_place_does_not_write_over_what_was_kept_before_the_epoch():
    net = network(WritesInPlace)
    kept, values, later = [*net.weights], parameters(net), []
    trained(
        net,
        epochs=2,
        callbacks=[lambda net, *_: later.append((net.weights[0], net.weights[0].copy()))],
    )
    assert all((a == b).all() for a, b in zip(kept, values, strict=False))
    assert (net.weights[0] != kept[0]).any()
    assert (later[0][0] == later[0][1]).all()
    with pytest.raises(ValueError, match="read-only"):
        kept[0][...] = 0


class Counts(MomentumOfItsOwn, Network):
    pass


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_has_the_state_that_an_override_keeps_and_trains_alike(duplicate):
    net = Counts(SIZES, seed=SEED)
    trained(net, epochs=1)
    other = duplicate(net)
    assert type(other) is Counts
    assert trained(net) == trained(other)
    assert net == other
    assert all((a == b).all() for a, b in zip(net.velocities, other.velocities, strict=True))
    assert net.velocities[0] is not other.velocities[0]


def test_a_method_bound_to_one_network_is_bound_to_the_copy_in_its_copy():
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        self.biases = [b + 1 for b in self.biases]

    net = Network(SIZES, seed=SEED)
    net.update_mini_batch = types.MethodType(update_mini_batch, net)
    other, before = net.copy(), parameters(net)
    other.SGD(as_pairs(*TRAINING), 1, 31, ETA, verbose=False)
    assert all((a == b).all() for a, b in zip(parameters(net), before, strict=True))
    assert_allclose(other.biases[0], net.biases[0] + 1, rtol=1e-6)


# ---- what the documents say ------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs/subclassing.md").read_text(encoding="utf-8")


@pytest.mark.skipif(
    _kernels.isa() == "baseline", reason="without fused multiply-add the last bits are others"
)
def test_the_example_of_the_page_prints_what_it_shows():
    code, shown = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "subclassing.md", "exec"), {"__name__": "page"})
    assert printed.getvalue() == shown


def test_the_page_names_every_method_that_is_looked_for():
    rows = re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(fastnet.overridden.METHODS)


# ---- what is seen of it ----------------------------------------------------


def test_figures_of_numpy_become_numbers_that_json_knows(capsys):
    net = Network(SIZES, seed=SEED)
    net.accuracy = lambda data, convert=False: np.int64(5)
    net.total_cost = lambda data, lmbda, convert=False: np.array(2, np.float32)
    history = trained(net, epochs=1)
    assert json.dumps(history) == "[[2.0], [5], [2.0], [5]]"
    net.SGD(
        as_pairs(*TRAINING), 1, M, ETA, monitor_training_cost=True, monitor_training_accuracy=True
    )
    line = "Epoch 1 / 1  Cost on training data: 2  Accuracy on training data: 5 / 31\n"
    assert capsys.readouterr().out == line


def test_the_watch_of_a_training_sees_the_examples_of_overridden_steps(monkeypatch):
    seen = []
    reporter = fastnet.reporting.Reporter()
    monkeypatch.setattr(reporter, "watch", lambda epoch: lambda done: seen.append((epoch, done)))
    monkeypatch.setattr(fastnet.reporting, "chosen", lambda verbose: reporter)
    network(StepAndMore).SGD(as_pairs(*TRAINING), 2, 10, ETA)
    assert seen == [(epoch, done) for epoch in (1, 2) for done in (0, 10, 20, 30)]


def test_callbacks_see_each_epoch_of_an_overridden_step_and_may_end_the_training():
    net, seen = network(StepAndMore), []

    def stop_at_two(network, epoch, history):
        seen.append((network is net, epoch, len(history.training_cost)))
        return epoch == 2

    trained(net, epochs=5, callbacks=[stop_at_two])
    assert seen == [(True, 1, 1), (True, 2, 2)]


def test_a_sweep_refuses_in_time_what_a_replaced_method_does_not_know(monkeypatch):
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        self.biases = [b + 1 for b in self.biases]

    monkeypatch.setattr(Network, "update_mini_batch", update_mini_batch)
    specs = [{"sizes": SIZES, "epochs": 1, "mini_batch_size": 31, "eta": 1.0, "seed": SEED}]
    with pytest.raises(TypeError, match=r"^specs\[1\]: l1: expected none beside an overridden"):
        fastnet.fit_many([*specs, {**specs[0], "l1": 1.0}], Dataset(*TRAINING), verbose=False)
    fits = fastnet.fit_many(specs, Dataset(*TRAINING), max_workers=1, verbose=False)
    assert_allclose(fits[0].network.biases[0], Network(SIZES, seed=SEED).biases[0] + 1, rtol=1e-6)
