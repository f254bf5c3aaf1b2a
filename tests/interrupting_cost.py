"""A training that is interrupted after some mini-batches, as Ctrl-C does it, and what it leaves."""

import signal

import kernel_calls
import numpy as np

from fastnet.core.steps import StepOptions


def cost_interrupted_at(call):
    """A cost whose ``delta`` raises SIGINT in this call, one for each mini-batch, from 1."""

    class Cost:
        calls = 0

        @staticmethod
        def fn(a, y):
            return float(np.square(a - y).sum())

        @staticmethod
        def delta(z, a, y):
            Cost.calls += 1
            if Cost.calls == call:
                signal.raise_signal(signal.SIGINT)
            return a - y

    return Cost


def assert_left_after(net, whole, data, n, eta, l2):
    """``net`` is ``whole``, which stopped between epochs, after n more examples in mini-batches
    of 10; both begin the next epoch with the same order."""
    state = whole._stream.state
    fitting = whole._inputs.dataset("data", data)
    order = whole._stream.permutation(len(fitting))[:n]
    kernel_calls.train_network(whole, fitting, StepOptions(10, l2), order, eta)
    assert net == whole
    assert net._stream.state == state
