"""``live``: the curves of a training, drawn again as they grow."""

from __future__ import annotations

import io
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastnet.core import checks, extras, reporting
from fastnet.plots import _axes, results
from fastnet.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Drawing takes at most this share of the time of a training.
_SHARE = 0.2


class LiveCurves:
    """A callback that draws the curves of a training; made by ``live``.

    ``update`` draws if enough time has passed since the last drawing; ``close`` draws the epochs
    that are missing then. After a cell of a notebook, ``close`` is called automatically.
    """

    def __init__(self, quantity: str | None, interval: float, ax: Axes | None):
        self._quantity, self._interval, self._ax = quantity, interval, ax
        self._history: History | None = None
        self._drawn = 0  # epochs in the picture
        self._next = 0.0  # the earliest time of the next drawing
        self._display: Any = None

    def __call__(self, network: Any, epoch: int, history: History) -> None:
        """After an epoch of ``Network.SGD``."""
        self.update(history)

    def update(self, history: History) -> None:
        """The history has another epoch."""
        if history is not self._history:  # of another training, which has its own picture
            self.close()
            self._history, self._drawn, self._next, self._display = history, 0, 0.0, None
            if self._ax is None:
                _call_after_cell(self.close)
        if time.monotonic() >= self._next:
            self._draw()

    def close(self) -> None:
        """The training has ended."""
        if self._history is not None and _epochs(self._history) > self._drawn:
            self._draw()

    def _draw(self) -> None:
        history = self._history
        if history is None or not _epochs(history):  # nothing was monitored
            return
        start = time.monotonic()
        self._drawn = _epochs(history)
        if self._ax is not None:
            self._ax.clear()
            results.training(history, self._quantity, ax=self._ax)
            canvas: Any = self._ax.figure.canvas
            canvas.draw_idle()
            canvas.flush_events()
        else:
            self._show(_picture(history, self._quantity))
        end = time.monotonic()
        self._next = end + max(self._interval, (end - start) / _SHARE)

    def _show(self, png: bytes) -> None:
        """Show the picture in the notebook in place of the one before."""
        display: Any = import_module("IPython.display")

        image = display.Image(data=png, format="png", alt=f"Curves after epoch {self._drawn}")
        if self._display is None:
            self._display = display.display(image, display_id=True)
        else:
            self._display.update(image)


def live(
    quantity: str | None = None, *, interval: float = 0.5, ax: Axes | None = None
) -> LiveCurves:
    """A callback that draws accuracy and cost while the network trains.

    In a notebook the picture grows below the cell; ``verbose=2`` of ``Network.SGD`` does so by
    itself. The curves are those that the training monitors, as ``training`` draws them.

    Parameters
    ----------
    quantity : "accuracy", "cost" or None
        What to draw; None: what is monitored, side by side, or on ``ax`` the accuracy if there is
        one.
    interval : float, default 0.5
        Seconds between two pictures, at least; longer if drawing would take more than a fifth of
        the time. The last epoch is always drawn: in a notebook when the cell ends.
    ax : matplotlib Axes or None
        Draw there, for example in a window, instead of in a notebook.

    Returns
    -------
    callable
        For ``callbacks`` of ``Network.SGD``. Its ``close()`` draws the last epoch on ``ax``.

    Raises
    ------
    ValueError, TypeError
        For an invalid argument.
    RuntimeError
        Outside of a notebook without ``ax``.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastnet
    >>> from matplotlib.figure import Figure
    >>> curves = live(ax=Figure().subplots())
    >>> net = fastnet.Network([1, 2], seed=0)
    >>> history = net.SGD([([1.0], 0), ([2.0], 1)], 3, 1, 0.5, monitor_training_cost=True,
    ...                   callbacks=[curves], verbose=False)
    >>> curves.close()
    """
    if quantity is not None:
        _axes.one_of("quantity", quantity, ("accuracy", "cost"))
    interval = checks.nonnegative("interval", interval)
    if ax is None and not reporting.in_notebook():
        raise RuntimeError("live: expected a notebook, or Axes to draw on, ax=")
    return LiveCurves(quantity, interval, _axes.axes(ax, 6.4, 4.2) if ax is not None else None)


def _epochs(history: History) -> int:
    """The number of epochs that have figures."""
    return max(len(figures) for figures in (*history,))


def _picture(history: History, quantity: str | None) -> bytes:
    """The curves as PNG."""
    extras.needed("fastnet.plots", "matplotlib")
    from matplotlib.figure import Figure

    wanted = [
        one
        for one in ("accuracy", "cost")
        if quantity in (None, one)
        and (getattr(history, f"evaluation_{one}") or getattr(history, f"training_{one}"))
    ]
    shown = wanted or [quantity or "accuracy"]  # an error says what was not monitored
    figure = Figure(figsize=(5.6 * len(shown), 3.6), layout="constrained")
    for one, ax in zip(shown, figure.subplots(1, len(shown), squeeze=False)[0], strict=True):
        results.training(history, one, ax=ax)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    return picture.getvalue()


def _call_after_cell(function: Any) -> None:
    """Call the function once when the present cell of the notebook has ended."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    def ended(*_: Any) -> None:
        shell.events.unregister("post_run_cell", ended)
        function()

    shell.events.register("post_run_cell", ended)
