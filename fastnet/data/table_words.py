"""How messages about tables name the arguments that help: those of Python, or the options of a
program, which sets them with ``naming``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import NamedTuple


class Words(NamedTuple):
    """The words for each argument.

    Attributes
    ----------
    drop, categorical : function of str
        For a column of this name.
    classification, ignore : str
        For ``task="classification"`` and ``unknown="ignore"``.
    """

    drop: Callable[[str], str] = "{!r} in drop".format
    categorical: Callable[[str], str] = "name {!r} in categorical".format
    classification: str = 'set task="classification"'
    ignore: str = 'unknown="ignore"'


_words: ContextVar[Words | None] = ContextVar("words", default=None)


def words() -> Words:
    """The words in use.

    Examples
    --------
    >>> words().drop("age")
    "'age' in drop"
    """
    return _words.get() or Words()


@contextlib.contextmanager
def naming(chosen: Words) -> Iterator[None]:
    """A context in which messages use these words."""
    token = _words.set(chosen)
    try:
        yield
    finally:
        _words.reset(token)
