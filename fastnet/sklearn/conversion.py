"""A fitted estimator as one of scikit-learn's own class."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neural_network
from sklearn.base import is_classifier
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from fastnet.convert.sklearn_estimators import check_predictions
from fastnet.core import checks
from fastnet.model import Model
from fastnet.network import model_of
from fastnet.nn import activations
from fastnet.nn.optimizers import Adam, Momentum, Optimizer
from fastnet.sklearn import losses, parameters
from fastnet.sklearn.parameters import LBFGS
from fastnet.sklearn.solver import Solver

_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_SOLVERS = (Momentum.sklearn_name, Adam.sklearn_name, LBFGS)
# Parameters that scikit-learn does not have, and the values without effect.
_NEUTRAL = {"class_weight": None, "dropout": 0.0, "eval_metric": None}
# Fitted attributes that have the same meaning in both, where they exist.
_SAME = ("n_features_in_", "feature_names_in_", "n_iter_", "t_", "n_layers_", "n_outputs_",
         "out_activation_", "classes_", "loss_", "loss_curve_", "best_loss_", "validation_scores_",
         "best_validation_score_", "_no_improvement_count", "_random_state",
         "_label_binarizer", "_metadata_request")  # fmt: skip


def to_sklearn(estimator: Any) -> Any:
    """scikit-learn's estimator that predicts what this fitted one does.

    Parameters
    ----------
    estimator : fastnet.sklearn.MLPClassifier or MLPRegressor

    Raises
    ------
    ValueError
        For what scikit-learn's class does not have, by name; for parameters that are not finite.
    TypeError
        For a subclass with predictions of its own.
    """
    check_predictions("to_sklearn", estimator)
    model = model_of(estimator.network_)
    model.parameters.check_finite()
    kind = neural_network.MLPRegressor
    if is_classifier(estimator):
        kind = neural_network.MLPClassifier
    given = _shape(estimator, model) | _solver(estimator) | _loss(estimator, model, kind)
    _check_neutral(estimator)
    known = kind().get_params()
    same = {k: v for k, v in estimator.get_params(deep=False).items() if k in known}
    made = kind(**{**same, **given})
    made.coefs_, made.intercepts_ = (
        [np.array(array, order="C") for array in model.parameters.arrays(name)]
        for name in ("coefs_", "intercepts_")
    )
    state = vars(estimator)
    copies: dict[int, Any] = {}
    made.random_state = copy.deepcopy(estimator.random_state, copies)  # may be _random_state
    fitted = {name: state[name] for name in _SAME if name in state}
    vars(made).update(copy.deepcopy(fitted, copies))
    vars(made)["_best_coefs"] = [w.copy() for w in made.coefs_]
    vars(made)["_best_intercepts"] = [b.copy() for b in made.intercepts_]
    if "_optimizer" in state:  # not after the solver "lbfgs" alone
        vars(made)["_optimizer"] = _optimizer(made, model, state["_optimizer"])
    return made


def _shape(estimator: Any, model: Model) -> dict[str, Any]:
    """The parameter ``activation``, after a check of the layers."""
    settings = parameters.checked(estimator)
    chosen = activations.find(settings.hidden)
    assert chosen is not None
    if chosen.sklearn_name not in _ACTIVATIONS:
        raise ValueError(
            f"activation: expected one of {', '.join(_ACTIVATIONS)} for scikit-learn, got {chosen}"
        )
    layers = settings.hidden_layer_sizes, (chosen,) * len(settings.hidden_layer_sizes)
    if layers != (model.sizes[1:-1], model.hidden):
        raise ValueError(
            f"hidden_layer_sizes, activation: expected those of the fitted network, "
            f"{estimator.network_!r}, got {settings.hidden_layer_sizes}, {chosen}"
        )
    return {"activation": chosen.sklearn_name}


def _solver(estimator: Any) -> dict[str, Any]:
    """The parameter ``solver``, and the coefficients of an optimizer that is an object."""
    solver = estimator.solver
    name = solver.sklearn_name if isinstance(solver, Optimizer) else solver
    if name not in _SOLVERS:
        raise ValueError(
            f"solver: expected one of {', '.join(_SOLVERS)} for scikit-learn, got "
            f"{checks.short_repr(solver)}"
        )
    if not isinstance(solver, Optimizer):
        return {}
    theirs = {theirs: getattr(solver, own) for own, theirs in solver.sklearn_parameters.items()}
    return {"solver": name, **theirs}


def _loss(estimator: Any, model: Model, kind: type) -> dict[str, Any]:
    """The parameter ``loss``, if scikit-learn's class has it, after a check of the pair of loss and
    output layer."""
    cost = model.cost_spec.built_in
    loss = None if cost is None else cost.sklearn_name
    output = losses.NAMES[model.cost_spec.output]
    if is_classifier(estimator):
        binarizer = vars(estimator).get("_label_binarizer")
        several = binarizer is not None and binarizer.y_type_ == "multilabel-indicator"
        softmax = len(estimator.classes_) > 2 and not several
        pairs = {"log_loss": "softmax" if softmax else "logistic"}
    else:
        pairs = {"squared_error": "identity"}
        if "loss" in kind().get_params():  # since 1.7
            pairs["poisson"] = "exp"
    if loss not in pairs:
        raise ValueError(
            f"loss: expected one of {', '.join(pairs)} for scikit-learn, got "
            f"{checks.short_repr(estimator.loss)}"
        )
    if output != pairs[loss]:
        raise ValueError(
            f"output: expected {pairs[loss]}, scikit-learn's for the {loss} loss and such targets, "
            f"got {output}"
        )
    return {"loss": loss} if len(pairs) > 1 else {}


def _check_neutral(estimator: Any) -> None:
    """Raise a ValueError for a setting that scikit-learn's class does not have."""
    for name, neutral in _NEUTRAL.items():
        value = getattr(estimator, name, neutral)
        if name == "dropout" and not np.any(value):
            continue
        if value is not neutral:
            raise ValueError(
                f"{name}: expected {neutral}, since scikit-learn has no {name}, got "
                f"{checks.short_repr(value)}; set_params({name}={neutral}) converts the fitted "
                "network without it"
            )
    if getattr(estimator, "_skl_callbacks", None):
        raise ValueError(
            "set_callbacks: expected no callbacks, which scikit-learn's class does not have, got "
            "some; set_callbacks() removes them"
        )


def _arrays(model: Model, values: NDArray) -> list[NDArray]:
    """Copies of one set of moments, in the shapes of ``coefs_`` and then of ``intercepts_``."""
    return [
        np.array(array, order="C")
        for name in ("coefs_", "intercepts_")
        for array in model.parameters.arrays(name, values)
    ]


def _optimizer(made: Any, model: Model, solver: Solver) -> Any:
    """scikit-learn's optimizer in the state of ours.

    Its velocity is minus ours times the learning rate; its moments of Adam are ours.
    """
    ours = solver.optimizer
    moments = [_arrays(model, row) for row in solver.moments(model)]
    arrays = made.coefs_ + made.intercepts_
    rate = solver.learning_rate_init
    if type(ours) is Adam:
        theirs = AdamOptimizer(arrays, rate, ours.beta1, ours.beta2, ours.epsilon)
        theirs.t = solver.t
        if moments:
            theirs.ms, theirs.vs = moments
    elif ours is None or isinstance(ours, Momentum):
        mu, nesterov = (0.0, False) if ours is None else (ours.mu, ours.nesterov)
        schedule = made.learning_rate
        theirs = SGDOptimizer(arrays, rate, schedule, mu, nesterov, made.power_t)
        if moments:
            theirs.velocities = [-solver.learning_rate * v for v in moments[0]]
    else:
        raise ValueError(
            f"solver: expected a network trained by one of {', '.join(_SOLVERS)} for "
            f"scikit-learn, got one trained by {ours}"
        )
    theirs.learning_rate = solver.learning_rate
    return theirs
