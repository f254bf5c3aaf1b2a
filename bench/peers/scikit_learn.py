"""scikit-learn's MLPClassifier, set to plain SGD.

Given labels, MLPClassifier would train a softmax layer with the log-likelihood.
Given rows of zeros and ones (its multilabel way) it trains sigmoid neurons with
the cross-entropy, which is the job here; the two take the same time.
"""

import numpy as np
from sklearn.neural_network import MLPClassifier

from . import base


class Peer(base.Peer):
    """`MLPClassifier.partial_fit`: one call is one shuffled epoch.

    Its checks of the input and the cost that it computes cannot be switched off; both are part of
    its time.
    """

    def __init__(self, problem):
        super().__init__(problem)
        self.classifier = MLPClassifier(
            tuple(problem.sizes[1:-1]),
            activation="logistic",
            solver="sgd",
            alpha=0.0,
            batch_size=problem.mini_batch_size,
            learning_rate_init=problem.eta,
            momentum=0.0,
            nesterovs_momentum=False,
            random_state=problem.seed,
        )
        self.inputs = problem.training.inputs
        self.targets = problem.training.targets.astype(np.int64)
        few = slice(0, problem.mini_batch_size)  # makes the arrays, which are then overwritten
        self.classifier.partial_fit(
            self.inputs[few], self.targets[few], classes=np.arange(problem.sizes[-1])
        )
        for own, given in zip(self.classifier.coefs_, problem.weights, strict=True):
            own[...] = given.T
        for own, given in zip(self.classifier.intercepts_, problem.biases, strict=True):
            own[...] = given[:, 0]

    def epoch(self):
        self.classifier.partial_fit(self.inputs, self.targets)

    def next_order(self):
        return None  # drawn inside of partial_fit

    def correct(self):
        outputs = self.classifier.predict_proba(self.problem.test.inputs)
        return int(np.count_nonzero(outputs.argmax(axis=1) == self.problem.test.labels))

    def feedforward(self, x):
        return self.classifier.predict_proba(x[None])[0]

    def parameters(self):
        weights = [w.T for w in self.classifier.coefs_]
        return weights, [b[:, None] for b in self.classifier.intercepts_]
