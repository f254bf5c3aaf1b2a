"""Files that commands write: checked before the work begins."""

import argparse
import os

from fastnet.core import files
from fastnet.io import persistence


def check_outputs(options: argparse.Namespace) -> None:
    """Check --save and --plot before a training."""
    if options.save is not None:
        if not options.save:
            raise ValueError(f"--save: expected a file, got {options.save!r}")
        persistence.check_suffix("--save", options.save)
        check_writable("--save", options.save)
    if options.plot is not None:
        from fastnet import demo

        if options.epochs < 1:
            raise ValueError(f"--epochs: expected 1 or more with --plot, got {options.epochs}")
        if options.save is not None and os.path.realpath(options.save) == os.path.realpath(
            options.plot
        ):
            raise ValueError(f"--plot: expected another file than --save, got {options.plot!r}")
        demo.check_picture("--plot", options.plot)


def check_writable(option: str, file: str) -> None:
    """Raise a ValueError that begins with the option unless the file can be written."""
    if not file:
        raise ValueError(f"{option}: expected a file, got {file!r}")
    try:
        files.check_writable(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{option}: expected a file that can be written, got {error}") from None
