"""The dot product of two int8 vectors: 16 products an instruction, summed in the 40-bit accumulator XACC."""

from __future__ import annotations

import numpy as np
import skimage.data

import p4kernel as p4

from .comparison import Comparison, compare

LENGTH = 4096


@p4.kernel(opt="O3")
def scalar(x: p4.In[np.int8], y: p4.In[np.int8], n: p4.i32 = p4.size("x", "y")) -> p4.i32:
    p4.c(r"""
        int32_t sum = 0;
        #pragma GCC unroll 16
        for (int i = 0; i < n; ++i)
            sum += x[i] * y[i];
        return sum;
    """)


@p4.kernel(require=["x.size >= 16", "x.size % 16 == 0"])
def intrinsics(x: p4.In[np.int8], y: p4.In[np.int8], n: p4.i32 = p4.size("x", "y")) -> p4.i32:
    """The loads of a round are those for the next one, so the last 16 products stand behind the loop."""
    p4.c(
        r"""
        p4_zero_xacc();
        p4_vld_128_ip(q0, x, 16);
        p4_vld_128_ip(q1, y, 16);
        p4_loop(n / 16 - 1, (x, y),
                p4_vmulas_s8_xacc_ld_ip(q0, x, 16, q0, q1),
                p4_vld_128_ip(q1, y, 16));
        p4_vmulas_s8_xacc(q0, q1);
        return p4_srs_s_xacc(0);
        """,
        preamble="#include <p4_pie.h>",
    )


@p4.kernel(require=["x.size >= 16", "x.size % 16 == 0"])
def assembly(x: p4.In[np.int8], y: p4.In[np.int8], n: p4.i32 = p4.size("x", "y")) -> p4.i32:
    """The loads of a round are those for the next one, so the last 16 products stand behind the loop."""
    p4.asm(
        r"""
            .option norvc               # loops are for instructions of 4 bytes, at multiples of 4
            esp.zero.xacc
            esp.vld.128.ip  q0, a0, 16
            esp.vld.128.ip  q1, a1, 16
            srli  a2, a2, 4
            addi  a2, a2, -1
            beqz  a2, 2f
            esp.lp.setup  0, a2, 1f
            esp.vmulas.s8.xacc.ld.ip  q0, a0, 16, q0, q1
            esp.vld.128.ip  q1, a1, 16
        1:  nop                         # the last instruction of a loop may not be one of PIE
        2:  esp.vmulas.s8.xacc  q0, q1
            li    a2, 0
            esp.srs.s.xacc  a0, a2
            ret
        """,
        preamble="#include <p4_pie.h>",
    )


def run() -> Comparison:
    """Two rows of pixels, brought to the range of int8, on the current board."""
    pixels = (skimage.data.coins().ravel() ^ 0x80).view(np.int8)
    x, y = pixels[:LENGTH], pixels[LENGTH : 2 * LENGTH]
    expected = np.dot(x.astype(np.int32), y.astype(np.int32))
    return compare(
        f"int8 dot product of {LENGTH:,}", expected, (scalar, intrinsics, assembly), lambda kernel: kernel(x, y)
    )
