"""Loads and stores: widths, signs, alignment, the memory map and its ends."""

from __future__ import annotations

import pytest

from p4kernel._native import ffi, lib

from .machine import BASE, PSRAM, PSRAM_SIZE, ROM, SRAM, SRAM_SIZE, TCM, TCM_SIZE, Machine
from .rv32 import LOADS, STORES, code, word

DATA = BASE + 0x1000
SIZE = {"lb": 1, "lbu": 1, "lh": 2, "lhu": 2, "lw": 4, "flw": 4, "sb": 1, "sh": 2, "sw": 4, "fsw": 4}
CONTENT = bytes(range(0x78, 0x98)) + bytes(range(0xF0, 0x100))
MEMORIES = ((PSRAM, PSRAM_SIZE), (SRAM, SRAM_SIZE), (TCM, TCM_SIZE))
LOAD_FAULT, STORE_FAULT = 5, 7


def _expected(name: str, data: bytes) -> int:
    return int.from_bytes(data[: SIZE[name]], "little", signed=name in ("lb", "lh")) & 0xFFFFFFFF


@pytest.mark.parametrize("memory", [PSRAM + 0x1000, SRAM + 0x80, TCM, PSRAM + 0x1FFF, SRAM + 0x7D])
@pytest.mark.parametrize("name", LOADS)
def test_loads(machine: Machine, name: str, memory: int) -> None:
    machine.write(memory, CONTENT)
    for offset in range(40):
        for base, imm in ((memory, offset), (memory + offset, 0), (memory + 2047, offset - 2047)):
            got = machine.execute(code(word(name, 5, 6, imm)), {6: base}).x[5]
            assert got == _expected(name, CONTENT[offset:]), offset


@pytest.mark.parametrize("memory", [PSRAM + 0x1000, SRAM + 0x80, TCM, PSRAM + 0x1FFF, SRAM + 0x7D])
@pytest.mark.parametrize("name", STORES)
def test_stores(machine: Machine, name: str, memory: int) -> None:
    value = 0x8899AABB
    for offset in range(20):
        machine.write(memory, bytes(32))
        machine.execute(code(word(name, 5, 6, offset)), {5: value, 6: memory})
        expected = bytes(offset) + value.to_bytes(4, "little")[: SIZE[name]]
        assert machine.read(memory, 32) == expected.ljust(32, b"\0")


def test_float_loads_and_stores(machine: Machine) -> None:
    """Bits as they are, signalling NaN too, at any alignment."""
    for offset in range(5):
        machine.write(DATA, bytes(offset) + (0x7F812345).to_bytes(4, "little") + bytes(16))
        state = machine.execute(code(word("flw", 3, 6, offset), word("fsw", 3, 6, offset + 7)), {6: DATA})
        assert state.f[3] == 0x7F812345
        assert machine.read(DATA + offset + 7, 4) == (0x7F812345).to_bytes(4, "little")
        assert state.fcsr == 0


@pytest.mark.parametrize("name", LOADS)
def test_load_replaces_its_base(machine: Machine, name: str) -> None:
    machine.write(DATA, CONTENT)
    assert machine.execute(code(word(name, 6, 6, 0)), {6: DATA}).x[6] == _expected(name, CONTENT)


def test_store_of_a_new_value_to_a_new_address(machine: Machine) -> None:
    machine.execute(code(word("addi", 5, 5, 1), word("sw", 5, 6, 0)), {5: 41, 6: DATA})
    machine.execute(code(word("addi", 6, 6, 4), word("sw", 5, 6, 0)), {5: 43, 6: DATA})
    machine.execute(code(word("addi", 6, 6, 8), word("sw", 6, 6, 0)), {6: DATA})
    assert [machine.read_word(DATA + 4 * i) for i in range(3)] == [42, 43, DATA + 8]


def _outside() -> list[tuple[int, int]]:
    """(address, first byte that is not there) of word accesses."""
    cases = [(a, a) for a in (0, 4, 0x20000000, 0x2FFFFFFC, 0x50000000, 0x7FFFFFFC, 0x80000000, 0xFFFFFFFC)]
    for start, size in MEMORIES:
        cases += [(start - 4, start - 4), (start + size, start + size), (start - 2, start - 2)]
        cases += [(start + size - back, start + size) for back in (1, 2, 3)]
    return cases


@pytest.mark.parametrize(("address", "missing"), _outside())
def test_outside(machine: Machine, address: int, missing: int) -> None:
    for name, cause in (("lw", LOAD_FAULT), ("flw", LOAD_FAULT), ("sw", STORE_FAULT), ("fsw", STORE_FAULT)):
        before = machine.state.x[5]
        trap = machine.trap_of(code(word("addi", 7, 0, 1), word(name, 5, 6, 0)), {6: address})
        assert (trap.cause, trap.tval, trap.pc) == (cause, missing, BASE + 4)
        assert machine.state.x[5] == before
        assert machine.state.instret == 1


@pytest.mark.parametrize("name", [*LOADS, *STORES])
def test_last_place_of_each_memory(machine: Machine, name: str) -> None:
    for start, size in MEMORIES:
        end = start + size
        machine.execute(code(word(name, 5, 6, 0)), {6: end - SIZE[name]})
        trap = machine.trap_of(code(word(name, 5, 6, 0)), {6: end})
        assert trap.tval == end


def test_failed_store_writes_nothing(machine: Machine) -> None:
    end = PSRAM + PSRAM_SIZE
    machine.write(end - 4, b"abcd")
    machine.trap_of(code(word("sw", 5, 6, 0)), {5: 0, 6: end - 2})
    assert machine.read(end - 4, 4) == b"abcd"


def test_address_wraps(machine: Machine) -> None:
    trap = machine.trap_of(code(word("lw", 5, 6, -8)), {6: 4})
    assert trap.tval == 0xFFFFFFFC
    assert machine.trap_of(code(word("lw", 5, 6, 0)), {6: 0xFFFFFFFE}).tval == 0xFFFFFFFE


def test_rom_is_read_only(machine: Machine) -> None:
    stub = int.from_bytes(machine.read(ROM + 8 * 5, 4), "little")
    assert machine.execute(code(word("lw", 5, 6, 0)), {6: ROM + 8 * 5}).x[5] == stub
    for name in STORES:
        trap = machine.trap_of(code(word(name, 5, 6, 0)), {6: ROM + 8 * 5})
        assert (trap.cause, trap.tval) == (STORE_FAULT, ROM + 8 * 5)
    assert lib.p4s_write(machine.sim, ROM, b"x", 1) == -1


def test_host_access_is_all_or_nothing(machine: Machine) -> None:
    buffer = ffi.new("char[16]", b"untouched")
    for start, size in MEMORIES:
        end = start + size
        machine.write(end - 8, b"12345678")
        assert lib.p4s_read(machine.sim, end - 8, buffer, 9) == -1
        assert lib.p4s_write(machine.sim, end - 8, b"abcdefghi", 9) == -1
        assert lib.p4s_write(machine.sim, start - 1, b"ab", 2) == -1
        assert machine.read(end - 8, 8) == b"12345678"
        assert lib.p4s_read(machine.sim, start, buffer, 0xFFFFFFFF) == -1
        assert lib.p4s_write(machine.sim, 0, b"", 0) == 0
    assert ffi.string(buffer) == b"untouched"


@pytest.mark.parametrize(
    "sizes",
    [(4095, 4096, 4096), (4096, 1, 4096), (4096, 4096, 100), (0x08000000, 4096, 4096), (4096, 0x00200000, 4096)],
)
def test_sizes_that_do_not_fit(sizes: tuple[int, int, int]) -> None:
    assert lib.p4s_new(ffi.new("p4s_config *", (*sizes, 100))) == ffi.NULL


def test_memories_may_be_absent(engine: str) -> None:
    config = ffi.new("p4s_config *", (0, 4096, 0, 301))
    sim = ffi.gc(lib.p4s_new(config), lib.p4s_delete)
    assert lib.p4s_write(sim, PSRAM, b"x", 1) == -1
    assert lib.p4s_write(sim, TCM, b"x", 1) == -1
    assert lib.p4s_write(sim, SRAM + 4095, b"x", 1) == 0
    assert engine in ("fast", "slow")


@pytest.mark.parametrize("start", [SRAM, TCM, SRAM + SRAM_SIZE - 8])
def test_code_runs_in_every_memory(machine: Machine, start: int) -> None:
    machine.write(start, code(word("addi", 5, 0, 9), word("ebreak")))
    machine.start(start)
    assert machine.run_to_trap().pc == start + 4
    assert machine.state.x[5] == 9
