"""Small helpers to set up a model state and run one instruction on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .model import State, execute

BASE = 0x4FF0_0000
POINTER, STEP, SCALAR = 10, 11, 12  # x registers that PIE instructions can name


def fresh(*vectors: Sequence[int], dtype: str = "<i2", **fields: int) -> State:
    """A state whose q0, q1, ... hold the vectors, with x10 pointing at 256 bytes 0, 1, 2, ..."""
    state = State(memory=bytearray(range(256)), base=BASE)
    for name, value in fields.items():
        setattr(state, name, value)
    state.x[POINTER] = BASE
    for register, vector in enumerate(vectors):
        state.q[register] = np.array(vector).astype(dtype).view(np.uint8)
    return state


def run(
    state: State, mnemonic: str, revision: int = 1, *, sat: int | None = None, rm: int | None = None, **operands: int
) -> None:
    """Execute `esp.<mnemonic>`; sat and rm are the optional operands of xespv 2.2."""
    extras = {name: value for name, value in (("sat", sat), ("rm", rm)) if value is not None}
    execute(state, f"esp.{mnemonic}", operands, revision, extras)


def lanes(state: State, register: int, dtype: str = "<i2") -> list[int]:
    """Lanes of a q register."""
    values: list[int] = state.q[register].view(dtype).tolist()
    return values
