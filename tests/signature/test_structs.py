"""Structs, unions and enums as Python classes: layout, values, C text, and what is refused."""

from __future__ import annotations

import copy
import enum
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import p4kernel as p4
from p4kernel.signature.structs import definitions
from p4kernel.signature.values import record


class Mode(enum.IntEnum):
    OFF = 0
    ON = 4
    BACK = -1


class Inner(p4.struct):
    a: p4.u8
    b: p4.f64


class Outer(p4.struct):
    tag: p4.u8
    inner: Inner
    mode: Mode
    taps: npt.NDArray[np.int16] = p4.field(3)
    pairs: npt.NDArray[Inner] = p4.field((2, 2))
    weight: p4.f32 = 2.5


class Flags(p4.struct):
    a: p4.u32 = p4.field(bits=3)
    b: p4.i32 = p4.field(bits=5)
    c: p4.u8 = p4.field(bits=7)
    d: p4.bool_ = p4.field(bits=1)
    mode: Mode = p4.field(bits=4)


class Word(p4.union):
    u: p4.u32
    f: p4.f32
    bytes: npt.NDArray[np.uint8] = p4.field(4)


def offsets(cls: Any) -> dict[str, int]:
    kind = record(cls)
    assert kind is not None
    return {m.name: m.offset for m in kind.members}


def test_members_lie_where_the_abi_puts_them() -> None:
    assert offsets(Outer) == {"tag": 0, "inner": 8, "mode": 24, "taps": 28, "pairs": 40, "weight": 104}
    assert Outer.dtype.itemsize == 112


def test_pack_and_align() -> None:
    class Packed(p4.struct, pack=1):
        a: p4.u8
        b: p4.i64

    class Half(p4.struct, pack=2, align=8):
        a: p4.u8
        b: p4.i32

    assert offsets(Packed) == {"a": 0, "b": 1} and Packed.dtype.itemsize == 9
    assert offsets(Half) == {"a": 0, "b": 2} and Half.dtype.itemsize == 8
    kinds = [kind for kind in (record(Packed), record(Half)) if kind is not None]
    text = definitions(kinds)
    assert (
        "#pragma pack(push, 1)" in text
        and "__attribute__((aligned(8)))" in text
        and "pack" not in definitions(kinds, bare=True)
    )


def test_elements_have_their_members_as_attributes() -> None:
    value = Outer(1, Inner(2, 3.5), Mode.ON, np.array([1, 2, 3], np.int16), np.zeros((2, 2), Inner.dtype))
    assert isinstance(value, Outer) and value.dtype == Outer.dtype
    assert (value.tag, value.inner.b, value.mode, value.weight) == (1, 3.5, Mode.ON, 2.5)
    assert type(value.tag) is int and type(value.weight) is float and type(value.mode) is Mode
    value.inner.a = 9
    value.pairs[1, 0].b = 0.5
    assert value["inner"]["a"] == 9 and value["pairs"][1, 0]["b"] == 0.5
    value.inner = Inner(a=1, b=1.0)
    assert value.inner.a == 1
    assert repr(Inner(1, 2)) == "Inner(a=1, b=2.0)"


def test_arrays_of_them_are_numpy_s() -> None:
    array = np.array([Inner(1, 2), Inner(3, 4)], Inner.dtype)
    assert array["a"].tolist() == [1, 3] and array[1].b == 4.0 and isinstance(array[0], Inner)
    array[0].a = 7
    assert array["a"].tolist() == [7, 3]


def test_numpy_keeps_their_layout_when_it_joins_arrays() -> None:
    array = np.array([Inner(1, 2), Inner(3, 4)], Inner.dtype)
    for joined in (np.concatenate([array, array]), np.stack([array, array]), np.array([Inner(1, 2), Inner(3, 4)])):
        assert joined.dtype == Inner.dtype and joined.dtype.itemsize == 16


def test_they_are_copied_pickled_and_compared() -> None:
    value = Inner(1, 2)
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert isinstance(other, Inner) and other == value
    again = pickle.loads(pickle.dumps(np.array([value], Inner.dtype)))
    assert again.dtype == Inner.dtype and again[0].b == 2.0
    assert Inner(1, 3) != value


def test_bit_fields() -> None:
    value = Flags(a=5, b=-16, c=127, d=True, mode=Mode.BACK)
    assert (value.a, value.b, value.c, value.d, value.mode) == (5, -16, 127, True, Mode.BACK)
    value.b = 3
    assert (value.a, value.b, value.c, value.d) == (5, 3, 127, True)
    # 3 and 5 bits of the first byte; then 7 and 1 bits of the second; 4 of the third
    assert value.tobytes()[:3] == bytes([3 << 3 | 5, 0xFF, 0x0F]) and Flags.dtype.itemsize == 4
    with pytest.raises(p4.ArgumentError, match="8 does not fit 3 bits, which hold 0 to 7"):
        value.a = 8
    with pytest.raises(p4.ArgumentError, match="16 does not fit 5 bits, which hold -16 to 15"):
        value.b = 16


def test_union_members_share_their_bytes() -> None:
    value = Word(f=1.0)
    assert value.u == 0x3F800000 and value.bytes.tolist() == [0, 0, 0x80, 0x3F]
    assert Word().u == 0 and Word.dtype.itemsize == 4
    with pytest.raises(TypeError, match="one member can be set"):
        Word(u=1, f=2.0)


def test_inherited_members_come_first() -> None:
    class More(Inner):
        c: p4.u8

    assert offsets(More) == {"a": 0, "b": 8, "c": 16}


def test_members_may_be_called_as_attributes_of_numpy_are() -> None:
    class Named(p4.struct):
        size: p4.i32  # type: ignore[assignment]  # pyright: ignore
        real: p4.f32  # pyright: ignore

    value = Named(3, 0.5)
    assert (value.size, value.real) == (3, 0.5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Inner(300, 0.0), ["Inner: a: 300", "u8", "0 to 255"]),
        (lambda: Inner(1.5, 0.0), ["Inner: a", "integer", "1.5"]),  # type: ignore[arg-type]
        (lambda: Outer(1, (1, 2)), ["Outer: inner must be a Inner", "Inner(...)"]),  # type: ignore[arg-type, call-arg]
        (lambda: Outer(1, Word()), ["must be a Inner, not one of dtype"]),  # type: ignore[arg-type, call-arg]
        (lambda: setattr(Outer.__new__(Outer), "mode", 3), ["mode: 3 is the value of no member of Mode"]),
        (lambda: setattr(Outer.__new__(Outer), "taps", [1, 2]), ["taps has the shape (3,), not (2,)"]),
        (lambda: setattr(Outer.__new__(Outer), "taps", [1, 2, 70000]), ["taps holds int16", "does not fit"]),
        (lambda: setattr(Outer.__new__(Outer), "taps", [1.5, 2, 3]), ["taps holds int16", "float64"]),
    ],
)
def test_values_that_do_not_fit(make: Any, words: list[str]) -> None:
    with pytest.raises(p4.ArgumentError) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


def test_constructors_refuse_what_is_no_member() -> None:
    make: Any = Inner
    for args, kwargs, words in (
        ((1, 2, 3), {}, "2 members, 3 values"),
        ((1,), {"a": 1}, "given twice"),
        ((), {"z": 1}, "no member 'z'"),
    ):
        with pytest.raises(TypeError, match=words):
            make(*args, **kwargs)
    for base in (p4.struct, p4.union):
        with pytest.raises(TypeError, match="base class"):
            base()


def declare(base: Any, hints: dict[str, Any], values: dict[str, Any] | None = None, **options: Any) -> Any:
    return type(base)("Made", (base,), {"__annotations__": hints, "__module__": __name__, **(values or {})}, **options)


@pytest.mark.parametrize(
    ("hints", "values", "options", "words"),
    [
        ({}, {}, {}, "no members"),
        ({"x": int}, {}, {}, "member 'x' must be a p4 number"),
        ({"x": npt.NDArray[np.float32]}, {}, {}, "without p4.field"),
        ({"x": npt.NDArray[np.complex64]}, {"x": p4.field(2)}, {}, "member 'x'"),
        ({"x": p4.f32}, {"x": p4.field(2)}, {}, "member 'x'"),
        ({"x": p4.f32}, {"x": p4.field(bits=2)}, {}, "cannot be a bit-field"),
        ({"x": p4.u8}, {"x": p4.field(bits=9)}, {}, "bit-field of 9 bits"),
        ({"x": p4.bool_}, {"x": p4.field(bits=2)}, {}, "1 bit"),
        ({"x": p4.u8}, {"x": p4.field(bits=2)}, {"pack": 1}, "bit-fields in packed structs"),
        ({"x": p4.u8}, {}, {"pack": 3}, "power of two"),
        ({"x": p4.u8}, {}, {"align": "8"}, "power of two"),
        ({"int": p4.u8}, {}, {}, "cannot be named 'int'"),
        ({"p4_x": p4.u8}, {}, {}, "cannot be named"),
        ({"x": p4.u8}, {"x": 300}, {}, "300 does not fit"),
    ],
)
def test_classes_that_are_refused(
    hints: dict[str, Any], values: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises((p4.SignatureError, p4.ArgumentError), match=words):
        declare(p4.struct, hints, values, **options)


@pytest.mark.parametrize(
    "make", [lambda: p4.field(), lambda: p4.field(0), lambda: p4.field(bits=0), lambda: p4.field(2, bits=3)]
)
def test_fields_that_are_refused(make: Any) -> None:
    with pytest.raises(p4.SignatureError, match=r"p4\.field"):
        make()


def test_enums_that_c_cannot_have() -> None:
    class Wide(enum.IntEnum):
        A = 1 << 40

    class Both(enum.IntEnum):
        A = -1
        B = 1 << 31

    for cls in (Wide, Both):
        with pytest.raises(p4.SignatureError, match="32 bits"):
            declare(p4.struct, {"x": cls})


def test_two_classes_of_one_name() -> None:
    def point() -> Any:
        class Point(p4.struct):
            x: p4.f32

        return Point

    first, second = point(), point()

    def f(a: Any, b: Any) -> None:
        p4.c("")

    f.__annotations__ = {"a": first, "b": second, "return": None}
    kernel: Any = p4.kernel(f)
    with pytest.raises(p4.SignatureError, match="two classes are 'struct Point' in C"):
        _ = kernel.source
