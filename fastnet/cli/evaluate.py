"""``fastnet evaluate``."""

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet import own_data
from fastnet.cli import own_files, predict
from fastnet.cli.errors import given_as, given_as_table
from fastnet.cli.outputs import check_is_another, one_line
from fastnet.data.dataset import Dataset
from fastnet.data.table import Table
from fastnet.data.table_target import Target
from fastnet.model import classes_of
from fastnet.network import Network, load

# With more classes, a matrix would not be readable.
MOST_PRINTED = 30

# Pairs of classes that are listed instead of a matrix.
_MOST_PAIRS = 10


def run(options: argparse.Namespace) -> None:
    """Print how good the predictions for DATA are, and the confusion matrix of classes."""
    with given_as("MODEL", options.model):
        net = load(options.model)
    if options.plot is not None:
        from fastnet import demo

        demo.check_picture("--plot", options.plot)
        quantiles = predict.quantiles_of(net)
        if quantiles is not None:
            raise ValueError(
                f"--plot: expected a network that predicts classes or one number, {options.model} "
                f"predicts {len(quantiles)} quantiles"
            )
        inputs = [("MODEL", options.model), *(("DATA", one) for one in options.data)]
        check_is_another("--plot", options.plot, inputs)
    data = data_of(net, options, "DATA")
    with given_as("DATA", options.data[0]):
        outputs = net.feedforward(data)
        score = own_data.score(net, data, outputs=outputs)
    print(f"{score.n} examples: {score}")
    if options.plot is not None:
        _draw(net, data, options.plot)
    elif data.y.ndim == 1:
        names = predict.class_names(net)
        lines = confusion_matrix if len(names) <= MOST_PRINTED else confusions
        print("", *lines(names, data.y, classes_of(outputs)), sep="\n")


def data_of(net: Network, options: argparse.Namespace, option: str) -> Dataset:
    """The files ``options.data``, which this option or argument has, with their targets."""
    file = options.data[0]
    if own_files.kind_of(file) == "table":
        if len(options.data) > 1:
            raise ValueError(f"{option}: expected one CSV file, got {' '.join(options.data)}")
        with given_as_table(option, file):
            if not isinstance(net.inputs, Table):
                raise ValueError(
                    f"expected arrays (.npz, .npy) or images with their targets, since "
                    f"{options.model} was not trained on a table"
                )
            data = net.inputs.dataset(own_files.table_source(file))
            return data if net.classes is None else data.with_classes(net.classes)
    arrays = own_files.read_arrays(option, options.data, True)
    assert arrays is not None
    scale = predict.scaled(net, options, arrays.X, arrays.scale)
    with given_as(option, file):
        target: Target | None = None
        if predict.is_classifier(net, file):
            target = Target("y", tuple(predict.class_names(net)))
        elif net.sizes[-1] == 1 or (_has_one_target(arrays) and predict.quantiles_of(net)):
            target = Target("y", None)
        data = Dataset(arrays.X, own_files.targets_of(arrays, target), scale)
        if data.X.shape[1] != net.sizes[0]:
            raise ValueError(
                f"expected {net.sizes[0]} features per example, the inputs of {options.model}, "
                f"got {data.X.shape[1]}"
            )
    return data


def _has_one_target(arrays: own_files.Arrays) -> bool:
    """Whether the targets are one number per example."""
    return arrays.y is not None and arrays.y.size == len(arrays.y)


def confusion_matrix(names: list[Any], true: NDArray, predicted: NDArray) -> list[str]:
    """The lines of a table: a row for each true class, a column for each predicted one.

    Examples
    --------
    >>> print(*confusion_matrix(["no", "yes"], np.array([0, 1, 1]), np.array([0, 0, 1])), sep="\\n")
    true \\ predicted  no  yes
    no                 1    0
    yes                1    1
    """
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (true, predicted), 1)
    shown = [one_line(name) for name in names]
    head = "true \\ predicted"
    first = max(len(head), *map(len, shown))
    widths = [max(len(name), len(str(counts[:, j].max()))) for j, name in enumerate(shown)]
    lines = [
        f"{head:{first}}  " + "  ".join(f"{n:>{w}}" for n, w in zip(shown, widths, strict=True))
    ]
    for name, row in zip(shown, counts, strict=True):
        cells = "  ".join(f"{count:>{w}}" for count, w in zip(row, widths, strict=True))
        lines.append(f"{name:{first}}  {cells}")
    return lines


def confusions(names: list[Any], true: NDArray, predicted: NDArray) -> list[str]:
    """The lines of a table with the pairs of classes that are confused most often.

    Examples
    --------
    >>> for line in confusions(["a", "b", "c"], np.array([0, 1, 1, 2]), np.array([0, 2, 2, 1])):
    ...     print(line)
    true  predicted  examples
    b     c                 2
    c     b                 1
    Of 3 classes; --plot FILE.png draws the whole matrix
    """
    pairs = np.stack([true, predicted], axis=1)[true != predicted]
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    if not len(found):
        return ["No two classes are confused"]
    order = np.argsort(-counts, kind="stable")[:_MOST_PAIRS]
    rows = [("true", "predicted", "examples")]
    rows += [
        (one_line(names[found[i, 0]]), one_line(names[found[i, 1]]), str(counts[i])) for i in order
    ]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    rest = f"The {len(order)} most frequent of {len(found)} confusions of"
    if len(order) == len(found):
        rest = "Of"
    return [
        *(f"{a:{first}}  {b:{second}}  {count:>8}" for a, b, count in rows),
        f"{rest} {len(names)} classes; --plot FILE.png draws the whole matrix",
    ]


def _draw(net: Network, data: Dataset, file: str) -> None:
    """Draw the confusion matrix, or predictions against targets, into a file."""
    from matplotlib.figure import Figure

    from fastnet import demo, plots

    figure = Figure(figsize=(7.2, 6.0), layout="constrained")
    draw = plots.confusion if data.y.ndim == 1 else plots.predictions
    draw(net, data, ax=figure.subplots())
    demo.write_picture(figure, file)
    print(f"Drawn in {file}")
