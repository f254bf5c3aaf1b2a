"""The parameters of the estimators, checked when ``fit`` is called, as in scikit-learn."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastnet.core import checks
from fastnet.nn import activations, optimizers
from fastnet.nn.activations import Activation
from fastnet.nn.optimizers import Optimizer
from fastnet.training import lbfgs

# {name of an activation: fastnet's name}, for scikit-learn's names and fastnet's.
ACTIVATIONS = {activations.ACTIVATIONS[name].sklearn_name: name for name in activations.HIDDEN}
ACTIVATIONS |= {name: name for name in activations.HIDDEN}
SOLVERS = {each.sklearn_name: each for each in optimizers.CLASSES}  # by mini-batches
LBFGS = "lbfgs"
MAX_FUN = lbfgs.MAX_FUN
LEARNING_RATES = ("constant", "invscaling", "adaptive")


class Settings(NamedTuple):
    """The estimator's checked parameters under scikit-learn's names, except ``hidden`` and
    ``optimizer``."""

    hidden_layer_sizes: tuple[int, ...]
    hidden: str | Activation  # as ``Network`` takes it
    is_lbfgs: bool
    optimizer: Optimizer | None  # of mini-batches
    alpha: float
    batch_size: int | None  # None: "auto"
    learning_rate: str  # "constant" except for the solver "sgd"
    learning_rate_init: float
    power_t: float
    max_iter: int
    max_fun: int
    shuffle: bool
    tol: float
    warm_start: bool
    early_stopping: bool  # False for the solver "lbfgs"
    validation_fraction: float
    n_iter_no_change: float
    dropout: Any  # as ``Network.SGD`` takes it
    dtype: str


def one_of(name: str, value: Any, allowed: Any) -> str:
    """``value``, a name in ``allowed``."""
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(
        f"{name}: expected one of {', '.join(allowed)}; got {checks.short_repr(value)}"
    )


def _activation(value: Any) -> str | Activation:
    found = None if isinstance(value, str) else activations.find(value)
    if found is not None and "hidden" in found.roles:
        return found.name_or_self
    return ACTIVATIONS[one_of("activation", value, ACTIVATIONS)]


def _sizes(value: Any) -> tuple[int, ...]:
    try:
        sizes = [value] if np.ndim(value) == 0 else list(value)
        return tuple(checks.integer("hidden_layer_sizes", size, 1) for size in sizes)
    except (TypeError, ValueError):
        raise ValueError(
            "hidden_layer_sizes: expected an integer over 0, or a sequence of them, "
            f"got {checks.short_repr(value)}"
        ) from None


def _patience(value: Any) -> float:
    if isinstance(value, float) and value == math.inf:
        return value
    return checks.integer("n_iter_no_change", value, 1)


def is_stochastic(estimator: Any) -> bool:
    """Whether the estimator's solver takes a step for each mini-batch."""
    solver = estimator.solver
    return isinstance(solver, Optimizer) or one_of("solver", solver, (*SOLVERS, LBFGS)) != LBFGS


def check_stochastic(estimator: Any) -> bool:
    """For ``available_if``: an AttributeError, if the solver has no mini-batches, in scikit-learn's
    words."""
    if estimator.solver == LBFGS:
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
        )
    return True


def _optimizer(estimator: Any) -> Optimizer | None:
    solver = estimator.solver
    made = {name: _made(each, estimator) for name, each in SOLVERS.items()}  # checks them all
    if not is_stochastic(estimator):
        return None
    if not isinstance(solver, Optimizer):
        solver = made[solver]
    return None if solver.is_plain else solver


def _made(optimizer: type[Optimizer], estimator: Any) -> Optimizer:
    """An optimizer with the estimator's coefficients; errors name the estimator's parameters."""
    names = optimizer.sklearn_parameters
    try:
        return optimizer(**{name: getattr(estimator, theirs) for name, theirs in names.items()})
    except (TypeError, ValueError) as error:
        name, _, words = str(error).partition(": ")
        raise type(error)(f"{names[name]}: {words}") from None


def checked(estimator: Any) -> Settings:
    """The parameters that both estimators have.

    Raises
    ------
    ValueError, TypeError
        The message names the parameter, the expected and the actual value.
    """
    e = estimator
    auto = isinstance(e.batch_size, str) and e.batch_size == "auto"
    if isinstance(e.batch_size, str) and not auto:
        raise ValueError(
            f"batch_size: expected an integer or 'auto', got {checks.short_repr(e.batch_size)}"
        )
    learning_rate = one_of("learning_rate", e.learning_rate, LEARNING_RATES)
    fraction = checks.positive("validation_fraction", e.validation_fraction)
    is_lbfgs = not is_stochastic(e)
    early_stopping = checks.boolean("early_stopping", e.early_stopping)
    return Settings(
        hidden_layer_sizes=_sizes(e.hidden_layer_sizes),
        hidden=_activation(e.activation),
        is_lbfgs=is_lbfgs,
        optimizer=_optimizer(e),
        alpha=checks.nonnegative("alpha", e.alpha),
        batch_size=None if auto else checks.integer("batch_size", e.batch_size, 1),
        learning_rate=learning_rate if e.solver == "sgd" else "constant",
        learning_rate_init=checks.positive("learning_rate_init", e.learning_rate_init),
        power_t=checks.nonnegative("power_t", e.power_t),
        max_iter=checks.integer("max_iter", e.max_iter, 1),
        max_fun=checks.integer("max_fun", e.max_fun, 1),
        shuffle=checks.boolean("shuffle", e.shuffle),
        tol=checks.nonnegative("tol", e.tol),
        warm_start=checks.boolean("warm_start", e.warm_start),
        early_stopping=early_stopping and not is_lbfgs,
        validation_fraction=checks.share("validation_fraction", fraction),
        n_iter_no_change=_patience(e.n_iter_no_change),
        dropout=e.dropout,
        dtype=one_of("dtype", e.dtype, ("auto", "float32", "float64")),
    )


def verbosity(value: Any) -> Any:
    """``value`` for ``Network.SGD``. Some of scikit-learn's estimators print more with higher
    values, such as 10; its networks only distinguish zero from others."""
    more = isinstance(value, int | np.integer) and value > 2
    return 1 if more else value


def store_parameters(estimator: Any, given: dict[str, Any]) -> None:
    """Store the arguments of ``__init__``, its ``locals()``, unchanged under their names, as
    scikit-learn's ``clone`` and ``set_params`` require."""
    vars(estimator).update({k: v for k, v in given.items() if k not in ("self", "__class__")})
