"""The common part of activations, costs and optimizers: each is a class of its module, and a row
of a list in ``csrc/api/``.

``classes`` makes a module's registry of its classes. ``Row`` is the base class of rows that may
have parameters.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias, TypeVar

from fastnet.core import checks
from fastnet.core.lazy import lazy_attribute

T = TypeVar("T")

# A row in C: its name, with the parameters if it has some.
Kernel: TypeAlias = str | tuple[Any, ...]


def classes(module: Mapping[str, Any], base: type[T]) -> tuple[type[T], ...]:
    """The classes that a module, given as its ``globals()``, derives from ``base``, in the order of
    their definition."""
    return tuple(
        value
        for value in list(module.values())
        if isinstance(value, type)
        and issubclass(value, base)
        and value is not base
        and value.__module__ == module["__name__"]
    )


@dataclass(frozen=True)
class Row:
    """Base class of activations and costs: a name, and parameters with defaults.

    With parameters, a class is a frozen dataclass of them, in the order of its row in C.

    Attributes
    ----------
    name : str
        Its name, as in C.
    """

    name: ClassVar[str]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.parameters  # so that parameters in a pickle are checked

    def __str__(self) -> str:
        """Its name, and parameters other than the defaults, in the command line's form."""
        given = () if self.has_defaults else self.parameters
        numbers = [n for it in given for n in (it if isinstance(it, tuple) else (it,))]
        return ":".join([self.name, ",".join(map(str, numbers))]).removesuffix(":")

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Numbers; or a tuple of numbers, one for each output, in place of the only one."""
        return tuple(self.named_parameters.values())

    @property
    def named_parameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @lazy_attribute
    def has_defaults(self) -> bool:
        """Whether all parameters are the defaults."""
        return self == type(self)()

    @lazy_attribute
    def kernel(self) -> Kernel:
        """Its name in C, with the parameters if it has some."""
        return (self.name, *self.parameters) if self.parameters else self.name

    def filled(self, text: str, **values: Any) -> str:
        """The text with each name in braces replaced by the parameter's value, or by that in
        ``values``.

        Examples
        --------
        >>> from fastnet.nn.costs import HuberCost
        >>> HuberCost(2.0).filled("beyond {threshold}")
        'beyond 2'
        """
        for name, value in {**self.named_parameters, **values}.items():
            shown = value if isinstance(value, str) else shortest(value)
            text = text.replace(f"{{{name}}}", shown)
        return text


def shortest(number: float) -> str:
    """The number in the fewest digits that are exact."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def parsed(
    text: str, parameters: Mapping[str, Sequence[str]], per_output: Container[str] = ()
) -> tuple[str, list[float]]:
    """The name and the numbers in a text of the command line, such as "huber:2.0".

    Parameters
    ----------
    text : str
    parameters : dict of sequences of str
        The rows' names, and the names of their parameters.
    per_output : container of str
        The names of rows that take any number of numbers, one for each output.

    Returns
    -------
    str, list of float
        The list is empty if the text is only a name.

    Raises
    ------
    ValueError
        If the text is not of this form.

    Examples
    --------
    >>> parsed("huber:2.0", {"huber": ["threshold"]})
    ('huber', [2.0])
    """
    name, colon, numbers = text.partition(":")
    if name not in parameters:
        raise ValueError(f"expected one of {', '.join(parameters)}; got {checks.short_repr(text)}")
    try:
        found = [float(number) for number in numbers.split(",")] if colon else []
    except ValueError:
        raise ValueError(
            f"expected numbers after the colon, got {checks.short_repr(text)}"
        ) from None
    if colon and name not in per_output and len(found) != len(parameters[name]):
        wanted = ",".join(each.upper() for each in parameters[name])
        raise ValueError(
            f"expected {f'{name}:{wanted}' if wanted else name}, got {checks.short_repr(text)}"
        )
    return name, found


def from_fields(value: Any, key: str, rows: Mapping[str, type[Row]]) -> Row | None:
    """The object that a file describes by a dict of its ``key`` and all its parameters, or None.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range.
    """
    row = rows.get(value[key]) if isinstance(value.get(key), str) else None
    if row is None or {key, *row().named_parameters} != value.keys():
        return None
    return row(**{name: number for name, number in value.items() if name != key})
