"""The passes of a training: dropout, shifts, optimizers, weight decay."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.nn import optimizers
from fastnet.reference.arrays import layers, layout
from fastnet.reference.layer import cost_sum
from fastnet.reference.network import (
    Drop,
    Examples,
    NetworkCore,
    Poll,
    after,
    forward,
    pieces,
    step,
)
from fastnet.reference.random_numbers import random_at


class DeferredDecay:
    """The first layer's weights W = s V, whose decay by L2 alone is deferred: s is the product of
    the mini-batches' factors, 1 - eta l2. A row that k mini-batches did not change gets their k
    factors when it is next used. Mini-batches of several pieces cannot defer the decay."""

    def __init__(self, weights: NDArray, m: int):
        self.weights, self.can_defer = weights, m <= 1024
        self.s, self.v = 1.0, weights.copy()

    def step(self, change: NDArray, decay: float) -> None:
        """W = (1 - decay) W + change."""
        self.s *= 1 - decay
        self.v += change / self.s
        self.weights[...] = self.s * self.v
        if self.s < 2**-10:
            self.s, self.v = 1.0, self.weights.copy()

    def recompute(self) -> None:
        """Recompute V after the weights were changed elsewhere."""
        self.v = self.weights / self.weights.dtype.type(self.s)


class Training:
    """The options of a training, and its state between passes.

    With the plain optimizer each mini-batch sets W to W - eta (l2 W + l1 sgn W) - (eta/m) sum
    dC/dW and b to b - (eta/m) sum dC/db, with m examples in the mini-batch; with weighted
    examples m is the sum of their weights, and the sums over the examples are weighted. For other
    optimizers, ("momentum", mu), ("adam", beta1, beta2, epsilon) and so on, see
    ``optimizer_step``. dropout: (hidden layers,) probabilities; shift: the maximum number of pixels
    by which images are shifted.

    Attributes
    ----------
    steps : int
        The mini-batches of all complete passes so far.
    moments : (n_moments * parameters,) array, or None
        Zero at the start.
    n_complete : int
        The number of passes of the last ``run`` that ended with finite parameters.
    costs : (mini-batches of all passes,) float64 array, or None
        ``run`` fills it with the weighted sum of each mini-batch's costs before its step.
    divide_l2 : bool
        Divide l2 by each mini-batch's m; the quotient is 0 where m is 0.
    by_blocks : bool or None
        Whether the kernels' first layer reads compressed rows by blocks of examples; None: if
        that is faster. The results are the same to the last bit.
    """

    mini_batch_size: int
    shift: int
    steps: int
    moments: NDArray | None
    n_complete: int
    costs: NDArray | None
    divide_l2: bool
    by_blocks: bool | None

    def __init__(
        self,
        network: NetworkCore,
        mini_batch_size: int,
        optimizer: Sequence[Any] = ("plain",),
        *,
        l2: float = 0.0,
        l1: float = 0.0,
        dropout: NDArray | None = None,
        shift: int = 0,
    ):
        self.network, self.mini_batch_size, self.optimizer = network, mini_batch_size, optimizer
        self.l2, self.l1, self.dropout, self.shift = l2, l1, dropout, shift
        self.divide_l2 = False
        self.by_blocks = None
        self.costs = None
        self.n_complete = 0
        name, *coefficients = optimizer
        self._n_moments = (
            0 if name == "plain" else optimizers.of_kernel(name, *coefficients).n_moments
        )
        self.resume(np.zeros(self._n_moments * len(network.parameters), network.dtype), 0)

    def resume(self, moments: Any, steps: int) -> None:
        """Continue a training after ``steps`` steps with these moments, which are changed in place;
        an optimizer without moments ignores them."""
        self.moments = moments if self._n_moments else None
        self.steps = steps

    def reset(self) -> None:
        """Set the moments and ``steps`` of an optimizer with moments to 0."""
        if self.moments is not None:
            self.moments[...] = 0
            self.steps = 0

    def run(
        self,
        examples: Examples,
        order: NDArray,
        eta: float,
        *,
        key: int | NDArray | None = None,
        threads: int = 1,
        poll: Poll | None = None,
        snapshots: NDArray | None = None,
    ) -> int:
        """Passes over the examples in ``order``, (n,) or (passes, n), until a parameter is not
        finite. Returns the number of passes completed before that.

        ``key``, one for all or (passes,) uint64, is the key of dropout and shifts; None: neither is
        used.
        ``snapshots`` (k, parameters) are the parameters after the last k complete passes, those
        of pass e in row e % k.

        ``poll`` is called with the number of examples done, between mini-batches: here after
        each, in the kernels ten times a second. A signal handler that is called then sees the
        current parameters. An exception of ``poll`` or of a handler ends the call and keeps the
        mini-batches done.
        """
        orders = np.atleast_2d(order)
        keys = [key or 0] * len(orders) if key is None or isinstance(key, int) else key
        n = orders.shape[1]
        mini_batches = -(-n // self.mini_batch_size)
        costs, self.n_complete = self.costs, 0
        for e, (row, row_key) in enumerate(zip(orders, keys, strict=True)):
            if poll is not None and e > 0:
                poll(e * n)
            of_pass = None if costs is None else costs[e * mini_batches :][:mini_batches]
            self._run_pass(examples, row, eta, int(row_key), after(e * n, poll), of_pass)
            if not np.isfinite(self.network.parameters).all():
                break
            self.n_complete += 1
            self.steps += mini_batches
            if snapshots is not None and len(snapshots):
                snapshots[e % len(snapshots)] = self.network.parameters
        return self.n_complete

    def _run_pass(
        self,
        examples: Examples,
        order: NDArray,
        eta: float,
        key: int,
        poll: Poll | None,
        costs: NDArray | None,
    ) -> None:
        network = self.network
        m = min(self.mini_batch_size, len(order))
        first_layer = DeferredDecay(layers(network.sizes, network.parameters)[0][0], m)
        for k, rows in enumerate(pieces(len(order), self.mini_batch_size, poll)):
            x, t, weights = examples.mini_batch(order[rows], network)
            x = shifted(x, network.sizes, self.shift, key, rows.start)
            drop = partial(dropout_factors, self, key, rows.start, len(x))
            if costs is not None:
                z = forward(network, x, drop)[1]
                costs[k] = cost_sum(network.output, network.cost, z, t, weights)
            self._step((x, t, weights), eta, self.steps + k + 1, drop, first_layer)

    def _step(
        self,
        mini_batch: tuple[NDArray, NDArray, NDArray | None],
        eta: float,
        number: int,
        drop: Drop,
        first_layer: DeferredDecay,
    ) -> None:
        network, parameters = self.network, self.network.parameters
        x, _, weights = mini_batch
        m = len(x) if weights is None else weights.sum()
        mean = 1 / m if m > 0 else 0.0
        l2 = self.l2 if not self.divide_l2 else self.l2 / m if m > 0 else 0.0
        nabla = np.zeros_like(parameters)
        if self.optimizer[0] != "plain":
            step(network, nabla, mini_batch, mean, drop=drop)
            optimizer_step(self, nabla, eta, l2, number)
        elif first_layer.can_defer and self.l1 == 0 and 0 < eta * l2 < 0.5:
            step(network, nabla, mini_batch, -eta * mean, drop=drop)
            changes = layers(network.sizes, nabla)
            for (w, b), (dw, db) in zip(layers(network.sizes, parameters), changes, strict=True):
                w += dw - parameters.dtype.type(eta * l2) * w
                b += db
            first_layer.step(changes[0][0], eta * l2)
        else:
            step(network, parameters, mini_batch, -eta * mean, (eta * l2, eta * self.l1), drop)
            first_layer.recompute()


def optimizer_step(
    training: Training, gradient: NDArray, eta: float, l2: float, number: int
) -> None:
    """One step of an optimizer along ``gradient``, the ``number``-th, counted from 1; see
    fastnet/nn/optimizers.py. Biases have neither l2 nor l1."""
    parameters, l1 = training.network.parameters, training.l1
    optimizer = optimizers.of_kernel(*training.optimizer)
    is_weight = np.zeros(len(parameters), bool)
    for w, b, _ in layout(training.network.sizes, parameters.dtype)[1]:
        is_weight[w:b] = True
    g = gradient + l1 * np.sign(parameters) * is_weight
    if optimizer.decoupled_decay:
        parameters -= eta * l2 * parameters * is_weight
    else:
        g += l2 * parameters * is_weight
    moments: Any = training.moments
    parameters -= optimizer.step(g, moments.reshape(optimizer.n_moments, -1), eta, number)


# Random numbers of a pass: each position of the order has its range of counters, one
# for the shift, then one for each hidden neuron.


def counters(sizes: Sequence[int], first: int, m: int) -> NDArray:
    """(m,): the first counter of the positions first .. first + m of the order."""
    return np.arange(first, first + m, dtype=np.uint64) * np.uint64(1 + sum(sizes[1:-1]))


def dropout_factors(training: Training, key: int, first: int, m: int, l: int) -> NDArray | None:
    """(m, n): 0 where a neuron of hidden layer l is dropped, else 1 / (1 - p)."""
    dropout, sizes = training.dropout, training.network.sizes
    if dropout is None or dropout[l] == 0:
        return None
    neuron = np.arange(sizes[l + 1], dtype=np.uint64) + np.uint64(1 + sum(sizes[1 : l + 1]))
    raw = random_at(key, counters(sizes, first, m)[:, None] + neuron)
    p = float(dropout[l])
    return np.where(raw < np.uint64(p * 2.0**64), 0, 1 / (1 - p)).astype(training.network.dtype)


def shifted(x: NDArray, sizes: Sequence[int], shift: int, key: int, first: int) -> NDArray:
    """Rows of x, images, each shifted by up to ``shift`` pixels vertically and horizontally."""
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
