"""One instruction on the model and on both engines of the simulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from p4kernel._native import ffi, lib
from tests.pie.model import AccessFault, State, execute, next_pc
from tests.pie.model.state import CFG_RM_EXC, CFG_VXSAT
from tests.sim.machine import BREAKPOINT, ENGINES

from .draw import REVISIONS, Batch, Case
from .layout import CODE, MEMORY, MEMORY_SIZE, ROW, Rows, copy, empty, from_state, offset, pointer, show, to_state

FAULTS: Final = {"load": 5, "store": 7}
_EBREAK: Final = 0x00100073
_SLOT: Final = 8  # bytes of code: the instruction, an ebreak
MOST: Final = 4096 // _SLOT
"""Cases of a batch, at most."""

Fields = dict[str, tuple[object, object]]
"""What differs: the model's value and the simulator's, by name."""


@dataclass(frozen=True)
class Difference:
    """What the model and an engine disagree about."""

    case: object
    engine: str
    before: dict[str, object]
    fields: Fields

    def __str__(self) -> str:
        lines = [f"{self.case} ({self.engine})", *(f"  before: {name} {value}" for name, value in self.before.items())]
        lines += [f"  {name}: model {ours}, simulator {theirs}" for name, (ours, theirs) in self.fields.items()]
        return "\n".join(lines)


class Core:
    """A simulated core that has MEMORY, CODE and little else."""

    def __init__(self, engine: str, generation: int) -> None:
        config = ffi.new("p4s_config *", (MEMORY_SIZE, 4096, 4096, 100 * REVISIONS[generation]))
        self.sim: Any = ffi.gc(lib.p4s_new(config), lib.p4s_delete)
        assert self.sim != ffi.NULL
        self._run = {"fast": lib.p4s_run, "slow": lib.p4s_run_slow}[engine]
        self._state: Any = ffi.new("p4s_state *")
        self._memory = bytearray(MEMORY_SIZE)
        lib.p4s_get(self.sim, self._state)

    def write(self, address: int, data: bytes) -> None:
        assert lib.p4s_write(self.sim, address, data, len(data)) == 0

    def put(self, row: Any) -> None:
        """Takes the state of a row, given as a pointer to its bytes."""
        lib.p4s_pie_set(self.sim, ffi.cast("p4s_pie_state *", row + offset("unit")))
        ffi.memmove(self._state.x, row + offset("x"), 128)
        self._state.pc = ffi.cast("uint32_t *", row + offset("pc"))[0]
        self._state.mcause = self._state.mtval = 0
        lib.p4s_set(self.sim, self._state)

    def run(self, budget: int, row: Any) -> None:
        """Runs, and puts the state then into a row."""
        self._run(self.sim, budget)
        state = self._state
        lib.p4s_get(self.sim, state)
        lib.p4s_pie_get(self.sim, ffi.cast("p4s_pie_state *", row + offset("unit")))
        ffi.memmove(row + offset("x"), state.x, 128)
        for name, value in (("pc", state.pc), ("cause", state.mcause), ("tval", state.mtval)):
            ffi.cast("uint32_t *", row + offset(name))[0] = value

    def memory(self) -> bytearray:
        """The same buffer at each call."""
        assert lib.p4s_read(self.sim, MEMORY, ffi.from_buffer(self._memory), MEMORY_SIZE) == 0
        return self._memory


@dataclass
class Tally:
    """Mnemonics of what the model did: ran, faulted, clipped a result, or complained of an inexact one."""

    ran: Counter[str] = field(default_factory=Counter)
    faulted: Counter[str] = field(default_factory=Counter)
    clipped: Counter[str] = field(default_factory=Counter)
    inexact: Counter[str] = field(default_factory=Counter)


@dataclass
class _Expected:
    """What the model says about a batch."""

    rows: Rows
    memories: list[bytearray]
    budgets: list[int]


class Twin:
    """The model and both engines, for one generation."""

    def __init__(self, generation: int) -> None:
        self.cores = {engine: Core(engine, generation) for engine in ENGINES}
        self.tally = Tally()

    def run(self, batch: Batch) -> list[Difference]:
        """Each case on its state."""
        assert len(batch.cases) <= MOST
        batch.rows["pc"] = CODE + _SLOT * np.arange(len(batch.cases))
        expected = self._expect(batch)
        return [difference for engine in self.cores for difference in self._compare(batch, expected, engine)]

    def _expect(self, batch: Batch) -> _Expected:
        expected = _Expected(copy(batch.rows), [], [])
        for i, case in enumerate(batch.cases):
            state = to_state(batch.rows[i], batch.memory(i))
            behind = state.pc + 4
            cause, tval = self._model(case, state)
            if state.pc == behind:
                cause, tval = BREAKPOINT, 0
            row = expected.rows[i]
            from_state(state, row)
            row["cause"], row["tval"] = cause, tval
            expected.memories.append(state.memory)
            expected.budgets.append(2 if cause else 1)  # a loop that ends where it is set up may lead anywhere
        return expected

    def _model(self, case: Case, state: State) -> tuple[int, int]:
        """Runs it on the model; the cause and tval of a fault, or 0, 0."""
        tally, cfg = self.tally, state.cfg
        try:
            execute(state, case.mnemonic, case.operands, REVISIONS[case.generation], case.extras)
        except AccessFault as fault:
            tally.faulted[case.mnemonic] += 1
            return FAULTS[case.access], fault.first
        next_pc(state, 4)
        tally.ran[case.mnemonic] += 1
        if state.cfg & ~cfg & CFG_VXSAT:
            tally.clipped[case.mnemonic] += 1
        if state.cfg & ~cfg & CFG_RM_EXC:
            tally.inexact[case.mnemonic] += 1
        return 0, 0

    def _compare(self, batch: Batch, expected: _Expected, engine: str) -> Iterable[Difference]:
        core = self.cores[engine]
        core.write(CODE, np.array([[case.word, _EBREAK] for case in batch.cases], "<u4").tobytes())
        actual = empty(len(batch.cases))
        source, target = pointer(batch.rows), pointer(actual)
        stored: dict[int, Fields] = {}
        for i, memory in enumerate(expected.memories):
            core.write(MEMORY, batch.memory(i))
            core.put(source + i * ROW.itemsize)
            core.run(expected.budgets[i], target + i * ROW.itemsize)
            if core.memory() != memory:
                stored[i] = _memory_fields(memory, core.memory())
        for i in sorted({*stored, *unequal(expected.rows, actual)}):
            fields = row_fields(expected.rows[i], actual[i]) | stored.get(i, {})
            yield Difference(batch.cases[i], engine, show(batch.rows[i]), fields)


def unequal(model: Rows, simulator: Rows) -> list[int]:
    """The rows that differ."""
    found: list[int] = np.flatnonzero((_as_bytes(model) != _as_bytes(simulator)).any(axis=1)).tolist()
    return found


def _as_bytes(rows: Rows) -> NDArray[np.uint8]:
    return rows.view(np.uint8).reshape(len(rows), ROW.itemsize)


def row_fields(model: Any, simulator: Any) -> Fields:
    """The fields in which two rows differ."""
    ours, theirs = show(model), show(simulator)
    return {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}


def _memory_fields(model: bytearray, simulator: bytearray) -> Fields:
    """The bytes in which two memories differ, up to sixteen."""
    at = [i for i, (a, b) in enumerate(zip(model, simulator, strict=True)) if a != b][:16]
    return {"memory": ({i: model[i] for i in at}, {i: simulator[i] for i in at})}
