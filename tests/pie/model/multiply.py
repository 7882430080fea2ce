"""Multiplications whose results go to q registers: VMUL, its widening forms, CMUL, VRELU and VPRELU.

| point | decision | evidence |
|---|---|---|
| VMUL | exact product, shifted right by SAR[5:0] with rounding, clipped | HW (1000 * 1000 gives 32767), against DOC's "low bits" |
| widening VMUL | the same shift; cannot overflow; low lanes to qz, high lanes to qv | DOC for S16.S8XS8; S32.S16XS16 likewise |
| CMUL sel4 | bit 0 the 64-bit half that is computed (the other is kept), bit 1 conj(qx) * qy | esp-dsp's FFT calls it with 2 and 3 and equals its C twin |
| CMUL sums | exact before the shift; clipped after it | HW saturates; S3 keeps low bits |
| CMUL unsigned | lanes unsigned, the difference signed: negative real parts clip to 0 | open |
| VPRELU | qy data, qx slope | DL passes input, alpha, shift |
| VRELU | slope low lane bits of rs2, signed; data and result in qy | DL passes alpha, shift; DOC's formula lacks both |
| amount of both | rs1[4:0] for 8-bit, rs1[5:0] for 16-bit data | S3's operations (VRELU.S16: "the lower 6 bits in register ay") |
| both RELUs | positive lanes unchanged, others rounded by the mode and clipped | DL's C tails clip both; 2.2 gives both sat and rm; rounding itself is nowhere documented |
"""

from __future__ import annotations

from .core import LANES_8_16, S8, S16, S32, Compute, Context, Lane, define, define_fused, pack, wrap
from .memory import INCP

SAT_RM = ("sat", "rm")


def _vmul(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        sar = c.state.sar
        pairs = zip(c.lanes("qx", lane), c.lanes("qy", lane), strict=True)
        c.set_lanes("qz", [c.clip(c.shift(a * b, sar), lane) for a, b in pairs], lane)

    return run


def _widening(lane: Lane, wide: Lane) -> Compute:
    def run(c: Context) -> None:
        sar = c.state.sar
        pairs = zip(c.lanes("qx", lane), c.lanes("qy", lane), strict=True)
        products = pack((c.shift(a * b, sar) for a, b in pairs), wide)
        c.set_q("qz", products[:16])
        c.set_q("qv", products[16:])

    return run


def complex_product(a: tuple[int, int], b: tuple[int, int], *, conjugate_a: bool) -> tuple[int, int]:
    """a * b or conj(a) * b, exact, as (real, imaginary)."""
    (ar, ai), (br, bi) = a, b
    if conjugate_a:
        ai = -ai
    return ar * br - ai * bi, ar * bi + ai * br


def _cmul(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        sar, conjugate = c.state.sar, bool(c["sel4"] & 2)
        count = 8 // lane.size
        first = count if c["sel4"] & 1 else 0
        x, y = c.lanes("qx", lane), c.lanes("qy", lane)
        z = c.lanes("qz", lane)
        for i in range(first, first + count, 2):
            product = complex_product((x[i], x[i + 1]), (y[i], y[i + 1]), conjugate_a=conjugate)
            z[i : i + 2] = [c.clip(c.shift(part, sar), lane) for part in product]
        c.set_lanes("qz", z, lane)

    return run


def _relu_lane(c: Context, value: int, slope: int, amount: int, lane: Lane) -> int:
    return value if value > 0 else c.clip(c.shift(value * slope, amount), lane)


def _relu_amount(c: Context, lane: Lane) -> int:
    return c.x("rs1") & (31 if lane.bits == 8 else 63)


def _vrelu(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        slope, amount = wrap(c.x("rs2"), lane), _relu_amount(c, lane)
        c.set_lanes("qy", [_relu_lane(c, value, slope, amount, lane) for value in c.lanes("qy", lane)], lane)

    return run


def _vprelu(lane: Lane) -> Compute:
    def run(c: Context) -> None:
        amount = _relu_amount(c, lane)
        pairs = zip(c.lanes("qy", lane), c.lanes("qx", lane), strict=True)
        c.set_lanes("qz", [_relu_lane(c, value, slope, amount, lane) for value, slope in pairs], lane)

    return run


def _define_all() -> None:
    for lane in LANES_8_16:
        define_fused(f"esp.vmul.{lane.name}", _vmul(lane), INCP, extras=SAT_RM)
        define_fused(f"esp.cmul.{lane.name}", _cmul(lane), INCP, extras=SAT_RM)
    define("esp.vmul.s16.s8xs8", _widening(S8, S16), extras=("rm",))
    define("esp.vmul.s32.s16xs16", _widening(S16, S32), extras=("rm",))
    for lane in (S8, S16):
        define(f"esp.vrelu.{lane.name}", _vrelu(lane), extras=SAT_RM)
        define(f"esp.vprelu.{lane.name}", _vprelu(lane), extras=SAT_RM)


_define_all()
