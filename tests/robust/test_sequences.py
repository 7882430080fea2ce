"""Random calls on several boards by several threads, against NumPy; at the end nothing is left allocated."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

import p4kernel as p4
from tests.robust import pool
from tests.robust.common import Worker, spin, virtual
from tests.robust.driver import Driver, unload_all

KERNELS = 36  # more than a board holds


@pytest.fixture(scope="module")
def kernels() -> list[pool.Pooled]:
    rng = random.Random(10)
    return [pool.make(rng, f"pooled_{i}") for i in range(KERNELS)]


@pytest.fixture
def fine_switching() -> Iterator[None]:
    """Threads change often."""
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(old)


def clean(board: p4.Board) -> tuple[object, int]:
    spin.on(board)(1)  # so that it has a stack, which stays
    unload_all(board)
    return board.memory.state(), virtual(board).allocated


def campaign(seed: int, kernels: list[pool.Pooled], boards: int, threads: int, steps: int, limit: int) -> Counter[str]:
    """Lets drivers loose; what they did."""
    used = [p4.connect("sim?psram=8M") for _ in range(boards)]
    before = [clean(board) for board in used]
    drivers = [Driver(seed * 100 + i, used, kernels, limit) for i in range(threads)]
    workers = [Worker(lambda d=driver: d.run(steps)) for driver in drivers]  # type: ignore[misc]
    for worker in workers:
        worker.finish()
    for driver in drivers:
        driver.finish()
    images = [board.memory.state().images for board in used]
    assert max(images) <= 32
    assert [clean(board) for board in used] == before, "something is left allocated"
    assert all(virtual(board).defects == 0 for board in used)
    for board in used:
        board.close()
    return sum((d.done for d in drivers), Counter())


def test_one_thread_one_board(kernels: list[pool.Pooled]) -> None:
    done = campaign(1, kernels, 1, 1, 400, 3000)
    assert done["call"] > 100 and min(done.values()) > 0


@pytest.mark.usefixtures("fine_switching")
def test_threads_and_boards(kernels: list[pool.Pooled]) -> None:
    campaign(2, kernels, 2, 4, 500, 800)


@pytest.mark.usefixtures("fine_switching")
def test_one_kernel_on_many_boards_at_once() -> None:
    """A kernel's image has another number on each board."""
    rng = random.Random(11)
    kernels = [pool.make(rng, f"shared_{i}") for i in range(4)]
    boards = [p4.connect("sim?psram=4M") for _ in range(3)]
    for i, board in enumerate(boards):
        for k in range(4):  # loaded in another order
            Driver(k, [board], [kernels[(k + i) % 4]], 5).run(1)
    workers = [Worker(lambda d=Driver(i, [board], kernels, 5): [d._call() for _ in range(400)])  # type: ignore[misc]
               for i, board in enumerate(boards)]  # fmt: skip
    for worker in workers:
        worker.finish()
    for board in boards:
        board.close()


def test_an_evicted_kernel_comes_back_with_its_outputs(kernels: list[pool.Pooled]) -> None:
    with p4.connect("sim?psram=8M") as board:
        for turn in range(2):
            for i, pooled in enumerate(kernels):
                driver = Driver(turn * 1000 + i, [board], [pooled], 50)
                driver._call()
        assert board.memory.state().images == 32
        board.close()
