"""Arrays on the board and modules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import p4kernel as p4

m = p4.module("int32_t n; int16_t table[4]; int32_t twice(int32_t x) { return 2 * x; }", opt="O3", name="m")


@m.kernel
def add(x: p4.In[np.int16], n: p4.i32 = p4.size("x")) -> p4.i32:
    p4.c("return n;")


@m.kernel(timeout=2.0, require="out.size > 1")
def fill(out: p4.Out[np.float32], value: p4.f32) -> None:
    p4.c("out[0] = value;")


@m.kernel
def twice(x: p4.i32) -> p4.i32:
    p4.extern()


def use(board: p4.Board) -> int:
    x: p4.DeviceArray[np.int16] = p4.array([1, 2, 3], np.int16)
    y: p4.DeviceArray[np.float32] = p4.zeros((2, 3), np.float32, memory="sram", board=board)
    z: p4.DeviceArray[np.float64] = p4.array(np.ones(3))
    p4.full(3, 7, np.uint8).free()
    rows: npt.NDArray[np.float32] = y[1, ::2].T.reshape(2).get()
    y[0] = [1, 2, 3]
    y[1] = y[0]
    y.set(rows[0])
    fill(y[0], 2.0)
    fill.on(board)(y.reshape(6), 2)
    m.n = 3
    m.table[:] = x[:2]
    total: int = add(x) + add(m.table) + twice(m.on(board).n) + add(np.zeros(3, np.int16))
    m.reset()
    m.on(board).free()
    first: int = x[0].item()
    return total + len(z) + first
