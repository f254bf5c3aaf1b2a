"""IDX files, the format of MNIST, and the digits that come with the package."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastnet import checks
from fastnet.data import Dataset


def _unzipped(file: BinaryIO) -> NDArray:
    """The bytes of a gzip file, of one part or several, without ever holding them twice."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - 4))
    size = int.from_bytes(file.read(), "little")  # of the last part, most often the only one
    found = np.empty(min(size, 1032 * length), np.uint8)  # no more can be in it
    view, at = found.data, 0
    file.seek(0)
    with gzip.GzipFile(fileobj=file) as unzipped:
        while n := unzipped.readinto(view[at : at + (1 << 15)]):
            at += n
        rest = unzipped.read()
    return found[:at] if not rest else np.append(found[:at], np.frombuffer(rest, np.uint8))


_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> NDArray:
    """Read an array from a file in IDX format, the format of MNIST.

    Parameters
    ----------
    path : str or path
        A plain or gzip-compressed file; which of the two is seen from its content.

    Returns
    -------
    ndarray in native byte order, of uint8, int8, int16, int32, float32 or
    float64, read-only.

    Raises
    ------
    ValueError
        If the file is truncated, too long, or no IDX file; the message says
        what was expected and found.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from importlib.resources import files
    >>> labels = read_idx(files("fastnet") / "mnist" / "t10k-labels-idx1-ubyte.gz")
    >>> labels.shape, labels[:5].tolist()
    ((10000,), [7, 2, 1, 0, 4])

    References
    ----------
    The format is described with the MNIST database of Y. LeCun, C. Cortes and
    C. Burges: two zero bytes, a type, the number of dimensions, their sizes in
    four bytes each, the elements; all big-endian.
    """
    path = checks.path("path", path)
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            content: Any = _unzipped(file) if zipped else file.read()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: expected a whole gzip file, found damage: {error}") from None
    head = bytes(content[:4])
    if len(head) < 4 or head[:2] != b"\0\0":
        raise ValueError(f"{path}: expected an IDX file, which starts 00 00, found {head!r}")
    code, dimensions = head[2], head[3]
    if code not in _IDX_TYPES:
        known = ", ".join(f"{known:02X}" for known in _IDX_TYPES)
        raise ValueError(f"{path}: expected an IDX type, one of {known}; found {code:02X}")
    dtype, start = np.dtype(_IDX_TYPES[code]), 4 + 4 * dimensions
    if dimensions == 0 or len(content) < start:
        raise ValueError(f"{path}: expected the sizes of {dimensions} dimensions, found the end")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", dimensions, 4))
    expected, found = math.prod(shape) * dtype.itemsize, len(content) - start
    if expected != found:
        raise ValueError(f"{path}: expected {expected} bytes for shape {shape}, found {found}")
    try:
        array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    except ValueError as error:  # NumPy's limits on dimensions
        raise ValueError(f"{path}: expected a shape that arrays can have, found {error}") from None
    array = array.astype(dtype.newbyteorder("="), copy=False)
    array.flags.writeable = False
    return array


def read_images(path: str | os.PathLike[str]) -> NDArray:
    """(n, rows, columns) or of more dimensions, at least one image, from an IDX file."""
    X = read_idx(path)
    if X.ndim < 2 or len(X) == 0:
        raise ValueError(f"{path}: expected images (n, rows, columns), got {X.shape}")
    return X


def load_images(
    images: str | os.PathLike[str], labels: str | os.PathLike[str]
) -> tuple[Dataset, tuple[int, ...]]:
    """A Dataset from an IDX file of images and one of labels, scaled by 1/256, and the shape
    that each image has in the file."""
    X, y = read_images(images), read_idx(labels)
    try:
        data = Dataset(X.reshape(len(X), -1), y, 1 / 256)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{images}, {labels}: {error}") from None
    return data, X.shape[1:]


def load_mnist() -> tuple[Dataset, Dataset, Dataset]:
    """The MNIST digits that come with the package.

    Returns
    -------
    (training, validation, test) : Datasets of 50,000, 10,000 and 10,000 examples
        uint8 pixels, (n, 784), with scale 1/256, which is the book's scaling;
        labels 0 to 9. Validation is the last 10,000 of the original training
        set, as in the book.

    Examples
    --------
    >>> training, validation, test = load_mnist()
    >>> training
    <Dataset: 50000 examples of 784 uint8 features, labels, scale 0.00390625>
    >>> training.y[:5].tolist()
    [5, 0, 4, 1, 9]

    References
    ----------
    Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits
    (CC BY-SA 3.0); see fastnet/mnist/LICENSE.md.
    """
    folder = os.path.join(os.path.dirname(__file__), "mnist")
    training, test = (
        load_images(
            os.path.join(folder, f"{name}-images-idx3-ubyte.gz"),
            os.path.join(folder, f"{name}-labels-idx1-ubyte.gz"),
        )[0]
        for name in ("train", "t10k")
    )
    return training[:50_000], training[50_000:], test
