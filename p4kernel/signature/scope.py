"""The names that are visible where a stub or a struct stands, for annotations that are text."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any


def caller(depth: int) -> FrameType | None:
    """The frame ``depth`` levels above the function that asks."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(depth):
        frame = frame.f_back if frame is not None else None
    return frame


def names_around(module: dict[str, Any], frame: FrameType | None) -> dict[str, Any]:
    """Local names of the frames from ``frame`` outwards, as long as they belong to ``module``; inner ones win."""
    levels = []
    while frame is not None and frame.f_globals is module:
        if frame.f_locals is not frame.f_globals:
            levels.append(dict(frame.f_locals))
        frame = frame.f_back
    names: dict[str, Any] = {}
    for level in reversed(levels):
        names.update(level)
    return names
