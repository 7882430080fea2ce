"""Light laid over a photograph: 16 pixels at a time, clipped at white by the adder itself."""

from __future__ import annotations

import numpy as np
import skimage.data

import p4kernel as p4

from .comparison import Array, Comparison, compare

WEIGHT = 160  # of 256


@p4.kernel(opt="O3")
def scalar(
    photo: p4.In[np.uint8],
    light: p4.In[np.uint8],
    out: p4.Out[np.uint8],
    weight: p4.u8,
    n: p4.i32 = p4.size("photo", "light", "out"),
) -> None:
    p4.c(r"""
        for (int i = 0; i < n; ++i) {
            unsigned sum = photo[i] + (light[i] * weight >> 8);
            out[i] = sum > 255 ? 255 : sum;
        }
    """)


_SIZES = ["out.size > 0", "out.size % 16 == 0"]


@p4.kernel(require=_SIZES)
def intrinsics(
    photo: p4.In[np.uint8],
    light: p4.In[np.uint8],
    out: p4.Out[np.uint8],
    weight: p4.u8,
    n: p4.i32 = p4.size("photo", "light", "out"),
) -> None:
    """esp.vmul.u8 shifts its products by SAR; the load that is fused to it brings the photograph."""
    p4.c(
        r"""
        const uint8_t *factor = &weight;
        p4_vldbc_8_ip(q7, factor, 0);
        p4_movx_w_sar(8);
        p4_loop(n / 16, (photo, light, out),
                p4_vld_128_ip(q1, light, 16),
                p4_vmul_u8_ld_incp(q0, photo, q2, q1, q7),
                p4_vadd_u8(q2, q2, q0),
                p4_vst_128_ip(q2, out, 16));
        """,
        preamble="#include <p4_pie.h>",
    )


@p4.kernel(require=_SIZES)
def assembly(
    photo: p4.In[np.uint8],
    light: p4.In[np.uint8],
    out: p4.Out[np.uint8],
    weight: p4.u8,
    n: p4.i32 = p4.size("photo", "light", "out"),
) -> None:
    """esp.vmul.u8 shifts its products by SAR; the load that is fused to it brings the photograph."""
    p4.asm(
        r"""
            .option norvc
            addi  sp, sp, -16
            sb    a3, 0(sp)
            mv    t3, sp
            esp.vldbc.8.ip  q7, t3, 0
            addi  sp, sp, 16
            li    t3, 8
            esp.movx.w.sar  t3
            srli  a4, a4, 4
            esp.lp.setup  0, a4, 1f
            esp.vld.128.ip  q1, a1, 16
            esp.vmul.u8.ld.incp  q0, a0, q2, q1, q7
            esp.vadd.u8  q2, q2, q0
            esp.vst.128.ip  q2, a2, 16
        1:  nop
            ret
        """,
        preamble="#include <p4_pie.h>",
    )


def run() -> Comparison:
    """A photograph of coins with light from the left, on the current board."""
    photo = skimage.data.coins()
    photo = photo[:, : photo.shape[1] // 16 * 16].copy()
    light = np.broadcast_to(np.linspace(255, 0, photo.shape[1]).astype(np.uint8), photo.shape).copy()
    expected = np.minimum(photo + (light.astype(np.uint16) * WEIGHT >> 8), 255).astype(np.uint8)

    def call(kernel: p4.Kernel[..., None]) -> Array:
        out = np.empty(photo.shape, np.uint8)
        kernel(photo, light, out, WEIGHT)
        return out

    title = f"saturating blend, {photo.shape[1]} x {photo.shape[0]} pixels"
    return compare(title, expected, (scalar, intrinsics, assembly), call)
