"""The simulator against the independent model: every instruction of both generations, and programs of loops.

P4KERNEL_TEST_STATES sets how many states of each generation, P4KERNEL_TEST_SEED which. A long campaign:
`python -m tests.pie.compare`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings

from p4kernel.pie import Instruction

from .compare.draw import REVISIONS, Batch, Case, Source, encodings
from .compare.layout import to_state
from .compare.loops import LoopTwin, Writer
from .compare.strategies import batches
from .compare.twin import MOST, Difference, Twin
from .model import INSTRUCTIONS, AccessFault, State, core, execute, multiply, shifts
from .model.core import Context, Lane

STATES = int(os.environ.get("P4KERNEL_TEST_STATES", "60000"))
SEED = int(os.environ.get("P4KERNEL_TEST_SEED", "0"))
PROGRAMS = 600
GENERATIONS = (1, 2)

# Shifts that keep the low bits in xespv 2.1, where 2.2 would clip.
_CUT_IN_2P1 = ("esp.vsld", "esp.vsrd")


def _told(differences: list[Difference]) -> str:
    return "\n".join(str(difference) for difference in differences[:3])


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_instruction_on_random_states(generation: int) -> None:
    source, twin = Source(generation, SEED), Twin(generation)
    for left in range(STATES, 0, -MOST):
        differences = twin.run(source.batch(min(left, MOST)))
        assert not differences, _told(differences)
    table = [i for i, _ in encodings(generation)]
    tally = twin.tally
    assert set(tally.ran) == {i.mnemonic for i in table}
    assert set(tally.faulted) == {i.mnemonic for i in table if i.access}
    # What clips is what has an operand for it in xespv 2.2, and the alias that has it fixed.
    clips = {i.mnemonic for i in table if "sat" in _optional(i)} | ({"esp.vsl.32"} if generation == 2 else set())
    assert set(tally.clipped) == {name for name in clips if generation == 2 or not name.startswith(_CUT_IN_2P1)}
    rounds = {i.mnemonic for i in table if "rm" in _optional(i)}
    assert rounds - set(tally.inexact) == ({"esp.vsr.s32", "esp.vsr.u32"} if generation == 1 else set())


def _optional(instruction: Instruction) -> set[str]:
    """What xespv 2.2 can leave out."""
    return {operand.name for operand in instruction.encodings[2].operands if operand.default is not None}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_one_instruction_on_one_state(generation: int) -> None:
    twin = Twin(generation)

    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(batches(generation))
    def agree(batch: Batch) -> None:
        differences = twin.run(batch)
        assert not differences, _told(differences)

    agree()


@pytest.mark.parametrize("generation", GENERATIONS)
def test_programs_of_loops(generation: int) -> None:
    writer, twin = Writer(generation, SEED), LoopTwin(generation)
    executed = 0
    for _ in range(PROGRAMS):
        count, differences = twin.random_run(writer)
        assert not differences, _told(differences)
        executed += count
    assert executed > 100 * PROGRAMS  # they do loop


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_loop_that_ends_on_the_instruction_that_sets_it_up(generation: int) -> None:
    """The first round ends at once; the rest of them run nothing but what follows."""
    writer, twin = Writer(generation, 0), LoopTwin(generation)
    program = writer.program()
    while not any("'offset': 0" in step.text and "setupi" in step.text for step in program.steps.values()):
        program = writer.program()
    for _ in range(20):
        assert not twin.run(program, writer.start(program), [7, 50])[1]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_names_and_optional_operands_are_the_tables(generation: int) -> None:
    table = encodings(generation)
    assert {i.mnemonic for i, _ in table} == {
        name for name, one in INSTRUCTIONS.items() if one.revisions[generation - 1]
    }
    for instruction, encoding in table:
        extras = tuple(operand.name for operand in encoding.operands if operand.default is not None)
        assert extras == (INSTRUCTIONS[instruction.mnemonic].extras if generation == 2 else ()), instruction.mnemonic


class _Watched(Mapping[str, int]):
    """Operands that remember which of them were looked at."""

    def __init__(self, values: Mapping[str, int]) -> None:
        self._values = values
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> int:
        self.seen.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _written(case: Case, before: State, after: State) -> set[tuple[str, int]]:
    """Registers that changed: ("q", 3), ("x", 10)."""
    changed = {("q", i) for i in range(8) if (before.q[i] != after.q[i]).any()}
    return changed | {("x", i) for i in range(32) if before.x[i] != after.x[i]}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_operands_are_used_as_the_table_says(generation: int) -> None:
    """Each is looked at, and what is written has a role that says so."""
    source, table = Source(generation, SEED), {i.mnemonic: e for i, e in encodings(generation)}
    unread = {name: {o.name for o in encoding.operands if o.default is None} for name, encoding in table.items()}
    unwritten: dict[str, set[tuple[str, str]]] = {
        name: {(name, o.name) for o in encoding.operands if "w" in o.role} for name, encoding in table.items()
    }
    for _ in range(30):
        batch = source.batch(len(table))
        for i, case in enumerate(batch.cases):
            before = to_state(batch.rows[i], batch.memory(i))
            after, operands = before.copy(), _Watched(case.operands)
            try:
                execute(after, case.mnemonic, operands, REVISIONS[generation], case.extras)
            except AccessFault:
                continue
            unread[case.mnemonic] -= operands.seen
            writable = {
                ("q" if o.kind == "q" else "x", case.operands[o.name]): o.name
                for o in table[case.mnemonic].operands if "w" in o.role
            }  # fmt: skip
            changed = _written(case, before, after)
            assert changed <= set(writable), (str(case), changed)
            unwritten[case.mnemonic] -= {(case.mnemonic, writable[place]) for place in changed}
    assert {name: names for name, names in unread.items() if names} == {"esp.movx.r.perf": {"rs1"}}
    assert [pair for pairs in unwritten.values() for pair in pairs] == []


def _floor(value: int, amount: int, mode: int) -> tuple[int, bool]:
    del mode
    return value >> amount, bool(value & (1 << amount) - 1)


def _wrapping(self: Context, value: int, lane: Lane) -> int:
    del self
    return core.wrap(value, lane)


def _product(a: tuple[int, int], b: tuple[int, int], *, conjugate_a: bool) -> tuple[int, int]:
    del conjugate_a
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _unaligned(self: State, address: int, size: int, *, align: bool) -> int:
    del align
    address &= 0xFFFFFFFF
    if not self.base <= address <= self.base + len(self.memory) - size:
        raise AccessFault(size, address, address)
    return address - self.base


@pytest.mark.parametrize(
    ("owner", "name", "wrong", "mnemonic"),
    [
        (core, "shift_round", _floor, "esp.vmul.s16"),
        (Context, "clip", _wrapping, "esp.srs.s.xacc"),
        (Context, "note_saturation", lambda self: None, "esp.vadd.u8"),
        (multiply, "complex_product", _product, "esp.cmul.s16"),
        (shifts, "spliced", lambda high, low, count: high, "esp.src.q"),
        (State, "_offset", _unaligned, "esp.vld.128.ip"),
    ],
)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_wrong_model_is_noticed(
    generation: int, owner: object, name: str, wrong: object, mnemonic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, wrong)
    source, twin = Source(generation, SEED), Twin(generation)
    runs = (twin.run(source.batch(MOST)) for _ in range(60))
    found = (d.case.mnemonic for differences in runs for d in differences if isinstance(d.case, Case))
    assert mnemonic in found


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_wrong_loop_is_noticed(generation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_loops(state: State, size: int) -> int:
        state.pc += size
        return state.pc

    monkeypatch.setattr("tests.pie.compare.loops.next_pc", no_loops)
    writer, twin = Writer(generation, SEED), LoopTwin(generation)
    assert any(twin.random_run(writer)[1] for _ in range(50))
