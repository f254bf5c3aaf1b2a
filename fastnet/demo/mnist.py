"""Pictures of the book's network on MNIST. Each picture trains a network, which takes about a
second for thirty epochs."""

from typing import TYPE_CHECKING

import numpy as np

from fastnet import plots
from fastnet.data.dataset import Dataset
from fastnet.data.idx import load_mnist
from fastnet.network import Network
from fastnet.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ETA = 0.5  # the book's for the cross-entropy
BOOK_ETA = {"quadratic": 3.0, "cross-entropy": 0.5}
EPOCHS = 30


def trained() -> tuple[Network, Dataset]:
    """([784, 30, 10] trained with L2 weight decay, the test digits)."""
    training, _, test = load_mnist()
    net = Network([784, 30, 10], "cross-entropy", seed=0)
    net.SGD(training, EPOCHS, 10, ETA, lmbda=5.0, verbose=False)
    return net, test


def slowdown(figure: "Figure", epochs: int = EPOCHS, *, book_rates: bool = False) -> None:
    """The gradient of both costs, from the same large initial weights, at the same learning rate
    or at the book's rate for each cost."""
    training, _, _ = load_mnist()
    sample = training[:10_000]  # its mean gradient is close to that of all data
    curves: dict[str, dict[str, list[float]]] = {"hidden": {}, "output": {}}
    etas = BOOK_ETA if book_rates else dict.fromkeys(BOOK_ETA, ETA)
    for cost, eta in etas.items():
        net = Network([784, 30, 10], cost, seed=1)
        net.large_weight_initializer()
        for epoch in range(epochs + 1):
            if epoch:
                net.SGD(training, 1, 10, eta, verbose=False)
            _, nabla_w = net.gradient(sample)
            for w, of_layer in zip(nabla_w, curves.values(), strict=True):
                sizes = of_layer.setdefault(f"{cost} cost, η = {eta:g}", [])
                sizes.append(float(np.abs(w).mean()))
    for ax, (layer, of_layer) in zip(
        figure.subplots(1, 2, sharey=True), curves.items(), strict=True
    ):
        plots.slowdown(of_layer, ax=ax)
        ax.set_title(f"weights of the {layer} neurons")
    figure.axes[1].set_ylabel("")
    figure.suptitle(
        "Learning slowdown on MNIST: the gradients of [784, 30, 10] from the same large weights"
    )


def training(figure: "Figure", epochs: int = EPOCHS) -> None:
    """Accuracy and cost of the book's experiment, on training and test data."""
    data, _, test = load_mnist()
    net = Network([784, 30, 10], "cross-entropy", seed=0)
    net.large_weight_initializer()
    history = net.SGD(
        data,
        epochs,
        10,
        ETA,
        evaluation_data=test,
        monitor_evaluation_cost=True,
        monitor_evaluation_accuracy=True,
        monitor_training_cost=True,
        monitor_training_accuracy=True,
        verbose=False,
    )
    curves(figure, history)
    figure.suptitle("[784, 30, 10] on MNIST, cross-entropy cost, η = 0.5, mini-batches of 10")


def curves(figure: "Figure", history: History) -> None:
    """Accuracy beside cost."""
    accuracy, cost = figure.subplots(1, 2)
    plots.training(history, "accuracy", ax=accuracy)
    plots.training(history, "cost", ax=cost)
