"""Conversion of the accepted forms of data to a ``Dataset``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, memmap, reporting
from fastnet.data import frames, sparse_rows
from fastnet.data.dataset import Dataset
from fastnet.data.schema import EMPTY, Schema
from fastnet.data.sparse_rows import Compressed

# The alternative that messages about pairs (x, y) offer.
_OR_ARRAYS = "or a tuple (X, y) of arrays with one example per row"


def _from_pairs(pairs: Iterable, byte_scale: float, schema: Schema) -> Dataset:
    """A Dataset of the book's list of pairs (x, y): x is a column, or a dict of one example; y is a
    column, a label, or the target of a single output neuron."""
    listed = []
    for i, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(
                f"expected a Dataset, a tuple (X, y) of arrays, or an iterable of pairs (x, y); "
                f"got {checks.short_repr(pair)} as element {i}"
            )
        name = f"pair {i}"
        for array in pair:
            memmap.check(name, array)
        if any(map(checks.is_masked, pair)):
            raise ValueError(f"expected pairs (x, y) of arrays, got masked elements in pair {i}")
        listed.append(pair)
    if not listed:
        raise ValueError("expected at least one example, got none")
    first = listed[0][0]
    is_named = type(first) is not np.ndarray and isinstance(first, Mapping)
    try:
        X: Any = None if is_named else np.stack([np.asarray(x) for x, _ in listed])
        y = np.stack([np.asarray(y) for _, y in listed])
    except ValueError:
        raise ValueError(
            f"expected pairs (x, y) of the same shapes, {_OR_ARRAYS}; got several shapes"
        ) from None
    X = _examples_by_name([x for x, _ in listed]) if is_named else _rows(X)
    if y.ndim == 3 and y.shape[2] == 1:
        y = y[:, :, 0]
    if y.ndim == 1 and y.dtype.kind == "f":  # the one target of a single output neuron
        y = y[:, None]
    return _from_arrays(X, y, byte_scale, schema)


def _rows(X: NDArray) -> NDArray:
    """The examples x of pairs, (n, n_in) or columns (n, n_in, 1), as rows."""
    if X.ndim == 3 and X.shape[2] == 1:
        X = X[:, :, 0]
    if X.ndim != 2:
        raise ValueError(
            f"expected pairs (x, y) with columns x, {_OR_ARRAYS}; got pairs with x of shape "
            f"{X.shape[1:]}"
        )
    return X


def _examples_by_name(rows: list[Any]) -> list[Any]:
    """The dicts of pairs (x, y), each with a value per column."""
    for i, row in enumerate(rows):
        if not frames.is_row(row):
            raise TypeError(
                f"expected a dict with one value per column in pair {i}, as in the first pair, "
                f"{_OR_ARRAYS}; got {checks.short_repr(row)}"
            )
    return rows


def _from_arrays(X: Any, y: Any, byte_scale: float, schema: Schema) -> Dataset:
    """A Dataset of arrays: uint8 inputs, but not booleans, are multiplied by ``byte_scale``."""
    if schema.classes is not None:
        y = schema.codes(y)
    if type(X) is not np.ndarray and frames.is_named(X):
        if schema.has_columns:
            with checks.error_prefix("X"):
                X = schema.rows(X)
        if frames.is_named(X):  # the data set reads the names of the columns
            if byte_scale != 1 and checks.array("X", frames.matrix(X)).dtype.char != "B":
                byte_scale = 1.0
            return Dataset(X, y, byte_scale)
    if not sparse_rows.is_sparse(X):
        X = checks.array("X", X)
    return Dataset(X, y, byte_scale if X.dtype.char == "B" else 1.0)


def as_dataset(name: str, data: Any, byte_scale: float = 1.0, schema: Schema = EMPTY) -> Dataset:
    """``data`` in any of the accepted forms as a Dataset; errors start with ``name``.

    Bytes that are not in a Dataset are multiplied by ``byte_scale``; other inputs are used
    unscaled. ``schema`` encodes the columns and labels of data that are not in a Dataset.
    """
    if isinstance(data, Dataset):
        data.check_files()
        return data
    if schema.inputs is not None:
        with checks.error_prefix(name):
            rows = schema.inputs.examples(data)
        if rows is not None:
            return rows
    is_pair = isinstance(data, tuple) and len(data) == 2 and not isinstance(data[0], tuple)
    if not is_pair:
        data = as_list(name, data)
    try:
        return (
            _from_arrays(data[0], data[1], byte_scale, schema)
            if is_pair
            else _from_pairs(data, byte_scale, schema)
        )
    except (TypeError, ValueError) as error:
        raise checks.prefixed(name, error) from None


def bytes_warning(name: str, data: Dataset) -> str:
    """The warning about training on unscaled bytes; "" if there is nothing to warn about."""
    if not data.is_bytes or data.scale != 1:
        return ""
    values = data.X.stored if isinstance(data.X, Compressed) else data.X
    if values.size == 0 or values.max() <= 1:
        return ""
    return (
        f"{name}: the inputs are bytes of up to {values.max()} that are not in a Dataset and are "
        f"used unscaled; fastnet.Dataset(X, y, scale=1/256) scales pixels"
    )


def warn_of_bytes(name: str, given: Any, data: Dataset) -> None:
    """Issue the warning about unscaled bytes, unless they were given as a Dataset."""
    if data is not given and (message := bytes_warning(name, data)):
        reporting.warn(message)


def given_data(name: str, data: Any) -> Any:
    """Optional data: False becomes None, and an iterator a list, since it may be read twice."""
    if data is None or (isinstance(data, bool | np.bool_) and not data):
        return None
    return as_list(name, data) if isinstance(data, Iterator | bool) else data


def as_list(name: str, data: Any) -> list | tuple:
    """An iterable of examples as a list or tuple. Exceptions that the iterable raises propagate."""
    if isinstance(data, (list, tuple)):
        return data
    if not isinstance(data, Iterable) or isinstance(data, (str, bytes, dict)):
        raise TypeError(
            f"{name}: expected a Dataset, a tuple (X, y) of arrays, or an iterable of pairs "
            f"(x, y); got {checks.short_repr(data)}"
        )
    return list(data)
