"""A 3 x 3 convolution in int8, the core of small neural networks: 16 pixels at a time in QACC, one weight an instruction."""

from __future__ import annotations

import numpy as np
import skimage.data

import p4kernel as p4

from .comparison import Array, Comparison, compare

PAD = 16
"""Columns behind the last output: the two that the window needs, and what fills a register."""
SHIFT = 4


@p4.kernel(opt="O3", require=["weights.size >= 9", f"x.size == (h + 2) * (w + {PAD})"])
def scalar(
    x: p4.In[np.int8],
    weights: p4.In[np.int8],
    out: p4.Out[np.int8],
    h: p4.i32 = p4.dim("out", 0),
    w: p4.i32 = p4.dim("out", 1),
) -> None:
    p4.c(rf"""
        int stride = w + {PAD};
        for (int i = 0; i < h; ++i)
            for (int j = 0; j < w; ++j) {{
                int32_t sum = 0;
                for (int k = 0; k < 3; ++k)
                    for (int l = 0; l < 3; ++l)
                        sum += x[(i + k) * stride + j + l] * weights[3 * k + l];
                sum >>= {SHIFT};
                out[i * w + j] = sum > 127 ? 127 : sum < -128 ? -128 : sum;
            }}
    """)


_SIZES = ["weights.size == 16", f"x.size == (h + 2) * (w + {PAD})", "h > 0", "w > 0", "w % 16 == 0"]


@p4.kernel(require=_SIZES)
def intrinsics(
    x: p4.In[np.int8],
    weights: p4.In[np.int8],
    out: p4.Out[np.int8],
    h: p4.i32 = p4.dim("out", 0),
    w: p4.i32 = p4.dim("out", 1),
) -> None:
    """q1:q0 holds 32 pixels of a row; p4_srci_2q moves the pair on by one pixel."""
    rows = ", ".join(
        f"""p4_vld_128_ip(q0, {pointer}, 16), p4_vld_128_ip(q1, {pointer}, 0),
            p4_vsmulas_s8_qacc(q0, q7, {3 * k}), p4_srci_2q(q1, q0, 0),
            p4_vsmulas_s8_qacc(q0, q7, {3 * k + 1}), p4_srci_2q(q1, q0, 0),
            p4_vsmulas_s8_qacc(q0, q7, {3 * k + 2})"""
        for k, pointer in enumerate(("above", "here", "below"))
    )
    p4.c(
        rf"""
        int stride = w + {PAD}, shift = {SHIFT};
        p4_vld_128_ip(q7, weights, 0);
        for (int i = 0; i < h; ++i) {{
            const int8_t *above = x + i * stride, *here = above + stride, *below = here + stride;
            p4_loop(w / 16, (above, here, below, out, shift),
                    p4_zero_qacc(),
                    {rows},
                    p4_srcmb_s8_qacc(q2, shift),
                    p4_vst_128_ip(q2, out, 16));
        }}
        """,
        preamble="#include <p4_pie.h>",
    )


@p4.kernel(require=_SIZES)
def assembly(
    x: p4.In[np.int8],
    weights: p4.In[np.int8],
    out: p4.Out[np.int8],
    h: p4.i32 = p4.dim("out", 0),
    w: p4.i32 = p4.dim("out", 1),
) -> None:
    """q1:q0 holds 32 pixels of a row; esp.srci.2q moves the pair on by one pixel."""
    rows = "\n".join(
        f"""
            esp.vld.128.ip  q0, {pointer}, 16
            esp.vld.128.ip  q1, {pointer}, 0
            esp.vsmulas.s8.qacc  q0, q7, {3 * k}
            esp.srci.2q  q1, q0, 0
            esp.vsmulas.s8.qacc  q0, q7, {3 * k + 1}
            esp.srci.2q  q1, q0, 0
            esp.vsmulas.s8.qacc  q0, q7, {3 * k + 2}"""
        for k, pointer in enumerate(("t3", "t4", "t5"))
    )
    p4.asm(
        rf"""
            .option norvc
            esp.vld.128.ip  q7, a1, 0
            li    a5, {SHIFT}
            srli  a1, a4, 4
            addi  a4, a4, {PAD}
        0:  mv    t3, a0
            add   t4, t3, a4
            add   t5, t4, a4
            esp.lp.setup  0, a1, 1f
            esp.zero.qacc
            {rows}
            esp.srcmb.s8.qacc  q2, a5, 1
            esp.vst.128.ip  q2, a2, 16
        1:  nop
            add   a0, a0, a4
            addi  a3, a3, -1
            bnez  a3, 0b
            ret
        """,
        preamble="#include <p4_pie.h>",
    )


def run() -> Comparison:
    """The edges of a photograph, on the current board."""
    photo = (skimage.data.coins() ^ 0x80).view(np.int8)
    h, w = photo.shape[0] - 2, (photo.shape[1] - PAD) // 16 * 16
    x = photo[:, : w + PAD].copy()
    weights = np.zeros(16, np.int8)
    weights[:9] = (-1, -2, -1, -2, 12, -2, -1, -2, -1)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.int32), (3, 3))[:h, :w]
    expected = np.clip(np.einsum("ijkl,kl->ij", windows, weights[:9].reshape(3, 3)) >> SHIFT, -128, 127).astype(np.int8)

    def call(kernel: p4.Kernel[..., None]) -> Array:
        out = np.empty((h, w), np.int8)
        kernel(x, weights, out)
        return out

    return compare(f"int8 3x3 convolution, {w} x {h} pixels", expected, (scalar, intrinsics, assembly), call)
