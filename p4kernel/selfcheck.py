"""Does a board work, from the compiler to the arrays that come back?"""

from __future__ import annotations

import numpy as np

import p4kernel as p4
from p4kernel.board import Board
from p4kernel.call import Last
from p4kernel.errors import BoardError
from p4kernel.kernel import kernel

_COUNT = 64


@kernel
def _check(x: p4.In[np.float32], y: p4.Out[np.float32], scale: p4.f32, n: p4.i32 = p4.size("x", "y")) -> p4.i64:
    p4.c(r"""
        int64_t sum = 0;
        for (int i = 0; i < n; ++i) {
            y[i] = scale * x[i];
            sum += (int64_t)i << 32;
        }
        return sum;
    """)


def self_check(board: Board) -> Last:
    """Builds a small kernel, runs it on ``board`` and compares what comes back. Returns what the call cost.

    Raises ToolchainError without a compiler, and BoardError when the results are wrong.
    """
    x = np.arange(_COUNT, dtype=np.float32)
    y = np.zeros_like(x)
    total = _check.on(board)(x, y, 0.5)
    if not np.array_equal(y, x * np.float32(0.5)) or total != sum(range(_COUNT)) << 32:
        raise BoardError(f"{board.url}: a kernel ran, but its results are wrong: {y[:4]}..., {total}")
    return _check.last
