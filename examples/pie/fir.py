"""A FIR filter in int16: eight outputs at a time in QACC, one tap an instruction."""

from __future__ import annotations

import numpy as np
import pywt.data
import scipy.signal

import p4kernel as p4

from .comparison import Array, Comparison, compare

TAPS = 64
SHIFT = 15  # the taps are fractions of 32768


@p4.kernel(opt="O3", require="x.size >= y.size + taps.size")
def scalar(
    x: p4.In[np.int16],
    taps: p4.In[np.int16],
    y: p4.Out[np.int16],
    n: p4.i32 = p4.size("y"),
    m: p4.i32 = p4.size("taps"),
) -> None:
    p4.c(rf"""
        for (int i = 0; i < n; ++i) {{
            int64_t sum = 0;
            #pragma GCC unroll 16
            for (int k = 0; k < m; ++k)
                sum += taps[k] * x[i + k];
            sum >>= {SHIFT};
            y[i] = sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum;
        }}
    """)


_SIZES = ["x.size >= y.size + taps.size", "y.size > 0", "taps.size > 0", "y.size % 8 == 0", "taps.size % 8 == 0"]


@p4.kernel(require=_SIZES)
def intrinsics(
    x: p4.In[np.int16],
    taps: p4.In[np.int16],
    y: p4.Out[np.int16],
    n: p4.i32 = p4.size("y"),
    m: p4.i32 = p4.size("taps"),
) -> None:
    """q1:q0 holds 16 samples; each tap takes the eight in q0, and the pair moves on by one sample (two bytes)."""
    eight_taps = ", ".join(f"p4_vsmulas_s16_qacc(q0, q2, {k}), p4_srci_2q(q1, q0, 1)" for k in range(8))
    p4.c(
        rf"""
        for (int i = 0; i < n; i += 8) {{
            const int16_t *samples = x + i, *factors = taps;
            p4_zero_qacc();
            p4_vld_128_ip(q0, samples, 16);
            p4_loop(m / 8, (samples, factors),
                    p4_vld_128_ip(q1, samples, 16),
                    p4_vld_128_ip(q2, factors, 16),
                    {eight_taps});
            p4_srcmb_s16_qacc(q3, {SHIFT});
            p4_vst_128_ip(q3, y, 16);
        }}
        """,
        preamble="#include <p4_pie.h>",
    )


@p4.kernel(require=_SIZES)
def assembly(
    x: p4.In[np.int16],
    taps: p4.In[np.int16],
    y: p4.Out[np.int16],
    n: p4.i32 = p4.size("y"),
    m: p4.i32 = p4.size("taps"),
) -> None:
    """q1:q0 holds 16 samples; each tap takes the eight in q0, and the pair moves on by one sample (two bytes)."""
    eight_taps = "\n".join(
        f"""
            esp.vsmulas.s16.qacc  q0, q2, {k}
            esp.srci.2q  q1, q0, 1"""
        for k in range(7)
    )
    p4.asm(
        rf"""
            .option norvc
            srli  a3, a3, 3
            srli  a4, a4, 3
            li    a5, {SHIFT}
        0:  mv    t3, a0
            mv    t4, a1
            esp.zero.qacc
            esp.vld.128.ip  q0, t3, 16
            esp.lp.setup  0, a4, 1f
            esp.vld.128.ip  q1, t3, 16
            esp.vld.128.ip  q2, t4, 16
            {eight_taps}
            esp.vsmulas.s16.qacc  q0, q2, 7
            esp.srci.2q  q1, q0, 1
        1:  nop
            esp.srcmb.s16.qacc  q3, a5, 1
            esp.vst.128.ip  q3, a2, 16
            addi  a0, a0, 16
            addi  a3, a3, -1
            bnez  a3, 0b
            ret
        """,
        preamble="#include <p4_pie.h>",
    )


def run() -> Comparison:
    """A low-pass over an electrocardiogram, on the current board."""
    recording = pywt.data.ecg()
    n = recording.size - TAPS - recording.size % 8
    x = (recording * 16).astype(np.int16)
    taps = np.round(scipy.signal.firwin(TAPS, 0.1) * (1 << SHIFT)).astype(np.int16)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.int64), TAPS)[:n]
    expected = np.clip(windows @ taps.astype(np.int64) >> SHIFT, -(1 << 15), (1 << 15) - 1).astype(np.int16)

    def call(kernel: p4.Kernel[..., None]) -> Array:
        y = np.empty(n, np.int16)
        kernel(x, taps, y)
        return y

    return compare(f"int16 FIR, {TAPS} taps, {n:,} samples", expected, (scalar, intrinsics, assembly), call)
