"""Networks in files: the book's JSON format, with more keys beside its four.

The book's keys are sizes, weights, biases and cost (the name of the class).
What that format lacks is in further keys, which the book's own reader ignores:
own_cost, whether the cost is a class of the user's; output; hidden, the kind of each
hidden layer's neurons; dtype; and input_scale, the scale of the inputs trained on.

Works on plain dictionaries; knows no Network.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnet import checks

if TYPE_CHECKING:
    from pathlib import Path


def save(path: Any, fields: dict[str, Any]) -> None:
    """Write ``fields`` as JSON, as ``write`` does."""
    write(path, json.dumps(fields, allow_nan=False).encode())


def write(path: Any, content: bytes) -> None:
    """Write a file; one that stood there is replaced only by a whole one."""
    place = _place(path)
    if _is_special(place):
        place.write_bytes(content)
        return
    temporary = _beside(place)
    try:
        with _named(place), open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # before the name is its own, should the machine fail
        with _named(place):
            if place.exists():
                temporary.chmod(stat.S_IMODE(place.stat().st_mode))
            temporary.replace(place.resolve())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_writable(path: Any) -> None:
    """Raise the OSError that ``write`` would raise; leaves nothing behind."""
    place = _place(path)
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not _is_special(place):
        temporary = _beside(place)
        with _named(place):
            temporary.touch(exist_ok=False)
        temporary.unlink()


def _place(path: Any) -> Path:
    from pathlib import Path  # half a megabyte, which training alone does not need

    return Path(checks.path("filename", path))


def _is_special(place: Path) -> bool:
    """A pipe or a device, which is written to and not replaced; or a folder, which cannot be."""
    return place.exists() and not place.is_file()


def _beside(place: Path) -> Path:
    """A new name in the folder of the file, or, of a link, of what it stands for."""
    place = place.resolve()
    return place.with_name(f"{place.name}.{secrets.token_hex(8)}.part")


@contextlib.contextmanager
def _named(place: Path) -> Iterator[None]:
    """Let the system's errors name the user's file and not the temporary one."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(place)) from None


def load(path: Any) -> dict[str, Any]:
    """Read and check a file that ``save`` or the book's network2.py wrote.

    Returns
    -------
    dict with sizes (tuple of int), weights and biases (lists of float64 arrays,
    (n_out, n_in) and (n_out, 1)), cost (str), own_cost (bool), output (str or None), hidden
    (list of str, or "sigmoid" where the file has none), dtype ("float64" where it has none) and
    input_scale (None where it has none).

    Raises
    ------
    ValueError
        If the file is not JSON, lacks something, has wrong shapes or holds
        anything but finite numbers; the message names the file and the key.
    OSError
        If it cannot be read.
    """
    path = _place(path)
    try:
        fields = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8
        raise ValueError(f"{path}: expected a network in JSON, found damage: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(fields).__name__}")
    try:
        return _checked(fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    missing = [key for key in ("sizes", "weights", "biases", "cost") if key not in fields]
    if missing:
        raise ValueError(f"expected the key {missing[0]!r}, found {sorted(fields)}")
    sizes = fields["sizes"]
    if (
        not isinstance(sizes, list)
        or len(sizes) < 2
        or not all(type(n) is int and n > 0 for n in sizes)
    ):
        raise ValueError(f"sizes: expected two or more positive integers, found {sizes!r}")
    layers = list(pairwise(sizes))
    scale = fields.get("input_scale")
    largest = sys.float_info.max
    if scale is not None and not (type(scale) in (int, float) and 0 <= scale <= largest):
        raise ValueError(f"input_scale: expected a finite number of 0 or more, found {scale!r}")
    hidden = fields.get("hidden", "sigmoid")
    if not isinstance(hidden, str | list):
        raise ValueError(f"hidden: expected a name or a list of names, found {hidden!r}")
    own_cost = fields.get("own_cost")
    if not isinstance(own_cost, bool | None):
        raise ValueError(f"own_cost: expected true or false, found {own_cost!r}")
    for key, known in (("cost", None), ("output", None), ("dtype", ("float32", "float64"))):
        value = fields.get(key)
        if value is not None and (not isinstance(value, str) or (known and value not in known)):
            raise ValueError(f"{key}: expected {known or 'a name'}, found {value!r}")
    return {
        "sizes": tuple(sizes),
        "weights": _arrays("weights", fields["weights"], [(b, a) for a, b in layers]),
        "biases": _arrays("biases", fields["biases"], [(b, 1) for _, b in layers]),
        "cost": fields["cost"],
        "own_cost": bool(own_cost),
        "output": fields.get("output"),
        "hidden": hidden,
        "dtype": fields.get("dtype") or "float64",
        "input_scale": scale,
    }


def _arrays(key: str, value: Any, shapes: list[tuple[int, int]]) -> list[np.ndarray]:
    if not isinstance(value, list) or len(value) != len(shapes):
        found = f"{len(value)}" if isinstance(value, list) else type(value).__name__
        raise ValueError(f"{key}: expected a list of {len(shapes)} layers, found {found}")
    return [
        _array(f"{key}[{l}]", rows, shape)
        for l, (rows, shape) in enumerate(zip(value, shapes, strict=True))
    ]


def _array(key: str, rows: Any, shape: tuple[int, int]) -> np.ndarray:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError(f"{key}: expected a list of {shape[0]} rows, found something else")
    lengths = {len(row) for row in rows}
    if len(rows) != shape[0] or lengths != {shape[1]}:
        raise ValueError(
            f"{key}: expected shape {shape}, found {len(rows)} rows of {sorted(lengths)}"
        )
    odd = [x for row in rows for x in row if type(x) not in (int, float)]
    if odd:
        raise ValueError(f"{key}: expected numbers only, found {odd[0]!r}")
    try:
        array = np.array(rows, np.float64)
    except OverflowError:
        array = np.array([[math.inf]])
    if not np.isfinite(array).all():
        raise ValueError(f"{key}: expected finite numbers only, found one that is not")
    return array
