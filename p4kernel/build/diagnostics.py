"""Messages of GCC, clang and GNU as, one line each, to Diagnostics with the compiler's (neutral) positions."""

from __future__ import annotations

import re
from typing import Final, Literal

from p4kernel.errors import Diagnostic

__all__ = ["COMMAND_LINE", "parse"]

COMMAND_LINE: Final = "<command line>"
"""File of a message that is about no place in the source; its line is 0."""

_SEVERITY: Final = r"(?P<severity>fatal error|error|warning|note|internal compiler error|sorry, unimplemented|info)"
_PLACED: Final = re.compile(
    rf"(?P<file>\S.*?):(?P<line>\d+)(?::(?P<column>\d+))?: {_SEVERITY}: (?P<message>.*)", re.IGNORECASE
)
_UNPLACED: Final = re.compile(
    rf"(?P<tool>[^\s:]+(?:\.exe)?|[A-Za-z]:[^:]+): {_SEVERITY}: (?P<message>.*)", re.IGNORECASE
)


def parse(text: str) -> list[Diagnostic]:
    """The messages in ``text``, in order; a note follows what it belongs to. Columns count bytes from 1, 0: unknown."""
    found = []
    for line in text.splitlines():
        if match := _PLACED.fullmatch(line):
            # clang shows where in the expanded text of an inline assembly it is: a file that nobody has.
            if not match["file"].startswith("<inline asm>"):
                place = match["file"], int(match["line"]), int(match["column"] or 0)
                found.append(Diagnostic(*place, _severity(match["severity"]), match["message"]))
        elif match := _UNPLACED.fullmatch(line):
            found.append(Diagnostic(COMMAND_LINE, 0, 0, _severity(match["severity"]), match["message"]))
    return found


def _severity(text: str) -> Literal["error", "warning", "note"]:
    match text.lower():
        case "warning":
            return "warning"
        case "note" | "info":
            return "note"
        case _:
            return "error"
