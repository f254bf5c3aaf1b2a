"""Methods of ``Network`` that a subclass, or one network, overrides: the loops of the book's
network2.py, which call them in place of the kernels.

Overrides get what the book's methods get: examples as pairs of columns (x, y) with one-hot y, and
columns for ``feedforward``. One example is computed after the other, much slower than by the
kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet import checks, reporting
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
    for name in names:  # noqa: SIM110  # each update_mini_batch asks, and any() takes twice as long
        if getattr(kind, name) is not _defined[name] or name in own:
            return True
    return False


def _first_overridden(net: Any, *names: str) -> str | None:
    return next((name for name in names if overrides(net, name)), None)


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
        self._step = _first_overridden(net, "update_mini_batch", "backprop")
        self._cost = _first_overridden(net, "total_cost", "feedforward")
        self.figures: dict[str, Callable[[], Any]] = {}
        # As network2's SGD calls them: a list of its own, whose order a method may change.
        if overrides(net, "accuracy"):
            self.figures["training_accuracy"] = lambda: _count(
                net.accuracy([*self._pairs], convert=True)
            )
            self.figures["evaluation_accuracy"] = lambda: _count(net.accuracy(evaluation_data))
        elif overrides(net, "feedforward"):
            for kind, data in sets.items():
                self.figures[f"{kind}_accuracy"] = partial(accuracy, net, data)
        if overrides(net, "total_cost"):
            self.figures["training_cost"] = lambda: _cost(net.total_cost([*self._pairs], lmbda))
            self.figures["evaluation_cost"] = lambda: _cost(
                net.total_cost(evaluation_data, lmbda, convert=True)
            )
        elif overrides(net, "feedforward"):
            for kind, data in sets.items():
                self.figures[f"{kind}_cost"] = partial(total_cost, net, model, data, lmbda, l1)

    def check(self, chosen: Techniques, weights: NDArray | None, monitored: Iterable[str]) -> None:
        """Refuse what an overridden method would not know of."""
        if self._step:
            for name, value in chosen._asdict().items():
                if value and value != (0.0,) * len(self._model.hidden):
                    raise TypeError(_refusal(name, self._step, checks.briefly(value)))
        followed = self._cost if "training_cost" in monitored else None
        if weights is not None and (self._step or followed):
            method = self._step or followed
            raise TypeError(_refusal("sample_weight, class_weight", method, "weights"))

    def epoch(self, mini_batch_size: int) -> OwnEpoch | None:
        """What trains for an epoch, by ``net.update_mini_batch``; None: the kernels do."""
        if not self._step:
            return None

        def train(order: NDArray, eta: float, watch: Callable[[int], object] | None) -> None:
            pairs = self._pairs
            for first in range(0, len(order), mini_batch_size):
                if watch is not None:
                    watch(first)
                mini_batch = [pairs[i] for i in order[first : first + mini_batch_size]]
                self._update(mini_batch, eta, len(pairs))

        return train

    def _update(self, mini_batch: list[Pair], eta: float, n: int) -> None:
        """One step; an interrupt leaves the parameters of the mini-batches that were complete."""
        before = self._model.values.copy()
        try:
            self._net.update_mini_batch(mini_batch, eta, self._lmbda, n)
        except BaseException as error:
            if not isinstance(error, Exception):
                self._model.parameters.restore(before)
            raise

    @cached_property
    def _pairs(self) -> list[Pair]:
        return pairs_of(self._model, self._data)


def _refusal(name: str, method: str | None, came: str) -> str:
    return (
        f"{name}: expected none beside an overridden {method}, which is not told of it, got {came}"
    )


def _number(method: str, value: Any) -> Any:
    """What an overridden method returned, as a number of Python's, which JSON knows."""
    if np.ndim(value) == 0 and isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if not isinstance(value, Real):
        raise TypeError(f"{method}: expected it to return a number, got {checks.briefly(value)}")
    return value


_count = partial(_number, "accuracy")


def _cost(value: Any) -> float:
    return float(_number("total_cost", value))


def pairs_of(model: Model, data: Dataset) -> list[Pair]:
    """Columns x (n_in, 1) and y (n_out, 1) in the network's type, labels as a single one."""
    targets = model.target_columns(data.y)
    return [
        (x.astype(model.dtype), targets[:, s, None].copy()) for s, (x, _) in enumerate(iter(data))
    ]


def outputs(net: Any, data: Dataset) -> NDArray:
    """(n, n_out) by ``net.feedforward``, column by column."""
    n_out = net.sizes[-1]
    rows, watch = np.empty((len(data), n_out), np.float64), reporting.stopping()
    for s, (x, _) in enumerate(iter(data)):
        if watch is not None:
            watch(s)
        a = np.asarray(net.feedforward(x.astype(net.dtype)))
        if a.size != n_out or a.dtype.kind not in "biuf":
            raise ValueError(
                f"feedforward: expected it to return {n_out} numbers, got {a.dtype} of shape "
                f"{a.shape}"
            )
        rows[s] = a.ravel()
    return rows


def accuracy(net: Any, data: Dataset) -> int:
    """How many outputs of ``net.feedforward`` are right."""
    true = data.y if data.y.ndim == 1 else classes_of(data.y)
    return int(np.count_nonzero(classes_of(outputs(net, data)) == true))


def total_cost(net: Any, model: Model, data: Dataset, lmbda: float, l1: float = 0.0) -> float:
    """The mean cost of the outputs of ``net.feedforward``, and the L2 and L1 terms."""
    targets, a = model.target_columns(data.y), outputs(net, data).astype(model.dtype)
    total = sum(
        model.own_cost(a[s, :, None].copy(), targets[:, s, None].copy()) for s in range(len(data))
    )
    return model.mean_costs([total], model.values[None], data, lmbda, l1, None)[0]


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
    weights, biases = net.weights, net.biases
    nabla_b, nabla_w = ([np.zeros(p.shape) for p in layers] for layers in (biases, weights))
    for x, y in mini_batch:
        for total, nabla in zip(nabla_b + nabla_w, _gradient(net, x, y), strict=True):
            total += nabla
    rate, kept = eta / len(mini_batch), 1 - eta * (lmbda / n)
    with np.errstate(over="ignore", invalid="ignore"):  # the assignments refuse what comes of it
        new_weights = [kept * w - rate * nw for w, nw in zip(weights, nabla_w, strict=True)]
        new_biases = [b - rate * nb for b, nb in zip(biases, nabla_b, strict=True)]
    net.weights, net.biases = new_weights, new_biases


def _gradient(net: Any, x: NDArray, y: NDArray) -> list[NDArray]:
    """What ``net.backprop`` returns, the biases' first, checked."""
    returned = net.backprop(x, y)
    expected = [[p.shape for p in layers] for layers in (net.biases, net.weights)]
    try:
        nablas = [[np.asarray(nabla) for nabla in layers] for layers in returned]
        shapes = [[nabla.shape for nabla in layers] for layers in nablas]
    except (TypeError, ValueError):
        shapes = None
    if shapes != expected:
        came = checks.briefly(returned) if shapes is None else f"shapes {shapes}"
        raise ValueError(
            f"backprop: expected it to return (nabla_b, nabla_w), lists of arrays of the shapes "
            f"{expected}, got {came}"
        )
    return nablas[0] + nablas[1]
