"""Arrays and a description in a file of NumPy, .npz, without pickled objects.

``numpy.load(path, allow_pickle=False)`` reads the file. The array "fastnet" is the description,
an object of JSON as bytes. The memory for reading is bounded by the size of the file: every size
that the file states is compared with it before memory is allocated (``fastnet/io/zip_members.py``).
The header of an array is matched by a regular expression, not evaluated.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fastnet.core import checks, files
from fastnet.io import json_text, zip_members

# The name of the array with the description.
META = "fastnet"

_SUFFIX = ".npy"
_PIECE = 1 << 20  # bytes that are read at a time
_LONGEST_HEADER = 10_000  # bytes; NumPy's own limit for files that are not trusted
_HEADER = re.compile(
    rb"\{\s*'descr':\s*'([<>|=]?[biufSU]\d{1,9})',\s*'fortran_order':\s*(True|False),"
    rb"\s*'shape':\s*\(((?:\d{1,19},\s*)*(?:\d{1,19})?)\),?\s*\}\s*"
)


def write(path: Any, arrays: Mapping[str, NDArray], meta: Mapping[str, Any]) -> None:
    """Write arrays and a description, atomically and uncompressed.

    Arrays are written in C order. An array in another order is copied; only one copy at a time is
    in memory.

    Parameters
    ----------
    path : str or path
    arrays : dict of ndarray
        Numbers, booleans, or strings of fixed length; no array "fastnet".
    meta : dict
        Of types that JSON represents, without NaN and infinity.

    Raises
    ------
    ValueError, TypeError
        For arrays of objects, and for a description that JSON cannot represent.
    OSError
        If the file cannot be written; an old file is kept.
    """
    text = json.dumps(meta, allow_nan=False).encode()
    for name, array in arrays.items():
        if name == META or array.dtype.kind not in "biufSU" or not array.dtype.itemsize:
            raise ValueError(
                f"{name}: expected an array of numbers or strings under another name than {META}, "
                f"got {array.dtype}"
            )
    contents = {META: np.array(text), **arrays}
    members = ((name + _SUFFIX, [*_npy(array)]) for name, array in contents.items())
    files.write(path, zip_members.archive(members))


def _npy(array: NDArray) -> Iterator[bytes | memoryview]:
    """The header and the bytes of an array in the format .npy."""
    header = io.BytesIO()
    shape = {"shape": array.shape, "fortran_order": False, "descr": npy.dtype_to_descr(array.dtype)}
    npy.write_array_header_1_0(header, shape)
    yield header.getvalue()
    if array.size:
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


class Entry(NamedTuple):
    """An array of a file: its dtype and shape, and where its bytes are."""

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran_order: bool
    header: int  # length in bytes
    member: zip_members.Member


class Archive:
    """An open file whose arrays are read one by one.

    Attributes
    ----------
    entries : dict of Entry
        The arrays by name, without that of the description.
    meta : dict
        The description.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        size = os.fstat(file.fileno()).st_size
        found = {}
        for member in zip_members.members(file, size):
            name = member.name.removesuffix(_SUFFIX)
            if name == member.name:
                raise ValueError(f"expected arrays (.npy), found {checks.short_repr(name)}")
            with checks.error_prefix(zip_members.shown(name)):
                found[name] = self._entry(member)
        if META not in found:
            raise ValueError(f"expected the array {META!r}, found {checks.some(sorted(found))}")
        with checks.error_prefix(META):
            self.meta = self._described(found.pop(META))
        self.entries = found

    def _entry(self, member: zip_members.Member) -> Entry:
        """The entry of a member, after comparing its header with its size."""
        self._file.seek(member.start)
        start = self._file.read(min(12, member.size))
        wide = start[6:7] in (b"\x02", b"\x03")  # the version
        first = 12 if wide else 10
        length = int.from_bytes(start[8:first], "little")
        if start[:6] != npy.MAGIC_PREFIX or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
            raise ValueError(f"expected an array (.npy), found {checks.short_repr(start)}")
        if length > min(_LONGEST_HEADER, member.size - first):
            raise ValueError(f"expected a header within {member.size} bytes, found one of {length}")
        self._file.seek(member.start + first)
        header = self._file.read(length)
        match = _HEADER.fullmatch(header)
        if match is None:
            raise ValueError(f"expected the header of an array of numbers, found {_shown(header)}")
        dtype = np.dtype(match[1].decode())
        shape = tuple(int(n) for n in match[3].decode().split(",") if n.strip())
        n = member.size - first - length
        if len(shape) > 32 or not dtype.itemsize or math.prod(shape) * dtype.itemsize != n:
            raise ValueError(
                f"expected the numbers of {dtype} of shape {checks.short_repr(shape)}, found {n} "
                f"bytes"
            )
        return Entry(dtype, shape, match[2] == b"True", first + length, member)

    def _described(self, entry: Entry) -> dict[str, Any]:
        if entry.dtype.kind != "S" or entry.shape:
            raise ValueError(
                f"expected one string of bytes, found {entry.dtype} of shape {entry.shape}"
            )
        described = json_text.parse(self._read(entry).tobytes().rstrip(b"\0"))
        if not isinstance(described, dict):
            raise ValueError(f"expected a JSON object, found {type(described).__name__}")
        return described

    def read(self, name: str) -> NDArray:
        """The array of this name, in native byte order.

        Raises
        ------
        ValueError
            If its bytes do not have the checksum that the file names.
        """
        with checks.error_prefix(zip_members.shown(name)):
            array = self._read(self.entries[name])
        return array.astype(array.dtype.newbyteorder("="), copy=False)

    def read_into(self, name: str, out: NDArray) -> None:
        """Copy the array of this name to ``out``, which has its shape, a few rows at a time.

        Raises
        ------
        ValueError
            As ``read``.
        """
        entry = self.entries[name]
        with checks.error_prefix(zip_members.shown(name)):
            crc = self._crc_of_header(entry)
            for part in _parts(out.T if entry.fortran_order else out):
                read = np.empty(part.shape, entry.dtype)
                crc = self._fill(read, crc)
                part[...] = read
            self._check(entry, crc)

    def _read(self, entry: Entry) -> NDArray:
        array = np.empty(entry.shape, entry.dtype, "F" if entry.fortran_order else "C")
        crc = self._crc_of_header(entry)
        self._check(entry, self._fill(array.T if entry.fortran_order else array, crc))
        return array

    def _crc_of_header(self, entry: Entry) -> int:
        self._file.seek(entry.member.start)
        return zlib.crc32(self._file.read(entry.header))

    def _fill(self, array: NDArray, crc: int) -> int:
        """Read the next bytes of the file into a contiguous array."""
        if not array.size:
            return crc
        flat = array.reshape(-1).view(np.uint8)
        if self._file.readinto(flat.data) != flat.size:  # type: ignore[attr-defined]
            raise ValueError("expected a file that nobody changes, found a shorter one")
        return zlib.crc32(flat.data, crc)

    def _check(self, entry: Entry, crc: int) -> None:
        if crc != entry.member.crc:
            raise ValueError(
                f"expected the checksum {entry.member.crc:08x}, found {crc:08x}: the file is "
                f"damaged"
            )


def _parts(array: NDArray) -> Iterator[NDArray]:
    """Views of consecutive elements, in C order, of about ``_PIECE`` bytes each."""
    if not array.ndim:
        yield array
        return
    row = array[:1].nbytes
    if array.ndim > 1 and row > _PIECE:
        for each in array:
            yield from _parts(each)
        return
    step = max(1, _PIECE // max(1, row))
    for i in range(0, len(array), step):
        yield array[i : i + step]


def _shown(header: bytes) -> str:
    return repr(header[:60].decode("latin-1").strip())


@contextmanager
def opened(path: Any) -> Iterator[Archive]:
    """The ``Archive`` of a file that ``write`` wrote.

    Raises
    ------
    ValueError
        If the file is damaged, or if the ``with`` block raises one; the message begins with the
        path.
    OSError
        If it cannot be read.
    """
    with files.reading(path) as file:
        yield Archive(file)


def read(path: Any) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """All arrays and the description of a file that ``write`` wrote.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    arrays : dict of ndarray
        In native byte order.
    meta : dict

    Raises
    ------
    ValueError
        If the file is damaged or has other members than arrays of numbers or strings; the message
        names the file, and the array.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> write("run.npz", {"steps": np.arange(3)}, {"kind": "example"})
    >>> arrays, meta = read("run.npz")
    >>> arrays["steps"].tolist(), meta
    ([0, 1, 2], {'kind': 'example'})
    >>> np.load("run.npz", allow_pickle=False)["steps"].tolist()
    [0, 1, 2]
    """
    with opened(path) as archive:
        return {name: archive.read(name) for name in archive.entries}, archive.meta
