"""What a mini-batch does beside plain gradient descent with L2: arguments of ``Network.SGD``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from fastnet import _kernels, checks, optimizers
from fastnet.model import Model
from fastnet.optimizers import Optimizer


class Techniques(NamedTuple):
    l1: float = 0.0
    optimizer: Optimizer | None = None
    dropout: tuple[float, ...] = ()  # one probability for each hidden layer
    shift: int = 0

    def start(self, model: Model, n: float) -> dict[str, Any]:
        """What the kernel is told in every epoch over n examples; moments of zero among it."""
        told: dict[str, Any] = {}
        if self.l1:
            told["l1"] = self.l1 / n
        if self.optimizer:
            told["optimizer"] = self.optimizer.kernel
            n_moments = self.optimizer.n_moments * model.n_parameters
            told["moments"] = _kernels.aligned(n_moments, model.dtype)
        if any(self.dropout):
            told["dropout"] = np.array(self.dropout, np.float64)
        if self.shift:
            told["shift"] = self.shift
        return told


def _shares(dropout: Any, layers: int) -> tuple[float, ...]:
    """One probability for each hidden layer."""
    if isinstance(dropout, Iterable) and not isinstance(dropout, (str, bytes)):
        given = tuple(dropout)
        if len(given) != layers:
            raise ValueError(
                f"dropout: expected one number, or one for each of {layers} hidden layers, "
                f"got {len(given)}"
            )
        return tuple(checks.share(f"dropout[{l}]", share) for l, share in enumerate(given))
    share = checks.share("dropout", dropout)
    if share and layers == 0:
        raise ValueError(f"dropout: expected 0 for a network without hidden layers, got {share:g}")
    return (share,) * layers


def checked(model: Model, l1: Any, optimizer: Any, dropout: Any, shift: Any) -> Techniques:
    """The arguments of ``SGD`` as they come; errors name the one that does not fit ``model``."""
    l1 = checks.nonnegative("l1", l1)
    optimizer = optimizers.checked(optimizer)
    if optimizer is not None:
        optimizer.check_dtype("optimizer: expected an {} of", model.dtype)
    shares = _shares(dropout, len(model.hidden))
    shift = checks.integer("shift", shift, 0)
    side = math.isqrt(model.sizes[0])
    if shift and (side**2 != model.sizes[0] or shift >= side):
        raise ValueError(
            f"shift: expected 0, or less than the side of square images; got {shift} for "
            f"{model.sizes[0]} inputs"
        )
    return Techniques(l1, optimizer, shares, shift)
