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
    """A function that runs all callbacks after an epoch and returns whether to stop the training.
    If a callback sets a parameter that is not finite, the function restores the parameters and
    raises a ValueError."""

    def run(epoch: int) -> bool:
        stops, before = False, parameters.values.copy()
        for i, callback in enumerate(callbacks):
            answer = callback(net, epoch, history)
            stops |= isinstance(answer, (bool, np.bool_)) and bool(answer)
            if not parameters.are_finite():
                name = parameters.first_not_finite()
                parameters.restore(before)
                raise ValueError(
                    f"callbacks[{i}]: expected finite weights and biases after the call, got NaN "
                    f"or infinity in {name}; the parameters are restored to those after "
                    f"epoch {epoch}"
                )
        return stops

    return run
