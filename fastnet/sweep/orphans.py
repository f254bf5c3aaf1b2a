"""Cleaning up after the process of a sweep has been killed: its folder and its orphaned workers.

A killed process (SIGKILL, out of memory) removes no files and stops no workers. The workers of a
``ProcessPoolExecutor`` would then wait forever, since each of them holds open the pipe from which
it reads tasks. So each worker that trains polls whether its parent is alive. If not, it kills the
other workers of its pool that have no task, removes the folder and exits. If all processes were
killed, the next sweep removes the folder.

The folder of a sweep contains the file ``OWNER``, which the sweep's process keeps locked, one file
per worker, and one file per worker that polls.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastnet.core import files

if TYPE_CHECKING:
    from concurrent.futures import Future

OWNER = "owner"
RUNNING = "running"  # trainings of the sweep stop when this file is removed
_PREFIX = "fastnet-"
_WORKER, _POLLING = "worker-", "polling-"
_POLL_SECONDS = 0.5


# ---- in the process of the sweep


def folder(at_the_end: ExitStack) -> str:
    """Make a folder for a sweep, removed at the end, and remove the folders of killed sweeps."""
    _remove_abandoned()
    made = tempfile.TemporaryDirectory(prefix=_PREFIX)
    unlocked = Path(made.name, f"{OWNER}.new")
    file = at_the_end.enter_context(unlocked.open("xb"))
    at_the_end.enter_context(made)  # removed before the lock is released
    files.try_lock(file)
    unlocked.rename(unlocked.with_name(OWNER))  # after locking: other sweeps never find it unlocked
    return made.name


def _remove_abandoned() -> None:
    """Remove the folders of this user's sweeps whose process has ended."""
    if hasattr(os, "getuid"):
        files.remove_unlocked(tempfile.gettempdir(), _lock_file, _remove_tree)


def _lock_file(entry: os.DirEntry[str]) -> str | None:
    """The path of the locked file if the entry is the folder of a sweep of this user, else None."""
    is_ours = (
        entry.name.startswith(_PREFIX)
        and entry.is_dir(follow_symlinks=False)
        and entry.stat(follow_symlinks=False).st_uid == os.getuid()
    )
    return os.path.join(entry.path, OWNER) if is_ours else None


def _remove_tree(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)


class Workers:
    """Records the worker processes of an executor in the folder, for the workers to read.

    Parameters
    ----------
    folder : str
    executor : Executor
        Ignored unless it has a table of its processes, like ``ProcessPoolExecutor``.
    """

    def __init__(self, folder: str, executor: Any):
        self._folder = Path(folder)
        self._executor = executor
        self._recorded: dict[int, Path] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        if getattr(executor, "_max_tasks_per_child", None) is not None:
            threading.Thread(target=self._note_regularly, daemon=True).start()

    def close(self) -> None:
        """Stop recording: the folder is about to be removed."""
        with self._lock:
            self._closed.set()

    def submitted(self, future: Future) -> None:
        """Record the workers now and when the task ends."""
        self.note()
        future.add_done_callback(lambda _: self.note())

    def _note_regularly(self) -> None:
        """Record replaced workers: the pool starts the new one some time after a task has ended."""
        while not self._closed.wait(_POLL_SECONDS):
            self.note()

    def note(self) -> None:
        """Record new workers, and remove the files of those that have ended."""
        processes = getattr(self._executor, "_processes", None)
        found = list(processes.items()) if isinstance(processes, dict) else []
        now = [pid for pid, process in found if pid == getattr(process, "pid", None)]
        with self._lock, suppress(OSError):
            if self._closed.is_set():
                return
            for pid in set(self._recorded) - set(now):
                self._recorded.pop(pid).unlink(missing_ok=True)
            for pid in set(now) - set(self._recorded):
                file = self._folder / f"{_WORKER}{pid}-{_start_time(pid)}"
                file.touch()
                self._recorded[pid] = file


def _start_time(pid: int) -> str:
    """The start time of a process from /proc, or "": a process id may be reused."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


# ---- in a worker


def poll_parent(folder: str, owner: int) -> None:
    """Poll in a thread whether this worker's parent has ended, until the sweep ends; if so, kill
    the idle workers of the pool, remove the folder and exit.

    Parameters
    ----------
    folder : str
        The folder of the sweep.
    owner : int
        The process id of the sweep; nothing is done if this process is not a child of it.
    """
    is_orphan = _orphan_test(owner)
    if is_orphan is None:
        return
    with _starting:
        if folder in _folders:
            return
        _folders.add(folder)
    with suppress(OSError):  # the sweep may have ended
        Path(folder, f"{_POLLING}{os.getpid()}").touch()
    threading.Thread(target=_poll_parent, args=(folder, is_orphan), daemon=True).start()


def wait_if_removing() -> None:
    """Wait for the end of this process if it is removing the folder of a killed sweep.

    The training stops when ``RUNNING`` is removed; a worker that has no further task would then
    exit and leave the empty folder behind.
    """
    with _removing:
        pass


_folders: set[str] = set()  # folders of the sweeps for which this process polls
_starting = threading.Lock()
_removing = threading.Lock()  # never released by the thread that removes a folder


def _orphan_test(owner: int) -> Callable[[], bool] | None:
    """A function that returns whether the parent has ended; None if this process is not a worker
    of the owner."""
    multiprocessing: Any = sys.modules.get("multiprocessing")
    parent = multiprocessing and multiprocessing.parent_process()
    if parent is None or parent.pid != owner or sys.platform == "win32":
        return None
    # The parent id of a fork server's workers is the server's, which outlives them. With other
    # start methods, another worker may have inherited the pipe that is_alive waits for.
    if isinstance(multiprocessing.current_process(), multiprocessing.context.ForkServerProcess):
        return lambda: not parent.is_alive()
    return lambda: os.getppid() != owner


def _poll_parent(folder: str, is_orphan: Callable[[], bool]) -> None:
    names: list[str] = []
    while True:
        try:
            names = os.listdir(folder)
            has_ended = False
        except FileNotFoundError:
            has_ended = True
        except OSError:  # too many open files, for example
            has_ended = False
        # checked after listing the folder, which another worker of a dead parent may have removed
        if is_orphan():
            _removing.acquire()
            _kill_idle(names)
            _remove(folder)
            os._exit(1)
        if has_ended:
            _folders.discard(folder)
            return
        time.sleep(_POLL_SECONDS)


def _remove(folder: str) -> None:
    """Remove the folder, even if a worker that begins to train adds a file meanwhile. The file
    ``RUNNING`` is removed last, since the training of this process, and with it the process, stops
    then."""
    for _ in range(20):
        with suppress(OSError):
            for name in sorted(os.listdir(folder), key=RUNNING.__eq__):
                os.remove(os.path.join(folder, name))
            os.rmdir(folder)
        if not os.path.exists(folder):
            return
        time.sleep(0.05)


def _kill_idle(names: Iterable[str]) -> None:
    """Kill the workers that have had no task of the sweep and so do not poll themselves."""
    polling = {name.removeprefix(_POLLING) for name in names if name.startswith(_POLLING)}
    for name in names:
        if name.startswith(_WORKER):
            pid, start_time = name.removeprefix(_WORKER).split("-")
            if pid not in polling and _start_time(int(pid)) == start_time:
                with suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)
