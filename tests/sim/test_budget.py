"""The budget ends a run exactly, wherever that is; runs in pieces are one run."""

from __future__ import annotations

import pytest

from p4kernel._native import lib

from .machine import BASE, EBREAK, MSTATUS_FS, Machine
from .rv32 import code, half, word

DATA = BASE + 0x1000


def test_no_budget(machine: Machine) -> None:
    machine.write(BASE, code(EBREAK))
    machine.start()
    assert machine.run(0) == lib.P4S_BUDGET
    assert (machine.state.pc, machine.state.instret) == (BASE, 0)


@pytest.mark.parametrize("budget", range(1, 140))
def test_ends_at_its_instruction(machine: Machine, budget: int) -> None:
    """In straight code longer than a block."""
    machine.write(BASE, code(*[half("c.addi", 5, 1), word("addi", 6, 6, 1)] * 80, EBREAK))
    machine.start(BASE, {5: 0, 6: 0})
    assert machine.run(budget) == lib.P4S_BUDGET
    assert machine.state.instret == budget
    assert (machine.state.x[5], machine.state.x[6]) == ((budget + 1) // 2, budget // 2)
    assert machine.state.pc == BASE + budget // 2 * 6 + budget % 2 * 2


@pytest.mark.parametrize("budget", [1, 2, 3, 999, 1000, 1001, 1002, (1 << 20) + 1])
def test_ends_in_a_loop(machine: Machine, budget: int) -> None:
    machine.write(BASE, code(word("addi", 5, 5, 1), word("addi", 6, 6, 1), word("jal", 0, -8)))
    machine.start(BASE, {5: 0, 6: 0})
    assert machine.run(budget) == lib.P4S_BUDGET
    assert (machine.state.x[5], machine.state.x[6]) == ((budget + 2) // 3, (budget + 1) // 3)
    assert machine.state.pc == BASE + 4 * (budget % 3)
    assert machine.state.instret == budget


def test_ends_exactly_at_a_trap(machine: Machine) -> None:
    machine.write(BASE, code(word("addi", 5, 0, 1), EBREAK))
    machine.start()
    assert machine.run(1) == lib.P4S_BUDGET
    assert machine.state.pc == BASE + 4
    assert machine.run(1) == lib.P4S_TRAP
    assert machine.state.instret == 1


def test_handled_trap_takes_a_unit(machine: Machine) -> None:
    machine.state.mtvec = BASE + 0x100
    machine.write(BASE, code(word("addi", 5, 0, 1), word("ecall")))
    machine.write(BASE + 0x100, code(word("addi", 6, 0, 1), word("addi", 6, 0, 2)))
    machine.start(BASE, {6: 0})
    for budget, pc, instret in ((2, BASE + 0x100, 1), (1, BASE + 0x104, 2)):
        assert machine.run(budget) == lib.P4S_BUDGET
        assert (machine.state.pc, machine.state.instret) == (pc, instret)


PIECES = code(
    word("csrrs", 20, 0xC02, 0), word("lw", 5, 6, 0), word("addi", 5, 5, 1), word("sw", 5, 6, 0),
    word("fcvt.s.w", 1, 5), word("fdiv.s", 2, 2, 1), word("fadd.s", 3, 3, 2), word("csrrs", 7, 1, 0),
    word("amoadd.w", 8, 6, 5), word("div", 9, 8, 5), word("lw", 10, 0, 4), word("bne", 5, 11, -44), EBREAK,
)  # fmt: skip
"""A loop with a counter, memory, float flags, an atomic and a trap that a handler skips."""
HANDLER = code(
    word("csrrs", 21, 0x341, 0),
    word("addi", 21, 21, 4),
    word("csrrw", 0, 0x341, 21),
    word("addi", 22, 22, 1),
    word("mret"),
)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 12, 13, 17, 64, 1000])
def test_pieces_make_a_whole(engine: str, step: int) -> None:
    whole, pieces = Machine(engine), Machine(engine)
    for machine in (whole, pieces):
        machine.write(DATA, bytes(4))
        machine.write(BASE, PIECES)
        machine.write(BASE + 0x200, HANDLER)
        machine.state.mtvec = BASE + 0x200
        machine.state.mstatus = MSTATUS_FS
        machine.start(BASE, {6: DATA, 11: 1 << 30}, {2: 0x3F800000})
    total = 1000
    assert whole.run(total) == lib.P4S_BUDGET
    for begin in range(0, total, step):
        assert pieces.run(min(step, total - begin)) == lib.P4S_BUDGET
    assert pieces.registers() == whole.registers()
    for field in ("pc", "instret", "fcsr", "mepc", "mcause", "mstatus"):
        assert getattr(pieces.state, field) == getattr(whole.state, field), field
