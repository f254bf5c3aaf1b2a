"""``MLPClassifier``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d, validate_data

from fastnet.costs import Choice
from fastnet.sklearn import losses, parameters
from fastnet.sklearn.base import READ, BaseMLP


class MLPClassifier(ClassifierMixin, BaseMLP):
    def __init__(
        self,
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
        loss: Any = "log_loss",
        output: str = "auto",
        class_weight: Any = None,
        dropout: Any = 0.0,
        eval_metric: Any = None,
        dtype: str = "auto",
    ):
        parameters.keep(self, locals())

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, eval_set: Any = None
    ) -> MLPClassifier:
        """Train from the start, or with ``warm_start`` from where the last call ended."""
        self._fit(X, y, sample_weight, eval_set)
        return self

    def partial_fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, classes: Any = None
    ) -> MLPClassifier:
        """Train for one epoch, from where the last call ended."""
        if not hasattr(self, "network_"):
            if classes is None:
                raise ValueError("classes: expected all classes at the first call of partial_fit")
            self._all_classes = unique_labels(classes)
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ValueError(
                f"classes: expected those of the first call, {self.classes_}, got {classes}"
            )
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight: expected a dict or None for partial_fit, which sees a part of the "
                f"examples; got {self.class_weight!r}"
            )
        try:
            self._fit(X, y, sample_weight, incremental=True)
        finally:
            vars(self).pop("_all_classes", None)
        return self

    def predict(self, X: Any) -> NDArray:
        """The classes."""
        return self._predicted(self._outputs(X))

    def predict_proba(self, X: Any) -> NDArray:
        """The probabilities of the classes."""
        a = self._outputs(X)
        if self._multilabel:
            return a
        if len(self.classes_) == 1:
            return np.ones_like(a)
        if a.shape[1] == 1:
            return np.hstack([1 - a, a])
        if self.out_activation_ == "softmax":
            return a
        sums = a.sum(axis=1, keepdims=True)
        return np.where(sums > 0, a, 1) / np.where(sums > 0, sums, a.shape[1])

    def predict_log_proba(self, X: Any) -> NDArray:
        """The logarithms of ``predict_proba``."""
        with np.errstate(divide="ignore"):
            logs: NDArray = np.log(self.predict_proba(X))
        return logs

    def _predicted(self, a: NDArray) -> NDArray:
        if self._multilabel:
            return (a > 0.5).astype(int)
        if len(self.classes_) == 1:
            return np.repeat(self.classes_, len(a))
        which = (a[:, 0] > 0.5).astype(int) if a.shape[1] == 1 else a.argmax(axis=1)
        labels: NDArray = self.classes_[which]
        return labels

    def _score(self, X: Any, y: NDArray, weights: NDArray | None) -> float:
        right = self._predicted(self.network_.feedforward(X)) == y
        return float(np.average(right.all(axis=1) if right.ndim == 2 else right, weights=weights))

    def _checked(self, X: Any, y: Any, first: bool) -> tuple[Any, NDArray]:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=READ, reset=first, multi_output=True
        )
        check_classification_targets(y)
        multilabel = type_of_target(y, input_name="y").startswith("multilabel")
        if multilabel:
            y = y.toarray() if hasattr(y, "toarray") else y
        elif y.ndim == 2 and y.shape[1] > 1:
            raise ValueError("y: expected labels (n,), or zeros and ones, (n, n_outputs), got more")
        else:
            y = column_or_1d(y, warn=True)
        if first:
            self._multilabel = multilabel
            known = getattr(self, "_all_classes", None)
            self.classes_ = unique_labels(y) if known is None or multilabel else known
        elif multilabel != self._multilabel:
            raise ValueError("y: expected targets of the kind of the earlier call")
        unknown = np.setdiff1d(unique_labels(y), self.classes_)
        if len(unknown):
            raise ValueError(
                f"y: expected the classes of the earlier call, {self.classes_}, got {unknown}, too"
            )
        return X, y

    def _encoded(self, y: NDArray) -> NDArray:
        return y if self._multilabel else np.searchsorted(self.classes_, y)

    def _choice(self, targets: NDArray) -> tuple[Choice, int]:
        n = len(self.classes_)
        if self._multilabel:
            allowed, usual, n_out = ("logistic",), "logistic", targets.shape[1]
        elif n > 2:
            allowed, usual, n_out = ("softmax", "logistic"), "softmax", n
        else:
            allowed, usual = ("logistic", "softmax"), "logistic"
            n_out = 2 if self.output == "softmax" else 1
        pairs = {"log_loss": allowed, "squared_error": ("logistic",)}
        return losses.choose(self.loss, self.output, pairs, usual), n_out

    def _class_weights(self, y: NDArray) -> NDArray | None:
        if self.class_weight is None:
            return None
        weights: NDArray = compute_sample_weight(self.class_weight, y)
        return weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
