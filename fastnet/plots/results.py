"""Pictures of what a training did: curves, wrong digits, weights, the confusion matrix."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data.dataset import Data, Dataset
from fastnet.model import classes_of
from fastnet.network import Network, inputs_of, model_of
from fastnet.plots import _axes
from fastnet.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training(history: History, quantity: str | None = None, *, ax: "Axes | None" = None) -> "Axes":
    """Accuracy or cost against the epoch, training data beside evaluation data.

    Parameters
    ----------
    history : History
        What ``Network.SGD`` returned.
    quantity : "accuracy", "cost" or None
        Accuracies are drawn in percent of the examples, costs as means per example. None: the
        accuracy where the history has one, else the cost.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the history has no such curve, as where it was not monitored.
    TypeError
        For a history or an ax that is none.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastnet
    >>> data, _, test = fastnet.load_mnist()
    >>> net = fastnet.Network([784, 10], seed=1)
    >>> history = net.SGD(data[:1000], 3, 10, 0.5, evaluation_data=test[:1000],
    ...                   monitor_evaluation_accuracy=True, verbose=False)
    >>> ax = training(history)
    >>> ax.get_ylabel()
    'accuracy in %'
    """
    if not isinstance(history, History):
        raise TypeError(
            f"history: expected the History that SGD returned, got {checks.short_repr(history)}"
        )
    if quantity is None:
        counted = history.evaluation_accuracy or history.training_accuracy
        costs = history.evaluation_cost or history.training_cost
        quantity = "cost" if costs and not counted else "accuracy"
    _axes.one_of("quantity", quantity, ("accuracy", "cost"))
    best = max if quantity == "accuracy" else min
    curves = {}
    for kind in ("evaluation", "training"):
        values = np.asarray(getattr(history, f"{kind}_{quantity}"), np.float64)
        if len(values) == 0:
            continue
        unit = ""
        if quantity == "accuracy":
            n = getattr(history, f"n_{kind}")
            if n is None:
                raise ValueError(
                    f"history: expected the number of {kind} examples in n_{kind}, where SGD "
                    f"leaves it; got None"
                )
            values, unit = 100 * values / n, " %"
        label = f"{kind} data"
        if np.isfinite(values).any():
            top = best(values[np.isfinite(values)])
            label += f", best {top:.4g}{unit} in epoch {int(np.argmax(values == top)) + 1}"
        curves[label] = values
    if not curves:
        wanted = " or ".join(f"{kind}_{quantity}" for kind in ("evaluation", "training"))
        raise ValueError(
            f"history: expected values in {wanted}, got none: SGD records them with "
            f"monitor_evaluation_{quantity} or monitor_training_{quantity}, epoch by epoch"
        )
    ax = _axes.axes(ax, 6.4, 4.2)
    _axes.draw_curves(ax, curves, first_epoch=1)
    terms = "mean cost, L1 and L2 terms included"
    ax.set_ylabel("accuracy in %" if quantity == "accuracy" else terms)
    ax.set_title(f"{quantity.capitalize()} after each epoch")
    return ax


def digits(
    net: Network,
    data: Data,
    *,
    limit: int = 40,
    shape: tuple[int, int] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """The images that a network takes for something else, with both classes over each.

    Parameters
    ----------
    net : Network
        Which tells classes apart.
    data : Dataset, pair (X, y) or iterable of (x, y)
        Images and their labels, or targets, as ``Network.accuracy`` takes them.
    limit : int, default 40
        Show so many, the first ones in the order of the data; 1 or more.
    shape : (rows, columns) or None
        Pixels of an image; None: a square.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        For a network, data or a shape that do not go together.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastnet
    >>> data, _, test = fastnet.load_mnist()
    >>> net = fastnet.Network([784, 30, 10], seed=1)
    >>> history = net.SGD(data[:5000], 2, 10, 0.5, verbose=False)
    >>> ax = digits(net, test)
    """
    net = _network(net)
    limit = checks.integer("limit", limit, 1)
    n_in = net.sizes[0]
    rows_and_columns = _axes.image_shape(n_in, shape)
    data = inputs_of(net).dataset("data", data)
    seen, true = _classes(net, data)
    ax = _axes.axes(ax, 8.0, 5.6)
    wrong = np.flatnonzero(seen != true)
    shown = wrong[:limit]
    ax.set_axis_off()
    ax.set_title(
        f"{len(wrong):,} of {len(data):,} digits are misclassified"
        + (f"; shown are {limit}" if len(wrong) > limit else "")
        + ("\ntrue digit → what the network sees" if len(wrong) else "")
    )
    if len(wrong):
        images = np.array([data[int(i)][0] for i in shown]).reshape(-1, *rows_and_columns)
        board, middles = _axes.sheet(images, above=-(-rows_and_columns[0] // 3))
        ax.imshow(board, cmap="gray_r", vmin=0, vmax=images.max() or 1)
        size = min(10, 160 / len({x for x, _ in middles}))  # so that labels do not touch
        for i, (x, y) in zip(shown, middles, strict=True):
            ax.text(x, y, f"{true[i]} → {seen[i]}", ha="center", va="bottom", fontsize=size)
    return ax


def weights(
    net: Network,
    *,
    layer: int = 0,
    limit: int = 100,
    shape: tuple[int, int] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """The weights into each neuron of a layer as an image, one beside the other.

    Parameters
    ----------
    net : Network
    layer : int, default 0
        The weights ``net.weights[layer]``; 0 are those from the inputs to the first hidden
        layer.
    limit : int, default 100
        Show so many neurons, the first ones; 1 or more.
    shape : (rows, columns) or None
        Pixels of an image, as many as the neurons have inputs; None: a square.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        A colour bar stands in the same figure.

    Raises
    ------
    ValueError, TypeError
        For a layer that the network does not have, a shape that does not fit, or weights
        that are not finite.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastnet
    >>> ax = weights(fastnet.Network([784, 30, 10], seed=1))
    >>> ax.get_title()
    'Weights into each hidden neuron'
    """
    net = _network(net)
    layer = checks.integer("layer", layer, 0)
    if layer >= len(net.weights):
        raise ValueError(
            f"layer: expected 0 to {len(net.weights) - 1} of this network, got {layer}"
        )
    limit = checks.integer("limit", limit, 1)
    w = np.asarray(net.weights[layer], np.float64)
    if not np.isfinite(w).all():
        raise ValueError("net: expected finite weights, got NaN or infinity")
    height, width = _axes.image_shape(w.shape[1], shape)
    ax = _axes.axes(ax, 7.2, 5.6)
    images = w[:limit].reshape(-1, height, width)
    board, _ = _axes.sheet(images, above=max(1, width // 12))
    # A few large weights would leave the others pale.
    bound = float(np.quantile(np.abs(w), 0.995)) or 1.0
    picture = ax.imshow(board, cmap="RdBu_r", vmin=-bound, vmax=bound)
    ax.set_axis_off()
    kind = "hidden" if layer < len(net.weights) - 1 else "output"
    some = f"; shown are {limit} of {len(w):,}" if len(w) > limit else ""
    ax.set_title(f"Weights into each {kind} neuron{some}")
    ax.figure.colorbar(picture, ax=ax, label="weight", extend="both", shrink=0.8)
    return ax


def confusion(net: Network, data: Data, *, ax: "Axes | None" = None) -> "Axes":
    """How many examples of each class are taken for each class.

    Parameters
    ----------
    net : Network
        Which tells classes apart.
    data : Dataset, pair (X, y) or iterable of (x, y)
        Examples and their labels, or targets, as ``Network.accuracy`` takes them.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        A colour bar for the errors stands in the same figure.

    Raises
    ------
    ValueError, TypeError
        For a network and data that do not go together.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastnet
    >>> data, _, test = fastnet.load_mnist()
    >>> net = fastnet.Network([784, 30, 10], seed=1)
    >>> history = net.SGD(data[:5000], 2, 10, 0.5, verbose=False)
    >>> ax = confusion(net, test)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('class that the network sees', 'true class')
    """
    net = _network(net)
    data = inputs_of(net).dataset("data", data)
    seen, true = _classes(net, data)
    n = max(2, net.sizes[-1])
    counts = np.zeros((n, n), np.int64)
    np.add.at(counts, (true, seen), 1)
    ax = _axes.axes(ax, 7.2, 6.0)
    errors = np.ma.masked_where(np.eye(n, dtype=bool), counts)
    most = int(errors.max()) or 1
    picture = ax.imshow(errors, cmap="Blues", vmin=0, vmax=most)
    if n <= 20:
        ax.set_xticks(range(n))
        ax.set_yticks(range(n))
        size = "medium" if n <= 12 else "x-small"
        for i, j in np.ndindex(n, n):
            on_picture = "white" if counts[i, j] > 0.6 * most else "black"
            ax.text(
                j, i, f"{counts[i, j]}", ha="center", va="center", fontsize=size,
                color=_axes.foreground() if i == j else on_picture,
                weight="bold" if i == j else "normal",
            )  # fmt: skip
    ax.set_xlabel("class that the network sees")
    ax.set_ylabel("true class")
    right = int(counts.trace())
    ax.set_title(f"{right:,} of {len(data):,} are right ({100 * right / len(data):.2f} %)")
    ax.figure.colorbar(picture, ax=ax, label="examples misclassified", shrink=0.8)
    return ax


def _network(net: Any) -> Network:
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a Network, got {checks.short_repr(net)}")
    return net


def _classes(net: Network, data: Dataset) -> tuple[NDArray, NDArray]:
    """(what the network sees, what is true), as ``Network.accuracy`` counts them."""
    model_of(net).check_accuracy("data", data)
    y = data.y
    return net.predict_labels(data), y.astype(int) if y.ndim == 1 else classes_of(y)
