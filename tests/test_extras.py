"""Optional packages: what is said when one is missing, and when converters are imported."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fastnet
from fastnet.core import extras

FOLDER = Path(fastnet.__file__).parent


def test_the_versions_are_those_of_pyproject():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    extra = project["project"]["optional-dependencies"]
    known = {each for group in extra.values() for each in group}
    assert {requirement for _, requirement in extras.PACKAGES.values()} <= known


@pytest.mark.parametrize("module", [*extras.PACKAGES, "scipy.optimize"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    name, requirement = extras.PACKAGES[module.partition(".")[0]]
    with pytest.raises(ImportError) as caught:
        extras.needed("use", module)
    expected = f'use: expected {name} to be installed: pip install "{requirement}"'
    assert str(caught.value) == expected


def test_a_package_that_lacks_another_one_says_which(monkeypatch, tmp_path):
    (tmp_path / "skl2onnx.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.delitem(sys.modules, "skl2onnx", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'a_package_that_nobody_has'$"):
        extras.needed("use", "skl2onnx")


def test_all_modules_say_it_in_the_same_way():
    """Others raise an ImportError only where a package is old, or one of several would do."""
    raising = {
        file.relative_to(FOLDER).as_posix()
        for file in FOLDER.rglob("*.py")
        if re.search(r"raise ImportError", file.read_text(encoding="utf-8"))
    }
    others = {"core/load.py", "data/frames.py", "sklearn/__init__.py"}
    assert raising - others == {"core/extras.py"}


def test_no_converter_is_imported_before_it_is_used():
    script = (
        "import sys, fastnet; fastnet.Network([2, 1], seed=1);"
        "print(*sorted(name for name in sys.modules if name.startswith('fastnet.convert.')))"
    )
    command = [sys.executable, "-P", "-c", script]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert found == ["fastnet.convert.methods"]
