"""Lane arithmetic without multiplication, comparisons, clamps, logic, and the scalar helpers.

| point | decision | evidence |
|---|---|---|
| VADD, VSUB, VSADDS, VSSUBS | saturate in 2.1; unsigned subtraction stops at 0 | DOC's text, HW; DOC's formula for unsigned VSUB has only an upper bound |
| scalar of VSADDS, VSSUBS | its low lane bits, read as the lane reads them | HW (0x10000 adds nothing, -1 adds 65535) |
| VABS of the minimum | the maximum; vxsat untouched | open; DL computes the same by a saturating subtraction elsewhere |
| VSAT bounds | low lane bits of rs1 and rs2, read as the lane reads them; the smaller one is the low bound | DOC derives the bounds as the maximum and the minimum of the two, exchanged as for ESP.SAT, so their order does not matter |
| ESP.SAT | between the smaller and the larger of two signed bounds | DOC's formula has min and max exchanged |
| VCLAMP.S16 | [-2^n, 2^n - 1] | DOC |
| MAX.A, MIN.A | over the lanes only (rd is not read), extended by type | DOC; the encoding's role of rd; a board report that rd takes part was not measured |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .core import LANES, LANES_8_16, S16, Compute, Context, Lane, define, define_fused, view, wrap
from .memory import INCP
from .state import MASK32

Array = NDArray[np.int64]
Binary = Callable[[Array, Array], Array]


def _clipped(operation: Binary, lane: Lane) -> Compute:
    def run(c: Context) -> None:
        c.set_q("qv", c.clip_array(operation(view(c.q("qx"), lane), view(c.q("qy"), lane)), lane))

    return run


def _with_scalar(operation: Binary, lane: Lane) -> Compute:
    def run(c: Context) -> None:
        scalar = np.array(wrap(c.x("rs1"), lane), np.int64)
        c.set_q("qv", c.clip_array(operation(view(c.q("qx"), lane), scalar), lane))

    return run


def _chosen(choose: Binary, lane: Lane) -> Compute:
    def run(c: Context) -> None:
        chosen = choose(view(c.q("qx"), lane), view(c.q("qy"), lane))
        c.set_q("qz", chosen.astype(lane.dtype).view(np.uint8))

    return run


def _compared(test: Callable[[Array, Array], NDArray[np.bool_]], lane: Lane) -> Compute:
    def run(c: Context) -> None:
        true = test(view(c.q("qx"), lane), view(c.q("qy"), lane))
        c.set_q("qz", np.repeat(np.where(true, 0xFF, 0).astype(np.uint8), lane.size))

    return run


def _reduced(choose: Callable[[list[int]], int], lane: Lane) -> Compute:
    return lambda c: c.set_x("rd", choose(c.lanes("qw", lane)))


def _abs(bits: int) -> Compute:
    lane = next(lane for lane in LANES if lane.bits == bits and lane.signed)

    def run(c: Context) -> None:
        c.set_lanes("qv", (min(abs(value), lane.high) for value in c.lanes("qy", lane)), lane)

    return run


def _vsat(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        low, high = sorted((wrap(c.x("rs1"), lane), wrap(c.x("rs2"), lane)))
        c.set_lanes("qz", (max(min(value, high), low) for value in c.lanes("qx", lane)), lane)

    return run


def _clamp(c: Context) -> None:
    bound = 1 << c["sel16"]
    c.set_lanes("qz", (min(max(value, -bound), bound - 1) for value in c.lanes("qx", S16)), S16)


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _sat(c: Context) -> None:
    low, high = sorted((_signed(c.x("rs0")), _signed(c.x("rs1"))))
    c.set_x("rsd", min(max(_signed(c.x("rsd")), low), high))


def _scaled_add(factor: int) -> Compute:
    return lambda c: c.set_x("rd", (c.x("rs1") + factor * c.x("rs2")) & MASK32)


def _define_all() -> None:
    for lane in LANES:
        for name, operation in (("vadd", np.add), ("vsub", np.subtract)):
            define_fused(f"esp.{name}.{lane.name}", _clipped(operation, lane), INCP, extras=("sat",))
        for name, choose in (("vmax", np.maximum), ("vmin", np.minimum)):
            define_fused(f"esp.{name}.{lane.name}", _chosen(choose, lane), INCP)
        for name, test in (("eq", np.equal), ("lt", np.less), ("gt", np.greater)):
            define(f"esp.vcmp.{name}.{lane.name}", _compared(test, lane))
        define(f"esp.max.{lane.name}.a", _reduced(max, lane))
        define(f"esp.min.{lane.name}.a", _reduced(min, lane))
        define(f"esp.vsat.{lane.name}", _vsat(lane))
    for lane in LANES_8_16:
        define(f"esp.vsadds.{lane.name}", _with_scalar(np.add, lane), extras=("sat",))
        define(f"esp.vssubs.{lane.name}", _with_scalar(np.subtract, lane), extras=("sat",))
    for bits in (8, 16, 32):
        define(f"esp.vabs.{bits}", _abs(bits))
    define("esp.vclamp.s16", _clamp)
    define("esp.andq", lambda c: c.set_q("qz", c.q("qx") & c.q("qy")))
    define("esp.orq", lambda c: c.set_q("qz", c.q("qx") | c.q("qy")))
    define("esp.xorq", lambda c: c.set_q("qz", c.q("qx") ^ c.q("qy")))
    define("esp.notq", lambda c: c.set_q("qz", ~c.q("qx")))
    define("esp.sat", _sat)
    for name, factor in (("addx2", 2), ("addx4", 4), ("subx2", -2), ("subx4", -4)):
        define(f"esp.{name}", _scaled_add(factor))


_define_all()
