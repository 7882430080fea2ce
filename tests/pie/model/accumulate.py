"""Multiply and accumulate into QACC and XACC.

| point | decision | evidence |
|---|---|---|
| QACC lanes | 8-bit data: 16 lanes of 32 bits, 16-bit data: 8 lanes of 64 bits, lane i at bits 32i or 64i | HW: 8-bit products show up in every second 16-bit lane of a 64-bit read; esp-nn stores QACC as int32; DOC counts 32 lanes |
| lane saturation | once, after the exact sum, at the lane's own width and sign | DOC; unsigned likely |
| VSMULAS selector | sel16 for 8-bit data, its low three bits for 16-bit data | DOC says "1 of 8"; the field has four bits |
| VCMULAS | plain product, low or high half of the lanes, into the QACC lanes of the same index | HW: (10-20i)(3-5i) gives -70 and -110 in lanes 0 and 1, the high form starts at lane 4 |
| XACC | exact sum of all products, then one saturation at 40 bits, signed or unsigned by the mnemonic | DOC's "40-bit, saturated" |
"""

from __future__ import annotations

from collections.abc import Iterable

from .core import (
    LANES_8_16,
    S8,
    S16,
    S32,
    S64,
    U32,
    U64,
    Compute,
    Context,
    Lane,
    define_fused,
    integers,
    pack,
)
from .memory import INCP, LD_IP_XP, ST_IP_XP, ldbc_incp
from .multiply import complex_product
from .state import MASK40

SAT = ("sat",)
_S40 = Lane("s40", "", 40, -(1 << 39), (1 << 39) - 1)
_U40 = Lane("u40", "", 40, 0, MASK40)


def accumulator_lane(lane: Lane) -> Lane:
    """The QACC lane that belongs to a data lane."""
    if lane.bits == 8:
        return S32 if lane.signed else U32
    return S64 if lane.signed else U64


def _accumulate(c: Context, addends: Iterable[int], wide: Lane, first: int = 0) -> None:
    lanes = integers(c.state.qacc, wide)
    for i, addend in enumerate(addends, first):
        lanes[i] = c.clip(lanes[i] + addend, wide)
    c.state.qacc = pack(lanes, wide)


def _vmulas_qacc(lane: Lane) -> Compute:
    wide = accumulator_lane(lane)

    def run(c: Context) -> None:
        pairs = zip(c.lanes("qx", lane), c.lanes("qy", lane), strict=True)
        _accumulate(c, (a * b for a, b in pairs), wide)

    return run


def _vsmulas_qacc(lane: Lane) -> Compute:
    wide = accumulator_lane(lane)
    count = 16 // lane.size

    def run(c: Context) -> None:
        scalar = c.lanes("qy", lane)[c["sel16"] % count]
        _accumulate(c, (a * scalar for a in c.lanes("qx", lane)), wide)

    return run


def _vcmulas_qacc(lane: Lane, high: bool) -> Compute:
    wide = accumulator_lane(lane)
    count = 8 // lane.size
    first = count if high else 0

    def run(c: Context) -> None:
        x, y = c.lanes("qx", lane), c.lanes("qy", lane)
        parts: list[int] = []
        for i in range(first, first + count, 2):
            parts += complex_product((x[i], x[i + 1]), (y[i], y[i + 1]), conjugate_a=False)
        _accumulate(c, parts, wide, first)

    return run


def _vmulas_xacc(lane: Lane) -> Compute:
    wide = _S40 if lane.signed else _U40

    def run(c: Context) -> None:
        total = c.state.xacc - (1 << 40) if c.state.xacc > wide.high else c.state.xacc
        total += sum(a * b for a, b in zip(c.lanes("qx", lane), c.lanes("qy", lane), strict=True))
        c.state.xacc = c.clip(total, wide) & MASK40

    return run


def _define_all() -> None:
    ld_incp = {"ld.incp": INCP["ld.incp"]}
    for lane in LANES_8_16:
        accesses = {**LD_IP_XP, **ST_IP_XP, "ldbc.incp": ldbc_incp(lane)}
        define_fused(f"esp.vmulas.{lane.name}.qacc", _vmulas_qacc(lane), accesses, extras=SAT)
        define_fused(f"esp.vmulas.{lane.name}.xacc", _vmulas_xacc(lane), {**LD_IP_XP, **ST_IP_XP}, extras=SAT)
        define_fused(f"esp.vsmulas.{lane.name}.qacc", _vsmulas_qacc(lane), ld_incp, extras=SAT)
    for lane in (S8, S16):
        for half in "lh":
            define_fused(f"esp.vcmulas.{lane.name}.qacc.{half}", _vcmulas_qacc(lane, half == "h"), LD_IP_XP, extras=SAT)


_define_all()
