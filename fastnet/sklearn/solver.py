"""One epoch as scikit-learn's solvers go through it.

``Network.SGD`` divides lambda by n, the number of training examples; scikit-learn divides
alpha by the weight of the mini-batch at hand, which for its last one, and for examples with
weights, is another number. So the mini-batches that decay alike go to the kernels together.
The moments outlive an epoch, and for ``partial_fit`` the call.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet import techniques
from fastnet.data import Dataset
from fastnet.model import Model
from fastnet.optimizers import Adam
from fastnet.sklearn.parameters import Settings
from fastnet.training import DivergenceError


def stretches(
    order: NDArray, m: int, weights: NDArray | None, alpha: float
) -> Iterator[tuple[int, int, float]]:
    """(first, end, l2) of mini-batches in a row whose weights decay by the same l2.

    Examples
    --------
    >>> list(stretches(np.arange(5), 2, None, 0.1))
    [(0, 4, 0.05), (4, 5, 0.1)]
    >>> list(stretches(np.arange(5), 2, np.array([1, 1, 1, 1, 2]), 0.1))
    [(0, 5, 0.05)]
    """
    n = len(order)
    if alpha == 0:
        yield 0, n, 0.0
    elif weights is None:
        whole = n - n % m
        if whole:
            yield 0, whole, alpha / m
        if n > whole:
            yield whole, n, alpha / (n - whole)
    else:
        sums = np.add.reduceat(weights[order], np.arange(0, n, m))
        at = [0, *(np.flatnonzero(np.diff(sums)) + 1), len(sums)]
        for k, end in itertools.pairwise(at):
            # mini-batches that weigh nothing do not move the weights
            yield k * m, min(end * m, n), float(alpha / sums[k]) if sums[k] > 0 else 0.0


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
        before, total, decay, n = model.values.copy(), 0.0, 0.0, len(order)
        try:
            for first, end, l2 in stretches(order, m, weights, alpha):
                decay += (end - first) * l2 / n
                total += self._train(
                    model, data, order[first:end], m, l2, weights, random, first, watch
                )
            if not model.is_finite():
                raise DivergenceError(number)
            model.learned_from(data)
        except BaseException as error:
            # of what Ctrl-C interrupts, the mini-batches that are done stay
            if isinstance(error, Exception) or not model.is_finite():
                model.values[...] = before
                if "moments" in self._told:  # which are not finite either
                    self._told["moments"][...] = 0
                    self._told["steps"] = 0
            raise
        if model.choice.kernel is None:
            return model.total_cost(data, 0.0, weights=weights), decay
        return total / n, decay

    def _train(
        self, model: Model, data: Dataset, order: NDArray, m: int, l2: float,
        weights: NDArray | None, random: np.random.RandomState, first: int,
        watch: Callable[[int], object] | None,
    ) -> float:  # fmt: skip
        """The sum of the mini-batches' mean costs, each as often as it has examples."""
        told: dict[str, Any] = dict(self._told)
        if weights is not None:
            told["weights"] = weights
        if "dropout" in told:
            told["key"] = int(random.randint(1 << 63, dtype=np.int64))
        if watch is not None:
            told["watch"] = lambda done: watch(first + done)
        firsts = np.arange(0, len(order), m)
        costs = np.zeros(len(firsts))
        if model.choice.kernel is not None:
            told["costs"] = costs
        model.train(data, order, m, self._rate, l2, **told)
        self._told["steps"] += len(firsts)
        if weights is not None:
            sums = np.add.reduceat(weights[order], firsts)
            costs *= np.minimum(m, len(order) - firsts) / np.where(sums > 0, sums, np.inf)
        return float(costs.sum())

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
