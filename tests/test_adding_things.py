"""docs/adding-things.md: its steps, followed in a copy of the tree, give what it says."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastnet

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "adding-things.md").read_text(encoding="utf-8")
BUILD = runpy.run_path(str(ROOT / "tests" / "c" / "build.py"))
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$",
    GUIDE.split("\n## A cost\n")[1].split("\n## ")[0],
    re.DOTALL | re.MULTILINE,
)


def follow_the_steps(root):
    """What the guide says about the cost: one section in C, a class and its name in Python."""
    (section,) = (text for kind, text in BLOCKS if kind == "c" and "COST(" in text)
    (made,) = (text for kind, text in BLOCKS if kind == "python" and "(BuiltInCost)" in text)
    (name,) = re.findall(r'^and `("\w+")` into the list `__all__`', GUIDE, re.MULTILINE)
    rows = root / "csrc" / "api" / "costs.def"
    rows.write_text(rows.read_text(encoding="utf-8") + "\n" + section, encoding="utf-8")
    module = root / "fastnet" / "nn" / "costs.py"
    text = module.read_text(encoding="utf-8")
    place = re.search(r"^(#[^\n]*\n)?COSTS\b", text, re.MULTILINE).start()
    text = text[:place] + made + "\n\n" + text[place:]
    module.write_text(
        text.replace("__all__ = [\n", f"__all__ = [\n    {name},\n", 1), encoding="utf-8"
    )


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the tree in which the guide's cost has been added."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "csrc", root / "csrc")
    shutil.copytree(ROOT / "tests" / "c", root / "tests" / "c")
    installed = Path(fastnet.__file__).parent
    shutil.copytree(installed, root / "fastnet", ignore=shutil.ignore_patterns("__pycache__"))
    follow_the_steps(root)
    return root


def run(root, program):
    """What the program prints with the copied package."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_python_finds_the_cost_of_the_guide(copied):
    program = """
import doctest, numpy as np, fastnet
from fastnet import reference
from fastnet.nn import costs
assert fastnet.nn.costs.__file__.startswith({root!r})
cost = fastnet.CauchyCost(2.0)
assert "CauchyCost" in fastnet.__all__ and fastnet.CauchyCost in costs.COSTS
assert "cauchy" in costs.NAMES and "linear + cauchy" in costs.ALLOWED
assert costs.from_text("cauchy:2.0") == cost == costs.from_json(costs.to_json(cost))
net = fastnet.Network([3, 2], cost, seed=1)
assert net.cost == cost and net.output == "linear" and "cauchy:2.0" in repr(net)
random = np.random.default_rng(1)
z, y, h = *random.standard_normal((2, 5, 3)), 1e-5
for place in np.ndindex(z.shape):
    step = np.zeros_like(z)
    step[place] = h
    slope = (cost.fn((z + step).T, y.T) - cost.fn((z - step).T, y.T)) / (2 * h)
    assert abs(cost.error("linear", z, y)[place] - slope) < 1e-9
assert abs(reference.cost_sum("linear", cost.kernel, z, y) - cost.fn(z.T, y.T)) < 1e-12
tests = doctest.DocTestFinder().find(fastnet.CauchyCost, globs=vars(costs))
assert sum(doctest.DocTestRunner().run(test).attempted for test in tests) == 1
print(cost)
"""
    assert run(copied, program.replace("{root!r}", repr(str(copied)))) == "cauchy:2.0\n"


def test_c_computes_the_cost_of_the_guide_and_its_slope(copied, tmp_path):
    """With one instruction set: the first, which all machines of this kind have."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler (cc)")
    dispatch = copied / "csrc" / "core" / "dispatch.c"
    isa = next(iter(BUILD["targets"](BUILD["NATIVE"])))
    text = dispatch.read_text(encoding="utf-8").replace("defined(__x86_64__)", "0")
    dispatch.write_text(text, encoding="utf-8")
    BUILD["targets"].__globals__["SETUP"]["TARGETS"] = {BUILD["NATIVE"]: {isa: []}}
    driver = BUILD["build_driver"](tmp_path, "cc", BUILD["NATIVE"], "-O0", root=copied)

    def printed(*arguments):
        done = subprocess.run([driver, *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    found, value, f64, f32 = printed("cost", "cauchy", "2.0")
    assert found == isa
    assert 1 < float(value) < 100
    assert 0 < float(f64) < 1e-8
    assert 0 < float(f32) < 1e-5
    far = float(printed("cost", "cauchy", "1e6")[1])  # nearly the quadratic cost
    assert far == pytest.approx(float(printed("cost", "quadratic")[1]), rel=1e-9)
    wrong = subprocess.run([driver, "cost", "cauchy"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_every_file_that_the_guide_links_to_exists():
    for link in re.findall(r"\]\(\.\./([\w/.]+)\)", GUIDE):
        assert (ROOT / link).is_file(), link


def test_every_test_that_the_guide_names_exists():
    for name in re.findall(r"`(test_\w+\.py)`", GUIDE):
        assert (ROOT / "tests" / name).is_file(), name
