"""The methods by which ``Network`` is converted to and from other programs' models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from numpy.typing import NDArray

from fastnet.convert import layers, sklearn_estimators, torch_networks
from fastnet.core.random_stream import RandomStream, Seed
from fastnet.data.labels import Label
from fastnet.model import Model
from fastnet.nn.activations import Activation
from fastnet.nn.cost_base import Cost


class ConversionMethods:
    """A part of ``Network``."""

    _model: Model

    def _set_up(self, model: Model, stream: RandomStream) -> None:
        raise NotImplementedError  # Network has it

    @classmethod
    def _of_model(cls, model: Model, seed: Seed) -> Self:
        net = cls.__new__(cls)
        net._set_up(model, RandomStream(seed))
        return net

    # ---- ONNX

    # ---- scikit-learn

    @classmethod
    def from_sklearn(cls, estimator: Any, *, seed: Seed = None) -> Self:
        """The network of a fitted estimator of scikit-learn, with the same outputs.

        The outputs are scikit-learn's ``predict`` of regressors, and its ``predict_proba``, of two
        classes the second column; both up to rounding. The names of the classes and of the features
        become those of the network, float32 parameters a float32 network, and a StandardScaler
        ``inputs``. The cost is cross-entropy for logistic outputs, log-likelihood for softmax,
        quadratic for linear and Poisson for exponential ones.

        Parameters
        ----------
        estimator : MLPClassifier, MLPRegressor or Pipeline
            Of ``sklearn.neural_network`` or of ``fastnet.sklearn``, whose cost is kept; or a
            Pipeline of at most one StandardScaler and one of these.
        seed : as for ``Network``
            For the random numbers that the network draws later; the conversion draws none.

        Returns
        -------
        Network
            Without names of classes if the classifier has several labels for each example.

        Raises
        ------
        TypeError
            For other objects, for other steps of a Pipeline, by name, and for classes that are
            no strings, numbers or booleans.
        ValueError
            If the estimator is not fitted, has a single class, or parameters that are not finite.
        ImportError
            If scikit-learn is missing.

        Examples
        --------
        >>> import fastnet
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.neural_network import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> classifier = MLPClassifier((5,), solver="lbfgs", max_iter=999, random_state=0).fit(X, y)
        >>> net = fastnet.Network.from_sklearn(classifier)
        >>> net
        <Network [4, 5, 3]: relu neurons, softmax outputs, log-likelihood cost, float64; classes 0, 1, 2>
        >>> bool(abs(net.feedforward(X) - classifier.predict_proba(X)).max() < 1e-12)
        True
        """  # noqa: E501
        return cls._of_model(sklearn_estimators.model_of(estimator), seed)

    # ---- PyTorch

    def to_torch(self) -> Any:
        """The network as an ``nn.Sequential`` of PyTorch, with copies of the parameters.

        The module maps (n, n_in) or (n_in,) to the outputs of ``feedforward``, up to rounding. It
        has an ``nn.Linear`` and the module of the activation for each layer, in the network's
        dtype. If the network has an ``input_scale`` or standardizes its inputs, a first module does
        that to raw inputs, with float64 buffers for means and deviations. The attributes
        ``classes`` and ``features`` are those of the network. Of the inputs of a ``Table`` it takes
        the numbers that ``net.inputs.encode(rows)`` returns, as ``feedforward`` also does.

        Returns
        -------
        torch.nn.Sequential
            On the CPU, in training mode as new modules are, which makes no difference: it has no
            dropout, which is an argument of a training.

        Raises
        ------
        ValueError
            For an activation that has no module in PyTorch, by name.
        ImportError
            If PyTorch is missing.

        Examples
        --------
        >>> import fastnet, torch
        >>> net = fastnet.Network([3, 4, 2], hidden="tanh", seed=1)
        >>> module = net.to_torch()
        >>> module
        Sequential(
          (0): Linear(in_features=3, out_features=4, bias=True)
          (1): Tanh()
          (2): Linear(in_features=4, out_features=2, bias=True)
          (3): Sigmoid()
        )
        >>> x = [0.1, 0.2, 0.3]
        >>> bool(abs(module(torch.tensor(x)).detach().numpy() - net.feedforward(x)).max() < 1e-6)
        True
        """
        return torch_networks.sequential(self._model)

    @classmethod
    def from_torch(
        cls,
        module: Any,
        cost: type[Cost] | Cost | str | None = None,
        *,
        classes: Iterable[Label] | None = None,
        features: Iterable[str] | None = None,
        seed: Seed = None,
    ) -> Self:
        """The network that computes what a module of PyTorch does in eval mode.

        ``Network.from_torch(net.to_torch(), net.cost)`` equals ``net``, unless its inputs are those
        of a ``Table``, of which the standardization is kept.

        Parameters
        ----------
        module : torch.nn.Sequential or torch.nn.Linear
            Of Linear modules, with bias or without, all in float32 or all in float64; activations,
            those that ``to_torch`` makes; and Sequentials of these. None after the last Linear
            stands for linear outputs. Skipped are Dropout, which does nothing in eval mode (in
            fastnet it is an argument of ``SGD``), Identity, and Flatten of all but the first
            dimension: the network takes rows.
        cost : as for ``Network``, or None
            None: cross-entropy for sigmoid outputs, log-likelihood for softmax, quadratic for
            linear and Poisson for exponential ones.
        classes, features : as for ``Network``
            None: those that ``to_torch`` has set as attributes of the module.
        seed : as for ``Network``
            For the random numbers that the network draws later; the conversion draws none.

        Returns
        -------
        Network
            In the dtype of the module, with the same parameters to the last bit.

        Raises
        ------
        TypeError, ValueError
            For a module that does not fit, by its index and class, such as "module[2]: expected
            ..., got BatchNorm1d".
        ImportError
            If PyTorch is missing.

        Examples
        --------
        >>> import fastnet
        >>> from torch import nn
        >>> module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Softmax(dim=1))
        >>> fastnet.Network.from_torch(module, classes=["ham", "spam"])
        <Network [3, 4, 2]: relu neurons, softmax outputs, log-likelihood cost, float32; classes ham, spam>
        """  # noqa: E501
        names = {"classes": classes, "features": features}
        return cls._of_model(torch_networks.model_of(module, cost, names), seed)

    # ---- Keras

    @classmethod
    def from_keras_weights(
        cls,
        weights: Iterable[NDArray],
        cost: type[Cost] | Cost | str | None = None,
        *,
        hidden: str | Activation | Iterable[str | Activation],
        output: str,
        classes: Iterable[Label] | None = None,
        features: Iterable[str] | None = None,
        seed: Seed = None,
    ) -> Self:
        """The network of a model of Keras that is a chain of Dense layers.

        Keras is not needed: ``np.savez("weights.npz", *model.get_weights())`` carries the weights
        to another machine. They do not tell the activations, which are therefore arguments.

        Parameters
        ----------
        weights : sequence of ndarray
            What ``model.get_weights()`` returns: for each Dense layer its kernel, (n_in, n_out),
            and, if it has one, its bias, (n_out,), in float32 or float64.
        cost : as for ``Network``, or None
            None: as for ``from_torch``.
        hidden : as for ``Network``
            The activations of the hidden layers. Keras has another default slope of the leaky ReLU:
            ``fastnet.LeakyReLU(0.2)`` is its "leaky_relu". "silu" is "swish" here; "gelu" is the
            same unless approximate.
        output : str
            "sigmoid", "softmax", "linear", ..., as for ``Network``.
        classes, features : as for ``Network``
        seed : as for ``Network``
            For the random numbers that the network draws later; the conversion draws none.

        Returns
        -------
        Network
            float32 if all weights are, else float64.

        Raises
        ------
        TypeError, ValueError
            For weights of other layers, and for shapes that do not fit together, by index, such as
            "weights[2]: expected ...".

        Examples
        --------
        >>> import fastnet
        >>> import numpy as np
        >>> weights = [np.ones((3, 2)), np.zeros(2), np.ones((2, 1)), np.array([0.5])]
        >>> net = fastnet.Network.from_keras_weights(weights, hidden="relu", output="linear")
        >>> net
        <Network [3, 2, 1]: relu neurons, linear outputs, quadratic cost, float64>
        >>> net.feedforward([1.0, 2.0, 3.0]).tolist()
        [12.5]
        """
        schema = {"inputs": None, "classes": classes, "features": features}
        found = layers.of_keras_weights(weights)
        return cls._of_model(layers.model_of(found, hidden, output, cost, schema), seed)

    # ---- C
