"""Programs that tests need and pip cannot bring."""

from __future__ import annotations

import os
import shutil

import pytest


def require(program: str) -> str:
    """Path of a program. Without it the test is skipped, or, under P4KERNEL_TEST_STRICT=1 (CI), fails."""
    path = shutil.which(program)
    if path is None:
        reason = f"needs the program {program}, which is not installed"
        if os.environ.get("P4KERNEL_TEST_STRICT") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
