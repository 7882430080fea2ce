"""A matrix of int16 transposed in blocks of 8 x 8: the eight registers hold a block, and three rounds of zips turn it.

Zipping rows i and i + 4 moves the highest bit of the column number into the row number; rows i and i + 2, then i and
i + 1, do it with the other two bits.
"""

from __future__ import annotations

import numpy as np
import skimage.data

import p4kernel as p4

from .comparison import Array, Comparison, compare


@p4.kernel(opt="O3", require="out.size == x.size")
def scalar(x: p4.In[np.int16], out: p4.Out[np.int16], h: p4.i32 = p4.dim("x", 0), w: p4.i32 = p4.dim("x", 1)) -> None:
    p4.c(r"""
        for (int i = 0; i < h; i += 8)
            for (int j = 0; j < w; j += 8)
                for (int k = 0; k < 8; ++k)
                    for (int l = 0; l < 8; ++l)
                        out[(j + l) * h + i + k] = x[(i + k) * w + j + l];
    """)


PAIRS = [(i, i + step) for step in (4, 2, 1) for i in range(8) if not i & step]
_SIZES = ["out.size == x.size", "x.size > 0", "x.shape[0] % 8 == 0", "x.shape[1] % 8 == 0"]


@p4.kernel(require=_SIZES)
def intrinsics(
    x: p4.In[np.int16], out: p4.Out[np.int16], h: p4.i32 = p4.dim("x", 0), w: p4.i32 = p4.dim("x", 1)
) -> None:
    p4.c(
        rf"""
        int row = 2 * w, column = 2 * h, right = 16 - 8 * row;
        for (int i = 0; i < h; i += 8) {{
            const int16_t *from = x + i * w;
            int16_t *to = out + i;
            p4_loop(w / 8, (from, to, row, column, right),
                    {", ".join(f"p4_vld_128_xp(q{i}, from, row)" for i in range(8))},
                    {", ".join(f"p4_vzip_16(q{i}, q{j})" for i, j in PAIRS)},
                    p4_code("add %[from], %[from], %[right]"),
                    {", ".join(f"p4_vst_128_xp(q{i}, to, column)" for i in range(8))});
        }}
        """,
        preamble="#include <p4_pie.h>",
    )


@p4.kernel(require=_SIZES)
def assembly(x: p4.In[np.int16], out: p4.Out[np.int16], h: p4.i32 = p4.dim("x", 0), w: p4.i32 = p4.dim("x", 1)) -> None:
    p4.asm(
        rf"""
            .option norvc
            slli  t3, a3, 1                 # bytes of a row
            slli  t4, a2, 1                 # ... of the result
            slli  t5, t3, 3                 # of eight rows
            li    t6, 16
            sub   t6, t6, t5                # from below a block to the one on its right
            srli  a3, a3, 3
            srli  a2, a2, 3
        0:  mv    a4, a0
            mv    a5, a1
            esp.lp.setup  0, a3, 1f
            {"; ".join(f"esp.vld.128.xp q{i}, a4, t3" for i in range(8))}
            {"; ".join(f"esp.vzip.16 q{i}, q{j}" for i, j in PAIRS)}
            {"; ".join(f"esp.vst.128.xp q{i}, a5, t4" for i in range(8))}
        1:  add   a4, a4, t6
            add   a0, a0, t5
            addi  a1, a1, 16
            addi  a2, a2, -1
            bnez  a2, 0b
            ret
        """,
        preamble="#include <p4_pie.h>",
    )


def run() -> Comparison:
    """A photograph of a text, on the current board."""
    photo = skimage.data.page()
    x = photo[: photo.shape[0] // 8 * 8, : photo.shape[1] // 8 * 8].astype(np.int16)

    def call(kernel: p4.Kernel[..., None]) -> Array:
        out = np.empty(x.shape[::-1], np.int16)
        kernel(x, out)
        return out

    title = f"8x8 transpose of {x.shape[0]} x {x.shape[1]} int16"
    return compare(title, x.T, (scalar, intrinsics, assembly), call)
