"""What is known of an instruction: its operands, its words, its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from p4kernel import generations

__all__ = ["Encoding", "Instruction", "Operand", "Rule", "generation_of"]

ROUNDING: Final = ("rdn", "rup", "raz", "rtz", "rhaz", "rhtz", "rne", "dyn")
SATURATION: Final = ("trunc", "sat")


def generation_of(revision: float) -> int:
    """The PIE generation of a chip revision: 1 (xespv 2.1) below 3, else 2 (xespv 2.2). 3.1 may be written 301."""
    return generations.of_revision(revision / 100 if revision >= 100 else revision)


class Operand(NamedTuple):
    """One operand in one encoding.

    Values are what an assembler's reader sees: a register's number, bytes of an offset.
    """

    name: str
    kind: str
    """q, xp, x, uN, sN*K, label10, label13, sat, rm: explained in isa.yaml."""
    role: str
    """r, w or rw for registers, imm for the rest."""
    bits: tuple[int, ...]
    """Bits of the word, the most significant of the field first."""

    @property
    def default(self) -> int | None:
        """Value of an operand that may be left out."""
        return {"sat": 1, "rm": 7}.get(self.kind)

    @property
    def step(self) -> int:
        if self.kind[0] == "s" and self.kind[1].isdigit():
            return int(self.kind.partition("*")[2])
        return 2 if self.kind.startswith("label") else 1

    @property
    def minimum(self) -> int:
        return -(self.step << len(self.bits) - 1) if "*" in self.kind else 0

    @property
    def maximum(self) -> int:
        """Registers: of xp, only x8 to x15 and x24 to x31 are in the range."""
        if self.kind == "xp":
            return 31
        return self.minimum + self.step * ((1 << len(self.bits)) - 1)

    def fits(self, value: int) -> bool:
        if self.kind == "xp":
            return 0 <= value < 32 and bool(value & 8)
        return self.minimum <= value <= self.maximum and value % self.step == 0

    def put(self, value: int) -> int:
        """The word's bits for a value that fits."""
        field = (value >> 4) << 3 | value & 7 if self.kind == "xp" else value // self.step
        word = 0
        for place, bit in enumerate(reversed(self.bits)):
            word |= (field >> place & 1) << bit
        return word

    def get(self, word: int) -> int:
        field = 0
        for bit in self.bits:
            field = field << 1 | word >> bit & 1
        if self.kind == "xp":
            return (field >> 3) << 4 | 8 | field & 7
        if "*" in self.kind:
            field -= (field >> len(self.bits) - 1) << len(self.bits)
        return field * self.step


class Encoding(NamedTuple):
    """An instruction's word in one generation: ``match`` with all operands 0, ``mask`` has a 1 where no operand is."""

    match: int
    mask: int
    operands: tuple[Operand, ...]
    """In the order in which they are written; those with a default come last."""
    alias_of: str | None = None
    """Another instruction that has these words, too, and is what they are decoded as."""


class Rule(NamedTuple):
    """A fact that several instructions share."""

    name: str
    means: str
    basis: str
    certainty: str
    evidence: str


class Instruction(NamedTuple):
    """One mnemonic."""

    mnemonic: str
    op: str
    """What it does, apart from the type of the data and a fused load or store: vmulas_qacc, vadd, vld_128."""
    type: str
    """u8, s8, u16, s16, u32, s32, 8, 16, 32; u, s; a register's or quarter's name; or empty."""
    mem: str
    """ip, xp, incp, decp of a load or store; ld.ip, st.incp and so on of a fused form; or empty."""
    access: str
    """load, store or empty."""
    group: str
    means: str
    basis: str
    """documented by Espressif, corrected (documented, but wrong), or inferred."""
    certainty: str
    """sure, likely or open."""
    evidence: str
    rules: tuple[Rule, ...]
    encodings: Mapping[int, Encoding]
    """By generation."""

    @property
    def syntax(self) -> str:
        """As it is written, newest generation; operands that may be left out in brackets."""
        required = [o.name for o in self.encodings[max(self.encodings)].operands if o.default is None]
        optional = [o.name for o in self.encodings[max(self.encodings)].operands if o.default is not None]
        text = f"{self.mnemonic} {', '.join(required)}".rstrip()
        return text + "".join(f"[, {name}]" for name in optional)
