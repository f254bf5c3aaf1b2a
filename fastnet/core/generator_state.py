"""The state of NumPy's bit generators in a file, checked when it is read: an invalid position would
make NumPy read past the end of its arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnet.core.fields import Fields

# The largest value of each number in a state; the name of a generator selects what it has.
_LARGEST = {"has_uint32": 1, "has_gauss": 1, "uinteger": 2**32 - 1, "buffer_pos": 4, "pos": 624}
_KNOWN = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


def kind(state: Mapping[str, Any]) -> str:
    """The name of the generator with this state, which must be one of NumPy's own.

    Raises
    ------
    ValueError
        For any other, whose state cannot be checked when it is read.
    """
    name = str(state["bit_generator"])
    if name not in _KNOWN:
        raise ValueError(f"expected one of NumPy's bit generators, {', '.join(_KNOWN)}; got {name}")
    return name


def to_json(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a bit generator, or of a RandomState (``get_state(legacy=False)``), in types
    of JSON.

    Examples
    --------
    >>> to_json(np.random.PCG64(1).state)["has_uint32"]
    0
    """
    return {name: _plain(value) for name, value in state.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return to_json(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def from_json(fields: Fields, current: Mapping[str, Any]) -> dict[str, Any]:
    """The state that ``to_json`` described, for a generator of the same kind, whose state is
    ``current``.

    Raises
    ------
    ValueError
        For a state that is not valid.

    Examples
    --------
    >>> bits = np.random.PCG64(1)
    >>> read = from_json(Fields(to_json(bits.state), "run.npz: generator."), bits.state)
    >>> read == bits.state
    True
    """
    made: dict[str, Any] = {}
    for name, value in current.items():
        if isinstance(value, Mapping):
            made[name] = from_json(fields.fields(name), value)
        elif isinstance(value, np.ndarray):
            most = int(np.iinfo(value.dtype).max)
            made[name] = np.array(fields.integers(name, len(value), most), value.dtype)
        elif isinstance(value, str):
            made[name] = fields.text(name)
            if made[name] != value:
                fields.refuse(name, value)
        elif isinstance(value, float):
            made[name] = fields.number(name)
            if not math.isfinite(made[name]):
                fields.refuse(name, "a finite number")
        else:
            made[name] = fields.integer(name, 0, _LARGEST.get(name, 2**128 - 1))
    return made
