"""Many networks at once: in threads, and what holds wherever they are trained."""

import gc
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from many_networks import BASE, alone

import fastnet
from fastnet.data import sparse_rows


@pytest.fixture
def data(mnist):
    """Training and evaluation data whose compressed forms are not made yet."""
    return mnist[0][:500], mnist[1][:200]


# ---- results


def test_each_network_is_the_one_that_network_and_sgd_make_alone(data, varied_specs):
    fits = fastnet.fit_many(varied_specs, *data)
    assert [fit.index for fit in fits] == list(range(len(varied_specs)))
    for fit, spec in zip(fits, varied_specs, strict=True):
        network, history = alone(spec, *data)
        assert fit.error is None
        assert fit.spec == spec
        assert fit.seconds > 0
        assert fit.network == network
        assert fit.history == history
        # so is where its random numbers stand: both train on alike
        further = [net.SGD(data[0], 1, 10, 0.1, verbose=False) for net in (fit.network, network)]
        assert further[0] == further[1]
        assert fit.network == network


def test_results_come_as_they_finish_and_carry_their_index(data):
    second_is_there = threading.Event()
    waits = {**BASE, "callbacks": [lambda *_: second_is_there.wait() and None]}
    came = []
    for fit in fastnet.fit_as_completed([waits, BASE], *data, max_workers=2):
        came.append(fit.index)
        second_is_there.set()
    assert came == [1, 0]


def test_all_threads_train_on_the_data_set_that_was_given_compressed_once(data, monkeypatch):
    compressions, seen = [], []
    compress, sgd = sparse_rows.compress, fastnet.Network.SGD
    monkeypatch.setattr(
        sparse_rows, "compress", lambda *options: compressions.append(options) or compress(*options)
    )

    def spy(self, training_data, *rest, **options):
        seen.append(training_data)
        return sgd(self, training_data, *rest, **options)

    monkeypatch.setattr(fastnet.Network, "SGD", spy)
    fastnet.fit_many([{**BASE, "eta": eta} for eta in (0.1, 0.2, 0.3, 0.4)], *data, max_workers=4)
    assert len(seen) == 4
    assert all(training is data[0] for training in seen)
    assert len(compressions) == 2  # the training and the evaluation data


def test_arrays_are_made_a_data_set_once(data):
    X, y = data[0].X * np.float32(data[0].scale), data[0].y
    by_arrays = fastnet.fit_many([BASE], (X, y))[0]
    assert by_arrays.network == fastnet.fit_many([BASE], fastnet.Dataset(X, y))[0].network


def test_a_generator_of_specs_is_read_to_its_end_and_no_specs_give_no_results(data):
    fits = fastnet.fit_many(({**BASE, "eta": eta} for eta in (0.1, 0.2)), *data)
    assert [fit.spec["eta"] for fit in fits] == [0.1, 0.2]
    assert fastnet.fit_many([], *data) == []
    assert list(fastnet.fit_as_completed([], *data)) == []


def test_threads_number_one_unless_a_spec_says_otherwise(data):
    fits = fastnet.fit_many([BASE, {**BASE, "n_threads": 2}], *data)
    assert [fit.network.n_threads for fit in fits] == [1, 2]


@pytest.mark.parametrize(
    ("flags", "recorded"),
    [
        ({}, ["evaluation_accuracy"]),
        ({"monitor_evaluation_accuracy": False}, ["evaluation_accuracy"]),  # as SGD without flags
        ({"monitor_evaluation_cost": True}, ["evaluation_cost"]),
        ({"monitor_training_cost": True}, ["evaluation_accuracy", "training_cost"]),
    ],
)
def test_accuracy_is_recorded_where_a_spec_says_nothing_of_evaluation(data, flags, recorded):
    history = fastnet.fit_many([{**BASE, **flags}], *data)[0].history
    assert [name for name in history._fields if getattr(history, name)] == recorded


def test_of_evaluation_data_with_targets_the_cost_is_recorded():
    X = np.linspace(-1, 1, 20)[:, None]
    spec = {"sizes": [1, 4, 1], "output": "linear", "cost": "quadratic", "epochs": 3}
    spec |= {"mini_batch_size": 5, "eta": 0.1}
    history = fastnet.fit_many([spec], (X, X**2), (X, X**2))[0].history
    assert len(history.evaluation_cost) == 3
    assert history.evaluation_accuracy == []


def test_without_evaluation_data_nothing_is_recorded_that_is_not_asked_for(data):
    assert fastnet.fit_many([BASE], data[0])[0].history == ([], [], [], [])


# ---- what goes wrong in one training


def diverging(epoch):
    """A spec whose parameters cease to be finite in this epoch."""
    rates = [0.0] * (epoch - 1) + [1e30] * 9
    return {
        **BASE, "cost": "quadratic", "output": "linear", "epochs": epoch + 1,
        "schedule": lambda number: rates[number - 1],
    }  # fmt: skip


def test_a_training_that_diverges_does_not_lose_the_others(data, capsys, caplog):
    fits = fastnet.fit_many([BASE, diverging(3), BASE], *data)
    assert isinstance(fits[1].error, fastnet.DivergenceError)
    assert fits[1].error.epoch == 3
    assert len(fits[1].history.evaluation_accuracy) == 2
    untrained = fastnet.Network([784, 12, 10], "quadratic", output="linear", seed=1)
    assert fits[1].network == untrained  # it had learned at a rate of 0 until then
    assert fits[0].network == fits[2].network == alone(BASE, *data)[0]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("fit_many: specs[1]: DivergenceError: training diverged in epoch 3")
    assert said.err.count("\n") == 1
    assert [record.levelname for record in caplog.records if record.name == "fastnet"] == [
        "WARNING"
    ]
    assert "specs[1]: DivergenceError" in caplog.text


def test_what_a_callback_raises_is_the_error_of_its_network_alone(data, capsys):
    def complain(network, epoch, history):
        raise LookupError("not this one")

    specs = [{**BASE, "callbacks": [complain]}, BASE]
    fits = fastnet.fit_many(specs, *data, verbose=False)
    assert isinstance(fits[0].error, LookupError)
    assert fits[0].network is None
    assert fits[0].history == ([], [], [], [])
    assert fits[1].error is None
    assert capsys.readouterr().err == ""


def test_a_loop_that_is_left_stops_the_trainings_that_are_left(data):
    epochs = []
    endless = {**BASE, "epochs": 10**6, "callbacks": [lambda *options: epochs.append(options[1])]}
    for _ in fastnet.fit_as_completed([BASE, endless, endless], *data, max_workers=1):
        break
    ended = len(epochs)
    fastnet.fit_many([BASE], *data)
    assert len(epochs) == ended < 10**6


def test_a_network_that_has_diverged_is_not_kept_once_it_is_yielded(data):
    results = fastnet.fit_as_completed([diverging(1), BASE], *data, max_workers=1, verbose=False)
    fit = next(results)
    assert isinstance(fit.error, fastnet.DivergenceError)
    network = weakref.ref(fit.network)
    del fit
    assert next(results).index == 1
    gc.collect()
    assert network() is None


# ---- specs and arguments that do not fit


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (7, r"specs\[1\]: expected a dict of the arguments of Network and of SGD, got 7"),
        ({**BASE, "etta": 1}, r"specs\[1\]: expected arguments of .* eta, .*; got 'etta'"),
        ({**BASE, "training_data": 1}, r"specs\[1\]: expected arguments .*got 'training_data'"),
        (
            {"sizes": [784, 10], "eta": 1},
            r"specs\[1\]: expected sizes, epochs, mini_batch_size, eta; "
            r"got none for epochs, mini_batch_size",
        ),
        ({**BASE, "eta": -1}, r"specs\[1\]: eta: expected a finite number of 0 or more, got -1"),
        ({**BASE, "epochs": 1.5}, r"specs\[1\]: epochs: expected an integer, got 1.5"),
        ({**BASE, "sizes": [784]}, r"specs\[1\]: sizes: expected two or more"),
        ({**BASE, "sizes": [783, 10]}, r"specs\[1\]: training_data: expected 783 features"),
        ({**BASE, "sizes": [784, 5]}, r"specs\[1\]: training_data: expected labels from 0 to 4"),
        ({**BASE, "cost": "cubic"}, r"specs\[1\]: cost: expected "),
        ({**BASE, "schedule": lambda epoch: -epoch}, r"specs\[1\]: schedule\(1\): expected"),
        ({**BASE, "schedule": 1}, r"specs\[1\]: schedule: expected"),
        ({**BASE, "early_stopping": 3}, r"specs\[1\]: early_stopping: expected"),
        ({**BASE, "class_weight": {10: 1}}, r"specs\[1\]: class_weight: expected"),
        ({**BASE, "callbacks": 3}, r"specs\[1\]: callbacks: expected a list of functions"),
        (
            {**BASE, "seed": np.random.default_rng(1)},
            r"specs\[1\]: seed: expected .* a generator cannot serve several trainings",
        ),
        (
            {**BASE, "monitor_evaluation_cost": True},
            r"specs\[1\]: evaluation_data: expected data, since monitor_evaluation_cost is set",
        ),
    ],
)
def test_a_spec_that_is_wrong_is_named_before_anything_is_trained(data, wrong, message):
    epochs = []
    right = {**BASE, "callbacks": [lambda *options: epochs.append(options)]}
    for fit in (fastnet.fit_many, fastnet.fit_as_completed):
        with pytest.raises((TypeError, ValueError), match=f"^{message}"):
            fit([right, wrong], data[0])
    assert epochs == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"specs": BASE}, TypeError, "specs: expected a list of dicts, got "),
        ({"specs": 3}, TypeError, "specs: expected a list of dicts, got 3"),
        ({"training": 3}, TypeError, "training: expected a Dataset"),
        ({"evaluation": ([[1.0]], [0, 1])}, ValueError, "evaluation: y: expected as many"),
        ({"max_workers": 0}, ValueError, "max_workers: expected 1 or more, got 0"),
        ({"max_workers": 1.5}, TypeError, "max_workers: expected an integer, got 1.5"),
        ({"verbose": 3}, ValueError, r"verbose: expected 0 \(silent\), or 1 or 2 .*, got 3"),
        ({"verbose": "no"}, TypeError, r"verbose: expected 0 \(silent\), or 1 or 2 .*, got 'no'"),
        ({"executor": 2}, TypeError, "executor: expected a concurrent.futures.Executor, a Client"),
        ({"executor": ThreadPoolExecutor}, TypeError, "executor: expected a concurrent.futures"),
    ],
)
def test_an_argument_that_is_wrong_is_named(data, options, error, message):
    options = {"specs": [BASE], "training": data[0], "evaluation": data[1], **options}
    with pytest.raises(error, match=f"^{message}"):
        fastnet.fit_many(**options)


def test_a_number_of_workers_is_refused_beside_an_executor_which_has_its_own(data):
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(ValueError, match=r"^max_workers: expected None with an executor"),
    ):
        fastnet.fit_many([BASE], *data, executor=pool, max_workers=1)


# ---- what is seen


class Terminal:
    """Standard error as tqdm finds it in a terminal."""

    encoding = "utf-8"

    def __init__(self):
        self.written = ""

    def write(self, text):
        self.written += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_one_bar_counts_the_networks_on_a_terminal(data, monkeypatch):
    pytest.importorskip("tqdm", reason="the progress bar is tqdm's")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    fastnet.fit_many([BASE] * 3, *data)
    assert "3/3" in terminal.written
    for silent in (False, 0, np.False_):
        shown = terminal.written
        fastnet.fit_many([BASE] * 3, *data, verbose=silent)
        assert terminal.written == shown
    for loud in (1, 2, np.True_):
        terminal.written = ""
        fastnet.fit_many([BASE] * 3, *data, verbose=loud)
        assert "3/3" in terminal.written


def test_a_bar_that_is_asked_for_and_needs_tqdm_is_an_error_before_anything_is_trained(
    data, monkeypatch
):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r'^verbose=2: .*: pip install "tqdm>=4\.66"$'):
        fastnet.fit_as_completed([BASE], *data, verbose=2)
    assert fastnet.fit_many([BASE], *data, verbose=True)[0].error is None  # without a bar


def test_nothing_is_written_where_standard_error_is_no_terminal(data, capfd):
    fastnet.fit_many([BASE] * 3, *data)
    assert capfd.readouterr() == ("", "")


def test_checking_specs_leaves_nothing_in_the_log(data, caplog):
    caplog.set_level("INFO", "fastnet")
    fastnet.fit_as_completed([BASE] * 3, *data)
    assert caplog.records == []


def test_import_fastnet_brings_no_executors_along():
    code = "import sys, fastnet; print([m for m in sys.modules if 'concurrent' in m or 'swe' in m])"
    run = [sys.executable, "-P", "-c", code]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"
