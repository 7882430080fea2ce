"""The C text of a build: structs, the function with its body, and the entry that unpacks one argument blob."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from p4kernel.errors import SignatureError
from p4kernel.signature import Array, Signature, sources
from p4kernel.signature.functions import Address, Function
from p4kernel.signature.layout import up
from p4kernel.signature.lines import BODY, PREAMBLE
from p4kernel.signature.structs import definitions
from p4kernel.signature.values import Generic, Value, c_element, record
from p4kernel.types import Scalar

ENTRY = "p4_entry"
_POINTER_SIZE = 4


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one argument, or one result (C's return value is "p4_ret"), lies in the blob."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class BlobLayout:
    """The argument blob: what ``struct p4_blob`` is to the compiler, which asserts that both agree."""

    slots: tuple[Slot, ...]  # of the arguments
    results: tuple[Slot, ...]
    ret: Slot | None  # the bytes that hold all results
    size: int


_LARGEST = 4096  # bytes of a blob, of protocol.yaml
_ALIGN = 16  # of a blob on the board


def blob_layout(signature: Signature) -> BlobLayout:
    """Lays arguments out in order, each at its natural alignment, then the results. Raises SignatureError if too large."""
    if signature.variables:
        names = ", ".join(v.__name__ for v in signature.variables)
        raise SignatureError(
            f"{signature.name} is generic over {names}: name the type, as in {signature.name}[np.float32]"
        )
    offset = 0

    def place(name: str, kind: Value | None) -> Slot:
        nonlocal offset
        size, align = (kind.size, kind.align) if kind is not None else (_POINTER_SIZE, _POINTER_SIZE)
        if align > _ALIGN:
            raise SignatureError(
                f"{signature.name}: {name}: {kind} is aligned to {align} bytes and can only be passed by pointer"
            )
        slot = Slot(name, up(offset, align), size)
        offset = slot.offset + size
        return slot

    slots = tuple(place(p.name, p.by_value) for p in signature.parameters if p.by_value is None or not p.result)
    returns = [("p4_ret", signature.returns)] if signature.returns else []
    returns += [(p.name, p.by_value) for p in signature.parameters if p.by_value is not None and p.result]
    results = tuple(place(name, kind) for name, kind in returns if not isinstance(kind, Generic))
    if offset > _LARGEST:
        raise SignatureError(
            f"{signature.name}: the arguments and results take {offset} bytes by value, and {_LARGEST} can be passed; "
            "pass large structs by pointer, as p4.In[...]"
        )
    ret = None
    if results:
        first = results[0].offset
        ret = Slot("p4_ret", first, offset - first)
    return BlobLayout(slots, results, ret, max(up(offset, 8), 8))


def units(signature: Signature) -> sources.Units:
    """The translation units of a build: (neutral file name, or path of a file of the user's, language, text)."""
    body = signature.body
    if body.language in ("cpp", "files"):
        make, callee = (
            (sources.cpp, signature.name) if body.language == "cpp" else (sources.files, callee_of(signature))
        )
        return make(signature, declarator(signature, callee), _structs(signature), entry(signature, callee, "p4_call"))
    if body.language == "source":
        text = (
            f'#include <p4kernel.h>\n#line 1 "{BODY}.c"\n{body.text}\n#line 1 "entry.c"\n{_structs(signature)}'
            f"extern {declarator(signature)};\n{entry(signature, signature.name)}"
        )
        return ((f"{BODY}.c", "c", text),)
    head = f"#include <p4kernel.h>\n{_structs(signature)}"
    if body.language == "c":
        text = (
            f'{head}#line 1 "constants.h"\n{body.constants}#line 1 "{PREAMBLE}.c"\n{body.preamble}\n#line 1 "prototype.c"\n'
            f"{declarator(signature)}\n{{\n"
            f'#line 1 "{BODY}.c"\n{body.text}\n#line 1 "entry.c"\n}}\n{entry(signature, signature.name)}'
        )
        return ((f"{BODY}.c", "c", text),)
    callee = callee_of(signature)
    start = f"{head}extern {declarator(signature, callee)};\n{entry(signature, callee)}"
    if body.language == "firmware":
        return (("entry.c", "c", start),)
    name = signature.name
    text = (
        f'#line 1 "constants.h"\n{body.constants}    .text\n#line 1 "{PREAMBLE}.S"\n{body.preamble}\n    .text\n    .balign 4\n    .globl {name}\n'
        f'    .type {name}, @function\n{name}:\n#line 1 "{BODY}.S"\n{body.text}\n    .text\n    .size {name}, . - {name}\n'
    )
    return ((f"{BODY}.S", "asm", text), ("entry.c", "c", start))


def callee_of(signature: Signature) -> str:
    """The C name of the function that the entry calls."""
    body = signature.body
    return {"firmware": body.text, "files": body.entry, "extern": body.entry}.get(body.language) or signature.name


def types_of(signature: Signature) -> list[Value]:
    """The types that the prototype uses, but for those of a generic stub's variables."""
    kinds: list[Value] = []
    for parameter in signature.parameters:
        if parameter.by_value is not None:
            kinds.append(parameter.by_value)
        elif isinstance(parameter.type, Array) and isinstance(parameter.type.element, np.dtype):
            kind = record(parameter.type.dtype.type)
            kinds += [kind] if kind is not None else []
        elif isinstance(parameter.type, Function):
            kinds += [
                k for k in (*parameter.type.parameters, parameter.type.returns) if k and not isinstance(k, Address)
            ]
    if signature.returns is not None and not isinstance(signature.returns, Generic):
        kinds.append(signature.returns)
    return kinds


def _structs(signature: Signature, *, bare: bool = False) -> str:
    """Definitions of these, and of what a generic stub's variables are."""
    names = [f"typedef {c_element(dtype)} {variable.__name__};\n" for variable, dtype in signature.types]
    return signature.head + definitions(types_of(signature), bare=bare) + "".join(names)


def declarator(signature: Signature, name: str | None = None) -> str:
    if signature.declaration:
        return signature.declaration
    parameters = ", ".join(p.c for p in signature.parameters) or "void"
    return f"{signature.returns.c if signature.returns else 'void'} {name or signature.name}({parameters})"


def entry(signature: Signature, callee: str, symbol: str = ENTRY) -> str:
    """C text of a function ``symbol`` that takes ``struct <symbol>_blob``, calls and stores the result."""
    blob = f"struct {symbol}_blob"
    layout = blob_layout(signature)
    members, askers = [], []
    arguments: dict[str, str] = {}
    cast = "(void *)" if signature.declaration else ""  # int32_t is long to GCC: the user's spelling is another type
    for p in signature.parameters:
        if isinstance(p.type, Function):
            askers.append(p.type.asker(f"{symbol}_{p.name}"))
            arguments[p.name] = f"{cast}{symbol}_{p.name}(p4_b->{p.name})"
        elif p.result and p.by_value is not None:
            arguments[p.name] = f"{cast}&p4_b->{p.name}"
        else:
            is_handle = isinstance(p.type, Scalar) and p.type.c.endswith("*")
            arguments[p.name] = f"{cast if is_handle else ''}p4_b->{p.name}"
        if p.by_value is None:
            # The prototype of the user's is not spelled by us: any pointer converts to void * and back.
            members.append(f"    void *{p.name};" if signature.declaration else f"    {p.c};")
        elif not p.result:
            members.append(f"    {p.c};")
    if signature.returns:
        members.append(f"    {signature.returns.c} p4_ret;")
    members += [f"    {p.by_value.c} {p.name};" for p in signature.parameters if p.by_value is not None and p.result]
    checks = [
        f"_Static_assert(__builtin_offsetof({blob}, {s.name}) == {s.offset}"
        f' && sizeof((({blob} *)0)->{s.name}) == {s.size}, "blob: {s.name}");'
        for s in (*layout.slots, *layout.results)
    ]
    passed = ", ".join(arguments[name] for name in signature.order or arguments)
    target = "p4_b->p4_ret = " if signature.returns else ""
    unused = "" if members else "    (void)p4_b;\n"
    return "\n".join(
        [
            *askers,
            f"{blob} {{",
            *(members or ["    char p4_none;"]),
            "};",
            *checks,
            f"void {symbol}({blob} *p4_b);",
            f"void {symbol}({blob} *p4_b)\n{{\n{unused}    {target}{callee}({passed});\n}}\n",
        ]
    )


def validate(signature: Signature) -> None:
    """Lets cffi's C parser read the prototype, so that an error of ours is not the user's compile error.

    Imports cffi (70 to 100 ms): called on the way to a build only.
    """
    if signature.declaration:
        return  # it was parsed
    cffi = import_cffi()
    text = f"{_structs(signature, bare=True)}{signature.prototype};"
    try:
        cffi.FFI().cdef(text)
    except cffi.CDefError as error:
        raise SignatureError(f"{signature.name}: {signature.prototype!r} is no valid C prototype: {error}") from error


def import_cffi() -> Any:
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
