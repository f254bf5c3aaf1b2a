"""``fastnet train DATA``: data of one's own."""

import argparse
import importlib.util
import time
from collections.abc import Iterable
from typing import Any

from fastnet import own_data
from fastnet.cli import own_files
from fastnet.cli.errors import Interrupted, as_options
from fastnet.cli.outputs import check_outputs, duration, epochs_before, one_line
from fastnet.cli.parser import PLAIN_ETA, VALIDATION_FRACTION
from fastnet.core import reporting
from fastnet.network import Network, model_of
from fastnet.own_data import Examples, Settings
from fastnet.training.history import History
from fastnet.training.options import SGDOptions


def run(options: argparse.Namespace) -> None:
    """Train a network on DATA and print its score beside that of a baseline."""
    _check(options)
    settings = _settings(options)
    check_outputs(options)
    loaded = own_files.load(options)
    examples = loaded.examples
    net, before = _network(options, examples), epochs_before(options)
    _check_settings(net, settings)
    described = [*map(one_line, loaded.lines)]
    print(*described, _network_line(net), _described(settings, examples), sep="\n", flush=True)
    start = time.perf_counter()
    history, interrupted = _train(net, options, examples, settings)
    seconds = time.perf_counter() - start
    if options.save is not None:  # before printing, since Ctrl-C may have closed the pipe
        net.save(options.save)
    epochs = len(history.evaluation_cost or history.training_cost)
    of_these = f" ({before} of them earlier)" if before else ""
    _summarize(net, examples, history, f"{epochs} epochs{of_these} in {duration(seconds)}")
    if options.save is not None:
        print(f"Saved to {options.save}")
    if options.plot is not None and epochs:
        _draw(history, options.plot)
    if interrupted:
        raise Interrupted(f"after {epochs} of {settings.epochs} epochs")


def _check(options: argparse.Namespace) -> None:
    """Check combinations of options, and set the defaults that are used before the settings."""
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        if getattr(options, name) is not None:
            raise ValueError(
                f"--{name.replace('_', '-')}: expected no DATA with it, got {options.data[0]}"
            )
    if options.validation_fraction is None:
        options.validation_fraction = VALIDATION_FRACTION
    if not 0 <= options.validation_fraction < 1:
        raise ValueError(
            f"--validation-fraction: expected a number from 0 to below 1, "
            f"got {options.validation_fraction}"
        )
    if options.patience is not None and options.patience < 0:
        raise ValueError(f"--patience: expected 0 or more, got {options.patience}")
    if options.hidden is None:
        options.hidden = [*own_data.HIDDEN]
    check_hidden(options.hidden)


def check_hidden(sizes: Iterable[int]) -> None:
    """Raise a ValueError for a hidden layer without neurons."""
    for n in sizes:
        if n < 1:
            raise ValueError(f"--hidden: expected numbers of 1 or more, got {n}")


def _settings(options: argparse.Namespace) -> Settings:
    """The settings of the options; also sets ``options.epochs``."""
    usual = Settings()
    optimizer, eta = usual.optimizer, options.eta
    if options.optimizer is not None:
        optimizer = None if options.optimizer == "plain" else options.optimizer
    if eta is None:
        eta = PLAIN_ETA if optimizer is None else optimizer.usual_eta
    if options.epochs is None:
        options.epochs = usual.epochs
    m = options.mini_batch_size
    return Settings(
        options.epochs,
        usual.mini_batch_size if m is None else m,
        eta,
        usual.lmbda if options.lmbda is None else options.lmbda,
        options.l1,
        options.dropout,
        optimizer,
        usual.patience if options.patience is None else options.patience,
        options.shift,
        options.checkpoint,
        options.resume,
    )


def _network(options: argparse.Namespace, examples: Examples) -> Network:
    """A new network for the data, according to the options."""
    neurons = options.neurons or own_data.NEURONS
    cost: Any = own_data.COSTS[examples.task] if options.cost is None else options.cost
    try:
        with as_options(sizes="--hidden"):
            return Network(
                [examples.training.X.shape[1], *options.hidden, examples.n_out(cost)],
                cost,
                output=options.output or own_data.output_for(examples.task, cost),
                dtype=options.dtype or own_data.dtype_for(examples),
                seed=options.seed,
                hidden=neurons,
                initializer=options.initializer,
                inputs=examples.inputs,
                classes=examples.classes,
            )
    except MemoryError as error:
        raise ValueError(f"--hidden: {error}") from None


def _check_settings(net: Network, settings: Settings) -> None:
    """Raise the errors that ``SGD`` would raise, before anything is printed."""
    with as_options():
        SGDOptions(
            settings.epochs,
            settings.mini_batch_size,
            settings.eta,
            settings.lmbda,
            l1=settings.l1,
            dropout=settings.dropout,
            optimizer=settings.optimizer,
            shift=settings.shift,
            checkpoint=settings.checkpoint,
            resume=settings.resume,
        ).checked(model_of(net))


def _network_line(net: Network) -> str:
    kinds = f"{', '.join(dict.fromkeys(net.hidden))} neurons, " if net.hidden else ""
    cost = model_of(net).built_in
    return f"Network: {net.sizes}, {kinds}{net.output} outputs, {cost} cost, {net.dtype}"


def _described(settings: Settings, examples: Examples) -> str:
    """How the network is trained, in words."""
    optimizer = settings.optimizer
    name = "plain gradient descent" if optimizer is None else optimizer.name
    stops = ""
    if examples.validation is not None and settings.patience:
        stops = f", until the validation cost has not fallen for {settings.patience}"
    held_out = "" if examples.validation is None else f", {len(examples.validation)} held out"
    return (
        f"Training: {len(examples.training)} examples{held_out}; {name}, eta {settings.eta:g}, "
        f"lmbda {settings.lmbda:g}, mini-batches of {settings.mini_batch_size}, at most "
        f"{settings.epochs} epochs{stops}"
    )


def _train(
    net: Network, options: argparse.Namespace, examples: Examples, settings: Settings
) -> tuple[History, bool]:
    """Train; returns the history and whether Ctrl-C stopped it."""
    verbose = 0
    if reporting.is_seen():  # lines of a thousand epochs would only be in the way elsewhere
        verbose = 2 if importlib.util.find_spec("tqdm") else 1
    try:
        with as_options(training_data="DATA", evaluation_data="DATA"):
            history = own_data.train(
                net, examples, settings, monitor_training=options.plot is not None, verbose=verbose
            )
    except KeyboardInterrupt as error:  # a second one propagates
        return getattr(error, "history", None) or History([], [], [], []), True
    return history, False


def _summarize(net: Network, examples: Examples, history: History, trained: str) -> None:
    """Print what was trained, and the scores that there are."""
    best = ""
    if examples.validation is not None and history.evaluation_cost:
        costs = history.evaluation_cost
        best = f", the validation cost was lowest in epoch {costs.index(min(costs)) + 1}"
    print(f"Trained {trained}{best}")
    for name, data in (("Validation", examples.validation), ("Test", examples.test)):
        if data is not None:
            score = own_data.score(net, data, examples.training)
            print(f"{name}, {score.n} examples: {score}")
    if examples.validation is None and examples.test is None:
        score = own_data.score(net, examples.training)
        print(f"Training data, {score.n} examples: {score}")


def _draw(history: History, file: str) -> None:
    """Draw the curves that there are, side by side."""
    from matplotlib.figure import Figure

    from fastnet import demo, plots

    shown = ["accuracy"] if history.evaluation_accuracy or history.training_accuracy else []
    shown.append("cost")
    figure = Figure(figsize=(5.25 * len(shown), 4.4), layout="constrained")
    for quantity, ax in zip(shown, figure.subplots(1, len(shown), squeeze=False)[0], strict=True):
        plots.training(history, quantity, ax=ax)
    demo.write_picture(figure, file)
    print(f"Curves drawn in {file}")
