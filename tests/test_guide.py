"""The guide to choosing hyper-parameters: its tables are those of its script, which runs."""

import importlib.util
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
GUIDE = (TOP / "docs/choosing_hyper_parameters.md").read_text(encoding="utf-8")
SCRIPT = TOP / "examples/choose_hyper_parameters.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("choose_hyper_parameters", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_s_tables_have_the_rows_of_the_guide_s(script, mnist):
    """On a hundredth of the data and for an epoch or two, so that other numbers stand in them."""
    training, validation, test = mnist[0][:500], mnist[1][:100], mnist[2][:100]
    tables = (
        script.feedback(training, validation),
        script.eta(training, validation, epochs=1, seeds=(1,)),
        script.lmbda(training, validation, epochs=1, seeds=(1,)),
        script.mini_batch(training, validation, epochs=1),
        script.stop(training, validation, test, epochs=2),
        script.again(training, validation, test, epochs=2),
    )
    shown = re.findall(r"^\|.*\n\| ---.*\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    for rows, text in zip(tables, shown, strict=True):
        guide = [line.strip("| ").split(" | ") for line in text.splitlines()]
        made = [list(map(str, row)) for row in rows]
        assert [(row[0], len(row)) for row in made] == [(row[0], len(row)) for row in guide]


def test_the_script_prints_one_table_by_name_and_knows_its_names(script, capsys, monkeypatch):
    monkeypatch.setattr(script, "feedback", lambda *data: [["a", "b", "c", "d"]])
    script.main(["feedback"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "| network | training examples | 5 epochs take | validation accuracy |",
        "| ---: | ---: | ---: | ---: |",
        "| a | b | c | d |",
    ]
    with pytest.raises(SystemExit, match=r"^rate: expected one of feedback, eta, lambda"):
        script.main(["rate"])
