"""PIE instructions a second of the simulator, and what the examples save over scalar code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import p4kernel as p4
from examples.pie.__main__ import EXAMPLES
from examples.pie.comparison import WAYS
from tests.benchmarks.measure import Result, repeat, result

_BLOCKS, _ROUNDS = 256, 20_000
_PIE_OF_A_ROUND = 2 * _BLOCKS + 3
"""Besides the body of the loop: one setup of the loop and two loads."""


@p4.kernel
def _dots(x: p4.In[np.int8], y: p4.In[np.int8], rounds: p4.i32, blocks: p4.i32) -> p4.i32:
    """The dot product of 16 * blocks numbers, again and again; x and y have a block more, which is loaded in vain."""
    p4.asm(
        """
            .option norvc
            esp.zero.xacc
        0:  mv    a4, a0
            mv    a5, a1
            esp.vld.128.ip  q0, a4, 16
            esp.vld.128.ip  q1, a5, 16
            esp.lp.setup  0, a3, 1f
            esp.vmulas.s8.xacc.ld.ip  q0, a4, 16, q0, q1
            esp.vld.128.ip  q1, a5, 16
        1:  nop
            addi  a2, a2, -1
            bnez  a2, 0b
            li    a5, 0
            esp.srs.s.xacc  a0, a5
            ret
        """,
        preamble="#include <p4_pie.h>",
    )


def pie(times: int) -> Iterator[Result]:
    """An int8 dot product, and the six examples: their ratios are counts, the same in each run."""
    rng = np.random.default_rng(1)
    x, y = rng.integers(-8, 8, (2, 16 * (_BLOCKS + 1)), np.int8)
    expected = _ROUNDS * int(x[:-16].astype(np.int32) @ y[:-16].astype(np.int32))
    with p4.connect("sim") as board:

        def work() -> None:
            assert _dots(x, y, _ROUNDS, _BLOCKS) == expected

        count = _ROUNDS * _PIE_OF_A_ROUND + 2
        rates = [count / seconds / 1e6 for seconds in repeat(work, times)]
        yield result("PIE, int8 dot product", rates, "million PIE/s", "at least 80")
        for run in EXAMPLES.values():
            comparison = run()
            assert comparison.equal, comparison.title
            for way, ratio in zip(WAYS[1:], comparison.ratios[1:], strict=True):
                goal = "at least 5" if comparison.title.startswith("int8 dot") else ""
                yield Result(f"{comparison.title}: scalar C / {way}", ratio, ratio, ratio, "x", goal)
    board.close()
