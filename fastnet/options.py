"""The arguments of ``Network.SGD`` other than data: checked, and passed on as one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastnet import _kernels, checks, optimizers, reporting
from fastnet.early_stopping import MONITORS, EarlyStopping
from fastnet.model import Model
from fastnet.optimizers import Adam, Optimizer
from fastnet.schedules import Schedule
from fastnet.steps import StepOptions

# The flags of ``SGD`` and the field of ``History`` that each stands for.
_FLAGS = {f"monitor_{field}": field for field in MONITORS}


@dataclass(frozen=True)
class SGDOptions:
    """The arguments of ``Network.SGD`` other than the data, under the same names; each is checked
    as far as it can be without a network and data, see ``check_fits``.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.
    """

    epochs: int = 0
    mini_batch_size: int = 1
    eta: float = 0.0
    lmbda: float = 0.0
    monitor_evaluation_cost: bool = False
    monitor_evaluation_accuracy: bool = False
    monitor_training_cost: bool = False
    monitor_training_accuracy: bool = False
    early_stopping_n: int = 0
    l1: float = 0.0
    dropout: float | Iterable[float] = 0.0  # a tuple once it is checked
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    early_stopping: EarlyStopping | None = None
    callbacks: Sequence[Callable[..., Any]] | None = None
    shift: int = 0
    sample_weight: ArrayLike | None = None
    class_weight: Mapping[int, float] | str | None = None
    verbose: int = True  # 0, 1 or 2 once it is checked

    def __post_init__(self) -> None:
        vars(self).update(
            epochs=_checked_epochs(self.epochs),
            mini_batch_size=checks.integer("mini_batch_size", self.mini_batch_size, 1),
            eta=checks.nonnegative("eta", self.eta),
            lmbda=checks.nonnegative("lmbda", self.lmbda),
            early_stopping=_checked_early_stopping(self.early_stopping, self.early_stopping_n),
            l1=checks.nonnegative("l1", self.l1),
            optimizer=optimizers.checked(self.optimizer),
            dropout=_checked_dropout(self.dropout),
            shift=checks.integer("shift", self.shift, 0),
            **{
                flag: checks.truth(flag, getattr(self, flag))
                for flag in _FLAGS
                if getattr(self, flag) is not False
            },
            callbacks=checks.callables("callbacks", self.callbacks),
            verbose=reporting.checked_level(self.verbose),
        )

    @property
    def monitored(self) -> list[str]:
        """The fields of ``History`` whose flags are set."""
        return [field for flag, field in _FLAGS.items() if getattr(self, flag)]

    def check_fits(self, model: Model) -> None:
        """Raise a ValueError for a technique that a network of this shape and type cannot have."""
        check_epsilon("optimizer: expected an epsilon of", model, self.optimizer)
        layers = len(model.hidden)
        if isinstance(self.dropout, tuple):
            if len(self.dropout) != layers:
                raise ValueError(
                    f"dropout: expected one number, or one for each of {layers} hidden layers, "
                    f"got {len(self.dropout)}"
                )
        elif self.dropout and layers == 0:
            raise ValueError(
                f"dropout: expected 0 for a network without hidden layers, got {self.dropout:g}"
            )
        if self.shift:
            side = math.isqrt(model.sizes[0])
            if side**2 != model.sizes[0] or self.shift >= side:
                raise ValueError(
                    f"shift: expected 0, or less than the side of square images; got {self.shift} "
                    f"for {model.sizes[0]} inputs"
                )

    @property
    def drops(self) -> bool:
        """Whether neurons are dropped out."""
        return any(self.dropout) if isinstance(self.dropout, tuple) else self.dropout != 0

    @property
    def techniques(self) -> dict[str, bool]:
        """Which of the techniques that change a mini-batch's step are used, by argument."""
        return {
            "l1": self.l1 > 0,
            "optimizer": self.optimizer is not None,
            "dropout": self.drops,
            "shift": self.shift > 0,
        }

    def step_options(self, model: Model, n: float, weights: Any = None) -> StepOptions:
        """What the kernel is given in every epoch over n examples, or examples whose weights have
        the sum n. The moments are zero."""
        moments = dropout = None
        if self.optimizer:
            moments = _kernels.aligned(self.optimizer.n_moments * model.n_parameters, model.dtype)
        if self.drops:
            dropout = np.full(len(model.hidden), self.dropout, np.float64)
        return StepOptions(
            self.mini_batch_size,
            self.lmbda / n,
            self.l1 / n,
            self.optimizer.kernel if self.optimizer else ("plain",),
            moments,
            dropout,
            self.shift,
            weights,
        )


def _checked_epochs(epochs: Any) -> int:
    if hasattr(epochs, "__len__") and not isinstance(epochs, str):  # SGD(X, y, ...)
        raise TypeError(
            f"epochs: expected an integer, got {checks.briefly(epochs)}; the training data are "
            f"one argument, SGD((X, y), epochs, ...)"
        )
    return checks.integer("epochs", epochs, 0)


def _checked_dropout(dropout: Any) -> float | tuple[float, ...]:
    """One probability for all hidden layers, or one for each."""
    if not isinstance(dropout, (float, str, bytes)) and isinstance(dropout, Iterable):
        return tuple(checks.share(f"dropout[{l}]", share) for l, share in enumerate(dropout))
    return checks.share("dropout", dropout)


def _checked_early_stopping(early_stopping: Any, n: Any) -> EarlyStopping | None:
    """``early_stopping``, or the one that ``early_stopping_n`` stands for."""
    n = checks.integer("early_stopping_n", n, 0)
    if n and early_stopping is not None:
        raise TypeError(
            f"early_stopping_n: expected 0 beside early_stopping, which sets the patience, got {n}"
        )
    if n:
        return EarlyStopping(patience=n, restore_best=False)
    if early_stopping is not None and not isinstance(early_stopping, EarlyStopping):
        raise TypeError(
            f"early_stopping: expected an EarlyStopping or None, "
            f"got {checks.briefly(early_stopping)}"
        )
    return early_stopping


def check_epsilon(words: str, model: Model, optimizer: Optimizer | None) -> None:
    """Refuse an epsilon that is 0 for the kernels; ``words`` begin the error."""
    if isinstance(optimizer, Adam):
        tiny = float(np.finfo(model.dtype).tiny)
        if optimizer.epsilon < tiny:
            raise ValueError(
                f"{words} at least {tiny:.3g} in {model.dtype}, got {optimizer.epsilon:g}"
            )
