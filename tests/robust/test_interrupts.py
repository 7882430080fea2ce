"""Ctrl-C at any moment of a call: the next call works in the same session, and nothing of the old one is in it."""

from __future__ import annotations

import _thread
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.serve import Server, TcpListener
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from p4kernel.wire.transport import Transport
from tests.robust.common import (
    Worker,
    alarm,
    check_scale,
    count,
    held,
    nothing_left,
    on_transport,
    scale,
    spin,
    virtual,
)
from tests.tools import needs

BIG = 1_000_003  # bytes: many DATA frames, and more than a window of them


class Interrupting:
    """Counts the operations of a transport, and raises KeyboardInterrupt at chosen ones.

    before: nothing was done. after: it was done, and what it returned is lost. during: the board worked, and nobody
    looked.
    """

    name = "interrupting"

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.done = 0
        self.at: dict[int, str] = {}

    def _hit(self) -> str:
        self.done += 1
        return self.at.pop(self.done, "")

    def arm(self, at: dict[int, str]) -> None:
        self.done, self.at = 0, at

    def write(self, data: bytes) -> None:
        hit = self._hit()
        if hit == "before":
            raise KeyboardInterrupt
        self.inner.write(data)
        if hit:
            raise KeyboardInterrupt

    def read(self, timeout: float) -> bytes:
        hit = self._hit()
        if hit == "during":
            self.inner.board.pump(0.001)  # type: ignore[attr-defined]
        if hit in ("before", "during"):
            raise KeyboardInterrupt
        data = self.inner.read(timeout)
        if hit:
            raise KeyboardInterrupt
        return data

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(params=[True, False], ids=["reliable", "lossy"])
def armed(request: pytest.FixtureRequest) -> Iterator[tuple[p4.Board, Interrupting]]:
    transport = Interrupting(SimTransport("sim", VirtualBoard(psram=8 << 20, reliable=request.param)))
    board = on_transport(transport)
    for kernel in (lambda: spin.on(board)(1), lambda: check_scale(board, 10, 3)):
        kernel()
    address = board.memory.allocate(64)
    board.memory.write(address, bytes(64))
    count.on(board)(address)
    yield board, transport
    board.close()


def call_big(board: p4.Board) -> None:
    scale.on(board)(np.full(BIG, 0xAA, np.uint8), np.zeros(BIG, np.uint8), 5)


def operations(board: p4.Board, transport: Interrupting, call: Any) -> int:
    transport.arm({})
    call(board)
    return transport.done


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_at_every_operation(armed: tuple[p4.Board, Interrupting], moment: str) -> None:
    board, transport = armed
    total = operations(board, transport, call_big)
    assert total > 20
    step = 1 if moment == "after" else 3
    noted = 0
    with nothing_left(board):
        for k in range(1, total + 1, step):
            transport.arm({k: moment})
            with pytest.raises(KeyboardInterrupt) as caught:
                call_big(board)
                assert k > total - 5, "the interrupt was not raised"  # the last reads may be fewer this time
                raise KeyboardInterrupt
            noted += "the contents of y are undefined" in str(getattr(caught.value, "__notes__", ""))
            transport.arm({})
            check_scale(board, 1000, k & 255)
    assert noted > 0, "an interrupted download says which arrays it leaves half written"


def test_again_during_recovery(armed: tuple[p4.Board, Interrupting]) -> None:
    board, transport = armed
    total = operations(board, transport, call_big)
    rng = random.Random(1)
    with nothing_left(board):
        for _ in range(60):
            k = rng.randrange(1, total - 5)
            moments = ["before", "during", "after"]
            again = {k + rng.randrange(1, 6): rng.choice(moments) for _ in range(rng.randrange(1, 4))}
            transport.arm({k: rng.choice(moments)} | again)
            with pytest.raises(KeyboardInterrupt):
                call_big(board)
            while True:  # what is left of `again` hits the recovery that the next request begins with
                try:
                    check_scale(board, 500, k & 255)
                    break
                except KeyboardInterrupt:
                    continue
            transport.arm({})
            check_scale(board, 700, k * 3 & 255)


def test_while_a_kernel_runs(armed: tuple[p4.Board, Interrupting]) -> None:
    board, transport = armed
    with nothing_left(board):
        for moment in ("during", "before", "after"):
            transport.arm({2: moment})
            with pytest.raises(KeyboardInterrupt):
                spin.on(board)(2_000_000 if moment == "after" else 4_000_000_000)
            check_scale(board, 100, 7)


def test_it_runs_once_or_not_at_all(armed: tuple[p4.Board, Interrupting]) -> None:
    board, transport = armed
    address = board.memory.allocate(4)
    board.memory.write(address, bytes(4))
    expected = 0
    with nothing_left(board):
        for k in range(1, operations(board, transport, lambda b: count.on(b)(address)) + 1):
            for moment in ("before", "during", "after"):
                low = int.from_bytes(board.memory.read(address, 4), "little")
                transport.arm({k: moment})
                with pytest.raises(KeyboardInterrupt):
                    count.on(board)(address)
                transport.arm({})
                expected = int.from_bytes(board.memory.read(address, 4), "little")
                assert expected in (low, low + 1)
                assert count.on(board)(address) == expected + 1
    board.memory.free(address)


def test_memory_requests(armed: tuple[p4.Board, Interrupting]) -> None:
    board, transport = armed
    address = board.memory.allocate(100_000)
    data = random.Random(2).randbytes(100_000)

    def both(_: p4.Board) -> None:
        board.memory.write(address, data)
        assert board.memory.read(address, len(data)) == data

    total = operations(board, transport, both)
    with nothing_left(board):
        for k in range(1, total):
            transport.arm({k: ("before", "during", "after")[k % 3]})
            with pytest.raises(KeyboardInterrupt):
                both(board)
            transport.arm({})
            both(board)
    board.memory.free(address)


def test_while_an_image_is_loaded(armed: tuple[p4.Board, Interrupting]) -> None:
    board, transport = armed

    @p4.kernel
    def fresh() -> p4.i32:
        p4.c("return table[4000] + 1;", preamble="static volatile int table[5000] = {[4000] = 41, [4999] = 1};")

    def load(_: p4.Board) -> None:
        image = board.loaded(fresh.build.image)
        if image is not None:
            from p4kernel.wire._tables import Type, Unload

            board.request(Type.UNLOAD, Unload(image.image).pack())
            board.forget(fresh.build.image)
        assert fresh.on(board)() == 42

    load(board)
    total = operations(board, transport, load)
    with nothing_left(board):
        for k in range(1, total + 1):
            transport.arm({k: ("after", "before", "during")[k % 3]})
            with pytest.raises(KeyboardInterrupt):
                load(board)
            transport.arm({})
            assert fresh.on(board)() == 42


# -- real signals -----------------------------------------------------------------------------------------------------


def strike(board: p4.Board, rng: random.Random, times: int) -> int:
    """Calls that are interrupted at random microseconds; how many were. Wrong results raise."""
    hits = 0
    spans = (5e-4, 5e-3, 3e-2)
    for i in range(times):
        size = rng.choice((0, 100, 20_000, BIG))
        try:
            with alarm(rng.random() * rng.choice(spans)):
                if rng.random() < 0.3:
                    spin.on(board)(rng.choice((10, 1_000_000, 4_000_000_000)))
                else:
                    for _ in range(1 if size > 1000 else 20):
                        check_scale(board, size, i & 255)
                while rng.random() < 0.5:
                    board.memory.state()
        except KeyboardInterrupt:
            hits += 1
        check_scale(board, rng.choice((1, 30_000)), (i * 7) & 255)
    return hits


@needs(hasattr(signal, "setitimer"), "needs interval timers")
def test_signals_at_random_moments() -> None:
    with p4.connect("sim?psram=8M") as board:
        check_scale(board, 10, 1)
        spin(1)
        board.memory.allocate(64)
        with nothing_left(board):
            assert strike(board, random.Random(3), 150) > 20
        board.close()


@needs(hasattr(signal, "setitimer"), "needs interval timers")
def test_signals_on_a_connection() -> None:
    """As above, where threads carry the bytes."""
    served = VirtualBoard(psram=8 << 20)
    server = Server(served, door := TcpListener("127.0.0.1", 0), lambda line: None)
    worker = Worker(server.run)
    board = p4.connect(door.url)
    check_scale(board, 10, 1)
    spin.on(board)(1)
    address = board.memory.allocate(64)
    before, session = (board.memory.state(), served.allocated), board.session.info.session
    assert strike(board, random.Random(5), 100) > 20
    assert (board.memory.state(), served.allocated) == before and board.session.info.session == session
    board.memory.free(address)
    board.close()
    server.stop()
    worker.finish()
    assert served.defects == 0
    server.close()


def test_interrupt_main_again_and_again() -> None:
    """Two interrupts shortly after each other, from another thread."""
    came = 0
    inside = False

    def handler(*_: object) -> None:  # an interrupt that comes late must not end the test runner
        nonlocal came
        came += 1
        if inside:
            raise KeyboardInterrupt

    old = signal.signal(signal.SIGINT, handler)
    with p4.connect("sim?psram=8M") as board:
        check_scale(board, 10, 1)
        spin(1)
        before = held(board)
        rng = random.Random(4)
        for i in range(20):
            came = 0
            pauses = (rng.random() * 0.02, rng.random() * 0.002)

            def interrupt(pauses: tuple[float, float] = pauses) -> None:
                for pause in pauses:
                    time.sleep(pause)
                    _thread.interrupt_main()

            thread = threading.Thread(target=interrupt)
            thread.start()
            while thread.is_alive():  # two signals that come together are one
                try:
                    try:
                        inside = True
                        spin(10_000_000)
                    finally:
                        inside = False
                except KeyboardInterrupt:
                    inside = False
            thread.join()
            check_scale(board, 1000, i)
        assert held(board) == before and virtual(board).defects == 0
        board.close()
    signal.signal(signal.SIGINT, old)
