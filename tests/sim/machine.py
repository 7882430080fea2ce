"""A virtual core for tests, over the C interface of sim.h."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from p4kernel._native import ffi, lib

from .rv32 import code, word

PSRAM, SRAM, TCM, ROM = 0x48000000, 0x4FF00000, 0x30100000, 0x4FC00000
PSRAM_SIZE, SRAM_SIZE, TCM_SIZE = 1 << 20, 768 << 10, 8 << 10
BASE = PSRAM
EBREAK = word("ebreak")
MSTATUS_FS = 0x6000
ENGINES = ("fast", "slow")

BREAKPOINT = 3


@dataclass(frozen=True)
class Trap:
    """What mcause, mtval and mepc say after a run that a trap ended."""

    cause: int
    tval: int
    pc: int


class Machine:
    """One core. `state` is the p4s_state struct; `pull` and `push` copy it from and to the core."""

    def __init__(self, engine: str, *, psram: int = PSRAM_SIZE, revision: int = 100) -> None:
        config = ffi.new("p4s_config *", (psram, SRAM_SIZE, TCM_SIZE, revision))
        self.sim: Any = ffi.gc(lib.p4s_new(config), lib.p4s_delete)
        assert self.sim != ffi.NULL
        self.engine = engine
        self._run = {"fast": lib.p4s_run, "slow": lib.p4s_run_slow}[engine]
        self.state: Any = ffi.new("p4s_state *")
        self.pull()

    def pull(self) -> None:
        lib.p4s_get(self.sim, self.state)

    def push(self) -> None:
        lib.p4s_set(self.sim, self.state)

    def run(self, budget: int = 1 << 20) -> int:
        """Runs, and reads the state back; the reason as a number."""
        reason = int(self._run(self.sim, budget))
        self.pull()
        return reason

    def write(self, address: int, data: bytes) -> None:
        assert lib.p4s_write(self.sim, address, data, len(data)) == 0, hex(address)

    def read(self, address: int, size: int) -> bytes:
        buffer = bytearray(size)
        assert lib.p4s_read(self.sim, address, ffi.from_buffer(buffer), size) == 0, hex(address)
        return bytes(buffer)

    def read_word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")

    def start(self, pc: int = BASE, x: Mapping[int, int] | None = None, f: Mapping[int, int] | None = None) -> None:
        """Sets pc and registers, with instret at 0; the rest stays."""
        self.state.pc = pc
        self.state.instret = 0
        for index, value in (x or {}).items():
            self.state.x[index] = value & 0xFFFFFFFF
        for index, value in (f or {}).items():
            self.state.f[index] = value
        self.push()

    def execute(
        self, instructions: bytes, x: Mapping[int, int] | None = None, f: Mapping[int, int] | None = None
    ) -> Any:
        """Runs code at BASE up to an ebreak put behind it; the state then."""
        self.write(BASE, instructions + code(EBREAK))
        self.start(BASE, x, f)
        trap = self.run_to_trap()
        assert trap.cause == BREAKPOINT, trap
        return self.state

    def run_to_trap(self, budget: int = 1 << 20) -> Trap:
        reason = self.run(budget)
        assert reason == lib.P4S_TRAP, reason
        assert self.state.pc == self.state.mepc
        return Trap(self.state.mcause, self.state.mtval, self.state.mepc)

    def trap_of(self, instructions: bytes, x: Mapping[int, int] | None = None) -> Trap:
        """The trap that code at BASE runs into."""
        self.write(BASE, instructions)
        self.start(BASE, x)
        return self.run_to_trap()

    def registers(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return tuple(self.state.x), tuple(self.state.f)
