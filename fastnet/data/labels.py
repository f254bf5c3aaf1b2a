"""Labels that are names of classes: strings, numbers or booleans."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks

# The name of a class, of a type that JSON represents.
Label: TypeAlias = str | int | float | bool


def array(name: str, y: Any) -> NDArray:
    """Labels or targets as an array, also those in a column of a frame."""
    if type(y) is not np.ndarray and hasattr(y, "to_numpy"):
        made = np.asarray(y)
        if made.ndim == 1 and is_text(made):
            return made
    return checks.array(name, y)


def checked_classes(name: str, classes: Any, n: int | None = None) -> tuple[Label, ...]:
    """The names of classes, checked: different strings, numbers or booleans, n of them unless n is
    None."""
    if isinstance(classes, str | bytes) or not isinstance(classes, Iterable):
        raise TypeError(f"{name}: expected a list of labels, got {checks.short_repr(classes)}")
    found = tuple(plain_label(f"{name}[{i}]", label) for i, label in enumerate(classes))
    if n is not None and len(found) != n:
        raise ValueError(
            f"{name}: expected {n}, one for each class of the network, got {len(found)}: "
            f"{checks.some(found)}"
        )
    seen: set[Label] = set()
    for label in found:
        if label in seen:
            shown = checks.short_repr(label)
            raise ValueError(f"{name}: expected different labels, got {shown} twice")
        seen.add(label)
    return found


def plain_label(name: str, label: Any) -> Label:
    """A label as a str, int, float or bool of Python."""
    plain: Any = label.item() if isinstance(label, np.generic) else label
    if isinstance(plain, str):
        return str(plain)
    if isinstance(plain, bool | int) or (isinstance(plain, float) and math.isfinite(plain)):
        return plain
    raise TypeError(
        f"{name}: expected a string, a finite number or a boolean, got {checks.short_repr(label)}"
    )


def named(codes: NDArray, classes: Sequence[Label]) -> NDArray:
    """(n,) names for indices of classes (n,): an array of strings, integers, floats or booleans, or
    of objects if the names have several types."""
    kinds = {type(label) for label in classes}
    made: NDArray = np.array(classes) if len(kinds) == 1 else np.array(classes, object)
    return np.asarray(made[codes])


def is_text(y: NDArray) -> bool:
    """Whether labels (n,) are names rather than numbers."""
    if y.ndim != 1:
        return False
    if y.dtype.kind in "UT":
        return True
    return y.dtype == object and len(y) > 0 and isinstance(y[0], str)


def names_in(y: NDArray) -> tuple[Label, ...]:
    """The different names among labels that are text, sorted.

    Raises
    ------
    TypeError
        For a label that is not a string.
    """
    names = y.tolist()
    for i, label in enumerate(names if y.dtype == object else ()):
        if not isinstance(label, str):
            raise TypeError(
                f"y: expected names of classes, strings, got {checks.short_repr(label)} in row {i}"
            )
    return tuple(sorted(set(names)))


def codes_of(y: NDArray, classes: Sequence[Label]) -> NDArray:
    """(n,) indices of the names y in ``classes``.

    Raises
    ------
    ValueError
        For a label that is not one of the classes.
    """
    places = {label: i for i, label in enumerate(classes)}
    labels = y.tolist()
    try:
        return np.array([places[label] for label in labels], np.int64)
    except (KeyError, TypeError):  # TypeError: a label that is not hashable
        i, odd = next((i, one) for i, one in enumerate(labels) if not _is_class(one, places))
        raise ValueError(
            f"y: expected one of the classes {checks.some(classes)}, got {checks.short_repr(odd)} "
            f"in row {i}"
        ) from None


def _is_class(label: Any, places: dict[Label, int]) -> bool:
    try:
        return label in places
    except TypeError:
        return False


def read(name: str, y: Any, classes: Any) -> tuple[tuple[Label, ...] | None, NDArray]:
    """(names of the classes or None, labels or targets as numbers) of a data set. If y contains
    strings and ``classes`` is None, the names are the different strings, sorted."""
    found = array(name, y)
    if classes is None and found.dtype.kind in "biuf":
        return None, found
    names = None if classes is None else checked_classes("classes", classes)
    if is_text(found):
        names = names_in(found) if names is None else names
        found = codes_of(found, names)
    return names, found


def check_codes(name: str, y: NDArray, classes: Sequence[Label]) -> None:
    """Raise a ValueError unless y are labels (n,) with a name for each."""
    if y.ndim != 1:
        raise ValueError(f"{name}: expected labels (n,) of named classes, got shape {y.shape}")
    if len(y) and y.max() >= len(classes):
        raise ValueError(
            f"{name}: expected labels from 0 to {len(classes) - 1}, for the classes "
            f"{checks.some(classes)}, got {y.max()}"
        )


def has_numbers(classes: Sequence[Label]) -> bool:
    """Whether any name is a number or a boolean; numbers among labels are then names."""
    return any(not isinstance(one, str) for one in classes)


def are_names(y: NDArray, classes: Sequence[Label]) -> bool:
    """Whether labels (n,) that are not in a Dataset are names rather than indices of classes:
    always for text; for numbers if any class is named by one."""
    return is_text(y) or y.dtype == object or has_numbers(classes)
