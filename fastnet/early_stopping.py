"""Early stopping: the figure that is followed, its best value, and when to stop."""

import math
from dataclasses import dataclass
from typing import Any

from fastnet import checks

# The fields of ``History``, any of which can be followed.
MONITORS = ("evaluation_cost", "evaluation_accuracy", "training_cost", "training_accuracy")


def checked_monitor(value: Any) -> str:
    """``value`` as one of the names in ``MONITORS``."""
    if not isinstance(value, str) or value not in MONITORS:
        raise ValueError(
            f"monitor: expected one of {', '.join(MONITORS)}; got {checks.briefly(value)}"
        )
    return value


@dataclass(frozen=True)
class EarlyStopping:
    """Stop training when a figure has not improved in so many epochs.

    The rule "no improvement in n" of M. Nielsen, Neural Networks and Deep Learning,
    chapter 3, for ``early_stopping`` of ``Network.SGD``. It holds no state: one object
    serves any number of trainings.

    Parameters
    ----------
    monitor : str
        "evaluation_accuracy", "evaluation_cost", "training_accuracy" or "training_cost":
        what is followed, and so measured after each epoch and kept in that list of the
        ``History``, whatever the flags of ``SGD`` say. Accuracies improve upwards,
        costs downwards.
    patience : int
        How many epochs in a row may pass without an improvement, 1 or more; with the
        last of them the training stops.
    restore_best : bool
        At the end, stopped early or not, give the network back the weights and biases of
        its best epoch, of equal ones the first. The random numbers are not set back: a
        further call trains in an order of its own. False keeps those of the last epoch.
        Where the training ends with an error or an interrupt, nothing is taken back.
    min_delta : float
        A figure counts as an improvement for ``patience`` if it is better by more than
        this than the last one that counted; in examples for accuracies, 0 or more. Which
        epoch is the best does not depend on it.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter, what was expected and what came.

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

    monitor: str = "evaluation_accuracy"
    patience: int = 10
    restore_best: bool = True
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        checked_monitor(self.monitor)
        restores = checks.boolean("restore_best", self.restore_best)
        object.__setattr__(self, "restore_best", restores)
        object.__setattr__(self, "patience", checks.integer("patience", self.patience, 1))
        object.__setattr__(self, "min_delta", checks.nonnegative("min_delta", self.min_delta))


class Best:
    """The best value of a figure so far, and the epoch that had it; epoch 0 before the first.

    Parameters
    ----------
    monitor : one of ``MONITORS``
    min_delta : float
        Only what is better by more than this counts.
    """

    def __init__(self, monitor: str, min_delta: float = 0.0):
        self.epoch = 0
        self._sign = -1 if monitor.endswith("cost") else 1
        self._min_delta = min_delta
        self._value = -math.inf

    def improves(self, epoch: int, figure: float) -> bool:
        """Take in the figure of an epoch; whether it is the best. NaN never is."""
        value = self._sign * figure
        if not value - self._value > self._min_delta:
            return False
        self.epoch, self._value = epoch, value
        return True
