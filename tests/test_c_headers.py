"""The folders of csrc/: each header compiles alone, and includes run one way."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = runpy.run_path(str(Path(__file__).parent / "c/build.py"))
ROOT, SETUP = BUILD["ROOT"], BUILD["SETUP"]
CSRC = ROOT / "csrc"
HEADERS = sorted(path.relative_to(CSRC).as_posix() for path in CSRC.rglob("*.h"))
SOURCES = sorted(path.relative_to(CSRC).as_posix() for path in CSRC.rglob("*.[ch]"))

# A file includes files of its own folder and of folders that stand before it.
FOLDERS = ["api", "simd", "math", "core", "gemm", "ops", "input", "net", "targets"]
PLACES = {folder: place for place, folder in enumerate(FOLDERS)} | {".": FOLDERS.index("core")}


def defines(unit):
    """[(name, value)] that the file of a unit sets, FN_ISA for instance."""
    text = (CSRC / "targets" / f"{unit}.c").read_text(encoding="utf-8")
    return re.findall(r"^#define (\w+) (\w+)$", text, re.MULTILINE)


def included(file):
    text = (CSRC / file).read_text(encoding="utf-8")
    return re.findall(r'^#include "(.*)"$', text, re.MULTILINE)


@pytest.mark.thorough
@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler (cc)")
@pytest.mark.parametrize("header", HEADERS)
def test_every_header_compiles_alone_for_each_unit_of_this_machine(header):
    """And for the last, of each type, in a debug build. Unused static functions are no error."""
    common = [*SETUP["FLAGS"], "-Werror", "-Wno-unused-function", f"-I{CSRC}", "-fsyntax-only"]
    units = [*SETUP["UNITS"].items()]
    units += [(unit, [*flags, "-DFN_DEBUG"]) for unit, flags in units[-2:]]
    for unit, flags in units:
        unit_flags = [*flags, *(f"-D{name}={value}" for name, value in defines(unit))]
        command = ["cc", *common, *unit_flags, "-x", "c", str(CSRC / header)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), unit


def test_every_header_has_an_include_guard_named_by_its_path():
    for header in HEADERS:
        text = (CSRC / header).read_text(encoding="utf-8")
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        words = re.sub(r"\W", "_", header).upper().removeprefix("FASTNET_")
        code = [line for line in text.split("\n") if line.strip()]
        assert code[:2] == [f"#ifndef FASTNET_{words}", f"#define FASTNET_{words}"]
        assert code[-1] == "#endif", header


def test_no_file_includes_one_of_a_folder_above_its_own():
    for file in SOURCES:
        for other in included(file):
            assert (CSRC / other).is_file()
            folders = [Path(each).parent.as_posix() for each in (file, other)]
            assert PLACES[folders[0]] >= PLACES[folders[1]], f"{file} includes {other}"


@pytest.mark.parametrize("machine", SETUP["TARGETS"])
def test_every_instruction_set_has_a_unit_for_each_type(machine):
    for isa in BUILD["targets"](machine):
        for bits in ("32", "64"):
            found = dict(defines(f"{isa}_f{bits}"))
            assert (found["FN_ISA"], found["FN_BITS"]) == (isa, bits)
            assert found["FN_TARGET"] == f"FN_{isa.upper()}"
