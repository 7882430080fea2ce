"""Zicsr: which registers there are, their fields, and the counters."""

from __future__ import annotations

import pytest

from .machine import BASE, EBREAK, MSTATUS_FS, Machine
from .rv32 import code, half, word

READ_WRITE = (
    0x001, 0x002, 0x003, 0x300, 0x301, 0x304, 0x305, 0x340, 0x341, 0x342, 0x343, 0x344, 0xB00, 0xB02, 0xB80, 0xB82,
)  # fmt: skip
PIE_STATES = (0x7F1, 0x7F2)
READ_ONLY = (0xC00, 0xC01, 0xC02, 0xC80, 0xC81, 0xC82, 0xF11, 0xF12, 0xF13, 0xF14)
FORMS = ("csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci")
MSCRATCH = 0x340
MCYCLE, MINSTRET, CYCLE, TIME, INSTRET, HIGH = 0xB00, 0xB02, 0xC00, 0xC01, 0xC02, 0x80


@pytest.mark.parametrize("form", FORMS)
def test_forms(machine: Machine, form: str) -> None:
    for old in (0, 0xFFFFFFFF, 0x0F0F0F0F):
        for operand in (0, 1, 21, 31):
            machine.state.mscratch = old
            register = operand if form.endswith("i") else 6
            state = machine.execute(code(word(form, 5, MSCRATCH, register)), {6: operand})
            new = {"w": operand, "s": old | operand, "c": old & ~operand}[form[4]]
            assert (state.x[5], state.mscratch) == (old, new)


def test_swap_with_one_register(machine: Machine) -> None:
    machine.state.mscratch = 7
    state = machine.execute(code(word("csrrw", 6, MSCRATCH, 6)), {6: 9})
    assert (state.x[6], state.mscratch) == (7, 9)


@pytest.mark.parametrize("csr", READ_WRITE)
def test_writable(machine: Machine, csr: int) -> None:
    machine.execute(code(word("csrrs", 5, csr, 0), word("csrrw", 6, csr, 5)))


@pytest.mark.parametrize("csr", READ_ONLY)
def test_read_only(machine: Machine, csr: int) -> None:
    reads = (word("csrrs", 5, csr, 0), word("csrrc", 5, csr, 0), word("csrrsi", 5, csr, 0), word("csrrci", 5, csr, 0))
    machine.execute(code(*reads))
    writes = [word(form, 5, csr, 1) for form in FORMS] + [word("csrrw", 0, csr, 0), word("csrrwi", 0, csr, 0)]
    for write in writes:
        trap = machine.trap_of(code(write))
        assert (trap.cause, trap.tval) == (2, write)


def test_no_other_register(machine: Machine) -> None:
    for csr in set(range(4096)) - set(READ_WRITE) - set(READ_ONLY) - set(PIE_STATES):
        instruction = word("csrrs", 5, csr, 0)
        assert machine.trap_of(code(instruction)).tval == instruction
    unknown_write = word("csrrw", 0, 0x7C0, 5)
    assert machine.trap_of(code(unknown_write)).tval == unknown_write


@pytest.mark.parametrize(
    ("csr", "kept"),
    [(0x001, 0x1F), (0x002, 7), (0x003, 0xFF), (0x304, 0x888), (0x305, 0xFFFFFFFD), (0x340, 0xFFFFFFFF),
     (0x341, 0xFFFFFFFE), (0x342, 0xFFFFFFFF), (0x343, 0xFFFFFFFF), (0x344, 0)],
)  # fmt: skip
def test_fields(machine: Machine, csr: int, kept: int) -> None:
    state = machine.execute(code(word("csrrw", 0, csr, 6), word("csrrs", 5, csr, 0), word("csrrw", 0, csr, 0)), {6: -1})
    assert state.x[5] == kept


def test_mstatus(machine: Machine) -> None:
    for written, read in ((0, 0x1800), (0xFFFFFFFF, 0x80007888), (1 << 13, 0x80007800), (2 << 13, 0x80007800)):
        state = machine.execute(code(word("csrrw", 0, 0x300, 6), word("csrrs", 5, 0x300, 0)), {6: written})
        assert state.x[5] == read
        machine.state.mstatus = MSTATUS_FS


def test_isa_and_identity(machine: Machine) -> None:
    state = machine.execute(
        code(
            word("csrrw", 0, 0x301, 0),
            word("csrrs", 5, 0x301, 0),
            word("csrrs", 6, 0xF14, 0),
            word("csrrs", 7, 0xF11, 0),
        )
    )
    assert state.x[5] == 1 << 30 | sum(1 << (ord(c) - ord("a")) for c in "imafc")
    assert (state.x[6], state.x[7]) == (0, 0)


def test_parts_of_fcsr(machine: Machine) -> None:
    machine.state.fcsr = 0
    state = machine.execute(
        code(word("csrrwi", 0, 1, 0x15), word("csrrwi", 0, 2, 3), word("csrrs", 5, 3, 0), word("csrrwi", 6, 3, 0))
    )
    assert (state.x[5], state.x[6], state.fcsr) == (3 << 5 | 0x15, 3 << 5 | 0x15, 0)


def _reads(csr: int, first: int) -> bytes:
    return code(*(word("csrrs", first + i, csr, 0) for i in range(3)))


@pytest.mark.parametrize("csr", [CYCLE, TIME, INSTRET, MCYCLE, MINSTRET])
def test_counters_count_instructions(machine: Machine, csr: int) -> None:
    program = code(half("c.nop"), word("addi", 1, 0, 0)) + _reads(csr, 5) + code(half("c.nop")) + _reads(csr, 8)
    state = machine.execute(program)
    assert [state.x[i] for i in range(5, 11)] == [2, 3, 4, 6, 7, 8]
    assert state.instret == 9


@pytest.mark.parametrize("csr", [CYCLE, TIME, INSTRET])
def test_high_halves(machine: Machine, csr: int) -> None:
    machine.write(BASE, code(word("csrrs", 5, csr, 0), word("csrrs", 6, csr + HIGH, 0), EBREAK))
    machine.start(BASE)
    machine.state.instret = (7 << 32) - 1
    machine.push()
    machine.run_to_trap()
    assert (machine.state.x[5], machine.state.x[6]) == (0xFFFFFFFF, 7)


@pytest.mark.parametrize(("csr", "view", "other"), [(MCYCLE, CYCLE, INSTRET), (MINSTRET, INSTRET, CYCLE)])
def test_counters_can_be_set(machine: Machine, csr: int, view: int, other: int) -> None:
    """The value written is what the next instruction reads; the run's own count is not disturbed."""
    state = machine.execute(
        code(
            word("csrrw", 0, csr, 6), word("csrrs", 5, view, 0), word("csrrw", 0, csr + HIGH, 7),
            word("csrrs", 8, view + HIGH, 0), word("csrrs", 9, view, 0), word("csrrs", 10, other, 0),
        ),
        {6: 1000, 7: 5},
    )  # fmt: skip
    assert [state.x[i] for i in (5, 8, 9, 10)] == [1000, 5, 1002, 5]
    assert state.instret == 6


def test_counter_in_a_loop(machine: Machine) -> None:
    """Two reads around a loop differ by its instructions, whatever blocks it was cut into."""
    loop = code(word("addi", 8, 8, -1), word("bne", 8, 0, -4))
    state = machine.execute(code(word("csrrs", 5, INSTRET, 0)) + loop + code(word("csrrs", 6, INSTRET, 0)), {8: 1000})
    assert state.x[6] - state.x[5] == 2001
