"""A training that diverges ends with an error and keeps the last finite parameters."""

import pickle

import numpy as np
import pytest
from refusals import GOOD, ONE_HOT, X, network

import fastnet
from fastnet import DivergenceError, Network


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_divergence_says_the_epoch_and_keeps_the_last_finite_parameters(dtype):
    # one weight that grows by a factor of about 1e9 each epoch, inputs and targets all one
    def start():
        net = Network([1, 1], "quadratic", output="linear", dtype=dtype, seed=1)
        net.weights[0], net.biases[0] = [[1.0]], [[0.0]]
        return net

    data = (np.ones((5, 1)), np.zeros((5, 1)))
    net = start()
    with pytest.raises(DivergenceError, match="diverged in epoch") as caught:
        net.SGD(data, 100, 5, 1e9, verbose=False)
    epoch = caught.value.epoch
    assert epoch > 2
    assert f"epoch {epoch}:" in str(caught.value)
    last = start()
    last.SGD(data, epoch - 1, 5, 1e9, verbose=False)
    assert net == last
    assert np.isfinite(net.weights[0]).all()
    assert np.abs(net.weights[0]) > 1e9


def test_after_a_divergence_training_goes_on_as_if_it_had_not_been_tried():
    net, twin = network("quadratic", output="linear"), network("quadratic", output="linear")
    data = fastnet.Dataset((X * 200).astype(np.uint8), ONE_HOT, 1e15)
    with pytest.raises(DivergenceError):
        net.SGD(data, 3, 2, 1e15, verbose=False)
    assert net.input_scale == twin.input_scale
    for each in (net, twin):
        each.SGD(GOOD, 2, 5, 0.1, verbose=False)
    assert net == twin


def test_a_divergence_in_the_first_epoch_keeps_the_first_parameters():
    net, twin = network("quadratic", output="linear"), network("quadratic", output="linear")
    with pytest.raises(DivergenceError, match=r"epoch 1: .* before the training"):
        net.SGD((X * 1e15, ONE_HOT), 3, 2, 1e15, verbose=False)
    assert net == twin
    net.SGD(GOOD, 1, 5, 0.1, verbose=False)  # training can go on
    assert net != twin


def test_the_lines_before_a_divergence_are_printed_and_its_own_is_not(capsys):
    net = Network([1, 1], "quadratic", output="linear", seed=1)
    with pytest.raises(DivergenceError) as caught:
        net.SGD((np.ones((5, 1)), np.zeros((5, 1))), 100, 5, 1e9)
    assert len(capsys.readouterr().out.splitlines()) == caught.value.epoch - 1


def test_a_divergence_can_be_pickled_and_is_an_arithmetic_error():
    error = pickle.loads(pickle.dumps(DivergenceError(3)))
    assert isinstance(error, ArithmeticError)
    assert error.epoch == 3
    assert str(error) == str(DivergenceError(3))
