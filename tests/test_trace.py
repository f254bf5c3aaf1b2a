"""FASTNET_TRACE=1 prints the plan of each call."""

import itertools

import numpy as np
import pytest
from small_trainings import examples, summaries, trained

import fastnet
from fastnet.core import _kernels, execution


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
    assert all("compressed rows" in line and "density 0.19" in line for line in lines[:2])
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
    """Compressed rows enter by lists or blocks."""
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

    def first_layer(m, call):
        return _kernels.plan(sizes, "float32", m, form="columns", density=density, call=call)[
            "first_layer"
        ]

    assert first_layer(len(X), "evaluate") == "blocks"
    assert first_layer(len(X), "train") == "lists"
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
