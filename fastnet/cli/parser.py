"""The commands and options, as argparse reads them."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from fastnet import own_data
from fastnet.architecture import DTYPES
from fastnet.core import _kernels
from fastnet.core.load import version
from fastnet.nn import activations, costs, initializers, optimizers

T = TypeVar("T")
PLAIN_ETA = 0.5  # the learning rate that suits plain gradient descent (docs/techniques.md)
VALIDATION_FRACTION = 0.2

# The defaults of the experiment on MNIST and other images.
BOOK: dict[str, Any] = {
    "hidden": [30], "neurons": activations.Sigmoid(), "cost": costs.CrossEntropyCost(),
    "epochs": 30, "mini_batch_size": 10, "dtype": "float32", "lmbda": 0.0,
}  # fmt: skip
_OWN = own_data.Settings()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print one line, without argparse's usage."""
        self.exit(2, f"{self.prog}: error: {message}\n")


class _Version(argparse.Action):
    """Looks up the version only when it is requested, since that takes long."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        print(f"fastnet {version()}")
        parser.exit()


def make_parser() -> argparse.ArgumentParser:
    """The parser of ``fastnet``; without a command its options have ``command`` None."""
    parser = _Parser(
        prog="fastnet",
        description="Small neural networks, trained fast. FASTNET_ISA in the environment names "
        "an instruction set; fastnet info lists those that this machine has.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for add in (_add_train, _add_predict, _add_evaluate, _add_export, _add_demo, _add_info):
        add(commands)
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser(
        "train",
        help="train a network on a CSV file, arrays or images",
        description="Train a network on DATA and report how good it is. Without DATA: the "
        "experiment of M. Nielsen's Neural Networks and Deep Learning, chapter 3, on the MNIST "
        "digits that come with the package, or on the images that the options name, with the "
        "accuracy on the test data after each epoch.",
        epilog="The four files of images and labels go together. Pixels are multiplied by 1/256.",
        allow_abbrev=False,
    )
    # fmt: off
    add = train.add_argument
    add("data", nargs="*", metavar="DATA",
        help="a CSV file (- for standard input), an .npz file with arrays X and y or x_train and "
        "y_train, or two files, of inputs and of targets, both .npy or both in IDX form; where "
        "two defaults are given below, the second is that for DATA")
    _add_data_options(train.add_argument_group("options for DATA"))
    add("--hidden", type=int, nargs="*", metavar="N",
        help="sizes of the hidden layers, as in --hidden 100 30; without a number there is "
        f"none (default: {' '.join(map(str, BOOK['hidden']))}; "
        f"{' '.join(map(str, own_data.HIDDEN))})")
    add("--neurons", type=_text(activations.from_text), metavar="KIND",
        help=f"activation of the hidden neurons, one of {', '.join(activations.HIDDEN)}; with a "
        "parameter as in leaky-relu:0.2, whose slope below 0 is 0.2 (default: "
        f"{BOOK['neurons']}; {own_data.NEURONS})")
    add("--cost", type=_text(costs.from_text),
        help=f"cost function, one of {', '.join(costs.NAMES)}; with parameters as in huber:2.0, "
        "whose threshold is 2, or quantile:0.1,0.9, for which one number as the target has an "
        "output for each quantile; with quadratic the book takes --eta "
        f"{costs.QuadraticCost.etas['sigmoid']:g} (default: {BOOK['cost']}; "
        f"{' or '.join(map(str, own_data.COSTS.values()))})")
    add("--output", choices=activations.OUTPUTS,
        help=f"output layer; allowed are {costs.ALLOWED} (default: the first for the cost; "
        "linear for a regression on DATA)")
    add("--epochs", type=int, metavar="N",
        help=f"passes over the training data (default: {BOOK['epochs']}); {_OWN.epochs} at most "
        "for DATA")
    add("--mini-batch-size", type=int, metavar="N",
        help=f"examples per update (default: {BOOK['mini_batch_size']}; {_OWN.mini_batch_size})")
    add("--eta", type=float, metavar="RATE",
        help=f"learning rate (default: {PLAIN_ETA:g}, or the usual one of the optimizer: "
        f"{_usual_rates()})")
    add("--lmbda", type=float, metavar="LAMBDA",
        help=f"L2 regularization parameter (default: {BOOK['lmbda']:g}; {_OWN.lmbda:g})")
    add("--l1", type=float, default=0.0, metavar="LAMBDA",
        help="L1 regularization parameter (default: %(default)s)")
    add("--dropout", type=float, default=0.0, metavar="P",
        help="probability that a hidden neuron is dropped (default: %(default)s)")
    add("--optimizer", type=_text(_optimizer), metavar="NAME",
        help=f"plain (gradient descent) or one of {', '.join(optimizers.USUAL)}, with its usual "
        "coefficients, momentum and nesterov with mu = 0.9; with others as in momentum:0.95 or "
        "adam:0.9,0.99,1e-8, whose coefficients are beta1, beta2 and epsilon (default: plain; "
        "adam)")
    add("--shift", type=int, default=0, metavar="PIXELS",
        help="shift each training image by a random number of pixels, at most this many "
        "(default: %(default)s)")
    add("--seed", type=int, default=0, metavar="N",
        help="seed of weights and order (default: %(default)s)")
    add("--dtype", choices=DTYPES,
        help=f"precision (default: {BOOK['dtype']}; float64 for DATA whose targets float32 "
        "cannot tell apart)")
    add("--initializer", choices=initializers.NAMES,
        help="distribution of the initial weights and biases: "
        f"{'; '.join(f'{name}, {text}' for name, text in initializers.FORMULAS.items())} "
        "(default: the one that suits the neurons; large in place of "
        "default without DATA, as in the book)")
    for split, kind in (("train", "training"), ("test", "test")):
        for what in ("images", "labels"):
            add(f"--{split}-{what}", metavar="FILE",
                help=f"{kind} {what} in IDX format, plain or .gz (default: MNIST)")
    add("--save", metavar="FILE",
        help="write the network to this file after the last epoch or after Ctrl-C: .npz, "
        ".safetensors, else JSON (default: not saved)")
    add("--checkpoint", metavar="FILE.npz",
        help="write the state of the training to this file after each epoch (default: not written)")
    add("--resume", action="store_true",
        help="continue from the file of --checkpoint, if it exists, with the same options and "
        "data; without it a training begins anew and replaces the file")
    add("--plot", metavar="FILE.png",
        help="draw accuracy and cost per epoch on training and test data; needs matplotlib "
        "(default: not drawn)")
    # fmt: on


def _add_data_options(group: Any) -> None:
    """The options of ``fastnet train DATA``."""
    # fmt: off
    add = group.add_argument
    add("--target", metavar="NAME",
        help="the column of a CSV file to predict (default: the last one)")
    add("--task", choices=("classification", "regression"),
        help="what the target is: classes or a number (default: guessed from the data and "
        "reported)")
    add("--categorical", nargs="+", metavar="NAME",
        help="columns that are categories although they look like numbers, dates or free text "
        "(default: the other columns of text)")
    add("--drop", nargs="+", metavar="NAME", help="columns that are left out")
    add("--unknown", choices=("error", "ignore"),
        help="what a category that is not in the training data is later: an error, or ignored "
        "(default: error)")
    add("--missing", choices=("mean", "error"),
        help="what missing values (empty, NA) are: numbers are replaced by the mean, with a "
        "column that says so, and missing text is a category; or an error (default: mean)")
    add("--standardize", action=argparse.BooleanOptionalAction, default=None,
        help="scale the inputs to mean 0 and deviation 1 (default: for CSV files)")
    add("--test", nargs="+", metavar="FILE",
        help="test data of the form of DATA, for a score at the end (default: those in an .npz "
        "file, otherwise none)")
    add("--validation-fraction", type=float, metavar="F",
        help="share of DATA that is held out, to stop the training in time and for a score; 0 "
        f"holds out none (default: {VALIDATION_FRACTION:g})")
    add("--patience", type=int, metavar="N",
        help="stop when the cost on the held-out data has not fallen for so many epochs, and keep "
        f"the network of the best epoch; 0 trains all epochs (default: {_OWN.patience})")
    # fmt: on


def _add_predict(commands: Any) -> None:
    predict = commands.add_parser(
        "predict",
        help="print what a saved network predicts",
        description="Print one prediction per line: the class, or the number.",
        allow_abbrev=False,
    )
    # fmt: off
    add = predict.add_argument
    add("model", metavar="MODEL", help="a file that --save wrote")
    add("data", metavar="DATA",
        help="a CSV file (- for standard input), an .npz or .npy file with an array of inputs, "
        "or images in IDX format, plain or .gz")
    add("--scale", type=float, metavar="FACTOR",
        help="multiply the pixels by this (default: the scale in MODEL)")
    add("--probabilities", action="store_true",
        help="print CSV: a header, and for each example its class and the output of each class")
    add("--output", metavar="FILE.csv",
        help="write the predictions to this file, or to standard output for -, with a header "
        "(default: standard output, without a header)")
    # fmt: on


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="compare the predictions of a saved network with known targets",
        description="Print the accuracy and the confusion matrix, or R² and the error of a "
        "regression, beside those of always predicting the most frequent class or the mean.",
        allow_abbrev=False,
    )
    # fmt: off
    add = evaluate.add_argument
    add("model", metavar="MODEL", help="a file that --save wrote")
    add("data", nargs="+", metavar="DATA",
        help="a CSV file with the target's column (- for standard input), an .npz file, or two "
        "files, of inputs and of targets, .npy or IDX")
    add("--scale", type=float, metavar="FACTOR",
        help="multiply the pixels by this (default: the scale in MODEL)")
    add("--plot", metavar="FILE.png",
        help="draw the confusion matrix, or predictions against targets, into this file instead "
        "of printing a matrix; needs matplotlib")
    # fmt: on


def _add_export(commands: Any) -> None:
    export = commands.add_parser(
        "export",
        help="write a saved network as C",
        description="Write a saved network as one C99 file with the function void NAME(const "
        "float *x, float *a), which computes the outputs a of the inputs x, for microcontrollers "
        "and other programs.",
        allow_abbrev=False,
    )
    # fmt: off
    add = export.add_argument
    add("model", metavar="MODEL", help="a file that --save wrote")
    add("file", metavar="FILE.c", help="write the function to this file")
    add("--name", default="net", metavar="NAME",
        help="the name of the function (default: %(default)s)")
    add("--scale", type=float, metavar="FACTOR",
        help="the factor of the inputs in the function; 1 if they are scaled already (default: "
        "the scale in MODEL)")
    add("--jacobian", action="store_true",
        help="add a function that also computes the derivatives of the outputs by the inputs")
    add("--int8", action="store_true",
        help="round the weights to 8 bits, which needs a quarter of the memory for them")
    add("--data", nargs="+", metavar="DATA",
        help="print what --int8 costs on this: a CSV file with the target's column (- for standard "
        "input), an .npz file, or two files, of inputs and of targets, .npy or IDX")
    # fmt: on


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="draw pictures from the book, or write a page for a browser",
        description="Draw a picture in a window, or with --save into a file; without NAME, list "
        "the pictures. Their networks are trained first.",
        allow_abbrev=False,
    )
    # fmt: off
    add = demo.add_argument
    add("name", nargs="?", metavar="NAME", help="which picture (default: list them)")
    add("--save", metavar="FILE.png", help="write the picture to this file, .png, .svg or .pdf")
    add("--html", metavar="FILE",
        help="write one page with a neuron that learns, a softmax with sliders, and a pad on "
        "which digits are drawn and classified; it needs a browser and no network connection")
    add("--dark", action="store_true", help="draw on a dark background")
    add("--book-rates", action="store_true",
        help="for neuron and slowdown: the book's learning rate for each cost (default: the same "
        "for both, so that they can be compared)")
    add("--model", metavar="MODEL",
        help="a network that --save wrote, for digits, weights, confusion and --html (default: "
        "one that is trained on MNIST)")
    add("--images", metavar="FILE",
        help="images for MODEL in IDX format, plain or .gz (default: MNIST's test images)")
    add("--labels", metavar="FILE", help="their labels")
    # fmt: on


def _add_info(commands: Any) -> None:
    info = commands.add_parser(
        "info",
        help="print versions, compiler and instruction sets, or how a network is computed",
        description="Print the versions of fastnet, NumPy and Python, the compiler, the "
        "instruction set in use and those that this machine has. With --plan, print how a "
        "training is computed: the format of the inputs and how each layer's forward step, error "
        "and update are computed, in a mini-batch and in a smaller last one.",
        allow_abbrev=False,
    )
    # fmt: off
    add = info.add_argument
    add("--plan", metavar="SIZES",
        help="the sizes of the network's layers, as in --plan 784,30,10; the options below "
        "describe the rest")
    add("--batch", type=int, metavar="N", help="examples per update (default: 10)")
    add("--examples", type=int, metavar="N",
        help="training examples (default: 50000; a last mini-batch may be smaller)")
    add("--dtype", choices=DTYPES, help="precision (default: float32)")
    add("--density", type=float, metavar="FRACTION",
        help="fraction of the inputs that are non-zero (default: 1)")
    add("--form", choices=("dense", "columns", "masks"),
        help="format of the inputs (default: the fastest for the density)")
    add("--neurons", type=_text(activations.from_text), metavar="KIND",
        help=f"activation of the hidden neurons, one of {', '.join(activations.HIDDEN)} (default: "
        "sigmoid)")
    add("--optimizer", type=_text(optimizers.from_text), metavar="NAME",
        help=f"optimizer, one of {', '.join(optimizers.USUAL)} (default: plain gradient descent)")
    add("--lmbda", type=float, metavar="LAMBDA", help="L2 regularization (default: 0)")
    add("--l1", type=float, metavar="LAMBDA", help="L1 regularization (default: 0)")
    add("--dropout", type=float, metavar="P",
        help="probability that a hidden neuron is dropped (default: 0)")
    add("--threads", type=int, metavar="N",
        help="maximum number of threads; fewer are used where more would not help (default: 1)")
    add("--isa", choices=_kernels.TARGETS,
        help="instruction set, which this machine need not have (default: the one in use)")
    # fmt: on


def _usual_rates() -> str:
    """The optimizers' usual learning rates: "adam 0.001, adamw 0.001"."""
    return ", ".join(f"{name} {one.usual_eta:g}" for name, one in optimizers.USUAL.items())


def _optimizer(text: str) -> Any:
    return text if text == "plain" else optimizers.from_text(text)


def _text(from_text: Callable[[str], T]) -> Callable[[str], T]:
    """``from_text`` as the type of an option, so that its errors become those of the option."""

    def parse(text: str) -> T:
        try:
            return from_text(text)
        except (TypeError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse
