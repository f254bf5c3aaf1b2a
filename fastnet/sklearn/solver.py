"""Epochs with the conventions of scikit-learn's solvers.

``Network.SGD`` divides lambda by n, the number of training examples; scikit-learn divides
alpha by the weight of the current mini-batch, which differs for the last one and for weighted
examples. The moments are kept between epochs and between calls of ``partial_fit``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.core.fields import Fields
from fastnet.core.steps import Passes, StepOptions
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.nn.optimizers import Optimizer
from fastnet.sklearn.parameters import Settings
from fastnet.training import loop
from fastnet.training.errors import DivergenceError
from fastnet.training.options import SGDOptions

_ADVICE = (  # and scikit-learn's message
    "a smaller learning_rate_init or a larger batch_size may help, and X and y of about 1 in size. "
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


class Examples(NamedTuple):
    """The examples of one training, their weights, and the mini-batch size."""

    data: Dataset
    weights: NDArray | None
    mini_batch_size: int


class Epoch(NamedTuple):
    """A complete epoch.

    Attributes
    ----------
    cost, l2 : float
        The mean cost of an example, and the mean l2. As in scikit-learn, the cost is the mean over
        the mini-batches of their weighted mean costs before their steps; for a custom cost it is
        the cost after the epoch.
    values : (parameters,)
        The parameters after it.
    order : (n,)
        The order of the examples.
    """

    cost: float
    l2: float
    values: NDArray
    order: NDArray


def _sum(costs: list[float]) -> float:
    """The sum. NumPy's sum is slower, since its code is not in the caches after a kernel call."""
    try:
        return math.fsum(costs)
    except OverflowError:  # although all are finite
        return math.inf


def _figures(
    costs: NDArray, orders: NDArray, m: int, weights: NDArray | None, alpha: float
) -> tuple[list[float], list[float]]:
    """Mean cost and mean l2 of each epoch, from the sums of its mini-batches (epochs, steps)."""
    n = orders.shape[1]
    if weights is None:
        means = [_sum(each) / n for each in costs.tolist()]
        return means, [alpha * costs.shape[1] / n] * len(costs)
    firsts = np.arange(0, n, m)
    sums = np.add.reduceat(weights[orders], firsts, axis=1)
    # mini-batches of weight zero do not change the weights
    shares = np.minimum(m, n - firsts) / np.where(sums > 0, sums, np.inf)
    means = ((costs * shares).sum(axis=1) / n).tolist()
    return means, (alpha * shares.sum(axis=1) / n).tolist()


class Solver:
    """The learning rate and the moments of one training.

    Attributes
    ----------
    learning_rate_init : float
        The rate that the training started with.
    learning_rate : float
        The rate of the next step. With Adam, as in scikit-learn, that of the last step including
        the bias correction of the moments. It can be set with the solver "sgd".
    t : int
        The number of steps so far.
    """

    def __init__(self, settings: Settings, model: Model):
        self._optimizer = settings.optimizer
        self._initial = self._rate = settings.learning_rate_init
        self._power_t = settings.power_t
        self._learning_rate = settings.learning_rate
        if settings.optimizer is not None:
            settings.optimizer.check_dtype("{}: expected", model.dtype)
        chosen = SGDOptions(optimizer=settings.optimizer, dropout=settings.dropout).checked(model)
        self._step_options = chosen.step_options(model, 1.0)._replace(divide_l2=True)
        self._steps = 0

    def __getstate__(self) -> dict[str, Any]:
        step = self._step_options
        keywords = {"moments": step.moments, "dropout": step.dropout, "optimizer": step.optimizer}
        keywords = {name: value for name, value in keywords.items() if value is not None}
        others = {k: v for k, v in vars(self).items() if k not in ("_step_options", "_steps")}
        return {**others, "_told": {**keywords, "steps": self._steps}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The state has the names of earlier versions, so that their pickles can be read."""
        keywords = dict(state["_told"])
        self._steps = keywords.pop("steps")
        self._step_options = StepOptions(1, divide_l2=True, **keywords)
        vars(self).update({name: value for name, value in state.items() if name != "_told"})

    def moments(self, model: Model) -> NDArray:
        """The moments, (n_moments, parameters), which can be written to."""
        moments = self._step_options.moments
        if moments is None:
            return np.empty((0, model.n_parameters), model.dtype)
        return moments.reshape(-1, model.n_parameters)

    def saved(self) -> dict[str, Any]:
        """The state for a checkpoint, without the moments."""
        return {"rate": self._rate, "steps": int(self._steps)}

    def restore(self, saved: Fields) -> None:
        """Continue with what ``saved`` returned."""
        rate, steps = saved.nonnegative("rate"), saved.integer("steps", 0, 2**64 - 1)
        self._rate, self._steps = rate, steps

    @property
    def learning_rate_init(self) -> float:
        return self._initial

    @property
    def t(self) -> int:
        return self._steps

    @property
    def optimizer(self) -> Optimizer | None:
        """None for plain gradient descent."""
        return self._optimizer

    @property
    def learning_rate(self) -> float:
        if self._optimizer is None or not self.t:
            return self._rate
        return self._optimizer.last_rate(self._rate, self.t)

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        if self._optimizer is not None and self._optimizer.sklearn_name != "sgd":
            raise AttributeError(
                f"learning_rate: expected to be set for the solver 'sgd' only; that of "
                f"{self._optimizer.sklearn_name!r} follows from learning_rate_init"
            )
        self._change(checks.positive("learning_rate", rate))

    def epochs_per_call(self, model: Model, n: int) -> int:
        """The maximum number of epochs over n examples in one call of the kernel."""
        if model.cost_spec.kernel is None or self._learning_rate == "invscaling":
            return 1
        return loop.epochs_per_call(model, n, store_parameters=True)

    def epochs(
        self, settings: Settings, model: Model, examples: Examples, order: NDArray,
        snapshots: NDArray, random: np.random.RandomState, number: int,
        poll: Callable[[int], object] | None,
    ) -> Iterator[Epoch]:  # fmt: skip
        """Train for as many epochs as ``snapshots``, (epochs, parameters), has rows. ``number`` is
        the number of the first epoch; each epoch shuffles the order of the one before. Yields the
        complete epochs, with a row of ``snapshots`` as their parameters, and then raises the error
        that ended the training, if there was one.

        Raises
        ------
        DivergenceError
            The parameters are as they were before that epoch, the moments zero.
        """
        data, weights, m = examples
        count, steps = len(snapshots), -(-len(order) // m)
        before = random.get_state() if count > 1 else None
        orders, keys = self._drawn(random, order, settings.shuffle, count)
        step = self._step_options._replace(mini_batch_size=m, l2=settings.alpha)
        costs = np.zeros((count, steps))
        passes = Passes(
            orders, self._rate, number, keys if self._step_options.draws else None, poll,
            snapshots, costs.reshape(-1) if model.cost_spec.kernel is not None else None,
        )  # fmt: skip
        trained = model.training(step)
        trained.steps = self._steps
        failure: BaseException | None = None
        try:
            loop.train_passes(model, data, trained, passes, weights)
        except DivergenceError as error:
            failure = DivergenceError(error.epoch, _ADVICE)
        except BaseException as error:
            failure = error
        complete, self._steps = passes.n_complete, trained.steps
        if failure is not None and before is not None:
            random.set_state(before)
            self._drawn(random, order, settings.shuffle, complete + 1)
        means, l2 = _figures(costs[:complete], orders[:complete], m, weights, settings.alpha)
        if model.cost_spec.kernel is None and complete:
            means = [model.total_cost(data, 0.0, weights=weights)]
        for k in range(complete):
            yield Epoch(means[k], l2[k], snapshots[k], orders[k])
        if failure is not None:
            raise failure

    def _drawn(
        self, random: np.random.RandomState, order: NDArray, shuffle: bool, count: int
    ) -> tuple[NDArray, NDArray]:
        """Orders (count, n) and keys for dropout (count,), drawn epoch by epoch."""
        orders = np.empty((count, len(order)), np.int64)
        keys = np.zeros(count, np.uint64)
        for k in range(count):
            orders[k] = order
            order = orders[k]
            if shuffle:
                random.shuffle(order)
            if self._step_options.dropout is not None:
                keys[k] = random.randint(1 << 63, dtype=np.int64)
        return orders, keys

    def epoch_ended(self, t: int) -> None:
        """Set the rate of "invscaling" after an epoch; t is the number of examples used so far."""
        if self._learning_rate == "invscaling":
            self._change(self._initial / (t + 1) ** self._power_t)

    def lower_rate(self) -> bool:
        """Divide an "adaptive" rate by 5 after a plateau; returns False if training should stop."""
        if self._learning_rate != "adaptive" or self._rate <= 1e-6:
            return False
        self._change(self._rate / 5)
        return True

    def _change(self, rate: float) -> None:
        moments = self._step_options.moments
        if self._optimizer is not None and moments is not None:
            self._optimizer.change_rate(moments, self._rate, rate)
        self._rate = rate
