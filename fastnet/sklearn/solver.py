"""One epoch as scikit-learn's solvers go through it.

``Network.SGD`` divides lambda by n, the number of training examples; scikit-learn divides
alpha by the weight of the mini-batch at hand, which for its last one, and for examples with
weights, is another number. The moments outlive an epoch, and for ``partial_fit`` the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet import techniques, training
from fastnet.data import Dataset
from fastnet.model import Model
from fastnet.optimizers import Adam
from fastnet.sklearn.parameters import Settings


class Solver:
    """The learning rate and the moments of one training."""

    def __init__(self, settings: Settings, model: Model):
        self._optimizer = settings.optimizer
        self._initial = self._rate = settings.learning_rate_init
        self._power_t = settings.power_t
        self._learning_rate = settings.learning_rate
        chosen = techniques.checked(model, 0.0, settings.optimizer, settings.dropout, 0)
        self._told = chosen.start(model, 1.0)
        self._told["steps"] = 0

    def epoch(
        self, model: Model, data: Dataset, order: NDArray, m: int, weights: NDArray | None,
        alpha: float, random: np.random.RandomState, number: int,
        watch: Callable[[int], object] | None,
    ) -> tuple[float, float]:  # fmt: skip
        """One pass over ``order``; returns the mean cost of an example, and the mean l2.

        The costs are those of each mini-batch before its step, as scikit-learn counts: the mean
        over the mini-batches of their weighted means; of a cost of the user's own, after the epoch.

        Raises
        ------
        DivergenceError
            The parameters are as they were before it, the moments zero.
        """
        n = len(order)
        told: dict[str, Any] = dict(self._told, watch=watch)
        if weights is not None:
            told["weights"] = weights
        if "dropout" in told:
            told["key"] = int(random.randint(1 << 63, dtype=np.int64))
        steps = -(-n // m)
        costs = np.zeros(steps)
        if model.choice.kernel is not None:
            told["costs"] = costs
        try:
            training.train(
                model, data, order[None], m, self._rate, alpha, number, divide_l2=True, **told
            )
        except BaseException:
            if "moments" in self._told and not self._told["moments"].any():
                self._told["steps"] = 0  # they begin again
            raise
        self._told["steps"] += steps
        if weights is None:
            cost, decay = float(costs.sum()) / n, alpha * steps / n
        else:
            firsts = np.arange(0, n, m)
            sums = np.add.reduceat(weights[order], firsts)
            # mini-batches that weigh nothing do not move the weights
            shares = np.minimum(m, n - firsts) / np.where(sums > 0, sums, np.inf)
            cost, decay = float((costs * shares).sum()) / n, alpha * float(shares.sum()) / n
        if model.choice.kernel is None:
            cost = model.total_cost(data, 0.0, weights=weights)
        return cost, decay

    def epoch_ended(self, t: int) -> None:
        """After an epoch, and t examples in all: the rate of "invscaling" follows."""
        if self._learning_rate == "invscaling":
            self._change(self._initial / (t + 1) ** self._power_t)

    def goes_on(self) -> bool:
        """There was no improvement: a fifth of the rate, if it is "adaptive"; False: stop."""
        if self._learning_rate != "adaptive" or self._rate <= 1e-6:
            return False
        self._change(self._rate / 5)
        return True

    def _change(self, rate: float) -> None:
        """scikit-learn's velocity is the step itself, fastnet's the step over the rate."""
        if "moments" in self._told and not isinstance(self._optimizer, Adam):
            self._told["moments"] *= self._rate / rate
        self._rate = rate
