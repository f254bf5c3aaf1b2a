"""``Network.to_c``: checks its arguments, joins the parts of the file and writes it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.convert import (
    c_comment,
    c_functions,
    c_jacobian,
    c_names,
    c_report,
    c_self_test,
    c_size,
    c_source,
)
from fastnet.convert.c_report import Int8Report
from fastnet.convert.c_source import Source
from fastnet.core import checks, files
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.nn.activations import ACTIVATIONS

SUFFIXES = (".c", ".h", ".inc", ".cc", ".cpp", ".cxx", ".hpp")
_MOST_EXAMPLES = 1000

_INCLUDES = """
#include <stddef.h>
#include <stdint.h>
#include <string.h>
"""


def write(
    path: Any, model: Model, name: Any, *, scale: Any = None, jacobian: Any = False,
    examples: Any = None, int8: Any = False, data: Dataset | None = None,
) -> Int8Report | None:  # fmt: skip
    """Write a model as C, atomically, and return the report on ``data``, if these are given.

    All arguments are checked before the file is written; ``data`` must have been checked against
    the model.

    Raises
    ------
    TypeError, ValueError, OSError
        As ``Network.to_c``.
    """
    check_suffix("path", path)
    files.check_writable(path)
    source, test = _parts(model, name, scale, jacobian, examples, int8)
    if data is not None and not source.int8:
        raise ValueError("data: expected None without int8=True, since they are for its report")
    report = None if data is None else c_report.report(model, source.rounded, data)
    files.write(path, [_joined(source, test, report).encode("ascii")])
    return report


def check_suffix(argument: str, path: Any) -> None:
    """Raise a ValueError unless the path has a suffix of C or C++; ``argument`` is its name."""
    if os.path.splitext(checks.path(argument, path))[1].lower() not in SUFFIXES:
        raise ValueError(
            f"{argument}: expected a name that ends in {', '.join(SUFFIXES)}, got "
            f"{checks.short_repr(os.fspath(path))}"
        )


def _parts(
    model: Model, name: Any, scale: Any, jacobian: Any, examples: Any, int8: Any
) -> tuple[Source, c_self_test.SelfTest]:
    """The source and the test of the file; arguments and errors as for ``Network.to_c``."""
    name = c_names.checked(name)
    jacobian, int8 = checks.boolean("jacobian", jacobian), checks.boolean("int8", int8)
    if int8 and jacobian:
        raise ValueError("int8: expected False with jacobian=True, got True")
    if scale is None:
        scale = 1.0 if model.input_scale is None else model.input_scale
    scale = checks.nonnegative("scale", scale)
    model.parameters.check_finite()
    for each in (*model.hidden, ACTIVATIONS[model.cost_spec.output]):
        if not each.c_value or not each.c_slope:
            raise ValueError(
                f"to_c: expected activations that are available in C, got {each.name!r}, whose "
                f"class has no c_value or no c_slope"
            )
    source = Source(model, name, scale, jacobian, int8)
    given = None if examples is None else _checked(examples, model)
    return source, c_self_test.make(source, given)


def _checked(examples: Any, model: Model) -> NDArray:
    """The argument ``examples``, checked, as an array (n, n_in) of the network's type."""
    array = checks.array("examples", model.schema.numbers("examples", examples))
    if array.dtype.kind not in "biuf":
        raise TypeError(f"examples: expected numbers, got {array.dtype}")
    n_in = model.sizes[0]
    if array.ndim != 2 or array.shape[1] != n_in or not 1 <= len(array) <= _MOST_EXAMPLES:
        raise ValueError(
            f"examples: expected shape (n, {n_in}), n from 1 to {_MOST_EXAMPLES}, got {array.shape}"
        )
    with np.errstate(over="ignore"):
        made = np.array(array, model.dtype)
    if not np.isfinite(made).all():
        raise ValueError(
            f"examples: expected finite numbers within the range of {model.dtype}, got others"
        )
    return made


def _joined(source: Source, test: c_self_test.SelfTest, report: Int8Report | None) -> str:
    """The parts of the file."""
    computing = [
        c_functions.FUSED,
        c_source.functions(source),
        c_source.sums(source),
        c_source.constants(source),
        c_source.function(source),
        c_jacobian.function(source) if source.jacobian else "",
    ]
    computes = "".join(computing)
    code = c_size.code(source, computes)
    parts = [
        c_comment.text(source, test, code, report),
        _INCLUDES,
        c_source.declarations(source),
        c_source.classes(source),
        c_source.with_narrow_vectors(source, computes),
        test.text(),
    ]
    made = c_functions.filled("".join(parts), source.name, source.bits)
    c_names.check_unused(source.name, made)
    return made
