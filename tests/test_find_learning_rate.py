"""``find_learning_rate``: which costs fall, which rates are tried, and that nothing changes."""

import copy
import math

import numpy as np
import pytest

import fastnet
from fastnet import Network, find_learning_rate, learning_rate

RANDOM = np.random.default_rng(1)
X, LABELS = RANDOM.random((40, 4)), np.arange(40) % 3


def found_by(costs_of, monkeypatch, **options):
    """The search where a trial's costs are ``costs_of(eta)``."""
    monkeypatch.setattr(
        learning_rate._Search, "_train", lambda self, eta: (self._net, costs_of(eta))
    )
    return find_learning_rate(Network([4, 3], seed=1), (X, LABELS), verbose=False, **options)


def threshold_at(largest):
    """A cost that falls, the faster the larger the rate, up to ``largest``, and rises beyond."""
    return lambda eta: [1 / (1 + e * eta) if eta <= largest else 1.0 + e for e in range(4)]


# ---- which rates are tried


@pytest.mark.parametrize(
    ("largest", "tried", "threshold"),
    [
        (0.6, [0.01, 0.1, 1, 0.5], 0.5),
        (0.3, [0.01, 0.1, 1, 0.5, 0.2], 0.2),
        (0.1, [0.01, 0.1, 1, 0.5, 0.2], 0.1),
        (70, [0.01, 0.1, 1, 10, 100, 50], 50),
        (0.01, [0.01, 0.1, 0.05, 0.02], 0.01),
        (3e-4, [0.01, 1e-3, 1e-4, 5e-4, 2e-4], 2e-4),
        (9e-10, [10.0**-k for k in range(2, 11)] + [5e-10], 5e-10),
    ],
)
def test_the_order_of_magnitude_is_found_first_and_then_a_digit(
    largest, tried, threshold, monkeypatch
):
    found = found_by(threshold_at(largest), monkeypatch)
    assert [trial.eta for trial in found.trials] == pytest.approx(tried, rel=1e-15)
    assert found.threshold == threshold
    assert found.eta == threshold / 2
    assert [trial.falls for trial in found.trials] == [eta <= largest for eta in tried]


@pytest.mark.parametrize(
    ("largest", "words"),
    [(0, "none from 1e-10 to 1e-2"), (math.inf, "up to 1e10, got one that falls with all")],
)
def test_a_cost_that_never_or_always_falls_is_an_error(largest, words, monkeypatch):
    with pytest.raises(ValueError, match=f"^net, training_data: expected .*{words}"):
        found_by(threshold_at(largest), monkeypatch)


# ---- what falls


@pytest.mark.parametrize(
    ("costs", "falls"),
    [
        ([9, 3, 2, 1], True),
        ([9, 3, 3.05, 2], True),  # up by less than 1 % of the fall
        ([9, 3, 3.1, 2], False),
        ([9, 10, 3, 2], False),
        ([9, 9, 9, 9], False),
        ([9, 9.1, 9.2, 9.3], False),
        ([9, 3, math.inf], False),
        ([9, math.inf], False),
        ([9, 3, math.nan, 2], False),
        ([-3, -4, -5, -6], True),
        ([9, 5], True),
        ([9, 8, 7, 6], True),  # where the rate of 0.01 was after its first epoch
        ([9, 8, 7, 6.01], False),
    ],
)
def test_a_cost_falls_unless_it_rises_or_ends_above_a_smaller_rate_s_first(
    costs, falls, monkeypatch
):
    """At eta = 0.1, where 0.01 has a cost of 6 after one epoch."""
    first = [9, 6, 5.5, 5.2] if min(costs) > 0 else [-3, -3.5, -4, -4.5]

    def costs_of(eta):
        return first if eta <= 0.01 else costs if eta == 0.1 else [9, 99]

    found = found_by(costs_of, monkeypatch)
    assert found.trials[1].eta == 0.1
    assert found.trials[1].falls == falls


def test_a_rate_that_saturates_the_neurons_at_once_is_too_large(monkeypatch):
    """All rates from 1e-4 up end at 0.5, and stay there from the first epoch on."""

    def costs_of(eta):
        return [1.4, 0.5, 0.5, 0.5] if eta > 5e-5 else [1.4, 0.4, 0.3, 0.2]

    found = found_by(costs_of, monkeypatch)
    assert [trial.falls for trial in found.trials if trial.eta > 5e-5] == [False] * 3
    assert found.threshold == 5e-5


def test_a_cost_that_has_arrived_after_one_epoch_falls(monkeypatch):
    def costs_of(eta):
        return [2, 0.5, 0.5, 0.5] if eta < 0.5 else [2, 3, 4, 5]

    found = found_by(costs_of, monkeypatch)
    assert found.threshold == 0.2


# ---- real trainings


def test_the_text_s_network_gets_the_text_s_rate(mnist):
    """Which is 0.5; the threshold is where the cost no longer falls steadily."""
    net = Network([784, 30, 10], seed=1)
    found = find_learning_rate(net, mnist[0], mnist[1], verbose=False)
    assert 0.25 <= found.eta <= 1
    best = max(found.trials, key=lambda trial: trial.evaluation_accuracy)
    assert best.evaluation_accuracy > 9300
    assert best.falls
    assert best.eta <= found.threshold


def test_the_costs_are_those_of_sgd_with_that_rate(dtype):
    net = Network([4, 5, 3], dtype=dtype, seed=7)
    options = {"l1": 0.2, "dropout": 0.2, "optimizer": fastnet.Momentum(0.5)}
    found = find_learning_rate(
        net, (X, LABELS), mini_batch_size=7, epochs=4, lmbda=0.3, verbose=False, **options
    )
    for trial in found.trials:
        twin = copy.deepcopy(net)
        history = twin.SGD((X, LABELS), 4, 7, trial.eta, 0.3, monitor_training_cost=True,
                           verbose=False, **options)  # fmt: skip
        assert trial.costs[1:] == history.training_cost
        start = net.total_cost((X, LABELS), 0.3)
        l1 = 0.2 / 40 * sum(float(np.abs(w).sum(dtype=np.float64)) for w in net.weights)
        assert trial.costs[0] == pytest.approx(start + l1, rel=1e-12)
        assert trial.seconds > 0
        assert trial.evaluation_accuracy is None


def test_weights_of_examples_count_in_the_costs_as_in_the_training():
    """Weights of 1/1000 and lmbda / 1000 are the training without weights."""
    net = Network([4, 5, 3], dtype="float64", seed=7)
    keywords = {"epochs": 2, "verbose": False}
    plain = find_learning_rate(net, (X, LABELS), lmbda=2.0, **keywords)
    light = find_learning_rate(
        net, (X, LABELS), lmbda=0.002, sample_weight=np.full(len(X), 0.001), **keywords
    )
    assert light.threshold == plain.threshold
    for mine, other in zip(light.trials, plain.trials, strict=True):
        assert mine.costs == pytest.approx(other.costs, rel=1e-9)


def test_the_same_call_finds_the_same_and_the_network_stays_as_it_is():
    net, twin = Network([4, 5, 3], seed=1), Network([4, 5, 3], seed=1)
    first, second = (find_learning_rate(net, (X, LABELS), verbose=False) for _ in range(2))
    assert [trial._replace(seconds=0) for trial in first.trials] == [
        trial._replace(seconds=0) for trial in second.trials
    ]
    assert net == twin
    assert net.input_scale is None
    for each in (net, twin):
        each.SGD((X, LABELS), 2, 5, 0.5, verbose=False)
    assert net == twin


def test_a_training_that_diverges_is_a_rate_too_large():
    net = Network([4, 1], "quadratic", output="linear", seed=1)
    found = find_learning_rate(net, (1000 * X, X[:, :1]), verbose=False)
    assert found.trials[0].costs[-1] == math.inf
    assert not found.trials[0].falls
    assert found.threshold < 1e-5


def test_a_line_is_printed_for_each_trial(capsys):
    net = Network([4, 5, 3], seed=1)
    found = find_learning_rate(net, (X, LABELS), (X[:9], LABELS[:9]))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found.trials) + 1
    for line, trial in zip(lines, found.trials, strict=False):
        costs = ", ".join(f"{cost:.4g}" for cost in trial.costs)
        assert line == (
            f"eta {trial.eta:g}  Cost on training data: {costs}  Accuracy on evaluation data: "
            f"{trial.evaluation_accuracy} / 9  {'falls' if trial.falls else 'does not fall'}"
        )
    assert lines[-1] == f"Threshold: eta {found.threshold:g}; half of it: {found.eta:g}"
    find_learning_rate(net, (X, LABELS), verbose=False)
    assert capsys.readouterr().out == ""


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"net": [4, 5, 3]}, "net: expected a fastnet.Network"),
        ({"training_data": (X[:, :3], LABELS)}, "training_data: expected 4 features"),
        ({"evaluation_data": (X, LABELS + 1)}, "evaluation_data: expected labels"),
        ({"mini_batch_size": 0}, "mini_batch_size: expected 1 or more"),
        ({"epochs": 0}, "epochs: expected 1 or more"),
        ({"lmbda": -1}, "lmbda: expected a finite number of 0 or more"),
        ({"lmbda": "1"}, "lmbda: expected a number"),
        ({"l1": -1}, "l1: expected a finite number of 0 or more"),
        ({"dropout": 1}, "dropout: expected a number from 0 to below 1"),
        ({"optimizer": "adam"}, "optimizer: expected None"),
        ({"schedule": fastnet.StepDecay()}, "schedule: expected only .*optimizer"),
        ({"early_stopping": None}, "early_stopping: expected only "),
        ({"eta": 0.5}, "eta: expected only "),
        ({"monitor_training_cost": True}, "monitor_training_cost: expected only "),
        ({"drop_out": 0.5}, "drop_out: expected only .*dropout"),
    ],
)
def test_bad_input_is_refused(arguments, words):
    net = Network([4, 5, 3], seed=1)
    arguments = {"net": net, "training_data": (X, LABELS), **arguments}
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        find_learning_rate(**arguments)
    assert net == Network([4, 5, 3], seed=1)
