"""Both compilers, and a chip with the firmware's functions."""

from __future__ import annotations

import pytest

from p4kernel.build.toolchain import Toolchain
from tests.build.conftest import toolchain_named
from tests.sim_board.chip import Chip
from tests.tools import ZIG, require


@pytest.fixture(params=["zig", "gcc"])
def chain(request: pytest.FixtureRequest) -> Toolchain:
    return toolchain_named(f"'{ZIG}'" if request.param == "zig" else f"'{require('riscv64-unknown-elf-gcc')}'")


@pytest.fixture
def zig() -> Toolchain:
    return toolchain_named(f"'{ZIG}'")


@pytest.fixture
def chip() -> Chip:
    return Chip()
