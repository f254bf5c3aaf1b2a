"""``Table``: columns of numbers and texts as the inputs and the targets of a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.core.random_stream import RandomStream
from fastnet.data import raw_columns, table_columns
from fastnet.data.dataset import Dataset
from fastnet.data.holdout import held_out
from fastnet.data.input_transform import InputTransform, Standardize
from fastnet.data.raw_columns import RawColumns
from fastnet.data.table_columns import CategoryColumn, Column, listed
from fastnet.data.table_options import FitOptions, checked_choices
from fastnet.data.table_target import Target


class Table(InputTransform):
    """The encoding of a table: its columns as the inputs and the targets of a network.

    ``Table.fit`` fits it to training rows, ``Network(inputs=table)`` applies it: all methods that
    take inputs then take raw rows, and the network's file contains the table.

    - A column of numbers is one column. If numbers are missing in the training rows, they are
      replaced by the mean of the others, and a second column, "NAME is missing", is 1 in these
      rows.
    - A column of texts becomes one column "NAME=TEXT" for each of its categories, sorted by code
      point: 1 in the rows with this text, else 0. If texts are missing in the training rows, a last
      column, "NAME is missing", is 1 in these rows.
    - Booleans are the numbers 0 and 1. Dates are an error; convert them to numbers.
    - The target is one column. If it contains texts, or only a few different integers, these are
      classes; otherwise it is a number to predict.

    The network standardizes the encoded columns of numbers; those of zeros and ones are not
    changed.

    Attributes
    ----------
    columns : tuple of str
        The raw input columns, in the order of the training data.
    categories : {str: tuple of str or None}
        The categories of each column of texts; None is the category of missing texts.
    features : tuple of str
        The names of the encoded columns.
    n_in, n_out : int
        The number of raw columns, and of encoded columns, which are the inputs of a network.
    target : str
        The name of the target column.
    task : "classification" or "regression"
    classes : tuple or None
        The class of each label 0, 1, ..., sorted: str, int or bool; None for a regression.
    standardize : Standardize
        Means and deviations of the encoded columns.
    unknown, missing : str
        As given to ``fit``.

    Examples
    --------
    >>> import fastnet
    >>> people = {"age": [31, 47, None, 28], "sex": ["f", "m", "f", "m"],
    ...           "vote": ["yes", "no", "yes", "yes"]}
    >>> table = fastnet.Table.fit(people, target="vote")
    >>> table
    <Table: 2 columns as 4 inputs, target 'vote' of 2 classes>
    >>> table.features, table.classes
    (('age', 'age is missing', 'sex=f', 'sex=m'), ('no', 'yes'))
    >>> net = fastnet.Network(table.sizes(5), inputs=table, cost="log-likelihood", seed=1)
    >>> history = net.SGD(table.dataset(people), 100, 2, 0.5, verbose=False)
    >>> net.predict_labels({"age": 47, "sex": "m"}).tolist()
    ['no']
    """

    name = "table"

    def __init__(
        self,
        columns: Sequence[Column],
        target: Target,
        standardize: Standardize,
        unknown: str = "error",
        missing: str = "mean",
    ):
        self._columns = tuple(columns)
        self._target = target
        self._standardize = standardize
        self._unknown, self._missing = checked_choices(unknown, missing)

    @classmethod
    def fit(
        cls,
        data: Any,
        target: str | None = None,
        *,
        task: str | None = None,
        categorical: Iterable[str] = (),
        drop: Iterable[str] = (),
        unknown: str = "error",
        missing: str = "mean",
        standardize: bool = True,
    ) -> Self:
        """Learn categories, means and deviations from training rows.

        Parameters
        ----------
        data : str, path, frame, dict of columns or list of dicts
            A CSV file, whose first line names the columns and whose empty fields, "NA" and the
            like are missing values (``fastnet.data.csv_files``); a frame of pandas, polars or
            another library that narwhals reads; a dict with a sequence per column; or a list
            with a dict per row.
        target : str or None
            The column to predict. None: the last one of a CSV file; otherwise it must be named.
        task : "classification", "regression" or None
            None: a classification if the target has texts, booleans, or at most 20 different
            integers, each in 5 rows on average; otherwise a regression.
        categorical : iterable of str
            Columns to treat as categories although they contain numbers, dates, or texts that
            differ from row to row.
        drop : iterable of str
            Columns that are left out.
        unknown : "error" or "ignore"
            The encoding of a text that is in no training row: an error, or zeros in all columns of
            the categories.
        missing : "mean" or "error"
            The encoding of missing values: the mean, as described above, or an error.
        standardize : bool
            False: numbers are not standardized.

        Returns
        -------
        Table

        Raises
        ------
        TypeError, ValueError
            For missing targets, names of columns that do not exist, and a column that contains
            neither numbers nor categories; the message names the file, line or row, column and
            what was expected.
        OSError, ImportError
            If the file cannot be read, or narwhals is missing for a frame that needs it.

        Examples
        --------
        >>> rows = [{"size": 1.5, "price": 10.25}, {"size": 2.5, "price": 20.5}]
        >>> Table.fit(rows, "price").standardize.mean.tolist()
        [2.0]
        """
        options = FitOptions(target, task, categorical, drop, unknown, missing, standardize)
        return cls._fitted(*options.read(data))

    @classmethod
    def split(
        cls,
        data: Any,
        target: str | None = None,
        *,
        validation_fraction: float = 0.2,
        seed: Any = 0,
        **options: Any,
    ) -> tuple[Self, Dataset, Dataset]:
        """Divide the rows into training and validation data, and fit to the training data only.

        Parameters
        ----------
        data, target, options
            As for ``fit``.
        validation_fraction : float
            The fraction of the rows to hold out, greater than 0 and less than 1. In a
            classification, this fraction of each class is held out; a class that occurs once is in
            the training data.
        seed : as for ``Network``
            Seeds the choice of rows.

        Returns
        -------
        (table, training, validation) : Table, Dataset, Dataset
            In the validation data, categories that no training row has are encoded as zeros, as by
            ``unknown="ignore"``.

        Raises
        ------
        TypeError, ValueError, OSError, ImportError
            As ``fit``.

        Examples
        --------
        >>> data = {"x": range(20), "y": ["odd", "even"] * 10}
        >>> table, training, validation = Table.split(data, "y")
        >>> len(training), len(validation), validation.y.tolist().count(0)
        (16, 4, 2)
        """
        raw, target_column, chosen = FitOptions(target, **options).read(data)
        is_held_out = held_out(target_column.of(raw), validation_fraction, RandomStream(seed))
        training, validation = (raw.rows(np.flatnonzero(k)) for k in (~is_held_out, is_held_out))
        table = cls._fitted(training, target_column, chosen)
        return table, table.dataset(training), table._dataset(validation, unknown="ignore")

    @classmethod
    def _fitted(cls, raw: RawColumns, target: Target, options: FitOptions) -> Self:
        names = [name for name in raw.columns if name != target.name and name not in options.drop]
        if not names:
            raise ValueError(f"{raw.name}: expected columns other than the target, got none")
        columns = [table_columns.fitted(raw, name, options.missing) for name in names]
        table_columns.check_features(raw, columns)
        measured = Standardize.fit(_encoded(columns, raw, "error", options.missing))
        scaled = np.array([one for column in columns for one in column.is_scaled])
        scaled &= options.standardize
        standardize = Standardize(
            np.where(scaled, measured.mean, 0.0),
            np.where(scaled, measured.deviation, 1.0),
            features=[feature for column in columns for feature in column.features],
        )
        return cls(columns, target, standardize, options.unknown, options.missing)

    # ---- attributes

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self._columns)

    @property
    def encoded_columns(self) -> tuple[Column, ...]:
        """How each raw column is encoded, for other modules of the package."""
        return self._columns

    @property
    def categories(self) -> dict[str, tuple[str | None, ...]]:
        return {c.name: c.categories for c in self._columns if isinstance(c, CategoryColumn)}

    @property
    def n_in(self) -> int:
        return len(self._columns)

    @property
    def n_out(self) -> int:
        return self._standardize.n_out

    @property
    def features(self) -> tuple[str, ...] | None:
        return self._standardize.features

    @property
    def standardize(self) -> Standardize:
        return self._standardize

    @property
    def target(self) -> str:
        return self._target.name

    @property
    def task(self) -> str:
        return self._target.task

    @property
    def classes(self) -> tuple[Any, ...] | None:
        return self._target.classes

    @property
    def predicts_numbers(self) -> bool:
        return self.classes is None

    @property
    def unknown(self) -> str:
        return self._unknown

    @property
    def missing(self) -> str:
        return self._missing

    def sizes(self, *hidden: int) -> list[int]:
        """The sizes of a network: the number of encoded columns, those of the hidden layers, and
        the number of classes, or 1 for a regression.

        Examples
        --------
        >>> table = Table.fit({"x": [1.5, 2.5, 3.5], "y": ["a", "b", "c"]}, "y")
        >>> table.sizes(30)
        [1, 30, 3]
        """
        return [self.n_out, *hidden, 1 if self.classes is None else len(self.classes)]

    # ---- rows

    def encode(self, raw: Any) -> NDArray:
        """Raw rows as numbers, not yet standardized.

        Parameters
        ----------
        raw : str, path, frame, dict or list of dicts
            As for ``fit``; a dict may also have one value per column. The columns are found by
            name; columns that are not in ``columns`` are ignored.

        Returns
        -------
        (n, n_out) float64 ndarray

        Raises
        ------
        TypeError, ValueError, OSError, ImportError
            For a missing column, a value that is not a number, and unknown or missing values if
            these are an error.

        Examples
        --------
        >>> table = Table.fit({"x": [1, 3], "u": ["a", "b"], "y": [1.5, 2.5]}, "y")
        >>> table.encode({"u": "b", "x": 2}).tolist()
        [[2.0, 0.0, 1.0]]
        """
        return self._encode(self._read(raw), self._unknown)

    def reads(self, raw: Any) -> bool:
        """Whether ``encode`` takes ``raw``: a path, a frame, a dict or a list of dicts.

        Examples
        --------
        >>> table = Table.fit({"x": [1.5, 2.5], "y": ["no", "yes"]}, "y")
        >>> table.reads("new.csv"), table.reads(np.zeros((2, 1)))
        (True, False)
        """
        return raw_columns.is_raw(raw)

    def examples(self, raw: Any) -> Dataset | None:
        """``dataset(raw)`` if ``raw`` has a form that ``reads`` accepts, otherwise None.

        Parameters
        ----------
        raw : object

        Examples
        --------
        >>> table = Table.fit({"x": [1.5, 2.5], "y": ["no", "yes"]}, "y")
        >>> table.examples((np.zeros((2, 1)), [0, 1])) is None
        True
        """
        return self.dataset(raw) if raw_columns.is_raw(raw) else None

    def dataset(self, data: Any) -> Dataset:
        """Rows with their targets as a data set for networks whose ``inputs`` are this table.

        Such a network's ``SGD``, ``accuracy`` and ``total_cost`` also take the rows themselves.

        Parameters
        ----------
        data : str, path, frame, dict of columns or list of dicts
            As for ``fit``.

        Returns
        -------
        Dataset
            X (n, n_out) is not yet standardized; y are labels, the indices of ``classes``,
            or targets (n, 1). It has the table's ``features`` and ``classes``: a network whose
            classes are in another order matches the labels by name.

        Raises
        ------
        TypeError, ValueError, OSError, ImportError
            As ``encode``, and for missing targets and classes that no training row had.

        Examples
        --------
        >>> table = Table.fit({"x": [1.5, 2.5], "y": ["no", "yes"]}, "y")
        >>> table.dataset({"x": [3.5], "y": ["yes"]})
        <Dataset: 1 examples of 1 float64 features, labels of 2 named classes, scale 1>
        """
        return self._dataset(self._read(data, with_target=True), self._unknown)

    def _dataset(self, raw: RawColumns, unknown: str) -> Dataset:
        return Dataset(
            self._encode(raw, unknown), self._target.of(raw), features=self.features,
            classes=self.classes,
        )  # fmt: skip

    def _read(self, raw: Any, with_target: bool = False) -> RawColumns:
        texts = {*self.categories} | self._target.texts
        needed = (*self.columns, *([self.target] if with_target else []))
        read = raw_columns.read(raw, texts, frozenset(needed).__contains__)
        for name in needed:
            if name not in read.columns:
                raise ValueError(
                    f"{read.name}: expected a column {name!r}, got {listed(read.names)}"
                )
        return read

    def _encode(self, raw: RawColumns, unknown: str) -> NDArray:
        return _encoded(self._columns, raw, unknown, self._missing)

    # ---- state and comparison

    def state(self) -> dict[str, Any]:
        """The state that ``from_state`` takes, in types that JSON represents.

        Examples
        --------
        >>> table = Table.fit({"x": [1.5, 2.5], "y": ["no", "yes"]}, "y")
        >>> table.state()["columns"], table.state()["target"]
        ([{'name': 'x', 'mean': 2.0, 'indicator': False}], {'name': 'y', 'classes': ['no', 'yes']})
        """
        return {
            "columns": [column.state() for column in self._columns],
            "target": self._target.state(),
            "standardize": self._standardize.state(),
            "unknown": self._unknown,
            "missing": self._missing,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The table with this state.

        Raises
        ------
        ValueError, TypeError
            For a state that ``state`` did not return.

        Examples
        --------
        >>> table = Table.fit({"x": [1.5, 2.5], "y": ["no", "yes"]}, "y")
        >>> Table.from_state(table.state()) == table
        True
        """
        keys = ("columns", "target", "standardize", "unknown", "missing")
        if not isinstance(state, dict) or not {*keys} <= state.keys():
            raise ValueError(
                f"expected an object with {', '.join(keys)}; found {checks.short_repr(state)}"
            )
        if not isinstance(state["columns"], list) or not state["columns"]:
            raise ValueError(
                f"columns: expected a list of columns, found {checks.short_repr(state['columns'])}"
            )
        columns = [table_columns.from_state(one) for one in state["columns"]]
        standardize = Standardize.from_state(state["standardize"])
        features = tuple(feature for column in columns for feature in column.features)
        if standardize.features != features:
            raise ValueError(
                f"standardize: expected the features of the columns, {listed(features)}"
            )
        target = Target.from_state(state["target"])
        return cls(columns, target, standardize, state["unknown"], state["missing"])

    def __repr__(self) -> str:
        n, n_out = self.n_in, self.n_out
        kind = "numbers" if self.classes is None else f"{len(self.classes)} classes"
        return (
            f"<Table: {n} column{'s' * (n != 1)} as {n_out} input{'s' * (n_out != 1)}, "
            f"target {self.target!r} of {kind}>"
        )


def _encoded(columns: Sequence[Column], raw: RawColumns, unknown: str, missing: str) -> NDArray:
    """The encoded columns of the rows, side by side."""
    widths = [column.width for column in columns]
    X = np.zeros((raw.n, sum(widths)))
    ends = np.cumsum(widths)
    for column, width, end in zip(columns, widths, ends, strict=True):
        column.encode(raw, X[:, end - width : end], unknown, missing)
    return X
