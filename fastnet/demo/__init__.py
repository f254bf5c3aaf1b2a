"""The book's pictures from real trainings: saved, in a window, and as a page for a browser.

``DEMOS`` lists them; the command line is ``fastnet demo``. ``fastnet.plots`` draws on matplotlib's
Axes; this package trains the networks and makes figures and windows.
"""

import io
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from fastnet import plots
from fastnet.core import checks, extras, files
from fastnet.data.dataset import Dataset
from fastnet.demo import mnist, neuron, page, softmax
from fastnet.network import Network
from fastnet.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FORMATS = ("png", "svg", "pdf", "jpg", "webp")


class Demo(NamedTuple):
    """A picture: its description, its size in inches, and the functions that draw it.

    ``draw`` is called with the figure and, if ``of_network`` is True, with a network and data.
    ``window`` makes a figure with sliders, to be shown in a window. If ``of_costs`` is True, both
    also take ``book_rates``: whether each cost has the book's learning rate for it, or all costs
    have the same.
    """

    line: str
    size: tuple[float, float]
    draw: Callable[..., Any]
    of_network: bool = False
    window: Callable[..., Any] | None = None
    of_costs: bool = False


DEMOS = {
    "neuron": Demo(
        "one neuron that learns to output 0 for the input 1, with both costs; live in a window",
        (9.0, 6.4),
        neuron.draw,
        window=neuron.Window,
        of_costs=True,
    ),
    "sigmoid": Demo(
        "the sigmoid and its slope, with the flat regions marked",
        (6.4, 4.2),
        lambda figure: plots.sigmoid(ax=figure.subplots()),
    ),
    "softmax": Demo(
        "outputs that sum to one, for a growing constant c; sliders in a window",
        (11.0, 4.0),
        softmax.draw,
        window=softmax.Window,
    ),
    "slowdown": Demo(
        "the gradient per epoch on MNIST, with quadratic and cross-entropy cost",
        (10.5, 4.4),
        mnist.slowdown,
        of_costs=True,
    ),
    "training": Demo(
        "accuracy and cost per epoch on MNIST, on training and test data",
        (10.5, 4.4),
        mnist.training,
    ),
    "digits": Demo(
        "test digits that are misclassified",
        (8.0, 5.6),
        lambda figure, net, data, shape: plots.digits(net, data, shape=shape, ax=figure.subplots()),
        of_network=True,
    ),
    "weights": Demo(
        "the weights into each hidden neuron as an image",
        (7.2, 5.6),
        lambda figure, net, data, shape: plots.weights(net, shape=shape, ax=figure.subplots()),
        of_network=True,
    ),
    "confusion": Demo(
        "the confusion matrix of the test digits",
        (7.2, 6.0),
        lambda figure, net, data, shape: plots.confusion(net, data, ax=figure.subplots()),
        of_network=True,
    ),
}


class UserNetwork(NamedTuple):
    """The user's network, images with labels at the scale it was trained with, and the images'
    (rows, columns) where they are not MNIST's."""

    net: Network
    data: Dataset
    shape: tuple[int, int] | None = None


def find(name: str) -> Demo:
    """The demo of this name; a ValueError lists the names."""
    if name not in DEMOS:
        raise ValueError(f"NAME: expected one of {', '.join(DEMOS)}; got {checks.short_repr(name)}")
    return DEMOS[name]


def save(
    name: str,
    filename: str,
    user: UserNetwork | None = None,
    dark: bool = False,
    book_rates: bool = False,
) -> None:
    """Write a demo's picture to a file, in the format that its name ends in.

    Parameters
    ----------
    name : str
        A key of ``DEMOS``.
    filename : str
        Its suffix is one of ``FORMATS``, as in neuron.png.
    user : UserNetwork or None
        Drawn instead of the network that would be trained for the picture.
    dark : bool
        Draw on a dark background.
    book_rates : bool
        Use the book's learning rate for each cost instead of the same rate for both; only for
        pictures that compare costs.

    Raises
    ------
    ValueError, OSError
        For an unknown name or format, ``book_rates`` for a picture that compares no costs, or a
        file that cannot be written; raised before anything is trained.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> save("sigmoid", "sigmoid.png")
    """
    demo = find(name)
    rates = _rates(name, book_rates)
    check_picture("--save", filename)
    with _style(dark):
        from matplotlib.figure import Figure

        figure = Figure(figsize=demo.size, layout="constrained")
        _draw(demo, figure, user, rates)
        write_picture(figure, filename)


def check_picture(option: str, filename: str) -> None:
    """Raise an error early if the picture cannot be written."""
    extras.needed("fastnet.demo", "matplotlib")
    if _format(filename) not in FORMATS:
        raise ValueError(
            f"{option}: expected a name that ends in .{', .'.join(FORMATS[:-1])} or "
            f".{FORMATS[-1]}, got {filename!r}"
        )
    try:
        files.check_writable(filename)
    except OSError as error:
        raise ValueError(f"{option}: expected a file that can be written, got {error}") from None


def write_picture(figure: "Figure", filename: str) -> None:
    """Write a figure; an existing file is replaced only when the new one is complete."""
    picture = io.BytesIO()
    figure.savefig(picture, format=_format(filename), dpi=120)
    files.write(filename, [picture.getvalue()])


def save_curves(history: History, filename: str) -> None:
    """Draw accuracy and cost per epoch into a file, as ``save`` does."""
    check_picture("--plot", filename)
    from matplotlib.figure import Figure

    figure = Figure(figsize=DEMOS["training"].size, layout="constrained")
    mnist.curves(figure, history)
    write_picture(figure, filename)


def write_page(filename: str, user: UserNetwork | None = None) -> None:
    """Write the page for a browser, with the user's network or one trained on MNIST.

    Raises
    ------
    ValueError, OSError
        For a network whose sizes do not suit the pad, or a file that cannot be written.
    """
    if user is not None and (user.net.sizes[0], user.net.sizes[-1]) != (784, 10):
        raise ValueError(
            f"--model: expected a network of 784 inputs and 10 outputs, since the pad makes "
            f"digits of 28 x 28 pixels; got {user.net.sizes}"
        )
    if user is not None and user.shape not in (None, (28, 28)):
        raise ValueError(f"--images: expected images of 28 x 28 pixels, got {user.shape}")
    try:
        files.check_writable(filename)
    except OSError as error:
        raise ValueError(f"--html: expected a file that can be written, got {error}") from None
    net, test, shape = user or UserNetwork(*mnist.trained())
    page.write(filename, net, test, page.MNIST if shape is None else "")


def show(
    name: str, user: UserNetwork | None = None, dark: bool = False, book_rates: bool = False
) -> None:
    """Open a window with a demo, and return when it is closed.

    Parameters
    ----------
    name, user, dark, book_rates
        As for ``save``.

    Raises
    ------
    ValueError
        For an unknown name, or ``book_rates`` for a picture that compares no costs.
    RuntimeError
        If no window can be opened.
    ImportError
        If matplotlib is not installed.
    """
    demo = find(name)
    rates = _rates(name, book_rates)
    extras.needed("fastnet.demo", "matplotlib")
    with _style(dark):
        import matplotlib.pyplot as plt
        from matplotlib.backend_bases import FigureManagerBase

        try:
            figure = plt.figure(f"fastnet: {name}", figsize=demo.size)
        except ImportError:  # the requested toolkit finds no display
            figure = None
        # The managers of real windows are subclasses of FigureManagerBase.
        if figure is None or type(figure.canvas.manager) is FigureManagerBase:
            plt.close(figure)
            raise RuntimeError(
                "no window can be opened here: matplotlib finds no display, or no toolkit such "
                "as tkinter; --save FILE.png writes the picture to a file"
            )
        if demo.window is not None:
            window = demo.window(figure, **rates)  # kept while the figure is shown
            plt.show()
            del window
        else:
            figure.set_layout_engine("constrained")
            _draw(demo, figure, user, rates)
            plt.show()


def _rates(name: str, book_rates: bool) -> dict[str, bool]:
    """The keywords of ``draw`` and ``window`` that choose the learning rates."""
    if DEMOS[name].of_costs:
        return {"book_rates": book_rates}
    if book_rates:
        of_costs = " or ".join(n for n, d in DEMOS.items() if d.of_costs)
        raise ValueError(
            f"--book-rates: expected {of_costs} with it, which compare costs; got {name!r}"
        )
    return {}


def _draw(demo: Demo, figure: "Figure", user: UserNetwork | None, rates: dict[str, bool]) -> None:
    if demo.of_network:
        demo.draw(figure, *(user or UserNetwork(*mnist.trained())))
    else:
        demo.draw(figure, **rates)


def _format(filename: str) -> str:
    return os.path.splitext(filename)[1][1:].lower()


def _style(dark: bool) -> AbstractContextManager[Any]:
    if not dark:
        return nullcontext()
    from matplotlib import style

    return style.context("dark_background")
