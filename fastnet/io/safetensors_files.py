"""Arrays and texts in .safetensors files.

The library ``safetensors`` checks files that are read. Its writer is not used, since it needs
contiguous copies of all arrays in memory, and a filename instead of the open temporary file of
``files.write``. This module writes files a few rows at a time: the length of the header in 8 bytes,
the header as JSON, the arrays.
https://huggingface.co/docs/safetensors describes the format.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, extras, files
from fastnet.io import json_text

_DTYPES: dict[Any, np.dtype] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LONGEST_HEADER = 100_000_000  # bytes, the library's own limit
_PIECE = 1 << 20  # bytes that are copied at a time


def require() -> None:
    """Raise an ImportError that says how to install the library, if it is missing."""
    extras.needed("files .safetensors", "safetensors")


def write(path: Any, arrays: Mapping[str, NDArray], texts: Mapping[str, str]) -> None:
    """Write arrays of float32 or float64, of one or more dimensions, and texts, atomically.

    It needs memory for copies of a few rows.

    Raises
    ------
    ImportError
        If the library that reads the file is not installed.
    OSError
        If the file cannot be written; an old file is kept.
    """
    require()
    header: dict[str, Any] = {"__metadata__": {**texts}}
    place = 0
    for name, array in arrays.items():
        kind = _NAMES[array.dtype.newbyteorder("<")]
        offsets = [place, place + array.nbytes]
        header[name] = {"dtype": kind, "shape": [*array.shape], "data_offsets": offsets}
        place += array.nbytes
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    files.write(path, _pieces(text, arrays))


def _pieces(header: bytes, arrays: Mapping[str, NDArray]) -> Iterator[bytes | memoryview]:
    yield len(header).to_bytes(8, "little") + header
    for array in arrays.values():
        little = array.dtype.newbyteorder("<")
        for rows in _rows(array):
            yield np.ascontiguousarray(rows, little).reshape(-1).view(np.uint8).data


def _rows(array: NDArray) -> Iterator[NDArray]:
    """Views of consecutive rows, of about a piece each."""
    step = max(1, _PIECE // max(1, array[:1].nbytes))
    for i in range(0, len(array), step):
        yield array[i : i + step]


class Entry(NamedTuple):
    """An array of a file: its dtype and shape, and where its bytes begin."""

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int


class Tensors(NamedTuple):
    """An open file, its texts and its arrays."""

    file: BinaryIO
    texts: Mapping[str, str]
    entries: dict[str, Entry]

    def read_into(self, name: str, out: NDArray) -> None:
        """Copy the array of this name, (n, m), to ``out``, a few rows at a time. (The library would
        also map the whole file into memory.)"""
        entry = self.entries[name]
        self.file.seek(entry.start)
        for rows in _rows(out):
            read = np.empty(rows.shape, entry.dtype)
            flat = read.reshape(-1).view(np.uint8)
            if self.file.readinto(flat.data) != flat.size:  # type: ignore[attr-defined]
                raise ValueError("expected a file that nobody changes, found a shorter one")
            rows[...] = read


def opened(file: BinaryIO) -> Tensors:
    """The texts and the entries of the arrays of an open file. The header is compared with the size
    of the file and checked by the library.

    Raises
    ------
    ValueError
        If the header is damaged, or has arrays of other types than float32 and float64.
    ImportError
        If the library is not installed.
    """
    require()
    from safetensors import SafetensorError, safe_open

    tensors = _header(file)
    try:
        with safe_open(_path_of(file), framework="np") as checked:
            names = {*checked.keys()}
    except SafetensorError as error:
        raise ValueError(f"expected a file of safetensors, found damage: {error}") from None
    except FileNotFoundError:  # deleted since it was opened
        raise ValueError("expected a file that nobody changes, found none") from None
    if names != tensors.entries.keys():
        raise ValueError("expected a file that nobody changes, found another one")
    return tensors


def _path_of(file: BinaryIO) -> str:
    """A path of an open file for the library, which opens paths only: one that leads to this file
    even when another has taken its name, where the system has such paths."""
    same = f"/dev/fd/{file.fileno()}"
    return same if os.path.exists(same) else file.name


def _header(file: BinaryIO) -> Tensors:
    """The texts and the arrays that the header names."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    most = min(size - 8, _LONGEST_HEADER)
    if length > most:
        raise ValueError(f"expected a header of at most {most} bytes, found one of {length}")
    with checks.error_prefix("the header"):
        header = json_text.parse(file.read(length))
        if not isinstance(header, dict):
            raise ValueError(f"expected a JSON object, found {type(header).__name__}")
        texts = header.pop("__metadata__", {})
        if not isinstance(texts, dict):
            raise ValueError(f"expected texts as metadata, found {checks.short_repr(texts)}")
        entries = {name: _entry(name, value, 8 + length, size) for name, value in header.items()}
    return Tensors(file, texts, entries)


def _entry(name: str, value: Any, first: int, size: int) -> Entry:
    """The array that an entry of the header describes. Its offset counts from ``first``; ``size``
    is that of the file."""
    try:
        dtype, shape = _DTYPES[value["dtype"]], tuple(value["shape"])
        start, end = value["data_offsets"]
        if not all(type(n) is int and n >= 0 for n in (*shape, start, end)) or len(shape) > 32:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{checks.short_repr(name)}: expected F32 or F64, a shape and two offsets, found "
            f"{checks.short_repr(value)}"
        ) from None
    if end - start != math.prod(shape) * dtype.itemsize or first + end > size:
        raise ValueError(
            f"{checks.short_repr(name)}: expected offsets of {dtype} of shape "
            f"{checks.short_repr(shape)} within the file, found "
            f"{checks.short_repr(value['data_offsets'])}"
        )
    return Entry(dtype, shape, first + start)


def described(tensors: Tensors, key: str) -> dict[str, Any]:
    """The JSON object in the text ``key``."""
    text = tensors.texts.get(key)
    if not isinstance(text, str):
        raise ValueError(
            f"expected the text {key!r} in the metadata, found {checks.some(sorted(tensors.texts))}"
        )
    with checks.error_prefix(key):
        found = json_text.parse(text)
        if not isinstance(found, dict):
            raise ValueError(f"expected a JSON object, found {type(found).__name__}")
    return found
