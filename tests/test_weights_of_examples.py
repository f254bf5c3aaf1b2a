"""Examples and classes that count more or less than once."""

import functools

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import Network, reference
from fastnet.core import _kernels, execution
from fastnet.data.sample_weights import example_weights
from fastnet.nn.costs import of_kernel

SIZES = (23, 7, 4)


def random_weights(n, seed=1):
    """Most between 0 and 3, a fifth of them 0."""
    random = np.random.default_rng(seed)
    return np.where(random.random(n) < 0.2, 0.0, random.uniform(0, 3, n))


def one_epoch(pair, start, data, order, m, *, module=_kernels, delta=None, weights=None):
    after = start.copy()
    kernel_calls.train(
        (SIZES, *pair, after),
        data,
        order,
        m,
        0.3,
        l2=0.001 / 0.3,
        custom_delta=delta,
        kernels=module,
        weights=weights,
    )
    return after


def assert_near(result, expected, tolerance):
    """Within ``tolerance`` of each layer's own size."""
    pairs = zip(reference.layers(SIZES, result), reference.layers(SIZES, expected), strict=True)
    for mine, theirs in pairs:
        for part, other in zip(mine, theirs, strict=True):
            assert np.linalg.norm(part - other) <= tolerance * np.linalg.norm(other)


def own_delta(z, a, y):
    """Of no built-in cost."""
    return (a - y) ** 3 + 0.1 * z


# ---- the kernels -----------------------------------------------------------


@functools.cache
def reference_trajectory(pair, m, own, make_parameters, make_examples):
    """(start, data, weights, orders, what each epoch ends with)"""
    n = 1600 if m > 100 else 130
    start = make_parameters(SIZES, "float64", 6)
    data = make_examples(n, SIZES, pair[1], 7)
    weights, random = random_weights(n), np.random.default_rng(8)
    orders = [random.permutation(n) for _ in range(3)]
    ends, delta = [start], own_delta if own else None
    for order in orders:
        ends.append(
            one_epoch(
                pair, ends[-1], data, order, m, module=reference, delta=delta, weights=weights
            )
        )
    return start, data, weights, orders, ends[1:]


@pytest.mark.parametrize("m", [1, 3, 10, 64, 1500])
def test_every_epoch_ends_where_the_reference_ends(
    pair, m, isa, places, random_parameters, random_examples
):
    end, data, weights, orders, expected = reference_trajectory(
        pair, m, False, random_parameters, random_examples
    )
    start = end
    for order, there in zip(orders, expected, strict=True):
        end = one_epoch(pair, end, data, order, m, weights=weights)
        assert_near(end, there, 1e-10)
    assert np.linalg.norm(end - start) > 0.01
    assert not end[~places(SIZES, "float64")].any()
    plain = one_epoch(pair, start, data, orders[0], m)
    assert np.linalg.norm(plain - expected[0]) > 1e-3  # the weights do matter


@pytest.mark.parametrize("m", [1, 10, 1500])
@pytest.mark.parametrize("output", ["sigmoid", "linear", "softmax"])
def test_an_error_of_the_users_own_is_weighted_behind_the_call(
    output, m, isa, random_parameters, random_examples
):
    end, data, weights, orders, expected = reference_trajectory(
        (output, None), m, True, random_parameters, random_examples
    )
    for order, there in zip(orders, expected, strict=True):
        end = one_epoch((output, None), end, data, order, m, delta=own_delta, weights=weights)
        assert_near(end, there, 1e-10)


def test_an_output_error_s_rows_have_their_weight_in_the_factor(pair, dtype, isa, guarded):
    """factor * weight in float64, rounded once; and pads and rows of weight 0 are zero."""
    random = np.random.default_rng(3)
    weights = random_weights(12)
    assert 0 < np.count_nonzero(weights) < 12
    for n in (1, 7, 8, 16, 33):
        a, y = (guarded.padded(random.random((12, n)), dtype, pads=np.nan) for _ in range(2))
        delta = guarded.padded(np.full((12, n), np.nan), dtype, pads=np.nan)
        _kernels.output_error(*pair, a, y, -0.3, delta, weights)
        single = guarded.padded(np.zeros((1, n)), dtype)
        for s in range(12):
            row = [guarded.padded(array[s : s + 1], dtype) for array in (a, y)]
            _kernels.output_error(*pair, *row, -0.3 * weights[s], single)
            np.testing.assert_array_equal(delta[s], single[0])
        assert np.unique(delta).size > 2
        assert not guarded.pads(delta).any()
        twin = np.zeros((12, n), dtype)
        reference.output_error(*pair, a, y, -0.3, twin, weights)
        np.testing.assert_allclose(delta, twin, rtol=4 * np.finfo(dtype).eps)
        guarded.check()


def test_a_sum_of_costs_is_that_of_each_times_its_weight(pair, dtype, isa):
    random = np.random.default_rng(4)
    weights = random_weights(12)
    for n in (1, 7, 64, 129):
        z, y = _kernels.padded(12, n, dtype), _kernels.padded(12, n, dtype)
        z[...], y[...] = random.standard_normal((12, n)), random.random((12, n))
        total = _kernels.cost_sum(*pair, z, y, weights)
        single = [_kernels.cost_sum(*pair, z[s : s + 1], y[s : s + 1]) for s in range(12)]
        size = weights @ np.abs(single)
        assert total == pytest.approx(weights @ single, rel=0, abs=1e-14 * size)
        assert total == pytest.approx(reference.cost_sum(*pair, z, y, weights), abs=1e-13 * size)
        assert n == 1 or total != _kernels.cost_sum(*pair, z, y)  # of one alone softmax is 1


@pytest.mark.parametrize("n", [30, 1500])
def test_gradient_and_cost_are_weighted_sums_and_what_is_correct_is_counted(
    n, pair, isa, random_parameters, random_examples
):
    parameters = random_parameters(SIZES, "float64", 1)
    X, scale, y = random_examples(n, SIZES, pair[1], 2)
    weights, network = random_weights(n), (SIZES, *pair, parameters)
    whole, single = np.empty_like(parameters), np.empty((n, len(parameters)))
    kernel_calls.gradient(network, (X, scale, y), whole, weights=weights)
    costs = []
    for s in range(n):
        kernel_calls.gradient(network, (X[s : s + 1], scale, y[s : s + 1]), single[s])
        costs.append(kernel_calls.evaluate(network, (X[s : s + 1], scale, y[s : s + 1]))[1])
    assert np.abs(whole).max() > 1
    terms = weights @ np.abs(single)
    assert (np.abs(whole - weights @ single) <= (n + 20) * 2.0**-52 * terms).all()
    correct, cost = kernel_calls.evaluate(network, (X, scale, y), threads=2, weights=weights)
    assert correct == kernel_calls.evaluate(network, (X, scale, y))[0]
    assert cost == pytest.approx(weights @ costs, rel=1e-12)


def bits(parameters):
    """As integers, +0 and -0 alike."""
    return (parameters + 0.0).view(f"u{parameters.itemsize}")


def test_examples_of_weight_0_are_left_out_to_the_last_bit(
    pair, dtype, isa, random_parameters, random_examples
):
    start, data = random_parameters(SIZES, dtype, 1), random_examples(50, SIZES, pair[1], 2)
    weights, order = random_weights(50), np.random.default_rng(3).permutation(50)
    counting = order[weights[order] > 0]
    assert 30 < len(counting) < 50
    end = one_epoch(pair, start, data, order, 50, weights=weights)
    alone = one_epoch(pair, start, data, counting, 50, weights=weights)
    assert (end != start).any()
    np.testing.assert_array_equal(bits(end), bits(alone))


@pytest.mark.parametrize("delta", [None, lambda z, a, y: a - y])
def test_an_infinite_error_of_weight_0_is_nobody_s(delta, dtype, isa):
    """e^1000 is beyond the range."""
    sizes, pair = [1, 1], ("exponential", "poisson" if delta is None else None)
    parameters = _kernels.aligned(_kernels.layout(sizes, dtype)[0], dtype)
    parameters[0] = 1000
    data = np.array([[1.0], [0.0]]), 1.0, np.array([[1.0], [3.0]])
    for module in (_kernels, reference):
        after = parameters.copy()
        weights = np.array([0.0, 2.0])
        kernel_calls.train(
            (sizes, *pair, after),
            data,
            np.arange(2),
            2,
            0.5,
            l2=0.0,
            custom_delta=delta,
            kernels=module,
            weights=weights,
        )
        weight, bias = reference.layers(sizes, after)[0]
        assert (weight.item(), bias.item()) == (1000, 1)  # e^0 - 3, times eta
        if delta is None:
            assert (
                kernel_calls.evaluate(
                    (sizes, *pair, parameters), data, kernels=module, weights=weights
                )[1]
                == 2.0
            )
    kernel_calls.train(
        (sizes, *pair, after), data, np.arange(2), 2, 0.5, l2=0.0, custom_delta=delta
    )
    assert not np.isfinite(after).all()


@pytest.mark.parametrize("m", [2, 1500])
def test_a_mini_batch_whose_weights_are_all_0_only_decays(
    m, pair, dtype, isa, random_parameters, random_examples
):
    start, data = random_parameters(SIZES, dtype, 1), random_examples(m, SIZES, pair[1], 2)
    end = one_epoch(pair, start, data, np.arange(m), m, weights=np.zeros(m))
    pairs = zip(reference.layers(SIZES, start), reference.layers(SIZES, end), strict=True)
    for (weights, biases), (decayed, same) in pairs:
        np.testing.assert_array_equal(same, biases)
        np.testing.assert_allclose(decayed, 0.999 * weights, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("optimizer", [("plain",), ("momentum", 0.9)], ids=lambda it: it[0])
def test_l2_is_divided_by_the_weight_of_each_mini_batch(
    optimizer, isa, random_parameters, random_examples
):
    start, data = random_parameters(SIZES, "float64", 1), random_examples(40, SIZES, "quadratic", 2)
    weights = np.random.default_rng(3).uniform(0, 2, 40)
    weights[10:20] = 0  # the second mini-batch neither decays nor learns
    ends = []
    for module in (_kernels, reference):
        ends.append(start.copy())
        moments = _kernels.aligned(len(start), "float64")
        kernel_calls.train(
            (SIZES, "sigmoid", "quadratic", ends[-1]),
            data,
            np.arange(40),
            10,
            0.5,
            l2=1.5,
            kernels=module,
            optimizer=optimizer,
            moments=moments,
            weights=weights,
            divide_l2=True,
        )
    np.testing.assert_allclose(*ends, rtol=1e-10, atol=1e-12)
    assert np.abs(ends[0] - start).max() > 0.01


def test_the_kernels_refuse_weights_that_do_not_fit(random_parameters, random_examples):
    start, data = random_parameters(SIZES, "float64", 1), random_examples(5, SIZES, "quadratic", 2)
    with pytest.raises(ValueError, match=r"^weights: expected shape \(5,\), got \(4,\)"):
        one_epoch(("sigmoid", "quadratic"), start, data, np.arange(5), 2, weights=np.ones(4))
    with pytest.raises(TypeError, match=r"^weights: expected a 1-dimensional array of float64"):
        one_epoch(("sigmoid", "quadratic"), start, data, np.arange(5), 2, weights=np.ones(5, int))


# ---- a network's training --------------------------------------------------


def digits(n=60, n_out=3):
    random = np.random.default_rng(5)
    X = random.integers(1, 256, (n, 20)).astype(np.uint8)
    X[random.random(X.shape) < 0.6] = 0
    return X, random.integers(n_out, size=n)


def train(data, *, cost="cross-entropy", output=None, dtype="float64", m=10, epochs=3, **options):
    net = Network(
        [20, 6, 3], cost, output=output, dtype=dtype, seed=1, n_threads=options.pop("n", 1)
    )
    data = fastnet.Dataset(*data, scale=1 / 256, sparse=options.pop("sparse", "auto"))
    history = net.SGD(data, epochs, m, 0.5, 0.7, data, *[True] * 4, verbose=False, **options)
    return net, history


class OwnCost:
    """The cross-entropy, to be called."""

    fn = staticmethod(fastnet.CrossEntropyCost.fn)
    delta = staticmethod(fastnet.CrossEntropyCost.delta)


@pytest.mark.parametrize("cost", ["built in", OwnCost])
def test_a_whole_weight_is_the_example_as_often(cost, pair):
    """In one mini-batch of all; the decay is divided by the sum of the weights, too."""
    output, name = (pair[0], of_kernel(pair[1])) if cost == "built in" else (None, cost)
    (X, y), times = digits(), np.random.default_rng(2).integers(0, 4, 60)
    assert set(times) == {0, 1, 2, 3}
    repeated = np.repeat(X, times, axis=0), np.repeat(y, times)
    nets, histories = zip(
        train((X, y), cost=name, output=output, m=1000, epochs=8, sample_weight=times),
        train(repeated, cost=name, output=output, m=1000, epochs=8),
        strict=True,
    )
    for array, expected in zip(nets[0].weights, nets[1].weights, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(histories[0].training_cost, histories[1].training_cost, rtol=1e-11)
    assert np.ptp(histories[0].training_cost) > 0.01


@pytest.mark.parametrize(
    "weights",
    [
        {"sample_weight": np.ones(60)},
        {"class_weight": {}},
        {"class_weight": {0: 1, 1: 1.0}, "sample_weight": [1] * 60},
    ],
)
@pytest.mark.parametrize("cost", ["cross-entropy", OwnCost])
def test_weights_of_1_change_no_bit(weights, cost, dtype, isa):
    plain, weighted = (
        train(digits(), cost=cost, dtype=dtype, **options) for options in ({}, weights)
    )
    assert plain == weighted


def test_a_cost_of_the_users_own_is_weighted_like_a_built_in_one():
    own, built_in = (
        train(digits(1300), cost=cost, m=1200, sample_weight=random_weights(1300))
        for cost in (OwnCost, "cross-entropy")
    )
    for array, expected in zip(own[0].weights, built_in[0].weights, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(own[1].training_cost, built_in[1].training_cost, rtol=1e-12)
    np.testing.assert_allclose(own[1].evaluation_cost, built_in[1].evaluation_cost, rtol=1e-12)


@pytest.mark.parametrize("m", [10, 140, 1500])
def test_plans_and_threads_train_to_the_same_bits(m, dtype, isa, monkeypatch):
    monkeypatch.setattr(execution, "threads", lambda sizes, m, X, asked: min(asked or 1, m))
    results = [
        train(
            digits(1700), m=m, dtype=dtype, sparse=sparse, n=n, sample_weight=random_weights(1700)
        )
        for sparse in (True, False)
        for n in (1, 2, 3)
    ]
    assert results[0][0] != train(digits(1700), m=m, dtype=dtype)[0]
    for result in results[1:]:
        assert result == results[0]


def test_only_the_training_cost_is_monitored_with_weights():
    weights = random_weights(60)
    net, history = train(digits(), sample_weight=weights)
    X, y = digits()
    a, t = net.feedforward(X / 256), np.eye(3)[y]
    costs = -np.sum(t * np.log(a) + (1 - t) * np.log(1 - a), axis=1)
    squares = sum(np.sum(w**2) for w in net.weights)
    expected = (weights @ costs + 0.7 / 2 * squares) / weights.sum()
    assert history.training_cost[-1] == pytest.approx(expected, rel=1e-12)
    data = fastnet.Dataset(X, y, scale=1 / 256)
    assert history.evaluation_cost[-1] == net.total_cost(data, 0.7) != history.training_cost[-1]
    assert history.evaluation_accuracy == history.training_accuracy
    assert history.training_accuracy[-1] == net.accuracy(data)


def test_a_larger_weight_draws_the_answer_towards_its_target():
    """Of one input with two targets the mean is learnt, and it is a weighted one."""
    net = Network([1, 1], "quadratic", output="linear", dtype="float64", seed=1)
    data = [([0.0], 1.0), ([0.0], 5.0)]
    net.SGD(data, 100, 2, 0.5, verbose=False, sample_weight=[3, 1])
    assert net.biases[0].item() == pytest.approx((3 * 1 + 5) / 4, rel=1e-12)


# ---- classes ---------------------------------------------------------------


def test_the_weight_of_a_class_is_that_of_its_examples():
    y = digits()[1]
    by_class = np.array([2.0, 1.0, 0.5])
    named = {0: 2, np.int64(2): 0.5}  # a class that is not named weighs 1
    assert train(digits(), class_weight=named) == train(digits(), sample_weight=by_class[y])
    both = train(digits(), class_weight=named, sample_weight=random_weights(60))
    assert both == train(digits(), sample_weight=random_weights(60) * by_class[y])
    assert both[0] != train(digits())[0]


def test_balanced_classes_count_alike():
    y = np.array([0, 0, 0, 0, 0, 0, 2, 2])  # 1 and 3 do not occur
    weights = example_weights(y, 4, None, "balanced")
    np.testing.assert_allclose(weights, [8 / (2 * 6)] * 6 + [8 / (2 * 2)] * 2, rtol=1e-15)
    single = example_weights(np.array([1, 1, 0]), 2, [1, 2, 4], "balanced")
    np.testing.assert_allclose(single, [0.75, 1.5, 6.0], rtol=1e-15)
    y = digits()[1]
    weights = 60 / (3 * np.bincount(y))[y]
    assert len(set(weights)) > 1
    assert train(digits(), class_weight="balanced") == train(digits(), sample_weight=weights)


def test_one_output_neuron_has_the_classes_0_and_1():
    X, y = digits(n_out=2)
    nets = [Network([20, 1], seed=1) for _ in range(2)]
    nets[0].SGD((X / 256, y), 2, 10, 0.5, verbose=False, class_weight={1: 5})
    nets[1].SGD((X / 256, y), 2, 10, 0.5, verbose=False, sample_weight=np.where(y == 1, 5, 1))
    assert nets[0] == nets[1]


# ---- bad input -------------------------------------------------------------

NONE, WEIGHTS = np.zeros(60), np.ones(60)

BAD = {
    "too few": ({"sample_weight": WEIGHTS[1:]}, "sample_weight: ", "(60,)", "(59,)"),
    "a column": ({"sample_weight": WEIGHTS[:, None]}, "sample_weight: ", "(60, 1)"),
    "a number": ({"sample_weight": 2.0}, "sample_weight: ", "(60,)", "()"),
    "text": ({"sample_weight": ["1"] * 60}, "sample_weight: expected numbers"),
    "ragged": ({"sample_weight": [[1], [1, 2]]}, "sample_weight: ", "different lengths"),
    "negative": ({"sample_weight": WEIGHTS - 3 * np.eye(60)[5]}, "sample_weight: ", "-2"),
    "NaN": ({"sample_weight": WEIGHTS * np.nan}, "sample_weight: expected finite", "nan"),
    "infinite": ({"sample_weight": np.inf * WEIGHTS}, "sample_weight: expected finite", "inf"),
    "zeros": ({"sample_weight": NONE}, "sample_weight: ", "positive", "got 0"),
    "too much": ({"sample_weight": 1e308 * WEIGHTS}, "sample_weight: ", "finite sum", "inf"),
    "no classes": ({"class_weight": {0: 0, 1: 0, 2: 0}}, "class_weight: ", "positive", "got 0"),
    "none left": (
        {"sample_weight": np.eye(60)[0], "class_weight": {digits()[1][0]: 0}},
        "sample_weight, class_weight: ", "positive", "got 0",
    ),
    "misspelled": ({"class_weight": "balance"}, "class_weight: ", "'balanced'", "got 'balance'"),
    "a list": ({"class_weight": [1, 2, 3]}, "class_weight: ", "dict", "got [1, 2, 3]"),
    "unknown class": ({"class_weight": {3: 1.0}}, "class_weight: ", "from 0 to 2", "got 3"),
    "below 0": ({"class_weight": {-1: 1.0}}, "class_weight: ", "0 or more", "got -1"),
    "a name": ({"class_weight": {"zero": 1.0}}, "class_weight: expected an integer", "'zero'"),
    "negative class": ({"class_weight": {1: -2.0}}, "class_weight[1]: ", "0 or more", "-2"),
    "NaN class": ({"class_weight": {1: np.nan}}, "class_weight[1]: expected a finite", "nan"),
    "no number": ({"class_weight": {1: None}}, "class_weight[1]: expected a number", "None"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_weights_are_refused_by_name_before_anything_changes(case):
    options, start, *words = BAD[case]
    net, twin = Network([20, 3], seed=1), Network([20, 3], seed=1)
    with pytest.raises((ValueError, TypeError)) as caught:
        net.SGD(fastnet.Dataset(*digits()), 1, 10, 0.01, verbose=False, **options)
    assert str(caught.value).startswith(start)
    for word in words:
        assert word in str(caught.value)
    for each in (net, twin):
        each.SGD(fastnet.Dataset(*digits()), 1, 10, 0.01, verbose=False)
    assert net == twin


@pytest.mark.parametrize("class_weight", ["balanced", {0: 2.0}])
def test_targets_have_no_class_that_could_be_weighted(class_weight):
    X, y = digits()
    with pytest.raises(
        ValueError, match=r"^class_weight: .*labels.*got targets of shape \(60, 3\)"
    ):
        Network([20, 3]).SGD((X, np.eye(3)[y]), 1, 10, 0.5, class_weight=class_weight)
