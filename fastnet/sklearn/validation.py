"""Held-out data: the loss and the score after each epoch, and the best parameters so far."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from sklearn.metrics import get_scorer

from fastnet.core import checks
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.sklearn import losses

Metric = Callable[[Any, "Validation", float], float]  # (estimator, data, loss on them) -> score


def metric(chosen: Any, score: Callable[[Validation], float]) -> Metric:
    """The metric of an ``eval_metric``; more is better. ``score`` is the estimator's default.

    Raises
    ------
    ValueError
        For a name that scikit-learn's scorers do not have.
    """
    if chosen is None:
        return lambda estimator, data, loss: _checked_score(estimator, score(data))
    if isinstance(chosen, str) and chosen == "loss":
        return lambda estimator, data, loss: -loss
    if isinstance(chosen, str):
        try:
            scorer = get_scorer(chosen)
        except ValueError:
            raise ValueError(
                "eval_metric: expected 'loss', the name of a scorer (sklearn.metrics."
                f"get_scorer_names() lists them), a function or None; "
                f"got {checks.short_repr(chosen)}"
            ) from None
    elif callable(chosen):
        scorer = chosen
    else:
        raise TypeError(
            "eval_metric: expected 'loss', the name of a scorer, a function f(estimator, X, y) "
            f"or None; got {checks.short_repr(chosen)}"
        )
    return lambda estimator, data, loss: _number(scorer(_plain(estimator), data.X, data.y))


def _checked_score(estimator: Any, score: float) -> float:
    if math.isnan(score):
        warnings.warn(
            f"the score on held-out examples is not a number: outputs are beyond the range of "
            f"{estimator.network_.dtype}; smaller inputs or a smaller learning_rate_init may help",
            RuntimeWarning,
            stacklevel=8,
        )
    return score


def _number(score: Any) -> float:
    try:
        if isinstance(score, str):
            raise TypeError
        return float(score)
    except (TypeError, ValueError):
        got = checks.short_repr(score)
        raise TypeError(f"eval_metric: expected a number for each call, got {got}") from None


def _plain(estimator: Any) -> Any:
    """The estimator without feature names, since the scorer passes it arrays."""
    copied = copy.copy(estimator)
    vars(copied).pop("feature_names_in_", None)
    return copied


class Validation:
    """Validation examples.

    Parameters
    ----------
    X : (n, n_in) array or sparse matrix
    y : their labels or targets, as given by the user
    data : Dataset
        The same examples for the network.
    weights : (n,) or None
        Their weights.
    metric : Metric
    """

    def __init__(self, X: Any, y: Any, data: Dataset, weights: NDArray | None, metric: Metric):
        self.X, self.y, self.data, self.weights = X, y, data, weights
        self._metric = metric
        self._best = -math.inf
        self._best_values: NDArray | None = None

    def begin(self, model: Model, best: float) -> None:
        """Start with ``best``, the best score of the continued training; -inf: a new training."""
        self._best = best
        self._best_values = model.values.copy() if best > -math.inf else None

    @property
    def best_values(self) -> NDArray | None:
        """The best parameters so far, which ``restore`` restores."""
        return self._best_values

    def resume(self, best: float | None, best_values: NDArray | None) -> None:
        """Continue with the best score and parameters of a checkpoint."""
        self._best = -math.inf if best is None else best
        self._best_values = best_values

    def measure(self, estimator: Any, model: Model) -> tuple[float, float]:
        """The loss without its penalty, and the score; stores the best parameters."""
        cost = model.total_cost(self.data, 0.0, weights=self.weights)
        loss = losses.sklearn_loss(cost, model, self.data, self.weights)
        score = self._metric(estimator, self, loss)
        if score > self._best:
            self._best = score
            self._best_values = model.values.copy()
        return loss, score

    def restore(self, model: Model) -> None:
        """Restore the best parameters; the last ones stay if no score was a number."""
        if self._best_values is not None:
            model.parameters.restore(self._best_values)
