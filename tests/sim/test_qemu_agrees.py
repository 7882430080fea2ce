"""Against qemu-riscv32: a million random instructions, many sequences in one program, and compiled C.

P4KERNEL_TEST_SEED sets which; the campaign is ``python -m tests.sim``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tools import require

from .batch import make
from .linux import compile_c, run_here, run_qemu

INSTRUCTIONS = 1_000_000
SEED = int(os.environ.get("P4KERNEL_TEST_SEED", "0"))
PER_PROGRAM = 1_400
SEQUENCES = 12 * PER_PROGRAM
ROUNDS = 3


@pytest.mark.parametrize("start", range(SEED, SEED + SEQUENCES, PER_PROGRAM))
def test_random_sequences(start: int, tmp_path: Path) -> None:
    batch = make(range(start, start + PER_PROGRAM), ROUNDS)
    assert batch.written >= INSTRUCTIONS * PER_PROGRAM / SEQUENCES  # all together a million
    theirs = run_qemu(require("qemu-riscv32"), batch.program, tmp_path)
    fast, slow = run_here("fast", batch.program), run_here("slow", batch.program)
    assert theirs.code == 0
    assert fast == theirs, batch.first_difference(fast.output, theirs.output)
    assert slow == theirs, batch.first_difference(slow.output, theirs.output)
    assert fast.instructions == slow.instructions


PROGRAMS = {
    "hash": """
int main(void) {
    u32 h = 2166136261u;
    for (u32 i = 0; i < 20000; ++i) { u32 k = i * 0xcc9e2d51u; k = k << 15 | k >> 17; h ^= k * 0x1b873593u; h = h * 5 + 0xe6546b64u; }
    put(&h, 4);
    return h & 127;
}""",
    "crc": """
static u32 table[256]; static u8 data[4096];
int main(void) {
    for (u32 i = 0; i < 256; ++i) { u32 c = i; for (int k = 0; k < 8; ++k) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1; table[i] = c; }
    for (u32 i = 0; i < sizeof data; ++i) data[i] = i * 7 + (i >> 5);
    u32 c = ~0u;
    for (u32 i = 0; i < sizeof data; ++i) c = table[(c ^ data[i]) & 255] ^ c >> 8;
    c = ~c; put(&c, 4); put(table, sizeof table);
    return 3;
}""",
    "sieve": """
static u8 flags[20000];
int main(void) {
    u32 n = 0;
    for (u32 i = 2; i < sizeof flags; ++i) if (!flags[i]) { ++n; for (u32 j = i + i; j < sizeof flags; j += i) flags[j] = 1; }
    put(&n, 4); put(flags, sizeof flags);
    return 0;
}""",
    "floats": """
static float a[300], b[300], c[300];
int main(void) {
    for (int i = 0; i < 300; ++i) { a[i] = (float)(i * i - 4000) * 0.37f; b[i] = 1.0f / (float)(i + 1); }
    float s = 0, m = -1e30f;
    for (int i = 0; i < 300; ++i) {
        s += a[i] * b[i];
        c[i] = __builtin_sqrtf(a[i] < 0 ? -a[i] : a[i]) - b[299 - i] * (float)(i % 7);
        if (c[i] > m) m = c[i];
        c[i] = (float)(int)c[i] + __builtin_fminf(a[i], b[i]);
    }
    put(&s, 4); put(&m, 4); put(c, sizeof c);
    u32 fcsr; __asm__ volatile("frcsr %0" : "=r"(fcsr)); put(&fcsr, 4);
    return 1;
}""",
    "sort and recursion": """
static i32 v[500];
static void sort(i32 low, i32 high) {
    if (low >= high) return;
    i32 pivot = v[(low + high) / 2], i = low, j = high;
    while (i <= j) {
        while (v[i] < pivot) ++i;
        while (v[j] > pivot) --j;
        if (i <= j) { i32 t = v[i]; v[i++] = v[j]; v[j--] = t; }
    }
    sort(low, j); sort(i, high);
}
static u32 ackermann(u32 m, u32 n) { return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
int main(void) {
    u32 x = 1;
    for (int i = 0; i < 500; ++i) { x = x * 1664525u + 1013904223u; v[i] = (i32)x / 3; }
    sort(0, 499); put(v, sizeof v);
    x = ackermann(2, 7); put(&x, 4);
    return x;
}""",
    "divisions and tables": """
static i32 apply(int op, i32 a, i32 b) {
    switch (op) {
    case 0: return a + b; case 1: return a - b; case 2: return a * b; case 3: return b ? a / b : -1;
    case 4: return b ? a % b : a; case 5: return a & b; case 6: return a | b; case 7: return a ^ b;
    case 8: return (u32)a >> (b & 31); case 9: return a >> (b & 31); default: return 0;
    }
}
int main(void) {
    i32 a = 12345, out[200];
    for (int i = 0; i < 2000; ++i) { a = apply(i % 11, a, a * 31 + i) + i; out[i % 200] = a; }
    put(out, sizeof out);
    return 0;
}""",
    "atomics": """
static u32 word, list[64];
int main(void) {
    for (u32 i = 0; i < 64; ++i) {
        list[i] = __atomic_fetch_add(&word, i * 77, __ATOMIC_SEQ_CST);
        __atomic_fetch_xor(&word, i << 20, __ATOMIC_RELAXED);
        u32 expected = word;
        __atomic_compare_exchange_n(&word, &expected, expected * 3, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        list[i] += __atomic_fetch_max(&word, 1u << (i & 31), __ATOMIC_SEQ_CST);
    }
    put(list, sizeof list);
    return word & 63;
}""",
}


@pytest.mark.parametrize("optimisation", ["-O0", "-O2"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled_programs(name: str, optimisation: str, tmp_path: Path) -> None:
    qemu = require("qemu-riscv32")
    program = compile_c(PROGRAMS[name], tmp_path, optimisation)
    theirs = run_qemu(qemu, program, tmp_path)
    assert theirs.output
    assert run_here("fast", program) == theirs
    assert run_here("slow", program) == theirs
