"""Arrays that lie in a file: found out, and pickled as the place where they are."""

from __future__ import annotations

import mmap
import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray


class File:
    """A file as it was when the array in it was taken into a data set."""

    def __init__(self, path: str, size: int, modified: float):
        self.path = path
        self.size = size
        self.modified = modified  # seconds since 1970

    def check(self) -> None:
        """Raise an OSError or a ValueError unless the file is there and as it was."""
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


class Place:
    """Where in a file an array lies, in bytes; what a pickle holds in its stead."""

    def __init__(self, file: File, offset: int, array: NDArray):
        self.file = file
        self.offset = offset
        self.dtype, self.shape = array.dtype, array.shape
        self.strides = tuple(
            stride if n > 1 else array.itemsize  # of a single one it may be anything
            for n, stride in zip(array.shape, array.strides, strict=True)
        )

    def open(self) -> NDArray:
        """The array, mapped into memory, read-only."""
        self.file.check()
        steps = zip(self.shape, self.strides, strict=True)
        extent = sum((n - 1) * stride for n, stride in steps) + self.dtype.itemsize
        buffer = np.memmap(self.file.path, np.uint8, "r", self.offset, (extent,))
        return np.ndarray(self.shape, self.dtype, buffer, strides=self.strides)


def is_mapped(array: NDArray) -> bool:
    """Whether ``array`` is a memory map, or part of one; a copy from one is not."""
    return _owners(array)[0]


def file_of(array: NDArray) -> File | None:
    """The file that ``array`` is a memory map of; None where it has no name, or where what
    is written to the array does not reach it."""
    root = _owners(array)[1]
    if root is None or root.filename is None or root.mode == "c":
        return None
    path = os.fspath(root.filename)
    try:
        found = os.stat(path)
    except OSError:
        return None
    return File(path, found.st_size, found.st_mtime)


def place(array: NDArray, file: File) -> Place:
    """Where in the file of which ``file_of`` knows ``array`` lies; its strides ascend."""
    root: Any = _owners(array)[1]
    offset = root.offset + array.ctypes.data - root.ctypes.data
    return Place(file, offset, array)


def _owners(array: NDArray) -> tuple[bool, Any]:
    """Whether the memory belongs to a map of a file, and the memmap that was made of all of it."""
    owner: Any = array
    root = None
    while owner is not None and not isinstance(owner, mmap.mmap):
        if isinstance(owner, np.memmap):
            root = owner
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return owner is not None, root
