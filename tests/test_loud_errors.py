"""What would be wrong without a word is an error: numbers that are not finite, masked elements,
rates that fail; and results of threads are their own."""

import threading

import numpy as np
import pytest
import scipy.sparse

import fastnet
from fastnet import Dataset, EarlyStopping, Network

RANDOM = np.random.default_rng(8)
X = RANDOM.random((30, 4))
Y = np.arange(30) % 3
DATA = Dataset(X, Y)


def network(**options):
    return Network([4, 5, 3], seed=1, **options)


def trained(epochs, net=None, **keywords):
    net = network() if net is None else net
    net.SGD(DATA, epochs, 5, 0.5, verbose=False, **keywords)
    return net


# ---- callbacks that leave what is not finite


class Spoil:
    """Writes a number into one of the parameters after an epoch."""

    def __init__(self, epoch, name="weights", layer=0, value=np.nan):
        self.keywords = epoch, name, layer, value

    def __call__(self, net, epoch, history):
        when, name, layer, value = self.keywords
        if epoch == when:
            getattr(net, name)[layer][-1, 0] = value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("name", "layer"), [("weights", 0), ("weights", 1), ("biases", 0),
                                             ("biases", 1)])  # fmt: skip
@pytest.mark.parametrize("epoch", [1, 3])  # the last one, too
def test_a_callback_that_leaves_a_number_that_is_not_finite_is_named(epoch, name, layer, value):
    net, place = network(), rf"{name}\[{layer}\]"
    with pytest.raises(ValueError, match=rf"^callbacks\[1\]: .*in {place}; .*after epoch {epoch}$"):
        trained(3, net, callbacks=[lambda *_: None, Spoil(epoch, name, layer, value)])
    assert net == trained(epoch)
    assert trained(2, net) == trained(2, trained(epoch))  # the order goes on, too


def test_what_callbacks_before_it_wrote_is_undone_too():
    def zero(net, epoch, history):
        net.biases[0][...] = 0

    net = network()
    with pytest.raises(ValueError, match=r"^callbacks\[1\]"):
        trained(3, net, callbacks=[zero, Spoil(1)])
    assert net == trained(1)


def test_a_callback_that_assigns_or_trains_is_undone_too():
    def train(net, epoch, history):
        net.SGD(DATA, 1, 5, 0.5, verbose=False)
        net.weights = [w * 2 for w in net.weights]
        net.biases[1][0] = np.nan

    net = network()
    kept = net.weights[0]
    with pytest.raises(ValueError, match=r"^callbacks\[0\]: .*biases\[1\]"):
        trained(1, net, callbacks=[train])
    assert net == trained(1)
    assert (kept == network().weights[0]).all()


def test_a_snapshot_of_a_callback_is_not_written_over():
    kept = []

    def look(net, epoch, history):
        kept.append((list(net.weights), [w.copy() for w in net.weights]))

    with pytest.raises(ValueError, match=r"^callbacks\[1\]"):
        trained(3, callbacks=[look, Spoil(2, "biases")])
    for arrays, copies in kept:
        assert all(map(np.array_equal, arrays, copies))


def test_what_a_callback_raises_passes_through_and_nothing_is_restored():
    class Pruned(Exception):
        pass

    def spoil(net, epoch, history):
        Spoil(epoch)(net, epoch, history)
        raise Pruned

    net = network()
    with pytest.raises(Pruned):
        trained(2, net, callbacks=[spoil], early_stopping=EarlyStopping("training_cost"))
    assert np.isnan(net.weights[0]).sum() == 1


def test_no_best_epoch_is_restored_over_the_error_of_a_callback():
    net = network()
    with pytest.raises(ValueError, match=r"^callbacks\[0\]"):
        trained(4, net, callbacks=[Spoil(4)], early_stopping=EarlyStopping("training_accuracy"))
    assert net == trained(4)


def test_in_a_sweep_it_is_the_error_of_its_network_alone():
    spec = {"sizes": [4, 5, 3], "epochs": 2, "mini_batch_size": 5, "eta": 0.5, "seed": 1}
    fits = fastnet.fit_many([{**spec, "callbacks": [Spoil(1)]}, spec], DATA, verbose=False)
    assert isinstance(fits[0].error, ValueError)
    assert "callbacks[0]: " in str(fits[0].error)
    assert fits[1].network == trained(2)


# ---- schedules that fail


def failing(epoch, failure):
    """A schedule that fails at this epoch."""

    def rate(one):
        if one < epoch:
            return 0.5
        if isinstance(failure, type):
            raise failure
        return failure

    return rate


FAILURES = [
    (LookupError, LookupError, ""), (-1.0, ValueError, "expected a finite number of 0 or more"),
    (np.nan, ValueError, "expected a finite"), ("a", TypeError, "expected a number, got 'a'"),
    (None, TypeError, "expected a number, got None"),
]  # fmt: skip


@pytest.mark.parametrize("keywords", [{}, {"monitor_training_cost": True}, {"callbacks": [print]}])
@pytest.mark.parametrize(("failure", "kind", "words"), FAILURES)
def test_a_schedule_that_fails_at_epoch_3_leaves_the_second(failure, kind, words, keywords):
    net = network()
    with pytest.raises(kind, match=f"^schedule\\(3\\): {words}" if words else None):
        trained(10**9, net, schedule=failing(3, failure), **keywords)
    assert net == trained(2)
    assert trained(2, net) == trained(2, trained(2))  # the order goes on


@pytest.mark.parametrize(("failure", "kind", "words"), FAILURES)
def test_a_schedule_that_fails_at_once_changes_nothing(failure, kind, words):
    net, kept = network(), []
    weights = net.weights
    with pytest.raises(kind, match=f"^schedule\\(1\\): {words}" if words else None):
        trained(3, net, schedule=failing(1, failure), callbacks=[lambda *_: kept.append(1)])
    assert net.weights is weights
    assert net == network()
    assert net.input_scale is None
    assert not kept


def test_a_training_of_a_thousand_million_epochs_begins():
    asked = []

    def rate(epoch):
        asked.append(epoch)
        return 0.5

    net = trained(10**9, schedule=rate, callbacks=[lambda net, epoch, history: epoch == 2])
    assert asked == [1, 2]
    assert net == trained(2)


def test_a_sweep_checks_the_rate_of_the_first_epoch_and_a_later_error_is_its_network_s():
    spec = {"sizes": [4, 5, 3], "epochs": 9, "mini_batch_size": 5, "eta": 0.5, "seed": 1}
    with pytest.raises(ValueError, match=r"^specs\[1\]: schedule\(1\): expected a finite"):
        fastnet.fit_many([spec, {**spec, "schedule": failing(1, -1.0)}], DATA)
    (fit,) = fastnet.fit_many([{**spec, "schedule": failing(3, -1.0)}], DATA, verbose=False)
    assert isinstance(fit.error, ValueError)
    assert str(fit.error).startswith("schedule(3): ")


# ---- outputs that overflow


def overflowing(sparse, dtype):
    """(network, data): exp(z) of one example is beyond the type; half of the inputs are zeros."""
    net = Network([300, 2], "poisson", seed=1, dtype=dtype)
    inputs = RANDOM.random((20, 300)) * (RANDOM.random((20, 300)) < 0.1)
    inputs[7, :3] = 1e5
    net.weights[0][0] = np.abs(net.weights[0][0])
    return net, Dataset(inputs, np.ones((20, 2)), sparse=sparse)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sparse", [False, True])
def test_an_exponential_output_that_overflows_has_no_gradient_dense_or_compressed(sparse, dtype):
    net, data = overflowing(sparse, dtype)
    words = f"expected finite errors at the output, got NaN or infinity, .* {dtype}$"
    with pytest.raises(ValueError, match=f"^data: {words}"):
        net.gradient(data)
    with pytest.raises(ValueError, match=f"^data: {words}"):
        net.gradient((scipy.sparse.csr_array(data.X), data.y) if not sparse else data)
    with pytest.raises(ValueError, match=f"^x, y: {words}"):
        net.backprop(*(column[:, 0] for column in data[7]))
    nabla_b, nabla_w = net.gradient(data[:7])
    assert all(np.isfinite(nabla).all() for nabla in (*nabla_b, *nabla_w))


def test_an_explanation_of_an_output_that_overflows_is_refused():
    net, data = overflowing(False, "float32")
    with pytest.raises(ValueError, match=r"^x, y: expected a finite error at the output"):
        net.explain(*(column[:, 0] for column in data[7]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_training_whose_output_overflows_diverges_dense_or_compressed(sparse, dtype):
    net, data = overflowing(sparse, dtype)
    before = net.copy()
    with pytest.raises(fastnet.DivergenceError, match="epoch 1"):
        net.SGD(data, 1, 5, 0.1, verbose=False)
    with pytest.raises(fastnet.DivergenceError):
        net.update_mini_batch(data, 0.1, 0.0, 20)
    assert net == before


@pytest.mark.parametrize("error", [np.nan, np.inf])
def test_an_error_of_one_s_own_cost_that_is_not_finite_has_no_gradient(error):
    class Cost(fastnet.QuadraticCost):
        @staticmethod
        def fn(a, y):
            return 0.0

        @staticmethod
        def delta(z, a, y):
            return np.full_like(a, error)

    net = Network([4, 5, 3], Cost, seed=1)
    for call in (lambda: net.gradient(DATA), lambda: net.backprop(X[0], 1)):
        with pytest.raises(ValueError, match="expected finite errors at the output"):
            call()


# ---- masked elements


def masked(array):
    values = np.ma.array(array, mask=np.zeros(np.shape(array), bool))
    values[0] = np.ma.masked
    return values


MASKED_PAIRS = {
    "x": [(X[0], 0), (masked(X[1]), 1)],
    "a column x": [(X[0][:, None], 0), (masked(X[1][:, None]), 1)],
    "y": [(X[0], np.eye(3)[0]), (X[1], masked(np.eye(3)[1]))],
    "a label": [(X[0], 0), (X[1], np.ma.masked)],
    "elements of a list": [(X[0], 0), ([*X[1, :3], np.ma.masked], 1)],
}


@pytest.mark.covering(1)
@pytest.mark.parametrize("kind", [list, tuple, iter])
@pytest.mark.parametrize("pairs", MASKED_PAIRS.values(), ids=MASKED_PAIRS)
@pytest.mark.parametrize("call", [
    lambda net, data: net.SGD(data, 1, 5, 0.5),
    lambda net, data: net.SGD(DATA, 1, 5, 0.5, evaluation_data=data),
    lambda net, data: net.update_mini_batch(data, 0.5, 0.0, 2),
    lambda net, data: net.accuracy(data),
    lambda net, data: net.total_cost(data, 0.0),
    lambda net, data: net.gradient(data),
])  # fmt: skip
def test_a_masked_element_in_a_list_of_pairs_is_refused_with_its_place(call, pairs, kind):
    net = network()
    # a tuple of two is (X, y), so three pairs
    given = kind([pairs[0], *pairs])
    with pytest.raises(ValueError, match=r"(data|mini_batch): .*got masked elements in pair 2$"):
        call(net, given)
    assert net == network()


def test_masked_arrays_without_a_masked_element_are_taken():
    pairs = [(np.ma.array(x), int(y)) for x, y in zip(X, Y, strict=True)]
    assert network().total_cost(pairs, 0.0) == network().total_cost(DATA, 0.0)


def test_masked_elements_are_refused_wherever_arrays_are():
    net, hidden = network(), masked(X)
    calls = [
        lambda: net.SGD((hidden, Y), 1, 5, 0.5),
        lambda: net.SGD((X, masked(Y)), 1, 5, 0.5),
        lambda: net.SGD(DATA, 1, 5, 0.5, sample_weight=masked(np.ones(30))),
        lambda: net.feedforward(hidden),
        lambda: net.predict_labels(hidden),
        lambda: net.predictor()(masked(X[0])),
        lambda: net.backprop(masked(X[0]), 0),
        lambda: net.explain(X[0], np.ma.masked),
        lambda: Dataset.from_csr(masked([1.0, 2.0]), [0, 1], [0, 1, 2], 2, [0, 1]),
        lambda: setattr(net, "weights", [masked(w) for w in net.weights]),
        lambda: fastnet.augment.shift((masked(X), Y), 1, 0),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="masked"):
            call()
    assert net == network()


# ---- threads


def test_two_threads_in_feedforward_of_one_example_have_results_of_their_own():
    net = Network([20, 1000], seed=1)
    inputs = RANDOM.random((8, 20)).astype(np.float32)
    expected = net.feedforward(inputs)
    assert len(np.unique(expected, axis=0)) == 8
    begin, wrong, done = threading.Barrier(2), [], []

    def look(first):
        begin.wait(timeout=60)
        for i in range(40_000):
            which = (first + i) % 8
            if not np.array_equal(net.feedforward(inputs[which]), expected[which]):
                wrong.append(i)
        done.append(first)

    threads = [threading.Thread(target=look, args=(first,)) for first in (0, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 3]
    assert len(wrong) == 0


def test_each_result_of_feedforward_is_an_array_of_its_own():
    net = network()
    first = net.feedforward(X[0].astype(np.float32))
    kept = first.copy()
    second = net.feedforward(X[1].astype(np.float32))
    assert not np.shares_memory(first, second)
    assert (first == kept).all()
    first[...] = 0
    assert (net.feedforward(X[0].astype(np.float32)) == kept).all()
