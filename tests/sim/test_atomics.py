"""RV32A."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .machine import BASE, PSRAM, PSRAM_SIZE, ROM, Machine
from .rv32 import AMOS, code, word

DATA = BASE + 0x1000
EDGES = (0, 1, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0x12345678)
LOAD_MISALIGNED, LOAD_FAULT, STORE_MISALIGNED, STORE_FAULT = 4, 5, 6, 7


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


RESULT: dict[str, Callable[[int, int], int]] = {
    "amoswap.w": lambda old, new: new,
    "amoadd.w": lambda old, new: old + new,
    "amoxor.w": lambda old, new: old ^ new,
    "amoand.w": lambda old, new: old & new,
    "amoor.w": lambda old, new: old | new,
    "amomin.w": lambda old, new: min(old, new, key=_signed),
    "amomax.w": lambda old, new: max(old, new, key=_signed),
    "amominu.w": min,
    "amomaxu.w": max,
}


@pytest.mark.parametrize("name", AMOS)
@pytest.mark.parametrize("ordering", [0, 1 << 25, 1 << 26, 3 << 25])
def test_amo(machine: Machine, name: str, ordering: int) -> None:
    for old in EDGES:
        for new in EDGES:
            machine.write(DATA, old.to_bytes(4, "little"))
            state = machine.execute(code(word(name, 5, 6, 7) | ordering), {6: DATA, 7: new})
            assert state.x[5] == old
            assert machine.read_word(DATA) == RESULT[name](old, new) & 0xFFFFFFFF, (hex(old), hex(new))


@pytest.mark.parametrize("name", AMOS)
def test_registers_that_coincide(machine: Machine, name: str) -> None:
    machine.write(DATA, (5).to_bytes(4, "little"))
    state = machine.execute(code(word(name, 7, 6, 7)), {6: DATA, 7: 9})
    assert (state.x[7], machine.read_word(DATA)) == (5, RESULT[name](5, 9))
    machine.write(DATA, (5).to_bytes(4, "little"))
    state = machine.execute(code(word(name, 0, 6, 6)), {6: DATA})
    assert (state.x[0], machine.read_word(DATA)) == (0, RESULT[name](5, DATA) & 0xFFFFFFFF)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_misaligned(machine: Machine, offset: int) -> None:
    address = DATA + offset
    assert _trap(machine, word("lr.w", 5, 6), address) == (LOAD_MISALIGNED, address)
    for name in ("sc.w", *AMOS):
        assert _trap(machine, word(name, 5, 6, 7), address) == (STORE_MISALIGNED, address)


@pytest.mark.parametrize("address", [0, PSRAM + PSRAM_SIZE, ROM])
def test_outside(machine: Machine, address: int) -> None:
    if address != ROM:
        assert _trap(machine, word("lr.w", 5, 6), address) == (LOAD_FAULT, address)
    for name in ("sc.w", *AMOS):
        assert _trap(machine, word(name, 5, 6, 7), address) == (STORE_FAULT, address)


def _trap(machine: Machine, instruction: int, address: int) -> tuple[int, int]:
    trap = machine.trap_of(code(instruction), {6: address})
    assert trap.pc == BASE
    return trap.cause, trap.tval


LR, SC = word("lr.w", 5, 6), word("sc.w", 8, 9, 7)


def _attempt(machine: Machine, between: bytes = b"", second: int = DATA) -> tuple[int, int]:
    """lr.w, something, sc.w of 77: what sc.w gives and what memory then holds."""
    machine.write(DATA, (11).to_bytes(4, "little") + bytes(60))
    state = machine.execute(code(LR) + between + code(SC), {6: DATA, 7: 77, 9: second, 10: DATA})
    assert state.x[5] == 11
    return state.x[8], machine.read_word(second)


def test_conditional_store_succeeds(machine: Machine) -> None:
    assert _attempt(machine) == (0, 77)
    assert _attempt(machine, code(word("addi", 1, 1, 1), word("lw", 2, 10, 8))) == (0, 77)


def test_conditional_store_elsewhere_fails(machine: Machine) -> None:
    assert _attempt(machine, second=DATA + 4) == (1, 0)


def test_reservation_is_used_up(machine: Machine) -> None:
    assert _attempt(machine, code(word("sc.w", 0, 10, 5))) == (1, 11)
    assert _attempt(machine, code(word("sc.w", 0, 10, 5), LR)) == (0, 77)


def test_failed_conditional_store_ends_the_reservation(machine: Machine) -> None:
    between = code(word("addi", 11, 10, 16), word("sc.w", 0, 11, 5))
    assert _attempt(machine, between) == (1, 11)


def test_no_reservation_at_first(machine: Machine) -> None:
    assert machine.execute(code(SC), {7: 1, 9: DATA}).x[8] == 1


def test_trap_ends_the_reservation(machine: Machine) -> None:
    machine.write(DATA, bytes(4))
    machine.write(BASE + 0x800, code(word("addi", 20, 20, 4), word("csrrs", 21, 0x341, 0), word("addi", 21, 21, 4),
                                     word("csrrw", 0, 0x341, 21), word("mret")))  # fmt: skip
    machine.state.mtvec = BASE + 0x800
    machine.write(BASE, code(LR, word("ecall"), SC, word("csrrwi", 0, 0x305, 0), word("ebreak")))
    machine.start(BASE, {6: DATA, 7: 77, 9: DATA, 20: 0})
    machine.run_to_trap()
    assert (machine.state.x[8], machine.read_word(DATA)) == (1, 0)
    assert machine.state.x[20] == 4


def test_host_write_ends_the_reservation(machine: Machine) -> None:
    machine.write(BASE, code(LR, SC, word("ebreak")))
    for address, gives in ((DATA, 1), (DATA + 3, 1), (DATA - 1, 0), (DATA + 4, 0)):
        machine.start(BASE, {6: DATA, 7: 77, 9: DATA})
        machine.run(1)
        machine.write(address, b"\1")
        machine.run_to_trap()
        assert machine.state.x[8] == gives


def test_reservation_lasts_over_runs(machine: Machine) -> None:
    machine.write(BASE, code(LR, word("addi", 1, 1, 1), SC, word("ebreak")))
    machine.start(BASE, {6: DATA, 7: 77, 9: DATA})
    for _ in range(2):
        machine.run(1)
    machine.run_to_trap()
    assert machine.state.x[8] == 0


def test_counter_loop(machine: Machine) -> None:
    """The usual retry loop, a hundred times."""
    loop = code(
        word("lr.w", 5, 6), word("addi", 5, 5, 3), word("sc.w", 7, 6, 5), word("bne", 7, 0, -12),
        word("addi", 8, 8, -1), word("bne", 8, 0, -20),
    )  # fmt: skip
    machine.write(DATA, bytes(4))
    machine.execute(loop, {6: DATA, 8: 100})
    assert machine.read_word(DATA) == 300
