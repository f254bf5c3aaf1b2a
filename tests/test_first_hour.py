"""What somebody tries first: classes of inputs, a copy, names of other packages, frames, Ctrl-C."""

import pickle
import signal

import numpy as np
import pytest
import scipy.sparse

import fastnet
from fastnet import Dataset, DivergenceError, Network

RANDOM = np.random.default_rng(6)
X = RANDOM.random((30, 4))
Y = np.arange(30) % 3
DATA = Dataset(X, Y)


def network(*sizes, **options):
    return Network(sizes or (4, 5, 3), seed=1, **options)


# ---- predict_labels


def test_predict_labels_are_those_that_accuracy_counts():
    net = network()
    net.SGD(DATA, 50, 5, 1.0, verbose=False)
    labels = net.predict_labels(X)
    assert labels.shape == (30,)
    assert labels.dtype.kind == "i"
    assert (labels == net.feedforward(X).argmax(axis=1)).all()
    assert (labels == Y).sum() == net.accuracy(DATA)
    assert len(np.unique(labels)) > 1


FORMS = {
    "Dataset": lambda: DATA,
    "list": X.tolist,
    "float32": lambda: X.astype(np.float32),
    "Fortran order": lambda: np.asfortranarray(X),
    "sparse": lambda: scipy.sparse.csr_array(X),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_predict_labels_takes_what_feedforward_takes(form):
    net = network(dtype="float64")
    np.testing.assert_array_equal(
        net.predict_labels(form()), net.feedforward(form()).argmax(axis=1)
    )


def test_predict_labels_of_one_example_is_one_label():
    net = network()
    for x in (X[0], X[0][:, None], X[0].tolist(), X[:1]):
        assert net.predict_labels(x).tolist() == net.predict_labels(X)[:1].tolist()
    assert net.predict_labels(np.empty((0, 4))).tolist() == []


def test_predict_labels_of_one_output_is_one_from_a_half_on():
    net = Network([1, 1], "quadratic", output="linear", dtype="float64", classes=[0, 1])
    net.weights[0], net.biases[0] = [[1.0]], [[0.0]]
    below = np.nextafter(0.5, 0)
    assert net.predict_labels([[0.5], [below], [2.0], [-1.0]]).tolist() == [1, 0, 1, 0]
    assert net.predict_labels([0.7]).tolist() == [1]
    net = Network([2, 2], dtype="float64")
    net.weights[0], net.biases[0] = np.eye(2), np.zeros((2, 1))
    assert net.predict_labels([[1.0, 1.0], [1.0, 2.0]]).tolist() == [0, 1]  # the first of equals


@pytest.mark.parametrize("output", ["linear", "exponential"])
def test_predict_labels_of_one_output_that_is_a_number_are_refused(output):
    cost = {"linear": "quadratic", "exponential": "poisson"}[output]
    net = Network([4, 3, 1], cost, output=output, seed=1)
    message = (
        f"^predict_labels: expected a network that predicts classes, got one with one {output} "
        "output; feedforward returns"
    )
    for rows in (X, X[0]):
        with pytest.raises(ValueError, match=message):
            net.predict_labels(rows)
    assert Network([4, 3, 2], cost, output=output, seed=1).predict_labels(X).shape == (30,)


@pytest.mark.parametrize(
    "wrong", [X[:, :3], X[0, :3], [[np.nan] * 4], "four", [[1, 2], [3]], np.ones((2, 2, 4))]
)
def test_predict_labels_names_its_argument(wrong):
    with pytest.raises((ValueError, TypeError), match=r"^X: expected"):
        network().predict_labels(wrong)


def test_predict_labels_use_a_feedforward_of_the_user_s_own():
    class Last(Network):
        def feedforward(self, a):
            assert a.shape == (4, 1)
            return np.array([[0.0], [0.0], [a.sum()]])

    assert Last([4, 3], seed=1).predict_labels(X).tolist() == [2] * 30


# ---- what other packages have


@pytest.mark.parametrize("name", ["fit", "predict", "predict_proba", "score"])
def test_methods_of_estimators_are_not_there_and_the_message_says_what_is(name):
    net = network()
    assert not hasattr(net, name)
    assert name not in dir(net)
    words = f"'Network' object has no attribute '{name}': .*SGD .*predict_labels.*feedforward"
    with pytest.raises(AttributeError, match=words + ".*fastnet.sklearn") as caught:
        getattr(net, name)
    assert (caught.value.name, caught.value.obj) == (name, net)


def test_another_attribute_is_missed_as_ever_and_a_property_s_error_is_its_own():
    class Program(Network):
        @property
        def shown(self):
            return self.missing

    with pytest.raises(AttributeError, match=r"^'Network' object has no attribute 'wieghts'$"):
        _ = network().wieghts
    with pytest.raises(AttributeError, match=r"^'Program' object has no attribute 'missing'$"):
        _ = Program([4, 3]).shown
    with pytest.raises(AttributeError, match="_model"):
        repr(Network.__new__(Network))


def test_a_subclass_may_have_methods_of_these_names():
    class Program(Network):
        def predict(self, x):
            return "mine"

    assert Program([4, 3]).predict(X) == "mine"


# ---- copies


def test_a_copy_trains_alike_and_apart():
    net = network(n_threads=2, hidden="relu")
    net.note = ["kept"]
    net.SGD(DATA, 1, 5, 0.5, verbose=False)
    other = net.copy()
    assert (type(other), other.n_threads, other.hidden) == (Network, 2, ["relu"])
    assert other.note == ["kept"]
    assert other.note is not net.note
    net.SGD(DATA, 2, 5, 0.5, dropout=0.1, verbose=False)
    assert other != net
    other.SGD(DATA, 2, 5, 0.5, dropout=0.1, verbose=False)
    assert other == net
    other.weights[0][0, 0] += 1
    assert other != net


def test_a_copy_of_a_subclass_is_one_and_its_constructor_is_not_called():
    class Program(Network):
        def __init__(self, name):
            super().__init__([4, 3], seed=1)
            self.name = name

    other = Program("first").copy()
    assert type(other) is Program
    assert other.name == "first"


# ---- data of other kinds


@pytest.mark.covering(1)
@pytest.mark.parametrize(
    "wrong", [[[1, 2]], [[1, 2], [3, 4]], [(0.5, 1)], [X.tolist(), Y.tolist()], [X, Y],
              np.ones((3, 4)), [(X, Y)], X[0], (X,), (X, Y, Y)]
)  # fmt: skip
@pytest.mark.parametrize("call", [
    lambda net, data: net.SGD(data, 1, 5, 0.5),
    lambda net, data: net.SGD(DATA, 1, 5, 0.5, evaluation_data=data),
    lambda net, data: net.update_mini_batch(data, 0.5, 0.0, 2),
    lambda net, data: net.accuracy(data),
    lambda net, data: fastnet.fit_many([], data),
])  # fmt: skip
def test_what_are_no_pairs_is_told_about_the_tuple_of_arrays(wrong, call):
    net = network()
    with pytest.raises((ValueError, TypeError), match=r"(training|data|batch): .*\(X, y\)"):
        call(net, wrong)
    assert net == network()


def test_numbers_in_the_place_of_pairs_are_told_what_pairs_are():
    words = r"pairs \(x, y\) with columns x, or a tuple \(X, y\) of arrays.*x of shape \(\)$"
    with pytest.raises(ValueError, match=f"^training_data: .*{words}"):
        network().SGD([[1, 2]], 1, 5, 0.5)


def test_frames_of_objects_that_are_numbers_or_booleans_are_taken():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": Y > 0, "c": Y, "d": X[:, 1] > 0.5})
    assert frame.to_numpy().dtype == object
    plain = frame.astype(float).to_numpy()
    net = network(dtype="float64")
    np.testing.assert_array_equal(net.feedforward(frame), net.feedforward(plain))
    assert (plain == Dataset(frame, Y).X).all()
    for targets in (pandas.Series(Y, dtype=object), pandas.DataFrame(np.eye(3)[Y], dtype=object)):
        assert net.total_cost((frame, targets), 0.0) == net.total_cost((plain, Y), 0.0)
    net.SGD((frame, pandas.Series(Y)), 1, 5, 0.5, verbose=False)
    dummies = pandas.get_dummies(pandas.DataFrame({"n": Y, "s": list("abc") * 10}))
    expected = np.column_stack([Y, np.eye(3)[np.arange(30) % 3]])
    assert (expected == Dataset(dummies, Y).X).all()
    large = pandas.DataFrame([[2**70, True]], dtype=object)
    assert Dataset(large, [0]).X.tolist() == [[2.0**70, 1.0]]


@pytest.mark.parametrize("odd", ["seven", None, 1j, [1]])
def test_frames_with_anything_else_name_it(odd):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.5, odd], "b": [True, False]}, dtype=object)
    words = r"expected numbers, got .* in the data frame, row 1, column 'a'$"
    with pytest.raises(TypeError, match=f"^X: {words}"):
        Dataset(frame, [0, 1])
    with pytest.raises(TypeError, match=f"^y: {words}"):
        Dataset(X[:2], frame)


# ---- Ctrl-C and divergence


def interrupt(network, epoch, history):
    if epoch == 2:
        signal.raise_signal(signal.SIGINT)


def test_a_keyboard_interrupt_has_the_history_so_far():
    net = network()
    with pytest.raises(KeyboardInterrupt) as caught:
        net.SGD(DATA, 9, 5, 0.5, monitor_training_cost=True, callbacks=[interrupt], verbose=False)
    twin = network()
    assert caught.value.history == twin.SGD(
        DATA, 2, 5, 0.5, monitor_training_cost=True, verbose=False
    )
    assert caught.value.history.n_training == 30
    assert net == twin


def test_a_keyboard_interrupt_in_the_midst_of_an_epoch_has_the_history_before(always):
    class Cost(fastnet.QuadraticCost):
        calls = 0

        @staticmethod
        def fn(a, y):
            return float(np.square(a - y).sum())

        @staticmethod
        def delta(z, a, y):
            Cost.calls += 1
            if Cost.calls == 15:  # six in each epoch
                raise KeyboardInterrupt
            return a - y

    with pytest.raises(KeyboardInterrupt) as caught:
        Network([4, 3], Cost, seed=1).SGD(
            DATA, 9, 5, 0.5, evaluation_data=DATA, monitor_evaluation_cost=True, verbose=False
        )
    assert len(caught.value.history.evaluation_cost) == 2


def test_a_keyboard_interrupt_of_a_schedule_has_a_history_from_the_first_epoch_on():
    for epoch in (1, 3):

        def rate(one, epoch=epoch):
            if one == epoch:
                raise KeyboardInterrupt
            return 0.5

        with pytest.raises(KeyboardInterrupt) as caught:
            network().SGD(DATA, 9, 5, 0.5, monitor_training_cost=True, schedule=rate,
                          verbose=False)  # fmt: skip
        assert len(caught.value.history.training_cost) == epoch - 1


def test_a_divergence_is_a_value_error_and_an_arithmetic_error():
    net = Network([4, 1], "quadratic", output="linear", seed=1)
    with pytest.raises(ValueError, match=r"^training diverged in epoch 1") as caught:
        net.SGD((X, X[:, :1]), 1, 5, 1e300, verbose=False)
    assert isinstance(caught.value, DivergenceError)
    assert isinstance(caught.value, ArithmeticError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.epoch) == (DivergenceError, str(caught.value), 1)
    with pytest.raises(ValueError, match=r"^training diverged in the mini-batch"):
        net.update_mini_batch((X, X[:, :1]), 1e300, 0.0, 30)


def test_a_divergence_in_a_sweep_or_a_search_is_still_told_from_bad_arguments():
    spec = {"sizes": [4, 3], "cost": "quadratic", "output": "linear", "epochs": 1,
            "mini_batch_size": 5, "eta": 1e300, "seed": 1}  # fmt: skip
    (fit,) = fastnet.fit_many([spec], DATA, verbose=False)
    assert isinstance(fit.error, DivergenceError)
    assert fit.network == Network([4, 3], "quadratic", output="linear", seed=1)
    net = Network([4, 3], "quadratic", output="linear", seed=1)
    trials = fastnet.find_learning_rate(net, DATA, mini_batch_size=5, verbose=False).trials
    assert not all(trial.falls for trial in trials)
