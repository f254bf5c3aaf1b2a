"""PyTorch at its fastest without a compiler: the derivatives by hand, all updates in place.

Four products, two sigmoids and a few additions for each mini-batch, in
inference mode, into buffers where that helps. What is left is mostly the cost of
calling an operator, which on matrices this small is more than the arithmetic.
Tried and slower: indexing instead of `index_select`, gathering the whole epoch
first, weights stored (n_in, n_out).
"""

import machine
import torch

from . import base

sigmoid_backward = torch.ops.aten.sigmoid_backward  # d2, a -> d2 * a * (1 - a)


class Peer(base.Peer):
    """Plain tensors, no autograd."""

    def __init__(self, problem):
        super().__init__(problem)
        torch.set_num_threads(machine.THREADS)
        self.weights = [torch.from_numpy(w.copy()) for w in problem.weights]
        self.biases = [torch.from_numpy(b[:, 0].copy()) for b in problem.biases]
        self.inputs = torch.from_numpy(problem.training.inputs)
        self.targets = torch.from_numpy(problem.training.targets)
        self.test_inputs = torch.from_numpy(problem.test.inputs)
        self.test_labels = torch.from_numpy(problem.test.labels)
        self.generator = problem.generator()

    @torch.inference_mode()
    def epoch(self):
        m = self.problem.mini_batch_size
        order = torch.from_numpy(self.generator.permutation(len(self.problem.training)))
        x = self.inputs.new_empty(m, self.problem.sizes[0])
        y = self.inputs.new_empty(m, self.problem.sizes[-1])
        ones = self.inputs.new_ones(m)
        for rows in order.split(m):
            torch.index_select(self.inputs, 0, rows, out=x)
            torch.index_select(self.targets, 0, rows, out=y)
            self.step(x, y, ones, -self.problem.eta / m)

    def step(self, x, y, ones, factor):
        activations = [x]
        for w, b in zip(self.weights, self.biases, strict=True):
            activations.append(torch.addmm(b, activations[-1], w.t()).sigmoid_())
        delta = activations.pop().sub_(y)
        for layer in range(len(self.weights) - 1, -1, -1):
            a = activations.pop()
            below = sigmoid_backward(delta.mm(self.weights[layer]), a) if layer else None
            self.weights[layer].addmm_(delta.t(), a, alpha=factor)
            self.biases[layer].addmv_(delta.t(), ones, alpha=factor)
            delta = below

    @torch.inference_mode()
    def outputs(self, a):
        for w, b in zip(self.weights, self.biases, strict=True):
            a = torch.addmm(b, a, w.t()).sigmoid_()
        return a

    def correct(self):
        return int((self.outputs(self.test_inputs).argmax(dim=1) == self.test_labels).sum())

    def feedforward(self, x):
        return self.outputs(torch.from_numpy(x[None])).numpy()[0]

    def parameters(self):
        return [w.numpy() for w in self.weights], [b.numpy()[:, None] for b in self.biases]
