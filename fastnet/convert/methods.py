"""The methods by which ``Network`` is converted to and from other programs' models."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from numpy.typing import DTypeLike

from fastnet.core.random_stream import RandomStream, Seed
from fastnet.model import Model
from fastnet.nn.cost_base import Cost
from fastnet.training.overridden import overrides

if TYPE_CHECKING:
    import onnx


class ConversionMethods:
    """A part of ``Network``."""

    _model: Model

    if TYPE_CHECKING:

        def _set_up(self, model: Model, stream: RandomStream) -> None: ...

    # ---- ONNX

    def to_onnx(
        self, path: str | os.PathLike[str] | None = None, *, input_dtype: DTypeLike | None = None
    ) -> onnx.ModelProto:
        """The network as a model of ONNX, for ONNX Runtime and other programs.

        The graph has what ``feedforward`` does with numbers: the standardization of ``inputs``, all
        layers, and for bytes ``input_scale``. Its input ``x`` is (N, n_in), its output ``a``
        (N, n_out), with N examples, as many as there are in a call. A network with a ``Table`` has
        an input (N, 1) for each raw column instead, by name: strings for a column of categories
        and numbers for the others.

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
            Operators of opset 13, which ONNX Runtime 1.7 and later run. ``metadata_props`` has, as
            JSON, ``classes`` and ``features``, the names, ``input_scale`` and ``cost``, those that
            the network has.

        Raises
        ------
        ValueError, TypeError
            If ONNX cannot say what the network computes: an activation without a formula for it,
            ``inputs`` of another class than ``Standardize`` and ``Table``, an overridden
            ``feedforward``, parameters that are not finite or larger than 2 GB; for another
            ``input_dtype``.
        OSError
            If the file cannot be written; an old file is kept.
        ImportError
            If the package onnx is missing.

        Notes
        -----
        A graph of ONNX does not check its inputs: NaN gives NaN. Categories of a ``Table`` must be
        the exact texts of ``Table.categories``, an empty string if they are missing; with
        unknown="error" ONNX Runtime refuses others. float64 networks with GELU neurons have their
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

        if overrides(self, "feedforward"):
            raise TypeError(
                "to_onnx: expected the feedforward of fastnet, which ONNX can say, got an "
                "overridden one"
            )
        return to_onnx.to_onnx(self._model, path, input_dtype, repr(self))

    @classmethod
    def from_onnx(
        cls,
        source: str | os.PathLike[str] | bytes | onnx.ModelProto,
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
        out. Of a classifier's outputs the probabilities are read; those of two classes, 1 - p and
        p, become one output neuron, p.

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
            Of the type of the weights. It has ``classes`` if the graph names them.

        Raises
        ------
        ValueError, TypeError
            For a damaged model, and for one that is not such a network: the message has the node's
            name and operator.
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

        net = cls.__new__(cls)
        net._set_up(from_onnx.from_onnx(source, cost), RandomStream(seed))
        return net

    # ---- scikit-learn

    # ---- PyTorch

    # ---- Keras

    # ---- C
