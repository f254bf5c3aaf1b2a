"""The arguments of ``Network.SGD`` other than the data, checked and passed on as one object."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnet.core import _kernels, checks, reporting
from fastnet.core.steps import PLAIN, StepOptions
from fastnet.io.checkpoint_files import Checkpoint
from fastnet.model import Model
from fastnet.nn import optimizers
from fastnet.nn.optimizers import Optimizer
from fastnet.training.early_stopping import MONITORS, EarlyStopping
from fastnet.training.schedules import Schedule


class SGDOptions(NamedTuple):
    """The arguments of ``Network.SGD`` other than the data, under the same names."""

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
    dropout: float | Iterable[float] = 0.0  # after the check: one for each hidden layer
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    early_stopping: EarlyStopping | None = None
    callbacks: Sequence[Callable[..., Any]] | None = None
    shift: int = 0
    sample_weight: ArrayLike | None = None
    class_weight: Mapping[Any, float] | str | None = None
    checkpoint: Any = None  # after the check: a Checkpoint or None
    checkpoint_every: int = 1
    resume: bool = False
    verbose: int = True  # after the check: 0, 1 or 2

    def checked(self, model: Model) -> SGDOptions:
        """These options, checked as far as possible without the data; numbers become int or float.

        Raises
        ------
        TypeError, ValueError
            For an argument that is invalid or does not fit the network's shape and type; the
            message names the argument, the expected and the actual value.
        """
        return SGDOptions(
            _checked_epochs(self.epochs),
            checks.integer("mini_batch_size", self.mini_batch_size, 1),
            checks.nonnegative("eta", self.eta),
            checks.nonnegative("lmbda", self.lmbda),
            checks.truth("monitor_evaluation_cost", self.monitor_evaluation_cost),
            checks.truth("monitor_evaluation_accuracy", self.monitor_evaluation_accuracy),
            checks.truth("monitor_training_cost", self.monitor_training_cost),
            checks.truth("monitor_training_accuracy", self.monitor_training_accuracy),
            0,
            checks.nonnegative("l1", self.l1),
            _checked_dropout(self.dropout, len(model.hidden)),
            _checked_optimizer(self.optimizer, model),
            self.schedule,
            _checked_early_stopping(self.early_stopping, self.early_stopping_n),
            checks.callables("callbacks", self.callbacks),
            _checked_shift(self.shift, model),
            self.sample_weight,
            self.class_weight,
            Checkpoint.checked(self.checkpoint, self.checkpoint_every, self.resume),
            1,
            False,
            reporting.checked_level(self.verbose),
        )

    @property
    def monitored(self) -> list[str]:
        """The fields of ``History`` whose flags are set."""
        flags = (
            self.monitor_evaluation_cost,
            self.monitor_evaluation_accuracy,
            self.monitor_training_cost,
            self.monitor_training_accuracy,
        )
        return [field for field, flag in zip(MONITORS, flags, strict=True) if flag]

    @property
    def techniques(self) -> dict[str, bool]:
        """{argument: whether it is used} for the techniques that change a mini-batch's step."""
        return {
            "l1": self.l1 > 0,
            "optimizer": self.optimizer is not None,
            "dropout": self._drops_out,
            "shift": self.shift > 0,
        }

    @property
    def _drops_out(self) -> bool:
        return self.dropout != 0.0 and any(self.dropout)  # type: ignore[arg-type]  # checked

    def step_options(self, model: Model, n: float, weights: NDArray | None = None) -> StepOptions:
        """The kernel's options for epochs over n examples, or over examples whose weights sum to n;
        with new moments, which are zero."""
        kernel, moments, dropout = PLAIN, None, None
        if self.optimizer:
            kernel = self.optimizer.kernel
            n_moments = self.optimizer.n_moments * model.n_parameters
            moments = _kernels.aligned(n_moments, model.dtype)
        if self._drops_out:
            dropout = np.array(self.dropout, np.float64)
        return StepOptions(
            self.mini_batch_size, self.lmbda / n, self.l1 / n, kernel, moments, dropout,
            self.shift, weights,
        )  # fmt: skip


def _checked_epochs(epochs: Any) -> int:
    if hasattr(epochs, "__len__") and not isinstance(epochs, str):  # from a call SGD(X, y, ...)
        raise TypeError(
            f"epochs: expected an integer, got {checks.short_repr(epochs)}; the training data are "
            f"one argument, SGD((X, y), epochs, ...)"
        )
    return checks.integer("epochs", epochs, 0)


def _checked_dropout(dropout: Any, layers: int) -> tuple[float, ...]:
    """One probability for each hidden layer."""
    if not isinstance(dropout, (float, str, bytes)) and isinstance(dropout, Iterable):
        given = tuple(dropout)
        if len(given) != layers:
            raise ValueError(
                f"dropout: expected one number, or one for each of {layers} hidden layers, "
                f"got {len(given)}"
            )
        return tuple(checks.share(f"dropout[{l}]", share) for l, share in enumerate(given))
    share = checks.share("dropout", dropout)
    if share and layers == 0:
        raise ValueError(f"dropout: expected 0 for a network without hidden layers, got {share:g}")
    return (share,) * layers


def _checked_optimizer(optimizer: Any, model: Model) -> Optimizer | None:
    checked = optimizers.checked(optimizer)
    if checked is not None:
        checked.check_dtype("optimizer: expected an {} of", model.dtype)
    return checked


def _checked_shift(shift: Any, model: Model) -> int:
    checked, n_in = checks.integer("shift", shift, 0), model.sizes[0]
    if checked and model.schema.standardize is not None:
        raise ValueError(
            f"shift: expected 0 for a network that standardizes each input by itself, got {checked}"
        )
    if checked:
        side = math.isqrt(n_in)
        if side**2 != n_in or checked >= side:
            raise ValueError(
                f"shift: expected 0, or less than the side of square images; got {checked} for "
                f"{n_in} inputs"
            )
    return checked


def _checked_early_stopping(early_stopping: Any, n: Any) -> EarlyStopping | None:
    """``early_stopping``, or the one that ``early_stopping_n`` stands for."""
    n = checks.integer("early_stopping_n", n, 0)
    if n and early_stopping is not None:
        raise TypeError(
            f"early_stopping_n: expected 0 with early_stopping, which sets the patience, got {n}"
        )
    if n:
        return EarlyStopping(patience=n, restore_best=False)
    if early_stopping is not None and not isinstance(early_stopping, EarlyStopping):
        raise TypeError(
            f"early_stopping: expected an EarlyStopping or None, "
            f"got {checks.short_repr(early_stopping)}"
        )
    return early_stopping
