"""Early stopping: its options, and the best value of a monitored figure."""

import math
from dataclasses import dataclass
from typing import Any

from fastnet.core import checks, fields
from fastnet.core.fields import Fields

# The fields of ``History``, any of which can be monitored.
MONITORS = ("evaluation_cost", "evaluation_accuracy", "training_cost", "training_accuracy")


def check_monitor(value: Any) -> None:
    """Refuse values other than None and the names in ``MONITORS``."""
    if value is not None and (not isinstance(value, str) or value not in MONITORS):
        raise ValueError(
            f"monitor: expected one of {', '.join(MONITORS)}, or None; "
            f"got {checks.short_repr(value)}"
        )


@dataclass(frozen=True)
class EarlyStopping:
    """Stop training when a figure has not improved for a number of epochs.

    The rule "no improvement in n" of M. Nielsen, Neural Networks and Deep Learning,
    chapter 3, for ``early_stopping`` of ``Network.SGD``. It holds no state: one object
    can be used in any number of trainings.

    Parameters
    ----------
    monitor : str or None
        "evaluation_accuracy", "evaluation_cost", "training_accuracy" or "training_cost":
        the monitored figure. It is measured after each epoch and recorded in that list
        of the ``History``, whatever the flags of ``SGD``. Higher accuracy,
        lower cost is better. None selects the accuracy on the evaluation data if the targets are
        classes (labels or one-hot rows), otherwise the cost.
    patience : int
        The number of consecutive epochs without an improvement after which the training stops, 1
        or more.
    restore_best : bool
        At the end, stopped early or not, restore the weights and biases of the best epoch, the
        first of equal ones. The random number generator is not restored: a further call visits
        the examples in another order. False keeps the parameters of the last epoch. If the
        training ends with an error or an interrupt, nothing is restored.
    min_delta : float
        For ``patience``, a figure counts as an improvement if it is better than the last figure
        that counted by more than ``min_delta``, 0 or more; for accuracies, a number of examples.
        It does not affect which epoch is the best.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter, the expected and the actual value.

    Examples
    --------
    >>> import fastnet
    >>> training, validation, test = fastnet.load_mnist()
    >>> net = fastnet.Network([784, 10], seed=1)
    >>> history = net.SGD(training[:1000], 50, 10, 0.5, evaluation_data=validation,
    ...                   early_stopping=EarlyStopping(patience=3), verbose=False)
    >>> len(history.evaluation_accuracy) < 50
    True
    >>> net.accuracy(validation) == max(history.evaluation_accuracy)
    True
    """

    monitor: str | None = None
    patience: int = 10
    restore_best: bool = True
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        check_monitor(self.monitor)
        restores = checks.boolean("restore_best", self.restore_best)
        object.__setattr__(self, "restore_best", restores)
        object.__setattr__(self, "patience", checks.integer("patience", self.patience, 1))
        object.__setattr__(self, "min_delta", checks.nonnegative("min_delta", self.min_delta))


class Best:
    """The best value of a figure so far, and its epoch; 0 before the first.

    Parameters
    ----------
    monitor : one of ``MONITORS``
    min_delta : float
        A figure counts as better only by more than this.
    """

    def __init__(self, monitor: str, min_delta: float = 0.0):
        self.epoch = 0
        self._sign = -1 if monitor.endswith("cost") else 1
        self._min_delta = min_delta
        self._value = -math.inf

    def update(self, epoch: int, figure: float) -> bool:
        """Record the figure of an epoch; returns whether it is the best so far. NaN never is."""
        value = self._sign * figure
        if not value - self._value > self._min_delta:
            return False
        self.epoch, self._value = epoch, value
        return True

    def saved(self) -> dict[str, Any]:
        """The value and its epoch for a checkpoint."""
        return {"epoch": self.epoch, "value": fields.number(self._value)}

    def restore(self, saved: Fields) -> None:
        """Continue with what ``saved`` returned."""
        self.epoch, self._value = saved.integer("epoch"), saved.number("value")
