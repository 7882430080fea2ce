"""Declarations in C text: what is understood of a header, and which construct, on which line, is refused."""

from __future__ import annotations

import enum
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.signature.cparse import parse
from p4kernel.signature.values import record
from tests.tools import ZIG, require

HEADER = r"""
#ifndef FILTER_H
#define FILTER_H
#include <stdint.h>
#include <string.h>
#define TAPS 5
#define TWICE (2 * TAPS) /* of both sides */
#define MASK (1u << 4 | 0x0F)
#define NAME "filter // no comment"
#define GAIN 0.5f
#define LETTER 'x'
#define LOOP do {} while (0)
#define MAX(a, b) ((a) > (b) ? (a) : (b))

enum mode { MODE_OFF, MODE_ON = TAPS - 1, MODE_LAST };
typedef enum { LOW = -1, HIGH } level_t;
typedef struct __attribute__((packed)) { uint8_t tag; int32_t value; } item_t;
#pragma pack(push, 2)
struct half { uint8_t a; uint32_t b; };
#pragma pack(pop)
struct state {
    float taps[TAPS];
    enum mode mode;
    item_t items[2][MODE_LAST - 4];
    void *next;
    unsigned low : 3, high : 5;
    char name[sizeof(int) * 2];
} __attribute__((aligned(16)));
union word { uint32_t u; float f; };
struct odd { struct { int a; }; };
struct wide { long double x; };
struct own { int a __attribute__((aligned(8))); };

static inline int add(int a, int b) { if (a) { return a + b; } return b; }
float smooth(const float *restrict x, size_t n, struct state *s, float *out) __attribute__((nonnull));
item_t make_item(int tag, enum mode m, level_t l, union word w, struct half h);
int apply(int (*f)(int, float), int x);
unsigned long long wide_value(unsigned long a, signed char b, unsigned short c, char d);
int row(const int16_t matrix[][4], int i);
int vary(const char *format, ...);
long double precise(long double x);
double _Complex both(void);
int sum(int **rows);
extern int counter;
#endif
"""

SOURCE = r"""
#include "filter.h"
float smooth(const float *x, size_t n, struct state *s, float *out)
{
    float sum = 0;
    for (size_t i = 0; i < n; ++i)
        out[i] = sum += x[i] * s->taps[i % TAPS];
    s->mode = MODE_LAST;
    s->low = 5;
    s->high = 9;
    return sum;
}
item_t make_item(int tag, enum mode m, level_t l, union word w, struct half h)
{
    item_t i = { tag, m * 100 + l + (int)w.f + h.b };
    return i;
}
int apply(int (*f)(int, float), int x) { return f(x, 0.5f); }
unsigned long long wide_value(unsigned long a, signed char b, unsigned short c, char d)
{
    return (unsigned long long)a << 32 | (b < 0) << 24 | c << 8 | d;
}
int row(const int16_t matrix[][4], int i) { return matrix[i][3]; }
"""


@pytest.fixture(params=["zig", "gcc"])
def library(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    path = ZIG if request.param == "zig" else require("riscv64-unknown-elf-gcc")
    monkeypatch.setenv("P4KERNEL_CC", f"'{path}'")
    (tmp_path / "filter.h").write_text(HEADER)
    (tmp_path / "filter.c").write_text(SOURCE)
    yield p4.header(
        tmp_path / "filter.h",
        files=[tmp_path / "filter.c"],
        defaults={"smooth": {"n": p4.size("x"), "out": p4.ret("x.size")}},
    )


def test_a_header(library: Any, board: p4.Board) -> None:
    assert (library.TWICE, library.MASK, library.NAME, library.GAIN) == (10, 31, "filter // no comment", 0.5)
    assert ord("x") == library.LETTER and library.MODE_LAST == 5
    assert isinstance(library.mode.MODE_ON, enum.IntEnum) and list(library.level_t) == [-1, 0]
    assert (
        library.state.dtype.itemsize == 64 and library.item_t.dtype.itemsize == 5 and library.half.dtype.itemsize == 6
    )
    state: Any = np.zeros(1, library.state.dtype)
    state["taps"] = 1
    total, out = library.smooth(np.ones(3, np.float32), state)
    assert total == 3.0 and out.tolist() == [1, 2, 3]
    assert (state[0].mode, state[0].low, state[0].high) == (library.mode.MODE_LAST, 5, 9)
    item = library.make_item(3, library.mode.MODE_ON, library.level_t.LOW, library.word(f=7.5), library.half(1, 1000))
    assert (item.tag, item.value) == (3, 1406)
    assert library.add(3, 4) == 7
    assert library.apply(lambda a, b: int(a * b * 10), 6) == 30
    assert library.wide_value(0xFFFFFFFF, -1, 0xABCD, 0xEF) == 0xFFFFFFFF_01ABCDEF
    assert library.row(np.arange(8, dtype=np.int16).reshape(2, 4), 1) == 7


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vary", r"filter\.h:{int vary}: vary: a variable number of arguments"),
        ("precise", r"filter\.h:{long double precise}: precise, parameter x: long double is not supported"),
        ("both", r"filter\.h:{double _Complex}: both, return value: _Complex"),
        ("sum", r"filter\.h:{int sum}: sum, parameter 'rows': a pointer to a pointer"),
        ("odd", r"filter\.h:{struct odd}: struct odd: a struct or union without a name inside"),
        ("wide", r"filter\.h:{struct wide}: struct wide: member x: long double"),
        ("own", r"filter\.h:{struct own}: struct own: member a: an alignment of its own"),
        ("counter", r"filter\.h:{extern int counter}: counter is a variable"),
        ("LOOP", "the macro LOOP .* is no constant"),
    ],
)
def test_what_a_header_has_and_p4kernel_has_not(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "filter.h").write_text(HEADER)
    library = p4.header(tmp_path / "filter.h")
    lines = HEADER.splitlines()
    pattern = re.sub(r"\{(.*?)\}", lambda m: str(next(i for i, t in enumerate(lines, 1) if t.startswith(m[1]))), words)
    with pytest.raises(p4.SignatureError, match=pattern):
        getattr(library, name)
    assert name not in dir(library) and "add" in dir(library)


def test_names_that_a_header_lacks(tmp_path: Path) -> None:
    (tmp_path / "few.h").write_text("#include <string.h>\nint one(void);\n")
    library = p4.header(tmp_path / "few.h")
    assert dir(library) == ["one"]
    with pytest.raises(AttributeError, match=r"few\.h declares no 'strlen'; it has one"):
        _ = library.strlen


def test_headers_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(p4.SignatureError, match="there is no such file"):
        p4.header(tmp_path / "none.h")
    with pytest.raises(p4.SignatureError, match="this is a folder"):
        p4.header(tmp_path)
    file = tmp_path / "bad.h"
    file.write_text('#include "missing.h"\n')
    with pytest.raises(p4.CompileError, match=r"missing\.h"):
        p4.header(file)
    file.write_text("int f(;\n")
    with pytest.raises(p4.SignatureError, match=r"bad\.h:1.*no C declaration"):
        p4.header(file)
    file.write_text("int f(int x);\n")
    with pytest.raises(p4.SignatureError, match="declares no function 'g'"):
        p4.header(file, defaults={"g": {}})
    with pytest.raises(p4.SignatureError, match="give one of them"):
        p4.header(file, source="", files=[])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("int f(int x, ...);", "cdef:1: f: a variable number"),
        ("\n\nlong double f(void);", "cdef:3: f, return value: long double"),
        ("float _Complex f(void);", "_Complex"),
        ("__int128 f(void);", "__int128"),
        ("int f(int **p);", "parameter 'p': a pointer to a pointer"),
        ("int f(struct t x);", "struct t: its members are not known"),
        ("int f(va_list v);", "va_list"),
        ("int f(void *(*make)(int));", "function that takes or returns pointers"),
        ("struct s { int a : 0; int b; }; int f(struct s x);", "0 bits"),
        ("struct s { int a : 3; } __attribute__((packed)); int f(struct s x);", "bit-fields in packed structs"),
        ("struct s { int a[]; }; int f(struct s *x);", "without a length"),
        ("struct s { int a[N]; }; int f(struct s *x);", "'N' is not known"),
        ("int x;", "x is a variable"),
        ("typedef int t;", "there are: none"),
        ("int f(void); int g(void);", "there are: f, g"),
        ("int f(", "no C declaration"),
        ("#include <x.h>\nint f(void);", "needs a preprocessor"),
        ("int f(int p4_x);", "belong to p4kernel"),
        ("int f(a, b);", "has no type"),
    ],
)
def test_prototypes_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(p4.SignatureError, match=words):
        p4.cdef(text)


def test_handles_are_numbers(board: p4.Board) -> None:
    source = """
    typedef struct box { int n; } *box_t;
    static struct box boxes[2] = { { 40 }, { 2 } };
    int open(int i, struct box **out) { *out = &boxes[i]; return 7; }
    int read(const struct box *box, struct box *other) { return box->n + other->n; }
    struct box *first(void) { return boxes; }
    int both(void) { return read(first(), boxes + 1); }
    """
    declared = "struct box; typedef struct box *box_t;"
    opened = p4.cdef(f"{declared} int open(int i, box_t *out);", source=source, defaults={"out": p4.ret()})
    (status, first), (_, second) = opened(0), opened(1)
    assert status == 7 and second - first == 4
    assert p4.cdef("struct box *first(void);", source=source)() > 0
    # The image of each text is another, and the addresses are those of its own.
    read = p4.cdef(f"{declared} int read(const struct box *box, box_t other);", source=source)
    with pytest.raises(p4.ArgumentError, match="p4.address"):
        read(2**40, 0)
    with pytest.raises(p4.KernelFault):
        read(0, 0)
    assert p4.cdef("int both(void);", source=source)() == 42


def test_options_of_cdef_that_are_refused(tmp_path: Path) -> None:
    loose: Any = p4.cdef
    for options, words in (
        ({"source": "", "files": []}, "give one of them"),
        ({"source": 3}, "source is C text"),
        ({"files": "a.c"}, "list of files"),
        ({"files": [tmp_path / "none.c"]}, "no such file"),
        ({"defaults": {"y": 1}}, "'y' is no parameter"),
        ({"types": {"y": p4.i32}}, "'y' is no parameter"),
        ({"types": {"x": 3}}, "no type of a kernel parameter"),
        ({"defaults": {"n": p4.ret()}}, "is no pointer"),
        ({"defaults": {"x": p4.ret(3)}}, "pointer to const"),
        ({"defaults": {"n": 1.5}}, "integer"),
        ({"level": 3}, "no such option"),
        ({"opt": "O9"}, "levels are"),
        ({"require": "x.size >"}, "require"),
    ):
        with pytest.raises(p4.SignatureError, match=words):
            loose("int f(const int *x, int n);", **options)
    with pytest.raises(p4.SignatureError, match="takes C text, not int"):
        loose(3)


def test_the_source_must_agree_with_the_prototype() -> None:
    f = p4.cdef("int f(int x);", source="int f(float x) { return x; }")
    with pytest.raises(p4.CompileError, match="conflicting types for 'f'"):
        f(3)
    struct = "struct p { char a; int b; };"
    g = p4.cdef(f"{struct} int g(struct p x);", source="struct p { int b; char a; }; int g(struct p x) { return x.a; }")
    with pytest.raises(p4.CompileError, match="struct p"):
        _ = g.build


def test_errors_in_the_source_are_shown_where_they_are(tmp_path: Path) -> None:
    f = p4.cdef("int f(int x);", source="""
        int f(int x) {
            return y;
        }
    """)  # fmt: skip
    with pytest.raises(p4.CompileError) as caught:
        _ = f.build
    line = caught.value.diagnostics[0].line
    assert "return y" in Path(__file__).read_text().splitlines()[line - 1]


def test_layouts_are_those_of_the_board() -> None:
    text = """
    #pragma pack(1)
    struct a { char c; double d; };
    #pragma pack()
    struct b { char c; long l; long long ll; struct a a; enum { X, Y = -1 } e; short s[3]; } __attribute__((__aligned__));
    int f(struct b *x);
    """
    found = parse(text, "text")
    kind = record(found.types["b"])
    assert kind is not None
    assert [(m.name, m.offset) for m in kind.members] == [
        ("c", 0),
        ("l", 4),
        ("ll", 8),
        ("a", 16),
        ("e", 28),
        ("s", 32),
    ]
    assert kind.size == 48 and kind.align == 16
    assert found.constants == {"X": 0, "Y": -1}


@pytest.mark.parametrize("seed", range(4))
def test_any_text_is_read_or_refused(seed: int) -> None:
    """Pieces of C that are cut and joined at random: never another error than SignatureError."""
    rng = random.Random(seed)
    words = re.findall(r"\w+|\s+|.", re.sub(r"(?m)^#(include|if|endif).*$", "", HEADER))
    others = [
        "{",
        "}",
        "(",
        ")",
        ";",
        "struct",
        "...",
        "*",
        "[",
        "]",
        "0",
        "-1",
        "'",
        '"',
        "#",
        "9" * 30,
        "__attribute__",
    ]
    read = refused = 0
    for _ in range(60):
        start = rng.randrange(len(words))
        text = words[start : start + rng.randint(5, 200)]
        for _ in range(rng.randint(0, 4)):
            text.insert(rng.randint(0, len(text)), rng.choice([*words, *others]))
        try:
            parse("".join(text), "text")
            read += 1
        except p4.SignatureError:
            refused += 1
    assert read and refused and read + refused == 60
