"""Where the data comes in: data sets, MNIST, IDX files."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterable
from functools import cached_property
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet import checks

# In what forms data are taken, wherever they are.
Data: TypeAlias = "Dataset | tuple[ArrayLike, ArrayLike] | Iterable[tuple[ArrayLike, ArrayLike]]"

# Elements looked at together when values are checked: a memory map larger than
# memory is read once, in pieces.
_PIECE = 1 << 20


def _extremes(array: NDArray) -> tuple[float, float]:
    """The smallest and largest element; NaN if there is one."""
    rows = max(1, _PIECE // max(1, array.shape[1]))
    low, high = math.inf, -math.inf
    for first in range(0, len(array), rows):
        piece = array[first : first + rows]
        # np.minimum passes NaN on, the built-in min does not
        low = float(np.minimum(low, piece.min()))
        high = float(np.maximum(high, piece.max()))
    return low, high


def _rows(array: NDArray) -> NDArray:
    """``array`` itself if its rows are contiguous, aligned and ascend, else a copy that is so."""
    contiguous = array.shape[1] == 1 or array.strides[1] == array.itemsize
    if contiguous and array.strides[0] >= 0 and array.flags.aligned:
        return array
    return array.copy(order="C")


def _magnitude(X: NDArray) -> float:
    """The largest absolute value, or what is not finite."""
    if X.dtype == np.uint8:
        return 255.0
    low, high = _extremes(X)
    return max(-low, high)


def checked_inputs(name: str, X: NDArray) -> tuple[NDArray, float]:
    """``X`` in a type and layout that the kernels read, and its largest absolute value."""
    if X.ndim != 2:
        raise ValueError(f"{name}: expected shape (n, n_in), got {X.shape}")
    if 0 in X.shape:
        raise ValueError(
            f"{name}: expected at least one example and one feature, got shape {X.shape}"
        )
    kind = X.dtype.kind
    if X.dtype.str[1:] not in ("u1", "f4", "f8") or not X.dtype.isnative:
        if kind not in "biuf":
            raise TypeError(f"{name}: expected numbers, got {X.dtype}")
        real = np.float32 if X.dtype.itemsize <= 4 else np.float64
        X = X.astype(np.uint8 if kind == "b" else real if kind == "f" else np.float64)
    X = _rows(X)
    magnitude = _magnitude(X)
    if not math.isfinite(magnitude):
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return X, magnitude


class Dataset:
    """Examples: inputs and what the network should answer to them.

    Checked once, here: do not change the arrays afterwards. Training copies nothing, and
    a slice in ascending steps is a view.

    Parameters
    ----------
    X : (n, n_in) array_like
        One example per row. uint8, float32 and float64 with contiguous rows are
        used where they lie (a read-only memory map too); anything else is
        converted once: booleans to uint8, half precision to float32, other
        integers to float64.
    y : (n,) integers or (n, n_out) numbers
        Labels, 0 for the first class, or target outputs; ``y[:, None]`` makes
        targets of one number per example.
    scale : float
        An example's input is ``X * scale``; each product is rounded once from
        float64. Pixels of 0 to 255 are usually scaled by 1/256.

    Raises
    ------
    TypeError, ValueError
        For other shapes or types, no examples, lengths that differ, NaN or
        infinity, negative labels.

    Notes
    -----
    ``data[:1000]`` and ``data[indices]`` are data sets, ``len(data)`` the number of
    examples, ``data[i]`` the book's pair ``(x, y)``: a column, and a label or a column.

    Examples
    --------
    >>> pixels = np.array([[0, 128], [255, 0], [64, 64]], np.uint8)
    >>> data = Dataset(pixels, [0, 1, 1], scale=1 / 256)
    >>> data
    <Dataset: 3 examples of 2 uint8 features, labels, scale 0.00390625>
    >>> x, y = data[0]
    >>> x.ravel().tolist(), y
    ([0.0, 0.5], 0)
    >>> len(data[1:])
    2
    """

    X: NDArray
    y: NDArray
    scale: float

    def __init__(self, X: ArrayLike, y: ArrayLike, scale: float = 1.0):
        self.scale = checks.nonnegative("scale", scale)
        self.X, magnitude = checked_inputs("X", checks.array("X", X))
        self.largest = magnitude * self.scale
        if not math.isfinite(self.largest):
            raise ValueError(f"scale: expected finite products with X, got {self.largest}")
        self.y = self._checked_targets(checks.array("y", y))
        if len(self.X) != len(self.y):
            raise ValueError(f"y: expected as many as X has rows, {len(self.X)}, got {len(self.y)}")

    def _checked_targets(self, y: NDArray) -> NDArray:
        if y.ndim == 1:
            if y.dtype.kind not in "biu":
                raise TypeError(
                    f"y: expected integer labels, or targets of shape (n, n_out), got {y.dtype} "
                    f"of shape {y.shape} (y[:, None] makes targets for one output)"
                )
            if len(y) and (y.min() < 0 or y.max() >= 2**31):
                raise ValueError(
                    f"y: expected labels from 0 to {2**31 - 1}, got {y.min()} to {y.max()} "
                    f"(targets have the shape (n, n_out))"
                )
            return np.require(y, np.int64, ["C_CONTIGUOUS", "ALIGNED"])
        if y.ndim != 2 or 0 in y.shape:
            raise ValueError(f"y: expected labels (n,) or targets (n, n_out), got shape {y.shape}")
        if y.dtype.kind not in "biuf":
            raise TypeError(f"y: expected numbers, got {y.dtype}")
        if y.dtype not in (np.float32, np.float64):
            y = y.astype(np.float64)
        y = _rows(y)
        self.target_range = _extremes(y)
        if not all(map(math.isfinite, self.target_range)):
            raise ValueError("y: expected finite targets, got NaN or infinity")
        return y

    # What decides whether a network can take the data; looked at again for a part.

    @cached_property
    def largest(self) -> float:
        """The largest absolute value of an input, scaled."""
        return _magnitude(self.X) * self.scale

    @cached_property
    def target_range(self) -> tuple[float, float]:
        """The smallest and largest target or label."""
        return _extremes(self.y.reshape(len(self.y), -1))

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, (int, np.integer)) and not isinstance(which, bool):
            y = self.y[which]
            x = (self.X[which].astype(np.float64) * self.scale)[:, None]
            return x, int(y) if y.ndim == 0 else y[:, None].copy()
        if not isinstance(which, slice) and (isinstance(which, tuple) or np.ndim(which) != 1):
            raise TypeError(f"expected an integer, a slice or a list of indices, got {which!r}")
        part = object.__new__(Dataset)
        part.scale, part.X, part.y = self.scale, _rows(self.X[which]), self.y[which]
        part.y = np.ascontiguousarray(part.y) if part.y.ndim == 1 else _rows(part.y)
        if len(part) == 0:
            raise ValueError(f"expected a slice with at least one example, got none of {len(self)}")
        return part

    def __repr__(self) -> str:
        kind = "labels" if self.y.ndim == 1 else f"targets of {self.y.shape[1]}"
        return (
            f"<Dataset: {len(self)} examples of {self.X.shape[1]} {self.X.dtype} features, "
            f"{kind}, scale {self.scale:g}>"
        )


def _from_pairs(pairs: Iterable) -> Dataset:
    """The book's list of (x, y): columns; y a column, a digit, or the target of one neuron."""
    listed = []
    for i, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(
                f"expected a Dataset, a tuple (X, y) of arrays, or an iterable of pairs (x, y); "
                f"got {_briefly(pair)} as element {i}"
            )
        listed.append(pair)
    if not listed:
        raise ValueError("expected at least one example, got none")
    try:
        X = np.stack([np.asarray(x) for x, _ in listed])
        y = np.stack([np.asarray(y) for _, y in listed])
    except ValueError:
        raise ValueError("expected pairs (x, y) that all have the same shapes") from None
    if X.ndim == 3 and X.shape[2] == 1:
        X = X[:, :, 0]
    if y.ndim == 3 and y.shape[2] == 1:
        y = y[:, :, 0]
    if y.ndim == 1 and y.dtype.kind == "f":  # the one target of a single output neuron
        y = y[:, None]
    return Dataset(X, y)


def _briefly(value: Any) -> str:
    """What came, in a few words."""
    shown = repr(value)
    short = len(shown) <= 40 and "\n" not in shown
    return shown if short else f"a {type(value).__name__}"


def as_dataset(name: str, data: Any) -> Dataset:
    """``data`` in any of the accepted forms as a Dataset; errors start with ``name``."""
    if isinstance(data, Dataset):
        return data
    arrays = isinstance(data, tuple) and len(data) == 2 and not isinstance(data[0], tuple)
    if not arrays and not isinstance(data, (list, tuple)):
        if not isinstance(data, Iterable) or isinstance(data, (str, bytes, dict)):
            raise TypeError(
                f"{name}: expected a Dataset, a tuple (X, y) of arrays, or an iterable of pairs "
                f"(x, y); got {_briefly(data)}"
            )
        data = list(data)  # here, so that an error of the iterator's own passes as it is
    try:
        return Dataset(*data) if arrays else _from_pairs(data)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


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
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: expected a whole gzip file, found damage: {error}") from None
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError(f"{path}: expected an IDX file, which starts 00 00, found {content[:4]!r}")
    code, dimensions = content[2], content[3]
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


def load_images(images: str | os.PathLike[str], labels: str | os.PathLike[str]) -> Dataset:
    """A Dataset from an IDX file of images and one of labels, scaled by 1/256."""
    X, y = read_idx(images), read_idx(labels)
    try:
        return Dataset(X.reshape(len(X), -1) if len(X) else X, y, 1 / 256)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{images}, {labels}: {error}") from None


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
    with resources.as_file(resources.files("fastnet") / "mnist") as folder:
        training = load_images(
            folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz"
        )
        test = load_images(
            folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz"
        )
    return training[:50_000], training[50_000:], test
