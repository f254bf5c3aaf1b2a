"""Pictures of networks and of their training, by matplotlib.

Each function draws on the given matplotlib ``Axes``, or on those of a new figure, and returns
them; no global setting is changed and pyplot is not imported. The colours are those of Okabe and
Ito, which can be told apart with all kinds of colour vision; text and frame have the current
style. To show a picture in a window or a notebook, draw on Axes of pyplot:
``fig, ax = plt.subplots()``, ``plots.training(history, ax=ax)``, ``plt.show()``. matplotlib is
only needed when a function is called: ``pip install "matplotlib>=3.8"``.
"""

from fastnet.plots.lessons import neuron, sigmoid, slowdown, softmax
from fastnet.plots.live_curves import live
from fastnet.plots.results import confusion, digits, predictions, training, weights

__all__ = [
    "confusion",
    "digits",
    "live",
    "neuron",
    "predictions",
    "sigmoid",
    "slowdown",
    "softmax",
    "training",
    "weights",
]


def __dir__() -> list[str]:
    """The public names only."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
