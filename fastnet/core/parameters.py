"""The parameters of one network, and the lists through which a program reads and sets them.

As in the book's network2.py, where training binds new arrays, an array that a program took
before a training keeps its values. The storage is replaced at the start of a kernel call that
trains, by an assignment or an initializer, and when earlier parameters are restored. Arrays that
were returned before become read-only, so that a later write raises an error.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, SupportsIndex, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fastnet.core import _kernels, checks, memmap

T = TypeVar("T")


class NotFiniteError(ValueError):
    """Parameters, or values computed from them, are NaN or infinite. If it is raised during a
    training by an overridden method, the training has diverged."""


class FixedList(list[T]):
    """A list that cannot be changed, for properties whose changes would have no effect.

    Slices, sums, products, copies and pickles are plain lists.

    Parameters
    ----------
    name : str
        The list's name in errors.
    elements : iterable
    """

    def __init__(self, name: str, elements: Iterable[T]):
        super().__init__(elements)
        self._name = name

    _EXPECTED = "no change of this list"

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        owner = "estimator" if self._name.endswith("_") else "net"
        raise TypeError(
            f"{self._name}: expected {self._EXPECTED}; list({owner}.{self._name}) is a copy that "
            f"can be changed"
        )

    def __setitem__(self, which: Any, new: Any) -> None:
        self._refuse()

    __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Copies and pickles are plain lists."""
        return list, (list(self),)


class ParameterList(FixedList[NDArray[Any]]):
    """The weights or the biases of all layers, one array for each.

    The arrays are the network's own memory until its storage is replaced. An assignment to an
    element or a slice checks all new values and copies them to new storage. The number of layers
    is fixed. ``==`` compares values.
    """

    _EXPECTED = "no change of the number or the order of the elements"

    def __init__(self, name: str, arrays: Iterable[NDArray], owner: Parameters):
        super().__init__(name, arrays)
        self.owner: weakref.ref[Parameters] | None = weakref.ref(owner)  # None if replaced

    @overload
    def __getitem__(self, which: SupportsIndex) -> NDArray[Any]: ...

    @overload
    def __getitem__(self, which: slice) -> list[NDArray[Any]]: ...

    def __getitem__(self, which: Any) -> Any:
        try:
            return super().__getitem__(which)
        except (IndexError, TypeError):
            checks.index(self._name, which, len(self))  # an error that names the list
            raise

    def detach(self) -> None:
        """Separate the list from the network: its arrays become read-only, assignments raise."""
        self.owner = None
        for array in self:
            array.flags.writeable = False

    def __setitem__(self, which: Any, new: Any) -> None:
        owner = None if self.owner is None else self.owner()
        if owner is None:
            raise ValueError(
                f"{self._name}: expected the list that the network has now, got one that was "
                f"replaced, for example by training, or whose network is gone"
            )
        if isinstance(which, slice):
            owner.assign(self._name, range(len(self))[which], new)
        else:
            owner.assign(self._name, [checks.index(self._name, which, len(self))], [new])

    def __contains__(self, value: object) -> bool:
        return any(np.array_equal(array, value) for array in self)  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(np.array_equal, self, other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]  # as a list's


class Parameters(_kernels.ParameterStorage):
    """The parameters of one network.

    ``values`` is a flat array of all of them, in the layout of ``_kernels.layout``; the padding is
    zero.

    Parameters
    ----------
    sizes : tuple of int
    dtype : "float32" or "float64"
    """

    LISTS = ("weights", "biases", "coefs_", "intercepts_")

    def __init__(self, sizes: tuple[int, ...], dtype: str):
        self._sizes = sizes
        self.places = _kernels.layout(sizes, dtype)[1]  # [(weights, biases, stride), ...]

    def arrays(self, name: str, values: NDArray | None = None) -> list[NDArray]:
        """Views of ``values``, (parameters,), by default of the current storage, one per layer:
        "weights" (n_out, n_in), "biases" (n_out, 1), "coefs_" (n_in, n_out) or "intercepts_"
        (n_out,)."""
        values = self.values if values is None else values
        layers = list(zip(self.places, self._sizes[1:], strict=True))
        if name in ("biases", "intercepts_"):
            vectors = [values[b : b + n_out] for (_, b, _), n_out in layers]
            return [b[:, None] for b in vectors] if name == "biases" else vectors
        rows = [values[w:b].reshape(-1, stride)[:, :n_out] for (w, b, stride), n_out in layers]
        return [w.T for w in rows] if name == "weights" else rows

    def are_finite(self) -> bool:
        return math.isfinite(_kernels.max_abs(self.storage))

    def first_not_finite(self) -> str:
        """The name of the first array that is not finite, such as "weights[0]"."""
        for l in range(len(self.places)):
            for name in ("weights", "biases"):
                if not np.isfinite(self.arrays(name)[l]).all():
                    return f"{name}[{l}]"
        return "none"

    def check_finite(self) -> None:
        """Raise a NotFiniteError that names an array which is not finite."""
        if not self.are_finite():
            raise NotFiniteError(
                f"weights, biases: expected finite numbers, got NaN or infinity in "
                f"{self.first_not_finite()}"
            )

    def as_list(self, name: str) -> ParameterList:
        """The current ``ParameterList`` of this name: the same object until it is replaced."""
        current: ParameterList | None = self.lists.get(name)
        while current is None:
            storage = self.storage
            made = ParameterList(name, self.arrays(name, np.asarray(storage)), self)
            current = self.register_list(storage, name, made)
        return current

    def invalidate(self, names: Iterable[str]) -> None:
        """Make the registered lists of these names obsolete, and their arrays read-only."""
        for name in names:
            obsolete = self.lists.pop(name, None)
            if obsolete is not None:
                obsolete.detach()

    # ---- changes, each in new storage

    def draw(self, fill: Callable[[list[NDArray], list[NDArray]], None]) -> None:
        """Let ``fill(weights, biases)`` write all parameters, in new storage."""
        self.check_not_training()
        new = self.new_storage()
        values = np.asarray(new)
        fill(self.arrays("weights", values), self.arrays("biases", values))
        self.replace(new, None)

    def assign(self, name: str, places: Sequence[int], values: Any) -> None:
        """Assign ``values`` to the elements ``places`` of the list ``name``. All lists keep their
        identity and get views of the new storage. Assigning an array to the element that it
        already is has no effect."""
        self.check_not_training()
        current, new = self.as_list(name), _as_list(name, values, len(places))
        others = {l: v for l, v in zip(places, new, strict=True) if v is not current[l]}
        if others:
            self._write(name, others, self.LISTS)

    def bind(self, name: str, values: Any) -> None:
        """Assign all elements; the next ``as_list(name)`` returns a new list."""
        self.check_not_training()
        if values is not self.lists.get(name):
            new = dict(enumerate(_as_list(name, values, len(self.places))))
            self._write(name, new, [each for each in self.LISTS if each != name])

    def _write(self, name: str, new: Mapping[int, Any], updated: Iterable[str]) -> None:
        """Set the arrays ``new``, {layer: values}, of the list ``name`` in new storage; the
        elements of the lists ``updated`` become views of it."""
        storage = self.new_storage()
        values = np.asarray(storage)
        arrays = self.arrays(name, values)
        for l, value in new.items():
            _copy(f"{name}[{l}]", value, arrays[l])
        kept = self._parts(name, [l for l in range(len(arrays)) if l not in new])
        self.replace(storage, {each: self.arrays(each, values) for each in updated}, kept)

    def _parts(self, name: str, layers: Sequence[int]) -> list[tuple[int, int]]:
        """The ranges (start, end) of the flat array that contain these layers of the list ``name``,
        and all layers of the other list."""
        listed = [(w, b) for w, b, _ in self.places]  # of the weights
        other = [(b, b + stride) for _, b, stride in self.places]  # of the biases
        if name in ("biases", "intercepts_"):
            listed, other = other, listed
        return other + [listed[l] for l in layers]


def _as_list(name: str, values: Any, n: int) -> list[Any]:
    try:
        listed = list(values)
    except TypeError:
        raise TypeError(
            f"{name}: expected a list of arrays, got {checks.short_repr(values)}"
        ) from None
    if len(listed) != n:
        raise ValueError(f"{name}: expected {n} arrays, got {len(listed)}")
    return listed


def _copy(name: str, value: Any, into: NDArray) -> None:
    """Copy the numbers of ``value``, which must have the shape of ``into``."""
    array = checks.array(name, value, f"numbers of shape {into.shape}")
    memmap.check(name, array)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected real numbers, got {array.dtype}")
    if array.shape != into.shape:
        raise ValueError(f"{name}: expected shape {into.shape}, got {array.shape}")
    with np.errstate(over="ignore"):
        into[...] = array
    if not np.isfinite(into).all():
        raise NotFiniteError(
            f"{name}: expected numbers that are finite in {into.dtype}, got NaN or infinity"
        )
