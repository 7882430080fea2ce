"""C operators that compilers turn into calls of the firmware: 64-bit integers and doubles, at every optimization."""

from __future__ import annotations

import math
import random
import struct

import numpy as np
import pytest

from p4kernel.build.toolchain import Toolchain
from tests.sim_board.chip import DATA, Chip, End
from tests.sim_board.models import signed

ROWS = 50

TEXT = f"""
    struct row {{ double a, b; long long i, j; double d[8]; long long q[11]; int n[8]; float f[2]; }};
    void entry(struct row *r) {{
        for (struct row *end = r + {ROWS}; r != end; ++r) {{
            double a = r->a, b = r->b; long long i = r->i, j = r->j; unsigned long long u = i, v = j;
            r->d[0] = a + b; r->d[1] = a - b; r->d[2] = a * b; r->d[3] = a / b; r->d[4] = -a;
            r->d[5] = i; r->d[6] = u; r->d[7] = (float)a;
            r->q[0] = i * j; r->q[1] = i / j; r->q[2] = i % j; r->q[3] = u / v; r->q[4] = u % v;
            r->q[5] = i << (j & 63); r->q[6] = i >> (j & 63); r->q[7] = u >> (j & 63);
            r->q[8] = (long long)(a > -9e18 && a < 9e18 ? a : 0); r->q[9] = (unsigned long long)(b > 0 && b < 1e19 ? b : 0);
            r->q[10] = __builtin_popcountll(u) * 100 + (u ? __builtin_clzll(u) : 64);
            r->n[0] = a < b; r->n[1] = a <= b; r->n[2] = a > b; r->n[3] = a >= b; r->n[4] = a == b; r->n[5] = a != b;
            r->n[6] = __builtin_isunordered(a, b); r->n[7] = (int)(a > -2e9 && a < 2e9 ? a : 0);
            r->f[0] = i; r->f[1] = u;
        }}
    }}"""


def _wanted(a: float, b: float, i: int, j: int) -> tuple[list[float], list[int], list[int], list[float]]:
    x, y = np.float64(a), np.float64(b)
    u, v, shift = i & (1 << 64) - 1, j & (1 << 64) - 1, j & 63
    quotient = abs(i) // abs(j) * (1 if (i < 0) == (j < 0) else -1)
    doubles = [x + y, x - y, x * y, x / y, -x, float(i), float(u), float(np.float32(x))]
    longs = [i * j, quotient, i - quotient * j, u // v, u % v, i << shift, i >> shift, u >> shift,
             int(a) if -9e18 < a < 9e18 else 0, int(b) if 0 < b < 1e19 else 0,
             u.bit_count() * 100 + 64 - u.bit_length()]  # fmt: skip
    ints = [
        a < b,
        a <= b,
        a > b,
        a >= b,
        a == b,
        a != b,
        math.isnan(a) or math.isnan(b),
        int(a) if -2e9 < a < 2e9 else 0,
    ]
    floats = [np.int64(i).astype(np.float32), np.uint64(u).astype(np.float32)]
    return (
        [float(d) for d in doubles],
        [signed(q, 64) for q in longs],
        [int(n) for n in ints],
        [float(f) for f in floats],
    )


def _rows() -> list[tuple[float, float, int, int]]:
    rng = random.Random(7)
    rows = [
        (math.nan, 1.0, -5, 3),
        (math.inf, -math.inf, 1 << 62, -1),
        (0.0, -0.0, -(1 << 63), 2),
        (1e308, 1e308, 7, -(1 << 63)),
    ]
    while len(rows) < ROWS:
        a, b = (rng.uniform(-1, 1) * 10.0 ** rng.randint(-5, 20) for _ in range(2))
        i, j = (signed(rng.getrandbits(rng.randint(1, 64)), 64) for _ in range(2))
        rows.append((a, rng.choice((a, b)), i, j or 1))
    return rows


@pytest.mark.parametrize("opt", ["O0", "O1", "O2", "O3", "Os"])
def test_operators_compute_what_python_does(chip: Chip, chain: Toolchain, opt: str) -> None:
    size = 32 + 64 + 88 + 32 + 8
    rows = _rows()
    chip.write(DATA, b"".join(struct.pack("<ddqq", *row).ljust(size, b"\0") for row in rows))
    assert chip.run(TEXT, chain, opt) == End("exit")
    for k, row in enumerate(rows):
        data = chip.read(DATA + k * size, size)
        with np.errstate(all="ignore"):
            doubles, longs, ints, floats = _wanted(*row)
        got = struct.unpack_from("<8d", data, 32)
        assert [struct.pack("<d", g) for g, w in zip(got, doubles, strict=True) if not math.isnan(w)] == [
            struct.pack("<d", w) for w in doubles if not math.isnan(w)
        ], row
        assert [math.isnan(g) for g in got] == [math.isnan(w) for w in doubles]
        assert list(struct.unpack_from("<11q", data, 96)) == longs, row
        assert list(struct.unpack_from("<8i", data, 184)) == ints, row
        assert list(struct.unpack_from("<2f", data, 216)) == floats, row
