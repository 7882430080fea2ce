"""Calls with structs, unions, enums, optional pointers and several results, with both compilers."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest

import p4kernel as p4
from tests.tools import ZIG, require

Real = TypeVar("Real", np.float32, np.float64)


class Mode(enum.IntEnum):
    OFF = 0
    ON = 4
    BACK = -3


class Flags(enum.IntFlag):
    A = 1
    B = 4


class Inner(p4.struct):
    a: p4.u8
    b: p4.f64


class Outer(p4.struct):
    tag: p4.u8
    inner: Inner
    mode: Mode
    taps: npt.NDArray[np.int16] = p4.field(3)
    pairs: npt.NDArray[Inner] = p4.field((2, 2))
    low: p4.u32 = p4.field(bits=3)
    high: p4.i32 = p4.field(bits=5)


class Packed(p4.struct, pack=1, align=8):
    a: p4.u8
    b: p4.i64


class Word(p4.union):
    u: p4.u32
    f: p4.f32


@pytest.fixture(params=["zig", "gcc"], autouse=True)
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = ZIG if request.param == "zig" else require("riscv64-unknown-elf-gcc")
    monkeypatch.setenv("P4KERNEL_CC", f"'{path}'")
    yield


def outer() -> Outer:
    pairs = np.zeros((2, 2), Inner.dtype)
    return Outer(1, Inner(2, 3.5), Mode.ON, np.array([1, 2, 3], np.int16), pairs, low=5, high=-7)


def test_structs_by_value_in_and_out(board: p4.Board) -> None:
    @p4.kernel
    def change(p: Outer, m: Mode, w: Word, k: Packed) -> Outer:
        p4.c("""
            p.inner.b += w.f + k.b;
            p.mode = m;
            p.low += 1;
            p.high += 1;
            p.taps[2] = -9;
            p.pairs[1][0].a = 4;
            return p;
        """)

    given = outer()
    got = change(given, Mode.BACK, Word(f=0.25), Packed(1, 1 << 40))
    assert isinstance(got, Outer)
    assert (got.tag, got.inner.a, got.inner.b, got.mode) == (1, 2, 2.0**40 + 3.5, Mode.BACK)
    assert (got.taps.tolist(), got.pairs[1, 0].a, got.low, got.high) == ([1, 2, -9], 4, 6, -6)
    assert given.mode == Mode.ON and given.taps[2] == 3


def test_structs_by_pointer(board: p4.Board) -> None:
    @p4.kernel
    def number(items: p4.InOut[Outer], n: p4.i32 = p4.size("items")) -> p4.i32:
        p4.c("int sum = 0; for (int i = 0; i < n; ++i) { sum += items[i].tag; items[i].low = i; } return sum;")

    items = np.zeros(3, Outer.dtype)
    items["tag"] = [1, 2, 3]
    assert number(items) == 6 and [item.low for item in items] == [0, 1, 2]
    one: Any = np.array(outer())
    assert number(one) == 1 and one[()].low == 0


def test_structs_in_cpp(board: p4.Board) -> None:
    @p4.kernel
    def swap(p: Outer, m: Mode, hi: Inner = p4.ret()) -> tuple[Mode, Inner]:
        p4.cpp("*hi = p.inner; hi->b *= 2; return m == Mode_ON ? Mode_BACK : m;")

    mode, inner = swap(outer(), Mode.ON)
    assert mode is Mode.BACK and (inner.a, inner.b) == (2, 7.0)


def test_enums(board: p4.Board) -> None:
    @p4.kernel
    def next_mode(m: Mode, f: Flags = Flags.A, step: p4.i32 = 0) -> Mode:
        p4.c("return m == Mode_OFF && (f & Flags_A) ? Mode_ON : (enum Mode)(m + step);")

    assert next_mode(Mode.OFF) is Mode.ON and next_mode(Mode.BACK, Flags.B | Flags.A) is Mode.BACK
    loose: Any = next_mode
    assert loose(4) is Mode.ON
    with pytest.raises(p4.Error, match=r"the return value is 5, the value of no member of Mode \(OFF = 0"):
        next_mode(Mode.ON, step=1)


def test_several_results(board: p4.Board) -> None:
    @p4.kernel
    def divide(
        a: p4.i32, b: p4.i32, q: p4.i32 = p4.ret(), r: p4.i64 = p4.ret(), exact: p4.bool_ = p4.ret(), m: Mode = p4.ret()
    ) -> tuple[p4.bool_, p4.i32, p4.i64, p4.bool_, Mode]:
        p4.c("if (!b) return 0; *q = a / b; *r = a % b; *exact = !*r; *m = Mode_ON; return 1;")

    assert divide(17, 5) == (True, 3, 2, False, Mode.ON)
    assert divide(b=4, a=8) == (True, 2, 0, True, Mode.ON)
    assert divide(1, 0) == (False, 0, 0, False, Mode.OFF)
    assert divide.last.round_trips == 1


def test_arrays_and_texts_as_results(board: p4.Board) -> None:
    @p4.kernel
    def outer_product(
        x: p4.In[np.float32], y: p4.In[np.float32], name: p4.cstr,
        out: p4.Out[np.float32] = p4.ret("(x.size, y.size)"), text: p4.cstr = p4.ret("3 * x.size + 20"),
        n: p4.i32 = p4.size("x"), m: p4.i32 = p4.size("y"),
    ) -> tuple[npt.NDArray[np.float32], str]:  # fmt: skip
        p4.c(
            """
            for (int i = 0; i < n; ++i)
                for (int j = 0; j < m; ++j)
                    out[i * m + j] = x[i] * y[j];
            snprintf(text, 20, "%s: %d by %d", name, n, m);
            """,
            preamble="#include <stdio.h>",
        )

    x, y = np.arange(3, dtype=np.float32), np.arange(1, 5, dtype=np.float32)
    out, text = outer_product(x, y, "grüße")
    assert np.array_equal(out, np.outer(x, y)) and text == "grüße: 3 by 4"
    mine = np.zeros((3, 4), np.float32)
    assert outer_product(x, y, "", mine)[0] is mine and mine[2, 3] == 8
    empty, text = outer_product(x[:0], y, "none")
    assert empty.shape == (0, 4) and text == "none: 0 by 4"


def test_texts_that_are_none(board: p4.Board) -> None:
    @p4.kernel
    def write(how: p4.i32, text: p4.cstr = p4.ret(4)) -> str:
        p4.c(r'__builtin_memcpy(text, how ? how == 1 ? "\xff\0" : "aaaa" : "ab\0c", how == 2 ? 4 : 2);')

    assert write(0) == "ab"
    with pytest.raises(p4.Error, match="no UTF-8"):
        write(1)
    with pytest.raises(p4.Error, match="no closing NUL into the 4 bytes"):
        write(2)


def test_optional_pointers(board: p4.Board) -> None:
    @p4.kernel
    def count(
        x: p4.In[np.int16] | None = None, text: p4.cstr | None = None, out: p4.Out[np.int32] | None = None,
        n: p4.i32 = p4.size("x", "out"),
    ) -> p4.i32:  # fmt: skip
        p4.c("if (out) for (int i = 0; i < n; ++i) out[i] = x ? x[i] : -1; return 100 * !x + 10 * !text + !out + n;")

    assert count() == 111
    assert count(np.zeros(3, np.int16)) == 14
    out = np.zeros(2, np.int32)
    assert count(None, "text", out) == 102 and out.tolist() == [-1, -1]
    assert count(np.array([4, 5], np.int16), b"", out) == 2 and out.tolist() == [4, 5]


def test_void_pointers_take_any_array(board: p4.Board) -> None:
    @p4.kernel
    def checksum(x: p4.In[Any], n: p4.size_t) -> p4.u32:
        p4.c("uint32_t sum = 0; while (n--) sum += ((const uint8_t *)x)[n]; return sum;")

    for array in (
        np.arange(5, dtype=np.int64),
        np.zeros(3, Outer.dtype),
        np.arange(12, dtype=np.uint8).reshape(3, 4).T,
    ):
        assert checksum(array, array.nbytes) == sum(array.tobytes())


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float32, np.float64])
def test_generic_kernels(board: p4.Board, dtype: Any) -> None:
    x = np.arange(5).astype(dtype)
    y = np.zeros_like(x)
    scale(x, y, 3)
    assert np.array_equal(y, 3 * x)
    sum_ = total(x)
    assert sum_ == 10 and type(sum_) is dtype
    copy, last = ends(x)
    assert np.array_equal(copy, x) and last == 4 and type(last) is dtype


@p4.kernel
def scale(x: p4.In[p4.T], y: p4.Out[p4.T], a: p4.value[p4.T], n: p4.i32 = p4.size("x", "y")) -> None:
    p4.c("for (int i = 0; i < n; ++i) y[i] = a * x[i];")


@p4.kernel
def total(x: p4.In[p4.T], n: p4.i32 = p4.size("x")) -> p4.T:
    p4.c("T sum = 0; for (int i = 0; i < n; ++i) sum += x[i]; return sum;")


@p4.kernel
def ends(
    x: p4.In[p4.T], copy: p4.Out[p4.T] = p4.ret("x.shape"), last: p4.value[p4.T] = p4.ret(), n: p4.i32 = p4.size("x")
) -> tuple[npt.NDArray[p4.T], p4.T]:
    p4.c("for (int i = 0; i < n; ++i) *last = copy[i] = x[i];")


@p4.kernel
def halve(x: p4.InOut[Real], n: p4.i32 = p4.size("x")) -> None:
    p4.c("for (int i = 0; i < n; ++i) x[i] *= (Real)0.5;")


def test_generic_kernels_of_structs_and_by_name(board: p4.Board) -> None:
    points = np.array([Inner(1, 2), Inner(3, 4)], Inner.dtype)
    copy, last = ends(points)
    assert np.array_equal(copy, points) and isinstance(last, Inner) and last.b == 4.0
    assert total[np.int32] is total[np.int32] and "typedef int32_t T;" in total[np.int32].source
    assert total[np.float32](np.ones(3, np.float32)) == 3.0
    x = np.ones(2, np.float64)
    halve.on(board)(x)
    assert x.tolist() == [0.5, 0.5] and halve.last.instructions > 4


def test_sixty_four_parameters_of_all_kinds(board: p4.Board) -> None:
    rng = random.Random(64)
    kinds = {"i32": "int", "f32": "float", "f64": "double", "i64": "long", "u8": "byte", "Inner": "struct"}
    names = [rng.choice(list(kinds)) for _ in range(63)]
    namespace: dict[str, Any] = {"p4": p4, "np": np, "Inner": Inner}
    parameters = ", ".join(f"a{i}: {'Inner' if n == 'Inner' else 'p4.' + n}" for i, n in enumerate(names))
    terms = " ".join(f"out[{i}] = a{i}{'.b' if n == 'Inner' else ''};" for i, n in enumerate(names))
    exec(f"def f({parameters}, out: p4.Out[np.float64]) -> None:\n    p4.c('{terms}')\n", namespace)
    kernel: Any = p4.kernel(namespace["f"])
    want = [rng.randint(0, 200) for _ in names]
    out = np.zeros(63)
    kernel(*[Inner(0, v) if n == "Inner" else v for n, v in zip(names, want, strict=True)], out)
    assert out.tolist() == want


def test_functions_of_c_text(board: p4.Board, tmp_path: Path) -> None:
    find = p4.cdef(
        """
        typedef struct { float low, high; } range_t;  // both ends
        range_t find(const float *x, size_t n, int *where);
        """,
        source="""
        typedef struct { float low, high; } range_t;
        range_t find(const float *x, size_t n, int *where)
        {
            range_t r = { x[0], x[0] };
            for (size_t i = 1; i < n; ++i) {
                if (x[i] < r.low) { r.low = x[i]; *where = i; }
                if (x[i] > r.high) r.high = x[i];
            }
            return r;
        }
        """,
        defaults={"n": p4.size("x"), "where": p4.ret()},
    )
    found, where = find(np.array([3, 1, 2], np.float32))
    assert (found.low, found.high, where) == (1.0, 3.0, 1)
    assert find.__name__ == "find" and "find" in repr(find)
    out = np.zeros(3, np.uint8)
    copy = p4.cdef("void *memcpy(void *to, const void *from, size_t n);")
    assert copy(out, np.array([1, 2, 3], np.uint8), 3) > 0 and out.tolist() == [1, 2, 3]
    assert p4.cdef("size_t strlen(const char *);")("grüße") == 7
    (tmp_path / "twice.c").write_text("int twice(int x) { return 2 * x; }")
    assert p4.cdef("int twice(int x);", files=[tmp_path / "twice.c"])(21) == 42
