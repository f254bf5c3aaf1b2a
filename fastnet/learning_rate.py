"""The search for a learning rate."""

from __future__ import annotations

import copy
import inspect
import math
import time
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from fastnet.core import checks
from fastnet.core.lazy import lazy_attribute
from fastnet.data.coerce import given_data
from fastnet.data.dataset import Data, Dataset
from fastnet.data.sample_weights import example_weights
from fastnet.network import Network, inputs_of, model_of
from fastnet.training.errors import DivergenceError
from fastnet.training.monitoring import default_figure
from fastnet.training.options import SGDOptions
from fastnet.training.overridden import OverriddenMethods

# Powers of ten: where the search begins, and its bounds.
_FIRST, _LOWEST, _HIGHEST = -2, -10, 10

# Increases of the cost by less than this fraction of its total decrease are ignored, since the
# cost fluctuates from mini-batch to mini-batch.
_TOLERANCE = 0.01

# Arguments of ``SGD`` that the search does not allow.
_NOT_ALLOWED = {"schedule", "early_stopping", "callbacks", "verbose", "test_data", "checkpoint",
                "checkpoint_every", "resume"}  # fmt: skip


class Trial(NamedTuple):
    """One training with one learning rate.

    Attributes
    ----------
    eta : float
    costs : list of float
        The training cost before the first epoch and after each; infinite, and the
        last, if the training diverged.
    falls : bool
        Whether the cost falls, as defined by ``find_learning_rate``.
    seconds : float
        The time of the training, including the costs.
    evaluation_accuracy : int or None
        The number of correct evaluation examples at the end, if the targets are classes.
    evaluation_cost : float or None
        The cost on the evaluation data at the end, with the L2 term, if they are not.
    """

    eta: float
    costs: list[float]
    falls: bool
    seconds: float
    evaluation_accuracy: int | None
    evaluation_cost: float | None = None


class LearningRate(NamedTuple):
    """The result of ``find_learning_rate``.

    Attributes
    ----------
    threshold : float
        The largest rate with which the training cost falls, to one digit: 1, 2 or 5.
    eta : float
        Half of it, the rate to train with.
    trials : list of Trial
        In the order in which they were made.
    """

    threshold: float
    eta: float
    trials: list[Trial]


def find_learning_rate(
    net: Network,
    training_data: Data,
    evaluation_data: Data | None = None,
    *,
    mini_batch_size: int = 10,
    epochs: int = 3,
    lmbda: float = 0.0,
    verbose: bool = True,
    **options: Any,
) -> LearningRate:
    """Search for the largest learning rate with which the training cost falls.

    The procedure of M. Nielsen, Neural Networks and Deep Learning, chapter 3, "How to choose a
    neural network's hyper-parameters?". First the order of magnitude: from eta = 0.01 up by
    factors of ten while the training cost falls during the first few epochs, or else down until
    it does. Then 5 and 2 times the last rate with which it fell. The result also
    contains half of that threshold, as a rate for long trainings.

    Parameters
    ----------
    net : Network
        With the weights to start from; it is not changed. Each trial trains a copy, in the same
        order of examples, so that the same call finds the same rate.
    training_data : as for ``Network.SGD``
        The cost is that of all of its examples, weighted as the training weighs them, with the
        terms of ``lmbda`` and ``l1``.
    evaluation_data : as training_data, or None
        For information, each trial is evaluated on them at the end: by its accuracy if the
        targets are classes, otherwise by its cost.
    mini_batch_size, lmbda : as for ``Network.SGD``
    epochs : int, default 3
        The length of a trial, 1 or more.
    verbose : bool, default True
        Print a line per trial.
    **options
        Further arguments of ``SGD`` that the training will have: ``l1``, ``dropout``,
        ``optimizer``, ``shift``, ``sample_weight``, ``class_weight``. Arguments that change the
        rate or stop the training are not allowed.

    Returns
    -------
    LearningRate
        A named tuple ``(threshold, eta, trials)``; a trial is ``(eta, costs, falls, seconds,
        evaluation_accuracy, evaluation_cost)``.

    Raises
    ------
    ValueError, TypeError
        As ``Network.SGD`` for arguments that do not fit. Also a ValueError if the cost falls with
        no rate from 1e-10 to 0.01, or with all rates up to 1e10.

    Notes
    -----
    The cost counts as falling under three conditions: it ends below its start; no epoch raises it
    by more than 1 % of its largest decrease, a tolerance for the fluctuations of mini-batches; and
    it ends no higher than the cost after the first epoch with any smaller rate tried. The last
    condition excludes rates so large that neurons saturate and nothing changes any more. If there
    is no smaller rate and the cost stays level after its first epoch, a tenth of the rate is tried,
    too. The cost of a training that diverges does not fall.

    Examples
    --------
    >>> import fastnet
    >>> training, validation, test = fastnet.load_mnist()
    >>> net = fastnet.Network([784, 10], "quadratic", seed=1)
    >>> found = find_learning_rate(net, training[:1000], verbose=False)
    >>> found.threshold, found.eta
    (1.0, 0.5)
    >>> [(trial.eta, trial.falls) for trial in found.trials]
    [(0.01, True), (0.1, True), (1.0, True), (10.0, False), (5.0, False), (2.0, False)]
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a fastnet.Network, got {checks.short_repr(net)}")
    _check_options(options)
    epochs = checks.integer("epochs", epochs, 1)
    data = inputs_of(net).training_set(training_data)
    evaluation_data = given_data("evaluation_data", evaluation_data)
    evaluation = None
    if evaluation_data is not None:
        evaluation = inputs_of(net).evaluation_set(evaluation_data, data)
    if not isinstance(training_data, Dataset):
        inputs_of(net).warn_of_bytes("training_data", data)
    arguments = {"epochs": epochs, "mini_batch_size": mini_batch_size, "lmbda": lmbda, **options}
    search = _Search(net, data, evaluation, evaluation_data, arguments, verbose)
    power = _FIRST
    if search.falls(1, power):
        while search.falls(1, power + 1):
            power += 1
            if power == _HIGHEST:
                raise ValueError(
                    f"net, training_data: expected a training cost that does not fall with some "
                    f"eta up to 1e{_HIGHEST}, got one that falls with all"
                )
    else:
        while not search.falls(1, power - 1):
            power -= 1
            if power == _LOWEST:
                raise ValueError(
                    f"net, training_data: expected a training cost that falls with some eta, "
                    f"got one that falls with none from 1e{_LOWEST} to 1e{_FIRST}"
                )
        power -= 1
    digit = next((digit for digit in (5, 2) if search.falls(digit, power)), 1)
    threshold = _rate(digit, power)
    if verbose:
        print(f"Threshold: eta {threshold:g}; half of it: {threshold / 2:g}", flush=True)
    return LearningRate(threshold, threshold / 2, search.trials)


def _check_options(options: dict[str, Any]) -> None:
    """Raise a TypeError for an option that is not an argument of ``SGD`` or not allowed here."""
    parameters = inspect.signature(Network.SGD).parameters.values()
    names = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in _NOT_ALLOWED]
    for name in options:
        if name not in names:
            raise TypeError(
                f"{name}: expected only these arguments of SGD: {', '.join(names)}; "
                f"got {checks.short_repr(options[name])}"
            )


def _rate(digit: int, power: int) -> float:
    return float(f"{digit}e{power}")


class _Search:
    """The trials of one search; no rate is tried twice."""

    def __init__(
        self,
        net: Network,
        data: Dataset,
        evaluation: Dataset | None,
        evaluation_data: Data | None,
        arguments: dict[str, Any],
        verbose: bool,
    ):
        self.trials: list[Trial] = []
        self._net, self._data, self._evaluation = net, data, evaluation
        self._given = evaluation_data
        self._arguments, self._verbose = arguments, verbose
        self._options = SGDOptions(**arguments)  # checked by the first call of SGD

    def falls(self, digit: int, power: int) -> bool:
        """Whether the training cost falls with the rate digit 10^power."""
        eta = _rate(digit, power)
        for trial in self.trials:
            if trial.eta == eta:
                return trial.falls
        start = time.perf_counter()
        net, costs = self._train(eta)
        seconds = time.perf_counter() - start
        accuracy, cost = self._evaluated(net)
        slack = _TOLERANCE * (costs[0] - min(costs))
        falls = costs[-1] < costs[0] and all(b <= a + slack for a, b in pairwise(costs))
        level = len(costs) > 2 and costs[1] - costs[-1] <= slack
        if falls and level and power > _LOWEST and not self._below(eta):
            self.falls(digit, power - 1)
        falls = falls and costs[-1] <= min((t.costs[1] for t in self._below(eta)), default=math.inf)
        self.trials.append(Trial(eta, costs, falls, seconds, accuracy, cost))
        if self._verbose:
            self._print(self.trials[-1])
        return falls

    def _evaluated(self, net: Network) -> tuple[Any, float | None]:
        """(accuracy, None) on the evaluation data if their targets are classes, else (None,
        cost)."""
        if self._evaluation is None:
            return None, None
        name = default_figure(self._evaluation)
        figures = self._overridden_methods(net).figures
        if name == "evaluation_accuracy":
            return figures.get(name, partial(net.accuracy, self._evaluation))(), None
        cost = partial(net.total_cost, self._evaluation, self._options.lmbda)
        return None, figures.get(name, cost)()

    def _overridden_methods(self, net: Network) -> OverriddenMethods:
        sets = {"training": self._data}
        if self._evaluation is not None:
            sets["evaluation"] = self._evaluation
        return OverriddenMethods(net, model_of(net), sets, self._given, self._options)

    def _below(self, eta: float) -> list[Trial]:
        """The trials with smaller rates."""
        return [trial for trial in self.trials if trial.eta < eta]

    def _train(self, eta: float) -> tuple[Network, list[float]]:
        """A network trained with the rate, and its costs."""
        net = copy.deepcopy(self._net)
        try:
            history = net.SGD(
                self._data,
                eta=eta,
                monitor_training_cost=True,
                verbose=False,
                **self._arguments,
            )
            costs = history.training_cost
        except DivergenceError:
            costs = [math.inf]
        return net, [self._cost_at_the_start, *costs]

    @lazy_attribute
    def _cost_at_the_start(self) -> float:
        """The training cost of the untrained network; SGD has checked the arguments before."""
        options, model = self._options, model_of(self._net)
        custom = self._overridden_methods(self._net).figures.get("training_cost")
        if custom is not None:
            return float(custom())
        schema = model.schema_learned_from(self._data)
        class_weight = schema.class_weight(options.class_weight)
        weights = example_weights(self._data.y, model.classes, options.sample_weight, class_weight)
        return model.total_cost(self._data, options.lmbda, l1=options.l1, weights=weights)

    def _print(self, trial: Trial) -> None:
        words = [
            f"eta {trial.eta:g}",
            f"Cost on training data: {', '.join(f'{cost:.4g}' for cost in trial.costs)}",
        ]
        if trial.evaluation_cost is not None:
            words.append(f"Cost on evaluation data: {trial.evaluation_cost:.4g}")
        elif self._evaluation is not None:
            words.append(
                f"Accuracy on evaluation data: {trial.evaluation_accuracy} / "
                f"{len(self._evaluation)}"
            )
        print(*words, "falls" if trial.falls else "does not fall", sep="  ", flush=True)
