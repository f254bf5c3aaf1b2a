"""Network: making one, its parameters, and what it answers."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import fastnet
from fastnet import CrossEntropyCost, Network
from fastnet.nn import costs

COSTS = {cost.name: cost for cost in costs.COSTS}
PAIRS = [(output, cost.name) for cost in costs.COSTS for output in cost.errors]


def digits(n=30, n_in=4, n_out=3):
    random = np.random.default_rng(5)
    return random.random((n, n_in)), random.integers(n_out, size=n)


def plain_outputs(net, X):
    """(n, n_out), by the equations, one column after the other."""
    outputs = []
    for x in X:
        a = np.reshape(x, (-1, 1))
        for l, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
            z = np.dot(w, a) + b
            last = l == len(net.sizes) - 2
            if not last or net.output == "sigmoid":
                a = 1 / (1 + np.exp(-z))
            else:
                a = z if net.output == "linear" else np.exp(z)
                a = a / a.sum() if net.output == "softmax" else a
        outputs.append(a[:, 0])
    return np.array(outputs)


# ---- making a network


@pytest.mark.parametrize("name", COSTS)
def test_a_cost_is_named_by_its_class_or_an_object_of_it_or_by_its_name(name):
    by_name, by_class = Network([2, 3], name, seed=1), Network([2, 3], COSTS[name], seed=1)
    assert by_name == by_class == Network([2, 3], COSTS[name](), seed=1)
    assert by_name.cost is COSTS[name]


@pytest.mark.parametrize(
    ("cost", "output"), [("quadratic", "sigmoid"), ("cross-entropy", "sigmoid"),
                         ("log-likelihood", "softmax"), ("absolute", "linear"),
                         ("huber", "linear"), ("poisson", "exponential")]
)  # fmt: skip
def test_without_an_output_layer_named_the_usual_one_is_taken(cost, output):
    assert Network([2, 3], cost).output == output


def test_the_cost_is_cross_entropy_and_the_type_float32_unless_told_otherwise():
    net = Network([2, 3])
    assert (net.cost, net.output, net.dtype) == (CrossEntropyCost, "sigmoid", np.float32)


@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_an_allowed_pair_of_output_and_cost_makes_a_network(output, cost):
    assert Network([2, 3], cost, output=output).output == output


@pytest.mark.parametrize(
    ("output", "cost"),
    [
        p
        for p in itertools.product(("sigmoid", "softmax", "linear", "exponential"), COSTS)
        if p not in PAIRS
    ],
)
def test_any_other_pair_raises_an_error_that_lists_the_allowed_ones(output, cost):
    with pytest.raises(ValueError, match="allowed") as caught:
        Network([2, 3], cost, output=output)
    for allowed_output, allowed_cost in PAIRS:
        assert f"{allowed_output} + {allowed_cost}" in str(caught.value)
    assert output in str(caught.value).split("allowed")[0]
    assert cost in str(caught.value).split("allowed")[0]


@pytest.mark.parametrize("dtype", ["float32", "float64", np.float32, np.float64, float])
def test_the_dtype_is_that_of_parameters_and_outputs(dtype):
    net = Network([2, 3, 2], dtype=dtype)
    arrays = [*net.weights, *net.biases, net.feedforward([0.1, 0.2]), *net.backprop([1, 2], 0)[0]]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)} == {net.dtype}


@pytest.mark.parametrize(
    "seed",
    [lambda: 3, lambda: [3, 4], lambda: np.random.SeedSequence(3), lambda: np.random.PCG64(3),
     lambda: np.random.default_rng(3), lambda: np.random.Generator(np.random.MT19937(3)),
     lambda: np.random.Philox(3), lambda: np.int64(3), lambda: 2**200],
)  # fmt: skip
def test_the_same_seed_gives_the_same_trained_network_to_the_last_bit(seed):
    nets = [Network([4, 5, 3], seed=seed()) for _ in range(2)]
    for net in nets:
        net.SGD(digits(), 3, 4, 0.5, verbose=False)
    assert nets[0] == nets[1]


def test_other_seeds_and_no_seed_give_other_networks():
    nets = [Network([4, 5, 3], seed=seed) for seed in (1, 2, [1, 2], None, None)]
    assert not any(a == b for a, b in itertools.combinations(nets, 2))


def test_a_seed_that_is_an_integer_is_what_numpy_makes_of_it():
    assert Network([4, 3], seed=3) == Network([4, 3], seed=np.random.default_rng(3))


def test_a_generator_as_seed_is_shared_and_moves_on():
    generator = np.random.default_rng(1)
    first, second = Network([4, 3], seed=generator), Network([4, 3], seed=generator)
    assert first == Network([4, 3], seed=1)
    assert first != second


@pytest.mark.parametrize("sizes", [[4, 7, 3], (4, 7, 3), np.array([4, 7, 3]), iter([4, 7, 3])])
def test_sizes_are_any_sequence_of_integers(sizes):
    net = Network(sizes)
    assert net.sizes == [4, 7, 3]
    assert net.num_layers == 3


@pytest.mark.parametrize("name", ["sizes", "num_layers", "hidden", "output", "dtype"])
def test_what_a_network_is_cannot_be_changed_by_assignment(name):
    net = Network([4, 3], seed=1)
    with pytest.raises(AttributeError, match=name):
        setattr(net, name, getattr(net, name))


# ---- the first weights


def test_the_first_numbers_are_drawn_layer_by_layer_weights_before_biases_row_by_row():
    net = Network([2, 3, 2], dtype="float64", seed=9)
    # with one input the weights are the stream's normal numbers as they come
    stream = Network([1, 6 + 3 + 6 + 2], dtype="float64", seed=9).weights[0].ravel()
    drawn = [net.weights[0] * np.sqrt(2), net.biases[0], net.weights[1] * np.sqrt(3), net.biases[1]]
    np.testing.assert_allclose(np.concatenate([a.ravel() for a in drawn]), stream, rtol=1e-15)


@pytest.mark.parametrize(("large", "deviation"), [(False, 1 / 20), (True, 1.0)])
def test_the_initializers_give_normal_numbers_of_the_deviation_they_promise(large, deviation):
    net = Network([400, 300], dtype="float64", seed=1)
    if large:
        net.large_weight_initializer()
    for array, expected in ((net.weights[0], deviation), (net.biases[0], 1.0)):
        allowed = 4 / np.sqrt(array.size)  # four deviations of the figures below
        assert abs(array.mean() / expected) < allowed
        assert abs(array.std() / expected - 1) < allowed
        assert abs(np.mean(np.abs(array) < expected) - 0.6827) < allowed
        assert len(np.unique(array)) == array.size


@pytest.mark.parametrize("generator", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_every_bit_generator_gives_normal_numbers(generator):
    net = Network([1, 10_000], dtype="float64", seed=getattr(np.random, generator)(3))
    w = net.weights[0]
    assert abs(w.mean()) < 0.04
    assert abs(w.std() - 1) < 0.04
    assert abs(np.mean(np.abs(w) < 1) - 0.6827) < 0.02
    assert len(np.unique(w)) == w.size


def test_large_weights_are_the_default_ones_times_the_root_of_the_number_of_inputs():
    large, default = (Network([4, 9, 3], dtype="float64", seed=1) for _ in range(2))
    large.large_weight_initializer()
    default.default_weight_initializer()
    for w, v, n_in in zip(large.weights, default.weights, (4, 9), strict=True):
        np.testing.assert_allclose(w, v * np.sqrt(n_in), rtol=1e-15)
    for b, c in zip(large.biases, default.biases, strict=True):
        np.testing.assert_array_equal(b, c)
    assert default != Network([4, 9, 3], dtype="float64", seed=1)  # drawn anew


# ---- copies and comparison

COPIES = {
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_copy_is_equal_and_its_training_continues_identically(make_copy, dtype):
    net = Network([4, 5, 3], dtype=dtype, seed=1)
    net.SGD(digits(), 1, 4, 0.5, verbose=False)
    twin = make_copy(net)
    assert twin == net
    for each in (net, twin):
        each.SGD(digits(), 2, 4, 0.5, verbose=False)
    assert twin == net


@pytest.mark.parametrize("make_copy", [*COPIES.values(), copy.copy], ids=[*COPIES, "copy"])
def test_training_a_copy_leaves_the_original_and_its_future_alone(make_copy):
    net, same = Network([4, 5, 3], seed=1), Network([4, 5, 3], seed=1)
    make_copy(net).SGD(digits(), 1, 4, 0.5, verbose=False)
    assert net == same
    for each in (net, same):
        each.SGD(digits(), 1, 4, 0.5, verbose=False)
    assert net == same


def test_networks_that_differ_in_anything_are_unequal():
    net = Network([4, 3], seed=1)
    others = [
        Network([4, 3], "quadratic", seed=1),
        Network([4, 3], dtype="float64", seed=1),
        Network([4, 3], seed=2),
        Network([4, 3, 3], seed=1),
        Network([4, 3], seed=1),
        Network([4, 3], seed=1),
    ]
    others[-1].biases[0][2, 0] += 1
    others[-2].weights[0][1, 3] += 1
    linear = Network([4, 3], "quadratic", output="linear", seed=1)
    assert not any(net == other for other in others)
    assert linear != Network([4, 3], "quadratic", seed=1)
    assert net == Network([4, 3], seed=1)
    assert net != "a network"


def test_a_network_is_mutable_and_so_has_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Network([4, 3]))


def test_the_text_of_a_network_says_its_shape_cost_output_and_type():
    text = repr(Network([4, 3], "log-likelihood", dtype="float64"))
    for word in ("[4, 3]", "log-likelihood", "softmax", "float64"):
        assert word in text


# ---- what it answers


@pytest.mark.parametrize(("output", "cost"), PAIRS)
@pytest.mark.parametrize("hidden", [[], [6], [6, 5]])
def test_feedforward_computes_the_equations_in_every_shape(output, cost, hidden):
    net = Network([4, *hidden, 3], cost, output=output, dtype="float64", seed=1)
    X, y = digits(n=7)
    expected = plain_outputs(net, X)
    assert np.ptp(expected) > 0.01
    answers = {
        "rows": net.feedforward(X),
        "data": net.feedforward(fastnet.Dataset(X, y)),
        "lists": net.feedforward(X.tolist()),
        "vectors": np.array([net.feedforward(x) for x in X]),
        "columns": np.array([net.feedforward(x[:, None]) for x in X])[:, :, 0],
        "one row": np.concatenate([net.feedforward(x[None]) for x in X]),
    }
    for answer in answers.values():
        assert answer.shape == (7, 3)
        np.testing.assert_allclose(answer, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("n_in", "shape", "expected"),
    [
        (4, (4,), (3,)),
        (4, (4, 1), (3, 1)),
        (4, (9, 4), (9, 3)),
        (4, (1, 4), (1, 3)),
        (4, (4, 4), (4, 3)),
        (4, (0, 4), (0, 3)),
        (1, (1,), (3,)),
        (1, (1, 1), (1, 3)),
        (1, (9, 1), (9, 3)),
    ],
)
def test_the_shape_of_the_answer_follows_that_of_the_input(n_in, shape, expected):
    assert Network([n_in, 3]).feedforward(np.ones(shape)).shape == expected


def test_a_square_input_is_rows_of_examples():
    net = Network([4, 3], seed=1)
    X = np.random.default_rng(1).random((4, 4))
    np.testing.assert_array_equal(net.feedforward(X)[1], net.feedforward(X[1]))


@pytest.mark.parametrize("shape", [(), (3,), (5,), (4, 2), (5, 1), (1, 5), (1, 4, 1), (2, 2), (0,)])
def test_any_other_shape_raises_an_error_with_the_expected_and_the_actual_shape(shape):
    with pytest.raises(ValueError, match=r"^a: expected shape") as caught:
        Network([4, 3]).feedforward(np.ones(shape))
    assert "4" in str(caught.value)
    assert str(caught.value).endswith(f"got {shape}")


@pytest.mark.parametrize("a", [[[1.0, 2.0], [1.0]], (np.ones((2, 2)), np.zeros(2, int))])
def test_an_input_that_is_no_array_raises_an_error_that_names_it(a):
    with pytest.raises((ValueError, TypeError), match=r"^a: expected"):
        Network([2, 3]).feedforward(a)


def packed(X):
    """A column of an array of records, which is not aligned."""
    records = np.zeros(len(X), [("byte", "u1"), ("X", X.dtype, X.shape[1:])])
    records["X"] = X
    return records["X"]


@pytest.mark.parametrize(
    "layout",
    [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], lambda X: X[::-1].copy()[::-1],
     lambda X: np.repeat(X, 2, axis=1)[:, ::2], packed, lambda X: packed(X.astype("f")),
     lambda X: X.astype(">f4"), lambda X: X.astype("f"), lambda X: X.astype("e"),
     lambda X: np.frombuffer(X.tobytes()).reshape(X.shape)],
    ids=["Fortran", "rows apart", "backwards", "columns apart", "packed", "packed float32",
         "big-endian", "float32", "float16", "read-only"],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_layout_and_type_of_an_input_make_no_difference(layout, dtype):
    net = Network([4, 3], dtype=dtype, seed=1)
    X = np.arange(20).reshape(5, 4) / 16
    expected = net.feedforward(X)
    assert net.feedforward(layout(X)).tolist() == expected.tolist()
    assert [net.feedforward(x).tolist() for x in layout(X)] == expected.tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_may_be_as_large_as_the_type_allows(dtype):
    net = Network([2, 1], "quadratic", output="linear", dtype=dtype)
    net.weights[0], net.biases[0] = [[0.5, 0.25]], [[0.0]]
    x = np.array([np.finfo(dtype).max, 0], dtype)
    assert net.feedforward(x)[0] == x[0] / 2


def test_feedforward_leaves_its_input_as_it_was():
    X = np.random.default_rng(1).random((5, 4)).astype(np.float32)
    before = X.copy()
    Network([4, 6, 3]).feedforward(X)
    np.testing.assert_array_equal(X, before)


def test_a_data_set_of_bytes_is_scaled_and_an_array_of_bytes_is_not():
    net = Network([4, 3], dtype="float64", seed=1)
    X = np.arange(8, dtype=np.uint8).reshape(2, 4) * 30
    np.testing.assert_array_equal(net.feedforward(X), net.feedforward(X * 1.0))
    data = fastnet.Dataset(X, [0, 1], 1 / 256)
    np.testing.assert_array_equal(net.feedforward(data), net.feedforward(X / 256))
