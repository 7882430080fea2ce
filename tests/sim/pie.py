"""Words of PIE instructions from the instruction table, and a core with the SIMD unit's state."""

from __future__ import annotations

import random
from typing import Any

from p4kernel._native import ffi, lib
from p4kernel.pie.model import Instruction
from p4kernel.pie.table import get, instructions

from .machine import BASE, Machine

REVISIONS = {1: 100, 2: 301}
"""A chip revision of each generation of the instruction set."""


def pie_word(mnemonic: str, *values: int, generation: int = 1) -> int:
    """Operands in assembly order; those with a default may be left out."""
    encoding = get(mnemonic).encodings[generation]
    given = [*values, *(o.default for o in encoding.operands[len(values) :])]
    bits = encoding.match
    for operand, value in zip(encoding.operands, given, strict=True):
        assert value is not None and operand.fits(value), (mnemonic, operand, value)
        bits |= operand.put(value)
    return bits


def available(generation: int) -> list[Instruction]:
    """All that are words of their own in a generation."""
    return [i for i in instructions() if generation in i.encodings and not i.encodings[generation].alias_of]


def random_word(insn: Instruction, generation: int, source: random.Random) -> int:
    encoding = insn.encodings[generation]
    bits = encoding.match
    for operand in encoding.operands:
        for bit in operand.bits:
            bits |= source.getrandbits(1) << bit
    return bits


class PieMachine(Machine):
    """A core whose SIMD unit and loops are on; `unit` is the p4s_pie_state struct, pulled and pushed with the rest."""

    unit: Any

    def __init__(self, engine: str, generation: int = 1) -> None:
        self.generation = generation
        self.unit = ffi.new("p4s_pie_state *")
        super().__init__(engine, revision=REVISIONS[generation])
        unit = self.unit
        unit.pie_state = unit.loop_state = 3
        self.push()

    def pull(self) -> None:
        super().pull()
        lib.p4s_pie_get(self.sim, self.unit)

    def push(self) -> None:
        super().push()
        lib.p4s_pie_set(self.sim, self.unit)

    def set_q(self, number: int, data: bytes) -> None:
        assert len(data) == 16
        ffi.memmove(self.unit.q[number], data, 16)

    def q(self, number: int) -> bytes:
        return bytes(ffi.buffer(self.unit.q[number]))

    def one(self, mnemonic: str, *values: int, x: dict[int, int] | None = None) -> PieMachine:
        """Runs one instruction."""
        bits = pie_word(mnemonic, *values, generation=self.generation)
        self.execute(bits.to_bytes(4, "little"), x)
        return self

    def everything(self) -> tuple[object, ...]:
        state = self.state
        return (
            *self.registers(), state.pc, state.instret, state.mepc, state.mcause, state.mtval,
            bytes(ffi.buffer(self.unit)), self.read(BASE, 0x1000),
        )  # fmt: skip
