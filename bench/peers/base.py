"""The job that every peer does, and the interface behind which it does it.

Shapes: n examples, n_in inputs, n_out outputs; weights[l] is (n_out, n_in) and
biases[l] is (n_out, 1), as in the book.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Digits:
    """Handwritten digits in every form that a peer may want; made once, never timed.

    Parameters
    ----------
    dataset : fastnet.Dataset
        uint8 pixels and labels, with the scale 1/256.
    """

    dataset: object

    def __len__(self):
        return len(self.dataset)

    @cached_property
    def labels(self):
        """The digits, int64, (n,)."""
        return np.asarray(self.dataset.y, dtype=np.int64)

    @cached_property
    def inputs(self):
        """The pixels times the scale, float32, (n, n_in)."""
        inputs = np.multiply(self.dataset.X, np.float32(self.dataset.scale), dtype=np.float32)
        return np.ascontiguousarray(inputs)

    @cached_property
    def targets(self):
        """One row per example, 1 at its digit and 0 elsewhere, float32, (n, 10)."""
        return np.eye(10, dtype=np.float32)[self.labels]


@dataclass(frozen=True)
class Problem:
    """A network to train: sigmoid neurons, cross-entropy, plain SGD in mini-batches.

    Parameters
    ----------
    sizes : list of int
        Neurons per layer, the inputs first.
    weights, biases : list of ndarray, float32
        What every peer starts from, in the book's shapes.
    training, test : Digits
    mini_batch_size : int
        Divides the number of training examples.
    eta : float
        The learning rate.
    seed : int
        Where the random order of the examples starts.
    """

    sizes: list
    weights: list
    biases: list
    training: Digits
    test: Digits
    mini_batch_size: int = 10
    eta: float = 0.5
    seed: int = 2

    def generator(self):
        """A new random generator, for the order of the examples."""
        return np.random.default_rng(self.seed)


class Peer(ABC):
    """One implementation, ready to be timed.

    The constructor takes a `Problem`, copies the parameters and brings the data
    into whatever form suits the library best; none of that is timed.

    Attributes
    ----------
    part : float
        The part of the training set that one call of `epoch` visits; below 1
        only where a whole epoch would take too long. The table scales it up.
    trains_only : bool
        Whether the peer differs from another one only in how it trains.
    """

    part = 1.0
    trains_only = False

    def __init__(self, problem):
        self.problem = problem

    def prepare_to_train(self):
        """Whatever has to happen once before `epoch` is timed: compiling, choosing."""
        return

    @abstractmethod
    def epoch(self):
        """Visit the training set once in a fresh random order, drawn in here."""

    @abstractmethod
    def correct(self):
        """How many test images are classified correctly: int."""

    @abstractmethod
    def feedforward(self, x):
        """One example in, its outputs out: ndarray (n_in,) to ndarray (n_out,)."""

    @abstractmethod
    def parameters(self):
        """The current `(weights, biases)`, as lists of ndarray in the book's shapes."""
