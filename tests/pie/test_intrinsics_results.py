"""Kernels of C intrinsics on the virtual board give what NumPy gives, at every level of optimization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from tests.tools import ZIG, require

PIE = "#include <p4_pie.h>\n"
BUILDS = ["O0", "O2", "O3", "Os", "gcc O0", "gcc O2"]

KernelOf = p4.Kernel[..., Any]


def random(shape: int | tuple[int, ...], dtype: type[np.integer[Any]], seed: int = 1) -> np.ndarray[Any, Any]:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max + 1, shape, dtype)


@pytest.fixture(params=BUILDS)
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A level of optimization; the compiler is chosen, too."""
    *gcc, found = request.param.split()
    monkeypatch.setenv("P4KERNEL_CC", require("riscv64-unknown-elf-gcc") if gcc else f"'{ZIG}'")
    return str(found)


@pytest.fixture(params=[1, 3], ids=["revision1", "revision3"])
def either(request: pytest.FixtureRequest) -> Iterator[p4.Board]:
    """A board of each generation."""
    with p4.connect(f"sim?revision={request.param}") as board:
        yield board
    board.close()


def dot_of(level: str, loop: str) -> KernelOf:
    @p4.kernel(opt=level)
    def dot(a: p4.In[np.int8], b: p4.In[np.int8], blocks: p4.i32) -> p4.i32:
        p4.c(
            f"""
            p4_zero_xacc();
            {loop}
            return p4_movx_r_xacc_l();
            """,
            preamble=PIE,
        )

    return dot


SOFT = """
for (int32_t i = 0; i < blocks; i++) {
    p4_vld_128_ip(q0, a, 16);
    p4_vld_128_ip(q1, b, 16);
    p4_vmulas_s8_xacc(q0, q1);
}
"""
HARD = """
p4_loop(blocks, (a, b),
        p4_vld_128_ip(q0, a, 16),
        p4_vld_128_ip(q1, b, 16),
        p4_vmulas_s8_xacc(q0, q1));
"""


@pytest.mark.parametrize("loop", [SOFT, HARD], ids=["soft", "hard"])
def test_dot_product(loop: str, level: str, either: p4.Board) -> None:
    """With a last block of their own each, and no block at all."""
    kernel = dot_of(level, loop)
    a, b = random(16 * 33, np.int8), random(16 * 33, np.int8, 2)
    for blocks in (33, 2, 1, 0, -1, -(2**31)):
        n = 16 * max(blocks, 0)
        assert kernel.on(either)(a, b, blocks) == int(a[:n].astype(np.int32) @ b[:n].astype(np.int32)), blocks


def fir_of(level: str) -> KernelOf:
    @p4.kernel(opt=level)
    def fir(x: p4.In[np.int16], taps: p4.In[np.int16], y: p4.Out[np.int16], n: p4.i32, k: p4.i32, shift: p4.u8) -> None:
        p4.c(
            """
            // Eight results at a time: lane i of QACC is the sum of taps[j] * x[i + j].
            for (int32_t i = 0; i < n; i += 8) {
                const int16_t *in = x + i;
                const int16_t *tap = taps;
                p4_zero_qacc();
                for (int32_t j = 0; j < k; j++) {
                    const int16_t *aligned = in++;
                    p4_ld_128_usar_ip(q0, aligned, 16);
                    p4_vld_128_ip(q1, aligned, 0);
                    p4_src_q(q0, q0, q1);
                    p4_vldbc_16_ip(q2, tap, sizeof *tap);
                    p4_vmulas_s16_qacc(q0, q2);
                }
                p4_srcmb_s16_qacc(q3, shift);
                p4_vst_128_ip(q3, y, 16);
            }
            """,
            preamble=PIE,
        )

    return fir


def test_fir(level: str, either: p4.Board) -> None:
    n, taps = 64, random(11, np.int16)
    x = random(n + 32, np.int16, 2)
    exact = np.array([x[i : i + 11].astype(np.int64) @ taps.astype(np.int64) for i in range(n)])
    y = np.zeros(n, np.int16)
    fir_of(level).on(either)(x, taps, y, n, 11, 15)
    assert np.array_equal(y, np.clip(exact >> 15, -32768, 32767))
    assert len(set(y.tolist())) > 20 and {-32768, 32767} <= set(y.tolist())


def crowd_of(level: str) -> KernelOf:
    @p4.kernel(opt=level)
    def crowd(p: p4.In[np.int8], q: p4.InOut[np.int8], values: p4.In[np.int32], n: p4.i32, step: p4.i32) -> p4.i32:
        names = [f"v{i}" for i in range(24)]
        p4.c(
            f"""
            {" ".join(f"int32_t {name} = values[{i}];" for i, name in enumerate(names))}
            const int8_t *other = p + 16 * n;
            for (int32_t i = 0; i < n; i++) {{
                p4_vld_128_xp(q0, p, step + v0 - v0);
                p4_vld_128_ip(q1, other, 16);
                p4_vadds_all(q0, v1);
                p4_vadd_s8(q2, q0, q1);
                int32_t high = p4_max_s8_a(q2);
                p4_vst_128_ip(q2, q, 16);
                {" ".join(f"v{i} += v{(i + 1) % 24} ^ high;" for i in range(24))}
            }}
            return {" + ".join(f"{i + 1} * {name}" for i, name in enumerate(names))} + (int32_t)(other - p);
            """,
            preamble=PIE + "#define p4_vadds_all(q, scalar) p4_vsadds_s8(q, q, scalar)\n",
        )

    return crowd


def test_more_values_than_registers(level: str, board: p4.Board) -> None:
    n = 9
    p, values = random(2 * 16 * n, np.int8), random(24, np.int32, 2)
    q = np.zeros(16 * n, np.int8)
    got = crowd_of(level)(p, q, values, n, 16)
    v = [int(value) for value in values]
    for i in range(n):
        scalar = np.array(v[1]).astype(np.int32).astype(np.int8).astype(int)
        first = np.clip(p[16 * i : 16 * i + 16].astype(int) + scalar, -128, 127)
        row = np.clip(first + p[16 * (n + i) : 16 * (n + i) + 16], -128, 127)
        assert np.array_equal(q[16 * i : 16 * i + 16], row)
        for j in range(24):
            v[j] = wrapped(v[j] + (v[(j + 1) % 24] ^ int(row.max())))
    assert got == wrapped(sum((i + 1) * value for i, value in enumerate(v)) + 16 * n)


def wrapped(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def order_of(level: str) -> KernelOf:
    @p4.kernel(opt=level)
    def order(out: p4.Out[np.int32]) -> p4.i32:
        p4.c(
            """
            // Stores of C, a load of PIE, a store of C, a store of PIE, a load of C: each sees what came before.
            int32_t __attribute__((aligned(16))) box[8] = {1, 2, 3, 4, 0, 0, 0, 0};
            int32_t *from = box;
            int32_t *to = box + 4;
            p4_vld_128_ip(q0, from, 0);
            box[0] = 100;
            box[5] = 200;
            p4_vadd_s32(q0, q0, q0);
            p4_vst_128_ip(q0, to, -16);
            int32_t seen = box[5];
            p4_vld_128_ip(q1, from, 0);
            box[1] = 300;
            p4_vst_128_ip(q1, to, 0);
            for (int i = 0; i < 8; i++) out[i] = box[i];
            return seen;
            """,
            preamble=PIE,
        )

    return order


def test_order_of_c_and_intrinsics(level: str, board: p4.Board) -> None:
    out = np.zeros(8, np.int32)
    assert order_of(level)(out) == 4
    assert out.tolist() == [100, 2, 3, 4, 2, 4, 6, 8]


def scalars_of(level: str) -> KernelOf:
    @p4.kernel(opt=level)
    def scalars(x: p4.i32, narrow: p4.i8, wide: p4.u16, out: p4.Out[np.int32]) -> None:
        p4.c(
            """
            int32_t *at = out;
            p4_zero_q(q0);
            p4_movi_32_q(q0, x, 0);
            p4_movi_32_q(q0, narrow, 1);              // extended by its sign, and by zeros
            p4_movi_32_q(q0, wide, 2);
            p4_movi_32_q(q0, p4_movi_32_a(q0, 1) - 1, 3);
            p4_vst_128_ip(q0, at, 16);
            out[4] = p4_addx4(x, narrow);
            out[5] = p4_subx2(x, wide);
            out[6] = x;
            p4_sat(out[6], narrow, 7);
            int32_t counter = 0;
            p4_movx_w_fft_bit_width(3);
            p4_fft_bitrev(q1, counter);
            out[7] = counter;
            """,
            preamble=PIE,
        )

    return scalars


def test_scalars(level: str, either: p4.Board) -> None:
    out = np.zeros(8, np.int32)
    scalars_of(level).on(either)(1000, -5, 65000, out)
    assert out.tolist() == [1000, -5, 65000, -6, 1000 - 20, 1000 - 130000, 7, 8]


def loops_of(level: str) -> KernelOf:
    @p4.kernel(opt=level)
    def loops(data: p4.InOut[np.int16], width: p4.i32, rows: p4.u32, pitch: p4.i32, gain: p4.i32) -> p4.i32:
        p4.c(
            """
            // Each row's first width * 8 lanes, times gain >> 4; rows are pitch bytes apart.
            int32_t runs = 0;
            p4_movx_w_sar(4);
            p4_movi_16_q(q7, gain, 0);
            int16_t box[16] __attribute__((aligned(16)));
            int16_t *at = box;
            p4_vst_128_ip(q7, at, 0);
            p4_vldbc_16_ip(q7, at, 0);
            for (uint32_t row = 0; row < rows; row++) {
                int16_t *from = (int16_t *)((char *)data + row * (uint32_t)pitch);
                int16_t *to = from;
                p4_loop(width, (from, to, runs),
                        p4_vld_128_ip(q0, from, 16),
                        p4_vmul_s16(q0, q0, q7),
                        p4_code("addi %[runs], %[runs], 1"),
                        p4_vst_128_ip(q0, to, 16));
                if (to != from || to != (int16_t *)((char *)data + row * (uint32_t)pitch) + 8 * (width > 0 ? width : 0))
                    return -1;
            }
            return runs;
            """,
            preamble=PIE,
        )

    return loops


@pytest.mark.parametrize("width", [0, 1, 3, 4, -7])
def test_loops_in_loops(width: int, level: str, board: p4.Board) -> None:
    data = random((5, 32), np.int16)
    wanted = data.copy()
    columns = 8 * max(width, 0)
    wanted[:, :columns] = np.clip(wanted[:, :columns].astype(int) * 25 >> 4, -32768, 32767)
    assert loops_of(level)(data, width, 5, 64, 25) == 5 * max(width, 0)
    assert np.array_equal(data, wanted)


def test_what_newer_chips_can_do() -> None:
    """sat and trunc."""

    @p4.kernel
    def both(x: p4.In[np.int8], y: p4.Out[np.int8]) -> None:
        p4.c(
            """
            p4_vld_128_ip(q0, x, 0);
            p4_vadd_s8(q1, q0, q0, trunc);
            p4_vst_128_ip(q1, y, 16);
            p4_vadd_s8(q1, q0, q0, sat);
            p4_vst_128_ip(q1, y, 16);
            """,
            preamble=PIE,
        )

    x, y = random(16, np.int8), np.zeros(32, np.int8)
    with p4.connect("sim?revision=3") as board:
        both.on(board)(x, y)
    assert np.array_equal(y[:16], x + x)
    assert np.array_equal(y[16:], np.clip(2 * x.astype(int), -128, 127))
    with p4.connect("sim") as board, pytest.raises(p4.CompileError, match="trunc is in xespv 2.2 only"):
        both.on(board)(x, y)
