"""Many networks at once, and Ctrl-C; the stop within one training."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import pytest

import fastnet
from fastnet.core import reporting
from fastnet.sweep import executors


@pytest.fixture
def data(mnist):
    """Training and evaluation data whose compressed forms are not made yet."""
    return mnist[0][:500], mnist[1][:200]


SCRIPT = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
import fastnet

def begun(network, epoch, history):
    if epoch == 1:
        os.write(1, b"begun\\n")  # at once, whoever else writes to this pipe

if __name__ == "__main__":
    how, form = sys.argv[1:]
    training = fastnet.load_mnist()[0][:100]
    short = dict(sizes=[784, 10], epochs=1, mini_batch_size=10, eta=0.5, seed=1)
    endless = {**short, "epochs": 10**6, "callbacks": [begun]}
    # A worker that the terminal has interrupted may take the last before it is told to stop.
    specs = [short, endless, {**short, "epochs": 10**6}]
    if how == "threads":
        options = {"max_workers": 1}
    else:
        context = multiprocessing.get_context("spawn")
        options = {"executor": ProcessPoolExecutor(1, mp_context=context)}
    if form == "list":
        for fit in fastnet.fit_many(specs, training, **options):
            print(fit.index, fit.network is not None, type(fit.error).__name__)
    else:
        try:
            for fit in fastnet.fit_as_completed(specs, training, **options):
                os.write(1, b"%d\\n" % fit.index)
        except KeyboardInterrupt:
            print("interrupted")
"""


@pytest.mark.parametrize("form", ["list", "iterator"])
@pytest.mark.parametrize("how", ["threads", "processes", "processes of a terminal"])
def test_ctrl_c_stops_cleanly_with_what_has_finished(how, form, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, "-P", str(script), how, form],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        lines = []
        while not {"begun\n", *(["0\n"] if form == "iterator" else [])} <= {*lines}:
            lines.append(running.stdout.readline())
            assert lines[-1], running.stderr.read()
        if how == "processes of a terminal":  # which sends it to all of them
            os.killpg(running.pid, signal.SIGINT)
        else:
            running.send_signal(signal.SIGINT)
        lines += running.stdout.readlines()
        errors = running.stderr.read()
    assert running.returncode == 0, errors
    lines.remove("begun\n")
    if form == "list":
        stopped = [f"{i} False KeyboardInterrupt\n" for i in (1, 2)]
        assert lines == ["0 True NoneType\n", *stopped]
        assert "fit_many: interrupted; 1 of 3 trainings had ended\n" in errors
    else:
        assert lines == ["0\n", "interrupted\n"]
    if how != "processes of a terminal":
        assert errors.count("\n") == (form == "list")
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]  # no data left behind


TWICE = """
import multiprocessing, os, signal, sys, time
from concurrent.futures import ProcessPoolExecutor
import fastnet
from fastnet.sweep import executors

def slow(network, epoch, history):
    if epoch == 1:
        print("begun", flush=True)
    while not os.path.exists(sys.argv[3]):
        time.sleep(0.01)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    how, form, _ = sys.argv[1:]
    training = fastnet.load_mnist()[0][:100]
    endless = dict(sizes=[784, 10], epochs=10**9, mini_batch_size=10, eta=0.5, callbacks=[slow])
    options = {"max_workers": 1, "verbose": False}
    if how == "processes":
        context = multiprocessing.get_context("spawn")
        options = {"executor": ProcessPoolExecutor(1, mp_context=context), "verbose": False}
    stop = executors.Runner.stop
    def stopping(self, futures):
        print("stopping", flush=True)
        stop(self, futures)
    executors.Runner.stop = stopping
    fit = fastnet.fit_many if form == "list" else fastnet.fit_as_completed
    try:
        print(list(fit([endless, endless], training, **options)))
    except KeyboardInterrupt:
        print("passed through", flush=True)
"""


@pytest.mark.parametrize("form", ["list", "iterator"])
@pytest.mark.parametrize("how", ["threads", "processes"])
def test_a_second_ctrl_c_passes_through_and_lets_the_trainings_end(how, form, tmp_path):
    script, goes_on = tmp_path / "script.py", tmp_path / "goes on"
    script.write_text(TWICE)
    command = [sys.executable, "-P", str(script), how, form, str(goes_on)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        guard = threading.Timer(120, running.kill)
        guard.start()
        try:
            for said, answer in ((b"begun\n", 2), (b"stopping\n", 2), (b"passed through\n", None)):
                assert running.stdout.readline() == said
                if answer is not None:
                    time.sleep(0.3)  # until it waits
                    running.send_signal(answer)
            goes_on.touch()  # the process ends when its training does
            said, errors = running.communicate()
            assert (running.returncode, said) == (0, b""), errors
        finally:
            guard.cancel()
            running.kill()


class OwnCost(fastnet.QuadraticCost):
    """A class of the user's own."""

    @staticmethod
    def fn(a, y):
        return 0.5 * float(((a - y) ** 2).sum())


class StopAtThirdQuestion:
    """Asked before the training begins, and then in its midst."""

    def __init__(self):
        self.questions = 0

    def is_set(self):
        self.questions += 1
        return self.questions == 3


def test_a_training_is_stopped_in_the_midst_of_an_epoch(data, always):
    stop = StopAtThirdQuestion()
    options = {"epochs": 1, "mini_batch_size": 10, "eta": 0.5}
    assert executors.train(executors.Task({"sizes": [784, 10]}, options), data, stop) is None
    assert stop.questions == 3
    assert reporting.stop_requested.get() is None


@pytest.mark.parametrize("cost", [None, fastnet.CrossEntropyCost, OwnCost])
def test_a_training_is_stopped_in_the_midst_of_its_evaluation(mnist, cost, always):
    evaluation = mnist[0][:3000]
    stop = StopAtThirdQuestion()  # one mini-batch in an epoch: the third is asked by evaluation
    what = "accuracy" if cost is None else "cost"
    network = {"sizes": [784, 10], **({} if cost is None else {"cost": cost})}
    options = {"epochs": 2, "mini_batch_size": 10, "eta": 0.5, f"monitor_evaluation_{what}": True}
    ended = []
    options["callbacks"] = [lambda *_: ended.append(stop.questions) and None]
    data = mnist[0][:10], evaluation
    assert executors.train(executors.Task(network, options), data, stop) is None
    assert (stop.questions, ended) == (3, [])


def test_a_training_that_is_cancelled_is_not_waited_for(data):
    runner = executors.Runner(None, 1, *data)
    never_told = Future()  # as Dask's executor leaves one that ends while it is cancelled
    stopping = threading.Thread(target=runner.stop, args=([never_told],), daemon=True)
    stopping.start()
    stopping.join(60)
    runner.close()
    assert never_told.cancelled()
    assert not stopping.is_alive()
