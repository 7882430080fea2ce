"""Instructions a second of the virtual board on integer, memory and float loops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import p4kernel as p4
from tests.benchmarks.measure import Result, result


@p4.kernel
def hash_loop(n: p4.u32) -> p4.u32:
    p4.c("""
        uint32_t h = 2166136261u;
        for (uint32_t i = 0; i < n; ++i) {
            h = (h ^ (i & 255)) * 16777619u;
            h = (h << 13) | (h >> 19);
        }
        return h;
    """)


@p4.kernel
def crc_table(data: p4.In[np.uint8], rounds: p4.i32, n: p4.i32 = p4.size("data")) -> p4.u32:
    p4.c("""
        uint32_t table[256], crc = ~0u;
        for (uint32_t i = 0; i < 256; ++i) {
            uint32_t c = i;
            for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
        for (int r = 0; r < rounds; ++r)
            for (int i = 0; i < n; ++i)
                crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
        return ~crc;
    """)


@p4.kernel
def sieve(flags: p4.InOut[np.uint8], rounds: p4.i32, n: p4.i32 = p4.size("flags")) -> p4.i32:
    p4.c("""
        int count = 0;
        for (int r = 0; r < rounds; ++r) {
            count = 0;
            for (int i = 0; i < n; ++i) flags[i] = 1;
            for (int i = 2; i < n; ++i)
                if (flags[i]) {
                    ++count;
                    for (int k = 2 * i; k < n; k += i) flags[k] = 0;
                }
        }
        return count;
    """)


@p4.kernel
def float_dot(x: p4.In[np.float32], y: p4.In[np.float32], rounds: p4.i32, n: p4.i32 = p4.size("x", "y")) -> p4.f32:
    p4.c("""
        float sum = 0;
        for (int r = 0; r < rounds; ++r)
            for (int i = 0; i < n; ++i)
                sum += x[i] * y[i];
        return sum;
    """)


def _mips(kernel: Any, args: tuple[Any, ...], times: int) -> list[float]:
    rates = []
    kernel(*args)
    for _ in range(times):
        start = time.perf_counter()
        kernel(*args)
        rates.append(kernel.last.instructions / (time.perf_counter() - start) / 1e6)
    return rates


def mips(times: int) -> Iterator[Result]:
    """Whole calls are timed, over about 100 million instructions each."""
    rng = np.random.default_rng(1)
    data = rng.integers(0, 256, 4096, np.uint8)
    x, y = rng.random(1024, np.float32), rng.random(1024, np.float32)
    with p4.connect("sim"):
        programs: tuple[tuple[Any, tuple[Any, ...], str], ...] = (
            (hash_loop, (20_000_000,), "integer, hash loop"),
            (crc_table, (data, 3000), "memory, CRC table"),
            (sieve, (np.zeros(8192, np.uint8), 800), "memory, sieve"),
            (float_dot, (x, y, 20_000), "float, dot product"),
        )
        for kernel, args, name in programs:
            goal = "at least 300" if name.startswith("float") else "at least 350"
            yield result(name, _mips(kernel, args, times), "MIPS", goal)
