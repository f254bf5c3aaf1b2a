"""The epoch loop: the order of the examples, monitoring, history, stopping."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.data import Dataset
from fastnet.model import Model
from fastnet.optimizers import Optimizer
from fastnet.random_stream import RandomStream


class History(NamedTuple):
    """What was monitored, one entry per epoch; a list stays empty where nothing was.

    Attributes
    ----------
    evaluation_cost, training_cost : lists of float
        Means per example, the L2 term included.
    evaluation_accuracy, training_accuracy : lists of int
        Counts of correct examples.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], seed=0)
    >>> history = net.SGD([([1.0], 0)], 2, 1, 0.5, monitor_training_accuracy=True, verbose=False)
    >>> history.evaluation_accuracy, len(history.training_accuracy)
    ([], 2)
    """

    evaluation_cost: list[float]
    evaluation_accuracy: list[int]
    training_cost: list[float]
    training_accuracy: list[int]


class DivergenceError(ArithmeticError):
    """A parameter stopped being finite; the network keeps those of the last epoch
    in which all were.

    Attributes
    ----------
    epoch : int or None
        The epoch in which it happened, counted from 1; None outside of ``SGD``.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", seed=0)
    >>> try:
    ...     net.SGD([([1e9], [1.0])], 30, 1, 1e9, verbose=False)
    ... except DivergenceError as error:
    ...     print(error.epoch)
    2
    """

    def __init__(self, epoch: int | None = None):
        where, back = "the mini-batch", "before it"
        if epoch is not None:
            where = f"epoch {epoch}"
            back = f"at the end of epoch {epoch - 1}" if epoch > 1 else "before the training"
        super().__init__(
            f"training diverged in {where}: a parameter is no longer finite; "
            f"the parameters are back as they were {back} (a smaller eta or lmbda may help)"
        )
        self.epoch = epoch

    def __reduce__(self) -> tuple[type, tuple[int | None]]:
        return DivergenceError, (self.epoch,)


class Monitor(NamedTuple):
    """One figure that is followed: on which data, and how the book calls it."""

    history: list
    data: Dataset
    cost: bool
    label: str

    def measure(self, model: Model, lmbda: float, l1: float) -> str:
        if self.cost:
            self.history.append(model.total_cost(self.data, lmbda, l1=l1))
            return f"Cost on {self.label}: {self.history[-1]:.6g}"
        self.history.append(model.accuracy(self.data))
        return f"Accuracy on {self.label}: {self.history[-1]} / {len(self.data)}"


class Techniques(NamedTuple):
    """What a mini-batch does beside plain gradient descent with L2; the arguments of ``SGD``."""

    l1: float = 0.0
    optimizer: Optimizer | None = None
    dropout: tuple[float, ...] = ()  # one probability per hidden layer
    shift: int = 0

    def start(self, model: Model, n: int) -> dict[str, Any]:
        """What the kernel is told in every epoch over n examples."""
        told: dict[str, Any] = {}
        if self.l1:
            told["l1"] = self.l1 / n
        if self.optimizer:
            told["optimizer"] = self.optimizer.kernel
            length = self.optimizer.n_moments * len(model.values)
            told["moments"] = np.zeros(length, model.dtype)
        if any(self.dropout):
            told["dropout"] = np.array(self.dropout, np.float64)
        if self.shift:
            told["shift"] = self.shift
        return told


def train(
    model: Model,
    data: Dataset,
    order: NDArray,
    mini_batch_size: int,
    eta: float,
    l2: float,
    epoch: int | None = None,
    **told: Any,
) -> None:
    """One pass over ``order``; whatever goes wrong, the parameters are as before."""
    before = model.values.copy()
    try:
        model.train(data, order, mini_batch_size, eta, l2, once=epoch is None, **told)
        if not model.is_finite():
            raise DivergenceError(epoch)
        model.learned_from(data)
    except BaseException:
        model.values[...] = before
        raise


def run(
    model: Model,
    stream: RandomStream,
    training: Dataset,
    epochs: int,
    mini_batch_size: int,
    eta: float,
    lmbda: float,
    monitors: list[Monitor],
    report: Callable[[int, list[str]], None],
    techniques: Techniques = Techniques(),
) -> None:
    """Train for ``epochs`` passes, each in a fresh random order.

    After each epoch every monitor adds to its list, and ``report`` is called
    with the epoch, from 1, and the monitored figures in words.

    Raises
    ------
    DivergenceError
        Checked once per epoch.
    Exception
        What a user's own cost raises. In both cases the parameters and the random
        stream are back at the end of the last complete epoch.
    """
    n = len(training)
    told = techniques.start(model, n)
    for epoch in range(1, epochs + 1):
        before = stream.state
        try:
            order = stream.permutation(n)
            if "dropout" in told or "shift" in told:
                told["key"] = int(stream.raw(1)[0])
            train(model, training, order, mini_batch_size, eta, lmbda / n, epoch, **told)
        except BaseException:
            stream.state = before
            raise
        told["steps"] = told.get("steps", 0) + -(-n // mini_batch_size)
        report(epoch, [monitor.measure(model, lmbda, techniques.l1) for monitor in monitors])
