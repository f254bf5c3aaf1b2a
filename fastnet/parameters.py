"""The parameters of one network, and the lists through which a program reads and sets them.

As in the book's network2.py, where training binds new arrays, an array that a program took
before a training keeps its values. Storage is replaced ("moves") at the start of a call of
the kernels that trains, at an assignment, by an initializer and where earlier parameters are
restored; arrays handed out before become read-only, so that a late write raises.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, SupportsIndex, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fastnet import _kernels, checks

T = TypeVar("T")


class FixedList(list[T]):
    """A list whose elements are read only: what is written to a copy, ``list(...)``, would be
    lost here.

    Slices, sums, products, copies and pickles are plain lists.

    Parameters
    ----------
    name : str
        What it is called in errors.
    elements : iterable
    """

    def __init__(self, name: str, elements: Iterable[T]):
        super().__init__(elements)
        self._name = name

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"{self._name}: expected no change of this list; list(net.{self._name}) is a copy "
            f"that can be changed"
        )

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = remove = pop = clear = _refuse
    sort = reverse = _refuse

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Copies and pickles are plain lists."""
        return list, (list(self),)


class ParameterList(FixedList[NDArray[Any]]):
    """The weights or the biases of all layers, one array for each.

    An array is the network's own, and writing into it acts, until the parameters move; an
    assignment to an element or to a slice checks all new values, copies them, and moves. The
    number of layers is fixed. ``==`` compares values.
    """

    def __init__(self, name: str, arrays: Iterable[NDArray], owner: Parameters):
        super().__init__(name, arrays)
        self._owner: Callable[[], Parameters | None] = weakref.ref(owner)

    @overload
    def __getitem__(self, which: SupportsIndex) -> NDArray[Any]: ...

    @overload
    def __getitem__(self, which: slice) -> list[NDArray[Any]]: ...

    def __getitem__(self, which: Any) -> Any:
        try:
            return super().__getitem__(which)
        except (IndexError, TypeError):
            checks.index(self._name, which, len(self))
            raise

    def __setitem__(self, which: Any, new: Any) -> None:  # type: ignore[override]
        owner = self._owner()
        if owner is None:
            raise ValueError(
                f"{self._name}: expected the list that the network has now, got one that was "
                f"replaced, as by training, or whose network is gone"
            )
        if isinstance(which, slice):
            owner.assign(self._name, range(len(self))[which], new)
        else:
            owner.assign(self._name, [checks.index(self._name, which, len(self))], [new])

    def replaced(self) -> None:
        """Keep the values, and refuse what is written from now on."""
        self.make_read_only()
        self._owner = _nobody

    def make_read_only(self) -> None:
        for array in self:
            array.flags.writeable = False

    def show(self, arrays: Iterable[NDArray]) -> None:
        """Have other arrays as elements."""
        list.__setitem__(self, slice(None), arrays)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(np.array_equal, self, other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]  # as a list's


def _nobody() -> None:
    return None


class Parameters(_kernels.ParameterStorage):
    """The parameters of one network.

    ``values`` has all of them in one flat array, laid out as ``_kernels.layout`` says; pads
    between them are zero.

    Parameters
    ----------
    sizes : tuple of int
    dtype : "float32" or "float64"
    """

    def __init__(self, sizes: tuple[int, ...], dtype: str):
        self._sizes = sizes
        self.places = _kernels.layout(sizes, dtype)[1]  # (weights, biases, stride) of each layer

    def arrays(self, name: str, values: NDArray | None = None) -> list[NDArray]:
        """Views of the storage as it is now: "weights", (n_out, n_in) for each layer, "biases",
        (n_out, 1), "coefs_", (n_in, n_out), or "intercepts_", (n_out,); or the same of
        ``values``, (parameters,)."""
        values = self.values if values is None else values
        layers = list(zip(self.places, self._sizes[1:], strict=True))
        if name in ("biases", "intercepts_"):
            vectors = [values[b : b + n_out] for (_, b, _), n_out in layers]
            return [b[:, None] for b in vectors] if name == "biases" else vectors
        rows = [values[w:b].reshape(-1, stride)[:, :n_out] for (w, b, stride), n_out in layers]
        return [w.T for w in rows] if name == "weights" else rows

    def as_list(self, name: str) -> ParameterList:
        """The same as one list object, until it is replaced."""
        found: ParameterList | None = self.lists.get(name)
        if found is None:
            found = self.lists[name] = ParameterList(name, self.arrays(name), self)
        return found

    # ---- moves

    def restore(self, values: Any) -> None:
        """Take these values, (parameters,), copied into new storage."""
        self.move()
        self.values[...] = values
        self.replace_lists()

    def draw(self, fill: Callable[[list[NDArray], list[NDArray]], None]) -> None:
        """Let ``fill(weights, biases)`` write all parameters, in new storage."""
        self.check_not_training()
        before = self.move()
        try:
            fill(self.arrays("weights"), self.arrays("biases"))
        except BaseException:
            self.values[...] = before
            raise
        finally:
            self.replace_lists()

    def assign(self, name: str, places: Sequence[int], values: Any) -> None:
        """Give elements of the list ``name`` new values; every list shows the new storage. An
        array that is assigned to its own place is there already."""
        own, new = self.as_list(name), _as_list(name, values, len(places))
        others = {l: v for l, v in zip(places, new, strict=True) if v is not own[l]}
        if others:
            self._write(name, {l: _checked(f"{name}[{l}]", v, own[l]) for l, v in others.items()})

    def bind(self, name: str, values: Any) -> None:
        """The same for all elements, in a new list: the one before is replaced."""
        own = self.as_list(name)
        if values is own:
            return
        new = _as_list(name, values, len(own))
        checked = {l: _checked(f"{name}[{l}]", v, own[l]) for l, v in enumerate(new)}
        self.check_not_training()
        self.lists.pop(name).replaced()
        self._write(name, checked)

    def _write(self, name: str, checked: Mapping[int, NDArray]) -> None:
        self.check_not_training()
        self.move()
        arrays = self.arrays(name)
        for l, value in checked.items():
            arrays[l][...] = value
        for each, handed_out in self.lists.items():
            handed_out.make_read_only()
            handed_out.show(self.arrays(each))

    def replace_lists(self) -> None:
        """What was handed out keeps its values; the next call of ``as_list`` makes another."""
        while self.lists:
            self.lists.popitem()[1].replaced()


def _as_list(name: str, values: Any, n: int) -> list[Any]:
    try:
        listed = list(values)
    except TypeError:
        raise TypeError(
            f"{name}: expected a list of arrays, got {checks.briefly(values)}"
        ) from None
    if len(listed) != n:
        raise ValueError(f"{name}: expected {n} arrays, got {len(listed)}")
    return listed


def _checked(name: str, value: Any, like: NDArray) -> NDArray:
    """A copy of ``value`` in the type of ``like``, whose shape it has."""
    array = checks.array(name, value, f"numbers of shape {like.shape}")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected real numbers, got {array.dtype}")
    if array.shape != like.shape:
        raise ValueError(f"{name}: expected shape {like.shape}, got {array.shape}")
    with np.errstate(over="ignore"):
        array = array.astype(like.dtype)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected numbers finite in {like.dtype}, got one that is not")
    return array
