"""The build: what it is made for, and what it says where it cannot be made."""

import os
import platform
import re
import runpy
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytest.importorskip("setuptools", reason="the build needs setuptools")
ROOT = Path(__file__).parents[1]


def setup():
    """The names of setup.py, which builds nothing here."""
    return runpy.run_path(str(ROOT / "setup.py"))


@pytest.fixture
def on(monkeypatch):
    """Lets setup.py think that it is on another machine."""

    def pretend(system, machine, **environment):
        monkeypatch.setattr(sysconfig, "get_platform", lambda: system)
        monkeypatch.setattr(platform, "machine", lambda: machine)
        for name in ("ARCHFLAGS", "_PYTHON_HOST_PLATFORM"):
            monkeypatch.setenv(name, "")  # so that what it sets is undone
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return setup()

    return pretend


def options(name):
    return os.environ.get(name)


@pytest.mark.parametrize(("machine", "target"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_a_macos_python_for_two_architectures_builds_for_its_own_only(on, machine, target):
    assert on("macosx-11.0-universal2", machine)["MACHINE"] == target
    assert options("ARCHFLAGS") == f"-arch {machine}"
    assert options("_PYTHON_HOST_PLATFORM") == f"macosx-11.0-{machine}"


def test_what_the_environment_says_of_the_architecture_stays(on):
    names = on("macosx-11.0-universal2", "arm64", ARCHFLAGS="-arch x86_64")
    assert names["MACHINE"] == "x86_64"
    assert set(names["TARGETS"][names["MACHINE"]]) == {"baseline", "avx2", "avx512"}
    assert options("ARCHFLAGS") == "-arch x86_64"
    assert options("_PYTHON_HOST_PLATFORM") == "macosx-11.0-x86_64"
    on("macosx-11.0-universal2", "arm64", _PYTHON_HOST_PLATFORM="macosx-12.0-arm64")
    assert options("_PYTHON_HOST_PLATFORM") == "macosx-12.0-arm64"
    assert on("macosx-11.0-universal2", "arm64", ARCHFLAGS="")["MACHINE"] == "aarch64"
    assert options("ARCHFLAGS") == ""


def test_two_architectures_at_once_are_refused_in_one_line(on):
    with pytest.raises(SystemExit) as caught:
        on("macosx-11.0-universal2", "arm64", ARCHFLAGS="-arch arm64 -arch x86_64")
    assert caught.value.code == (
        "fastnet: expected one architecture in ARCHFLAGS, got -arch arm64 -arch x86_64"
    )


@pytest.mark.parametrize(
    ("system", "target"),
    [("linux-x86_64", "x86_64"), ("linux-aarch64", "aarch64"), ("win-amd64", "x86_64"),
     ("linux-riscv64", "riscv64")],
)  # fmt: skip
def test_elsewhere_the_environment_is_left_alone(on, system, target):
    assert on(system, "any")["MACHINE"] == target
    assert options("ARCHFLAGS") is options("_PYTHON_HOST_PLATFORM") is None


def ends(capsys, function, *arguments):
    with pytest.raises(SystemExit) as caught:
        function(*arguments)
    message = caught.value.code
    assert message.startswith("fastnet: expected ")
    assert "\n" not in message
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    return message


def test_a_32_bit_python_and_msvc_end_the_build_in_one_line(monkeypatch, capsys):
    names = setup()
    names["check_platform"]("unix")
    assert "got MSVC" in ends(capsys, names["check_platform"], "msvc")
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert "64-bit Python" in ends(capsys, names["check_platform"], "unix")


def compiler(folder, program):
    """A compiler that is a script."""
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(os.name != "posix", reason="compilers that are scripts")
def test_a_compiler_that_cannot_compile_the_kernels_ends_the_build_in_one_line(tmp_path, capfd):
    check = setup()["check_compiler"]
    check([compiler(tmp_path, "exit 0")])
    failing = compiler(tmp_path, "echo many lines >&2; exit 1")
    assert f"{failing!r} cannot compile" in ends(capfd, check, [failing])
    missing = str(tmp_path / "none")
    assert f"got {missing!r}: No such file" in ends(capfd, check, [missing])


@pytest.mark.skipif(os.name != "posix", reason="compilers that are scripts")
@pytest.mark.parametrize(
    ("program", "words"), [("false", "cannot compile"), ("no-such-compiler", "No such file")]
)
def test_a_build_with_such_a_compiler_ends_with_one_line_and_no_traceback(tmp_path, program, words):
    pytest.importorskip("Cython", reason="the build needs Cython")
    command = [sys.executable, "setup.py", "-q", "build_clib", "--force"]
    command += [f"--build-temp={tmp_path}", f"--build-clib={tmp_path}"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "CC": program}, capture_output=True, text=True
    )
    assert done.returncode == 1
    *others, last = done.stderr.splitlines()
    assert last.startswith("fastnet: expected a C compiler")
    assert words in last
    assert not any("fastnet" in line or "Traceback" in line or "error" in line for line in others)


def test_cython_has_every_declaration_of_the_c_header(tmp_path, monkeypatch):
    """The lists of kernels and others are expanded, and callbacks need no lock."""
    monkeypatch.chdir(ROOT)
    setup()["declare_c"](str(tmp_path))
    text = (tmp_path / "c_api.pxd").read_text()
    listed = re.findall(
        r"^KERNEL(?:_F64)?\((\w+),", (ROOT / "csrc/api/kernels.def").read_text(), re.M
    )
    header = (ROOT / "csrc/fastnet.h").read_text()
    functions = re.findall(r"^(?:static inline )?[\w ]+\*?(fn_\w+)\(", header, re.M)
    structs = re.findall(r"^} (fn_\w+);", header, re.M)
    assert len(listed) > 10 < len(functions)
    assert len(structs) > 5
    for name in [*functions, *(f"fn_{kernel}" for kernel in listed)]:
        assert re.search(rf"^    \w[\w ]* \*?{name}\(.*\)$", text, re.M), name
    for name in structs:
        assert re.search(rf"^    ctypedef (struct|enum) {name}:$", text, re.M), name
    assert "size_t (*poll_due)(void *context) noexcept nogil" in text


def test_declarations_that_have_not_changed_are_not_compiled_again(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    declare_c = setup()["declare_c"]
    declare_c(str(tmp_path))
    os.utime(tmp_path / "c_api.pxd", (1, 1))
    declare_c(str(tmp_path))
    assert (tmp_path / "c_api.pxd").stat().st_mtime == 1
