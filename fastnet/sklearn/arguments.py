"""What users pass to the methods of the estimators; errors name the argument."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from fastnet import checks, scipy_matrices
from fastnet.data import Dataset, checked_inputs
from fastnet.model import Model

READ = (np.float64, np.float32, np.uint8)  # what the kernels read where it lies


@contextmanager
def named(name: str) -> Iterator[None]:
    """Let errors of scikit-learn and NumPy name the argument, where they do not."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        text = str(error)
        if re.match(rf"(Input )?{name}\b", text):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}: {text}") from None


def _check_no_dates(name: str, value: Any) -> None:
    """scikit-learn takes dates and times for numbers of their units, and what is none for one."""
    types = getattr(value, "dtypes", None)  # of a data frame, one for each column
    for dtype in [getattr(value, "dtype", None)] if types is None else np.atleast_1d(types):
        if getattr(dtype, "kind", "") in ("M", "m"):
            raise TypeError(f"{name}: expected numbers, got {dtype}")


def unmasked(name: str, value: Any) -> None:
    """Refuse masked elements: scikit-learn takes the numbers below the mask."""
    if checks.is_masked(value):
        raise ValueError(f"{name}: expected an array, got one with masked elements")


def _check_sparse(name: str, value: Any) -> None:
    """Look at index arrays before SciPy follows them: broken ones would end the process."""
    if hasattr(value, "tocsr") and len(value.shape) == 2:
        scipy_matrices.checked_arrays(f"{name}.", value)


def inputs(estimator: Any, X: Any, reset: bool) -> Any:
    """(n, n_in), an array or sparse, of a type in ``READ``; NaN and infinity are not looked for.

    reset: whether the number and the names of its columns are those to be remembered.
    """
    unmasked("X", X)
    _check_no_dates("X", X)
    _check_sparse("X", X)
    with named("X"):
        return validate_data(
            estimator, X, accept_sparse="csr", dtype=READ, reset=reset, ensure_all_finite=False
        )


def targets(estimator: Any, y: Any, n: int) -> NDArray:
    """(n,) or (n, n_out), finite, of any type."""
    unmasked("y", y)
    _check_sparse("y", y)
    with named("y"):
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
            came = "a single value" if made.ndim == 0 else made.shape[0]
            raise ValueError(f"expected as many as X has rows, {n}, got {came}")
    return made


def labels(y: Any) -> tuple[NDArray, bool]:
    """Labels (n,), or zeros and ones (n, n_outputs), and whether they are these."""
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        check_classification_targets(y)  # raises, but for multiclass-multioutput
    if kind == "multilabel-indicator":
        return y.toarray() if hasattr(y, "toarray") else y, True
    if y.ndim == 2 and y.shape[1] > 1:
        raise ValueError("y: expected labels (n,), or zeros and ones, (n, n_outputs), got more")
    return column_or_1d(y, warn=True) if y.ndim == 2 else y, False


def sample_weights(sample_weight: Any, X: Any) -> NDArray | None:
    """(n,) finite numbers; None where there are none."""
    if sample_weight is None:
        return None
    unmasked("sample_weight", sample_weight)
    _check_no_dates("sample_weight", sample_weight)
    with named("sample_weight"):
        weights: NDArray = _check_sample_weight(sample_weight, X, dtype=np.float64)
    return weights


def class_weights(name: str, given: Any, known: NDArray, y: NDArray) -> NDArray:
    """How often each example counts, (n,).

    ``y`` may lack some of ``known``: it is a batch, or what is not held out. As in
    scikit-learn, a dict that names all of them may name more: of a fold, some may be missing.
    """
    if isinstance(given, str) and given == "balanced":
        balanced: NDArray = compute_sample_weight("balanced", y)
        return balanced
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{name}: expected a dict {{class: weight}}, 'balanced' or None; "
            f"got {checks.briefly(given)}"
        )
    numbers = {label: checks.nonnegative(f"{name}[{label!r}]", it) for label, it in given.items()}
    labels = known.tolist()
    unknown = [label for label in given if label not in labels]
    if unknown and not all(label in numbers for label in labels):
        raise ValueError(f"{name}: expected classes among {known}, got {unknown[0]!r}")
    weights = np.array([numbers.get(label, 1.0) for label in labels])
    return weights[np.searchsorted(known, y)]


def classes(given: Any) -> NDArray:
    """The argument ``classes``, in order and each once."""
    unmasked("classes", given)
    with named("classes"):
        labels: NDArray = unique_labels(given)
    if not len(labels):
        raise ValueError("classes: expected one class or more, got none")
    return labels


def result_type(X: Any) -> type:
    """float32 for ``inputs`` in float32, else float64, whatever the network computes in."""
    return np.float32 if X.dtype == np.float32 else np.float64


def readable(model: Model, X: Any) -> Any:
    """What ``inputs`` returned, as the kernels read it; finite, and in the network's range."""
    try:
        rows, largest, _ = checked_inputs("X", X)
    except ValueError:
        assert_all_finite(X, input_name="X")  # in scikit-learn's words
        raise
    model.check_inputs("X", rows.shape[1], largest)
    return rows


def dataset(model: Model, X: Any, encoded: NDArray) -> Dataset:
    """What ``inputs`` returned, and the targets of the network: examples that fit it.

    Bytes are taken as they are, at a scale of 1, as scikit-learn takes them.
    """
    try:
        data = Dataset(X, encoded, scale=1)
    except ValueError:
        assert_all_finite(X, input_name="X")
        raise
    model.check_inputs("X", data.X.shape[1], data.largest)
    model.check("y", data)
    return data
