"""The arguments of ``Table.fit``, checked by themselves and against the columns of the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet.core import checks
from fastnet.data import raw_columns, table_columns
from fastnet.data.raw_columns import RawColumns
from fastnet.data.table_columns import listed
from fastnet.data.table_target import Target
from fastnet.data.table_words import words


def checked_choices(unknown: Any, missing: Any) -> tuple[str, str]:
    """The arguments ``unknown`` and ``missing`` of ``Table``."""
    for name, value, known in (
        ("unknown", unknown, ("error", "ignore")),
        ("missing", missing, ("mean", "error")),
    ):
        if not isinstance(value, str) or value not in known:
            raise ValueError(
                f"{name}: expected {' or '.join(map(repr, known))}, got {checks.short_repr(value)}"
            )
    return unknown, missing


class FitOptions:
    """The arguments of ``Table.fit`` other than the data, checked."""

    def __init__(
        self,
        target: str | None = None,
        task: str | None = None,
        categorical: Iterable[str] = (),
        drop: Iterable[str] = (),
        unknown: str = "error",
        missing: str = "mean",
        standardize: bool = True,
        **others: Any,
    ):
        for name in others:
            raise TypeError(
                f"{name}: expected an argument of Table.fit: task, categorical, drop, unknown, "
                f"missing or standardize; got an unknown one"
            )
        if target is not None and not isinstance(target, str):
            raise TypeError(
                f"target: expected the name of a column, got {checks.short_repr(target)}"
            )
        if task not in (None, "classification", "regression"):
            raise ValueError(
                f"task: expected 'classification', 'regression' or None, "
                f"got {checks.short_repr(task)}"
            )
        self.target, self.task = target, task
        self.categorical = _names("categorical", categorical)
        self.drop = _names("drop", drop)
        self.unknown, self.missing = checked_choices(unknown, missing)
        self.standardize = checks.boolean("standardize", standardize)

    def read(self, data: Any) -> tuple[RawColumns, Target, FitOptions]:
        """The rows, their target, and these options, after checking that the rows have the columns
        that they name."""
        raw = raw_columns.read_to_fit(data, self.categorical, self.drop, self.target)
        target = self.target
        if target is None:
            if raw.lines is None:
                raise TypeError(
                    f"target: expected the name of a column, one of {listed([*raw.columns])}, "
                    f"got None"
                )
            self._check_named(raw)
            target = next((name for name in reversed(raw.columns) if name), "")
        for argument, names in (
            ("target", [target]),
            ("categorical", self.categorical),
            ("drop", self.drop),
        ):
            for name in names:
                if name not in raw.names:
                    raise ValueError(
                        f"{argument}: expected a column of {raw.name}, one of "
                        f"{listed(raw.names)}; got {name!r}"
                    )
        if target in self.drop:
            raise ValueError(f"drop: expected other columns than the target, got {target!r}")
        if target:
            self._check_named(raw)
        others = (*self.categorical, *self.drop, target)
        inputs = [name for name in raw.columns if name not in others]
        raw = table_columns.with_numbers(raw, inputs)
        for name in inputs:
            if isinstance(raw.columns[name], list):
                table_columns.check_categories(raw, name)
        return raw, Target.fit(raw, target, self.task, target in self.categorical), self

    def _check_named(self, raw: RawColumns) -> None:
        if "" in raw.columns and "" not in self.drop:
            raise ValueError(
                f"{raw.name}: expected a name for each column, got '' for column "
                f"{[*raw.columns].index('') + 1}; {words().drop('')} leaves it out"
            )


def _names(argument: str, names: Any) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(
            f"{argument}: expected a list of names of columns, got {checks.short_repr(names)}"
        )
    found = tuple(names)
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"{argument}: expected names of columns, got {checks.short_repr(name)}")
    return found
