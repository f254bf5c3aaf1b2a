"""``Network``, with the book's interface."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastnet.architecture import make_model
from fastnet.convert.methods import ConversionMethods
from fastnet.core import checks
from fastnet.core.absent import AbsentMethod, without_absent
from fastnet.core.parameters import FixedList, ParameterList
from fastnet.core.random_stream import RandomStream, Seed
from fastnet.core.steps import Passes, StepOptions
from fastnet.data import labels
from fastnet.data.dataset import Data, Dataset
from fastnet.data.frames import Columns
from fastnet.data.input_transform import InputTransform
from fastnet.data.labels import Label
from fastnet.data.sparse_rows import Sparse
from fastnet.inspect.methods import InspectionMethods
from fastnet.io import persistence, pickles
from fastnet.model import Model
from fastnet.network_inputs import NetworkInputs
from fastnet.nn import costs, initializers
from fastnet.nn.activations import Activation
from fastnet.nn.cost_base import Cost
from fastnet.nn.optimizers import Optimizer
from fastnet.training import lbfgs, loop, overridden, sgd
from fastnet.training.early_stopping import EarlyStopping
from fastnet.training.history import History
from fastnet.training.options import SGDOptions
from fastnet.training.overridden import overrides
from fastnet.training.schedules import Schedule

Filename: TypeAlias = str | os.PathLike[str]
Hidden: TypeAlias = str | Activation | type[Activation]
Example: TypeAlias = ArrayLike | Columns
Callback: TypeAlias = Callable[["Network", int, History], object]


class Network(InspectionMethods, ConversionMethods):
    """A fully connected feed-forward network.

    Parameters
    ----------
    sizes : sequence of int
        Neurons per layer, ``[n_in, hidden..., n_out]``: two or more positive integers.
    cost : class, object or str
        A class of ``fastnet.nn.costs.COSTS``, such as ``fastnet.CrossEntropyCost``; an object
        of one, for parameters other than the defaults, such as ``fastnet.HuberCost(2.0)``; its
        name, one of ``fastnet.nn.costs.NAMES``, such as "cross-entropy"; or a class of your own
        with static methods ``fn(a, y)`` and ``delta(z, a, y)``, which are called with
        columns, (n_out, m); ``fn`` returns the sum over the columns.
    output : str or None
        "sigmoid", "softmax", "linear", ..., of ``fastnet.nn.activations.OUTPUTS``; None stands for
        the cost's usual layer, the first of its ``errors``; sigmoid for a class of your own.
        ``fastnet.nn.costs.ALLOWED`` has the pairs of an output layer and a cost.
    dtype : str or dtype
        "float32" or "float64", the type of the parameters and of all arithmetic.
    seed : None, int, sequence of ints, SeedSequence, BitGenerator, Generator or RandomState
        As ``numpy.random.default_rng`` takes it. The same seed gives the same initial
        weights and the same order of examples, and so the same trained network, to
        the last bit, with every NumPy release. None draws a seed from NumPy's global
        generator when the first random number is needed, so that ``numpy.random.seed`` makes
        a script reproducible. Forked processes inherit the same generator state: give each
        network in them its own seed.
    hidden : str or object, or a sequence of them, default "sigmoid"
        The activation of the hidden neurons, one name for all or one per hidden layer:
        "sigmoid", "tanh", "relu", ...; ``fastnet.nn.activations.HIDDEN`` lists all. An object such
        as ``fastnet.LeakyReLU(0.2)`` sets a parameter.
    initializer : str or None
        The initial parameters of a layer with n_in inputs and n_out neurons:
        "default", weights N(0, 1) / sqrt(n_in), biases N(0, 1); "large", all N(0, 1);
        "glorot", weights of variance 2 / (n_in + n_out), biases 0 (Glorot and Bengio
        2010, the normal form); "he", weights of variance 2 / n_in, biases 0 (He et al.
        2015). None chooses by the layer's neurons, as ``fastnet.nn.activations`` says: "default"
        for sigmoid, "glorot" for tanh, "he" for ReLU, ...; for the output layer "default" if all
        hidden layers have it, else "glorot". Drawn in the order of
        ``default_weight_initializer``; biases of 0 are not drawn.
    n_threads : int or None
        The maximum number of threads of a call, 1 or more; None: the number of
        ``fastnet.set_num_threads``, initially 1. Only large layers use several threads. The
        results are the same to the last bit.
    inputs : Standardize, Table or None
        What is done to the inputs before the first layer, by every method: with
        ``fastnet.Standardize.fit(X)`` the network computes with (X * scale - mean) / deviation,
        rounded once from float64, and ``weights`` are those on standardized inputs. With a
        ``fastnet.Table``, raw rows are taken wherever inputs or data are, from CSV files, too, and
        ``classes`` are those of the table by default. Kept in files, pickles and copies.
    classes : sequence of str, int, float or bool, or None
        The names of the classes, in the order of the outputs; two for a single output neuron.
        ``predict_labels`` gives them, and labels of data may be names. Labels that are numbers
        count as names if a name is a number, except in a ``Dataset``. None: if the labels of the
        first training are strings, the different ones, sorted.
    features : sequence of str or None
        The names of the inputs. Frames and dicts are read by them, in any order of their
        columns. None: those of ``inputs``, or of the frame that is first trained on.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, the expected and the actual value.

    Notes
    -----
    Six methods may be overridden, by a subclass or by a function assigned to one network. They are
    called as in the book's network2.py:

    - ``default_weight_initializer()`` by the constructor, if ``initializer`` is None;
    - ``update_mini_batch(mini_batch, eta, lmbda, n)`` by ``SGD``, with a list of pairs of columns
      (x, y), labels as one-hot columns;
    - ``backprop(x, y)`` by ``update_mini_batch``, for each pair;
    - ``accuracy`` and ``total_cost`` by ``SGD`` and ``find_learning_rate``, if that figure is
      monitored: with a list of pairs of columns for the training data, and with the evaluation
      data as passed by the user; ``convert`` is set as in network2;
    - ``feedforward(a)`` by ``accuracy``, ``total_cost`` and ``predict_labels``, for each column.

    Columns have the network's dtype; with ``inputs`` they are float64 and not standardized.
    With an overridden ``update_mini_batch`` or ``backprop``,
    ``l1``, ``dropout``, ``optimizer``, ``shift`` and weights of examples raise a TypeError.
    Overriding is slow: Python calls the method for each mini-batch or each example, while compiled
    code trains a whole epoch in one call. docs/subclassing.md has an example.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([2, 3, 1], seed=1)
    >>> history = net.SGD([([0, 1], 1), ([1, 0], 0)], 100, 2, 3.0, verbose=False)
    >>> net.feedforward([[0, 1], [1, 0]]).round().ravel().tolist()
    [1.0, 0.0]
    """

    def __init__(
        self,
        sizes: Iterable[int],
        cost: type[Cost] | Cost | str = costs.CrossEntropyCost,
        *,
        output: str | None = None,
        dtype: DTypeLike = "float32",
        seed: Seed = None,
        hidden: Hidden | Iterable[Hidden] = "sigmoid",
        initializer: str | None = None,
        n_threads: int | None = None,
        inputs: InputTransform | None = None,
        classes: Iterable[Label] | None = None,
        features: Iterable[str] | None = None,
    ):
        schema = None
        if inputs is not None or classes is not None or features is not None:
            schema = {"inputs": inputs, "classes": classes, "features": features}
        model = make_model(
            sizes, cost, output=output, dtype=dtype, hidden=hidden, n_threads=n_threads,
            schema=schema,
        )  # fmt: skip
        names = initializers.choose(initializer, model.hidden)
        self._check_not_training()
        self._set_up(model, RandomStream(seed))
        if initializer is None and overrides(self, "default_weight_initializer"):
            self.default_weight_initializer()
        else:
            self._draw(names)

    def _set_up(self, model: Model, stream: RandomStream, warned: Iterable[str] = ()) -> None:
        self._model, self._stream = model, stream
        self._inputs = NetworkInputs(model, warned)

    def _check_not_training(self) -> None:
        """Raise a RuntimeError during a training. A new network, which has no model yet, passes."""
        model: Model | None = vars(self).get("_model")
        if model is not None:
            model.parameters.check_not_training()

    # ---- parameters

    @property
    def sizes(self) -> list[int]:
        """Neurons per layer, input first; changing this list raises a TypeError."""
        return FixedList("sizes", self._model.sizes)

    @property
    def num_layers(self) -> int:
        """The number of layers, including the input layer."""
        return len(self._model.sizes)

    @property
    def cost(self) -> type[Cost] | Cost:
        """The cost class, or the object of one that was passed because of its parameters. Another
        cost, or its name, can be assigned if it is allowed with the output layer."""
        return self._model.cost_spec.cost

    @cost.setter
    def cost(self, cost: type[Cost] | Cost | str) -> None:
        self._check_not_training()
        self._model.cost_spec = costs.choose(cost, self.output, self.sizes[-1])

    @property
    def output(self) -> str:
        """The kind of output layer: "sigmoid", "softmax", "linear", ..."""
        return self._model.cost_spec.output

    @property
    def hidden(self) -> list[Any]:
        """The activation of each hidden layer, a name, or an object if it has other parameters than
        the default ones; changing this list raises a TypeError."""
        return FixedList("hidden", [each.name_or_self for each in self._model.hidden])

    @property
    def dtype(self) -> np.dtype:
        """The type of the parameters and of all arithmetic."""
        return self._model.dtype

    @property
    def weights(self) -> ParameterList:
        """A list of one array (n_out, n_in) per layer; row j holds the weights into neuron j.

        The arrays are the network's own memory: ``net.weights[0][3, 5] = 0.1`` changes the
        network. As in the book, an array taken before a training keeps its values, since training,
        an initializer and an assignment give the network new storage. The old arrays become
        read-only, so that a later write raises a ValueError; ``.copy()`` is writable. Views
        derived from them (a row, ``.T``) also keep their values but stay writable; writing to
        them has no effect on the network.

        ``net.weights[0] = w`` and ``net.weights[1:] = [...]`` check all shapes, then copy the
        values, so that later changes of ``w`` have no effect. The list stays the same object, and
        its elements are new arrays. ``net.weights = [...]`` and training give the network a new
        list; the old one keeps its values and refuses assignment. Slices, sums and copies of the
        list are plain lists, and ``==`` compares values.

        While a kernel call trains (as seen from a signal handler, another thread or a custom
        cost), an assignment raises a RuntimeError, and the arrays are those being trained,
        read-only until the call ends: copy what you want to keep. Another thread may read
        partially updated numbers.
        """
        return self._model.parameters.as_list("weights")

    @weights.setter
    def weights(self, new: Any) -> None:
        self._model.parameters.bind("weights", new)

    @property
    def biases(self) -> ParameterList:
        """A list of one array (n_out, 1) per layer; otherwise like ``weights``."""
        return self._model.parameters.as_list("biases")

    @biases.setter
    def biases(self, new: Any) -> None:
        self._model.parameters.bind("biases", new)

    @property
    def n_threads(self) -> int | None:
        """The maximum number of threads of a call; None: that of ``fastnet.set_num_threads``."""
        return self._model.n_threads

    @property
    def inputs(self) -> InputTransform | None:
        """What is done to the inputs before the first layer, such as ``fastnet.Standardize``."""
        return self._model.schema.inputs

    @property
    def classes(self) -> tuple[Label, ...] | None:
        """The names of the classes, in the order of the outputs; None if they have none."""
        return self._model.schema.classes

    @property
    def features(self) -> tuple[str, ...] | None:
        """The names of the inputs; None if they have none."""
        return self._model.schema.features

    @property
    def input_scale(self) -> float | None:
        """The scale of the inputs last trained on, None before. Unscaled real numbers and
        booleans do not set it. uint8 arrays that are not in a ``Dataset`` are multiplied by
        it."""
        return self._model.input_scale

    def reseed(self, seed: Seed) -> None:
        """Restart the network's random number generator from a seed.

        Parameters
        ----------
        seed : as for ``Network``

        Raises
        ------
        TypeError, ValueError
            For an invalid seed.
        RuntimeError
            While a kernel call trains the network.

        Examples
        --------
        >>> net, other = Network([3, 2], seed=1), Network([3, 2], seed=2)
        >>> for one in (net, other):
        ...     one.reseed(3)
        ...     one.default_weight_initializer()
        >>> net == other
        True
        """
        self._model.parameters.check_not_training()
        self._stream.reseed(seed)

    def default_weight_initializer(self) -> None:
        """Weights N(0, 1) / sqrt(n_in), biases N(0, 1).

        Drawn layer by layer, the weights of a layer row by row, then its biases.
        """
        self._draw(["default"] * (self.num_layers - 1))

    def large_weight_initializer(self) -> None:
        """Weights and biases N(0, 1), as in the book's first chapter.

        Drawn in the same order as by ``default_weight_initializer``.
        """
        self._draw(["large"] * (self.num_layers - 1))

    def _draw(self, names: Iterable[str]) -> None:
        self._model.parameters.draw(
            lambda weights, biases: initializers.draw(self._stream, weights, biases, names)
        )

    # ---- use

    def feedforward(self, a: Dataset | Sparse | ArrayLike | Columns) -> NDArray:
        """The network's output.

        Parameters
        ----------
        a : Dataset, array_like, frame, dict, list of dicts, or scipy.sparse matrix or array
            A Dataset's inputs are multiplied by its scale, uint8 arrays by ``input_scale`` if the
            network has one; others are used unscaled. An array of shape (n_in,)
            gives (n_out,); (n_in, 1), the book's column, gives (n_out, 1); (n, n_in) gives
            (n, n_out). With n_in == 1 an array (n, 1) is n examples. A sparse matrix is (n, n_in).
            Columns of a frame or a dict are found by ``features`` if the network has them; a dict
            of single values is one example.

        Returns
        -------
        ndarray of the network's dtype.

        Raises
        ------
        ValueError, TypeError
            For any other shape, and for NaN or infinity.

        Examples
        --------
        >>> net = Network([3, 2], seed=1)
        >>> net.feedforward([0.1, 0.2, 0.3]).shape
        (2,)
        >>> net.feedforward([[0.1], [0.2], [0.3]]).shape
        (2, 1)
        >>> net.feedforward([[0.1, 0.2, 0.3]] * 5).shape
        (5, 2)
        """
        plain = self._model.single.try_predict(a)
        return self._inputs.feedforward("a", a) if plain is None else plain

    def predict_labels(self, X: Dataset | Sparse | ArrayLike | Columns) -> NDArray:
        """The predicted class of each example, by name if the network has ``classes``.

        Parameters
        ----------
        X : as ``a`` of ``feedforward``, n examples or one

        Returns
        -------
        (n,) ndarray of int
            The index of the largest output, the first of equal ones; with one output neuron, 1
            if the output is 0.5 or more, else 0. ``accuracy`` counts the same classes. A single
            example, (n_in,) or (n_in, 1), gives shape (1,). With ``classes`` their names instead:
            of str, int, float or bool, or objects if the names are of several types.

        Raises
        ------
        ValueError, TypeError
            As ``feedforward``, and for a network that predicts a number: with a ``Table`` whose
            target is a number, or one linear or exponential output and no ``classes``.

        Examples
        --------
        >>> net = Network([2, 2], seed=1)
        >>> net.weights[0], net.biases[0] = [[1, 0], [0, 1]], [[0], [0]]
        >>> net.predict_labels([[3, 1], [1, 3]])
        array([0, 1])
        >>> net = Network([2, 2], seed=1, classes=["ham", "spam"])
        >>> net.weights[0], net.biases[0] = [[1, 0], [0, 1]], [[0], [0]]
        >>> net.predict_labels([[3, 1], [1, 3]]).tolist()
        ['ham', 'spam']
        """
        classes = self._model.schema.classes
        if classes is None:
            self._model.check_predicts_classes("predict_labels")
        codes = overridden.predicted_classes(self, self._inputs, X)
        return codes if classes is None else labels.named(codes, classes)

    @overload
    def predictor(self, jacobian: Literal[False] = False) -> Callable[[Example], NDArray]: ...
    @overload
    def predictor(
        self, jacobian: Literal[True]
    ) -> Callable[[Example], tuple[NDArray, NDArray]]: ...
    def predictor(self, jacobian: bool = False) -> Callable[[Example], Any]:
        """A callable for one example at a time, for control loops: no allocation, few checks.

        Parameters
        ----------
        jacobian : bool, default False
            Whether its calls also compute the derivatives of the outputs with respect to x.

        Returns
        -------
        callable
            ``predict(x)`` takes x of shape (n_in,) and returns the output, (n_out,), in the
            network's dtype: the same array each time, which the next call overwrites, so copy what
            you keep. With ``jacobian`` it returns the same pair of arrays each time, the output and
            its derivatives, (n_out, n_in), as the method ``jacobian`` gives them. It uses the
            network's current parameters and, for uint8, its current ``input_scale``; other types
            are used unscaled. An array of the network's dtype or, with ``inputs``, of float32 or
            float64 is read in place; others, and a dict with a value for each feature, are
            converted. It raises a ValueError if x has another shape or is not finite. Only one
            thread at a time may use it.

        Examples
        --------
        >>> net = Network([3, 2], seed=1)
        >>> predict = net.predictor()
        >>> a = predict(np.zeros(3, np.float32))
        >>> a.shape, bool((a == net.feedforward([0, 0, 0])).all())
        ((2,), True)
        >>> a, J = net.predictor(jacobian=True)(np.zeros(3, np.float32))
        >>> J.shape, bool((J == net.jacobian([0, 0, 0])).all())
        ((2, 3), True)
        """
        if checks.boolean("jacobian", jacobian):
            overridden.check_feedforward(self, "jacobian")
        return self._model.predictor(jacobian)

    def accuracy(self, data: Data, convert: bool = False) -> int:
        """The number of examples in ``data`` that the network gets right.

        An example is right if its largest output is at the index of its largest
        target or its label; with one output neuron, if output and target are on
        the same side of 0.5: at least 0.5 for label 1, less for label 0. For linear and
        exponential outputs the targets must be classes: labels or one-hot rows (for one output,
        zeros and ones); use ``total_cost`` for others.

        Parameters
        ----------
        data : Dataset, pair (X, y) or iterable of (x, y)
            uint8 arrays that are not in a ``Dataset`` are multiplied by ``input_scale`` if the
            network has one.
        convert : bool
            Accepted for scripts of the book and ignored: the data show whether the targets
            are labels or columns.

        Returns
        -------
        int
            From 0 to ``len(data)``.

        Raises
        ------
        ValueError, TypeError
            For data that do not fit the network, or whose targets are not classes.

        Examples
        --------
        >>> net = Network([2, 2], seed=1)
        >>> net.weights[0], net.biases[0] = [[1, 0], [0, 1]], [[0], [0]]
        >>> net.accuracy(([[3, 1], [1, 3], [2, 1]], [0, 1, 1]))
        2
        """
        fitting = self._inputs.dataset("data", data)
        self._model.check_accuracy("data", fitting)
        if overrides(self, "feedforward"):
            return overridden.accuracy(self, fitting)
        return self._model.accuracy(fitting, single_use=not isinstance(data, Dataset))

    def total_cost(self, data: Data, lmbda: float, convert: bool = False) -> float:
        """The mean cost over ``data`` plus the L2 term, 1/2 (lmbda/n) sum W^2, n = len(data).

        Parameters
        ----------
        data, convert : as for ``accuracy``
        lmbda : float
            The regularization parameter; 0 for the cost alone.

        Returns
        -------
        float
            Summed in float64 whatever the network's dtype.

        Raises
        ------
        ValueError, TypeError
            For data that do not fit the network, and for a lmbda that is negative or not finite.

        Examples
        --------
        >>> net = Network([1, 1], "quadratic", output="linear", dtype="float64")
        >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
        >>> net.total_cost(([[1.0], [2.0]], [[1.0], [4.0]]), 0.0)  # mean of 1/2 and 0
        0.25
        >>> net.total_cost(([[1.0], [2.0]], [[1.0], [4.0]]), 0.5)
        0.75
        """
        lmbda = checks.nonnegative("lmbda", lmbda)
        fitting = self._inputs.dataset("data", data)
        if overrides(self, "feedforward"):
            return overridden.total_cost(self, self._model, fitting, lmbda)
        return self._model.total_cost(fitting, lmbda, single_use=not isinstance(data, Dataset))

    # ---- training

    def SGD(
        self,
        training_data: Data,
        epochs: int,
        mini_batch_size: int,
        eta: float,
        lmbda: float = 0.0,
        evaluation_data: Data | bool | None = None,
        monitor_evaluation_cost: bool = False,
        monitor_evaluation_accuracy: bool = False,
        monitor_training_cost: bool = False,
        monitor_training_accuracy: bool = False,
        early_stopping_n: int = 0,
        *,
        l1: float = 0.0,
        dropout: float | Iterable[float] = 0.0,
        optimizer: Optimizer | None = None,
        schedule: Schedule | None = None,
        early_stopping: EarlyStopping | None = None,
        callbacks: Sequence[Callback] | None = None,
        shift: int = 0,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        checkpoint: Filename | None = None,
        checkpoint_every: int = 1,
        resume: bool = False,
        verbose: int = True,
        test_data: None = None,
    ) -> History:
        """Train by mini-batch stochastic gradient descent.

        Each epoch visits every example once, in a fresh random order. Without an
        ``optimizer`` each mini-batch of m examples changes the weights to
        W (1 - eta lmbda / n) - (eta l1 / n) sgn W - (eta / m) sum dC/dW and the biases to
        b - (eta / m) sum dC/db, with gradients by back-propagation; n is the
        number of training examples. The last mini-batch of an epoch may be
        smaller; its gradients are divided by its own size. If examples have weights, m and n
        are the sums of the weights, and an example of weight 2 counts twice.

        Parameters
        ----------
        training_data : Dataset, pair (X, y) or iterable of (x, y)
            The examples to learn: a ``Dataset``; a tuple of arrays, inputs (n, n_in)
            and labels (n,) or targets (n, n_out); or the book's list of columns and
            targets. Inputs may be a matrix of scipy.sparse, a frame or a dict of columns, or, in
            a list of pairs (x, y), a dict of one example; labels may be names of classes. A
            ``Dataset`` scales its inputs.
            uint8 arrays that are not in one are multiplied by ``input_scale`` if the network has
            one; otherwise they are used unscaled, with a warning if there are values above 1.
            Other inputs are used unscaled. Inputs that are mostly zeros are compressed once if
            that is faster, and a ``Dataset`` keeps the compressed form. ``accuracy`` and other
            calls that read arrays once do not compress them.
        epochs : int
            Passes over the training data, 0 or more.
        mini_batch_size : int
            Examples per update, 1 or more; more than n means all of them.
        eta : float
            Learning rate: how much a mini-batch changes the parameters per unit of its
            mean gradient. Finite, 0 or more.
        lmbda : float, default 0.0
            Regularization parameter of L2 weight decay; its effect on the weights
            is divided by n. Finite, 0 or more.
        evaluation_data : as training_data, or None
            Monitored data: validation or test data. Needed by the two flags
            that monitor it, and by a schedule or early stopping that follows it. uint8 arrays that
            are not in a ``Dataset`` are scaled as the training data. Without a flag and without a
            figure to follow, the accuracy on it is recorded if its targets are classes (labels or
            one-hot rows; for one target, zeros and ones), otherwise the cost. False means None.
        monitor_evaluation_cost : bool, default False
            Record the cost on the evaluation data after each epoch, L1 and L2 terms included
            (with n the number of evaluation examples, as in ``total_cost``). Each of the four
            flags accepts any truth value.
        monitor_evaluation_accuracy : bool, default False
            Record the number of evaluation examples that are right.
        monitor_training_cost : bool, default False
            Record the cost on the training data, L1 and L2 terms included.
        monitor_training_accuracy : bool, default False
            Record the number of training examples that are right.
        early_stopping_n : int, default 0
            As in Python 3 ports of the book's program: n means
            ``early_stopping=EarlyStopping(patience=n, restore_best=False)``, 0 means no early
            stopping.
        l1 : float, default 0.0
            Regularization parameter of L1: each mini-batch moves every weight by eta l1 / n
            towards zero. Together with ``lmbda``: an elastic net. Finite, 0 or more.
        dropout : float or sequence of float, default 0.0
            The probability that a hidden neuron is dropped for an example, one number for
            all hidden layers or one for each; from 0 to below 1. Those that stay are
            scaled by 1 / (1 - dropout), so that ``feedforward`` needs no correction
            (Srivastava et al. 2014).
        optimizer : Optimizer or None
            How g, the mean gradient of a mini-batch, changes parameters: ``Momentum(mu)``,
            ``Adam()`` or another class of ``fastnet.nn.optimizers``; None is the plain rule above.
            lmbda and l1 enter g as (lmbda / n) W + (l1 / n) sgn W, except with decoupled
            decay (``AdamW``). Velocities and moments start at zero in each call.
        schedule : StepDecay, ExponentialDecay, CosineDecay, HalveOnPlateau, callable or None
            The learning rate of each epoch; None: eta for all. A callable is given the
            epoch, from 1, as the epoch begins, and returns its rate, finite and 0 or more, in
            place of eta. Its exceptions propagate: in the first epoch before anything has
            changed, later with the parameters of the previous epoch.
            The rate is printed with each epoch's figures; ``schedule.rate(eta, epoch,
            epochs)`` gives those of the first three kinds beforehand.
        early_stopping : EarlyStopping or None
            When to stop before the last epoch, and whether to restore the parameters of the
            best epoch.
        callbacks : sequence of callable, or None
            Each is called after each epoch, as ``f(network, epoch, history)``: this network,
            the epoch, from 1, and the history so far, the same object each time. Before
            that, the epoch's figures are printed and used by early stopping. All are
            called, in order. If one of them returns True, the training ends with this epoch as it
            does by early stopping, and the best parameters are restored if that is wanted. An
            exception of a callback ends the training at once and propagates: the network keeps
            the parameters that the epoch and the callbacks left, nothing is restored, and the
            random numbers are those at the end of the epoch. If a callback leaves a parameter that
            is not finite, a ValueError names it, and the parameters are restored to those of the
            epoch.
        shift : int, default 0
            Each time an example is used, it is shifted by up to this many pixels vertically and
            horizontally, uniformly at random; pixels shifted in at the edges are 0. For inputs
            that are square images, stored row by row.
        sample_weight : (n,) array_like or None
            How often each training example counts, in the gradient and in the
            training cost, which is then the weighted mean: finite numbers of 0 or
            more with a positive sum. A mini-batch whose weights are all 0 has no
            gradient. Accuracies and the evaluation cost count each example once. A cost
            class of your own is called as usual, and its results are weighted; its ``fn`` is
            called once for each different weight, which is slow if all differ.
            Since n is the sum of the weights, scale them to a mean of 1 to keep the
            effect of lmbda and l1.
        class_weight : dict {class: weight}, "balanced" or None
            The same by label, a number or a name; the weight of a class that is not in it is 1.
            "balanced": n / (classes that occur * examples of the class). Multiplied by
            ``sample_weight`` if both are given. Needs labels.
        checkpoint : str or path, or None
            A file, whose name ends in .npz, that gets the state of the training after each
            ``checkpoint_every`` epochs and after the last one. A new state replaces the file in one
            step, so that a process that is killed while it writes leaves the previous one. If the
            file cannot be written then, for example since the disk is full, that is a
            RuntimeWarning, and the training goes on. An existing file that is not a checkpoint is
            refused.
        checkpoint_every : int, default 1
            The number of epochs between two checkpoints, 1 or more.
        resume : bool, default False
            True: if the file of ``checkpoint`` exists, continue from it; the network then gets its
            parameters and its random numbers, and the history begins with the earlier epochs. The
            result is that of a training without interruption, to the last bit. A training that is
            complete returns at once. Settings, data, and the names of functions and of a cost of
            your own must be those of the earlier call; only ``epochs`` may be larger, or smaller
            down to the epochs that are complete, unless the schedule depends on it. False: begin
            anew; the first new checkpoint replaces the file. docs/checkpoints.md has examples.
        verbose : bool or int, default True
            0 or False: nothing is printed. 1 or True: a line per epoch with the monitored
            figures, and a line if training stops early or the best parameters are
            restored. 2: a progress bar of tqdm with the last figures, updated within the epochs,
            if standard error is a terminal or a notebook's; otherwise as 1.
        test_data : None
            The name of ``evaluation_data`` in the book's first chapters; raises a TypeError.

        Returns
        -------
        History
            A named tuple ``(evaluation_cost, evaluation_accuracy, training_cost,
            training_accuracy)`` of lists with one entry per epoch. A list is empty if that figure
            was not monitored; the figure that a schedule or early stopping follows is monitored.
            Costs are means per example, accuracies counts of examples.

        Raises
        ------
        ValueError, TypeError
            For arguments and data that do not fit; nothing is changed.
        DivergenceError
            If a parameter becomes infinite or NaN, which is checked once per epoch; the network
            keeps the parameters of the last epoch after which all were finite.
        ImportError
            If verbose is 2, standard error shows bars, and tqdm, which draws them, is not
            installed; nothing is changed.
        OSError
            If the file of ``checkpoint`` cannot be written, or not be read to resume from it;
            nothing is changed.

        Notes
        -----
        An epoch is one call into compiled code, and other Python threads run meanwhile.
        Ten times a second the call polls for an interrupt: Ctrl-C stops it within 0.2 s, or
        after the current mini-batch if that takes longer. The network then keeps the mini-batches
        trained so far, including those of the current epoch; the history that callbacks receive has
        the complete epochs; the best parameters are not restored; and the state of the random
        numbers is that at the end of the last complete epoch, so that a further call begins with
        the order of the examples that was interrupted. Python delivers Ctrl-C to its main thread
        only: a training in another thread is ended by its callbacks. A further call continues
        where this one ended. A signal handler sees the parameters of the completed mini-batches,
        and may save but not change them. Another thread that reads them during the call may see
        partially updated numbers.

        Each call, each epoch with its figures, and the end are logged by the logger "fastnet" at
        level INFO; an interrupt is logged at WARNING. ``logging.basicConfig(level=logging.INFO)``
        shows them.

        Examples
        --------
        >>> import fastnet
        >>> training, validation, test = fastnet.load_mnist()
        >>> net = Network([784, 30, 10], seed=1)
        >>> history = net.SGD(training[:5000], 2, 10, 0.5, evaluation_data=test,
        ...                   monitor_evaluation_accuracy=True, verbose=False)
        >>> history.evaluation_accuracy[1] > 8000
        True
        """
        self._model.parameters.check_not_training()
        if test_data is not None:
            raise TypeError("test_data: expected the data to be passed as evaluation_data")
        options = SGDOptions(
            epochs, mini_batch_size, eta, lmbda,
            monitor_evaluation_cost, monitor_evaluation_accuracy,
            monitor_training_cost, monitor_training_accuracy,
            early_stopping_n, l1, dropout, optimizer, schedule, early_stopping, callbacks, shift,
            sample_weight, class_weight, checkpoint, checkpoint_every, resume, verbose,
        ).checked(self._model)  # fmt: skip
        data = sgd.checked_data(self._inputs, training_data, evaluation_data)
        loop = sgd.prepare(self, self._model, self._stream, self._inputs, data, options)
        return loop.run()

    def fit_lbfgs(
        self,
        training_data: Data,
        max_iter: int = 200,
        lmbda: float = 0.0,
        evaluation_data: Data | bool | None = None,
        *,
        max_fun: int = lbfgs.MAX_FUN,
        tol: float = 1e-4,
        callbacks: Sequence[Callback] | None = None,
        verbose: int = True,
    ) -> History:
        """Train by L-BFGS, a quasi-Newton method, on all examples together.

        Each iteration lowers C = (mean cost) + 1/2 (lmbda/n) sum W^2, the training cost of ``SGD``,
        along a direction that the last ten gradients give, with a step length that a line search
        finds (Liu and Nocedal 1989). There is no learning rate and nothing is random. It is for
        small data sets and smooth costs, which it often minimizes further and faster than ``SGD``
        does. SciPy's L-BFGS-B does the minimization; the cost and its gradient are one pass of
        compiled code over the examples. dtype="float64" suits it: in float32 it ends where the cost
        falls by less than its rounding error.

        Parameters
        ----------
        training_data : as for ``SGD``
        max_iter : int, default 200
            The most iterations, 1 or more.
        lmbda : float, default 0.0
            Regularization parameter of L2 weight decay, as for ``SGD``.
        evaluation_data : as for ``SGD``
            The accuracy on it is recorded after each iteration if its targets are classes,
            otherwise the cost.
        max_fun : int, default 15000
            No further iteration begins once the cost has been computed more often than this. An
            iteration mostly needs it once.
        tol : float, default 1e-4
            Training ends when no component of the gradient of C is larger, or when an iteration
            lowers C by less than 2.2e-9 (float32: 1.2e-7) of it.
        callbacks : sequence of callable, or None
            As for ``SGD``, after each iteration. They must not change the parameters.
        verbose : bool or int, default True
            As for ``SGD``: a line per iteration, or a bar.

        Returns
        -------
        History
            An entry for each iteration: ``training_cost``, C at its end, and with evaluation data
            one of their figures.

        Raises
        ------
        ValueError, TypeError
            For arguments and data that do not fit, and for a network that overrides
            ``update_mini_batch`` or ``backprop``; nothing is changed. Also if a callback changes
            the parameters, which are then restored.
        DivergenceError
            If cost or gradient are not finite at the beginning; nothing is changed. A step to where
            they are not finite is replaced by a shorter one.
        ImportError
            If SciPy is missing; nothing is changed.

        Notes
        -----
        At any time the network has the parameters of the last complete iteration, the best so far:
        in callbacks, after an error, and after Ctrl-C, which ends the training within 0.2 s and
        raises a KeyboardInterrupt, whose attribute ``history`` has the complete iterations. The
        number of threads changes no bit; for more than 10,000 parameters that needs threadpoolctl,
        which scikit-learn installs, since SciPy's BLAS has threads of its own.

        Examples
        --------
        >>> X, y = np.linspace(-1, 1, 50)[:, None], np.linspace(-1, 1, 50)[:, None] ** 2
        >>> net = Network([1, 8, 1], "quadratic", output="linear", hidden="tanh",
        ...               dtype="float64", seed=1)
        >>> history = net.fit_lbfgs((X, y), verbose=False)
        >>> history.training_cost[-1] < 1e-4 < history.training_cost[0]
        True
        """
        self._check_not_training()
        limits = lbfgs.Limits(max_iter, max_fun, tol).checked()
        options = lbfgs.options_of(limits, lmbda, callbacks, verbose).checked(self._model)
        data = sgd.checked_data(self._inputs, training_data, evaluation_data)
        training = lbfgs.prepare(self, self._model, self._inputs, data, options, limits)
        return training.run(self._model, limits.max_iter)

    def update_mini_batch(self, mini_batch: Data, eta: float, lmbda: float, n: int) -> None:
        """Change the parameters by one step of gradient descent on ``mini_batch``.

        Parameters
        ----------
        mini_batch : as ``training_data`` of ``SGD``
            All its examples are one mini-batch.
        eta, lmbda : float
            Learning rate and regularization parameter.
        n : int
            The size of the whole training set, by which lmbda is divided.

        Raises
        ------
        ValueError, TypeError, DivergenceError
            As ``SGD``; the network is unchanged.

        Examples
        --------
        >>> net = Network([1, 1], "quadratic", output="linear", dtype="float64")
        >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
        >>> net.update_mini_batch([([1.0], [1.0])], 0.5, 0.0, 1)  # the error, a - y, is 1
        >>> net.weights[0].item(), net.biases[0].item()
        (1.5, -0.5)
        """
        eta = checks.nonnegative("eta", eta)
        l2 = checks.nonnegative("lmbda", lmbda) / checks.integer("n", n, 1)
        data = self._inputs.dataset("mini_batch", mini_batch)
        self._model.parameters.check_finite()
        if not isinstance(mini_batch, Dataset):
            self._inputs.warn_of_bytes("mini_batch", data)
        m = len(data)
        passes = Passes(np.arange(m)[np.newaxis], eta)
        if overrides(self, "backprop"):
            custom = overridden.one_step(self, self._model, data, lmbda, n)
            loop.train_custom(self._model, data, custom, passes)
        else:
            one_step = self._model.training(StepOptions(m, l2))
            loop.train_passes(self._model, data, one_step, passes)

    def backprop(self, x: ArrayLike | Columns, y: ArrayLike) -> tuple[list[NDArray], list[NDArray]]:
        """The gradient of one example's cost.

        Parameters
        ----------
        x : (n_in,) or (n_in, 1) array_like
            The input; uint8 is multiplied by ``input_scale`` if the network has one, other types
            are used unscaled.
        y : int, name of a class, or (n_out,) or (n_out, 1) array_like
            A label or the target outputs; of one output neuron a float, too.

        Returns
        -------
        (nabla_b, nabla_w) : lists of arrays with the shapes of ``biases`` and ``weights``
            dC/db and dC/dw, layer by layer.

        Raises
        ------
        ValueError, TypeError
            For an x or a y that do not fit the network.

        Examples
        --------
        >>> net = Network([2, 1], "quadratic", output="linear", dtype="float64")
        >>> net.weights[0], net.biases[0] = [[1.0, 2.0]], [[0.0]]
        >>> nabla_b, nabla_w = net.backprop([3.0, 4.0], [10.0])  # the error, a - y, is 1
        >>> nabla_b[0].tolist(), nabla_w[0].tolist()
        ([[1.0]], [[3.0, 4.0]])
        """
        nabla = self._model.finite_gradient("x, y", self._inputs.example(x, y))
        return nabla.parameters.arrays("biases"), nabla.parameters.arrays("weights")

    def gradient(self, data: Data) -> tuple[list[NDArray], list[NDArray]]:
        """The gradient of the mean cost over ``data``, without L1 and L2 terms.

        Parameters
        ----------
        data : as for ``accuracy``

        Returns
        -------
        (nabla_b, nabla_w) : lists of arrays with the shapes of ``biases`` and ``weights``
            dC/db and dC/dw, layer by layer.

        Raises
        ------
        ValueError, TypeError
            For data that do not fit the network, and if the output error is not finite.

        Examples
        --------
        >>> net = Network([1, 1], "quadratic", output="linear", dtype="float64")
        >>> net.weights[0], net.biases[0] = [[1.0]], [[0.0]]
        >>> nabla_b, nabla_w = net.gradient(([[1.0], [3.0]], [[0.0], [0.0]]))
        >>> nabla_b[0].tolist(), nabla_w[0].tolist()  # errors 1 and 3 at the inputs 1 and 3
        ([[2.0]], [[5.0]])
        """
        fitting = self._inputs.dataset("data", data)
        nabla = self._model.finite_gradient("data", fitting)
        values = nabla.values
        values /= len(fitting)
        return nabla.parameters.arrays("biases"), nabla.parameters.arrays("weights")

    # ---- as an object

    def save(self, filename: Filename) -> None:
        """Write the network to ``filename``, in the format of its suffix.

        - .npz: arrays of NumPy, uncompressed and without pickled objects;
        - .safetensors: those of the library safetensors, which must be installed;
        - .json, and any other or none: JSON, the book's format extended.

        All hold the same, and exactly: ``fastnet.load`` gives an equal network. JSON takes about
        five times the room. docs/file-formats.md says how to read each without fastnet.

        The book's own ``network2.load`` reads the JSON of a network of sigmoid neurons with
        the quadratic or the cross-entropy cost; it knows no others. ``inputs``, ``classes`` and
        ``features`` are further keys, which the book's reader ignores: the inputs of
        the network that it reads must be standardized already.

        Parameters
        ----------
        filename : str or path

        Raises
        ------
        ValueError
            If a weight or a bias is not finite, or if the name has the suffix of another format,
            such as .onnx, .pkl or .gz; the message has the call that writes it, if there is one.
        ImportError
            For .safetensors if the library is missing.
        OSError
            If the file cannot be written; an old file is kept.

        Examples
        --------
        >>> import fastnet
        >>> net = Network([2, 3, 1], seed=1)
        >>> net.save("net.npz")
        >>> fastnet.load("net.npz") == net
        True
        """
        self._model.parameters.check_finite()
        persistence.save(filename, self._model)

    def __eq__(self, other: object) -> bool:
        """Equal shape, neurons, cost, dtype, parameters, ``inputs`` and ``classes``."""
        if not isinstance(other, Network):
            return NotImplemented
        return self._model.equals(other._model)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def copy(self) -> Network:
        """An independent copy, with the same parameters and the same state of the generator.

        Examples
        --------
        >>> net = Network([2, 3, 1], seed=1)
        >>> other = net.copy()
        >>> other.large_weight_initializer()
        >>> other == net, net == net.copy()
        (False, True)
        """
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """For pickles and copies; attributes that a program set on the network are included."""
        package = {"_model", "_stream", "_inputs"}
        others = {name: value for name, value in vars(self).items() if name not in package}
        return pickles.state(self._model, self._stream, self._inputs.warned, others)

    def __setstate__(self, state: Any) -> None:
        self._check_not_training()
        fields, others = pickles.fields_of(state)
        restored = pickles.restored(fields)
        vars(self).update(others)
        self._set_up(*restored)  # last, so that a pickle cannot replace checked attributes

    if not TYPE_CHECKING:  # so that type checkers still report them
        fit, predict = AbsentMethod(), AbsentMethod()
        predict_proba, score = AbsentMethod(), AbsentMethod()

    def __dir__(self) -> list[str]:
        return without_absent(Network, [*super().__dir__()])

    def __repr__(self) -> str:
        kinds = [str(kind) for kind in self._model.hidden]
        kinds = kinds[:1] if len(set(kinds)) == 1 else kinds
        neurons = "" if set(kinds) <= {"sigmoid"} else f"{', '.join(kinds)} neurons, "
        cost = self._model.cost_spec.label
        words = [f"{neurons}{self.output} outputs, {cost} cost, {self.dtype}"]
        words += [self._model.schema.description] * (not self._model.schema.is_empty)
        return f"<Network {self.sizes}: {'; '.join(words)}>"


overridden.remember(Network)


def load(
    filename: Filename, cost: type[Cost] | Cost | str | None = None, *, seed: Seed = None
) -> Network:
    """Read a network that ``Network.save`` or the book's ``network2.py`` wrote.

    The content shows the format, whatever the name of the file.

    Parameters
    ----------
    filename : str or path
    cost : class, object, name or None
        None takes the cost that the file names. A network with a cost class of
        your own needs that class here.
    seed : as for ``Network``
        For the random numbers that the network draws later; loading draws none.

    Returns
    -------
    Network
        In the dtype that the file names; float64 for a file of the book's program.

    Raises
    ------
    ValueError
        If the file is damaged, does not hold a network, is a pipe or a device, names an
        unknown cost or was written by a newer release in a format that this one does not know;
        the message says what was expected and found.
    OSError
        If it cannot be read.
    ImportError
        For .safetensors if the library is missing.

    Examples
    --------
    >>> Network([2, 3, 1], "quadratic", seed=1).save("net.json")
    >>> load("net.json")
    <Network [2, 3, 1]: sigmoid outputs, quadratic cost, float32>
    """
    model, net = persistence.load(filename, cost), Network.__new__(Network)
    net._set_up(model, RandomStream(seed))
    return net


def model_of(net: Network) -> Model:
    """The network's ``Model``, for other modules of the package."""
    return net._model


def stream_of(net: Network) -> RandomStream:
    """The network's ``RandomStream``, for other modules of the package and benchmarks."""
    return net._stream


def inputs_of(net: Network) -> NetworkInputs:
    """The network's ``NetworkInputs``, for other modules of the package."""
    return net._inputs
