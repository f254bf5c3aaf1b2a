"""The documents: their examples print what they show, and what they name exists."""

import json
import re
import runpy

import documents
import pytest

from fastnet import _kernels, cli

fused = pytest.mark.skipif(
    _kernels.isa() == "baseline", reason="without fused multiply-add the last bits are others"
)

# ---- examples --------------------------------------------------------------

# {page: what its examples import beside fastnet}
PAGES = {
    "docs/changes_from_0.1.md": [],
    "docs/choosing_hyper_parameters.md": [],
    "docs/many_networks.md": ["distributed", "sklearn"],
    "docs/scikit_learn.md": ["sklearn", "pandas"],
    "docs/subclassing.md": [],
}


@fused
@pytest.mark.filterwarnings("ignore:.*[Cc]onverge")
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.thorough] * bool(PAGES[page])) for page in PAGES]
)
def test_the_examples_print_what_the_page_shows(page):
    for module in PAGES[page]:
        pytest.importorskip(module, reason=f"{page} uses {module}")
    codes, shown = zip(*documents.examples(page), strict=True)
    session = {"__name__": "session"}
    try:
        assert list(documents.printed(page, session, codes)) == list(shown)
    finally:
        for name in ("client", "cluster"):
            if name in session:
                session[name].close()


def test_every_page_with_examples_is_run():
    pages = (documents.TOP / "docs").glob("*.md")
    assert {*PAGES} == {f"docs/{p.name}" for p in pages if "```python" in p.read_text("utf-8")}


README = documents.text("README.md")
README_EXAMPLES = [code for code, _ in documents.examples("README.md")]


@fused
@pytest.mark.parametrize("code", README_EXAMPLES, ids=range(len(README_EXAMPLES)))
def test_the_readme_names_the_last_line_that_each_example_prints(code, tmp_path, monkeypatch):
    for module in {"matplotlib", "sklearn"} & {*re.findall(r"\w+", code)}:
        pytest.importorskip(module, reason=f"the README uses {module}")
    monkeypatch.chdir(tmp_path)
    (output,) = documents.printed("README.md", {}, [code])
    lines = output.splitlines()
    assert bool(lines) == ("print(" in code)
    assert not lines or f"`{lines[-1]}`" in README


@fused
def test_make_train_ends_as_the_readme_says_but_for_the_time(capsys):
    shown = re.search(r"^Epoch 28 .*?^Training time", README, re.DOTALL | re.MULTILINE)[0]
    assert cli.main(["train"]) == 0
    assert shown in capsys.readouterr().out


# ---- the table of techniques -------------------------------------------------

TOOL = runpy.run_path(str(documents.TOP / "tools" / "measure_techniques.py"))


def test_the_table_of_techniques_is_the_one_of_the_figures():
    between = documents.text("docs/techniques.md").split(TOOL["BEGIN"])[1].split(TOOL["END"])[0]
    assert between.strip() == TOOL["table"](json.loads(documents.text("docs/techniques.json")))


def test_every_technique_has_figures_of_its_present_setting():
    measured = json.loads(documents.text("docs/techniques.json"))["techniques"]
    settings = {name: figures["setting"] for name, figures in measured.items()}
    assert settings == {one.name: one.setting for one in TOOL["TECHNIQUES"]}


def test_every_test_that_the_table_names_exists():
    for technique in TOOL["TECHNIQUES"]:
        file, name = technique.test.split("::")
        source = documents.text(f"tests/{file}")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), technique.test
