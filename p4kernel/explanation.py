"""``p4.explain``: what a kernel is to C, to the board and to the chip, as text."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from p4kernel import abi
from p4kernel.board import current
from p4kernel.members import ModuleKernel
from p4kernel.signature import prototype
from p4kernel.signature.values import Record
from p4kernel.types import CString, Scalar

if TYPE_CHECKING:
    from p4kernel.kernel import Kernel

__all__ = ["explain"]


def explain(kernel: Kernel[..., Any], file: TextIO | None = None) -> None:
    """Prints a kernel's prototype, where its arguments and results are passed, the layout of its structs, what its code
    takes, and where it lies. Compiles it if that was not done yet.
    """
    print("\n".join(_lines(kernel)), file=file or sys.stdout)


def _lines(kernel: Kernel[..., Any]) -> Iterator[str]:
    signature, options = kernel.signature, kernel.options
    where = signature.body.position
    yield f"{signature.prototype};"
    yield f"  {where.file}:{where.line}, p4.{signature.body.language}"
    if signature.parameters or signature.returns:
        yield ""
        yield from _arguments(kernel)
    for kind in _structs(kernel):
        yield ""
        yield from _struct(kind)
    build = kernel.build
    yield ""
    yield f"image: {build.size}; aligned to {build.image.align}"
    if build.image.imports:
        yield f"  from the firmware: {', '.join(name for name, _ in build.image.imports)}"
    yield f"  code and variables: {_memory(options.place)}; arrays during a call: {_memory(options.arrays)}"
    board = current()
    if board is not None and not board.closed and not isinstance(kernel, ModuleKernel):  # a module's place is its own
        held = board.loaded(build.image)
        if held is not None:
            yield f"  on {board.url}: 0x{held.address:08x} to 0x{held.address + build.image.size - 1:08x}"
        else:
            yield f"  on {board.url}: not loaded"


def _memory(kind: str) -> str:
    return "where the board has room" if kind == "any" else kind


def _arguments(kernel: Kernel[..., Any]) -> Iterator[str]:
    signature = kernel.signature
    layout = prototype.blob_layout(signature)
    slots = {slot.name: slot for slot in (*layout.slots, *layout.results)}
    returns = abi.of(signature.returns) if signature.returns is not None else None
    passed = abi.arguments([abi.of(p.by_value if not p.result else None) for p in signature.parameters], returns)
    rows = [("parameter", "type", "in C", "passed in", "blob offset", "bytes")]
    for parameter, place in zip(signature.parameters, passed, strict=True):
        slot = slots[parameter.name]
        rows.append((parameter.name, _type(parameter.type), parameter.c, place, str(slot.offset), str(slot.size)))
    if returns is not None:
        slot = slots["p4_ret"]
        rows.append(("(result)", _type(signature.returns), "", abi.result(returns), str(slot.offset), str(slot.size)))
    yield from table(rows)


def _type(kind: Any) -> str:
    """As in the stub."""
    if isinstance(kind, Scalar):
        return f"p4.{kind.name}"
    return "p4.cstr" if isinstance(kind, CString) else str(kind)


def table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows as columns, the first row as their heads."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _structs(kernel: Kernel[..., Any]) -> list[Record]:
    """The structs and unions of the parameters, inner ones first."""
    found: dict[str, Record] = {}

    def visit(kind: Record) -> None:
        for member in kind.members:
            if isinstance(member.type, Record):
                visit(member.type)
        found.setdefault(kind.c, kind)

    for kind in prototype.types_of(kernel.signature):
        if isinstance(kind, Record):
            visit(kind)
    return list(found.values())


def _struct(kind: Record) -> Iterator[str]:
    yield f"{kind.c}: {kind.size} bytes, aligned to {kind.align}"
    rows = [("  offset", "bytes", "member")]
    at = 0
    for member in kind.members:
        size = member.type.size * math.prod(member.shape)
        if member.offset > at:
            rows.append((f"  {at}", str(member.offset - at), "(padding)"))
        rows.append((f"  {member.offset}", str(size), member.c))
        at = max(at, member.offset + size)
    if at < kind.size:
        rows.append((f"  {at}", str(kind.size - at), "(padding)"))
    yield from table(rows)
