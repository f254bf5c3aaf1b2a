"""The file of a checkpoint: its format, when it is written, and the checks when it is read.

A checkpoint is an .npz file of named arrays and one JSON object. The object contains the version of
fastnet that wrote it; the ``settings`` of the training, so that another training cannot resume from
it; the number of complete ``epochs``; and the ``state`` after these, as numbers and texts. The rest
of the state is in the arrays. Parameters, and moments of their shape, are one array for each layer.

Independent of how networks are trained.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import _kernels, checks, files, reporting
from fastnet.core.fields import Fields
from fastnet.core.load import version
from fastnet.io import npz
from fastnet.model import Model

SUFFIX = ".npz"
KIND = "checkpoint"
VERSION = 1
_LISTS = ("weights", "biases")
_MOST_DIFFERENCES = 20


class Checkpoint(NamedTuple):
    """The arguments ``checkpoint``, ``checkpoint_every`` and ``resume`` of a training, checked."""

    path: str
    every: int = 1
    resume: bool = False

    @classmethod
    def checked(cls, path: Any, every: Any, resume: Any) -> Checkpoint | None:
        """The arguments, checked as far as possible without the file; None without a path.

        Raises
        ------
        TypeError, ValueError
            The message names the argument.
        """
        every = checks.integer("checkpoint_every", every, 1)
        resume = checks.boolean("resume", resume)
        if path is None:
            if resume:
                raise ValueError("resume: expected False without a checkpoint, got True")
            return None
        text = checks.path("checkpoint", path)
        if os.path.splitext(text)[1].lower() != SUFFIX:
            raise ValueError(
                f"checkpoint: expected a name that ends in {SUFFIX}, the only format of "
                f"checkpoints, got {checks.short_repr(text)}"
            )
        return cls(text, every, resume)


class ParameterSets(NamedTuple):
    """Arrays (parameters,) in the layout of a model's parameters.

    Attributes
    ----------
    values : ndarray
        The parameters.
    best : ndarray or None
        Those that early stopping would restore.
    moments : sequence of ndarray
        The optimizer's velocities or moments.
    """

    values: NDArray
    best: NDArray | None
    moments: Sequence[NDArray]


class Saved:
    """A checkpoint that was read.

    Attributes
    ----------
    path : str
    epochs : int
        The number of complete epochs.
    settings : dict
        The settings of the training that wrote it.
    state : Fields
        What the training keeps from epoch to epoch, apart from arrays.
    """

    def __init__(self, path: str, meta: Fields, arrays: Mapping[str, NDArray]):
        self.path = path
        self.epochs = meta.integer("epochs")
        meta.fields("settings")
        self.settings: dict[str, Any] = meta.get("settings")
        self.state = meta.fields("state")
        self._arrays = arrays

    def array(self, name: str, shape: tuple[int | None, ...], dtype: Any) -> NDArray:
        """The array of this name; a ValueError if it has another type or shape. None in ``shape``
        stands for any length."""
        found, dtype = self._arrays.get(name), np.dtype(dtype)
        wanted = str(tuple("n" if n is None else n for n in shape)).replace("'", "")
        if found is None:
            raise ValueError(f"{self.path}: {name}: expected an array of {dtype}, found none")
        fits = len(shape) == found.ndim and all(
            n is None or n == m for n, m in zip(shape, found.shape, strict=True)
        )
        if not fits or found.dtype != dtype:
            raise ValueError(
                f"{self.path}: {name}: expected an array {wanted} of {dtype}, found {found.shape} "
                f"of {found.dtype}"
            )
        return found

    def parameters(self, model: Model, n_moments: int) -> ParameterSets:
        """What ``parameter_arrays`` stored, all of it finite numbers."""
        best = self._like_parameters("best_", model) if self.state.get("has_best") else None
        moments = [self._like_parameters(f"moments_{k}_", model) for k in range(n_moments)]
        return ParameterSets(self._like_parameters("", model), best, moments)

    def _like_parameters(self, prefix: str, model: Model) -> NDArray:
        flat = _kernels.aligned(model.n_parameters, model.dtype)
        for name in _LISTS:
            for l, view in enumerate(model.parameters.arrays(name, flat)):
                view[...] = self.array(f"{prefix}{name}_{l}", view.shape, model.dtype)
        if not np.isfinite(flat).all():
            raise ValueError(
                f"{self.path}: {prefix}weights, {prefix}biases: expected finite numbers, found "
                f"NaN or infinity"
            )
        return flat

    def figures(self, name: str, n: int) -> list[Any]:
        """A list of n figures, all int or all float, as they were stored."""
        found = self._arrays.get(name)
        is_int = found is not None and found.dtype == np.int64
        made: list[Any] = self.array(name, (n,), np.int64 if is_int else np.float64).tolist()
        return made


def parameter_arrays(model: Model, sets: ParameterSets) -> dict[str, NDArray]:
    """The arrays from which ``Saved.parameters`` makes ``sets``."""
    named = {"": sets.values} | ({} if sets.best is None else {"best_": sets.best})
    named |= {f"moments_{k}_": row for k, row in enumerate(sets.moments)}
    return {
        f"{prefix}{name}_{l}": view
        for prefix, flat in named.items()
        for name in _LISTS
        for l, view in enumerate(model.parameters.arrays(name, flat))
    }


def array_of_figures(values: list[Any]) -> NDArray:
    """The array of ``Saved.figures``."""
    are_ints = all(type(value) is int and abs(value) < 1 << 63 for value in values)
    return np.array(values, np.int64 if are_ints and values else np.float64)


class CheckpointFile:
    """The checkpoints of one training.

    Parameters
    ----------
    options : Checkpoint
    trains : str
        The name of the function that trains, which the file contains, such as "Network.SGD".

    Raises
    ------
    OSError, ValueError
        If the file cannot be written, and if there is one that is not a checkpoint.
    """

    def __init__(self, options: Checkpoint, trains: str):
        self._path, self.every, self._trains = options.path, options.every, trains
        self._place = os.path.abspath(options.path)  # the program may change its folder
        self._release, self._warned = version(), False
        files.check_writable(options.path)
        self.found: Saved | None = None
        if os.path.exists(options.path):
            found = read(options.path)
            self.found = found if options.resume else None

    def check_same(self, settings: Mapping[str, Any]) -> Saved | None:
        """The checkpoint to resume from, if there is one.

        Raises
        ------
        ValueError
            If it belongs to a training with other settings or data; the message lists the
            differences.
        """
        if self.found is not None:
            different = _differences(self.found.settings, {"function": self._trains, **settings})
            if different:
                raise ValueError(
                    f"checkpoint: expected {self._path} to be a checkpoint of the same training, "
                    f"got one that differs: {'; '.join(different)}"
                )
        return self.found

    def check_epochs(self, name: str, epochs: int, saved: Saved) -> None:
        """Raise a ValueError if more epochs are complete than the argument ``name`` asks for."""
        if saved.epochs > epochs:
            raise ValueError(
                f"{name}: expected at least the {saved.epochs} complete epochs of {self._path}, "
                f"got {epochs}"
            )

    def epochs_until_due(self, epoch: int) -> int:
        """The number of epochs after ``epoch`` until the next checkpoint."""
        return self.every - epoch % self.every

    def write(
        self, epochs: int, settings: Mapping[str, Any], state: Mapping[str, Any],
        arrays: Mapping[str, NDArray],
    ) -> None:  # fmt: skip
        """Replace the file by the checkpoint after ``epochs`` epochs. If that fails, the previous
        checkpoint remains; the first of several failures in a row issues a RuntimeWarning."""
        meta = {
            "kind": KIND, "format_version": VERSION, "fastnet_version": self._release,
            "epochs": epochs,
            "settings": {"function": self._trains, **settings}, "state": state,
        }  # fmt: skip
        try:
            npz.write(self._place, arrays, meta)
        except OSError as error:
            if not self._warned:
                self._warned = True
                reporting.warn(
                    f"{self._path}: the checkpoint after epoch {epochs} could not be written, "
                    f"{error.strerror or error}; the training goes on, and an earlier checkpoint "
                    f"stays as it is",
                    RuntimeWarning,
                )
        else:
            self._warned = False


def read(path: str) -> Saved:
    """The checkpoint in a file.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, is damaged, or is not a checkpoint.
    """
    arrays, values = npz.read(path)
    meta = Fields(values, f"{path}: ")
    if meta.get("kind") != KIND:
        meta.refuse("kind", f"{KIND!r}, a checkpoint of a training")
    if meta.integer("format_version", 1) > VERSION:
        meta.refuse("format_version", f"{VERSION}, that of this release of fastnet, or less")
    return Saved(path, meta, arrays)


def _differences(saved: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """A description of each difference between the settings of a checkpoint and of this call."""
    names = [*settings, *(name for name in saved if name not in settings)]
    if saved.get("function") != settings["function"]:  # which has settings of its own
        names = ["function"]
    found = [
        f"{name[:60]}: the checkpoint has {_words(saved, name)}, this call {_words(settings, name)}"
        for name in names
        if saved.get(name) != settings.get(name)  # one that a release does not have is None
    ]
    more = len(found) - _MOST_DIFFERENCES
    return found[:_MOST_DIFFERENCES] + ([f"and {more} more"] if more > 0 else [])


def _words(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name)
    text = value if isinstance(value, str) else "none" if value is None else repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
