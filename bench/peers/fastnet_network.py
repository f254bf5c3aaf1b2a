"""fastnet through its public interface, including checks and the order of examples."""

import copy

import machine

import fastnet
from fastnet.network import stream_of

from . import base


class Peer(base.Peer):
    """`Network.SGD` for one epoch, without monitoring, on the data as they are (digits: bytes)."""

    def __init__(self, problem):
        super().__init__(problem)
        self.network = fastnet.Network(
            problem.sizes,
            cost=fastnet.CrossEntropyCost,
            dtype=problem.dtype,
            seed=problem.seed,
            n_threads=machine.THREADS,
        )
        self.network.weights = problem.weights
        self.network.biases = problem.biases
        self.training = problem.training.dataset
        self.test = problem.test.dataset

    def epoch(self):
        problem = self.problem
        self.network.SGD(
            self.training, 1, problem.mini_batch_size, problem.eta, verbose=False,
            **problem.technique,
        )  # fmt: skip

    def next_order(self):
        return copy.deepcopy(stream_of(self.network)).permutation(len(self.training))

    def next_key(self):
        stream = copy.deepcopy(stream_of(self.network))
        stream.permutation(len(self.training))
        return int(stream.raw(1)[0])

    def correct(self):
        return self.network.accuracy(self.test)

    def feedforward(self, x):
        return self.network.feedforward(x)

    def predictor(self):
        """The callable with buffers of its own."""
        return self.network.predictor()

    def parameters(self):
        return self.network.weights, self.network.biases
