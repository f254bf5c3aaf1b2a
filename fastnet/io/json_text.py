"""JSON from files: every fault is a ValueError, also a key that occurs twice in an object."""

from __future__ import annotations

import json
from typing import Any

from fastnet.core import checks


def parse(text: str | bytes, expected: str = "JSON") -> Any:
    """The value of a text in JSON; errors say what was ``expected``.

    Raises
    ------
    ValueError
        If the text is not JSON, is nested too deeply for Python, or has integers that are too long
        for it.

    Examples
    --------
    >>> parse('{"sizes": [3, 2]}')
    {'sizes': [3, 2]}
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError(f"expected {expected}, found lists within lists without end") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"expected {expected}, found bytes that are not UTF-8: {error}") from None
    except ValueError as error:
        message = str(error)
        if message.startswith("expected "):
            raise
        raise ValueError(f"expected {expected}, found invalid JSON: {message}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"expected different keys, found {checks.short_repr(key)} twice")
        made[key] = value
    return made
