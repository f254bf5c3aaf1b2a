"""The scripts in examples/ run: on a few images, for an epoch."""

import importlib.util
import json
import runpy
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import fastnet

EXAMPLES = Path(__file__).parent.parent / "examples"
PRUNING = str(EXAMPLES / "optuna_pruning.py")
SIMARD = str(EXAMPLES / "simard_2003.py")


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
    assert all("of 10000 test images are misclassified after 0 epochs" in line for line in lines)
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
    assert first.endswith(" epochs instead of 60")
    assert last.startswith("Best validation accuracy: 9")


def test_without_optuna_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r'Optuna to be installed: pip install "optuna>=4"$'):
        runpy.run_path(PRUNING)


# ---- the book's figures ----------------------------------------------------


BOOKS = {
    "overfitting": ["--size", "100", "--epochs", "3", "--lmbda", "0", "5"],
    "more_data": ["--sizes", "50", "200", "--examples", "600"],
}


class Network2:
    """No more than network2.py's Network takes and returns, around one of fastnet's."""

    made = ()

    def __init__(self, sizes, cost=fastnet.CrossEntropyCost):
        self.net = fastnet.Network(sizes, cost)
        Network2.made += (self,)
        self.calls = []

    def large_weight_initializer(self):
        self.net.large_weight_initializer()

    def SGD(
        self, training_data, epochs, mini_batch_size, eta, lmbda=0.0, evaluation_data=None,
        monitor_evaluation_cost=False, monitor_evaluation_accuracy=False,
        monitor_training_cost=False, monitor_training_accuracy=False,
    ):  # fmt: skip
        self.calls.append((training_data, epochs, mini_batch_size, eta, lmbda, evaluation_data))
        history = self.net.SGD(
            training_data, epochs, mini_batch_size, eta, lmbda, evaluation_data,
            monitor_evaluation_cost, monitor_evaluation_accuracy, monitor_training_cost,
            monitor_training_accuracy, verbose=False,
        )  # fmt: skip
        return tuple(history)

    def accuracy(self, data, convert=False):
        assert type(data) is list
        return self.net.accuracy(data, convert)


def script_of_the_book(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def digits():
    """The lists of load_data_wrapper, which takes a second."""
    training, validation, test = fastnet.mnist_loader.load_data_wrapper()
    return training, validation[:500], test[:500]


@pytest.fixture(params=BOOKS)
def book(request, monkeypatch, digits, tmp_path):
    """(a script, its short run, which returns the text of its file)."""
    script = script_of_the_book(request.param)
    loader = types.SimpleNamespace(load_data_wrapper=lambda: digits)
    monkeypatch.setattr(script, "mnist_loader", loader)

    def run():
        files = [str(tmp_path / "figures.json"), str(tmp_path / "picture.png")]
        script.main([*BOOKS[request.param], "--file", files[0], "--picture", files[1]])
        return Path(files[0]).read_text(encoding="utf-8")

    return script, run


@pytest.fixture
def no_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.mark.usefixtures("no_matplotlib")
def test_a_figure_of_the_book_is_reproducible_whatever_was_drawn_before(book):
    _, run = book
    np.random.seed(1)  # noqa: NPY002  # the one that the scripts seed
    first = run()
    np.random.rand(5)  # noqa: NPY002
    assert run() == first
    assert len(set(_numbers(json.loads(first)))) > 1


def _numbers(figures):
    if isinstance(figures, dict):
        figures = list(figures.values())
    if not isinstance(figures, list):
        yield figures
        return
    for one in figures:
        yield from _numbers(one)


@pytest.mark.usefixtures("no_matplotlib")
def test_another_seed_of_numpy_gives_another_figure(book, monkeypatch):
    _, run = book
    first, seed = run(), np.random.seed
    monkeypatch.setattr(np.random, "seed", lambda _: seed(87654321))
    assert run() != first


@pytest.mark.usefixtures("no_matplotlib")
def test_a_figure_of_the_book_uses_no_more_than_network2_has(book, monkeypatch, digits):
    script, run = book
    wanted = run()
    monkeypatch.setattr(Network2, "made", ())
    names = {"Network": Network2, "CrossEntropyCost": fastnet.CrossEntropyCost}
    monkeypatch.setattr(script, "network2", types.SimpleNamespace(**names))
    assert run() == wanted
    for net in Network2.made:
        for training_data, epochs, mini_batch_size, eta, lmbda, evaluation_data in net.calls:
            assert type(training_data) is list
            assert all(one is other for one, other in zip(training_data, digits[0], strict=False))
            assert evaluation_data in (None, digits[2])
            assert (mini_batch_size, eta, type(epochs), type(lmbda)) == (10, 0.5, int, float)
    assert sum(len(net.calls) for net in Network2.made) == 2


@pytest.mark.usefixtures("no_matplotlib")
def test_the_figures_of_overfitting_are_those_of_the_network(digits):
    script = script_of_the_book("overfitting")
    result = json.loads(json.dumps(script.train(digits[0][:100], digits[2], 2, 5.0)))
    np.random.seed(12345678)  # noqa: NPY002
    net = fastnet.Network([784, 30, 10])
    net.large_weight_initializer()
    net.SGD(digits[0][:100], 2, 10, 0.5, lmbda=5.0, verbose=False)
    assert result["test_accuracy"][-1] == net.accuracy(digits[2]) / 5
    assert result["training_accuracy"][-1] == net.accuracy(digits[0][:100])
    assert result["test_cost"][-1] == net.total_cost(digits[2], 5.0, convert=True)
    assert result["training_cost"][-1] == net.total_cost(digits[0][:100], 5.0)
    assert {len(figures) for name, figures in result.items() if name != "lmbda"} == {2}


@pytest.mark.usefixtures("no_matplotlib")
def test_without_matplotlib_the_book_s_scripts_say_so_and_keep_the_figures(book, capsys, tmp_path):
    _, run = book
    json.loads(run())
    out = capsys.readouterr().out
    words = 'picture.png is not drawn, since matplotlib is missing: pip install "matplotlib>=3.8"'
    assert words in out
    assert not (tmp_path / "picture.png").exists()


def test_with_matplotlib_the_book_s_scripts_draw(book, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="the pictures are drawn by matplotlib")
    monkeypatch.setenv("MPLBACKEND", "agg")
    book[1]()
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
