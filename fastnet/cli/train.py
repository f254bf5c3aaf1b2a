"""``fastnet train``."""

import argparse
import time

from fastnet.cli import train_data
from fastnet.cli.data import load_data
from fastnet.cli.errors import Interrupted, as_options
from fastnet.cli.outputs import check_outputs, epochs_before
from fastnet.cli.parser import BOOK, PLAIN_ETA
from fastnet.data.dataset import Dataset
from fastnet.network import Network
from fastnet.training.history import History

# Options that only data of one's own have.
_OF_DATA = ("target", "task", "categorical", "drop", "unknown", "missing", "standardize", "test",
            "validation_fraction", "patience")  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Train a network on DATA, or on images and print its accuracy after each epoch."""
    if options.data:
        train_data.run(options)
        return
    for name in _OF_DATA:
        if getattr(options, name) is not None:
            raise ValueError(f"--{name.replace('_', '-')}: expected DATA before it")
    for name, default in BOOK.items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    _run_book(options)


def _run_book(options: argparse.Namespace) -> None:
    check_outputs(options)
    training, test = load_data(options)
    net, before = _network(options, training, test), epochs_before(options)
    print(f"{len(training)} training examples, {len(test)} test examples, {net!r}")
    start = time.perf_counter()
    history, interrupted = _run_sgd(net, options, training, test)
    seconds = time.perf_counter() - start
    if options.save is not None:  # before printing, since Ctrl-C may have closed the pipe
        net.save(options.save)
    epochs = len(history.evaluation_accuracy)
    speed = max(0, epochs - before) * len(training) / seconds
    _summarize(history, len(test), speed, seconds)
    if options.save is not None:
        print(f"Saved to {options.save}")
    if options.plot is not None and epochs:
        from fastnet import demo

        demo.save_curves(history, options.plot)
        print(f"Curves drawn in {options.plot}")
    if interrupted:
        raise Interrupted(f"after {epochs} of {options.epochs} epochs")


def _network(options: argparse.Namespace, training: Dataset, test: Dataset) -> Network:
    """A new network for the data, according to the options."""
    train_data.check_hidden(options.hidden)
    n_out = max(2, int(max(training.target_range[1], test.target_range[1])) + 1)
    widest = "--hidden" if max(options.hidden, default=0) >= n_out else "--train-labels"
    initializer = options.initializer or options.neurons.initializer
    large = initializer == "large" or (options.initializer is None and initializer == "default")
    try:
        with as_options(sizes=widest):
            net = Network(
                [training.X.shape[1], *options.hidden, n_out],
                options.cost,
                output=options.output,
                dtype=options.dtype,
                seed=options.seed,
                hidden=options.neurons,
                initializer="default" if large else options.initializer,
            )
    except MemoryError as error:
        raise ValueError(f"{widest}: {error}") from None
    if large:  # drawn after the default ones, as in the book's session
        net.large_weight_initializer()
    return net


def _run_sgd(
    net: Network, options: argparse.Namespace, training: Dataset, test: Dataset
) -> tuple[History, bool]:
    """Train with these options; returns the history and whether Ctrl-C stopped the training."""
    optimizer = None if options.optimizer == "plain" else options.optimizer
    eta = optimizer.usual_eta if optimizer else PLAIN_ETA
    plots = options.plot is not None
    try:
        with as_options():
            history = net.SGD(
                training,
                options.epochs,
                options.mini_batch_size,
                eta if options.eta is None else options.eta,
                options.lmbda,
                l1=options.l1,
                dropout=options.dropout,
                optimizer=optimizer,
                shift=options.shift,
                evaluation_data=test,
                checkpoint=options.checkpoint,
                resume=options.resume,
                monitor_evaluation_accuracy=plots,
                monitor_evaluation_cost=plots,
                monitor_training_accuracy=plots,
                monitor_training_cost=plots,
            )
    except KeyboardInterrupt as error:  # a second one propagates
        return getattr(error, "history", None) or History([], [], [], []), True
    return history, False


def _summarize(history: History, n: int, speed: float, seconds: float) -> None:
    """Print the best and the final accuracy on n test images, if there are any, and the time."""
    counts = history.evaluation_accuracy
    if counts:
        best = max(counts)
        print(
            f"Best test accuracy:  {best / n:.2%} (epoch {counts.index(best) + 1})",
            f"Final test accuracy: {counts[-1] / n:.2%}",
            f"Training time: {seconds:.2f} s, including the test after each epoch; "
            f"{speed:,.0f} examples per second",
            sep="\n",
        )
