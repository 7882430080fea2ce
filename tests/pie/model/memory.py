"""Loads and stores of q registers, and the memory halves of the fused instructions.

| point | decision | evidence |
|---|---|---|
| forced alignment | the address is masked to the size of the access, the pointer keeps its low bits; CFG bit 1 (loads) or bit 0 (stores) turns the mask off | DOC; esp-dsp's FIR sets bit 1 for its odd delay lines |
| LDXQ, STXQ, LD.128.USAR | always masked, and nothing else (not AMS.UAUP) | USAR takes SAR_BYTE from the bits that it masks; S3 for the other two |
| LDXQ, STXQ | address rs1 + 4 * lane, the lane unsigned; rs1 unchanged, other lanes of qu unchanged | DL's bit reversal uses one unchanged base for all its accesses; DOC's update of rs1 would break it |
| VLD.L/H.64 | the other half of qu is kept | esp-dsp's FFT fills one register by both |
| VLDEXT | 16 bytes: low eight to qu, high eight to qz | DL's int16 x int8 dot product |
| VLDHBC.16.INCP | 16 bytes, each half twice, the low four to qu, the high four to qz, +16 | DOC; HW shows the low lanes (a board report's step of 4 was not measured) |
| LDBC.INCP | steps by the element | DOC has no number; it broadcasts successive elements |
| VLDBC.8/16.IP | offsets count 1 and 2 bytes | binutils and LLVM; operands arrive scaled |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .core import LANES_8_16, Access, Compute, Context, Finish, Lane, define, view
from .state import Bytes

Advance = Callable[[Context], int]


def _by_offset(name: str) -> Advance:
    return lambda c: c[name]


def _by_register(c: Context) -> int:
    return c.x("rs2")


def _by(step: int) -> Advance:
    return lambda c: step


def loading(size: int, advance: Advance, put: Callable[[Context, Bytes], None], *, masked: bool = False) -> Access:
    """Load `size` bytes from rs1 now; when finished, put them in place and advance rs1."""

    def access(c: Context) -> Finish:
        address, step = c.x("rs1"), advance(c)
        data = c.state.load(address, size, masked=masked)

        def finish() -> None:
            put(c, data)
            c.set_x("rs1", address + step)

        return finish

    return access


def storing(size: int, advance: Advance, get: Callable[[Context], Bytes]) -> Access:
    """Store `size` bytes to rs1 now; when finished, advance rs1."""

    def access(c: Context) -> Finish:
        address, step = c.x("rs1"), advance(c)
        c.state.store(address, size, lambda: get(c))
        return lambda: c.set_x("rs1", address + step)

    return access


def put_qu(c: Context, data: Bytes) -> None:
    c.set_q("qu", data)


def get_qu(c: Context) -> Bytes:
    return c.q("qu")


def broadcast(c: Context, data: Bytes) -> None:
    c.set_q("qu", np.tile(data, 16 // len(data)))


OFF1616, OFF25616, OFF2568 = _by_offset("off1616"), _by_offset("off25616"), _by_offset("off2568")
BY_RS2, BY_16, BY_MINUS_16 = _by_register, _by(16), _by(-16)

INCP = {"ld.incp": loading(16, BY_16, put_qu), "st.incp": storing(16, BY_16, get_qu)}
LD_IP_XP = {"ld.ip": loading(16, OFF1616, put_qu), "ld.xp": loading(16, BY_RS2, put_qu)}
ST_IP_XP = {"st.ip": storing(16, OFF1616, get_qu), "st.xp": storing(16, BY_RS2, get_qu)}


def ldbc_incp(lane: Lane) -> Access:
    """The access of VMULAS.QACC.LDBC.INCP."""
    return loading(lane.size, _by(lane.size), broadcast)


def alone(access: Access) -> Compute:
    """An instruction that is nothing but a memory access."""

    def run(c: Context) -> None:
        access(c)()

    return run


def _half(start: int) -> tuple[Callable[[Context, Bytes], None], Callable[[Context], Bytes]]:
    def put(c: Context, data: Bytes) -> None:
        c.q("qu")[start : start + 8] = data

    def get(c: Context) -> Bytes:
        return c.q("qu")[start : start + 8]

    return put, get


def _extend(lane: Lane) -> Callable[[Context, Bytes], None]:
    def put(c: Context, data: Bytes) -> None:
        low, high = extended(data, lane)
        c.set_q("qu", low)
        c.set_q("qz", high)

    return put


def extended(data: Bytes, lane: Lane) -> tuple[Bytes, Bytes]:
    """Lanes widened to twice their size: the low half of them, the high half."""
    kind = "i" if lane.signed else "u"
    wide = view(data, lane).astype(f"<{kind}{2 * lane.size}").view(np.uint8)
    return wide[:16], wide[16:]


def _set_sar_byte(c: Context) -> None:
    c.state.sar_byte = c.x("rs1") & 15


def _load_usar(advance: Advance) -> Compute:
    access = loading(16, advance, put_qu, masked=True)

    def run(c: Context) -> None:
        finish = access(c)
        _set_sar_byte(c)
        finish()

    return run


def _twice(c: Context, data: Bytes) -> None:
    doubled = np.repeat(data.view("<u2"), 2).view(np.uint8)
    c.set_q("qu", doubled[:16])
    c.set_q("qz", doubled[16:])


def _indexed(c: Context) -> tuple[int, slice]:
    index = int(c.q("qw").view("<u2")[c["sel8"]])
    return c.x("rs1") + 4 * index, slice(4 * c["sel4"], 4 * c["sel4"] + 4)


def _ldxq(c: Context) -> None:
    address, word = _indexed(c)
    c.q("qu")[word] = c.state.load(address, 4, masked=True)


def _stxq(c: Context) -> None:
    address, word = _indexed(c)
    c.state.store(address, 4, lambda: c.q("qu")[word], masked=True)


def _define_all() -> None:
    for suffix, advance in (("ip", OFF25616), ("xp", BY_RS2)):
        define(f"esp.vld.128.{suffix}", alone(loading(16, advance, put_qu)))
        define(f"esp.vst.128.{suffix}", alone(storing(16, advance, get_qu)))
        define(f"esp.ld.128.usar.{suffix}", _load_usar(advance))
    for suffix, advance in (("ip", OFF2568), ("xp", BY_RS2)):
        for name, start in (("l", 0), ("h", 8)):
            put, get = _half(start)
            define(f"esp.vld.{name}.64.{suffix}", alone(loading(8, advance, put)))
            define(f"esp.vst.{name}.64.{suffix}", alone(storing(8, advance, get)))
    for bits in (8, 16, 32):
        size = bits // 8
        for suffix, advance in (("ip", _by_offset(f"off256{size}")), ("xp", BY_RS2)):
            define(f"esp.vldbc.{bits}.{suffix}", alone(loading(size, advance, broadcast)))
    for lane in LANES_8_16:
        for suffix, advance in (("ip", OFF1616), ("xp", BY_RS2)):
            define(f"esp.vldext.{lane.name}.{suffix}", alone(loading(16, advance, _extend(lane))))
    define("esp.vldhbc.16.incp", alone(loading(16, BY_16, _twice)))
    define("esp.ldxq.32", _ldxq)
    define("esp.stxq.32", _stxq)


_define_all()
