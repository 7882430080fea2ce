"""Traps: causes, what they leave in the registers, the guest's handlers, interrupts."""

from __future__ import annotations

import pytest

from p4kernel._native import lib

from .machine import BASE, EBREAK, MSTATUS_FS, PSRAM, PSRAM_SIZE, ROM, Machine
from .rv32 import code, half, word

MSTATUS, MTVEC, MSCRATCH, MEPC, MCAUSE, MTVAL = 0x300, 0x305, 0x340, 0x341, 0x342, 0x343
MIE, MPIE, MPP, SD = 0x8, 0x80, 0x1800, 0x80000000
HANDLER = BASE + 0x800

ILLEGAL = {
    "zero word": 0x00000003 | 7 << 12,
    "all ones": 0xFFFFFFFF,
    "ld": 0x00003003,
    "lwu": 0x00006003,
    "sd": 0x00003023,
    "slli 32": word("slli", 5, 5, 0) | 1 << 25,
    "srai 32": word("srai", 5, 5, 0) | 1 << 25,
    "add with a bad funct7": word("add", 5, 5, 5) | 1 << 28,
    "branch funct3 2": 0x00002063,
    "jalr funct3 1": 0x00001067,
    "sret": 0x10200073,
    "uret": 0x00200073,
    "sfence.vma": 0x12000073,
    "ecall with a register": 0x000000F3,
    "flh": 0x00001007,
    "fld": 0x00003007,
    "fadd.d": 0x02000053,
    "fmadd.d": 0x02000043,
    "fsqrt.s with rs2": word("fsqrt.s", 1, 2) | 1 << 20,
    "fcvt.l.s": 0xC0200053,
    "fmin funct3 2": 0x28002053,
    "lr.d": 0x1000302F,
    "lr.w with rs2": word("lr.w", 5, 6) | 1 << 20,
    "amo funct5 11": 0x5800202F,
    "a host stub's word": 0x00504073,
    "exit stub's word": 0x00004073,
    "vector opcode": 0x00000057,
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal(machine: Machine, name: str) -> None:
    bits = ILLEGAL[name]
    trap = machine.trap_of(code(word("addi", 5, 0, 1), bits))
    assert (trap.cause, trap.tval, trap.pc) == (2, bits, BASE + 4)
    assert machine.state.instret == 1


@pytest.mark.parametrize(("name", "cause"), [("ecall", 11), ("ebreak", 3)])
def test_environment(machine: Machine, name: str, cause: int) -> None:
    trap = machine.trap_of(code(half("c.nop"), word(name)))
    assert (trap.cause, trap.tval, trap.pc) == (cause, 0, BASE + 2)
    assert machine.state.instret == 1


@pytest.mark.parametrize("target", [0, 0x1000, PSRAM - 2, PSRAM + PSRAM_SIZE, 0xFFFFFFFE, ROM + 8192])
def test_fetch_outside(machine: Machine, target: int) -> None:
    trap = machine.trap_of(code(word("jalr", 1, 6, 0)), {6: target})
    assert (trap.cause, trap.tval, trap.pc) == (1, target, target)
    assert machine.state.instret == 1
    assert machine.state.x[1] == BASE + 4


def test_running_off_the_end_of_memory(machine: Machine) -> None:
    end = PSRAM + PSRAM_SIZE
    machine.write(end - 8, code(word("addi", 5, 0, 1), word("addi", 5, 5, 1)))
    machine.start(end - 8)
    trap = machine.run_to_trap()
    assert (trap.cause, trap.tval, trap.pc) == (1, end, end)
    assert machine.state.x[5] == 2


def test_unhandled_trap_leaves_the_state_alone(machine: Machine) -> None:
    machine.state.mstatus = MSTATUS_FS | MIE
    machine.trap_of(code(word("ecall")))
    assert machine.state.mstatus == MSTATUS_FS | MIE | MPP | SD
    assert machine.run_to_trap().pc == BASE


def test_float_off(machine: Machine) -> None:
    """With mstatus.FS off every float instruction, and every access to fcsr, is illegal."""
    instructions = (
        word("fadd.s", 1, 2, 3), word("flw", 1, 6, 0), word("fsw", 1, 6, 0), word("fmv.w.x", 1, 5),
        word("fmv.x.w", 5, 1), word("fsgnj.s", 1, 2, 3), word("feq.s", 5, 1, 2), word("fcvt.s.w", 1, 5),
        word("fmadd.s", 1, 2, 3, 4), word("fclass.s", 5, 1), word("csrrs", 5, 1, 0), word("csrrs", 5, 2, 0),
        word("csrrwi", 0, 3, 1), half("c.flw", 8, 8, 0), half("c.fswsp", 1, 0),
    )  # fmt: skip
    for instruction in instructions:
        machine.state.mstatus = 0
        trap = machine.trap_of(code(instruction), {2: BASE + 0x400, 6: BASE + 0x400, 8: BASE + 0x400})
        assert (trap.cause, trap.tval) == (2, instruction)
        machine.state.mstatus = MSTATUS_FS
        machine.execute(code(instruction))


def test_float_switched_by_the_program(machine: Machine) -> None:
    program = code(word("fadd.s", 1, 2, 3), word("lui", 5, 6), word("csrrc", 0, MSTATUS, 5), word("fadd.s", 1, 2, 3))
    trap = machine.trap_of(program)
    assert (trap.cause, trap.pc) == (2, BASE + 12)
    machine.state.mstatus = MSTATUS_FS
    machine.push()
    machine.write(BASE + 16, code(EBREAK))
    assert machine.run_to_trap().cause == 3


def _count_and_return(extra: bytes = b"") -> bytes:
    """A handler: counts in x20, keeps cause, mtval and mstatus in x21 to x23, goes on behind the instruction (4 bytes)."""
    return extra + code(
        word("addi", 20, 20, 1), word("csrrs", 21, MCAUSE, 0), word("csrrs", 22, MTVAL, 0),
        word("csrrs", 23, MSTATUS, 0), word("csrrs", 24, MEPC, 0), word("addi", 24, 24, 4),
        word("csrrw", 0, MEPC, 24), word("mret"),
    )  # fmt: skip


@pytest.mark.parametrize("enabled", [0, MIE])
def test_handler_and_return(machine: Machine, enabled: int) -> None:
    machine.write(HANDLER, _count_and_return())
    machine.state.mtvec = HANDLER
    machine.state.mstatus = MSTATUS_FS | enabled
    machine.write(BASE, code(word("lw", 5, 0, 64), word("csrrs", 25, MSTATUS, 0), word("csrrwi", 0, MTVEC, 0), EBREAK))
    machine.start(BASE, {20: 0})
    assert machine.run_to_trap().pc == BASE + 12
    x = machine.state.x
    assert (x[20], x[21], x[22]) == (1, 5, 64)
    assert x[23] == MSTATUS_FS | SD | MPP | (MPIE if enabled else 0)
    assert x[25] == MSTATUS_FS | SD | MPP | MPIE | enabled
    assert machine.state.instret == 8 + 2


def test_exceptions_ignore_the_vector_mode(machine: Machine) -> None:
    machine.write(HANDLER, code(EBREAK))
    machine.state.mtvec = HANDLER | 1
    machine.write(BASE, code(word("ecall")))
    machine.write(HANDLER, code(word("csrrwi", 0, MTVEC, 0), EBREAK))
    machine.start(BASE)
    assert machine.run_to_trap().pc == HANDLER + 4


@pytest.mark.parametrize("vectored", [False, True])
@pytest.mark.parametrize(("pending", "number"), [(1 << 3, 3), (1 << 7, 7), (1 << 11, 11), (0x88, 3), (0x888, 11)])
def test_interrupts(machine: Machine, vectored: bool, pending: int, number: int) -> None:
    machine.state.mtvec = HANDLER | vectored
    machine.state.mie = 0x888
    machine.state.mip = pending
    stop = HANDLER + (4 * number if vectored else 0)
    machine.write(HANDLER, code(*[word("addi", 0, 0, 0)] * 12))
    machine.write(stop, code(word("csrrwi", 0, MTVEC, 0), EBREAK))
    machine.write(BASE, code(word("addi", 5, 0, 1), word("csrrsi", 0, MSTATUS, 8), word("addi", 5, 0, 2)))
    machine.start(BASE)
    assert machine.run_to_trap().pc == stop + 4
    assert machine.state.x[5] == 1
    assert machine.state.mcause == 3  # of the ebreak; the interrupt's was:
    machine.write(
        stop, code(word("csrrs", 6, MCAUSE, 0), word("csrrs", 7, MEPC, 0), word("csrrwi", 0, MTVEC, 0), EBREAK)
    )
    machine.state.mtvec = HANDLER | vectored
    machine.state.mstatus = MSTATUS_FS
    machine.start(BASE)
    machine.run_to_trap()
    assert (machine.state.x[6], machine.state.x[7]) == (0x80000000 | number, BASE + 8)


def test_interrupt_waits_for_its_enable_bits(machine: Machine) -> None:
    machine.state.mip = 0x80
    machine.state.mie = 0x8
    machine.state.mstatus = MSTATUS_FS | MIE
    machine.execute(code(word("addi", 5, 0, 1)))
    machine.state.mie = 0x80
    machine.start(BASE)
    trap = machine.run_to_trap()
    assert (trap.cause, trap.pc) == (0x80000007, BASE)


def test_handler_that_traps_for_ever_uses_up_the_budget(machine: Machine) -> None:
    machine.state.mtvec = HANDLER
    machine.write(HANDLER, bytes(4))
    machine.write(BASE, code(word("addi", 5, 0, 1), word("ecall")))
    machine.start(BASE)
    assert machine.run(1000) == lib.P4S_BUDGET
    assert machine.state.instret == 1
    assert (machine.state.mcause, machine.state.pc) == (2, HANDLER)


def test_exit_stub(machine: Machine) -> None:
    machine.write(BASE, code(word("addi", 5, 0, 1), word("jalr", 0, 1, 0)))
    machine.start(BASE, {1: ROM})
    assert machine.run() == lib.P4S_EXIT
    assert (machine.state.pc, machine.state.instret) == (ROM, 2)
    assert machine.run() == lib.P4S_EXIT


def test_stub_without_host(machine: Machine) -> None:
    trap = machine.trap_of(code(word("jalr", 1, 6, 0)), {6: ROM + 8 * 7})
    assert (trap.cause, trap.pc) == (2, ROM + 8 * 7)
    assert trap.tval == machine.read_word(ROM + 8 * 7)
