"""The book's way of training: one example at a time, on column vectors, in plain Python.

The algorithm of the chapter, restated: gradients of single examples are found
by back-propagation, added up over the mini-batch, and then applied. fastnet replaces this program.
"""

import numpy as np

from . import base

OVERFLOW_IS_ZERO = np.errstate(over="ignore")  # exp(-z) = infinity gives the right output, 0


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class Peer(base.Peer):
    """Back-propagation example by example.

    One call of `epoch` visits 2,000 examples only; its time is scaled to the
    whole training set. The time per example does not depend on how many there
    are, apart from the shuffling, which is done for all of them in any case.
    """

    most = 2000

    def __init__(self, problem):
        super().__init__(problem)
        self.weights = [w.copy() for w in problem.weights]
        self.biases = [b.copy() for b in problem.biases]
        self.generator = problem.generator()
        self.examples = list(
            zip(problem.training.inputs[:, :, None], problem.training.targets[:, :, None],
                strict=True)
        )  # fmt: skip

    @OVERFLOW_IS_ZERO
    def epoch(self):
        order = self.generator.permutation(len(self.examples))[: self.most]
        m = self.problem.mini_batch_size
        for start in range(0, len(order), m):
            self.learn([self.examples[i] for i in order[start : start + m]])

    def learn(self, mini_batch):
        """Move the parameters by -eta times the mini-batch's mean gradient."""
        sums_w = [np.zeros_like(w) for w in self.weights]
        sums_b = [np.zeros_like(b) for b in self.biases]
        for x, y in mini_batch:
            nabla_w, nabla_b = self.gradient(x, y)
            sums_w = [total + g for total, g in zip(sums_w, nabla_w, strict=True)]
            sums_b = [total + g for total, g in zip(sums_b, nabla_b, strict=True)]
        rate = self.problem.eta / len(mini_batch)
        self.weights = [w - rate * g for w, g in zip(self.weights, sums_w, strict=True)]
        self.biases = [b - rate * g for b, g in zip(self.biases, sums_b, strict=True)]

    def gradient(self, x, y):
        """The gradient of one example's cost, a list per layer: `(nabla_w, nabla_b)`."""
        activations = [x]
        for w, b in zip(self.weights, self.biases, strict=True):
            activations.append(sigmoid(w @ activations[-1] + b))
        nabla_w, nabla_b = [], []
        delta = activations.pop() - y
        for w in reversed(self.weights):
            a = activations.pop()
            nabla_w.insert(0, delta @ a.T)
            nabla_b.insert(0, delta)
            if activations:
                delta = (w.T @ delta) * (a * (1.0 - a))
        return nabla_w, nabla_b

    @OVERFLOW_IS_ZERO
    def output(self, a):
        for w, b in zip(self.weights, self.biases, strict=True):
            a = sigmoid(w @ a + b)
        return a

    def correct(self):
        test = self.problem.test
        return sum(
            int(np.argmax(self.output(x[:, None])) == label)
            for x, label in zip(test.inputs, test.labels, strict=True)
        )

    def feedforward(self, x):
        return self.output(x[:, None])[:, 0]

    def parameters(self):
        return self.weights, self.biases
