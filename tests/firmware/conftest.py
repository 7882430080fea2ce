from __future__ import annotations

from collections.abc import Iterator

import pytest

from p4kernel.wire._tables import Cap
from tests.firmware.machine import LOSSY, NONE, RELIABLE, Count, Knob, Machine


def _machine(flags: int) -> Iterator[Machine]:
    machine = Machine(flags)
    machine.hello()
    yield machine
    nothing_is_left(machine)
    machine.close()


def nothing_is_left(machine: Machine) -> None:
    """After the session, all memory can be had in one piece: images give way, and nothing else holds any."""
    for knob in (Knob.RX_DOWN, Knob.TX_DOWN, Knob.FAIL_ALLOC, Knob.FAIL_RANDOM, Knob.DEAF, Knob.NO_MEM, Knob.TICK):
        machine.set(knob, 0)
    for knob in (Knob.RX_CHUNK, Knob.TX_CHUNK, Knob.TX_ROOM):
        machine.set(knob, NONE)
    machine.lose()
    machine.link_down()
    for _ in range(5):
        machine.poll()
        machine.set(Knob.NOW, 4_000_000_000)
    machine.lose()
    machine.set(Knob.FLAGS, RELIABLE)
    machine.hello(nonce=99)
    machine.alloc(4 << 20, 1, Cap.PSRAM)
    machine.alloc(256 << 10, 1, Cap.INTERNAL)
    assert machine.get(Count.LIVE) == 2
    assert machine.heap().images == 0
    assert machine.get(Count.BAD_FREES) == 0


@pytest.fixture
def board() -> Iterator[Machine]:
    """A board with a session, on a link that loses nothing."""
    yield from _machine(RELIABLE)


@pytest.fixture
def lossy() -> Iterator[Machine]:
    """A board with a session, on a link that may lose bytes."""
    yield from _machine(LOSSY)
