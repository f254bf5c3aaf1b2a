"""The layers of another program's network, and the model made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.architecture import DTYPES, make_model
from fastnet.core import checks
from fastnet.model import Model
from fastnet.nn import costs


class Layer(NamedTuple):
    """The parameters of one layer.

    Attributes
    ----------
    place : str
        Its name in error messages, such as "module[2]".
    kernel : (n_in, n_out) ndarray
    bias : (n_out,) ndarray or None
        None: the layer has none.
    """

    place: str
    kernel: NDArray
    bias: NDArray | None


def usual_cost(output: str) -> Any:
    """The default cost of a network with this output layer: cross-entropy if it allows this layer,
    else the first cost in the registry that does."""
    if output in costs.CrossEntropyCost.errors:
        return costs.CrossEntropyCost
    return next((cost for cost in costs.COSTS if output in cost.errors), costs.CrossEntropyCost)


def model_of(
    layers: Sequence[Layer], hidden: Any, output: Any, cost: Any = None,
    schema: Mapping[str, Any] | None = None,
) -> Model:  # fmt: skip
    """The model with copies of the layers' parameters: float32 if all of them are, else float64.

    Parameters
    ----------
    layers : sequence of Layer
        One or more.
    hidden : as for ``Network``
    output : str
    cost : as for ``Network``, or None for the usual one
    schema : dict or None
        The arguments ``inputs``, ``classes`` and ``features`` of ``Network``.

    Raises
    ------
    ValueError, TypeError
        If parameters have another type than float32 and float64, are not finite, or have shapes
        that do not match; the message names the place of the layer. Also as ``Network``.
    """
    if output is None:  # Network would use the default of the cost
        raise ValueError(f"output: expected one of {', '.join(costs.OUTPUTS)}; got None")
    for i, layer in enumerate(layers):
        _check(layer, layers[i - 1] if i else None)
    arrays = [array for layer in layers for array in layer[1:] if array is not None]
    dtype = np.result_type(*arrays).name
    sizes = [len(layers[0].kernel), *(layer.kernel.shape[1] for layer in layers)]
    cost = usual_cost(output) if cost is None else cost
    model = make_model(sizes, cost, output=output, dtype=dtype, hidden=hidden, schema=schema)
    zeros = [np.zeros(layer.kernel.shape[1]) for layer in layers]
    biases = [zero if layer.bias is None else layer.bias
              for layer, zero in zip(layers, zeros, strict=True)]  # fmt: skip
    model.parameters.bind("coefs_", [layer.kernel for layer in layers])
    model.parameters.bind("intercepts_", biases)
    return model


def _check(layer: Layer, before: Layer | None) -> None:
    """Raise an error that names the layer unless it fits the one before."""
    place, kernel, bias = layer
    if kernel.ndim != 2 or not kernel.size:
        raise ValueError(f"{place}: expected weights (n_in, n_out), got shape {kernel.shape}")
    n_in, n_out = kernel.shape
    if before is not None and n_in != before.kernel.shape[1]:
        raise ValueError(
            f"{place}: expected {before.kernel.shape[1]} inputs, the outputs of {before.place}, "
            f"got {n_in}"
        )
    if bias is not None and bias.shape != (n_out,):
        raise ValueError(
            f"{place}: expected biases of shape ({n_out},), one for each output, got {bias.shape}"
        )
    for array in (kernel, bias):
        if array is not None:
            _check_numbers(place, array)


def _check_numbers(place: str, array: NDArray) -> None:
    if array.dtype.name not in DTYPES:
        raise TypeError(f"{place}: expected parameters in {' or '.join(DTYPES)}, got {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{place}: expected finite parameters, got NaN or infinity")


def of_keras_weights(weights: Any) -> list[Layer]:
    """The layers of a list of arrays, as ``model.get_weights()`` of Keras returns it: kernels
    (n_in, n_out), each followed by its bias (n_out,) if it has one.

    Raises
    ------
    ValueError, TypeError
        For other arrays; the message gives the index.

    Examples
    --------
    >>> layers = of_keras_weights([np.ones((3, 4)), np.zeros(4), np.ones((4, 1))])
    >>> [(layer.kernel.shape, layer.bias is None) for layer in layers]
    [((3, 4), False), ((4, 1), True)]
    """
    if isinstance(weights, str | bytes | np.ndarray) or not isinstance(weights, Iterable):
        raise TypeError(
            f"weights: expected a list of arrays, as model.get_weights() returns it, "
            f"got {checks.short_repr(weights)}"
        )
    layers: list[Layer] = []
    for i, value in enumerate(weights):
        place = f"weights[{i}]"
        array = checks.array(place, value)
        if array.ndim == 2:
            layers.append(Layer(place, array, None))
        elif array.ndim == 1 and layers and layers[-1].bias is None:
            layers[-1] = layers[-1]._replace(bias=array)
        else:
            raise ValueError(
                f"{place}: expected the weights of Dense layers, a kernel (n_in, n_out) and its "
                f"bias (n_out,) for each, got shape {array.shape}"
            )
    if not layers:
        raise ValueError("weights: expected the weights of one layer or more, got none")
    return layers
