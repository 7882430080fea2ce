"""KeyboardInterrupt at every place where CPython can raise it during a call, one after the other.

The interpreter looks for signals after a call, at a jump back and at the start of a function. A trace function finds
those places and raises there.
"""

from __future__ import annotations

import contextlib
import dis
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from tests.robust.common import Worker, check_scale, held, on_transport, scale, spin, virtual
from tests.robust.test_interrupts import Interrupting
from tests.tools import needs

FOLDER = str(Path(p4.__file__).parent)
pytestmark = needs(
    sys.implementation.name == "cpython" and sys.gettrace() is None, "traces CPython's instructions itself"
)


def _loops(code: Any) -> frozenset[int]:
    """Offsets of the instructions to which the code jumps back."""
    instructions = dis.get_instructions(code)
    return frozenset(int(i.argval) for i in instructions if i.opname.startswith("JUMP_BACKWARD"))


class Interrupter:
    """Raises at the place number ``at`` (from 1) that is passed in p4kernel's code.

    After a call, the exception belongs to the call's instruction, as with a signal: so it is raised as what the call
    raises, and what the call returned is lost.
    """

    def __init__(self, at: int) -> None:
        self._at = at
        self._places: dict[Any, frozenset[int]] = {}
        self.passed = 0
        self.where = ""

    def __enter__(self) -> Interrupter:
        sys.settrace(self._trace)
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @staticmethod
    def _stop() -> None:
        sys.settrace(None)
        sys.setprofile(None)

    def _pass(self, frame: FrameType, event: str) -> None:
        self.passed += 1
        if self.passed == self._at:
            self.where = f"{event} at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
            self._stop()
            raise KeyboardInterrupt

    def _ours(self, frame: FrameType) -> bool:
        return frame.f_code.co_filename.startswith(FOLDER) and frame.f_code.co_name != "__del__"

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        if not self._ours(frame):
            return None
        code = frame.f_code
        if code not in self._places:
            self._places[code] = _loops(code)
        if not self._places[code]:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "opcode" and frame.f_lasti in self._places[frame.f_code]:
            self._pass(frame, event)
        return self._step

    def _profile(self, frame: FrameType, event: str, arg: object) -> None:
        if event in ("call", "return", "c_return") and self._ours(frame):
            self._pass(frame, event)


@pytest.fixture(params=[True, False], ids=["reliable", "lossy"])
def armed(request: pytest.FixtureRequest) -> Iterator[tuple[p4.Board, Interrupting]]:
    transport = Interrupting(SimTransport("sim", VirtualBoard(psram=8 << 20, reliable=request.param)))
    board = on_transport(transport)
    check_scale(board, 10, 1)
    spin.on(board)(1)
    board.memory.allocate(64)
    yield board, transport
    board.close()


def at_every_place(
    armed: tuple[p4.Board, Interrupting], call: Callable[[p4.Board], object], first: dict[int, str], step: int
) -> int:
    """Interrupts ``call`` at each place (each ``step``-th) in turn; how many there are.

    ``first`` arms the transport for an interrupt before that.
    """
    board, transport = armed
    before = held(board)
    place = 1
    while True:
        transport.arm(dict(first))
        with Interrupter(place) as interrupter, contextlib.suppress(KeyboardInterrupt):
            call(board)
        transport.arm({})
        if not interrupter.where:
            return place
        try:
            assert Worker(lambda: try_lock(board)).finish(), "the lock is held"
            check_scale(board, 300 + place, place & 255)
            assert held(board) == before
            assert virtual(board).defects == 0
        except BaseException as error:
            error.add_note(f"place {place}: {interrupter.where}")
            raise
        place += step


def try_lock(board: p4.Board) -> bool:
    if board.session.lock.acquire(timeout=1):
        board.session.lock.release()
        return True
    return False


def call_small(board: p4.Board) -> None:
    scale.on(board)(np.ones(100, np.uint8), np.zeros(100, np.uint8), 3)


def call_streams(board: p4.Board) -> None:
    scale.on(board)(np.ones(50_000, np.uint8), np.zeros(50_000, np.uint8)[::-1], 3)


def call_endless(board: p4.Board) -> None:
    spin.on(board)(4_000_000_000)


@pytest.mark.parametrize(
    ("call", "first", "step"),
    [
        (call_small, {}, 1),
        (call_streams, {}, 2),
        (call_streams, {6: "during"}, 3),  # the second interrupt, while the first one is dealt with
        (call_endless, {2: "during"}, 3),
    ],
    ids=["call", "streams", "recovery-of-streams", "recovery-of-a-run"],
)
def test_at_every_place(
    armed: tuple[p4.Board, Interrupting], call: Callable[[p4.Board], None], first: dict[int, str], step: int
) -> None:
    lossy = not armed[0].session._reliable
    assert at_every_place(armed, call, first, step * 3 if lossy else step) > 150


def test_memory_requests(armed: tuple[p4.Board, Interrupting]) -> None:
    board, _ = armed
    address = board.memory.allocate(20_000)

    def both(_: p4.Board) -> None:
        board.memory.write(address, bytes(20_000))
        board.memory.read(address, 20_000)

    assert at_every_place(armed, both, {}, 3) > 150
