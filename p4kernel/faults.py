"""What is said of a kernel that did not return: cause, place in the source, backtrace."""

from __future__ import annotations

import linecache
import struct
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from p4kernel import generations
from p4kernel.errors import Cancelled, Diagnostic, Frame, KernelFault, KernelTimeout
from p4kernel.signature import Signature
from p4kernel.signature.prototype import ENTRY
from p4kernel.wire._tables import FaultRsp, Status
from p4kernel.wire.session import Reply

if TYPE_CHECKING:
    from p4kernel.build import Built

# Of mcause: RISC-V privileged specification, table of machine cause values.
CAUSES = {
    0: "instruction address misaligned",
    1: "instruction access fault",
    2: "illegal instruction",
    3: "breakpoint",
    4: "load address misaligned",
    5: "load access fault",
    6: "store address misaligned",
    7: "store access fault",
    8: "environment call",
    11: "environment call",
}
_ILLEGAL = 2
_ERASED = 0xFFFFFFFF  # the word of erased flash, and what people write for a trap: nobody meant an instruction
_UNITS = (("the SIMD unit is", 0x7F2), ("the hardware loops are", 0x7F1))  # and the CSR that switches each on
_TAKES_ADDRESS = {0, 1, 4, 5, 6, 7}
_RA, _SP = 1, 2
_LEVELS = 8
_NEAR_SP = 1 << 16  # bytes around sp where an access is one of the stack


def stopped(
    reply: Reply,
    signature: Signature,
    built: Built,
    base: int,
    limits: tuple[float, int | None],
    generation: int,
) -> KernelFault | KernelTimeout | Cancelled:
    """The exception for a reply with status FAULT, TIMEOUT, CANCELLED or DEAD.

    ``base``: the image's address. ``generation``: of the board's PIE.
    """
    fault = FaultRsp.unpack(reply.payload)
    registers = struct.unpack("<32I", fault.registers)
    frames = tuple(_backtrace(fault, registers, signature, built, base)) if fault.pc else ()
    name = signature.name
    facts = (fault.pc, registers, frames, fault.instructions)
    if reply.status is Status.TIMEOUT:
        seconds, count = limits
        limit, option = f"its limit of {seconds:g} s", "timeout"
        if count is not None and fault.instructions >= count:
            limit, option = f"its limit of {count:,} instructions", "max_instructions"
        ran = f" after {fault.instructions:,} instructions" if fault.instructions else ""
        return KernelTimeout(
            f"{name} reached {limit} and was ended{ran}; raise it with @p4.kernel({option}=...) if the work takes so long",
            *facts,
        )
    if reply.status is Status.CANCELLED:
        return Cancelled(f"{name} was cancelled", *facts)
    if reply.status is Status.CALLBACK:
        return KernelFault(
            f"{name} called a Python function with arguments that do not lie on its stack or in memory", *facts, fault.cause
        )
    if reply.status is Status.DEAD:
        return KernelFault(f"{name} could not be ended; the board is restarting", *facts, fault.cause)
    cause = CAUSES.get(fault.cause, f"trap {fault.cause}")
    where = f" at address 0x{fault.tval:08x}" if fault.cause in _TAKES_ADDRESS else ""
    if fault.cause == _ILLEGAL and fault.tval:
        where = f" 0x{fault.tval:0{4 if fault.tval & 3 != 3 else 8}x}"
    where += _simd(fault, built.image.data, base, generation)
    return KernelFault(
        f"{name}: {cause}{where}{_hint(fault.cause, fault.tval, registers[_SP])}", *facts, fault.cause, fault.tval
    )


def _simd(fault: FaultRsp, code: bytes, base: int, generation: int) -> str:
    """The instruction of the SIMD unit or the hardware loops that trapped, and why it was illegal; "" for others."""
    offset = fault.pc - base
    word = int.from_bytes(code[offset : offset + 4], "little") if 0 <= offset < len(code) else 0
    if fault.cause == _ILLEGAL and fault.tval:
        word = fault.tval
    from p4kernel.pie import recognize

    found = recognize(word, generations.REVISIONS[generation])
    if fault.cause != _ILLEGAL:
        return f" in {found.text}" if found is not None else ""
    if found is not None:
        unit, csr = _UNITS[found.instruction.group == "loop"]
        return f" ({found.text}, but {unit} switched off: CSR 0x{csr:x} is 0)"
    for other in () if word == _ERASED else generations.NAMES.keys() - {generation}:
        found = recognize(word, generations.REVISIONS[other])
        if found is not None:
            return f" ({found.text} of {generations.NAMES[other]}; this board has {generations.NAMES[generation]})"
    return ""


def _hint(cause: int, address: int, sp: int) -> str:
    if cause in (5, 7) and address < 4096:
        return " (a NULL pointer?)"
    if cause in (5, 7) and abs(address - sp) < _NEAR_SP:
        return " (its stack is too small? @p4.kernel(stack=...) sets it, in bytes)"
    if cause == 1:
        return " (a call through a bad function pointer, or a smashed return address?)"
    return ""


def _backtrace(
    fault: FaultRsp, registers: tuple[int, ...], signature: Signature, built: Built, base: int
) -> Iterable[Frame]:
    """pc, then ra, then words of the stack that can be return addresses: a guess, as no frame pointer is kept."""
    image = built.image
    yield _frame(fault.pc, fault.pc, signature, built, base)
    seen = {fault.pc}
    words = struct.unpack(f"<{len(fault.stack) // 4}I", fault.stack[: len(fault.stack) // 4 * 4])
    for address in (registers[_RA], *words):
        inside = base < address < base + image.text_size
        if inside and address not in seen and len(seen) <= _LEVELS and _follows_call(image.data, address - base):
            seen.add(address)
            yield _frame(address, address - 2, signature, built, base)


def _follows_call(text: bytes, offset: int) -> bool:
    """Whether the instruction before ``offset`` is one that links: jal, jalr, c.jal or c.jalr."""
    if offset >= 4:
        word = int.from_bytes(text[offset - 4 : offset], "little")
        if word & 0x7F in (0x6F, 0x67) and word >> 7 & 31 == _RA:
            return True
    half = int.from_bytes(text[offset - 2 : offset], "little")
    return half & 0xE003 == 0x2001 or (half & 0xF07F == 0x9002 and half & 0xF80 != 0)


def _frame(address: int, inside: int, signature: Signature, built: Built, base: int) -> Frame:
    offset = inside - base
    if not 0 <= offset < built.image.text_size:
        return Frame(address)
    function = next(
        (s.name for s in built.image.symbols if s.kind == "func" and s.offset <= offset < s.offset + s.size), None
    )
    from p4kernel.build.names import plain
    from p4kernel.listing import line_table, where

    function = function and (plain(function) or function)  # a method of C++ by its own name
    place = line_table(built).find(built.image.link_base + offset)
    if place is None:
        return Frame(address, function)
    file, line, remark, _ = where(signature.lines, place)
    if function is not None and function.startswith(ENTRY):  # the compiler has put the kernel into its only caller
        function = signature.name
    return Frame(address, (function or "") + remark, file, line)


def excerpt(diagnostics: Sequence[Diagnostic]) -> str:
    """Diagnostics with the source lines that they are about, and a mark under the column."""
    lines = []
    for diagnostic in diagnostics:
        lines.append(str(diagnostic))
        source = linecache.getline(diagnostic.file, diagnostic.line).rstrip("\n")
        if source:
            indent = "".join("\t" if c == "\t" else " " for c in source[: diagnostic.column - 1])
            lines += [f"    {source}", f"    {indent}^"]
    return "\n".join(lines)
