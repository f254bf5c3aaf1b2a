"""The job that every peer does, and the interface behind which it does it.

Shapes: n examples, n_in inputs, n_out outputs; weights[l] is (n_out, n_in) and
biases[l] is (n_out, 1), as in the book.
"""

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Examples:
    """Examples in every form that a peer may want; made once, never timed.

    Parameters
    ----------
    dataset : fastnet.Dataset
        Inputs and labels, and the scale of the inputs.
    n_out : int
        How many classes there are.
    dtype : str
        The type that the network computes in, "float32" or "float64".
    """

    dataset: object
    n_out: int
    dtype: str = "float32"

    def __len__(self):
        return len(self.dataset)

    def first(self, n):
        """The first n of them."""
        return replace(self, dataset=self.dataset[:n])

    @cached_property
    def labels(self):
        """The classes, int64, (n,)."""
        return np.array(self.dataset.y, dtype=np.int64)  # PyTorch wants it writable

    @cached_property
    def inputs(self):
        """What the network sees: the data times the scale, (n, n_in)."""
        scale = np.dtype(self.dtype).type(self.dataset.scale)
        inputs = np.multiply(self.dataset.X, scale, dtype=self.dtype)
        return np.ascontiguousarray(inputs)

    @cached_property
    def targets(self):
        """One row per example, 1 at its class and 0 elsewhere, (n, n_out)."""
        return np.eye(self.n_out, dtype=self.dtype)[self.labels]


@dataclass(frozen=True)
class Problem:
    """A network to train: sigmoid neurons, cross-entropy, plain SGD in mini-batches.

    Parameters
    ----------
    sizes : list of int
        Neurons per layer, the inputs first.
    weights, biases : list of ndarray, float32 or float64
        The initial parameters, in the book's shapes.
    training, test : Examples
    mini_batch_size : int
        Divides the number of training examples, except where fastnet is alone.
    eta : float
        The learning rate.
    seed : int
        Where the random order of the examples starts.
    technique : dict
        Further arguments of `Network.SGD`; peers other than fastnet and the reference
        know none.
    """

    sizes: list
    weights: list
    biases: list
    training: Examples
    test: Examples
    mini_batch_size: int = 10
    eta: float = 0.5
    seed: int = 2
    technique: dict = field(default_factory=dict)

    @property
    def dtype(self):
        return self.weights[0].dtype

    def first(self, n):
        """The same with the first n training examples only."""
        return replace(self, training=self.training.first(n))

    def generator(self):
        """A new random generator, for the order of the examples."""
        return np.random.default_rng(self.seed)


class Peer(ABC):
    """One implementation, ready to be timed.

    The constructor takes a `Problem`, copies the parameters and brings the data
    into whatever form suits the library best; none of that is timed.

    Attributes
    ----------
    most : int or None
        The maximum number of examples that one call of `epoch` visits; None: all. It is limited if
        a whole epoch would take too long.
    part : float
        The part of the training set that this is. The table scales it up.
    trains_only : bool
        Whether the peer differs from another one only in how it trains.
    """

    most = None
    trains_only = False

    def __init__(self, problem):
        self.problem = problem
        n = len(problem.training)
        self.part = min(self.most or n, n) / n

    def prepare_to_train(self):
        """Prepare for timing `epoch`, for example by compiling."""
        return

    @abstractmethod
    def epoch(self):
        """Visit the training set once in a fresh random order, drawn in here."""

    def next_order(self):
        """The order of examples that `epoch` takes next, int64; None if it is unknown."""
        return copy.deepcopy(self.generator).permutation(len(self.problem.training))[: self.most]

    def next_key(self):
        """The key of the random numbers that `epoch` takes next, for dropout."""
        return 0

    @abstractmethod
    def correct(self):
        """How many test images are classified correctly: int."""

    @abstractmethod
    def feedforward(self, x):
        """One example in, its outputs out: ndarray (n_in,) to ndarray (n_out,)."""

    @abstractmethod
    def parameters(self):
        """The current `(weights, biases)`, as lists of ndarray in the book's shapes."""
