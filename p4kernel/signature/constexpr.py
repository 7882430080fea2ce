"""Constant expressions of C, as pycparser parses them."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_BINARY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "<<": operator.lshift, ">>": operator.rshift,
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_LARGEST_SHIFT: Final = 63


class NotConstant(Exception):
    """The expression has no value here; the message says why."""


def evaluate(node: Any, names: Mapping[str, int | float | str], size: Callable[[Any], int]) -> int | float | str:
    """The value: of integers in Python's arithmetic, wrapped to 64 bits where C's would be. Raises NotConstant.

    ``size`` gives the size of a type.
    """
    kind = type(node).__name__
    if kind == "Constant":
        return _literal(node)
    if kind == "ID":
        if node.name not in names:
            raise NotConstant(f"{node.name!r} is not known")
        return names[node.name]
    if kind == "UnaryOp" and node.op == "sizeof":
        return size(node.expr)
    try:
        value: int | float | str
        if kind == "UnaryOp":
            value = _unary(node.op, evaluate(node.expr, names, size))
            return value
        if kind == "TernaryOp":
            return evaluate(node.iftrue if evaluate(node.cond, names, size) else node.iffalse, names, size)
        if kind == "BinaryOp":
            value = _binary(node.op, evaluate(node.left, names, size), evaluate(node.right, names, size))
            return value
    except (TypeError, ZeroDivisionError) as error:
        raise NotConstant(str(error)) from None
    raise NotConstant(f"{kind} is not supported in a constant")


def _literal(node: Any) -> int | float | str:
    text: str = node.value
    if node.type == "string" or text.startswith(('"', "'")):
        value = ast.literal_eval(text) if re.fullmatch(r"""(["']).*\1""", text) else None
        if not isinstance(value, str):
            raise NotConstant(f"{text} is not understood")
        return ord(value) if text.startswith("'") else value
    if "int" in node.type or node.type == "char":
        digits = text.rstrip("uUlL")
        return int(digits, 8) if re.fullmatch(r"0[0-7]+", digits) else int(digits, 0)
    if re.match(r"0[xX]", text):
        return float.fromhex(text.rstrip("fFlL") if "p" in text.lower() else text)
    return float(text.rstrip("fFlL"))


def _unary(op: str, value: Any) -> Any:
    match op:
        case "-":
            return -value
        case "+":
            return +value
        case "~":
            return ~value
        case "!":
            return int(not value)
    raise NotConstant(f"{op} is not supported in a constant")


def _binary(op: str, left: Any, right: Any) -> Any:
    if op in ("&&", "||"):
        return int(bool(left and right) if op == "&&" else bool(left or right))
    if op in ("/", "%") and isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if op == "/" else left - quotient * right
    if op == "/":
        return left / right
    if op not in _BINARY or isinstance(left, str) or isinstance(right, str):
        raise NotConstant(f"{op} is not supported in a constant")
    if op in ("<<", ">>") and not 0 <= right <= _LARGEST_SHIFT:
        raise NotConstant(f"a shift by {right}")
    value = _BINARY[op](left, right)
    return int(value) if isinstance(value, bool) else value
