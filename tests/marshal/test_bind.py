"""Arguments to bytes: what is accepted, what is refused and in which words."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import p4kernel as p4
from p4kernel.errors import ArgumentError
from p4kernel.marshal import Marshalled, Marshaller
from p4kernel.signature import read
from p4kernel.signature.scope import caller
from p4kernel.types import Direction


def marshaller(stub: Any, **options: Any) -> Marshaller:
    return Marshaller(read(stub, frame=caller(1), **options))


def scalars(a: p4.i8, b: p4.u16, c: p4.i64, d: p4.f32, e: p4.f64, f: p4.bool_, g: p4.u8) -> None:
    p4.c("")


def axpy(x: p4.In[np.float32], y: p4.InOut[np.float32], a: p4.f32, n: p4.i32 = p4.size("x", "y")) -> None:
    p4.c("")


def image(
    src: p4.In[np.uint8], dst: p4.Out[np.uint8], w: p4.i32 = p4.dim("src", 1), h: p4.i32 = p4.dim("src", 0)
) -> None:
    p4.c("")


X = np.arange(4, dtype=np.float32)


def refused(bind: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        bind(*args, **kwargs)
    assert isinstance(caught.value, TypeError)
    return str(caught.value)


@given(
    st.integers(-128, 127), st.integers(0, 65535), st.integers(-(2**63), 2**63 - 1), st.floats(width=32), st.floats(),
    st.booleans(), st.integers(0, 255),
)  # fmt: skip
def test_scalars_lie_where_c_puts_them(a: int, b: int, c: int, d: float, e: float, f: bool, g: int) -> None:
    m = marshaller(scalars)
    blob = m.bind((a, b, c, d, e, f, g), {}).blob
    assert blob == struct.pack("<bxH4xqf4xd?B6x", a, b, c, d, e, f, g)
    assert len(blob) == m.layout.size


@given(st.sampled_from(["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]), st.integers(-(2**70), 2**70))
def test_integers_are_range_checked(kind: str, value: int) -> None:
    def f(x: Any) -> None:
        p4.c("")

    f.__annotations__ = {"x": getattr(p4, kind), "return": None}
    info = np.iinfo({"i": "int", "u": "uint"}[kind[0]] + kind[1:])
    m = marshaller(f)
    if info.min <= value <= info.max:
        assert int.from_bytes(m.bind((value,), {}).blob[: info.bits // 8], "little", signed=kind[0] == "i") == value
    else:
        text = refused(m.bind, (value,), {})
        assert "x" in text and kind in text and str(info.min) in text and str(info.max) in text


@pytest.mark.parametrize(
    ("position", "value", "words"),
    [
        (6, 300, ["g", "300", "u8", "0 to 255"]),
        (0, 3.7, ["a", "3.7", "i8", "round"]),
        (0, np.float32(3), ["a", "round"]),
        (0, float("nan"), ["a", "nan", "integer"]),
        (0, float("inf"), ["a", "inf"]),
        (0, "3", ["a", "'3'"]),
        (0, None, ["a", "None"]),
        (0, np.zeros(1, np.int8), ["a", "one number", "item()"]),
        (0, np.zeros(2, np.int8), ["a", "shape (2,)"]),
        (3, "1.0", ["d", "number"]),
        (3, 1e300, ["d", "1e+300", "f32"]),
        (3, 1j, ["d", "number"]),
        (4, 10**400, ["e", "too large"]),
        (5, 1, ["f", "True or False"]),
    ],
)
def test_scalars_that_are_refused(position: int, value: Any, words: list[str]) -> None:
    args: list[Any] = [1, 1, 1, 1.0, 1.0, True, 1]
    args[position] = value
    text = refused(marshaller(scalars).bind, tuple(args), {})
    for word in ["scalars", *words]:
        assert word in text


def test_numpy_scalars_are_accepted() -> None:
    args = (np.int64(-1), np.uint8(2), np.int8(3), np.float64(4), np.float32(5), np.True_, np.uint64(7))
    blob = marshaller(scalars).bind(args, {}).blob
    assert blob == struct.pack("<bxH4xqf4xd?B6x", -1, 2, 3, 4, 5, True, 7)


def test_infinity_and_nan_pass_as_floats() -> None:
    blob = marshaller(scalars).bind((1, 1, 1, float("inf"), float("nan"), False, 1), {}).blob
    assert struct.unpack_from("<f", blob, 16)[0] == float("inf")


def test_sizes_are_taken_from_arrays() -> None:
    bound = marshaller(axpy).bind((X, X.copy(), 2), {})
    assert struct.unpack("<IIfi", bound.blob) == (0, 0, 2.0, 4)
    assert bound.patches == [(0, 0), (4, 1)]
    assert [b.direction for b in bound.buffers] == [Direction.IN.value, Direction.INOUT.value]


def test_a_given_size_may_be_smaller_but_not_larger() -> None:
    bind = marshaller(axpy).bind
    assert struct.unpack_from("<i", bind((X, X.copy(), 2, 3), {}).blob, 12) == (3,)
    assert struct.unpack_from("<i", bind((X, X.copy()), {"n": np.int16(3), "a": 1}).blob, 12) == (3,)
    text = refused(bind, (X, X.copy(), 2, 5), {})
    assert "n = 5" in text and "(4)" in text


def test_arrays_must_agree() -> None:
    text = refused(marshaller(axpy).bind, (X, X[:3].copy(), 2), {})
    assert "x and y must agree" in text and "4" in text and "3" in text


def test_dimensions() -> None:
    m = marshaller(image)
    bound = m.bind((np.zeros((2, 3), np.uint8), np.zeros(6, np.uint8)), {})
    assert struct.unpack_from("<ii", bound.blob, 8) == (3, 2)
    assert "axis 1" in refused(m.bind, (np.zeros(6, np.uint8), np.zeros(6, np.uint8)), {})


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, ["missing x, y, a"]),
        ((X,), {}, ["missing y, a"]),
        ((X, X, 1, 4, 5), {}, ["4 positional", "5 were given"]),
        ((X, X, 1), {"b": 3}, ["no parameter 'b'", "x, y, a, n"]),
        ((X, X, 1), {"a": 3}, ["'a' twice"]),
    ],
)
def test_wrong_number_of_arguments(args: tuple[Any, ...], kwargs: dict[str, Any], words: list[str]) -> None:
    text = refused(marshaller(axpy).bind, args, kwargs)
    for word in ["axpy", *words]:
        assert word in text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (X.astype(np.float64), ["x", "float32", "float64", "x.astype(np.float32)"]),
        (X.astype(">f4"), ["other order", "astype"]),
        ([1.0, 2.0], ["x", "list", "np.asarray(x, dtype=np.float32)"]),
        (3.0, ["x", "float"]),
        (np.array([object()]), ["x", "objects"]),
        (np.ma.masked_array(X, np.array([0, 1, 0, 0], np.bool_)), ["masked", "filled"]),
    ],
)
def test_arrays_that_are_refused(value: Any, words: list[str]) -> None:
    text = refused(marshaller(axpy).bind, (value, X.copy(), 1), {})
    for word in ["axpy", *words]:
        assert word in text


def test_output_of_another_dtype_says_how_to_make_it() -> None:
    text = refused(marshaller(axpy).bind, (X, X.astype(np.float64), 1), {})
    assert "y" in text and "dtype=np.float32" in text


def test_read_only_output() -> None:
    y = X.copy()
    y.flags.writeable = False
    assert "y is read-only" in refused(marshaller(axpy).bind, (X, y, 1), {})
    assert len(marshaller(axpy).bind((y, X.copy(), 1), {}).buffers) == 2


def test_the_same_array_twice_is_one_buffer() -> None:
    y = X.copy()
    bound = marshaller(axpy).bind((y, y[:], 1), {})
    assert bound.patches == [(0, 0), (4, 0)]
    (buffer,) = bound.buffers
    assert buffer.direction == Direction.INOUT.value


def test_overlapping_arrays_are_refused() -> None:
    base = np.zeros(8, np.float32)
    text = refused(marshaller(axpy).bind, (base[:4], base[2:6], 1), {})
    assert "x and y overlap" in text and "copy()" in text
    marshaller(axpy).bind((base[::2], base[1::2], 1), {})  # interleaved, sharing no byte


def test_overlapping_inputs_are_allowed() -> None:
    def f(x: p4.In[np.float32], y: p4.In[np.float32]) -> None:
        p4.c("")

    base = np.zeros(8, np.float32)
    assert len(marshaller(f).bind((base[:4], base[2:6]), {}).buffers) == 2


def stored(bound: Marshalled, index: int) -> bytes:
    view = bound.buffers[index].view
    assert view is not None
    return bytes(view)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4).T,
        np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(3, 4)),
        np.arange(24, dtype=np.uint8)[::2],
        np.arange(12, dtype=np.uint8)[::-1],
        np.array(7, np.uint8),
        np.zeros(0, np.uint8),
        np.zeros((3, 0), np.uint8),
    ],
)
def test_layouts_travel_in_c_order_and_come_back_in_place(array: np.ndarray[Any, Any]) -> None:
    def f(x: p4.In[np.uint8], y: p4.InOut[np.uint8]) -> None:
        p4.c("")

    out = array[...] if array.flags.c_contiguous else np.lib.stride_tricks.as_strided(array.copy(order="K"))
    bound = marshaller(f).bind((array, out.copy(order="K")), {})
    assert stored(bound, 0) == array.tobytes()


def test_non_contiguous_output_is_written_back() -> None:
    def f(y: p4.Out[np.int16]) -> None:
        p4.c("")

    base = np.zeros((4, 6), np.int16)
    view = base[1:3, ::2]
    (buffer,) = marshaller(f).bind((view,), {}).buffers
    assert buffer.view is not None and buffer.write_back is not None
    buffer.view[:] = np.arange(6, dtype=np.int16).tobytes()
    assert not base.any()
    buffer.write_back()
    assert view.tolist() == [[0, 1, 2], [3, 4, 5]] and base.sum() == 15


def test_text() -> None:
    def f(s: p4.cstr) -> None:
        p4.c("")

    m = marshaller(f)
    assert stored(m.bind(("grüße",), {}), 0) == "grüße".encode() + b"\0"
    assert stored(m.bind((b"\xff",), {}), 0) == b"\xff\0"
    assert "NUL at position 1" in refused(m.bind, ("a\0b",), {})
    assert "str or bytes" in refused(m.bind, (3,), {})


def test_requirements() -> None:
    def matmul(a: p4.In[np.int16], out: p4.Out[np.int32], n: p4.i32, m: p4.i32) -> None:
        p4.c("")

    m = marshaller(matmul, require=["out.size >= n * m", "a.shape[0] == n"])
    a, out = np.zeros((2, 2), np.int16), np.zeros(4, np.int32)
    m.bind((a, out, 2, 2), {})
    text = refused(m.bind, (a, out, 2, 3), {})
    assert "out.size >= n * m" in text and "n = 2" in text and "m = 3" in text and "(4,)" in text
    assert "cannot be checked" in refused(m.bind, (np.array(1, np.int16), out, 1, 1), {})


def test_structs() -> None:
    class Inner(p4.struct):
        a: p4.u8
        b: p4.f64

    class Outer(p4.struct):
        tag: p4.u8
        inner: Inner
        taps: np.typing.NDArray[np.int16] = p4.field(3)

    def f(x: p4.InOut[Outer]) -> None:
        p4.c("")

    assert Outer.dtype.itemsize == 32 and Outer.dtype.fields is not None
    assert {n: v[1] for n, v in Outer.dtype.fields.items()} == {"tag": 0, "inner": 8, "taps": 24}
    value = Outer(tag=1, inner=Inner(2, 3.0), taps=np.array([4, 5, 6], np.int16))
    x = np.array([value, value], Outer.dtype)
    assert stored(marshaller(f).bind((x,), {}), 0) == x.tobytes()
    assert "dtype" in refused(marshaller(f).bind, (np.zeros(2, Inner.dtype),), {})
