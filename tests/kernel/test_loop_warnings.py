"""A loop that works on the virtual board, and would not always on a chip, is compiled with a warning at its line."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import p4kernel as p4

PIE = "#include <p4_pie.h>"


def _rounds(setup: str, last: str, body: str = "") -> p4.Kernel[[int], int]:
    @p4.kernel
    def rounds(n: p4.u32) -> p4.u32:
        p4.asm(
            f"""
            .option push
            .option norvc
            mv   a1, a0
            li   a0, 0
            .balign 4
            {setup}
            addi a0, a0, 1
            {body}
        1:  {last}
            .option pop
            ret
            """,
            preamble=PIE,
        )

    return rounds


SETUP = "esp.lp.setup 0, a1, 1f"
WARNED = {
    "misaligned setup": (f".option rvc; c.nop; .option norvc; {SETUP}", "nop", "this instruction is not at a multiple of 4"),
    "misaligned end": (SETUP, "nop", "the last instruction of the loop is not at a multiple of 4"),
    "short end": (SETUP, ".option rvc; c.nop; c.nop; .option norvc", "the last instruction of the loop has 2 bytes"),
    "PIE": (SETUP, "esp.zero.q q3", "one of PIE, esp.zero.q"),
    "FPU": (SETUP, "fadd.s fa0, fa0, fa0", "one of the FPU"),
    "immediate count": ("esp.lp.setupi 0, 5, 1f", "esp.zero.q q3", "one of PIE"),
    "end alone": ("esp.lp.count 0, a1; esp.lp.starti 0, 2f; esp.lp.endi 0, 1f; 2:", "esp.zero.q q3", "one of PIE"),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNED)
def test_warned(case: str, board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    setup, last, said = WARNED[case]
    kernel = _rounds(setup, last, ".option rvc; c.nop; .option norvc" if case == "misaligned end" else "")
    assert kernel(5) == 5
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "warning" in text]
    assert said in line and "interrupt" in line
    first = inspect.getsourcelines(_rounds)[1]
    place, _, _ = line.removeprefix("p4kernel: ").partition(": ")
    file, number, *_ = place.split(":")
    assert file == __file__ and first < int(number) < first + 20
    assert kernel(6) == (5 if case == "immediate count" else 6)
    assert "warning" not in capsys.readouterr().err  # it was said


def test_not_warned(board: p4.Board, capsys: pytest.CaptureFixture[str]) -> None:
    for last in ("nop", "addi a2, a2, 1", "esp.addx2 a3, a3, a3", "lw a2, 0(sp)"):
        assert _rounds(SETUP, last)(7) == 7

    @p4.kernel
    def total(x: p4.In[np.int8], n: p4.i32 = p4.size("x")) -> p4.i32:
        p4.c(
            """
            p4_zero_xacc();
            p4_loop(n / 16, (x), p4_vld_128_ip(q0, x, 16), p4_vmulas_s8_xacc(q0, q0));
            return p4_srs_s_xacc(0);
            """,
            preamble=PIE,
        )

    assert total(np.ones(32, np.int8)) == 32
    assert "warning" not in capsys.readouterr().err
