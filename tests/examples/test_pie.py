"""The PIE examples: all three ways equal NumPy on both generations, and a result that is off is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from examples.pie.__main__ import EXAMPLES, main
from examples.pie.comparison import WAYS, show

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[1, 3], ids=["revision 1", "revision 3"])
def _board(request: pytest.FixtureRequest) -> Iterator[None]:
    with p4.connect(f"sim?revision={request.param}") as board:
        yield
    board.close()


@pytest.mark.usefixtures("_board")
@pytest.mark.parametrize("name", EXAMPLES)
def test_equal_to_numpy(name: str) -> None:
    comparison = EXAMPLES[name]()
    assert comparison.expected.size == 1 or len(np.unique(comparison.expected)) > 16  # a result with something in it
    for way, (result, instructions) in zip(WAYS, comparison.ways, strict=True):
        np.testing.assert_array_equal(result, comparison.expected, err_msg=way)
        assert result.dtype == comparison.expected.dtype or result.ndim == 0
        assert instructions > 0
    assert min(comparison.ratios[1:]) > (20 if name == "dot" else 4)


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    with p4.connect("sim") as board:
        main("dot", "transpose")
    board.close()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["instructions", "int8", "8x8", "All"]


def test_a_difference_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with p4.connect("sim") as board:
        right = EXAMPLES["dot"]()
    board.close()
    for index, way in enumerate(WAYS):
        ways = [*right.ways]
        ways[index] = ways[index]._replace(result=ways[index].result + 1)
        with pytest.raises(SystemExit, match=f"MISMATCH: dot in {way}"):
            show({"dot": right._replace(ways=tuple(ways))})
    assert "All equal" not in capsys.readouterr().out


def test_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.pie", "blond"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "there is no example 'blond'; there are dot, fir, blend" in done.stderr
