"""The body of a stub: what ``p4.c``, ``p4.files`` and the like say, and how the decorator learns of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal, NoReturn

from p4kernel.errors import SignatureError
from p4kernel.signature.scope import caller

Language = Literal["c", "cpp", "asm", "firmware", "files", "extern", "source"]

SUFFIXES: Final[Mapping[str, Literal["c", "cpp", "asm"]]] = {
    ".c": "c", ".cpp": "cpp", ".cc": "cpp", ".cxx": "cpp", ".C": "cpp", ".c++": "cpp", ".s": "asm", ".S": "asm",
}  # fmt: skip
"""Languages of source files, by the ending of their names."""


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

    language: Language
    text: str  # of "firmware": the symbol
    preamble: str
    position: Position
    constants: str = ""  # definitions for C, C++ and assembly
    names: tuple[str, ...] = ()  # of the constants
    files: tuple[str, ...] = ()  # absolute paths, of "files"
    entry: str = ""  # of "files", "extern": the function to call; "": that with the stub's name


class _BodyGiven(BaseException):  # no Exception: `except Exception` in a stub must not swallow it
    def __init__(self, body: Body) -> None:
        super().__init__("a p4 body was given outside a kernel: decorate the function with @p4.kernel")
        self.body = body


_given = threading.local()


def _give(language: Language, text: str, preamble: str, constants: Mapping[str, Any]) -> NoReturn:
    where = f"p4.{language}"
    for what, value in (("the text", text), ("preamble", preamble)):
        if not isinstance(value, str):
            raise SignatureError(f"{where}: {what} must be a str, not {type(value).__name__}")
    frame = caller(2)
    _raise(Body(language, text, preamble, position_of(frame), _constants(where, constants), tuple(constants)))


def _constants(where: str, constants: Mapping[str, Any]) -> str:
    if not constants:
        return ""
    from p4kernel.signature.constants import text

    for value in constants.values():
        if isinstance(value, _NoValue):
            _refuse(value)
    return text(where, constants)


def _raise(body: Body) -> NoReturn:
    _given.last = body
    raise _BodyGiven(body)


def position_of(frame: FrameType | None) -> Position:
    """Where the call stands that ``frame`` is in the middle of."""
    if frame is None:
        return Position("<unknown>", 1, None)
    index = frame.f_lasti // 2
    for i, (line, end_line, column, end_column) in enumerate(frame.f_code.co_positions()):
        if i == index and line is not None:
            return Position(frame.f_code.co_filename, line, column, end_line, end_column)
    return Position(frame.f_code.co_filename, frame.f_lineno, None)


def c(source: str, *, preamble: str = "", **constants: Any) -> NoReturn:
    """The body of the kernel in C: the statements inside the function.

    ``preamble`` stands before the function: includes, helper functions, tables. Its first line may be an include.
    ``constants`` are Python values that the text uses by name: ``p4.c("... N * SCALE ...", N=64, SCALE=0.5)``. Numbers
    and strings become macros (a Python float is a double, np.float32 a float), sequences and arrays constant tables.
    """
    _give("c", source, preamble, constants)


def cpp(source: str, *, preamble: str = "", **constants: Any) -> NoReturn:
    """The body of the kernel in freestanding C++17: the statements inside a function that is ``extern "C"``.

    There are templates, lambdas, classes, ``new`` (by the firmware's malloc) and a small part of the standard library
    (<array>, <algorithm>, <type_traits> ...); there are no exceptions and no RTTI. Constructors of globals run before
    each call, as variables start each call anew; destructors of globals are not run. The rest is as in ``p4.c``.
    """
    _give("cpp", source, preamble, constants)


def asm(source: str, *, preamble: str = "", **constants: Any) -> NoReturn:
    """The body of the kernel in RISC-V assembly: arguments arrive as the ilp32f ABI says (a0, a1, ..., fa0, ...), and
    the text ends with ``ret``. ``preamble`` stands before it: constants, macros, data in sections of their own.
    ``constants`` are as in ``p4.c``.
    """
    _give("asm", source, preamble, constants)


def files(paths: Sequence[str | os.PathLike[str]], *, entry: str | None = None, **constants: Any) -> NoReturn:
    """The kernel is a function of source files in C, C++ and assembly, which are compiled and linked together.

    ``paths`` are taken from the folder of the Python file. ``entry`` names the function, if it is not called as the
    stub is; in C++ it is declared ``extern "C"``. ``constants`` are as in ``p4.c``, and defined in every file.
    """
    frame = caller(1)
    position = position_of(frame)
    found = source_files(paths, position)
    if entry is not None and not (isinstance(entry, str) and entry.isidentifier() and entry.isascii()):
        raise SignatureError(f"p4.files: entry={entry!r} is no name of a C function")
    text = _constants("p4.files", constants)
    _raise(Body("files", "", "", position, text, tuple(constants), found, entry or ""))


def source_files(paths: Sequence[str | os.PathLike[str]], position: Position) -> tuple[str, ...]:
    """The absolute paths of source files that a kernel at ``position`` names. Raises SignatureError."""
    if isinstance(paths, str | os.PathLike):
        raise SignatureError(f"p4.files takes a list of files: p4.files([{os.fspath(paths)!r}])")
    found = tuple(_source_file(path, position) for path in paths)
    if not found:
        raise SignatureError("p4.files: the list of files is empty")
    if twice := sorted({path for path in found if found.count(path) > 1}):
        raise SignatureError(f"p4.files: {twice[0]} is listed twice")
    return found


def _source_file(path: Any, position: Position) -> str:
    if not isinstance(path, str | os.PathLike):
        raise SignatureError(f"p4.files takes paths, not {type(path).__name__}")
    place = folder_of(position) / path
    if place.suffix not in SUFFIXES:
        raise SignatureError(f"p4.files: {place}: source files end in {', '.join(SUFFIXES)}")
    if not place.is_file():
        raise SignatureError(f"p4.files: {place}: {'this is a folder' if place.is_dir() else 'there is no such file'}")
    return os.path.normpath(place.absolute())


def folder_of(position: Position) -> Path:
    """What relative paths of a kernel are taken from: its Python file's folder, or the current one in a REPL."""
    return folder_of_file(position.file)


def folder_of_file(name: str) -> Path:
    """The folder of a Python file, or the current one for what is none (``<stdin>``, a notebook's cell)."""
    file = Path(name)
    return file.parent.absolute() if file.is_file() else Path.cwd()


def text_of_module(
    source: str, language: Literal["c", "cpp"], constants: Mapping[str, Any], frame: FrameType | None
) -> Body:
    """The text that the kernels of a module share, given in this frame."""
    return Body(language, source, "", position_of(frame), _constants("p4.module", constants), tuple(constants))


def extern(symbol: str | None = None) -> NoReturn:
    """The kernel is a function that the text of its module defines, with the stub's name or ``symbol``."""
    if symbol is not None and not (isinstance(symbol, str) and symbol.isidentifier() and symbol.isascii()):
        raise SignatureError(f"p4.extern takes the name of a C function, not {symbol!r}")
    _raise(Body("extern", "", "", position_of(caller(1)), entry=symbol or ""))


def firmware(symbol: str) -> NoReturn:
    """The kernel is a function that the board's firmware exports, such as ``sinf``; nothing is compiled but the call."""
    if not isinstance(symbol, str) or not symbol.isidentifier():
        raise SignatureError(f"p4.firmware takes the name of a C function, not {symbol!r}")
    _give("firmware", symbol, "", {})


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
        if same := {function.__name__, *arguments} & set(given.body.names):
            raise SignatureError(
                f"{where}: {min(same)!r} is a constant and a parameter, or the kernel itself"
            ) from None
        return given.body
    if _given.last is not None:
        raise SignatureError(
            f"{where}: the stub gave a body and then swallowed it; a bare `except:` or `except BaseException:` "
            "around p4.c must re-raise"
        )
    raise SignatureError(
        f"{where}: the stub ended without a body; call p4.c(...), p4.cpp(...), p4.asm(...), p4.files([...]) or "
        "p4.firmware(...) in it"
    )
