"""The reference in plain NumPy, called with networks: the one place of the property tests that
knows the signatures of fastnet.reference."""

import kernel_calls
import numpy as np

from fastnet import reference
from fastnet.network import model_of
from fastnet.nn import costs

NAMES = {cost: cost.name for cost in costs.COSTS}


def network(net, flat):
    return net.sizes, net.output, NAMES[net.cost], flat


def parameters(net):
    """The flat array of float64 parameters of the reference."""
    flat = np.zeros(reference.layout(net.sizes, np.float64)[0])
    for (w, b), weights, biases in zip(
        reference.layers(net.sizes, flat), net.weights, net.biases, strict=True
    ):
        w[...], b[...] = np.asarray(weights).T, np.asarray(biases)[:, 0]
    return flat


def lists(net, flat):
    """(biases, weights), lists of arrays in the shapes of the network's."""
    pairs = reference.layers(net.sizes, flat)
    return [b[:, None].copy() for _, b in pairs], [w.T.copy() for w, _ in pairs]


def neurons(net):
    """The hidden layers' activations as the kernels take them."""
    return [each.kernel for each in model_of(net).hidden]


def outputs(net, X, scale):
    out = np.zeros((len(X), net.sizes[-1]))
    kernel_calls.feedforward(
        network(net, parameters(net)), (X, scale), out, kernels=reference, hidden=neurons(net)
    )
    return out


def gradient(net, X, scale, y):
    """(nabla_b, nabla_w) of the mean cost."""
    flat = parameters(net)
    nabla = np.zeros_like(flat)
    kernel_calls.gradient(
        network(net, flat), (X, scale, y), nabla, kernels=reference, hidden=neurons(net)
    )
    return lists(net, nabla / len(X))


def steps(net, X, scale, y, batches, eta, l2):
    """(biases, weights) after a step on each of the mini-batches, arrays of places in X."""
    flat = parameters(net)
    for batch in batches:
        kernel_calls.train(
            network(net, flat), (X, scale, y), batch, len(batch), eta,
            l2=l2, kernels=reference, hidden=neurons(net),
        )  # fmt: skip
    return lists(net, flat)
