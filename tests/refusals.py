"""What is refused leaves the network and its random numbers untouched."""

import numpy as np
import pytest

from fastnet import Network

HUGE = 10**400  # an integer beyond any float
X, LABELS = np.random.default_rng(5).random((12, 4)), np.arange(12) % 3
ONE_HOT = np.eye(3)[LABELS]
GOOD = (X, LABELS)


def at(array, place, value):
    """``array`` with one element changed."""
    changed = np.array(array, np.result_type(array, type(value)))
    changed[place] = value
    return changed


def network(cost="cross-entropy", **options):
    """A network in the middle of its training."""
    net = Network([4, 5, 3], cost, seed=7, **options)
    net.SGD(GOOD, 1, 5, 0.5, verbose=False)
    return net


def assert_refused(act, words, cost="cross-entropy", **options):
    """``act(net)`` raises an error that starts with the first of the words and has
    the others, and training goes on as if it had not been tried."""
    net, twin = network(cost, **options), network(cost, **options)
    with pytest.raises((ValueError, TypeError)) as caught:
        act(net)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(words[0])
    for word in words[1:]:
        assert word in message
    assert net == twin
    assert net.input_scale == twin.input_scale
    for each in (net, twin):
        each.SGD(GOOD, 2, 5, 0.5, 0.1, verbose=False)
    assert net == twin
