"""The translation units of bodies in C++, and of those that are files."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from p4kernel.errors import CompileError, SignatureError
from p4kernel.signature import Signature
from p4kernel.signature.bodies import SUFFIXES
from p4kernel.signature.lines import BODY, PREAMBLE
from p4kernel.signature.words import CPP_WORDS

__all__ = ["CONSTRUCT", "Units", "cpp", "files"]

Units = tuple[tuple[str, Literal["c", "cpp", "asm"], str], ...]

# The linker script puts the table of constructors between these two. The guard is a static variable like any other: it
# is zero again when the image is reset, so constructors run once for each time that variables get their initial values.
CONSTRUCT: Final = """\
extern void (*const p4_init_start[])(void), (*const p4_init_end[])(void);
void p4_construct(void);
void p4_construct(void)
{
    static _Bool done;
    if (done)
        return;
    done = 1;
    for (void (*const *f)(void) = p4_init_start; f != p4_init_end; ++f)
        (*f)();
}
"""
"""C text of the function that runs the constructors of globals; an entry of a program with C++ calls it first."""


def cpp(signature: Signature, declarator: str, structs: str, entry: str) -> Units:
    """A unit of C++ with the body, and the entry in C. ``entry`` defines ``p4_call``."""
    for name in (signature.name, *(p.name for p in signature.parameters)):
        if name in CPP_WORDS:
            raise SignatureError(f"{signature.name}: {name!r} is a word of C++; choose another name")
    body = signature.body
    text = (
        f'#include <p4kernel.h>\n{structs}#line 1 "constants.h"\n{body.constants}#line 1 "{PREAMBLE}.cpp"\n{body.preamble}\n'
        f'#line 1 "prototype.cpp"\nextern "C" {declarator};\n{declarator}\n{{\n'
        f'#line 1 "{BODY}.cpp"\n{body.text}\n#line 1 "entry.cpp"\n}}\n'
    )
    return ((f"{BODY}.cpp", "cpp", text), _start(declarator, structs, entry))


def files(signature: Signature, declarator: str, structs: str, entry: str) -> Units:
    """The files as they are now, and the entry in C. CompileError if one cannot be read."""
    units: list[tuple[str, Literal["c", "cpp", "asm"], str]] = []
    for name in signature.body.files:
        try:
            text = Path(name).read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise CompileError(f"{signature.name}: {name}: {error.strerror or error}") from None
        units.append((name, SUFFIXES[Path(name).suffix], text))
    return (*units, _start(declarator, structs, entry))


def _start(declarator: str, structs: str, entry: str) -> tuple[str, Literal["c"], str]:
    text = (
        f"#include <p4kernel.h>\n{structs}extern {declarator};\n{CONSTRUCT}{entry}"
        "void p4_entry(struct p4_call_blob *p4_b);\n"
        "void p4_entry(struct p4_call_blob *p4_b)\n{\n    p4_construct();\n    p4_call(p4_b);\n}\n"
    )
    return ("entry.c", "c", text)
