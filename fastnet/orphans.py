"""What the end of a sweep's process by force would leave behind: its folder and its workers.

A process that is killed (SIGKILL, out of memory) removes nothing and ends no worker. Those of a
``ProcessPoolExecutor`` would wait for ever then: each holds the pipe open that it reads tasks
from. So each worker that trains looks whether its parent is still there, and ends the others of
its pool too, which may have had no task. What is left when all were killed is removed by the next
sweep.

In the folder of a sweep stand ``OWNER``, which its process keeps locked, a file for each worker,
and one for each worker that looks for itself.
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

from fastnet import persistence

if TYPE_CHECKING:
    from concurrent.futures import Future

OWNER = "owner"
_PREFIX = "fastnet-"
_WORKER, _WATCHED = "worker-", "watched-"
_SECONDS = 0.5  # between two looks


# ---- in the process that calls


def folder(at_the_end: ExitStack) -> str:
    """A new folder for a sweep, removed at the end; those of sweeps that were killed now."""
    _remove_abandoned()
    made = tempfile.TemporaryDirectory(prefix=_PREFIX)
    unlocked = Path(made.name, f"{OWNER}.new")
    file = at_the_end.enter_context(unlocked.open("xb"))
    at_the_end.enter_context(made)  # which goes before the lock does
    persistence.try_lock(file)
    unlocked.rename(unlocked.with_name(OWNER))  # so nobody finds it before it is locked
    return made.name


def _remove_abandoned() -> None:
    """Remove the folders of this user's sweeps whose process is no more."""
    if not hasattr(os, "getuid"):
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            with suppress(OSError):
                if (
                    entry.name.startswith(_PREFIX)
                    and entry.is_dir(follow_symlinks=False)
                    and entry.stat(follow_symlinks=False).st_uid == os.getuid()
                ):
                    with open(os.path.join(entry.path, OWNER), "r+b") as owner:
                        if persistence.try_lock(owner):
                            shutil.rmtree(entry.path, ignore_errors=True)


class Workers:
    """The processes of an executor, written down in the folder for those that outlive this one.

    Parameters
    ----------
    folder : str
    executor : Executor
        One without processes that it shows is passed over.
    """

    def __init__(self, folder: str, executor: Any):
        self._folder = Path(folder)
        self._executor = executor
        self._known: dict[int, Path] = {}
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Write nothing any more: the folder is about to be removed."""
        with self._lock:
            self._closed = True

    def follow(self, future: Future) -> None:
        """Write down who is there now, and when a task has ended, after which pools replace
        workers that have had their number of tasks."""
        self.note()
        future.add_done_callback(lambda _: self._note_soon())

    def _note_soon(self) -> None:
        self.note()
        if getattr(self._executor, "_max_tasks_per_child", None) is not None:
            timer = threading.Timer(_SECONDS, self.note)  # the new one begins after this call
            timer.daemon = True
            timer.start()

    def note(self) -> None:
        """Write down those that are new, and take out those that have ended."""
        processes = getattr(self._executor, "_processes", None)
        found = list(processes.items()) if isinstance(processes, dict) else []
        now = [pid for pid, process in found if pid == getattr(process, "pid", None)]
        with self._lock, suppress(OSError):
            if self._closed:
                return
            for pid in set(self._known) - set(now):
                self._known.pop(pid).unlink(missing_ok=True)
            for pid in set(now) - set(self._known):
                file = self._folder / f"{_WORKER}{pid}-{_began(pid)}"
                file.touch()
                self._known[pid] = file


def _began(pid: int) -> str:
    """When a process began, where /proc tells: its number may be another's later."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


# ---- in a worker


def watch(folder: str, owner: int) -> None:
    """Let this worker, from now on to the end of the sweep, end itself, the others of its pool
    and the folder when its parent has ended.

    Parameters
    ----------
    folder : str
        Of the sweep.
    owner : int
        The process of the sweep; where this one is no child of it, nothing is done.
    """
    is_orphan = _orphaned(owner)
    if is_orphan is None:
        return
    with _starting:
        if folder in _folders:
            return
        _folders.add(folder)
    with suppress(OSError):  # of a sweep that has ended
        Path(folder, f"{_WATCHED}{os.getpid()}").touch()
    threading.Thread(target=_watch, args=(folder, is_orphan), daemon=True).start()


_folders: set[str] = set()  # those that this process watches
_starting = threading.Lock()


def _orphaned(owner: int) -> Callable[[], bool] | None:
    """What tells whether the parent has ended; None where this is no worker of the owner's."""
    multiprocessing: Any = sys.modules.get("multiprocessing")
    parent = multiprocessing and multiprocessing.parent_process()
    if parent is None or parent.pid != owner or sys.platform == "win32":
        return None
    # Of a fork server all are children, and its end waits for theirs; elsewhere the parent's
    # pipe may have been inherited by another worker.
    if isinstance(multiprocessing.current_process(), multiprocessing.context.ForkServerProcess):
        return lambda: not parent.is_alive()
    return lambda: os.getppid() != owner


def _watch(folder: str, is_orphan: Callable[[], bool]) -> None:
    files: list[str] = []
    while True:
        try:
            files = os.listdir(folder)
            has_ended = False
        except FileNotFoundError:
            has_ended = True
        except OSError:  # of too many open files, say
            has_ended = False
        # asked after the folder: another process may have removed it for the dead parent
        if is_orphan():
            _kill_unwatched(files)
            _remove(folder)
            os._exit(1)
        if has_ended:
            _folders.discard(folder)
            return
        time.sleep(_SECONDS)


def _remove(folder: str) -> None:
    """Also where a worker that has just begun to train puts a file there meanwhile."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.05)


def _kill_unwatched(files: Iterable[str]) -> None:
    """End the workers that have no task of the sweep and so do not look for themselves."""
    watched = {file.removeprefix(_WATCHED) for file in files if file.startswith(_WATCHED)}
    for file in files:
        if file.startswith(_WORKER):
            pid, began = file.removeprefix(_WORKER).split("-")
            if pid not in watched and _began(int(pid)) == began:
                with suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)
