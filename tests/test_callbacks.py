"""``Network.SGD(..., callbacks=)``: what they are given, stopping, what they raise."""

import numpy as np
import pytest

import fastnet
from fastnet import EarlyStopping, Network

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
DATA = X, (X[:, 0] > 0).astype(np.int64)


def trained(epochs=5, net=None, **options):
    net = Network([3, 4, 2], seed=1) if net is None else net
    options.setdefault("verbose", False)
    return net, net.SGD(DATA, epochs, 8, 0.5, **options)


def test_a_callback_is_given_network_epoch_and_the_history_so_far():
    seen = []

    def look(network, epoch, history):
        seen.append((network, epoch, history, list(history.training_cost), network.accuracy(DATA)))

    net, history = trained(
        3, callbacks=[look], monitor_training_cost=True, monitor_training_accuracy=True
    )
    assert [s[1] for s in seen] == [1, 2, 3]
    assert all(network is net and given is history for network, _, given, _, _ in seen)
    assert [s[3] for s in seen] == [history.training_cost[:n] for n in (1, 2, 3)]
    assert [s[4] for s in seen] == history.training_accuracy


def test_callbacks_change_no_bit_and_are_not_called_without_an_epoch():
    calls = []
    plain, _ = trained()
    watched, _ = trained(callbacks=(lambda *options: calls.append(options),))
    assert watched == plain
    assert len(calls) == 5
    trained(0, callbacks=[lambda *options: calls.append(options)])
    assert len(calls) == 5


@pytest.mark.parametrize("answer", [True, np.True_])
def test_true_stops_the_training_after_all_callbacks_were_called(answer, capsys):
    calls = []
    net, history = trained(
        callbacks=[lambda n, epoch, h: epoch == 2 and answer, lambda n, e, h: calls.append(e)],
        monitor_training_cost=True,
        verbose=True,
    )
    assert calls == [1, 2]
    assert len(history.training_cost) == 2
    assert net == trained(2)[0]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == ["Stopped after epoch 2: a callback returned True"]


@pytest.mark.parametrize("answer", [False, None, 1, "stop", np.ones(2, bool)])
def test_any_other_answer_goes_on(answer):
    assert trained(callbacks=[lambda *_: answer])[0] == trained()[0]


def test_a_stop_restores_the_best_parameters_as_early_stopping_does(capsys):
    best = EarlyStopping("training_cost", patience=10)
    kept = {}

    def spoil(network, epoch, history):
        kept[epoch] = network.weights[0].copy()
        network.biases[1] = [[1000.0], [-1000.0]]  # the first epoch stays the best
        return epoch == 3

    net, history = trained(callbacks=[spoil], early_stopping=best, verbose=True)
    assert history.training_cost.index(min(history.training_cost)) == 0
    assert (net.weights[0] == kept[1]).all()
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Stopped after epoch 3: a callback returned True; epoch 1 was best, its weights and "
        "biases are restored"
    )


def test_early_stopping_is_the_reason_where_both_stop(capsys):
    trained(
        callbacks=[lambda n, epoch, h: epoch == 1],
        early_stopping=EarlyStopping("training_accuracy", 1, min_delta=1000),
        verbose=True,
    )
    trained(
        callbacks=[lambda n, epoch, h: epoch == 2],
        early_stopping=EarlyStopping("training_accuracy", 1, min_delta=1000),
        verbose=True,
    )
    text = capsys.readouterr().out
    assert "after epoch 1: a callback returned True" in text
    assert "after epoch 2: no improvement of training_accuracy in 1 epochs" in text


class Pruned(Exception):
    pass


@pytest.mark.parametrize("kind", [Pruned, KeyboardInterrupt])
def test_an_exception_passes_through_and_leaves_the_last_complete_epoch(kind):
    seen = []

    def prune(network, epoch, history):
        seen.append(history)
        if epoch == 2:
            raise kind

    net = Network([3, 4, 2], seed=1)
    with pytest.raises(kind):
        trained(
            net=net, callbacks=[prune], monitor_training_cost=True,
            early_stopping=EarlyStopping("training_cost"),
        )  # fmt: skip
    two, history = trained(2, monitor_training_cost=True)
    assert net == two
    assert seen[-1] == history
    assert trained(3, net)[0] == trained(3, two)[0]  # the order of the examples goes on, too


def test_nothing_is_restored_after_an_exception():
    def spoil(network, epoch, history):
        network.biases[0] = np.full((4, 1), 7.0)
        if epoch == 2:
            raise Pruned

    net = Network([3, 4, 2], seed=1)
    with pytest.raises(Pruned):
        trained(net=net, callbacks=[spoil], early_stopping=EarlyStopping("training_cost"))
    assert (net.biases[0] == 7).all()


def test_an_epoch_whose_figures_are_interrupted_has_no_entry():
    class Cost:
        calls = 0

        @staticmethod
        def fn(a, y):
            Cost.calls += 1
            if Cost.calls == 4:
                raise KeyboardInterrupt
            return float(np.square(a - y).sum())

        @staticmethod
        def delta(z, a, y):
            return a - y

    histories = []
    net = Network([3, 2], Cost, seed=1)
    with pytest.raises(KeyboardInterrupt):
        trained(
            net=net, callbacks=[lambda n, e, h: histories.append(h)], evaluation_data=DATA,
            monitor_evaluation_cost=True, monitor_training_cost=True,
        )  # fmt: skip
    assert [len(figures) for figures in histories[0]] == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (print, r"callbacks: expected a list of functions, got <built-in function print>"),
        ("print", r"callbacks: expected a list of functions, got 'print'"),
        (3, r"callbacks: expected a list of functions, got 3"),
        ({print}, r"callbacks: expected a list of functions, got \{<built-in function print>\}"),
        ([print, 3], r"callbacks\[1\]: expected a function, got 3"),
    ],
)
def test_callbacks_that_are_none_are_refused_before_anything_changes(callbacks, message):
    net = Network([3, 4, 2], seed=1)
    with pytest.raises(TypeError, match=message):
        trained(net=net, callbacks=callbacks)
    assert trained(net=net)[0] == trained()[0]


def test_the_search_for_eta_takes_none():
    with pytest.raises(TypeError, match="callbacks: expected only"):
        fastnet.find_learning_rate(Network([3, 2]), DATA, callbacks=[print])
