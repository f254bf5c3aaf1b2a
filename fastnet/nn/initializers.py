"""The weights and biases that a network starts with.

"default"  weights N(0, 1) / sqrt(n_in), biases N(0, 1): chapter 3 of the book
"large"    weights and biases N(0, 1): its first chapter
"glorot"   weights of variance 2 / (n_in + n_out), biases 0: X. Glorot and Y. Bengio,
           "Understanding the difficulty of training deep feedforward neural networks"
           (2010), equation 12, the normal distribution in place of the uniform
"he"       weights of variance 2 / n_in, biases 0: K. He, X. Zhang, S. Ren and J. Sun,
           "Delving deep into rectifiers" (2015), equation 10
"""

import math
from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.core.random_stream import RandomStream
from fastnet.nn.activations import Activation

# {name: the distributions of a layer's weights W and biases b}
FORMULAS = {
    "default": "W ~ N(0, 1/n_in), b ~ N(0, 1)",
    "large": "W ~ N(0, 1), b ~ N(0, 1)",
    "glorot": "W ~ N(0, 2/(n_in + n_out)), b = 0",
    "he": "W ~ N(0, 2/n_in), b = 0",
}
NAMES = tuple(FORMULAS)


def choose(initializer: Any, hidden: tuple[Activation, ...]) -> tuple[str, ...]:
    """The names of the initializers, one per layer.

    Parameters
    ----------
    initializer : str or None
        The name for all layers; None: the one that suits the neurons of each layer, and for the
        output layer "default" if all hidden layers have it, else "glorot".
    hidden : tuple of Activation
        The kind of neurons of each hidden layer.

    Returns
    -------
    tuple of str, one longer than ``hidden``.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> from fastnet.nn.activations import ReLU, Sigmoid, Tanh
    >>> choose(None, (ReLU(), Tanh()))
    ('he', 'glorot', 'glorot')
    >>> choose(None, (Sigmoid(), Sigmoid())), choose("he", (Sigmoid(),))
    (('default', 'default', 'default'), ('he', 'he'))
    """
    if initializer is None:
        suited = tuple(kind.initializer for kind in hidden)
        return (*suited, "default" if {*suited} <= {"default"} else "glorot")
    if not isinstance(initializer, str) or initializer not in NAMES:
        raise ValueError(
            f"initializer: expected one of {', '.join(NAMES)}, or None; "
            f"got {checks.short_repr(initializer)}"
        )
    return (initializer,) * (len(hidden) + 1)


def _deviation(name: str, n_in: int, n_out: int) -> float:
    """The standard deviation of the weights."""
    if name == "large":
        return 1.0
    if name == "default":
        return 1 / math.sqrt(n_in)
    return math.sqrt(2 / (n_in if name == "he" else n_in + n_out))


def draw(
    stream: RandomStream,
    weights: Iterable[NDArray],
    biases: Iterable[NDArray],
    names: Iterable[str],
) -> None:
    """Fill the parameters, (n_out, n_in) and (n_out, 1) per layer.

    Drawn layer by layer, the weights of a layer row by row, then its biases; for biases
    that are 0 nothing is drawn.
    """
    for w, b, name in zip(weights, biases, names, strict=True):
        n_out, n_in = w.shape
        w[...] = stream.normal(n_out, n_in) * _deviation(name, n_in, n_out)
        b[...] = stream.normal(n_out, 1) if name in ("default", "large") else 0.0
