"""Learning rates that change from epoch to epoch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastnet.core import checks
from fastnet.core.fields import Fields
from fastnet.training.early_stopping import Best, check_monitor


def _position(eta: Any, epoch: Any, epochs: Any) -> tuple[float, int, int]:
    """The arguments of ``rate``, checked."""
    return (
        checks.nonnegative("eta", eta),
        checks.integer("epoch", epoch, 1),
        checks.integer("epochs", epochs, 1),
    )


@dataclass(frozen=True)
class StepDecay:
    """Multiply the learning rate by ``factor`` after every ``every`` epochs.

    For ``schedule`` of ``Network.SGD``. Like all schedules it holds no state: one object
    can be used in any number of trainings.

    Parameters
    ----------
    factor : float
        Greater than 0, at most 1.
    every : int
        The number of epochs between two steps, 1 or more.

    Raises
    ------
    ValueError, TypeError
        The message names the parameter, the expected and the actual value.

    Examples
    --------
    >>> schedule = StepDecay(factor=0.5, every=2)
    >>> [schedule.rate(0.4, epoch, 5) for epoch in (1, 2, 3, 4, 5)]
    [0.4, 0.4, 0.2, 0.2, 0.1]
    """

    factor: float = 0.1
    every: int = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", checks.fraction("factor", self.factor))
        object.__setattr__(self, "every", checks.integer("every", self.every, 1))

    def rate(self, eta: float, epoch: int, epochs: int) -> float:
        """The learning rate of an epoch, eta factor^floor((epoch - 1) / every).

        Parameters
        ----------
        eta : float
            The learning rate passed to ``SGD``.
        epoch : int
            Counted from 1.
        epochs : int
            The number of epochs passed to ``SGD``; not used here.

        Returns
        -------
        float

        Examples
        --------
        >>> StepDecay().rate(3.0, 1, 30), StepDecay().rate(3.0, 10, 30)
        (3.0, 3.0)
        """
        eta, epoch, _ = _position(eta, epoch, epochs)
        return eta * self.factor ** ((epoch - 1) // self.every)


@dataclass(frozen=True)
class ExponentialDecay:
    """Multiply the learning rate by ``factor`` after every epoch.

    For ``schedule`` of ``Network.SGD``.

    Parameters
    ----------
    factor : float
        Greater than 0, at most 1.

    Raises
    ------
    ValueError, TypeError
        The message names the parameter, the expected and the actual value.

    Examples
    --------
    >>> [ExponentialDecay(0.5).rate(0.4, epoch, 3) for epoch in (1, 2, 3)]
    [0.4, 0.2, 0.1]
    """

    factor: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", checks.fraction("factor", self.factor))

    def rate(self, eta: float, epoch: int, epochs: int) -> float:
        """The learning rate of an epoch, eta factor^(epoch - 1).

        Parameters
        ----------
        eta : float
            The learning rate passed to ``SGD``.
        epoch : int
            Counted from 1.
        epochs : int
            The number of epochs passed to ``SGD``; not used here.

        Returns
        -------
        float

        Examples
        --------
        >>> ExponentialDecay().rate(2.0, 2, 30)
        1.9
        """
        eta, epoch, _ = _position(eta, epoch, epochs)
        return eta * self.factor ** (epoch - 1)


@dataclass(frozen=True)
class CosineDecay:
    """Decrease the learning rate from eta to ``floor`` along half a cosine.

    For ``schedule`` of ``Network.SGD``: the annealing of I. Loshchilov and F. Hutter,
    "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5, without
    restarts. The rate changes once per epoch: the first epoch has eta, and
    all epochs after the first ``epochs`` have ``floor``.

    Parameters
    ----------
    epochs : int or None
        T, the length of the decrease in epochs, 1 or more; None: the ``epochs`` of ``SGD``.
    floor : float
        The final rate, from 0 to eta.

    Raises
    ------
    ValueError, TypeError
        The message names the parameter, the expected and the actual value.

    Examples
    --------
    >>> [round(CosineDecay().rate(0.4, epoch, 4), 3) for epoch in (1, 2, 3, 4)]
    [0.4, 0.341, 0.2, 0.059]
    """

    epochs: int | None = None
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.epochs is not None:
            object.__setattr__(self, "epochs", checks.integer("epochs", self.epochs, 1))
        object.__setattr__(self, "floor", checks.nonnegative("floor", self.floor))

    def rate(self, eta: float, epoch: int, epochs: int) -> float:
        """The learning rate of an epoch, floor + (eta - floor) (1 + cos(pi (epoch - 1) / T)) / 2.

        Parameters
        ----------
        eta : float
            The learning rate passed to ``SGD``.
        epoch : int
            Counted from 1.
        epochs : int
            The number of epochs passed to ``SGD``, which is T if the schedule's ``epochs`` is None.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If eta is less than the floor.

        Examples
        --------
        >>> CosineDecay(epochs=10, floor=0.1).rate(0.5, 11, 30)
        0.1
        """
        eta, epoch, epochs = _position(eta, epoch, epochs)
        if self.floor > eta:
            raise ValueError(
                f"schedule: expected a floor of at most eta, {eta!r}, "
                f"got {checks.short_repr(self.floor)}"
            )
        share = (1 + math.cos(math.pi * min(1.0, (epoch - 1) / (self.epochs or epochs)))) / 2
        return eta * share + self.floor * (1 - share)  # exact for the first and the last rate


@dataclass(frozen=True)
class HalveOnPlateau:
    """Halve the learning rate when a monitored figure stops improving, and finally stop.

    For ``schedule`` of ``Network.SGD``: an exercise of M. Nielsen, Neural Networks and
    Deep Learning, chapter 3. When the figure has not improved for ``patience``
    epochs, counted from its best epoch or the last halving, the rate is halved; if it
    would fall below ``eta * stop_at``, training stops instead.

    Parameters
    ----------
    patience : int
        1 or more.
    stop_at : float
        The smallest rate as a fraction of eta, from 0 to 1; with 0 training never stops early.
    monitor : str or None
        The monitored figure, as for ``EarlyStopping``.

    Raises
    ------
    ValueError, TypeError
        The message names the parameter, the expected and the actual value.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], seed=0)
    >>> history = net.SGD(([[1.0], [1.0]], [0, 1]), 10, 1, 0.25,
    ...                   schedule=HalveOnPlateau(2, 1 / 2, "training_accuracy"))
    Epoch  1 / 10  eta 0.25  Accuracy on training data: 1 / 2
    Epoch  2 / 10  eta 0.25  Accuracy on training data: 1 / 2
    Epoch  3 / 10  eta 0.25  Accuracy on training data: 1 / 2
    Epoch  4 / 10  eta 0.125  Accuracy on training data: 1 / 2
    Epoch  5 / 10  eta 0.125  Accuracy on training data: 1 / 2
    Stopped after epoch 5: eta would fall below 0.125, its lower bound
    """

    patience: int = 10
    stop_at: float = 1 / 128
    monitor: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "patience", checks.integer("patience", self.patience, 1))
        stop_at = checks.nonnegative("stop_at", self.stop_at)
        if stop_at > 1:
            raise ValueError(
                f"stop_at: expected a number from 0 to 1, got {checks.short_repr(self.stop_at)}"
            )
        object.__setattr__(self, "stop_at", stop_at)
        check_monitor(self.monitor)


# Schedules whose rates do not depend on the results of the training; all that SGD accepts.
Plain: TypeAlias = StepDecay | ExponentialDecay | CosineDecay | Callable[[int], float]
Schedule: TypeAlias = Plain | HalveOnPlateau


class Halving:
    """The state of ``HalveOnPlateau`` in one training; ``rate`` is the rate of the next epoch."""

    def __init__(self, schedule: HalveOnPlateau, eta: float, monitor: str):
        self.rate = eta
        self.lowest = eta * schedule.stop_at
        self.monitor = monitor
        self._patience = schedule.patience
        self._best = Best(monitor)
        self._halved = 0  # the epoch after which the rate was last halved

    def update(self, epoch: int, figure: float) -> bool:
        """Record the figure of an epoch and halve the rate if due; return False to stop."""
        self._best.update(epoch, figure)
        if epoch - max(self._best.epoch, self._halved) >= self._patience:
            if self.rate / 2 < self.lowest:
                return False
            self.rate, self._halved = self.rate / 2, epoch
        return True

    def saved(self) -> dict[str, Any]:
        """The state for a checkpoint."""
        return {"rate": self.rate, "halved": self._halved, "best": self._best.saved()}

    def restore(self, saved: Fields) -> None:
        """Continue with what ``saved`` returned."""
        rate, halved = saved.nonnegative("rate"), saved.integer("halved")
        if rate > self.rate:
            saved.refuse("rate", f"at most eta, {self.rate:g}")
        self.rate, self._halved = rate, halved
        self._best.restore(saved.fields("best"))


def rate_of(schedule: Any, eta: float, epochs: int) -> Callable[[int], float]:
    """The function epoch -> rate of one training, for schedules other than ``HalveOnPlateau``.

    A user's function is called once at the beginning of each epoch.
    """
    if schedule is None:
        return lambda epoch: eta
    if isinstance(schedule, (StepDecay, ExponentialDecay, CosineDecay)):
        schedule.rate(eta, 1, max(1, epochs))  # if one rate is valid, all are
        return lambda epoch: schedule.rate(eta, epoch, epochs)
    if isinstance(schedule, type) or not callable(schedule):
        raise TypeError(
            f"schedule: expected a StepDecay, ExponentialDecay, CosineDecay, HalveOnPlateau, "
            f"a function of the epoch or None; got {checks.short_repr(schedule)}"
        )
    return lambda epoch: checks.nonnegative(f"schedule({epoch})", schedule(epoch))
