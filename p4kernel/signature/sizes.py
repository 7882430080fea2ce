"""Sizes that are taken from the arrays of a call: ``p4.size``, ``p4.dim``, and relations that ``require=`` states."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from p4kernel.errors import ArgumentError, SignatureError
from p4kernel.signature import parsing


@dataclass(frozen=True, slots=True)
class Size:
    """Default of a parameter: the number of elements of these arrays, which must agree."""

    names: tuple[str, ...]

    def of(self, array: Any, name: str) -> int:
        length: int = array.size
        return length

    def __str__(self) -> str:
        return "p4.size({})".format(", ".join(map(repr, self.names)))


@dataclass(frozen=True, slots=True)
class Dim:
    """Default of a parameter: the length of these arrays along one axis."""

    names: tuple[str, ...]
    axis: int

    def of(self, array: Any, name: str) -> int:
        try:
            return int(array.shape[self.axis])
        except IndexError:
            raise ArgumentError(
                f"{name} has {array.ndim} dimensions (shape {array.shape}), but {self} needs axis {self.axis}"
            ) from None

    def __str__(self) -> str:
        return "p4.dim({}, {})".format(", ".join(map(repr, self.names)), self.axis)


def size(*names: str) -> Any:
    """Default for a parameter: the number of elements of the named arrays, which must all have the same.

    ``n: p4.i32 = p4.size("x", "y")``. Left out of a call, n is taken from the arrays; given, it may not be larger.
    """
    if not names or not all(isinstance(name, str) for name in names):
        raise SignatureError(f"p4.size takes names of array parameters, not {names!r}")
    return Size(names)


def dim(name: str, axis: int, *more: str) -> Any:
    """Default for a parameter: the length of the named array along ``axis`` (negative counts from the end).

    Further names must have the same length there: ``p4.dim("a", 0, "b")``.
    """
    if not isinstance(name, str) or not isinstance(axis, int) or not all(isinstance(m, str) for m in more):
        raise SignatureError(f"p4.dim takes the name of an array parameter and an axis, not {(name, axis, *more)!r}")
    return Dim((name, *more), axis)


_ALLOWED = (
    ast.Expression, ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add,
    ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.LShift, ast.RShift, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt,
    ast.GtE, ast.Name, ast.Load, ast.Constant, ast.Attribute, ast.Subscript, ast.Tuple, ast.Call,
)  # fmt: skip
_ATTRIBUTES = {"size", "shape", "ndim", "nbytes"}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs, "len": len}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of arguments, such as ``out.size >= n * m``."""

    text: str
    code: CodeType
    names: tuple[str, ...]

    def value(self, values: Mapping[str, Any]) -> Any:
        return eval(self.code, {"__builtins__": {}, **_FUNCTIONS}, dict(values))

    def holds(self, values: Mapping[str, Any]) -> bool:
        return bool(self.value(values))


def requirement(text: str, parameters: Mapping[str, bool]) -> Expression:
    """Parses one relation of ``require=``. ``parameters``: name -> whether it is an array. Raises SignatureError."""
    return expression(text, parameters, f"require={text!r}", "a relation such as 'out.size >= n * m'")


def expression(
    text: str, parameters: Mapping[str, bool], where: str, wanted: str = "a length such as 'x.size'"
) -> Expression:
    """Parses one expression. ``where`` and ``wanted`` are for errors. Raises SignatureError."""

    def refuse(why: str) -> SignatureError:
        return SignatureError(f"{where}: {why}")

    try:
        tree = parsing.expression(text.strip())
    except SyntaxError as error:
        raise refuse(f"{error.msg}; write {wanted}") from None
    names: list[str] = []
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise refuse(f"{type(node).__name__} cannot be used here")
        if isinstance(node, ast.Attribute) and node.attr not in _ATTRIBUTES:
            raise refuse(f".{node.attr} cannot be used here; arrays have {', '.join(sorted(_ATTRIBUTES))}")
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and parameters.get(node.value.id, False)
        ):
            raise refuse(f".{node.attr} is an attribute of array parameters only")
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
            raise refuse(f"only {', '.join(_FUNCTIONS)} can be called")
        if isinstance(node, ast.Name) and node.id not in _FUNCTIONS:
            if node.id not in parameters:
                raise refuse(f"{node.id!r} is no parameter of the kernel ({', '.join(parameters)})")
            if node.id not in names:
                names.append(node.id)
    return Expression(text, compile(tree, "<p4>", "eval"), tuple(names))
