"""Networks as an ``nn.Sequential`` of PyTorch, and back.

An activation's class names its module in ``torch_module``. PyTorch is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.architecture import DTYPES
from fastnet.convert import layers
from fastnet.convert.layers import Layer
from fastnet.core import checks, extras
from fastnet.data.input_transform import Standardize
from fastnet.model import Model
from fastnet.nn import activations
from fastnet.nn.activations import ACTIVATIONS, Activation

_SKIPPED = ("Dropout", "Flatten", "Identity")


def _own() -> Any:
    return import_module("fastnet.convert.torch_modules")


def _class(name: str) -> Any:
    """The class of a module, by its name in ``Activation.torch_module``."""
    from torch import nn

    return getattr(_own(), name, None) or getattr(nn, name)


# ---- to PyTorch


def sequential(model: Model) -> Any:
    """The model as an ``nn.Sequential`` with copies of its parameters.

    Raises
    ------
    ValueError
        For an activation without a module in PyTorch, by name; for parameters that are not finite.
    ImportError
        If PyTorch is missing.
    """
    torch = extras.needed("to_torch", "torch")
    model.parameters.check_finite()
    kinds = (*model.hidden, ACTIVATIONS[model.cost_spec.output])
    roles = [f"hidden[{l}]" for l in range(len(model.hidden))] + ["output"]
    made = [_activation(role, kind) for role, kind in zip(roles, kinds, strict=True)]
    parts = [] if _takes_plain_inputs(model) else [_inputs(torch, model)]
    arrays = zip(*(model.parameters.arrays(name) for name in ("weights", "intercepts_")),
                 strict=True)  # fmt: skip
    for (w, b), neurons in zip(arrays, made, strict=True):
        parts += [_linear(torch, w, b), neurons]
    module = torch.nn.Sequential(*parts)
    module.classes, module.features = model.schema.classes, model.schema.features
    return module


def _takes_plain_inputs(model: Model) -> bool:
    return model.input_scale is None and model.schema.standardize is None


def _inputs(torch: Any, model: Model) -> Any:
    by = model.schema.standardize
    moments = None if by is None else (by.mean if by.with_mean else None, by.deviation)
    features = None if by is None else by.features
    return _own().Inputs(model.input_scale, moments, getattr(torch, model.dtype.name), features)


def _linear(torch: Any, w: NDArray, b: NDArray) -> Any:
    """An ``nn.Linear`` with these parameters; PyTorch's random generator is not used."""
    n_out, n_in = w.shape
    dtype = getattr(torch, w.dtype.name)
    linear = torch.nn.utils.skip_init(torch.nn.Linear, n_in, n_out, dtype=dtype, device="cpu")
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(np.array(w, order="C")))
        linear.bias.copy_(torch.from_numpy(np.array(b)))
    return linear


def _activation(role: str, kind: Activation) -> Any:
    if kind.torch_module is None:
        known = ", ".join(name for name, each in ACTIVATIONS.items() if each.torch_module)
        raise ValueError(
            f"{role}: expected one of {known}, which have a module in PyTorch; got {kind}"
        )
    name, arguments = kind.torch_module
    given = {key: _value(kind, value) for key, value in arguments.items()}
    return _class(name)(**given)


def _value(kind: Activation, value: Any) -> Any:
    """The value of an argument in ``torch_module``: "{slope}" stands for the parameter of that
    name, and a tuple lists equivalent values, of which the first is used."""
    if isinstance(value, tuple):
        return value[0]
    return kind.named_parameters[_parameter(value)]


def _parameter(value: str) -> str:
    return value.strip("{}")


# ---- from PyTorch


def model_of(module: Any, cost: Any, names: Mapping[str, Any]) -> Model:
    """The model of an ``nn.Linear`` or an ``nn.Sequential``, which may be nested.

    Parameters
    ----------
    module : torch.nn.Module
    cost : as for ``Network``, or None
    names : dict
        The arguments ``classes`` and ``features`` of ``Network``. None: those that ``sequential``
        has stored as attributes, if there are any.

    Raises
    ------
    TypeError, ValueError
        For a module that a network does not have; the message gives its index and class.
    ImportError
        If PyTorch is missing.
    """
    torch = extras.needed("from_torch", "torch")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module: expected an nn.Sequential, got {checks.short_repr(module)}")
    reader = _Reader()
    for place, each in _flat("module", module):
        reader.read(place, each)
    if not reader.layers:
        raise ValueError("module: expected a Linear or more, got none")
    *hidden, output = reader.kinds
    schema = {name: _stored(module, name) if given is None else given
              for name, given in names.items()}  # fmt: skip
    found = layers.model_of(
        reader.layers,
        [_in_role(*kind, "hidden") for kind in hidden],
        _in_role(*output, "output").name,
        cost,
        {"inputs": reader.standardize, **schema},
    )
    found.parameters.input_scale = reader.scale
    return found


def _stored(module: Any, name: str) -> Any:
    names = getattr(module, name, None)
    return names if isinstance(names, tuple) else None


def _flat(place: str, module: Any) -> Iterator[tuple[str, Any]]:
    """(place, module) of all modules in the order of computation; a place is like
    "module[1][0]"."""
    from torch import nn

    if type(module) is nn.Sequential:
        _check_plain(place, module)
        for i, each in enumerate(module):  # children() would skip a module that occurs twice
            yield from _flat(f"{place}[{i}]", each)
    else:
        yield place, module


def _check_plain(place: str, module: Any) -> None:
    """Raise a ValueError if a call of the module may compute something else than its class."""
    state = vars(module)
    if "forward" in state:
        raise ValueError(f"{place}: expected the forward of its class, got one of the object")
    for kind in ("_forward_hooks", "_forward_pre_hooks"):
        if state.get(kind):
            raise ValueError(
                f"{place}: expected a module without hooks, which may change what it computes, got "
                f"{len(state[kind])} of {kind[1:]}"
            )


def _in_role(place: str, kind: Activation, role: activations.Role) -> Activation:
    if role not in kind.roles:
        names = ", ".join(_names(role))
        what = "hidden neurons" if role == "hidden" else "the outputs"
        got = kind.torch_module and kind.torch_module[0]
        raise ValueError(f"{place}: expected one of {names} for {what}, got {got}")
    return kind


def _names(role: activations.Role | None = None) -> Iterable[str]:
    """The names of the modules of the activations with this role, or of all activations."""
    for kind in ACTIVATIONS.values():
        if kind.torch_module is not None and (role is None or role in kind.roles):
            yield kind.torch_module[0]


class _Reader:
    """Collects the layers and the input transform from the modules of a Sequential.

    Attributes
    ----------
    layers : list of Layer
    kinds : list of (str, Activation)
        The activation of each layer, and the place of its module.
    standardize : Standardize or None
    scale : float or None
    """

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.kinds: list[tuple[str, Activation]] = []
        self._follows = ""  # the activation after the last Linear, if there is one
        self._is_at_start = True  # where the module Inputs may be
        self.standardize: Standardize | None = None
        self.scale: float | None = None
        self._known = {
            _class(kind.torch_module[0]): kind
            for kind in ACTIVATIONS.values()
            if kind.torch_module is not None
        }

    def read(self, place: str, module: Any) -> None:
        from torch import nn

        kind = type(module)
        if kind is nn.Linear:
            self._read_linear(place, module)
        elif kind is _own().Inputs and self._is_at_start:
            self._read_inputs(place, module)
        elif kind is nn.Flatten:
            _check_flatten(place, module)
        elif kind in (nn.Dropout, nn.Identity):
            pass  # the identity in eval mode
        elif kind in self._known:
            self._read_activation(place, module)
        else:
            known = ", ".join(dict.fromkeys(["Linear", *_names(), *_SKIPPED]))
            raise TypeError(
                f"{place}: expected one of {known}, or a Sequential of them; got {kind.__name__}"
            )
        _check_plain(place, module)  # last, since pruning has hooks, too

    def _read_linear(self, place: str, module: Any) -> None:
        parameters = {name for name, _ in module.named_parameters()}
        odd = sorted(parameters - {"weight", "bias"})
        if odd:  # the weights are computed from others at each call
            raise ValueError(
                f"{place}: expected a Linear with the parameters weight and bias, got {odd[0]}, too"
            )
        w = _array(f"{place}.weight", module.weight)  # which may also be a buffer
        b = None if module.bias is None else _array(f"{place}.bias", module.bias)
        if self.layers and self.layers[0].kernel.dtype != w.dtype:
            raise TypeError(
                f"{place}: expected {self.layers[0].kernel.dtype}, as {self.layers[0].place}, "
                f"got {w.dtype}"
            )
        self.layers.append(Layer(place, w.T, b))
        self.kinds.append((place, ACTIVATIONS["linear"]))
        self._follows = ""
        self._is_at_start = False

    def _read_activation(self, place: str, module: Any) -> None:
        name = type(module).__name__
        if not self.layers or self._follows:
            after = self._follows or "the inputs"
            raise ValueError(f"{place}: expected a Linear after {after}, got {name}")
        self.kinds[-1] = place, self._activation(place, module)
        self._follows = name

    def _activation(self, place: str, module: Any) -> Activation:
        kind = self._known[type(module)]
        assert kind.torch_module is not None
        parameters = {}
        for name, value in kind.torch_module[1].items():
            given = getattr(module, name)
            if not isinstance(value, tuple):
                parameters[_parameter(value)] = given
            elif given not in value:
                expected = " or ".join(map(repr, value))
                raise ValueError(f"{place}.{name}: expected {expected}, got {given!r}")
        with checks.error_prefix(place):
            return type(kind)(**parameters)

    def _read_inputs(self, place: str, module: Any) -> None:
        self.scale, self._is_at_start = module.scale, False
        if module.deviation is not None:
            mean = None if module.mean is None else _array(f"{place}.mean", module.mean)
            deviation = _array(f"{place}.deviation", module.deviation)
            self.standardize = Standardize(mean, deviation, features=module.features)


def _array(place: str, tensor: Any) -> NDArray:
    """The numbers of a tensor, in its memory if it is on the CPU."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in DTYPES or tensor.is_meta:
        got = "one without values, on the device meta" if tensor.is_meta else dtype
        raise TypeError(f"{place}: expected a tensor in {' or '.join(DTYPES)}, got {got}")
    array: NDArray = tensor.detach().cpu().numpy()
    return array


def _check_flatten(place: str, module: Any) -> None:
    """Raise a ValueError unless Flatten leaves rows (n, n_in) unchanged."""
    if (module.start_dim, module.end_dim) not in ((1, -1), (1, 1), (-1, -1)):
        raise ValueError(
            f"{place}: expected Flatten(start_dim=1, end_dim=-1), got Flatten("
            f"start_dim={module.start_dim}, end_dim={module.end_dim})"
        )
