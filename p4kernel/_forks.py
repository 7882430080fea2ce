"""What must be put right in a process made by fork(): locks that a thread held which is not there any more."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Final, Protocol


class Inherited(Protocol):
    """What a fork copies, and the copy must know."""

    def after_fork(self) -> None:
        """Called in the child, before anything else there; no other thread exists."""


_objects: Final[weakref.WeakSet[Inherited]] = weakref.WeakSet()
_functions: Final[list[Callable[[], None]]] = []


def watch(thing: Inherited) -> None:
    """Has ``thing.after_fork`` called in each child, as long as it lives."""
    _objects.add(thing)


def watched() -> list[Inherited]:
    """All that is watched and lives."""
    return list(_objects)


def call(function: Callable[[], None]) -> Callable[[], None]:
    """Has ``function`` called in each child. A decorator."""
    _functions.append(function)
    return function


def _child() -> None:
    for function in _functions:
        function()
    for thing in list(_objects):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_child)
