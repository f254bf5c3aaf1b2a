"""Bytes that are not in a Dataset take the scale that the network was trained with."""

import inspect
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse

import fastnet
from fastnet import Dataset, Network
from fastnet.core import _kernels
from fastnet.sklearn import MLPClassifier

RANDOM = np.random.default_rng(3)
X = RANDOM.integers(0, 256, (60, 6)).astype(np.uint8)
X[RANDOM.random(X.shape) < 0.5] = 0
Y = np.arange(60) % 3
SCALE = 1 / 256
DATA = Dataset(X, Y, SCALE)
SPEC = {"sizes": [6, 4, 3], "epochs": 2, "mini_batch_size": 5, "eta": 0.5, "seed": 1}


def network(kind=Network, **options):
    return kind([6, 4, 3], seed=1, **options)


def trained(data=DATA, **options):
    net = network(**options)
    net.SGD(data, 2, 5, 0.5, verbose=False)
    return net


def pairs(inputs=X):
    return [(x[:, None], int(label)) for x, label in zip(inputs, Y, strict=True)]


def equal(first, second):
    """Whether two arrays, numbers or nested lists of arrays have the same bits."""
    if isinstance(first, list | tuple):
        return all(map(equal, first, second))
    return np.array_equal(first, second)


# ---- after a training


@pytest.mark.skipif(
    _kernels.isa() == "baseline", reason="without fused multiply-add the last bits are others"
)
def test_the_network_of_one_epoch_counts_9350_digits_whether_its_bytes_are_bare_or_not(
    mnist, tmp_path
):
    training, _, test = mnist
    net = Network([784, 30, 10], seed=1)
    net.SGD(training, 1, 10, 0.5, verbose=False)
    net.save(tmp_path / "net.json")
    assert net.accuracy(test) == 9350
    for each in (net, fastnet.load(tmp_path / "net.json"), net.copy()):
        assert each.accuracy((test.X, test.y)) == 9350
        assert (each.predict_labels(test.X) == test.y).sum() == 9350
    assert net.accuracy(Dataset(test.X / 1.0, test.y)) != 9350  # what bytes unscaled would give


FORMS = {
    "array": lambda: X,
    "Fortran order": lambda: np.asfortranarray(X),
    "every other row twice": lambda: np.repeat(X, 2, axis=0)[::2],
    "sparse": lambda: scipy.sparse.csr_array(X),
    "sparse columns": lambda: scipy.sparse.csc_matrix(X),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_bare_bytes_of_every_form_give_the_bits_of_the_data_set(form, dtype):
    net = trained(dtype=dtype)
    assert equal(net.feedforward(form()), net.feedforward(DATA))
    assert equal(net.predict_labels(form()), net.predict_labels(DATA))
    assert net.accuracy((form(), Y)) == net.accuracy(DATA)
    assert net.total_cost((form(), Y), 0.5) == net.total_cost(DATA, 0.5)
    assert equal(net.gradient((form(), Y)), net.gradient(DATA))
    assert net.gradient_check((form(), Y)) == net.gradient_check(DATA)


def test_pairs_of_bytes_give_the_bits_of_the_data_set():
    net = trained()
    assert net.accuracy(pairs()) == net.accuracy(DATA)
    assert net.total_cost(iter(pairs()), 0.0) == net.total_cost(DATA, 0.0)
    assert equal(net.gradient(pairs()), net.gradient(DATA))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_example_of_bytes_gives_the_bits_of_the_data_set(dtype):
    net = trained(dtype=dtype)
    predict, row = net.predictor(), Dataset(X[:1], Y[:1], SCALE)
    outputs = net.feedforward(row)[0]
    assert equal(net.feedforward(X[0]), outputs)
    assert equal(net.feedforward(X[0][:, None])[:, 0], outputs)
    assert equal(predict(X[0]), outputs)
    assert equal(predict(np.repeat(X[0], 2)[::2]), outputs)
    assert equal(net.backprop(X[0], 0), net.gradient(row))
    shown, expected = net.explain(X[0], 0), net.explain(X[0] * np.float64(SCALE), 0)
    assert equal(shown.x, expected.x)
    assert shown.cost == expected.cost
    assert all(map(equal, shown.layers, expected.layers))


@pytest.mark.parametrize("scale", [1 / 255, 0.1, 0.0])
def test_products_are_rounded_as_those_of_a_data_set_whatever_the_scale(scale):
    data = Dataset(X, Y, scale)
    net = trained(data)
    assert net.input_scale == scale
    assert equal(net.feedforward(X), net.feedforward(data))
    assert equal(net.predictor()(X[3]), net.feedforward(data)[3])
    assert net.total_cost((X, Y), 0.0) == net.total_cost(data, 0.0)


NOT_BYTES = {
    "float32": X.astype(np.float32),
    "float64": X.astype(np.float64),
    "half": X.astype(np.float16),
    "int8": (X // 2).astype(np.int8),
    "uint16": X.astype(np.uint16),
    "int64": X.astype(np.int64),
    "lists": X.tolist(),
    "booleans": X > 100,
    "sparse booleans": scipy.sparse.csr_array(X > 100),
    "sparse integers": scipy.sparse.csr_array(X.astype(np.int32)),
}


@pytest.mark.parametrize("inputs", NOT_BYTES.values(), ids=NOT_BYTES)
def test_all_but_bytes_are_taken_as_they_are(inputs):
    net = trained()
    dense = inputs.toarray() if scipy.sparse.issparse(inputs) else np.array(inputs)
    taken = Dataset(dense.astype(np.float64), Y)
    assert equal(net.feedforward(inputs), net.feedforward(taken))
    assert net.total_cost((inputs, Y), 0.0) == net.total_cost(taken, 0.0)
    assert equal(net.gradient((inputs, Y)), net.gradient(taken))
    assert equal(net.predictor()(dense[0]), net.feedforward(taken)[0])
    assert equal(net.backprop(dense[0], 1), net.backprop(dense[0].astype(float), 1))
    assert net.total_cost(pairs(dense), 0.0) == net.total_cost(taken, 0.0)


def test_frames_of_bytes_are_scaled_and_frames_of_booleans_are_not():
    pandas = pytest.importorskip("pandas")
    net = trained()
    assert equal(net.feedforward(pandas.DataFrame(X)), net.feedforward(DATA))
    assert net.accuracy((pandas.DataFrame(X), pandas.Series(Y))) == net.accuracy(DATA)
    flags = pandas.DataFrame(X > 100)
    assert equal(net.feedforward(flags), net.feedforward((X > 100) * 1.0))


def test_a_data_set_s_own_scale_is_explicit_and_one_that_differs_warns_once():
    net = trained()
    plain = Dataset(X, Y)
    with pytest.warns(UserWarning, match=r"bytes, 1, is not .* trained with, 0.00390625$"):
        out = net.feedforward(plain)
    assert equal(out, net.feedforward(X * 1.0))
    net.accuracy(Dataset(X, Y, 1 / 255))  # it has been said
    net.accuracy(Dataset(X * 1.0, Y))


def test_the_picture_of_errors_counts_bare_bytes_as_the_data_set():
    pytest.importorskip("matplotlib").use("Agg")
    from fastnet import plots

    net = trained()
    assert plots.confusion(net, (X, Y)).get_title() == plots.confusion(net, DATA).get_title()
    one, other = (plots.digits(net, data, shape=(2, 3)).images[0] for data in ((X, Y), DATA))
    assert equal(one.get_array().filled(-1), other.get_array().filled(-1))  # the images, too


def test_the_predictor_asks_for_the_scale_at_each_call():
    net = network()
    predict = net.predictor()
    assert equal(predict(X[0]), net.feedforward(X[0] * 1.0))
    for scale in (SCALE, 1 / 100):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the second scale differs from the first
            net.SGD(Dataset(X, Y, scale), 1, 5, 0.5, verbose=False)
        assert equal(predict(X[0]), net.feedforward(X[0] * np.float64(scale)))
    net.SGD((X / 100, Y), 1, 5, 0.5, verbose=False)  # real numbers have no say in it
    assert equal(predict(X[0]), net.feedforward(X[0] * np.float64(1 / 100)))


@pytest.mark.parametrize(
    "data",
    [
        (X / 256, Y),
        (X > 99, Y),
        Dataset(X / 256, Y),
        Dataset(X > 99, Y),
        list(Dataset(X, Y, SCALE)),
    ],
    ids=["real", "boolean", "real Dataset", "boolean Dataset", "pairs of a Dataset"],
)
def test_training_on_what_takes_no_scale_leaves_the_one_of_bytes(data):
    net = trained()
    net.update_mini_batch(data, 0.5, 0.0, len(X))
    assert net.input_scale == SCALE
    assert net.accuracy((X, Y)) == net.accuracy(DATA)


def test_a_data_set_of_booleans_is_no_data_set_of_bytes():
    net, booleans = trained(), Dataset(X > 99, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (booleans, booleans[2:], pickle.loads(pickle.dumps(booleans))):
            assert not data.is_bytes
            net.accuracy(data)


# ---- in a training


def test_bare_bytes_are_trained_at_the_scale_of_the_network():
    nets = [trained() for _ in range(4)]
    nets[0].SGD(DATA, 2, 5, 0.5, verbose=False)
    nets[1].SGD((X, Y), 2, 5, 0.5, verbose=False)
    nets[2].SGD(pairs(), 2, 5, 0.5, verbose=False)
    nets[3].SGD((scipy.sparse.csr_array(X), Y), 2, 5, 0.5, verbose=False)
    assert nets[0] == nets[1] == nets[2] == nets[3]
    found = [
        fastnet.find_learning_rate(nets[0], data, verbose=False) for data in (DATA, (X, Y), pairs())
    ]
    costs = [[trial.costs for trial in one.trials] for one in found]
    assert costs[0] == costs[1] == costs[2]
    for net, data in zip(nets, (DATA, (X, Y), pairs(), (X.copy(), Y)), strict=True):
        net.update_mini_batch(data, 0.5, 0.0, 60)
        assert net.input_scale == SCALE
    assert nets[0] == nets[1] == nets[2] == nets[3]


def test_bare_evaluation_data_take_the_scale_of_the_training_data_set():
    flags = {"monitor_evaluation_cost": True, "monitor_evaluation_accuracy": True}
    histories = [
        network().SGD(DATA, 2, 5, 0.5, evaluation_data=given, verbose=False, **flags)
        for given in (DATA, (X, Y), pairs(), iter(pairs()), (scipy.sparse.csr_array(X), Y))
    ]
    assert all(history == histories[0] for history in histories)
    (fit,) = fastnet.fit_many([{**SPEC, **flags}], DATA, (X, Y), verbose=False)
    assert fit.history == histories[0]
    found = [fastnet.find_learning_rate(network(), DATA, e, verbose=False) for e in (DATA, (X, Y))]
    assert [[t.evaluation_accuracy for t in one.trials] for one in found[:1]] == [
        [t.evaluation_accuracy for t in found[1].trials]
    ]


def test_bare_bytes_to_evaluate_beside_real_training_data_have_the_scale_of_the_network():
    net = trained()
    history = net.SGD((X / 256, Y), 1, 5, 0.5, evaluation_data=(X, Y), monitor_evaluation_cost=True,
                      verbose=False)  # fmt: skip
    assert history.evaluation_cost == [net.total_cost(DATA, 0.0)]


def test_bare_bytes_to_evaluate_without_a_scale_are_warned_of():
    with pytest.warns(UserWarning, match=r"^evaluation_data: the inputs are bytes of up to"):
        network().SGD((X / 256, Y), 1, 5, 0.5, evaluation_data=(X, Y), verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a Dataset has a scale
        network().SGD(Dataset(X / 256, Y), 1, 5, 0.5, evaluation_data=(X, Y), verbose=False)


# ---- warnings of bytes without a scale

WORDS = r"bytes of up to \d+ that are not in a Dataset .*Dataset\(X, y, scale=1/256\) scales pixels"


def line_of(call):
    """The line at which the one warning of ``call`` comes, counted from its first."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (warning,) = caught
    assert warning.category is UserWarning
    assert warning.filename == __file__
    return warning.lineno - inspect.getsourcelines(call)[1]


class Subclass(Network):
    def backprop(self, x, y):
        return super().backprop(x, y)


TRAININGS = {
    "SGD": lambda net: net.SGD((X, Y), 1, 5, 0.5, verbose=False),
    "pairs": lambda net: net.SGD(pairs(), 1, 5, 0.5, verbose=False),
    "sparse": lambda net: net.SGD((scipy.sparse.csr_array(X), Y), 1, 5, 0.5, verbose=False),
    "update_mini_batch": lambda net: net.update_mini_batch((X, Y), 0.5, 0.0, 60),
    "find_learning_rate": lambda net: fastnet.find_learning_rate(net, (X, Y), verbose=False),
}


@pytest.mark.parametrize("kind", [Network, Subclass])
@pytest.mark.parametrize("train", TRAININGS.values(), ids=TRAININGS)
def test_bytes_without_a_scale_are_trained_as_they_are_with_a_warning_at_the_caller_s_line(
    train, kind
):
    net = network(kind)
    with pytest.warns(UserWarning, match=WORDS) as caught:
        train(net)
    assert [(each.filename, each.lineno) for each in caught] == [
        (__file__, inspect.getsourcelines(train)[1])
    ]
    train(net)  # once for each network


def test_a_warning_of_a_sweep_comes_once_at_the_caller_s_line():
    def call():
        some = [SPEC] * 2
        fastnet.fit_many(some, (X, Y), verbose=False)

    def lazily():
        fits = fastnet.fit_as_completed([SPEC], (X, Y), verbose=False)
        list(fits)

    assert line_of(call) == 2
    assert line_of(lazily) == 1


@pytest.mark.parametrize("max_workers", [1, 2])
def test_a_sweep_over_scales_that_differ_warns_once_for_each_network_and_in_the_caller(max_workers):
    with pytest.warns(UserWarning, match="is not the one that the network") as caught:
        fits = fastnet.fit_many(
            [SPEC] * 3, DATA, Dataset(X, Y, 1 / 255), verbose=False, max_workers=max_workers
        )
    assert [fit.error for fit in fits] == [None] * 3
    assert [warning.filename for warning in caught] == [__file__] * 3


def test_a_warning_that_is_an_error_comes_before_anything_changes_and_comes_again():
    net = network()
    for _ in range(2):
        with pytest.raises(UserWarning, match=WORDS):  # as pytest is set up here
            net.SGD((X, Y), 1, 5, 0.5, verbose=False)
    assert net == network()


def test_a_refused_training_does_not_warn():
    with pytest.raises(ValueError, match=r"^schedule"):
        network().SGD((X, Y), 1, 5, 0.5, schedule=fastnet.CosineDecay(floor=1.0))
    with pytest.raises(TypeError, match=r"^schedule\(1\)"):
        network().SGD((X, Y), 1, 5, 0.5, schedule=lambda epoch: "fast")
    with pytest.raises(ValueError, match=r"^specs\[0\]: eta"):
        fastnet.fit_many([{**SPEC, "eta": -1}], (X, Y))
    network().SGD((X, Y), 0, 5, 0.5)  # which trains nothing


def test_bytes_of_zeros_and_ones_booleans_and_data_sets_do_not_warn():
    ones = (X > 100).astype(np.uint8)
    nets = [network() for _ in range(3)]
    for net, inputs in zip(nets, (ones, X > 100, scipy.sparse.csr_array(X > 100)), strict=True):
        net.SGD((inputs, Y), 2, 5, 0.5, verbose=False)
    assert nets[0] == nets[1] == nets[2]
    trained(Dataset(X, Y))


def test_copies_and_pickles_keep_scale_and_what_was_said():
    net = network()
    with pytest.warns(UserWarning, match=WORDS):
        net.SGD((X, Y), 1, 5, 0.5, verbose=False)
    for other in (net.copy(), pickle.loads(pickle.dumps(net))):
        assert other.input_scale == 1.0
        other.SGD((X, Y), 1, 5, 0.5, verbose=False)


def test_estimators_take_bytes_as_they_are_without_a_warning():
    sizes = {"hidden_layer_sizes": (4,), "max_iter": 9, "random_state": 1, "tol": 1e9,
             "n_iter_no_change": 1}  # fmt: skip
    one, other = (MLPClassifier(**sizes).fit(inputs, Y) for inputs in (X, X * 1.0))
    assert equal(one.predict_proba(X), other.predict_proba(X * 1.0))
