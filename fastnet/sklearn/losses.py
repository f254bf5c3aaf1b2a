"""Losses and output layers by scikit-learn's names, and the loss as scikit-learn defines it."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.nn import activations, costs
from fastnet.nn.activations import ACTIVATIONS
from fastnet.nn.cost_base import BuiltInCost
from fastnet.nn.costs import CostSpec

OUTPUTS = {ACTIVATIONS[name].sklearn_name: name for name in activations.OUTPUTS}
NAMES = {output: name for name, output in OUTPUTS.items()}  # as in out_activation_
# Output layers of several classes, and those of labels that are independent of each other.
OF_CLASSES = tuple(name for name, output in OUTPUTS.items() if ACTIVATIONS[output].of_layer)
OF_LABELS = tuple(
    name
    for name, output in OUTPUTS.items()
    if ACTIVATIONS[output].classifies and name not in OF_CLASSES
)


def _losses() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for cost in costs.COSTS:
        if cost.sklearn_name is not None:
            found.setdefault(cost.sklearn_name, {}).update(
                {NAMES[o]: cost.name for o in cost.errors}
            )
    return dict(sorted(found.items()))


LOSSES = _losses()  # {loss: {output layer: cost}}

Allowed: TypeAlias = dict[str, tuple[str, ...]]  # {loss: output layers}


def choose(loss: Any, output: Any, allowed: Allowed, usual: str, estimator: Any = None) -> CostSpec:
    """The cost and the output layer of a network.

    Parameters
    ----------
    loss, output
        The estimator's parameters.
    allowed : {loss: output layers}
        The losses, with their output layers, that suit the targets.
    usual : str
        The output layer for "auto", unless the loss requires another one.
    estimator : estimator or None
        Has the parameters of costs (``sklearn_parameters``), all of which are checked; None: the
        defaults.

    Raises
    ------
    ValueError
        The message names the parameter and the allowed combinations.
    """
    of_parameters = {} if estimator is None else _of_parameters(estimator)
    if output != "auto" and (not isinstance(output, str) or output not in OUTPUTS):
        raise ValueError(
            f"output: expected one of auto, {', '.join(OUTPUTS)}; got {checks.short_repr(output)}"
        )
    if not isinstance(loss, str):
        try:
            return costs.choose(loss, OUTPUTS[usual if output == "auto" else output])
        except ValueError as error:
            raise ValueError(f"loss, output: {error}") from None
    if loss not in allowed:
        raise ValueError(
            f"loss: expected one of {', '.join(allowed)}, or a cost class with static methods "
            f"fn(a, y) and delta(z, a, y); got {checks.short_repr(loss)}"
        )
    if output == "auto":
        output = usual if usual in allowed[loss] else allowed[loss][0]
    if output not in allowed[loss]:
        raise ValueError(
            f"output: expected one of auto, {', '.join(allowed[loss])} for the {loss} loss and "
            f"such targets; got {checks.short_repr(output)}"
        )
    name = LOSSES[loss][output]
    return costs.choose(of_parameters.get(name, name), OUTPUTS[output])


def _of_parameters(estimator: Any) -> dict[str, BuiltInCost]:
    """{name of a cost: the cost with the estimator's parameters}, where these are not the
    defaults."""
    made = [
        cost(**{name: getattr(estimator, theirs) for name, theirs in parameters.items()})
        for cost in costs.COSTS
        if (parameters := cost.sklearn_parameters)
    ]
    return {cost.name: cost for cost in made if not cost.has_defaults}


def sklearn_loss(
    cost: float, model: Model, data: Dataset, weights: NDArray | None, l2: float = 0.0,
    values: NDArray | None = None,
) -> float:  # fmt: skip
    """The loss as scikit-learn defines it, from a mean cost, plus l2/2 sum W^2 of the parameters
    ``values``; None: those of the model."""
    built_in = model.cost_spec.built_in
    if built_in:
        cost = built_in.sklearn_loss(cost, data.y, model.sizes[-1], weights)
    if l2:
        cost += l2 / 2 * model.sum_of_squares(model.values if values is None else values)
    return cost
