"""Pictures of networks and of their training, by matplotlib.

Each function draws on the matplotlib ``Axes`` that it is given, or on those of a new
figure, and returns the Axes; nothing global is set and pyplot is not imported. Colours
are those of Okabe and Ito, which people with any kind of colour vision tell apart; text
and frame follow the style in use. To show a picture in a window or a notebook, draw on
Axes of pyplot: ``fig, ax = plt.subplots()``, ``plots.training(history, ax=ax)``,
``plt.show()``. matplotlib is needed when a function is called:
``pip install "matplotlib>=3.8"``.
"""

from fastnet.plots.lessons import neuron, sigmoid, slowdown, softmax
from fastnet.plots.results import confusion, digits, training, weights

__all__ = [
    "confusion",
    "digits",
    "neuron",
    "sigmoid",
    "slowdown",
    "softmax",
    "training",
    "weights",
]


def __dir__() -> list[str]:
    """What is public, and not the modules behind it."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
