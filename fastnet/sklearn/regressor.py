"""``MLPRegressor``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import column_or_1d, validate_data

from fastnet.costs import Choice
from fastnet.sklearn import losses, parameters
from fastnet.sklearn.base import READ, BaseMLP

ALLOWED = {loss: tuple(pairs) for loss, pairs in losses.LOSSES.items() if loss != "log_loss"}
ALLOWED["log_loss"] = ("logistic",)


class MLPRegressor(RegressorMixin, BaseMLP):
    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        output: str = "auto",
        dropout: Any = 0.0,
        eval_metric: Any = None,
        dtype: str = "auto",
    ):
        parameters.keep(self, locals())

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, eval_set: Any = None
    ) -> MLPRegressor:
        """Train from the start, or with ``warm_start`` from where the last call ended."""
        self._fit(X, y, sample_weight, eval_set)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> MLPRegressor:
        """Train for one epoch, from where the last call ended."""
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> NDArray:
        """The network's outputs."""
        return self._predicted(self._outputs(X))

    def _predicted(self, a: NDArray) -> NDArray:
        return a[:, 0] if a.shape[1] == 1 else a

    def _score(self, X: Any, y: NDArray, weights: NDArray | None) -> float:
        predicted = self._predicted(self.network_.feedforward(X))
        if not np.isfinite(predicted).all():
            return np.nan
        return float(r2_score(y, predicted, sample_weight=weights))

    def _checked(self, X: Any, y: Any, first: bool) -> tuple[Any, NDArray]:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=READ, reset=first, multi_output=True,
            y_numeric=True,
        )  # fmt: skip
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _encoded(self, y: NDArray) -> NDArray:
        return y.reshape(len(y), -1)

    def _choice(self, targets: NDArray) -> tuple[Choice, int]:
        return losses.choose(self.loss, self.output, ALLOWED, "identity"), targets.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
