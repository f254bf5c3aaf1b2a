"""The schema of a network: the transform of its inputs, the names of features and classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from fastnet.core import checks
from fastnet.data import frames, labels
from fastnet.data.input_transform import InputTransform, Standardize
from fastnet.data.labels import Label

# The number of names that a repr shows.
_SHOWN = 4


class Schema(NamedTuple):
    """The arguments ``inputs``, ``classes`` and ``features`` of a network, checked.

    Attributes
    ----------
    inputs : InputTransform or None
    classes : tuple of Label or None
        The name of each class.
    features : tuple of str or None
        The name of each input.
    """

    inputs: InputTransform | None = None
    classes: tuple[Label, ...] | None = None
    features: tuple[str, ...] | None = None

    @classmethod
    def checked(
        cls, inputs: Any, classes: Any, features: Any, *, n_in: int, n_classes: int
    ) -> Schema:
        """The arguments for a network of ``n_in`` inputs and ``n_classes`` classes.

        Raises
        ------
        TypeError, ValueError
            The message begins with the argument's name.
        """
        if inputs is not None:
            if not isinstance(inputs, InputTransform):
                raise TypeError(
                    f"inputs: expected a Standardize, a Table or None, "
                    f"got {checks.short_repr(inputs)}"
                )
            if inputs.n_out != n_in:
                raise ValueError(
                    f"inputs: expected {n_in} features, the inputs of the network, "
                    f"got {inputs.n_out}"
                )
            features = _same_features(inputs.features, features)
            classes = inputs.classes if classes is None else classes
        names = None if classes is None else labels.checked_classes("classes", classes, n_classes)
        if inputs is not None and names is not None:
            _check_same_classes(inputs, names)
        return cls(inputs, names, checks.names("features", features, n_in))

    @property
    def is_empty(self) -> bool:
        """Whether the schema has no effect, since all arguments are None."""
        return self.inputs is None and self.classes is None and self.features is None

    @property
    def standardize(self) -> Standardize | None:
        """The standardization of arrays of numbers."""
        return None if self.inputs is None else self.inputs.standardize

    @property
    def has_columns(self) -> bool:
        """Whether the columns of the data are known."""
        plain = self.inputs is None or isinstance(self.inputs, Standardize)
        return self.features is not None or not plain

    def rows(self, X: Any) -> Any:
        """The numbers of data with named columns, (n, n_in): an array, or a frame that NumPy
        converts to one.

        Raises
        ------
        TypeError, ValueError
            For columns that do not match; the message does not name the argument.
        """
        if self.inputs is None or isinstance(self.inputs, Standardize):
            return frames.matrix(X, self.features)
        return self.inputs.encode(X)

    def numbers(self, name: str, X: Any) -> Any:
        """The argument ``X``, called ``name`` in messages: data with named columns as an array, one
        example in a dict as a vector, and everything else unchanged."""
        if type(X) is np.ndarray:
            return X
        if not (frames.is_named(X) if self.inputs is None else self.inputs.reads(X)):
            return X
        with checks.error_prefix(name):
            rows = self.rows(X)
        rows = checks.array(name, rows)
        return rows[0] if frames.is_row(X) else rows

    def codes(self, y: Any) -> Any:
        """Labels, with names replaced by the indices of the classes; other targets are returned
        unchanged, and so are all labels if the classes have no names.

        Raises
        ------
        ValueError
            For a label that is not one of the classes; the message does not name the argument.
        """
        if self.classes is None:
            return y
        found = labels.array("y", y)
        is_named = found.ndim == 1 and labels.are_names(found, self.classes)
        return labels.codes_of(found, self.classes) if is_named else y

    def code(self, name: str, y: Any) -> Any:
        """The index of the class that ``y`` names; another target is returned unchanged. ``name``
        is the argument's name in messages."""
        if self.classes is None or np.ndim(y):
            return y
        found = np.array([y], object if isinstance(y, str) else None)
        if not labels.are_names(found, self.classes):
            return y
        with checks.error_prefix(name, unless="y: "):
            return labels.codes_of(found, self.classes)[0]

    def class_weight(self, weights: Any) -> Any:
        """The argument ``class_weight`` with names replaced by the indices of the classes.

        Raises
        ------
        ValueError
            For a name that is not one of the classes.
        """
        if self.classes is None or not isinstance(weights, Mapping):
            return weights
        places = {name: i for i, name in enumerate(self.classes)}
        made = {}
        for name, weight in weights.items():
            if name not in places and (isinstance(name, str) or labels.has_numbers(self.classes)):
                raise ValueError(
                    f"class_weight: expected classes of {checks.some(self.classes)}, "
                    f"got {checks.short_repr(name)}"
                )
            made[places.get(name, name)] = weight
        return made

    @property
    def description(self) -> str:
        """The schema in the repr of a network; "" for an empty one."""
        parts = [] if self.inputs is None else [self.inputs.summary]
        for kind, names in (("features", self.features), ("classes", self.classes)):
            if names is not None:
                shown = ", ".join(map(_shortened, names[:_SHOWN]))
                parts.append(f"{kind} {shown}{', ...' if len(names) > _SHOWN else ''}")
        return "; ".join(parts)


EMPTY = Schema()  # for networks without names and without an input transform


def _same_features(own: Any, given: Any) -> Any:
    """The features of ``inputs`` or, if these have no names, the argument ``features``; a
    ValueError if both are given and differ."""
    if own is None or given is None:
        return own if given is None else given
    if not isinstance(given, str) and isinstance(given, Iterable):
        given = tuple(given)
        if given == own:
            return own
    raise ValueError(
        f"features: expected those of inputs, {checks.some(own)}, got {checks.short_repr(given)}"
    )


def _check_same_classes(inputs: InputTransform, names: tuple[Label, ...]) -> None:
    """Raise a ValueError if ``inputs`` predicts numbers, or if it has classes that are not
    ``names`` in some order."""
    if inputs.predicts_numbers:
        raise ValueError(
            f"classes: expected None, since inputs predict a number, got {checks.some(names)}"
        )
    if inputs.classes is not None and {*names} != {*inputs.classes}:
        raise ValueError(
            f"classes: expected those of inputs, {checks.some(inputs.classes)}, in any order, "
            f"got {checks.some(names)}"
        )


def _shortened(name: Label) -> str:
    text = name if isinstance(name, str) else repr(name)
    return text if len(text) <= 20 else f"{text[:17]}..."
