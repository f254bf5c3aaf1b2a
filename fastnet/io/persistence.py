"""Networks in files: the format is chosen by the suffix when they are written, and recognized by
the content when they are read.

This module reads and writes models and does not use ``Network``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from fastnet.core import checks, files
from fastnet.io import array_networks, json_networks, safetensors_files, zip_members
from fastnet.model import Model
from fastnet.nn import costs


class Format(NamedTuple):
    """A format: functions that write a model to a path, read it from an open file, and raise an
    ImportError if a library that both need is missing."""

    write: Callable[[Any, Model], None]
    read: Callable[[BinaryIO, Any], Model]
    require: Callable[[], None] | None = None


_JSON = Format(json_networks.write, json_networks.read)
_NPZ = Format(array_networks.write_npz, array_networks.read_npz)
_SAFETENSORS = Format(
    array_networks.write_safetensors, array_networks.read_safetensors, safetensors_files.require
)
FORMATS = {".json": _JSON, ".npz": _NPZ, ".safetensors": _SAFETENSORS}

# Suffixes of formats that ``save`` does not write, with the call that writes them, if there is one:
# arrays and models (in other libraries the suffix selects the format), tables and compressed files.
_PICKLE = "pickle.dump(net, file) writes a pickle"
_TORCH = "torch.save(net.to_torch(), filename) writes a module of PyTorch"
_C = "net.to_c(filename) writes C"
_OTHER_FORMATS = {
    **dict.fromkeys([
        ".npy", ".mat", ".h5", ".hdf5", ".nc", ".keras", ".pb", ".tflite", ".ckpt", ".gguf",
        ".msgpack", ".pmml", ".mlmodel", ".csv", ".tsv", ".xls", ".xlsx", ".parquet", ".feather",
        ".arrow", ".yaml", ".yml", ".toml", ".xml", ".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4",
        ".zip", ".7z", ".rar", ".tar", ".tgz",
    ]),
    ".onnx": "net.to_onnx(filename) writes ONNX",
    ".pt": _TORCH, ".pth": _TORCH,
    ".pkl": _PICKLE, ".pickle": _PICKLE,
    ".joblib": "joblib.dump(net, filename) writes a pickle",
    ".dill": "dill.dump(net, file) writes a pickle",
    ".c": _C, ".h": _C,
}  # fmt: skip

# The first bytes of files that are not networks, and the names of their formats.
_OTHER_CONTENTS = (
    (b"\x93NUMPY", "a single array of NumPy (.npy)"),
    (b"\x89HDF", "HDF5, as Keras writes it"),
    (b"\x1f\x8b", "a file that gzip compressed"),
    (b"BZh", "a file that bzip2 compressed"),
    (b"\xfd7zXZ", "a file that xz compressed"),
    (b"\x28\xb5\x2f\xfd", "a file that zstd compressed"),
    *((bytes([8, n]), "a model as of ONNX, which Network.from_onnx reads") for n in range(3, 32)),
    *((bytes([0x80, n]), "a pickle, which pickle.load reads") for n in range(2, 6)),
)


def _of_suffix(name: str, path: Any) -> Format:
    """The format of a path's suffix; JSON for suffixes that no format has."""
    suffix = os.path.splitext(checks.path(name, path))[1].lower()
    if suffix in _OTHER_FORMATS:
        call = _OTHER_FORMATS[suffix]
        raise ValueError(
            f"{name}: expected a name for JSON or arrays, such as net.json, net.npz or "
            f"net.safetensors; {f'{call}; ' if call else ''}got one that ends in {suffix}"
        )
    return FORMATS.get(suffix, _JSON)


def check_suffix(name: str, path: Any) -> None:
    """Raise the error that ``save`` would raise because of a path's suffix.

    Parameters
    ----------
    name : str
        The argument's or option's name, for the message.
    path : str or path

    Raises
    ------
    ValueError
        For the suffix of a format that is not written.
    ImportError
        If a library that the format needs is missing.
    """
    require = _of_suffix(name, path).require
    if require is not None:
        require()


def save(path: Any, model: Model) -> None:
    """Write a model atomically, in the format of the path's suffix."""
    _of_suffix("filename", path).write(path, model)


def load(path: Any, cost: Any = None) -> Model:
    """The model in a file that ``save`` or the book's network2.py wrote. ``cost`` replaces the cost
    that the file names, if it is not None.

    Raises
    ------
    ValueError
        If the file is damaged, is a pipe or a device, or does not contain a network that this
        release can read; the message names the file, and the key or the array.
    OSError
        If it cannot be read.
    ImportError
        If it is .safetensors, and the library is missing.
    """
    if cost is not None:
        costs.choose(cost, None)  # checked here, so that the error does not name the file
    with files.reading(path) as file:
        return read(file, cost)


def read(file: BinaryIO, cost: Any = None) -> Model:
    """As ``load``, of an open file; errors do not name it."""
    return _of_content(file).read(file, cost)


def _of_content(file: BinaryIO) -> Format:
    """The format of an open file."""
    start = file.read(16)
    if not start:
        raise ValueError("expected a network in JSON, .npz or .safetensors, found an empty file")
    file.seek(0)
    if start.startswith(zip_members.SIGNATURES):
        return _NPZ
    # .safetensors: the first 8 bytes are the header's length, with a NUL unless that is huge
    if start[8:9] == b"{" and not _is_text(start[:8]):
        return _SAFETENSORS
    for prefix, what in _OTHER_CONTENTS:
        if start.startswith(prefix):
            raise ValueError(f"expected a network in JSON, .npz or .safetensors, found {what}")
    return _JSON


def _is_text(start: bytes) -> bool:
    try:
        return all(letter >= " " or letter in "\t\n\r" for letter in start.decode())
    except UnicodeDecodeError:
        return False
