"""Python values to the bytes of one call, and back. All checks are made here, before anything is sent."""

from __future__ import annotations

import inspect
import operator
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from p4kernel.errors import ArgumentError
from p4kernel.marshal import buffers
from p4kernel.marshal.buffers import Buffer
from p4kernel.marshal.functions import Answer, FunctionArgument
from p4kernel.marshal.outputs import Outputs, make
from p4kernel.signature import Array, Parameter, Signature
from p4kernel.signature.functions import Function
from p4kernel.signature.prototype import BlobLayout, blob_layout
from p4kernel.signature.results import Ret
from p4kernel.signature.sizes import Dim, Size
from p4kernel.signature.values import convert, exact, range_error
from p4kernel.types import CString, Scalar

__all__ = ["Buffer", "Marshalled", "Marshaller"]

_MISSING: Final = inspect.Parameter.empty


class Marshalled(NamedTuple):
    """The arguments of one call, checked and laid out."""

    blob: bytes
    buffers: list[Buffer]
    patches: list[tuple[int, int]]  # (offset in the blob, index of the buffer whose address goes there)
    results: tuple[Any, ...] = ()  # the arrays and texts that the call returns
    answers: Mapping[int, Answer] = MappingProxyType({})  # Python functions that the kernel may call
    addresses: tuple[tuple[int, Any], ...] = ()  # (offset in the blob, what has a p4_address there)


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
        slots = {slot.name: slot for slot in self.layout.slots}
        self._pointers = [
            (i, p, slots[p.name].offset)
            for i, p in enumerate(parameters)
            if p.by_value is None and not isinstance(p.type, Function)
        ]
        self._functions = [
            (i, slots[p.name].offset, FunctionArgument(signature.name, p.name, p.type))
            for i, p in enumerate(parameters)
            if isinstance(p.type, Function)
        ]
        self._arrays = [
            (i, p, p.type.element)
            for i, p in enumerate(parameters)
            if isinstance(p.type, Array) and isinstance(p.type.element, np.dtype | None)
        ]
        self._by_value = [
            (i, kind, exact(kind))
            for i, p in enumerate(parameters)
            if (kind := p.by_value) is not None and not p.result
        ]
        self._made = [(i, p) for i, p in enumerate(parameters) if p.result and p.by_value is None]
        self._absent = [(i, p) for i, p in enumerate(parameters) if p.result and p.by_value is not None]
        self._pack = struct.Struct(_blob_format(self.layout, parameters)).pack
        self._outputs = Outputs(signature, self.layout) if signature.outputs else None
        self._unpack = None  # of the usual case, one number
        if signature.form == "single" and isinstance(signature.returns, Scalar):
            self._unpack = struct.Struct("<" + signature.returns.code).unpack

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Marshalled:
        """Checks the arguments of one call. Raises ArgumentError."""
        values = self._values(args, kwargs)
        for i, parameter, dtype in self._arrays:
            value = values[i]
            if type(value) is not np.ndarray or value.dtype is not dtype:  # NumPy's own dtypes are singletons
                buffers.check(value, parameter, self._kernel)
        if self._sizes:
            self._fill_sizes(values)
        for i, kind, types in self._by_value:
            if type(values[i]) not in types:
                values[i] = convert(values[i], kind, f"{self._kernel}: {self._names[i]}")
        made = self._make(values) if self._made else ()
        if self._requirements:
            self._check_requirements(values)
        result: list[Buffer] = []
        patches: list[tuple[int, int]] = []
        for i, parameter, offset in self._pointers:
            value = values[i]
            values[i] = 0  # the board writes the address
            if value is None and parameter.optional:
                continue
            is_text = isinstance(parameter.type, CString) and not parameter.result
            buffer = (buffers.from_text if is_text else buffers.from_array)(value, parameter, self._kernel)
            index = buffers.merge(result, buffer, self._kernel)
            if index is None:
                index = len(result)
                result.append(buffer)
            patches.append((offset, index))
        answers: dict[int, Answer] = {}
        addresses: list[tuple[int, Any]] = []
        for i, offset, argument in self._functions:
            word = argument.word(values[i], answers)
            if word is None:
                addresses.append((offset, values[i]))
            values[i] = word or 0
        if self._absent:
            values = self._present(values)
        try:
            blob = self._pack(*values)
        except (struct.error, OverflowError):
            raise self._out_of_range(values) from None
        if not self._functions:
            return Marshalled(blob, result, patches, made)
        return Marshalled(blob, result, patches, made, answers, tuple(addresses))

    def result(self, ret: bytes, arguments: Marshalled) -> Any:
        """The Python value of what the kernel returned. Raises p4.Error when it is none."""
        if self._unpack is not None:
            return self._unpack(ret)[0]
        return None if self._outputs is None else self._outputs.read(ret, arguments.results)

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

    def _make(self, values: list[Any]) -> tuple[Any, ...]:
        """Makes the arrays and texts that are results, and puts them where the arguments are."""
        names = dict(zip(self._names, values, strict=True))
        for i, parameter in self._made:
            values[i] = make(parameter, values[i], names, self._kernel)
        return tuple([values[i] for i, _ in self._made])

    def _present(self, values: list[Any]) -> list[Any]:
        """The values without the results that lie in the blob."""
        for i, parameter in self._absent:
            if type(values[i]) is not Ret:
                raise ArgumentError(f"{self._kernel}: {parameter.name} is a result: leave it out, and it is returned")
        absent = {i for i, _ in self._absent}
        return [value for i, value in enumerate(values) if i not in absent]

    def _fill_sizes(self, values: list[Any]) -> None:
        for i, size in self._sizes:
            name = self._names[i]
            want, first = 0, ""
            for other in size.names:
                array = values[self._index[other]]
                if array is None:  # NULL has no elements, and says nothing of the others
                    continue
                length = size.of(array, other)
                if not first:
                    want, first = length, other
                elif length != want:
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
        given = iter(values)
        for parameter in self._parameters:
            if parameter.by_value is not None and parameter.result:
                continue
            value = next(given)
            if parameter.by_value is not None:
                error = range_error(value, parameter.by_value, f"{self._kernel}: {parameter.name}")
                if error is not None:
                    return error
        raise AssertionError("struct refused values that it takes one by one")


def _blob_format(layout: BlobLayout, parameters: tuple[Parameter, ...]) -> str:
    text = "<"
    end = 0
    kinds = [p.by_value for p in parameters if p.by_value is None or not p.result]
    for slot, kind in zip(layout.slots, kinds, strict=True):
        text += f"{slot.offset - end}x" + ("I" if kind is None else kind.code)
        end = slot.offset + slot.size
    return f"{text}{layout.size - end}x"


def _describe(value: Any) -> str:
    return f"of shape {value.shape}" if isinstance(value, np.ndarray) else f"= {value!r}"
