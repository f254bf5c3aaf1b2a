"""IDX files, the format of MNIST, and the digits that come with the package."""

from __future__ import annotations

import math
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.core import checks, files
from fastnet.data.dataset import Dataset

# The types of IDX, all big-endian.
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(type_).newbyteorder("="): code for code, type_ in _TYPES.items()}

_GZIP = b"\x1f\x8b"  # the first bytes of a gzip file
_WITH_HEADER = 16 + zlib.MAX_WBITS  # zlib's name for gzip's header and checksum
_LARGEST_RATIO = 1032  # of deflate: bytes of content per byte of the file
_BLOCK = 1 << 15  # bytes inflated or written at once
_STEP = 1 << 26  # a buffer is enlarged by at least this many bytes


class _Inflated:
    """The content of a gzip file with one or more members, decompressed as it is read."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._input = b""
        self._member: Any = None  # its decompressor; None between members

    def read(self, n: int) -> bytes:
        """Read at most n bytes; b"" only at the end.

        Raises
        ------
        zlib.error, EOFError
            If the file is corrupt or ends within a member.
        """
        while True:
            if self._member is None:
                self._input = self._input.lstrip(b"\0")  # the padding that gzip allows
            if not self._input:
                self._input = self._file.read(2 * _BLOCK)
                if self._input:
                    continue
                if self._member is None:
                    return b""
                raise EOFError("it ends before its end-of-stream marker")
            if self._member is None:
                self._member = zlib.decompressobj(_WITH_HEADER)
            found: bytes = self._member.decompress(self._input, n)
            self._input = self._member.unconsumed_tail
            if self._member.eof:
                self._input, self._member = self._member.unused_data, None
            if found:
                return found

    def read_array(self, n: int, length: int) -> tuple[NDArray, str]:
        """The next n bytes, and the number of bytes found, as text for messages. ``length`` is the
        size of the file. The buffer grows as bytes arrive, since the header of a small file may
        declare any n."""
        if n > _LARGEST_RATIO * length:
            return np.empty(0, np.uint8), f"a gzip file of {length} bytes"
        content, at = np.empty(min(n, _STEP), np.uint8), 0
        while at < n and (block := self.read(min(_BLOCK, n - at))):
            end = at + len(block)
            if end > len(content):
                content.resize(min(n, end + max(_STEP, end // 4)), refcheck=False)
            content[at:end] = np.frombuffer(block, np.uint8)
            at = end
        return content, "more" if at == n and self.read(1) else str(at)


def _read_array(file: BinaryIO, n: int, length: int) -> tuple[NDArray, str]:
    """As ``_Inflated.read_array``, for an uncompressed file."""
    left = length - file.tell()
    if left != n:
        return np.empty(0, np.uint8), str(left)
    content = np.empty(n, np.uint8)
    return content, str(file.readinto(content.data))  # type: ignore[attr-defined]


def _read_header(path: str, source: BinaryIO | _Inflated) -> tuple[np.dtype, tuple[int, ...]]:
    """The type of the elements and the shape."""
    head = _read_whole(source, 4)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise ValueError(f"{path}: expected an IDX file, which starts with 00 00, found {head!r}")
    code, dimensions = head[2], head[3]
    if code not in _TYPES:
        known = ", ".join(f"{known:02X}" for known in _TYPES)
        raise ValueError(f"{path}: expected an IDX type, one of {known}; found {code:02X}")
    sizes = _read_whole(source, 4 * dimensions)
    if dimensions == 0 or len(sizes) < 4 * dimensions:
        raise ValueError(f"{path}: expected the sizes of {dimensions} dimensions, found the end")
    return np.dtype(_TYPES[code]), tuple(int(n) for n in np.frombuffer(sizes, ">u4"))


def _read_whole(source: BinaryIO | _Inflated, n: int) -> bytes:
    """Read n bytes, or as many as there are before the end of the file."""
    found = b""
    while len(found) < n and (more := source.read(n - len(found))):
        found += more
    return found


def _read(path: str, file: BinaryIO) -> NDArray:
    """The array in a file, in native byte order."""
    is_gzip = file.read(2) == _GZIP
    file.seek(0)
    source = _Inflated(file) if is_gzip else file
    dtype, shape = _read_header(path, source)
    shown = f"{shape}" if len(shape) <= 8 else f"of {len(shape)} dimensions"
    expected = math.prod(shape) * dtype.itemsize
    length = os.fstat(file.fileno()).st_size
    try:
        np.broadcast_to(np.empty((), dtype), shape)
    except ValueError:  # NumPy's limits on dimensions
        raise ValueError(f"{path}: expected a shape that arrays can have, found {shown}") from None
    if isinstance(source, _Inflated):
        content, found = source.read_array(expected, length)
    else:
        content, found = _read_array(file, expected, length)
    if found != str(expected):
        raise ValueError(f"{path}: expected {expected} bytes for shape {shown}, found {found}")
    array = content.view(dtype).reshape(shape)
    return array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder("="))


def read_idx(path: str | os.PathLike[str]) -> NDArray:
    """Read an array from a file in IDX format, the format of MNIST.

    Parameters
    ----------
    path : str or path
        The file may be compressed with gzip, which is detected from its content.

    Returns
    -------
    ndarray in native byte order, of uint8, int8, int16, int32, float32 or
    float64, read-only.

    Raises
    ------
    ValueError
        If the file is truncated, too long or not an IDX file, or if it is a pipe or a device.
        The message names the expected and the actual value.
    OSError
        If the file cannot be read.

    See Also
    --------
    write_idx : write such a file.

    Notes
    -----
    At most one byte more than the header declares is decompressed.

    Examples
    --------
    >>> from importlib.resources import files
    >>> labels = read_idx(files("fastnet.data") / "mnist" / "t10k-labels-idx1-ubyte.gz")
    >>> labels.shape, labels[:5].tolist()
    ((10000,), [7, 2, 1, 0, 4])

    References
    ----------
    The format is described with the MNIST database of Y. LeCun, C. Cortes and
    C. Burges: two zero bytes, a type, the number of dimensions, their sizes in
    four bytes each, the elements; all big-endian.
    """
    path = checks.path("path", path)
    with files.open_regular(path) as file:
        try:
            array = _read(path, file)
        except (EOFError, zlib.error) as error:
            raise ValueError(f"{path}: expected a complete gzip file, found: {error}") from None
    array.flags.writeable = False
    return array


def write_idx(path: str | os.PathLike[str], array: ArrayLike) -> None:
    """Write an array to a file in IDX format, the format of MNIST.

    Parameters
    ----------
    path : str or path
        Compressed with gzip if the name ends in .gz; equal arrays give equal files. An existing
        file is replaced only when the new one is complete.
    array : array_like of uint8, int8, int16, int32, float32 or float64
        Of one dimension or more, each shorter than 2**32, in any memory layout.

    Raises
    ------
    ValueError, TypeError
        For an array that IDX cannot represent; nothing is written.
    OSError
        If the file cannot be written; an existing file is left unchanged.

    See Also
    --------
    read_idx : read such a file.

    Examples
    --------
    >>> import fastnet
    >>> fastnet.write_idx("labels.idx.gz", np.array([7, 2, 1], np.uint8))
    >>> fastnet.read_idx("labels.idx.gz").tolist()
    [7, 2, 1]
    """
    path = checks.path("path", path)
    made = checks.array("array", array)
    code = _CODES.get(made.dtype.newbyteorder("="))
    if code is None:
        names = ", ".join(dtype.name for dtype in _CODES)
        raise TypeError(f"array: expected one of {names}; got {checks.short_repr(made.dtype)}")
    if made.ndim == 0:
        raise ValueError("array: expected one dimension or more, got none")
    if max(made.shape) >= 2**32:
        raise ValueError(f"array: expected sizes of less than 2**32, got {max(made.shape)}")
    header = struct.pack(f">4B{made.ndim}I", 0, 0, code, made.ndim, *made.shape)
    blocks = _big_endian(header, made, np.dtype(_TYPES[code]))
    files.write(path, _deflated(blocks) if path.lower().endswith(".gz") else blocks)


def _big_endian(header: bytes, array: NDArray, dtype: np.dtype) -> Iterator[bytes]:
    """The header, and the elements in C order, block by block."""
    yield header
    flags: Any = ["external_loop", "buffered", "zerosize_ok"]
    size = _BLOCK // dtype.itemsize
    with np.nditer(
        array, flags, ["readonly"], dtype, order="C", casting="equiv", buffersize=size
    ) as blocks:
        if array.size:
            for block in blocks:
                yield np.asarray(block).tobytes()


def _deflated(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """A gzip file of one member, without file name and time."""
    deflate = zlib.compressobj(wbits=_WITH_HEADER)
    for block in blocks:
        yield deflate.compress(block)
    yield deflate.flush()


def read_images(path: str | os.PathLike[str]) -> NDArray:
    """Read at least one image, (n, rows, columns) or of more dimensions, from an IDX file."""
    X = read_idx(path)
    if X.ndim < 2 or len(X) == 0:
        raise ValueError(f"{path}: expected images (n, rows, columns), got {X.shape}")
    return X


def load_images(
    images: str | os.PathLike[str], labels: str | os.PathLike[str]
) -> tuple[Dataset, tuple[int, ...]]:
    """A Dataset from an IDX file of images and one of labels, scaled by 1/256, and the shape
    of each image in the file."""
    X, y = read_images(images), read_idx(labels)
    try:
        data = Dataset(X.reshape(len(X), -1), y, 1 / 256)
    except (TypeError, ValueError) as error:
        raise checks.prefixed(f"{images}, {labels}", error) from None
    return data, X.shape[1:]


def load_mnist() -> tuple[Dataset, Dataset, Dataset]:
    """The MNIST digits that come with the package.

    Returns
    -------
    (training, validation, test) : Datasets of 50,000, 10,000 and 10,000 examples
        uint8 pixels, (n, 784), with scale 1/256, as in the book; labels 0 to 9. Validation
        is the last 10,000 examples of the original training set, as in the book.

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
    (CC BY-SA 3.0); see fastnet/data/mnist/LICENSE.md.
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
