"""Random instructions, random states, and batches of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from p4kernel.pie.model import Encoding, Instruction, Operand
from p4kernel.pie.table import instructions

from . import fill
from .layout import MEMORY_SIZE, Rows, empty

REVISIONS: Final = {1: 1, 2: 3}
"""A chip revision of each generation."""
INDEXED: Final = ("esp.ldxq.32", "esp.stxq.32")

_XACC_LIMITS: Final = (0, 1 << 31, 1 << 32, 1 << 39, 1 << 39, 1 << 39, 1 << 40, 1 << 40)
_MASK40: Final = (1 << 40) - 1
_XP: Final[tuple[int, ...]] = (*range(8, 16), *range(24, 32))
_POOL: Final = 1 << 16  # bytes that a batch's memories are cut from


@dataclass(frozen=True)
class Case:
    """One instruction with its operands."""

    mnemonic: str
    generation: int
    operands: Mapping[str, int]
    extras: Mapping[str, int]
    word: int
    access: str

    def __str__(self) -> str:
        operands = " ".join(f"{name}={value}" for name, value in [*self.operands.items(), *self.extras.items()])
        return f"{self.mnemonic} {operands} ({self.word:#010x}, generation {self.generation})"


@dataclass(frozen=True)
class Batch:
    """As many cases as states. The memory of each is cut out of `pool`, at its place."""

    cases: list[Case]
    rows: Rows
    pool: bytes
    places: list[int]

    def memory(self, index: int) -> bytes:
        return self.pool[self.places[index] : self.places[index] + MEMORY_SIZE]


def encodings(generation: int) -> list[tuple[Instruction, Encoding]]:
    """Everything that a generation's assembler takes, aliases too."""
    return [(i, i.encodings[generation]) for i in instructions() if generation in i.encodings]


def case(instruction: Instruction, generation: int, values: Mapping[str, int]) -> Case:
    """The instruction with a value for each of its operands."""
    encoding = instruction.encodings[generation]
    word = encoding.match
    operands: dict[str, int] = {}
    extras: dict[str, int] = {}
    for operand in encoding.operands:
        value = values[operand.name]
        assert operand.fits(value), (instruction.mnemonic, operand, value)
        word |= operand.put(value)
        (operands if operand.default is None else extras)[operand.name] = value
    return Case(instruction.mnemonic, generation, operands, extras, word, instruction.access)


class Source:
    """Endless batches of one generation, in which all its instructions come equally often."""

    def __init__(self, generation: int, seed: int) -> None:
        self.generation = generation
        self.random = np.random.default_rng((seed, generation))
        self._table = encodings(generation)
        self._next = 0

    def batch(self, count: int) -> Batch:
        """The next `count` cases."""
        chosen = [self._table[(self._next + i) % len(self._table)] for i in range(count)]
        self._next = (self._next + count) % len(self._table)
        cases = [case(insn, self.generation, self._values(encoding)) for insn, encoding in chosen]
        rows = self._rows(count)
        self._aim(cases, rows)
        pool = fill.vectors(self.random, _POOL // 16).tobytes()
        return Batch(cases, rows, pool, self.random.integers(0, _POOL - MEMORY_SIZE, count).tolist())

    def _values(self, encoding: Encoding) -> dict[str, int]:
        few = self.random.random() < 0.3  # registers to choose from, so that one is named twice
        draws = self.random.random(len(encoding.operands)).tolist()
        return {o.name: _value(o, draw, few) for o, draw in zip(encoding.operands, draws, strict=True)}

    def _rows(self, count: int) -> Rows:
        source = self.random
        rows = empty(count)
        unit = rows["unit"]
        unit["q"] = fill.vectors(source, 8 * count).reshape(count, 8, 16)
        unit["qacc"] = fill.accumulators(source, 4 * count).reshape(count, 64)
        unit["ua_state"] = fill.vectors(source, count)
        unit["xacc"] = fill.near_limits(source, _XACC_LIMITS, count) & _MASK40
        low = source.integers(0, 18, count)
        unit["sar"] = np.where(source.random(count) < 0.5, low, source.integers(0, 64, count))
        unit["sar_byte"] = source.integers(0, 16, count)
        unit["fft_bit_width"] = source.integers(0, 16, count)
        unit["cfg"] = fill.cfg(source, self.generation, count)
        unit["perf"] = source.integers(0, 1 << 32, count)
        for name in ("loop_start", "loop_end"):
            unit[name] = fill.addresses(source, (count, 2)) & 0xFFFFFFFE  # in the memory: not where code is
        unit["loop_count"] = source.integers(0, 1 << 32, (count, 2)) >> source.integers(0, 33, (count, 2))
        rows["x"] = fill.registers(source, count)
        return rows

    def _aim(self, cases: list[Case], rows: Rows) -> None:
        """Most accesses get an address; those of a lane's index, one that the lane leads back from."""
        targets = fill.addresses(self.random, (len(cases),)).tolist()
        aimed = (self.random.random(len(cases)) < 0.85).tolist()
        q, x = rows["unit"]["q"], rows["x"]
        for i, one in enumerate(cases):
            if not one.access or not aimed[i]:
                continue
            target = targets[i]
            if one.mnemonic in INDEXED:
                target -= 4 * int(q[i, one.operands["qw"]].view("<u2")[one.operands["sel8"]])
            x[i, one.operands["rs1"]] = target & 0xFFFFFFFF


def _value(operand: Operand, draw: float, few: bool) -> int:
    """A value from a number in [0, 1)."""
    if operand.kind == "q":
        return int(draw * (2 if few else 8))
    if operand.kind == "xp":
        return _XP[int(draw * (3 if few else 16))]
    if operand.kind == "x":
        return int(draw * (4 if few else 32))
    if operand.kind == "rm":
        return int(min(7, draw * 14))  # half of them as CFG says
    return operand.minimum + operand.step * int(draw * (1 << len(operand.bits)))
