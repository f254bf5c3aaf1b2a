"""Methods of ``Network`` that a subclass, or one network, overrides: the loops of the book's
network2.py, which call them where the kernels would do without.

Overrides get what the book's methods get: examples as pairs of columns (x, y) with one-hot y, and
columns for ``feedforward``. Much slower than the kernels, one example after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet import checks
from fastnet.data import Dataset
from fastnet.model import Model, classes_of
from fastnet.techniques import Techniques
from fastnet.training import OwnEpoch

# What is looked for in a subclass.
METHODS = (
    "default_weight_initializer",
    "update_mini_batch",
    "backprop",
    "feedforward",
    "accuracy",
    "total_cost",
)

Pair: TypeAlias = tuple[NDArray, NDArray]

_defined: dict[str, Any] = {}  # the methods as the package has them


def remember(network_class: type) -> None:
    _defined.update((name, vars(network_class)[name]) for name in METHODS)


def overrides(net: Any, *names: str) -> bool:
    """Whether one of the methods is not the package's own."""
    kind, own = type(net), vars(net)
    for name in names:  # noqa: SIM110  # any() takes twice as long, felt in the smallest networks
        if getattr(kind, name) is not _defined[name] or name in own:
            return True
    return False


class OwnMethods:
    """What the overridden methods of a network do in one call of ``SGD``.

    Parameters
    ----------
    net : Network
    model : Model
    sets : {"training": Dataset, "evaluation": Dataset}
        The second where there are evaluation data.
    evaluation_data
        What was given for them.
    lmbda, l1 : float

    Attributes
    ----------
    figures : {field of ``History``: callable}
        What measures that figure of the network as it is, where it is not the kernels.
    """

    def __init__(
        self, net: Any, model: Model, sets: Mapping[str, Dataset], evaluation_data: Any,
        lmbda: float, l1: float,
    ):  # fmt: skip
        self._net, self._model, self._data, self._lmbda = net, model, sets["training"], lmbda
        self._steps = overrides(net, "update_mini_batch", "backprop")
        self.figures: dict[str, Callable[[], Any]] = {}
        if overrides(net, "accuracy"):
            self.figures["training_accuracy"] = lambda: net.accuracy(self._pairs, convert=True)
            self.figures["evaluation_accuracy"] = lambda: net.accuracy(evaluation_data)
        elif overrides(net, "feedforward"):
            for kind, data in sets.items():
                self.figures[f"{kind}_accuracy"] = partial(accuracy, net, data)
        if overrides(net, "total_cost"):
            self.figures["training_cost"] = lambda: net.total_cost(self._pairs, lmbda)
            self.figures["evaluation_cost"] = lambda: net.total_cost(
                evaluation_data, lmbda, convert=True
            )
        elif overrides(net, "feedforward"):
            for kind, data in sets.items():
                self.figures[f"{kind}_cost"] = partial(total_cost, net, model, data, lmbda, l1)
        self.figures = {
            name: partial(_number, name.partition("_")[2], measure)
            for name, measure in self.figures.items()
        }

    def check(self, chosen: Techniques, weights: NDArray | None, monitored: Iterable[str]) -> None:
        """Refuse what an overridden method would not know of."""
        if self._steps:
            for name, value in chosen._asdict().items():
                if value and value != (0.0,) * len(self._model.hidden):
                    raise TypeError(f"{name}: {_REFUSED}, got {checks.briefly(value)}")
        own_cost = "training_cost" in self.figures and "training_cost" in monitored
        if weights is not None and (self._steps or own_cost):
            raise TypeError(f"sample_weight, class_weight: {_REFUSED}, got weights")

    def epoch(self, mini_batch_size: int) -> OwnEpoch | None:
        """What trains for an epoch, by ``net.update_mini_batch``; None: the kernels do."""
        if not self._steps:
            return None

        def train(order: NDArray, eta: float, watch: Callable[[int], object] | None) -> None:
            pairs = self._pairs
            for first in range(0, len(order), mini_batch_size):
                if watch is not None:
                    watch(first)
                mini_batch = [pairs[i] for i in order[first : first + mini_batch_size]]
                self._net.update_mini_batch(mini_batch, eta, self._lmbda, len(pairs))

        return train

    @cached_property
    def _pairs(self) -> list[Pair]:
        return pairs_of(self._model, self._data)


_REFUSED = "expected none beside an overridden method, which does not know of it"


def _number(name: str, measure: Callable[[], Any]) -> Any:
    """A figure, of an overridden method perhaps."""
    value = measure()
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, (Real, np.bool_)):
        raise TypeError(f"{name}: expected a number, got {checks.briefly(value)}")
    return value


def pairs_of(model: Model, data: Dataset) -> list[Pair]:
    """Columns x (n_in, 1) and y (n_out, 1) in the network's type, labels as a single one."""
    targets = model.target_columns(data.y)
    return [
        (x.astype(model.dtype), targets[:, s, None].copy()) for s, (x, _) in enumerate(iter(data))
    ]


def outputs(net: Any, data: Dataset) -> NDArray:
    """(n, n_out) by ``net.feedforward``, column by column."""
    n_out = net.sizes[-1]
    rows = np.empty((len(data), n_out), np.float64)
    for s, (x, _) in enumerate(iter(data)):
        a = np.asarray(net.feedforward(x.astype(net.dtype)))
        if a.size != n_out:
            raise ValueError(f"feedforward: expected {n_out} outputs, got shape {a.shape}")
        rows[s] = a.ravel()
    return rows


def accuracy(net: Any, data: Dataset) -> int:
    """How many outputs of ``net.feedforward`` are right."""
    true = data.y if data.y.ndim == 1 else classes_of(data.y)
    return int(np.count_nonzero(classes_of(outputs(net, data)) == true))


def total_cost(net: Any, model: Model, data: Dataset, lmbda: float, l1: float = 0.0) -> float:
    """The mean cost of the outputs of ``net.feedforward``, and the L2 and L1 terms."""
    targets, fn = model.target_columns(data.y), net.cost.fn
    a = outputs(net, data).astype(model.dtype)
    total = sum(
        float(fn(a[s, :, None].copy(), targets[:, s, None].copy())) for s in range(len(data))
    )
    penalty = lmbda / 2 * model.squares(model.values) + l1 * model.magnitudes(model.values)
    return (total + penalty) / len(data)


def one_step(net: Any, data: Dataset, lmbda: float, n: int) -> OwnEpoch:
    """What trains with all of ``data`` as one mini-batch, by ``net.backprop``."""
    pairs = pairs_of(net._model, data)

    def step(order: NDArray, eta: float, watch: Callable[[int], object] | None) -> None:
        update_mini_batch(net, pairs, eta, lmbda, n)

    return step


def update_mini_batch(
    net: Any, mini_batch: Sequence[Pair], eta: float, lmbda: float, n: int
) -> None:
    """One step of gradient descent, with the gradients that ``net.backprop`` gives."""
    sums: list[list[NDArray]] = []
    for x, y in mini_batch:
        nablas = [list(layers) for layers in net.backprop(x, y)]
        if not sums:
            sums = [[np.zeros_like(nabla) for nabla in layers] for layers in nablas]
        for total, layers in zip(sums, nablas, strict=True):
            for one, nabla in zip(total, layers, strict=True):
                one += nabla
    nabla_b, nabla_w = sums
    rate, kept = eta / len(mini_batch), 1 - eta * (lmbda / n)
    net.weights = [kept * w - rate * nw for w, nw in zip(net.weights, nabla_w, strict=True)]
    net.biases = [b - rate * nb for b, nb in zip(net.biases, nabla_b, strict=True)]
