"""Bytes to instructions: PIE and the hardware loops by p4kernel.pie, all others by capstone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from p4kernel import generations
from p4kernel.pie import Decoded, recognize

if TYPE_CHECKING:
    from capstone import Cs

__all__ = ["Disassembler", "Instruction"]

# Instructions whose last operand is a distance, which a reader would have to add up.
_JUMPS: Final = frozenset({"j", "jal"})
_CONDITIONS: Final = frozenset("eq ne lt ge ltu geu eqz nez lez gez ltz gtz gt le gtu leu".split())
# Of compressed instructions, which are shown as what they stand for: the ones that change their first operand, and those
# with names of their own.
_ON_ITSELF: Final = frozenset("add sub and or xor addi andi slli srli srai addi16sp".split())
_LONG: Final = {
    "lwsp": "lw", "swsp": "sw", "flwsp": "flw", "fswsp": "fsw", "addi16sp": "addi", "addi4spn": "addi",
}  # fmt: skip
_AUIPC: Final = 0x17
_LUI: Final = 0x37
_USES: Final = {0x67: "I", 0x13: "I", 0x03: "I", 0x07: "I", 0x23: "S", 0x27: "S"}  # jalr, addi, loads and stores


class Instruction(NamedTuple):
    """One instruction, or bytes that are none."""

    address: int
    size: int
    mnemonic: str
    operands: tuple[str, ...]
    """The last one is missing when there is a target."""
    target: int | None = None
    """Where a jump goes, or where a hardware loop begins or ends."""
    refers: int | None = None
    """An address that this instruction forms together with the one before."""
    pie: Decoded | None = None


class Disassembler:
    """For chips with one generation of PIE."""

    def __init__(self, generation: int) -> None:
        import capstone

        self._revision = generations.REVISIONS[generation]
        self._machine: Cs = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)

    def instructions(self, data: bytes, address: int) -> Iterator[Instruction]:
        """All of ``data``; what nobody knows is a ``.word`` or a ``.half``."""
        at = 0
        high: tuple[int, int] | None = None  # a register and what the instruction before has put into it
        while at < len(data):
            end, found = self._stretch(data, at)
            for instruction in self._base(data[at:end], address + at):
                word = int.from_bytes(data[instruction.address - address :][:4], "little")
                yield instruction._replace(refers=_low(word, high) if high is not None else None)
                high = _high(word, instruction.address)
            at = end
            if found is not None:
                yield _pie(found, address + at)
                high = None
                at += 4

    def data(self, data: bytes, address: int) -> Iterator[Instruction]:
        """What was not written as instructions: words, and PIE, which p4_pie.inc writes as words."""
        for at in range(0, len(data), 4):
            piece = data[at : at + 4]
            found = recognize(int.from_bytes(piece, "little"), self._revision) if len(piece) == 4 else None
            yield _pie(found, address + at) if found is not None else _raw(piece, address + at)

    def _stretch(self, data: bytes, at: int) -> tuple[int, Decoded | None]:
        """Where the next instruction of PIE is, and which."""
        while at < len(data):
            if data[at] & 3 == 3 and at + 4 <= len(data):
                found = recognize(int.from_bytes(data[at : at + 4], "little"), self._revision)
                if found is not None:
                    return at, found
                at += 4
            else:
                at += 2
        return len(data), None

    def _base(self, data: bytes, address: int) -> Iterator[Instruction]:
        at = 0
        while at < len(data):
            for place, size, mnemonic, text in self._machine.disasm_lite(data[at:], address + at):
                yield _instruction(place, size, mnemonic, text)
                at = place - address + size
            if at < len(data):
                size = 4 if data[at] & 3 == 3 and at + 4 <= len(data) else min(2, len(data) - at)
                yield _raw(data[at : at + size], address + at)
                at += size


def _raw(data: bytes, address: int) -> Instruction:
    """Bytes that are no instruction."""
    directive = {4: ".word", 2: ".half"}.get(len(data), ".byte")
    return Instruction(address, len(data), directive, (f"0x{int.from_bytes(data, 'little'):x}",))


def _instruction(address: int, size: int, mnemonic: str, text: str) -> Instruction:
    operands = tuple(text.split(", ") if text else [])
    if mnemonic.startswith("c."):
        mnemonic = mnemonic[2:]
        if mnemonic in _ON_ITSELF:
            operands = operands[:1] + operands
        mnemonic = _LONG.get(mnemonic, mnemonic)
    if (mnemonic, operands) in (("jr", ("ra",)), ("jalr", ("zero", "0(ra)"))):
        return Instruction(address, size, "ret", ())
    if mnemonic in _JUMPS or (mnemonic[0] == "b" and mnemonic[1:] in _CONDITIONS):
        return Instruction(address, size, mnemonic, operands[:-1], (address + int(operands[-1], 0)) & 0xFFFFFFFF)
    return Instruction(address, size, mnemonic, operands)


def _pie(found: Decoded, address: int) -> Instruction:
    mnemonic, _, text = found.text.partition(" ")
    operands = text.split(", ") if text else []
    target = None
    if found.encoding.operands and found.encoding.operands[-1].kind.startswith("label"):
        target = address + found.values[-1]
        operands.pop()
    return Instruction(address, 4, mnemonic, tuple(operands), target, None, found)


def _high(word: int, address: int) -> tuple[int, int] | None:
    opcode = word & 0x7F
    if opcode not in (_AUIPC, _LUI):
        return None
    return word >> 7 & 31, (word & 0xFFFFF000) + (address if opcode == _AUIPC else 0)


def _low(word: int, high: tuple[int, int]) -> int | None:
    """The address that a load, a store, an addition or a jump forms with what is in the register."""
    kind = _USES.get(word & 0x7F)
    if kind is None or word >> 15 & 31 != high[0] or (word & 0x707F == 0x13) != (word & 0x7F == 0x13):
        return None
    low = word >> 20 if kind == "I" else (word >> 25) << 5 | (word >> 7 & 31)
    return (high[1] + low - (0x1000 if low & 0x800 else 0)) & 0xFFFFFFFF
