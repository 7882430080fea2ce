"""The transport to a virtual board in this process."""

from __future__ import annotations

import time
from typing import Final

from p4kernel._native import ffi
from p4kernel.errors import BoardLost
from p4kernel.sim import VirtualBoard, new_space

_SLICE: Final = 0.02  # seconds of work between two looks at Ctrl-C
_SMALL: Final = 4096  # bytes that may wait until somebody reads, which saves a call into the board


class SimTransport:
    """Bytes go straight into the board; it works while somebody reads.

    Ctrl-C can come after any call, and between what the call did and the use of its result. So that no byte is lost or
    sent twice, the board's counts of moved bytes are kept in ``_space``, and taken from there in one go: CPython looks
    for signals after calls and at jumps back, and there is none in between.
    """

    def __init__(self, name: str, board: VirtualBoard) -> None:
        self.name = name
        self.board = board
        self._space = new_space()
        self._outbox = b""  # not yet taken by the board, but for the bytes that _space counts
        self._inbox: list[bytes] = []  # what came and was not asked for yet

    def write(self, data: bytes) -> None:
        self._check()
        self._outbox += data
        while len(self._outbox) > _SMALL:
            self._exchange(0.0)

    def read(self, timeout: float) -> bytes:
        self._check()
        deadline = None
        while True:
            self._collect()
            if self._inbox:
                return self._inbox.pop(0)
            if deadline is not None and time.monotonic() >= deadline:
                return b""
            self._exchange(min(timeout, _SLICE), wait=True)
            if deadline is None:
                deadline = time.monotonic() + timeout

    def close(self) -> None:
        self.board.close()

    def _exchange(self, seconds: float, wait: bool = False) -> None:
        self._collect()
        self.board.exchange_in(self._space, self._outbox, seconds, wait=wait)
        self._collect()

    def _collect(self) -> None:
        """Takes over what the last exchange moved."""
        buffer, moved = self._space
        if moved[0]:
            self._outbox = self._outbox[moved[0] :]
            moved[0] = 0
        if moved[1]:
            piece = bytes(ffi.buffer(buffer, moved[1]))
            self._inbox += (piece,)
            moved[1] = 0

    def _check(self) -> None:
        if self.board.closed:
            raise BoardLost(f"{self.name}: the virtual board is closed", ran="no")
