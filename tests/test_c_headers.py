"""The sources of csrc/: each header compiles alone, includes run one way, functions are small."""

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
FILES = sorted([*SOURCES, *(path.relative_to(CSRC).as_posix() for path in CSRC.rglob("*.def"))])

# A file includes files of its own folder and of folders that stand before it. The lists of api/
# stand first, since even core/ reads their rows; their functions are expanded in ops/ only.
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


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler (cc)")
@pytest.mark.parametrize("default", ["", "default: return 0;"])
def test_a_cost_without_a_case_in_a_switch_is_a_compile_error(tmp_path, default):
    """Also where a default would take it: in a copy of the header."""
    text = (CSRC / "ops/cost.h").read_text(encoding="utf-8")
    case = re.compile(r"    case FN_OTHER_COST: [^\n]*\n *return 0;\n")
    unit, flags = next(iter(SETUP["UNITS"].items()))
    flags = [*SETUP["FLAGS"], *flags, *(f"-D{name}={value}" for name, value in defines(unit))]
    command = ["cc", *flags, "-Wno-unused-function", f"-I{CSRC}", "-fsyntax-only", "-x", "c"]
    copy = tmp_path / "cost.h"
    for contents, status in ((text, 0), (case.sub(f"    {default}\n", text), 1)):
        copy.write_text(contents, encoding="utf-8")
        done = subprocess.run([*command, str(copy)], capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert ("error: enumeration value" in done.stderr) == bool(status)
        assert ("FN_OTHER_COST" in done.stderr) == bool(status)


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


def test_no_file_includes_itself_by_way_of_others():
    graph = {file: included(file) for file in FILES}

    def reached(file, seen):
        for other in graph[file]:
            if other not in seen:
                seen.add(other)
                reached(other, seen)
        return seen

    assert reached("core/plan.c", set()) >= {"core/plan.h", "fastnet.h", "core/thresholds.def"}
    assert [file for file in FILES if file in reached(file, set())] == []


def test_lists_include_nothing():
    """What the functions in a list use is included by the header of ops/ that expands them."""
    for file in FILES:
        if file.endswith(".def"):
            assert "#include" not in (CSRC / file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize("machine", SETUP["TARGETS"])
def test_every_instruction_set_has_a_unit_for_each_type(machine):
    for isa in BUILD["targets"](machine):
        for bits in ("32", "64"):
            found = dict(defines(f"{isa}_f{bits}"))
            assert (found["FN_ISA"], found["FN_BITS"]) == (isa, bits)
            assert found["FN_TARGET"] == f"FN_{isa.upper()}"


# ---- the size of lines and of functions' parameter lists

# Of a definition, a prototype, a function's type or a call: the name, or the end of FN(name) or of
# (*name), and an opening parenthesis.
PARAMETERS = re.compile(r"(\w+|\))\(")
MACRO = re.compile(r"[A-Z][A-Z0-9_]*|_mm.*")  # or an intrinsic
MOST = 8


def without_comments(text):
    """The same lines without comments."""
    return re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)


def length_of_list(text, start):
    """The number of elements between the parenthesis at ``start`` and the one that closes it."""
    depth, commas = 0, 0
    for i in range(start, len(text)):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[i], 0)
        commas += text[i] == "," and depth == 1
        if depth == 0:
            return commas + 1 if text[start + 1 : i].strip() else 0
    raise ValueError(f"{text[start : start + 40]}: expected a closing parenthesis")


def parameter_lists(text):
    """(line, what stands before the list, the number of its elements) of each function and call."""
    text = without_comments(text)
    for found in PARAMETERS.finditer(text):
        if not MACRO.fullmatch(found[1]):
            before = text[: found.end(1)].rpartition("\n")[2].strip()
            line = text.count("\n", 0, found.start()) + 1
            yield line, before, length_of_list(text, found.end() - 1)


def test_parameters_are_counted_in_every_kind_of_list():
    text = """
        static void FN(tile)(const size_t mr, int (*f)(int a, int b), const real c[FN(n)(1, 2)])
        { call(a, (b, c), d); MACRO(1, 2); nothing(); _mm_set_epi32(1, 2, 3, 4); }
        /* FN(comment)(a, b) */
        typedef int (*callback)(void *context, size_t m);
        FN_INLINE int FN(op##_step)(size_t n); \\
            fn_##op(fn_type type)
    """
    counted = [n for _, _, n in parameter_lists(text)]
    assert counted == [3, 2, 2, 3, 0, 2, 1, 1]
    assert {line for line, _, _ in parameter_lists(text)} == {2, 3, 5, 6, 7}


@pytest.mark.parametrize("file", FILES)
def test_no_function_has_more_than_eight_parameters(file):
    """And no call has more arguments, which only a longer list of parameters allows."""
    lists = parameter_lists((CSRC / file).read_text(encoding="utf-8"))
    assert [each for each in lists if each[2] > MOST] == []


def test_no_kernel_has_more_than_eight_parameters_including_the_type():
    text = without_comments((CSRC / "api/kernels.def").read_text(encoding="utf-8"))
    rows = {
        found[1]: length_of_list(text, found.end() - 1) + 1  # fn_<op>(fn_type type, ...)
        for found in re.finditer(r"KERNEL(?:_F64)?\((\w+), \w+, \(", text)
    }
    assert len(rows) == text.count("KERNEL")
    assert rows["exp"] == 4  # type, n, x, y
    assert {op: n for op, n in rows.items() if n > MOST} == {}


@pytest.mark.parametrize("file", FILES)
def test_no_line_has_more_than_100_characters(file):
    lines = (CSRC / file).read_text(encoding="utf-8").split("\n")
    assert [n for n, line in enumerate(lines, 1) if len(line) > 100] == []
