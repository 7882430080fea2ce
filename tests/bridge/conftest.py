"""Every test with both compilers; each with a fresh virtual board on which no time passes between calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import p4kernel as p4
from p4kernel import build
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from p4kernel.urls import _print
from tests.tools import ZIG, require


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the compiler that kernels of the test are built with."""
    command = str(ZIG) if request.param == "zig" else require("riscv64-unknown-elf-gcc")
    monkeypatch.setenv("P4KERNEL_CC", f"'{command}'")
    build.forget()
    yield request.param
    build.forget()


def open_board(**options: bool | int) -> p4.Board:
    """A virtual board; `reliable=False` makes its link one that may lose frames."""
    return p4.Board(SimTransport("sim", VirtualBoard(still=True, **options)), "sim", _print)  # type: ignore[arg-type]


@pytest.fixture
def board() -> Iterator[p4.Board]:
    """Current during the test. Nothing that it allocated may be left after the session."""
    with open_board() as board:
        yield board
    board.close()
