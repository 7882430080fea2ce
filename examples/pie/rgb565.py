"""RGB888 to RGB565, the format of small displays: 16 pixels at a time, split into colours by esp.vunzipt.8."""

from __future__ import annotations

import numpy as np
import skimage.data

import p4kernel as p4

from .comparison import Array, Comparison, compare


@p4.kernel(opt="O3", require="rgb.size == 3 * out.size")
def scalar(rgb: p4.In[np.uint8], out: p4.Out[np.uint16], n: p4.i32 = p4.size("out")) -> None:
    p4.c(r"""
        for (int i = 0; i < n; ++i) {
            const uint8_t *pixel = rgb + 3 * i;
            out[i] = (pixel[0] & 0xF8) << 8 | (pixel[1] & 0xFC) << 3 | pixel[2] >> 3;
        }
    """)


_SIZES = ["rgb.size == 3 * out.size", "out.size > 0", "out.size % 16 == 0"]


@p4.kernel(require=_SIZES)
def intrinsics(rgb: p4.In[np.uint8], out: p4.Out[np.uint16], n: p4.i32 = p4.size("out")) -> None:
    """There is no shift of bytes; a product that is shifted right by SAR = 5 is one: * 1 by 5, * 4 by 3."""
    p4.c(
        r"""
        static const uint8_t constants[] = {0xF8, 0x1C, 1, 4};
        const uint8_t *constant = constants;
        p4_vldbc_8_ip(q4, constant, 1);
        p4_vldbc_8_ip(q5, constant, 1);
        p4_vldbc_8_ip(q6, constant, 1);
        p4_vldbc_8_ip(q7, constant, 1);
        p4_movx_w_sar(5);
        p4_loop(n / 16, (rgb, out),
                p4_vld_128_ip(q0, rgb, 16),
                p4_vld_128_ip(q1, rgb, 16),
                p4_vld_128_ip(q2, rgb, 16),
                p4_vunzipt_8(q0, q1, q2),       /* red, green, blue */
                p4_andq(q0, q0, q4),
                p4_vmul_u8(q3, q1, q6),         /* green >> 5 */
                p4_orq(q3, q3, q0),             /* the high bytes */
                p4_andq(q1, q1, q5),
                p4_vadd_u8(q1, q1, q1),
                p4_vadd_u8(q1, q1, q1),
                p4_vadd_u8(q1, q1, q1),         /* (green & 0x1C) << 3 */
                p4_vmul_u8(q2, q2, q7),         /* blue >> 3 */
                p4_orq(q2, q2, q1),             /* the low bytes */
                p4_vzip_8(q2, q3),
                p4_vst_128_ip(q2, out, 16),
                p4_vst_128_ip(q3, out, 16));
        """,
        preamble="#include <p4_pie.h>",
    )


@p4.kernel(require=_SIZES)
def assembly(rgb: p4.In[np.uint8], out: p4.Out[np.uint16], n: p4.i32 = p4.size("out")) -> None:
    """There is no shift of bytes; a product that is shifted right by SAR = 5 is one: * 1 by 5, * 4 by 3."""
    p4.asm(
        r"""
            .option norvc
            la    t3, constants
            esp.vldbc.8.ip  q4, t3, 1       # 0xF8
            esp.vldbc.8.ip  q5, t3, 1       # 0x1C
            esp.vldbc.8.ip  q6, t3, 1       # 1
            esp.vldbc.8.ip  q7, t3, 0       # 4
            li    t3, 5
            esp.movx.w.sar  t3
            srli  a2, a2, 4
            esp.lp.setup  0, a2, 1f
            esp.vld.128.ip  q0, a0, 16
            esp.vld.128.ip  q1, a0, 16
            esp.vld.128.ip  q2, a0, 16
            esp.vunzipt.8  q0, q1, q2       # red, green, blue
            esp.andq  q0, q0, q4
            esp.vmul.u8  q3, q1, q6         # green >> 5
            esp.orq  q3, q3, q0             # the high bytes
            esp.andq  q1, q1, q5
            esp.vadd.u8  q1, q1, q1
            esp.vadd.u8  q1, q1, q1
            esp.vadd.u8  q1, q1, q1         # (green & 0x1C) << 3
            esp.vmul.u8  q2, q2, q7         # blue >> 3
            esp.orq  q2, q2, q1             # the low bytes
            esp.vzip.8  q2, q3
            esp.vst.128.ip  q2, a1, 16
            esp.vst.128.ip  q3, a1, 16
        1:  nop
            ret

            .section .rodata
        constants:
            .byte 0xF8, 0x1C, 1, 4
        """,
        preamble="#include <p4_pie.h>",
    )


def run() -> Comparison:
    """A colour photograph, on the current board."""
    photo = skimage.data.astronaut()
    red, green, blue = np.moveaxis(photo.astype(np.uint16), -1, 0)
    expected: Array = (red & 0xF8) << 8 | (green & 0xFC) << 3 | blue >> 3

    def call(kernel: p4.Kernel[..., None]) -> Array:
        out = np.empty(expected.shape, np.uint16)
        kernel(photo, out)
        return out

    title = f"RGB888 to RGB565, {photo.shape[1]} x {photo.shape[0]} pixels"
    return compare(title, expected, (scalar, intrinsics, assembly), call)
