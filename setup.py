"""The C side of the build; all else is in pyproject.toml.

Each instruction set's kernels are a static library with compiler flags of its
own, from the same sources; the extension module links them all and chooses at
import. No flag depends on the machine that builds, but on the one that is built for.
"""

import glob
import platform
import sysconfig
from concurrent.futures import ThreadPoolExecutor

from setuptools import Extension, setup
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
BUILT_FOR = sysconfig.get_platform().rpartition("-")[2]  # of "linux-x86_64", say
if BUILT_FOR == "universal2":  # macOS's for both; one of the two is built
    BUILT_FOR = platform.machine()
MACHINE = {"amd64": "x86_64", "arm64": "aarch64"}.get(BUILT_FOR, BUILT_FOR)

FLAGS = ["-std=c11", "-O3", "-fno-math-errno", "-fvisibility=hidden", "-g0", "-Wall", "-Wextra"]
HEADERS = [*glob.glob("csrc/*.h"), "csrc/kernels.def"]


def library(name: str, sources: list[str], flags: list[str]) -> tuple[str, dict]:
    return name, {
        "sources": sources,
        "cflags": FLAGS + flags,
        "include_dirs": ["csrc"],
        "obj_deps": {"": HEADERS},
    }


libraries = [
    library(f"fastnet_{isa}", [f"csrc/target_{isa}.c"], ["-ffp-contract=fast", *flags])
    for isa, flags in TARGETS.get(MACHINE, {"baseline": []}).items()
]
# random.c gives the same bits everywhere only if nothing is fused.
CORE = [
    "csrc/cpu.c",
    "csrc/dispatch.c",
    "csrc/layout.c",
    "csrc/random.c",
    "csrc/threads.c",
]
libraries.append(library("fastnet_core", CORE, ["-ffp-contract=off"]))

kernels = Extension(
    "fastnet._kernels",
    ["fastnet/_kernels.pyx"],
    include_dirs=["csrc"],
    # build_ext appends all the libraries above. The linker reads from left to right:
    # the core calls the targets, and they call the core's layout.
    libraries=["fastnet_core"],
    depends=[*HEADERS, *glob.glob("csrc/*.c"), *glob.glob("fastnet/*.px[di]")],
    extra_compile_args=["-g0"],
    extra_link_args=["-pthread"],
)


class build_clib_together(build_clib):
    """Libraries are compiled side by side: on two cores 32 s for 49, each target one long file."""

    def build_libraries(self, libraries: list[tuple[str, dict]]) -> None:
        build = super().build_libraries
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda library: build([library]), libraries))


if __name__ == "__main__":
    from Cython.Build import cythonize

    setup(
        cmdclass={"build_clib": build_clib_together},
        libraries=libraries,
        ext_modules=cythonize([kernels], build_dir="build/cython"),
    )
