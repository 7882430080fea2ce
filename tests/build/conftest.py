"""Both compilers, and a cache of its own for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from p4kernel import build
from p4kernel.build.toolchain import Toolchain, find
from tests.tools import ZIG, require


def toolchain_named(words: str) -> Toolchain:
    """The toolchain that P4KERNEL_CC=words finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("P4KERNEL_CC", words)
        return find()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv("P4KERNEL_CACHE_DIR", os.fspath(folder))
    monkeypatch.delenv("P4KERNEL_CACHE_SIZE", raising=False)
    build.forget()
    yield folder
    build.forget()


@pytest.fixture
def zig() -> Toolchain:
    return toolchain_named(f"'{ZIG}'")


@pytest.fixture
def gcc() -> Toolchain:
    return toolchain_named(f"'{require('riscv64-unknown-elf-gcc')}'")


@pytest.fixture(params=["zig", "gcc"])
def chain(request: pytest.FixtureRequest) -> Toolchain:
    found: Toolchain = request.getfixturevalue(request.param)
    return found
