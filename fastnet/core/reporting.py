"""Reports of a running training: nothing, a line per epoch, or a progress bar; and the log."""

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


# Polled by a training in this thread: whether it was asked to end.
stop_requested: ContextVar[Callable[[], bool] | None] = ContextVar("stop_requested", default=None)


class Stopped(KeyboardInterrupt):
    """The training of this thread was asked to end, as by Ctrl-C."""


def raise_if_stopped(done: int = 0) -> None:
    """Raise Stopped if this thread's training was asked to end, however many examples are done."""
    asked = stop_requested.get()
    if asked is not None and asked():
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
    """The logger "fastnet", once the program has imported logging.

    Before that nobody can be listening, and importing it would add much to fastnet's import time.
    """
    global _logger
    if _logger is None and "logging" in sys.modules:
        import logging

        _logger = logging.getLogger("fastnet")
        _logger.addHandler(logging.NullHandler())  # without a handler, Python would print warnings
    return _logger


class Reporter:
    """verbose=0: no output but the records of the log. An object serves one training.

    Attributes
    ----------
    unit : str
        What the training consists of, "Epoch" or the like.
    """

    unit = "Epoch"

    def begin(self, sizes: Sequence[int], n: int, epochs: int) -> Reporter:
        """Before the first epoch over n examples; in a with statement around the epochs."""
        self._n, self._epochs, self._done = n, epochs, 0
        self._start = time.monotonic()
        self._logger = (
            logger() if epochs else None
        )  # a call for no epochs only checks its arguments
        if self._logs(INFO):
            steps = f"{self.unit.lower()}s"
            self._log(INFO, "Training %s on %d examples, %d %s", [*sizes], n, epochs, steps)
        return self

    def _logs(self, level: int) -> bool:
        return self._logger is not None and self._logger.isEnabledFor(level)

    def _log(self, level: int, message: str, *values: object) -> None:
        if self._logger is not None:
            self._logger.log(level, message, *values)

    @property
    def reports_epochs(self) -> bool:
        """Whether each epoch is reported when it ends, rather than several together."""
        return self._logs(INFO)

    def poll(self, epoch: int) -> Callable[[int], object] | None:
        """The function that the kernel calls within the epoch with the number of examples done."""
        return stopping()

    def epoch_done(self, epoch: int, figures: list[str]) -> None:
        """The epoch is complete; its figures in words."""
        self._done = epoch
        if self._logs(INFO):
            done = f"{self.unit} {epoch} / {self._epochs}"
            self._log(INFO, "%s", "  ".join([done, *figures]))
        self._show(epoch, figures)

    def close(self, words: str) -> None:
        """All epochs are done; ``words`` is a last message, or ""."""
        if words and self._logs(INFO):
            self._log(INFO, "%s", words)

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        # After an interrupt the parameters may be those within an epoch; an error restores them.
        level = INFO if kind is None or issubclass(kind, Exception) else WARNING
        if self._logs(level):
            how = "" if kind is None else f"by {kind.__name__} "
            seconds = time.monotonic() - self._start
            done = f"{self._done} {self.unit.lower()}s"
            self._log(level, "Training ended %safter %s, %.3g s", how, done, seconds)

    def _show(self, epoch: int, figures: list[str]) -> None:
        pass


class Lines(Reporter):
    """verbose=1: a line per epoch on standard output."""

    reports_epochs = True

    def _show(self, epoch: int, figures: list[str]) -> None:
        width = len(str(self._epochs))
        done = f"{self.unit} {epoch:{width}} / {self._epochs}"
        print(done, *figures, sep="  ", flush=True)

    def close(self, words: str) -> None:
        super().close(words)
        if words:
            print(words, flush=True)


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
        return f"{self.unit} {epoch} / {self._epochs}"

    def poll(self, epoch: int) -> Callable[[int], object]:
        if epoch > 1:
            self._bar.set_description(self._name(epoch), refresh=False)
        asked = super().poll(epoch)

        def poll(done: int) -> None:
            if asked is not None:
                asked(done)
            self._reach((epoch - 1) * self._n + done)

        return poll

    def _reach(self, examples: int) -> None:
        self._bar.update(examples - self._bar.n)

    def _show(self, epoch: int, figures: list[str]) -> None:
        self._bar.set_postfix_str("  ".join(figures), refresh=False)
        self._reach(epoch * self._n)

    def close(self, words: str) -> None:
        super().close(words)
        self._bar.close()
        if words:
            print(words, flush=True)

    def __exit__(self, *how: Any) -> None:
        self._bar.close()  # a second time does nothing
        super().__exit__(*how)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def _in_notebook() -> bool:
    """Whether this is the kernel of a notebook, by the test of tqdm.autonotebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", ())


def is_seen() -> bool:
    """Whether a bar on standard error would be displayed."""
    return _is_terminal(sys.stderr) or _in_notebook()


def level_of(verbose: Any, expected: str) -> int:
    """0, 1 or 2, also for a boolean; other values raise an error with ``expected``."""
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
    """The function that draws bars. ImportError, with the command that installs it, if tqdm is
    missing."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError(f"verbose=2: expected tqdm to be installed: {TQDM}") from None
    return tqdm


def checked_level(verbose: Any) -> int:
    """The level of ``verbose`` as ``SGD`` takes it."""
    if verbose is False or verbose is True:
        return int(verbose)
    return level_of(verbose, "0 (silent), 1 (a line per epoch) or 2 (a bar)")


def chosen(level: int) -> Reporter:
    """The reporter of a level; ImportError if its bar lacks tqdm."""
    if level == 2 and is_seen():
        return Bar(tqdm())
    return Lines() if level else Reporter()
