"""The guide to many networks: its snippets print what it says, its tables are what was measured."""

import contextlib
import io
import json
import re
import runpy
from pathlib import Path

import pytest

from fastnet import _kernels

TOP = Path(__file__).parent.parent
GUIDE = (TOP / "docs" / "many_networks.md").read_text(encoding="utf-8")
TOOL = runpy.run_path(str(TOP / "tools" / "measure_many.py"))
MEASURED = json.loads((TOP / "docs" / "many_networks.json").read_text(encoding="utf-8"))
SNIPPETS = re.findall(r"^```python\n(.*?)^```\n\n```\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(
    _kernels.isa() == "baseline", reason="without fused multiply-add the last bits are others"
)
def test_the_snippets_print_what_the_guide_shows():
    pytest.importorskip("distributed", reason="the guide begins a Dask cluster")
    pytest.importorskip("sklearn", reason="the guide searches with scikit-learn")
    assert len(SNIPPETS) == GUIDE.count("```python\n") == 7
    session = {"__name__": "session"}
    try:
        for snippet, shown in SNIPPETS:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(snippet, "many_networks.md", "exec"), session)
            assert printed.getvalue() == shown
    finally:
        for name in ("client", "cluster"):
            if name in session:
                session[name].close()


def test_the_tables_are_those_of_the_figures():
    assert TOOL["written"](GUIDE, MEASURED) == GUIDE


def test_the_sweep_that_was_measured_is_the_guide_s():
    session = {}
    exec(SNIPPETS[0][0].partition("fits =")[0], session)
    assert TOOL["sweep"](16) == session["specs"]


def test_the_model_describes_the_times_that_were_measured():
    """To a tenth of each, on one worker and on two."""
    for workers, way in TOOL["DASK"].items():
        for networks in TOOL["NETWORKS"]:
            taken = MEASURED["seconds"][way][str(networks)]
            assert TOOL["predicted"](MEASURED, networks, workers) == pytest.approx(taken, rel=0.1)
