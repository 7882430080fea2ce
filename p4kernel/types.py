"""The types of kernel parameters: what a type checker sees, and what the run time reads from the same objects.

To a type checker ``p4.i32`` is an ``int`` and ``p4.In[np.float32]`` an array of float32. At run time both carry, as
``Annotated`` metadata, the word that the rest of the package works with: ``Scalar``, ``Pointer`` or ``CString``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag
from typing import Annotated, Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.generic)
_T_co = TypeVar("_T_co", bound=np.generic, covariant=True)


class Direction(Flag):
    """Which way an array travels."""

    IN = 1
    OUT = 2
    INOUT = 3


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number passed by value. ``code`` is its struct format, ``kind`` is i, u, f or b."""

    name: str
    c: str
    code: str
    kind: str
    size: int

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.code)


@dataclass(frozen=True, slots=True)
class PointerTo:
    """Marks an array parameter; the element type stands in the annotation's DeviceArray arm."""

    direction: Direction
    name: str


@dataclass(frozen=True, slots=True)
class CString:
    """Text or bytes, sent with a closing NUL."""


class DeviceArray(Generic[_T_co]):
    """An array whose elements stay on a board; calls pass its address and send nothing."""

    board: Any
    address: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    nbytes: int


_SCALARS: Final = {
    s.name: s
    for s in (
        Scalar("i8", "int8_t", "b", "i", 1),
        Scalar("u8", "uint8_t", "B", "u", 1),
        Scalar("i16", "int16_t", "h", "i", 2),
        Scalar("u16", "uint16_t", "H", "u", 2),
        Scalar("i32", "int32_t", "i", "i", 4),
        Scalar("u32", "uint32_t", "I", "u", 4),
        Scalar("i64", "int64_t", "q", "i", 8),
        Scalar("u64", "uint64_t", "Q", "u", 8),
        Scalar("f32", "float", "f", "f", 4),
        Scalar("f64", "double", "d", "f", 8),
        Scalar("bool_", "_Bool", "?", "b", 1),
        Scalar("size_t", "size_t", "I", "u", 4),
    )
}

i8 = Annotated[int, _SCALARS["i8"]]
u8 = Annotated[int, _SCALARS["u8"]]
i16 = Annotated[int, _SCALARS["i16"]]
u16 = Annotated[int, _SCALARS["u16"]]
i32 = Annotated[int, _SCALARS["i32"]]
u32 = Annotated[int, _SCALARS["u32"]]
i64 = Annotated[int, _SCALARS["i64"]]
u64 = Annotated[int, _SCALARS["u64"]]
f32 = Annotated[float, _SCALARS["f32"]]
f64 = Annotated[float, _SCALARS["f64"]]
bool_ = Annotated[bool, _SCALARS["bool_"]]
size_t = Annotated[int, _SCALARS["size_t"]]
cstr = Annotated[str | bytes, CString()]

ptr = Annotated[npt.NDArray[T] | DeviceArray[T], PointerTo(Direction.INOUT, "ptr")]
In = Annotated[npt.NDArray[T] | DeviceArray[T], PointerTo(Direction.IN, "In")]
Out = Annotated[npt.NDArray[T] | DeviceArray[T], PointerTo(Direction.OUT, "Out")]
InOut = Annotated[npt.NDArray[T] | DeviceArray[T], PointerTo(Direction.INOUT, "InOut")]

# The C name of each dtype that an array element can have. Keys are dtypes, so that longlong and int64 are one; byte
# order is part of a dtype, so big-endian data is not in here.
C_NAMES: Final[dict[np.dtype[Any], str]] = {s.dtype: s.c for s in _SCALARS.values() if s.name != "size_t"}
