"""Moving QACC, XACC and UA_STATE: clearing, loading, storing, extending into them, and shifting results out.

| point | decision | evidence |
|---|---|---|
| QACC in memory | L.L, L.H, H.L, H.H are the four 16-byte blocks in rising order | esp-nn stores them in this order and reads int32 lanes |
| MOV.QACC, LDQA | every lane extended by its type to the 32 or 64 bits of its QACC lane | DOC's text for MOV; DOC's 20 and 40 bits for LDQA belong to S3 |
| SRCMB amount | rs1[4:0] for 8-bit, rs1[5:0] for 16-bit data; Q forms: the same bits of each lane of qw | every kernel of DL; DOC's comment about SAR is wrong |
| SRCMB result | lane shifted with rounding (also when truncating), then clipped if sel2 = 1 (2.2: sat), else low bits | HW: 50000 gives -15536 with sel2 = 0 |
| SRCMB and QACC | QACC is not changed | S3 |
| unsigned SRCMB | lanes unsigned, logical shift | follows from unsigned accumulation |
| SRS | amount rs1[5:0]; the rounded 40 bits go back to XACC; rd is clipped to 32 bits, 2.2 trunc: low 32 bits | DOC |
| LD.XACC | the low 40 of 64 bits | DOC |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .accumulate import accumulator_lane
from .core import LANES_8_16, S32, U32, Compute, Context, Lane, define, integers, view
from .memory import BY_RS2, OFF2568, OFF25616, alone, loading, storing
from .state import MASK40, Bytes

SAT_RM = ("sat", "rm")


def _clear_q(c: Context) -> None:
    c.set_q("qz", np.zeros(16, np.uint8))


def _clear_qacc(c: Context) -> None:
    c.state.qacc = np.zeros(64, np.uint8)


def _clear_xacc(c: Context) -> None:
    c.state.xacc = 0


def _extend_into_qacc(lane: Lane) -> Callable[[Context, Bytes], None]:
    wide = accumulator_lane(lane)

    def put(c: Context, data: Bytes) -> None:
        c.state.qacc = view(data, lane).astype(wide.dtype).view(np.uint8)

    return put


def _mov_qacc(lane: Lane) -> Compute:
    put = _extend_into_qacc(lane)
    return lambda c: put(c, c.q("qu"))


def _quarter(start: int) -> tuple[Callable[[Context, Bytes], None], Callable[[Context], Bytes]]:
    def put(c: Context, data: Bytes) -> None:
        c.state.qacc[start : start + 16] = data

    def get(c: Context) -> Bytes:
        return c.state.qacc[start : start + 16]

    return put, get


def _put_xacc(c: Context, data: Bytes) -> None:
    c.state.xacc = int(data.view("<u8")[0]) & MASK40


def xacc_value(c: Context, signed: bool) -> int:
    """XACC as a number."""
    xacc = c.state.xacc
    return xacc - (1 << 40) if signed and xacc >> 39 else xacc


def _get_xacc(signed: bool) -> Callable[[Context], Bytes]:
    return lambda c: np.frombuffer(xacc_value(c, signed).to_bytes(8, "little", signed=signed), np.uint8)


def _put_ua_state(c: Context, data: Bytes) -> None:
    c.state.ua_state = data.copy()


def _get_ua_state(c: Context) -> Bytes:
    return c.state.ua_state


def _srcmb(lane: Lane, amounts: Callable[[Context], list[int]]) -> Compute:
    wide = accumulator_lane(lane)
    mask = wide.bits - 1

    def run(c: Context) -> None:
        if not c.xespv_2p2:
            c.saturating = bool(c["sel2"])
        pairs = zip(integers(c.state.qacc, wide), amounts(c), strict=True)
        c.set_lanes("qu", [c.clip(c.shift(value, amount & mask), lane) for value, amount in pairs], lane)

    return run


def _same_amount(lane: Lane) -> Callable[[Context], list[int]]:
    return lambda c: [c.x("rs1")] * (16 // lane.size)


def _lane_amounts(lane: Lane) -> Callable[[Context], list[int]]:
    return lambda c: c.lanes("qw", lane)


def _srs(signed: bool) -> Compute:
    result = S32 if signed else U32

    def run(c: Context) -> None:
        shifted = c.shift(xacc_value(c, signed), c.x("rs1") & 63)
        c.state.xacc = shifted & MASK40
        c.set_x("rd", c.clip(shifted, result))

    return run


def _define_all() -> None:
    define("esp.zero.q", _clear_q)
    define("esp.zero.qacc", _clear_qacc)
    define("esp.zero.xacc", _clear_xacc)
    for lane in LANES_8_16:
        define(f"esp.mov.{lane.name}.qacc", _mov_qacc(lane))
        for suffix, advance in (("ip", OFF25616), ("xp", BY_RS2)):
            define(f"esp.ldqa.{lane.name}.128.{suffix}", alone(loading(16, advance, _extend_into_qacc(lane))))
        define(f"esp.srcmb.{lane.name}.qacc", _srcmb(lane, _same_amount(lane)), extras=SAT_RM)
        define(f"esp.srcmb.{lane.name}.q.qacc", _srcmb(lane, _lane_amounts(lane)), extras=SAT_RM)
    for start, name in ((0, "l.l"), (16, "l.h"), (32, "h.l"), (48, "h.h")):
        put, get = _quarter(start)
        define(f"esp.ld.qacc.{name}.128.ip", alone(loading(16, OFF25616, put)))
        define(f"esp.st.qacc.{name}.128.ip", alone(storing(16, OFF25616, get)))
    define("esp.ld.xacc.ip", alone(loading(8, OFF2568, _put_xacc)))
    define("esp.ld.ua.state.ip", alone(loading(16, OFF25616, _put_ua_state)))
    define("esp.st.ua.state.ip", alone(storing(16, OFF25616, _get_ua_state)))
    for name, signed in (("s", True), ("u", False)):
        define(f"esp.st.{name}.xacc.ip", alone(storing(8, OFF2568, _get_xacc(signed))))
        define(f"esp.srs.{name}.xacc", _srs(signed), extras=SAT_RM)


_define_all()
