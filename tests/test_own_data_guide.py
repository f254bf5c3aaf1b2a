"""docs/own-data.md: its commands print what is shown, its tables and messages are true."""

import re
import runpy
import shlex
from pathlib import Path

import numpy as np
import pytest
from tables import MADE, REAL

import fastnet
from fastnet import own_data
from fastnet.cli import main
from fastnet.core import _kernels
from fastnet.data import csv_files, table_target

TOP = Path(__file__).parent.parent
GUIDE = (TOP / "docs" / "own-data.md").read_text(encoding="utf-8")
COMMANDS = re.search(r"^```sh\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)[1].splitlines()
SHOWN = dict(
    re.findall(r"^<!-- output of: (.*?) -->\n```\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
)


def without_time(text):
    return re.sub(r"in [\d.]+ m?s", "in some ms", text)


@pytest.mark.skipif(
    _kernels.isa() == "baseline", reason="without fused multiply-add the last bits are others"
)
def test_the_three_commands_print_what_is_shown(tmp_path, monkeypatch, capsys):
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn has the data")
    pytest.importorskip("pandas", reason="pandas writes the file")
    monkeypatch.chdir(tmp_path)
    wine = datasets.load_wine(as_frame=True)
    frame = wine.data.assign(cultivar=wine.target_names[wine.target])
    frame.to_csv("wine.csv", index=False)
    assert [shlex.split(command)[1] for command in COMMANDS] == ["train", "evaluate", "predict"]
    assert len(SHOWN) == 2
    for command in COMMANDS:
        assert main(shlex.split(command)[1:]) == 0
        printed = capsys.readouterr().out
        if command in SHOWN:
            assert without_time(printed) == without_time(SHOWN.pop(command))
    assert not SHOWN
    predicted = (tmp_path / "predicted.csv").read_text().split()
    assert predicted[0] == "cultivar"
    assert (predicted[1:] == frame["cultivar"].to_numpy()).mean() > 0.95


def test_the_message_that_is_shown_is_the_one_of_such_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("age,y\n3,1\nold,2\n4,3\n")
    with pytest.raises(SystemExit):
        main(["train", "people.csv"])
    assert capsys.readouterr().err in GUIDE


def test_the_settings_that_the_guide_names_are_the_ones_in_use():
    usual = own_data.Settings()
    (layer,) = own_data.HIDDEN
    for words in (
        f"one with {layer} {own_data.NEURONS} neurons",
        f"softmax and {own_data.COSTS['classification']} for a classification, "
        f"linear and {own_data.COSTS['regression']} for a regression",
        f"Adam, eta {usual.optimizer.usual_eta:g}, lmbda {usual.lmbda:g}, mini-batches of "
        f"{usual.mini_batch_size}",
        f"has not fallen for {usual.patience} epochs, at the latest after {usual.epochs:,}",
        f"at most {table_target.MOST_CLASSES} different integers, each in "
        f"{table_target.ROWS_PER_CLASS} rows",
    ):
        assert words in GUIDE
    named = re.search(r"Missing values\s+are empty fields, (.*?)\.", GUIDE)[1]
    assert {"", *re.split(", | and ", named)} == csv_files.MISSING


def test_the_table_beside_scikit_learn_has_a_row_of_the_benchmark_for_each_table():
    names = re.findall(r"^\| (\w+) \| (?:R²|accuracy) \|", GUIDE, re.MULTILINE)
    assert names == [*REAL, *MADE]


@pytest.mark.thorough
@pytest.mark.parametrize("name", [*REAL, *MADE])
def test_scores_are_within_the_spread_of_scikit_learns_pipeline_or_better(name):
    pytest.importorskip("sklearn", reason="scikit-learn is compared with")
    pytest.importorskip("pandas", reason="the benchmark makes frames")
    benchmark = runpy.run_path(str(TOP / "bench" / "own_data.py"))
    pairs = [benchmark["scores"](name, seed) for seed in range(10)]
    ours, theirs = zip(*pairs, strict=True)
    assert sum(ours) / 10 >= min(theirs)
    assert min(ours) >= min(theirs) - (max(theirs) - min(theirs))


def test_the_commands_of_the_readme_predict_what_its_python_does(tmp_path, monkeypatch):
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn has the data")
    pytest.importorskip("pandas", reason="pandas writes the file")
    monkeypatch.chdir(tmp_path)
    datasets.load_diabetes(as_frame=True).frame.to_csv("diabetes.csv", index=False)
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^fastnet (\w+ diabetes.*)$", readme, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert main(shlex.split(command)) == 0
    fit = fastnet.fit_table("diabetes.csv", target="target")
    header, *predicted = (tmp_path / "predicted.csv").read_text().split()
    assert header == "target"
    expected = fit.net.feedforward("diabetes.csv").ravel()
    np.testing.assert_array_equal(np.array(predicted, np.float32), expected)
