"""From a Python stub to a C function: parameters, prototype, entry, and the map from C lines to Python lines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from p4kernel.errors import SignatureError
from p4kernel.signature import bodies, sizes
from p4kernel.signature.bodies import Body
from p4kernel.signature.hints import parse, parse_return, resolve
from p4kernel.signature.lines import LineMap, line_map
from p4kernel.signature.structs import c_element
from p4kernel.types import CString, Direction, Scalar

__all__ = ["Array", "Parameter", "Signature", "read"]


@dataclass(frozen=True, slots=True)
class Array:
    """A pointer parameter: the elements' dtype and the way they travel."""

    dtype: np.dtype[Any]
    direction: Direction
    name: str  # In, Out, InOut or ptr, as in the stub

    @property
    def c(self) -> str:
        const = "const " if self.direction is Direction.IN else ""
        return f"{const}{c_element(self.dtype)} *"

    def __str__(self) -> str:
        scalar = self.dtype.type if self.dtype.fields is None else None
        return f"p4.{self.name}[{'np.' + scalar.__name__ if scalar is not None else c_element(self.dtype)}]"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kernel. ``default`` is inspect.Parameter.empty, a value, or a size taken from arrays."""

    name: str
    type: Scalar | Array | CString
    default: Any

    @property
    def c(self) -> str:
        if isinstance(self.type, CString):
            return f"const char *{self.name}"
        text = self.type.c
        return f"{text}{'' if text.endswith('*') else ' '}{self.name}"


@dataclass(frozen=True, slots=True)
class Signature:
    """All that the decorator learns from a stub."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Scalar | None
    body: Body
    lines: LineMap
    requirements: tuple[sizes.Requirement, ...]
    python: inspect.Signature

    @property
    def prototype(self) -> str:
        parameters = ", ".join(p.c for p in self.parameters) or "void"
        return f"{self.returns.c if self.returns else 'void'} {self.name}({parameters})"


_C_WORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof "
    "bool true false NULL".split()
)


def read(function: Callable[..., Any], require: str | Sequence[str] = (), frame: FrameType | None = None) -> Signature:
    """Reads a stub: its annotations, defaults and body. Raises SignatureError; nothing is compiled."""
    where = getattr(function, "__qualname__", repr(function))
    if not inspect.isfunction(function):
        raise SignatureError(f"@p4.kernel decorates a plain function, not {where}")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise SignatureError(f"{where}: a stub is a plain function, no generator and not async")
    hints = resolve(function, frame)
    if "return" not in hints:
        raise SignatureError(f"{where}: say what the kernel returns, `-> None` or `-> p4.i32` and the like")
    returns = parse_return(hints["return"], f"{where}, return")
    python = inspect.signature(function)
    parameters = tuple(_parameter(p, hints, where) for p in python.parameters.values())
    _check_names(function.__name__, parameters, where)
    _check_sizes(parameters, where)
    is_array = {p.name: isinstance(p.type, Array) for p in parameters}
    texts = (require,) if isinstance(require, str) else tuple(require)
    requirements = tuple(sizes.requirement(text, is_array) for text in texts)
    arguments = {p.name: (p.name, p.kind is p.KEYWORD_ONLY) for p in python.parameters.values()}
    body = bodies.run(function, arguments)
    return Signature(function.__name__, parameters, returns, body, line_map(body), requirements, python)


def _parameter(parameter: inspect.Parameter, hints: dict[str, Any], where: str) -> Parameter:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise SignatureError(f"{where}: *{name}: a kernel has a fixed number of parameters")
    if name not in hints:
        raise SignatureError(
            f"{where}: parameter {name!r} has no type; write {name}: p4.i32 or {name}: p4.In[np.float32]"
        )
    kind = parse(hints[name], f"{where}, parameter {name!r}")
    if isinstance(kind, tuple):
        pointer, dtype = kind
        return Parameter(name, Array(dtype, pointer.direction, pointer.name), parameter.default)
    return Parameter(name, kind, parameter.default)


def _check_names(function: str, parameters: tuple[Parameter, ...], where: str) -> None:
    for name in (function, *(p.name for p in parameters)):
        if name in _C_WORDS:
            raise SignatureError(f"{where}: {name!r} is a word of C; choose another name")
        if not name.isascii():
            raise SignatureError(f"{where}: {name!r}: names become C names and must be ASCII")
        if name.startswith("p4_"):
            raise SignatureError(f"{where}: {name!r}: names that begin with p4_ belong to p4kernel")


def _check_sizes(parameters: tuple[Parameter, ...], where: str) -> None:
    arrays = [p.name for p in parameters if isinstance(p.type, Array)]
    for parameter in parameters:
        default = parameter.default
        if isinstance(default, sizes.Size | sizes.Dim):
            if not isinstance(parameter.type, Scalar) or parameter.type.kind not in "iu":
                raise SignatureError(f"{where}: {parameter.name!r} takes {default} and must be an integer type")
            for name in default.names:
                if name not in arrays:
                    raise SignatureError(
                        f"{where}: {parameter.name} = {default}: {name!r} is no array parameter "
                        f"({', '.join(arrays) or 'there are none'})"
                    )
        elif isinstance(parameter.type, Array) and default is not inspect.Parameter.empty:
            raise SignatureError(f"{where}: array parameter {parameter.name!r} cannot have a default")
