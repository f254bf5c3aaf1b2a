"""Pictures that teach: the single neuron, the sigmoid, the softmax, the learning slowdown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from fastnet.core import checks
from fastnet.nn import functions
from fastnet.plots import _axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Flat is called where the slope is under a tenth of its greatest value, 1/4:
# a (1 - a) = 1/40, so that z = ln(a / (1 - a)) is about 3.64.
_STEEP = (1 + np.sqrt(0.9)) / 2
FLAT = float(np.log(_STEEP / (1 - _STEEP)))


def neuron(
    curves: Mapping[str, ArrayLike], quantity: str = "output", *, ax: "Axes | None" = None
) -> "Axes":
    """A neuron's output, or its cost, against the epoch.

    Parameters
    ----------
    curves : dict {label: sequence of float}
        A curve each: the values at epoch 0, before the training, and after every epoch.
    quantity : "output" or "cost"
        What the values are.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        For curves that are empty or not finite, a quantity or an ax that is none.
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
    """The sigmoid and its slope, the flat regions marked.

    Flat means a slope under a tenth of the greatest, which is 1/4 at z = 0. There a
    neuron with the quadratic cost learns slowly (equations 55 and 56).

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
        For an ax that is none.
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
        The constant of equation 83, 0 or more; the larger it is the nearer the outputs are
        to 1 for the greatest z and 0 for the others.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        For a z that is no row of finite numbers, a negative c, an ax that is none.
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
    if len(outputs) <= 10:  # or they would overlap
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
        A curve each: the mean of |∂C/∂w| at epoch 0, before the training, and after every
        epoch; over 0. ``Network.gradient`` gives ∂C/∂w.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        For curves that are empty, not finite or not over 0, an ax that is none.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    The costs are different measures, so that one epoch's gradients of both compare where
    the weights are the same: at epoch 0.

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
