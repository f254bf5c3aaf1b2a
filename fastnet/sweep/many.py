"""Many networks trained over one data set: on the cores of a machine, or on a cluster."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastnet.core import checks, reporting
from fastnet.data.coerce import as_dataset, given_data, warn_of_bytes
from fastnet.data.dataset import Data, Dataset
from fastnet.data.schema import EMPTY
from fastnet.network import Network
from fastnet.sweep import executors
from fastnet.sweep import specs as spec_checks
from fastnet.sweep.executors import Runner
from fastnet.training.history import History

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from distributed import Client

# The maximum number of times that a training is started, if all workers with the data are killed.
_TIMES = 3

# The maximum number of networks that a line about failures names.
_NAMED = 20


@dataclass(frozen=True)
class Fit:
    """The result of ``fit_many`` for one spec.

    Attributes
    ----------
    index : int
        Its index in the specs, from 0.
    spec : dict
        The spec itself.
    network : Network or None
        The trained network; after divergence it has the parameters of the last epoch in which all
        were finite. None if there is no network; ``error`` then says why.
    history : History
        The history that ``SGD`` returned; after divergence, that of the epochs before it.
    seconds : float
        The time of the training, in the process that ran it.
    seed : int, sequence of ints or SeedSequence
        The spec's seed, or the four integers drawn for it from NumPy's global generator.
        ``Network(..., seed=fit.seed)`` has the same initial parameters.
    error : BaseException or None
        None after a successful training. Otherwise a ``DivergenceError``; an exception of the
        user's functions or of the executor; a ``concurrent.futures.BrokenExecutor`` if the pool of
        processes broke; ``KeyboardInterrupt`` if Ctrl-C stopped the training.
    """

    index: int
    spec: dict[str, Any]
    network: Network | None
    history: History
    seconds: float
    error: BaseException | None
    seed: Any


def fit_many(
    specs: Iterable[Mapping[str, Any]],
    training: Data,
    evaluation: Data | None = None,
    *,
    executor: Executor | Client | None = None,
    max_workers: int | None = None,
    verbose: bool | int = True,
) -> list[Fit]:
    """Train many networks over one data set, several at once.

    Each network is the same, to the last bit, as if ``Network(...)`` and ``SGD(...)`` had been
    called with its spec alone, wherever it is trained.

    Parameters
    ----------
    specs : iterable of dict
        One per network: keyword arguments of ``Network`` and of ``SGD`` together, at least
        ``sizes``, ``epochs``, ``mini_batch_size`` and ``eta``. ``n_threads`` is 1 and
        ``verbose`` False unless a spec says otherwise. ``seed`` may not be a generator, which
        trainings would share; specs without a seed get one from NumPy's global generator, drawn
        in the calling process in the order of the specs. All specs are checked before the first
        network is trained. A spec may have a ``checkpoint``, a file of its own, and then needs a
        seed; with ``resume=True``, a sweep that was killed goes on when it is called again, and
        networks that were complete are not trained again. With a cluster, its machines must see the
        file under the same path.
    training : as ``training_data`` of ``SGD``
        Shared by all networks and not copied for threads; other forms than a ``Dataset`` are
        converted once.
    evaluation : as training, or None
        The evaluation data of all networks. If a spec has neither ``monitor_evaluation_cost`` nor
        ``monitor_evaluation_accuracy``, the accuracy is recorded if the targets are classes
        (labels or one-hot rows), otherwise the cost.
    executor : concurrent.futures.Executor, dask.distributed.Client or None
        Where the networks are trained. None: in threads of this process, since the kernels
        release the GIL. Any ``Executor`` or a Client of Dask can be used, and stays
        open. The contents of a spec (a custom cost class, a callback) must be picklable if the
        executor sends them to other processes.
    max_workers : int or None
        The number of threads, 1 or more; None: one for each core that this process may use.
        Not allowed with an executor, which has its own number.
    verbose : bool or {0, 1, 2}, default True
        1: show a progress bar on standard error if that is a terminal and tqdm is installed, and
        print there which trainings failed. 2: the same, but on a terminal a missing tqdm is an
        error. Failures are logged by the logger "fastnet" in any case.

    Returns
    -------
    list of Fit
        ``(index, spec, network, history, seconds, error, seed)`` for each spec, in their order.
        A failed training does not stop the others; its ``error`` says what happened. The same
        holds for networks that are lost when a process of a pool ends suddenly. Ctrl-C stops the
        running trainings; finished networks are returned, and the others have a
        ``KeyboardInterrupt`` as ``error``. A second Ctrl-C while they stop is raised.

    Raises
    ------
    ValueError, TypeError
        For invalid arguments and data; errors of a spec begin with ``specs[3]:``.
    ImportError
        If verbose is 2, standard error can show a bar, and tqdm is not installed.

    See Also
    --------
    fit_as_completed : the same as an iterator, in the order in which trainings end.

    Notes
    -----
    The data set is compressed for the kernels once per process, if that is faster. Processes map it
    into their memory from a file in the folder for temporary files, which is removed at the end.
    Dask's workers get it once each by ``scatter``, later ones from other workers. A data set that
    is a memory map of a file is passed as the file's path. If a worker of Dask is killed, the
    scheduler has its networks trained elsewhere. Dask may not start trainings in the order of the
    specs. Callbacks are called in the process that trains.

    Examples
    --------
    >>> import fastnet
    >>> training, validation, test = fastnet.load_mnist()
    >>> base = dict(sizes=[784, 30, 10], epochs=1, mini_batch_size=10, seed=1)
    >>> specs = [{**base, "eta": eta} for eta in (0.05, 0.5, 500.0)]
    >>> fits = fit_many(specs, training[:5000], validation)
    >>> best = max(fits, key=lambda fit: fit.history.evaluation_accuracy[-1])
    >>> best.spec["eta"], best.network
    (0.5, <Network [784, 30, 10]: sigmoid outputs, cross-entropy cost, float32>)
    """
    sweep = _Sweep(specs, training, evaluation, executor, max_workers, verbose)
    fits: dict[int, Fit] = {}
    try:
        with closing(sweep.run(fits)) as trained:
            for _ in trained:
                pass
    except KeyboardInterrupt as error:
        if sweep.is_running:  # a second Ctrl-C, which did not wait for the end of the trainings
            raise
        total = len(sweep.specs)
        sweep.report(f"interrupted; {len(fits)} of {total} trainings had ended")
        for i in range(total):
            fits.setdefault(i, sweep.not_trained(i, error.with_traceback(None)))
    return [fits[i] for i in range(len(fits))]


def fit_as_completed(
    specs: Iterable[Mapping[str, Any]],
    training: Data,
    evaluation: Data | None = None,
    *,
    executor: Executor | Client | None = None,
    max_workers: int | None = None,
    verbose: bool | int = True,
) -> Iterator[Fit]:
    """``fit_many`` as an iterator: each network as soon as it is trained.

    Parameters
    ----------
    specs, training, evaluation, executor, max_workers, verbose
        As for ``fit_many``; all are checked by the call. Training begins with the first
        ``next``.

    Yields
    ------
    Fit
        In the order in which the trainings end; ``index`` is the index in the specs. Yielded
        results are not stored.

    Raises
    ------
    ValueError, TypeError, ImportError
        As ``fit_many``.
    KeyboardInterrupt
        At Ctrl-C, after the running trainings have stopped and the finished ones have been
        yielded.

    Notes
    -----
    Leaving the loop early, or closing the iterator, stops the trainings that have not finished.

    Examples
    --------
    >>> import fastnet
    >>> training, validation, test = fastnet.load_mnist()
    >>> base = dict(sizes=[784, 30, 10], epochs=1, mini_batch_size=10, seed=1)
    >>> specs = [{**base, "eta": eta} for eta in (0.05, 0.5, 500.0)]
    >>> for fit in fit_as_completed(specs, training[:5000], validation):
    ...     if fit.history.evaluation_accuracy[-1] > 8500:
    ...         print(fit.index, fit.spec["eta"])
    ...         break
    1 0.5
    """
    return _Sweep(specs, training, evaluation, executor, max_workers, verbose).run()


class _Sweep:
    """One call of ``fit_many``: its checked arguments, and the trainings."""

    def __init__(
        self,
        specs: Any,
        training: Any,
        evaluation: Any,
        executor: Any,
        max_workers: Any,
        verbose: Any,
    ):
        _check_executor(executor, max_workers)
        level = reporting.level_of(verbose, "0 (silent), or 1 or 2 (a bar)")
        self._executor, self._max_workers, self._verbose = executor, max_workers, level > 0
        self._tqdm = _tqdm(level)
        self.specs = spec_checks.listed(specs)
        evaluation = given_data("evaluation", evaluation)
        schema = EMPTY
        if not isinstance(training, Dataset) or not isinstance(evaluation, Dataset | None):
            schema = spec_checks.common_schema(self.specs)
        data, held_out = as_dataset("training", training, schema=schema), None
        if evaluation is not None:
            held_out = as_dataset("evaluation", evaluation, data.scale, schema)
        self._data = data, held_out
        tasks = spec_checks.checked(self.specs, *self._data)
        if schema.standardize is None:
            warn_of_bytes("training", training, data)
        self._tasks = spec_checks.seeded(tasks)
        self.is_running = False  # whether trainings may be running

    def run(self, fits: dict[int, Fit] | None = None) -> Generator[Fit, None, None]:
        """Train the networks; yields each result as soon as it exists, after storing it in
        ``fits``."""
        if not self._tasks:
            return
        runner = Runner(self._executor, self._max_workers, *self._data)
        waiting: dict[Future, int] = {}
        failures: dict[int, str] = {}
        bar = self._tqdm and self._tqdm(total=len(self._tasks), desc="Networks", unit="network")
        self.is_running = True
        try:
            for i, future in self._done(runner, waiting):
                fit = self._fit(i, future)
                if fits is not None:
                    fits[i] = fit
                if fit.error is not None:
                    failures[i] = f"{type(fit.error).__name__}: {fit.error}"
                if bar is not None:
                    bar.update()
                yield fit
                del waiting[future]
        except KeyboardInterrupt:
            self._stop(runner, waiting)
            for future, i in waiting.items():
                if _is_trained(future):
                    fit = self._fit(i, future)
                    if fits is not None:
                        fits[i] = fit
                    yield fit
            raise
        finally:
            # if the loop over the results was left early; an interrupt has stopped them already
            if not runner.is_stopped:
                self._stop(runner, waiting)
            runner.close()
            if bar is not None:
                bar.close()
            for words in _failure_lines(failures):
                self.report(words)

    def _stop(self, runner: Runner, waiting: dict[Future, int]) -> None:
        if waiting:
            runner.stop(waiting)
        self.is_running = False

    def _done(self, runner: Runner, waiting: dict[Future, int]) -> Iterator[tuple[int, Future]]:
        """Submit all specs; yields the index and the future of each when the future is done.
        ``waiting`` contains the futures that have not been handled yet."""
        from concurrent.futures import CancelledError, as_completed

        left = list(range(len(self._tasks)))
        for times in range(1, _TIMES + 1):
            for i in left:
                waiting[runner.submit(self._tasks[i], first=times == 1 and i == 0)] = i
            left = []
            for future in as_completed(list(waiting)):
                if future.cancelled() and runner.can_lose_data:
                    left.append(waiting.pop(future))
                else:
                    yield waiting[future], future
            if not left:
                return
            error: Exception = CancelledError(f"its workers were lost {_TIMES} times")
            if times < _TIMES:
                try:
                    runner.scatter()
                    continue
                except Exception as without_workers:  # do not lose the finished trainings
                    error = without_workers.with_traceback(None)
            for i in left:
                future = executors.failed(error)
                waiting[future] = i
                yield i, future
            return

    def _fit(self, i: int, future: Future) -> Fit:
        if _is_trained(future):
            network, history, seconds, error = future.result()
            return Fit(i, self.specs[i], network, history, seconds, error, self._seed(i))
        return self.not_trained(i, _why_not(future))

    def not_trained(self, i: int, error: BaseException) -> Fit:
        """The result of a spec without a network."""
        return Fit(i, self.specs[i], None, History([], [], [], []), 0.0, error, self._seed(i))

    def _seed(self, i: int) -> Any:
        return self._tasks[i].network["seed"]

    def report(self, words: str) -> None:
        """Log a message, and print it if ``verbose``."""
        logger = reporting.logger()
        if logger is not None:
            logger.warning("%s", words)
        if self._verbose:
            print(f"fit_many: {words}", file=sys.stderr, flush=True)


def _failure_lines(failures: dict[int, str]) -> Iterator[str]:
    """The networks that could not be trained: a line for each reason."""
    reasons: dict[str, list[int]] = {}
    for i, reason in failures.items():
        reasons.setdefault(reason, []).append(i)
    for reason, places in sorted(reasons.items(), key=lambda item: min(item[1])):
        named = ", ".join(f"specs[{i}]" for i in sorted(places)[:_NAMED])
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        yield f"{named}{more}: {reason}"


def _is_trained(future: Future) -> bool:
    """Whether the result of a finished future is a training that was not stopped."""
    if future.cancelled() or future.exception() is not None:
        return False
    return future.result() is not None


def _why_not(future: Future) -> BaseException:
    from concurrent.futures import CancelledError

    if future.cancelled():
        return CancelledError("the executor has cancelled the training")
    return future.exception() or KeyboardInterrupt("stopped")


def _check_executor(executor: Any, max_workers: Any) -> None:
    if max_workers is not None:
        checks.integer("max_workers", max_workers, 1)
    if executor is None:
        return
    from concurrent.futures import Executor

    if executors.is_client(executor):
        if executor.asynchronous:
            raise TypeError("executor: expected a Client that is not asynchronous, got one that is")
    elif not isinstance(executor, Executor):
        raise TypeError(
            f"executor: expected a concurrent.futures.Executor, a Client of dask.distributed or "
            f"None, got {checks.short_repr(executor)}"
        )
    if max_workers is not None:
        raise ValueError(
            f"max_workers: expected None with an executor, which has its own number, "
            f"got {max_workers}"
        )


def _tqdm(level: int) -> Any:
    """tqdm's class of progress bars; None if no bar would be displayed, or if tqdm is missing and
    the bar is optional."""
    if level == 0 or not reporting.is_seen():
        return None
    try:
        return reporting.tqdm()
    except ImportError:
        if level == 2:
            raise
        return None
