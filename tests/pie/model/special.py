"""Moves between x registers and the special registers.

| point | decision | evidence |
|---|---|---|
| XACC halves | .L is bits 31..0, .H is bits 39..32, read zero-extended; writing one keeps the other | DL writes a 32-bit bias and its sign to them; DOC's 24/16 split is wrong |
| widths | SAR 6 bits, SAR_BYTE 4, FFT_BIT_WIDTH 4; higher bits of the source are dropped | DOC |
| CFG write | vxsat_en (2.1 only), vxrm, mis_ld, mis_st; rm_exc and vxsat are read-only | DOC |
| CFG read | gives vxsat, then clears it, in 2.1 only with vxsat_en set; rm_exc stays set | DOC's table of the register; its text on vxsat leaves the condition out |
| PERF | a plain 32-bit register; rs1 of the read is ignored | no document says what it counts |
"""

from __future__ import annotations

from .core import Context, define
from .state import CFG_MIS_LD, CFG_MIS_ST, CFG_RM_EXC, CFG_VXRM_SHIFT, CFG_VXSAT, CFG_VXSAT_EN, MASK32

_WRITABLE_2P2 = 0xF << CFG_VXRM_SHIFT | CFG_MIS_LD | CFG_MIS_ST
_WRITABLE_2P1 = _WRITABLE_2P2 | CFG_VXSAT_EN
_READ_ONLY = CFG_RM_EXC | CFG_VXSAT


def _read_cfg(c: Context) -> None:
    c.set_x("rd", c.state.cfg)
    if c.xespv_2p2 or c.state.cfg & CFG_VXSAT_EN:
        c.state.cfg &= ~CFG_VXSAT


def _write_cfg(c: Context) -> None:
    writable = _WRITABLE_2P2 if c.xespv_2p2 else _WRITABLE_2P1
    c.state.cfg = (c.state.cfg & _READ_ONLY) | (c.x("rs1") & writable)


def _write_sar(c: Context) -> None:
    c.state.sar = c.x("rs1") & 63


def _write_sar_bytes(c: Context) -> None:
    c.state.sar_byte = c.x("rs1") & 15


def _write_fft_bit_width(c: Context) -> None:
    c.state.fft_bit_width = c.x("rs1") & 15


def _write_perf(c: Context) -> None:
    c.state.perf = c.x("rs1")


def _write_xacc_low(c: Context) -> None:
    c.state.xacc = (c.state.xacc & ~MASK32) | c.x("rs1")


def _write_xacc_high(c: Context) -> None:
    c.state.xacc = (c.state.xacc & MASK32) | (c.x("rs1") & 0xFF) << 32


define("esp.movx.r.cfg", _read_cfg)
define("esp.movx.w.cfg", _write_cfg)
define("esp.movx.r.sar", lambda c: c.set_x("rd", c.state.sar))
define("esp.movx.w.sar", _write_sar)
define("esp.movx.r.sar.bytes", lambda c: c.set_x("rd", c.state.sar_byte))
define("esp.movx.w.sar.bytes", _write_sar_bytes)
define("esp.movx.r.fft.bit.width", lambda c: c.set_x("rd", c.state.fft_bit_width))
define("esp.movx.w.fft.bit.width", _write_fft_bit_width)
define("esp.movx.r.perf", lambda c: c.set_x("rd", c.state.perf))
define("esp.movx.w.perf", _write_perf)
define("esp.movx.r.xacc.l", lambda c: c.set_x("rd", c.state.xacc & MASK32))
define("esp.movx.r.xacc.h", lambda c: c.set_x("rd", c.state.xacc >> 32))
define("esp.movx.w.xacc.l", _write_xacc_low)
define("esp.movx.w.xacc.h", _write_xacc_high)
