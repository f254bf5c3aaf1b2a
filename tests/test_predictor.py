"""Network.predictor: one example at a time."""

import numpy as np
import pytest

import fastnet
from fastnet.network import model_of
from fastnet.nn.costs import of_kernel

pytestmark = pytest.mark.covering(3)


@pytest.fixture(params=[(784, 30, 10), (5, 3), (1, 4, 1), (33, 100, 65, 17)], ids=str)
def network(request, pair, dtype):
    output, cost = pair[0], of_kernel(pair[1])
    return fastnet.Network(request.param, cost, output=output, dtype=dtype, seed=2)


def plain_examples(network, n=20):
    random = np.random.default_rng(3)
    x = random.normal(size=(n, network.sizes[0]))
    x[random.random(x.shape) < 0.5] = 0
    x[0] = 0
    return x.astype(network.dtype)


@pytest.mark.covering(2)
def test_a_predictor_gives_the_bits_of_feedforward(network, isa):
    predict, x = network.predictor(), plain_examples(network)
    expected = network.feedforward(x if network.sizes[0] > 1 else x.tolist())
    assert network.sizes[-1] == 1 or np.ptp(expected) > 0
    for one, a in zip(x, expected, strict=True):
        np.testing.assert_array_equal(predict(one), a)
        np.testing.assert_array_equal(network.feedforward(one), a)


@pytest.mark.parametrize("sizes", [(784, 30, 10), (5, 3), (33, 100, 65, 17)], ids=str)
def test_a_column_gives_the_bits_of_a_vector_in_a_new_array(sizes, dtype):
    network = fastnet.Network(sizes, dtype=dtype, seed=2)
    single, x = model_of(network).single, plain_examples(network)
    expected = network.feedforward(x)
    kept = [single.try_predict(one[:, None]) for one in x]
    for one, a, column in zip(x, expected, kept, strict=True):
        assert column.shape == (network.sizes[-1], 1)
        np.testing.assert_array_equal(column[:, 0], a)
        np.testing.assert_array_equal(network.feedforward(one[:, None]), column)


@pytest.mark.parametrize(
    "x",
    [np.ones((1, 3)), np.ones((3, 2)), np.ones((4, 1)), np.ones((3, 1, 1)), np.ones((6, 1))[::2],
     np.full((3, 1), np.nan)],
    ids=["row", "two columns", "too long", "three axes", "strided", "NaN"],
)  # fmt: skip
def test_what_is_no_column_is_left_to_the_checks_of_feedforward(x):
    net = fastnet.Network([3, 2], dtype="float64", seed=1)
    assert model_of(net).single.try_predict(x) is None
    assert model_of(net).single.try_predict(np.ones((3, 1))).shape == (2, 1)


def test_a_one_by_one_array_is_a_row_and_not_a_column():
    net = fastnet.Network([1, 2], dtype="float64", seed=1)
    assert model_of(net).single.try_predict(np.ones((1, 1))) is None
    assert net.feedforward(np.ones((1, 1))).shape == (1, 2)


def test_a_predictor_for_users_takes_no_column():
    predict = fastnet.Network([3, 2], dtype="float64", seed=1).predictor()
    with pytest.raises(ValueError, match=r"^x: expected shape \(3,\), got \(3, 1\)$"):
        predict(np.ones((3, 1)))


@pytest.mark.covering(1)
def test_a_predictor_returns_one_array_and_feedforward_a_new_one(network):
    predict, x = network.predictor(), plain_examples(network)
    first = predict(x[1])
    assert predict(x[2]) is first
    assert first.shape == (network.sizes[-1],)
    assert first.dtype == network.dtype
    kept, other = network.feedforward(x[1]), network.feedforward(x[2])
    assert not np.shares_memory(kept, other)
    assert not np.shares_memory(kept, first)


def test_a_predictor_sees_the_weights_as_they_are_when_it_is_called():
    net = fastnet.Network([2, 1], "quadratic", output="linear", dtype="float64", seed=1)
    predict = net.predictor()
    for w in (1.0, 2.0):
        net.weights[0], net.biases[0] = [[w, 0.0]], [[0.5]]
        assert predict(np.array([3.0, 9.0])).tolist() == [3 * w + 0.5]
    net.SGD(([[1.0, 1.0]], [[0.0]]), 3, 1, 0.1, verbose=False)
    x = np.array([3.0, 9.0])
    assert predict(x).tolist() == net.feedforward(x).tolist()


def test_a_predictor_outlives_its_network():
    net = fastnet.Network([3, 2], seed=1)
    x = np.ones(3, np.float32)
    expected, predict = net.feedforward(x), net.predictor()
    del net
    np.testing.assert_array_equal(predict(x), expected)


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.tolist(),
        lambda x: x.astype(np.float64),
        lambda x: x.astype(">f4"),
        lambda x: np.repeat(x, 2)[::2],
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32),
    ],
    ids=["list", "float64", "big-endian", "strided", "backwards", "misaligned"],
)
def test_examples_of_other_forms_give_the_same(form):
    net = fastnet.Network([7, 4, 3], seed=5)
    x = np.arange(7, dtype=np.float32) - 3
    expected = net.feedforward(x)
    np.testing.assert_array_equal(net.feedforward(form(x)), expected)
    np.testing.assert_array_equal(net.predictor()(form(x)), expected)


@pytest.mark.parametrize("wrong", [np.zeros(2), np.zeros(4), np.zeros((1, 3)), 1.0], ids=repr)
def test_an_example_of_another_shape_is_an_error(wrong):
    predict = fastnet.Network([3, 2], seed=1).predictor()
    with pytest.raises(ValueError, match=r"^x: expected shape \(3,\), got "):
        predict(wrong)


@pytest.mark.parametrize("wrong", ["abc", [1j, 0, 0], [None] * 3], ids=repr)
def test_an_example_that_is_not_of_numbers_is_an_error(wrong):
    with pytest.raises(TypeError, match=r"^x: expected numbers, got "):
        fastnet.Network([3, 2], seed=1).predictor()(wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 7, 16])
def test_an_example_that_is_not_finite_is_an_error(value, at, dtype, isa):
    net = fastnet.Network([17, 2], dtype=dtype, seed=1)
    x = np.ones(17, dtype)
    net.predictor()(x)
    x[at] = value
    with pytest.raises(ValueError, match=r"^x: expected finite numbers, got NaN or infinity$"):
        net.predictor()(x)
    with pytest.raises(ValueError, match=r"^a: expected finite numbers, got NaN or infinity$"):
        net.feedforward(x)


def test_masked_elements_are_not_taken_for_numbers():
    net = fastnet.Network([3, 2], seed=1)
    x = np.ma.masked_array(np.ones(3, np.float32), [0, 1, 0])
    with pytest.raises(ValueError, match=r"^a: expected an array, got one with masked elements$"):
        net.feedforward(x)
    with pytest.raises(ValueError, match=r"^x: expected an array, got one with masked elements$"):
        net.predictor()(x)
