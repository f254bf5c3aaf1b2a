"""``fastnet predict``."""

import argparse
import csv
import io
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.cli import own_files
from fastnet.cli.errors import given_as, given_as_table
from fastnet.cli.outputs import check_is_another, check_writable, one_line
from fastnet.core import files
from fastnet.data.dataset import Dataset
from fastnet.data.table import Table
from fastnet.model import classes_of
from fastnet.network import Network, load, model_of
from fastnet.nn.activations import ACTIVATIONS


def run(options: argparse.Namespace) -> None:
    """Print one prediction per example, or write them to a file."""
    with given_as("MODEL", options.model):
        net = load(options.model)
    classifies = is_classifier(net, options.data)
    if options.probabilities and not classifies:
        raise ValueError(
            f"--probabilities: expected a network that tells classes apart, {options.model} "
            f"predicts numbers"
        )
    to_file = options.output not in (None, "-")
    if to_file:
        check_writable("--output", options.output)
        inputs = [("MODEL", options.model), ("DATA", options.data)]
        check_is_another("--output", options.output, inputs)
    outputs = _outputs(net, options)
    predictions = predicted(net, outputs) if classifies else [*map(_number, outputs)]
    if options.output is None and not options.probabilities:
        print(*map(one_line, predictions), sep="\n")
        return
    header, rows = _with_outputs(net, predictions, outputs if options.probabilities else None)
    quantiles = quantiles_of(net)
    if quantiles is not None:  # a column for each
        header, rows = [f"{header[0]} {q:g}" for q in quantiles], ([*row] for row in outputs)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    if to_file:
        files.write(options.output, [text.getvalue().encode()])
        print(f"{len(predictions)} predictions written to {options.output}")
    else:
        sys.stdout.write(text.getvalue())


def is_classifier(net: Network, file: str) -> bool:
    """Whether the network tells classes apart: it has names of classes, or outputs that do, or the
    file has images."""
    if isinstance(net.inputs, Table):
        return net.inputs.classes is not None
    named = net.classes is not None or own_files.kind_of(file) == "idx"
    return named or ACTIVATIONS[net.output].classifies


def quantiles_of(net: Network) -> tuple[float, ...] | None:
    """The quantiles of one target that the network's outputs predict; None for other outputs."""
    cost = model_of(net).built_in
    return None if cost is None else cost.quantiles


def class_names(net: Network) -> list[Any]:
    """The names of the classes, or their numbers."""
    return [*(net.classes or range(max(2, net.sizes[-1])))]


def predicted(net: Network, outputs: NDArray) -> list[Any]:
    """The name of each predicted class."""
    names = class_names(net)
    return [names[label] for label in classes_of(outputs)]


def scaled(net: Network, options: argparse.Namespace, X: NDArray, scale: float) -> float:
    """The factor for inputs of a file: --scale, or the one that the network was trained with for
    the types that were scaled."""
    if options.scale is not None:
        return float(options.scale)
    if scale == 1:  # only pixels are scaled
        return 1.0
    if net.input_scale is not None:
        return net.input_scale
    if X.dtype != np.uint8:
        return 1.0
    raise ValueError(
        f"--scale: expected a number, since {options.model} does not say how its inputs were "
        f"scaled; the pixels of MNIST usually are by 1/256 = {1 / 256}"
    )


def _outputs(net: Network, options: argparse.Namespace) -> NDArray:
    """The outputs of the network for DATA."""
    file = options.data
    if own_files.kind_of(file) == "table":
        with given_as_table("DATA", file):
            if not isinstance(net.inputs, Table):
                raise ValueError(
                    f"expected arrays (.npz, .npy) or images, since {options.model} was not "
                    f"trained on a table"
                )
            return net.feedforward(net.inputs.encode(own_files.table_source(file)))
    arrays = own_files.read_arrays("DATA", [file], with_targets=False)
    assert arrays is not None
    X = arrays.X
    if X.shape[1] != net.sizes[0]:
        what = "pixels per image" if own_files.kind_of(file) == "idx" else "features per example"
        raise ValueError(
            f"DATA: {file}: expected {net.sizes[0]} {what}, the inputs of {options.model}, "
            f"got {X.shape[1]}"
        )
    scale = scaled(net, options, X, arrays.scale)
    try:
        return net.feedforward(Dataset(X, np.zeros(len(X), np.int64), scale, sparse=False))
    except ValueError as error:  # names arguments that the user has not passed
        name, _, what = str(error).partition(": ")
        given = "--scale" if name == "scale" else f"DATA: {file}"
        raise ValueError(f"{given}: {what}") from None


def _number(outputs: NDArray) -> str:
    """The outputs of a regression for one example, separated by commas, with the digits that their
    type has."""
    return ",".join(map(str, outputs))


def _with_outputs(
    net: Network, predictions: list[Any], outputs: NDArray | None
) -> tuple[list[Any], Iterable[list[Any]]]:
    """The header and the rows of CSV: the predictions, and the outputs of the classes."""
    target = net.inputs.target if isinstance(net.inputs, Table) else "prediction"
    if outputs is None:
        return [target], ([one] for one in predictions)
    if outputs.shape[1] == 1:  # of the class 1
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    rows = (
        [one, *(f"{value:.6g}" for value in row)]
        for one, row in zip(predictions, outputs.tolist(), strict=True)
    )
    return [target, *class_names(net)], rows
