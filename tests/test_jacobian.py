"""Network.jacobian and predictor(jacobian=True): derivatives with respect to the inputs."""

import copy
import pickle
import sys

import numpy as np
import pytest
import strategies
from hypothesis import given

import fastnet
from fastnet import Network, reference
from fastnet.core import _kernels
from fastnet.data.sparse_rows import compress
from fastnet.network import model_of
from fastnet.nn.activations import ACTIVATIONS, HIDDEN
from fastnet.nn.costs import COSTS

pandas = pytest.importorskip("pandas")
sparse = pytest.importorskip("scipy.sparse")

# [n_in, hidden..., n_out] that fill vectors, exceed them by one, or have more outputs than inputs.
SIZES = [(3, 2), (1, 1), (1, 4, 1), (4, 16, 2), (16, 33, 17), (33, 5, 64, 3), (2, 9, 70)]
# A cost of each output layer; the derivatives do not depend on it.
COSTS_OF = {output: cost() for cost in COSTS for output in cost.errors}
WITH_FMA = [isa for isa in _kernels.available() if isa != "baseline"]


@pytest.fixture(params=sorted(COSTS_OF))
def output(request):
    return request.param


def network(sizes=(3, 4, 2), seed=1, **options):
    options = {"dtype": "float64", "hidden": "tanh", "cost": "quadratic", **options}
    return Network(sizes, seed=seed, **options)


def inputs(n, n_in, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=(n, n_in)).astype(dtype)


def weighted_inputs(net, X):
    """z of each hidden layer, (n, n_hidden)."""
    a, zs = X, []
    for w, b, name in zip(net.weights, net.biases, net.hidden, strict=False):
        zs.append(a @ w.T + b.T)
        kind = ACTIVATIONS[name] if isinstance(name, str) else name
        a = kind.value(zs[-1])
    return zs


def differences(net, X, step=1e-6):
    """Central differences of feedforward, (n, n_out, n_in)."""
    columns = []
    for i in range(X.shape[1]):
        h = np.zeros(X.shape[1])
        h[i] = step
        columns.append((net.feedforward(X + h) - net.feedforward(X - h)) / (2 * step))
    return np.stack(columns, axis=2)


def assert_close(jacobian, expected, tolerance):
    """The error is that of sums, relative to the largest derivative of an example."""
    assert jacobian.shape == expected.shape
    largest = np.abs(expected).max(axis=(-2, -1), keepdims=True)
    assert (np.abs(jacobian - expected) <= tolerance * largest).all()


# ---- what is computed


@pytest.mark.covering(2)
@pytest.mark.parametrize("sizes", [(3, 2), (5, 7, 3), (4, 9, 6, 1), (2, 6, 8)], ids=str)
def test_the_jacobian_is_the_slope_of_feedforward(sizes, output, kind, isa):
    net = network(sizes, cost=COSTS_OF[output], output=output, hidden=kind)
    X = inputs(12, sizes[0])
    if not kind.keeps_slope:  # no step may cross the kink of a ReLU
        near = [np.abs(z).min(axis=1) < 1e-4 for z in weighted_inputs(net, X)]
        X = X[~np.any(near, axis=0)] if near else X
    assert len(X) > 8
    jacobian = net.jacobian(X)
    assert (sizes[-1] == 1 and output == "softmax") or np.ptp(jacobian) > 0
    np.testing.assert_allclose(jacobian, differences(net, X), rtol=1e-6, atol=2e-9)


@pytest.mark.covering(2)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("form", ["dense", "columns", "masks"])
@pytest.mark.parametrize("slopes", [False, True])
def test_the_kernel_computes_what_its_reference_does(sizes, output, kind, dtype, isa, form, slopes):
    X = inputs(9, sizes[0], dtype)
    X[np.random.default_rng(1).random(X.shape) < 0.5] = 0
    factors = np.linspace(0.5, 2, sizes[0]) if slopes else None
    net = network(sizes, cost=COSTS_OF[output], output=output, hidden=kind, dtype=dtype)
    hidden = (kind.kernel,) * (len(sizes) - 2)
    results = []
    for module in (_kernels, reference):
        given = X if form == "dense" or module is reference else compress(X, form)
        core = module.NetworkCore(
            sizes, output, COSTS_OF[output].kernel, model_of(net).values, hidden
        )
        a = np.full((9, sizes[-1]), 7.0, dtype)
        jacobian = np.full((9 * sizes[-1], sizes[0]), 7.0, dtype)
        core.jacobian(module.Examples(given, 0.5), a, jacobian, factors)
        results.append((a, jacobian.reshape(9, sizes[-1], sizes[0])))
    (a, jacobian), (expected_a, expected) = results
    assert_close(a, expected_a, 1e-5 if dtype == "float32" else 1e-13)
    assert_close(jacobian, expected, 1e-5 if dtype == "float32" else 1e-13)


def test_a_kink_has_the_slope_that_a_training_uses(isa, dtype):
    for hidden, slope in (("relu", 0.0), (fastnet.LeakyReLU(0.25), 0.25)):
        net = network((2, 1, 1), hidden=hidden, output="linear", dtype=dtype)
        net.weights = [[[1.0, -2.0]], [[3.0]]]
        net.biases = [[[0.0]], [[0.0]]]
        x = [2.0, 1.0]  # z is 0
        assert net.jacobian(x).tolist() == [[3 * slope, -6 * slope]]
        # a - y is 1, so the gradient of the first weights is that row times x
        nabla_w = net.backprop(x, [-1.0])[1][0]
        assert nabla_w.tolist() == [[3 * slope * 2.0, 3 * slope * 1.0]]


def test_the_jacobian_of_softmax_sums_to_zero_over_the_outputs_and_saturates():
    net = network((3, 5, 4), cost="log-likelihood", output="softmax")
    sums = net.jacobian(inputs(20, 3)).sum(axis=1)
    np.testing.assert_allclose(sums, 0, atol=1e-15)
    net.weights[1] = 1e6 * np.asarray(net.weights[1])
    assert (net.jacobian([1.0, 2.0, 3.0]) == 0).all()


def test_a_cost_of_ones_own_has_the_jacobian_of_its_output():
    class Own:
        @staticmethod
        def fn(a, y):
            return float(((a - y) ** 2).sum())

        @staticmethod
        def delta(z, a, y):
            return a - y

    own, built_in = network(cost=Own, output="linear"), network(output="linear")
    X = inputs(70, 3)
    np.testing.assert_array_equal(own.jacobian(X), built_in.jacobian(X))


# ---- the bits


@pytest.mark.covering(2)
@pytest.mark.parametrize("sizes", [*SIZES, (784, 30, 10), (150, 140, 130)], ids=str)
def test_an_example_has_the_same_bits_alone_among_others_and_in_a_predictor(
    sizes, output, kind, dtype, isa
):
    net = network(sizes, cost=COSTS_OF[output], output=output, hidden=kind, dtype=dtype)
    X = inputs(70 if sizes[-1] < 100 else 3, sizes[0], dtype)
    whole, predict = net.jacobian(X), net.predictor(jacobian=True)
    for k in (0, 1, len(X) - 1):
        np.testing.assert_array_equal(net.jacobian(X[k : k + 1])[0], whole[k])
        np.testing.assert_array_equal(net.jacobian(X[k]), whole[k])
        a, jacobian = predict(X[k])
        np.testing.assert_array_equal(jacobian, whole[k])
        np.testing.assert_array_equal(a, net.feedforward(X[k]))


@pytest.mark.covering(2)
@pytest.mark.skipif(len(WITH_FMA) < 2, reason="one instruction set has fused multiply-add")
@pytest.mark.parametrize("sizes", [*SIZES, (784, 30, 10), (150, 140, 130)], ids=str)
def test_all_instruction_sets_with_fma_give_the_same_bits(sizes, output, kind, dtype):
    net = network(sizes, cost=COSTS_OF[output], output=output, hidden=kind, dtype=dtype)
    X = inputs(10, sizes[0], dtype)
    found = []
    for isa in WITH_FMA:
        with strategies.using(isa):
            found.append(net.jacobian(X))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def threads_of(net, X, monkeypatch):
    """(the Jacobian, the numbers of threads in the plans of its calls)"""
    monkeypatch.setenv("FASTNET_TRACE", "1")
    plans = []
    tracer = fastnet.core.execution._trace
    _kernels.trace_with(plans.append)
    try:
        return net.jacobian(X), [plan["threads"] for plan in plans]
    finally:
        _kernels.trace_with(tracer)


@pytest.mark.parametrize("sizes", [(300, 200, 10), (260, 250)], ids=str)
def test_threads_change_no_bits(sizes, dtype, isa, monkeypatch):
    X = inputs(65, sizes[0], dtype)
    one, two, three = (network(sizes, dtype=dtype, n_threads=n) for n in (1, 2, 3))
    expected, used = threads_of(one, X, monkeypatch)
    assert used == [1]
    for net, n in ((two, 2), (three, 3)):
        jacobian, used = threads_of(net, X, monkeypatch)
        assert used == [n]
        np.testing.assert_array_equal(jacobian, expected)


def test_an_example_is_computed_by_one_thread(monkeypatch):
    net = network((300, 200, 10), n_threads=2)
    assert threads_of(net, inputs(1, 300), monkeypatch)[1] == [1]


@pytest.mark.parametrize(
    ("n_out", "steps"), [(1, [64, 6]), (10, [6, 4]), (33, [1]), (64, [1]), (5000, [1])]
)
def test_a_step_has_at_most_64_rows_or_one_example(n_out, steps):
    plan = _kernels.plan([9, 7, n_out], "float32", 1, 70, call="jacobian")
    assert [step["m"] for step in plan["steps"]] == steps
    assert plan["steps"][0]["layers"][0]["error_examples"] <= max(64, n_out)


@given(problem=strategies.problems(), isa=strategies.isas)
def test_networks_and_data_that_hypothesis_draws(problem, isa):
    net, X = problem.network(), problem.X()
    core = reference.NetworkCore(
        problem.sizes, problem.output, problem.cost, model_of(net).values, problem.hidden
    )
    n, n_in, n_out = min(len(X), 3), problem.sizes[0], problem.sizes[-1]
    out, expected = np.empty((n, n_out), net.dtype), np.empty((n * n_out, n_in), net.dtype)
    core.jacobian(reference.Examples(X[:n], problem.scale), out, expected)
    expected = problem.scale * expected.reshape(n, n_out, n_in)
    with strategies.using(isa):
        jacobian = net.jacobian(problem.data())
        alone = net.jacobian(fastnet.Dataset(X[-1:], problem.y()[-1:], scale=problem.scale))
    np.testing.assert_array_equal(alone[0], jacobian[-1])
    assert len(jacobian) == len(X)
    assert_close(jacobian[:n], expected, 1e-4 if problem.dtype == "float32" else 1e-12)


# ---- the forms of x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_result_has_the_dtype_of_the_network_and_a_row_for_each_output(dtype):
    net = network((3, 4, 2), dtype=dtype)
    X = inputs(5, 3)
    for x, shape in ((X, (5, 2, 3)), (X[:1], (1, 2, 3)), (X[0], (2, 3)), (X[0][:, None], (2, 3)),
                     (X[:0], (0, 2, 3)), (sparse.csr_array(X[:0]), (0, 2, 3))):  # fmt: skip
        jacobian = net.jacobian(x)
        assert (jacobian.shape, jacobian.dtype) == (shape, net.dtype)
    assert network((1, 2)).jacobian([[1.0], [2.0]]).shape == (2, 2, 1)


FORMS = {
    "list": lambda X: X.tolist(),
    "Fortran's order": np.asfortranarray,
    "backwards": lambda X: X[::-1].copy()[::-1],
    "big-endian": lambda X: X.astype(">f8"),
    "frame": lambda X: pandas.DataFrame(X[:, ::-1], columns=["c", "b", "a"]),
    "dict": lambda X: {"b": X[:, 1], "a": X[:, 0], "c": X[:, 2]},
    "sparse": sparse.csr_array,
    "Dataset": lambda X: fastnet.Dataset(X, np.zeros(len(X), int)),
    "sparse Dataset": lambda X: fastnet.Dataset(sparse.csr_array(X), np.zeros(len(X), int)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_of_many_examples_gives_the_same(form):
    net = network(features=["a", "b", "c"])
    X = inputs(9, 3)
    X[np.random.default_rng(1).random(X.shape) < 0.6] = 0
    np.testing.assert_array_equal(net.jacobian(form(X)), net.jacobian(X))


def test_a_dict_of_one_example_gives_one_matrix():
    net = network(features=["a", "b", "c"])
    one = {"c": 3.0, "a": 1.0, "b": 2.0}
    np.testing.assert_array_equal(net.jacobian(one), net.jacobian([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(net.predictor(jacobian=True)(one)[1], net.jacobian(one))


def trained_on_bytes(**options):
    net = network(**options)
    X = np.random.default_rng(3).integers(0, 256, (20, 3)).astype(np.uint8)
    net.SGD(fastnet.Dataset(X, np.arange(20) % 2, scale=1 / 255), 1, 5, 0.1, verbose=False)
    assert net.input_scale == 1 / 255
    return net, X


@pytest.mark.parametrize("with_inputs", [False, True])
def test_the_derivatives_are_by_the_numbers_that_are_passed(with_inputs):
    """For bytes, by the byte, and before the standardization."""
    standardize = fastnet.Standardize([0.1, 0.2, 0.3], [0.5, 2.0, 4.0]) if with_inputs else None
    net, X = trained_on_bytes(inputs=standardize)
    scaled = differences(net, X * (1 / 255.0))  # numbers of another type are not scaled
    for x in (X, fastnet.Dataset(X, np.zeros(20, int), scale=1 / 255)):
        np.testing.assert_allclose(net.jacobian(x), scaled / 255, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(net.jacobian(X.astype(float) / 255), scaled, rtol=1e-6, atol=1e-10)
    predict = net.predictor(jacobian=True)
    for x in (X[0], X[0] / 255, X[1], X[1].tolist()):  # the scale is that of each call
        np.testing.assert_array_equal(predict(x)[1], net.jacobian(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_in", [3, 16])  # 16: rows without pads
def test_the_derivatives_are_by_the_raw_inputs_of_a_standardization(dtype, n_in):
    deviation = np.linspace(0.5, 40, n_in)
    inner = network((n_in, 4, 2), dtype=dtype)
    net = network((n_in, 4, 2), dtype=dtype, inputs=fastnet.Standardize(deviation / 3, deviation))
    X = inputs(70, n_in, dtype)
    expected = inner.jacobian(net.inputs.transform(X, dtype=dtype)).astype(float) / deviation
    np.testing.assert_allclose(net.jacobian(X), expected, rtol=2 * np.finfo(dtype).eps)
    predict = net.predictor(jacobian=True)
    for x in (X[0], X[1].astype(np.float32), X[2].astype(np.float64), X[3].tolist()):
        np.testing.assert_array_equal(predict(x)[1], net.jacobian(np.array(x)))
    sparse_net = network((n_in, 4, 2), dtype=dtype, inputs=fastnet.Standardize(None, deviation))
    np.testing.assert_array_equal(sparse_net.jacobian(sparse.csr_array(X)), sparse_net.jacobian(X))


def test_a_deviation_beyond_the_range_of_float32_gives_no_nan():
    net = network((2, 1), dtype="float32", inputs=fastnet.Standardize(None, [1e-60, 1.0]))
    net.weights[0] = [[0.0, 1.0]]
    net.biases[0] = [[0.0]]
    assert net.jacobian([0.0, 0.0]).tolist() == [[0.0, 0.25]]


def test_with_a_table_the_columns_are_its_encoded_ones():
    rows = {
        "age": [31, 47, 35, 28],
        "sex": ["f", "m", "f", "m"],
        "vote": ["yes", "no", "yes", "no"],
    }
    table = fastnet.Table.fit(rows, target="vote")
    assert table.features == ("age", "sex=f", "sex=m")
    net = Network(table.sizes(5), inputs=table, cost="log-likelihood", seed=1, dtype="float64")
    raw = {"age": [40, 50], "sex": ["m", "f"]}
    jacobian = net.jacobian(raw)
    assert jacobian.shape == (2, 2, 3)
    above = net.feedforward({"age": [40 + 1e-5, 50 + 1e-5], "sex": ["m", "f"]})
    below = net.feedforward({"age": [40 - 1e-5, 50 - 1e-5], "sex": ["m", "f"]})
    np.testing.assert_allclose(jacobian[:, :, 0], (above - below) / 2e-5, rtol=1e-6)
    encoded = np.array([[40.0, 0, 1], [50.0, 1, 0]])
    np.testing.assert_array_equal(net.jacobian(encoded), jacobian)
    np.testing.assert_allclose(jacobian, differences(net, encoded), rtol=1e-5, atol=1e-9)
    one = {"age": 40, "sex": "m"}
    np.testing.assert_array_equal(net.predictor(jacobian=True)(one)[1], jacobian[0])


# ---- the predictor


def test_a_predictor_returns_the_same_pair_each_time_without_allocation():
    net = network((4, 16, 2), dtype="float32")
    predict, X = net.predictor(jacobian=True), inputs(3, 4, "float32")
    first = predict(X[0])
    a, jacobian = first
    assert (a.shape, jacobian.shape) == ((2,), (2, 4))
    assert a.dtype == jacobian.dtype == net.dtype
    before = sys.getallocatedblocks()
    for _ in range(1000):
        predict(X[1])
    assert sys.getallocatedblocks() - before < 20
    again = predict(X[1])
    assert again is first
    assert again[0] is a
    assert again[1] is jacobian
    np.testing.assert_array_equal(jacobian, net.jacobian(X[1]))
    np.testing.assert_array_equal(a, net.predictor()(X[1]))


def test_a_predictor_uses_the_current_parameters_and_instruction_set():
    net = network((2, 1), output="linear")
    predict = net.predictor(jacobian=True)
    for w in (2.0, 3.0):
        net.weights[0] = [[w, -w]]
        assert predict(np.zeros(2))[1].tolist() == [[w, -w]]
    for isa in _kernels.available():
        with strategies.using(isa):
            assert predict([1.0, 2.0])[1].tolist() == [[3.0, -3.0]]


@pytest.mark.parametrize("jacobian", [False, True])
@pytest.mark.parametrize("function", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_predictor_cannot_be_copied_and_says_what_can(function, jacobian):
    with pytest.raises(TypeError, match=r"^predictor: expected a network to copy or pickle, got"):
        function(network().predictor(jacobian=jacobian))


def test_without_jacobian_a_predictor_returns_the_output():
    net = network()
    for predict in (net.predictor(), net.predictor(False), net.predictor(jacobian=False)):
        assert predict([1.0, 2.0, 3.0]).shape == (2,)


def test_the_reference_has_such_a_predictor():
    net = network(inputs=fastnet.Standardize([1.0, 2.0, 3.0], [0.5, 4.0, 8.0]))
    moments = net.inputs.mean, net.inputs.deviation
    core = reference.NetworkCore([3, 4, 2], "sigmoid", "quadratic", model_of(net).values, ["tanh"])
    predict = core.predictor(None, moments, None, True)
    first = predict([1.0, 4.0, 9.0])
    expected = net.predictor(jacobian=True)([1.0, 4.0, 9.0])
    for own, other in zip(first, expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12)
    assert predict([2.0, 4.0, 9.0]) is first


# ---- bad input


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0, 2.0], r"x: expected shape \(3,\), \(3, 1\) or \(n, 3\), got \(2,\)"),
        (np.ones((2, 2)), r"x: expected shape .* got \(2, 2\)"),
        (np.ones((2, 3, 1)), r"x: expected shape .* got \(2, 3, 1\)"),
        (1.0, r"x: expected shape .* got \(\)"),
        ([1.0, np.nan, 3.0], r"x: expected finite numbers, got NaN or infinity"),
        ([[1.0, 2.0, np.inf]], r"x: expected finite numbers, got NaN or infinity"),
        (sparse.csr_array(np.ones((2, 4))), r"x: expected 3 features per example, got 4"),
    ],
    ids=str,
)  # fmt: skip
def test_an_x_that_does_not_fit_is_one_error(x, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        network().jacobian(x)


@pytest.mark.parametrize("x", ["abc", [None] * 3, [1j, 0, 0], ["a", "b", "c"]], ids=str)
def test_an_x_that_is_not_of_numbers_is_one_error(x):
    with pytest.raises(TypeError, match=r"^x: expected "):
        network().jacobian(x)


def test_an_x_beyond_the_range_of_the_dtype_is_an_error():
    with pytest.raises(ValueError, match=r"^x: expected inputs within the range of float32, got"):
        network(dtype="float32").jacobian([1e300, 0, 0])


def test_sparse_inputs_cannot_be_standardized_with_means():
    net = network(inputs=fastnet.Standardize([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match=r"^x: expected dense inputs, since the network subtracts"):
        net.jacobian(sparse.csr_array(np.ones((2, 3))))


def test_a_predictor_keeps_its_result_if_an_x_is_wrong():
    net = network()
    predict = net.predictor(jacobian=True)
    kept = [array.copy() for array in predict([1.0, 2.0, 3.0])]
    with pytest.raises(ValueError, match=r"^x: expected finite numbers, got NaN or infinity$"):
        predict([1.0, np.nan, 3.0])
    with pytest.raises(ValueError, match=r"^x: expected shape \(3,\), got \(2,\)$"):
        predict([1.0, 2.0])
    for array, before in zip(predict([1.0, 2.0, 3.0]), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("wrong", [1, None, "yes"], ids=repr)
def test_the_argument_of_a_predictor_is_true_or_false(wrong):
    with pytest.raises(TypeError, match=r"^jacobian: expected True or False, got "):
        network().predictor(jacobian=wrong)


def test_a_network_with_another_feedforward_is_refused():
    class Own(Network):
        def feedforward(self, a):
            return super().feedforward(a) ** 2

    assigned = network()
    assigned.feedforward = lambda a: a
    for net in (Own([3, 2]), assigned):
        for call in (lambda net=net: net.jacobian([1, 2, 3]),
                     lambda net=net: net.predictor(jacobian=True)):  # fmt: skip
            with pytest.raises(
                TypeError, match=r"^jacobian: expected a network with the package's"
            ):
                call()
    assert Own([3, 2]).predictor()([1, 2, 3]).shape == (2,)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("out", np.zeros((4, 2))), ("out", np.zeros((5, 4))[:, ::2]),
        ("jacobian", np.zeros((5, 2, 3))), ("jacobian", np.zeros((9, 3))),
        ("jacobian", np.zeros((10, 6))[:, ::2]), ("jacobian", np.zeros((10, 3), np.float32)),
        ("slopes", np.ones(2)), ("slopes", np.ones(3, np.float32)),
    ],
)  # fmt: skip
def test_an_array_that_does_not_fit_the_kernel_is_an_error(name, array):
    core = model_of(network()).core
    arrays = {"out": np.empty((5, 2)), "jacobian": np.empty((10, 3)), "slopes": None, name: array}
    with pytest.raises((ValueError, TypeError), match=rf"^{name}: expected "):
        core.jacobian(_kernels.Examples(np.ones((5, 3)), 1.0), **arrays)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("module", [_kernels, reference])
def test_a_long_call_polls_and_an_exception_ends_it(module):
    class Stop(Exception):
        pass

    seen = []

    def poll(done):
        seen.append(done)
        if len(seen) == 3:
            raise Stop

    net = network((3, 2))
    n = 5 * reference.EVALUATED
    core = module.NetworkCore([3, 2], "sigmoid", "quadratic", model_of(net).values)
    examples = module.Examples(inputs(n, 3), 1.0)
    with pytest.raises(Stop):
        core.jacobian(examples, np.empty((n, 2)), np.empty((2 * n, 3)), poll=poll)
    assert len(seen) == 3
    assert seen == sorted(seen)
    assert 0 < seen[0] < n


def test_every_kind_of_hidden_neurons_and_outputs_is_tested_here():
    """The fixtures ``output`` and ``kind`` walk through the registries."""
    assert set(COSTS_OF) == {name for name, each in ACTIVATIONS.items() if "output" in each.roles}
    assert set(HIDDEN) == {name for name, each in ACTIVATIONS.items() if "hidden" in each.roles}
