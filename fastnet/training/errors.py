"""Errors that end a training."""

from __future__ import annotations

from typing import Any

from fastnet.training.history import History


class DivergenceError(ArithmeticError, ValueError):
    """A parameter became infinite or NaN. The network keeps the parameters of the last epoch after
    which all were finite.

    Parameters
    ----------
    epoch : int or None
    advice : str
        The end of the message.
    cause : str
        The quantity that became infinite or NaN; the message begins with it.

    Attributes
    ----------
    epoch : int or None
        The epoch in which this happened, counted from 1; None outside of ``SGD``.
    history : History
        The figures of the epochs before it.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", seed=0)
    >>> try:
    ...     net.SGD([([1e9], [1.0])], 30, 1, 1e9, verbose=False)
    ... except DivergenceError as error:
    ...     print(error.epoch)
    2
    """

    def __init__(
        self,
        epoch: int | None = None,
        advice: str = "a smaller eta or lmbda may help",
        cause: str = "a parameter is no longer finite",
    ):
        where, restored = "the mini-batch", "before it"
        if epoch is not None:
            where = f"epoch {epoch}"
            restored = f"after epoch {epoch - 1}" if epoch > 1 else "before the training"
        super().__init__(
            f"training diverged in {where}: {cause}; "
            f"the parameters are restored to those {restored} ({advice})"
        )
        self.epoch = epoch
        self._advice, self._cause = advice, cause
        self.history = History([], [], [], [])

    def __reduce__(self) -> tuple[type, tuple[int | None, str, str], dict[str, Any]]:
        return DivergenceError, (self.epoch, self._advice, self._cause), self.__dict__


class AttachHistory:
    """A context in which errors that end a training get the history so far: a DivergenceError and
    a KeyboardInterrupt have it as their attribute ``history``."""

    def __init__(self, history: History):
        self._history = history

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and isinstance(error, (DivergenceError, KeyboardInterrupt)):
            error.history = self._history  # type: ignore[union-attr]
