"""Kernels under both compilers, on a virtual board."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

import p4kernel as p4
from tests.tools import require

ZIG = Path(sysconfig.get_path("purelib")) / "ziglang" / "zig"


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kernel compiler of the test: "zig" or "gcc"."""
    name = str(request.param)
    path = str(ZIG) if name == "zig" else require("riscv64-unknown-elf-gcc")
    monkeypatch.setenv("P4KERNEL_CC", path)
    return name


@pytest.fixture(scope="module")
def shared() -> Iterator[p4.Board]:
    with p4.connect("sim?psram=8M") as board:
        yield board
    board.close()


@pytest.fixture(autouse=True)
def on_the_board(shared: p4.Board) -> Iterator[None]:
    with shared:
        yield
