"""The epoch loop: order of the examples, calls of the kernel, figures, state after errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from numpy.typing import NDArray

from fastnet.core import _kernels, reporting
from fastnet.core.parameters import NotFiniteError
from fastnet.core.random_stream import RandomStream
from fastnet.core.reporting import Reporter
from fastnet.core.steps import Passes, StepOptions
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.training.checkpoints import Checkpoints
from fastnet.training.errors import AttachHistory, DivergenceError
from fastnet.training.history import (
    History as History,  # pickles of earlier versions look for it here
)
from fastnet.training.monitoring import Monitor
from fastnet.training.state import TrainingState

# Several epochs are one call of the kernel, of at most _EXAMPLES_PER_CALL examples, if nothing
# happens between them. The overhead of a call, during which it holds the GIL, is the time of some
# hundred examples of the smallest networks. If the figures of each epoch are monitored, the
# parameters after each are stored until the call ends, at most _STORED_NUMBERS numbers in all.
_EXAMPLES_PER_CALL = 16_384
_STORED_NUMBERS = 1 << 18

# This many multiply-adds take at most about 0.1 s.
_SHORT_OPERATIONS = 1 << 30

# Trains one epoch, given the order of the examples, the learning rate and a function to be called
# with the number of examples done.
CustomEpoch: TypeAlias = Callable[[NDArray, float, Callable[[int], object] | None], None]


def epochs_per_call(model: Model, n: int, store_parameters: bool) -> int:
    """The maximum number of epochs over n examples in one call of the kernel, at least 1;
    ``store_parameters``: whether the parameters after each epoch are stored."""
    most = _EXAMPLES_PER_CALL // n
    if store_parameters:
        most = min(most, _STORED_NUMBERS // model.n_parameters)
    return max(1, most)


def snapshots_of(k: int, model: Model) -> NDArray:
    """A zeroed array (k, parameters), for k sets of this network's parameters."""
    n = model.n_parameters
    return _kernels.aligned(k * n, model.dtype).reshape(k, n)


def train_passes(
    model: Model,
    data: Dataset,
    training: _kernels.Training,
    passes: Passes,
    weights: NDArray | None = None,
) -> None:
    """Train the passes over the examples, and set ``passes.n_complete``, the number of complete
    ones. ``weights``, (n,) or None, are the weights of the examples.

    The parameters get new storage; the old storage keeps its values. After an error the parameters
    of the last complete pass, or the initial ones, are restored. After an interrupt, which is not
    an ``Exception``, those of the completed mini-batches remain if they are finite. If parameters
    are restored, the moments of an optimizer are reset to zero.
    """
    before: Any = None  # the parameters of the last complete pass
    order, snapshots = passes.order, passes.snapshots
    try:
        before = model.parameters.begin_training(training)
        try:
            X = data.operand(model.sizes, model.dtype, passes.epoch is None, training.shift > 0)
            threads = model.threads(X, min(training.mini_batch_size, order.shape[1]))
            examples = _kernels.Examples(X, data.scale, data.y, weights)
            training.costs = passes.costs
            try:
                training.run(
                    examples, order, passes.eta, key=passes.keys, threads=threads,
                    poll=passes.poll, snapshots=snapshots,
                )  # fmt: skip
            finally:
                passes.n_complete = training.n_complete
            if passes.n_complete < len(order):
                first = passes.epoch
                raise DivergenceError(None if first is None else first + passes.n_complete)
            model.learned_from(data)
        except BaseException as error:
            restores = isinstance(error, Exception) or not model.is_finite()
            complete = passes.n_complete
            if restores and complete < len(order):
                if complete and snapshots is not None:
                    before = snapshots[(complete - 1) % len(snapshots)]
                model.parameters.restore(before, training)
                training.reset()  # the moments of the last mini-batch may not be finite
            if complete or not restores:
                model.learned_from(data)
            raise
    finally:
        model.parameters.end_training(training)
        before = None  # since the traceback of an error keeps this frame alive


def train_custom(model: Model, data: Dataset, custom_epoch: CustomEpoch, passes: Passes) -> None:
    """Train one pass by ``custom_epoch``, which changes the parameters itself. As in
    ``train_passes``, the storage is replaced first, and the parameters are restored after
    errors."""
    parameters, epoch = model.parameters, passes.epoch
    scale, before = parameters.input_scale, parameters.storage
    parameters.restore(before)  # the same values in new storage
    try:
        custom_epoch(passes.order[0], passes.eta, passes.poll)
        if not model.is_finite():
            raise DivergenceError(epoch)
    except BaseException as error:
        if isinstance(error, Exception) or not model.is_finite():
            parameters.restore(before)
            parameters.input_scale = scale  # an overridden method may have set it
        else:
            model.learned_from(data)
        diverged = isinstance(error, DivergenceError) and error.epoch != epoch  # of a nested call
        if diverged or isinstance(error, NotFiniteError):
            raise DivergenceError(epoch) from error
        raise
    model.learned_from(data)


class EpochLoop:
    """The epochs of one training, each in a fresh random order.

    Parameters
    ----------
    model, stream, data : Model, RandomStream, Dataset
        The model to train, the source of random numbers, and the examples.
    step : StepOptions
    state : TrainingState
    monitors : list of Monitor
    reporter : Reporter
    custom_epoch : callable or None
        Trains an epoch instead of the kernels.

    Attributes
    ----------
    checkpoints : Checkpoints or None
        Where the training continues from, and what it writes.
    """

    checkpoints: Checkpoints | None = None

    def __init__(
        self,
        model: Model,
        stream: RandomStream,
        data: Dataset,
        step: StepOptions,
        state: TrainingState,
        monitors: list[Monitor],
        reporter: Reporter,
        custom_epoch: CustomEpoch | None = None,
    ):
        self._model, self._stream, self._data = model, stream, data
        self._n = len(data)
        self._step, self._weights, self._draws = step, step.weights, step.draws
        self._state = state
        self._monitors, self._reporter = monitors, reporter
        self._custom_epoch = custom_epoch
        self._epochs_per_call = 1
        self._snapshots: NDArray | None = None

    def run(self) -> History:
        """Train until the state says that the training is over.

        After each epoch every monitor appends its figures to the history, and the reporter gets
        the learning rate, if there is a schedule, and the figures as text; then the callbacks
        are run. At the end
        the best parameters are restored if early stopping requires it.

        Returns
        -------
        History
            Also the attribute ``history`` of a DivergenceError and a KeyboardInterrupt.

        Raises
        ------
        DivergenceError
            If a parameter is not finite after an epoch.
        Exception
            An exception of a custom cost or of a callback. After a DivergenceError or an exception
            of a custom cost, the parameters and the random stream are restored to the end of the
            last complete epoch. An exception of a callback restores nothing.
        KeyboardInterrupt
            The parameters are those of the completed mini-batches; the random stream is restored
            to the end of the last complete epoch.
        """
        state = self._state
        if not state.epochs:  # the call only checks the arguments
            return state.history
        sizes, n = self._model.sizes, self._n
        training = self._model.training(self._step)
        resumed = None if self.checkpoints is None else self.checkpoints.begin(training, self._data)
        reporter = self._reporter.begin(sizes, n, state.epochs, state.history)
        with AttachHistory(state.history), reporter:
            if self.checkpoints is not None and resumed is not None:
                reporter.resumed(resumed, self.checkpoints.path)
            self._choose_epochs_per_call()
            while not state.is_over:
                eta, mark = state.rate(state.epoch + 1), self._stream.mark()
                passes = None
                try:
                    passes = self._next_passes(eta)
                    if self._custom_epoch is None:
                        train_passes(self._model, self._data, training, passes, self._weights)
                    else:
                        train_custom(self._model, self._data, self._custom_epoch, passes)
                except BaseException as error:
                    self._stream.go_back(mark)
                    if passes is not None:
                        self._keep_complete(passes, error)
                    raise
                self._end_epoch(passes)
                if self.checkpoints is not None:
                    self.checkpoints.write_if_due()
            self._reporter.close(state.close(self._model))
        return state.history

    def _choose_epochs_per_call(self) -> None:
        """Choose the epochs per call of the kernel: several if nothing happens between them."""
        most, monitors = self._state.epochs_until_decision, self._monitors
        if (
            most <= 1
            or self._state.run_callbacks is not None
            or self._custom_epoch is not None
            or self._reporter.reports_epochs
            or (monitors and self._model.cost_spec.kernel is None)
            or any([monitor.is_custom for monitor in monitors])
        ):
            return
        is_monitored = bool(monitors)
        most = min(most, epochs_per_call(self._model, self._n, is_monitored))
        if most > 1:
            self._epochs_per_call = most
            self._snapshots = snapshots_of(most if is_monitored else 1, self._model)

    def _next_passes(self, eta: float) -> Passes:
        """The passes of the next call of the kernel; draws their random numbers."""
        n_passes = max(1, min(self._epochs_per_call, self._state.epochs_until_decision))
        if self.checkpoints is not None:
            n_passes = min(n_passes, self.checkpoints.epochs_until_due)
        first = self._state.epoch + 1
        poll = self._reporter.poll(first)
        if first > 1:
            reporting.raise_if_stopped()
        order, keys = self._stream.passes(n_passes, self._n, self._draws)
        snapshots = None
        if self._snapshots is not None and n_passes > 1:
            snapshots = self._snapshots[:n_passes]
        return Passes(order, eta, first, keys, poll, snapshots)

    def _end_epoch(self, passes: Passes) -> None:
        """Measure and report the figures of the passes, and run the callbacks."""
        n_passes = len(passes.order)
        state, networks = self._state, passes.snapshots
        epoch = state.epoch + n_passes
        if n_passes > 1:  # for the log record of an error from here on
            self._reporter.epoch_done(epoch - 1, [])
        if networks is None or not self._monitors:
            networks = self._model.values[None]
        self._record(epoch, networks)
        words = [f"eta {passes.eta:g}"] if state.is_scheduled else []
        for monitor in self._monitors:
            words += monitor.words
        self._reporter.epoch_done(epoch, words)
        if state.run_callbacks is not None and state.run_callbacks(epoch):
            state.stop("a callback returned True")

    def _record(self, epoch: int, networks: NDArray) -> None:
        """Measure and record the figures of the last k epochs up to ``epoch``; ``networks``,
        (k, parameters), are the parameters after each of them."""
        # all are measured before any is recorded: an epoch interrupted here has no entry
        measured = [monitor.measure(self._model, networks) for monitor in self._monitors]
        for monitor, figures in zip(self._monitors, measured, strict=True):
            monitor.record(*figures)
        self._state.record(epoch, networks)

    def _keep_complete(self, passes: Passes, error: BaseException) -> None:
        """After an error or an interrupt, advance the random stream over the complete passes, and
        record their figures."""
        complete = passes.n_complete
        self._stream.raw(complete * (self._n + self._draws))
        if not complete or passes.snapshots is None:
            return
        epoch = self._state.epoch + complete
        self._reporter.epoch_done(epoch, [])
        is_interrupt = isinstance(error, KeyboardInterrupt) and self._is_short(complete)
        if self._monitors and (is_interrupt or isinstance(error, DivergenceError)):
            self._record(epoch, passes.snapshots[:complete])

    def _is_short(self, k: int) -> bool:
        """Whether the figures of k epochs can be measured so quickly that an interrupt may wait."""
        n = sum(len(monitor.data) for monitor in self._monitors)
        return k * self._model.n_parameters * n < _SHORT_OPERATIONS
