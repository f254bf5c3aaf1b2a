"""The page for a browser: one file with its style, its program and a trained network."""

import base64
import json
import re
from importlib import resources
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastnet.core import files
from fastnet.data.dataset import Dataset
from fastnet.demo.neuron import BOOK_ETA
from fastnet.network import Network, model_of
from fastnet.nn.activations import ACTIVATIONS

SIDE = 28  # rows and columns of the images that the pad makes
SAMPLES_PER_CLASS = 2
MNIST = "Digits: MNIST, by Y. LeCun, C. Cortes and C. Burges (CC BY-SA 3.0)."


def write(filename: str, net: Network, test: Dataset, origin: str = MNIST) -> None:
    """Write the page with a network on its drawing pad.

    Parameters
    ----------
    filename : str
        An existing file is replaced only when the new one is complete.
    net : Network
        With 784 inputs, the pixels of 28 x 28 images row after row, and 10 outputs.
    test : Dataset
        uint8 images and labels that the network was not trained on: its accuracy on them is
        written on the page, and the first two of each class can be put on the pad.
    origin : str
        Where the images are from, and their licence, as a sentence.

    Raises
    ------
    ValueError
        For a network or images of other sizes.
    OSError
        If the file cannot be written.
    """
    files.check_writable(filename)
    files.write(filename, [page(net, test, origin).encode()])


def page(net: Network, test: Dataset, origin: str) -> str:
    """The page, as ``write`` writes it."""
    if net.sizes[0] != SIDE**2 or net.sizes[-1] != 10:
        raise ValueError(
            f"net: expected {SIDE**2} inputs and 10 outputs, since the pad makes digits of "
            f"{SIDE} x {SIDE} pixels; got {net.sizes}"
        )
    if net.inputs is not None:
        raise ValueError(
            f"net: expected a network without inputs=, which the page does not apply, got {net!r}"
        )
    if not isinstance(test.X, np.ndarray) or test.X.dtype != np.uint8 or test.y.ndim != 1:
        raise ValueError(f"test: expected images of bytes, and labels; got {test!r}")
    # Without "<", the data cannot contain the tag that ends the script element.
    data = json.dumps(_data(net, test, origin), ensure_ascii=False).replace("<", "\\u003c")
    folder = resources.files("fastnet.demo") / "page"

    made = {"data": data, "activations": _activations(net), **_costs()}

    def part(match: re.Match[str]) -> str:
        name = match[1]
        return made.get(name) or (folder / name).read_text(encoding="utf-8").strip()

    template = (folder / "page.html").read_text(encoding="utf-8")
    return re.sub(r"<!-- ([a-z-]+(?:\.(?:css|js))?) -->", part, template)


def _activations(net: Network) -> str:
    """The activations as two tables in JavaScript: the functions of one number, and those of the
    weighted inputs of a layer."""
    tables: dict[str, list[str]] = {"ACTIVATIONS": [], "LAYERS": []}
    known = {str(each): each for each in (*ACTIVATIONS.values(), *model_of(net).hidden)}
    for text, each in known.items():
        line = f"  {json.dumps(text)}: {each.filled(each.javascript)},"
        tables["LAYERS" if each.of_layer else "ACTIVATIONS"].append(line)
    return "\n".join(
        "\n".join([f"const {name} = {{", *lines, "};"]) for name, lines in tables.items()
    )


def _costs() -> dict[str, str]:
    """The parts of the page that name the costs of the neuron and the book's rates for them."""
    labels = [
        f'<label><input type="radio" name="cost" value="{cost}"{checked}> {cost}</label>'
        for cost, checked in zip_longest(BOOK_ETA, [" checked"], fillvalue="")
    ]
    return {
        "costs": "\n        ".join(labels),
        "rates": " and ".join(f"{eta:g} for the {cost} cost" for cost, eta in BOOK_ETA.items()),
        "book-eta": f"const BOOK_ETA = {json.dumps(BOOK_ETA)};",
    }


def _data(net: Network, test: Dataset, origin: str) -> dict[str, Any]:
    """The data of the page's program."""
    scale = test.scale if net.input_scale is None else net.input_scale
    right = net.accuracy(Dataset(test.X, test.y, scale, classes=test.classes))
    first = [np.flatnonzero(test.y == k)[:SAMPLES_PER_CLASS] for k in range(10)]
    shown = np.concatenate(first)
    real = net.dtype.newbyteorder("<").str
    return {
        "dtype": net.dtype.name,
        "layers": [
            {
                "activation": activation,
                "n_in": w.shape[1],
                "n_out": w.shape[0],
                "weights": _base64(w, real),
                "biases": _base64(b, real),
            }
            for w, b, activation in zip(
                net.weights, net.biases, map(str, [*net.hidden, net.output]), strict=True
            )
        ],
        "scale": scale,
        "names": [str(name) for name in net.classes or range(10)],
        "images": _base64(test.X[shown], "u1"),
        "labels": test.y[shown].tolist(),
        "says": (
            f"This page contains a network of {' – '.join(map(str, net.sizes))} neurons. It "
            f"classifies {100 * right / len(test):.1f} % of {len(test):,} test images correctly. "
            f"Your drawing is scaled and centred like the digits of MNIST before it is classified. "
            f"Large, clear digits work best, but not always: the network knows only digits like "
            f"those that it was trained on."
        ),
        "origin": origin,
    }


def _base64(array: ArrayLike, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()
