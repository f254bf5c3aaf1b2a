"""Elementwise expressions of one variable in canonical form; recognizes activations in them.

``Activation.onnx`` defines the formula of an activation by a function ``op``. ``to_onnx`` passes an
``op`` that adds nodes to a graph. This module's ``op`` makes an expression, which is compared with
the expression that a graph computes. In canonical form, nested sums and products are flattened,
their constants are combined into one number, and their other operands are in a fixed order;
differences, and quotients by numbers, become sums and products. So different ways of writing a
formula give equal expressions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from fastnet.nn import activations
from fastnet.nn.activations import ACTIVATIONS, Activation

# The operators that formulas of activations may have.
_PLAIN = ("Sigmoid", "Tanh", "Relu", "Exp", "Erf", "Softmax", "Softplus", "Elu", "Log", "Sqrt",
          "Abs", "Max", "Min", "Pow", "Div")  # fmt: skip
_COMMUTATIVE = ("Max", "Min")
OPERATORS = (*_PLAIN, "Mul", "Add", "Sub", "Neg", "Reciprocal")

# Operators that compute a whole activation, and its name in fastnet.
SHORT = {"LeakyRelu": "leaky-relu", "Gelu": "gelu", "Swish": "swish"}

_LARGEST = 60  # operands in the formula of an activation
_TOLERANCE = 1e-6  # of constants, which are rounded to float32 in a float32 network


class Expression(NamedTuple):
    """An operator and its operands.

    The variable is the operator "Z", and a constant is "Number". ``number`` is the value of a
    constant, or the combined constant of a sum or product; ``size`` counts all operators in it."""

    operator: str
    operands: tuple[Expression, ...] = ()
    number: float = 0.0
    size: int = 1


Z = Expression("Z")


def number(value: float) -> Expression:
    return Expression("Number", (), float(value))


def op(name: str, *inputs: Expression | float, **attributes: float) -> Expression:
    """The canonical form of an operator of ``OPERATORS``; the ``op`` of ``Activation.onnx``.
    Attributes count as further operands.

    Raises
    ------
    ValueError
        For another operator, and for an expression that is larger than any activation's.
    """
    operands = [each if isinstance(each, Expression) else number(each) for each in inputs]
    if name != "Softmax":  # its only attribute, the axis, is checked elsewhere
        operands += [number(attributes[each]) for each in sorted(attributes)]
    if sum(each.size for each in operands) > _LARGEST:
        raise ValueError("expected a formula of an activation, found a larger one")
    if name in ("Sub", "Neg"):
        operands[-1] = _product([operands[-1], number(-1)])
    if name == "Div" and operands[1].operator == "Number" and operands[1].number:
        name, operands[1] = "Mul", number(1 / operands[1].number)
    if name == "Reciprocal":
        name, operands = "Div", [number(1), *operands]
    if name == "Mul":
        return _product(operands)
    if name in ("Add", "Sub", "Neg"):
        return _sum(operands)
    if name not in _PLAIN:
        raise ValueError(f"expected one of {', '.join(OPERATORS)}")
    if name in _COMMUTATIVE:
        operands.sort(key=_order)
    return _made(name, operands)


def _made(operator: str, operands: Iterable[Expression], constant: float = 0.0) -> Expression:
    kept = tuple(operands)
    return Expression(operator, kept, constant, 1 + sum(each.size for each in kept))


def _product(operands: list[Expression]) -> Expression:
    constant, rest = _flattened("Product", operands)
    value = math.prod(constant)
    if not rest or value == 0:
        return number(value)
    return rest[0] if len(rest) == 1 and value == 1 else _made("Product", rest, value)


def _sum(operands: list[Expression]) -> Expression:
    constant, rest = _flattened("Sum", operands)
    value = math.fsum(constant)
    if not rest:
        return number(value)
    return rest[0] if len(rest) == 1 and value == 0 else _made("Sum", rest, value)


def _flattened(kind: str, operands: list[Expression]) -> tuple[list[float], list[Expression]]:
    """The numbers and the other operands, in order, of nested sums or products."""
    numbers: list[float] = []
    rest: list[Expression] = []
    for each in operands:
        if each.operator == "Number":
            numbers.append(each.number)
        elif each.operator == kind:
            numbers.append(each.number)
            rest += each.operands
        else:
            rest.append(each)
    return numbers, sorted(rest, key=_order)


def _order(each: Expression) -> tuple[str, str]:
    """A key that does not depend on how a constant was rounded."""
    operands = " ".join("".join(_order(one)) for one in each.operands)
    return each.operator, f"{each.number:.4g}({operands})"


def equal(one: Expression, other: Expression) -> bool:
    """Whether both are the same formula, with constants equal up to their rounding."""
    return (
        one.operator == other.operator
        and len(one.operands) == len(other.operands)
        and math.isclose(one.number, other.number, rel_tol=_TOLERANCE, abs_tol=1e-30)
        and all(map(equal, one.operands, other.operands))
    )


def numbers_in(formula: Expression) -> Iterator[float]:
    """All constants of an expression."""
    if formula.operator in ("Number", "Product", "Sum"):
        yield formula.number
    for each in formula.operands:
        yield from numbers_in(each)


def formula_of(kind: Activation) -> Expression | None:
    """The formula of an activation; None if it has none, or one with an operator that is not in
    ``OPERATORS``."""
    try:
        made: Expression | None = kind.onnx(op, Z)
    except ValueError:
        return None
    return made


def recognized(formula: Expression, names: Iterable[str]) -> Activation | None:
    """The activation, among those with these names, that has this formula, otherwise None. Each
    constant of the formula is tried as a parameter."""
    constants = sorted({1.0, *numbers_in(formula)})  # canonical forms omit factors of 1
    for name in names:
        usual = ACTIVATIONS[name]
        candidates = itertools.product(constants, repeat=len(usual.parameters))
        for values in itertools.islice(candidates, 1000):
            try:
                kind = type(usual)(*map(shortest, values))
            except (TypeError, ValueError):  # out of the range of a parameter
                continue
            written = formula_of(kind)
            if written is not None and equal(formula, written):
                return kind
    return None


def shortest(value: float) -> float:
    """If the value is exactly a float32 number, the shortest decimal that rounds to it: 0.2 for
    0.20000000298; otherwise the value."""
    with np.errstate(over="ignore"):
        narrow = np.float32(value)
    return float(str(narrow)) if float(narrow) == value else value


def at_minus_z(formula: Expression) -> Expression | None:
    """f(-z) of a symmetric output activation, f(-z) = 1 - f(z); None for another formula."""
    kind = output(formula)
    if kind is None or not kind.symmetric:
        return None
    made: Expression | None = kind.onnx(op, op("Neg", Z))
    return made


def hidden(formula: Expression) -> Activation | None:
    return recognized(formula, activations.HIDDEN)


def output(formula: Expression) -> Activation | None:
    return recognized(formula, activations.OUTPUTS)
