"""The estimators as models of ONNX: by themselves, and as parts of a model that skl2onnx makes.

Both have the outputs that skl2onnx gives to estimators of scikit-learn: ``label`` and
``probabilities``, or ``variable``. onnx_registry.py registers ``convert`` and ``set_shapes``.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from fastnet.convert import to_onnx
from fastnet.convert.onnx_graph import OPSET, Graph, Operators, check_kinds
from fastnet.convert.sklearn_estimators import check_predictions
from fastnet.core import checks, extras, files
from fastnet.model import Model
from fastnet.network import model_of
from fastnet.nn.activations import ACTIVATIONS

if TYPE_CHECKING:
    import onnx


class OnnxExport:
    """A part of both estimators."""

    _multilabel = False  # classifiers set it

    def to_onnx(self, path: str | os.PathLike[str] | None = None) -> onnx.ModelProto:
        """The fitted estimator as a model of ONNX, for ONNX Runtime and other programs.

        Its input is ``X``, (N, n_features) in the type of the network. A classifier has the outputs
        ``label``, as ``predict``, and ``probabilities``, as ``predict_proba``; a regressor
        has ``variable``, (N, n_outputs), also for one output. These are the names that
        skl2onnx gives. docs/onnx.md has examples, and how skl2onnx converts pipelines.

        Parameters
        ----------
        path : str, path or None
            The file to write, atomically; None: none is written.

        Returns
        -------
        onnx.ModelProto
            ``metadata_props`` has, as JSON, ``classes`` and, if it was fitted to a frame,
            ``features``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError, TypeError
            If ONNX cannot say an activation or the names of the classes; for a subclass with
            predictions of its own.
        OSError, ImportError
            If the file cannot be written, or the package onnx is missing.

        Examples
        --------
        >>> from fastnet.sklearn import MLPRegressor
        >>> X = np.linspace(-2, 2, 200)[:, None]
        >>> regressor = MLPRegressor((5,), random_state=0).fit(X, X[:, 0] ** 2)
        >>> [node.op_type for node in regressor.to_onnx().graph.node]
        ['Gemm', 'Relu', 'Gemm', 'Identity']
        """
        return exported(self, path)


def exported(estimator: Any, path: Any) -> onnx.ModelProto:
    """The model of ONNX for the method ``to_onnx`` of an estimator."""
    extras.needed("to_onnx", "onnx")
    check_is_fitted(estimator)
    check_predictions("to_onnx", estimator)
    if path is not None:
        files.check_writable(checks.path("path", path))
    model = _checked(estimator)
    graph, n_in = Graph(model.dtype), model.sizes[0]
    z = graph.layers(model, graph.input("X", model.dtype, n_in, "inputs"))
    properties = {**to_onnx.metadata(model), **_names(estimator)}
    if hasattr(estimator, "classes_"):
        labels, probabilities = classified(graph, estimator, z)
        n = len(estimator.classes_)
        shape = ["N", n] if is_multilabel(estimator) else ["N"]
        kind = np.int64 if is_multilabel(estimator) else _class_array(estimator.classes_).dtype
        graph.output("label", labels, kind, shape, "predict")
        graph.output("probabilities", probabilities, model.dtype, ["N", max(n, 2)], "predict_proba")
    else:
        a = graph.activation(ACTIVATIONS[model.cost_spec.output], z)
        graph.output("variable", a, model.dtype, ["N", model.sizes[-1]], "predict")
    return to_onnx.finished(graph, path, repr(estimator.network_), properties)


def _checked(estimator: Any) -> Model:
    """The network's model, if ONNX can say it."""
    model = model_of(estimator.network_)
    check_kinds("to_onnx", model)
    model.parameters.check_finite()
    if hasattr(estimator, "classes_"):
        _class_array(estimator.classes_)
    return model


def _names(estimator: Any) -> dict[str, str]:
    """The names of classes and features as metadata."""
    known = {"features": getattr(estimator, "feature_names_in_", None)}
    if len(getattr(estimator, "classes_", ())) > 1 and not is_multilabel(estimator):
        known["classes"] = _class_array(estimator.classes_)
    return {key: json.dumps(each.tolist()) for key, each in known.items() if each is not None}


def is_multilabel(estimator: Any) -> bool:
    """Whether a classifier was fitted to several labels for each example."""
    return bool(estimator._multilabel)


def _class_array(classes: NDArray) -> NDArray:
    """The names of the classes in a type of ONNX: strings, int64, float64 or bool.

    Raises
    ------
    ValueError
        For objects other than strings, and for integers beyond int64.
    """
    kind = classes.dtype.kind
    if kind == "O" and all(isinstance(each, str) for each in classes):
        return classes
    if kind not in "biufUT":
        raise ValueError(
            f"classes_: expected strings, numbers or booleans, got {checks.some(classes.tolist())}"
        )
    if kind == "u" and classes.max() > np.iinfo(np.int64).max:
        raise ValueError(f"classes_: expected integers of at most 63 bits, got {classes.max()}")
    types = {"U": object, "T": object, "b": bool, "f": np.float64}
    return classes.astype(types.get(kind, np.int64))


# ---- from z to labels and probabilities


def classified(op: Operators, estimator: Any, z: str) -> tuple[str, str]:
    """The labels, (N,) or (N, n_outputs), and the probabilities, as ``predict`` and
    ``predict_proba`` compute them, from z of the output layer."""
    model = model_of(estimator.network_)
    kind = ACTIVATIONS[model.cost_spec.output]
    classes = estimator.classes_
    if is_multilabel(estimator):
        return op.cast(_above_half(op, model, z), np.dtype(np.int64)), op.activation(kind, z)
    if model.sizes[-1] == 1:
        a = op.activation(kind, z)
        mirrored = op.activation(kind, op("Neg", z)) if kind.symmetric else op("Sub", 1.0, a)
        shares = op("Concat", mirrored, a, axis=1)
        above = op.cast(_above_half(op, model, z), np.dtype(np.int64))
        index = op("Reshape", above, op.constant(np.array([-1], np.int64), "shape"))
    else:
        shares = op.activation(ACTIVATIONS["softmax"], _logits(op, model, z))
        index = op("ArgMax", z, axis=1, keepdims=0)
    if len(classes) == 1:
        index = op("Mul", index, op.constant(np.array(0, np.int64), "zero"))
    return op("Gather", op.constant(_class_array(classes), "classes"), index), shares


def _above_half(op: Operators, model: Model, z: str) -> str:
    half = ACTIVATIONS[model.cost_spec.output].half
    if half is None:
        return op("Greater", op.activation(ACTIVATIONS[model.cost_spec.output], z), 0.5)
    return op("Greater", z, float(half))


def _logits(op: Operators, model: Model, z: str) -> str:
    """The numbers whose softmax are the probabilities of several classes."""
    name = model.cost_spec.output
    if name == "softmax":
        return z
    if name == "sigmoid":  # ln sigmoid(z), without the overflow of e^-z
        tail = op("Log", op("Add", op("Exp", op("Neg", op("Abs", z))), 1.0))
        return op("Sub", op("Min", z, 0.0), tail)
    raise ValueError(
        f"to_onnx: expected softmax or sigmoid outputs for several classes, got {name}"
    )


# ---- skl2onnx


class _Container(Operators):
    """Adds nodes to a model that skl2onnx makes."""

    def __init__(self, dtype: np.dtype, scope: Any, container: Any):
        super().__init__(dtype)
        self._scope, self._container = scope, container

    def add_node(
        self, name: str, inputs: list[str], attributes: dict[str, Any], domain: str
    ) -> str:
        output: str = self._scope.get_unique_variable_name(name)
        self._container.add_node(
            name, inputs, [output], op_domain=domain, op_version=OPSET,
            name=self._scope.get_unique_operator_name(name), **attributes,
        )  # fmt: skip
        return output

    def constant(self, values: NDArray, name: str = "constant") -> str:
        from onnx import TensorProto, helper

        made: str = self._scope.get_unique_variable_name(name)
        is_text = values.dtype.kind in "OU"
        kind = TensorProto.STRING if is_text else helper.np_dtype_to_tensor_dtype(values.dtype)
        content = [each.encode() for each in values] if is_text else values.ravel()
        self._container.add_initializer(made, kind, values.shape, content)
        return made


def convert(scope: Any, operator: Any, container: Any) -> None:
    """The converter of skl2onnx's interface: nodes for the estimator of ``operator``."""
    estimator = operator.raw_operator
    check_is_fitted(estimator)
    model = _checked(estimator)
    op = _Container(model.dtype, scope, container)
    z = op.layers(model, op.cast(operator.inputs[0].full_name, model.dtype))
    made: tuple[str, ...]
    if hasattr(estimator, "classes_"):
        made = classified(op, estimator, z)
    else:
        made = (op.activation(ACTIVATIONS[model.cost_spec.output], z),)
    for value, variable in zip(made, operator.outputs, strict=True):
        wide = type(variable.type).__name__.startswith("Double")
        wanted = np.dtype(np.float64 if wide else np.float32)
        is_label = len(made) == 2 and value is made[0]
        if not is_label and wanted != model.dtype:
            value = op.cast(value, wanted)
        container.add_node("Identity", [value], [variable.full_name])


def set_shapes(operator: Any) -> None:
    """The shape calculator of skl2onnx's interface: types and shapes of the outputs."""
    from skl2onnx.common import data_types

    estimator, given = operator.raw_operator, operator.inputs[0].type
    real = data_types.guess_tensor_type(given)
    if not hasattr(estimator, "classes_"):
        operator.outputs[0].type = type(real)([None, estimator.n_outputs_])
        return
    n = len(estimator.classes_)
    types = {
        "O": data_types.StringTensorType, "f": data_types.DoubleTensorType,
        "b": data_types.BooleanTensorType,
    }  # fmt: skip
    if is_multilabel(estimator):
        operator.outputs[0].type = data_types.Int64TensorType([None, n])
    else:
        kind = _class_array(estimator.classes_).dtype.kind
        operator.outputs[0].type = types.get(kind, data_types.Int64TensorType)([None])
    operator.outputs[1].type = type(real)([None, max(n, 2)])
