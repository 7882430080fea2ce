"""Sources that between them have every kind of reference that an image may hold."""

from __future__ import annotations

from p4kernel.build import Source, Unit
from tests.build.make import asm, c

SWITCH = c(r"""
int counter;
static const char *const names[] = {"zero", "one", "two", "three"};
int printf(const char *, ...);
extern int board_value;
int entry(int x, int y) {
    switch (x) {
        case 0: return printf("%s", names[y & 3]);
        case 1: return board_value + y;
        case 2: return ++counter;
        case 3: return y * 77;
        case 4: return y / 3;
        case 5: return y ^ 0x5555;
        case 6: return (int)names[y & 1];
        case 7: return -y;
    }
    return 0;
}
""")

POINTERS = c(r"""
extern int board_function(int), board_table[8];
static int buffer[100], values[4] = {1, 2, 3, 4};
int *into_data[] = {values, values + 3, buffer + 50, board_table, board_table + 5};
int (*functions[])(int) = {board_function, 0};
struct node { struct node *next; int value; } a, b = {&a, 1}, a = {&b, 2};
int entry(int i) {
    functions[1] = board_function;
    return *into_data[i % 5] + functions[i & 1](i) + a.next->value + b.next->value;
}
""")

WEAK = c(r"""
extern int maybe(int) __attribute__((weak)), maybe_value __attribute__((weak)), maybe_more[9] __attribute__((weak));
int entry(int x) {
    if (&maybe_value) x += maybe_value;
    if (maybe_more) x += maybe_more[4];
    return maybe ? maybe(x) : x;
}
""")

ARITHMETIC = c(r"""
#include <math.h>
#include <string.h>
static double total;
double entry(double a, long long b, float *p, int n) {
    float copy[64];
    memcpy(copy, p, (size_t)n);
    for (int i = 0; i < n; ++i) total += copy[i & 63] * sinf(p[i]);
    return total / a + (double)(b / (n | 1)) + 0.1;
}
""")

PLAIN = c("int entry(int x) { return x + 1; }\n")

ABSOLUTE = asm(r"""
    .text
    .globl entry
entry:
    lui   a0, %hi(here)
    addi  a1, a0, %lo(here)
    lw    a2, %lo(here + 4)(a0)
    sw    a2, %lo(here + 8)(a0)
    flw   fa0, %lo(here)(a0)
    fsw   fa0, %lo(here)(a0)
    lui   a3, %hi(board_word + 0x7fc)
    lw    a4, %lo(board_word + 0x7fc)(a3)
    sw    a4, %lo(board_word + 0x7fc)(a3)
    call  board_call
    la    a5, board_word
    lw    a6, board_word
    sw    a6, board_word, t0
    la    a7, here + 0x900
    la    t1, fixed
    lui   t2, %hi(fixed)
    lw    t3, %lo(fixed)(t2)
    .option push
    .option pic
    la    t4, board_word
    la    t5, here
    .option pop
    beqz  a0, entry
    j     local
local:
    tail  board_call
    .data
    .p2align 4
here:
    .word here, here + 4, board_word, board_word - 8, fixed, entry
    .globl fixed
    .set  fixed, 0x500d0104
""")

TWO_UNITS = Source(
    (
        Unit("kernel.S", "    .globl work\n    .text\nwork:\n    j other\n", "asm"),
        Unit("entry.c", "int work(int); int other(int x) { return x * 3; }\nint entry(int x) { return work(x); }\n"),
    ),
    "entry",
)

SAME_NAME = Source(
    (
        Unit("a.c", "static int shared[9];\nint *first(int i) { return &shared[i]; }\n"),
        Unit("b.c", "extern int shared[9]; int *first(int);\nint *entry(int i) { return i ? first(i) : shared; }\n"),
    ),
    "entry",
)

ALL = {
    "switch": SWITCH,
    "pointers": POINTERS,
    "weak": WEAK,
    "arithmetic": ARITHMETIC,
    "plain": PLAIN,
    "absolute": ABSOLUTE,
    "two_units": TWO_UNITS,
    "same_name": SAME_NAME,
}
