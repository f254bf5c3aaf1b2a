"""The C core without Python: tests/c/driver.c trains and prints hashes.

Compiled here with gcc and clang, with sanitizers, and for AArch64, where a cross
compiler and QEMU's user emulation are installed (Debian: gcc-aarch64-linux-gnu,
qemu-user). With -O2, the least that makes gcc fuse, to save time.
"""

import platform
import runpy
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILD = runpy.run_path(str(ROOT / "setup.py"))
NATIVE = BUILD["MACHINE"]

pytestmark = pytest.mark.skipif(
    platform.system() not in ("Linux", "Darwin"), reason="needs a POSIX compiler driver"
)


def compile_driver(folder, compiler, machine, *extra):
    """The driver as a program in ``folder``, with the flags of the real build."""
    flags = [*BUILD["FLAGS"], "-O2", "-Werror", f"-I{ROOT / 'csrc'}", *extra]

    def compile_target(isa, options):
        source, made = str(ROOT / f"csrc/target_{isa}.c"), str(folder / f"{isa}.o")
        command = [compiler, *flags, "-ffp-contract=fast", *options, "-c", source, "-o", made]
        subprocess.run(command, check=True)
        return made

    targets = BUILD["TARGETS"].get(machine, {"baseline": []})
    with ThreadPoolExecutor() as pool:  # the compilers are processes of their own
        objects = list(pool.map(compile_target, targets, targets.values()))
    sources = [str(ROOT / source) for source in (*BUILD["CORE"], "tests/c/driver.c")]
    program = str(folder / "driver")
    subprocess.run(
        [compiler, *flags, "-ffp-contract=off", *sources, *objects, "-lm", "-o", program],
        check=True,
    )
    return program


def hashes(command):
    """{instruction set: (f32 hash, f64 hash)} as the driver prints them."""
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    lines = [line.split() for line in result.stdout.splitlines()]
    return {isa: (f32, f64) for isa, _, f32, _, f64 in lines}


@pytest.fixture(scope="module")
def native_hashes(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("no C compiler (cc)")
    return hashes([compile_driver(tmp_path_factory.mktemp("native"), "cc", NATIVE)])


def fused(found):
    """The hashes of the instruction sets with fused multiply-add."""
    return {isa: pair for isa, pair in found.items() if isa != "baseline"}


def test_all_instruction_sets_with_fma_train_to_the_same_bits(native_hashes):
    assert len(set(fused(native_hashes).values())) <= 1
    every = [value for pair in native_hashes.values() for value in pair]
    assert len(set(every)) > 1  # the hash sees a difference where there is one


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_another_compiler_gives_the_same_bits(compiler, native_hashes, tmp_path):
    found = shutil.which(compiler)
    if not found:
        pytest.skip(f"no {compiler}")
    if Path(found).resolve() == Path(shutil.which("cc")).resolve():
        pytest.skip(f"{compiler} is cc, whose bits these are")
    assert hashes([compile_driver(tmp_path, compiler, NATIVE)]) == native_hashes


def test_neon_gives_the_bits_of_avx2(native_hashes, tmp_path):
    compiler, emulator = "aarch64-linux-gnu-gcc", "qemu-aarch64"
    missing = [tool for tool in (compiler, emulator) if not shutil.which(tool)]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)}")
    found = hashes([emulator, compile_driver(tmp_path, compiler, "aarch64", "-static")])
    assert set(found) == {"neon"}
    if not fused(native_hashes):
        pytest.skip("this processor has no fused multiply-add to compare with")
    assert found["neon"] in fused(native_hashes).values()


def test_address_and_undefined_behaviour_sanitizers_find_nothing(native_hashes, tmp_path):
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    (tmp_path / "probe.c").write_text("int main(void) { return 0; }\n")
    probe = ["cc", *sanitize, str(tmp_path / "probe.c"), "-o", str(tmp_path / "probe")]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("cc has no sanitizer runtime")
    # With -O1, for sanitizers make the rest slow; gcc fuses nothing then.
    found = hashes([compile_driver(tmp_path, "cc", NATIVE, *sanitize, "-O1")])
    assert set(found) == set(native_hashes)
    assert found.get("baseline") == native_hashes.get("baseline")
