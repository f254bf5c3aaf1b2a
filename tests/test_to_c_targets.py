"""Exported networks, compiled for this machine, AArch64 and Cortex-M and run there, on QEMU where
it must be: a handful of networks that have every pair of a hidden kind and an output kind."""

import copy
import itertools
import re
import subprocess

import c_targets
import numpy as np
import pytest
from c_targets import TARGETS

import fastnet
from fastnet.convert import c_int8
from fastnet.nn import activations, costs

C99 = ("-std=c99",)
CXX = ("-x", "c++", "-std=c++11")
BUILDS = {
    **{f"{name}, C99": (name, C99) for name in TARGETS},
    **{f"{name}, C++": (name, CXX) for name in TARGETS if name != "aarch64"},
}
LEVELS = ("-O0", "-O1", "-O2", "-Os")
DTYPES = ("float32", "float64")
EXAMPLES = 4


def cost_of(output):
    """A cost with which there are such outputs."""
    return next(cost for cost in costs.COSTS if output in cost.errors)


def network(sizes, hidden, output, dtype="float32", **more):
    """A network whose neurons are neither all saturated nor all alike."""
    net = fastnet.Network(
        sizes, cost_of(output), output=output, hidden=hidden, dtype=dtype, seed=3, **more
    )
    random = np.random.default_rng(5)
    for w, b in zip(net.weights, net.biases, strict=True):
        w[:] *= 1.5
        b[:] = random.normal(scale=0.3, size=b.shape)
    return net


def inputs_of(net, low=None):
    random = np.random.default_rng(7)
    return random.normal(size=(EXAMPLES, net.sizes[0])).astype(net.weights[0].dtype)


def all_kinds():
    """{name: network}: every output after two rows of hidden layers that have all kinds."""
    hidden = [*activations.HIDDEN, fastnet.LeakyReLU(0.3)]
    halves = hidden[::2], hidden[1::2]
    widths = itertools.cycle([7, 16, 5, 21, 18, 6])
    made = {}
    for o, output in enumerate(activations.OUTPUTS):
        for h, half in enumerate(halves):
            sizes = [6, *(next(widths) for _ in half), (3, 5, 1, 17)[(o + 2 * h) % 4]]
            dtype = DTYPES[(o + h) % 2]
            made[f"{output} {h}, {dtype}"] = network(sizes, half, output, dtype)
    return made


NETWORKS = all_kinds()
INT8 = ("linear 0, float32", "softmax 0, float64", "exponential 1, float32")


def build_of(name):
    target, language = TARGETS[BUILDS[name][0]], BUILDS[name][1]
    if target.missing:
        pytest.skip(target.missing)
    return target, language


def bounds_in(source, shape):
    """The bounds of errors that the self-test in the file has."""
    text = source.read_text(encoding="utf-8")
    numbers = re.search(r"net_test_bounds\[[^=]*= \{([^}]*)\}", text).group(1)
    return np.array([float(each) for each in numbers.split(",") if each.strip()]).reshape(shape)


def exported(net, X, folder, **options):
    source = folder / "net.c"
    net.to_c(source, examples=X, **options)
    return source


def compiled_outputs(target, language, level, source, net, X):
    real = "float" if X.itemsize == 4 else "double"
    call = c_targets.Call(f"void net(const {real} *x, {real} *a);")
    if "c++" in language and target.bare:
        language = (*language, "-fno-exceptions")
    return c_targets.outputs(
        target, source, source.parent, X, net.sizes[-1], level, call=call, language=language
    )


def rounded_outputs(net, X):
    """The outputs with weights of 8 bits, computed by NumPy."""
    rows = [np.vstack([b.T, w.T]) for w, b in zip(net.weights, net.biases, strict=True)]
    names = [*net.hidden, net.output]
    kinds = [activations.ACTIVATIONS[kind] if isinstance(kind, str) else kind for kind in names]
    return c_int8.outputs([c_int8.rounded(each) for each in rows], kinds, X)


def check_outputs(build, level, net, X, folder):
    target, language = build_of(build)
    source = exported(net, X, folder)
    outputs = compiled_outputs(target, language, level, source, net, X)
    predict = net.predictor()
    expected = np.array([predict(x).copy() for x in X])
    assert np.ptp(expected, axis=0).min() > 0
    if target.fuses(X.dtype):
        np.testing.assert_array_equal(outputs, expected)
    bounds = bounds_in(source, expected.shape)
    assert (np.abs(outputs.astype(float) - expected) <= bounds).all()
    assert (bounds / np.abs(expected).max()).max() < (5e-3 if X.itemsize == 4 else 5e-12)


@pytest.mark.thorough
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("build", BUILDS)
def test_every_compiler_and_processor_gives_the_outputs_of_the_predictor(build, level, tmp_path):
    """Their bits where the processor has fused multiply-add, else within the stated bound; the
    networks take turns."""
    turn = 3 * list(BUILDS).index(build) + LEVELS.index(level)
    name = list(NETWORKS)[turn % len(NETWORKS)]
    net = NETWORKS[name]
    check_outputs(build, level, net, inputs_of(net), tmp_path)


@pytest.mark.thorough
@pytest.mark.covering(1)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", INT8)
def test_weights_of_8_bits_give_the_same_outputs_everywhere_within_the_stated_bound(
    name, build, level, tmp_path
):
    """The reference is the same arithmetic in NumPy."""
    net, (target, language) = NETWORKS[name], build_of(build)
    X = inputs_of(net)
    source = exported(net, X, tmp_path, int8=True)
    outputs = compiled_outputs(target, language, level, source, net, X)
    expected = rounded_outputs(net, X)
    bounds = bounds_in(source, expected.shape)
    assert (np.abs(outputs.astype(float) - expected) <= bounds).all()
    assert (bounds / np.abs(expected).max()).max() < 0.1
    # Most inputs are rounded alike everywhere, so that outputs are usually much closer.
    assert np.median(np.abs(outputs - expected) / np.abs(expected)) < 1e-4


@pytest.mark.thorough
@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("name", ["gcc", "aarch64", "cortex-m0", "cortex-m4"])
def test_the_self_test_in_the_file_ends_with_its_verdict(name, int8, tmp_path):
    target = TARGETS[name]
    if target.missing:
        pytest.skip(target.missing)
    net = NETWORKS["linear 0, float32"]
    source = exported(net, inputs_of(net), tmp_path, int8=int8)
    assert self_test_status(target, source) == 0
    net = copy.deepcopy(net)
    net.biases[-1] = net.biases[-1] + 0.1
    (tmp_path / "other").mkdir()
    other = exported(net, inputs_of(net), tmp_path / "other", int8=int8)
    source.write_text(with_test_of(source, other), encoding="utf-8")
    assert self_test_status(target, source) == 1


def with_test_of(source, other):
    """The text of a file with the expected outputs of another one."""
    texts = [file.read_text(encoding="utf-8") for file in (source, other)]
    found = [re.search(r"net_test_outputs\[[^=]*= \{[^}]*\}", text).group() for text in texts]
    assert found[0] != found[1]
    return texts[0].replace(*found)


def self_test_status(target, source):
    made = source.with_suffix(".test")
    options = ("-std=c99", "-O2", "-ffp-contract=fast", "-DNET_SELF_TEST")
    include = f"-I{c_targets.C}"
    c_targets.run(target(*options, include, source, *target.link, "-o", made))
    return subprocess.run([*target.emulator, made], capture_output=True, check=False).returncode


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_the_outputs_of_the_predictor_when_compiled_with_gcc(name, tmp_path):
    net = NETWORKS[name]
    fma = "gcc-fma, C99" if "gcc-fma, C99" in BUILDS else "gcc, C99"
    check_outputs(fma, "-O2", net, inputs_of(net), tmp_path)


def test_the_networks_have_every_pair_of_a_hidden_and_an_output_kind():
    found = set()
    for net in NETWORKS.values():
        names = {kind if isinstance(kind, str) else kind.name for kind in net.hidden}
        found |= {(name, net.output) for name in names}
    assert found == set(itertools.product(activations.HIDDEN, activations.OUTPUTS))


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("name", ["linear 0, float32", "softmax 0, float64"])
def test_the_comment_has_the_bytes_that_a_cortex_m_needs(name, int8, tmp_path):
    """Constants are counted in the object file; the stack is measured by painting it, at -Os. The
    functions save registers and keep temporary numbers on it, too."""
    target = TARGETS["cortex-m7"]
    if target.missing:
        pytest.skip(target.missing)
    net = NETWORKS[name]
    X = inputs_of(net)
    source = exported(net, X, tmp_path, int8=int8)
    text = source.read_text(encoding="utf-8")
    constants, arrays = (
        int(re.search(rf"{word} +([\d,]+) bytes", text).group(1).replace(",", ""))
        for word in ("Constants", "Stack")
    )
    made = c_targets.compile_object(target, source, tmp_path / "net.o", "-Os", "-fdata-sections")
    sections = {
        line.split()[0]: int(line.split()[1])
        for line in c_targets.run(["arm-none-eabi-size", "-A", made]).splitlines()
        if line.startswith(".")
    }
    tables = sum(n for section, n in sections.items() if section.startswith(".rodata.net"))
    assert tables == constants
    assert sections[".data"] == sections[".bss"] == 0
    call = c_targets.Call("void net(const real *x, real *a);", function="net")
    c_targets.write_case(tmp_path, call, X, net.sizes[-1])
    program = c_targets.program_of(target, tmp_path, [made], "-Os")
    stack = c_targets.outputs_of(target, program, X.dtype, net.sizes[-1])[1]["stack"]
    assert arrays <= stack <= arrays + 300


@pytest.mark.thorough
@pytest.mark.covering(1)
@pytest.mark.parametrize("options", [{}, {"int8": True}, {"jacobian": True}], ids=str)
@pytest.mark.parametrize("name", [*NETWORKS, "4-16-2", "8-64-64-4", "784-30-10"])
def test_the_comment_bounds_the_bytes_of_code_of_a_cortex_m(name, options, tmp_path):
    target = TARGETS["cortex-m7"]
    if target.missing:
        pytest.skip(target.missing)
    if name in NETWORKS:
        net = NETWORKS[name]
    else:
        net = network([int(n) for n in name.split("-")], "sigmoid", "softmax")
    source = exported(net, inputs_of(net), tmp_path, **options)
    stated = re.search(r"Code +([\d,]+) bytes", source.read_text(encoding="utf-8")).group(1)
    made = c_targets.compile_object(target, source, tmp_path / "net.o", "-Os")
    lines = [
        line.split() for line in c_targets.run(["arm-none-eabi-size", "-A", made]).splitlines()
    ]
    code = sum(int(line[1]) for line in lines if line and line[0].startswith(".text"))
    assert code <= int(stated.replace(",", "")) <= 1.6 * code


def test_the_file_calls_no_library_but_for_memcpy_and_arithmetic(tmp_path):
    target = TARGETS["cortex-m0"]
    if target.missing:
        pytest.skip(target.missing)
    for net in NETWORKS.values():
        source = exported(net, inputs_of(net), tmp_path)
        made = c_targets.compile_object(target, source, tmp_path / "net.o", "-O0")
        lines = c_targets.run(["arm-none-eabi-nm", "-u", made]).splitlines()
        called = {line.split()[1] for line in lines}
        assert {name for name in called if not name.startswith("__")} <= {"memcpy", "memset"}
        assert called
