"""Errors in one line, which name the option or the file that they are about."""

import contextlib
import re
import shlex
from collections.abc import Iterator

from fastnet.core import checks
from fastnet.data.table_words import Words
from fastnet.training.errors import DivergenceError

# The command-line option for each argument of Network and SGD.
OPTION_OF = {
    "hidden": "--neurons",
    "training_data": "--train-images",
    "evaluation_data": "--test-images",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            "cost", "output", "epochs", "mini_batch_size", "eta", "lmbda", "l1", "dropout",
            "optimizer", "shift", "seed", "dtype", "initializer", "checkpoint", "resume",
        )
    },
}  # fmt: skip  # fmt: skip

# The names of standard input, which has a CSV file.
STANDARD_INPUT = ("-", "/dev/stdin")

# Reported in one line: among them a missing package and a missing display.
EXPECTED = (
    ValueError, TypeError, OSError, DivergenceError, MemoryError, ImportError, RuntimeError,
)  # fmt: skip  # fmt: skip


def table_words(command: str | None) -> Words:
    """The words of a command for the arguments of ``Table``."""
    ignore = "--unknown ignore"
    return Words(
        drop=lambda name: f"--drop {shlex.quote(name)}",
        categorical=lambda name: f"use --categorical {shlex.quote(name)}",
        classification="use --task classification",
        ignore=ignore if command == "train" else f"a training with {ignore}",
    )


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a training, whose network and curves have been saved as requested."""


@contextlib.contextmanager
def given_as(option: str, file: str) -> Iterator[None]:
    """Prefix errors with the option or argument and its file."""
    try:
        with (
            checks.error_prefix(option),
            checks.error_prefix(file, unless=re.escape(file) + "[:,] "),
        ):
            yield
    except OSError as error:
        raise ValueError(f"{option}: {file}: {error.strerror or error}") from None


# Options of the same name as the arguments of ``Table``.
_OF_TABLE = ("target", "task", "categorical", "drop", "unknown", "missing", "validation_fraction")


@contextlib.contextmanager
def given_as_table(option: str, file: str) -> Iterator[None]:
    """``given_as`` for a CSV file or standard input; errors about arguments of ``Table`` name
    their options."""
    name = "standard input" if file in STANDARD_INPUT else file
    try:
        with given_as(option, name):
            yield
    except (ValueError, TypeError) as error:
        words = str(error).removeprefix(f"{option}: ").removeprefix(f"{name}: ")
        argument, _, rest = words.partition(": ")
        if argument not in _OF_TABLE:
            raise
        raise ValueError(f"--{argument.replace('_', '-')}: {rest}") from None


@contextlib.contextmanager
def as_options(**more: str) -> Iterator[None]:
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
