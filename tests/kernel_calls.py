"""One-line calls of the kernels: of ``_kernels`` or of their reference in NumPy.

A network is (sizes, output, cost, parameters), data are (X, scale, y). Options go to where the
kernels take them: to the network, the examples, the training or its run.
"""

from fastnet.core import _kernels

_OF_NETWORK = ("hidden", "custom_delta")
_OF_RUN = ("key", "threads", "poll", "snapshots")
_ATTRIBUTES = ("divide_l2", "by_blocks", "costs")


def _taken(options, names):
    """The options of these names, which are removed."""
    return {name: options.pop(name) for name in names if name in options}


def network_core(network, options, kernels=_kernels):
    return kernels.NetworkCore(*network, **_taken(options, _OF_NETWORK))


class Run:
    """A training and what each of its runs is given. ``moments`` are changed in place."""

    def __init__(self, network, data, m, *, kernels=_kernels, **options):
        self.examples = kernels.Examples(*data, options.pop("weights", None))
        core = network_core(network, options, kernels)
        self._options = _taken(options, _OF_RUN)
        attributes = _taken(options, _ATTRIBUTES)
        moments, attributes["steps"] = options.pop("moments", None), options.pop("steps", 0)
        self.training = kernels.Training(core, m, **options)
        if moments is not None:
            self.training.resume(moments, 0)
        for name, value in attributes.items():
            setattr(self.training, name, value)

    def __call__(self, order, eta):
        return self.training.run(self.examples, order, eta, **self._options)


def train_network(net, data, step, order, eta, costs=None):
    """Train a Network in place, without what SGD does around it."""
    model = net._model
    training = model.training(step)
    training.costs = costs
    X = data.operand(model.sizes, model.dtype)
    examples = _kernels.Examples(X, data.scale, data.y, step.weights)
    return training.run(examples, order, eta)


def train(network, data, order, m, eta, **options):
    """Train the parameters in place; returns how many passes were complete."""
    return Run(network, data, m, **options)(order, eta)


def gradient(network, data, nabla, *, kernels=_kernels, **options):
    """Fills nabla; returns the sum of the costs."""
    examples = kernels.Examples(*data, options.pop("weights", None))
    return network_core(network, options, kernels).gradient(examples, nabla, **options)


def feedforward(network, data, out, *, kernels=_kernels, **options):
    """``data``: (X, scale), or with targets, which are not used."""
    examples = kernels.Examples(*data[:2])
    network_core(network, options, kernels).feedforward(examples, out, **options)


def evaluate(network, data, *, kernels=_kernels, **options):
    examples = kernels.Examples(*data, options.pop("weights", None))
    return network_core(network, options, kernels).evaluate(examples, **options)
