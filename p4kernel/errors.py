"""Every error that p4kernel raises on purpose. ``Error`` is the root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "ArgumentError",
    "BoardError",
    "BoardLost",
    "Cancelled",
    "CompileError",
    "Diagnostic",
    "Error",
    "Frame",
    "KernelFault",
    "KernelTimeout",
    "LinkError",
    "OutOfMemory",
    "ProtocolError",
    "SignatureError",
    "StateLost",
    "ToolchainError",
]


class Error(Exception):
    """Root of all errors of p4kernel."""


class SignatureError(Error):
    """A stub says something that cannot become a C function: an annotation, a default, a missing body."""


class ToolchainError(Error):
    """No usable compiler, or one that cannot be run."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of a compiler, at the place where its author can see it."""

    file: str
    line: int
    column: int
    severity: Literal["error", "warning", "note"]
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"


class CompileError(Error):
    """The compiler refused the source. ``diagnostics`` are its messages, mapped to the Python file."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class LinkError(Error):
    """The compiled code cannot be placed on the board: an unknown symbol, a section that cannot be loaded."""


class ArgumentError(Error, TypeError):
    """An argument of a call does not fit its parameter. Nothing was sent to the board."""


class BoardError(Error):
    """No board, the wrong board, or a board that refuses a request."""


class BoardLost(BoardError):
    """The connection to the board ended. ``ran`` says whether the call under way was executed."""

    def __init__(self, message: str, ran: Literal["no", "unknown"] = "unknown") -> None:
        super().__init__(message)
        self.ran = ran


class ProtocolError(BoardError):
    """The other side does not speak our protocol, or not our version of it."""


class StateLost(BoardError):
    """An array or a module that lived on the board is gone: the board was restarted, or the connection begun anew."""


class OutOfMemory(BoardError, MemoryError):
    """The board cannot hold what was asked of it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of a kernel's backtrace: a board address and, where known, the function and the source line."""

    address: int
    function: str | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f" at {self.file}:{self.line}" if self.file is not None else ""
        return f"0x{self.address:08x} in {self.function or '?'}{where}"


@dataclass(eq=False)
class _Stopped(Error):
    """What is known about a kernel that did not return."""

    message: str
    pc: int = 0
    registers: tuple[int, ...] = ()
    backtrace: tuple[Frame, ...] = field(default=())
    instructions: int = 0

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {frame}" for frame in self.backtrace)])


@dataclass(eq=False)
class KernelFault(_Stopped):
    """The kernel trapped. ``cause`` is the chip's mcause, ``address`` its mtval; the board lives on."""

    cause: int = 0
    address: int = 0


@dataclass(eq=False)
class KernelTimeout(_Stopped, TimeoutError):
    """The kernel ran longer than its limit and was ended."""


@dataclass(eq=False)
class Cancelled(_Stopped):
    """The kernel was ended because the call was cancelled."""
