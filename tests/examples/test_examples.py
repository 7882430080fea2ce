"""Every example on the virtual board: its results are right, and it says so when they are not."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import p4kernel as p4
from examples import asm, digits, edges, fir, matmul

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("[!_]*.py"))


@pytest.fixture(scope="module", autouse=True)
def _board() -> Iterator[None]:
    with p4.connect("sim") as board:
        yield
    board.close()


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"examples.{request.param}")


def test_main(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    result = example.main()
    assert result.equal
    assert capsys.readouterr().out.endswith(".\n")


def test_mismatch(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that is one off ends the program with an error."""
    result = example.run()
    name = next(field for field in result._fields if field.startswith("expected"))
    expected = getattr(result, name)
    wrong = (
        expected + 1
        if isinstance(expected, int)
        else np.where(np.arange(expected.size).reshape(expected.shape) == 7, expected + 1, expected)
    )
    monkeypatch.setattr(example, "run", lambda: result._replace(**{name: wrong}))
    with pytest.raises(SystemExit, match="MISMATCH"):
        example.main()


def test_results() -> None:
    """They are those of the data, not merely equal to a reference that may share a mistake."""
    assert edges.run().edges.max() == 255
    assert np.all(np.diff(fir.run().beats) > 300)  # three beats, at their distance
    assert matmul.run().accuracy > 0.8
    assert digits.run().accuracy > 0.9
    assert asm.run().crc == 0x0AC5A20F


def test_as_program() -> None:
    done = subprocess.run(
        [sys.executable, "examples/asm.py"], cwd=ROOT, env=_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("Equal to zlib.crc32.\n")
    assert "running on the virtual ESP32-P4" in done.stderr


def _environment() -> dict[str, str]:
    import os

    environment = {name: value for name, value in os.environ.items() if name != "P4KERNEL_BOARD"}
    return environment | {"PYTHONPATH": str(ROOT)}
