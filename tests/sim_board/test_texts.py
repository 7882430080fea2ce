"""string.h and stdlib.h on the board: compared with Python's bytes, and at the ends of memory."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from p4kernel.build.toolchain import Toolchain
from tests.sim_board.calls import EXPORTS
from tests.sim_board.chip import DATA, LOAD_FAULT, PSRAM, PSRAM_END, SRAM, SRAM_SIZE, STORE_FAULT, Chip, End

CASES = 60
# Those that allocate, sort or keep state: tests/bridge/test_library.py.
ELSEWHERE = {
    "strdup", "strndup", "strlcpy", "strlcat", "strtok_r", "malloc", "calloc", "realloc", "free", "aligned_alloc", "rand_r",
    "qsort", "bsearch",
}  # fmt: skip
SIZE = 64

PROTOTYPES = """
    void *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t), *memset(void *, int, size_t);
    void *memchr(const void *, int, size_t), *memrchr(const void *, int, size_t);
    int memcmp(const void *, const void *, size_t), bcmp(const void *, const void *, size_t);
    size_t strlen(const char *), strnlen(const char *, size_t), strspn(const char *, const char *);
    size_t strcspn(const char *, const char *);
    int strcmp(const char *, const char *), strncmp(const char *, const char *, size_t);
    int strcasecmp(const char *, const char *), strncasecmp(const char *, const char *, size_t);
    char *strcpy(char *, const char *), *strncpy(char *, const char *, size_t), *stpcpy(char *, const char *);
    char *strcat(char *, const char *), *strncat(char *, const char *, size_t);
    char *strchr(const char *, int), *strrchr(const char *, int), *strstr(const char *, const char *);
    char *strpbrk(const char *, const char *);
    int atoi(const char *); long atol(const char *); long long atoll(const char *); double atof(const char *);
    long strtol(const char *, char **, int); unsigned long strtoul(const char *, char **, int);
    long long strtoll(const char *, char **, int); unsigned long long strtoull(const char *, char **, int);
    double strtod(const char *, char **); float strtof(const char *, char **);
"""

ASK = (PROTOTYPES + """
    struct test { char a[64], b[64]; int n, c, r[20]; };
    #define AT(p) ((p) ? (int)((const char *)(p) - t->a) : -1)
    void entry(struct test *t) {
        for (struct test *end = t + %d; t != end; ++t) {
            int *r = t->r;
            *r++ = strlen(t->a);
            *r++ = strnlen(t->a, t->n);
            *r++ = strcmp(t->a, t->b);
            *r++ = strncmp(t->a, t->b, t->n);
            *r++ = strcasecmp(t->a, t->b);
            *r++ = strncasecmp(t->a, t->b, t->n);
            *r++ = memcmp(t->a, t->b, t->n);
            *r++ = bcmp(t->a, t->b, t->n);
            *r++ = AT(memchr(t->a, t->c, t->n));
            *r++ = AT(memrchr(t->a, t->c, t->n));
            *r++ = AT(strchr(t->a, t->c));
            *r++ = AT(strrchr(t->a, t->c));
            *r++ = AT(strstr(t->a, t->b));
            *r++ = strspn(t->a, t->b);
            *r++ = strcspn(t->a, t->b);
            *r++ = AT(strpbrk(t->a, t->b));
        }
    }""") % CASES  # fmt: skip


def _sign(a: bytes, b: bytes) -> int:
    return (a > b) - (a < b)


def _span(a: bytes, b: bytes, inside: bool) -> int:
    return next((i for i, byte in enumerate(a) if (byte in b) != inside), len(a))


def _answers(a: bytes, b: bytes, n: int, c: int) -> list[int]:
    """Of the calls in ASK; a and b are padded with zeros, and end at the first."""
    s, t, byte = a.partition(b"\0")[0], b.partition(b"\0")[0], bytes([c])
    spoken = _span(s, t, False)
    return [
        len(s), min(len(s), n), _sign(s, t), _sign(s[:n], t[:n]), _sign(s.lower(), t.lower()),
        _sign(s[:n].lower(), t[:n].lower()), _sign(a[:n], b[:n]), _sign(a[:n], b[:n]), a[:n].find(byte), a[:n].rfind(byte),
        (s + b"\0").find(byte), (s + b"\0").rfind(byte), s.find(t), _span(s, t, True), spoken,
        spoken if spoken < len(s) else -1,
    ]  # fmt: skip


def _text(rng: random.Random) -> bytes:
    return bytes(rng.choice(b"aAbBc\xe9") for _ in range(rng.choice((0, 1, 2, 5, 20, SIZE - 1))))


def test_questions_about_texts(chip: Chip, chain: Toolchain) -> None:
    rng = random.Random(1)
    cases = []
    for _ in range(CASES):
        a = _text(rng)
        b = rng.choice((_text(rng), a, a.swapcase(), a[3:6], a[:-1] + b"z"))
        cases.append(
            (a.ljust(SIZE, b"\0"), b.ljust(SIZE, b"\0"), rng.choice((0, 1, 3, 20, SIZE)), rng.choice(b"\0aAc\xe9"))
        )
    chip.write(DATA, b"".join(struct.pack("<64s64sii80x", *case) for case in cases))
    assert chip.run(ASK, chain) == End("exit")
    for i, case in enumerate(cases):
        got = list(struct.unpack("<16i", chip.read(DATA + 216 * i + 136, 64)))
        wanted = _answers(*case)
        for place in range(2, 8):  # comparisons: only the sign says something
            got[place] = (got[place] > 0) - (got[place] < 0)
        wanted[7], got[7] = abs(wanted[7]), abs(got[7])
        assert got == wanted, case


COPY = (PROTOTYPES + """
    void entry(char *d) {
        int ok = 0;
        ok += memcpy(d + 256, d, 40) == d + 256;
        ok += memmove(d + 103, d + 100, 30) == d + 103;
        ok += memset(d + 320, 0x1fe, 20) == d + 320;
        ok += strcpy(d + 384, d) == d + 384;
        ok += stpcpy(d + 448, d) == d + 448 + 11;
        ok += strncpy(d + 512, d, 5) == d + 512;
        ok += strncpy(d + 576, d, 30) == d + 576;
        ok += strcat(strcpy(d + 640, d), d + 6) == d + 640;
        ok += strncat(strcpy(d + 704, d), d, 3) == d + 704;
        ok += memcpy(d + 768, d, 0) == d + 768;
        d[1023] = ok;
    }""")  # fmt: skip


def test_copies(chip: Chip, chain: Toolchain) -> None:
    start = bytearray(b"hello world\0" + bytes(range(1, 245)) + b"\x55" * 768)
    chip.write(DATA, bytes(start))
    assert chip.run(COPY, chain) == End("exit")
    wanted = bytearray(start)
    wanted[256:296] = start[:40]
    wanted[103:133] = start[100:130]
    for at, data in (
        (320, b"\xfe" * 20), (384, b"hello world\0"), (448, b"hello world\0"), (512, b"hello"),
        (576, b"hello world".ljust(30, b"\0")), (640, b"hello worldworld\0"), (704, b"hello worldhel\0"), (1023, b"\x0a"),
    ):  # fmt: skip
        wanted[at : at + len(data)] = data
    assert chip.read(DATA, 1024) == wanted


NUMBERS: list[tuple[str, int]] = [
    ("42", 10), ("  -17rest", 10), ("+0x1Fg", 0), ("0x1f", 16), ("0777", 0), ("zz", 36), ("", 10), ("-", 10), ("x", 10),
    ("2147483647", 10), ("2147483648", 10), ("-2147483649", 10), ("4294967296", 10), ("-4294967297", 10), ("-1", 10),
    ("9223372036854775808", 10), ("-99999999999999999999", 10), ("99999999999999999999", 10), ("12", 1), ("12", 37),
]  # fmt: skip


def _whole(text: str, base: int, low: int, high: int) -> tuple[int, int]:
    """Value and characters used, as strtol and its kin."""
    if base == 1 or base > 36:
        return 0, 0
    spaces = len(text) - len(text.lstrip())
    for end in range(len(text), spaces, -1):
        part = text[spaces:end]
        try:
            value = int(
                part, 8 if base == 0 and part.lstrip("+-").startswith("0") and part.lstrip("+-").isdigit() else base
            )
        except ValueError:
            continue
        if low == 0:  # unsigned: negated in the type, after the check
            size = high + 1
            return (high if abs(value) > high else value % size), end
        return max(low, min(high, value)), end
    return 0, 0


@pytest.mark.parametrize(("text", "base"), NUMBERS)
def test_whole_numbers(chip: Chip, zig: Toolchain, text: str, base: int) -> None:
    program = PROTOTYPES + f"""
        void entry(long long *d) {{
            char *s = (char *)d + 256, *e;
            d[0] = strtol(s, &e, {base}); d[1] = e - s;
            d[2] = (long long)strtoul(s, &e, {base}); d[3] = e - s;
            d[4] = strtoll(s, &e, {base}); d[5] = e - s;
            d[6] = strtoull(s, &e, {base}); d[7] = e - s;
            d[8] = atoi(s); d[9] = atol(s); d[10] = atoll(s); d[11] = strtol(s, 0, {base});
        }}"""  # fmt: skip
    chip.write(DATA + 256, text.encode() + b"\0")
    assert chip.run(program, zig) == End("exit")
    got = struct.unpack("<6qQ5q", chip.read(DATA, 96))
    limits = [(-(1 << 31), (1 << 31) - 1), (0, (1 << 32) - 1), (-(1 << 63), (1 << 63) - 1), (0, (1 << 64) - 1)]
    assert got[:8] == tuple(v for low, high in limits for v in _whole(text, base, low, high))
    ten = _whole(text, 10, *limits[0])[0]
    assert got[8:] == (ten, ten, _whole(text, 10, *limits[2])[0], got[0])


@pytest.mark.parametrize(("text", "value", "used"), [
    ("3.25e2xyz", 325.0, 6), (" -0x1.8p3", -12.0, 9), ("inf", float("inf"), 3), (".5", 0.5, 2), ("e5", 0.0, 0), ("1e-400", 0.0, 6),
    ("1,5", 1.0, 1),
])  # fmt: skip
def test_fractions(chip: Chip, zig: Toolchain, text: str, value: float, used: int) -> None:
    program = PROTOTYPES + """
        void entry(double *d) {
            char *s = (char *)d + 256, *e;
            d[0] = strtod(s, &e); d[1] = e - s; d[2] = strtof(s, &e); d[3] = e - s; d[4] = atof(s);
        }"""  # fmt: skip
    chip.write(DATA + 256, text.encode() + b"\0")
    assert chip.run(program, zig) == End("exit")
    assert struct.unpack("<5d", chip.read(DATA, 40)) == (value, used, value, used, value)


SRAM_END = SRAM + SRAM_SIZE
FAULTS: list[tuple[str, int, int]] = [
    (f"memcpy((void *){DATA}, (void *){PSRAM_END - 5}, 6)", LOAD_FAULT, PSRAM_END),
    (f"memcpy((void *){PSRAM_END - 5}, (void *){DATA}, 100)", STORE_FAULT, PSRAM_END),
    (f"memcpy((void *)0, (void *){DATA}, 1)", STORE_FAULT, 0),
    (f"memmove((void *){PSRAM_END - 4}, (void *){PSRAM_END - 3}, 9)", LOAD_FAULT, PSRAM_END),
    (f"memset((void *){DATA}, 1, 0xffffffff)", STORE_FAULT, PSRAM_END),
    (f"memset((void *){SRAM_END}, 1, 1)", STORE_FAULT, SRAM_END),
    (f"memcmp((void *){DATA}, (void *)64, 3)", LOAD_FAULT, 64),
    (f"memcmp((void *){PSRAM_END - 8}, (void *){DATA + 4096}, 20)", LOAD_FAULT, PSRAM_END),
    (f"memchr((void *){PSRAM_END - 8}, 7, 9)", LOAD_FAULT, PSRAM_END),
    (f"memrchr((void *){PSRAM_END - 8}, 7, 9)", LOAD_FAULT, PSRAM_END),
    (f"strlen((char *){PSRAM - 1})", LOAD_FAULT, PSRAM - 1),
    (f"strlen(memset((char *){PSRAM_END - 16}, 1, 16))", LOAD_FAULT, PSRAM_END),
    (f"strnlen(memset((char *){PSRAM_END - 16}, 1, 16), 17)", LOAD_FAULT, PSRAM_END),
    (f"strcpy((char *){PSRAM_END - 3}, \"long\")", STORE_FAULT, PSRAM_END),
    (f"strncpy((char *){PSRAM_END - 9}, \"long\", 10)", STORE_FAULT, PSRAM_END),
    (f"strcmp(memset((char *){PSRAM_END - 4}, 'a', 4), \"aaaaa\")", LOAD_FAULT, PSRAM_END),
    (f"strchr(memset((char *){PSRAM_END - 4}, 'a', 4), 'b')", LOAD_FAULT, PSRAM_END),
    (f"strstr(\"a\", (char *){0xFFFFFFFF})", LOAD_FAULT, 0xFFFFFFFF),
    (f"strcat(strcpy((char *){PSRAM_END - 3}, \"a\"), \"bc\")", STORE_FAULT, PSRAM_END),
    ("strtol((char *)16, 0, 10)", LOAD_FAULT, 16),
    ("strtod(\"1\", (char **)20)", STORE_FAULT, 20),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "cause", "address"), FAULTS, ids=lambda v: v.split("(")[0] if isinstance(v, str) else ""
)
def test_outside_of_memory_is_a_fault_at_that_address(
    chip: Chip, zig: Toolchain, call: str, cause: int, address: int
) -> None:
    end = chip.run(f"{PROTOTYPES} void entry(void *d) {{ {call}; }}", zig)
    assert (end.how, end.cause, end.address) == ("trap", cause, address)
    assert end.pc >> 16 == 0x4FC0  # at the function's stub


ALLOWED: list[str] = [
    f"memcmp(memset((char *){PSRAM_END - 4}, 1, 4), \"\\1\\2\", 100)",  # differs before the end
    f"strncmp(memset((char *){PSRAM_END - 4}, 'a', 4), \"aaaaa\", 4)",
    f"strcmp(memset((char *){PSRAM_END - 4}, 'a', 4), \"ab\")",
    f"strnlen(memset((char *){PSRAM_END - 4}, 'a', 4), 4)",
    f"memchr(memset((char *){PSRAM_END - 4}, 'a', 4), 'a', 100)",
    f"strchr(memset((char *){PSRAM_END - 4}, 'a', 4), 'a')",
    f"memset((char *){PSRAM_END - 4}, 'a', 4)",
    "memcpy((void *)0, (void *)0, 0)",
]  # fmt: skip


@pytest.mark.parametrize("call", ALLOWED)
def test_what_c_does_not_look_at_is_no_fault(chip: Chip, zig: Toolchain, call: str) -> None:
    assert chip.run(f"{PROTOTYPES} void entry(void *d) {{ {call}; }}", zig) == End("exit")


def test_a_copy_up_to_the_fault_was_made(chip: Chip, zig: Toolchain) -> None:
    chip.write(DATA, b"abcdef")
    end = chip.run(f"{PROTOTYPES} void entry(char *d) {{ memcpy((void *){PSRAM_END - 4}, d, 6); }}", zig)
    assert end.address == PSRAM_END
    assert chip.read(PSRAM_END - 4, 4) == b"abcd"


def test_a_function_may_rewrite_code_that_ran(chip: Chip, chain: Toolchain) -> None:
    """memcpy over a function that was executed: the next call runs the new instructions."""
    text = PROTOTYPES + """
        __attribute__((noinline, aligned(64))) int one(int a) { __asm__ volatile(""); return a * 3 + 1; }
        __attribute__((noinline, aligned(64))) int two(int a) { __asm__ volatile(""); return a * 5 + 2; }
        void entry(int *d) {
            int (*volatile p)(int) = one;
            d[0] = p(10);
            memcpy((void *)one, (void *)two, 32);
            __asm__ volatile("fence.i");
            d[1] = p(10);
        }"""  # fmt: skip
    assert chip.run(text, chain) == End("exit")
    assert struct.unpack("<2i", chip.read(DATA, 8)) == (31, 52)


def test_this_file_calls_every_function_of_both_headers() -> None:
    called: Callable[[str], bool] = lambda name: any(f"{name}(" in text for text in (ASK, COPY, *_sources()))  # noqa: E731
    texts = {n for n, e in EXPORTS.items() if e.group in ("string", "stdlib") and e.type and "*" in e.type} - ELSEWHERE
    assert {n for n in texts if not called(n)} == set()


def _sources() -> list[str]:
    from pathlib import Path

    return [Path(__file__).read_text(encoding="utf-8").partition("NUMBERS:")[2]]
