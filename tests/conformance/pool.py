"""Types that the generated functions take: all numbers, enums, and structs that the ABI treats in different ways."""

from __future__ import annotations

import enum
import random
import types
from typing import Any

import numpy as np
import numpy.typing as npt

import p4kernel as p4
from p4kernel.signature.values import Enumeration, Record, Value, enumeration, record
from p4kernel.types import SCALARS, Scalar

NUMBERS: dict[str, Any] = {name: getattr(p4, name) for name in SCALARS}


class Plain(enum.IntEnum):
    ZERO = 0
    ONE = 1
    LARGE = 2**32 - 1


class Signed(enum.IntEnum):
    LOW = -(2**31)
    MINUS = -1
    HIGH = 2**31 - 1


class Bits(enum.IntFlag):
    A = 1
    B = 2
    C = 1 << 31


class Float(p4.struct):
    x: p4.f32


class TwoFloats(p4.struct):
    x: p4.f32
    y: p4.f32


class ThreeFloats(p4.struct):
    x: p4.f32
    y: p4.f32
    z: p4.f32


class FloatAndInt(p4.struct):
    x: p4.f32
    n: p4.i32


class ByteAndFloat(p4.struct):
    n: p4.i8
    x: p4.f32


class FloatAndLong(p4.struct):
    x: p4.f32
    n: p4.i64


class Double(p4.struct):
    x: p4.f64


class Nested(p4.struct):
    a: Float
    b: Float


class FloatArray(p4.struct):
    x: npt.NDArray[np.float32] = p4.field(2)


class Bytes(p4.struct):
    a: p4.u8
    b: p4.u16
    c: p4.u8


class Eight(p4.struct):
    a: p4.i32
    b: p4.u32


class Twelve(p4.struct):
    x: npt.NDArray[np.int32] = p4.field(3)


class Wide(p4.struct):
    n: npt.NDArray[np.int64] = p4.field((2, 2))
    m: Plain


class Packed(p4.struct, pack=1):
    a: p4.u8
    b: p4.i64
    c: p4.f64


class HalfPacked(p4.struct, pack=2):
    a: p4.u8
    b: p4.i32
    inner: Bytes


class Aligned(p4.struct, align=16):
    a: p4.u8


class Fields(p4.struct):
    a: p4.u32 = p4.field(bits=3)
    b: p4.i32 = p4.field(bits=30)
    c: p4.u8
    d: p4.bool_ = p4.field(bits=1)
    e: p4.i64 = p4.field(bits=40)


class Either(p4.union):
    n: p4.u64
    x: p4.f32


class HoldsUnion(p4.struct):
    tag: p4.u8
    either: Either


ENUMS: list[Any] = [Plain, Signed, Bits]
STRUCTS: list[Any] = [
    Float, TwoFloats, ThreeFloats, FloatAndInt, ByteAndFloat, FloatAndLong, Double, Nested, FloatArray, Bytes, Eight,
    Twelve, Wide, Packed, HalfPacked, Aligned, Fields, Either, HoldsUnion,
]  # fmt: skip


def c_type(hint: Any) -> Value:
    """The word for an annotation by value."""
    if isinstance(hint, type):
        kind = enumeration(hint) if issubclass(hint, enum.IntEnum | enum.IntFlag) else record(hint)
        assert kind is not None
        return kind
    return next(word for word in hint.__metadata__ if isinstance(word, Scalar))


def leaves(kind: Record) -> tuple[Any, ...]:
    """The members that the comparison looks at: of a union the first, as the others share its bytes."""
    return kind.members[:1] if issubclass(kind.cls, p4.union) else kind.members


def array_of(element: Any) -> Any:
    """The annotation of an array."""
    dtype: Any = np.dtype
    return np.ndarray[Any, dtype[element]]


def random_struct(rng: random.Random, name: str) -> Any:
    """A struct of one to six members: numbers, enums, structs made before, arrays of them, bit-fields."""
    hints: dict[str, Any] = {}
    values: dict[str, Any] = {}
    bits = rng.random() < 0.3
    for i in range(rng.randint(1, 6)):
        member = f"m{i}"
        what = rng.random()
        if what < 0.5:
            number = rng.choice(list(NUMBERS))
            hints[member] = NUMBERS[number]
            size = 8 * SCALARS[number].size
            if bits and number[0] in "iu" and rng.random() < 0.7:
                values[member] = p4.field(bits=rng.randint(1, size))
        elif what < 0.6:
            hints[member] = rng.choice(ENUMS)
        elif what < 0.75:
            hints[member] = rng.choice(STRUCTS)
        elif what < 0.9:
            hints[member] = array_of(rng.choice([np.int8, np.uint16, np.int32, np.int64, np.float32, np.bool_]))
            values[member] = p4.field(rng.choice([(1,), (2,), (3,), (2, 2)]))
        else:
            hints[member] = array_of(rng.choice(STRUCTS))
            values[member] = p4.field(rng.randint(1, 3))
    has_bits = any(getattr(value, "bits", None) for value in values.values())
    options: dict[str, Any] = {}
    if not has_bits and rng.random() < 0.25:
        options["pack"] = rng.choice([1, 2, 4])
    if rng.random() < 0.15:
        options["align"] = rng.choice([2, 8, 16])
    base = p4.union if rng.random() < 0.1 else p4.struct

    def body(namespace: dict[str, Any]) -> None:
        namespace.update(values, __annotations__=hints, __module__=__name__)

    return types.new_class(name, (base,), options, body)


def is_number(kind: Value) -> bool:
    return not isinstance(kind, Enumeration | Record)
