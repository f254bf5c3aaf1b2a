"""Claims: of several threads that want the same thing, one makes it, without a lock.

A lock would be held while a signal handler runs or while the process forks, and who wants the
thing then, in the handler or in the new process, would wait for ever.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from numpy.typing import NDArray

T = TypeVar("T")

# Seconds for which another thread may make no progress. It may be in a signal handler that waits
# for this one.
PATIENCE = 0.2


class Claim:
    """A thread's, while it makes something from ``array``."""

    def __init__(self, array: NDArray):
        self.array = array
        self.process = os.getpid()
        self.thread = _here.thread
        self.pieces = 0  # of the array, that are done


class _Here(threading.local):
    """What each thread has of its own; the thread that forks keeps it in the new process."""

    def __init__(self) -> None:
        self.thread = object()
        self.claim: Claim | None = None


_here = _Here()

# By process, since of another process, before a fork, only the thread that forked is here.
Claims = dict[int, Claim]


def count_piece(array: NDArray) -> None:
    """Tell who waits that another piece of ``array`` is done, if it is for a claim."""
    claim = _here.claim
    if claim is not None and claim.array is array:
        claim.pieces += 1


def once(
    claims: Claims, array: NDArray, find: Callable[[], T | None], make: Callable[[], T]
) -> T | None:
    """What ``find`` finds, or ``make`` makes of ``array`` so that it will be found; or None
    where it is being made and cannot be waited for: this call is in a signal handler that
    interrupted the making, or the thread that makes it has come to a halt.
    """
    while True:
        found = find()
        if found is not None:
            return found
        if any(claim.thread is _here.thread for claim in tuple(claims.values())):
            return None
        mine = Claim(array)
        try:
            claim = claims.setdefault(mine.process, mine)
            if claim is mine:
                found = find()  # another thread may have made it meanwhile
                return _made(mine, make) if found is None else found
        finally:
            if claims.get(mine.process) is mine:
                del claims[mine.process]
        if not _has_ended(claims, claim):
            return None


def _made(mine: Claim, make: Callable[[], T]) -> T:
    before, _here.claim = _here.claim, mine
    try:
        return make()
    finally:
        _here.claim = before


def _has_ended(claims: Claims, claim: Claim) -> bool:
    """Wait for the claim's end as long as its thread makes progress."""
    pieces, since = claim.pieces, time.monotonic()
    while claims.get(claim.process) is claim:
        if time.monotonic() - since > PATIENCE:
            return False
        time.sleep(0.001)
        if claim.pieces != pieces:
            pieces, since = claim.pieces, time.monotonic()
    return True
