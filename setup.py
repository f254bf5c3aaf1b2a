"""The C side of the build; all else is in pyproject.toml.

The kernels of each instruction set and type are a static library with compiler flags of its
own, from the same sources; the extension module links them all and chooses at
import. No flag depends on the machine that builds, but on the one that is built for.
"""

import glob
import logging
import os
import platform
import runpy
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from setuptools import Extension, setup
from setuptools._distutils.ccompiler import new_compiler
from setuptools._distutils.sysconfig import customize_compiler
from setuptools.command.build_clib import build_clib

TARGETS = {
    "x86_64": {
        "baseline": [],
        "avx2": ["-mavx2", "-mfma"],
        "avx512": [
            *("-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl"),
            *("-mfma", "-mbmi", "-mbmi2"),
        ],
    },
    "aarch64": {"neon": []},
}


def fail(message: str) -> NoReturn:
    """Exit with a one-line message on standard error."""
    sys.exit(f"fastnet: {message}")


def target() -> str:
    """The target architecture; for a universal2 Python on macOS, the one that it runs as.

    ARCHFLAGS determines the compiler's flags, _PYTHON_HOST_PLATFORM the wheel's name; set both to
    build for another machine.
    """
    system, _, machine = sysconfig.get_platform().rpartition("-")  # of "linux-x86_64", say
    if system.startswith("macosx"):
        if machine == "universal2":
            machine = platform.machine()
        flags = os.environ.setdefault("ARCHFLAGS", f"-arch {machine}").split()
        machines = {arch for flag, arch in pairwise(flags) if flag == "-arch"} or {machine}
        if len(machines) > 1:
            fail(f"expected one architecture in ARCHFLAGS, got {' '.join(flags)}")
        (machine,) = machines
        os.environ.setdefault("_PYTHON_HOST_PLATFORM", f"{system}-{machine}")
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


MACHINE = target()

FLAGS = [
    *("-std=c11", "-O3", "-fno-math-errno", "-fvisibility=hidden", "-g0", "-Wall", "-Wextra"),
    # A switch has a case for each cost, activation and optimizer. A missing case is reported by
    # -Wswitch where there is no default, and by -Wswitch-enum where there is one.
    *("-Werror=switch", "-Werror=switch-enum"),
]
# FASTNET_DEBUG=1: a build that checks the contracts of the C code (csrc/core/check.h).
DEBUG = os.environ.get("FASTNET_DEBUG") == "1"
if DEBUG:
    FLAGS += ["-DFN_DEBUG", "-O2", "-g"]  # -O2: the least that makes gcc fuse, so same bits

HEADERS = [
    file for ending in ("h", "def") for file in glob.glob(f"csrc/**/*.{ending}", recursive=True)
]


def library(name: str, sources: list[str], flags: list[str]) -> tuple[str, dict]:
    return name, {
        "sources": sources,
        "cflags": FLAGS + flags,
        "include_dirs": ["csrc"],
        "obj_deps": {"": HEADERS},
    }


UNITS = {
    f"{isa}_f{bits}": ["-ffp-contract=fast", *flags]
    for isa, flags in TARGETS.get(MACHINE, {"baseline": []}).items()
    for bits in (32, 64)
}
libraries = [
    library(f"fastnet_{unit}", [f"csrc/targets/{unit}.c"], flags) for unit, flags in UNITS.items()
]
# random.c gives the same bits everywhere only if nothing is fused.
CORE = [
    "csrc/core/check.c",
    "csrc/core/cpu.c",
    "csrc/core/dispatch.c",
    "csrc/core/layout.c",
    "csrc/core/plan.c",
    "csrc/core/random.c",
    "csrc/core/rows.c",
    "csrc/core/threads.c",
]
libraries.append(library("fastnet_core", CORE, ["-ffp-contract=off"]))

kernels = Extension(
    "fastnet.core._kernels",
    ["fastnet/core/_kernels.pyx"],
    include_dirs=["csrc"],
    # build_ext appends all the libraries above. The linker reads from left to right:
    # the core calls the targets, and they call the core's layout.
    libraries=["fastnet_core"],
    depends=[*HEADERS, *glob.glob("csrc/*/*.c"), *glob.glob("fastnet/core/*.pxi")],
    extra_compile_args=["-g0"],
    extra_link_args=["-pthread"],
)


# The extensions of C11 that the kernels use.
PROBE = """
typedef float vector __attribute__((vector_size(16)));
typedef int integers __attribute__((vector_size(16)));
vector multiply(vector a, integers b) { return a * __builtin_convertvector(b, vector); }
"""


def check_platform(compiler_type: str) -> None:
    """Exit if the kernels cannot be built on this platform."""
    if sys.maxsize < 2**32:
        fail("expected a 64-bit Python, the only kind that is tested; got a 32-bit one")
    if compiler_type == "msvc":
        fail("expected gcc or clang, whose vector extensions the kernels are written in; got MSVC")


def check_compiler(command: list[str]) -> None:
    """Exit if the compiler ``command`` does not support the extensions that the kernels use."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text(PROBE)
        to_compile = [*command, *FLAGS, "-c", str(source), "-o", str(source.with_suffix(".o"))]
        try:
            done = subprocess.run(to_compile, capture_output=True, check=False)
        except OSError as error:
            fail(f"expected a C compiler, gcc or clang; got {command[0]!r}: {error.strerror}")
    if done.returncode != 0:
        fail(
            f"expected a C compiler with C11 and GNU vector extensions, gcc or clang; "
            f"{command[0]!r} cannot compile them"
        )


class build_clib_together(build_clib):
    """Libraries are compiled side by side; first those of AVX-512, which take longest."""

    def build_libraries(self, libraries: list[tuple[str, dict]]) -> None:
        compiler: Any = self.compiler
        check_platform(compiler.compiler_type)
        check_compiler(compiler.compiler_so)
        build = super().build_libraries

        def compile_one(library: tuple[str, dict]) -> None:
            began = time.monotonic()
            build([library])
            taken = time.monotonic() - began
            self.announce(f"compiled {library[0]} in {taken:.0f} s", level=logging.INFO)

        names = ", ".join(name for name, _ in libraries)
        self.announce(f"compiling {names}, side by side", level=logging.INFO)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_one, reversed(libraries)))


def declare_c(folder: str) -> None:
    """Declare the C interface to Cython, in this folder."""
    compiler: Any = new_compiler()
    customize_compiler(compiler)
    check_platform(compiler.compiler_type)
    check_compiler(compiler.compiler_so)
    write = runpy.run_path(str(Path(__file__).parent / "tools" / "declare_c.py"))["write"]
    write([*compiler.compiler_so, "-std=c11"], folder)


if __name__ == "__main__":
    from Cython.Build import cythonize

    declare_c("build/c_api")
    setup(
        # Objects of the two builds are kept apart.
        options={"build": {"build_base": "build/debug"}} if DEBUG else {},
        cmdclass={"build_clib": build_clib_together},
        libraries=libraries,
        ext_modules=cythonize([kernels], build_dir="build/cython", include_path=["build/c_api"]),
    )
