"""Writes the files of networks that tests/test_kept_files.py reads, in each format and version.

    python -P tests/data/make_files.py FOLDER

The files of format 0, which has no number, were written once: book.json has the keys of the book's
network2.py, 0_first.json those of fastnet 0.1, 0_costs.json and 0_names.json those that 0.2 added
before files had a number. A file in tests/data/files/ is never written again; a new version of the
format gets new files beside them.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np

import fastnet
from fastnet.io import network_fields, persistence

SIZES = [3, 4, 2]


def parameters():
    """(weights, biases): sevenths, which no binary number is, of both signs."""
    layers = list(itertools.pairwise(SIZES))
    shapes = [(b, a) for a, b in layers], [(b, 1) for _, b in layers]
    numbers = iter(range(-20, 100))
    return tuple(
        [np.array([next(numbers) for _ in range(a * b)]).reshape(a, b) / 7
         for a, b in each]
        for each in shapes
    )  # fmt: skip


def fill(net):
    net.weights, net.biases = parameters()
    return net


def named():
    """A network that has all that a network can have, but a table."""
    inputs = fastnet.Standardize([1 / 3, 0.0, -2.5], [0.1, 1.0, 7.0], features=["a", "b", "ü"])
    net = fastnet.Network(
        SIZES, fastnet.HuberCost(2.5), output="linear", hidden=fastnet.LeakyReLU(0.2),
        inputs=inputs, classes=["no", "yes"], seed=1,
    )  # fmt: skip
    return fill(net)


def table():
    """A network of a table, in float64."""
    rows = {"x": [1.0, None, 3.5], "kind": ["p", "q", "p"], "y": ["on", "off", "on"]}
    fitted = fastnet.Table.fit(rows, "y")
    net = fastnet.Network([fitted.n_out, 2], dtype="float64", inputs=fitted, seed=1)
    net.weights, net.biases = [np.arange(8).reshape(2, 4) / 7], [[[-1 / 7], [1 / 3]]]
    return net


def first_formats(folder):
    """The files of format 0."""
    weights, biases = parameters()
    fields = {
        "sizes": SIZES,
        "weights": [w.tolist() for w in weights],
        "biases": [b.tolist() for b in biases],
        "cost": "QuadraticCost",
    }
    small = {
        "weights": [w.astype("f4").tolist() for w in weights],
        "biases": [b.astype("f4").tolist() for b in biases],
    }
    first = {"cost": "LogLikelihoodCost", "own_cost": False, "output": "softmax"}
    costs = {
        "cost": {"class": "HuberCost", "threshold": 2.5}, "own_cost": False, "output": "linear",
        "hidden": ["tanh"],
    }  # fmt: skip
    files = {
        "book": fields,
        "0_first": {**fields, **small, **first, "dtype": "float32", "input_scale": 1 / 256},
        "0_costs": {**fields, **costs, "dtype": "float64", "input_scale": None},
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    if not hasattr(network_fields, "FORMAT_VERSION"):  # fastnet 0.2 before files had a number
        named().save(folder / "0_names.json")


def main(folder):
    folder = Path(folder)
    for suffix in persistence.FORMATS:
        for name, net in (("named", named()), ("table", table())):
            net.save(folder / f"{network_fields.FORMAT_VERSION}_{name}{suffix}")


if __name__ == "__main__":
    main(*sys.argv[1:])
