"""The epoch loop: the order of the examples, monitoring, history, stopping."""

from collections.abc import Callable
from typing import NamedTuple

from numpy.typing import NDArray

from fastnet.data import Dataset
from fastnet.model import Model
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
    """One figure that is followed: on which data, how the book calls it, and how often
    each example counts in a cost."""

    history: list
    data: Dataset
    cost: bool
    label: str
    weights: NDArray | None = None

    def measure(self, model: Model, lmbda: float) -> str:
        if self.cost:
            self.history.append(model.total_cost(self.data, lmbda, weights=self.weights))
            return f"Cost on {self.label}: {self.history[-1]:.6g}"
        self.history.append(model.accuracy(self.data))
        return f"Accuracy on {self.label}: {self.history[-1]} / {len(self.data)}"


def train(
    model: Model,
    data: Dataset,
    order: NDArray,
    mini_batch_size: int,
    eta: float,
    decay: float,
    epoch: int | None = None,
    weights: NDArray | None = None,
) -> None:
    """One pass over ``order``; whatever goes wrong, the parameters are as before."""
    before = model.values.copy()
    try:
        model.train(data, order, mini_batch_size, eta, decay, epoch is None, weights)
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
    weights: NDArray | None = None,
) -> None:
    """Train for ``epochs`` passes, each in a fresh random order.

    After each epoch every monitor adds to its list, and ``report`` is called
    with the epoch, from 1, and the monitored figures in words. ``weights`` (n,) float64
    says how often each example counts; lmbda is divided by their sum.

    Raises
    ------
    DivergenceError
        Checked once per epoch.
    Exception
        What a user's own cost raises. In both cases the parameters and the random
        stream are back at the end of the last complete epoch.
    """
    n = len(training)
    decay = 1 - eta * lmbda / (n if weights is None else float(weights.sum()))
    for epoch in range(1, epochs + 1):
        before = stream.state
        try:
            order = stream.permutation(n)
            train(model, training, order, mini_batch_size, eta, decay, epoch, weights)
        except BaseException:
            stream.state = before
            raise
        report(epoch, [monitor.measure(model, lmbda) for monitor in monitors])
