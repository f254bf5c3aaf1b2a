"""The steps of one layer, and the gathering of examples, against the reference in float64.

Tolerances are bounds on rounding: a sum of k products differs from the exact
one by at most about k units of half an ULP of the sum of the absolute terms,
in the kernel and, for float64, in the reference too.
"""

import kernel_calls
import numpy as np
import pytest

from fastnet import reference
from fastnet.core import _kernels
from fastnet.nn.costs import COSTS, of_kernel

SIZES = (1, 7, 8, 9, 15, 16, 17, 30, 31, 32, 33, 100)
EXAMPLES = (1, 3, 6, 7, 10, 13, 14, 15, 64, 65)

# (n_in, n_out, m) beyond one block of the register tile, and where a stride of
# 256 elements is avoided.
DEEP = [(257, 33, 7), (513, 256, 3), (33, 300, 257), (1, 512, 300), (784, 10, 5),
        (600, 601, 610)]  # fmt: skip


each_n_in = pytest.mark.parametrize(
    "shapes",
    [[(n_in, n_out, m) for n_out in SIZES for m in EXAMPLES] for n_in in SIZES] + [DEEP],
    ids=[*map(str, SIZES), "deep"],
)


def unit(dtype):
    """Half a unit in the last place of 1, for each rounding; the reference's roundings added."""
    return np.finfo(dtype).eps / 2 * (2 if dtype == "float64" else 1)


def assert_close(result, expected, terms, roundings, dtype, shape):
    """|result - expected| within ``roundings`` roundings of the sum of absolute ``terms``."""
    excess = np.abs(result - expected) - roundings * unit(dtype) * terms
    assert excess.max() <= 0, f"(n_in, n_out, m) = {shape}"
    assert np.unique(result).size > min(result.size, 4) / 2


def drawn(random, dtype, *shape):
    """N(0, 1) numbers, exact in dtype, as float64."""
    return random.standard_normal(shape).astype(dtype).astype(np.float64)


# ---- weighted_input, backpropagate, update ---------------------------------


@each_n_in
def test_weighted_input_adds_the_biases_to_the_product(shapes, dtype, isa, guarded):
    random = np.random.default_rng(1)
    for n_in, n_out, m in shapes:
        a, w = drawn(random, dtype, m, n_in), drawn(random, dtype, n_in, n_out)
        b, expected = drawn(random, dtype, 1, n_out), np.empty((m, n_out))
        reference.weighted_input(a, w, b, expected)
        inputs = [guarded.padded(a, dtype, pads=np.nan)]
        inputs += [guarded.padded(w, dtype), guarded.padded(b, dtype)]
        z = guarded.padded(np.full((m, n_out), np.nan), dtype)
        _kernels.weighted_input(*inputs, z)
        terms = np.abs(a) @ np.abs(w) + np.abs(b)
        assert_close(z, expected, terms, n_in + 1, dtype, (n_in, n_out, m))
        for array, before in zip(inputs, (a, w, b), strict=True):
            np.testing.assert_array_equal(array, before)
        guarded.check()


@each_n_in
def test_backpropagate_takes_the_error_back_through_the_weights(shapes, dtype, isa, guarded):
    random = np.random.default_rng(2)
    for n_in, n_out, m in shapes:
        w, delta = drawn(random, dtype, n_in, n_out), drawn(random, dtype, m, n_out)
        a, expected = random.random((m, n_in)).astype(dtype), np.empty((m, n_in))
        a = a.astype(np.float64)
        reference.backpropagate("sigmoid", w, delta, a, expected)
        inputs = [guarded.padded(w, dtype), guarded.padded(delta, dtype)]
        inputs.append(guarded.padded(a, dtype, pads=np.nan))
        below = guarded.padded(np.full((m, n_in), np.nan), dtype, pads=np.nan)
        _kernels.backpropagate("sigmoid", *inputs, below)
        terms = (np.abs(delta) @ np.abs(w.T)) * (a * (1 - a))
        assert_close(below, expected, terms, n_out + 4, dtype, (n_in, n_out, m))
        assert not guarded.pads(below).any(), "pads of an error have to be zero"
        for array, before in zip(inputs, (w, delta, a), strict=True):
            np.testing.assert_array_equal(array, before)
        guarded.check()


@each_n_in
def test_update_decays_the_weights_and_adds_the_gradient(shapes, dtype, isa, guarded):
    random = np.random.default_rng(3)
    for n_in, n_out, m in shapes:
        a, delta = drawn(random, dtype, m, n_in), drawn(random, dtype, m, n_out)
        w, b = drawn(random, dtype, n_in, n_out), drawn(random, dtype, 1, n_out)
        l2, l1 = (0.125, 0.25) if (n_out + m) % 2 else (0.0, 0.0)
        weights, biases = guarded.padded(w, dtype), guarded.padded(b, dtype)
        inputs = [guarded.padded(a, dtype, pads=np.nan), guarded.padded(delta, dtype)]
        _kernels.update(weights, biases, *inputs, l2, l1)
        terms_w = np.abs(w) + l1 + np.abs(a.T) @ np.abs(delta)
        terms_b = np.abs(b) + np.abs(delta).sum(axis=0)
        reference.update(w, b, a, delta, l2, l1)
        assert_close(weights, w, terms_w, m + 2, dtype, (n_in, n_out, m))
        assert_close(biases, b, terms_b, m + 1, dtype, (n_in, n_out, m))
        for name, array in (("weights", weights), ("biases", biases)):
            assert not guarded.pads(array).any(), f"pads of {name} have to stay zero"
        for array, before in zip(inputs, (a, delta), strict=True):
            np.testing.assert_array_equal(array, before)
        guarded.check()


@pytest.mark.parametrize("n_out", range(1, 12))
def test_narrow_layers_have_the_bits_of_one_example_at_a_time(n_out, dtype, isa, guarded):
    random = np.random.default_rng(n_out)

    def padded(*shape, pads=0.0):
        return guarded.padded(drawn(random, dtype, *shape), dtype, pads=pads)

    for n_in, m in ((1, 8), (5, 23), (16, 16), (33, 40), (100, 67)):
        a, delta = padded(m, n_in, pads=np.nan), padded(m, n_out)
        w, b = padded(n_in, n_out), padded(1, n_out)
        z, below = padded(m, n_out), padded(m, n_in)
        _kernels.weighted_input(a, w, b, z)
        _kernels.backpropagate("sigmoid", w, delta, a, below)
        one_by_one, changed = guarded.padded(w, dtype), guarded.padded(w, dtype)
        for s in range(m):
            a_s, delta_s = (guarded.padded(rows[s : s + 1], dtype) for rows in (a, delta))
            z_s, below_s = padded(1, n_out), padded(1, n_in)
            _kernels.weighted_input(a_s, w, b, z_s)
            _kernels.backpropagate("sigmoid", w, delta_s, a_s, below_s)
            np.testing.assert_array_equal(z_s[0], z[s])
            np.testing.assert_array_equal(below_s[0], below[s])
            _kernels.update(one_by_one, guarded.padded(b, dtype), a_s, delta_s, 0.0, 0.0)
        _kernels.update(changed, guarded.padded(b, dtype), a, delta, 0.0, 0.0)
        np.testing.assert_array_equal(changed, one_by_one)
        assert not guarded.pads(changed).any()
        guarded.check()


def test_what_decays_is_rounded_to_the_type_once(dtype, isa, guarded):
    w = guarded.padded(np.ones((3, 5)), dtype)
    b, a, delta = np.zeros((1, 5)), np.zeros((2, 3)), np.zeros((2, 5))
    _kernels.update(w, *(guarded.padded(array, dtype) for array in (b, a, delta)), 0.9)
    np.testing.assert_array_equal(w, 1 - np.array(0.9, dtype))


def test_a_decay_of_few_units_in_the_last_place_is_the_right_one_on_average(dtype, isa):
    """2e-7 a step is 1.7 to 3.4 units of a float32, and each step is rounded."""
    lost, steps = 2e-7, 1000
    start = np.random.default_rng(4).uniform(1, 2, (1, 1000)).astype(dtype)
    w, b = _kernels.padded(1, 1000, dtype), _kernels.padded(1, 1000, dtype)
    a, delta = _kernels.padded(1, 1, dtype), _kernels.padded(1, 1000, dtype)
    w[...] = start
    for _ in range(steps):
        _kernels.update(w, b, a, delta, lost)
    decayed = np.mean(start.astype(np.float64) - w)
    exact = np.mean(start.astype(np.float64)) * (1 - (1 - lost) ** steps)
    assert decayed == pytest.approx(exact, rel=0.02, abs=0)


# ---- output_error and cost_sum ---------------------------------------------


def output_layer(random, pair, dtype, m, n):
    """(z, a, y) of an output layer, exact in dtype, as float64; some neurons saturated."""
    output, cost = pair
    z = 4 * drawn(random, dtype, m, n)
    z[random.random((m, n)) < 0.1] *= 16
    y = random.random((m, n))
    if of_kernel(cost).rows_sum_to_one:
        y /= y.sum(axis=1, keepdims=True)
    if [*of_kernel(cost).errors] == ["linear"]:
        y = 9 * y - 4
    if output == "exponential":
        z /= 8  # within the range of both types
    a = z.copy()
    if output != "linear":
        getattr(reference, {"exponential": "exp"}.get(output, output))(z, a)
    return z, a.astype(dtype).astype(np.float64), y.astype(dtype).astype(np.float64)


def test_output_error_is_the_factor_times_the_cost_s_slope(pair, dtype, isa, guarded):
    random = np.random.default_rng(4)
    factor = float(np.array(-0.3, dtype))
    for n in SIZES:
        for m in EXAMPLES:
            _, *arrays = output_layer(random, pair, dtype, m, n)
            expected = np.empty((m, n))
            reference.output_error(*pair, *arrays, factor, expected)
            inputs = [guarded.padded(array, dtype, pads=np.nan) for array in arrays]
            delta = guarded.padded(np.full((m, n), np.nan), dtype, pads=np.nan)
            _kernels.output_error(*pair, *inputs, factor, delta)
            # Rounded are a - y, 1 - a, and three products.
            excess = np.abs(delta - expected) - 5 * unit(dtype) * np.abs(expected)
            assert excess.max() <= np.finfo(dtype).tiny, (m, n)
            few = 12 if pair[0] == "linear" else 1  # signs may be equal
            assert n * m <= few or pair[0] == "softmax" or np.unique(delta).size > 1
            assert not guarded.pads(delta).any(), "pads of an error have to be zero"
            for array, before in zip(inputs, arrays, strict=True):
                np.testing.assert_array_equal(array, before)
            guarded.check()


def test_cost_sum_is_that_of_float64_whatever_the_type(pair, dtype, isa, guarded):
    """All terms of the costs are taken in double, so one tolerance serves both types."""
    random = np.random.default_rng(5)
    costs = []
    for n in (*SIZES, 63, 64, 65, 129):
        for m in EXAMPLES:
            z, _, y = output_layer(random, pair, dtype, m, n)
            expected = reference.cost_sum(*pair, z, y)
            inputs = [guarded.padded(array, dtype, pads=np.nan) for array in (z, y)]
            cost = _kernels.cost_sum(*pair, *inputs)
            # Sums of m n terms, a few roundings each, of the size of what they are made from.
            size = np.abs(z) + np.abs(y) + 1 + (z**2 if pair[0] == "linear" else 0)
            size *= y if pair[0] == "softmax" else 1
            size += np.exp(z) + np.abs(y * z) if pair[0] == "exponential" else 0
            assert abs(cost - expected) <= (m * n + 8) * 2.0**-53 * size.sum(), (m, n)
            costs.append(cost)
            guarded.check()
    assert len(set(costs)) > 100


def test_saturated_outputs_cost_what_the_formula_says(dtype, isa):
    """Neither NaN nor a clipped value where 1 - a rounds to 0."""
    z, y = _kernels.padded(2, 2, dtype), _kernels.padded(2, 2, dtype)
    z[...], y[...] = [[1000, -1000], [-1000, 1000]], [[1, 0], [1, 0]]
    assert _kernels.cost_sum("sigmoid", "cross-entropy", z, y) == 2000.0
    assert _kernels.cost_sum("softmax", "log-likelihood", z, y) == 2000.0
    assert _kernels.cost_sum("sigmoid", "quadratic", z, y) == 1.0
    # and nothing is lost beside the 1 of 1 + e^-z where the neuron is right
    z[...] = [[30, -30], [33, -33]]
    cost = _kernels.cost_sum("sigmoid", "cross-entropy", z, y)
    expected = 2 * np.log1p(np.exp(-30)) + 2 * np.log1p(np.exp(-33))
    assert cost == pytest.approx(expected, rel=1e-15, abs=0)
    # the exponential of 1000 is beyond the range, whatever is subtracted
    y[...] = [[np.finfo(dtype).max / 4, 0], [0, 3]]
    z[...] = [[1000, -1000], [1000, 0]]
    assert _kernels.cost_sum("exponential", "poisson", z[:1], y[:1]) == np.inf
    assert _kernels.cost_sum("exponential", "poisson", z[1:], y[1:]) == np.inf
    z[...] = [[np.inf, -np.inf], [-np.inf, 0]]
    assert _kernels.cost_sum("exponential", "poisson", z[:1], y[:1]) == np.inf
    assert _kernels.cost_sum("exponential", "poisson", z[1:], y[1:]) == 1.0
    assert _kernels.cost_sum("linear", ("huber", 1.0), z, y) >= float(np.finfo(dtype).max)


def test_the_errors_of_the_costs_with_kinks_are_exact_there(dtype, isa):
    a, y = _kernels.padded(1, 6, dtype), _kernels.padded(1, 6, dtype)
    delta = _kernels.padded(1, 6, dtype)
    a[...], y[...] = [[2, -1, 3, 0.5, 1, 0]], [[2, 2, -1, 0.25, 0, 1]]
    _kernels.output_error("linear", "absolute", a, y, 0.5, delta)
    assert delta.tolist() == [[0, -0.5, 0.5, 0.5, 0.5, -0.5]]
    _kernels.output_error("linear", ("huber", 1.0), a, y, 0.5, delta)
    assert delta.tolist() == [[0, -0.5, 0.5, 0.125, 0.5, -0.5]]
    assert _kernels.cost_sum("linear", "absolute", a, y) == 3 + 4 + 0.25 + 1 + 1
    assert _kernels.cost_sum("linear", ("huber", 1.0), a, y) == 2.5 + 3.5 + 0.03125 + 0.5 + 0.5


@pytest.mark.parametrize("cost", [c().kernel for c in COSTS if "linear" in c.errors])
def test_an_output_that_is_not_a_number_has_an_error_that_is_none(cost, dtype, isa):
    a, y, delta = (_kernels.padded(1, 3, dtype) for _ in range(3))
    a[...] = [[np.nan, 1, np.inf]]
    _kernels.output_error("linear", cost, a, y, 1.0, delta)
    assert np.isnan(delta).tolist() == [[True, False, False]]
    assert delta[0, 1:].min() > 0


# ln cosh r and tanh r, from series and asymptotic formulas in 120 bits.
LOG_COSH = [
    (1e-150, 5e-301, 1e-150),
    (1e-8, 5.0000000000000001259e-17, 9.9999999999999998759e-9),
    (0.25, 0.030929803620161371456, 0.24491866240370912928),
    (0.49, 0.11553277867718743218, 0.45421643268225905811),
    (0.51, 0.12477487954164739634, 0.46994519893303762824),
    (1, 0.43378083048302718703, 0.76159415595576488812),
    (20, 19.306852819440054695, 1),
    (1e4, 9999.3068528194400547, 1),
]


@pytest.mark.parametrize(("r", "value", "slope"), LOG_COSH)
def test_log_cosh_is_exact_to_8_ulp_near_the_target_and_far_from_it(r, value, slope, dtype, isa):
    a, y = _kernels.padded(1, 2, dtype), _kernels.padded(1, 2, dtype)
    delta = _kernels.padded(1, 2, dtype)
    if dtype == "float32" and float(np.float32(r)) != r:
        pytest.skip("float32 has no such number")
    for sign in (1, -1):
        a[0, 0] = sign * r
        assert abs(_kernels.cost_sum("linear", "log-cosh", a, y) - value) <= 8 * np.spacing(value)
        _kernels.output_error("linear", "log-cosh", a, y, 1.0, delta)
        assert abs(delta[0, 0] - sign * slope) <= 2 * np.spacing(np.array(slope, dtype))


def test_log_cosh_is_finite_and_its_error_one_at_the_ends_of_the_range(dtype, isa):
    a, y, delta = (_kernels.padded(1, 2, dtype) for _ in range(3))
    largest = float(np.finfo(dtype).max)
    a[...] = [[largest, -largest]]
    value = _kernels.cost_sum("linear", "log-cosh", a[:, :1], y[:, :1])
    assert value == pytest.approx(largest, rel=1e-15)
    _kernels.output_error("linear", "log-cosh", a, y, 1.0, delta)
    assert delta.tolist() == [[1, -1]]


# ---- gathering, through feedforward and gradient ---------------------------


@pytest.fixture(params=["uint8", "float32", "float64"])
def inputs(request):
    return request.param


# Which columns are in use is found for runs of 16.
@pytest.mark.parametrize("n_in", [1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130, 300])
def test_examples_of_every_type_arrive_scaled(
    n_in, inputs, dtype, isa, guarded, random_parameters, random_examples
):
    """Alone in a linear layer: a = x W + b, and under the quadratic cost nabla = x^T (a - y)."""
    sizes = (n_in, 3)
    parameters = random_parameters(sizes, dtype, 6)
    w, b = (part.astype(np.float64) for part in reference.layers(sizes, parameters)[0])
    for n in (1, 3, 63, 64, 65, 129):
        X, scale, y = random_examples(2 * n, sizes, "quadratic", n, inputs=inputs)
        X, y = X[::2], np.ascontiguousarray(y[::2])
        assert n == 1 or np.ptp(X) > 0
        x = reference.inputs(X, scale, dtype).astype(np.float64)
        expected = x @ w + b
        terms = np.abs(x) @ np.abs(w) + np.abs(b)
        out = guarded.vector(np.full(n * 3, np.nan), dtype).reshape(n, 3)
        kernel_calls.feedforward((sizes, "linear", None, parameters), (X, scale), out)
        assert_close(out, expected, terms, n_in + 1, dtype, (n_in, 3, n))

        error, largest = expected - np.eye(3)[y], terms + 1
        nabla = guarded.vector(np.full(len(parameters), np.nan), dtype)
        kernel_calls.gradient((sizes, "linear", "quadratic", parameters), (X, scale, y), nabla)
        nabla_w, nabla_b = reference.layers(sizes, nabla)[0]
        roundings, shape = n + n_in + 3, (n_in, 3, n)
        assert_close(nabla_w, x.T @ error, np.abs(x.T) @ largest, roundings, dtype, shape)
        assert_close(nabla_b, error.sum(axis=0), largest.sum(axis=0), roundings, dtype, shape)
        guarded.check()


# Fewer columns than a run, and a run and more.
@pytest.mark.parametrize("n_in", [5, 40])
def test_a_column_that_only_the_last_example_uses_is_used(n_in, inputs, dtype, isa):
    X = np.zeros((300, n_in), inputs)
    X[-1] = 1 + np.arange(n_in)
    parameters = _kernels.aligned(_kernels.layout([n_in, 2], dtype)[0], dtype)
    nabla = parameters.copy()
    y = np.full((300, 2), -1.0)  # with parameters of zero the error is one
    kernel_calls.gradient(([n_in, 2], "linear", "quadratic", parameters), (X, 1.0, y), nabla)
    nabla_w, nabla_b = reference.layers([n_in, 2], nabla)[0]
    assert nabla_w.tolist() == [[1 + j, 1 + j] for j in range(n_in)]
    assert nabla_b.tolist() == [300, 300]


def test_a_label_of_no_class_is_a_target_of_zeros(pair, dtype, isa, random_parameters):
    sizes, X = (6, 5, 3), np.random.default_rng(5).random((4, 6))
    parameters = random_parameters(sizes, dtype, 5)
    gradients = []
    for y in (np.array([1, 99, -1, 2]), np.eye(5)[[1, 3, 4, 2], :3]):
        nabla = np.empty_like(parameters)
        kernel_calls.gradient((sizes, *pair, parameters), (X, 1.0, y), nabla)
        gradients.append(nabla)
    assert gradients[0].any()
    np.testing.assert_array_equal(*gradients)


def test_a_scale_is_applied_before_the_one_rounding(inputs, dtype, isa):
    """value * scale in float64, then rounded to the network's type, for each of 256 values."""
    scale = 0.1
    X = np.arange(256).astype(inputs).reshape(256, 1)
    parameters = _kernels.aligned(_kernels.layout([1, 1], dtype)[0], dtype)
    parameters[0] = 1
    out = np.empty((256, 1), dtype)
    kernel_calls.feedforward(([1, 1], "linear", None, parameters), (X, scale), out)
    expected = [np.array(v * scale, dtype) for v in range(256)]
    np.testing.assert_array_equal(out[:, 0], expected)
    np.testing.assert_array_equal(reference.inputs(X, scale, dtype)[:, 0], expected)
