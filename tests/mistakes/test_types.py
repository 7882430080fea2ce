"""What people get wrong with structs, enums, results, generic kernels and C declarations, when they call."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest

import p4kernel as p4

Real = TypeVar("Real", np.float32, np.float64)
Whole = TypeVar("Whole", bound=np.integer[Any])


class Mode(enum.IntEnum):
    OFF = 0
    ON = 4


class Other(enum.IntEnum):
    A = 0


class Bits(enum.IntFlag):
    A = 1


class Point(p4.struct):
    x: p4.f32
    y: p4.f32


class Swapped(p4.struct):
    y: p4.f32
    x: p4.f32


@p4.kernel
def mirror(p: Point, mode: Mode = Mode.OFF, points: p4.InOut[Point] | None = None, bits: Bits = Bits.A) -> Point:
    p4.c("p.x = -p.x; if (points) points[0] = p; return p;")


@p4.kernel
def split(
    x: p4.In[np.float32], out: p4.Out[np.float32] = p4.ret("(n, x.size - k)"), hi: p4.f32 = p4.ret(),
    text: p4.cstr = p4.ret("k"), n: p4.i32 = p4.size("x"), k: p4.i32 = 1,
) -> tuple[npt.NDArray[np.float32], p4.f32, str]:  # fmt: skip
    p4.c("out[0] = x[0]; *hi = 2; (void)text; (void)n; (void)k;")


@p4.kernel
def total(x: p4.In[p4.T], y: p4.In[p4.T] | None = None, n: p4.i32 = p4.size("x")) -> p4.T:
    p4.c("T sum = 0; for (int i = 0; i < n; ++i) sum += x[i] + (y ? y[i] : 0); return sum;")


@p4.kernel
def halve(x: p4.InOut[Real]) -> None:
    p4.c("x[0] /= 2;")


@p4.kernel
def negate(x: p4.InOut[Whole]) -> None:
    p4.c("x[0] = -x[0];")


P: Any = Point(1, 2)
X = np.ones(3, np.float32)
COUNT = p4.cdef(
    "int count(const int16_t *x, int *out, size_t n);",
    source="#include <stdint.h>\nint count(const int16_t *x, int *out, size_t n) { *out = n; return x[0]; }",
    defaults={"n": p4.size("x"), "out": p4.ret()},
)


@pytest.fixture(autouse=True)
def held(board: p4.Board) -> Iterator[None]:
    """Nothing is left behind on the board (the fixture looks), and it still works."""
    yield
    assert mirror(Point(1, 2)).x == -1.0
    assert split(X)[1] == 2.0


# As no type checker would let them be called.
mirror_: Any = mirror
split_: Any = split
total_: Any = total
halve_: Any = halve
negate_: Any = negate
count_: Any = COUNT


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mirror_((1.0, 2.0)), ["mirror: p must be a Point, not (1.0, 2.0)", "Point(...)"]),
        (lambda: mirror_(Swapped(1, 2)), ["p must be a Point, not one of dtype"]),
        (lambda: mirror_(np.zeros(2, Point.dtype)), ["p must be a Point", "p[i]"]),
        (lambda: mirror_(None), ["p must be a Point, not None"]),
        (lambda: mirror_(P, 3), ["mode: 3 is the value of no member of Mode (OFF = 0, ON = 4)"]),
        (lambda: mirror_(P, 2**40), ["mode: 1099511627776 is the value of no member"]),
        (lambda: mirror_(P, Other.A), ["mode must be a Mode", "of Other"]),
        (lambda: mirror_(P, "ON"), ["mode must be a Mode", "'ON'"]),
        (lambda: mirror_(P, True), ["mode must be a Mode", "True"]),
        (lambda: mirror_(P, bits=Bits(1 << 40)), ["bits", "32 bits"]),
        (lambda: mirror_(P, Mode.ON, np.zeros(2, Swapped.dtype)), ["points must have dtype"]),
        (lambda: mirror_(P, Mode.ON, P), ["points must be an array (p4.InOut[Point] | None), not Point"]),
        (lambda: mirror_(P, Mode.ON, [P]), ["points must be an array", "list"]),
        (lambda: split_(X, hi=2.0), ["hi is a result: leave it out"]),
        (lambda: split_(X, text="abc"), ["text is a result: leave it out"]),
        (lambda: split_(X, X.astype(np.float64)), ["out must have dtype float32"]),
        (lambda: split_(X, k=4), ["out = p4.ret('(n, x.size - k)') gives the shape (3, -1)"]),
        (lambda: split_(X, k=0), ["text = p4.ret('k') gives (0,)", "closing NUL"]),
        (lambda: split_(None), ["x must be an array", "not None"]),
        (lambda: total_(), ["no array was given that says what T is", "missing x"]),
        (lambda: total_([1, 2]), ["x must be an array (p4.In[T]), not list"]),
        (lambda: total_(X, X.astype(np.int16)), ["y must have dtype float32, not int16"]),
        (lambda: total_(X.astype(np.complex64)), ["T is complex64", "no C type"]),
        (lambda: total_(X.astype(">f4")), ["T is >f4", "no C type"]),
        (lambda: halve_(np.ones(1, np.int32)), ["x: Real is one of np.float32, np.float64, not int32"]),
        (lambda: negate_(X), ["x: Whole is a kind of np.integer, not float32"]),
        (lambda: count_(X), ["x must have dtype int16, not float32"]),
        (lambda: count_(np.ones(2, np.int16), 5), ["count: n = 5 is more than x hold"]),
        (lambda: count_(), ["count is missing x"]),
        (lambda: count_(np.ones(2, np.int16), out=3), ["out is a result"]),
    ],
)
def test_arguments(call: Callable[[], Any], words: list[str]) -> None:
    with pytest.raises(p4.ArgumentError) as caught:
        call()
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("ask", "kind", "words"),
    [
        (lambda: total.build, p4.Error, r"total is generic over T: name the type, as in total\[np.float32\].build"),
        (lambda: total.source, p4.Error, "generic over T"),
        (lambda: total.disassemble(), p4.Error, "generic over T"),
        (lambda: total[int], p4.SignatureError, "takes NumPy types such as np.float32, not <class 'int'>"),
        (lambda: total[np.float32, np.int8], p4.SignatureError, "a type for each of T, not 2"),
        (lambda: total[np.complex64], p4.SignatureError, "no C type"),
        (lambda: halve[np.int32], p4.SignatureError, "one of np.float32, np.float64"),
        (lambda: mirror[np.int32], p4.SignatureError, "no parameter uses p4.T"),
    ],
)
def test_generic_kernels(ask: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        ask()


def test_a_result_that_is_no_member() -> None:
    @p4.kernel
    def mode(value: p4.i32, again: Mode = p4.ret()) -> tuple[Mode, Mode]:
        p4.c("*again = (enum Mode)value; return Mode_ON;")

    assert mode(0) == (Mode.ON, Mode.OFF)
    with pytest.raises(p4.Error, match="mode: again is 1, the value of no member of Mode"):
        mode(1)


def test_a_function_that_the_firmware_lacks() -> None:
    with pytest.raises(p4.LinkError, match="strlem"):
        p4.cdef("size_t strlem(const char *s);")("text")


def test_c_that_asks_for_another_layout() -> None:
    point = p4.cdef(
        "struct point { char a; int b; }; int f(struct point p);",
        source="#pragma pack(1)\nstruct point { char a; int b; };\nint f(struct point p) { return p.a; }",
    )
    with pytest.raises(p4.CompileError, match="size of struct point"):
        _ = point.build
