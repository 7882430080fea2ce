"""A board that has nothing left at the end of a test, and each test of modules with each compiler."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import p4kernel as p4
from tests.tools import ZIG, require


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The compiler of kernels that are built during the test."""
    name: str = request.param
    program = ZIG if name == "zig" else require("riscv64-unknown-elf-gcc")
    monkeypatch.setenv("P4KERNEL_CC", f"'{program}'")
    return name


@pytest.fixture
def board() -> Iterator[p4.Board]:
    """A fresh virtual board, current during the test, which drops all arrays and modules."""
    with p4.connect("sim") as board:
        yield board
        gc.collect()  # tracebacks of errors that were expected
        assert board.memory.state().allocations == 0
    board.close()
