"""Single flight: several threads that need the same result compute it once, without a lock.

A lock would be held while a signal handler runs or while the process forks. A handler or a child
process that needs the same result would then wait for ever.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from numpy.typing import NDArray

T = TypeVar("T")

# How long, in seconds, a thread waits for another one that makes no progress: the other thread may
# be in a signal handler that waits for this one.
STALL_TIMEOUT = 0.2


class Computation:
    """A computation from ``array`` that a thread has begun."""

    def __init__(self, array: NDArray):
        self.array = array
        self.process = os.getpid()
        self.thread = _local.thread
        self.pieces = 0  # how many pieces of the array are done


class _Local(threading.local):
    """Per thread; the thread that forks keeps it in the child process."""

    def __init__(self) -> None:
        self.thread = object()
        self.computation: Computation | None = None


_local = _Local()

# {process: computation}: after a fork, the child has only the thread that forked.
InFlight = dict[int, Computation]


def report_piece(array: NDArray) -> None:
    """Record, for waiting threads, that another piece of ``array`` is done."""
    computation = _local.computation
    if computation is not None and computation.array is array:
        computation.pieces += 1


def compute_once(
    in_flight: InFlight, array: NDArray, find: Callable[[], T | None], make: Callable[[], T]
) -> T | None:
    """The result that ``find`` returns; if that is None, the result of ``make``, which computes it
    from ``array`` and stores it where ``find`` looks.

    Returns None if another call is computing the result and this one must not wait: it runs in a
    signal handler that interrupted the computation, or the computing thread makes no progress.
    """
    while True:
        found = find()
        if found is not None:
            return found
        if any(each.thread is _local.thread for each in tuple(in_flight.values())):
            return None
        mine = Computation(array)
        try:
            current = in_flight.setdefault(mine.process, mine)
            if current is mine:
                found = find()  # another thread may have stored it meanwhile
                return _run(mine, make) if found is None else found
        finally:
            if in_flight.get(mine.process) is mine:
                del in_flight[mine.process]
        if not _wait(in_flight, current):
            return None


def _run(mine: Computation, make: Callable[[], T]) -> T:
    before, _local.computation = _local.computation, mine
    try:
        return make()
    finally:
        _local.computation = before


def _wait(in_flight: InFlight, current: Computation) -> bool:
    """Wait for a computation as long as it makes progress; returns whether it has ended."""
    pieces, since = current.pieces, time.monotonic()
    while in_flight.get(current.process) is current:
        if time.monotonic() - since > STALL_TIMEOUT:
            return False
        time.sleep(0.001)
        if current.pieces != pieces:
            pieces, since = current.pieces, time.monotonic()
    return True
