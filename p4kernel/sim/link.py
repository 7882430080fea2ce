"""The transport to a virtual board in this process."""

from __future__ import annotations

import time

from p4kernel.errors import BoardLost
from p4kernel.sim import VirtualBoard

_SLICE = 0.02  # seconds of work between two looks at Ctrl-C


class SimTransport:
    """Bytes go straight into the board's ring; the board works while somebody reads."""

    def __init__(self, name: str, board: VirtualBoard) -> None:
        self.name = name
        self.board = board
        self._inbox: list[bytes] = []  # read early, to make room for the board to go on

    def write(self, data: bytes) -> None:
        self._check()
        taken = self.board.write(data)
        while taken < len(data):
            self.board.pump(_SLICE)
            if got := self.board.read():
                self._inbox.append(got)
            taken += self.board.write(data[taken:])

    def read(self, timeout: float) -> bytes:
        self._check()
        if self._inbox:
            return self._inbox.pop(0)
        deadline = None
        while True:
            data = self.board.work(min(timeout, _SLICE))
            if data:
                return data
            now = time.monotonic()
            if deadline is None:
                deadline = now + timeout
            if now >= deadline:
                return b""

    def close(self) -> None:
        self.board.close()

    def _check(self) -> None:
        if self.board.closed:
            raise BoardLost(f"{self.name}: the virtual board is closed", ran="no")
