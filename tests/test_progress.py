"""What is seen of a training: ``verbose``, lines, the bar at a terminal, the log."""

import io
import json
import logging
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import fastnet
from fastnet import EarlyStopping, Network, StepDecay
from fastnet.core import reporting

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
DATA = X, (X[:, 0] > 0).astype(np.int64)


def trained(epochs=2, **options):
    net = Network([3, 2], seed=1)
    net.SGD(DATA, epochs, 8, 0.5, monitor_training_accuracy=True, **options)
    return net


def test_a_bar_goes_on_at_the_epochs_of_a_checkpoint():
    tqdm = pytest.importorskip("tqdm").tqdm
    bar = reporting.Bar(lambda **options: tqdm(**options, file=io.StringIO()))
    with bar.begin([3, 2], 40, 5):
        bar.resumed(3, "run.npz")
        assert (bar._bar.n, bar._bar.total) == (120, 200)


LINES = ["Epoch 1 / 2  Accuracy on training data: ", "Epoch 2 / 2  Accuracy on training data: "]


@pytest.mark.parametrize("verbose", [False, 0, np.False_, np.int64(0)])
def test_0_prints_nothing(verbose, capfd):
    trained(verbose=verbose)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [True, 1, np.True_, np.int8(1)])
def test_1_prints_a_line_per_epoch(verbose, capfd):
    trained(verbose=verbose)
    out, err = capfd.readouterr()
    assert [line[: len(LINES[0])] for line in out.splitlines()] == LINES
    assert err == ""


@pytest.mark.parametrize("verbose", [-1, 3, 1.0, "2", None, [1]])
def test_anything_else_is_refused_before_anything_changes(verbose):
    net = Network([3, 2], seed=1)
    with pytest.raises((ValueError, TypeError), match=r"^verbose: expected 0 .*1 .*2 .*, got "):
        net.SGD(DATA, 2, 8, 0.5, verbose=verbose)
    assert net == Network([3, 2], seed=1)


# ---- the bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


@pytest.mark.parametrize("error", [io.StringIO(), None])
def test_2_prints_the_lines_where_standard_error_is_no_terminal(
    error, no_tqdm, monkeypatch, capsys
):
    """So in files and pipes; tqdm is not needed for it."""
    trained(verbose=1)
    lines = capsys.readouterr().out
    monkeypatch.setattr(sys, "stderr", error)
    trained(verbose=2)
    assert capsys.readouterr().out == lines
    if error is not None:
        assert error.getvalue() == ""


def test_without_tqdm_the_line_that_brings_it_is_told_before_anything_changes(no_tqdm, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    net = Network([3, 2], seed=1)
    with pytest.raises(ImportError, match=r'^verbose=2: .*: pip install "tqdm>=4\.66"$'):
        net.SGD(DATA, 2, 8, 0.5, verbose=2)
    assert net == Network([3, 2], seed=1)


def test_the_bar_changes_no_bit(monkeypatch, capsys):
    pytest.importorskip("tqdm", reason="tqdm draws the bar")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert trained(verbose=2) == trained(verbose=0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ([[0.5, 0.25, 0.5], [3, 7, 7], [9.0], [1]], ["best evaluation accuracy 7 (epoch 2)"]),
        ([[0.5, np.nan, 0.25], [], [], [1, 2, 3]], ["best evaluation cost 0.25 (epoch 3)"]),
        ([[], [], [0.5], [4]], ["best training accuracy 4 (epoch 1)"]),
        ([[], [], [], []], []),
    ],
)
def test_the_best_figure_is_that_of_the_evaluation_data_if_there_are_any(figures, words):
    assert fastnet.core.reporting.best_words(fastnet.History(*figures)) == words


def test_a_call_of_zero_epochs_draws_no_bar(monkeypatch):
    pytest.importorskip("tqdm", reason="tqdm draws the bar")
    monkeypatch.setattr(sys, "stderr", Terminal())
    trained(0, verbose=2)
    assert sys.stderr.getvalue() == ""


def test_the_bar_is_closed_when_the_training_fails(monkeypatch):
    tqdm = pytest.importorskip("tqdm", reason="tqdm draws the bar")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(ZeroDivisionError):
        trained(verbose=2, callbacks=[lambda *_: 1 / 0])
    assert not tqdm.tqdm._instances
    assert sys.stderr.getvalue().endswith("\n")


def test_in_a_notebook_the_bar_is_what_tqdm_chooses_there(monkeypatch, capfd):
    """There standard error is no terminal."""
    made = []

    class Recorded:
        def __init__(self, **options):
            self.options, self.n, self.closed, self.postfix = options, 0, 0, []
            made.append(self)

        def update(self, more):
            self.n += more

        def set_description(self, text, refresh):
            self.options["desc"] = text

        def set_postfix_str(self, text, refresh):
            self.postfix.append(text)

        def close(self):
            self.closed += 1

    kernel = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: kernel))
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Recorded))
    monkeypatch.setattr(fastnet.core.reporting, "make_curves", None)  # tests/test_live.py
    trained(verbose=2)
    (bar,) = made
    assert (bar.options["total"], bar.n) == (80, 80)
    assert bar.options["desc"] == "Epoch 2 / 2"
    assert all(text.startswith("Accuracy on training data: ") for text in bar.postfix)
    assert all(
        re.search(r"  best training accuracy \d+ \(epoch [12]\)$", text) for text in bar.postfix
    )
    assert bar.closed
    assert capfd.readouterr() == ("", "")


# ---- at a terminal


@pytest.fixture
def at_a_terminal():
    """at_a_terminal(job, answer): what progress_child.py shows there, and its output;
    answer(shown so far) gives the bytes that are typed, once, when there are any."""
    pytest.importorskip("tqdm", reason="tqdm draws the bar")
    pty = pytest.importorskip("pty", reason="pseudo-terminals of POSIX")
    import fcntl
    import struct
    import termios

    def run(job, answer=lambda shown: b""):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
        child = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("progress_child.py")), job],
            stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, start_new_session=True, text=True,
        )  # fmt: skip
        os.close(theirs)
        shown, typed = b"", b""
        try:
            while True:
                try:
                    more = os.read(ours, 4096)
                except OSError:  # Linux: the other end is closed
                    break
                if not more:
                    break
                shown += more
                if not typed:
                    typed = answer(shown)
                    os.write(ours, typed)
            out = child.stdout.read()
            assert child.wait() == 0, shown.decode()
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
            os.close(ours)
        return shown.decode(), out

    return run


def test_at_a_terminal_2_draws_a_bar_with_the_figures(at_a_terminal):
    shown, out = at_a_terminal("bar")
    last = re.split(r"[\r\n]+", shown.strip())[-1]
    assert re.match(r"Epoch 3 / 5:  60%\|.*\| \d\d:\d\d<.*, Cost on training data: [\d.]+  ", last)
    assert re.search(r"data: \d+ / 100  best training accuracy \d+ \(epoch \d\)", last)
    assert out.startswith("Stopped after epoch 3: no improvement of training_accuracy in 2 epochs")
    assert out.count("\n") == 1


def test_ctrl_c_ends_an_epoch_in_its_midst_with_the_mini_batches_done(at_a_terminal):
    shown, out = at_a_terminal(
        "interrupt", lambda shown: b"\x03" if b"Epoch 2 / 20" in shown else b""
    )
    first = re.findall(r"Epoch 1 / 20: +(\d+)%", shown)
    assert len(first) > 1  # it moves within an epoch
    found = json.loads(out)
    assert found["epochs"] == found["figures"] >= 1
    assert 0 < found["mini-batches"] < found["of"]
    assert found["the same"]
    assert found["stream"]
    assert found["finite"]


# ---- the log


def test_each_call_epoch_and_end_is_a_record_even_of_a_silent_training(caplog, capfd):
    with caplog.at_level(logging.INFO, logger="fastnet"):
        trained(
            5, verbose=0, schedule=StepDecay(),
            early_stopping=EarlyStopping("training_accuracy", 1, min_delta=1000),
        )  # fmt: skip
    assert {(r.name, r.levelname) for r in caplog.records} == {("fastnet", "INFO")}
    begin, *epochs, stop, end = [r.getMessage() for r in caplog.records]
    assert begin == "Training [3, 2] on 40 examples, 5 epochs"
    assert [e.split("  ")[:2] for e in epochs] == [
        ["Epoch 1 / 5", "eta 0.5"],
        ["Epoch 2 / 5", "eta 0.5"],
    ]
    assert all(re.search(r"Accuracy on training data: \d+ / 40$", epoch) for epoch in epochs)
    assert stop.startswith("Stopped after epoch 2: no improvement of training_accuracy in 1 epochs")
    assert re.fullmatch(r"Training ended after 2 epochs, [\d.e-]+ s", end)
    assert capfd.readouterr() == ("", "")


def test_a_training_that_is_not_complete_says_so_in_the_log(caplog):
    def fail(error):
        def callback(*_):
            raise error

        return [callback]

    with caplog.at_level(logging.INFO, logger="fastnet"):
        for error in (ZeroDivisionError(), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                trained(verbose=0, callbacks=fail(error))
    ends = [(r.levelname, r.getMessage().split(" after")[0]) for r in caplog.records[2::3]]
    assert ends == [
        ("INFO", "Training ended by ZeroDivisionError"),
        ("WARNING", "Training ended by KeyboardInterrupt"),
    ]


def test_without_a_listener_no_record_is_made(caplog):
    with caplog.at_level(logging.WARNING, logger="fastnet"):
        trained(verbose=0)
    assert caplog.records == []


def child(code):
    return subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )


START = """
import sys, fastnet
def stop(*_):
    raise KeyboardInterrupt
def train():
    try:
        fastnet.Network([1, 1], seed=0).SGD([([1.0], 0)], 1, 1, 0.5, callbacks=[stop], verbose=0)
    except KeyboardInterrupt:
        pass
"""


def test_fastnet_does_not_import_logging_itself():
    assert child(START + "train(); print('logging' in sys.modules)").stdout == "False\n"


def test_a_program_that_sets_up_no_logging_sees_nothing_of_it():
    result = child(
        "import logging" + START + "train(); print(logging.getLogger('fastnet').handlers)"
    )
    assert result.stdout == "[<NullHandler (NOTSET)>]\n"
    assert result.stderr == ""


def test_logging_that_is_set_up_after_the_import_is_served():
    result = child(
        START + "train(); import logging; logging.basicConfig(level=logging.INFO); train()"
    )
    assert "INFO:fastnet:Training [1, 1] on 1 examples, 1 epochs" in result.stderr
    assert "WARNING:fastnet:Training ended by KeyboardInterrupt after 1 epochs" in result.stderr


def test_tqdm_is_not_imported_before_a_bar_is_wanted():
    assert child("import sys, fastnet; print('tqdm' in sys.modules)").stdout == "False\n"
