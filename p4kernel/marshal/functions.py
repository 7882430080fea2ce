"""Arguments that are function pointers: numbers for Python functions, addresses for functions on the board."""

from __future__ import annotations

import inspect
import itertools
import struct
from collections.abc import Callable
from typing import Any, Final

from p4kernel.errors import ArgumentError
from p4kernel.signature import numbers
from p4kernel.signature.callbacks import Callback
from p4kernel.signature.functions import Address, Function
from p4kernel.signature.values import packed, python

Answer = Callable[[bytes], bytes]
"""Calls a Python function with the arguments of a message; gives the message with the result in it."""

_numbers: Final = itertools.count(1)
_NUMBERS: Final = 1 << 31


class FunctionArgument:
    """One ``p4.fn`` parameter of a kernel."""

    def __init__(self, kernel: str, name: str, kind: Function) -> None:
        self._kind = kind
        self._where = f"{kernel}: {name}"
        self._kernel = kernel
        text, end = "<", 0
        for parameter, offset in zip(kind.parameters, kind.offsets, strict=False):
            text += f"{offset - end}x{parameter.code}"
            end = offset + parameter.size
        self._arguments = struct.Struct(text)
        self._result = kind.offsets[-2] if kind.returns is not None else 0

    def word(self, value: Any, answers: dict[int, Answer]) -> int | None:
        """What the blob says: an address, or the number of a new entry in ``answers``. None: the board knows it.

        Raises ArgumentError.
        """
        if value is None and self._kind.optional:
            return 0
        if hasattr(value, "p4_address"):
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 < value < 1 << 32 or value & 1:
                raise ArgumentError(f"{self._where}: {value:#x} is no address of a function on the board")
            return value
        if not callable(value):
            raise ArgumentError(f"{self._where} must be a function ({self._kind}), not {numbers.show(value)}")
        if inspect.iscoroutinefunction(value) or inspect.isgeneratorfunction(value):
            raise ArgumentError(
                f"{self._where}: {value.__qualname__} does not run when it is called; pass a plain function"
            )
        if any(isinstance(parameter, Address) for parameter in self._kind.parameters):
            raise ArgumentError(
                f"{self._where}: {self._kind} takes a pointer, which a Python function cannot follow; pass a function on the "
                "board, or declare what Python needs as numbers"
            )
        if isinstance(value, Callback) and (value.type.parameters, value.type.returns) != (
            self._kind.parameters,
            self._kind.returns,
        ):
            raise ArgumentError(f"{self._where} must be {self._kind}; {value.__name__} is {value.type}")
        number = next(_numbers) % _NUMBERS
        answers[number] = lambda message: self._answer(value, message)
        return number << 1 | 1

    def _answer(self, function: Callable[..., Any], message: bytes) -> bytes:
        kind = self._kind
        if len(message) < kind.offsets[-1]:
            raise ArgumentError(f"{self._where}: the board sent {len(message)} bytes of arguments for {kind}")
        values = [
            python(value, parameter, f"{self._where}: argument {i}")
            for i, (value, parameter) in enumerate(
                zip(self._arguments.unpack_from(message), kind.parameters, strict=True)
            )
            if not isinstance(parameter, Address)
        ]
        try:
            result = function(*values)
        except BaseException as error:
            error.add_note(f"{self._kernel} called this Python function and was ended")
            raise
        if kind.returns is None:
            if result is not None:
                raise ArgumentError(
                    f"{self._where}: {kind} returns nothing, and the function returned {numbers.show(result)}"
                )
            return message
        data = struct.pack("<" + kind.returns.code, packed(result, kind.returns, f"{self._where}'s result"))
        return message[: self._result] + data + message[self._result + len(data) :]
