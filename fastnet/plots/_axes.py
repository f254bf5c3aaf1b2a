"""Functions that all pictures use: Axes, colours, curves, grids of small images."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, extras

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# M. Okabe, K. Ito: Color Universal Design (2008), in the order in which curves use them.
BLUE, VERMILION, GREEN, ORANGE, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE)
DASHES = ("-", "--", "-.", ":")  # so that curves do not differ by colour alone


def axes(ax: Any, width: float, height: float) -> "Axes":
    """``ax``, or, if it is None, the Axes of a new figure of this size in inches."""
    extras.needed("fastnet.plots", "matplotlib")
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    if ax is None:
        ax = Figure(figsize=(width, height), layout="constrained").subplots()
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: expected a matplotlib Axes or None, got {checks.short_repr(ax)}")
    return ax


def foreground() -> str:
    """The colour of text in the current style."""
    from matplotlib import rcParams

    return str(rcParams["text.color"])


def one_of(name: str, value: Any, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(
            f"{name}: expected {' or '.join(map(repr, known))}, got {checks.short_repr(value)}"
        )


def checked_curves(name: str, curves: Any) -> dict[str, NDArray]:
    """{label: values} with a finite number for each epoch."""
    if not isinstance(curves, Mapping) or not curves:
        raise TypeError(
            f"{name}: expected a dict of a label and numbers per curve, "
            f"got {checks.short_repr(curves)}"
        )
    return {
        str(label): row(f"{name}[{checks.short_repr(label)}]", values)
        for label, values in curves.items()
    }


def row(name: str, values: Any) -> NDArray:
    """``values`` as one or more finite numbers."""
    array = checks.array(name, values, "a sequence of numbers")
    if array.ndim != 1 or len(array) == 0 or array.dtype.kind not in "iuf":
        raise ValueError(f"{name}: expected a sequence of numbers, got {checks.short_repr(values)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return array


def draw_curves(ax: "Axes", curves: Mapping[str, NDArray], first_epoch: int = 0) -> None:
    """Lines against the epoch, with a legend."""
    from matplotlib.ticker import MaxNLocator

    styles = zip(cycle(COLOURS), cycle(DASHES))
    for (label, values), (colour, dashes) in zip(curves.items(), styles, strict=False):
        epochs = np.arange(first_epoch, first_epoch + len(values))
        marker = "o" if len(values) == 1 else None  # a line of one point would be invisible
        ax.plot(epochs, values, dashes, color=colour, label=label, marker=marker, linewidth=2)
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(
        MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    )
    ax.grid(alpha=0.25)
    ax.legend()


def image_shape(n_pixels: int, shape: Any) -> tuple[int, int]:
    """``shape`` as (rows, columns) of ``n_pixels``; for None a square."""
    if shape is None:
        side = int(np.sqrt(n_pixels))
        if side * side == n_pixels:
            return side, side
        raise ValueError(
            f"shape: expected (rows, columns), since {n_pixels} inputs are not a square; got None"
        )
    try:
        rows, columns = (checks.integer("shape", length, 1) for length in shape)
    except (TypeError, ValueError):
        rows = columns = 0
    if rows * columns != n_pixels:
        raise ValueError(
            f"shape: expected (rows, columns) of {n_pixels} pixels, got {checks.short_repr(shape)}"
        )
    return rows, columns


def grid(images: NDArray, above: int) -> tuple[NDArray, list[tuple[float, float]]]:
    """A grid of images (n, rows, columns), with NaN between them and in ``above`` rows over each.

    Returns the grid, and the middle of the upper edge of each image in pixels.
    """
    n, height, width = images.shape
    # The number of columns, at least that of a square grid, that leaves the fewest cells empty.
    columns = min(range(int(np.ceil(n**0.5)), int(2 * n**0.5) + 1), key=lambda c: -n % c)
    rows = -(-n // columns)
    gap = max(1, width // 12)
    grid_image = np.full((rows * (height + above), columns * (width + gap) - gap), np.nan)
    middles = []
    for i, image in enumerate(images):
        top = i // columns * (height + above) + above
        left = i % columns * (width + gap)
        grid_image[top : top + height, left : left + width] = image
        middles.append((left + (width - 1) / 2, top - 0.5))
    return grid_image, middles
