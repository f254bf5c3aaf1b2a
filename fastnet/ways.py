"""Which way a call goes: how many threads, and, on request, a line that says so.

Whether the inputs are read dense or compressed is decided by ``Dataset.operand`` and, for
the instruction set in use, by csrc/sparse_tmpl.h (``way``).
"""

import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from numpy.typing import DTypeLike

from fastnet import _kernels, checks

# A thread has to have so much to do, in multiply-adds of a call's examples that are worked on
# together: below, meeting the others twice costs more than they save (bench/choose_ways.py).
FEWEST_OPERATIONS = 2_000_000

# And the largest layer has to have so many weights.
FEWEST_WEIGHTS = 50_000

_default = 1


def set_num_threads(n: int) -> None:
    """Let each call use up to ``n`` threads, for networks that were made without ``n_threads``.

    Threads are used for large layers only, where they pay, and end with the call. The results
    are the same to the last bit for every number of threads.

    Parameters
    ----------
    n : int
        1 or more; 1 at the start.

    Raises
    ------
    ValueError, TypeError
        If ``n`` is less than 1 or no integer.

    Examples
    --------
    >>> import fastnet
    >>> fastnet.set_num_threads(2)
    >>> fastnet.get_num_threads()
    2
    >>> fastnet.set_num_threads(1)
    """
    global _default
    _default = checks.integer("n", n, 1)


def get_num_threads() -> int:
    """The number of threads that ``set_num_threads`` set.

    Examples
    --------
    >>> import fastnet
    >>> fastnet.get_num_threads()
    1
    """
    return _default


def threads(sizes: Sequence[int], m: int, X: Any, asked: int | None) -> int:
    """How many threads share mini-batches of m examples X, of ``asked`` (None: the default)."""
    most = min(_default if asked is None else asked, m)
    if most == 1:
        return 1
    first, *later = [n_in * n_out for n_in, n_out in pairwise(sizes)]
    if max(first, *later, 0) < FEWEST_WEIGHTS:
        return 1
    work = m * (2 * first * getattr(X, "density", 1.0) + 3 * sum(later))
    return max(1, min(most, int(work / FEWEST_OPERATIONS)))


def trace(call: str, sizes: Sequence[int], dtype: DTypeLike, X: Any, m: int, threads: int) -> None:
    """One line on standard error, with FASTNET_TRACE=1 in the environment; for training, m is
    the mini-batch's examples, else all."""
    if os.environ.get("FASTNET_TRACE") != "1":
        return
    density = getattr(X, "density", None)
    form, dense = "dense rows", [*pairwise(sizes)]
    if density is not None:
        kind = "columns" if X.masks is None else "masks"
        together = m if call == "train" else min(m, _kernels.EVALUATED)
        way = "blocks" if _kernels.by_blocks(sizes, dtype, density, together) else "lists"
        form, dense = f"sparse rows ({kind}, density {density:.3g}, by {way})", dense[1:]
    tilings = {_kernels.tiling(m, *layer, dtype) if call == "train" else "tiles" for layer in dense}
    tiles = max(tilings, key=_kernels.TILINGS.index, default="no dense layer")
    print(
        f"fastnet: {call} {[*sizes]} {dtype}, {_kernels.isa()}: {form}, {tiles}, "
        f"{m} example{'s' if m > 1 else ''}, {threads} thread{'s' if threads > 1 else ''}",
        file=sys.stderr,
    )
