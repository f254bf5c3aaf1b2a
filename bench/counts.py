"""Instructions per mini-batch, counted by valgrind: unlike times, they can be repeated.

    python bench/counts.py              # count, print, compare with bench/counts.json
    python bench/counts.py --record     # write the counts of this compiler there

A count that differs by more than 2 % from the recorded one is an error: the exit code is 1. Needs
the source tree, since it runs tests/c/driver.c. The compiler is $CC or cc. valgrind does not
support AVX-512. The C library's memset and memcpy are in the counts, 3 % at most; which of their
variants run depends on valgrind's own idea of the processor, not on the machine's.
"""

import argparse
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RECORD = HERE / "counts.json"
TOLERANCE = 0.02

SMALL, MIDDLE, LARGE = [784, 30, 10], [784, 100, 10], [256, 256, 256, 10]
# way, type, m, mini-batches, sizes; MNIST's density, "full" and "relu" without zeros
JOBS = [
    ("dense", "f32", 10, 20, SMALL),
    ("dense", "f64", 10, 20, SMALL),
    ("columns", "f32", 10, 20, SMALL),
    ("columns", "f32", 1, 200, SMALL),
    ("columns", "f32", 32, 10, MIDDLE),
    ("full", "f32", 128, 2, LARGE),
    ("relu", "f32", 32, 20, [8, 100, 100, 4]),
]


def compiler_version(compiler):
    """gcc 12.2.0, say: what the compiler itself defines."""
    command = [compiler, "-dM", "-E", "-x", "c", "/dev/null"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"#define (\w+) (\S+)", text))
    if "__clang__" in found:
        parts = ("__clang_major__", "__clang_minor__", "__clang_patchlevel__")
    else:
        parts = ("__GNUC__", "__GNUC_MINOR__", "__GNUC_PATCHLEVEL__")
    return f"{'clang' if '__clang__' in found else 'gcc'} {'.'.join(found[p] for p in parts)}"


def collected(command, folder, options=(), **variables):
    """Instructions of a command as callgrind counts them; a message and the end if it fails."""
    file = folder / "callgrind.out"
    callgrind = ["--tool=callgrind", *options, f"--callgrind-out-file={file}"]
    # Without the caller's environment, some of which makes the C library choose other code.
    result = subprocess.run(
        ["valgrind", *callgrind, *command],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **variables},
    )
    if result.returncode:
        sys.exit(f"{' '.join(command)}:\n{result.stderr}")
    return int(re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)[1])


def instructions(driver, folder, isa, way, kind, m, mini_batches, sizes):
    """Of one fn_train over so many mini-batches, all that it calls included."""
    job = [driver, isa, way, kind, *(str(number) for number in (m, mini_batches, *sizes))]
    return collected(job, folder, ["--toggle-collect=fn_train"])


def counts(driver, folder, isas):
    """{instruction set: {job: instructions per mini-batch}}, printed as they come."""
    result = {}
    heads = ("way", "isa", "type", "sizes", "m", "a mini-batch", "an example")
    print("{:8} {:9} {:5} {:20} {:>4} {:>13} {:>11}".format(*heads))
    for isa in isas:
        for way, kind, m, n, sizes in JOBS:
            # The overhead of a call is in both and cancels.
            once, twice = (
                instructions(driver, folder, isa, way, kind, m, times * n, sizes)
                for times in (1, 2)
            )
            each = round((twice - once) / n)
            result.setdefault(isa, {})[f"{way} {kind} {sizes} m={m}"] = each
            print(f"{way:8} {isa:9} {kind:5} {sizes!s:20} {m:4} {each:13,} {each / m:11,.0f}")
    return result


def differences(measured, recorded):
    """A line for each count that is new or differs."""
    for isa, jobs in measured.items():
        for job, count in jobs.items():
            before = recorded.get(isa, {}).get(job)
            if before is None:
                yield f"{isa} {job}: not recorded"
            elif abs(count / before - 1) > TOLERANCE:
                yield f"{isa} {job}: {count:,}, recorded {before:,} ({count / before - 1:+.1%})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--record", action="store_true", help=f"write {RECORD.name} for this compiler"
    )
    arguments = parser.parse_args()
    compiler = os.environ.get("CC", "cc")
    missing = [tool for tool in ("valgrind", compiler) if not shutil.which(tool)]
    if missing:
        sys.exit(f"counts: no {' and no '.join(missing)}")
    build = runpy.run_path(str(HERE.parent / "tests/c/build.py"))
    isas = [isa for isa in build["targets"](build["NATIVE"]) if isa != "avx512"]
    version = compiler_version(compiler)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        driver = build["build_driver"](folder, compiler, build["NATIVE"])
        print(f"{version}, {subprocess.check_output(['valgrind', '--version'], text=True).strip()}")
        measured = counts(driver, folder, isas)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if arguments.record:
        record[version] = measured
        RECORD.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
        print(f"recorded in {RECORD.name} for {version}")
    elif version not in record:
        print(f"NOT COMPARED: {RECORD.name} has no counts of {version}")
    elif lines := list(differences(measured, record[version])):
        lines.append("where that is meant, or less: record anew, python bench/counts.py --record")
        sys.exit("\n".join(lines))
    else:
        print(f"all within {TOLERANCE:.0%} of the recorded counts of {version}")


if __name__ == "__main__":
    main()
