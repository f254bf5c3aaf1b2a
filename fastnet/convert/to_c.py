"""``Network.to_c``: checks, and the parts of the file in their order."""

from __future__ import annotations

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
    c_source,
)
from fastnet.convert.c_report import Int8Report
from fastnet.convert.c_source import Source
from fastnet.core import checks
from fastnet.data.dataset import Dataset
from fastnet.model import Model
from fastnet.nn.activations import ACTIVATIONS


def text(
    model: Model,
    name: Any,
    *,
    scale: float | None,
    jacobian: Any,
    examples: NDArray | None,
    int8: Any = False,
    data: Dataset | None = None,
) -> tuple[str, Int8Report | None]:
    """The C of a model, and the report on ``data``, which fit the model, if there are any.
    ``examples`` (n, n_in): the inputs of the self-test.

    Raises
    ------
    TypeError, ValueError
        As ``Network.to_c``.
    """
    name = c_names.checked(name)
    jacobian, int8 = checks.boolean("jacobian", jacobian), checks.boolean("int8", int8)
    if int8 and jacobian:
        raise ValueError("int8: expected False with jacobian=True, got True")
    if data is not None and not int8:
        raise ValueError("data: expected None without int8=True, which is what they are for")
    if scale is None:
        scale = 1.0 if model.input_scale is None else model.input_scale
    model.parameters.check_finite()
    for each in (*model.hidden, ACTIVATIONS[model.cost_spec.output]):
        if not each.c_value or not each.c_slope:
            raise ValueError(
                f"to_c: expected activations that have a text in C, got {each.name!r}, whose class "
                f"has no c_value or no c_slope"
            )
    source = Source(model, name, checks.nonnegative("scale", scale), jacobian, int8)
    if examples is None:
        examples = c_self_test.drawn(source)
    report = None if data is None else c_report.report(model, source.rounded, data)
    return _joined(source, examples, report), report


def _joined(source: Source, examples: NDArray, report: Int8Report | None) -> str:
    test = c_self_test.SelfTest(source, np.ascontiguousarray(examples, source.model.dtype))
    parts = [
        c_comment.text(source, test, report),
        _START,
        c_source.declarations(source),
        c_source.classes(source),
        c_functions.FUSED,
        c_source.functions(source),
        c_source.sums(source),
        c_source.constants(source),
        c_source.function(source),
        c_jacobian.function(source) if source.jacobian else "",
        test.text(),
    ]
    made = c_functions.filled("".join(parts), name=source.name, bits=source.bits)
    c_source.check_name(source.name, made)
    return made


_START = """
#include <stddef.h>
#include <stdint.h>
#include <string.h>
"""
