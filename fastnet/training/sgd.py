"""The preparation of ``Network.SGD``: checks data and options against each other and the network,
and makes the epoch loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastnet.core import reporting
from fastnet.core.random_stream import RandomStream
from fastnet.core.steps import StepOptions
from fastnet.data.coerce import given_data
from fastnet.data.dataset import Data, Dataset
from fastnet.data.sample_weights import example_weights
from fastnet.model import Model
from fastnet.network_inputs import NetworkInputs
from fastnet.training import callbacks, identity, monitoring, overridden
from fastnet.training.checkpoints import Checkpoints
from fastnet.training.errors import AttachHistory
from fastnet.training.history import History
from fastnet.training.loop import CustomEpoch, EpochLoop
from fastnet.training.monitoring import Monitor
from fastnet.training.options import SGDOptions
from fastnet.training.overridden import OverriddenMethods, overrides
from fastnet.training.state import TrainingState


class SGDData(NamedTuple):
    """The data sets of one call of ``SGD``, and the arguments that they were made from.

    Attributes
    ----------
    sets : {"training": Dataset, "evaluation": Dataset}
        Without the second if there are no evaluation data.
    given : {"training": ..., "evaluation": ...}
        The same data as the user passed them.
    """

    sets: Mapping[str, Dataset]
    given: Mapping[str, Any]

    def warn_of_bytes(self, inputs: NetworkInputs) -> None:
        """Warn of unscaled bytes that were not passed in a Dataset."""
        if isinstance(self.given["training"], Dataset):
            return
        for kind, data in self.sets.items():
            if not isinstance(self.given[kind], Dataset):
                inputs.warn_of_bytes(f"{kind}_data", data)


def checked_data(inputs: NetworkInputs, training_data: Data, evaluation_data: Any) -> SGDData:
    """The training and evaluation data as data sets that fit the network; evaluation data may be
    None or False."""
    data = inputs.training_set(training_data)
    sets, given = {"training": data}, {"training": training_data}
    if evaluation_data is not None:
        evaluation_data = given_data("evaluation_data", evaluation_data)
    if evaluation_data is not None:
        sets["evaluation"] = inputs.evaluation_set(evaluation_data, data)
        given["evaluation"] = evaluation_data
    return SGDData(sets, given)


def check_training(net: Any, model: Model, data: SGDData, options: SGDOptions) -> None:
    """Raise the error that ``SGD`` of the network would raise before its first epoch.

    Parameters
    ----------
    net : Network
        Used only to find out which methods it overrides.
    model, data, options : Model, SGDData, SGDOptions
    """
    reporting.reporter_of_level(options.verbose)
    begun = begin(net, model, data, options)
    _checkpoints(net, model, RandomStream(0), data, options, begun)
    if not begun.state.is_over:
        begun.state.rate(begun.state.epoch + 1)


def prepare(
    net: Any,
    model: Model,
    stream: RandomStream,
    inputs: NetworkInputs,
    data: SGDData,
    options: SGDOptions,
) -> EpochLoop:
    """The epoch loop of one call of ``SGD``. The network is not changed."""
    reporter = reporting.reporter_of_level(options.verbose)
    begun = begin(net, model, data, options)
    state, monitors, step, custom_epoch = begun
    checkpoints = _checkpoints(net, model, stream, data, options, begun)
    if options.epochs:
        with AttachHistory(state.history):
            if not state.is_over:
                state.rate(state.epoch + 1)  # a user's function may raise an exception
            data.warn_of_bytes(inputs)
    training = data.sets["training"]
    loop = EpochLoop(model, stream, training, step, state, monitors, reporter, custom_epoch)
    loop.checkpoints = checkpoints
    return loop


def _checkpoints(
    net: Any, model: Model, stream: RandomStream, data: SGDData, options: SGDOptions, begun: Begun
) -> Checkpoints | None:
    """The checkpoints of a training, whose state continues from the file."""
    if options.checkpoint is None:
        return None
    figures = [name for monitor in begun.monitors for name in monitor.figures]
    settings = identity.of_sgd(net, model, data.sets, options, figures, begun.step.weights)
    return Checkpoints(options.checkpoint, settings, model, stream, begun.state, begun.step)


class Begun(NamedTuple):
    """The checked arguments of a training, in the form in which its loop uses them."""

    state: TrainingState
    monitors: list[Monitor]
    step: StepOptions
    custom_epoch: CustomEpoch | None


def begin(net: Any, model: Model, data: SGDData, options: SGDOptions) -> Begun:
    """Check the arguments of a training against each other and the network."""
    history, run_callbacks = History([], [], [], []), None
    if options.callbacks:
        run_callbacks = callbacks.runner(net, model.parameters, options.callbacks, history)
    training, evaluation = data.sets["training"], data.sets.get("evaluation")
    history.n_training = n = len(training)
    history.n_evaluation = None if evaluation is None else len(evaluation)
    default = monitoring.default_figure(evaluation)
    state = TrainingState(options, history, default, run_callbacks)
    figures = _checked_figures(net, model, data, options)
    weights = None
    if options.sample_weight is not None or options.class_weight is not None:
        class_weight = model.schema_learned_from(training).class_weight(options.class_weight)
        weights = example_weights(training.y, model.classes, options.sample_weight, class_weight)
    custom_epoch, custom_figures = None, {}
    if overrides(net, *overridden.METHODS):
        methods = OverriddenMethods(net, model, data.sets, data.given.get("evaluation"), options)
        methods.check(weights, figures)
        custom_epoch, custom_figures = methods.epoch(), methods.figures
    monitors = []
    if figures:
        monitors = monitoring.monitors_of(
            figures, data.sets, history, options, weights, custom_figures
        )
    model.parameters.check_finite()
    model.parameters.check_not_training()
    step = options.step_options(model, n if weights is None else float(weights.sum()), weights)
    return Begun(state, monitors, step, custom_epoch)


def _checked_figures(net: Any, model: Model, data: SGDData, options: SGDOptions) -> dict[str, str]:
    """{field of ``History`` to measure: why}. Raises an error for a figure that cannot be measured
    on the data."""
    figures = monitoring.figures_to_monitor(options, data.sets.get("evaluation"))
    for name, reason in figures.items():
        kind, _, figure = name.partition("_")
        if kind not in data.sets:
            raise ValueError(f"evaluation_data: expected data, since {reason}; got None")
        if figure == "accuracy" and not overrides(net, "accuracy"):
            model.check_accuracy(f"{kind}_data", data.sets[kind])
    return figures
