"""Against qemu-riscv32: random sequences, many in one program, and compiled C.

P4KERNEL_TEST_QEMU_SEQUENCES sets how many sequences, P4KERNEL_TEST_SEED which.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.tools import require

from .linux import SYS_EXIT, SYS_WRITE, compile_c, elf, run_here, run_qemu
from .machine import BASE
from .random_code import REACH, Generator
from .rv32 import code, load_constant, word

COUNT = int(os.environ.get("P4KERNEL_TEST_QEMU_SEQUENCES", "300"))
SEED = int(os.environ.get("P4KERNEL_TEST_SEED", "0"))
PER_PROGRAM = 75
CODE_SIZE, RECORD = 4096, 4 * (32 + 32 + 1)
AREA = 2 * REACH
PROGRAM_SIZE = 2 << 20
DATA = BASE + (1 << 20)
SAVED = DATA + AREA
"""Data: a buffer that sequences work in, behind it the registers that they leave."""
_HOLDER = 8


def _ecall(number: int, *arguments: int) -> bytes:
    loads = b"".join(load_constant(10 + i, a) for i, a in enumerate(arguments))
    return loads + load_constant(17, number) + code(word("ecall"))


def _save(registers: bool) -> bytes:
    """All registers and fcsr to SAVED; x8 holds its address and is not a result."""
    x = b"".join(code(word("sw", i, _HOLDER, 4 * i)) for i in range(32) if i != _HOLDER)
    f = b"".join(code(word("fsw", i, _HOLDER, 128 + 4 * i)) for i in range(32))
    flags = code(word("csrrs", 1, 3, 0), word("sw", 1, _HOLDER, 256))
    return load_constant(_HOLDER, SAVED) + (x + f + flags if registers else b"")


def _segment(seed: int) -> bytes:
    """One sequence: registers set, run, all results written out."""
    generator = Generator(seed)
    x, f = generator.registers(DATA + REACH)
    setup = code(word("csrrwi", 0, 3, 0))
    for index, value in f.items():
        setup += load_constant(5, value) + code(word("fmv.w.x", index, 5))
    for index, value in x.items():
        setup += load_constant(index, value)
    return setup + generator.sequence(60) + _save(True) + _ecall(SYS_WRITE, 1, DATA, AREA + RECORD)


def _program(seeds: range) -> bytes:
    source = random.Random(seeds.start)
    body = b"".join(_segment(seed) for seed in seeds) + _ecall(SYS_EXIT, 0)
    assert len(body) < DATA - BASE
    return elf(body.ljust(DATA - BASE, b"\0") + source.randbytes(AREA), PROGRAM_SIZE)


@pytest.mark.parametrize("start", range(SEED, SEED + COUNT, PER_PROGRAM))
def test_random_sequences(engine: str, start: int, tmp_path: Path) -> None:
    seeds = range(start, min(start + PER_PROGRAM, SEED + COUNT))
    program = _program(seeds)
    theirs = run_qemu(require("qemu-riscv32"), program, tmp_path)
    ours = run_here(engine, program)
    assert theirs.code == ours.code == 0
    size = AREA + RECORD
    assert len(ours.output) == len(theirs.output) == size * len(seeds)
    for index, seed in enumerate(seeds):
        span = slice(index * size, (index + 1) * size)
        assert ours.output[span] == theirs.output[span], f"seed {seed}"


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
