"""Learning rates that change from epoch to epoch."""

import dataclasses
import math
import pickle

import numpy as np
import pytest

import fastnet
from fastnet import CosineDecay, ExponentialDecay, HalveOnPlateau, Network, StepDecay
from fastnet.model import Model

X = np.random.default_rng(5).random((25, 4))
GOOD = (X, np.arange(25) % 3)


def network(**options):
    return Network([4, 5, 3], seed=7, **options)


def rates(schedule, eta, epochs):
    return [schedule.rate(eta, epoch, epochs) for epoch in range(1, epochs + 1)]


def printed_rates(printed):
    """The rates in the lines of ``SGD``."""
    return [float(line.split("eta ")[1].split()[0]) for line in printed.splitlines()
            if line.startswith("Epoch") and "eta" in line]  # fmt: skip


# ---- the rates


def test_step_decay_multiplies_after_every_so_many_epochs():
    assert rates(StepDecay(0.5, 3), 8.0, 8) == [8, 8, 8, 4, 4, 4, 2, 2]
    assert rates(StepDecay(), 1.0, 11) == [1.0] * 10 + [0.1]
    assert rates(StepDecay(1.0, 1), 3.0, 3) == [3.0] * 3


def test_exponential_decay_multiplies_after_every_epoch():
    assert rates(ExponentialDecay(0.5), 8.0, 4) == [8, 4, 2, 1]
    assert rates(ExponentialDecay(), 1.0, 2) == [1.0, 0.95]


def test_cosine_decay_is_half_a_cosine_over_the_epochs_of_the_call():
    root = math.sqrt(0.5)
    expected = [1, (1 + root) / 2, 0.5, (1 - root) / 2]
    assert rates(CosineDecay(), 1.0, 4) == pytest.approx(expected, rel=1e-15)
    with_floor = [0.2 + 0.8 * share for share in expected]
    assert rates(CosineDecay(floor=0.2), 1.0, 4) == pytest.approx(with_floor, rel=1e-15)


def test_cosine_decay_with_epochs_of_its_own_ends_at_the_floor_and_stays():
    schedule = CosineDecay(epochs=2, floor=0.3)
    assert rates(schedule, 0.7, 5) == [0.7, 0.5, 0.3, 0.3, 0.3]
    assert rates(CosineDecay(), 0.7, 1) == [0.7]
    assert rates(CosineDecay(floor=0.7), 0.7, 3) == pytest.approx([0.7] * 3, rel=2e-16)


def test_a_rate_that_falls_below_all_floats_is_zero():
    assert StepDecay(1e-300, 1).rate(1e-300, 3, 3) == 0.0


# ---- in training


@pytest.mark.parametrize("schedule", [StepDecay(0.5, 2), ExponentialDecay(0.7), CosineDecay(),
                                      lambda epoch: 0.9 / epoch])  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_epoch_is_trained_with_its_own_rate(schedule, dtype):
    scheduled, by_hand = network(dtype=dtype), network(dtype=dtype)
    scheduled.SGD(GOOD, 5, 10, 0.9, 0.3, schedule=schedule, verbose=False)
    for epoch in range(1, 6):
        rate = schedule(epoch) if callable(schedule) else schedule.rate(0.9, epoch, 5)
        by_hand.SGD(GOOD, 1, 10, rate, 0.3, verbose=False)
    assert scheduled == by_hand
    constant = network(dtype=dtype)
    constant.SGD(GOOD, 5, 10, 0.9, 0.3, verbose=False)
    assert scheduled != constant


def test_a_function_is_asked_once_for_each_epoch_as_it_begins():
    asked, left = [], [network()]

    def schedule(epoch):
        asked.append((epoch, net == left[-1]))
        return 0.5

    net, constant = network(), network()
    keep = [lambda net, epoch, history: left.append(net.copy())]
    net.SGD(GOOD, 3, 10, 123.0, schedule=schedule, callbacks=keep, verbose=False)
    assert asked == [(1, True), (2, True), (3, True)]
    constant.SGD(GOOD, 3, 10, 0.5, verbose=False)
    assert net == constant  # its rate stands in place of eta


def test_the_rate_is_printed_where_there_is_a_schedule_and_not_elsewhere(capsys):
    network().SGD(GOOD, 2, 10, 0.5, monitor_training_accuracy=True, schedule=StepDecay(0.5, 1))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Epoch 1 / 2  eta 0.5  Accuracy on training data: ")
    assert second.startswith("Epoch 2 / 2  eta 0.25  Accuracy on training data: ")
    network().SGD(GOOD, 2, 10, 0.5)
    assert capsys.readouterr().out == "Epoch 1 / 2\nEpoch 2 / 2\n"


def test_without_epochs_no_rate_is_asked_for():
    net = network()
    net.SGD(GOOD, 0, 10, 0.5, schedule=lambda epoch: 1 / 0, verbose=False)
    net.SGD(GOOD, 0, 10, 0.5, schedule=CosineDecay(), verbose=False)
    assert net == network()


# ---- halving on a plateau


@pytest.fixture
def figures(monkeypatch):
    """figures(sequence): what the networks' accuracies are from now on, epoch by epoch."""

    def make(sequence):
        values = iter(sequence)
        monkeypatch.setattr(Model, "accuracies", lambda _, nets, *__: [next(values) for _ in nets])

    return make


def test_halving_follows_a_sequence_worked_by_hand(figures, capsys):
    # patience 2: epoch 1 improves, 2 and 3 do not: halved for 4; 4 and 5 do not: halved
    # for 6; 6 improves, 7 equals it, 8 improves, 9 and 10 do not: halved for 11
    figures([5, 5, 4, 5, 3, 6, 6, 7, 7, 7, 7])
    schedule = HalveOnPlateau(patience=2)
    history = network().SGD(GOOD, 11, 10, 8.0, evaluation_data=GOOD, schedule=schedule)
    expected = [8, 8, 8, 4, 4, 2, 2, 2, 2, 2, 1]
    assert printed_rates(capsys.readouterr().out) == expected
    assert history.evaluation_accuracy == [5, 5, 4, 5, 3, 6, 6, 7, 7, 7, 7]


def test_training_stops_where_the_rate_would_fall_below_its_bound(figures, capsys):
    figures([5] + [0] * 20)
    schedule = HalveOnPlateau(patience=1, stop_at=1 / 4)
    history = network().SGD(GOOD, 20, 10, 1.0, evaluation_data=GOOD, schedule=schedule)
    printed = capsys.readouterr().out
    assert printed_rates(printed) == [1, 1, 0.5, 0.25]
    assert len(history.evaluation_accuracy) == 4
    last = "Stopped after epoch 4: eta would fall below 0.25, its lower bound"
    assert printed.splitlines()[-1] == last


def test_the_bound_of_the_text_allows_seven_halvings_and_0_any_number(figures, capsys):
    figures([5] + [0] * 40)
    schedule = HalveOnPlateau(patience=1)
    network().SGD(GOOD, 20, 10, 1.0, evaluation_data=GOOD, schedule=schedule)
    assert printed_rates(capsys.readouterr().out) == [1] + [2.0**-k for k in range(8)]
    figures([5] + [0] * 40)
    schedule = HalveOnPlateau(patience=1, stop_at=0)
    network().SGD(GOOD, 20, 10, 1.0, evaluation_data=GOOD, schedule=schedule, verbose=False)


def test_a_cost_improves_downwards(monkeypatch, capsys):
    costs = iter([3.0, 2.0, 1.0, 1.5, 1.0])
    monkeypatch.setattr(
        Model, "total_costs", lambda _, nets, *__, **___: [next(costs) for _ in nets]
    )
    network().SGD(GOOD, 5, 10, 1.0, schedule=HalveOnPlateau(1, 1 / 8, "training_cost"))
    assert printed_rates(capsys.readouterr().out) == [1, 1, 1, 1, 0.5]


def test_halved_epochs_are_trained_with_the_halved_rate(figures):
    halved, by_hand = network(), network()
    figures([5, 0, 0])
    halved.SGD(GOOD, 3, 10, 0.8, evaluation_data=GOOD, schedule=HalveOnPlateau(1), verbose=False)
    for rate in (0.8, 0.8, 0.4):
        by_hand.SGD(GOOD, 1, 10, rate, verbose=False)
    assert halved == by_hand


# ---- as objects


@pytest.mark.parametrize(
    "schedule", [StepDecay(), ExponentialDecay(), CosineDecay(), HalveOnPlateau()]
)
def test_a_schedule_is_a_value_without_state(schedule):
    assert pickle.loads(pickle.dumps(schedule)) == schedule == type(schedule)()
    assert hash(schedule) == hash(type(schedule)())
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(schedule, dataclasses.fields(schedule)[0].name, 1)
    nets = [network(), network()]
    for net in nets:
        net.SGD(GOOD, 30, 10, 0.5, evaluation_data=GOOD, schedule=schedule, verbose=False)
    assert nets[0] == nets[1]


# ---- bad input


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: StepDecay(factor=0), "factor: expected a number over 0 and at most 1, got 0"),
        (lambda: StepDecay(factor=1.5), "factor: expected a number over 0 and at most 1, got 1.5"),
        (lambda: StepDecay(factor=-1), "factor: expected a number over 0 and at most 1, got -1"),
        (lambda: StepDecay(every=0), "every: expected 1 or more, got 0"),
        (lambda: StepDecay(every=2.5), "every: expected an integer, got 2.5"),
        (lambda: ExponentialDecay("1"), "factor: expected a number, got '1'"),
        (lambda: ExponentialDecay(math.nan), "factor: expected a number over 0 .* got nan"),
        (lambda: CosineDecay(0), "epochs: expected 1 or more, got 0"),
        (lambda: CosineDecay(floor=-0.1), "floor: expected a finite number of 0 or more"),
        (lambda: CosineDecay(floor=0.5).rate(0.4, 1, 3), "schedule: expected a floor of at most "),
        (lambda: CosineDecay().rate(-1.0, 1, 3), "eta: expected a finite number of 0 or more"),
        (lambda: StepDecay().rate(1.0, 0, 3), "epoch: expected 1 or more, got 0"),
        (lambda: ExponentialDecay().rate(1.0, 1, 0), "epochs: expected 1 or more, got 0"),
        (lambda: HalveOnPlateau(0), "patience: expected 1 or more, got 0"),
        (lambda: HalveOnPlateau(stop_at=2), "stop_at: expected a number from 0 to 1, got 2"),
        (lambda: HalveOnPlateau(stop_at=None), "stop_at: expected a number, got None"),
        (lambda: HalveOnPlateau(monitor="accuracy"), "monitor: expected one of evaluation_cost, "),
        (lambda: HalveOnPlateau(monitor=["training_cost"]), "monitor: expected one of "),
    ],
)
def test_a_schedule_with_a_bad_parameter_is_refused(make, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        make()


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (0.5, "schedule: expected a StepDecay, .* got 0.5"),
        ("cosine", "schedule: expected a StepDecay, .* got 'cosine'"),
        (StepDecay, "schedule: expected a StepDecay, .* got <class"),
        (CosineDecay(floor=0.6), "schedule: expected a floor of at most eta, 0.5, got 0.6"),
        (HalveOnPlateau(), "evaluation_data: expected data, since schedule follows "),
        (lambda epoch: -0.5, r"schedule\(1\): expected a finite number of 0 or more, got -0.5"),
        (lambda epoch: math.inf, r"schedule\(1\): expected a finite number of 0 or more, got inf"),
        (lambda epoch: "fast", r"schedule\(1\): expected a number, got 'fast'"),
        (lambda epoch: None, r"schedule\(1\): expected a number, got None"),
        (lambda epoch: np.array([1.0, 2.0]), r"schedule\(1\): expected a number, got array"),
    ],
)
def test_a_bad_schedule_is_refused_before_anything_has_changed(schedule, words):
    net, twin = network(), network()
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        net.SGD(GOOD, 3, 10, 0.5, schedule=schedule, verbose=False)
    assert net == twin
    for each in (net, twin):
        each.SGD(GOOD, 1, 10, 0.5, verbose=False)
    assert net == twin


def test_a_bad_rate_of_the_first_epoch_changes_nothing():
    net, twin = network(), network()
    with pytest.raises(ValueError, match=r"^schedule\(1\): expected a finite number .* got nan"):
        net.SGD(GOOD, 3, 10, 0.5, schedule=lambda epoch: math.nan, verbose=False)
    assert net == twin
    for each in (net, twin):
        each.SGD(GOOD, 1, 10, 0.5, verbose=False)
    assert net == twin  # the random numbers stand there, too


def test_a_bad_rate_of_a_later_epoch_leaves_what_the_epoch_before_left():
    rates = [0, 0.5, 0.4, math.nan].__getitem__
    net, twin = network(), network()
    with pytest.raises(ValueError, match=r"^schedule\(3\): expected a finite number .* got nan"):
        net.SGD(GOOD, 3, 10, 0.5, schedule=rates, verbose=False)
    twin.SGD(GOOD, 2, 10, 0.5, schedule=rates, verbose=False)
    assert net == twin
    for each in (net, twin):
        each.SGD(GOOD, 1, 10, 0.5, verbose=False)
    assert net == twin  # the random numbers stand there, too


def test_a_training_of_many_epochs_begins_at_once():
    net, asked = network(), []
    stop = [lambda net, epoch, history: True]

    def schedule(epoch):
        asked.append(epoch)
        return 0.5

    net.SGD(GOOD, 10**9, 10, 0.5, schedule=schedule, callbacks=stop, verbose=False)
    assert asked == [1]


def test_an_error_of_the_function_s_own_passes_as_it_is():
    with pytest.raises(ZeroDivisionError):
        network().SGD(GOOD, 3, 10, 0.5, schedule=lambda epoch: 1 / 0, verbose=False)


def test_a_schedule_changes_nothing_where_its_rates_are_eta():
    scheduled, plain = network(), network()
    scheduled.SGD(GOOD, 4, 10, 0.5, schedule=ExponentialDecay(1.0), verbose=False)
    plain.SGD(GOOD, 4, 10, 0.5, verbose=False)
    assert scheduled == plain
    assert len(fastnet.History._fields) == 4
