"""Python values in the text of a kernel, by name."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import p4kernel as p4
from p4kernel.signature.constants import text


class Mode(enum.IntEnum):
    FAST = 7


@pytest.mark.usefixtures("compiler")
def test_in_c() -> None:
    @p4.kernel
    def f(out: p4.Out[np.float64], s: p4.Out[np.uint8]) -> p4.i32:
        p4.c(
            """
            #if N != 64 || !YES || NO
            #error "not seen by the preprocessor"
            #endif
            _Static_assert(_Generic(HALF, double: 1) && _Generic(F32, float: 1) && _Generic(BIG, long long: 1), "types");
            _Static_assert(LOW == -2147483647 - 1 && LOWEST == -9223372036854775807 - 1 && HUGE == ~0ULL, "limits");
            _Static_assert(sizeof NAME == 12 && sizeof TAPS == 12 && sizeof GRID == 2 * 3 * 4, "sizes");
            _Static_assert(((uintptr_t)0 + _Alignof(double)) == 8, "");
            out[0] = TENTH; out[1] = F32; out[2] = INF; out[3] = NAN_; out[4] = -TENTH; out[5] = NEG;
            out[6] = GRID[1][2]; out[7] = TAPS[2]; out[8] = RAW[1]; out[9] = FLAGS[0]; out[10] = MODE;
            for (unsigned i = 0; i < sizeof NAME; ++i) s[i] = NAME[i];
            return ((uintptr_t)TAPS | (uintptr_t)GRID | (uintptr_t)RAW) % 16;
            """,
            N=64, YES=True, NO=False, HALF=0.5, F32=np.float32(0.1), BIG=1 << 40, LOW=-(1 << 31), LOWEST=-(1 << 63),
            HUGE=(1 << 64) - 1, TENTH=0.1, INF=math.inf, NAN_=math.nan, NEG=-3, NAME='a"b\\\n?é\0x1', TAPS=[1, -2, 3],
            GRID=np.arange(6, dtype=np.float32).reshape(2, 3) / 7, RAW=b"\0\xff", FLAGS=[True, False], MODE=Mode.FAST,
        )  # fmt: skip

    out, s = np.zeros(11), np.zeros(12, np.uint8)
    assert f(out, s) == 0
    expected = [0.1, float(np.float32(0.1)), math.inf, math.nan, -0.1, -3, float(np.float32(5) / 7), 3, 255, 1, 7]
    np.testing.assert_array_equal(out, expected)
    assert s.tobytes() == 'a"b\\\n?é\0x1'.encode() + b"\0"


@pytest.mark.usefixtures("compiler")
def test_in_cpp() -> None:
    @p4.kernel
    def f(x: p4.i32) -> p4.i32:
        p4.cpp(
            "return Sum<N>::of(x) + TABLE[1] + sizeof(NAME) + (RATE > 0.4f) + int(T * 2);",
            preamble="template <int N> struct Sum { static int of(int x) { return N + x; } };",
            N=10, TABLE=[1, 100], NAME="abc", RATE=np.float32(0.5), T=1.5,
        )  # fmt: skip

    assert f(1) == 10 + 1 + 100 + 4 + 1 + 3


@pytest.mark.usefixtures("compiler")
def test_in_assembly() -> None:
    @p4.kernel
    def f(x: p4.f32) -> p4.f32:
        p4.asm(
            """
                li   t0, N
                la   t1, TABLE
                flw  ft0, 4(t1)
                fcvt.s.w ft1, t0
                fadd.s fa0, fa0, ft0
                fadd.s fa0, fa0, ft1
                la   t1, half
                flw  ft0, 0(t1)
                fadd.s fa0, fa0, ft0
                ret
                .section .rodata
                .balign 4
            half: .float HALF
                .asciz NAME
            """,
            N=-5, TABLE=np.array([1, 0.25], np.float32), HALF=0.5, NAME='x"y',
        )  # fmt: skip

    assert f(10) == 10 - 5 + 0.25 + 0.5


def test_a_kernel_for_each_size() -> None:
    def adder(n: int, dtype: type[np.int16] | type[np.float32]) -> Any:
        element = {np.int16: "int16_t", np.float32: "float"}[dtype]

        @p4.kernel
        def total(x: p4.In[dtype]) -> p4.f32:  # type: ignore[valid-type]
            p4.c(f"{element} s = 0; for (int i = 0; i < N; ++i) s += x[i]; return s;", N=n)

        return total

    for n in (3, 5):
        assert adder(n, np.int16)(np.ones(8, np.int16)) == n
    assert adder(5, np.float32)(np.full(8, 0.5, np.float32)) == 2.5
    again = adder(3, np.int16)
    assert again(np.ones(8, np.int16)) == 3
    assert again.build.from_cache == "memory"


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(1 << 63), (1 << 64) - 1))
def test_numbers_are_exact(number: float, integer: int) -> None:
    definitions = dict(line.split(None, 2)[1:] for line in text("p4.c", {"F": number, "I": integer}).splitlines()
                       if line.startswith("#define"))  # fmt: skip
    assert float.fromhex(definitions["F"].strip("()")) == number
    assert eval(definitions["I"].replace("U", "").replace("L", "")) == integer


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"N": None}, "constant 'N': a constant is an int, .*, not NoneType"),
        ({"N": 1 << 64}, "18446744073709551616 does not fit 64 bits"),
        ({"N": -(1 << 63) - 1}, "does not fit 64 bits"),
        ({"N": 1j}, "not complex"),
        ({"N": np.float16(1)}, "not float16"),
        ({"N": [1, [2]]}, "rows of one length"),
        ({"N": [[1, 2], [3]]}, "rows of one length"),
        ({"N": [1, "a"]}, "elements must be numbers"),
        ({"N": [1, None]}, "has no C type"),
        ({"N": []}, "has 0 elements"),
        ({"N": [1 << 63, -1]}, "fits no 64-bit type"),
        ({"N": np.zeros(3, ">i4")}, "has no C type"),
        ({"N": np.zeros((1 << 18) + 1, np.int8)}, "262,145 elements.*pass a larger one as an array"),
        ({"N": "\ud800"}, "cannot be written as UTF-8"),
        ({"while": 1}, "'while': this cannot be a name in C"),
        ({"ü": 1}, "cannot be a name in C"),
        ({"_N": 1}, "are not yours"),
        ({"p4_entry": 1}, "are not yours"),
        ({"x": 1}, "'x' is a constant and a parameter"),
        ({"f": 1}, "'f' is a constant and a parameter, or the kernel itself"),
    ],
)
@pytest.mark.parametrize("body", [p4.c, p4.cpp, p4.asm])
def test_no_constant(constants: dict[str, Any], message: str, body: Callable[..., NoReturn]) -> None:
    def f(x: p4.i32) -> p4.i32:
        body("return x;", **constants)

    with pytest.raises(p4.SignatureError, match=message):
        p4.kernel(f)


def test_a_parameter_is_no_constant() -> None:
    def f(x: p4.i32) -> p4.i32:
        p4.c("return N;", N=x)

    with pytest.raises(p4.SignatureError, match="parameter 'x' has no value while the stub is read"):
        p4.kernel(f)


@pytest.mark.usefixtures("compiler")
def test_unknown_in_the_preprocessor_of_cpp() -> None:
    """A constant is no macro in C++: an #if that takes it for 0 is a warning."""

    @p4.kernel
    def f() -> p4.i32:
        p4.cpp("""
            #if N
                return 1;
            #endif
                return 0;
        """, N=1)  # fmt: skip

    assert f() == 0
    assert any("N" in w.message and "is not defined" in w.message for w in f.build.warnings)
