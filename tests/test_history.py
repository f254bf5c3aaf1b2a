"""What is seen of a ``History``, and of the package by ``dir``."""

import importlib
import subprocess
import sys
from html.parser import HTMLParser

import pytest

import fastnet
from fastnet import History


def history(*lists, n_evaluation=None, n_training=None):
    made = History(*lists)
    made.n_evaluation, made.n_training = n_evaluation, n_training
    return made


FULL = history([0.5, 0.25, 0.3], [50, 70, 60], [0.4, 0.2, 0.1], [300, 350, 400],
               n_evaluation=80, n_training=400)  # fmt: skip


def test_a_history_is_printed_as_a_summary_with_percentages():
    assert str(FULL) == (
        "History of 3 epochs\n"
        "Evaluation cost: best 0.25 (epoch 2), final 0.3\n"
        "Evaluation accuracy: best 87.50% (epoch 2), final 75.00%\n"
        "Training cost: best 0.1 (epoch 3), final 0.1\n"
        "Training accuracy: best 100.00% (epoch 3), final 100.00%"
    )


def test_the_representation_of_a_history_stays_that_of_the_tuple():
    assert repr(FULL) == (
        "History(evaluation_cost=[0.5, 0.25, 0.3], evaluation_accuracy=[50, 70, 60], "
        "training_cost=[0.4, 0.2, 0.1], training_accuracy=[300, 350, 400])"
    )


def test_a_history_of_nothing_says_so():
    assert str(history([], [], [], [])) == "History: nothing was monitored"
    assert "nothing was monitored" in history([], [], [], [])._repr_html_()


def test_a_history_that_does_not_know_how_many_examples_there_were_prints_counts():
    changed = FULL._replace(evaluation_cost=[], training_cost=[], training_accuracy=[])
    assert str(changed) == (
        "History of 3 epochs\nEvaluation accuracy: best 70 correct (epoch 2), final 60 correct"
    )


def test_a_cost_that_is_no_number_is_not_the_best():
    nan = float("nan")
    assert str(history([nan, 0.5, nan], [], [], [])).endswith("best 0.5 (epoch 2), final nan")
    assert str(history([nan], [], [], [])).endswith("best nan (epoch 1), final nan")
    assert str(history([nan], [], [], [])).startswith("History of 1 epoch\n")


def test_notebooks_show_a_history_as_a_table_of_the_same_words():
    found = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            assert attributes == []  # colours are the notebook's, light or dark
            found.append(tag)

    Parser().feed(FULL._repr_html_())
    assert [found.count(tag) for tag in ("table", "tr", "th", "td")] == [1, 4, 4, 8]
    for words in ("History of 3 epochs", "Evaluation accuracy", "best 87.50% (epoch 2)"):
        assert f">{words}<" in FULL._repr_html_()


def test_what_sgd_returns_is_printed_so_too():
    net = fastnet.Network([1, 1], seed=0)
    got = net.SGD([([1.0], 0)], 2, 1, 0.5, monitor_training_accuracy=True, verbose=False)
    assert str(got).splitlines()[1].startswith("Training accuracy: best 100.00% (epoch ")


# ---- dir


LAZY = ["demo", "fit_as_completed", "fit_many", "plots", "reference", "sklearn"]


def test_dir_is_what_is_public_and_dunders():
    submodules = {"augment", "demo", "mnist_loader", "plots", "reference", "sklearn"}
    listed = dir(fastnet)
    named = {name for name in listed if not name.startswith("__")}
    assert named == {n for n in fastnet.__all__ if not n.startswith("__")} | submodules
    assert {"__all__", "__doc__", "__version__", "__path__"} <= set(listed)
    assert all(hasattr(fastnet, name) for name in listed)


@pytest.mark.parametrize("name", ["fastnet.plots", "fastnet.sklearn"])
def test_dir_of_a_subpackage_is_what_is_public_and_dunders(name):
    module = importlib.import_module(name)
    assert [n for n in dir(module) if not n.startswith("__")] == sorted(module.__all__)


def alone(code):
    return subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()


def test_dir_names_what_is_loaded_lazily_and_loads_nothing():
    code = (
        "import sys, fastnet; listed = dir(fastnet); "
        "print(*(n for n in %r if n in listed)); "
        "assert 'fastnet.sweep.many' not in sys.modules; assert 'sklearn' not in sys.modules; "
        "fastnet.sklearn.MLPClassifier, fastnet.demo.DEMOS"
    )
    assert alone(code % LAZY) == LAZY


def test_a_star_import_imports_nothing_optional():
    code = (
        "import sys; from fastnet import *; "
        "print(*{'sklearn', 'matplotlib', 'tqdm', 'optuna', 'distributed'} & set(sys.modules))"
    )
    assert alone(code) == []


def test_without_scikit_learn_dir_does_not_name_what_needs_it():
    code = (
        "import sys, importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'sklearn' else find(name, *a); "
        "sys.modules['sklearn.utils.validation'] = sys.modules['sklearn'] = None; import fastnet; "
        "print('sklearn' in dir(fastnet), hasattr(fastnet, 'sklearn'))"
    )
    assert alone(code) == ["False", "False"]
