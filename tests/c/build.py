"""Builds tests/c/driver.c with the flags of the real build; for tests and bench/counts.py.

python tests/c/build.py FOLDER [FLAG ...] builds it with cc and prints the program's path.
"""

import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SETUP = runpy.run_path(str(ROOT / "setup.py"))
NATIVE = SETUP["MACHINE"]

# AVX-512's kernels for a processor with AVX2: their instructions are emulated_avx512.h's,
# and the dispatcher hears that the processor has all that it asks for.
EMULATED = [
    *("-mavx2", "-mfma", "-mbmi", "-mbmi2", "-Wno-psabi"),
    *("-include", str(ROOT / "tests/c/emulated_avx512.h")),
]
HAS_ALL = "-D__builtin_cpu_supports(feature)=1"


def targets(machine):
    """{instruction set: its flags} that the driver for ``machine`` is made of."""
    return SETUP["TARGETS"].get(machine, {"baseline": []})


def build_driver(folder, compiler, machine, *extra, emulate_avx512=False, root=ROOT):
    """The driver as a program in ``folder``; ``extra`` flags come after the real build's. ``root``
    is the tree of its sources."""
    flags = [*SETUP["FLAGS"], "-Werror", f"-I{root / 'csrc'}", "-pthread", *extra]

    def compile_unit(isa, options, bits):
        source = str(root / f"csrc/targets/{isa}_f{bits}.c")
        made = str(folder / f"{isa}_f{bits}.o")
        options = EMULATED if emulate_avx512 and isa == "avx512" else options
        command = [compiler, *flags, "-ffp-contract=fast", *options, "-c", source, "-o", made]
        subprocess.run(command, check=True)
        return made

    units = [(*target, bits) for target in targets(machine).items() for bits in (32, 64)]
    with ThreadPoolExecutor() as pool:  # the compilers are processes of their own
        objects = list(pool.map(compile_unit, *zip(*units, strict=True)))
    core = [*flags, *([HAS_ALL] if emulate_avx512 else []), "-ffp-contract=off"]
    sources = [str(root / source) for source in (*SETUP["CORE"], "tests/c/driver.c")]
    program = str(folder / "driver")
    subprocess.run([compiler, *core, *sources, *objects, "-lm", "-o", program], check=True)
    return program


if __name__ == "__main__":
    print(build_driver(Path(sys.argv[1]), "cc", NATIVE, *sys.argv[2:]))
