"""What tests need of a machine: programs that pip cannot bring, zig, which it does, and a system's abilities."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path
from typing import NoReturn

import pytest

ZIG = Path(sysconfig.get_path("purelib")) / "ziglang" / "zig"
"""Of the package ziglang, which the extra `test` requires."""


_STRICT = os.environ.get("P4KERNEL_TEST_STRICT") == "1"


def lacking(reason: str) -> NoReturn:
    """Skips the test, or, under P4KERNEL_TEST_STRICT=1 (CI, which has all of it), fails it."""
    if _STRICT:
        pytest.fail(reason)
    pytest.skip(reason)


def needs(ability: bool, reason: str) -> pytest.MarkDecorator:
    """For tests of what a system may lack; under P4KERNEL_TEST_STRICT=1 they run all the same."""
    return pytest.mark.skipif(not ability and not _STRICT, reason=reason)


def require(program: str) -> str:
    """Path of a program; see lacking() for a machine without it."""
    path = shutil.which(program)
    if path is None:
        lacking(f"needs the program {program}, which is not installed")
    return path
