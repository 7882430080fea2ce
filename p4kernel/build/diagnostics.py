"""Messages of GCC, clang and GNU as, one line each, to Diagnostics with the compiler's (neutral) positions."""

from __future__ import annotations

import re
from dataclasses import replace
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
_MACRO: Final = re.compile(
    r"(?P<file>\S.*?):(?P<line>\d+)(?::(?P<column>\d+))?:\s+"
    r"(note: while in macro instantiation|Info: macro invoked from here)"
)
_EXPANDED: Final = "<instantiation>"
# How our headers say that an operand is wrong, and what clang tells of the way there.
_OURS: Final = re.compile(r"static assertion failed(?: due to requirement '.*?')?: \"?((?:esp\.|p4_)[^\"]*)\"?")
_INSIDE: Final = re.compile(r"expanded from (?:macro '[Pp]4_|here)")
_VALUES: Final = "expression evaluates to '"
_LOOP_HINT: Final = (
    "; if this is a hardware loop: its label comes later in the same section, at most 1022 bytes after esp.lp.setupi, or "
    "8190 bytes after the other instructions"
)


def parse(text: str) -> list[Diagnostic]:
    """The messages in ``text``, in order; a note follows what it belongs to. Columns count bytes from 1, 0: unknown."""
    found: list[Diagnostic] = []
    ours: re.Match[str] | None = None  # an error of our headers that the next lines are about
    for line in text.splitlines():
        if match := _MACRO.fullmatch(line):
            # An assembler's macro: what counts is where it was used, and the outermost use comes last.
            if found and match["file"] != _EXPANDED:
                found[-1] = replace(
                    found[-1], file=match["file"], line=int(match["line"]), column=int(match["column"] or 0)
                )
        elif match := _PLACED.fullmatch(line):
            # clang shows where in the expanded text of an inline assembly it is: a file that nobody has.
            if not match["file"].startswith("<inline asm>"):
                place = match["file"], int(match["line"]), int(match["column"] or 0)
                message = match["message"]
                if _INSIDE.match(message) or (ours and message.startswith(_VALUES)):
                    continue
                ours = _OURS.fullmatch(message)
                found.append(Diagnostic(*place, _severity(match["severity"]), ours[1] if ours else message))
        elif match := _UNPLACED.fullmatch(line):
            found.append(Diagnostic(COMMAND_LINE, 0, 0, _severity(match["severity"]), match["message"]))
    return [_late(item) for item in found]


def _late(item: Diagnostic) -> Diagnostic:
    """What assemblers find out when all code is laid out; clang has forgotten by then where a macro was used."""
    if item.file == _EXPANDED:
        item = replace(item, file=COMMAND_LINE, line=0, column=0)
        return replace(item, message=item.message + _LOOP_HINT) if "relocatable expr" in item.message else item
    # GNU as's words for the same.
    return replace(item, message=item.message + _LOOP_HINT) if item.message == "division by zero" else item


def _severity(text: str) -> Literal["error", "warning", "note"]:
    match text.lower():
        case "warning":
            return "warning"
        case "note" | "info":
            return "note"
        case _:
            return "error"
