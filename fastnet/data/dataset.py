"""Data sets: examples that are checked once and read in place by the kernels."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastnet.core import _kernels, checks, memmap, single_flight
from fastnet.core.lazy import lazy_attribute
from fastnet.core.memmap import File, Mapping, MemmapRef
from fastnet.data import dataset_checks, frames, labels, moments, sparse_rows
from fastnet.data.frames import Columns
from fastnet.data.labels import Label
from fastnet.data.sparse_rows import Compressed, Sparse

if TYPE_CHECKING:
    from fastnet.data.input_transform import Standardize

# The forms in which data are accepted.
Data: TypeAlias = (
    "Dataset | tuple[ArrayLike | Sparse | Columns, ArrayLike] "
    "| Iterable[tuple[ArrayLike, ArrayLike]] "
    "| str | os.PathLike[str] | Columns"  # rows with their targets, for a network with a Table
)

# Attributes that cannot be assigned: the parameters of a data set and values computed from them.
_FIXED = {"X", "y", "scale", "sparse", "classes", "features", "largest", "target_range"}

# Attributes that can be recomputed, and are not pickled.
_CACHES = {
    *("_forms", "_standardized", "_in_flight", "_stored", "_mappings", "_owners"),
    *("largest", "target_range"),
}

# The number of standardized forms that a data set keeps, for networks with different means.
_MOST_STANDARDIZED = 4


@lru_cache  # called once per epoch, which may take a few microseconds only
def _fastest_form(n_in: int, n_out: int, dtype: np.dtype, density: float, isa: str) -> str:
    """ "dense", "columns" or "masks"; ``isa`` is a key of the cache only."""
    return _kernels.choose_input_format([n_in, n_out], dtype, density)


def _kept(array: NDArray, given: Any) -> NDArray:
    """``array``, as a read-only view unless it is the object ``given``."""
    return array if array is given else checks.read_only(array)


def _checked_option(sparse: Any) -> bool | str:
    if not isinstance(sparse, (bool, str)) or sparse not in ("auto", True, False):
        raise ValueError(f"sparse: expected 'auto', True or False; got {checks.short_repr(sparse)}")
    return sparse


def _mappings(X: NDArray | Compressed, y: NDArray) -> tuple[Mapping, ...]:
    """The mappings of those arrays that are memory maps."""
    inputs = X.mapping("X") if isinstance(X, Compressed) else memmap.mapping("X", X)
    return tuple(one for one in (inputs, memmap.mapping("y", y)) if one is not None)


class Dataset:
    """Examples: inputs and their labels or targets.

    The data are checked once, by the constructor. Training makes no copy except a compressed
    form (see Notes), and a slice with a positive step is a view. If the arrays are changed
    afterwards, make a new data set. X and y are read-only unless they are the passed arrays
    themselves. Assigning an attribute raises an AttributeError.

    Parameters
    ----------
    X : (n, n_in) array_like or scipy.sparse matrix or array
        One example per row. uint8, float32 and float64 with contiguous rows are
        used in place, without a copy (a read-only memory map too); anything else is
        converted once: booleans to uint8, half precision to float32, other
        integers to float64. Sparse matrices, of any format, are converted to
        compressed sparse rows (CSR), never to a dense array. The columns of a frame are the
        features; a dict of columns and a list of dicts are accepted, too.
    y : (n,) integers or strings, or (n, n_out) numbers
        Labels, 0 for the first class, or target outputs; ``y[:, None]`` makes
        targets of one number per example. Strings are names of classes: ``classes`` then has the
        different ones, sorted, and y their numbers.
    scale : float
        An example's input is ``X * scale``; each product is rounded once from
        float64. Pixels of 0 to 255 are usually scaled by 1/256.
    sparse : "auto", True or False
        Whether dense inputs are compressed to their non-zero values for the kernels. "auto": if
        that is faster, depending on the density of X, the network's shape and the instruction
        set; memory maps are not compressed. The results are the same.
    classes : sequence of str, int, float or bool, or None
        The names of the classes, in the order of the numbers in y. None: those of y if they are
        strings, sorted.
    features : sequence of str or None
        The names of the columns. None: those of a frame.

    Attributes
    ----------
    X : (n, n_in) ndarray, or ``fastnet.data.sparse_rows.Compressed`` if X was sparse
        Both have a ``shape`` and a ``dtype``.
    y : (n,) int64, or (n, n_out) float32 or float64
    scale : float
    sparse : "auto", True or False
    classes : tuple of str, int, float or bool, or None
    features : tuple of str or None

    Raises
    ------
    TypeError, ValueError
        For other shapes or types, no examples, different lengths, NaN or infinity,
        negative labels, and for a memory map whose file has been truncated.

    Notes
    -----
    ``data[:1000]`` and ``data[indices]`` are data sets, ``len(data)`` the number of
    examples, ``data[i]`` the book's pair ``(x, y)``: a column, and a label or a column.

    The compressed form is made once, when first needed, and stored in addition to X. For MNIST's
    50,000 training images, 39.2 MB of bytes of which 19 % are not zero, it takes 22.9 MB, or
    13.1 MB with bit masks instead of columns (AVX-512); two epochs of training make up for the
    time. For a float32 network, float64 inputs with a scale of 1 are compressed to float32.

    Threads may train on the same data set: one of them makes the compressed form while the others
    wait. A signal handler that uses the data set meanwhile reads X uncompressed.

    For a network with ``inputs``, such as ``Standardize``, the standardized inputs are made once,
    too, in the network's dtype, and stored in addition to X; of memory maps, too. A data set keeps
    those of the last four different standardizations.

    If X or y is a memory map of a file, a pickle of the data set contains the file's path instead
    of the numbers. Unpickling maps the file again, if its size and its modification time, to the
    second, are unchanged.

    Each training, evaluation or other kernel call first checks that the file of a memory map is
    still long enough, and raises a ValueError if not. Truncating a file during such a call still
    kills the process (SIGBUS): replace files by renaming instead of overwriting them.

    Examples
    --------
    >>> pixels = np.array([[0, 128], [255, 0], [64, 64]], np.uint8)
    >>> data = Dataset(pixels, [0, 1, 1], scale=1 / 256)
    >>> data
    <Dataset: 3 examples of 2 uint8 features, labels, scale 0.00390625>
    >>> x, y = data[0]
    >>> x.ravel().tolist(), y
    ([0.0, 0.5], 0)
    >>> len(data[1:])
    2
    """

    X: Any
    y: NDArray
    scale: float
    sparse: bool | str
    classes: tuple[Label, ...] | None = None
    features: tuple[str, ...] | None = None
    _stored: int | None = None  # the number of non-zero inputs, if it is known
    _files: dict[str, File | None]  # of the arrays that are memory maps; None: file unknown
    _mappings: tuple[Mapping, ...]
    _owners: tuple[Any, ...]  # weak references, which keep NumPy from resizing the arrays
    _forms: dict[tuple[str, np.dtype], Compressed]
    _in_flight: single_flight.InFlight
    _boolean: bool = False  # whether X was given as booleans, which are stored as uint8
    _standardized: dict[tuple[Any, ...], dict[str, Any]]  # attributes that depend on X, by key
    _source: Dataset | None = None  # the data before standardization, or None
    _key: tuple[Any, ...] | None = None

    def __init__(
        self,
        X: ArrayLike | Sparse | Compressed | Columns,
        y: ArrayLike,
        scale: float = 1.0,
        *,
        sparse: bool | str = "auto",
        classes: Iterable[Label] | None = None,
        features: Iterable[str] | None = None,
    ):
        sparse = _checked_option(sparse)
        scale = checks.nonnegative("scale", scale)
        is_sparse = sparse_rows.is_sparse(X)
        if is_sparse and sparse is False:
            raise ValueError("sparse: expected 'auto' or True for an X that is sparse, got False")
        if type(X) is not np.ndarray and not is_sparse and frames.is_named(X):
            with checks.error_prefix("X"):
                features, X = frames.names(X) if features is None else features, frames.matrix(X)
        given: Any = X if is_sparse else checks.array("X", X)
        inputs, largest, stored = dataset_checks.checked_inputs("X", given)
        largest = dataset_checks.scaled_largest(largest, scale)
        names, found = labels.read("y", y, classes)
        targets = dataset_checks.checked_targets(found)
        target_range = dataset_checks.checked_range(targets) if len(targets) else (0.0, 0.0)
        dataset_checks.check_lengths(inputs, targets)
        if names is not None:
            labels.check_codes("y", targets, names)
        if features is not None:
            features = checks.names("features", features, inputs.shape[1])
        self._set(
            X=inputs if is_sparse else _kept(inputs, X), y=_kept(targets, y), scale=scale,
            sparse=sparse, largest=largest, target_range=target_range, _stored=stored,
            _mappings=_mappings(inputs, targets), _boolean=given.dtype.kind == "b",
            classes=names, features=features,
        )  # fmt: skip
        for one in self._mappings:
            array = getattr(self, one.name)
            if not isinstance(array, Compressed):
                self._files[one.name] = memmap.file_of(array)

    def _set(self, **attributes: Any) -> None:
        """Set these attributes, already checked, and initialize the caches."""
        X, y = attributes["X"], attributes["y"]
        owners = None if isinstance(X, Compressed) else checks.unresized(X), checks.unresized(y)
        self.__dict__.update(
            attributes, _forms={}, _standardized={}, _in_flight={}, _files={}, _owners=owners
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED:
            raise AttributeError(
                f"{name}: expected no assignment, since a data set cannot change; make a new one, "
                f"Dataset(X, y, scale)"
            )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in _FIXED:
            raise AttributeError(f"{name}: expected no deletion, since a data set cannot change")
        object.__delattr__(self, name)

    @classmethod
    def from_csr(
        cls,
        data: ArrayLike,
        indices: ArrayLike,
        indptr: ArrayLike,
        n_in: int,
        y: ArrayLike,
        scale: float = 1.0,
    ) -> Dataset:
        """A data set from the arrays of compressed sparse rows (CSR).

        Parameters
        ----------
        data : (nnz,) array_like
            The inputs that are stored, row after row; all others are zero. Types as for
            X of ``Dataset``.
        indices : (nnz,) integers
            The column of each, from 0, ascending in each row without repetition. Copied, in
            two bytes each, or four where n_in > 65,536; so is ``indptr``.
        indptr : (n + 1,) integers
            Row s is ``data[indptr[s]:indptr[s + 1]]``.
        n_in : int
            The number of features.
        y, scale : as for ``Dataset``

        Raises
        ------
        TypeError, ValueError
            For arrays that do not meet these conditions, and NaN or infinity.

        Examples
        --------
        >>> Dataset.from_csr([0.5, 2.0, 1.0], [1, 0, 4], [0, 1, 3], 5, [0, 1])
        <Dataset: 2 examples of 5 float64 features (30% stored), labels, scale 1>
        """
        X = sparse_rows.from_arrays(data, indices, indptr, n_in)
        if not math.isfinite(dataset_checks.max_abs_and_count(X)[0]):
            raise ValueError("data: expected finite numbers, got NaN or infinity")
        targets = checks.array("y", y)
        if targets.ndim and len(targets) != len(X):
            raise ValueError(
                f"indptr: expected one entry more than y has examples, {len(targets) + 1}, "
                f"got {len(X) + 1}"
            )
        return cls(X, y, scale)

    # Values for the check that data fit a network; for a slice or a copy, computed when needed.

    @lazy_attribute
    def largest(self) -> float:
        """The largest absolute value of an input, scaled."""
        self.check_files()
        largest, stored = dataset_checks.max_abs_and_count(self.X)
        if stored is not None:  # None does not replace the count of another thread
            self._stored = stored
        return dataset_checks.scaled_largest(largest, self.scale)

    @lazy_attribute
    def target_range(self) -> tuple[float, float]:
        """The smallest and largest target or label."""
        self.check_files()
        return dataset_checks.checked_range(self.y)

    def check_files(self) -> None:
        """Check that the files of memory maps are still long enough.

        Raises
        ------
        ValueError
            For a file that has been truncated: reading past its end would kill the process.

        Examples
        --------
        >>> Dataset(np.eye(2), [0, 1]).check_files()  # no memory maps
        """
        for one in self._mappings:
            one.check()

    @lazy_attribute
    def names_classes(self) -> bool:
        """Whether the targets are classes: labels or one-hot rows; for one target per example,
        zeros and ones."""
        if self.y.ndim == 1:
            return True
        for rows in sparse_rows.pieces(self.y):
            y = self.y[rows]
            ones = y == 1
            single = y.shape[1] == 1 or (ones.sum(axis=1) == 1).all()
            if not (single and (ones | (y == 0)).all()):
                return False
        return True

    @property
    def is_bytes(self) -> bool:
        """Whether the inputs are bytes that were not given as booleans."""
        return self.X.dtype.char == "B" and not self._boolean

    # The form in which the kernels read the inputs.

    def operand(
        self,
        sizes: Sequence[int],
        dtype: DTypeLike,
        single_use: bool = False,
        shifted: bool = False,
    ) -> Any:
        """The inputs as the kernels read them for a network: the rows, or their compressed form.

        Parameters
        ----------
        sizes : sequence of int
            The network's neurons per layer.
        dtype : "float32" or "float64"
            The network's type.
        single_use : bool
            Whether the inputs are read once or twice only, so that compressing them would take
            longer.
        shifted : bool
            Whether images are shifted when they are read, which masks do not support.

        Returns
        -------
        ndarray or Compressed, which the data set keeps for further calls. The compressed form of
        unscaled float64 inputs is float32 for a float32 network.

        Examples
        --------
        >>> data = Dataset(np.eye(4), [0, 1, 1, 0], sparse=True)
        >>> data.operand([4, 2], "float32").density
        0.25
        """
        X = self.X
        if self._mappings:
            self.check_files()
        if isinstance(X, Compressed) or self.sparse is False:
            return X
        auto = self.sparse == "auto"
        if auto and ("X" in self._files or (single_use and not self._forms)):
            return X
        stored = self._stored
        if stored is None:
            stored = single_flight.compute_once(
                self._in_flight, X, lambda: self._stored, self._count
            )
            if stored is None:
                return X
        form = _fastest_form(sizes[0], sizes[1], np.dtype(dtype), stored / X.size, _kernels.isa())
        if form == "dense" and auto:
            return X
        if form == "dense" or shifted:
            form = "columns"
        values_dtype = X.dtype
        if values_dtype == np.float64 and self.scale == 1:  # with a scale, products are rounded
            values_dtype = np.dtype(dtype)
        found = self._forms.get((form, values_dtype))  # a dtype's name is slow
        return self._compressed(form, values_dtype) if found is None else found

    # The data for a network with ``inputs`` or with names of classes.

    @property
    def source(self) -> Dataset:
        """The data before they were standardized; the data set itself if they were not."""
        return self if self._source is None else self._source

    def standardized(self, standardize: Standardize, dtype: DTypeLike) -> Dataset:
        """The data set with the inputs (X * scale - mean) / deviation, rounded to ``dtype``.

        They are made once for equal means and deviations. Inputs beyond the range of ``dtype`` are
        infinite, and so is ``largest``.

        Parameters
        ----------
        standardize : Standardize
            For as many features; without means if X is sparse.
        dtype : "float32" or "float64"

        Examples
        --------
        >>> import fastnet
        >>> data = Dataset([[1.0], [3.0]], [0, 1])
        >>> data.standardized(fastnet.Standardize.fit(data), "float32").X.ravel().tolist()
        [-1.0, 1.0]
        """
        key = (*standardize.key, np.dtype(dtype))
        if self._key == key:
            return self
        if self._source is not None:
            return self._source.standardized(standardize, dtype)
        self.check_files()
        of_X = single_flight.compute_once(
            self._in_flight, self.X, lambda: self._standardized.get(key),
            lambda: self._keep(key, self._standardize(standardize, dtype)),
        )  # fmt: skip
        if of_X is None:  # in a signal handler that interrupted the computation
            of_X = self._standardize(standardize, dtype)
        made = object.__new__(Dataset)
        made.__dict__.update(
            vars(self) | of_X, _source=self, _key=key, _standardized={},
            _owners=(of_X["_owners"][0], self._owners[1]),
            _mappings=tuple(one for one in self._mappings if one.name == "y"),
            _files={name: file for name, file in self._files.items() if name == "y"},
        )  # fmt: skip
        return made

    def _standardize(self, standardize: Standardize, dtype: DTypeLike) -> dict[str, Any]:
        """The attributes of ``standardized`` that depend on the inputs."""
        X: Any
        owner = None
        if isinstance(self.X, Compressed):
            X = moments.standardized_stored(standardize, self.X, self.scale, dtype)
        else:
            X = checks.read_only(moments.standardized(standardize, self.X, self.scale, dtype))
            owner = checks.unresized(X)
        largest, stored = dataset_checks.max_abs_and_count(X)
        return {
            "X": X, "scale": 1.0, "largest": largest, "_boolean": False,
            "_stored": stored if math.isfinite(largest) else None,
            "_owners": (owner, None), "_forms": {}, "_in_flight": {},
        }  # fmt: skip

    def _keep(self, key: tuple[Any, ...], of_X: dict[str, Any]) -> dict[str, Any]:
        self._standardized[key] = of_X
        while len(self._standardized) > _MOST_STANDARDIZED:
            self._standardized.pop(next(iter(self._standardized)), None)
        return of_X

    def with_classes(self, classes: Sequence[Label]) -> Dataset:
        """The data set with labels that are the numbers of its classes' names in ``classes``.

        Parameters
        ----------
        classes : sequence of str, int, float or bool

        Returns
        -------
        Dataset
            With the same inputs, in the same memory; the data set itself if it has these classes,
            or no names.

        Raises
        ------
        ValueError
            For a label that is not one of ``classes``.

        Examples
        --------
        >>> Dataset([[1.0], [3.0]], ["b", "a"]).with_classes(["b", "a"]).y.tolist()
        [0, 1]
        """
        names = tuple(classes)
        if self.classes is None or self.classes == names:
            return self
        places = {name: i for i, name in enumerate(names)}
        table = np.array([places.get(name, -1) for name in self.classes], np.int64)
        y = table[self.y]
        if len(y) and y.min() < 0:
            i = int((y < 0).argmax())
            raise ValueError(
                f"y: expected one of the classes {checks.some(names)}, got "
                f"{checks.short_repr(self.classes[self.y[i]])} in row {i}"
            )
        source = None if self._source is None else self._source.with_classes(names)
        return self._with_targets(
            y, classes=names, target_range=dataset_checks.checked_range(y), _source=source
        )

    def with_repeated_targets(self, n: int) -> Dataset:
        """The data set with the single target of each example n times.

        Parameters
        ----------
        n : int

        Returns
        -------
        Dataset
            With the same inputs, in the same memory, and targets (len(self), n).

        Examples
        --------
        >>> Dataset([[1.0], [3.0]], [[0.5], [0.25]]).with_repeated_targets(2).y.tolist()
        [[0.5, 0.5], [0.25, 0.25]]
        """
        self.check_files()
        return self._with_targets(np.repeat(self.y, n, axis=1))

    def _with_targets(self, y: NDArray, **attributes: Any) -> Dataset:
        """The data set with other targets, already checked, and other attributes."""
        made = object.__new__(Dataset)
        made.__dict__.update(vars(self))
        made.__dict__.pop("names_classes", None)  # computed from the targets
        made.__dict__.update(
            attributes, y=checks.read_only(y), _owners=(self._owners[0], checks.unresized(y)),
            _mappings=tuple(one for one in self._mappings if one.name != "y"),
            _files={name: file for name, file in self._files.items() if name != "y"},
        )  # fmt: skip
        return made

    def _count(self) -> int:
        self._stored = sparse_rows.count(self.X)
        return self._stored

    def _compressed(self, form: str, dtype: np.dtype) -> NDArray | Compressed:
        """X in this form, which one thread makes for all; or X itself if another thread is making
        it and may be waiting for this one. The results are the same with both."""
        key = form, dtype

        def make() -> Compressed:
            self._forms[key] = sparse_rows.compress(self.X, form, self._stored, dtype)
            return self._forms[key]

        found = single_flight.compute_once(
            self._in_flight, self.X, lambda: self._forms.get(key), make
        )
        return self.X if found is None else found

    def __len__(self) -> int:
        return len(self.X)

    def __iter__(self) -> Iterator[tuple[NDArray, int | NDArray]]:
        """The pairs (x, y), the same as ``self[i]``."""
        return (self[s] for s in range(len(self)))

    @overload
    def __getitem__(self, which: int | np.integer) -> tuple[NDArray, int | NDArray]: ...

    @overload
    def __getitem__(self, which: slice | Sequence[int] | NDArray) -> Dataset: ...

    def __getitem__(self, which: Any) -> tuple[NDArray, int | NDArray] | Dataset:
        if self._mappings:
            self.check_files()
        if isinstance(which, (int, np.integer)) and not isinstance(which, bool):
            y = self.y[which]
            x = (self.X[which].astype(np.float64) * self.scale)[:, None]
            return x, int(y) if y.ndim == 0 else y[:, None].copy()
        if not isinstance(which, slice) and (isinstance(which, tuple) or np.ndim(which) != 1):
            raise TypeError(
                f"expected an integer, a slice or a list of indices, got {checks.short_repr(which)}"
            )
        X, y = self.X[which], self.y[which]
        if len(y) == 0:
            raise ValueError(f"expected at least one of the {len(self)} examples, got none")
        X = X if isinstance(X, Compressed) else checks.read_only(dataset_checks.contiguous_rows(X))
        y = checks.read_only(
            np.ascontiguousarray(y) if y.ndim == 1 else dataset_checks.contiguous_rows(y)
        )
        part = object.__new__(Dataset)
        part._set(
            X=X, y=y, scale=self.scale, sparse=self.sparse, _boolean=self._boolean,
            classes=self.classes, features=self.features,
            _mappings=_mappings(X, y) if self._mappings else (),
            _source=None if self._source is None else self._source[which], _key=self._key,
        )  # fmt: skip
        for one in part._mappings:  # fancy indexing copies, and a copy is not a memory map
            if one.name in self._files:
                part._files[one.name] = self._files[one.name]
        return part

    def __getstate__(self) -> dict[str, Any]:
        """The attributes without caches; an array that is a memory map is replaced by a reference
        to its file."""
        self.check_files()
        state = {name: value for name, value in self.__dict__.items() if name not in _CACHES}
        state["_files"] = {}
        for name, file in self._files.items():
            if file is not None and os.path.exists(file.path):
                state["_files"][name] = file
                state[name] = memmap.reference_to(state[name], file)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle or a copy, with the constructor's checks. The numbers in memory maps are
        checked when they are first used."""
        if not isinstance(state, dict) or not {"X", "y", "scale", "sparse"} <= set(state):
            raise TypeError(
                f"state: expected a dict of X, y, scale, sparse, got {checks.short_repr(state)}"
            )
        arrays, files = {}, {}
        for name in ("X", "y"):
            given = state[name]
            if isinstance(given, MemmapRef):
                files[name], given = given.file, given.open()
            arrays[name] = given
        X, y = (
            dataset_checks.unpickled_inputs(arrays["X"]),
            dataset_checks.unpickled_targets(arrays["y"]),
        )
        dataset_checks.check_lengths(X, y)
        if not isinstance(state.get("_source"), Dataset | None):
            raise TypeError("expected the state of a data set with a data set as its source")
        more = {k: v for k, v in state.items() if k not in _CACHES and k not in _FIXED}
        classes = state.get("classes")
        names = None if classes is None else labels.checked_classes("classes", classes)
        if names is not None:
            labels.check_codes("y", y, names)
        self._set(
            **more | {"X": X, "y": y, "sparse": _checked_option(state["sparse"]),
                      "scale": checks.nonnegative("scale", state["scale"]),
                      "_mappings": _mappings(X, y),
                      "classes": names,
                      "features": checks.names("features", state.get("features"), X.shape[1])}
        )  # fmt: skip
        self._files.update(files)
        if not self._mappings:
            self.largest, self.target_range  # noqa: B018  # check the numbers

    def __repr__(self) -> str:
        kind = "labels" if self.y.ndim == 1 else f"targets of {self.y.shape[1]}"
        if self.classes is not None:
            kind = f"labels of {len(self.classes)} named classes"
        stored = f" ({self.X.density:.0%} stored)" if isinstance(self.X, Compressed) else ""
        return (
            f"<Dataset: {len(self)} examples of {self.X.shape[1]} {self.X.dtype} features{stored}, "
            f"{kind}, scale {self.scale:g}>"
        )
