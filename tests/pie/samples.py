"""Instructions with operands: every one of them, at the extremes and at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from p4kernel.pie import Encoding, Instruction, Operand, instructions
from p4kernel.pie.model import ROUNDING, SATURATION
from p4kernel.pie.names import ABI

REVISIONS = {1: 1.3, 2: 3.1}
"""A chip revision of each generation."""


class Sample(NamedTuple):
    text: str
    word: int


def samples(generation: int, count: int, seed: int = 1) -> Iterator[Sample]:
    """All lowest, all highest, each operand at each end with the others random, then ``count`` random ones."""
    for instruction in instructions():
        encoding = instruction.encodings.get(generation)
        if encoding is not None:
            choose = random.Random(f"{seed} {instruction.mnemonic}")
            yield from _of(instruction, encoding, count, choose)


def _of(instruction: Instruction, encoding: Encoding, count: int, choose: random.Random) -> Iterator[Sample]:
    choices = [allowed(operand) for operand in encoding.operands]
    rows = [[values[0] for values in choices], [values[-1] for values in choices]]
    for index in range(len(choices)):
        for end in (0, -1):
            row = [choose.choice(values) for values in choices]
            row[index] = choices[index][end]
            rows.append(row)
    rows += [[choose.choice(values) for values in choices] for _ in range(count if choices else 0)]
    for row in rows:
        yield Sample(_text(instruction, encoding, row, choose), word_of(encoding, row))


def allowed(operand: Operand) -> list[int]:
    """Every value, from the kind's description and nothing else."""
    kind = operand.kind
    if kind == "xp":
        return [*range(8, 16), *range(24, 32)]
    if kind.startswith("label"):
        return list(range(0, 1 << int(kind[5:]), 2))
    if "*" in kind:
        size, step = (int(part) for part in kind[1:].split("*"))
        return list(range(-step << size - 1, step << size - 1, step))
    return list(range({"q": 8, "x": 32, "sat": 2, "rm": 8}.get(kind) or 1 << int(kind[1:])))


def word_of(encoding: Encoding, values: list[int]) -> int:
    """The word, put together bit by bit by other means than Operand.put."""
    word = f"{encoding.match:032b}"
    for operand, value in zip(encoding.operands, values, strict=True):
        if operand.kind == "xp":
            field = f"{value:05b}"
            field = field[0] + field[2:]
        elif operand.kind.startswith("label"):
            field = f"{value:0{len(operand.bits) + 1}b}"[:-1]
        elif "*" in operand.kind:
            field = f"{value // int(operand.kind.split('*')[1]) % (1 << len(operand.bits)):0{len(operand.bits)}b}"
        else:
            field = f"{value:0{len(operand.bits)}b}"
        assert len(field) == len(operand.bits)
        for bit, digit in zip(operand.bits, field, strict=True):
            word = word[: 31 - bit] + digit + word[32 - bit :]
    return int(word, 2)


def _text(instruction: Instruction, encoding: Encoding, values: list[int], choose: random.Random) -> str:
    """One of the ways to write it."""
    shown = []
    for operand, value in zip(encoding.operands, values, strict=True):
        match operand.kind:
            case "q":
                shown.append(f"q{value}")
            case "x" | "xp":
                names = [f"x{value}", ABI[value], *(["fp"] if value == 8 else [])]
                shown.append(choose.choice(names))
            case "sat":
                shown.append(choose.choice((SATURATION[value], str(value))))
            case "rm":
                shown.append(choose.choice((ROUNDING[value], str(value))))
            case "label10" | "label13":
                shown.append(f".+{value}")
            case _:
                shown.append(choose.choice((str(value), f"-0x{-value:x}" if value < 0 else f"0x{value:x}")))
    optional = [operand for operand in encoding.operands if operand.default is not None]
    for operand in reversed(optional):
        # The last ones may be left out when they have their default.
        if values[encoding.operands.index(operand)] != operand.default or choose.random() < 0.5:
            break
        shown.pop()
    if optional and optional[-1].kind == "rm" and len(optional) == 2 and len(shown) == len(values):
        sat, rm = values[-2:]
        if sat == 1 and choose.random() < 0.3:
            shown[-2:] = [ROUNDING[rm]]
    return f"{instruction.mnemonic} {choose.choice((', ', ',')).join(shown)}".rstrip()
