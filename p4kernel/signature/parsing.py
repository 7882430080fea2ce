"""``ast.parse`` for several threads."""

from __future__ import annotations

import ast
import threading

from p4kernel import _forks

_lock = threading.Lock()


@_forks.call
def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


# One at a time: CPython 3.11 counts the depth of all threads' trees together, and then raises SystemError.


def module(source: str) -> ast.Module:
    """The tree of a Python file. Raises SyntaxError, ValueError."""
    with _lock:
        return ast.parse(source)


def expression(source: str) -> ast.Expression:
    """The tree of an expression. Raises SyntaxError."""
    with _lock:
        return ast.parse(source, mode="eval")
