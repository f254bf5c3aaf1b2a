"""The command line: ``fastnet train``, ``predict``, ``demo``, ``info``."""

import argparse
import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from fastnet.architecture import DTYPES
from fastnet.core import _kernels, checks, execution, files
from fastnet.core.load import show_config, version
from fastnet.data.dataset import Dataset
from fastnet.data.idx import load_images, load_mnist, read_idx, read_images
from fastnet.io import persistence
from fastnet.model import classes_of
from fastnet.network import Network, load
from fastnet.nn import activations, costs, optimizers
from fastnet.training.errors import DivergenceError
from fastnet.training.history import History

PLAIN_ETA = 0.5  # the learning rate that suits plain gradient descent (docs/techniques.md)

# The command-line option for each argument of Network and SGD, for error messages.
OPTION_OF = {
    "hidden": "--neurons",
    "training_data": "--train-images",
    "evaluation_data": "--test-images",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            "cost", "output", "epochs", "mini_batch_size", "eta", "lmbda", "l1", "dropout",
            "optimizer", "shift", "seed", "dtype", "initializer",
        )
    },
}  # fmt: skip

# Reported in one line: among them a missing package and a missing display.
EXPECTED = (
    ValueError, TypeError, OSError, DivergenceError, MemoryError, ImportError, RuntimeError,
)  # fmt: skip


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a training, whose network and curves have been saved as requested."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would print the usage too."""
        self.exit(2, f"{self.prog}: error: {message}\n")


class _Version(argparse.Action):
    """Looks the version up when it is asked for, which takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        print(f"fastnet {version()}")
        parser.exit()


def _usual_rates() -> str:
    """The optimizers' learning rates: "adam 0.001, adamw 0.001"."""
    return ", ".join(f"{name} {one.usual_eta:g}" for name, one in optimizers.USUAL.items())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fastnet",
        description="Small neural networks, trained fast. FASTNET_ISA in the environment names "
        "an instruction set; fastnet info lists those that this machine has.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    # Without a command, print the help, as pip does.
    parser.set_defaults(run=lambda options: parser.print_help())
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    train = commands.add_parser(
        "train",
        help="train a network and report its accuracy after each epoch",
        description="Train a network on images and print its accuracy on the test data after "
        "each epoch. Without options: the experiment of M. Nielsen's Neural Networks and Deep "
        "Learning, chapter 3, on the MNIST digits that come with the package.",
        epilog="The four files of images and labels go together. Pixels are multiplied by 1/256.",
        allow_abbrev=False,
    )
    # fmt: off
    add = train.add_argument
    add("--hidden", type=int, nargs="*", default=[30], metavar="N",
        help="sizes of the hidden layers, as in --hidden 100 30; without a number there is "
        "none (default: 30)")
    add("--neurons", choices=activations.HIDDEN, default="sigmoid",
        help="kind of the hidden neurons (default: %(default)s)")
    add("--cost", type=_cost, default="cross-entropy",
        help=f"cost function, one of {', '.join(costs.NAMES)}; with parameters as in huber:2.0, "
        "whose threshold is 2; with quadratic the book takes --eta 3 (default: %(default)s)")
    add("--output", choices=activations.OUTPUTS,
        help=f"output layer; allowed are {costs.ALLOWED} (default: the first for the cost)")
    add("--epochs", type=int, default=30, metavar="N",
        help="passes over the training data (default: %(default)s)")
    add("--mini-batch-size", type=int, default=10, metavar="N",
        help="examples per update (default: %(default)s)")
    add("--eta", type=float, metavar="RATE",
        help=f"learning rate (default: {PLAIN_ETA:g}; with {_usual_rates()})")
    add("--lmbda", type=float, default=0.0, metavar="LAMBDA",
        help="L2 regularization parameter (default: %(default)s)")
    add("--l1", type=float, default=0.0, metavar="LAMBDA",
        help="L1 regularization parameter (default: %(default)s)")
    add("--dropout", type=float, default=0.0, metavar="P",
        help="probability that a hidden neuron is dropped (default: %(default)s)")
    add("--optimizer", choices=list(optimizers.USUAL),
        help="with its usual coefficients, momentum and nesterov with mu = 0.9 (default: plain "
        "gradient descent)")
    add("--shift", type=int, default=0, metavar="PIXELS",
        help="move training images by up to so many pixels, at random (default: %(default)s)")
    add("--seed", type=int, default=0, metavar="N",
        help="seed of weights and order (default: %(default)s)")
    add("--dtype", choices=DTYPES, default="float32", help="precision (default: %(default)s)")
    add("--initializer", choices=("large", "default", "glorot", "he"),
        help="weights of variance 1, 1 / n_in, 2 / (n_in + n_out) or 2 / n_in; biases of "
        "variance 1, 1, 0 or 0 (default: large for sigmoid neurons, as in the text, else what "
        "suits them)")
    for split, kind in (("train", "training"), ("test", "test")):
        for what in ("images", "labels"):
            add(f"--{split}-{what}", metavar="FILE",
                help=f"{kind} {what} in IDX form, plain or .gz (default: MNIST)")
    add("--save", metavar="FILE",
        help="write the network to this file after the last epoch, or after Ctrl-C (default: do "
        "not)")
    add("--plot", metavar="FILE.png",
        help="draw accuracy and cost by epoch, training beside test data; needs matplotlib "
        "(default: do not)")
    # fmt: on
    train.set_defaults(run=_train)

    predict = commands.add_parser(
        "predict",
        help="print the digits that a saved network sees in images",
        description="Print one predicted class per line.",
        allow_abbrev=False,
    )
    predict.add_argument("model", metavar="MODEL", help="a file that --save wrote")
    predict.add_argument("images", metavar="IMAGES", help="images in IDX form, plain or .gz")
    predict.add_argument(
        "--scale",
        type=float,
        metavar="FACTOR",
        help="multiply the pixels by this (default: the scale in MODEL)",
    )
    predict.set_defaults(run=_predict)

    demo = commands.add_parser(
        "demo",
        help="draw the text's pictures, or write them as a page for a browser",
        description="Draw a picture in a window, or with --save into a file; without NAME, list "
        "the pictures. Networks are trained for them on the spot.",
        allow_abbrev=False,
    )
    # fmt: off
    add = demo.add_argument
    add("name", nargs="?", metavar="NAME", help="which picture (default: list them)")
    add("--save", metavar="FILE.png", help="write the picture to this file; .svg and .pdf do, too")
    add("--html", metavar="FILE",
        help="write one page with a neuron that learns, a softmax with sliders, and a pad on "
        "which digits are drawn and classified; it needs a browser and no network connection")
    add("--dark", action="store_true", help="on a dark ground")
    add("--book-rates", action="store_true",
        help="for neuron and slowdown: the book's learning rate for each cost (default: the same "
        "for both, so that they can be compared)")
    add("--model", metavar="MODEL",
        help="a network that --save wrote, for digits, weights, confusion and --html (default: "
        "one that is trained on MNIST)")
    add("--images", metavar="FILE",
        help="images for MODEL in IDX form, plain or .gz (default: MNIST's test images)")
    add("--labels", metavar="FILE", help="their labels")
    # fmt: on
    demo.set_defaults(run=_demo)

    info = commands.add_parser(
        "info",
        help="print versions, compiler and instruction sets, or how a network is computed",
        description="Print the versions of fastnet, NumPy and Python, the compiler, the "
        "instruction set in use and those that this machine has. With --plan, print how a "
        "training is computed: how the examples enter, how each layer's forward step, error and "
        "update are computed, in a mini-batch and in a smaller last one.",
        allow_abbrev=False,
    )
    # fmt: off
    add = info.add_argument
    add("--plan", metavar="SIZES",
        help="the network's layers, as in --plan 784,30,10; the options below describe the rest")
    add("--batch", type=int, metavar="N", help="examples per update (default: 10)")
    add("--examples", type=int, metavar="N",
        help="training examples (default: 50000; a last mini-batch may be smaller)")
    add("--dtype", choices=DTYPES, help="precision (default: float32)")
    add("--density", type=float, metavar="SHARE",
        help="share of the inputs that is not zero (default: 1)")
    add("--form", choices=("dense", "columns", "masks"),
        help="form of the examples (default: the fastest for the density)")
    add("--neurons", choices=activations.HIDDEN,
        help="kind of the hidden neurons (default: sigmoid)")
    add("--optimizer", choices=list(optimizers.USUAL),
        help="optimizer (default: plain gradient descent)")
    add("--lmbda", type=float, metavar="LAMBDA", help="L2 regularization (default: 0)")
    add("--l1", type=float, metavar="LAMBDA", help="L1 regularization (default: 0)")
    add("--dropout", type=float, metavar="P",
        help="probability that a hidden neuron is dropped (default: 0)")
    add("--threads", type=int, metavar="N",
        help="threads at most; as many are used as are worth it (default: 1)")
    add("--isa", choices=_kernels.TARGETS,
        help="instruction set, which this machine need not have (default: the one in use)")
    # fmt: on
    info.set_defaults(run=_info)
    return parser


@contextlib.contextmanager
def _given_as(option: str, file: str) -> Iterator[None]:
    """Prefix errors with the option or argument and its file."""
    try:
        with (
            checks.error_prefix(option),
            checks.error_prefix(file, unless=re.escape(f"{file}: ")),
        ):
            yield
    except OSError as error:
        raise ValueError(f"{option}: {file}: {error.strerror or error}") from None


@contextlib.contextmanager
def _as_options(**more: str) -> Iterator[None]:
    """Make errors of Network and SGD name the options; ``more``: options of other arguments."""
    try:
        yield
    except DivergenceError:
        raise
    except (ValueError, TypeError) as error:
        name, _, words = str(error).partition(": ")
        option = (OPTION_OF | more).get(name.partition("[")[0])
        if option is None:
            raise
        raise ValueError(f"{option}: {words}") from None


def _split(options: argparse.Namespace, split: str) -> Dataset:
    """The images and labels of the files for "train" or "test"."""
    images, labels = (getattr(options, f"{split}_{what}") for what in ("images", "labels"))
    with _given_as(f"--{split}-images", images):
        X = read_images(images)
    with _given_as(f"--{split}-labels", labels):
        y = read_idx(labels)
        if y.ndim != 1 or y.dtype.kind not in "iu":
            raise ValueError(
                f"expected labels, one integer per image, got {y.dtype} of shape {y.shape}"
            )
        if len(y) != len(X):
            raise ValueError(f"expected {len(X)} labels, as --{split}-images has, got {len(y)}")
        if y.min() < 0:
            raise ValueError(f"expected labels of 0 or more, got {y.min()}")
    with _given_as(f"--{split}-images", images):
        return Dataset(X.reshape(len(X), -1), y, 1 / 256)


def _load_data(options: argparse.Namespace) -> tuple[Dataset, Dataset]:
    """(training, test): the files given, or MNIST."""
    names = [f"{split}_{what}" for split in ("train", "test") for what in ("images", "labels")]
    files = {f"--{name.replace('_', '-')}": getattr(options, name) for name in names}
    given = [option for option, file in files.items() if file is not None]
    if not given:
        training, _, test = load_mnist()
        return training, test
    for option, file in files.items():
        if file is None:
            raise ValueError(
                f"{option}: expected a file beside {given[0]}, as all four go together"
            )
        if not file:
            raise ValueError(f"{option}: expected a file, got {file!r}")
    training, test = _split(options, "train"), _split(options, "test")
    if training.X.shape[1] != test.X.shape[1]:
        raise ValueError(
            f"--test-images: {options.test_images}: expected images of {training.X.shape[1]} "
            f"features, as those of --train-images, got {test.X.shape[1]}"
        )
    return training, test


def _check_outputs(options: argparse.Namespace) -> None:
    """Check --save and --plot before the training."""
    if options.save is not None:
        if not options.save:
            raise ValueError(f"--save: expected a file, got {options.save!r}")
        persistence.check_suffix("--save", options.save)
        try:
            files.check_writable(options.save)
        except (OSError, ValueError) as error:
            raise ValueError(f"--save: expected a file that can be written, got {error}") from None
    if options.plot is not None:
        from fastnet import demo

        if options.epochs < 1:
            raise ValueError(f"--epochs: expected 1 or more with --plot, got {options.epochs}")
        if options.save is not None and os.path.realpath(options.save) == os.path.realpath(
            options.plot
        ):
            raise ValueError(f"--plot: expected another file than --save, got {options.plot!r}")
        demo.check_picture("--plot", options.plot)


def _cost(text: str) -> costs.BuiltInCost:
    try:
        return costs.from_text(text)
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _network(options: argparse.Namespace, training: Dataset, test: Dataset) -> Network:
    """A new network for the data, according to the options."""
    for n in options.hidden:
        if n < 1:
            raise ValueError(f"--hidden: expected numbers of 1 or more, got {n}")
    n_out = max(2, int(max(training.target_range[1], test.target_range[1])) + 1)
    widest = "--hidden" if max(options.hidden, default=0) >= n_out else "--train-labels"
    sigmoid = options.neurons == "sigmoid"
    large = options.initializer == "large" or (options.initializer is None and sigmoid)
    try:
        with _as_options(sizes=widest):
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
    if large:  # drawn after the default ones, as in the text's session
        net.large_weight_initializer()
    return net


def _run_sgd(
    net: Network, options: argparse.Namespace, training: Dataset, test: Dataset
) -> tuple[History, bool]:
    """Train as the options say; returns the history and whether Ctrl-C stopped it."""
    optimizer = optimizers.USUAL.get(options.optimizer)
    eta = optimizer.usual_eta if optimizer else PLAIN_ETA
    plots = options.plot is not None
    try:
        with _as_options():
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
                monitor_evaluation_accuracy=plots,
                monitor_evaluation_cost=plots,
                monitor_training_accuracy=plots,
                monitor_training_cost=plots,
            )
    except KeyboardInterrupt as error:  # a second one propagates
        return getattr(error, "history", None) or History([], [], [], []), True
    return history, False


def _train(options: argparse.Namespace) -> None:
    _check_outputs(options)
    training, test = _load_data(options)
    net = _network(options, training, test)
    print(f"{len(training)} training examples, {len(test)} test examples, {net!r}")
    start = time.perf_counter()
    history, interrupted = _run_sgd(net, options, training, test)
    seconds = time.perf_counter() - start
    if options.save is not None:  # before printing, since Ctrl-C may have closed the pipe
        net.save(options.save)
    epochs = len(history.evaluation_accuracy)
    _summarize(history, len(test), epochs * len(training) / seconds, seconds)
    if options.save is not None:
        print(f"Saved to {options.save}")
    if options.plot is not None and epochs:
        from fastnet import demo

        demo.save_curves(history, options.plot)
        print(f"Curves drawn in {options.plot}")
    if interrupted:
        raise _Interrupted(f"after {epochs} of {options.epochs} epochs")


def _summarize(history: History, n: int, speed: float, seconds: float) -> None:
    """Print the best and the final accuracy on n test images, if there are any, and the time."""
    counts = history.evaluation_accuracy
    if counts:
        best = max(counts)
        print(
            f"Best test accuracy:  {best / n:.2%} (epoch {counts.index(best) + 1})",
            f"Final test accuracy: {counts[-1] / n:.2%}",
            f"Training time: {seconds:.2f} s, the test after each epoch included; "
            f"{speed:,.0f} examples per second",
            sep="\n",
        )


def _predict(options: argparse.Namespace) -> None:
    with _given_as("MODEL", options.model):
        net = load(options.model)
    with _given_as("IMAGES", options.images):
        images = read_images(options.images)
        X = images.reshape(len(images), -1)
        if X.shape[1] != net.sizes[0]:
            raise ValueError(
                f"expected {net.sizes[0]} pixels per image, the inputs of {options.model}, "
                f"got {X.shape[1]}"
            )
    scale = net.input_scale if options.scale is None else options.scale
    if scale is None and images.dtype != np.uint8:
        scale = 1.0
    if scale is None:
        raise ValueError(
            f"--scale: expected a number, since {options.model} does not say how its inputs were "
            f"scaled; the pixels of MNIST usually are by 1/256 = {1 / 256}"
        )
    try:
        outputs = net.feedforward(Dataset(X, np.zeros(len(X), np.int64), scale, sparse=False))
    except ValueError as error:  # of arguments that the user has not seen
        name, _, what = str(error).partition(": ")
        given = "--scale" if name == "scale" else f"IMAGES: {options.images}"
        raise ValueError(f"{given}: {what}") from None
    print(*classes_of(outputs), sep="\n")


def _demo(options: argparse.Namespace) -> None:
    from fastnet import demo

    if options.name is None and options.html is None:
        given = [f"--{o}" for o in ("save", "model", "images", "labels") if getattr(options, o)]
        given += [f"--{o}" for o in ("dark", "book-rates") if getattr(options, o.replace("-", "_"))]
        if given:
            raise ValueError(f"NAME: expected a picture to go with {given[0]}")
        width = max(map(len, demo.DEMOS))
        print(*(f"{name:{width}}  {d.line}" for name, d in demo.DEMOS.items()), sep="\n")
        print(
            "\nfastnet demo NAME opens a window, with --save FILE.png it writes a picture;\n"
            "fastnet demo --html FILE.html writes a page to play with in a browser"
        )
        return
    beside_html = (options.name, options.save, options.dark, options.book_rates)
    if options.html is not None and any(beside_html):
        raise ValueError(
            "--html: expected neither NAME nor --save nor --dark nor --book-rates beside it"
        )
    if options.html is not None:
        demo.write_page(options.html, _own(options, "--html"))
        print(f"Saved to {options.html}: open it in a browser")
        return
    own = _own(options, options.name) if demo.find(options.name).of_network else None
    if own is None and (options.model or options.images or options.labels):
        of_network = ", ".join(name for name, d in demo.DEMOS.items() if d.of_network)
        raise ValueError(f"--model: expected one of {of_network} or --html with it")
    if options.save is None:
        demo.show(options.name, own, options.dark, options.book_rates)
    else:
        demo.save(options.name, options.save, own, options.dark, options.book_rates)
        print(f"Saved to {options.save}")


def _sizes(text: str) -> list[int]:
    """The numbers in "784,30,10"."""
    try:
        sizes = [int(word) for word in text.split(",")]
    except ValueError:
        sizes = []
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"--plan: expected layers' sizes, as in 784,30,10, got {text!r}")
    return sizes


def _at_least(option: str, value: float | None, least: float, default: Any) -> Any:
    """The value of an option, checked, or its default."""
    if value is not None and not value >= least:
        raise ValueError(f"{option}: expected {least} or more, got {value}")
    return default if value is None else value


def _share(option: str, value: float | None, default: float) -> float:
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"{option}: expected a number from 0 to 1, got {value}")
    return default if value is None else value


def _info(options: argparse.Namespace) -> None:
    given = {
        name: value
        for name, value in vars(options).items()
        if name not in ("command", "run", "plan") and value is not None
    }
    if options.plan is None:
        if given:
            raise ValueError(f"--{next(iter(given))}: expected --plan beside it")
        show_config()
        return
    print("\n".join(execution.described(_planned(options))))


def _planned(options: argparse.Namespace) -> dict[str, Any]:
    """The plan of a training that ``info``'s options describe."""
    sizes, dtype = _sizes(options.plan), options.dtype or "float32"
    n = _at_least("--examples", options.examples, 1, 50_000)
    m = min(_at_least("--batch", options.batch, 1, 10), n)
    most = _at_least("--threads", options.threads, 1, 1)
    density = _share("--density", options.density, 1.0)
    form = options.form or _kernels.choose_input_format(sizes, dtype, density, options.isa)
    rate = _share("--dropout", options.dropout, 0.0)
    seen = 1.0 if form == "dense" else density
    return _kernels.plan(
        sizes, dtype, m, n, isa=options.isa,
        hidden=[options.neurons or "sigmoid"] * (len(sizes) - 2), form=form, density=density,
        optimizer=options.optimizer or "plain",
        l2=_at_least("--lmbda", options.lmbda, 0, 0.0), l1=_at_least("--l1", options.l1, 0, 0.0),
        dropout=[rate] * (len(sizes) - 2) if rate else None,
        threads=_kernels.choose_threads(sizes, m, seen, min(most, m)) if most > 1 else 1,
    )  # fmt: skip


def _own(options: argparse.Namespace, name: str) -> Any:
    """The user's network and images for a picture, None where there are none."""
    from fastnet.demo import Own

    if (options.images is None) != (options.labels is None):
        raise ValueError("expected both of --images and --labels, or none")
    if options.model is None:
        if options.images is not None:
            raise ValueError("--images: expected a --model that was trained for them")
        return None
    net = load(options.model)
    shape: tuple[int, ...] = ()
    if options.images is None:
        data, whose = load_mnist()[2], "of MNIST"
    else:
        data, shape = load_images(options.images, options.labels)
        whose = f"in {options.images}"
    if net.sizes[0] != data.X.shape[1] and (name != "weights" or shape):
        raise ValueError(
            f"--model: expected a network of {data.X.shape[1]} inputs for the images {whose}, "
            f"got {net.sizes[0]} inputs"
        )
    if net.input_scale is not None:
        data = Dataset(data.X, data.y, net.input_scale)
    return Own(net, data, (shape[0], shape[1]) if len(shape) == 2 else None)


def _flush() -> None:
    """Standard output, which is None where the caller closed it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"standard output: {error.strerror}") from None


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command line; the exit status is 0, or, after one line on standard error, 2, and
    130 after Ctrl-C."""
    parser = _parser()
    command = "fastnet"
    try:
        try:
            options = parser.parse_args(arguments)
            command = " ".join(filter(None, ("fastnet", options.command)))
            options.run(options)
        finally:
            _flush()
    except BrokenPipeError:  # the reader, `head` say, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as error:
        where = f" {error}" if isinstance(error, _Interrupted) else ""
        parser.exit(130, f"fastnet: interrupted{where}\n")
    except EXPECTED as error:
        parser.exit(2, f"{command}: error: {error}\n")
    return 0
