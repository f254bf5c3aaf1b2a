"""What commands write: files, which are checked before the work begins, and lines."""

import argparse
import os
import re
from collections.abc import Iterable

from fastnet.core import files
from fastnet.io import checkpoint_files, persistence

# Control characters, and others at which lines end.
_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(value: object) -> str:
    """A value as text in one line: line breaks and other control characters are escaped.

    Examples
    --------
    >>> print(one_line("first\\nsecond"))
    first\\nsecond
    """
    return _UNPRINTED.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value))


def duration(seconds: float) -> str:
    """A measured time in seconds, or in milliseconds if it is short.

    Examples
    --------
    >>> duration(2.345), duration(0.02345), duration(0.0004)
    ('2.35 s', '23.4 ms', '0.4 ms')
    """
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"


def check_outputs(options: argparse.Namespace) -> None:
    """Check --save, --checkpoint and --plot before a training."""
    inputs = [("DATA", one) for one in options.data] + [
        ("--test", one) for one in options.test or ()
    ]
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        inputs.append((f"--{name.replace('_', '-')}", getattr(options, name)))
    if options.save is not None:
        if not options.save:
            raise ValueError(f"--save: expected a file, got {options.save!r}")
        persistence.check_suffix("--save", options.save)
        check_writable("--save", options.save)
        check_is_another("--save", options.save, [("--checkpoint", options.checkpoint), *inputs])
    if options.checkpoint is not None:
        check_writable("--checkpoint", options.checkpoint)
    elif options.resume:
        raise ValueError("--resume: expected --checkpoint FILE.npz with it, got none")
    if options.plot is not None:
        from fastnet import demo

        if options.epochs < 1:
            raise ValueError(f"--epochs: expected 1 or more with --plot, got {options.epochs}")
        check_is_another("--plot", options.plot, [("--save", options.save), *inputs])
        demo.check_picture("--plot", options.plot)


def check_is_another(option: str, file: str, others: Iterable[tuple[str, str | None]]) -> None:
    """Raise a ValueError if the file is one of the others, (option, file), by any path."""
    for other, path in others:
        if path and os.path.realpath(path) == os.path.realpath(file):
            raise ValueError(f"{option}: expected another file than {other}, got {file!r}")


def check_writable(option: str, file: str) -> None:
    """Raise a ValueError that begins with the option unless the file can be written."""
    if not file:
        raise ValueError(f"{option}: expected a file, got {file!r}")
    try:
        files.check_writable(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{option}: expected a file that can be written, got {error}") from None


def epochs_before(options: argparse.Namespace) -> int:
    """The complete epochs of the checkpoint that the training continues from."""
    if not options.resume or not options.checkpoint or not os.path.exists(options.checkpoint):
        return 0
    return checkpoint_files.read(options.checkpoint).epochs
