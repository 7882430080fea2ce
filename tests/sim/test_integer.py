"""RV32I and M: every instruction over edge values, against arithmetic done here on Python's integers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .machine import BASE, Machine
from .rv32 import BRANCHES, code, load_constant, word

MASK = 0xFFFFFFFF
EDGES = (
    0, 1, 2, 3, 5, 31, 32, 33, 0x7F, 0x80, 0xFF, 0x7FF, 0x800, 0xFFFF, 0x8000, 0x12345678,
    0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xAAAAAAAA, 0xDEADBEEF, 0xFFFFFFFE, MASK,
)  # fmt: skip
IMMEDIATES = (0, 1, -1, 2, 5, 31, 32, 255, -256, 0x7FF, -0x800)


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _truncate(a: int, b: int) -> int:
    """Quotient toward zero, as C and RISC-V divide."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _div(a: int, b: int) -> int:
    return _truncate(_signed(a), _signed(b)) if b else -1


def _rem(a: int, b: int) -> int:
    return _signed(a) - _truncate(_signed(a), _signed(b)) * _signed(b) if b else a


BINARY: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "sll": lambda a, b: a << (b & 31),
    "slt": lambda a, b: _signed(a) < _signed(b),
    "sltu": lambda a, b: a < b,
    "xor": lambda a, b: a ^ b,
    "srl": lambda a, b: a >> (b & 31),
    "sra": lambda a, b: _signed(a) >> (b & 31),
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: _signed(a) * _signed(b) >> 32,
    "mulhsu": lambda a, b: _signed(a) * b >> 32,
    "mulhu": lambda a, b: a * b >> 32,
    "div": _div,
    "divu": lambda a, b: a // b if b else MASK,
    "rem": _rem,
    "remu": lambda a, b: a % b if b else a,
}
WITH_IMMEDIATE = {
    "addi": "add", "slti": "slt", "sltiu": "sltu", "xori": "xor", "ori": "or", "andi": "and",
}  # fmt: skip
SHIFTS = {"slli": "sll", "srli": "srl", "srai": "sra"}
TAKEN: dict[str, Callable[[int, int], bool]] = {
    "beq": lambda a, b: a == b,
    "bne": lambda a, b: a != b,
    "blt": lambda a, b: _signed(a) < _signed(b),
    "bge": lambda a, b: _signed(a) >= _signed(b),
    "bltu": lambda a, b: a < b,
    "bgeu": lambda a, b: a >= b,
}


@pytest.mark.parametrize("name", BINARY)
def test_register_forms(machine: Machine, name: str) -> None:
    for a in EDGES:
        for b in EDGES:
            got = machine.execute(code(word(name, 5, 6, 7)), {6: a, 7: b}).x[5]
            assert got == BINARY[name](a, b) & MASK, (hex(a), hex(b))


@pytest.mark.parametrize("name", BINARY)
def test_destination_is_source(machine: Machine, name: str) -> None:
    for a, b in ((7, 3), (0x80000000, MASK), (MASK, 0)):
        assert machine.execute(code(word(name, 6, 6, 7)), {6: a, 7: b}).x[6] == BINARY[name](a, b) & MASK
        assert machine.execute(code(word(name, 7, 6, 7)), {6: a, 7: b}).x[7] == BINARY[name](a, b) & MASK
        assert machine.execute(code(word(name, 6, 6, 6)), {6: a}).x[6] == BINARY[name](a, a) & MASK
        assert machine.execute(code(word(name, 0, 6, 7)), {6: a, 7: b}).x[0] == 0


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("second", BINARY)
def test_result_used_at_once(machine: Machine, name: str, second: str) -> None:
    """The second instruction takes the first one's result on either side: what the fast engine forwards and fuses."""
    for a, b, c in ((0x12345678, 7, 3), (0x80000000, MASK, 0xDEADBEEF), (0, 31, 5)):
        first = BINARY[name](a, b) & MASK
        left = machine.execute(code(word(name, 5, 6, 7), word(second, 28, 5, 8)), {6: a, 7: b, 8: c})
        assert (left.x[5], left.x[28]) == (first, BINARY[second](first, c) & MASK)
        right = machine.execute(code(word(name, 5, 6, 7), word(second, 28, 8, 5)), {6: a, 7: b, 8: c})
        assert (right.x[5], right.x[28]) == (first, BINARY[second](c, first) & MASK)


@pytest.mark.parametrize("name", WITH_IMMEDIATE)
def test_immediate_forms(machine: Machine, name: str) -> None:
    for a in EDGES:
        for imm in IMMEDIATES:
            got = machine.execute(code(word(name, 5, 6, imm)), {6: a}).x[5]
            assert got == BINARY[WITH_IMMEDIATE[name]](a, imm & MASK) & MASK, (hex(a), imm)


@pytest.mark.parametrize("name", SHIFTS)
def test_shift_forms(machine: Machine, name: str) -> None:
    for a in EDGES:
        for amount in (0, 1, 4, 15, 16, 30, 31):
            got = machine.execute(code(word(name, 5, 6, amount)), {6: a}).x[5]
            assert got == BINARY[SHIFTS[name]](a, amount) & MASK, (hex(a), amount)


@pytest.mark.parametrize("upper", [0, 1, 0x7FFFF, 0x80000, 0xFFFFF])
def test_upper_immediates(machine: Machine, upper: int) -> None:
    state = machine.execute(code(word("lui", 5, upper), word("auipc", 6, upper)))
    assert state.x[5] == upper << 12
    assert state.x[6] == (BASE + 4 + (upper << 12)) & MASK


@pytest.mark.parametrize("value", EDGES)
def test_constants(machine: Machine, value: int) -> None:
    """lui and addi, and what is computed from a known value afterwards."""
    state = machine.execute(load_constant(5, value) + code(word("addi", 6, 5, -1), word("add", 7, 5, 6)))
    assert (state.x[5], state.x[6], state.x[7]) == (value, (value - 1) & MASK, (2 * value - 1) & MASK)


def test_x0_stays_zero(machine: Machine) -> None:
    writes = code(
        word("addi", 0, 0, 5), word("lui", 0, 5), word("add", 0, 6, 6), word("jal", 0, 4), word("lw", 0, 7, 0),
        word("mul", 0, 6, 6), word("addi", 5, 0, 1),
    )  # fmt: skip
    state = machine.execute(writes, {6: 9, 7: BASE})
    assert (state.x[0], state.x[5]) == (0, 1)


@pytest.mark.parametrize("name", BRANCHES)
def test_branches(machine: Machine, name: str) -> None:
    skip = code(word(name, 6, 7, 8), word("addi", 5, 0, 1))
    for a in EDGES:
        for b in EDGES:
            got = machine.execute(skip, {5: 0, 6: a, 7: b}).x[5]
            assert got == (not TAKEN[name](a, b)), (hex(a), hex(b))


@pytest.mark.parametrize("name", BRANCHES)
def test_compare_and_branch_on_results(machine: Machine, name: str) -> None:
    for a, b in ((1, 2), (2, 2), (MASK, 0), (0x80000000, 0x7FFFFFFF)):
        for first, left in ((word("addi", 28, 6, 0), True), (word("addi", 28, 7, 0), False)):
            branch = word(name, 28, 7, 8) if left else word(name, 6, 28, 8)
            got = machine.execute(code(first, branch, word("addi", 5, 0, 1)), {5: 0, 6: a, 7: b}).x[5]
            assert got == (not TAKEN[name](a, b))


@pytest.mark.parametrize("distance", [-4096, -2048, -4, 8, 2048, 4094])
def test_branch_distances(machine: Machine, distance: int) -> None:
    at = BASE + 0x2000
    machine.write(at, code(word("beq", 0, 0, distance)))
    machine.write(at + distance, code(word("ebreak")))
    machine.start(at)
    assert machine.run_to_trap().pc == at + distance


@pytest.mark.parametrize("distance", [-(1 << 18), -2048, -4, 8, 2048, 1 << 17, (1 << 18) - 2])
def test_jal(machine: Machine, distance: int) -> None:
    at = BASE + (1 << 18)
    machine.write(at, code(word("jal", 1, distance)))
    machine.write(at + distance, code(word("ebreak")))
    machine.start(at)
    assert machine.run_to_trap().pc == at + distance
    assert machine.state.x[1] == at + 4


@pytest.mark.parametrize(("value", "imm"), [(BASE + 0x100, 0), (BASE + 0x101, 0), (BASE + 0x100, -16), (BASE, 0x7FE)])
def test_jalr(machine: Machine, value: int, imm: int) -> None:
    target = (value + imm) & ~1
    machine.write(target, code(word("ebreak")))
    assert machine.trap_of(code(word("jalr", 1, 6, imm)), {6: value}).pc == target
    assert machine.state.x[1] == BASE + 4
    assert machine.trap_of(code(word("jalr", 6, 6, imm)), {6: value}).pc == target
    assert machine.state.x[6] == BASE + 4


def test_call_by_auipc_and_jalr(machine: Machine) -> None:
    machine.write(BASE + 0x1234, code(word("ebreak")))
    assert machine.trap_of(code(word("auipc", 5, 1), word("jalr", 5, 5, 0x234))).pc == BASE + 0x1234
    assert machine.state.x[5] == BASE + 8


def test_many_jump_targets(machine: Machine) -> None:
    """More return addresses than any cache of them: a function called from 3,000 places."""
    calls = b"".join(code(word("jal", 1, 4 * (3001 - i) + 0)) for i in range(3000))
    body = calls + code(word("ebreak"), word("addi", 5, 5, 1), word("jalr", 0, 1, 0))
    machine.write(BASE, body)
    machine.start(BASE, {5: 0})
    assert machine.run_to_trap().pc == BASE + 12000
    assert machine.state.x[5] == 3000


@pytest.mark.parametrize("name", ["fence", "fence.i", "wfi"])
def test_nothing_happens(machine: Machine, name: str) -> None:
    before = machine.registers()
    machine.execute(code(word(name)))
    assert machine.registers() == before
    assert machine.state.instret == 1
