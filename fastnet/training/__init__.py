"""Training: the epoch loop, its options, schedules, monitoring and early stopping."""

from fastnet.training.errors import DivergenceError
from fastnet.training.history import History

__all__ = ["DivergenceError", "History"]
