"""Names of functions in messages about linking."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

__all__ = ["near", "of_cpp", "plain", "shown"]

# Itanium C++ ABI; ``_Zn`` and ``_Zd`` are operator new and delete.
_UNWINDING: Final = (
    "__gxx_", "_Unwind_", "__cxa_throw", "__cxa_rethrow", "__cxa_begin_catch", "__cxa_end_catch", "__cxa_allocate_exc",
    "__cxa_free_exc", "__dynamic_cast", "_ZTVN10__cxxabiv1", "_ZTI", "__cxa_bad_",
)  # fmt: skip
_RUNTIME: Final = ("_Zn", "_Zd", "__cxa_", "__dso_handle")


def plain(name: str) -> str | None:
    """The function's own name in a C++ symbol of the Itanium ABI, with its scopes; None for a name that is not one."""
    match = re.match(r"_ZN?[KVr]*(?=\d)", name)
    if match is None:
        return None
    parts, at = [], match.end()
    while digits := re.match(r"\d+", name[at:]):
        at += digits.end()
        parts.append(name[at : at + int(digits[0])])
        at += int(digits[0])
        if not match[0].startswith("_ZN"):
            break
    return "::".join(parts)


def shown(name: str) -> str:
    """A symbol for people: C++ names are readable, with the symbol behind them."""
    own = plain(name)
    return f"'{own}' ({name})" if own else f"'{name}'"


def of_cpp(name: str) -> str:
    """Why a kernel lacks what compilers of C++ call by themselves, and what to do; "" for other names."""
    if name.startswith(_UNWINDING):
        return "; it is of C++ exceptions or RTTI, which kernels do not have: build with -fno-exceptions -fno-rtti"
    if name.startswith(_RUNTIME):
        return "; programs with C++ in them are kernels of p4.cpp, or of p4.files with a C++ file"
    return ""


def near(name: str, known: Iterable[str]) -> str:
    """What else may have been meant; "" when nothing is like it."""
    everything = list(known)
    if any(plain(symbol) == name for symbol in everything):
        return '; a function of C++ has this name: declare it extern "C"'
    found = get_close_matches(name, everything, 3, 0.7)
    return f"; did you mean {' or '.join(found)}?" if found else ""
