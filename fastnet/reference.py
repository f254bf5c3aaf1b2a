"""The kernels in plain NumPy: the readable specification, the oracle of the
tests and the yardstick of the benchmarks.

Every function has the name, the parameters and the effect of its twin in
``fastnet._kernels``. Equation numbers are those of M. Nielsen, Neural Networks
and Deep Learning, chapter 3.

Shapes: m examples of a mini-batch, n_in inputs and n_out outputs of a layer;
one example is one row. A network's parameters are one flat array: for each
layer its weights input-major, (n_in, stride) with the outputs in the first
n_out columns, then its biases, (stride,).
"""

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np


def stride(n, dtype):
    """Elements from row to row: whole cache lines, never a multiple of 256."""
    line = 64 // np.dtype(dtype).itemsize
    rounded = -(-n // line) * line
    return rounded if rounded % 256 else rounded + line


def padded(m, n, dtype):
    """A zeroed (m, n) array whose rows are ``stride`` elements apart."""
    return np.zeros((m, stride(n, dtype)), dtype)[:, :n]


def layout(sizes, dtype):
    """(length, [(weights, biases, stride), ...]): where each layer's parameters lie."""
    at, places = 0, []
    for n_in, n_out in pairwise(sizes):
        step = stride(n_out, dtype)
        places.append((at, at + n_in * step, step))
        at += (n_in + 1) * step
    return at, places


def layers(sizes, parameters):
    """[(weights (n_in, n_out), biases (n_out,)), ...]: views into ``parameters``."""
    _, places = layout(sizes, parameters.dtype)
    return [
        (parameters[w:b].reshape(n_in, step)[:, :n_out], parameters[b : b + n_out])
        for (w, b, step), (n_in, n_out) in zip(places, pairwise(sizes), strict=True)
    ]


# ---- compressed rows, see fastnet/compressed.py -----------------------------


def count(X):
    """offsets (n + 1,): before row s, how many inputs of the dense X are not zero."""
    return np.concatenate([[0], np.cumsum(np.count_nonzero(X, axis=1))])


def compress(X, values, columns, masks):
    """Fill values, and columns or masks or neither where None, from the dense X."""
    rows, at = X.nonzero()
    values[: len(at)] = X[rows, at]
    if columns is not None:
        columns[: len(at)] = at
    if masks is not None:
        masks[...] = 0
        np.bitwise_or.at(masks, (rows, at // 64), np.uint64(1) << (at % 64).astype(np.uint64))


def way(sizes, dtype, density):
    """The quickest way into the first layer; there is but one here."""
    return "dense"


# ---- elementwise -----------------------------------------------------------


def finite(x):
    """Whether all elements are finite."""
    return bool(np.isfinite(x).all())


def exp(x, out):
    """out = e^x."""
    np.exp(x, out=out)


def log(x, out):
    """out = ln x."""
    np.log(x, out=out)


def sigmoid(z, out):
    """out = 1 / (1 + e^-z)."""
    with np.errstate(over="ignore"):
        out[...] = 1 / (1 + np.exp(-z))


def activate(neurons, z, out, slope=None):
    """out = f(z) and, where given, slope = f'(z); f is that of "sigmoid", "tanh", "relu",
    "leaky-relu" or "gelu" neurons. The slope of a ReLU at 0 is that from below."""
    z = z.copy()  # out may be z
    if neurons == "sigmoid":
        sigmoid(z, out)
        derivative = out * (1 - out)
    elif neurons == "tanh":
        np.tanh(z, out=out)
        derivative = 1 - out * out
    elif neurons == "relu":
        np.maximum(z, 0, out=out)
        derivative = np.where(z > 0, 1, 0)
    elif neurons == "leaky-relu":
        np.maximum(z, z.dtype.type(0.01) * z, out=out)
        derivative = np.where(z > 0, 1, 0.01)
    elif neurons == "gelu":  # z Phi(z), of the normal distribution; 0 or z beyond 40
        x = np.clip(z.astype(np.float64), -40, 40)
        distribution = np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2, ["d"])(x)
        density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        out[...] = np.maximum(z, -40) * distribution
        derivative = distribution + x * density
    else:
        known = "sigmoid, tanh, relu, leaky-relu, gelu"
        raise ValueError(f"neurons: expected one of {known}; got {neurons!r}")
    if slope is not None:
        slope[...] = derivative


def softmax(z, out):
    """Each row: out_j = e^z_j / sum_k e^z_k (eq. 78)."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    out[...] = e / e.sum(axis=1, keepdims=True)


# ---- one layer -------------------------------------------------------------


def weighted_input(a, weights, biases, z):
    """z = a W + b."""
    z[...] = a @ weights + biases


def output_error(output, cost, a, y, factor, delta):
    """delta = factor * dC/dz of the output layer (eqs. 65, 66, 68, 84)."""
    slope = a * (1 - a) if (output, cost) == ("sigmoid", "quadratic") else 1
    delta[...] = (a - y) * slope * factor


def cost_sum(output, cost, z, y):
    """The sum of the examples' costs, from z so that nothing overflows (eqs. 54, 63, 80)."""
    z, y = z.astype(np.float64), y.astype(np.float64)
    if cost == "cross-entropy":
        return float(np.sum(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))))
    if cost == "quadratic":
        a = z.copy()
        if output == "sigmoid":
            sigmoid(z, a)
        return float(np.sum((a - y) ** 2) / 2)
    if cost == "log-likelihood":
        shifted = z - z.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(np.sum(y * (log_sum - shifted)))
    return 0.0


def backpropagate(weights, delta, a, delta_below):
    """delta_below = (delta W^T) * sigma'(z), where sigma'(z) = a (1 - a)."""
    delta_below[...] = (delta @ weights.T) * (a * (1 - a))


def update(weights, biases, a, delta, decay):
    """W = decay W + a^T delta, b = b + sum_s delta_s."""
    if decay != 1:
        weights -= weights.dtype.type(1 - decay) * weights
    weights += a.T @ delta
    biases += delta.sum(axis=0)


# ---- the whole way ---------------------------------------------------------


def inputs(X, scale, dtype):
    """Rows of X as the network sees them: value * scale, rounded once."""
    if hasattr(X, "offsets"):  # compressed
        X = np.array([X[s] for s in range(len(X))])
    if X.dtype == dtype and scale == 1:
        return X
    if X.dtype == np.uint8:
        return (np.arange(256) * np.float64(scale)).astype(dtype)[X]
    return (X.astype(np.float64) * scale).astype(dtype)


def targets(y, n_out, output, dtype):
    """(n, n_out) targets: labels become a one at their place, or, where one
    neuron stands for two classes, the label itself."""
    if y.ndim == 2:
        return y.astype(dtype)
    if n_out == 1 and output != "softmax":
        return y[:, None].astype(dtype)
    return (y[:, None] == np.arange(n_out)).astype(dtype)


def forward(sizes, output, parameters, x):
    """(activations of layers 0..L, z of the output layer)."""
    activations = [x]
    for l, (weights, biases) in enumerate(layers(sizes, parameters)):
        z = np.empty((len(x), len(biases)), parameters.dtype)
        weighted_input(activations[-1], weights, biases, z)
        a = z.copy()
        if l + 2 < len(sizes) or output == "sigmoid":
            sigmoid(z, a)
        elif output == "softmax":
            softmax(z, a)
        activations.append(a)
    return activations, z


def step(sizes, output, cost, parameters, target, x, y, factor, decay, delta=None):
    """target = decay * target + factor * (sum of the examples' gradients at parameters)."""
    activations, z = forward(sizes, output, parameters, x)
    error = np.empty_like(z)
    if delta is None:
        output_error(output, cost, activations[-1], y, parameters.dtype.type(factor), error)
    else:
        error[...] = delta(z.T, activations[-1].T, y.T).T * factor
    here, there = layers(sizes, parameters), layers(sizes, target)
    for l in range(len(here) - 1, -1, -1):
        below = np.empty_like(activations[l])
        if l > 0:
            backpropagate(here[l][0], error, activations[l], below)
        update(there[l][0], there[l][1], activations[l], error, decay)
        error = below


def train(
    sizes, output, cost, parameters, X, scale, y, order, mini_batch_size, eta, decay, delta=None,
    threads=1,
):  # fmt: skip
    """One pass over the examples in ``order``: mini-batch stochastic gradient descent.

    Each mini-batch moves W to decay * W - (eta/m) sum dC/dW and b by
    -(eta/m) sum dC/db, m being the mini-batch's own size.
    """
    for first in range(0, len(order), mini_batch_size):
        rows = order[first : first + mini_batch_size]
        step(
            sizes,
            output,
            cost,
            parameters,
            parameters,
            inputs(X[rows], scale, parameters.dtype),
            targets(y[rows], sizes[-1], output, parameters.dtype),
            -eta / len(rows),
            decay,
            delta,
        )


def gradient(sizes, output, cost, parameters, X, scale, y, nabla, delta=None):
    """nabla = the sum over the examples of dC/d(parameters), laid out like them."""
    nabla[...] = 0
    x, t = inputs(X, scale, parameters.dtype), targets(y, sizes[-1], output, parameters.dtype)
    step(sizes, output, cost, parameters, nabla, x, t, 1.0, 1.0, delta)


def feedforward(sizes, output, parameters, X, scale, out, threads=1):
    """out (n, n_out) = the output activations."""
    out[...] = forward(sizes, output, parameters, inputs(X, scale, parameters.dtype))[0][-1]


def classes(a):
    """Row by row the class that the outputs stand for."""
    return a.argmax(axis=1) if a.shape[1] > 1 else (a[:, 0] >= 0.5).astype(int)


def evaluate(sizes, output, cost, parameters, X, scale, y, threads=1):
    """(number of correct examples, sum of their costs)."""
    activations, z = forward(sizes, output, parameters, inputs(X, scale, parameters.dtype))
    t = targets(y, sizes[-1], output, parameters.dtype)
    correct = int(np.sum(classes(activations[-1]) == classes(t)))
    return correct, cost_sum(output, cost, z, t)


# ---- the yardstick ---------------------------------------------------------


def fma_rounds(dtype, n):
    """n rounds of sums = sums / 2 + 1/2; returns the floating-point operations done."""
    sums = np.zeros(128, dtype)
    for _ in range(n):
        sums *= 0.5
        sums += 0.5
    return 2.0 * sums.size * n


# ---- random numbers --------------------------------------------------------


def permutation(raw):
    """Fisher and Yates from the last place down; raw[i] chooses among i + 1."""
    order = list(range(len(raw)))
    for i in range(len(raw) - 1, 0, -1):
        j = int(raw[i]) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def uniform(raw):
    """The middle of one of 2^52 equal parts of (0, 1)."""
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def standard_normal(raw):
    """One N(0, 1) number for each raw one, by the inverse of the distribution."""
    return np.array([NormalDist().inv_cdf(u) for u in uniform(raw)])
