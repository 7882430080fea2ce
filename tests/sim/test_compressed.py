"""Every compressed form: it does what its 32-bit form does, in two bytes; and the encodings that are none."""

from __future__ import annotations

import pytest

from .machine import BASE, EBREAK, PSRAM_SIZE, Machine
from .rv32 import code, half, word

DATA = BASE + 0x8000

SAME: list[tuple[int, int]] = [
    (half("c.addi4spn", 8, 4), word("addi", 8, 2, 4)),
    (half("c.addi4spn", 15, 1020), word("addi", 15, 2, 1020)),
    (half("c.addi4spn", 9, 0x2A8), word("addi", 9, 2, 0x2A8)),
    (half("c.nop"), word("addi", 0, 0, 0)),
    *[(half("c.addi", 7, i), word("addi", 7, 7, i)) for i in (1, -1, 31, -32, 21)],
    *[(half("c.li", 7, i), word("addi", 7, 0, i)) for i in (0, 1, -1, 31, -32, -22)],
    *[(half("c.lui", 7, i), word("lui", 7, i)) for i in (1, -1, 31, -32, 10)],
    *[(half("c.addi16sp", i), word("addi", 2, 2, i)) for i in (16, -16, 496, -512, 0x150, -0x160)],
    *[(half("c.srli", 10, i), word("srli", 10, 10, i)) for i in (1, 7, 31)],
    *[(half("c.srai", 10, i), word("srai", 10, 10, i)) for i in (1, 7, 31)],
    *[(half("c.slli", 10, i), word("slli", 10, 10, i)) for i in (1, 7, 31)],
    *[(half("c.andi", 10, i), word("andi", 10, 10, i)) for i in (0, 1, -1, 31, -32)],
    *[(half(f"c.{n}", 10, 11), word(n, 10, 10, 11)) for n in ("sub", "xor", "or", "and")],
    (half("c.mv", 7, 28), word("add", 7, 0, 28)),
    (half("c.mv", 31, 1), word("add", 31, 0, 1)),
    (half("c.add", 7, 28), word("add", 7, 7, 28)),
    (half("c.add", 31, 31), word("add", 31, 31, 31)),
    # hints: no effect
    (half("c.li", 0, 5), word("addi", 0, 0, 0)),
    (half("c.lui", 0, 5), word("addi", 0, 0, 0)),
    (half("c.slli", 0, 5), word("addi", 0, 0, 0)),
    (half("c.slli", 5, 0), word("addi", 0, 0, 0)),
    (half("c.mv", 0, 5), word("addi", 0, 0, 0)),
    (half("c.add", 0, 5), word("addi", 0, 0, 0)),
    (half("c.addi", 0, 5), word("addi", 0, 0, 0)),
]
MEMORY: list[tuple[int, int]] = [
    *[(half("c.lw", 10, 8, i), word("lw", 10, 8, i)) for i in (0, 4, 60, 64, 124)],
    *[(half("c.flw", 10, 8, i), word("flw", 10, 8, i)) for i in (0, 4, 60, 64, 124)],
    *[(half("c.sw", 11, 8, i), word("sw", 11, 8, i)) for i in (0, 4, 60, 64, 124)],
    *[(half("c.fsw", 11, 8, i), word("fsw", 11, 8, i)) for i in (0, 4, 60, 64, 124)],
    *[(half("c.lwsp", 20, i), word("lw", 20, 2, i)) for i in (0, 4, 60, 64, 252)],
    *[(half("c.flwsp", 0, i), word("flw", 0, 2, i)) for i in (0, 4, 60, 64, 252)],
    *[(half("c.swsp", 20, i), word("sw", 20, 2, i)) for i in (0, 4, 60, 64, 252)],
    *[(half("c.fswsp", 20, i), word("fsw", 20, 2, i)) for i in (0, 4, 60, 64, 252)],
]
ILLEGAL = {
    "all zeros": 0x0000,
    "c.addi4spn 0": half("c.addi4spn", 8, 0),
    "c.fld": 0x2000,
    "reserved 100 of quadrant 0": 0x8000,
    "c.fsd": 0xA000,
    "c.lui 0": half("c.lui", 7, 0),
    "c.addi16sp 0": half("c.addi16sp", 0),
    "c.srli 32": half("c.srli", 8, 1) | 1 << 12,
    "c.srai 32": half("c.srai", 8, 1) | 1 << 12,
    "c.subw": half("c.sub", 8, 9) | 1 << 12,
    "reserved arithmetic": half("c.and", 8, 9) | 1 << 12,
    "c.slli 32": half("c.slli", 8, 1) | 1 << 12,
    "c.fldsp": 0x2002,
    "c.lwsp x0": half("c.lwsp", 0, 4),
    "c.jr x0": half("c.jr", 0),
    "c.fsdsp": 0xA002,
}
_X = {i: (0x9E3779B9 * (i + 1)) & 0xFFFFFFFF for i in range(1, 32)} | {2: DATA, 8: DATA + 0x400}
_F = {i: (0x85EBCA6B * (i + 1)) & 0xFFFFFFFF for i in range(32)}
_MEMORY = bytes((i * 37 + 11) & 255 for i in range(0x800))


def _after(engine: str, instruction: int) -> tuple[object, bytes]:
    machine = Machine(engine)
    machine.write(DATA, _MEMORY)
    machine.execute(code(instruction), _X, _F)
    assert machine.state.pc == BASE + (4 if instruction & 3 == 3 else 2)
    assert machine.state.instret == 1
    return machine.registers(), machine.read(DATA, len(_MEMORY))


@pytest.mark.parametrize(("short", "long"), SAME + MEMORY, ids=hex)
def test_same_as_the_long_form(engine: str, short: int, long: int) -> None:
    assert _after(engine, short) == _after(engine, long)


@pytest.mark.parametrize("name", ["c.j", "c.jal"])
@pytest.mark.parametrize("distance", [-2048, -2, 2, 2046, 0x2AA, -0x2AA])
def test_jumps(machine: Machine, name: str, distance: int) -> None:
    at = BASE + 0x1000
    machine.write(at, code(half(name, distance)))
    machine.write(at + distance, code(half("c.ebreak")))
    machine.start(at, {1: 0})
    assert machine.run_to_trap().pc == at + distance
    assert machine.state.x[1] == (at + 2 if name == "c.jal" else 0)


@pytest.mark.parametrize("distance", [-256, -0xAA, -2, 4, 0xAA, 254])
@pytest.mark.parametrize("value", [0, 1, 0x80000000])
def test_branches(machine: Machine, distance: int, value: int) -> None:
    at = BASE + 0x1000
    for name, taken in (("c.beqz", value == 0), ("c.bnez", value != 0)):
        machine.write(at, code(half(name, 9, distance), half("c.ebreak")))
        machine.write(at + distance, code(half("c.ebreak")))
        machine.start(at, {9: value})
        assert machine.run_to_trap().pc == (at + distance if taken else at + 2)


@pytest.mark.parametrize("name", ["c.jr", "c.jalr"])
def test_register_jumps(machine: Machine, name: str) -> None:
    machine.write(BASE + 0x200, code(half("c.ebreak")))
    assert machine.trap_of(code(half(name, 9)), {1: 7, 9: BASE + 0x201}).pc == BASE + 0x200
    assert machine.state.x[1] == (BASE + 2 if name == "c.jalr" else 7)


def test_jalr_through_ra(machine: Machine) -> None:
    machine.write(BASE + 0x200, code(half("c.ebreak")))
    assert machine.trap_of(code(half("c.jalr", 1)), {1: BASE + 0x200}).pc == BASE + 0x200
    assert machine.state.x[1] == BASE + 2


def test_ebreak(machine: Machine) -> None:
    trap = machine.trap_of(code(half("c.nop"), half("c.ebreak")))
    assert (trap.cause, trap.pc) == (3, BASE + 2)


@pytest.mark.parametrize("name", ILLEGAL)
def test_no_instruction(machine: Machine, name: str) -> None:
    trap = machine.trap_of(code(half("c.nop"), ILLEGAL[name]) + b"\xff\xff")
    assert (trap.cause, trap.tval, trap.pc) == (2, ILLEGAL[name], BASE + 2)
    assert machine.state.instret == 1


def test_word_across_a_page(machine: Machine) -> None:
    at = BASE + 0x1FFE
    machine.write(at, code(word("addi", 5, 0, 77), EBREAK))
    machine.start(at)
    assert machine.run_to_trap().pc == at + 4
    assert machine.state.x[5] == 77


def test_word_cut_by_the_end_of_memory(machine: Machine) -> None:
    end = BASE + PSRAM_SIZE
    machine.write(end - 4, code(half("c.nop")) + code(word("addi", 5, 0, 1))[:2])
    machine.start(end - 4)
    trap = machine.run_to_trap()
    assert (trap.cause, trap.tval, trap.pc) == (1, end, end - 2)
    assert machine.state.instret == 1
