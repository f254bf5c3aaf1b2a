"""Executors of a sweep: threads of this process, other processes, a Dask cluster."""

from __future__ import annotations

import mmap
import os
import pickle
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fastnet.core import reporting
from fastnet.data.dataset import Dataset
from fastnet.network import Network, inputs_of
from fastnet.sweep import orphans
from fastnet.training.errors import DivergenceError
from fastnet.training.history import History

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Datasets = tuple[Dataset, Dataset | None]  # training and evaluation data

# The file of the data sets in the folder of a sweep.
_DATA = "data"

# The alignment of arrays that is best for the kernels, in bytes.
_ALIGNMENT = 64


@dataclass(frozen=True)
class Task:
    """One training: the keyword arguments of ``Network`` and of ``SGD``, and the kinds of warnings
    already issued when they were checked."""

    network: Mapping[str, Any]
    sgd: Mapping[str, Any]
    warned: frozenset[str] = frozenset()


class Trained(NamedTuple):
    """The result of a training."""

    network: Network
    history: History
    seconds: float
    error: DivergenceError | None


# ---- runs in a thread, a process or a worker of the cluster


@dataclass(frozen=True)
class Stop:
    """A flag that stops all trainings of one sweep, in threads and in processes.

    ``key`` is for one process; other processes of the machine check whether ``file`` still exists.
    The flag is never reset, so that trainings whose results are no longer wanted stop, too.
    """

    key: str
    file: str | None = None

    def set(self) -> None:
        _stopped.add(self.key)
        if self.file is not None:
            with suppress(FileNotFoundError):
                os.remove(self.file)

    def is_set(self) -> bool:
        return self.key in _stopped or (self.file is not None and not os.path.exists(self.file))


_stopped: set[str] = set()  # the keys of all sweeps that have been stopped in this process


def train(task: Task, data: Datasets | Shared, stop: Stop) -> Trained | None:
    """Train the network of a task. Returns None if the training was stopped."""
    # data first, so that a machine without access to their folder raises an error for that
    if isinstance(data, Shared):
        orphans.poll_parent(os.path.dirname(data.path), data.owner)
        training, evaluation = data.datasets()
    else:
        training, evaluation = data
    if stop.is_set():
        return None
    network, diverged = Network(**task.network), None
    inputs_of(network).warned.update(task.warned)
    start = time.perf_counter()
    token = reporting.stop_requested.set(stop.is_set)
    try:
        history = network.SGD(training, evaluation_data=evaluation, **task.sgd)
    except DivergenceError as error:
        # without the traceback, which would keep all objects of the training alive
        diverged = error.with_traceback(None)
        history = error.history
    except reporting.Stopped:
        orphans.wait_if_removing()
        return None
    finally:
        reporting.stop_requested.reset(token)
    return Trained(network, history, time.perf_counter() - start, diverged)


@dataclass(frozen=True)
class Shared:
    """Data sets in a file, which every process of a machine maps into its memory once.

    The file contains their pickle, of ``head`` bytes, and the arrays that it leaves out;
    ``arrays`` are the offset and the length of each in bytes. ``owner`` is the process of
    the sweep.
    """

    path: str
    head: int
    arrays: tuple[tuple[int, int], ...]
    owner: int

    @classmethod
    def write(cls, path: str, data: Datasets) -> Shared:
        buffers: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(data, protocol=5, buffer_callback=buffers.append)
        arrays = []
        with open(path, "wb") as file:
            file.write(pickled)
            for buffer in buffers:
                file.write(bytes(-file.tell() % _ALIGNMENT))
                raw = buffer.raw()
                arrays.append((file.tell(), raw.nbytes))
                file.write(raw)
        return cls(path, len(pickled), tuple(arrays), os.getpid())

    def datasets(self) -> Datasets:
        """The data sets. A process keeps those of its last sweep, with their compressed forms."""
        found = _mapped.get(self.path)
        if found is None:
            found = self._map()
            _mapped.clear()
            _mapped[self.path] = found
        return found

    def _map(self) -> Datasets:
        try:
            with open(self.path, "rb") as file:
                view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.path}: expected the data set, which all processes of an executor must "
                f"see; for other machines set TMPDIR to a folder that they share, or give "
                f"fit_many a Dask Client"
            ) from None
        buffers = [view[first : first + length] for first, length in self.arrays]
        datasets: Datasets = pickle.loads(view[: self.head], buffers=buffers)
        return datasets


_mapped: dict[str, Datasets] = {}  # in a process of a pool: the data sets of its last sweep


# ---- runs in the calling process


class Runner:
    """An executor, and the data sets in the form in which its tasks receive them.

    Parameters
    ----------
    executor : Executor, dask.distributed.Client or None
        None: new threads.
    max_workers : int or None
        The number of threads; None: one for each core that this process may use.
    training, evaluation : Dataset
    """

    def __init__(
        self,
        executor: Any,
        max_workers: int | None,
        training: Dataset,
        evaluation: Dataset | None,
    ):
        from concurrent.futures import ThreadPoolExecutor

        self._stop = Stop(uuid.uuid4().hex)
        self._datasets = training, evaluation
        self._data: Any = self._datasets
        self._options: dict[str, Any] = {}
        self._client = _client(executor)
        self._workers: orphans.Workers | None = None
        with ExitStack() as at_the_end:
            if executor is None:
                executor = ThreadPoolExecutor(max_workers or cores(), "fastnet")
                at_the_end.callback(executor.shutdown, wait=False)
            if self._client is not None:
                if is_client(executor):
                    executor = self._client.get_executor()
                self._options["pure"] = False  # equal specs without a seed are different networks
                self.scatter()
            elif not isinstance(executor, ThreadPoolExecutor):
                folder = orphans.folder(at_the_end)
                self._workers = orphans.Workers(folder, executor)
                at_the_end.callback(self._workers.close)
                self._stop = Stop(self._stop.key, os.path.join(folder, orphans.RUNNING))
                Path(folder, orphans.RUNNING).touch()
                self._data = Shared.write(os.path.join(folder, _DATA), self._datasets)
            self._executor: Executor = executor
            self._close = at_the_end.pop_all().close

    @property
    def can_lose_data(self) -> bool:
        """Whether trainings are cancelled if all workers that hold the data sets are killed."""
        return self._client is not None

    def scatter(self) -> None:
        """Send the data sets to each worker of the cluster; later tasks use these copies.

        Raises
        ------
        TimeoutError
            If there is no worker, and none is added.
        """
        request = self._client.submit(bool, pure=False)  # a cluster that scales up needs a task
        try:
            self._data = self._client.scatter(self._datasets, broadcast=True, hash=False)
        except TimeoutError:
            raise TimeoutError(
                "executor: expected a Client with a worker, got one without any; "
                "client.wait_for_workers(1) waits for a cluster that is slow to start them"
            ) from None
        finally:
            request.release()

    def submit(self, task: Task, first: bool = False) -> Future[Trained | None]:
        """Submit a call of ``train``. If the executor refuses a task, raise an error for the
        ``first``, and return a failed future for later ones."""
        from concurrent.futures import BrokenExecutor

        try:
            future = self._executor.submit(train, task, self._data, self._stop, **self._options)
        except RuntimeError as error:  # the executor is broken or was shut down
            if first:
                kind = type(error) if isinstance(error, BrokenExecutor) else RuntimeError
                raise kind(f"executor: expected one that accepts tasks, got: {error}") from error
            return failed(error)
        if self._workers is not None:
            self._workers.submitted(future)
        return future

    def stop(self, futures: Iterable[Future]) -> None:
        """Start no further training, stop those that run, and wait for them."""
        from concurrent.futures import wait

        self._stop.set()
        if self._client is not None:
            self._client.run(self._stop.set, on_error="ignore")  # a worker may have left
        # Cancelled futures are not waited for: Dask's executor may never report one whose training
        # ends at that moment.
        wait([future for future in futures if not future.cancel()])

    @property
    def is_stopped(self) -> bool:
        """Whether the trainings have been asked to stop; some may still be running."""
        return self._stop.is_set()

    def close(self) -> None:
        """Release the resources of this sweep."""
        self._close()


def failed(error: BaseException) -> Future[Trained | None]:
    """The future of a training that cannot start."""
    from concurrent.futures import Future

    future: Future[Trained | None] = Future()
    future.set_exception(error)
    return future


def cores() -> int:
    """The number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def is_client(executor: Any) -> bool:
    """Whether an executor is a Client of Dask; Dask need not be installed."""
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(executor, distributed.Client)


def _client(executor: Any) -> Any:
    """The Client of Dask that an executor is or belongs to, or None."""
    if is_client(executor):
        return executor
    return getattr(executor, "_client", None) if _is_of_dask(executor) else None


def _is_of_dask(executor: Any) -> bool:
    module = sys.modules.get("distributed.cfexecutor")
    return module is not None and isinstance(executor, module.ClientExecutor)
