"""JSON from files, as strict as the standard: no NaN, no infinity, no key twice in an object."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from fastnet.core import checks


def parse(text: str | bytes) -> Any:
    """The value of a text in JSON.

    Raises
    ------
    ValueError
        If it is no JSON, or too deep or with numbers too long for this Python.

    Examples
    --------
    >>> parse('{"sizes": [3, 2]}')
    {'sizes': [3, 2]}
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("expected JSON, found lists within lists without end") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"expected JSON, found bytes that are not UTF-8: {error}") from None
    except ValueError as error:
        message = str(error)
        expected = message if message.startswith("expected ") else f"expected JSON, found {message}"
        raise ValueError(expected) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise ValueError(f"expected different keys, found {checks.short_repr(twice)} twice")
    return made


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"expected finite numbers only, found {name}")
