"""The epochs or iterations of an estimator's training, and the attributes that record them."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastnet.core import reporting
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.network import Network, model_of
from fastnet.sklearn import lbfgs, losses
from fastnet.sklearn.checkpoints import FitCheckpoints, Position
from fastnet.sklearn.fit_tasks import Unwatched
from fastnet.sklearn.parameters import Settings
from fastnet.sklearn.solver import Examples, Solver
from fastnet.sklearn.validation import Validation
from fastnet.training import loop

_EPOCHS_ENDED = (
    "Stochastic Optimizer: Maximum iterations ({}) reached and the optimization hasn't converged "
    "yet."
)

# What trainings record, beside ``history_``.
_FIGURES = ("loss_curve_", "_no_improvement_count", "best_loss_", "validation_scores_",
            "best_validation_score_")  # fmt: skip

# What a checkpoint has beside the network, the generator and the solver.
_KEPT = ("n_iter_", "t_", "loss_", "history_", *_FIGURES)


class Iterations:
    """The part of an estimator that trains its ``network_``."""

    network_: Network
    n_iter_: int
    t_: int
    loss_: float
    loss_curve_: list[float]
    _no_improvement_count: int
    _optimizer: Solver
    _random_state: np.random.RandomState
    # None if they do not apply, as in scikit-learn
    best_loss_: Any
    validation_scores_: Any
    best_validation_score_: Any

    def _train(
        self, settings: Settings, data: Dataset, weights: NDArray | None,
        held_out: Validation | None, checkpoints: FitCheckpoints | None,
        reporter: reporting.Reporter, incremental: bool, tasks: Unwatched,
    ) -> None:  # fmt: skip
        """Train by the solver; after Ctrl-C, what is trained so far is kept."""
        model, n = model_of(self.network_), len(data)
        steps = 1 if incremental else settings.max_iter
        self._begin_scores(settings, model, held_out)
        reporter.unit = "Iteration"
        not_converged = ""
        try:
            with reporter.begin(model.sizes, n, steps):
                if settings.is_lbfgs:
                    not_converged = self._run_lbfgs(
                        settings, data, weights, held_out, reporter, tasks
                    )
                else:
                    examples = Examples(data, weights, self._mini_batch_size(settings, n))
                    start = self._resumed(checkpoints, examples, held_out, reporter)
                    words = self._run_epochs(
                        settings, examples, held_out, reporter, steps, tasks, checkpoints, start
                    )
                    if not words and not incremental:
                        not_converged = _EPOCHS_ENDED.format(steps)
                    reporter.close(words)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        if not_converged:
            warnings.warn(not_converged, ConvergenceWarning, stacklevel=4)
        if held_out is not None:
            held_out.restore(model)
        tasks.end()

    def _begin_scores(self, settings: Settings, model: Model, held_out: Validation | None) -> None:
        """The attributes of the best figures, before the first epoch or iteration. L-BFGS has only
        those of held-out examples, as in scikit-learn."""
        if not settings.is_lbfgs and not hasattr(self, "loss_curve_"):
            self.loss_curve_ = [] if self._n_recorded else self.history_["training_loss"]
            self._no_improvement_count = 0
            self.best_loss_ = math.inf
            self.validation_scores_ = getattr(self, "validation_scores_", None)
            self.best_validation_score_ = getattr(self, "best_validation_score_", None)
        if held_out is not None:
            if getattr(self, "validation_scores_", None) is None:
                self.validation_scores_, self.best_validation_score_ = [], -math.inf
            held_out.begin(model, self.best_validation_score_)
        if settings.early_stopping:
            self.best_loss_ = None
        elif not settings.is_lbfgs and self.best_loss_ is None:
            self.best_loss_ = math.inf

    def _resumed(
        self, checkpoints: FitCheckpoints | None, examples: Examples, held_out: Validation | None,
        reporter: reporting.Reporter,
    ) -> Position:  # fmt: skip
        """Where the training begins; what a checkpoint has is restored."""
        model, n = model_of(self.network_), len(examples.data)
        found = None
        if checkpoints is not None:
            found = checkpoints.begin(model, self._optimizer, held_out, n)
        if checkpoints is None or found is None:
            return Position(0, np.arange(n))
        position, attributes = found
        vars(self).update(attributes)
        reporter.resumed(position.epoch, checkpoints.path)
        return position

    def _run_epochs(
        self, settings: Settings, examples: Examples, held_out: Validation | None,
        reporter: reporting.Reporter, epochs: int, tasks: Unwatched,
        checkpoints: FitCheckpoints | None, start: Position,
    ) -> str:  # fmt: skip
        """Train from ``start`` until this many epochs are complete; returns why training stopped
        early, or ""."""
        model, solver, data = model_of(self.network_), self._optimizer, examples.data
        n = len(data)
        order, epoch, words = start.order, start.epoch, start.stopped
        alone = held_out is not None or reporter.reports_epochs or tasks.is_watched
        snapshots = loop.snapshots_of(1 if alone else solver.epochs_per_call(model, n), model)
        while epoch < epochs and not words:
            # whatever their losses, at least this many epochs have the current rate
            certain = max(1, settings.n_iter_no_change + 1 - self._no_improvement_count)
            if checkpoints is not None:
                certain = min(certain, checkpoints.epochs_until_due(epoch))
            of_call = snapshots[: int(min(certain, epochs - epoch))]
            tasks.begin_step()
            for one in solver.epochs(
                settings, model, examples, order, of_call, self._random_state,
                epoch + 1, reporter.poll(epoch + 1),
            ):  # fmt: skip
                loss = losses.sklearn_loss(
                    one.cost, model, data, examples.weights, one.l2, one.values
                )
                validated = None if held_out is None else held_out.measure(self, model)
                epoch += 1
                self.n_iter_, self.t_, order = epoch, self.t_ + n, one.order
                reporter.epoch_done(epoch, self._record(settings, loss, validated))
                solver.epoch_ended(self.t_)
            if tasks.end_step():
                words = f"Stopped after iteration {epoch}: a callback returned True"
            elif self._no_improvement_count > settings.n_iter_no_change:
                if solver.lower_rate():
                    self._no_improvement_count = 0
                else:
                    words = self._why_stopped(settings, epoch)
            if checkpoints is not None:
                kept = {name: vars(self)[name] for name in _KEPT}
                checkpoints.write_if_due(Position(epoch, order, words), kept)
        return words

    def _mini_batch_size(self, settings: Settings, n: int) -> int:
        if settings.batch_size is None:
            return min(200, n)
        if settings.batch_size > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be "
                f"clipped: expected at most the {n} examples, got {settings.batch_size}",
                stacklevel=5,
            )
        return min(settings.batch_size, n)

    def _run_lbfgs(
        self, settings: Settings, data: Dataset, weights: NDArray | None,
        held_out: Validation | None, reporter: reporting.Reporter, tasks: Unwatched,
    ) -> str:  # fmt: skip
        """Train by L-BFGS; returns the warning if it has not converged, or ""."""
        model = model_of(self.network_)
        minimizer = lbfgs.minimizer(settings, model, data, weights)

        def iteration_ended(iteration: int, cost: float) -> bool:
            loss = lbfgs.loss(minimizer, model, data, weights)
            validated = None if held_out is None else held_out.measure(self, model)
            self.n_iter_, self.loss_ = iteration, loss
            words = self._record_figures(loss, validated)
            if validated is not None:
                self.best_validation_score_ = max(self.best_validation_score_, validated[1])
            reporter.epoch_done(iteration, words)
            stops = tasks.end_step()
            if not stops and iteration < settings.max_iter:
                tasks.begin_step()
            return stops

        self.n_iter_ = 0
        tasks.begin_step()
        outcome = minimizer.run(iteration_ended)
        self.loss_ = lbfgs.loss(minimizer, model, data, weights)
        if outcome.reason:
            reporter.close(f"Stopped after iteration {self.n_iter_}: {outcome.reason}")
        return lbfgs.warning(outcome, settings.max_iter)

    @property
    def _n_recorded(self) -> int:
        """The number of epochs or iterations whose figures are recorded."""
        return len(self.history_["training_loss"])

    def _forget_figures(self) -> None:
        """Before the first training of a new network."""
        self.history_: dict[str, list[float]] = {"training_loss": []}
        for name in _FIGURES:
            self.__dict__.pop(name, None)

    def _record_figures(self, loss: float, validated: tuple[float, float] | None) -> list[str]:
        """Record the loss, and the pair (loss, score) on held-out examples; returns words."""
        losses_so_far = self.history_["training_loss"]
        losses_so_far.append(loss)
        words = [f"loss {loss:.8g}"]
        if validated is not None or "validation_loss" in self.history_:
            # before a warm start, epochs may have had no held-out examples
            none = [math.nan] * (len(losses_so_far) - 1)
            pair = (math.nan, math.nan) if validated is None else validated
            self.history_.setdefault("validation_loss", none.copy()).append(pair[0])
            self.history_.setdefault("validation_score", none).append(pair[1])
        if validated is not None:
            self.validation_scores_.append(validated[1])
            words += [f"validation loss {validated[0]:.8g}", f"score {validated[1]:.6g}"]
        return words

    def _record(
        self, settings: Settings, loss: float, validated: tuple[float, float] | None
    ) -> list[str]:
        """Record an epoch's figures and count the epochs without improvement. Returns
        the figures in words."""
        self.loss_ = loss
        words = self._record_figures(loss, validated)
        if self.loss_curve_ is not self.history_["training_loss"]:  # after a training by L-BFGS
            self.loss_curve_.append(loss)
        if settings.early_stopping:
            better = self.validation_scores_[-1] >= self.best_validation_score_ + settings.tol
        else:
            better = loss <= self.best_loss_ - settings.tol
            self.best_loss_ = min(self.best_loss_, loss)
        if validated is not None:
            self.best_validation_score_ = max(self.best_validation_score_, validated[1])
        self._no_improvement_count = 0 if better else self._no_improvement_count + 1
        return words

    def _why_stopped(self, settings: Settings, epoch: int) -> str:
        what = "validation score" if settings.early_stopping else "training loss"
        return (
            f"Stopped after iteration {epoch}: the {what} did not improve by tol={settings.tol:g} "
            f"in {settings.n_iter_no_change} epochs"
        )
