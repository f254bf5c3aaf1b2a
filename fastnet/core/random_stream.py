"""Seeded randomness that no release of NumPy can change.

Only the raw 64-bit stream of a NumPy bit generator is used, which NumPy guarantees not to change;
fastnet derives its random numbers from the stream itself (csrc/core/random.c).
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet.core import _kernels, checks

Seed: TypeAlias = (
    int
    | Iterable[int]
    | np.random.SeedSequence
    | np.random.BitGenerator
    | np.random.Generator
    | None
)

# Numbers drawn at once, in about 10 ms; Ctrl-C is handled in between.
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
            f"a BitGenerator, a Generator or a RandomState; got {checks.short_repr(seed)}"
        ) from None


def seed_from_numpy() -> tuple[int, ...]:
    """A seed of four 32-bit integers from one call of NumPy's global generator."""
    words = np.random.randint(0, 2**32, size=4, dtype=np.uint32)  # noqa: NPY002  # on purpose
    return tuple(words.tolist())


def _raw(bits: np.random.BitGenerator, n: int) -> NDArray[np.uint64]:
    if n <= _PIECE:
        return bits.random_raw(n)
    raw = np.empty(n, np.uint64)
    for first in range(0, n, _PIECE):
        piece = raw[first : first + _PIECE]
        piece[:] = bits.random_raw(len(piece))
    return raw


class RandomStream:
    """Normal numbers and permutations from one seed.

    Parameters
    ----------
    seed : None, int, sequence of ints, SeedSequence, BitGenerator, Generator or RandomState
        As ``numpy.random.default_rng`` takes it; integers seed a PCG64. A
        generator is shared, not copied: drawing here advances it. None takes a seed from
        NumPy's global generator when the first number is needed, or a copy is made.
    """

    def __init__(self, seed: Any = None):
        self.reseed(seed)

    def reseed(self, seed: Any) -> None:
        """Restart the stream from another seed; other references to the stream see the change."""
        if seed is None:
            vars(self).pop("_bits", None)
        else:
            self._bits = _bit_generator(seed)

    @property
    def bits(self) -> np.random.BitGenerator:
        """The underlying bit generator."""
        bits: np.random.BitGenerator | None = vars(self).get("_bits")
        if bits is None:  # atomic: concurrent threads get the same one
            bits = vars(self).setdefault("_bits", np.random.PCG64(seed_from_numpy()))
        return bits

    def __getstate__(self) -> dict[str, Any]:
        return {"_bits": self.bits}  # seeded now if not before: copies draw the same numbers

    def __setstate__(self, state: Any) -> None:
        bits = state.get("_bits") if isinstance(state, dict) else None
        if not isinstance(bits, np.random.BitGenerator):
            raise ValueError(
                f"stream: expected a BitGenerator in the pickle, got {checks.short_repr(bits)}"
            )
        self._bits = bits

    @property
    def state(self) -> Mapping[str, Any]:
        """The state of the bit generator."""
        return self.bits.state

    def mark(self) -> tuple[np.random.BitGenerator, Mapping[str, Any]]:
        """The current position, for ``go_back``."""
        bits = self.bits
        return bits, bits.state

    def go_back(self, mark: tuple[np.random.BitGenerator, Mapping[str, Any]]) -> None:
        """Return to the position ``mark``, also after a ``reseed``."""
        self._bits, state = mark
        self._bits.state = state

    def raw(self, n: int) -> NDArray[np.uint64]:
        """The next ``n`` 64-bit numbers."""
        bits = self.bits
        if isinstance(bits, np.random.MT19937):  # its raw numbers have 32 bits
            halves = _raw(bits, 2 * n)
            return halves[0::2] << np.uint64(32) | halves[1::2]
        return _raw(bits, n)

    def normal(self, *shape: int) -> NDArray[np.float64]:
        """Independent N(0, 1) numbers, one raw number each, in row order."""
        return _kernels.standard_normal(self.raw(math.prod(shape))).reshape(shape)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """0 .. n-1 in random order; takes n raw numbers."""
        return _kernels.permutation(self.raw(n))

    def passes(
        self, epochs: int, n: int, keyed: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64] | None]:
        """(epochs, n) permutations, and, if ``keyed``, (epochs,) raw numbers: the same as
        ``permutation(n)`` and one raw number for each epoch in turn."""
        raw = self.raw(epochs * (n + keyed)).reshape(epochs, -1)
        return _kernels.permutation(raw[:, :n]), raw[:, n].copy() if keyed else None
