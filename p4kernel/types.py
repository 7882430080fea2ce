"""The types of kernel parameters: what a type checker sees, and what the run time reads from the same objects.

To a type checker ``p4.i32`` is an ``int`` and ``p4.In[np.float32]`` an array of float32. At run time both carry, as
``Annotated`` metadata, the word that the rest of the package works with: ``Scalar``, ``Pointer`` or ``CString``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Flag
from typing import Annotated, Any, Final, Generic, ParamSpec, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

T_element = TypeVar("T_element", bound=np.generic)  # of In[...] and its kind, until a stub fills it in
T = TypeVar("T", bound=np.generic)
"""In a stub: a dtype that each call selects by its arrays. ``p4.In[p4.T]``; the C text names it ``T``."""
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
    def align(self) -> int:
        return self.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.code)


@dataclass(frozen=True, slots=True)
class PointerTo:
    """Marks an array parameter; the element type stands in the annotation's DeviceArray arm."""

    direction: Direction
    name: str


@dataclass(frozen=True, slots=True)
class ValueOf:
    """Marks a number whose type is that of the arrays in the call."""


@dataclass(frozen=True, slots=True)
class CString:
    """Text or bytes, sent with a closing NUL."""

    optional: bool = False  # None is NULL


@dataclass(frozen=True, slots=True)
class FunctionTo:
    """Marks a function pointer; its parameters and result stand in the annotation's Callable arm."""


class DeviceArray(ABC, Generic[_T_co]):
    """An array whose elements stay on a board; calls pass its address and send nothing. Made by ``p4.array``.

    Slices are views: they share memory. Elements come to the host by ``get`` and ``np.asarray``, and only then.
    """

    board: Any
    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    ndim: int
    size: int
    nbytes: int
    contiguous: bool
    """Whether it lies in one piece in C order; a kernel takes no other."""

    @abstractmethod
    def get(self) -> npt.NDArray[_T_co]:
        """The elements, as a NumPy array. Raises StateLost when the board no longer has them."""

    @abstractmethod
    def set(self, value: npt.ArrayLike | DeviceArray[Any]) -> None:
        """Stores elements, broadcast to the shape; of an array that is not contiguous all that lies between is read
        and written back. Raises ArgumentError for values of another dtype."""

    @abstractmethod
    def item(self) -> Any:
        """The only element, as a Python object."""

    @abstractmethod
    def __getitem__(self, key: Any) -> DeviceArray[_T_co]:
        """A view, for integers, slices, ``...``, None and names of struct members."""

    @abstractmethod
    def __setitem__(self, key: Any, value: npt.ArrayLike | DeviceArray[Any]) -> None: ...

    # Compared and asked for its truth as NumPy's arrays are, by elements: they are fetched for it. By identity, a
    # comparison of x[3] with a number would be False in silence.
    def __eq__(self, other: object) -> Any:
        return self.get() == np.asarray(other)

    def __ne__(self, other: object) -> Any:
        return self.get() != np.asarray(other)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[DeviceArray[_T_co]]: ...

    @abstractmethod
    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]: ...

    @property
    @abstractmethod
    def T(self) -> DeviceArray[_T_co]:
        """A view with the axes in reverse order."""

    @abstractmethod
    def reshape(self, *shape: Any) -> DeviceArray[_T_co]:
        """A view of a contiguous array with another shape."""

    @abstractmethod
    def free(self) -> None:
        """Gives its memory back now, for its slices too. Raises BoardError when that was done before."""

    @abstractmethod
    def to(self, board: Any) -> DeviceArray[_T_co]:
        """A copy on another board."""

    @abstractmethod
    def remains_on(self, board: Any, name: str) -> None:
        """Raises ArgumentError or StateLost, which call it ``name``, when a call on ``board`` cannot use it."""


SCALARS: Final = {
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

i8 = Annotated[int, SCALARS["i8"]]
u8 = Annotated[int, SCALARS["u8"]]
i16 = Annotated[int, SCALARS["i16"]]
u16 = Annotated[int, SCALARS["u16"]]
i32 = Annotated[int, SCALARS["i32"]]
u32 = Annotated[int, SCALARS["u32"]]
i64 = Annotated[int, SCALARS["i64"]]
u64 = Annotated[int, SCALARS["u64"]]
f32 = Annotated[float, SCALARS["f32"]]
f64 = Annotated[float, SCALARS["f64"]]
bool_ = Annotated[bool, SCALARS["bool_"]]
size_t = Annotated[int, SCALARS["size_t"]]
cstr = Annotated[str | bytes, CString()]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class FunctionOnBoard(Protocol):
    """What knows where a function of C is on a board."""

    def p4_address(self, board: Any) -> int: ...


fn = Annotated[Callable[_P, _R] | FunctionOnBoard | int, FunctionTo()]
"""A function pointer: takes a Python function (``p4.callback``), or the address of a function on the board."""

ptr = Annotated[npt.NDArray[T_element] | DeviceArray[T_element], PointerTo(Direction.INOUT, "ptr")]
In = Annotated[npt.NDArray[T_element] | DeviceArray[T_element], PointerTo(Direction.IN, "In")]
Out = Annotated[npt.NDArray[T_element] | DeviceArray[T_element], PointerTo(Direction.OUT, "Out")]
InOut = Annotated[npt.NDArray[T_element] | DeviceArray[T_element], PointerTo(Direction.INOUT, "InOut")]

value = Annotated[T_element | int | float, ValueOf()]

# The C name of each dtype that an array element can have. Keys are dtypes, so that longlong and int64 are one; byte
# order is part of a dtype, so big-endian data is not in here.
C_NAMES: Final[dict[np.dtype[Any], str]] = {s.dtype: s.c for s in SCALARS.values() if s.name != "size_t"}
