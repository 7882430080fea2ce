"""From a Python stub to a C function: parameters, prototype, entry, and the map from C lines to Python lines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, TypeVar

import numpy as np

from p4kernel.errors import ArgumentError, SignatureError
from p4kernel.signature import bodies, sizes
from p4kernel.signature.bodies import Body
from p4kernel.signature.functions import Function
from p4kernel.signature.hints import Pointer, Returned, parse, parse_return, resolve
from p4kernel.signature.lines import LineMap, line_map
from p4kernel.signature.results import Form, Ret, Shape, shape
from p4kernel.signature.values import Enumeration, Generic, Record, Value, c_element, packed, record, spelling
from p4kernel.signature.words import C_WORDS
from p4kernel.types import CString, Direction, Scalar

__all__ = ["Array", "Parameter", "Signature", "read"]


@dataclass(frozen=True, slots=True)
class Array:
    """A pointer parameter: the elements and the way they travel. ``element`` None is void: any dtype."""

    element: np.dtype[Any] | TypeVar | None
    direction: Direction
    name: str  # In, Out, InOut or ptr, as in the stub
    optional: bool = False  # None is NULL

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the elements. Only for arrays whose dtype is known."""
        assert isinstance(self.element, np.dtype)
        return self.element

    @property
    def c(self) -> str:
        const = "const " if self.direction is Direction.IN else ""
        return f"{const}{self._c_element} *"

    @property
    def _c_element(self) -> str | None:
        if self.element is None:
            return "void"
        return self.element.__name__ if isinstance(self.element, TypeVar) else c_element(self.element)

    def __str__(self) -> str:
        known = isinstance(self.element, np.dtype)
        kind = record(self.dtype.type) if known else None
        if kind is not None:
            text = kind.name
        elif known:
            text = f"np.{self.dtype.type.__name__}"
        else:
            text = "Any" if self.element is None else str(self._c_element)
        return f"p4.{self.name}[{text}]{' | None' if self.optional else ''}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kernel. ``default`` is inspect.Parameter.empty, a value, a size taken from arrays, or p4.ret."""

    name: str
    type: Value | Array | CString | Generic | Function
    default: Any
    length: Shape | None = None  # of an array or text that is a result

    @property
    def by_value(self) -> Value | None:
        """Its type, when it is no pointer."""
        return self.type if isinstance(self.type, Scalar | Enumeration | Record) else None

    @property
    def optional(self) -> bool:
        """Whether None may be passed: NULL."""
        return isinstance(self.type, Array | CString | Function) and self.type.optional

    @property
    def result(self) -> bool:
        """Whether calls leave it out and return it."""
        return isinstance(self.default, Ret)

    @property
    def c(self) -> str:
        if isinstance(self.type, Function):
            return self.type.declare(self.name)
        if isinstance(self.type, CString):
            return f"{'' if self.result else 'const '}char *{self.name}"
        text = self.type.c
        star = "*" if self.result and not isinstance(self.type, Array) else ""
        return f"{text}{'' if text.endswith('*') else ' '}{star}{self.name}"


@dataclass(frozen=True, slots=True)
class Output:
    """One item of what a call returns."""

    parameter: int | None  # None: C's return value
    as_bytes: bool = False  # of a text


@dataclass(frozen=True, slots=True)
class Signature:
    """All that the decorator learns from a stub."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Value | Generic | None
    body: Body
    lines: LineMap
    requirements: tuple[sizes.Expression, ...]
    python: inspect.Signature
    form: Form = "none"  # of what a call returns
    outputs: tuple[Output, ...] = ()
    types: tuple[tuple[TypeVar, np.dtype[Any]], ...] = ()  # what a call selected, of a generic stub
    declaration: str = ""  # the prototype, when the user gave it as C text
    head: str = ""  # C text that stands before it
    order: tuple[str, ...] = ()  # of the parameters in C, when it is not that of Python

    @property
    def prototype(self) -> str:
        if self.declaration:
            return self.declaration
        parameters = ", ".join(p.c for p in self.parameters) or "void"
        return f"{self.returns.c if self.returns else 'void'} {self.name}({parameters})"

    @property
    def variables(self) -> tuple[TypeVar, ...]:
        """Of a generic stub: the types that a call selects."""
        kinds = [*(p.type for p in self.parameters), self.returns]
        found = [k.variable if isinstance(k, Generic) else k.element for k in kinds if isinstance(k, Generic | Array)]
        return tuple(dict.fromkeys(v for v in found if isinstance(v, TypeVar)))


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
    form, returned = parse_return(hints["return"], f"{where}, return")
    python = inspect.signature(function)
    parameters = tuple(_parameter(p, hints, where) for p in python.parameters.values())
    texts = (require,) if isinstance(require, str) else tuple(require)
    arguments = {p.name: (p.name, p.kind is p.KEYWORD_ONLY) for p in python.parameters.values()}
    signature = assemble(function.__name__, parameters, form, returned, texts, python, where)
    body = bodies.run(function, arguments)
    return replace(signature, body=body, lines=line_map(body))


def assemble(
    name: str, parameters: tuple[Parameter, ...], form: Form, returned: list[Returned], require: Sequence[str],
    python: inspect.Signature, where: str,
) -> Signature:  # fmt: skip
    """Checks the parts of a signature against each other. Its body is still to come."""
    _check_names(name, parameters, where)
    parameters = _check_defaults(parameters, where)
    is_array = {p.name: isinstance(p.type, Array) for p in parameters}
    requirements = tuple(sizes.requirement(text, is_array) for text in require)
    returns, outputs = match(parameters, form, returned, where)
    position = bodies.Position("<unknown>", 1, None)
    body = Body("firmware", name, "", position)
    lines = LineMap(position, None, None)
    signature = Signature(name, parameters, returns, body, lines, requirements, python, form, outputs)
    for variable in signature.variables:
        if variable.__name__ in (name, *is_array):
            raise SignatureError(f"{where}: {variable.__name__!r} is a type variable and a parameter; rename one")
        if not _selected(signature, variable):
            raise SignatureError(
                f"{where}: no array of a call selects {variable.__name__}; use it in an array that is always passed"
            )
    return signature


def _parameter(parameter: inspect.Parameter, hints: dict[str, Any], where: str) -> Parameter:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise SignatureError(f"{where}: *{name}: a kernel has a fixed number of parameters")
    if name not in hints:
        raise SignatureError(
            f"{where}: parameter {name!r} has no type; write {name}: p4.i32 or {name}: p4.In[np.float32]"
        )
    kind, optional = parse(hints[name], f"{where}, parameter {name!r}")
    return parameter_of(name, kind, optional, parameter.default)


def parameter_of(
    name: str, kind: Value | CString | Pointer | Generic | Function, optional: bool, default: Any
) -> Parameter:
    if isinstance(kind, Pointer):
        return Parameter(name, Array(kind.element, kind.word.direction, kind.word.name, optional), default)
    if isinstance(kind, CString | Function) and optional:
        kind = replace(kind, optional=True)
    return Parameter(name, kind, default)


def _check_names(function: str, parameters: tuple[Parameter, ...], where: str) -> None:
    for name in (function, *(p.name for p in parameters)):
        if name in C_WORDS:
            raise SignatureError(f"{where}: {name!r} is a word of C; choose another name")
        if not name.isascii():
            raise SignatureError(f"{where}: {name!r}: names become C names and must be ASCII")
        if name.startswith("p4_"):
            raise SignatureError(f"{where}: {name!r}: names that begin with p4_ belong to p4kernel")


def _check_defaults(parameters: tuple[Parameter, ...], where: str) -> tuple[Parameter, ...]:
    """The parameters, with the lengths of results. Raises SignatureError for a default that cannot be."""
    arrays = [p.name for p in parameters if isinstance(p.type, Array) and not p.result]
    results = [p.name for p in parameters if p.result]
    checked = []
    for parameter in parameters:
        name, kind, default = parameter.name, parameter.type, parameter.default
        if isinstance(default, sizes.Size | sizes.Dim):
            _check_size(parameter, arrays, results, where)
        elif isinstance(default, Ret):
            parameter = _check_result(parameter, parameters, results, where)
        elif default is inspect.Parameter.empty:
            pass
        elif isinstance(kind, Array):
            if default is not None or not kind.optional:
                raise SignatureError(
                    f"{where}: array parameter {name!r} cannot have a default, except None when it is declared "
                    f"{replace(kind, optional=True)}"
                )
        elif isinstance(kind, CString):
            if not isinstance(default, str | bytes) and not (default is None and kind.optional):
                raise SignatureError(f"{where}: {name!r}: the default {default!r} is no text")
        elif isinstance(kind, Function):
            if default is not None or not kind.optional:
                raise SignatureError(
                    f"{where}: {name!r}: a function pointer has no default, except None when it is optional"
                )
        elif not isinstance(kind, Generic):
            try:
                packed(default, kind, f"{where}: {name}")
            except ArgumentError as error:
                raise SignatureError(f"the default of a parameter does not fit it: {error}") from None
        checked.append(parameter)
    return tuple(checked)


def _check_size(parameter: Parameter, arrays: list[str], results: list[str], where: str) -> None:
    default = parameter.default
    if not isinstance(parameter.type, Scalar) or parameter.type.kind not in "iu":
        raise SignatureError(f"{where}: {parameter.name!r} takes {default} and must be an integer type")
    for name in default.names:
        if name in results:
            raise SignatureError(
                f"{where}: {parameter.name} = {default}: {name!r} is a result and has no size before the call; take the "
                "size from an array that is passed"
            )
        if name not in arrays:
            raise SignatureError(
                f"{where}: {parameter.name} = {default}: {name!r} is no array parameter "
                f"({', '.join(arrays) or 'there are none'})"
            )


def _check_result(parameter: Parameter, all_: tuple[Parameter, ...], results: list[str], where: str) -> Parameter:
    name, kind, ret = parameter.name, parameter.type, parameter.default
    at = f"{where}: {name}"
    if isinstance(kind, Array):
        if kind.optional or kind.direction is Direction.IN or kind.element is None:
            raise SignatureError(f"{at} = {ret}: a result that is an array is declared p4.Out[np.float32] and the like")
        if ret.shape is None:
            raise SignatureError(f"{at} = {ret}: say how large the array is, as in p4.ret('x.shape') or p4.ret(16)")
    elif isinstance(kind, CString):
        if kind.optional or not isinstance(ret.shape, int | str):
            raise SignatureError(f"{at} = {ret}: say how many bytes the text has at most, as in p4.ret(64)")
    elif isinstance(kind, Function):
        raise SignatureError(f"{at} = {ret}: a function pointer cannot be a result")
    elif ret.shape is not None:
        raise SignatureError(f"{at} = {ret}: one {spelling(kind)} has no length; write p4.ret()")
    if ret.shape is None:
        return parameter
    is_array = {p.name: isinstance(p.type, Array) for p in all_}
    return replace(parameter, length=shape(ret, is_array, results, at))


def match(
    parameters: tuple[Parameter, ...], form: Form, returned: list[Returned], where: str
) -> tuple[Value | Generic | None, tuple[Output, ...]]:
    """C's return type, and where each item of the return annotation comes from. Raises SignatureError."""
    results = [i for i, p in enumerate(parameters) if p.result]
    extra = len(returned) - len(results)
    if extra not in (0, 1):
        raise SignatureError(
            f"{where}: the return annotation has {len(returned)} items, and the stub {len(results)} results (parameters "
            "with p4.ret()); list C's own return value, if there is one, and then each result"
        )
    returns: Value | Generic | None = None
    outputs: list[Output] = []
    if extra:
        kind = returned[0].kind
        if not isinstance(kind, Scalar | Enumeration | Record | Generic):
            raise SignatureError(
                f"{where}: C cannot return {returned[0].text}; make it a result, as in out: p4.Out[...] = p4.ret('x.shape')"
            )
        returns = kind
        outputs.append(Output(None))
    for item, index in zip(returned[extra:], results, strict=True):
        parameter = parameters[index]
        if not _agrees(item, parameter):
            raise SignatureError(
                f"{where}: the return annotation says {item.text} where the result {parameter.c!r} comes back; "
                "the order is C's return value, then the results in the order of the parameters"
            )
        outputs.append(Output(index, item.kind is bytes))
    return returns, tuple(outputs)


def _agrees(item: Returned, parameter: Parameter) -> bool:
    kind = parameter.type
    if isinstance(kind, Array):
        return bool(item.kind == kind.element) and not isinstance(item.kind, Scalar | Enumeration | Record)
    if isinstance(kind, CString):
        return item.kind is str or item.kind is bytes
    return item.kind == kind


def _selected(signature: Signature, variable: TypeVar) -> bool:
    """Whether an argument that is always given has the type."""
    for p in signature.parameters:
        kind = p.type
        if not p.result and isinstance(kind, Array) and kind.element is variable and not kind.optional:
            return True
    return False
