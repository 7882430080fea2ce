"""Arguments of all kinds, with the types that a caller has at hand."""

import enum
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import p4kernel as p4


class Mode(enum.IntEnum):
    OFF = 0
    ON = 1


class Point(p4.struct):
    x: p4.f32
    y: p4.f32 = 0.0


class Shape(p4.struct, pack=1, align=8):
    corners: npt.NDArray[np.int16] = p4.field((2, 4))
    centre: Point
    mode: Mode
    flag: p4.u8 = p4.field(bits=1)


class Word(p4.union):
    u: p4.u32
    f: p4.f32


@p4.kernel
def axpy(x: p4.In[np.float32], y: p4.InOut[np.float32], a: p4.f32, n: p4.i32 = p4.size("x", "y")) -> None:
    p4.c("for (int i = 0; i < n; ++i) y[i] += a * x[i];")


@p4.kernel(opt="O3", timeout=2.5)
def mirror(p: Point, mode: Mode, word: Word, points: p4.In[Point] | None = None, name: p4.cstr | None = None) -> Point:
    p4.c("p.x = -p.x; return p;")


def arguments(x: npt.NDArray[np.float32], points: npt.NDArray[Point]) -> None:
    axpy(x, x.copy(), 2)
    axpy(x, y=x.copy(), a=2.5, n=3)
    assert_type(mirror(Point(1, 2), Mode.ON, Word(f=1.0)), Point)
    result = mirror(Point(x=1.0), Mode.OFF, Word(u=3), points, name=b"text")
    assert_type(result.x, float)
    shape = Shape(np.zeros((2, 4), np.int16), result, Mode.ON, flag=1)
    assert_type(shape.centre, Point)
    assert_type(shape.mode, Mode)
    made = np.zeros(3, Point.dtype)
    mirror(made[0], Mode.ON, Word(), np.array([Point(1, 2)], Point.dtype))


def on_a_board(board: p4.Board, x: npt.NDArray[np.float32]) -> None:
    axpy.on(board)(x, x.copy(), 1.0)
    assert_type(axpy.last, p4.Last)


def of_c_text(x: npt.NDArray[np.int16]) -> Any:
    count = p4.cdef("int count(const int16_t *x, size_t n);", source="...", defaults={"n": p4.size("x")}, opt="O3")
    library = p4.header("filter.h", files=["filter.c"], include_dirs=["include"])
    assert_type(library, p4.Library)
    return count(x), library.smooth(x), library.TAPS
