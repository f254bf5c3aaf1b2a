"""Fitted networks of scikit-learn, and of ``fastnet.sklearn``, as models."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastnet.convert import layers
from fastnet.convert.layers import Layer
from fastnet.core import checks, extras
from fastnet.data.input_transform import Standardize
from fastnet.model import Model
from fastnet.nn import activations
from fastnet.nn.activations import ACTIVATIONS

_EXPECTED = (
    "expected an MLPClassifier or MLPRegressor of scikit-learn or of fastnet.sklearn, or a "
    "Pipeline of a StandardScaler and one of these"
)


class _Neurons(NamedTuple):
    """The arguments of ``Network`` that do not follow from the parameters of an estimator."""

    hidden: Any
    output: str
    cost: Any


def model_of(estimator: Any) -> Model:
    """The model equivalent to a fitted estimator, or to a Pipeline that ends with one.

    Raises
    ------
    TypeError
        For another object, and for steps of a Pipeline that a network does not have; the message
        names the step.
    ValueError
        If it is not fitted, or has neurons or shapes that a network cannot have.
    ImportError
        If scikit-learn is missing.
    """
    scaler, network = _parts(estimator)
    kind = type(network).__name__
    if not hasattr(network, "coefs_"):
        raise ValueError(f"estimator: expected a fitted {kind}, got one that is not fitted")
    neurons = _neurons(network)
    named = [each for each in (scaler, network) if hasattr(each, "feature_names_in_")]
    features = [*named[0].feature_names_in_] if named else None
    schema = {
        "inputs": None if scaler is None else _standardize(scaler),
        "classes": _classes(network, neurons.output),
        "features": features,
    }
    found = [
        Layer(f"coefs_[{l}]", np.asarray(kernel), np.asarray(bias))
        for l, (kernel, bias) in enumerate(
            zip(network.coefs_, network.intercepts_, strict=True)
        )
    ]  # fmt: skip
    return layers.model_of(found, neurons.hidden, neurons.output, neurons.cost, schema)


def _parts(estimator: Any) -> tuple[Any, Any]:
    """The StandardScaler, or None, and the network of an estimator or a Pipeline."""
    extras.needed("from_sklearn", "sklearn")
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if not isinstance(estimator, Pipeline):
        _check_kind("estimator", estimator)
        check_predictions("from_sklearn", estimator)
        return None, estimator
    scaler = None
    *before, (_, last) = _steps(estimator)
    for name, step in before:
        if step is None or (isinstance(step, str) and step == "passthrough"):
            continue
        if type(step) is not StandardScaler or scaler is not None:
            raise TypeError(
                f"estimator: expected a Pipeline of at most one StandardScaler and a network, got "
                f"the step {name!r}, a {type(step).__name__}"
            )
        scaler = step
    _check_kind("estimator", last)
    check_predictions("from_sklearn", last)
    return scaler, last


def _steps(pipeline: Any) -> list[tuple[str, Any]]:
    """The steps of a Pipeline, with those of nested Pipelines."""
    found: list[tuple[str, Any]] = []
    for name, step in pipeline.steps:
        nested = _steps(step) if isinstance(step, type(pipeline)) else [(name, step)]
        found += nested
    return found


def _is_own(estimator: Any) -> bool:
    """Whether it is an estimator of ``fastnet.sklearn``, which this module may not import."""
    return any(each.__module__.startswith("fastnet.sklearn.") for each in type(estimator).__mro__)


def _check_kind(name: str, estimator: Any) -> None:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if not isinstance(estimator, MLPClassifier | MLPRegressor) and not _is_own(estimator):
        is_class = isinstance(estimator, type)
        got = f"the class {estimator.__name__}" if is_class else checks.short_repr(estimator)
        raise TypeError(f"{name}: {_EXPECTED}, got {got}")


def check_predictions(use: str, estimator: Any) -> None:
    """Raise a TypeError that begins with ``use`` if a subclass has predictions of its own, which
    are no network's."""
    for method in ("predict", "predict_proba"):
        kind = next((each for each in type(estimator).__mro__ if method in vars(each)), None)
        if kind is not None and kind.__module__.partition(".")[0] not in ("fastnet", "sklearn"):
            raise TypeError(
                f"{use}: expected the {method} of scikit-learn or of fastnet.sklearn, got one that "
                f"{kind.__name__} overrides"
            )


def _neurons(network: Any) -> _Neurons:
    if _is_own(network):
        own = network.network_
        return _Neurons(list(own.hidden), own.output, own.cost)
    kinds = {kind.sklearn_name: name for name, kind in ACTIVATIONS.items()}
    given = {"activation": network.activation, "out_activation_": network.out_activation_}
    found = []
    known = (activations.HIDDEN, activations.OUTPUTS)
    for (name, value), names in zip(given.items(), known, strict=True):
        if kinds.get(value) not in names:
            expected = ", ".join(ACTIVATIONS[each].sklearn_name for each in names)
            raise ValueError(f"{name}: expected one of {expected}; got {checks.short_repr(value)}")
        found.append(kinds[value])
    return _Neurons(found[0], found[1], None)


def _classes(network: Any, output: str) -> list[Any] | None:
    """The names of the classes; None for regressors, and for multilabel classifiers whose
    ``classes_`` are only the indices of the outputs."""
    if not hasattr(network, "classes_"):
        return None
    names = [*network.classes_]
    if len(names) < 2:
        raise ValueError(
            f"estimator: expected a classifier of two or more classes, got "
            f"{checks.some(np.asarray(names).tolist())}"
        )
    several = network.n_outputs_ > 1 and not ACTIVATIONS[output].of_layer
    return None if several and names == [*range(len(names))] else names


def _standardize(scaler: Any) -> Standardize:
    if not hasattr(scaler, "n_features_in_"):
        raise ValueError("estimator: expected a fitted StandardScaler, got one that is not fitted")
    deviation = scaler.scale_ if scaler.with_std else np.ones(scaler.n_features_in_)
    return Standardize(scaler.mean_ if scaler.with_mean else None, deviation)
