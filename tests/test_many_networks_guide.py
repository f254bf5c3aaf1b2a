"""The guide to many networks: its tables are what was measured."""

import json
import re
import runpy
from pathlib import Path

TOP = Path(__file__).parent.parent
GUIDE = (TOP / "docs" / "many_networks.md").read_text(encoding="utf-8")
TOOL = runpy.run_path(str(TOP / "tools" / "measure_many.py"))
MEASURED = json.loads((TOP / "docs" / "many_networks.json").read_text(encoding="utf-8"))
SPECS = re.search(r"^(import fastnet\n.*?)^fits =", GUIDE, re.DOTALL | re.MULTILINE)[1]


def test_the_tables_are_those_of_the_figures():
    assert TOOL["written"](GUIDE, MEASURED) == GUIDE


def test_the_sweep_that_was_measured_is_the_guide_s():
    session = {}
    exec(SPECS, session)
    assert TOOL["sweep"](16) == session["specs"]
