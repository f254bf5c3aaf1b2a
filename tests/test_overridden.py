"""Methods that a subclass, or one network, overrides are called, as network2.py calls them."""

import copy
import pickle

import numpy as np
import pytest
from network2_restated import (
    EPOCHS,
    ETA,
    EVALUATION,
    LMBDA,
    OVERRIDES,
    SEED,
    SIZES,
    TRAINING,
    Algorithm,
    ClippedGradient,
    CrossEntropy,
    M,
    OwnInitializer,
    Quadratic,
    Recording,
    RolledOutputs,
    as_pairs,
    network,
    parameters,
    subclass,
    trained,
    with_labels,
)
from numpy.testing import assert_allclose
from scipy import sparse

import fastnet
from fastnet import Dataset, Network
from fastnet.core.random_stream import RandomStream
from fastnet.nn.costs import of_kernel

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

    output, cost = pair[0], of_kernel(pair[1])
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
    monkeypatch.setattr("fastnet.training.overridden.pairs_of", None)
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


@pytest.mark.parametrize("method", ["to_onnx", "to_torch", "to_c"])
def test_an_overridden_feedforward_is_not_converted(method, tmp_path):
    """The model of the other program would have other outputs."""

    class Mine(Network):
        def feedforward(self, a):
            return 2 * super().feedforward(a)

    path = tmp_path / "net.c"
    with pytest.raises(TypeError) as caught:
        getattr(Mine([2, 1], seed=1), method)(*[path] * (method == "to_c"))
    expected = "expected a network with the package's feedforward, got one that overrides it"
    assert str(caught.value) == f"{method}: {expected}"
    assert not path.exists()
