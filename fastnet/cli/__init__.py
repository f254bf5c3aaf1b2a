"""The command line: ``fastnet train``, ``predict``, ``evaluate``, ``export``, ``demo``,
``info``.

``parser.py`` has the options; each command is the function ``run`` of the module of its name.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from fastnet.cli.errors import EXPECTED, Interrupted, table_words
from fastnet.cli.parser import make_parser
from fastnet.data.table_words import naming


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
                command_module = importlib.import_module(f"fastnet.cli.{options.command}")
                writes = any(getattr(options, name, None) for name in _FILES)
                output = _outlasting_reader() if writes else contextlib.nullcontext()
                with output, naming(table_words(options.command)):
                    command_module.run(options)
        finally:
            _flush()
    except BrokenPipeError:  # the reader, such as `head`, has read enough
        _to_null(sys.stdout)
        return 0
    except KeyboardInterrupt as error:
        where = f" {error}" if isinstance(error, Interrupted) else ""
        parser.exit(130, f"fastnet: interrupted{where}\n")
    except EXPECTED as error:
        parser.exit(2, f"{command}: error: {error}\n")
    return 0


# Options whose files are written even if nobody reads standard output any longer.
_FILES = ("save", "plot", "html")


class _Output:
    """Standard output that becomes the null device when its reader closes the pipe."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            _to_null(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            _to_null(self._stream)


@contextlib.contextmanager
def _outlasting_reader() -> Iterator[None]:
    """A context in which printing to a closed pipe does nothing, so that files are written."""
    stream = sys.stdout
    if stream is None:
        yield
        return
    with contextlib.redirect_stdout(_Output(stream)):
        yield
        sys.stdout.flush()


def _to_null(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _flush() -> None:
    """Flush standard output, which is None if the caller closed it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"standard output: {error.strerror}") from None
