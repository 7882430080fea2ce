"""The page for those who come from P4-JIT: its blocks run, and say by themselves what comes out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import p4kernel as p4
from p4kernel import p4jit
from tests.quality.test_readme import blocks

GUIDE = Path(p4jit.__file__).with_name("guide.md")


def test_the_guide_runs(tmp_path: Path) -> None:
    code = "\n".join(blocks("python", GUIDE))
    assert code.count("assert ") == 5
    script = tmp_path / "guide.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_error_is_in_it() -> None:
    text = GUIDE.read_text()
    errors = [name for name in p4jit.__all__ if isinstance(e := getattr(p4jit, name), type) and issubclass(e, p4.Error)]
    assert len(errors) > 5
    assert [name for name in errors if f"`{name}`" not in text] == []
