"""Bad input: one clear error, and the network and its random numbers untouched."""

import numpy as np
import pytest
from refusals import GOOD, HUGE, X, assert_refused, network

import fastnet
from fastnet import Network

# ---- the constructor


@pytest.mark.parametrize(
    "sizes",
    [[], [3], [3, 0], [3, -1], [0, 3], [3, 2.5], [3, 2.0], [3, True], [3, None], [3, "2"], "32",
     [3, float("nan")], [[3, 2]], 5, None, [3, 2**31], [3, 2**80], np.array([3.0, 2.0])],
)  # fmt: skip
def test_sizes_that_are_not_two_or_more_positive_integers_are_refused(sizes):
    with pytest.raises(ValueError, match=r"^sizes: expected two or more .*got ") as caught:
        Network(sizes)
    came, message = (
        text.replace("(", "[").replace(")", "]") for text in (repr(sizes), str(caught.value))
    )
    assert came in message


@pytest.mark.parametrize("cost", ["cross entropy", "CrossEntropyCost", "mse", "", 0, b"quadratic"])
def test_an_unknown_cost_is_refused(cost):
    with pytest.raises(ValueError, match=r"^cost: expected one of") as caught:
        Network([4, 3], cost)
    for word in (*fastnet.nn.costs.NAMES, repr(cost)):
        assert word in str(caught.value)


@pytest.mark.parametrize("output", ["relu", "Sigmoid", "", 1, ["sigmoid"]])
def test_an_unknown_output_layer_is_refused(output):
    with pytest.raises(ValueError, match=r"^output: expected one of") as caught:
        Network([4, 3], output=output)
    for word in ("sigmoid", "softmax", "linear", "exponential", repr(output)):
        assert word in str(caught.value)


@pytest.mark.parametrize("dtype", ["float16", "int32", "half", None, 32, complex, "", {}])
def test_an_unknown_dtype_is_refused(dtype):
    with pytest.raises(ValueError, match=r"^dtype: expected one of float32, float64") as caught:
        Network([4, 3], dtype=dtype)
    assert repr(dtype) in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 1.5, "one", [1, -1], object()])
def test_a_seed_that_numpy_would_not_take_is_refused(seed):
    with pytest.raises((ValueError, TypeError), match=r"^seed: expected") as caught:
        Network([4, 3], seed=seed)
    assert repr(seed) in str(caught.value)


def test_a_refused_network_draws_nothing_from_a_generator_that_is_shared():
    generator = np.random.default_rng(1)
    for arguments in (
        {"sizes": [4]}, {"sizes": [4, 2**31]}, {"cost": "mse"}, {"output": "relu"}, {"dtype": "f2"},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"^{next(iter(arguments))}: "):
            Network(**{"sizes": [4, 3], **arguments}, seed=generator)
    assert generator.bit_generator.state == np.random.default_rng(1).bit_generator.state


# ---- the numbers of SGD, update_mini_batch and total_cost

NOT_INTEGERS = [1.5, 2.0, "2", None, True, float("nan"), [2], 1j]
NOT_RATES = [
    float("nan"), float("inf"), -float("inf"), -0.1, HUGE, -HUGE,
    "0.5", None, 1j, [0.5], True, np.array([0.5, 0.6]),
]  # fmt: skip


@pytest.mark.parametrize("size", [0, -1, -HUGE, *NOT_INTEGERS], ids=lambda v: repr(v)[:9])
def test_a_mini_batch_size_below_1_is_refused(size):
    words = ("mini_batch_size: expected", repr(size))
    assert_refused(lambda net: net.SGD(GOOD, 1, size, 0.5), words)


@pytest.mark.parametrize("epochs", [-1, *NOT_INTEGERS])
def test_a_number_of_epochs_below_0_is_refused(epochs):
    assert_refused(lambda net: net.SGD(GOOD, epochs, 5, 0.5), ("epochs: expected", repr(epochs)))


@pytest.mark.parametrize("eta", NOT_RATES, ids=lambda v: repr(v)[:9])
def test_an_eta_that_is_negative_or_not_finite_is_refused(eta):
    words = ("eta: expected", repr(eta)[:9])
    assert_refused(lambda net: net.SGD(GOOD, 1, 5, eta), words)
    assert_refused(lambda net: net.update_mini_batch(GOOD, eta, 0.0, 12), words)


@pytest.mark.parametrize("lmbda", NOT_RATES, ids=lambda v: repr(v)[:9])
def test_a_lmbda_that_is_negative_or_not_finite_is_refused(lmbda):
    words = ("lmbda: expected", repr(lmbda)[:9])
    assert_refused(lambda net: net.SGD(GOOD, 1, 5, 0.5, lmbda), words)
    assert_refused(lambda net: net.update_mini_batch(GOOD, 0.5, lmbda, 12), words)
    assert_refused(lambda net: net.total_cost(GOOD, lmbda), words)


@pytest.mark.parametrize("n", [0, -1, *NOT_INTEGERS])
def test_a_size_of_the_training_set_below_1_is_refused(n):
    words = ("n: expected", repr(n))
    assert_refused(lambda net: net.update_mini_batch(GOOD, 0.5, 0.1, n), words)


# ---- arrays and layers


def test_what_is_no_array_at_all_is_told_as_it_came():
    for y in (None, {"a": 1}, "abc"):
        with pytest.raises(TypeError, match=r"^y: expected an array, got "):
            fastnet.Dataset(X, y)
    with pytest.raises(TypeError, match=r"^a: expected an array, got 'abc'$"):
        network().feedforward("abc")


def test_a_layer_that_is_not_there_is_missed_by_name():
    for name in ("weights", "biases"):
        with pytest.raises(
            IndexError, match=rf"^{name}: expected an index from -\d+ to \d+, got 7"
        ):
            getattr(network(), name)[7]


def test_a_predictor_says_what_is_beyond_the_range():
    predict = fastnet.Network([2, 1], seed=1).predictor()
    with pytest.raises(
        ValueError, match=r"^x: expected inputs within the range of float32, got 1e"
    ):
        predict(np.full(2, 1e300))


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]", "U3", "O"])
def test_an_array_without_numbers_is_an_error_of_feedforward(dtype):
    a = np.zeros(3, dtype)
    with pytest.raises(TypeError, match=r"^a: expected numbers, got "):
        fastnet.Network([3, 2], seed=1).feedforward(a)
