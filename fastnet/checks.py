"""Arguments that users pass: one clear error each, before anything is changed."""

import math
import operator
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def integer(name: str, value: Any, at_least: int) -> int:
    """``value`` as an int that is ``at_least`` or more; booleans are no integers."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {value!r}") from None
    if number < at_least:
        raise ValueError(f"{name}: expected {at_least} or more, got {number}")
    return number


def nonnegative(name: str, value: Any) -> float:
    """``value`` as a finite float that is not negative."""
    try:
        if isinstance(value, (str, bytes, bool)):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {value!r}") from None
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{name}: expected a finite number of 0 or more, got {value!r}")
    return number


def path(name: str, value: Any) -> Path:
    """``value`` as a path."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}: expected a str or a path, got {value!r}")
    return Path(value)


def array(name: str, value: Any, expected: str = "an array") -> NDArray:
    """``value`` as an array, where it can be one."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name}: expected {expected}, got one with masked elements")
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected {expected}, got rows of different lengths") from None
