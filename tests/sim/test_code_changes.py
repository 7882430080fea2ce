"""Code that changes: by its own stores, with and without fence.i, by the host; and data that only lies near code."""

from __future__ import annotations

import pytest

from p4kernel._native import lib

from .machine import BASE, EBREAK, PSRAM, Machine
from .rv32 import code, half, word

GIVES = [word("addi", 10, 0, value) for value in range(10)]
RET = word("jalr", 0, 1, 0)
FUNCTION = BASE + 0x400


def _patch_program(fence: bytes, at: int) -> bytes:
    """Calls the function at `at`, stores x11 over its first word, calls it again; results in x20, x21."""
    first = code(word("jal", 1, at - BASE), word("addi", 20, 10, 0), word("sw", 11, 12, 0)) + fence
    second = BASE + len(first)
    return first + code(word("jal", 1, at - second), word("addi", 21, 10, 0), EBREAK)


@pytest.mark.parametrize("fence", [b"", code(word("fence.i"))], ids=["plain", "fence.i"])
@pytest.mark.parametrize("at", [FUNCTION, BASE + 0x40, BASE + 0x7E, BASE + 0x1FFE])
def test_store_over_a_function(machine: Machine, fence: bytes, at: int) -> None:
    machine.write(BASE, _patch_program(fence, at))
    machine.write(at, code(GIVES[1], RET))
    machine.start(BASE, {11: GIVES[2], 12: at})
    machine.run_to_trap()
    assert (machine.state.x[20], machine.state.x[21]) == (1, 2)


@pytest.mark.parametrize(("name", "offset"), [("sb", 2), ("sb", 3), ("sh", 2)])
def test_part_of_an_instruction(machine: Machine, name: str, offset: int) -> None:
    """The upper half of an addi holds its immediate."""
    machine.write(FUNCTION, code(word("addi", 10, 0, 0x111), RET))
    machine.write(
        BASE,
        code(word("jal", 1, 0x400), word(name, 11, 12, offset), word("jal", 1, 0x400 - 8), EBREAK),
    )
    machine.start(BASE, {11: 0x22, 12: FUNCTION})
    machine.run_to_trap()
    old = code(word("addi", 10, 0, 0x111))
    size = 2 if name == "sh" else 1
    new = bytearray(old)
    new[offset : offset + size] = (0x22).to_bytes(size, "little")
    assert machine.state.x[10] == int.from_bytes(new, "little") >> 20


def test_next_instruction_of_the_same_block(machine: Machine) -> None:
    """A store over the instruction behind it takes effect at once in both engines."""
    program = code(word("addi", 5, 5, 1), word("sw", 11, 12, 0), word("addi", 10, 0, 1), word("addi", 6, 6, 1), EBREAK)
    for _ in range(2):
        machine.write(BASE, program)
        machine.start(BASE, {5: 0, 6: 0, 11: GIVES[7], 12: BASE + 8})
        assert machine.run_to_trap().pc == BASE + 16
        assert (machine.state.x[5], machine.state.x[10], machine.state.x[6]) == (1, 7, 1)
        assert machine.state.instret == 4


def test_store_over_itself_and_before(machine: Machine) -> None:
    program = code(
        word("addi", 10, 10, 1), word("sw", 11, 12, 0), word("addi", 13, 13, -1), word("bne", 13, 0, -12), EBREAK
    )
    for target in (BASE, BASE + 4):
        machine.write(BASE, program)
        machine.start(BASE, {10: 0, 11: word("addi", 10, 10, 16), 12: target, 13: 3})
        machine.run_to_trap()
        assert machine.state.x[10] == (1 + 16 + 16 if target == BASE else 3 + 2 * 16)


def test_loop_that_changes_its_body(machine: Machine) -> None:
    """Each round adds a new constant: the immediate counts up in the code."""
    loop = code(
        word("addi", 10, 10, 0), word("lw", 5, 12, 0), word("add", 5, 5, 14), word("sw", 5, 12, 0),
        word("addi", 13, 13, -1), word("bne", 13, 0, -20), EBREAK,
    )  # fmt: skip
    machine.write(BASE, loop)
    machine.start(BASE, {10: 0, 12: BASE, 13: 50, 14: 1 << 20})
    machine.run_to_trap()
    assert machine.state.x[10] == sum(range(50))


def test_linked_blocks_are_cut(machine: Machine) -> None:
    """A loop through a second block, which the host changes between runs, and one more that jumps into its middle."""
    machine.write(BASE, code(word("addi", 5, 5, 1), word("jal", 0, 0x400 - 4)))
    machine.write(FUNCTION, code(word("addi", 6, 6, 1), word("addi", 7, 7, 1), word("jal", 0, -0x408)))
    machine.start(BASE, {5: 0, 6: 0, 7: 0})
    machine.run(500)
    machine.write(FUNCTION, code(word("addi", 6, 6, 100)))
    machine.run(500)
    assert (machine.state.x[5], machine.state.x[6], machine.state.x[7]) == (200, 100 + 100 * 100, 200)
    machine.state.pc = FUNCTION + 4
    machine.push()
    machine.run(2)
    machine.write(FUNCTION + 4, code(word("addi", 7, 0, 0)))
    machine.run(500)
    assert machine.state.x[7] == 0


def test_host_write_between_runs(machine: Machine) -> None:
    for value in range(10):
        machine.write(BASE, code(GIVES[value], EBREAK))
        machine.start(BASE)
        machine.run_to_trap()
        assert machine.state.x[10] == value


@pytest.mark.parametrize("size", [1, 2, 3, 64, 4096])
def test_host_write_of_any_size(machine: Machine, size: int) -> None:
    """One that ends with the instruction, and one that begins in its last byte."""
    at = BASE + 0x1800
    new = code(word("addi", 10, 0, 0x456), EBREAK)
    for start, data in (
        (at + 4 - size, new[:4].rjust(size, b"\0")[-size:]),
        (at + 3, new[3:].ljust(size, b"\0")[:size]),
    ):
        machine.write(at, code(word("addi", 10, 0, 0x123), EBREAK))
        machine.start(at)
        machine.run_to_trap()
        assert machine.state.x[10] == 0x123
        machine.write(start, data)
        machine.start(at)
        assert machine.run_to_trap().cause == 3
        assert machine.state.x[10] == machine.read_word(at) >> 20 != 0x123


@pytest.mark.parametrize("index", [0, 1, 31, 32, 33, 47, 59, 60, 63])
def test_any_place_in_a_long_block(machine: Machine, index: int) -> None:
    """The host, and then the guest, change one of 64 instructions that stand in a row."""
    machine.write(BASE + 0x800, code(*[word("addi", 10, 10, 1)] * 64, EBREAK))
    machine.start(BASE + 0x800, {10: 0})
    machine.run_to_trap()
    assert machine.state.x[10] == 64
    for step, instruction in ((100, word("addi", 10, 10, 100)), (1000, word("addi", 10, 10, 1000))):
        if step == 100:
            machine.write(BASE + 0x800 + 4 * index, code(instruction))
        else:
            machine.write(BASE, code(word("sw", 11, 12, 0), word("jal", 0, 0x7FC)))
        machine.start(BASE + 0x800 if step == 100 else BASE, {10: 0, 11: instruction, 12: BASE + 0x800 + 4 * index})
        machine.run_to_trap()
        assert machine.state.x[10] == 63 + step


def test_data_near_code_keeps_it(machine: Machine) -> None:
    """Stores into the granule of the running loop, but not into its code: right, and the loop goes on."""
    loop = code(word("sw", 13, 12, 0), word("addi", 13, 13, -1), word("bne", 13, 0, -8), EBREAK)
    for offset in (len(loop), 0x40, 0x7C):
        machine.write(BASE, loop)
        machine.start(BASE, {12: BASE + offset, 13: 1000})
        machine.run_to_trap()
        assert machine.read_word(BASE + offset) == 1
        assert machine.state.instret == 3000


def test_misaligned_store_into_code(machine: Machine) -> None:
    """Two bytes before a function and two bytes of it."""
    at = FUNCTION + 0x80
    machine.write(BASE, code(word("jal", 1, at - BASE), word("sw", 11, 12, 0), word("jal", 1, at - BASE - 8), EBREAK))
    machine.write(at, code(half("c.li", 10, 1), half("c.jr", 1)))
    machine.start(BASE, {11: half("c.li", 10, 2) << 16, 12: at - 2})
    machine.run_to_trap()
    assert machine.state.x[10] == 2


def test_atomic_and_float_stores_into_code(machine: Machine) -> None:
    for store in (word("amoswap.w", 0, 12, 11), word("fsw", 11, 12, 0)):
        machine.write(BASE, code(word("jal", 1, 0x400), store, word("jal", 1, 0x400 - 8), EBREAK))
        machine.write(FUNCTION, code(GIVES[1], RET))
        machine.start(BASE, {11: GIVES[5], 12: FUNCTION}, {11: GIVES[5]})
        machine.run_to_trap()
        assert machine.state.x[10] == 5


def test_more_code_than_the_engine_keeps(machine: Machine) -> None:
    """Half a megabyte of jumps, twice: the translated blocks do not all fit at once."""
    count = 160_000
    body = code(half("c.addi", 10, 1), half("c.j", 2))
    big = Machine(machine.engine, psram=4 << 20)
    big.write(PSRAM, body * count + code(word("addi", 11, 11, -1), EBREAK))
    for _ in range(2):
        big.start(PSRAM, {10: 0})
        assert big.run(2 * count + 1) == lib.P4S_BUDGET
        assert big.state.x[10] == count
