"""Which of our headers declares a function: for the advice in a compile error."""

from __future__ import annotations

import re

from p4kernel import _resources

_PIE = "#include <p4_pie.h>"
_MNEMONIC = re.compile(r"unrecognized (?:instruction mnemonic|opcode)")
_UNDECLARED = re.compile(r"(?:undeclared function|implicit declaration of function) ['‘](\w+)['’]")


def advice(message: str, text: str) -> str:
    """What to add to a compiler's message about what is in a header that ``text`` does not include; "" for others."""
    if _MNEMONIC.match(message) and "esp." in text and "p4_pie" not in text:
        return f'; instructions of PIE want p4.asm(..., preamble="{_PIE}")'
    match = _UNDECLARED.search(message)
    if match is None:
        return ""
    if match[1] in ("p4_loop", "p4_code") or _is_intrinsic(match[1]):
        return f'; it is one of PIE: give p4.c(..., preamble="{_PIE}")'
    for header in sorted((_resources.stubs() / "include").glob("*.h")):
        if re.search(rf"^\w[\w *]*\b{match[1]}\(", header.read_text(encoding="utf-8"), re.MULTILINE):
            return f'; it is declared in {header.name}: give p4.c(..., preamble="#include <{header.name}>")'
    return ""


def _is_intrinsic(name: str) -> bool:
    header = _resources.stubs() / "include" / "p4_pie_intrinsics.h"
    return f"#define {name}(" in header.read_text(encoding="utf-8")
