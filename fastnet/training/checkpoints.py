"""The checkpoints of ``Network.SGD``: the state of a training between two epochs, and how a later
call of the same program continues from it.

A checkpoint has the parameters, those of the best epoch for early stopping, the optimizer's moments
and number of steps, the state of the random generator, the schedule and early stopping, and the
history. Everything else is the same in each call: settings and data are compared
(``identity.py``), functions come from the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from fastnet.core import checks, generator_state
from fastnet.core._kernels import Training
from fastnet.core.random_stream import RandomStream
from fastnet.core.steps import StepOptions
from fastnet.data.dataset import Dataset
from fastnet.io import checkpoint_files
from fastnet.io.checkpoint_files import Checkpoint, CheckpointFile, ParameterSets, Saved
from fastnet.model import Model
from fastnet.training.state import TrainingState


def generator_settings(state: Mapping[str, Any]) -> dict[str, Any]:
    """The setting that a generator with this state adds to those of a training."""
    with checks.error_prefix("seed"):
        return {"kind of generator": generator_state.kind(state)}


class Checkpoints:
    """The checkpoints of one call of ``SGD``.

    The constructor reads and checks everything, and changes no more than ``state``, which
    continues from the checkpoint, if there is one. ``begin`` then changes the network.

    Parameters
    ----------
    options : Checkpoint
    settings : dict
        Of this call, from ``identity.of_sgd``.
    model, stream : Model, RandomStream
        Of the network.
    state : TrainingState
        At its begin.
    step : StepOptions

    Raises
    ------
    ValueError, OSError
        If the file cannot be written, is not a checkpoint, or is that of another training.
    """

    def __init__(
        self, options: Checkpoint, settings: Mapping[str, Any], model: Model,
        stream: RandomStream, state: TrainingState, step: StepOptions,
    ):  # fmt: skip
        self._settings = {**settings, **generator_settings(stream.state)}
        self._model, self._stream, self._state, self._step = model, stream, state, step
        self._n_moments = 0 if step.moments is None else step.moments.size // model.n_parameters
        self._file = CheckpointFile(options, "Network.SGD")
        self._path = options.path
        self._saved = self._file.check_same(self._settings)
        if self._saved is not None:
            self._read(self._saved)

    def _read(self, saved: Saved) -> None:
        """Check all of a checkpoint, and let the state of the training continue from it."""
        state, fields, model = self._state, saved.state, self._model
        self._file.check_epochs("epochs", state.epochs, saved)
        self._steps = fields.integer("steps", 0, 2**64 - 1)
        scale = fields.get("input_scale")
        self._input_scale = None if scale is None else fields.nonnegative("input_scale")
        generator = fields.fields("generator")
        self._generator = generator_state.from_json(generator, self._stream.state)
        self._values, best, self._moments = saved.parameters(model, self._n_moments)
        monitored = self._settings["monitored figures"]
        figures = {name: saved.figures(name, saved.epochs) for name in monitored}
        state.restore(fields, saved.epochs, best)
        for name, values in figures.items():
            getattr(state.history, name)[:] = values

    def begin(self, training: Training, data: Dataset) -> int | None:
        """Set the network and ``training`` to the state of the checkpoint. Returns the number of
        its epochs, or None if the training begins anew."""
        saved, self._training, self._saved = self._saved, training, None
        if saved is None:
            return None
        model, moments = self._model, self._step.moments
        model.parameters.restore(self._values)
        self._stream.bits.state = self._generator
        training.steps = self._steps
        if moments is not None:
            rows = moments.reshape(self._n_moments, -1)
            for row, values in zip(rows, self._moments, strict=True):
                row[...] = values
        if saved.epochs:
            model.learned_from(data)
        model.parameters.input_scale = self._input_scale
        del self._values, self._moments
        return saved.epochs

    @property
    def path(self) -> str:
        return self._path

    @property
    def epochs_until_due(self) -> int:
        """The number of epochs until the next checkpoint."""
        return self._file.epochs_until_due(self._state.epoch)

    def write_if_due(self) -> None:
        """Write a checkpoint if one is due after this epoch, or if this was the last."""
        state = self._state
        if state.epoch % self._file.every and not state.is_over:
            return
        model, fields = self._model, state.saved()
        fields |= {
            "steps": int(self._training.steps),
            "generator": generator_state.to_json(self._stream.state),
            "input_scale": model.input_scale,
            "has_best": state.best_values is not None,
        }
        self._file.write(state.epoch, self._settings, fields, self._arrays())

    def _arrays(self) -> dict[str, NDArray]:
        model, state, moments = self._model, self._state, self._step.moments
        rows = [] if moments is None else [*moments.reshape(self._n_moments, -1)]
        sets = ParameterSets(model.values, state.best_values, rows)
        arrays = checkpoint_files.parameter_arrays(model, sets)
        for name in self._settings["monitored figures"]:
            values = getattr(state.history, name)
            arrays[name] = checkpoint_files.array_of_figures(values)
        return arrays
