"""The book's single neuron: trained live, and drawn from both of the book's starting points."""

import time
from typing import TYPE_CHECKING, Any

from fastnet import plots
from fastnet.network import Network
from fastnet.plots._axes import ORANGE, foreground

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EXAMPLE = [([1.0], [0.0])]  # the input 1 and its target 0
EPOCHS = 300
STARTS = ((0.6, 0.9), (2.0, 2.0))  # weight and bias
ETA = 0.15  # the book's for the quadratic cost; with one rate the two costs can be compared
BOOK_ETA = {"quadratic": 0.15, "cross-entropy": 0.005}


class Neuron:
    """One sigmoid neuron with one input, which learns to output 0 for the input 1.

    Parameters
    ----------
    weight, bias : float
        Their initial values.
    cost : "quadratic" or "cross-entropy"

    Examples
    --------
    >>> neuron = Neuron(0.6, 0.9, "quadratic")
    >>> round(neuron.output, 2)
    0.82
    >>> outputs, costs = neuron.learn(0.15, 300)
    >>> round(outputs[-1], 2)
    0.09
    """

    def __init__(self, weight: float, bias: float, cost: str):
        self._net = Network([1, 1], cost, dtype="float64")
        self._net.weights[0], self._net.biases[0] = [[weight]], [[bias]]

    @property
    def weight(self) -> float:
        return float(self._net.weights[0].item())

    @property
    def bias(self) -> float:
        return float(self._net.biases[0].item())

    @property
    def output(self) -> float:
        return float(self._net.feedforward([1.0]).item())

    @property
    def cost(self) -> float:
        return self._net.total_cost(EXAMPLE, 0.0)

    def learn(self, eta: float, epochs: int) -> tuple[list[float], list[float]]:
        """(outputs, costs) before the first epoch and after each."""
        outputs, costs = [self.output], [self.cost]
        for _ in range(epochs):
            self._net.update_mini_batch(EXAMPLE, eta, 0.0, 1)
            outputs.append(self.output)
            costs.append(self.cost)
        return outputs, costs


def draw(figure: "Figure", book_rates: bool = False) -> None:
    """Output and cost against epoch from both starts, with quadratic and cross-entropy
    cost, at the same learning rate or at the book's rate for each cost."""
    grid = figure.subplots(2, 2, sharex=True)
    etas = BOOK_ETA if book_rates else dict.fromkeys(BOOK_ETA, ETA)
    for column, (cost, eta) in zip(grid.T, etas.items(), strict=True):
        outputs, costs = {}, {}
        for w, b in STARTS:
            label = f"from w = {w:g}, b = {b:g}"
            outputs[label], costs[label] = Neuron(w, b, cost).learn(eta, EPOCHS)
        plots.neuron(outputs, "output", ax=column[0])
        plots.neuron(costs, "cost", ax=column[1])
        column[0].set_title(f"{cost} cost, η = {eta:g}")
        column[1].set_title("")
        column[0].set_xlabel("")
    curves = grid[0, 0].get_lines()  # the same starting points everywhere: one legend for all
    for ax in grid.flat:
        ax.get_legend().remove()
    figure.legend(handles=curves, loc="outside lower center", ncols=len(curves))
    rates = "the book's learning rate for each" if book_rates else "the same learning rate for both"
    figure.suptitle(f"One neuron learns to turn 1 into 0: two costs, {rates}")


class Window:
    """A figure that trains the neuron live.

    Parameters
    ----------
    figure : matplotlib Figure
        Empty; made by pyplot if it is to be shown.
    book_rates : bool, default False
        Start with the book's learning rate for each cost.

    Attributes
    ----------
    running : bool
        Whether a training is running.
    """

    EPOCHS_A_SECOND = 60

    def __init__(self, figure: "Figure", book_rates: bool = False):
        figure.subplots_adjust(left=0.09, right=0.97, top=0.85, bottom=0.42, wspace=0.25)
        self._figure = figure
        self.output, self.cost = figure.subplots(1, 2)
        self._add_controls(figure)
        self._timer = figure.canvas.new_timer(interval=30)
        self._timer.add_callback(self._tick)
        self.kind.on_clicked(self._choose_cost)
        self.book_rates.on_clicked(self._switch_rates)
        self.eta.on_changed(self._choose_eta)
        for slider in (self.weight, self.bias):
            slider.on_changed(self.start)
        self.run.on_clicked(self._run_or_stop)
        self.start()
        if book_rates:
            self.book_rates.set_active(0)

    def _add_controls(self, figure: "Figure") -> None:
        from matplotlib.widgets import Button, CheckButtons, RadioButtons, Slider

        self.weight, self.bias, self.eta = (
            Slider(
                figure.add_axes((0.16, y, 0.46, 0.04)),
                label,
                low,
                high,
                valinit=start,
                valstep=step,
                initcolor="none",
            )
            for y, label, low, high, step, start in (
                (0.25, "start weight w", -4, 4, 0.1, STARTS[0][0]),
                (0.17, "start bias b", -4, 4, 0.1, STARTS[0][1]),
                (0.09, "learning rate η", 0.005, 1, 0.005, ETA),
            )
        )
        ink = foreground()
        self.kind = RadioButtons(
            figure.add_axes((0.72, 0.2, 0.25, 0.12)),
            list(BOOK_ETA),
            activecolor=ink,
            radio_props={"edgecolor": ink},
        )
        self.book_rates = CheckButtons(
            figure.add_axes((0.72, 0.14, 0.25, 0.06)),
            ["the book's rates"],
            frame_props={"edgecolor": ink},
            check_props={"facecolor": ink},
        )
        self.run = Button(
            figure.add_axes((0.72, 0.05, 0.25, 0.08)), "Run", color=ORANGE, hovercolor="#F0C050"
        )
        self.run.label.set_color("black")

    @property
    def _cost_name(self) -> str:
        return str(self.kind.value_selected)

    def _choose_cost(self, _: Any) -> None:
        if self.book_rates.get_status()[0]:
            self._set_eta(BOOK_ETA[self._cost_name])
        self.start()

    def _switch_rates(self, _: Any) -> None:
        """Switch to the book's rate for the cost, or back to the previous rate."""
        if self.book_rates.get_status()[0]:
            self._eta_before = self.eta.val
            self._set_eta(BOOK_ETA[self._cost_name])
        else:
            self._set_eta(self._eta_before)
        self.start()

    def _choose_eta(self, _: Any) -> None:
        """The user moved the slider: stop using the book's rates."""
        if self.book_rates.get_status()[0]:
            self.book_rates.eventson = False
            self.book_rates.set_active(0)
            self.book_rates.eventson = True
        self.start()

    def _set_eta(self, eta: float) -> None:
        self.eta.eventson = False  # its callback is for the user's changes
        self.eta.set_val(eta)
        self.eta.eventson = True

    def start(self, _: Any = None) -> None:
        """Reset the neuron to the values of the sliders."""
        self._set_running(False)
        # A slider adds steps to its lower end, which is inexact in the last digits.
        weight, bias, self._eta = (round(s.val, 3) for s in (self.weight, self.bias, self.eta))
        self._neuron = Neuron(weight, bias, self._cost_name)
        self.outputs, self.costs = self._neuron.learn(self._eta, 0)
        for ax, quantity, values in self._drawn():
            ax.clear()
            plots.neuron({quantity: values}, quantity, ax=ax)
            ax.legend().remove()
            ax.get_lines()[0].set_marker("")
            ax.set_xlim(0, EPOCHS)
            ax.set_ylim(0, 1 if quantity == "output" else 1.05 * values[0])
        self._draw()

    def _run_or_stop(self, _: Any) -> None:
        if self.running:
            self._set_running(False)
        else:
            self.start()
            self._started = time.monotonic()
            self._set_running(True)

    def _set_running(self, running: bool) -> None:
        self.running = running
        self.run.label.set_text("Stop" if running else "Run")
        if running:
            self._timer.start()
        else:
            self._timer.stop()
        self._figure.canvas.draw_idle()

    def _tick(self) -> None:  # a callback that returns False would never be called again
        """Train the epochs that are due since the start."""
        due = int((time.monotonic() - self._started) * self.EPOCHS_A_SECOND)
        if due >= EPOCHS:
            self._set_running(False)
        self.advance(due + 1 - len(self.outputs))

    def advance(self, epochs: int) -> None:
        """Train for this many epochs, at most up to the last, and draw."""
        epochs = min(epochs, EPOCHS + 1 - len(self.outputs))
        outputs, costs = self._neuron.learn(self._eta, epochs)
        self.outputs += outputs[1:]
        self.costs += costs[1:]
        self._draw()

    def _drawn(self) -> tuple[tuple["Axes", str, list[float]], ...]:
        return (self.output, "output", self.outputs), (self.cost, "cost", self.costs)

    def _draw(self) -> None:
        for ax, quantity, values in self._drawn():
            ax.get_lines()[0].set_data(range(len(values)), values)
            ax.set_title(f"{quantity} {values[-1]:.3f}")
        n = self._neuron
        self._figure.suptitle(
            f"One neuron learns to turn 1 into 0\n{self._cost_name} cost, η = {self._eta:g}: "
            f"epoch {len(self.outputs) - 1}, w = {n.weight:.2f}, b = {n.bias:.2f}"
        )
        self._figure.canvas.draw_idle()
