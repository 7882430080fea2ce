"""Code that the host writes into memory of its own, and runs from there."""

from __future__ import annotations

import struct

import p4kernel as p4


@p4.kernel
def run(entry: p4.u32) -> p4.u32:
    p4.c('__asm__ volatile("fence.i" : : : "memory"); return ((uint32_t (*)(void))entry)();')


def test_what_runs_is_what_was_written_last(board: p4.Board) -> None:
    address = board.memory.allocate(8)
    for number in (7, 8, 7):
        board.memory.write(address, struct.pack("<II", 0x513 | number << 20, 0x8067))  # li a0, number; ret
        assert run(address) == number
    board.memory.free(address)
