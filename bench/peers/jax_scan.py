"""JAX: the whole epoch is one compiled `lax.scan` over the mini-batches.

The digits stay on the device, each step gathers its ten rows, and the
parameters are donated, so they are updated in place. The step is written twice,
because which one XLA compiles to the faster loop depends on the size of the
layers; a few hundred mini-batches of each are timed, and the faster one stays. Tried
and slower: weights stored (n_in, n_out), gathering the whole epoch before the
scan, unrolling the scan. Equally fast: `jax.grad` in place of the derivatives
by hand, uint8 pixels, one-hot rows made in the step, `fori_loop`.
"""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from . import base

SOME = 300  # mini-batches, to find out which step is faster


def step_on_rows(parameters, x, y, rate):
    """One mini-batch, an example a row: x (m, n_in), y (m, n_out)."""
    activations = [x]
    for w, b in parameters:
        activations.append(jax.nn.sigmoid(activations[-1] @ w.T + b[:, 0]))
    delta = (activations.pop() - y) * rate
    moved = []
    for w, b in reversed(parameters):
        a = activations.pop()
        moved.append((w - delta.T @ a, b - delta.sum(0)[:, None]))
        if activations:
            delta = (delta @ w) * a * (1 - a)
    return moved[::-1]


def step_on_columns(parameters, x, y, rate):
    """The same mini-batch with an example a column, as the book writes it."""
    activations = [x.T]
    for w, b in parameters:
        activations.append(jax.nn.sigmoid(w @ activations[-1] + b))
    delta = (activations.pop() - y.T) * rate
    moved = []
    for w, b in reversed(parameters):
        a = activations.pop()
        moved.append((w - delta @ a.T, b - delta.sum(1, keepdims=True)))
        if activations:
            delta = (w.T @ delta) * a * (1 - a)
    return moved[::-1]


@partial(jax.jit, static_argnames=("step", "eta"), donate_argnames="parameters")
def train(parameters, inputs, targets, order, step, eta):
    """One epoch; `order` is (mini-batches, m), the rows that each mini-batch takes."""

    def one_mini_batch(parameters, rows):
        return step(parameters, inputs[rows], targets[rows], eta / order.shape[1]), None

    return jax.lax.scan(one_mini_batch, parameters, order)[0]


@jax.jit
def outputs(parameters, inputs):
    """(n, n_in) to (n_out, n): columns, which is the faster way for many examples."""
    a = inputs.T
    for w, b in parameters:
        a = jax.nn.sigmoid(w @ a + b)
    return a


@jax.jit
def count_correct(parameters, inputs, labels):
    return jnp.sum(jnp.argmax(outputs(parameters, inputs), axis=0) == labels)


class Peer(base.Peer):
    """The compiled epoch; compiling is not timed."""

    def __init__(self, problem):
        super().__init__(problem)
        self.training = jnp.asarray(problem.training.inputs), jnp.asarray(problem.training.targets)
        self.test = jnp.asarray(problem.test.inputs), jnp.asarray(problem.test.labels)
        self.start(step_on_rows)

    def start(self, step):
        """Begin anew: the problem's parameters, and `step` to train them."""
        pairs = zip(self.problem.weights, self.problem.biases, strict=True)
        self.state = [(jnp.array(w), jnp.array(b)) for w, b in pairs]
        self.generator = self.problem.generator()
        self.step = step

    def prepare_to_train(self):
        seconds = {}
        for step in (step_on_rows, step_on_columns):
            self.start(step)
            self.epoch(SOME)
            seconds[step] = min(self.timed(SOME) for _ in range(3))
        self.start(min(seconds, key=seconds.get))

    def timed(self, mini_batches):
        before = time.perf_counter()
        self.epoch(mini_batches)
        return time.perf_counter() - before

    def epoch(self, mini_batches=None):
        order = self.generator.permutation(len(self.problem.training)).astype(np.int32)
        order = jnp.asarray(order.reshape(-1, self.problem.mini_batch_size)[:mini_batches])
        state = train(self.state, *self.training, order, self.step, self.problem.eta)
        self.state = jax.block_until_ready(state)

    def correct(self):
        return int(count_correct(self.state, *self.test))

    def feedforward(self, x):
        return np.asarray(outputs(self.state, x[None]))[:, 0]

    def parameters(self):
        return [np.asarray(w) for w, _ in self.state], [np.asarray(b) for _, b in self.state]
