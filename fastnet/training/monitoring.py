"""The figures that are measured after each epoch of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.training.history import History
from fastnet.training.options import SGDOptions
from fastnet.training.schedules import HalveOnPlateau

# Functions that measure a field of ``History`` instead of the kernels, {field: function}.
CustomFigures = Mapping[str, Callable[[], Any]]


class Monitor(NamedTuple):
    """The figures that are measured on one data set: lists of a ``History``, or None."""

    data: Dataset
    name: str  # in printed figures: "evaluation data" or "training data"
    costs: list[float] | None
    accuracies: list[int] | None
    lmbda: float
    l1: float
    weights: NDArray | None  # the weight of each example in a cost
    custom_cost: Callable[[], Any] | None = None  # calls an overridden method of the network
    custom_accuracy: Callable[[], Any] | None = None

    @property
    def is_custom(self) -> bool:
        """Whether an overridden method measures one of the figures."""
        return self.custom_cost is not None or self.custom_accuracy is not None

    def measure(self, model: Model, networks: NDArray) -> tuple[list[float], list[int]]:
        """The monitored costs and accuracies of networks with the parameters ``networks``,
        (k, parameters); both are computed in one pass over the data."""
        if self.costs is not None and self.accuracies is not None and not self.is_custom:
            return model.costs_and_accuracies(
                networks, self.data, self.lmbda, self.l1, self.weights
            )
        costs: list[float] = []
        accuracies: list[int] = []
        if self.costs is not None:
            costs = (
                model.total_costs(networks, self.data, self.lmbda, l1=self.l1, weights=self.weights)
                if self.custom_cost is None
                else [self.custom_cost()]
            )
        if self.accuracies is not None:
            accuracies = (
                model.accuracies(networks, self.data)
                if self.custom_accuracy is None
                else [self.custom_accuracy()]
            )
        return costs, accuracies

    def record(self, costs: list[float], accuracies: list[int]) -> None:
        """Append measured figures to the history."""
        if self.costs is not None:
            self.costs.extend(costs)
        if self.accuracies is not None:
            self.accuracies.extend(accuracies)

    @property
    def figures(self) -> list[str]:
        """The fields of ``History`` that it measures."""
        kind = self.name.partition(" ")[0]
        lists = {"cost": self.costs, "accuracy": self.accuracies}
        return [f"{kind}_{figure}" for figure, values in lists.items() if values is not None]

    @property
    def words(self) -> list[str]:
        """The last figures as text."""
        words = []
        if self.costs is not None:
            words.append(f"Cost on {self.name}: {self.costs[-1]:.6g}")
        if self.accuracies is not None:
            words.append(f"Accuracy on {self.name}: {self.accuracies[-1]} / {len(self.data)}")
        return words


def default_figure(evaluation: Dataset | None) -> str:
    """The field of ``History`` that is monitored by default."""
    if evaluation is None or evaluation.names_classes:
        return "evaluation_accuracy"
    return "evaluation_cost"


def figures_to_monitor(options: SGDOptions, evaluation: Dataset | None) -> dict[str, str]:
    """{field of ``History``: why it is measured}. If no option requests a figure, it is the default
    figure of the evaluation data, if there are any."""
    why = {name: f"monitor_{name} is set" for name in options.monitored}
    if not why and evaluation is None and not options.schedule and not options.early_stopping:
        return why
    default = default_figure(evaluation)
    if isinstance(options.schedule, HalveOnPlateau):
        name = options.schedule.monitor or default
        why.setdefault(name, f"schedule follows {name}")
    if options.early_stopping is not None:
        name = options.early_stopping.monitor or default
        why.setdefault(name, f"early_stopping follows {name}")
    if not why and evaluation is not None:
        why[default] = "it is given"
    return {name: why[name] for name in History._fields if name in why}


def monitors_of(
    figures: Iterable[str],
    sets: Mapping[str, Dataset],
    history: History,
    options: SGDOptions,
    weights: NDArray | None,
    custom: CustomFigures,
) -> list[Monitor]:
    """Monitors of these fields of ``history`` on the data sets "training" and "evaluation".
    ``weights`` are the weights of the training examples."""
    lists = {name: getattr(history, name) for name in figures}
    return [
        Monitor(
            sets[kind],
            f"{kind} data",
            lists.get(f"{kind}_cost"),
            lists.get(f"{kind}_accuracy"),
            options.lmbda,
            options.l1,
            weights if kind == "training" else None,
            custom.get(f"{kind}_cost"),
            custom.get(f"{kind}_accuracy"),
        )
        for kind in ("evaluation", "training")
        if {f"{kind}_cost", f"{kind}_accuracy"} & lists.keys()
    ]
