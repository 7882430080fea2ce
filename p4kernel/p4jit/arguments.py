"""Arguments and results as P4-JIT's programs pass them: NumPy scalars and arrays, or the bytes of 32 slots."""

from __future__ import annotations

import inspect
import struct
from typing import Any, Final

import numpy as np

from p4kernel.errors import ArgumentError, SignatureError
from p4kernel.p4jit.errors import WrongCount
from p4kernel.signature import Array, Parameter, Signature
from p4kernel.signature.cparse import Prototype
from p4kernel.signature.cresolve import FunctionPointer, Pointer
from p4kernel.signature.values import Generic, Value
from p4kernel.types import DeviceArray, Direction, Scalar

__all__ = ["RETURN_OFFSET", "SLOTS", "Arguments", "Slots", "by_address", "by_array"]

SLOTS: Final = 32
"""Of 4 bytes each: the arguments, and in the last one the result."""
RETURN_OFFSET: Final = 4 * (SLOTS - 1)
_ADDRESS: Final = Scalar("address", "void *", "I", "u", 4)


def by_array(prototype: Prototype) -> dict[str, Parameter]:
    """Parameters whose arrays may have any dtype: pointers to structs, to bytes, to pointers and to void."""
    given = {}
    for name, kind in prototype.parameters:
        if isinstance(kind, Pointer) and not isinstance(kind.target, Scalar):
            direction = Direction.IN if kind.const else Direction.INOUT
            given[name] = Parameter(name, Array(None, direction, "ptr"), inspect.Parameter.empty)
    return given


def by_address(prototype: Prototype) -> dict[str, Parameter]:
    """All pointers as numbers: addresses in the board's memory."""
    return {
        name: Parameter(name, _ADDRESS, inspect.Parameter.empty)
        for name, kind in prototype.parameters
        if isinstance(kind, Pointer | FunctionPointer)
    }


class Arguments:
    """NumPy values for a kernel, and its result as NumPy's."""

    def __init__(self, signature: Signature, prototype: Prototype) -> None:
        self._name = signature.name
        self._parameters = signature.parameters
        self._returns = signature.returns
        self._bytes = {
            name for name, kind in prototype.parameters if isinstance(kind, Pointer) and kind.target == "char"
        }

    def of(self, values: tuple[Any, ...], sync: bool) -> list[Any]:
        """What the kernel takes. Raises WrongCount, which is a ValueError, and ArgumentError, which is a TypeError.

        Without ``sync`` copies are passed, so that the caller's arrays stay as they are.
        """
        if len(values) != len(self._parameters):
            names = ", ".join(p.name for p in self._parameters)
            raise WrongCount(f"{self._name}: Expected {len(self._parameters)} arguments ({names}), got {len(values)}")
        copies: dict[int, Any] = {}
        result = []
        for value, parameter in zip(values, self._parameters, strict=True):
            if isinstance(parameter.type, Array):
                self._check_array(value, parameter)
                if not sync and isinstance(value, np.ndarray):
                    value = copies.setdefault(id(value), value.copy())  # one array given twice stays one
            elif isinstance(parameter.type, Scalar):
                value = self._number(value, parameter.name, parameter.type)
            result.append(value)
        return result

    def _check_array(self, value: Any, parameter: Parameter) -> None:
        where = f"{self._name}: {parameter.name}"
        if not isinstance(value, np.ndarray | DeviceArray):
            raise ArgumentError(f"{where}: Expected NumPy array, got {type(value).__name__}")
        if parameter.name in self._bytes and value.dtype.itemsize != 1:
            raise ArgumentError(f"{where}: elements of one byte are wanted, such as np.uint8; not dtype {value.dtype}")

    def _number(self, value: Any, name: str, kind: Scalar) -> Any:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if not isinstance(value, np.generic):
            raise ArgumentError(
                f"{self._name}: {name}: Expected NumPy scalar, got {type(value).__name__}; pass "
                f"np.{kind.dtype.name}({name})"
            )
        if kind.kind == "b" and isinstance(value, np.integer) and value in (0, 1):
            return bool(value)  # P4-JIT's bool is an int
        return value

    def result(self, value: Any) -> Any:
        """A number as NumPy's of the C type."""
        kind = self._returns
        if not isinstance(kind, Scalar):
            return value
        return np.dtype(f"{kind.dtype.kind}{kind.size}").type(value)  # by its size: long long is no int64 to NumPy


class Slots:
    """The arguments of one function in the slots."""

    def __init__(self, signature: Signature) -> None:
        self._name = signature.name
        parameters = signature.parameters
        self._codes = [self._code(p.by_value, p.name) for p in parameters]
        self._returns = None if signature.returns is None else self._code(signature.returns, "the result")
        if len(parameters) >= SLOTS:
            raise SignatureError(
                f"{self._name}: {len(parameters)} parameters do not fit the {SLOTS - 1} slots of smart_args=False; "
                "smart_args=True has no such limit"
            )

    def _code(self, kind: Value | Generic | None, name: str) -> str:
        if not isinstance(kind, Scalar) or kind.size > 4:
            raise SignatureError(
                f"{self._name}: {name}: {kind.c if kind is not None else 'this type'} does not fit a slot of 4 bytes, as "
                "smart_args=False has them; smart_args=True passes it"
            )
        return f"<{kind.code}"

    def check(self, values: tuple[Any, ...]) -> bytes:
        """The only argument of a call: bytes of slots."""
        if len(values) != 1 or not isinstance(values[0], bytes | bytearray):
            raise WrongCount(
                f"{self._name}: with smart_args=False a call takes one bytes object, made by struct.pack with 4 bytes for "
                "each argument"
            )
        if len(values[0]) > 4 * SLOTS:
            raise WrongCount(f"{self._name}: {len(values[0])} bytes do not fit the {SLOTS} slots of 4 bytes")
        return bytes(values[0])

    def arguments(self, slots: bytes) -> list[Any]:
        return [struct.unpack_from(code, slots, 4 * i)[0] for i, code in enumerate(self._codes)]

    def result(self, value: Any) -> bytes:
        """The bytes for the last slot."""
        return b"" if self._returns is None else struct.pack(self._returns, value)
