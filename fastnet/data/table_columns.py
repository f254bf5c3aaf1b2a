"""The input columns of a ``Table``, fitted to training rows, which encode raw rows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data.csv_files import is_number
from fastnet.data.raw_columns import RawColumns
from fastnet.data.table_words import words

# Texts that are dates or times: 2024-05-31, 31.5.2024, 5/31/24, each optionally with a time.
_DATE = re.compile(r"(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./])\d{1,2}\2\d{2,4})([T ].*)?")

# A number with a decimal comma.
_COMMA = re.compile(r"[-+]?\d+,\d+")

# A column with at least this number of rows, most of them different, is not accepted as categories.
_LEAST_ROWS = 10


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers or booleans, which are not changed.

    Attributes
    ----------
    name : str
    mean : float
        The mean of the training rows that have a value; it replaces missing numbers.
    indicator : bool
        Whether a second column is 1 where the number is missing, else 0.
    """

    name: str
    mean: float
    indicator: bool

    @property
    def features(self) -> list[str]:
        return [self.name, f"{self.name} is missing"] if self.indicator else [self.name]

    @property
    def is_scaled(self) -> list[bool]:
        """For each encoded column, whether it is standardized."""
        return [True, False][: 1 + self.indicator]

    def encode(self, raw: RawColumns, out: NDArray, unknown: str, missing: str) -> None:
        """Write the encoded columns of ``raw`` to ``out`` (n, columns)."""
        numbers = numbers_of(raw, self.name)
        absent = np.isnan(numbers)
        if missing == "error" and absent.any():
            row = int(absent.argmax())
            raise ValueError(f"{raw.place(row, self.name)}: expected a number, got a missing value")
        out[:, 0] = np.where(absent, self.mean, numbers)
        if self.indicator:
            out[:, 1] = absent

    def state(self) -> dict[str, Any]:
        return {"name": self.name, "mean": self.mean, "indicator": self.indicator}


@dataclass(frozen=True)
class CategoryColumn:
    """A column of texts, encoded as a one-hot column for each category.

    Attributes
    ----------
    name : str
    categories : tuple of str or None
        The categories of the training rows, sorted by code point; None, the last one, is that of
        missing values.
    """

    name: str
    categories: tuple[str | None, ...]

    @property
    def features(self) -> list[str]:
        return [
            f"{self.name} is missing" if one is None else f"{self.name}={one}"
            for one in self.categories
        ]

    @property
    def is_scaled(self) -> list[bool]:
        return [False] * len(self.categories)

    def encode(self, raw: RawColumns, out: NDArray, unknown: str, missing: str) -> None:
        """As for ``NumberColumn``; the row of an unknown category is all zeros if it is ignored."""
        column = raw.columns[self.name]
        number_of = {one: i for i, one in enumerate(self.categories)}
        texts = [None] * raw.n if isinstance(column, np.ndarray) else column  # all are missing
        codes = np.array([number_of.get(text, -1) for text in texts])
        known = np.flatnonzero(codes >= 0)
        out[known, codes[known]] = 1
        if missing == "error" and None in texts:
            raise ValueError(
                f"{raw.place(texts.index(None), self.name)}: expected a category, "
                f"got a missing value"
            )
        if unknown == "error" and len(known) < raw.n:
            row = int((codes < 0).argmax())
            raise ValueError(
                f"{raw.place(row, self.name)}: expected one of the categories "
                f"{listed(self.categories)}, got "
                f"{'a missing value' if texts[row] is None else repr(texts[row])}; "
                f"{words().ignore} encodes others as zeros"
            )

    def state(self) -> dict[str, Any]:
        return {"name": self.name, "categories": [*self.categories]}


Column = NumberColumn | CategoryColumn


def listed(items: tuple[Any, ...] | list[Any]) -> str:
    """The first items, for a message."""
    shown = ", ".join("missing" if one is None else checks.short_repr(one) for one in items[:8])
    return f"{shown}{', ...' if len(items) > 8 else ''}"


def fitted(raw: RawColumns, name: str, missing: str) -> Column:
    """The column of this name, fitted to the training rows.

    Parameters
    ----------
    raw : RawColumns
    name : str
    missing : "mean" or "error"

    Raises
    ------
    ValueError
        For a column without values, and for a missing value with ``missing="error"``.
    """
    column = raw.columns[name]
    if isinstance(column, np.ndarray):
        known = column[~np.isnan(column)]
        if not len(known):
            raise ValueError(
                f"{raw.name}, column {name!r}: expected values, got missing ones only; leave the "
                f"column out, {words().drop(name)}"
            )
        with np.errstate(over="ignore"):
            mean = float(known.mean())
        if not math.isfinite(mean):
            raise ValueError(
                f"{raw.name}, column {name!r}: expected numbers with a finite mean, "
                f"got a sum beyond the range of float64"
            )
        has_missing = len(known) < raw.n
        made: Column = NumberColumn(name, mean, has_missing and missing == "mean")
    else:
        known_texts = sorted({text for text in column if text is not None})
        rest = [None] if None in column else []
        made = CategoryColumn(name, (*known_texts, *rest))
    if missing == "error":
        made.encode(raw, np.zeros((raw.n, len(made.features))), "error", "error")
    return made


def check_categories(raw: RawColumns, name: str, is_target: bool = False) -> None:
    """Raise a ValueError for a column of texts that was not declared to be categorical if most
    texts are numbers, all are dates, or most rows have different texts."""
    use = words().categorical(name)
    declare = f"leave it out, {words().drop(name)}, or {use}"
    if is_target:  # which cannot be left out
        use = declare = f"if they are classes, {words().classification}"
    texts = [(row, text) for row, text in enumerate(raw.columns[name]) if text is not None]
    numbers = sum(1 for _, text in texts if is_number(text))
    if 2 * numbers >= len(texts):
        raise not_a_number(
            raw, name, f"; {use}" if is_target else f"; if they are categories, {use}"
        )
    if all(_DATE.fullmatch(text) for _, text in texts):
        raise ValueError(
            f"{raw.place(texts[0][0], name)}: expected numbers or categories, got the date "
            f"{texts[0][1]!r}; convert it to a number, such as the days since a fixed day, "
            f"or {declare}"
        )
    row, text = texts[0]
    if all(is_number(text) or _COMMA.fullmatch(text) for _, text in texts):
        raise ValueError(
            f"{raw.place(row, name)}: expected numbers with a decimal point, got {text!r}; "
            f"{declare}"
        )
    different = len({text for _, text in texts})
    if len(texts) >= _LEAST_ROWS and 2 * different > len(texts):
        raise ValueError(
            f"{raw.place(row, name)}: expected numbers or categories, got {different} different "
            f"texts in {len(texts)} rows, such as {_shortened(text)}; {declare}"
        )


def _shortened(text: str) -> str:
    """A text for a message, shortened to 40 characters."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def numbers_of(raw: RawColumns, name: str) -> NDArray:
    """A column of numbers, NaN where one is missing.

    Raises
    ------
    ValueError
        For the first value that is not a number.
    """
    column = raw.columns[name]
    if isinstance(column, np.ndarray):
        return column
    if all(text is None for text in column):
        return np.full(raw.n, math.nan)
    raise not_a_number(raw, name)


def not_a_number(raw: RawColumns, name: str, advice: str = "") -> ValueError:
    """The error for the first value of a column that is not a finite number."""
    row, text = next(
        (row, text)
        for row, text in enumerate(raw.columns[name])
        if text is not None and not is_number(text)
    )
    return ValueError(f"{raw.place(row, name)}: expected a number, got {_shortened(text)}{advice}")


def from_state(state: Any) -> Column:
    """The column of ``state``.

    Raises
    ------
    ValueError, TypeError
        For an invalid state.
    """
    if isinstance(state, dict) and isinstance(state.get("name"), str):
        name = state["name"]
        categories, mean, indicator = (
            state.get(key) for key in ("categories", "mean", "indicator")
        )
        if isinstance(categories, list) and all(isinstance(c, str | None) for c in categories):
            if len({*categories}) == len(categories) > 0:
                return CategoryColumn(name, tuple(categories))
        elif isinstance(mean, float) and math.isfinite(mean) and isinstance(indicator, bool):
            return NumberColumn(name, mean, indicator)
    raise ValueError(
        f"expected a column of numbers or categories, found {checks.short_repr(state)}"
    )
