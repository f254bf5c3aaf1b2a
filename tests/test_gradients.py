"""Back-propagation against finite differences of the cost, in float64."""

import math

import kernel_calls
import numpy as np
import pytest
from compressed_examples import bits

from fastnet import reference
from fastnet.core import _kernels
from fastnet.data.sparse_rows import compress
from fastnet.nn.costs import of_kernel

# Hidden layers from none to three; sizes that fill no vector and no tile.
NETWORKS = [(1, 1), (5, 3), (7, 9, 1), (3, 17, 1, 4), (5, 3, 7, 2, 3)]

# Of the central difference: its error, STEP^2 C'''/6, is below 1e-10, and the
# rounding of the two costs adds about 1e-16 C / STEP.
STEP = 1e-5

each_targets = pytest.mark.parametrize("targets", ["labels", "float32", "float64"])


@pytest.fixture(params=NETWORKS, ids=lambda sizes: "-".join(map(str, sizes)))
def sizes(request, pair):
    """One of NETWORKS; with softmax outputs two or more, since one alone is always 1."""
    *below, n_out = request.param
    return (*below, n_out if pair[0] != "softmax" else max(n_out, 2))


def assert_slopes(module, sizes, pair, parameters, data, used, hidden=None):
    """module.gradient is the slope of module.evaluate's cost; pads have none."""

    def cost():
        return kernel_calls.evaluate(
            (sizes, *pair, parameters), data, kernels=module, hidden=hidden
        )[1]

    X, scale, y = data
    out = np.empty((len(X), sizes[-1]), parameters.dtype)
    kernel_calls.feedforward(
        (sizes, pair[0], None, parameters), (X, scale), out, kernels=module, hidden=hidden
    )
    t = reference.targets(y, sizes[-1], pair[0], out.dtype)
    below, here, above = (of_kernel(pair[1]).error(pair[0], out + step, t)
                          for step in (-10 * STEP, 0, 10 * STEP))  # fmt: skip
    # No step leads over a kink, where there is no slope, or over one of the slope.
    assert np.abs(below - 2 * here + above).max() < 100 * STEP**2 * 100
    nabla, slopes = np.full_like(parameters, np.nan), np.zeros_like(parameters)
    kernel_calls.gradient((sizes, *pair, parameters), data, nabla, kernels=module, hidden=hidden)
    tolerance = 1e-15 * abs(cost()) / STEP
    for i in np.flatnonzero(used):
        at = parameters[i]
        parameters[i] = at + STEP
        above = cost()
        parameters[i] = at - STEP
        slopes[i] = (above - cost()) / (2 * STEP)
        parameters[i] = at
    assert np.unique(slopes[used]).size > 1
    np.testing.assert_array_less(np.abs(nabla - slopes), tolerance + 1e-9)
    assert not nabla[~used].any()


@each_targets
@pytest.mark.parametrize("inputs", ["uint8", "float32", "float64"])
def test_the_gradient_is_the_slope_of_the_cost(
    pair, sizes, targets, inputs, isa, places, random_parameters, random_examples
):
    parameters = random_parameters(sizes, "float64", 1)
    data = random_examples(6, sizes, pair[1], 2, inputs=inputs, targets=targets)
    assert_slopes(_kernels, sizes, pair, parameters, data, places(sizes, "float64"))


@each_targets
def test_the_reference_s_gradient_is_the_slope_of_its_cost(
    pair, sizes, targets, places, random_parameters, random_examples
):
    parameters = random_parameters(sizes, "float64", 1)
    data = random_examples(6, sizes, pair[1], 2, inputs="float64", targets=targets)
    assert_slopes(reference, sizes, pair, parameters, data, places(sizes, "float64"))


def test_the_gradient_through_hidden_neurons_of_each_kind_is_the_slope_of_the_cost(
    neurons, isa, places, random_parameters, random_examples
):
    sizes, hidden = (5, 9, 17, 3), (neurons, neurons)
    parameters = random_parameters(sizes, "float64", 20)
    data = random_examples(4, sizes, "quadratic", 21, targets="float64")
    used = places(sizes, "float64")
    # No step leads over the kink of a ReLU: no activation of these is near 0 and not 0.
    x = reference.inputs(data[0], data[1], np.float64)
    leaky = reference.NetworkCore(sizes, "linear", None, parameters, ("leaky-relu",) * 2)
    activations, _, _ = reference.forward(leaky, x)
    assert min(np.abs(a).min() for a in activations[1:]) > 10 * STEP * 0.01
    assert_slopes(_kernels, sizes, ("linear", "quadratic"), parameters, data, used, hidden)
    assert_slopes(reference, sizes, ("linear", "quadratic"), parameters, data, used, hidden)


@each_targets
def test_the_cost_of_evaluate_is_that_of_the_cost_class(
    pair, sizes, targets, dtype, isa, random_parameters, random_examples
):
    """fn(a, y) of the outputs; evaluate takes it from z, in double."""
    parameters = random_parameters(sizes, dtype, 3)
    X, scale, y = random_examples(70, sizes, pair[1], 4, targets=targets)
    out = np.empty((70, sizes[-1]), dtype)
    kernel_calls.feedforward((sizes, pair[0], None, parameters), (X, scale), out)
    correct, cost = kernel_calls.evaluate((sizes, *pair, parameters), (X, scale, y))
    choice = of_kernel(pair[1])
    t = reference.targets(y, sizes[-1], pair[0], dtype)
    # fn gets outputs that are wrong by some ULP; a dC/da says how much that matters.
    a, t = out.astype(np.float64), t.astype(np.float64)
    error = choice.error(pair[0], a, t)  # dC/da f'(z)
    slope = {"sigmoid": error / (1 - a), "softmax": t, "linear": a * error, "exponential": error}
    tolerance = 4 * np.finfo(dtype).eps * np.abs(slope[pair[0]]).sum()
    tolerance += out.size * 2.0**-53 * abs(cost)  # the two sums are rounded
    assert abs(cost - choice.fn(a.T, t.T)) <= tolerance
    assert correct == np.sum(reference.classes(out) == reference.classes(t))
    assert np.unique(out).size > 1


def test_of_equal_outputs_the_first_counts_and_one_half_counts_as_label_1(dtype, isa):
    """All parameters zero: every output of the sigmoid is 1/2."""
    X, y = np.ones((4, 2)), np.array([0, 1, 1, 1])
    for module in (_kernels, reference):
        for n_out, expected in ((1, 3), (2, 1)):
            parameters = np.zeros(_kernels.layout([2, n_out], dtype)[0], dtype)
            correct, cost = kernel_calls.evaluate(
                ([2, n_out], "sigmoid", "quadratic", parameters), (X, 1.0, y), kernels=module
            )
            assert (correct, cost) == (expected, 4 * n_out / 8)


def test_the_float32_gradient_is_the_float64_one_rounded(
    pair, isa, random_parameters, random_examples
):
    sizes = (20, 33, 17, 5)
    single = random_parameters(sizes, "float32", 5)
    double = random_parameters(sizes, "float64", 5)
    data = random_examples(30, sizes, pair[1], 6)
    nabla32, nabla64 = np.empty_like(single), np.empty_like(double)
    kernel_calls.gradient((sizes, *pair, single), data, nabla32)
    kernel_calls.gradient((sizes, *pair, double), data, nabla64)
    pairs = zip(reference.layers(sizes, nabla32), reference.layers(sizes, nabla64), strict=True)
    for layer32, layer64 in pairs:
        for part32, part64 in zip(layer32, layer64, strict=True):
            # The sums run over 30 examples and 33 neurons at most.
            tolerance = 30 * np.finfo(np.float32).eps * np.abs(part64).max()
            np.testing.assert_array_less(np.abs(part32 - part64), tolerance)
            assert np.unique(part32).size > 1


@pytest.mark.parametrize("n", [1023, 1024, 1025, 2500])
def test_the_gradient_of_many_examples_is_the_sum_of_theirs(
    n, pair, isa, random_parameters, random_examples
):
    """Gathered from pieces of 1024 examples."""
    sizes = (9, 5, 3)
    parameters = random_parameters(sizes, "float64", 7)
    X, scale, y = random_examples(n, sizes, pair[1], 8)
    whole = np.empty_like(parameters)
    kernel_calls.gradient((sizes, *pair, parameters), (X, scale, y), whole)
    single = np.empty((n, len(parameters)))
    for i in range(n):
        kernel_calls.gradient(
            (sizes, *pair, parameters), (X[i : i + 1], scale, y[i : i + 1]), single[i]
        )
    exact = np.array([math.fsum(column) for column in single.T])
    terms = np.abs(single).sum(axis=0)
    assert np.abs(exact).max() > 1
    # n roundings of the sum, and those of the single gradients once more.
    assert (np.abs(whole - exact) <= (n + 20) * 2.0**-53 * terms).all()


@pytest.mark.parametrize("n", [1, 1024, 2500])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_comes_with_the_cost_of_the_same_examples(
    n, weighted, pair, dtype, isa, random_parameters, random_examples
):
    sizes = (9, 5, 3)
    network = (sizes, *pair, random_parameters(sizes, dtype, 9))
    X, scale, y = random_examples(n, sizes, pair[1], 10)
    weights = np.random.default_rng(11).uniform(0, 3, n) if weighted else None
    costs = [
        kernel_calls.gradient(network, (X, scale, y), np.empty_like(network[-1]), weights=weights),
        kernel_calls.evaluate(network, (X, scale, y), weights=weights)[1],
        kernel_calls.gradient(
            network, (X, scale, y), np.empty_like(network[-1]), weights=weights, kernels=reference
        ),
    ]
    assert costs[0] > 0
    # the first two are sums of the same numbers, in pieces of other sizes
    assert costs[0] == pytest.approx(costs[1], rel=n * 2.0**-52)
    assert costs[0] == pytest.approx(costs[2], rel=100 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("form", ["dense", "columns", "masks"])
@pytest.mark.parametrize(("n", "sizes"), [(2100, (70, 33, 20, 3)), (1100, (300, 520, 520, 3))])
def test_threads_change_no_bit_of_gradient_and_cost(
    form, n, sizes, dtype, isa, random_parameters, random_examples
):
    network = (sizes, "softmax", "log-likelihood", random_parameters(sizes, dtype, 12))
    X, scale, y = random_examples(n, sizes, "log-likelihood", 13, inputs="float32")
    X[np.random.default_rng(14).random(X.shape) < 0.8] = 0
    rows = X if form == "dense" else compress(X, form)
    weights = np.random.default_rng(15).uniform(0, 2, n)
    results = []
    for threads in (1, 2, 3):
        nabla = np.empty_like(network[-1])
        cost = kernel_calls.gradient(
            network, (rows, scale, y), nabla, weights=weights, threads=threads
        )
        results.append((cost, bits(nabla)))
    assert np.unique(nabla).size > 1000
    assert results[0] == results[1] == results[2]
