"""The C text of a build: structs, the function with its body, and the entry that unpacks one argument blob."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal

from p4kernel.errors import SignatureError
from p4kernel.signature import Array, Signature
from p4kernel.signature.lines import BODY, PREAMBLE
from p4kernel.signature.structs import definitions
from p4kernel.types import CString, Scalar

ENTRY = "p4_entry"
_POINTER_SIZE = 4


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one argument, or the return value (name "p4_ret"), lies in the blob."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class BlobLayout:
    """The argument blob: what ``struct p4_blob`` is to the compiler, which asserts that both agree."""

    slots: tuple[Slot, ...]
    ret: Slot | None
    size: int


def blob_layout(signature: Signature) -> BlobLayout:
    """Lays arguments out in order, each at its natural alignment, the return value last."""
    offset = 0

    def place(name: str, size: int) -> Slot:
        nonlocal offset
        offset = -(-offset // size) * size
        slot = Slot(name, offset, size)
        offset += size
        return slot

    slots = tuple(
        place(p.name, p.type.size if isinstance(p.type, Scalar) else _POINTER_SIZE) for p in signature.parameters
    )
    ret = place("p4_ret", signature.returns.size) if signature.returns else None
    return BlobLayout(slots, ret, max(-(-offset // 8) * 8, 8))


def units(signature: Signature) -> tuple[tuple[str, Literal["c", "asm"], str], ...]:
    """The translation units of a build: (neutral file name, language, text)."""
    body = signature.body
    head = f"#include <p4kernel.h>\n{_structs(signature)}"
    if body.language == "c":
        text = (
            f'{head}#line 1 "{PREAMBLE}.c"\n{body.preamble}\n#line 1 "prototype.c"\n'
            f"{_declarator(signature)}\n{{\n"
            f'#line 1 "{BODY}.c"\n{body.text}\n#line 1 "entry.c"\n}}\n{_entry(signature, signature.name)}'
        )
        return ((f"{BODY}.c", "c", text),)
    callee = body.text if body.language == "firmware" else signature.name
    entry = f"{head}extern {_declarator(signature, callee)};\n{_entry(signature, callee)}"
    if body.language == "firmware":
        return (("entry.c", "c", entry),)
    name = signature.name
    text = (
        f'    .text\n#line 1 "{PREAMBLE}.S"\n{body.preamble}\n    .text\n    .balign 4\n    .globl {name}\n'
        f'    .type {name}, @function\n{name}:\n#line 1 "{BODY}.S"\n{body.text}\n    .text\n    .size {name}, . - {name}\n'
    )
    return ((f"{BODY}.S", "asm", text), ("entry.c", "c", entry))


def _structs(signature: Signature) -> str:
    return definitions([p.type.dtype for p in signature.parameters if isinstance(p.type, Array)])


def _declarator(signature: Signature, name: str | None = None) -> str:
    parameters = ", ".join(p.c for p in signature.parameters) or "void"
    return f"{signature.returns.c if signature.returns else 'void'} {name or signature.name}({parameters})"


def _entry(signature: Signature, callee: str) -> str:
    layout = blob_layout(signature)
    members = [f"    {p.c};" for p in signature.parameters]
    if signature.returns:
        members.append(f"    {signature.returns.c} p4_ret;")
    checks = [
        f"_Static_assert(__builtin_offsetof(struct p4_blob, {s.name}) == {s.offset}"
        f' && sizeof(((struct p4_blob *)0)->{s.name}) == {s.size}, "blob: {s.name}");'
        for s in (*layout.slots, *((layout.ret,) if layout.ret else ()))
    ]
    arguments = ", ".join(f"p4_b->{p.name}" for p in signature.parameters)
    target = "p4_b->p4_ret = " if signature.returns else ""
    unused = "" if members else "    (void)p4_b;\n"
    return "\n".join(
        [
            "struct p4_blob {",
            *(members or ["    char p4_none;"]),
            "};",
            *checks,
            f"void {ENTRY}(struct p4_blob *p4_b);",
            f"void {ENTRY}(struct p4_blob *p4_b)\n{{\n{unused}    {target}{callee}({arguments});\n}}\n",
        ]
    )


def validate(signature: Signature) -> None:
    """Lets cffi's C parser read the prototype, so that an error of ours is not the user's compile error.

    Imports cffi (70 to 100 ms): called on the way to a build only.
    """
    cffi = _import_cffi()
    text = f"{_declarations(signature)}{signature.prototype};"
    try:
        cffi.FFI().cdef(text)
    except cffi.CDefError as error:
        raise SignatureError(f"{signature.name}: {signature.prototype!r} is no valid C prototype: {error}") from error


def _import_cffi() -> Any:
    """cffi with its parser. Ctrl-C in the middle of an import leaves submodules without their package, and every later
    import of it would fail: they are forgotten, so that the next build begins anew."""
    try:
        import cffi
        import cffi.cparser
        import pycparser.c_ast  # noqa: F401
    except BaseException:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("cffi", "pycparser")]:
            del sys.modules[name]
        raise
    return cffi


def _declarations(signature: Signature) -> str:
    lines = [line for line in _structs(signature).splitlines() if not line.startswith("_Static_assert")]
    return "\n".join(lines) + "\n" if lines else ""


def has_pointers(signature: Signature) -> bool:
    return any(isinstance(p.type, Array | CString) for p in signature.parameters)
