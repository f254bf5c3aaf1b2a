"""The checkpoints of the estimators' ``fit``: the state of a training between two epochs.

Beside what ``fastnet/training/checkpoints.py`` keeps, that is the order of the examples, which each
epoch shuffles further, the choice of held-out examples, and the fitted attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import fields, generator_state
from fastnet.io import checkpoint_files
from fastnet.io.checkpoint_files import Checkpoint, CheckpointFile, ParameterSets, Saved
from fastnet.model import Model
from fastnet.sklearn.parameters import Settings
from fastnet.sklearn.solver import Solver
from fastnet.sklearn.validation import Validation
from fastnet.training import identity
from fastnet.training.checkpoints import generator_settings

# Parameters that are part of the network's settings, or may differ.
_ELSEWHERE = {"hidden_layer_sizes", "hidden", "dtype", "is_lbfgs", "max_iter", "max_fun",
              "warm_start"}  # fmt: skip
_FIGURES = ("training_loss", "validation_loss", "validation_score")
_MOST = 2**63 - 1
_NUMBERS = ("loss", "best_loss", "best_validation_score")  # attributes; None if they do not apply


def check_solver(options: Checkpoint | None, settings: Settings) -> None:
    """Refuse a checkpoint of L-BFGS, whose state is within SciPy."""
    if options is not None and settings.is_lbfgs:
        raise ValueError(
            f"checkpoint: expected None for the solver 'lbfgs', got {options.path!r}; 'adam' and "
            f"'sgd' have checkpoints"
        )


def settings_of(settings: Settings, model: Model, others: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a fit that must be the same when it is resumed, in types of JSON."""
    own = {name: it for name, it in settings._asdict().items() if name not in _ELSEWHERE}
    own["optimizer"] = identity.of_optimizer(settings.optimizer)
    own["dropout"] = repr(settings.dropout)
    own["n_iter_no_change"] = fields.number(settings.n_iter_no_change)
    return {**identity.of_network(model), **own, **others}


class FitCheckpoints:
    """The checkpoints of one call of ``fit``.

    The constructor reads the file and compares the settings; it changes nothing.

    Parameters
    ----------
    options : Checkpoint
    trains : str
        The method that trains, such as "MLPClassifier.fit".
    settings : dict
        From ``settings_of``.
    random : RandomState
        Of the estimator.
    max_iter : int
        The epochs of this call.

    Raises
    ------
    ValueError, OSError
        If the file cannot be written, is not a checkpoint, or is that of another fit.
    """

    def __init__(
        self, options: Checkpoint, trains: str, settings: Mapping[str, Any],
        random: np.random.RandomState, max_iter: int,
    ):  # fmt: skip
        self.path, self._random, self._max_iter = options.path, random, max_iter
        self._settings = {**settings, **generator_settings(random.get_state(legacy=False))}
        self._file = CheckpointFile(options, trains)
        self._saved = self._file.check_same(self._settings)
        self._parts: Sequence[NDArray] | None = None
        if self._saved is not None:
            self._file.check_epochs("max_iter", max_iter, self._saved)

    def parts(self, drawn: list[NDArray]) -> list[NDArray]:
        """The indices of the training and of the held-out examples: those of the checkpoint, or
        else ``drawn``."""
        saved = self._saved
        if saved is not None:
            drawn = [
                saved.array(name, part.shape, np.int64)
                for name, part in zip(("trained_on", "held_out"), drawn, strict=True)
            ]
            _check_permutation(saved, "trained_on, held_out", np.concatenate(drawn))
        self._parts = drawn
        return drawn

    def epochs_until_due(self, epoch: int) -> int:
        """The number of epochs after ``epoch`` until the next checkpoint."""
        return self._file.epochs_until_due(epoch)

    # ---- reading

    def begin(
        self, model: Model, solver: Solver, held_out: Validation | None, n: int
    ) -> tuple[Position, dict[str, Any]] | None:
        """Set the network, the generator, ``solver`` and ``held_out`` to the state of the
        checkpoint.

        Returns
        -------
        Position, dict
            Where the training of n examples goes on, and the attributes of the estimator; None if
            it begins anew.
        """
        self._model, self._solver, self._held_out = model, solver, held_out
        saved, self._saved = self._saved, None
        if saved is None:
            return None
        state = saved.state
        now = self._random.get_state(legacy=False)
        generator = generator_state.from_json(state.fields("generator"), now)
        rows = solver.moments(model)
        values, best, moments = saved.parameters(model, len(rows))
        order = saved.array("order", (n,), _order_dtype(n)).astype(np.int64)
        _check_permutation(saved, "order", order)
        attributes = _attributes(saved, self._settings["early_stopping"], held_out is not None)
        position = Position(saved.epochs, order, state.text("stopped"))
        solver.restore(state.fields("solver"))  # from here on all is known to be valid
        model.parameters.restore(values)
        for row, kept in zip(rows, moments, strict=True):
            row[...] = kept
        self._random.set_state(generator)
        if held_out is not None:
            held_out.resume(attributes["best_validation_score_"], best)
        return position, attributes

    # ---- writing

    def write_if_due(self, position: Position, attributes: Mapping[str, Any]) -> None:
        """Write a checkpoint if one is due after this epoch, or if this was the last.
        ``attributes`` are those of the estimator."""
        over = position.stopped or position.epoch >= self._max_iter
        if position.epoch % self._file.every and not over:
            return
        history, scores = attributes["history_"], attributes["validation_scores_"]
        state = {
            "stopped": position.stopped,
            "generator": generator_state.to_json(self._random.get_state(legacy=False)),
            "solver": self._solver.saved(),
            "has_best": self._best is not None,
            "recorded": len(history["training_loss"]),
            "loss_curve": len(attributes["loss_curve_"]),
            "validation_scores": None if scores is None else len(scores),
            "has_validation": "validation_loss" in history,
            "t": attributes["t_"],
            "no_improvement": attributes["_no_improvement_count"],
            **{name: _number(attributes[f"{name}_"]) for name in _NUMBERS},
        }
        self._file.write(position.epoch, self._settings, state, self._arrays(position, attributes))

    @property
    def _best(self) -> NDArray | None:
        return None if self._held_out is None else self._held_out.best_values

    def _arrays(self, position: Position, attributes: Mapping[str, Any]) -> dict[str, NDArray]:
        model, order = self._model, position.order
        sets = ParameterSets(model.values, self._best, [*self._solver.moments(model)])
        arrays = checkpoint_files.parameter_arrays(model, sets)
        arrays["order"] = order.astype(_order_dtype(len(order)))
        if self._parts is not None:
            trained_on, held_out = (np.asarray(part, np.int64) for part in self._parts)
            arrays |= {"trained_on": trained_on, "held_out": held_out}
        history, scores = attributes["history_"], attributes["validation_scores_"]
        lists = {name: history[name] for name in _FIGURES if name in history}
        lists["loss_curve"] = attributes["loss_curve_"]
        if scores is not None:
            lists["validation_scores"] = scores
        return arrays | {name: np.array(it, np.float64) for name, it in lists.items()}


class Position:
    """Where a training is: complete epochs, the last order of the examples, and why it stopped
    early, or ""."""

    def __init__(self, epoch: int, order: NDArray, stopped: str = ""):
        self.epoch, self.order, self.stopped = epoch, order, stopped


def _order_dtype(n: int) -> type:
    return np.uint32 if n <= 1 << 32 else np.int64


def _check_permutation(saved: Saved, name: str, found: NDArray) -> None:
    if not np.array_equal(np.sort(found), np.arange(len(found))):
        raise ValueError(
            f"{saved.path}: {name}: expected each index from 0 to {len(found) - 1} once, found "
            f"others"
        )


def _number(value: Any) -> Any:
    return None if value is None else fields.number(value)


def _attributes(saved: Saved, early_stopping: bool, has_held_out: bool) -> dict[str, Any]:
    """The attributes of the estimator."""
    state = saved.state
    n = state.integer("recorded")
    needed = ["loss", *["best_loss"] * (not early_stopping)]
    if has_held_out:
        needed.append("best_validation_score")
        state.integer("validation_scores")
    names = _FIGURES if state.get("has_validation") else _FIGURES[:1]
    history = {name: saved.figures(name, n) for name in names}
    curve = saved.figures("loss_curve", state.integer("loss_curve"))
    if len(curve) == n:  # one list, unless L-BFGS trained before
        curve = history["training_loss"]
    scores = None
    if state.get("validation_scores") is not None:
        scores = saved.figures("validation_scores", state.integer("validation_scores"))
    return {
        "n_iter_": saved.epochs,
        "t_": state.integer("t", 0, _MOST),
        "history_": history,
        "loss_curve_": curve,
        "validation_scores_": scores,
        "_no_improvement_count": state.integer("no_improvement", 0, _MOST),
        **{
            f"{name}_": None
            if state.get(name) is None and name not in needed
            else state.number(name)
            for name in _NUMBERS
        },
    }
