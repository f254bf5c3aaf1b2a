"""``MLPRegressor``."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from fastnet.core import checks
from fastnet.io.checkpoint_files import Checkpoint
from fastnet.network import model_of
from fastnet.nn.costs import CostSpec
from fastnet.sklearn import arguments, losses, outputs, parameters
from fastnet.sklearn.base import BaseMLP
from fastnet.sklearn.validation import Validation

ALLOWED: losses.Allowed = {  # outputs that sum to 1 are for classes
    loss: tuple(output for output in pairs if output not in losses.OF_CLASSES)
    for loss, pairs in losses.LOSSES.items()
}


class MLPRegressor(RegressorMixin, BaseMLP):
    """A regressor: a feed-forward network in place of scikit-learn's class of the same name.

    The parameters, their defaults, the fitted attributes and, for the same ``random_state``, the
    initial weights and the order of the examples are scikit-learn's; so are the weights
    after an epoch, up to rounding. docs/scikit_learn.md lists the differences.

    Parameters
    ----------
    loss : str, class or object, default "squared_error"
        "squared_error" (half of it), "log_loss" (targets from 0 to 1), "poisson" (half the
        deviance), "quantile" (the pinball loss of ``quantile``, summed over the outputs) or another
        of ``fastnet.sklearn.losses.LOSSES``, each with its default parameters; or a cost class or
        object as ``fastnet.Network`` takes it.
    hidden_layer_sizes : int or sequence of int, default (100,)
        Neurons in each hidden layer; () for none.
    activation : str or object, default "relu"
        The activation of the hidden neurons: "identity", "logistic", "tanh", "relu", another name
        of ``fastnet.nn.activations.HIDDEN``, or an object such as ``fastnet.LeakyReLU(0.2)``.
    solver : str or object, default "adam"
        "adam"; "sgd", gradient descent with ``momentum``; another class of
        ``fastnet.nn.optimizers``, its name in lower case; an object of one, whose coefficients
        are used, such as ``fastnet.RMSprop(0.9)``; or "lbfgs", a quasi-Newton method on all
        examples together, SciPy's L-BFGS-B, without random numbers after the initial weights.
    alpha : float, default 0.0001
        L2 penalty with scikit-learn's meaning: each mini-batch adds alpha W / m to the gradient
        of the weights, with m the number of its examples, or the sum of their weights. This
        is the book's weight decay with lambda = alpha times the number of mini-batches in an epoch.
    batch_size : int or "auto", default "auto"
        Examples in a mini-batch; "auto" is min(200, n).
    learning_rate : str, default "constant"
        For "sgd": "constant"; "invscaling", learning_rate_init / (t + 1)^power_t after each epoch,
        with t the number of examples seen; "adaptive", which divides the rate by 5 after
        n_iter_no_change epochs without improvement, as long as it is greater than 1e-6.
    learning_rate_init : float, default 0.001
        The initial learning rate eta.
    power_t : float, default 0.5
        For "invscaling".
    max_iter : int, default 200
        The maximum number of epochs; of iterations for "lbfgs".
    shuffle : bool, default True
        Whether each epoch has a new order of the examples.
    random_state : int, RandomState or None
        Seeds the initial weights, the order, the choice of held-out examples, and dropout.
    tol : float, default 1e-4
        An epoch counts as an improvement if it beats the best by more than this. For "lbfgs": the
        largest component of the gradient with which training ends.
    verbose : bool or int, default False
        1: a line per epoch; 2: a progress bar, as in ``fastnet.Network.SGD``; more: as 1.
    warm_start : bool, default False
        Whether ``fit`` continues from the weights of the last call.
    momentum : float, default 0.9
        For "sgd", from 0 to below 1.
    nesterovs_momentum : bool, default True
        For "sgd" with momentum.
    early_stopping : bool, default False
        Whether to stop by the score on held-out examples, not by the training loss. Without effect
        for "lbfgs".
    validation_fraction : float, default 0.1
        The fraction of the examples that early stopping holds out, unless ``fit`` gets an
        ``eval_set``.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        For "adam" and other solvers that have them. Adam's epsilon is added to the second
        moment's root after its bias is corrected (Kingma and Ba 2015, algorithm 1), before it in
        scikit-learn.
    n_iter_no_change : int or inf, default 10
        Training stops after more than this number of consecutive epochs without improvement.
    max_fun : int, default 15000
        For "lbfgs": the number of evaluations of the loss after which no iteration begins.
    output : str, default "auto"
        The output neurons: "identity", "logistic" (for the squared error, targets from 0 to 1),
        "exp", or "auto", the output layer that goes with the loss.
    dropout : float or sequence of float, default 0.0
        The probability that a hidden neuron is dropped: one number, or one per hidden layer. 0 for
        "lbfgs".
    eval_metric : str, callable or None
        The score on held-out examples: the name of a scorer of scikit-learn; a function
        f(estimator, X, y), more is better; "loss", the loss with a minus sign; None: R^2, or of
        quantiles the mean of their D^2 (``score``).
    dtype : "auto", "float32" or "float64", default "auto"
        The type of the network's parameters and arithmetic. "auto" is float32, which takes half
        the time and whose rounding is far below the noise of mini-batches; it is float64 for
        "lbfgs", and if one mini-batch holds all examples, unless X is float32. scikit-learn uses
        the type of X.
        float32 has 7 digits: X = 1e8 + noise loses its noise, so scale such inputs, or choose
        "float64".
        Predictions are float32 if X is float32, otherwise float64, whatever ``dtype`` is.
    quantile : float or sequence of float, default 0.5
        For the loss "quantile": the quantile to predict, over 0 and below 1; or several for one
        target, of which each has an output, so that ``predict`` gives (n, n_quantiles). A sequence
        of one is a number.

    Attributes
    ----------
    network_ : fastnet.Network
        The trained network: ``network_.save(file)``, ``network_.explain(x, y)``, ...
    history_ : dict of lists
        Per epoch: "training_loss", the mean over the mini-batches before their steps, with the
        penalty, or, of an iteration of "lbfgs", the loss after it; if examples are held out,
        "validation_loss" without the penalty and "validation_score", NaN for epochs of a warm start
        that had none. It can be passed to ``pandas.DataFrame``.
    coefs_, intercepts_ : lists of ndarray, (n_in, n_out) and (n_out,)
        The network's parameters themselves: writing to them, or assigning to them, changes the
        network. The next ``fit`` or ``partial_fit`` makes new arrays; these keep their values and
        become read-only.
    n_features_in_, feature_names_in_, n_iter_, t_, n_layers_, n_outputs_, out_activation_
        As in scikit-learn.
    loss_, loss_curve_, best_loss_, validation_scores_, best_validation_score_
        As in scikit-learn; "lbfgs" has the first only, and with ``eval_set`` the last two.

    Raises
    ------
    ValueError, TypeError
        By ``fit``; the message names the parameter, the expected and the actual value.
    DivergenceError
        By ``fit``, if a weight becomes NaN or infinite.

    Examples
    --------
    >>> X = np.linspace(-2, 2, 200)[:, None]
    >>> regressor = MLPRegressor(learning_rate_init=0.01, random_state=0).fit(X, X[:, 0] ** 2)
    >>> regressor.score(X, X[:, 0] ** 2) > 0.95
    True
    >>> regressor.predict(X[:2]).shape
    (2,)
    >>> regressor = MLPRegressor("quantile", quantile=[0.05, 0.95], max_iter=500, random_state=0)
    >>> regressor.fit(X, X[:, 0] ** 2).predict(X[:2]).shape
    (2, 2)
    """

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = parameters.MAX_FUN,
        output: str = "auto",
        dropout: Any = 0.0,
        eval_metric: Any = None,
        dtype: str = "auto",
        quantile: Any = 0.5,
    ):
        parameters.store_parameters(self, locals())

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, eval_set: Any = None, *,
        checkpoint: Any = None, checkpoint_every: int = 1, resume: bool = False,
    ) -> MLPRegressor:  # fmt: skip
        """Train from new initial weights, or with ``warm_start`` from those of the last call.

        Parameters
        ----------
        X : (n, n_in) array_like, data frame or sparse matrix
            Sparse matrices are converted to compressed rows, never to a dense array.
        y : (n,) or (n, n_outputs) numbers
        sample_weight : (n,) array_like or None
            The weight of each example, 0 or more.
        eval_set : pair (X, y) or None
            Validation examples. After each epoch their loss and ``eval_metric`` are recorded in
            ``history_``; ``early_stopping`` uses them in place of held-out examples. At the end
            the weights with the best score are restored.
        checkpoint : str or path, or None
            A file, whose name ends in .npz, that gets the state of the training, the
            ``RandomState`` included, after each ``checkpoint_every`` epochs and after the last one;
            otherwise as for ``fastnet.Network.SGD``. Not for the solver "lbfgs".
        checkpoint_every : int, default 1
            The number of epochs between two checkpoints.
        resume : bool, default False
            Whether to continue from the file, if it exists. The result is that of a fit without
            interruption, to the last bit. Parameters and data must be those of the earlier call;
            only ``max_iter`` may differ, down to the epochs that are complete.

        Returns
        -------
        The estimator.
        """
        saves = Checkpoint.checked(checkpoint, checkpoint_every, resume)
        self._fit(X, y, sample_weight, eval_set, checkpoint=saves)
        return self

    @available_if(parameters.check_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> MLPRegressor:
        """Train for one epoch, continuing from the last call, moments included. The solver "lbfgs"
        has no such method.

        Parameters
        ----------
        X, y, sample_weight : as for ``fit``

        Returns
        -------
        The estimator.
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> NDArray:
        """The network's outputs.

        Parameters
        ----------
        X : as for ``fit``

        Returns
        -------
        (n,) ndarray, or (n, n_outputs)
            float32 for X in float32, else float64. Several quantiles are in the order of
            ``quantile``; nothing keeps them from crossing. ``np.sort(predicted, axis=1)`` of
            ascending quantiles ends that, and never increases the loss.

        Warns
        -----
        RuntimeWarning
            If an output is infinite or NaN because it exceeds the range of the network's dtype.
        """
        z, dtype = self._weighted_inputs(X)
        predicted = self._predicted(z, dtype)
        wrong = np.count_nonzero(~np.isfinite(predicted))
        if wrong:
            kind = predicted.dtype if np.isfinite(z).all() else z.dtype
            warnings.warn(
                f"X: {wrong} of {predicted.size} predictions are not finite: they are beyond the "
                f"range of {kind}",
                RuntimeWarning,
                stacklevel=2,
            )
        return predicted

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """R^2, the coefficient of determination, in float64; for several quantiles of one target
        the mean of their D^2 (``sklearn.metrics.d2_pinball_score``), the share of the pinball loss
        that is left out if the predictions replace the target's own quantiles. R^2 of one quantile
        other than 0.5 is not largest for the right one: search with ``d2_pinball_score``.

        Parameters
        ----------
        X, y : as for ``fit``
        sample_weight : (n,) array_like or None
            The weight of each example.

        Returns
        -------
        float
        """
        predicted = self.predict(X)
        if not np.isfinite(predicted).all():
            raise ValueError(
                "X: expected inputs for which all predictions are finite, got NaN or infinity"
            )
        return self._scored(predicted, y, sample_weight)

    def _predicted(self, z: NDArray, dtype: type) -> NDArray:
        a = outputs.cast(outputs.activations(self.network_.output, z), dtype)
        return a[:, 0] if a.shape[1] == 1 else a

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle; those of earlier versions have no ``quantile``."""
        super().__setstate__(state)
        self.__dict__.setdefault("quantile", 0.5)

    def _measured(self, y: NDArray, predicted: NDArray, weights: NDArray | None) -> float:
        return self._score_of(_numbers(y), predicted, weights)

    def _score_of(self, y: NDArray, predicted: NDArray, weights: NDArray | None) -> float:
        """R^2, or for several quantiles of one target the mean of their D^2; in float64, since
        squares of float32 numbers may exceed the range of float32."""
        y, predicted = y.astype(np.float64), predicted.astype(np.float64)
        cost = model_of(self.network_).built_in
        if cost is not None and cost.quantiles and y.size == len(y):
            return _mean_d2(cost.quantiles, y, predicted, weights)
        return float(r2_score(y, predicted, sample_weight=weights))

    def _score(self, held_out: Validation) -> float:
        z = self._held_out_inputs(held_out)
        predicted = self._predicted(z, np.float64)
        if not np.isfinite(predicted).all():
            return math.nan
        cost = model_of(self.network_).built_in
        quantiles = None if cost is None else cost.quantiles_of(self.network_.sizes[-1])
        if quantiles is not None:  # R^2 would choose the epoch nearest to the mean
            return _mean_d2(quantiles, held_out.y, predicted, held_out.weights)
        return self._score_of(held_out.y, predicted, held_out.weights)

    def _checked(self, X: Any, y: Any, first: bool, classes: Any = None) -> tuple[Any, NDArray]:
        X = arguments.inputs(self, X, reset=first)
        y = arguments.targets(self, y, X.shape[0])
        with arguments.name_errors("y"):
            y = _numbers(y)
            return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _encoded(self, y: NDArray) -> NDArray:
        targets = y.reshape(len(y), -1)
        spec, n_out = self._cost_spec(targets)
        cost = spec.built_in
        repeated = cost is not None and cost.n_out is not None and targets.shape[1] == 1
        return np.repeat(targets, n_out, axis=1) if repeated else targets

    def _cost_spec(self, targets: NDArray) -> tuple[CostSpec, int]:
        spec = losses.choose(self.loss, self.output, ALLOWED, "identity", self)
        n, n_out = targets.shape[1], spec.built_in.n_out if spec.built_in else None
        if n == 1 and n_out is not None:
            return spec, n_out
        if n_out not in (None, n):
            name = "quantile" if isinstance(self.loss, str) else "loss"
            raise ValueError(
                f"{name}: expected one quantile for all {n} targets, or one for each, got {n_out}: "
                f"{checks.short_repr(getattr(self, name))}"
            )
        return spec, n


def _mean_d2(
    quantiles: tuple[float, ...], y: NDArray, predicted: NDArray, weights: NDArray | None
) -> float:
    """The mean of the D^2 of each output, which predicts a quantile of its target or of the only
    one."""
    shape = len(y), len(quantiles)
    targets = np.broadcast_to(y.reshape(len(y), -1), shape).astype(np.float64)
    of_each = [
        d2_pinball_score(target, each, sample_weight=weights, alpha=q)
        for q, target, each in zip(quantiles, targets.T, predicted.reshape(shape).T, strict=True)
    ]
    return float(np.mean(of_each))


def _numbers(y: NDArray) -> NDArray:
    if y.dtype.kind == "O":
        return y.astype(np.float64)
    if y.dtype.kind not in "biuf":
        raise TypeError(f"y: expected numbers, got {y.dtype}")
    return y
