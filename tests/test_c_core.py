"""The C core without Python: tests/c/driver.c trains in every way and prints hashes.

Compiled here with gcc and clang, with sanitizers, and for AArch64, where a cross
compiler and QEMU's user emulation are installed (Debian: gcc-aarch64-linux-gnu,
qemu-user). The first is optimised as the package is, the others with -O2, the least that
makes gcc fuse, to save time. A processor without AVX-512 runs its kernels with emulated
instructions.
"""

import platform
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = runpy.run_path(str(Path(__file__).parent / "c/build.py"))
build_driver, NATIVE = BUILD["build_driver"], BUILD["NATIVE"]

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(
        platform.system() not in ("Linux", "Darwin"), reason="needs a POSIX compiler driver"
    ),
]

THREADS = ("1", "2", "3")


def hashes(command):
    """{(instruction set, way, threads): hashes} as the driver prints them."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    return {(isa, way, threads): tuple(rest[1::2]) for isa, way, threads, *rest in lines}


def ways(found):
    """{instruction set: its ways}, the best last; each ran on every number of threads."""
    isas, pairs = [isa for isa, _, _ in found], {(isa, way) for isa, way, _ in found}
    assert set(found) == {(*pair, threads) for pair in pairs for threads in THREADS}
    assert (isas[-1], "large") in pairs
    return {isa: {way for other, way in pairs - {(isa, "large")} if other == isa} for isa in isas}


def of_jobs(found, *, baseline):
    """The hashes of the baseline, or of the sets with fused multiply-add, each once."""
    return {
        pair
        for (isa, way, _), pair in found.items()
        if way != "large" and (isa == "baseline") == baseline
    }


def fused(found):
    return of_jobs(found, baseline=False)


def large(found):
    """The hashes of the large layer, each once."""
    return {only for (_, way, _), only in found.items() if way == "large"}


@pytest.fixture(scope="module")
def native_hashes(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("no C compiler (cc)")
    return hashes([build_driver(tmp_path_factory.mktemp("native"), "cc", NATIVE)])


def test_all_ways_threads_and_instruction_sets_with_fma_train_to_the_same_bits(native_hashes):
    for isa, found in ways(native_hashes).items():
        assert found == {"dense", "columns"} | ({"masks"} if isa == "avx512" else set())
    assert len(fused(native_hashes)) <= 1


def test_all_numbers_of_threads_train_a_large_layer_to_the_same_bits(native_hashes):
    assert len(large(native_hashes)) == 1


def test_all_ways_and_threads_of_the_baseline_train_to_the_same_bits(native_hashes):
    baseline = of_jobs(native_hashes, baseline=True)
    if not baseline:
        pytest.skip("all instruction sets of this machine have fused multiply-add")
    assert len(baseline) == 1


def test_the_hash_sees_a_difference_where_there_is_one(native_hashes):
    assert len({value for pair in native_hashes.values() for value in pair}) > 1


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_another_compiler_gives_the_same_bits(compiler, native_hashes, tmp_path):
    found = shutil.which(compiler)
    if not found:
        pytest.skip(f"no {compiler}")
    if Path(found).resolve() == Path(shutil.which("cc")).resolve():
        pytest.skip(f"{compiler} is cc, whose bits these are")
    assert hashes([build_driver(tmp_path, compiler, NATIVE, "-O2")]) == native_hashes


def test_neon_gives_the_bits_of_avx2(native_hashes, tmp_path):
    compiler, emulator = "aarch64-linux-gnu-gcc", "qemu-aarch64"
    missing = [tool for tool in (compiler, emulator) if not shutil.which(tool)]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)}")
    found = hashes([emulator, build_driver(tmp_path, compiler, "aarch64", "-O2", "-static")])
    assert ways(found) == {"neon": {"dense", "columns"}}
    assert len(fused(found)) == 1
    if not fused(native_hashes):
        pytest.skip("this processor has no fused multiply-add to compare with")
    assert fused(found) == fused(native_hashes)
    assert large(found) == large(native_hashes)


def test_emulated_avx512_gives_the_bits_of_avx2_masks_included(native_hashes, tmp_path):
    if "avx2" not in ways(native_hashes):
        pytest.skip("this processor has no AVX2 to emulate AVX-512 with")
    if "avx512" in ways(native_hashes):
        pytest.skip("this processor has AVX-512 itself, which the tests above have run")
    found = hashes([build_driver(tmp_path, "cc", NATIVE, "-O2", emulate_avx512=True)])
    assert ways(found)["avx512"] == {"dense", "columns", "masks"}
    assert fused(found) == fused(native_hashes)
    assert large(found) == large(native_hashes)


@pytest.fixture(scope="module")
def debug_driver(tmp_path_factory):
    """The driver with FN_ASSERT on."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler (cc)")
    return build_driver(tmp_path_factory.mktemp("debug"), "cc", NATIVE, "-O2", "-DFN_DEBUG")


def test_no_contract_is_broken_in_a_debug_build(native_hashes, debug_driver):
    """Sizes, alignments, capacities, and nothing written behind an array."""
    assert hashes([debug_driver]) == native_hashes


BROKEN_CALLS = {
    "softmax alignment": "fn_is_aligned(z) && fn_is_aligned(a)",
    "softmax overlap": "a == z || fn_are_apart(a, ",
    "activate overlap": "a == z || fn_are_apart(a, ",
    "activate slope": "!slope || fn_are_apart(slope, ",
    "output_error alignment": "fn_is_aligned(a) && fn_is_aligned(y) && fn_is_aligned(delta)",
    "output_error overlap": "fn_are_apart(delta, bytes, a, bytes) && ",
    "output_error weights": "fn_weights_hold(weights, m)",
    "cost_sum alignment": "fn_is_aligned(z) && fn_is_aligned(y) && ",
    "cost_sum weights": "fn_is_aligned(z) && fn_is_aligned(y) && fn_weights_hold(weights, m)",
    "next": "left > 0 && most > 0",
    "compress form": "fn_compressed_holds(dense, ",
    "compress inputs": "fn_compressed_holds(dense, ",
    "compress columns": "fn_compressed_holds(dense, ",
    "plan layers": "L >= 1 && in->threads >= 1",
    "plan threads": "L >= 1 && in->threads >= 1",
    "plan sizes": "in->network->sizes[l] >= 1",
    "plan m": "in->call != FN_CALL_TRAIN || (in->m >= 1 && in->training)",
    "train targets": "fn_targets_hold(examples, ",
    "train targets type": "fn_targets_hold(examples, ",
    "gradient targets": "fn_targets_hold(examples, ",
    "evaluate targets": "fn_targets_hold(examples, ",
}


@pytest.mark.parametrize("call", BROKEN_CALLS)
def test_a_call_that_breaks_its_contract_ends_the_debug_driver(call, debug_driver):
    command = [debug_driver, "broken", call]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode < 0
    expected = re.escape(f"expected {BROKEN_CALLS[call]}")
    assert re.search(rf"^fastnet: .*:\d+: {expected}", done.stderr)


def test_the_order_of_the_optimizers_changes_no_bits(native_hashes, tmp_path, monkeypatch):
    """Only the plan says how a gradient is used: with the plain optimizer's row the last, on the
    first instruction set."""
    isa, flags = next(iter(BUILD["targets"](NATIVE).items()))
    monkeypatch.setitem(build_driver.__globals__["SETUP"]["TARGETS"], NATIVE, {isa: flags})
    for folder in ("csrc", "tests/c"):
        shutil.copytree(BUILD["ROOT"] / folder, tmp_path / folder)
    dispatch, rows = tmp_path / "csrc/core/dispatch.c", tmp_path / "csrc/api/optimizers.def"
    dispatch.write_text(dispatch.read_text().replace("defined(__x86_64__)", "0"))
    parts = re.split(r"(?<=\n)(?=OPTIMIZER\(PLAIN|/\* v = mu v)", rows.read_text(), maxsplit=2)
    legend, plain, others = parts
    assert plain.startswith("OPTIMIZER(PLAIN")
    rows.write_text(legend + others + plain)
    found = hashes([build_driver(tmp_path, "cc", NATIVE, "-O2", "-DFN_DEBUG", root=tmp_path)])
    trained = [key for key in found if key[1] != "large"]  # which only the last of several does
    assert {way for _, way, _ in trained} == {"dense", "columns"}
    assert all(found[key] == native_hashes[key] for key in trained)


# Each writes or says something that a contract forbids.
BROKEN = {
    "a guard was overwritten": (
        "fn_arena a = {.memory = memory, .guards = FN_FILL_GUARDS};"
        "char *array = fn_arena_alloc(&a, 60); array[64] = 0;"
        "a = (fn_arena){.memory = memory, .guards = FN_CHECK_GUARDS}; fn_arena_alloc(&a, 60);",
        r"csrc/core/arena\.h:\d+: expected \(unsigned char\)guard\[i\] == FN_GUARD",
    ),
    "memory is not aligned": (
        "fn_arena a = {.memory = memory + 8}; fn_arena_alloc(&a, 60);",
        r"csrc/core/arena\.h:\d+: expected \(uintptr_t\)arena->memory % 64 == 0",
    ),
    "columns do not ascend": (
        "uint16_t columns[] = {1, 1}; int64_t offsets[] = {0, 2}; float values[2];"
        "fn_examples e = {.n = 1, .inputs = values, .inputs_type = FN_F32, .offsets = offsets,"
        " .longest = 2, .columns = columns, .columns_type = FN_U16};"
        "FN_ASSERT(fn_examples_hold(&e, 5));",
        r"expected fn_examples_hold\(&e, 5\)",
    ),
    "a row is longer than the longest": (
        "uint16_t columns[] = {1, 2}; int64_t offsets[] = {0, 2}; float values[2];"
        "fn_examples e = {.n = 1, .inputs = values, .inputs_type = FN_F32, .offsets = offsets,"
        " .longest = 1, .columns = columns, .columns_type = FN_U16};"
        "FN_ASSERT(fn_examples_hold(&e, 5));",
        r"expected fn_examples_hold\(&e, 5\)",
    ),
    "masks have more bits than values": (
        "uint64_t masks[] = {7}; int64_t offsets[] = {0, 2}; float values[40];"
        "fn_examples e = {.n = 1, .inputs = values, .inputs_type = FN_F32, .offsets = offsets,"
        " .longest = 2, .masks = masks};"
        "FN_ASSERT(fn_examples_hold(&e, 5));",
        r"expected fn_examples_hold\(&e, 5\)",
    ),
    "an order names an example that is not there": (
        "int64_t order[] = {0, 3}; FN_ASSERT(fn_order_holds(order, 2, 3));",
        r"expected fn_order_holds\(order, 2, 3\)",
    ),
    "a step has no plan": (
        "fn_plan plan = {.steps = {{.m = 10}, {.m = 3}}}; fn_step_of(&plan, 4);",
        r"csrc/core/plan\.h:\d+: expected step < plan->steps \+ FN_STEPS",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler (cc)")
def test_a_broken_contract_ends_a_debug_build_and_is_named(case, tmp_path):
    body, message = BROKEN[case]
    root = BUILD["ROOT"]
    (tmp_path / "broken.c").write_text(
        '#include "core/arena.h"\n#include "core/contracts.h"\n#include "core/plan.h"\n'
        "static _Alignas(64) char memory[4096];\n"
        f"int main(void) {{ (void)memory; {body} return 0; }}\n"
    )
    sources = [tmp_path / "broken.c", root / "csrc/core/check.c", root / "csrc/core/rows.c"]
    command = ["cc", "-std=c11", f"-I{root / 'csrc'}", *sources, "-o", tmp_path / "broken"]
    subprocess.run([*command, "-DFN_DEBUG"], check=True)
    result = subprocess.run([tmp_path / "broken"], capture_output=True, text=True, check=False)
    assert result.returncode < 0
    assert re.search(f"^fastnet: .*{message}$", result.stderr, re.MULTILINE)


@pytest.fixture
def sanitized(tmp_path):
    """The driver with a sanitizer, as a function of that and of ``build_driver``'s options."""

    def build(sanitizer, *options, **more):
        sanitize = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"]
        probe = [str(tmp_path / "probe.c"), "-o", str(tmp_path / "probe")]
        (tmp_path / "probe.c").write_text("int main(void) { return 0; }\n")
        for command in (["cc", *sanitize, *probe], probe[-1:]):
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip(f"cc has no runtime for -fsanitize={sanitizer} that works here")
        return build_driver(tmp_path, "cc", NATIVE, *sanitize, *options, **more)

    return build


def test_addresses_and_arithmetic_are_sound(sanitized, native_hashes):
    isas = set(ways(native_hashes))
    emulate = "avx2" in isas and "avx512" not in isas
    # -O0, since compilers are slow with this. Nothing is fused then, so that all instruction
    # sets give the bits of the baseline.
    found = hashes([sanitized("address,undefined", "-O0", emulate_avx512=emulate)])
    assert set(ways(found)) == isas | ({"avx512"} if emulate else set())
    if "baseline" in isas:
        assert native_hashes["baseline", "dense", "1"] == found["baseline", "dense", "1"]


def test_threads_do_not_race(sanitized, native_hashes):
    best = list(ways(native_hashes))[-1]  # what threads share, they share in all alike
    found = hashes([sanitized("thread", "-O1"), best])
    assert ways(found) == {best: ways(native_hashes)[best]}
    assert len(set(found.values()) - large(found)) == len(large(found)) == 1
