"""Arrays and modules when calls are interrupted, links lose frames, and processes fork."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.memory import MemoryState
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from tests.lasting.test_sequences import Walker, at_rest, combine, modules
from tests.robust.chaos import Chaos
from tests.robust.common import Worker, on_transport, virtual
from tests.robust.test_every_interrupt import Interrupter, try_lock
from tests.robust.test_every_interrupt import pytestmark as interrupts
from tests.robust.test_fork import in_child
from tests.robust.test_interrupts import Interrupting

Action = Callable[[p4.Board], object]


def make_and_drop(board: p4.Board) -> None:
    x = p4.array(np.arange(9, dtype=np.int32), board=board)
    y = x[::2]
    y.set(5)
    assert x.get()[2] == 5


def call_and_drop(board: p4.Board) -> None:
    x, y = p4.full(5, 1, np.int32, board=board), p4.full(5, 2, np.int32, board=board)
    del x
    out = p4.zeros(5, np.int32, board=board)
    combine.on(board)(y, y, out, 3)
    assert out.get().tolist() == [8] * 5
    out.free()


def module_and_drop(board: p4.Board) -> None:
    m, absorb = modules()
    absorb.on(board)(np.ones(3, np.int32))
    here = m.on(board)
    here.table[2] = 7
    here.reset()
    assert here.calls == 0 and here.table[:3].tolist() == [1, 2, 3]
    here.free()
    here.load()


@pytest.fixture(params=[True, False], ids=["reliable", "lossy"])
def armed(request: pytest.FixtureRequest) -> Iterator[tuple[p4.Board, Interrupting]]:
    transport = Interrupting(SimTransport("sim", VirtualBoard(psram=8 << 20, reliable=request.param)))
    board = on_transport(transport)
    yield board, transport
    board.close()


def checked(board: p4.Board, before: MemoryState, where: str) -> None:
    """Nothing is left over, and all works. The board's session may have changed: it was restarted then."""
    try:
        assert Worker(lambda: try_lock(board)).finish(), "the lock is held"
        make_and_drop(board)
        assert at_rest(board) == before
        assert virtual(board).defects == 0
    except BaseException as error:
        error.add_note(where)
        raise


# An interrupt in a generator that is being closed is swallowed by CPython.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@interrupts
@pytest.mark.parametrize(
    ("action", "step"),
    [(make_and_drop, 7), (call_and_drop, 17), (module_and_drop, 61)],
    ids=["array", "call", "module"],
)
def test_interrupts_at_every_place(armed: tuple[p4.Board, Interrupting], action: Action, step: int) -> None:
    board, _ = armed
    action(board)
    before = at_rest(board)
    place = 1
    while True:
        with Interrupter(place) as interrupter, contextlib.suppress(KeyboardInterrupt):
            action(board)
        if not interrupter.where:
            break
        checked(board, before, f"place {place}: {interrupter.where}")
        place += step if board.session._reliable else step * 3
    assert place > 100


@pytest.mark.parametrize("kind", ["before", "during", "after"])
@pytest.mark.parametrize("action", [make_and_drop, call_and_drop, module_and_drop], ids=["array", "call", "module"])
def test_interrupts_in_the_link(armed: tuple[p4.Board, Interrupting], action: Action, kind: str) -> None:
    """At each operation of the transport: the board may have done what was asked, or not."""
    board, transport = armed
    action(board)
    before = at_rest(board)
    for at in range(1, 1000):
        transport.arm({at: kind})
        try:
            action(board)
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        transport.arm({})
        checked(board, before, f"operation {at}")
        if not interrupted:
            assert at > 5
            return
    raise AssertionError("it never came to an end")


@interrupts
def test_an_array_that_takes_the_place_of_another_while_interrupted(armed: tuple[p4.Board, Interrupting]) -> None:
    """The address of what was dropped is given out anew by the request that frees it."""
    board, transport = armed
    kept: list[BaseException] = []  # with tracebacks, as an interactive session keeps them
    for at in range(1, 12):
        x = p4.full(3, 1, np.int32, board=board)
        del x
        transport.arm({at: "after"})
        try:
            y = p4.full(3, 2, np.int32, board=board)
        except KeyboardInterrupt as error:
            kept.append(error)
            transport.arm({})
            y = p4.full(3, 2, np.int32, board=board)
        transport.arm({})
        z = p4.full(3, 3, np.int32, board=board)
        del kept[:-1]
        gc.collect()
        combine.on(board)(y, z, z, 10)
        assert (y.get().tolist(), z.get().tolist()) == ([2] * 3, [23] * 3)
        del y, z
    kept.clear()
    gc.collect()
    assert board.memory.state().allocations == 0


@pytest.mark.parametrize("seed", range(3))
def test_walks_over_a_link_that_loses_frames(seed: int) -> None:
    chaos = Chaos(SimTransport("sim", VirtualBoard(psram=8 << 20, reliable=False)), seed, 0.04)
    board = on_transport(chaos)
    before = at_rest(board)
    walker = Walker(100 + seed, [board])
    chaos.on = True
    walker.run(120)
    chaos.on = False
    assert chaos.damage
    walker.finish()
    assert at_rest(board) == before
    board.close()


def test_a_fork_copies_arrays_and_modules_of_the_virtual_board() -> None:
    board = p4.connect("sim?psram=8M")
    before = at_rest(board)

    def both() -> None:
        m, absorb = modules()
        x = p4.array(np.arange(4, dtype=np.int32), board=board)
        absorb.on(board)(x)

        def child() -> None:
            x[0] = 100
            assert absorb.on(board)(x) == 6 + 106
            assert m.on(board).calls == 2 and m.on(board).table[0] == 101
            y = p4.array(x, board=board)
            combine.on(board)(x, y, y, 1)
            m.on(board).reset()

        in_child(child)
        assert x.get().tolist() == [0, 1, 2, 3] and m.on(board).calls == 1
        assert absorb.on(board)(x) == 12

    both()
    assert at_rest(board) == before
    board.close()
