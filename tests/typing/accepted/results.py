"""What calls return."""

import enum
from typing import TypeVar, assert_type

import numpy as np
import numpy.typing as npt

import p4kernel as p4

Real = TypeVar("Real", np.float32, np.float64)


class Mode(enum.IntEnum):
    OFF = 0


@p4.kernel
def divide(a: p4.i32, b: p4.i32, q: p4.i32 = p4.ret(), r: p4.i32 = p4.ret()) -> tuple[p4.bool_, p4.i32, p4.i32]:
    p4.c("if (!b) return 0; *q = a / b; *r = a % b; return 1;")


@p4.kernel
def double(x: p4.In[np.float32], out: p4.Out[np.float32] = p4.ret("x.shape")) -> npt.NDArray[np.float32]:
    p4.c("out[0] = 2 * x[0];")


@p4.kernel
def describe(x: p4.i32, text: p4.cstr = p4.ret(32), mode: Mode = p4.ret()) -> tuple[str, Mode]:
    p4.c("text[0] = '0' + x; *mode = Mode_OFF;")


@p4.kernel
def total(x: p4.In[p4.T], n: p4.i32 = p4.size("x")) -> p4.T:
    p4.c("T sum = 0; for (int i = 0; i < n; ++i) sum += x[i]; return sum;")


@p4.kernel
def scale(x: p4.InOut[Real], a: p4.value[Real], n: p4.i32 = p4.size("x")) -> None:
    p4.c("for (int i = 0; i < n; ++i) x[i] *= a;")


def results(x: npt.NDArray[np.float32], y: npt.NDArray[np.int16]) -> None:
    ok, quotient, remainder = divide(7, 2)
    assert_type(ok, bool)
    assert_type(quotient + remainder, int)
    assert_type(double(x), npt.NDArray[np.float32])
    assert_type(describe(3), tuple[str, Mode])
    assert_type(total(x), np.float32)
    assert_type(total(y), np.int16)
    scale(x, 2)
    scale(x.astype(np.float64), 2.5)
    total[np.float32].disassemble()
