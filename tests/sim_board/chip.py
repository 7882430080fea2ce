"""Compiled C on the chip of a virtual board, without the firmware core: only the functions that it offers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from p4kernel._native import ffi, lib
from p4kernel._resources import stubs
from p4kernel.build import Options, Source, Toolchain, Unit, build
from p4kernel.sim.generate_exports import load

PSRAM, SRAM, TCM, ROM = 0x48000000, 0x4FF00000, 0x30100000, 0x4FC00000
PSRAM_SIZE, SRAM_SIZE, TCM_SIZE = 4 << 20, 768 << 10, 8 << 10
CODE, DATA, STACK = PSRAM, PSRAM + (1 << 20), SRAM + SRAM_SIZE
PSRAM_END = PSRAM + PSRAM_SIZE
LOAD_FAULT, STORE_FAULT, BREAKPOINT, FETCH_FAULT = 5, 7, 3, 1
BUDGET = 50_000_000
PRELUDE = """\
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
"""


def _text(name: Any) -> str:
    text = ffi.string(name)
    assert isinstance(text, bytes)
    return text.decode()


@cache
def exports() -> dict[str, int]:
    """Address of each function."""
    found: dict[str, int] = {}
    for index, export in enumerate(load(stubs() / "exports.yaml")):
        if export.virtual:
            found[_text(lib.p4v_export(index))] = ROM + 8 * (index + 1)
    return found


@dataclass(frozen=True)
class End:
    """How a run ended: "exit", "trap" with cause and address, or "budget"."""

    how: str
    cause: int = 0
    address: int = 0
    pc: int = 0


class Chip:
    """A fresh board; `entry(DATA)` of a program is run on its chip."""

    def __init__(self) -> None:
        config = ffi.new("p4v_config *", (PSRAM_SIZE, SRAM_SIZE, TCM_SIZE, 100, 1, 0, 1))
        self._board: Any = ffi.gc(lib.p4v_new(config), lib.p4v_delete)
        assert self._board != ffi.NULL
        self._sim: Any = lib.p4v_sim(self._board)

    def write(self, address: int, data: bytes) -> None:
        assert lib.p4s_write(self._sim, address, data, len(data)) == 0

    def read(self, address: int, size: int) -> bytes:
        buffer = bytearray(size)
        assert lib.p4s_read(self._sim, address, ffi.from_buffer(buffer), size) == 0
        return bytes(buffer)

    def run(self, text: str, chain: Toolchain, opt: str = "O2", *, fcsr: int = 0, flags: tuple[str, ...] = ()) -> End:
        """Compiles `void entry(void *data)` and runs it."""
        source = Source((Unit("test.c", PRELUDE + text),), "entry")
        image = build(source, Options(opt=opt, flags=("-fno-builtin", *flags)), chain).image
        self.write(CODE, image.at(CODE, exports()) + bytes(image.bss_size))
        state: Any = ffi.new("p4s_state *")
        lib.p4s_get(self._sim, state)
        state.pc = CODE + image.entry
        state.x[1], state.x[2], state.x[10] = ROM, STACK, DATA
        state.fcsr = fcsr
        lib.p4s_set(self._sim, state)
        reason = lib.p4s_run(self._sim, BUDGET)
        lib.p4s_get(self._sim, state)
        if reason == lib.P4S_TRAP:
            return End("trap", state.mcause, state.mtval, state.mepc)
        return End({lib.P4S_EXIT: "exit", lib.P4S_BUDGET: "budget", lib.P4S_STOP: "stop"}[reason])
