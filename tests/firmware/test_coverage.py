"""What the tests of this folder and the fuzzer reach of the core."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware import coverage
from tests.firmware.machine import CORE, OUTSIDE
from tests.fuzz.native import build, run
from tests.tools import require

LEAST = 99.0  # percent of branches
FRAMES = 150_000


def test_coverage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gcc, gcov = require("gcc"), require("gcov")
    tests, fuzz = tmp_path / "tests", tmp_path / "fuzz"
    tests.mkdir()
    fuzz.mkdir()
    env = dict(os.environ, TMPDIR=str(tests), P4KERNEL_TEST_CFLAGS=" ".join(coverage.FLAGS))
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(here)]
    command += [f"--ignore={here / name}" for name in OUTSIDE]
    done = subprocess.run(command, cwd=CORE.parents[1], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    run(build(gcc, fuzz, coverage.FLAGS), seed=1, frames=FRAMES)
    sources = coverage.measure(gcov, (tests, fuzz), CORE)
    assert {source.path.name for source in sources} >= {path.name for path in CORE.glob("*.c")}
    with capsys.disabled():
        print("\n" + coverage.table(sources))
    assert sum((source.branches for source in sources), coverage.Share()).percent >= LEAST
    assert sum((source.lines for source in sources), coverage.Share()).percent >= LEAST
