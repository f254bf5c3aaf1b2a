"""Hidden neurons: accuracy of activations and slopes, special values, lengths, bounds."""

import decimal
import functools
import math
from decimal import Decimal

import numpy as np
import pytest

from fastnet import reference
from fastnet.core import _kernels
from fastnet.nn.activations import HIDDEN

LENGTHS = (0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100)

# Below the first, z Phi(z) counts as zero; from the second on, all are 1 or z.
DOMAIN = {"float32": (-13.14, 20.0), "float64": (-37.61, 45.0)}

# Largest error of the activation in units in the last place: with fused multiply-add,
# without. Measured over all float32 from 3e-5 to 16, and over about 10^8 float64.
LIMITS = {
    ("tanh", "float32"): (1.45, 1.45),
    ("tanh", "float64"): (1.70, 1.77),
    ("gelu", "float32"): (5.52, 6.51),
    ("gelu", "float64"): (7.97, 10.31),
    ("swish", "float32"): (2.79, 2.79),
    ("swish", "float64"): (2.45, 2.45),
}

# Of the slope, in eps; of GELU's and Swish's, whose terms cancel, in eps of the sum of their
# magnitudes, Phi(z) + |z| phi(z) for GELU.
SLOPE_LIMITS = {
    ("sigmoid", "float32"): (0.75, 0.75),
    ("sigmoid", "float64"): (0.75, 0.75),
    ("tanh", "float32"): (0.98, 1.11),
    ("tanh", "float64"): (1.00, 1.12),
    ("gelu", "float32"): (2.60, 2.60),
    ("gelu", "float64"): (2.90, 3.00),
    ("swish", "float32"): (2.30, 2.60),
    ("swish", "float64"): (2.40, 2.80),
}

# Where the largest errors were found.
WORST = {
    "sigmoid": [8.663412094116211, 18.165841092213938],
    "tanh": [0.5632083415985107, 0.534693008075324, 0.5359304189233735],
    "gelu": [-5.962073802947998, -9.24590015411377, -20.58522525755018, -11.51847075824599],
    "swish": [-16.69378662109375, -1.4871023083870809e-08],
}


def both(limits):
    """Every function and type that has a limit."""
    return pytest.mark.parametrize(("neurons", "dtype"), limits)


# ---- oracles ---------------------------------------------------------------


def normal(x):
    """Phi(-x) and phi(x) for x >= 0, in the precision of the decimal context."""
    two_pi = 2 * Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
    density = (-x * x / 2).exp() / two_pi.sqrt()
    if x < 6:  # Phi(x) = 1/2 + phi(x) (x + x^3 / 3 + x^5 / (3 5) + ...)
        term, total, odd = x, x, 1
        while term > total.scaleb(-60):
            odd += 2
            term *= x * x / odd
            total += term
        return Decimal("0.5") - density * total, density
    fraction = x  # Laplace: phi(x) / (x + 1 / (x + 2 / (x + ...)))
    for k in range(60, 0, -1):
        fraction = x + k / fraction
    return density / fraction, density


def exact(neurons, z):
    """f(z), f'(z) and the scale of f's error, to 30 digits or more."""
    if neurons == "swish":
        sigma = 1 / (1 + (-z).exp())
        terms = sigma, z * sigma * (1 - sigma)
        return z * sigma, sum(terms), terms[0] + abs(terms[1])
    if neurons == "gelu":
        tail, density = normal(abs(z))
        distribution = tail if z < 0 else 1 - tail
        return z * distribution, distribution + z * density, distribution + abs(z) * density
    e = (2 * z if neurons == "tanh" else z).exp()
    if neurons == "tanh":
        return (e - 1) / (e + 1), 4 * e / (e + 1) ** 2, Decimal(1)
    return e / (1 + e), e / (1 + e) ** 2, Decimal(1)


@functools.cache
def oracle(neurons, dtype):
    """z, f(z), what it lacks, f'(z), what it lacks, the scale of f's error."""
    low, high = DOMAIN[dtype]
    low = -80.0 if neurons == "swish" else low  # which goes on
    if dtype == "float32":  # float64 is precise enough; every 1013th number of float32
        step = np.arange(1 << 29, int(np.float32(high).view(np.uint32)), 1013, np.uint32)
        z = np.concatenate([step, step | np.uint32(1 << 31)]).view(np.float32)
        z = np.concatenate([z, np.float32(WORST[neurons])])
        z = z[z > low]
        wide = z.astype(np.float64)
        a, slope = np.empty_like(wide), np.empty_like(wide)
        reference.activate(neurons, wide, a, slope)
        scale = 1.0
        if neurons == "gelu":
            density = np.exp(-wide * wide / 2) / math.sqrt(2 * math.pi)
            scale = slope - wide * density + np.abs(wide) * density
        if neurons == "swish":
            sigma = 1 / (1 + np.exp(-wide))
            scale = sigma + np.abs(wide) * sigma * (1 - sigma)
        return z, a, 0.0, slope, 0.0, scale
    random = np.random.default_rng(7)
    z = [random.uniform(low, high, 4000), random.uniform(-8, 8, 4000), random.uniform(-1, 1, 4000)]
    z = np.concatenate([*z, 10 ** random.uniform(-9, 0, 1000), WORST[neurons]])
    with decimal.localcontext(prec=60):
        rows = [exact(neurons, Decimal(v)) for v in z.tolist()]
        table = np.array([[float(v) for v in row] for row in rows])
        rests = np.array([[float(v - Decimal(float(v))) for v in row] for row in rows])
    return z, table[:, 0], rests[:, 0], table[:, 1], rests[:, 1], table[:, 2]


def ulps(result, y, rest):
    """The error of ``result`` in units in the last place of the exact y + rest."""
    info = np.finfo(result.dtype)
    exponent = np.maximum(np.frexp(np.abs(y))[1] - 1, info.minexp)
    return np.abs((result.astype(np.float64) - y) - rest) / np.ldexp(1.0, exponent - info.nmant)


def activate(neurons, z):
    """The kernel's activations and slopes; nothing behind the results may change."""
    z = np.array(z)
    results = [np.full(len(z) + 64, 0.125, z.dtype) for _ in range(2)]
    _kernels.activate(neurons, z, *(result[: len(z)] for result in results))
    assert all((result[len(z) :] == 0.125).all() for result in results)
    return tuple(result[: len(z)] for result in results)


# ---- accuracy --------------------------------------------------------------


@both(LIMITS)
def test_the_largest_error_is_within_the_stated_limit(neurons, dtype, isa):
    z, y, rest, _, _, _ = oracle(neurons, dtype)
    assert np.unique(z).size > 10_000
    errors = ulps(activate(neurons, z)[0], y, rest)
    fused, plain = LIMITS[neurons, dtype]
    worst = errors.argmax()
    assert errors[worst] <= (plain if isa == "baseline" else fused), f"at {z[worst]!r}"


@both(LIMITS)
def test_the_stated_limit_is_a_measured_one(neurons, dtype, isa):
    z, y, rest, _, _, _ = oracle(neurons, dtype)
    limit = LIMITS[neurons, dtype][isa == "baseline"]
    assert ulps(activate(neurons, z)[0], y, rest).max() > limit - 0.02


@both(SLOPE_LIMITS)
def test_the_largest_error_of_the_slope_is_within_the_stated_limit(neurons, dtype, isa):
    z, _, _, y, rest, scale = oracle(neurons, dtype)
    slope = activate(neurons, z)[1]
    assert np.unique(slope).size > 1000
    errors = np.abs((slope.astype(np.float64) - y) - rest) / (scale * np.finfo(dtype).eps)
    fused, plain = SLOPE_LIMITS[neurons, dtype]
    worst = errors.argmax()
    assert errors[worst] <= (plain if isa == "baseline" else fused), f"at {z[worst]!r}"


@pytest.mark.parametrize("neurons", ["sigmoid", "tanh", "gelu", "swish"])
def test_the_reference_is_accurate_too(neurons):
    """In float64. GELU's relative error grows with z^2: z / sqrt(2) is rounded twice."""
    z, y, rest, slope, slope_rest, scale = oracle(neurons, "float64")
    results = np.empty_like(z), np.empty_like(z)
    reference.activate(neurons, z, *results)
    limit = 4 + (2 * z * z if neurons == "gelu" else 0)
    assert (ulps(results[0], y, rest) <= limit).all()
    errors = np.abs((results[1] - slope) - slope_rest) / (scale * np.finfo(np.float64).eps)
    assert (errors <= limit).all()


def test_relus_are_exact(dtype, isa):
    z = np.random.default_rng(5).normal(0, 3, 1000).astype(dtype)
    zero, one = np.array([0, 1], dtype)
    leaky = [(("leaky-relu", leak), np.array(leak, dtype)) for leak in (0.01, 0.2, 1e-30, 1)]
    for neurons, factor in (("relu", zero), *leaky):
        a, slope = activate(neurons, z)
        np.testing.assert_array_equal(a, np.where(z > 0, z, factor * z))
        np.testing.assert_array_equal(slope, np.where(z > 0, one, factor))


def test_linear_neurons_pass_every_number_on(dtype, isa):
    z = np.random.default_rng(5).normal(0, 3, 1000).astype(dtype)
    a, slope = activate("linear", z)
    np.testing.assert_array_equal(a, z)
    np.testing.assert_array_equal(slope, np.ones_like(z))


def test_sigmoid_neurons_have_the_bits_of_the_sigmoid_kernel(dtype, isa):
    z = np.random.default_rng(6).normal(0, 5, 1001).astype(dtype)
    out = np.empty_like(z)
    _kernels.sigmoid(z, out)
    a, slope = activate("sigmoid", z)
    np.testing.assert_array_equal(a, out)
    np.testing.assert_array_equal(slope, out * (1 - out))


def test_tanh_is_odd_and_never_leaves_its_range(dtype, isa):
    z = np.linspace(0, 30, 20_001).astype(dtype)
    a, slope = activate("tanh", z)
    mirrored, same = activate("tanh", -z)
    np.testing.assert_array_equal(mirrored, -a)
    np.testing.assert_array_equal(same, slope)
    assert a.max() == 1
    assert slope.min() == 0
    assert ((a[1:] - a[:-1]) / np.spacing(a[1:]) >= -4).all()  # twice the largest error


def test_all_instruction_sets_with_fused_multiply_add_give_the_same_bits(neurons, dtype):
    names = [name for name in _kernels.available() if name != "baseline"]
    if len(names) < 2:
        pytest.skip(f"of instruction sets with fused multiply-add this machine has {names} only")
    z = np.linspace(-40, 40, 100_001).astype(dtype)
    before, found = _kernels.isa(), []
    try:
        for name in names:
            _kernels.select(name)
            found.append(activate(neurons, z))
    finally:
        _kernels.select(before)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


# ---- special values --------------------------------------------------------


@pytest.mark.parametrize(
    ("neurons", "limits", "slopes"),
    [
        ("sigmoid", (0, 1), (0, 0.25, 0)),
        ("linear", (-np.inf, np.inf), (1, 1, 1)),
        ("tanh", (-1, 1), (0, 1, 0)),
        ("relu", (0, np.inf), (0, 0, 1)),
        (("leaky-relu", 0.01), (-np.inf, np.inf), (0.01, 0.01, 1)),
        (("leaky-relu", 0.2), (-np.inf, np.inf), (0.2, 0.2, 1)),
        ("gelu", (0, np.inf), (0, 0.5, 1)),
        ("swish", (0, np.inf), (0, 0.5, 1)),
    ],
)
def test_infinity_zero_and_nan(neurons, limits, slopes, dtype, isa):
    a, slope = activate(neurons, np.array([-np.inf, np.inf, np.nan], dtype))
    np.testing.assert_array_equal(a, np.array([*limits, np.nan], dtype))
    np.testing.assert_array_equal(slope[:2], np.array([slopes[0], slopes[2]], dtype))
    a, slope = activate(neurons, np.array([-0.0, 0.0], dtype))
    np.testing.assert_array_equal(a, 0.5 if neurons == "sigmoid" else 0)
    np.testing.assert_array_equal(slope, np.array([slopes[1]] * 2, dtype))


def test_the_ends_of_the_range_of_numbers(neurons, dtype, isa):
    info = np.finfo(dtype)
    z = np.array([info.max, -info.max, info.tiny, -info.tiny, info.smallest_subnormal], dtype)
    a, slope = activate(neurons, z)
    expected = np.empty_like(a), np.empty_like(a)
    with np.errstate(under="ignore"):
        reference.activate(neurons, z, *expected)
    small = info.tiny * np.array(1.01, dtype)  # less may count as zero
    np.testing.assert_allclose(a, expected[0], rtol=0, atol=small)
    np.testing.assert_allclose(slope[:4], expected[1][:4], rtol=info.eps, atol=small)


def test_gelu_of_what_is_too_negative_is_zero_and_before_it_is_not(dtype, isa):
    tiny = np.finfo(dtype).tiny
    beyond = np.linspace(1.001, 3, 1000) * DOMAIN[dtype][0]
    a, slope = activate("gelu", beyond.astype(dtype))
    assert (a <= 0).all()
    assert (a >= -1.5 * tiny).all()
    assert (np.abs(slope) <= 50 * tiny).all()
    a, slope = activate("gelu", np.array(DOMAIN[dtype][:1], dtype))
    assert a[0] < -tiny
    assert slope[0] < -tiny


# ---- lengths and bounds ----------------------------------------------------


def test_every_element_is_computed_alone_at_every_length(neurons, dtype, isa, guarded):
    """Whatever its place in the array, its neighbours, and where the array starts."""
    values = np.random.default_rng(3).uniform(-8, 8, 100).astype(dtype)
    pairs = [activate(neurons, [value]) for value in values]
    alone, slopes = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    assert np.unique(alone).size > 40
    for length in LENGTHS:
        for misaligned in (0, 1, 3):
            z = guarded.vector(values[:length], dtype, misaligned=misaligned)
            out = guarded.vector(np.zeros(length), dtype, misaligned=misaligned // 2)
            slope = guarded.vector(np.zeros(length), dtype, misaligned=misaligned // 3)
            _kernels.activate(neurons, z, out)
            np.testing.assert_array_equal(out, alone[:length])
            np.testing.assert_array_equal(z, values[:length])
            out[...] = 0
            _kernels.activate(neurons, z, out, slope)
            np.testing.assert_array_equal(out, alone[:length])
            np.testing.assert_array_equal(slope, slopes[:length])
            np.testing.assert_array_equal(z, values[:length])
            slope[...] = 0
            again = guarded.vector(values[:length], dtype, misaligned=misaligned)
            _kernels.activate(neurons, z, z, slope)
            _kernels.activate(neurons, again, again)
            np.testing.assert_array_equal(z, alone[:length])
            np.testing.assert_array_equal(again, alone[:length])
            np.testing.assert_array_equal(slope, slopes[:length])
            guarded.check()


def test_the_reference_may_write_where_it_reads(neurons, dtype):
    z = np.linspace(-5, 5, 33).astype(dtype)
    out, slopes, same = np.empty_like(z), np.empty_like(z), np.empty_like(z)
    reference.activate(neurons, z, out, slopes)
    reference.activate(neurons, z, z, same)
    np.testing.assert_array_equal(z, out)
    np.testing.assert_array_equal(same, slopes)


# ---- arguments -------------------------------------------------------------


@pytest.mark.parametrize("module", [_kernels, reference])
def test_an_unknown_kind_of_neurons_is_refused_with_the_known_ones(module):
    out = np.ones(3)
    message = f"neurons: expected one of {', '.join(HIDDEN)}; got 'cube'"
    with pytest.raises(ValueError, match=message):
        module.activate("cube", np.ones(3), out)
    assert (out == 1).all()


@pytest.mark.parametrize(
    "neurons", ["leaky-relu", ("leaky-relu", 0.1, 0.2), ("relu", 0.1)], ids=str
)
def test_the_kernels_refuse_another_number_of_parameters(neurons):
    out, n = np.ones(3), int("leaky" in str(neurons))
    given = len(neurons) - 1 if isinstance(neurons, tuple) else 0
    message = f"^neurons: expected {n} parameters for .*relu, got {given}$"
    with pytest.raises(ValueError, match=message):
        _kernels.activate(neurons, np.ones(3), out)
    assert (out == 1).all()


@pytest.mark.parametrize(
    ("z", "out", "slope", "error", "message"),
    [
        (np.ones(4, "i4"), np.ones(4), None, TypeError, "z: expected a 1-dimensional array of"),
        (np.ones(4), np.ones(4, "f4"), None, TypeError, "out: expected a 1-dim.* of float64"),
        (np.ones(4), np.ones(5), None, ValueError, r"out: expected shape \(4,\), got \(5,\)"),
        (np.ones(4), np.ones(4), np.ones(4, "f4"), TypeError, "slope: expected a 1-dim.*float64"),
        (np.ones(4), np.ones(4), np.ones(3), ValueError, r"slope: expected shape \(4,\)"),
        (np.ones(4), np.ones(4), np.ones(8)[::2], ValueError, "slope: expected contiguous rows"),
    ],
)
def test_a_wrong_array_is_refused_by_name(z, out, slope, error, message):
    before = out.copy()
    with pytest.raises(error, match=message):
        _kernels.activate("tanh", z, out, slope)
    np.testing.assert_array_equal(out, before)
