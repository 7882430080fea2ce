"""Arrays of a call: what is accepted, and which bytes travel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from p4kernel.errors import ArgumentError
from p4kernel.signature import Array, Parameter
from p4kernel.signature.results import Ret
from p4kernel.types import DeviceArray, Direction

IN: Final = Direction.IN.value
OUT: Final = Direction.OUT.value
_ALIGN: Final = 128  # a cache line: no two arrays share one


@dataclass(slots=True)
class Buffer:
    """One array of a call: its bytes on the host, or where it already is on the board."""

    name: str
    size: int
    direction: int
    view: memoryview | None  # None: resident on the board
    given: Any = None  # the array as it was passed
    address: int = 0
    align: int = _ALIGN
    write_back: Callable[[], None] | None = None  # stores an output that is not contiguous


def check(value: Any, parameter: Parameter, kernel: str) -> None:
    """Refuses what is no array of the parameter's dtype. Raises ArgumentError that tells how to convert."""
    kind = parameter.type
    assert isinstance(kind, Array)
    name = parameter.name
    if (value is None and kind.optional) or (isinstance(value, Ret) and parameter.result):
        return
    if isinstance(value, np.ma.MaskedArray):
        raise ArgumentError(f"{kernel}: {name} is a masked array, and C knows no masks; pass {name}.filled(...)")
    if not isinstance(value, np.ndarray | DeviceArray):
        if value is None:
            raise ArgumentError(f"{kernel}: {name} must be an array ({kind}), not None")
        remedy = "a NumPy array"
        if kind.direction is Direction.IN and kind.element is not None:
            remedy = f"np.asarray({name}, dtype={_np(kind.dtype)})"
        raise ArgumentError(f"{kernel}: {name} must be an array ({kind}), not {type(value).__name__}; pass {remedy}")
    if kind.element is None:
        if value.dtype.hasobject:
            raise ArgumentError(f"{kernel}: {name} holds Python objects, which have no C form")
        return
    if value.dtype != kind.dtype:
        raise ArgumentError(
            f"{kernel}: {name} must have dtype {kind.dtype}, not {value.dtype}; {_remedy(value, parameter)}"
        )


def _remedy(value: Any, parameter: Parameter) -> str:
    kind, name = parameter.type, parameter.name
    assert isinstance(kind, Array)
    if isinstance(value, DeviceArray):
        return f"it is on the board: p4.array({name}.get().astype({_np(kind.dtype)})) is one of the other dtype"
    if value.dtype == object:
        return "an array of Python objects has no C form"
    if value.dtype.newbyteorder() == kind.dtype:
        return f"its bytes are in the other order; pass {name}.astype({_np(kind.dtype)})"
    if kind.direction is Direction.IN:
        return f"convert it with {name}.astype({_np(kind.dtype)})"
    return f"the kernel writes to it, so it must be made with dtype={_np(kind.dtype)}"


def _np(dtype: np.dtype[Any]) -> str:
    return f"np.{dtype.name}" if dtype.fields is None else "the struct's .dtype"


def from_array(value: Any, parameter: Parameter, kernel: str) -> Buffer:
    """The buffer of a checked array. Raises ArgumentError for an output that cannot be written."""
    kind = parameter.type
    direction = kind.direction.value if isinstance(kind, Array) else OUT  # or the text that is a result
    if not isinstance(value, np.ndarray):
        if not value.contiguous:
            raise ArgumentError(
                f"{kernel}: {parameter.name} is a part of an array on the board that is not in one piece (shape "
                f"{value.shape}, strides {value.strides}), and C takes no other; p4.array({parameter.name}.get()) is a copy"
            )
        return Buffer(parameter.name, value.nbytes, direction, None, value, address=value.address)
    if direction & OUT and not value.flags.writeable:
        raise ArgumentError(
            f"{kernel}: {parameter.name} is read-only, and the kernel writes to it ({kind}); pass a copy, or declare it p4.In"
        )
    if value.flags.c_contiguous:
        return Buffer(parameter.name, value.nbytes, direction, _bytes(value), value)
    copy = np.ascontiguousarray(value)

    def write_back() -> None:
        value[...] = copy

    return Buffer(
        parameter.name, copy.nbytes, direction, _bytes(copy), value, write_back=write_back if direction & OUT else None
    )


def from_text(value: Any, parameter: Parameter, kernel: str) -> Buffer:
    """The buffer of a ``p4.cstr``."""
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes | bytearray):
        raise ArgumentError(f"{kernel}: {parameter.name} must be str or bytes, not {type(value).__name__}")
    if 0 in value:
        raise ArgumentError(f"{kernel}: {parameter.name} has a NUL at position {value.index(0)}; a C string ends there")
    data = bytes(value) + b"\0"
    return Buffer(parameter.name, len(data), IN, memoryview(data))


def merge(buffers: list[Buffer], new: Buffer, kernel: str) -> int | None:
    """The index of the buffer that holds the same array as ``new``, or None.

    Raises ArgumentError for arrays that overlap without being the same: on the board they would be two.
    """
    if new.given is None or new.view is None:
        return None
    for i, other in enumerate(buffers):
        if other.given is None or other.view is None or not np.may_share_memory(other.given, new.given):
            continue
        if _same(other.given, new.given):
            other.direction |= new.direction
            if new.write_back is not None:
                other.view, other.write_back = new.view, new.write_back
            return i
        if (other.direction | new.direction) & OUT and np.shares_memory(other.given, new.given):
            raise ArgumentError(
                f"{kernel}: {other.name} and {new.name} overlap in memory without being the same array; on the board "
                f"they would be two; pass {new.name}.copy() or one array for both"
            )
    return None


def _same(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    same_place = a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
    return a is b or (same_place and a.shape == b.shape and a.strides == b.strides and a.dtype == b.dtype)


def _bytes(array: npt.NDArray[Any]) -> memoryview:
    if array.size and array.dtype.fields is None:
        return array.data.cast("B")
    return array.reshape(-1).view(np.uint8).data  # what a memoryview cannot cast
