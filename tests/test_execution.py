"""Threads: the same bits on any number of them, and how many there are."""

import copy
import os
import pickle
import sys
import threading
import time
from typing import ClassVar

import kernel_calls
import numpy as np
import pytest
from small_trainings import examples, summaries, trained

import fastnet
from fastnet.core import _kernels, execution
from fastnet.nn.costs import of_kernel

pytestmark = pytest.mark.covering(3)

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def always_threads(monkeypatch):
    """Threads for whatever work there is, so that small networks show what large ones do."""
    monkeypatch.setattr(
        execution,
        "threads",
        lambda sizes, m, X, asked: min(asked or execution.get_num_threads(), m),
    )


@pytest.mark.parametrize("hidden", [(901, 702), (1024, 512)])
def test_large_layers_train_to_the_same_bits_on_every_instruction_set_and_threads(hidden, dtype):
    """Layers beyond the second cache, odd in every way or with halves that are multiples of 256
    neurons, and inputs of which some are all zero."""
    sizes, m, n = [1030, *hidden, 10], 267, 300
    random = np.random.default_rng(4)
    X = random.normal(size=(n, sizes[0])).astype(dtype)
    X[:, ::3] = 0
    data = fastnet.Dataset(X, random.integers(0, 10, n), sparse=False)
    found, before = {}, _kernels.isa()
    try:
        for isa in set(_kernels.available()) - {"baseline"}:
            _kernels.select(isa)
            for n_threads in (1, 2):
                net = trained(
                    sizes, data, n_threads=n_threads, m=m, dtype=dtype, hidden=["sigmoid", "gelu"]
                )
                found[isa, n_threads] = [w.tobytes() for w in net.weights]
    finally:
        _kernels.select(before)
    if len(found) < 4:
        pytest.skip("this machine has not two instruction sets with fused multiply-add")
    assert all(bits == next(iter(found.values())) for bits in found.values())


# ---- threads ---------------------------------------------------------------


@pytest.mark.parametrize("sparse", [True, False], ids=["sparse", "dense"])
@pytest.mark.parametrize("m", [1, 2, 33, 140, 1500], ids="m={}".format)
@pytest.mark.parametrize("sizes", [(50, 3), (70, 33, 150, 10)], ids=str)
def test_every_number_of_threads_trains_to_the_same_bits(
    sizes, m, sparse, dtype, isa, always_threads
):
    data = fastnet.Dataset(*examples(1700, sizes, "uint8"), scale=1 / 256, sparse=sparse)
    alone = trained(sizes, data, n_threads=1, m=m, dtype=dtype)
    start = fastnet.Network(sizes, dtype=dtype, seed=1)
    assert alone != start
    for n_threads in (2, 3, 8):
        assert trained(sizes, data, n_threads=n_threads, m=m, dtype=dtype) == alone


@pytest.mark.covering(2)
def test_every_number_of_threads_evaluates_to_the_same_bits(pair, dtype, isa, always_threads):
    output, cost = pair[0], of_kernel(pair[1])
    sizes = (40, 20, 7)
    data = fastnet.Dataset(*examples(1000, sizes, "uint8"), scale=1 / 256)
    nets = [
        fastnet.Network(sizes, cost, output=output, dtype=dtype, seed=3, n_threads=n)
        for n in (1, 2, 3)
    ]
    found = {(net.accuracy(data), net.total_cost(data, 0.1)) for net in nets}
    assert len(found) == 1
    outputs = [net.feedforward(data) for net in nets]
    assert np.ptp(outputs[0]) > 0
    for a in outputs[1:]:
        np.testing.assert_array_equal(a, outputs[0])


def test_a_small_network_is_trained_by_one_thread_and_a_large_one_by_those_asked_for():
    X = np.ones((1000, 784), np.float32)
    assert execution.threads([784, 30, 10], 10, X, 8) == 1
    assert execution.threads([784, 30, 10], 1000, X, 8) == 1
    assert execution.threads([784, 1024, 1024, 10], 256, X, 2) == 2
    assert execution.threads([784, 1024, 1024, 10], 256, X, 1) == 1
    assert execution.threads([784, 1024, 1024, 10], 1, X, 2) == 1


def test_any_number_of_threads_may_be_asked_for(always_threads, random_parameters):
    X = np.random.default_rng(0).random((2000, 30))
    alone, many = (fastnet.Network([30, 5], seed=1, n_threads=n) for n in (1, 10**30))
    np.testing.assert_array_equal(alone.feedforward(X), many.feedforward(X))
    assert alone.accuracy((X, np.zeros(2000, int))) == many.accuracy((X, np.zeros(2000, int)))
    out = np.empty((2000, 5), np.float32)
    kernel_calls.feedforward(
        ([30, 5], "sigmoid", None, random_parameters([30, 5], "float32", 0)),
        (X, 1.0),
        out,
        threads=2**62,
    )


def test_the_kernels_call_a_delta_from_one_thread_whatever_they_are_told(random_parameters):
    sizes, calls = [6, 4, 2], []

    def delta(z, a, y):
        calls.append(threading.get_ident())
        if len(calls) == 3:
            raise ZeroDivisionError
        return a - y

    X, y = np.ones((40, 6)), np.zeros((40, 2))
    with pytest.raises(ZeroDivisionError):
        kernel_calls.train(
            (sizes, "sigmoid", None, random_parameters(sizes, "float64", 0)),
            (X, 1.0, y),
            np.arange(40),
            10,
            0.5,
            l2=0.0,
            custom_delta=delta,
            threads=4,
        )
    assert set(calls) == {threading.get_ident()}


def test_the_default_number_of_threads_is_for_networks_that_name_none(always_threads, capfd):
    sizes = (30, 5)
    data = fastnet.Dataset(*examples(40, sizes, "float32"))
    assert fastnet.get_num_threads() == 1
    fastnet.set_num_threads(2)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FASTNET_TRACE", "1")
            trained(sizes, data, n_threads=None)
            trained(sizes, data, n_threads=1)
    finally:
        fastnet.set_num_threads(1)
    lines = summaries(capfd)
    assert [line.rsplit(", ", 1)[1] for line in lines] == ["2 threads", "1 thread"]


def settled_tasks():
    """The number of this process's threads, when those that have ended are gone: Python says
    that a thread has ended a moment before the system does."""
    counts = [0]
    while len(set(counts)) > 1 or len(counts) < 20:
        counts = [*counts[-19:], len(os.listdir("/proc/self/task"))]
        time.sleep(0.001)
    return counts[0]


@on_linux
@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_there_are_never_more_threads_than_asked_for_and_none_afterwards(n_threads, always_threads):
    sizes = (784, 256, 256, 10)
    data = fastnet.Dataset(*examples(3000, sizes, "float32"), sparse=False)
    net = fastnet.Network(sizes, seed=1, n_threads=n_threads)
    before, most, done = settled_tasks(), 0, threading.Event()

    def watch():
        nonlocal most
        while not done.is_set():
            most = max(most, len(os.listdir("/proc/self/task")))
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    net.SGD(data, 2, 64, 0.1, verbose=False)
    done.set()
    watcher.join()
    assert most == before + 1 + n_threads - 1  # the watcher, and those that help
    assert settled_tasks() == before


@can_fork
def test_a_child_process_can_train_after_its_parent_has_used_threads(always_threads):
    sizes = (60, 30, 4)
    data = fastnet.Dataset(*examples(300, sizes, "uint8"), scale=1 / 256)
    expected = trained(sizes, data, n_threads=2)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        same = b"no"
        try:
            same = b"yes" if trained(sizes, data, n_threads=2) == expected else b"other bits"
        finally:
            os.write(writing, same)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"yes"
    os.waitpid(child, 0)


def test_a_cost_of_the_users_own_is_called_by_one_thread(always_threads, monkeypatch, capfd):
    class Own(fastnet.QuadraticCost):
        callers: ClassVar = set()

        @staticmethod
        def delta(z, a, y):
            Own.callers.add(threading.get_ident())
            return fastnet.QuadraticCost.delta(z, a, y)

    sizes = (30, 12, 4)
    data = fastnet.Dataset(*examples(200, sizes, "uint8"), scale=1 / 256)
    monkeypatch.setenv("FASTNET_TRACE", "1")
    nets = [trained(sizes, data, n_threads=n, cost=Own) for n in (1, 4)]
    lines = summaries(capfd)
    assert lines
    assert all(line.endswith(", 1 thread") for line in lines)
    assert nets[0] == nets[1]
    assert Own.callers == {threading.get_ident()}


def test_copies_and_pickles_keep_the_number_of_threads():
    net = fastnet.Network([3, 2], seed=0, n_threads=2)
    assert net.n_threads == 2
    assert copy.deepcopy(net).n_threads == 2
    assert pickle.loads(pickle.dumps(net)).n_threads == 2
    assert fastnet.Network([3, 2], seed=0).n_threads is None


@pytest.mark.parametrize("wrong", [0, -1])
def test_fewer_than_one_thread_is_an_error(wrong):
    with pytest.raises(ValueError, match=rf"^n_threads: expected 1 or more, got {wrong}$"):
        fastnet.Network([2, 1], n_threads=wrong)
    with pytest.raises(ValueError, match=rf"^n: expected 1 or more, got {wrong}$"):
        fastnet.set_num_threads(wrong)
    assert fastnet.get_num_threads() == 1


@pytest.mark.parametrize("wrong", [1.0, "2", True, [2]])
def test_a_number_of_threads_that_is_no_integer_is_an_error(wrong):
    with pytest.raises(TypeError, match=r"^n_threads: expected an integer, got "):
        fastnet.Network([2, 1], n_threads=wrong)
    with pytest.raises(TypeError, match=r"^n: expected an integer, got "):
        fastnet.set_num_threads(wrong)
    assert fastnet.get_num_threads() == 1
