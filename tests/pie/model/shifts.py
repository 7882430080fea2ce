"""Shifts of lanes, of register pairs, and the splices that undo misalignment.

| point | decision | evidence |
|---|---|---|
| VSR, VSL.32 | SAR[4:0]; in 2.1 VSR does not round, 2.2 rounds by `rm` | DL adds its own rounding constant before VSR; 2.2's operand |
| VSL in 2.2 | S32 and U32 clip by their type unless trunc; VSL.32 is U32 with clipping | the alias of the encoding table |
| VSLD, VSRD amount | the low 4, 5 or 6 bits of each 8-, 16- or 32-bit lane of qw, signed | DOC gives 5 bits for 16 and "matched" for the others |
| VSLD, VSRD direction | one shifter: VSLD by n is VSRD by -n; right is arithmetic and rounded by the mode, left keeps low bits in 2.1 and clips as signed in 2.2 unless trunc | right: DL's look-up kernel (half-even rounding, indices from 0x8000 are negative), against DOC's zero fill; left: DL needs trunc on VSLD.8 for 2.2 where 2.1 has none |
| SRC.Q | low 16 bytes of {qy:qw} shifted right by SAR_BYTE bytes | DL, HW |
| SRC.Q.QUP | also qw = qy (wins if qz is qw) | DOC |
| SRC.Q.LD | result to qw, loaded block to qu | S3; DL |
| SRCQ.128.ST | stores the spliced bytes, changes no q register, +16 | operand roles |
| SLCI, SRCI | {qy:qw} by n + 1 bytes, zero fill, both written | HW: SRCI by 5 zero-fills qy, SLCI by 5 brings the top of qw into qy |
| SLCXXP, SRCXXP | rs1[3:0] + 1 bytes, then rs1 += rs2 | HW for the amount; S3 for the step |
| LD.128.USAR and friends | set SAR_BYTE, never SAR | two registers with their own moves |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .core import S8, S16, S32, U32, Compute, Context, Finish, Lane, define, fused, wrap
from .memory import BY_RS2, OFF25616, loading, put_qu
from .state import Bytes


def _vsr(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        amount = c.state.sar & 31
        c.set_lanes("qu", [c.shift(value, amount) for value in c.lanes("qy", lane)], lane)

    return run


def _vsl(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        amount = c.state.sar & 31
        c.set_lanes("qu", [c.clip(value << amount, lane) for value in c.lanes("qy", lane)], lane)

    return run


def _vsl_32(c: Context) -> None:
    c.saturating = c.xespv_2p2
    _vsl(U32)(c)


def _by_lane(lane: Lane, direction: int) -> Compute:
    field = lane.bits.bit_length()  # 4, 5, 6
    amounts = Lane("", "", field, -(1 << field - 1), (1 << field - 1) - 1)

    def shifted(c: Context, value: int, left: int) -> int:
        return c.clip(value << left, lane) if left >= 0 else c.shift(value, -left)

    def run(c: Context) -> None:
        pairs = zip(c.lanes("qy", lane), c.lanes("qw", lane), strict=True)
        c.set_lanes("qu", [shifted(c, value, direction * wrap(amount, amounts)) for value, amount in pairs], lane)

    return run


def spliced(high: Bytes, low: Bytes, count: int) -> Bytes:
    """The low 16 bytes of {high:low} after a right shift by `count` bytes."""
    return np.concatenate((low, high))[count : count + 16]


def _src(c: Context) -> Bytes:
    return spliced(c.q("qy"), c.q("qw"), c.state.sar_byte)


def _src_q(c: Context) -> None:
    c.set_q("qz", _src(c))


def _src_q_qup(c: Context) -> None:
    result, old_qy = _src(c), c.q("qy").copy()
    c.set_q("qz", result)
    c.set_q("qw", old_qy)


def _src_into_qw(c: Context) -> None:
    c.set_q("qw", _src(c))


def _srcq_st(c: Context) -> None:
    address = c.x("rs1")
    c.state.store(address, 16, lambda: _src(c))
    c.set_x("rs1", address + 16)


def _pair(c: Context, left: bool, count: int) -> None:
    both = np.concatenate((c.q("qw"), c.q("qy")))
    moved = np.zeros(32, np.uint8)
    if left:
        moved[count:] = both[: 32 - count]
    else:
        moved[: 32 - count] = both[count:]
    c.set_q("qy", moved[16:])
    c.set_q("qw", moved[:16])


def _by_immediate(left: bool) -> Compute:
    return lambda c: _pair(c, left, c["sel16"] + 1)


def _step_rs1(c: Context) -> Finish:
    rs1, rs2 = c.x("rs1"), c.x("rs2")
    return lambda: c.set_x("rs1", rs1 + rs2)


def _by_rs1(left: bool) -> Compute:
    return fused(lambda c: _pair(c, left, (c.x("rs1") & 15) + 1), _step_rs1)


def _define_all() -> None:
    define("esp.vsr.s32", _vsr(S32), extras=("rm",), rounds=False)
    define("esp.vsr.u32", _vsr(U32), extras=("rm",), rounds=False)
    define("esp.vsl.32", _vsl_32)
    define("esp.vsl.s32", _vsl(S32), extras=("sat",), only_2p2=True)
    define("esp.vsl.u32", _vsl(U32), extras=("sat",), only_2p2=True)
    for lane in (S8, S16, S32):
        define(f"esp.vsld.{lane.bits}", _by_lane(lane, 1), extras=("sat", "rm"), saturates=False)
        define(f"esp.vsrd.{lane.bits}", _by_lane(lane, -1), extras=("sat", "rm"), saturates=False)
    define("esp.src.q", _src_q)
    define("esp.src.q.qup", _src_q_qup)
    define("esp.src.q.ld.ip", fused(_src_into_qw, loading(16, OFF25616, put_qu)))
    define("esp.src.q.ld.xp", fused(_src_into_qw, loading(16, BY_RS2, put_qu)))
    define("esp.srcq.128.st.incp", _srcq_st)
    pairs: tuple[tuple[str, Callable[[bool], Compute]], ...] = (("i", _by_immediate), ("xxp", _by_rs1))
    for name, make in pairs:
        define(f"esp.slc{name}.2q", make(True))
        define(f"esp.src{name}.2q", make(False))


_define_all()
