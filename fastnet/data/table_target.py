"""The target column of a ``Table``: classes or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data import raw_columns, table_columns
from fastnet.data.csv_files import is_number
from fastnet.data.raw_columns import RawColumns
from fastnet.data.table_columns import listed

# At most this many different integers, each in at least this many rows on average, are classes.
MOST_CLASSES, ROWS_PER_CLASS = 20, 5


def _are_whole(values: NDArray) -> bool:
    return bool((values == np.floor(values)).all() and abs(values).max() < 2**53)


def _are_classes(column: NDArray) -> bool:
    """Whether numbers are taken as classes: few different integers."""
    values = np.unique(column)
    few = len(values) <= MOST_CLASSES and len(column) >= ROWS_PER_CLASS * len(values)
    return few and _are_whole(values)


@dataclass(frozen=True)
class Target:
    """The name of a target column, and its classes.

    Attributes
    ----------
    name : str
    classes : tuple of str, int or bool, or None
        Sorted; None: the target is a number.
    """

    name: str
    classes: tuple[Any, ...] | None

    @classmethod
    def fit(cls, raw: RawColumns, name: str, task: str | None, declared: bool) -> Self:
        """The target of the rows. ``declared``: the user listed it as categorical, so its values
        are classes even if they are numbers."""
        column = raw.columns[name]
        absent = [i for i, value in enumerate(column) if value is None or value != value]
        if absent:
            raise ValueError(
                f"{raw.place(absent[0], name)}: expected a target in each row, got a missing value"
            )
        if isinstance(column, list):
            are_numbers = all(text is not None and is_number(text) for text in column)
            numbers = raw_columns.numbers_in(column) if are_numbers else None
            if task == "regression":
                if numbers is None:
                    raise table_columns.not_a_number(raw, name, ", since the task is a regression")
                return cls(name, None)
            if not declared and task is None:
                if numbers is None:
                    table_columns.check_categories(raw, name, is_target=True)
                elif not _are_classes(numbers):
                    return cls(name, None)
            classes: list[Any] = sorted({*column})
        elif task == "regression":
            return cls(name, None)
        else:
            values = np.unique(column)
            is_boolean = name in raw.booleans
            if task is None and not is_boolean and not _are_classes(column):
                return cls(name, None)
            if not _are_whole(values):
                row = int((column != np.floor(column)).argmax())
                raise ValueError(
                    f"{raw.place(row, name)}: expected integers or texts as classes, "
                    f"got {column[row]:g}"
                )
            classes = [bool(v) if is_boolean else int(v) for v in values]
        if len(classes) < 2:
            raise ValueError(
                f"{raw.name}, column {name!r}: expected two or more classes, got "
                f"{listed(classes)} in all rows"
            )
        return cls(name, tuple(classes))

    @property
    def task(self) -> str:
        return "regression" if self.classes is None else "classification"

    @property
    def texts(self) -> set[str]:
        """{name} if the column must be read as texts, otherwise empty."""
        return {self.name} if self.classes and isinstance(self.classes[0], str) else set()

    def of(self, raw: RawColumns) -> NDArray:
        """The labels (n,) or the targets (n, 1) of the rows.

        Raises
        ------
        ValueError
            For a missing target, one that is not a number, and an unknown class.
        """
        column = raw.columns[self.name]
        if self.classes is None or not self.texts:
            numbers = table_columns.numbers_of(raw, self.name)
            column = numbers.tolist()
        if self.classes is None:
            if np.isnan(numbers).any():
                row = int(np.isnan(numbers).argmax())
                raise ValueError(
                    f"{raw.place(row, self.name)}: expected a target, got a missing value"
                )
            return numbers[:, None]
        label_of: dict[Any, int] = {one: label for label, one in enumerate(self.classes)}
        if self.texts:
            label_of = table_columns.codes_of_canonical(self.classes) | label_of
            label_of.pop(None, None)  # a missing target has no class, even if a class is named "NA"
        labels = np.empty(raw.n, np.int64)
        for row, value in enumerate(column):
            label = label_of.get(value)
            absent = value is None or value != value
            if label is None and self.texts and not absent:
                label = label_of.get(raw_columns.canonical(value))
            if label is None:
                shown = "a missing value" if absent else checks.short_repr(value)
                raise ValueError(
                    f"{raw.place(row, self.name)}: expected one of the classes "
                    f"{listed(self.classes)}, got {shown}"
                )
            labels[row] = label
        return labels

    def state(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "classes": None if self.classes is None else [*self.classes],
        }

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The target with this state; ValueError if it is invalid."""
        if isinstance(state, dict) and isinstance(state.get("name"), str):
            classes = state.get("classes")
            if classes is None:
                return cls(state["name"], None)
            if (
                isinstance(classes, list)
                and len(classes) > 1
                and {*map(type, classes)} in ({str}, {int}, {bool})
                and len({*classes}) == len(classes)
            ):
                return cls(state["name"], tuple(classes))
        raise ValueError(f"target: expected a name and classes, found {checks.short_repr(state)}")
