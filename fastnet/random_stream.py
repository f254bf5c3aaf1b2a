"""Seeded randomness that no release of NumPy can change.

Only the raw 64-bit stream of a NumPy bit generator is used, which NumPy
guarantees; what is made of it (csrc/random.c) is fastnet's own.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet import _kernels, checks

# Numbers drawn at once, in some 10 ms: Ctrl-C is answered in between.
_PIECE = 1_000_000


def _bit_generator(seed: Any) -> np.random.BitGenerator:
    if isinstance(seed, np.random.Generator):
        return seed.bit_generator
    if isinstance(seed, np.random.BitGenerator):
        return seed
    if isinstance(seed, np.random.RandomState):
        return seed._bit_generator
    try:
        if isinstance(seed, (bool, np.bool_)):
            raise TypeError
        return np.random.PCG64(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"seed: expected None, a non-negative integer, a sequence of them, a SeedSequence, "
            f"a BitGenerator or a Generator; got {checks.briefly(seed)}"
        ) from None


class RandomStream:
    """Normal numbers and permutations from one seed.

    Parameters
    ----------
    seed : None, int, sequence of ints, SeedSequence, BitGenerator or Generator
        As ``numpy.random.default_rng`` takes it; integers seed a PCG64. A
        generator is shared, not copied: drawing here advances it.
    """

    def __init__(self, seed: Any = None):
        self._bits = _bit_generator(seed)

    @property
    def state(self) -> Mapping[str, Any]:
        """Where in the stream the next number is taken."""
        return self._bits.state

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self._bits.state = state

    def raw(self, n: int) -> NDArray[np.uint64]:
        """The next ``n`` 64-bit numbers."""
        if isinstance(self._bits, np.random.MT19937):  # gives 32 bits at a time
            halves = self._raw(2 * n)
            return halves[0::2] << np.uint64(32) | halves[1::2]
        return self._raw(n)

    def _raw(self, n: int) -> NDArray[np.uint64]:
        if n <= _PIECE:
            return self._bits.random_raw(n)
        raw = np.empty(n, np.uint64)
        for first in range(0, n, _PIECE):
            piece = raw[first : first + _PIECE]
            piece[:] = self._bits.random_raw(len(piece))
        return raw

    def normal(self, *shape: int) -> NDArray[np.float64]:
        """Independent N(0, 1) numbers, one raw number each, in row order."""
        return _kernels.standard_normal(self.raw(math.prod(shape))).reshape(shape)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """0 .. n-1 in random order; takes n raw numbers."""
        return _kernels.permutation(self.raw(n))

    def passes(
        self, epochs: int, n: int, keyed: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64] | None]:
        """(epochs, n), a permutation for each, and, where ``keyed``, (epochs,) a raw number more
        for each: what follows a permutation of its own, epoch by epoch."""
        raw = self.raw(epochs * (n + keyed)).reshape(epochs, -1)
        return _kernels.permutation(raw[:, :n]), raw[:, n].copy() if keyed else None
