"""The kernels in plain NumPy: the readable specification, the oracle of the
tests and the yardstick of the benchmarks.

Every function has the name, the parameters and the effect of its twin in
``fastnet._kernels``. Costs are computed by the formulas of fastnet/costs.py,
which no kernel uses. Equation numbers are those of M. Nielsen, Neural Networks
and Deep Learning, chapter 3.

Shapes: m examples of a mini-batch, n_in inputs and n_out outputs of a layer;
one example is one row. A network's parameters are one flat array: for each
layer its weights input-major, (n_in, stride) with the outputs in the first
n_out columns, then its biases, (stride,).
"""

from functools import partial
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from fastnet import optimizers
from fastnet.activations import ACTIVATIONS, HIDDEN, Exponential, Sigmoid, Softmax
from fastnet.costs import of_kernel

EVALUATED = 1024  # examples of a piece; smaller ones are slow in NumPy


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


def compress(X, offsets, values, columns, masks):
    """Fill offsets from the second on, values, and columns or masks or neither where None, from
    the dense X. Row s goes to ``values[offsets[s]:]``. Returns whether there was room for all."""
    room = min(len(array) for array in (values, columns) if array is not None)
    offsets[1:] = offsets[0] + np.cumsum(np.count_nonzero(X, axis=1))
    if offsets[-1] > room:
        return False
    rows, at = X.nonzero()
    to = slice(offsets[0], offsets[-1])
    values[to] = X[rows, at]
    if columns is not None:
        columns[to] = at
    if masks is not None:
        masks[...] = 0
        np.bitwise_or.at(masks, (rows, at // 64), np.uint64(1) << (at % 64).astype(np.uint64))
    return True


# ---- elementwise -----------------------------------------------------------


def magnitude(x):
    """The largest absolute value; infinity or NaN if there is one."""
    return float(np.abs(x).max(initial=0))


def survey(x):
    """(largest absolute value as ``magnitude`` says, how many are not zero)"""
    return magnitude(x), np.count_nonzero(x)


def sum_of_squares(x):
    """The sum of x^2, in float64; infinite where that is beyond it."""
    with np.errstate(over="ignore"):
        return float(np.square(x, dtype=np.float64).sum())


def sum_of_magnitudes(x):
    """The sum of |x|, in float64; infinite where that is beyond it."""
    with np.errstate(over="ignore"):
        return float(np.abs(x).sum(dtype=np.float64))


def exp(x, out):
    """out = e^x."""
    out[...] = Exponential.value(x)


def log(x, out):
    """out = ln x."""
    np.log(x, out=out)


def sigmoid(z, out):
    """out = 1 / (1 + e^-z)."""
    out[...] = Sigmoid.value(z)


def activate(neurons, z, out, slope=None):
    """out = f(z) and, where given, slope = f'(z), of hidden neurons of any kind."""
    if neurons not in HIDDEN:
        raise ValueError(f"neurons: expected one of {', '.join(HIDDEN)}; got {neurons!r}")
    kind, z = ACTIVATIONS[neurons], z.copy()  # out may be z
    out[...] = kind.value(z)
    if slope is not None:
        slope[...] = kind.derivative(z, out)


def softmax(z, out):
    """Each row: out_j = e^z_j / sum_k e^z_k (eq. 78)."""
    out[...] = Softmax.value(z)


# ---- one layer -------------------------------------------------------------


def weighted_input(a, weights, biases, z):
    """z = a W + b."""
    z[...] = a @ weights + biases


def weighted(error, factor, weights):
    """The rows of an output error times factor, and each times its weight, if they have
    weights; of weight 0 nothing is left, whatever the error is."""
    if weights is None:
        return error * error.dtype.type(factor)
    times = (factor * weights).astype(error.dtype)[:, None]
    return np.where(weights[:, None] > 0, error, 0) * times


def output_error(output, cost, a, y, factor, delta, weights=None):
    """delta = factor * dC/dz of the output layer (eqs. 65, 66, 68, 84), rows weighted."""
    error = np.zeros_like(a) if cost is None else of_kernel(cost).error(output, a, y)
    delta[...] = weighted(error, factor, weights)


def costs(output, cost, z, y):
    """The cost of each output neuron in each example, from z so that nothing overflows: that
    of fastnet.costs, 0 for None."""
    if cost is None:
        return np.zeros_like(z)
    a = ACTIVATIONS[output].value(z)
    with np.errstate(over="ignore"):
        return of_kernel(cost).values(z, a, y)


def cost_sum(output, cost, z, y, weights=None):
    """The sum of the examples' costs, each times its weight."""
    each = costs(output, cost, z.astype(np.float64), y.astype(np.float64))
    return float(np.sum(each if weights is None else weighted(each, 1.0, weights)))


def backpropagate(neurons, weights, delta, a, delta_below):
    """delta_below = (delta W^T) * f'(z), the slope from a, or from delta_below where a is None."""
    slope = delta_below if a is None else ACTIVATIONS[neurons].derivative(None, a)
    delta_below[...] = (delta @ weights.T) * slope


def update(weights, biases, a, delta, l2=0.0, l1=0.0):
    """W = W - l2 W - l1 sgn W + a^T delta, b = b + sum_s delta_s."""
    real = weights.dtype.type
    if l2 or l1:
        weights -= real(l2) * weights + real(l1) * np.sign(weights)
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
    if n_out == 1 and not ACTIVATIONS[output].of_layer:
        return y[:, None].astype(dtype)
    return (y[:, None] == np.arange(n_out)).astype(dtype)


def forward(sizes, output, parameters, x, hidden=None, drop=None):
    """(activations of layers 0..L, z of the output layer, slopes of the hidden layers).

    ``drop(l)``: factors (m, n) by which hidden layer l's activations are multiplied, or None.
    """
    kinds = hidden or ("sigmoid",) * (len(sizes) - 2)
    activations, slopes = [x], []
    for l, (weights, biases) in enumerate(layers(sizes, parameters)):
        z = np.empty((len(x), len(biases)), parameters.dtype)
        weighted_input(activations[-1], weights, biases, z)
        a = z.copy()
        if l + 2 < len(sizes):
            slope = np.empty_like(z)
            activate(kinds[l], z, a, slope)
            factors = drop(l) if drop else None
            if factors is not None:
                a *= factors
                slope *= factors
            slopes.append(slope)
        else:
            a = ACTIVATIONS[output].value(z)
        activations.append(a)
    return activations, z, slopes


def step(
    sizes, output, cost, parameters, target, x, y, factor, l2=0.0, l1=0.0, delta=None,
    hidden=None, drop=None, weights=None,
):  # fmt: skip
    """target = target - l2 target - l1 sgn target + factor * (weighted sum of the examples'
    gradients at parameters); biases do not decay."""
    activations, z, slopes = forward(sizes, output, parameters, x, hidden, drop)
    error = np.empty_like(z)
    if delta is None:
        output_error(output, cost, activations[-1], y, factor, error, weights)
    else:
        error[...] = delta(z.T, activations[-1].T, y.T).T
        error = weighted(error, factor, weights)
    here, there = layers(sizes, parameters), layers(sizes, target)
    for l in range(len(here) - 1, -1, -1):
        below = slopes[l - 1] if l > 0 else None
        if l > 0:
            backpropagate(None, here[l][0], error, None, below)
        update(there[l][0], there[l][1], activations[l], error, l2, l1)
        error = below


def optimizer_step(sizes, parameters, gradient, optimizer, moments, eta, l2, l1, step):
    """One mini-batch's step of an optimizer, the ``step``-th, counted from 1; see
    fastnet/optimizers.py. Biases have neither l2 nor l1."""
    one = optimizers.of_kernel(*optimizer)
    is_weight = np.zeros(len(parameters), bool)
    for w, b, _ in layout(sizes, parameters.dtype)[1]:
        is_weight[w:b] = True
    g = gradient + l1 * np.sign(parameters) * is_weight
    if one.decoupled_decay:
        parameters -= eta * l2 * parameters * is_weight
    else:
        g += l2 * parameters * is_weight
    parameters -= one.step(g, moments.reshape(one.n_moments, -1), eta, step)


# Random numbers of a pass: each example of the order has a run of them, by its position, one
# for its shift and behind it one for each hidden neuron.


def counters(sizes, first, m):
    """(m,): where the runs of the examples at first .. first + m of the order begin."""
    return np.arange(first, first + m, dtype=np.uint64) * np.uint64(1 + sum(sizes[1:-1]))


def kept(sizes, dropout, key, first, m, dtype, l):
    """(m, n): 0 where a neuron of hidden layer l is dropped, else 1 / (1 - p)."""
    if dropout is None or dropout[l] == 0:
        return None
    neuron = np.arange(sizes[l + 1], dtype=np.uint64) + np.uint64(1 + sum(sizes[1 : l + 1]))
    raw = random_at(key, counters(sizes, first, m)[:, None] + neuron)
    p = float(dropout[l])
    return np.where(raw < np.uint64(p * 2.0**64), 0, 1 / (1 - p)).astype(dtype)


def shifted(x, sizes, shift, key, first):
    """Rows of x, images, each moved by up to ``shift`` pixels down and to the right."""
    if shift == 0:
        return x
    side = int(sizes[0] ** 0.5)
    out = np.zeros_like(x).reshape(-1, side, side)
    for image, moved, raw in zip(
        x.reshape(-1, side, side), out, random_at(key, counters(sizes, first, len(x))), strict=True
    ):
        down, right = ((int(part) * (2 * shift + 1) >> 32) - shift
                       for part in (raw >> np.uint64(32), raw & np.uint64(0xFFFFFFFF)))  # fmt: skip
        padded_image = np.pad(image, shift)
        moved[...] = padded_image[shift - down :, shift - right :][:side, :side]
    return out.reshape(len(x), -1)


def train(
    sizes, output, cost, parameters, X, scale, y, order, mini_batch_size, eta, l2=0.0, delta=None,
    threads=1, *, hidden=None, l1=0.0, optimizer=("plain",), moments=None, steps=0, dropout=None,
    shift=0, key=0, weights=None, watch=None, costs=None, by_blocks=None, divide_l2=False,
    ended=None, last=None,
):  # fmt: skip
    """Passes over the examples in ``order``, (n,) or (passes, n): mini-batch stochastic gradient
    descent.

    With the plain optimizer each mini-batch moves W to W - eta (l2 W + l1 sgn W) - (eta/m) sum
    dC/dW and b by -(eta/m) sum dC/db, m being the mini-batch's own size; where examples
    have weights, m is the sum of them, and the sums over the examples are weighted. Others:
    ``optimizer_step``, by the mean gradient; moments, (n_moments parameters,), and
    ``steps``, the mini-batches before, carry over. dropout: (hidden layers,) probabilities.

    Where L2 alone decays the weights, the first layer's decay is put off: what is kept is V, and
    W = s V, where s is the product of the mini-batches' factors, 1 - eta l2. So a row that k
    mini-batches left alone has their k factors when it is needed next.

    ``watch`` is called with the number of examples done, in between mini-batches: here after
    each, by the kernels ten times a second. The handler of a signal finds the parameters as
    these have left them. What the two raise ends the pass.

    ``costs`` (mini-batches of all passes,) is filled with the weighted sum of each one's costs
    before its step.

    ``by_blocks`` says in which of two ways compressed rows enter the kernels' first layer; None,
    in the quicker one. The bits are the same.

    ``divide_l2``: in place of l2 each mini-batch has l2/m, and 0 where its m is 0.

    ``ended`` (1,) int64 is increased with each pass that was complete and left all parameters
    finite; another is the last. ``last`` (k, parameters), which goes with it, are the parameters
    as the last k of these passes left them, the e-th of the call in row e % k; k may be 0 for
    a single pass.
    """
    if order.ndim == 2 or ended is not None:
        order = np.atleast_2d(order)
        keys = [key] * len(order) if isinstance(key, int) else key
        n = order.shape[1]
        mini_batches = -(-n // mini_batch_size)
        for e, (row, row_key) in enumerate(zip(order, keys, strict=True)):
            if watch is not None and e > 0:
                watch(e * n)
            train(
                sizes, output, cost, parameters, X, scale, y, row, mini_batch_size, eta, l2, delta,
                hidden=hidden, l1=l1, optimizer=optimizer, moments=moments,
                steps=steps + e * mini_batches, dropout=dropout, shift=shift, key=int(row_key),
                weights=weights, watch=watch and (lambda k, before=e * n: watch(before + k)),
                costs=None if costs is None else costs[e * mini_batches :][:mini_batches],
                divide_l2=divide_l2,
            )  # fmt: skip
            if ended is not None and not np.isfinite(parameters).all():
                return
            if ended is not None:
                ended += 1
                if len(last):
                    last[e % len(last)] = parameters
        return
    straight = min(mini_batch_size, len(order)) <= 1024
    lmbda = l2
    weights_0 = layers(sizes, parameters)[0][0]
    s, v = 1.0, weights_0.copy()
    for k, first in enumerate(range(0, len(order), mini_batch_size)):
        if watch is not None and k > 0:
            watch(first)
        rows = order[first : first + mini_batch_size]
        x = inputs(X[rows], scale, parameters.dtype)
        x = shifted(x, sizes, shift, key, first)
        t = targets(y[rows], sizes[-1], output, parameters.dtype)
        drop = partial(kept, sizes, dropout, key, first, len(rows), parameters.dtype)
        own = None if weights is None else weights[rows]
        if costs is not None:
            z = forward(sizes, output, parameters, x, hidden, drop)[1]
            costs[k] = cost_sum(output, cost, z, t, own)
        m = len(rows) if own is None else own.sum()
        mean = 1 / m if m > 0 else 0.0
        l2 = lmbda if not divide_l2 else lmbda / m if m > 0 else 0.0
        if optimizer[0] == "plain" and straight and l1 == 0 and 0 < eta * l2 < 0.5:
            nabla = np.zeros_like(parameters)
            step(sizes, output, cost, parameters, nabla, x, t, -eta * mean, 0, 0, delta, hidden,
                 drop, own)  # fmt: skip
            s *= 1 - eta * l2
            v += layers(sizes, nabla)[0][0] / s
            for (w, b), (dw, db) in zip(
                layers(sizes, parameters), layers(sizes, nabla), strict=True
            ):
                w += dw - parameters.dtype.type(eta * l2) * w
                b += db
            weights_0[...] = s * v
            if s < 2**-10:
                s, v = 1.0, weights_0.copy()
            continue
        if optimizer[0] == "plain":
            step(sizes, output, cost, parameters, parameters, x, t, -eta * mean, eta * l2,
                 eta * l1, delta, hidden, drop, own)  # fmt: skip
            v = weights_0 / parameters.dtype.type(s)
            continue
        nabla = np.zeros_like(parameters)
        step(sizes, output, cost, parameters, nabla, x, t, mean, 0, 0, delta, hidden, drop, own)
        optimizer_step(sizes, parameters, nabla, optimizer, moments, eta, l2, l1, steps + k + 1)


def gradient(
    sizes, output, cost, parameters, X, scale, y, nabla, delta=None, *, hidden=None, weights=None,
    watch=None,
):  # fmt: skip
    """nabla = the weighted sum over the examples of dC/d(parameters), laid out like them.

    ``watch`` is called as by ``train``, in between two pieces; a cost of the user's own has one.
    """
    nabla[...] = 0
    x, t = inputs(X, scale, parameters.dtype), targets(y, sizes[-1], output, parameters.dtype)
    piece = EVALUATED if delta is None else max(1, len(x))
    for first in range(0, len(x), piece):
        if watch is not None and first > 0:
            watch(first)
        rows = slice(first, first + piece)
        own = None if weights is None else weights[rows]
        step(sizes, output, cost, parameters, nabla, x[rows], t[rows], 1.0, 0, 0, delta, hidden,
             None, own)  # fmt: skip


def feedforward(sizes, output, parameters, X, scale, out, threads=1, *, hidden=None, watch=None):
    """out (n, n_out) = the output activations; ``watch`` is called as by ``evaluate``."""
    for first in range(0, len(out), EVALUATED):
        if watch is not None and first > 0:
            watch(first)
        rows = slice(first, first + EVALUATED)
        x = inputs(X[rows], scale, parameters.dtype)
        out[rows] = forward(sizes, output, parameters, x, hidden)[0][-1]


def classes(a):
    """Row by row the class that the outputs stand for."""
    return a.argmax(axis=1) if a.shape[1] > 1 else (a[:, 0] >= 0.5).astype(int)


def evaluate(
    sizes, output, cost, parameters, X, scale, y, threads=1, *, hidden=None, weights=None,
    watch=None,
):  # fmt: skip
    """(number of correct examples, weighted sum of the costs); of several networks, whose
    parameters are (k, parameters), two lists.

    ``watch`` is called as by ``train``, in between two pieces; those of the kernels have 64.
    """
    if parameters.ndim == 2:
        counts, totals = [], []
        for k, row in enumerate(parameters):
            done = k * len(y)
            if watch is not None and k > 0:
                watch(done)
            correct, total = evaluate(
                sizes, output, cost, row, X, scale, y, hidden=hidden, weights=weights,
                watch=watch and (lambda here, before=done: watch(before + here)),
            )  # fmt: skip
            counts.append(correct)
            totals.append(total)
        return counts, totals
    correct, total = 0, 0.0
    for first in range(0, len(y), EVALUATED):
        if watch is not None and first > 0:
            watch(first)
        rows = slice(first, first + EVALUATED)
        x = inputs(X[rows], scale, parameters.dtype)
        activations, z, _ = forward(sizes, output, parameters, x, hidden)
        t = targets(y[rows], sizes[-1], output, parameters.dtype)
        correct += int(np.sum(classes(activations[-1]) == classes(t)))
        total += cost_sum(output, cost, z, t, None if weights is None else weights[rows])
    return correct, total


# ---- the yardstick ---------------------------------------------------------


def fma_rounds(dtype, n):
    """n rounds of sums = sums / 2 + 1/2; returns the floating-point operations done."""
    sums = np.zeros(128, dtype)
    for _ in range(n):
        sums *= 0.5
        sums += 0.5
    return 2.0 * sums.size * n


# ---- random numbers --------------------------------------------------------


def random_at(key, counters):
    """One raw 64-bit number for each uint64 counter: SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        x = np.uint64(key) + (counters + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


def permutation(raw):
    """Fisher and Yates from the last place down; raw[i] chooses among i + 1. Rows of raw
    by themselves."""
    if raw.ndim == 2:
        return np.array([permutation(row) for row in raw], np.int64).reshape(raw.shape)
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
