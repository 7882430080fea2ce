"""Programs that tests need: those that pip cannot bring, and zig, which it does."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

import pytest

ZIG = Path(sysconfig.get_path("purelib")) / "ziglang" / "zig"
"""Of the package ziglang, which the extra `test` requires."""


def require(program: str) -> str:
    """Path of a program. Without it the test is skipped, or, under P4KERNEL_TEST_STRICT=1 (CI), fails."""
    path = shutil.which(program)
    if path is None:
        reason = f"needs the program {program}, which is not installed"
        if os.environ.get("P4KERNEL_TEST_STRICT") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
