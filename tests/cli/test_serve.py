"""A virtual board served to other programs: over TCP and a pseudo-terminal, in this process and as the command."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from p4kernel import serve
from p4kernel.serve import Door, Pty, Server, TcpListener
from p4kernel.sim import State, VirtualBoard
from tests.tools import needs

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds for what takes milliseconds


@p4.kernel
def add_one(x: p4.In[np.uint8], y: p4.Out[np.uint8], n: p4.i32 = p4.size("x", "y")) -> p4.i32:
    p4.c(r"""
        for (int i = 0; i < n; ++i)
            y[i] = x[i] + 1;
        return n;
    """)


def works(board: p4.Board, size: int = 256) -> None:
    x = np.arange(size, dtype=np.uint32).astype(np.uint8)  # every byte value: nothing between may take one for its own
    y = np.zeros_like(x)
    assert add_one.on(board)(x, y) == size
    assert np.array_equal(y, x + np.uint8(1))


class Log:
    """What a server said, for other threads to wait for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()

    def __call__(self, line: str) -> None:
        with self._news:
            self.lines.append(line)
            self._news.notify_all()

    def wait(self, text: str, count: int = 1) -> None:
        with self._news:
            assert self._news.wait_for(lambda: sum(text in line for line in self.lines) >= count, PATIENCE), self.lines


@dataclass
class Serving:
    url: str
    log: Log
    board: VirtualBoard
    server: Server


@contextlib.contextmanager
def serving(door: Door, board: VirtualBoard | None = None) -> Iterator[Serving]:
    board, log = board or VirtualBoard(psram=8 << 20), Log()
    server = Server(board, door, log)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Serving(door.url, log, board, server)
    finally:
        server.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        server.close()


@pytest.fixture(params=["tcp", "pty"])
def served(request: pytest.FixtureRequest) -> Iterator[Serving]:
    with serving(TcpListener("127.0.0.1", 0) if request.param == "tcp" else Pty()) as serving_:
        yield serving_


@pytest.fixture
def tcp() -> Iterator[Serving]:
    with serving(TcpListener("127.0.0.1", 0)) as serving_:
        yield serving_


def address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    return host, int(port)


# -- one client -------------------------------------------------------------------------------------------------


def test_calls(served: Serving) -> None:
    with contextlib.closing(p4.connect(served.url)) as board:
        assert board.info.virtual
        assert board.info.psram == 8 << 20
        works(board)
        works(board, 1_000_000)


def test_session_ends_with_the_connection(served: Serving) -> None:
    empty = served.board.allocated
    for round_ in range(1, 4):
        with contextlib.closing(p4.connect(served.url)) as board:
            assert board.memory.state().allocations == 0
            board.memory.allocate(100_000)
            assert served.board.allocated >= empty + 100_000
        served.log.wait("has gone", round_)
        assert served.board.allocated == empty


def test_loaded_kernels_stay(tcp: Serving) -> None:
    for trips in (3, 2):  # LOAD, COMMIT and CALL; then LOAD answers that the board holds it
        with contextlib.closing(p4.connect(tcp.url)) as board:
            works(board)
            assert add_one.last.round_trips == trips


def test_pyserial_url(tcp: Serving) -> None:
    host, port = address(tcp.url)
    with contextlib.closing(p4.connect(f"socket://{host}:{port}")) as board:
        works(board)


def test_garbage(tcp: Serving) -> None:
    with socket.create_connection(address(tcp.url)) as raw:
        raw.sendall(os.urandom(300_000))
    tcp.log.wait("has gone")
    with contextlib.closing(p4.connect(tcp.url)) as board:
        works(board)


_ENDLESS = """
import sys
import p4kernel as p4

@p4.kernel(timeout=600)
def endless() -> None:
    p4.c('printf("running\\\\n"); for (volatile int i = 0;; ++i) continue;', preamble="#include <stdio.h>")

board = p4.connect(sys.argv[1])
board.memory.allocate(1 << 20)
endless.on(board)()
"""


def test_killed_client(served: Serving) -> None:
    """A client that dies while its kernel runs leaves a board that the next one can use at once."""
    empty = served.board.allocated
    client = subprocess.Popen([sys.executable, "-c", _ENDLESS, served.url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    assert client.stdout.readline() == "running\n"
    assert served.board.allocated > empty + (1 << 20)
    client.kill()
    client.communicate()
    served.log.wait("has gone")
    with contextlib.closing(p4.connect(served.url)) as board:
        assert board.memory.state().allocations == 0
        works(board)


# -- a second client --------------------------------------------------------------------------------------------


def test_second_client(tcp: Serving) -> None:
    with contextlib.closing(p4.connect(tcp.url)) as board:
        for _ in range(12):  # more than refused connections are remembered
            with pytest.raises(p4.BoardError, match="another program is connected to this board"):
                p4.connect(tcp.url)
        tcp.log.wait("was refused: another program has this board", 12)
        works(board)
    with contextlib.closing(p4.connect(tcp.url)) as board:
        works(board)


def test_reconnecting_at_once(tcp: Serving) -> None:
    for _ in range(20):
        p4.connect(tcp.url).close()
    assert not any("refused" in line for line in tcp.log.lines)


def test_port_taken(tcp: Serving) -> None:
    with pytest.raises(p4.BoardError, match="in use"):
        TcpListener(*address(tcp.url))


# -- flow control -----------------------------------------------------------------------------------------------


class Talker(VirtualBoard):
    """Has always something to say."""

    said = 0

    def pump(self, seconds: float) -> State:
        return State(readable=True, running=False, backlog=False, wait=None)

    def read(self, size: int = 0) -> bytes:
        self.said += 1 << 16
        return bytes(1 << 16)


class Deaf(VirtualBoard):
    """Never takes a byte."""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        return 0


_SOCKETS = 32 << 20  # bytes; more than two sockets hold


def test_client_that_does_not_read() -> None:
    """The board is stopped by what the sockets hold; the server keeps nothing for the client."""
    board = Talker(psram=1 << 20)
    with serving(TcpListener("127.0.0.1", 0), board) as served, socket.create_connection(address(served.url)) as raw:
        said = -1
        while said != board.said:
            said = board.said
            assert said < _SOCKETS
            threading.Event().wait(0.2)
        left = said + (1 << 20)  # and it goes on when it is read
        while left > 0:
            left -= len(raw.recv(1 << 20))


def test_board_that_does_not_read() -> None:
    """The client is stopped by what the sockets hold; the server keeps one piece for the board."""
    board = Deaf(psram=1 << 20)
    with serving(TcpListener("127.0.0.1", 0), board) as served, socket.create_connection(address(served.url)) as raw:
        raw.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < _SOCKETS:
                sent += raw.send(bytes(1 << 16))


@needs(hasattr(select, "POLLRDHUP"), "this system does not tell of a peer that hung up")
def test_client_that_goes_before_it_was_read() -> None:
    with serving(TcpListener("127.0.0.1", 0), Deaf(psram=1 << 20)) as served:
        with socket.create_connection(address(served.url)) as raw:
            raw.sendall(bytes(70_000))
        served.log.wait("has gone")


def test_idle(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing happens the server sleeps: it looks up a few times, not thousands."""
    looks = 0
    poll = serve._poll

    def counted(wanted: dict[int, int], timeout: float | None) -> dict[int, int]:
        nonlocal looks
        looks += 1
        return poll(wanted, timeout)

    with contextlib.closing(p4.connect(served.url)) as board:
        works(board)
        monkeypatch.setattr(serve, "_poll", counted)
        threading.Event().wait(0.3)
        assert looks < 50
        works(board)
        assert looks > 0
    served.log.wait("has gone")
    looks = 0
    threading.Event().wait(0.3)
    assert looks < 50


# -- ending -----------------------------------------------------------------------------------------------------


def test_stop_with_a_client() -> None:
    with serving(TcpListener("127.0.0.1", 0)) as served:
        board = p4.connect(served.url)
        works(board)
        served.server.stop()
        served.log.wait("was disconnected: the server ends")
    with contextlib.closing(board), pytest.raises(p4.BoardLost):
        works(board)


def test_close_twice() -> None:
    server = Server(VirtualBoard(), TcpListener("127.0.0.1", 0), print)
    server.close()
    server.close()
    server.stop()


# -- addresses --------------------------------------------------------------------------------------------------


def test_only_this_machine() -> None:
    for host in ("0.0.0.0", "::"):
        with pytest.raises(p4.BoardError, match="--allow-remote"):
            TcpListener(host, 0)
    door = TcpListener("0.0.0.0", 0, allow_remote=True)
    assert not door.loopback
    assert door.url.startswith("tcp://0.0.0.0:")
    door.close()


def test_unknown_host() -> None:
    with pytest.raises(p4.BoardError, match=r"no-such-host\.invalid"):
        TcpListener("no-such-host.invalid", 0)


def test_ipv6() -> None:
    try:
        door = TcpListener("::1", 0)
    except p4.BoardError as error:
        pytest.skip(f"no IPv6 here: {error}")  # also on CI: networks of containers often have none
    assert door.loopback
    with serving(door) as served, contextlib.closing(p4.connect(served.url)) as board:
        works(board)


# -- the command ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``p4kernel serve`` as a process, and the URL that it prints."""
    words = [sys.executable, "-m", "p4kernel", "serve", *arguments]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("serving a virtual ESP32-P4 at "), process.communicate()
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [["--tcp", "127.0.0.1:0"], ["--pty"]])
def test_command(arguments: list[str], number: signal.Signals) -> None:
    with command(*arguments, "--psram", "4M", "--revision", "3.1") as (process, url):
        with contextlib.closing(p4.connect(url)) as board:
            assert (board.info.psram, board.info.revision) == (4 << 20, 301)
            works(board)
        process.send_signal(number)
        _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "connected" in log
        assert "Traceback" not in log


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "p4kernel", "serve", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--tcp", "0.0.0.0:0"], 1, "--allow-remote"),
        (["--tcp", "nonsense"], 2, "HOST:PORT"),
        (["--tcp", "127.0.0.1:70000"], 2, "HOST:PORT"),
        (["--tcp", "127.0.0.1:0", "--pty"], 2, "exclude each other"),
        (["--pty", "--allow-remote"], 2, "--allow-remote is about --tcp"),
        (["--psram", "3X"], 1, "psram is a size such as 64M"),
        (["--psram", "512M"], 1, "PSRAM is at most"),
        (["--revision", "new"], 1, "revision is the chip's"),
    ],
)
def test_bad_arguments(arguments: list[str], code: int, message: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_allow_remote_warns() -> None:
    with command("--tcp", "0.0.0.0:0", "--allow-remote") as (process, url):
        port = address(url)[1]
        with contextlib.closing(p4.connect(f"tcp://127.0.0.1:{port}")) as board:
            works(board)
        process.terminate()
        assert "warning: every machine" in process.communicate(timeout=PATIENCE)[1]
