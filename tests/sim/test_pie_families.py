"""A handful of cases of each family of PIE instructions, by hand."""

from __future__ import annotations

import struct

import pytest

from p4kernel._native import ffi

from .machine import BASE
from .pie import PieMachine

DATA = BASE + 0x1000
VXSAT_EN, VXSAT = 0x100, 4


def s8(*lanes: int) -> bytes:
    return struct.pack("16b", *lanes)


def s16(*lanes: int) -> bytes:
    return struct.pack("<8h", *lanes)


def s32(*lanes: int) -> bytes:
    return struct.pack("<4i", *lanes)


RAMP = bytes(range(16))


@pytest.fixture(params=[1, 2])
def pie(engine: str, request: pytest.FixtureRequest) -> PieMachine:
    return PieMachine(engine, int(request.param))


def _cfg(pie: PieMachine, vxrm: int = 0, other: int = VXSAT_EN) -> None:
    pie.unit.cfg = vxrm << 4 | other


def test_sums_saturate(pie: PieMachine) -> None:
    _cfg(pie)
    pie.set_q(0, s8(127, -128, 1, 0, *[5] * 12))
    pie.set_q(1, s8(1, -1, 2, 0, *[-6] * 12))
    pie.one("esp.vadd.s8", 2, 0, 1)
    assert pie.q(2) == s8(127, -128, 3, 0, *[-1] * 12)
    assert pie.unit.cfg & VXSAT
    pie.one("esp.vsub.u8", 2, 0, 1)
    assert pie.q(2)[:4] == bytes((126, 0, 0, 0))
    pie.one("esp.vssubs.u16", 3, 0, 10, x={10: 0xFFFF})
    assert pie.q(3) == bytes(16)


def test_vxsat_needs_its_enable_in_generation_1_only(pie: PieMachine) -> None:
    _cfg(pie, other=0)
    pie.set_q(0, s8(*[127] * 16))
    pie.one("esp.vadd.s8", 2, 0, 0)
    assert pie.unit.cfg == (0 if pie.generation == 1 else VXSAT)
    pie.one("esp.movx.r.cfg", 10)
    assert (pie.state.x[10], pie.unit.cfg) == (0 if pie.generation == 1 else VXSAT, 0)


@pytest.mark.parametrize("engine_name", ["fast", "slow"])
def test_operands_of_generation_2(engine_name: str) -> None:
    pie = PieMachine(engine_name, 2)
    pie.set_q(0, s8(*[127] * 16))
    pie.one("esp.vadd.s8", 2, 0, 0, 0)  # trunc
    assert (pie.q(2), pie.unit.cfg) == (s8(*[-2] * 16), 0)
    pie.set_q(0, s16(*[3] * 8))
    pie.unit.sar = 1
    for rm, expected in enumerate((4, 5, 5, 4, 5, 4, 4)):  # 4.5
        pie.push()
        pie.one("esp.vmul.s16", 1, 0, 0, 1, rm)
        assert pie.q(1) == s16(*[expected] * 8), rm


@pytest.mark.parametrize(
    ("vxrm", "expected"),
    [(0, (2, 5, -3, -6)), (1, (3, 6, -2, -5)), (2, (3, 6, -3, -6)), (3, (2, 5, -2, -5)), (4, (3, 6, -3, -6)),
     (5, (2, 5, -2, -5)), (6, (2, 6, -2, -6))],
)  # fmt: skip
def test_rounding_modes(pie: PieMachine, vxrm: int, expected: tuple[int, ...]) -> None:
    """5/2, 11/2 and their negatives."""
    _cfg(pie, vxrm)
    pie.unit.sar = 1
    pie.set_q(0, s16(5, 11, -5, -11, 0, 0, 0, 0))
    pie.set_q(1, s16(*[1] * 8))
    pie.one("esp.vmul.s16", 2, 0, 1)
    assert pie.q(2) == s16(*expected, 0, 0, 0, 0)


def test_products_in_accumulators(pie: PieMachine) -> None:
    pie.set_q(0, s8(*[-128] * 16))
    pie.set_q(1, s8(*range(-8, 8)))
    pie.one("esp.vmulas.s8.qacc", 0, 1)
    assert bytes(pie.unit.qacc) == struct.pack("<16i", *(-128 * i for i in range(-8, 8)))
    pie.one("esp.vmulas.s8.xacc", 0, 1)
    assert pie.unit.xacc == 1024
    pie.one("esp.srcmb.s8.qacc", 4, 10, 1, x={10: 3})
    assert pie.q(4) == s8(*(max(-128, min(127, -16 * i)) for i in range(-8, 8)))


def test_accumulators_saturate(pie: PieMachine) -> None:
    pie.unit.xacc = (1 << 39) - 5
    pie.set_q(0, s16(*[-32768] * 8))
    pie.one("esp.vmulas.s16.xacc", 0, 0)
    assert pie.unit.xacc == (1 << 39) - 1
    ffi.memmove(pie.unit.qacc, struct.pack("<8q", 2**63 - 1, *[0] * 7), 64)
    pie.push()
    pie.one("esp.vmulas.s16.qacc", 0, 0)
    assert bytes(pie.unit.qacc) == struct.pack("<8q", 2**63 - 1, *[1 << 30] * 7)
    pie.one("esp.srs.s.xacc", 10, 11, x={11: 0})
    assert (pie.state.x[10], pie.unit.xacc) == (0x7FFFFFFF, (1 << 39) - 1)
    pie.one("esp.movx.r.xacc.h", 12)
    assert pie.state.x[12] == 0x7F


def test_complex_product(pie: PieMachine) -> None:
    pie.unit.sar = 0
    pie.set_q(0, s16(1, 2, 3, 4, 5, 6, 7, 8))
    pie.set_q(1, s16(2, 1, 2, 1, 2, 1, 2, 1))
    pie.set_q(2, s16(*[9] * 8))
    pie.one("esp.cmul.s16", 2, 0, 1, 1)  # upper half
    assert pie.q(2) == s16(9, 9, 9, 9, 4, 17, 6, 23)
    pie.one("esp.cmul.s16", 2, 0, 1, 2)  # lower half, conj(qx)
    assert pie.q(2) == s16(4, -3, 10, -5, 4, 17, 6, 23)


def test_loads_and_stores_are_aligned_unless_cfg_says_otherwise(pie: PieMachine) -> None:
    pie.write(DATA, bytes(range(64)))
    pie.one("esp.vld.128.ip", 0, 10, 32, x={10: DATA + 5})
    assert (pie.q(0), pie.state.x[10]) == (RAMP, DATA + 37)
    _cfg(pie, other=2)
    pie.push()
    pie.one("esp.vld.128.xp", 0, 10, 11, x={10: DATA + 5, 11: 3})
    assert (pie.q(0), pie.state.x[10]) == (bytes(range(5, 21)), DATA + 8)
    pie.one("esp.vst.l.64.ip", 0, 10, 8, x={10: DATA + 5})  # stores are still aligned
    assert pie.read(DATA, 8) == bytes(range(5, 13))
    pie.one("esp.ld.128.usar.ip", 1, 10, 16, x={10: DATA + 23})
    assert (pie.q(1), pie.unit.sar_byte) == (bytes(range(16, 32)), 7)


def test_fused_store_writes_the_old_register(pie: PieMachine) -> None:
    pie.set_q(0, RAMP)
    pie.set_q(1, bytes([1] * 16))
    pie.one("esp.vadd.u8.st.incp", 0, 10, 0, 0, 1, x={10: DATA})
    assert pie.read(DATA, 16) == RAMP
    assert pie.q(0) == bytes(range(1, 17))
    assert pie.state.x[10] == DATA + 16


def test_rearranging(pie: PieMachine) -> None:
    pie.set_q(0, RAMP)
    pie.set_q(1, bytes(range(16, 32)))
    pie.one("esp.vzip.8", 0, 1)
    assert pie.q(0) == bytes(i // 2 + 16 * (i & 1) for i in range(16))
    pie.one("esp.vunzip.8", 0, 1)
    assert (pie.q(0), pie.q(1)) == (RAMP, bytes(range(16, 32)))
    pie.set_q(2, bytes(range(32, 48)))
    pie.push()
    pie.one("esp.vunzipt.8", 0, 1, 2)
    assert [pie.q(i) for i in range(3)] == [bytes(range(i, 48, 3)) for i in range(3)]
    pie.one("esp.vzipt.8", 0, 1, 2)
    assert b"".join(pie.q(i) for i in range(3)) == bytes(range(48))


def test_shifts_of_two_registers(pie: PieMachine) -> None:
    pie.set_q(0, RAMP)
    pie.set_q(1, bytes(range(16, 32)))
    pie.unit.sar_byte = 3
    pie.push()
    pie.one("esp.src.q", 2, 0, 1)
    assert pie.q(2) == bytes(range(3, 19))
    pie.one("esp.srci.2q", 1, 0, 15)
    assert (pie.q(0), pie.q(1)) == (bytes(range(16, 32)), bytes(16))
    pie.one("esp.slci.2q", 1, 0, 1)
    assert (pie.q(0), pie.q(1)) == (bytes(2) + bytes(range(16, 30)), bytes((30, 31)) + bytes(14))


def test_activations_and_limits(pie: PieMachine) -> None:
    pie.set_q(0, s8(-8, 4, -128, 127, *[0] * 12))
    pie.one("esp.vrelu.s8", 0, 10, 11, x={10: 3, 11: 1})
    assert pie.q(0)[:4] == struct.pack("4b", -12, 4, -128, 127)
    pie.set_q(1, s16(-300, 300, 5, 0, 0, 0, 0, 0))
    pie.push()
    pie.one("esp.vsat.s16", 2, 1, 10, 11, x={10: -100, 11: 100})
    assert pie.q(2) == s16(-100, 100, 5, 0, 0, 0, 0, 0)
    pie.one("esp.vclamp.s16", 2, 1, 4)
    assert pie.q(2) == s16(-16, 15, 5, 0, 0, 0, 0, 0)
    pie.one("esp.max.s16.a", 1, 10)
    pie.one("esp.min.s16.a", 1, 11, x={10: pie.state.x[10]})
    assert (pie.state.x[10], pie.state.x[11]) == (300, -300 & 0xFFFFFFFF)
    pie.one("esp.sat", 10, 11, 12, x={10: 5, 11: -7, 12: -3})
    assert pie.state.x[10] == -3 & 0xFFFFFFFF


def test_shift_by_lanes(pie: PieMachine) -> None:
    pie.set_q(0, s32(-16, 7, 1, 3))
    pie.set_q(1, s32(2, -1, 4, 0))
    pie.one("esp.vsrd.32", 2, 0, 1)
    assert pie.q(2) == s32(-4, 14, 0, 3)
    pie.one("esp.vsld.32", 2, 0, 1)
    assert pie.q(2) == s32(-64, 3, 16, 3)


def test_butterflies(pie: PieMachine) -> None:
    pie.set_q(0, s16(1, 2, 3, 4, 10, 20, 30, 40))
    pie.set_q(1, s16(*[0] * 8))
    pie.one("esp.fft.r2bf.s16", 2, 3, 0, 1, 0)
    assert pie.q(2) == s16(11, 22, 33, 44, -9, -18, -27, -36)
    pie.one("esp.fft.r2bf.s16", 2, 3, 0, 1, 1)
    assert pie.q(2) == s16(4, 6, 40, 60, -2, -2, -20, -20)
    pie.one("esp.fft.r2bf.s16.st.incp", 2, 0, 0, 10, 1, x={10: DATA})
    assert pie.read(DATA, 16) == pie.q(0)


def test_bit_reversal(pie: PieMachine) -> None:
    pie.unit.fft_bit_width = 4
    pie.push()
    pie.one("esp.fft.bitrev", 0, 10, x={10: 0})
    assert struct.unpack("<8H", pie.q(0)) == (0, 8, 4, 12, 4, 10, 6, 14)
    assert pie.state.x[10] == 8


def test_tables(pie: PieMachine) -> None:
    pie.write(DATA, struct.pack("<64I", *range(100, 164)))
    pie.set_q(1, s16(5, 9, 0, 0, 0, 0, 0, 63))
    pie.one("esp.ldxq.32", 0, 1, 10, 2, 7, x={10: DATA})
    assert pie.q(0) == s32(0, 0, 163, 0)
    pie.one("esp.stxq.32", 0, 1, 10, 2, 1, x={10: DATA})
    assert pie.read_word(DATA + 36) == 163
    assert pie.state.x[10] == DATA
