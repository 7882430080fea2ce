"""Python values to the bytes of one call, and back. All checks are made here, before anything is sent."""

from __future__ import annotations

import inspect
import operator
import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from p4kernel.errors import ArgumentError
from p4kernel.marshal import buffers, scalars
from p4kernel.marshal.buffers import Buffer
from p4kernel.signature import Array, Parameter, Signature
from p4kernel.signature.prototype import BlobLayout, blob_layout
from p4kernel.signature.sizes import Dim, Size
from p4kernel.types import CString, Scalar

__all__ = ["Buffer", "Marshalled", "Marshaller"]

_MISSING: Final = inspect.Parameter.empty


class Marshalled(NamedTuple):
    """The arguments of one call, checked and laid out."""

    blob: bytes
    buffers: list[Buffer]
    patches: list[tuple[int, int]]  # (offset in the blob, index of the buffer whose address goes there)


class Marshaller:
    """Does it for one signature."""

    def __init__(self, signature: Signature) -> None:
        self.layout: BlobLayout = blob_layout(signature)
        self._kernel = signature.name
        self._requirements = signature.requirements
        parameters = signature.parameters
        self._parameters = parameters
        self._names = tuple(p.name for p in parameters)
        self._index = {name: i for i, name in enumerate(self._names)}
        kinds = signature.python.parameters.values()
        self._positional = sum(p.kind is not p.KEYWORD_ONLY for p in kinds)
        self._positional_only = frozenset(p.name for p in kinds if p.kind is p.POSITIONAL_ONLY)
        self._defaults = [p.default for p in parameters]
        self._sizes = [(i, p.default) for i, p in enumerate(parameters) if isinstance(p.default, Size | Dim)]
        self._pointers = [
            (i, p, self.layout.slots[i].offset) for i, p in enumerate(parameters) if not isinstance(p.type, Scalar)
        ]
        self._arrays = [(i, p, p.type.dtype) for i, p in enumerate(parameters) if isinstance(p.type, Array)]
        self._scalars = [
            (i, p.type, scalars.EXACT[p.type.kind]) for i, p in enumerate(parameters) if isinstance(p.type, Scalar)
        ]
        self._pack = struct.Struct(_blob_format(self.layout, parameters)).pack
        self._unpack = struct.Struct("<" + signature.returns.code).unpack if signature.returns is not None else None

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Marshalled:
        """Checks the arguments of one call. Raises ArgumentError."""
        values = self._values(args, kwargs)
        for i, parameter, dtype in self._arrays:
            value = values[i]
            if type(value) is not np.ndarray or value.dtype is not dtype:  # NumPy's own dtypes are singletons
                buffers.check(value, parameter, self._kernel)
        if self._sizes:
            self._fill_sizes(values)
        for i, kind, exact in self._scalars:
            if type(values[i]) not in exact:
                values[i] = scalars.convert(values[i], kind, f"{self._kernel}: {self._names[i]}")
        if self._requirements:
            self._check_requirements(values)
        result: list[Buffer] = []
        patches: list[tuple[int, int]] = []
        for i, parameter, offset in self._pointers:
            make = buffers.from_text if isinstance(parameter.type, CString) else buffers.from_array
            buffer = make(values[i], parameter, self._kernel)
            values[i] = 0  # the board writes the address
            index = buffers.merge(result, buffer, self._kernel)
            if index is None:
                index = len(result)
                result.append(buffer)
            patches.append((offset, index))
        try:
            blob = self._pack(*values)
        except (struct.error, OverflowError):
            raise self._out_of_range(values) from None
        return Marshalled(blob, result, patches)

    def result(self, ret: bytes) -> Any:
        """The Python value of the bytes that the kernel returned."""
        return None if self._unpack is None else self._unpack(ret)[0]

    def _values(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        if len(args) > self._positional:
            raise ArgumentError(
                f"{self._kernel} takes {self._positional} positional arguments ({', '.join(self._names)}), "
                f"{len(args)} were given"
            )
        values = [*args, *self._defaults[len(args) :]]
        for name, value in kwargs.items():
            i = self._index.get(name)
            if i is None or name in self._positional_only:
                raise ArgumentError(f"{self._kernel} has no parameter {name!r}; it has {', '.join(self._names)}")
            if i < len(args):
                raise ArgumentError(f"{self._kernel} got {name!r} twice, by position and by name")
            values[i] = value
        for value in values:
            if value is _MISSING:
                missing = [n for n, v in zip(self._names, values, strict=True) if v is _MISSING]
                raise ArgumentError(f"{self._kernel} is missing {', '.join(missing)}")
        return values

    def _fill_sizes(self, values: list[Any]) -> None:
        for i, size in self._sizes:
            name = self._names[i]
            first, *others = size.names
            want = size.of(values[self._index[first]], first)
            for other in others:
                length = size.of(values[self._index[other]], other)
                if length != want:
                    raise ArgumentError(
                        f"{self._kernel}: {first} and {other} must agree in size ({name} = {size}), but have {want} "
                        f"and {length}"
                    )
            given = values[i]
            if given is size:
                values[i] = want
            elif isinstance(given, int | np.integer) and operator.index(given) > want:
                raise ArgumentError(
                    f"{self._kernel}: {name} = {given} is more than {', '.join(size.names)} hold ({want}); leave {name} "
                    "out to take it from there"
                )

    def _check_requirements(self, values: list[Any]) -> None:
        names = dict(zip(self._names, values, strict=True))
        for requirement in self._requirements:
            try:
                holds = requirement.holds(names)
            except Exception as error:
                raise ArgumentError(
                    f"{self._kernel}: require={requirement.text!r} cannot be checked: {error}"
                ) from error
            if not holds:
                given = ", ".join(f"{n} {_describe(names[n])}" for n in requirement.names)
                raise ArgumentError(f"{self._kernel}: the call must satisfy {requirement.text!r}; given: {given}")

    def _out_of_range(self, values: list[Any]) -> ArgumentError:
        for i, kind, _ in self._scalars:
            error = scalars.out_of_range(values[i], kind, f"{self._kernel}: {self._names[i]}")
            if error is not None:
                return error
        raise AssertionError("struct refused values that it takes one by one")


def _blob_format(layout: BlobLayout, parameters: tuple[Parameter, ...]) -> str:
    text = "<"
    end = 0
    for slot, parameter in zip(layout.slots, parameters, strict=True):
        text += f"{slot.offset - end}x" + (parameter.type.code if isinstance(parameter.type, Scalar) else "I")
        end = slot.offset + slot.size
    return f"{text}{layout.size - end}x"


def _describe(value: Any) -> str:
    return f"of shape {value.shape}" if isinstance(value, np.ndarray) else f"= {value!r}"
