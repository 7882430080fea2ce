"""Numbers passed by value: which Python values each C type takes, and what is wrong with the others."""

from __future__ import annotations

import operator
import struct
from typing import Any, Final

import numpy as np

from p4kernel.errors import ArgumentError
from p4kernel.types import Scalar

# Values of these very types need no conversion before struct packs (and range-checks) them.
EXACT: Final[dict[str, frozenset[type]]] = {
    "i": frozenset({int}),
    "u": frozenset({int}),
    "f": frozenset({float}),
    "b": frozenset({bool}),
}


def convert(value: Any, kind: Scalar, name: str) -> Any:
    """``value`` as Python's int, float or bool. Raises ArgumentError for what is none. ``name``: "kernel: parameter"."""
    argument = name.rpartition(" ")[2]
    if isinstance(value, np.ndarray):
        raise ArgumentError(
            f"{name}: p4.{kind.name} is one number, not an array of shape {value.shape}"
            + (f"; pass {argument}[()] or {argument}.item()" if value.size == 1 else "")
        )
    match kind.kind:
        case "i" | "u":
            return _integer(value, kind, name)
        case "f":
            return _float(value, kind, name)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ArgumentError(f"{name}: p4.bool_ takes True or False, not {show(value)}; pass bool({argument})")


def _integer(value: Any, kind: Scalar, name: str) -> int:
    if isinstance(value, float | np.floating):
        if value != value or value in (float("inf"), float("-inf")):
            raise ArgumentError(f"{name}: p4.{kind.name} takes an integer, and {show(value)} is none")
        argument = name.rpartition(" ")[2]
        raise ArgumentError(
            f"{name}: p4.{kind.name} takes an integer, not {show(value)}; say how to round, as in round({argument}) or "
            f"int({argument})"
        )
    try:
        return operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name}: p4.{kind.name} takes an integer, not {show(value)}") from None


def _float(value: Any, kind: Scalar, name: str) -> float:
    if isinstance(value, int | float | np.integer | np.floating):
        try:
            return float(value)
        except OverflowError:
            raise ArgumentError(f"{name}: {show(value)} is too large for p4.{kind.name}") from None
    raise ArgumentError(f"{name}: p4.{kind.name} takes a number, not {show(value)}")


def out_of_range(value: Any, kind: Scalar, name: str) -> ArgumentError | None:
    """What is wrong with a converted value that struct refuses; None when it is not this one."""
    try:
        struct.pack("<" + kind.code, value)
    except (struct.error, OverflowError):
        if kind.kind == "f":
            limit = float(np.finfo(kind.dtype).max)
            return ArgumentError(f"{name}: {value!r} does not fit p4.{kind.name}, whose largest value is {limit:.8g}")
        info = np.iinfo(kind.dtype)
        return ArgumentError(f"{name}: {value} does not fit p4.{kind.name}, which holds {info.min} to {info.max}")
    return None


def show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}... ({type(value).__name__})"
