"""Bytes of code, stack and memory of compiled networks, and instructions of a call on a Cortex-M;
for bench/exported_c.py."""

from dataclasses import replace

import c_targets
import numpy as np
from c_targets import TARGETS

# As the size of a program matters: what is not reached is left out.
SMALL = ("-Os", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables")
CODE = (".text", ".rodata", ".data.rel.ro")
RAM = (".data", ".bss")

NATIVE, M4 = TARGETS["gcc"], TARGETS["cortex-m4"]
PROCESSORS = {"x86-64": NATIVE, "Thumb-2": M4}


def _on_mps2(target, machine):
    """With one instruction in a nanosecond of its clock, on a machine whose timer ticks every 40
    of them; a Cortex-M3 also runs the instructions of a Cortex-M0."""
    qemu, *options = target.emulator
    options[options.index("-machine") + 1] = machine
    return replace(target, emulator=(qemu, "-icount", "shift=0", *options), link=M4.link)


COUNTED = {
    "Cortex-M0": _on_mps2(TARGETS["cortex-m0"], "mps2-an385"),
    "Cortex-M3": _on_mps2(TARGETS["cortex-m3"], "mps2-an385"),
    "Cortex-M4": _on_mps2(TARGETS["cortex-m4"], "mps2-an386"),
}
INSTRUCTIONS_PER_TICK = 40


def sections(target, path):
    """{section: bytes} of an object file or a program."""
    size = "size" if target is NATIVE else target.compiler.replace("gcc", "size")
    lines = [line.split() for line in c_targets.run([size, "-A", path]).splitlines()]
    return {line[0]: int(line[1]) for line in lines if line and line[0].startswith(".")}


def total(found, names):
    return sum(n for section, n in found.items() if section.startswith(names))


def split(found, program):
    """(bytes of code and constants without the parameters, bytes of static RAM), of sections."""
    in_code = program.parameters if program.const else 0
    return total(found, CODE) - in_code, total(found, RAM)


def own(target, program, folder):
    """``split`` of the program's function and what it reaches, without libraries, at -Os."""
    made, reached = folder / "small.o", folder / "reached.o"
    options = (*program.language, *program.flags, *SMALL, "-w")
    c_targets.run(target(*options, "-c", program.source, "-o", made))
    linker = "ld" if target is NATIVE else target.compiler.replace("gcc", "ld")
    arguments = ["-r", "--gc-sections", "-e", program.entry, made, "-o", reached]
    c_targets.run([linker, *arguments])
    return split(sections(target, reached), program)


def program_on(target, program, x, folder, level="-Os", repeats=0):
    """The linked program that calls it with the inputs x."""
    call = replace(program.call, repeats=repeats, function="" if repeats else program.call.function)
    c_targets.write_case(folder, call, x, program.n_out)
    flags = (level, *SMALL[1:], "-ffp-contract=fast", "-w")
    made = folder / "net.o"
    options = (*program.language, *program.flags, *flags)
    c_targets.run(target(*options, "-c", program.source, "-o", made))
    libraries = ("-Wl,--gc-sections", "-static", "-lm")
    if "c++" in program.language:
        libraries += ("-lstdc++",)
    return c_targets.program_of(
        target, folder, [made], *flags, language=("-std=gnu99",), libraries=libraries
    )


def stack(target, program, x, folder):
    """(outputs for x, bytes of stack of a call), at -Os."""
    path = program_on(target, program, x, folder)
    outputs, measured = c_targets.outputs_of(target, path, np.float32, program.n_out)
    return outputs, measured["stack"]


def linked(target, program, x, folder):
    """The bytes that the network adds to a program's code, libraries included and parameters not,
    at -Os; compared with a network that does nothing."""
    empty = folder / "empty.c"
    text = f"{program.call.declaration.replace('real', 'float')[:-1]} {{ (void)x; (void)a; }}"
    empty.write_text(text, encoding="utf-8")
    nothing = replace(program, source=empty, language=("-std=c99",), parameters=0)
    found = [
        split(sections(target, program_on(target, each, x, folder)), each)[0]
        for each in (program, nothing)
    ]
    return found[0] - found[1]


def instructions(target, program, x, folder, repeats):
    """Of a call at -O2, from the ticks of many."""
    path = program_on(target, program, x, folder, "-O2", repeats)
    measured = c_targets.outputs_of(target, path, np.float32, program.n_out)[1]
    return measured["ticks"] * INSTRUCTIONS_PER_TICK / repeats
