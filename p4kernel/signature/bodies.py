"""The body of a stub: what ``p4.c``, ``p4.asm`` and ``p4.firmware`` say, and how the decorator learns of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Literal, NoReturn

from p4kernel.errors import SignatureError
from p4kernel.signature.scope import caller


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a Python file a body was given: the call's first character."""

    file: str
    line: int
    column: int | None
    end_line: int | None = None
    end_column: int | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """Source text of a kernel, as given."""

    language: Literal["c", "asm", "firmware"]
    text: str
    preamble: str
    position: Position


class _BodyGiven(BaseException):  # no Exception: `except Exception` in a stub must not swallow it
    def __init__(self, body: Body) -> None:
        super().__init__("a p4 body was given outside a kernel: decorate the function with @p4.kernel")
        self.body = body


_given = threading.local()


def _give(language: Literal["c", "asm", "firmware"], text: str, preamble: str) -> NoReturn:
    for what, value in (("the text", text), ("preamble", preamble)):
        if not isinstance(value, str):
            raise SignatureError(f"p4.{language}: {what} must be a str, not {type(value).__name__}")
    frame = caller(2)
    body = Body(language, text, preamble, _position(frame))
    _given.last = body
    raise _BodyGiven(body)


def _position(frame: FrameType | None) -> Position:
    if frame is None:
        return Position("<unknown>", 1, None)
    index = frame.f_lasti // 2
    for i, (line, end_line, column, end_column) in enumerate(frame.f_code.co_positions()):
        if i == index and line is not None:
            return Position(frame.f_code.co_filename, line, column, end_line, end_column)
    return Position(frame.f_code.co_filename, frame.f_lineno, None)


def c(source: str, *, preamble: str = "") -> NoReturn:
    """The body of the kernel in C: the statements inside the function.

    ``preamble`` stands before the function: includes, helper functions, tables. Its first line may be an include.
    """
    _give("c", source, preamble)


def asm(source: str, *, preamble: str = "") -> NoReturn:
    """The body of the kernel in RISC-V assembly: arguments arrive as the ilp32f ABI says (a0, a1, ..., fa0, ...), and
    the text ends with ``ret``. ``preamble`` stands before it: constants, macros, data in sections of their own.
    """
    _give("asm", source, preamble)


def firmware(symbol: str) -> NoReturn:
    """The kernel is a function that the board's firmware exports, such as ``sinf``; nothing is compiled but the call."""
    if not isinstance(symbol, str) or not symbol.isidentifier():
        raise SignatureError(f"p4.firmware takes the name of a C function, not {symbol!r}")
    _give("firmware", symbol, "")


class _NoValue:
    """Stands for a parameter while the stub runs. Any use of it is an error."""

    __slots__ = ("_name", "_stub")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str, stub: str) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_stub", stub)


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    name, stub = object.__getattribute__(self, "_name"), object.__getattribute__(self, "_stub")
    raise SignatureError(
        f"{stub}: parameter {name!r} has no value while the stub is read (it runs once, when it is decorated); "
        f"use {name} inside the C text, and Python constants or variables for what the text is made of"
    )


_USES = (
    "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __floordiv__ __rfloordiv__ __mod__ "
    "__rmod__ __divmod__ __rdivmod__ __pow__ __rpow__ __matmul__ __rmatmul__ __lshift__ __rlshift__ __rshift__ "
    "__rrshift__ __and__ __rand__ __or__ __ror__ __xor__ __rxor__ __neg__ __pos__ __abs__ __invert__ __int__ "
    "__float__ __complex__ __index__ __round__ __bool__ __len__ __iter__ __next__ __contains__ __getitem__ "
    "__setitem__ __delitem__ __call__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __str__ __repr__ __format__ "
    "__getattr__ __setattr__ __delattr__ __enter__ __exit__ __await__ __bytes__ __fspath__ __array__"
)
for _use in _USES.split():
    setattr(_NoValue, _use, _refuse)


def run(function: Callable[..., Any], arguments: dict[str, tuple[str, bool]]) -> Body:
    """Runs the stub once, with a sentinel for each parameter (name -> (name, keyword only)), and returns its body."""
    where = function.__qualname__
    args = [_NoValue(name, where) for name, keyword in arguments.values() if not keyword]
    kwargs = {name: _NoValue(name, where) for name, keyword in arguments.values() if keyword}
    _given.last = None
    try:
        function(*args, **kwargs)
    except _BodyGiven as given:
        return given.body
    if _given.last is not None:
        raise SignatureError(
            f"{where}: the stub gave a body and then swallowed it; a bare `except:` or `except BaseException:` "
            "around p4.c must re-raise"
        )
    raise SignatureError(
        f"{where}: the stub ended without a body; call p4.c(...), p4.asm(...) or p4.firmware(...) in it"
    )


def function_position(code: CodeType) -> Position:
    """Where the stub itself begins."""
    return Position(code.co_filename, code.co_firstlineno, None)
