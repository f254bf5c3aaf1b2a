"""What the weights and biases start as."""

import math

import numpy as np
import pytest

from fastnet import Network
from fastnet.core.random_stream import RandomStream
from fastnet.nn import initializers
from fastnet.nn.activations import ACTIVATIONS

SIZES = [300, 200, 50]
DEVIATIONS = {
    "default": lambda n_in, n_out: 1 / math.sqrt(n_in),
    "large": lambda n_in, n_out: 1.0,
    "glorot": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "he": lambda n_in, n_out: math.sqrt(2 / n_in),
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_the_weights_have_the_mean_and_the_variance_that_the_papers_give(name):
    net = Network(SIZES, initializer=name, dtype="float64", seed=3)
    for weights in net.weights:
        n_out, n_in = weights.shape
        z = weights.ravel() / DEVIATIONS[name](n_in, n_out)
        # four standard errors: of the mean 1 / sqrt(n), of the variance sqrt(2 / n)
        assert abs(z.mean()) < 4 / math.sqrt(z.size)
        assert abs(z.var() - 1) < 4 * math.sqrt(2 / z.size)
        # normal: the share within one deviation, whose own deviation is 0.4654 / sqrt(n)
        assert abs((abs(z) < 1).mean() - 0.6827) < 4 * 0.4654 / math.sqrt(z.size)


@pytest.mark.parametrize("name", DEVIATIONS)
def test_biases_are_normal_or_zero(name):
    biases = Network(SIZES, initializer=name, dtype="float64", seed=3).biases
    if name in ("glorot", "he"):
        assert not any(b.any() for b in biases)
    else:
        for b in biases:
            assert abs(b.mean()) < 4 / math.sqrt(b.size)
            assert abs(b.var() - 1) < 4 * math.sqrt(2 / b.size)


@pytest.mark.parametrize("name", DEVIATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_drawn_layer_by_layer_and_none_for_biases_of_zero(name, dtype):
    net = Network([4, 3, 2], initializer=name, dtype=dtype, seed=3)
    stream = RandomStream(3)
    for weights, biases in zip(net.weights, net.biases, strict=True):
        n_out, n_in = weights.shape
        expected = stream.normal(n_out, n_in) * DEVIATIONS[name](n_in, n_out)
        np.testing.assert_array_equal(weights, expected.astype(dtype))
        if name in ("default", "large"):
            np.testing.assert_array_equal(biases, stream.normal(n_out, 1).astype(dtype))
    np.testing.assert_array_equal(net._stream.raw(3), stream.raw(3))


def test_without_a_name_sigmoid_networks_start_as_default_weight_initializer_sets_them():
    for sizes in ([4, 2], [4, 3, 2], [4, 3, 3, 2]):
        net = Network(sizes, seed=3)
        assert net == Network(sizes, seed=3, initializer="default")
        again = Network(sizes, seed=3, initializer="he")
        again._stream = RandomStream(3)
        again.default_weight_initializer()
        assert net == again != Network(sizes, seed=3, initializer="he")


def test_the_initializer_large_draws_the_numbers_of_default_at_another_scale():
    large = Network([4, 2], initializer="large", dtype="float64", seed=3)
    default = Network([4, 2], dtype="float64", seed=3)
    np.testing.assert_array_equal(large.weights[0], default.weights[0] * 2)
    np.testing.assert_array_equal(large.biases[0], default.biases[0])
    again = Network([4, 2], dtype="float64")
    again._stream = RandomStream(3)
    again.large_weight_initializer()
    assert large == again


@pytest.mark.parametrize(
    ("hidden", "names"),
    [
        ((), ("default",)),
        (("sigmoid",), ("default", "default")),
        (("tanh",), ("glorot", "glorot")),
        (("relu", "leaky-relu", "gelu"), ("he", "he", "he", "glorot")),
        (("sigmoid", "relu"), ("default", "he", "glorot")),
        (("tanh", "sigmoid"), ("glorot", "default", "glorot")),
    ],
)
def test_each_layer_takes_what_suits_the_neurons_it_leads_into(hidden, names):
    hidden = tuple(ACTIVATIONS[name] for name in hidden)
    assert initializers.choose(None, hidden) == names
    for name in initializers.NAMES:
        assert initializers.choose(name, hidden) == (name,) * (len(hidden) + 1)


@pytest.mark.parametrize("name", ["xavier", "He", "", 1, ["he"], b"he", True])
def test_an_unknown_initializer_is_refused_and_draws_nothing(name):
    generator = np.random.default_rng(3)
    with pytest.raises(ValueError, match=r"^initializer: expected one of default, large, ") as c:
        Network([4, 2], initializer=name, seed=generator)
    assert repr(name) in str(c.value)
    assert generator.random() == np.random.default_rng(3).random()
