"""Checks of .npy and .npz files before ``numpy.load`` reads them.

``numpy.load`` allocates the memory that the header of an array states, even if the file is smaller.
Here the header, and the sizes of compressed members, are compared with the size of the file first.
"""

from __future__ import annotations

import math
import os
import zipfile
from typing import IO

from numpy.lib import format as npy

from fastnet.core import checks

_LARGEST_RATIO = 1032  # that deflate reaches: bytes of content per compressed byte


def check_npy(file: IO[bytes]) -> None:
    """Raise a ValueError if an open .npy file has fewer bytes than its header states. The file is
    rewound."""
    _check(file, os.fstat(file.fileno()).st_size)
    file.seek(0)


def check_npz(file: IO[bytes]) -> None:
    """As ``check_npy``, for all arrays of an open .npz file, compressed or not.

    Raises
    ------
    zipfile.BadZipFile
        If it is not a zip archive.
    """
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.file_size > _LARGEST_RATIO * info.compress_size:
                raise ValueError(
                    f"{info.filename}: expected at most {_LARGEST_RATIO * info.compress_size} "
                    f"bytes from {info.compress_size} compressed ones, found {info.file_size}"
                )
            if info.filename.endswith(".npy"):
                with archive.open(info) as member, checks.error_prefix(info.filename):
                    _check(member, info.file_size)
    file.seek(0)


def _check(file: IO[bytes], size: int) -> None:
    """Compare the header at the current position with ``size``, the most bytes that the file
    has."""
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
    except ValueError as error:
        raise ValueError(f"expected a file of NumPy, found damage: {error}") from None
    except (MemoryError, RecursionError):
        raise ValueError("expected a file of NumPy, found a header without end") from None
    expected = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and not 0 <= expected <= size - file.tell():
        raise ValueError(
            f"expected {checks.short_repr(expected)} bytes for {dtype} of shape "
            f"{checks.short_repr(shape)}, found {size - file.tell()}"
        )
