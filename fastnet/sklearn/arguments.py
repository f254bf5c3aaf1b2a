"""Checks and conversions of the arguments of the estimators' methods; errors name the argument."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from fastnet.core import checks, memmap
from fastnet.data import scipy_matrices
from fastnet.data.dataset import Dataset
from fastnet.data.dataset_checks import checked_inputs
from fastnet.model import Model

KERNEL_DTYPES = (np.float64, np.float32, np.uint8)  # types that the kernels read without a copy


def name_errors(name: str) -> AbstractContextManager[None]:
    """Prefix errors of scikit-learn and NumPy with the argument's name, if it is missing."""
    return checks.error_prefix(name, unless=rf"(Input )?{name}\b")


def _check_no_dates(name: str, value: Any) -> None:
    """Refuse dates and times, including NaT, which scikit-learn would convert to numbers."""
    types = getattr(value, "dtypes", None)  # of a data frame, one for each column
    for dtype in [getattr(value, "dtype", None)] if types is None else np.atleast_1d(types):
        if getattr(dtype, "kind", "") in ("M", "m"):
            raise TypeError(f"{name}: expected numbers, got {dtype}")


def check_unmasked(name: str, value: Any) -> None:
    """Refuse masked elements, for which scikit-learn would use the masked values."""
    if checks.is_masked(value):
        raise ValueError(f"{name}: expected an array, got one with masked elements")


def _check_source(name: str, value: Any) -> None:
    """Check index arrays and the files of memory maps before SciPy and scikit-learn read them:
    invalid ones could crash the process."""
    memmap.check(name, value)
    if hasattr(value, "tocsr") and len(value.shape) == 2:
        scipy_matrices.checked_arrays(f"{name}.", value)


def inputs(estimator: Any, X: Any, reset: bool) -> Any:
    """X as an array or sparse matrix (n, n_in) of a type in ``KERNEL_DTYPES``. NaN and infinity are
    not refused here.

    reset: whether to store the number and the names of its columns in the estimator.
    """
    check_unmasked("X", X)
    _check_no_dates("X", X)
    _check_source("X", X)
    with name_errors("X"):
        return validate_data(
            estimator,
            X,
            accept_sparse="csr",
            dtype=KERNEL_DTYPES,
            reset=reset,
            ensure_all_finite=False,
        )


def targets(estimator: Any, y: Any, n: int) -> NDArray:
    """y as an array (n,) or (n, n_out) of any type, without NaN and infinity."""
    check_unmasked("y", y)
    _check_source("y", y)
    with name_errors("y"):
        if y is None:
            raise ValueError(
                f"this {type(estimator).__name__} requires y to be passed, but the target y is None"
            )
        made: NDArray = check_array(
            y, accept_sparse="csr", ensure_2d=False, ensure_min_samples=0, dtype=None,
            input_name="y", estimator=estimator,
        )  # fmt: skip
        if made.dtype.kind == "V":
            raise TypeError(f"expected numbers or labels, got {made.dtype}")
        if made.ndim == 0 or made.shape[0] != n:
            got = "a single value" if made.ndim == 0 else made.shape[0]
            raise ValueError(f"expected as many examples as X, {n}, got {got}")
    return made


def labels(y: Any) -> tuple[NDArray, bool]:
    """(labels (n,), False), or for multilabel data (zeros and ones (n, n_outputs), True)."""
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        check_classification_targets(y)  # raises, except for multiclass-multioutput
    if kind == "multilabel-indicator":
        return y.toarray() if hasattr(y, "toarray") else y, True
    if y.ndim == 2 and y.shape[1] > 1:
        raise ValueError("y: expected labels (n,), or zeros and ones (n, n_outputs), got others")
    return column_or_1d(y, warn=True) if y.ndim == 2 else y, False


def sample_weights(sample_weight: Any, X: Any) -> NDArray | None:
    """The weights (n,), finite; None if ``sample_weight`` is None."""
    if sample_weight is None:
        return None
    check_unmasked("sample_weight", sample_weight)
    _check_no_dates("sample_weight", sample_weight)
    _check_source("sample_weight", sample_weight)
    with name_errors("sample_weight"):
        weights: NDArray = _check_sample_weight(sample_weight, X, dtype=np.float64)
    return weights


def class_weights(name: str, given: Any, known: NDArray, y: NDArray) -> NDArray:
    """The weight of each example, (n,).

    ``y`` may lack some of the classes ``known``, as a batch or a training split may. As in
    scikit-learn, a dict that has all of them may have more, since a fold may lack some.
    """
    if isinstance(given, str) and given == "balanced":
        balanced: NDArray = compute_sample_weight("balanced", y)
        return balanced
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{name}: expected a dict {{class: weight}}, 'balanced' or None; "
            f"got {checks.short_repr(given)}"
        )
    numbers = {label: checks.nonnegative(f"{name}[{label!r}]", it) for label, it in given.items()}
    labels = known.tolist()
    unknown = [label for label in given if label not in labels]
    if unknown and not all(label in numbers for label in labels):
        raise ValueError(f"{name}: expected classes among {known}, got {unknown[0]!r}")
    weights = np.array([numbers.get(label, 1.0) for label in labels])
    return weights[np.searchsorted(known, y)]


def classes(given: Any) -> NDArray:
    """The argument ``classes``, sorted and without duplicates."""
    check_unmasked("classes", given)
    with name_errors("classes"):
        labels: NDArray = unique_labels(given)
    if not len(labels):
        raise ValueError("classes: expected one class or more, got none")
    return labels


def result_type(X: Any) -> type:
    """float32 for ``inputs`` in float32, else float64, whatever the network's dtype."""
    return np.float32 if X.dtype == np.float32 else np.float64


def kernel_inputs(model: Model, X: Any) -> Any:
    """The result of ``inputs`` as the kernels read it, finite and in the range of the dtype."""
    try:
        rows, largest, _ = checked_inputs("X", X)
    except ValueError:
        assert_all_finite(X, input_name="X")  # with scikit-learn's message
        raise
    model.check_inputs("X", rows.shape[1], largest)
    return rows


def dataset(model: Model, X: Any, encoded: NDArray) -> Dataset:
    """The result of ``inputs`` and the network's targets as a Dataset, checked.

    Bytes have scale 1, as in scikit-learn.
    """
    try:
        data = Dataset(X, encoded, scale=1)
    except ValueError:
        assert_all_finite(X, input_name="X")
        raise
    model.check_inputs("X", data.X.shape[1], data.largest)
    model.check("y", data)
    return data
