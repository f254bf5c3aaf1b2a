"""Networks in files: the book's JSON format, with more keys beside its four.

The book's keys are sizes, weights, biases and cost: the name of the class, or, where the
parameters are not the defaults, an object such as {"class": "HuberCost", "threshold": 2.0}, which
releases that know of no parameters refuse.
What that format lacks is in further keys, which the book's own reader ignores:
own_cost, whether the cost is a class of the user's; output; hidden, the kind of each
hidden layer's neurons; dtype; and input_scale, the scale of the inputs trained on.

Works on plain dictionaries; knows no Network.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import numpy as np

from fastnet import checks

try:
    fcntl: Any = import_module("fcntl")
except ImportError:  # not a POSIX system
    fcntl = None

if TYPE_CHECKING:
    from pathlib import Path

# Suffixes of other formats than JSON: arrays and models (in other libraries the suffix selects the
# format), tables and compressed files.
_OTHER_FORMATS = frozenset([
    ".npz", ".npy", ".mat", ".h5", ".hdf5", ".nc", ".safetensors", ".onnx", ".pt", ".pth", ".pkl",
    ".pickle", ".joblib", ".dill", ".keras", ".pb", ".tflite", ".ckpt", ".gguf", ".msgpack",
    ".pmml", ".mlmodel", ".csv", ".tsv", ".xls", ".xlsx", ".parquet", ".feather", ".arrow",
    ".yaml", ".yml", ".toml", ".xml", ".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".zip",
    ".7z", ".rar", ".tar", ".tgz",
])  # fmt: skip

_AT_ONCE = 4096  # numbers per piece of text


def check_suffix(name: str, path: Any) -> None:
    """Raise a ValueError if the name has the suffix of another format than JSON.

    Parameters
    ----------
    name : str
        The argument's or option's name, for the message.
    path : str or path
    """
    suffix = os.path.splitext(checks.path(name, path))[1].lower()
    if suffix in _OTHER_FORMATS:
        raise ValueError(
            f"{name}: expected a name for JSON, the only format that is written, such as "
            f"net.json; got one that ends in {suffix}"
        )


def save(path: Any, fields: dict[str, Any]) -> None:
    """Write ``fields`` as JSON, as ``write`` does; values may be lists of arrays."""
    check_suffix("filename", path)
    write(path, (text.encode() for text in _json(fields)))


def _json(fields: dict[str, Any]) -> Iterator[str]:
    """The text of ``json.dumps``, piece by piece, with arrays as lists."""
    for i, (key, value) in enumerate(fields.items()):
        yield f"{', ' if i else '{'}{json.dumps(key)}: "
        if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
            for l, array in enumerate(value):
                yield ", " if l else "["
                yield from _json_of_array(array)
            yield "]"
        else:
            yield json.dumps(value, allow_nan=False)
    yield "}"


def _json_of_array(array: np.ndarray) -> Iterator[str]:
    size = array.size // len(array)  # of one item
    step = max(1, _AT_ONCE // size)
    yield "["
    for i in range(0, len(array), step):
        if i:
            yield ", "
        if size > _AT_ONCE:
            yield from _json_of_array(array[i])
        else:
            yield json.dumps(array[i : i + step].tolist(), allow_nan=False)[1:-1]
    yield "]"


def write(path: Any, chunks: Iterable[bytes]) -> None:
    """Write a file; one that stood there is replaced only by a whole one.

    Until then the bytes are in a temporary file beside it, NAME.<16 hexadecimal digits>.part,
    which is locked while it is in use. If a process is killed, its file remains until the next
    call for the same path removes it.
    """
    place = _place(path)
    if _is_special(place):
        with place.open("wb") as special:
            special.writelines(chunks)
        return
    with _named(place):
        target = place.resolve()
        _remove_abandoned(target)
        file, temporary = _begin(target)
    try:
        with _named(place), file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())  # before the name is its own, should the machine fail
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            if fcntl is None:
                file.close()  # with locks it stays open, and so locked, until it is renamed
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_writable(path: Any) -> None:
    """Raise the OSError that ``write`` would raise; leaves nothing behind."""
    place = _place(path)
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not _is_special(place):
        with _named(place):
            file, temporary = _begin(place.resolve())
        with file:
            temporary.unlink(missing_ok=True)


def _place(path: Any) -> Path:
    from pathlib import Path  # half a megabyte, which training alone does not need

    return Path(checks.path("filename", path))


def _is_special(place: Path) -> bool:
    """A pipe or a device, which is written to and not replaced; or a folder, which cannot be."""
    return place.exists() and not place.is_file()


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
    if fcntl is None:
        return
    pattern = re.compile(re.escape(target.name) + r"\.[0-9a-f]{16}\.part")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                # NFS locks only files that are open for writing
                with contextlib.suppress(OSError), open(entry.path, "r+b") as file:
                    if try_lock(file):
                        os.unlink(entry.path)


@contextlib.contextmanager
def _named(place: Path) -> Iterator[None]:
    """Let the system's errors name the user's file and not the temporary one."""
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


def load(path: Any) -> dict[str, Any]:
    """Read and check a file that ``save`` or the book's network2.py wrote.

    Returns
    -------
    dict with sizes (tuple of int), weights and biases (lists of float64 arrays,
    (n_out, n_in) and (n_out, 1)), cost (str or dict), own_cost (bool), output (str or None), hidden
    (list of str, or "sigmoid" where the file has none), dtype ("float64" where it has none) and
    input_scale (None where it has none).

    Raises
    ------
    ValueError
        If the file is not JSON, lacks something, has wrong shapes or holds
        anything but finite numbers, or if it is a pipe or a device; the message names the
        file and the key.
    OSError
        If it cannot be read.
    """
    path = checks.path("filename", path)
    with open_regular(path) as file:
        content = file.read()
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8
        raise ValueError(f"{path}: expected a network in JSON, found damage: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(fields).__name__}")
    try:
        return _checked(fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    missing = [key for key in ("sizes", "weights", "biases", "cost") if key not in fields]
    if missing:
        raise ValueError(f"expected the key {missing[0]!r}, found {_some(sorted(fields))}")
    sizes = fields["sizes"]
    if (
        not isinstance(sizes, list)
        or len(sizes) < 2
        or not all(type(n) is int and n > 0 for n in sizes)
    ):
        raise ValueError(
            f"sizes: expected two or more positive integers, found {checks.briefly(sizes)}"
        )
    layers = list(pairwise(sizes))
    scale = fields.get("input_scale")
    largest = sys.float_info.max
    if scale is not None and not (type(scale) in (int, float) and 0 <= scale <= largest):
        raise ValueError(
            f"input_scale: expected a finite number of 0 or more, found {checks.briefly(scale)}"
        )
    hidden = fields.get("hidden", "sigmoid")
    if not isinstance(hidden, str | list):
        raise ValueError(
            f"hidden: expected a name or a list of names, found {checks.briefly(hidden)}"
        )
    own_cost = fields.get("own_cost")
    if not isinstance(own_cost, bool | None):
        raise ValueError(f"own_cost: expected true or false, found {checks.briefly(own_cost)}")
    for key, known in (("cost", None), ("output", None), ("dtype", ("float32", "float64"))):
        value = fields.get(key)
        if key == "cost" and isinstance(value, dict):  # a class and its parameters
            continue
        if value is not None and (not isinstance(value, str) or (known and value not in known)):
            raise ValueError(f"{key}: expected {known or 'a name'}, found {checks.briefly(value)}")
    return {
        "sizes": tuple(sizes),
        "weights": _arrays("weights", fields["weights"], [(b, a) for a, b in layers]),
        "biases": _arrays("biases", fields["biases"], [(b, 1) for _, b in layers]),
        "cost": fields["cost"],
        "own_cost": bool(own_cost),
        "output": fields.get("output"),
        "hidden": hidden,
        "dtype": fields.get("dtype") or "float64",
        "input_scale": scale,
    }


def _arrays(key: str, value: Any, shapes: list[tuple[int, int]]) -> list[np.ndarray]:
    if not isinstance(value, list) or len(value) != len(shapes):
        found = f"{len(value)}" if isinstance(value, list) else type(value).__name__
        raise ValueError(f"{key}: expected a list of {len(shapes)} layers, found {found}")
    return [
        _array(f"{key}[{l}]", rows, shape)
        for l, (rows, shape) in enumerate(zip(value, shapes, strict=True))
    ]


def _array(key: str, rows: Any, shape: tuple[int, int]) -> np.ndarray:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError(f"{key}: expected a list of {shape[0]} rows, found something else")
    lengths = {len(row) for row in rows}
    if len(rows) != shape[0] or lengths != {shape[1]}:
        raise ValueError(
            f"{key}: expected shape {shape}, found {len(rows)} rows of {_some(sorted(lengths))}"
        )
    odd = [x for row in rows for x in row if type(x) not in (int, float)]
    if odd:
        raise ValueError(f"{key}: expected numbers only, found {checks.briefly(odd[0])}")
    try:
        array = np.array(rows, np.float64)
    except OverflowError:
        array = np.array([[math.inf]])
    if not np.isfinite(array).all():
        raise ValueError(f"{key}: expected finite numbers only, found one that is not")
    return array


def _some(items: list[Any]) -> str:
    """The first few of a list for a message."""
    shown = ", ".join(checks.briefly(item) for item in items[:5])
    return f"[{shown}{', ...' if len(items) > 5 else ''}]"
