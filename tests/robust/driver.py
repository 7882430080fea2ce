"""Random use of boards: calls, memory, mistakes and faults in any order, each compared with what must come out."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, Final

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.wire._tables import Type, Unload
from tests.robust import pool
from tests.robust.common import fault, spin

_WORK: Final = {
    "call": 60, "allocate": 8, "write": 8, "read": 8, "free": 7, "fault": 3, "limit": 2, "mistake": 5, "state": 2,
}  # fmt: skip


@p4.kernel(max_instructions=5000)
def endless() -> None:
    p4.c("for (volatile int i = 0;; ++i) { }")


class Driver:
    """One user of some boards. Its allocations are its own; ``done`` counts what it did."""

    def __init__(self, seed: int, boards: list[p4.Board], kernels: list[pool.Pooled], largest: int = 3000) -> None:
        self._rng = random.Random(seed)
        self._boards = boards
        self._kernels = kernels
        self._largest = largest  # elements of an array
        self._mine: dict[tuple[int, int], bytearray] = {}  # (index of the board, address)
        self.done: Counter[str] = Counter()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            (what,) = self._rng.choices(list(_WORK), list(_WORK.values()))
            getattr(self, "_" + what)()
            self.done[what] += 1

    def finish(self) -> None:
        """Frees what it allocated, after a last look at it."""
        for (index, address), data in self._mine.items():
            assert self._boards[index].memory.read(address, len(data)) == data
            self._boards[index].memory.free(address)
        self._mine.clear()

    def _board(self) -> p4.Board:
        return self._rng.choice(self._boards)

    def _call(self) -> None:
        pooled = self._rng.choice(self._kernels)
        values = pool.values(self._rng, pooled, self._largest)
        result, outputs = pooled.expect(values)
        inputs = {i: v.copy() for i, v in enumerate(values) if isinstance(v, np.ndarray) and i not in outputs}
        if self._rng.random() < 0.5:
            got = pooled.kernel.on(self._board())(*values)
        else:
            with self._board():
                got = pooled.kernel(*values)
        assert got == result, (pooled.kernel, values)
        for i, expected in outputs.items():
            assert values[i].tobytes() == expected.tobytes(), (pooled.kernel, i)
        for i, before in inputs.items():
            assert values[i].tobytes() == before.tobytes(), "an In array was written to"

    def _allocate(self) -> None:
        if len(self._mine) >= 12:
            return
        index = self._rng.randrange(len(self._boards))
        size = self._rng.choice((1, 100, 4096, 60_000, 1 << 30))
        where = self._rng.choice(("any", "psram", "internal"))
        try:
            address = self._boards[index].memory.allocate(size, 1 << self._rng.randrange(13), where)
        except p4.OutOfMemory:
            assert size > 4096
            return
        data = bytearray(self._rng.randbytes(size))
        self._boards[index].memory.write(address, data)
        self._mine[index, address] = data

    def _some(self) -> tuple[p4.Board, int, bytearray] | None:
        if not self._mine:
            return None
        (index, address), data = self._rng.choice(list(self._mine.items()))
        return self._boards[index], address, data

    def _write(self) -> None:
        if (some := self._some()) is not None:
            board, address, data = some
            at = self._rng.randrange(len(data))
            piece = self._rng.randbytes(self._rng.randrange(len(data) - at + 1))
            board.memory.write(address + at, piece)
            data[at : at + len(piece)] = piece

    def _read(self) -> None:
        if (some := self._some()) is not None:
            board, address, data = some
            at = self._rng.randrange(len(data))
            size = self._rng.randrange(len(data) - at + 1)
            assert board.memory.read(address + at, size) == data[at : at + size]

    def _free(self) -> None:
        if self._mine:
            index, address = self._rng.choice(list(self._mine))
            data = self._mine.pop((index, address))
            assert self._boards[index].memory.read(address, len(data)) == data
            self._boards[index].memory.free(address)

    def _fault(self) -> None:
        with pytest.raises(p4.KernelFault):
            fault.on(self._board())()

    def _limit(self) -> None:
        with pytest.raises(p4.KernelTimeout):
            endless.on(self._board())()

    def _mistake(self) -> None:
        board = self._board()
        match self._rng.randrange(6):
            case 0:
                with pytest.raises(p4.ArgumentError):
                    spin.on(board)(-1)
            case 1:
                with pytest.raises(p4.ArgumentError):
                    spin.on(board)(np.zeros(3))  # type: ignore[arg-type]
            case 2:
                with pytest.raises(p4.BoardError):
                    board.memory.free(0x40000004)
            case 3:
                with pytest.raises(p4.BoardError):
                    board.memory.write(0x10000000, b"nothing is there")
            case 4:
                with pytest.raises(p4.BoardError):
                    board.memory.read(0x48000000, 200 << 10)
            case _:
                with pytest.raises(p4.BoardError):
                    board.request(Type.LOAD, b"too short")

    def _state(self) -> None:
        assert self._board().memory.state().images <= 32


def unload_all(board: p4.Board) -> None:
    """Makes the board drop its images."""
    images: dict[bytes, Any] = board._images
    for loaded in images.values():
        try:
            board.request(Type.UNLOAD, Unload(loaded.image).pack())
        except p4.BoardError as error:
            assert "NO_IMAGE" in str(error)  # it was evicted
    images.clear()
