"""A P4JIT on a fresh virtual board, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import p4kernel as p4
from p4kernel.p4jit import P4JIT, set_log_level
from tests.lasting.conftest import board, compiler

__all__ = ["board", "compiler", "jit"]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    set_log_level("INFO")


@pytest.fixture
def jit(board: p4.Board) -> P4JIT:
    set_log_level("WARNING")
    return P4JIT()
