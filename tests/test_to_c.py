"""Network.to_c: the compiled file computes what the network computes."""

import contextlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from exported_c import (
    EXACT,
    FMA,
    HAS_FMA,
    WARNINGS,
    compiled,
    jacobians,
    needs_cc,
    outputs,
    run,
    self_test,
)

import fastnet
from fastnet.convert import c_bounds, c_functions, c_source
from fastnet.network import model_of
from fastnet.nn import activations
from fastnet.nn.activations import ACTIVATIONS
from fastnet.nn.costs import COSTS

pytestmark = needs_cc
exact = pytest.mark.skipif(not HAS_FMA, reason="no fused multiply-add to compare with")


def network(sizes, *, output="linear", seed=1, factor=1.0, **options):
    """A network whose output layer is of this kind; its weights are larger by a factor."""
    cost = next(cost for cost in COSTS if output in cost.errors)
    options = {"initializer": "default", **options}  # whose biases are not 0
    net = fastnet.Network(sizes, cost, output=output, seed=seed, **options)
    for l, w in enumerate(net.weights):
        net.weights[l] = w * factor
    return net


def examples(net, n=40, seed=2):
    """Inputs, some of them 0."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, net.sizes[0])) * random.choice([0.01, 1, 1, 4], (n, 1))
    X[random.random(X.shape) < 0.2] = 0
    return X.astype(net.dtype)


def predicted(net, X):
    predict = net.predictor()
    return np.array([predict(x).copy() for x in X])


def exported(net, tmp_path, *options, **arguments):
    """The compiled network."""
    path = tmp_path / "net.c"
    net.to_c(path, **arguments)
    return compiled(path, *(options or EXACT))


def same_bits(found, expected):
    assert found.dtype == expected.dtype
    of = np.uint32 if found.dtype == np.float32 else np.uint64
    np.testing.assert_array_equal(found.view(of), expected.view(of))


# ---- values


@pytest.mark.thorough
@pytest.mark.covering(1)
@exact
def test_every_hidden_kind_has_the_bits_of_the_predictor(kind, dtype, tmp_path):
    net = network([5, 19, 6, 3, 2], hidden=kind, dtype=dtype, factor=2.0)
    X = examples(net)
    expected = predicted(net, X)
    assert np.ptp(expected, axis=0).min() > 0.01
    same_bits(outputs(exported(net, tmp_path), X, 2), expected)


@pytest.mark.thorough
@pytest.mark.covering(1)
@exact
@pytest.mark.parametrize("output", activations.OUTPUTS)
@pytest.mark.parametrize("n_out", [1, 3, 4, 11])
def test_every_output_kind_has_the_bits_of_the_predictor(output, n_out, dtype, tmp_path):
    net = network([3, 4, n_out], output=output, dtype=dtype, factor=3.0)
    X = examples(net)
    expected = predicted(net, X)
    assert (output, n_out) == ("softmax", 1) or np.ptp(expected) > 0.1
    same_bits(outputs(exported(net, tmp_path), X, n_out), expected)


@pytest.mark.thorough
@exact
@pytest.mark.parametrize("sizes", [(1, 1), (2, 17), (31, 5, 16), (4, 15, 33, 7), (3, 2, 1, 2, 3)])
def test_all_sizes_of_layers_have_the_bits_of_the_predictor(sizes, dtype, tmp_path):
    net = network(sizes, hidden="tanh", dtype=dtype)
    X = examples(net)
    same_bits(outputs(exported(net, tmp_path), X, sizes[-1]), predicted(net, X))


@pytest.mark.thorough
@pytest.mark.covering(1)
@exact
def test_saturated_neurons_have_the_bits_of_the_predictor(kind, dtype, tmp_path):
    """Also where the kernels count a subnormal result as zero."""
    net = fastnet.Network([1, 1, 1], "quadratic", output="linear", hidden=kind, dtype=dtype, seed=1)
    net.weights, net.biases = [[[1.0]], [[1.0]]], [[[0.0]], [[0.0]]]
    X = np.concatenate([sign * np.geomspace(1e-30, 1e30, 3000) for sign in (-1, 1)])
    X = np.concatenate([X, np.linspace(-110, 110, 4001), np.linspace(-760, -700, 601)])
    X = X[:, None].astype(dtype)
    same_bits(outputs(exported(net, tmp_path), X, 1), predicted(net, X))


@pytest.mark.thorough
@exact
@pytest.mark.parametrize("output", activations.OUTPUTS)
def test_saturated_outputs_have_the_bits_of_the_predictor(output, dtype, tmp_path):
    net = network([1, 3], output=output, dtype=dtype)
    net.weights, net.biases = [[[1.0], [-0.5], [0.25]]], [np.zeros((3, 1))]
    limit = 88 if dtype == "float32" else 700
    X = np.linspace(-2 * limit, 2 * limit, 4001)[:, None].astype(dtype)
    with np.errstate(over="ignore"):
        expected = predicted(net, X)
    same_bits(outputs(exported(net, tmp_path), X, 3), expected)


@exact
def test_subnormal_weights_count_as_zero(tmp_path):
    net = network([2, 3, 1])
    weights = np.full((3, 2), 1e-39, np.float32)
    weights[0] = 1
    net.weights[0], net.biases[0] = weights, np.full((3, 1), -1e-40, np.float32)
    net.weights[1] = np.full((1, 3), 1e-3, np.float32)
    X = np.array([[1e3, 1.0], [1e30, -1e30], [0, 0]], np.float32)
    same_bits(outputs(exported(net, tmp_path), X, 1), predicted(net, X))


@pytest.mark.thorough
@exact
@pytest.mark.parametrize("flags", ["-O0", "-O1", "-O3", "-Os"])
def test_every_optimization_has_the_bits_of_the_predictor(flags, dtype, tmp_path):
    net = network([7, 18, 5, 2], hidden=["gelu", "sigmoid"], output="softmax", dtype=dtype)
    X = examples(net)
    library = exported(net, tmp_path, *EXACT, flags)
    same_bits(outputs(library, X, 2), predicted(net, X))


@pytest.mark.thorough
@pytest.mark.covering(1)
@exact
def test_clang_has_the_bits_of_the_predictor(kind, dtype, tmp_path):
    if not shutil.which("clang"):
        pytest.skip("no clang")
    net = network([7, 18, 5, 2], hidden=kind, output="softmax", dtype=dtype)
    X = examples(net)
    net.to_c(tmp_path / "net.c")
    library = compiled(tmp_path / "net.c", *EXACT, compiler="clang")
    same_bits(outputs(library, X, 2), predicted(net, X))


# ---- what is done to inputs


@exact
def test_the_inputs_of_a_table_are_its_encoded_columns_which_the_comment_names(tmp_path):
    rows = [
        {"color": ["red", "blue*/"][i % 2], "size": i % 7, "y": i % 5 + i % 2} for i in range(60)
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    net = fastnet.fit_table(columns, target="y", task="regression").net
    assert net.features == ("color=blue*/", "color=red", "size")
    library = exported(net, tmp_path)
    X = np.array([[0, 1, 4], [1, 0, 2.5]], net.dtype)
    same_bits(outputs(library, X, 1), predicted(net, X))
    comment = " ".join((tmp_path / "net.c").read_text().split("*/")[0].split())
    assert "color=blue* /; x[1]" in comment.replace(" * ", " ")
    assert "x[2] size." in comment.replace(" * ", " ")


@pytest.mark.thorough
@exact
@pytest.mark.parametrize("scale", [1 / 256, 1 / 255, 3.0, 0.0])
def test_the_scale_of_bytes_is_inside(scale, dtype, tmp_path):
    net = network([9, 5, 3], dtype=dtype)
    X = np.random.default_rng(3).integers(0, 256, (30, 9)).astype(np.uint8)
    net.SGD(fastnet.Dataset(X, np.zeros((30, 3)), scale), 1, 10, 1e-9, verbose=False)
    assert net.input_scale == scale
    library = exported(net, tmp_path, jacobian=True)
    same_bits(outputs(library, X.astype(dtype), 3), predicted(net, X))
    unscaled = X.astype(np.float64) * scale
    found = outputs(exported(net, tmp_path, scale=1), unscaled.astype(dtype), 3)
    same_bits(found, predicted(net, unscaled.astype(dtype)))


@exact
@pytest.mark.parametrize("scale", [None, 1 / 255])
def test_the_standardization_is_inside(scale, dtype, tmp_path):
    random = np.random.default_rng(4)
    X = random.integers(0, 256, (30, 5)).astype(np.uint8)
    inputs = fastnet.Standardize.fit(X if scale is None else fastnet.Dataset(X, X[:, 0] % 2, scale))
    net = network([5, 6, 3], inputs=inputs, dtype=dtype, hidden="tanh")
    if scale is not None:
        net.SGD(fastnet.Dataset(X, np.zeros((30, 3)), scale), 1, 10, 1e-9, verbose=False)
    expected = predicted(net, X)
    assert np.ptp(expected, axis=0).min() > 0.01
    same_bits(outputs(exported(net, tmp_path), X.astype(dtype), 3), expected)


# ---- without fused multiply-add


@pytest.mark.thorough
@pytest.mark.covering(1)
@pytest.mark.parametrize("flags", ["-O0", "-O2"])
def test_without_fused_multiply_add_the_outputs_are_within_the_bound(kind, flags, dtype, tmp_path):
    net = network([40, 30, 6, 3], hidden=kind, dtype=dtype, output="softmax")
    X = examples(net, 200)
    source = c_source.Source(model_of(net), "net", 1.0, False)
    bounds = c_bounds.differences(source, X)
    library = exported(net, tmp_path, "-std=c99", flags, "-ffp-contract=off")
    difference = np.abs(outputs(library, X, 3).astype(np.float64) - predicted(net, X))
    assert difference.max() > 0
    assert (difference <= bounds).all()
    assert bounds.max() < 1e5 * np.finfo(net.dtype).eps


INEXACT = {
    "gcc -ffast-math": ("gcc", "-O2", "-ffast-math"),
    "gcc -Ofast with FMA": ("gcc", "-Ofast", *FMA),
    "clang -ffast-math": ("clang", "-O2", "-ffast-math"),
    "x87": ("gcc", "-O2", "-mfpmath=387"),
    "not gcc": ("clang", "-O2", "-U__GNUC__", "-ffp-contract=fast", *FMA),
}


@pytest.mark.thorough
@pytest.mark.covering(1)
@pytest.mark.parametrize("build", INEXACT)
def test_options_that_change_the_arithmetic_keep_the_outputs_within_the_bound(
    kind, build, dtype, tmp_path
):
    compiler, *flags = INEXACT[build]
    if not shutil.which(compiler) or (build == "x87" and not FMA):
        pytest.skip(f"no {build}")
    net = network([40, 30, 6, 3], hidden=kind, dtype=dtype, output="softmax")
    X = 3 * examples(net, 200)
    net.to_c(tmp_path / "net.c")
    library = compiled(tmp_path / "net.c", *flags, compiler=compiler)
    assert np.float64(5e-324) > 0  # the library left subnormal numbers on
    bounds = c_bounds.differences(c_source.Source(model_of(net), "net", 1.0, False), X)
    assert (np.abs(outputs(library, X, 3).astype(np.float64) - predicted(net, X)) <= bounds).all()


@pytest.mark.thorough
@pytest.mark.parametrize("output", activations.OUTPUTS)
def test_the_self_test_accepts_the_network_and_refuses_another(output, dtype, tmp_path):
    net = network([4, 9, 3], output=output, dtype=dtype)
    path = tmp_path / "net.c"
    net.to_c(path)
    status, equal, n, far = self_test(path, *EXACT)
    assert (status, n, far) == (0, 15, 0)
    assert equal == n or not HAS_FMA
    if HAS_FMA:
        assert self_test(path, *EXACT, "-DNET_SELF_TEST_EXACT") == (0, 15, 15, 0)
    text = path.read_text()
    number = re.search(r"net_layer_1\[45\] = \{\n +(\S+),", text)[1]
    path.write_text(text.replace(f"    {number},", "    9.5f,", 1))
    status, equal, n, far = self_test(path, *EXACT)
    assert status == 1
    assert far > 5


# ---- derivatives


def differences(net, X):
    """Central differences (n, n_out, n_in), of a float64 copy of the network."""
    wide = fastnet.Network(
        net.sizes, net.cost, output=net.output, dtype="float64", hidden=net.hidden,
        inputs=net.inputs,
    )  # fmt: skip
    wide.weights, wide.biases = net.weights, net.biases
    X = X.astype(np.float64)
    made, h = np.empty((len(X), net.sizes[-1], net.sizes[0])), 1e-5
    for i, step in enumerate(h * np.eye(net.sizes[0])):
        made[:, :, i] = (wide.feedforward(X + step) - wide.feedforward(X - step)) / (2 * h)
    return made


@pytest.mark.covering(1)
@pytest.mark.parametrize("sizes", [(3, 2), (4, 9, 3), (5, 7, 4, 3), (2, 3, 5, 3, 4)], ids=str)
def test_the_jacobian_of_every_hidden_kind_is_that_of_central_differences(
    kind, sizes, dtype, tmp_path
):
    net = network(sizes, hidden=kind, dtype=dtype, factor=1.5)
    X = examples(net, 12)
    a, j = jacobians(exported(net, tmp_path, jacobian=True), X, sizes[-1])
    expected = differences(net, X)
    assert np.abs(expected).max() > 0.01
    tolerance = 1e-5 if dtype == "float32" else 1e-8
    np.testing.assert_allclose(j, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(a, predicted(net, X), rtol=1e-5, atol=1e-5)


@pytest.mark.thorough
@pytest.mark.covering(1)
@pytest.mark.parametrize("output", activations.OUTPUTS)
@pytest.mark.parametrize("sizes", [(3, 4), (4, 6, 1), (4, 6, 3)], ids=str)
def test_the_jacobian_of_every_output_kind_is_that_of_central_differences(
    output, sizes, dtype, tmp_path
):
    net = network(sizes, output=output, hidden="tanh", dtype=dtype)
    X = examples(net, 12)
    _, j = jacobians(exported(net, tmp_path, jacobian=True), X, sizes[-1])
    tolerance = 1e-5 if dtype == "float32" else 1e-8
    np.testing.assert_allclose(j, differences(net, X), rtol=tolerance, atol=tolerance)


def test_the_jacobian_is_that_by_the_raw_inputs(dtype, tmp_path):
    random = np.random.default_rng(5)
    X = (random.normal(size=(30, 4)) * [1, 0.2, 5, 2] + 3).astype(dtype)
    inputs = fastnet.Standardize.fit(X)
    net = network([4, 6, 2], inputs=inputs, dtype=dtype, hidden="tanh", output="sigmoid")
    _, j = jacobians(exported(net, tmp_path, jacobian=True), X, 2)
    np.testing.assert_allclose(j, differences(net, X), rtol=1e-4, atol=1e-5)
    plain = network([4, 6, 2], dtype=dtype, hidden="tanh")
    a = np.array([[0.5, -1, 2, 0.25]], dtype)
    by_scaled = jacobians(exported(plain, tmp_path, jacobian=True), 3 * a, 2)[1]
    by_raw = jacobians(exported(plain, tmp_path, jacobian=True, scale=3.0), a, 2)[1]
    np.testing.assert_allclose(by_raw, 3 * by_scaled, rtol=1e-6)


# ---- the file


@pytest.mark.thorough
@pytest.mark.parametrize("language", [("-std=c99",), ("-x", "c++", "-std=c++11")], ids=str)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_file_is_c99_and_c_plus_plus_without_warnings(language, compiler, dtype, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    net = network(
        [6, 17, 3, 2], hidden=["gelu", "leaky-relu"], output="softmax", dtype=dtype,
        classes=['a "b"\\', "ja??/\n*/"], inputs=fastnet.Standardize(np.zeros(6), np.full(6, 2.0)),
    )  # fmt: skip
    X = examples(net, 3)
    net.to_c(tmp_path / "net.c", jacobian=True)
    for flags in ("-O0", "-Os"):
        library = compiled(tmp_path / "net.c", *language, flags, compiler=compiler)
        np.testing.assert_allclose(outputs(library, X, 2), predicted(net, X), rtol=1e-4)
        assert self_test(tmp_path / "net.c", *language, flags, compiler=compiler)[::3] == (0, 0)


def test_the_names_of_classes_are_a_table_for_the_program_that_includes_the_file(tmp_path):
    names = ['"quoted"', "back\\slash", "what??/", "*/", "grün", "line\nbreak"]
    network([3, 6], output="softmax", classes=names).to_c(tmp_path / "net.c")
    (tmp_path / "main.c").write_text(
        '#define NET_CLASSES\n#include "net.c"\n#include <stdio.h>\n'
        "int main(void)\n{\n    float x[net_n_in] = {1}, a[net_n_out];\n    net(x, a);\n"
        "    for (int i = 0; i < net_n_out; i++)\n"
        "        fwrite(net_classes[i], 1, strlen(net_classes[i]) + 1, stdout);\n    return 0;\n}\n"
    )
    run("cc", "-std=c99", *WARNINGS, tmp_path / "main.c", "-o", tmp_path / "main")
    assert run(tmp_path / "main").split("\0")[:-1] == names


def test_two_networks_fit_in_one_program(tmp_path):
    first, second = network([3, 8, 2], hidden="tanh"), network([4, 5, 1], hidden="tanh", seed=2)
    first.to_c(tmp_path / "one.c", "one")
    second.to_c(tmp_path / "two.c", "two")
    (tmp_path / "both.c").write_text('#include "one.c"\n#include "two.c"\n')
    library = compiled(tmp_path / "both.c", *EXACT)
    X, Y = examples(first), examples(second)
    np.testing.assert_allclose(outputs(library, X, 2, "one"), predicted(first, X), rtol=1e-4)
    np.testing.assert_allclose(outputs(library, Y, 1, "two"), predicted(second, Y), rtol=1e-4)


def test_only_the_functions_for_users_are_visible_and_nothing_is_called(tmp_path):
    if not shutil.which("nm"):
        pytest.skip("no nm")
    net = network([4, 16, 5], hidden="gelu", output="softmax")
    net.to_c(tmp_path / "net.c", jacobian=True)
    run("cc", *EXACT, "-fno-stack-protector", "-c", tmp_path / "net.c", "-o", tmp_path / "net.o")
    symbols = {tuple(line.split()[-2:]) for line in run("nm", tmp_path / "net.o").splitlines()}
    assert {name for kind, name in symbols if kind.isupper() and kind != "U"} <= {
        "net", "net_jacobian", *(name for kind, name in symbols if kind == "R")
    }  # fmt: skip
    assert {name for kind, name in symbols if kind == "T"} == {"net", "net_jacobian"}
    assert {name for kind, name in symbols if kind == "U"} <= {"memcpy"}
    assert not {name for kind, name in symbols if kind in "bBdDcC"}


def test_the_file_is_the_same_each_time_and_states_its_sizes(tmp_path):
    net = network([4, 16, 8, 2], hidden="relu")
    net.to_c(tmp_path / "one.c")
    net.to_c(tmp_path / "two.c")
    text = (tmp_path / "one.c").read_text()
    assert text == (tmp_path / "two.c").read_text()
    constants = 4 * (5 * 16 + 17 * 8 + 9 * 2)
    assert f"Constants     {constants:,} bytes" in text
    assert f"Stack         {4 * (16 + 8):,} bytes" in text
    assert f"Time          {4 * 16 + 16 * 8 + 8 * 2:,} multiply-adds and 26 act" in text
    declared = re.findall(r"static const float net_layer_\d\[(\d+)\]", text)
    assert 4 * sum(map(int, declared)) == constants
    assert max(map(len, text.splitlines())) <= 100


def test_the_statements_of_functions_are_indented(kind, tmp_path):
    network([4, 16, 2], hidden=kind, output="softmax").to_c(tmp_path / "net.c", jacobian=True)
    text = (tmp_path / "net.c").read_text()
    assert "\n\n\n" not in text
    bodies = re.findall(r"^\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    assert len(bodies) > 8
    lines = [line for body in bodies for line in body.splitlines()]
    assert all(line.startswith(("    ", "#")) for line in lines)


def test_gcc_keeps_its_vectors_as_wide_as_those_that_are_stored(tmp_path):
    """Reading two that were just stored as one larger vector takes longer than the sums of a small
    network."""
    if not FMA or not shutil.which("gcc") or int(run("gcc", "-dumpversion").split(".")[0]) < 12:
        pytest.skip("no gcc 12 with AVX")
    network([4, 16, 2], hidden="relu").to_c(tmp_path / "net.c")
    run("gcc", "-O2", "-mavx2", *FMA, "-S", tmp_path / "net.c", "-o", tmp_path / "net.s")
    made = (tmp_path / "net.s").read_text()
    assert "vfmadd" in made
    assert "%ymm" not in made


# ---- arguments


@pytest.mark.parametrize(
    "name", [*("int", "class", "constexpr", "main", "exp", "memcpy", "uint32_t"),
             *("sinf", "cosl", "y1", "index", "write", "SIZE_MAX")],
)  # fmt: skip
def test_reserved_names_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"^name: expected one that C and C\+\+ do not reserve"):
        network([2, 1]).to_c(tmp_path / "net.c", name)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["", "1net", "_net", "ne t", "net-2", "a__b", "nét", "n" * 41])
def test_names_that_are_no_identifiers_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"^name: expected"):
        network([2, 1]).to_c(tmp_path / "net.c", name)


def test_every_name_that_the_file_uses_is_refused_or_compiles(tmp_path):
    net = network(
        [20, 17, 9], hidden=["gelu"], inputs=fastnet.Standardize(np.zeros(20), np.ones(20))
    )
    net.to_c(tmp_path / "net.c", jacobian=True)
    text = re.sub(r'(?s)/\*.*?\*/|"[^"\n]*"', " ", (tmp_path / "net.c").read_text())
    words = {word for word in re.findall(r"(?<!\w)[A-Za-z]\w*", text) if word[:3] not in "net NET"}
    assert words >= {"x", "a", "odd", "k", "v", "value", "s0", "tail", "inputs"}
    accepted = []
    for word in sorted(words):
        with contextlib.suppress(ValueError):
            net.to_c(tmp_path / "other.c", word, jacobian=True)
            accepted.append(word)
            compiled(tmp_path / "other.c", "-std=c99")
    assert accepted == []


@pytest.mark.parametrize("path", ["net", "net.json", "net.onnx", "c"])
def test_a_path_that_is_no_source_file_is_refused(path, tmp_path):
    with pytest.raises(ValueError, match=r"^path: expected a name that ends in \.c, "):
        network([2, 1]).to_c(tmp_path / path)
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_is_missing_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        network([2, 1]).to_c(tmp_path / "missing" / "net.c")


def test_parameters_that_are_not_finite_are_refused_and_the_old_file_stays(tmp_path):
    net = network([2, 3, 1])
    net.to_c(tmp_path / "net.c")
    before = (tmp_path / "net.c").read_bytes()
    net.weights[0][1, 0] = np.nan
    with pytest.raises(ValueError, match=r"weights\[0\]"):
        net.to_c(tmp_path / "net.c")
    assert (tmp_path / "net.c").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"jacobian": 1}, "jacobian: expected True or False, got 1"),
     ({"scale": -1.0}, "scale: expected a finite number of 0 or more, got -1.0"),
     ({"scale": "1"}, "scale: expected a number, got '1'"),
     ({"name": 3}, "name: expected a string, got 3"),
     ({"examples": np.ones((2, 3))}, r"examples: expected shape \(n, 2\), n from 1 to 1000, got"),
     ({"examples": np.ones((0, 2))}, r"examples: expected shape \(n, 2\), n from 1 to 1000, got"),
     ({"examples": [["a", "b"]]}, "examples: expected numbers, got"),
     ({"examples": [[np.nan, 0]]}, "examples: expected finite numbers within the range of float"),
     ({"examples": [[1e39, 0]]}, "examples: expected finite numbers within the range of float")],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(arguments, message, tmp_path):
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        network([2, 1]).to_c(tmp_path / "net.c", **arguments)
    assert not [*tmp_path.iterdir()]


def test_examples_whose_outputs_are_not_finite_are_refused(tmp_path):
    net = network([1, 1], output="exponential")
    net.weights, net.biases = [[[1.0]]], [[[0.0]]]
    with pytest.raises(ValueError, match=r"^examples: expected inputs whose outputs are finite"):
        net.to_c(tmp_path / "net.c", examples=[[500.0]])
    net.weights = [[[1e4]]]
    net.to_c(tmp_path / "net.c")
    assert self_test(tmp_path / "net.c", *EXACT) == (0, 5, 5, 0)


def test_given_examples_are_those_of_the_self_test(tmp_path):
    net = network([3, 2])
    X = examples(net, 7)
    net.to_c(tmp_path / "net.c", examples=X)
    status, _, n, far = self_test(tmp_path / "net.c", *EXACT)
    assert (status, n, far) == (0, 14, 0)
    assert f"{X[6, 2]!s}f" in (tmp_path / "net.c").read_text()


def test_an_activation_without_c_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(type(ACTIVATIONS["swish"]), "c_value", "")
    with pytest.raises(
        ValueError, match=r"^to_c: expected activations that are avail.* got 'swish'"
    ):
        network([2, 3, 1], hidden="swish").to_c(tmp_path / "net.c")
    network([2, 3, 1], hidden="relu").to_c(tmp_path / "net.c")


@pytest.mark.parametrize("name", ["exp_log.h", "tanh_gelu.h"])
def test_the_coefficients_are_those_of_the_kernels(name):
    """Those that the bits of tests might not show, too."""
    kernels = (Path(__file__).parents[1] / "csrc" / "math" / name).read_text()
    kernels = kernels.split("*/\n#ifndef")[1]
    exported = Path(c_functions.__file__).read_text()
    number = r"(?<![\w.])\d\.\d{8,}(?:e-\d+)?"
    of_kernels = {float(each) for each in re.findall(number, kernels)}
    missing = of_kernels - {float(each) for each in re.findall(number, exported)}
    assert len(of_kernels) > 10
    # Of the logarithm, which no activation needs.
    of_log = {float(each) for each in re.findall(number, kernels.split("log_lanes(vec x)")[-1])}
    assert missing <= (of_log if name == "exp_log.h" else set())
