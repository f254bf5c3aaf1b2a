"""The callbacks of ``Network.SGD``, run after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnet.core.parameters import Parameters
from fastnet.training.history import History


def runner(
    net: Any, parameters: Parameters, callbacks: Sequence[Callable[..., Any]], history: History
) -> Callable[[int], bool]:
    """A function that runs all callbacks after an epoch and returns whether to stop. It raises a
    ValueError and restores the parameters if a callback leaves one that is not finite."""

    def run(epoch: int) -> bool:
        stops, before = False, parameters.values.copy()
        for i, callback in enumerate(callbacks):
            answer = callback(net, epoch, history)
            stops |= isinstance(answer, (bool, np.bool_)) and bool(answer)
            if not parameters.are_finite():
                name = parameters.first_not_finite()
                parameters.restore(before)
                raise ValueError(
                    f"callbacks[{i}]: expected it to leave finite numbers in weights and "
                    f"biases, got NaN or infinity in {name}; the parameters are back as "
                    f"epoch {epoch} left them"
                )
        return stops

    return run
