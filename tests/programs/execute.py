"""One ELF file on our engines, in one piece or many, with its system calls served from outside."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Literal

from p4kernel._native import lib
from tests.sim.linux import ECALL_CAUSE, SYS_EXIT, SYS_WRITE, Ended
from tests.sim.machine import MSTATUS_FS, Machine

__all__ = ["MODES", "Mode", "Outcome", "execute"]

Mode = Literal["fast", "slow", "pieces", "turns"]
MODES: Final[tuple[Mode, ...]] = ("fast", "slow", "pieces", "turns")
"""fast, slow: that engine in one piece; pieces: the fast one with random budgets; turns: both by turns."""
_LIMIT: Final = 200_000_000
_WHOLE: Final = 1 << 40
_PROGRAM_HEADER: Final = struct.Struct("<IIIIIIII")
_FIELDS: Final = ("pc", "fcsr", "mstatus", "mtvec", "mscratch", "mepc", "mcause", "mtval", "mie", "mip", "instret")


@dataclass(frozen=True)
class Outcome:
    """What a run leaves."""

    ended: Ended
    instructions: int
    """Retired ones; a system call retires nothing, as the harness does its work."""
    calls: int
    state: tuple[int, ...]
    """x, f and the control registers."""
    memory: bytes
    """A digest of all memory that the program has."""


def _budgets(mode: Mode, seed: int) -> Iterator[int]:
    if mode in ("fast", "slow"):
        return repeat(_WHOLE)
    source = random.Random(seed)
    # From single steps to tens of thousands: evenly by magnitude.
    return (int(2.0 ** source.uniform(0, 16)) for _ in repeat(None))


def execute(elf: bytes, mode: Mode, seed: int = 0) -> Outcome:
    """Runs to the program's exit. Fails on any other end."""
    machine = Machine("slow" if mode == "slow" else "fast", psram=4 << 20)
    run = machine.run
    segments = _load(machine, elf)
    machine.state.mstatus = MSTATUS_FS
    machine.start(struct.unpack_from("<I", elf, 24)[0])
    source = random.Random(~seed)
    output, calls = bytearray(), 0
    for budget in _budgets(mode, seed):
        if mode == "turns" and source.random() < 0.5:
            reason = int(lib.p4s_run_slow(machine.sim, min(budget, 500)))
            machine.pull()
        else:
            reason = run(budget)
        assert machine.state.instret < _LIMIT
        if reason == lib.P4S_BUDGET:
            continue
        x = machine.state.x
        assert (reason, machine.state.mcause) == (lib.P4S_TRAP, ECALL_CAUSE), (reason, machine.state.mcause)
        calls += 1
        if x[17] == SYS_EXIT:
            break
        assert x[17] == SYS_WRITE, x[17]
        output += machine.read(x[11], x[12])
        x[10] = x[12]
        machine.state.pc += 4
        machine.push()
    state = machine.state
    digest = hashlib.blake2b(digest_size=16)
    for address, size in segments:
        digest.update(machine.read(address, size))
    return Outcome(
        Ended(state.x[10] & 0xFF, bytes(output)), state.instret, calls,
        (*state.x, *state.f, *(getattr(state, field) for field in _FIELDS)), digest.digest(),
    )  # fmt: skip


def _load(machine: Machine, elf: bytes) -> list[tuple[int, int]]:
    """Writes the segments; their addresses and sizes."""
    headers, count = struct.unpack_from("<I", elf, 28)[0], struct.unpack_from("<H", elf, 44)[0]
    segments = []
    for index in range(count):
        kind, offset, address, _, file_size, size, *_ = _PROGRAM_HEADER.unpack_from(elf, headers + 32 * index)
        if kind == 1:
            machine.write(address, elf[offset : offset + file_size].ljust(size, b"\0"))
            segments.append((address, size))
    return segments
