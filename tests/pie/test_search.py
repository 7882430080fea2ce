"""Searches that people would type, and what they have to see first."""

from __future__ import annotations

import pytest

from p4kernel.pie import instructions, search

FIRST = {
    "saturating add 16": "esp.vadd.s16",
    "signed 16 bit saturating add": "esp.vadd.s16",
    "unsigned saturating subtract 8": "esp.vsub.u8",
    "add scalar int16": "esp.vsadds.s16",
    "int8 dot product": "esp.vmulas.s8.xacc",
    "dot product uint8": "esp.vmulas.u8.xacc",
    "int8 dot product load": "esp.vmulas.s8.xacc.ld.ip",
    "accumulate": "esp.vmulas.s8.qacc",
    "int16 fir": "esp.vsmulas.s16.qacc",
    "int8 convolution": "esp.vsmulas.s8.qacc",
    "multiply s16": "esp.vmul.s16",
    "complex multiply": "esp.cmul.s8",
    "complex multiply accumulate s16": "esp.vcmulas.s16.qacc.h",
    "load": "esp.vld.128.ip",
    "load 128": "esp.vld.128.ip",
    "store": "esp.vst.128.ip",
    "load unaligned": "esp.ld.128.usar.ip",
    "unaligned store": "esp.srcq.128.st.incp",
    "copy memory": "esp.vld.128.ip",
    "broadcast 16": "esp.vldbc.16.ip",
    "gather": "esp.ldxq.32",
    "scatter": "esp.stxq.32",
    "transpose": "esp.vzip.8",
    "interleave 16": "esp.vzip.16",
    "deinterleave": "esp.vunzip.8",
    "widen int8 to int16": "esp.vext.s8",
    "hardware loop": "esp.lp.setup",
    "hardware loops": "esp.lp.setup",
    "max": "esp.vmax.s8",
    "max unsigned 16": "esp.vmax.u16",
    "horizontal max int16": "esp.max.s16.a",
    "min": "esp.vmin.s8",
    "clamp": "esp.vclamp.s16",
    "absolute value 8": "esp.vabs.8",
    "relu": "esp.vrelu.s8",
    "compare equal s8": "esp.vcmp.eq.s8",
    "less than u32": "esp.vcmp.lt.u32",
    "xor": "esp.xorq",
    "or": "esp.orq",
    "bitwise and": "esp.andq",
    "shift right": "esp.vsr.s32",
    "shift left": "esp.vsl.32",
    "zero register": "esp.zero.q",
    "clear accumulator": "esp.zero.qacc",
    "read accumulator": "esp.srs.s.xacc",
    "requantize int8": "esp.srcmb.s8.qacc",
    "write sar": "esp.movx.w.sar",
    "read cfg": "esp.movx.r.cfg",
    "extract 8": "esp.movi.8.a",
    "bit reverse": "esp.fft.bitrev",
    "fft butterfly": "esp.fft.r2bf.s16",
}


@pytest.mark.parametrize("text", FIRST)
def test_first_hit(text: str) -> None:
    assert search(text)[0].mnemonic == FIRST[text]


def test_order() -> None:
    """Plain before fused, signed before unsigned, and nothing that does not fit."""
    names = [hit.mnemonic for hit in search("max", limit=400)]
    plain = [name for name in names if not name.endswith((".ld.incp", ".st.incp"))]
    assert names[: len(plain)] == plain
    assert names[:6] == [f"esp.vmax.{kind}" for kind in ("s8", "s16", "s32", "u8", "u16", "u32")]
    assert all("max" in name or "bitrev" in name for name in names)


def test_every_word_must_fit() -> None:
    assert search("dot product bananas") == search("bananas") == search("xor load") == ()
    assert search("the of vector") == search("") == ()


def test_names_and_their_parts_are_found() -> None:
    for instruction in instructions():
        parts = instruction.mnemonic.split(".")[1:]
        if all(part not in ("a", "q", "r", "w", "s", "u") for part in parts):
            assert instruction in search(" ".join(parts), limit=400), instruction.mnemonic
        assert search(instruction.mnemonic)[0] == instruction
