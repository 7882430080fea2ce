"""What C passes by value besides numbers: enumerations, structs and unions."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeVar

import numpy as np

from p4kernel.errors import ArgumentError, Error, SignatureError
from p4kernel.signature import numbers
from p4kernel.types import C_NAMES, Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Enumeration:
    """An ``enum.IntEnum`` or ``IntFlag`` as a C enum. Equal only to itself."""

    cls: type[enum.IntEnum | enum.IntFlag]
    c: str
    code: str  # its struct format: "I", or "i" with a negative member, as the compilers choose
    external: bool = False  # its C text is the user's
    kind: ClassVar[str] = "e"
    size: ClassVar[int] = 4
    align: ClassVar[int] = 4

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype("<i4" if self.code == "i" else "<u4")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct or union."""

    name: str
    type: Scalar | Enumeration | Record
    shape: tuple[int, ...]
    offset: int  # bytes
    bits: int | None = None  # of a bit-field
    shift: int = 0  # of a bit-field: its first bit in the bytes from ``offset``

    @property
    def c(self) -> str:
        dims = "".join(f"[{n}]" for n in self.shape)
        return f"{self.type.c} {self.name}{dims}{'' if self.bits is None else f' : {self.bits}'}"


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A ``p4.struct`` or ``p4.union`` class as a C type. Equal only to itself."""

    cls: type[Any]
    c: str
    dtype: np.dtype[Any]
    align: int
    members: tuple[Member, ...] = field(repr=False)
    pack: int | None = None
    aligned: int | None = None
    external: bool = False  # its C text is the user's
    kind: ClassVar[str] = "r"

    @property
    def name(self) -> str:
        return str(self.cls.__name__)

    @property
    def size(self) -> int:
        return self.dtype.itemsize

    @property
    def code(self) -> str:
        return f"{self.size}s"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Generic:
    """A number or struct of the type that a call selects (``p4.T``)."""

    variable: TypeVar

    @property
    def c(self) -> str:
        return self.variable.__name__


Value = Scalar | Enumeration | Record


def enumeration(cls: type[enum.IntEnum | enum.IntFlag]) -> Enumeration:
    """The C enum of a class. Raises SignatureError when C cannot have it."""
    known: Enumeration | None = cls.__dict__.get("__p4__")
    if known is not None:
        return known
    numbers_ = [int(member) for member in cls.__members__.values()]
    if not numbers_:
        raise SignatureError(f"enum {cls.__name__} has no members")
    low, high = min(numbers_), max(numbers_)
    if low < -(2**31) or high >= 2**32 or (low < 0 and high >= 2**31):
        raise SignatureError(f"enum {cls.__name__}: a C enum has 32 bits; its members are {low} to {high}")
    for name in (cls.__name__, *cls.__members__):
        if not name.isascii():
            raise SignatureError(f"enum {cls.__name__}: {name!r}: names become C names and must be ASCII")
    return remember(cls, Enumeration(cls, f"enum {cls.__name__}", "i" if low < 0 else "I"))


def remember(cls: type[Any], kind: Enumeration) -> Enumeration:
    """Makes ``kind`` the C type of an enum class."""
    cls.__p4__ = kind
    return kind


def record(cls: Any) -> Record | None:
    """The C type of a ``p4.struct`` or ``p4.union`` class; None for anything else."""
    kind = getattr(cls, "__dict__", {}).get("__p4__")
    return kind if isinstance(kind, Record) else None


def c_element(dtype: np.dtype[Any]) -> str | None:
    """The C type of one element, or None when there is none (complex, float16, text, big-endian, objects)."""
    if dtype.fields is not None:
        kind = record(dtype.type)
        return None if kind is None else kind.c
    return C_NAMES.get(dtype)


def spelling(kind: Value | Generic) -> str:
    """The type as it is written in Python."""
    if isinstance(kind, Generic):
        return f"p4.value[{kind.c}]"
    return f"p4.{kind.name}" if isinstance(kind, Scalar) else kind.name


EXACT: Final = numbers.EXACT


def exact(kind: Value) -> frozenset[type]:
    """Values of these very types need no conversion before struct packs (and range-checks) them."""
    if isinstance(kind, Enumeration):
        return frozenset({kind.cls})
    return EXACT.get(kind.kind, frozenset())


def convert(value: Any, kind: Value, name: str) -> Any:
    """``value`` as what struct packs. Raises ArgumentError for what is none. ``name``: "kernel: parameter"."""
    if isinstance(kind, Scalar):
        return numbers.convert(value, kind, name)
    if isinstance(kind, Enumeration):
        return _member(value, kind, name)
    argument = name.rpartition(" ")[2]
    if isinstance(value, np.void) or (isinstance(value, np.ndarray) and value.ndim == 0):
        if value.dtype == kind.dtype:
            return value.tobytes()
        raise ArgumentError(f"{name} must be a {kind}, not one of dtype {value.dtype}")
    made = f"{kind}(...)" + (f", or {argument}[i] of the array" if isinstance(value, np.ndarray) else "")
    raise ArgumentError(f"{name} must be a {kind}, not {numbers.show(value)}; pass {made}")


def _member(value: Any, kind: Enumeration, name: str) -> int:
    cls = kind.cls
    if isinstance(value, cls):
        return int(value)
    if isinstance(value, enum.Enum):
        raise ArgumentError(f"{name} must be a {kind}, not {value!r} of {type(value).__name__}")
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        try:
            return int(cls(int(value)))
        except ValueError:
            raise ArgumentError(f"{name}: {value} is the value of no member of {kind} ({_members(cls)})") from None
    raise ArgumentError(f"{name} must be a {kind} ({_members(cls)}), not {numbers.show(value)}")


def _members(cls: type[enum.Enum]) -> str:
    names = [f"{n} = {int(m.value)}" for n, m in cls.__members__.items()]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def packed(value: Any, kind: Value, name: str) -> Any:
    """``convert``, and the range is checked too."""
    result = convert(value, kind, name)
    error = numbers.out_of_range(result, kind, name) if isinstance(kind, Scalar) else None
    if error is not None:
        raise error
    return result


def python(value: Any, kind: Value, where: str) -> Any:
    """What struct unpacked, as the value that a Python program sees. Raises p4.Error for an enum without that member."""
    if isinstance(kind, Scalar):
        return value
    if isinstance(kind, Enumeration):
        try:
            return kind.cls(value)
        except ValueError:
            raise Error(f"{where} is {value}, the value of no member of {kind} ({_members(kind.cls)})") from None
    return np.frombuffer(bytearray(value), kind.dtype)[0]


def range_error(value: Any, kind: Value, name: str) -> ArgumentError | None:
    """What is wrong with a converted value that struct refuses; None when it is not this one."""
    if isinstance(kind, Scalar):
        return numbers.out_of_range(value, kind, name)
    try:
        struct.pack("<" + kind.code, value)
    except struct.error:
        return ArgumentError(f"{name}: {value!r} does not fit the 32 bits of the C enum")
    return None
