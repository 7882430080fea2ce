"""A link that loses, changes, doubles, delays and repeats what it carries, and users that keep count all the same."""

from __future__ import annotations

import random
from collections import Counter, deque
from typing import Final

import numpy as np

import p4kernel as p4
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from p4kernel.wire.transport import Transport
from tests.robust.common import ask, count, on_transport, peek, scale, spin, virtual

COUNTER: Final = 0x483F0000  # a word near the end of 4 MB of PSRAM, which nobody allocates: it outlives sessions


class Chaos:
    """Damages some of the pieces that pass, each way; a piece is a frame upwards, and some frames downwards."""

    name = "chaos"

    def __init__(self, inner: Transport, seed: int, rate: float, interrupts: float = 0.0) -> None:
        self.inner = inner
        self.on = False
        self.damage: Counter[str] = Counter()
        self._rng = random.Random(seed)
        self._rate = rate
        self._interrupts = interrupts
        self._old: deque[bytes] = deque(maxlen=200)  # sent before: some come again
        self._late: list[tuple[int, bytes]] = []  # (writes to wait, frame)

    def write(self, data: bytes) -> None:
        self._old.append(data)
        if not self.on:
            self.inner.write(data)
            return
        self._late = [(left - 1, frame) for left, frame in self._late]
        out = [*self._harm(data), *(frame for left, frame in self._late if left <= 0)]
        self._late = [(left, frame) for left, frame in self._late if left > 0]
        for piece in out:
            self.inner.write(piece)

    def _harm(self, data: bytes) -> list[bytes]:
        rng = self._rng
        if rng.random() >= self._rate:
            return [data]
        what = rng.choice(("lost", "flipped", "cut", "doubled", "late", "repeated", "noise"))
        self.damage[what] += 1
        match what:
            case "lost":
                return []
            case "flipped":
                return [self._flip(data)]
            case "cut":
                at = rng.randrange(len(data))
                return [data[:at] + data[at + rng.randrange(1, 100) :]]
            case "doubled":
                return [data, data]
            case "late":
                self._late.append((rng.randrange(1, 6), data))
                return []
            case "repeated" if self._old:
                return [data, rng.choice(self._old)]
        return [rng.randbytes(rng.randrange(1, 200)), data]

    def _flip(self, data: bytes) -> bytes:
        flipped = bytearray(data)
        flipped[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)
        return bytes(flipped)

    def read(self, timeout: float) -> bytes:
        data = self.inner.read(timeout)
        if not self.on:
            return data
        if self._rng.random() < self._interrupts:
            self.damage["interrupt"] += 1
            raise KeyboardInterrupt
        if not data or self._rng.random() >= self._rate:
            return data
        what = self._rng.choice(("down lost", "down flipped", "down cut", "down doubled"))
        self.damage[what] += 1
        at = self._rng.randrange(len(data))
        match what:
            case "down lost":
                return b""
            case "down flipped":
                return self._flip(data)
            case "down cut":
                return data[:at] + data[at + self._rng.randrange(1, 2000) :]
        return data + data[at:]

    def close(self) -> None:
        self.inner.close()


class Accountant:
    """Uses a board over such a link, and finds out when something ran twice or a result is wrong."""

    def __init__(self, seed: int, rate: float, interrupts: float = 0.0) -> None:
        self._rng = random.Random(seed)
        self.chaos = Chaos(
            SimTransport("sim", VirtualBoard(psram=4 << 20, reliable=False)), seed + 1, rate, interrupts
        )  # fmt: skip
        self.board = on_transport(self.chaos)
        self.done: Counter[str] = Counter()
        scale.on(self.board)(np.zeros(1, np.uint8), np.zeros(1, np.uint8), 1)
        spin.on(self.board)(1)
        ask.on(self.board)(abs, 1)
        peek.on(self.board)(COUNTER)
        self._count = 0
        self._home = (0, 0)  # the session, and a block that was allocated in it
        self._content = b""

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.chaos.on = True
            before = self._count
            try:
                self._one()
                self.done["ok"] += 1
            except (p4.BoardLost, p4.ProtocolError, KeyboardInterrupt) as error:
                ran = getattr(error, "ran", "no" if isinstance(error, p4.ProtocolError) else "unknown")
                self.done[type(error).__name__ + " " + ran] += 1
                self.chaos.on = False
                self._count = peek.on(self.board)(COUNTER)
                assert self._count == before if ran == "no" else self._count in (before, before + 1), error
                self._home = (0, 0)
        self.chaos.on = False
        assert peek.on(self.board)(COUNTER) == self._count
        assert virtual(self.board).defects == 0

    def _one(self) -> None:
        match self._rng.choices(range(5), (8, 4, 2, 2, 1))[0]:
            case 0:
                value = count.on(self.board)(COUNTER)
                assert value == self._count + 1, "it ran twice, or not at all"
                self._count = value
            case 1:
                size = self._rng.choice((0, 1, 1000, self._rng.randrange(400_000)))
                x = np.frombuffer(self._rng.randbytes(size), np.uint8)
                y = np.full(size, 0x55, np.uint8)
                assert scale.on(self.board)(x, y, 7) == size
                assert np.array_equal(y, x * np.uint8(7) + np.uint8(1))
            case 2:
                self._memory()
            case 3:
                self._ask()
            case _:
                turns = self._rng.randrange(200_000)
                assert spin.on(self.board)(turns) == turns

    def _ask(self) -> None:
        """A Python function is called once for each question, in order, whatever the link does."""
        asked: list[int] = []

        def answer(i: int) -> int:
            asked.append(i)
            return 3 * i

        n = self._rng.randrange(30)
        assert ask.on(self.board)(answer, n) == 3 * sum(range(n))
        assert asked == list(range(n)), "a question came twice, or not at all"

    def _memory(self) -> None:
        """Reads what it wrote last, unless the session is a new one; writes anew."""
        session, address = self._home
        memory = self.board.memory
        if session == self.board.session.info.session and address:
            try:
                data = memory.read(address, len(self._content))
            except p4.BoardError as error:
                if isinstance(error, p4.BoardLost) or "not inside memory" not in str(error):
                    raise
                assert session != self.board.session.info.session, "an allocation is gone"
                self._home = (0, 0)
                return
            if session == self.board.session.info.session:
                assert data == self._content
        else:
            address = memory.allocate(40_000)
            self._home = (self.board.session.info.session, address)
        self._content = self._rng.randbytes(self._rng.randrange(1, 40_000))
        memory.write(address, self._content)

    def finish(self) -> None:
        self.board.close()
