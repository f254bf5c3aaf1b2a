"""More training data from square images: shifted, rotated and distorted copies.

An example has side x side pixels, stored row by row, as in MNIST. Every function takes data in
any of the accepted forms and returns a new ``Dataset`` of the same type and scale; bytes are
rounded. Pixels outside an image are 0, the background. The same seed gives the same images, on
one machine to the last bit.

P. Y. Simard, D. Steinkraus and J. C. Platt, "Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis" (2003), is the source of ``affine`` and
``elastic``.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.core.random_stream import RandomStream
from fastnet.data.coerce import as_dataset, warn_of_bytes
from fastnet.data.dataset import Data, Dataset
from fastnet.data.sparse_rows import Compressed

# A number, for -number to number, or (lowest, highest).
Span: TypeAlias = float | tuple[float, float]

# Images that are computed together, so that their temporaries fit in the cache.
_BATCH = 128


def shift(data: Data, dx: int, dy: int) -> Dataset:
    """Shift every image by whole pixels; vacated pixels become 0.

    Parameters
    ----------
    data : Dataset, pair (X, y) or iterable of (x, y)
        n square images.
    dx, dy : int
        Pixels to the right and down; their absolute values are less than the side.

    Returns
    -------
    Dataset
        As large as ``data``, with the same targets.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.

    Examples
    --------
    >>> data = Dataset([[1, 2, 3, 4]], [0])
    >>> shift(data, 1, 0).X.reshape(2, 2).tolist()
    [[0.0, 1.0], [0.0, 3.0]]
    """
    data, images = _images(data)
    side = images.shape[1]
    shifted = np.empty(images.shape, images.dtype)
    _shift(images, shifted, _pixels("dx", dx, 1 - side, side), _pixels("dy", dy, 1 - side, side))
    return _dataset(shifted, data.y, data)


def expand_by_shifts(data: Data, pixels: int = 1) -> Dataset:
    """Five times the data: the images, and copies shifted left, right, up and down.

    M. Nielsen, Neural Networks and Deep Learning, chapter 3, expands MNIST in this way.

    Parameters
    ----------
    data : Dataset, pair (X, y) or iterable of (x, y)
        n square images.
    pixels : int
        The distance, 1 or more and less than the side; vacated pixels become 0.

    Returns
    -------
    Dataset
        5 n examples: the n originals, then all n shifted left, right, up, down. They take five
        times the memory of the images: 196 MB for MNIST's 50,000.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.

    Examples
    --------
    >>> import fastnet
    >>> training, validation, test = fastnet.load_mnist()
    >>> len(expand_by_shifts(training[:100]))
    500
    """
    data, images = _images(data)
    pixels = _pixels("pixels", pixels, 1, images.shape[1])
    all_five = np.empty((5, *images.shape), images.dtype)
    all_five[0] = images
    for shifted, (dx, dy) in zip(all_five[1:], ((-1, 0), (1, 0), (0, -1), (0, 1)), strict=True):
        _shift(images, shifted, dx * pixels, dy * pixels)
    targets = np.concatenate([data.y] * 5)
    return _dataset(all_five.reshape(-1, *images.shape[1:]), targets, data)


def rotate(data: Data, degrees: Span, seed: Any = None) -> Dataset:
    """Rotate every image about its centre by a random angle.

    Parameters
    ----------
    data : Dataset, pair (X, y) or iterable of (x, y)
        n square images.
    degrees : float or (float, float)
        Angles are uniform from -degrees to degrees, or from the first to the second of
        a pair; ``(90, 90)`` rotates all images by 90. Positive is counterclockwise.
    seed : None, int, sequence of ints, SeedSequence, BitGenerator or Generator
        As for ``Network``.

    Returns
    -------
    Dataset
        As large as ``data``, with the same targets; pixels interpolated linearly.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.

    Examples
    --------
    >>> data = Dataset(np.uint8([[1, 2, 3, 4]]), [0])
    >>> rotate(data, (90, 90)).X.reshape(2, 2).tolist()
    [[2, 4], [1, 3]]
    """
    return affine(data, degrees, seed=seed)


def affine(
    data: Data, degrees: Span = 0.0, scaling: Span = 0.0, shear: Span = 0.0, seed: Any = None
) -> Dataset:
    """Shear, scale and rotate every image about its centre, at random.

    Parameters
    ----------
    data : Dataset, pair (X, y) or iterable of (x, y)
        n square images.
    degrees : float or (float, float)
        The angle, as for ``rotate``.
    scaling : float or (float, float)
        Factors are uniform from 1 - scaling to 1 + scaling, or from the first to the
        second of a pair; all greater than 0.
    shear : float or (float, float)
        The shift to the right per pixel above the centre; uniform from -shear to
        shear, or from the first to the second of a pair.
    seed : None, int, sequence of ints, SeedSequence, BitGenerator or Generator
        As for ``Network``. Three numbers are drawn per image.

    Returns
    -------
    Dataset
        As large as ``data``, with the same targets; pixels interpolated linearly.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.

    Examples
    --------
    >>> data = Dataset(np.arange(9).reshape(1, 9), [0])
    >>> affine(data, shear=(1, 1)).X.reshape(3, 3).tolist()
    [[0.0, 0.0, 1.0], [3.0, 4.0, 5.0], [7.0, 8.0, 0.0]]
    """
    spans = np.array([
        _span("degrees", degrees), _span("scaling", scaling, 1.0), _span("shear", shear)
    ])  # fmt: skip
    if spans[1, 0] <= 0:
        raise ValueError(
            f"scaling: expected factors of more than 0, got {checks.short_repr(scaling)}"
        )
    data, images = _images(data)
    stream = RandomStream(seed)
    side = images.shape[1]
    x = np.arange(side) - (side - 1) / 2  # from the centre, to the right
    y = -x[:, None]  # up

    def sources(n: int) -> tuple[NDArray, NDArray]:
        numbers = spans[:, 0] + np.diff(spans)[:, 0] * _uniform(stream, n, 3)
        angle, factor, slope = numbers.T[..., None, None]
        sin, cos = np.sin(np.radians(angle)), np.cos(np.radians(angle))
        source_y = (cos * y - sin * x) / factor
        source_x = (cos * x + sin * y) / factor - slope * source_y
        return (side - 1) / 2 - source_y, (side - 1) / 2 + source_x

    return _dataset(_resampled(images, sources), data.y, data)


def elastic(data: Data, alpha: float, sigma: float, seed: Any = None) -> Dataset:
    """Distort every image by a random smooth displacement field.

    Displacements of each pixel in x and y are drawn uniformly from [-1, 1); both fields are
    smoothed by a Gaussian and multiplied by alpha; the image is then sampled at the displaced
    positions with linear interpolation. For digits of 29 x 29 pixels the paper takes alpha = 34,
    sigma = 4.

    Parameters
    ----------
    data : Dataset, pair (X, y) or iterable of (x, y)
        n square images.
    alpha : float
        The strength, 0 or more; 0 leaves the images unchanged.
    sigma : float
        The Gaussian's standard deviation in pixels, greater than 0, at most the side. The Gaussian
        is truncated at 4 sigma, and the field is 0 outside the image.
    seed : None, int, sequence of ints, SeedSequence, BitGenerator or Generator
        As for ``Network``. The fields are drawn image by image, x before y.

    Returns
    -------
    Dataset
        As large as ``data``, with the same targets. Temporary arrays take about 10 MB for images of
        28 x 28 pixels, whatever their number.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.

    Examples
    --------
    >>> import fastnet
    >>> training, validation, test = fastnet.load_mnist()
    >>> elastic(training[:100], 34, 4, seed=1)
    <Dataset: 100 examples of 784 uint8 features, labels, scale 0.00390625>
    """
    alpha = checks.nonnegative("alpha", alpha)
    sigma = checks.nonnegative("sigma", sigma)
    data, images = _images(data)
    side = images.shape[1]
    if not 0 < sigma <= side:
        raise ValueError(f"sigma: expected more than 0, at most the side, {side}; got {sigma:g}")
    stream = RandomStream(seed)
    smooth = _gaussian(side, sigma)
    x = np.arange(side)

    def sources(n: int) -> tuple[NDArray, NDArray]:
        fields = 2 * _uniform(stream, n, 2, side, side) - 1
        fields = smooth @ fields @ smooth.T
        fields *= alpha
        return fields[:, 1] + x[:, None], fields[:, 0] + x

    return _dataset(_resampled(images, sources), data.y, data)


# ---- data sets and images


def _images(data: Data) -> tuple[Dataset, NDArray]:
    """The data as a Dataset, and its images, (n, side, side)."""
    dataset = as_dataset("data", data)
    warn_of_bytes("data", data, dataset)
    dataset.check_files()
    if isinstance(dataset.X, Compressed):
        raise TypeError("data: expected images as a dense array, got compressed sparse rows")
    n, n_in = dataset.X.shape
    side = math.isqrt(n_in)
    if side * side != n_in:
        raise ValueError(f"data: expected square images, got {n_in} pixels per example")
    return dataset, dataset.X.reshape(n, side, side)


def _dataset(images: NDArray, targets: NDArray, like: Dataset) -> Dataset:
    rows = checks.read_only(images.reshape(len(images), -1))
    return Dataset(
        rows, checks.read_only(targets), like.scale,
        sparse=like.sparse, classes=like.classes, features=like.features,
    )  # fmt: skip


# ---- arguments


def _pixels(name: str, value: Any, at_least: int, side: int) -> int:
    number = checks.integer(name, value, at_least)
    if number >= side:
        raise ValueError(f"{name}: expected at most {side - 1} for images {side} wide, got {value}")
    return number


def _span(name: str, value: Any, around: float = 0.0) -> tuple[float, float]:
    """(lowest, highest)."""
    if not isinstance(value, (tuple, list)):
        width = checks.nonnegative(name, value)
        return around - width, around + width
    try:
        low, high = (math.copysign(checks.nonnegative(name, abs(end)), end) for end in value)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if low > high:
        raise ValueError(
            f"{name}: expected a number, or (lowest, highest), both finite; "
            f"got {checks.short_repr(value)}"
        )
    return low, high


# ---- arithmetic


def _uniform(stream: RandomStream, *shape: int) -> NDArray:
    """Uniform numbers in [0, 1), one raw number each."""
    return (stream.raw(math.prod(shape)) >> np.uint64(11)).reshape(shape) * 2.0**-53


def _shift(images: NDArray, shifted: NDArray, dx: int, dy: int) -> None:
    """Write the shifted images into ``shifted``."""
    side = images.shape[1]

    def ends(d: int) -> tuple[slice, slice]:
        """(from, to) along one axis."""
        return slice(max(0, -d), side - max(0, d)), slice(max(0, d), side - max(0, -d))

    (from_x, to_x), (from_y, to_y) = ends(dx), ends(dy)
    shifted[...] = 0
    shifted[:, to_y, to_x] = images[:, from_y, from_x]


def _gaussian(side: int, sigma: float) -> NDArray:
    """G, (side, side): ``G @ field @ G.T`` is the smoothed field, which is 0 outside."""
    radius = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    distance = np.arange(side)[:, None] - np.arange(side)
    return np.where(
        np.abs(distance) <= radius, taps[np.clip(distance + radius, 0, 2 * radius)], 0.0
    )


def _resampled(images: NDArray, sources: Callable[[int], tuple[NDArray, NDArray]]) -> NDArray:
    """The images resampled, batch by batch: ``sources(n)`` returns, for the next n images, the
    (row, column) at which each pixel is sampled, both (n, side, side)."""
    out = np.empty(images.shape, images.dtype)
    for first in range(0, len(images), _BATCH):
        batch = images[first : first + _BATCH]
        values = _bilinear(batch, *sources(len(batch)))
        if out.dtype == np.uint8:
            np.rint(values, out=values)
        out[first : first + _BATCH] = values
    return out


def _bilinear(images: NDArray, row: NDArray, column: NDArray) -> NDArray:
    """Bilinear interpolation in float64; 0 from one pixel outside the image on."""
    n, side, _ = images.shape
    width = side + 3  # one zero before and two after, for positions just outside
    padded = np.zeros((n, width, width))
    padded[:, 1:-2, 1:-2] = images
    row, column = np.clip(row, -1, side), np.clip(column, -1, side)
    above, left = np.floor(row), np.floor(column)
    down, right = row - above, column - left  # from 0 to 1
    at = ((above + 1) * width + (left + 1)).astype(np.intp)
    at += np.arange(n)[:, None, None] * width**2
    pixels = padded.reshape(-1)

    def between(at: NDArray) -> NDArray:
        value, neighbour = pixels.take(at), pixels.take(at + 1)
        neighbour -= value
        neighbour *= right
        value += neighbour
        return value

    value, below = between(at), between(at + width)
    below -= value
    below *= down
    value += below
    return value
