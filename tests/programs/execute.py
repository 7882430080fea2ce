"""One ELF file on our engines, in one piece or many, with its system calls served from outside."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Literal

from p4kernel._native import ffi, lib
from tests.sim.linux import ECALL_CAUSE, SYS_EXIT, SYS_WRITE, Ended
from tests.sim.machine import ENGINES, MSTATUS_FS, Machine

__all__ = ["Outcome", "Run", "budgets", "whole"]

Stand = Literal["running", "exited", "trapped"]
_WHOLE: Final = 1 << 40
_LIMIT: Final = 200_000_000
_PROGRAM_HEADER: Final = struct.Struct("<IIIIIIII")


def budgets(source: random.Random, largest: int = 1 << 16) -> Iterator[int]:
    """Random ones, from single steps to tens of thousands, evenly by magnitude."""
    return (int(2.0 ** source.uniform(0, largest.bit_length() - 1)) for _ in repeat(None))


@dataclass(frozen=True)
class Outcome:
    """What a run leaves."""

    ended: Ended
    instructions: int
    """Retired ones; a system call retires nothing, as the harness does its work."""
    calls: int
    state: bytes
    """All of p4s_state."""
    memory: bytes
    """A digest of all memory that the program has."""


class Run:
    """A program on its way."""

    def __init__(self, elf: bytes, engine: str) -> None:
        self.machine = Machine(engine, psram=4 << 20)
        self.output = bytearray()
        self.calls = 0
        self._segments = self._load(elf)
        self.machine.state.mstatus = MSTATUS_FS
        self.machine.start(struct.unpack_from("<I", elf, 24)[0])

    def _load(self, elf: bytes) -> list[tuple[int, int]]:
        headers, count = struct.unpack_from("<I", elf, 28)[0], struct.unpack_from("<H", elf, 44)[0]
        segments = []
        for index in range(count):
            kind, offset, address, _, file_size, size, *_ = _PROGRAM_HEADER.unpack_from(elf, headers + 32 * index)
            if kind == 1:
                self.machine.write(address, elf[offset : offset + file_size].ljust(size, b"\0"))
                segments.append((address, size))
        return segments

    def advance(self, budget: int, engine: str | None = None) -> Stand:
        """Runs for at most a budget; a system call ends it sooner. `engine`: the other one, for this time."""
        machine = self.machine
        if engine is None:
            reason = machine.run(budget)
        else:
            reason = int((lib.p4s_run if engine == ENGINES[0] else lib.p4s_run_slow)(machine.sim, budget))
            machine.pull()
        if reason == lib.P4S_BUDGET:
            return "running"
        x = machine.state.x
        if reason != lib.P4S_TRAP or machine.state.mcause != ECALL_CAUSE or x[17] not in (SYS_EXIT, SYS_WRITE):
            return "trapped"
        if x[17] == SYS_EXIT:
            self.calls += 1
            return "exited"
        data = bytearray(min(x[12], 1 << 20))
        if lib.p4s_read(machine.sim, x[11], ffi.from_buffer(data), len(data)):
            return "trapped"
        self.calls += 1
        self.output += data
        x[10] = x[12]
        machine.state.pc += 4
        machine.push()
        return "running"

    def state(self) -> bytes:
        return bytes(ffi.buffer(self.machine.state))

    def outcome(self) -> Outcome:
        digest = hashlib.blake2b(digest_size=16)
        for address, size in self._segments:
            digest.update(self.machine.read(address, size))
        state = self.machine.state
        return Outcome(
            Ended(state.x[10] & 0xFF, bytes(self.output)), state.instret, self.calls, self.state(), digest.digest()
        )


def whole(elf: bytes, engine: str) -> Outcome:
    """To its exit without a limit between; any other end fails."""
    run = Run(elf, engine)
    while (stand := run.advance(_WHOLE)) == "running":
        assert run.machine.state.instret < _LIMIT
    assert stand == "exited", f"cause {run.machine.state.mcause} at {run.machine.state.pc:#x}"
    return run.outcome()
