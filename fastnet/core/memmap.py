"""Memory-mapped arrays: detected, pickled as references to their files, and checked before each
read, since reading past the end of a truncated file kills the process."""

from __future__ import annotations

import math
import mmap
import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks


class File:
    """A file, with its size and modification time when an array in it became part of a data set."""

    def __init__(self, path: str, size: int, modified: float):
        self.path = path
        self.size = size
        self.modified = modified  # seconds since 1970

    def __setstate__(self, state: Any) -> None:
        """Restore from a pickle; the fields are checked."""
        path, size, modified = _items("file", state, "path", "size", "modified")
        if not isinstance(path, str):
            raise TypeError(f"path: expected a str, got {checks.short_repr(path)}")
        if not isinstance(modified, float) or not math.isfinite(modified):
            raise TypeError(f"modified: expected a time, got {checks.short_repr(modified)}")
        self.path, self.size, self.modified = path, checks.integer("size", size, 0), modified

    def check(self) -> None:
        """Raise an OSError or a ValueError unless the file exists and is unchanged."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.path}: expected the file of the data set, which every process that uses "
                f"it must see under this path; found none"
            ) from None
        # copies of a file keep whole seconds only
        if found.st_size != self.size or abs(found.st_mtime - self.modified) >= 1:
            raise ValueError(
                f"{self.path}: expected the file as the data set was made from it, {self.size} "
                f"bytes, changed {_date(self.modified)}; found {found.st_size} bytes, changed "
                f"{_date(found.st_mtime)} (cp -p and rsync -t keep the time of a copy)"
            )


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


class MemmapRef:
    """The position of an array in a file, in bytes; pickles hold it instead of the array."""

    def __init__(self, file: File, offset: int, array: NDArray):
        self.file = file
        self.offset = offset
        self.dtype, self.shape = array.dtype, array.shape
        self.strides = tuple(
            stride if n > 1 else array.itemsize  # the stride of an axis of length 1 is arbitrary
            for n, stride in zip(array.shape, array.strides, strict=True)
        )

    def __setstate__(self, state: Any) -> None:
        """Restore from a pickle; the fields are checked."""
        names = "file", "offset", "dtype", "shape", "strides"
        file, offset, dtype, shape, strides = _items("place", state, *names)
        if not isinstance(file, File) or not isinstance(dtype, np.dtype) or dtype.kind not in "uif":
            raise TypeError("place: expected a file and a type of numbers, got others")
        if not isinstance(shape, tuple) or not isinstance(strides, tuple):
            raise TypeError("place: expected tuples as shape and strides, got others")
        if len(shape) != len(strides) or not 1 <= len(shape) <= 2:
            raise ValueError(f"place: expected one or two dimensions, got {shape}, {strides}")
        self.file, self.offset = file, checks.integer("offset", offset, 0)
        self.dtype = np.dtype(dtype.str)
        self.shape = tuple(checks.integer("shape", n, 1) for n in shape)
        self.strides = tuple(checks.integer("strides", stride, 0) for stride in strides)
        end = self.offset + _extent(self)
        if end > file.size:
            raise ValueError(
                f"place: expected an end within the file's {file.size} bytes, got {end}"
            )

    def open(self) -> NDArray:
        """The array, mapped into memory, read-only."""
        self.file.check()
        buffer = np.memmap(self.file.path, np.uint8, "r", self.offset, (_extent(self),))
        return np.ndarray(self.shape, self.dtype, buffer, strides=self.strides)


Place = MemmapRef  # the name in pickles of earlier releases


def _extent(array: NDArray | MemmapRef) -> int:
    """The number of bytes from the first element to the end of the last one in memory."""
    steps = zip(array.shape, array.strides, strict=True)
    return int(sum((n - 1) * max(0, stride) for n, stride in steps)) + array.dtype.itemsize


def _items(name: str, state: Any, *keys: str) -> list[Any]:
    """The values of ``keys`` in the state of a pickle, which must have these keys and no others."""
    if not isinstance(state, dict) or set(state) != set(keys):
        raise TypeError(f"{name}: expected a state of {', '.join(keys)}, got another")
    return [state[key] for key in keys]


class Mapping:
    """The part of a file that backs a memory-mapped array.

    Parameters
    ----------
    name : str
        The array's name in messages.
    array : ndarray
    buffer : mmap.mmap
        The memory of ``array``.
    root : numpy.memmap or None
        The memmap of the whole ``buffer``, which knows the offset in the file.
    """

    def __init__(self, name: str, array: NDArray, buffer: mmap.mmap, root: Any):
        self.name = name
        self._buffer = buffer
        self._path = None if root is None or root.filename is None else os.fspath(root.filename)
        start = np.frombuffer(buffer, np.uint8).ctypes.data
        self._needed = array.ctypes.data + _extent(array) - start
        if root is not None:
            self._needed += root.offset - root.offset % mmap.ALLOCATIONGRANULARITY
        else:  # the offset is unknown: assume that the map extends to the end of the file
            self._needed += max(0, (self._size() or 0) - len(buffer))

    def _size(self) -> int | None:
        """The file's current size; None if it is unknown: for anonymous memory, or a file that
        was closed and removed."""
        try:
            return self._buffer.size()
        except (OSError, ValueError):  # ValueError: mmap has not kept the file open
            pass
        try:
            return None if self._path is None else os.stat(self._path).st_size
        except OSError:
            return None

    def check(self) -> None:
        """Raise a ValueError if the file has been truncated below the end of the array."""
        size = self._size()
        if size is not None and size < self._needed:
            raise ValueError(
                f"{self.name}: expected a file of {self._needed} bytes or more, since the array is "
                f"a memory map of it, got {size} bytes: {self._path or 'of no known name'}"
            )


def mapping(name: str, array: NDArray) -> Mapping | None:
    """The mapping of ``array`` if it is a memory map, or a view of one, else None."""
    base = array.base
    if base is None or (type(base) is np.ndarray and base.base is None):  # the usual case
        return None
    buffer, root = _owners(array)
    return None if buffer is None or not array.size else Mapping(name, array, buffer, root)


def check(name: str, value: Any) -> None:
    """Raise a ValueError if ``value`` is an array mapped from a file that has been truncated."""
    found = mapping(name, value) if isinstance(value, np.ndarray) else None
    if found is not None:
        found.check()


def file_of(array: NDArray) -> File | None:
    """The file that ``array`` is a memory map of. None if its name is unknown, or if the map is
    copy-on-write, so that the array may differ from the file."""
    root = _owners(array)[1]
    if root is None or root.filename is None or root.mode == "c":
        return None
    path = os.fspath(root.filename)
    try:
        found = os.stat(path)
    except OSError:
        return None
    return File(path, found.st_size, found.st_mtime)


def reference_to(array: NDArray, file: File) -> MemmapRef:
    """The position of ``array`` in ``file``, as ``file_of(array)`` returned it. The strides of the
    array must not be negative."""
    root: Any = _owners(array)[1]
    offset = root.offset + array.ctypes.data - root.ctypes.data
    return MemmapRef(file, offset, array)


def _owners(array: NDArray) -> tuple[mmap.mmap | None, Any]:
    """The ``mmap`` that owns the memory, and the memmap of all of it; None for each if there is
    none."""
    owner: Any = array
    root = None
    while owner is not None and not isinstance(owner, mmap.mmap):
        if isinstance(owner, np.memmap):
            root = owner
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return owner, root
