"""The tool that mutates the code: what it changes, and what it leaves alone."""

import itertools
import re
import runpy
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
TOOL = runpy.run_path(str(TOP / "tools" / "mutate.py"))


def changes(line, python=False):
    """The changed lines."""
    code = re.compile(TOOL["IGNORED"][python], re.DOTALL | re.MULTILINE).sub(
        lambda match: "\0" * len(match[0]), line
    )
    return [after for _, after in TOOL["changes"](line, code, python, True)]


@pytest.mark.parametrize(
    ("line", "python", "expected"),
    [
        ("    if (i < n)", False, ["    if (i <= n)", "    if (!(i < n))"]),
        ("    f(a, b);", False, ["    f(b, a);", "    ;"]),
        ("    x += 0.5;", False, ["    x -= 0.5;", "    x += 1.0;", "    ;"]),
        ("    return x", True, ["    return None"]),
        ("    if a is not b:", True, ["    if a is b:", "    if not (a is not b):"]),
        ("    i = 2", True, ["    i = 3", "    i = 1"]),
        ("    raise Stop", True, ["    pass"]),
        ("    f(a if b else c)", True, ["    pass"]),
    ],
)
def test_a_line_of_code_is_changed_in_each_way(line, python, expected):
    assert changes(line, python) == expected


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("/* a < b + 1 */", False),
        ("#if A < 1", False),
        ("typedef int a[1];", False),
        ('"""If a < b, 1."""', True),
        ("# a < 1", True),
        ("def f(a=1):", True),
        ("from a import b", True),
        ("    x = 'a < 1'", True),
    ],
)
def test_comments_strings_and_declarations_are_left_alone(line, python):
    assert changes(line, python) == []


def first(seed, n=300):
    return list(itertools.islice(TOOL["draws"](seed), n))


def test_the_seed_decides_what_is_drawn_from_every_language_and_each_mutant_once():
    drawn = first(1)
    assert drawn == first(1)
    assert drawn != first(2)
    assert len({*drawn}) == len(drawn)
    assert {TOOL["LANGUAGES"][Path(m.file).suffix] for m in drawn} == {"c", "cython", "python"}
    assert len({m.operator for m in drawn}) == 5


def test_a_mutant_is_one_line_that_is_changed_in_files_that_neither_kill_nor_remove():
    for mutation in first(3):
        text = (TOP / mutation.file).read_text(encoding="utf-8")
        assert text.splitlines()[mutation.line - 1] == mutation.before != mutation.after
        assert "SIGKILL" not in text
        assert "rmtree" not in text


def test_the_tests_of_the_changed_module_come_first():
    (mutation,) = itertools.islice((m for m in TOOL["draws"](1) if m.file.endswith("idx.py")), 1)
    files = TOOL["ordered_tests"](mutation)
    assert "tests/test_idx.py" in files[:3]
    assert sorted(files) == sorted(f"tests/{p.name}" for p in TOP.glob("tests/test_*.py"))


def test_a_mutant_of_a_kernel_is_first_tested_by_the_files_that_call_kernels():
    for mutation in itertools.islice(TOOL["draws"](1), 10):
        call_kernels = [
            bool(re.search(r"\b(_kernels|kernel_calls)\b", (TOP / file).read_text()))
            for file in TOOL["ordered_tests"](mutation)
        ]
        compiled = not mutation.file.endswith(".py")
        assert (call_kernels == sorted(call_kernels, reverse=True)) == compiled


def test_a_test_that_passes_alone_kills_no_mutant():
    calls = []

    class Stub:
        """Where a.py::f fails now and then, and b.py::g always."""

        def test(self, files, options, seconds):
            calls.append((*files, *options))
            if files == ["tests/a.py::f"]:
                return "survived", ""
            if "--deselect=tests/a.py::f" in options or files == ["tests/b.py::g"]:
                return "killed", "tests/b.py::g[1]"
            return "killed", "tests/a.py::f[0]"

    found = TOOL["Copy"].confirmed(Stub(), ["tests"], ["-x"], 9)
    assert found == ("killed", "tests/b.py::g[1]")
    assert calls == [
        ("tests", "-x"),
        ("tests/a.py::f", "-x"),
        ("tests", "-x", "--deselect=tests/a.py::f"),
        ("tests/b.py::g", "-x"),
    ]


def test_the_table_counts_the_mutants_that_each_set_of_tests_kills():
    found = [("killed", ""), ("timeout", ""), ("killed", "--cases=other"), ("survived", "")]
    records = [{"file": "csrc/a.c", "result": result, "tests": tests} for result, tests in found]
    text = TOOL["table"](records)
    assert "| c | 2 | 1 | 1 | 0 | 0 |" in text
    assert text.endswith("\n\n2 killed by the tests ''\n1 killed by the tests '--cases=other'")


def test_code_that_computes_the_same_is_recognized():
    signature = TOOL["signature"]
    assert signature("x = f(1)") == signature("\n\nx = f( 1 )  # one")
    assert signature("x = 2") == signature("x = 1 + 1")
    assert signature("def f():\n    return 1") != signature("def f():\n    return 2")
    assert signature("x = ") is None
