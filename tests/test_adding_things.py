"""docs/adding-things.md: its steps, followed in a copy of the tree, give what it says."""

import ctypes
import math
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
# {heading in the guide: (list in C, word that its rows begin with, module, base class)}
KINDS = {
    "A cost": ("costs.def", "COST(", "costs.py", "BuiltInCost"),
    "An activation": ("activations.def", "ACTIVATION(", "activations.py", "Activation"),
    "An optimizer": ("optimizers.def", "OPTIMIZER(", "optimizers.py", "Optimizer"),
}


def follow_the_steps(root, heading):
    """What the guide says about one kind: a section in C, a class and its name in Python."""
    listed, row, module, base = KINDS[heading]
    guide = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    (section,) = (text for kind, text in blocks if kind == "c" and row in text)
    (made,) = (text for kind, text in blocks if kind == "python" and f"({base})" in text)
    (name,) = re.findall(r'^and `("\w+")` into the list `__all__`', guide, re.MULTILINE)
    rows = root / "csrc" / "api" / listed
    rows.write_text(rows.read_text(encoding="utf-8") + "\n" + section, encoding="utf-8")
    path = root / "fastnet" / "nn" / module
    text = path.read_text(encoding="utf-8")
    (place,) = (m.start() for m in re.finditer(r"^\w+ = registry\.classes", text, re.MULTILINE))
    text = text[:place] + made + "\n\n" + text[place:]
    text, n = re.subn(r"^__all__ = \[", f"__all__ = [{name}, ", text, count=1, flags=re.MULTILINE)
    assert n == 1
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the tree in which the guide's examples have been added."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "csrc", root / "csrc")
    shutil.copytree(ROOT / "tests" / "c", root / "tests" / "c")
    installed = Path(fastnet.__file__).parent
    shutil.copytree(installed, root / "fastnet", ignore=shutil.ignore_patterns("__pycache__"))
    for heading in KINDS:
        follow_the_steps(root, heading)
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


def test_python_finds_the_activation_of_the_guide(copied):
    program = """
import doctest, numpy as np, fastnet
from fastnet import reference
from fastnet.nn import activations
assert activations.__file__.startswith({root!r})
elu = fastnet.ELU(0.5)
assert "ELU" in fastnet.__all__ and fastnet.ELU in activations.CLASSES
assert activations.HIDDEN[-1] == "elu" and "elu" not in activations.OUTPUTS
assert activations.from_text("elu:0.5") == elu
assert activations.hidden_from_json([activations.to_json(elu)]) == [elu]
net = fastnet.Network([3, 4, 4, 1], hidden=["elu", elu], seed=1)
assert net.hidden == ["elu", elu] and "elu, elu:0.5 neurons" in repr(net)
z, h = np.linspace(-9, 9, 2000), 1e-5
a, slope, ahead, behind = np.empty((4, 2000))
reference.activate(elu.kernel, z, a, slope)
reference.activate(elu.kernel, z + h, ahead)
reference.activate(elu.kernel, z - h, behind)
assert np.ptp(slope) > 0.9 and np.abs(slope - (ahead - behind) / (2 * h)).max() < 1e-8
try:
    import onnx
except ModuleNotFoundError:
    pass
else:
    try:
        net.to_onnx()
    except ValueError as error:
        assert "got elu, whose class ELU" in str(error)
    else:
        raise AssertionError("to_onnx took an activation without a formula")
    fastnet.ELU.onnx = lambda self, op, z: op("Elu", z, alpha=self.alpha)
    assert fastnet.Network.from_onnx(net.to_onnx()) == net
tests = doctest.DocTestFinder().find(fastnet.ELU, globs=vars(activations))
assert sum(doctest.DocTestRunner().run(test).attempted for test in tests) == 2
print(elu)
"""
    assert run(copied, program.replace("{root!r}", repr(str(copied)))) == "elu:0.5\n"


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler (cc)")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exported_c_has_the_activation_of_the_guide(copied, dtype, tmp_path):
    program = f"""
import fastnet
from fastnet.convert import c_functions, c_size, c_source
from fastnet.network import model_of
net = fastnet.Network([3, 4, 4, 1], hidden=["elu", fastnet.ELU(0.5)], dtype={dtype!r}, seed=1)
source = c_source.Source(model_of(net), "net", 1.0, True)
text = c_functions.FUSED + c_source.functions(source)
print(c_functions.filled(text, "net", source.bits))
assert c_size.code(source, text) is None  # it was not measured
"""
    real, of = ("float", ctypes.c_float) if dtype == "float32" else ("double", ctypes.c_double)
    (tmp_path / "elu.c").write_text(
        "#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n" + run(copied, program)
        + f"{real} value({real} z) {{ return net_neuron_elu_2(z); }}\n"
        + f"{real} slope({real} z) {{ return net_neuron_elu_2_slope(z, value(z)); }}\n"
    )  # fmt: skip
    command = ["cc", "-std=c99", "-Wall", "-Wno-unused-function", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*command, tmp_path / "elu.c", "-o", tmp_path / "elu.so"], check=True)
    library = ctypes.CDLL(str(tmp_path / "elu.so"))
    for function in (library.value, library.slope):
        function.argtypes, function.restype = [of], of
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    for z in (-50.0, -2.0, -0.1, 0.0, 0.3, 4.0):
        expected = z if z > 0 else 0.5 * math.expm1(z)
        assert library.value(z) == pytest.approx(expected, abs=tolerance, rel=tolerance)
        slope = 1 if z > 0 else 0.5 * math.exp(z)
        assert library.slope(z) == pytest.approx(slope, abs=tolerance)


def test_python_finds_the_optimizer_of_the_guide(copied):
    program = """
import doctest, fastnet
from fastnet.nn import optimizers
assert optimizers.__file__.startswith({root!r})
one = fastnet.Adagrad(0.25)
assert "Adagrad" in fastnet.__all__ and optimizers.CLASSES[-1] is fastnet.Adagrad
assert optimizers.from_text("adagrad:0.25") == one == optimizers.of_kernel("adagrad", 0.25)
assert optimizers.USUAL["adagrad"] == fastnet.Adagrad()
tests = doctest.DocTestFinder().find(fastnet.Adagrad, globs=vars(optimizers))
assert sum(doctest.DocTestRunner().run(test).attempted for test in tests) == 1
print(one.call)
"""
    assert run(copied, program.replace("{root!r}", repr(str(copied)))) == "Adagrad(epsilon=0.25)\n"


# ---- in C


@pytest.fixture(scope="module")
def driver(copied, tmp_path_factory):
    """The C driver of the copy, with one instruction set: the first, which all machines of this
    kind have. A function of its arguments that returns what it prints."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler (cc)")
    dispatch = copied / "csrc" / "core" / "dispatch.c"
    isa = next(iter(BUILD["targets"](BUILD["NATIVE"])))
    text = dispatch.read_text(encoding="utf-8").replace("defined(__x86_64__)", "0")
    dispatch.write_text(text, encoding="utf-8")
    BUILD["targets"].__globals__["SETUP"]["TARGETS"] = {BUILD["NATIVE"]: {isa: []}}
    folder = tmp_path_factory.mktemp("driver")
    program = BUILD["build_driver"](folder, "cc", BUILD["NATIVE"], "-O0", root=copied)

    def printed(*arguments, code=0):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr == "") == (code, code == 0), done.stderr
        found, *numbers = done.stdout.split() or [isa]
        assert found == isa
        return [float(number) for number in numbers]

    return printed


def test_c_computes_the_cost_of_the_guide_and_its_slope(driver):
    value, f64, f32 = driver("cost", "cauchy", "2.0")
    assert 1 < value < 100
    assert 0 < f64 < 1e-8
    assert 0 < f32 < 1e-5
    far = driver("cost", "cauchy", "1e6")[0]  # nearly the quadratic cost
    assert far == pytest.approx(driver("cost", "quadratic")[0], rel=1e-9)


def test_c_computes_the_activation_of_the_guide_and_its_slope(driver):
    for alpha in (0.5, 3.0):
        value, f64, f32 = driver("activation", "elu", str(alpha))
        assert value == pytest.approx(alpha * (math.exp(-1) - 1), rel=1e-14)
        assert 0 < f64 < 1e-8
        assert 0 < f32 < 1e-5
    assert driver("activation", "leaky-relu", "0.25")[0] == -0.25
    assert driver("activation", "relu")[0] == 0


def test_c_takes_the_steps_of_the_optimizer_of_the_guide(driver, copied):
    program = """
import numpy as np, fastnet
p, moments = np.array([2.0, 0.0]), np.zeros((1, 2))
for step in (1, 2, 3):
    p -= fastnet.Adagrad(0.25).step(np.full(2, p.sum()), moments, 0.1, step)
print(*p.tolist())
"""
    expected = [float(number) for number in run(copied, program).split()]
    found = driver("optimizer", "adagrad", "0.25")
    assert len(set(expected)) == 2
    assert found[:2] == pytest.approx(expected, rel=1e-14)
    assert found[2:] == pytest.approx(expected, rel=1e-6)
    assert driver("optimizer", "adagrad", "0.5") != found


@pytest.mark.parametrize(
    "kind", ["cost cauchy", "activation elu 1 2", "optimizer adagrad", "cost x"]
)
def test_c_refuses_a_row_with_another_number_of_parameters(driver, kind):
    assert driver(*kind.split(), code=2) == []


# ---- the guide


def test_every_file_that_the_guide_links_to_exists():
    links = re.findall(r"\]\(\.\./([\w/.]+)\)", GUIDE)
    assert len(links) > 8
    for link in links:
        assert (ROOT / link).is_file(), link


def test_every_test_that_the_guide_names_exists():
    for name in re.findall(r"`(test_\w+\.py)`", GUIDE):
        assert (ROOT / "tests" / name).is_file(), name
