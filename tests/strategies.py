"""Hypothesis strategies: networks, data that suit them, and the forms that data come in.

The examples are the same in every run, so that a failure is found again; with
FASTNET_TEST_EXAMPLES=1000 each test draws so many others.
"""

import contextlib
import os
from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

import fastnet
from fastnet.core import _kernels
from fastnet.nn.activations import HIDDEN
from fastnet.nn.costs import COSTS

EXAMPLES = int(os.environ.get("FASTNET_TEST_EXAMPLES", "0"))
settings.register_profile(
    "fastnet", deadline=None, database=None, derandomize=not EXAMPLES, max_examples=EXAMPLES or 100
)
settings.load_profile("fastnet")

WIDTHS = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 127, 128, 129, 255, 256, 257]))
OUTPUTS = [(output, cost.name) for cost in COSTS for output in cost.errors]
INPUTS = ["uint8", "float32", "float64"]


@contextlib.contextmanager
def using(isa):
    """The instruction set is in use."""
    before = _kernels.isa()
    _kernels.select(isa)
    try:
        yield
    finally:
        _kernels.select(before)


isas = st.sampled_from(_kernels.available())
dtypes = st.sampled_from(["float32", "float64"])


@dataclass(frozen=True)
class Problem:
    """A network and examples for it; the numbers follow from the seed."""

    sizes: list
    output: str
    cost: str
    hidden: list
    dtype: str
    inputs: str  # the type of X
    labels: bool  # in place of targets
    density: float  # of what is not zero in X
    n: int
    m: int
    seed: int

    def network(self, **options):
        net = fastnet.Network(
            self.sizes, self.cost, output=self.output, hidden=self.hidden, dtype=self.dtype,
            seed=self.seed, **options,
        )  # fmt: skip
        random = np.random.default_rng(self.seed)
        net.biases = [random.standard_normal(b.shape) / 2 for b in net.biases]
        return net

    @property
    def scale(self):
        return 1 / 256 if self.inputs == "uint8" else 0.5

    def X(self):
        random = np.random.default_rng(self.seed + 1)
        shape = self.n, self.sizes[0]
        X = random.integers(1, 256, shape) if self.inputs == "uint8" else random.normal(size=shape)
        return np.where(random.random(shape) < self.density, X, 0).astype(self.inputs)

    def y(self):
        random = np.random.default_rng(self.seed + 2)
        n_out = self.sizes[-1]
        if self.labels:
            classes = 2 if n_out == 1 and self.output != "softmax" else n_out
            return random.integers(0, classes, self.n)
        if self.output == "softmax":  # rows whose sum is exactly one
            return random.multinomial(64, [1 / n_out] * n_out, self.n) / 64
        y = random.random((self.n, n_out))
        return 6 * y - 3 if self.output == "linear" else y

    def batches(self):
        """The places of the examples of each mini-batch, in order."""
        return [np.arange(self.n)[k : k + self.m] for k in range(0, self.n, self.m)]

    def data(self, **options):
        return fastnet.Dataset(self.X(), self.y(), scale=self.scale, **options)


@st.composite
def problems(draw):
    sizes = draw(st.lists(WIDTHS, min_size=2, max_size=4))
    output, cost = draw(st.sampled_from(OUTPUTS))
    kinds = st.sampled_from(sorted(HIDDEN))
    n = draw(st.one_of(st.integers(1, 12), st.sampled_from([31, 32, 33, 64, 65, 140])))
    return Problem(
        sizes=sizes,
        output=output,
        cost=cost,
        hidden=draw(st.lists(kinds, min_size=len(sizes) - 2, max_size=len(sizes) - 2)),
        dtype=draw(dtypes),
        inputs=draw(st.sampled_from(INPUTS)),
        labels=draw(st.booleans()),
        density=draw(st.sampled_from([0.0, 0.05, 0.3, 0.9, 1.0])),
        n=n,
        m=draw(st.integers(1, n)),
        seed=draw(st.integers(0, 2**31)),
    )


def bits(net):
    """All the parameters' bytes, and their dtype."""
    return [np.asarray(a).tobytes() for a in (*net.weights, *net.biases)], net.dtype
