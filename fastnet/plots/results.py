"""Pictures of results: curves, misclassified digits, weights, the confusion matrix."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data.dataset import Data, Dataset
from fastnet.model import classes_of
from fastnet.network import Network, inputs_of, model_of
from fastnet.plots import _axes
from fastnet.training import overridden
from fastnet.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training(history: History, quantity: str | None = None, *, ax: "Axes | None" = None) -> "Axes":
    """Accuracy or cost against the epoch, on training and evaluation data.

    Parameters
    ----------
    history : History
        The return value of ``Network.SGD``.
    quantity : "accuracy", "cost" or None
        Accuracies are drawn in percent of the examples, costs as means per example. None: the
        accuracy if the history has one, otherwise the cost.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the history has no such curve because it was not monitored.
    TypeError
        For an invalid history or ax.
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
                    f"stores it; got None"
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
    """The images that a network misclassifies, with the true and the predicted class over each.

    Parameters
    ----------
    net : Network
        A classifier.
    data : Dataset, pair (X, y) or iterable of (x, y)
        Images with labels or targets, as for ``Network.accuracy``.
    limit : int, default 40
        The largest number of images shown, the first ones of the data; 1 or more.
    shape : (rows, columns) or None
        Size of an image in pixels; None: a square.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If network, data and shape do not match.
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
    predicted, true = _classes(net, data)
    ax = _axes.axes(ax, 8.0, 5.6)
    wrong = np.flatnonzero(predicted != true)
    shown = wrong[:limit]
    ax.set_axis_off()
    ax.set_title(
        f"{len(wrong):,} of {len(data):,} digits are misclassified"
        + (f"; shown are {limit}" if len(wrong) > limit else "")
        + ("\ntrue digit → predicted digit" if len(wrong) else "")
    )
    if len(wrong):
        images = np.array([data.source[int(i)][0] for i in shown]).reshape(-1, *rows_and_columns)
        grid_image, middles = _axes.grid(images, above=-(-rows_and_columns[0] // 3))
        ax.imshow(grid_image, cmap="gray_r", vmin=0, vmax=images.max() or 1)
        size = min(10, 160 / len({x for x, _ in middles}))  # so that labels do not overlap
        for i, (x, y) in zip(shown, middles, strict=True):
            text = f"{_name(net, true[i])} → {_name(net, predicted[i])}"
            ax.text(x, y, text, ha="center", va="bottom", fontsize=size)
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
        Show ``net.weights[layer]``; 0: the weights from the inputs to the first hidden layer.
    limit : int, default 100
        The largest number of neurons shown, the first ones; 1 or more.
    shape : (rows, columns) or None
        The image's pixels, one per input of a neuron; None: a square.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        The figure also has a colour bar.

    Raises
    ------
    ValueError, TypeError
        If the network has no such layer, the shape does not fit, or weights are not finite.
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
    grid_image, _ = _axes.grid(images, above=max(1, width // 12))
    # Clipped, so that a few large weights do not make the others pale.
    bound = float(np.quantile(np.abs(w), 0.995)) or 1.0
    picture = ax.imshow(grid_image, cmap="RdBu_r", vmin=-bound, vmax=bound)
    ax.set_axis_off()
    kind = "hidden" if layer < len(net.weights) - 1 else "output"
    some = f"; shown are {limit} of {len(w):,}" if len(w) > limit else ""
    ax.set_title(f"Weights into each {kind} neuron{some}")
    ax.figure.colorbar(picture, ax=ax, label="weight", extend="both", shrink=0.8)
    return ax


def confusion(net: Network, data: Data, *, ax: "Axes | None" = None) -> "Axes":
    """The confusion matrix: counts of each true class by predicted class.

    Parameters
    ----------
    net : Network
        A classifier.
    data : Dataset, pair (X, y) or iterable of (x, y)
        Examples with labels or targets, as for ``Network.accuracy``.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes
        The figure also has a colour bar for the errors.

    Raises
    ------
    ValueError, TypeError
        If network and data do not match.
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
    ('predicted class', 'true class')
    """
    net = _network(net)
    data = inputs_of(net).dataset("data", data)
    predicted, true = _classes(net, data)
    n = max(2, net.sizes[-1])
    counts = np.zeros((n, n), np.int64)
    np.add.at(counts, (true, predicted), 1)
    ax = _axes.axes(ax, 7.2, 6.0)
    errors = np.ma.masked_where(np.eye(n, dtype=bool), counts)
    most = int(errors.max()) or 1
    picture = ax.imshow(errors, cmap="Blues", vmin=0, vmax=most)
    if n <= 20:
        names = [_name(net, i) for i in range(n)]
        turned = 90 if max(map(len, names)) > 40 // n else 0  # so that they do not overlap
        ax.set_xticks(range(n), names, rotation=turned)
        ax.set_yticks(range(n), names)
        size = "medium" if n <= 12 else "x-small"
        for i, j in np.ndindex(n, n):
            on_picture = "white" if counts[i, j] > 0.6 * most else "black"
            ax.text(
                j, i, f"{counts[i, j]}", ha="center", va="center", fontsize=size,
                color=_axes.foreground() if i == j else on_picture,
                weight="bold" if i == j else "normal",
            )  # fmt: skip
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    right = int(counts.trace())
    ax.set_title(f"{right:,} of {len(data):,} are right ({100 * right / len(data):.2f} %)")
    ax.figure.colorbar(picture, ax=ax, label="examples misclassified", shrink=0.8)
    return ax


def predictions(net: Network, data: Data, *, ax: "Axes | None" = None) -> "Axes":
    """The outputs of a regression against the targets, with the line on which they are equal.

    Parameters
    ----------
    net : Network
        With one output.
    data : Dataset, pair (X, y) or iterable of (x, y)
        Examples with targets, as for ``Network.total_cost``.
    ax : matplotlib Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If network and data do not match, for labels, and for several outputs.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", seed=1)
    >>> ax = predictions(net, ([[1.0], [2.0]], [[1.0], [4.0]]))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('target', 'predicted')
    """
    net = _network(net)
    cost = model_of(net).built_in
    if cost is not None and cost.quantiles is not None:
        raise ValueError(f"net: expected one output, got one for each quantile of {cost!r}")
    data = inputs_of(net).dataset("data", data)
    if data.y.ndim == 1 or data.y.shape[1] != 1:
        raise ValueError(f"data: expected one target per example, (n, 1), got shape {data.y.shape}")
    y, a = data.y[:, 0], net.feedforward(data)[:, 0]
    ax = _axes.axes(ax, 5.6, 5.4)
    low, high = min(y.min(), a.min()), max(y.max(), a.max())
    ax.plot([low, high], [low, high], color=_axes.foreground(), linewidth=1)
    ax.scatter(y, a, s=12, alpha=0.6, color=_axes.BLUE, linewidths=0)
    ax.set_xlabel("target")
    ax.set_ylabel("predicted")
    error = np.sqrt(np.mean((np.asarray(a, np.float64) - y) ** 2))
    ax.set_title(f"{len(data):,} examples, root mean squared error {error:.4g}")
    ax.grid(alpha=0.25)
    return ax


def _network(net: Any) -> Network:
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a Network, got {checks.short_repr(net)}")
    return net


def _classes(net: Network, data: Dataset) -> tuple[NDArray, NDArray]:
    """(predicted classes, true classes), as ``Network.accuracy`` counts them."""
    model_of(net).check_accuracy("data", data)
    y = data.y
    predicted = overridden.predicted_classes(net, inputs_of(net), data)
    return predicted, y.astype(int) if y.ndim == 1 else classes_of(y)


def _name(net: Network, i: int) -> str:
    """The name of class i, or its number."""
    return str(i if net.classes is None else net.classes[i])
