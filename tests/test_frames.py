"""The way from SGD to the kernels is short, and the way back keeps subnormal numbers."""

import sys

import numpy as np
import pytest

import fastnet
from fastnet.core import _kernels, reporting

X, Y = np.zeros((40, 4), np.float32), np.zeros((40, 2))


def functions_from(name):
    """The Python functions from the one of this name to the caller of this one."""
    names, frame = [], sys._getframe(1)
    while not names or names[-1] != name:
        names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return names[::-1]


@pytest.mark.parametrize(
    ("call", "between"), [("SGD", ["EpochLoop.run"]), ("update_mini_batch", [])]
)
def test_two_python_functions_at_most_are_between_a_training_method_and_the_kernels(call, between):
    """With Training.run and the two functions of C below it (tools/count_frames.sh) these are six
    frames from SGD to the loop over mini-batches."""
    seen = []

    class Seeing(fastnet.QuadraticCost):
        @staticmethod
        def delta(z, a, y):
            seen.append(functions_from(f"Network.{call}")[:-1])
            return a - y

    net = fastnet.Network([4, 3, 2], Seeing, seed=1)
    if call == "SGD":
        net.SGD((X, Y), 2, 20, 0.5, verbose=False)
    else:
        net.update_mini_batch((X, Y), 0.5, 0.0, 40)
    assert seen == [[f"Network.{call}", *between, "train_passes"]] * (4 if between else 1)


def test_callbacks_of_a_long_call_are_called_without_a_function_in_between(monkeypatch, always):
    seen = []

    def poll(done):
        seen.append(functions_from("Network.SGD"))

    monkeypatch.setattr(reporting, "stopping", lambda: poll)
    fastnet.Network([4, 3, 2], seed=1).SGD((X, Y), 1, 20, 0.5, verbose=False)
    (names,) = seen
    assert names[:-1] == ["Network.SGD", "EpochLoop.run", "train_passes"]


def test_python_is_asked_whether_weights_have_to_be_consistent_with_subnormal_numbers_on(
    monkeypatch, always
):
    products = []

    def getsignal(number):
        products.append(np.float64(1e-310) * np.float64(0.5))

    monkeypatch.setattr(_kernels, "getsignal", getsignal)
    net = fastnet.Network([4, 3, 2], seed=1)
    net.SGD((X, Y), 1, 10, 0.5, 0.5, verbose=False)  # the decay of its weights is deferred
    assert len(products) > 0
    assert min(products) > 0
