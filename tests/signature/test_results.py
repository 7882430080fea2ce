"""``p4.ret`` and return annotations: what is understood, and what is refused at decoration."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import p4kernel as p4
from p4kernel.signature import Signature, read
from p4kernel.signature.scope import caller


class Mode(enum.IntEnum):
    OFF = 0


class Point(p4.struct):
    x: p4.f32


def read_here(function: Any) -> Signature:
    return read(function, frame=caller(1))


def test_prototypes() -> None:
    def f(
        x: p4.In[np.float32] | None, m: Mode, p: Point, q: p4.i64 = p4.ret(), out: p4.Out[Point] = p4.ret("x.shape"),
        s: p4.cstr = p4.ret(9), e: Mode = p4.ret(),
    ) -> tuple[Point, p4.i64, npt.NDArray[Point], bytes, Mode]:  # fmt: skip
        p4.c("")

    assert read_here(f).prototype == (
        "struct Point f(const float *x, enum Mode m, struct Point p, int64_t *q, struct Point *out, char *s, enum Mode *e)"
    )


def test_void_and_one_result() -> None:
    def f(q: p4.i32 = p4.ret()) -> p4.i32:
        p4.c("")

    def g(q: p4.i32 = p4.ret()) -> tuple[p4.i32]:
        p4.c("")

    assert read_here(f).prototype == read_here(g).prototype.replace("g(", "f(") == "void f(int32_t *q)"


def stub(hints: dict[str, Any], returns: Any, **defaults: Any) -> Any:
    """A stub with these annotations and defaults."""
    parameters = ", ".join(f"{name}=d[{name!r}]" if name in defaults else name for name in hints)
    namespace: dict[str, Any] = {"d": defaults, "p4": p4}
    exec(f"def f({parameters}):\n    p4.c('')\n", namespace)
    namespace["f"].__annotations__ = {**hints, "return": returns}
    return namespace["f"]


# As values, which no type checker takes for types.
T: Any = p4.T
IN: Any = p4.In
VALUE: Any = p4.value
F32: Any = IN[np.float32]
OUT_: Any = p4.Out
OUT: Any = OUT_[np.float32]


@pytest.mark.parametrize(
    ("hints", "returns", "defaults", "words"),
    [
        ({"q": p4.i32}, None, {"q": p4.ret()}, "0 items, and the stub 1 results"),
        ({"q": p4.i32}, tuple[p4.i32, p4.i32, p4.i32], {"q": p4.ret()}, "3 items"),
        ({}, tuple[p4.i32, p4.i32], {}, "2 items, and the stub 0"),
        ({"q": p4.i32}, p4.f32, {"q": p4.ret()}, "says .* where the result 'int32_t \\*q'"),
        ({"q": p4.i32}, str, {"q": p4.ret()}, "result"),
        ({"q": OUT}, npt.NDArray[np.int32], {"q": p4.ret(3)}, "result"),
        ({"q": OUT}, npt.NDArray[np.float32], {"q": p4.ret()}, "how large"),
        ({"q": F32}, npt.NDArray[np.float32], {"q": p4.ret(3)}, r"p4\.Out"),
        ({"q": OUT | None}, npt.NDArray[np.float32], {"q": p4.ret(3)}, r"p4\.Out"),
        ({"q": p4.i32}, p4.i32, {"q": p4.ret(3)}, "has no length"),
        ({"q": p4.cstr}, str, {"q": p4.ret()}, "how many bytes"),
        ({"q": p4.cstr}, str, {"q": p4.ret((2, 3))}, "how many bytes"),
        ({"q": OUT}, npt.NDArray[np.float32], {"q": p4.ret("y")}, "'y' is no parameter"),
        ({"q": OUT}, npt.NDArray[np.float32], {"q": p4.ret("q.size")}, "'q' is a result itself"),
        ({"q": OUT}, npt.NDArray[np.float32], {"q": p4.ret("n +")}, "write a length"),
        ({"q": OUT, "n": p4.i32}, npt.NDArray[np.float32], {"q": p4.ret(3), "n": p4.size("q")}, "has no size before"),
        ({"x": p4.i32 | None}, None, {}, "only a pointer can be None"),
        ({"x": F32}, None, {"x": None}, "cannot have a default, except None"),
        ({"x": p4.cstr}, None, {"x": 3}, "no text"),
        ({"x": p4.u8}, None, {"x": 300}, "300 does not fit"),
        ({"m": Mode}, None, {"m": 7}, "no member of Mode"),
        ({"x": enum.Enum}, None, {}, "no type of a kernel parameter"),
        ({}, list[int], {}, "a kernel returns"),
        ({}, tuple[p4.i32, ...], {}, "list the results"),
        ({}, npt.NDArray[np.float32], {}, "C cannot return"),
        ({}, str, {}, "C cannot return"),
        ({}, T, {}, "no array of a call selects T"),
        ({"a": VALUE[T]}, None, {}, "no array of a call selects T"),
        ({"x": IN[T] | None}, None, {}, "no array of a call selects T"),
        ({"T": IN[T]}, None, {}, "'T' is a type variable and a parameter"),
        ({"a": p4.value}, None, {}, "needs a type variable"),
    ],
)
def test_stubs_that_are_refused(hints: dict[str, Any], returns: Any, defaults: dict[str, Any], words: str) -> None:
    with pytest.raises(p4.SignatureError, match=words):
        read(stub(hints, returns, **defaults))


@pytest.mark.parametrize("shape", [-1, 1.5, True, (2, None), ("x", 1.0)])
def test_lengths_that_are_refused(shape: Any) -> None:
    with pytest.raises(p4.SignatureError, match=r"p4\.ret"):
        p4.ret(shape)


def test_values_that_are_too_large_or_too_aligned() -> None:
    class Large(p4.struct):
        x: npt.NDArray[np.uint8] = p4.field(5000)

    class Aligned(p4.struct, align=64):
        x: p4.u8

    for cls, words in ((Large, "5000 bytes by value, and 4096"), (Aligned, "aligned to 64 bytes")):
        with pytest.raises(p4.SignatureError, match=words):
            p4.kernel(stub({"a": cls}, None))
