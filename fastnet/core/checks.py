"""Checks of users' arguments: one clear error each, before anything is changed."""

import math
import operator
import os
import re
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray


def short_repr(value: Any) -> str:
    """The value in an error message: its repr if that is short, else its type."""
    kind = f"a {type(value).__name__}"
    if isinstance(value, str | bytes | list | tuple | set | dict) and len(value) > 60:
        return kind  # without formatting all of it
    try:
        shown = repr(value)
    except Exception:  # an integer with too many digits, or a failing __repr__
        return kind
    most = 500 if isinstance(value, int) else 60  # characters
    return shown if len(shown) <= most and "\n" not in shown else kind


def some(items: Sequence[Any]) -> str:
    """The first few of a sequence in an error message."""
    shown = ", ".join(short_repr(item) for item in items[:5])
    return f"[{shown}{', ...' if len(items) > 5 else ''}]"


def prefixed(prefix: str, error: Exception) -> TypeError | ValueError:
    """The error with ``prefix: `` before its message, or in place of "data", the name of rows that
    are in no file. Any error but a TypeError becomes a ValueError."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    message = str(error)
    if message.startswith(("data: ", "data, ")):
        return kind(f"{prefix}{message.removeprefix('data')}")
    return kind(f"{prefix}: {message}")


@contextmanager
def error_prefix(prefix: str, unless: str | None = None) -> Iterator[None]:
    """A context whose errors about values begin with ``prefix: ``, except for messages that match
    the regular expression ``unless``."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        if unless is not None and re.match(unless, str(error)):
            raise
        raise prefixed(prefix, error) from None


def integer(name: str, value: Any, at_least: int) -> int:
    """``value`` as an int, ``at_least`` or more; booleans are refused."""
    if type(value) is int and value >= at_least:
        return value
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {short_repr(value)}") from None
    if number < at_least:
        raise ValueError(f"{name}: expected {at_least} or more, got {short_repr(number)}")
    return number


def truth(name: str, value: Any) -> bool:
    """The truth value of ``value``."""
    if value is False or value is True:
        return value
    try:
        return bool(value)
    except (TypeError, ValueError):  # for example, an array of several elements
        raise TypeError(f"{name}: expected True or False, got {short_repr(value)}") from None


def boolean(name: str, value: Any) -> bool:
    """``value``, True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {short_repr(value)}")
    return bool(value)


def _number(name: str, value: Any) -> float:
    """``value`` as a float; an integer that is too large becomes infinity."""
    try:
        if isinstance(value, (str, bytes, bool)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {short_repr(value)}") from None
    except OverflowError:
        return math.inf


def nonnegative(name: str, value: Any) -> float:
    """``value`` as a finite float that is not negative."""
    if type(value) is float and 0 <= value < math.inf:
        return value
    number = _number(name, value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name}: expected a finite number of 0 or more, got {short_repr(value)}")
    return number


def positive(name: str, value: Any) -> float:
    """``value`` as a finite float greater than 0."""
    number = _number(name, value)
    if not 0 < number < math.inf:
        raise ValueError(f"{name}: expected a positive number, got {short_repr(value)}")
    return number


def share(name: str, value: Any) -> float:
    """``value`` as a float of 0 or more and less than 1."""
    number = _number(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name}: expected a number from 0 to below 1, got {short_repr(value)}")
    return number


def fraction(name: str, value: Any) -> float:
    """``value`` as a float greater than 0 and at most 1."""
    number = _number(name, value)
    if not 0 < number <= 1:
        raise ValueError(f"{name}: expected a number over 0 and at most 1, got {short_repr(value)}")
    return number


def index(name: str, value: Any, n: int) -> int:
    """``value``, an index of a sequence of n elements, as one from 0 to n - 1."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer as index, got {short_repr(value)}") from None
    if not -n <= number < n:
        raise IndexError(
            f"{name}: expected an index from {-n} to {n - 1}, got {short_repr(number)}"
        )
    return number % n


def callables(name: str, value: Any) -> tuple[Callable[..., Any], ...]:
    """``value``, a sequence of functions or None, as a tuple."""
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise TypeError(f"{name}: expected a list of functions, got {short_repr(value)}")
    for i, one in enumerate(value):
        if not callable(one):
            raise TypeError(f"{name}[{i}]: expected a function, got {short_repr(one)}")
    return tuple(value)


def names(name: str, value: Any, n: int) -> tuple[str, ...] | None:
    """``value``, n different strings or None, as a tuple."""
    if value is None:
        return None
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name}: expected a list of strings, got {short_repr(value)}")
    found = tuple(value)
    for i, one in enumerate(found):
        if not isinstance(one, str):
            raise TypeError(f"{name}[{i}]: expected a string, got {short_repr(one)}")
    if len(found) != n:
        raise ValueError(f"{name}: expected {n}, got {len(found)}: {some(found)}")
    seen: set[str] = set()
    for one in found:
        if one in seen:
            raise ValueError(f"{name}: expected different names, got {short_repr(one)} twice")
        seen.add(one)
    return tuple(map(str, found))


def path(name: str, value: Any) -> str:
    """``value`` as a path."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}: expected a str or a path, got {short_repr(value)}")
    text = str(os.fspath(value))
    if not text or "\0" in text:  # which systems read as the present folder, or not at all
        raise ValueError(f"{name}: expected the path of a file, got {short_repr(value)}")
    return text


def is_masked(value: Any) -> bool:
    """Whether elements of ``value``, or of arrays in a list, are masked. numpy.ma is large and is
    not imported for this."""
    if "numpy.ma" not in sys.modules:
        return False
    if not isinstance(value, (list, tuple)):
        return isinstance(value, np.ma.MaskedArray) and bool(np.ma.is_masked(value))
    kinds = set(map(type, value))  # a single type for a long list of numbers
    deeper = any(issubclass(kind, (list, tuple, np.ma.MaskedArray)) for kind in kinds)
    return deeper and any(map(is_masked, value))


def _from_frame(name: str, frame: Any) -> NDArray:
    """A data frame or a column as an array. Objects, as in a frame with columns of several types,
    are accepted if all of them are numbers or booleans."""
    made = np.asarray(frame)
    if made.dtype != object:
        return made
    for k, element in enumerate(made.flat):
        if not isinstance(element, (Real, np.bool_)):
            place = np.unravel_index(k, made.shape)
            where = f"row {place[0]}"
            if made.ndim == 2:
                where += f", column {[*frame.columns][place[1]]!r}"
            raise TypeError(
                f"{name}: expected numbers, got {short_repr(element)} in the data frame, {where}"
            )
    inferred = np.array(made.tolist())
    return inferred if inferred.dtype != object else made.astype(np.float64)


def array(name: str, value: Any, expected: str = "an array") -> NDArray:
    """``value`` as an array, if it can be converted to one."""
    if type(value) is np.ndarray and value.ndim:
        return value
    if is_masked(value):
        raise ValueError(f"{name}: expected {expected}, got one with masked elements")
    if hasattr(value, "to_numpy"):
        return _from_frame(name, value)
    try:
        made = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected {expected}, got rows of different lengths") from None
    if made.ndim == 0 and made.dtype.kind in "OSU":  # NumPy makes these of any object
        raise TypeError(f"{name}: expected {expected}, got {short_repr(value)}")
    return made


def numbers(name: str, array: NDArray) -> NDArray:
    """``array`` in a type that the kernels read: uint8, float32 or float64."""
    kind = array.dtype.kind
    if array.dtype.str[1:] in ("u1", "f4", "f8") and array.dtype.isnative:
        return array
    if kind not in "biuf":
        raise TypeError(f"{name}: expected numbers, got {array.dtype}")
    real = np.float32 if array.dtype.itemsize <= 4 else np.float64
    return array.astype(np.uint8 if kind == "b" else real if kind == "f" else np.float64)


def read_only(array: NDArray) -> NDArray:
    """A read-only view of ``array``."""
    view = array.view()
    view.flags.writeable = False
    return view


def is_plain(array: NDArray) -> bool:
    """Whether the array's dtype is NumPy's built-in one. A damaged pickle may create another of the
    same name, whose elements NumPy would read as object pointers."""
    return array.dtype.flags == np.dtype(array.dtype.str).flags


def unresized(array: NDArray) -> weakref.ref[NDArray]:
    """A weak reference to the owner of the array's memory. While it exists, NumPy refuses to resize
    the owner, even with ``refcheck=False``, so that no view loses its memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return weakref.ref(array)


def aligned(array: NDArray) -> NDArray:
    """``array``, or a copy if its elements are not aligned for their type, as in a message from
    another process."""
    return array if array.flags.aligned else array.copy()
