"""Where the data comes in: data sets, and the forms that they are made from."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastnet import _kernels, checks, compressed, mapped, single_flight
from fastnet.compressed import Compressed, Sparse
from fastnet.lazy import lazy_attribute
from fastnet.mapped import File, Mapping, Place

# In what forms data are taken, wherever they are.
Data: TypeAlias = (
    "Dataset | tuple[ArrayLike | Sparse, ArrayLike] | Iterable[tuple[ArrayLike, ArrayLike]]"
)

# Attributes that cannot be assigned: the parameters of a data set and what is computed of them.
_FIXED = {"X", "y", "scale", "sparse", "largest", "target_range"}

# Labels are numbers of outputs.
_LARGEST_LABEL = 2**31 - 1

# Attributes that can be recomputed, and are not pickled.
_CACHES = {"_forms", "_in_flight", "_stored", "_mappings", "_owners", "largest", "target_range"}


def _extremes(array: NDArray) -> tuple[float, float]:
    """The smallest and largest element; NaN if there is one."""
    if array.nbytes <= compressed.PIECE_BYTES:
        return float(array.min()), float(array.max())
    low, high = math.inf, -math.inf
    for rows in compressed.pieces(array):
        piece = array[rows]
        # np.minimum passes NaN on, the built-in min does not
        low = float(np.minimum(low, piece.min()))
        high = float(np.maximum(high, piece.max()))
    return low, high


@lru_cache  # small networks ask once per epoch
def _way(n_in: int, n_out: int, dtype: np.dtype, density: float, isa: str) -> str:
    return _kernels.choose_input_format([n_in, n_out], dtype, density)


def _rows(array: NDArray) -> NDArray:
    """``array`` itself if its rows are contiguous, aligned and ascend, else a copy that is so."""
    contiguous = array.shape[1] == 1 or array.strides[1] == array.itemsize
    if contiguous and array.strides[0] >= 0 and array.flags.aligned:
        return array
    return array.copy(order="C")


def _kept(array: NDArray, given: Any) -> NDArray:
    """``array``, read-only if it is not the very one that was given."""
    return array if array is given else checks.read_only(array)


def _survey(X: NDArray | Compressed) -> tuple[float, int | None]:
    """The largest absolute value, or what is not finite; and how many are not zero where that is
    known then, of dense float32 and float64, else None."""
    if X.dtype.char == "B":  # uint8
        return 255.0, None
    if isinstance(X, Compressed):
        return compressed.survey(X.stored)[0], None
    return compressed.survey(X)


def _scaled(largest: float, scale: float) -> float:
    """The largest absolute value of a scaled input, as ``Dataset.largest``; it must be finite."""
    if not math.isfinite(largest):
        raise ValueError("X: expected finite numbers, got NaN or infinity")
    if not math.isfinite(largest * scale):
        raise ValueError(f"scale: expected finite products with X, got {largest * scale}")
    return largest * scale


def _checked_option(sparse: Any) -> bool | str:
    if not isinstance(sparse, (bool, str)) or sparse not in ("auto", True, False):
        raise ValueError(f"sparse: expected 'auto', True or False; got {checks.briefly(sparse)}")
    return sparse


def _checked_targets(y: NDArray) -> NDArray:
    """``y`` in a type and layout that the kernels read; its values are not checked yet."""
    mapped.check("y", y)
    if y.ndim == 1:
        if y.dtype.kind not in "biu":
            number = "np.unique(y, return_inverse=True)[1] numbers the classes"
            whole = "y.astype(int) makes labels of whole numbers"
            raise TypeError(
                f"y: expected integer labels, or targets of shape (n, n_out), got {y.dtype} "
                f"of shape {y.shape} (y[:, None] makes targets for one output; "
                f"{whole if y.dtype.kind == 'f' else number})"
            )
        if y.dtype.kind == "u" and len(y) and y.max() > _LARGEST_LABEL:  # may not fit int64
            _checked_range(y)
        return np.require(y, np.int64, ["C_CONTIGUOUS", "ALIGNED"])
    if y.ndim != 2 or 0 in y.shape:
        raise ValueError(f"y: expected labels (n,) or targets (n, n_out), got shape {y.shape}")
    if y.dtype.kind not in "biuf":
        raise TypeError(f"y: expected numbers, got {y.dtype}")
    return _rows(y if y.dtype in (np.float32, np.float64) else y.astype(np.float64))


def _checked_range(y: NDArray) -> tuple[float, float]:
    """The smallest and the largest label or target, after a check that they are valid."""
    low, high = _extremes(y.reshape(len(y), -1))
    if y.ndim == 1 and (low < 0 or high > _LARGEST_LABEL):
        raise ValueError(
            f"y: expected labels from 0 to {_LARGEST_LABEL}, got {low:.0f} to {high:.0f} "
            f"(targets have the shape (n, n_out))"
        )
    if not math.isfinite(low) or not math.isfinite(high):
        raise ValueError("y: expected finite targets, got NaN or infinity")
    return low, high


def _check_lengths(X: NDArray | Compressed, y: NDArray) -> None:
    if len(X) != len(y):
        raise ValueError(f"y: expected as many as X has rows, {len(X)}, got {len(y)}")


def _unpickled_inputs(X: Any) -> NDArray | Compressed:
    """X of a pickled state, which must be of the form that ``checked_inputs`` returns."""
    if isinstance(X, Compressed):
        compressed.from_sparse("X", X)
        return X
    plain = isinstance(X, np.ndarray) and checks.is_plain(X)
    if not plain or X.dtype.str[1:] not in ("u1", "f4", "f8"):
        came = X.dtype if isinstance(X, np.ndarray) else type(X).__name__
        raise TypeError(f"X: expected an array of uint8, float32 or float64, got {came}")
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X: expected shape (n, n_in), got {X.shape}")
    return checks.read_only(_rows(np.asarray(X, X.dtype.newbyteorder("="))))


def _unpickled_targets(y: Any) -> NDArray:
    """y of a pickled state, which must be of the form that the constructor makes."""
    if not isinstance(y, np.ndarray) or y.ndim == 0 or len(y) == 0 or not checks.is_plain(y):
        raise TypeError(f"y: expected an array of labels or targets, got {type(y).__name__}")
    return checks.read_only(_checked_targets(np.asarray(y)))


def _mappings(X: NDArray | Compressed, y: NDArray) -> tuple[Mapping, ...]:
    """The mappings of those arrays that are memory maps."""
    inputs = X.mapping("X") if isinstance(X, Compressed) else mapped.mapping("X", X)
    return tuple(one for one in (inputs, mapped.mapping("y", y)) if one is not None)


def checked_inputs(name: str, X: Any) -> tuple[Any, float, int | None]:
    """``X``, an array or sparse, in a type and layout that the kernels read; its largest
    absolute value; and how many are not zero, or None where that is not known."""
    if compressed.is_sparse(X):
        X = compressed.from_sparse(name, X)
    else:
        if X.ndim != 2:
            raise ValueError(f"{name}: expected shape (n, n_in), got {X.shape}")
        if 0 in X.shape:
            raise ValueError(
                f"{name}: expected at least one example and one feature, got shape {X.shape}"
            )
        mapped.check(name, X)
        X = _rows(checks.numbers(name, X))
    largest, others = _survey(X)
    if not math.isfinite(largest):
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return X, largest, others


class Dataset:
    """Examples: inputs and their labels or targets.

    The data are checked once, by the constructor. Training makes no copy except a compressed
    form (see Notes), and a slice with a positive step is a view. If the arrays are changed
    afterwards, make a new data set. X and y are read-only unless they are the very arrays that
    were passed. Assigning an attribute raises an AttributeError.

    Parameters
    ----------
    X : (n, n_in) array_like or scipy.sparse matrix or array
        One example per row. uint8, float32 and float64 with contiguous rows are
        used in place, without a copy (a read-only memory map too); anything else is
        converted once: booleans to uint8, half precision to float32, other
        integers to float64. Sparse matrices, of any format, are converted to
        compressed sparse rows (CSR) and never made dense.
    y : (n,) integers or (n, n_out) numbers
        Labels, 0 for the first class, or target outputs; ``y[:, None]`` makes
        targets of one number per example.
    scale : float
        An example's input is ``X * scale``; each product is rounded once from
        float64. Pixels of 0 to 255 are usually scaled by 1/256.
    sparse : "auto", True or False
        Whether dense inputs are compressed for the kernels, to the values that are not
        zero: always, never, or where that is quicker, which follows from the density of
        X, the network's shape and the instruction set; memory maps are left as they
        are then. It makes no difference to what is computed.

    Attributes
    ----------
    X : (n, n_in) ndarray, or ``fastnet.compressed.Compressed`` where X was sparse
        Both have a ``shape`` and a ``dtype``.
    y : (n,) int64, or (n, n_out) float32 or float64
    scale : float
    sparse : "auto", True or False

    Raises
    ------
    TypeError, ValueError
        For other shapes or types, no examples, different lengths, NaN or infinity,
        negative labels, and for a memory map whose file has been truncated.

    Notes
    -----
    ``data[:1000]`` and ``data[indices]`` are data sets, ``len(data)`` the number of
    examples, ``data[i]`` the book's pair ``(x, y)``: a column, and a label or a column.

    The compressed form is made once, when first needed, and kept beside X. For MNIST's
    50,000 training images, 39.2 MB of bytes of which 19 % are not zero, that takes about
    20 ms and 22.9 MB, or 13.1 MB where bit masks stand for the columns (AVX-512); two
    epochs of training repay it. Of float64 inputs with a scale of 1 a float32 network has
    a compressed form in float32.

    Threads may train on the same data set: one of them makes the compressed form while the others
    wait. A signal handler that uses the data set meanwhile reads X uncompressed.

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
    _stored: int | None = None  # how many inputs are not zero, where that is known
    _files: dict[str, File | None]  # which arrays are memory maps, and of what file, if it has one
    _mappings: tuple[Mapping, ...]
    _owners: tuple[Any, ...]  # weak references, which keep NumPy from resizing the arrays
    _forms: dict[tuple[str, np.dtype], Compressed]
    _in_flight: single_flight.InFlight
    _boolean: bool = False  # X was given as booleans, which are kept as bytes

    def __init__(
        self,
        X: ArrayLike | Sparse | Compressed,
        y: ArrayLike,
        scale: float = 1.0,
        *,
        sparse: bool | str = "auto",
    ):
        sparse = _checked_option(sparse)
        scale = checks.nonnegative("scale", scale)
        is_sparse = compressed.is_sparse(X)
        if is_sparse and sparse is False:
            raise ValueError("sparse: expected 'auto' or True for an X that is sparse, got False")
        given: Any = X if is_sparse else checks.array("X", X)
        inputs, largest, stored = checked_inputs("X", given)
        largest = _scaled(largest, scale)
        targets = _checked_targets(checks.array("y", y))
        target_range = _checked_range(targets) if len(targets) else (0.0, 0.0)
        _check_lengths(inputs, targets)
        self._set(
            X=inputs if is_sparse else _kept(inputs, X), y=_kept(targets, y), scale=scale,
            sparse=sparse, largest=largest, target_range=target_range, _stored=stored,
            _mappings=_mappings(inputs, targets), _boolean=given.dtype.kind == "b",
        )  # fmt: skip
        for one in self._mappings:
            array = getattr(self, one.name)
            if not isinstance(array, Compressed):
                self._files[one.name] = mapped.file_of(array)

    def _set(self, **attributes: Any) -> None:
        """Set these attributes, already checked, and initialize the caches."""
        X, y = attributes["X"], attributes["y"]
        owners = None if isinstance(X, Compressed) else checks.unresized(X), checks.unresized(y)
        self.__dict__.update(attributes, _forms={}, _in_flight={}, _files={}, _owners=owners)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED:
            raise AttributeError(
                f"{name}: expected a data set that is made anew, Dataset(X, y, scale), "
                f"got an assignment"
            )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in _FIXED:
            raise AttributeError(f"{name}: expected a data set that stays whole, got a deletion")
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
        X = compressed.from_arrays(data, indices, indptr, n_in)
        if not math.isfinite(_survey(X)[0]):
            raise ValueError("data: expected finite numbers, got NaN or infinity")
        targets = checks.array("y", y)
        if targets.ndim and len(targets) != len(X):
            raise ValueError(
                f"indptr: expected one entry more than y has examples, {len(targets) + 1}, "
                f"got {len(X) + 1}"
            )
        return cls(X, y, scale)

    # Figures for checking that data fit a network; computed when needed for a slice or a copy.

    @lazy_attribute
    def largest(self) -> float:
        """The largest absolute value of an input, scaled."""
        self.check_files()
        largest, stored = _survey(self.X)
        if stored is not None:  # else another thread may have counted them
            self._stored = stored
        return _scaled(largest, self.scale)

    @lazy_attribute
    def target_range(self) -> tuple[float, float]:
        """The smallest and largest target or label."""
        self.check_files()
        return _checked_range(self.y)

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
        for rows in compressed.pieces(self.y):
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

    # How the kernels read the inputs.

    def operand(
        self, sizes: Sequence[int], dtype: DTypeLike, once: bool = False, moves: bool = False
    ) -> Any:
        """What the kernels take as X for a network: the rows, or their compressed form.

        Parameters
        ----------
        sizes : sequence of int
            The network's neurons per layer.
        dtype : "float32" or "float64"
            The network's type.
        once : bool
            The inputs are read once or twice only, for which nothing is compressed that
            need not be.
        moves : bool
            Images are moved on the way in, for which masks do not serve.

        Returns
        -------
        ndarray or Compressed, kept for the next call. float64 that a float32 network takes
        as it is, unscaled, is rounded already.

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
        if auto and ("X" in self._files or (once and not self._forms)):
            return X
        stored = self._stored
        if stored is None:
            stored = single_flight.compute_once(
                self._in_flight, X, lambda: self._stored, self._count
            )
            if stored is None:
                return X
        form = _way(sizes[0], sizes[1], np.dtype(dtype), stored / X.size, _kernels.isa())
        if form == "dense" and auto:
            return X
        if form == "dense" or moves:
            form = "columns"
        kind = X.dtype
        if kind == np.float64 and self.scale == 1:  # else the product is what is rounded
            kind = np.dtype(dtype)
        found = self._forms.get((form, kind))  # a dtype's name takes two microseconds
        return self._compressed(form, kind) if found is None else found

    def _count(self) -> int:
        self._stored = compressed.count(self.X)
        return self._stored

    def _compressed(self, form: str, kind: np.dtype) -> NDArray | Compressed:
        """X in this form, which one thread makes for all; or X itself if another thread makes it
        and may be waiting for this one. The choice does not change any result."""
        key = form, kind

        def make() -> Compressed:
            self._forms[key] = compressed.compress(self.X, form, self._stored, kind)
            return self._forms[key]

        found = single_flight.compute_once(
            self._in_flight, self.X, lambda: self._forms.get(key), make
        )
        return self.X if found is None else found

    def __len__(self) -> int:
        return len(self.X)

    def __iter__(self) -> Iterator[tuple[NDArray, int | NDArray]]:
        """The pairs (x, y), as an index gives them."""
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
                f"expected an integer, a slice or a list of indices, got {checks.briefly(which)}"
            )
        X, y = self.X[which], self.y[which]
        if len(y) == 0:
            raise ValueError(f"expected a slice with at least one example, got none of {len(self)}")
        X = X if isinstance(X, Compressed) else checks.read_only(_rows(X))
        y = checks.read_only(np.ascontiguousarray(y) if y.ndim == 1 else _rows(y))
        part = object.__new__(Dataset)
        part._set(
            X=X, y=y, scale=self.scale, sparse=self.sparse, _boolean=self._boolean,
            _mappings=_mappings(X, y) if self._mappings else (),
        )  # fmt: skip
        for one in part._mappings:  # fancy indexing copies, and a copy is no memory map
            if one.name in self._files:
                part._files[one.name] = self._files[one.name]
        return part

    def __getstate__(self) -> dict[str, Any]:
        """Without what can be made again; of an array that is a file, the place in the file."""
        self.check_files()
        state = {name: value for name, value in self.__dict__.items() if name not in _CACHES}
        state["_files"] = {}
        for name, file in self._files.items():
            if file is not None and os.path.exists(file.path):
                state["_files"][name] = file
                state[name] = mapped.place(state[name], file)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle or a copy, with the constructor's checks. The numbers in memory maps are
        checked when they are first used."""
        if not isinstance(state, dict) or not {"X", "y", "scale", "sparse"} <= set(state):
            raise TypeError("expected the state of a data set with X, y, scale and sparse")
        arrays, files = {}, {}
        for name in ("X", "y"):
            given = state[name]
            if isinstance(given, Place):
                files[name], given = given.file, given.open()
            arrays[name] = given
        X, y = _unpickled_inputs(arrays["X"]), _unpickled_targets(arrays["y"])
        _check_lengths(X, y)
        more = {k: v for k, v in state.items() if k not in _CACHES and k not in _FIXED}
        self._set(
            **more | {"X": X, "y": y, "sparse": _checked_option(state["sparse"]),
                      "scale": checks.nonnegative("scale", state["scale"]),
                      "_mappings": _mappings(X, y)}
        )  # fmt: skip
        self._files.update(files)
        if not self._mappings:
            self.largest, self.target_range  # noqa: B018  # check the numbers

    def __repr__(self) -> str:
        kind = "labels" if self.y.ndim == 1 else f"targets of {self.y.shape[1]}"
        stored = f" ({self.X.density:.0%} stored)" if isinstance(self.X, Compressed) else ""
        return (
            f"<Dataset: {len(self)} examples of {self.X.shape[1]} {self.X.dtype} features{stored}, "
            f"{kind}, scale {self.scale:g}>"
        )


# The end of errors about pairs (x, y): the other form of data.
_OR_ARRAYS = "or a tuple (X, y) of arrays with one example per row"


def _from_pairs(pairs: Iterable, byte_scale: float) -> Dataset:
    """The book's list of (x, y): columns; y a column, a digit, or the target of one neuron."""
    listed = []
    for i, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(
                f"expected a Dataset, a tuple (X, y) of arrays, or an iterable of pairs (x, y); "
                f"got {checks.briefly(pair)} as element {i}"
            )
        for array in pair:
            mapped.check(f"pair {i}", array)
        if any(map(checks.is_masked, pair)):
            raise ValueError(f"expected pairs (x, y) of arrays, got masked elements in pair {i}")
        listed.append(pair)
    if not listed:
        raise ValueError("expected at least one example, got none")
    try:
        X = np.stack([np.asarray(x) for x, _ in listed])
        y = np.stack([np.asarray(y) for _, y in listed])
    except ValueError:
        raise ValueError(
            f"expected pairs (x, y) that all have the same shapes, {_OR_ARRAYS}"
        ) from None
    if X.ndim == 3 and X.shape[2] == 1:
        X = X[:, :, 0]
    if X.ndim != 2:
        raise ValueError(
            f"expected pairs (x, y) with columns x, {_OR_ARRAYS}; got pairs with x of shape "
            f"{X.shape[1:]}"
        )
    if y.ndim == 3 and y.shape[2] == 1:
        y = y[:, :, 0]
    if y.ndim == 1 and y.dtype.kind == "f":  # the one target of a single output neuron
        y = y[:, None]
    return _from_arrays(X, y, byte_scale)


def _from_arrays(X: Any, y: Any, byte_scale: float) -> Dataset:
    """A Dataset of arrays: uint8 inputs, but not booleans, are multiplied by ``byte_scale``."""
    if not compressed.is_sparse(X):
        X = checks.array("X", X)
    return Dataset(X, y, byte_scale if X.dtype.char == "B" else 1.0)


def as_dataset(name: str, data: Any, byte_scale: float = 1.0) -> Dataset:
    """``data`` in any of the accepted forms as a Dataset; errors start with ``name``.

    Bytes that are not in a Dataset are multiplied by ``byte_scale``; other inputs are used
    unscaled.
    """
    if isinstance(data, Dataset):
        data.check_files()
        return data
    arrays = isinstance(data, tuple) and len(data) == 2 and not isinstance(data[0], tuple)
    if not arrays:
        data = as_list(name, data)
    try:
        return (
            _from_arrays(data[0], data[1], byte_scale) if arrays else _from_pairs(data, byte_scale)
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def bytes_warning(name: str, data: Dataset) -> str:
    """The warning about training on unscaled bytes; "" if there is nothing to warn about."""
    if not data.is_bytes or data.scale != 1:
        return ""
    values = data.X.stored if isinstance(data.X, Compressed) else data.X
    if values.size == 0 or values.max() <= 1:
        return ""
    return (
        f"{name}: the inputs are bytes of up to {values.max()} that are not in a Dataset and are "
        f"used unscaled; fastnet.Dataset(X, y, scale=1/256) scales pixels"
    )


def given_data(name: str, data: Any) -> Any:
    """Data that need not be given, None if it is False; of an iterator, which may be needed
    twice, a list."""
    if data is None or (isinstance(data, bool | np.bool_) and not data):
        return None
    return as_list(name, data) if isinstance(data, Iterator | bool) else data


def as_list(name: str, data: Any) -> list | tuple:
    """An iterable of examples as a list or tuple; its own exceptions propagate."""
    if isinstance(data, (list, tuple)):
        return data
    if not isinstance(data, Iterable) or isinstance(data, (str, bytes, dict)):
        raise TypeError(
            f"{name}: expected a Dataset, a tuple (X, y) of arrays, or an iterable of pairs "
            f"(x, y); got {checks.briefly(data)}"
        )
    return list(data)
