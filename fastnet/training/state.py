"""The state of a training between its epochs: the learning rate, the best figures, and whether to
stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from fastnet.core.fields import Fields
from fastnet.model import Model
from fastnet.training import schedules
from fastnet.training.early_stopping import Best, EarlyStopping
from fastnet.training.history import History
from fastnet.training.options import SGDOptions
from fastnet.training.schedules import HalveOnPlateau, Halving


class TrainingState:
    """The learning rate, the best figures and the reason to stop of one training.

    Parameters
    ----------
    options : SGDOptions
        Used are eta, epochs, schedule and early_stopping.
    history : History
        The figures of the epochs.
    default : str
        The field of ``history`` that schedule and early stopping monitor if their ``monitor`` is
        None.
    run_callbacks : callable or None
        Called after each epoch with its number; returns whether to stop.

    Raises
    ------
    ValueError, TypeError
        For an invalid schedule.
    """

    def __init__(
        self,
        options: SGDOptions,
        history: History,
        default: str,
        run_callbacks: Callable[[int], bool] | None = None,
    ):
        schedule = options.schedule
        self.epochs = options.epochs
        self.epoch = 0  # the number of complete epochs
        self.is_scheduled = schedule is not None
        self.run_callbacks = run_callbacks
        self._halving: Halving | None = None
        if isinstance(schedule, HalveOnPlateau):
            self._halving = Halving(schedule, options.eta, schedule.monitor or default)
        else:
            self._rate = schedules.rate_of(schedule, options.eta, options.epochs)
        self._last_rate = 0, 0.0  # the epoch whose rate was computed last, and the rate
        self._early: EarlyStopping | None = options.early_stopping
        self.history = history
        self._reason = ""  # why the training stopped
        if self._early is not None:
            self._monitor = self._early.monitor or default
            self._best = Best(self._monitor)
            self._last_improvement = Best(self._monitor, self._early.min_delta)  # for patience
            self._best_values: NDArray | None = None

    def rate(self, epoch: int) -> float:
        """The learning rate of the epoch that is about to begin; a user's function is called once
        per epoch."""
        if self._halving is not None:
            return self._halving.rate
        if self._last_rate[0] != epoch:
            self._last_rate = epoch, self._rate(epoch)
        return self._last_rate[1]

    @property
    def epochs_until_decision(self) -> int:
        """The number of epochs that can be trained before their figures may change the rate or stop
        the training."""
        left = self.epochs - self.epoch
        if self.is_scheduled:
            return min(left, 1)
        if self._early is None:
            return left
        return min(left, self._last_improvement.epoch + self._early.patience - self.epoch)

    def record(self, epoch: int, networks: NDArray) -> None:
        """Record that the epochs up to ``epoch`` are complete. ``networks``, (k, parameters), are
        the parameters after the last k of them, whose figures are in the history."""
        self.epoch = epoch
        if self._halving is not None or self._early is not None:
            for one, values in enumerate(networks, epoch - len(networks) + 1):
                self._update(one, values)

    def _update(self, epoch: int, values: NDArray) -> None:
        if self._halving is not None:
            figure = getattr(self.history, self._halving.monitor)[epoch - 1]
            if not self._halving.update(epoch, figure):
                self._reason = f"eta would fall below {self._halving.lowest:g}, its lower bound"
        if self._early is not None:
            monitor, patience = self._monitor, self._early.patience
            figure = getattr(self.history, monitor)[epoch - 1]
            if self._best.update(epoch, figure) and self._early.restore_best:
                self._best_values = values.copy()
            self._last_improvement.update(epoch, figure)
            if epoch - self._last_improvement.epoch >= patience:
                self._reason = f"no improvement of {monitor} in {patience} epochs"

    def stop(self, reason: str) -> None:
        """Stop the training after this epoch, unless it stops anyway."""
        self._reason = self._reason or reason

    @property
    def best_values(self) -> NDArray | None:
        """The parameters of the best epoch, if they are to be restored at the end."""
        return None if self._early is None else self._best_values

    def saved(self) -> dict[str, Any]:
        """The state for a checkpoint, without ``history`` and ``best_values``."""
        early = None
        if self._early is not None:
            early = {"best": self._best.saved(), "last": self._last_improvement.saved()}
        halving = None if self._halving is None else self._halving.saved()
        return {"stopped": self._reason, "halving": halving, "early_stopping": early}

    def restore(self, saved: Fields, epoch: int, best_values: NDArray | None) -> None:
        """Continue after ``epoch`` with what ``saved`` returned."""
        self.epoch, self._reason = epoch, saved.text("stopped")
        if self._halving is not None:
            self._halving.restore(saved.fields("halving"))
        if self._early is not None:
            early = saved.fields("early_stopping")
            self._best.restore(early.fields("best"))
            self._last_improvement.restore(early.fields("last"))
            self._best_values = best_values

    @property
    def is_over(self) -> bool:
        """Whether all epochs are complete or the training is to stop."""
        return self.epoch >= self.epochs or self._reason != ""

    def close(self, model: Model) -> str:
        """Restore the best parameters if early stopping requires it. Returns a sentence about this
        and about an early stop, or ""."""
        words = []
        if self._reason:
            words.append(f"stopped after epoch {self.epoch}: {self._reason}")
        if self._early is not None and 0 < self._best.epoch < self.epoch:
            words.append(f"epoch {self._best.epoch} was best")
            if self._best_values is not None:
                model.parameters.restore(self._best_values)
                words[-1] += ", its weights and biases are restored"
        sentence = "; ".join(words)
        return sentence[:1].upper() + sentence[1:]
