"""scikit-learn's callbacks (``set_callbacks``, since 1.9): a fit is a task, its epochs subtasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Without callbacks, and so without ``set_callbacks``."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """The method as it is."""
        return method


# Attributes that an estimator has between the begin of its tasks and ``tear_down``.
OF_CALLBACKS = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")

__all__ = ["OF_CALLBACKS", "CallbackSupportMixin", "FitTasks", "Unwatched", "tear_down"]


def _nothing(estimator: Any) -> None:
    pass


def tear_down(estimator: Any) -> None:
    """Tear the callbacks of a fit down, however it ended, as scikit-learn's decorator of ``fit``
    does. (Decorated itself, ``fit`` would have its warnings issued at scikit-learn's lines.)"""
    with_callbacks(_nothing)(estimator)


class Unwatched:
    """The tasks of a fit without callbacks."""

    is_watched = False

    def begin_step(self) -> None:
        """Before an epoch or an iteration."""

    def end_step(self) -> bool:
        """After it; returns whether a callback stops the training."""
        return False

    def end(self) -> None:
        """After the last step, also after one that was not completed."""


class FitTasks(Unwatched):
    """The tasks of a fit with callbacks.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    context : sklearn.callback.CallbackContext
        Of the fit.
    X, y, sample_weight
        As passed to ``fit``; callbacks get them.
    step : str
        What a subtask is called.
    """

    is_watched = True

    def __init__(self, estimator: Any, context: Any, X: Any, y: Any, sample_weight: Any, step: str):
        self._estimator, self._context, self._step = estimator, context, step
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._now: Any = None  # the context of the step at hand
        context.call_on_fit_task_begin(estimator=estimator, **self._data)

    def begin_step(self) -> None:
        self._now = self._context.subcontext(task_name=self._step)
        self._now.call_on_fit_task_begin(
            estimator=self._estimator, **self._data, reconstruction_attributes=self._fitted
        )

    def end_step(self) -> bool:
        now, self._now = self._now, None
        return bool(
            now.call_on_fit_task_end(
                estimator=self._estimator, **self._data, reconstruction_attributes=self._fitted
            )
        )

    def end(self) -> None:
        if self._now is not None:  # has not run to its end, and so has no result
            self._now.call_on_fit_task_end(estimator=self._estimator)
            self._now = None
        self._context.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes={}
        )

    def _fitted(self) -> dict[str, Any]:
        """The attributes with which a copy of the estimator stays as it is now."""
        estimator = self._estimator
        return {"network_": estimator.network_.copy(), "history_": {
            name: list(values) for name, values in estimator.history_.items()
        }}  # fmt: skip
