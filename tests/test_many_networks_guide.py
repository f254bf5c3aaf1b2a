"""The guide to many networks: its tables and its sweep are what was measured."""

import json
import runpy

import documents

TOOL = runpy.run_path(str(documents.TOP / "tools" / "measure_many.py"))
PAGE = "docs/many_networks.md"


def test_the_tables_are_those_of_the_figures():
    measured = json.loads(documents.text("docs/many_networks.json"))
    assert TOOL["written"](documents.text(PAGE), measured) == documents.text(PAGE)


def test_the_sweep_that_was_measured_is_the_guide_s():
    session = {}
    exec(documents.examples(PAGE)[0][0].partition("fits =")[0], session)
    assert TOOL["sweep"](16) == session["specs"]
