"""One rule chooses the monitored figure by default: the accuracy if the targets of the evaluation
data are classes, otherwise the cost."""

from itertools import product

import numpy as np
import pytest

import fastnet
from fastnet import Dataset, EarlyStopping, HalveOnPlateau, Network
from fastnet.training.early_stopping import MONITORS

RANDOM = np.random.default_rng(4)
X, X_OTHER = RANDOM.random((40, 4)), RANDOM.random((20, 4))
LABELS, LABELS_OTHER = np.arange(40) % 3, np.arange(20) % 3


def smooth(inputs):
    """(n, 3) targets from 0 to 1."""
    return np.stack([inputs[:, 0], inputs[:, 1] ** 2, inputs[:, 2] * inputs[:, 3]], axis=1)


# What the targets of the evaluation data are, and what is followed on them.
TARGETS = {
    "labels": (LABELS_OTHER, "evaluation_accuracy"),
    "one-hot": (np.eye(3)[LABELS_OTHER], "evaluation_accuracy"),
    "one-hot float32": (np.eye(3, dtype=np.float32)[LABELS_OTHER], "evaluation_accuracy"),
    "one-hot booleans": (np.eye(3, dtype=bool)[LABELS_OTHER], "evaluation_accuracy"),
    "numbers": (smooth(X_OTHER), "evaluation_cost"),
    "rows of zeros": (np.eye(3)[LABELS_OTHER] * (np.arange(20) > 0)[:, None], "evaluation_cost"),
    "two ones in a row": (np.maximum(np.eye(3)[LABELS_OTHER], np.eye(3)[0]), "evaluation_cost"),
    "nearly one-hot": (np.eye(3)[LABELS_OTHER] * (1 - 1e-9), "evaluation_cost"),
}
ONE_TARGET = {
    "labels": ((LABELS_OTHER > 0).astype(int), "evaluation_accuracy"),
    "zeros and ones": ((LABELS_OTHER > 0)[:, None] * 1.0, "evaluation_accuracy"),
    "zeros": (np.zeros((20, 1)), "evaluation_accuracy"),
    "numbers": (smooth(X_OTHER)[:, :1], "evaluation_cost"),
    "minus one and one": ((LABELS_OTHER > 0)[:, None] * 2.0 - 1, "evaluation_cost"),
}
CASES = [
    *((3, *case) for case in TARGETS.values()),
    *((1, *case) for case in ONE_TARGET.values()),
]
cases = pytest.mark.parametrize(
    ("n_out", "y", "followed"), CASES, ids=[*TARGETS, *(f"one output, {key}" for key in ONE_TARGET)]
)


def network(n_out=3, cost="quadratic", output="linear", **options):
    return Network([4, 5, n_out], cost, output=output, seed=7, **options)


def data(n_out=3):
    return X, LABELS if n_out == 3 else (LABELS > 0).astype(int)


def recorded(history):
    return [name for name in MONITORS if getattr(history, name)]


# ---- SGD


@cases
def test_a_training_without_flags_records_and_prints_what_the_targets_are(
    n_out, y, followed, capsys
):
    net = network(n_out)
    history = net.SGD(data(n_out), 2, 5, 0.1, evaluation_data=(X_OTHER, y))
    assert recorded(history) == [followed]
    kind = followed.partition("_")[2].capitalize()
    lines = capsys.readouterr().out.splitlines()
    assert all(f"{kind} on evaluation data: " in line for line in lines)
    flagged = network(n_out)
    assert history == flagged.SGD(
        data(n_out), 2, 5, 0.1, evaluation_data=(X_OTHER, y), verbose=False,
        **{f"monitor_{followed}": True},
    )  # fmt: skip
    assert net == flagged
    figure = net.accuracy if kind == "Accuracy" else lambda data: net.total_cost(data, 0.0)
    assert getattr(history, followed)[-1] == figure((X_OTHER, y))


@cases
def test_early_stopping_and_halving_follow_the_same_by_default(n_out, y, followed):
    evaluation = Dataset(X_OTHER, y)
    named = [None, followed, "training_cost"]
    for stop, halve in product([..., *named], [..., *named]):
        if stop is halve is ...:
            continue
        rules = {}
        if stop is not ...:
            rules["early_stopping"] = EarlyStopping(stop, patience=2)
        if halve is not ...:
            rules["schedule"] = HalveOnPlateau(1, 1 / 4, halve)
        net, twin = network(n_out), network(n_out)
        history = net.SGD(data(n_out), 9, 5, 0.5, evaluation_data=evaluation, verbose=False,
                          **rules)  # fmt: skip
        expected = {followed if name is None else name for name in (stop, halve)} - {...}
        assert set(recorded(history)) == expected
        if rules.get("early_stopping"):
            rules["early_stopping"] = EarlyStopping(stop or followed, patience=2)
        if rules.get("schedule"):
            rules["schedule"] = HalveOnPlateau(1, 1 / 4, halve or followed)
        assert history == twin.SGD(data(n_out), 9, 5, 0.5, evaluation_data=evaluation,
                                   verbose=False, **rules)  # fmt: skip
        assert net == twin


def test_early_stopping_of_a_regression_restores_the_epoch_of_the_lowest_cost():
    evaluation = X_OTHER, smooth(X_OTHER)
    net = network()
    history = net.SGD(
        (X, smooth(X)), 60, 5, 0.3, evaluation_data=evaluation,
        early_stopping=EarlyStopping(patience=5), verbose=False,
    )  # fmt: skip
    costs = history.evaluation_cost
    assert recorded(history) == ["evaluation_cost"]
    assert 6 < len(costs) == 6 + costs.index(min(costs)) or len(costs) == 60
    assert costs.index(min(costs)) > 1
    assert net.total_cost(evaluation, 0.0) == min(costs)
    twin = network()
    twin.SGD((X, smooth(X)), 1 + costs.index(min(costs)), 5, 0.3, verbose=False)
    assert net == twin


RULES = [
    {"early_stopping": EarlyStopping()},
    {"schedule": HalveOnPlateau()},
    {"early_stopping": EarlyStopping(), "schedule": HalveOnPlateau(monitor="training_cost")},
    {"early_stopping_n": 3},
]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("nothing", [None, False, np.False_])
def test_the_default_monitor_needs_evaluation_data(rules, nothing):
    net = network()
    with pytest.raises(ValueError, match=r"^evaluation_data: expected data, since .*; got None"):
        net.SGD((X, smooth(X)), 3, 5, 0.1, evaluation_data=nothing, verbose=False, **rules)
    assert net == network()


def test_nothing_more_is_recorded_where_something_is_asked_for_or_followed():
    for asked, expected in (
        ({"monitor_training_cost": True}, ["training_cost"]),
        ({"monitor_evaluation_cost": True}, ["evaluation_cost"]),
        ({"early_stopping": EarlyStopping("training_accuracy")}, ["training_accuracy"]),
        ({"schedule": HalveOnPlateau(monitor="training_cost")}, ["training_cost"]),
        ({"schedule": fastnet.StepDecay()}, ["evaluation_accuracy"]),  # which follows nothing
        ({"schedule": lambda epoch: 0.1}, ["evaluation_accuracy"]),
    ):
        history = network().SGD(
            data(), 2, 5, 0.1, evaluation_data=(X_OTHER, LABELS_OTHER), verbose=False, **asked
        )
        assert recorded(history) == expected


@pytest.mark.parametrize("none", [None, False, np.False_])
def test_evaluation_data_that_are_none_are_not_recorded(none, capsys):
    history = network().SGD(data(), 2, 5, 0.1, evaluation_data=none)
    assert history == ([], [], [], [])
    assert history.n_evaluation is None
    assert capsys.readouterr().out.splitlines() == ["Epoch 1 / 2", "Epoch 2 / 2"]
    with pytest.raises(ValueError, match=r"^evaluation_data: expected data, since monitor_eval"):
        network().SGD(data(), 2, 5, 0.1, evaluation_data=none, monitor_evaluation_cost=True)


@pytest.mark.parametrize("empty", [[], (), iter([]), (np.empty((0, 4)), np.empty(0, int))])
@pytest.mark.parametrize("flags", [{}, {"monitor_evaluation_accuracy": True}])
def test_empty_evaluation_data_are_an_error(empty, flags):
    net = network()
    with pytest.raises(ValueError, match=r"^evaluation_data: .*expected at least one example"):
        net.SGD(data(), 2, 5, 0.1, evaluation_data=empty, verbose=False, **flags)
    assert net == network()


def test_the_evaluation_data_may_be_the_training_data_and_a_generator():
    given = Dataset(*data())
    pairs = [(x, int(y)) for x, y in zip(*data(), strict=True)]
    histories = [
        network().SGD(training, 3, 5, 0.1, evaluation_data=evaluation, verbose=False)
        for training, evaluation in (
            (given, given), (pairs, pairs), (iter(pairs), iter(pairs)), (given, data()),
        )
    ]  # fmt: skip
    assert all(history == histories[0] != ([], [], [], []) for history in histories)


def test_training_data_are_read_before_evaluation_data():
    rows = iter([(x, int(y)) for x, y in zip(*data(), strict=True)])
    training = (next(rows) for _ in range(30))
    history = network().SGD(training, 1, 5, 0.1, evaluation_data=rows, verbose=False)
    assert (history.n_training, history.n_evaluation) == (30, 10)


# ---- the flags, and the names of other programs

TRUE = [True, 1, "yes", np.True_, np.int64(3), [0], np.array([True])]
FALSE = [False, 0, "", None, np.False_, [], np.array(0.0)]


@pytest.mark.covering(1)
@pytest.mark.parametrize("true", TRUE, ids=repr)
@pytest.mark.parametrize("name", MONITORS)
def test_a_flag_takes_what_is_true(name, true):
    history = network().SGD(data(), 1, 5, 0.1, evaluation_data=(X_OTHER, LABELS_OTHER),
                            verbose=False, **{f"monitor_{name}": true})  # fmt: skip
    assert recorded(history) == [name]


@pytest.mark.parametrize("false", FALSE, ids=repr)
def test_a_flag_takes_what_is_false(false):
    flags = {f"monitor_{name}": false for name in MONITORS}
    assert network().SGD(data(), 1, 5, 0.1, verbose=False, **flags) == ([], [], [], [])


def test_a_flag_that_is_neither_is_named_and_nothing_changes():
    net = network()
    with pytest.raises(TypeError, match=r"^monitor_training_cost: expected True or False, got"):
        net.SGD(data(), 1, 5, 0.1, monitor_training_cost=np.ones(2))
    assert net == network()


@pytest.mark.parametrize("n", [1, 2, np.int64(3)])
def test_early_stopping_n_is_patience_without_restoring(n):
    evaluation = X_OTHER, LABELS_OTHER
    net, twin = (network(cost="cross-entropy", output=None) for _ in range(2))
    history = net.SGD(data(), 30, 5, 0.5, 0.0, evaluation, False, True, False, False, n,
                      verbose=False)  # fmt: skip
    rule = EarlyStopping(patience=int(n), restore_best=False)
    assert history == twin.SGD(
        data(), 30, 5, 0.5, evaluation_data=evaluation, early_stopping=rule, verbose=False
    )
    assert net == twin
    assert len(history.evaluation_accuracy) < 30


def test_early_stopping_n_of_zero_is_none_and_others_are_refused():
    net = network()
    assert net.SGD(data(), 2, 5, 0.1, early_stopping_n=0, verbose=False) == ([], [], [], [])
    for n, words in (
        (-1, "expected 0 or more, got -1"), (1.5, "expected an integer, got 1.5"),
        (True, "expected an integer, got True"), (None, "expected an integer, got None"),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=f"^early_stopping_n: {words}"):
            net.SGD(data(), 2, 5, 0.1, early_stopping_n=n)
    with pytest.raises(TypeError, match=r"^early_stopping_n: expected 0 with early_stopping"):
        net.SGD(data(), 2, 5, 0.1, early_stopping_n=2, early_stopping=EarlyStopping())


def test_early_stopping_n_stands_in_specs():
    spec = {"sizes": [4, 5, 3], "epochs": 30, "mini_batch_size": 5, "eta": 0.5, "seed": 7}
    rule = EarlyStopping(patience=1, restore_best=False)
    one, other = fastnet.fit_many(
        [{**spec, "early_stopping_n": 1}, {**spec, "early_stopping": rule}], data(),
        (X_OTHER, LABELS_OTHER), verbose=False,
    )  # fmt: skip
    assert one.network == other.network
    assert one.history == other.history


@pytest.mark.parametrize("given", [(X_OTHER, LABELS_OTHER), [], 1, False])
def test_test_data_names_evaluation_data(given):
    net = network()
    with pytest.raises(TypeError, match=r"^test_data: .* evaluation_data"):
        net.SGD(data(), 2, 5, 0.1, test_data=given)
    assert net == network()


# ---- accuracies where there are no classes

ASKED = [
    {"monitor_evaluation_accuracy": True},
    {"monitor_training_accuracy": True},
    {"early_stopping": EarlyStopping("evaluation_accuracy")},
    {"early_stopping": EarlyStopping("training_accuracy")},
    {"schedule": HalveOnPlateau(monitor="evaluation_accuracy")},
    {"schedule": HalveOnPlateau(monitor="training_accuracy")},
]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    ("cost", "output"), [("quadratic", "linear"), ("huber", "linear"), ("poisson", "exponential")]
)
def test_an_accuracy_of_numbers_is_refused_before_the_first_epoch(asked, cost, output):
    net, called = network(3, cost, output), []
    words = f"_data: expected labels .* accuracy of {output} outputs, .*total_cost"
    with pytest.raises(ValueError, match=words):
        net.SGD((X, smooth(X)), 3, 5, 0.1, evaluation_data=(X_OTHER, smooth(X_OTHER)),
                callbacks=[lambda *_: called.append(1)], verbose=False, **asked)  # fmt: skip
    assert net == network(3, cost, output)
    assert not called
    with pytest.raises(ValueError, match=f"^data: expected labels.*{output}.*total_cost"):
        net.accuracy((X, smooth(X)))


@pytest.mark.parametrize(("cost", "output"), [("cross-entropy", "sigmoid"),
                                              ("quadratic", "sigmoid"),
                                              ("log-likelihood", "softmax")])  # fmt: skip
def test_an_accuracy_of_sigmoid_and_softmax_outputs_is_counted_with_any_targets(cost, output):
    y = smooth(X_OTHER) / smooth(X_OTHER).sum(axis=1, keepdims=True)
    net = network(3, cost, output)
    history = net.SGD(data(), 2, 5, 0.1, evaluation_data=(X_OTHER, y),
                      monitor_evaluation_accuracy=True, verbose=False)  # fmt: skip
    right = (net.feedforward(X_OTHER).argmax(axis=1) == y.argmax(axis=1)).sum()
    assert history.evaluation_accuracy[-1] == net.accuracy((X_OTHER, y)) == right


def test_an_accuracy_of_a_subclass_may_count_what_it_likes():
    class Within(Network):
        def accuracy(self, data, convert=False):
            return sum(abs(self.feedforward(x) - y).max() < 0.5 for x, y in zip(*data, strict=True))

    net = Within([4, 3], "quadratic", output="linear", seed=1)
    evaluation = X_OTHER, smooth(X_OTHER)
    history = net.SGD((X, smooth(X)), 2, 5, 0.1, evaluation_data=evaluation,
                      monitor_evaluation_accuracy=True, verbose=False)  # fmt: skip
    assert history.evaluation_accuracy[-1] == net.accuracy(evaluation) > 0


def test_pictures_of_classes_refuse_what_has_none():
    pytest.importorskip("matplotlib").use("Agg")
    from fastnet import plots

    for draw in (plots.confusion, plots.digits):
        with pytest.raises(ValueError, match=r"^data: expected labels.*total_cost"):
            draw(network(), (X, smooth(X)))


def test_the_picture_of_a_training_draws_what_was_recorded():
    pytest.importorskip("matplotlib").use("Agg")
    from fastnet import plots

    for y, label in ((LABELS_OTHER, "accuracy in %"), (smooth(X_OTHER), "mean cost, L1 and L2")):
        history = network().SGD(data(), 2, 5, 0.1, evaluation_data=(X_OTHER, y), verbose=False)
        assert plots.training(history).get_ylabel().startswith(label)


# ---- sweeps and the search for a rate


@cases
def test_a_sweep_records_and_follows_the_same(n_out, y, followed):
    spec = {"sizes": [4, 5, n_out], "cost": "quadratic", "output": "linear", "epochs": 3,
            "mini_batch_size": 5, "eta": 0.1, "seed": 7}  # fmt: skip
    specs = [spec, {**spec, "early_stopping": EarlyStopping()},
             {**spec, "schedule": HalveOnPlateau()}, {**spec, "early_stopping_n": 2}]  # fmt: skip
    fits = fastnet.fit_many(specs, data(n_out), (X_OTHER, y), verbose=False)
    assert [recorded(fit.history) for fit in fits] == [[followed]] * 4
    assert [recorded(fit.history) for fit in fastnet.fit_many([spec], data(n_out))] == [[]]


@cases
def test_the_search_for_a_rate_measures_the_same(n_out, y, followed, capsys):
    found = fastnet.find_learning_rate(network(n_out), data(n_out), (X_OTHER, y), mini_batch_size=5)
    printed = capsys.readouterr().out
    for trial in found.trials:
        measured = trial.evaluation_accuracy, trial.evaluation_cost
        assert (measured[0] is None, measured[1] is None) == (
            followed == "evaluation_cost", followed == "evaluation_accuracy",
        )  # fmt: skip
    net = network(n_out)
    net.SGD(data(n_out), 3, 5, found.trials[0].eta, verbose=False)
    kind = followed.partition("_")[2].capitalize()
    assert f"{kind} on evaluation data: " in printed
    if kind == "Cost":
        assert found.trials[0].evaluation_cost == net.total_cost((X_OTHER, y), 0.0)
    else:
        assert found.trials[0].evaluation_accuracy == net.accuracy((X_OTHER, y))
