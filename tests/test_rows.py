"""Activations and optimizers: C and Python list the same, and each row of them holds everywhere."""

import copy
import pickle
import re
import runpy
import subprocess
from pathlib import Path

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import Network, reference
from fastnet.core import _kernels
from fastnet.nn import activations, initializers, optimizers
from fastnet.nn.activations import ACTIVATIONS, HIDDEN, OUTPUTS
from fastnet.nn.optimizers import CLASSES, USUAL

ROOT = Path(__file__).parent.parent
SETUP = runpy.run_path(str(ROOT / "setup.py"))
N = 16  # parameters of a network (1, 1) in float64, pads included
DATA = fastnet.Dataset(np.random.default_rng(1).random((40, 9)), np.arange(40) % 3)


# ---- C and Python


def test_the_kernels_have_the_output_layers_that_python_describes():
    with pytest.raises(ValueError, match=f"^output: expected one of {', '.join(OUTPUTS)}; got"):
        _kernels.NetworkCore((1, 1), "cube", None, np.zeros(N))


def test_the_kernels_have_the_optimizers_that_python_describes():
    p, X, order = np.zeros(N), np.ones((1, 1)), np.arange(1)
    names = ", ".join(["plain", *USUAL])
    with pytest.raises(ValueError, match=f"^optimizer: expected one of {names}; got 'cube'"):
        kernel_calls.train(
            ((1, 1), "linear", "quadratic", p), (X, 1.0, X), order, 1, 0.1, optimizer=("cube",)
        )


@pytest.mark.parametrize("name", USUAL)
def test_an_optimizer_has_its_number_of_coefficients_and_moments_in_c(name):
    p, X, order = _kernels.aligned(N, "float64"), np.ones((1, 1)), np.arange(1)
    arguments = (((1, 1), "linear", "quadratic", p), (X, 1.0, X), order, 1, 0.1)
    kernel, n = USUAL[name].kernel, USUAL[name].n_moments
    with pytest.raises(ValueError, match=f"^optimizer: expected {len(kernel) - 1} coefficients"):
        kernel_calls.train(*arguments, optimizer=(*kernel, 0.5))
    with pytest.raises(ValueError, match=rf"^moments: expected shape \({N * n},\), got"):
        kernel_calls.train(
            *arguments, optimizer=kernel, moments=_kernels.aligned(17 * n, "float64")
        )
    kernel_calls.train(*arguments, optimizer=kernel, moments=_kernels.aligned(N * n, "float64"))
    assert optimizers.of_kernel(*kernel) == USUAL[name]


def test_the_kernels_keep_the_slopes_of_those_activations_that_python_says(kind, neurons):
    weights, delta, a, below = (_kernels.padded(3, 3, "float64") for _ in range(4))
    if kind.keeps_slope:
        with pytest.raises(ValueError, match=f"^a: expected None for {kind.name}, whose slopes"):
            _kernels.backpropagate(neurons, weights, delta, a, below)
    else:
        _kernels.backpropagate(neurons, weights, delta, a, below)
    _kernels.backpropagate(neurons, weights, delta, None, below)


def test_a_switch_that_lacks_a_case_is_an_error_of_the_compiler(tmp_path):
    source = tmp_path / "switch.c"
    for case, code in (("case B: return 2;", 0), ("default: return 2;", 1)):
        source.write_text(
            f"typedef enum {{ A, B }} letter;\nint f(letter l);\n"
            f"int f(letter l) {{ switch (l) {{ case A: return 1; {case} }} return 0; }}\n"
        )
        command = ["cc", *SETUP["FLAGS"], "-c", str(source), "-o", str(tmp_path / "switch.o")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "switch" in done.stderr) == (code, bool(code))


# ---- activations


@pytest.mark.parametrize("module", [_kernels, reference], ids=["kernels", "reference"])
def test_the_slope_is_that_of_finite_differences(module, neurons, isa):
    h = 1e-5
    z = np.random.default_rng(2).uniform(-9, 9, 3001)
    z = z[np.abs(z) > 2 * h]  # ReLUs have a kink at 0
    a, slope, ahead, behind = (np.empty_like(z) for _ in range(4))
    module.activate(neurons, z, a, slope)
    module.activate(neurons, z + h, ahead)
    module.activate(neurons, z - h, behind)
    assert np.ptp(a) > 0.9
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-8)


def test_the_reference_has_the_limits_and_nan(neurons, dtype, isa):
    z = np.array([-np.inf, np.inf, np.nan, -1e30, 1e30, -0.0, 0.0], dtype)
    mine, theirs = (np.empty_like(z), np.empty_like(z)), (np.empty_like(z), np.empty_like(z))
    _kernels.activate(neurons, z, *mine)
    with np.errstate(all="ignore"):
        reference.activate(neurons, z, *theirs)
    assert np.isnan(mine[0]).tolist() == (np.arange(7) == 2).tolist()
    assert not np.isnan(np.delete(mine[1], 2)).any()
    np.testing.assert_allclose(mine[0], theirs[0], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(np.delete(mine[1], 2), np.delete(theirs[1], 2), rtol=1e-6)


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("n", [1, 3, 4, 5, 8, 9, 16, 17, 33])
def test_output_layers_of_all_widths_are_those_of_the_registry(name, n, dtype, isa):
    z = np.random.default_rng(3).normal(0, 3, (7, n)).astype(dtype)
    sizes = (n, n)
    parameters = _kernels.aligned(_kernels.layout(sizes, dtype)[0], dtype)
    reference.layers(sizes, parameters)[0][0][...] = np.eye(n)
    out = np.zeros((7, n), dtype)
    kernel_calls.feedforward((sizes, name, None, parameters), (z, 1.0), out)
    expected = ACTIVATIONS[name].value(z.astype(np.float64))
    np.testing.assert_allclose(out, expected, rtol=20 * np.finfo(dtype).eps)
    if n > 1:
        assert np.unique(out).size > 7


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_an_output_layer_says_of_its_values_is_true_of_them(name):
    """half, symmetric, log_value and logits, which the estimators use."""
    kind, z = ACTIVATIONS[name], np.random.default_rng(3).normal(0, 2, (50, 4))
    a = kind.value(z)
    if kind.half is not None:
        np.testing.assert_array_equal(z > kind.half, a > 0.5)
        assert 0 < np.count_nonzero(a > 0.5) < a.size
    is_symmetric = np.allclose(kind.value(-z), 1 - a)
    assert kind.symmetric == is_symmetric
    with np.errstate(invalid="ignore", divide="ignore"):
        np.testing.assert_allclose(kind.log_value(z), np.log(a), rtol=1e-12, atol=1e-14)
    logits = kind.logits(z)
    if logits is not None:
        probabilities = ACTIVATIONS["softmax"].value(logits)
        np.testing.assert_allclose(probabilities, a / a.sum(axis=1, keepdims=True), rtol=1e-12)


def test_the_output_layer_starts_like_hidden_layers_of_the_default_initializer():
    class Cubic(activations.Activation):
        name = "cubic"
        initializer = "default"

    assert initializers.choose(None, (Cubic(), Cubic())) == ("default",) * 3
    assert initializers.choose(None, (Cubic(), ACTIVATIONS["tanh"]))[-1] == "glorot"


def test_files_pickles_and_copies_keep_each_activation_to_the_bit(kind, tmp_path, dtype):
    net = Network([9, 6, 5, 3], seed=3, hidden=[kind, "sigmoid"], dtype=dtype)
    net.SGD(DATA, 2, 7, 0.1, verbose=False)
    net.save(tmp_path / "net")
    for other in (
        fastnet.load(tmp_path / "net"), pickle.loads(pickle.dumps(net)), copy.deepcopy(net),
    ):  # fmt: skip
        assert other == net
        assert other.hidden == net.hidden == [kind.name_or_self, "sigmoid"]
        assert repr(other) == repr(net)


def test_an_explanation_shows_each_activation_and_its_slope(kind):
    shown = Network([9, 4, 3], seed=1, hidden=kind).explain(DATA.X[0], 1)
    text, layer = str(shown), shown.layers[0]
    assert f"layer 2: 4 {kind} neurons" in text
    if kind.symbol:
        assert f"a^2 = {kind.symbol}(z^2)" in text
        assert f"{kind.symbol}′(z^2) = " in text
        assert f"δ^2 = ((w^3)^T δ^3) ⊙ {kind.symbol}′(z^2)   (BP2)" in text
    else:
        assert "a^2 = z^2\n" in text
        assert "δ^2 = (w^3)^T δ^3   (BP2)" in text
    assert not re.search(r"\{\w+\}", text)
    a = kind.value(layer.z.astype(np.float64))
    np.testing.assert_allclose(layer.a, a, rtol=1e-5, atol=1e-7)


def test_each_activation_says_all_that_the_package_reads():
    for name, each in ACTIVATIONS.items():
        assert (each.name, set(each.roles) - {"hidden", "output"}) == (name, set())
        assert (type(each).__name__ in activations.__all__) == bool(each.parameters)
        assert each.formula
        assert each.javascript
        assert bool(each.derivative_formula) or "hidden" not in each.roles
    assert len({each.sklearn_name for each in ACTIVATIONS.values()}) == len(ACTIVATIONS)
    assert set(HIDDEN) | set(OUTPUTS) == set(activations.ACTIVATIONS)


# ---- optimizers


def test_the_package_exports_every_optimizer():
    assert {each.__name__ for each in CLASSES} == set(optimizers.__all__) <= set(fastnet.__all__)
    for each in CLASSES:
        assert getattr(fastnet, each.__name__) is each


@pytest.mark.parametrize("name", USUAL)
def test_an_optimizer_is_written_as_it_is_made(name):
    assert eval(f"fastnet.{USUAL[name].call}") == USUAL[name]


@pytest.mark.parametrize("n_out", [1, 7, 15, 16, 17, 31, 33])
@pytest.mark.parametrize("name", USUAL)
def test_each_optimizer_takes_the_reference_s_steps_at_all_widths(name, n_out, dtype, isa):
    """Six mini-batches of a linear layer; the last one is smaller."""
    one, random = USUAL[name], np.random.default_rng(4)
    X, y = random.normal(size=(23, 5)), random.normal(size=(23, n_out))
    ends = []
    for module, kind in ((_kernels, dtype), (reference, "float64")):
        sizes = (5, n_out)
        parameters = _kernels.aligned(_kernels.layout(sizes, kind)[0], kind)
        reference.layers(sizes, parameters)[0][0][...] = 0.5
        moments = _kernels.aligned(one.n_moments * len(parameters), kind)
        kernel_calls.train(
            (sizes, "linear", "quadratic", parameters), (X.astype(kind), 1.0, y.astype(kind)),
            np.arange(23), 4, 0.01, l2=0.1, l1=0.01, optimizer=one.kernel, moments=moments,
            kernels=module,
        )  # fmt: skip
        ends.append(np.concatenate([p.ravel() for p in reference.layers(sizes, parameters)[0]]))
    assert np.unique(ends[0]).size > 5
    tolerance = 2e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(*ends, rtol=0, atol=tolerance)


@pytest.mark.parametrize("one", USUAL.values(), ids=USUAL)
def test_each_optimizer_lowers_the_cost(one, isa):
    net = Network([9, 6, 3], seed=2)
    before = net.total_cost(DATA, 0.0)
    net.SGD(DATA, 20, 5, one.usual_eta, optimizer=one, verbose=False)
    assert net.total_cost(DATA, 0.0) < before


@pytest.mark.parametrize("each", CLASSES, ids=lambda each: each.__name__)
def test_the_estimators_take_each_optimizer_as_a_solver(each):
    sklearn = pytest.importorskip("fastnet.sklearn")
    X, y = DATA.X, DATA.y
    options = {"solver": each.sklearn_name, "max_iter": 3, "random_state": 0, "tol": 0.0}
    net, again = sklearn.MLPClassifier((4,), **options), sklearn.MLPClassifier((4,), **options)
    for one in (net, again):
        with pytest.warns(match="Maximum iterations"):
            one.fit(X, y)
    np.testing.assert_array_equal(net.coefs_[0], again.coefs_[0])
    assert net.n_iter_ == 3


@pytest.mark.parametrize("one", USUAL.values(), ids=USUAL)
def test_instruction_sets_with_fused_multiply_add_give_the_same_bits_of_each_optimizer(one, dtype):
    names = [name for name in _kernels.available() if name != "baseline"]
    if len(names) < 2:
        pytest.skip(f"of instruction sets with fused multiply-add this machine has {names} only")
    before, found = _kernels.isa(), []
    try:
        for name in names:
            _kernels.select(name)
            net = Network([9, 7, 3], seed=1, dtype=dtype)
            net.SGD(DATA, 3, 6, one.usual_eta, 1.0, l1=0.1, optimizer=one, verbose=False)
            found.append(np.concatenate([p.ravel() for p in (*net.weights, *net.biases)]))
    finally:
        _kernels.select(before)
    assert np.unique(found[0]).size > 50
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
