"""The monitored figures of a training, by epoch."""

from __future__ import annotations

from typing import NamedTuple


class _Monitored(NamedTuple):
    evaluation_cost: list[float]
    evaluation_accuracy: list[int]
    training_cost: list[float]
    training_accuracy: list[int]


class History(_Monitored):
    """The monitored figures, one entry per epoch; lists of other figures are empty.

    A named tuple of four lists, which ``fastnet.plots.training`` plots. ``print`` and notebooks
    show a short summary of the best and the final figures; ``repr`` shows the tuple.

    Attributes
    ----------
    evaluation_cost, training_cost : lists of float
        Means per example, the L1 and L2 terms included.
    evaluation_accuracy, training_accuracy : lists of int
        Counts of correct examples.
    n_evaluation, n_training : int or None
        The numbers of examples of the two data sets, the denominators of accuracies; None if
        unknown. They are not fields of the tuple, so ``_replace`` does not copy them.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], seed=0)
    >>> history = net.SGD([([1.0], 0)], 2, 1, 0.5, monitor_training_accuracy=True, verbose=False)
    >>> history.evaluation_accuracy, len(history.training_accuracy)
    ([], 2)
    >>> print(history)
    History of 2 epochs
    Training accuracy: best 100.00% (epoch 1), final 100.00%
    """

    n_evaluation: int | None = None
    n_training: int | None = None

    def __str__(self) -> str:
        """A short summary: the number of epochs, the best and the final figures."""
        head, *lines = self._summary()
        return "\n".join([head[0], *(f"{name}: {', '.join(cells)}" for name, *cells in lines)])

    def _repr_html_(self) -> str:
        """The summary as an HTML table for notebooks."""
        from html import escape  # imported here: it takes a millisecond

        head, *lines = self._summary()
        rows = [
            f"<tr><th>{escape(name)}</th><td>{'</td><td>'.join(map(escape, cells))}</td></tr>"
            for name, *cells in lines
        ]
        return f"<table><caption>{escape(head[0])}</caption>{''.join(rows)}</table>"

    def _summary(self) -> list[list[str]]:
        """[[title], [name, best, final], ...], a line for each list that is not empty."""
        monitored = {
            name.replace("_", " ").capitalize(): values
            for name, values in self._asdict().items()
            if values
        }
        epochs = max(map(len, monitored.values()), default=0)
        if not monitored:
            return [["History: nothing was monitored"]]
        lines = [[f"History of {epochs} epoch{'s' * (epochs != 1)}"]]
        for name, values in monitored.items():
            data, _, kind = name.partition(" ")
            is_cost = kind == "cost"
            known = [value for value in values if value == value] or values
            best = min(known) if is_cost else max(known)
            n = None if is_cost else getattr(self, f"n_{data.lower()}")
            shown = [self._shown(value, is_cost, n) for value in (best, values[-1])]
            lines.append(
                [name, f"best {shown[0]} (epoch {values.index(best) + 1})", f"final {shown[1]}"]
            )
        return lines

    @staticmethod
    def _shown(value: float, is_cost: bool, n: int | None) -> str:
        """A cost, or a count of correct examples, as a percentage if n is known."""
        if is_cost:
            return f"{value:.6g}"
        return f"{value / n:.2%}" if n else f"{value} correct"
