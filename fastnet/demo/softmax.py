"""The book's softmax layer of four neurons, with a slider for each weighted input."""

from typing import TYPE_CHECKING, Any

from fastnet import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.widgets import Slider

INPUTS = (1.0, 2.0, 3.0, 2.5)  # z_1 to z_4
CONSTANTS = (0.5, 1.0, 3.0, 20.0)  # c of equation 83


def draw(figure: "Figure") -> None:
    """The outputs for the same inputs and growing c, which approach the maximum function."""
    axes = figure.subplots(1, len(CONSTANTS), sharey=True)
    for ax, c in zip(axes, CONSTANTS, strict=True):
        plots.softmax(INPUTS, c, ax=ax)
        ax.set_title(f"c = {c:g}")
        if ax is not axes[0]:
            ax.set_ylabel("")
    figure.suptitle(
        "Softmax outputs sum to 1; for a large c the output of the largest input is almost 1"
    )


class Window:
    """A figure with sliders for the four weighted inputs and for c.

    Parameters
    ----------
    figure : matplotlib Figure
        Empty; made by pyplot if it is to be shown.
    """

    def __init__(self, figure: "Figure"):
        figure.set_size_inches(7.2, 6.4)
        figure.subplots_adjust(left=0.12, right=0.95, top=0.9, bottom=0.48)
        self._figure = figure
        self.bars = figure.subplots()
        self.inputs = [
            self._slider(0.37 - 0.06 * j, f"$z_{j}$", -5, 5, z) for j, z in enumerate(INPUTS, 1)
        ]
        self.c = self._slider(0.04, "c", 0.1, 20, 1)
        for slider in (*self.inputs, self.c):
            slider.on_changed(self.draw)
        self.draw()

    def _slider(self, y: float, label: str, low: float, high: float, start: float) -> "Slider":
        from matplotlib.widgets import Slider

        ax = self._figure.add_axes((0.12, y, 0.7, 0.04))
        return Slider(ax, label, low, high, valinit=start, valstep=0.1, initcolor="none")

    def draw(self, _: Any = None) -> None:
        """Draw the bars for the sliders' values."""
        self.bars.clear()
        z = [round(slider.val, 1) for slider in self.inputs]
        plots.softmax(z, round(self.c.val, 1), ax=self.bars)
        self._figure.canvas.draw_idle()
