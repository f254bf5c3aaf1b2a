"""The arguments of one call of the training kernel: the options of its steps, and its passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

PLAIN = ("plain",)  # the optimizer of plain gradient descent, as the kernel takes it


class StepOptions(NamedTuple):  # made faster than a frozen dataclass
    """How each mini-batch of a training changes the parameters; the same in all epochs.

    Attributes
    ----------
    mini_batch_size : int
    l2, l1 : float
        The regularization parameters divided by n, the sum of the examples' weights.
    optimizer : tuple
        The optimizer's name and coefficients, as the kernel takes them.
    moments : (n_moments * parameters,) ndarray or None
        The optimizer's velocities or moments, which the kernel changes; None for plain SGD.
    dropout : (hidden layers,) float64 ndarray or None
    shift : int
    weights : (n,) float64 ndarray or None
        The weight of each example.
    divide_l2 : bool
        Whether ``l2`` is divided by the sum of the weights of the mini-batch, as in scikit-learn.
    """

    mini_batch_size: int
    l2: float = 0.0
    l1: float = 0.0
    optimizer: tuple[Any, ...] = PLAIN
    moments: NDArray | None = None
    dropout: NDArray | None = None
    shift: int = 0
    weights: NDArray | None = None
    divide_l2: bool = False

    @property
    def draws(self) -> bool:
        """Whether the steps draw random numbers, which need a key for each pass."""
        return self.dropout is not None or self.shift > 0


@dataclass(eq=False)
class Passes:
    """Passes over the examples in one call of the kernel, and their results.

    Attributes
    ----------
    order : (passes, n) int64 ndarray
        The order of the examples in each pass.
    eta : float
    epoch : int or None
        The number of the first pass, from 1; None for a single mini-batch outside of an epoch.
    keys : (passes,) uint64 ndarray or None
        Keys of the random numbers that the steps draw.
    poll : callable or None
        Called regularly with the number of examples done; an exception ends the call.
    snapshots : (k, parameters) ndarray or None
        Receives the parameters after the last k complete passes, those of pass i in row i % k.
    costs : (passes * mini-batches,) float64 ndarray or None
        Receives the sum of the costs of each mini-batch, before its step.
    n_complete : int
        The number of complete passes.
    """

    order: NDArray
    eta: float
    epoch: int | None = None
    keys: NDArray | None = None
    poll: Callable[[int], object] | None = None
    snapshots: NDArray | None = None
    costs: NDArray | None = None
    n_complete: int = 0
