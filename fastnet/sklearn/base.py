"""The base class of both estimators: checks, a new network, the fitted attributes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fastnet.core import checks, reporting
from fastnet.core.parameters import ParameterList, Parameters
from fastnet.data import sample_weights
from fastnet.data.dataset import Dataset
from fastnet.io.checkpoint_files import Checkpoint
from fastnet.network import Network, model_of
from fastnet.nn import activations
from fastnet.nn.costs import CostSpec
from fastnet.sklearn import (
    arguments,
    checkpoints,
    conversion,
    lbfgs,
    losses,
    onnx_registry,
    parameters,
    validation,
)
from fastnet.sklearn.checkpoints import FitCheckpoints
from fastnet.sklearn.fit_tasks import (
    OF_CALLBACKS,
    CallbackSupportMixin,
    FitTasks,
    Unwatched,
    tear_down,
)
from fastnet.sklearn.iterations import Iterations
from fastnet.sklearn.onnx_export import OnnxExport
from fastnet.sklearn.parameters import Settings
from fastnet.sklearn.solver import Solver
from fastnet.sklearn.validation import Validation
from fastnet.training import identity

_TO_ASSIGN = "{}: expected an assignment after fit, which sets the shapes, got one before"

# Names of attributes in pickles of version 0.1.
_RENAMED = {
    "_solver": "_optimizer",
    "_random": "_random_state",
    "_no_improvement": "_no_improvement_count",
}


class BaseMLP(Iterations, OnnxExport, CallbackSupportMixin, BaseEstimator):
    """The part of the two estimators that does not depend on the kind of targets.

    The epochs are scikit-learn's, not those of ``Network.SGD``: its random numbers, so that the
    same ``random_state`` gives its initial weights and order of the examples; its weight decay
    (solver.py); its rules for the learning rate and for stopping; and moments that are kept
    between calls of ``partial_fit``.
    """

    classes_: Any

    # ---- the parameters of the network, as scikit-learn has them

    @property
    def coefs_(self) -> ParameterList:
        """The weights of each layer, (n_in, n_out), in a list like ``Network.weights``."""
        return self._trained("no coefs_ before fit").as_list("coefs_")

    @coefs_.setter
    def coefs_(self, new: Any) -> None:
        self._trained(_TO_ASSIGN.format("coefs_")).bind("coefs_", new)

    @property
    def intercepts_(self) -> ParameterList:
        """The biases of each layer, (n_out,), in a list like ``Network.biases``."""
        return self._trained("no intercepts_ before fit").as_list("intercepts_")

    @intercepts_.setter
    def intercepts_(self, new: Any) -> None:
        self._trained(_TO_ASSIGN.format("intercepts_")).bind("intercepts_", new)

    def _trained(self, otherwise: str) -> Parameters:
        """The network's parameters; before ``fit``, an AttributeError with text ``otherwise``."""
        if not hasattr(self, "network_"):
            raise AttributeError(f"{type(self).__name__}: {otherwise}")
        return model_of(self.network_).parameters

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle; those of 0.1 have no ``max_fun`` and other names of attributes."""
        onnx_registry.register_if_imported()
        super().__setstate__({_RENAMED.get(name, name): it for name, it in state.items()})
        self.__dict__.setdefault("max_fun", parameters.MAX_FUN)
        if "network_" in state and "_label_binarizer" not in state:
            self._keep_label_binarizer()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ---- methods that each estimator defines

    def _checked(self, X: Any, y: Any, first: bool, classes: Any = None) -> tuple[Any, NDArray]:
        """X and y as arrays; ``first``: whether to store their shapes and names."""
        raise NotImplementedError

    def _encoded(self, y: NDArray) -> NDArray:
        """Labels (n,) or targets (n, n_out) for the network."""
        raise NotImplementedError

    def _cost_spec(self, targets: NDArray) -> tuple[CostSpec, int]:
        """Cost and output layer, and the number of output neurons."""
        raise NotImplementedError

    def _keep_label_binarizer(self) -> None:
        """Set ``_label_binarizer`` of classifiers, for programs that read it."""

    def _measured(self, y: NDArray, predicted: NDArray, weights: NDArray | None) -> float:
        """The score of predictions, without checks; raises errors about y only."""
        raise NotImplementedError

    def _score(self, held_out: Validation) -> float:
        """The score on held-out examples; NaN if outputs are NaN."""
        raise NotImplementedError

    # ---- training

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, eval_set: Any = None,
        incremental: bool = False, classes: Any = None, checkpoint: Checkpoint | None = None,
    ) -> None:  # fmt: skip
        """Train. An error before the first epoch is complete leaves the estimator unchanged."""
        onnx_registry.register_if_imported()
        before, seen = dict(vars(self)), None
        try:
            tasks = Unwatched() if incremental else self._begin_tasks(X, y, sample_weight)
            ready = self._ready(X, y, sample_weight, eval_set, incremental, classes, checkpoint)
            seen = self._n_recorded
            self._train(*ready, incremental, tasks)
        except BaseException:
            if seen is None or self._n_recorded == seen:
                kept = {name: it for name, it in vars(self).items() if name in OF_CALLBACKS}
                self.__dict__.clear()
                self.__dict__.update(before | kept)
            raise
        finally:
            net = before.get("network_")
            if net is not None and net is not self.network_:  # its lists would have no effect
                model_of(net).parameters.invalidate(["coefs_", "intercepts_"])
            if hasattr(self, "_skl_callbacks"):
                tear_down(self)

    def _begin_tasks(self, X: Any, y: Any, sample_weight: Any) -> Unwatched:
        """The tasks of a fit; those of ``set_callbacks`` are told that it begins."""
        if not getattr(self, "_skl_callbacks", None):
            return Unwatched()
        context = self._init_callback_context(max_subtasks=self.max_iter)
        step = "epoch" if parameters.is_stochastic(self) else "iteration"
        return FitTasks(self, context, X, y, sample_weight, step)

    def _ready(
        self, X: Any, y: Any, sample_weight: Any, eval_set: Any, incremental: bool, classes: Any,
        checkpoint: Checkpoint | None,
    ) -> tuple[
        Settings, Dataset, NDArray | None, Validation | None, FitCheckpoints | None,
        reporting.Reporter,
    ]:  # fmt: skip
        """The arguments of ``_train``, all checked."""
        settings = parameters.checked(self)
        checkpoints.check_solver(checkpoint, settings)
        if incremental and settings.early_stopping:
            raise ValueError(
                "early_stopping: expected False, got True: partial_fit does not support "
                "early_stopping=True"
            )
        metric = validation.metric(self.eval_metric, self._score)
        reporter = reporting.reporter_of_level(
            reporting.checked_level(parameters.verbosity(self.verbose))
        )
        first = not hasattr(self, "network_") or not (settings.warm_start or incremental)
        X, y = self._checked(X, y, first, classes)
        targets, weights = self._encoded(y), _weights(X, sample_weight)
        if first or not incremental:
            self._random_state = check_random_state(self.random_state)
        self._start(settings, X, targets, first)
        model = model_of(self.network_)
        if settings.is_lbfgs:
            lbfgs.check_dropout(settings, model)
        elif first or not incremental or getattr(self, "_optimizer", None) is None:
            self._optimizer = Solver(settings, model)

        held_out = parts = saves = None
        if eval_set is not None:
            held_out = self._given(eval_set, metric)
        if checkpoint is not None:
            saves = self._checkpoints(
                checkpoint, settings, arguments.dataset(model, X, targets), weights, held_out
            )
        if eval_set is None and settings.early_stopping:
            parts = self._split(settings, y, len(targets))
            if saves is not None:
                parts = saves.parts(parts)
            held_out = self._held_out(X, y, targets, weights, parts[1], metric)
            X, y, targets = (part[parts[0]] for part in (X, y, targets))
            weights = None if weights is None else weights[parts[0]]
        weights = self._weighted_by_class(y, weights, sample_weight, parts)
        data = arguments.dataset(model, X, targets)
        return settings, data, weights, held_out, saves, reporter

    def _held_out(
        self, X: Any, y: NDArray, targets: NDArray, weights: NDArray | None, rows: NDArray,
        metric: validation.Metric,
    ) -> Validation:  # fmt: skip
        """These rows of the examples, which are not trained on."""
        own = None if weights is None else weights[rows]
        if own is not None:
            sample_weights.check_sum(["sample_weight", "validation_fraction"], own)
        data = arguments.dataset(model_of(self.network_), X[rows], targets[rows])
        return Validation(X[rows], y[rows], data, own, metric)

    def _weighted_by_class(
        self, y: NDArray, weights: NDArray | None, sample_weight: Any, parts: Any
    ) -> NDArray | None:
        """The weights of the examples times those of their classes, with a sum that is checked;
        ``sample_weight`` and ``parts`` are None if they have no part in it."""
        by_class = self._class_weights(y)
        if by_class is not None:
            weights = by_class if weights is None else weights * by_class
        given = {
            "sample_weight": sample_weight, "class_weight": by_class, "validation_fraction": parts,
        }  # fmt: skip
        if weights is not None:
            names = [name for name, it in given.items() if it is not None]
            sample_weights.check_sum(names, weights)
        return weights

    def _checkpoints(
        self, checkpoint: Checkpoint, settings: Settings, data: Dataset, weights: NDArray | None,
        held_out: Validation | None,
    ) -> FitCheckpoints:  # fmt: skip
        """The checkpoints of a fit to ``data``, of which examples may be held out later."""
        metric = self.eval_metric
        others = {
            "eval_metric": identity.name_of(metric) if callable(metric) else metric,
            "class_weight": repr(getattr(self, "class_weight", None)),
            "classes": repr(getattr(self, "classes_", None)),
            "X, y": identity.of_data(data),
            "sample_weight": None if weights is None else identity.of_array(weights),
            "eval_set": None if held_out is None else identity.of_data(held_out.data),
        }
        same = checkpoints.settings_of(settings, model_of(self.network_), others)
        trains = f"{type(self).__name__}.fit"
        return FitCheckpoints(checkpoint, trains, same, self._random_state, settings.max_iter)

    def _class_weights(self, y: NDArray) -> NDArray | None:
        return None

    def _start(self, settings: Settings, X: Any, targets: NDArray, first: bool) -> None:
        """Make a network with scikit-learn's initial weights, or check the one to train further."""
        spec, n_out = self._cost_spec(targets)
        sizes = [X.shape[1], *settings.hidden_layer_sizes, n_out]
        hidden = [settings.hidden] * len(settings.hidden_layer_sizes)
        if not first:
            net = self.network_
            if (net.sizes, net.hidden) != (sizes, hidden) or model_of(net).cost_spec != spec:
                raise ValueError(
                    f"warm_start, partial_fit: expected the network of the earlier call, {net!r}, "
                    f"got parameters or targets for {sizes}, {settings.hidden} neurons"
                )
            return
        dtype = _dtype(settings, X)
        net = Network(sizes, spec.cost, output=spec.output, dtype=dtype, hidden=hidden, seed=0)
        neurons = activations.find(settings.hidden)
        assert neurons is not None
        for w, b in zip(net.weights, net.biases, strict=True):
            bound = math.sqrt(neurons.sklearn_bound / sum(w.shape))
            w.T[...] = self._random_state.uniform(-bound, bound, w.T.shape)
            b[:, 0] = self._random_state.uniform(-bound, bound, len(b))
        self.network_ = net
        self.n_layers_, self.n_outputs_ = len(sizes), n_out
        self.out_activation_ = losses.NAMES[spec.output]
        self.n_iter_ = self.t_ = 0
        self._keep_label_binarizer()
        self._forget_figures()

    def _split(self, settings: Settings, y: NDArray, n: int) -> list[NDArray]:
        """The indices of the training and of the held-out examples, as scikit-learn draws them."""
        held_out = math.ceil(settings.validation_fraction * n)
        if not 2 <= held_out < n:
            raise ValueError(
                "validation_fraction: expected at least two examples to be held out, and one to "
                "be trained on (The validation set is too small. Increase 'validation_fraction' or "
                f"the size of your dataset.), got {settings.validation_fraction:g} of {n}"
            )
        parts: list[NDArray] = train_test_split(
            np.arange(n),
            random_state=self._random_state,
            test_size=settings.validation_fraction,
            stratify=y if hasattr(self, "classes_") and self.n_outputs_ == 1 else None,
        )
        return parts

    def _given(self, eval_set: Any, metric: validation.Metric) -> Validation:
        if not isinstance(eval_set, tuple | list) or len(eval_set) != 2:
            raise TypeError(f"eval_set: expected a pair (X, y), got {checks.short_repr(eval_set)}")
        try:
            if any(isinstance(it, tuple | list) and it and np.ndim(it[0]) == 2 for it in eval_set):
                raise ValueError("expected one pair (X, y), got a list of pairs")
            X, y = self._checked(eval_set[0], eval_set[1], False)
            data = arguments.dataset(model_of(self.network_), X, self._encoded(y))
        except (TypeError, ValueError) as error:
            raise checks.prefixed("eval_set", error) from None
        return Validation(X, y, data, None, metric)

    # ---- use

    def to_sklearn(self) -> Any:
        """This fitted estimator as one of scikit-learn's class of the same name.

        It has copies of the parameters of the network and predicts the same, up to rounding:
        scikit-learn computes in the type of X, in float64 for X in float64, with the parameters in
        the network's dtype. It has scikit-learn's parameters of the constructor, the fitted
        attributes, the random state, and the optimizer with its moments, so that ``partial_fit``
        and ``warm_start`` go on from here. What only ``history_`` has is left out.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            For what scikit-learn's class does not have, by name: an activation, a solver, a loss or
            an output layer; ``class_weight``, ``dropout``, ``eval_metric`` and callbacks, without
            which the training would go on differently. ``set_params(dropout=0)`` before, for
            example, permits it.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from fastnet.sklearn import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> ours = MLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
        >>> theirs = ours.to_sklearn()
        >>> type(theirs).__module__.partition(".")[0]
        'sklearn'
        >>> bool((theirs.predict(X) == ours.predict(X)).all())
        True
        """
        check_is_fitted(self)
        return conversion.to_sklearn(self)

    def _weighted_inputs(self, X: Any) -> tuple[NDArray, type]:
        """z of the output layer, (n, n_outputs_), and the type of results for this X."""
        check_is_fitted(self)
        X = arguments.inputs(self, X, reset=False)
        model = model_of(self.network_)
        z = model.weighted_inputs(arguments.kernel_inputs(model, X), 1.0)
        return z, arguments.result_type(X)

    def _held_out_inputs(self, held_out: Validation) -> NDArray:
        model = model_of(self.network_)
        return model.weighted_inputs(held_out.data.operand(model.sizes, model.dtype), 1.0)

    def _scored(self, predicted: NDArray, y: Any, sample_weight: Any) -> float:
        """The score of predictions, after checks of the arguments."""
        y = arguments.targets(self, y, len(predicted))
        weights = arguments.sample_weights(sample_weight, predicted)
        with arguments.name_errors("y"):
            return self._measured(y, predicted, weights)


def _weights(X: Any, sample_weight: Any) -> NDArray | None:
    weights = arguments.sample_weights(sample_weight, X)
    if weights is None:
        return None
    if not weights.any():
        raise ValueError("sample_weight: expected a weight that is not zero, got none")
    return sample_weights.example_weights(weights, 0, weights, None)


def _dtype(settings: Settings, X: Any) -> str:
    """The dtype of "auto": float32, since the noise of mini-batches is much larger than its
    rounding; float64 for a single mini-batch, whose gradient is exact, unless X is float32, and
    for L-BFGS."""
    if settings.dtype != "auto":
        return settings.dtype
    if settings.is_lbfgs:  # its line search compares costs that hardly differ
        return "float64"
    one = X.shape[0] <= (settings.batch_size or 200)
    return "float64" if one and X.dtype != np.float32 else "float32"
