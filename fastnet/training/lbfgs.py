"""Training by L-BFGS: SciPy's L-BFGS-B over the cost and the gradient of all examples together."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, extras, reporting
from fastnet.core.blas_threads import one_blas_thread
from fastnet.core.reporting import Reporter
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.network_inputs import NetworkInputs
from fastnet.training import monitoring, sgd
from fastnet.training.errors import AttachHistory, DivergenceError
from fastnet.training.history import History
from fastnet.training.monitoring import Monitor
from fastnet.training.options import SGDOptions
from fastnet.training.sgd import SGDData

MAX_FUN = 15000

# The minimization ends after the first iteration that reduces the cost by less than this fraction:
# SciPy's default for float64; for float32 its rounding error, below which a change of the cost
# means nothing.
_LEAST_GAIN = {"float64": 1e7 * float(np.finfo(np.float64).eps),
               "float32": float(np.finfo(np.float32).eps)}  # fmt: skip

# If a step leads to a cost that is not finite, a step of this share of its length is tried instead.
_SHARE_OF_STEP = 0.1

_NOT_FINITE = "the cost or its gradient is not finite"
_ADVICE = "inputs and targets of about 1 in size, or smaller initial weights, may help"


class Limits(NamedTuple):
    """The conditions that end a minimization.

    Attributes
    ----------
    max_iter : int
        It ends after this number of iterations.
    max_fun : int
        It ends after the iteration in which the cost has been computed more often than this.
    tol : float
        It ends when no component of the gradient has a larger absolute value.
    """

    max_iter: int
    max_fun: int
    tol: float

    def checked(self) -> Limits:
        """The limits converted to int, int and float; an error names the limit that is wrong."""
        return Limits(
            checks.integer("max_iter", self.max_iter, 1),
            checks.integer("max_fun", self.max_fun, 1),
            checks.nonnegative("tol", self.tol),
        )


class Outcome(NamedTuple):
    """How a minimization ended.

    Attributes
    ----------
    reason : str
        Why it ended, for messages; "" if it ended after ``max_iter`` iterations.
    result : scipy.optimize.OptimizeResult or None
        None if ``iteration_ended`` returned True.
    """

    reason: str
    result: Any


class _Point(NamedTuple):
    """Parameters x (n,) float64, and there the objective, the gradient of the objective, and the
    objective without its L2 term."""

    x: NDArray
    cost: float
    gradient: NDArray
    mean_cost: float


class Objective:
    """The mean cost of a network plus l2/2 sum W^2, and its gradient, at any parameters.

    The parameters are one float64 vector: the weights of all layers, each (n_in, n_out), then the
    biases.

    Parameters
    ----------
    model : Model
        Its parameters are not changed.
    data : Dataset
    weights : (n,) float64 ndarray or None
        The weight of each example; the mean is divided by their sum.
    l2 : float
    """

    def __init__(self, model: Model, data: Dataset, weights: NDArray | None, l2: float):
        self._data, self._weights, self._l2 = data, weights, l2
        self._n = len(data) if weights is None else float(weights.sum())
        self.trial, self._nabla = model.like(), model.like()
        self._parts, self._gradient_parts = _parts(self.trial), _parts(self._nabla)
        self._n_weights = sum(part.size for part in _parts(model)[: len(model.sizes) - 1])

    def __call__(self, x: NDArray) -> _Point:
        self.load(x)
        total = self.trial.cost_and_gradient(self._data, self._nabla, self._weights)
        cost = mean_cost = total / self._n
        gradient = _vector(self._gradient_parts)
        with np.errstate(over="ignore", invalid="ignore"):
            gradient /= self._n
            if self._l2:
                cost += self._l2 / 2 * self.trial.sum_of_squares(self.trial.values)
                gradient[: self._n_weights] += self._l2 * x[: self._n_weights]
        return _Point(x.copy(), cost, gradient, mean_cost)

    def load(self, x: NDArray) -> None:
        """Give the network ``trial`` the parameters x, rounded to its type."""
        first = 0
        with np.errstate(over="ignore"):
            for part in self._parts:
                part[...] = x[first : first + part.size].reshape(part.shape)
                first += part.size


def _parts(model: Model) -> list[NDArray]:
    """Views of the parameters of a model, in the order of the vector."""
    return model.parameters.arrays("coefs_") + model.parameters.arrays("intercepts_")


def _vector(parts: list[NDArray]) -> NDArray:
    return np.concatenate([part.ravel() for part in parts], dtype=np.float64)


class _EndedByCaller(Exception):
    pass


class Minimizer:
    """One minimization; the network gets the parameters of each complete iteration.

    Parameters
    ----------
    model, data, weights, l2
        As for ``Objective``.
    limits : Limits

    Attributes
    ----------
    n_iter : int
        The number of complete iterations.
    cost, mean_cost : float
        The objective at the parameters of the network, with and without its L2 term.
    """

    def __init__(
        self, model: Model, data: Dataset, weights: NDArray | None, l2: float, limits: Limits
    ):
        self._model, self._data, self._limits = model, data, limits
        self._minimize = extras.needed("fit_lbfgs", "scipy.optimize").minimize
        self._objective = Objective(model, data, weights, l2)
        self._start = _vector(_parts(model))
        self._now: _Point | None = None  # the last iterate
        self._last: _Point | None = None  # the last point that was evaluated
        self.n_iter, self.cost, self.mean_cost = 0, math.nan, math.nan

    def run(self, iteration_ended: Callable[[int, float], bool]) -> Outcome:
        """Minimize.

        Parameters
        ----------
        iteration_ended : callable
            Called after each iteration with its number, from 1, and its cost; returns whether to
            stop. The network then has the parameters of this iteration, which must not be changed.

        Raises
        ------
        DivergenceError
            If cost or gradient are not finite at the start; nothing is changed.
        Exception
            What the cost class or ``iteration_ended`` raises. The network then has the parameters
            of the last iteration, as after a KeyboardInterrupt.
        """
        parameters = self._model.parameters
        self._iteration_ended = iteration_ended
        parameters.begin_training(self)
        try:
            with one_blas_thread():
                result = self._minimize(
                    self._evaluate, self._start, jac=True, method="L-BFGS-B",
                    callback=self._iterated, options={
                        "maxiter": self._limits.max_iter, "maxfun": self._limits.max_fun,
                        "gtol": self._limits.tol, "ftol": _LEAST_GAIN[self._model.dtype.name],
                    },
                )  # fmt: skip
        except _EndedByCaller:
            return Outcome("a callback returned True", None)
        finally:
            parameters.end_training(self)
        return Outcome(self._reason(result), result)

    def _evaluate(self, x: NDArray) -> tuple[float, NDArray]:
        point = self._objective(x)
        if not (math.isfinite(point.cost) and np.isfinite(point.gradient).all()):
            if self._now is None:
                raise DivergenceError(1, _ADVICE, _NOT_FINITE)
            point = _shortened(self._now, x)
        if self._now is None:
            self._move_to(point)
        self._last = point
        return point.cost, point.gradient

    def _iterated(self, x: NDArray) -> None:
        """Called after each iteration: set the parameters and call ``iteration_ended``."""
        model, point = self._model, self._last
        if point is None or not np.array_equal(point.x, x):
            point = self._objective(x)
        self._objective.load(x)
        values = self._objective.trial.values
        model.parameters.restore(values, self)
        model.learned_from(self._data)
        self._move_to(point)
        self.n_iter += 1
        model.parameters.end_training(self)
        stops = self._iteration_ended(self.n_iter, point.cost)
        if not np.array_equal(model.values, values):
            model.parameters.restore(values)
            raise ValueError(
                "weights, biases: expected no change between two iterations of L-BFGS, got one, "
                f"perhaps by a callback; those of iteration {self.n_iter} have been restored"
            )
        if stops:
            raise _EndedByCaller
        model.parameters.begin_training(self)

    def _move_to(self, point: _Point) -> None:
        self._now, self.cost, self.mean_cost = point, point.cost, point.mean_cost

    def _reason(self, result: Any) -> str:
        limits = self._limits
        if result.status == 0:
            assert self._now is not None
            if np.abs(self._now.gradient).max(initial=0) <= limits.tol:
                return f"no component of the gradient is larger than tol={limits.tol:g}"
            return "the cost does not fall any more"
        if self.n_iter >= limits.max_iter:
            return ""
        if result.status == 1:
            return f"max_fun={limits.max_fun} evaluations of the cost"
        return "no lower cost was found along the last direction"


def _shortened(now: _Point, x: NDArray) -> _Point:
    """A finite cost and gradient for a point x where the cost is not finite.

    They are those of a parabola along the step from ``now`` to x, which has the slope of the cost
    at ``now`` and its minimum at ``_SHARE_OF_STEP`` of the step: the line search tries that next.
    """
    fall = abs(float(now.gradient @ (x - now.x)))
    steepness = 1 / _SHARE_OF_STEP - 1
    cost = now.cost + fall * (steepness - 1) / 2
    return _Point(x.copy(), cost, -steepness * now.gradient, math.nan)


# ---- Network.fit_lbfgs


class LBFGSTraining:
    """One call of ``Network.fit_lbfgs``: its iterations, with figures, reports and callbacks."""

    def __init__(
        self,
        minimizer: Minimizer,
        n: int,
        history: History,
        monitors: list[Monitor],
        run_callbacks: Callable[[int], bool] | None,
        reporter: Reporter,
    ):
        self._minimizer, self._n, self._history = minimizer, n, history
        self._monitors, self._run_callbacks, self._reporter = monitors, run_callbacks, reporter

    def run(self, model: Model, max_iter: int) -> History:
        """Train; the parameters are always those of the last iteration."""
        self._model = model
        self._reporter.unit = "Iteration"
        with AttachHistory(self._history), self._reporter.begin(model.sizes, self._n, max_iter):
            outcome = self._minimizer.run(self._end_iteration)
            words = f"Stopped after iteration {self._minimizer.n_iter}: {outcome.reason}"
            self._reporter.close(words if outcome.reason else "")
        return self._history

    def _end_iteration(self, iteration: int, cost: float) -> bool:
        networks, words = self._model.values[None], []
        # all are measured before any is recorded: an iteration interrupted here has no entry
        measured = [monitor.measure(self._model, networks) for monitor in self._monitors]
        for monitor, figures in zip(self._monitors, measured, strict=True):
            monitor.record(*figures)
            words += monitor.words
        self._reporter.epoch_done(iteration, words)
        return self._run_callbacks is not None and self._run_callbacks(iteration)


def options_of(limits: Limits, lmbda: Any, callbacks: Any, verbose: Any) -> SGDOptions:
    """The arguments of ``fit_lbfgs`` as those of ``SGD``, not checked."""
    return SGDOptions(
        epochs=limits.max_iter, lmbda=lmbda, monitor_training_cost=True, callbacks=callbacks,
        verbose=verbose,
    )  # fmt: skip


def prepare(
    net: Any, model: Model, inputs: NetworkInputs, data: SGDData, options: SGDOptions,
    limits: Limits,
) -> LBFGSTraining:  # fmt: skip
    """Check the arguments of ``fit_lbfgs``; the network is not changed."""
    reporter = reporting.reporter_of_level(options.verbose)
    evaluation = data.sets.get("evaluation")
    if evaluation is not None:
        by_class = monitoring.default_figure(evaluation) == "evaluation_accuracy"
        options = options._replace(
            monitor_evaluation_accuracy=by_class, monitor_evaluation_cost=not by_class
        )
    begun = sgd.begin(net, model, data, options)
    if begun.custom_epoch is not None:
        raise TypeError(
            "fit_lbfgs: expected a network whose update_mini_batch and backprop are those of "
            "Network, since L-BFGS does not call them, got one that overrides them"
        )
    training = data.sets["training"]
    minimizer = Minimizer(model, training, None, options.lmbda / len(training), limits)
    monitors = [_with_known_cost(monitor, minimizer) for monitor in begun.monitors]
    data.warn_of_bytes(inputs)
    state = begun.state
    return LBFGSTraining(
        minimizer, len(training), state.history, monitors, state.run_callbacks, reporter
    )


def _with_known_cost(monitor: Monitor, minimizer: Minimizer) -> Monitor:
    """The monitor; that of the training cost returns the objective, which is already computed."""
    if monitor.name != "training data" or monitor.custom_cost is not None:
        return monitor
    return monitor._replace(custom_cost=lambda: minimizer.cost)
