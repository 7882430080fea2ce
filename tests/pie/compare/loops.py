"""Random programs of hardware loops on the model and on both engines.

A program is straight code of one-word and two-byte instructions with loops in it: set up in one instruction or piece by
piece, nested, with zero counts, ending anywhere (on a loop instruction or itself, too), left and entered by branches.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from p4kernel.pie.table import get
from tests.pie.model import State, execute, next_pc
from tests.sim.machine import ENGINES
from tests.sim.rv32 import half, word

from .draw import REVISIONS, Case, case
from .layout import CODE, Rows, copy, empty, from_state, pointer, show, to_state
from .twin import Core, Difference, row_fields, unequal

_STEPS: Final = 300  # instructions of a run, at most
_LOOP_MNEMONICS: Final = (
    "esp.lp.setup",
    "esp.lp.setupi",
    "esp.lp.starti",
    "esp.lp.endi",
    "esp.lp.count",
    "esp.lp.counti",
)
_COUNTERS: Final = (10, 11, 12, 13)
_COUNTS: Final = (0, 0, 1, 2, 3, 5, 4095)

Run = Callable[[State], None]
"""Runs an instruction on the model, and sets pc."""


@dataclass(frozen=True)
class Step:
    """One instruction, with its text for people."""

    text: str
    data: bytes
    run: Run


@dataclass(frozen=True)
class Program:
    """Instructions by their addresses, from CODE on."""

    steps: dict[int, Step]

    @property
    def data(self) -> bytes:
        return b"".join(step.data for step in self.steps.values())

    def __str__(self) -> str:
        return "".join(f"\n    {address:#x}: {step.text}" for address, step in self.steps.items())


def _falls(compute: Run, size: int) -> Run:
    def run(state: State) -> None:
        compute(state)
        next_pc(state, size)

    return run


def _addi(register: int, amount: int) -> Run:
    return lambda state: state.set_x(register, state.x[register] + amount)


def _branch(equal: bool, a: int, b: int, offset: int, size: int) -> Run:
    def run(state: State) -> None:
        if (state.x[a] == state.x[b]) is equal:
            state.pc += offset
        else:
            next_pc(state, size)

    return run


def _pie(one: Case) -> Step:
    def run(state: State) -> None:
        execute(state, one.mnemonic, one.operands, REVISIONS[one.generation], one.extras)
        next_pc(state, 4)

    return Step(f"{one.mnemonic} {one.operands}", one.word.to_bytes(4, "little"), run)


class Writer:
    """Makes programs of one generation."""

    def __init__(self, generation: int, seed: int) -> None:
        self.generation = generation
        self.random = random.Random(f"loops {seed} {generation}")

    def program(self) -> Program:
        source = self.random
        sizes = [source.choice((2, 4, 4)) for _ in range(source.randrange(4, 30))]
        places = [CODE + sum(sizes[:i]) for i in range(len(sizes))]
        return Program({place: self._step(place, size, places) for place, size in zip(places, sizes, strict=True)})

    def _step(self, place: int, size: int, places: list[int]) -> Step:
        pick = self.random.random()
        if pick < 0.12:
            return self._jump(place, size, places)
        if size == 4 and pick < 0.45:
            return _pie(self._loop(place, places))
        if size == 4 and pick < 0.55:
            return _pie(case(get("esp.slci.2q"), self.generation, {"qy": 0, "qw": 1, "sel16": 0}))
        register, amount = self.random.choice(_COUNTERS), self.random.choice((1, 1, -1))
        text = f"addi x{register}, {amount}"
        data = half("c.addi", register, amount) if size == 2 else word("addi", register, register, amount)
        return Step(text, data.to_bytes(size, "little"), _falls(_addi(register, amount), size))

    def _jump(self, place: int, size: int, places: list[int]) -> Step:
        """Mostly not far, to any instruction but itself."""
        near = [other for other in places if other != place and abs(other - place) < 60]
        offset = self.random.choice(near) - place
        if size == 2:
            always = _branch(True, 0, 0, offset, size)
            return Step(f"c.j {place + offset:#x}", half("c.j", offset).to_bytes(2, "little"), always)
        name = self.random.choice(("beq", "bne"))
        a, b = self.random.choice(_COUNTERS), self.random.choice((0, *_COUNTERS))
        data = word(name, a, b, offset).to_bytes(4, "little")
        return Step(f"{name} x{a}, x{b}, {place + offset:#x}", data, _branch(name == "beq", a, b, offset, size))

    def _loop(self, place: int, places: list[int]) -> Case:
        source = self.random
        mnemonic = source.choice(_LOOP_MNEMONICS[:2] if source.random() < 0.6 else _LOOP_MNEMONICS)
        ahead = [other - place for other in places if other - place >= 0]
        offset = source.choice(ahead) if source.random() < 0.95 else 2 * source.randrange(0, 256)
        values = {"id": source.randrange(2), "offset": offset, "count": source.choice(_COUNTS)}
        values["rs1"] = source.choice((0, *_COUNTERS))
        instruction = get(mnemonic)
        named = {operand.name for operand in instruction.encodings[self.generation].operands}
        return case(instruction, self.generation, {name: value for name, value in values.items() if name in named})

    def start(self, program: Program) -> Any:
        """A row: small counters, and loops in the middle of something."""
        source = self.random
        rows = empty(1)
        row = rows[0]
        row["pc"] = source.choice(list(program.steps)) if source.random() < 0.3 else CODE
        row["x"][list(_COUNTERS)] = [source.choice((0, 1, 2, 3, 4, 7, 0xFFFFFFFF)) for _ in _COUNTERS]
        row["unit"]["q"] = 0xA5
        for i in range(2):
            if source.random() < 0.3:
                row["unit"]["loop_start"][i] = source.choice(list(program.steps))
                row["unit"]["loop_end"][i] = source.choice(list(program.steps))
                row["unit"]["loop_count"][i] = source.choice(_COUNTS)
        return rows


class LoopTwin:
    """The model and both engines, for one generation."""

    def __init__(self, generation: int) -> None:
        self.cores = {engine: Core(engine, generation) for engine in ENGINES}

    def run(self, program: Program, start: Rows, turns: list[int]) -> tuple[int, list[Difference]]:
        """Runs it in turns of as many instructions; how many were run, and the differences after each turn."""
        state = to_state(start[0], b"")
        expected, lengths = [], []
        for turn in turns:
            count = 0
            while count < turn and state.pc in program.steps:
                program.steps[state.pc].run(state)
                count += 1
            after = copy(start)
            from_state(state, after[0])
            expected.append(after)
            lengths.append(count)
        differences = []
        for engine, core in self.cores.items():
            core.write(CODE, program.data)
            actual = empty(1)
            core.put(pointer(start))
            for number, (length, after) in enumerate(zip(lengths, expected, strict=True)):
                if length:
                    core.run(length, pointer(actual))
                    if unequal(after, actual):
                        case_ = f"loops, after turn {number} of {lengths}:{program}"
                        differences.append(Difference(case_, engine, show(start[0]), row_fields(after[0], actual[0])))
                        break
        return sum(lengths), differences

    def random_run(self, writer: Writer) -> tuple[int, list[Difference]]:
        """A random program in random turns."""
        program = writer.program()
        turns, left = [], _STEPS
        while left > 0:
            turns.append(writer.random.choice((1, 2, 5, 20, 100, _STEPS)))
            left -= turns[-1]
        return self.run(program, writer.start(program), turns)
