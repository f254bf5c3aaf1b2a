"""Arrays and texts in .safetensors files.

The library ``safetensors`` reads. Its writer would keep all arrays a second time, as it takes
contiguous ones only, and write to a file of its own name; so the bytes are written here, a few rows
at a time: the length of the header in 8 bytes, the header as JSON, the arrays.
https://huggingface.co/docs/safetensors has the format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, files
from fastnet.io import json_text

_DTYPES: dict[Any, np.dtype] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LONGEST_HEADER = 100_000_000  # bytes, the library's own limit
_PIECE = 1 << 20  # bytes that are copied at a time


def require() -> None:
    """Raise an ImportError that says how to install the library, if it is missing."""
    try:
        import safetensors  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "safetensors":
            raise
        raise ImportError(
            "files .safetensors are read by the library safetensors, which is not installed: "
            'pip install "safetensors>=0.4"'
        ) from None


def write(path: Any, arrays: Mapping[str, NDArray], texts: Mapping[str, str]) -> None:
    """Write arrays of float32 or float64, of one or more dimensions, and texts, atomically.

    Besides the arrays themselves, copies of a few rows are in memory.

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
        step = max(1, _PIECE // max(1, array[:1].nbytes))
        for i in range(0, len(array), step):
            part = np.ascontiguousarray(array[i : i + step], little)
            yield part.reshape(-1).view(np.uint8).data


@contextmanager
def _as_value_errors() -> Iterator[None]:
    """Turn the library's errors about the content into ValueErrors."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise ValueError(f"expected a file of safetensors, found damage: {error}") from None


class Tensors(NamedTuple):
    """An open file: its texts, and the dtype and the shape of each array."""

    file: Any
    texts: Mapping[str, str]
    entries: dict[str, tuple[np.dtype, tuple[int, ...]]]

    def read_into(self, name: str, out: NDArray) -> None:
        """Copy the array of this name, (n, m), to ``out``, a few rows at a time."""
        with _as_value_errors():
            rows = self.file.get_slice(name)
            step = max(1, _PIECE // max(1, out[:1].nbytes))
            for i in range(0, len(out), step):
                out[i : i + step] = rows[i : min(i + step, len(out))]


def opened(file: BinaryIO) -> Tensors:
    """The arrays of an open file, whose header is compared with its size before it is read.

    Raises
    ------
    ValueError
        If the header is damaged, or has arrays of other types than float32 and float64.
    ImportError
        If the library is not installed.
    """
    require()
    from safetensors import safe_open

    entries, texts = _header(file)
    with _as_value_errors():
        return Tensors(safe_open(file.name, framework="np"), texts, entries)


def _header(
    file: BinaryIO,
) -> tuple[dict[str, tuple[np.dtype, tuple[int, ...]]], Mapping[str, str]]:
    """The dtypes and the shapes of all arrays, and the texts."""
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
        return {name: _entry(name, value) for name, value in header.items()}, texts


def _entry(name: str, value: Any) -> tuple[np.dtype, tuple[int, ...]]:
    """The dtype and the shape of an array, whose offsets are those of its size."""
    try:
        dtype, shape = _DTYPES[value["dtype"]], tuple(value["shape"])
        start, end = value["data_offsets"]
        if not all(type(n) is int and n >= 0 for n in (*shape, start, end)):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{checks.short_repr(name)}: expected F32 or F64, a shape and two offsets, found "
            f"{checks.short_repr(value)}"
        ) from None
    return dtype, shape


def described(tensors: Tensors, key: str) -> dict[str, Any]:
    """The object of JSON in the text ``key``."""
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
