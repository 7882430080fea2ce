"""Which of our headers declares a function: for the advice in a compile error."""

from __future__ import annotations

import re

from p4kernel import _resources

_UNDECLARED = re.compile(
    r"(?:undeclared function|implicit declaration of function|undeclared identifier) ['‘](\w+)['’]"
    r"|^['‘](?P<gcc>\w+)['’] was not declared"
)
_EXCEPTIONS = re.compile("with exceptions disabled|exception handling disabled")
_NO_CPP = re.compile("cannot execute ['‘]?cc1plus|error trying to exec ['‘]cc1plus")
_MNEMONIC = re.compile(r"unrecognized (?:instruction mnemonic|opcode)")
_PIE = "p4_pie.h"


def advice(message: str, text: str, in_file: bool = False) -> str:
    """What to add to a compiler's message about an exception, or about what is in a header that ``text`` does not
    include; "" for other messages. ``in_file``: the place is in a file of the user's, and not in a string."""
    if _EXCEPTIONS.search(message):
        return "; kernels have no exceptions: return an error, or call abort()"
    if _NO_CPP.search(message):
        return "; this GCC was installed without its compiler of C++"
    if _MNEMONIC.match(message) and "esp." in text and "p4_pie" not in text:
        return f"; instructions of PIE want a header: {_remedy(_PIE, 'asm', in_file)}"
    match = _UNDECLARED.search(message)
    if match is None:
        return ""
    name = match[1] or match["gcc"]
    if name in ("p4_loop", "p4_code") or _is_intrinsic(name):
        return f"; it is one of PIE: {_remedy(_PIE, 'c', in_file)}"
    folder = _resources.stubs() / "include"
    for header in sorted(folder.rglob("*.h")):
        if re.search(rf"^(?:#define |\w[\w *]*\b){name}\(", header.read_text(encoding="utf-8"), re.MULTILINE):
            path = header.relative_to(folder).as_posix()
            return f"; it is declared in {path}: {_remedy(path, 'c', in_file)}"
    return ""


def _remedy(header: str, body: str, in_file: bool) -> str:
    include = f"#include <{header}>"
    return f"add {include}" if in_file else f'give p4.{body}(..., preamble="{include}")'


def _is_intrinsic(name: str) -> bool:
    header = _resources.stubs() / "include" / "p4_pie_intrinsics.h"
    return f"#define {name}(" in header.read_text(encoding="utf-8")
