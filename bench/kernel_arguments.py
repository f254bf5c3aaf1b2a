"""What every kernel is called with in its benchmark: sizes that occur in training on digits."""

import numpy as np
from peers.numpy_reference import views

from fastnet import reference
from fastnet.core import _kernels
from fastnet.nn.activations import ACTIVATIONS

SIZES = [784, 30, 10]
N_IN, HIDDEN, N_OUT = SIZES
M = 10  # examples in a mini-batch
EXAMPLES = 1000  # for the kernels that loop over mini-batches themselves


def kernel(module, name):
    """The kernel ``name`` of _kernels or of the reference, as a function of the arguments below."""
    if name not in ("train", "gradient", "feedforward", "evaluate"):
        return getattr(module, name)

    def call(*arguments):
        network, data, rest = arguments[:4], arguments[4:7], arguments[7:]
        core, examples = module.NetworkCore(*network), module.Examples(*data)
        if name != "train":
            return getattr(core, name)(examples, *rest)
        order, m, eta = rest
        module.Training(core, m).run(examples, order, eta)
        return None

    return call


class Ingredients:
    """Random arrays of one type; the same ones each time that it is constructed."""

    def __init__(self, dtype, training):
        self.dtype = np.dtype(dtype)
        self.training = training
        self.random = np.random.default_rng(3)

    def padded(self, m, n, low=-1.0, high=1.0):
        """A work array (m, n) of random values, rows padded to whole cache lines."""
        array = _kernels.padded(m, n, self.dtype)
        array[...] = self.random.uniform(low, high, (m, n))
        return array

    def vector(self, n, low=-1.0, high=1.0):
        return self.random.uniform(low, high, n).astype(self.dtype)

    def raw(self, n):
        return self.random.integers(0, 2**64, n, dtype=np.uint64)

    def targets(self):
        y = self.padded(M, N_OUT)
        y[...] = np.eye(N_OUT)[self.random.integers(0, N_OUT, M)]
        return y

    def biases(self, n):
        return self.padded(1, n)

    def parameters(self):
        """A network's flat parameters, with the default initial values."""
        flat = np.zeros(reference.layout(SIZES, self.dtype)[0], self.dtype)
        for w, b in zip(*views(SIZES, flat), strict=True):
            w[...] = self.random.standard_normal(w.shape) / np.sqrt(w.shape[1])
            b[...] = self.random.standard_normal(b.shape)
        return flat

    def digits(self):
        return self.training.X[:EXAMPLES], self.training.scale, self.training.y[:EXAMPLES]


class Arguments(Ingredients):
    """One method for each kernel, under the kernel's name.

    Each returns `(size, arguments)`: what there is to do, in words for the
    benchmark's name, and the positional arguments. `activate` is asked for the kind of
    neurons.
    """

    def permutation(self):
        return "50000", (self.raw(50_000),)

    def uniform(self):
        return "50000", (self.raw(50_000),)

    def standard_normal(self):
        return "50000", (self.raw(50_000),)

    def exp(self):
        return "1000", (self.vector(1000, -20, 20), np.empty(1000, self.dtype))

    def log(self):
        return "1000", (self.vector(1000, 1e-6, 1), np.empty(1000, self.dtype))

    def sigmoid(self):
        n = M * HIDDEN
        return f"{n}", (self.vector(n, -8, 8), np.empty(n, self.dtype))

    def activate(self, neurons):
        n = M * HIDDEN
        arrays = self.vector(n, -8, 8), np.empty(n, self.dtype), np.empty(n, self.dtype)
        return f"{n}", (ACTIVATIONS[neurons].kernel, *arrays)

    def softmax(self):
        return f"{M}x{N_OUT}", (self.padded(M, N_OUT, -8, 8), self.padded(M, N_OUT))

    def weighted_input(self):
        arrays = self.padded(M, N_IN), self.padded(N_IN, HIDDEN), self.biases(HIDDEN)
        return f"{M}x{N_IN}x{HIDDEN}", (*arrays, self.padded(M, HIDDEN))

    def output_error(self):
        a, y, delta = self.padded(M, N_OUT, 0, 1), self.targets(), self.padded(M, N_OUT)
        return f"{M}x{N_OUT}", ("sigmoid", "cross-entropy", a, y, -0.05, delta)

    def cost_sum(self):
        return f"{M}x{N_OUT}", ("sigmoid", "cross-entropy", self.padded(M, N_OUT), self.targets())

    def backpropagate(self):
        weights, delta = self.padded(HIDDEN, N_OUT), self.padded(M, N_OUT)
        a, below = self.padded(M, HIDDEN, 0, 1), self.padded(M, HIDDEN)
        return f"{M}x{N_OUT}x{HIDDEN}", ("sigmoid", weights, delta, a, below)

    def update(self):
        weights, biases = self.padded(N_IN, HIDDEN), self.biases(HIDDEN)
        a, delta = self.padded(M, N_IN, 0, 1), self.padded(M, HIDDEN, -1e-6, 1e-6)
        return f"{M}x{N_IN}x{HIDDEN}", (weights, biases, a, delta)

    def train(self):
        order = self.random.permutation(EXAMPLES)
        loss = "sigmoid", "cross-entropy"
        arguments = (SIZES, *loss, self.parameters(), *self.digits(), order, M, 0.5)
        return f"{EXAMPLES} digits", arguments

    def gradient(self):
        parameters = self.parameters()
        loss = "sigmoid", "cross-entropy"
        arguments = (SIZES, *loss, parameters, *self.digits(), np.zeros_like(parameters))
        return f"{EXAMPLES} digits", arguments

    def feedforward(self):
        out = np.zeros((EXAMPLES, N_OUT), self.dtype)
        pixels, scale, _ = self.digits()
        arguments = (SIZES, "sigmoid", None, self.parameters(), pixels, scale, None, out)
        return f"{EXAMPLES} digits", arguments

    def evaluate(self):
        arguments = (SIZES, "sigmoid", "cross-entropy", self.parameters(), *self.digits())
        return f"{EXAMPLES} digits", arguments
