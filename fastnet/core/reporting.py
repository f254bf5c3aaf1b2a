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

from fastnet.core import checks, extras

if TYPE_CHECKING:
    import logging

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


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the user's line that called the package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


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


# Makes the object that draws the curves of a training in a notebook; it has the methods
# ``update(history)`` and ``close()``; fastnet/__init__.py sets it.
make_curves: Callable[[], Any] | None = None


class Reporter:
    """verbose=0: no output except for log records. Each training has its own object.

    Attributes
    ----------
    unit : str
        The name of a step of the training, such as "Epoch".
    """

    unit = "Epoch"

    def begin(self, sizes: Sequence[int], n: int, epochs: int, history: Any = None) -> Reporter:
        """Prepare for a training over n examples, whose figures go to the lists of ``history``;
        returns the context manager of its epochs."""
        self._n, self._epochs, self._done, self._history = n, epochs, 0, history
        self._start = time.monotonic()
        self._logger = logger() if epochs else None  # without epochs only arguments are checked
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
        """Whether each epoch must be reported as soon as it ends, instead of several together."""
        return self._logs(INFO)

    def poll(self, epoch: int) -> Callable[[int], object] | None:
        """The function that the kernel calls during the epoch with the number of examples done."""
        return stopping()

    def resumed(self, epoch: int, path: str) -> None:
        """Report that the training goes on after an epoch of a checkpoint."""
        self._done = epoch
        message = f"Resumed from {path} after {self.unit.lower()} {epoch}"
        if self._logs(INFO):
            self._log(INFO, "%s", message)
        self._show_resumed(message)

    def _show_resumed(self, message: str) -> None:
        pass

    def epoch_done(self, epoch: int, figures: list[str]) -> None:
        """Report a complete epoch; ``figures`` are its monitored figures as text."""
        self._done = epoch
        if self._logs(INFO):
            done = f"{self.unit} {epoch} / {self._epochs}"
            self._log(INFO, "%s", "  ".join([done, *figures]))
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
        _print_line("  ".join([done, *figures]))

    def _show_resumed(self, message: str) -> None:
        _print_line(message)

    def close(self, message: str) -> None:
        super().close(message)
        if message:
            _print_line(message)


class Bar(Reporter):
    """verbose=2: a bar of tqdm over the examples of all epochs, with the last figures and the best
    one; in a notebook also the curves of the figures."""

    reports_epochs = True

    def __init__(self, tqdm: Any, curves: Any = None):
        self._tqdm = tqdm
        self._curves = curves  # draws the figures in a notebook

    def begin(self, sizes: Sequence[int], n: int, epochs: int, history: Any = None) -> Reporter:
        super().begin(sizes, n, epochs, history)
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
        check_stop = super().poll(epoch)

        def poll(done: int) -> None:
            if check_stop is not None:
                check_stop(done)
            self._reach((epoch - 1) * self._n + done)

        return poll

    def _reach(self, examples: int) -> None:
        self._bar.update(examples - self._bar.n)

    def _show(self, epoch: int, figures: list[str]) -> None:
        best = best_words(self._history)
        self._bar.set_postfix_str("  ".join([*figures, *best]), refresh=False)
        self._reach(epoch * self._n)
        if self._curves is not None and self._history is not None:
            self._curves.update(self._history)

    def _show_resumed(self, message: str) -> None:
        self._reach(self._done * self._n)

    def close(self, message: str) -> None:
        super().close(message)
        self._close()
        if message:
            _print_line(message)

    def __exit__(self, *how: Any) -> None:
        self._close()  # a second call has no effect
        super().__exit__(*how)

    def _close(self) -> None:
        self._bar.close()
        if self._curves is not None:
            self._curves.close()


# The figures that a training may have, the one that matters most first.
_FIGURES = ("evaluation_accuracy", "evaluation_cost", "training_accuracy", "training_cost")


def _print_line(text: str) -> None:
    """Print a line in one piece: Ctrl-C may end the training between the pieces of a ``print``, and
    what is printed next would follow on the same line."""
    print(f"{text}\n", end="", flush=True)


def best_words(history: Any) -> list[str]:
    """The best value so far of the figure that matters most, in words; [] if there is none.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> best_words(SimpleNamespace(evaluation_accuracy=[], evaluation_cost=[0.5, 0.25, 0.375]))
    ['best evaluation cost 0.25 (epoch 2)']
    """
    for name in _FIGURES:
        values = getattr(history, name, None)
        if values:
            known = [value for value in values if value == value] or values
            best = min(known) if name.endswith("cost") else max(known)
            words = name.replace("_", " ")
            return [f"best {words} {best:.6g} (epoch {values.index(best) + 1})"]
    return []


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # there is no stream, or it is closed
        return False


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel, by the test that tqdm.autonotebook uses."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", ())


def is_seen() -> bool:
    """Whether a bar on standard error would be displayed."""
    return _is_terminal(sys.stderr) or in_notebook()


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
    return extras.needed("verbose=2", "tqdm.auto").tqdm


def checked_level(verbose: Any) -> int:
    """The argument ``verbose`` of ``SGD`` as 0, 1 or 2."""
    if verbose is False or verbose is True:
        return int(verbose)
    return level_of(verbose, "0 (silent), 1 (a line per epoch) or 2 (a bar)")


def reporter_of_level(level: int) -> Reporter:
    """The reporter of a level. Raises an ImportError if it needs tqdm, which is missing."""
    if level == 2 and is_seen():
        return Bar(tqdm(), _curves() if in_notebook() else None)
    return Lines() if level else Reporter()


def _curves() -> Any:
    """The object that draws the curves in a notebook; None without matplotlib."""
    try:
        return None if make_curves is None else make_curves()
    except ImportError:
        return None
