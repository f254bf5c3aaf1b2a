"""Weights of 8 bits: the rounding, its bound, and the report of what it costs."""

import numpy as np
import pytest

from fastnet.convert import c_int8


def layer_of(n_in, n_out, dtype=np.float32, seed=0):
    """(rows (1 + n_in, n_out) of biases and weights, the rounded layer)"""
    rows = np.random.default_rng(seed).normal(size=(1 + n_in, n_out)).astype(dtype)
    return rows, c_int8.rounded(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_weight_is_wrong_by_half_a_scale_at_most(dtype):
    rows, layer = layer_of(50, 30, dtype)
    assert (layer.weights.dtype, layer.scales.dtype) == (np.int8, np.dtype(dtype))
    error = np.abs(layer.weights * layer.scales.astype(np.float64) - rows[1:])
    assert (error <= layer.scales * (0.5 + 1e-4)).all()
    assert (error.max(axis=0) > 0.3 * layer.scales).all()
    np.testing.assert_array_equal(layer.biases, rows[0])


def test_the_largest_weight_of_a_neuron_is_127_scales():
    _, layer = layer_of(50, 30)
    assert (np.abs(layer.weights.astype(int)).max(axis=0) == 127).all()


def test_a_neuron_without_weights_has_the_scale_0_and_its_bias():
    rows = np.array([[0.5, 1.0], [0.0, 2.0], [0.0, 1.0]], np.float32)
    layer = c_int8.rounded(rows)
    assert layer.scales[0] == 0
    z = layer.weighted_inputs(np.array([[1.0, 2.0]], np.float32))
    assert z[0, 0] == 0.5
    assert z[0, 1] == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize("n_in", [1, 516, 517, 784, 16_909_320])
def test_no_sum_exceeds_32_bits(n_in):
    weights = np.broadcast_to(np.int8(127), (n_in, 1))
    steps = c_int8.Int8Layer(weights, np.ones(1), np.zeros(1)).steps
    assert 1 <= steps <= 2**15 - 1
    assert 127 * steps * n_in < 2**31
    assert steps == 2**15 - 1 or 127 * (steps + 1) * n_in >= 2**31


def test_more_inputs_than_the_sums_hold_are_refused():
    rows = np.broadcast_to(np.float32(1), (16_909_322, 1))
    with pytest.raises(ValueError, match=r"^int8: expected at most 16,909,320 inputs of a layer"):
        c_int8.rounded(rows)


@pytest.mark.parametrize("n_in", [2, 20, 784])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_inputs_are_wrong_by_the_analytic_bound_at_most(n_in, dtype):
    """Half a scale for each weight, times its input, and a step for each input, times its weight;
    and the roundings of four operations in the network's type."""
    rows, layer = layer_of(n_in, 30, dtype)
    x = np.random.default_rng(1).normal(size=(40, n_in)).astype(dtype)
    exact = x.astype(np.float64) @ rows[1:].astype(np.float64) + rows[0]
    step = np.abs(x).max(axis=1, keepdims=True).astype(np.float64) / layer.steps
    weights = np.abs(layer.weights * layer.scales.astype(np.float64))
    bound = np.abs(x).sum(axis=1, keepdims=True) * layer.scales / 2 + step * weights.sum(axis=0)
    eps = np.finfo(dtype).eps
    bound += 4 * eps * (np.abs(x).astype(np.float64) @ weights + np.abs(rows[0]))
    error = np.abs(layer.weighted_inputs(x) - exact)
    assert (error <= bound * (1 + 1e-3)).all()
    assert error.max() > 0.02 * bound.max()  # the bound says something


def test_inputs_of_0_give_the_biases():
    rows, layer = layer_of(20, 5)
    np.testing.assert_array_equal(layer.weighted_inputs(np.zeros((1, 20), np.float32)), rows[:1])
