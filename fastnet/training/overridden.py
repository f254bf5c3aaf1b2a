"""Overridden methods of ``Network``: the loops of the book's network2.py, which call the methods
of a subclass, or of one network, instead of the kernels.

Overrides get the arguments of the book's methods: examples as pairs of columns (x, y) with one-hot
y, and columns for ``feedforward``. They compute one example at a time, which is much slower than
the kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, reporting
from fastnet.core.lazy import lazy_attribute
from fastnet.data.dataset import Dataset
from fastnet.model import Model, classes_of
from fastnet.network_inputs import NetworkInputs
from fastnet.training.loop import CustomEpoch
from fastnet.training.options import SGDOptions

# The methods that may be overridden.
METHODS = (
    "default_weight_initializer",
    "update_mini_batch",
    "backprop",
    "feedforward",
    "accuracy",
    "total_cost",
)

Pair: TypeAlias = tuple[NDArray, NDArray]

_defined: dict[str, Any] = {}  # the package's own methods


def remember(network_class: type) -> None:
    """Record the package's methods, for ``overrides``; called once, for ``Network``."""
    _defined.update((name, vars(network_class)[name]) for name in METHODS)


def overrides(net: Any, *names: str) -> bool:
    """Whether any of these methods is overridden."""
    kind, attributes = type(net), vars(net)
    for name in names:  # noqa: SIM110  # called in each update_mini_batch; any() is slower
        if getattr(kind, name) is not _defined[name] or name in attributes:
            return True
    return False


def _first_overridden(net: Any, *names: str) -> str | None:
    return next((name for name in names if overrides(net, name)), None)


def check_feedforward(net: Any, name: str) -> None:
    """Raise a TypeError that starts with ``name`` if ``feedforward`` is overridden."""
    if overrides(net, "feedforward"):
        raise TypeError(
            f"{name}: expected a network with the package's feedforward, got one that overrides it"
        )


class OverriddenMethods:
    """The overridden methods of a network, as one call of ``SGD`` uses them.

    Parameters
    ----------
    net : Network
    model : Model
    sets : {"training": Dataset, "evaluation": Dataset}
        Without the second if there are no evaluation data.
    evaluation_data
        The evaluation data as passed by the user.
    options : SGDOptions

    Attributes
    ----------
    figures : {field of ``History``: callable}
        Functions that measure figures of the network's current parameters; only those figures
        that the kernels do not compute.
    """

    def __init__(
        self, net: Any, model: Model, sets: Mapping[str, Dataset], evaluation_data: Any,
        options: SGDOptions,
    ):  # fmt: skip
        self._net, self._model, self._data, self._options = net, model, sets["training"], options
        lmbda, l1 = options.lmbda, options.l1
        self._step = _first_overridden(net, "update_mini_batch", "backprop")
        self._cost = _first_overridden(net, "total_cost", "feedforward")
        self.figures: dict[str, Callable[[], Any]] = {}
        # Arguments as in network2's SGD. The list is a copy, since a method may reorder it.
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

    def check(self, weights: NDArray | None, monitored: Iterable[str]) -> None:
        """Raise a TypeError for options that an overridden method does not receive."""
        if self._step:
            for name, is_used in self._options.techniques.items():
                if is_used:
                    value = checks.short_repr(getattr(self._options, name))
                    raise TypeError(_refusal(name, self._step, value))
        cost = self._cost if "training_cost" in monitored else None
        method = self._step or cost
        if weights is not None and method:
            raise TypeError(_refusal("sample_weight, class_weight", method, "weights"))

    def epoch(self) -> CustomEpoch | None:
        """A function that trains an epoch by ``net.update_mini_batch``; None if kernels train."""
        if not self._step:
            return None

        def train(order: NDArray, eta: float, poll: Callable[[int], object] | None) -> None:
            pairs, mini_batch_size = self._pairs, self._options.mini_batch_size
            for first in range(0, len(order), mini_batch_size):
                if poll is not None:
                    poll(first)
                mini_batch = [pairs[i] for i in order[first : first + mini_batch_size]]
                self._update(mini_batch, eta, len(pairs))

        return train

    def _update(self, mini_batch: list[Pair], eta: float, n: int) -> None:
        """One step; an interrupt restores the parameters of the completed mini-batches."""
        before = self._model.values.copy()
        try:
            self._net.update_mini_batch(mini_batch, eta, self._options.lmbda, n)
        except BaseException as error:
            if not isinstance(error, Exception):
                self._model.parameters.restore(before)
            raise

    @lazy_attribute
    def _pairs(self) -> list[Pair]:
        return pairs_of(self._model, self._data)


def _refusal(name: str, method: str | None, got: str) -> str:
    return (
        f"{name}: expected none with an overridden {method}, which does not receive it, got {got}"
    )


def _number(method: str, value: Any) -> Any:
    """The result of an overridden method as a Python number, which JSON can represent."""
    if np.ndim(value) == 0 and isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if not isinstance(value, Real):
        raise TypeError(f"{method}: expected it to return a number, got {checks.short_repr(value)}")
    return value


_count = partial(_number, "accuracy")


def _cost(value: Any) -> float:
    return float(_number("total_cost", value))


def pairs_of(model: Model, data: Dataset) -> list[Pair]:
    """Pairs of columns x (n_in, 1) and y (n_out, 1) of the network's dtype, labels one-hot. Columns
    that the network's methods standardize are float64, so that they are rounded once."""
    targets = model.target_columns(data.y)
    return [(x, targets[:, s, None].copy()) for s, x in enumerate(_columns(data, model.dtype))]


def _columns(data: Dataset, dtype: np.dtype) -> Iterator[NDArray]:
    """The columns x (n_in, 1) in the type that the network's methods expect."""
    given = data.source
    kind = dtype if given is data else np.float64
    return (x.astype(kind) for x, _ in iter(given))


def outputs(net: Any, data: Dataset) -> NDArray:
    """The outputs (n, n_out) of ``net.feedforward``, called for each column."""
    n_out = net.sizes[-1]
    rows, poll = np.empty((len(data), n_out), np.float64), reporting.stopping()
    for s, x in enumerate(_columns(data, net.dtype)):
        if poll is not None:
            poll(s)
        a = np.asarray(net.feedforward(x))
        if a.size != n_out or a.dtype.kind not in "biuf":
            raise ValueError(
                f"feedforward: expected it to return {n_out} numbers, got {a.dtype} of shape "
                f"{a.shape}"
            )
        rows[s] = a.ravel()
    return rows


def predicted_classes(net: Any, inputs: NetworkInputs, X: Any) -> NDArray:
    """(n,) numbers of the classes of X, the argument of ``Network.predict_labels``."""
    X = inputs.as_rows("X", X)
    if not overrides(net, "feedforward"):
        return classes_of(inputs.feedforward("X", X))
    data = inputs.without_targets("X", X)
    return np.empty(0, int) if data is None else classes_of(outputs(net, data))


def accuracy(net: Any, data: Dataset) -> int:
    """The number of examples that ``net.feedforward`` classifies correctly."""
    true = data.y if data.y.ndim == 1 else classes_of(data.y)
    return int(np.count_nonzero(classes_of(outputs(net, data)) == true))


def total_cost(net: Any, model: Model, data: Dataset, lmbda: float, l1: float = 0.0) -> float:
    """The mean cost of the outputs of ``net.feedforward`` plus the L2 and L1 terms."""
    targets, a = model.target_columns(data.y), outputs(net, data).astype(model.dtype)
    total = sum(
        model.custom_cost(a[s, :, None].copy(), targets[:, s, None].copy())
        for s in range(len(data))
    )
    return model.mean_costs([total], model.values[None], data, lmbda, l1, None)[0]


def one_step(net: Any, model: Model, data: Dataset, lmbda: float, n: int) -> CustomEpoch:
    """A function that trains with all of ``data`` as one mini-batch, by ``net.backprop``."""
    pairs = pairs_of(model, data)

    def step(order: NDArray, eta: float, poll: Callable[[int], object] | None) -> None:
        update_mini_batch(net, pairs, eta, lmbda, n)

    return step


def update_mini_batch(
    net: Any, mini_batch: Sequence[Pair], eta: float, lmbda: float, n: int
) -> None:
    """One step of gradient descent with the gradients of ``net.backprop``."""
    weights, biases = net.weights, net.biases
    nabla_b, nabla_w = ([np.zeros(p.shape) for p in layers] for layers in (biases, weights))
    for x, y in mini_batch:
        for total, nabla in zip(nabla_b + nabla_w, _gradient(net, x, y), strict=True):
            total += nabla
    rate, decay = eta / len(mini_batch), 1 - eta * (lmbda / n)
    with np.errstate(over="ignore", invalid="ignore"):  # the assignments below check for that
        new_weights = [decay * w - rate * nw for w, nw in zip(weights, nabla_w, strict=True)]
        new_biases = [b - rate * nb for b, nb in zip(biases, nabla_b, strict=True)]
    net.weights, net.biases = new_weights, new_biases


def _gradient(net: Any, x: NDArray, y: NDArray) -> list[NDArray]:
    """The arrays that ``net.backprop`` returns, checked: all nabla_b, then all nabla_w."""
    returned = net.backprop(x, y)
    expected = [[p.shape for p in layers] for layers in (net.biases, net.weights)]
    try:
        nablas = [[np.asarray(nabla) for nabla in layers] for layers in returned]
        shapes = [[nabla.shape for nabla in layers] for layers in nablas]
    except (TypeError, ValueError):
        shapes = None
    if shapes != expected:
        got = checks.short_repr(returned) if shapes is None else f"shapes {shapes}"
        raise ValueError(
            f"backprop: expected it to return (nabla_b, nabla_w), lists of arrays of the shapes "
            f"{expected}, got {got}"
        )
    return nablas[0] + nablas[1]
