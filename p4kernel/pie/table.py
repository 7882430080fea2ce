"""The instructions as typed objects, made from the generated tables when they are asked for."""

from __future__ import annotations

import functools
from typing import Final

from p4kernel import generations
from p4kernel.pie import _tables
from p4kernel.pie.model import Encoding, Instruction, Operand, Rule

__all__ = ["GENERATIONS", "get", "instructions", "mnemonics", "rule"]

GENERATIONS: Final = generations.NAMES
_LANES: Final = {
    "u8": "unsigned 8-bit lane", "s8": "signed 8-bit lane", "8": "8-bit lane",
    "u16": "unsigned 16-bit lane", "s16": "signed 16-bit lane", "16": "16-bit lane",
    "u32": "unsigned 32-bit lane", "s32": "signed 32-bit lane", "32": "32-bit lane",
}  # fmt: skip


@functools.cache
def _index() -> dict[str, _tables.Row]:
    return {row.mnemonic: row for row in _tables.ROWS}


def mnemonics() -> tuple[str, ...]:
    """All, sorted."""
    return tuple(_index())


def instructions() -> tuple[Instruction, ...]:
    """All, sorted by mnemonic."""
    return tuple(get(name) for name in _index())


@functools.cache
def get(mnemonic: str) -> Instruction:
    """KeyError if there is none; lower case is wanted."""
    row = _index()[mnemonic]
    _, group, (means, basis, certainty, evidence), rules = _tables.FAMILIES[row.family]
    encodings = {}
    for generation, word, layout in ((1, row.word1, row.layout1), (2, row.word2, row.layout2)):
        if word >= 0:
            operands = _operands(layout)
            mask = 0xFFFFFFFF
            for operand in operands:
                for bit in operand.bits:
                    mask &= ~(1 << bit)
            alias = _tables.ALIASES.get(mnemonic) if generation == 2 else None
            encodings[generation] = Encoding(word, mask, operands, alias)
    shared = [name.replace("{type}", row.type) for name in rules]
    if row.access:
        shared.append("alignment")
    if row.mem in _tables.MEMORY and row.mem.startswith(("ld", "st")):
        shared.append("fused")
    return Instruction(
        mnemonic, row.op, row.type, row.mem, row.access, group, _meaning(row, means, encodings),
        basis, certainty, evidence, tuple(map(rule, shared)), encodings,
    )  # fmt: skip


@functools.cache
def rule(name: str) -> Rule:
    """A fact that several instructions share. KeyError if there is none."""
    return Rule(name, *_tables.RULES[name])


@functools.cache
def _operands(layout: int) -> tuple[Operand, ...]:
    out = []
    for place in _tables.LAYOUTS[layout].split():
        name, kind, role, bits = place.split(":")
        numbers: list[int] = []
        for piece in bits.split(","):
            high, _, low = piece.partition("-")
            numbers += range(int(high), int(low or high) - 1, -1)
        out.append(Operand(name, kind, role, tuple(numbers)))
    return tuple(out)


def _meaning(row: _tables.Row, means: str, encodings: dict[int, Encoding]) -> str:
    suffix = _tables.MEMORY.get(row.mem, "")
    offset = next((o.name for o in next(iter(encodings.values())).operands if o.name.startswith("off")), "")
    bits = row.type.lstrip("us")
    size = int(bits) // 8 if bits.isdigit() else 0
    text = f"{means}; {suffix}" if suffix else means
    for key, value in (
        ("{lane}", _LANES.get(row.type, "")), ("{n}", str(16 // size) if size else ""), ("{bits}", bits),
        ("{bytes}", "1 byte" if size == 1 else f"{size} bytes"), ("{step}", str(size)), ("{off}", offset),
        ("{register}", _tables.REGISTERS.get(row.type, "")), ("{type}", row.type),
    ):  # fmt: skip
        text = text.replace(key, value)
    return text
