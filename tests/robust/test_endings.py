"""Boards that are closed, dropped or left behind at the end of the process, while calls are under way."""

from __future__ import annotations

import gc
import itertools
import random
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

import p4kernel as p4
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from tests.robust.common import PATIENCE, Worker, check_scale, count, on_transport, spin, virtual

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import gc, sys, threading, time
import numpy as np
import p4kernel as p4
from tests.robust.common import check_scale, spin

started = threading.Barrier(3)

def work(board):
    check_scale(board, 100, 3)
    started.wait(60)
    for i in range(ROUNDS):
        check_scale(board, 300_000, i & 255)
        spin.on(board)(200_000)
    sys.stdout.write("done\\n")

boards = [p4.connect("sim?psram=8M") for _ in range(2)]
for board in boards:
    threading.Thread(target=work, args=(board,), daemon=DAEMON).start()
started.wait(60)
"""


def run(text: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A program that must end by itself, without a word on stderr."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (code, ""), done
    return done


def test_exit_with_daemon_threads_in_calls() -> None:
    for pause in (0.0, 0.003, 0.05):
        run(_PROGRAM.replace("ROUNDS", "10**9").replace("DAEMON", "True") + f"time.sleep({pause})\n")


def test_exit_waits_for_other_threads() -> None:
    done = run(_PROGRAM.replace("ROUNDS", "20").replace("DAEMON", "False"))
    assert done.stdout.split() == ["done", "done"]


@pytest.mark.parametrize("end", ["sys.exit(3)", "raise SystemExit(3)", "import os; os._exit(3)"])
def test_exit_in_the_middle(end: str) -> None:
    run(f"import sys\n{_PROGRAM.replace('ROUNDS', '10**9').replace('DAEMON', 'True')}\n{end}\n", code=3)


def test_calls_at_exit() -> None:
    """A board lives until the very end, for what others registered with atexit before it was made."""
    done = run(
        "import atexit\n"
        "def last():\n"
        "    print(probe())\n"
        "    board.close()\n"
        "atexit.register(last)\n"
        "import p4kernel as p4\n"
        "@p4.kernel\n"
        "def probe() -> p4.i32:\n"
        "    p4.c('return 42;')\n"
        "board = p4.connect('sim?psram=4M')\n"
        "p4.use(board)\n"
        "probe()\n"
    )
    assert done.stdout == "42\n"


def test_a_cycle_that_is_there_at_the_end() -> None:
    run(
        "import p4kernel as p4\n"
        "from tests.robust.common import check_scale\n"
        "class Holder: pass\n"
        "holders = [Holder() for _ in range(3)]\n"
        "for holder in holders:\n"
        "    holder.board = p4.connect('sim?psram=4M'); holder.all = holders\n"
        "    check_scale(holder.board, 100, 2)\n"
        "del holders, holder\n"
    )


# -- close --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["run", "upload", "mixed"])
def test_closing_while_another_thread_is_in_a_call(kind: str) -> None:
    rng = random.Random(kind)
    for i in range(6):
        board = p4.Board(SimTransport("sim", VirtualBoard(psram=8 << 20)), "sim", lambda text, level: None)
        check_scale(board, 10, 1)
        spin.on(board)(1)
        started = threading.Event()

        def work(board: p4.Board = board, started: threading.Event = started) -> None:
            started.set()
            while True:
                if kind != "upload":
                    spin.on(board)(4_000_000_000 if kind == "run" else 1000)
                check_scale(board, 500_000, 9)

        worker = Worker(work)
        assert started.wait(PATIENCE)
        time.sleep(rng.random() * 0.02)
        if i % 2:  # without waiting for the call to end
            board.session.transport.close()
        board.close()
        with pytest.raises((p4.BoardLost, p4.BoardError)) as caught:
            worker.finish()
        if isinstance(caught.value, p4.BoardLost):
            assert caught.value.ran in ("no", "unknown")
            if kind == "run":
                assert caught.value.ran == "unknown"
        else:
            assert "was closed" in str(caught.value)


def test_a_call_that_never_began_did_not_run() -> None:
    board = on_transport(SimTransport("sim", VirtualBoard(psram=4 << 20)))
    spin.on(board)(1)
    board.session.transport.close()
    with pytest.raises(p4.BoardLost) as caught:
        spin.on(board)(1)
    assert caught.value.ran == "no"
    board.close()
    with pytest.raises(p4.BoardError, match="closed"):
        spin.on(board)(1)


def test_closing_twice_and_from_two_threads() -> None:
    board = p4.connect("sim?psram=4M")
    check_scale(board, 10, 1)
    for worker in [Worker(board.close) for _ in range(4)]:
        worker.finish()
    board.close()
    assert board.closed and "closed" in repr(board)


# -- garbage ------------------------------------------------------------------------------------------------------------


class Node:
    def __init__(self, board: p4.Board | None) -> None:
        self.board = board
        self.others: list[Any] = []


def alive() -> int:
    from p4kernel import sim

    return len(sim._boards)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_boards_die_in_any_order(order: tuple[int, ...]) -> None:
    gc.collect()
    before = alive()
    boards = {i: on_transport(SimTransport("sim", VirtualBoard(psram=4 << 20))) for i in range(3)}
    for board in boards.values():
        check_scale(board, 100, 2)
    for i in order:
        del boards[i]
        board = None  # type: ignore[assignment]
        for left in boards.values():
            check_scale(left, 100, 3)
        left = None  # type: ignore[assignment]
    gc.collect()
    assert alive() == before


def entangled(rng: random.Random) -> weakref.ref[Node]:
    """Boards and what they are made of, in cycles that nobody holds."""
    nodes: list[Node] = []
    for _ in range(2):
        board = on_transport(SimTransport("sim", VirtualBoard(psram=4 << 20)))
        count.on(board)(board.memory.allocate(4))
        parts = [Node(board), Node(None), Node(None), Node(None)]
        parts[1].others = [board.session, board.session.transport]
        parts[2].others = [virtual(board)]
        parts[3].others = [board.memory, count.on(board)]
        nodes += parts
    for node in nodes:
        node.others += rng.sample(nodes, 3)
    rng.shuffle(nodes)
    nodes[0].others.append(nodes)
    return weakref.ref(nodes[0])


def test_boards_in_cycles_with_everything_they_are_made_of() -> None:
    gc.collect()
    before = alive()
    rng = random.Random(13)
    for _ in range(20):
        watch = entangled(rng)
        gc.collect()
        assert watch() is None
    assert alive() == before


def test_a_board_dies_while_another_is_in_a_call() -> None:
    """The collector may run its finalizer in any thread and at any moment."""
    board = p4.connect("sim?psram=4M")
    check_scale(board, 10, 1)

    def litter() -> None:
        for _ in range(30):
            node = Node(on_transport(SimTransport("sim", VirtualBoard(psram=4 << 20))))
            node.others = [node]
            del node
            gc.collect()

    worker = Worker(litter)
    while worker.is_alive():
        check_scale(board, 50_000, 3)
    worker.finish()
    board.close()


# -- exceptions ---------------------------------------------------------------------------------------------------------


def test_output_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stdout raises comes out of the call, which ends; the next one works."""

    @p4.kernel
    def talk() -> None:
        p4.c('for (int i = 0; i < 50; ++i) printf("line %d\\n", i);', preamble="#include <stdio.h>")

    class Broken:
        def write(self, text: str) -> int:
            raise BrokenPipeError("nobody reads")

        def flush(self) -> None:
            pass

    with p4.connect("sim?psram=4M") as board:
        check_scale(board, 10, 1)
        talk()
        for _ in range(3):
            with monkeypatch.context() as patch:
                patch.setattr(sys, "stdout", Broken())
                with pytest.raises(BrokenPipeError):
                    talk()
            check_scale(board, 1000, 4)
        board.close()


def test_an_exception_in_a_thread_leaves_the_board_to_the_others() -> None:
    with p4.connect("sim?psram=4M") as board:
        check_scale(board, 10, 1)

        def fails() -> None:
            check_scale(board, 1000, 2)
            with board, board.session.lock:
                raise RuntimeError("of the thread's own")

        for worker in [Worker(fails) for _ in range(3)]:
            with pytest.raises(RuntimeError):
                worker.finish()
            check_scale(board, 1000, 3)
        board.close()
