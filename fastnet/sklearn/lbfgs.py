"""The solver "lbfgs" of the estimators: scikit-learn's objective, loss and warning."""

from __future__ import annotations

from numpy.typing import NDArray

from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.sklearn import losses
from fastnet.sklearn.parameters import Settings
from fastnet.training.lbfgs import Limits, Minimizer, Outcome
from fastnet.training.options import SGDOptions


def check_dropout(settings: Settings, model: Model) -> None:
    """Raise a ValueError if there is dropout: L-BFGS needs a cost without noise."""
    dropout = SGDOptions(dropout=settings.dropout).checked(model).dropout
    if any(dropout):  # type: ignore[arg-type]  # one for each hidden layer
        raise ValueError(
            f"dropout: expected 0 for the solver 'lbfgs', got {settings.dropout}; dropout needs "
            "'adam' or 'sgd'"
        )


def _n(data: Dataset, weights: NDArray | None) -> float:
    """The sum of the weights of all examples."""
    return len(data) if weights is None else float(weights.sum())


def minimizer(
    settings: Settings, model: Model, data: Dataset, weights: NDArray | None
) -> Minimizer:
    """The minimization of the mean cost plus alpha/(2n) sum W^2; n is the sum of the weights."""
    limits = Limits(settings.max_iter, settings.max_fun, settings.tol)
    return Minimizer(model, data, weights, settings.alpha / _n(data, weights), limits)


def loss(minimizer: Minimizer, model: Model, data: Dataset, weights: NDArray | None) -> float:
    """The loss as scikit-learn defines it, with the penalty."""
    penalty = minimizer.cost - minimizer.mean_cost
    return losses.sklearn_loss(minimizer.mean_cost, model, data, weights) + penalty


def warning(outcome: Outcome, max_iter: int) -> str:
    """scikit-learn's warning of a minimization that did not converge; "" if it did."""
    result = outcome.result
    if result is None or result.status == 0:
        return ""
    text = (
        f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}):\n"
        f"{result.message}\n"
    )
    if result.nit >= max_iter:
        text += (
            f"\nIncrease the number of iterations to improve the convergence (max_iter={max_iter})."
        )
    return (
        text + "\nYou might also want to scale the data as shown in:\n"
        "    https://scikit-learn.org/stable/modules/preprocessing.html"
    )
