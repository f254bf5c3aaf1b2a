"""Files: written atomically, locked while in use, read only if they are regular files."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from fastnet.core import checks

try:
    fcntl: Any = import_module("fcntl")
except ImportError:  # not a POSIX system
    fcntl = None

if TYPE_CHECKING:
    from pathlib import Path

_OPEN_FILE = re.compile(r"/dev/(?:(stdout|stderr)|fd/(\d{1,9}))")
_STREAMS = {"stdout": 1, "stderr": 2}


def write(path: Any, chunks: Iterable[bytes | memoryview]) -> None:
    """Write a file atomically: an existing file is replaced when the new one is complete.

    Until then the bytes are in a temporary file in the same folder, NAME.<16 hexadecimal
    digits>.part, which is locked while it is in use. If a process is killed, its temporary file
    remains until the next call for the same path removes it. Pipes, devices and /dev/stdout are
    written to and not replaced.
    """
    place = _place(path)
    number = _open_file(place)
    if number is not None or _is_special(place):
        with _named(place), place.open("wb") if number is None else _duplicate(number) as special:
            special.writelines(chunks)
        return
    with _named(place):
        target = _target(place)
        _remove_abandoned(target)
        file, temporary = _begin(target)
    try:
        with _named(place), file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())  # before the rename, in case the machine crashes
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            if fcntl is None:
                file.close()  # otherwise it stays open, and so locked, until it is renamed
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_writable(path: Any) -> None:
    """Raise the OSError that ``write`` would raise; no file is left behind."""
    place = _place(path)
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if _open_file(place) is None and not _is_special(place):
        with _named(place):
            file, temporary = _begin(_target(place))
        with file:
            temporary.unlink(missing_ok=True)


def _place(path: Any) -> Path:
    from pathlib import Path  # takes half a megabyte of memory, which training alone does not need

    return Path(checks.path("filename", path))


def _is_special(place: Path) -> bool:
    """Whether the path is a pipe or a device, which is written to and not replaced, or a folder."""
    return place.exists() and not place.is_file()


def _open_file(place: Path) -> int | None:
    """The number of the open file that /dev/stdout, /dev/stderr or /dev/fd/N is. It may be a
    regular file, to which a shell redirects the output: replacing it would lose what the program
    prints."""
    found = _OPEN_FILE.fullmatch(str(place))
    if found is None:
        return None
    return _STREAMS[found[1]] if found[1] else int(found[2])


def _duplicate(number: int) -> BinaryIO:
    """The open file of this number, which stays open when the one that is returned is closed."""
    return os.fdopen(os.dup(number), "wb")


def _target(place: Path) -> Path:
    """The file that the links of a path lead to; it need not exist."""
    target = type(place)(os.path.realpath(place))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def _begin(target: Path) -> tuple[BinaryIO, Path]:
    """A new temporary file in the folder of the target, locked where the system can."""
    while True:
        temporary = target.with_name(f"{target.name}.{secrets.token_hex(8)}.part")
        file = temporary.open("xb")
        try:
            if try_lock(file) is not False and _has_name(file, temporary):
                return file, temporary
        except BaseException:
            file.close()
            temporary.unlink(missing_ok=True)
            raise
        # another process found it before it was locked, and removed it as abandoned
        file.close()
        temporary.unlink(missing_ok=True)


def try_lock(file: IO[Any]) -> bool | None:
    """Lock a file for as long as it is open; False if another has locked it, None where
    files cannot be locked."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks
        return None
    return True


def _has_name(file: IO[Any], path: Path) -> bool:
    """Whether the path still refers to the open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except FileNotFoundError:
        return False


def _remove_abandoned(target: Path) -> None:
    """Remove the temporary files of the target that no process has locked."""
    pattern = re.compile(re.escape(target.name) + r"\.[0-9a-f]{16}\.part")

    def lock_file(entry: os.DirEntry[str]) -> str | None:
        temporary = pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        return entry.path if temporary else None

    remove_unlocked(str(target.parent), lock_file, os.unlink)


def remove_unlocked(
    folder: str,
    lock_file: Callable[[os.DirEntry[str]], str | None],
    remove: Callable[[str], object],
) -> None:
    """Call ``remove`` with the path of each entry of a folder that a process left behind when it
    was killed: ``lock_file`` returns the path of the file that the process kept locked, or None
    for an entry of another kind. Nothing is removed if files cannot be locked."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                path = lock_file(entry)
                if path is not None:
                    with open(path, "r+b") as file:  # NFS locks only files open for writing
                        if try_lock(file):
                            remove(entry.path)


@contextlib.contextmanager
def _named(place: Path) -> Iterator[None]:
    """Make the system's errors name the user's file instead of the temporary one."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(place)) from None


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading. Devices and pipes, which may never end, are refused."""
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
        kind = next((kind for is_kind, kind in kinds if is_kind(mode)), "a device")
        raise ValueError(f"{path}: expected a regular file, found {kind}")
    return open(path, "rb")


@contextlib.contextmanager
def reading(path: Any) -> Iterator[BinaryIO]:
    """A regular file, open for reading. Errors about its content, which the block raises, become
    ValueErrors that begin with the path."""
    path = checks.path("filename", path)
    with open_regular(path) as file:
        try:
            yield file
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{path}: {error}") from None
