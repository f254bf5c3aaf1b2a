"""Trainings by overridden methods: what is followed, refused, raised, kept, copied and shown."""

import copy
import json
import pickle
import re
import types
from pathlib import Path

import numpy as np
import pytest
from network2_restated import (
    EPOCHS,
    ETA,
    EVALUATION,
    SEED,
    SIZES,
    TRAINING,
    AbsoluteError,
    ClippedGradient,
    M,
    MomentumOfItsOwn,
    Recording,
    RolledOutputs,
    StepAndMore,
    WritesInPlace,
    as_pairs,
    network,
    parameters,
    trained,
    with_labels,
)
from numpy.testing import assert_allclose

import fastnet
from fastnet import Dataset, Network
from fastnet.core import reporting
from fastnet.training import overridden

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
    words = rf"{name}.*: expected none with an overridden {method}, which does not receive it, got"
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
    with pytest.raises(TypeError, match=r"^sample_weight, class_weight: expected none with"):
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
    with pytest.raises(ValueError, match="for the accuracy of linear outputs"):
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
    data = Dataset(np.arange(124, dtype=np.uint8).reshape(31, 4), TRAINING[1], scale=1 / 256)
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


def test_the_page_names_every_method_that_is_looked_for():
    rows = re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(overridden.METHODS)


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


def test_the_poll_of_a_training_gets_the_examples_of_overridden_steps(monkeypatch):
    seen = []
    reporter = fastnet.core.reporting.Reporter()
    monkeypatch.setattr(reporter, "poll", lambda epoch: lambda done: seen.append((epoch, done)))
    monkeypatch.setattr(reporting, "reporter_of_level", lambda verbose: reporter)
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
    with pytest.raises(TypeError, match=r"^specs\[1\]: l1: expected none with an overridden"):
        fastnet.fit_many([*specs, {**specs[0], "l1": 1.0}], Dataset(*TRAINING), verbose=False)
    fits = fastnet.fit_many(specs, Dataset(*TRAINING), max_workers=1, verbose=False)
    assert_allclose(fits[0].network.biases[0], Network(SIZES, seed=SEED).biases[0] + 1, rtol=1e-6)
