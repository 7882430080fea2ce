"""Many kernels in one program that shares a text: the translation units of a module, and the way back from its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from p4kernel.errors import SignatureError
from p4kernel.signature import Signature
from p4kernel.signature.bodies import Body
from p4kernel.signature.lines import BODY, PREAMBLE, LineMap
from p4kernel.signature.prototype import ENTRY, callee_of, declarator, entry, types_of
from p4kernel.signature.sources import CONSTRUCT, Units
from p4kernel.signature.structs import definitions
from p4kernel.signature.values import Value

__all__ = ["CONSTRUCTS", "ModuleLines", "entry_name", "units"]

CONSTRUCTS: Final = "p4_construct"
"""The function that runs the constructors of globals."""
_TEXT: Final = "module"


def entry_name(kernel: str) -> str:
    """The symbol of a kernel's entry."""
    return f"{ENTRY}_{kernel}"


@dataclass(frozen=True, slots=True)
class ModuleLines(LineMap):
    """Maps places of all texts of a module. Files are named ``module.c``, ``kernel.NAME.c``, ``preamble.NAME.c``."""

    kernels: dict[str, LineMap]

    def map(self, file: str, line: int, column: int) -> tuple[str, int, int, str]:
        part, *middle, suffix = file.rsplit("/", 1)[-1].strip("<>").split(".") if "." in file else (file, "")
        if part == _TEXT:
            # Two arguments: a dataclass with slots is made anew, and super() without them finds the old one.
            return super(ModuleLines, self).map(f"{BODY}.{suffix}", line, column)
        of = self.kernels.get(".".join(middle))
        if of is not None:
            return of.map(f"{part}.{suffix}", line, column)
        return super(ModuleLines, self).map(file, line, column)


def units(text: Body, kernels: Sequence[Signature], types: Sequence[Value]) -> Units:
    """The units of a module: its text with the kernels in its language, those in assembly, and all entries."""
    known = definitions([*types, *(kind for kernel in kernels for kind in types_of(kernel))])
    heads = "".join(dict.fromkeys(kernel.head for kernel in kernels))
    head = f"#include <p4kernel.h>\n{heads}{known}"
    cpp = text.language == "cpp"
    suffix = "cpp" if cpp else "c"
    body = f'{head}{text.constants}#line 1 "{_TEXT}.{suffix}"\n{text.text}\n'
    declared = []
    for kernel in kernels:
        if kernel.body.language == text.language:
            body += _function(kernel, suffix)
        declared.append(f'#line 1 "prototype.{kernel.name}.c"\n{declarator(kernel, callee_of(kernel))};\n')
    entries = "".join(entry(kernel, callee_of(kernel), entry_name(kernel.name)) for kernel in kernels)
    start = f'{"".join(declared)}#line 1 "entry.c"\n{CONSTRUCT}{entries}{_root(kernels)}'
    assembly = [_assembly(kernel) for kernel in kernels if kernel.body.language == "asm"]
    if cpp:
        return ((f"{_TEXT}.cpp", "cpp", body), ("entry.c", "c", head + start), *assembly)
    return ((f"{_TEXT}.c", "c", body + start), *assembly)


def _function(kernel: Signature, suffix: str) -> str:
    name, body = kernel.name, kernel.body
    link = 'extern "C" ' if suffix == "cpp" else ""
    # The next kernel may use the same names for other values.
    forget = "".join(f"#undef {constant}\n" for constant in body.names)
    return (
        f'{body.constants}#line 1 "{PREAMBLE}.{name}.{suffix}"\n{body.preamble}\n'
        f'#line 1 "prototype.{name}.{suffix}"\n{link}{declarator(kernel)};\n{declarator(kernel)}\n{{\n'
        f'#line 1 "{BODY}.{name}.{suffix}"\n{body.text}\n#line 1 "entry.{suffix}"\n}}\n{forget}'
    )


def _assembly(kernel: Signature) -> tuple[str, Literal["asm"], str]:
    name, body = kernel.name, kernel.body
    text = (
        f'{body.constants}    .text\n#line 1 "{PREAMBLE}.{name}.S"\n{body.preamble}\n    .text\n    .balign 4\n'
        f"    .globl {name}\n    .type {name}, @function\n{name}:\n"
        f'#line 1 "{BODY}.{name}.S"\n{body.text}\n    .text\n    .size {name}, . - {name}\n'
    )
    return f"{BODY}.{name}.S", "asm", text


def _root(kernels: Sequence[Signature]) -> str:
    """The entry of the program, which is never called: it keeps those of the kernels from being dropped by the linker."""
    names = ", ".join(f"(const void *){entry_name(kernel.name)}" for kernel in kernels)
    return (
        f"static const void *const p4_keep[] = {{{names}}};\n"
        f"void {ENTRY}(void *p4_b);\n"
        f'void {ENTRY}(void *p4_b)\n{{\n    __asm__ volatile("" : : "r"(p4_keep), "r"(p4_b) : "memory");\n}}\n'
    )


def check(text: Body, kernel: Signature, where: str) -> None:
    """Raises SignatureError for a kernel that cannot be part of a module."""
    language = kernel.body.language
    if language in ("firmware", "files") or (language in ("c", "cpp") and language != text.language):
        instead = {"c": "p4.c", "cpp": "p4.cpp"}[text.language]
        raise SignatureError(
            f"{where}: a kernel of this module has a body of {instead}, p4.asm or p4.extern (a function that the module's "
            f"text defines), not p4.{language}"
        )
    if kernel.variables:
        raise SignatureError(f"{where}: a kernel of a module cannot be generic; name the types")
