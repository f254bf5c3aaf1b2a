"""network2's algorithm in plain NumPy, overrides of its methods, and data to train on."""

from itertools import pairwise

import numpy as np

from fastnet import Network

SIZES, M, ETA, LMBDA, EPOCHS, SEED = [4, 5, 3], 7, 0.7, 0.4, 3, 5
EVERY_FIGURE = {
    "monitor_evaluation_cost": True,
    "monitor_evaluation_accuracy": True,
    "monitor_training_cost": True,
    "monitor_training_accuracy": True,
}


# ---- network2's algorithm, in plain NumPy ----------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class CrossEntropy:
    @staticmethod
    def fn(a, y):
        return -(y * np.log(a) + (1 - y) * np.log1p(-a)).sum()

    @staticmethod
    def delta(z, a, y):
        return a - y


class Quadratic:
    @staticmethod
    def fn(a, y):
        return ((a - y) ** 2).sum() / 2

    @staticmethod
    def delta(z, a, y):
        return (a - y) * a * (1 - a)


class Algorithm:
    """What network2's Network computes, method by method, in float64."""

    def __init__(self, sizes, cost):
        self.sizes, self.cost = sizes, cost
        self.default_weight_initializer()

    def default_weight_initializer(self):
        self.biases = [np.ones((n, 1)) for n in self.sizes[1:]]
        self.weights = [np.ones(shape[::-1]) for shape in pairwise(self.sizes)]

    def layers(self, x):
        """[(z, a)] behind the input."""
        computed, a = [], x
        for w, b in zip(self.weights, self.biases, strict=True):
            z = w @ a + b
            a = sigmoid(z)
            computed.append((z, a))
        return computed

    def feedforward(self, a):
        return self.layers(a)[-1][1]

    def backprop(self, x, y):
        computed = self.layers(x)
        inputs = [x, *(a for _, a in computed)]
        error = self.cost.delta(*computed[-1], y)
        errors = [error]
        for w, (_, a) in zip(self.weights[:0:-1], computed[-2::-1], strict=True):
            errors.insert(0, w.T @ errors[0] * a * (1 - a))
        return errors, [e @ a.T for e, a in zip(errors, inputs[:-1], strict=True)]

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        gradients = [self.backprop(x, y) for x, y in mini_batch]
        rate = eta / len(mini_batch)
        nabla_b, nabla_w = (
            [sum(g) for g in zip(*each, strict=True)] for each in zip(*gradients, strict=True)
        )
        decay = 1 - eta * lmbda / n
        self.weights = [decay * w - rate * g for w, g in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - rate * g for b, g in zip(self.biases, nabla_b, strict=True)]

    def accuracy(self, data, convert=False):
        return sum(
            int(self.feedforward(x).argmax() == (y.argmax() if convert else y)) for x, y in data
        )

    def total_cost(self, data, lmbda, convert=False):
        costs = [
            self.cost.fn(self.feedforward(x), np.eye(self.sizes[-1])[:, [y]] if convert else y)
            for x, y in data
        ]
        squares = sum((w**2).sum() for w in self.weights)
        return (sum(costs) + lmbda / 2 * squares) / len(data)

    def SGD(self, data, orders, m, eta, lmbda, evaluation):
        figures = [], [], [], []
        for order in orders:
            for first in range(0, len(order), m):
                mini_batch = [data[i] for i in order[first : first + m]]
                self.update_mini_batch(mini_batch, eta, lmbda, len(data))
            figures[0].append(self.total_cost(evaluation, lmbda, convert=True))
            figures[1].append(self.accuracy(evaluation))
            figures[2].append(self.total_cost(data, lmbda))
            figures[3].append(self.accuracy(data, convert=True))
        return figures


# ---- one override of each method, for a subclass of either -----------------


class OwnInitializer:
    def default_weight_initializer(self):
        rng = np.random.default_rng(2)
        sizes = self.sizes
        self.weights = [rng.uniform(-1, 1, (n_out, n_in)) for n_in, n_out in pairwise(sizes)]
        self.biases = [rng.uniform(-1, 1, (n, 1)) for n in sizes[1:]]


class ClippedGradient:
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        return [g.clip(-0.02, 0.02) for g in nabla_b], [g.clip(-0.02, 0.02) for g in nabla_w]


class MomentumOfItsOwn:
    """Keeps velocities, and binds new lists."""

    velocities = None

    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        total = [np.zeros(p.shape) for p in [*self.biases, *self.weights]]
        for x, y in mini_batch:
            nabla_b, nabla_w = self.backprop(x, y)
            total = [t + g for t, g in zip(total, [*nabla_b, *nabla_w], strict=True)]
        old = self.velocities or [0.0] * len(total)
        self.velocities = [0.5 * v + g / len(mini_batch) for v, g in zip(old, total, strict=True)]
        layers = len(self.biases)
        steps = [eta * v for v in self.velocities]
        self.biases = [b - s for b, s in zip(self.biases, steps[:layers], strict=True)]
        self.weights = [
            (1 - eta * lmbda / n) * w - s for w, s in zip(self.weights, steps[layers:], strict=True)
        ]


class WritesInPlace:
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        for x, y in mini_batch:
            nabla_b, nabla_w = self.backprop(x, y)
            for l in range(len(self.weights)):
                self.weights[l] -= eta / 10 * nabla_w[l]
                self.biases[l][...] -= eta / 10 * nabla_b[l]


class StepAndMore:
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        super().update_mini_batch(mini_batch, eta, lmbda, n)
        self.biases[-1] = self.biases[-1] - self.biases[-1].mean()


class RolledOutputs:
    def feedforward(self, a):
        return np.roll(super().feedforward(a), 1, axis=0)


class BestTwo:
    def accuracy(self, data, convert=False):
        digits = [y.argmax() if convert else y for _, y in data]
        outputs = [self.feedforward(x).ravel() for x, _ in data]
        return sum(int(y in a.argsort()[-2:]) for a, y in zip(outputs, digits, strict=True))


class AbsoluteError:
    def total_cost(self, data, lmbda, convert=False):
        columns = [np.eye(3)[:, [y]] if convert else y for _, y in data]
        errors = [
            np.abs(self.feedforward(x) - y).sum() for (x, _), y in zip(data, columns, strict=True)
        ]
        return np.mean(errors) + lmbda


class MoreOfTheCost:
    def total_cost(self, data, lmbda, convert=False):
        return 1 + 2 * super().total_cost(data, lmbda, convert)


OVERRIDES = [
    (OwnInitializer,),
    (ClippedGradient,),
    (MomentumOfItsOwn,),
    (WritesInPlace,),
    (StepAndMore,),
    (RolledOutputs,),
    (BestTwo,),
    (AbsoluteError,),
    (MoreOfTheCost,),
    (ClippedGradient, MomentumOfItsOwn),
    (StepAndMore, ClippedGradient),
    (BestTwo, AbsoluteError, RolledOutputs),
    (OwnInitializer, ClippedGradient, StepAndMore, RolledOutputs, BestTwo, MoreOfTheCost),
]


def subclass(*overrides):
    return type("Subclass", (*overrides, Network), {})


def examples(n, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (n, 4)), rng.integers(0, 3, n)


def as_pairs(X, y):
    """The book's training data."""
    return [(x[:, None], np.eye(3)[:, [label]]) for x, label in zip(X, y, strict=True)]


def with_labels(X, y):
    """The book's test data."""
    return [(x[:, None], int(label)) for x, label in zip(X, y, strict=True)]


TRAINING, EVALUATION = examples(31, 0), examples(13, 1)


def network(*overrides, dtype="float64", **options):
    return subclass(*overrides)(SIZES, dtype=dtype, seed=SEED, **options)


def trained(net, training=None, epochs=EPOCHS, **options):
    """The history of a silent training, all figures followed."""
    options = {"evaluation_data": with_labels(*EVALUATION), **EVERY_FIGURE, **options}
    training = as_pairs(*TRAINING) if training is None else training
    return net.SGD(training, epochs, M, ETA, LMBDA, verbose=False, **options)


def parameters(net):
    return [np.array(p) for p in [*net.weights, *net.biases]]


# ---- what is called --------------------------------------------------------


class Recording:
    """Remembers the arguments of each call."""

    def __init__(self, *args, **kwargs):
        self.calls = []
        super().__init__(*args, **kwargs)

    def update_mini_batch(self, *args, **kwargs):
        self.calls.append(("update_mini_batch", args, kwargs))
        super().update_mini_batch(*args, **kwargs)

    def backprop(self, *args, **kwargs):
        self.calls.append(("backprop", args, kwargs))
        return super().backprop(*args, **kwargs)

    def accuracy(self, *args, **kwargs):
        self.calls.append(("accuracy", args, kwargs))
        return super().accuracy(*args, **kwargs)

    def total_cost(self, *args, **kwargs):
        self.calls.append(("total_cost", args, kwargs))
        return super().total_cost(*args, **kwargs)

    def feedforward(self, *args, **kwargs):
        self.calls.append(("feedforward", args, kwargs))
        return super().feedforward(*args, **kwargs)

    def of(self, name):
        return [(args, kwargs) for called, args, kwargs in self.calls if called == name]
