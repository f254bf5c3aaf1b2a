"""The epoch loop: the order of the examples, monitoring, history, stopping."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastnet import _kernels, checks, reporting, schedules
from fastnet.data import Dataset
from fastnet.early_stopping import Best, EarlyStopping
from fastnet.model import Model
from fastnet.parameters import NotFiniteError
from fastnet.random_stream import RandomStream
from fastnet.reporting import Reporter
from fastnet.schedules import HalveOnPlateau, Halving
from fastnet.techniques import Techniques

# Several epochs are one kernel call, of at most _TOGETHER examples, if nothing happens in between:
# the overhead of a call equals some hundred examples of the smallest networks, and threads that
# train other networks wait for each other during it. If the figures of each epoch are monitored,
# its parameters are kept until the call ends, at most _KEPT numbers in all.
_TOGETHER = 16_384
_KEPT = 1 << 18

# Multiply-adds that take at most about 0.1 s.
_MOMENT = 1 << 30

# Trains one epoch, given the order of the examples, the learning rate and a function to be called
# with the number of examples done.
CustomEpoch: TypeAlias = Callable[[NDArray, float, Callable[[int], object] | None], None]


class _Monitored(NamedTuple):
    evaluation_cost: list[float]
    evaluation_accuracy: list[int]
    training_cost: list[float]
    training_accuracy: list[int]


class History(_Monitored):
    """What was monitored, one entry per epoch; a list stays empty where nothing was.

    A named tuple of four lists, which ``fastnet.plots.training`` plots. ``print`` and notebooks
    show a short summary of the best and the final figures; ``repr`` shows the tuple.

    Attributes
    ----------
    evaluation_cost, training_cost : lists of float
        Means per example, the L1 and L2 terms included.
    evaluation_accuracy, training_accuracy : lists of int
        Counts of correct examples.
    n_evaluation, n_training : int or None
        The numbers of examples that accuracies are out of; None without such data. They are
        not fields of the tuple: ``_replace`` does not copy them.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], seed=0)
    >>> history = net.SGD([([1.0], 0)], 2, 1, 0.5, monitor_training_accuracy=True, verbose=False)
    >>> history.evaluation_accuracy, len(history.training_accuracy)
    ([], 2)
    >>> print(history)
    History of 2 epochs
    Training accuracy: best 100.00% (epoch 1), final 100.00%
    """

    n_evaluation: int | None = None
    n_training: int | None = None

    def __str__(self) -> str:
        """A short summary: the number of epochs, the best and the final figures."""
        head, *lines = self._summary()
        return "\n".join([head[0], *(f"{name}: {', '.join(cells)}" for name, *cells in lines)])

    def _repr_html_(self) -> str:
        """The summary as an HTML table for notebooks."""
        from html import escape  # imported here: it takes a millisecond

        head, *lines = self._summary()
        rows = [
            f"<tr><th>{escape(name)}</th><td>{'</td><td>'.join(map(escape, cells))}</td></tr>"
            for name, *cells in lines
        ]
        return f"<table><caption>{escape(head[0])}</caption>{''.join(rows)}</table>"

    def _summary(self) -> list[list[str]]:
        """[[title], [name, best, final], ...], a line for each list that is not empty."""
        followed = {
            name.replace("_", " ").capitalize(): values
            for name, values in self._asdict().items()
            if values
        }
        epochs = max(map(len, followed.values()), default=0)
        if not followed:
            return [["History: nothing was monitored"]]
        lines = [[f"History of {epochs} epoch{'s' * (epochs != 1)}"]]
        for name, values in followed.items():
            of, _, kind = name.partition(" ")
            is_cost = kind == "cost"
            known = [value for value in values if value == value] or values
            best = min(known) if is_cost else max(known)
            n = None if is_cost else getattr(self, f"n_{of.lower()}")
            shown = [self._shown(value, is_cost, n) for value in (best, values[-1])]
            lines.append(
                [name, f"best {shown[0]} (epoch {values.index(best) + 1})", f"final {shown[1]}"]
            )
        return lines

    @staticmethod
    def _shown(value: float, is_cost: bool, n: int | None) -> str:
        """A cost, or a count of correct examples, as a percentage if n is known."""
        if is_cost:
            return f"{value:.6g}"
        return f"{value / n:.2%}" if n else f"{value} correct"


class DivergenceError(ArithmeticError, ValueError):
    """A parameter stopped being finite; the network keeps those of the last epoch
    in which all were.

    Parameters
    ----------
    epoch : int or None
    advice : str
        What the message ends with.

    Attributes
    ----------
    epoch : int or None
        The epoch in which it happened, counted from 1; None outside of ``SGD``.
    history : History
        The figures of the epochs before it.

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

    def __init__(self, epoch: int | None = None, advice: str = "a smaller eta or lmbda may help"):
        where, back = "the mini-batch", "before it"
        if epoch is not None:
            where = f"epoch {epoch}"
            back = f"at the end of epoch {epoch - 1}" if epoch > 1 else "before the training"
        super().__init__(
            f"training diverged in {where}: a parameter is no longer finite; "
            f"the parameters are back as they were {back} ({advice})"
        )
        self.epoch = epoch
        self._advice = advice
        self.history = History([], [], [], [])

    def __reduce__(self) -> tuple[type, tuple[int | None, str], dict[str, Any]]:
        return DivergenceError, (self.epoch, self._advice), self.__dict__


class Monitor(NamedTuple):
    """The figures that are followed on one data set: lists of a ``History``, or None."""

    data: Dataset
    name: str  # as the book calls it
    costs: list[float] | None
    accuracies: list[int] | None
    weights: NDArray | None  # how often each example counts in a cost
    own_cost: Callable[[], Any] | None = None  # by an overridden method of the network
    own_accuracy: Callable[[], Any] | None = None

    def measure(
        self, model: Model, networks: NDArray, lmbda: float, l1: float
    ) -> tuple[list[float], list[int]]:
        """The monitored costs and accuracies of ``networks`` (k, parameters); both are computed in
        one pass over the data."""
        own = self.own_cost is not None or self.own_accuracy is not None
        if self.costs is not None and self.accuracies is not None and not own:
            return model.costs_and_accuracies(networks, self.data, lmbda, l1, self.weights)
        costs: list[float] = []
        accuracies: list[int] = []
        if self.costs is not None:
            costs = (
                model.total_costs(networks, self.data, lmbda, l1=l1, weights=self.weights)
                if self.own_cost is None
                else [self.own_cost()]
            )
        if self.accuracies is not None:
            accuracies = (
                model.accuracies(networks, self.data)
                if self.own_accuracy is None
                else [self.own_accuracy()]
            )
        return costs, accuracies

    def take_in(self, costs: list[float], accuracies: list[int]) -> None:
        if self.costs is not None:
            self.costs.extend(costs)
        if self.accuracies is not None:
            self.accuracies.extend(accuracies)

    @property
    def words(self) -> list[str]:
        """The last figures in words."""
        words = []
        if self.costs is not None:
            words.append(f"Cost on {self.name}: {self.costs[-1]:.6g}")
        if self.accuracies is not None:
            words.append(f"Accuracy on {self.name}: {self.accuracies[-1]} / {len(self.data)}")
        return words


def default_figure(evaluation: Dataset | None) -> str:
    """The field of ``History`` that is monitored by default."""
    if evaluation is None or evaluation.names_classes:
        return "evaluation_accuracy"
    return "evaluation_cost"


def monitored(
    flags: dict[str, bool], schedule: Any, early_stopping: Any, evaluation: Dataset | None
) -> dict[str, str]:
    """{field of ``History``: why it is measured}, in the order of ``flags``. Without any request,
    it is the default figure of the evaluation data, if there are any."""
    why = {name: f"monitor_{name} is set" for name, flag in flags.items() if flag}
    default = default_figure(evaluation)
    if isinstance(schedule, HalveOnPlateau):
        name = schedule.monitor or default
        why.setdefault(name, f"schedule follows {name}")
    if isinstance(early_stopping, EarlyStopping):
        name = early_stopping.monitor or default
        why.setdefault(name, f"early_stopping follows {name}")
    if not why and evaluation is not None:
        why[default] = "it is given"
    return {name: why[name] for name in flags if name in why}


class Progress:
    """What changes from epoch to epoch of one training: the learning rate, the best
    figures, and whether to stop.

    Parameters
    ----------
    eta : float
    epochs : int
    schedule, early_stopping
        As ``SGD`` takes them, not checked yet.
    history : History
        Where the figures of the epochs are found.
    default : str
        The field of ``history`` that they follow if their ``monitor`` is None.

    Raises
    ------
    ValueError, TypeError
        For an invalid schedule or early_stopping.
    """

    def __init__(
        self, eta: float, epochs: int, schedule: Any, early_stopping: Any, history: History,
        default: str,
    ):  # fmt: skip
        if not isinstance(early_stopping, EarlyStopping | None):
            raise TypeError(
                f"early_stopping: expected an EarlyStopping or None, "
                f"got {checks.briefly(early_stopping)}"
            )
        self.epochs = epochs
        self.scheduled = schedule is not None
        self._halving: Halving | None = None
        if isinstance(schedule, HalveOnPlateau):
            self._halving = Halving(schedule, eta, schedule.monitor or default)
        else:
            self._rate = schedules.rate_of(schedule, eta, epochs)
        self._known = 0, 0.0  # the epoch whose rate was computed last, and the rate
        self._early: EarlyStopping | None = early_stopping
        self._history = history
        self._epoch = 0  # the last one that ended
        self._reason = ""  # why the training stopped
        if self._early is not None:
            self._monitor = self._early.monitor or default
            self._best = Best(self._monitor)
            self._counted = Best(self._monitor, self._early.min_delta)
            self._best_values: NDArray | None = None

    def rate(self, epoch: int) -> float:
        """The learning rate of the epoch that is about to begin; a user's function is called once
        per epoch."""
        if self._halving is not None:
            return self._halving.rate
        if self._known[0] != epoch:
            self._known = epoch, self._rate(epoch)
        return self._known[1]

    @property
    def certain(self) -> int:
        """How many epochs are to come with this rate, whatever their figures."""
        left = self.epochs - self._epoch
        if self.scheduled:
            return min(left, 1)
        if self._early is None:
            return left
        return min(left, self._counted.epoch + self._early.patience - self._epoch)

    def take_in(self, epoch: int, networks: NDArray) -> None:
        """Take in the figures of the epochs up to this one, which left ``networks`` (k,
        parameters)."""
        self._epoch = epoch
        if self._halving is not None or self._early is not None:
            for one, values in enumerate(networks, epoch - len(networks) + 1):
                self._follow(one, values)

    def _follow(self, epoch: int, values: NDArray) -> None:
        if self._halving is not None:
            figure = getattr(self._history, self._halving.monitor)[epoch - 1]
            if not self._halving.goes_on(epoch, figure):
                self._reason = f"eta would fall below {self._halving.lowest:g}, its lower bound"
        if self._early is not None:
            monitor, patience = self._monitor, self._early.patience
            figure = getattr(self._history, monitor)[epoch - 1]
            if self._best.improves(epoch, figure) and self._early.restore_best:
                self._best_values = values.copy()
            self._counted.improves(epoch, figure)
            if epoch - self._counted.epoch >= patience:
                self._reason = f"no improvement of {monitor} in {patience} epochs"

    def stop(self, reason: str) -> None:
        """Stop the training after this epoch, unless it stops anyway."""
        self._reason = self._reason or reason

    @property
    def stopped(self) -> bool:
        """Whether the training ends with the epoch that was taken in last."""
        return self._reason != ""

    def close(self, model: Model) -> str:
        """Restore the best parameters where that is wanted; what there is to say, or ""."""
        words = []
        if self._reason:
            words.append(f"stopped after epoch {self._epoch}: {self._reason}")
        if self._early is not None and 0 < self._best.epoch < self._epoch:
            words.append(f"epoch {self._best.epoch} was best")
            if self._best_values is not None:
                model.parameters.restore(self._best_values)
                words[-1] += ", its weights and biases are restored"
        sentence = "; ".join(words)
        return sentence[:1].upper() + sentence[1:]


def most_together(model: Model, n: int, kept: bool) -> int:
    """How many epochs over n examples may be one call of the kernels, at least one; ``kept``: of
    each the parameters that it left are wanted."""
    most = _TOGETHER // n
    return max(1, min(most, _KEPT // model.n_parameters) if kept else most)


def rows(k: int, model: Model) -> NDArray:
    """(k, parameters), for the parameters of k networks like this one."""
    n = model.n_parameters
    return _kernels.aligned(k * n, model.dtype).reshape(k, n)


def train(
    model: Model,
    data: Dataset,
    order: NDArray,
    mini_batch_size: int,
    eta: float,
    l2: float,
    epoch: int | None = None,
    ended: NDArray | None = None,
    last: NDArray | None = None,
    **told: Any,
) -> None:
    """Passes over the examples in ``order`` (passes, n), the first of them the one of ``epoch``,
    where it has a number; ``ended`` (1,) int64 counts those that were complete, and the
    parameters that the last k of them left are in ``last`` (k, parameters), see ``_kernels.train``;
    a single pass needs none.

    The parameters get new storage; the old one keeps its values. After an error the parameters of
    the last complete pass, or the initial ones, are restored. After an interrupt, which is not an
    ``Exception``, those of the completed mini-batches remain if they are finite. If parameters are
    restored, the moments are set to zero.
    """
    once = epoch is None
    ended = np.zeros(1, np.int64) if ended is None else ended
    last = model.no_networks if last is None else last
    trainer = object()
    before: Any = None
    try:
        before = model.parameters.begin_training(trainer)
        try:
            model.train(data, order, mini_batch_size, eta, l2, once, ended=ended, last=last, **told)
            if ended[0] < len(order):
                raise DivergenceError(None if epoch is None else epoch + int(ended[0]))
            model.learned_from(data)
        except BaseException as error:
            back = isinstance(error, Exception) or not model.is_finite()
            if back and ended[0] < len(order):
                complete = last[(ended[0] - 1) % len(last)] if ended[0] else before
                model.parameters.restore(complete, trainer)
                if "moments" in told:  # of a mini-batch that is undone; they may not be finite
                    told["moments"][...] = 0
            if ended[0] or not back:
                model.learned_from(data)
            raise
    finally:
        model.parameters.end_training(trainer)
        before = None  # an error's traceback holds this frame


def train_custom(
    model: Model,
    data: Dataset,
    custom_epoch: CustomEpoch,
    order: NDArray,
    eta: float,
    epoch: int | None,
    watch: Callable[[int], object] | None,
) -> None:
    """``train`` for one pass by ``custom_epoch``, which changes the parameters itself. As in
    ``train``, the storage is replaced first, and the parameters are restored after errors."""
    parameters = model.parameters
    scale, before = parameters.input_scale, parameters.storage
    parameters.restore(before)  # the same values in new storage
    try:
        custom_epoch(order, eta, watch)
        if not model.is_finite():
            raise DivergenceError(epoch)
    except BaseException as error:
        if isinstance(error, Exception) or not model.is_finite():
            parameters.restore(before)
            parameters.input_scale = scale  # a called method may have set it
        else:
            model.learned_from(data)
        diverged = isinstance(error, DivergenceError) and error.epoch != epoch  # of an inner call
        if diverged or isinstance(error, NotFiniteError):
            raise DivergenceError(epoch) from error
        raise
    model.learned_from(data)


def monitors_of(
    why: Iterable[str],
    sets: dict[str, Dataset],
    history: History,
    weights: NDArray | None,
    own: Mapping[str, Callable[[], Any]],
) -> list[Monitor]:
    """Monitors of these fields of ``history`` on the data sets "training" and "evaluation".
    ``weights`` are the weights of the training examples; ``own`` has functions that measure a
    field instead of the kernels."""
    followed = {name: getattr(history, name) for name in why}
    if not followed:
        return []
    return [
        Monitor(
            sets[kind],
            f"{kind} data",
            followed.get(f"{kind}_cost"),
            followed.get(f"{kind}_accuracy"),
            weights if kind == "training" else None,
            own.get(f"{kind}_cost"),
            own.get(f"{kind}_accuracy"),
        )
        for kind in ("evaluation", "training")
        if {f"{kind}_cost", f"{kind}_accuracy"} & followed.keys()
    ]


def run(
    model: Model,
    stream: RandomStream,
    training: Dataset,
    progress: Progress,
    mini_batch_size: int,
    lmbda: float,
    monitors: list[Monitor],
    reporter: Reporter,
    callback: Callable[[int], bool] | None,
    techniques: Techniques,
    weights: NDArray | None = None,
    custom_epoch: CustomEpoch | None = None,
) -> None:
    """Train for the epochs of ``progress`` or until it says stop, each in a fresh random order.

    After each epoch every monitor adds to its list, and ``reporter`` is told in words the
    rate, where there is a schedule, and the monitored figures; then ``callback`` is called
    with the epoch, from 1, and returns whether to stop; None: there is none. At the end the
    best parameters are restored where ``progress`` wants that.
    ``weights`` (n,) float64 says how often each example counts; lmbda and l1 are divided
    by their sum. ``custom_epoch`` trains an epoch instead of the kernels.

    Raises
    ------
    DivergenceError
        Checked once per epoch.
    Exception
        What a user's own cost raises. In both cases the parameters and the random
        stream are back at the end of the last complete epoch. What ``callback`` raises
        comes after an epoch, and leaves all as it stands.
    KeyboardInterrupt
        The parameters are those of the mini-batches that were complete; the random stream
        is back at the end of the last complete epoch.
    """
    n = len(training)
    total = n if weights is None else float(weights.sum())
    told = techniques.start(model, total)
    if weights is not None:
        told["weights"] = weights
    keyed = "dropout" in told or "shift" in told
    alone = callback is not None or custom_epoch is not None
    for monitor in monitors:
        own = monitor.own_cost or monitor.own_accuracy or model.choice.kernel is None
        alone = alone or bool(own)

    def take_in(networks: NDArray, epoch: int) -> None:
        """``networks`` (k, parameters) are what the last k epochs up to this one left."""
        # all of them before any is kept: an epoch that is interrupted here has no entry
        measured = [monitor.measure(model, networks, lmbda, techniques.l1) for monitor in monitors]
        for monitor, figures in zip(monitors, measured, strict=True):
            monitor.take_in(*figures)
        progress.take_in(epoch, networks)

    def soon_measured(k: int) -> bool:
        """Whether the figures of k epochs are a matter of a moment, also after an interrupt."""
        return k * model.n_parameters * sum(len(each.data) for each in monitors) < _MOMENT

    with reporter.begin(model.sizes, n, progress.epochs):
        most = 1
        if not (alone or reporter.follows_epochs):
            most = min(most_together(model, n, bool(monitors)), progress.certain)
        kept = rows(most if monitors else 1, model) if most > 1 else None
        epoch = 0  # the last one that ended
        while epoch < progress.epochs and not progress.stopped:
            passes = max(1, min(most, progress.certain))
            last = None if kept is None or passes == 1 else kept[:passes]
            eta = progress.rate(epoch + 1)
            before, ended = stream.mark(), np.zeros(1, np.int64)
            told["watch"] = reporter.watch(epoch + 1)
            try:
                if epoch > 0:
                    reporting.end_if_asked()
                order, keys = stream.passes(passes, n, keyed)
                if keys is not None:
                    told["key"] = keys
                if custom_epoch is not None:
                    train_custom(
                        model, training, custom_epoch, order[0], eta, epoch + 1, told["watch"]
                    )
                else:
                    train(
                        model, training, order, mini_batch_size, eta, lmbda / total, epoch + 1,
                        ended, last, **told,
                    )  # fmt: skip
            except BaseException as error:
                stream.go_back(before)
                complete = int(ended[0])
                stream.raw(complete * (n + keyed))
                if complete and last is not None:
                    reporter.ended(epoch + complete, [])
                    interrupted = isinstance(error, KeyboardInterrupt) and soon_measured(complete)
                    if monitors and (interrupted or isinstance(error, DivergenceError)):
                        take_in(last[:complete], epoch + complete)
                raise
            epoch += passes
            if passes > 1:  # what ends the training now has so many epochs behind it
                reporter.ended(epoch - 1, [])
            take_in(model.values[None] if last is None or not monitors else last, epoch)
            told["steps"] = told.get("steps", 0) + passes * -(-n // mini_batch_size)
            words = [f"eta {eta:g}"] if progress.scheduled else []
            for monitor in monitors:
                words += monitor.words
            reporter.ended(epoch, words)
            if callback is not None and callback(epoch):
                progress.stop("a callback returned True")
        reporter.close(progress.close(model))
