"""The independent model against the documents' own examples: values worked out by hand or read off a board."""

from __future__ import annotations

import numpy as np
import pytest

from .model import INSTRUCTIONS, AccessFault
from .model.core import shift_round
from .model.state import CFG_RM_EXC, CFG_VXSAT, CFG_VXSAT_EN
from .registers import BASE, POINTER, SCALAR, STEP, fresh, lanes, run

HALF_EVEN = 6 << 4
THREE = {"qz": 2, "qx": 0, "qy": 1}
SUM = {"qv": 2, "qx": 0, "qy": 1}


def test_every_mnemonic_of_both_maps_is_there() -> None:
    in_2p1 = sum(instruction.revisions[0] for instruction in INSTRUCTIONS.values())
    in_2p2 = sum(instruction.revisions[1] for instruction in INSTRUCTIONS.values())
    assert (in_2p1, in_2p2) == (360, 362)


@pytest.mark.parametrize(
    ("value", "modes"),
    [  # floor, ceiling, up, down, half up, half down, half even: the reference's table, in 64ths
        (352, (5, 6, 6, 5, 6, 5, 6)),
        (160, (2, 3, 3, 2, 3, 2, 2)),
        (102, (1, 2, 2, 1, 2, 2, 2)),
        (70, (1, 2, 2, 1, 1, 1, 1)),
        (64, (1, 1, 1, 1, 1, 1, 1)),
        (-64, (-1, -1, -1, -1, -1, -1, -1)),
        (-70, (-2, -1, -2, -1, -1, -1, -1)),
        (-102, (-2, -1, -2, -1, -2, -2, -2)),
        (-160, (-3, -2, -3, -2, -3, -2, -2)),
        (-352, (-6, -5, -6, -5, -6, -5, -6)),
    ],
)
def test_rounding_modes(value: int, modes: tuple[int, ...]) -> None:
    assert tuple(shift_round(value, 6, mode)[0] for mode in range(7)) == modes


def test_addition_saturates_and_2p2_can_truncate() -> None:
    a, b = [100, -100, 32000, 32767, -32000, -32768, 0, 1], [50, -50, 1000, 1, -1000, -1, 0, -1]
    state = fresh(a, b, cfg=CFG_VXSAT_EN)
    run(state, "vadd.s16", **SUM)
    assert lanes(state, 2) == [150, -150, 32767, 32767, -32768, -32768, 0, 0]
    assert state.cfg & CFG_VXSAT
    run(state, "vadd.s16", 3, sat=0, **SUM)
    assert lanes(state, 2) == [150, -150, -32536, -32768, 32536, 32767, 0, 0]


def test_unsigned_subtraction_stops_at_zero() -> None:
    state = fresh([100, 0, 0xFFFFFFFF, 50], [50, 1, 0, 50], dtype="<u4")
    run(state, "vsub.u32", **SUM)
    assert lanes(state, 2, "<u4") == [50, 0, 0xFFFFFFFF, 0]


@pytest.mark.parametrize(("scalar", "expected"), [(0x10000, 100), (0xFFFFFFFF, 65535), (20, 120)])
def test_a_scalar_is_cut_to_the_lane(scalar: int, expected: int) -> None:
    state = fresh([100] * 8)
    state.x[SCALAR] = scalar
    run(state, "vsadds.u16", qv=1, qx=0, rs1=SCALAR)
    assert lanes(state, 1, "<u2") == [expected] * 8


def test_multiplication_is_rounded_then_clipped() -> None:
    state = fresh([200, 100, 2, -3, 1000, -1000, 0, 1], [200, -100, 3, 4, 1000, 1000, 7, 0])
    run(state, "vmul.s16", **THREE)
    assert lanes(state, 2) == [32767, -10000, 6, -12, 32767, -32768, 0, 0]
    state.sar, state.cfg = 3, HALF_EVEN  # 40000/8, -10000/8, 6/8, -12/8, 1000000/8, ...
    run(state, "vmul.s16", **THREE)
    assert lanes(state, 2) == [5000, -1250, 1, -2, 32767, -32768, 0, 0]
    run(state, "vmul.s16", 3, rm=0, **THREE)
    assert lanes(state, 2)[2:4] == [0, -2]


def test_rounding_that_was_declared_unnecessary_is_reported() -> None:
    state = fresh([4] * 8, [1] * 8, cfg=7 << 4, sar=2)
    run(state, "vmul.s16", **THREE)
    assert not state.cfg & CFG_RM_EXC
    state.sar = 3
    run(state, "vmul.s16", **THREE)
    assert state.cfg & CFG_RM_EXC


def test_widening_multiplication() -> None:
    a, b = [-128, 127, 3, -5] * 4, [-128, -128, 7, 11] * 4
    state = fresh(a, b, dtype="<i1")
    run(state, "vmul.s16.s8xs8", qz=2, qv=3, qx=0, qy=1)
    assert lanes(state, 2) == lanes(state, 3) == [16384, -16256, 21, -55] * 2


def test_complex_multiplication_of_each_half() -> None:
    x, y = [100, 200, 3, 4] * 2, [10, 20, 2, 0] * 2
    state = fresh(x, y, [7] * 8)
    run(state, "cmul.s16", **THREE, sel4=0)
    assert lanes(state, 2) == [-3000, 4000, 6, 8, 7, 7, 7, 7]
    run(state, "cmul.s16", **THREE, sel4=3)  # conj(100 + 200i) * (10 + 20i) = 5000 + 0i
    assert lanes(state, 2) == [-3000, 4000, 6, 8, 5000, 0, 6, -8]


def test_relus() -> None:
    data, slope = [100, -100, 0, -7, 32767, -32768, 1, -1], [3, 3, 3, 3, 3, -32768, 3, 3]
    state = fresh(data, slope)
    state.x[SCALAR], state.x[STEP] = 2, 0xFFFF0003
    run(state, "vprelu.s16", qz=2, qy=0, qx=1, rs1=SCALAR)
    assert lanes(state, 2) == [100, -75, 0, -6, 32767, 32767, 1, -1]
    run(state, "vrelu.s16", qy=0, rs2=STEP, rs1=SCALAR)
    assert lanes(state, 0) == [100, -75, 0, -6, 32767, -24576, 1, -1]


def test_accumulator_lanes_of_8_bit_data_are_32_bits_wide() -> None:
    a = [10, -10, 5, -5, 127, -128, 0, 50, 3, 7, -4, 8, 16, 64, -1, -64]
    b = [3, -3, 4, -4, 1, -1, 0, 2, 5, 2, -3, 4, 8, 2, -1, -2]
    state = fresh(a, b, dtype="<i1")
    run(state, "vmulas.s8.qacc", qx=0, qy=1)
    assert state.qacc.view("<i4").tolist() == [x * y for x, y in zip(a, b, strict=True)]
    run(state, "srcmb.s16.qacc", qu=2, rs1=SCALAR, sel2=0)  # a board shows every second product
    assert lanes(state, 2) == [30, 20, 127, 0, 15, 12, 128, 1]


@pytest.mark.parametrize(("sel2", "expected"), [(0, -15536), (1, 32767)])
def test_srcmb_with_and_without_saturation(sel2: int, expected: int) -> None:
    state = fresh([50000] + [0] * 7, [1] * 8, dtype="<u2")
    run(state, "vmulas.u16.qacc", qx=0, qy=1)
    before = state.qacc.copy()
    run(state, "srcmb.s16.qacc", qu=2, rs1=SCALAR, sel2=sel2)
    assert lanes(state, 2)[0] == expected
    run(state, "srcmb.s16.qacc", 3, sat=sel2, qu=3, rs1=SCALAR)
    assert np.array_equal(state.q[2], state.q[3])
    assert np.array_equal(state.qacc, before)


def test_srcmb_amount_per_lane_uses_the_low_bits_and_rounds() -> None:
    state = fresh([5, -5, 6, 7] * 4, [0x20, 1, 2, 0xE1 - 256] * 4, dtype="<i1", cfg=HALF_EVEN)
    run(state, "mov.s8.qacc", qu=0)
    run(state, "srcmb.s8.q.qacc", qu=2, qw=1, sel2=1)
    assert lanes(state, 2, "<i1") == [5, -2, 2, 4] * 4


def test_accumulators_saturate_at_their_own_width() -> None:
    state = fresh([-32768] * 8, [-32768] * 8)
    state.qacc = np.full(8, 2**63 - 2, "<i8").view(np.uint8)
    run(state, "vmulas.s16.qacc", 3, sat=0, qx=0, qy=1)
    assert state.qacc.view("<i8").tolist() == [-(2**63) + 2**30 - 2] * 8
    state.qacc = np.full(8, 2**63 - 2, "<i8").view(np.uint8)
    run(state, "vmulas.s16.qacc", qx=0, qy=1)
    assert state.qacc.view("<i8").tolist() == [2**63 - 1] * 8


def test_xacc_is_summed_exactly_then_saturated_once() -> None:
    state = fresh([32767, -32768] * 4, [32767, 32767] * 4, xacc=2**39 - 1)
    run(state, "vmulas.s16.xacc", qx=0, qy=1)  # each pair sums to -32767
    assert state.xacc == 2**39 - 1 - 4 * 32767
    state = fresh([-32768] * 8, [-32768] * 8, xacc=2**39 - 1)
    run(state, "vmulas.s16.xacc", qx=0, qy=1)
    assert state.xacc == 2**39 - 1


def test_xacc_is_shifted_in_place_and_clipped_to_32_bits() -> None:
    state = fresh(xacc=(-(2**38)) & (2**40 - 1))
    state.x[SCALAR] = 0xFFFFFF41  # only the low six bits count: 1
    run(state, "srs.s.xacc", rd=13, rs1=SCALAR)
    assert state.x[13] == 0x80000000
    assert state.xacc == (-(2**37)) & (2**40 - 1)
    run(state, "movx.r.xacc.h", rd=13)
    assert state.x[13] == 0xE0  # zero-extended
    state.x[SCALAR] = 1
    run(state, "srs.u.xacc", rd=13, rs1=SCALAR)
    assert (state.x[13], state.xacc) == (0xFFFFFFFF, 0x70 << 32)


def test_complex_accumulation_goes_to_the_lanes_it_came_from() -> None:
    state = fresh([10, -20, 0, 0, 3, 4, 0, 0], [3, -5, 0, 0, 2, 0, 0, 0])
    run(state, "vcmulas.s16.qacc.l", qx=0, qy=1)
    assert state.qacc.view("<i8").tolist() == [-70, -110, 0, 0, 0, 0, 0, 0]
    run(state, "vcmulas.s16.qacc.h", qx=0, qy=1)
    assert state.qacc.view("<i8").tolist() == [-70, -110, 0, 0, 6, 8, 0, 0]


def test_scalar_accumulation_selects_one_lane() -> None:
    state = fresh([16 * i for i in range(1, 9)], [1, 2, 4, 8, 16, 32, 64, 128])
    run(state, "vsmulas.s16.qacc", qx=0, qy=1, sel16=4)
    assert state.qacc.view("<i8").tolist() == [256 * i for i in range(1, 9)]


def test_qacc_quarters_lie_in_memory_in_rising_order() -> None:
    state = fresh(range(16), dtype="<u1")
    run(state, "mov.u8.qacc", qu=0)
    for quarter in ("l.l", "l.h", "h.l", "h.h"):
        run(state, f"st.qacc.{quarter}.128.ip", rs1=POINTER, off25616=16)
    assert np.frombuffer(state.memory, "<u4", 16).tolist() == list(range(16))
    assert state.x[POINTER] == BASE + 64


def test_qacc_quarters_can_be_loaded_after_an_accumulation() -> None:
    state = fresh([1] * 8, [1] * 8)
    run(state, "vmulas.s16.qacc", qx=0, qy=1)
    run(state, "ld.qacc.h.l.128.ip", rs1=POINTER, off25616=0)
    assert state.qacc.view("<i8").tolist()[:4] == [1] * 4
    assert state.qacc[32:48].tolist() == list(range(16))


def test_loads_are_aligned_by_force_unless_cfg_says_otherwise() -> None:
    state = fresh()
    state.x[POINTER] += 19
    run(state, "vld.128.ip", qu=0, rs1=POINTER, off25616=16)
    assert lanes(state, 0, "<u1") == list(range(16, 32))
    assert state.x[POINTER] == BASE + 35  # the pointer keeps its low bits
    state.cfg = 2
    run(state, "vld.128.ip", qu=0, rs1=POINTER, off25616=-16)
    assert lanes(state, 0, "<u1") == list(range(35, 51))
    run(state, "vldbc.16.ip", 1, qu=0, rs1=POINTER, off2562=-2)
    assert lanes(state, 0, "<u2") == [19 | 20 << 8] * 8
    assert state.x[POINTER] == BASE + 17


def test_a_fused_store_writes_the_old_register() -> None:
    state = fresh([1] * 8, [2] * 8)
    run(state, "vadd.s16.st.incp", qu=0, rs1=POINTER, qv=0, qx=0, qy=1)
    assert np.frombuffer(state.memory, "<i2", 8).tolist() == [1] * 8
    assert lanes(state, 0) == [3] * 8


def test_a_fused_load_happens_after_the_computation() -> None:
    state = fresh([1] * 8, [2] * 8)
    run(state, "vmulas.s16.xacc.ld.xp", qu=0, rs1=POINTER, rs2=POINTER, qx=0, qy=1)
    assert state.xacc == 16
    assert lanes(state, 0, "<u1") == list(range(16))
    assert state.x[POINTER] == BASE * 2 & 0xFFFFFFFF


def test_a_fault_changes_nothing() -> None:
    state = fresh([32767] * 8, [3] * 8, cfg=CFG_VXSAT_EN | 7 << 4, sar=1)
    state.x[POINTER] = BASE + 256
    before = state.copy()
    for mnemonic, operands in (
        ("vmul.s16.ld.incp", {"qu": 3, **THREE}),
        ("fft.r2bf.s16.st.incp", {"sel4": 2, **THREE}),
        ("vmulas.s16.qacc.st.ip", {"qu": 3, "off1616": 16, "qx": 0, "qy": 1}),
    ):
        with pytest.raises(AccessFault):
            run(state, mnemonic, rs1=POINTER, **operands)
        assert state.differences(before) == []


def test_widening_and_broadcasting_loads() -> None:
    state = fresh()
    state.memory[:16] = bytes((*range(120, 136),))
    run(state, "vldext.s8.ip", qu=0, qz=1, rs1=POINTER, off1616=-16)
    assert lanes(state, 0) == [*range(120, 128)]
    assert lanes(state, 1) == [*range(-128, -120)]
    assert state.x[POINTER] == BASE - 16
    state.x[POINTER] = BASE
    run(state, "vldhbc.16.incp", qu=2, qz=3, rs1=POINTER)
    halves = np.frombuffer(state.memory, "<i2", 8).tolist()
    assert lanes(state, 2) + lanes(state, 3) == [half for half in halves for _ in range(2)]
    assert state.x[POINTER] == BASE + 16
    run(state, "vmulas.u8.qacc.ldbc.incp", qu=4, rs1=POINTER, qx=0, qy=1)
    assert lanes(state, 4, "<u1") == [16] * 16
    assert state.x[POINTER] == BASE + 17
    run(state, "vld.l.64.ip", qu=4, rs1=POINTER, off2568=8)
    assert lanes(state, 4, "<u1") == [*range(16, 24)] + [16] * 8
    run(state, "vext.u8", qz=5, qv=6, qw=4)
    assert lanes(state, 5) + lanes(state, 6) == lanes(state, 4, "<u1")


def test_accumulators_are_loaded_with_extension() -> None:
    state = fresh()
    state.memory[:16] = bytes((*range(120, 136),))
    run(state, "ldqa.s8.128.ip", rs1=POINTER, off25616=0)
    assert state.qacc.view("<i4").tolist() == [*range(120, 128), *range(-128, -120)]
    run(state, "ldqa.u16.128.ip", rs1=POINTER, off25616=0)
    assert state.qacc.view("<i8").tolist() == np.frombuffer(state.memory, "<u2", 8).tolist()
    state.memory[:8] = bytes.fromhex("0100000080ffffff")
    run(state, "ld.xacc.ip", rs1=POINTER, off2568=8)
    assert state.xacc == 0x80_00000001
    run(state, "st.s.xacc.ip", rs1=POINTER, off2568=8)
    run(state, "st.u.xacc.ip", rs1=POINTER, off2568=8)
    assert state.memory[8:24] == bytes.fromhex("0100000080ffffff") + bytes.fromhex("0100000080000000")
    state.x[SCALAR] = 0x12345
    run(state, "movx.w.xacc.h", rs1=SCALAR)
    run(state, "movx.w.xacc.l", rs1=SCALAR)
    assert state.xacc == 0x45_00012345


def test_comparisons_extremes_and_single_lanes() -> None:
    state = fresh([-1, 2, 3, -128] * 4, [2, 2, -3, 127] * 4, dtype="<i1")
    run(state, "vcmp.lt.s8", **THREE)
    assert lanes(state, 2, "<u1") == [255, 0, 0, 255] * 4
    run(state, "vcmp.gt.u8", **THREE)
    assert lanes(state, 2, "<u1") == [255, 0, 0, 255] * 4
    run(state, "vmax.u8", **THREE)
    assert lanes(state, 2, "<u1") == [255, 2, 253, 128] * 4
    run(state, "min.s8.a", qw=0, rd=13)
    run(state, "max.u8.a", qw=0, rd=14)
    assert (state.x[13], state.x[14]) == (0xFFFFFF80, 0xFF)
    run(state, "movi.8.a", qy=0, rd=13, sel16=15)
    assert state.x[13] == 0x80
    state.x[SCALAR] = 0x1FF7F
    run(state, "movi.16.q", qy=0, rs1=SCALAR, sel16=13)
    run(state, "movi.32.a", qy=0, rd=13, sel4=2)
    assert state.x[13] == 0xFF7F02FF
    run(state, "vabs.8", qv=2, qy=0)
    assert lanes(state, 2, "<i1")[3] == 127


def test_scaled_additions() -> None:
    state = fresh()
    state.x[5], state.x[6] = 100, 25
    for mnemonic, expected in (("addx2", 150), ("addx4", 200), ("subx2", 50), ("subx4", 0)):
        run(state, mnemonic, rd=7, rs1=5, rs2=6)
        assert state.x[7] == expected
        run(state, mnemonic, rd=0, rs1=5, rs2=6)
        assert state.x[0] == 0


def test_indexed_words() -> None:
    state = fresh([0] * 8, [9, 8, 7, 6, 5, 4, 3, 2])
    run(state, "ldxq.32", qu=0, qw=1, rs1=POINTER, sel4=3, sel8=1)
    assert lanes(state, 0, "<u4") == [0, 0, 0, 0x23222120]
    run(state, "stxq.32", qu=0, qw=1, rs1=POINTER, sel4=3, sel8=7)
    assert state.memory[8:12] == bytes((0x20, 0x21, 0x22, 0x23))
    assert state.x[POINTER] == BASE


def test_register_pairs_move_by_one_byte_more_than_the_immediate() -> None:
    state = fresh(range(16), range(16, 32), dtype="<u1")
    run(state, "slci.2q", qy=0, qw=1, sel16=4)
    assert lanes(state, 0, "<u1") == [*range(27, 32), *range(11)]
    assert lanes(state, 1, "<u1") == [0] * 5 + [*range(16, 27)]
    state = fresh(range(16), range(16, 32), dtype="<u1")
    state.x[SCALAR], state.x[STEP] = 0x14, 7
    run(state, "srcxxp.2q", qy=0, qw=1, rs1=SCALAR, rs2=STEP)
    assert lanes(state, 0, "<u1") == [*range(5, 16)] + [0] * 5
    assert lanes(state, 1, "<u1") == [*range(21, 32), *range(5)]
    assert state.x[SCALAR] == 0x1B


def test_shifts_by_lane_take_a_signed_amount() -> None:
    amounts = [1, -1, 15, -16, 0x20, 0x1F, -2, 0]
    state = fresh([3, 3, 1, -1, 5, 5, -6, 7], amounts, cfg=HALF_EVEN)
    run(state, "vsld.16", qu=2, qy=0, qw=1)
    assert lanes(state, 2) == [6, 2, -32768, 0, 5, 2, -2, 7]
    run(state, "vsld.16", 3, qu=2, qy=0, qw=1)
    assert lanes(state, 2) == [6, 2, 32767, 0, 5, 2, -2, 7]
    run(state, "vsrd.16", qu=2, qy=0, qw=1)
    assert lanes(state, 2) == [2, 6, 0, 0, 5, 10, -24, 7]


def test_shift_by_sar_rounds_only_in_2p2() -> None:
    state = fresh([64, -128, 1024, 95], dtype="<i4", sar=32 + 6, cfg=HALF_EVEN)
    run(state, "vsr.s32", qu=1, qy=0)
    assert lanes(state, 1, "<i4") == [1, -2, 16, 1]
    run(state, "vsr.s32", 3, rm=1, qu=1, qy=0)
    assert lanes(state, 1, "<i4") == [1, -2, 16, 2]
    state.sar = 31
    run(state, "vsl.32", qu=1, qy=0)
    assert lanes(state, 1, "<u4") == [0, 0, 0, 1 << 31]
    run(state, "vsl.32", 3, qu=1, qy=0)
    assert lanes(state, 1, "<u4") == [0xFFFFFFFF] * 4
    with pytest.raises(LookupError):
        run(state, "vsl.s32", 1, qu=1, qy=0)


def test_zip_and_unzip() -> None:
    state = fresh(range(8), range(8, 16))
    run(state, "vzip.16", qx=0, qy=1)
    assert lanes(state, 0) == [0, 8, 1, 9, 2, 10, 3, 11]
    run(state, "vunzip.16", qx=0, qy=1)
    assert (lanes(state, 0), lanes(state, 1)) == ([*range(8)], [*range(8, 16)])


def test_clamps() -> None:
    state = fresh([-300, -5, 0, 5, 300, 32767, -32768, 16])
    run(state, "vclamp.s16", qz=1, qx=0, sel16=4)
    assert lanes(state, 1) == [-16, -5, 0, 5, 15, 15, -16, 15]
    state.x[STEP], state.x[SCALAR], state.x[13] = 0xFFFFFFF0, 8, 300
    run(state, "vsat.s16", qz=1, qx=0, rs1=STEP, rs2=SCALAR)
    assert lanes(state, 1) == [-16, -5, 0, 5, 8, 8, -16, 8]
    run(state, "sat", rsd=13, rs0=SCALAR, rs1=STEP)
    assert state.x[13] == 8


def test_cfg_is_cleared_of_vxsat_by_reading_it() -> None:
    state = fresh(cfg=CFG_VXSAT)
    state.x[SCALAR] = 0xFFFFFFFF
    run(state, "movx.w.cfg", rs1=SCALAR)
    run(state, "movx.r.cfg", rd=13)
    assert (state.x[13], state.cfg) == (0x1F7, 0x1F3)
    run(state, "movx.w.cfg", 3, rs1=SCALAR)
    assert state.cfg == 0xF3


def test_extras_belong_to_2p2() -> None:
    with pytest.raises(LookupError):
        run(fresh(), "vadd.s16", 1, sat=0, **SUM)
    with pytest.raises(LookupError):
        run(fresh(), "vadd.s16", 3, rm=0, **SUM)
