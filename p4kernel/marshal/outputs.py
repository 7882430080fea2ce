"""What a call returns: values that lie in the blob, and arrays and texts that were made for it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from p4kernel.errors import ArgumentError, Error
from p4kernel.signature import Array, Parameter, Signature
from p4kernel.signature.prototype import BlobLayout
from p4kernel.signature.results import Ret
from p4kernel.signature.values import python
from p4kernel.types import CString


class Outputs:
    """Reads the results of one signature."""

    def __init__(self, signature: Signature, layout: BlobLayout) -> None:
        made = [i for i, p in enumerate(signature.parameters) if p.result and p.by_value is None]
        slots = {slot.name: slot for slot in layout.results}
        self._tuple = signature.form == "tuple"
        self._read: list[Callable[[bytes, tuple[Any, ...]], Any]] = []
        for output in signature.outputs:
            if output.parameter is None:
                self._read.append(
                    _value(signature, layout, slots["p4_ret"].offset, signature.returns, "the return value")
                )
                continue
            parameter = signature.parameters[output.parameter]
            if parameter.by_value is not None:
                slot = slots[parameter.name]
                self._read.append(_value(signature, layout, slot.offset, parameter.by_value, parameter.name))
            elif isinstance(parameter.type, CString):
                where = f"{signature.name}: {parameter.name}"
                self._read.append(_text(made.index(output.parameter), output.as_bytes, where))
            else:
                self._read.append(_array(made.index(output.parameter)))

    def read(self, ret: bytes, made: tuple[Any, ...]) -> Any:
        """``ret``: the bytes of the blob that hold results. Raises p4.Error for what is no value of its type."""
        values = tuple([read(ret, made) for read in self._read])
        return values if self._tuple else values[0]


def _value(signature: Signature, layout: BlobLayout, offset: int, kind: Any, name: str) -> Any:
    assert layout.ret is not None
    at = offset - layout.ret.offset
    unpack = struct.Struct("<" + kind.code).unpack_from
    where = f"{signature.name}: {name}"
    return lambda ret, made: python(unpack(ret, at)[0], kind, where)


def _array(index: int) -> Any:
    return lambda ret, made: made[index]


def _text(index: int, as_bytes: bool, where: str) -> Any:
    def read(ret: bytes, made: tuple[Any, ...]) -> str | bytes:
        data: bytes = made[index].tobytes()
        text, end, _ = data.partition(b"\0")
        if not end:
            raise Error(
                f"{where}: the kernel wrote no closing NUL into the {len(data)} bytes of the text; make it longer"
            )
        if as_bytes:
            return text
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise Error(f"{where}: the kernel wrote bytes that are no UTF-8 ({error}); declare it `bytes`") from None

    return read


def make(parameter: Parameter, given: Any, values: dict[str, Any], kernel: str) -> Any:
    """The array that a result is written to: what was passed for it, or a new one. Raises ArgumentError."""
    if not isinstance(given, Ret):
        if isinstance(parameter.type, CString):
            raise ArgumentError(f"{kernel}: {parameter.name} is a result: leave it out, and it is returned")
        return given
    length = parameter.length
    assert length is not None
    where = f"{kernel}: {parameter.name} = {given}"
    try:
        shape = length.of(values)
    except Exception as error:
        raise ArgumentError(f"{where} cannot be computed: {error}") from error
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0 for n in shape):
        raise ArgumentError(f"{where} gives the shape {shape}, and lengths are numbers of 0 and more")
    if isinstance(parameter.type, Array):
        return np.zeros(shape, parameter.type.dtype)
    if len(shape) != 1 or shape[0] < 1:
        raise ArgumentError(f"{where} gives {shape}, and a text has one length of at least 1, for its closing NUL")
    return np.zeros(shape, np.uint8)
