"""The README and docs/: snippets print what is shown, tables are what was measured, links work."""

import ast
import contextlib
import importlib.util
import io
import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet
from fastnet import cli
from fastnet.core import _kernels

TOP = Path(__file__).parent.parent
FILES = sorted([*TOP.glob("*.md"), *TOP.glob("docs/*.md"), *TOP.glob("bench/*.md")])
DOCUMENTS = {file.relative_to(TOP).as_posix(): file.read_text(encoding="utf-8") for file in FILES}

README = DOCUMENTS["README.md"]
TOOL = runpy.run_path(str(TOP / "tools" / "measure_techniques.py"))
COSTS = runpy.run_path(str(TOP / "tools" / "cost_table.py"))
MEASURED = json.loads((TOP / "docs" / "techniques.json").read_text(encoding="utf-8"))

needs_fma = pytest.mark.skipif(
    _kernels.isa() == "baseline", reason="without fused multiply-add the last bits are others"
)


# ---- snippets

# A snippet, and the block of what it prints, if there is one.
SNIPPET = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
# Its snippets are parts of source files, which have tests of their own.
PARTS_OF_FILES = {"docs/adding-things.md"}
# What they print does not depend on the last bits.
FOR_EVERY_INSTRUCTION_SET = {
    "docs/changes_from_0.1.md",
    "docs/conversions.md",
    "docs/deploying.md",
    "docs/onnx.md",
    "docs/pictures.md",
    "docs/scikit_learn.md",
}
# With clusters of processes, or many fits.
LONG = {"docs/many_networks.md", "docs/scikit_learn.md"}
SESSIONS = {
    name: SNIPPET.findall(text)
    for name, text in DOCUMENTS.items()
    if "```python" in text and name not in PARTS_OF_FILES
}


def test_all_documents_with_snippets_are_known():
    assert {name: len(snippets) for name, snippets in SESSIONS.items()} == {
        "README.md": 3,
        "docs/c-export.md": 2,
        "docs/changes_from_0.1.md": 1,
        "docs/checkpoints.md": 7,
        "docs/choosing_hyper_parameters.md": 4,
        "docs/conversions.md": 4,
        "docs/deploying.md": 9,
        "docs/derivatives.md": 4,
        "docs/file-formats.md": 6,
        "docs/inputs.md": 6,
        "docs/many_networks.md": 7,
        "docs/onnx.md": 8,
        "docs/own-data.md": 3,
        "docs/pictures.md": 1,
        "docs/scikit_learn.md": 4,
        "docs/subclassing.md": 1,
        "docs/tour.md": 9,
    }
    assert all(DOCUMENTS[name].count("```py") == len(SESSIONS[name]) for name in SESSIONS)


def imported(snippet):
    """The packages that a snippet imports, by name."""
    for node in ast.walk(ast.parse(snippet)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def runs(snippet):
    """Whether the packages that it needs are installed."""
    needed = {*imported(snippet)}
    if "fastnet.sklearn" in snippet:
        needed.add("sklearn")
    if "fastnet.plots" in snippet:
        needed.add("matplotlib")
    return all(importlib.util.find_spec(name) for name in needed)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.thorough] * (n in LONG)) for n in SESSIONS]
)
def test_the_snippets_of_a_document_are_one_session_that_prints_what_is_shown(
    name, tmp_path, monkeypatch
):
    if name not in FOR_EVERY_INSTRUCTION_SET and _kernels.isa() == "baseline":
        pytest.skip("without fused multiply-add the last bits are others")
    monkeypatch.chdir(tmp_path)
    session = {"__name__": "session"}
    try:
        for snippet, shown in SESSIONS[name]:
            if not runs(snippet):
                pytest.skip("a package is not installed that the next snippet needs")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(snippet, name, "exec"), session)
            if shown.startswith("...\n"):  # the end of what is printed
                assert printed.getvalue().endswith("\n" + shown.removeprefix("...\n"))
            else:
                assert printed.getvalue() == shown
    finally:
        for variable in ("client", "cluster"):  # of Dask, where a snippet has failed
            if variable in session:
                session[variable].close()


@needs_fma
def test_fastnet_train_ends_as_the_tour_says_but_for_the_time(capsys):
    text = DOCUMENTS["docs/tour.md"]
    shown = re.search(r"^Epoch 28 .*?^Training time", text, re.DOTALL | re.MULTILINE)[0]
    assert cli.main(["train"]) == 0
    assert shown in capsys.readouterr().out


# ---- tables


def test_the_table_of_techniques_is_the_one_of_the_figures():
    text = DOCUMENTS["docs/techniques.md"]
    between = text.split(TOOL["BEGIN"])[1].split(TOOL["END"])[0]
    assert between.strip() == TOOL["table"](MEASURED)


def test_the_table_of_costs_is_that_of_the_registry():
    """If not: python tools/cost_table.py"""
    assert DOCUMENTS["docs/tour.md"] == COSTS["renewed"](DOCUMENTS["docs/tour.md"])
    assert all(f'"{cost.name}" |' in DOCUMENTS["docs/tour.md"] for cost in COSTS["COSTS"])


def test_every_technique_has_figures_of_its_present_setting():
    measured = {name: figures["setting"] for name, figures in MEASURED["techniques"].items()}
    assert measured == {one.name: one.setting for one in TOOL["TECHNIQUES"]}


def test_every_test_that_the_table_names_exists():
    for technique in TOOL["TECHNIQUES"]:
        file, name = technique.test.split("::")
        source = (TOP / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), technique.test


def cells(table):
    """The cells of a Markdown table by row and column, both named."""
    lines = [line.strip("|").split("|") for line in table.splitlines()]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def test_the_figures_of_the_readmes_speed_table_are_those_of_the_benchmarks():
    ours, whole = (
        cells(re.search(r"(?:^\|.*fastnet \| .*\n)(?:^\|.*\n)+", text, re.MULTILINE)[0])
        for text in (README, DOCUMENTS["docs/benchmarks.md"])
    )
    assert len(ours) == 6
    for job, row in ours.items():
        assert row.items() <= whole[job].items()


def test_the_tables_of_measurements_have_a_date_and_a_command():
    sections = DOCUMENTS["docs/tuning.md"].split("\n## ")
    measured = [text for text in sections[2:] if "\n|---|" in text]  # 1: the thresholds
    assert len(measured) > 10
    for text in measured:
        line = re.search(r"^\*(\d.*?)\*$", text.partition("\n|---|")[0], re.M | re.S)
        assert line, text[:60]
        assert "November 2026" in line[1]
        assert "`python " in line[1] or "program not kept" in line[1], line[1]


# ---- the README's picture, its length, and links


def test_the_picture_of_the_readme_is_the_way_of_arrays_through_the_modules():
    """In the order in which ``SGD`` first calls the functions of its Python modules."""
    picture = README.split("## How the data flows\n\n```\n")[1].split("```")[0]
    shown = re.findall(r"fastnet/([\w/]+\.py)$", picture, re.MULTILINE)
    assert len(shown) >= 5
    package, called = Path(fastnet.__file__).parent, []

    def note(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if event == "call" and package in path.parents:
            called.append(str(path.relative_to(package)))

    net, data = fastnet.Network([3, 2], seed=1), (np.eye(3), [0, 1, 1])
    sys.setprofile(note)
    try:
        net.SGD(data, 1, 2, 0.5, verbose=False)
    finally:
        sys.setprofile(None)
    assert [file for file in dict.fromkeys(called) if file in shown] == shown


def test_the_readme_has_at_most_130_lines():
    assert len(README.splitlines()) <= 130


CODE = re.compile(r"^```.*?^```|^    .*?$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def links(text):
    return re.findall(r"\]\(([^)\s]+)\)", CODE.sub("`code`", text))


def anchors(text):
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_between_files_lead_somewhere(name):
    for link in links(DOCUMENTS[name]):
        if re.match(r"https?://", link):
            continue
        target, _, anchor = link.partition("#")
        file = (TOP / name).parent / target if target else TOP / name
        assert file.exists(), link
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), link


def test_the_index_names_every_document():
    named = {link.partition("#")[0] for link in links(DOCUMENTS["docs/index.md"])}
    assert {file.name for file in TOP.glob("docs/*.md")} - {"index.md"} <= named


# A path below one of the package's folders, in code: `fastnet/data/dataset.py`, `csrc/targets/*.c`.
PATH = re.compile(r"(?<![\w./])(?:fastnet|csrc|tests|tools|bench|examples|docs)/[\w./*-]*\w")
WRITTEN_BY_COMMANDS = {"bench/results"}


@pytest.mark.parametrize(
    "name", sorted(DOCUMENTS.keys() - {"CHANGELOG.md"})
)  # with files of its time
def test_paths_in_the_documents_exist(name):
    text = re.sub(r"https?://\S+", "", DOCUMENTS[name])
    missing = {path for path in PATH.findall(text) if not [*TOP.glob(path)]}
    assert missing <= WRITTEN_BY_COMMANDS
