"""DATA of ``fastnet train``, ``predict`` and ``evaluate``: CSV, .npz, .npy and IDX files."""

from __future__ import annotations

import argparse
import contextlib
import os
import stat
import sys
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.cli.errors import STANDARD_INPUT, given_as, given_as_table
from fastnet.core import checks
from fastnet.core.random_stream import RandomStream
from fastnet.data import raw_columns
from fastnet.data.dataset import Dataset
from fastnet.data.holdout import held_out
from fastnet.data.idx import read_idx, read_images
from fastnet.data.input_transform import Standardize
from fastnet.data.raw_columns import RawColumns
from fastnet.data.table import Table
from fastnet.data.table_columns import listed
from fastnet.data.table_target import Target
from fastnet.io import numpy_headers
from fastnet.own_data import Examples

# The arrays of .npz files: (inputs, targets), of the training data and of test data.
_NAMES = (("X", "y"), ("x", "y"), ("data", "target"), ("X_train", "y_train"),
          ("x_train", "y_train"))  # fmt: skip
_TEST_NAMES = (("X_test", "y_test"), ("x_test", "y_test"))

_TABLES = (".csv", ".tsv", ".txt")


class Loaded(NamedTuple):
    """The data of a training, and lines that describe them."""

    examples: Examples
    lines: list[str]


class Arrays(NamedTuple):
    """Inputs (n, ...) and targets, or None, of one file or two."""

    name: str
    X: NDArray
    y: NDArray | None
    scale: float = 1.0


def kind_of(file: str) -> str:
    """ "table", "npz", "npy" or "idx"; a pipe, such as that of <(command), has a table."""
    name = file.lower()
    if file in STANDARD_INPUT or name.removesuffix(".gz").endswith(_TABLES):
        return "table"
    with contextlib.suppress(OSError, ValueError):
        if stat.S_ISFIFO(os.stat(file).st_mode):
            return "table"
    suffix = name.rpartition(".")[2]
    return suffix if suffix in ("npz", "npy") else "idx"


class StandardInput:
    """Standard input as a file that messages call by this name."""

    name = "standard input"

    def read(self) -> bytes:
        return sys.stdin.buffer.read()


def table_source(file: str) -> str | StandardInput:
    """The source of a CSV file for ``raw_columns.read``."""
    return StandardInput() if file in STANDARD_INPUT else file


# ---- arrays


def read_arrays(
    option: str, data: Sequence[str], with_targets: bool, test: bool = False
) -> Arrays | None:
    """The arrays of .npz, .npy and IDX files.

    Parameters
    ----------
    option : str
        For messages.
    data : sequence of str
        One .npz file; or a file of inputs, and one of targets if ``with_targets``.
    with_targets : bool
    test : bool
        The test data of an .npz file that has both; None if it has none.
    """
    kind = kind_of(data[0])
    if kind == "npz":
        _check_number(option, data, 1, "one .npz file")
        with given_as(option, data[0]):
            return _from_npz(data[0], with_targets, test)
    if test:
        return None
    if len(data) == 1 and with_targets:
        raise ValueError(
            f"{option}: expected a CSV file (.csv, .tsv, .txt), an .npz file, or two files, of "
            f"inputs and of targets (.npy or IDX); got {data[0]}"
        )
    _check_number(
        option, data, 1 + with_targets, f"one file of inputs{' and one of targets' * with_targets}"
    )
    arrays = []
    for place, file in enumerate(data):
        with given_as(option, file):
            arrays.append(_array(file, is_target=place == 1))
    X, y = arrays[0], arrays[1] if with_targets else None
    if y is not None and len(y) != len(X):
        raise ValueError(
            f"{option}: {data[1]}: expected {len(X)} targets, as {data[0]} has inputs, got {len(y)}"
        )
    with given_as(option, data[0]):
        return _checked(data[0], X, y)


def _check_number(option: str, data: Sequence[str], n: int, files: str) -> None:
    if len(data) != n:
        raise ValueError(f"{option}: expected {files}, got {' '.join(data)}")


def _array(file: str, is_target: bool) -> NDArray:
    if kind_of(file) == "npy":
        with _numpys(), open(file, "rb") as opened:
            numpy_headers.check_npy(opened)
            array: NDArray = np.load(opened)
        return array
    try:
        return read_idx(file) if is_target else read_images(file)
    except ValueError as error:
        if "expected an IDX file" not in str(error):
            raise
        raise ValueError(
            f"{error}; others are known by their names: .csv, .tsv, .txt, .npz and .npy"
        ) from None


@contextlib.contextmanager
def _numpys() -> Iterator[None]:
    """Convert NumPy's errors about damaged files to messages with the expected format."""
    try:
        yield
    except (EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"expected a file of NumPy, found damage: {error}") from None
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise ValueError(f"expected a file of NumPy with numbers or text, found: {error}") from None


def _from_npz(file: str, with_targets: bool, test: bool) -> Arrays | None:
    # opened here, since NumPy leaves a damaged file open
    with _numpys(), open(file, "rb") as opened:
        numpy_headers.check_npz(opened)
        return _chosen(np.load(opened), file, with_targets, test)


def _chosen(arrays: Any, file: str, with_targets: bool, test: bool) -> Arrays | None:
    """The inputs and targets among the arrays of an open .npz file."""
    with arrays:
        found = [*arrays]
        for names in _TEST_NAMES if test else _NAMES:
            if names[0] in found and (names[1] in found or not with_targets):
                y = arrays[names[1]] if with_targets else None
                X = arrays[names[0]]
                if y is not None and len(y) != len(X):
                    raise ValueError(
                        f"expected {len(X)} targets in {names[1]}, one per input, got {len(y)}"
                    )
                return _checked(file, X, y)
        if test:
            return None
    wanted = "arrays X and y, or x_train and y_train" if with_targets else "an array X"
    raise ValueError(f"expected {wanted}, found {listed(found)}")


def _checked(file: str, X: NDArray, y: NDArray | None) -> Arrays:
    """Inputs (n, n_in); bytes are taken as pixels, and scaled by 1/256."""
    if X.ndim < 2:
        raise ValueError(f"expected inputs (n, n_in), got shape {X.shape}")
    if not len(X):
        raise ValueError("expected examples, got none")
    is_pixels = X.dtype == np.uint8 or kind_of(file) == "idx"
    return Arrays(file, X.reshape(len(X), -1), y, 1 / 256 if is_pixels else 1.0)


def target_of(arrays: Arrays, task: str | None) -> Target | None:
    """The kind of the targets: classes or numbers; None for several numbers per example. One-hot
    rows have the classes 0, 1, ... ."""
    y = arrays.y
    assert y is not None
    if kind_of(arrays.name) == "idx":
        if task == "regression" or y.dtype.kind not in "iu":
            raise ValueError(
                f"expected labels, one integer per image, got {y.dtype}"
                + (" for --task regression" if task else "")
            )
        task = "classification"
    if y.ndim == 2 and y.shape[1] > 1:
        if task != "regression" and _is_one_hot(y):
            return Target("y", tuple(range(y.shape[1])))
        if task == "classification":
            raise ValueError(f"expected labels (n,) or one-hot rows, got targets {y.shape}")
        return None
    return Target.fit(_column_of(arrays), "y", task, declared=False)


def _is_one_hot(y: NDArray) -> bool:
    return y.dtype.kind in "biuf" and bool(
        ((y == 0) | (y == 1)).all() and (np.asarray(y, np.int64).sum(axis=1) == 1).all()
    )


def _column_of(arrays: Arrays) -> RawColumns:
    """The targets of arrays as a column."""
    assert arrays.y is not None
    y = arrays.y
    if y.ndim > 2:
        raise ValueError(f"expected targets (n,) or (n, n_out), got {y.shape}")
    return raw_columns.read({"y": y.reshape(-1)})._replace(name=arrays.name)


def targets_of(arrays: Arrays, target: Target | None) -> NDArray:
    """Labels (n,) or targets (n, n_out) of arrays."""
    y = arrays.y
    assert y is not None
    if target is None:
        return y
    if y.ndim == 2 and y.shape[1] > 1 and target.classes is not None:
        if y.shape[1] != len(target.classes) or not _is_one_hot(y):
            raise ValueError(
                f"expected labels (n,) or one-hot rows of {len(target.classes)} classes, "
                f"got targets {y.shape}"
            )
        labels: NDArray = y.argmax(axis=1)
        return labels
    return target.of(_column_of(arrays))


# ---- the data of a training


def load(options: argparse.Namespace) -> Loaded:
    """The training, validation and test data of ``fastnet train DATA``.

    Raises
    ------
    ValueError, TypeError
        The message begins with the option.
    OSError
        If standard input cannot be read.
    """
    if kind_of(options.data[0]) == "table":
        _check_number("DATA", options.data, 1, "one CSV file")
        return _load_table(options)
    for name in ("target", "categorical", "drop", "unknown", "missing"):
        if getattr(options, name) is not None:
            raise ValueError(
                f"--{name}: expected a CSV file as DATA with it, got {options.data[0]}"
            )
    return _load_arrays(options)


def _load_table(options: argparse.Namespace) -> Loaded:
    file = options.data[0]
    chosen = {
        "task": options.task, "categorical": options.categorical, "drop": options.drop,
        "unknown": options.unknown, "missing": options.missing, "standardize": options.standardize,
    }  # fmt: skip
    given = {name: value for name, value in chosen.items() if value is not None}
    with given_as_table("DATA", file):
        # read once: standard input can be read once only
        raw = raw_columns.read_to_fit(
            table_source(file), given.get("categorical", ()), given.get("drop", ()), options.target
        )
        validation = None
        if options.validation_fraction:
            table, training, validation = Table.split(
                raw, options.target, seed=options.seed,
                validation_fraction=options.validation_fraction, **given,
            )  # fmt: skip
        else:
            table = Table.fit(raw, options.target, **given)
            training = table.dataset(raw)
    test = None
    if options.test is not None:
        _check_number("--test", options.test, 1, "one CSV file")
        with given_as_table("--test", options.test[0]):
            test = table.dataset(table_source(options.test[0]))
    examples = Examples(training, validation, test, table, table.classes)
    lines = [_task_line(raw, table, options), *_columns_lines(raw, table)]
    return Loaded(examples, lines + _unknown_lines(raw, table))


def _task_line(raw: RawColumns, table: Table, options: argparse.Namespace) -> str:
    """A line about the rows, the target and the task."""
    guessed = ""
    if options.task is None:
        other = "regression" if table.task == "classification" else "classification"
        guessed = f" (guessed; --task {other} changes it)"
        if table.classes and isinstance(table.classes[0], str):
            guessed = ", as it is text"
    return f"{raw.name}: {raw.n} rows; target {table.target!r}: {_task(table.classes)}{guessed}"


def _task(classes: tuple[Any, ...] | None) -> str:
    """The task, and the names of its classes, for a line."""
    if classes is None:
        return "regression"
    some = ", ".join(map(str, classes[:8]))
    return f"classification, {len(classes)} classes: {some}{', ...' if len(classes) > 8 else ''}"


def _columns_lines(raw: RawColumns, table: Table) -> list[str]:
    """A line about the kinds of the input columns, and one about columns that only count rows."""
    texts = table.categories
    n = table.n_in - len(texts)
    words = [f"{n} column{'s' * (n != 1)} of numbers"]
    if texts:
        shown = ", ".join(f"{name} ({len(c)})" for name, c in [*texts.items()][:8])
        words.append(f"{len(texts)} of texts, one-hot: {shown}{', ...' if len(texts) > 8 else ''}")
    filled = [f for f in table.features or () if f.endswith(" is missing")]
    if filled:
        words.append(f"{len(filled)} with missing values")
    counting = [name for name in table.columns if _counts_rows(raw.columns[name])]
    lines = [f"Inputs: {'; '.join(words)}; {table.n_out} in all"]
    if counting:
        verb, them = ("counts", "it") if len(counting) == 1 else ("count", "them")
        shown = ", ".join(counting)
        lines.append(f"Note: {shown} only {verb} the rows; --drop leaves {them} out")
    return lines


def _unknown_lines(raw: RawColumns, table: Table) -> list[str]:
    """A line about held-out rows with categories that no training row has, if there are any and
    they would be errors later."""
    if table.unknown != "error":
        return []
    unknown = [
        (row, name, text)
        for name, known in ((name, {*c}) for name, c in table.categories.items())
        for row, text in enumerate(raw.columns[name])
        if text not in known
    ]
    if not unknown:
        return []
    n = len({row for row, _, _ in unknown})
    _, name, text = unknown[0]
    shown = "a missing value" if text is None else checks.short_repr(text)
    rows, are = ("row has a category", "it is") if n == 1 else ("rows have categories", "they are")
    return [
        f"Note: {n} held-out {rows} that no training row has, such as {shown} in {name}; {are} "
        f"encoded as zeros here, but predict and evaluate refuse such rows unless train is given "
        f"--unknown ignore"
    ]


def _counts_rows(column: NDArray | list[str | None]) -> bool:
    """Whether a column contains consecutive integers, such as the numbers of the rows."""
    if isinstance(column, list) or len(column) < 3:
        return False
    return bool((np.diff(column) == 1).all())


def _load_arrays(options: argparse.Namespace) -> Loaded:
    arrays = read_arrays("DATA", options.data, True)
    assert arrays is not None
    with given_as("DATA", arrays.name):
        target = target_of(arrays, options.task)
        y = targets_of(arrays, target)
        data = Dataset(arrays.X, y, arrays.scale)
    training, validation = data, None
    if options.validation_fraction:
        chosen = held_out(y, options.validation_fraction, RandomStream(options.seed))
        training, validation = data[np.flatnonzero(~chosen)], data[np.flatnonzero(chosen)]
    inputs = Standardize.fit(training) if options.standardize else None
    test = _test_arrays(options, target, training)
    classes = None if target is None else target.classes
    examples = Examples(training, validation, test, inputs, classes)
    scaled = "" if arrays.scale == 1 else ", pixels times 1/256"
    line = (
        f"{' '.join(options.data)}: {len(data)} examples of {data.X.shape[1]} {data.X.dtype} "
        f"features{scaled}; {_task(classes)}"
    )
    return Loaded(examples, [line])


def _test_arrays(
    options: argparse.Namespace, target: Target | None, training: Dataset
) -> Dataset | None:
    """The test data of --test, or those in the .npz file itself."""
    if options.test is not None:
        option, test = "--test", read_arrays("--test", options.test, True)
    else:
        option, test = "DATA", read_arrays("DATA", options.data, True, test=True)
    if test is None:
        return None
    with given_as(option, test.name):
        if test.X.shape[1] != training.X.shape[1]:
            raise ValueError(
                f"expected {training.X.shape[1]} features, as DATA has, got {test.X.shape[1]}"
            )
        return Dataset(test.X, targets_of(test, target), training.scale)
