"""Data with named columns: frames of pandas, polars and others, dicts and lists of dicts.

Frames of pandas and polars, and other objects with ``columns``, ``to_numpy`` and ``frame[name]``,
are read directly. Other frames, such as tables of pyarrow, need narwhals, an optional dependency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, extras

# A dict of columns, one example as a dict, or several such examples. Frames count as array_like.
Columns: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

# Attributes of frames that narwhals reads.
_EXCHANGE = ("__narwhals_dataframe__", "__dataframe__", "__arrow_c_stream__")


def is_frame(value: Any) -> bool:
    """Whether ``value`` is a data frame: it has named columns."""
    if isinstance(value, np.ndarray | list | tuple | dict):
        return False
    if not hasattr(value, "to_numpy") and not any(hasattr(value, name) for name in _EXCHANGE):
        return False
    return hasattr(value, "columns")


def is_row(value: Any) -> bool:
    """Whether ``value`` is one example with names: a dict of numbers or texts, or a row of a pandas
    frame."""
    value = _as_dict(value)
    if not isinstance(value, Mapping) or not value:
        return False
    return all(map(_is_single, value.values()))


def _is_single(value: Any) -> bool:
    """Whether ``value`` is a single value and not a column, without converting it."""
    if isinstance(value, str | bytes):
        return True
    dimensions = getattr(value, "ndim", None)
    return not hasattr(value, "__len__") if dimensions is None else dimensions == 0


def _as_dict(value: Any) -> Any:
    """A dict of a row of a pandas frame, which is a Series indexed by the names of the columns;
    other values unchanged."""
    if isinstance(value, np.ndarray | list | tuple | Mapping) or not hasattr(value, "to_dict"):
        return value
    index = getattr(value, "index", None)
    if index is None or callable(index) or hasattr(value, "columns"):
        return value
    found = tuple(index)
    return value.to_dict() if found and _are_strings(found) and _are_unique(found) else value


def is_named(value: Any) -> bool:
    """Whether ``value`` has named columns: a frame, a dict of columns, one example (``is_row``) or
    a list of dicts."""
    if isinstance(value, list | tuple):
        return bool(value) and isinstance(value[0], Mapping)
    return isinstance(_as_dict(value), Mapping) or is_frame(value)


def names(frame: Any) -> tuple[str, ...] | None:
    """The names of the columns of named data (``is_named``), in order; None if one is not a string
    or two are equal."""
    found = _labels(frame)
    return found if _are_strings(found) and _are_unique(found) else None


def _labels(frame: Any) -> tuple[Any, ...]:
    """The names of the columns, of any type."""
    frame = frame[0] if isinstance(frame, list | tuple) else _as_dict(frame)
    return tuple(frame if isinstance(frame, Mapping) else _readable(frame).columns)


def _are_unique(found: tuple[Any, ...]) -> bool:
    return len(set(found)) == len(found)


def _are_strings(found: tuple[Any, ...]) -> bool:
    return all(isinstance(name, str) for name in found)


def columns_of(raw: Any) -> dict[Any, Any]:
    """The columns of named data (``is_named``) by name; columns of a frame are not converted.

    Raises
    ------
    ValueError, TypeError
        For rows with other keys than the first, and columns of different lengths.
    ImportError
        If reading the frame needs narwhals, and it is not installed.
    """
    raw = _as_dict(raw)
    if isinstance(raw, Mapping):
        if is_row(raw):
            return {name: [value] for name, value in raw.items()}
        _check_lengths(raw)
        return dict(raw)
    if isinstance(raw, list | tuple):
        return _columns_of_rows(raw)
    frame = _readable(raw)
    _check_unique(tuple(frame.columns))
    return {name: frame[name] for name in frame.columns}


def _check_lengths(columns: Mapping[Any, Any]) -> None:
    n = None
    for name, column in columns.items():
        length = "a single value" if _is_single(column) else len(column)
        n = length if n is None else n
        if length != n or _is_single(column):
            raise ValueError(
                f"column {name!r}: expected as many values as the first column has, got {length}"
            )


def _check_unique(names: tuple[Any, ...]) -> None:
    if not _are_unique(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"expected each column once, got {twice!r} twice")


def _columns_of_rows(rows: Sequence[Any]) -> dict[Any, list[Any]]:
    first = rows[0]
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise TypeError(
                f"row {i}: expected a dict like the first, got {checks.short_repr(row)}"
            )
        if row.keys() != first.keys():
            odd = min(map(repr, row.keys() ^ first.keys()))
            raise ValueError(f"row {i}: expected the keys of the first row, got others: {odd}")
    return {name: [row[name] for row in rows] for name in first}


def _readable(frame: Any) -> Any:
    """A frame with ``columns`` and ``frame[name].to_numpy()``."""
    if hasattr(frame, "to_numpy"):
        return frame
    try:
        import narwhals
    except ImportError:
        raise ImportError(
            f"expected a frame of pandas or polars, or narwhals installed, which reads "
            f"{type(frame).__name__} ({extras.installation('narwhals')})"
        ) from None
    return narwhals.from_native(frame, eager_only=True)


def values(column: Any) -> NDArray:
    """A column as an array: float64 if all its values are numbers, booleans or missing, else
    objects.

    Returns
    -------
    (n,) ndarray
        A missing value (None, NaN, pandas.NA) is NaN among numbers, None among objects. An array
        of another NumPy type, such as dates, is returned unchanged.
    """
    array = column.to_numpy() if hasattr(column, "to_numpy") else _array(column)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if array.dtype.kind not in "OSUT":
        return array
    found = [None if is_missing(value) else value for value in array.tolist()]
    if any(value is not None for value in found) and all(
        value is None or isinstance(value, Real | np.bool_) for value in found
    ):
        return np.array([np.nan if value is None else float(value) for value in found])
    return np.fromiter(found, object, len(found))


def _array(column: Any) -> NDArray:
    """A list or another sequence as an array that keeps the types of its elements."""
    if isinstance(column, np.ndarray):
        return column
    return np.fromiter(column, object, len(column))


def is_missing(value: Any) -> bool:
    """Whether ``value`` is missing: None, NaN or the missing value of pandas."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real) and value != value


def matrix(raw: Any, features: Sequence[str] | None = None) -> Any:
    """The numbers of named data (``is_named``), one example per row.

    Parameters
    ----------
    raw : frame, dict or list of dicts
    features : sequence of str or None
        The names of the columns, in the order of the result; None: the columns of ``raw`` in their
        order, as always for a frame whose names are not strings.

    Returns
    -------
    (n, n_in) float64, or a frame whose columns are in the order of ``features``

    Raises
    ------
    ValueError, TypeError
        For a missing or additional column, and for values that are not numbers.
    """
    found = order = _labels(raw)
    if features is not None and _are_strings(found):
        order = tuple(features)
        if found != order:
            _check_names(found, features)
    if is_frame(raw) and hasattr(raw, "to_numpy"):
        return raw if order == found else raw[list(order)]
    columns = columns_of(raw)
    rows = []
    for name in order:
        array = values(columns[name])
        if array.ndim != 1:
            raise ValueError(f"column {name!r}: expected one value per row, got {array.shape}")
        if array.dtype != np.float64:
            odd = next((one for one in array.tolist() if not isinstance(one, Real)), array.dtype)
            raise TypeError(f"column {name!r}: expected numbers, got {checks.short_repr(odd)}")
        rows.append(array)
    if not rows:
        raise ValueError("expected at least one column, got none")
    return np.stack(rows, axis=1)


def _check_names(found: tuple[str, ...], features: Sequence[str]) -> None:
    missing = [name for name in features if name not in found]
    if missing:
        raise ValueError(f"expected a column {missing[0]!r}, got {checks.some(found)}")
    others = [name for name in found if name not in features]
    if others:
        raise ValueError(
            f"expected no columns but the features {checks.some(features)}, got {others[0]!r}"
        )
    _check_unique(found)
