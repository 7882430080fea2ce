"""Fixtures that all layers share."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import p4kernel as p4


@p4.kernel
def _first() -> None:
    p4.c("")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A build cache of the test run's own, which starts empty."""
    patch = pytest.MonkeyPatch()
    patch.setenv("P4KERNEL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    patch.delenv("P4KERNEL_BOARD", raising=False)
    _ = _first.build  # imports all that a build needs: tests of Ctrl-C shall not hit the middle of an import
    yield
    patch.undo()


@pytest.fixture
def board() -> Iterator[p4.Board]:
    """A fresh virtual board, current during the test; nothing may be left allocated on it afterwards."""
    with p4.connect("sim") as board:
        before = board.memory.state()
        yield board
        after = board.memory.state()
    assert after.allocations == before.allocations
    board.close()


def python_file(folder: Path, text: str) -> Path:
    """A Python file with this text."""
    file = folder / "program.py"
    file.write_text(text)
    return file


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_raises() -> None:
    """Also where the tests were started in the background, which makes Python ignore SIGINT."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
