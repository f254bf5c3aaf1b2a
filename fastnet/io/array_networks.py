"""Networks as files of arrays: .npz and .safetensors.

The arrays are weights_0, (n_out, n_in), and biases_0, (n_out, 1), of the first layer, weights_1,
..., in the network's dtype. The fields of ``network_fields`` are stored as a JSON object: in .npz
the array "fastnet", in .safetensors the text "fastnet" of the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.io import network_fields, npz, safetensors_files
from fastnet.model import Model


def write_npz(path: Any, model: Model) -> None:
    """Write a model as .npz, atomically."""
    npz.write(path, dict(_arrays(model)), network_fields.of(model))


def write_safetensors(path: Any, model: Model) -> None:
    """Write a model as .safetensors, atomically."""
    text = json.dumps(network_fields.of(model), allow_nan=False)
    safetensors_files.write(path, dict(_arrays(model)), {npz.META: text})


def _arrays(model: Model) -> Iterator[tuple[str, NDArray]]:
    """The names and the arrays of a file, which are views of the parameters."""
    parameters = model.parameters
    pairs = zip(parameters.arrays("weights"), parameters.arrays("biases"), strict=True)
    for l, (weights, biases) in enumerate(pairs):
        yield f"weights_{l}", weights
        yield f"biases_{l}", biases


def read_npz(file: BinaryIO, cost: Any) -> Model:
    """The model in an open .npz file; ``cost`` replaces that of the file, if it is not None.

    Raises
    ------
    ValueError, TypeError
        If the file is damaged or has other arrays; the message names the array or the key.
    """
    archive = npz.Archive(file)
    entries = {name: (entry.dtype, entry.shape) for name, entry in archive.entries.items()}
    return _filled(archive.meta, cost, entries, archive.read_into)


def read_safetensors(file: BinaryIO, cost: Any) -> Model:
    """The model in an open .safetensors file; as ``read_npz``.

    Raises
    ------
    ImportError
        If the library is not installed.
    """
    found = safetensors_files.opened(file)
    meta = safetensors_files.described(found, npz.META)
    entries = {name: (entry.dtype, entry.shape) for name, entry in found.entries.items()}
    return _filled(meta, cost, entries, found.read_into)


def _filled(
    meta: dict[str, Any],
    cost: Any,
    entries: Mapping[str, tuple[np.dtype, tuple[int, ...]]],
    read_into: Callable[[str, NDArray], None],
) -> Model:
    """The model with these fields; ``read_into(name, out)`` reads its arrays. Memory is allocated
    only after the shapes of all arrays have been compared with the fields."""
    if "kind" not in meta or "format_version" not in meta:
        raise ValueError(
            f"expected the description of a network, found the keys {checks.some(sorted(meta))}"
        )
    fields = network_fields.checked(meta)
    _check_entries(fields["sizes"], fields["dtype"], entries)
    model = network_fields.model_of(fields, cost)
    for name, view in _arrays(model):  # pads stay zero
        read_into(name, view)
        if not np.isfinite(view).all():
            raise ValueError(f"{name}: expected finite numbers only, found one that is not")
    return model


def _check_entries(
    sizes: tuple[int, ...], dtype: str, entries: Mapping[str, tuple[np.dtype, tuple[int, ...]]]
) -> None:
    """Raise a ValueError unless the names, dtypes and shapes of the arrays are those of a network
    with these sizes."""
    known = set()
    for l, shapes in enumerate(network_fields.layer_shapes(sizes)):
        for kind, shape in shapes.items():
            name = f"{kind}_{l}"
            if name not in entries:
                raise ValueError(
                    f"expected the array {name!r}, found {checks.some(sorted(entries))}"
                )
            has, found = entries[name]
            if has.name != dtype or found != shape:
                raise ValueError(
                    f"{name}: expected {dtype} of shape {shape}, found {has} of shape "
                    f"{checks.short_repr(found)}"
                )
            known.add(name)
    for name in entries.keys() - known:
        raise ValueError(
            f"expected the {len(known)} arrays of the sizes {checks.short_repr([*sizes])}, found "
            f"{checks.short_repr(name)}, too"
        )
