"""The fields of an object in a file: each is looked up and checked, and an error names it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn

from fastnet.core import checks

_NOT_FINITE = ("inf", "-inf", "nan")


def number(value: float) -> float | str:
    """A float as JSON can represent it; ``Fields.number`` reads it."""
    return float(value) if math.isfinite(value) else repr(float(value))


class Fields:
    """The fields of a JSON object of a file.

    Parameters
    ----------
    values : dict
        Anything else is refused.
    where : str
        What errors begin with: the file's path, and the name of the object in it.

    Examples
    --------
    >>> fields = Fields({"epoch": 3, "best": {"value": "-inf"}}, "run.npz: ")
    >>> fields.integer("epoch"), fields.fields("best").number("value")
    (3, -inf)
    >>> fields.integer("steps")
    Traceback (most recent call last):
    ValueError: run.npz: steps: expected an integer of 0 or more, found none
    """

    def __init__(self, values: Any, where: str):
        self._values, self._where = values, where
        if not isinstance(values, Mapping):
            raise ValueError(
                f"{where}expected an object with names, found {checks.short_repr(values)}"
            )

    def refuse(self, name: str, expected: str) -> NoReturn:
        """Raise the error for a field that is not as expected."""
        found = checks.short_repr(self._values[name]) if name in self._values else "none"
        raise ValueError(f"{self._where}{name}: expected {expected}, found {found}")

    def get(self, name: str) -> Any:
        """A value of any kind; None if there is none."""
        return self._values.get(name)

    def integer(self, name: str, at_least: int = 0, at_most: int | None = None) -> int:
        value = self.get(name)
        most = math.inf if at_most is None else at_most
        if type(value) is not int or not at_least <= value <= most:
            upper = "or more" if at_most is None else f"to {at_most}"
            self.refuse(name, f"an integer of {at_least} {upper}")
        return value

    def number(self, name: str) -> float:
        """A float, finite or not."""
        value = self.get(name)
        if type(value) is str and value in _NOT_FINITE:
            return float(value)
        if type(value) not in (int, float):
            self.refuse(name, "a number")
        try:
            return float(value)
        except OverflowError:
            self.refuse(name, "a number")

    def nonnegative(self, name: str) -> float:
        """A finite float of 0 or more."""
        value = self.number(name)
        if not 0 <= value < math.inf:
            self.refuse(name, "a finite number of 0 or more")
        return value

    def text(self, name: str) -> str:
        value = self.get(name)
        if not isinstance(value, str):
            self.refuse(name, "a text")
        return value

    def fields(self, name: str) -> Fields:
        """The fields of an object in this one."""
        value = self.get(name)
        if not isinstance(value, Mapping):
            self.refuse(name, "an object")
        return Fields(value, f"{self._where}{name}.")

    def integers(self, name: str, n: int, at_most: int) -> list[int]:
        """A list of n integers from 0 to ``at_most``."""
        value = self.get(name)
        if (
            not isinstance(value, list)
            or len(value) != n
            or not all(type(each) is int and 0 <= each <= at_most for each in value)
        ):
            self.refuse(name, f"{n} integers from 0 to {at_most}")
        return value
