"""What these tests share: a few kernels, the virtual board behind a board, threads that must end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import p4kernel as p4
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from p4kernel.wire.transport import Transport

PATIENCE = 60.0  # seconds after which something hangs


@p4.kernel
def scale(x: p4.In[np.uint8], y: p4.Out[np.uint8], a: p4.u8, n: p4.i32 = p4.size("x", "y")) -> p4.i32:
    p4.c("for (int i = 0; i < n; ++i) y[i] = x[i] * a + 1; return n;")


@p4.kernel(timeout=120)
def spin(turns: p4.u32) -> p4.u32:
    p4.c("for (volatile uint32_t i = 0; i < turns; ++i) { } return turns;")


@p4.kernel
def count(address: p4.u32) -> p4.u32:
    """Adds one to a word on the board: who runs it twice is found out."""
    p4.c("return ++*(volatile uint32_t *)address;")


@p4.kernel
def peek(address: p4.u32) -> p4.u32:
    p4.c("return *(volatile uint32_t *)address;")


@p4.kernel
def ask(f: p4.fn[[p4.u32], p4.u32], n: p4.u32) -> p4.u32:
    """Calls a Python function, which counts."""
    p4.c("uint32_t sum = 0; for (uint32_t i = 0; i < n; ++i) sum += f(i); return sum;")


@p4.kernel
def fault() -> None:
    p4.c("*(volatile int *)0 = 1;")


def check_scale(board: p4.Board, size: int, a: int) -> None:
    """One call whose result tells whether it is this call's."""
    x = np.arange(size, dtype=np.uint32).astype(np.uint8)
    y = np.full(size, 0xEE, np.uint8)
    assert scale.on(board)(x, y, a) == size
    assert np.array_equal(y, x * np.uint8(a) + np.uint8(1))


def virtual(board: p4.Board) -> VirtualBoard:
    """What is behind an in-process board, below whatever wraps its transport."""
    transport: Any = board.session.transport
    while not isinstance(transport, SimTransport):
        transport = transport.inner
    return transport.board


def on_transport(transport: Transport) -> p4.Board:
    """A board over any transport; it does not count as one that somebody named."""
    return p4.Board(transport, transport.name, lambda text, level: None)


@dataclass(frozen=True)
class Held:
    """What a board holds."""

    state: Any
    allocated: int
    session: int


def held(board: p4.Board) -> Held:
    return Held(board.memory.state(), virtual(board).allocated, board.session.info.session)


@contextmanager
def nothing_left(board: p4.Board) -> Iterator[None]:
    """Afterwards the board holds what it held before, in the same session, and the firmware made no mistake."""
    before = held(board)
    yield
    assert held(board) == before
    assert virtual(board).defects == 0


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """KeyboardInterrupt in the main thread after that time, unless it is over before."""

    def ring(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


class Worker(threading.Thread):
    """A thread whose exception comes out of ``finish``, and which must end."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error

    def finish(self) -> Any:
        """The result of the work. Raises what it raised."""
        self.join(PATIENCE)
        assert not self.is_alive(), "a thread hangs"
        if self.error is not None:
            raise self.error
        return self.result
