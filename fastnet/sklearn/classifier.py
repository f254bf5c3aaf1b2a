"""``MLPClassifier``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels

from fastnet.core import checks
from fastnet.io.checkpoint_files import Checkpoint
from fastnet.nn.costs import CostSpec
from fastnet.sklearn import arguments, losses, outputs, parameters
from fastnet.sklearn.base import BaseMLP
from fastnet.sklearn.validation import Validation


class MLPClassifier(ClassifierMixin, BaseMLP):
    """A classifier: a feed-forward network in place of scikit-learn's class of the same name.

    The parameters, their defaults, the fitted attributes and, for the same ``random_state``, the
    initial weights and the order of the examples are scikit-learn's; so are the weights
    after an epoch, up to rounding. docs/scikit_learn.md lists the differences.

    Parameters
    ----------
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
    loss : str or class, default "log_loss"
        "log_loss", "squared_error", or a cost class or object as ``fastnet.Network`` takes it.
    output : str, default "auto"
        The output neurons: "softmax", "logistic", or "auto", which is softmax for three and more
        classes, and one logistic neuron for two, or for each of several labels. Logistic neurons
        for three and more classes learn one class against the rest.
    class_weight : dict {class: weight}, "balanced", list of these for several labels, or None
        The weight of a class's examples, multiplied by ``sample_weight``; 1 for a class that a dict
        does not name.
    dropout : float or sequence of float, default 0.0
        The probability that a hidden neuron is dropped: one number, or one per hidden layer. 0 for
        "lbfgs".
    eval_metric : str, callable or None
        The score on held-out examples: the name of a scorer of scikit-learn; a function
        f(estimator, X, y), more is better; "loss", the loss with a minus sign; None: accuracy.
    dtype : "auto", "float32" or "float64", default "auto"
        The type of the network's parameters and arithmetic. "auto" is float32, which takes half
        the time and whose rounding is far below the noise of mini-batches; it is float64 for
        "lbfgs", and if one mini-batch holds all examples, unless X is float32. scikit-learn uses
        the type of X.
        float32 has 7 digits: X = 1e8 + noise loses its noise, so scale such inputs, or choose
        "float64".
        Probabilities are float32 if X is float32, otherwise float64, whatever ``dtype`` is.

    Attributes
    ----------
    network_ : fastnet.Network
        The trained network: ``network_.save(file)``, ``network_.explain(x, y)``, ...
    history_ : dict of lists
        Per epoch: "training_loss", the mean over the mini-batches before their steps, with the
        penalty, or, of an iteration of "lbfgs", the loss after it; if examples are held out,
        "validation_loss" without the penalty and "validation_score", NaN for epochs of a warm start
        that had none. It can be passed to ``pandas.DataFrame``.
    classes_ : (n_classes,) ndarray
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
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier(max_iter=500, random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    >>> classifier.predict_proba(X[:2]).shape
    (2, 3)
    """

    def __init__(
        self,
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
        loss: Any = "log_loss",
        output: str = "auto",
        class_weight: Any = None,
        dropout: Any = 0.0,
        eval_metric: Any = None,
        dtype: str = "auto",
    ):
        parameters.store_parameters(self, locals())

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, eval_set: Any = None, *,
        checkpoint: Any = None, checkpoint_every: int = 1, resume: bool = False,
    ) -> MLPClassifier:  # fmt: skip
        """Train from new initial weights, or with ``warm_start`` from those of the last call.

        Parameters
        ----------
        X : (n, n_in) array_like, data frame or sparse matrix
            Sparse matrices are converted to compressed rows, never to a dense array.
        y : (n,) labels of any kind, or (n, n_outputs) zeros and ones for several labels
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
    def partial_fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, classes: Any = None
    ) -> MLPClassifier:
        """Train for one epoch, continuing from the last call, moments included. The solver "lbfgs"
        has no such method.

        Parameters
        ----------
        X, y, sample_weight : as for ``fit``
        classes : array_like or None
            All classes, required at the first call. For several labels 0 to n_outputs - 1.

        Returns
        -------
        The estimator.
        """
        if not hasattr(self, "network_"):
            if classes is None:
                raise ValueError(
                    "classes: expected all classes in the first call of partial_fit, got None"
                )
            classes = arguments.classes(classes)
        elif classes is not None and not np.array_equal(self.classes_, arguments.classes(classes)):
            raise ValueError(
                f"classes: expected those of the first call, {self.classes_}, got {classes}"
            )
        given = self.class_weight
        if any(isinstance(one, str) for one in (given if isinstance(given, list) else [given])):
            raise ValueError(
                "class_weight: expected a dict or None for partial_fit, which sees a part of the "
                f"examples; got {checks.short_repr(self.class_weight)}"
            )
        self._fit(X, y, sample_weight, incremental=True, classes=classes)
        return self

    def predict(self, X: Any) -> NDArray:
        """The most probable classes.

        Parameters
        ----------
        X : as for ``fit``

        Returns
        -------
        (n,) ndarray of labels, or (n, n_outputs) of zeros and ones
        """
        z, _ = self._finite_inputs(X)
        return self._predicted(z)

    def predict_proba(self, X: Any) -> NDArray:
        """The probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : as for ``fit``

        Returns
        -------
        (n, n_classes) ndarray; for several labels (n, n_outputs), the probability of each
            float32 for X in float32, else float64. For a single class the shape is (n, 2), as in
            scikit-learn: the probability of the class and 1 minus it.
        """
        z, dtype = self._finite_inputs(X)
        if self._multilabel:
            made = outputs.activations(self.network_.output, z)
        else:
            made = outputs.probabilities(self.network_.output, z)
        return outputs.cast(made, dtype)

    def predict_log_proba(self, X: Any) -> NDArray:
        """The logarithms of ``predict_proba``, finite even if a probability rounds to 0.

        Parameters
        ----------
        X : as for ``fit``

        Returns
        -------
        ndarray of the same shape and type
        """
        z, dtype = self._finite_inputs(X)
        if self._multilabel:
            made = outputs.log_activations(self.network_.output, z)
        else:
            made = outputs.log_probabilities(self.network_.output, z)
        return outputs.cast_logs(made, dtype)

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """The fraction of examples whose class is, or whose labels all are, predicted correctly.

        Parameters
        ----------
        X, y : as for ``fit``
        sample_weight : (n,) array_like or None
            The weight of each example.

        Returns
        -------
        float
        """
        return self._scored(self.predict(X), y, sample_weight)

    def _finite_inputs(self, X: Any) -> tuple[NDArray, type]:
        z, dtype = self._weighted_inputs(X)
        return outputs.clip_infinite(z), dtype

    def _predicted(self, z: NDArray) -> NDArray:
        if self._multilabel:
            return np.asarray(outputs.above_half(self.network_.output, z), int)
        if len(self.classes_) == 1:
            return np.repeat(self.classes_, len(z))
        if z.shape[1] == 1:
            which = outputs.above_half(self.network_.output, z[:, 0]).astype(int)
        else:
            which = z.argmax(axis=1)
        labels: NDArray = self.classes_[which]
        return labels

    def _measured(self, y: NDArray, predicted: NDArray, weights: NDArray | None) -> float:
        return float(accuracy_score(y, predicted, sample_weight=weights))

    def _score(self, held_out: Validation) -> float:
        z = self._held_out_inputs(held_out)
        if np.isnan(z).any():
            return math.nan
        right = self._predicted(z) == held_out.y
        each = right.all(axis=1) if right.ndim == 2 else right
        return float(np.average(each, weights=held_out.weights))

    def _checked(self, X: Any, y: Any, first: bool, classes: Any = None) -> tuple[Any, NDArray]:
        X = arguments.inputs(self, X, reset=first)
        y = arguments.targets(self, y, X.shape[0])
        with arguments.name_errors("y"):
            y, multilabel = arguments.labels(y)
        if first:
            self._multilabel = multilabel
            self.classes_ = np.arange(y.shape[1]) if multilabel else classes
        elif multilabel != self._multilabel:
            raise ValueError(
                "y: expected labels (n,), or zeros and ones (n, n_outputs), as in the earlier "
                "call, got the other kind"
            )
        if multilabel and classes is not None and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"classes: expected {self.classes_}, one for each label of y, got {classes}"
            )
        with arguments.name_errors("y"):
            if self.classes_ is None:
                self.classes_ = np.unique(y)
            elif len(unknown := np.setdiff1d(unique_labels(y), self.classes_)):
                raise ValueError(f"expected classes among {self.classes_}, got {unknown}, too")
        return X, y

    def _encoded(self, y: NDArray) -> NDArray:
        return y if self._multilabel else np.asarray(np.searchsorted(self.classes_, y))

    def _cost_spec(self, targets: NDArray) -> tuple[CostSpec, int]:
        n = len(self.classes_)
        if self._multilabel:
            allowed, n_out = losses.OF_LABELS, targets.shape[1]
        elif n > 2:
            allowed, n_out = losses.OF_CLASSES + losses.OF_LABELS, n
        else:
            allowed = losses.OF_LABELS + losses.OF_CLASSES
            n_out = 2 if self.output in losses.OF_CLASSES else 1
        pairs = {
            loss: tuple(output for output in allowed if output in costs)
            for loss, costs in losses.LOSSES.items()
            if any(output in costs for output in allowed)
        }
        return losses.choose(self.loss, self.output, pairs, allowed[0]), n_out

    def _keep_label_binarizer(self) -> None:
        """For two classes with softmax outputs there is none, since a ``LabelBinarizer`` has one
        column for two classes."""
        self.__dict__.pop("_label_binarizer", None)
        many = len(self.classes_) > 2
        if not (self._multilabel or many or self.n_outputs_ == 1):
            return
        self._label_binarizer = LabelBinarizer()  # fitted without its checks
        kind = "multiclass" if many else "binary"
        self._label_binarizer.y_type_ = "multilabel-indicator" if self._multilabel else kind
        self._label_binarizer.classes_ = self.classes_
        self._label_binarizer.sparse_input_ = False

    def _class_weights(self, y: NDArray) -> NDArray | None:
        if self.class_weight is None:
            return None
        if not self._multilabel:
            return arguments.class_weights("class_weight", self.class_weight, self.classes_, y)
        n, given = y.shape[1], self.class_weight
        each = [given] * n if isinstance(given, str) else given
        if not isinstance(each, list | tuple) or len(each) != n:
            raise ValueError(
                "class_weight: expected 'balanced', None, or a list with a dict for each of the "
                f"{n} labels, got {checks.short_repr(given)}"
            )
        weights = np.ones(len(y))
        for k, one in enumerate(each):
            if one is not None:
                weights *= arguments.class_weights(f"class_weight[{k}]", one, np.arange(2), y[:, k])
        return weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
