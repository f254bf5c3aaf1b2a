"""docs/deploying.md: every block runs, in one folder and one session, and prints what is shown."""

import contextlib
import importlib.util
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

TOP = Path(__file__).parent.parent
TEXT = (TOP / "docs" / "deploying.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^```(python|sh|c)\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    """A block of the page, and what is shown as its output, or ""."""

    section: str
    language: str
    text: str
    shown: str

    @property
    def missing(self):
        """What it needs and is not installed; "" if nothing is."""
        if self.language == "python":
            wanted = re.findall(r"^(?:import|from) (\w+)", self.text, re.MULTILINE)
            if "fastnet.sklearn" in self.text:
                wanted.append("sklearn")
            if ".to_onnx(" in self.text:
                wanted.append("onnx")
            return ", ".join(name for name in wanted if not importlib.util.find_spec(name))
        if self.language == "sh":
            wanted = re.findall(r"^([\w-]+)", self.text, re.MULTILINE)
            return ", ".join(name for name in wanted if not shutil.which(name))
        return ""

    def run(self, session, folder):
        """What it prints."""
        if self.language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.chdir(folder):
                exec(compile(self.text, self.section, "exec"), session)
            return printed.getvalue()
        if self.language == "c":
            (folder / "controller.c").write_text(self.text, encoding="utf-8")
            return ""
        done = subprocess.run(
            ["sh", "-e", "-c", self.text], cwd=folder, capture_output=True, text=True, check=False,
            timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _blocks():
    for section in TEXT.split("\n## "):
        for language, text, shown in BLOCK.findall(section):
            yield Block(section.partition("\n")[0], language, text, shown)


BLOCKS = [*_blocks()]


@pytest.fixture(scope="module")
def run_to(tmp_path_factory):
    """A function that runs the blocks up to the k-th, each once, and returns what that printed."""
    folder = tmp_path_factory.mktemp("deploying")
    (folder / "tests").symlink_to(TOP / "tests")
    session, printed = {"__name__": "session"}, {}

    def run(k):
        for i, block in enumerate(BLOCKS[: k + 1]):
            if i not in printed and not block.missing:
                printed[i] = block.run(session, folder)
        return printed[k]

    return run


def test_the_page_has_a_block_for_every_place():
    assert [block.section for block in BLOCKS if block.language == "python"] == [
        "A model of a pendulum", "A model of a pendulum", "Files", "Files", "ONNX Runtime",
        "scikit-learn", "A derivative in a control loop", "C on a microcontroller", "PyTorch",
    ]  # fmt: skip
    assert [block.language for block in BLOCKS if block.section.startswith("C on")] == [
        "python", "sh", "c", "sh",
    ]  # fmt: skip
    assert TEXT.count("```") == 2 * len(BLOCKS) + 2 * sum(bool(block.shown) for block in BLOCKS)


@pytest.mark.parametrize(
    "k", range(len(BLOCKS)), ids=[f"{b.section}, {b.language}" for b in BLOCKS]
)
def test_each_block_runs_and_prints_what_is_shown(k, run_to):
    block = BLOCKS[k]
    if block.missing:
        pytest.skip(f"{block.missing} is not installed")
    printed = run_to(k)
    if block.shown:
        assert printed == block.shown
    elif "self_test" in block.text:
        assert "40 outputs" in printed
        assert "0 are beyond the error bound" in printed
    else:
        assert printed == ""
