"""The scripts in examples/ run: on a few images, for an epoch."""

import runpy
import sys
from pathlib import Path

import pytest

import fastnet

PRUNING = str(Path(__file__).parent.parent / "examples" / "optuna_pruning.py")
SIMARD = str(Path(__file__).parent.parent / "examples" / "simard_2003.py")


@pytest.fixture(scope="module")
def simard():
    return runpy.run_path(SIMARD)


@pytest.mark.parametrize("kind", ["plain", "affine", "elastic"])
def test_an_epoch_of_simard_2003_learns_most_digits(simard, mnist, capsys, kind):
    training, _, test = mnist
    net = simard["train"](kind, training[:2000], test[:1000], 1)
    error = 100 - net.accuracy(test[:1000]) / 10
    assert f"{kind}, epoch 1 / 1: test error {error:.2f} %" in capsys.readouterr().out
    assert error < 40


@pytest.mark.parametrize("kind", ["affine", "elastic"])
def test_simard_2003_distorts_anew_for_every_epoch(simard, mnist, kind):
    images = mnist[0][:10]
    distort = simard["DISTORTIONS"][kind]
    first, second, again = (distort(images, seed).X for seed in ([1, 1], [1, 2], [1, 1]))
    assert (first == again).all()
    assert (first != second).any(axis=1).all()
    assert (first != images.X).any(axis=1).all()


def test_simard_2003_trains_on_60000_images(simard):
    training, test = simard["load"]()
    assert len(training) == 60000
    assert len(test) == 10000


def test_simard_2003_runs_from_the_command_line(monkeypatch, capsys, tmp_path):
    file = tmp_path / "net.json"
    monkeypatch.setattr(sys, "argv", [SIMARD, "--epochs", "0", "--save", str(file)])
    runpy.run_path(SIMARD, run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["plain", "affine", "elastic"]
    assert all("of 10000 test images are wrong after 0 epochs" in line for line in lines)
    assert fastnet.load(file).sizes == [784, 800, 10]


@pytest.fixture(scope="module")
def pruning():
    optuna = pytest.importorskip("optuna", reason="optuna proposes and prunes trials")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return runpy.run_path(PRUNING)


def test_optuna_prunes_trials_through_the_callback(pruning, mnist):
    training, validation, _ = mnist
    study = pruning["search"](training[:1000], validation[:500], 12)
    epochs = {}
    for trial in study.trials:
        assert sorted(trial.intermediate_values) == [*range(1, len(trial.intermediate_values) + 1)]
        epochs.setdefault(trial.state.name, []).append(len(trial.intermediate_values))
    assert epochs.keys() == {"COMPLETE", "PRUNED"}
    assert set(epochs["COMPLETE"]) == {pruning["EPOCHS"]}
    assert min(epochs["PRUNED"]) < pruning["EPOCHS"]
    assert study.best_value > 0.8


def test_optuna_pruning_runs_from_the_command_line(pruning, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [PRUNING, "--trials", "6"])
    runpy.run_path(PRUNING, run_name="__main__")
    first, last = capsys.readouterr().out.splitlines()
    assert "of 6 trials were pruned: " in first
    assert first.endswith(" epochs in place of 60")
    assert last.startswith("Best validation accuracy: 9")


def test_without_optuna_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r'Optuna to be installed: pip install "optuna>=4"$'):
        runpy.run_path(PRUNING)
