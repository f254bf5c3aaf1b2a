"""The output of a running training: nothing, a line per epoch, or a progress bar; and the log."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnet.core import checks

if TYPE_CHECKING:
    import logging

TQDM = 'pip install "tqdm>=4.66"'

# The levels of logging, without importing it.
INFO, WARNING = 20, 30


# A function that a training in this thread polls: whether the training has been asked to end.
stop_requested: ContextVar[Callable[[], bool] | None] = ContextVar("stop_requested", default=None)


class Stopped(KeyboardInterrupt):
    """The training of this thread was asked to end, as by Ctrl-C."""


def raise_if_stopped(done: int = 0) -> None:
    """Raise Stopped if this thread's training has been asked to end. ``done``, the number of
    examples done, is ignored; the kernels pass it."""
    is_requested = stop_requested.get()
    if is_requested is not None and is_requested():
        raise Stopped


def stopping() -> Callable[[int], object] | None:
    """The cancellation callback for long calls of the kernels, or None."""
    return None if stop_requested.get() is None else raise_if_stopped


_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep


def warn(message: str) -> None:
    """Issue a UserWarning at the user's line that called the package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


_logger: logging.Logger | None = None


def logger() -> logging.Logger | None:
    """The logger "fastnet", or None before the program has imported logging.

    Before that no handler can exist, and importing it would add much to fastnet's import time.
    """
    global _logger
    if _logger is None and "logging" in sys.modules:
        import logging

        _logger = logging.getLogger("fastnet")
        _logger.addHandler(logging.NullHandler())  # without a handler, Python would print warnings
    return _logger


class Reporter:
    """verbose=0: no output except for log records. Each training has its own object."""

    def begin(self, sizes: Sequence[int], n: int, epochs: int) -> Reporter:
        """Prepare for a training over n examples; returns the context manager of its epochs."""
        self._n, self._epochs, self._done = n, epochs, 0
        self._start = time.monotonic()
        self._logger = logger() if epochs else None  # without epochs only arguments are checked
        if self._logs(INFO):
            self._log(INFO, "Training %s on %d examples, %d epochs", [*sizes], n, epochs)
        return self

    def _logs(self, level: int) -> bool:
        return self._logger is not None and self._logger.isEnabledFor(level)

    def _log(self, level: int, message: str, *values: object) -> None:
        if self._logger is not None:
            self._logger.log(level, message, *values)

    @property
    def reports_epochs(self) -> bool:
        """Whether each epoch must be reported as soon as it ends, instead of several together."""
        return self._logs(INFO)

    def poll(self, epoch: int) -> Callable[[int], object] | None:
        """The function that the kernel calls during the epoch with the number of examples done."""
        return stopping()

    def epoch_done(self, epoch: int, figures: list[str]) -> None:
        """Report a complete epoch; ``figures`` are its monitored figures as text."""
        self._done = epoch
        if self._logs(INFO):
            self._log(INFO, "%s", "  ".join([f"Epoch {epoch} / {self._epochs}", *figures]))
        self._show(epoch, figures)

    def close(self, message: str) -> None:
        """Report the end of all epochs; ``message`` is a last line, or ""."""
        if message and self._logs(INFO):
            self._log(INFO, "%s", message)

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        # An interrupt may leave the parameters of an incomplete epoch; an error restores them.
        level = INFO if kind is None or issubclass(kind, Exception) else WARNING
        if self._logs(level):
            how = "" if kind is None else f"by {kind.__name__} "
            seconds = time.monotonic() - self._start
            self._log(level, "Training ended %safter %d epochs, %.3g s", how, self._done, seconds)

    def _show(self, epoch: int, figures: list[str]) -> None:
        pass


class Lines(Reporter):
    """verbose=1: a line per epoch on standard output."""

    reports_epochs = True

    def _show(self, epoch: int, figures: list[str]) -> None:
        width = len(str(self._epochs))
        print(f"Epoch {epoch:{width}} / {self._epochs}", *figures, sep="  ", flush=True)

    def close(self, message: str) -> None:
        super().close(message)
        if message:
            print(message, flush=True)


class Bar(Reporter):
    """verbose=2: a bar of tqdm over the examples of all epochs, with the last figures."""

    reports_epochs = True

    def __init__(self, tqdm: Any):
        self._tqdm = tqdm

    def begin(self, sizes: Sequence[int], n: int, epochs: int) -> Reporter:
        super().begin(sizes, n, epochs)
        self._bar = self._tqdm(
            total=epochs * n,
            desc=f"{self._name(1)}: ",
            bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            dynamic_ncols=True,
            mininterval=0.05,
            miniters=1,
            disable=epochs == 0,
        )
        return self

    def _name(self, epoch: int) -> str:
        return f"Epoch {epoch} / {self._epochs}"

    def poll(self, epoch: int) -> Callable[[int], object]:
        if epoch > 1:
            self._bar.set_description(self._name(epoch), refresh=False)
        check_stop = super().poll(epoch)

        def poll(done: int) -> None:
            if check_stop is not None:
                check_stop(done)
            self._reach((epoch - 1) * self._n + done)

        return poll

    def _reach(self, examples: int) -> None:
        self._bar.update(examples - self._bar.n)

    def _show(self, epoch: int, figures: list[str]) -> None:
        self._bar.set_postfix_str("  ".join(figures), refresh=False)
        self._reach(epoch * self._n)

    def close(self, message: str) -> None:
        super().close(message)
        self._bar.close()
        if message:
            print(message, flush=True)

    def __exit__(self, *how: Any) -> None:
        self._bar.close()  # a second call has no effect
        super().__exit__(*how)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # there is no stream, or it is closed
        return False


def _in_notebook() -> bool:
    """Whether this process is a notebook's kernel, by the test that tqdm.autonotebook uses."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", ())


def is_seen() -> bool:
    """Whether a bar on standard error would be displayed."""
    return _is_terminal(sys.stderr) or _in_notebook()


def level_of(verbose: Any, expected: str) -> int:
    """``verbose``, a boolean or an integer, as 0, 1 or 2; other values raise an error whose message
    contains ``expected``."""
    try:
        boolean = isinstance(verbose, (bool, np.bool_))
        level = int(verbose) if boolean else checks.integer("verbose", verbose, 0)
        if level > 2:
            raise ValueError
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"verbose: expected {expected}, got {checks.short_repr(verbose)}"
        ) from None
    return level


def tqdm() -> Any:
    """tqdm's class of progress bars. Raises an ImportError, which names the command that installs
    tqdm, if it is missing."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError(f"verbose=2: expected tqdm to be installed: {TQDM}") from None
    return tqdm


def checked_level(verbose: Any) -> int:
    """The argument ``verbose`` of ``SGD`` as 0, 1 or 2."""
    if verbose is False or verbose is True:
        return int(verbose)
    return level_of(verbose, "0 (silent), 1 (a line per epoch) or 2 (a bar)")


def reporter_of_level(level: int) -> Reporter:
    """The reporter of a level. Raises an ImportError if it needs tqdm, which is missing."""
    if level == 2 and is_seen():
        return Bar(tqdm())
    return Lines() if level else Reporter()
