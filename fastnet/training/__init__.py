"""The epoch loop and what goes with it: options, schedules, monitoring, stopping."""

from fastnet.training.errors import DivergenceError
from fastnet.training.history import History

__all__ = ["DivergenceError", "History"]
