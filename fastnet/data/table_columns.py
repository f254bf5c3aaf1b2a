"""The encodings of a ``Table``'s input columns, fitted to training rows."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data import raw_columns
from fastnet.data.csv_files import MISSING, is_number
from fastnet.data.raw_columns import RawColumns
from fastnet.data.table_words import words

# Texts that are dates or times: 2024-05-31, 31.5.2024, 5/31/24, 5 May 2024, May 5, 2024, each
# optionally with a time; 12:30, 12:30:59.
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./])\d{1,2}\2\d{2,4}"
    rf"|\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}|{_MONTH} \d{{1,2}},? \d{{4}})([T ].*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
)

# A number with a decimal comma.
_COMMA = re.compile(r"[-+]?\d+,\d+")

# A column with at least this number of rows, most of them different, is not accepted as categories.
_LEAST_ROWS = 10


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers or booleans, encoded as they are.

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
    def width(self) -> int:
        """The number of encoded columns."""
        return 1 + self.indicator

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
        The categories of the training rows, sorted by code point; then None, the category of
        missing values, if there are any.
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
    def width(self) -> int:
        return len(self.categories)

    @property
    def is_scaled(self) -> list[bool]:
        return [False] * len(self.categories)

    @cached_property
    def _code_of(self) -> dict[str | None, int]:
        """The number of each category."""
        return {one: i for i, one in enumerate(self.categories)}

    @cached_property
    def _code_of_canonical(self) -> dict[str | None, int]:
        return codes_of_canonical(self.categories)

    def _code(self, text: str | None) -> int:
        """The number of the one category with the same value as ``text``, otherwise -1."""
        return self._code_of_canonical.get(raw_columns.canonical(text), -1)

    def encode(self, raw: RawColumns, out: NDArray, unknown: str, missing: str) -> None:
        """As for ``NumberColumn``. With ``unknown="ignore"`` an unknown category is all zeros."""
        column = raw.columns[self.name]
        texts = [None] * raw.n if isinstance(column, np.ndarray) else column  # all are missing
        code_of = self._code_of
        codes = np.array([code_of[text] if text in code_of else self._code(text) for text in texts])
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


def check_features(raw: RawColumns, columns: list[Column]) -> None:
    """Raise a ValueError if two encoded columns have the same name."""
    source: dict[str, str] = {}
    for column in columns:
        for feature in column.features:
            if feature in source:
                raise ValueError(
                    f"{raw.name}: expected different names of encoded columns, got "
                    f"{feature!r} from the columns {source[feature]!r} and {column.name!r}; "
                    f"rename one"
                )
            source[feature] = column.name


def codes_of_canonical(categories: tuple[str | None, ...]) -> dict[str | None, int]:
    """{canonical text: number of its category}, without texts that several categories share."""
    texts = [raw_columns.canonical(one) for one in categories]
    counts = Counter(texts)
    return {text: i for i, text in enumerate(texts) if counts[text] == 1}


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
        if not len(known) and name not in raw.means:
            raise ValueError(
                f"{raw.name}, column {name!r}: expected values, got missing ones only; leave the "
                f"column out, {words().drop(name)}"
            )
        with np.errstate(over="ignore"):
            mean = float(known.mean()) if len(known) else raw.means[name]
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
        made.encode(raw, np.zeros((raw.n, made.width)), "error", "error")
    return made


def check_categories(raw: RawColumns, name: str, is_target: bool = False) -> None:
    """Raise a ValueError if a column of texts, not declared as categorical, does not look like
    categories: most texts are numbers or dates, or most rows have different texts."""
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
    dates = [(row, text) for row, text in texts if _DATE.fullmatch(text)]
    if 2 * len(dates) > len(texts):
        row, text = dates[0]
        kind = "time" if text.find(":") in (1, 2) else "date"
        raise ValueError(
            f"{raw.place(row, name)}: expected numbers or categories, got the {kind} "
            f"{text!r}; convert it to a number, such as the days since a fixed day, "
            f"or {declare}"
        )
    row, text = texts[0]
    if all(is_number(text) or _COMMA.fullmatch(text) for _, text in texts):
        raise ValueError(
            f"{raw.place(row, name)}: expected numbers with a decimal point, got {text!r}; decimal "
            f"commas are read only from files whose separator is a semicolon"
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
    """A column of numbers, or of texts that are numbers; NaN where one is missing.

    Raises
    ------
    ValueError
        For the first value that is not a number.
    """
    column = raw.columns[name]
    if isinstance(column, np.ndarray):
        return column
    numbers = raw_columns.numbers_in(column)
    if numbers is None:
        raise not_a_number(raw, name)
    return numbers


def with_numbers(raw: RawColumns, names: list[str]) -> RawColumns:
    """The rows; named columns whose texts are all numbers are converted to numbers."""
    columns = dict(raw.columns)
    for name in names:
        column = columns[name]
        if isinstance(column, list) and any(text and is_number(text) for text in column):
            numbers = raw_columns.numbers_in(column)
            columns[name] = column if numbers is None else numbers
    return raw._replace(columns=columns)


def not_a_number(raw: RawColumns, name: str, advice: str = "") -> ValueError:
    """The error for the first value of a column that is not a finite number."""
    texts = [(row, text) for row, text in enumerate(raw.columns[name]) if text is not None]
    others = [(row, text) for row, text in texts if text not in MISSING and not is_number(text)]
    row, text = (others or texts)[0]
    return ValueError(f"{raw.place(row, name)}: expected a number, got {_shortened(text)}{advice}")


def from_state(state: Any) -> Column:
    """The column with this state.

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
