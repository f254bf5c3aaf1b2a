"""scikit-learn's tests of its MLP, taken from the installed one, on the estimators here.

As a script it prints which of them pass:

    python -P tests/sklearn_own_tests.py
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor\n"
OURS = "from fastnet.sklearn import MLPClassifier, MLPRegressor\n"

# The one fixture that the file takes from scikit-learn's conftest.py, with its default there.
CONFTEST = """
import pytest

@pytest.fixture
def global_random_seed():
    return 42
"""


def original():
    """The path of scikit-learn's file, which an installation may lack."""
    package = importlib.util.find_spec("sklearn.neural_network").submodule_search_locations[0]
    return Path(package) / "tests" / "test_mlp.py"


def outcomes(folder, line=OURS, names=()):
    """{name of a test: whether it passes}, of a run in this folder, which must be empty.

    line: imports the classes that are tested; names: those of the tests to run, () for all.
    """
    text = original().read_text(encoding="utf-8")
    if text.count(IMPORT) != 1:
        raise ValueError(f"{original()}: expected the line {IMPORT!r} once")
    (folder / "test_mlp.py").write_text(text.replace(IMPORT, line), encoding="utf-8")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = folder / "report.xml"
    tests = [f"test_mlp.py::{name}" for name in names] or ["test_mlp.py"]
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider",
               f"--junitxml={report}", *tests]  # fmt: skip
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # many short calls of SciPy's BLAS
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if not report.exists():
        raise RuntimeError(ran.stdout + ran.stderr)
    cases = ElementTree.parse(report).iter("testcase")
    return {
        case.get("name"): case.find("failure") is None and case.find("error") is None
        for case in cases
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        found = outcomes(Path(made))
    for name, passes in found.items():
        print("passes" if passes else "FAILS ", name)
    print(f"{sum(found.values())} of {len(found)} pass")
