"""Early stopping: when training ends, and with which parameters."""

import dataclasses
import math
import pickle

import numpy as np
import pytest

from fastnet import DivergenceError, EarlyStopping, HalveOnPlateau, Network
from fastnet.model import Model

RANDOM = np.random.default_rng(5)
GOOD = (RANDOM.random((25, 4)), np.arange(25) % 3)
OTHER = (RANDOM.random((15, 4)), np.arange(15) % 3)


def network(**options):
    return Network([4, 5, 3], seed=7, **options)


@pytest.fixture
def accuracies(monkeypatch):
    """accuracies(sequence): what the networks' accuracies are from now on, epoch by epoch."""

    def make(sequence):
        values = iter(sequence)
        monkeypatch.setattr(Model, "accuracies", lambda _, nets, *__: [next(values) for _ in nets])

    return make


def trained(epochs):
    net = network()
    net.SGD(GOOD, epochs, 10, 0.5, verbose=False)
    return net


def stopped(rule, epochs=20, **options):
    """(network, History) of a training with this rule."""
    net = network()
    history = net.SGD(
        GOOD, epochs, 10, 0.5, evaluation_data=OTHER, early_stopping=rule, verbose=False, **options
    )
    return net, history


def test_training_stops_after_so_many_epochs_without_improvement(accuracies):
    # epoch 3 is the best; 4, 5 and 6 are not better
    accuracies([3, 2, 6, 6, 5, 6, 9])
    net, history = stopped(EarlyStopping(patience=3))
    assert history.evaluation_accuracy == [3, 2, 6, 6, 5, 6]
    assert net == trained(3)


def test_each_improvement_makes_the_patience_new(accuracies):
    accuracies([1, 1, 2, 2, 3, 3, 3, 9])
    net, history = stopped(EarlyStopping(patience=2))
    assert len(history.evaluation_accuracy) == 7
    assert net == trained(5)


def test_the_best_epoch_is_restored_to_the_bit_where_training_was_not_stopped(accuracies):
    accuracies([1, 8, 8, 7])
    net, history = stopped(EarlyStopping(), 4)
    assert len(history.evaluation_accuracy) == 4
    assert net == trained(2)  # the first of the two that are equal


def test_the_parameters_of_the_last_epoch_stay_where_nothing_is_to_be_restored(accuracies):
    accuracies([3, 8, 2, 1])
    net, _ = stopped(EarlyStopping(patience=2, restore_best=False))
    assert net == trained(4)


def test_the_order_of_a_further_training_does_not_depend_on_what_was_restored(accuracies):
    accuracies([3, 8, 2, 1])
    net, _ = stopped(EarlyStopping(patience=2))
    twin = trained(4)  # whose random numbers stand behind the fourth epoch
    twin.weights, twin.biases = trained(2).weights, trained(2).biases
    for each in (net, twin):
        each.SGD(GOOD, 2, 10, 0.5, verbose=False)
    assert net == twin


def test_small_improvements_do_not_count_for_the_patience_but_the_best_is_the_best(accuracies):
    # from 10 on, over 12 would count: 11 and 12 do not, 13 does, 14 and 15 do not again
    accuracies([10, 11, 12])
    net, history = stopped(EarlyStopping(patience=2, min_delta=2))
    assert history.evaluation_accuracy == [10, 11, 12]
    assert net == trained(3)
    accuracies([10, 12, 13, 15, 14, 99])
    net, history = stopped(EarlyStopping(patience=2, min_delta=2))
    assert len(history.evaluation_accuracy) == 5
    assert net == trained(4)


@pytest.mark.parametrize("split", ["evaluation", "training"])
def test_a_cost_improves_downwards(split, monkeypatch):
    costs = iter([3.0, 1.0, 2.0, 1.0, 0.5])
    monkeypatch.setattr(
        Model, "total_costs", lambda _, nets, *__, **___: [next(costs) for _ in nets]
    )
    net, history = stopped(EarlyStopping(f"{split}_cost", patience=2))
    assert getattr(history, f"{split}_cost") == [3.0, 1.0, 2.0, 1.0]
    assert net == trained(2)


def test_a_figure_that_is_nan_is_no_improvement(monkeypatch, capsys):
    costs = iter([math.nan, math.nan, 1.0, math.nan, math.nan])
    monkeypatch.setattr(
        Model, "total_costs", lambda _, nets, *__, **___: [next(costs) for _ in nets]
    )
    net, history = stopped(EarlyStopping("training_cost", patience=2))
    assert len(history.training_cost) == 2
    assert net == trained(2)


MONITORS = ["evaluation_cost", "evaluation_accuracy", "training_cost", "training_accuracy"]


@pytest.mark.parametrize("monitor", MONITORS)
def test_the_monitored_figure_is_measured_and_recorded_though_its_flag_is_not_set(monitor):
    _, history = stopped(EarlyStopping(monitor, patience=9), 4)
    _, flagged = stopped(None, 4, **{f"monitor_{monitor}": True})
    assert history == flagged
    assert [field for field in history._fields if getattr(history, field)] == [monitor]
    _, history = stopped(EarlyStopping(monitor, patience=9), 4, **{f"monitor_{monitor}": True})
    assert history == flagged  # once


@pytest.mark.parametrize("monitor", MONITORS)
def test_a_real_training_ends_with_its_best_figure(monitor):
    net, history = stopped(EarlyStopping(monitor, patience=50), 50)
    figures = getattr(history, monitor)
    data = OTHER if "evaluation" in monitor else GOOD
    if monitor.endswith("cost"):
        assert net.total_cost(data, 0.0) == min(figures)
    else:
        assert net.accuracy(data) == max(figures)
    assert net == trained(1 + figures.index((min if "cost" in monitor else max)(figures)))


def test_one_line_says_when_it_stopped_and_what_was_best(accuracies, capsys):
    def last_line(rule, epochs, sequence):
        accuracies(sequence)
        net = network()
        net.SGD(GOOD, epochs, 10, 0.5, evaluation_data=OTHER, early_stopping=rule)
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if not line.startswith("Epoch ") or "best" in line]

    assert last_line(EarlyStopping(patience=2), 9, [3, 8, 2, 1]) == [
        "Stopped after epoch 4: no improvement of evaluation_accuracy in 2 epochs; "
        "epoch 2 was best, its weights and biases are restored"
    ]
    assert last_line(EarlyStopping(patience=2, restore_best=False), 9, [3, 8, 2, 1]) == [
        "Stopped after epoch 4: no improvement of evaluation_accuracy in 2 epochs; epoch 2 was best"
    ]
    assert last_line(EarlyStopping(), 3, [3, 8, 2]) == [
        "Epoch 2 was best, its weights and biases are restored"
    ]
    assert last_line(EarlyStopping(), 3, [3, 8, 9]) == []
    assert last_line(EarlyStopping(), 0, []) == []


def test_early_stopping_and_halving_follow_figures_of_their_own(accuracies, capsys):
    accuracies([3, 1, 1, 1, 1, 1])
    net, history = stopped(EarlyStopping(patience=9), schedule=HalveOnPlateau(1, 1 / 2))
    assert len(history.evaluation_accuracy) == 3  # halved for epoch 3, then stopped
    assert net == trained(1)  # the best is restored whoever stops


def test_a_divergence_keeps_the_last_finite_parameters_and_restores_none(accuracies):
    accuracies([5, 4, 3, 2])
    net, twin = (Network([4, 3], "quadratic", output="linear", seed=7) for _ in range(2))
    rates = [0.01, 0.01, 1e300].__getitem__
    with pytest.raises(DivergenceError) as caught:
        net.SGD(
            GOOD, 3, 10, 1.0, evaluation_data=OTHER, early_stopping=EarlyStopping(),
            schedule=lambda epoch: rates(epoch - 1), verbose=False,
        )  # fmt: skip
    assert caught.value.epoch == 3
    twin.SGD(GOOD, 2, 10, 0.01, verbose=False)
    assert net == twin


def test_a_rule_is_a_value_without_state(accuracies):
    rule = EarlyStopping("training_cost", 3, False, 0.5)
    assert pickle.loads(pickle.dumps(rule)) == rule != EarlyStopping()
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.patience = 2
    rule = EarlyStopping(patience=2)
    for _ in range(2):
        accuracies([3, 8, 2, 1])
        assert stopped(rule)[0] == trained(2)


# ---- bad input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"monitor": "accuracy"}, "monitor: expected one of evaluation_cost, .*got 'accuracy'"),
        ({"monitor": 1}, "monitor: expected one of evaluation_cost, .*or None; got 1"),
        ({"patience": 0}, "patience: expected 1 or more, got 0"),
        ({"patience": 1.5}, "patience: expected an integer, got 1.5"),
        ({"restore_best": 1}, "restore_best: expected True or False, got 1"),
        ({"min_delta": -1}, "min_delta: expected a finite number of 0 or more, got -1"),
        ({"min_delta": math.inf}, "min_delta: expected a finite number of 0 or more, got inf"),
        ({"min_delta": "1"}, "min_delta: expected a number, got '1'"),
    ],
)
def test_a_rule_with_a_bad_parameter_is_refused(options, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        EarlyStopping(**options)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (10, "early_stopping: expected an EarlyStopping or None, got 10"),
        (EarlyStopping, "early_stopping: expected an EarlyStopping or None, got <class"),
        (EarlyStopping(), "evaluation_data: expected data, since early_stopping follows "
                          "evaluation_accuracy; got None"),
        (EarlyStopping("evaluation_cost"), "evaluation_data: expected data, since early_stopping "
                                           "follows evaluation_cost; got None"),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused_before_anything_has_changed(rule, words):
    net, twin = network(), network()
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        net.SGD(GOOD, 3, 10, 0.5, early_stopping=rule, verbose=False)
    for each in (net, twin):
        each.SGD(GOOD, 1, 10, 0.5, verbose=False)
    assert net == twin
