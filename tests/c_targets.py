"""Compiles C for this machine, AArch64 and Cortex-M, and runs it there or on QEMU.

For the tests of exported networks and ``bench/exported_c.py``. Debian's packages: gcc, clang,
gcc-aarch64-linux-gnu, qemu-user, gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm.
"""

import functools
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

C = Path(__file__).parent / "c"
STRICT = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
SECONDS = 60  # after which an emulator is stopped; the programs take far less than one


@dataclass(frozen=True)
class Target:
    """A compiler, what it is called with, and how its programs run.

    ``fused``: whether the processor has fused multiply-add, "float32" or "both" types.
    """

    compiler: str
    flags: tuple[str, ...] = ()
    emulator: tuple[str, ...] = ()
    fused: str = ""
    link: tuple[str, ...] = ()
    bare: bool = False  # a Cortex-M, without an operating system

    def fuses(self, dtype):
        """Whether it has fused multiply-add of this type."""
        return self.fused == "both" or self.fused == np.dtype(dtype).name

    @property
    def missing(self):
        """What is needed and not installed, as a reason to skip; "" if nothing is."""
        if not shutil.which(self.compiler):
            return f"no {self.compiler}"
        if self.emulator and not shutil.which(self.emulator[0]):
            return f"no {self.emulator[0]}"
        if self.native_fma and not _has_fma():
            return "this processor has no fused multiply-add"
        if self.bare and not _has_headers(self.compiler):
            return f"no C library for {self.compiler}"
        return ""

    @property
    def native_fma(self):
        return "-mfma" in self.flags

    def __call__(self, *arguments):
        return [self.compiler, *self.flags, *map(str, arguments)]


@functools.cache
def _has_headers(compiler):
    command = [compiler, "-E", "-include", "string.h", "-x", "c", "/dev/null"]
    return not subprocess.run(command, capture_output=True, check=False).returncode


def _has_fma():
    """On x86-64."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and " fma " in cpuinfo.read_text(encoding="utf-8")


def _machine(name, cpu, *flags, fused="", memory=("4M", "4M")):
    emulator = (
        *("qemu-system-arm", "-machine", name, "-display", "none", "-monitor", "none"),
        *("-serial", "none", "-chardev", "stdio,id=out"),
        *("-semihosting-config", "enable=on,target=native,chardev=out", "-kernel"),
    )
    link = ("-nostartfiles", "-T", str(C / "cortex_m.ld"), str(C / "cortex_m.c"))
    flash, ram = memory
    link += (
        "-Wl,--no-warn-rwx-segments",
        f"-Wl,--defsym=flash_size={flash},--defsym=ram_size={ram}",
    )
    flags = ("-mthumb", f"-mcpu={cpu}", *flags)
    return Target("arm-none-eabi-gcc", flags, emulator, fused, link, bare=True)


def _natives():
    """{name: target}: without fused multiply-add, and with it where the compiler must be asked."""
    if platform.machine() not in ("x86_64", "AMD64"):
        fused = "both" if platform.machine() in ("aarch64", "arm64") else ""
        return {compiler: Target(compiler, fused=fused) for compiler in ("gcc", "clang")}
    return {
        "gcc": Target("gcc"),
        "clang": Target("clang"),
        "gcc-fma": Target("gcc", ("-mfma",), fused="both"),
        "clang-fma": Target("clang", ("-mfma",), fused="both"),
    }


_ARM64 = ("-static",)
_HARD = "-mfloat-abi=hard"
TARGETS = {
    **_natives(),
    "aarch64": Target("aarch64-linux-gnu-gcc", (), ("qemu-aarch64",), "both", _ARM64),
    "aarch64-clang": Target(
        "clang", ("--target=aarch64-linux-gnu",), ("qemu-aarch64",), "both", _ARM64
    ),
    "cortex-m0": _machine("microbit", "cortex-m0", memory=("256K", "16K")),
    "cortex-m3": _machine("lm3s6965evb", "cortex-m3", memory=("256K", "64K")),
    "cortex-m4": _machine("mps2-an386", "cortex-m4", "-mfpu=fpv4-sp-d16", _HARD, fused="float32"),
    "cortex-m7": _machine("mps2-an500", "cortex-m7", "-mfpu=fpv5-d16", _HARD, fused="both"),
}


@dataclass(frozen=True)
class Call:
    """How a program calls a network.

    ``declaration``: of what is called; ``call``: with x and a, and ``real`` for their type;
    ``function``, if the stack is measured: what is called with x and ``second``; ``repeats``, if
    time is measured: the calls of which a Cortex-M counts the ticks.
    """

    declaration: str = "void net(const real *x, real *a);"
    call: str = "net(x, a)"
    function: str = ""
    second: str = "a"
    repeats: int = 0


def write_case(folder, call, inputs, n_out):
    """case.h for tests/c/run_network.c, with the inputs (n, n_in) of n calls."""
    inputs = np.atleast_2d(inputs)
    real, word = {4: ("float", "uint32_t"), 8: ("double", "uint64_t")}[inputs.itemsize]
    suffix = "u" if inputs.itemsize == 4 else "ull"
    bits = inputs.view(np.uint32 if inputs.itemsize == 4 else np.uint64)
    rows = ", \\\n".join("{" + ", ".join(f"{int(x)}{suffix}" for x in row) + "}" for row in bits)
    lines = [
        f"typedef {real} real;",
        f"typedef {word} word;",
        f"#define N_CALLS {len(inputs)}u",
        f"#define N_IN {inputs.shape[1]}u",
        f"#define N_OUT {n_out}u",
        f"#define INPUTS {{ \\\n{rows} }}",
        f"#define DECLARATION {call.declaration}",
        f"#define CALL(x, a) {call.call}",
    ]
    if call.function:
        lines += [f"#define FUNCTION {call.function}", f"#define SECOND {call.second}"]
    if call.repeats:
        lines += [f"#define REPEATS {call.repeats}u"]
    (folder / "case.h").write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(command):
    """Its output; an AssertionError with what a failed command wrote to stderr."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, timeout=SECONDS,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def compile_object(target, source, made, *flags, language=("-std=c99",)):
    """An object file of an exported network, without a warning."""
    run(target(*language, *STRICT, "-ffp-contract=fast", *flags, "-c", source, "-o", made))
    return made


def program_of(target, folder, objects, *flags, language=("-std=c99",), libraries=()):
    """The program that calls the network in ``objects`` as ``folder``/case.h says."""
    main, made = folder / "main.o", folder / "program"
    define = ["-DCORTEX_M"] if target.bare else []
    include = [f"-I{folder}", f"-I{C}"]
    main_flags = [flag for flag in flags if not flag.startswith("-std")]
    run(target(*language, *main_flags, *define, *include, "-c", C / "run_network.c", "-o", main))
    run(target(*flags, f"-I{C}", main, *objects, *target.link, *libraries, "-o", made))
    return made


def outputs_of(target, program, dtype, n_out):
    """(outputs (n, n_out), {"stack" or "ticks": number}) that a program prints."""
    lines = [line.split() for line in run([*target.emulator, program]).splitlines()]
    measured = {line[0]: int(line[1], 16) for line in lines if line[0] in ("stack", "ticks")}
    rows = [[int(each, 16) for each in line] for line in lines if line[0] not in measured]
    bits = np.array(rows, np.dtype(dtype).str.replace("f", "u"))
    assert bits.shape[1] == n_out
    return bits.view(dtype), measured


def outputs(target, source, folder, inputs, n_out, *flags, call=None, language=("-std=c99",)):
    """The outputs (n, n_out) of the exported network ``source`` for inputs (n, n_in), compiled for
    ``target`` in ``folder`` with ``flags``."""
    call = call or Call()
    write_case(folder, call, inputs, n_out)
    made = compile_object(target, source, folder / "net.o", *flags, language=language)
    program = program_of(target, folder, [made], *flags, language=language)
    return outputs_of(target, program, inputs.dtype, n_out)[0]
