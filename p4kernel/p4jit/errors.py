"""Errors that are both: p4kernel's, and the built-in ones that programs for P4-JIT catch."""

from __future__ import annotations

from p4kernel.errors import ArgumentError, BoardError, CompileError, Error, LinkError, SignatureError

__all__ = [
    "CompilationFailed",
    "Freed",
    "FunctionNotFound",
    "LinkingFailed",
    "NoDevice",
    "NotAllocated",
    "OutOfBounds",
    "WrongCount",
]


class NoDevice(BoardError, RuntimeError):
    """No board could be reached."""


class FunctionNotFound(SignatureError, ValueError):
    """The source has no function of that name that can be called."""


class CompilationFailed(CompileError, RuntimeError):
    """The compiler refused the source."""


class LinkingFailed(LinkError, RuntimeError):
    """A symbol is missing, or code cannot be placed on the board."""


class WrongCount(ArgumentError, ValueError):
    """A call with too many or too few arguments, or one that is not the bytes of the slots."""


class Freed(Error, RuntimeError):
    """A call of a function after its ``free()``."""


class OutOfBounds(BoardError, PermissionError):
    """An access that is not wholly inside memory of this session. The board refused it; nothing was read or written."""


class NotAllocated(BoardError, ValueError):
    """An address that ``allocate`` did not return, or that was freed."""
