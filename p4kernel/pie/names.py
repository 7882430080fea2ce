"""Register names of the base instruction set."""

from __future__ import annotations

from typing import Final

__all__ = ["ABI", "NUMBERS", "PIE_REGISTERS"]

ABI: Final = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)  # fmt: skip
NUMBERS: Final = {**{f"x{i}": i for i in range(32)}, **{name: i for i, name in enumerate(ABI)}, "fp": 8}
PIE_REGISTERS: Final = "x8-x15, x24-x31 (s0, s1, a0-a5, s8-s11, t3-t6)"
