"""Rearranging lanes: zip, unzip, extension, and moves between q and x registers.

| point | decision | evidence |
|---|---|---|
| VZIP | first operand: interleaved low halves, second: interleaved high halves, x before y | HW, esp-dsp's FFT |
| VUNZIP | first operand: even lanes of {qy:qx}, second: odd lanes | the inverse; DL |
| VZIPT, VUNZIPT | the same with three: 3k, 3k + 1, 3k + 2 of the stream qx, qy, qw | DL's RGB888 conversions |
| VEXT | low half to qz, high half to qv | DL uses it as VLDEXT's register form |
| MOVI.8.A, MOVI.16.A | zero-extend | DL multiplies unsigned bytes straight after MOVI.8.A |
| MOVI.16.* selector | its low three bits | DOC's sel8 in a four-bit field |
"""

from __future__ import annotations

import numpy as np

from .core import LANES_8_16, U8, U16, U32, Compute, Context, Lane, define
from .memory import extended

_UNSIGNED = {8: U8, 16: U16, 32: U32}


def _zip(operands: tuple[str, ...], lane: Lane) -> Compute:
    def run(c: Context) -> None:
        stream = np.stack([c.q(name).view(lane.dtype) for name in operands], axis=1).ravel().view(np.uint8)
        for i, name in enumerate(operands):
            c.set_q(name, stream[16 * i : 16 * i + 16])

    return run


def _unzip(operands: tuple[str, ...], lane: Lane) -> Compute:
    def run(c: Context) -> None:
        stream = np.concatenate([c.q(name) for name in operands]).view(lane.dtype)
        for i, name in enumerate(operands):
            c.set_q(name, stream[i :: len(operands)].copy().view(np.uint8))

    return run


def _vext(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        low, high = extended(c.q("qw"), lane)
        c.set_q("qz", low)
        c.set_q("qv", high)

    return run


def _index(c: Context, lane: Lane) -> int:
    return c["sel4" if lane is U32 else "sel16"] % (16 // lane.size)


def _to_x(lane: Lane) -> Compute:
    return lambda c: c.set_x("rd", c.lanes("qy", lane)[_index(c, lane)])


def _to_q(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        c.q("qy").view(lane.dtype)[_index(c, lane)] = c.x("rs1") & lane.high

    return run


def _define_all() -> None:
    for bits, lane in _UNSIGNED.items():
        define(f"esp.vzip.{bits}", _zip(("qx", "qy"), lane))
        define(f"esp.vunzip.{bits}", _unzip(("qx", "qy"), lane))
        define(f"esp.movi.{bits}.a", _to_x(lane))
        define(f"esp.movi.{bits}.q", _to_q(lane))
    for bits in (8, 16):
        define(f"esp.vzipt.{bits}", _zip(("qx", "qy", "qw"), _UNSIGNED[bits]))
        define(f"esp.vunzipt.{bits}", _unzip(("qx", "qy", "qw"), _UNSIGNED[bits]))
    for lane in LANES_8_16:
        define(f"esp.vext.{lane.name}", _vext(lane))


_define_all()
