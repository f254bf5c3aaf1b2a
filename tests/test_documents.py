"""The documents in docs/: what they show is what was measured, and what they name exists."""

import json
import re
import runpy
from pathlib import Path

import fastnet

TOP = Path(__file__).parent.parent
TOOL = runpy.run_path(str(TOP / "tools" / "measure_techniques.py"))
COSTS = runpy.run_path(str(TOP / "tools" / "cost_table.py"))
MEASURED = json.loads((TOP / "docs" / "techniques.json").read_text(encoding="utf-8"))


def test_the_table_of_techniques_is_the_one_of_the_figures():
    text = (TOP / "docs" / "techniques.md").read_text(encoding="utf-8")
    between = text.split(TOOL["BEGIN"])[1].split(TOOL["END"])[0]
    assert between.strip() == TOOL["table"](MEASURED)


def test_every_technique_has_figures_of_its_present_setting():
    measured = {name: figures["setting"] for name, figures in MEASURED["techniques"].items()}
    assert measured == {one.name: one.setting for one in TOOL["TECHNIQUES"]}


def test_every_test_that_the_table_names_exists():
    for technique in TOOL["TECHNIQUES"]:
        file, name = technique.test.split("::")
        source = (TOP / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), technique.test


def test_the_page_of_changes_prints_what_it_says(capsys):
    page = (TOP / "docs" / "changes_from_0.1.md").read_text(encoding="utf-8")
    ((code, shown),) = re.findall(
        r"^```python\n(.*?)^```\n\n```\n(.*?)^```", page, re.DOTALL | re.MULTILINE
    )
    exec(compile(code, "changes_from_0.1.md", "exec"), {})
    assert capsys.readouterr().out == shown


def test_the_readme_s_table_of_costs_is_that_of_the_registry():
    """If not: python tools/cost_table.py README.md"""
    text = (TOP / "README.md").read_text(encoding="utf-8")
    assert text == COSTS["renewed"](text)
    for cost in fastnet.costs.COSTS:
        assert f'"{cost.name}" |' in text
