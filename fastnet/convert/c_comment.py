"""The comment at the top of an exported file."""

from __future__ import annotations

import textwrap
from itertools import pairwise

import numpy as np

from fastnet.convert import c_int8
from fastnet.convert.c_report import Int8Report
from fastnet.convert.c_self_test import SelfTest
from fastnet.convert.c_source import Source, printable
from fastnet.core.load import version


def text(source: Source, test: SelfTest, code: int | None, report: Int8Report | None) -> str:
    """The comment: what the file contains and needs, and how it is compiled and tested; ``code`` is
    the bound of the bytes of code, if it is known."""
    exact = _rounded(source, test, report) if source.int8 else _exact(source, test)
    parts = [_what(source), _inputs(source), _needs(source, code), exact, _test(source)]
    lines = [line for part in parts for line in [*part, ""]][:-1]
    return "/* " + "\n".join(f" * {line}".rstrip() for line in lines)[3:] + " */\n"


def _paragraph(words: str) -> list[str]:
    return textwrap.wrap(words, 96, break_long_words=False, break_on_hyphens=False)


def _real(source: Source) -> str:
    return "float" if source.bits == 32 else "double"


def _what(source: Source) -> list[str]:
    model, name, real = source.model, source.name, _real(source)
    cost = model.built_in
    lines = [
        f"A neural network in C99, which is also valid C++; written by fastnet {version()}.",
        "",
        f"    void {name}(const {real} *x, {real} *a);",
        "",
        *_paragraph(
            f"computes the outputs a [{model.sizes[-1]}] from the inputs x [{model.sizes[0]}], "
            f"finite numbers. The arrays must not overlap. Nothing is allocated, no library is "
            f"called, and calls in several threads do not affect each other. {name}_n_in and "
            f"{name}_n_out are the numbers of inputs and outputs."
        ),
    ]
    if source.jacobian:
        lines += [
            "",
            f"    void {name}_jacobian(const {real} *x, {real} *a, {real} *j);",
            "",
            "also computes j [n_out][n_in], the derivatives of the outputs by the inputs x.",
        ]
    hidden = ", ".join(map(str, model.hidden)) or "none"
    lines += [
        "",
        *_paragraph(
            f"Layers: {' - '.join(map(str, model.sizes))}. Hidden neurons: {hidden}. Outputs: "
            f"{model.cost_spec.output}. Cost: {'a custom one' if cost is None else cost}."
        ),
    ]
    if model.schema.classes is not None:
        macro = f"{name.upper()}_CLASSES"
        lines += _paragraph(f"Defining {macro} adds the table {name}_classes, their names.")
    return lines


def _inputs(source: Source) -> list[str]:
    """The transform of x, and the names of its elements."""
    model = source.model
    steps = []
    if source.scale != 1:
        steps.append(f"multiplied by the scale {source.scale!r}")
    if model.schema.standardize is not None:
        steps.append(f"standardized in double ({source.name}_mean, {source.name}_deviation)")
    done = f"x is {' and '.join(steps)} by the function." if steps else ""
    names = model.schema.features
    if names is None:
        return _paragraph(done or "x is used as it is.")
    listed = "; ".join(f"x[{i}] {printable(name)}" for i, name in enumerate(names))
    return _paragraph(f"{done} Features: {listed}.".strip())


def _needs(source: Source, code: int | None) -> list[str]:
    sizes, size = source.model.sizes, source.bits // 8
    weights = sum(rows.size for rows in source.layers) * size
    tables = 16 * sizes[0] if source.model.schema.standardize is not None else 0
    stack = sum(source.buffers.values()) * size
    if source.int8:
        weights = sum(layer.weights.size + 2 * size * len(layer.scales) for layer in source.rounded)
        stack += 4 * max(sizes[1:]) + 2 * c_int8.INPUTS
    products = sum(a * b for a, b in pairwise(sizes))
    lines = [
        f"Constants     {weights + tables:,} bytes of read-only memory",
        f"Stack         {stack:,} bytes of arrays",
        f"Time          {products:,} multiply-adds and {sum(sizes[1:]):,} activations per call",
    ]
    if code is not None:
        words = f"{code:,} bytes at most in Thumb-2, with gcc -Os and a floating-point unit"
        lines.insert(1, f"Code          {words}")
    if source.jacobian:
        arrays = sum(n for _, n in source.jacobian_buffers) * size
        lines.append(f"With Jacobian {arrays:,} bytes of arrays")
    return lines


def _exact(source: Source, test: SelfTest) -> list[str]:
    bound = float(np.max(test.bounds))
    of_type = "" if source.bits == 32 else " of doubles"
    return _paragraph(
        f"The outputs have the bits of fastnet's predictor() if the file is compiled by gcc or "
        f"clang for a processor with fused multiply-add{of_type} (x86-64: with -mfma; AArch64 has "
        f"it), without -ffast-math, unless a number is subnormal, which fastnet takes for zero. "
        f"Otherwise each output is within the error bound that the self-test has for its inputs, "
        f"{bound:.2g} at most."
    )


def _rounded(source: Source, test: SelfTest, report: Int8Report | None) -> list[str]:
    """The precision with 8-bit weights, and the report on the data."""
    steps = sorted({layer.steps for layer in source.rounded})
    lines = _paragraph(
        f"The weights have 8 bits, with a scale for each neuron; biases and activations are "
        f"{_real(source)}. The inputs of a layer are rounded to {' or '.join(map(str, steps))} "
        f"steps between 0 and the largest of them, and the sums are those of integers. Programs of "
        f"different compilers and processors agree within the error bound that the self-test has "
        f"for its inputs, {float(np.max(test.bounds)):.2g} at most."
    )
    if report is not None:
        lines += ["", *_paragraph(f"On the data that to_c was given: {report}.")]
    return lines


def _test(source: Source) -> list[str]:
    name = source.name
    macro = f"{name.upper()}_SELF_TEST"
    return [
        f"    cc -O2 -ffp-contract=fast -D{macro} {name}.c -o {name} && ./{name}",
        "",
        *_paragraph(
            f"compares outputs with the expected ones, and fails if one is beyond the bound; with "
            f"-D{macro}_EXACT also if its bits differ."
        ),
    ]
