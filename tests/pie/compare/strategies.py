"""Hypothesis strategies of states and instructions: slower than `draw`, but what fails shrinks."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from p4kernel.pie.model import Operand

from .draw import INDEXED, Batch, case, encodings
from .layout import MEMORY, MEMORY_SIZE, empty

_LOW_BITS = {"sar": 6, "sar_byte": 4, "fft_bit_width": 4, "perf": 32, "xacc": 40}


def _values(operand: Operand) -> st.SearchStrategy[int]:
    if operand.kind == "xp":
        return st.sampled_from([*range(8, 16), *range(24, 32)])
    steps = (operand.maximum - operand.minimum) // operand.step
    return st.integers(0, steps).map(lambda step: operand.minimum + operand.step * step)


@st.composite
def batches(draw: st.DrawFn, generation: int) -> Batch:
    """One instruction of a generation, on one state."""
    instruction, encoding = draw(st.sampled_from(encodings(generation)))
    one = case(instruction, generation, {operand.name: draw(_values(operand)) for operand in encoding.operands})
    rows = empty(1)
    unit, x = rows[0]["unit"], rows[0]["x"]
    for name in ("q", "qacc", "ua_state"):
        shape = unit[name].shape
        data = draw(st.binary(min_size=unit[name].size, max_size=unit[name].size))
        unit[name] = np.frombuffer(data, np.uint8).reshape(shape)
    for name, bits in _LOW_BITS.items():
        unit[name] = draw(st.integers(0, (1 << bits) - 1))
    unit["cfg"] = draw(st.integers(0, 0x1FF if generation == 1 else 0xFF))
    for number in {value for name, value in one.operands.items() if name[0] == "r"} - {0}:
        x[number] = draw(st.integers(0, 100) | st.integers(0, 0xFFFFFFFF))
    if one.access:
        index = int(unit["q"][one.operands["qw"]].view("<u2")[one.operands["sel8"]]) if one.mnemonic in INDEXED else 0
        address = MEMORY + draw(st.integers(-20, MEMORY_SIZE + 20)) - 4 * index
        x[one.operands["rs1"]] = address & 0xFFFFFFFF
    seed = draw(st.integers(1, 250))
    return Batch([one], rows, bytes((seed + 7 * i) & 0xFF for i in range(MEMORY_SIZE)), [0])
