"""Raw rows of any form (CSV files, frames, dicts) as columns of numbers or texts."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Collection, Mapping
from math import isinf
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data import csv_files, frames
from fastnet.data.csv_files import BOOLEANS, MISSING, Column, is_number

EXPECTED = (
    "the path of a CSV file, a frame of pandas or polars, a dict of columns, a dict of one "
    "row or a list of dicts"
)


# Texts that stand for missing values in a column of numbers: more than in a column of texts.
_MISSING_NUMBERS = MISSING | {"None", "<NA>", "#N/A", "NAN", "-"}

# An integer written as a float, or a day written as a time; the groups match the canonical text.
_LONGER = re.compile(r"(-?(?:0|[1-9]\d*))\.0|(\d{4}-\d\d-\d\d)[ T]00:00:00")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

_DATES = (datetime.date, datetime.time, datetime.timedelta)  # datetime.datetime is a date


class RawColumns(NamedTuple):
    """Rows before they are encoded.

    Attributes
    ----------
    name : str
        The name of the rows in messages: the file, or "data".
    columns : {str: (n,) float64 array or list of n str or None}
        By name, in order. NaN and None stand for missing values.
    n : int
        The number of rows.
    booleans : frozenset of str
        The columns of numbers that were given as booleans.
    lines : list of int or None
        The line of the file on which each row begins.
    others : tuple of str
        The names of columns that were not read.
    means : {str: float}
        If the rows are a selection: for each column of numbers that has no values in them, its
        mean over all rows.
    """

    name: str
    columns: dict[str, Column]
    n: int
    booleans: frozenset[str] = frozenset()
    lines: list[int] | None = None
    others: tuple[str, ...] = ()
    means: Mapping[str, float] = MappingProxyType({})

    @property
    def names(self) -> list[str]:
        """The names of all columns; those in ``others`` come last."""
        return [*self.columns, *self.others]

    def place(self, row: int, column: str) -> str:
        """The position of a value, for messages."""
        where = f"row {row}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.name}, {where}, column {column!r}"

    def rows(self, indices: NDArray) -> RawColumns:
        """The rows with these indices."""
        columns: dict[str, Column] = {
            name: column[indices]
            if isinstance(column, np.ndarray)
            else [column[i] for i in indices]
            for name, column in self.columns.items()
        }
        lines = None if self.lines is None else [self.lines[i] for i in indices]
        means = {
            name: _mean(self.columns[name])
            for name, column in columns.items()
            if isinstance(column, np.ndarray) and np.isnan(column).all()
        }
        means = {name: mean for name, mean in means.items() if np.isfinite(mean)}
        return self._replace(columns=columns, n=len(indices), lines=lines, means=means)


def _mean(column: Column) -> float:
    """The mean of the numbers that are not missing; NaN if all are."""
    numbers = np.asarray(column, np.float64)
    known = numbers[~np.isnan(numbers)]
    with np.errstate(over="ignore"):
        return float(known.mean()) if len(known) else np.nan


def is_raw(data: Any) -> bool:
    """Whether ``data`` has a form that ``read`` accepts.

    Examples
    --------
    >>> is_raw("new.csv"), is_raw({"age": 31.0}), is_raw(np.zeros(3))
    (True, True, False)
    """
    return isinstance(data, RawColumns | str | os.PathLike) or frames.is_named(data)


def read(
    data: Any, texts: Collection[str] = (), is_needed: Callable[[str], bool] | None = None
) -> RawColumns:
    """The columns of raw rows.

    Parameters
    ----------
    data : str, path, binary file, frame, dict or list of dicts
        A CSV file, as for ``csv_files.read_csv``; a frame of pandas, polars or another
        library; a dict of columns, or of one row; a list of such rows. Names that are
        integers are read as text.
    texts : collection of str
        Columns to read as texts, whatever they contain; dates become the texts that a CSV file has
        for them.
    is_needed : callable or None
        Takes the name of a column and returns whether it is needed; the values of other columns
        are not checked. None: all are needed.

    Returns
    -------
    RawColumns

    Raises
    ------
    TypeError, ValueError
        For other forms, and for values other than numbers, booleans and texts, such as dates.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> raw = read({"age": [31, None], "zip": [8001, 8002]}, texts={"zip"})
    >>> raw.columns["age"].tolist(), raw.columns["zip"]
    ([31.0, nan], ['8001', '8002'])
    """
    if isinstance(data, RawColumns):
        return data
    if isinstance(data, str | os.PathLike) or hasattr(data, "read"):
        name = getattr(data, "name", None) if hasattr(data, "read") else None
        read_file = csv_files.read_csv(
            data, texts, name if isinstance(name, str) else None, is_needed
        )
        raw = RawColumns(
            read_file.name, read_file.columns, len(read_file.lines), lines=read_file.lines
        )
        return _with_booleans(raw, texts)
    if not frames.is_named(data):
        raise TypeError(f"data: expected {EXPECTED}; got {checks.short_repr(data)}")
    with checks.error_prefix("data"):
        return _from_named(frames.columns_of(data), texts, is_needed)


def _with_booleans(raw: RawColumns, texts: Collection[str]) -> RawColumns:
    """The columns of a file; those whose fields are all true or false are converted to numbers."""
    booleans = frozenset(
        name
        for name, column in raw.columns.items()
        if isinstance(column, list)
        and name not in texts
        and all(field is None or field in BOOLEANS for field in column)
        and any(column)
    )
    columns = {
        name: np.array([np.nan if field is None else BOOLEANS[field] for field in column])
        if name in booleans
        else column
        for name, column in raw.columns.items()
    }
    return raw._replace(columns=columns, booleans=booleans)


def _from_named(
    given: dict[Any, Any], texts: Collection[str], is_needed: Callable[[str], bool] | None
) -> RawColumns:
    """The columns of a frame or a dict."""
    columns: dict[str, Column] = {}
    booleans, others = set(), []
    n = 0
    for key, values in given.items():
        if isinstance(key, int) and str(key) in given:
            raise ValueError(
                f"expected different names of columns, got {key!r} and {str(key)!r}, which are "
                f"the same name"
            )
        if not isinstance(key, str | int):
            raise TypeError(
                f"expected names of columns that are str or int, got {checks.short_repr(key)}"
            )
        name = str(key)
        if is_needed is not None and not is_needed(name):
            others.append(name)
            n = len(values)
            continue
        columns[name], is_boolean = _column(name, values, name in texts)
        n = len(columns[name])
        if is_boolean:
            booleans.add(name)
    if not n:
        raise ValueError(f"expected {'rows' if given else 'columns'}, got none")
    return RawColumns("data", columns, n, frozenset(booleans), others=tuple(others))


def _column(name: str, values: Any, as_text: bool) -> tuple[Column, bool]:
    """A column of a frame or a dict as numbers or texts, and whether it has booleans."""
    array = values if isinstance(values, np.ndarray) else _array(values)
    if array.ndim != 1:
        raise ValueError(f"column {name!r}: expected one value per row, got shape {array.shape}")
    if as_text and array.dtype.kind in "mM":
        array = array.astype(f"{array.dtype.kind}8[us]").astype(object)
    kind = array.dtype.kind
    if kind in "biuf" and not as_text:
        return _finite(name, array.astype(np.float64)), kind == "b"
    if kind not in "biufOUT":
        raise _no_numbers(name, array.dtype)
    present = [None if frames.is_missing(value) else value for value in array.tolist()]
    known = [value for value in present if value is not None]
    if not as_text and all(isinstance(value, Real | np.bool_) for value in known):
        numbers = np.array([np.nan if value is None else float(value) for value in present])
        is_boolean = bool(known) and all(isinstance(value, bool | np.bool_) for value in known)
        return _finite(name, numbers), is_boolean
    for value in known:
        if not isinstance(value, str | Real | np.bool_) and not (
            as_text and isinstance(value, _DATES)
        ):
            raise _no_numbers(name, type(value).__name__)
    floats = float | np.floating
    infinite = [i for i, value in enumerate(present) if isinstance(value, floats) and isinf(value)]
    if infinite:
        raise _not_finite(name, infinite[0])
    return [None if value is None else text_of(value) for value in present], False


def _array(values: Any) -> NDArray:
    """The values of a column in an array that keeps their types."""
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy())
    listed = list(values)
    array = np.empty(len(listed), object)
    array[:] = listed
    return array


def _no_numbers(name: str, kind: Any) -> TypeError:
    words = str(kind)
    dates = "date" in words.lower() or "time" in words.lower()
    hint = ", such as the days since a fixed day, or leave the column out" if dates else ""
    return TypeError(
        f"column {name!r}: expected numbers, booleans or texts, got {words}"
        + (f"; convert it to numbers{hint}" if dates else "")
    )


def _finite(name: str, numbers: NDArray) -> NDArray:
    if np.isinf(numbers).any():
        raise _not_finite(name, int(np.isinf(numbers).argmax()))
    return numbers


def _not_finite(name: str, row: int) -> ValueError:
    return ValueError(f"row {row}, column {name!r}: expected finite numbers, got infinity")


def numbers_in(texts: list[str | None]) -> NDArray | None:
    """The numbers of a column of texts, or None if a text is not a number. Missing values are
    NaN, also if they are written as "None", "<NA>", "#N/A", "NAN" or "-".

    Examples
    --------
    >>> numbers_in(["1.5", None, ""]).tolist(), numbers_in(["1", "x"])
    ([1.5, nan, nan], None)
    """
    known = {text for text in texts if text is not None and text not in _MISSING_NUMBERS}
    if known and known <= BOOLEANS.keys():
        number_of = {text: float(BOOLEANS[text]) for text in known}
    elif all(map(is_number, known)):
        number_of = {text: float(text) for text in known}
    else:
        return None
    return np.array([np.nan if text is None else number_of.get(text, np.nan) for text in texts])


def text_of(value: Any) -> str:
    """A value as the name of a category: 3.0 is "3", and 2020-01-31 00:00:00 is "2020-01-31".
    Spaces around a text are removed.

    Examples
    --------
    >>> text_of("3"), text_of(3.0), text_of(2.5), text_of(True)
    ('3', '3', '2.5', 'True')
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, _DATES):
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, Integral):
        return str(int(value))
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def canonical(text: str | None) -> str | None:
    """The text that stands for all texts of the same value: "3" for "3.0", "True" for "true", None
    for texts that stand for a missing value.

    Examples
    --------
    >>> canonical("3.0"), canonical("TRUE"), canonical("NA"), canonical("03.0"), canonical("a")
    ('3', 'True', None, '03.0', 'a')
    """
    if text is None or text in MISSING:
        return None
    if text in BOOLEANS:
        return str(BOOLEANS[text])
    match = _LONGER.fullmatch(text)
    return (match[1] or match[2]) if match else text


def read_to_fit(
    data: Any, categorical: Collection[str], dropped: Collection[str], target: str | None
) -> RawColumns:
    """``read``, with canonical texts in categorical columns.

    A column is changed if it contains only numbers, only booleans or only dates, and if different
    texts remain different. The target is not changed, since its texts are predicted.
    ``target=None`` stands for the last column that has a name."""
    raw = read(data, categorical, lambda name: name not in dropped)
    if target is None:
        target = next((name for name in reversed(raw.columns) if name), "")
    columns = dict(raw.columns)
    for name in categorical:
        column = columns.get(name)
        if isinstance(column, list) and name != target:
            columns[name] = _with_canonical(column)
    return raw._replace(columns=columns)


def _with_canonical(column: list[str | None]) -> list[str | None]:
    known = {text for text in column if text is not None}
    are_values = (
        all(map(is_number, known)) or known <= BOOLEANS.keys() or all(map(_DAY.match, known))
    )
    if not are_values or len({*map(canonical, known)}) < len(known):
        return column
    return [canonical(text) for text in column]
