"""The FFT instructions. A complex lane is two 16-bit halves, the real part lower.

| point | decision | evidence |
|---|---|---|
| R2BF | qz from qx, qv from qy; sel2 = 0 pairs complex lanes 0,2 and 1,3, sel2 = 1 pairs 0,1 and 2,3; sums low, differences high; not scaled | DL's last two stages; HW: 10 + 50, 20 + 60, ... |
| R2BF.ST | stores (x + y) >> sel4 from 17 bits; qz = x - y | DL equals its C twin |
| CMUL.LD | complex lane sel8 >> 1 of qz = qy * conj(qx) (even sel8) or qy * qx (odd), shifted by SAR | DL, forward and inverse |
| CMUL.ST | the product of that lane is the top of the stored block; below it, from lane 0: upd4 = 0: qu 0, 1, 2; 1: qy 0 and 1 >> sel4, qu 2; 2: qy 0 >> sel4, qu 2, qy 1 >> sel4 | DL's stages; sel4 does not act on products |
| CMUL.ST upd4 = 3 | as 0 | open, unused |
| AMS | f = qx, b = qw, w = qy: s = f + conj(b), t = (f - conj(b)) * w >> SAR with w conjugated when sel2 = 1; qz = s + t, qv = conj(s - t) | DL's C twin |
| AMS lanes | UAUP 0, LD.INCP 1, LD.R32.DECP 2, ST.INCP 3 (its s + t goes to rs2) | order of use in DL |
| AMS.ST | stores old rs2, then lanes 0 to 2 of old qu; each half >> 1 when sel2 = 0; rs2 gets the new lane unshifted | DL: rs2 carries lane 3 into the next block; its C twin halves in one direction only |
| UAUP | loads a block; qu = {block:UA_STATE} >> SAR_BYTE bytes; UA_STATE = block; alignment by the general rule | DL's priming call; S3 |
| R32.DECP | the four 32-bit words reversed, rs1 -= 16 | DL walks the spectrum backwards |
| VST.R32.DECP | words reversed, each half >> sel2 | DL: 1 forward, 0 inverse |
| results too large | clipped, in 2.2 unless trunc; sums and differences inside AMS are exact | 2.2: RMSE of DL's FFTs on a board at 2048 points, to all digits; 2.1: DL ships the same code for it, whose tests at 2048 points fail with low bits and pass with clipping; where 2.2 has `sat`, boards clip in 2.1, too (VMUL, CMUL). DL's comment that AMS drops bit 16 is copied from its S3 source |
| rounding | every shift by vxrm, 2.2 has no `rm` here | DL's figures on a board, with vxrm 0 and 6; it relies on half-even against the S3's truncation |
| BITREV | lane i: v = (rs1 + i) modulo 2^width, the larger of v and its reversal in width bits; rs1 += 8 | HW: [0, 4, 2, 6, 4, 5, 6, 7] for width 3 from an address-like rs1 |
| FFT_BIT_WIDTH | the width itself, 0 to 15 as written | DL passes log2(N) |
"""

from __future__ import annotations

import numpy as np

from .core import S16, U16, Compute, Context, define, fused, pack
from .memory import BY_16, BY_MINUS_16, BY_RS2, loading, put_qu, storing
from .multiply import complex_product
from .shifts import spliced
from .state import MASK16, Bytes

SAT = ("sat",)
_R2BF_PAIRS = ({0: 2, 1: 3}, {0: 1, 2: 3})  # by sel2
_UPD4_SOURCES = (
    (("qu", 0), ("qu", 1), ("qu", 2)),
    (("qy", 0), ("qy", 1), ("qu", 2)),
    (("qy", 0), ("qu", 2), ("qy", 1)),
    (("qu", 0), ("qu", 1), ("qu", 2)),
)

Complex = tuple[int, int]


def _complex(values: list[int], lane: int) -> Complex:
    return values[2 * lane], values[2 * lane + 1]


def _define(mnemonic: str, run: Compute) -> None:
    define(mnemonic, run, extras=SAT)


def _r2bf(c: Context) -> None:
    pairs = _R2BF_PAIRS[c["sel2"]]
    results = []
    for name in ("qx", "qy"):
        x = c.lanes(name, S16)
        sums = [x[2 * a + part] + x[2 * b + part] for a, b in pairs.items() for part in (0, 1)]
        differences = [x[2 * a + part] - x[2 * b + part] for a, b in pairs.items() for part in (0, 1)]
        results.append([c.clip(value, S16) for value in sums + differences])
    c.set_lanes("qz", results[0], S16)
    c.set_lanes("qv", results[1], S16)


def _r2bf_sums(c: Context) -> Bytes:
    pairs = zip(c.lanes("qx", S16), c.lanes("qy", S16), strict=True)
    return pack((c.clip(c.shift(x + y, c["sel4"]), S16) for x, y in pairs), S16)


def _r2bf_differences(c: Context) -> None:
    pairs = zip(c.lanes("qx", S16), c.lanes("qy", S16), strict=True)
    c.set_lanes("qz", [c.clip(x - y, S16) for x, y in pairs], S16)


def _twiddled(c: Context) -> list[int]:
    """The product of complex lane sel8 >> 1."""
    lane = c["sel8"] >> 1
    data, factor = _complex(c.lanes("qy", S16), lane), _complex(c.lanes("qx", S16), lane)
    product = complex_product(factor, data, conjugate_a=not c["sel8"] & 1)
    return [c.clip(c.shift(part, c.state.sar), S16) for part in product]


def _cmul_into_qz(c: Context) -> None:
    c.q("qz").view("<i2")[2 * (c["sel8"] >> 1) :][:2] = _twiddled(c)


def _cmul_block(c: Context) -> Bytes:
    halves: list[int] = []
    for name, lane in _UPD4_SOURCES[c["upd4"]]:
        amount = c["sel4"] if name == "qy" else 0
        halves += [c.shift(part, amount) for part in _complex(c.lanes(name, S16), lane)]
    return pack(halves + _twiddled(c), S16)


def _nothing(c: Context) -> None:
    """The computation of an instruction that is only a store."""


def _ams(c: Context, lane: int) -> tuple[list[int], list[int]]:
    """(s + t, conj(s - t)) of one complex lane, fitted to 16 bits."""
    (fr, fi), (br, bi), w = (_complex(c.lanes(name, S16), lane) for name in ("qx", "qw", "qy"))
    sr, si, difference = fr + br, fi - bi, (fr - br, fi + bi)
    tr, ti = (c.shift(part, c.state.sar) for part in complex_product(w, difference, conjugate_a=bool(c["sel2"])))
    forward, backward = (sr + tr, si + ti), (sr - tr, ti - si)
    return [c.clip(value, S16) for value in forward], [c.clip(value, S16) for value in backward]


def _ams_into_lane(lane: int) -> Compute:
    def run(c: Context) -> None:
        forward, backward = _ams(c, lane)
        c.q("qz").view("<i2")[2 * lane :][:2] = forward
        c.q("qv").view("<i2")[2 * lane :][:2] = backward

    return run


def _ams_block(c: Context) -> Bytes:
    amount = 0 if c["sel2"] else 1
    carried = pack([c.x("rs2") & MASK16, c.x("rs2") >> 16], U16)
    halves = [*carried.view("<i2").tolist(), *c.lanes("qu", S16)[:6]]
    return pack((c.shift(half, amount) for half in halves), S16)


def _ams_last_lane(c: Context) -> None:
    (real, imaginary), backward = _ams(c, 3)
    c.q("qz").view("<i2")[6:] = backward
    c.set_x("rs2", (imaginary & MASK16) << 16 | real & MASK16)


def _put_spliced(c: Context, block: Bytes) -> None:
    c.set_q("qu", spliced(block, c.state.ua_state, c.state.sar_byte))
    c.state.ua_state = block.copy()


def reversed_words(data: Bytes) -> Bytes:
    """The four 32-bit words in reverse order."""
    return data.view("<u4")[::-1].copy().view(np.uint8)


def _put_reversed(c: Context, block: Bytes) -> None:
    c.set_q("qu", reversed_words(block))


def _get_reversed(c: Context) -> Bytes:
    return reversed_words(pack((c.shift(half, c["sel2"]) for half in c.lanes("qu", S16)), S16))


def _bitrev(c: Context) -> None:
    width, counter = c.state.fft_bit_width, c.x("rs1")
    values = [(counter + i) & ((1 << width) - 1) for i in range(8)]
    c.set_lanes("qv", [max(value, _reversed_bits(value, width)) for value in values], U16)
    c.set_x("rs1", counter + 8)


def _reversed_bits(value: int, width: int) -> int:
    return sum((value >> i & 1) << width - 1 - i for i in range(width))


_define("esp.fft.r2bf.s16", _r2bf)
_define("esp.fft.r2bf.s16.st.incp", fused(_r2bf_differences, storing(16, BY_16, _r2bf_sums)))
_define("esp.fft.cmul.s16.ld.xp", fused(_cmul_into_qz, loading(16, BY_RS2, put_qu)))
_define("esp.fft.cmul.s16.st.xp", fused(_nothing, storing(16, BY_RS2, _cmul_block)))
_define("esp.fft.ams.s16.ld.incp.uaup", fused(_ams_into_lane(0), loading(16, BY_16, _put_spliced)))
_define("esp.fft.ams.s16.ld.incp", fused(_ams_into_lane(1), loading(16, BY_16, put_qu)))
_define("esp.fft.ams.s16.ld.r32.decp", fused(_ams_into_lane(2), loading(16, BY_MINUS_16, _put_reversed)))
_define("esp.fft.ams.s16.st.incp", fused(_ams_last_lane, storing(16, BY_16, _ams_block)))
define("esp.fft.vst.r32.decp", fused(_nothing, storing(16, BY_MINUS_16, _get_reversed)))
define("esp.fft.bitrev", _bitrev)
