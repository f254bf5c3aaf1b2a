"""The methods that convert a ``Network`` to and from models of other programs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastnet.core.random_stream import RandomStream, Seed
from fastnet.data.dataset import Data
from fastnet.data.frames import Columns
from fastnet.data.labels import Label
from fastnet.model import Model
from fastnet.network_inputs import NetworkInputs
from fastnet.nn.activations import Activation
from fastnet.nn.cost_base import Cost
from fastnet.training.overridden import check_feedforward

if TYPE_CHECKING:
    import onnx

    from fastnet.convert.c_report import Int8Report

Filename: TypeAlias = str | os.PathLike[str]


class ConversionMethods:
    """A part of ``Network``."""

    _model: Model
    _inputs: NetworkInputs

    if TYPE_CHECKING:

        def _set_up(self, model: Model, stream: RandomStream) -> None: ...

    @classmethod
    def _of_model(cls, model: Model, seed: Seed) -> Self:
        net = cls.__new__(cls)
        net._set_up(model, RandomStream(seed))
        return net

    # ---- ONNX

    def to_onnx(
        self, path: Filename | None = None, *, input_dtype: DTypeLike | None = None
    ) -> onnx.ModelProto:
        """The network as a model of ONNX, for ONNX Runtime and other programs.

        The graph has what ``feedforward`` does with numbers: the standardization of ``inputs``, all
        layers, and for bytes ``input_scale``. Its input ``x`` is (N, n_in), its output ``a``
        (N, n_out), with N examples, as many as there are in a call. A network with a ``Table`` has
        an input (N, 1) for each raw column instead, by name: strings for a column of categories
        and numbers for the others. The output is ``a_2`` if a column is called ``a``.

        Parameters
        ----------
        path : str, path or None
            The file to write, atomically; None: none is written.
        input_dtype : "float32", "float64", "uint8" or None
            The type of ``x``, or of a table's columns of numbers. uint8 is multiplied by
            ``input_scale`` if the network has one, as in ``feedforward``. None: the network's
            dtype, float64 with a ``Table``.

        Returns
        -------
        onnx.ModelProto
            Its operators are those of opset 13, which ONNX Runtime 1.7 and later run. If the
            network has them, ``classes`` and ``features`` (names), ``input_scale`` and ``cost``
            are in ``metadata_props``, as JSON.

        Raises
        ------
        ValueError, TypeError
            If ONNX cannot represent the network: an activation has no formula for ONNX,
            ``inputs`` is of another class than ``Standardize`` and ``Table``, ``feedforward`` is
            overridden, parameters are not finite, or they take more than 2 GB. Also for an invalid
            ``input_dtype``.
        OSError
            If the file cannot be written; an old file is kept.
        ImportError
            If the package onnx is missing.

        Notes
        -----
        A graph of ONNX does not check its inputs: NaN gives NaN. Categories of a ``Table`` must be
        the exact texts of ``Table.categories``, an empty string if they are missing; with
        unknown="error" ONNX Runtime refuses others. float64 networks with GELU neurons compute
        erf in float32, the only type in which ONNX Runtime has it.

        Examples
        --------
        >>> import fastnet
        >>> net = fastnet.Network([3, 4, 2], classes=["ham", "spam"], seed=1)
        >>> model = net.to_onnx("net.onnx")
        >>> [node.op_type for node in model.graph.node]
        ['Gemm', 'Sigmoid', 'Gemm', 'Sigmoid', 'Identity']
        >>> {prop.key: prop.value for prop in model.metadata_props}
        {'classes': '["ham", "spam"]', 'cost': '"CrossEntropyCost"'}
        """
        from fastnet.convert import to_onnx

        check_feedforward(self, "to_onnx")
        return to_onnx.to_onnx(self._model, path, input_dtype, repr(self))

    @classmethod
    def from_onnx(
        cls,
        source: Filename | bytes | onnx.ModelProto,
        cost: type[Cost] | Cost | str | None = None,
        *,
        seed: Seed = None,
    ) -> Self:
        """The network that a model of ONNX computes.

        The graph must be a chain of fully connected layers, as PyTorch, skl2onnx and ``to_onnx``
        write them: Gemm, or MatMul and Add, with constant weights, and activations that fastnet
        has, in any of their usual forms. Sub, Add, Mul, Div and ai.onnx.ml's Scaler on the inputs
        become a ``Standardize``; a factor of bytes becomes ``input_scale``. Cast between
        floating-point types, Identity, Flatten, Reshape that changes nothing and Dropout are left
        out. The outputs of a classifier must include the probabilities, which become those of the
        network; 1 - p and p of two classes become one output neuron, p.

        Parameters
        ----------
        source : str, path, bytes or onnx.ModelProto
            A file, its content, or a model. Tensors in other files ("external data") are refused.
        cost : class, object, name or None
            None: the cost that ``to_onnx`` stored; otherwise cross-entropy for sigmoid outputs,
            log-likelihood for softmax, quadratic for linear and Poisson for exponential outputs.
        seed : as for ``Network``
            For the random numbers that the network draws later; reading draws none.

        Returns
        -------
        Network
            In the dtype of the weights. It has ``classes`` if the graph names them.

        Raises
        ------
        ValueError, TypeError
            For a damaged model, and for one that is not such a network; the message gives the
            node's name and operator.
        OSError
            If the file cannot be read.
        ImportError
            If the package onnx is missing.

        Examples
        --------
        >>> import fastnet
        >>> net = fastnet.Network([3, 4, 2], "log-likelihood", hidden="tanh", seed=1)
        >>> fastnet.Network.from_onnx(net.to_onnx()) == net
        True
        """
        from fastnet.convert import from_onnx

        return cls._of_model(from_onnx.from_onnx(source, cost), seed)

    # ---- scikit-learn

    @classmethod
    def from_sklearn(cls, estimator: Any, *, seed: Seed = None) -> Self:
        """The network of a fitted estimator of scikit-learn, with the same outputs.

        Up to rounding, the outputs are those of ``predict`` for a regressor, and those of
        ``predict_proba`` for a classifier; for two classes, only its second column. The network has
        the names of the classes and of the features, a StandardScaler as its ``inputs``, and is
        float32 if the parameters are. The cost is cross-entropy for logistic outputs, log-likelihood for softmax,
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
            For other objects, for subclasses with predictions of their own, for other steps of a
            Pipeline, by name, and for classes that are no strings, numbers or booleans.
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
        from fastnet.convert import sklearn_estimators

        return cls._of_model(sklearn_estimators.model_of(estimator), seed)

    # ---- PyTorch

    def to_torch(self) -> Any:
        """The network as an ``nn.Sequential`` of PyTorch, with copies of the parameters.

        The module maps (n, n_in) or (n_in,) to the outputs of ``feedforward``, up to rounding. It
        has an ``nn.Linear`` and the module of the activation for each layer, in the network's
        dtype. If the network has an ``input_scale`` or standardizes its inputs, a first module
        does this, with float64 buffers for means and deviations. The attributes ``classes`` and
        ``features`` are those of the network. If ``inputs`` is a ``Table``, the module takes what
        ``net.inputs.encode(rows)`` returns.

        Returns
        -------
        torch.nn.Sequential
            On the CPU, in training mode like any new module. The mode makes no difference, since
            the module has no dropout (in fastnet it is an argument of ``SGD``).

        Raises
        ------
        ValueError, TypeError
            For an activation that has no module in PyTorch, by name, parameters that are not
            finite, and an overridden ``feedforward``.
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
        from fastnet.convert import torch_networks

        check_feedforward(self, "to_torch")
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

        ``Network.from_torch(net.to_torch(), net.cost)`` equals ``net``, unless ``inputs`` is a
        ``Table``: then only its standardization is kept.

        Parameters
        ----------
        module : torch.nn.Sequential or torch.nn.Linear
            It may contain Linear modules, with bias or without, all in float32 or all in float64;
            the activations that ``to_torch`` makes; and Sequentials of these. If no activation
            follows the last Linear, the outputs are linear. Dropout, which does nothing in eval
            mode, Identity, and Flatten of all dimensions but the first are skipped.
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
            For other modules; the message gives the index and the class, such as "module[2]:
            expected ..., got BatchNorm1d".
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
        from fastnet.convert import torch_networks

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
        """The network equivalent to a Keras model that is a chain of Dense layers.

        Keras is not needed: ``np.savez("weights.npz", *model.get_weights())`` stores the weights
        for a machine without it. The activations are not among the weights, so they are arguments.

        Parameters
        ----------
        weights : sequence of ndarray
            What ``model.get_weights()`` returns: for each Dense layer its kernel, (n_in, n_out),
            and, if it has one, its bias, (n_out,), in float32 or float64.
        cost : as for ``Network``, or None
            None: as for ``from_torch``.
        hidden : as for ``Network``
            The activations of the hidden layers. Keras's "silu" is "swish" here. Its "leaky_relu"
            is ``fastnet.LeakyReLU(0.2)``, as its default slope is another one. Its "gelu" is the
            same unless it is approximate.
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
            For weights of other layers, and for shapes that do not match; the message gives the
            index, such as "weights[2]: expected ...".

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
        from fastnet.convert import layers

        schema = {"inputs": None, "classes": classes, "features": features}
        found = layers.of_keras_weights(weights)
        return cls._of_model(layers.model_of(found, hidden, output, cost, schema), seed)

    # ---- C

    def to_c(
        self,
        path: Filename,
        name: str = "net",
        *,
        scale: float | None = None,
        jacobian: bool = False,
        examples: ArrayLike | Columns | None = None,
        int8: bool = False,
        data: Data | None = None,
    ) -> Int8Report | None:
        """Write the network as one C99 file, which is also valid C++, for the smallest machines.

        It defines ``void net(const float *x, float *a)``, which computes the outputs a
        (n_out,) of the inputs x (n_in,), with double instead of float for a float64 network. The
        file needs no library, allocates nothing and keeps no state. ``input_scale`` and ``inputs``
        are part of the function, so that x are raw inputs, as in the training data. The comment at
        the top says how much memory the function needs, how to compile the file, and when the
        outputs have the same bits as those of ``predictor``. See docs/c-export.md for more.

        Parameters
        ----------
        path : str or path
            Ends in .c, .h, .inc, .cc, .cpp, .cxx or .hpp. An existing file is replaced when the
            new one is complete.
        name : str, default "net"
            The name of the function; all other names in the file begin with it.
        scale : float or None
            The factor of x; None: ``input_scale``, or 1 if the network has none. Pass 1 if x are
            scaled already. Unlike ``feedforward``, which multiplies only bytes, the
            function multiplies every x.
        jacobian : bool, default False
            Whether to add ``void net_jacobian(const float *x, float *a, float *j)``, which also
            computes the derivatives j (n_out, n_in) of the outputs with respect to x.
        examples : (n, n_in) array-like, frame or None
            At most 1000 raw inputs for the test in the file, which compares the outputs with those
            of this network. None: five random examples, the same ones at each call.
        int8 : bool, default False
            Whether to round the weights to 8 bits, with a scale for each neuron, which needs a
            quarter of the flash memory. The sums are then computed with integers, which is much
            faster without a floating-point unit; biases and activations are not rounded. Not with
            ``jacobian``.
        data : Dataset, pair (X, y) or iterable of (x, y), or None
            Only with ``int8``: examples on which the effect of the rounding is measured. The report
            is returned and written into the comment at the top.

        Returns
        -------
        Int8Report or None
            With ``data``: the accuracy before and after the rounding or, if the targets are
            numbers, the root mean squared error and R²; see
            ``fastnet.convert.c_report.Int8Report``.

        Raises
        ------
        ValueError, TypeError
            For an invalid argument, parameters that are not finite, an overridden ``feedforward``,
            or an activation that is not available in C. The message names it.
        OSError
            If the file cannot be written; an old file is kept.

        Examples
        --------
        >>> import fastnet
        >>> net = fastnet.Network([4, 16, 2], hidden="relu", seed=1)
        >>> net.to_c("net.c")
        >>> with open("net.c") as file:
        ...     print(file.read().splitlines()[2])
         *     void net(const float *x, float *a);
        """
        from fastnet.convert import to_c

        check_feedforward(self, "to_c")
        fitting = None if data is None else self._inputs.dataset("data", data)
        return to_c.write(
            path, self._model, name, scale=scale, jacobian=jacobian, examples=examples, int8=int8,
            data=fitting,
        )  # fmt: skip
