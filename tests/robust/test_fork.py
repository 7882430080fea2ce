"""fork() and new processes after use: parent and child both go on, whatever other threads were doing."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel import defaults
from p4kernel.serve import Server, TcpListener
from p4kernel.sim import VirtualBoard
from tests.robust.common import PATIENCE, Worker, check_scale, peek, scale, spin
from tests.tools import needs

pytestmark = needs(hasattr(os, "fork"), "needs fork()")


def in_child(work: Callable[[], Any]) -> None:
    """Runs ``work`` in a child made by fork(). What goes wrong there, or hangs, fails here."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(int(PATIENCE))
            work()
            code = 0
        except BaseException as error:
            os.write(writing, repr(error).encode()[:4000])
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, f"the child ended with {status}: {said}"


@pytest.fixture
def unnamed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As a process that never named a board, and has no default one yet."""
    monkeypatch.setattr("p4kernel.urls._named", [])
    monkeypatch.setattr(defaults, "_default", None)
    yield
    if defaults._default is not None:
        defaults._default.close()


def default_call(size: int, a: int) -> None:
    x = np.arange(size, dtype=np.uint32).astype(np.uint8)
    y = np.zeros(size, np.uint8)
    scale(x, y, a)
    assert np.array_equal(y, x * np.uint8(a) + np.uint8(1))


def pool_work(a: int) -> int:
    """What a process of a pool does: calls on its default board."""
    default_call(5000, a)
    return a


@pytest.mark.usefixtures("unnamed")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(method: str) -> None:
    default_call(100, 2)
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        result = pool.map_async(pool_work, range(6))
        default_call(100, 3)
        assert result.get(PATIENCE) == list(range(6))
    default_call(100_000, 4)


@pytest.mark.usefixtures("unnamed")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_kernel_is_sent_to_a_process_as_a_function_is(method: str) -> None:
    assert pickle.loads(pickle.dumps(spin)) is spin
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map_async(spin, [1, 20, 300]).get(PATIENCE) == [1, 20, 300]


@pytest.mark.usefixtures("unnamed")
def test_the_notice_comes_once(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "_announced", False)
    default_call(10, 1)
    in_child(lambda: default_call(10, 2))
    assert capfd.readouterr().err.count("virtual ESP32-P4") == 1


def test_a_board_made_before_is_two_afterwards() -> None:
    with p4.connect("sim?psram=4M") as board:
        check_scale(board, 1000, 1)
        address = board.memory.allocate(4)
        board.memory.write(address, b"\1\0\0\0")

        def child() -> None:
            check_scale(board, 100_000, 2)
            board.memory.write(address, b"\2\0\0\0")
            assert peek(address) == 2
            board.close()

        in_child(child)
        check_scale(board, 100_000, 3)
        assert peek(address) == 1
        board.close()


def busy(board: p4.Board, seconds: float = 0.0) -> tuple[Worker, threading.Event]:
    """A thread that calls for ever, until the event is set."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            check_scale(board, 30_000, 5)
            spin.on(board)(100_000)

    return Worker(work), stop


def test_while_another_thread_is_in_a_call() -> None:
    """The child's copy may be in any state: it works, or says that it cannot; a new one works."""
    with p4.connect("sim?psram=4M") as board:
        check_scale(board, 10, 1)
        spin(1)
        worker, stop = busy(board)

        def child() -> None:
            try:
                check_scale(board, 1000, 7)
                check_scale(board, 300_000, 7)
            except p4.BoardLost as lost:
                assert "forked" in str(lost)
            fresh = p4.connect("sim?psram=4M")
            check_scale(fresh, 1000, 8)
            fresh.close()
            board.close()

        for i in range(12):
            in_child(child)
            time.sleep(0.001 * (i % 5))
        stop.set()
        worker.finish()
        check_scale(board, 1000, 9)
        board.close()


@pytest.mark.usefixtures("unnamed")
def test_while_another_thread_builds_and_makes_the_default_board() -> None:
    """Locks that a thread held at the moment of the fork are free in the child."""
    held, go_on = threading.Event(), threading.Event()

    @p4.kernel
    def fresh() -> p4.i32:
        p4.c("return 5;")

    def hold() -> None:
        from p4kernel import build

        with fresh._build_lock, defaults._lock, build._lock, build.cache._lock:
            held.set()
            go_on.wait(PATIENCE)

    worker = Worker(hold)
    held.wait(PATIENCE)
    try:
        in_child(lambda: default_call(100, 6))
        in_child(lambda: fresh())
    finally:
        go_on.set()
    worker.finish()
    assert fresh() == 5


@pytest.fixture
def served() -> Iterator[str]:
    server = Server(VirtualBoard(psram=8 << 20), door := TcpListener("127.0.0.1", 0), lambda line: None)
    worker = Worker(server.run)
    yield door.url
    server.stop()
    worker.finish()
    server.close()


@pytest.mark.parametrize("scheme", ["tcp", "socket"])
def test_a_connection_stays_with_the_parent(served: str, scheme: str) -> None:
    """Whatever the child does with its copy, the parent's connection lives."""
    board = p4.connect(served.replace("tcp", scheme))
    check_scale(board, 1000, 1)

    def child() -> None:
        for _ in range(2):
            with pytest.raises(p4.BoardLost, match="connect again here") as caught:
                check_scale(board, 1000, 2)
            assert caught.value.ran == "no"
        board.close()

    for _ in range(3):
        in_child(child)
        check_scale(board, 200_000, 3)
    board.close()


def test_a_childs_copy_does_not_hold_the_connection_open(served: str) -> None:
    """When the parent closes, the server has room for the next one, though a child lives on."""
    board = p4.connect(served)
    check_scale(board, 1000, 1)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        theirs.recv(1)  # until the parent is done
        os._exit(0)
    theirs.close()
    try:
        board.close()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                again = p4.connect(served)
                break
            except p4.BoardError as error:  # the server has not yet seen that the first one went
                assert "another program" in str(error) and time.monotonic() < deadline
        check_scale(again, 1000, 4)
        again.close()
    finally:
        ours.close()
        os.waitpid(child, 0)
