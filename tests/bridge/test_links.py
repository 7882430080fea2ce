"""Callbacks over the links that there are: in this process, TCP, slow ones, and ones that lose and change frames."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout

import pytest

import p4kernel as p4
from p4kernel.serve import TcpListener
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from tests.cli.test_serve import serving
from tests.robust.chaos import Chaos
from tests.robust.common import ask, on_transport


@p4.kernel
def talk(f: p4.fn[[p4.i32, p4.f64], p4.f64], n: p4.i32) -> p4.f64:
    p4.c(
        r"""
        double sum = 0;
        for (int i = 0; i < n; ++i) {
            printf("%d ", i);
            sum += f(i, sum);
        }
        return sum;
    """,
        preamble="#include <stdio.h>",
    )


@contextmanager
def tcp() -> Iterator[p4.Board]:
    with serving(TcpListener("127.0.0.1", 0)) as server, closing(p4.connect(server.url)) as board:
        yield board


@contextmanager
def lossy() -> Iterator[p4.Board]:
    with closing(
        p4.Board(SimTransport("sim", VirtualBoard(reliable=False)), "sim", lambda text, _: print(text, end=""))
    ) as board:
        yield board


@contextmanager
def slow() -> Iterator[p4.Board]:
    with closing(p4.connect("sim?link=uart")) as board:
        yield board


@pytest.mark.parametrize("link", [tcp, lossy, slow])
def test_questions_answers_and_text(link: type[Iterator[p4.Board]]) -> None:
    with link() as board, redirect_stdout(io.StringIO()) as out:  # type: ignore[attr-defined]

        def f(i: int, so_far: float) -> float:
            print(f"[{so_far:g}]", end=" ")
            return i / 2

        assert talk.on(board)(f, 5) == 5.0
        with pytest.raises(ZeroDivisionError):
            talk.on(board)(lambda i, so_far: 1 / (1 - i), 5)
        assert talk.on(board)(lambda i, so_far: 1.0, 3) == 3.0
    assert out.getvalue() == "0 [0] 1 [0] 2 [0.5] 3 [1.5] 4 [3] 0 1 0 1 2 "


@pytest.mark.parametrize("seed", range(2))
def test_each_question_is_answered_once_on_a_link_that_damages_frames(seed: int) -> None:
    chaos = Chaos(SimTransport("sim", VirtualBoard(reliable=False)), seed, 0.05)
    with closing(on_transport(chaos)) as board:
        asked: list[int] = []

        def answer(i: int) -> int:
            asked.append(i)
            return i

        assert ask.on(board)(answer, 1) == 0
        chaos.on = True
        asked.clear()
        assert ask.on(board)(answer, 150) == 150 * 149 // 2
        chaos.on = False
        assert asked == list(range(150))
        assert sum(chaos.damage.values()) > 5
