"""Vectorised NumPy: `fastnet.reference`, one matrix product per layer and mini-batch."""

import numpy as np

from fastnet import reference

from . import base


def views(sizes, parameters):
    """The weights (n_out, n_in) and biases (n_out, 1) that lie in a flat parameter array."""
    layers = reference.layers(sizes, parameters)
    return [w.T for w, _ in layers], [b[:, None] for _, b in layers]


def flat_parameters(sizes, weights, biases, dtype):
    """The book's arrays, copied into the flat layout of the reference."""
    size, _ = reference.layout(sizes, dtype)
    parameters = np.zeros(size, dtype)
    for lists in zip(views(sizes, parameters), (weights, biases), strict=True):
        for view, values in zip(*lists, strict=True):
            view[...] = values
    return parameters


class Peer(base.Peer):
    """The reference's training; inputs are scaled and targets spread out beforehand."""

    def __init__(self, problem):
        super().__init__(problem)
        self.flat = flat_parameters(problem.sizes, problem.weights, problem.biases, problem.dtype)
        self.generator = problem.generator()
        self.training = problem.training.inputs, problem.training.targets
        self.test = problem.test.inputs, problem.test.labels

    def epoch(self):
        self.train(self.generator.permutation(len(self.problem.training)))

    def train(self, order, key=0):
        """One pass over the examples `order`, an int64 array, with the problem's technique."""
        problem = self.problem
        inputs, targets = self.training
        technique = problem.technique
        options = {"l2": technique.get("lmbda", 0.0) / len(problem.training)}
        if "dropout" in technique:
            options["dropout"] = np.full(len(problem.sizes) - 2, technique["dropout"])
        if "optimizer" in technique:
            options["optimizer"] = technique["optimizer"].kernel
        training = reference.Training(self._core(), problem.mini_batch_size, **options)
        examples = reference.Examples(inputs, 1.0, targets)
        training.run(examples, order, problem.eta, key=key)

    def _core(self):
        return reference.NetworkCore(self.problem.sizes, "sigmoid", "cross-entropy", self.flat)

    def correct(self):
        inputs, labels = self.test
        examples = reference.Examples(inputs, 1.0, labels)
        return self._core().evaluate(examples, with_cost=False)[0]

    def feedforward(self, x):
        out = np.empty((1, self.problem.sizes[-1]), self.flat.dtype)
        self._core().feedforward(reference.Examples(x[None], 1.0), out)
        return out[0]

    def parameters(self):
        return views(self.problem.sizes, self.flat)
