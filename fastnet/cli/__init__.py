"""The command line: ``fastnet train``, ``predict``, ``evaluate``, ``demo``, ``info``.

``parser.py`` has the options; each command is the function ``run`` of the module of its name.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from fastnet.cli.errors import EXPECTED, Interrupted
from fastnet.cli.parser import make_parser


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command line. The exit status is 0; 2 after an error, which is one line on standard
    error; 130 after Ctrl-C."""
    parser = make_parser()
    command = "fastnet"
    try:
        try:
            options = parser.parse_args(arguments)
            command = " ".join(filter(None, ("fastnet", options.command)))
            if options.command is None:
                parser.print_help()
            else:  # imported only now, since the module of demo imports the plots
                importlib.import_module(f"fastnet.cli.{options.command}").run(options)
        finally:
            _flush()
    except BrokenPipeError:  # the reader, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as error:
        where = f" {error}" if isinstance(error, Interrupted) else ""
        parser.exit(130, f"fastnet: interrupted{where}\n")
    except EXPECTED as error:
        parser.exit(2, f"{command}: error: {error}\n")
    return 0


def _flush() -> None:
    """Flush standard output, which is None if the caller closed it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"standard output: {error.strerror}") from None
