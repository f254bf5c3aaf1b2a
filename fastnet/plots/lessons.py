"""Pictures from the book: the single neuron, the sigmoid, the softmax, the learning slowdown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from fastnet.core import checks
from fastnet.nn import functions
from fastnet.plots import _axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The sigmoid is called flat where its slope is less than a tenth of the maximum, 1/4:
# a (1 - a) = 1/40, so z = ln(a / (1 - a)) is about 3.64.
_STEEP = (1 + np.sqrt(0.9)) / 2
FLAT = float(np.log(_STEEP / (1 - _STEEP)))


def neuron(
    curves: Mapping[str, ArrayLike], quantity: str = "output", *, ax: "Axes | None" = None
) -> "Axes":
    """A neuron's output, or its cost, against the epoch.

    Parameters
    ----------
    curves : dict {label: sequence of float}
        One curve each: the values at epoch 0, before the training, and after every epoch.
    quantity : "output" or "cost"
        The quantity that the curves show.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If a curve is empty or not finite, or for an invalid quantity or ax.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[2.0]]
    >>> outputs = [net.feedforward([1.0]).item()]
    >>> for epoch in range(300):
    ...     net.update_mini_batch([([1.0], [0.0])], 0.15, 0.0, 1)
    ...     outputs.append(net.feedforward([1.0]).item())
    >>> ax = neuron({"w = b = 2": outputs})
    >>> ax.get_xlabel(), ax.get_ylabel()  # ax.figure.savefig("neuron.png") writes it
    ('epoch', 'output a')

    References
    ----------
    M. Nielsen, Neural Networks and Deep Learning, chapter 3, the toy example.
    """
    _axes.one_of("quantity", quantity, ("output", "cost"))
    checked = _axes.checked_curves("curves", curves)
    ax = _axes.axes(ax, 6.4, 4.2)
    _axes.draw_curves(ax, checked)
    ax.set_ylabel("output a" if quantity == "output" else "cost C")
    if quantity == "output":
        ax.set_ylim(0, 1)
    else:
        ax.set_ylim(bottom=0)
    ax.set_title(f"{quantity.capitalize()} of one neuron that learns to turn 1 into 0")
    return ax


def sigmoid(*, ax: "Axes | None" = None) -> "Axes":
    """The sigmoid and its slope, with the flat regions marked.

    Flat means a slope of less than a tenth of the maximum, which is 1/4 at z = 0. In these
    regions a neuron with the quadratic cost learns slowly (equations 55 and 56).

    Parameters
    ----------
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError
        For an invalid ax.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> ax = sigmoid()
    >>> [line.get_label() for line in ax.get_lines()]
    ['σ(z)', 'σ′(z)']
    """
    ax = _axes.axes(ax, 6.4, 4.2)
    z = np.linspace(-8, 8, 401)
    for start, end in ((-8, -FLAT), (FLAT, 8)):
        label = "flat: σ′ below a tenth of its maximum" if start < 0 else None
        ax.axvspan(start, end, color=_axes.ORANGE, alpha=0.2, linewidth=0, label=label)
    ax.plot(z, functions.sigmoid(z), color=_axes.BLUE, linewidth=2, label="σ(z)")
    ax.plot(z, functions.sigmoid_prime(z), "--", color=_axes.VERMILION, linewidth=2, label="σ′(z)")
    ax.set_xlim(-8, 8)
    ax.set_ylim(0, 1)
    ax.set_xlabel("weighted input z")
    ax.set_ylabel("output a = σ(z), and slope σ′(z)")
    ax.set_title("The sigmoid is flat where the neuron saturates")
    ax.grid(alpha=0.25)
    ax.legend(loc="upper left")
    return ax


def softmax(z: ArrayLike, c: float = 1.0, *, ax: "Axes | None" = None) -> "Axes":
    """The outputs of a softmax layer as bars, which sum to one.

    Parameters
    ----------
    z : (n,) array_like
        Weighted inputs of the layer, finite.
    c : float, default 1.0
        The constant of equation 83, 0 or more; the larger c, the closer the output of the
        largest z is to 1 and the others to 0.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If z is not a sequence of finite numbers, or for a negative c or an invalid ax.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> ax = softmax([1.0, 2.0, 3.0, 2.0])
    >>> [round(float(bar.get_height()), 3) for bar in ax.patches]
    [0.072, 0.197, 0.534, 0.197]

    References
    ----------
    M. Nielsen, Neural Networks and Deep Learning, chapter 3, equations 78, 79, 83.
    """
    inputs = _axes.row("z", z)
    outputs = functions.softmax(inputs, c)
    ax = _axes.axes(ax, 4.8, 4.2)
    bars = ax.bar(range(1, len(outputs) + 1), outputs, color=_axes.BLUE)
    if len(outputs) <= 10:  # more labels would overlap
        ax.bar_label(bars, [f"{a:.3f}" for a in outputs], padding=2)
        ax.set_xticks(
            range(1, len(outputs) + 1),
            [f"$a_{{{j}}}$\nz = {z_j:.3g}" for j, z_j in enumerate(inputs, 1)],
        )
    else:
        ax.set_xlabel("output neuron")
    ax.set_ylim(0, 1.08)
    ax.set_ylabel("output a")
    ax.set_title(f"Softmax, c = {c:g}: the outputs sum to {outputs.sum():.3f}")
    return ax


def slowdown(curves: Mapping[str, ArrayLike], *, ax: "Axes | None" = None) -> "Axes":
    """The size of the gradient, |∂C/∂w|, against the epoch, on a logarithmic scale.

    Parameters
    ----------
    curves : dict {label: sequence of float}
        One curve each: the mean of |∂C/∂w| at epoch 0, before the training, and after every
        epoch; positive. ``Network.gradient`` gives ∂C/∂w.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If a curve is empty, not finite or not positive, or for an invalid ax.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Gradients of different costs can be compared only at the same weights, that is at epoch 0.

    Examples
    --------
    >>> import fastnet, numpy as np
    >>> training, _, _ = fastnet.load_mnist()
    >>> net = fastnet.Network([784, 30, 10], "quadratic", seed=1)
    >>> net.large_weight_initializer()
    >>> sizes = []
    >>> for epoch in range(3):
    ...     nabla_b, nabla_w = net.gradient(training[:1000])
    ...     sizes.append(np.abs(nabla_w[-1]).mean())
    ...     history = net.SGD(training[:1000], 1, 10, 3.0, verbose=False)
    >>> ax = slowdown({"quadratic": sizes})
    >>> ax.get_yscale()
    'log'
    """
    checked = _axes.checked_curves("curves", curves)
    for label, values in checked.items():
        if values.min() <= 0:
            raise ValueError(
                f"curves[{checks.short_repr(label)}]: expected numbers over 0, since the axis is "
                f"logarithmic; got {values.min():g}"
            )
    ax = _axes.axes(ax, 6.4, 4.2)
    _axes.draw_curves(ax, checked)
    ax.set_yscale("log")
    ax.set_ylabel("mean |∂C/∂w|")
    ax.set_title("The size of the gradient while the network learns")
    return ax
