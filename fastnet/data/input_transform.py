"""The transform of a network's inputs before the first layer: the protocol of ``Network(inputs=)``,
and ``Standardize``, per-feature means and deviations.

Independent of networks. A file contains the ``name`` of a transform. ``from_json`` looks it up
among the classes of the package and those that the program has defined, so that a file cannot
import other modules.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastnet.core import checks
from fastnet.data import dataset_checks, frames, moments, sparse_rows
from fastnet.data.dataset import Dataset
from fastnet.data.frames import Columns
from fastnet.data.sparse_rows import Sparse

# For each ``name``: the class, and the module and class name of its definition. Large modules of
# the package are imported when a class in them is needed.
_BY_NAME: dict[str, type[InputTransform]] = {}
_PLACES = {"table": ("fastnet.data.table", "Table")}
_IMPORTED_LATE = {name: module for name, (module, _) in _PLACES.items()}


class InputTransform(ABC):
    """The base class of the argument ``inputs`` of ``Network``.

    A network asks ``encode`` for the numbers of data with named columns (frames, dicts, lists of
    dicts). The result, and any array of numbers with ``n_out`` columns, is then standardized by
    ``standardize``, if there is one. An object does not change once it is made.

    A class that has a ``name`` is known to ``from_json`` as soon as it is defined.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            place = cls.__module__, cls.__qualname__
            known = _PLACES.setdefault(cls.name, place)
            if known != place:
                raise TypeError(
                    f"name: expected one that no other transform has, got {cls.name!r}, that of "
                    f"{'.'.join(known)}"
                )
            _BY_NAME[cls.name] = cls  # also if it is defined again, as in a notebook

    @property
    @abstractmethod
    def n_in(self) -> int:
        """The number of raw columns."""

    @property
    @abstractmethod
    def n_out(self) -> int:
        """The number of columns after ``encode``: the inputs of the network."""

    @property
    @abstractmethod
    def features(self) -> tuple[str, ...] | None:
        """The names of the ``n_out`` columns; None if they have none."""

    @property
    @abstractmethod
    def standardize(self) -> Standardize | None:
        """The standardization of the ``n_out`` columns; None leaves them unchanged."""

    @property
    def summary(self) -> str:
        """A few words for the repr of a network."""
        return f"{self.name} inputs"

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """The names that the classes of a network with these inputs must have, in any order; None
        if it may have any."""
        return None

    @property
    def predicts_numbers(self) -> bool:
        """Whether the targets are numbers, so that a network with these inputs has no classes."""
        return False

    def reads(self, raw: Any) -> bool:
        """Whether ``encode`` takes ``raw``: data with named columns."""
        return frames.is_named(raw)

    def examples(self, raw: Any) -> Dataset | None:
        """Rows with their targets as a Dataset, if ``raw`` has both; None for other data."""
        return None

    @abstractmethod
    def encode(self, raw: Any) -> Any:
        """The numbers (n, n_out) of data with named columns, not yet standardized: an array, or a
        frame that NumPy converts to one.

        Raises
        ------
        ValueError, TypeError
            The message names the column; the caller prefixes the argument's name.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """The state that ``from_state`` takes, in types that JSON represents: numbers as float,
        arrays as lists."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The object with this state.

        Raises
        ------
        ValueError, TypeError
            For a state that ``state`` did not return.
        """

    def __eq__(self, other: object) -> bool:
        """The same class and the same state."""
        if type(other) is not type(self):
            return NotImplemented
        return self.state() == other.state()

    def __hash__(self) -> int:
        return hash((self.name, self.n_in, self.n_out))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """A pickle has the state; it is checked when it is read."""
        return type(self).from_state, (self.state(),)


def to_json(transform: InputTransform) -> dict[str, Any]:
    """A transform as a file contains it."""
    return {"name": transform.name, **transform.state()}


def from_json(value: Any) -> InputTransform:
    """The transform of ``to_json``.

    Raises
    ------
    ValueError
        For a name that no class has, and for an invalid state.
    """
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError(f"expected an object with a name, found {checks.short_repr(value)}")
    state = dict(value)
    name = state.pop("name")
    if name in _IMPORTED_LATE:
        import_module(_IMPORTED_LATE[name])
    kind = _BY_NAME.get(name)
    if kind is None:
        known = ", ".join(sorted(_PLACES))
        raise ValueError(f"expected one of {known}, found {value['name']!r}")
    try:
        return kind.from_state(state)
    except (TypeError, ValueError) as error:
        raise ValueError(str(error)) from None


class Standardize(InputTransform):
    """Per-feature means and deviations: an input is (X * scale - mean) / deviation.

    Computed in float64 and rounded once to the network's dtype. ``Standardize.fit(X)`` measures
    them; the constructor takes known ones.

    Parameters
    ----------
    mean : (n_in,) array_like or None
        None: nothing is subtracted, so that zeros stay zeros, as sparse data need.
    deviation : (n_in,) array_like
        Finite numbers of 0 or more; 0 counts as 1.
    features : sequence of str or None
        Names of the features.

    Attributes
    ----------
    mean, deviation : (n_in,) float64, read-only
        Zeros if nothing is subtracted; 1 for a feature that is constant.
    with_mean : bool
        Whether the mean is subtracted.
    features : tuple of str or None

    Raises
    ------
    ValueError, TypeError
        For numbers that are not finite, negative deviations and different lengths.

    Examples
    --------
    >>> import fastnet
    >>> X = [[1.0, 20.0], [3.0, 40.0]]
    >>> inputs = fastnet.Standardize.fit(X)
    >>> inputs.mean.tolist(), inputs.deviation.tolist()
    ([2.0, 30.0], [1.0, 10.0])
    >>> inputs.transform(X).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    >>> fastnet.Network([2, 3, 1], inputs=inputs, seed=1).feedforward(X).shape
    (2, 1)
    """

    name = "standardize"

    def __init__(self, mean: ArrayLike | None, deviation: ArrayLike, *, features: Any = None):
        deviations = _vector("deviation", deviation)
        if (deviations < 0).any():
            j = int((deviations < 0).argmax())
            raise ValueError(
                f"deviation[{j}]: expected a number of 0 or more, got {deviations[j]:g}"
            )
        means = np.zeros(len(deviations)) if mean is None else _vector("mean", mean)
        if len(means) != len(deviations):
            raise ValueError(
                f"mean: expected as many as there are deviations, {len(deviations)}, "
                f"got {len(means)}"
            )
        self._with_mean = mean is not None
        self._mean = _constant(means)
        self._deviation = _constant(np.where(deviations == 0, 1.0, deviations))
        self._features = checks.names("features", features, len(means))
        # hashable; equal for objects that compute the same
        self.key = self._mean.tobytes(), self._deviation.tobytes()

    @classmethod
    def fit(cls, X: Dataset | Sparse | ArrayLike | Columns, with_mean: bool = True) -> Self:
        """Measure the means and the standard deviations of the features, in float64.

        Parameters
        ----------
        X : Dataset, (n, n_in) array_like, frame, dict of columns, or scipy.sparse matrix or array
            Usually the training data. A Dataset's inputs are multiplied by its scale. The names of
            columns become ``features``.
        with_mean : bool
            False: the mean is not subtracted, as for sparse data; the deviation is still measured
            from the mean.

        Returns
        -------
        Standardize

        Raises
        ------
        ValueError, TypeError
            For NaN and infinity, by row and column; for sparse data with ``with_mean=True``; and
            for other data than numbers of shape (n, n_in).

        Examples
        --------
        >>> Standardize.fit([[1.0, 5.0], [3.0, 5.0]])  # the second feature is constant
        <Standardize: 2 features, mean 2 to 5, deviation 1>
        """
        with_mean = checks.boolean("with_mean", with_mean)
        features = None
        scale = 1.0
        given: Any = X
        if isinstance(X, Dataset):
            X.check_files()
            given, scale, features = X.X, X.scale, X.features
        elif frames.is_named(X):
            with checks.error_prefix("X"):
                features, given = frames.names(X), frames.matrix(X)
        is_sparse = sparse_rows.is_sparse(given)
        if is_sparse and with_mean:
            raise ValueError(
                "with_mean: expected False for sparse data, whose zeros must stay zeros, got True"
            )
        rows = given if is_sparse else checks.array("X", given)
        rows = dataset_checks.numbers_of("X", rows)
        mean, deviation = moments.measured(rows, scale, features)
        return cls(mean if with_mean else None, deviation, features=features)

    # ---- the numbers

    @property
    def mean(self) -> NDArray:
        return self._mean

    @property
    def deviation(self) -> NDArray:
        return self._deviation

    @property
    def with_mean(self) -> bool:
        return self._with_mean

    @property
    def n_in(self) -> int:
        return len(self._mean)

    @property
    def n_out(self) -> int:
        return len(self._mean)

    @property
    def features(self) -> tuple[str, ...] | None:
        return self._features

    @property
    def standardize(self) -> Standardize:
        return self

    @property
    def summary(self) -> str:
        return "standardized inputs"

    def transform(self, X: ArrayLike, scale: float = 1.0, dtype: DTypeLike = "float64") -> NDArray:
        """(X * scale - mean) / deviation, as a network with these ``inputs`` computes it.

        Parameters
        ----------
        X : (n, n_in), (n_in,) or (n_in, 1) array_like
        scale : float
        dtype : "float32" or "float64"
            The result is rounded to it once.

        Returns
        -------
        ndarray of the shape of X

        Raises
        ------
        ValueError, TypeError
            For another shape, and for values that are not numbers.

        Examples
        --------
        >>> Standardize([2.0, 0.0], [1.0, 4.0]).transform([3.0, 8.0]).tolist()
        [1.0, 2.0]
        """
        array = checks.array("X", X)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"X: expected numbers, got {array.dtype}")
        n_in = self.n_in
        column = array.shape == (n_in, 1)
        rows = array.reshape(1, n_in) if column or array.shape == (n_in,) else array
        if rows.ndim != 2 or rows.shape[1] != n_in:
            raise ValueError(
                f"X: expected shape ({n_in},), ({n_in}, 1) or (n, {n_in}), got {array.shape}"
            )
        return moments.standardized(self, rows, scale, dtype).reshape(array.shape)

    def encode(self, raw: Any) -> Any:
        """Data with named columns as numbers, not yet standardized.

        Parameters
        ----------
        raw : frame, dict of columns or of one example, or list of dicts
            With the columns ``features``, in any order.

        Examples
        --------
        >>> inputs = Standardize([2.0, 0.0], [1.0, 4.0], features=["age", "height"])
        >>> inputs.encode({"height": [1.7, 1.6], "age": [30, 40]}).tolist()
        [[30.0, 1.7], [40.0, 1.6]]
        """
        return frames.matrix(raw, self._features)

    # ---- as an object

    def state(self) -> dict[str, Any]:
        """What a file contains: numbers that JSON represents exactly.

        Examples
        --------
        >>> Standardize(None, [0.5]).state()
        {'mean': None, 'deviation': [0.5], 'features': None}
        """
        return {
            "mean": self._mean.tolist() if self._with_mean else None,
            "deviation": self._deviation.tolist(),
            "features": None if self._features is None else [*self._features],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The object whose ``state`` this is, after the constructor's checks.

        Examples
        --------
        >>> inputs = Standardize([2.0], [0.5])
        >>> Standardize.from_state(inputs.state()) == inputs
        True
        """
        if not isinstance(state, dict) or not {"mean", "deviation"} <= state.keys():
            raise ValueError(
                f"expected an object with mean and deviation, found {checks.short_repr(state)}"
            )
        return cls(state["mean"], state["deviation"], features=state.get("features"))

    def __repr__(self) -> str:
        n = self.n_in
        mean = f"mean {_range(self._mean)}" if self._with_mean else "no mean"
        return (
            f"<Standardize: {n} feature{'' if n == 1 else 's'}, {mean}, "
            f"deviation {_range(self._deviation)}>"
        )


def _range(numbers: NDArray) -> str:
    low, high = f"{numbers.min():.3g}", f"{numbers.max():.3g}"
    return low if low == high else f"{low} to {high}"


def _constant(numbers: NDArray) -> NDArray:
    """A copy that can never be made writable."""
    return np.frombuffer(numbers.tobytes(), np.float64)


def _vector(name: str, value: Any) -> NDArray:
    """(n_in,) finite float64."""
    array = checks.array(name, value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected real numbers, got {array.dtype}")
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name}: expected shape (n_in,), got {array.shape}")
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        j = int((~np.isfinite(numbers)).argmax())
        raise ValueError(f"{name}[{j}]: expected a finite number, got {numbers[j]:g}")
    return numbers
