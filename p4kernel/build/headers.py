"""Which of our headers declares a function: for the advice in a compile error."""

from __future__ import annotations

import re

from p4kernel import _resources

_UNDECLARED = re.compile(r"(?:undeclared function|implicit declaration of function) ['‘](\w+)['’]")


def advice(message: str) -> str:
    """What to add to a compiler's message about a function that no header was included for; "" for other messages."""
    match = _UNDECLARED.search(message)
    if match is None:
        return ""
    for header in sorted((_resources.stubs() / "include").glob("*.h")):
        if re.search(rf"^\w[\w *]*\b{match[1]}\(", header.read_text(encoding="utf-8"), re.MULTILINE):
            return f'; it is declared in {header.name}: give p4.c(..., preamble="#include <{header.name}>")'
    return ""
