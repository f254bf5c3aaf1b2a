"""Threads, single examples, and the trace of the plan of each call."""

import copy
import itertools
import os
import pickle
import sys
import threading
import time
from typing import ClassVar

import kernel_calls
import numpy as np
import pytest

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


def summaries(capfd):
    """The first line of each plan that was traced."""
    return [line for line in capfd.readouterr().err.splitlines() if line.startswith("fastnet: ")]


def examples(n, sizes, inputs, seed=0):
    random = np.random.default_rng(seed)
    X = random.integers(1, 256, (n, sizes[0]))
    X[random.random(X.shape) < 0.8] = 0
    X = X.astype(inputs)
    return X, random.integers(0, sizes[-1], n)


def trained(sizes, data, *, n_threads, m=20, dtype="float32", **options):
    net = fastnet.Network(sizes, dtype=dtype, seed=1, n_threads=n_threads, **options)
    net.SGD(data, 2, m, 0.5, lmbda=0.1, verbose=False)
    return net


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


# ---- the trace -------------------------------------------------------------


def test_the_trace_prints_the_plan_of_each_call(monkeypatch, capfd):
    sizes = [64, 20, 10]
    X, y = examples(500, sizes, "uint8")
    net = fastnet.Network(sizes, seed=1)
    data = fastnet.Dataset(X, y, 1 / 256), fastnet.Dataset(X, y, 1 / 256, sparse=False)
    monkeypatch.setenv("FASTNET_TRACE", "1")
    for one in data:
        net.SGD(one, 1, 10, 0.5, verbose=False)
        net.accuracy(one)
    captured = capfd.readouterr()
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if line.startswith("fastnet: ")]
    assert [line.split(" [")[0] for line in lines] == ["fastnet: train", "fastnet: evaluate"] * 2
    assert all(f"{sizes} float32" in line for line in lines)
    assert all("sparse rows" in line and "density 0.19" in line for line in lines[:2])
    assert all("dense rows" in line for line in lines[2:])
    assert lines[0].endswith(", 10 examples, 1 thread")
    assert lines[1].endswith(", 500 examples, 1 thread")


def test_the_trace_shows_the_plan_that_the_kernels_follow(isa, monkeypatch, capfd):
    """The same that _kernels.plan makes of the same call, of a smaller last mini-batch too."""
    sizes, n = [64, 100, 30, 10], 505
    X, y = examples(n, sizes, "float32")
    net = fastnet.Network(sizes, hidden=["relu", "gelu"], seed=1)
    data = fastnet.Dataset(X, y)
    net.SGD(data, 1, 64, 0.01, optimizer=fastnet.Adam(), dropout=(0.5, 0), verbose=False)
    monkeypatch.setenv("FASTNET_TRACE", "1")
    net.SGD(data, 1, 64, 0.01, optimizer=fastnet.Adam(), dropout=(0.5, 0), verbose=False)
    rows = data.operand(tuple(sizes), net.dtype)
    form = "columns" if rows.masks is None else "masks"
    plan = _kernels.plan(
        sizes, "float32", 64, n, hidden=net.hidden, form=form, density=rows.density,
        optimizer="adam", dropout=[0.5, 0],
    )  # fmt: skip
    assert [step["m"] for step in plan["steps"]] == [64, 505 % 64]
    assert capfd.readouterr().err.splitlines() == [
        f"fastnet: {line}" if i == 0 else line for i, line in enumerate(execution.described(plan))
    ]


def test_the_trace_names_the_tiles_of_large_layers(monkeypatch, capfd):
    sizes = [30, 200, 10]
    monkeypatch.setenv("FASTNET_TRACE", "1")
    for m, packed in ((63, False), (64, True)):
        data = fastnet.Dataset(*examples(300, sizes, "float32"), sparse=False)
        trained(sizes, data, n_threads=1, m=m)
        lines = capfd.readouterr().err.splitlines()
        first = next(line for line in lines if line.startswith("    30 x 200: "))
        assert ("update by packed tiles" in first) == packed


def test_the_trace_names_no_tiles_of_layers_that_have_none(monkeypatch, capfd):
    """Sparse rows enter by lists or blocks."""
    monkeypatch.setenv("FASTNET_TRACE", "1")
    sizes = [64, 400]
    trained(sizes, fastnet.Dataset(*examples(300, sizes, "uint8")), n_threads=1, m=100)
    lines = capfd.readouterr().err.splitlines()
    layers = [line for line in lines if line.startswith("    64 x 400: ")]
    assert len(layers) == 1
    assert "tiles" not in layers[0]


def test_updates_follow_the_size_of_the_product(isa, dtype):
    found = {
        _kernels.plan([n_in, n_out], dtype, m)["steps"][0]["layers"][0]["update"]
        for m, n_in, n_out in itertools.product([1, 10, 64, 1000], [784, 3000], [2, 10, 128, 3000])
    }
    assert {"tiles", "packed tiles"} <= found
    for (m, n_in, n_out), expected in {
        (10, 784, 30): "tiles",
        (64, 256, 256): "packed tiles",
    }.items():
        plan = _kernels.plan([n_in, n_out], dtype, m)
        assert plan["steps"][0]["layers"][0]["update"] == expected


def test_the_trace_says_where_blocks_are_taken(monkeypatch, capfd):
    monkeypatch.setenv("FASTNET_TRACE", "1")
    for sizes, m in (([64, 20, 10], 40), ([64, 400, 10], 1), ([64, 400, 10], 40)):
        data = fastnet.Dataset(*examples(300, sizes, "uint8"))
        fastnet.Network(sizes, seed=1).SGD(data, 1, m, 0.5, verbose=False)
    lines = summaries(capfd)
    assert [", by blocks)" in line for line in lines] == [False, False, True]
    assert [", by lists" in line for line in lines] == [True, True, False]


def test_the_trace_of_an_evaluation_says_how_the_examples_go_that_are_taken_together(
    isa, monkeypatch, capfd
):
    sizes = [64, 64, 10]
    X, y = examples(300, sizes, "uint8")
    X[::3] = 0
    density = np.count_nonzero(X) / X.size

    def entry(m, call):
        return _kernels.plan(sizes, "float32", m, form="columns", density=density, call=call)[
            "entry"
        ]

    assert entry(len(X), "evaluate") == "blocks"
    assert entry(len(X), "train") == "lists"
    monkeypatch.setenv("FASTNET_TRACE", "1")
    fastnet.Network(sizes, seed=1).accuracy(fastnet.Dataset(X, y))
    assert ", by blocks)" in capfd.readouterr().err


@pytest.mark.parametrize("value", [None, "0", ""])
def test_without_the_trace_nothing_is_printed(value, monkeypatch, capfd):
    monkeypatch.delenv("FASTNET_TRACE", raising=False)
    if value is not None:
        monkeypatch.setenv("FASTNET_TRACE", value)
    fastnet.Network([2, 1], seed=1).SGD(([[0, 1]], [1]), 1, 1, 0.5, verbose=False)
    assert capfd.readouterr() == ("", "")


# ---- one example at a time -------------------------------------------------


@pytest.fixture(params=[(784, 30, 10), (5, 3), (1, 4, 1), (33, 100, 65, 17)], ids=str)
def network(request, pair, dtype):
    output, cost = pair[0], of_kernel(pair[1])
    return fastnet.Network(request.param, cost, output=output, dtype=dtype, seed=2)


def plain_examples(network, n=20):
    random = np.random.default_rng(3)
    x = random.normal(size=(n, network.sizes[0]))
    x[random.random(x.shape) < 0.5] = 0
    x[0] = 0
    return x.astype(network.dtype)


@pytest.mark.covering(2)
def test_a_predictor_gives_the_bits_of_feedforward(network, isa):
    predict, x = network.predictor(), plain_examples(network)
    expected = network.feedforward(x if network.sizes[0] > 1 else x.tolist())
    assert network.sizes[-1] == 1 or np.ptp(expected) > 0
    for one, a in zip(x, expected, strict=True):
        np.testing.assert_array_equal(predict(one), a)
        np.testing.assert_array_equal(network.feedforward(one), a)


@pytest.mark.covering(1)
def test_a_predictor_returns_one_array_and_feedforward_a_new_one(network):
    predict, x = network.predictor(), plain_examples(network)
    first = predict(x[1])
    assert predict(x[2]) is first
    assert first.shape == (network.sizes[-1],)
    assert first.dtype == network.dtype
    kept, other = network.feedforward(x[1]), network.feedforward(x[2])
    assert not np.shares_memory(kept, other)
    assert not np.shares_memory(kept, first)


def test_a_predictor_sees_the_weights_as_they_are_when_it_is_called():
    net = fastnet.Network([2, 1], "quadratic", output="linear", dtype="float64", seed=1)
    predict = net.predictor()
    for w in (1.0, 2.0):
        net.weights[0], net.biases[0] = [[w, 0.0]], [[0.5]]
        assert predict(np.array([3.0, 9.0])).tolist() == [3 * w + 0.5]
    net.SGD(([[1.0, 1.0]], [[0.0]]), 3, 1, 0.1, verbose=False)
    x = np.array([3.0, 9.0])
    assert predict(x).tolist() == net.feedforward(x).tolist()


def test_a_predictor_outlives_its_network():
    net = fastnet.Network([3, 2], seed=1)
    x = np.ones(3, np.float32)
    expected, predict = net.feedforward(x), net.predictor()
    del net
    np.testing.assert_array_equal(predict(x), expected)


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.tolist(),
        lambda x: x.astype(np.float64),
        lambda x: x.astype(">f4"),
        lambda x: np.repeat(x, 2)[::2],
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32),
    ],
    ids=["list", "float64", "big-endian", "strided", "backwards", "misaligned"],
)
def test_examples_of_other_forms_give_the_same(form):
    net = fastnet.Network([7, 4, 3], seed=5)
    x = np.arange(7, dtype=np.float32) - 3
    expected = net.feedforward(x)
    np.testing.assert_array_equal(net.feedforward(form(x)), expected)
    np.testing.assert_array_equal(net.predictor()(form(x)), expected)


@pytest.mark.parametrize("wrong", [np.zeros(2), np.zeros(4), np.zeros((1, 3)), 1.0], ids=repr)
def test_an_example_of_another_shape_is_an_error(wrong):
    predict = fastnet.Network([3, 2], seed=1).predictor()
    with pytest.raises(ValueError, match=r"^x: expected shape \(3,\), got "):
        predict(wrong)


@pytest.mark.parametrize("wrong", ["abc", [1j, 0, 0], [None] * 3], ids=repr)
def test_an_example_that_is_not_of_numbers_is_an_error(wrong):
    with pytest.raises(TypeError, match=r"^x: expected numbers, got "):
        fastnet.Network([3, 2], seed=1).predictor()(wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 7, 16])
def test_an_example_that_is_not_finite_is_an_error(value, at, dtype, isa):
    net = fastnet.Network([17, 2], dtype=dtype, seed=1)
    x = np.ones(17, dtype)
    net.predictor()(x)
    x[at] = value
    with pytest.raises(ValueError, match=r"^x: expected finite numbers, got NaN or infinity$"):
        net.predictor()(x)
    with pytest.raises(ValueError, match=r"^a: expected finite numbers, got NaN or infinity$"):
        net.feedforward(x)


def test_masked_elements_are_not_taken_for_numbers():
    net = fastnet.Network([3, 2], seed=1)
    x = np.ma.masked_array(np.ones(3, np.float32), [0, 1, 0])
    with pytest.raises(ValueError, match=r"^a: expected an array, got one with masked elements$"):
        net.feedforward(x)
    with pytest.raises(ValueError, match=r"^x: expected an array, got one with masked elements$"):
        net.predictor()(x)
