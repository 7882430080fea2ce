"""Words to the text of instructions."""

from __future__ import annotations

import functools
from typing import NamedTuple

from p4kernel.pie import table
from p4kernel.pie.model import ROUNDING, SATURATION, Encoding, Instruction, Operand, generation_of
from p4kernel.pie.names import ABI

__all__ = ["Decoded", "decode", "recognize"]


class Decoded(NamedTuple):
    """An instruction with the values of its operands, in order, defaults included."""

    instruction: Instruction
    encoding: Encoding
    values: tuple[int, ...]

    @property
    def text(self) -> str:
        """As an assembler takes it. ``sat`` is always written: assemblers do not agree what it is when left out."""
        shown = [
            _show(operand, value)
            for operand, value in zip(self.encoding.operands, self.values, strict=True)
            if operand.kind != "rm" or value != operand.default
        ]
        return f"{self.instruction.mnemonic} {', '.join(shown)}".rstrip()


def decode(word: int, revision: float = 1) -> str | None:
    """The text of a PIE or hardware loop instruction on a chip of this revision; None if the word is none.

    A loop's label is shown as ``.+16``, bytes after the instruction.
    """
    found = recognize(word, revision)
    return found.text if found is not None else None


def recognize(word: int, revision: float = 1) -> Decoded | None:
    """The instruction that a word is on a chip of this revision."""
    for mask, match, mnemonic in _by_opcode(generation_of(revision)).get(word & 0x7F, ()):
        if word & mask == match and not word >> 32:
            instruction = table.get(mnemonic)
            encoding = instruction.encodings[generation_of(revision)]
            return Decoded(instruction, encoding, tuple(operand.get(word) for operand in encoding.operands))
    return None


@functools.cache
def _by_opcode(generation: int) -> dict[int, list[tuple[int, int, str]]]:
    """Mask, match and mnemonic by the low 7 bits, which no operand reaches into."""
    out: dict[int, list[tuple[int, int, str]]] = {}
    for instruction in table.instructions():
        encoding = instruction.encodings.get(generation)
        if encoding is not None and encoding.alias_of is None:
            row = encoding.mask, encoding.match, instruction.mnemonic
            out.setdefault(encoding.match & 0x7F, []).append(row)
    return out


def _show(operand: Operand, value: int) -> str:
    match operand.kind:
        case "q":
            return f"q{value}"
        case "x" | "xp":
            return ABI[value]
        case "sat":
            return SATURATION[value]
        case "rm":
            return ROUNDING[value]
        case "label10" | "label13":
            return f".+{value}"
        case _:
            return str(value)
