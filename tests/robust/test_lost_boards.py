"""Boards that go away in the middle: a killed server, a cut connection, a reset. What the error says is true."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.serve import Server, TcpListener
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from p4kernel.wire import session as sessions
from p4kernel.wire._tables import MAX_WINDOW
from tests.robust.common import PATIENCE, Worker, check_scale, count, on_transport, peek, scale, spin

ROOT = Path(__file__).parents[2]
UP, DOWN = 700_000, 500_000  # bytes of the arrays
COUNTER = 0x487F0000  # a word near the end of 8 MB of PSRAM, which nobody allocates: it outlives sessions


@p4.kernel
def traced(
    x: p4.In[np.uint8], y: p4.Out[np.uint8], z: p4.InOut[np.uint8], address: p4.u32, n: p4.u32 = p4.size("y")
) -> None:
    """Counts its runs on the board."""
    p4.c("++*(volatile uint32_t *)address; for (uint32_t i = 0; i < n; ++i) y[i] = x[i] + 1; z[0] = 9;")


def call_traced(board: p4.Board) -> None:
    x, y = np.arange(UP, dtype=np.uint32).astype(np.uint8), np.zeros(DOWN, np.uint8)
    traced.on(board)(x, y, np.zeros(4, np.uint8), COUNTER)
    assert np.array_equal(y, x[:DOWN] + np.uint8(1))


class Proxy:
    """A connection that breaks after so many bytes in one direction."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.up = self.down = 0
        self.cut_up = self.cut_down = sys.maxsize
        self._worker = Worker(self._serve)

    def cut(self, up: int = sys.maxsize, down: int = sys.maxsize) -> None:
        """Breaks it that many bytes from now."""
        self.cut_up, self.cut_down = self.up + up, self.down + down

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(self._target) as server:
                self.up = self.down = 0
                self.cut_up = self.cut_down = sys.maxsize
                self._carry(client, server)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            for end in select.select([client, server], [], [])[0]:
                try:
                    data = end.recv(1 << 14)
                except ConnectionResetError:
                    return
                if not data:
                    return
                if end is client:
                    server.sendall(data[: max(self.cut_up - self.up, 0)])
                    self.up += len(data)
                else:
                    client.sendall(data[: max(self.cut_down - self.down, 0)])
                    self.down += len(data)
                if self.up >= self.cut_up or self.down >= self.cut_down:
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._worker.finish()


def patiently(connect: Callable[[], p4.Board]) -> p4.Board:
    """Connects, when the server has seen that the last client went."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connect()
        except p4.BoardError as error:
            assert time.monotonic() < deadline, error


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = Server(VirtualBoard(psram=8 << 20), door := TcpListener("127.0.0.1", 0), lambda line: None)
    worker = Worker(server.run)
    host, _, port = door.url.removeprefix("tcp://").rpartition(":")
    made = Proxy((host, int(port)))
    yield made
    server.stop()
    worker.finish()
    server.close()
    made.close()


def test_cut_at_any_byte(proxy: Proxy) -> None:
    rng = random.Random(20)
    board = patiently(lambda: p4.connect(proxy.url))
    call_traced(board)
    ran_values = set()
    cuts: list[tuple[str, int]] = [("up", 1), ("up", 40), ("up", 5000), ("down", 1), ("down", 100), ("down", 20_000)]
    cuts += [("up", rng.randrange(UP)) for _ in range(5)] + [("down", rng.randrange(DOWN)) for _ in range(5)]
    for direction, at in cuts:
        before = peek.on(board)(COUNTER)
        check_scale(board, 10, 1)
        proxy.cut(**{direction: at})
        with pytest.raises(p4.BoardLost) as caught:
            call_traced(board)
        lost = caught.value
        ran_values.add(lost.ran)
        notes = " ".join(getattr(lost, "__notes__", []))
        if direction == "up" and at < UP - MAX_WINDOW:  # later, the host may have sent all of it already
            assert lost.ran == "no" and not notes, at
        if direction == "down" and at > 20_000:  # past the status: CREDIT and the first frames are less
            assert lost.ran == "unknown" and "contents of y, z are undefined" in notes
        for _ in range(2):
            with pytest.raises(p4.BoardLost) as again:
                check_scale(board, 10, 1)
            assert again.value.ran == "no"
        board.close()
        board = patiently(lambda: p4.connect(proxy.url))
        runs = peek.on(board)(COUNTER) - before
        assert runs == 0 if lost.ran == "no" else runs in (0, 1)
        call_traced(board)
    assert ran_values == {"no", "unknown"}
    board.close()


def test_cut_while_loading_code_ran_nothing(proxy: Proxy) -> None:
    board = patiently(lambda: p4.connect(proxy.url))
    before = peek.on(board)(COUNTER)
    for at, loading in ((10, True), (60, True), (100, False)):  # in the answers to LOAD, COMMIT and CALL

        @p4.kernel(flags=[f"-DNAME={at}"])
        def fresh(address: p4.u32) -> p4.u32:
            p4.c("++*(volatile uint32_t *)address; return NAME;")

        assert fresh.build.image.text_size > 0  # compiles now, so that only the link is in question
        proxy.cut(down=at)
        with pytest.raises(p4.BoardLost) as caught:
            fresh.on(board)(COUNTER)
        assert caught.value.ran == ("no" if loading else "unknown")
        board.close()
        board = patiently(lambda: p4.connect(proxy.url))
        runs = peek.on(board)(COUNTER) - before
        assert runs == 0 if caught.value.ran == "no" else runs in (0, 1)
        before += runs
        assert fresh.on(board)(COUNTER) == at
        before += 1
    board.close()


@contextlib.contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = [sys.executable, "-m", "p4kernel", "serve", "--psram", "8M", *arguments]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("arguments", [["--tcp", "127.0.0.1:0"], ["--pty"]], ids=["tcp", "pty"])
@pytest.mark.parametrize("what", ["run", "stream"])
def test_a_killed_server(arguments: list[str], what: str) -> None:
    with command(*arguments) as (process, url):
        board = p4.connect(url)
        check_scale(board, 10, 1)
        spin.on(board)(1)

        def work() -> None:
            while True:
                if what == "run":
                    spin.on(board)(4_000_000_000)
                scale.on(board)(np.zeros(2_000_000, np.uint8), np.zeros(2_000_000, np.uint8), 3)

        worker = Worker(work)
        time.sleep(0.15)
        process.kill()
        with pytest.raises(p4.BoardLost) as caught:
            worker.finish()
        assert caught.value.ran == "unknown" or what == "stream"
        with pytest.raises(p4.BoardLost):
            check_scale(board, 10, 1)
        board.close()
        with pytest.raises(p4.BoardError):
            p4.connect(url)
    if "--tcp" in arguments:
        with command("--tcp", url.removeprefix("tcp://")) as (_, again):
            assert again == url
            board = p4.connect(url)
            check_scale(board, 10_000, 2)
            board.close()


# -- a board that is reset while its link stays, as on a serial port -------------------------------------------------------


class Resettable:
    """A transport whose board can be exchanged for a fresh one."""

    name = "resettable"

    def __init__(self, reliable: bool) -> None:
        self._reliable = reliable
        self.reset_at = -1  # operation
        self.done = 0
        self.resets = -1
        self.reset()

    def reset(self) -> None:
        self.resets += 1
        self.inner = SimTransport(self.name, VirtualBoard(psram=8 << 20, reliable=self._reliable))

    def _step(self) -> None:
        self.done += 1
        if self.done == self.reset_at:
            self.reset()

    def write(self, data: bytes) -> None:
        self._step()
        self.inner.write(data)

    def read(self, timeout: float) -> bytes:
        self._step()
        return self.inner.read(min(timeout, 0.05))

    def close(self) -> None:
        self.inner.close()


@p4.kernel
def eleven() -> p4.i32:
    p4.c("return 11;")


@p4.kernel
def twelve() -> p4.i32:
    p4.c("return 12;")


@pytest.mark.parametrize("reliable", [True, False])
def test_a_reset_between_calls_goes_unnoticed(reliable: bool) -> None:
    transport = Resettable(reliable)
    board = on_transport(transport)
    for _ in range(3):
        assert (eleven.on(board)(), twelve.on(board)()) == (11, 12)
        transport.reset()
        try:
            assert (twelve.on(board)(), eleven.on(board)()) == (12, 11)
        except p4.BoardLost as lost:  # a link that loses frames: the answer may be one to a repetition
            assert lost.ran == "unknown" and not reliable
            assert (twelve.on(board)(), eleven.on(board)()) == (12, 11)
    board.close()


@pytest.mark.parametrize("reliable", [True, False])
def test_after_a_lost_board_numbers_of_images_are_not_believed(reliable: bool) -> None:
    """A fresh board gives the same numbers to other images."""
    transport = Resettable(reliable)
    board = on_transport(transport)
    assert (eleven.on(board)(), twelve.on(board)()) == (11, 12)
    board.session._broken = True  # as after a silence
    transport.reset()
    assert (twelve.on(board)(), eleven.on(board)()) == (12, 11)
    board.close()


def test_a_reset_at_any_operation_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reset ends the call in time: with its result, a repetition of what never ran, or BoardLost."""
    monkeypatch.setattr(sessions, "_SILENCE", 0.7)
    monkeypatch.setattr(sessions, "_LISTEN", 0.1)
    transport = Resettable(reliable=True)
    board = on_transport(transport)
    call_traced(board)
    transport.done = 0
    call_traced(board)
    total = transport.done
    rng = random.Random(21)
    outcomes = set()
    for at in [1, 2, *rng.sample(range(3, total), 6)]:
        transport.done, transport.reset_at = 0, at
        resets = transport.resets
        try:
            call_traced(board)
            outcomes.add("result")
        except p4.BoardLost as lost:
            outcomes.add(lost.ran)
        assert transport.resets == resets + 1 or transport.reset_at > transport.done
        transport.reset_at = -1
        call_traced(board)
        assert (eleven.on(board)(), twelve.on(board)()) == (11, 12)
        assert count.on(board)(COUNTER) >= 1
    assert {"result", "no"} <= outcomes
    board.close()
